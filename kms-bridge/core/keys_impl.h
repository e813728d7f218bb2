/* SPDX-License-Identifier: Apache-2.0
 *
 * keys_impl: what a struct dr_keys is inside: for keys*.c, certificate.c, and the test that marks its secrets.
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_KEYS_IMPL_H
#define DR_CORE_KEYS_IMPL_H

#include "kms-bridge/core/keys.h"

struct dr_keys_root {
	uint64_t generation;
	uint8_t prf[32], prf_pub[32];
	uint8_t sig[64], sig_pub[32]; /* sig: seed ‖ public half, as ed25519.h has it */
};

struct dr_keys {
	struct dr_keys_binding binding;
	uint8_t sealing[32], id[8];
	uint32_t memory_mib; /* of the key file: 0 if it is raw */
	bool has_node;
	uint8_t enc[32], enc_pub[32];
	uint8_t sign[64], sign_pub[32];
	size_t num;
	struct dr_keys_root roots[DR_KEYS_ROOTS_MAX];
};

/* dr_keys_root_of: the root held for this generation, or NULL. */
const struct dr_keys_root *dr_keys_root_of(const struct dr_keys *k, uint64_t generation);

/* dr_keys_root_place: a free place for a root of this generation, not yet counted, or NULL with *fail: DR_ERR_LIMIT
 * (generation 0, too many), DR_ERR_PROOF (already held). dr_keys_root_fill: what is there from now on, of
 * prf scalar 32 ‖ signing seed 32; the caller counts it (k->num). DR_ERR_NONCANONICAL. */
struct dr_keys_root *dr_keys_root_place(struct dr_keys *k, uint64_t generation, struct dr_fail *fail);
enum dr_err dr_keys_root_fill(struct dr_keys_root *r, uint64_t generation, const uint8_t secret[static 64],
			      struct dr_fail *fail);

/* dr_keys_claim: the claim of a publication of this root, of which only the node and the quote are not ours to say.
 */
void dr_keys_claim(struct dr_root_claim *out, const struct dr_keys *k, const struct dr_keys_root *r,
		   const uint8_t node[static 20], const uint8_t quote[static 32]);

#endif
