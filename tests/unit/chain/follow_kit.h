/* SPDX-License-Identifier: Apache-2.0
 *
 * follow_kit: a follower beside a forged chain. Whatever comes out of it is held against the chain at once: each
 * final block is the next one, with exactly its events; each head block has its parent before it.
 */
#ifndef DR_TESTS_FOLLOW_KIT_H
#define DR_TESTS_FOLLOW_KIT_H

#include "chain/evm/follow.h"
#include "tests/unit/chain/forge.h"

struct follow_kit {
	struct forge *forge;
	struct dr_quorum *q;
	struct dr_follow *f;
	uint64_t last; /* final block; 0: none */
	uint8_t last_hash[32], digest[32];
	size_t num_ways[4], num_heads, num_dissents, num_conflicts, num_confirmed, num_states, num_takes[4];
	struct forge_block *heads[4096];
	enum dr_agree agree; /* of the last state */
	uint64_t state_number;
	uint8_t state_code[32], state_values[8][32];
	size_t state_slots;
	struct dr_fail why;   /* of the last frame */
	const char *conflict; /* what contradicted what */
};

static inline struct follow_kit *fk_new(struct forge *forge, enum dr_way way, uint32_t step_max, size_t k)
{
	struct follow_kit *fk = (struct follow_kit *)kit_alloc(sizeof(*fk));
	struct dr_follow_config config = { .start_number = forge->blocks[0]->header.number,
					   .step_max = step_max,
					   .way = way,
					   .has_accumulator = true };

	fk->forge = forge;
	fk->q = dr_quorum_new(k, forge->num_sources);
	memcpy(config.contract, forge->contract, 20);
	memcpy(config.code_hash, forge->code_hash, 32);
	memcpy(config.start_hash, forge->blocks[0]->header.hash, 32);
	config.acc_slot[31] = 1;
	config.finality = dr_quorum_finality(fk->q);
	fk->f = dr_follow_new(&config);
	assert_non_null(fk->f);
	return fk;
}

static inline void fk_free(struct follow_kit *fk)
{
	dr_follow_free(fk->f);
	dr_quorum_free(fk->q);
}

static inline void fk_block(struct follow_kit *fk, const struct dr_fact_block *fact)
{
	struct forge_block *b = forge_find(fk->forge, dr_fact_block_hash(fact));
	const size_t num = dr_fact_block_num_events(fact);
	uint8_t line[32 + 32 + 8 + 32];

	if (b == NULL)
		fail_msg("a fact about a block that is not: %llu", (unsigned long long)dr_fact_block_number(fact));
	assert_int_equal(dr_fact_block_number(fact), b->header.number);
	assert_int_equal(dr_fact_block_timestamp(fact), b->header.timestamp);
	assert_memory_equal(dr_fact_block_parent(fact), b->header.parent_hash, 32);
	assert_int_equal(dr_fact_block_proof(fact), DR_PROOF_QUORUM);
	assert_int_equal(num, b->num_events);
	for (size_t i = 0; i < num; i++) {
		const struct dr_event *event = dr_fact_block_event(fact, i);

		assert_int_equal(event->ordinal, i);
		assert_int_equal(event->num_topics, 1);
		assert_memory_equal(event->address, fk->forge->contract, 20);
		assert_memory_equal(event->topic0, b->events[i].topic0, 32);
		assert_true(dr_bytes_eq(event->data, b->events[i].data));
	}
	if (dr_fact_block_status(fact) == DR_STATUS_HEAD) {
		bool under = b->parent != NULL && memcmp(b->parent->header.hash, fk->last_hash, 32) == 0;

		for (size_t i = 0; i < fk->num_heads && !under; i++)
			under = fk->heads[i] == b->parent;
		assert_true(under);
		assert_true(fk->num_heads < sizeof(fk->heads) / sizeof(fk->heads[0]));
		fk->heads[fk->num_heads++] = b;
		return;
	}
	assert_int_equal(dr_fact_block_status(fact), DR_STATUS_FINAL);
	assert_int_equal(b->header.number, fk->last == 0 ? fk->forge->blocks[0]->header.number : fk->last + 1);
	if (fk->last != 0)
		assert_memory_equal(b->header.parent_hash, fk->last_hash, 32);
	fk->last = b->header.number;
	memcpy(fk->last_hash, b->header.hash, 32);
	fk->num_ways[dr_fact_block_complete(fact)]++;
	memcpy(line, fk->digest, 32);
	memcpy(line + 32, b->header.hash, 32);
	dr_be64_put(line + 64, num);
	memset(line + 72, 0, 32);
	dr_keccak256(fk->digest, line, sizeof(line));
	for (size_t i = 0; i < num; i++) {
		memcpy(line, fk->digest, 32);
		memcpy(line + 32, dr_fact_block_event(fact, i)->topic0, 32);
		dr_be64_put(line + 64, dr_fact_block_event(fact, i)->ordinal);
		dr_keccak256(line + 72, dr_fact_block_event(fact, i)->data.ptr,
			     dr_fact_block_event(fact, i)->data.len);
		dr_keccak256(fk->digest, line, sizeof(line));
	}
}

static inline void fk_drain(struct follow_kit *fk)
{
	const struct dr_fact_block *block;
	const struct dr_fact_state *state;
	struct dr_finality_finding finding;
	enum dr_follow_out out;

	while ((out = dr_follow_next(fk->f, &block, &state, &finding)) != DR_OUT_NONE) {
		switch (out) {
		case DR_OUT_NONE: break;
		case DR_OUT_BLOCK: fk_block(fk, block); break;
		case DR_OUT_STATE:
			fk->num_states++;
			fk->agree = dr_fact_state_accumulator(state);
			fk->state_number = dr_fact_state_number(state);
			memcpy(fk->state_code, dr_fact_state_code_hash(state), 32);
			fk->state_slots = dr_fact_state_num_slots(state);
			for (size_t i = 0; i < fk->state_slots && i < 8; i++)
				memcpy(fk->state_values[i], dr_fact_state_value(state, i), 32);
			assert_memory_equal(dr_fact_state_address(state), fk->forge->contract, 20);
			assert_non_null(forge_find(fk->forge, dr_fact_state_hash(state)));
			break;
		case DR_OUT_CONFIRMED:
			fk->num_confirmed++;
			assert_memory_equal(finding.hash, fk->last_hash, 32);
			break;
		case DR_OUT_DISSENT: fk->num_dissents++; break;
		case DR_OUT_CONFLICT:
			fk->num_conflicts++;
			fk->conflict = finding.why;
			break;
		}
	}
	uint64_t number;
	uint8_t hash[32];

	assert_int_equal(dr_follow_cursor(fk->f, &number, hash), fk->last != 0);
	assert_int_equal(number, fk->last);
	assert_memory_equal(hash, fk->last_hash, 32);
}

static inline enum dr_take fk_feed(struct follow_kit *fk, struct dr_frame frame)
{
	/* An exact copy, so that whoever keeps a pointer into it is seen. */
	uint8_t *copy = dr_heap_alloc(frame.payload.len);

	memset(&fk->why, 0, sizeof(fk->why));
	if (frame.payload.len > 0)
		memcpy(copy, frame.payload.ptr, frame.payload.len);
	frame.payload.ptr = copy;
	const enum dr_take take = dr_follow_frame(fk->f, &frame, &fk->why);

	dr_heap_free(copy);
	fk->num_takes[take]++;
	assert_int_equal(fk->why.err != DR_OK, take == DR_TAKE_REFUSED || take == DR_TAKE_CONFLICT);
	fk_drain(fk);
	return take;
}

static inline void fk_emit(void *ctx, const struct dr_frame *frame)
{
	fk_feed(ctx, *frame);
}

/* fk_refused: the frame is refused, for this reason. */
static inline void fk_refused(struct follow_kit *fk, struct dr_frame frame, enum dr_err expected)
{
	const enum dr_take take = fk_feed(fk, frame);

	if (take != DR_TAKE_REFUSED || fk->why.err != expected)
		fail_msg("expected refused %s, got %d %s: %s", dr_err_name(expected), (int)take,
			 dr_err_name(fk->why.err), fk->why.what != NULL ? fk->why.what : "-");
}

static inline size_t fk_wants(struct follow_kit *fk, struct dr_want **wants)
{
	static struct dr_want list[DR_WANTS_MAX];

	*wants = list;
	return dr_follow_wants(fk->f, list, DR_WANTS_MAX);
}

/* fk_round: an honest source answers everything that is wanted now. */
static inline void fk_round(struct follow_kit *fk)
{
	struct dr_want *wants;
	const size_t num = fk_wants(fk, &wants);

	for (size_t i = 0; i < num; i++)
		forge_answer(fk->forge, &wants[i], fk_emit, fk);
}

/* fk_run: rounds until the cursor is at `until`; fails beyond max. Returns how many it took. */
static inline size_t fk_run(struct follow_kit *fk, uint64_t until, size_t max)
{
	size_t rounds = 0;

	for (; fk->last < until; rounds++) {
		if (rounds == max)
			fail_msg("at %llu of %llu after %zu rounds", (unsigned long long)fk->last,
				 (unsigned long long)until, max);
		fk_round(fk);
	}
	return rounds;
}

/* fk_name: all sources name b. */
static inline void fk_name(struct follow_kit *fk, enum dr_status status, const struct forge_block *b)
{
	for (uint16_t e = 0; e < fk->forge->num_sources; e++)
		fk_feed(fk, frame_named(status, b, e));
}

#endif
