/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/trie/mpt.h"

#include <string.h>

#include "chain/base/limits.h"
#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"
#include "chain/trie/mpt_impl.h"

const uint8_t dr_mpt_empty_root[32] = {
	0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45, 0xe6, 0x92, 0xc0, 0xf8, 0x6e,
	0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c, 0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21,
};

/* One walk: where it stands and what it has used. */
struct walk {
	const struct dr_bytes *nodes;
	const uint8_t (*hashes)[32]; /* of the nodes */
	size_t num, used;
	struct dr_bytes key;
	size_t depth;         /* nibbles of key behind us */
	struct dr_bytes node; /* RLP of the node we stand on */
	bool want_branch;     /* an extension leads to nothing else */
	bool done, present;
	struct dr_bytes value;
	struct dr_fail *fail;
};

static bool refuse(struct walk *w, enum dr_err err, const char *what)
{
	dr_fail_set(w->fail, err, what, w->used > 0 ? w->used - 1 : 0); /* index of the proof node */
	return false;
}

/* Steps onto the next handed-in node, which must hash to `hash`. */
static bool step_hash(struct walk *w, const uint8_t hash[static 32])
{
	if (w->used == w->num)
		return refuse(w, DR_ERR_PROOF, "trie proof ends before its path does");
	const size_t at = w->used++;

	w->node = w->nodes[at];
	if (memcmp(w->hashes[at], hash, 32) != 0)
		return refuse(w, DR_ERR_PROOF, "trie node must hash to what its parent, or the root, names");
	if (w->used > 1 && w->node.len <= NODE_INLINE_MAX)
		return refuse(w, DR_ERR_NONCANONICAL, "trie node below 32 bytes must stand in its parent");
	return true;
}

/* A child is nothing, a hash, or a node of less than 32 bytes itself. */
static bool is_child(const struct dr_rlp_item *item)
{
	if (item->kind == DR_RLP_LIST)
		return item->whole.len <= NODE_INLINE_MAX;
	return item->payload.len == 0 || item->payload.len == 32;
}

static bool is_nothing(const struct dr_rlp_item *item)
{
	return item->kind == DR_RLP_STRING && item->payload.len == 0;
}

static bool step_child(struct walk *w, const struct dr_rlp_item *child)
{
	if (child->kind == DR_RLP_STRING)
		return step_hash(w, child->payload.ptr);
	w->node = child->whole;
	/* It says itself; some servers list it once more, behind its parent. */
	if (w->used < w->num && dr_bytes_eq(w->nodes[w->used], w->node))
		w->used++;
	return true;
}

static bool finish(struct walk *w, bool present, struct dr_bytes value)
{
	w->done = true;
	w->present = present;
	w->value = present ? value : dr_bytes_of(NULL, 0);
	return true;
}

static const char branch_of_one[] = "trie branch must have two things to choose from";

/* A branch of hashes and empty places alone. */
static bool visit_hashes(struct walk *w, const uint8_t *children[static 16])
{
	size_t num_used = 0;

	for (size_t i = 0; i < 16; i++)
		num_used += children[i] != NULL;
	if (num_used < 2)
		return refuse(w, DR_ERR_NONCANONICAL, branch_of_one);
	if (w->depth == 2 * w->key.len)
		return finish(w, false, dr_bytes_of(NULL, 0));
	const uint8_t *child = children[nibble_at(w->key, w->depth++)];

	w->want_branch = false;
	return child == NULL ? finish(w, false, dr_bytes_of(NULL, 0)) : step_hash(w, child);
}

static bool visit_branch(struct walk *w, struct dr_reader *list)
{
	struct dr_rlp_item children[16];
	size_t num_used = 0;

	for (size_t i = 0; i < 16; i++) {
		children[i] = dr_rlp_item(list);
		if (dr_reader_ok(list) && !is_child(&children[i]))
			return refuse(w, DR_ERR_SYNTAX,
				      "child in a trie branch must be empty, a hash or a short node");
		num_used += !is_nothing(&children[i]);
	}
	const struct dr_bytes value = dr_rlp_string(list, SIZE_MAX);

	if (dr_reader_end(list) != DR_OK)
		return false;
	if (num_used + (value.len > 0) < 2)
		return refuse(w, DR_ERR_NONCANONICAL, branch_of_one);
	if (w->depth == 2 * w->key.len)
		return finish(w, value.len > 0, value);
	const struct dr_rlp_item *child = &children[nibble_at(w->key, w->depth++)];

	w->want_branch = false;
	return is_nothing(child) ? finish(w, false, value) : step_child(w, child);
}

static bool visit_path(struct walk *w, struct dr_reader *list)
{
	const struct dr_bytes path = dr_rlp_string(list, PATH_LEN_MAX);
	const struct dr_rlp_item second = dr_rlp_item(list);

	if (dr_reader_end(list) != DR_OK)
		return false;
	if (path.len == 0 || path.ptr[0] > 0x3f)
		return refuse(w, DR_ERR_SYNTAX, "trie path must begin with a flag of 0 to 3");
	const bool leaf = (path.ptr[0] & 0x20) != 0, odd = (path.ptr[0] & 0x10) != 0;
	const size_t skip = odd ? 1 : 2, nibbles = 2 * path.len - skip, left = 2 * w->key.len - w->depth;
	bool same = nibbles <= left;

	if (!odd && (path.ptr[0] & 15) != 0)
		return refuse(w, DR_ERR_NONCANONICAL, "trie path of even length must be padded with zero");
	if (w->want_branch)
		return refuse(w, DR_ERR_NONCANONICAL, "trie extension must lead to a branch");
	for (size_t i = 0; same && i < nibbles; i++)
		same = nibble_at(path, skip + i) == nibble_at(w->key, w->depth + i);
	if (leaf) {
		if (second.kind != DR_RLP_STRING || second.payload.len == 0)
			return refuse(w, DR_ERR_SYNTAX, "trie leaf must hold a value");
		return finish(w, same && nibbles == left, second.payload);
	}
	if (nibbles == 0)
		return refuse(w, DR_ERR_NONCANONICAL, "trie extension must have a path");
	if (is_nothing(&second) || !is_child(&second))
		return refuse(w, DR_ERR_SYNTAX, "trie extension must lead to a hash or a short node");
	if (!same)
		return finish(w, false, second.payload);
	w->depth += nibbles;
	w->want_branch = true;
	return step_child(w, &second);
}

static bool visit(struct walk *w)
{
	const uint8_t *children[16];
	struct dr_reader top, list;

	if (dr_rlp_branch(children, w->node))
		return visit_hashes(w, children);
	if (dr_rlp_check(w->node, w->fail) != DR_OK)
		return false;
	dr_reader_init(&top, w->node, w->fail);
	list = dr_rlp_list(&top);
	const size_t num = dr_rlp_count(&list);

	if (dr_reader_end(&top) != DR_OK)
		return false;
	if (num == 17)
		return visit_branch(w, &list);
	if (num == 2)
		return visit_path(w, &list);
	return refuse(w, DR_ERR_SYNTAX, "trie node must be a list of 2 or 17 items");
}

enum dr_err dr_mpt_verify_hashed(bool *present, struct dr_bytes *value, const uint8_t root[static 32],
				 struct dr_bytes key, const struct dr_bytes *nodes, const uint8_t (*hashes)[32],
				 size_t num, struct dr_fail *fail)
{
	static const uint8_t nothing[1] = { 0x80 };
	struct walk w = { .nodes = nodes, .hashes = hashes, .num = num, .key = key, .fail = fail };

	*present = false;
	*value = dr_bytes_of(NULL, 0);
	if (fail->err != DR_OK)
		return fail->err;
	if (key.len < 1 || key.len > KEY_LEN_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "a trie key has 1 to 32 bytes", key.len);
	if (num > DR_MPT_DEPTH_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "trie proof is longer than the longest path", num);
	if (memcmp(root, dr_mpt_empty_root, 32) == 0 &&
	    (num == 0 || (num == 1 && dr_bytes_eq(nodes[0], dr_bytes_of(nothing, 1)))))
		return DR_OK;
	if (!step_hash(&w, root))
		return fail->err;
	while (!w.done) {
		if (!visit(&w))
			return fail->err;
	}
	if (w.used != num)
		return dr_fail_set(fail, DR_ERR_PROOF, "trie proof has nodes that its path does not use", w.used);
	*present = w.present;
	*value = w.value;
	return DR_OK;
}

enum dr_err dr_mpt_verify(bool *present, struct dr_bytes *value, const uint8_t root[static 32], struct dr_bytes key,
			  const struct dr_bytes *nodes, size_t num, struct dr_fail *fail)
{
	uint8_t hashes[DR_MPT_DEPTH_MAX][32];

	dr_keccak256_many(hashes, nodes, num < DR_MPT_DEPTH_MAX ? num : DR_MPT_DEPTH_MAX);
	return dr_mpt_verify_hashed(present, value, root, key, nodes, (const uint8_t(*)[32])hashes, num, fail);
}
