/* SPDX-License-Identifier: Apache-2.0
 *
 * fp_kernel: the body of a kernel. Private to fp_narrow.c, fp_int128.c and fp_adx.c, each of which says before how
 * two elements are multiplied and a product reduced:
 *
 *   static inline void product(uint64_t out[12], const uint64_t a[6], const uint64_t b[6]);   out is neither a nor b
 *   static inline void square(uint64_t out[12], const uint64_t a[6]);
 *   static inline void reduce(uint64_t out[6], const uint64_t a[12]);   a < p R to a / R mod p, below 2 p
 *
 * and KERNEL_TARGET, KERNEL_NAME.
 *
 * Layer: chain/bls.
 */
#ifndef DR_BLS_FP_KERNEL_H
#define DR_BLS_FP_KERNEL_H

#include "chain/bls/fp12.h"
#include "chain/bls/fp_impl.h"

KERNEL_TARGET static void kernel_mul(struct dr_fp *out, const struct dr_fp *a, const struct dr_fp *b)
{
	uint64_t wide[12];

	product(wide, a->w, b->w);
	reduce(wide, wide);
	dr_fp_reduce(out->w, wide);
}

/* Between the steps elements stay below 2 p: (2 p)^2 < p R, and its reduction is below 4 p^2 / R + p < 2 p. */
KERNEL_TARGET static void kernel_sqr_mul(struct dr_fp *out, const struct dr_fp *a, unsigned num,
					 const struct dr_fp *b)
{
	const uint64_t *from = a->w;
	uint64_t wide[12], acc[6];

	for (; num > 0; num--) {
		square(wide, from);
		reduce(acc, wide);
		from = acc;
	}
	if (b != NULL) {
		product(wide, from, b->w);
		reduce(acc, wide);
		from = acc;
	}
	dr_fp_reduce(out->w, from);
}

KERNEL_TARGET static void kernel_redc(struct dr_fp *out, const uint64_t a[static 12])
{
	uint64_t acc[6];

	reduce(acc, a);
	dr_fp_reduce(out->w, acc);
}

/* ---- sums of products that are not reduced yet ---- */

/* a += b, below p R again. */
KERNEL_TARGET static inline void more(uint64_t a[static 12], const uint64_t b[static 12])
{
	unsigned char c = dr_fp_add6(a, a, b);

	c = dr_fp_addc(c, a[6], b[6], &a[6]);
	c = dr_fp_addc(c, a[7], b[7], &a[7]);
	c = dr_fp_addc(c, a[8], b[8], &a[8]);
	c = dr_fp_addc(c, a[9], b[9], &a[9]);
	c = dr_fp_addc(c, a[10], b[10], &a[10]);
	dr_fp_addc(c, a[11], b[11], &a[11]);
	dr_fp_reduce(a + 6, a + 6);
}

/* a -= b over twelve words; the borrow out. */
KERNEL_TARGET static inline unsigned char sub12(uint64_t a[static 12], const uint64_t b[static 12])
{
	unsigned char c = dr_fp_sub6(a, a, b);

	c = dr_fp_subb(c, a[6], b[6], &a[6]);
	c = dr_fp_subb(c, a[7], b[7], &a[7]);
	c = dr_fp_subb(c, a[8], b[8], &a[8]);
	c = dr_fp_subb(c, a[9], b[9], &a[9]);
	c = dr_fp_subb(c, a[10], b[10], &a[10]);
	return dr_fp_subb(c, a[11], b[11], &a[11]);
}

/* a -= b; what falls below zero has p R added. */
KERNEL_TARGET static inline void less(uint64_t a[static 12], const uint64_t b[static 12])
{
	uint64_t back[6], mask = 0 - (uint64_t)sub12(a, b);

#if DR_FP_X86
	__asm__("" : "+r"(mask));
#endif
	for (size_t i = 0; i < 6; i++)
		back[i] = dr_fp_p.w[i] & mask;
	dr_fp_add6(a + 6, a + 6, back);
}

KERNEL_TARGET static void kernel_cross(struct dr_fp *out, const struct dr_fp *a, const struct dr_fp *b,
				       const struct dr_fp *c, const struct dr_fp *d)
{
	uint64_t ab[12], cd[12];

	product(ab, a->w, b->w);
	product(cd, c->w, d->w);
	less(ab, cd);
	kernel_redc(out, ab);
}

/* ---- Fp2 ---- */

struct wide2 {
	uint64_t c0[12], c1[12];
};

KERNEL_TARGET static inline void redc2(struct dr_fp2 *out, const struct wide2 *a)
{
	kernel_redc(&out->c0, a->c0);
	kernel_redc(&out->c1, a->c1);
}

/* Without reduction: parts below 2 p. */
KERNEL_TARGET static inline void sum2(struct dr_fp2 *out, const struct dr_fp2 *a, const struct dr_fp2 *b)
{
	dr_fp_add6(out->c0.w, a->c0.w, b->c0.w);
	dr_fp_add6(out->c1.w, a->c1.w, b->c1.w);
}

/* Karatsuba: (a0 + a1)(b0 + b1) - a0 b0 - a1 b1 is a0 b1 + a1 b0, as a whole number too: below 8 p^2 for parts below
 * 2 p. (D. Aranha et al., Faster explicit formulas for computing pairings over ordinary curves, 2010, algorithm 2.)
 */
KERNEL_TARGET static __attribute__((noinline)) void wide_mul2(struct wide2 *out, const struct dr_fp2 *a,
							      const struct dr_fp2 *b)
{
	uint64_t high[12], sum_a[6], sum_b[6];

	dr_fp_add6(sum_a, a->c0.w, a->c1.w);
	dr_fp_add6(sum_b, b->c0.w, b->c1.w);
	product(out->c1, sum_a, sum_b);
	product(out->c0, a->c0.w, b->c0.w);
	product(high, a->c1.w, b->c1.w);
	sub12(out->c1, out->c0);
	sub12(out->c1, high);
	less(out->c0, high);
}

/* (a0 + a1)(a0 - a1 + p), below 2 p 2 p, and 2 a0 a1, below 2 p^2, for parts below p. */
KERNEL_TARGET static inline void wide_sqr2(struct wide2 *out, const struct dr_fp2 *a)
{
	uint64_t sum[6], rest[6], twice[6];

	dr_fp_add6(sum, a->c0.w, a->c1.w);
	dr_fp_sub6(rest, dr_fp_p.w, a->c1.w);
	dr_fp_add6(rest, rest, a->c0.w);
	dr_fp_add6(twice, a->c0.w, a->c0.w);
	product(out->c0, sum, rest);
	product(out->c1, twice, a->c1.w);
}

KERNEL_TARGET static inline void more2(struct wide2 *a, const struct wide2 *b)
{
	more(a->c0, b->c0);
	more(a->c1, b->c1);
}

KERNEL_TARGET static inline void less2(struct wide2 *a, const struct wide2 *b)
{
	less(a->c0, b->c0);
	less(a->c1, b->c1);
}

/* a += xi b: b0 - b1 and b0 + b1. */
KERNEL_TARGET static inline void more_xi(struct wide2 *a, const struct wide2 *b)
{
	more(a->c0, b->c0);
	less(a->c0, b->c1);
	more(a->c1, b->c0);
	more(a->c1, b->c1);
}

KERNEL_TARGET static void kernel_mul2(struct dr_fp2 *out, const struct dr_fp2 *a, const struct dr_fp2 *b)
{
	struct wide2 wide;

	wide_mul2(&wide, a, b);
	redc2(out, &wide);
}

KERNEL_TARGET static void kernel_sqr2(struct dr_fp2 *out, const struct dr_fp2 *a)
{
	struct wide2 wide;

	wide_sqr2(&wide, a);
	redc2(out, &wide);
}

KERNEL_TARGET static void kernel_cross2(struct dr_fp2 *out, const struct dr_fp2 *a, const struct dr_fp2 *b,
					const struct dr_fp2 *c, const struct dr_fp2 *d)
{
	struct wide2 ab, cd;

	wide_mul2(&ab, a, b);
	wide_mul2(&cd, c, d);
	less2(&ab, &cd);
	redc2(out, &ab);
}

/* ---- Fp4 and Fp6 ---- */

/* With s = a + b: a^2 + xi b^2 and s^2 - a^2 - b^2. */
KERNEL_TARGET static void kernel_sqr4(struct dr_fp2 *out0, struct dr_fp2 *out1, const struct dr_fp2 *a,
				      const struct dr_fp2 *b)
{
	struct wide2 aa, bb, ss;
	struct dr_fp2 s;

	dr_fp2_add(&s, a, b);
	wide_sqr2(&aa, a);
	wide_sqr2(&bb, b);
	wide_sqr2(&ss, &s);
	less2(&ss, &aa);
	less2(&ss, &bb);
	more_xi(&aa, &bb);
	redc2(out0, &aa);
	redc2(out1, &ss);
}

/* *out = (a + a2)(b + b2) - v - v2, that is a b2 + a2 b, where v and v2 are a b and a2 b2. */
KERNEL_TARGET static inline void wide_mixed(struct wide2 *out, const struct dr_fp2 *a, const struct dr_fp2 *a2,
					    const struct dr_fp2 *b, const struct dr_fp2 *b2, const struct wide2 *v,
					    const struct wide2 *v2)
{
	struct dr_fp2 s, t;

	sum2(&s, a, a2);
	sum2(&t, b, b2);
	wide_mul2(out, &s, &t);
	less(out->c0, v->c0);
	less(out->c0, v2->c0);
	sub12(out->c1, v->c1); /* whole numbers all, and the difference is none below zero */
	sub12(out->c1, v2->c1);
}

/* Karatsuba in three terms (A. Devegili et al., Multiplication and squaring on pairing-friendly fields, 2006, 4):
 * three reductions for six products. */
KERNEL_TARGET static void kernel_mul6(struct dr_fp6 *out, const struct dr_fp6 *a, const struct dr_fp6 *b)
{
	struct wide2 v0, v1, v2, t;
	struct dr_fp2 c1, c2;

	wide_mul2(&v0, &a->c0, &b->c0);
	wide_mul2(&v1, &a->c1, &b->c1);
	wide_mul2(&v2, &a->c2, &b->c2);
	wide_mixed(&t, &a->c0, &a->c1, &b->c0, &b->c1, &v0, &v1);
	more_xi(&t, &v2);
	redc2(&c1, &t);
	wide_mixed(&t, &a->c0, &a->c2, &b->c0, &b->c2, &v0, &v2);
	more2(&t, &v1);
	redc2(&c2, &t);
	wide_mixed(&t, &a->c1, &a->c2, &b->c1, &b->c2, &v1, &v2);
	more_xi(&v0, &t);
	redc2(&out->c0, &v0);
	out->c1 = c1;
	out->c2 = c2;
}

/* The same with b2 = 0. */
KERNEL_TARGET static void kernel_mul6_01(struct dr_fp6 *out, const struct dr_fp6 *a, const struct dr_fp2 *b0,
					 const struct dr_fp2 *b1)
{
	struct wide2 v0, v1, t;
	struct dr_fp2 c1, c2;

	wide_mul2(&v0, &a->c0, b0);
	wide_mul2(&v1, &a->c1, b1);
	wide_mixed(&t, &a->c0, &a->c1, b0, b1, &v0, &v1);
	redc2(&c1, &t);
	wide_mul2(&t, &a->c2, b0);
	more2(&t, &v1);
	redc2(&c2, &t);
	wide_mul2(&t, &a->c2, b1);
	more_xi(&v0, &t);
	redc2(&out->c0, &v0);
	out->c1 = c1;
	out->c2 = c2;
}

const struct dr_fp_kernel KERNEL_NAME = {
	.mul = kernel_mul,
	.sqr_mul = kernel_sqr_mul,
	.redc = kernel_redc,
	.cross = kernel_cross,
	.mul2 = kernel_mul2,
	.sqr2 = kernel_sqr2,
	.cross2 = kernel_cross2,
	.sqr4 = kernel_sqr4,
	.mul6 = kernel_mul6,
	.mul6_01 = kernel_mul6_01,
};

#endif
