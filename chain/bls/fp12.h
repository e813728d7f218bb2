/* SPDX-License-Identifier: Apache-2.0
 *
 * fp12: the tower above Fp2: Fp6 = Fp2[v] / (v^3 - xi), xi = 1 + u, and Fp12 = Fp6[w] / (w^2 - v), so that w^6 = xi.
 *
 * Layer: chain/bls.
 */
#ifndef DR_BLS_FP12_H
#define DR_BLS_FP12_H

#include "chain/bls/fp2.h"

struct dr_fp6 {
	struct dr_fp2 c0, c1, c2; /* c0 + c1 v + c2 v^2 */
};

struct dr_fp12 {
	struct dr_fp6 c0, c1; /* c0 + c1 w */
};

/* The value of a line: a + b v + c v w. */
struct dr_fp12_line {
	struct dr_fp2 a, b, c;
};

void dr_fp6_add(struct dr_fp6 *out, const struct dr_fp6 *a, const struct dr_fp6 *b);
void dr_fp6_sub(struct dr_fp6 *out, const struct dr_fp6 *a, const struct dr_fp6 *b);
void dr_fp6_neg(struct dr_fp6 *out, const struct dr_fp6 *a);
void dr_fp6_mul_v(struct dr_fp6 *out, const struct dr_fp6 *a);
void dr_fp6_mul(struct dr_fp6 *out, const struct dr_fp6 *a, const struct dr_fp6 *b);
void dr_fp6_inv(struct dr_fp6 *out, const struct dr_fp6 *a); /* 0 for 0 */

extern const struct dr_fp12 dr_fp12_one;

bool dr_fp12_eq(const struct dr_fp12 *a, const struct dr_fp12 *b);
void dr_fp12_mul(struct dr_fp12 *out, const struct dr_fp12 *a, const struct dr_fp12 *b);
void dr_fp12_sqr(struct dr_fp12 *out, const struct dr_fp12 *a);
void dr_fp12_inv(struct dr_fp12 *out, const struct dr_fp12 *a); /* 0 for 0 */

/* a^(p^6): c0 - c1 w. */
void dr_fp12_conj(struct dr_fp12 *out, const struct dr_fp12 *a);

/* a^p and a^(p^2). */
void dr_fp12_frob(struct dr_fp12 *out, const struct dr_fp12 *a);
void dr_fp12_frob2(struct dr_fp12 *out, const struct dr_fp12 *a);

/* a^2, for an a of the cyclotomic subgroup, that is with a^(p^4 - p^2 + 1) = 1. */
void dr_fp12_sqr_cyclotomic(struct dr_fp12 *out, const struct dr_fp12 *a);

/* Times one line, and times the product of two. */
void dr_fp12_mul_line(struct dr_fp12 *out, const struct dr_fp12 *a, const struct dr_fp12_line *line);
void dr_fp12_mul_lines(struct dr_fp12 *out, const struct dr_fp12 *a, const struct dr_fp12_line *one,
		       const struct dr_fp12_line *two);

#endif
