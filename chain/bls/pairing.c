/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/bls/pairing.h"

#include "chain/base/err.h"

/* ---- lines ---- */

/* One pair on its way: T, in homogeneous coordinates (x = X / Z, y = Y / Z), Q, and what lines ask of P. */
struct pair {
	struct dr_g2 t;
	struct dr_g2_affine q;
	struct dr_fp minus_x, minus_3x, y;
};

/* T = 2 T, and the tangent at T, at P: with slope s of the twist (y^2 = x^3 + 4 xi, untwisted by (x / w^2, y / w^3))
 * it is s x_T - y_T - s x_P w^2 + y_P w^3, up to factors of Fp4, which the final exponentiation takes to one; here
 * times 2 Y Z: Y^2 - 3 b Z^2 - 3 X^2 x_P v + 2 Y Z y_P v w. (D. Aranha et al., Faster explicit formulas for computing
 * pairings over ordinary curves, 2010, section 4, with T four times as large instead of halves.) */
static void step_double(struct dr_fp12_line *line, struct pair *m)
{
	struct dr_g2 *t = &m->t;
	struct dr_fp2 a, b, c, e, f, g, h, f4;

	dr_fp2_mul(&a, &t->x, &t->y);
	dr_fp2_dbl(&a, &a);
	dr_fp2_sqr(&b, &t->y);
	dr_fp2_sqr(&c, &t->z);
	dr_fp2_add(&h, &t->y, &t->z);
	dr_fp2_sqr(&h, &h);
	dr_fp2_sub(&h, &h, &b);
	dr_fp2_sub(&h, &h, &c); /* 2 Y Z */
	dr_fp2_mul_xi(&e, &c);
	dr_fp2_dbl(&e, &e);
	dr_fp2_dbl(&e, &e);
	dr_fp2_dbl(&f, &e);
	dr_fp2_add(&e, &e, &f); /* 3 b Z^2 */
	dr_fp2_dbl(&f, &e);
	dr_fp2_add(&f, &f, &e);
	dr_fp2_add(&g, &b, &f);
	dr_fp2_dbl(&f4, &f);
	dr_fp2_dbl(&f4, &f4);
	dr_fp2_sub(&f, &b, &f);

	dr_fp2_sub(&line->a, &b, &e);
	dr_fp2_sqr(&c, &t->x);
	dr_fp2_mul_fp(&line->b, &c, &m->minus_3x);
	dr_fp2_mul_fp(&line->c, &h, &m->y);

	dr_fp2_mul(&t->x, &a, &f);
	dr_fp2_cross(&t->y, &g, &g, &f4, &e);
	dr_fp2_mul(&t->z, &b, &h);
	dr_fp2_dbl(&t->z, &t->z);
	dr_fp2_dbl(&t->z, &t->z);
}

/* T = T + Q, and the line through both, at P: with d = Y - y_Q Z and l = X - x_Q Z, d x_Q - l y_Q - d x_P v + l y_P v
 * w. (The same, section 4.) */
static void step_add(struct dr_fp12_line *line, struct pair *m)
{
	const struct dr_g2_affine *q = &m->q;
	struct dr_g2 *t = &m->t;
	struct dr_fp2 d, l, c, e, f, g, h;

	dr_fp2_mul(&d, &q->y, &t->z);
	dr_fp2_sub(&d, &t->y, &d);
	dr_fp2_mul(&l, &q->x, &t->z);
	dr_fp2_sub(&l, &t->x, &l);

	dr_fp2_cross(&line->a, &d, &q->x, &l, &q->y);
	dr_fp2_mul_fp(&line->b, &d, &m->minus_x);
	dr_fp2_mul_fp(&line->c, &l, &m->y);

	dr_fp2_sqr(&c, &d);
	dr_fp2_mul(&f, &c, &t->z);
	dr_fp2_sqr(&g, &l);
	dr_fp2_mul(&e, &g, &l);
	dr_fp2_mul(&g, &g, &t->x);
	dr_fp2_add(&h, &e, &f);
	dr_fp2_sub(&h, &h, &g);
	dr_fp2_sub(&h, &h, &g);
	dr_fp2_mul(&t->x, &l, &h);
	dr_fp2_sub(&g, &g, &h);
	dr_fp2_cross(&t->y, &g, &d, &e, &t->y);
	dr_fp2_mul(&t->z, &t->z, &e);
}

/* ---- Miller's loop ---- */

#define X_ABS 0xd201000000010000u /* x is negative: its loop would be this one's inverse */

static void mul_all(struct dr_fp12 *f, const struct dr_fp12_line *lines, size_t num)
{
	size_t i = 0;

	for (; i + 1 < num; i += 2)
		dr_fp12_mul_lines(f, f, &lines[i], &lines[i + 1]);
	if (i < num)
		dr_fp12_mul_line(f, f, &lines[i]);
}

static void begin(struct pair *m, const struct dr_g1_affine *p, const struct dr_g2_affine *q)
{
	m->q = *q;
	dr_g2_of_affine(&m->t, q);
	dr_fp_neg(&m->minus_x, &p->x);
	dr_fp_dbl(&m->minus_3x, &m->minus_x);
	dr_fp_add(&m->minus_3x, &m->minus_3x, &m->minus_x);
	m->y = p->y;
}

void dr_pairing_miller(struct dr_fp12 *out, const struct dr_g1_affine *p, const struct dr_g2_affine *q, size_t num)
{
	struct pair pairs[DR_PAIRING_MAX];
	struct dr_fp12_line lines[DR_PAIRING_MAX];

	DR_ASSERT(num >= 1 && num <= DR_PAIRING_MAX);
	for (size_t i = 0; i < num; i++)
		begin(&pairs[i], &p[i], &q[i]);
	*out = dr_fp12_one;
	for (unsigned bit = 63; bit-- > 0;) {
		if (bit != 62)
			dr_fp12_sqr(out, out);
		for (size_t i = 0; i < num; i++)
			step_double(&lines[i], &pairs[i]);
		mul_all(out, lines, num);
		if ((X_ABS >> bit & 1) == 0)
			continue;
		for (size_t i = 0; i < num; i++)
			step_add(&lines[i], &pairs[i]);
		mul_all(out, lines, num);
	}
}

/* ---- the final exponentiation ---- */

/* a^x, in the cyclotomic subgroup, where the conjugate is the inverse. */
static void pow_x(struct dr_fp12 *out, const struct dr_fp12 *a)
{
	const struct dr_fp12 in = *a;

	*out = in;
	for (unsigned bit = 63; bit-- > 0;) {
		dr_fp12_sqr_cyclotomic(out, out);
		if ((X_ABS >> bit & 1) == 1)
			dr_fp12_mul(out, out, &in);
	}
	dr_fp12_conj(out, out);
}

/* a^(x - 1) */
static void pow_x_1(struct dr_fp12 *out, const struct dr_fp12 *a)
{
	struct dr_fp12 inv;

	dr_fp12_conj(&inv, a);
	pow_x(out, a);
	dr_fp12_mul(out, out, &inv);
}

/* (p^6 - 1)(p^2 + 1), and then 3 (p^4 - p^2 + 1) / r = (x - 1)^2 (x + p)(x^2 + p^2 - 1) + 3 (D. Hayashida, K.
 * Hayasaka and T. Teruya, Efficient final exponentiation via cyclotomic structure for pairings over families of
 * elliptic curves, 2020, section 5). */
void dr_pairing_final(struct dr_fp12 *out, const struct dr_fp12 *f)
{
	struct dr_fp12 m, a, b, t;

	dr_fp12_inv(&t, f);
	dr_fp12_conj(&m, f);
	dr_fp12_mul(&m, &m, &t);
	dr_fp12_frob2(&t, &m);
	dr_fp12_mul(&m, &m, &t);

	pow_x_1(&a, &m);
	pow_x_1(&a, &a);
	pow_x(&b, &a);
	dr_fp12_frob(&t, &a);
	dr_fp12_mul(&b, &b, &t); /* m^((x - 1)^2 (x + p)) */
	pow_x(&a, &b);
	pow_x(&a, &a);
	dr_fp12_frob2(&t, &b);
	dr_fp12_mul(&a, &a, &t);
	dr_fp12_conj(&t, &b);
	dr_fp12_mul(&a, &a, &t);
	dr_fp12_sqr_cyclotomic(&t, &m);
	dr_fp12_mul(&t, &t, &m);
	dr_fp12_mul(out, &a, &t);
}
