/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/facts.h"

#include "chain/facts_make.h"

enum dr_proof dr_fact_block_proof(const struct dr_fact_block *fact)
{
	return fact->proof;
}

enum dr_status dr_fact_block_status(const struct dr_fact_block *fact)
{
	return fact->status;
}

enum dr_complete dr_fact_block_complete(const struct dr_fact_block *fact)
{
	return fact->complete;
}

uint64_t dr_fact_block_number(const struct dr_fact_block *fact)
{
	return fact->number;
}

uint64_t dr_fact_block_timestamp(const struct dr_fact_block *fact)
{
	return fact->timestamp;
}

const uint8_t *dr_fact_block_hash(const struct dr_fact_block *fact)
{
	return fact->hash;
}

const uint8_t *dr_fact_block_parent(const struct dr_fact_block *fact)
{
	return fact->parent;
}

size_t dr_fact_block_num_events(const struct dr_fact_block *fact)
{
	return fact->num_events;
}

const struct dr_event *dr_fact_block_event(const struct dr_fact_block *fact, size_t idx)
{
	DR_ASSERT(idx < fact->num_events);
	return &fact->events[idx];
}

uint64_t dr_fact_state_number(const struct dr_fact_state *fact)
{
	return fact->number;
}

const uint8_t *dr_fact_state_hash(const struct dr_fact_state *fact)
{
	return fact->hash;
}

const uint8_t *dr_fact_state_address(const struct dr_fact_state *fact)
{
	return fact->address;
}

const uint8_t *dr_fact_state_code_hash(const struct dr_fact_state *fact)
{
	return fact->code_hash;
}

size_t dr_fact_state_num_slots(const struct dr_fact_state *fact)
{
	return fact->num_slots;
}

const uint8_t *dr_fact_state_slot(const struct dr_fact_state *fact, size_t idx)
{
	DR_ASSERT(idx < fact->num_slots);
	return fact->slots[idx];
}

const uint8_t *dr_fact_state_value(const struct dr_fact_state *fact, size_t idx)
{
	DR_ASSERT(idx < fact->num_slots);
	return fact->values[idx];
}

enum dr_agree dr_fact_state_accumulator(const struct dr_fact_state *fact)
{
	return fact->accumulator;
}

const char *dr_proof_name(enum dr_proof proof)
{
	switch (proof) {
	case DR_PROOF_NONE: return "none";
	case DR_PROOF_QUORUM: return "quorum";
	case DR_PROOF_CONSENSUS: return "consensus";
	case DR_PROOF_SEALS: return "seals";
	case DR_PROOF_L1: return "l1";
	}
	return "?";
}

const char *dr_status_name(enum dr_status status)
{
	switch (status) {
	case DR_STATUS_NONE: return "none";
	case DR_STATUS_HEAD: return "head";
	case DR_STATUS_FINAL: return "final";
	}
	return "?";
}

const char *dr_complete_name(enum dr_complete complete)
{
	switch (complete) {
	case DR_COMPLETE_NONE: return "none";
	case DR_COMPLETE_BLOOM: return "bloom";
	case DR_COMPLETE_RECEIPTS: return "receipts";
	case DR_COMPLETE_ACCUMULATOR: return "accumulator";
	}
	return "?";
}
