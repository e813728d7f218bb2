/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <string.h>

#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"
#include "chain/base/hex.h"
#include "chain/evm/state_proof.h"
#include "chain/trie/mpt.h"

#define NODES_MAX 16u

static size_t nodes_of(struct dr_bytes *nodes, const json_t *list)
{
	json_t *node;
	size_t num;

	json_array_foreach(list, num, node)
	{
		assert_true(num < NODES_MAX);
		nodes[num] = kit_json_hex(node);
	}
	return num;
}

/* A storage key as nodes answer it: 32 bytes, or a quantity. */
static void slot_of(uint8_t slot[static 32], const json_t *key)
{
	if (json_string_length(key) == 66)
		memcpy(slot, kit_json_hex(key).ptr, 32);
	else
		kit_json_word(slot, key);
}

/* eth_getProof's answer against a block's stateRoot, honest and with every bit of nodes, key and root flipped. */
static void check_answer(const json_t *answer, const json_t *block)
{
	struct dr_bytes nodes[NODES_MAX];
	struct dr_evm_account account, lie;
	struct dr_fail fail = { 0 };
	uint8_t address[20], root[32], word[32];
	struct dr_evm_header h;
	json_t *storage;
	size_t num = nodes_of(nodes, json_object_get(answer, "accountProof")), idx;

	kit_header(&h, block);
	memcpy(root, h.state_root, 32);
	memcpy(address, kit_json_hex(json_object_get(answer, "address")).ptr, 20);
	dr_evm_account_verify(&account, root, address, nodes, num, &fail);
	kit_assert_fail(DR_OK, &fail);
	assert_true(account.present);
	assert_true(account.nonce == kit_json_u64(json_object_get(answer, "nonce")));
	kit_json_word(word, json_object_get(answer, "balance"));
	assert_memory_equal(account.balance, word, 32);
	assert_memory_equal(account.storage_root, kit_json_hex(json_object_get(answer, "storageHash")).ptr, 32);
	assert_memory_equal(account.code_hash, kit_json_hex(json_object_get(answer, "codeHash")).ptr, 32);

	for (size_t n = 0; n < num; n++) {
		const struct dr_bytes good = nodes[n];
		uint8_t *bad = kit_alloc(good.len);

		memcpy(bad, good.ptr, good.len);
		nodes[n].ptr = bad;
		for (size_t bit = 0; bit < 8 * good.len; bit++) {
			struct dr_fail flip = { 0 };

			bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
			dr_evm_account_verify(&lie, root, address, nodes, num, &flip);
			kit_assert_fail(DR_ERR_PROOF, &flip);
			assert_true(dr_bytes_zero(&lie, sizeof(lie)));
			bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		nodes[n] = good;
		struct dr_fail cut = { 0 };

		nodes[n].len--;
		dr_evm_account_verify(&lie, root, address, nodes, num, &cut);
		kit_assert_fail(DR_ERR_PROOF, &cut);
		nodes[n] = good;
	}
	for (size_t bit = 0; bit < 160; bit++) {
		struct dr_fail flip = { 0 };

		address[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* Another account: not proven by these nodes; or, in a small state, proven absent. */
		if (dr_evm_account_verify(&lie, root, address, nodes, num, &flip) == DR_OK)
			assert_false(lie.present);
		address[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t bit = 0; bit < 256; bit++) {
		struct dr_fail flip = { 0 };

		root[bit / 8] ^= (uint8_t)(1u << bit % 8);
		dr_evm_account_verify(&lie, root, address, nodes, num, &flip);
		kit_assert_fail(DR_ERR_PROOF, &flip);
		root[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}

	json_array_foreach(json_object_get(answer, "storageProof"), idx, storage)
	{
		struct dr_evm_slot slot;
		uint8_t key[32];

		num = nodes_of(nodes, json_object_get(storage, "proof"));
		slot_of(key, json_object_get(storage, "key"));
		kit_json_word(word, json_object_get(storage, "value"));
		dr_evm_slot_verify(&slot, account.storage_root, key, nodes, num, &fail);
		kit_assert_fail(DR_OK, &fail);
		assert_memory_equal(slot.value, word, 32);
		assert_int_equal(slot.present, !dr_bytes_zero(word, 32));
		for (size_t bit = 0; bit < 256; bit++) {
			struct dr_fail flip = { 0 };

			key[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (dr_evm_slot_verify(&slot, account.storage_root, key, nodes, num, &flip) == DR_OK)
				assert_false(slot.present);
			key[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t n = 0; n < num; n++) {
			const struct dr_bytes good = nodes[n];
			uint8_t *bad = kit_alloc(good.len);

			memcpy(bad, good.ptr, good.len);
			nodes[n].ptr = bad;
			for (size_t bit = 0; bit < 8 * good.len; bit++) {
				struct dr_fail flip = { 0 };

				bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
				dr_evm_slot_verify(&slot, account.storage_root, key, nodes, num, &flip);
				kit_assert_fail(DR_ERR_PROOF, &flip);
				assert_true(dr_bytes_zero(&slot, sizeof(slot)));
				bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
			}
			nodes[n] = good;
		}
	}
}

static void test_mainnet(void **state)
{
	json_t *block = kit_vector("04-eth-exec/mainnet-21925176/block.json");
	json_t *answer = kit_vector("04-eth-exec/mainnet-21925176/proof.json");

	(void)state;
	check_answer(answer, block);
	json_decref(answer);
	json_decref(block);
}

static void devnet(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "12-devnet/%s/el_finalized_block.json", name);
	json_t *block = kit_vector(path);

	snprintf(path, sizeof(path), "12-devnet/%s/el_proof.json", name);
	json_t *answer = kit_vector(path);

	check_answer(json_object_get(answer, "result"), json_object_get(block, "result"));
	json_decref(answer);
	json_decref(block);
}

static void test_devnet_capella(void **state)
{
	(void)state;
	devnet("lodestar-capella-minimal");
}

static void test_devnet_electra(void **state)
{
	(void)state;
	devnet("forge-electra-minimal");
}

/* A trie of one leaf: its only node, and so its root, for a key and a value in hex. */
static struct dr_bytes lone_leaf(uint8_t root[static 32], const uint8_t *key, size_t key_len, const char *value_hex)
{
	const struct dr_bytes value = kit_hex(value_hex);
	uint8_t path[33] = { 0x20 }, *out = kit_alloc(256);
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_keccak256(path + 1, key, key_len);
	dr_writer_init(&w, out, 256, &fail);
	dr_rlp_put_list(&w, dr_rlp_len(dr_bytes_of(path, 33)) + dr_rlp_len(value));
	dr_rlp_put(&w, dr_bytes_of(path, 33));
	dr_rlp_put(&w, value);
	assert_int_equal(fail.err, DR_OK);
	dr_keccak256(root, out, w.len);
	return dr_writer_view(&w);
}

#define HASH "a0eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"

static void test_account_values(void **state)
{
	static const struct {
		const char *name, *value;
		enum dr_err expected;
	} rows[] = {
		{ "good", "f8440102" HASH HASH, DR_OK },
		{ "nonce and balance zero", "f8448080" HASH HASH, DR_OK },
		{ "nonce as a zero byte", "f8440002" HASH HASH, DR_ERR_NONCANONICAL },
		{ "nonce beyond 64 bits", "f84d8901000000000000000002" HASH HASH, DR_ERR_LIMIT },
		{ "balance with a leading zero", "f84601820002" HASH HASH, DR_ERR_NONCANONICAL },
		{ "three fields", "e30102" HASH, DR_ERR_SHORT },
		{ "five fields", "f8450102" HASH HASH "01", DR_ERR_SYNTAX },
		{ "short code hash", "e40102" HASH "01", DR_ERR_SYNTAX },
		{ "not a list", "820102", DR_ERR_SYNTAX },
		{ "two items", "f8440102" HASH HASH "01", DR_ERR_SYNTAX },
	};
	static const uint8_t address[20] = { 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_evm_account account;
		struct dr_fail fail = { 0 };
		uint8_t root[32];
		const struct dr_bytes node = lone_leaf(root, address, 20, rows[i].value);

		dr_evm_account_verify(&account, root, address, &node, 1, &fail);
		if (fail.err != rows[i].expected)
			fail_msg("%s: %s", rows[i].name, dr_err_name(fail.err));
		assert_int_equal(account.present, rows[i].expected == DR_OK);
		assert_int_equal(dr_bytes_zero(&account, sizeof(account)), rows[i].expected != DR_OK);
	}
}

static void test_slot_values(void **state)
{
	static const struct {
		const char *name, *value;
		enum dr_err expected;
		uint64_t number;
	} rows[] = {
		{ "one", "01", DR_OK, 1 },
		{ "1024", "820400", DR_OK, 1024 },
		{ "32 bytes", HASH, DR_OK, 0 },
		{ "stored zero, as anvil keeps it", "80", DR_OK, 0 },
		{ "stored zero byte", "00", DR_ERR_NONCANONICAL, 0 },
		{ "leading zero", "820001", DR_ERR_NONCANONICAL, 0 },
		{ "33 bytes",
		  "a1"
		  "01"
		  "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
		  DR_ERR_LIMIT, 0 },
		{ "a list", "c101", DR_ERR_SYNTAX, 0 },
		{ "two integers", "0101", DR_ERR_SYNTAX, 0 },
		{ "cut", "8204", DR_ERR_SHORT, 0 },
	};
	static const uint8_t key[32] = { 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_evm_slot slot;
		struct dr_fail fail = { 0 };
		uint8_t root[32];
		const struct dr_bytes node = lone_leaf(root, key, 32, rows[i].value);

		dr_evm_slot_verify(&slot, root, key, &node, 1, &fail);
		if (fail.err != rows[i].expected)
			fail_msg("%s: %s", rows[i].name, dr_err_name(fail.err));
		assert_int_equal(slot.present, rows[i].expected == DR_OK && strcmp(rows[i].value, "80") != 0);
		if (rows[i].number != 0)
			assert_int_equal(dr_be64_get(slot.value + 24), rows[i].number);
		assert_int_equal(dr_bytes_zero(&slot, sizeof(slot)), !slot.present);
	}
}

/* Absent is proven, and is not the same as "no proof". */
static void test_absence(void **state)
{
	static const uint8_t mine[20] = { 7 }, other[20] = { 8 }, key[32] = { 7 }, other_key[32] = { 8 };
	struct dr_fail fail = { 0 }, no_nodes = { 0 }, no_slot_nodes = { 0 };
	struct dr_evm_account account;
	struct dr_evm_slot slot;
	uint8_t root[32], no_code[32];
	struct dr_bytes node = lone_leaf(root, mine, 20, "f8440102" HASH HASH);

	(void)state;
	dr_keccak256(no_code, "", 0);
	dr_evm_account_verify(&account, root, other, &node, 1, &fail);
	kit_assert_fail(DR_OK, &fail);
	assert_false(account.present);
	assert_memory_equal(account.storage_root, dr_mpt_empty_root, 32);
	assert_memory_equal(account.code_hash, no_code, 32);
	dr_evm_account_verify(&account, root, other, &node, 0, &no_nodes);
	kit_assert_fail(DR_ERR_PROOF, &no_nodes);
	assert_true(dr_bytes_zero(&account, sizeof(account)));

	dr_evm_slot_verify(&slot, dr_mpt_empty_root, key, NULL, 0, &fail); /* empty storage, as nodes answer */
	kit_assert_fail(DR_OK, &fail);
	assert_true(dr_bytes_zero(&slot, sizeof(slot)));
	node = lone_leaf(root, key, 32, "01");
	dr_evm_slot_verify(&slot, root, other_key, &node, 1, &fail);
	kit_assert_fail(DR_OK, &fail);
	assert_false(slot.present);
	dr_evm_slot_verify(&slot, root, key, NULL, 0, &no_slot_nodes);
	kit_assert_fail(DR_ERR_PROOF, &no_slot_nodes);
}

/* EIP-2935: "block.number-1 … block.number-8191", in slot number % 8191. */
static void test_history(void **state)
{
	static const struct {
		const char *name;
		uint64_t at, number;
		bool expected;
		uint64_t slot;
	} rows[] = {
		{ "parent", 100, 99, true, 99 },
		{ "itself", 100, 100, false, 0 },
		{ "later", 100, 101, false, 0 },
		{ "oldest", 8191, 0, true, 0 },
		{ "one too old", 8192, 0, false, 0 },
		{ "oldest of many", 22431084, 22431084 - 8191, true, (22431084 - 8191) % 8191 },
		{ "too old of many", 22431084, 22431084 - 8192, false, 0 },
		{ "wraps", 20000, 16382 + 5, true, 5 },
		{ "largest", UINT64_MAX, UINT64_MAX - 1, true, (UINT64_MAX - 1) % 8191 },
		{ "genesis of genesis", 0, 0, false, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t slot[32], expected[32];

		memset(slot, 0xee, 32);
		dr_word_put(expected, rows[i].slot);
		if (dr_evm_history_slot(slot, rows[i].at, rows[i].number) != rows[i].expected ||
		    memcmp(slot, expected, 32) != 0)
			fail_msg("%s", rows[i].name);
	}
	assert_memory_equal(dr_evm_history_address, kit_hex("0000f90827f1c53a10cb7a02335b175320002935").ptr, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mainnet),        cmocka_unit_test(test_devnet_capella),
		cmocka_unit_test(test_devnet_electra), cmocka_unit_test(test_account_values),
		cmocka_unit_test(test_slot_values),    cmocka_unit_test(test_absence),
		cmocka_unit_test(test_history),
	};
	return cmocka_run_group_tests_name("state_proof", tests, NULL, NULL);
}
