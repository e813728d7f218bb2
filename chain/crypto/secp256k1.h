/* SPDX-License-Identifier: Apache-2.0
 *
 * secp256k1: ECDSA over secp256k1 (SEC 1, SEC 2), libsecp256k1's: who sealed, who voted; and the signature of an
 * account's own transaction.
 *
 * High S. Recovery accepts it, as the yellow paper's ECDSARECOVER (appendix F) and the seal checks of
 * QBFT, IBFT and Clique do: the signer is the same either way, but the signature bytes are malleable, so
 * nothing may be identified by them. Verification accepts low S only (BIP 146, as in EIP-2).
 *
 * Recovery and verification see public data only and are not constant in time. Signing, and the address of a
 * secret, are, and are blinded with fresh randomness; nonces are RFC 6979's, so that a signature needs no luck.
 *
 * Layer: chain/crypto. Sole includer of libsecp256k1.
 */
#ifndef DR_CRYPTO_SECP256K1_H
#define DR_CRYPTO_SECP256K1_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

/* dr_secp256k1_recover: the Ethereum address (last 20 bytes of keccak256(x ‖ y)) whose key made sig
 * = r ‖ s over hash, both big-endian; recid is 0..3 (Ethereum's v less 27). Errors: DR_ERR_SYNTAX for a
 * recid above 3, DR_ERR_NONCANONICAL for r or s not below the group order, DR_ERR_PROOF when no key can
 * have made it (r or s zero, r + n not below p, r no x coordinate, the key at infinity). */
enum dr_err dr_secp256k1_recover(uint8_t address[static 20], const uint8_t hash[static 32],
				 const uint8_t sig[static 64], uint8_t recid, struct dr_fail *fail);

/* dr_secp256k1_verify: sig = r ‖ s with low S is pub's over hash. pub is a SEC 1 encoding, compressed
 * (33 bytes) or not (65). Errors: DR_ERR_SYNTAX for pub (the hybrid form too), DR_ERR_NONCANONICAL for
 * r or s not below the order, DR_ERR_PROOF. */
enum dr_err dr_secp256k1_verify(const uint8_t hash[static 32], const uint8_t sig[static 64], struct dr_bytes pub,
				struct dr_fail *fail);

/* dr_secp256k1_verify_der: as dr_secp256k1_verify for the strict DER form SEQUENCE { r, s };
 * DR_ERR_SYNTAX for any other encoding of it. */
enum dr_err dr_secp256k1_verify_der(const uint8_t hash[static 32], struct dr_bytes sig, struct dr_bytes pub,
				    struct dr_fail *fail);

/* dr_secp256k1_address: the Ethereum address of pub (as above). DR_ERR_SYNTAX. */
enum dr_err dr_secp256k1_address(uint8_t address[static 20], struct dr_bytes pub, struct dr_fail *fail);

/* dr_secp256k1_secret_address: the Ethereum address of the private key `secret`, big-endian. DR_ERR_NONCANONICAL if
 * it is zero or not below the group order; DR_ERR_NOMEM. Secret: secret; only whether it is valid shows. */
enum dr_err dr_secp256k1_secret_address(uint8_t address[static 20], const uint8_t secret[static 32],
					struct dr_fail *fail);

/* dr_secp256k1_sign: sig = r ‖ s over hash with low S, and its recovery id (Ethereum's yParity), 0 to 3. What was
 * made is recovered before it is given out: a fault in the computation would show the key. Errors as above. */
enum dr_err dr_secp256k1_sign(uint8_t sig[static 64], uint8_t *recid, const uint8_t hash[static 32],
			      const uint8_t secret[static 32], struct dr_fail *fail);

#endif
