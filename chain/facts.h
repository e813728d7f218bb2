/* SPDX-License-Identifier: Apache-2.0
 *
 * facts: what chain/ proved. The types are opaque and have no public constructor: only the code below
 * chain/ (through facts_make.h, which the layer check forbids everybody else) can make one.
 *
 *   dr_fact_block   block N with hash H and timestamp T has this proof and status, descends from the
 *                   block before it, and *these are all* governance events in it, in order
 *   dr_fact_state   account A had this code hash, and slots these values, after block N
 *
 * A fact is valid until the follower that handed it out is called again.
 *
 * Layer: chain (face).
 */
#ifndef DR_CHAIN_FACTS_H
#define DR_CHAIN_FACTS_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

/* What a fact is worth; the order is not a scale. */
enum dr_proof {
	DR_PROOF_NONE = 0,
	DR_PROOF_QUORUM = 1, /* k of n configured endpoints agree. Nothing cryptographic. */
	DR_PROOF_CONSENSUS = 2,
	DR_PROOF_SEALS = 3,
	DR_PROOF_L1 = 4,
};

enum dr_status {
	DR_STATUS_NONE = 0,
	DR_STATUS_HEAD = 1,
	DR_STATUS_FINAL = 2,
};

/* How completeness of the block was shown. */
enum dr_complete {
	DR_COMPLETE_NONE = 0,
	DR_COMPLETE_BLOOM = 1,       /* (a) the bloom excludes every watched alternative */
	DR_COMPLETE_RECEIPTS = 2,    /* (b) all receipts rebuild receiptsRoot and were scanned */
	DR_COMPLETE_ACCUMULATOR = 3, /* (c) the contract's own event count and rolling hash */
};

struct dr_event {
	uint8_t address[20];
	uint32_t ordinal;     /* 0, 1, … among the watched events of the block */
	uint8_t num_topics;   /* 0 to 4 */
	uint8_t topic0[32];   /* zero if num_topics is 0 */
	struct dr_bytes data; /* borrows the fact */
};

struct dr_fact_block; /* opaque */
struct dr_fact_state; /* opaque */

enum dr_proof dr_fact_block_proof(const struct dr_fact_block *fact);
enum dr_status dr_fact_block_status(const struct dr_fact_block *fact);
enum dr_complete dr_fact_block_complete(const struct dr_fact_block *fact);
uint64_t dr_fact_block_number(const struct dr_fact_block *fact);
uint64_t dr_fact_block_timestamp(const struct dr_fact_block *fact);
const uint8_t *dr_fact_block_hash(const struct dr_fact_block *fact);   /* 32 bytes */
const uint8_t *dr_fact_block_parent(const struct dr_fact_block *fact); /* 32 bytes */
size_t dr_fact_block_num_events(const struct dr_fact_block *fact);
const struct dr_event *dr_fact_block_event(const struct dr_fact_block *fact, size_t idx);

uint64_t dr_fact_state_number(const struct dr_fact_state *fact);
const uint8_t *dr_fact_state_hash(const struct dr_fact_state *fact);      /* 32 bytes */
const uint8_t *dr_fact_state_address(const struct dr_fact_state *fact);   /* 20 bytes */
const uint8_t *dr_fact_state_code_hash(const struct dr_fact_state *fact); /* 32 bytes */
size_t dr_fact_state_num_slots(const struct dr_fact_state *fact);
/* The idx-th slot's number and value, 32 bytes each; a slot proven absent has value zero. */
const uint8_t *dr_fact_state_slot(const struct dr_fact_state *fact, size_t idx);
const uint8_t *dr_fact_state_value(const struct dr_fact_state *fact, size_t idx);

/* Whether the contract's own event count and rolling hash, proven here, are what the events handed out
 * up to this block roll up to. NO: events were left out, or the contract is not what it should be. */
enum dr_agree {
	DR_AGREE_UNKNOWN = 0, /* not proven here, or other code than the pinned one */
	DR_AGREE_YES,
	DR_AGREE_NO,
};
enum dr_agree dr_fact_state_accumulator(const struct dr_fact_state *fact);

const char *dr_proof_name(enum dr_proof proof);
const char *dr_status_name(enum dr_status status);
const char *dr_complete_name(enum dr_complete complete);

#endif
