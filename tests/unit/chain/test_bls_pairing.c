/* SPDX-License-Identifier: Apache-2.0
 *
 * The tower, and the pairing on it: against powers done slowly, bilinearity, and EIP-2537's vectors.
 */
#include "tests/unit/chain/bls_kit.h"

#include "chain/bls/pairing.h"

#define ROUNDS 10u

/* 3 (p^4 - p^2 + 1) / r */
static const char hard_part[] =
	"2e3941b88177054237aa494c159cdc7b69b9acc2cc45eabcf13296f7a83fce8d69012b6d183f47e3ae662e47a24ea0b0"
	"f5836ba82b62de877c5e22f26394116163cbf00bf566e46c9ae9625394f5946a6a2b0ab1c4752637d47f639b68a630b4"
	"15c7da454d48638c72178bc76a791c6574220c23e5b6cc8a65dbc1cc35fe5a554e727d129be6a3b116bba59a18123aef"
	"cb3800a61a66d5af444bdcaaab2f6b";

static void some_fp12(struct dr_fp12 *out, uint64_t *seed)
{
	struct dr_fp2 *const parts[] = {
		&out->c0.c0, &out->c0.c1, &out->c0.c2, &out->c1.c0, &out->c1.c1, &out->c1.c2
	};

	for (size_t i = 0; i < 6; i++)
		bls_random_fp2(parts[i], seed);
}

static void slow_power(struct dr_fp12 *out, const struct dr_fp12 *a, struct dr_bytes exponent)
{
	const struct dr_fp12 in = *a;

	*out = dr_fp12_one;
	for (size_t i = 0; i < 8 * exponent.len; i++) {
		dr_fp12_mul(out, out, out);
		if ((exponent.ptr[i / 8] >> (7 - i % 8) & 1) == 1)
			dr_fp12_mul(out, out, &in);
	}
}

/* f^((p^6 - 1)(p^2 + 1)): into the cyclotomic subgroup. */
static void easy_part(struct dr_fp12 *out, const struct dr_fp12 *f)
{
	struct dr_fp12 inv, t;

	dr_fp12_inv(&inv, f);
	dr_fp12_conj(&t, f);
	dr_fp12_mul(&t, &t, &inv);
	dr_fp12_frob2(out, &t);
	dr_fp12_mul(out, out, &t);
}

/* ---- the tower ---- */

/* Products of sums are sums of products; w^2 = v, v^3 = xi. */
static void test_ring(void **state)
{
	uint64_t seed = 1;
	struct dr_fp12 w = { .c1.c0.c0 = dr_fp_one }, v = { .c0.c1.c0 = dr_fp_one },
		       xi = { .c0.c0 = { dr_fp_one, dr_fp_one } };
	struct dr_fp12 t;

	(void)state;
	dr_fp12_sqr(&t, &w);
	assert_true(dr_fp12_eq(&t, &v));
	dr_fp12_mul(&t, &v, &v);
	dr_fp12_mul(&t, &t, &v);
	assert_true(dr_fp12_eq(&t, &xi));
	for (size_t i = 0; i < ROUNDS; i++) {
		struct dr_fp12 a, b, c, s, x, y;

		some_fp12(&a, &seed);
		some_fp12(&b, &seed);
		some_fp12(&c, &seed);
		dr_fp6_add(&s.c0, &b.c0, &c.c0);
		dr_fp6_add(&s.c1, &b.c1, &c.c1);
		dr_fp12_mul(&s, &a, &s);
		dr_fp12_mul(&x, &a, &b);
		dr_fp12_mul(&y, &c, &a);
		dr_fp6_add(&x.c0, &x.c0, &y.c0);
		dr_fp6_add(&x.c1, &x.c1, &y.c1);
		assert_true(dr_fp12_eq(&s, &x));
		dr_fp12_mul(&x, &a, &b);
		dr_fp12_mul(&x, &x, &c);
		dr_fp12_mul(&y, &b, &c);
		dr_fp12_mul(&y, &a, &y);
		assert_true(dr_fp12_eq(&x, &y));
		dr_fp12_sqr(&x, &a);
		dr_fp12_mul(&y, &a, &a);
		assert_true(dr_fp12_eq(&x, &y));
		dr_fp12_inv(&x, &a);
		dr_fp12_mul(&x, &x, &a);
		assert_true(dr_fp12_eq(&x, &dr_fp12_one));
		dr_fp6_mul_v(&x.c0, &a.c0);
		dr_fp6_mul(&y.c0, &a.c0, &v.c0);
		assert_memory_equal(&x.c0, &y.c0, sizeof(x.c0));
	}
	memset(&t, 0, sizeof(t));
	dr_fp12_inv(&w, &t);
	assert_true(dr_fp12_eq(&w, &t));
}

static void test_frobenius(void **state)
{
	uint64_t seed = 2;
	struct dr_fp12 a, b, x;

	(void)state;
	some_fp12(&a, &seed);
	slow_power(&b, &a, kit_hex(BLS_P));
	dr_fp12_frob(&x, &a);
	assert_true(dr_fp12_eq(&x, &b));
	dr_fp12_frob(&x, &x);
	dr_fp12_frob2(&b, &a);
	assert_true(dr_fp12_eq(&x, &b));
	dr_fp12_frob2(&b, &b);
	dr_fp12_frob2(&b, &b);
	dr_fp12_conj(&x, &a);
	assert_true(dr_fp12_eq(&x, &b));
}

static void test_cyclotomic(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct dr_fp12 a, x, y;

		some_fp12(&a, &seed);
		easy_part(&a, &a);
		dr_fp12_sqr_cyclotomic(&x, &a);
		dr_fp12_sqr(&y, &a);
		assert_true(dr_fp12_eq(&x, &y));
		dr_fp12_sqr_cyclotomic(&a, &a);
		assert_true(dr_fp12_eq(&a, &y));
	}
}

static void test_lines(void **state)
{
	uint64_t seed = 4;

	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct dr_fp12_line one, two;
		struct dr_fp12 a, l = { 0 }, m = { 0 }, x, y;

		some_fp12(&a, &seed);
		bls_random_fp2(&one.a, &seed);
		bls_random_fp2(&one.b, &seed);
		bls_random_fp2(&one.c, &seed);
		bls_random_fp2(&two.a, &seed);
		bls_random_fp2(&two.b, &seed);
		bls_random_fp2(&two.c, &seed);
		l.c0.c0 = one.a;
		l.c0.c1 = one.b;
		l.c1.c1 = one.c;
		m.c0.c0 = two.a;
		m.c0.c1 = two.b;
		m.c1.c1 = two.c;
		dr_fp12_mul(&y, &a, &l);
		dr_fp12_mul_line(&x, &a, &one);
		assert_true(dr_fp12_eq(&x, &y));
		dr_fp12_mul(&y, &y, &m);
		dr_fp12_mul_lines(&x, &a, &one, &two);
		assert_true(dr_fp12_eq(&x, &y));
		dr_fp12_mul_lines(&a, &a, &one, &two);
		assert_true(dr_fp12_eq(&a, &y));
	}
}

static void test_final(void **state)
{
	uint64_t seed = 5;
	struct dr_fp12 a, x, y;

	(void)state;
	some_fp12(&a, &seed);
	dr_pairing_final(&x, &a);
	easy_part(&y, &a);
	slow_power(&y, &y, kit_hex(hard_part));
	assert_true(dr_fp12_eq(&x, &y));
	slow_power(&y, &x, kit_hex(BLS_ORDER));
	assert_true(dr_fp12_eq(&y, &dr_fp12_one));
}

/* ---- the pairing ---- */

static void pair(struct dr_fp12 *out, const struct dr_g1 *p, const struct dr_g2 *q)
{
	const struct dr_g1_affine pa = bls_g1_affine(p);
	const struct dr_g2_affine qa = bls_g2_affine(q);
	struct dr_fp12 f;

	dr_pairing_miller(&f, &pa, &qa, 1);
	dr_pairing_final(out, &f);
}

/* e(a P, b Q) = e(P, Q)^(a b), which is not one; its order is r. */
static void test_bilinear(void **state)
{
	const struct dr_g1 p = bls_g1_of(BLS_G1);
	const struct dr_g2 q = bls_g2_of(BLS_G2);
	uint64_t seed = 6;
	struct dr_fp12 e, x, y;

	(void)state;
	pair(&e, &p, &q);
	assert_false(dr_fp12_eq(&e, &dr_fp12_one));
	slow_power(&x, &e, kit_hex(BLS_ORDER));
	assert_true(dr_fp12_eq(&x, &dr_fp12_one));
	for (size_t i = 0; i < 3; i++) {
		uint8_t a[16], b[16];
		struct dr_g1 ap;
		struct dr_g2 bq;

		bls_random_bytes(a, 16, &seed);
		bls_random_bytes(b, 16, &seed);
		bls_g1_mul(&ap, &p, dr_bytes_of(a, 16));
		bls_g2_mul(&bq, &q, dr_bytes_of(b, 16));
		pair(&x, &ap, &bq);
		slow_power(&y, &e, dr_bytes_of(a, 16));
		slow_power(&y, &y, dr_bytes_of(b, 16));
		assert_true(dr_fp12_eq(&x, &y));
	}
}

/* Every number of pairs: the product of loops run one by one. */
static void test_many(void **state)
{
	struct dr_g1 p = bls_g1_of(BLS_G1);
	struct dr_g2 q = bls_g2_of(BLS_G2);
	struct dr_g1_affine ps[DR_PAIRING_MAX];
	struct dr_g2_affine qs[DR_PAIRING_MAX];
	struct dr_fp12 product = dr_fp12_one, one, x, y;

	(void)state;
	for (size_t num = 1; num <= DR_PAIRING_MAX; num++) {
		const uint8_t times = (uint8_t)(num + 1);

		bls_g1_mul(&p, &p, dr_bytes_of(&times, 1));
		bls_g2_mul(&q, &q, dr_bytes_of(&times, 1));
		ps[num - 1] = bls_g1_affine(&p);
		qs[num - 1] = bls_g2_affine(&q);
		dr_pairing_miller(&one, &ps[num - 1], &qs[num - 1], 1);
		dr_fp12_mul(&product, &product, &one);
		dr_pairing_miller(&x, ps, qs, num);
		dr_pairing_final(&x, &x);
		dr_pairing_final(&y, &product);
		assert_true(dr_fp12_eq(&x, &y));
	}
}

/* vectors/02-bls/eip2537/pairing_check_bls.json: is the product one? Pairs with infinity count as one. */
static void test_eip2537(void **state)
{
	json_t *rows = kit_vector("02-bls/eip2537/pairing_check_bls.json"), *row;
	size_t i, ones = 0;

	(void)state;
	assert_true(json_array_size(rows) > 0);
	json_array_foreach(rows, i, row)
	{
		const struct dr_bytes in = bls_eip_bytes(row, "Input"), expected = bls_eip_bytes(row, "Expected");
		struct dr_g1_affine p[DR_PAIRING_MAX];
		struct dr_g2_affine q[DR_PAIRING_MAX];
		struct dr_fp12 f = dr_fp12_one;
		size_t num = 0;

		assert_true(in.len % 384 == 0 && in.len / 384 <= DR_PAIRING_MAX);
		for (size_t at = 0; at < in.len; at += 384) {
			struct dr_g1 g1;
			struct dr_g2 g2;

			bls_eip_g1(&g1, in.ptr + at);
			bls_eip_g2(&g2, in.ptr + at + 128);
			if (dr_g1_is_infinity(&g1) || dr_g2_is_infinity(&g2))
				continue;
			p[num] = bls_g1_affine(&g1);
			q[num] = bls_g2_affine(&g2);
			assert_true(dr_g1_is_in_subgroup(&p[num]) && dr_g2_is_in_subgroup(&q[num]));
			num++;
		}
		if (num > 0)
			dr_pairing_miller(&f, p, q, num);
		dr_pairing_final(&f, &f);
		const bool is_one = dr_fp12_eq(&f, &dr_fp12_one);

		if (is_one != (expected.ptr[31] == 1))
			fail_msg("%s", json_string_value(json_object_get(row, "Name")));
		ones += is_one;
	}
	assert_true(ones > 0 && ones < json_array_size(rows));
	json_decref(rows);
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
		cmocka_unit_test(test_ring),  cmocka_unit_test(test_frobenius), cmocka_unit_test(test_cyclotomic),
		cmocka_unit_test(test_lines), cmocka_unit_test(test_final),     cmocka_unit_test(test_bilinear),
		cmocka_unit_test(test_many),  cmocka_unit_test(test_eip2537),
	};

	return cmocka_run_group_tests(tests, with_fastest, NULL);
}
