/* SPDX-License-Identifier: Apache-2.0 */
#define DR_FP_NO_INT128
#include "chain/bls/fp_impl.h"

#define KERNEL_TARGET
#define KERNEL_NAME dr_fp_kernel_narrow

/* *acc + a b + carry, of four products of 32 bits. */
static uint64_t step(uint64_t *acc, uint64_t a, uint64_t b, uint64_t carry)
{
	const uint64_t low = 0xffffffff, a0 = a & low, a1 = a >> 32, b0 = b & low, b1 = b >> 32;
	const uint64_t p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0, p11 = a1 * b1;
	const uint64_t mid = (p00 >> 32) + (p01 & low) + (p10 & low);
	uint64_t high = p11 + (p01 >> 32) + (p10 >> 32) + (mid >> 32), sum = mid << 32 | (p00 & low);

	sum += *acc;
	high += sum < *acc;
	sum += carry;
	high += sum < carry;
	*acc = sum;
	return high;
}

static void row(uint64_t *acc, const uint64_t *a, uint64_t b)
{
	uint64_t carry = 0;

	for (size_t i = 0; i < 6; i++)
		carry = step(&acc[i], a[i], b, carry);
	acc[6] = carry;
}

static void product(uint64_t out[static 12], const uint64_t a[static 6], const uint64_t b[static 6])
{
	uint64_t acc[12] = { 0 };

	for (size_t i = 0; i < 6; i++)
		row(acc + i, a, b[i]);
	memcpy(out, acc, sizeof(acc));
}

static void square(uint64_t out[static 12], const uint64_t a[static 6])
{
	product(out, a, a);
}

static void reduce(uint64_t out[static 6], const uint64_t a[static 12])
{
	uint64_t acc[12] = { a[0], a[1], a[2], a[3], a[4], a[5] };

	for (size_t i = 0; i < 6; i++)
		row(acc + i, dr_fp_p.w, acc[i] * DR_FP_N0);
	dr_fp_add6(out, acc + 6, a + 6); /* <= p + (p - 1) */
}

#include "chain/bls/fp_kernel.h"
