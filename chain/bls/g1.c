/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/bls/g1.h"

#define POINT(name)  dr_g1_##name
#define POINT_TYPE   dr_g1
#define POINT_AFFINE dr_g1_affine
#define FIELD(name)  dr_fp_##name
#define FIELD_TYPE   dr_fp
#define FIELD_ONE    dr_fp_one
#include "chain/bls/point.h"

const struct dr_g1_affine dr_g1_minus_generator = {
	.x = { { 0x5cb38790fd530c16, 0x7817fc679976fff5, 0x154f95c7143ba1c1, 0xf0ae6acdf3d0e747, 0xedce6ecc21dbf440,
		 0x120177419e0bfb75 } },
	.y = { { 0xff526c2af318883a, 0x92899ce4383b0270, 0x89d7738d9fa9d055, 0x12caf35ba344c12a, 0x3cff1b76964b5317,
		 0x0e44d2ede9774430 } },
};

static const struct dr_fp four = { { 0xaa270000000cfff3, 0x53cc0032fc34000a, 0x478fe97a6b0a807f, 0xb1d37ebee6ba24d7,
				     0x8ec9733bbf78ab2f, 0x09d645513d83de7e } };

/* 2^(2 (p - 1) / 3) or its square: the cube root of one that makes (beta x, y) = [-x^2] (x, y) on G1. */
static const struct dr_fp beta = { { 0x30f1361b798a64e8, 0xf3b8ddab7ece5a2a, 0x16a8ca3ac61577f7, 0xc26a2ff874fd029b,
				     0x3636b76660701c6e, 0x051ba4ab241b6160 } };

/* x^3 + 4 */
static void right_side(struct dr_fp *out, const struct dr_fp *x)
{
	struct dr_fp t;

	dr_fp_sqr(&t, x);
	dr_fp_mul(&t, &t, x);
	dr_fp_add(out, &t, &four);
}

bool dr_g1_is_on_curve(const struct dr_g1_affine *p)
{
	struct dr_fp right, left;

	right_side(&right, &p->x);
	dr_fp_sqr(&left, &p->y);
	return dr_fp_eq(&left, &right);
}

/* phi(x, y) = (beta x, y) satisfies phi^2 + phi + 1 = 0 on the whole curve. If phi(P) = [-x^2] P, then
 * [x^4 - x^2 + 1] P is infinity, and x^4 - x^2 + 1 is r; and on G1 phi is [-x^2] (S. Bowe, Faster subgroup checks for
 * BLS12-381, 2019; M. Scott, A note on group membership tests, 2021). */
bool dr_g1_is_in_subgroup(const struct dr_g1_affine *p)
{
	struct dr_g1_affine phi;
	struct dr_g1 xx;

	dr_g1_mul_x_affine(&xx, p);
	dr_g1_mul_x(&xx, &xx);
	dr_fp_mul(&phi.x, &p->x, &beta);
	dr_fp_neg(&phi.y, &p->y);
	return dr_g1_eq_affine(&xx, &phi);
}

enum dr_err dr_g1_get(struct dr_g1_affine *out, const uint8_t text[static DR_G1_LEN], struct dr_fail *fail)
{
	const uint8_t flags = text[0] & 0xe0;
	uint8_t x[DR_FP_LEN];
	struct dr_fp right;

	memcpy(x, text, DR_FP_LEN);
	x[0] &= 0x1f;
	*out = (struct dr_g1_affine){ 0 };
	if ((flags & 0x80) == 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "a point of G1 is not compressed", 0);
	if (flags == 0xc0 && dr_bytes_zero(x, sizeof(x)))
		return dr_fail_set(fail, DR_ERR_PROOF, "a point of G1 is infinity", 0);
	if ((flags & 0x40) != 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "infinity of G1 with other bits", 0);
	if (!dr_fp_get(&out->x, x))
		return dr_fail_set(fail, DR_ERR_NONCANONICAL, "x of a point of G1 is not below p", 0);
	right_side(&right, &out->x);
	if (!dr_fp_sqrt(&out->y, &right)) {
		*out = (struct dr_g1_affine){ 0 };
		return dr_fail_set(fail, DR_ERR_PROOF, "no point of G1's curve has this x", 0);
	}
	if (dr_fp_is_high(&out->y) != ((flags & 0x20) != 0))
		dr_fp_neg(&out->y, &out->y);
	return DR_OK;
}

void dr_g1_put(uint8_t text[static DR_G1_LEN], const struct dr_g1_affine *p)
{
	dr_fp_put(text, &p->x);
	text[0] |= dr_fp_is_high(&p->y) ? 0xa0 : 0x80;
}
