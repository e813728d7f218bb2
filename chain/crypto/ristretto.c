/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/ristretto.h"

#include <string.h>

#include <sodium.h>

/* L = 2^252 + 27742317777372353535851937790883648493, little-endian. */
static const uint8_t order[32] = {
	0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
	0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10,
};

bool dr_ristretto_point_is_valid(const uint8_t point[static 32])
{
	/* libsodium (1.0.18) ignores the highest bit, which RFC 9496, 4.3.1 wants clear, and counts the identity,
	 * whose one encoding is all zeros, as valid. */
	return crypto_core_ristretto255_is_valid_point(point) == 1 && point[31] < 0x80 &&
	       sodium_is_zero(point, 32) == 0;
}

bool dr_ristretto_scalar_is_valid(const uint8_t scalar[static 32])
{
	unsigned borrow = 0, any = 0;

	/* scalar - L borrows at the end if and only if scalar < L. */
	for (size_t i = 0; i < 32; i++) {
		borrow = (((unsigned)scalar[i] - order[i] - borrow) >> 8) & 1;
		any |= scalar[i];
	}
	return (borrow & ((any + 0xff) >> 8)) == 1;
}

enum dr_err dr_ristretto_check_point(const uint8_t point[static 32], struct dr_fail *fail)
{
	if (!dr_ristretto_point_is_valid(point))
		return dr_fail_set(fail, DR_ERR_NONCANONICAL, "not a ristretto255 point, or the identity", 0);
	return DR_OK;
}

enum dr_err dr_ristretto_check_scalar(const uint8_t scalar[static 32], struct dr_fail *fail)
{
	if (!dr_ristretto_scalar_is_valid(scalar))
		return dr_fail_set(fail, DR_ERR_NONCANONICAL, "ristretto255 scalar is zero or not below the order",
				   0);
	return DR_OK;
}

static enum dr_err zeroed(uint8_t out[static 32], enum dr_err err)
{
	memset(out, 0, 32);
	return err;
}

enum dr_err dr_ristretto_mul(uint8_t out[static 32], const uint8_t scalar[static 32], const uint8_t point[static 32],
			     struct dr_fail *fail)
{
	uint8_t product[32];
	enum dr_err err;

	if ((err = dr_ristretto_check_scalar(scalar, fail)) != DR_OK)
		return zeroed(out, err);
	if ((err = dr_ristretto_check_point(point, fail)) != DR_OK)
		return zeroed(out, err);
	/* The order is prime and both operands are valid: this cannot give the identity. */
	DR_ASSERT(crypto_scalarmult_ristretto255(product, scalar, point) == 0);
	memcpy(out, product, 32);
	sodium_memzero(product, sizeof(product));
	return DR_OK;
}

enum dr_err dr_ristretto_base(uint8_t out[static 32], const uint8_t scalar[static 32], struct dr_fail *fail)
{
	uint8_t product[32];
	const enum dr_err err = dr_ristretto_check_scalar(scalar, fail);

	if (err != DR_OK)
		return zeroed(out, err);
	DR_ASSERT(crypto_scalarmult_ristretto255_base(product, scalar) == 0);
	memcpy(out, product, 32);
	sodium_memzero(product, sizeof(product));
	return DR_OK;
}

static enum dr_err combine(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t b[static 32],
			   int (*op)(unsigned char *, const unsigned char *, const unsigned char *),
			   struct dr_fail *fail)
{
	uint8_t result[32];
	enum dr_err err;

	if ((err = dr_ristretto_check_point(a, fail)) != DR_OK)
		return zeroed(out, err);
	if ((err = dr_ristretto_check_point(b, fail)) != DR_OK)
		return zeroed(out, err);
	DR_ASSERT(op(result, a, b) == 0);
	if (sodium_is_zero(result, sizeof(result)) == 1)
		return zeroed(out, dr_fail_set(fail, DR_ERR_PROOF, "points combine to the identity", 0));
	memcpy(out, result, 32);
	sodium_memzero(result, sizeof(result));
	return DR_OK;
}

enum dr_err dr_ristretto_add(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t b[static 32],
			     struct dr_fail *fail)
{
	return combine(out, a, b, crypto_core_ristretto255_add, fail);
}

enum dr_err dr_ristretto_sub(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t b[static 32],
			     struct dr_fail *fail)
{
	return combine(out, a, b, crypto_core_ristretto255_sub, fail);
}

void dr_ristretto_from_hash(uint8_t out[static 32], const uint8_t uniform[static 64])
{
	DR_ASSERT(crypto_core_ristretto255_from_hash(out, uniform) == 0);
}

void dr_ristretto_scalar_reduce(uint8_t out[static 32], const uint8_t wide[static 64])
{
	crypto_core_ristretto255_scalar_reduce(out, wide);
}

void dr_ristretto_scalar_mul(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t b[static 32])
{
	crypto_core_ristretto255_scalar_mul(out, a, b);
}

void dr_ristretto_scalar_add(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t b[static 32])
{
	crypto_core_ristretto255_scalar_add(out, a, b);
}

void dr_ristretto_scalar_sub(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t b[static 32])
{
	crypto_core_ristretto255_scalar_sub(out, a, b);
}

enum dr_err dr_ristretto_scalar_invert(uint8_t out[static 32], const uint8_t a[static 32], struct dr_fail *fail)
{
	uint8_t inverse[32];
	const enum dr_err err = dr_ristretto_check_scalar(a, fail);

	if (err != DR_OK)
		return zeroed(out, err);
	DR_ASSERT(crypto_core_ristretto255_scalar_invert(inverse, a) == 0);
	memcpy(out, inverse, 32);
	sodium_memzero(inverse, sizeof(inverse));
	return DR_OK;
}

bool dr_ristretto_equal(const uint8_t a[static 32], const uint8_t b[static 32])
{
	return sodium_memcmp(a, b, 32) == 0;
}
