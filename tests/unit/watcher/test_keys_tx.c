/* SPDX-License-Identifier: Apache-2.0
 *
 * derot keys publish, derot keys heartbeat: the terms of their transactions, of endpoints that agree and such that do
 * not, and whose they are.
 */
#include "tests/unit/kit.h"

#include "tests/unit/watcher/keys_world.h"
#include "watcher/raw_tx.h"

/* Another such account. */
#define OTHER_SECRET "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"

static void test_terms(void **state)
{
	static const struct {
		const char *name, *endpoints;
		unsigned quorum;
		const char *options;
		int code;
		uint64_t nonce, gas, max_fee, priority_fee;
		const char *said; /* of a failure */
	} rows[] = {
		/* The priority fee there is half the base fee; where the base fee is odd the default, 1 gwei. */
		{ "one", "/7/100000/2000000000", 1, "", 0, 7, 125000, 5000000000, 1000000000, NULL },
		{ "the middle of three", "/7/100000/20 /900/9000000/4000000000 /8/120000/200", 2, "", 0, 8, 150000,
		  500, 100, NULL },
		{ "one of three is silent", "/7/100000/20 /silent /8/120000/200", 2, "", 0, 7, 125000, 50, 10, NULL },
		{ "no priority fee", "/7/100000/21", 1, "", 0, 7, 125000, 1000000042, 1000000000, NULL },
		{ "no estimate", "/7/0/20", 1, "", 0, 7, 500000, 50, 10, NULL },
		{ "too few estimates", "/7/100000/20 /7/0/20 /7/0/22", 2, "", 0, 7, 500000, 50, 10, NULL },
		{ "all given", "/silent", 1, "--tx-nonce 1 --gas 2 --max-fee 4 --priority-fee 3", 0, 1, 2, 4, 3,
		  NULL },
		{ "gwei", "/silent", 1, "--tx-nonce 0 --gas 2 --max-fee-gwei 4 --priority-fee 0", 0, 0, 2, 4000000000,
		  0, NULL },
		{ "nonce given", "/7/100000/20", 1, "--tx-nonce 99", 0, 99, 125000, 50, 10, NULL },
		{ "gas given", "/7/100000/20", 1, "--gas 77", 0, 7, 77, 50, 10, NULL },
		{ "priority given", "/7/100000/20", 1, "--priority-fee 1", 0, 7, 125000, 41, 1, NULL },
		{ "max given, below theirs", "/7/100000/20", 1, "--max-fee 6", 0, 7, 125000, 6, 6, NULL },
		{ "others' fee is too high, ours is given", "/7/100000/2000000000002", 1,
		  "--max-fee 6 --priority-fee 1", 0, 7, 125000, 6, 1, NULL },
		{ "fee too high", "/7/100000/2000000000002", 1, "", 1, 0, 0, 0, 0, "above 1000 gwei" },
		{ "base fee alone too high", "/7/100000/500000000001", 1, "", 1, 0, 0, 0, 0, "above 1000 gwei" },
		{ "gas too much", "/7/10000001/20", 1, "", 1, 0, 0, 0, 0, "more than 10000000 gas" },
		{ "no base fee", "/7/100000/0", 1, "", 1, 0, 0, 0, 0, "no EIP-1559" },
		{ "another chain", "/other", 1, "", 1, 0, 0, 0, 0, "another chain" },
		{ "nobody", "/silent", 1, "", 1, 0, 0, 0, 0, "fewer endpoints answered" },
		{ "below the quorum", "/7/1/20 /silent /other", 2, "", 1, 0, 0, 0, 0, "another chain" },
		{ "beyond reason", "/silent", 1,
		  "--tx-nonce 1 --gas 9000000000 --max-fee-gwei 9000000000 --priority-fee 3", 1, 0, 0, 0, 0,
		  "cannot be meant" },
	};
	char line[256];

	(void)state;
	put_file("account", SECRET "\n", 65, 0600);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const bool publish = i % 2 == 0;

		configure(rows[i].endpoints, rows[i].quorum, "");
		snprintf(line, sizeof(line), "%s --account-key @account %s", publish ? "publish" : "heartbeat",
			 rows[i].options);
		struct done d = run(line);

		if (d.code != rows[i].code || (rows[i].said != NULL && strstr(d.err, rows[i].said) == NULL))
			fail_msg("%s: exit %d\n%s--\n%s", rows[i].name, d.code, d.out, d.err);
		if (d.code != 0) {
			end(&d);
			continue;
		}
		const char *const names[4] = { "nonce", "gas", "max_fee", "priority_fee" };
		const uint64_t values[4] = { rows[i].nonce, rows[i].gas, rows[i].max_fee, rows[i].priority_fee };

		for (size_t k = 0; k < 4; k++)
			if ((uint64_t)json_integer_value(json_object_get(d.json, names[k])) != values[k])
				fail_msg("%s: %s\n%s", rows[i].name, names[k], d.out);
		/* The same terms, signed here, give the same bytes. */
		struct dr_raw_tx tx = { .chain_id = FAKE_CHAIN_ID,
					.nonce = rows[i].nonce,
					.gas = rows[i].gas,
					.max_fee = rows[i].max_fee,
					.priority_fee = rows[i].priority_fee,
					.data = kit_hex(text_of(&d, "data") + 2) };
		uint8_t raw[DR_RAW_TX_LEN_MAX], hash[32];
		char expected[2 * DR_RAW_TX_LEN_MAX + 3];
		struct dr_fail fail = { 0 };
		size_t len;

		memcpy(tx.to, fake_contract, 20);
		assert_int_equal(tx.data.len, publish ? 4 + 11 * 32 : 4 + 32);
		assert_int_equal(dr_raw_tx_sign(raw, sizeof(raw), &len, hash, &tx, kit_hex(SECRET).ptr, &fail),
				 DR_OK);
		hex_text(expected, raw, len);
		assert_string_equal(text_of(&d, "raw"), expected);
		hex_text(expected, hash, 32);
		assert_string_equal(text_of(&d, "transaction"), expected);
		/* A server's words come through as text, not as they are. */
		assert_null(strchr(d.out, '\033'));
		if (rows[i].gas == 500000 && strstr(rows[i].endpoints, "/7/0/20") == rows[i].endpoints)
			assert_string_equal(text_of(&d, "an_endpoint_says"), "reverted: \\x1b[31mTooEarly");
		end(&d);
	}
}

static void test_account(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		int code;
		const char *said;
	} rows[] = {
		{ SECRET, 0600, 0, "" },
		{ OTHER_SECRET, 0600, 1, "another account's than the node's" },
		{ SECRET, 0640, 1, "others may read" },
		{ "short", 0600, 1, "64 hexadecimal digits" },
		{ "0000000000000000000000000000000000000000000000000000000000000000", 0600, 1,
		  "a private key is zero" },
	};

	(void)state;
	configure("/7/100000/20", 1, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_file("account", rows[i].text, strlen(rows[i].text), rows[i].mode);
		struct done d = run("heartbeat --account-key @account");

		if (d.code != rows[i].code || strstr(d.err, rows[i].said) == NULL)
			fail_msg("%zu: exit %d\n%s--\n%s", i, d.code, d.out, d.err);
		/* The key itself is in no output. */
		assert_null(strstr(d.out, SECRET));
		assert_null(strstr(d.err, rows[i].text));
		end(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_account),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
