/* SPDX-License-Identifier: Apache-2.0
 *
 * The model is a plain array with one cell per possible key.
 */
#include "tests/unit/kit.h"

#include <stdlib.h>
#include <string.h>

#include "chain/crypto/sha256.h"
#include "governance/map.h"

#define KEYS 300

static struct dr_bytes key_at(unsigned idx)
{
	static uint8_t key[2];

	key[0] = (uint8_t)(idx >> 8);
	key[1] = (uint8_t)idx;
	return dr_bytes_of(key, 2);
}

static void put(struct dr_map *map, unsigned idx, uint32_t value)
{
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_map_put(map, key_at(idx), dr_bytes_of(&value, sizeof(value)), &fail), DR_OK);
}

static void del(struct dr_map *map, unsigned idx)
{
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_map_del(map, key_at(idx), &fail), DR_OK);
}

/* A walk held against the model: what was met last, and how many are still let by. */
struct walk {
	const uint32_t *model;
	unsigned next;
	size_t left, num;
};

static bool step(void *ctx, struct dr_bytes key, struct dr_bytes value)
{
	struct walk *w = ctx;

	while (w->model[w->next] == 0)
		assert_true(++w->next < KEYS);
	assert_true(dr_bytes_eq(key, key_at(w->next)));
	assert_int_equal(value.len, 4);
	assert_memory_equal(value.ptr, &w->model[w->next], 4);
	w->next++;
	w->num++;
	return --w->left > 0;
}

static void check_walks(struct dr_map map, const uint32_t *model)
{
	for (unsigned from = 0; from <= KEYS; from++) {
		struct walk all = { model, from, KEYS + 1, 0 }, some = { model, from, 3, 0 };
		size_t num = 0;

		for (unsigned i = from; i < KEYS; i++)
			num += model[i] != 0;
		dr_map_each(map, key_at(from), step, &all);
		assert_int_equal(all.num, num);
		dr_map_each(map, key_at(from), step, &some);
		assert_int_equal(some.num, num < 3 ? num : 3);
	}
}

static void check(struct dr_map map, const uint32_t *model)
{
	struct dr_bytes value, key;
	size_t num = 0;

	for (unsigned i = 0; i < KEYS; i++) {
		unsigned up = i, down = i;

		assert_int_equal(dr_map_get(&value, map, key_at(i)), model[i] != 0);
		if (model[i] != 0) {
			num++;
			assert_int_equal(value.len, 4);
			assert_memory_equal(value.ptr, &model[i], 4);
		}
		while (up < KEYS && model[up] == 0)
			up++;
		assert_int_equal(dr_map_ceil(&key, &value, map, key_at(i)), up < KEYS);
		if (up < KEYS)
			assert_true(dr_bytes_eq(key, key_at(up)));
		while (down < KEYS && model[down] == 0)
			down--; /* wraps to above KEYS */
		assert_int_equal(dr_map_floor(&key, &value, map, key_at(i)), down < KEYS);
		if (down < KEYS)
			assert_true(dr_bytes_eq(key, key_at(down)));
	}
	assert_int_equal(dr_map_num(map), num);
	check_walks(map, model);
}

static void test_model(void **state)
{
	uint32_t model[KEYS] = { 0 }, old_model[KEYS];
	struct dr_map map = { 0 }, old = { 0 };
	uint8_t digest[32], old_digest[32];

	(void)state;
	srand(7);
	for (int round = 0; round < 60; round++) {
		dr_map_drop(&old);
		old = dr_map_share(map);
		memcpy(old_model, model, sizeof(model));
		dr_map_digest(old_digest, old);
		for (int step = 0; step < 40; step++) {
			const unsigned idx = (unsigned)rand() % KEYS;

			model[idx] = rand() % 3 == 0 ? 0 : (uint32_t)rand() | 1;
			if (model[idx] == 0)
				del(&map, idx);
			else
				put(&map, idx, model[idx]);
		}
		check(map, model);
		check(old, old_model);
		dr_map_digest(digest, old);
		assert_memory_equal(digest, old_digest, 32);
	}
	dr_map_drop(&old);
	dr_map_drop(&map);
	assert_null(map.root);
}

/* The same content, reached over random ways, has one digest; any difference has another. */
static void test_digest_is_of_content(void **state)
{
	uint8_t first[32] = { 0 }, digest[32];

	(void)state;
	srand(11);
	for (int round = 0; round < 20; round++) {
		struct dr_map map = { 0 };
		unsigned order[64];

		for (unsigned i = 0; i < 64; i++)
			order[i] = i;
		for (unsigned i = 63; i > 0; i--) {
			const unsigned j = (unsigned)rand() % (i + 1), t = order[i];

			order[i] = order[j];
			order[j] = t;
		}
		for (unsigned i = 0; i < 64; i++) {
			put(&map, order[i] + 100, 5);
			put(&map, order[i], 1);
			put(&map, order[i], order[i] + 1);
			if (rand() % 2)
				dr_map_digest(digest, map);
		}
		for (unsigned i = 0; i < 64; i++)
			del(&map, order[63 - i] + 100);
		dr_map_digest(digest, map);
		if (round == 0)
			memcpy(first, digest, 32);
		assert_memory_equal(digest, first, 32);

		struct dr_map other = dr_map_share(map);

		assert_true(dr_map_same(map, other));
		put(&other, 3, 99);
		assert_false(dr_map_same(map, other));
		put(&other, 3, 4);
		assert_true(dr_map_same(map, other));
		del(&other, 3);
		assert_false(dr_map_same(map, other));
		dr_map_drop(&other);
		dr_map_drop(&map);
	}
}

/* The digest as the header words it, for one and two entries. */
static void test_digest_form(void **state)
{
	struct dr_map map = { 0 };
	struct dr_fail fail = { 0 };
	uint8_t expected[32], digest[32], node[1 + 64 + 2 + 1 + 2 + 2] = { 1 };

	(void)state;
	dr_map_digest(digest, map);
	assert_true(dr_bytes_zero(digest, 32));
	assert_int_equal(dr_map_put(&map, dr_bytes_of("k", 1), dr_bytes_of("vw", 2), &fail), DR_OK);
	memcpy(node + 65, "\0\1k\0\2vw", 7);
	dr_sha256_one(expected, node, sizeof(node));
	dr_map_digest(digest, map);
	assert_memory_equal(digest, expected, 32);

	uint8_t prio_k[32], prio_l[32];

	dr_sha256_one(prio_k, "k", 1);
	dr_sha256_one(prio_l, "l", 1);
	assert_int_equal(dr_map_put(&map, dr_bytes_of("l", 1), dr_bytes_of("xy", 2), &fail), DR_OK);
	uint8_t child[32], top[sizeof(node)] = { 1 }, leaf[sizeof(node)] = { 1 };
	const bool k_up = memcmp(prio_k, prio_l, 32) > 0;

	memcpy(leaf + 65, k_up ? "\0\1l\0\2xy" : "\0\1k\0\2vw", 7);
	dr_sha256_one(child, leaf, sizeof(leaf));
	memcpy(top + (k_up ? 33 : 1), child, 32);
	memcpy(top + 65, k_up ? "\0\1k\0\2vw" : "\0\1l\0\2xy", 7);
	dr_sha256_one(expected, top, sizeof(top));
	dr_map_digest(digest, map);
	assert_memory_equal(digest, expected, 32);
	dr_map_drop(&map);
}

static void test_limits(void **state)
{
	static const uint8_t zeros[DR_MAP_VALUE_MAX + 1];
	static const struct {
		const char *name;
		size_t key_len, value_len;
		enum dr_err expected;
	} rows[] = {
		{ "empty key", 0, 1, DR_ERR_LIMIT },
		{ "longest key", DR_MAP_KEY_MAX, 0, DR_OK },
		{ "key too long", DR_MAP_KEY_MAX + 1, 0, DR_ERR_LIMIT },
		{ "longest value", 1, DR_MAP_VALUE_MAX, DR_OK },
		{ "value too long", 1, DR_MAP_VALUE_MAX + 1, DR_ERR_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_map map = { 0 };
		struct dr_fail fail = { 0 };

		print_message("%s\n", rows[i].name);
		assert_int_equal(dr_map_put(&map, dr_bytes_of(zeros, rows[i].key_len),
					    dr_bytes_of(zeros, rows[i].value_len), &fail),
				 rows[i].expected);
		kit_assert_fail(rows[i].expected, &fail);
		assert_int_equal(dr_map_num(map), rows[i].expected == DR_OK);
		dr_map_drop(&map);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_digest_is_of_content),
		cmocka_unit_test(test_digest_form),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
