/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/merkle.h"

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

unsigned dr_merkle_grow(struct dr_merkle *m, const uint8_t leaf_hash[static 32], uint8_t nodes[static 64][32])
{
	uint8_t hash[32];
	unsigned bit = 0;

	DR_ASSERT(m->size < UINT64_MAX);
	memcpy(hash, leaf_hash, 32);
	for (; (m->size >> bit & 1) != 0; bit++) {
		join(hash, m->edge[bit], hash);
		memcpy(nodes[bit], hash, 32);
		/* Zero what stands for no subtree: equal trees are equal structs. */
		memset(m->edge[bit], 0, 32);
	}
	memcpy(m->edge[bit], hash, 32);
	m->size++;
	return bit;
}

void dr_merkle_add(struct dr_merkle *m, const uint8_t leaf_hash[static 32])
{
	uint8_t nodes[64][32];

	dr_merkle_grow(m, leaf_hash, nodes);
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

/* MTH(D[begin:begin+size]), where begin is a multiple of a power of two that is not smaller than size: so are all the
 * subtrees of which RFC 6962 speaks, and each is a row of complete ones, from large to small. */
static enum dr_err edge_from(struct dr_merkle *out, uint64_t begin, uint64_t size,
			     const struct dr_merkle_source *source, struct dr_fail *fail)
{
	uint64_t at = begin;

	dr_merkle_init(out);
	for (unsigned bit = 64; bit-- > 0;) {
		if ((size >> bit & 1) == 0)
			continue;
		if (source->get(source->ctx, bit, at >> bit, out->edge[bit], fail) != DR_OK) {
			dr_merkle_init(out);
			return fail->err;
		}
		at += 1ull << bit;
	}
	out->size = size;
	return DR_OK;
}

enum dr_err dr_merkle_at(struct dr_merkle *out, uint64_t size, const struct dr_merkle_source *source,
			 struct dr_fail *fail)
{
	return edge_from(out, 0, size, source, fail);
}

struct proof {
	uint8_t (*hashes)[32];
	uint16_t *num;
	const struct dr_merkle_source *source;
	struct dr_fail *fail;
};

static bool push(struct proof *p, uint64_t begin, uint64_t size)
{
	struct dr_merkle edge;

	if (edge_from(&edge, begin, size, p->source, p->fail) != DR_OK)
		return false;
	DR_ASSERT(*p->num < DR_PROOF_HASHES_MAX);
	dr_merkle_root(p->hashes[(*p->num)++], &edge);
	return true;
}

/* The largest power of two smaller than num, which is above 1. */
static uint64_t split(uint64_t num)
{
	uint64_t k = 1;

	while (k < num - k)
		k *= 2;
	return k;
}

/* Walked from the root down, while proofs are told from the leaf up. */
static enum dr_err finish(struct proof *p)
{
	const size_t num = *p->num;
	uint8_t hash[32];

	if (p->fail->err != DR_OK) {
		memset(p->hashes, 0, DR_PROOF_HASHES_MAX * sizeof(*p->hashes));
		*p->num = 0;
		return p->fail->err;
	}
	for (size_t i = 0; i < num / 2; i++) {
		memcpy(hash, p->hashes[i], 32);
		memcpy(p->hashes[i], p->hashes[num - 1 - i], 32);
		memcpy(p->hashes[num - 1 - i], hash, 32);
	}
	return DR_OK;
}

enum dr_err dr_merkle_inclusion(uint8_t hashes[static DR_PROOF_HASHES_MAX][32], uint16_t *num, uint64_t idx,
				uint64_t size, const struct dr_merkle_source *source, struct dr_fail *fail)
{
	struct proof p = { hashes, num, source, fail };
	uint64_t begin = 0;

	DR_ASSERT(idx < size);
	memset(hashes, 0, DR_PROOF_HASHES_MAX * sizeof(*hashes));
	*num = 0;
	while (size > 1) {
		const uint64_t k = split(size);

		if (idx < k) {
			if (!push(&p, begin + k, size - k))
				break;
			size = k;
		} else {
			if (!push(&p, begin, k))
				break;
			begin += k;
			idx -= k;
			size -= k;
		}
	}
	return finish(&p);
}

/* SUBPROOF(m, D[n], b) of RFC 6962, 2.1.2: b, "the whole of the old tree", holds while only left turns were taken. */
enum dr_err dr_merkle_consistency(uint8_t hashes[static DR_PROOF_HASHES_MAX][32], uint16_t *num, uint64_t old_size,
				  uint64_t new_size, const struct dr_merkle_source *source, struct dr_fail *fail)
{
	struct proof p = { hashes, num, source, fail };
	uint64_t begin = 0;

	DR_ASSERT(old_size <= new_size);
	memset(hashes, 0, DR_PROOF_HASHES_MAX * sizeof(*hashes));
	*num = 0;
	if (old_size == 0)
		return DR_OK;
	while (old_size < new_size) {
		const uint64_t k = split(new_size);

		if (old_size <= k) {
			if (!push(&p, begin + k, new_size - k))
				return finish(&p);
			new_size = k;
		} else {
			if (!push(&p, begin, k))
				return finish(&p);
			begin += k;
			old_size -= k;
			new_size -= k;
		}
	}
	if (begin > 0)
		push(&p, begin, old_size);
	return finish(&p);
}

/* RFC 9162, 2.1.3.2: fn and sn are the places of the leaf and of the last leaf, a level higher at each step. */
bool dr_merkle_verify_inclusion(const uint8_t root[static 32], uint64_t size, uint64_t idx,
				const uint8_t leaf_hash[static 32], const uint8_t (*hashes)[32], size_t num)
{
	uint64_t fn = idx, sn = size - 1;
	uint8_t hash[32];

	if (idx >= size)
		return false;
	memcpy(hash, leaf_hash, 32);
	for (size_t i = 0; i < num; i++, fn >>= 1, sn >>= 1) {
		if (sn == 0)
			return false;
		if ((fn & 1) == 0 && fn != sn) {
			join(hash, hash, hashes[i]);
			continue;
		}
		join(hash, hashes[i], hash);
		for (; (fn & 1) == 0 && fn != 0; fn >>= 1)
			sn >>= 1;
	}
	return sn == 0 && memcmp(hash, root, 32) == 0;
}

/* RFC 9162, 2.1.4.2. */
bool dr_merkle_verify_consistency(const uint8_t old_root[static 32], uint64_t old_size,
				  const uint8_t new_root[static 32], uint64_t new_size, const uint8_t (*hashes)[32],
				  size_t num)
{
	uint64_t fn = old_size - 1, sn = new_size - 1;
	uint8_t old_hash[32], new_hash[32], empty[32];
	size_t i = 0;

	dr_sha256(empty, NULL, 0);
	if (old_size == new_size)
		return num == 0 && memcmp(old_root, new_root, 32) == 0 &&
		       (new_size != 0 || memcmp(new_root, empty, 32) == 0);
	if (old_size == 0)
		return num == 0 && memcmp(old_root, empty, 32) == 0;
	if (old_size > new_size || num == 0)
		return false;
	/* A complete old tree is itself the first subtree, and is not told again. */
	memcpy(old_hash, (old_size & fn) == 0 ? old_root : hashes[i++], 32);
	memcpy(new_hash, old_hash, 32);
	for (; (fn & 1) != 0; fn >>= 1)
		sn >>= 1;
	for (; i < num; i++, fn >>= 1, sn >>= 1) {
		if (sn == 0)
			return false;
		if ((fn & 1) == 0 && fn != sn) {
			join(new_hash, new_hash, hashes[i]);
			continue;
		}
		join(old_hash, hashes[i], old_hash);
		join(new_hash, hashes[i], new_hash);
		for (; (fn & 1) == 0 && fn != 0; fn >>= 1)
			sn >>= 1;
	}
	return sn == 0 && memcmp(old_hash, old_root, 32) == 0 && memcmp(new_hash, new_root, 32) == 0;
}
