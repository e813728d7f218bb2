/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "governance/action.h"

static void test_table(void **state)
{
	const struct dr_action_def *def;
	size_t num = 0;

	(void)state;
	for (; (def = dr_action_at(num)) != NULL; num++) {
		const struct dr_action_def *next = dr_action_at(num + 1);

		assert_ptr_equal(dr_action_def((uint16_t)def->action), def);
		assert_ptr_equal(dr_action_by_name(def->name), def);
		assert_true(next == NULL || next->action > def->action);
		assert_true(def->authority != DR_AUTHORITY_NONE);
		assert_true(def->num_args <= DR_ARGS_MAX);
		for (size_t i = 0; i < DR_ARGS_MAX; i++)
			assert_int_equal(def->args[i].name != NULL, i < def->num_args);
		/* What grants has notice or proves itself; what revokes works at once. */
		if (def->effect == DR_EFFECT_GRANTS && def->action != DR_ACTION_ROOT_PUBLISH)
			assert_int_not_equal(def->notice, DR_NOTICE_NONE);
		if (def->effect == DR_EFFECT_REVOKES)
			assert_int_equal(def->notice, DR_NOTICE_NONE);
		/* A guardian takes away, and does nothing else: not with any profile's events. */
		if (def->authority == DR_AUTHORITY_COUNCIL_OR_GUARDIAN ||
		    def->authority == DR_AUTHORITY_DEPLOYER_COUNCIL_OR_GUARDIAN)
			assert_int_equal(def->effect, DR_EFFECT_REVOKES);
		/* An app's own notice needs the app first. */
		if (def->notice == DR_NOTICE_OWN || def->authority == DR_AUTHORITY_DEPLOYER)
			assert_string_equal(def->args[0].name, "app");
	}
	assert_int_equal(num, 37);
	assert_null(dr_action_def(DR_ACTION_NONE));
	assert_null(dr_action_def(8));
	assert_null(dr_action_def(0xffff));
	assert_null(dr_action_by_name(""));
	assert_null(dr_action_by_name("measurement"));
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(dr_effect_name(DR_EFFECT_REVOKES), "revokes");
	for (unsigned kind = DR_HARDWARE_FAMILY; kind <= DR_HARDWARE_TEE; kind++)
		assert_string_not_equal(dr_hardware_name((enum dr_hardware)kind), "?");
	assert_string_equal(dr_hardware_name((enum dr_hardware)0), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_table), cmocka_unit_test(test_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
