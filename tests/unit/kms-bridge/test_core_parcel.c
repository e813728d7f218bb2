/* SPDX-License-Identifier: Apache-2.0
 *
 * What leaves, a root for another node or keys, on a forged chain, a real store and clocks of the test's own: not
 * while sealed, not when a disk that stands still lets the lease run out, and never without its journal entry. What
 * is told of the logs is durable.
 */
#include "tests/unit/kms-bridge/engine_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kms-bridge/core/core.h"

static struct world w;
static struct dr_core c;
static struct dr_client client;
static char dir[64];
static uint64_t boot_ms, wall_ms, stall_s; /* stall_s: what a sync takes, after the next stall_after ones */
static unsigned stall_after;

/* Everybody's clock in this process, and SQLite's syncs. */
int clock_gettime(clockid_t id, struct timespec *out)
{
	const uint64_t ms = id == CLOCK_REALTIME ? wall_ms : boot_ms;

	*out = (struct timespec){ (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };
	return 0;
}

static void pass(uint64_t seconds)
{
	boot_ms += seconds * 1000;
	wall_ms += seconds * 1000;
}

int fdatasync(int fd);
int fdatasync(int fd)
{
	(void)fd;
	if (stall_after > 0) {
		stall_after--;
		return 0;
	}
	pass(stall_s);
	stall_s = 0;
	return 0;
}

int fsync(int fd);
int fsync(int fd)
{
	return fdatasync(fd);
}

static void feed(void *ctx, const struct dr_frame *frame)
{
	enum dr_take take;

	(void)ctx;
	assert_int_equal(dr_core_feed(&c, &take, NULL, frame), DR_OK);
}

/* Up to the chain's tip, at its time; then what a turn of the loop does. */
static void follow(void)
{
	static struct dr_want wants[DR_WANTS_MAX];
	const uint64_t tip_ms = w.tip->header.timestamp * 1000;

	if (tip_ms > wall_ms)
		pass((tip_ms - wall_ms) / 1000);
	w.forge->final_number = w.tip->header.number;
	assert_int_equal(dr_core_tick(&c, true), DR_OK);
	for (int round = 0; round < 50; round++)
		for (size_t i = 0, num = dr_engine_wants(c.engine, wants, DR_WANTS_MAX); i < num; i++)
			forge_answer(w.forge, &wants[i], feed, NULL);
	assert_int_equal(c.final_number, w.forge->final_number);
	assert_int_equal(dr_core_roots_step(&c), DR_OK);
	assert_int_equal(dr_core_commit(&c), DR_OK);
	dr_buf_drop(&c.control.out, c.control.out.len);
}

static void order(enum dr_action action, uint64_t notice, const struct w *words, size_t num)
{
	world_pass(&w, action, notice, words, num);
	world_block(&w, 1);
	world_block(&w, notice);
}

/* The generation that this core made is published by its node. */
static void publish(void)
{
	struct dr_root_public root;
	struct w words[11], key = kit_n(1), value;
	uint8_t pubs[64];

	assert_int_equal(dr_core_root_public(&c, 1, &root), DR_OK);
	assert_int_equal(root.generation, 1);
	words[0] = kit_n(1);
	memcpy(words[1].b, root.words, sizeof(root.words));
	kit_act(w.k, DR_ACTION_ROOT_PUBLISH, 0, NODE, 0, words, 11);
	memcpy(pubs, root.words[1], 32);
	memcpy(pubs + 32, root.words[4], 32);
	dr_keccak256(value.b, pubs, 64);
	world_slot(&w, 5, &key, NULL, value.b);
	world_block(&w, 1);
}

static void open_core(void)
{
	static struct dr_init init;

	ek_init(&init, &w, DR_WAY_BLOOM, 512);
	strcpy(dir, "/tmp/derot-test-parcel-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(init.data_dir, sizeof(init.data_dir), "%s/data", dir);
	snprintf(init.key_file, sizeof(init.key_file), "%s/key", dir);
	boot_ms = 5000;
	wall_ms = w.tip->header.timestamp * 1000;
	stall_s = 0;
	c = (struct dr_core){ .init = init };
	client = (struct dr_client){ 0 };
	dr_channel_init(&c.control, -1);
	dr_channel_init(&c.watch, -1);
	dr_channel_init(&client.ch, -1);
	dr_buf_init(&c.held, 1u << 24);
	dr_buf_init(&c.frame, DR_FRAME_LEN_MAX + DR_EVIDENCE_FRAME_OVERHEAD);
	assert_int_equal(dr_core_open_store(&c, false), DR_OK);
	assert_int_equal(dr_core_new_engine(&c), DR_OK);
	assert_int_equal(dr_core_roots_open(&c), DR_OK);
	assert_int_equal(dr_engine_start(c.engine, boot_ms, wall_ms, &c.fail), DR_OK);
}

/* NODE's root is published, and NODE2 is given it by the council. */
static int begin(void **state)
{
	const struct w measurement = kit_b(KMS);
	const struct w rotate[] = { kit_n(1), kit_a(NODE), kit_n(1000000 + 10000) };
	const struct w share[] = { kit_n(1), kit_a(NODE2) };
	struct w value;

	(void)state;
	srand(1);
	w = (struct world){ .forge = forge_new(3), .k = kit_new() };
	w.k->number = START - 1;
	w.k->time = 1000000 - 1;
	w.k->fold.start_number = START;
	kit_founders(w.k, w.k->time + 1);
	ACT(w.k, DR_ACTION_CONSTITUTE, 0, 0, 0, kit_n(VOTING));
	world_block(&w, 1);
	kit_node(w.k, NODE, DR_ROLE_KMS, KMS, 5);
	kit_node(w.k, NODE2, DR_ROLE_KMS, KMS, 5);
	world_block(&w, 1);
	world_pass(&w, DR_ACTION_MEASUREMENT_ALLOW, NOTICE_MEASUREMENT, &measurement, 1);
	value = kit_n(w.k->time + 1 + NOTICE_MEASUREMENT);
	world_slot(&w, 2, &measurement, NULL, value.b);
	world_block(&w, 1);
	open_core();
	order(DR_ACTION_ROOT_ROTATE, NOTICE_ROOT, rotate, 3);
	follow();
	publish();
	follow();
	order(DR_ACTION_ROOT_SHARE, NOTICE_ROOT, share, 2);
	follow();
	return 0;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	dr_keys_free(c.keys);
	dr_engine_free(c.engine);
	dr_store_close(c.store);
	dr_channel_close(&c.control);
	dr_channel_close(&client.ch);
	dr_buf_free(&c.held);
	dr_buf_free(&c.frame);
	world_free(&w);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	return 0;
}

/* Asks for the root, for `node`. A parcel: NULL; otherwise what the error says. */
static const char *ask(uint8_t node)
{
	static struct dr_error error;
	struct dr_parcel_query query = { .generation = 1 };
	struct dr_bytes payload;
	struct dr_buf message;
	uint16_t type;
	size_t used;

	memcpy(query.node, kit_id(node), 20);
	dr_buf_init(&message, 4096);
	assert_int_equal(dr_parcel_query_put(&message, DR_MSG_PARCEL_GET, &query, &c.fail), DR_OK);
	assert_int_equal(dr_msg_get(&type, &payload, &used, dr_buf_view(&message), &c.fail), DR_OK);
	assert_true(dr_core_take_parcel_get(&c, &client, payload));
	dr_buf_free(&message);
	assert_int_equal(c.fail.err, DR_OK);
	assert_int_equal(dr_msg_get(&type, &payload, &used, dr_buf_view(&client.ch.out), &c.fail), DR_OK);
	assert_int_equal(used, client.ch.out.len);
	error = (struct dr_error){ 0 };
	if (type != DR_MSG_PARCEL) {
		assert_int_equal(type, DR_MSG_ERROR);
		assert_int_equal(dr_error_get(&error, payload, &c.fail), DR_OK);
	}
	dr_buf_drop(&client.ch.out, client.ch.out.len);
	return type == DR_MSG_PARCEL ? NULL : error.what;
}

/* Entries of the journal that were said since: what waits for its commit is not among them. */
static size_t told(const char *what)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes rest, payload;
	struct dr_entry entry;
	struct dr_note note;
	uint16_t type;
	size_t used, num = 0;

	for (rest = dr_buf_view(&c.control.out); rest.len > 0; rest = dr_bytes_of(rest.ptr + used, rest.len - used)) {
		assert_int_equal(dr_msg_get(&type, &payload, &used, rest, &fail), DR_OK);
		if (type != DR_MSG_JOURNAL)
			continue;
		assert_int_equal(dr_entry_get(&entry, payload, &fail), DR_OK);
		assert_int_equal(dr_note_decode(&note, entry.leaf, &fail), DR_OK);
		num += strstr(note.detail, what) != NULL;
	}
	return num;
}

static void test_journal(void **state)
{
	(void)state;
	assert_null(ask(NODE2));
	assert_int_equal(told("root generation 1 asked for node 0x"), 1);
	assert_int_equal(told("root generation 1 encrypted to node 0x"), 1);
	assert_non_null(ask(EVE));
	assert_int_equal(told("root generation 1 asked for node 0x"), 2);
	assert_int_equal(told("root generation 1 encrypted to node 0x"), 1);
}

static void test_sealed(void **state)
{
	(void)state;
	pass(LEASE_S);
	assert_null(ask(NODE2));
	pass(1);
	assert_non_null(strstr(ask(NODE2), "sealed: "));
	assert_int_equal(told("root generation 1 encrypted to node 0x"), 1);
}

/* What was allowed when it was asked is not carried out after the disk stood still until the lease was over. */
static void test_stalled(void **state)
{
	(void)state;
	stall_s = LEASE_S;
	assert_null(ask(NODE2));
	assert_int_equal(stall_s, 0);
	world_block(&w, LEASE_S);
	follow();
	stall_s = LEASE_S + 1;
	assert_non_null(strstr(ask(NODE2), "sealed: "));
	assert_int_equal(stall_s, 0);
	assert_int_equal(told("root generation 1 encrypted to node 0x"), 0);
	/* Nor when it stands still while the release is written: the journal says that it was, and that it was not.
	 */
	world_block(&w, LEASE_S + 1);
	follow();
	stall_after = 1;
	stall_s = LEASE_S + 1;
	assert_non_null(strstr(ask(NODE2), "sealed: "));
	assert_int_equal(stall_s, 0);
	assert_int_equal(told("root generation 1 encrypted to node 0x"), 1);
	assert_int_equal(told("root generation 1 withheld from node 0x"), 1);
	world_block(&w, LEASE_S + 1);
	follow();
	assert_null(ask(NODE2));
}

/* It says who lacks what: the other node, or this one. */
static void test_whose(void **state)
{
	const char *const other[] = { "The node named is not registered on chain",
				      "The measurement of the node named is not allowed",
				      "The hardware of the node named is blacklisted",
				      "The node named was not given that root generation" };

	const struct w kind = kit_n(DR_HARDWARE_SVN), family = kit_b(0xfa);

	(void)state;
	kit_node(w.k, DEPLOYER, DR_ROLE_KMS, OLD, 5);
	kit_node(w.k, GUARDIAN, DR_ROLE_KMS, KMS, 3);
	kit_node(w.k, CAROL, DR_ROLE_KMS, KMS, 5);
	ACT(w.k, DR_ACTION_HARDWARE_BLACKLIST, 0, GUARDIAN, 0, kind, family, kit_n(4));
	world_slot(&w, 4, &kind, &family, kit_n(5).b);
	world_block(&w, 1);
	follow();
	assert_non_null(strstr(ask(EVE), other[0]));
	assert_non_null(strstr(ask(DEPLOYER), other[1]));
	assert_non_null(strstr(ask(GUARDIAN), other[2]));
	assert_non_null(strstr(ask(CAROL), other[3]));
	assert_null(ask(NODE2));
	/* Registered anew, this node holds nothing any more; with another build it has no right either. */
	kit_node(w.k, NODE, DR_ROLE_KMS, KMS, 5);
	world_block(&w, 1);
	follow();
	assert_non_null(strstr(ask(NODE2), "This KMS node was not given that root generation"));
	assert_non_null(strstr(ask(EVE), other[0]));
	kit_node(w.k, NODE, DR_ROLE_KMS, OLD, 5);
	world_block(&w, 1);
	follow();
	assert_non_null(strstr(ask(EVE), "The measurement of this KMS node is not allowed"));
}

/* The next answer, taken off. */
static uint16_t answered(uint8_t *to, size_t cap, size_t *len)
{
	struct dr_bytes payload;
	uint16_t type;
	size_t used;

	assert_int_equal(dr_msg_get(&type, &payload, &used, dr_buf_view(&client.ch.out), &c.fail), DR_OK);
	assert_true(used > 0 && payload.len <= cap);
	memcpy(to, payload.ptr, payload.len);
	*len = payload.len;
	dr_buf_drop(&client.ch.out, used);
	return type;
}

/* Two key requests in one batch; what is answered to both. */
static uint16_t ask_keys(struct dr_error *error)
{
	const struct dr_request request = world_request();
	uint8_t bytes[DR_REQUEST_LEN_MAX], got[1024];
	uint16_t types[2];
	size_t len;

	assert_int_equal(dr_request_encode(bytes, sizeof(bytes), &len, &request, &c.fail), DR_OK);
	for (size_t i = 0; i < 2; i++)
		assert_true(dr_core_take_key_get(&c, &client, dr_bytes_of(bytes, len)));
	assert_int_equal(dr_core_keys_flush(&c), DR_OK);
	for (size_t i = 0; i < 2; i++) {
		types[i] = answered(got, sizeof(got), &len);
		if (types[i] == DR_MSG_ERROR)
			assert_int_equal(dr_error_get(error, dr_bytes_of(got, len), &c.fail), DR_OK);
	}
	assert_int_equal(types[0], types[1]);
	assert_int_equal(client.ch.out.len, 0);
	return types[0];
}

static void test_keys_stalled(void **state)
{
	const struct w app = kit_b(APP), version = kit_b(VERSION);
	const uint64_t due = w.k->time + 1 + APP_NOTICE;
	struct dr_error error = { 0 };

	(void)state;
	ACT(w.k, DR_ACTION_APP_REGISTER, 0, DEPLOYER, 0, app, kit_b(0x0c), kit_n(APP_NOTICE), kit_n(3));
	ACT(w.k, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, DEPLOYER, due, app, version);
	world_slot(&w, 3, &app, &version, kit_n(due).b);
	world_block(&w, 1);
	world_block(&w, APP_NOTICE);
	follow();
	assert_int_equal(ask_keys(&error), DR_MSG_KEY);
	assert_int_equal(told("key released"), 2);
	/* The disk stands still while the releases are written. What was withheld is durable when it is said. */
	stall_after = 1;
	stall_s = LEASE_S + 1;
	assert_int_equal(ask_keys(&error), DR_MSG_ERROR);
	assert_non_null(strstr(error.what, "sealed: "));
	assert_int_equal(stall_s, 0);
	assert_int_equal(told("key released"), 4);
	assert_int_equal(told("withheld after all: sealed: "), 2);
}

/* What is told of the logs and of the evidence is on the disk: a core that dies now had it. */
static void test_told_is_durable(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t payload[17], len;
	} asks[] = { { DR_MSG_LOG_GET, { 1 }, 17 },
		     { DR_MSG_EVIDENCE_GET, { 0 }, 0 },
		     { DR_MSG_STATUS_GET, { 0 }, 0 } };
	static struct dr_status_report status;
	static uint8_t got[1u << 16];
	const struct dr_request request = world_request();
	struct dr_decision decision;

	(void)state;
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		struct dr_core other = { .init = c.init };
		uint16_t type;
		uint64_t idx;
		size_t len;

		/* A frame and an entry that wait for their commit. */
		assert_int_equal(dr_engine_request(c.engine, &decision, &idx, &request, &c.fail), DR_OK);
		assert_true(
			dr_core_client_take(&c, &client, asks[i].type, dr_bytes_of(asks[i].payload, asks[i].len)));
		do {
			assert_int_equal(dr_core_client_more(&c, &client), DR_OK);
			type = answered(got, sizeof(got), &len);
		} while (type != DR_MSG_LOG_END && type != DR_MSG_STATUS);
		assert_int_equal(dr_core_open_store(&other, true), DR_OK);
		const struct dr_merkle *edge = dr_store_log_edge(other.store, DR_LOG_JOURNAL);
		uint8_t root[32];

		dr_merkle_root(root, edge);
		if (asks[i].type == DR_MSG_EVIDENCE_GET) {
			assert_int_equal(dr_be64_get(got), dr_store_evidence_num(other.store));
		} else if (asks[i].type == DR_MSG_LOG_GET) {
			assert_int_equal(dr_be64_get(got), edge->size);
			assert_memory_equal(got + 8, root, 32);
		} else {
			assert_int_equal(dr_status_report_get(&status, dr_bytes_of(got, len), &c.fail), DR_OK);
			assert_int_equal(status.journal_size, edge->size);
			assert_memory_equal(status.journal_root, root, 32);
		}
		dr_store_close(other.store);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_journal, begin, end),
					    cmocka_unit_test_setup_teardown(test_whose, begin, end),
					    cmocka_unit_test_setup_teardown(test_sealed, begin, end),
					    cmocka_unit_test_setup_teardown(test_stalled, begin, end),
					    cmocka_unit_test_setup_teardown(test_keys_stalled, begin, end),
					    cmocka_unit_test_setup_teardown(test_told_is_durable, begin, end) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
