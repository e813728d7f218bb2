/* SPDX-License-Identifier: Apache-2.0
 *
 * bls: BLS signatures over BLS12-381 as Ethereum's consensus uses them (public keys in G1, signatures in G2, proof of
 * possession), verification only: draft-irtf-cfrg-bls-signature-05, ciphersuite
 * BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_; hashing to the curve by RFC 9380.
 *
 * No secret ever passes through this folder: nothing in it is constant in time, nothing is wiped. Threads may call.
 *
 * Invariants:
 *   1. A struct dr_bls_key is a point of G1 in the subgroup of order r, never infinity (KeyValidate, draft 2.5).
 *   2. A signature is decoded canonically and its subgroup is checked at every verification.
 *   3. A sum that is infinity verifies nothing (draft 2.9: the aggregate of no keys is refused).
 *
 * Layer: chain/bls.
 */
#ifndef DR_BLS_BLS_H
#define DR_BLS_BLS_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

#define DR_BLS_KEY_LEN       48u /* compressed G1 */
#define DR_BLS_SIGNATURE_LEN 96u /* compressed G2 */

/* A public key: affine, in Montgomery form; zeroed memory is none, and whoever gives it as one is a bug. */
struct dr_bls_key {
	uint64_t x[6], y[6];
};

/* A sum of keys, in Jacobian coordinates (x / z^2, y / z^3); zeroed memory is infinity. */
struct dr_bls_sum {
	uint64_t x[6], y[6], z[6];
};

/* dr_bls_key_get: KeyValidate. DR_ERR_SYNTAX: flags or length of x; DR_ERR_NONCANONICAL: x not below p;
 * DR_ERR_PROOF: no point of the curve, infinity, or outside the subgroup. *out is zeroed on failure. */
enum dr_err dr_bls_key_get(struct dr_bls_key *out, const uint8_t text[static DR_BLS_KEY_LEN], struct dr_fail *fail);

/* dr_bls_keys_get: num keys that lie one after the other in text (num * 48 bytes), each checked for itself. On
 * failure fail->at is the first bad key's index and all of out is zeroed. */
enum dr_err dr_bls_keys_get(struct dr_bls_key *out, size_t num, const uint8_t *text, struct dr_fail *fail);

/* Sums. A key may be added or taken away any number of times; sum_zero is infinity. */
void dr_bls_sum_zero(struct dr_bls_sum *sum);
void dr_bls_sum_add(struct dr_bls_sum *sum, const struct dr_bls_key *key);
void dr_bls_sum_sub(struct dr_bls_sum *sum, const struct dr_bls_key *key);
bool dr_bls_sum_is_key(const struct dr_bls_sum *sum, const struct dr_bls_key *key); /* are they the same point? */

/* dr_bls_verify_sum: FastAggregateVerify (draft 3.3.4) under a sum of keys. DR_OK, or DR_ERR_PROOF with what was
 * false: the signature's form, its subgroup, the sum (infinity), or the pairing; never DR_OK otherwise. */
enum dr_err dr_bls_verify_sum(const struct dr_bls_sum *sum, struct dr_bytes msg,
			      const uint8_t signature[static DR_BLS_SIGNATURE_LEN], struct dr_fail *fail);

/* dr_bls_verify_many: AggregateVerify (draft 3.1.1 with POP: messages may repeat): key k signed msgs[k]; num >= 1. */
enum dr_err dr_bls_verify_many(const struct dr_bls_key *keys, const struct dr_bytes *msgs, size_t num,
			       const uint8_t signature[static DR_BLS_SIGNATURE_LEN], struct dr_fail *fail);

#endif
