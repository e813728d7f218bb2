/* SPDX-License-Identifier: Apache-2.0
 *
 * The words by which the ledger's entries, findings and answers are told: stable, distinct, and never a guess for a
 * number that is none of them.
 */
#include "tests/unit/kit.h"

#include <string.h>

#include "governance/decide.h"
#include "governance/findings.h"

static const char *effect(int value)
{
	return dr_effect_name((enum dr_effect)value);
}

static const char *outcome(int value)
{
	return dr_outcome_name((enum dr_outcome)value);
}

static const char *reason(int value)
{
	return dr_reason_name((enum dr_reason)value);
}

static const char *hardware(int value)
{
	return dr_hardware_name((enum dr_hardware)value);
}

static const char *finding(int value)
{
	return dr_audit_finding_name((enum dr_audit_finding_kind)value);
}

static const struct {
	const char *(*name)(int value);
	const char *expected[14]; /* by value, the last for the first number beyond */
} rows[] = {
	{ effect, { "neutral", "grants", "revokes", "?" } },
	{ outcome, { "refused", "applied", "pending", "matured", "?" } },
	{ hardware, { "?", "family", "svn", "advisory", "device", "tee", "?" } },
	{ finding,
	  { "none", "stealthy-deployer", "unsupported-execution", "refused", "unauthorized-revocation", "root-failed",
	    "?" } },
	{ reason,
	  { "none", "unknown-event", "malformed", "unsupported-votes", "no-proposal", "mismatch", "authority",
	    "notice", "order", "false-proof", "deadline", "limit", "?" } },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int value = 0; rows[i].expected[value] != NULL; value++)
			assert_string_equal(rows[i].name(value), rows[i].expected[value]);
	for (int value = DR_REASON_NONE; value <= DR_REASON_LIMIT; value++)
		assert_true(strlen(dr_reason_text((enum dr_reason)value)) > 10);
	assert_string_equal(dr_reason_text((enum dr_reason)(DR_REASON_LIMIT + 1)), "?");
}

/* A name leads back to its row, and only a name does. */
static void test_actions(void **state)
{
	const struct dr_action_def *def;
	size_t num = 0;

	(void)state;
	for (; (def = dr_action_at(num)) != NULL; num++) {
		assert_ptr_equal(dr_action_by_name(def->name), def);
		assert_ptr_equal(dr_action_def((uint16_t)def->action), def);
	}
	assert_int_equal(num, 37);
	assert_null(dr_action_by_name("measurement"));
	assert_null(dr_action_by_name(""));
	assert_null(dr_action_def(DR_ACTION_NONE));
	assert_null(dr_action_def(UINT16_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_actions),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
