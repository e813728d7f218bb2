/* SPDX-License-Identifier: Apache-2.0
 *
 * Instructions that compute a wrong hash are not used, whatever the processor says that it can do. Here it says that
 * it can do everything, and what stands for its instructions is wrong in one place or another.
 */
#define __builtin_cpu_supports(name) (sizeof(name) > 0)
#include "chain/crypto/keccak.c"

#include "tests/unit/kit.h"

#if defined(__x86_64__)

enum wrong {
	RIGHT,
	LAST,   /* of many, the last one's last byte */
	EMPTY,  /* the hash of nothing */
	SINGLE, /* what is hashed alone */
};
static enum wrong avx2, avx512, bmi;

static void many(uint8_t (*out)[32], const struct dr_bytes *in, size_t num, enum wrong wrong)
{
	for (size_t i = 0; i < num; i++) {
		hash(&impls[DR_KECCAK_PORTABLE], out[i], in[i].ptr, in[i].len);
		out[i][31] ^= wrong == LAST && i + 1 == num;
		out[i][0] ^= wrong == EMPTY && in[i].len == 0;
	}
}

void dr_keccak_many_avx2(uint8_t (*out)[32], const struct dr_bytes *in, size_t num)
{
	many(out, in, num, avx2);
}

void dr_keccak_many_avx512(uint8_t (*out)[32], const struct dr_bytes *in, size_t num)
{
	many(out, in, num, avx512);
}

void dr_keccak_permute_bmi(uint64_t state[static 25])
{
	permute_plain(state);
	state[3] ^= bmi == SINGLE;
}

static void test_wrong(void **state)
{
	static const struct {
		enum wrong avx2, avx512, bmi;
		enum dr_keccak_impl expected;
	} rows[] = {
		{ RIGHT, RIGHT, RIGHT, DR_KECCAK_AVX512 },    { RIGHT, LAST, RIGHT, DR_KECCAK_AVX2 },
		{ LAST, RIGHT, RIGHT, DR_KECCAK_AVX512 },     { RIGHT, EMPTY, RIGHT, DR_KECCAK_AVX2 },
		{ EMPTY, LAST, RIGHT, DR_KECCAK_PORTABLE },   { LAST, LAST, RIGHT, DR_KECCAK_PORTABLE },
		{ RIGHT, RIGHT, SINGLE, DR_KECCAK_PORTABLE },
	};
	uint8_t right[32], got[32], two[2][32];
	const struct dr_bytes in[2] = { dr_bytes_of("ab", 2), dr_bytes_of(NULL, 0) };

	(void)state;
	hash(&impls[DR_KECCAK_PORTABLE], right, "ab", 2);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		avx2 = rows[i].avx2;
		avx512 = rows[i].avx512;
		bmi = rows[i].bmi;
		atomic_store(&in_use, 0);
		dr_keccak256(got, "ab", 2);
		assert_memory_equal(got, right, 32);
		assert_int_equal(dr_keccak_in_use(), rows[i].expected);
		/* Nor when somebody asks for them. */
		assert_int_equal(dr_keccak_use(DR_KECCAK_AVX512), rows[i].expected == DR_KECCAK_AVX512);
		assert_int_equal(dr_keccak_use(DR_KECCAK_AVX2), avx2 == RIGHT && bmi == RIGHT);
		dr_keccak256_many(two, in, 2);
		assert_memory_equal(two[0], right, 32);
	}
}

#else

static void test_wrong(void **state)
{
	(void)state;
	assert_int_equal(dr_keccak_in_use(), DR_KECCAK_PORTABLE);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_wrong) };

	return cmocka_run_group_tests_name("keccak_wrong", tests, NULL, NULL);
}
