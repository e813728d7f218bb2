/* SPDX-License-Identifier: Apache-2.0
 *
 * fp_kernel: the body of a kernel. Private to fp_narrow.c, fp_int128.c and fp_adx.c, each of which says before how
 * two elements are multiplied and a product reduced:
 *
 *   static inline void product(uint64_t out[12], const uint64_t a[6], const uint64_t b[6]);   out is neither a nor b
 *   static inline void square(uint64_t out[12], const uint64_t a[6]);
 *   static inline void reduce(uint64_t out[6], const uint64_t a[12]);   a < p R to a / R mod p
 *
 * and KERNEL_TARGET, KERNEL_NAME.
 *
 * Layer: chain/bls.
 */
#ifndef DR_BLS_FP_KERNEL_H
#define DR_BLS_FP_KERNEL_H

#include "chain/bls/fp2.h"
#include "chain/bls/fp_impl.h"

KERNEL_TARGET static void kernel_mul(struct dr_fp *out, const struct dr_fp *a, const struct dr_fp *b)
{
	uint64_t wide[12];

	product(wide, a->w, b->w);
	reduce(out->w, wide);
}

KERNEL_TARGET static void kernel_sqr_times(struct dr_fp *out, const struct dr_fp *a, unsigned num)
{
	uint64_t wide[12];

	square(wide, a->w);
	reduce(out->w, wide);
	while (--num > 0) {
		square(wide, out->w);
		reduce(out->w, wide);
	}
}

KERNEL_TARGET static void kernel_redc(struct dr_fp *out, const struct dr_fp_wide *a)
{
	reduce(out->w, a->w);
}

/* a - b over twelve words, without a borrow at the end. */
KERNEL_TARGET static inline void less(uint64_t a[static 12], const uint64_t b[static 12])
{
	unsigned char c = 0;

	c = dr_fp_subb(c, a[0], b[0], &a[0]);
	c = dr_fp_subb(c, a[1], b[1], &a[1]);
	c = dr_fp_subb(c, a[2], b[2], &a[2]);
	c = dr_fp_subb(c, a[3], b[3], &a[3]);
	c = dr_fp_subb(c, a[4], b[4], &a[4]);
	c = dr_fp_subb(c, a[5], b[5], &a[5]);
	c = dr_fp_subb(c, a[6], b[6], &a[6]);
	c = dr_fp_subb(c, a[7], b[7], &a[7]);
	c = dr_fp_subb(c, a[8], b[8], &a[8]);
	c = dr_fp_subb(c, a[9], b[9], &a[9]);
	c = dr_fp_subb(c, a[10], b[10], &a[10]);
	dr_fp_subb(c, a[11], b[11], &a[11]);
}

/* As less; what falls below zero has p R added. */
KERNEL_TARGET static inline void less_mod(uint64_t a[static 12], const uint64_t b[static 12])
{
	uint64_t back[6], mask;
	unsigned char c = dr_fp_sub6(a, a, b);

	c = dr_fp_subb(c, a[6], b[6], &a[6]);
	c = dr_fp_subb(c, a[7], b[7], &a[7]);
	c = dr_fp_subb(c, a[8], b[8], &a[8]);
	c = dr_fp_subb(c, a[9], b[9], &a[9]);
	c = dr_fp_subb(c, a[10], b[10], &a[10]);
	c = dr_fp_subb(c, a[11], b[11], &a[11]);
	mask = 0 - (uint64_t)c;
#if DR_FP_X86
	__asm__("" : "+r"(mask));
#endif
	for (size_t i = 0; i < 6; i++)
		back[i] = dr_fp_p.w[i] & mask;
	dr_fp_add6(a + 6, a + 6, back);
}

/* Karatsuba: (a0 + a1)(b0 + b1) - a0 b0 - a1 b1 is a0 b1 + a1 b0. Two reductions for three products (Aranha et al.,
 * Faster explicit formulas for computing pairings over ordinary curves, 2010, algorithm 2). */
KERNEL_TARGET static void kernel_mul2(struct dr_fp2 *out, const struct dr_fp2 *a, const struct dr_fp2 *b)
{
	uint64_t low[12], high[12], both[12], sum_a[6], sum_b[6];

	dr_fp_add6(sum_a, a->c0.w, a->c1.w);
	dr_fp_add6(sum_b, b->c0.w, b->c1.w);
	product(both, sum_a, sum_b); /* < 4 p^2 */
	product(low, a->c0.w, b->c0.w);
	product(high, a->c1.w, b->c1.w);
	less(both, low);
	less(both, high);
	less_mod(low, high);
	reduce(out->c0.w, low);
	reduce(out->c1.w, both);
}

/* (a0 + a1)(a0 - a1) and 2 a0 a1. */
KERNEL_TARGET static void kernel_sqr2(struct dr_fp2 *out, const struct dr_fp2 *a)
{
	uint64_t low[12], high[12], sum[6], rest[6], twice[6];

	dr_fp_add6(sum, a->c0.w, a->c1.w);
	dr_fp_sub6(rest, dr_fp_p.w, a->c1.w);
	dr_fp_add6(rest, rest, a->c0.w); /* a0 - a1 + p < 2 p */
	dr_fp_add6(twice, a->c0.w, a->c0.w);
	product(low, sum, rest);
	product(high, twice, a->c1.w);
	reduce(out->c0.w, low);
	reduce(out->c1.w, high);
}

const struct dr_fp_kernel KERNEL_NAME = {
	.mul = kernel_mul,
	.sqr_times = kernel_sqr_times,
	.redc = kernel_redc,
	.mul2 = kernel_mul2,
	.sqr2 = kernel_sqr2,
};

#endif
