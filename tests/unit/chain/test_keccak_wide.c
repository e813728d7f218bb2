/* SPDX-License-Identifier: Apache-2.0
 *
 * The eight lanes of keccak_avx512.c, from the same source, in whatever instructions this machine has: few machines
 * have those.
 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/crypto/keccak.h"

#define KECCAK_LANES  8
#define KECCAK_TARGET __attribute__((noinline))
#define KECCAK_MANY   many_eight

void many_eight(uint8_t (*out)[32], const struct dr_bytes *in, size_t num);

#include "chain/crypto/keccak_wide.h"

#define NUM_MAX 300u

static uint8_t bytes[20000];

static void compare(const struct dr_bytes *runs, size_t num)
{
	static uint8_t got[NUM_MAX][32];
	uint8_t right[32];

	many_eight(got, runs, num);
	for (size_t i = 0; i < num; i++) {
		dr_keccak256(right, runs[i].ptr, runs[i].len);
		if (memcmp(right, got[i], 32) != 0)
			fail_msg("run %zu of %zu, of %zu bytes", i, num, runs[i].len);
	}
}

static void test_lengths(void **state)
{
	struct dr_bytes runs[NUM_MAX];

	(void)state;
	assert_true(dr_keccak_use(DR_KECCAK_PORTABLE));
	for (size_t len = 0; len <= 600; len++) {
		for (size_t i = 0; i < 19; i++)
			runs[i] = dr_bytes_of(bytes + i, len);
		compare(runs, 19);
	}
	for (size_t num = 0; num <= NUM_MAX; num++) {
		for (size_t i = 0; i < num; i++)
			runs[i] = dr_bytes_of(bytes + i, i * 71 % 900);
		compare(runs, num);
	}
}

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static void test_random(void **state)
{
	struct dr_bytes runs[NUM_MAX];
	uint64_t seed = 7;

	(void)state;
	for (size_t round = 0; round < 200; round++) {
		const size_t num = next(&seed) % (NUM_MAX + 1);

		for (size_t i = 0; i < num; i++) {
			const size_t max = next(&seed) % 50 == 0 ? sizeof(bytes) : 1000;
			const size_t len = next(&seed) % 20 == 0 ? 0 : next(&seed) % max;

			runs[i] = dr_bytes_of(bytes + next(&seed) % (sizeof(bytes) - len), len);
		}
		compare(runs, num);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_random),
	};
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31 + i / 256 + 3);
	return cmocka_run_group_tests_name("keccak_wide", tests, NULL, NULL);
}
