/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/bls/fp12.h"

const struct dr_fp12 dr_fp12_one = { .c0.c0.c0 = { { 0x760900000002fffd, 0xebf4000bc40c0002, 0x5f48985753c758ba,
						     0x77ce585370525745, 0x5c071a97a256ec6d, 0x15f65ec3fa80e493 } } };

bool dr_fp12_eq(const struct dr_fp12 *a, const struct dr_fp12 *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Karatsuba. */
void dr_fp12_mul(struct dr_fp12 *out, const struct dr_fp12 *a, const struct dr_fp12 *b)
{
	struct dr_fp6 v0, v1, s, t;

	dr_fp6_mul(&v0, &a->c0, &b->c0);
	dr_fp6_mul(&v1, &a->c1, &b->c1);
	dr_fp6_add(&s, &a->c0, &a->c1);
	dr_fp6_add(&t, &b->c0, &b->c1);
	dr_fp6_mul(&s, &s, &t);
	dr_fp6_sub(&s, &s, &v0);
	dr_fp6_sub(&out->c1, &s, &v1);
	dr_fp6_mul_v(&v1, &v1);
	dr_fp6_add(&out->c0, &v0, &v1);
}

/* (c0 + c1)(c0 + v c1) - c0 c1 - v c0 c1, and 2 c0 c1. */
void dr_fp12_sqr(struct dr_fp12 *out, const struct dr_fp12 *a)
{
	struct dr_fp6 both, s, t;

	dr_fp6_mul(&both, &a->c0, &a->c1);
	dr_fp6_add(&s, &a->c0, &a->c1);
	dr_fp6_mul_v(&t, &a->c1);
	dr_fp6_add(&t, &t, &a->c0);
	dr_fp6_mul(&s, &s, &t);
	dr_fp6_sub(&s, &s, &both);
	dr_fp6_mul_v(&t, &both);
	dr_fp6_sub(&out->c0, &s, &t);
	dr_fp6_add(&out->c1, &both, &both);
}

/* (c0 - c1 w) / (c0^2 - v c1^2). */
void dr_fp12_inv(struct dr_fp12 *out, const struct dr_fp12 *a)
{
	struct dr_fp6 norm, t;

	dr_fp6_mul(&norm, &a->c0, &a->c0);
	dr_fp6_mul(&t, &a->c1, &a->c1);
	dr_fp6_mul_v(&t, &t);
	dr_fp6_sub(&norm, &norm, &t);
	dr_fp6_inv(&norm, &norm);
	dr_fp6_mul(&out->c0, &a->c0, &norm);
	dr_fp6_mul(&t, &a->c1, &norm);
	dr_fp6_neg(&out->c1, &t);
}

void dr_fp12_conj(struct dr_fp12 *out, const struct dr_fp12 *a)
{
	out->c0 = a->c0;
	dr_fp6_neg(&out->c1, &a->c1);
}

/* ---- Frobenius ---- */

/* xi^(k (p - 1) / 6), k from 1: w^(k p) is this times w^k. */
static const struct dr_fp2 frob[5] = { { { { 0x07089552b319d465, 0xc6695f92b50a8313, 0x97e83cccd117228f,
					     0xa35baecab2dc29ee, 0x1ce393ea5daace4d, 0x08f2220fb0fb66eb } },
					 { { 0xb2f66aad4ce5d646, 0x5842a06bfc497cec, 0xcf4895d42599d394,
					     0xc11b9cba40a8e8d0, 0x2e3813cbe5a0de89, 0x110eefda88847faf } } },
				       { { { 0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
					     0x0000000000000000, 0x0000000000000000, 0x0000000000000000 } },
					 { { 0xcd03c9e48671f071, 0x5dab22461fcda5d2, 0x587042afd3851b95,
					     0x8eb60ebe01bacb9e, 0x03f97d6e83d050d2, 0x18f0206554638741 } } },
				       { { { 0x7bcfa7a25aa30fda, 0xdc17dec12a927e7c, 0x2f088dd86b4ebef1,
					     0xd1ca2087da74d4a7, 0x2da2596696cebc1d, 0x0e2b7eedbbfd87d2 } },
					 { { 0x7bcfa7a25aa30fda, 0xdc17dec12a927e7c, 0x2f088dd86b4ebef1,
					     0xd1ca2087da74d4a7, 0x2da2596696cebc1d, 0x0e2b7eedbbfd87d2 } } },
				       { { { 0x890dc9e4867545c3, 0x2af322533285a5d5, 0x50880866309b7e2c,
					     0xa20d1b8c7e881024, 0x14e4f04fe2db9068, 0x14e56d3f1564853a } },
					 { { 0x0000000000000000, 0x0000000000000000, 0x0000000000000000,
					     0x0000000000000000, 0x0000000000000000, 0x0000000000000000 } } },
				       { { { 0x82d83cf50dbce43f, 0xa2813e53df9d018f, 0xc6f0caa53c65e181,
					     0x7525cf528d50fe95, 0x4a85ed50f4798a6b, 0x171da0fd6cf8eebd } },
					 { { 0x3726c30af242c66c, 0x7c2ac1aad1b6fe70, 0xa04007fbba4b14a2,
					     0xef517c3266341429, 0x0095ba654ed2226b, 0x02e370eccc86f7dd } } } };

/* xi^(k (p^2 - 1) / 6), of Fp. */
static const struct dr_fp frob2[5] = { { { 0xecfb361b798dba3a, 0xc100ddb891865a2c, 0x0ec08ff1232bda8e,
					   0xd5c13cc6f1ca4721, 0x47222a47bf7b5c04, 0x0110f184e51c5f59 } },
				       { { 0x30f1361b798a64e8, 0xf3b8ddab7ece5a2a, 0x16a8ca3ac61577f7,
					   0xc26a2ff874fd029b, 0x3636b76660701c6e, 0x051ba4ab241b6160 } },
				       { { 0x43f5fffffffcaaae, 0x32b7fff2ed47fffd, 0x07e83a49a2e99d69,
					   0xeca8f3318332bb7a, 0xef148d1ea0f4c069, 0x040ab3263eff0206 } },
				       { { 0xcd03c9e48671f071, 0x5dab22461fcda5d2, 0x587042afd3851b95,
					   0x8eb60ebe01bacb9e, 0x03f97d6e83d050d2, 0x18f0206554638741 } },
				       { { 0x890dc9e4867545c3, 0x2af322533285a5d5, 0x50880866309b7e2c,
					   0xa20d1b8c7e881024, 0x14e4f04fe2db9068, 0x14e56d3f1564853a } } };

void dr_fp12_frob(struct dr_fp12 *out, const struct dr_fp12 *a)
{
	dr_fp2_conj(&out->c0.c0, &a->c0.c0);
	dr_fp2_conj(&out->c1.c0, &a->c1.c0);
	dr_fp2_conj(&out->c0.c1, &a->c0.c1);
	dr_fp2_conj(&out->c1.c1, &a->c1.c1);
	dr_fp2_conj(&out->c0.c2, &a->c0.c2);
	dr_fp2_conj(&out->c1.c2, &a->c1.c2);
	dr_fp2_mul(&out->c1.c0, &out->c1.c0, &frob[0]);
	dr_fp2_mul(&out->c0.c1, &out->c0.c1, &frob[1]);
	dr_fp2_mul(&out->c1.c1, &out->c1.c1, &frob[2]);
	dr_fp2_mul(&out->c0.c2, &out->c0.c2, &frob[3]);
	dr_fp2_mul(&out->c1.c2, &out->c1.c2, &frob[4]);
}

void dr_fp12_frob2(struct dr_fp12 *out, const struct dr_fp12 *a)
{
	out->c0.c0 = a->c0.c0;
	dr_fp2_mul_fp(&out->c1.c0, &a->c1.c0, &frob2[0]);
	dr_fp2_mul_fp(&out->c0.c1, &a->c0.c1, &frob2[1]);
	dr_fp2_mul_fp(&out->c1.c1, &a->c1.c1, &frob2[2]);
	dr_fp2_mul_fp(&out->c0.c2, &a->c0.c2, &frob2[3]);
	dr_fp2_mul_fp(&out->c1.c2, &a->c1.c2, &frob2[4]);
}

/* ---- in the cyclotomic subgroup ---- */

/* 3 t - 2 a, 3 t + 2 a */
static void three_less(struct dr_fp2 *a, const struct dr_fp2 *t)
{
	struct dr_fp2 s;

	dr_fp2_sub(&s, t, a);
	dr_fp2_dbl(&s, &s);
	dr_fp2_add(a, &s, t);
}

static void three_more(struct dr_fp2 *a, const struct dr_fp2 *t)
{
	struct dr_fp2 s;

	dr_fp2_add(&s, t, a);
	dr_fp2_dbl(&s, &s);
	dr_fp2_add(a, &s, t);
}

/* Three squarings of Fp4 (R. Granger and M. Scott, Faster squaring in the cyclotomic subgroup of sixth degree
 * extensions, 2010, 3.2). */
void dr_fp12_sqr_cyclotomic(struct dr_fp12 *out, const struct dr_fp12 *a)
{
	const struct dr_fp_kernel *k = dr_fp_k();
	struct dr_fp2 a0, a1, b0, b1, c0, c1;

	k->sqr4(&a0, &a1, &a->c0.c0, &a->c1.c1);
	k->sqr4(&b0, &b1, &a->c1.c0, &a->c0.c2);
	k->sqr4(&c0, &c1, &a->c0.c1, &a->c1.c2);
	dr_fp2_mul_xi(&c1, &c1);
	*out = *a;
	three_less(&out->c0.c0, &a0);
	three_more(&out->c1.c1, &a1);
	three_less(&out->c0.c1, &b0);
	three_more(&out->c1.c2, &b1);
	three_more(&out->c1.c0, &c1);
	three_less(&out->c0.c2, &c0);
}

/* ---- lines ---- */

/* a b1 v */
static void mul6_1(struct dr_fp6 *out, const struct dr_fp6 *a, const struct dr_fp2 *b1)
{
	struct dr_fp2 c0, c1;

	dr_fp2_mul(&c0, &a->c2, b1);
	dr_fp2_mul(&c1, &a->c0, b1);
	dr_fp2_mul(&out->c2, &a->c1, b1);
	dr_fp2_mul_xi(&out->c0, &c0);
	out->c1 = c1;
}

void dr_fp12_mul_line(struct dr_fp12 *out, const struct dr_fp12 *a, const struct dr_fp12_line *line)
{
	struct dr_fp6 v0, v1, s;
	struct dr_fp2 bc;

	dr_fp_k()->mul6_01(&v0, &a->c0, &line->a, &line->b);
	mul6_1(&v1, &a->c1, &line->c);
	dr_fp6_add(&s, &a->c0, &a->c1);
	dr_fp2_add(&bc, &line->b, &line->c);
	dr_fp_k()->mul6_01(&s, &s, &line->a, &bc);
	dr_fp6_sub(&s, &s, &v0);
	dr_fp6_sub(&out->c1, &s, &v1);
	dr_fp6_mul_v(&v1, &v1);
	dr_fp6_add(&out->c0, &v0, &v1);
}

/* (x + y)(x' + y') - x x' - y y' */
static void cross(struct dr_fp2 *out, const struct dr_fp2 *x, const struct dr_fp2 *y, const struct dr_fp2 *x2,
		  const struct dr_fp2 *y2, const struct dr_fp2 *xx, const struct dr_fp2 *yy)
{
	struct dr_fp2 s, t;

	dr_fp2_add(&s, x, y);
	dr_fp2_add(&t, x2, y2);
	dr_fp2_mul(&s, &s, &t);
	dr_fp2_sub(&s, &s, xx);
	dr_fp2_sub(out, &s, yy);
}

/* The product of two lines has five terms, v w^2 v being xi: a a' + xi c c' + (a b' + a' b) v + b b' v^2
 * + (a c' + a' c) v w + (b c' + b' c) v^2 w. */
void dr_fp12_mul_lines(struct dr_fp12 *out, const struct dr_fp12 *f, const struct dr_fp12_line *one,
		       const struct dr_fp12_line *two)
{
	struct dr_fp2 aa, bb, cc, e1, e2;
	struct dr_fp6 d, v0, v1, s;

	dr_fp2_mul(&aa, &one->a, &two->a);
	dr_fp2_mul(&bb, &one->b, &two->b);
	dr_fp2_mul(&cc, &one->c, &two->c);
	cross(&d.c1, &one->a, &one->b, &two->a, &two->b, &aa, &bb);
	cross(&e1, &one->a, &one->c, &two->a, &two->c, &aa, &cc);
	cross(&e2, &one->b, &one->c, &two->b, &two->c, &bb, &cc);
	dr_fp2_mul_xi(&cc, &cc);
	dr_fp2_add(&d.c0, &aa, &cc);
	d.c2 = bb;

	dr_fp6_mul(&v0, &f->c0, &d);
	dr_fp_k()->mul6_01(&v1, &f->c1, &e1, &e2);
	dr_fp6_mul_v(&v1, &v1);
	dr_fp6_add(&s, &f->c0, &f->c1);
	dr_fp2_add(&d.c1, &d.c1, &e1);
	dr_fp2_add(&d.c2, &d.c2, &e2);
	dr_fp6_mul(&s, &s, &d);
	dr_fp6_sub(&s, &s, &v0);
	dr_fp6_sub(&out->c1, &s, &v1);
	dr_fp6_mul_v(&v1, &v1);
	dr_fp6_add(&out->c0, &v0, &v1);
}
