/* SPDX-License-Identifier: Apache-2.0
 *
 * What a node's heartbeat on chain says of its data directory, and what it no longer says.
 */
#include "tests/unit/kms-bridge/store_kit.h"

#include "governance/state_put.h"
#include "kms-bridge/core/core.h"

static struct dr_core c;
static struct dr_state s;
static uint8_t nonce[32];

static void expect(const char *what)
{
	const char *got = dr_core_rolled_back(&c, &s);

	if ((what == NULL) != (got == NULL) || (what != NULL && strstr(got, what) == NULL))
		fail_msg("got: %s", got != NULL ? got : "nothing");
	/* Nothing else is remembered. */
	assert_ptr_equal(c.heartbeat_why, got);
}

static void beat(uint64_t size, uint8_t rest)
{
	memset(nonce, rest, 32);
	dr_be64_put(nonce, size);
	dr_state_put_heartbeat(&s, c.init.node, nonce, &fail);
	assert_int_equal(fail.err, DR_OK);
}

static void test_rolled_back(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	memset(&s, 0, sizeof(s));
	c.init.node[0] = 7;
	c.store = open_store();
	add_entry(c.store, DR_LOG_JOURNAL, "one");
	expect(NULL);
	beat(2, 1);
	expect("longer journal");
	expect("longer journal");
	beat(1, 1);
	expect("another journal");
	/* The node registered anew: it begins anew, and without a restart. */
	dr_state_del_heartbeat(&s, c.init.node, &fail);
	expect(NULL);
	beat(0, 1);
	expect("another journal");
	dr_state_drop(&s);
	dr_store_close(c.store);
}

/* A store that could not be read once is asked again. */
static void test_read_again(void **state)
{
	const struct dr_store_marks marks = marks_at(9);

	(void)state;
	memset(&c, 0, sizeof(c));
	memset(&s, 0, sizeof(s));
	c.store = open_store();
	for (unsigned i = 0; i < 3; i++)
		add_entry(c.store, DR_LOG_JOURNAL, "one");
	assert_int_equal(dr_store_commit(c.store, &marks, &fail), DR_OK);
	beat(2, 1);
	edit("UPDATE journal_node SET seq = 99 WHERE seq = 0");
	expect("could not be held against");
	edit("UPDATE journal_node SET seq = 0 WHERE seq = 99");
	expect("another journal");
	dr_state_drop(&s);
	dr_store_close(c.store);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh_dir, remove_dir)
	const struct CMUnitTest tests[] = { T(test_rolled_back), T(test_read_again) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
