/* SPDX-License-Identifier: Apache-2.0
 *
 * ristretto: the prime-order group ristretto255 (RFC 9496), libsodium's.
 *
 * Points are 32 bytes. A valid point is the canonical encoding of an element other than the identity;
 * scalars are 32 bytes little-endian, a valid scalar is in [1, L), L = 2^252 +
 * 27742317777372353535851937790883648493. Every operation below checks that its operands are valid, so
 * nothing that arrived from outside needs a check before it is passed in.
 *
 * Secrets: any scalar may be secret, and so may points. Scalars never decide a branch or an index; of a
 * secret only "is it valid" is revealed (by the result). Intermediate values are wiped.
 *
 * Outputs may be the same array as an input.
 *
 * Layer: chain/crypto. One of the sole includers of libsodium.
 */
#ifndef DR_CRYPTO_RISTRETTO_H
#define DR_CRYPTO_RISTRETTO_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

bool dr_ristretto_point_is_valid(const uint8_t point[static 32]);
bool dr_ristretto_scalar_is_valid(const uint8_t scalar[static 32]);

/* dr_ristretto_check_point, _check_scalar: the same with a failure: DR_ERR_NONCANONICAL. */
enum dr_err dr_ristretto_check_point(const uint8_t point[static 32], struct dr_fail *fail);
enum dr_err dr_ristretto_check_scalar(const uint8_t scalar[static 32], struct dr_fail *fail);

/* dr_ristretto_mul: out = scalar · point. dr_ristretto_base: out = scalar · generator. The result is a
 * valid point. DR_ERR_NONCANONICAL for an invalid operand. */
enum dr_err dr_ristretto_mul(uint8_t out[static 32], const uint8_t scalar[static 32], const uint8_t point[static 32],
			     struct dr_fail *fail);
enum dr_err dr_ristretto_base(uint8_t out[static 32], const uint8_t scalar[static 32], struct dr_fail *fail);

/* dr_ristretto_add, _sub: out = a ± b. DR_ERR_NONCANONICAL for an invalid operand, and DR_ERR_PROOF if
 * the result is the identity (no honest computation of ours gives it). */
enum dr_err dr_ristretto_add(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t b[static 32],
			     struct dr_fail *fail);
enum dr_err dr_ristretto_sub(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t b[static 32],
			     struct dr_fail *fail);

/* dr_ristretto_from_hash: the element derivation function of RFC 9496, 4.3.4, from 64 uniform bytes.
 * The identity comes out with probability 2^-252; the operations then refuse it. */
void dr_ristretto_from_hash(uint8_t out[static 32], const uint8_t uniform[static 64]);

/* Scalar arithmetic modulo L. Any 32 bytes are taken (and reduced); results are in [0, L), zero included.
 * dr_ristretto_scalar_reduce: 64 bytes little-endian, as RFC 9497, 4.1 does for HashToScalar. */
void dr_ristretto_scalar_reduce(uint8_t out[static 32], const uint8_t wide[static 64]);
void dr_ristretto_scalar_mul(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t b[static 32]);
void dr_ristretto_scalar_add(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t b[static 32]);
void dr_ristretto_scalar_sub(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t b[static 32]);

/* dr_ristretto_scalar_invert: out · a = 1. DR_ERR_NONCANONICAL for an invalid a. */
enum dr_err dr_ristretto_scalar_invert(uint8_t out[static 32], const uint8_t a[static 32], struct dr_fail *fail);

/* dr_ristretto_equal: the 32 bytes are the same, in constant time. */
bool dr_ristretto_equal(const uint8_t a[static 32], const uint8_t b[static 32]);

#endif
