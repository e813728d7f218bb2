/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/tell/pem.h"

#include <string.h>

#define LINE_BYTES 48u /* 64 characters */

void dr_base64_put(char *out, const void *ptr, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *in = ptr;

	for (size_t i = 0; i < len; i += 3) {
		const size_t left = len - i;
		const uint32_t three = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
				       (left > 2 ? in[i + 2] : 0);

		*out++ = digits[three >> 18];
		*out++ = digits[three >> 12 & 63];
		*out++ = left > 1 ? digits[three >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[three & 63] : '=';
	}
	*out = '\0';
}

static void text_put(struct dr_buf *out, const char *text, struct dr_fail *fail)
{
	dr_buf_append(out, text, strlen(text), fail);
}

enum dr_err dr_pem_put(struct dr_buf *out, const char *label, struct dr_bytes der, struct dr_fail *fail)
{
	struct dr_fail own = { 0 };
	const size_t len = out->len;
	char line[dr_base64_len(LINE_BYTES) + 1];

	text_put(out, "-----BEGIN ", &own);
	text_put(out, label, &own);
	text_put(out, "-----\n", &own);
	for (size_t i = 0; i < der.len && own.err == DR_OK; i += LINE_BYTES) {
		dr_base64_put(line, der.ptr + i, der.len - i < LINE_BYTES ? der.len - i : LINE_BYTES);
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
