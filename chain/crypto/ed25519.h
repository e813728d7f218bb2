/* SPDX-License-Identifier: Apache-2.0
 *
 * ed25519: Ed25519 signatures (RFC 8032, section 5.1, the pure variant), libsodium's.
 *
 * What verification accepts, exactly (libsodium 1.0.18 without ED25519_COMPAT):
 *   1. S < L. A signature has one S: no malleability.
 *   2. The public key is a canonical encoding (y < 2^255-19) of a point on the curve, and its order is
 *      not small (none of the eight torsion points).
 *   3. R is compared as bytes with the recomputed point, so only its canonical encoding passes; a small
 *      order R is refused.
 *   4. The equation is the one without the cofactor: [S]B = R + [k]A.
 * A key with a torsion component that is not itself of small order is not refused; whoever made such a
 * key can only make signatures on which cofactored verifiers disagree. All nodes run this code.
 *
 * Layer: chain/crypto. One of the sole includers of libsodium.
 */
#ifndef DR_CRYPTO_ED25519_H
#define DR_CRYPTO_ED25519_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

/* dr_ed25519_keypair: RFC 8032 key of a 32-byte seed. secret is seed ‖ pub (libsodium's form).
 * Secret: secret, seed. Cannot fail. The caller owns, and wipes, both. */
void dr_ed25519_keypair(uint8_t pub[static 32], uint8_t secret[static 64], const uint8_t seed[static 32]);

/* dr_ed25519_sign: deterministic signature R ‖ S over msg. secret is what dr_ed25519_keypair gave, never
 * put together from parts: a foreign public half would give the secret away. Secret: secret. */
void dr_ed25519_sign(uint8_t sig[static 64], struct dr_bytes msg, const uint8_t secret[static 64]);

/* dr_ed25519_verify: DR_OK if sig is pub's signature over msg by the rules above, else DR_ERR_PROOF. */
enum dr_err dr_ed25519_verify(const uint8_t sig[static 64], struct dr_bytes msg, const uint8_t pub[static 32],
			      struct dr_fail *fail);

#endif
