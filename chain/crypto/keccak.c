/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/keccak.h"

#include <stdatomic.h>
#include <string.h>

#include "chain/base/err.h"
#define KECCAK_COMPLEMENT
#include "chain/crypto/keccak_f.h"
#include "chain/crypto/keccak_impl.h"

typedef uint64_t word;

static void permute_plain(word state[static KECCAK_WORDS])
{
	KECCAK_PERMUTE(state);
}

/* ---- which one ---- */

struct impl {
	void (*permute)(word *state);
	void (*many)(uint8_t (*out)[32], const struct dr_bytes *in, size_t num);
};

#if defined(__x86_64__)

static const struct impl impls[] = {
	[DR_KECCAK_PORTABLE] = { permute_plain, dr_keccak_many_pair },
	[DR_KECCAK_AVX2] = { dr_keccak_permute_bmi, dr_keccak_many_avx2 },
	[DR_KECCAK_AVX512] = { dr_keccak_permute_bmi, dr_keccak_many_avx512 },
};

/* Asks the processor, and whether the system keeps such registers; no call of the system's. */
static bool machine_has(enum dr_keccak_impl impl)
{
	__builtin_cpu_init();
	const bool bmi = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");

	switch (impl) {
	case DR_KECCAK_PORTABLE: return true;
	case DR_KECCAK_AVX2: return bmi && __builtin_cpu_supports("avx2");
	case DR_KECCAK_AVX512: return bmi && __builtin_cpu_supports("avx512f");
	}
	return false;
}

#else

static void many_single(uint8_t (*out)[32], const struct dr_bytes *in, size_t num)
{
	for (size_t i = 0; i < num; i++)
		dr_keccak256(out[i], in[i].ptr, in[i].len);
}

static const struct impl impls[] = {
	[DR_KECCAK_PORTABLE] = { permute_plain, many_single },
	[DR_KECCAK_AVX2] = { permute_plain, many_single },
	[DR_KECCAK_AVX512] = { permute_plain, many_single },
};

static bool machine_has(enum dr_keccak_impl impl)
{
	return impl == DR_KECCAK_PORTABLE;
}

#endif

/* ---- the sponge ---- */

static uint64_t le64(const uint8_t ptr[static 8])
{
	uint64_t value;

	memcpy(&value, ptr, sizeof(value));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	value = __builtin_bswap64(value);
#endif
	return value;
}

static void absorb_byte(struct dr_keccak *k, size_t at, uint8_t byte)
{
	k->state[at / 8] ^= (uint64_t)byte << 8 * (at % 8);
}

/* The next len bytes, which fill the block at most. */
static void absorb_some(struct dr_keccak *k, const uint8_t *ptr, size_t len)
{
	size_t i = 0;

	for (; i < len && (k->fill + i) % 8 != 0; i++)
		absorb_byte(k, k->fill + i, ptr[i]);
	for (; len - i >= 8; i += 8)
		k->state[(k->fill + i) / 8] ^= le64(ptr + i);
	for (; i < len; i++)
		absorb_byte(k, k->fill + i, ptr[i]);
	k->fill += len;
}

static void update(const struct impl *impl, struct dr_keccak *k, const uint8_t *ptr, size_t len)
{
	while (len > 0) {
		const size_t room = KECCAK_RATE - k->fill, some = len < room ? len : room;

		if (some == KECCAK_RATE) {
			for (size_t i = 0; i < KECCAK_RATE / 8; i++)
				k->state[i] ^= le64(ptr + 8 * i);
			k->fill = KECCAK_RATE;
		} else {
			absorb_some(k, ptr, some);
		}
		ptr += some;
		len -= some;
		if (k->fill == KECCAK_RATE) {
			impl->permute(k->state);
			k->fill = 0;
		}
	}
}

static void final(const struct impl *impl, struct dr_keccak *k, uint8_t out[static 32])
{
	absorb_byte(k, k->fill, 0x01);
	absorb_byte(k, KECCAK_RATE - 1, 0x80);
	impl->permute(k->state);
	for (size_t i = 0; i < 4; i++) {
		const uint64_t digest = le64((const uint8_t *)&k->state[i]);

		memcpy(out + 8 * i, &digest, 8);
	}
	dr_keccak_init(k);
}

static void hash(const struct impl *impl, uint8_t out[static 32], const void *ptr, size_t len)
{
	struct dr_keccak k;

	dr_keccak_init(&k);
	update(impl, &k, ptr, len);
	final(impl, &k, out);
}

/* ---- the choice ---- */

#define TEST_RUNS 24u /* three for each of eight lanes */
#define TEST_STEP 37u /* lengths 0, 37, 74 …: of one to seven blocks, ending anywhere in the last */

/* It gives what the portable one gives, one by one: many together, and one. A wrong hash must never be believed. */
static bool is_right(const struct impl *impl)
{
	uint8_t bytes[TEST_STEP * TEST_RUNS], many[TEST_RUNS][32], one[32], right[32];
	struct dr_bytes runs[TEST_RUNS];
	bool same = true;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + i / 256 + 1);
	for (size_t i = 0; i < TEST_RUNS; i++)
		runs[i] = dr_bytes_of(bytes + i, TEST_STEP * i);
	impl->many(many, runs, TEST_RUNS);
	for (size_t i = 0; i < TEST_RUNS; i++) {
		hash(&impls[DR_KECCAK_PORTABLE], right, runs[i].ptr, runs[i].len);
		hash(impl, one, runs[i].ptr, runs[i].len);
		same = same && memcmp(right, one, 32) == 0 && memcmp(right, many[i], 32) == 0;
	}
	return same;
}

/* An index of impls and one; 0: not chosen yet. Two threads that choose at once choose the same. */
static atomic_uint in_use;

bool dr_keccak_use(enum dr_keccak_impl impl)
{
	if (!machine_has(impl))
		return false;
	const bool right = is_right(&impls[impl]);

	DR_ASSERT(right || impl != DR_KECCAK_PORTABLE); /* there is no other that could take its place */
	if (!right)
		return false;
	atomic_store_explicit(&in_use, (unsigned)impl + 1, memory_order_relaxed);
	return true;
}

enum dr_keccak_impl dr_keccak_in_use(void)
{
	unsigned use = atomic_load_explicit(&in_use, memory_order_relaxed);

	if (use == 0) {
		if (!dr_keccak_use(DR_KECCAK_AVX512) && !dr_keccak_use(DR_KECCAK_AVX2))
			dr_keccak_use(DR_KECCAK_PORTABLE);
		use = atomic_load_explicit(&in_use, memory_order_relaxed);
	}
	return (enum dr_keccak_impl)(use - 1);
}

void dr_keccak_init(struct dr_keccak *k)
{
	memset(k, 0, sizeof(*k));
}

void dr_keccak_update(struct dr_keccak *k, const void *ptr, size_t len)
{
	update(&impls[dr_keccak_in_use()], k, ptr, len);
}

void dr_keccak_final(struct dr_keccak *k, uint8_t out[static 32])
{
	final(&impls[dr_keccak_in_use()], k, out);
}

void dr_keccak256(uint8_t out[static 32], const void *ptr, size_t len)
{
	hash(&impls[dr_keccak_in_use()], out, ptr, len);
}

void dr_keccak256_many(uint8_t (*out)[32], const struct dr_bytes *in, size_t num)
{
	if (num == 1)
		dr_keccak256(out[0], in[0].ptr, in[0].len);
	else
		impls[dr_keccak_in_use()].many(out, in, num);
}
