/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/bls/fp.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "chain/bls/fp_impl.h"

/* ---- which kernel ---- */

#if defined(__SIZEOF_INT128__)
#define KERNEL_PORTABLE    dr_fp_kernel_int128
#define KERNEL_PORTABLE_IS DR_FP_INT128
#else
#define KERNEL_PORTABLE    dr_fp_kernel_narrow
#define KERNEL_PORTABLE_IS DR_FP_NARROW
#endif

const struct dr_fp_kernel *_Atomic dr_fp_kernel = &KERNEL_PORTABLE;
static atomic_bool is_chosen;

static const struct dr_fp_kernel *kernel_of(enum dr_fp_which which)
{
	switch (which) {
	case DR_FP_NARROW: return &dr_fp_kernel_narrow;
	case DR_FP_INT128:
#if defined(__SIZEOF_INT128__)
		return &dr_fp_kernel_int128;
#else
		return NULL;
#endif
	case DR_FP_ADX:
#if defined(__x86_64__)
	{
		unsigned a, b, c, d;

		/* Leaf 7: bit 8 of ebx is BMI2, bit 19 ADX. No call of the system's. */
		if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 1 && (b >> 8 & b >> 19 & 1) == 1)
			return &dr_fp_kernel_adx;
	}
#endif
		return NULL;
	}
	return NULL;
}

bool dr_fp_use(enum dr_fp_which which)
{
	const struct dr_fp_kernel *kernel = kernel_of(which);

	if (kernel == NULL)
		return false;
	atomic_store_explicit(&dr_fp_kernel, kernel, memory_order_relaxed);
	atomic_store_explicit(&is_chosen, true, memory_order_relaxed);
	return true;
}

#define TEST_ROUNDS 16u

/* It gives what the portable one gives: a wrong product must never be believed. */
static bool is_right(const struct dr_fp_kernel *kernel)
{
	struct dr_fp a = dr_fp_one, b = dr_fp_p, x, y;
	bool same = true;

	b.w[0]--;
	for (unsigned i = 0; i < TEST_ROUNDS; i++) {
		kernel->mul(&x, &a, &b);
		KERNEL_PORTABLE.mul(&y, &a, &b);
		same = same && dr_fp_eq(&x, &y);
		kernel->sqr_mul(&a, &x, 1 + i % 3, &x);
		KERNEL_PORTABLE.sqr_mul(&b, &y, 1 + i % 3, &y);
		same = same && dr_fp_eq(&a, &b);
		dr_fp_add(&b, &b, &x);
	}
	return same;
}

void dr_fp_choose(void)
{
	if (atomic_load_explicit(&is_chosen, memory_order_relaxed))
		return;
	const struct dr_fp_kernel *kernel = kernel_of(DR_FP_ADX);

	dr_fp_use(kernel != NULL && is_right(kernel) ? DR_FP_ADX : KERNEL_PORTABLE_IS);
}

/* ---- powers ---- */

/* (p - 3) / 4 by windows of up to five bits, each odd: so many squarings, and then times a to this. One squaring
 * more ends it. tests/unit/chain/test_bls_fp.c reads the exponent back. */
static const struct {
	uint8_t squarings, digit;
} root_digits[] = {
	{ 13, 17 }, { 7, 15 }, { 4, 5 },  { 6, 7 },  { 7, 23 }, { 5, 31 }, { 5, 25 }, { 3, 5 },  { 6, 13 }, { 6, 9 },
	{ 3, 3 },   { 8, 27 }, { 3, 5 },  { 6, 15 }, { 6, 27 }, { 3, 1 },  { 8, 13 }, { 7, 23 }, { 5, 11 }, { 6, 13 },
	{ 6, 29 },  { 4, 9 },  { 8, 29 }, { 4, 13 }, { 7, 23 }, { 9, 19 }, { 5, 25 }, { 2, 3 },  { 7, 5 },  { 7, 9 },
	{ 6, 23 },  { 5, 29 }, { 5, 19 }, { 5, 19 }, { 8, 13 }, { 7, 21 }, { 9, 15 }, { 5, 13 }, { 3, 3 },  { 8, 15 },
	{ 3, 3 },   { 7, 9 },  { 9, 15 }, { 6, 21 }, { 6, 31 }, { 5, 31 }, { 5, 31 }, { 4, 13 }, { 3, 3 },  { 8, 21 },
	{ 7, 31 },  { 5, 31 }, { 5, 31 }, { 4, 15 }, { 4, 7 },  { 7, 31 }, { 5, 29 }, { 5, 31 }, { 5, 31 }, { 5, 31 },
	{ 5, 31 },  { 5, 31 }, { 5, 31 }, { 4, 13 }, { 6, 21 }, { 4, 5 },
};

void dr_fp_root_power(struct dr_fp *out, const struct dr_fp *a)
{
	struct dr_fp odd[16], sqr, acc;

	odd[0] = *a;
	dr_fp_sqr(&sqr, a);
	for (size_t i = 1; i < 16; i++)
		dr_fp_mul(&odd[i], &odd[i - 1], &sqr);
	acc = odd[13 / 2];
	for (size_t i = 0; i < sizeof(root_digits) / sizeof(root_digits[0]); i++) {
		dr_fp_k()->sqr_mul(&acc, &acc, root_digits[i].squarings, &odd[root_digits[i].digit / 2]);
	}
	dr_fp_sqr(out, &acc);
}

bool dr_fp_sqrt(struct dr_fp *out, const struct dr_fp *a)
{
	const struct dr_fp in = *a;
	struct dr_fp root, check;

	dr_fp_root_power(&root, &in);
	dr_fp_mul(&root, &root, &in);
	dr_fp_sqr(&check, &root);
	*out = root;
	return dr_fp_eq(&check, &in);
}

/* ---- bytes ---- */

/* R^2 mod p: times this is into Montgomery form. */
static const struct dr_fp r_squared = { { 0xf4df1f341c341746, 0x0a76e6a609d104f1, 0x8de5476c4c95b6d5,
					  0x67eb88a9939d83c0, 0x9a793e85b519952d, 0x11988fe592cae3aa } };
/* 2^256 R^2 mod p */
static const struct dr_fp r_squared_256 = { { 0xfb73eaead26ebe58, 0x861c23693de6a351, 0x76e5bc3ff951c543,
					      0xcc0868ce6a76590c, 0xf0a85a3f35446d0b, 0x0010a8c1a49a064f } };

static void number(struct dr_fp *out, const struct dr_fp *a)
{
	uint64_t wide[12] = { 0 };

	memcpy(wide, a->w, sizeof(a->w));
	dr_fp_k()->redc(out, wide);
}

/* len bytes, big-endian, a multiple of eight, at most 48. */
static void words(struct dr_fp *out, const uint8_t *bytes, size_t len)
{
	*out = (struct dr_fp){ 0 };
	for (size_t i = 0; i < len / 8; i++)
		out->w[i] = dr_be64_get(bytes + len - 8 - 8 * i);
}

bool dr_fp_get(struct dr_fp *out, const uint8_t bytes[static DR_FP_LEN])
{
	uint64_t rest[6];

	words(out, bytes, DR_FP_LEN);
	if (dr_fp_sub6(rest, out->w, dr_fp_p.w) == 0) {
		*out = (struct dr_fp){ 0 };
		return false;
	}
	dr_fp_mul(out, out, &r_squared);
	return true;
}

void dr_fp_put(uint8_t bytes[static DR_FP_LEN], const struct dr_fp *a)
{
	struct dr_fp plain;

	number(&plain, a);
	for (size_t i = 0; i < 6; i++)
		dr_be64_put(bytes + 8 * i, plain.w[5 - i]);
}

void dr_fp_get_wide(struct dr_fp *out, const uint8_t bytes[static 64])
{
	struct dr_fp high, low;

	words(&high, bytes, 32);
	words(&low, bytes + 32, 32);
	dr_fp_mul(&high, &high, &r_squared_256);
	dr_fp_mul(&low, &low, &r_squared);
	dr_fp_add(out, &high, &low);
}

bool dr_fp_is_odd(const struct dr_fp *a)
{
	struct dr_fp plain;

	number(&plain, a);
	return (plain.w[0] & 1) == 1;
}

bool dr_fp_is_high(const struct dr_fp *a)
{
	static const struct dr_fp half = { { 0xdcff7fffffffd555, 0x0f55ffff58a9ffff, 0xb39869507b587b12,
					     0xb23ba5c279c2895f, 0x258dd3db21a5d66b, 0x0d0088f51cbff34d } };
	struct dr_fp plain;
	uint64_t rest[6];

	number(&plain, a);
	return dr_fp_sub6(rest, half.w, plain.w) == 1;
}
