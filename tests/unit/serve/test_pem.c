/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "kms-bridge/tell/pem.h"

/* RFC 7468, section 3: every line but the last has 64 characters. */
static void test_pem(void **state)
{
	static const char expected[] = "-----BEGIN CERTIFICATE-----\n"
				       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
				       "AA==\n"
				       "-----END CERTIFICATE-----\n";
	static const uint8_t zeros[49];
	struct dr_fail fail = { 0 };
	struct dr_buf out;

	(void)state;
	dr_buf_init(&out, sizeof(expected));
	assert_int_equal(dr_pem_put(&out, "CERTIFICATE", dr_bytes_of(zeros, 49), &fail), DR_OK);
	assert_int_equal(out.len, sizeof(expected) - 1);
	assert_memory_equal(out.ptr, expected, out.len);
	/* No room for a second: the first stays as it was. */
	assert_int_equal(dr_pem_put(&out, "CERTIFICATE", dr_bytes_of(zeros, 49), &fail), DR_ERR_LIMIT);
	assert_int_equal(out.len, sizeof(expected) - 1);
	out.len = 0;
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_pem_put(&out, "X", dr_bytes_of(zeros, 48), &fail), DR_OK);
	assert_int_equal(out.len, strlen("-----BEGIN X-----\n") + 65 + strlen("-----END X-----\n"));
	dr_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
