/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/keccak.h"

#include <string.h>

#define RATE 136u /* bytes: 1600 bits less twice the 256 of the digest */

static const uint64_t round_constant[24] = {
	0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
	0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
	0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
	0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
	0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

static inline uint64_t rotl(uint64_t value, unsigned bits)
{
	return value << (bits & 63) | value >> (-bits & 63);
}

/* One row of rho, pi and chi: output lane (x, y) comes from input lane ((x + 3y) mod 5, x). The lanes are
 * written out with their rotation, so that every index is a constant and the state lives in registers. */
#define ROW(out, in, y, s0, r0, s1, r1, s2, r2, s3, r3, s4, r4)                                                      \
	do {                                                                                                         \
		const uint64_t b0 = rotl(in[s0] ^ d[s0 % 5], r0), b1 = rotl(in[s1] ^ d[s1 % 5], r1);                 \
		const uint64_t b2 = rotl(in[s2] ^ d[s2 % 5], r2), b3 = rotl(in[s3] ^ d[s3 % 5], r3);                 \
		const uint64_t b4 = rotl(in[s4] ^ d[s4 % 5], r4);                                                    \
		out[5 * y + 0] = b0 ^ (~b1 & b2);                                                                    \
		out[5 * y + 1] = b1 ^ (~b2 & b3);                                                                    \
		out[5 * y + 2] = b2 ^ (~b3 & b4);                                                                    \
		out[5 * y + 3] = b3 ^ (~b4 & b0);                                                                    \
		out[5 * y + 4] = b4 ^ (~b0 & b1);                                                                    \
	} while (0)

#define COLUMN(in, x) (in[x] ^ in[x + 5] ^ in[x + 10] ^ in[x + 15] ^ in[x + 20])

#define ROUND(out, in, constant)                                                                                     \
	do {                                                                                                         \
		const uint64_t c0 = COLUMN(in, 0), c1 = COLUMN(in, 1), c2 = COLUMN(in, 2);                           \
		const uint64_t c3 = COLUMN(in, 3), c4 = COLUMN(in, 4);                                               \
		const uint64_t d[5] = { c4 ^ rotl(c1, 1), c0 ^ rotl(c2, 1), c1 ^ rotl(c3, 1), c2 ^ rotl(c4, 1),      \
					c3 ^ rotl(c0, 1) };                                                          \
		ROW(out, in, 0, 0, 0, 6, 44, 12, 43, 18, 21, 24, 14);                                                \
		ROW(out, in, 1, 3, 28, 9, 20, 10, 3, 16, 45, 22, 61);                                                \
		ROW(out, in, 2, 1, 1, 7, 6, 13, 25, 19, 8, 20, 18);                                                  \
		ROW(out, in, 3, 4, 27, 5, 36, 11, 10, 17, 15, 23, 56);                                               \
		ROW(out, in, 4, 2, 62, 8, 55, 14, 39, 15, 41, 21, 2);                                                \
		out[0] ^= constant;                                                                                  \
	} while (0)

static void permute(uint64_t state[static 25])
{
	uint64_t a[25], e[25];

	memcpy(a, state, sizeof(a));
	for (size_t i = 0; i < 24; i += 2) {
		ROUND(e, a, round_constant[i]);
		ROUND(a, e, round_constant[i + 1]);
	}
	memcpy(state, a, sizeof(a));
}

static uint64_t le64(const uint8_t ptr[static 8])
{
	uint64_t value = 0;

	for (size_t i = 0; i < 8; i++)
		value |= (uint64_t)ptr[i] << 8 * i;
	return value;
}

static void absorb_byte(struct dr_keccak *k, size_t at, uint8_t byte)
{
	k->state[at / 8] ^= (uint64_t)byte << 8 * (at % 8);
}

void dr_keccak_init(struct dr_keccak *k)
{
	memset(k, 0, sizeof(*k));
}

void dr_keccak_update(struct dr_keccak *k, const void *ptr, size_t len)
{
	const uint8_t *p = ptr;

	while (len > 0) {
		if (k->fill == 0 && len >= RATE) {
			for (size_t i = 0; i < RATE / 8; i++)
				k->state[i] ^= le64(p + 8 * i);
			permute(k->state);
			p += RATE;
			len -= RATE;
			continue;
		}
		absorb_byte(k, k->fill++, *p++);
		len--;
		if (k->fill == RATE) {
			permute(k->state);
			k->fill = 0;
		}
	}
}

void dr_keccak_final(struct dr_keccak *k, uint8_t out[static 32])
{
	absorb_byte(k, k->fill, 0x01);
	absorb_byte(k, RATE - 1, 0x80);
	permute(k->state);
	for (size_t i = 0; i < 32; i++)
		out[i] = (uint8_t)(k->state[i / 8] >> 8 * (i % 8));
	dr_keccak_init(k);
}

void dr_keccak256(uint8_t out[static 32], const void *ptr, size_t len)
{
	struct dr_keccak k;

	dr_keccak_init(&k);
	dr_keccak_update(&k, ptr, len);
	dr_keccak_final(&k, out);
}

void dr_keccak256_many(uint8_t (*out)[32], const struct dr_bytes *in, size_t num)
{
	for (size_t i = 0; i < num; i++)
		dr_keccak256(out[i], in[i].ptr, in[i].len);
}

bool dr_keccak_use(enum dr_keccak_impl impl)
{
	return impl == DR_KECCAK_PORTABLE;
}

enum dr_keccak_impl dr_keccak_in_use(void)
{
	return DR_KECCAK_PORTABLE;
}
