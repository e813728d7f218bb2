/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/beacon/ssz.h"

#include <string.h>

#include "chain/crypto/sha256.h"

void dr_ssz_pair(uint8_t out[static 32], const uint8_t left[static 32], const uint8_t right[static 32])
{
	const struct dr_bytes parts[] = { { left, 32 }, { right, 32 } };

	dr_sha256(out, parts, 2);
}

void dr_ssz_u64(uint8_t leaf[static 32], uint64_t value)
{
	memset(leaf, 0, 32);
	for (size_t i = 0; i < 8; i++)
		leaf[i] = (uint8_t)(value >> (8 * i));
}

uint64_t dr_ssz_read(struct dr_reader *r, size_t len)
{
	uint8_t bytes[8] = { 0 };
	uint64_t value = 0;

	dr_reader_copy(r, bytes, len);
	for (size_t i = len; i-- > 0;)
		value = value << 8 | bytes[i];
	return value;
}

void dr_ssz_merkleize(uint8_t root[static 32], uint8_t (*chunks)[32], size_t num, unsigned depth)
{
	uint8_t zero[32] = { 0 }; /* the root of a subtree of zeros as high as the rank */

	DR_ASSERT(depth <= DR_SSZ_DEPTH_MAX && num <= (size_t)1 << depth);
	for (unsigned rank = 0; rank < depth && num > 0; rank++) {
		for (size_t i = 0; i < num; i += 2)
			dr_ssz_pair(chunks[i / 2], chunks[i], i + 1 < num ? chunks[i + 1] : zero);
		num = (num + 1) / 2;
		dr_ssz_pair(zero, zero, zero);
	}
	if (num > 0) {
		memcpy(root, chunks[0], 32);
		return;
	}
	for (unsigned rank = 0; rank < depth; rank++)
		dr_ssz_pair(zero, zero, zero);
	memcpy(root, zero, 32);
}

void dr_ssz_mix_length(uint8_t root[static 32], uint64_t len)
{
	uint8_t leaf[32];

	dr_ssz_u64(leaf, len);
	dr_ssz_pair(root, root, leaf);
}

unsigned dr_ssz_depth(uint64_t gindex)
{
	unsigned depth = 0;

	DR_ASSERT(gindex > 0);
	while (gindex >>= 1)
		depth++;
	return depth;
}

bool dr_ssz_branch_shows(const uint8_t leaf[static 32], const uint8_t (*branch)[32], size_t num, uint64_t gindex,
			 const uint8_t root[static 32])
{
	uint8_t node[32];

	if (gindex == 0 || num < dr_ssz_depth(gindex))
		return false;
	for (; num > dr_ssz_depth(gindex); branch++, num--)
		if (!dr_bytes_zero(*branch, 32))
			return false;
	memcpy(node, leaf, 32);
	for (size_t i = 0; i < num; i++, gindex >>= 1)
		if (gindex & 1)
			dr_ssz_pair(node, branch[i], node);
		else
			dr_ssz_pair(node, node, branch[i]);
	DR_ASSERT(gindex == 1);
	return memcmp(node, root, 32) == 0;
}
