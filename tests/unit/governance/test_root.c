/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/governance/root_kit.h"

static struct dr_fold fold = { .chain_id = 31337 };

static enum dr_err verify(const struct root_kit *r, const uint8_t *prev_pub, bool required)
{
	struct dr_fail fail = { 0 };
	const enum dr_err err = dr_root_verify(&r->claim, &r->proofs, prev_pub, required, &fail);

	kit_assert_fail(err, &fail);
	return err;
}

static void test_context(void **state)
{
	uint8_t bytes[DR_ROOT_CONTEXT_LEN];
	struct dr_root_claim claim = { .chain_id = 0x0102, .generation = 3 };

	(void)state;
	memset(claim.genesis, 0x11, 32);
	memset(claim.contract, 0x22, 20);
	memset(claim.node, 0x33, 20);
	memset(claim.scheme, 0x44, 32);
	memset(claim.quote, 0x55, 32);
	memset(claim.prf_pub, 0x66, 32);
	memset(claim.sig_pub, 0x77, 32);
	dr_root_context(bytes, &claim);
	const struct dr_bytes expected = kit_hex("6465726f742d726f6f742d7631"
						 "0000000000000102"
						 "1111111111111111111111111111111111111111111111111111111111111111"
						 "2222222222222222222222222222222222222222"
						 "0000000000000003"
						 "3333333333333333333333333333333333333333"
						 "4444444444444444444444444444444444444444444444444444444444444444"
						 "5555555555555555555555555555555555555555555555555555555555555555"
						 "6666666666666666666666666666666666666666666666666666666666666666"
						 "7777777777777777777777777777777777777777777777777777777777777777");

	assert_int_equal(expected.len, sizeof(bytes));
	assert_memory_equal(bytes, expected.ptr, sizeof(bytes));
}

static void test_verify(void **state)
{
	struct root_kit alone, signed_by_1, one;

	(void)state;
	root_kit(&one, &fold, 1, 5, 1, 0);
	root_kit(&alone, &fold, 2, 5, 2, 0);
	root_kit(&signed_by_1, &fold, 2, 5, 2, 1);
	assert_int_equal(verify(&alone, NULL, false), DR_OK);
	assert_int_equal(verify(&alone, one.claim.sig_pub, false), DR_OK);
	assert_int_equal(verify(&alone, one.claim.sig_pub, true), DR_ERR_PROOF);
	assert_int_equal(verify(&signed_by_1, one.claim.sig_pub, true), DR_OK);
	assert_int_equal(verify(&signed_by_1, one.claim.sig_pub, false), DR_OK);
	assert_int_equal(verify(&signed_by_1, alone.claim.sig_pub, false), DR_ERR_PROOF);
	assert_int_equal(verify(&signed_by_1, NULL, false), DR_ERR_PROOF);
}

/* A root of another scheme, with true proofs that it is: this build does not know how many holders it takes. */
static void test_scheme(void **state)
{
	struct root_kit one;

	(void)state;
	for (size_t at = 0; at < 32; at++) {
		root_kit(&one, &fold, 1, 5, 1, 0);
		assert_int_equal(verify(&one, NULL, false), DR_OK);
		one.claim.scheme[at] ^= 3;
		root_prove(&one, 1, 0);
		assert_int_equal(verify(&one, NULL, false), DR_ERR_PROOF);
	}
}

/* Every bit of what is claimed and of what proves it counts. */
static void test_bits(void **state)
{
	struct root_kit good, one;

	(void)state;
	root_kit(&one, &fold, 1, 5, 1, 0);
	root_kit(&good, &fold, 2, 5, 2, 1);
	assert_int_equal(verify(&good, one.claim.sig_pub, true), DR_OK);
	struct root_kit bad = good;
	const struct {
		uint8_t *at;
		size_t len;
	} parts[] = {
		{ (uint8_t *)&bad.claim.chain_id, 8 },
		{ bad.claim.genesis, 32 },
		{ bad.claim.contract, 20 },
		{ bad.claim.node, 20 },
		{ (uint8_t *)&bad.claim.generation, 8 },
		{ bad.claim.scheme, 32 },
		{ bad.claim.quote, 32 },
		{ bad.claim.prf_pub, 32 },
		{ bad.claim.sig_pub, 32 },
		{ bad.proofs.prf_c, 32 },
		{ bad.proofs.prf_s, 32 },
		{ bad.proofs.sig, 64 },
		{ bad.proofs.prev, 64 },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (size_t bit = 0; bit < parts[i].len * 8; bit += 5) {
			parts[i].at[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_not_equal(verify(&bad, one.claim.sig_pub, true), DR_OK);
			parts[i].at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
	assert_int_equal(verify(&bad, one.claim.sig_pub, true), DR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_context),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_scheme),
		cmocka_unit_test(test_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
