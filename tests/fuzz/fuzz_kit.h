/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_kit: stands in for tests/unit/kit.h, so that the unit tests' forges serve targets too: a claim that fails is
 * an assertion, and memory comes from one pool that is emptied before each input. Included before any of them.
 */
#ifndef DR_TESTS_FUZZ_KIT_H
#define DR_TESTS_FUZZ_KIT_H
#define DR_TESTS_KIT_H /* not cmocka's */

#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

#define KIT_POOL ((size_t)4 << 20)

static _Alignas(16) uint8_t kit_pool[KIT_POOL];
static size_t kit_used;

static inline uint8_t *kit_alloc(size_t len)
{
	uint8_t *at = kit_pool + kit_used;

	DR_ASSERT(len <= KIT_POOL - kit_used);
	kit_used += (len + 15) / 16 * 16;
	memset(at, 0, len);
	return at;
}

/* What prover.h asks for: the empty string's encoding. */
static inline struct dr_bytes kit_hex(const char *hex)
{
	(void)hex;
	return dr_bytes_of("\x80", 1);
}

#define assert_true(is)                DR_ASSERT(is)
#define assert_null(ptr)               DR_ASSERT((ptr) == NULL)
#define assert_non_null(ptr)           DR_ASSERT((ptr) != NULL)
#define assert_int_equal(a, b)         DR_ASSERT((a) == (b))
#define assert_int_not_equal(a, b)     DR_ASSERT((a) != (b))
#define assert_memory_equal(a, b, len) DR_ASSERT(memcmp(a, b, len) == 0)
#define assert_string_equal(a, b)      DR_ASSERT(strcmp(a, b) == 0)
#define fail_msg(...)                  dr_bug("an honest chain", __FILE__, __LINE__)

#endif
