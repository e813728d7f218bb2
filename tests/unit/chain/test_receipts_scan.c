/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/base/arena.h"
#include "chain/evm/bloom.h"
#include "chain/evm/receipt.h"

static const uint8_t contract[20] = { 0xc0 }, other[20] = { 0x0a };

#define SCAN_NUM 100u /* in several groups of those whose blooms are made together */

/* Whatever is wrong with two of many receipts, the first is what is said, as if they were decoded one after the
 * other; and the memory of blooms is right afterwards. */
static void test_scan(void **state)
{
	enum fault { NONE, BLOOM, TYPE, TRAIL, TRAIL_AND_BLOOM, FAULTS };
	static struct dr_evm_bloom_memo memo;
	static uint8_t mem[SCAN_NUM][2048];
	struct dr_bytes good[SCAN_NUM], receipts[SCAN_NUM];
	struct dr_arena *arena = dr_arena_new((size_t)1 << 20), *none = dr_arena_new(0);
	uint8_t bloom[256] = { 0 };
	size_t num_events = 0;

	(void)state;
	for (size_t i = 0; i < SCAN_NUM; i++) {
		const struct dr_evm_receipt receipt = { .type = 2, .status = 1, .cumulative_gas = i };
		struct dr_evm_log logs[3] = { { .num_topics = 2 }, { .num_topics = 4 }, { .num_topics = 0 } };
		struct dr_fail fail = { 0 };
		struct dr_evm_receipt decoded;
		struct dr_buf buf;

		for (size_t l = 0; l < 3; l++) {
			memcpy(logs[l].address, (i + l) % 7 == 0 ? contract : other, 20);
			logs[l].topics[1][31] = (uint8_t)(i % 40);
			logs[l].topics[3][0] = (uint8_t)i;
		}
		dr_buf_init(&buf, sizeof(mem[i]));
		dr_evm_receipt_encode(&buf, &receipt, logs, i % 4, &fail);
		memcpy(mem[i], buf.ptr, buf.len);
		good[i] = dr_bytes_of(mem[i], buf.len);
		dr_buf_free(&buf);
		assert_int_equal(dr_evm_receipt_decode(&decoded, good[i], &fail), DR_OK);
		for (size_t b = 0; b < 256; b++)
			bloom[b] |= decoded.bloom[b];
		for (size_t l = 0; l < i % 4; l++)
			num_events += (i + l) % 7 == 0;
	}
	assert_true(num_events > 10);
	for (size_t round = 0; round < FAULTS * FAULTS * 20; round++) {
		const enum fault faults[2] = { round % FAULTS, round / FAULTS % FAULTS };
		const size_t at[2] = { round * 7 % 50, 50 + round * 11 % 50 };
		uint8_t spoilt[2][2049];
		struct dr_fail right = { 0 }, got = { 0 };
		struct dr_evm_scan scan;

		memcpy(receipts, good, sizeof(good));
		for (size_t k = 0; k < 2; k++) {
			const size_t len = good[at[k]].len;

			memcpy(spoilt[k], good[at[k]].ptr, len);
			spoilt[k][0] = faults[k] == TYPE ? 0x05 : spoilt[k][0];
			if (faults[k] == BLOOM || faults[k] == TRAIL_AND_BLOOM)
				spoilt[k][20 + round % 200] ^= 1; /* within the bloom, wherever that begins */
			spoilt[k][len] = 0;
			receipts[at[k]] =
				dr_bytes_of(spoilt[k], len + (faults[k] == TRAIL || faults[k] == TRAIL_AND_BLOOM));
		}
		for (size_t i = 0; i < SCAN_NUM && right.err == DR_OK; i++) {
			struct dr_evm_receipt decoded;

			dr_evm_receipt_decode(&decoded, receipts[i], &right);
		}
		assert_int_equal(right.err != DR_OK, faults[0] != NONE || faults[1] != NONE);
		dr_arena_reset(arena);
		dr_evm_receipts_scan(&scan, receipts, SCAN_NUM, contract, &memo, arena, &got);
		assert_int_equal(got.err, right.err);
		assert_int_equal(got.at, right.at);
		assert_int_equal(scan.num_events, right.err == DR_OK ? num_events : 0);
		assert_int_equal(scan.found != NULL, right.err == DR_OK);
		if (right.err == DR_OK)
			assert_memory_equal(scan.bloom, bloom, 256);
		else
			assert_true(dr_bytes_zero(scan.bloom, 256));
	}
	struct dr_fail fail = { 0 };
	struct dr_evm_scan scan;

	dr_evm_receipts_scan(&scan, good, SCAN_NUM, contract, &memo, none, &fail);
	kit_assert_fail(DR_ERR_NOMEM, &fail);
	dr_arena_free(arena);
	dr_arena_free(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_scan) };

	return cmocka_run_group_tests_name("receipts_scan", tests, NULL, NULL);
}
