/* SPDX-License-Identifier: Apache-2.0
 *
 * keccak: Keccak-256 as Ethereum uses it (FIPS 202's permutation with the original 0x01 padding, not
 * SHA3-256's 0x06). Ours, because no library of Debian 12 offers it. Public data only: not written to
 * be constant in time (it is, but nothing relies on that).
 *
 * Runs that are hashed together go side by side, two in the registers that every x86-64 has, four with AVX2, eight
 * with AVX-512, chosen when the first hash is asked for by what the processor says. The portable way, one run after
 * the other, is always there and is the measure: whatever is chosen must first give its hashes for a set of runs, or
 * is not chosen; a wrong hash must never be believed. The eight lanes are
 * the four lanes' source at another width, tested at that width in any vectors; on processors with AVX-512 itself
 * only those tests that run there, and that comparison, have seen them.
 *
 * Layer: chain/crypto.
 */
#ifndef DR_CRYPTO_KECCAK_H
#define DR_CRYPTO_KECCAK_H

#include "chain/base/bytes.h"

struct dr_keccak {
	uint64_t state[25];
	size_t fill; /* bytes absorbed into the current block, < 136 */
};

void dr_keccak_init(struct dr_keccak *k);
void dr_keccak_update(struct dr_keccak *k, const void *ptr, size_t len);
void dr_keccak_final(struct dr_keccak *k, uint8_t out[static 32]);

/* dr_keccak256: the hash of one run of bytes. */
void dr_keccak256(uint8_t out[static 32], const void *ptr, size_t len);

/* dr_keccak256_many: out[i] is the hash of in[i], for i in [0, num): any lengths, any num. out overlaps no input. */
void dr_keccak256_many(uint8_t (*out)[32], const struct dr_bytes *in, size_t num);

/* One run at a time (x86-64: two), four, eight. */
enum dr_keccak_impl {
	DR_KECCAK_PORTABLE,
	DR_KECCAK_AVX2,
	DR_KECCAK_AVX512,
};

/* dr_keccak_use: for tests and benchmarks: from here on with impl. False, and nothing changes, if this machine
 * cannot. dr_keccak_in_use: what is used; until somebody says otherwise, the widest that there is. */
bool dr_keccak_use(enum dr_keccak_impl impl);
enum dr_keccak_impl dr_keccak_in_use(void);

#endif
