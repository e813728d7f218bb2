/* SPDX-License-Identifier: Apache-2.0
 *
 * follow_in: what anybody can make a block hold for gas does not stop a follower.
 */
#include "chain/evm/follow_in.h"

#include <string.h>

#include "chain/base/arena.h"
#include "chain/base/limits.h"
#include "chain/evm/receipt.h"
#include "tests/unit/kit.h"

static const uint8_t contract[20] = { 0xc0 }, other[20] = { 0x0a };

/* One transaction's receipt with num events of the contract, and one of another contract between each two. */
static void crowd(struct dr_buf *out, size_t num, size_t data_len, struct dr_fail *fail)
{
	const struct dr_evm_receipt receipt = { .type = 2, .status = 1, .cumulative_gas = 60000000 };
	struct dr_evm_log *logs = dr_heap_alloc((2 * num + 1) * sizeof(*logs));
	uint8_t *data = dr_heap_alloc(data_len);

	assert_true(logs != NULL && data != NULL);
	for (size_t i = 0; i < 2 * num; i++) {
		memcpy(logs[i].address, i % 2 == 0 ? contract : other, 20);
		logs[i].num_topics = 1;
		logs[i].topics[0][0] = 0x77;
		logs[i].data = dr_bytes_of(data, data_len);
	}
	dr_evm_receipt_encode(out, &receipt, logs, 2 * num, fail);
	dr_heap_free(logs);
	dr_heap_free(data);
}

static void test_crowded(void **state)
{
	static const struct {
		const char *name;
		size_t num, data_len;
	} rows[] = {
		{ "none", 0, 64 },
		{ "one", 1, 64 },
		{ "more than 4096, for 12 million gas", 4097, 64 },
		{ "as many as a block of 60 million gas holds", 21000, 64 },
		{ "a receipt of more than 4 MiB, for 50 million gas", 12, 250000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_arena *arena = dr_arena_new((size_t)512 << 20);
		struct dr_buf receipt, payload;
		struct dr_fail fail = { 0 };
		struct dr_evm_receipt decoded;
		struct dr_node node = { .complete = DR_COMPLETE_NONE };
		uint8_t head[40] = { 0 };

		dr_buf_init(&receipt, DR_EVM_RECEIPT_LEN_MAX);
		dr_buf_init(&payload, DR_FRAME_LEN_MAX);
		crowd(&receipt, rows[i].num, rows[i].data_len, &fail);
		const struct dr_bytes bytes = dr_buf_view(&receipt);

		assert_int_equal(dr_evm_receipts_root(node.receipts_root, &bytes, 1, arena, &fail), DR_OK);
		assert_int_equal(dr_evm_receipt_decode(&decoded, bytes, &fail), DR_OK);
		memcpy(node.bloom, decoded.bloom, 256);
		head[35] = 1; /* receipts */
		for (int b = 0; b < 4; b++)
			head[36 + b] = (uint8_t)(bytes.len >> (24 - 8 * b));
		dr_buf_append(&payload, head, sizeof(head), &fail);
		dr_buf_append(&payload, bytes.ptr, bytes.len, &fail);
		if (dr_in_receipts(&node, dr_buf_view(&payload), contract, NULL, arena, &fail) != DR_OK)
			fail_msg("%s: %s", rows[i].name, fail.what);
		assert_int_equal(node.complete, DR_COMPLETE_RECEIPTS);
		assert_int_equal(node.num_events, rows[i].num);
		for (size_t e = 0; e < node.num_events; e++) {
			assert_int_equal(node.events[e].ordinal, e);
			assert_memory_equal(node.events[e].address, contract, 20);
			assert_int_equal(node.events[e].data.len, rows[i].data_len);
		}
		dr_heap_free(node.events);
		dr_buf_free(&receipt);
		dr_buf_free(&payload);
		dr_arena_free(arena);
	}
}

/* The payload of a RECEIPTS frame of num receipts; the node that it proves, but for root and bloom. */
static void payload_of(struct dr_buf *out, const struct dr_bytes *receipts, size_t num, struct dr_fail *fail)
{
	uint8_t head[36] = { 0 };

	head[35] = (uint8_t)num;
	dr_buf_append(out, head, sizeof(head), fail);
	for (size_t i = 0; i < num; i++) {
		const uint32_t len = (uint32_t)receipts[i].len;
		const uint8_t be[4] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
					(uint8_t)len };

		dr_buf_append(out, be, sizeof(be), fail);
		dr_buf_append(out, receipts[i].ptr, receipts[i].len, fail);
	}
}

static enum dr_err take(struct dr_node *node, const struct dr_bytes *receipts, size_t num, struct dr_fail *fail)
{
	struct dr_arena *arena = dr_arena_new((size_t)512 << 20);
	struct dr_buf payload;

	dr_buf_init(&payload, DR_FRAME_LEN_MAX);
	payload_of(&payload, receipts, num, fail);
	assert_int_equal(dr_evm_receipts_root(node->receipts_root, receipts, num, arena, fail), DR_OK);
	for (size_t i = 0; i < num; i++) {
		struct dr_evm_receipt decoded;

		assert_int_equal(dr_evm_receipt_decode(&decoded, receipts[i], fail), DR_OK);
		for (size_t b = 0; b < 256; b++)
			node->bloom[b] |= decoded.bloom[b];
	}
	dr_in_receipts(node, dr_buf_view(&payload), contract, NULL, arena, fail);
	dr_buf_free(&payload);
	dr_arena_free(arena);
	return fail->err;
}

/* Whoever grinds an address that is almost the contract's makes no event of the contract's. */
static void test_addresses_alike(void **state)
{
	const struct dr_evm_receipt receipt = { .type = 2, .status = 1, .cumulative_gas = 60000000 };
	struct dr_node node = { .complete = DR_COMPLETE_NONE };
	struct dr_evm_log logs[21] = { 0 };
	struct dr_fail fail = { 0 };
	struct dr_buf buf;

	(void)state;
	for (size_t i = 0; i <= 20; i++) {
		memcpy(logs[i].address, contract, 20);
		if (i < 20)
			logs[i].address[i] ^= 1;
		logs[i].num_topics = 1;
		logs[i].topics[0][0] = (uint8_t)i;
	}
	dr_buf_init(&buf, DR_EVM_RECEIPT_LEN_MAX);
	assert_int_equal(dr_evm_receipt_encode(&buf, &receipt, logs, 21, &fail), DR_OK);
	const struct dr_bytes bytes = dr_buf_view(&buf);

	assert_int_equal(take(&node, &bytes, 1, &fail), DR_OK);
	assert_int_equal(node.num_events, 1);
	assert_int_equal(node.events[0].topic0[0], 20);
	dr_heap_free(node.events);
	dr_buf_free(&buf);
}

/* Receipts whose own blooms are not those of their logs, under a root and a header's bloom that are of these very
 * receipts: whichever of them it is. */
static void test_false_bloom(void **state)
{
	const struct dr_evm_receipt receipt = { .type = 2, .status = 1, .cumulative_gas = 60000000 };
	struct dr_evm_log log = { .num_topics = 0 };
	enum { NUM = 5 };

	(void)state;
	memcpy(log.address, contract, 20);
	for (size_t bad = 0; bad <= NUM; bad++) {
		struct dr_arena *arena = dr_arena_new((size_t)1 << 24);
		struct dr_node node = { .complete = DR_COMPLETE_NONE };
		struct dr_bytes receipts[NUM];
		struct dr_buf bufs[NUM], payload;
		struct dr_fail fail = { 0 };

		for (size_t i = 0; i < NUM; i++) {
			size_t at = 0;

			dr_buf_init(&bufs[i], 4096);
			assert_int_equal(dr_evm_receipt_encode(&bufs[i], &receipt, &log, 1, &fail), DR_OK);
			receipts[i] = dr_buf_view(&bufs[i]);
			while (memcmp(bufs[i].ptr + at, "\xb9\x01\x00", 3) != 0)
				at++;
			if (i == bad)
				bufs[i].ptr[at + 3] ^= 1;
			for (size_t b = 0; b < 256; b++)
				node.bloom[b] |= bufs[i].ptr[at + 3 + b];
		}
		dr_buf_init(&payload, 1u << 16);
		payload_of(&payload, receipts, NUM, &fail);
		assert_int_equal(dr_evm_receipts_root(node.receipts_root, receipts, NUM, arena, &fail), DR_OK);
		dr_in_receipts(&node, dr_buf_view(&payload), contract, NULL, arena, &fail);
		kit_assert_fail(bad < NUM ? DR_ERR_PROOF : DR_OK, &fail);
		assert_int_equal(node.complete, bad < NUM ? DR_COMPLETE_NONE : DR_COMPLETE_RECEIPTS);
		dr_heap_free(node.events);
		dr_buf_free(&payload);
		for (size_t i = 0; i < NUM; i++)
			dr_buf_free(&bufs[i]);
		dr_arena_free(arena);
	}
}

/* Over all receipts of a block together. */
static void test_too_many(void **state)
{
	const struct dr_evm_receipt receipt = { .type = 2, .status = 1, .cumulative_gas = 60000000 };
	struct dr_evm_log *logs = dr_heap_alloc(DR_BLOCK_EVENTS_MAX * sizeof(*logs));
	struct dr_node node = { .complete = DR_COMPLETE_NONE };
	struct dr_fail fail = { 0 };
	struct dr_bytes receipts[2];
	struct dr_buf bufs[2];

	(void)state;
	assert_non_null(logs);
	for (size_t i = 0; i < DR_BLOCK_EVENTS_MAX; i++)
		memcpy(logs[i].address, contract, 20);
	for (size_t i = 0; i < 2; i++) {
		dr_buf_init(&bufs[i], DR_EVM_RECEIPT_LEN_MAX);
		assert_int_equal(
			dr_evm_receipt_encode(&bufs[i], &receipt, logs, i == 0 ? DR_BLOCK_EVENTS_MAX : 1, &fail),
			DR_OK);
		receipts[i] = dr_buf_view(&bufs[i]);
	}
	assert_int_equal(take(&node, receipts, 2, &fail), DR_ERR_LIMIT);
	assert_int_equal(node.complete, DR_COMPLETE_NONE);
	assert_int_equal(node.num_events, 0);
	dr_buf_free(&bufs[0]);
	dr_buf_free(&bufs[1]);
	dr_heap_free(logs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_alike),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_false_bloom),
		cmocka_unit_test(test_crowded),
	};

	return cmocka_run_group_tests_name("follow_in", tests, NULL, NULL);
}
