/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/base/limits.h"
#include "chain/codec/rlp.h"

#define FIFTY                                                                                                        \
	"00000000000000000000000000000000000000000000000000"                                                         \
	"00000000000000000000000000000000000000000000000000"

/* Yellow paper, appendix B, and the invalid encodings that it excludes. */
static void test_check(void **state)
{
	static const struct {
		const char *name, *input;
		enum dr_err expected;
	} rows[] = {
		{ "byte zero", "00", DR_OK },
		{ "byte 7f", "7f", DR_OK },
		{ "empty string", "80", DR_OK },
		{ "byte 80", "8180", DR_OK },
		{ "dog", "83646f67", DR_OK },
		{ "empty list", "c0", DR_OK },
		{ "cat, dog", "c88363617483646f67", DR_OK },
		{ "set of three", "c7c0c1c0c3c0c1c0", DR_OK },
		{ "nothing", "", DR_ERR_SHORT },
		{ "string cut", "83646f", DR_ERR_SHORT },
		{ "list cut", "c88363617483646f", DR_ERR_SHORT },
		{ "length cut", "b9ff", DR_ERR_SHORT },
		{ "list ends before its input", "c28363617483646f67", DR_ERR_SYNTAX },
		{ "item longer than its list", "c28363", DR_ERR_SHORT },
		{ "trailing byte", "83646f6700", DR_ERR_SYNTAX },
		{ "trailing byte after a list", "c000", DR_ERR_SYNTAX },
		{ "prefixed small byte", "8100", DR_ERR_NONCANONICAL },
		{ "prefixed 7f", "817f", DR_ERR_NONCANONICAL },
		{ "prefixed small byte, inside", "c28101", DR_ERR_NONCANONICAL },
		{ "long form of a short string", "b8020102", DR_ERR_NONCANONICAL },
		{ "long form of a short list", "f80101", DR_ERR_NONCANONICAL },
		{ "long form of 55 bytes", "b837" FIFTY "0000000000", DR_ERR_NONCANONICAL },
		{ "long form of a list of 55 bytes", "f837" FIFTY "0000000000", DR_ERR_NONCANONICAL },
		{ "long form of 56 bytes", "b838" FIFTY "000000000000", DR_OK },
		{ "length with a leading zero", "b90040", DR_ERR_NONCANONICAL },
		{ "list length with a leading zero", "f90040", DR_ERR_NONCANONICAL },
		{ "length beyond memory", "bfffffffffffffffff", DR_ERR_SHORT },
		{ "list length beyond memory", "ffffffffffffffffff", DR_ERR_SHORT },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		const enum dr_err err = dr_rlp_check(kit_hex(rows[i].input), &fail);

		if (err != rows[i].expected || fail.err != err)
			fail_msg("%s: %s", rows[i].name, dr_err_name(err));
	}
}

static void test_string_length_55_56(void **state)
{
	(void)state;
	for (size_t len = 54; len <= 300; len++) {
		uint8_t input[300] = { 0 }, buf[310];
		struct dr_fail fail = { 0 };
		struct dr_writer w;
		struct dr_reader r;

		dr_writer_init(&w, buf, sizeof(buf), &fail);
		dr_rlp_put(&w, dr_bytes_of(input, len));
		assert_int_equal(w.len, dr_rlp_len(dr_bytes_of(input, len)));
		assert_int_equal(w.len, len + (len < 56 ? 1u : len < 256 ? 2u : 3u));
		dr_reader_init(&r, dr_writer_view(&w), &fail);
		assert_int_equal(dr_rlp_string(&r, len).len, len);
		assert_int_equal(dr_reader_end(&r), DR_OK);
		dr_reader_init(&r, dr_writer_view(&w), &fail);
		dr_rlp_string(&r, len - 1);
		kit_assert_fail(DR_ERR_LIMIT, &fail);
	}
}

static void test_depth(void **state)
{
	uint8_t nest[DR_RLP_DEPTH_MAX + 2];

	(void)state;
	for (size_t depth = 1; depth <= sizeof(nest); depth++) {
		struct dr_fail fail = { 0 };

		for (size_t i = 0; i < depth; i++)
			nest[i] = (uint8_t)(0xc0 + depth - 1 - i);
		dr_rlp_check(dr_bytes_of(nest, depth), &fail);
		kit_assert_fail(depth <= DR_RLP_DEPTH_MAX ? DR_OK : DR_ERR_LIMIT, &fail);
	}
}

enum field { U64, WORD, FIXED3, STRING3, LIST };

static void test_fields(void **state)
{
	static const struct {
		const char *name;
		enum field field;
		const char *input;
		enum dr_err expected;
		uint64_t value;
	} rows[] = {
		{ "zero", U64, "80", DR_OK, 0 },
		{ "one", U64, "01", DR_OK, 1 },
		{ "1024", U64, "820400", DR_OK, 1024 },
		{ "largest", U64, "88ffffffffffffffff", DR_OK, UINT64_MAX },
		{ "zero as a byte", U64, "00", DR_ERR_NONCANONICAL, 0 },
		{ "leading zero", U64, "820004", DR_ERR_NONCANONICAL, 0 },
		{ "nine bytes", U64, "89010000000000000000", DR_ERR_LIMIT, 0 },
		{ "list for an integer", U64, "c0", DR_ERR_SYNTAX, 0 },
		{ "short integer", U64, "8204", DR_ERR_SHORT, 0 },
		{ "word", WORD, "8204d2", DR_OK, 1234 },
		{ "word leading zero", WORD, "a00000000000000000000000000000000000000000000000000000000000000001",
		  DR_ERR_NONCANONICAL, 0 },
		{ "word of 33 bytes", WORD, "a1010000000000000000000000000000000000000000000000000000000000000000",
		  DR_ERR_LIMIT, 0 },
		{ "fixed", FIXED3, "83010203", DR_OK, 0x010203 },
		{ "fixed keeps zeros", FIXED3, "83000000", DR_OK, 0 },
		{ "fixed too short", FIXED3, "820102", DR_ERR_SYNTAX, 0 },
		{ "fixed too long", FIXED3, "8401020304", DR_ERR_SYNTAX, 0 },
		{ "list for fixed", FIXED3, "c3010203", DR_ERR_SYNTAX, 0 },
		{ "string", STRING3, "83010203", DR_OK, 3 },
		{ "string too long", STRING3, "8401020304", DR_ERR_LIMIT, 0 },
		{ "list", LIST, "c3010203", DR_OK, 3 },
		{ "string for a list", LIST, "83010203", DR_ERR_SYNTAX, 0 },
		{ "list with a bad item", LIST, "c28100", DR_ERR_NONCANONICAL, 0 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		struct dr_reader r, child;
		uint8_t out[32] = { 0 };
		uint64_t value = 0;

		memset(out, 0xee, sizeof(out));
		dr_reader_init(&r, kit_hex(rows[i].input), &fail);
		switch (rows[i].field) {
		case U64: value = dr_rlp_u64(&r); break;
		case WORD:
			dr_rlp_word(&r, out);
			assert_true(dr_word_u64(&value, out));
			break;
		case FIXED3:
			dr_rlp_fixed(&r, out, 3);
			value = (uint64_t)out[0] << 16 | (uint64_t)out[1] << 8 | out[2];
			break;
		case STRING3: value = dr_rlp_string(&r, 3).len; break;
		case LIST:
			child = dr_rlp_list(&r);
			value = dr_rlp_count(&child);
			break;
		}
		if (dr_reader_end(&r) != rows[i].expected || value != rows[i].value)
			fail_msg("%s: %s %llu", rows[i].name, dr_err_name(fail.err), (unsigned long long)value);
	}
}

/* A failure sticks, and everything read after it is zero. */
static void test_sticky(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_reader r, child;
	uint8_t out[3] = { 1, 2, 3 };

	(void)state;
	dr_reader_init(&r, kit_hex("c3c3c301010101"), &fail);
	child = dr_rlp_list(&r);
	dr_rlp_list(&child);
	kit_assert_fail(DR_ERR_SHORT, &fail);
	assert_int_equal(fail.at, 1);
	dr_rlp_fixed(&r, out, 3);
	assert_true(dr_bytes_zero(out, 3));
	assert_int_equal(dr_rlp_u64(&r), 0);
	assert_null(dr_rlp_item(&r).whole.ptr);
	assert_int_equal(dr_rlp_list(&r).left, 0);
	assert_false(dr_rlp_more(&r));
	assert_int_equal(dr_reader_end(&r), DR_ERR_SHORT);
}

/* The encoded length of a nested JSON value of hex strings, and its encoding. */
static size_t measure(const json_t *value)
{
	size_t idx, sum = 0;
	json_t *item;

	if (!json_is_array(value))
		return dr_rlp_len(kit_json_hex(value));
	json_array_foreach(value, idx, item) sum += measure(item);
	return dr_rlp_list_len(sum);
}

static void put(struct dr_writer *w, const json_t *value)
{
	size_t idx, sum = 0;
	json_t *item;

	if (!json_is_array(value)) {
		dr_rlp_put(w, kit_json_hex(value));
		return;
	}
	json_array_foreach(value, idx, item) sum += measure(item);
	dr_rlp_put_list(w, sum);
	json_array_foreach(value, idx, item) put(w, item);
}

static void assert_same(struct dr_reader *r, const json_t *value)
{
	size_t idx;
	json_t *item;

	if (!json_is_array(value)) {
		assert_true(dr_bytes_eq(dr_rlp_string(r, SIZE_MAX), kit_json_hex(value)));
		return;
	}
	struct dr_reader child = dr_rlp_list(r);

	json_array_foreach(value, idx, item) assert_same(&child, item);
	assert_int_equal(dr_reader_end(&child), DR_OK);
}

/* npm @ethersproject/testcases. */
static void test_vectors(void **state)
{
	json_t *rows = kit_vector("09-abi/ethersproject/rlp-coder.json.gz"), *row;
	size_t idx;

	(void)state;
	json_array_foreach(rows, idx, row)
	{
		const json_t *decoded = json_object_get(row, "decoded");
		const struct dr_bytes encoded = kit_json_hex(json_object_get(row, "encoded"));
		const size_t len = measure(decoded);
		uint8_t *buf = kit_alloc(len);
		struct dr_fail fail = { 0 };
		struct dr_writer w;
		struct dr_reader r;

		dr_writer_init(&w, buf, len, &fail);
		put(&w, decoded);
		assert_true(dr_bytes_eq(dr_writer_view(&w), encoded));
		assert_int_equal(dr_rlp_check(encoded, &fail), DR_OK);
		dr_reader_init(&r, encoded, &fail);
		assert_same(&r, decoded);
		assert_int_equal(dr_reader_end(&r), DR_OK);
		for (size_t cut = 0; cut < encoded.len; cut++) {
			struct dr_fail short_fail = { 0 };

			dr_rlp_check(dr_bytes_of(encoded.ptr, cut), &short_fail);
			kit_assert_fail(DR_ERR_SHORT, &short_fail);
		}
	}
	json_decref(rows);
}

static void test_integers_round_trip(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit <= 64; bit++) {
		const uint64_t value = bit == 64 ? 0 : (uint64_t)1 << bit;
		struct dr_fail fail = { 0 };
		struct dr_writer w;
		struct dr_reader r;
		uint8_t buf[9];

		dr_writer_init(&w, buf, sizeof(buf), &fail);
		dr_rlp_put_u64(&w, value);
		dr_reader_init(&r, dr_writer_view(&w), &fail);
		assert_true(dr_rlp_u64(&r) == value);
		assert_int_equal(dr_reader_end(&r), DR_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_string_length_55_56),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_integers_round_trip),
	};
	return cmocka_run_group_tests_name("rlp", tests, NULL, NULL);
}
