/* SPDX-License-Identifier: Apache-2.0
 *
 * What a block's evidence may take of memory is capped: with less than it needs it is refused as that, whatever step
 * it stops in, and the block stays as it was; with enough of it the same evidence proves the block.
 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/evm/follow_in.h"
#include "chain/evm/receipt.h"

static const uint8_t contract[20] = { 0xc0 };

struct evidence {
	struct dr_node nodes[2];
	uint8_t payload[4096];
	size_t len;
};

static void put(struct evidence *e, const void *bytes, size_t len)
{
	assert_true(len <= sizeof(e->payload) - e->len);
	memcpy(e->payload + e->len, bytes, len);
	e->len += len;
}

static void put_number(struct evidence *e, uint64_t n, size_t len)
{
	uint8_t be[8];

	dr_be64_put(be, n);
	put(e, be + 8 - len, len);
}

static void make_receipts(struct evidence *e)
{
	static const uint8_t no_hash[32];
	const struct dr_evm_receipt receipt = { .type = 2, .status = 1, .cumulative_gas = 21000 };
	struct dr_arena *arena = dr_arena_new((size_t)1 << 24);
	struct dr_evm_receipt decoded;
	struct dr_evm_log logs[3] = { 0 };
	struct dr_fail fail = { 0 };
	struct dr_buf buf;

	for (size_t i = 0; i < 3; i++)
		memcpy(logs[i].address, contract, 20);
	dr_buf_init(&buf, 4096);
	assert_int_equal(dr_evm_receipt_encode(&buf, &receipt, logs, 3, &fail), DR_OK);
	const struct dr_bytes bytes = dr_buf_view(&buf);

	assert_int_equal(dr_evm_receipts_root(e->nodes[0].receipts_root, &bytes, 1, arena, &fail), DR_OK);
	assert_int_equal(dr_evm_receipt_decode(&decoded, bytes, &fail), DR_OK);
	memcpy(e->nodes[0].bloom, decoded.bloom, 256);
	put(e, no_hash, 32);
	put_number(e, 1, 4);
	put_number(e, bytes.len, 4);
	put(e, bytes.ptr, bytes.len);
	dr_buf_free(&buf);
	dr_arena_free(arena);
}

static enum dr_err take_receipts(struct evidence *e, struct dr_arena *arena, struct dr_fail *fail)
{
	return dr_in_receipts(&e->nodes[0], dr_bytes_of(e->payload, e->len), contract, NULL, arena, fail);
}

static void make_logs(struct evidence *e)
{
	static const uint8_t no_hash[32], topic0[32] = { 7 };
	struct dr_event event = { .num_topics = 1 };
	struct dr_acc acc = { .count = 0 };

	put(e, no_hash, 32);
	put(e, contract, 20);
	put_number(e, 10, 8);
	put_number(e, 11, 8);
	put_number(e, 2, 4);
	memcpy(event.topic0, topic0, 32);
	for (uint64_t i = 0; i < 2; i++) {
		e->nodes[i].number = 10 + i;
		put_number(e, 10 + i, 8);
		put(e, topic0, 32);
		put_number(e, 0, 4);
		dr_acc_roll(&acc, 10 + i, 0, &event);
	}
	e->nodes[1].has_acc = true;
	e->nodes[1].acc_count = acc.count;
	memcpy(e->nodes[1].acc, acc.acc, 32);
}

static enum dr_err take_logs(struct evidence *e, struct dr_arena *arena, struct dr_fail *fail)
{
	struct dr_node *path[] = { &e->nodes[0], &e->nodes[1] };
	const struct dr_acc from = { .count = 0 };

	return dr_in_logs(path, 2, dr_bytes_of(e->payload, e->len), contract, &from, arena, fail);
}

static const struct {
	const char *name;
	void (*make)(struct evidence *e);
	enum dr_err (*take)(struct evidence *e, struct dr_arena *arena, struct dr_fail *fail);
	size_t events; /* of the first block */
} rows[] = {
	{ "receipts", make_receipts, take_receipts, 3 },
	{ "logs", make_logs, take_logs, 1 },
};

static void test_every_cap(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum dr_err err = DR_ERR_NOMEM;
		size_t refused = 0;

		for (size_t cap = 0; err != DR_OK; cap = cap < 2048 ? cap + 16 : cap + 4096) {
			struct dr_arena *arena = dr_arena_new(cap);
			struct evidence e = { .len = 0 };
			struct dr_fail fail = { 0 };

			rows[i].make(&e);
			err = rows[i].take(&e, arena, &fail);
			if (err == DR_OK) {
				assert_int_equal(e.nodes[0].num_events, rows[i].events);
			} else {
				if (err != DR_ERR_NOMEM || cap > 1u << 20)
					fail_msg("%s at %zu: %s", rows[i].name, cap, fail.what);
				assert_null(e.nodes[0].events);
				assert_int_equal(e.nodes[0].complete, DR_COMPLETE_NONE);
				refused++;
			}
			dr_heap_free(e.nodes[0].events);
			dr_heap_free(e.nodes[1].events);
			dr_arena_free(arena);
		}
		assert_true(refused >= 2);
	}
}

/* A proof's nodes, of the account or of a slot, have no place. */
static void test_state(void **state)
{
	static struct dr_in_state out;
	static const uint8_t head[32 + 20], root[32];
	struct dr_arena *arena = dr_arena_new(0);
	struct evidence e = { .len = 0 };
	struct dr_fail fail = { 0 };

	(void)state;
	put(&e, head, sizeof(head));
	put_number(&e, 1, 2);
	put_number(&e, 1, 2);
	put(&e, "\x80", 1);
	memset(&out, 0xff, sizeof(out));
	assert_int_equal(dr_in_state_take(&out, dr_bytes_of(e.payload, e.len), root, arena, &fail), DR_ERR_NOMEM);
	assert_true(dr_bytes_zero(&out, sizeof(out)));
	dr_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cap),
		cmocka_unit_test(test_state),
	};

	return cmocka_run_group_tests_name("in_memory", tests, NULL, NULL);
}
