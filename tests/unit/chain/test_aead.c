/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/crypto/aead.h"
#include "chain/crypto/secret.h"

/* draft-irtf-cfrg-xchacha-03, A.3.1. */
static const char plain[] =
	"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
	"sunscreen would be it.";
static const char associated[] = "50515253c0c1c2c3c4c5c6c7";
static const char key[] = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
static const char nonce[] = "404142434445464748494a4b4c4d4e4f5051525354555657";
static const char sealed[] = "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
			     "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
			     "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
			     "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";

static void test_vector(void **state)
{
	const struct dr_bytes expected = kit_hex(sealed);
	uint8_t out[256];
	struct dr_fail fail = { 0 };

	(void)state;
	dr_aead_seal(out, dr_bytes_of(plain, strlen(plain)), kit_hex(associated), kit_hex(nonce).ptr,
		     kit_hex(key).ptr);
	assert_int_equal(expected.len, strlen(plain) + DR_AEAD_TAG_LEN);
	assert_memory_equal(out, expected.ptr, expected.len);
	assert_int_equal(
		dr_aead_open(out, expected, kit_hex(associated), kit_hex(nonce).ptr, kit_hex(key).ptr, &fail), DR_OK);
	assert_memory_equal(out, plain, strlen(plain));
}

static void test_refused(void **state)
{
	const struct dr_bytes good = kit_hex(sealed);
	uint8_t copy[256], out[256];
	struct dr_fail fail;

	(void)state;
	memcpy(copy, good.ptr, good.len);
	for (size_t cut = 0; cut < good.len; cut++) {
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_aead_open(out, dr_bytes_of(copy, cut), kit_hex(associated), kit_hex(nonce).ptr,
					      kit_hex(key).ptr, &fail),
				 cut < DR_AEAD_TAG_LEN ? DR_ERR_SHORT : DR_ERR_PROOF);
	}
	for (size_t bit = 0; bit < good.len * 8; bit++) {
		fail = (struct dr_fail){ 0 };
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		memset(out, 0xee, sizeof(out));
		assert_int_equal(dr_aead_open(out, dr_bytes_of(copy, good.len), kit_hex(associated),
					      kit_hex(nonce).ptr, kit_hex(key).ptr, &fail),
				 DR_ERR_PROOF);
		assert_true(dr_bytes_zero(out, good.len - DR_AEAD_TAG_LEN));
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void test_secret(void **state)
{
	uint8_t *a = dr_secret_alloc(32), *b = dr_secret_alloc(32);

	(void)state;
	assert_non_null(a);
	assert_true(dr_bytes_zero(a, 32));
	dr_secret_random(a, 32);
	dr_secret_random(b, 32);
	assert_memory_not_equal(a, b, 32);
	dr_secret_wipe(a, 32);
	assert_true(dr_bytes_zero(a, 32));
	dr_secret_free(a);
	dr_secret_free(b);
	dr_secret_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
