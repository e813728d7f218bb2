/* SPDX-License-Identifier: Apache-2.0
 *
 * tree: the headers above the last final block, by hash. Private to follow.c.
 *
 * A node is on a path only through its parents' hashes; the tree itself believes nothing: junk in it is
 * junk until a named block's chain of parents passes through it, and it is dropped when the base moves.
 *
 * Layer: chain/evm.
 */
#ifndef DR_EVM_TREE_H
#define DR_EVM_TREE_H

#include "chain/base/limits.h"
#include "chain/evm/header.h"
#include "chain/facts.h"

struct dr_node {
	struct dr_node *next; /* in its bucket */
	uint64_t number, timestamp;
	uint8_t hash[32], parent[32];
	uint8_t receipts_root[32], state_root[32];
	uint8_t bloom[256];
	uint16_t source;           /* the endpoint that sent the header */
	bool contradicts;          /* arrived when a final block at or above its number was already named */
	bool said_head;            /* handed out as a head fact */
	bool keep;                 /* on the way to a block that finality named; set and used while making room */
	enum dr_complete complete; /* NONE: its events are not known yet */
	struct dr_event *events;   /* owned, with their data behind them; NULL if none */
	size_t num_events;
	bool has_acc; /* (count, acc) of the contract after this block are proven */
	uint64_t acc_count;
	uint8_t acc[32];
};

struct dr_tree {
	struct dr_node *bucket[DR_TREE_BUCKETS];
	size_t num;
};

enum dr_path {
	DR_PATH_LINKED,  /* out[0,*num) are the blocks base+1 … tip, ascending */
	DR_PATH_MISSING, /* *missing is a hash (of block *missing_number) that is not in the tree */
	DR_PATH_FORK,    /* the chain of parents reaches the base's number at another hash */
	DR_PATH_BROKEN,  /* numbers do not count down along the chain of parents, or it is too long */
};

struct dr_node *dr_tree_find(const struct dr_tree *t, const uint8_t hash[static 32]);

/* dr_tree_add: a node for header, which must not be there yet; NULL: no memory. */
struct dr_node *dr_tree_add(struct dr_tree *t, const struct dr_evm_header *header);

/* dr_tree_path: from the block (number, hash) down to the base. out holds DR_FOLLOW_BLOCKS_MAX. */
enum dr_path dr_tree_path(const struct dr_tree *t, uint64_t base_number, const uint8_t base_hash[static 32],
			  uint64_t number, const uint8_t hash[static 32], struct dr_node **out, size_t *num,
			  uint8_t missing[static 32], uint64_t *missing_number);

/* dr_tree_prune: drops each node for which drop answers true. */
void dr_tree_prune(struct dr_tree *t, bool (*drop)(void *ctx, const struct dr_node *node), void *ctx);

/* dr_tree_any: some node for which is answers true; NULL if none. */
struct dr_node *dr_tree_any(const struct dr_tree *t, bool (*is)(void *ctx, const struct dr_node *node), void *ctx);

/* dr_node_events: gives node its events, taking a copy of them and their data. False: no memory. */
bool dr_node_events(struct dr_node *node, const struct dr_event *events, size_t num);

#endif
