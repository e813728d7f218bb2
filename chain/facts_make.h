/* SPDX-License-Identifier: Apache-2.0
 *
 * facts_make: the insides of a fact. Whoever can see this header can claim that something is proven, so
 * the layer check lets only chain/ include it, and tests that build facts by hand.
 *
 * A fact borrows everything that it points to; its maker says for how long.
 *
 * Layer: chain (private).
 */
#ifndef DR_CHAIN_FACTS_MAKE_H
#define DR_CHAIN_FACTS_MAKE_H

#include "chain/facts.h"

struct dr_fact_block {
	enum dr_proof proof;
	enum dr_status status;
	enum dr_complete complete;
	uint64_t number;
	uint64_t timestamp; /* seconds */
	uint8_t hash[32];
	uint8_t parent[32];
	size_t num_events;
	const struct dr_event *events; /* all of them, in order; ordinals 0, 1, … */
};

struct dr_fact_state {
	uint64_t number;
	uint8_t hash[32]; /* of the block after which this holds */
	uint8_t address[20];
	uint8_t code_hash[32];
	size_t num_slots;
	const uint8_t (*slots)[32];
	const uint8_t (*values)[32];
	enum dr_agree accumulator;
};

#endif
