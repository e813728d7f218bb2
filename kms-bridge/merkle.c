/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/proto.h"

#include <string.h>

#include "chain/crypto/sha256.h"

/* RFC 6962, 2.1: MTH({d(0)}) = SHA-256(0x00 ‖ d(0)); MTH(D[n]) = SHA-256(0x01 ‖ MTH(D[0:k]) ‖ MTH(D[k:n])),
 * k the largest power of two smaller than n. The prefixes keep a leaf from posing as an inner node. */
static const uint8_t leaf_prefix[1] = { 0x00 };
static const uint8_t node_prefix[1] = { 0x01 };

void dr_merkle_leaf(uint8_t out[static 32], struct dr_bytes leaf)
{
	const struct dr_bytes parts[2] = { { leaf_prefix, 1 }, leaf };

	dr_sha256(out, parts, 2);
}

static void join(uint8_t out[static 32], const uint8_t left[static 32], const uint8_t right[static 32])
{
	const struct dr_bytes parts[3] = { { node_prefix, 1 }, { left, 32 }, { right, 32 } };
	uint8_t hash[32];

	dr_sha256(hash, parts, 3);
	memcpy(out, hash, 32);
}

void dr_merkle_init(struct dr_merkle *m)
{
	memset(m, 0, sizeof(*m));
}

void dr_merkle_add(struct dr_merkle *m, const uint8_t leaf_hash[static 32])
{
	uint8_t hash[32];
	unsigned bit = 0;

	DR_ASSERT(m->size < UINT64_MAX);
	memcpy(hash, leaf_hash, 32);
	for (; (m->size >> bit & 1) != 0; bit++) {
		join(hash, m->edge[bit], hash);
		/* Zero what stands for no subtree: equal trees are equal structs. */
		memset(m->edge[bit], 0, 32);
	}
	memcpy(m->edge[bit], hash, 32);
	m->size++;
}

void dr_merkle_root(uint8_t out[static 32], const struct dr_merkle *m)
{
	unsigned bit = 0;

	if (m->size == 0) {
		dr_sha256(out, NULL, 0);
		return;
	}
	while ((m->size >> bit & 1) == 0)
		bit++;
	memcpy(out, m->edge[bit], 32);
	for (bit++; bit < 64; bit++)
		if ((m->size >> bit & 1) != 0)
			join(out, m->edge[bit], out);
}
