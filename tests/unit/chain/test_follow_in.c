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
		if (dr_in_receipts(&node, dr_buf_view(&payload), contract, arena, &fail) != DR_OK)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crowded),
	};

	return cmocka_run_group_tests_name("follow_in", tests, NULL, NULL);
}
