/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/codec/base64.h"

/* RFC 4648, section 10, and both last characters of the alphabet. */
static const struct {
	const char *plain, *text;
} rows[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xef\xbe\xff\xff\xff", "++++////" },
};

static void test_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t len = strlen(rows[i].plain);
		struct dr_fail fail = { 0 };
		uint8_t out[16];
		char text[16];
		size_t got;

		memset(text, 'x', sizeof(text));
		dr_base64_put(text, dr_bytes_of(rows[i].plain, len));
		assert_string_equal(text, rows[i].text);
		assert_int_equal(strlen(text), DR_BASE64_LEN(len));
		assert_int_equal(dr_base64_get(out, len, &got, dr_bytes_of(text, strlen(text)), &fail), DR_OK);
		assert_int_equal(got, len);
		assert_memory_equal(out, rows[i].plain, len);
	}
}

static const struct {
	const char *name, *text;
	enum dr_err expected;
} bad[] = {
	{ "one character", "Z", DR_ERR_SYNTAX },
	{ "padding missing", "Zg", DR_ERR_SYNTAX },
	{ "padding short", "Zg=", DR_ERR_SYNTAX },
	{ "padding long", "Zg===", DR_ERR_SYNTAX },
	{ "padding alone", "====", DR_ERR_SYNTAX },
	{ "three of padding", "Z===", DR_ERR_SYNTAX },
	{ "padding in the middle", "Zg==Zm9v", DR_ERR_SYNTAX },
	{ "a character after padding", "Zg=v", DR_ERR_SYNTAX },
	{ "line break", "Zm9v\nm9v", DR_ERR_SYNTAX },
	{ "the alphabet for file names", "-___", DR_ERR_SYNTAX },
	{ "bits before one padding", "Zm9=", DR_ERR_NONCANONICAL },
	{ "bits before two paddings", "Zh==", DR_ERR_NONCANONICAL },
	{ "too long", "Zm9vYmFyZm9v", DR_ERR_LIMIT },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dr_fail fail = { 0 };
		uint8_t out[8];
		size_t len = 1;

		if (dr_base64_get(out, sizeof(out), &len, dr_bytes_of(bad[i].text, strlen(bad[i].text)), &fail) !=
		    bad[i].expected)
			fail_msg("%s: %s", bad[i].name, dr_err_name(fail.err));
		assert_int_equal(len, 0);
		assert_true(dr_bytes_zero(out, sizeof(out)));
	}
}

/* Any byte in any place: what is taken is what would be written. */
static void test_one_form(void **state)
{
	(void)state;
	for (size_t at = 0; at < 8; at++) {
		for (unsigned c = 0; c < 256; c++) {
			struct dr_fail fail = { 0 };
			char text[9] = "Zm9vYg==", again[9];
			uint8_t out[6];
			size_t len;

			text[at] = (char)c;
			if (dr_base64_get(out, sizeof(out), &len, dr_bytes_of(text, 8), &fail) != DR_OK)
				continue;
			dr_base64_put(again, dr_bytes_of(out, len));
			assert_memory_equal(again, text, 8);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_one_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
