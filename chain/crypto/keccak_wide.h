/* SPDX-License-Identifier: Apache-2.0
 *
 * keccak_wide: Keccak-256 of many runs, KECCAK_LANES side by side: one source for every width, in the compiler's own
 * vectors. A file that includes it says KECCAK_LANES, KECCAK_TARGET (the attribute of its functions) and KECCAK_MANY
 * (the name of the one that it gives): keccak_pair.c has two lanes, keccak_avx2.c four, keccak_avx512.c eight, and
 * tests/unit/chain/test_keccak_wide.c the same eight in whatever the machine at hand has, so that their logic is
 * tested where there is no AVX-512.
 *
 * Little-endian machines only.
 *
 * Layer: chain/crypto.
 */
#ifndef DR_CRYPTO_KECCAK_WIDE_H
#define DR_CRYPTO_KECCAK_WIDE_H

#include <string.h>

#include "chain/base/bytes.h"
#include "chain/base/err.h"
#include "chain/crypto/keccak_f.h"

#define WINDOW   128u /* runs that are ordered by length together */
#define LONG_MIN 32u  /* blocks; longer ones are not told apart */

typedef uint64_t word __attribute__((vector_size(8 * KECCAK_LANES)));

#define RATE_WORDS (KECCAK_RATE / 8)

/* What one lane works on. */
struct lane {
	struct dr_bytes rest; /* of the run, behind that block */
	uint8_t *out;         /* NULL: it idles */
	const uint8_t *block; /* the one that is looked at */
	size_t full;          /* of its words, those that the run fills; then end, then zeros */
	uint64_t end;         /* the run's last bytes and the padding's first */
	uint64_t padded[RATE_WORDS];
};

struct work {
	word state[KECCAK_WORDS];
	struct lane lanes[KECCAK_LANES];
};

KECCAK_TARGET static void permute(word *state)
{
	KECCAK_PERMUTE(state);
}

static inline uint64_t load(const uint8_t *ptr)
{
	uint64_t value;

	memcpy(&value, ptr, sizeof(value));
	return value;
}

static inline void begin_run(struct lane *lane, uint8_t *out, struct dr_bytes run)
{
	static const uint8_t nothing[KECCAK_RATE] = { 0 };

	lane->out = out;
	lane->rest = out != NULL ? run : dr_bytes_of(nothing, KECCAK_RATE); /* an idle lane's block is any */
}

/* Looks at the lane's next block; true: the run ends in it. */
static inline bool look(struct lane *lane)
{
	const size_t odd = lane->rest.len % 8;

	lane->block = lane->rest.ptr;
	if (lane->rest.len >= KECCAK_RATE) {
		lane->full = RATE_WORDS;
		if (lane->out != NULL)
			lane->rest = dr_bytes_of(lane->rest.ptr + KECCAK_RATE, lane->rest.len - KECCAK_RATE);
		return false;
	}
	lane->full = lane->rest.len / 8;
	lane->end = 0;
	if (odd != 0 && lane->full > 0)
		lane->end = load(lane->rest.ptr + lane->rest.len - 8) >> 8 * (8 - odd);
	else if (odd != 0)
		memcpy(&lane->end, lane->rest.ptr, odd);
	lane->end |= (uint64_t)0x01 << 8 * odd;
	return true;
}

/* The first num words of the lane's block, its run's last one, put together. */
static inline const uint8_t *pad(struct lane *lane, size_t num)
{
	for (size_t i = 0; i < num; i++)
		lane->padded[i] = i < lane->full ? load(lane->block + 8 * i) : i == lane->full ? lane->end : 0;
	return (const uint8_t *)lane->padded;
}

/* The blocks of all lanes, each into its own element of the state's words. Runs of one length are read where they
 * lie. */
KECCAK_TARGET static void absorb(struct work *w)
{
	size_t least = RATE_WORDS, most = 0;
	const uint8_t *at[KECCAK_LANES];

	for (size_t l = 0; l < KECCAK_LANES; l++) {
		const struct lane *lane = &w->lanes[l];

		at[l] = lane->block;
		if (lane->out == NULL)
			continue;
		least = lane->full < least ? lane->full : least;
		most = lane->full > most ? lane->full : most;
	}
	if (least != most) {
		least = most < RATE_WORDS ? most + 1 : RATE_WORDS;
		for (size_t l = 0; l < KECCAK_LANES; l++)
			if (w->lanes[l].full < RATE_WORDS)
				at[l] = pad(&w->lanes[l], least);
		most = RATE_WORDS;
	}
	for (size_t i = 0; i < least; i++) {
		word in = { 0 };

		for (size_t l = 0; l < KECCAK_LANES; l++)
			in[l] = load(at[l] + 8 * i);
		w->state[i] ^= in;
	}
	if (most < RATE_WORDS) {
		word in = { 0 };

		for (size_t l = 0; l < KECCAK_LANES; l++)
			in[l] = w->lanes[l].end;
		w->state[least] ^= in;
	}
}

static inline size_t blocks_of(size_t len)
{
	const size_t blocks = len / KECCAK_RATE + 1;

	return blocks < LONG_MIN ? blocks : LONG_MIN;
}

/* The longest first: then the lanes end at about the same time. */
static void order_runs(uint8_t order[static WINDOW], const struct dr_bytes *in, size_t num)
{
	size_t at[LONG_MIN + 2] = { 0 }, same = 1;

	while (same < num && blocks_of(in[same].len) == blocks_of(in[0].len))
		same++;
	for (size_t i = 0; same >= num && i < num; i++)
		order[i] = (uint8_t)i;
	if (same >= num)
		return;
	for (size_t i = 0; i < num; i++)
		at[LONG_MIN - blocks_of(in[i].len) + 1]++;
	for (size_t b = 1; b < LONG_MIN + 2; b++)
		at[b] += at[b - 1];
	for (size_t i = 0; i < num; i++)
		order[at[LONG_MIN - blocks_of(in[i].len)]++] = (uint8_t)i;
}

KECCAK_TARGET static void hash_window(struct work *w, uint8_t (*out)[32], const struct dr_bytes *in, size_t num)
{
	uint8_t order[WINDOW];
	size_t next = 0, busy = 0;

	order_runs(order, in, num);
	for (size_t i = 0; i < KECCAK_WORDS; i++)
		w->state[i] = (word){ 0 };
	for (size_t l = 0; l < KECCAK_LANES; l++) {
		const size_t idx = next < num ? order[next++] : num;

		begin_run(&w->lanes[l], idx < num ? out[idx] : NULL, idx < num ? in[idx] : in[0]);
		busy += idx < num;
	}
	while (busy > 0) {
		bool last[KECCAK_LANES];
		size_t num_last = 0;
		word keep = { 0 };

		for (size_t l = 0; l < KECCAK_LANES; l++) {
			last[l] = look(&w->lanes[l]);
			num_last += last[l];
		}
		absorb(w);
		if (num_last == 0) {
			permute(w->state);
			continue;
		}
		for (size_t l = 0; l < KECCAK_LANES; l++)
			keep[l] = last[l] ? 0 : UINT64_MAX;
		w->state[RATE_WORDS - 1] ^= ~keep & (uint64_t)0x80 << 56;
		permute(w->state);
		for (size_t l = 0; l < KECCAK_LANES; l++) {
			if (!last[l])
				continue;
			for (size_t i = 0; i < 4; i++) {
				const uint64_t digest = w->state[i][l];

				memcpy(w->lanes[l].out + 8 * i, &digest, 8);
			}
			const size_t idx = next < num ? order[next++] : num;

			begin_run(&w->lanes[l], idx < num ? out[idx] : NULL, idx < num ? in[idx] : in[0]);
			busy -= idx == num;
		}
		for (size_t i = 0; i < KECCAK_WORDS; i++)
			w->state[i] &= keep;
	}
}

KECCAK_TARGET void KECCAK_MANY(uint8_t (*out)[32], const struct dr_bytes *in, size_t num)
{
	struct work w;

	for (size_t i = 0; i < num; i += WINDOW)
		hash_window(&w, out + i, in + i, num - i < WINDOW ? num - i : WINDOW);
}

#endif
