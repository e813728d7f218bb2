/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/bls/hash.h"

#include "chain/crypto/sha256.h"

/* ---- expand_message_xmd ---- */

#define BLOCK 64u /* s_in_bytes of SHA-256 */
#define HASH  32u

/* "1. ell = ceil(len_in_bytes / b_in_bytes) … 11. substr(uniform_bytes, 0, len_in_bytes)" */
void dr_hash_expand(uint8_t *out, size_t len, struct dr_bytes msg, struct dr_bytes tag)
{
	static const uint8_t zeros[BLOCK] = { 0 };
	const uint8_t wanted[3] = { (uint8_t)(len >> 8), (uint8_t)len, 0 }, tag_len = (uint8_t)tag.len;
	uint8_t first[HASH], block[HASH] = { 0 };

	DR_ASSERT(len >= 1 && len <= DR_HASH_EXPAND_MAX && tag.len <= 255);
	dr_sha256(first,
		  (struct dr_bytes[]){ dr_bytes_of(zeros, BLOCK), msg, dr_bytes_of(wanted, 3), tag,
				       dr_bytes_of(&tag_len, 1) },
		  5);
	for (size_t at = 0; at < len; at += HASH) {
		const size_t some = len - at < HASH ? len - at : HASH;
		const uint8_t i = (uint8_t)(at / HASH + 1);

		for (size_t k = 0; k < HASH; k++)
			block[k] ^= first[k];
		dr_sha256(block,
			  (struct dr_bytes[]){ dr_bytes_of(block, HASH), dr_bytes_of(&i, 1), tag,
					       dr_bytes_of(&tag_len, 1) },
			  4);
		memcpy(out + at, block, some);
	}
}

/* ---- map_to_curve ---- */

/* The curve of section 8.8.2: y^2 = x^3 + 240 u x + 1012 (1 + u), with Z = -(2 + u). */
static const struct dr_fp coeff_a1 = { { 0xe53a000003135242, 0x01080c0fdef80285, 0xe7889edbe340f6bd,
					 0x0b51375126310601, 0x02d6985717c744ab, 0x1220b4e979ea5467 } };
static const struct dr_fp coeff_b = { { 0x22ea00000cf89db2, 0x6ec832df71380aa4, 0x6e1b94403db5a66e,
					0x75bf3c53a79473ba, 0x3dd3a569412c0a34, 0x125cdb5e74dc4fd1 } };
/* -B / A and B / (Z A) */
static const struct dr_fp2 minus_b_by_a = {
	{ { 0x903c555555474fb3, 0x5f98cc95ce451105, 0x9f8e582eefe0fade, 0xc68946b6aebbd062, 0x467a4ad10ee6de53,
	    0x0e7146f483e23a05 } },
	{ { 0x29c2aaaaaab85af8, 0xbf133368e30eeefa, 0xc7a27a7206cffb45, 0x9dee04ce44c9425c, 0x04a15ce53464ce83,
	    0x0b8fcaf5b59dac95 } },
};
static const struct dr_fp2 b_by_za = {
	{ { 0xf2d8444444414324, 0x2585c28393a69d00, 0x5dd35cd05d972c42, 0xfd963b744ea89b53, 0x07f5d9fd91c1fa91,
	    0x127db28a3ce062c4 } },
	{ { 0x55743333333b3695, 0xeb72b871590828fc, 0x1c186171cb4d5da5, 0x34a33031ee956644, 0xc971692a149d16d0,
	    0x168a1e1ff5de8b82 } },
};

/* Times Z. */
static void mul_z(struct dr_fp2 *out, const struct dr_fp2 *a)
{
	struct dr_fp2 t;

	/* (a0 + a1 u)(2 + u) = 2 a0 - a1 + (a0 + 2 a1) u */
	dr_fp_dbl(&t.c0, &a->c0);
	dr_fp_sub(&t.c0, &t.c0, &a->c1);
	dr_fp_dbl(&t.c1, &a->c1);
	dr_fp_add(&t.c1, &t.c1, &a->c0);
	dr_fp2_neg(out, &t);
}

/* "6.6.2. Simplified Shallue-van de Woestijne-Ulas Method", steps 4 to 9, where tv1_inv is inv0(Z^2 u^4 + Z u^2) of
 * step 1 and zu2 is Z u^2: "x1 = (-B / A) * (1 + tv1) … If tv1 == 0, set x1 = B / (Z * A) … If is_square(gx1), set
 * x = x1 and y = sqrt(gx1) … Else set x = x2 and y = sqrt(gx2)", x2 = Z u^2 x1, gx2 = (Z u^2)^3 gx1. A root of gx1 Z
 * is found with the power that would have given one of gx1; times Z u^3 it is one of gx2. */
static void map_one(struct dr_g2_affine *out, const struct dr_fp2 *u, const struct dr_fp2 *zu2,
		    const struct dr_fp2 *tv1_inv)
{
	struct dr_fp2 x, y, gx, t;

	if (dr_fp2_is_zero(tv1_inv)) {
		x = b_by_za;
	} else {
		t = *tv1_inv;
		dr_fp_add(&t.c0, &t.c0, &dr_fp_one);
		dr_fp2_mul(&x, &minus_b_by_a, &t);
	}
	dr_fp2_sqr(&gx, &x);
	/* + 240 u */
	dr_fp_add(&gx.c1, &gx.c1, &coeff_a1);
	dr_fp2_mul(&gx, &gx, &x);
	dr_fp_add(&gx.c0, &gx.c0, &coeff_b);
	dr_fp_add(&gx.c1, &gx.c1, &coeff_b);
	if (!dr_fp2_sqrt_or(&y, &gx)) {
		dr_fp2_mul(&x, &x, zu2);
		dr_fp2_mul(&y, &y, zu2);
		dr_fp2_mul(&y, &y, u);
	}
	if (dr_fp2_is_odd(u) != dr_fp2_is_odd(&y))
		dr_fp2_neg(&y, &y);
	out->x = x;
	out->y = y;
}

/* "E.3. 3-Isogeny Map for BLS12-381 G2": its kernel is x0 = -6 + 6 u, and Vélu's formulas (1971) give, with
 * d = x - x0: (x + 48 u / d + 16 (1 + u) / d^2, y (1 - 48 u / d^2 - 32 (1 + u) / d^3)) on y^2 = x^3 + 2916 (1 + u),
 * from which (x / 3^2, y / (-3)^3) comes to y^2 = x^3 + 4 (1 + u). So Z = -3 d in Jacobian coordinates, and infinity
 * where the RFC says so, at d = 0. */
static void isogeny(struct dr_g2 *out, const struct dr_g2_affine *p)
{
	static const struct dr_fp six = { { 0x223b00000013aa97, 0xee5c004d21a40010, 0x37bf74e7253745ac,
					    0xd881985be054ade3, 0xb0a058fe7d8f2a5b, 0x01c0df04bf85da70 } };
	static const struct dr_fp sixteen = { { 0xee9d000000345521, 0x308400cd3f7c002a, 0xb70ed348b5790bd9,
						0x62d6af76a763809d, 0xf00a2538ba96ffe7, 0x0d58035abc8f935f } };
	struct dr_fp2 d, dd, ud, xi, t;

	dr_fp_add(&d.c0, &p->x.c0, &six);
	dr_fp_sub(&d.c1, &p->x.c1, &six);
	dr_fp2_sqr(&dd, &d);
	dr_fp_mul(&t.c1, &d.c0, &sixteen);
	dr_fp_mul(&t.c0, &d.c1, &sixteen);
	dr_fp_neg(&t.c0, &t.c0);
	dr_fp2_dbl(&ud, &t);
	dr_fp2_add(&ud, &ud, &t); /* 48 u d */
	xi = (struct dr_fp2){ sixteen, sixteen };

	/* X = x d^2 + 48 u d + 16 (1 + u) */
	dr_fp2_mul(&out->x, &p->x, &dd);
	dr_fp2_add(&out->x, &out->x, &ud);
	dr_fp2_add(&out->x, &out->x, &xi);
	/* Y = y (d^3 - 48 u d - 32 (1 + u)) */
	dr_fp2_mul(&dd, &dd, &d);
	dr_fp2_sub(&dd, &dd, &ud);
	dr_fp2_sub(&dd, &dd, &xi);
	dr_fp2_sub(&dd, &dd, &xi);
	dr_fp2_mul(&out->y, &p->y, &dd);
	dr_fp2_dbl(&t, &d);
	dr_fp2_add(&t, &t, &d);
	dr_fp2_neg(&out->z, &t);
}

void dr_hash_map(struct dr_g2 out[static 2], const struct dr_fp2 u[static 2])
{
	struct dr_fp2 zu2[2], tv1[2], inv[2], both;

	for (size_t i = 0; i < 2; i++) {
		dr_fp2_sqr(&zu2[i], &u[i]);
		mul_z(&zu2[i], &zu2[i]);
		dr_fp2_sqr(&tv1[i], &zu2[i]);
		dr_fp2_add(&tv1[i], &tv1[i], &zu2[i]);
	}
	dr_fp2_mul(&both, &tv1[0], &tv1[1]);
	if (dr_fp2_is_zero(&both)) {
		dr_fp2_inv(&inv[0], &tv1[0]);
		dr_fp2_inv(&inv[1], &tv1[1]);
	} else {
		dr_fp2_inv(&both, &both);
		dr_fp2_mul(&inv[0], &both, &tv1[1]);
		dr_fp2_mul(&inv[1], &both, &tv1[0]);
	}
	for (size_t i = 0; i < 2; i++) {
		struct dr_g2_affine point;

		map_one(&point, &u[i], &zu2[i], &inv[i]);
		isogeny(&out[i], &point);
	}
}

/* "1. u = hash_to_field(msg, 2) … 6. return P", where L is 64 and m is 2. */
void dr_hash_to_g2(struct dr_g2 *out, struct dr_bytes msg, struct dr_bytes tag)
{
	uint8_t uniform[4 * 64];
	struct dr_fp2 u[2];
	struct dr_g2 point[2];

	dr_hash_expand(uniform, sizeof(uniform), msg, tag);
	for (size_t i = 0; i < 2; i++) {
		dr_fp_get_wide(&u[i].c0, uniform + 128 * i);
		dr_fp_get_wide(&u[i].c1, uniform + 128 * i + 64);
	}
	dr_hash_map(point, u);
	dr_g2_add(&point[0], &point[0], &point[1]);
	dr_g2_clear_cofactor(out, &point[0]);
}
