/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include "chain/base/reader.h"

static void test_straight_line(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_reader r;
	uint8_t two[2];

	(void)state;
	dr_reader_init(&r,
		       kit_hex("01"
			       "0203"
			       "04050607"
			       "08090a0b0c0d0e0f"
			       "1011"
			       "121314"),
		       &fail);
	assert_int_equal(dr_reader_u8(&r), 0x01);
	assert_int_equal(dr_reader_u16(&r), 0x0203);
	assert_int_equal(dr_reader_u32(&r), 0x04050607);
	assert_true(dr_reader_u64(&r) == 0x08090a0b0c0d0e0f);
	dr_reader_copy(&r, two, 2);
	assert_memory_equal(two, "\x10\x11", 2);
	assert_int_equal(r.at, 17);
	const struct dr_bytes view = dr_reader_view(&r, 3);

	assert_int_equal(view.len, 3);
	assert_memory_equal(view.ptr, "\x12\x13\x14", 3);
	assert_int_equal(dr_reader_end(&r), DR_OK);
}

/* Each read, one byte short of its need: short, at the place where it began, and zeros. */
static void test_short(void **state)
{
	enum read { U8, U16, U32, U64, COPY5, VIEW5, CHILD5 };
	static const struct {
		const char *name;
		enum read read;
		size_t need;
	} rows[] = { { "u8", U8, 1 },      { "u16", U16, 2 },    { "u32", U32, 4 },     { "u64", U64, 8 },
		     { "copy", COPY5, 5 }, { "view", VIEW5, 5 }, { "child", CHILD5, 5 } };
	static const uint8_t bytes[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t len = 0; len <= rows[i].need; len++) {
			uint8_t out[5] = { 1, 1, 1, 1, 1 };
			struct dr_fail fail = { 0 };
			struct dr_reader r;
			uint64_t value = 1;

			dr_reader_init(&r, dr_bytes_of(bytes, 1 + len), &fail);
			dr_reader_u8(&r);
			switch (rows[i].read) {
			case U8: value = dr_reader_u8(&r); break;
			case U16: value = dr_reader_u16(&r); break;
			case U32: value = dr_reader_u32(&r); break;
			case U64: value = dr_reader_u64(&r); break;
			case COPY5:
				dr_reader_copy(&r, out, 5);
				value = out[0] | out[4];
				break;
			case VIEW5: value = dr_reader_view(&r, 5).len; break;
			case CHILD5: value = dr_reader_child(&r, 5).left; break;
			}
			const bool enough = len == rows[i].need;

			if ((value != 0) != enough || dr_reader_ok(&r) != enough)
				fail_msg("%s of %zu", rows[i].name, len);
			kit_assert_fail(enough ? DR_OK : DR_ERR_SHORT, &fail);
			assert_int_equal(fail.at, enough ? 0 : 1);
		}
	}
}

static void test_sticky(void **state)
{
	uint8_t out[3] = { 1, 2, 3 };
	struct dr_fail fail = { 0 };
	struct dr_reader r, child;

	(void)state;
	dr_reader_init(&r, kit_hex("0102030405060708"), &fail);
	child = dr_reader_child(&r, 3);
	assert_int_equal(r.at, 3);
	assert_int_equal(child.at, 0);
	dr_reader_u32(&child); /* beyond the child, not beyond the parent */
	kit_assert_fail(DR_ERR_SHORT, &fail);
	assert_int_equal(dr_reader_u8(&r), 0); /* the parent fails with it */
	dr_reader_copy(&r, out, 3);
	assert_true(dr_bytes_zero(out, 3));
	assert_null(dr_reader_view(&r, 0).ptr);
	assert_int_equal(dr_reader_child(&r, 1).left, 0);
	assert_int_equal(dr_reader_fail(&r, DR_ERR_PROOF, "a later failure"), DR_ERR_SHORT);
	assert_int_equal(dr_reader_end(&r), DR_ERR_SHORT);
}

static void test_end(void **state)
{
	struct dr_fail fail = { 0 }, trailing = { 0 }, own = { 0 };
	struct dr_reader r;

	(void)state;
	dr_reader_init(&r, dr_bytes_of(NULL, 0), &fail);
	assert_int_equal(dr_reader_view(&r, 0).len, 0);
	assert_int_equal(dr_reader_end(&r), DR_OK);
	dr_reader_init(&r, kit_hex("0102"), &trailing);
	dr_reader_u8(&r);
	assert_int_equal(dr_reader_end(&r), DR_ERR_SYNTAX);
	assert_int_equal(trailing.at, 1);
	dr_reader_init(&r, kit_hex("0102"), &own);
	assert_int_equal(dr_reader_fail(&r, DR_ERR_UNKNOWN, "test"), DR_ERR_UNKNOWN);
	assert_int_equal(dr_reader_u8(&r), 0);
}

/* A length near SIZE_MAX must not wrap. */
static void test_huge(void **state)
{
	struct dr_fail view = { 0 }, child = { 0 };
	struct dr_reader r;

	(void)state;
	dr_reader_init(&r, kit_hex("0102"), &view);
	assert_null(dr_reader_view(&r, SIZE_MAX).ptr);
	kit_assert_fail(DR_ERR_SHORT, &view);
	dr_reader_init(&r, kit_hex("0102"), &child);
	assert_int_equal(dr_reader_child(&r, SIZE_MAX - 1).left, 0);
	kit_assert_fail(DR_ERR_SHORT, &child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_straight_line), cmocka_unit_test(test_short), cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_end),           cmocka_unit_test(test_huge),
	};
	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
