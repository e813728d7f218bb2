/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <malloc.h>
#include <string.h>

#include "chain/base/arena.h"
#include "chain/base/limits.h"

static void test_arena(void **state)
{
	struct dr_arena *arena = dr_arena_new(1 << 20);

	(void)state;
	assert_non_null(arena);
	for (unsigned round = 0; round < 3; round++) {
		uint8_t *blocks[100];
		size_t lens[100];

		for (size_t i = 0; i < 100; i++) {
			lens[i] = (i * 797) % 9000;
			blocks[i] = dr_arena_alloc(arena, lens[i]);
			assert_non_null(blocks[i]);
			assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
			assert_true(dr_bytes_zero(blocks[i], lens[i])); /* also when memory is reused */
			memset(blocks[i], (int)i + 1, lens[i]);
		}
		for (size_t i = 0; i < 100; i++) {
			for (size_t j = 0; j < lens[i]; j++)
				assert_int_equal(blocks[i][j], (uint8_t)(i + 1)); /* none overlap */
		}
		dr_arena_reset(arena);
	}
	dr_arena_free(arena);
	dr_arena_free(NULL);
}

/* The cap counts what was handed out, and a reset gives it back. */
static void test_cap(void **state)
{
	struct dr_arena *arena = dr_arena_new(1024);

	(void)state;
	assert_null(dr_arena_alloc(arena, 1025));
	assert_null(dr_arena_alloc(arena, SIZE_MAX));
	assert_null(dr_arena_alloc(arena, SIZE_MAX - 15));
	assert_non_null(dr_arena_alloc(arena, 512));
	assert_non_null(dr_arena_alloc(arena, 512));
	assert_null(dr_arena_alloc(arena, 1));
	assert_non_null(dr_arena_alloc(arena, 0));
	dr_arena_reset(arena);
	assert_non_null(dr_arena_alloc(arena, 1024));
	dr_arena_free(arena);
}

/* Blocks larger than a chunk, before and after a reset, in another order of sizes. */
static void test_large(void **state)
{
	struct dr_arena *arena = dr_arena_new((size_t)8 << 20);

	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		for (size_t i = 0; i < 5; i++) {
			const size_t len = (size_t)100000 * (round % 2 == 0 ? i + 1 : 5 - i);
			uint8_t *block = dr_arena_alloc(arena, len);

			assert_non_null(block);
			memset(block, 0xee, len);
			assert_non_null(dr_arena_alloc(arena, 10));
		}
		dr_arena_reset(arena);
	}
	dr_arena_free(arena);
}

/* Blocks that fit no chunk kept from before, in each round a little larger, with small ones between them: what the
 * arena has from the system is bounded by its cap all the same. */
static void test_large_grows(void **state)
{
	const size_t cap = (size_t)1 << 20;
	struct dr_arena *arena = dr_arena_new(cap);
	size_t begin = 0, end = 0;

	(void)state;
	for (size_t round = 0; round < 60; round++) {
		while (dr_arena_alloc(arena, DR_ARENA_CHUNK + 16 * round + 1) != NULL &&
		       dr_arena_alloc(arena, 1) != NULL)
			;
		dr_arena_reset(arena);
		const struct mallinfo2 m = mallinfo2();

		end = m.uordblks + m.hblkhd;
		begin = round == 0 ? end : begin;
	}
	assert_true(end < begin + cap);
	dr_arena_free(arena);
}

/* A buffer of secrets leaves none behind where it can be looked at: in the room after its end. */
static void test_buf_secret(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_buf buf;

	(void)state;
	dr_buf_init(&buf, 1000);
	buf.secret = true;
	for (unsigned i = 0; i < 10; i++) {
		uint8_t *to = dr_buf_reserve(&buf, 60, &fail);

		assert_non_null(to);
		memset(to, 'a' + (int)i, 60);
		buf.len += 60;
	}
	dr_buf_drop(&buf, 540);
	assert_int_equal(buf.len, 60);
	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(buf.ptr[i], 'j');
	assert_true(dr_bytes_zero(buf.ptr + 60, 540));
	dr_buf_drop(&buf, 60);
	assert_true(dr_bytes_zero(buf.ptr, 600));
	dr_buf_free(&buf);
	assert_true(buf.secret && buf.len == 0);
}

static void test_buf(void **state)
{
	struct dr_fail fail = { 0 }, full = { 0 };
	struct dr_buf buf;
	uint8_t bytes[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31);
	dr_buf_init(&buf, 1000);
	assert_int_equal(dr_buf_view(&buf).len, 0);
	for (size_t i = 0; i < 1000; i += 50)
		assert_int_equal(dr_buf_append(&buf, bytes + i, 50, &fail), DR_OK);
	assert_int_equal(dr_buf_append(&buf, NULL, 0, &fail), DR_OK);
	assert_true(dr_bytes_eq(dr_buf_view(&buf), dr_bytes_of(bytes, 1000)));
	assert_int_equal(dr_buf_append(&buf, bytes, 1, &full), DR_ERR_LIMIT);
	assert_null(dr_buf_reserve(&buf, SIZE_MAX, &full));
	kit_assert_fail(DR_ERR_LIMIT, &full);
	assert_true(dr_bytes_eq(dr_buf_view(&buf), dr_bytes_of(bytes, 1000)));
	dr_buf_drop(&buf, 990);
	assert_true(dr_bytes_eq(dr_buf_view(&buf), dr_bytes_of(bytes + 990, 10)));
	uint8_t *to = dr_buf_reserve(&buf, 990, &fail);

	assert_non_null(to);
	memcpy(to, bytes, 990);
	buf.len += 990;
	assert_int_equal(buf.len, 1000);
	dr_buf_drop(&buf, 1000);
	assert_int_equal(buf.len, 0);
	dr_buf_free(&buf);
	assert_null(buf.ptr);
	assert_int_equal(dr_buf_append(&buf, "again", 5, &fail), DR_OK);
	dr_buf_free(&buf);
	assert_int_equal(fail.err, DR_OK);
}

static void test_heap(void **state)
{
	uint8_t *ptr = dr_heap_alloc(10);

	(void)state;
	assert_true(dr_bytes_zero(ptr, 10));
	memset(ptr, 1, 10);
	ptr = dr_heap_grow(ptr, 10, 100);
	assert_int_equal(ptr[9], 1);
	assert_true(dr_bytes_zero(ptr + 10, 90));
	ptr = dr_heap_grow(ptr, 100, 5);
	assert_int_equal(ptr[4], 1);
	dr_heap_free(ptr);
	dr_heap_free(dr_heap_alloc(0));
	dr_heap_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena),       cmocka_unit_test(test_cap), cmocka_unit_test(test_large),
		cmocka_unit_test(test_large_grows), cmocka_unit_test(test_buf), cmocka_unit_test(test_buf_secret),
		cmocka_unit_test(test_heap),
	};
	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
