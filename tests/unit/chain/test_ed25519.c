/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/crypto/ed25519.h"
#include "chain/crypto/ristretto.h"
#include "chain/crypto/sha512.h"

/* RFC 8032, 7.1: TEST 1, TEST 2, TEST 3. */
static const struct {
	const char *name, *seed, *pub, *msg, *sig;
} rows[] = {
	{ "empty", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
	  "d25bf5f0595bbe24655141438e7a100b" },
	{ "one byte", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
	  "387b2eaeb4302aeeb00d291612bb0c00" },
	{ "two bytes", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
	  "4a7c15e9716ed28dc027beceea1ec40a" },
};

static void test_rfc8032(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dr_bytes msg = kit_hex(rows[i].msg);
		uint8_t pub[32], secret[64], sig[64];
		struct dr_fail fail = { 0 };

		dr_ed25519_keypair(pub, secret, kit_hex(rows[i].seed).ptr);
		assert_memory_equal(pub, kit_hex(rows[i].pub).ptr, 32);
		dr_ed25519_sign(sig, msg, secret);
		assert_memory_equal(sig, kit_hex(rows[i].sig).ptr, 64);
		assert_int_equal(dr_ed25519_verify(sig, msg, pub, &fail), DR_OK);
	}
}

static void refused(const uint8_t sig[static 64], struct dr_bytes msg, const uint8_t pub[static 32])
{
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_ed25519_verify(sig, msg, pub, &fail), DR_ERR_PROOF);
	kit_assert_fail(DR_ERR_PROOF, &fail);
}

static void test_flips(void **state)
{
	uint8_t pub[32], sig[64], msg[2];

	(void)state;
	memcpy(pub, kit_hex(rows[2].pub).ptr, 32);
	memcpy(sig, kit_hex(rows[2].sig).ptr, 64);
	memcpy(msg, kit_hex(rows[2].msg).ptr, 2);
	for (unsigned bit = 0; bit < 512; bit++) {
		sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
		refused(sig, dr_bytes_of(msg, 2), pub);
		sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned bit = 0; bit < 256; bit++) {
		pub[bit / 8] ^= (uint8_t)(1u << bit % 8);
		refused(sig, dr_bytes_of(msg, 2), pub);
		pub[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned bit = 0; bit < 16; bit++) {
		msg[bit / 8] ^= (uint8_t)(1u << bit % 8);
		refused(sig, dr_bytes_of(msg, 2), pub);
		msg[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	refused(sig, dr_bytes_of(msg, 1), pub);
}

/* Signatures for which the bare equation [S]B = R + [k]A holds, and that are refused all the same. */
static void test_strict(void **state)
{
	static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
					   0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };
	const struct dr_bytes msg = dr_bytes_of("any", 3);
	uint8_t identity[32] = { 1 }, pub[32], secret[64], sig[64], wide[64], a[32];
	struct dr_fail fail = { 0 };
	unsigned carry = 0;

	(void)state;
	/* A = identity, R = B, S = 1: verifies for every message. */
	memset(sig, 0x66, 32);
	sig[0] = 0x58;
	memset(sig + 32, 0, 32);
	sig[32] = 1;
	refused(sig, msg, identity);
	/* The same key written as y = p + 1. */
	memset(identity, 0xff, 32);
	identity[0] = 0xee;
	identity[31] = 0x7f;
	refused(sig, msg, identity);

	/* S + L. */
	dr_ed25519_keypair(pub, secret, kit_hex(rows[0].seed).ptr);
	dr_ed25519_sign(sig, msg, secret);
	assert_int_equal(dr_ed25519_verify(sig, msg, pub, &fail), DR_OK);
	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)sig[32 + i] + order[i];
		sig[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	refused(sig, msg, pub);

	/* R = identity, S = k · a. */
	const struct dr_bytes seed = dr_bytes_of(secret, 32);

	dr_sha512(wide, &seed, 1);
	memcpy(a, wide, 32);
	a[0] &= 248;
	a[31] = (uint8_t)((a[31] & 127) | 64);
	memset(sig, 0, 64);
	sig[0] = 1;
	const struct dr_bytes parts[] = { { sig, 32 }, { pub, 32 }, msg };

	dr_sha512(wide, parts, 3);
	dr_ristretto_scalar_reduce(sig + 32, wide);
	dr_ristretto_scalar_mul(sig + 32, sig + 32, a);
	refused(sig, msg, pub);
}

/* C2SP Wycheproof, ed25519_test. */
static void test_wycheproof(void **state)
{
	json_t *all = kit_vector("07-crypto/wycheproof/ed25519_test.json.gz"), *group, *test;
	size_t i, j, seen = 0;

	(void)state;
	json_array_foreach(json_object_get(all, "testGroups"), i, group)
	{
		const json_t *key = json_object_get(group, "publicKey");
		const struct dr_bytes pub = kit_hex(json_string_value(json_object_get(key, "pk")));

		json_array_foreach(json_object_get(group, "tests"), j, test)
		{
			const struct dr_bytes sig = kit_hex(json_string_value(json_object_get(test, "sig")));
			const struct dr_bytes msg = kit_hex(json_string_value(json_object_get(test, "msg")));
			const bool valid = strcmp(json_string_value(json_object_get(test, "result")), "valid") == 0;
			struct dr_fail fail = { 0 };

			if (sig.len != 64) {
				assert_false(valid); /* our type cannot express it */
				continue;
			}
			if ((dr_ed25519_verify(sig.ptr, msg, pub.ptr, &fail) == DR_OK) != valid)
				fail_msg("tcId %lld", json_integer_value(json_object_get(test, "tcId")));
			seen++;
		}
	}
	assert_true(seen > 100);
	json_decref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc8032),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_wycheproof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
