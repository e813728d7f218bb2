/* SPDX-License-Identifier: Apache-2.0
 *
 * Epochs: by policy, by hand, across a change of policy, and what they cost.
 */
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

static void epoch_is(uint64_t epoch, uint64_t since)
{
	struct dr_epoch_policy policy;

	assert_true(dr_state_epoch_policy(&policy, &k->state, kit_m(APP), kit_m(SERVICE)));
	assert_int_equal(policy.epoch, epoch);
	assert_int_equal(policy.epoch_time, since);
}

static void test_epochs(void **state)
{
	const struct w app = kit_b(APP), service = kit_b(SERVICE);
	uint64_t t0, due;

	(void)state;
	one(DR_ACTION_EPOCH_ADVANCE, DEPLOYER, 0, WORDS(app, service, kit_n(1)), REFUSED(ORDER));
	one(DR_ACTION_EPOCH_POLICY, DEPLOYER, k->time, WORDS(app, service, kit_n(100), kit_n(10)), REFUSED(NOTICE));
	one(DR_ACTION_EPOCH_POLICY, DEPLOYER, k->time + 1, WORDS(app, service, kit_n(UINT64_MAX), kit_n(10)),
	    REFUSED(LIMIT));
	one(DR_ACTION_EPOCH_POLICY, DEPLOYER, k->time + 1, WORDS(app, service, kit_n(100), kit_n(10)), OK);
	t0 = k->time;
	epoch_is(0, t0);
	assert_int_equal(dr_state_due_next(&k->state), t0 + 100);
	block(99);
	assert_int_equal(k->num_changes, 0);
	block(1);
	assert_int_equal(k->num_changes, 1);
	kit_last(k, DR_ACTION_EPOCH_ADVANCE, MATURED);
	assert_int_equal(k->changes[0].act.args[2][31], 1);
	assert_false(k->changes[0].act.has_by);
	epoch_is(1, t0 + 100);
	/* Several boundaries in one block are one change. */
	block(350);
	assert_int_equal(k->num_changes, 1);
	assert_int_equal(k->changes[0].act.args[2][31], 4);
	epoch_is(4, t0 + 400);
	/* By hand, from now on the period counts from here. */
	one(DR_ACTION_EPOCH_ADVANCE, DEPLOYER, 0, WORDS(app, service, kit_n(4)), REFUSED(MISMATCH));
	one(DR_ACTION_EPOCH_ADVANCE, DEPLOYER, 0, WORDS(app, service, kit_n(6)), REFUSED(MISMATCH));
	one(DR_ACTION_EPOCH_ADVANCE, DEPLOYER, 0, WORDS(app, service, kit_n(5)), OK);
	epoch_is(5, k->time);
	t0 = k->time;
	assert_int_equal(dr_state_due_next(&k->state), t0 + 100);
	/* Another policy, after the app's notice: until its due the old period counts, then the new. */
	one(DR_ACTION_EPOCH_POLICY, DEPLOYER, k->time + 1, WORDS(app, service, kit_n(40), kit_n(10)),
	    REFUSED(NOTICE));
	due = t0 + 250;
	one(DR_ACTION_EPOCH_POLICY, DEPLOYER, due, WORDS(app, service, kit_n(20), kit_n(10)), PENDING);
	block(t0 + 310 - k->time);
	/* 100 and 200 by the old period; at 250 the new one: 220, 240; then 260, 280, 300 */
	assert_int_equal(k->num_changes, 4);
	kit_expect(k, 0, DR_ACTION_EPOCH_ADVANCE, MATURED);
	assert_int_equal(k->changes[0].act.args[2][31], 7);
	kit_expect(k, 1, DR_ACTION_EPOCH_ADVANCE, MATURED);
	assert_int_equal(k->changes[1].act.args[2][31], 9);
	kit_expect(k, 2, DR_ACTION_EPOCH_POLICY, MATURED);
	kit_expect(k, 3, DR_ACTION_EPOCH_ADVANCE, MATURED);
	epoch_is(12, t0 + 300);
	/* Period 0: by hand only. */
	one(DR_ACTION_EPOCH_POLICY, DEPLOYER, k->time + 1 + APP_NOTICE, WORDS(app, service, kit_n(0), kit_n(10)),
	    PENDING);
	block(APP_NOTICE);
	const uint64_t last = k->changes[k->num_changes - 1].act.due;

	assert_int_equal(k->time, last);
	assert_int_equal(dr_state_due_next(&k->state), UINT64_MAX);
	block(10000);
	assert_int_equal(k->num_changes, 0);
}

/* The same times, cut into other blocks, end in the same epochs. */
static void test_epochs_split(void **state)
{
	const struct w app = kit_b(APP), service = kit_b(SERVICE);
	struct dr_epoch_policy first, second;
	struct dr_state start;
	uint64_t t0;

	(void)state;
	one(DR_ACTION_EPOCH_POLICY, DEPLOYER, k->time + 1, WORDS(app, service, kit_n(100), kit_n(10)), OK);
	t0 = k->time;
	one(DR_ACTION_EPOCH_POLICY, DEPLOYER, t0 + 250, WORDS(app, service, kit_n(30), kit_n(10)), PENDING);
	start = dr_state_share(&k->state);
	block(t0 + 999 - k->time);
	dr_state_epoch_policy(&first, &k->state, app.b, service.b);
	dr_epoch_carry(&first, k->time);
	for (uint64_t step = 1; step < 300; step += 7) {
		dr_state_drop(&k->state);
		k->state = dr_state_share(&start);
		k->time = t0 + 1;
		while (k->time + step < t0 + 999)
			block(step);
		block(t0 + 999 - k->time);
		dr_state_epoch_policy(&second, &k->state, app.b, service.b);
		dr_epoch_carry(&second, k->time);
		assert_memory_equal(&first, &second, sizeof(first));
	}
	/* As the contract computes it: 2 periods of 100 to t0 + 200, then 26 of 30. */
	assert_int_equal(first.epoch, 2 + 799 / 30);
	dr_state_drop(&start);
}

/* A period of a second is one event; it does not make a change of every block for ever. */
static void test_epochs_flood(void **state)
{
	const struct w app = kit_b(APP), service = kit_b(SERVICE);
	struct dr_epoch_policy policy;
	size_t said = 0;
	uint64_t t0;

	(void)state;
	one(DR_ACTION_EPOCH_POLICY, DEPLOYER, k->time + 1, WORDS(app, service, kit_n(1), kit_n(10)), OK);
	t0 = k->time;
	for (int i = 0; i < 3 * 7200; i++) {
		block(12);
		said += k->num_changes;
	}
	assert_int_equal(said, 8 + 2);
	/* What was not said passed all the same: at use, and for whoever ends the epoch by hand. */
	dr_state_epoch_policy(&policy, &k->state, app.b, service.b);
	dr_epoch_carry(&policy, k->time);
	assert_int_equal(policy.epoch, k->time - t0);
	assert_int_equal(policy.epoch_time, k->time);
	one(DR_ACTION_EPOCH_ADVANCE, DEPLOYER, 0, WORDS(app, service, kit_n(k->time + 1 - t0)), REFUSED(MISMATCH));
	one(DR_ACTION_EPOCH_ADVANCE, DEPLOYER, 0, WORDS(app, service, kit_n(k->time + 2 - t0)), OK);
	epoch_is(k->time + 1 - t0, k->time);
	/* Then boundaries are said again, a few. */
	block(1);
	kit_last(k, DR_ACTION_EPOCH_ADVANCE, MATURED);
	/* Another policy begins where the first has come to, said or not. */
	const uint64_t due = k->time + 1000, epoch = due - t0 + 1;

	one(DR_ACTION_EPOCH_POLICY, DEPLOYER, due, WORDS(app, service, kit_n(100), kit_n(10)), PENDING);
	block(due + 100 - k->time);
	epoch_is(epoch + 1, due + 100);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { T(test_epochs), T(test_epochs_split), T(test_epochs_flood) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
