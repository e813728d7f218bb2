/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/crypto/hkdf.h"

typedef enum dr_err hkdf_fn(uint8_t *, size_t, struct dr_bytes, struct dr_bytes, struct dr_bytes, struct dr_fail *);

static const uint8_t zeros[20000];

/* RFC 5869, A.1, A.3; and the same inputs with SHA-512, made with Python's hmac module. */
static const struct {
	const char *name;
	hkdf_fn *fn;
	const char *ikm, *salt, *info, *okm;
} rows[] = {
	{ "A.1", dr_hkdf_sha256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
	  "f0f1f2f3f4f5f6f7f8f9",
	  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865" },
	{ "A.3", dr_hkdf_sha256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
	  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8" },
	{ "A.1 with SHA-512", dr_hkdf_sha512, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
	  "832390086cda71fb47625bb5ceb168e4c8e26a1a16ed34d9fc7fe92c1481579338da362cb8d9f925d7cb" },
	{ "nothing at all, SHA-512", dr_hkdf_sha512, "", "", "",
	  "9d73c98e791e80ebe5b4cb45693aa32fdd44b5fa3edab3ec82f9d0f4d66905e2215ad0d4ac20fe570da5" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dr_bytes okm = kit_hex(rows[i].okm);
		struct dr_fail fail = { 0 };
		uint8_t out[256];

		rows[i].fn(out, okm.len, kit_hex(rows[i].ikm), kit_hex(rows[i].salt), kit_hex(rows[i].info), &fail);
		kit_assert_fail(DR_OK, &fail);
		assert_memory_equal(out, okm.ptr, okm.len);
	}
}

static void test_limits(void **state)
{
	static const struct {
		const char *name;
		hkdf_fn *fn;
		size_t len, info_len;
		enum dr_err err;
	} limits[] = {
		{ "nothing", dr_hkdf_sha256, 0, 0, DR_ERR_LIMIT },
		{ "most, SHA-256", dr_hkdf_sha256, 8160, 0, DR_OK },
		{ "too much, SHA-256", dr_hkdf_sha256, 8161, 0, DR_ERR_LIMIT },
		{ "most, SHA-512", dr_hkdf_sha512, 16320, 0, DR_OK },
		{ "too much, SHA-512", dr_hkdf_sha512, 16321, 0, DR_ERR_LIMIT },
		{ "longest info", dr_hkdf_sha256, 32, DR_HKDF_INFO_MAX, DR_OK },
		{ "info too long", dr_hkdf_sha256, 32, DR_HKDF_INFO_MAX + 1, DR_ERR_LIMIT },
	};
	static uint8_t out[16400];

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const struct dr_bytes none = { NULL, 0 };
		struct dr_fail fail = { 0 };

		memset(out, 0xaa, sizeof(out));
		limits[i].fn(out, limits[i].len, none, none, dr_bytes_of(zeros, limits[i].info_len), &fail);
		kit_assert_fail(limits[i].err, &fail);
		assert_int_equal(dr_bytes_zero(out, limits[i].len), limits[i].err != DR_OK);
		assert_int_equal(out[limits[i].len], 0xaa);
	}
}

/* C2SP Wycheproof, hkdf_sha256_test. */
static void test_wycheproof(void **state)
{
	json_t *all = kit_vector("07-crypto/wycheproof/hkdf_sha256_test.json.gz"), *group, *test;
	static uint8_t out[20000];
	size_t i, j, seen = 0;

	(void)state;
	json_array_foreach(json_object_get(all, "testGroups"), i, group)
	{
		json_array_foreach(json_object_get(group, "tests"), j, test)
		{
			const struct dr_bytes okm = kit_hex(json_string_value(json_object_get(test, "okm")));
			const size_t size = (size_t)json_integer_value(json_object_get(test, "size"));
			const bool valid = strcmp(json_string_value(json_object_get(test, "result")), "valid") == 0;
			struct dr_fail fail = { 0 };

			assert_true(size <= sizeof(out));
			dr_hkdf_sha256(out, size, kit_hex(json_string_value(json_object_get(test, "ikm"))),
				       kit_hex(json_string_value(json_object_get(test, "salt"))),
				       kit_hex(json_string_value(json_object_get(test, "info"))), &fail);
			kit_assert_fail(valid ? DR_OK : DR_ERR_LIMIT, &fail);
			if (valid)
				assert_memory_equal(out, okm.ptr, size);
			seen++;
		}
	}
	assert_int_equal(seen, 86);
	json_decref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_wycheproof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
