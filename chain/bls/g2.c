/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/bls/g2.h"

#define POINT(name)  dr_g2_##name
#define POINT_TYPE   dr_g2
#define POINT_AFFINE dr_g2_affine
#define FIELD(name)  dr_fp2_##name
#define FIELD_TYPE   dr_fp2
#define FIELD_ONE                                                                                                    \
	{                                                                                                            \
		.c0 = dr_fp_one                                                                                      \
	}
#include "chain/bls/point.h"

static const struct dr_fp four = { { 0xaa270000000cfff3, 0x53cc0032fc34000a, 0x478fe97a6b0a807f, 0xb1d37ebee6ba24d7,
				     0x8ec9733bbf78ab2f, 0x09d645513d83de7e } };

/* 1 / xi^((p - 1) / 3), a multiple of u, and 1 / xi^((p - 1) / 2). */
static const struct dr_fp psi_x = { { 0x890dc9e4867545c3, 0x2af322533285a5d5, 0x50880866309b7e2c, 0xa20d1b8c7e881024,
				      0x14e4f04fe2db9068, 0x14e56d3f1564853a } };
static const struct dr_fp2 psi_y = {
	{ { 0x3e2f585da55c9ad1, 0x4294213d86c18183, 0x382844c88b623732, 0x92ad2afd19103e18, 0x1d794e4fac7cf0b9,
	    0x0bd592fc7d825ec8 } },
	{ { 0x7bcfa7a25aa30fda, 0xdc17dec12a927e7c, 0x2f088dd86b4ebef1, 0xd1ca2087da74d4a7, 0x2da2596696cebc1d,
	    0x0e2b7eedbbfd87d2 } },
};

/* x^3 + 4 (1 + u) */
static void right_side(struct dr_fp2 *out, const struct dr_fp2 *x)
{
	struct dr_fp2 t;

	dr_fp2_sqr(&t, x);
	dr_fp2_mul(&t, &t, x);
	dr_fp_add(&out->c0, &t.c0, &four);
	dr_fp_add(&out->c1, &t.c1, &four);
}

bool dr_g2_is_on_curve(const struct dr_g2_affine *p)
{
	struct dr_fp2 right, left;

	right_side(&right, &p->x);
	dr_fp2_sqr(&left, &p->y);
	return dr_fp2_eq(&left, &right);
}

/* Conjugation is the Frobenius of Fp2: it goes through X / Z^2 and Y / Z^3. */
void dr_g2_psi(struct dr_g2 *out, const struct dr_g2 *p)
{
	struct dr_fp2 x;

	dr_fp2_conj(&x, &p->x);
	/* (x0 + x1 u) k u = -k x1 + k x0 u */
	dr_fp_mul(&out->x.c1, &x.c0, &psi_x);
	dr_fp_mul(&out->x.c0, &x.c1, &psi_x);
	dr_fp_neg(&out->x.c0, &out->x.c0);
	dr_fp2_conj(&out->y, &p->y);
	dr_fp2_mul(&out->y, &out->y, &psi_y);
	dr_fp2_conj(&out->z, &p->z);
}

/* On G2 psi is [x], and a point of the curve with psi(P) = [x] P is of G2 (M. Scott, A note on group membership tests
 * for G1, G2 and GT on BLS pairing-friendly curves, 2021, section 4). x is negative. */
bool dr_g2_is_in_subgroup(const struct dr_g2_affine *p)
{
	struct dr_g2 xp, psi;
	struct dr_g2_affine minus_psi;

	dr_g2_of_affine(&psi, p);
	dr_g2_psi(&psi, &psi);
	minus_psi.x = psi.x;
	dr_fp2_neg(&minus_psi.y, &psi.y);
	dr_g2_mul_x_affine(&xp, p);
	return dr_g2_eq_affine(&xp, &minus_psi);
}

/* [x^2 - x - 1] P + [x - 1] psi(P) + psi^2(2 P) (A. Budroni and F. Pintore, Efficient hash maps to G2 on BLS curves,
 * 2017; RFC 9380, G.3), as [x] ([x] P + psi(P)) - [x] P - psi(P) - P + psi^2(2 P); with n = -x = |x|:
 * [n] ([n] P - psi(P)) + [n] P - psi(P) - P + psi^2(2 P). */
void dr_g2_clear_cofactor(struct dr_g2 *out, const struct dr_g2 *p)
{
	struct dr_g2 some, minus, sum;

	dr_g2_psi(&minus, p);
	dr_g2_neg(&minus, &minus);
	dr_g2_mul_x(&some, p);
	dr_g2_add(&some, &some, &minus); /* [n] P - psi(P) */
	dr_g2_dbl(&sum, p);
	dr_g2_psi(&sum, &sum);
	dr_g2_psi(&sum, &sum);
	dr_g2_add(&sum, &sum, &some);
	dr_g2_neg(&minus, p);
	dr_g2_add(&sum, &sum, &minus);
	dr_g2_mul_x(&some, &some);
	dr_g2_add(out, &sum, &some);
}

enum dr_err dr_g2_get(struct dr_g2_affine *out, const uint8_t text[static DR_G2_LEN], struct dr_fail *fail)
{
	const uint8_t flags = text[0] & 0xe0;
	uint8_t x[DR_G2_LEN];
	struct dr_fp2 right;

	memcpy(x, text, DR_G2_LEN);
	x[0] &= 0x1f;
	*out = (struct dr_g2_affine){ 0 };
	if ((flags & 0x80) == 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "a point of G2 is not compressed", 0);
	if (flags == 0xc0 && dr_bytes_zero(x, sizeof(x)))
		return dr_fail_set(fail, DR_ERR_PROOF, "a point of G2 is infinity", 0);
	if ((flags & 0x40) != 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "infinity of G2 with other bits", 0);
	if (!dr_fp_get(&out->x.c1, x) || !dr_fp_get(&out->x.c0, x + DR_FP_LEN)) {
		*out = (struct dr_g2_affine){ 0 };
		return dr_fail_set(fail, DR_ERR_NONCANONICAL, "x of a point of G2 is not below p", 0);
	}
	right_side(&right, &out->x);
	if (!dr_fp2_sqrt(&out->y, &right)) {
		*out = (struct dr_g2_affine){ 0 };
		return dr_fail_set(fail, DR_ERR_PROOF, "no point of G2's curve has this x", 0);
	}
	if (dr_fp2_is_high(&out->y) != ((flags & 0x20) != 0))
		dr_fp2_neg(&out->y, &out->y);
	return DR_OK;
}

void dr_g2_put(uint8_t text[static DR_G2_LEN], const struct dr_g2_affine *p)
{
	dr_fp_put(text, &p->x.c1);
	dr_fp_put(text + DR_FP_LEN, &p->x.c0);
	text[0] |= dr_fp2_is_high(&p->y) ? 0xa0 : 0x80;
}
