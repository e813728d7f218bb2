/* SPDX-License-Identifier: Apache-2.0
 *
 * fold_kit: a chain that a test writes act by act. Acts are encoded into events by the profile, the other
 * way round than dr_profile_act reads them; a block folds them and keeps the changes.
 */
#ifndef DR_TESTS_FOLD_KIT_H
#define DR_TESTS_FOLD_KIT_H

#include "chain/base/arena.h"
#include "chain/facts_make.h"
#include "governance/fold.h"
#include "tests/unit/governance/derot_profile.h"

/* What a test expects of a change: outcome and reason. */
#define OK              DR_OUTCOME_APPLIED, DR_REASON_NONE
#define PENDING         DR_OUTCOME_PENDING, DR_REASON_NONE
#define MATURED         DR_OUTCOME_MATURED, DR_REASON_NONE
#define REFUSED(reason) DR_OUTCOME_REFUSED, DR_REASON_##reason
#define OBEYED(reason)  DR_OUTCOME_APPLIED, DR_REASON_##reason

#define KIT_EVENTS  128
#define KIT_CHANGES 4096

/* Accounts are named by one byte, repeated. */
enum { ALICE = 1, BOB = 2, CAROL = 3, EVE = 6, DEPLOYER = 7, NODE = 8, GUARDIAN = 9, NODE2 = 10 };
/* What the council begins with: weights 3, 2, 1 and a quorum of 4. */
enum { QUORUM = 4, VOTING = 1000, NOTICE_COUNCIL = 100, NOTICE_MEASUREMENT = 200, NOTICE_ROOT = 300 };
enum { NOTICE_PROFILE = 400, NOTICE_APP = 50 };

struct w {
	uint8_t b[32];
};

static inline struct w kit_n(uint64_t n)
{
	struct w w;

	dr_word_put(w.b, n);
	return w;
}

static inline struct w kit_b(uint8_t c)
{
	struct w w;

	memset(w.b, c, 32);
	return w;
}

static inline struct w kit_a(uint8_t c)
{
	struct w w = { { 0 } };

	memset(w.b + 12, c, 20);
	return w;
}

static inline const uint8_t *kit_id(uint8_t c)
{
	static uint8_t ids[256][20];

	memset(ids[c], c, 20);
	return ids[c];
}

static inline const uint8_t *kit_m(uint8_t c)
{
	static uint8_t ids[256][32];

	memset(ids[c], c, 32);
	return ids[c];
}

struct kit {
	struct dr_profile profile;
	struct dr_fold fold;
	struct dr_state state;
	uint64_t number, time; /* of the last block */
	uint8_t hash_salt;
	struct dr_event events[KIT_EVENTS];
	uint8_t data[KIT_EVENTS][DR_ARGS_MAX * 32];
	size_t num_events;
	struct dr_change changes[KIT_CHANGES]; /* of the last block */
	size_t num_changes;
	enum dr_err stop; /* what the listener answers */
	uint64_t proposals;
};

static inline enum dr_err kit_listen(void *ctx, const struct dr_change *change)
{
	struct kit *k = ctx;
	uint8_t bytes[DR_CHANGE_LEN_MAX];
	struct dr_fail fail = { 0 };
	struct dr_change back;
	size_t len;

	assert_true(k->num_changes < KIT_CHANGES);
	k->changes[k->num_changes++] = *change;
	/* Every change there is can be written to the ledger and read back. */
	assert_int_equal(dr_change_encode(bytes, sizeof(bytes), &len, change, &fail), DR_OK);
	assert_int_equal(dr_change_decode(&back, dr_bytes_of(bytes, len), &fail), DR_OK);
	return k->stop;
}

static inline struct kit *kit_new(void)
{
	struct kit *k = dr_heap_alloc(sizeof(*k));

	assert_non_null(k);
	derot_profile(&k->profile);
	k->fold = (struct dr_fold){
		.chain_id = 31337, .start_number = 10, .profile = &k->profile, .change = kit_listen, .ctx = k
	};
	memset(k->fold.genesis, 0x6e, 32);
	memset(k->fold.contract, 0xc0, 20);
	k->number = 9;
	k->time = 1000000;
	return k;
}

static inline void kit_free(struct kit *k)
{
	dr_state_drop(&k->state);
	assert_null(k->state.map.root);
	dr_heap_free(k);
}

static inline struct dr_event *kit_event(struct kit *k, const uint8_t topic0[static 32], size_t len)
{
	struct dr_event *event = &k->events[k->num_events];

	assert_true(k->num_events < KIT_EVENTS);
	memset(k->data[k->num_events], 0, sizeof(k->data[0]));
	*event = (struct dr_event){ .ordinal = (uint32_t)k->num_events, .num_topics = 1 };
	memcpy(event->address, k->fold.contract, 20);
	memcpy(event->topic0, topic0, 32);
	event->data = dr_bytes_of(k->data[k->num_events++], len);
	return event;
}

static inline void kit_act(struct kit *k, enum dr_action action, uint64_t proposal, uint8_t by, uint64_t due,
			   const struct w *words, size_t num)
{
	const struct dr_action_def *def = dr_action_def((uint16_t)action);
	const struct dr_profile_event *e = NULL;

	for (size_t i = 0; i < k->profile.num_events; i++)
		if (k->profile.events[i].action == action)
			e = &k->profile.events[i];
	assert_non_null(e);
	assert_int_equal(num, def->num_args);
	kit_event(k, e->topic0, 32u * e->num_words);
	uint8_t *data = k->data[k->num_events - 1];

	for (size_t i = 0; i < e->num_words; i++) {
		const uint8_t field = e->words[i].field;
		const struct w w = field == DR_FIELD_PROPOSAL ? kit_n(proposal)
				   : field == DR_FIELD_BY     ? kit_a(by)
				   : field == DR_FIELD_DUE    ? kit_n(due)
							      : words[field];

		memcpy(data + 32 * i, w.b, 32);
	}
}

#define ACT(k, action, proposal, by, due, ...)                                                                       \
	kit_act(k, action, proposal, by, due, (const struct w[]){ __VA_ARGS__ },                                     \
		sizeof((const struct w[]){ __VA_ARGS__ }) / sizeof(struct w))

/* kit_block: the next block, dt seconds after the last, with the events so far. */
static inline enum dr_err kit_block(struct kit *k, uint64_t dt)
{
	struct dr_fact_block block = { .proof = DR_PROOF_QUORUM,
				       .status = DR_STATUS_FINAL,
				       .complete = DR_COMPLETE_RECEIPTS,
				       .number = ++k->number,
				       .timestamp = k->time += dt,
				       .num_events = k->num_events,
				       .events = k->events };
	struct dr_fail fail = { 0 };

	memset(block.hash, (int)k->number ^ k->hash_salt, 32);
	k->num_changes = 0;
	k->num_events = 0;
	const enum dr_err err = dr_fold_block(&k->fold, &k->state, &block, &fail);

	assert_int_equal(err, fail.err);
	return err;
}

static inline void kit_expect(const struct kit *k, size_t idx, enum dr_action action, enum dr_outcome outcome,
			      enum dr_reason reason)
{
	assert_true(idx < k->num_changes);
	const struct dr_change *c = &k->changes[idx];

	if (c->act.action != action || c->outcome != outcome || c->reason != reason)
		fail_msg("change %zu: expected action %d %s %s, got action %d %s %s", idx, (int)action,
			 dr_outcome_name(outcome), dr_reason_name(reason), (int)c->act.action,
			 dr_outcome_name(c->outcome), dr_reason_name(c->reason));
	assert_int_equal(c->number, k->number);
	assert_int_equal(c->time, k->time);
}

/* kit_last: the last change of the last block. */
static inline void kit_last(const struct kit *k, enum dr_action action, enum dr_outcome outcome,
			    enum dr_reason reason)
{
	assert_true(k->num_changes > 0);
	kit_expect(k, k->num_changes - 1, action, outcome, reason);
}

/* kit_founders: the constructor's events but the last, in a block not yet made. */
static inline void kit_founders(struct kit *k, uint64_t time)
{
	static const uint64_t notices[] = { NOTICE_COUNCIL, NOTICE_MEASUREMENT, NOTICE_ROOT, NOTICE_PROFILE,
					    NOTICE_APP };
	struct w digest;

	ACT(k, DR_ACTION_MEMBER_SET, 0, 0, time, kit_a(ALICE), kit_n(3));
	ACT(k, DR_ACTION_MEMBER_SET, 0, 0, time, kit_a(BOB), kit_n(2));
	ACT(k, DR_ACTION_MEMBER_SET, 0, 0, time, kit_a(CAROL), kit_n(1));
	ACT(k, DR_ACTION_QUORUM_SET, 0, 0, time, kit_n(QUORUM));
	for (uint64_t class = 0; class < DR_NOTICE_CLASSES; class ++)
		ACT(k, DR_ACTION_NOTICE_SET, 0, 0, time, kit_n(class), kit_n(notices[class]));
	ACT(k, DR_ACTION_GUARDIAN_ADD, 0, 0, time, kit_a(GUARDIAN));
	memcpy(digest.b, k->profile.digest, 32);
	ACT(k, DR_ACTION_PROFILE_SET, 0, 0, time, digest);
}

/* kit_found: the block that makes the contract. */
static inline void kit_found(struct kit *k)
{
	kit_founders(k, k->time + 1);
	ACT(k, DR_ACTION_CONSTITUTE, 0, 0, 0, kit_n(VOTING));
	assert_int_equal(kit_block(k, 1), DR_OK);
	assert_int_equal(k->num_changes, 12);
	for (size_t i = 0; i < k->num_changes; i++) {
		assert_int_equal(k->changes[i].outcome, DR_OUTCOME_APPLIED);
		assert_int_equal(k->changes[i].ordinal, i);
	}
}

static inline void kit_propose(struct kit *k, uint8_t by, enum dr_action action, uint64_t time, const struct w *words,
			       size_t num)
{
	struct w args[10] = { kit_n(action), kit_n(time + VOTING) };

	memcpy(args + 2, words, num * sizeof(*words));
	kit_act(k, DR_ACTION_PROPOSE, ++k->proposals, by, 0, args, 10);
}

static inline void kit_vote(struct kit *k, uint8_t by, uint64_t weight, bool support)
{
	ACT(k, DR_ACTION_VOTE, k->proposals, by, 0, kit_n(weight), kit_n(support));
}

/* kit_pass: proposes, votes and executes words; three blocks of one second. Changes: those of the last. */
static inline void kit_pass(struct kit *k, enum dr_action action, const struct w *words, size_t num)
{
	const struct dr_action_def *def = dr_action_def((uint16_t)action);
	uint64_t due = 0;

	kit_propose(k, ALICE, action, k->time + 1, words, num);
	assert_int_equal(kit_block(k, 1), DR_OK);
	kit_last(k, DR_ACTION_PROPOSE, DR_OUTCOME_APPLIED, DR_REASON_NONE);
	kit_vote(k, ALICE, dr_state_weight(&k->state, kit_id(ALICE), k->time), true);
	kit_vote(k, BOB, dr_state_weight(&k->state, kit_id(BOB), k->time), true);
	assert_int_equal(kit_block(k, 1), DR_OK);
	if (def->notice < DR_NOTICE_CLASSES)
		due = k->time + 1 + dr_state_notice(&k->state, def->notice, k->time + 1);
	kit_act(k, DR_ACTION_EXECUTE, k->proposals, EVE, 0, NULL, 0);
	kit_act(k, action, k->proposals, EVE, due, words, num);
	assert_int_equal(kit_block(k, 1), DR_OK);
}

#define PASS(k, action, ...)                                                                                         \
	kit_pass(k, action, (const struct w[]){ __VA_ARGS__ },                                                       \
		 sizeof((const struct w[]){ __VA_ARGS__ }) / sizeof(struct w))

static inline void kit_node(struct kit *k, uint8_t node, uint64_t role, uint8_t measurement, uint64_t svn)
{
	ACT(k, DR_ACTION_NODE_REGISTER, 0, node, 0, kit_a(node), kit_n(role), kit_b(measurement), kit_b(0x0e),
	    kit_b(0x7e), kit_b(0xfa), kit_n(svn), kit_b(node));
}

#endif
