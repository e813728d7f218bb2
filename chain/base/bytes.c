/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/base/bytes.h"

#include <string.h>

bool dr_bytes_eq(struct dr_bytes a, struct dr_bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int dr_bytes_cmp(struct dr_bytes a, struct dr_bytes b)
{
	const size_t len = a.len < b.len ? a.len : b.len;
	const int order = len == 0 ? 0 : memcmp(a.ptr, b.ptr, len);

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool dr_bytes_zero(const void *ptr, size_t len)
{
	const uint8_t *p = ptr;
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return any == 0;
}

uint64_t dr_be64_get(const uint8_t ptr[static 8])
{
	uint64_t value = 0;

	for (size_t i = 0; i < 8; i++)
		value = value << 8 | ptr[i];
	return value;
}

void dr_be64_put(uint8_t ptr[static 8], uint64_t value)
{
	for (size_t i = 0; i < 8; i++)
		ptr[i] = (uint8_t)(value >> (56 - 8 * i));
}

bool dr_word_u64(uint64_t *out, const uint8_t word[static 32])
{
	const bool fits = dr_bytes_zero(word, 24);

	*out = fits ? dr_be64_get(word + 24) : 0;
	return fits;
}

void dr_word_put(uint8_t word[static 32], uint64_t value)
{
	memset(word, 0, 24);
	dr_be64_put(word + 24, value);
}
