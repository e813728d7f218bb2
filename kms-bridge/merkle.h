/* SPDX-License-Identifier: Apache-2.0
 *
 * merkle: proofs about an RFC 6962 tree (2.1.1 audit paths, 2.1.2 consistency), made from the hashes of its complete
 * subtrees. What clients need, growing a tree and verifying proofs, is declared in proto.h; merkle.c has all of it.
 *
 * The subtree (level, idx) covers the leaves [idx · 2^level, (idx + 1) · 2^level); level 0 is a leaf's hash. It is
 * complete, and its hash never changes again, once its last leaf is there.
 *
 * Layer: kms-bridge.
 */
#ifndef DR_KMS_MERKLE_H
#define DR_KMS_MERKLE_H

#include "kms-bridge/proto.h"

/* Where hashes of complete subtrees come from. A result other than DR_OK (with *fail set) ends what asked. */
struct dr_merkle_source {
	enum dr_err (*get)(void *ctx, unsigned level, uint64_t idx, uint8_t hash[static 32], struct dr_fail *fail);
	void *ctx;
};

/* dr_merkle_grow: as dr_merkle_add, and tells what it completed: the returned number of subtrees above the leaf, of
 * level 1, 2, …; nodes[i] is the hash of the one of level i + 1. */
unsigned dr_merkle_grow(struct dr_merkle *m, const uint8_t leaf_hash[static 32], uint8_t nodes[static 64][32]);

/* dr_merkle_at: the right edge of the tree of the first `size` leaves: one read per set bit of size. */
enum dr_err dr_merkle_at(struct dr_merkle *out, uint64_t size, const struct dr_merkle_source *source,
			 struct dr_fail *fail);

/* dr_merkle_inclusion: PATH(idx, D[size]), idx < size. dr_merkle_consistency: PROOF(old_size, D[new_size]),
 * old_size ≤ new_size; empty if they are equal or old_size is 0 (which RFC 6962 leaves open). The reads are at most
 * twice the tree's height; *num ≤ DR_PROOF_HASHES_MAX always. On failure *num is 0 and the hashes are zeroed. */
enum dr_err dr_merkle_inclusion(uint8_t hashes[static DR_PROOF_HASHES_MAX][32], uint16_t *num, uint64_t idx,
				uint64_t size, const struct dr_merkle_source *source, struct dr_fail *fail);
enum dr_err dr_merkle_consistency(uint8_t hashes[static DR_PROOF_HASHES_MAX][32], uint16_t *num, uint64_t old_size,
				  uint64_t new_size, const struct dr_merkle_source *source, struct dr_fail *fail);

#endif
