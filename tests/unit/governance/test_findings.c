/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/governance/root_kit.h"

#include "governance/findings.h"

static struct kit *k;
static struct dr_findings *f;

static int setup(void **state)
{
	(void)state;
	k = kit_new();
	f = dr_findings_new(1000);
	kit_world(k);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kit_free(k);
	dr_findings_free(f);
	return 0;
}

/* next: a block of dt seconds, which must have one finding at the most. Returns its kind. */
static enum dr_audit_finding_kind next(uint64_t dt, struct dr_audit_finding *out)
{
	enum dr_audit_finding_kind kind = DR_AUDIT_NONE;

	assert_int_equal(kit_block(k, dt), DR_OK);
	for (size_t i = 0; i < k->num_changes; i++) {
		struct dr_audit_finding one;

		if (dr_findings_take(f, &one, &k->changes[i])) {
			assert_int_equal(kind, DR_AUDIT_NONE);
			*out = one;
			kind = one.kind;
			assert_memory_equal(&one.at, &k->changes[i], sizeof(one.at));
		} else {
			assert_int_equal(one.kind, DR_AUDIT_NONE);
		}
	}
	return kind;
}

static void announce(uint8_t m)
{
	ACT(k, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, DEPLOYER, k->time + 1 + APP_NOTICE, kit_b(APP), kit_b(m));
}

static void revoke(uint8_t m)
{
	ACT(k, DR_ACTION_APP_MEASUREMENT_REVOKE, 0, DEPLOYER, 0, kit_b(APP), kit_b(m));
}

/* Approve a malicious build, let it leak, remove it: nothing is left in the state, everything in the history. */
static void test_stealthy(void **state)
{
	static const struct {
		const char *name;
		uint64_t wait; /* after the announcement */
		bool found, was_active;
	} rows[] = {
		{ "at once", 0, true, false },
		{ "before its notice ends", 30, true, false },
		{ "as it comes into force", APP_NOTICE, true, true },
		{ "within the window", APP_NOTICE + 999, true, true },
		{ "after the window", APP_NOTICE + 1000, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t m = (uint8_t)(0x60 + i);
		struct dr_audit_finding out;
		uint64_t number, time, since = 0;
		uint8_t before[32], after[32];

		print_message("%s\n", rows[i].name);
		dr_state_digest(before, &k->state);
		announce(m);
		number = k->number + 1;
		time = k->time + 1;
		if (rows[i].wait == 0)
			revoke(m);
		if (rows[i].wait > APP_NOTICE) {
			assert_int_equal(next(1, &out), DR_AUDIT_NONE);
			assert_int_equal(next(APP_NOTICE, &out), DR_AUDIT_NONE);
			since = k->time;
			revoke(m);
			assert_int_equal(next(rows[i].wait - APP_NOTICE, &out),
					 rows[i].found ? DR_AUDIT_STEALTHY_DEPLOYER : DR_AUDIT_NONE);
		} else if (rows[i].wait > 0) {
			assert_int_equal(next(1, &out), DR_AUDIT_NONE);
			revoke(m);
			since = k->time + rows[i].wait;
			assert_int_equal(next(rows[i].wait, &out), DR_AUDIT_STEALTHY_DEPLOYER);
		} else {
			assert_int_equal(next(1, &out), DR_AUDIT_STEALTHY_DEPLOYER);
		}
		dr_state_digest(after, &k->state);
		assert_memory_equal(before, after, 32);
		if (!rows[i].found)
			continue;
		assert_int_equal(out.first_number, number);
		assert_int_equal(out.first_time, time);
		assert_int_equal(out.was_active, rows[i].was_active);
		assert_int_equal(out.active_since, rows[i].was_active ? since : 0);
	}
}

/* The first block after its notice comes more than a window late, and something else comes due in it before: it was
 * announced when it was, all the same. */
static void test_late(void **state)
{
	struct dr_audit_finding out;

	(void)state;
	ACT(k, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, DEPLOYER, k->time + 1 + APP_NOTICE, kit_b(APP), kit_b(0x71));
	announce(0x70);
	assert_int_equal(next(1, &out), DR_AUDIT_NONE);
	const uint64_t number = k->number, time = k->time;

	revoke(0x70);
	assert_int_equal(next(APP_NOTICE + 1000, &out), DR_AUDIT_STEALTHY_DEPLOYER);
	assert_int_equal(k->num_changes, 3);
	assert_int_equal(k->changes[1].outcome, DR_OUTCOME_MATURED);
	assert_int_equal(out.first_number, number);
	assert_int_equal(out.first_time, time);
	assert_true(out.was_active);
	assert_int_equal(out.active_since, k->time);
}

static void test_other_kinds(void **state)
{
	struct dr_audit_finding out;

	(void)state;
	kit_act(k, DR_ACTION_EXECUTE, 77, EVE, 0, NULL, 0);
	assert_int_equal(next(1, &out), DR_AUDIT_UNSUPPORTED_EXECUTION);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, 77, 0, 9000000, kit_b(1));
	assert_int_equal(next(1, &out), DR_AUDIT_UNSUPPORTED_EXECUTION);
	ACT(k, DR_ACTION_MEASUREMENT_ALLOW, 0, 0, 9000000, kit_b(1));
	assert_int_equal(next(1, &out), DR_AUDIT_REFUSED);
	ACT(k, DR_ACTION_VOTE, 1, EVE, 0, kit_n(1), kit_n(1));
	assert_int_equal(next(1, &out), DR_AUDIT_REFUSED);
	ACT(k, DR_ACTION_MEASUREMENT_REVOKE, 0, EVE, 0, kit_b(KMS));
	assert_int_equal(next(1, &out), DR_AUDIT_UNAUTHORIZED_REVOCATION);
	kit_event(k, kit_m(1), 0);
	assert_int_equal(next(1, &out), DR_AUDIT_REFUSED);
	PASS(k, DR_ACTION_ROOT_ROTATE, kit_n(2), kit_a(NODE), kit_n(k->time + 1000));
	assert_int_equal(next(NOTICE_ROOT, &out), DR_AUDIT_NONE);
	assert_int_equal(next(1000, &out), DR_AUDIT_ROOT_FAILED);
	ACT(k, DR_ACTION_HEARTBEAT, 0, EVE, 0, kit_b(1));
	assert_int_equal(next(1, &out), DR_AUDIT_NONE);
	assert_string_equal(dr_audit_finding_name(DR_AUDIT_STEALTHY_DEPLOYER), "stealthy-deployer");
	assert_string_equal(dr_audit_finding_name(DR_AUDIT_NONE), "none");
}

/* A refused revocation or announcement is none of a deployer's deeds; another app's is not this one's. */
static void test_not_stealthy(void **state)
{
	struct dr_audit_finding out;

	(void)state;
	announce(0x70);
	assert_int_equal(next(1, &out), DR_AUDIT_NONE);
	ACT(k, DR_ACTION_APP_MEASUREMENT_REVOKE, 0, DEPLOYER, 0, kit_b(0xa7), kit_b(0x70));
	assert_int_equal(next(1, &out), DR_AUDIT_REFUSED);
	revoke(0x71);
	assert_int_equal(next(1, &out), DR_AUDIT_REFUSED);
	ACT(k, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, EVE, k->time + 1 + APP_NOTICE, kit_b(APP), kit_b(0x72));
	assert_int_equal(next(1, &out), DR_AUDIT_REFUSED);
	revoke(0x70);
	assert_int_equal(next(1, &out), DR_AUDIT_STEALTHY_DEPLOYER);
	/* Taken back after a long announcement, before it ever was in force: 999 and 1000 seconds. */
	for (uint64_t wait = 999; wait <= 1000; wait++) {
		ACT(k, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, DEPLOYER, k->time + 5000, kit_b(APP), kit_b(0x73));
		assert_int_equal(next(1, &out), DR_AUDIT_NONE);
		revoke(0x73);
		assert_int_equal(next(wait, &out), wait < 1000 ? DR_AUDIT_STEALTHY_DEPLOYER : DR_AUDIT_NONE);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { T(test_stealthy), T(test_late), T(test_other_kinds),
					    T(test_not_stealthy) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
