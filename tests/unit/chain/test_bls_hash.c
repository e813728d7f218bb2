/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashing to G2: RFC 9380's vectors (K.1, J.10.1, J.10.2), EIP-2537's map, bls12-381-tests' hash_to_G2. Those of G1
 * (J.9.1, J.9.2, EIP-2537's map_fp_to_G1) are of the other ciphersuite, with keys in G2: nothing here hashes to G1.
 */
#include "tests/unit/chain/bls_kit.h"

#include <stdio.h>
#include <stdlib.h>

#include "chain/bls/hash.h"
#include "chain/crypto/sha256.h"

static struct dr_bytes text_of(const json_t *value)
{
	assert_non_null(json_string_value(value));
	return dr_bytes_of(json_string_value(value), json_string_length(value));
}

/* "0x…,0x…": c0 and c1. */
static void fp2_of(struct dr_fp2 *out, const json_t *value)
{
	const char *text = json_string_value(value);

	assert_non_null(text);
	assert_int_equal(strlen(text), 2 * 98 + 1);
	assert_true(memcmp(text, "0x", 2) == 0 && memcmp(text + 98, ",0x", 3) == 0);
	char part[97] = { 0 };

	memcpy(part, text + 2, 96);
	bls_fp(&out->c0, part);
	memcpy(part, text + 101, 96);
	bls_fp(&out->c1, part);
}

static void point_of(struct dr_g2_affine *out, const json_t *value)
{
	fp2_of(&out->x, json_object_get(value, "x"));
	fp2_of(&out->y, json_object_get(value, "y"));
}

/* ---- expand_message_xmd ---- */

static void expand(const char *path)
{
	json_t *file = kit_vector(path), *row;
	struct dr_bytes tag = text_of(json_object_get(file, "DST"));
	static const char oversize[] = "H2C-OVERSIZE-DST-";
	uint8_t hash[32], out[DR_HASH_EXPAND_MAX];
	size_t i;

	/* "5.3.3. Using DSTs Longer than 255 Bytes": whoever has one hashes it first. */
	if (tag.len > 255) {
		dr_sha256(hash, (struct dr_bytes[]){ dr_bytes_of(oversize, sizeof(oversize) - 1), tag }, 2);
		tag = dr_bytes_of(hash, 32);
	}
	assert_true(json_array_size(json_object_get(file, "tests")) > 0);
	json_array_foreach(json_object_get(file, "tests"), i, row)
	{
		const size_t len = (size_t)strtoul(json_string_value(json_object_get(row, "len_in_bytes")), NULL, 16);
		const struct dr_bytes want = kit_hex(json_string_value(json_object_get(row, "uniform_bytes")));

		assert_true(len <= sizeof(out) && want.len == len);
		dr_hash_expand(out, len, text_of(json_object_get(row, "msg")), tag);
		assert_memory_equal(out, want.ptr, len);
	}
	json_decref(file);
}

static void test_expand(void **state)
{
	(void)state;
	expand("02-bls/rfc9380/expand_message_xmd_SHA256_38.json");
	expand("02-bls/rfc9380/expand_message_xmd_SHA256_256.json");
}

/* Lengths at a block's edges: a shorter output is not the longer one's beginning, for its length is hashed too. */
static void test_expand_lengths(void **state)
{
	const struct dr_bytes msg = dr_bytes_of("m", 1), tag = dr_bytes_of("t", 1);
	static uint8_t longest[DR_HASH_EXPAND_MAX + 1], other[DR_HASH_EXPAND_MAX + 1];

	(void)state;
	memset(longest, 0, sizeof(longest));
	dr_hash_expand(longest, DR_HASH_EXPAND_MAX, msg, tag);
	assert_int_equal(longest[DR_HASH_EXPAND_MAX], 0);
	for (size_t len = 31; len < 34; len++) {
		memset(other, 0, sizeof(other));
		dr_hash_expand(other, len, msg, tag);
		assert_int_equal(other[len], 0);
		assert_memory_not_equal(other, longest, len);
	}
}

/* ---- maps ---- */

/* dr_hash_map of the elements, which for one message are two. */
static void test_rfc_two(void **state)
{
	json_t *file = kit_vector("02-bls/rfc9380/BLS12381G2_XMD_SHA-256_SSWU_RO_.json"), *row;
	const struct dr_bytes tag = text_of(json_object_get(file, "dst"));
	size_t i;

	(void)state;
	assert_true(json_array_size(json_object_get(file, "vectors")) > 0);
	json_array_foreach(json_object_get(file, "vectors"), i, row)
	{
		const struct dr_bytes msg = text_of(json_object_get(row, "msg"));
		struct dr_g2_affine q0, q1, p;
		struct dr_fp2 u[2], got;
		struct dr_g2 points[2], hash;
		uint8_t uniform[256];

		fp2_of(&u[0], json_array_get(json_object_get(row, "u"), 0));
		fp2_of(&u[1], json_array_get(json_object_get(row, "u"), 1));
		point_of(&q0, json_object_get(row, "Q0"));
		point_of(&q1, json_object_get(row, "Q1"));
		point_of(&p, json_object_get(row, "P"));
		dr_hash_expand(uniform, sizeof(uniform), msg, tag);
		for (size_t k = 0; k < 2; k++) {
			dr_fp_get_wide(&got.c0, uniform + 128 * k);
			dr_fp_get_wide(&got.c1, uniform + 128 * k + 64);
			assert_true(dr_fp2_eq(&got, &u[k]));
		}
		dr_hash_map(points, u);
		assert_true(dr_g2_eq_affine(&points[0], &q0));
		assert_true(dr_g2_eq_affine(&points[1], &q1));
		dr_hash_to_g2(&hash, msg, tag);
		assert_true(dr_g2_eq_affine(&hash, &p));
	}
	json_decref(file);
}

/* encode_to_curve: one element, mapped beside itself, and one whose map divides by zero. */
static void test_rfc_one(void **state)
{
	json_t *file = kit_vector("02-bls/rfc9380/BLS12381G2_XMD_SHA-256_SSWU_NU_.json"), *row;
	size_t i;

	(void)state;
	assert_true(json_array_size(json_object_get(file, "vectors")) > 0);
	json_array_foreach(json_object_get(file, "vectors"), i, row)
	{
		struct dr_g2_affine q, p;
		struct dr_fp2 u[2];
		struct dr_g2 points[2];

		fp2_of(&u[0], json_array_get(json_object_get(row, "u"), 0));
		u[1] = u[0];
		point_of(&q, json_object_get(row, "Q"));
		point_of(&p, json_object_get(row, "P"));
		dr_hash_map(points, u);
		assert_true(dr_g2_eq_affine(&points[0], &q) && dr_g2_eq_affine(&points[1], &q));
		dr_g2_clear_cofactor(&points[0], &points[0]);
		assert_true(dr_g2_eq_affine(&points[0], &p));
		u[1] = (struct dr_fp2){ 0 };
		dr_hash_map(points, u);
		assert_true(dr_g2_eq_affine(&points[0], &q));
	}
	json_decref(file);
}

static void test_eip2537(void **state)
{
	json_t *rows = kit_vector("02-bls/eip2537/map_fp2_to_G2_bls.json"), *row;
	size_t i;

	(void)state;
	assert_true(json_array_size(rows) > 0);
	json_array_foreach(rows, i, row)
	{
		struct dr_fp2 u[2] = { 0 };
		struct dr_g2 points[2], want;

		bls_eip_fp2(&u[0], bls_eip_bytes(row, "Input").ptr);
		bls_eip_g2(&want, bls_eip_bytes(row, "Expected").ptr);
		dr_hash_map(points, u);
		dr_g2_clear_cofactor(&points[0], &points[0]);
		if (!bls_g2_eq(&points[0], &want))
			fail_msg("%s", json_string_value(json_object_get(row, "Name")));
	}
	json_decref(rows);
}

/* Elements at which steps of the map go another way: 0 (step 1's inverse of 0), u^2 = -1 / Z if it is one (so too),
 * reals, multiples of u; -e maps to the opposite of what e maps to, and each is a point of the curve. */
static void test_map_edges(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < 30; i++) {
		struct dr_fp2 u[2] = { 0 };
		struct dr_g2 points[2];

		if (i % 3 != 1)
			bls_random_fp(&u[0].c0, &seed);
		if (i % 3 != 2)
			bls_random_fp(&u[0].c1, &seed);
		if (i == 0)
			u[0] = (struct dr_fp2){ 0 };
		dr_fp2_neg(&u[1], &u[0]);
		dr_hash_map(points, u);
		const struct dr_g2_affine p = bls_g2_affine(&points[0]);

		assert_true(dr_g2_is_on_curve(&p));
		if (i == 0) {
			assert_true(dr_g2_eq_affine(&points[1], &p));
			continue;
		}
		dr_g2_neg(&points[1], &points[1]);
		assert_true(dr_g2_eq_affine(&points[1], &p));
	}
}

static const char *const names[] = { "2782afaa8406d038", "7590bd067999bbfb", "a54942c8e365f378", "c938b486cf69e8f7" };

static void test_hash_to_g2(void **state)
{
	static const char suite[] = "QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_";

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[256];
		struct dr_g2_affine want;
		struct dr_g2 got;

		snprintf(path, sizeof(path), "02-bls/bls12-381-tests/hash_to_G2/hash_to_G2__%s.json", names[i]);
		json_t *file = kit_vector(path);

		point_of(&want, json_object_get(file, "output"));
		dr_hash_to_g2(&got, text_of(json_object_get(json_object_get(file, "input"), "msg")),
			      dr_bytes_of(suite, sizeof(suite) - 1));
		assert_true(dr_g2_eq_affine(&got, &want));
		json_decref(file);
	}
}

static int with_fastest(void **state)
{
	(void)state;
	dr_fp_choose();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),     cmocka_unit_test(test_expand_lengths),
		cmocka_unit_test(test_rfc_two),    cmocka_unit_test(test_rfc_one),
		cmocka_unit_test(test_eip2537),    cmocka_unit_test(test_map_edges),
		cmocka_unit_test(test_hash_to_g2),
	};

	return cmocka_run_group_tests(tests, with_fastest, NULL);
}
