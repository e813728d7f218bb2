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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_excludes),
		cmocka_unit_test(test_mainnet),
	};
	return cmocka_run_group_tests_name("bloom", tests, NULL, NULL);
}
