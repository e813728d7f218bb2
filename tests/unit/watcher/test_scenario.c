/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watcher/scenario.h"

static char path[] = "/tmp/derot-test-scenario-XXXXXX";

#define COUNCIL                                                                                                      \
	"council:\n"                                                                                                 \
	"  members: [alice 2]\n"                                                                                     \
	"  guardians: []\n"                                                                                          \
	"  quorum: 2\n"                                                                                              \
	"  voting_period: 60\n"                                                                                      \
	"  notices: [1, 2, 3, 4, 5]\n"
#define STEPS                                                                                                        \
	"steps:\n"                                                                                                   \
	"  - {by: alice, call: propose, args: [measurement.allow, v1], more: \"yes\"}\n"                             \
	"  - {by: kms1, call: stake, value: 7, refused: \"yes\"}\n"                                                  \
	"  - {call: wait, args: [12]}\n"

static const char good[] = "about: a line\n"
			   "accounts: [alice, kms1]\n" COUNCIL "node: kms1\n"
			   "start_time: 1767225600\n"
			   "requests: r.yaml\n" STEPS "expect: [measurement.allow pending]\n"
			   "findings: []\n"
			   "answers: [web deny root]\n"
			   "divergences: [diverges root]\n"
			   "end: [final block 2]\n";

static const char played[] = "about: a line\n"
			     "played_by: a script\n"
			     "expect: [measurement.allow pending]\n"
			     "end: [final block 2]\n";

static void put(const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static enum dr_err load(struct dr_scenario **s, struct dr_yaml **y, struct dr_yaml_error *error)
{
	*s = NULL;
	*y = NULL;
	error->text[0] = '\0';
	return dr_scenario_load(s, y, path, error);
}

static void test_every_key(void **state)
{
	struct dr_yaml_error error;
	struct dr_scenario *s;
	struct dr_yaml *y;

	(void)state;
	put(good, strlen(good));
	assert_int_equal(load(&s, &y, &error), DR_OK);
	assert_string_equal(s->about, "a line");
	assert_int_equal(s->accounts_count, 2);
	assert_string_equal(s->accounts[1], "kms1");
	assert_int_equal(s->council.members_count, 1);
	assert_string_equal(s->council.members[0], "alice 2");
	assert_int_equal(s->council.guardians_count, 0);
	assert_string_equal(s->council.quorum, "2");
	assert_string_equal(s->council.voting_period, "60");
	assert_int_equal(s->council.notices_count, 5);
	assert_string_equal(s->node, "kms1");
	assert_string_equal(s->start_time, "1767225600");
	assert_string_equal(s->requests, "r.yaml");
	assert_int_equal(s->steps_count, 3);
	assert_string_equal(s->steps[0].by, "alice");
	assert_string_equal(s->steps[0].call, "propose");
	assert_int_equal(s->steps[0].args_count, 2);
	assert_string_equal(s->steps[0].args[1], "v1");
	assert_string_equal(s->steps[0].more, "yes");
	assert_null(s->steps[0].refused);
	assert_string_equal(s->steps[1].value, "7");
	assert_string_equal(s->steps[1].refused, "yes");
	assert_int_equal(s->steps[1].args_count, 0);
	assert_null(s->steps[2].by);
	assert_int_equal(s->expect_count, 1);
	assert_int_equal(s->findings_count, 0);
	assert_string_equal(s->answers[0], "web deny root");
	assert_string_equal(s->divergences[0], "diverges root");
	assert_int_equal(s->end_count, 1);
	assert_string_equal(s->end[0], "final block 2");
	assert_null(s->played_by);
	dr_scenario_free(s, y);
}

/* What a script plays has no steps of its own, and nothing that goes with them. */
static void test_played_by(void **state)
{
	static const char *const rows[] = {
		"accounts: [alice]\n",
		"council: {members: [], guardians: [], quorum: 2, voting_period: 60, notices: []}\n",
		"node: kms1\n",
		"start_time: 1767225600\n",
		"steps: [{call: wait}]\n",
	};
	struct dr_yaml_error error;
	struct dr_scenario *s;
	struct dr_yaml *y;

	(void)state;
	put(played, strlen(played));
	assert_int_equal(load(&s, &y, &error), DR_OK);
	assert_string_equal(s->played_by, "a script");
	assert_null(s->steps);
	assert_string_equal(s->expect[0], "measurement.allow pending");
	assert_string_equal(s->end[0], "final block 2");
	dr_scenario_free(s, y);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[sizeof(played) + 128];
		const int len = snprintf(text, sizeof(text), "%s%s", played, rows[i]);

		put(text, (size_t)len);
		assert_int_equal(load(&s, &y, &error), DR_ERR_SYNTAX);
		assert_null(s);
		assert_non_null(strstr(error.text, "does not go with played_by"));
		dr_scenario_free(s, y);
	}
}

/* good with one text replaced by another. */
static void test_refused(void **state)
{
	static const struct {
		const char *name, *from, *to;
		bool loads;
	} rows[] = {
		{ "as it is", "about", "about", true },
		{ "without requests", "requests: r.yaml\n", "", true },
		{ "without about", "about: a line\n", "", false },
		{ "without accounts", "accounts: [alice, kms1]\n", "", false },
		{ "without quorum", "  quorum: 2\n", "", false },
		{ "without notices", "  notices: [1, 2, 3, 4, 5]\n", "", false },
		{ "without a council", COUNCIL, "", false },
		{ "without steps", STEPS, "", false },
		{ "played, and by a script", "about: a line\n", "about: a line\nplayed_by: a script\n", false },
		{ "without an end", "end: [final block 2]\n", "", true },
		{ "without node", "node: kms1\n", "", false },
		{ "without a time", "start_time: 1767225600\n", "", false },
		{ "a step without a call", "call: stake, ", "", false },
		{ "a step with an unknown key", "value: 7", "worth: 7", false },
		{ "an unknown key", "about:", "abort:", false },
		{ "a key twice", "node: kms1\n", "node: kms1\nnode: kms1\n", false },
		{ "a list that is a text", "accounts: [alice, kms1]", "accounts: alice", false },
		{ "steps that are none", "call: wait, args: [12]", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[sizeof(good) + 64];
		const char *at = strstr(good, rows[i].from);
		struct dr_yaml_error error;
		struct dr_scenario *s;
		struct dr_yaml *y;

		assert_non_null(at);
		const int len = snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, rows[i].to,
					 at + strlen(rows[i].from));

		put(text, (size_t)len);
		const enum dr_err err = load(&s, &y, &error);

		if ((err == DR_OK) != rows[i].loads)
			fail_msg("%s: %s %s", rows[i].name, dr_err_name(err), error.text);
		if (err != DR_OK) {
			assert_null(s);
			assert_true(error.text[0] != '\0');
		}
		dr_scenario_free(s, y);
	}
}

/* Cut anywhere it loads or is refused with a reason; nothing is leaked or read that is not there. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t len = 0; len < strlen(good); len++) {
		struct dr_yaml_error error;
		struct dr_scenario *s;
		struct dr_yaml *y;

		put(good, len);
		if (load(&s, &y, &error) != DR_OK) {
			assert_null(s);
			assert_true(error.text[0] != '\0');
		} else {
			assert_true(s->steps_count > 0);
		}
		dr_scenario_free(s, y);
	}
}

static void test_no_file(void **state)
{
	struct dr_yaml_error error;
	struct dr_scenario *s;
	struct dr_yaml *y = NULL;

	(void)state;
	assert_int_equal(dr_scenario_load(&s, &y, "/nonexistent/scenario", &error), DR_ERR_IO);
	assert_null(s);
	dr_scenario_free(s, y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key), cmocka_unit_test(test_played_by), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cut),       cmocka_unit_test(test_no_file),
	};
	const int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);

	unlink(path);
	return failed;
}
