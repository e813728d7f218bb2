/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/evm/signature.h"

/* Topics: ERC-20's, as every explorer shows them. */
static const struct {
	const char *text, *topic0;
	enum dr_err err;
} rows[] = {
	{ "Transfer(address,address,uint256)", "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
	  DR_OK },
	{ "Approval(address,address,uint256)", "8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925",
	  DR_OK },
	{ "$_a9()", NULL, DR_OK },
	{ "Transfer(address,address,uint)", NULL, DR_ERR_NONCANONICAL },
	{ "f(int[2][])", NULL, DR_ERR_NONCANONICAL },
	{ "Transfer(address, address,uint256)", NULL, DR_ERR_SYNTAX },
	{ "Transfer(address from)", NULL, DR_ERR_SYNTAX },
	{ "Transfer(address indexed)", NULL, DR_ERR_SYNTAX },
	{ "Transfer (address)", NULL, DR_ERR_SYNTAX },
	{ "Transfer", NULL, DR_ERR_SYNTAX },
	{ "Transfer(", NULL, DR_ERR_SYNTAX },
	{ "Transfer(address", NULL, DR_ERR_SYNTAX },
	{ "Transfer(address)x", NULL, DR_ERR_SYNTAX },
	{ "Transfer(address)()", NULL, DR_ERR_SYNTAX },
	{ "Transfer(address)[]", NULL, DR_ERR_SYNTAX },
	{ "9a()", NULL, DR_ERR_SYNTAX },
	{ "()", NULL, DR_ERR_SYNTAX },
	{ "(address)", NULL, DR_ERR_SYNTAX },
	{ "", NULL, DR_ERR_SYNTAX },
	{ "f(Token)", NULL, DR_ERR_SYNTAX },
	{ "f(token)", NULL, DR_ERR_UNKNOWN },
	{ "f(())", NULL, DR_ERR_LIMIT },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dr_bytes text = dr_bytes_of(rows[i].text, strlen(rows[i].text));
		struct dr_abi_type args;
		uint8_t topic0[32], selector[4];
		struct dr_fail fail = { 0 };
		size_t name_len = 7;

		memset(topic0, 0xaa, 32);
		memset(selector, 0xaa, 4);
		if (dr_signature_topic0(topic0, text, &fail) != rows[i].err)
			fail_msg("%s: %s", rows[i].text, dr_err_name(fail.err));
		kit_assert_fail(rows[i].err, &fail);
		assert_int_equal(dr_bytes_zero(topic0, 32), rows[i].err != DR_OK);
		if (rows[i].topic0 != NULL)
			assert_memory_equal(topic0, kit_hex(rows[i].topic0).ptr, 32);
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_signature_selector(selector, text, &fail), rows[i].err);
		assert_memory_equal(selector, topic0, 4);
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_signature_parse(&args, &name_len, text, &fail), rows[i].err);
		assert_int_equal(args.num == 0, rows[i].err != DR_OK);
		assert_int_equal(name_len, rows[i].err == DR_OK ? strcspn(rows[i].text, "(") : 0);
	}
}

static void test_limit(void **state)
{
	char text[DR_SIGNATURE_LEN_MAX + 1];
	uint8_t topic0[32];
	struct dr_fail fail = { 0 };

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + DR_SIGNATURE_LEN_MAX - 2, "()", 2);
	assert_int_equal(dr_signature_topic0(topic0, dr_bytes_of(text, DR_SIGNATURE_LEN_MAX), &fail), DR_OK);
	memcpy(text + DR_SIGNATURE_LEN_MAX - 2, "a()", 3);
	assert_int_equal(dr_signature_topic0(topic0, dr_bytes_of(text, DR_SIGNATURE_LEN_MAX + 1), &fail),
			 DR_ERR_LIMIT);
	assert_true(dr_bytes_zero(topic0, 32));
}

/* ethers.js, contract-signatures: signature and selector. */
static void test_ethers(void **state)
{
	json_t *all = kit_vector("09-abi/ethersproject/contract-signatures.json.gz"), *test;
	size_t i;

	(void)state;
	json_array_foreach(all, i, test)
	{
		const char *text = json_string_value(json_object_get(test, "signature"));
		const char *hash = json_string_value(json_object_get(test, "sigHash"));
		struct dr_fail fail = { 0 };
		uint8_t selector[4];

		dr_signature_selector(selector, dr_bytes_of(text, strlen(text)), &fail);
		kit_assert_fail(DR_OK, &fail);
		assert_memory_equal(selector, kit_hex(hash + 2).ptr, 4);
	}
	assert_int_equal(i, 1880);
	json_decref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_ethers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
