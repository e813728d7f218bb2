/* SPDX-License-Identifier: Apache-2.0
 *
 * What this node does with root generations, on a forged chain and a real store: it makes one only if it is named,
 * and destroys one only on the council's own word, and never without saying so.
 */
#include "tests/unit/kms-bridge/engine_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kms-bridge/core/core.h"

static struct world w;
static struct dr_core c;
static struct dr_init init;
static char dir[64];
static unsigned destroyed;

/* What is said waits in c.held for the commit, and then goes out here. */
static void hear(void)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes rest, payload;
	struct dr_entry entry;
	struct dr_note note;
	uint16_t type;
	size_t used;

	for (rest = dr_buf_view(&c.control.out); rest.len > 0; rest = dr_bytes_of(rest.ptr + used, rest.len - used)) {
		assert_int_equal(dr_msg_get(&type, &payload, &used, rest, &fail), DR_OK);
		if (type != DR_MSG_JOURNAL)
			continue;
		assert_int_equal(dr_entry_get(&entry, payload, &fail), DR_OK);
		assert_int_equal(dr_note_decode(&note, entry.leaf, &fail), DR_OK);
		destroyed += note.kind == DR_NOTE_ROOT && strstr(note.detail, "destroyed here") != NULL;
	}
	dr_buf_drop(&c.control.out, c.control.out.len);
}

static void feed(void *ctx, const struct dr_frame *frame)
{
	enum dr_take take;

	(void)ctx;
	assert_int_equal(dr_core_feed(&c, &take, NULL, frame), DR_OK);
}

/* Up to the chain's tip; then what a turn of the loop does. */
static void follow(void)
{
	static struct dr_want wants[DR_WANTS_MAX];

	w.forge->final_number = w.tip->header.number;
	assert_int_equal(dr_engine_clock(c.engine, 5000, w.tip->header.timestamp * 1000, &c.fail), DR_OK);
	for (int round = 0; round < 50 && c.final_number < w.forge->final_number; round++)
		for (size_t i = 0, num = dr_engine_wants(c.engine, wants, DR_WANTS_MAX); i < num; i++)
			forge_answer(w.forge, &wants[i], feed, NULL);
	assert_int_equal(c.final_number, w.forge->final_number);
	assert_int_equal(dr_core_roots_step(&c), DR_OK);
	assert_int_equal(dr_core_commit(&c), DR_OK);
	hear();
}

static void begin(uint8_t node)
{
	world_new(&w, 70);
	ek_init(&init, &w, DR_WAY_BLOOM, 512);
	memset(init.node, node, 20);
	strcpy(dir, "/tmp/derot-test-roots-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(init.data_dir, sizeof(init.data_dir), "%s/data", dir);
	snprintf(init.key_file, sizeof(init.key_file), "%s/key", dir);
	c = (struct dr_core){ .init = init };
	destroyed = 0;
	dr_channel_init(&c.control, -1);
	dr_channel_init(&c.watch, -1);
	dr_buf_init(&c.held, 1u << 24);
	dr_buf_init(&c.frame, DR_FRAME_LEN_MAX + DR_EVIDENCE_FRAME_OVERHEAD);
	assert_int_equal(dr_core_open_store(&c, false), DR_OK);
	assert_int_equal(dr_core_new_engine(&c), DR_OK);
	assert_int_equal(dr_core_roots_open(&c), DR_OK);
	assert_int_equal(dr_engine_start(c.engine, 5000, w.tip->header.timestamp * 1000, &c.fail), DR_OK);
	follow();
	/* A second generation, of which NODE is to be the holder. */
	const struct w words[] = { kit_n(2), kit_a(NODE), kit_n(w.k->time + 10000) };

	world_pass(&w, DR_ACTION_ROOT_ROTATE, NOTICE_ROOT, words, 3);
	world_block(&w, 1);
	follow();
	assert_false(dr_keys_held(c.keys, 2));
	world_block(&w, NOTICE_ROOT);
	follow();
}

static void end(void)
{
	char command[128];

	dr_keys_free(c.keys);
	dr_engine_free(c.engine);
	dr_store_close(c.store);
	dr_channel_close(&c.control);
	dr_buf_free(&c.held);
	dr_buf_free(&c.frame);
	world_free(&w);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

static void test_named(void **state)
{
	(void)state;
	begin(NODE);
	assert_true(dr_keys_held(c.keys, 2));
	end();
	begin(NODE2);
	assert_false(dr_keys_held(c.keys, 2));
	end();
}

static void test_destroyed(void **state)
{
	const struct w two = kit_n(2);
	struct w words[3];

	(void)state;
	begin(NODE);
	assert_true(dr_keys_held(c.keys, 2));
	/* A retirement without authority withholds it. It is kept: nobody could bring it back. */
	kit_act(w.k, DR_ACTION_ROOT_RETIRE, 0, EVE, 0, &two, 1);
	world_block(&w, 1);
	follow();
	assert_true(dr_keys_held(c.keys, 2));
	assert_int_equal(destroyed, 0);
	/* The council's own. */
	words[0] = kit_n(3);
	words[1] = kit_a(NODE);
	words[2] = kit_n(w.k->time + 10000);
	world_pass(&w, DR_ACTION_ROOT_ROTATE, NOTICE_ROOT, words, 3);
	world_block(&w, 1);
	world_block(&w, NOTICE_ROOT);
	follow();
	assert_true(dr_keys_held(c.keys, 3));
	words[0] = kit_n(3);
	world_pass(&w, DR_ACTION_ROOT_RETIRE, 0, words, 1);
	world_block(&w, 1);
	follow();
	assert_false(dr_keys_held(c.keys, 3));
	assert_true(dr_keys_held(c.keys, 2));
	assert_int_equal(destroyed, 1);
	end();
}

/* A store whose ledger has an entry more than its evidence gives, all hashes kept up: the refold tells. */
static void test_refold(void **state)
{
	(void)state;
	for (int more = 0; more <= 1; more++) {
		struct dr_store_marks marks;
		struct dr_entry entry;

		begin(NODE);
		marks = *dr_store_marks(c.store);
		entry = (struct dr_entry){ .idx = dr_store_log_edge(c.store, DR_LOG_LEDGER)->size,
					   .leaf = dr_bytes_of("x", 1) };
		dr_merkle_leaf(entry.leaf_hash, entry.leaf);
		if (more == 1)
			assert_int_equal(dr_store_log_add(c.store, DR_LOG_LEDGER, &entry, &c.fail), DR_OK);
		assert_int_equal(dr_store_commit(c.store, &marks, &c.fail), DR_OK);
		dr_engine_free(c.engine);
		dr_store_close(c.store);
		c.engine = NULL;
		assert_int_equal(dr_core_open_store(&c, false), DR_OK);
		assert_int_equal(dr_core_new_engine(&c), DR_OK);
		assert_int_equal(dr_core_refold(&c), more == 1 ? DR_ERR_PROOF : DR_OK);
		if (more == 1)
			assert_non_null(strstr(c.why, "the ledger folded anew"));
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_named), cmocka_unit_test(test_destroyed),
					    cmocka_unit_test(test_refold) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
