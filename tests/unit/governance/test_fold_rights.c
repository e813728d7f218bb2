/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/governance/world_case.h"

/* one: an act alone in the next block. */
static void one(enum dr_action action, uint8_t by, uint64_t due, const struct w *words, enum dr_outcome outcome,
		enum dr_reason reason)
{
	kit_act(k, action, 0, by, due, words, dr_action_def((uint16_t)action)->num_args);
	block(1);
	kit_last(k, action, outcome, reason);
}

#define WORDS(...) ((const struct w[]){ __VA_ARGS__ })

/* The whole table: each action, by an executed proposal and by each account without one. */
static void test_authority(void **state)
{
	const struct {
		enum dr_action action;
		struct w words[8];
		uint8_t self; /* the one account that may, besides guardians where the table says so; 0: none */
		bool council, guardian, anyone;
	} rows[] = {
		{ DR_ACTION_MEMBER_SET, { kit_a(EVE), kit_n(1) }, 0, true, false, false },
		{ DR_ACTION_MEMBER_REMOVE, { kit_a(CAROL) }, 0, true, false, false },
		{ DR_ACTION_QUORUM_SET, { kit_n(3) }, 0, true, false, false },
		{ DR_ACTION_NOTICE_SET, { kit_n(1), kit_n(5) }, 0, true, false, false },
		{ DR_ACTION_GUARDIAN_ADD, { kit_a(EVE) }, 0, true, false, false },
		{ DR_ACTION_GUARDIAN_REMOVE, { kit_a(GUARDIAN) }, 0, true, false, false },
		{ DR_ACTION_CONSTITUTE, { kit_n(5) }, 0, false, false, false },
		{ DR_ACTION_MEASUREMENT_ALLOW, { kit_b(0x99) }, 0, true, false, false },
		{ DR_ACTION_MEASUREMENT_REVOKE, { kit_b(KMS) }, 0, true, true, false },
		{ DR_ACTION_APP_REGISTER,
		  { kit_b(0xa9), kit_b(1), kit_n(NOTICE_APP), kit_n(1) },
		  0,
		  false,
		  false,
		  true },
		{ DR_ACTION_APP_MEASUREMENT_ALLOW, { kit_b(APP), kit_b(0x99) }, DEPLOYER, false, false, false },
		{ DR_ACTION_APP_MEASUREMENT_REVOKE, { kit_b(APP), kit_b(VERSION) }, DEPLOYER, true, true, false },
		{ DR_ACTION_APP_SUSPEND, { kit_b(APP) }, DEPLOYER, true, true, false },
		{ DR_ACTION_APP_RESUME, { kit_b(0xa2) }, 0, true, false, false },
		{ DR_ACTION_APP_HANDOVER, { kit_b(APP), kit_b(1), kit_b(2) }, DEPLOYER, false, false, false },
		{ DR_ACTION_APP_HANDOVER_END,
		  { kit_b(APP), kit_b(OLD), kit_b(VERSION) },
		  DEPLOYER,
		  false,
		  false,
		  false },
		{ DR_ACTION_APP_CONFIDENCE_RELAX, { kit_b(APP), kit_n(4) }, DEPLOYER, false, false, false },
		{ DR_ACTION_APP_CONFIDENCE_TIGHTEN, { kit_b(APP), kit_n(2) }, DEPLOYER, false, false, false },
		{ DR_ACTION_HARDWARE_BLACKLIST, { kit_n(1), kit_b(3), kit_n(0) }, 0, true, true, false },
		{ DR_ACTION_HARDWARE_REINSTATE, { kit_n(4), kit_b(0xdd) }, 0, true, false, false },
		{ DR_ACTION_ROOT_ROTATE, { kit_n(2), kit_a(NODE), kit_n(2000000) }, 0, true, false, false },
		{ DR_ACTION_ROOT_SHARE, { kit_n(1), kit_a(NODE) }, 0, true, false, false },
		{ DR_ACTION_ROOT_RETIRE, { kit_n(1) }, 0, true, false, false },
		{ DR_ACTION_ROOT_EXPOSE, { kit_n(1), kit_n(2000000) }, 0, true, true, false },
		{ DR_ACTION_EPOCH_POLICY,
		  { kit_b(APP), kit_b(1), kit_n(1), kit_n(1) },
		  DEPLOYER,
		  false,
		  false,
		  false },
		{ DR_ACTION_EPOCH_ADVANCE, { kit_b(APP), kit_b(SERVICE), kit_n(1) }, DEPLOYER, false, false, false },
		{ DR_ACTION_NODE_REGISTER, { kit_a(NODE), kit_n(1) }, NODE, false, false, false },
		{ DR_ACTION_NODE_DEREGISTER, { kit_a(NODE) }, NODE, false, false, false },
		{ DR_ACTION_NODE_STAKE, { kit_a(NODE), kit_n(5) }, NODE, false, false, false },
		{ DR_ACTION_NODE_SLASH, { kit_a(NODE), kit_n(5) }, 0, true, false, false },
		{ DR_ACTION_HEARTBEAT, { kit_b(5) }, 0, false, false, true },
		{ DR_ACTION_PROFILE_SET, { kit_b(5) }, 0, true, false, false },
	};
	static const uint8_t callers[] = { ALICE, EVE, DEPLOYER, NODE, GUARDIAN, NODE2 };
	struct dr_state world;
	const uint64_t proposals = k->proposals;
	uint64_t time, number;

	(void)state;
	one(DR_ACTION_HARDWARE_BLACKLIST, GUARDIAN, 0, WORDS(kit_n(4), kit_b(0xdd), kit_n(0)), OK);
	one(DR_ACTION_APP_REGISTER, EVE, 0, WORDS(kit_b(0xa2), kit_b(1), kit_n(NOTICE_APP), kit_n(1)), OK);
	one(DR_ACTION_APP_SUSPEND, EVE, 0, WORDS(kit_b(0xa2)), OK);
	one(DR_ACTION_EPOCH_POLICY, DEPLOYER, k->time + 1, WORDS(kit_b(APP), kit_b(SERVICE), kit_n(0), kit_n(9)), OK);
	world = dr_state_share(&k->state);
	time = k->time;
	number = k->number;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dr_action_def *def = dr_action_def((uint16_t)rows[i].action);
		const uint64_t due = def->notice == DR_NOTICE_NONE ? 0
				     : def->notice == DR_NOTICE_OWN
					     ? time + 1 + APP_NOTICE
					     : time + 1 + dr_state_notice(&world, def->notice, time);
		const enum dr_outcome good = due > 0 ? DR_OUTCOME_PENDING : DR_OUTCOME_APPLIED;

		print_message("%s\n", def->name);
		for (size_t c = 0; c < sizeof(callers); c++) {
			const bool may = rows[i].anyone || callers[c] == rows[i].self ||
					 (rows[i].guardian && callers[c] == GUARDIAN);

			kit_act(k, rows[i].action, 0, callers[c], due, rows[i].words, def->num_args);
			block(1);
			/* What runs no allowed build any more exposes its root generation. */
			assert_int_equal(k->num_changes, rows[i].action == DR_ACTION_MEASUREMENT_REVOKE ? 2 : 1);
			kit_expect(k, 0, rows[i].action,
				   may || def->effect == DR_EFFECT_REVOKES ? (may ? good : DR_OUTCOME_APPLIED)
									   : DR_OUTCOME_REFUSED,
				   may ? DR_REASON_NONE : DR_REASON_AUTHORITY);
			dr_state_drop(&k->state);
			k->state = dr_state_share(&world);
			k->time = time;
			k->number = number;
		}
		if (rows[i].council) {
			kit_pass(k, rows[i].action, rows[i].words, def->num_args);
			kit_expect(k, 1, rows[i].action, good, DR_REASON_NONE);
		} else {
			struct w args[10] = { kit_n(rows[i].action), kit_n(time + 1 + VOTING) };

			memcpy(args + 2, rows[i].words, sizeof(rows[i].words));
			kit_act(k, DR_ACTION_PROPOSE, proposals + 1, ALICE, 0, args, 10);
			block(1);
			kit_last(k, DR_ACTION_PROPOSE, REFUSED(ORDER));
		}
		dr_state_drop(&k->state);
		k->state = dr_state_share(&world);
		k->time = time;
		k->number = number;
		k->proposals = proposals;
	}
	dr_state_drop(&world);
}

static void test_apps(void **state)
{
	const struct w app = kit_b(APP), v2 = kit_b(0x52);
	struct dr_grant grant;
	struct dr_app a;

	(void)state;
	one(DR_ACTION_APP_REGISTER, EVE, 0, WORDS(app, kit_b(1), kit_n(NOTICE_APP), kit_n(1)), REFUSED(ORDER));
	one(DR_ACTION_APP_REGISTER, EVE, 0, WORDS(kit_b(2), kit_b(1), kit_n(NOTICE_APP - 1), kit_n(1)),
	    REFUSED(NOTICE));
	one(DR_ACTION_APP_REGISTER, EVE, 0, WORDS(kit_b(2), kit_b(1), kit_n(UINT64_MAX), kit_n(1)), REFUSED(LIMIT));
	one(DR_ACTION_APP_REGISTER, EVE, 0, WORDS(kit_b(2), kit_b(1), kit_n(NOTICE_APP), kit_n(0)), REFUSED(ORDER));
	one(DR_ACTION_APP_REGISTER, EVE, 0, WORDS(kit_b(2), kit_b(1), kit_n(NOTICE_APP), kit_n(6)), REFUSED(ORDER));
	assert_true(dr_state_app(&a, &k->state, app.b));
	assert_memory_equal(a.deployer, kit_id(DEPLOYER), 20);
	assert_int_equal(a.notice_s, APP_NOTICE);

	one(DR_ACTION_APP_MEASUREMENT_ALLOW, DEPLOYER, k->time + APP_NOTICE, WORDS(app, v2), REFUSED(NOTICE));
	one(DR_ACTION_APP_MEASUREMENT_ALLOW, DEPLOYER, k->time + 1 + APP_NOTICE, WORDS(app, v2), PENDING);
	/* Announced again, only the second announcement counts. */
	one(DR_ACTION_APP_MEASUREMENT_ALLOW, DEPLOYER, k->time + 1 + APP_NOTICE, WORDS(app, v2), PENDING);
	block(APP_NOTICE - 1);
	assert_int_equal(k->num_changes, 0);
	assert_true(dr_state_app_measurement(&grant, &k->state, app.b, v2.b) && !grant.active);
	block(1);
	kit_last(k, DR_ACTION_APP_MEASUREMENT_ALLOW, MATURED);
	assert_true(dr_state_app_measurement(&grant, &k->state, app.b, v2.b) && grant.active);
	one(DR_ACTION_APP_MEASUREMENT_ALLOW, DEPLOYER, k->time + 1 + APP_NOTICE, WORDS(app, v2), REFUSED(ORDER));
	one(DR_ACTION_APP_MEASUREMENT_ALLOW, DEPLOYER, k->time + 1 + APP_NOTICE, WORDS(kit_b(3), v2), REFUSED(ORDER));
	one(DR_ACTION_APP_MEASUREMENT_REVOKE, DEPLOYER, 0, WORDS(app, v2), OK);
	assert_false(dr_state_app_measurement(&grant, &k->state, app.b, v2.b));
	one(DR_ACTION_APP_MEASUREMENT_REVOKE, EVE, 0, WORDS(app, v2), REFUSED(AUTHORITY));

	one(DR_ACTION_APP_SUSPEND, DEPLOYER, 0, WORDS(app), OK);
	assert_true(dr_state_app(&a, &k->state, app.b) && a.suspended);
	PASS(k, DR_ACTION_APP_RESUME, app);
	kit_last(k, DR_ACTION_APP_RESUME, PENDING);
	assert_true(dr_state_app(&a, &k->state, app.b) && a.suspended);
	one(DR_ACTION_APP_SUSPEND, GUARDIAN, 0, WORDS(app), OK);
	block(NOTICE_MEASUREMENT);
	assert_int_equal(k->num_changes, 0);
	PASS(k, DR_ACTION_APP_RESUME, app);
	block(NOTICE_MEASUREMENT);
	kit_last(k, DR_ACTION_APP_RESUME, MATURED);
	assert_true(dr_state_app(&a, &k->state, app.b) && !a.suspended);
	PASS(k, DR_ACTION_APP_RESUME, app);
	kit_last(k, DR_ACTION_APP_RESUME, REFUSED(ORDER));
	one(DR_ACTION_APP_SUSPEND, GUARDIAN, 0, WORDS(kit_b(3)), REFUSED(ORDER));
}

static uint8_t confidence(void)
{
	struct dr_app a;

	dr_state_app(&a, &k->state, kit_m(APP));
	return a.confidence;
}

static void test_confidence(void **state)
{
	const struct w app = kit_b(APP);

	(void)state;
	one(DR_ACTION_APP_CONFIDENCE_RELAX, DEPLOYER, k->time + 1 + APP_NOTICE, WORDS(app, kit_n(3)), REFUSED(ORDER));
	one(DR_ACTION_APP_CONFIDENCE_RELAX, DEPLOYER, k->time + 1 + APP_NOTICE, WORDS(app, kit_n(6)), REFUSED(ORDER));
	one(DR_ACTION_APP_CONFIDENCE_RELAX, DEPLOYER, k->time + APP_NOTICE, WORDS(app, kit_n(4)), REFUSED(NOTICE));
	one(DR_ACTION_APP_CONFIDENCE_RELAX, DEPLOYER, k->time + 1 + APP_NOTICE, WORDS(app, kit_n(4)), PENDING);
	one(DR_ACTION_APP_CONFIDENCE_RELAX, DEPLOYER, k->time + 6 + APP_NOTICE, WORDS(app, kit_n(5)), PENDING);
	block(APP_NOTICE - 1);
	kit_last(k, DR_ACTION_APP_CONFIDENCE_RELAX, MATURED);
	assert_int_equal(confidence(), 4);
	one(DR_ACTION_APP_CONFIDENCE_TIGHTEN, DEPLOYER, 0, WORDS(app, kit_n(5)), REFUSED(ORDER));
	assert_int_equal(confidence(), 4);
	block(5);
	assert_int_equal(confidence(), 5);
	one(DR_ACTION_APP_CONFIDENCE_TIGHTEN, DEPLOYER, 0, WORDS(app, kit_n(0)), REFUSED(ORDER));
	one(DR_ACTION_APP_CONFIDENCE_TIGHTEN, DEPLOYER, 0, WORDS(app, kit_n(2)), OK);
	assert_int_equal(confidence(), 2);
	one(DR_ACTION_APP_CONFIDENCE_RELAX, DEPLOYER, k->time + 1 + APP_NOTICE, WORDS(app, kit_n(4)), PENDING);
	one(DR_ACTION_APP_CONFIDENCE_TIGHTEN, DEPLOYER, 0, WORDS(app, kit_n(1)), OK);
	block(APP_NOTICE);
	assert_int_equal(k->num_changes, 0);
	assert_int_equal(confidence(), 1);
}

static void test_handover(void **state)
{
	const struct w app = kit_b(APP), from = kit_b(VERSION), to = kit_b(0x52);
	struct dr_grant grant;

	(void)state;
	assert_true(dr_state_handover(&grant, &k->state, app.b, kit_m(OLD), kit_m(VERSION)) && grant.active);
	one(DR_ACTION_APP_HANDOVER, DEPLOYER, k->time + APP_NOTICE, WORDS(app, from, to), REFUSED(NOTICE));
	/* To itself: between root generations. */
	one(DR_ACTION_APP_HANDOVER, DEPLOYER, k->time + 1 + APP_NOTICE, WORDS(app, from, from), PENDING);
	one(DR_ACTION_APP_HANDOVER_END, DEPLOYER, 0, WORDS(app, from, from), OK);
	one(DR_ACTION_APP_HANDOVER, DEPLOYER, k->time + 1 + APP_NOTICE, WORDS(app, from, to), PENDING);
	assert_true(dr_state_handover(&grant, &k->state, app.b, from.b, to.b) && !grant.active);
	block(APP_NOTICE);
	kit_last(k, DR_ACTION_APP_HANDOVER, MATURED);
	assert_true(dr_state_handover(&grant, &k->state, app.b, from.b, to.b) && grant.active);
	assert_false(dr_state_handover(&grant, &k->state, app.b, to.b, from.b));
	one(DR_ACTION_APP_HANDOVER_END, DEPLOYER, 0, WORDS(app, from, to), OK);
	assert_false(dr_state_handover(&grant, &k->state, app.b, from.b, to.b));
	one(DR_ACTION_APP_HANDOVER_END, DEPLOYER, 0, WORDS(app, from, to), REFUSED(ORDER));
}

static void test_hardware(void **state)
{
	const struct w svn = kit_n(DR_HARDWARE_SVN), family = kit_b(0xfb);
	uint64_t least;

	(void)state;
	one(DR_ACTION_HARDWARE_BLACKLIST, GUARDIAN, 0, WORDS(kit_n(0), family, kit_n(1)), REFUSED(ORDER));
	one(DR_ACTION_HARDWARE_BLACKLIST, GUARDIAN, 0, WORDS(kit_n(6), family, kit_n(1)), REFUSED(ORDER));
	one(DR_ACTION_HARDWARE_BLACKLIST, GUARDIAN, 0, WORDS(svn, family, kit_n(7)), OK);
	assert_true(dr_state_blacklisted(&least, &k->state, DR_HARDWARE_SVN, family.b));
	assert_int_equal(least, 7);
	assert_false(dr_state_blacklisted(&least, &k->state, DR_HARDWARE_FAMILY, family.b));
	/* A lower minimum would be a reinstatement without notice. */
	one(DR_ACTION_HARDWARE_BLACKLIST, GUARDIAN, 0, WORDS(svn, family, kit_n(6)), REFUSED(ORDER));
	one(DR_ACTION_HARDWARE_BLACKLIST, GUARDIAN, 0, WORDS(svn, family, kit_n(8)), OK);
	PASS(k, DR_ACTION_HARDWARE_REINSTATE, svn, family);
	kit_last(k, DR_ACTION_HARDWARE_REINSTATE, PENDING);
	assert_true(dr_state_blacklisted(&least, &k->state, DR_HARDWARE_SVN, family.b));
	one(DR_ACTION_HARDWARE_BLACKLIST, GUARDIAN, 0, WORDS(svn, family, kit_n(8)), OK);
	block(NOTICE_MEASUREMENT);
	assert_int_equal(k->num_changes, 0);
	PASS(k, DR_ACTION_HARDWARE_REINSTATE, svn, family);
	block(NOTICE_MEASUREMENT);
	kit_last(k, DR_ACTION_HARDWARE_REINSTATE, MATURED);
	assert_false(dr_state_blacklisted(&least, &k->state, DR_HARDWARE_SVN, family.b));
	PASS(k, DR_ACTION_HARDWARE_REINSTATE, svn, family);
	kit_last(k, DR_ACTION_HARDWARE_REINSTATE, REFUSED(ORDER));
	one(DR_ACTION_HARDWARE_BLACKLIST, GUARDIAN, 0, WORDS(svn, family, kit_n(2)), OK);
	assert_true(dr_state_blacklisted(&least, &k->state, DR_HARDWARE_SVN, family.b));
	assert_int_equal(least, 2);
}

static void test_nodes(void **state)
{
	struct dr_node node;

	(void)state;
	one(DR_ACTION_NODE_STAKE, NODE2, 0, WORDS(kit_a(NODE2), kit_n(5)), REFUSED(ORDER));
	one(DR_ACTION_NODE_DEREGISTER, NODE2, 0, WORDS(kit_a(NODE2)), REFUSED(ORDER));
	kit_node(k, NODE2, 3, KMS, 5);
	block(1);
	kit_last(k, DR_ACTION_NODE_REGISTER, REFUSED(ORDER));
	kit_node(k, NODE2, DR_ROLE_WORKER, KMS, 5);
	ACT(k, DR_ACTION_NODE_STAKE, 0, NODE2, 0, kit_a(NODE2), kit_n(50));
	kit_node(k, NODE2, DR_ROLE_KMS, KMS, 6);
	block(1);
	assert_true(dr_state_node(&node, &k->state, kit_id(NODE2)));
	assert_int_equal(node.stake, 50);
	assert_int_equal(node.role, DR_ROLE_KMS);
	assert_int_equal(node.svn, 6);
	PASS(k, DR_ACTION_NODE_SLASH, kit_a(NODE2), kit_n(20));
	PASS(k, DR_ACTION_NODE_SLASH, kit_a(NODE2), kit_n(20));
	assert_true(dr_state_node(&node, &k->state, kit_id(NODE2)) && node.stake == 10);
	PASS(k, DR_ACTION_NODE_SLASH, kit_a(NODE2), kit_n(UINT64_MAX));
	assert_true(dr_state_node(&node, &k->state, kit_id(NODE2)) && node.stake == 0);
}

/* A nonce begins with the size of the journal that it was drawn from: a smaller one takes no larger one's place. */
static void test_heartbeat(void **state)
{
	const struct {
		uint64_t size;
		uint8_t rest;
		bool kept;
	} rows[] = {
		{ 9, 1, true },   { 9, 2, true },   { 9, 0, true },          { 8, 3, false }, { 10, 4, true },
		{ 256, 5, true }, { 11, 6, false }, { UINT64_MAX, 7, true }, { 0, 8, false }, { 1000, 9, false },
	};
	uint8_t nonce[32], seen = 0;

	(void)state;
	assert_false(dr_state_heartbeat(nonce, &k->state, kit_id(NODE)));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct w w = kit_b(rows[i].rest);

		dr_be64_put(w.b, rows[i].size);
		one(DR_ACTION_HEARTBEAT, NODE, 0, WORDS(w), OK);
		assert_true(dr_state_heartbeat(nonce, &k->state, kit_id(NODE)));
		seen = rows[i].kept ? rows[i].rest : seen;
		assert_int_equal(nonce[31], seen);
	}
	/* Each account has its own; another's registration changes nothing. */
	one(DR_ACTION_HEARTBEAT, EVE, 0, WORDS(kit_b(4)), OK);
	assert_true(dr_state_heartbeat(nonce, &k->state, kit_id(EVE)));
	assert_memory_equal(nonce, kit_m(4), 32);
	kit_node(k, NODE2, DR_ROLE_KMS, KMS, 5);
	block(1);
	assert_true(dr_state_heartbeat(nonce, &k->state, kit_id(NODE)) && nonce[31] == 7);
	/* It registers anew: so does its journal begin. */
	kit_node(k, NODE, DR_ROLE_KMS, KMS, 5);
	block(1);
	assert_false(dr_state_heartbeat(nonce, &k->state, kit_id(NODE)));
	assert_true(dr_state_heartbeat(nonce, &k->state, kit_id(EVE)));
	one(DR_ACTION_HEARTBEAT, NODE, 0, WORDS(kit_b(0)), OK);
	assert_true(dr_state_heartbeat(nonce, &k->state, kit_id(NODE)));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_authority), T(test_apps),  T(test_confidence), T(test_handover),
		T(test_hardware),  T(test_nodes), T(test_heartbeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
