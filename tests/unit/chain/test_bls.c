/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures: bls12-381-tests, sums of keys, and everything that is changed or is no key or signature.
 */
#include "tests/unit/chain/bls_kit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "chain/bls/bls.h"
#include "chain/bls/hash.h"

static const char suite[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

#define KEYS_MAX 64u

/* ---- the vectors, a folder each ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Each file of a folder, in order of names; skips the test if the folder is not there. */
static void each_file(const char *folder, void (*check)(const char *name, const json_t *input, const json_t *output))
{
	const char *root = getenv("DEROT_VECTORS");
	char path[4096], names[KEYS_MAX][256];
	size_t num = 0;
	struct dirent *entry;

	snprintf(path, sizeof(path), "%s/02-bls/bls12-381-tests/%s", root != NULL ? root : "../shared/vectors",
		 folder);
	DIR *dir = opendir(path);

	if (dir == NULL) {
		print_message("absent: %s\n", path);
		skip();
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.') {
			assert_true(num < KEYS_MAX);
			snprintf(names[num++], sizeof(names[0]), "%s", entry->d_name);
		}
	closedir(dir);
	assert_true(num > 0);
	qsort(names, num, sizeof(names[0]), by_name);
	for (size_t i = 0; i < num; i++) {
		snprintf(path, sizeof(path), "02-bls/bls12-381-tests/%s/%s", folder, names[i]);
		json_t *file = kit_vector(path);

		check(names[i], json_object_get(file, "input"), json_object_get(file, "output"));
		json_decref(file);
	}
}

static struct dr_bytes sized(const json_t *value, size_t len)
{
	const struct dr_bytes bytes = kit_json_hex(value);

	assert_int_equal(bytes.len, len);
	return bytes;
}

/* The keys of an array, read one by one and together, which must agree. */
static bool get_keys(struct dr_bls_key keys[static KEYS_MAX], size_t *num, const json_t *array)
{
	struct dr_fail fail = { 0 }, fail_all = { 0 };
	struct dr_bls_key all[KEYS_MAX];
	uint8_t text[KEYS_MAX * DR_BLS_KEY_LEN];
	bool good = true;

	*num = json_array_size(array);
	assert_true(*num <= KEYS_MAX);
	for (size_t i = 0; i < *num; i++) {
		memcpy(text + i * DR_BLS_KEY_LEN, sized(json_array_get(array, i), DR_BLS_KEY_LEN).ptr,
		       DR_BLS_KEY_LEN);
		good = dr_bls_key_get(&keys[i], text + i * DR_BLS_KEY_LEN, &fail) == DR_OK && good;
	}
	assert_int_equal(dr_bls_keys_get(all, *num, text, &fail_all) == DR_OK, good);
	if (good)
		assert_memory_equal(all, keys, *num * sizeof(all[0]));
	return good;
}

static void check_verify(const char *name, const json_t *input, const json_t *output)
{
	const struct dr_bytes msg = kit_json_hex(json_object_get(input, "message"));
	const uint8_t *signature = sized(json_object_get(input, "signature"), DR_BLS_SIGNATURE_LEN).ptr;
	struct dr_fail fail = { 0 };
	struct dr_bls_key key;
	struct dr_bls_sum sum;
	bool good = dr_bls_key_get(&key, sized(json_object_get(input, "pubkey"), DR_BLS_KEY_LEN).ptr, &fail) == DR_OK;

	if (good) {
		dr_bls_sum_zero(&sum);
		dr_bls_sum_add(&sum, &key);
		good = dr_bls_verify_sum(&sum, msg, signature, &fail) == DR_OK;
		assert_int_equal(dr_bls_verify_many(&key, &msg, 1, signature, &fail) == DR_OK, good);
	}
	if (good != json_is_true(output))
		fail_msg("%s", name);
	kit_assert_fail(good ? DR_OK : DR_ERR_PROOF, &fail);
}

static void check_fast_aggregate(const char *name, const json_t *input, const json_t *output)
{
	const struct dr_bytes msg = kit_json_hex(json_object_get(input, "message"));
	const uint8_t *signature = sized(json_object_get(input, "signature"), DR_BLS_SIGNATURE_LEN).ptr;
	struct dr_bls_key keys[KEYS_MAX];
	struct dr_fail fail = { 0 };
	struct dr_bls_sum sum;
	size_t num;
	bool good = get_keys(keys, &num, json_object_get(input, "pubkeys"));

	dr_bls_sum_zero(&sum);
	for (size_t i = 0; good && i < num; i++)
		dr_bls_sum_add(&sum, &keys[i]);
	good = good && dr_bls_verify_sum(&sum, msg, signature, &fail) == DR_OK;
	if (good != json_is_true(output))
		fail_msg("%s", name);
}

static void check_aggregate(const char *name, const json_t *input, const json_t *output)
{
	const json_t *array = json_object_get(input, "messages");
	const struct dr_bytes signature = kit_json_hex(json_object_get(input, "signature"));
	struct dr_bls_key keys[KEYS_MAX];
	struct dr_bytes msgs[KEYS_MAX];
	struct dr_fail fail = { 0 };
	size_t num;
	bool good = get_keys(keys, &num, json_object_get(input, "pubkeys"));

	assert_int_equal(json_array_size(array), num);
	if (signature.len != DR_BLS_SIGNATURE_LEN) { /* which no caller can pass */
		assert_true(json_is_false(output));
		return;
	}
	for (size_t i = 0; i < num; i++)
		msgs[i] = kit_json_hex(json_array_get(array, i));
	good = good && dr_bls_verify_many(keys, msgs, num, signature.ptr, &fail) == DR_OK;
	if (good != json_is_true(output))
		fail_msg("%s", name);
}

/* The sum of signatures; of none there is none, and infinity, which no verification takes, is left out. */
static void check_sum(const char *name, const json_t *input, const json_t *output)
{
	struct dr_g2 sum = { 0 };
	uint8_t text[DR_G2_LEN] = { 0xc0 };

	if (json_array_size(input) == 0) {
		assert_true(json_is_null(output));
		return;
	}
	for (size_t i = 0; i < json_array_size(input); i++) {
		const uint8_t *signature = sized(json_array_get(input, i), DR_G2_LEN).ptr;
		struct dr_g2_affine p;
		struct dr_fail fail = { 0 };

		if (memcmp(signature, text, DR_G2_LEN) == 0)
			continue;
		assert_int_equal(dr_g2_get(&p, signature, &fail), DR_OK);
		assert_true(dr_g2_is_in_subgroup(&p));
		dr_g2_add_affine(&sum, &sum, &p);
	}
	if (!dr_g2_is_infinity(&sum)) {
		const struct dr_g2_affine p = bls_g2_affine(&sum);

		dr_g2_put(text, &p);
	}
	if (memcmp(text, sized(output, DR_G2_LEN).ptr, DR_G2_LEN) != 0)
		fail_msg("%s", name);
}

/* What a key signs is a number times what the message is hashed to, and verifies under that number times G. */
static void check_sign(const char *name, const json_t *input, const json_t *output)
{
	const struct dr_bytes secret = kit_json_hex(json_object_get(input, "privkey"));
	const struct dr_bytes msg = kit_json_hex(json_object_get(input, "message"));
	struct dr_fail fail = { 0 };
	uint8_t text[DR_G2_LEN], key_text[DR_G1_LEN];
	struct dr_g1 key = bls_g1_of(BLS_G1);
	struct dr_bls_key k;
	struct dr_bls_sum sum;
	struct dr_g2 p;

	bls_g1_mul(&key, &key, secret);
	dr_hash_to_g2(&p, msg, dr_bytes_of(suite, sizeof(suite) - 1));
	bls_g2_mul(&p, &p, secret);
	if (json_is_null(output)) {
		assert_true(dr_g2_is_infinity(&p) && dr_g1_is_infinity(&key));
		return;
	}
	const struct dr_g2_affine affine = bls_g2_affine(&p);
	const struct dr_g1_affine key_affine = bls_g1_affine(&key);

	dr_g2_put(text, &affine);
	if (memcmp(text, sized(output, DR_G2_LEN).ptr, DR_G2_LEN) != 0)
		fail_msg("%s", name);
	dr_g1_put(key_text, &key_affine);
	assert_int_equal(dr_bls_key_get(&k, key_text, &fail), DR_OK);
	dr_bls_sum_zero(&sum);
	dr_bls_sum_add(&sum, &k);
	assert_int_equal(dr_bls_verify_sum(&sum, msg, text, &fail), DR_OK);
}

static void test_vectors_verify(void **state)
{
	(void)state;
	each_file("verify", check_verify);
}

static void test_vectors_fast_aggregate(void **state)
{
	(void)state;
	each_file("fast_aggregate_verify", check_fast_aggregate);
}

static void test_vectors_aggregate_verify(void **state)
{
	(void)state;
	each_file("aggregate_verify", check_aggregate);
}

static void test_vectors_aggregate(void **state)
{
	(void)state;
	each_file("aggregate", check_sum);
}

static void test_vectors_sign(void **state)
{
	(void)state;
	each_file("sign", check_sign);
}

/* ---- keys and signatures of our own ---- */

struct signer {
	uint8_t secret[32], text[DR_BLS_KEY_LEN];
	struct dr_bls_key key;
};

static void make_signer(struct signer *s, uint64_t *seed)
{
	struct dr_g1 point = bls_g1_of(BLS_G1);
	struct dr_fail fail = { 0 };

	bls_random_bytes(s->secret, 32, seed);
	s->secret[0] &= 0x3f; /* below r */
	bls_g1_mul(&point, &point, dr_bytes_of(s->secret, 32));
	const struct dr_g1_affine affine = bls_g1_affine(&point);

	dr_g1_put(s->text, &affine);
	assert_int_equal(dr_bls_key_get(&s->key, s->text, &fail), DR_OK);
}

/* *sum += what the signer signs. */
static void sign(struct dr_g2 *sum, const struct signer *s, struct dr_bytes msg)
{
	struct dr_g2 p;

	dr_hash_to_g2(&p, msg, dr_bytes_of(suite, sizeof(suite) - 1));
	bls_g2_mul(&p, &p, dr_bytes_of(s->secret, 32));
	dr_g2_add(sum, sum, &p);
}

static void put(uint8_t text[static DR_BLS_SIGNATURE_LEN], const struct dr_g2 *p)
{
	const struct dr_g2_affine affine = bls_g2_affine(p);

	dr_g2_put(text, &affine);
}

/* The whole committee's sum less the absentees verifies what those present signed, and nothing else does. */
static void test_sums(void **state)
{
	enum { NUM = 12 };
	struct signer signers[NUM];
	struct dr_bls_sum all, present;
	struct dr_g2 signature = { 0 };
	struct dr_fail fail = { 0 };
	uint8_t text[DR_BLS_SIGNATURE_LEN];
	const struct dr_bytes msg = dr_bytes_of("a root of 32 bytes, more or less", 32);
	uint64_t seed = 1;

	(void)state;
	dr_bls_sum_zero(&all);
	for (size_t i = 0; i < NUM; i++) {
		make_signer(&signers[i], &seed);
		dr_bls_sum_add(&all, &signers[i].key);
		if (i % 3 != 0)
			sign(&signature, &signers[i], msg);
	}
	put(text, &signature);
	assert_int_equal(dr_bls_verify_sum(&all, msg, text, &fail), DR_ERR_PROOF);
	present = all;
	for (size_t i = 0; i < NUM; i += 3) {
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_bls_verify_sum(&present, msg, text, &fail), DR_ERR_PROOF);
		kit_assert_fail(DR_ERR_PROOF, &fail);
		dr_bls_sum_sub(&present, &signers[i].key);
	}
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_bls_verify_sum(&present, msg, text, &fail), DR_OK);
	kit_assert_fail(DR_OK, &fail);
	/* One key twice, as a committee may hold it. */
	dr_bls_sum_add(&present, &signers[1].key);
	assert_int_equal(dr_bls_verify_sum(&present, msg, text, &fail), DR_ERR_PROOF);
	sign(&signature, &signers[1], msg);
	put(text, &signature);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_bls_verify_sum(&present, msg, text, &fail), DR_OK);
}

static void test_sum_is_key(void **state)
{
	struct signer a, b;
	struct dr_bls_sum sum;
	uint64_t seed = 2;

	(void)state;
	make_signer(&a, &seed);
	make_signer(&b, &seed);
	dr_bls_sum_zero(&sum);
	assert_false(dr_bls_sum_is_key(&sum, &a.key));
	dr_bls_sum_add(&sum, &a.key);
	assert_true(dr_bls_sum_is_key(&sum, &a.key));
	assert_false(dr_bls_sum_is_key(&sum, &b.key));
	dr_bls_sum_add(&sum, &b.key);
	assert_false(dr_bls_sum_is_key(&sum, &a.key) || dr_bls_sum_is_key(&sum, &b.key));
	dr_bls_sum_sub(&sum, &a.key);
	assert_true(dr_bls_sum_is_key(&sum, &b.key));
	dr_bls_sum_sub(&sum, &b.key);
	assert_false(dr_bls_sum_is_key(&sum, &b.key));
	dr_bls_sum_sub(&sum, &b.key);
	assert_false(dr_bls_sum_is_key(&sum, &b.key)); /* the opposite has the same x */
	dr_bls_sum_add(&sum, &b.key);
	dr_bls_sum_add(&sum, &b.key);
	assert_true(dr_bls_sum_is_key(&sum, &b.key));
}

/* Nobody's signature, whatever it is: also infinity, which the pairing would take. */
static void test_sum_of_none(void **state)
{
	struct signer a;
	struct dr_bls_sum sum;
	struct dr_g2 signature = { 0 };
	uint8_t text[DR_BLS_SIGNATURE_LEN], infinity[DR_BLS_SIGNATURE_LEN] = { 0xc0 };
	const struct dr_bytes msg = dr_bytes_of("m", 1);
	uint64_t seed = 3;

	(void)state;
	make_signer(&a, &seed);
	sign(&signature, &a, msg);
	put(text, &signature);
	for (size_t i = 0; i < 2; i++) {
		struct dr_fail fail = { 0 };

		dr_bls_sum_zero(&sum);
		if (i == 1) {
			dr_bls_sum_add(&sum, &a.key);
			dr_bls_sum_sub(&sum, &a.key);
		}
		assert_int_equal(dr_bls_verify_sum(&sum, msg, text, &fail), DR_ERR_PROOF);
		assert_string_equal(fail.what, "the sum of the keys is infinity");
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_bls_verify_sum(&sum, msg, infinity, &fail), DR_ERR_PROOF);
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_bls_verify_many(&a.key, &msg, 0, infinity, &fail), DR_ERR_PROOF);
		assert_string_equal(fail.what, "a signature of no keys");
	}
}

/* As many keys as share a loop, fewer and more; messages may repeat. */
static void test_many(void **state)
{
	enum { NUM = 18 };
	struct signer signers[NUM];
	struct dr_bls_key keys[NUM];
	struct dr_bytes msgs[NUM];
	struct dr_g2 signature = { 0 };
	uint8_t text[DR_BLS_SIGNATURE_LEN], msg[NUM][32];
	uint64_t seed = 4;

	(void)state;
	for (size_t i = 0; i < NUM; i++) {
		struct dr_fail fail = { 0 };

		make_signer(&signers[i], &seed);
		keys[i] = signers[i].key;
		bls_random_bytes(msg[i], 32, &seed);
		msgs[i] = dr_bytes_of(i % 5 == 4 ? msg[i - 1] : msg[i], i % 7);
		sign(&signature, &signers[i], msgs[i]);
		put(text, &signature);
		assert_int_equal(dr_bls_verify_many(keys, msgs, i + 1, text, &fail), DR_OK);
		if (i == 0)
			continue;
		assert_int_equal(dr_bls_verify_many(keys, msgs, i, text, &fail), DR_ERR_PROOF);
		fail = (struct dr_fail){ 0 };
		const struct dr_bytes kept = msgs[i];

		msgs[i] = dr_bytes_of("another", 7);
		assert_int_equal(dr_bls_verify_many(keys, msgs, i + 1, text, &fail), DR_ERR_PROOF);
		kit_assert_fail(DR_ERR_PROOF, &fail);
		msgs[i] = kept;
	}
}

/* ---- what is changed, and what is none ---- */

static void test_bit_flips(void **state)
{
	struct signer s;
	struct dr_g2 signature = { 0 };
	uint8_t text[DR_BLS_SIGNATURE_LEN], msg[32];
	struct dr_bls_sum sum;
	uint64_t seed = 5;
	size_t other_keys = 0, other_points = 0;

	(void)state;
	make_signer(&s, &seed);
	bls_random_bytes(msg, sizeof(msg), &seed);
	sign(&signature, &s, dr_bytes_of(msg, sizeof(msg)));
	put(text, &signature);
	for (size_t i = 0; i < 8 * DR_BLS_KEY_LEN; i++) {
		struct dr_fail fail = { 0 };
		struct dr_bls_key key;

		s.text[i / 8] ^= (uint8_t)(1 << i % 8);
		dr_bls_sum_zero(&sum);
		if (dr_bls_key_get(&key, s.text, &fail) == DR_OK) {
			other_keys++;
			dr_bls_sum_add(&sum, &key);
			assert_int_equal(dr_bls_verify_sum(&sum, dr_bytes_of(msg, 32), text, &fail), DR_ERR_PROOF);
		} else {
			assert_true(dr_bytes_zero(&key, sizeof(key)));
		}
		assert_non_null(fail.what);
		s.text[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(other_keys, 1); /* the sign alone: the other points are of no subgroup */
	dr_bls_sum_zero(&sum);
	dr_bls_sum_add(&sum, &s.key);
	for (size_t i = 0; i < 8 * sizeof(msg); i++) {
		struct dr_fail fail = { 0 };

		msg[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(dr_bls_verify_sum(&sum, dr_bytes_of(msg, 32), text, &fail), DR_ERR_PROOF);
		assert_string_equal(fail.what, "the signature is not of these keys over this message");
		msg[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t i = 0; i < 8 * DR_BLS_SIGNATURE_LEN; i++) {
		struct dr_fail fail = { 0 };

		text[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(dr_bls_verify_sum(&sum, dr_bytes_of(msg, 32), text, &fail), DR_ERR_PROOF);
		other_points += strcmp(fail.what, "the signature is not of these keys over this message") == 0;
		text[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(other_points, 1);
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_bls_verify_sum(&sum, dr_bytes_of(msg, 31), text, &fail), DR_ERR_PROOF);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_bls_verify_sum(&sum, dr_bytes_of(msg, 32), text, &fail), DR_OK);
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"

static const struct {
	const char *name, *hex;
	enum dr_err err;
	const char *what;
} bad_keys[] = {
	{ "infinity", "c000" ZEROS "0000", DR_ERR_PROOF, "a point of G1 is infinity" },
	{ "infinity with other bits", "c000" ZEROS "0100", DR_ERR_SYNTAX, "infinity of G1 with other bits" },
	{ "not compressed", "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
	  DR_ERR_SYNTAX, "a point of G1 is not compressed" },
	{ "x = p", "9a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
	  DR_ERR_NONCANONICAL, "x of a point of G1 is not below p" },
	{ "no point", "8000" ZEROS "0001", DR_ERR_PROOF, "no point of G1's curve has this x" },
	{ "of order 3", "8000" ZEROS "0000", DR_ERR_PROOF, "a key outside the subgroup of order r" },
}, bad_signatures[] = {
	{ "infinity", "c000" ZEROS "00000000" ZEROS "0000", DR_ERR_PROOF, "a point of G2 is infinity" },
	{ "infinity with other bits", "e000" ZEROS "00000000" ZEROS "0000", DR_ERR_PROOF, "infinity of G2 with other bits" },
	{ "not compressed", "0000" ZEROS "00000000" ZEROS "0000", DR_ERR_PROOF, "a point of G2 is not compressed" },
	{ "c1 = p", "9a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
		    "0000" ZEROS "0000", DR_ERR_PROOF, "x of a point of G2 is not below p" },
	{ "no point", "8000" ZEROS "00000000" ZEROS "0000", DR_ERR_PROOF, "no point of G2's curve has this x" },
	{ "of no subgroup", "8000" ZEROS "00000000" ZEROS "0002", DR_ERR_PROOF, "a signature outside the subgroup of order r" },
};

/* One by one, and among good keys, where the place is told. */
static void test_no_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_keys) / sizeof(bad_keys[0]); i++) {
		const struct dr_bytes text = kit_hex(bad_keys[i].hex);
		struct dr_fail fail = { 0 };
		struct dr_bls_key key, keys[4];
		uint8_t texts[4][DR_BLS_KEY_LEN];

		memset(&key, 0xaa, sizeof(key));
		if (dr_bls_key_get(&key, text.ptr, &fail) != bad_keys[i].err)
			fail_msg("%s", bad_keys[i].name);
		kit_assert_fail(bad_keys[i].err, &fail);
		assert_string_equal(fail.what, bad_keys[i].what);
		assert_true(dr_bytes_zero(&key, sizeof(key)));
		for (size_t at = 0; at < 4; at++) {
			for (size_t k = 0; k < 4; k++)
				memcpy(texts[k], k == at ? text.ptr : kit_hex(BLS_G1).ptr, DR_BLS_KEY_LEN);
			fail = (struct dr_fail){ 0 };
			memset(keys, 0xaa, sizeof(keys));
			assert_int_equal(dr_bls_keys_get(keys, 4, texts[0], &fail), bad_keys[i].err);
			assert_int_equal(fail.at, at);
			assert_string_equal(fail.what, bad_keys[i].what);
			assert_true(dr_bytes_zero(keys, sizeof(keys)));
		}
	}
}

static void test_no_signatures(void **state)
{
	struct signer s;
	struct dr_bls_sum sum;
	uint64_t seed = 6;
	const struct dr_bytes msg = dr_bytes_of("m", 1);

	(void)state;
	make_signer(&s, &seed);
	dr_bls_sum_zero(&sum);
	dr_bls_sum_add(&sum, &s.key);
	for (size_t i = 0; i < sizeof(bad_signatures) / sizeof(bad_signatures[0]); i++) {
		const struct dr_bytes text = kit_hex(bad_signatures[i].hex);
		struct dr_fail fail = { 0 };

		assert_int_equal(text.len, DR_BLS_SIGNATURE_LEN);
		assert_int_equal(dr_bls_verify_sum(&sum, msg, text.ptr, &fail), bad_signatures[i].err);
		assert_string_equal(fail.what, bad_signatures[i].what);
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_bls_verify_many(&s.key, &msg, 1, text.ptr, &fail), bad_signatures[i].err);
		assert_string_equal(fail.what, bad_signatures[i].what);
	}
}

/* Two keys that each hold a part of order 3, which their sum does not: both are refused. So is a good signature with
 * such a part. */
static void test_parts_that_cancel(void **state)
{
	struct signer s;
	struct dr_g1 three = bls_g1_of("8000" ZEROS "0000"), one, two;
	struct dr_fail fail = { 0 };
	uint8_t texts[2][DR_BLS_KEY_LEN];
	struct dr_bls_key keys[2];
	uint64_t seed = 7;

	(void)state;
	make_signer(&s, &seed);
	memcpy(&one, &s.key, sizeof(s.key));
	one.z = dr_fp_one;
	two = one;
	dr_g1_add(&one, &one, &three);
	dr_g1_neg(&three, &three);
	dr_g1_add(&two, &two, &three);
	const struct dr_g1_affine a = bls_g1_affine(&one), b = bls_g1_affine(&two);

	dr_g1_put(texts[0], &a);
	dr_g1_put(texts[1], &b);
	assert_int_equal(dr_bls_keys_get(keys, 2, texts[0], &fail), DR_ERR_PROOF);
	assert_int_equal(fail.at, 0);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_bls_key_get(keys, texts[1], &fail), DR_ERR_PROOF);
	assert_string_equal(fail.what, "a key outside the subgroup of order r");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors_verify),
		cmocka_unit_test(test_vectors_fast_aggregate),
		cmocka_unit_test(test_vectors_aggregate_verify),
		cmocka_unit_test(test_vectors_aggregate),
		cmocka_unit_test(test_vectors_sign),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_sum_is_key),
		cmocka_unit_test(test_sum_of_none),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_no_keys),
		cmocka_unit_test(test_no_signatures),
		cmocka_unit_test(test_parts_that_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
