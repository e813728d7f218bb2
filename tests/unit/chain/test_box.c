/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/crypto/aead.h"
#include "chain/crypto/box.h"
#include "chain/crypto/hkdf.h"
#include "chain/crypto/x25519.h"

#define PLAIN "what is inside"
#define LEN   (sizeof(PLAIN) - 1)

static const uint8_t secret[32] = { 7, 7, 7, 1 };
static const struct dr_bytes context = { (const uint8_t *)"context", 7 };

static size_t seal(uint8_t box[static 128], const char *label)
{
	struct dr_fail fail = { 0 };
	uint8_t pub[32];
	size_t len;

	dr_x25519_public(pub, secret);
	assert_int_equal(dr_box_seal(box, 128, &len, pub, label, context, dr_bytes_of(PLAIN, LEN), &fail), DR_OK);
	assert_int_equal(len, LEN + DR_BOX_OVERHEAD);
	return len;
}

static void shut(enum dr_err expected, const uint8_t with[static 32], const char *label, struct dr_bytes associated,
		 struct dr_bytes box)
{
	struct dr_fail fail = { 0 };
	uint8_t out[64] = { 0 };
	size_t len = 99;

	assert_int_equal(dr_box_open(out, sizeof(out), &len, with, label, associated, box, &fail), expected);
	kit_assert_fail(expected, &fail);
	assert_int_equal(len, 0);
	assert_true(dr_bytes_zero(out, sizeof(out)));
}

static void test_round(void **state)
{
	uint8_t box[128], again[128], out[64], other[32] = { 9 };
	struct dr_fail fail = { 0 };
	size_t len;

	(void)state;
	const struct dr_bytes b = dr_bytes_of(box, seal(box, "use-v1"));

	assert_int_equal(dr_box_open(out, sizeof(out), &len, secret, "use-v1", context, b, &fail), DR_OK);
	assert_int_equal(len, LEN);
	assert_memory_equal(out, PLAIN, LEN);
	/* Nothing of it repeats: neither the key nor the nonce. */
	seal(again, "use-v1");
	assert_memory_not_equal(again, box, 32);
	assert_memory_not_equal(again + 32, box + 32, 24);
	assert_memory_not_equal(again + 56, box + 56, LEN);
	shut(DR_ERR_PROOF, other, "use-v1", context, b);
	shut(DR_ERR_PROOF, secret, "use-v2", context, b);
	shut(DR_ERR_PROOF, secret, "use-v", context, b);
	shut(DR_ERR_PROOF, secret, "use-v1", dr_bytes_of("contexT", 7), b);
	shut(DR_ERR_PROOF, secret, "use-v1", dr_bytes_of(NULL, 0), b);
	for (size_t cut = 0; cut < b.len; cut++)
		shut(cut < DR_BOX_OVERHEAD ? DR_ERR_SHORT : DR_ERR_PROOF, secret, "use-v1", context,
		     dr_bytes_of(box, cut));
	/* All but the highest bit of the ephemeral key, which X25519 ignores; the salt does not. */
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		box[bit / 8] ^= (uint8_t)(1u << bit % 8);
		shut(DR_ERR_PROOF, secret, "use-v1", context, b);
		box[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void test_limits(void **state)
{
	static const uint8_t zeros[32];
	struct dr_fail fail = { 0 };
	uint8_t box[128], out[64], pub[32];
	size_t len = 99;

	(void)state;
	dr_x25519_public(pub, secret);
	assert_int_equal(dr_box_seal(box, 71, &len, pub, "l", context, dr_bytes_of(NULL, 0), &fail), DR_ERR_LIMIT);
	assert_int_equal(len, 0);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_box_seal(box, 72, &len, pub, "l", context, dr_bytes_of("x", 1), &fail), DR_ERR_LIMIT);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_box_seal(box, 72, &len, pub, "l", context, dr_bytes_of(NULL, 0), &fail), DR_OK);
	assert_int_equal(len, 72); /* an empty box */
	assert_int_equal(dr_box_open(out, 0, &len, secret, "l", context, dr_bytes_of(box, 72), &fail), DR_OK);
	assert_int_equal(len, 0);
	assert_int_equal(dr_box_seal(box, sizeof(box), &len, zeros, "l", context, dr_bytes_of("x", 1), &fail),
			 DR_ERR_PROOF);
	assert_int_equal(len, 0);
	fail = (struct dr_fail){ 0 };
	seal(box, "l");
	assert_int_equal(dr_box_open(out, LEN - 1, &len, secret, "l", context, dr_bytes_of(box, LEN + 72), &fail),
			 DR_ERR_LIMIT);
	/* An ephemeral key of small order would open for everybody. */
	memset(box, 0, 32);
	shut(DR_ERR_PROOF, secret, "l", context, dr_bytes_of(box, LEN + 72));
}

/* The form written out again. */
static void test_by_hand(void **state)
{
	static const uint8_t ephemeral[32] = { 3, 1, 4 };
	struct dr_fail fail = { 0 };
	uint8_t box[128], salt[64], shared[32], key[32], out[64];
	size_t len;

	(void)state;
	dr_x25519_public(salt, ephemeral);
	dr_x25519_public(salt + 32, secret);
	assert_int_equal(dr_x25519_shared(shared, ephemeral, salt + 32, &fail), DR_OK);
	dr_hkdf_sha512(key, 32, dr_bytes_of(shared, 32), dr_bytes_of(salt, 64), dr_bytes_of("derot-box-v1use-v1", 18),
		       &fail);
	memcpy(box, salt, 32);
	memset(box + 32, 5, 24);
	dr_aead_seal(box + 56, dr_bytes_of(PLAIN, LEN), context, box + 32, key);
	assert_int_equal(
		dr_box_open(out, sizeof(out), &len, secret, "use-v1", context, dr_bytes_of(box, LEN + 72), &fail),
		DR_OK);
	assert_memory_equal(out, PLAIN, LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
