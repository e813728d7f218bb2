/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "kms-bridge/tell/tell.h"

static void test_time(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 1767225600, "2026-01-01T00:00:00Z" },
		{ 253402300799, "9999-12-31T23:59:59Z" },
		{ 253402300800, "253402300800 s" },
		{ UINT64_MAX, "18446744073709551615 s" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		dr_tell_time(text, rows[i].seconds);
		assert_string_equal(text, rows[i].text);
	}
}

/* Every action says each of its arguments by name (a proposal those of what it proposes), and fits any room. */
static void test_every_action(void **state)
{
	const struct dr_action_def *def;

	(void)state;
	for (size_t i = 0; (def = dr_action_at(i)) != NULL; i++) {
		struct dr_change c = { .outcome = DR_OUTCOME_PENDING, .reason = DR_REASON_VOTES };
		char text[1024], little[16];

		c.act.action = def->action;
		c.act.num_args = def->num_args;
		c.act.has_by = c.act.has_proposal = c.act.has_due = true;
		c.act.proposal = 12;
		c.act.due = 1767225600;
		for (size_t a = 0; a < def->num_args; a++)
			dr_word_put(c.act.args[a], 1);
		dr_tell_change_text(text, sizeof(text), &c);
		for (size_t a = 0;
		     a < def->num_args && def->action != DR_ACTION_PROPOSE && def->action != DR_ACTION_ROOT_PUBLISH;
		     a++)
			if (strstr(text, def->args[a].name) == NULL)
				fail_msg("%s: %s is not in \"%s\"", def->name, def->args[a].name, text);
		assert_non_null(strstr(text, "proposal 12"));
		assert_non_null(strstr(text, "by 0x00000000…"));
		assert_non_null(strstr(text, "from 2026-01-01T00:00:00Z on"));
		assert_non_null(strstr(text, dr_reason_text(DR_REASON_VOTES)));
		memset(little, 'x', sizeof(little));
		dr_tell_change_text(little, sizeof(little), &c);
		assert_non_null(memchr(little, '\0', sizeof(little)));
		assert_memory_equal(little, text, strlen(little));
	}
}

static void test_words(void **state)
{
	static const struct {
		const char *name, *word; /* 32 bytes, zero padded */
		size_t len;
		const char *text;
	} rows[] = {
		{ "text", "kms-v1", 6, "measurement kms-v1" },
		{ "too short for text", "ab", 2, "measurement 0x616200000000…" },
		{ "an escape", "ab\x1b[31m", 7, "measurement 0x61621b5b3331…" },
		{ "a quote", "ab\"c", 4, "measurement 0x616222630000…" },
		{ "a backslash", "ab\\c", 4, "measurement 0x61625c630000…" },
		{ "a line", "ab\ncd", 5, "measurement 0x61620a636400…" },
		{ "text after zeros", "abc\0d", 5, "measurement 0x616263006400…" },
		{ "zero", "", 0, "measurement 0x000000000000…" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_change c = { .outcome = DR_OUTCOME_APPLIED };
		char text[256];

		c.act.action = DR_ACTION_MEASUREMENT_REVOKE;
		c.act.num_args = 1;
		memcpy(c.act.args[0], rows[i].word, rows[i].len);
		dr_tell_change_text(text, sizeof(text), &c);
		if (strcmp(text, rows[i].text) != 0)
			fail_msg("%s: %s", rows[i].name, text);
	}
}

static void test_proposal(void **state)
{
	struct dr_change c = { .outcome = DR_OUTCOME_APPLIED };
	char text[256];

	(void)state;
	c.act.action = DR_ACTION_PROPOSE;
	c.act.num_args = 10;
	c.act.proposal = 3;
	dr_word_put(c.act.args[0], DR_ACTION_QUORUM_SET);
	dr_word_put(c.act.args[2], 4);
	dr_tell_change_text(text, sizeof(text), &c);
	assert_string_equal(text, "proposal 3: council.quorum_set quorum 4");
	dr_word_put(c.act.args[0], UINT64_MAX);
	dr_tell_change_text(text, sizeof(text), &c);
	assert_string_equal(text, "proposal 3: an unknown action");
}

static void test_decision(void **state)
{
	struct dr_decision d = { .verdict = DR_DENY, .deny = DR_DENY_HEAD };
	json_t *o = dr_tell_decision(&d);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(o, "verdict")), "deny");
	assert_string_equal(json_string_value(json_object_get(o, "reason")), "head");
	assert_null(json_object_get(o, "generation"));
	json_decref(o);
	d = (struct dr_decision){ .verdict = DR_ALLOW, .generation = 2, .epoch = 7 };
	o = dr_tell_decision(&d);
	assert_string_equal(json_string_value(json_object_get(o, "verdict")), "allow");
	assert_int_equal(json_integer_value(json_object_get(o, "generation")), 2);
	assert_int_equal(json_integer_value(json_object_get(o, "epoch")), 7);
	assert_null(json_object_get(o, "reason"));
	json_decref(o);
}

static void test_leaf_that_is_none(void **state)
{
	const struct dr_entry entry = { .leaf = dr_bytes_of("junk", 4) };

	(void)state;
	assert_null(dr_tell_change(&entry));
	assert_null(dr_tell_note(&entry));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),     cmocka_unit_test(test_every_action),
		cmocka_unit_test(test_words),    cmocka_unit_test(test_proposal),
		cmocka_unit_test(test_decision), cmocka_unit_test(test_leaf_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
