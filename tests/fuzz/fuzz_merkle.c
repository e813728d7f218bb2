/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_merkle: proofs about the two logs, as clients and peers get them. Input: u8 kind · u8 old or index · u8 size ·
 * changes, each u8 where · u8 by what, to a proof that this code made for a tree of up to 40 leaves; or, with an odd
 * kind above 3, the rest is the proof's hashes. What must hold: an honest proof shows what it says, and under a
 * true root nothing shows a leaf or an older root that is none. (A size is not in a root: whoever gives both signs
 * both.)
 */
#include "kms-bridge/merkle.h"
#include "tests/fuzz/fuzz.h"

#define LEAVES 40u

static uint8_t leaves[LEAVES][32], roots[LEAVES + 1][32];

static void subtree(uint8_t out[static 32], unsigned level, uint64_t idx)
{
	struct dr_merkle m;

	dr_merkle_init(&m);
	for (uint64_t i = idx << level; i < (idx + 1) << level; i++)
		dr_merkle_add(&m, leaves[i]);
	dr_merkle_root(out, &m);
}

static enum dr_err get(void *ctx, unsigned level, uint64_t idx, uint8_t hash[static 32], struct dr_fail *fail)
{
	static uint8_t made[6][LEAVES][32];
	static bool has[6][LEAVES];

	(void)ctx;
	(void)fail;
	DR_ASSERT(level < 6 && (idx + 1) << level <= LEAVES);
	if (!has[level][idx])
		subtree(made[level][idx], level, idx);
	has[level][idx] = true;
	memcpy(hash, made[level][idx], 32);
	return DR_OK;
}

static void make(void)
{
	struct dr_merkle m;

	dr_merkle_init(&m);
	dr_merkle_root(roots[0], &m);
	for (size_t i = 0; i < LEAVES; i++) {
		const uint8_t leaf = (uint8_t)i;

		dr_merkle_leaf(leaves[i], dr_bytes_of(&leaf, 1));
		dr_merkle_add(&m, leaves[i]);
		dr_merkle_root(roots[i + 1], &m);
	}
}

static bool is_among(uint8_t (*list)[32], size_t num, const uint8_t hash[static 32])
{
	while (num > 0 && memcmp(list[num - 1], hash, 32) != 0)
		num--;
	return num > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct dr_merkle_source source = { get, NULL };
	uint8_t honest[DR_PROOF_HASHES_MAX][32], hashes[DR_PROOF_HASHES_MAX][32] = { 0 }, root[32], first[32];
	struct dr_fail fail = { 0 };
	uint16_t num_honest;

	if (dr_bytes_zero(roots[1], 32))
		make();
	if (size < 3)
		return 0;
	const bool inclusion = data[0] % 2 == 0;
	const uint64_t of = 1 + data[2] % LEAVES, old = data[1] % (inclusion ? of : of + 1);
	size_t num, at = 3;

	if (inclusion)
		DR_ASSERT(dr_merkle_inclusion(honest, &num_honest, old, of, &source, &fail) == DR_OK);
	else
		DR_ASSERT(dr_merkle_consistency(honest, &num_honest, old, of, &source, &fail) == DR_OK);
	memcpy(hashes, honest, sizeof(hashes[0]) * num_honest);
	memcpy(root, roots[of], 32);
	memcpy(first, inclusion ? leaves[old] : roots[old], 32);
	num = num_honest;
	uint64_t said_size = of, said_old = old;

	if (data[0] > 3 && data[0] % 4 == 1) {
		for (num = 0; num < DR_PROOF_HASHES_MAX && size - at >= 32; num++, at += 32)
			memcpy(hashes[num], data + at, 32);
	} else {
		for (; at + 1 < size; at += 2) {
			const uint8_t where = data[at], by = data[at + 1];

			if (where < 0x80)
				hashes[where / 8 % 16][where % 8 * 4] ^= by;
			else if (where < 0x90)
				num = where - 0x80u;
			else if (where < 0xa0)
				said_old = by;
			else if (where < 0xb0)
				said_size = by;
			else if (where < 0xc0)
				root[by % 32] ^= by;
			else
				first[by % 32] ^= by;
		}
	}
	/* What lies beyond the honest proof is not part of it. */
	const bool same = num == num_honest && said_size == of && said_old == old &&
			  memcmp(hashes, honest, 32 * num) == 0 && memcmp(root, roots[of], 32) == 0 &&
			  memcmp(first, inclusion ? leaves[old] : roots[old], 32) == 0;
	const uint8_t(*const told)[32] = (const uint8_t(*)[32])hashes;
	const bool shown = inclusion ? dr_merkle_verify_inclusion(root, said_size, said_old, first, told, num)
				     : dr_merkle_verify_consistency(first, said_old, root, said_size, told, num);

	DR_ASSERT(!same || shown);
	/* Two equal trees need no proof, and the empty one begins every other. Of a root that is none anything may be
	 * shown: a tree of one leaf is whatever its root says. */
	if (shown && !same && (inclusion || (said_old != 0 && said_old != said_size)) &&
	    is_among(roots, LEAVES + 1, root))
		DR_ASSERT(inclusion ? is_among(leaves, LEAVES, first) : is_among(roots, LEAVES + 1, first));
	return 0;
}
