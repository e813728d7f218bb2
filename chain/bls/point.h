/* SPDX-License-Identifier: Apache-2.0
 *
 * point: the arithmetic of y^2 = x^3 + b in Jacobian coordinates, x = X / Z^2, y = Y / Z^3, infinity being Z = 0: one
 * text for G1 over Fp and G2 over Fp2. Private to g1.c and g2.c, which say before what POINT(name) and FIELD(name)
 * are, struct POINT_TYPE, struct POINT_AFFINE and struct FIELD_TYPE.
 *
 * Formulas: hyperelliptic.org/EFD, short Weierstrass with a = 0, Jacobian: dbl-2009-l, madd and add-1998-cmo-2,
 * with Y3 by one reduction.
 *
 * Layer: chain/bls.
 */
#ifndef DR_BLS_POINT_H
#define DR_BLS_POINT_H

bool POINT(is_infinity)(const struct POINT_TYPE *p)
{
	return FIELD(is_zero)(&p->z);
}

void POINT(neg)(struct POINT_TYPE *out, const struct POINT_TYPE *p)
{
	*out = *p;
	FIELD(neg)(&out->y, &out->y);
}

void POINT(of_affine)(struct POINT_TYPE *out, const struct POINT_AFFINE *p)
{
	*out = (struct POINT_TYPE){ .x = p->x, .y = p->y, .z = FIELD_ONE };
}

/* With Y3 = E (D - X3) - 8 C as E (D - X3) - (2 B)(4 B), and D = 4 X B for 2 ((X + B)^2 - A - C). */
void POINT(dbl)(struct POINT_TYPE *out, const struct POINT_TYPE *p)
{
	struct FIELD_TYPE a, b2, b4, d, e, f;

	FIELD(sqr)(&a, &p->x);
	FIELD(sqr)(&b2, &p->y);
	FIELD(dbl)(&b2, &b2);
	FIELD(dbl)(&b4, &b2);
	FIELD(mul)(&d, &p->x, &b4);
	FIELD(dbl)(&e, &a);
	FIELD(add)(&e, &e, &a);
	FIELD(sqr)(&f, &e);
	FIELD(mul)(&out->z, &p->y, &p->z);
	FIELD(dbl)(&out->z, &out->z);
	FIELD(sub)(&f, &f, &d);
	FIELD(sub)(&out->x, &f, &d);
	FIELD(sub)(&d, &d, &out->x);
	FIELD(cross)(&out->y, &e, &d, &b2, &b4);
}

/* The end of both sums: of (u, s) and (u + h, s + r), once their denominators are the same; z is that times h. */
static void add_end(struct POINT_TYPE *out, const struct FIELD_TYPE *u, const struct FIELD_TYPE *s,
		    const struct FIELD_TYPE *h, const struct FIELD_TYPE *r, const struct FIELD_TYPE *z)
{
	struct FIELD_TYPE hh, hhh, v, x, y;

	FIELD(sqr)(&hh, h);
	FIELD(mul)(&hhh, &hh, h);
	FIELD(mul)(&v, u, &hh);
	FIELD(sqr)(&x, r);
	FIELD(sub)(&x, &x, &hhh);
	FIELD(sub)(&x, &x, &v);
	FIELD(sub)(&x, &x, &v);
	FIELD(sub)(&v, &v, &x);
	FIELD(cross)(&y, r, &v, s, &hhh);
	FIELD(mul)(&out->z, z, h);
	out->x = x;
	out->y = y;
}

/* Every case: infinity, equal and opposite points too. */
void POINT(add_affine)(struct POINT_TYPE *out, const struct POINT_TYPE *p, const struct POINT_AFFINE *q)
{
	struct FIELD_TYPE zz, h, r;

	if (FIELD(is_zero)(&p->z)) {
		POINT(of_affine)(out, q);
		return;
	}
	FIELD(sqr)(&zz, &p->z);
	FIELD(mul)(&h, &q->x, &zz);
	FIELD(sub)(&h, &h, &p->x);
	FIELD(mul)(&r, &q->y, &zz);
	FIELD(mul)(&r, &r, &p->z);
	FIELD(sub)(&r, &r, &p->y);
	if (!FIELD(is_zero)(&h))
		add_end(out, &p->x, &p->y, &h, &r, &p->z);
	else if (FIELD(is_zero)(&r))
		POINT(dbl)(out, p);
	else
		*out = (struct POINT_TYPE){ 0 };
}

void POINT(add)(struct POINT_TYPE *out, const struct POINT_TYPE *p, const struct POINT_TYPE *q)
{
	struct FIELD_TYPE pp, qq, u, s, h, r, z;

	if (FIELD(is_zero)(&p->z)) {
		*out = *q;
		return;
	}
	if (FIELD(is_zero)(&q->z)) {
		*out = *p;
		return;
	}
	FIELD(sqr)(&pp, &p->z);
	FIELD(sqr)(&qq, &q->z);
	FIELD(mul)(&u, &p->x, &qq);
	FIELD(mul)(&h, &q->x, &pp);
	FIELD(sub)(&h, &h, &u);
	FIELD(mul)(&s, &p->y, &qq);
	FIELD(mul)(&s, &s, &q->z);
	FIELD(mul)(&r, &q->y, &pp);
	FIELD(mul)(&r, &r, &p->z);
	FIELD(sub)(&r, &r, &s);
	if (!FIELD(is_zero)(&h)) {
		FIELD(mul)(&z, &p->z, &q->z);
		add_end(out, &u, &s, &h, &r, &z);
	} else if (FIELD(is_zero)(&r)) {
		POINT(dbl)(out, p);
	} else {
		*out = (struct POINT_TYPE){ 0 };
	}
}

bool POINT(eq_affine)(const struct POINT_TYPE *p, const struct POINT_AFFINE *q)
{
	struct FIELD_TYPE zz, t;

	if (FIELD(is_zero)(&p->z))
		return false;
	FIELD(sqr)(&zz, &p->z);
	FIELD(mul)(&t, &q->x, &zz);
	if (!FIELD(eq)(&t, &p->x))
		return false;
	FIELD(mul)(&t, &q->y, &zz);
	FIELD(mul)(&t, &t, &p->z);
	return FIELD(eq)(&t, &p->y);
}

void POINT(affine)(struct POINT_AFFINE *out, const struct POINT_TYPE *p, const struct FIELD_TYPE *z_inv)
{
	struct FIELD_TYPE zz;

	FIELD(sqr)(&zz, z_inv);
	FIELD(mul)(&out->x, &p->x, &zz);
	FIELD(mul)(&zz, &zz, z_inv);
	FIELD(mul)(&out->y, &p->y, &zz);
}

/* |x| = 2^63 + 2^62 + 2^60 + 2^57 + 2^48 + 2^16: how many doublings come before each sum, and 16 at the end. */
static const uint8_t doublings[] = { 1, 2, 3, 9, 32 };

static void dbl_times(struct POINT_TYPE *p, unsigned num)
{
	while (num-- > 0)
		POINT(dbl)(p, p);
}

void POINT(mul_x)(struct POINT_TYPE *out, const struct POINT_TYPE *p)
{
	const struct POINT_TYPE in = *p;

	*out = in;
	for (size_t i = 0; i < sizeof(doublings); i++) {
		dbl_times(out, doublings[i]);
		POINT(add)(out, out, &in);
	}
	dbl_times(out, 16);
}

void POINT(mul_x_affine)(struct POINT_TYPE *out, const struct POINT_AFFINE *p)
{
	POINT(of_affine)(out, p);
	for (size_t i = 0; i < sizeof(doublings); i++) {
		dbl_times(out, doublings[i]);
		POINT(add_affine)(out, out, p);
	}
	dbl_times(out, 16);
}

#endif
