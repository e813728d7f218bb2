/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/base/hex.h"

#include <string.h>

void dr_hex_put(char *out, const void *ptr, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = ptr;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * len] = '\0';
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool has_prefix(const char *text, size_t text_len)
{
	return text_len >= 2 && text[0] == '0' && text[1] == 'x';
}

enum dr_err dr_hex_data(uint8_t *out, size_t cap, size_t *len, const char *text, size_t text_len,
			struct dr_fail *fail)
{
	*len = 0;
	if (!has_prefix(text, text_len))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "hex data must begin with 0x", 0);
	if (text_len % 2 != 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "hex data must have an even number of digits", text_len);
	if ((text_len - 2) / 2 > cap)
		return dr_fail_set(fail, DR_ERR_LIMIT, "hex data is longer than this field allows", text_len);
	for (size_t i = 2; i < text_len; i += 2) {
		const int high = digit(text[i]), low = digit(text[i + 1]);

		if (high < 0 || low < 0) {
			memset(out, 0, i / 2);
			return dr_fail_set(fail, DR_ERR_SYNTAX, "not a hex digit", i);
		}
		out[i / 2 - 1] = (uint8_t)(high << 4 | low);
	}
	*len = (text_len - 2) / 2;
	return DR_OK;
}

enum dr_err dr_hex_fixed(uint8_t *out, size_t len, const char *text, size_t text_len, struct dr_fail *fail)
{
	size_t got;

	if (text_len != 2 * len + 2) {
		memset(out, 0, len);
		return dr_fail_set(fail, DR_ERR_SYNTAX, "hex data has the wrong length for this field", text_len);
	}
	const enum dr_err err = dr_hex_data(out, len, &got, text, text_len, fail);

	if (err != DR_OK)
		memset(out, 0, len);
	return err;
}

enum dr_err dr_hex_quantity(uint8_t word[static 32], const char *text, size_t text_len, struct dr_fail *fail)
{
	memset(word, 0, 32);
	if (has_prefix(text, text_len) && text_len == 2)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "a quantity needs at least one digit", 2);
	if (has_prefix(text, text_len) && text[2] == '0' && text_len > 3)
		return dr_fail_set(fail, DR_ERR_NONCANONICAL, "a quantity has no leading zero", 2);
	return dr_hex_padded(word, text, text_len, fail);
}

enum dr_err dr_hex_padded(uint8_t word[static 32], const char *text, size_t text_len, struct dr_fail *fail)
{
	memset(word, 0, 32);
	if (!has_prefix(text, text_len))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "a quantity must begin with 0x", 0);
	if (text_len > 2 + 64)
		return dr_fail_set(fail, DR_ERR_LIMIT, "a quantity has at most 64 digits", text_len);
	for (size_t i = 0; i < text_len - 2; i++) {
		const int value = digit(text[text_len - 1 - i]);

		if (value < 0) {
			memset(word, 0, 32);
			return dr_fail_set(fail, DR_ERR_SYNTAX, "not a hex digit", text_len - 1 - i);
		}
		word[31 - i / 2] = (uint8_t)(word[31 - i / 2] | value << (i % 2 * 4));
	}
	return DR_OK;
}

enum dr_err dr_hex_u64(uint64_t *out, const char *text, size_t text_len, struct dr_fail *fail)
{
	uint8_t word[32];

	*out = 0;
	if (dr_hex_quantity(word, text, text_len, fail) != DR_OK)
		return fail->err;
	if (!dr_word_u64(out, word))
		return dr_fail_set(fail, DR_ERR_LIMIT, "a quantity of this field fits 64 bits", 0);
	return DR_OK;
}
