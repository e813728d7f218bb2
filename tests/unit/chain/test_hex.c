/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/base/hex.h"

/* execution-apis, "Hex value encoding": its examples, and what it excludes. */
static void test_quantity(void **state)
{
	static const struct {
		const char *name, *input;
		enum dr_err expected;
		uint64_t value;
	} rows[] = {
		{ "zero", "0x0", DR_OK, 0 },
		{ "65", "0x41", DR_OK, 65 },
		{ "1024", "0x400", DR_OK, 1024 },
		{ "upper case", "0xABCDEF", DR_OK, 0xabcdef },
		{ "largest", "0xffffffffffffffff", DR_OK, UINT64_MAX },
		{ "65 bits", "0x10000000000000000", DR_ERR_LIMIT, 0 },
		{ "no digits", "0x", DR_ERR_SYNTAX, 0 },
		{ "leading zero", "0x0400", DR_ERR_NONCANONICAL, 0 },
		{ "two zeros", "0x00", DR_ERR_NONCANONICAL, 0 },
		{ "no prefix", "ff", DR_ERR_SYNTAX, 0 },
		{ "upper-case prefix", "0Xff", DR_ERR_SYNTAX, 0 },
		{ "nothing", "", DR_ERR_SYNTAX, 0 },
		{ "one character", "0", DR_ERR_SYNTAX, 0 },
		{ "not a digit", "0x1g", DR_ERR_SYNTAX, 0 },
		{ "sign", "0x-1", DR_ERR_SYNTAX, 0 },
		{ "space", "0x1 ", DR_ERR_SYNTAX, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		uint64_t value = 1;

		dr_hex_u64(&value, rows[i].input, strlen(rows[i].input), &fail);
		if (fail.err != rows[i].expected || value != rows[i].value)
			fail_msg("%s: %s", rows[i].name, dr_err_name(fail.err));
	}
}

static void test_word(void **state)
{
	struct dr_fail fail = { 0 }, limit = { 0 };
	char text[2 + 65 + 1] = "0x";
	uint8_t word[32], all[32];

	(void)state;
	memset(text + 2, 'f', 65);
	memset(all, 0xff, 32);
	assert_int_equal(dr_hex_quantity(word, text, 66, &fail), DR_OK);
	assert_memory_equal(word, all, 32);
	assert_int_equal(dr_hex_quantity(word, text, 67, &limit), DR_ERR_LIMIT);
	assert_true(dr_bytes_zero(word, 32));
	assert_int_equal(dr_hex_quantity(word, "0x123", 5, &fail), DR_OK);
	assert_int_equal(word[30], 0x01);
	assert_int_equal(word[31], 0x23);
}

static void test_padded(void **state)
{
	static const struct {
		const char *name, *input;
		enum dr_err expected;
		uint64_t value;
	} rows[] = {
		{ "as a quantity", "0x400", DR_OK, 1024 },
		{ "as data", "0x0400", DR_OK, 1024 },
		{ "two zeros", "0x00", DR_OK, 0 },
		{ "no digits", "0x", DR_OK, 0 },
		{ "32 bytes", "0x00000000000000000000000000000000000000000000000000000000000000ff", DR_OK, 255 },
		{ "65 digits", "0x000000000000000000000000000000000000000000000000000000000000000ff", DR_ERR_LIMIT,
		  0 },
		{ "no prefix", "ff", DR_ERR_SYNTAX, 0 },
		{ "nothing", "", DR_ERR_SYNTAX, 0 },
		{ "not a digit", "0x0g", DR_ERR_SYNTAX, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		uint8_t word[32] = { 1 }, expected[32];

		dr_word_put(expected, rows[i].value);
		dr_hex_padded(word, rows[i].input, strlen(rows[i].input), &fail);
		if (fail.err != rows[i].expected || memcmp(word, expected, 32) != 0)
			fail_msg("%s: %s", rows[i].name, dr_err_name(fail.err));
	}
}

static void test_data(void **state)
{
	static const struct {
		const char *name, *input, *bytes;
		enum dr_err expected;
	} rows[] = {
		{ "nothing", "0x", "", DR_OK },
		{ "A", "0x41", "41", DR_OK },
		{ "leading zeros stay", "0x004200", "004200", DR_OK },
		{ "either case", "0xaBcD", "abcd", DR_OK },
		{ "four bytes", "0x01020304", "01020304", DR_OK },
		{ "five bytes", "0x0102030405", "", DR_ERR_LIMIT },
		{ "odd", "0xf0f0f", "", DR_ERR_SYNTAX },
		{ "no prefix", "004200", "", DR_ERR_SYNTAX },
		{ "empty text", "", "", DR_ERR_SYNTAX },
		{ "not a digit", "0x01020g", "", DR_ERR_SYNTAX },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dr_bytes expected = kit_hex(rows[i].bytes);
		struct dr_fail fail = { 0 };
		uint8_t out[4] = { 0 };
		size_t len = 99;

		dr_hex_data(out, 4, &len, rows[i].input, strlen(rows[i].input), &fail);
		if (fail.err != rows[i].expected || !dr_bytes_eq(dr_bytes_of(out, len), expected))
			fail_msg("%s: %s", rows[i].name, dr_err_name(fail.err));
		if (fail.err != DR_OK)
			assert_true(dr_bytes_zero(out, 4));
	}
}

static void test_fixed(void **state)
{
	static const struct {
		const char *name, *input;
		enum dr_err expected;
	} rows[] = {
		{ "right", "0x010203", DR_OK },
		{ "short", "0x0102", DR_ERR_SYNTAX },
		{ "long", "0x01020304", DR_ERR_SYNTAX },
		{ "no prefix", "01020304", DR_ERR_SYNTAX },
		{ "bad digit", "0x01z203", DR_ERR_SYNTAX },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		uint8_t out[3] = { 9, 9, 9 };

		dr_hex_fixed(out, 3, rows[i].input, strlen(rows[i].input), &fail);
		if (fail.err != rows[i].expected)
			fail_msg("%s: %s", rows[i].name, dr_err_name(fail.err));
		assert_memory_equal(out, fail.err == DR_OK ? "\1\2\3" : "\0\0\0", 3);
	}
}

static void test_put(void **state)
{
	char text[7];

	(void)state;
	dr_hex_put(text, "\x00\xab\xff", 3);
	assert_string_equal(text, "00abff");
	dr_hex_put(text, "", 0);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantity), cmocka_unit_test(test_word), cmocka_unit_test(test_data),
		cmocka_unit_test(test_fixed),    cmocka_unit_test(test_put),  cmocka_unit_test(test_padded),
	};
	return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}
