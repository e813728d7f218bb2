/* SPDX-License-Identifier: Apache-2.0
 *
 * What a node's heartbeat on chain says of its data directory, and what it no longer says.
 */
#include "tests/unit/kms-bridge/store_kit.h"

#include "chain/crypto/sha256.h"
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

/* A nonce that anybody makes of a journal that he read says nothing for a copy of it: this journal must say next that
 * it drew it. */
static void test_drawn_here(void **state)
{
	struct dr_note note = { .kind = DR_NOTE_HEARTBEAT, .detail = "drawn" };
	uint8_t input[18 + 8 + 20 + 20 + 8 + 32] = "derot-heartbeat-v1", hash[32], leaf[DR_NOTE_LEN_MAX];
	struct dr_entry entry = { .idx = 1 };
	size_t len;

	(void)state;
	for (int drawn = 0; drawn <= 1; drawn++) {
		remove_dir(state);
		fresh_dir(state);
		memset(&c, 0, sizeof(c));
		memset(&s, 0, sizeof(s));
		c.init.node[0] = 7;
		c.init.chain_id = 5;
		c.store = open_store();
		add_entry(c.store, DR_LOG_JOURNAL, "one");
		dr_be64_put(input + 18, 5);
		memcpy(input + 18 + 8 + 20, c.init.node, 20);
		dr_be64_put(input + 18 + 8 + 40, 1);
		dr_merkle_root(input + 18 + 8 + 48, dr_store_log_edge(c.store, DR_LOG_JOURNAL));
		dr_sha256_one(hash, input, sizeof(input));
		dr_be64_put(nonce, 1);
		memcpy(nonce + 8, hash, 24);
		memcpy(note.hash, nonce, 32);
		note.hash[0] ^= drawn == 1 ? 0 : 1;
		assert_int_equal(dr_note_encode(leaf, sizeof(leaf), &len, &note, &fail), DR_OK);
		entry.leaf = dr_bytes_of(leaf, len);
		dr_merkle_leaf(entry.leaf_hash, entry.leaf);
		assert_int_equal(dr_store_log_add(c.store, DR_LOG_JOURNAL, &entry, &fail), DR_OK);
		dr_state_put_heartbeat(&s, c.init.node, nonce, &fail);
		expect(drawn == 1 ? NULL : "another journal");
		dr_state_drop(&s);
		dr_store_close(c.store);
	}
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
	const struct CMUnitTest tests[] = { T(test_rolled_back), T(test_drawn_here), T(test_read_again) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
