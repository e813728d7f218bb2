/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/evm/bloom.h"

static size_t bits(const uint8_t bloom[static 256])
{
	size_t num = 0;

	for (size_t bit = 0; bit < 2048; bit++)
		num += bloom[bit / 8] >> bit % 8 & 1;
	return num;
}

/* keccak256("") = c5d2 4601 86f7 …: bits 0x5d2, 0x601, 0x6f7 by the yellow paper's definition of M. */
static void test_by_hand(void **state)
{
	uint8_t bloom[256] = { 0 };

	(void)state;
	dr_evm_bloom_add(bloom, "", 0);
	assert_int_equal(bits(bloom), 3);
	assert_int_equal(bloom[255 - 0x5d2 / 8], 1u << 0x5d2 % 8);
	assert_int_equal(bloom[255 - 0x601 / 8], 1u << 0x601 % 8);
	assert_int_equal(bloom[255 - 0x6f7 / 8], 1u << 0x6f7 % 8);
}

static void test_excludes(void **state)
{
	uint8_t bloom[256] = { 0 };
	unsigned excluded = 0;

	(void)state;
	for (uint8_t i = 0; i < 20; i++) {
		const uint8_t address[20] = { i };

		assert_true(dr_evm_bloom_excludes(bloom, address, 20) || i > 0);
		dr_evm_bloom_add(bloom, address, 20);
	}
	for (unsigned i = 0; i < 256; i++) {
		const uint8_t address[20] = { (uint8_t)i };
		const bool out = dr_evm_bloom_excludes(bloom, address, 20);

		assert_false(i < 20 && out); /* never a member */
		excluded += out;
	}
	assert_true(excluded > 200);
	/* Without any one of its bits a value is proven absent. */
	uint8_t one[256] = { 0 };

	dr_evm_bloom_add(one, "x", 1);
	for (size_t bit = 0; bit < 2048; bit++) {
		uint8_t less[256];

		memcpy(less, one, 256);
		less[bit / 8] &= (uint8_t) ~(1u << bit % 8);
		assert_int_equal(dr_evm_bloom_excludes(less, "x", 1), memcmp(less, one, 256) != 0);
	}
	memset(bloom, 0xff, 256);
	assert_false(dr_evm_bloom_excludes(bloom, "anything", 8));
}

/* Every receipt of a mainnet block: its bloom is that of its logs. */
static void test_mainnet(void **state)
{
	json_t *receipts = kit_vector("04-eth-exec/mainnet-21925176/receipts.json.gz"), *receipt, *log, *topic;
	size_t i, j, k;

	(void)state;
	json_array_foreach(receipts, i, receipt)
	{
		uint8_t bloom[256] = { 0 };

		json_array_foreach(json_object_get(receipt, "logs"), j, log)
		{
			dr_evm_bloom_add(bloom, kit_json_hex(json_object_get(log, "address")).ptr, 20);
			json_array_foreach(json_object_get(log, "topics"), k, topic)
				dr_evm_bloom_add(bloom, kit_json_hex(topic).ptr, 32);
		}
		assert_memory_equal(bloom, kit_json_hex(json_object_get(receipt, "logsBloom")).ptr, 256);
	}
	json_decref(receipts);
}

#define BLOOMS 7u
#define POOL   9000u /* more than are remembered */

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* Many values into many blooms, remembered or not, are what one by one gives: values that come again at once or much
 * later, values that differ only where the memory does not look, of every length. */
static void many_values(struct dr_evm_bloom_memo *memo)
{
	static uint8_t pool[POOL][40];
	static struct dr_evm_bloom_job job;
	uint64_t seed = 5;

	for (size_t i = 0; i < POOL; i++)
		for (size_t b = 0; b < sizeof(pool[i]); b++)
			pool[i][b] = (uint8_t)(b >= 12 && i % 3 == 0 ? 0x11 : next(&seed)); /* a third ends alike */
	for (size_t round = 0; round < 300; round++) {
		uint8_t got[BLOOMS][256] = { { 0 } }, right[BLOOMS][256] = { { 0 } };
		const size_t num = next(&seed) % 900, span = next(&seed) % 2 == 0 ? POOL : 20;

		dr_evm_bloom_begin(&job, memo);
		for (size_t i = 0; i < num; i++) {
			const size_t which = next(&seed) % span, bloom = next(&seed) % BLOOMS,
				     kind = next(&seed) % 10;
			const size_t len = kind < 6 ? 32 : kind < 9 ? 20 : next(&seed) % 41;

			dr_evm_bloom_put(&job, got[bloom], dr_bytes_of(pool[which], len));
			dr_evm_bloom_add(right[bloom], pool[which], len);
		}
		dr_evm_bloom_flush(&job);
		assert_memory_equal(got, right, sizeof(got));
	}
}

static void test_many(void **state)
{
	static struct dr_evm_bloom_memo memo;

	(void)state;
	many_values(NULL);
	many_values(&memo);
	many_values(&memo); /* what it knows now */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_excludes),
		cmocka_unit_test(test_mainnet),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests_name("bloom", tests, NULL, NULL);
}
