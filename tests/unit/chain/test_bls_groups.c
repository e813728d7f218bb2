/* SPDX-License-Identifier: Apache-2.0
 *
 * G1 and G2: EIP-2537's sums and products, the laws, subgroups against multiplication by r, encodings.
 */
#include "tests/unit/chain/bls_kit.h"

#define ROUNDS 12u

/* ---- sums and products: vectors/02-bls/eip2537 ---- */

static void test_eip_g1(void **state)
{
	json_t *adds = kit_vector("02-bls/eip2537/add_G1_bls.json"),
	       *muls = kit_vector("02-bls/eip2537/mul_G1_bls.json");
	json_t *row;
	size_t i;

	(void)state;
	assert_true(json_array_size(adds) > 0 && json_array_size(muls) > 0);
	json_array_foreach(adds, i, row)
	{
		const struct dr_bytes in = bls_eip_bytes(row, "Input");
		struct dr_g1 p, q, sum, want;

		bls_eip_g1(&p, in.ptr);
		bls_eip_g1(&q, in.ptr + 128);
		bls_eip_g1(&want, bls_eip_bytes(row, "Expected").ptr);
		dr_g1_add(&sum, &p, &q);
		if (!bls_g1_eq(&sum, &want))
			fail_msg("%s", json_string_value(json_object_get(row, "Name")));
		if (dr_g1_is_infinity(&q))
			continue;
		const struct dr_g1_affine qa = bls_g1_affine(&q);

		dr_g1_add_affine(&sum, &p, &qa);
		assert_true(bls_g1_eq(&sum, &want));
	}
	json_array_foreach(muls, i, row)
	{
		const struct dr_bytes in = bls_eip_bytes(row, "Input");
		struct dr_g1 p, product, want;

		bls_eip_g1(&p, in.ptr);
		bls_eip_g1(&want, bls_eip_bytes(row, "Expected").ptr);
		bls_g1_mul(&product, &p, dr_bytes_of(in.ptr + 128, 32));
		if (!bls_g1_eq(&product, &want))
			fail_msg("%s", json_string_value(json_object_get(row, "Name")));
	}
	json_decref(adds);
	json_decref(muls);
}

static void test_eip_g2(void **state)
{
	json_t *adds = kit_vector("02-bls/eip2537/add_G2_bls.json"),
	       *muls = kit_vector("02-bls/eip2537/mul_G2_bls.json");
	json_t *row;
	size_t i;

	(void)state;
	assert_true(json_array_size(adds) > 0 && json_array_size(muls) > 0);
	json_array_foreach(adds, i, row)
	{
		const struct dr_bytes in = bls_eip_bytes(row, "Input");
		struct dr_g2 p, q, sum, want;

		bls_eip_g2(&p, in.ptr);
		bls_eip_g2(&q, in.ptr + 256);
		bls_eip_g2(&want, bls_eip_bytes(row, "Expected").ptr);
		dr_g2_add(&sum, &p, &q);
		if (!bls_g2_eq(&sum, &want))
			fail_msg("%s", json_string_value(json_object_get(row, "Name")));
		if (dr_g2_is_infinity(&q))
			continue;
		const struct dr_g2_affine qa = bls_g2_affine(&q);

		dr_g2_add_affine(&sum, &p, &qa);
		assert_true(bls_g2_eq(&sum, &want));
	}
	json_array_foreach(muls, i, row)
	{
		const struct dr_bytes in = bls_eip_bytes(row, "Input");
		struct dr_g2 p, product, want;

		bls_eip_g2(&p, in.ptr);
		bls_eip_g2(&want, bls_eip_bytes(row, "Expected").ptr);
		bls_g2_mul(&product, &p, dr_bytes_of(in.ptr + 256, 32));
		if (!bls_g2_eq(&product, &want))
			fail_msg("%s", json_string_value(json_object_get(row, "Name")));
	}
	json_decref(adds);
	json_decref(muls);
}

/* ---- laws ---- */

#define X_ABS "d201000000010000"

/* Points of the whole curves, whatever their subgroup: the next x that is of one. */
static void some_g1(struct dr_g1 *out, uint64_t *seed)
{
	struct dr_g1_affine point;
	uint8_t text[DR_G1_LEN];

	for (;;) {
		struct dr_fail fail = { 0 };

		bls_random_bytes(text, sizeof(text), seed);
		text[0] = (uint8_t)((text[0] & 0x2f) | 0x80);
		if (dr_g1_get(&point, text, &fail) == DR_OK)
			break;
	}
	dr_g1_of_affine(out, &point);
}

static void some_g2(struct dr_g2 *out, uint64_t *seed)
{
	struct dr_g2_affine point;
	uint8_t text[DR_G2_LEN];

	for (;;) {
		struct dr_fail fail = { 0 };

		bls_random_bytes(text, sizeof(text), seed);
		text[0] = (uint8_t)((text[0] & 0x2f) | 0x80);
		text[48] &= 0x0f;
		if (dr_g2_get(&point, text, &fail) == DR_OK)
			break;
	}
	dr_g2_of_affine(out, &point);
}

static void test_laws_g1(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct dr_g1 p, q, t, x, y, minus;

		some_g1(&p, &seed);
		some_g1(&q, &seed);
		some_g1(&t, &seed);
		dr_g1_add(&x, &p, &q);
		dr_g1_add(&x, &x, &t);
		dr_g1_add(&y, &q, &t);
		dr_g1_add(&y, &p, &y);
		assert_true(bls_g1_eq(&x, &y));
		dr_g1_neg(&minus, &t);
		dr_g1_add(&y, &y, &minus);
		dr_g1_add(&x, &q, &p);
		assert_true(bls_g1_eq(&x, &y));
		dr_g1_neg(&minus, &x);
		dr_g1_add(&y, &y, &minus);
		assert_true(dr_g1_is_infinity(&y));
		dr_g1_dbl(&y, &y);
		assert_true(dr_g1_is_infinity(&y));
		dr_g1_add(&y, &x, &x); /* equal, with one denominator, and with two */
		dr_g1_dbl(&t, &x);
		assert_true(bls_g1_eq(&y, &t));
		const struct dr_g1_affine xa = bls_g1_affine(&x);

		assert_true(dr_g1_is_on_curve(&xa));
		dr_g1_of_affine(&y, &xa);
		dr_g1_add(&y, &x, &y);
		assert_true(bls_g1_eq(&y, &t));
		dr_g1_add_affine(&y, &x, &xa);
		assert_true(bls_g1_eq(&y, &t));
		dr_g1_add_affine(&y, &minus, &xa);
		assert_true(dr_g1_is_infinity(&y));
		dr_g1_add_affine(&y, &y, &xa);
		assert_true(dr_g1_eq_affine(&y, &xa) && dr_g1_eq_affine(&x, &xa) && !dr_g1_eq_affine(&minus, &xa));
		dr_g1_mul_x(&y, &x);
		bls_g1_mul(&t, &x, kit_hex(X_ABS));
		assert_true(bls_g1_eq(&y, &t));
		dr_g1_mul_x_affine(&y, &xa);
		assert_true(bls_g1_eq(&y, &t));
	}
}

static void test_laws_g2(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct dr_g2 p, q, t, x, y, minus;

		some_g2(&p, &seed);
		some_g2(&q, &seed);
		some_g2(&t, &seed);
		dr_g2_add(&x, &p, &q);
		dr_g2_add(&x, &x, &t);
		dr_g2_add(&y, &q, &t);
		dr_g2_add(&y, &p, &y);
		assert_true(bls_g2_eq(&x, &y));
		dr_g2_neg(&minus, &x);
		dr_g2_add(&y, &y, &minus);
		assert_true(dr_g2_is_infinity(&y));
		const struct dr_g2_affine xa = bls_g2_affine(&x);

		assert_true(dr_g2_is_on_curve(&xa));
		dr_g2_dbl(&t, &x);
		dr_g2_add_affine(&y, &x, &xa);
		assert_true(bls_g2_eq(&y, &t));
		dr_g2_add_affine(&y, &minus, &xa);
		assert_true(dr_g2_is_infinity(&y));
		dr_g2_mul_x(&y, &x);
		bls_g2_mul(&t, &x, kit_hex(X_ABS));
		assert_true(bls_g2_eq(&y, &t));
		dr_g2_mul_x_affine(&y, &xa);
		assert_true(bls_g2_eq(&y, &t));
		/* psi^2 - t psi + p = 0 with t = x + 1: psi^2(P) + [p] P = [x + 1] psi(P) */
		dr_g2_psi(&y, &x);
		dr_g2_mul_x(&t, &y);
		dr_g2_neg(&t, &t);
		dr_g2_add(&t, &t, &y);
		dr_g2_psi(&y, &y);
		bls_g2_mul(&p, &x, kit_hex(BLS_P));
		dr_g2_add(&y, &y, &p);
		assert_true(bls_g2_eq(&y, &t));
		/* into G2, and what is of it too: h_eff is no multiple of r */
		dr_g2_clear_cofactor(&y, &x);
		const struct dr_g2_affine ya = bls_g2_affine(&y);

		assert_true(dr_g2_is_in_subgroup(&ya));
		bls_g2_mul(&t, &y, kit_hex(BLS_ORDER));
		assert_true(dr_g2_is_infinity(&t));
		bls_g2_mul(&t, &x,
			   kit_hex("0bc69f08f2ee75b3584c6a0ea91b352888e2a8e9145ad7689986ff031508ffe1329c2f178731db956"
				   "d82bf015d12"
				   "12b02ec0ec69d7477c1ae954cbc06689f6a359894c0adebbf6b4e8020005aaa95551"));
		assert_true(bls_g2_eq(&y, &t));
	}
}

/* ---- subgroups ---- */

/* 1 / h of random points, their parts of order h, sums of both kinds; (0, 2) is of order 3. */
static void test_subgroup_g1(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct dr_g1 p, part, good, sum, three;

		some_g1(&p, &seed);
		const struct dr_g1_affine pa = bls_g1_affine(&p);

		bls_g1_mul(&part, &p, kit_hex(BLS_ORDER));
		assert_int_equal(dr_g1_is_in_subgroup(&pa), dr_g1_is_infinity(&part));
		/* (x - 1)^2 / 3 */
		bls_g1_mul(&good, &p, kit_hex("396c8c005555e1568c00aaab0000aaab"));
		const struct dr_g1_affine ga = bls_g1_affine(&good), bad = bls_g1_affine(&part);

		assert_true(dr_g1_is_in_subgroup(&ga));
		assert_false(dr_g1_is_in_subgroup(&bad));
		dr_g1_add(&sum, &good, &part);
		const struct dr_g1_affine sa = bls_g1_affine(&sum);

		assert_false(dr_g1_is_in_subgroup(&sa));
		three = bls_g1_of("8000000000000000000000000000000000000000000000000000000000000000000000000000000000"
				  "00000000000000");
		dr_g1_add(&sum, &good, &three);
		const struct dr_g1_affine ta = bls_g1_affine(&three), ts = bls_g1_affine(&sum);

		assert_false(dr_g1_is_in_subgroup(&ta));
		assert_false(dr_g1_is_in_subgroup(&ts));
	}
}

static void test_subgroup_g2(void **state)
{
	uint64_t seed = 4;

	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct dr_g2 p, part, good, sum;

		some_g2(&p, &seed);
		const struct dr_g2_affine pa = bls_g2_affine(&p);

		bls_g2_mul(&part, &p, kit_hex(BLS_ORDER));
		assert_int_equal(dr_g2_is_in_subgroup(&pa), dr_g2_is_infinity(&part));
		dr_g2_clear_cofactor(&good, &p);
		const struct dr_g2_affine ga = bls_g2_affine(&good), bad = bls_g2_affine(&part);

		assert_true(dr_g2_is_in_subgroup(&ga));
		assert_false(dr_g2_is_in_subgroup(&bad));
		dr_g2_add(&sum, &good, &part);
		const struct dr_g2_affine sa = bls_g2_affine(&sum);

		assert_false(dr_g2_is_in_subgroup(&sa));
	}
}

/* ---- encodings ---- */

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"

/* x = 1 is of no point of G1's curve: 5 is no square. */
static const struct {
	const char *name, *hex;
	enum dr_err err;
} g1_rows[] = {
	{ "the generator", BLS_G1, DR_OK },
	{ "its opposite", "b7f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
	  DR_OK },
	{ "not said to be compressed",
	  "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
	  DR_ERR_SYNTAX },
	{ "all zeros", "0000" ZEROS "0000", DR_ERR_SYNTAX },
	{ "infinity, not compressed", "4000" ZEROS "0000", DR_ERR_SYNTAX },
	{ "infinity", "c000" ZEROS "0000", DR_ERR_PROOF },
	{ "infinity with a sign", "e000" ZEROS "0000", DR_ERR_SYNTAX },
	{ "infinity with an x", "c000" ZEROS "0001", DR_ERR_SYNTAX },
	{ "infinity with a high x", "c100" ZEROS "0000", DR_ERR_SYNTAX },
	{ "no point", "8000" ZEROS "0001", DR_ERR_PROOF },
	{ "x = p", "9a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
	  DR_ERR_NONCANONICAL },
	{ "x + p, of (0, 2)", "ba0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
	  DR_ERR_NONCANONICAL },
	{ "x = 2^381 - 1", "9fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	  DR_ERR_NONCANONICAL },
}, g2_rows[] = {
	{ "the generator", BLS_G2, DR_OK },
	{ "not said to be compressed", "0000" ZEROS "00000000" ZEROS "0000", DR_ERR_SYNTAX },
	{ "infinity", "c000" ZEROS "00000000" ZEROS "0000", DR_ERR_PROOF },
	{ "infinity with a sign", "e000" ZEROS "00000000" ZEROS "0000", DR_ERR_SYNTAX },
	{ "infinity with an x", "c000" ZEROS "00000000" ZEROS "0001", DR_ERR_SYNTAX },
	{ "no point", "8000" ZEROS "00000000" ZEROS "0000", DR_ERR_PROOF },
	{ "c1 = p", "9a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
		    "0000" ZEROS "0000", DR_ERR_NONCANONICAL },
	{ "c0 = p", "8000" ZEROS "0000"
		    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
	  DR_ERR_NONCANONICAL },
	{ "flags in c0", "8000" ZEROS "0000" "8000" ZEROS "0002", DR_ERR_NONCANONICAL },
};

static void test_encodings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(g1_rows) / sizeof(g1_rows[0]); i++) {
		const struct dr_bytes text = kit_hex(g1_rows[i].hex);
		struct dr_fail fail = { 0 };
		struct dr_g1_affine p;
		uint8_t again[DR_G1_LEN];

		memset(&p, 0xaa, sizeof(p));
		assert_int_equal(text.len, DR_G1_LEN);
		if (dr_g1_get(&p, text.ptr, &fail) != g1_rows[i].err)
			fail_msg("%s", g1_rows[i].name);
		kit_assert_fail(g1_rows[i].err, &fail);
		if (g1_rows[i].err != DR_OK) {
			assert_true(dr_bytes_zero(&p, sizeof(p)));
			continue;
		}
		dr_g1_put(again, &p);
		assert_memory_equal(again, text.ptr, DR_G1_LEN);
	}
	for (size_t i = 0; i < sizeof(g2_rows) / sizeof(g2_rows[0]); i++) {
		const struct dr_bytes text = kit_hex(g2_rows[i].hex);
		struct dr_fail fail = { 0 };
		struct dr_g2_affine p;
		uint8_t again[DR_G2_LEN];

		memset(&p, 0xaa, sizeof(p));
		assert_int_equal(text.len, DR_G2_LEN);
		if (dr_g2_get(&p, text.ptr, &fail) != g2_rows[i].err)
			fail_msg("%s", g2_rows[i].name);
		kit_assert_fail(g2_rows[i].err, &fail);
		if (g2_rows[i].err != DR_OK) {
			assert_true(dr_bytes_zero(&p, sizeof(p)));
			continue;
		}
		dr_g2_put(again, &p);
		assert_memory_equal(again, text.ptr, DR_G2_LEN);
	}
}

/* What decodes is on the curve and encodes to the same; with the other sign it is the opposite. */
static void test_round_trips(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (size_t i = 0; i < 3 * ROUNDS; i++) {
		struct dr_g1 p;
		struct dr_g2 q;
		uint8_t text1[DR_G1_LEN], text2[DR_G2_LEN];
		struct dr_fail fail = { 0 };

		some_g1(&p, &seed);
		some_g2(&q, &seed);
		struct dr_g1_affine p1 = bls_g1_affine(&p), p2;
		struct dr_g2_affine q1 = bls_g2_affine(&q), q2;

		assert_true(dr_g1_is_on_curve(&p1) && dr_g2_is_on_curve(&q1));
		dr_g1_put(text1, &p1);
		dr_g2_put(text2, &q1);
		assert_int_equal(dr_g1_get(&p2, text1, &fail), DR_OK);
		assert_int_equal(dr_g2_get(&q2, text2, &fail), DR_OK);
		assert_memory_equal(&p1, &p2, sizeof(p1));
		assert_memory_equal(&q1, &q2, sizeof(q1));
		text1[0] ^= 0x20;
		text2[0] ^= 0x20;
		assert_int_equal(dr_g1_get(&p2, text1, &fail), DR_OK);
		assert_int_equal(dr_g2_get(&q2, text2, &fail), DR_OK);
		dr_fp_neg(&p2.y, &p2.y);
		dr_fp2_neg(&q2.y, &q2.y);
		assert_memory_equal(&p1, &p2, sizeof(p1));
		assert_memory_equal(&q1, &q2, sizeof(q1));
		dr_fp_add(&p1.y, &p1.y, &dr_fp_one);
		dr_fp_add(&q1.y.c1, &q1.y.c1, &dr_fp_one);
		assert_false(dr_g1_is_on_curve(&p1) || dr_g2_is_on_curve(&q1));
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
		cmocka_unit_test(test_eip_g1),      cmocka_unit_test(test_eip_g2),
		cmocka_unit_test(test_laws_g1),     cmocka_unit_test(test_laws_g2),
		cmocka_unit_test(test_subgroup_g1), cmocka_unit_test(test_subgroup_g2),
		cmocka_unit_test(test_encodings),   cmocka_unit_test(test_round_trips),
	};

	return cmocka_run_group_tests(tests, with_fastest, NULL);
}
