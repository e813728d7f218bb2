/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/bls/fp.h"

#if defined(__SIZEOF_INT128__)

/* D. Bernstein and B.-Y. Yang, Fast constant-time gcd computation and modular inversion, 2019: divsteps of f and g,
 * here with as many zeros at once as g ends in, as nothing here is secret. 62 of them need the lowest words alone,
 * and give a matrix of words that is then applied to the whole numbers (section 10). About a fifth of the time of
 * a^(p - 2). */

__extension__ typedef __int128 int128;

#define LIMBS 7u
#define BITS  62u
#define LOW   (((uint64_t)1 << BITS) - 1)

/* The sum of v[i] 2^(62 i): limbs from 0 to 2^62 - 1, but the highest, which has the sign. */
struct number {
	int64_t v[LIMBS];
};

static const struct number modulus = { { 0x39feffffffffaaab, 0x3aaffffac54ffffe, 0x330d2a0f6b0f6241,
					 0x1dd2e13ce144afd9, 0x1ba7b6434bacd764, 0x0447a8e5ff9a692c, 0x1a0 } };
#define P_INV 0x360c000300030003u /* 1 / p modulo 2^62 */

/* 2^62 times the matrix of 62 divsteps: f and g become (u f + v g) / 2^62 and (q f + r g) / 2^62. */
struct matrix {
	int64_t u, v, q, r;
};

/* eta is minus the paper's delta. A step is: g even: g / 2; else, eta < 0: f, g = g, (g - f) / 2 and eta = -eta; else
 * g = (g + f) / 2; and eta less one. What w f makes of up to six bits of an odd g, none of which has eta below zero
 * on its way, is so many steps at once: w = -g / f modulo 2^k, and -1 / f = f (f^2 - 2) modulo 2^6. */
static int64_t divsteps(struct matrix *t, int64_t eta, uint64_t f, uint64_t g)
{
	uint64_t u = 1, v = 0, q = 0, r = 1;
	int left = BITS;

	for (;;) {
		const int zeros = __builtin_ctzll(g | ~(uint64_t)0 << left);

		g >>= zeros;
		u <<= zeros;
		v <<= zeros;
		eta -= zeros;
		left -= zeros;
		if (left == 0)
			break;
		if (eta < 0) {
			uint64_t old = f;

			eta = -eta;
			f = g;
			g = 0 - old;
			old = u;
			u = q;
			q = 0 - old;
			old = v;
			v = r;
			r = 0 - old;
		}
		const int64_t most = eta + 1 < left ? eta + 1 : left;
		const uint64_t mask = ((uint64_t)1 << (most < 6 ? most : 6)) - 1;
		const uint64_t w = f * (f * f - 2) * g & mask;

		g += f * w;
		q += u * w;
		r += v * w;
	}
	*t = (struct matrix){ (int64_t)u, (int64_t)v, (int64_t)q, (int64_t)r };
	return eta;
}

/* f, g = (u f + v g) / 2^62, (q f + r g) / 2^62, which are whole. */
static void apply(struct number *f, struct number *g, const struct matrix *t)
{
	int128 cf = (int128)t->u * f->v[0] + (int128)t->v * g->v[0];
	int128 cg = (int128)t->q * f->v[0] + (int128)t->r * g->v[0];

	for (size_t i = 1; i < LIMBS; i++) {
		cf >>= BITS;
		cg >>= BITS;
		cf += (int128)t->u * f->v[i] + (int128)t->v * g->v[i];
		cg += (int128)t->q * f->v[i] + (int128)t->r * g->v[i];
		f->v[i - 1] = (int64_t)((uint64_t)cf & LOW);
		g->v[i - 1] = (int64_t)((uint64_t)cg & LOW);
	}
	f->v[LIMBS - 1] = (int64_t)(cf >> BITS);
	g->v[LIMBS - 1] = (int64_t)(cg >> BITS);
}

/* The same modulo p: multiples of p are added that make the lowest 62 bits zero, and d and e stay within -2 p and p:
 * p is added for each that is negative. |u| + |v| and |q| + |r| are at most 2^62. */
static void apply_mod(struct number *d, struct number *e, const struct matrix *t)
{
	const int64_t sign_d = d->v[LIMBS - 1] >> 63, sign_e = e->v[LIMBS - 1] >> 63;
	int64_t md = (t->u & sign_d) + (t->v & sign_e), me = (t->q & sign_d) + (t->r & sign_e);
	int128 cd = (int128)t->u * d->v[0] + (int128)t->v * e->v[0];
	int128 ce = (int128)t->q * d->v[0] + (int128)t->r * e->v[0];

	md -= (int64_t)((P_INV * (uint64_t)cd + (uint64_t)md) & LOW);
	me -= (int64_t)((P_INV * (uint64_t)ce + (uint64_t)me) & LOW);
	cd += (int128)modulus.v[0] * md;
	ce += (int128)modulus.v[0] * me;
	for (size_t i = 1; i < LIMBS; i++) {
		cd >>= BITS;
		ce >>= BITS;
		cd += (int128)t->u * d->v[i] + (int128)t->v * e->v[i] + (int128)modulus.v[i] * md;
		ce += (int128)t->q * d->v[i] + (int128)t->r * e->v[i] + (int128)modulus.v[i] * me;
		d->v[i - 1] = (int64_t)((uint64_t)cd & LOW);
		e->v[i - 1] = (int64_t)((uint64_t)ce & LOW);
	}
	d->v[LIMBS - 1] = (int64_t)(cd >> BITS);
	e->v[LIMBS - 1] = (int64_t)(ce >> BITS);
}

/* a = a k + p m, carried. */
static void scale(struct number *a, int64_t k, int64_t m)
{
	int64_t carry = 0;

	for (size_t i = 0; i < LIMBS; i++) {
		const int64_t limb = a->v[i] * k + modulus.v[i] * m + carry;

		carry = limb >> BITS;
		a->v[i] = i < LIMBS - 1 ? (int64_t)((uint64_t)limb & LOW) : limb;
	}
}

static bool is_zero(const struct number *a)
{
	return (a->v[0] | a->v[1] | a->v[2] | a->v[3] | a->v[4] | a->v[5] | a->v[6]) == 0;
}

static bool is_negative(const struct number *a)
{
	return a->v[LIMBS - 1] < 0;
}

/* f and g begin as p and a, and end as +-1 and 0; f - d a and g - e a are multiples of p throughout. */
void dr_fp_inv(struct dr_fp *out, const struct dr_fp *a)
{
	/* R^3: of 1 / (a R) this makes R / a. */
	static const struct dr_fp r_cubed = { { 0xed48ac6bd94ca1e0, 0x315f831e03a7adf8, 0x9a53352a615e29dd,
						0x34c04e5e921e1761, 0x2512d43565724728, 0x0aa6346091755d4d } };
	struct number f = modulus, g, d = { 0 }, e = { { 1 } };
	struct matrix t;
	int64_t eta = -1;

	for (size_t i = 0; i < LIMBS; i++) {
		const size_t word = BITS * i / 64, shift = BITS * i % 64;
		uint64_t limb = a->w[word] >> shift;

		if (shift > 0 && word < 5)
			limb |= a->w[word + 1] << (64 - shift);
		g.v[i] = (int64_t)(limb & LOW);
	}
	while (!is_zero(&g)) {
		eta = divsteps(&t, eta, (uint64_t)f.v[0], (uint64_t)g.v[0]);
		apply_mod(&d, &e, &t);
		apply(&f, &g, &t);
	}
	if (is_negative(&d))
		scale(&d, 1, 1);
	if (is_negative(&f))
		scale(&d, -1, 0);
	if (is_negative(&d))
		scale(&d, 1, 1);
	for (size_t i = 0; i < 6; i++) {
		const size_t limb = 64 * i / BITS, shift = 64 * i % BITS;

		out->w[i] = (uint64_t)d.v[limb] >> shift;
		if (limb + 1 < LIMBS)
			out->w[i] |= (uint64_t)d.v[limb + 1] << (BITS - shift);
	}
	dr_fp_mul(out, out, &r_cubed);
}

#else

/* a^(p - 2) = (a^((p - 3) / 4))^4 a. */
void dr_fp_inv(struct dr_fp *out, const struct dr_fp *a)
{
	const struct dr_fp in = *a;
	struct dr_fp power;

	dr_fp_root_power(&power, &in);
	dr_fp_k()->sqr_mul(out, &power, 2, &in);
}

#endif
