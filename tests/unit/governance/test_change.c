/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "governance/change.h"

static struct dr_change sample(void)
{
	struct dr_change c = { .chain_id = 1,
			       .number = 2,
			       .time = 3,
			       .ordinal = 4,
			       .effect = DR_EFFECT_GRANTS,
			       .outcome = DR_OUTCOME_PENDING,
			       .act = { .action = DR_ACTION_APP_MEASUREMENT_ALLOW,
					.has_by = true,
					.has_due = true,
					.due = 0x0102030405060708,
					.num_args = 2 } };

	memset(c.contract, 0xcc, 20);
	memset(c.hash, 0x44, 32);
	memset(c.event_digest, 0xed, 32);
	memset(c.act.by, 0xbb, 20);
	memset(c.act.args[0], 0xa0, 32);
	memset(c.act.args[1], 0xa1, 32);
	return c;
}

/* The leaf byte by byte, as the header words it. */
static void test_bytes(void **state)
{
	const struct dr_change c = sample();
	const struct dr_bytes expected = kit_hex("01"
						 "0000000000000001"
						 "cccccccccccccccccccccccccccccccccccccccc"
						 "0000000000000002"
						 "4444444444444444444444444444444444444444444444444444444444444444"
						 "0000000000000003"
						 "00000004"
						 "edededededededededededededededededededededededededededededededed"
						 "001f"
						 "01"
						 "02"
						 "00"
						 "06"
						 "0000000000000000"
						 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
						 "0102030405060708"
						 "02"
						 "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0"
						 "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1");
	uint8_t buf[DR_CHANGE_LEN_MAX];
	struct dr_fail fail = { 0 };
	struct dr_change back;
	size_t len;

	(void)state;
	assert_int_equal(dr_change_encode(buf, sizeof(buf), &len, &c, &fail), DR_OK);
	assert_int_equal(len, expected.len);
	assert_memory_equal(buf, expected.ptr, len);
	assert_int_equal(dr_change_decode(&back, expected, &fail), DR_OK);
	assert_true(back.number == 2 && back.time == 3 && back.ordinal == 4 && back.outcome == DR_OUTCOME_PENDING);
	assert_true(back.act.action == c.act.action && back.act.due == c.act.due && back.act.has_by &&
		    !back.act.has_proposal);
	assert_memory_equal(back.act.args, c.act.args, sizeof(c.act.args));
	assert_int_equal(dr_change_encode(buf, expected.len - 1, &len, &c, &fail), DR_ERR_LIMIT);
	assert_int_equal(len, 0);
}

static void test_damage(void **state)
{
	const struct dr_change c = sample();
	uint8_t buf[DR_CHANGE_LEN_MAX + 1], again[DR_CHANGE_LEN_MAX];
	struct dr_fail first = { 0 };
	struct dr_change back;
	size_t len, len_again;

	(void)state;
	assert_int_equal(dr_change_encode(buf, sizeof(buf), &len, &c, &first), DR_OK);
	for (size_t cut = 0; cut < len; cut++) {
		struct dr_fail fail = { 0 };

		assert_int_not_equal(dr_change_decode(&back, dr_bytes_of(buf, cut), &fail), DR_OK);
		assert_true(dr_bytes_zero(&back, sizeof(back)));
		kit_assert_fail(fail.err, &fail);
	}
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct dr_fail fail = { 0 };

		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (dr_change_decode(&back, dr_bytes_of(buf, len), &fail) == DR_OK) {
			assert_int_equal(dr_change_encode(again, sizeof(again), &len_again, &back, &fail), DR_OK);
			assert_int_equal(len_again, len);
			assert_memory_equal(again, buf, len);
		} else {
			assert_true(dr_bytes_zero(&back, sizeof(back)));
		}
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	struct dr_fail fail = { 0 };

	buf[len] = 0;
	assert_int_equal(dr_change_decode(&back, dr_bytes_of(buf, len + 1), &fail), DR_ERR_SYNTAX);
}

static void test_refused(void **state)
{
	enum { ACTION = 113, EFFECT = 115, OUTCOME, REASON, FLAGS, PROPOSAL, ARGS = 155 };
	static const struct {
		const char *name;
		size_t at;
		uint8_t value;
		enum dr_err expected;
	} rows[] = {
		{ "version", 0, 2, DR_ERR_UNKNOWN },
		{ "action", ACTION + 1, 8, DR_ERR_UNKNOWN },
		{ "another action's effect", EFFECT, 2, DR_ERR_NONCANONICAL },
		{ "outcome", OUTCOME, 4, DR_ERR_SYNTAX },
		{ "reason", REASON, 12, DR_ERR_SYNTAX },
		{ "flags", FLAGS, 14, DR_ERR_SYNTAX },
		{ "proposal without its flag", PROPOSAL, 1, DR_ERR_NONCANONICAL },
		{ "by without its flag", FLAGS, 4, DR_ERR_NONCANONICAL },
		{ "due without its flag", FLAGS, 2, DR_ERR_NONCANONICAL },
		{ "number of arguments", ARGS, 1, DR_ERR_NONCANONICAL },
		{ "more arguments than there are", ARGS, 255, DR_ERR_NONCANONICAL },
	};
	const struct dr_change c = sample();
	uint8_t buf[DR_CHANGE_LEN_MAX];
	struct dr_fail none = { 0 };
	struct dr_change back;
	size_t len;

	(void)state;
	assert_int_equal(dr_change_encode(buf, sizeof(buf), &len, &c, &none), DR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t old = buf[rows[i].at];
		struct dr_fail fail = { 0 };

		print_message("%s\n", rows[i].name);
		buf[rows[i].at] = rows[i].value;
		assert_int_equal(dr_change_decode(&back, dr_bytes_of(buf, len), &fail), rows[i].expected);
		kit_assert_fail(rows[i].expected, &fail);
		buf[rows[i].at] = old;
	}
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= DR_REASON_LIMIT; i++) {
		assert_string_not_equal(dr_reason_name((enum dr_reason)i), "?");
		assert_true(strlen(dr_reason_text((enum dr_reason)i)) > 10);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(dr_reason_name((enum dr_reason)i), dr_reason_name((enum dr_reason)j));
	}
	assert_string_equal(dr_reason_name((enum dr_reason)99), "?");
	assert_string_equal(dr_outcome_name(DR_OUTCOME_MATURED), "matured");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
