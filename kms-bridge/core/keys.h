/* SPDX-License-Identifier: Apache-2.0
 *
 * keys: root generations and what is derived from them. A generation is two keys: a PRF scalar (ristretto255)
 * and a signing key (Ed25519), in locked memory, sealed at rest under the key file's key.
 *
 *   sealed     = u8 version (1) · nonce 24 · XChaCha20-Poly1305-IETF(prf scalar 32 ‖ signing seed 32) · tag 16
 *   associated = "derot-seal-v1" ‖ u64 chain id ‖ genesis 32 ‖ contract 20 ‖ u8 proof ‖ profile digest 32 ‖
 *                u64 generation: a root copied to another chain, contract, proof minimum or profile stays shut
 *   derive     = HKDF-SHA512(VOPRF(scalar, input), no salt, "derot-key-v1" ‖ purpose), 32 bytes
 *   input      = u16-length-prefixed: "derot-kdf-v1", u64 chain id, genesis, contract, u64 generation, deployer 20,
 *                app_hash 32, nonce 32, purpose (text), service 32, u64 epoch; integers big-endian
 *
 * Invariants:
 *   1. Nothing is derived without a decision that says ALLOW (a bug otherwise).
 *   2. Secrets are never in a log, an error text, argv or the environment; each copy is wiped.
 *   3. A replay never makes a struct dr_keys.
 *
 * Roots made at proof quorum are development roots for ever: this build knows no other proof.
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_KEYS_H
#define DR_CORE_KEYS_H

#include "governance/decide.h"
#include "governance/root.h"
#include "kms-bridge/proto.h"

#define DR_KEYS_SEALED_LEN (1u + 24 + 64 + 16)
#define DR_KEYS_LEN        32u /* a derived key */
#define DR_KEYS_ROOTS_MAX  64u /* generations held at once */

/* dr_keys_harden: no core dumps, and no other process of this user may look inside. */
enum dr_err dr_keys_harden(struct dr_fail *fail);

/* dr_keys_file_make: 32 random bytes in a new file of mode 0600; DR_ERR_IO also if something is there. */
enum dr_err dr_keys_file_make(const char *path, struct dr_fail *fail);

/* Everything a root is bound to. */
struct dr_keys_binding {
	uint64_t chain_id;
	uint8_t genesis[32];
	uint8_t contract[20];
	uint8_t proof;       /* enum dr_proof: the minimum */
	uint8_t profile[32]; /* digest */
	uint8_t node[20];    /* of publications; not part of the seal */
};

struct dr_keys; /* opaque: the sealing key and the open roots */

/* dr_keys_new: reads the key file: DR_ERR_IO (absent, a link, not ours, readable by others, not 32 bytes), or
 * DR_ERR_NOMEM. NULL then. */
struct dr_keys *dr_keys_new(const char *key_file, const struct dr_keys_binding *binding, struct dr_fail *fail);
void dr_keys_free(struct dr_keys *k); /* takes k, which may be NULL; wipes */

/* dr_keys_make: a new root of this generation (≥ 1), held from now on; sealed is filled. DR_ERR_PROOF: this
 * generation is already held; DR_ERR_LIMIT. */
enum dr_err dr_keys_make(struct dr_keys *k, uint64_t generation, uint8_t sealed[static DR_KEYS_SEALED_LEN],
			 struct dr_fail *fail);

/* dr_keys_open: holds the root in `sealed`. DR_ERR_SYNTAX (length), DR_ERR_UNKNOWN (version), DR_ERR_PROOF (another
 * key file, another binding or generation, or changed bytes: the seal does not say which). */
enum dr_err dr_keys_open(struct dr_keys *k, uint64_t generation, struct dr_bytes sealed, struct dr_fail *fail);

bool dr_keys_held(const struct dr_keys *k, uint64_t generation);
uint64_t dr_keys_newest(const struct dr_keys *k); /* highest generation held; 0: none */

/* dr_keys_equal: the root held for this generation has these public keys. */
bool dr_keys_equal(const struct dr_keys *k, uint64_t generation, const uint8_t prf_pub[static 32],
		   const uint8_t sig_pub[static 32]);

/* dr_keys_publication: what the node writes on chain to publish a held generation (a bug if it is not held): scheme,
 * prf_pub, prf_c, prf_s, sig_pub, sig_r, sig_s, quote, prev_r, prev_s. The quote hash is zero until there is
 * attestation. prev_pub: the published signing key of the generation before, NULL if there is none; the publication
 * is signed by it if it is the one held here, else prev_r and prev_s are zero. */
enum dr_err dr_keys_publication(const struct dr_keys *k, uint64_t generation, const uint8_t *prev_pub,
				uint8_t words[static 10][32], struct dr_fail *fail);

/* dr_keys_derive: the key that `decision` (ALLOW, of `request`) is about; the generation it names must be held
 * (DR_ERR_UNKNOWN). key is secret. */
enum dr_err dr_keys_derive(const struct dr_keys *k, uint8_t key[static DR_KEYS_LEN],
			   const struct dr_decision *decision, const struct dr_request *request,
			   struct dr_fail *fail);

#endif
