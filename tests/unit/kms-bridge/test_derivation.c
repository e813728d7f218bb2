/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kms-bridge/keys_kit.h"

#include "chain/crypto/voprf.h"
#include "kms-bridge/core/keys_impl.h"

/* Opens the one sealed root under a binding that it was sealed for, so that bindings can differ too. */
static void derive(uint8_t key[32], const struct inputs *in, const uint8_t sealed[DR_KEYS_SEALED_LEN])
{
	struct dr_keys *k = keys_of(path, &in->b);

	assert_int_equal(dr_keys_open(k, in->d.generation, dr_bytes_of(sealed, DR_KEYS_SEALED_LEN), &fail), DR_OK);
	assert_int_equal(dr_keys_derive(k, key, NULL, &in->d, &in->r, &fail), DR_OK);
	dr_keys_free(k);
}

static void test_derive(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		bool differs;
	} rows[] = {
		{ "epoch", offsetof(struct inputs, d.epoch), true },
		{ "deployer", offsetof(struct inputs, d.deployer) + 19, true },
		{ "app hash", offsetof(struct inputs, d.app_hash) + 31, true },
		{ "nonce", offsetof(struct inputs, d.nonce), true },
		{ "service", offsetof(struct inputs, r.service) + 31, true },
		{ "purpose", offsetof(struct inputs, r.purpose), true },
		/* A handover's key is `from`'s: what the asker measures must not matter. */
		{ "measurement of the asker", offsetof(struct inputs, r.measurement), false },
		{ "device of the asker", offsetof(struct inputs, r.device), false },
	};
	struct inputs in = inputs();
	uint8_t sealed[DR_KEYS_SEALED_LEN], key[32], other[32];

	(void)state;
	dr_keys_file_make(path, NULL, 0, &fail);
	struct dr_keys *k = keys_of(path, &in.b);

	assert_int_equal(dr_keys_make(k, 1, sealed, &fail), DR_OK);
	assert_int_equal(dr_keys_derive(k, key, NULL, &in.d, &in.r, &fail), DR_OK);
	assert_false(dr_bytes_zero(key, 32));
	derive(other, &in, sealed); /* after a restart the same */
	assert_memory_equal(key, other, 32);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct inputs changed = inputs();

		((uint8_t *)&changed)[rows[i].at] ^= 3;
		derive(other, &changed, sealed);
		if ((memcmp(key, other, 32) != 0) != rows[i].differs)
			fail_msg("%s", rows[i].name);
	}
	/* Another root, same inputs. */
	assert_int_equal(dr_keys_make(k, 2, sealed, &fail), DR_OK);
	in.d.generation = 2;
	assert_int_equal(dr_keys_derive(k, other, NULL, &in.d, &in.r, &fail), DR_OK);
	assert_memory_not_equal(key, other, 32);
	in.d.generation = 3;
	assert_int_equal(dr_keys_derive(k, other, NULL, &in.d, &in.r, &fail), DR_ERR_UNKNOWN);
	assert_true(dr_bytes_zero(other, 32));
	dr_keys_free(k);
}

static size_t put(uint8_t *to, const void *ptr, size_t len)
{
	to[0] = 0;
	to[1] = (uint8_t)len;
	memcpy(to + 2, ptr, len);
	return len + 2;
}

/* The scheme written out again, on a known scalar; and the context, which sealing binds as well, so that only a
 * seal made by hand shows that it is in the key too. */
static void by_hand(uint8_t key[32], uint8_t scalar[32], const struct inputs *in, uint8_t generation)
{
	const uint8_t chain[8] = { 0, 0, 0, 0, 0, 0, (uint8_t)(in->b.chain_id >> 8), (uint8_t)in->b.chain_id };
	const uint8_t gen[8] = { 0, 0, 0, 0, 0, 0, 0, generation }, epoch[8] = { 0, 0, 0, 0, 0, 0, 0, 4 };
	uint8_t input[512], output[64];
	size_t len = 0;

	len += put(input + len, "derot-kdf-v1", 12);
	len += put(input + len, chain, 8);
	len += put(input + len, in->b.genesis, 32);
	len += put(input + len, in->b.contract, 20);
	len += put(input + len, gen, 8);
	len += put(input + len, in->d.deployer, 20);
	len += put(input + len, in->d.app_hash, 32);
	len += put(input + len, in->d.nonce, 32);
	len += put(input + len, "seal", 4);
	len += put(input + len, in->r.service, 32);
	len += put(input + len, epoch, 8);
	assert_int_equal(dr_voprf_evaluate(output, scalar, dr_bytes_of(input, len), &fail), DR_OK);
	assert_int_equal(dr_hkdf_sha512(key, 32, dr_bytes_of(output, 64), dr_bytes_of(NULL, 0),
					dr_bytes_of("derot-key-v1seal", 16), &fail),
			 DR_OK);
}

static void test_by_hand(void **state)
{
	static const uint8_t zeros[32];
	static const struct {
		const char *name;
		size_t at;
	} rows[] = {
		{ "nothing", SIZE_MAX },
		{ "chain id", offsetof(struct inputs, b.chain_id) },
		{ "genesis", offsetof(struct inputs, b.genesis) + 31 },
		{ "contract", offsetof(struct inputs, b.contract) + 19 },
		{ "generation", offsetof(struct inputs, d.generation) },
	};
	uint8_t sealed[DR_KEYS_SEALED_LEN], scalar[32], pub[32], first[32];

	(void)state;
	write_file(path, zeros, 32, 0600);
	assert_int_equal(dr_voprf_derive(scalar, pub, zeros, dr_bytes_of("x", 1), &fail), DR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct inputs in = inputs();
		uint8_t expected[32], got[32];

		if (rows[i].at != SIZE_MAX)
			((uint8_t *)&in)[rows[i].at] ^= 2;
		seal_by_hand(sealed, scalar, &in.b, (uint8_t)in.d.generation);
		derive(got, &in, sealed);
		by_hand(expected, scalar, &in, (uint8_t)in.d.generation);
		assert_memory_equal(got, expected, 32);
		if (i == 0)
			memcpy(first, got, 32);
		else
			assert_memory_not_equal(first, got, 32);
	}
}

/* Made with @noble/curves 1.9.0 and @noble/hashes 1.8.0: RFC 9497's Evaluate and HKDF written out, on inputs(). */
static const char scalar_hex[] = "0e0d0c0b0a0908070605040302010021436587a9cbed0fefcdab896745230100";
static const char pub_hex[] = "5a6110cc494b1e4513f2b475d4374f86cfc9615f8f8e7fe6316ce27b706c4b27";
static const struct {
	enum dr_purpose purpose;
	const char *key, *element;
} vectors[] = {
	{ DR_PURPOSE_SEAL, "e3999e8815d31b655534496089e6f3c3f7d65e7391909c706f5a1fbaf4b689e7",
	  "3c0e5d3d3560ab81b1b2510e938f36a1bcf76b3a3843238fb879bf4118766f46" },
	{ DR_PURPOSE_SIGN, "77608c0ba0091e06d599c83ee2841cfaab7a6acb444f0ff295087e1590cc661e",
	  "cabe6ac73fd0c982411528d414b353ff0ed5b55ad8c9af9bdb1a9e593def3946" },
	{ DR_PURPOSE_TLS, "e640e22f2bb6b1bfa3b2054b19633369e42c2372b8cab6399016b9c73a04e22a",
	  "dc51cc5a930666868b5e23b6fe84620c1e7c98c38a84d3a3bf0e197406e1e749" },
	{ DR_PURPOSE_STORAGE, "03e5c1e5dcfa2833c6b196fbb29e57ac8232cfe757fd833e255b40d49b0a716b",
	  "ae4ec4cba350a6b0ca7b3c7f3053c46d746b2e0725e1aef511173a7bece7a80d" },
	{ DR_PURPOSE_CLUSTER, "79af23c35642dec5c5057bef5276985d390cf05327cd315b9df5db35eb6c0e7f",
	  "9e9edeede4c82a91005e4aca63fe86a2cf4c11f27406ad4bc39ace31f9b3e611" },
	{ DR_PURPOSE_CONTRACT, "0f789149265f576eb9b0212440151c5fd8b681a72999136d82d4cbcde13e8288",
	  "9e9edeede4c82a91005e4aca63fe86a2cf4c11f27406ad4bc39ace31f9b3e611" },
};

/* Keys whose root is the vectors'. */
static struct dr_keys *known(void)
{
	static const uint8_t zeros[32];
	const struct dr_keys_binding b = binding();
	uint8_t sealed[DR_KEYS_SEALED_LEN];

	write_file(path, zeros, 32, 0600);
	struct dr_keys *k = keys_of(path, &b);

	seal_by_hand(sealed, kit_hex(scalar_hex).ptr, &b, 1);
	assert_int_equal(dr_keys_open(k, 1, dr_bytes_of(sealed, sizeof(sealed)), &fail), DR_OK);
	assert_memory_equal(dr_keys_root_of(k, 1)->prf_pub, kit_hex(pub_hex).ptr, 32);
	return k;
}

static size_t input_of(uint8_t input[static DR_DERIVATION_INPUT_MAX], const struct inputs *in)
{
	size_t len;

	assert_int_equal(dr_derivation_input(input, DR_DERIVATION_INPUT_MAX, &len, in->b.chain_id, in->b.genesis,
					     in->b.contract, &in->d, &in->r, &fail),
			 DR_OK);
	return len;
}

/* Every purpose, and the holder's own check of it. */
static void test_vectors(void **state)
{
	struct inputs in = inputs();
	uint8_t key[32], again[32], proof[DR_DERIVATION_PROOF_LEN], input[DR_DERIVATION_INPUT_MAX];

	(void)state;
	struct dr_keys *k = known();

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		in.r.purpose = (uint8_t)vectors[i].purpose;
		if (dr_keys_derive(k, key, proof, &in.d, &in.r, &fail) != DR_OK)
			fail_msg("%s", fail.what);
		if (memcmp(key, kit_hex(vectors[i].key).ptr, 32) != 0)
			fail_msg("%s: key", dr_purpose_name(vectors[i].purpose));
		assert_memory_equal(proof, "\1\1\1\1", 4);
		assert_memory_equal(proof + 4, kit_hex(vectors[i].element).ptr, 32);
		assert_memory_equal(proof + 36, "\1\1", 2);
		const struct dr_bytes what = dr_bytes_of(input, input_of(input, &in));

		if (dr_derivation_verify(again, dr_bytes_of(proof, sizeof(proof)), kit_hex(pub_hex).ptr, what,
					 vectors[i].purpose, in.r.contract, &fail) != DR_OK)
			fail_msg("%s: %s", dr_purpose_name(vectors[i].purpose), fail.what);
		assert_memory_equal(again, key, 32);
	}
	/* Two contracts of one cluster, and a contract of another: three keys. */
	in.r.contract[31] ^= 1;
	assert_int_equal(dr_keys_derive(k, again, NULL, &in.d, &in.r, &fail), DR_OK);
	assert_memory_not_equal(key, again, 32);
	in.r.contract[31] ^= 1;
	in.r.service[0] ^= 1;
	assert_int_equal(dr_keys_derive(k, again, NULL, &in.d, &in.r, &fail), DR_OK);
	assert_memory_not_equal(key, again, 32);
	in.r.service[0] ^= 1;
	in.r.purpose = DR_PURPOSE_CLUSTER; /* the contract is not of other purposes' keys */
	assert_int_equal(dr_keys_derive(k, key, NULL, &in.d, &in.r, &fail), DR_OK);
	in.r.contract[31] ^= 1;
	assert_int_equal(dr_keys_derive(k, again, NULL, &in.d, &in.r, &fail), DR_OK);
	assert_memory_equal(key, again, 32);
	dr_keys_free(k);
}

static void test_proof(void **state)
{
	struct inputs in = inputs();
	uint8_t key[32], again[32], proof[DR_DERIVATION_PROOF_LEN], input[DR_DERIVATION_INPUT_MAX], pub[32],
		other[32];
	struct dr_derivation_proof p;
	size_t len;

	(void)state;
	struct dr_keys *k = known();

	memcpy(pub, kit_hex(pub_hex).ptr, 32);
	assert_int_equal(dr_keys_derive(k, key, proof, &in.d, &in.r, &fail), DR_OK);
	dr_keys_free(k);
	const struct dr_bytes whole = dr_bytes_of(proof, sizeof(proof)),
			      what = dr_bytes_of(input, input_of(input, &in));

	assert_int_equal(dr_derivation_proof_decode(&p, whole, &fail), DR_OK);
	uint8_t bytes[sizeof(proof)];

	dr_derivation_proof_encode(bytes, &p);
	assert_memory_equal(bytes, proof, sizeof(proof));
	/* Another input, another root. */
	input[20] ^= 1;
	expect_fail("input", dr_derivation_verify(again, whole, pub, what, DR_PURPOSE_SEAL, in.r.contract, &fail),
		    DR_ERR_PROOF, "does not verify");
	assert_true(dr_bytes_zero(again, 32));
	input[20] ^= 1;
	assert_int_equal(dr_voprf_derive(again, other, input, dr_bytes_of("y", 1), &fail), DR_OK);
	expect_fail("root", dr_derivation_verify(again, whole, other, what, DR_PURPOSE_SEAL, in.r.contract, &fail),
		    DR_ERR_PROOF, "does not verify");
	for (size_t cut = 0; cut < sizeof(proof); cut++) {
		memset(again, 1, 32);
		expect_fail("cut",
			    dr_derivation_verify(again, dr_bytes_of(proof, cut), pub, what, DR_PURPOSE_SEAL,
						 in.r.contract, &fail),
			    DR_ERR_SHORT, "");
		assert_true(dr_bytes_zero(again, 32));
	}
	for (size_t bit = 0; bit < sizeof(proof) * 8; bit++) {
		proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
		memset(again, 1, 32);
		const enum dr_err err =
			dr_derivation_verify(again, whole, pub, what, DR_PURPOSE_SEAL, in.r.contract, &fail);

		if (err == DR_OK)
			fail_msg("bit %zu", bit);
		if (bit / 8 < 4 || bit / 8 == 36 || bit / 8 == 37)
			assert_int_equal(err, DR_ERR_UNKNOWN);
		else if (bit / 8 < 70)
			assert_int_equal(err, DR_ERR_NONCANONICAL); /* one element differs from the other */
		assert_true(dr_bytes_zero(again, 32));
		fail = (struct dr_fail){ 0 };
		proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* Both elements changed together. */
	memcpy(proof + 4, pub, 32);
	memcpy(proof + 38, pub, 32);
	expect_fail("element", dr_derivation_verify(again, whole, pub, what, DR_PURPOSE_SEAL, in.r.contract, &fail),
		    DR_ERR_PROOF, "does not verify");
	memset(proof + 4, 0, 32);
	memset(proof + 38, 0, 32);
	expect_fail("identity", dr_derivation_verify(again, whole, pub, what, DR_PURPOSE_SEAL, in.r.contract, &fail),
		    DR_ERR_NONCANONICAL, "");
	uint8_t longer[sizeof(proof) + 1] = { 0 };

	memcpy(longer, proof, sizeof(proof));
	expect_fail("longer", dr_derivation_proof_decode(&p, dr_bytes_of(longer, sizeof(longer)), &fail),
		    DR_ERR_SYNTAX, "");
	assert_true(dr_bytes_zero(&p, sizeof(p)));
	expect_fail("room",
		    dr_derivation_input(input, 100, &len, 1, in.b.genesis, in.b.contract, &in.d, &in.r, &fail),
		    DR_ERR_LIMIT, "");
	assert_int_equal(len, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = { T(test_derive), T(test_by_hand), T(test_vectors), T(test_proof) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
