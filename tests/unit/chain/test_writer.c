/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/base/reader.h"
#include "chain/base/writer.h"

static void test_big_endian(void **state)
{
	uint8_t buf[20];
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	(void)state;
	dr_writer_init(&w, buf, sizeof(buf), &fail);
	dr_writer_u8(&w, 0x01);
	dr_writer_u16(&w, 0x0203);
	dr_writer_u32(&w, 0x04050607);
	dr_writer_u64(&w, 0x08090a0b0c0d0e0f);
	dr_writer_copy(&w, "\x10\x11", 2);
	dr_writer_bytes(&w, kit_hex("121314"));
	dr_writer_bytes(&w, dr_bytes_of(NULL, 0));
	assert_int_equal(fail.err, DR_OK);
	assert_true(dr_bytes_eq(dr_writer_view(&w), kit_hex("0102030405060708090a0b0c0d0e0f1011121314")));
}

/* One byte too few, for every kind of write: limit, nothing of it is written, nor anything after it. */
static void test_full(void **state)
{
	static const struct {
		const char *name;
		size_t need;
	} rows[] = { { "u8", 1 }, { "u16", 2 }, { "u32", 4 }, { "u64", 8 }, { "copy", 5 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t buf[16], before[16];
		struct dr_fail fail = { 0 };
		struct dr_writer w;

		memset(buf, 0xee, sizeof(buf));
		memcpy(before, buf, sizeof(buf));
		dr_writer_init(&w, buf, rows[i].need - 1, &fail);
		switch (rows[i].need) {
		case 1: dr_writer_u8(&w, 1); break;
		case 2: dr_writer_u16(&w, 1); break;
		case 4: dr_writer_u32(&w, 1); break;
		case 8: dr_writer_u64(&w, 1); break;
		case 5: dr_writer_copy(&w, "hello", 5); break;
		}
		kit_assert_fail(DR_ERR_LIMIT, &fail);
		dr_writer_u8(&w, 1);
		if (memcmp(buf, before, sizeof(buf)) != 0 || w.len != 0)
			fail_msg("%s", rows[i].name);
		assert_null(dr_writer_view(&w).ptr);
		assert_int_equal(dr_writer_view(&w).len, 0);
	}
}

static void test_round_trip(void **state)
{
	uint8_t buf[15];
	struct dr_fail fail = { 0 };
	struct dr_writer w;
	struct dr_reader r;

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		const uint64_t value = (uint64_t)1 << bit;

		dr_writer_init(&w, buf, sizeof(buf), &fail);
		dr_writer_u8(&w, (uint8_t)value);
		dr_writer_u16(&w, (uint16_t)value);
		dr_writer_u32(&w, (uint32_t)value);
		dr_writer_u64(&w, value);
		dr_reader_init(&r, dr_writer_view(&w), &fail);
		assert_int_equal(dr_reader_u8(&r), (uint8_t)value);
		assert_int_equal(dr_reader_u16(&r), (uint16_t)value);
		assert_int_equal(dr_reader_u32(&r), (uint32_t)value);
		assert_true(dr_reader_u64(&r) == value);
		assert_int_equal(dr_reader_end(&r), DR_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_big_endian),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_round_trip),
	};
	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
