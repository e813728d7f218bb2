/* SPDX-License-Identifier: Apache-2.0
 *
 * The council and the order of things. Rights and keys have test_fold_rights.c.
 */
#include "tests/unit/governance/fold_kit.h"

static struct kit *k;

static int setup(void **state)
{
	(void)state;
	k = kit_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kit_free(k);
	return 0;
}

static void block(uint64_t dt)
{
	assert_int_equal(kit_block(k, dt), DR_OK);
}

static void execute(uint64_t id)
{
	kit_act(k, DR_ACTION_EXECUTE, id, EVE, 0, NULL, 0);
}

static bool allowed(uint8_t m)
{
	struct dr_grant grant;

	return dr_state_measurement(&grant, &k->state, kit_m(m)) && grant.active;
}

static void test_founding(void **state)
{
	uint8_t digest[32];

	(void)state;
	kit_found(k);
	assert_true(dr_state_constituted(&k->state));
	assert_int_equal(dr_state_weight(&k->state, kit_id(ALICE), k->time), 3);
	assert_int_equal(dr_state_weight(&k->state, kit_id(ALICE), k->time - 1), 0);
	assert_int_equal(dr_state_weight(&k->state, kit_id(EVE), k->time), 0);
	assert_int_equal(dr_state_quorum(&k->state, k->time), QUORUM);
	assert_int_equal(dr_state_notice(&k->state, DR_NOTICE_ROOT, k->time), NOTICE_ROOT);
	assert_true(dr_state_guardian(&k->state, kit_id(GUARDIAN)));
	assert_true(dr_state_profile(digest, &k->state));
	assert_memory_equal(digest, k->profile.digest, 32);
	assert_int_equal(dr_state_due_next(&k->state), UINT64_MAX);
	/* After it, proposal 0 carries nothing, not in the same block nor later. */
	ACT(k, DR_ACTION_MEMBER_SET, 0, 0, k->time + 1 + NOTICE_COUNCIL, kit_a(EVE), kit_n(9));
	block(1);
	kit_last(k, DR_ACTION_MEMBER_SET, REFUSED(AUTHORITY));
}

/* What proposal 0 may do: before and after CONSTITUTE in the first block, and in the second. */
static void test_founding_window(void **state)
{
	(void)state;
	kit_founders(k, k->time + 1);
	ACT(k, DR_ACTION_MEMBER_SET, 0, 0, k->time + 2, kit_a(EVE), kit_n(9));
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, 0, 0, k->time + 1 + NOTICE_MEASUREMENT, kit_b(0x11));
	ACT(k, DR_ACTION_CONSTITUTE, 0, 0, 0, kit_n(VOTING));
	ACT(k, DR_ACTION_MEMBER_SET, 0, 0, k->time + 1 + NOTICE_COUNCIL, kit_a(EVE), kit_n(9));
	ACT(k, DR_ACTION_CONSTITUTE, 0, 0, 0, kit_n(1));
	block(1);
	kit_expect(k, 11, DR_ACTION_MEMBER_SET, REFUSED(NOTICE));
	kit_expect(k, 12, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(AUTHORITY));
	kit_expect(k, 13, DR_ACTION_CONSTITUTE, OK);
	kit_expect(k, 14, DR_ACTION_MEMBER_SET, REFUSED(AUTHORITY));
	kit_expect(k, 15, DR_ACTION_CONSTITUTE, REFUSED(AUTHORITY));
}

static void test_founding_too_late(void **state)
{
	(void)state;
	block(1);
	kit_founders(k, k->time + 1);
	ACT(k, DR_ACTION_CONSTITUTE, 0, 0, 0, kit_n(VOTING));
	block(1);
	for (size_t i = 0; i < k->num_changes; i++)
		kit_expect(k, i, k->changes[i].act.action, REFUSED(AUTHORITY));
	assert_int_equal(dr_map_num(k->state.map), 0);
}

static void test_founding_incomplete(void **state)
{
	(void)state;
	ACT(k, DR_ACTION_QUORUM_SET, 0, 0, k->time + 1, kit_n(0));
	ACT(k, DR_ACTION_QUORUM_SET, 0, 0, k->time + 1, kit_n(1));
	ACT(k, DR_ACTION_NOTICE_SET, 0, 0, k->time + 1, kit_n(DR_NOTICE_CLASSES), kit_n(1));
	ACT(k, DR_ACTION_NOTICE_SET, 0, 0, k->time + 1, kit_n(0), kit_n(UINT64_MAX));
	ACT(k, DR_ACTION_CONSTITUTE, 0, 0, 0, kit_n(UINT64_MAX));
	ACT(k, DR_ACTION_CONSTITUTE, 0, 0, 0, kit_n(VOTING));
	block(1);
	kit_expect(k, 0, DR_ACTION_QUORUM_SET, REFUSED(ORDER));
	kit_expect(k, 1, DR_ACTION_QUORUM_SET, OK);
	kit_expect(k, 2, DR_ACTION_NOTICE_SET, REFUSED(ORDER));
	kit_expect(k, 3, DR_ACTION_NOTICE_SET, REFUSED(LIMIT));
	kit_expect(k, 4, DR_ACTION_CONSTITUTE, REFUSED(LIMIT));
	kit_expect(k, 5, DR_ACTION_CONSTITUTE, REFUSED(ORDER));
}

static void test_grant(void **state)
{
	uint64_t due;

	(void)state;
	kit_found(k);
	PASS(k, DR_ACTION_MEASUREMENT_ALLOW, kit_b(0x11));
	kit_expect(k, 0, DR_ACTION_EXECUTE, OK);
	kit_expect(k, 1, DR_ACTION_MEASUREMENT_ALLOW, PENDING);
	due = k->changes[1].act.due;
	assert_int_equal(due, k->time + NOTICE_MEASUREMENT);
	assert_int_equal(dr_state_due_next(&k->state), due);
	const struct dr_change announced = k->changes[1];

	block(NOTICE_MEASUREMENT - 1);
	assert_int_equal(k->num_changes, 0);
	assert_false(allowed(0x11));
	block(1);
	assert_int_equal(k->num_changes, 1);
	kit_last(k, DR_ACTION_MEASUREMENT_ALLOW, MATURED);
	assert_memory_equal(&k->changes[0].act, &announced.act, sizeof(announced.act));
	assert_memory_equal(k->changes[0].event_digest, announced.event_digest, 32);
	assert_int_equal(k->changes[0].ordinal, UINT32_MAX);
	assert_true(allowed(0x11));
	assert_int_equal(dr_state_due_next(&k->state), UINT64_MAX);
	/* A second time it is not possible; revoked, it is gone at once. */
	PASS(k, DR_ACTION_MEASUREMENT_ALLOW, kit_b(0x11));
	kit_last(k, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(ORDER));
	PASS(k, DR_ACTION_MEASUREMENT_REVOKE, kit_b(0x11));
	kit_last(k, DR_ACTION_MEASUREMENT_REVOKE, OK);
	assert_false(allowed(0x11));
	PASS(k, DR_ACTION_MEASUREMENT_REVOKE, kit_b(0x11));
	kit_last(k, DR_ACTION_MEASUREMENT_REVOKE, REFUSED(ORDER));
}

/* A revocation also ends what is still pending. */
static void test_revoked_while_pending(void **state)
{
	(void)state;
	kit_found(k);
	PASS(k, DR_ACTION_MEASUREMENT_ALLOW, kit_b(0x11));
	ACT(k, DR_ACTION_MEASUREMENT_REVOKE, 0, GUARDIAN, 0, kit_b(0x11));
	block(1);
	kit_last(k, DR_ACTION_MEASUREMENT_REVOKE, OK);
	assert_int_equal(dr_state_due_next(&k->state), UINT64_MAX);
	block(NOTICE_MEASUREMENT);
	assert_int_equal(k->num_changes, 0);
	assert_false(allowed(0x11));
}

/* The same history with one vote more or less. */
static void test_tally(void **state)
{
	static const struct {
		const char *name;
		uint64_t alice, bob, carol; /* 0: no vote, 1: yes, 2: no */
		bool cancelled;
		uint64_t wait;
		bool supported;
	} rows[] = {
		{ "all", 1, 1, 1, false, 1, true },
		{ "exactly the quorum", 1, 0, 1, false, 1, true },
		{ "one vote missing", 1, 0, 0, false, 1, false },
		{ "nobody", 0, 0, 0, false, 1, false },
		{ "against it", 2, 2, 2, false, 1, false },
		{ "quorum, less against", 1, 2, 1, false, 1, true },
		{ "cancelled", 1, 1, 1, true, 1, false },
		{ "at its last second", 1, 1, 0, false, VOTING - 1, true },
		{ "expired", 1, 1, 0, false, VOTING, false },
	};

	(void)state;
	kit_found(k);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct w m = kit_b((uint8_t)(0x20 + i));
		const uint64_t votes[] = { rows[i].alice, rows[i].bob, rows[i].carol };

		print_message("%s\n", rows[i].name);
		kit_propose(k, CAROL, DR_ACTION_MEASUREMENT_ALLOW, k->time + 1, &m, 1);
		block(1);
		for (uint8_t who = ALICE; who <= CAROL; who++)
			if (votes[who - 1] != 0)
				kit_vote(k, who, 4u - who, votes[who - 1] == 1);
		if (rows[i].cancelled)
			kit_act(k, DR_ACTION_CANCEL, k->proposals, CAROL, 0, NULL, 0);
		block(1);
		for (size_t j = 0; j < k->num_changes; j++)
			kit_expect(k, j, k->changes[j].act.action, OK);
		execute(k->proposals);
		ACT(k, DR_ACTION_MEASUREMENT_ALLOW, k->proposals, 0, k->time + rows[i].wait + NOTICE_MEASUREMENT, m);
		block(rows[i].wait);
		if (rows[i].supported) {
			kit_expect(k, k->num_changes - 2, DR_ACTION_EXECUTE, OK);
			kit_last(k, DR_ACTION_MEASUREMENT_ALLOW, PENDING);
		} else {
			kit_expect(k, k->num_changes - 2, DR_ACTION_EXECUTE, REFUSED(VOTES));
			kit_last(k, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(VOTES));
		}
	}
}

/* "quorum, less against" above has 4 yes to 2 no; here they are even. */
static void test_even_votes(void **state)
{
	const struct w m = kit_b(1);

	(void)state;
	kit_found(k);
	PASS(k, DR_ACTION_QUORUM_SET, kit_n(1));
	block(NOTICE_COUNCIL);
	kit_propose(k, BOB, DR_ACTION_MEASUREMENT_ALLOW, k->time + 1, &m, 1);
	block(1);
	kit_vote(k, ALICE, 3, true);
	kit_vote(k, BOB, 2, false);
	kit_vote(k, CAROL, 1, false);
	block(1);
	execute(k->proposals);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, k->proposals, 0, k->time + 1 + NOTICE_MEASUREMENT, m);
	block(1);
	kit_last(k, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(VOTES));
}

static void test_votes(void **state)
{
	const struct w m = kit_b(1);

	(void)state;
	kit_found(k);
	kit_vote(k, ALICE, 3, true); /* proposal 0 */
	kit_propose(k, ALICE, DR_ACTION_MEASUREMENT_ALLOW, k->time + 1, &m, 1);
	kit_vote(k, ALICE, 3, true);
	kit_vote(k, ALICE, 3, true);
	kit_vote(k, ALICE, 3, false);
	kit_vote(k, EVE, 1, true);
	kit_vote(k, BOB, 3, true);
	block(1);
	kit_expect(k, 0, DR_ACTION_VOTE, REFUSED(ORDER));
	kit_expect(k, 2, DR_ACTION_VOTE, OK);
	kit_expect(k, 3, DR_ACTION_VOTE, REFUSED(ORDER));
	kit_expect(k, 4, DR_ACTION_VOTE, REFUSED(ORDER));
	kit_expect(k, 5, DR_ACTION_VOTE, REFUSED(AUTHORITY));
	kit_expect(k, 6, DR_ACTION_VOTE, REFUSED(MISMATCH));
	/* Neither the doubled nor the inflated vote counted: 3 of 4. */
	execute(k->proposals);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, k->proposals, 0, k->time + 1 + NOTICE_MEASUREMENT, m);
	block(1);
	kit_expect(k, 0, DR_ACTION_EXECUTE, REFUSED(VOTES));
	kit_vote(k, CAROL, 1, true);
	block(VOTING - 1);
	kit_last(k, DR_ACTION_VOTE, OK);
	kit_vote(k, BOB, 2, true);
	block(1);
	kit_last(k, DR_ACTION_VOTE, REFUSED(DEADLINE));
}

/* Weight is that of the proposal's second, whatever happens to the member afterwards. */
static void test_snapshot(void **state)
{
	const struct w m = kit_b(1);
	uint64_t id;

	(void)state;
	kit_found(k);
	PASS(k, DR_ACTION_MEMBER_SET, kit_a(EVE), kit_n(10));
	kit_last(k, DR_ACTION_MEMBER_SET, PENDING);
	kit_propose(k, ALICE, DR_ACTION_MEASUREMENT_ALLOW, k->time + 1, &m, 1);
	id = k->proposals;
	block(1);
	block(NOTICE_COUNCIL);
	kit_last(k, DR_ACTION_MEMBER_SET, MATURED);
	assert_int_equal(dr_state_weight(&k->state, kit_id(EVE), k->time), 10);
	ACT(k, DR_ACTION_VOTE, id, EVE, 0, kit_n(10), kit_n(1));
	block(1);
	kit_last(k, DR_ACTION_VOTE, REFUSED(AUTHORITY));
	PASS(k, DR_ACTION_MEMBER_REMOVE, kit_a(BOB));
	kit_last(k, DR_ACTION_MEMBER_REMOVE, OK);
	assert_int_equal(dr_state_weight(&k->state, kit_id(BOB), k->time), 0);
	ACT(k, DR_ACTION_VOTE, id, BOB, 0, kit_n(2), kit_n(1));
	ACT(k, DR_ACTION_VOTE, id, ALICE, 0, kit_n(3), kit_n(1));
	kit_propose(k, BOB, DR_ACTION_MEASUREMENT_ALLOW, k->time + 1, &m, 1);
	block(1);
	kit_expect(k, 0, DR_ACTION_VOTE, OK);
	kit_expect(k, 2, DR_ACTION_PROPOSE, REFUSED(AUTHORITY));
	execute(id);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, id, 0, k->time + 1 + NOTICE_MEASUREMENT, m);
	block(1);
	kit_last(k, DR_ACTION_MEASUREMENT_ALLOW, PENDING);
	/* A refused proposal keeps its number; the next one is the next. */
	kit_propose(k, ALICE, DR_ACTION_MEASUREMENT_ALLOW, k->time + 1, &m, 1);
	block(1);
	kit_last(k, DR_ACTION_PROPOSE, OK);
}

static void test_propose(void **state)
{
	const struct w good[10] = { kit_n(DR_ACTION_MEMBER_SET), kit_n(k->time + 2 + VOTING), kit_a(EVE), kit_n(1) };
	static const struct {
		const char *name;
		size_t word;
		uint64_t id, value;
		int upper; /* of this word byte 0 is set too */
		uint8_t by;
		enum dr_outcome outcome;
		enum dr_reason reason;
	} rows[] = {
		{ "good", 0, 1, DR_ACTION_MEMBER_SET, 0, ALICE, OK },
		{ "number again", 0, 1, DR_ACTION_MEMBER_SET, 0, ALICE, REFUSED(ORDER) },
		{ "number skipped", 0, 3, DR_ACTION_MEMBER_SET, 0, ALICE, REFUSED(ORDER) },
		{ "number 0", 0, 0, DR_ACTION_MEMBER_SET, 0, ALICE, REFUSED(ORDER) },
		{ "no member", 0, 2, DR_ACTION_MEMBER_SET, 0, EVE, REFUSED(AUTHORITY) },
		{ "unknown action", 0, 3, 8, 0, ALICE, REFUSED(ORDER) },
		{ "action beyond 16 bits", 0, 4, 0x10001, 0, ALICE, REFUSED(ORDER) },
		{ "deployer's action", 0, 5, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, ALICE, REFUSED(ORDER) },
		{ "founding's action", 0, 6, DR_ACTION_CONSTITUTE, 0, ALICE, REFUSED(ORDER) },
		{ "a proposal about a proposal", 0, 7, DR_ACTION_PROPOSE, 0, ALICE, REFUSED(ORDER) },
		{ "expires later", 1, 8, 1000002 + VOTING + 1, 0, ALICE, REFUSED(MISMATCH) },
		{ "expires earlier", 1, 9, 1000002 + VOTING - 1, 0, ALICE, REFUSED(MISMATCH) },
		{ "unclean address", 2, 10, 5, 1, ALICE, REFUSED(ORDER) },
		{ "unclean integer", 3, 11, 5, 1, ALICE, REFUSED(ORDER) },
		{ "unused word", 4, 12, 5, 0, ALICE, REFUSED(ORDER) },
		{ "last unused word", 9, 13, 5, 0, ALICE, REFUSED(ORDER) },
		{ "good again", 0, 14, DR_ACTION_MEMBER_SET, 0, CAROL, OK },
	};

	(void)state;
	kit_found(k);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct w words[10];

		memcpy(words, good, sizeof(words));
		words[rows[i].word] = kit_n(rows[i].value);
		words[rows[i].word].b[0] = (uint8_t)rows[i].upper;
		kit_act(k, DR_ACTION_PROPOSE, rows[i].id, rows[i].by, 0, words, 10);
	}
	block(1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		kit_expect(k, i, DR_ACTION_PROPOSE, rows[i].outcome, rows[i].reason);
	}
}

static void test_cancel(void **state)
{
	const struct w m = kit_b(1), guardian = kit_a(GUARDIAN);

	(void)state;
	kit_found(k);
	for (int i = 0; i < 3; i++)
		kit_propose(k, ALICE, DR_ACTION_MEASUREMENT_ALLOW, k->time + 1, &m, 1);
	kit_propose(k, ALICE, DR_ACTION_GUARDIAN_REMOVE, k->time + 1, &guardian, 1);
	kit_act(k, DR_ACTION_CANCEL, 1, BOB, 0, NULL, 0);
	kit_act(k, DR_ACTION_CANCEL, 1, ALICE, 0, NULL, 0);
	kit_act(k, DR_ACTION_CANCEL, 1, ALICE, 0, NULL, 0);
	kit_act(k, DR_ACTION_CANCEL, 2, GUARDIAN, 0, NULL, 0);
	kit_act(k, DR_ACTION_CANCEL, 4, GUARDIAN, 0, NULL, 0);
	kit_act(k, DR_ACTION_CANCEL, 5, ALICE, 0, NULL, 0);
	block(1);
	kit_expect(k, 4, DR_ACTION_CANCEL, REFUSED(AUTHORITY));
	kit_expect(k, 5, DR_ACTION_CANCEL, OK);
	kit_expect(k, 6, DR_ACTION_CANCEL, REFUSED(ORDER));
	kit_expect(k, 7, DR_ACTION_CANCEL, OK);
	kit_expect(k, 8, DR_ACTION_CANCEL, REFUSED(AUTHORITY));
	kit_expect(k, 9, DR_ACTION_CANCEL, REFUSED(ORDER));
}

/* approved: a proposal of one measurement with enough votes, in two blocks. */
static uint64_t approved(uint8_t m)
{
	const struct w word = kit_b(m);

	kit_propose(k, ALICE, DR_ACTION_MEASUREMENT_ALLOW, k->time + 1, &word, 1);
	block(1);
	kit_vote(k, ALICE, 3, true);
	kit_vote(k, BOB, 2, true);
	block(1);
	return k->proposals;
}

/* Everything that is not exactly the proposal's act directly after its execution. */
static void test_execution(void **state)
{
	uint64_t a, b, due;

	(void)state;
	kit_found(k);
	a = approved(1);
	/* no execution at all */
	due = k->time + 1 + NOTICE_MEASUREMENT;
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, a, 0, due, kit_b(1));
	/* an execution with nothing after it that belongs to it */
	execute(a);
	kit_act(k, DR_ACTION_HEARTBEAT, 0, EVE, 0, (struct w[]){ kit_b(7) }, 1);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, a, 0, due, kit_b(1));
	execute(a);
	block(1);
	kit_expect(k, 0, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(NO_PROPOSAL));
	kit_expect(k, 1, DR_ACTION_EXECUTE, REFUSED(MISMATCH));
	kit_expect(k, 2, DR_ACTION_HEARTBEAT, OK);
	kit_expect(k, 3, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(NO_PROPOSAL));
	kit_expect(k, 4, DR_ACTION_EXECUTE, REFUSED(MISMATCH));
	/* another measurement than was voted on */
	due = k->time + 1 + NOTICE_MEASUREMENT;
	execute(a);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, a, 0, due, kit_b(2));
	/* the right one, one event too late; and the proposal is spent */
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, a, 0, due, kit_b(1));
	execute(a);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, a, 0, due, kit_b(1));
	block(1);
	kit_expect(k, 0, DR_ACTION_EXECUTE, OK);
	kit_expect(k, 1, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(MISMATCH));
	kit_expect(k, 2, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(NO_PROPOSAL));
	kit_expect(k, 3, DR_ACTION_EXECUTE, REFUSED(VOTES));
	kit_expect(k, 4, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(VOTES));
	/* another action; another proposal; in the next block */
	a = approved(3);
	b = approved(4);
	due = k->time + 1 + NOTICE_MEASUREMENT;
	execute(a);
	ACT(k, DR_ACTION_PROFILE_SET, a, 0, k->time + 1 + NOTICE_PROFILE, kit_b(3));
	execute(b);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, a, 0, due, kit_b(3));
	execute(b);
	block(1);
	kit_expect(k, 1, DR_ACTION_PROFILE_SET, REFUSED(MISMATCH));
	kit_expect(k, 2, DR_ACTION_EXECUTE, REFUSED(MISMATCH));
	kit_expect(k, 3, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(NO_PROPOSAL));
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, b, 0, k->time + 1 + NOTICE_MEASUREMENT, kit_b(4));
	execute(99);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, 99, 0, k->time + 1 + NOTICE_MEASUREMENT, kit_b(4));
	block(1);
	kit_expect(k, 0, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(NO_PROPOSAL));
	kit_expect(k, 1, DR_ACTION_EXECUTE, REFUSED(VOTES));
	kit_expect(k, 2, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(VOTES));
}

static void test_notice(void **state)
{
	static const struct {
		const char *name;
		uint64_t notice;
		bool absolute;
		enum dr_outcome outcome;
		enum dr_reason reason;
	} rows[] = {
		{ "exactly", NOTICE_MEASUREMENT, false, PENDING },
		{ "longer", NOTICE_MEASUREMENT + 1, false, PENDING },
		{ "one second short", NOTICE_MEASUREMENT - 1, false, REFUSED(NOTICE) },
		{ "at once", 0, false, REFUSED(NOTICE) },
		{ "in the past", 0, true, REFUSED(NOTICE) },
		{ "beyond all time", UINT64_MAX, true, REFUSED(LIMIT) },
	};

	(void)state;
	kit_found(k);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t m = (uint8_t)(i + 1);
		const uint64_t id = approved(m);

		print_message("%s\n", rows[i].name);
		execute(id);
		ACT(k, DR_ACTION_MEASUREMENT_ALLOW, id, 0, (rows[i].absolute ? 0 : k->time + 1) + rows[i].notice,
		    kit_b(m));
		block(1);
		kit_last(k, DR_ACTION_MEASUREMENT_ALLOW, rows[i].outcome, rows[i].reason);
	}
	/* A shorter notice period counts from its own due, not from its announcement. */
	PASS(k, DR_ACTION_NOTICE_SET, kit_n(DR_NOTICE_MEASUREMENT), kit_n(0));
	kit_last(k, DR_ACTION_NOTICE_SET, PENDING);
	const uint64_t id = approved(0x31), id2 = approved(0x32);

	execute(id);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, id, 0, k->time + 1, kit_b(0x31));
	block(1);
	kit_last(k, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(NOTICE));
	execute(id2);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, id2, 0, k->time + NOTICE_COUNCIL, kit_b(0x32));
	block(NOTICE_COUNCIL);
	kit_last(k, DR_ACTION_MEASUREMENT_ALLOW, OK);
	assert_true(allowed(0x32));
}

/* Due first, then in the order of announcement; all before the block's first event. */
static void test_maturing_order(void **state)
{
	(void)state;
	kit_found(k);
	for (uint8_t m = 1; m <= 4; m++) {
		const uint64_t id = approved(m);
		/* 1 and 3 are due together, 2 later, 4 first */
		static const uint64_t dues[] = { 0, 5000, 6000, 5000, 4000 };

		execute(id);
		ACT(k, DR_ACTION_MEASUREMENT_ALLOW, id, 0, 1000000 + dues[m], kit_b(m));
		block(1);
		kit_last(k, DR_ACTION_MEASUREMENT_ALLOW, PENDING);
	}
	assert_int_equal(dr_state_due_next(&k->state), 1004000);
	ACT(k, DR_ACTION_MEASUREMENT_REVOKE, 0, GUARDIAN, 0, kit_b(3));
	block(1006000 - k->time);
	assert_int_equal(k->num_changes, 5);
	static const uint8_t order[] = { 4, 1, 3, 2 };

	for (size_t i = 0; i < 4; i++) {
		kit_expect(k, i, DR_ACTION_MEASUREMENT_ALLOW, MATURED);
		assert_int_equal(k->changes[i].act.args[0][0], order[i]);
	}
	kit_expect(k, 4, DR_ACTION_MEASUREMENT_REVOKE, OK);
	assert_false(allowed(3));
	assert_true(allowed(1) && allowed(2) && allowed(4));
}

/* Checkpoints as the contract keeps them: a later decision overrides what begins no earlier. */
static void test_checkpoints(void **state)
{
	(void)state;
	kit_found(k);
	PASS(k, DR_ACTION_MEMBER_SET, kit_a(EVE), kit_n(5));
	const uint64_t first = k->changes[1].act.due;

	PASS(k, DR_ACTION_MEMBER_SET, kit_a(EVE), kit_n(6));
	const uint64_t second = k->changes[1].act.due;

	assert_int_equal(dr_state_weight(&k->state, kit_id(EVE), first - 1), 0);
	assert_int_equal(dr_state_weight(&k->state, kit_id(EVE), first), 5);
	assert_int_equal(dr_state_weight(&k->state, kit_id(EVE), second), 6);
	block(first - k->time);
	kit_last(k, DR_ACTION_MEMBER_SET, MATURED);
	PASS(k, DR_ACTION_MEMBER_REMOVE, kit_a(EVE));
	assert_int_equal(dr_state_weight(&k->state, kit_id(EVE), second + 10), 0);
	block(NOTICE_COUNCIL * 2);
	assert_int_equal(k->num_changes, 0);
	PASS(k, DR_ACTION_MEMBER_REMOVE, kit_a(EVE));
	kit_last(k, DR_ACTION_MEMBER_REMOVE, REFUSED(ORDER));
}

static void test_guardians(void **state)
{
	(void)state;
	kit_found(k);
	PASS(k, DR_ACTION_GUARDIAN_ADD, kit_a(EVE));
	kit_last(k, DR_ACTION_GUARDIAN_ADD, PENDING);
	assert_false(dr_state_guardian(&k->state, kit_id(EVE)));
	block(NOTICE_COUNCIL);
	assert_true(dr_state_guardian(&k->state, kit_id(EVE)));
	PASS(k, DR_ACTION_GUARDIAN_REMOVE, kit_a(EVE));
	kit_last(k, DR_ACTION_GUARDIAN_REMOVE, OK);
	assert_false(dr_state_guardian(&k->state, kit_id(EVE)));
	PASS(k, DR_ACTION_GUARDIAN_REMOVE, kit_a(EVE));
	kit_last(k, DR_ACTION_GUARDIAN_REMOVE, REFUSED(ORDER));
	/* Removed while it waits, it never comes. */
	PASS(k, DR_ACTION_GUARDIAN_ADD, kit_a(EVE));
	PASS(k, DR_ACTION_GUARDIAN_REMOVE, kit_a(EVE));
	kit_last(k, DR_ACTION_GUARDIAN_REMOVE, OK);
	block(NOTICE_COUNCIL);
	assert_int_equal(k->num_changes, 0);
	/* A guardian is no longer one when an unsupported execution says so: that is a power to revoke. */
	execute(77);
	ACT(k, DR_ACTION_GUARDIAN_REMOVE, 77, 0, 0, kit_a(GUARDIAN));
	block(1);
	kit_last(k, DR_ACTION_GUARDIAN_REMOVE, REFUSED(VOTES));
	assert_true(dr_state_guardian(&k->state, kit_id(GUARDIAN)));
}

/* An unsupported execution of a revocation is obeyed, and said. */
static void test_unsupported_revocation(void **state)
{
	(void)state;
	kit_found(k);
	PASS(k, DR_ACTION_MEASUREMENT_ALLOW, kit_b(1));
	block(NOTICE_MEASUREMENT);
	assert_true(allowed(1));
	execute(77);
	ACT(k, DR_ACTION_MEASUREMENT_REVOKE, 77, EVE, 0, kit_b(1));
	block(1);
	kit_expect(k, 0, DR_ACTION_EXECUTE, REFUSED(VOTES));
	kit_expect(k, 1, DR_ACTION_MEASUREMENT_REVOKE, OBEYED(VOTES));
	assert_false(allowed(1));
}

static void test_broken_and_healed(void **state)
{
	static struct dr_profile successor;
	static uint8_t bytes[DR_PROFILE_LEN_MAX];
	const uint8_t topic0[32] = { 1 };
	struct dr_fail fail = { 0 };
	struct w digest;
	size_t len;

	(void)state;
	kit_found(k);
	kit_event(k, topic0, 32);
	block(1);
	assert_int_equal(k->num_changes, 1);
	kit_last(k, DR_ACTION_NONE, REFUSED(UNKNOWN_EVENT));
	assert_true(dr_state_broken(&k->state));
	kit_act(k, DR_ACTION_HEARTBEAT, 0, EVE, 0, (struct w[]){ kit_b(7) }, 1);
	k->events[0].data.len--;
	block(1);
	kit_last(k, DR_ACTION_NONE, REFUSED(MALFORMED));
	/* The successor is set on chain and used here: only both together heal. */
	successor = k->profile;
	strcpy(successor.name, "derot-v2");
	assert_int_equal(dr_profile_encode(bytes, sizeof(bytes), &len, &successor, &fail), DR_OK);
	assert_int_equal(dr_profile_decode(&successor, dr_bytes_of(bytes, len), &fail), DR_OK);
	memcpy(digest.b, successor.digest, 32);
	PASS(k, DR_ACTION_PROFILE_SET, digest);
	kit_last(k, DR_ACTION_PROFILE_SET, PENDING);
	k->fold.profile = &successor;
	block(1);
	assert_true(dr_state_broken(&k->state));
	k->fold.profile = &k->profile;
	block(NOTICE_PROFILE);
	kit_last(k, DR_ACTION_PROFILE_SET, MATURED);
	assert_true(dr_state_broken(&k->state));
	k->fold.profile = &successor;
	block(1);
	assert_false(dr_state_broken(&k->state));
}

static void test_errors(void **state)
{
	uint8_t before[32], after[32];

	(void)state;
	kit_found(k);
	PASS(k, DR_ACTION_MEASUREMENT_ALLOW, kit_b(1));
	dr_state_digest(before, &k->state);
	k->stop = DR_ERR_IO;
	assert_int_equal(kit_block(k, NOTICE_MEASUREMENT), DR_ERR_IO);
	assert_int_equal(k->num_changes, 1);
	dr_state_digest(after, &k->state);
	assert_memory_equal(before, after, 32);
	k->stop = DR_OK;
	assert_int_equal(kit_block(k, DR_TIME_MAX_S), DR_ERR_LIMIT);
	dr_state_digest(after, &k->state);
	assert_memory_equal(before, after, 32);
	k->fold.change = NULL;
	k->time = 2000000;
	block(0);
	assert_true(allowed(1));
}

static void history(void)
{
	kit_found(k);
	PASS(k, DR_ACTION_MEASUREMENT_ALLOW, kit_b(1));
	PASS(k, DR_ACTION_MEMBER_SET, kit_a(EVE), kit_n(2));
	block(NOTICE_MEASUREMENT);
	kit_act(k, DR_ACTION_HEARTBEAT, 0, EVE, 0, (struct w[]){ kit_b(7) }, 1);
	block(1);
}

/* The state knows nothing of block hashes, of who listened, or of copies held meanwhile. */
static void test_deterministic(void **state)
{
	uint8_t first[32], second[32];
	struct dr_state held;

	(void)state;
	history();
	dr_state_digest(first, &k->state);
	kit_free(k);
	k = kit_new();
	k->hash_salt = 0x55;
	k->fold.chain_id = 1;
	held = dr_state_share(&k->state);
	history();
	dr_state_digest(second, &k->state);
	assert_memory_equal(first, second, 32);
	dr_state_drop(&held);
	ACT(k, DR_ACTION_HEARTBEAT, 0, EVE, 0, kit_b(8));
	held = dr_state_share(&k->state);
	block(1);
	dr_state_digest(second, &k->state);
	assert_memory_not_equal(first, second, 32);
	dr_state_digest(second, &held);
	assert_memory_equal(first, second, 32);
	dr_state_drop(&held);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_founding),
		T(test_founding_window),
		T(test_founding_too_late),
		T(test_founding_incomplete),
		T(test_grant),
		T(test_revoked_while_pending),
		T(test_tally),
		T(test_even_votes),
		T(test_votes),
		T(test_snapshot),
		T(test_propose),
		T(test_cancel),
		T(test_execution),
		T(test_notice),
		T(test_maturing_order),
		T(test_checkpoints),
		T(test_guardians),
		T(test_unsupported_revocation),
		T(test_broken_and_healed),
		T(test_errors),
		T(test_deterministic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
