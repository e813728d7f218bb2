/* SPDX-License-Identifier: Apache-2.0
 *
 * fp: the prime field of BLS12-381, p = 0x1a0111ea…aaab (381 bits), in Montgomery form: the element a is kept as
 * a R mod p with R = 2^384 (P. Montgomery, Modular multiplication without trial division, 1985).
 *
 * Invariants:
 *   1. An element is below p, always: there is one form of each, and memcmp compares.
 *   2. A product that is not reduced yet, of twelve words, is below p R: its upper half is below p. As R > 9 p, sums
 *      of nine products are, and products of sums of two and of four.
 *   3. Outputs may be inputs too.
 *
 * Products are made by one of three kernels that give the same (fp_kernel.h); which, is chosen once, when the folder
 * is entered (dr_fp_choose). Nothing here is constant in time.
 *
 * Layer: chain/bls.
 */
#ifndef DR_BLS_FP_H
#define DR_BLS_FP_H

#include <stdatomic.h>
#include <string.h>

#include "chain/base/bytes.h"

#define DR_FP_LEN 48u /* bytes of an element, big-endian */

struct dr_fp {
	uint64_t w[6]; /* the lowest first */
};

#define DR_FP_P                                                                                                      \
	{                                                                                                            \
		0xb9feffffffffaaab, 0x1eabfffeb153ffff, 0x6730d2a0f6b0f624, 0x64774b84f38512bf, 0x4b1ba7b6434bacd7,  \
			0x1a0111ea397fe69a                                                                           \
	}

static const struct dr_fp dr_fp_p = { DR_FP_P };

/* 1, that is R mod p. */
static const struct dr_fp dr_fp_one = { { 0x760900000002fffd, 0xebf4000bc40c0002, 0x5f48985753c758ba,
					  0x77ce585370525745, 0x5c071a97a256ec6d, 0x15f65ec3fa80e493 } };

/* ---- carries ---- */

#if defined(__x86_64__) && !defined(DR_FP_NO_INT128)
#define DR_FP_X86 1
#else
#define DR_FP_X86 0
#endif

/* *out = a + b + carry; the carry out. */
static inline unsigned char dr_fp_addc(unsigned char carry, uint64_t a, uint64_t b, uint64_t *out)
{
#if DR_FP_X86
	unsigned long long sum;

	carry = __builtin_ia32_addcarryx_u64(carry, a, b, &sum);
	*out = sum;
	return carry;
#else
	const uint64_t some = a + b, sum = some + carry;

	carry = (unsigned char)((some < a) | (sum < some));
	*out = sum;
	return carry;
#endif
}

/* *out = a - b - borrow; the borrow out. */
static inline unsigned char dr_fp_subb(unsigned char borrow, uint64_t a, uint64_t b, uint64_t *out)
{
#if DR_FP_X86 && defined(__clang__)
	unsigned long long rest;

	borrow = __builtin_ia32_subborrow_u64(borrow, a, b, &rest);
	*out = rest;
	return borrow;
#elif DR_FP_X86
	unsigned long long rest;

	borrow = __builtin_ia32_sbb_u64(borrow, a, b, &rest);
	*out = rest;
	return borrow;
#else
	const uint64_t some = a - b, rest = some - borrow;

	borrow = (unsigned char)((a < b) | (some < borrow));
	*out = rest;
	return borrow;
#endif
}

/* a + b over six words; the carry out. */
static inline unsigned char dr_fp_add6(uint64_t out[static 6], const uint64_t a[static 6], const uint64_t b[static 6])
{
	unsigned char c = dr_fp_addc(0, a[0], b[0], &out[0]);

	c = dr_fp_addc(c, a[1], b[1], &out[1]);
	c = dr_fp_addc(c, a[2], b[2], &out[2]);
	c = dr_fp_addc(c, a[3], b[3], &out[3]);
	c = dr_fp_addc(c, a[4], b[4], &out[4]);
	return dr_fp_addc(c, a[5], b[5], &out[5]);
}

/* a - b over six words; the borrow out. */
static inline unsigned char dr_fp_sub6(uint64_t out[static 6], const uint64_t a[static 6], const uint64_t b[static 6])
{
	unsigned char c = dr_fp_subb(0, a[0], b[0], &out[0]);

	c = dr_fp_subb(c, a[1], b[1], &out[1]);
	c = dr_fp_subb(c, a[2], b[2], &out[2]);
	c = dr_fp_subb(c, a[3], b[3], &out[3]);
	c = dr_fp_subb(c, a[4], b[4], &out[4]);
	return dr_fp_subb(c, a[5], b[5], &out[5]);
}

/* out = a - p if a is not below p: a below 2 p comes below p. A jump here could not be foreseen: none is made. */
static inline void dr_fp_reduce(uint64_t out[static 6], const uint64_t a[static 6])
{
	uint64_t less[6];
	const unsigned char below = dr_fp_sub6(less, a, dr_fp_p.w);

#if DR_FP_X86
	uint64_t a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3], a4 = a[4], a5 = a[5];

	__asm__("test %[below], %[below]\n\t"
		"cmovz %[l0], %[a0]\n\t"
		"cmovz %[l1], %[a1]\n\t"
		"cmovz %[l2], %[a2]\n\t"
		"cmovz %[l3], %[a3]\n\t"
		"cmovz %[l4], %[a4]\n\t"
		"cmovz %[l5], %[a5]\n\t"
		: [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2), [a3] "+r"(a3), [a4] "+r"(a4), [a5] "+r"(a5)
		: [below] "q"(below), [l0] "rm"(less[0]), [l1] "rm"(less[1]), [l2] "rm"(less[2]), [l3] "rm"(less[3]),
		  [l4] "rm"(less[4]), [l5] "rm"(less[5])
		: "cc");
	out[0] = a0;
	out[1] = a1;
	out[2] = a2;
	out[3] = a3;
	out[4] = a4;
	out[5] = a5;
#else
	const uint64_t keep = 0 - (uint64_t)below;

	for (size_t i = 0; i < 6; i++)
		out[i] = (a[i] & keep) | (less[i] & ~keep);
#endif
}

/* ---- sums ---- */

static inline bool dr_fp_is_zero(const struct dr_fp *a)
{
	return (a->w[0] | a->w[1] | a->w[2] | a->w[3] | a->w[4] | a->w[5]) == 0;
}

static inline bool dr_fp_eq(const struct dr_fp *a, const struct dr_fp *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static inline void dr_fp_add(struct dr_fp *out, const struct dr_fp *a, const struct dr_fp *b)
{
	uint64_t sum[6];

	dr_fp_add6(sum, a->w, b->w);
	dr_fp_reduce(out->w, sum);
}

static inline void dr_fp_sub(struct dr_fp *out, const struct dr_fp *a, const struct dr_fp *b)
{
	uint64_t rest[6], back[6];
	uint64_t mask = 0 - (uint64_t)dr_fp_sub6(rest, a->w, b->w);

#if DR_FP_X86
	__asm__("" : "+r"(mask)); /* what it is, is not to be asked: that would be a jump */
#endif
	for (size_t i = 0; i < 6; i++)
		back[i] = dr_fp_p.w[i] & mask;
	dr_fp_add6(out->w, rest, back);
}

static inline void dr_fp_neg(struct dr_fp *out, const struct dr_fp *a)
{
	if (dr_fp_is_zero(a))
		*out = *a;
	else
		dr_fp_sub6(out->w, dr_fp_p.w, a->w);
}

static inline void dr_fp_dbl(struct dr_fp *out, const struct dr_fp *a)
{
	dr_fp_add(out, a, a);
}

/* ---- products ---- */

struct dr_fp2;
struct dr_fp6;

/* A kernel: what everything above rests on, down to Fp6, so that sums of products are reduced once. */
struct dr_fp_kernel {
	void (*mul)(struct dr_fp *out, const struct dr_fp *a, const struct dr_fp *b);
	/* a^(2^num) b; b is NULL for 1 */
	void (*sqr_mul)(struct dr_fp *out, const struct dr_fp *a, unsigned num, const struct dr_fp *b);
	void (*redc)(struct dr_fp *out, const uint64_t a[static 12]); /* a / R mod p, a < p R */
	/* a b - c d */
	void (*cross)(struct dr_fp *out, const struct dr_fp *a, const struct dr_fp *b, const struct dr_fp *c,
		      const struct dr_fp *d);
	void (*mul2)(struct dr_fp2 *out, const struct dr_fp2 *a, const struct dr_fp2 *b);
	void (*sqr2)(struct dr_fp2 *out, const struct dr_fp2 *a);
	void (*cross2)(struct dr_fp2 *out, const struct dr_fp2 *a, const struct dr_fp2 *b, const struct dr_fp2 *c,
		       const struct dr_fp2 *d);
	/* out0 + out1 s = (a + b s)^2 in Fp4 = Fp2[s] / (s^2 - xi); out0 is not a or b */
	void (*sqr4)(struct dr_fp2 *out0, struct dr_fp2 *out1, const struct dr_fp2 *a, const struct dr_fp2 *b);
	void (*mul6)(struct dr_fp6 *out, const struct dr_fp6 *a, const struct dr_fp6 *b);
	/* a (b0 + b1 v) */
	void (*mul6_01)(struct dr_fp6 *out, const struct dr_fp6 *a, const struct dr_fp2 *b0, const struct dr_fp2 *b1);
};

enum dr_fp_which {
	DR_FP_NARROW, /* portable, of products of 32 bits: for compilers without __int128 */
	DR_FP_INT128, /* portable, of products of 64 bits */
	DR_FP_ADX,    /* x86-64 with BMI2 (mulx) and ADX (two chains of carries) */
};

/* The one in use. Never NULL: before dr_fp_choose it is a portable one. */
extern const struct dr_fp_kernel *_Atomic dr_fp_kernel;

/* dr_fp_use: false, and nothing changes, if this build or this processor has no such kernel. For tests. */
bool dr_fp_use(enum dr_fp_which which);

/* dr_fp_choose: the fastest that is here, unless one was chosen before; every public function begins with it. */
void dr_fp_choose(void);

static inline const struct dr_fp_kernel *dr_fp_k(void)
{
	return atomic_load_explicit(&dr_fp_kernel, memory_order_relaxed);
}

static inline void dr_fp_mul(struct dr_fp *out, const struct dr_fp *a, const struct dr_fp *b)
{
	dr_fp_k()->mul(out, a, b);
}

static inline void dr_fp_sqr(struct dr_fp *out, const struct dr_fp *a)
{
	dr_fp_k()->sqr_mul(out, a, 1, NULL);
}

/* dr_fp_cross: a b - c d. */
static inline void dr_fp_cross(struct dr_fp *out, const struct dr_fp *a, const struct dr_fp *b, const struct dr_fp *c,
			       const struct dr_fp *d)
{
	dr_fp_k()->cross(out, a, b, c, d);
}

/* ---- powers ---- */

/* dr_fp_root_power: a^((p - 3) / 4), from which both the root and the inverse come: with t = a^((p - 3) / 4), a t is
 * a^((p + 1) / 4), and a t^2 is a^((p - 1) / 2), the Legendre symbol. */
void dr_fp_root_power(struct dr_fp *out, const struct dr_fp *a);

/* dr_fp_sqrt: a root of a if it has one; if not, a root of -a, and false (p = 3 mod 4). */
bool dr_fp_sqrt(struct dr_fp *out, const struct dr_fp *a);

/* dr_fp_inv: 1 / a, and 0 for 0. */
void dr_fp_inv(struct dr_fp *out, const struct dr_fp *a);

/* ---- bytes ---- */

/* dr_fp_get: the element of 48 bytes, big-endian. False, and zero, if they are not below p. */
bool dr_fp_get(struct dr_fp *out, const uint8_t bytes[static DR_FP_LEN]);

/* dr_fp_put: the other way. */
void dr_fp_put(uint8_t bytes[static DR_FP_LEN], const struct dr_fp *a);

/* dr_fp_get_wide: 64 bytes, big-endian, modulo p (RFC 9380, 5.2: OS2IP and mod p). */
void dr_fp_get_wide(struct dr_fp *out, const uint8_t bytes[static 64]);

/* The element as a number: whether it is odd (RFC 9380, 4.1: sgn0), and whether it is above (p - 1) / 2 (the sign of
 * compressed points). */
bool dr_fp_is_odd(const struct dr_fp *a);
bool dr_fp_is_high(const struct dr_fp *a);

#endif
