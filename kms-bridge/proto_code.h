/* SPDX-License-Identifier: Apache-2.0
 *
 * proto_code: the coder behind proto.h. Every payload is described once, field by field; the same lines
 * count its length, write it and read it, so that put and get cannot drift apart.
 *
 *   text = u16 length · bytes (UTF-8, no control characters, no NUL); in the struct NUL-terminated
 *   bool = u8, 0 or 1
 *
 * Failures are sticky, as with dr_reader and dr_writer.
 *
 * Layer: kms-bridge, internal.
 */
#ifndef DR_KMS_PROTO_CODE_H
#define DR_KMS_PROTO_CODE_H

#include "chain/base/reader.h"
#include "chain/base/writer.h"
#include "kms-bridge/proto.h"

enum dr_code_way {
	DR_CODE_COUNT, /* adds up the length */
	DR_CODE_WRITE,
	DR_CODE_READ,
};

/* dr_text_is_clean: UTF-8 (RFC 3629) without control characters: C0, DEL, C1. */
bool dr_text_is_clean(struct dr_bytes text);

struct dr_code {
	enum dr_code_way way;
	size_t len; /* COUNT: so far */
	struct dr_writer w;
	struct dr_reader r;
	struct dr_fail *fail;
};

void dr_code_u8(struct dr_code *c, uint8_t *value);
void dr_code_u16(struct dr_code *c, uint16_t *value);
void dr_code_u32(struct dr_code *c, uint32_t *value);
void dr_code_u64(struct dr_code *c, uint64_t *value);
void dr_code_bool(struct dr_code *c, bool *value);
/* dr_code_range: a u8 in [min, max], else DR_ERR_UNKNOWN: of a closed enum. */
void dr_code_range(struct dr_code *c, uint8_t *value, uint8_t min, uint8_t max, const char *what);
void dr_code_copy(struct dr_code *c, void *ptr, size_t len);
void dr_code_text(struct dr_code *c, char *text, size_t cap);
/* dr_code_run: u32 length and that many bytes, at most max; borrowed when read. */
void dr_code_run(struct dr_code *c, struct dr_bytes *run, size_t max);
void dr_code_fail(struct dr_code *c, enum dr_err err, const char *what);
bool dr_code_ok(const struct dr_code *c);

/* dr_code_put: appends a message with the payload that fn describes; unchanged on failure. dr_code_get:
 * fills out[0,size) from payload, zeroed on failure. */
enum dr_err dr_code_put(struct dr_buf *out, uint16_t type, void (*fn)(struct dr_code *c, void *ptr), void *ptr,
			struct dr_fail *fail);
enum dr_err dr_code_get(void *out, size_t size, void (*fn)(struct dr_code *c, void *ptr), struct dr_bytes payload,
			struct dr_fail *fail);

#endif
