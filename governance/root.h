/* SPDX-License-Identifier: Apache-2.0
 *
 * root: what the publication of a root generation must prove. The node that makes the two keys shows that
 * it knows both secrets, and that the holder of the generation published last agrees; all over one context, so
 * that no proof serves twice. Generations that were ordered and never published change nothing about who must
 * agree. Without that agreement a generation begins only in an emergency that the council itself declared, by
 * exposing or retiring the one published last, or where there never was one: an exposure by a guardian, or by the
 * revocation of what a holder runs on, lifts nothing.
 *
 * context = "derot-root-v1" ‖ u64 chain id ‖ genesis 32 ‖ contract 20 ‖ u64 generation ‖ node 20 ‖
 *           scheme 32 ‖ quote 32 ‖ prf_pub 32 ‖ sig_pub 32. Integers big-endian.
 *
 * Layer: governance.
 */
#ifndef DR_GOVERNANCE_ROOT_H
#define DR_GOVERNANCE_ROOT_H

#include "governance/action.h"
#include "governance/state.h"

#define DR_ROOT_CONTEXT_LEN (13u + 8 + 32 + 20 + 8 + 20 + 32 * 4)

struct dr_root_claim {
	uint64_t chain_id;
	uint8_t genesis[32];
	uint8_t contract[20];
	uint64_t generation;
	uint8_t node[20];
	uint8_t scheme[32]; /* u8 scheme ‖ u8 t ‖ u8 n in the lowest three bytes */
	uint8_t quote[32];
	uint8_t prf_pub[32], sig_pub[32];
};

/* dr_root_scheme: the one scheme of this build: version 1, one holder (t = n = 1). */
void dr_root_scheme(uint8_t scheme[static 32]);

/* dr_root_context: the bytes that all signatures and proofs of a publication are over. */
void dr_root_context(uint8_t out[static DR_ROOT_CONTEXT_LEN], const struct dr_root_claim *claim);

struct dr_root_proofs {
	uint8_t prf_c[32], prf_s[32]; /* possession of prf_pub's scalar (chain/crypto/voprf.h) */
	uint8_t sig[64];              /* by sig_pub */
	uint8_t prev[64];             /* by the signing key of the generation published last; zero: none */
};

/* dr_root_verify: DR_OK if all proofs hold. prev_pub: the signing key of the last generation below this one that was
 * ever published (dr_state_published_below), NULL if there is none. prev_required: there is one, and the council
 * itself neither exposed nor retired it (dr_root.council). Where it is not required, prev is zero or still true.
 * DR_ERR_PROOF, or DR_ERR_NONCANONICAL for points and scalars. */
enum dr_err dr_root_verify(const struct dr_root_claim *claim, const struct dr_root_proofs *proofs,
			   const uint8_t *prev_pub, bool prev_required, struct dr_fail *fail);

#endif
