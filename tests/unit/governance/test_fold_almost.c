/* SPDX-License-Identifier: Apache-2.0
 *
 * What is almost right: an account, a word, a proposal, a moment one step beside the one that may. An attacker picks
 * accounts that begin like another's, and acts that differ where a short comparison ends.
 */
#include "tests/unit/governance/world_case.h"

/* The last event's account, with another byte at `at`. */
static void other_account(size_t at)
{
	const struct dr_event *event = &k->events[k->num_events - 1];

	for (size_t e = 0; e < k->profile.num_events; e++)
		for (size_t i = 0; i < k->profile.events[e].num_words; i++)
			if (memcmp(k->profile.events[e].topic0, event->topic0, 32) == 0 &&
			    k->profile.events[e].words[i].field == DR_FIELD_BY)
				k->data[k->num_events - 1][32 * i + 12 + at] ^= 1;
}

/* Every act that an account alone may do, by accounts that are its own but for one byte. */
static void test_accounts(void **state)
{
	static const struct {
		enum dr_action action;
		uint8_t by;
		enum dr_outcome outcome;
		enum dr_reason reason;
	} rows[] = {
		{ DR_ACTION_APP_MEASUREMENT_ALLOW, DEPLOYER, REFUSED(AUTHORITY) },
		{ DR_ACTION_APP_HANDOVER, DEPLOYER, REFUSED(AUTHORITY) },
		{ DR_ACTION_EPOCH_ADVANCE, DEPLOYER, REFUSED(AUTHORITY) },
		{ DR_ACTION_NODE_STAKE, NODE, REFUSED(AUTHORITY) },
		{ DR_ACTION_NODE_DEREGISTER, NODE, OBEYED(AUTHORITY) },
		{ DR_ACTION_APP_SUSPEND, GUARDIAN, OBEYED(AUTHORITY) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dr_action_def *def = dr_action_def((uint16_t)rows[i].action);
		struct w words[DR_ARGS_MAX] = { { { 0 } } };

		words[0] = rows[i].by == NODE ? kit_a(NODE) : kit_b(APP);
		for (size_t at = 0; at < 20; at++) {
			kit_act(k, rows[i].action, 0, rows[i].by, k->time + 1 + APP_NOTICE, words, def->num_args);
			other_account(at);
			block(1);
			kit_expect(k, 0, rows[i].action, rows[i].outcome, rows[i].reason);
			if (rows[i].action != DR_ACTION_NODE_DEREGISTER)
				continue;
			kit_node(k, NODE, DR_ROLE_KMS, KMS, 5);
			block(1);
		}
	}
}

/* approved: a proposal with the votes it needs, to be executed in the next block. */
static uint64_t approved(enum dr_action action, const struct w *words, size_t num)
{
	kit_propose(k, ALICE, action, k->time + 1, words, num);
	block(1);
	kit_vote(k, ALICE, 3, true);
	kit_vote(k, BOB, 2, true);
	block(1);
	return k->proposals;
}

static void execute(uint64_t id)
{
	kit_act(k, DR_ACTION_EXECUTE, id, EVE, 0, NULL, 0);
}

/* Each byte of each word that was voted on. */
static void test_words(void **state)
{
	const struct w good[] = { kit_n(2), kit_a(NODE), kit_n(1200000) };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		/* The lowest byte of a number, each byte of an account. */
		for (size_t at = i == 1 ? 12 : 31; at < 32; at++) {
			const uint64_t id = approved(DR_ACTION_ROOT_ROTATE, good, 3);
			struct w words[3];

			memcpy(words, good, sizeof(words));
			words[i].b[at] ^= 1;
			execute(id);
			kit_act(k, DR_ACTION_ROOT_ROTATE, id, 0, k->time + 1 + NOTICE_ROOT, words, 3);
			block(1);
			kit_expect(k, 0, DR_ACTION_EXECUTE, OK);
			kit_expect(k, 1, DR_ACTION_ROOT_ROTATE, REFUSED(MISMATCH));
		}
	}
	for (size_t at = 0; at < 32; at++) {
		struct w m = kit_b(0x77);
		const uint64_t id = approved(DR_ACTION_MEASUREMENT_ALLOW, &m, 1);

		m.b[at] ^= 1;
		execute(id);
		kit_act(k, DR_ACTION_MEASUREMENT_ALLOW, id, 0, k->time + 1 + NOTICE_MEASUREMENT, &m, 1);
		block(1);
		kit_expect(k, 1, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(MISMATCH));
	}
}

/* An execution counts with its own proposal's act behind it: neither an earlier one's nor a later one's. */
static void test_next(void **state)
{
	const struct w m = kit_b(0x71), n = kit_b(0x72);
	const uint64_t a = approved(DR_ACTION_MEASUREMENT_ALLOW, &m, 1);
	const uint64_t b = approved(DR_ACTION_MEASUREMENT_ALLOW, &n, 1);
	const uint64_t ids[] = { a, b };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		execute(ids[i]);
		ACT(k, DR_ACTION_MEASUREMENT_ALLOW, ids[1 - i], 0, k->time + 1 + NOTICE_MEASUREMENT, i == 0 ? n : m);
		block(1);
		kit_expect(k, 0, DR_ACTION_EXECUTE, REFUSED(MISMATCH));
		kit_expect(k, 1, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(NO_PROPOSAL));
	}
	/* Neither is spent. */
	execute(b);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, b, 0, k->time + 1 + NOTICE_MEASUREMENT, n);
	block(1);
	kit_expect(k, 1, DR_ACTION_MEASUREMENT_ALLOW, PENDING);
}

/* An event that cannot be read is between an execution and its act. */
static void test_unreadable_between(void **state)
{
	const struct w m = kit_b(0x71);
	const uint64_t id = approved(DR_ACTION_MEASUREMENT_ALLOW, &m, 1);

	(void)state;
	execute(id);
	kit_event(k, kit_m(0xee), 32);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, id, 0, k->time + 1 + NOTICE_MEASUREMENT, m);
	block(1);
	kit_expect(k, 0, DR_ACTION_EXECUTE, REFUSED(MISMATCH));
	kit_expect(k, 1, DR_ACTION_NONE, REFUSED(UNKNOWN_EVENT));
	kit_expect(k, 2, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(NO_PROPOSAL));
}

/* The quorum is that of the proposal's second: one that was lowered since does not carry what was proposed before. */
static void test_quorum_snapshot(void **state)
{
	const struct w m = kit_b(0x71);
	uint64_t id;

	(void)state;
	kit_propose(k, ALICE, DR_ACTION_MEASUREMENT_ALLOW, k->time + 1, &m, 1);
	id = k->proposals;
	block(1);
	ACT(k, DR_ACTION_VOTE, id, ALICE, 0, kit_n(3), kit_n(1)); /* of 4 */
	block(1);
	PASS(k, DR_ACTION_QUORUM_SET, kit_n(1));
	block(NOTICE_COUNCIL);
	assert_int_equal(dr_state_quorum(&k->state, k->time), 1);
	execute(id);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, id, 0, k->time + 1 + NOTICE_MEASUREMENT, m);
	block(1);
	kit_expect(k, 0, DR_ACTION_EXECUTE, REFUSED(VOTES));
	kit_expect(k, 1, DR_ACTION_MEASUREMENT_ALLOW, REFUSED(VOTES));
	/* The last vote that it needed. */
	ACT(k, DR_ACTION_VOTE, id, CAROL, 0, kit_n(1), kit_n(1));
	block(1);
	execute(id);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, id, 0, k->time + 1 + NOTICE_MEASUREMENT, m);
	block(1);
	kit_expect(k, 0, DR_ACTION_EXECUTE, OK);
}

/* A constitution that has all of its notice periods but one. */
static void test_constitution(void **state)
{
	(void)state;
	for (uint64_t missing = 0; missing <= DR_NOTICE_CLASSES; missing++) {
		struct kit *fresh = kit_new();

		ACT(fresh, DR_ACTION_QUORUM_SET, 0, 0, fresh->time + 1, kit_n(1));
		for (uint64_t class = 0; class < DR_NOTICE_CLASSES; class ++)
			if (class != missing)
				ACT(fresh, DR_ACTION_NOTICE_SET, 0, 0, fresh->time + 1, kit_n(class), kit_n(5));
		ACT(fresh, DR_ACTION_CONSTITUTE, 0, 0, 0, kit_n(VOTING));
		assert_int_equal(kit_block(fresh, 1), DR_OK);
		if (missing == DR_NOTICE_CLASSES)
			kit_last(fresh, DR_ACTION_CONSTITUTE, OK);
		else
			kit_last(fresh, DR_ACTION_CONSTITUTE, REFUSED(ORDER));
		kit_free(fresh);
	}
}

/* Tightening ends every relaxation that waits, not the next one alone. */
static void test_every_relaxation(void **state)
{
	struct dr_app app;

	(void)state;
	ACT(k, DR_ACTION_APP_CONFIDENCE_RELAX, 0, DEPLOYER, k->time + 1 + APP_NOTICE, kit_b(APP), kit_n(4));
	ACT(k, DR_ACTION_APP_CONFIDENCE_RELAX, 0, DEPLOYER, k->time + 2 + APP_NOTICE, kit_b(APP), kit_n(5));
	block(1);
	kit_expect(k, 0, DR_ACTION_APP_CONFIDENCE_RELAX, PENDING);
	kit_expect(k, 1, DR_ACTION_APP_CONFIDENCE_RELAX, PENDING);
	ACT(k, DR_ACTION_APP_CONFIDENCE_TIGHTEN, 0, DEPLOYER, 0, kit_b(APP), kit_n(2));
	block(1);
	kit_last(k, DR_ACTION_APP_CONFIDENCE_TIGHTEN, OK);
	block(2 * APP_NOTICE);
	assert_int_equal(k->num_changes, 0);
	assert_true(dr_state_app(&app, &k->state, kit_m(APP)));
	assert_int_equal(app.confidence, 2);
}

/* Exposed until this very second: it is over. */
static void test_exposed_until_now(void **state)
{
	struct dr_root root;

	(void)state;
	ACT(k, DR_ACTION_ROOT_EXPOSE, 0, GUARDIAN, 0, kit_n(1), kit_n(k->time + 1));
	block(1);
	kit_last(k, DR_ACTION_ROOT_EXPOSE, OK);
	assert_true(dr_state_root(&root, &k->state, 1));
	assert_true(root.stopped);
	assert_int_equal(dr_state_generation(&k->state), 0);
	assert_false(dr_state_holds(&k->state, 1, kit_id(NODE)));
}

/* A grace that reaches beyond what times may be ends with them. */
static void test_endless_grace(void **state)
{
	struct dr_root root;

	(void)state;
	k->profile.exposure_grace_s = DR_TIME_MAX_S;
	ACT(k, DR_ACTION_MEASUREMENT_REVOKE, 0, GUARDIAN, 0, kit_b(KMS));
	block(1);
	assert_true(dr_state_root(&root, &k->state, 1));
	assert_int_equal(root.exposed_deadline, DR_TIME_MAX_S);
	assert_false(root.stopped);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_accounts),
		T(test_words),
		T(test_next),
		T(test_unreadable_between),
		T(test_quorum_snapshot),
		T(test_constitution),
		T(test_every_relaxation),
		T(test_exposed_until_now),
		T(test_endless_grace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
