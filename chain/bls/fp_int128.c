/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/bls/fp_impl.h"

#if defined(__SIZEOF_INT128__)

__extension__ typedef unsigned __int128 uint128;

#define KERNEL_TARGET
#define KERNEL_NAME dr_fp_kernel_int128

/* *acc + a b + carry; the upper word goes on as carry. It fits: (2^64 - 1)^2 + 2 (2^64 - 1) = 2^128 - 1. */
static inline uint64_t step(uint64_t *acc, uint64_t a, uint64_t b, uint64_t carry)
{
	const uint128 sum = (uint128)a * b + *acc + carry;

	*acc = (uint64_t)sum;
	return (uint64_t)(sum >> 64);
}

/* acc[0..6] += a[0..5] b, and acc[6] is new. */
static inline void row(uint64_t *acc, const uint64_t *a, uint64_t b)
{
	uint64_t carry = step(&acc[0], a[0], b, 0);

	carry = step(&acc[1], a[1], b, carry);
	carry = step(&acc[2], a[2], b, carry);
	carry = step(&acc[3], a[3], b, carry);
	carry = step(&acc[4], a[4], b, carry);
	acc[6] = step(&acc[5], a[5], b, carry);
}

static inline void product(uint64_t out[static 12], const uint64_t a[static 6], const uint64_t b[static 6])
{
	uint64_t acc[12] = { 0 };

	row(acc, a, b[0]);
	row(acc + 1, a, b[1]);
	row(acc + 2, a, b[2]);
	row(acc + 3, a, b[3]);
	row(acc + 4, a, b[4]);
	row(acc + 5, a, b[5]);
	memcpy(out, acc, sizeof(acc));
}

/* The fifteen mixed products once, doubled, and the six squares. */
static inline void square(uint64_t out[static 12], const uint64_t a[static 6])
{
	uint64_t acc[12] = { 0 }, carry;

	carry = step(&acc[1], a[0], a[1], 0);
	carry = step(&acc[2], a[0], a[2], carry);
	carry = step(&acc[3], a[0], a[3], carry);
	carry = step(&acc[4], a[0], a[4], carry);
	acc[6] = step(&acc[5], a[0], a[5], carry);
	carry = step(&acc[3], a[1], a[2], 0);
	carry = step(&acc[4], a[1], a[3], carry);
	carry = step(&acc[5], a[1], a[4], carry);
	acc[7] = step(&acc[6], a[1], a[5], carry);
	carry = step(&acc[5], a[2], a[3], 0);
	carry = step(&acc[6], a[2], a[4], carry);
	acc[8] = step(&acc[7], a[2], a[5], carry);
	carry = step(&acc[7], a[3], a[4], 0);
	acc[9] = step(&acc[8], a[3], a[5], carry);
	acc[10] = step(&acc[9], a[4], a[5], 0);

	unsigned char c = 0;
	uint64_t double_last = 0;

	for (size_t i = 0; i < 6; i++) {
		const uint128 own = (uint128)a[i] * a[i];
		const uint64_t even = acc[2 * i], odd = acc[2 * i + 1];

		c = dr_fp_addc(c, even << 1 | double_last, (uint64_t)own, &out[2 * i]);
		c = dr_fp_addc(c, odd << 1 | even >> 63, (uint64_t)(own >> 64), &out[2 * i + 1]);
		double_last = odd >> 63;
	}
}

/* Montgomery: a multiple of p that makes the lowest word zero, six times. */
static inline void reduce(uint64_t out[static 6], const uint64_t a[static 12])
{
	uint64_t acc[12] = { a[0], a[1], a[2], a[3], a[4], a[5] };

	row(acc, dr_fp_p.w, acc[0] * DR_FP_N0);
	row(acc + 1, dr_fp_p.w, acc[1] * DR_FP_N0);
	row(acc + 2, dr_fp_p.w, acc[2] * DR_FP_N0);
	row(acc + 3, dr_fp_p.w, acc[3] * DR_FP_N0);
	row(acc + 4, dr_fp_p.w, acc[4] * DR_FP_N0);
	row(acc + 5, dr_fp_p.w, acc[5] * DR_FP_N0);
	dr_fp_add6(out, acc + 6, a + 6); /* <= p + (p - 1) */
}

#include "chain/bls/fp_kernel.h"

#endif
