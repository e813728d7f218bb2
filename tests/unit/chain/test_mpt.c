/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/chain/prover.h"

#include <stdlib.h>
#include <string.h>

static void build_root(uint8_t root[static 32], struct dr_mpt_pair *pairs, size_t num)
{
	struct dr_arena *arena = dr_arena_new(1 << 20);
	struct dr_fail fail = { 0 };

	dr_mpt_root(root, pairs, num, arena, &fail);
	kit_assert_fail(DR_OK, &fail);
	dr_arena_free(arena);
}

static struct dr_bytes text_or_hex(const json_t *value)
{
	const char *text = json_string_value(value);

	return strncmp(text, "0x", 2) == 0 ? kit_hex(text + 2) : copy_of(text, strlen(text));
}

/* Sets, replaces or (null) deletes a key of a set of pairs. */
static size_t put_pair(struct dr_mpt_pair *pairs, size_t num, struct dr_bytes key, const json_t *value)
{
	size_t i = 0;

	while (i < num && !dr_bytes_eq(pairs[i].key, key))
		i++;
	if (json_is_null(value)) {
		if (i < num)
			pairs[i] = pairs[--num];
		return num;
	}
	assert_true(i < PAIRS_MAX);
	pairs[i] = (struct dr_mpt_pair){ key, text_or_hex(value) };
	return i < num ? num : num + 1;
}

static struct dr_bytes maybe_hashed(struct dr_bytes key, bool secure)
{
	uint8_t hash[32];

	if (!secure)
		return key;
	dr_keccak256(hash, key.ptr, key.len);
	return copy_of(hash, 32);
}

/* ethereum/tests TrieTests. A secure trie hashes its keys. For every key, the naive prover's proof verifies. */
static void trie_file(const char *path, bool secure)
{
	json_t *cases = kit_vector(path), *one;
	const char *name;

	json_object_foreach(cases, name, one)
	{
		struct dr_mpt_pair pairs[PAIRS_MAX];
		json_t *in = json_object_get(one, "in"), *value;
		const struct dr_bytes expected = kit_json_hex(json_object_get(one, "root"));
		const char *key;
		uint8_t root[32];
		size_t num = 0, idx;

		if (json_is_object(in)) {
			json_object_foreach(in, key, value)
			{
				json_t *key_json = json_string(key);

				num = put_pair(pairs, num, maybe_hashed(text_or_hex(key_json), secure), value);
				json_decref(key_json);
			}
		} else {
			json_array_foreach(in, idx, value) num =
				put_pair(pairs, num, maybe_hashed(text_or_hex(json_array_get(value, 0)), secure),
					 json_array_get(value, 1));
		}
		build_root(root, pairs, num);
		if (memcmp(root, expected.ptr, 32) != 0)
			fail_msg("%s: %s", path, name);
		for (size_t i = 0; i < num; i++) {
			struct dr_fail fail = { 0 };
			struct dr_bytes got;
			struct prover p;
			bool present;

			prove(&p, root, pairs[i].key, pairs, num);
			assert_memory_equal(root, expected.ptr, 32);
			dr_mpt_verify(&present, &got, root, pairs[i].key, p.nodes, p.num, &fail);
			kit_assert_fail(DR_OK, &fail);
			assert_true(present);
			assert_true(dr_bytes_eq(got, pairs[i].value));
		}
	}
	json_decref(cases);
}

#define TRIE_TEST(name, file, secure)                                                                                \
	static void name(void **state)                                                                               \
	{                                                                                                            \
		(void)state;                                                                                         \
		trie_file("04-eth-exec/ethereum-tests/TrieTests/" file, secure);                                     \
	}
TRIE_TEST(test_trietest, "trietest.json", false)
TRIE_TEST(test_trietest_secure, "trietest_secureTrie.json", true)
TRIE_TEST(test_anyorder, "trieanyorder.json", false)
TRIE_TEST(test_anyorder_secure, "trieanyorder_secureTrie.json", true)
TRIE_TEST(test_hex_secure, "hex_encoded_securetrie_test.json", true)

/* Random sets: short keys of one length, so that extensions, inline nodes and branches of all kinds occur.
 * Keys in and out of the set; each byte of each node flipped, each node dropped, doubled, swapped. */
static void test_random(void **state)
{
	(void)state;
	srand(7);
	for (unsigned round = 0; round < 150; round++) {
		struct dr_mpt_pair pairs[32];
		const size_t key_len = 1 + round % 4, num = 1 + (size_t)rand() % 24;
		const int alphabet = round % 3 == 0 ? 256 : 3;
		size_t have = 0;
		uint8_t built[32], root[32];

		for (size_t i = 0; i < num; i++) {
			uint8_t key[4], value[40];
			const size_t value_len = 1 + (size_t)rand() % (round % 2 ? 2 : sizeof(value));
			bool known = false;

			for (size_t j = 0; j < key_len; j++)
				key[j] = (uint8_t)(rand() % alphabet * 0x11);
			for (size_t j = 0; j < value_len; j++)
				value[j] = (uint8_t)rand();
			for (size_t j = 0; j < have; j++)
				known = known || memcmp(pairs[j].key.ptr, key, key_len) == 0;
			if (!known)
				pairs[have++] =
					(struct dr_mpt_pair){ copy_of(key, key_len), copy_of(value, value_len) };
		}
		build_root(built, pairs, have);
		for (unsigned query = 0; query < 12; query++) {
			const struct dr_mpt_pair *in = query < 6 ? &pairs[(size_t)rand() % have] : NULL;
			struct dr_bytes key, value, got;
			struct dr_fail fail = { 0 };
			struct prover p;
			bool present;
			uint8_t other[4];

			for (size_t j = 0; j < key_len; j++)
				other[j] = (uint8_t)(rand() % alphabet * 0x11 + rand() % 2);
			key = in != NULL ? in->key : copy_of(other, key_len);
			for (size_t j = 0; j < have; j++)
				in = dr_bytes_eq(pairs[j].key, key) ? &pairs[j] : in;
			value = in != NULL ? in->value : dr_bytes_of(NULL, 0);
			prove(&p, root, key, pairs, have);
			assert_memory_equal(root, built, 32);
			dr_mpt_verify(&present, &got, root, key, p.nodes, p.num, &fail);
			kit_assert_fail(DR_OK, &fail);
			assert_int_equal(present, in != NULL);
			assert_true(dr_bytes_eq(got, value));
			for (size_t n = 0; n < p.num; n++) {
				const struct dr_bytes good = p.nodes[n];
				uint8_t *bad = kit_alloc(good.len);

				p.nodes[n].ptr = bad;
				for (size_t bit = 0; bit < 8 * good.len; bit++) {
					struct dr_fail bad_fail = { 0 };

					memcpy(bad, good.ptr, good.len);
					bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
					dr_mpt_verify(&present, &got, root, key, p.nodes, p.num, &bad_fail);
					kit_assert_fail(DR_ERR_PROOF, &bad_fail);
					assert_false(present);
					assert_null(got.ptr);
				}
				p.nodes[n] = good;
			}
			for (size_t cut = 0; cut < p.num; cut++) {
				struct dr_fail bad_fail = { 0 };

				dr_mpt_verify(&present, &got, root, key, p.nodes, cut, &bad_fail);
				kit_assert_fail(DR_ERR_PROOF, &bad_fail);
			}
			for (size_t bit = 0; bit < 256; bit++) {
				struct dr_fail bad_fail = { 0 };

				root[bit / 8] ^= (uint8_t)(1u << bit % 8);
				dr_mpt_verify(&present, &got, root, key, p.nodes, p.num, &bad_fail);
				kit_assert_fail(DR_ERR_PROOF, &bad_fail);
				root[bit / 8] ^= (uint8_t)(1u << bit % 8);
			}
			struct dr_fail more = { 0 };

			p.nodes[p.num] = p.nodes[p.num - 1];
			dr_mpt_verify(&present, &got, root, key, p.nodes, p.num + 1, &more);
			kit_assert_fail(DR_ERR_PROOF, &more);
		}
	}
}

/* One node that hashes to the root, item by item (RLP; what is not said in a branch is 80): what the verifier
 * makes of each form, asked for the key 1234. */
#define HASH "a0eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
static const struct form {
	const char *name;
	size_t num;
	const char *items[17];
	enum dr_err expected;
	bool present;
} forms[] = {
	{ "leaf", 2, { "83201234", "07" }, DR_OK, true },
	{ "leaf of another key", 2, { "83201235", "07" }, DR_OK, false },
	{ "leaf of a longer key", 2, { "8420123456", "07" }, DR_OK, false },
	{ "leaf of a shorter key", 2, { "822012", "07" }, DR_OK, false },
	{ "leaf with nothing", 2, { "83201234", "80" }, DR_ERR_SYNTAX, false },
	{ "leaf with a list", 2, { "83201234", "c0" }, DR_ERR_SYNTAX, false },
	{ "flag 4", 2, { "83401234", "07" }, DR_ERR_SYNTAX, false },
	{ "padding not zero", 2, { "83211234", "07" }, DR_ERR_NONCANONICAL, false },
	{ "no path", 2, { "80", "07" }, DR_ERR_SYNTAX, false },
	{ "path a list", 2, { "c0", "07" }, DR_ERR_SYNTAX, false },
	{ "path of 34 bytes",
	  2,
	  { "a200000000000000000000000000000000000000000000000000000000000000000000", "07" },
	  DR_ERR_LIMIT,
	  false },
	{ "extension elsewhere", 2, { "820056", HASH }, DR_OK, false },
	{ "extension beyond the key", 2, { "8400123456", HASH }, DR_OK, false },
	{ "extension on the path, child missing", 2, { "820012", HASH }, DR_ERR_PROOF, false },
	{ "extension without a path", 2, { "00", HASH }, DR_ERR_NONCANONICAL, false },
	{ "extension to nothing", 2, { "820012", "80" }, DR_ERR_SYNTAX, false },
	{ "extension to a value", 2, { "820012", "07" }, DR_ERR_SYNTAX, false },
	{ "extension to an inline leaf", 2, { "820012", "c482203407" }, DR_ERR_NONCANONICAL, false },
	{ "extension to an inline branch",
	  2,
	  { "820012", "d5808080c2340780c234078080808080808080808080" },
	  DR_OK,
	  true },
	{ "the same, other nibble", 2, { "820012", "d580808080c23407c234078080808080808080808080" }, DR_OK, false },
	{ "inline branch, odd leaf with a flag of 2",
	  2,
	  { "820012", "d5808080c2240780c234078080808080808080808080" },
	  DR_ERR_NONCANONICAL,
	  false },
	{ "extension to an inline extension",
	  2,
	  { "820012", "d713d580808080c2200780c2200780808080808080808080" },
	  DR_ERR_NONCANONICAL,
	  false },
	{ "inline branch with one child",
	  2,
	  { "820012", "d3808080c2340780808080808080808080808080" },
	  DR_ERR_NONCANONICAL,
	  false },
	{ "extension to a node that is no node", 2, { "820012", "c3010203" }, DR_ERR_SYNTAX, false },
	{ "branch with one child", 17, { HASH }, DR_ERR_NONCANONICAL, false },
	{ "branch with nothing", 17, { NULL }, DR_ERR_NONCANONICAL, false },
	{ "branch with two, none ours", 17, { HASH, NULL, HASH }, DR_OK, false },
	{ "branch with ours missing", 17, { HASH, HASH }, DR_ERR_PROOF, false },
	{ "branch with ours inline", 17, { HASH, "c482323507" }, DR_OK, false },
	{ "branch with ours inline, odd path", 17, { HASH, "c482323407" }, DR_OK, true },
	{ "branch with a child and a value", 17, { HASH, [16] = "07" }, DR_OK, false },
	{ "branch with a value that is a list", 17, { HASH, HASH, [16] = "c0" }, DR_ERR_SYNTAX, false },
	{ "branch with a short hash", 17, { HASH, NULL, "83010203" }, DR_ERR_SYNTAX, false },
	{ "branch with a long child inline", 17, { HASH, NULL, "e1" HASH }, DR_ERR_SYNTAX, false },
	{ "three items", 3, { "01", "02", "03" }, DR_ERR_SYNTAX, false },
	{ "no items", 0, { NULL }, DR_ERR_SYNTAX, false },
	{ "sixteen items", 16, { HASH, HASH }, DR_ERR_SYNTAX, false },
	{ "not canonical inside", 2, { "83201234", "8107" }, DR_ERR_NONCANONICAL, false },
	{ "too deep", 2, { "820056", "d1d0cfcecdcccbcac9c8c7c6c5c4c3c2c1c0" }, DR_ERR_LIMIT, false },
};

static void test_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct dr_bytes items[17], node, value;
		struct dr_fail fail = { 0 };
		uint8_t root[32];
		bool present;

		for (size_t n = 0; n < forms[i].num; n++)
			items[n] = kit_hex(forms[i].items[n] != NULL ? forms[i].items[n] : "80");
		node = rlp_list(items, forms[i].num);
		dr_keccak256(root, node.ptr, node.len);
		dr_mpt_verify(&present, &value, root, kit_hex("1234"), &node, 1, &fail);
		if (fail.err != forms[i].expected || present != forms[i].present)
			fail_msg("%s: %s: %s", forms[i].name, dr_err_name(fail.err), fail.what);
		assert_int_equal(value.len, forms[i].present ? 1 : 0);
	}
}

/* A node of less than 32 bytes that its parent names by hash: no builder does that. One of 32 it does. */
static void test_short_by_hash(void **state)
{
	static const uint8_t zeros[27];

	(void)state;
	for (size_t len = 2; len <= sizeof(zeros); len++) {
		struct dr_bytes items[17], nodes[2], value;
		uint8_t hash[32], root[32];
		struct dr_fail fail = { 0 };
		bool present;

		items[0] = kit_hex("823234");
		items[1] = rlp_string(copy_of(zeros, len));
		nodes[1] = rlp_list(items, 2);
		assert_int_equal(nodes[1].len, len + 5);
		dr_keccak256(hash, nodes[1].ptr, nodes[1].len);
		for (size_t i = 0; i < 17; i++)
			items[i] = kit_hex(i == 0 ? HASH : "80");
		items[1] = rlp_string(copy_of(hash, 32));
		nodes[0] = rlp_list(items, 17);
		dr_keccak256(root, nodes[0].ptr, nodes[0].len);
		dr_mpt_verify(&present, &value, root, kit_hex("1234"), nodes, 2, &fail);
		kit_assert_fail(nodes[1].len < 32 ? DR_ERR_NONCANONICAL : DR_OK, &fail);
		assert_int_equal(present, nodes[1].len == 32);
	}
}

/* Some servers list a short node once more behind the parent that holds it. */
static void test_inline_again(void **state)
{
	const struct dr_bytes leaf = kit_hex("c482323407");
	struct dr_bytes items[17], nodes[3], value;
	uint8_t root[32], bad[5];
	struct dr_fail fail = { 0 }, twice = { 0 };
	bool present;

	(void)state;
	for (size_t i = 0; i < 17; i++)
		items[i] = kit_hex(i == 0 ? HASH : "80");
	items[1] = leaf;
	nodes[0] = rlp_list(items, 17);
	nodes[1] = nodes[2] = leaf;
	dr_keccak256(root, nodes[0].ptr, nodes[0].len);
	dr_mpt_verify(&present, &value, root, kit_hex("1234"), nodes, 2, &fail);
	kit_assert_fail(DR_OK, &fail);
	assert_true(present && value.len == 1 && value.ptr[0] == 7);
	dr_mpt_verify(&present, &value, root, kit_hex("1235"), nodes, 2, &fail);
	kit_assert_fail(DR_OK, &fail);
	assert_false(present);
	dr_mpt_verify(&present, &value, root, kit_hex("1234"), nodes, 3, &twice);
	kit_assert_fail(DR_ERR_PROOF, &twice);
	for (size_t bit = 0; bit < 8 * leaf.len; bit++) {
		struct dr_fail other = { 0 };

		memcpy(bad, leaf.ptr, leaf.len);
		bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
		nodes[1] = dr_bytes_of(bad, leaf.len);
		dr_mpt_verify(&present, &value, root, kit_hex("1234"), nodes, 2, &other);
		kit_assert_fail(DR_ERR_PROOF, &other);
	}
}

static void test_empty(void **state)
{
	static const struct dr_bytes nothing = { (const uint8_t *)"\x80", 1 };
	const struct dr_bytes two[2] = { nothing, nothing };
	static const uint8_t other[32] = { 1 };
	static const struct {
		const char *name;
		const uint8_t *root;
		size_t num;
		enum dr_err expected;
	} rows[] = {
		{ "empty trie, no nodes", dr_mpt_empty_root, 0, DR_OK },
		{ "empty trie, the node 80", dr_mpt_empty_root, 1, DR_OK },
		{ "empty trie, two nodes", dr_mpt_empty_root, 2, DR_ERR_SYNTAX },
		{ "another trie, no nodes", other, 0, DR_ERR_PROOF },
		{ "another trie, the node 80", other, 1, DR_ERR_PROOF },
	};
	uint8_t root[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		struct dr_bytes value;
		bool present = true;

		dr_mpt_verify(&present, &value, rows[i].root, kit_hex("1234"), two, rows[i].num, &fail);
		if (fail.err != rows[i].expected)
			fail_msg("%s: %s", rows[i].name, dr_err_name(fail.err));
		assert_false(present);
	}
	/* Any other node is held against this root as against every one. */
	const struct dr_bytes wrong = { (const uint8_t *)"\xc0", 1 };
	struct dr_fail fail = { 0 };
	struct dr_bytes value;
	bool present = true;

	dr_mpt_verify(&present, &value, dr_mpt_empty_root, kit_hex("1234"), &wrong, 1, &fail);
	kit_assert_fail(DR_ERR_PROOF, &fail);
	assert_false(present);
	build_root(root, NULL, 0);
	assert_memory_equal(root, dr_mpt_empty_root, 32);
}

static void test_limits(void **state)
{
	struct dr_bytes nodes[DR_MPT_DEPTH_MAX + 1] = { { NULL, 0 } }, value;
	static const uint8_t key[33] = { 0 };
	struct dr_fail many = { 0 }, no_key = { 0 }, long_key = { 0 };
	bool present;

	(void)state;
	dr_mpt_verify(&present, &value, key, dr_bytes_of(key, 32), nodes, DR_MPT_DEPTH_MAX + 1, &many);
	kit_assert_fail(DR_ERR_LIMIT, &many);
	dr_mpt_verify(&present, &value, key, dr_bytes_of(key, 33), nodes, 1, &long_key);
	kit_assert_fail(DR_ERR_LIMIT, &long_key);
	dr_mpt_verify(&present, &value, key, dr_bytes_of(key, 0), nodes, 1, &no_key);
	kit_assert_fail(DR_ERR_LIMIT, &no_key);
}

static void test_build_errors(void **state)
{
	static const struct {
		const char *name, *key0, *value0, *key1, *value1;
		size_t arena_cap;
		enum dr_err expected;
	} rows[] = {
		{ "good", "12", "01", "13", "01", 1 << 20, DR_OK },
		{ "prefix", "12", "01", "1234", "01", 1 << 20, DR_OK },
		{ "same key twice", "12", "01", "12", "02", 4096, DR_ERR_SYNTAX },
		{ "empty value", "12", "01", "13", "", 4096, DR_ERR_SYNTAX },
		{ "empty key", "", "01", "13", "01", 4096, DR_ERR_LIMIT },
		{ "long key", "12", "01", "000000000000000000000000000000000000000000000000000000000000000000", "01",
		  4096, DR_ERR_LIMIT },
		{ "no room", "12", "01", "13", "01", 16, DR_ERR_NOMEM },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_mpt_pair pairs[2] = { { kit_hex(rows[i].key0), kit_hex(rows[i].value0) },
						{ kit_hex(rows[i].key1), kit_hex(rows[i].value1) } };
		struct dr_arena *arena = dr_arena_new(rows[i].arena_cap);
		struct dr_fail fail = { 0 };
		uint8_t root[32];

		memset(root, 0xee, 32);
		dr_mpt_root(root, pairs, 2, arena, &fail);
		if (fail.err != rows[i].expected)
			fail_msg("%s: %s", rows[i].name, dr_err_name(fail.err));
		assert_int_equal(dr_bytes_zero(root, 32), rows[i].expected != DR_OK);
		dr_arena_free(arena);
	}
}

/* However little room there is, that is what is said, and where it suffices the root is right. */
static void test_build_room(void **state)
{
	const char *const keys[] = { "34", "12", "1234", "1277", "34aa", "3456" };
	uint8_t root[32], right[32] = { 0 };
	bool suffices = false;
	size_t refused = 0;

	(void)state;
	for (size_t cap = 131072; cap + 256 > 256; cap -= 256) {
		struct dr_mpt_pair pairs[6];
		struct dr_arena *arena = dr_arena_new(cap);
		struct dr_fail fail = { 0 };

		for (size_t i = 0; i < 6; i++)
			pairs[i] = (struct dr_mpt_pair){ kit_hex(keys[i]), kit_hex("01") };
		dr_mpt_root(root, pairs, 6, arena, &fail);
		if (cap == 131072)
			memcpy(right, root, 32);
		suffices = fail.err == DR_OK && refused == 0;
		refused += !suffices;
		assert_int_equal(fail.err, suffices ? DR_OK : DR_ERR_NOMEM);
		assert_true(suffices ? memcmp(root, right, 32) == 0 : dr_bytes_zero(root, 32));
		dr_arena_free(arena);
	}
	assert_false(dr_bytes_zero(right, 32));
	assert_true(refused > 0);
}

/* The order of the pairs does not matter, and every flipped bit of a key or a value does. */
static void test_order_and_flips(void **state)
{
	struct dr_mpt_pair pairs[40], again[40];
	uint8_t root[32], other[32];

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		uint8_t hash[32];

		dr_keccak256(hash, &i, sizeof(i));
		pairs[i] = (struct dr_mpt_pair){ copy_of(hash, 32), copy_of(hash, 1 + i % 32) };
		again[39 - i] = pairs[i];
	}
	build_root(root, pairs, 40);
	build_root(other, again, 40);
	assert_memory_equal(root, other, 32);
	for (size_t i = 0; i < 40; i += 7) {
		for (size_t bit = 0; bit < 256; bit += 3) {
			uint8_t key[32];

			memcpy(again, pairs, sizeof(pairs));
			memcpy(key, again[i].key.ptr, 32);
			key[bit / 8] ^= (uint8_t)(1u << bit % 8);
			again[i].key.ptr = key;
			build_root(other, again, 40);
			assert_memory_not_equal(root, other, 32);
		}
		for (size_t bit = 0; bit < 8 * pairs[i].value.len; bit++) {
			uint8_t value[32];

			memcpy(again, pairs, sizeof(pairs));
			memcpy(value, again[i].value.ptr, again[i].value.len);
			value[bit / 8] ^= (uint8_t)(1u << bit % 8);
			again[i].value.ptr = value;
			build_root(other, again, 40);
			assert_memory_not_equal(root, other, 32);
		}
	}
}

/* The deepest trie there is: keys that part at every one of 64 nibbles. */
static void test_deepest(void **state)
{
	struct dr_mpt_pair pairs[65];
	struct dr_fail fail = { 0 };
	uint8_t keys[65][32] = { { 0 } }, built[32], root[32], long_value[40] = { 1 };
	struct dr_bytes value;
	struct prover p;
	bool present;

	(void)state;
	for (size_t i = 0; i < 65; i++) {
		if (i < 64)
			keys[i][i / 2] = i % 2 == 0 ? 0x10 : 0x01;
		pairs[i] = (struct dr_mpt_pair){ dr_bytes_of(keys[i], 32), dr_bytes_of(long_value, 40) };
	}
	prove(&p, root, dr_bytes_of(keys[64], 32), pairs, 65);
	assert_int_equal(p.num, DR_MPT_DEPTH_MAX);
	build_root(built, pairs, 65);
	assert_memory_equal(root, built, 32);
	dr_mpt_verify(&present, &value, root, p.key, p.nodes, p.num, &fail);
	kit_assert_fail(DR_OK, &fail);
	assert_true(present);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trietest),     cmocka_unit_test(test_trietest_secure),
		cmocka_unit_test(test_anyorder),     cmocka_unit_test(test_anyorder_secure),
		cmocka_unit_test(test_hex_secure),   cmocka_unit_test(test_random),
		cmocka_unit_test(test_forms),        cmocka_unit_test(test_short_by_hash),
		cmocka_unit_test(test_inline_again), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_limits),       cmocka_unit_test(test_build_errors),
		cmocka_unit_test(test_build_room),   cmocka_unit_test(test_order_and_flips),
		cmocka_unit_test(test_deepest),
	};
	return cmocka_run_group_tests_name("mpt", tests, NULL, NULL);
}
