/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/codec/der.h"

static uint8_t buf[70000];
static struct dr_fail fail;
static struct dr_der d;

static void begin(size_t cap)
{
	fail = (struct dr_fail){ 0 };
	dr_der_init(&d, buf, cap, &fail);
}

static void expect(const char *name, const char *hex)
{
	const struct dr_bytes expected = kit_hex(hex);
	size_t len;

	if (dr_der_end(&d, &len) != DR_OK)
		fail_msg("%s: %s", name, fail.what);
	if (len != expected.len || memcmp(buf, expected.ptr, len) != 0)
		fail_msg("%s: other bytes", name);
}

static void expect_err(const char *name, enum dr_err err)
{
	size_t len = 9;

	if (dr_der_end(&d, &len) != err || len != 0)
		fail_msg("%s: expected %s, got %s", name, dr_err_name(err), dr_err_name(fail.err));
	kit_assert_fail(err, &fail);
}

/* What `openssl asn1parse -genstr OID:…` writes (OpenSSL 3.0). */
static void test_oid(void **state)
{
	static const struct {
		const char *oid, *der;
	} good[] = {
		{ "2.25.147685682472378872222960868619016953377", "06146981de9b9d94d3d0f2b1af8aa0f4fc87e0adbc21" },
		{ "1.3.101.112", "06032b6570" },
		{ "2.999.3", "0603883703" },
		{ "1.2.840.113549", "06062a864886f70d" },
		{ "2.5.4.10", "060355040a" },
		{ "0.0", "060100" },
		{ "2.47", "06017f" },
		{ "2.48", "06028100" },
		{ "1.39.128", "06034f8100" },
	};
	static const struct {
		const char *oid;
		enum dr_err err;
	} bad[] = {
		{ "", DR_ERR_SYNTAX },
		{ "1", DR_ERR_SYNTAX },
		{ "1.", DR_ERR_SYNTAX },
		{ "3.1", DR_ERR_SYNTAX },
		{ "128.1", DR_ERR_SYNTAX },
		{ "1.40", DR_ERR_SYNTAX },
		{ "0.128", DR_ERR_SYNTAX },
		{ "1.2.", DR_ERR_SYNTAX },
		{ "1..2", DR_ERR_SYNTAX },
		{ "1.2.03", DR_ERR_SYNTAX },
		{ "01.2", DR_ERR_SYNTAX },
		{ "1.2.3x", DR_ERR_SYNTAX },
		{ "1.2.-3", DR_ERR_SYNTAX },
		{ ".1.2", DR_ERR_SYNTAX },
		{ "1.2 ", DR_ERR_SYNTAX },
		/* 2^224: one septet more than fits; and a second arc to which 80 is one too many. */
		{ "1.2.26959946667150639794667015087019630673637144422540572481103610249216", DR_ERR_LIMIT },
		{ "2.26959946667150639794667015087019630673637144422540572481103610249215", DR_ERR_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		begin(sizeof(buf));
		dr_der_oid(&d, good[i].oid);
		expect(good[i].oid, good[i].der);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(sizeof(buf));
		dr_der_oid(&d, bad[i].oid);
		expect_err(bad[i].oid, bad[i].err);
	}
	/* 2^224 - 1 fits. */
	begin(sizeof(buf));
	dr_der_oid(&d, "1.2.26959946667150639794667015087019630673637144422540572481103610249215");
	expect("2^224 - 1", "06212affffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
}

/* date -u -d @… */
static void test_time(void **state)
{
	static const struct {
		uint64_t unix_s;
		const char *der, *text;
	} rows[] = {
		{ 0, "170d", "700101000000Z" },
		{ 951782400, "170d", "000229000000Z" }, /* 2000 is a leap year */
		{ 1700000000, "170d", "231114221320Z" },
		{ 1709210096, "170d", "240229123456Z" },
		{ 2524607999, "170d", "491231235959Z" },
		{ 2524608000, "180f", "20500101000000Z" },
		{ 4107542399, "180f", "21000228235959Z" }, /* and 2100 is none */
		{ 4107542400, "180f", "21000301000000Z" },
		{ DR_DER_TIME_MAX_S, "180f", "99991231235959Z" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len;

		begin(sizeof(buf));
		dr_der_time(&d, rows[i].unix_s);
		assert_int_equal(dr_der_end(&d, &len), DR_OK);
		assert_int_equal(len, 2 + strlen(rows[i].text));
		assert_memory_equal(buf, kit_hex(rows[i].der).ptr, 2);
		if (memcmp(buf + 2, rows[i].text, len - 2) != 0)
			fail_msg("%s", rows[i].text);
	}
	begin(sizeof(buf));
	dr_der_time(&d, DR_DER_TIME_MAX_S + 1);
	expect_err("the year 10000", DR_ERR_LIMIT);
	begin(sizeof(buf));
	dr_der_time(&d, UINT64_MAX);
	expect_err("the last second of all", DR_ERR_LIMIT);
}

static void test_values(void **state)
{
	static const struct {
		uint64_t value;
		const char *der;
	} integers[] = {
		{ 0, "020100" },          { 1, "020101" },
		{ 127, "02017f" },        { 128, "02020080" },
		{ 256, "02020100" },      { 0x8000, "0203008000" },
		{ 0xffff, "020300ffff" }, { UINT64_MAX, "020900ffffffffffffffff" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		begin(sizeof(buf));
		dr_der_u64(&d, integers[i].value);
		expect(integers[i].der, integers[i].der);
	}
	begin(sizeof(buf));
	dr_der_integer(&d, dr_bytes_of(NULL, 0));
	dr_der_integer(&d, kit_hex("000000"));
	dr_der_integer(&d, kit_hex("0000ff01"));
	expect("integers", "020100"
			   "020100"
			   "020300ff01");
	begin(sizeof(buf));
	dr_der_bool(&d, true);
	dr_der_bool(&d, false);
	dr_der_bits(&d, kit_hex("04"), 2);
	dr_der_bits(&d, dr_bytes_of(NULL, 0), 0);
	dr_der_text(&d, "äb");
	dr_der_value(&d, DR_DER_CONTEXT | 2, kit_hex("abcd"));
	dr_der_value(&d, DR_DER_OCTET_STRING, dr_bytes_of(NULL, 0));
	dr_der_raw(&d, kit_hex("0500"));
	expect("values", "0101ff"
			 "010100"
			 "03020204"
			 "030100"
			 "0c03c3a462"
			 "8202abcd"
			 "0400"
			 "0500");
}

static void test_nest(void **state)
{
	static const struct {
		size_t content;
		const char *head;
	} rows[] = {
		{ 0, "3000" },       { 127, "307f" },       { 128, "308180" },       { 255, "3081ff" },
		{ 256, "30820100" }, { 65535, "3082ffff" }, { 65536, "3083010000" },
	};
	static uint8_t content[65536];

	(void)state;
	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dr_bytes head = kit_hex(rows[i].head);
		size_t len;

		begin(sizeof(buf));
		dr_der_open(&d, DR_DER_SEQUENCE);
		dr_der_raw(&d, dr_bytes_of(content, rows[i].content));
		dr_der_close(&d);
		assert_int_equal(dr_der_end(&d, &len), DR_OK);
		assert_int_equal(len, head.len + rows[i].content);
		assert_memory_equal(buf, head.ptr, head.len);
		assert_memory_equal(buf + head.len, content, rows[i].content);
		/* One byte less than it needs is refused wherever it runs out. */
		begin(len - 1);
		dr_der_open(&d, DR_DER_SEQUENCE);
		dr_der_raw(&d, dr_bytes_of(content, rows[i].content));
		dr_der_close(&d);
		expect_err(rows[i].head, DR_ERR_LIMIT);
	}
	begin(sizeof(buf));
	dr_der_open(&d, DR_DER_SEQUENCE);
	dr_der_open(&d, DR_DER_EXPLICIT | 3);
	dr_der_open(&d, DR_DER_OCTET_STRING);
	dr_der_u64(&d, 5);
	dr_der_close(&d);
	dr_der_close(&d);
	dr_der_open(&d, DR_DER_SET);
	dr_der_close(&d);
	dr_der_close(&d);
	expect("nested", "3009"
			 "a305"
			 "0403"
			 "020105"
			 "3100");
}

static void test_room(void **state)
{
	(void)state;
	/* Every truncation of the buffer of something that has all the forms. */
	for (size_t cap = 0; cap < 64; cap++) {
		size_t len;

		begin(cap);
		dr_der_open(&d, DR_DER_SEQUENCE);
		dr_der_oid(&d, "1.3.101.112");
		dr_der_bits(&d, kit_hex("0102"), 0);
		dr_der_integer(&d, kit_hex("ff"));
		dr_der_time(&d, 0);
		dr_der_bool(&d, true);
		dr_der_text(&d, "x");
		dr_der_close(&d);
		if (cap >= 37) {
			assert_int_equal(dr_der_end(&d, &len), DR_OK);
			assert_int_equal(len, 37);
		} else {
			expect_err("room", DR_ERR_LIMIT);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oid),  cmocka_unit_test(test_time), cmocka_unit_test(test_values),
		cmocka_unit_test(test_nest), cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
