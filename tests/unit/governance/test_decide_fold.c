/* SPDX-License-Identifier: Apache-2.0
 *
 * decide on states that were folded: what heads, nodes and generations do to an answer over time.
 */
#include "governance/decide.h"
#include "tests/unit/governance/root_kit.h"

/* request: by the version in force, of its sealing key. */
static struct dr_request request(void)
{
	struct dr_request r = { .purpose = DR_PURPOSE_SEAL, .confidence = 1 };

	memset(r.app, APP, 32);
	memset(r.measurement, VERSION, 32);
	memset(r.tee, 0x31, 32);
	memset(r.family, 0x32, 32);
	memset(r.device, 0x33, 32);
	return r;
}

/* A revocation at a head, folded: denied at once, and allowed again never by another fork. */
static void test_revoked_at_head(void **state)
{
	struct kit *k = kit_new();
	struct dr_self node = { { 0 }, { 0 } };
	const struct dr_request r = request();
	struct dr_state final_state, heads[2];
	struct dr_decision d;
	uint64_t time;

	(void)state;
	kit_world(k);
	memset(node.node, NODE, 20);
	memcpy(node.profile, k->profile.digest, 32);
	dr_decide(&d, &k->state, &node, &r, k->time);
	assert_int_equal(d.verdict, DR_ALLOW);
	assert_int_equal(d.generation, 1);
	final_state = dr_state_share(&k->state);
	time = k->time;
	assert_int_equal(kit_block(k, 1), DR_OK);
	heads[0] = dr_state_share(&k->state); /* one fork, which knows nothing */
	ACT(k, DR_ACTION_APP_MEASUREMENT_REVOKE, 0, DEPLOYER, 0, kit_b(APP), kit_b(VERSION));
	assert_int_equal(kit_block(k, 1), DR_OK);
	heads[1] = dr_state_share(&k->state);
	dr_decide_effective(&d, &final_state, time, heads, 1, &node, &r);
	assert_int_equal(d.verdict, DR_ALLOW);
	dr_decide_effective(&d, &final_state, time, heads, 2, &node, &r);
	assert_int_equal(d.verdict, DR_DENY);
	assert_int_equal(d.deny, DR_DENY_HEAD);
	dr_decide(&d, &k->state, &node, &r, k->time);
	assert_int_equal(d.deny, DR_DENY_APP_MEASUREMENT);
	dr_state_drop(&final_state);
	dr_state_drop(&heads[0]);
	dr_state_drop(&heads[1]);
	kit_free(k);
}

/* Generations and nodes, folded: what each may answer at each turn of a second node's and a second generation's life.
 */
static void test_generations(void **state)
{
	struct kit *k = kit_new();
	struct dr_self nodes[2] = { { { 0 }, { 0 } }, { { 0 }, { 0 } } };
	const struct dr_request r = request();
	struct dr_request back;
	uint64_t times[3] = { 0 };
	struct dr_decision d;

	(void)state;
	kit_world(k);
	times[1] = k->time;
	for (int i = 0; i < 2; i++) {
		memset(nodes[i].node, i == 0 ? NODE : NODE2, 20);
		memcpy(nodes[i].profile, k->profile.digest, 32);
	}
	back = r;
	back.root_back = 1;
	back.has_from = true;
	memset(back.from, VERSION, 32);
	kit_node(k, NODE2, DR_ROLE_KMS, KMS, 5);
	ACT(k, DR_ACTION_APP_HANDOVER, 0, DEPLOYER, k->time + 1 + APP_NOTICE, kit_b(APP), kit_b(VERSION),
	    kit_b(VERSION));
	PASS(k, DR_ACTION_ROOT_ROTATE, kit_n(2), kit_a(NODE2), kit_n(k->time + 10000));
	assert_int_equal(kit_block(k, NOTICE_ROOT), DR_OK);

#define ANSWER(node, request, want_deny, want_generation)                                                            \
	do {                                                                                                         \
		dr_decide(&d, &k->state, &nodes[node], request, k->time);                                            \
		assert_int_equal(d.deny, want_deny);                                                                 \
		assert_int_equal(d.generation, want_generation);                                                     \
		assert_int_equal(d.root_time, times[want_generation]);                                               \
	} while (0)

	/* Generation 1 alone, made by the first node. */
	ANSWER(0, &r, DR_DENY_NONE, 1);
	ANSWER(0, &back, DR_DENY_ROOT, 0);
	ANSWER(1, &r, DR_DENY_ROOT_SHARE, 0);
	ANSWER(1, &back, DR_DENY_ROOT, 0);
	root_publish(k, 2, NODE2, 2, 1);
	assert_int_equal(kit_block(k, 1), DR_OK);
	kit_last(k, DR_ACTION_ROOT_PUBLISH, DR_OUTCOME_APPLIED, DR_REASON_NONE);
	times[2] = k->time;
	/* Each has one. */
	ANSWER(0, &r, DR_DENY_ROOT_SHARE, 0);
	ANSWER(0, &back, DR_DENY_NONE, 1);
	ANSWER(1, &r, DR_DENY_NONE, 2);
	ANSWER(1, &back, DR_DENY_ROOT_SHARE, 0);
	PASS(k, DR_ACTION_ROOT_SHARE, kit_n(1), kit_a(NODE2));
	ANSWER(1, &back, DR_DENY_ROOT_SHARE, 0);
	assert_int_equal(kit_block(k, NOTICE_ROOT), DR_OK);
	ANSWER(1, &back, DR_DENY_NONE, 1);
	/* A head at which it registered anew, or the older generation is retired, takes that away at once. */
	struct dr_state final_state = dr_state_share(&k->state);
	const uint64_t time = k->time;

	kit_node(k, NODE2, DR_ROLE_KMS, KMS, 5);
	assert_int_equal(kit_block(k, 1), DR_OK);
	ANSWER(1, &back, DR_DENY_ROOT_SHARE, 0);
	ANSWER(1, &r, DR_DENY_ROOT_SHARE, 0);
	dr_decide_effective(&d, &final_state, time, &k->state, 1, &nodes[1], &r);
	assert_int_equal(d.deny, DR_DENY_HEAD);
	dr_decide_effective(&d, &final_state, time, &k->state, 1, &nodes[0], &back);
	assert_int_equal(d.deny, DR_DENY_NONE);
	PASS(k, DR_ACTION_ROOT_RETIRE, kit_n(1));
	ANSWER(0, &back, DR_DENY_ROOT, 0);
	dr_decide_effective(&d, &final_state, time, &k->state, 1, &nodes[0], &back);
	assert_int_equal(d.deny, DR_DENY_HEAD);
	/* The handover ends, and with it the way back. */
	ACT(k, DR_ACTION_APP_HANDOVER_END, 0, DEPLOYER, 0, kit_b(APP), kit_b(VERSION), kit_b(VERSION));
	assert_int_equal(kit_block(k, 1), DR_OK);
	ANSWER(0, &back, DR_DENY_HANDOVER, 0);
	dr_state_drop(&final_state);
	kit_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_revoked_at_head),
		cmocka_unit_test(test_generations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
