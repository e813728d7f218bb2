/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/crypto/argon2.h"

/* Made with @noble/hashes 1.8.0: argon2id(passphrase, salt, { t: passes, m: MiB · 1024, p: 1, dkLen: 32 }). */
static const struct {
	const char *passphrase;
	uint32_t memory_mib, passes;
	const char *key;
} rows[] = {
	{ "password", 8, 1, "6708f1faf7314dfc009386f5258b181f70f6190926363475fadec630a1bde67a" },
	{ "password", 8, 3, "c73cd0839f0457959748cb78a6de6277bfd15defe79d4bb4864890fe68b3e048" },
	{ "correct horse battery staple", 16, 2, "7cfb910f4bd460566328e3bad06e93c339eea042b331c8215ee9b478f9851668" },
	{ "", 8, 1, "50445b64a362cf432d175b0fbd484f23f51d3f1f797b60bd490532c2add1d65a" },
};

static const uint8_t salt[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		uint8_t key[32];

		assert_int_equal(dr_argon2id(key, dr_bytes_of(rows[i].passphrase, strlen(rows[i].passphrase)), salt,
					     rows[i].memory_mib, rows[i].passes, &fail),
				 DR_OK);
		assert_memory_equal(key, kit_hex(rows[i].key).ptr, 32);
	}
}

static void test_limits(void **state)
{
	static const struct {
		const char *name;
		uint32_t memory_mib, passes;
	} limits[] = {
		{ "too little memory", 7, 1 },        { "none", 0, 1 },    { "too much memory", 4097, 1 },
		{ "as much as fits", UINT32_MAX, 1 }, { "no pass", 8, 0 }, { "too many passes", 8, 17 },
		{ "as many as fit", 8, UINT32_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct dr_fail fail = { 0 };
		uint8_t key[32] = { 1 };

		if (dr_argon2id(key, dr_bytes_of("x", 1), salt, limits[i].memory_mib, limits[i].passes, &fail) !=
		    DR_ERR_LIMIT)
			fail_msg("%s", limits[i].name);
		assert_true(dr_bytes_zero(key, 32));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
