/* SPDX-License-Identifier: Apache-2.0
 *
 * ssz: hash trees of the consensus layer: nodes, leaves, trees of chunks, and branches to a root.
 *
 * Implements: ethereum/consensus-specs v1.6.0, ssz/simple-serialize.md ("Merkleization"), ssz/merkle-proofs.md
 * (generalized indices), phase0 is_valid_merkle_branch, altair/light-client/sync-protocol.md
 * is_valid_normalized_merkle_branch.
 *
 * Trusts nothing but the caller's choice of generalized index.
 *
 * Invariants:
 *   1. A generalized index never comes from the input: callers name it by the rules of the slot's fork.
 *   2. A branch of another length than its index asks for proves nothing; longer, only behind nodes of zeros.
 *
 * Layer: chain/beacon.
 */
#ifndef DR_BEACON_SSZ_H
#define DR_BEACON_SSZ_H

#include "chain/base/reader.h"

#define DR_SSZ_DEPTH_MAX 10u /* of a tree whose chunks are in memory: 2^10 of them */

/* dr_ssz_pair: the node above two nodes. out may be either of them. */
void dr_ssz_pair(uint8_t out[static 32], const uint8_t left[static 32], const uint8_t right[static 32]);

/* dr_ssz_u64: the leaf of a uint64, little endian. */
void dr_ssz_u64(uint8_t leaf[static 32], uint64_t value);

/* dr_ssz_read: the next integer of len bytes (at most 8), little endian; 0 after a failure. */
uint64_t dr_ssz_read(struct dr_reader *r, size_t len);

/* dr_ssz_merkleize: the root of a tree of 2^depth chunks, of which num are given and the rest are zero ("merkleize",
 * limit = 2^depth). num <= 2^depth, depth <= DR_SSZ_DEPTH_MAX; more is a bug. chunks is overwritten. */
void dr_ssz_merkleize(uint8_t root[static 32], uint8_t (*chunks)[32], size_t num, unsigned depth);

/* dr_ssz_mix_length: the root of a list: root is that of its chunks, len its number of elements. */
void dr_ssz_mix_length(uint8_t root[static 32], uint64_t len);

/* dr_ssz_depth: floorlog2 of a generalized index (> 0): how many nodes its branch has. */
unsigned dr_ssz_depth(uint64_t gindex);

/* dr_ssz_branch_shows: is leaf at gindex under root? num nodes, the lowest first; num must be dr_ssz_depth(gindex),
 * or more where the first ones are zero (is_valid_normalized_merkle_branch). gindex 0 shows nothing. */
bool dr_ssz_branch_shows(const uint8_t leaf[static 32], const uint8_t (*branch)[32], size_t num, uint64_t gindex,
			 const uint8_t root[static 32]);

#endif
