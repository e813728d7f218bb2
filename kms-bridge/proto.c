/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/proto.h"

#include <string.h>

#include "chain/base/limits.h"
#include "kms-bridge/proto_code.h"

#define MSG_HEAD_LEN 6u /* u32 length · u16 type */
#define TYPE_LEN     2u /* counted by the length */

static uint8_t *msg_begin(struct dr_buf *out, uint16_t type, size_t len, struct dr_fail *fail)
{
	struct dr_writer w;

	if (len > DR_MSG_LEN_MAX - TYPE_LEN) {
		dr_fail_set(fail, DR_ERR_LIMIT, "length of a message", len);
		return NULL;
	}
	uint8_t *to = dr_buf_reserve(out, MSG_HEAD_LEN + len, fail);

	if (to == NULL)
		return NULL;
	dr_writer_init(&w, to, MSG_HEAD_LEN, fail);
	dr_writer_u32(&w, (uint32_t)(TYPE_LEN + len));
	dr_writer_u16(&w, type);
	return to + MSG_HEAD_LEN;
}

enum dr_err dr_msg_put(struct dr_buf *out, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	struct dr_fail own = { 0 };
	uint8_t *to = msg_begin(out, type, payload.len, &own);

	if (to == NULL)
		return dr_fail_set(fail, own.err, own.what, own.at);
	if (payload.len > 0)
		memcpy(to, payload.ptr, payload.len);
	out->len += MSG_HEAD_LEN + payload.len;
	return DR_OK;
}

enum dr_err dr_msg_get(uint16_t *type, struct dr_bytes *payload, size_t *used, struct dr_bytes bytes,
		       struct dr_fail *fail)
{
	struct dr_fail own = { 0 };
	struct dr_reader r;

	*type = 0;
	*payload = (struct dr_bytes){ NULL, 0 };
	*used = 0;
	if (bytes.len < 4)
		return DR_OK;
	dr_reader_init(&r, bytes, &own);
	const uint32_t len = dr_reader_u32(&r);

	/* Before the rest has come: a length is never waited for that will not be accepted. */
	if (len < TYPE_LEN || len > DR_MSG_LEN_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "length of a message", len);
	if (len > r.left)
		return DR_OK;
	*type = dr_reader_u16(&r);
	*payload = dr_reader_view(&r, len - TYPE_LEN);
	DR_ASSERT(own.err == DR_OK);
	*used = 4 + (size_t)len;
	return DR_OK;
}

/* utf8_len: length of the character at text[0], with its bytes all there, the shortest form, no surrogate
 * (RFC 3629), and no control character (C0, DEL, C1); 0 otherwise. */
static size_t utf8_len(struct dr_bytes text)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *p = text.ptr;
	size_t len = 1;
	uint32_t code;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (len > text.len)
		return 0;
	code = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3fu);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || code < 0xa0)
		return 0;
	return len;
}

bool dr_text_is_clean(struct dr_bytes text)
{
	for (size_t at = 0, len; at < text.len; at += len) {
		len = utf8_len(dr_bytes_of(text.ptr + at, text.len - at));
		if (len == 0)
			return false;
	}
	return true;
}

void dr_text_set(char *out, size_t cap, const char *text, size_t text_len)
{
	const uint8_t *from = (const uint8_t *)text;
	size_t at = 0, to = 0;

	DR_ASSERT(cap > 0);
	memset(out, 0, cap);
	while (at < text_len && from[at] != 0) {
		const size_t len = utf8_len(dr_bytes_of(from + at, text_len - at));

		if ((len == 0 ? 1 : len) > cap - 1 - to)
			break;
		if (len == 0)
			out[to++] = '?';
		else
			memcpy(out + to, from + at, len);
		to += len;
		at += len == 0 ? 1 : len;
	}
}

bool dr_code_ok(const struct dr_code *c)
{
	return c->fail->err == DR_OK;
}

void dr_code_fail(struct dr_code *c, enum dr_err err, const char *what)
{
	if (c->way == DR_CODE_READ)
		dr_reader_fail(&c->r, err, what);
	else
		dr_fail_set(c->fail, err, what, c->way == DR_CODE_COUNT ? c->len : c->w.len);
}

void dr_code_copy(struct dr_code *c, void *ptr, size_t len)
{
	switch (c->way) {
	case DR_CODE_COUNT: c->len += len; break;
	case DR_CODE_WRITE: dr_writer_copy(&c->w, ptr, len); break;
	case DR_CODE_READ: dr_reader_copy(&c->r, ptr, len); break;
	}
}

static void code_int(struct dr_code *c, uint64_t *value, size_t len)
{
	uint8_t be[8] = { 0 };

	if (c->way == DR_CODE_WRITE)
		dr_be64_put(be, *value);
	dr_code_copy(c, be + 8 - len, len);
	if (c->way == DR_CODE_READ)
		*value = dr_be64_get(be);
}

void dr_code_u8(struct dr_code *c, uint8_t *value)
{
	uint64_t wide = *value;

	code_int(c, &wide, 1);
	*value = (uint8_t)wide;
}

void dr_code_u16(struct dr_code *c, uint16_t *value)
{
	uint64_t wide = *value;

	code_int(c, &wide, 2);
	*value = (uint16_t)wide;
}

void dr_code_u32(struct dr_code *c, uint32_t *value)
{
	uint64_t wide = *value;

	code_int(c, &wide, 4);
	*value = (uint32_t)wide;
}

void dr_code_u64(struct dr_code *c, uint64_t *value)
{
	code_int(c, value, 8);
}

void dr_code_range(struct dr_code *c, uint8_t *value, uint8_t min, uint8_t max, const char *what)
{
	dr_code_u8(c, value);
	if (dr_code_ok(c) && (*value < min || *value > max))
		dr_code_fail(c, DR_ERR_UNKNOWN, what);
}

void dr_code_bool(struct dr_code *c, bool *value)
{
	uint8_t byte = c->way != DR_CODE_READ && *value ? 1 : 0;

	dr_code_u8(c, &byte);
	if (byte > 1)
		dr_code_fail(c, DR_ERR_NONCANONICAL, "a truth value is 0 or 1");
	if (c->way == DR_CODE_READ)
		*value = byte == 1;
}

void dr_code_text(struct dr_code *c, char *text, size_t cap)
{
	const size_t have = c->way == DR_CODE_READ ? 0 : strnlen(text, cap);
	uint16_t len = (uint16_t)have;

	DR_ASSERT(cap > 0 && cap <= UINT16_MAX);
	if (have == cap) {
		dr_code_fail(c, DR_ERR_LIMIT, "a text has no end");
		return;
	}
	dr_code_u16(c, &len);
	if (len >= cap) {
		dr_code_fail(c, DR_ERR_LIMIT, "length of a text");
		return;
	}
	dr_code_copy(c, text, len);
	if (dr_code_ok(c) && !dr_text_is_clean(dr_bytes_of(text, len)))
		dr_code_fail(c, DR_ERR_SYNTAX, "a text is UTF-8 without control characters");
	if (c->way == DR_CODE_READ)
		text[len] = 0;
}

void dr_code_run(struct dr_code *c, struct dr_bytes *run, size_t max)
{
	uint32_t len = run->len > max ? 0 : (uint32_t)run->len;

	DR_ASSERT(max <= UINT32_MAX);
	if (c->way != DR_CODE_READ && run->len > max) {
		dr_code_fail(c, DR_ERR_LIMIT, "length of a run of bytes");
		return;
	}
	dr_code_u32(c, &len);
	if (len > max) {
		dr_code_fail(c, DR_ERR_LIMIT, "length of a run of bytes");
		return;
	}
	switch (c->way) {
	case DR_CODE_COUNT: c->len += len; break;
	case DR_CODE_WRITE: dr_writer_bytes(&c->w, *run); break;
	case DR_CODE_READ: *run = dr_reader_view(&c->r, len); break;
	}
}

enum dr_err dr_code_put(struct dr_buf *out, uint16_t type, void (*fn)(struct dr_code *c, void *ptr), void *ptr,
			struct dr_fail *fail)
{
	struct dr_fail own = { 0 };
	struct dr_code c = { .way = DR_CODE_COUNT, .fail = &own };
	uint8_t *to = NULL;

	fn(&c, ptr);
	if (own.err == DR_OK)
		to = msg_begin(out, type, c.len, &own);
	if (to == NULL)
		return dr_fail_set(fail, own.err, own.what, own.at);
	c.way = DR_CODE_WRITE;
	dr_writer_init(&c.w, to, c.len, &own);
	fn(&c, ptr);
	DR_ASSERT(own.err == DR_OK && c.w.len == c.len);
	out->len += MSG_HEAD_LEN + c.len;
	return DR_OK;
}

enum dr_err dr_code_get(void *out, size_t size, void (*fn)(struct dr_code *c, void *ptr), struct dr_bytes payload,
			struct dr_fail *fail)
{
	struct dr_fail own = { 0 };
	struct dr_code c = { .way = DR_CODE_READ, .fail = &own };

	memset(out, 0, size);
	dr_reader_init(&c.r, payload, &own);
	fn(&c, out);
	if (dr_reader_end(&c.r) == DR_OK)
		return DR_OK;
	memset(out, 0, size);
	return dr_fail_set(fail, own.err, own.what, own.at);
}
