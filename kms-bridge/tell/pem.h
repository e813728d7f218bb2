/* SPDX-License-Identifier: Apache-2.0
 *
 * pem: bytes as text: base64 (RFC 4648, 4: with padding) and PEM (RFC 7468, 3: lines of 64). Of public things only:
 * it indexes by what it encodes.
 *
 * Layer: kms-bridge/tell.
 */
#ifndef DR_TELL_PEM_H
#define DR_TELL_PEM_H

#include "chain/base/arena.h"

/* dr_base64_len: characters of the text of len bytes. */
#define dr_base64_len(len) (((len) + 2) / 3 * 4)

/* dr_base64_put: the text and a NUL: out holds dr_base64_len(len) + 1 characters. */
void dr_base64_put(char *out, const void *ptr, size_t len);

/* dr_pem_put: appends "-----BEGIN label-----", the bytes, "-----END label-----", each line with its end.
 * DR_ERR_LIMIT, DR_ERR_NOMEM: *out is unchanged. */
enum dr_err dr_pem_put(struct dr_buf *out, const char *label, struct dr_bytes der, struct dr_fail *fail);

#endif
