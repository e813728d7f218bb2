/* SPDX-License-Identifier: Apache-2.0
 *
 * derivation: what a key is a function of, and the proof that it is the key. Pure: it needs no secret of the root,
 * so whoever holds a key and its proof checks here that the published root gives no other.
 *
 *   input   = u16-length-prefixed: "derot-kdf-v1", u64 chain id, genesis 32, contract 20, u64 generation,
 *             deployer 20, app_hash 32, nonce 32, purpose (text), service 32, u64 epoch; integers big-endian.
 *             Purpose contract has the input of purpose cluster.
 *   element = prf scalar · HashToGroup(input)                                   (RFC 9497, VOPRF ristretto255-SHA512)
 *   key     = HKDF-SHA512(Finalize(input, element), no salt, "derot-key-v1" ‖ purpose), 32 bytes
 *   a contract's key = HKDF-SHA512(the cluster's key, no salt, "derot-contract-v1" ‖ contract 32), 32 bytes
 *   proof   = u8 version (1) · u8 scheme (1) · u8 t · u8 n · element 32 ·
 *             u8 num · num × (u8 index · element 32 · c 32 · s 32)
 *
 * A partial is one holder's: its element, and RFC 9497's GenerateProof (c, s) for (its public key,
 * HashToGroup(input), its element). Scheme 1 here is t = n = num = 1, index 1, and the partial's element is the
 * element: a later build may combine t of n holders' in the same form.
 *
 * The element gives the key away (to whoever knows the input, which is public): the proof is as secret as the key.
 * That of a contract's key gives the cluster's key away: who may ask for the one may ask for the other.
 *
 * Layer: kms-bridge.
 */
#ifndef DR_KMS_DERIVATION_H
#define DR_KMS_DERIVATION_H

#include "governance/decide.h"

#define DR_DERIVATION_INPUT_MAX    256u
#define DR_DERIVATION_PARTIALS_MAX 1u
#define DR_DERIVATION_PROOF_LEN    (4u + 32 + 1 + 97)
#define DR_DERIVATION_KEY_LEN      32u

/* dr_derivation_input: buf[0,*len) = the input; it fits DR_DERIVATION_INPUT_MAX bytes (DR_ERR_LIMIT in fewer). Of the
 * decision: generation, deployer, app_hash, nonce, epoch; of the request: purpose (SEAL to CONTRACT; a bug
 * otherwise) and service. All public. */
enum dr_err dr_derivation_input(uint8_t *buf, size_t cap, size_t *len, uint64_t chain_id,
				const uint8_t genesis[static 32], const uint8_t contract[static 20],
				const struct dr_decision *decision, const struct dr_request *request,
				struct dr_fail *fail);

/* dr_derivation_key: the key of an element. contract: of purpose CONTRACT, not looked at for others. DR_ERR_LIMIT,
 * DR_ERR_NONCANONICAL, DR_ERR_NOMEM. Secret: key, element. */
enum dr_err dr_derivation_key(uint8_t key[static DR_DERIVATION_KEY_LEN], const uint8_t element[static 32],
			      struct dr_bytes input, enum dr_purpose purpose, const uint8_t contract[static 32],
			      struct dr_fail *fail);

struct dr_derivation_partial {
	uint8_t idx; /* from 1 */
	uint8_t element[32], c[32], s[32];
};

struct dr_derivation_proof {
	uint8_t version, scheme, t, n;
	uint8_t element[32];
	uint8_t num;
	struct dr_derivation_partial partials[DR_DERIVATION_PARTIALS_MAX];
};

void dr_derivation_proof_encode(uint8_t out[static DR_DERIVATION_PROOF_LEN], const struct dr_derivation_proof *proof);

/* dr_derivation_proof_decode: DR_ERR_SHORT, DR_ERR_SYNTAX (bytes after it), DR_ERR_UNKNOWN (version, scheme, or
 * numbers of holders that this build does not know), DR_ERR_NONCANONICAL (the partial's element is not the element).
 */
enum dr_err dr_derivation_proof_decode(struct dr_derivation_proof *out, struct dr_bytes bytes, struct dr_fail *fail);

/* dr_derivation_verify: DR_OK if `proof` shows that the published prf_pub gives this element for this input; key is
 * then the key. Else as decode, DR_ERR_NONCANONICAL (points, scalars), DR_ERR_PROOF, and key is zero. Secret: key,
 * proof. */
enum dr_err dr_derivation_verify(uint8_t key[static DR_DERIVATION_KEY_LEN], struct dr_bytes proof,
				 const uint8_t prf_pub[static 32], struct dr_bytes input, enum dr_purpose purpose,
				 const uint8_t contract[static 32], struct dr_fail *fail);

#endif
