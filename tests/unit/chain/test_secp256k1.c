/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include <secp256k1.h>

#include "chain/crypto/secp256k1.h"
#include "chain/crypto/sha256.h"

#define G_X   "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define G_Y   "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
#define ORDER "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define ZERO  "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE   "0000000000000000000000000000000000000000000000000000000000000001"

/* The address of private key 1 is folklore: 0x7e5f4552091a69125d5dfcb7b8c2659029395bdf. */
static const struct {
	const char *name, *pub, *address;
	enum dr_err err;
} address_rows[] = {
	{ "uncompressed", "04" G_X G_Y, "7e5f4552091a69125d5dfcb7b8c2659029395bdf", DR_OK },
	{ "compressed", "02" G_X, "7e5f4552091a69125d5dfcb7b8c2659029395bdf", DR_OK },
	{ "hybrid", "06" G_X G_Y, NULL, DR_ERR_SYNTAX },
	{ "short", "02" ZERO, NULL, DR_ERR_SYNTAX },
	{ "not on the curve", "04" G_X G_X, NULL, DR_ERR_SYNTAX },
	{ "prefix for the other length", "04" G_X, NULL, DR_ERR_SYNTAX },
	{ "no prefix", G_X G_Y, NULL, DR_ERR_SYNTAX },
	{ "empty", "", NULL, DR_ERR_SYNTAX },
};

static void test_address(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(address_rows) / sizeof(address_rows[0]); i++) {
		uint8_t address[20], zero[20] = { 0 };
		struct dr_fail fail = { 0 };

		memset(address, 0xaa, 20);
		assert_int_equal(dr_secp256k1_address(address, kit_hex(address_rows[i].pub), &fail),
				 address_rows[i].err);
		kit_assert_fail(address_rows[i].err, &fail);
		assert_memory_equal(
			address, address_rows[i].address != NULL ? kit_hex(address_rows[i].address).ptr : zero, 20);
	}
}

/* ethereum/execution-spec-tests, the precompile ECRECOVER, "valid_signature_1" (v = 28); then what must fail. */
#define HASH "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c"
#define SIG                                                                                                          \
	"73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f"                                           \
	"eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549"
static const struct {
	const char *name, *sig;
	uint8_t recid;
	const char *address;
	enum dr_err err;
} recover_rows[] = {
	{ "valid, high s", SIG, 1, "a94f5374fce5edbc8e2a8697c15331677e6ebf0b", DR_OK },
	{ "recid 4", SIG, 4, NULL, DR_ERR_SYNTAX },
	{ "recid 255", SIG, 255, NULL, DR_ERR_SYNTAX },
	{ "r + n not below p", SIG, 2, NULL, DR_ERR_PROOF },
	{ "r is the order", ORDER ONE, 0, NULL, DR_ERR_NONCANONICAL },
	{ "s is the order", G_X ORDER, 0, NULL, DR_ERR_NONCANONICAL },
	{ "r zero", ZERO ONE, 0, NULL, DR_ERR_PROOF },
	{ "s zero", G_X ZERO, 0, NULL, DR_ERR_PROOF },
	/* x = 5 is on no point of y² = x³ + 7. */
	{ "r no coordinate", "0000000000000000000000000000000000000000000000000000000000000005" ONE, 0, NULL,
	  DR_ERR_PROOF },
};

static void test_recover(void **state)
{
	const uint8_t zero[20] = { 0 };
	uint8_t address[20], sig[64], good[20];

	(void)state;
	for (size_t i = 0; i < sizeof(recover_rows) / sizeof(recover_rows[0]); i++) {
		struct dr_fail fail = { 0 };

		memset(address, 0xaa, 20);
		if (dr_secp256k1_recover(address, kit_hex(HASH).ptr, kit_hex(recover_rows[i].sig).ptr,
					 recover_rows[i].recid, &fail) != recover_rows[i].err)
			fail_msg("%s", recover_rows[i].name);
		kit_assert_fail(recover_rows[i].err, &fail);
		assert_memory_equal(
			address, recover_rows[i].address != NULL ? kit_hex(recover_rows[i].address).ptr : zero, 20);
	}
	/* s = hash and R = G: the key is at infinity. */
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_secp256k1_recover(address, kit_hex(HASH).ptr, kit_hex(G_X HASH).ptr, 0, &fail),
			 DR_ERR_PROOF);
	/* A flipped bit names another signer or none. */
	memcpy(sig, kit_hex(SIG).ptr, 64);
	memcpy(good, kit_hex(recover_rows[0].address).ptr, 20);
	for (unsigned bit = 0; bit < 512; bit++) {
		fail = (struct dr_fail){ 0 };
		sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (dr_secp256k1_recover(address, kit_hex(HASH).ptr, sig, 1, &fail) != DR_OK)
			assert_memory_equal(address, zero, 20);
		assert_memory_not_equal(address, good, 20);
		sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* paulmillr/noble-curves, secp256k1 ECDSA: private key, hash, signature. */
static void test_noble(void **state)
{
	json_t *all = kit_vector("07-crypto/noble/secp256k1_ecdsa.json.gz"), *test;
	secp256k1_context *ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(all, "valid"), i, test)
	{
		const struct dr_bytes d = kit_hex(json_string_value(json_object_get(test, "d")));
		const struct dr_bytes m = kit_hex(json_string_value(json_object_get(test, "m")));
		const struct dr_bytes sig = kit_hex(json_string_value(json_object_get(test, "signature")));
		uint8_t pub[33], address[20], signer[20], bad[64], hash[32];
		struct dr_fail fail = { 0 };
		secp256k1_pubkey key;
		size_t len = sizeof(pub), named = 0;

		assert_int_equal(secp256k1_ec_pubkey_create(ctx, &key, d.ptr), 1);
		secp256k1_ec_pubkey_serialize(ctx, pub, &len, &key, SECP256K1_EC_COMPRESSED);
		assert_int_equal(dr_secp256k1_address(address, dr_bytes_of(pub, len), &fail), DR_OK);
		assert_int_equal(dr_secp256k1_verify(m.ptr, sig.ptr, dr_bytes_of(pub, len), &fail), DR_OK);
		for (uint8_t recid = 0; recid < 4; recid++) {
			struct dr_fail ignored = { 0 };

			dr_secp256k1_recover(signer, m.ptr, sig.ptr, recid, &ignored);
			named += memcmp(signer, address, 20) == 0;
		}
		assert_int_equal(named, 1);

		/* The same bytes, made here: RFC 6979 leaves no choice. */
		uint8_t made[64], id;

		assert_int_equal(dr_secp256k1_secret_address(signer, d.ptr, &fail), DR_OK);
		assert_memory_equal(signer, address, 20);
		assert_int_equal(dr_secp256k1_sign(made, &id, m.ptr, d.ptr, &fail), DR_OK);
		assert_memory_equal(made, sig.ptr, 64);
		assert_int_equal(dr_secp256k1_recover(signer, m.ptr, made, id, &fail), DR_OK);
		assert_memory_equal(signer, address, 20);

		memcpy(hash, m.ptr, 32);
		hash[31] ^= 1;
		assert_int_equal(dr_secp256k1_verify(hash, sig.ptr, dr_bytes_of(pub, len), &fail), DR_ERR_PROOF);
		if (i > 0)
			continue;
		/* n - s: the same signer, refused for its high S. */
		const struct dr_bytes n = kit_hex(ORDER);
		int borrow = 0;

		memcpy(bad, sig.ptr, 64);
		for (size_t k = 32; k-- > 0;) {
			const int diff = (int)n.ptr[k] - bad[32 + k] - borrow;

			borrow = diff < 0;
			bad[32 + k] = (uint8_t)(diff & 0xff);
		}
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_secp256k1_verify(m.ptr, bad, dr_bytes_of(pub, len), &fail), DR_ERR_PROOF);
		fail = (struct dr_fail){ 0 };
		memcpy(bad, n.ptr, 32);
		assert_int_equal(dr_secp256k1_verify(m.ptr, bad, dr_bytes_of(pub, len), &fail), DR_ERR_NONCANONICAL);
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_secp256k1_verify(m.ptr, sig.ptr, dr_bytes_of(pub, 32), &fail), DR_ERR_SYNTAX);
	}
	json_array_foreach(json_object_get(json_object_get(all, "invalid"), "verify"), i, test)
	{
		const struct dr_bytes pub = kit_hex(json_string_value(json_object_get(test, "Q")));
		const struct dr_bytes m = kit_hex(json_string_value(json_object_get(test, "m")));
		const struct dr_bytes sig = kit_hex(json_string_value(json_object_get(test, "signature")));
		struct dr_fail fail = { 0 };

		if (m.len == 32 && sig.len == 64)
			assert_int_not_equal(dr_secp256k1_verify(m.ptr, sig.ptr, pub, &fail), DR_OK);
	}
	secp256k1_context_destroy(ctx);
	json_decref(all);
}

/* What is no private key signs nothing and has no address. */
static void test_sign(void **state)
{
	static const struct {
		const char *name, *secret, *address;
		enum dr_err err;
	} rows[] = {
		{ "one", ONE, "7e5f4552091a69125d5dfcb7b8c2659029395bdf", DR_OK },
		/* A test account of development nodes, known to everybody. */
		{ "known", "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
		  "f39fd6e51aad88f6f4ce6ab8827279cfffb92266", DR_OK },
		{ "zero", ZERO, NULL, DR_ERR_NONCANONICAL },
		{ "the order", ORDER, NULL, DR_ERR_NONCANONICAL },
		{ "all ones", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", NULL,
		  DR_ERR_NONCANONICAL },
	};
	const uint8_t zero[64] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dr_bytes secret = kit_hex(rows[i].secret);
		struct dr_fail fail = { 0 }, again = { 0 };
		uint8_t address[20], signer[20], sig[64], id = 9;

		memset(address, 0xaa, 20);
		memset(sig, 0xaa, 64);
		if (dr_secp256k1_secret_address(address, secret.ptr, &fail) != rows[i].err)
			fail_msg("%s", rows[i].name);
		kit_assert_fail(rows[i].err, &fail);
		assert_int_equal(dr_secp256k1_sign(sig, &id, kit_hex(HASH).ptr, secret.ptr, &again), rows[i].err);
		kit_assert_fail(rows[i].err, &again);
		assert_memory_equal(address, rows[i].address != NULL ? kit_hex(rows[i].address).ptr : zero, 20);
		if (rows[i].err != DR_OK) {
			assert_memory_equal(sig, zero, 64);
			assert_int_equal(id, 0);
			continue;
		}
		assert_true(id < 4 && sig[32] < 0x80); /* low S */
		assert_int_equal(dr_secp256k1_recover(signer, kit_hex(HASH).ptr, sig, id, &again), DR_OK);
		assert_memory_equal(signer, address, 20);
	}
}

/* C2SP Wycheproof, ecdsa_secp256k1_sha256_bitcoin_test: strict DER, low S. */
static void test_wycheproof(void **state)
{
	json_t *all = kit_vector("07-crypto/wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json.gz"), *group, *test;
	size_t i, j, seen = 0, syntax = 0;

	(void)state;
	json_array_foreach(json_object_get(all, "testGroups"), i, group)
	{
		const json_t *key = json_object_get(group, "publicKey");
		const struct dr_bytes pub = kit_hex(json_string_value(json_object_get(key, "uncompressed")));

		json_array_foreach(json_object_get(group, "tests"), j, test)
		{
			const struct dr_bytes sig = kit_hex(json_string_value(json_object_get(test, "sig")));
			const struct dr_bytes msg = kit_hex(json_string_value(json_object_get(test, "msg")));
			const bool valid = strcmp(json_string_value(json_object_get(test, "result")), "valid") == 0;
			struct dr_fail fail = { 0 };
			uint8_t hash[32];

			dr_sha256_one(hash, msg.ptr, msg.len);
			if ((dr_secp256k1_verify_der(hash, sig, pub, &fail) == DR_OK) != valid)
				fail_msg("tcId %lld", json_integer_value(json_object_get(test, "tcId")));
			syntax += fail.err == DR_ERR_SYNTAX;
			seen++;
		}
	}
	assert_true(seen > 400 && syntax > 50);
	json_decref(all);
}

/* Without the vectors too: what is no signature in DER; nothing at all, with and without a place. */
static void test_der_refusals(void **state)
{
	static const char *const texts[] = { "",  "30", "3006020101020101ff", "3080020101020101", "30060201000201",
					     "00" };
	const struct dr_bytes none = { NULL, 0 };
	const uint8_t hash[32] = { 1 };

	(void)state;
	for (size_t i = 0; i <= sizeof(texts) / sizeof(texts[0]); i++) {
		struct dr_fail fail = { 0 };

		dr_secp256k1_verify_der(hash, i == 0 ? none : kit_hex(texts[i - 1]), none, &fail);
		kit_assert_fail(DR_ERR_SYNTAX, &fail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_der_refusals), cmocka_unit_test(test_address),
		cmocka_unit_test(test_recover),      cmocka_unit_test(test_noble),
		cmocka_unit_test(test_sign),         cmocka_unit_test(test_wycheproof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
