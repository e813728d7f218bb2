/* SPDX-License-Identifier: Apache-2.0
 *
 * keys: root generations, the node's own keys, and what is made with them. A generation is two keys: a PRF scalar
 * (ristretto255) and a signing key (Ed25519), in locked memory, sealed at rest under the key file's key
 * (core/key_file.h). The node's own are an X25519 key (parcels to this node) and an Ed25519 key (its checkpoints),
 * sealed as "generation 0".
 *
 *   sealed     = u8 version (2) · key id 8 · nonce 24 · XChaCha20-Poly1305-IETF(secret 64) · tag 16
 *   secret     = prf scalar 32 ‖ signing seed 32; generation 0: X25519 secret 32 ‖ Ed25519 seed 32
 *   key id     = HKDF-SHA512(sealing key, no salt, "derot-key-id-v1"), the first 8 bytes: says which key file
 *   associated = "derot-seal-v1" ‖ u64 chain id ‖ genesis 32 ‖ contract 20 ‖ u8 proof ‖ profile digest 32 ‖
 *                u64 generation: a root copied to another chain, contract, proof minimum or profile stays shut
 *
 * What is derived: kms-bridge/derivation.h. Root generations between nodes: core/parcel.h. Certificates:
 * core/certificate.h.
 *
 * Invariants:
 *   1. Nothing is derived without a decision that says ALLOW (a bug otherwise).
 *   2. Secrets are never in a log, an error text, argv or the environment; each copy is wiped.
 *   3. A replay never makes a struct dr_keys.
 *   4. A root that came from another node is held only if it gives the keys published on chain.
 *
 * Roots made at proof quorum are development roots for ever. Those made at proof consensus are not, and give their
 * keys to nobody before there is attestation (core_keys.c).
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_KEYS_H
#define DR_CORE_KEYS_H

#include "chain/base/arena.h"
#include "chain/facts.h"
#include "governance/decide.h"
#include "governance/root.h"
#include "kms-bridge/derivation.h"
#include "kms-bridge/core/parcel.h"

#define DR_KEYS_SEALED_LEN (1u + 8 + 24 + 64 + 16)
#define DR_KEYS_LEN        DR_DERIVATION_KEY_LEN /* a derived key */
#define DR_KEYS_ROOTS_MAX  64u                   /* generations held at once */
#define DR_KEYS_DER_MAX    2048u                 /* a certificate */

/* dr_keys_harden: no core dumps, and no other process of this user may look inside. */
enum dr_err dr_keys_harden(struct dr_fail *fail);

/* dr_keys_file_make: a new key file; see dr_key_file_make. */
enum dr_err dr_keys_file_make(const char *path, const char *passphrase_file, uint32_t argon2_mib,
			      struct dr_fail *fail);

/* Everything a root is bound to. */
struct dr_keys_binding {
	uint64_t chain_id;
	uint8_t genesis[32];
	uint8_t contract[20];
	uint8_t proof;       /* enum dr_proof: the minimum */
	uint8_t profile[32]; /* digest */
	uint8_t node[20];    /* of publications and parcels; not part of the seal */
};

struct dr_keys; /* opaque: the sealing key, the node's own keys and the open roots, in locked memory */

/* dr_keys_new: reads the key file: errors as dr_key_file_read, or DR_ERR_NOMEM. NULL then. passphrase_file: NULL or
 * "" for none. */
struct dr_keys *dr_keys_new(const char *key_file, const char *passphrase_file, const struct dr_keys_binding *binding,
			    struct dr_fail *fail);
void dr_keys_free(struct dr_keys *k); /* takes k, which may be NULL; wipes */

/* dr_keys_reseal: what is sealed from now on is sealed under that file's key; what is held stays held. Unchanged on
 * failure (as dr_key_file_read). The caller seals everything anew (dr_keys_seal) before the old file goes. */
enum dr_err dr_keys_reseal(struct dr_keys *k, const char *key_file, const char *passphrase_file,
			   struct dr_fail *fail);

/* dr_keys_memory_mib: the memory that the key file in use took to unwrap, MiB; 0: it is not wrapped. */
uint32_t dr_keys_memory_mib(const struct dr_keys *k);

/* dr_keys_id: the id of the sealing key in use. dr_keys_sealed_id: that under which something was sealed:
 * DR_ERR_SYNTAX (length), DR_ERR_UNKNOWN (version). */
void dr_keys_id(const struct dr_keys *k, uint8_t id[static 8]);
enum dr_err dr_keys_sealed_id(uint8_t id[static 8], struct dr_bytes sealed, struct dr_fail *fail);

/* dr_keys_seal: what is held of this generation (0: the node's own keys), sealed anew. DR_ERR_UNKNOWN: not held. */
enum dr_err dr_keys_seal(const struct dr_keys *k, uint64_t generation, uint8_t sealed[static DR_KEYS_SEALED_LEN],
			 struct dr_fail *fail);

/* dr_keys_make: a new root of this generation (≥ 1), held from now on; sealed is filled. DR_ERR_PROOF: this
 * generation is already held; DR_ERR_LIMIT. */
enum dr_err dr_keys_make(struct dr_keys *k, uint64_t generation, uint8_t sealed[static DR_KEYS_SEALED_LEN],
			 struct dr_fail *fail);

/* dr_keys_open: holds the root in `sealed`. DR_ERR_SYNTAX (length), DR_ERR_UNKNOWN (version), DR_ERR_PROOF: sealed
 * under another key file; or else sealed for another binding or generation, or changed: the seal does not say which.
 */
enum dr_err dr_keys_open(struct dr_keys *k, uint64_t generation, struct dr_bytes sealed, struct dr_fail *fail);

/* dr_keys_destroy: wipes the root of this generation, if it is held. */
void dr_keys_destroy(struct dr_keys *k, uint64_t generation);

bool dr_keys_held(const struct dr_keys *k, uint64_t generation);
bool dr_keys_full(const struct dr_keys *k);       /* no root more can be held */
uint64_t dr_keys_newest(const struct dr_keys *k); /* highest generation held; 0: none */

/* dr_keys_equal: the root held for this generation has these public keys. */
bool dr_keys_equal(const struct dr_keys *k, uint64_t generation, const uint8_t prf_pub[static 32],
		   const uint8_t sig_pub[static 32]);

/* dr_keys_node_make, dr_keys_node_open: the node's own keys, new or from their seal; as dr_keys_make and _open. */
enum dr_err dr_keys_node_make(struct dr_keys *k, uint8_t sealed[static DR_KEYS_SEALED_LEN], struct dr_fail *fail);
enum dr_err dr_keys_node_open(struct dr_keys *k, struct dr_bytes sealed, struct dr_fail *fail);

/* dr_keys_node: their public halves: X25519 and Ed25519. False, and zeros: there are none yet. */
bool dr_keys_node(const struct dr_keys *k, uint8_t enc_key[static 32], uint8_t sign_key[static 32]);

/* dr_keys_node_sign: Ed25519 over message by the node's own key (a bug without one). */
void dr_keys_node_sign(const struct dr_keys *k, uint8_t sig[static 64], struct dr_bytes message);

/* dr_keys_publication: what the node writes on chain to publish a held generation (a bug if it is not held): scheme,
 * prf_pub, prf_c, prf_s, sig_pub, sig_r, sig_s, quote, prev_r, prev_s. The quote hash is zero until there is
 * attestation. prev_generation: the last one below that was ever published (dr_state_published_below), and prev_pub
 * its published signing key; NULL if there is none (the number is then not looked at). The publication is signed by
 * it if it is the one held here, else prev_r and prev_s are zero. */
enum dr_err dr_keys_publication(const struct dr_keys *k, uint64_t generation, uint64_t prev_generation,
				const uint8_t *prev_pub, uint8_t words[static 10][32], struct dr_fail *fail);

/* dr_keys_derive: the key that `decision` (ALLOW, of `request`) is about; the generation it names must be held
 * (DR_ERR_UNKNOWN). proof, which may be NULL, is filled with the proof that it is. Secret: key, proof. */
enum dr_err dr_keys_derive(const struct dr_keys *k, uint8_t key[static DR_KEYS_LEN], uint8_t *proof,
			   const struct dr_decision *decision, const struct dr_request *request,
			   struct dr_fail *fail);

/* dr_keys_parcel_make: appends to *out the held root of this generation, for node `to` whose registered key is
 * to_enc_key. DR_ERR_UNKNOWN (not held), DR_ERR_PROOF (that key is none: zero, or of small order), DR_ERR_LIMIT. */
enum dr_err dr_keys_parcel_make(const struct dr_keys *k, uint64_t generation, const uint8_t to[static 20],
				const uint8_t to_enc_key[static 32], struct dr_buf *out, struct dr_fail *fail);

/* dr_keys_parcel_take: holds the root in p, and fills sealed, if it is for this node, chain, contract and proof,
 * opens with the node's own key, and gives the published keys prf_pub and sig_pub of p->generation. DR_ERR_UNKNOWN
 * (no own keys), DR_ERR_PROOF (each with its own words), DR_ERR_LIMIT, DR_ERR_NONCANONICAL. */
enum dr_err dr_keys_parcel_take(struct dr_keys *k, const struct dr_parcel *p, const uint8_t prf_pub[static 32],
				const uint8_t sig_pub[static 32], uint8_t sealed[static DR_KEYS_SEALED_LEN],
				struct dr_fail *fail);

/* dr_keys_certificate_root: der[0,*len) = the X.509 certificate of a held generation (core/certificate.h), signed by
 * itself; `published` is the generation as it is published on chain. The same bytes on every node that holds it.
 * DR_ERR_UNKNOWN (not held), DR_ERR_PROOF (the published keys differ from those held), DR_ERR_LIMIT. */
enum dr_err dr_keys_certificate_root(const struct dr_keys *k, uint64_t generation, const struct dr_root *published,
				     uint8_t *der, size_t cap, size_t *len, struct dr_fail *fail);

/* dr_keys_certificate_app: that of the Ed25519 key whose seed is a derived key; purposes SIGN and TLS (a bug
 * otherwise). key and proof are dr_keys_derive's of the same decision and request. DR_ERR_UNKNOWN (not held),
 * DR_ERR_LIMIT. */
enum dr_err dr_keys_certificate_app(const struct dr_keys *k, const uint8_t key[static DR_KEYS_LEN],
				    const uint8_t proof[static DR_DERIVATION_PROOF_LEN],
				    const struct dr_decision *decision, const struct dr_request *request,
				    uint8_t *der, size_t cap, size_t *len, struct dr_fail *fail);

#endif
