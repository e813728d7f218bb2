/* SPDX-License-Identifier: Apache-2.0
 *
 * The planner's half for beacon nodes: two of them, on a chain of ours, told to have this flaw or that.
 */
#include "tests/unit/chain/beacon_forge.h"
#include "tests/unit/watcher/beacon_json.h"
#include "tests/unit/watcher/plan_notes.h"

#include "chain/base/hex.h"
#include "watcher/planner.h"

#define NODES 2u /* sources 1 and 2; 0 is an execution server that never answers */

enum flaw {
	NONE,
	OTHER_GENESIS,
	NO_GENESIS,
	TOO_FEW,         /* 21 of 32 signed whatever it tells */
	OTHER_BOOTSTRAP, /* of another block */
	SKIPS,           /* its first update is of the period after */
	ONE_BY_ONE,      /* one update at a time */
	NOT_FOUND,
	UNKNOWN_FORK, /* names one that is to come */
};

struct node {
	enum flaw flaw;
	uint64_t newest; /* the slot that its words are about */
	struct dr_rpc_call *calls;
	size_t num;
	char first[160]; /* the path of the first call, of the last exchange for data */
	unsigned pages, polls;
};

static struct dr_network net;
static struct forge_block *at[4]; /* of periods 3 to 6; each final in the next block of its period */
static struct node nodes[NODES];
static struct dr_plan *plan;
static uint64_t now;

#define FIRST 3u

static void net_set(void)
{
	static const uint8_t root[32] = { 0x5e };

	net = beacon_minimal(root);
	for (uint8_t i = 0; i < DR_BEACON_FORKS; i++) {
		const uint8_t version[4] = { i, 0, 0, 1 };

		beacon_fork_set(&net, i, 0, version);
	}
	for (uint64_t i = 0; i < 4; i++)
		at[i] = forge_block(&net, 0, (FIRST + i) * 64 + 8, NULL);
}

/* {version, data}, as a node answers it. */
static json_t *told(const struct node *n, const struct dr_beacon_item *item)
{
	const char *fork = n->flaw == UNKNOWN_FORK ? "gloas" : dr_beacon_fork_name(beacon_fork(item));

	return json_pack("{s:s, s:o}", "version", fork, "data", beacon_item_json(&net, item));
}

static json_t *update(const struct node *n, enum dr_lc_kind kind, uint64_t slot)
{
	const uint64_t period = dr_network_period(&net, slot);
	struct forge_block *b = forge_block(&net, 0, slot, at[period - FIRST]);
	struct dr_beacon_item item = { .kind = (enum dr_beacon_kind)kind, .update = forge_update(&net, kind, b) };

	if (n->flaw == TOO_FEW)
		forge_sign(&item.update, &net, period, 21);
	return told(n, &item);
}

static json_t *updates(const struct node *n, const char *path)
{
	unsigned long long first, num;
	json_t *list = json_array();

	assert_int_equal(sscanf(strchr(path, '?'), "?start_period=%llu&count=%llu", &first, &num), 2);
	if (n->flaw == SKIPS)
		first++;
	if (n->flaw == ONE_BY_ONE)
		num = 1;
	for (unsigned long long period = first; period < first + num && period < FIRST + 4; period++)
		json_array_append_new(list, update(n, DR_LC_UPDATE, period * 64 + 24));
	return list;
}

static json_t *genesis(const struct node *n)
{
	char root[67] = "0x", time[24];

	dr_hex_put(root + 2, net.genesis_validators_root, 32);
	snprintf(time, sizeof(time), "%llu",
		 (unsigned long long)net.genesis_time + (n->flaw == OTHER_GENESIS ? 1 : 0));
	return n->flaw == NO_GENESIS
		       ? json_object()
		       : json_pack("{s:{s:s, s:s}}", "data", "genesis_time", time, "genesis_validators_root", root);
}

/* The answer to a path; NULL: 404. */
static json_t *tell(struct node *n, const char *path)
{
	struct dr_beacon_item item = { .kind = DR_BEACON_BOOTSTRAP };

	if (strstr(path, "/beacon/genesis") != NULL)
		return genesis(n);
	if (n->flaw == NOT_FOUND)
		return NULL;
	n->polls += strstr(path, "/finality_update") != NULL;
	if (strstr(path, "/finality_update") != NULL)
		return update(n, DR_LC_FINALITY_UPDATE, n->newest);
	if (strstr(path, "/optimistic_update") != NULL)
		return update(n, DR_LC_OPTIMISTIC_UPDATE, n->newest);
	snprintf(n->first, sizeof(n->first), "%s", path);
	n->pages++;
	if (strstr(path, "/updates") != NULL)
		return updates(n, path);
	item.bootstrap = forge_bootstrap(&net, at[n->flaw == OTHER_BOOTSTRAP ? 1 : 0]);
	return told(n, &item);
}

/* Where serves is true, what source 0 was asked last. */
static struct dr_rpc_call *server;
static size_t server_num;
static bool serves;

static bool io_busy(void *ctx, uint16_t e)
{
	(void)ctx;
	return e > 0 ? nodes[e - 1].calls != NULL : server != NULL;
}

static void drop(struct dr_rpc_call *calls, size_t num)
{
	for (size_t i = 0; i < num; i++)
		dr_heap_free(calls[i].params);
	dr_heap_free(calls);
}

static enum dr_err io_post(void *ctx, uint16_t e, struct dr_rpc_call *calls, size_t num, struct dr_fail *fail)
{
	(void)ctx;
	(void)fail;
	if (e == 0 && serves) {
		server = calls;
		server_num = num;
		return DR_OK;
	}
	if (e == 0) {
		drop(calls, num); /* it is never heard of again */
		return DR_OK;
	}
	nodes[e - 1].calls = calls;
	nodes[e - 1].num = num;
	return DR_OK;
}

static uint32_t io_random(void *ctx)
{
	(void)ctx;
	return UINT32_MAX;
}

static void answer(uint16_t e)
{
	struct node *n = &nodes[e - 1];
	struct dr_rpc_exchange x = { .endpoint = e, .num = n->num, .calls = n->calls, .end = DR_RPC_RESULT };
	json_t **results = (json_t **)(void *)kit_alloc(n->num * sizeof(*results));
	struct dr_fail fail = { 0 };

	n->calls = NULL;
	for (size_t i = 0; i < x.num; i++) {
		x.calls[i].reply.result = results[i] = tell(n, x.calls[i].params);
		x.calls[i].end = x.calls[i].reply.result != NULL ? DR_RPC_RESULT : DR_RPC_NULL;
	}
	assert_int_equal(dr_plan_done(plan, &x, now, &fail), DR_OK);
	for (size_t i = 0; i < x.num; i++)
		json_decref(results[i]);
	drop(x.calls, x.num);
}

/* Lets ms pass in steps of 100, every node answering at once. */
static void run(uint64_t ms)
{
	struct dr_fail fail = { 0 };

	for (const uint64_t end = now + ms; now <= end; now += 100) {
		for (int again = 0; again < 8; again++) {
			assert_int_equal(dr_plan_tick(plan, now, &fail), DR_OK);
			for (uint16_t e = 1; e <= NODES; e++)
				if (nodes[e - 1].calls != NULL)
					answer(e);
		}
		notes_take(plan);
	}
}

static void message(void (*put)(struct dr_buf *buf, const void *what), const void *what)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_buf buf;
	uint16_t type;
	size_t used;

	dr_buf_init(&buf, 1 << 20);
	put(&buf, what);
	assert_int_equal(dr_msg_get(&type, &payload, &used, dr_buf_view(&buf), &fail), DR_OK);
	assert_int_equal(dr_plan_message(plan, type, payload, now, &fail), DR_OK);
	dr_buf_free(&buf);
}

static void put_want(struct dr_buf *buf, const void *what)
{
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_want_put(buf, DR_MSG_WANT, what, &fail), DR_OK);
}

static void put_refusal(struct dr_buf *buf, const void *what)
{
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_refusal_put(buf, DR_MSG_REFUSED, what, &fail), DR_OK);
}

static void want(uint32_t id, enum dr_want_kind kind, uint64_t first, uint64_t last)
{
	struct dr_want w = { .id = id, .kind = (uint8_t)kind, .first = first, .last = last };

	if (kind == DR_WANT_BOOTSTRAP)
		memcpy(w.hash, at[0]->root, 32);
	message(put_want, &w);
}

static void begin(enum flaw a, enum flaw b)
{
	struct dr_plan_config config = { .chain_id = 1,
					 .num_endpoints = 1,
					 .num_beacons = NODES,
					 .network = net,
					 .poll_ms = 1000,
					 .batch_requests = 50,
					 .final_tag = "finalized" };
	const struct dr_plan_io io = { .busy = io_busy, .post = io_post, .random = io_random };
	struct dr_fail fail = { 0 };
	uint8_t be[8];

	memset(nodes, 0, sizeof(nodes));
	nodes[0].flaw = a;
	nodes[1].flaw = b;
	nodes[0].newest = nodes[1].newest = FIRST * 64 + 40;
	num_notes = 0;
	now = 1000000;
	plan = dr_plan_new(&config, &io);
	assert_non_null(plan);
	dr_be64_put(be, 1 << 24);
	assert_int_equal(dr_plan_message(plan, DR_MSG_CREDIT, dr_bytes_of(be, 8), now, &fail), DR_OK);
}

static void end(void)
{
	dr_plan_free(plan);
	for (size_t i = 0; i < NODES; i++)
		if (nodes[i].calls != NULL)
			drop(nodes[i].calls, nodes[i].num);
}

/* How many frames of this kind came from this source. */
static size_t frames(uint16_t source, enum dr_beacon_kind kind)
{
	size_t num = 0;

	for (size_t i = 0; i < num_notes; i++)
		num += notes[i].type == DR_MSG_FRAME && notes[i].source == source &&
		       notes[i].frame_type == DR_FRAME_FINALITY && notes[i].payload.ptr[1] == kind;
	return num;
}

static bool is_told(uint16_t type, uint16_t source, const char *text)
{
	for (size_t i = 0; i < num_notes; i++)
		if (notes[i].type == type && notes[i].source == source && strcmp(notes[i].text, text) == 0)
			return true;
	return false;
}

static void test_genesis(void **state)
{
	(void)state;
	begin(OTHER_GENESIS, NO_GENESIS);
	want(1, DR_WANT_FINALITY, 0, 0);
	run(3000);
	assert_true(is_told(DR_MSG_ENDPOINT, 1, "has another genesis"));
	assert_true(is_told(DR_MSG_ENDPOINT, 2, "does not tell its genesis"));
	for (uint16_t e = 1; e <= NODES; e++)
		assert_int_equal(frames(e, DR_BEACON_FINALITY_UPDATE) + frames(e, DR_BEACON_OPTIMISTIC_UPDATE), 0);
	end();
}

/* Each word once, until there is another; or until the core refused it, which may have been too early. */
static void test_words(void **state)
{
	const struct dr_refusal early = { .want = 1, .source = 1, .err = DR_ERR_STALE, .what = "no" };

	(void)state;
	begin(NONE, NOT_FOUND);
	want(1, DR_WANT_FINALITY, 0, 0);
	run(5000);
	assert_int_equal(frames(1, DR_BEACON_FINALITY_UPDATE), 1);
	assert_int_equal(frames(1, DR_BEACON_OPTIMISTIC_UPDATE), 1);
	assert_true(is_told(DR_MSG_UNAVAILABLE, 2, "tells neither a finality update nor an optimistic one"));
	nodes[0].newest += 2;
	run(2000);
	assert_int_equal(frames(1, DR_BEACON_FINALITY_UPDATE), 2);
	message(put_refusal, &early);
	run(2000);
	assert_int_equal(frames(1, DR_BEACON_FINALITY_UPDATE), 3);
	assert_int_equal(frames(1, DR_BEACON_OPTIMISTIC_UPDATE), 3);
	end();
}

/* While the cursor climbs, the core wants finality under another number with every step. What comes is told under the
 * one that stands then, and nobody is asked more often. */
static void test_words_renamed(void **state)
{
	struct dr_fail fail = { 0 };
	uint32_t id = 1;

	(void)state;
	begin(NONE, NONE);
	want(id, DR_WANT_FINALITY, 0, 0);
	for (unsigned i = 0; i < 30; i++, now += 100) {
		const uint8_t be[4] = { 0, 0, 0, (uint8_t)id };

		assert_int_equal(dr_plan_tick(plan, now, &fail), DR_OK);
		id++;
		want(id, DR_WANT_FINALITY, id, id);
		assert_int_equal(dr_plan_message(plan, DR_MSG_CANCEL, dr_bytes_of(be, 4), now, &fail), DR_OK);
		for (uint16_t e = 1; e <= NODES; e++)
			if (nodes[e - 1].calls != NULL)
				answer(e);
		notes_take(plan);
	}
	for (uint16_t e = 1; e <= NODES; e++) {
		assert_in_range(nodes[e - 1].polls, 2, 4);
		assert_int_equal(frames(e, DR_BEACON_FINALITY_UPDATE), 1);
		assert_int_equal(frames(e, DR_BEACON_OPTIMISTIC_UPDATE), 1);
	}
	end();
}

/* An honest node tells what there is. The core is not to hold it against it. */
static void test_too_few(void **state)
{
	(void)state;
	begin(TOO_FEW, TOO_FEW);
	want(1, DR_WANT_FINALITY, 0, 0);
	want(2, DR_WANT_UPDATES, FIRST, FIRST + 1);
	run(5000);
	for (uint16_t e = 1; e <= NODES; e++) {
		assert_int_equal(frames(e, DR_BEACON_FINALITY_UPDATE) + frames(e, DR_BEACON_OPTIMISTIC_UPDATE) +
					 frames(e, DR_BEACON_UPDATE),
				 0);
		assert_true(is_told(DR_MSG_UNAVAILABLE, e, "has an update that fewer than two thirds signed"));
		assert_false(is_told(DR_MSG_UNAVAILABLE, e, "tells neither a finality update nor an optimistic one"));
	}
	nodes[0].flaw = NONE;
	run(2000);
	assert_int_equal(frames(1, DR_BEACON_FINALITY_UPDATE), 1);
	end();
}

static void test_reason(void **state)
{
	(void)state;
	begin(UNKNOWN_FORK, NONE);
	want(1, DR_WANT_FINALITY, 0, 0);
	run(1000);
	assert_true(is_told(DR_MSG_UNAVAILABLE, 1,
			    "tells neither a finality update nor an optimistic one: unknown fork"));
	assert_true(
		is_told(DR_MSG_ENDPOINT, 1, "tells neither a finality update nor an optimistic one: unknown fork"));
	assert_int_equal(frames(2, DR_BEACON_FINALITY_UPDATE), 1);
	end();
}

static void test_bootstrap(void **state)
{
	(void)state;
	begin(OTHER_BOOTSTRAP, NONE);
	want(1, DR_WANT_BOOTSTRAP, 0, 0);
	run(3000);
	assert_int_equal(frames(1, DR_BEACON_BOOTSTRAP), 0);
	assert_int_equal(frames(2, DR_BEACON_BOOTSTRAP), 1);
	end();
	begin(OTHER_BOOTSTRAP, NOT_FOUND);
	want(1, DR_WANT_BOOTSTRAP, 0, 0);
	run(3000);
	assert_int_equal(frames(1, DR_BEACON_BOOTSTRAP), 0);
	assert_true(is_told(DR_MSG_UNAVAILABLE, 1, "answers with another block than the checkpoint's"));
	assert_true(is_told(DR_MSG_UNAVAILABLE, 2, "bootstrap: answered null"));
	end();
}

static void test_updates(void **state)
{
	(void)state;
	begin(NONE, NOT_FOUND);
	want(1, DR_WANT_UPDATES, FIRST, FIRST + 3);
	run(3000);
	assert_int_equal(frames(1, DR_BEACON_UPDATE), 4);
	end();
	/* What is lacking is asked for next. */
	begin(ONE_BY_ONE, NOT_FOUND);
	want(1, DR_WANT_UPDATES, FIRST, FIRST + 3);
	run(3000);
	assert_int_equal(frames(1, DR_BEACON_UPDATE), 4);
	assert_int_equal(nodes[0].pages, 4);
	assert_string_equal(nodes[0].first, "/eth/v1/beacon/light_client/updates?start_period=6&count=1");
	end();
	begin(SKIPS, SKIPS);
	want(1, DR_WANT_UPDATES, FIRST, FIRST + 2);
	run(3000);
	for (uint16_t e = 1; e <= NODES; e++) {
		assert_int_equal(frames(e, DR_BEACON_UPDATE), 0);
		assert_true(is_told(DR_MSG_UNAVAILABLE, e, "answers with other periods than asked for"));
	}
	end();
	begin(NONE, NOT_FOUND);
	want(1, DR_WANT_UPDATES, FIRST + 4, FIRST + 200);
	run(3000);
	assert_string_equal(nodes[0].first, "/eth/v1/beacon/light_client/updates?start_period=7&count=128");
	assert_true(is_told(DR_MSG_UNAVAILABLE, 1, "has no update of these periods"));
	end();
}

/* What beacon nodes cannot tell is not shared out among them. */
static void test_share(void **state)
{
	json_t *genesis_block =
		json_pack("{s:s}", "hash", "0x0000000000000000000000000000000000000000000000000000000000000000");
	json_t *chain_id = json_string("0x1");
	struct dr_fail fail = { 0 };

	(void)state;
	begin(NONE, NONE);
	serves = true;
	want(1, DR_WANT_FINALITY, 0, 0);
	run(0);
	assert_int_equal(server_num, 2);
	server[0].end = server[1].end = DR_RPC_RESULT;
	server[0].reply.result = chain_id;
	server[1].reply.result = genesis_block;
	struct dr_rpc_exchange x = { .num = 2, .calls = server, .end = DR_RPC_RESULT };

	server = NULL;
	assert_int_equal(dr_plan_done(plan, &x, now, &fail), DR_OK);
	drop(x.calls, x.num);
	for (uint32_t id = 2; id < 26; id++)
		want(id, DR_WANT_RECEIPTS, id, id);
	assert_int_equal(dr_plan_tick(plan, now, &fail), DR_OK);
	assert_non_null(server);
	assert_int_equal(server_num, 2 * 24);
	drop(server, server_num);
	server = NULL;
	serves = false;
	json_decref(genesis_block);
	json_decref(chain_id);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_renamed), cmocka_unit_test(test_share),   cmocka_unit_test(test_genesis),
		cmocka_unit_test(test_words),         cmocka_unit_test(test_too_few), cmocka_unit_test(test_reason),
		cmocka_unit_test(test_bootstrap),     cmocka_unit_test(test_updates),
	};

	net_set();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
