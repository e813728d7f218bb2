/* SPDX-License-Identifier: Apache-2.0
 *
 * keccak_wide: Keccak-256 of many runs, KECCAK_LANES side by side: one source for every width, in the compiler's own
 * vectors. A file that includes it says KECCAK_LANES, KECCAK_TARGET (the attribute of its functions) and KECCAK_MANY
 * (the name of the one that it gives): keccak_avx2.c has four lanes, keccak_avx512.c eight, and
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

/* What one lane works on. */
struct lane {
	struct dr_bytes rest; /* of the run, beginning with the next block */
	uint8_t *out;         /* NULL: it idles */
	uint8_t padded[KECCAK_RATE];
};

struct work {
	word state[KECCAK_WORDS];
	struct lane lanes[KECCAK_LANES];
	const uint8_t *blocks[KECCAK_LANES];
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

/* The blocks of all lanes, each into its own element of the state's words. */
KECCAK_TARGET static void absorb(struct work *w)
{
	for (size_t i = 0; i < KECCAK_RATE / 8; i++) {
		word in;

		for (size_t l = 0; l < KECCAK_LANES; l++)
			in[l] = load(w->blocks[l] + 8 * i);
		w->state[i] ^= in;
	}
}

/* The lane's next block: of the run itself, or its end with the padding. */
static inline bool next_block(const uint8_t **block, struct lane *lane)
{
	if (lane->rest.len >= KECCAK_RATE) {
		*block = lane->rest.ptr;
		lane->rest = dr_bytes_of(lane->rest.ptr + KECCAK_RATE, lane->rest.len - KECCAK_RATE);
		return false;
	}
	if (lane->rest.len > 0)
		memcpy(lane->padded, lane->rest.ptr, lane->rest.len);
	/* Not the whole block: of a known length, it would be cleared by an instruction that is slow to begin. */
	memset(lane->padded + lane->rest.len, 0, KECCAK_RATE - lane->rest.len);
	lane->padded[lane->rest.len] ^= 0x01;
	lane->padded[KECCAK_RATE - 1] ^= 0x80;
	*block = lane->padded;
	return true;
}

static inline size_t blocks_of(size_t len)
{
	const size_t blocks = len / KECCAK_RATE + 1;

	return blocks < LONG_MIN ? blocks : LONG_MIN;
}

/* The longest first: then the lanes end at about the same time. */
static void order_runs(uint8_t order[static WINDOW], const struct dr_bytes *in, size_t num)
{
	size_t at[LONG_MIN + 2] = { 0 };

	for (size_t i = 0; i < num; i++)
		at[LONG_MIN - blocks_of(in[i].len) + 1]++;
	for (size_t b = 1; b < LONG_MIN + 2; b++)
		at[b] += at[b - 1];
	for (size_t i = 0; i < num; i++)
		order[at[LONG_MIN - blocks_of(in[i].len)]++] = (uint8_t)i;
}

KECCAK_TARGET static void hash_window(struct work *w, uint8_t (*out)[32], const struct dr_bytes *in, size_t num)
{
	static const uint8_t nothing[KECCAK_RATE] = { 0 };
	uint8_t order[WINDOW];
	size_t next = 0, busy = 0;

	order_runs(order, in, num);
	memset(w->state, 0, sizeof(w->state));
	for (size_t l = 0; l < KECCAK_LANES; l++) {
		w->lanes[l].out = next < num ? out[order[next]] : NULL;
		w->lanes[l].rest = next < num ? in[order[next++]] : dr_bytes_of(NULL, 0);
		busy += w->lanes[l].out != NULL;
		w->blocks[l] = nothing; /* an idle lane's block is any */
	}
	while (busy > 0) {
		bool last[KECCAK_LANES] = { false }, any = false;

		for (size_t l = 0; l < KECCAK_LANES; l++) {
			last[l] = w->lanes[l].out != NULL && next_block(&w->blocks[l], &w->lanes[l]);
			any |= last[l];
		}
		absorb(w);
		permute(w->state);
		if (!any)
			continue;
		word keep;

		for (size_t l = 0; l < KECCAK_LANES; l++) {
			keep[l] = last[l] ? 0 : UINT64_MAX;
			if (!last[l])
				continue;
			for (size_t i = 0; i < 4; i++) {
				const uint64_t digest = w->state[i][l];

				memcpy(w->lanes[l].out + 8 * i, &digest, 8);
			}
			w->lanes[l].out = next < num ? out[order[next]] : NULL;
			w->lanes[l].rest = next < num ? in[order[next++]] : dr_bytes_of(NULL, 0);
			busy -= w->lanes[l].out == NULL;
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
