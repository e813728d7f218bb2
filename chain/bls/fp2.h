/* SPDX-License-Identifier: Apache-2.0
 *
 * fp2: Fp[u] / (u^2 + 1).
 *
 * Layer: chain/bls.
 */
#ifndef DR_BLS_FP2_H
#define DR_BLS_FP2_H

#include "chain/bls/fp.h"

struct dr_fp2 {
	struct dr_fp c0, c1; /* c0 + c1 u */
};

static inline bool dr_fp2_is_zero(const struct dr_fp2 *a)
{
	return dr_fp_is_zero(&a->c0) && dr_fp_is_zero(&a->c1);
}

static inline bool dr_fp2_eq(const struct dr_fp2 *a, const struct dr_fp2 *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static inline void dr_fp2_add(struct dr_fp2 *out, const struct dr_fp2 *a, const struct dr_fp2 *b)
{
	dr_fp_add(&out->c0, &a->c0, &b->c0);
	dr_fp_add(&out->c1, &a->c1, &b->c1);
}

static inline void dr_fp2_sub(struct dr_fp2 *out, const struct dr_fp2 *a, const struct dr_fp2 *b)
{
	dr_fp_sub(&out->c0, &a->c0, &b->c0);
	dr_fp_sub(&out->c1, &a->c1, &b->c1);
}

static inline void dr_fp2_dbl(struct dr_fp2 *out, const struct dr_fp2 *a)
{
	dr_fp_dbl(&out->c0, &a->c0);
	dr_fp_dbl(&out->c1, &a->c1);
}

static inline void dr_fp2_neg(struct dr_fp2 *out, const struct dr_fp2 *a)
{
	dr_fp_neg(&out->c0, &a->c0);
	dr_fp_neg(&out->c1, &a->c1);
}

static inline void dr_fp2_conj(struct dr_fp2 *out, const struct dr_fp2 *a)
{
	out->c0 = a->c0;
	dr_fp_neg(&out->c1, &a->c1);
}

/* dr_fp2_mul_xi: by xi = 1 + u, of which Fp6 is made. */
static inline void dr_fp2_mul_xi(struct dr_fp2 *out, const struct dr_fp2 *a)
{
	const struct dr_fp c0 = a->c0;

	dr_fp_sub(&out->c0, &c0, &a->c1);
	dr_fp_add(&out->c1, &c0, &a->c1);
}

static inline void dr_fp2_mul(struct dr_fp2 *out, const struct dr_fp2 *a, const struct dr_fp2 *b)
{
	dr_fp_k()->mul2(out, a, b);
}

static inline void dr_fp2_sqr(struct dr_fp2 *out, const struct dr_fp2 *a)
{
	dr_fp_k()->sqr2(out, a);
}

/* dr_fp2_cross: a b - c d. */
static inline void dr_fp2_cross(struct dr_fp2 *out, const struct dr_fp2 *a, const struct dr_fp2 *b,
				const struct dr_fp2 *c, const struct dr_fp2 *d)
{
	dr_fp_k()->cross2(out, a, b, c, d);
}

static inline void dr_fp2_mul_fp(struct dr_fp2 *out, const struct dr_fp2 *a, const struct dr_fp *b)
{
	dr_fp_mul(&out->c0, &a->c0, b);
	dr_fp_mul(&out->c1, &a->c1, b);
}

/* dr_fp2_norm: a0^2 + a1^2. */
void dr_fp2_norm(struct dr_fp *out, const struct dr_fp2 *a);

/* dr_fp2_inv: 1 / a, and 0 for 0. */
void dr_fp2_inv(struct dr_fp2 *out, const struct dr_fp2 *a);

/* dr_fp2_sqrt: a root, if there is one. False, and zero, if not. */
bool dr_fp2_sqrt(struct dr_fp2 *out, const struct dr_fp2 *a);

/* dr_fp2_sqrt_or: a root of a, and true; or, if a is no square, a root of a z with z = -(2 + u), which is none either
 * (RFC 9380, 8.8.2: Z of the suite), and false. */
bool dr_fp2_sqrt_or(struct dr_fp2 *out, const struct dr_fp2 *a);

/* dr_fp2_is_odd: sgn0 of RFC 9380, 4.1. */
bool dr_fp2_is_odd(const struct dr_fp2 *a);

/* dr_fp2_is_high: whether a is lexicographically above -a, c1 before c0. */
bool dr_fp2_is_high(const struct dr_fp2 *a);

#endif
