/* SPDX-License-Identifier: Apache-2.0
 *
 * prover: a second, naive Merkle Patricia trie for tests, that also proves: no part of it is shared with chain/trie.
 */
#ifndef DR_TESTS_PROVER_H
#define DR_TESTS_PROVER_H

#include <string.h>

#include "chain/base/limits.h"
#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"
#include "chain/trie/mpt.h"
#include "tests/unit/kit.h"

#define PAIRS_MAX 256u

static inline struct dr_bytes copy_of(const void *ptr, size_t len)
{
	uint8_t *out = kit_alloc(len);

	if (len > 0)
		memcpy(out, ptr, len);
	return dr_bytes_of(out, len);
}

static inline struct dr_bytes rlp_list(const struct dr_bytes *items, size_t num)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;
	size_t payload_len = 0;

	for (size_t i = 0; i < num; i++)
		payload_len += items[i].len;
	uint8_t *out = kit_alloc(dr_rlp_list_len(payload_len));

	dr_writer_init(&w, out, dr_rlp_list_len(payload_len), &fail);
	dr_rlp_put_list(&w, payload_len);
	for (size_t i = 0; i < num; i++)
		dr_writer_bytes(&w, items[i]);
	assert_int_equal(fail.err, DR_OK);
	return dr_writer_view(&w);
}

static inline struct dr_bytes rlp_string(struct dr_bytes string)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;
	uint8_t *out = kit_alloc(string.len + DR_RLP_PREFIX_MAX);

	dr_writer_init(&w, out, string.len + DR_RLP_PREFIX_MAX, &fail);
	dr_rlp_put(&w, string);
	return dr_writer_view(&w);
}

static inline uint8_t nibble(struct dr_bytes key, size_t i)
{
	return i % 2 == 0 ? key.ptr[i / 2] >> 4 : key.ptr[i / 2] & 15;
}

/* A second, naive trie of ours, straight from appendix D, that keeps the nodes on the way to `key`. */
struct prover {
	struct dr_bytes key;
	struct dr_bytes nodes[DR_MPT_DEPTH_MAX];
	size_t num;
};

static inline struct dr_bytes hex_prefix(struct dr_bytes key, size_t from, size_t to, bool leaf)
{
	uint8_t out[40];
	size_t num = 0;

	if ((to - from) % 2 != 0)
		out[num++] = (uint8_t)((leaf ? 3 : 1) << 4 | nibble(key, from++));
	else
		out[num++] = leaf ? 0x20 : 0;
	for (; from < to; from += 2)
		out[num++] = (uint8_t)(nibble(key, from) << 4 | nibble(key, from + 1));
	return rlp_string(copy_of(out, num));
}

static inline struct dr_bytes prove_ref(struct prover *p, const struct dr_mpt_pair *pairs, size_t num, size_t depth,
					bool on_path);

static inline struct dr_bytes prove_node(struct prover *p, const struct dr_mpt_pair *pairs, size_t num, size_t depth,
					 bool on_path)
{
	struct dr_bytes items[17];
	size_t shared = depth;

	if (num == 1) {
		items[0] = hex_prefix(pairs[0].key, depth, 2 * pairs[0].key.len, true);
		items[1] = rlp_string(pairs[0].value);
		return rlp_list(items, 2);
	}
	for (bool same = true; same;) {
		for (size_t i = 0; i < num; i++)
			same = same && shared < 2 * pairs[i].key.len &&
			       nibble(pairs[i].key, shared) == nibble(pairs[0].key, shared);
		shared += same;
	}
	if (shared > depth) {
		for (size_t i = depth; i < shared; i++)
			on_path = on_path && i < 2 * p->key.len && nibble(p->key, i) == nibble(pairs[0].key, i);
		items[0] = hex_prefix(pairs[0].key, depth, shared, false);
		items[1] = prove_ref(p, pairs, num, shared, on_path);
		return rlp_list(items, 2);
	}
	items[16] = kit_hex("80");
	for (size_t n = 0; n < 16; n++) {
		struct dr_mpt_pair some[PAIRS_MAX];
		size_t num_some = 0;

		for (size_t i = 0; i < num; i++) {
			if (2 * pairs[i].key.len == depth)
				items[16] = rlp_string(pairs[i].value);
			else if (nibble(pairs[i].key, depth) == n)
				some[num_some++] = pairs[i];
		}
		items[n] = num_some == 0 ? kit_hex("80")
					 : prove_ref(p, some, num_some, depth + 1,
						     on_path && depth < 2 * p->key.len && nibble(p->key, depth) == n);
	}
	return rlp_list(items, 17);
}

/* Reserves its place among the proof's nodes before its children take theirs. */
static inline struct dr_bytes prove_ref(struct prover *p, const struct dr_mpt_pair *pairs, size_t num, size_t depth,
					bool on_path)
{
	struct prover below = { .key = p->key };
	const struct dr_bytes node = prove_node(&below, pairs, num, depth, on_path);
	uint8_t hash[32];

	if (on_path && (node.len >= 32 || depth == 0))
		p->nodes[p->num++] = node;
	for (size_t i = 0; i < below.num; i++)
		p->nodes[p->num++] = below.nodes[i];
	if (node.len < 32 && depth > 0)
		return node;
	dr_keccak256(hash, node.ptr, node.len);
	return rlp_string(copy_of(hash, 32));
}

/* Proof of key among pairs, whose values must be distinct keys; fills root. */
static inline void prove(struct prover *p, uint8_t root[static 32], struct dr_bytes key,
			 const struct dr_mpt_pair *pairs, size_t num)
{
	*p = (struct prover){ .key = key };
	const struct dr_bytes ref = prove_ref(p, pairs, num, 0, true);

	memcpy(root, ref.ptr + 1, 32);
}

#endif
