/* SPDX-License-Identifier: Apache-2.0
 *
 * mpt: Ethereum's Merkle Patricia trie (yellow paper appendix D): build a root from a set of pairs,
 * and verify one path of a proof, to a value or to its proven absence.
 *
 * Verification is strict: nodes are canonical RLP of exactly the form a builder makes, each is
 * reached by the hash (or, below 32 bytes, by inclusion) that its parent names, and every node handed
 * in is used: a proof with leftover nodes is refused. A node that its parent includes may be handed in
 * once more behind it (alloy and EthereumJS do), as the very same bytes.
 *
 * Layer: chain/trie.
 */
#ifndef DR_TRIE_MPT_H
#define DR_TRIE_MPT_H

#include "chain/base/arena.h"
#include "chain/base/bytes.h"
#include "chain/base/err.h"

/* keccak256(0x80): the root of the trie that holds nothing. */
extern const uint8_t dr_mpt_empty_root[32];

struct dr_mpt_pair {
	struct dr_bytes key;   /* 1 to 32 bytes */
	struct dr_bytes value; /* not empty */
};

/* dr_mpt_root: the root over pairs[0,num) in any order, keys distinct and none a prefix of another …
 * unless the trie rule allows it (a branch value); duplicates are DR_ERR_SYNTAX. The pairs array is
 * sorted in place. Scratch from arena: 80 KiB, sizeof(*pairs) each unless they come sorted, and 640 bytes a branch.
 * Errors: limit (key length), syntax (empty value, duplicate key), nomem. */
enum dr_err dr_mpt_root(uint8_t root[static 32], struct dr_mpt_pair *pairs, size_t num, struct dr_arena *arena,
			struct dr_fail *fail);

/* dr_mpt_verify: walks key from root through nodes[0,num) (root first, as eth_getProof gives them).
 * Success with *present true: *value borrows the bytes of a node. Success with *present false:
 * the key is proven absent, *value is empty. "Not proven" is an error: DR_ERR_PROOF (a hash does not
 * match, leftover or missing nodes), or a form error. An empty trie (root == dr_mpt_empty_root) proves
 * absence with num == 0, or with the single node 0x80. */
enum dr_err dr_mpt_verify(bool *present, struct dr_bytes *value, const uint8_t root[static 32], struct dr_bytes key,
			  const struct dr_bytes *nodes, size_t num, struct dr_fail *fail);

/* dr_mpt_verify_hashed: the same for whoever hashed the nodes already, together with other things: hashes[i] is the
 * Keccak-256 of nodes[i], for i below num and DR_MPT_DEPTH_MAX. */
enum dr_err dr_mpt_verify_hashed(bool *present, struct dr_bytes *value, const uint8_t root[static 32],
				 struct dr_bytes key, const struct dr_bytes *nodes, const uint8_t (*hashes)[32],
				 size_t num, struct dr_fail *fail);

#endif
