/* SPDX-License-Identifier: Apache-2.0
 *
 * bytes: a borrowed run of bytes, and the few operations on fixed-size values that everybody needs.
 *
 * Layer: chain/base.
 */
#ifndef DR_BASE_BYTES_H
#define DR_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed view: ptr may be NULL only if len is 0. Whoever hands one out says how long it lives. */
struct dr_bytes {
	const uint8_t *ptr;
	size_t len;
};

static inline struct dr_bytes dr_bytes_of(const void *ptr, size_t len)
{
	return (struct dr_bytes){ .ptr = ptr, .len = len };
}

/* dr_bytes_eq: same length and content. Not constant in time: never for secrets. */
bool dr_bytes_eq(struct dr_bytes a, struct dr_bytes b);

/* dr_bytes_cmp: lexicographic order, a proper prefix sorts first. <0, 0, >0. */
int dr_bytes_cmp(struct dr_bytes a, struct dr_bytes b);

/* dr_bytes_zero: all len bytes are zero. */
bool dr_bytes_zero(const void *ptr, size_t len);

/* Big-endian integers at ptr. */
uint64_t dr_be64_get(const uint8_t ptr[static 8]);
void dr_be64_put(uint8_t ptr[static 8], uint64_t value);

/* dr_word_u64: a 32-byte big-endian word as u64. False, and *out zero, if it does not fit. */
bool dr_word_u64(uint64_t *out, const uint8_t word[static 32]);
void dr_word_put(uint8_t word[static 32], uint64_t value);

#endif
