/* SPDX-License-Identifier: Apache-2.0
 *
 * pem: bytes as text of lines of 64 characters (RFC 7468, section 3). Of public things only: base64 indexes by what
 * it encodes.
 *
 * Layer: kms-bridge/tell.
 */
#ifndef DR_TELL_PEM_H
#define DR_TELL_PEM_H

#include "chain/base/arena.h"

/* dr_pem_put: appends "-----BEGIN label-----", the bytes, "-----END label-----", each line with its end.
 * DR_ERR_LIMIT, DR_ERR_NOMEM: *out is unchanged. */
enum dr_err dr_pem_put(struct dr_buf *out, const char *label, struct dr_bytes der, struct dr_fail *fail);

#endif
