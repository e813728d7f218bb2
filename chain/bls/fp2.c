/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/bls/fp2.h"

static const struct dr_fp half = { { 0x1804000000015554, 0x855000053ab00001, 0x633cb57c253c276f, 0x6e22d1ec31ebb502,
				     0xd3916126f2d14ca2, 0x17fbb8571a006596 } };

/* A root of -5: 5 is the norm of z = -(2 + u), and no square. */
static const struct dr_fp root_of_minus_5 = { { 0xcd94f7407f49f0ba, 0xe4f81e0fa6c4f72d, 0x30e77d854799eedb,
						0xc442e208de13f299, 0x15a4f8f75facaabe, 0x135bd2bfe164a855 } };

void dr_fp2_norm(struct dr_fp *out, const struct dr_fp2 *a)
{
	struct dr_fp c1;

	dr_fp_sqr(&c1, &a->c1);
	dr_fp_sqr(out, &a->c0);
	dr_fp_add(out, out, &c1);
}

void dr_fp2_inv(struct dr_fp2 *out, const struct dr_fp2 *a)
{
	struct dr_fp norm;

	dr_fp2_norm(&norm, a);
	dr_fp_inv(&norm, &norm);
	dr_fp2_conj(out, a);
	dr_fp2_mul_fp(out, out, &norm);
}

/* A root of a, given a root n of its norm (the complex method: G. Adj and F. Rodríguez-Henríquez, Square root
 * computation over even extension fields, 2012, algorithm 8; here one power gives root and inverse). With
 * d = (a0 + n) / 2 and t = d^((p - 3) / 4), y = d t:
 *   d t^2 = 1:  y^2 = d, 1 / y = t, and the root is y + a1 / (2 y) u;
 *   d t^2 = -1: y^2 = -d, 1 / y = -t, and as d (a0 - n) / 2 = -(a1 / 2)^2, the root is a1 / (2 y) + y u;
 *   d = 0: a1 = 0 and n = -a0: the root of a0, or that of -a0 times u. */
static void root_by_norm(struct dr_fp2 *out, const struct dr_fp2 *a, const struct dr_fp *n)
{
	struct dr_fp d, t, y, z, symbol;

	dr_fp_add(&d, &a->c0, n);
	dr_fp_mul(&d, &d, &half);
	if (dr_fp_is_zero(&d)) {
		if (dr_fp_sqrt(&y, &a->c0))
			*out = (struct dr_fp2){ .c0 = y };
		else
			*out = (struct dr_fp2){ .c1 = y };
		return;
	}
	dr_fp_root_power(&t, &d);
	dr_fp_mul(&y, &d, &t);
	dr_fp_mul(&symbol, &y, &t);
	dr_fp_mul(&z, &a->c1, &half);
	dr_fp_mul(&z, &z, &t);
	if (dr_fp_eq(&symbol, &dr_fp_one)) {
		out->c0 = y;
		out->c1 = z;
	} else {
		dr_fp_neg(&out->c0, &z);
		out->c1 = y;
	}
}

bool dr_fp2_sqrt(struct dr_fp2 *out, const struct dr_fp2 *a)
{
	struct dr_fp norm, n;

	/* An element is a square in Fp2 if and only if its norm is one in Fp. */
	dr_fp2_norm(&norm, a);
	if (!dr_fp_sqrt(&n, &norm)) {
		*out = (struct dr_fp2){ 0 };
		return false;
	}
	root_by_norm(out, a, &n);
	return true;
}

bool dr_fp2_sqrt_or(struct dr_fp2 *out, const struct dr_fp2 *a)
{
	struct dr_fp norm, n;
	struct dr_fp2 az;

	dr_fp2_norm(&norm, a);
	if (dr_fp_sqrt(&n, &norm)) {
		root_by_norm(out, a, &n);
		return true;
	}
	/* n is a root of -norm, and n times that of -5 one of the norm of a z. (a0 + a1 u)(2 + u) is
	 * 2 a0 - a1 + (a0 + 2 a1) u. */
	dr_fp_mul(&n, &n, &root_of_minus_5);
	dr_fp_dbl(&az.c0, &a->c0);
	dr_fp_sub(&az.c0, &a->c1, &az.c0);
	dr_fp_dbl(&az.c1, &a->c1);
	dr_fp_add(&az.c1, &az.c1, &a->c0);
	dr_fp_neg(&az.c1, &az.c1);
	root_by_norm(out, &az, &n);
	return false;
}

bool dr_fp2_is_odd(const struct dr_fp2 *a)
{
	return dr_fp_is_zero(&a->c0) ? dr_fp_is_odd(&a->c1) : dr_fp_is_odd(&a->c0);
}

bool dr_fp2_is_high(const struct dr_fp2 *a)
{
	return dr_fp_is_zero(&a->c1) ? dr_fp_is_high(&a->c0) : dr_fp_is_high(&a->c1);
}
