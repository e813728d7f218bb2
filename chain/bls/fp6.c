/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/bls/fp12.h"

void dr_fp6_add(struct dr_fp6 *out, const struct dr_fp6 *a, const struct dr_fp6 *b)
{
	dr_fp2_add(&out->c0, &a->c0, &b->c0);
	dr_fp2_add(&out->c1, &a->c1, &b->c1);
	dr_fp2_add(&out->c2, &a->c2, &b->c2);
}

void dr_fp6_sub(struct dr_fp6 *out, const struct dr_fp6 *a, const struct dr_fp6 *b)
{
	dr_fp2_sub(&out->c0, &a->c0, &b->c0);
	dr_fp2_sub(&out->c1, &a->c1, &b->c1);
	dr_fp2_sub(&out->c2, &a->c2, &b->c2);
}

void dr_fp6_neg(struct dr_fp6 *out, const struct dr_fp6 *a)
{
	dr_fp2_neg(&out->c0, &a->c0);
	dr_fp2_neg(&out->c1, &a->c1);
	dr_fp2_neg(&out->c2, &a->c2);
}

void dr_fp6_mul_v(struct dr_fp6 *out, const struct dr_fp6 *a)
{
	struct dr_fp2 c0;

	dr_fp2_mul_xi(&c0, &a->c2);
	out->c2 = a->c1;
	out->c1 = a->c0;
	out->c0 = c0;
}

void dr_fp6_mul(struct dr_fp6 *out, const struct dr_fp6 *a, const struct dr_fp6 *b)
{
	dr_fp_k()->mul6(out, a, b);
}

/* With A = a0^2 - xi a1 a2, B = xi a2^2 - a0 a1, C = a1^2 - a0 a2 and F = a0 A + xi (a2 B + a1 C), of Fp2:
 * (A + B v + C v^2) / F (M. Scott, Implementing cryptographic pairings, 2007, 3.2). */
void dr_fp6_inv(struct dr_fp6 *out, const struct dr_fp6 *a)
{
	struct dr_fp2 c0, c1, c2, s, f;

	dr_fp2_mul(&s, &a->c1, &a->c2);
	dr_fp2_mul_xi(&s, &s);
	dr_fp2_sqr(&c0, &a->c0);
	dr_fp2_sub(&c0, &c0, &s);
	dr_fp2_sqr(&c1, &a->c2);
	dr_fp2_mul_xi(&c1, &c1);
	dr_fp2_mul(&s, &a->c0, &a->c1);
	dr_fp2_sub(&c1, &c1, &s);
	dr_fp2_sqr(&c2, &a->c1);
	dr_fp2_mul(&s, &a->c0, &a->c2);
	dr_fp2_sub(&c2, &c2, &s);

	dr_fp2_mul(&f, &a->c2, &c1);
	dr_fp2_mul(&s, &a->c1, &c2);
	dr_fp2_add(&f, &f, &s);
	dr_fp2_mul_xi(&f, &f);
	dr_fp2_mul(&s, &a->c0, &c0);
	dr_fp2_add(&f, &f, &s);
	dr_fp2_inv(&f, &f);
	dr_fp2_mul(&out->c0, &c0, &f);
	dr_fp2_mul(&out->c1, &c1, &f);
	dr_fp2_mul(&out->c2, &c2, &f);
}
