/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/crypto/keccak.h"

/* The empty string and "abc": Keccak team's original submission; "": also EIP-1052's hash of no code. */
static void test_known(void **state)
{
	static const struct {
		const char *name, *input, *expected;
	} rows[] = {
		{ "empty", "", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" },
		{ "abc", "616263", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45" },
		{ "rlp of nothing", "80", "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421" },
		{ "rlp of an empty list", "c0", "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dr_bytes input = kit_hex(rows[i].input);
		uint8_t out[32];

		dr_keccak256(out, input.ptr, input.len);
		if (memcmp(out, kit_hex(rows[i].expected).ptr, 32) != 0)
			fail_msg("%s", rows[i].name);
	}
}

/* npm @ethersproject/testcases: lengths from 0 to far beyond one block of 136 bytes. */
static void test_vectors(void **state)
{
	json_t *rows = kit_vector("09-abi/ethersproject/hashes.json.gz"), *row;
	size_t idx;

	(void)state;
	assert_true(json_array_size(rows) > 50);
	json_array_foreach(rows, idx, row)
	{
		const struct dr_bytes data = kit_json_hex(json_object_get(row, "data"));
		uint8_t out[32];

		dr_keccak256(out, data.ptr, data.len);
		assert_memory_equal(out, kit_json_hex(json_object_get(row, "keccak256")).ptr, 32);
	}
	json_decref(rows);
}

/* However the input is cut, the hash is that of the whole; lengths around the block's 136. */
static void test_pieces(void **state)
{
	uint8_t input[300], whole[32], pieces[32];
	struct dr_keccak k;

	(void)state;
	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (uint8_t)(i * 7 + 1);
	dr_keccak_init(&k);
	for (size_t len = 0; len <= sizeof(input); len++) {
		dr_keccak256(whole, input, len);
		for (size_t cut = 0; cut <= len; cut += 1 + len / 9) {
			dr_keccak_update(&k, input, cut);
			dr_keccak_update(&k, input + cut, len - cut);
			dr_keccak_final(&k, pieces); /* begins anew */
			assert_memory_equal(whole, pieces, 32);
		}
	}
}

static void test_flips(void **state)
{
	uint8_t input[137] = { 0 }, good[32], bad[32];

	(void)state;
	dr_keccak256(good, input, sizeof(input));
	for (size_t bit = 0; bit < 8 * sizeof(input); bit++) {
		input[bit / 8] ^= (uint8_t)(1u << bit % 8);
		dr_keccak256(bad, input, sizeof(input));
		assert_memory_not_equal(good, bad, 32);
		input[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_flips),
	};
	return cmocka_run_group_tests_name("keccak", tests, NULL, NULL);
}
