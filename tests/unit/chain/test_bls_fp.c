/* SPDX-License-Identifier: Apache-2.0
 *
 * The field and its square: against sums alone, against the laws, and each kernel against the others.
 */
#include "tests/unit/chain/bls_kit.h"

#include "chain/bls/fp12.h"
#include "chain/bls/fp_impl.h"

#define ROUNDS 40u

/* Elements at whose edges words overflow: 0, 1, p - 1, (p - 1) / 2, all-one words, single bits; then random ones. */
static void some_fp(struct dr_fp *out, size_t i, uint64_t *seed)
{
	struct dr_fp one = dr_fp_one;

	switch (i) {
	case 0: *out = (struct dr_fp){ 0 }; return;
	case 1: *out = one; return;
	case 2: dr_fp_neg(out, &one); return;
	case 3:
		*out = (struct dr_fp){ { ~(uint64_t)0, ~(uint64_t)0, ~(uint64_t)0, ~(uint64_t)0, ~(uint64_t)0, 0 } };
		return;
	case 4: *out = (struct dr_fp){ { 0, 0, 0, 0, 0, (uint64_t)1 << 60 } }; return;
	case 5: *out = (struct dr_fp){ { 1 } }; return;
	case 6:
		*out = dr_fp_p;
		out->w[0]--;
		return;
	case 7:
		*out = dr_fp_p;
		out->w[5]--;
		return;
	}
	bls_random_fp(out, seed);
}

/* a b of additions only: the bits of the number b, from the highest. */
static void slow_mul(struct dr_fp *out, const struct dr_fp *a, const struct dr_fp *b)
{
	uint8_t bits[DR_FP_LEN];

	dr_fp_put(bits, b);
	*out = (struct dr_fp){ 0 };
	for (size_t i = 0; i < 8 * DR_FP_LEN; i++) {
		dr_fp_dbl(out, out);
		if ((bits[i / 8] >> (7 - i % 8) & 1) == 1)
			dr_fp_add(out, out, a);
	}
}

static void slow_power(struct dr_fp *out, const struct dr_fp *a, const char *exponent)
{
	const struct dr_bytes bits = kit_hex(exponent);

	*out = dr_fp_one;
	for (size_t i = 0; i < 8 * bits.len; i++) {
		dr_fp_mul(out, out, out);
		if ((bits.ptr[i / 8] >> (7 - i % 8) & 1) == 1)
			dr_fp_mul(out, out, a);
	}
}

/* ---- bytes ---- */

static const struct {
	const char *name, *hex;
	bool valid;
} numbers[] = {
	{ "0", "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
	  true },
	{ "1", "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
	  true },
	{ "2^64 - 1",
	  "00000000000000000000000000000000000000000000000000000000000000000000000000000000ffffffffffffffff", true },
	{ "p - 1", "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaaa",
	  true },
	{ "p", BLS_P, false },
	{ "p + 1", "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaac",
	  false },
	{ "p + 2^320",
	  "1a0111ea397fe69b4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", false },
	{ "2^381", "200000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
	  false },
	{ "2^384 - 1",
	  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false },
};

static void test_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct dr_bytes bytes = kit_hex(numbers[i].hex);
		uint8_t again[DR_FP_LEN];
		struct dr_fp a;

		memset(&a, 0xaa, sizeof(a));
		if (dr_fp_get(&a, bytes.ptr) != numbers[i].valid)
			fail_msg("%s", numbers[i].name);
		if (!numbers[i].valid) {
			assert_true(dr_fp_is_zero(&a));
			continue;
		}
		dr_fp_put(again, &a);
		assert_memory_equal(again, bytes.ptr, DR_FP_LEN);
		assert_int_equal(dr_fp_is_odd(&a), bytes.ptr[DR_FP_LEN - 1] & 1);
	}
}

/* (p - 1) / 2 is not high, the next is. */
static void test_high(void **state)
{
	struct dr_fp half, next;

	(void)state;
	bls_fp(&half,
	       "0d0088f51cbff34d258dd3db21a5d66bb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555");
	assert_false(dr_fp_is_high(&half));
	dr_fp_add(&next, &half, &dr_fp_one);
	assert_true(dr_fp_is_high(&next));
	dr_fp_neg(&next, &next);
	assert_true(dr_fp_eq(&next, &half));
	next = (struct dr_fp){ 0 };
	assert_false(dr_fp_is_high(&next));
	dr_fp_neg(&next, &next);
	assert_true(dr_fp_is_zero(&next));
}

/* 64 bytes modulo p: by Horner's rule, a byte at a time. */
static void test_wide_bytes(void **state)
{
	uint64_t seed = 1;
	struct dr_fp byte, sum, got;

	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		uint8_t bytes[64];

		bls_random_bytes(bytes, 64, &seed);
		if (round == 0)
			memset(bytes, 0xff, 64);
		sum = (struct dr_fp){ 0 };
		for (size_t i = 0; i < 64; i++) {
			for (size_t k = 0; k < 8; k++)
				dr_fp_dbl(&sum, &sum);
			bls_fp_small(&byte, bytes[i]);
			dr_fp_add(&sum, &sum, &byte);
		}
		dr_fp_get_wide(&got, bytes);
		assert_true(dr_fp_eq(&got, &sum));
	}
}

/* ---- laws ---- */

static void test_sums(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (size_t i = 0; i < ROUNDS; i++)
		for (size_t k = 0; k < 12; k++) {
			struct dr_fp a, b, s, t;
			uint64_t plain[6];

			some_fp(&a, i, &seed);
			some_fp(&b, k, &seed);
			dr_fp_add(&s, &a, &b);
			assert_int_equal(dr_fp_sub6(plain, s.w, dr_fp_p.w), 1);
			/* as integers: a + b, or that less p */
			assert_int_equal(dr_fp_add6(plain, a.w, b.w), 0);
			if (memcmp(plain, s.w, sizeof(plain)) != 0) {
				assert_int_equal(dr_fp_sub6(plain, plain, dr_fp_p.w), 0);
				assert_memory_equal(plain, s.w, sizeof(plain));
			}
			dr_fp_sub(&t, &s, &b);
			assert_true(dr_fp_eq(&t, &a));
			dr_fp_sub(&t, &a, &b);
			assert_int_equal(dr_fp_sub6(plain, t.w, dr_fp_p.w), 1);
			dr_fp_add(&t, &t, &b);
			assert_true(dr_fp_eq(&t, &a));
			dr_fp_neg(&t, &a);
			dr_fp_add(&t, &t, &s);
			assert_true(dr_fp_eq(&t, &b));
		}
}

static void test_products(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (size_t i = 0; i < 12; i++)
		for (size_t k = 0; k < 12; k++) {
			struct dr_fp a, b, got, slow;

			some_fp(&a, i, &seed);
			some_fp(&b, k, &seed);
			dr_fp_mul(&got, &a, &b);
			slow_mul(&slow, &a, &b);
			assert_true(dr_fp_eq(&got, &slow));
			dr_fp_sqr(&got, &a);
			dr_fp_mul(&slow, &a, &a);
			assert_true(dr_fp_eq(&got, &slow));
		}
}

static void test_powers(void **state)
{
	uint64_t seed = 4;
	size_t squares = 0;

	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct dr_fp a, b, c, symbol;

		some_fp(&a, i, &seed);
		/* (p - 3) / 4 */
		dr_fp_root_power(&b, &a);
		slow_power(&c, &a,
			   "0680447a8e5ff9a692c6e9ed90d2eb35d91dd2e13ce144afd9cc34a83dac3d8907aaffffac54ffffee7fbffff"
			   "fffeaaa");
		assert_true(dr_fp_eq(&b, &c));
		dr_fp_inv(&b, &a);
		dr_fp_mul(&c, &a, &b);
		assert_true(dr_fp_is_zero(&a) ? dr_fp_is_zero(&b) : dr_fp_eq(&c, &dr_fp_one));
		/* (p - 1) / 2: the Legendre symbol */
		slow_power(&symbol, &a,
			   "0d0088f51cbff34d258dd3db21a5d66bb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7ffff"
			   "fffd555");
		const bool is_square = dr_fp_is_zero(&a) || dr_fp_eq(&symbol, &dr_fp_one);

		squares += is_square;
		assert_int_equal(dr_fp_sqrt(&b, &a), is_square);
		dr_fp_sqr(&c, &b);
		if (!is_square)
			dr_fp_neg(&c, &c);
		assert_true(dr_fp_eq(&c, &a));
	}
	assert_true(squares > ROUNDS / 4 && squares < ROUNDS * 3 / 4);
}

/* Numbers with many zeros at either end, and their opposites: where the algorithm takes long and short steps. */
static void test_inverses(void **state)
{
	uint64_t seed = 8;

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		struct dr_fp a, b;

		if (i < 384) {
			a = (struct dr_fp){ 0 };
			a.w[i / 64] = (uint64_t)1 << i % 64;
			if (i > 380)
				continue;
			if (i % 3 == 1)
				a.w[0] |= 1;
		} else if (i < 500) {
			bls_fp_small(&a, i - 383);
		} else {
			bls_random_fp(&a, &seed);
		}
		if (i % 2 == 1)
			dr_fp_neg(&a, &a);
		dr_fp_inv(&b, &a);
		dr_fp_mul(&b, &b, &a);
		assert_true(dr_fp_eq(&b, &dr_fp_one));
	}
}

/* ---- Fp2 ---- */

static void some_fp2(struct dr_fp2 *out, size_t i, uint64_t *seed)
{
	some_fp(&out->c0, i % 10, seed);
	some_fp(&out->c1, i / 10, seed);
}

static void test_fp2(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		struct dr_fp2 a, b, got, want;
		struct dr_fp t;

		some_fp2(&a, i, &seed);
		some_fp2(&b, 99 - i, &seed);
		dr_fp2_mul(&got, &a, &b);
		dr_fp_mul(&want.c0, &a.c0, &b.c0);
		dr_fp_mul(&t, &a.c1, &b.c1);
		dr_fp_sub(&want.c0, &want.c0, &t);
		dr_fp_mul(&want.c1, &a.c0, &b.c1);
		dr_fp_mul(&t, &a.c1, &b.c0);
		dr_fp_add(&want.c1, &want.c1, &t);
		assert_true(dr_fp2_eq(&got, &want));
		dr_fp2_sqr(&got, &a);
		dr_fp2_mul(&want, &a, &a);
		assert_true(dr_fp2_eq(&got, &want));
		dr_fp2_mul_xi(&got, &a);
		dr_fp2_mul(&want, &a, &(struct dr_fp2){ dr_fp_one, dr_fp_one });
		assert_true(dr_fp2_eq(&got, &want));
		dr_fp2_inv(&got, &a);
		dr_fp2_mul(&want, &a, &got);
		assert_true(dr_fp2_is_zero(&a) ? dr_fp2_is_zero(&got)
					       : dr_fp2_eq(&want, &(struct dr_fp2){ .c0 = dr_fp_one }));
	}
}

/* Roots: of squares, of those of Fp, of multiples of u; and of what is none by way of z. */
static void test_fp2_roots(void **state)
{
	uint64_t seed = 6;
	size_t none = 0;
	struct dr_fp2 z;

	(void)state;
	bls_fp_small(&z.c0, 2);
	z.c1 = dr_fp_one;
	dr_fp2_neg(&z, &z);
	for (size_t i = 0; i < 100; i++) {
		struct dr_fp2 a, b, root, az;

		some_fp2(&b, i, &seed);
		dr_fp2_sqr(&a, &b);
		assert_true(dr_fp2_sqrt(&root, &a));
		dr_fp2_sqr(&root, &root);
		assert_true(dr_fp2_eq(&root, &a));
		assert_true(dr_fp2_sqrt_or(&root, &a));
		dr_fp2_sqr(&root, &root);
		assert_true(dr_fp2_eq(&root, &a));
		dr_fp2_mul(&az, &a, &z);
		if (!dr_fp2_is_zero(&az)) {
			memset(&root, 0xaa, sizeof(root));
			assert_false(dr_fp2_sqrt(&root, &az));
			assert_true(dr_fp2_is_zero(&root));
		}
		if (dr_fp2_sqrt_or(&root, &b)) {
			dr_fp2_sqr(&root, &root);
			assert_true(dr_fp2_eq(&root, &b));
		} else {
			dr_fp2_sqr(&root, &root);
			dr_fp2_mul(&az, &b, &z);
			assert_true(dr_fp2_eq(&root, &az));
			none++;
		}
	}
	assert_true(none > 25 && none < 75);
}

/* sgn0 of RFC 9380 and the sign of compressed points, where the first coordinate asked is zero. */
static void test_fp2_signs(void **state)
{
	struct dr_fp2 a = { 0 };

	(void)state;
	assert_false(dr_fp2_is_odd(&a));
	assert_false(dr_fp2_is_high(&a));
	bls_fp_small(&a.c1, 1);
	assert_true(dr_fp2_is_odd(&a));
	assert_false(dr_fp2_is_high(&a));
	bls_fp_small(&a.c0, 2);
	assert_false(dr_fp2_is_odd(&a));
	dr_fp2_neg(&a, &a);
	assert_true(dr_fp2_is_odd(&a));
	assert_true(dr_fp2_is_high(&a));
	a.c1 = (struct dr_fp){ 0 };
	assert_true(dr_fp2_is_high(&a));
	dr_fp2_neg(&a, &a);
	assert_false(dr_fp2_is_high(&a));
}

/* ---- kernels ---- */

/* Against the narrow kernel's products, which test_products holds against sums. */
static void compare_fp(const struct dr_fp_kernel *kernel, const struct dr_fp_kernel *plain, size_t i, uint64_t *seed)
{
	struct dr_fp a, b, c, d, x, y;
	uint64_t wide[12];

	some_fp(&a, i % 15, seed);
	some_fp(&b, i / 15, seed);
	some_fp(&c, i % 9, seed);
	some_fp(&d, i % 11, seed);
	kernel->mul(&x, &a, &b);
	plain->mul(&y, &a, &b);
	assert_true(dr_fp_eq(&x, &y));
	for (unsigned num = 0; num < 4; num++) {
		kernel->sqr_mul(&x, &a, num, &b);
		plain->sqr_mul(&y, &a, num, &b);
		assert_true(dr_fp_eq(&x, &y));
		kernel->sqr_mul(&x, &a, num, NULL);
		plain->sqr_mul(&y, &a, num, NULL);
		assert_true(dr_fp_eq(&x, &y));
	}
	kernel->cross(&x, &a, &b, &c, &d);
	plain->cross(&y, &a, &b, &c, &d);
	assert_true(dr_fp_eq(&x, &y));
	plain->mul(&a, &a, &b);
	plain->mul(&c, &c, &d);
	dr_fp_sub(&a, &a, &c);
	assert_true(dr_fp_eq(&x, &a));
	/* The lower half is anything, the upper is below p. */
	for (size_t k = 0; k < 6; k++)
		wide[k] = i % 4 == 0 ? ~(uint64_t)0 : bls_random(seed);
	some_fp(&y, i % 15, seed);
	memcpy(wide + 6, y.w, sizeof(y.w));
	kernel->redc(&x, wide);
	plain->redc(&y, wide);
	assert_true(dr_fp_eq(&x, &y));
}

static void compare_fp2(const struct dr_fp_kernel *kernel, const struct dr_fp_kernel *plain, size_t i, uint64_t *seed)
{
	struct dr_fp2 a, b, c, d, x, y, x1, y1;

	some_fp2(&a, i % 100, seed);
	some_fp2(&b, i * 7 % 100, seed);
	some_fp2(&c, i * 13 % 100, seed);
	some_fp2(&d, i * 29 % 100, seed);
	kernel->mul2(&x, &a, &b);
	plain->mul2(&y, &a, &b);
	assert_true(dr_fp2_eq(&x, &y));
	kernel->sqr2(&x, &a);
	plain->sqr2(&y, &a);
	assert_true(dr_fp2_eq(&x, &y));
	/* a b - c d, and (a + b s)^2, of products */
	kernel->cross2(&x, &a, &b, &c, &d);
	plain->mul2(&y, &a, &b);
	plain->mul2(&y1, &c, &d);
	dr_fp2_sub(&y, &y, &y1);
	assert_true(dr_fp2_eq(&x, &y));
	kernel->sqr4(&x, &x1, &a, &b);
	plain->sqr2(&y, &b);
	dr_fp2_mul_xi(&y, &y);
	plain->sqr2(&y1, &a);
	dr_fp2_add(&y, &y, &y1);
	plain->mul2(&y1, &a, &b);
	dr_fp2_dbl(&y1, &y1);
	assert_true(dr_fp2_eq(&x, &y) && dr_fp2_eq(&x1, &y1));
	/* in place */
	plain->mul2(&y, &a, &b);
	kernel->mul2(&a, &a, &b);
	assert_true(dr_fp2_eq(&a, &y));
	plain->sqr2(&y, &b);
	kernel->sqr2(&b, &b);
	assert_true(dr_fp2_eq(&b, &y));
	plain->cross2(&y, &a, &b, &c, &d);
	kernel->cross2(&c, &a, &b, &c, &d);
	assert_true(dr_fp2_eq(&c, &y));
}

/* (a0 + a1 v + a2 v^2)(b0 + b1 v + b2 v^2) by the school's nine products, v^3 being xi. */
static void slow_mul6(struct dr_fp6 *out, const struct dr_fp6 *a, const struct dr_fp6 *b)
{
	const struct dr_fp2 *const as[3] = { &a->c0, &a->c1, &a->c2 }, *const bs[3] = { &b->c0, &b->c1, &b->c2 };
	struct dr_fp2 sums[5] = { 0 }, t;

	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 3; k++) {
			dr_fp2_mul(&t, as[i], bs[k]);
			dr_fp2_add(&sums[i + k], &sums[i + k], &t);
		}
	dr_fp2_mul_xi(&t, &sums[3]);
	dr_fp2_add(&out->c0, &sums[0], &t);
	dr_fp2_mul_xi(&t, &sums[4]);
	dr_fp2_add(&out->c1, &sums[1], &t);
	out->c2 = sums[2];
}

static void compare_fp6(const struct dr_fp_kernel *kernel, size_t i, uint64_t *seed)
{
	struct dr_fp6 a, b, x, y;

	some_fp2(&a.c0, i % 100, seed);
	some_fp2(&a.c1, i * 3 % 100, seed);
	some_fp2(&a.c2, i * 7 % 100, seed);
	some_fp2(&b.c0, i * 11 % 100, seed);
	some_fp2(&b.c1, i * 13 % 100, seed);
	some_fp2(&b.c2, i * 17 % 100, seed);
	kernel->mul6(&x, &a, &b);
	slow_mul6(&y, &a, &b);
	assert_memory_equal(&x, &y, sizeof(x));
	kernel->mul6(&b, &a, &b);
	assert_memory_equal(&b, &y, sizeof(b));
	b.c2 = (struct dr_fp2){ 0 };
	slow_mul6(&y, &a, &b);
	kernel->mul6_01(&a, &a, &b.c0, &b.c1);
	assert_memory_equal(&a, &y, sizeof(a));
}

static void compare(const struct dr_fp_kernel *kernel)
{
	uint64_t seed = 7;

	for (size_t i = 0; i < 250; i++) {
		compare_fp(kernel, &dr_fp_kernel_narrow, i, &seed);
		compare_fp2(kernel, &dr_fp_kernel_narrow, i, &seed);
		compare_fp6(kernel, i, &seed);
	}
}

static void test_kernel_narrow(void **state)
{
	(void)state;
	assert_true(dr_fp_use(DR_FP_NARROW));
	compare(dr_fp_k());
}

static void test_kernel_int128(void **state)
{
	(void)state;
	if (!dr_fp_use(DR_FP_INT128))
		skip();
	compare(dr_fp_k());
}

static void test_kernel_adx(void **state)
{
	(void)state;
	if (!dr_fp_use(DR_FP_ADX))
		skip();
	compare(dr_fp_k());
}

/* The fastest that is here is chosen, once. */
static void test_choice(void **state)
{
	(void)state;
	assert_true(dr_fp_use(DR_FP_NARROW));
	assert_ptr_equal(dr_fp_k(), &dr_fp_kernel_narrow);
	dr_fp_choose();
	assert_ptr_equal(dr_fp_k(), &dr_fp_kernel_narrow);
}

static int with_narrow(void **state)
{
	(void)state;
	return dr_fp_use(DR_FP_NARROW) ? 0 : -1;
}

static int with_fastest(void **state)
{
	(void)state;
	return dr_fp_use(DR_FP_ADX) || dr_fp_use(DR_FP_INT128) || dr_fp_use(DR_FP_NARROW) ? 0 : -1;
}

#define TESTS                                                                                                        \
	cmocka_unit_test(test_bytes), cmocka_unit_test(test_high), cmocka_unit_test(test_wide_bytes),                \
		cmocka_unit_test(test_sums), cmocka_unit_test(test_products), cmocka_unit_test(test_powers),         \
		cmocka_unit_test(test_inverses), cmocka_unit_test(test_fp2), cmocka_unit_test(test_fp2_roots),       \
		cmocka_unit_test(test_fp2_signs)

int main(void)
{
	const struct CMUnitTest tests[] = { TESTS };
	const struct CMUnitTest kernels[] = {
		cmocka_unit_test(test_kernel_narrow),
		cmocka_unit_test(test_kernel_int128),
		cmocka_unit_test(test_kernel_adx),
		cmocka_unit_test(test_choice),
	};
	int failed = cmocka_run_group_tests_name("by products of 32 bits", tests, with_narrow, NULL);

	failed += cmocka_run_group_tests_name("by the fastest kernel", tests, with_fastest, NULL);
	return failed + cmocka_run_group_tests_name("kernels", kernels, NULL, NULL);
}
