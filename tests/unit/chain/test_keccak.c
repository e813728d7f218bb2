/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/crypto/keccak.h"

static const char *const impl_names[] = { "portable", "avx2", "avx512" };

/* Each test is run with each implementation that this machine has: it is the test's state. */
static enum dr_keccak_impl use(void **state)
{
	const enum dr_keccak_impl impl = *(const enum dr_keccak_impl *)*state;

	if (!dr_keccak_use(impl)) {
		print_message("not on this machine: %s\n", impl_names[impl]);
		skip();
	}
	assert_int_equal(dr_keccak_in_use(), impl);
	return impl;
}

/* The empty string and "abc": Keccak team's original submission; "": also EIP-1052's hash of no code. */
static void test_known(void **state)
{
	static const struct {
		const char *name, *input, *expected;
	} rows[] = {
		{ "empty", "", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" },
		{ "abc", "616263", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45" },
		{ "rlp of nothing", "80", "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421" },
		{ "rlp of an empty list", "c0", "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347" },
	};
	use(state);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dr_bytes input = kit_hex(rows[i].input);
		uint8_t out[32];

		dr_keccak256(out, input.ptr, input.len);
		if (memcmp(out, kit_hex(rows[i].expected).ptr, 32) != 0)
			fail_msg("%s", rows[i].name);
	}
}

/* npm @ethersproject/testcases: lengths from 0 to far beyond one block of 136 bytes. */
static void test_vectors(void **state)
{
	use(state);
	json_t *rows = kit_vector("09-abi/ethersproject/hashes.json.gz"), *row;
	size_t idx;

	assert_true(json_array_size(rows) > 50);
	json_array_foreach(rows, idx, row)
	{
		const struct dr_bytes data = kit_json_hex(json_object_get(row, "data"));
		uint8_t out[32];

		dr_keccak256(out, data.ptr, data.len);
		assert_memory_equal(out, kit_json_hex(json_object_get(row, "keccak256")).ptr, 32);
	}
	json_decref(rows);
}

/* However the input is cut, the hash is that of the whole; lengths around the block's 136. */
static void test_pieces(void **state)
{
	uint8_t input[300], whole[32], pieces[32];
	struct dr_keccak k;

	use(state);
	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (uint8_t)(i * 7 + 1);
	dr_keccak_init(&k);
	for (size_t len = 0; len <= sizeof(input); len++) {
		dr_keccak256(whole, input, len);
		for (size_t cut = 0; cut <= len; cut += 1 + len / 9) {
			dr_keccak_update(&k, input, cut);
			dr_keccak_update(&k, input + cut, len - cut);
			dr_keccak_final(&k, pieces); /* begins anew */
			assert_memory_equal(whole, pieces, 32);
		}
	}
}

/* ---- many at once, whichever way ---- */

#define LEN_MAX  600u /* of five blocks, their edges among them */
#define MANY_MAX 300u /* more than are ordered together */

static uint8_t pool[LEN_MAX + MANY_MAX + 64];

/* What the portable one gives, one run at a time, against what impl gives of the same together. */
static void compare(enum dr_keccak_impl impl, const struct dr_bytes *runs, size_t num, const char *what)
{
	static uint8_t right[MANY_MAX][32], got[MANY_MAX + 1][32];
	static const uint8_t untouched[32] = { 0xa5 };

	assert_true(dr_keccak_use(DR_KECCAK_PORTABLE));
	for (size_t i = 0; i < num; i++)
		dr_keccak256(right[i], runs[i].ptr, runs[i].len);
	assert_true(dr_keccak_use(impl));
	memset(got, 0, sizeof(got));
	memcpy(got[num], untouched, 32);
	dr_keccak256_many(got, runs, num);
	for (size_t i = 0; i < num; i++) {
		if (memcmp(right[i], got[i], 32) != 0)
			fail_msg("%s: %s: run %zu of %zu, of %zu bytes", impl_names[impl], what, i, num, runs[i].len);
	}
	assert_memory_equal(got[num], untouched, 32);
	for (size_t i = 0; i < num; i++) {
		dr_keccak256(got[i], runs[i].ptr, runs[i].len);
		if (memcmp(right[i], got[i], 32) != 0)
			fail_msg("%s: %s: alone, of %zu bytes", impl_names[impl], what, runs[i].len);
	}
}

/* Every length, in every place of a batch, at every alignment; and batches of every size. */
static void test_many_lengths(void **state)
{
	const enum dr_keccak_impl impl = use(state);
	struct dr_bytes runs[MANY_MAX];

	for (size_t len = 0; len <= LEN_MAX; len++) {
		for (size_t i = 0; i < 17; i++) /* of one length, beginning anywhere */
			runs[i] = dr_bytes_of(pool + i, len);
		compare(impl, runs, 17, "one length");
		for (size_t i = 0; i < 17; i++) /* all lanes but one end elsewhere */
			runs[i] = dr_bytes_of(pool + i, (len + i * 136) % (LEN_MAX + 1));
		compare(impl, runs, 17, "ends apart");
	}
	for (size_t num = 0; num <= MANY_MAX; num += num < 40 ? 1 : 13) {
		for (size_t i = 0; i < num; i++)
			runs[i] = dr_bytes_of(pool + i, i * 71 % (LEN_MAX + 1));
		compare(impl, runs, num, "so many");
	}
}

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static void test_many_random(void **state)
{
	const enum dr_keccak_impl impl = use(state);
	static uint8_t far[40000];
	struct dr_bytes runs[MANY_MAX];
	uint64_t seed = 1;

	for (size_t i = 0; i < sizeof(far); i++)
		far[i] = (uint8_t)next(&seed);
	for (size_t round = 0; round < 200; round++) {
		const size_t num = next(&seed) % (MANY_MAX + 1);

		for (size_t i = 0; i < num; i++) {
			/* Mostly short, some empty, some of hundreds of blocks. */
			const size_t max = next(&seed) % 50 == 0 ? sizeof(far) : 1000;
			const size_t len = next(&seed) % 20 == 0 ? 0 : next(&seed) % max;

			runs[i] = dr_bytes_of(len == 0 ? NULL : far + next(&seed) % (sizeof(far) - len), len);
		}
		compare(impl, runs, num, "random");
	}
}

static void test_flips(void **state)
{
	uint8_t input[137] = { 0 }, good[32], bad[32];

	use(state);
	dr_keccak256(good, input, sizeof(input));
	for (size_t bit = 0; bit < 8 * sizeof(input); bit++) {
		input[bit / 8] ^= (uint8_t)(1u << bit % 8);
		dr_keccak256(bad, input, sizeof(input));
		assert_memory_not_equal(good, bad, 32);
		input[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* What is used without being told is the widest that there is. */
static void test_choice(void **state)
{
	(void)state;
	const enum dr_keccak_impl chosen = dr_keccak_in_use();

	assert_true(dr_keccak_use(DR_KECCAK_PORTABLE));
	for (int i = DR_KECCAK_PORTABLE; i <= DR_KECCAK_AVX512; i++) {
		const enum dr_keccak_impl impl = (enum dr_keccak_impl)i, before = dr_keccak_in_use();

		if (impl > chosen)
			assert_false(dr_keccak_use(impl));
		/* In this order, whichever argument a compiler looks at first. */
		const bool can = dr_keccak_use(impl);

		assert_int_equal(dr_keccak_in_use(), can ? impl : before);
	}
	assert_int_equal(dr_keccak_in_use(), chosen);
}

#define WITH(test, impl) cmocka_unit_test_prestate(test, (void *)(uintptr_t)&impls[impl])
#define ALL_WITH(impl)                                                                                               \
	WITH(test_known, impl), WITH(test_vectors, impl), WITH(test_pieces, impl), WITH(test_flips, impl),           \
		WITH(test_many_lengths, impl), WITH(test_many_random, impl)

int main(void)
{
	static const enum dr_keccak_impl impls[] = { DR_KECCAK_PORTABLE, DR_KECCAK_AVX2, DR_KECCAK_AVX512 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice), /* first, while nobody has said what to use */
		ALL_WITH(DR_KECCAK_PORTABLE),
		ALL_WITH(DR_KECCAK_AVX2),
		ALL_WITH(DR_KECCAK_AVX512),
	};

	for (size_t i = 0; i < sizeof(pool); i++)
		pool[i] = (uint8_t)(i * 31 + i / 256 + 3);
	return cmocka_run_group_tests_name("keccak", tests, NULL, NULL);
}
