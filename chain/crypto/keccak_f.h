/* SPDX-License-Identifier: Apache-2.0
 *
 * keccak_f: the permutation Keccak-f[1600] (FIPS 202, 3.2 and 3.3) as macros over words: a `word` is a uint64_t, or a
 * vector of them, each element a word of another state. Private to keccak*.c; whoever includes it says what a word
 * is.
 *
 * Every index is a constant, so that a compiler keeps in registers what finds room there. The column parities of a
 * round's output are taken while it is at hand: c[x] are those of `in` before the round, and those of `out` after.
 *
 * Layer: chain/crypto.
 */
#ifndef DR_CRYPTO_KECCAK_F_H
#define DR_CRYPTO_KECCAK_F_H

#include <stddef.h>
#include <stdint.h>

#define KECCAK_ROUNDS 24u
#define KECCAK_WORDS  25u
#define KECCAK_RATE   136u /* bytes: 1600 bits less twice the 256 of the digest */

static const uint64_t keccak_constants[KECCAK_ROUNDS] = {
	0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
	0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
	0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
	0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
	0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

#define KECCAK_ROTL(w, bits) ((w) << ((bits)&63) | (w) >> (-(bits)&63))

/* Chi, of row y: each word and the two beside it. Five complements a row are many for a machine that cannot take them
 * along with an "and". For such a one (KECCAK_COMPLEMENT) some words are kept inverted, so that five rows need but
 * eight: words 1, 2, 8, 12, 17 and 20, which KECCAK_INVERT turns over, before the rounds and after. */
#ifndef KECCAK_COMPLEMENT
#define KECCAK_CHI(out, y)                                                                                           \
	do {                                                                                                         \
		out[5 * y + 0] = b0 ^ (~b1 & b2);                                                                    \
		out[5 * y + 1] = b1 ^ (~b2 & b3);                                                                    \
		out[5 * y + 2] = b2 ^ (~b3 & b4);                                                                    \
		out[5 * y + 3] = b3 ^ (~b4 & b0);                                                                    \
		out[5 * y + 4] = b4 ^ (~b0 & b1);                                                                    \
	} while (0)
#define KECCAK_CHI_0(out)    KECCAK_CHI(out, 0)
#define KECCAK_CHI_1(out)    KECCAK_CHI(out, 1)
#define KECCAK_CHI_2(out)    KECCAK_CHI(out, 2)
#define KECCAK_CHI_3(out)    KECCAK_CHI(out, 3)
#define KECCAK_CHI_4(out)    KECCAK_CHI(out, 4)
#define KECCAK_INVERT(state) ((void)(state))
#else
#define KECCAK_CHI_0(out)                                                                                            \
	do {                                                                                                         \
		out[0] = b0 ^ (b1 | b2);                                                                             \
		out[1] = b1 ^ (~b2 | b3);                                                                            \
		out[2] = b2 ^ (b3 & b4);                                                                             \
		out[3] = b3 ^ (b4 | b0);                                                                             \
		out[4] = b4 ^ (b0 & b1);                                                                             \
	} while (0)
#define KECCAK_CHI_1(out)                                                                                            \
	do {                                                                                                         \
		out[5] = b0 ^ (b1 | b2);                                                                             \
		out[6] = b1 ^ (b2 & b3);                                                                             \
		out[7] = b2 ^ (b3 | ~b4);                                                                            \
		out[8] = b3 ^ (b4 | b0);                                                                             \
		out[9] = b4 ^ (b0 & b1);                                                                             \
	} while (0)
#define KECCAK_CHI_2(out)                                                                                            \
	do {                                                                                                         \
		out[10] = b0 ^ (b1 | b2);                                                                            \
		out[11] = b1 ^ (b2 & b3);                                                                            \
		out[12] = b2 ^ (~b3 & b4);                                                                           \
		out[13] = ~b3 ^ (b4 | b0);                                                                           \
		out[14] = b4 ^ (b0 & b1);                                                                            \
	} while (0)
#define KECCAK_CHI_3(out)                                                                                            \
	do {                                                                                                         \
		out[15] = b0 ^ (b1 & b2);                                                                            \
		out[16] = b1 ^ (b2 | b3);                                                                            \
		out[17] = b2 ^ (~b3 | b4);                                                                           \
		out[18] = ~b3 ^ (b4 & b0);                                                                           \
		out[19] = b4 ^ (b0 | b1);                                                                            \
	} while (0)
#define KECCAK_CHI_4(out)                                                                                            \
	do {                                                                                                         \
		out[20] = b0 ^ (~b1 & b2);                                                                           \
		out[21] = ~b1 ^ (b2 | b3);                                                                           \
		out[22] = b2 ^ (b3 & b4);                                                                            \
		out[23] = b3 ^ (b4 | b0);                                                                            \
		out[24] = b4 ^ (b0 & b1);                                                                            \
	} while (0)
#define KECCAK_INVERT(state)                                                                                         \
	do {                                                                                                         \
		state[1] = ~state[1];                                                                                \
		state[2] = ~state[2];                                                                                \
		state[8] = ~state[8];                                                                                \
		state[12] = ~state[12];                                                                              \
		state[17] = ~state[17];                                                                              \
		state[20] = ~state[20];                                                                              \
	} while (0)
#endif

/* One row of rho, pi and chi: output word (x, y) comes from input word ((x + 3y) mod 5, x). The words are written
 * out with their rotations. */
#define KECCAK_ROW(out, in, y, s0, r0, s1, r1, s2, r2, s3, r3, s4, r4)                                               \
	do {                                                                                                         \
		const word b0 = KECCAK_ROTL(in[s0] ^ d[s0 % 5], r0);                                                 \
		const word b1 = KECCAK_ROTL(in[s1] ^ d[s1 % 5], r1);                                                 \
		const word b2 = KECCAK_ROTL(in[s2] ^ d[s2 % 5], r2);                                                 \
		const word b3 = KECCAK_ROTL(in[s3] ^ d[s3 % 5], r3);                                                 \
		const word b4 = KECCAK_ROTL(in[s4] ^ d[s4 % 5], r4);                                                 \
		KECCAK_CHI_##y(out);                                                                                 \
	} while (0)

#define KECCAK_PARITY(set, out, y)                                                                                   \
	do {                                                                                                         \
		c[0] set out[5 * y];                                                                                 \
		c[1] set out[5 * y + 1];                                                                             \
		c[2] set out[5 * y + 2];                                                                             \
		c[3] set out[5 * y + 3];                                                                             \
		c[4] set out[5 * y + 4];                                                                             \
	} while (0)

#define KECCAK_ROUND(out, in, constant)                                                                              \
	do {                                                                                                         \
		const word d[5] = { c[4] ^ KECCAK_ROTL(c[1], 1), c[0] ^ KECCAK_ROTL(c[2], 1),                        \
				    c[1] ^ KECCAK_ROTL(c[3], 1), c[2] ^ KECCAK_ROTL(c[4], 1),                        \
				    c[3] ^ KECCAK_ROTL(c[0], 1) };                                                   \
		KECCAK_ROW(out, in, 0, 0, 0, 6, 44, 12, 43, 18, 21, 24, 14);                                         \
		out[0] ^= constant;                                                                                  \
		KECCAK_PARITY(=, out, 0);                                                                            \
		KECCAK_ROW(out, in, 1, 3, 28, 9, 20, 10, 3, 16, 45, 22, 61);                                         \
		KECCAK_PARITY(^=, out, 1);                                                                           \
		KECCAK_ROW(out, in, 2, 1, 1, 7, 6, 13, 25, 19, 8, 20, 18);                                           \
		KECCAK_PARITY(^=, out, 2);                                                                           \
		KECCAK_ROW(out, in, 3, 4, 27, 5, 36, 11, 10, 17, 15, 23, 56);                                        \
		KECCAK_PARITY(^=, out, 3);                                                                           \
		KECCAK_ROW(out, in, 4, 2, 62, 8, 55, 14, 39, 15, 41, 21, 2);                                         \
		KECCAK_PARITY(^=, out, 4);                                                                           \
	} while (0)

#define KECCAK_COLUMN(in, x) (in[x] ^ in[x + 5] ^ in[x + 10] ^ in[x + 15] ^ in[x + 20])

/* The body of a function that permutes word state[25], in place: a copy of it would cost more than it saves. */
#define KECCAK_PERMUTE(state)                                                                                        \
	do {                                                                                                         \
		word e[KECCAK_WORDS], c[5];                                                                          \
                                                                                                                     \
		KECCAK_INVERT(state);                                                                                \
		c[0] = KECCAK_COLUMN(state, 0);                                                                      \
		c[1] = KECCAK_COLUMN(state, 1);                                                                      \
		c[2] = KECCAK_COLUMN(state, 2);                                                                      \
		c[3] = KECCAK_COLUMN(state, 3);                                                                      \
		c[4] = KECCAK_COLUMN(state, 4);                                                                      \
		for (size_t i = 0; i < KECCAK_ROUNDS; i += 2) {                                                      \
			KECCAK_ROUND(e, state, keccak_constants[i]);                                                 \
			KECCAK_ROUND(state, e, keccak_constants[i + 1]);                                             \
		}                                                                                                    \
		KECCAK_INVERT(state);                                                                                \
	} while (0)

#endif
