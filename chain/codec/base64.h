/* SPDX-License-Identifier: Apache-2.0
 *
 * base64: RFC 4648, section 4 (the standard alphabet, with padding), in its one canonical form: no line breaks, no
 * other characters, padding complete, and the bits that pad the last group zero (section 3.5). Not constant in
 * time: never for secrets.
 *
 * Layer: chain/codec.
 */
#ifndef DR_CODEC_BASE64_H
#define DR_CODEC_BASE64_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

/* Characters of len bytes, without a NUL. */
#define DR_BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* dr_base64_put: writes DR_BASE64_LEN(bytes.len) characters and a NUL. */
void dr_base64_put(char *out, struct dr_bytes bytes);

/* dr_base64_get: the bytes that text encodes, into out[0,cap) and *len; on failure *len is 0 and out zeroed.
 *   DR_ERR_SYNTAX        length no multiple of four, another character, padding elsewhere than at the end
 *   DR_ERR_NONCANONICAL  padding bits that are not zero
 *   DR_ERR_LIMIT         more than cap bytes */
enum dr_err dr_base64_get(uint8_t *out, size_t cap, size_t *len, struct dr_bytes text, struct dr_fail *fail);

#endif
