/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/tell/pem.h"

#include <string.h>

#include "chain/codec/base64.h"

#define LINE_BYTES 48u /* 64 characters */

static void text_put(struct dr_buf *out, const char *text, struct dr_fail *fail)
{
	dr_buf_append(out, text, strlen(text), fail);
}

enum dr_err dr_pem_put(struct dr_buf *out, const char *label, struct dr_bytes der, struct dr_fail *fail)
{
	struct dr_fail own = { 0 };
	const size_t len = out->len;
	char line[DR_BASE64_LEN(LINE_BYTES) + 1];

	text_put(out, "-----BEGIN ", &own);
	text_put(out, label, &own);
	text_put(out, "-----\n", &own);
	for (size_t i = 0; i < der.len && own.err == DR_OK; i += LINE_BYTES) {
		dr_base64_put(line, dr_bytes_of(der.ptr + i, der.len - i < LINE_BYTES ? der.len - i : LINE_BYTES));
		text_put(out, line, &own);
		text_put(out, "\n", &own);
	}
	text_put(out, "-----END ", &own);
	text_put(out, label, &own);
	text_put(out, "-----\n", &own);
	if (own.err == DR_OK)
		return DR_OK;
	out->len = len;
	return dr_fail_set(fail, own.err, own.what, own.at);
}
