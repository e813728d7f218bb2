/* SPDX-License-Identifier: Apache-2.0
 *
 * tree, by itself: what a path over its nodes is, and what is none.
 */
#include "chain/evm/tree.h"

#include <string.h>

#include "tests/unit/kit.h"

#define BASE 1000u

static struct dr_tree tree;
static struct dr_node *path[DR_FOLLOW_BLOCKS_MAX];

/* A block's hash is its name, repeated. */
static const uint8_t *named(uint8_t name)
{
	static uint8_t hashes[256][32];

	memset(hashes[name], name, 32);
	return hashes[name];
}

static void add(uint64_t number, uint8_t name, uint8_t parent)
{
	struct dr_evm_header h = { .number = number };

	memcpy(h.hash, named(name), 32);
	memcpy(h.parent_hash, named(parent), 32);
	assert_non_null(dr_tree_add(&tree, &h));
}

static bool every(void *ctx, const struct dr_node *node)
{
	(void)ctx;
	(void)node;
	return true;
}

static int empty(void **state)
{
	(void)state;
	dr_tree_prune(&tree, every, NULL);
	assert_int_equal(tree.num, 0);
	return 0;
}

static void expect(const char *what, uint64_t number, uint8_t name, enum dr_path expected, size_t num_expected,
		   uint64_t missing_expected)
{
	uint8_t missing[32];
	uint64_t missing_number;
	size_t num;
	const enum dr_path got =
		dr_tree_path(&tree, BASE, named(1), number, named(name), path, &num, missing, &missing_number);

	if (got != expected || num != num_expected || missing_number != missing_expected)
		fail_msg("%s: %d, %zu blocks, missing %llu", what, (int)got, num, (unsigned long long)missing_number);
	assert_int_equal(dr_bytes_zero(missing, 32), expected != DR_PATH_MISSING);
}

/* The base is block 1000, named 1; on it 2, 3, 4; a fork 5 from below the base. */
static void test_paths(void **state)
{
	(void)state;
	add(BASE + 1, 2, 1);
	add(BASE + 2, 3, 2);
	add(BASE + 3, 4, 3);
	add(BASE + 1, 5, 9);
	expect("to the base", BASE, 1, DR_PATH_LINKED, 0, 0);
	expect("beside the base", BASE, 2, DR_PATH_FORK, 0, 0);
	expect("below the base", BASE - 1, 1, DR_PATH_FORK, 0, 0);
	expect("three", BASE + 3, 4, DR_PATH_LINKED, 3, 0);
	for (uint8_t i = 0; i < 3; i++)
		assert_memory_equal(path[i]->hash, named((uint8_t)(2 + i)), 32);
	expect("from another base", BASE + 1, 5, DR_PATH_FORK, 0, 0);
	expect("nobody there", BASE + 4, 6, DR_PATH_MISSING, 0, BASE + 4);
	add(BASE + 4, 7, 6);
	expect("a hole", BASE + 4, 7, DR_PATH_MISSING, 0, BASE + 3);
}

/* A hash named under another number than its header's: above and below. */
static void test_numbers(void **state)
{
	(void)state;
	add(BASE + 1, 2, 1);
	add(BASE + 2, 3, 2);
	expect("named too high", BASE + 3, 3, DR_PATH_BROKEN, 0, 0);
	expect("named too low", BASE + 1, 3, DR_PATH_BROKEN, 0, 0);
	add(BASE + 4, 4, 3);
	expect("a number left out", BASE + 4, 4, DR_PATH_BROKEN, 0, 0);
	expect("a number left out, named as if not", BASE + 3, 4, DR_PATH_BROKEN, 0, 0);
}

/* There is room for so many. */
static void test_bound(void **state)
{
	(void)state;
	expect("the furthest", BASE + DR_FOLLOW_BLOCKS_MAX, 2, DR_PATH_MISSING, 0, BASE + DR_FOLLOW_BLOCKS_MAX);
	expect("one further", BASE + DR_FOLLOW_BLOCKS_MAX + 1, 2, DR_PATH_BROKEN, 0, 0);
	expect("the end of numbers", UINT64_MAX, 2, DR_PATH_BROKEN, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_paths, empty),
		cmocka_unit_test_teardown(test_numbers, empty),
		cmocka_unit_test_teardown(test_bound, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
