/* SPDX-License-Identifier: Apache-2.0
 *
 * The verifier on any nodes. Input: u8 key length · key · nodes, each u16 length and its bytes. The root is the
 * first node's own hash and every 32-byte reference that was meant is repaired to the next node's hash, where the
 * input says 32 times its index: so that mutations get past the first hash. What verifies must hold: a value lies
 * inside the last node, and no shorter run of nodes proves the same.
 */
#include <string.h>

#include "chain/base/arena.h"
#include "chain/base/limits.h"
#include "chain/base/reader.h"
#include "chain/crypto/keccak.h"
#include "chain/trie/mpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NODES_MAX 16u

/* From the last node to the first: a run of 32 bytes of value idx becomes the hash of node idx. */
static void repair(uint8_t *node, size_t len, uint8_t hashes[NODES_MAX][32], size_t idx, size_t num)
{
	for (size_t i = idx + 1; i < num; i++) {
		uint8_t mark[32];

		memset(mark, (int)i, 32);
		for (size_t at = 0; at + 32 <= len; at++) {
			if (memcmp(node + at, mark, 32) == 0)
				memcpy(node + at, hashes[i], 32);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zero_root[32];
	struct dr_bytes nodes[NODES_MAX], key, value;
	uint8_t hashes[NODES_MAX][32];
	struct dr_fail fail = { 0 };
	struct dr_reader r;
	size_t num = 0;
	bool present;

	dr_reader_init(&r, dr_bytes_of(data, size), &fail);
	key = dr_reader_view(&r, dr_reader_u8(&r));
	while (num < NODES_MAX && dr_reader_ok(&r) && r.left > 0)
		nodes[num++] = dr_reader_view(&r, dr_reader_u16(&r));
	if (dr_reader_end(&r) != DR_OK)
		return 0;
	uint8_t *mem = dr_heap_alloc(size);
	size_t used = 0;

	DR_ASSERT(mem != NULL);
	for (size_t i = num; i-- > 0;) {
		uint8_t *node = mem + used;

		used += nodes[i].len;
		if (nodes[i].len > 0)
			memcpy(node, nodes[i].ptr, nodes[i].len);
		repair(node, nodes[i].len, hashes, i, num);
		nodes[i].ptr = node;
		dr_keccak256(hashes[i], node, nodes[i].len);
	}
	const uint8_t *root = num > 0 ? hashes[0] : zero_root;

	if (dr_mpt_verify(&present, &value, root, key, nodes, num, &fail) == DR_OK) {
		struct dr_fail fewer = { 0 };
		const struct dr_bytes found = value, last = nodes[num - 1]; /* num == 0 proves nothing of zero_root */

		DR_ASSERT(present == (found.len > 0));
		if (present)
			DR_ASSERT(found.ptr >= last.ptr && found.ptr + found.len <= last.ptr + last.len);
		DR_ASSERT(dr_mpt_verify(&present, &value, root, key, nodes, num - 1, &fewer) != DR_OK ||
			  memcmp(root, dr_mpt_empty_root, 32) == 0);
	} else {
		DR_ASSERT(!present && value.ptr == NULL && value.len == 0);
	}
	dr_heap_free(mem);
	return 0;
}
