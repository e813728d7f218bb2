/* SPDX-License-Identifier: Apache-2.0
 *
 * The words by which messages, JSON and scripts tell what the lowest floors mean: stable, distinct, and never a guess
 * for a number that is none of them.
 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/facts.h"

static const char *err_name(int value)
{
	return dr_err_name((enum dr_err)value);
}

static const char *proof_name(int value)
{
	return dr_proof_name((enum dr_proof)value);
}

static const char *status_name(int value)
{
	return dr_status_name((enum dr_status)value);
}

static const char *complete_name(int value)
{
	return dr_complete_name((enum dr_complete)value);
}

static const struct {
	const char *(*name)(int value);
	const char *expected[12]; /* by value, the last for the first number beyond */
} rows[] = {
	{ err_name,
	  { "ok", "short", "syntax", "noncanonical", "limit", "unknown", "proof", "stale", "io", "nomem", "bug" } },
	{ proof_name, { "none", "quorum", "consensus", "seals", "l1", "?" } },
	{ status_name, { "none", "head", "final", "?" } },
	{ complete_name, { "none", "bloom", "receipts", "accumulator", "?" } },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int value = 0; rows[i].expected[value] != NULL; value++)
			assert_string_equal(rows[i].name(value), rows[i].expected[value]);
}

static void test_first_failure_stays(void **state)
{
	struct dr_fail fail = { 0 };

	(void)state;
	assert_int_equal(dr_fail_set(&fail, DR_ERR_PROOF, "first", 3), DR_ERR_PROOF);
	assert_int_equal(dr_fail_set(&fail, DR_ERR_LIMIT, "second", 4), DR_ERR_PROOF);
	assert_string_equal(fail.what, "first");
	assert_int_equal(fail.at, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_first_failure_stays),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
