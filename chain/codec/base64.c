/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/codec/base64.h"

#include <string.h>

#include "chain/base/reader.h"

static const char alphabet[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void dr_base64_put(char *out, struct dr_bytes bytes)
{
	for (size_t at = 0; at < bytes.len; at += 3) {
		const size_t left = bytes.len - at;
		uint32_t group = (uint32_t)bytes.ptr[at] << 16;

		if (left > 1)
			group |= (uint32_t)bytes.ptr[at + 1] << 8;
		if (left > 2)
			group |= bytes.ptr[at + 2];
		*out++ = alphabet[group >> 18];
		*out++ = alphabet[group >> 12 & 63];
		*out++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
		*out++ = left > 2 ? alphabet[group & 63] : '=';
	}
	*out = 0;
}

/* 64: no character of the alphabet. */
static uint32_t digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - (uint32_t)'A';
	if (c >= 'a' && c <= 'z')
		return c - (uint32_t)'a' + 26;
	if (c >= '0' && c <= '9')
		return c - (uint32_t)'0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* The next four characters; *num bytes of *group, from its top, are meant. */
static void get_group(struct dr_reader *r, uint32_t *group, size_t *num)
{
	uint32_t digits[4] = { 0 };

	*num = 3;
	*group = 0;
	for (size_t i = 0; i < 4; i++) {
		const uint8_t c = dr_reader_u8(r);

		/* Padding: the last, or the last two, of the last group. */
		if (c == '=' && i >= 2 && r->left <= 3 - i) {
			*num -= 1;
			continue;
		}
		digits[i] = digit(c);
		if (digits[i] == 64 || *num != 3) {
			dr_reader_fail(r, DR_ERR_SYNTAX, "base64: expected a character of the standard alphabet");
			return;
		}
	}
	*group = digits[0] << 18 | digits[1] << 12 | digits[2] << 6 | digits[3];
	if ((*num == 1 && (*group & 0xffff) != 0) || (*num == 2 && (*group & 0xff) != 0))
		dr_reader_fail(r, DR_ERR_NONCANONICAL, "base64: expected zero bits before the padding");
}

enum dr_err dr_base64_get(uint8_t *out, size_t cap, size_t *len, struct dr_bytes text, struct dr_fail *fail)
{
	struct dr_fail own = { 0 };
	struct dr_reader r;
	size_t done = 0;

	*len = 0;
	if (cap > 0)
		memset(out, 0, cap);
	if (text.len % 4 != 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "base64: expected a multiple of four characters", text.len);
	dr_reader_init(&r, text, &own);
	while (r.left > 0) {
		uint32_t group;
		size_t num;

		get_group(&r, &group, &num);
		if (own.err == DR_OK && num > cap - done)
			dr_reader_fail(&r, DR_ERR_LIMIT, "base64: more bytes than expected");
		if (own.err != DR_OK)
			break;
		for (size_t i = 0; i < num; i++)
			out[done++] = (uint8_t)(group >> (16 - 8 * i));
	}
	if (own.err == DR_OK) {
		*len = done;
		return DR_OK;
	}
	if (cap > 0)
		memset(out, 0, cap);
	return dr_fail_set(fail, own.err, own.what, own.at);
}
