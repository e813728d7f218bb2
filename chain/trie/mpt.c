/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/trie/mpt.h"

#include <string.h>

#include "chain/base/limits.h"
#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"

#define KEY_LEN_MAX     32u
#define PATH_LEN_MAX    (1u + KEY_LEN_MAX) /* hex-prefix form: a flag byte, or half of one, and the nibbles */
#define NODE_INLINE_MAX 31u                /* "if ||c|| < 32": a shorter node stands in its parent itself */

const uint8_t dr_mpt_empty_root[32] = {
	0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45, 0xe6, 0x92, 0xc0, 0xf8, 0x6e,
	0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c, 0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21,
};

static uint8_t nibble_at(struct dr_bytes key, size_t i)
{
	return i % 2 == 0 ? key.ptr[i / 2] >> 4 : key.ptr[i / 2] & 15;
}

/* ---- the builder ---- */

/* How a parent names a child: RLP to be copied as it is. A hash (33 bytes), a short node, or 0x80. */
struct ref {
	uint8_t rlp[33];
	uint8_t len;
};

/* A node under construction: the list's payload in pieces, so that long values are never copied. */
struct node {
	struct dr_bytes pieces[20];
	size_t num;
	size_t payload_len;
};

static void node_add(struct node *node, struct dr_bytes piece)
{
	if (piece.len > 0)
		node->pieces[node->num++] = piece;
	node->payload_len += piece.len;
}

/* Adds a string; prefix is room for its prefix and outlives the node. */
static void node_add_string(struct node *node, struct dr_bytes string, uint8_t prefix[static DR_RLP_PREFIX_MAX])
{
	if (dr_rlp_len(string) != string.len)
		node_add(node, dr_bytes_of(prefix, dr_rlp_prefix(prefix, DR_RLP_STRING, string.len)));
	node_add(node, string);
}

static void node_hash(uint8_t hash[static 32], const struct node *node)
{
	uint8_t prefix[DR_RLP_PREFIX_MAX];
	struct dr_keccak k;

	dr_keccak_init(&k);
	dr_keccak_update(&k, prefix, dr_rlp_prefix(prefix, DR_RLP_LIST, node->payload_len));
	for (size_t i = 0; i < node->num; i++)
		dr_keccak_update(&k, node->pieces[i].ptr, node->pieces[i].len);
	dr_keccak_final(&k, hash);
}

/* c(node) of appendix D. The root alone is named by its hash even when it is short. */
static struct ref node_ref(const struct node *node, bool is_root)
{
	struct ref ref = { .len = 33 };

	if (is_root || dr_rlp_list_len(node->payload_len) > NODE_INLINE_MAX) {
		ref.rlp[0] = 0xa0;
		node_hash(ref.rlp + 1, node);
		return ref;
	}
	ref.len = (uint8_t)dr_rlp_prefix(ref.rlp, DR_RLP_LIST, node->payload_len);
	for (size_t i = 0; i < node->num; i++) {
		memcpy(ref.rlp + ref.len, node->pieces[i].ptr, node->pieces[i].len);
		ref.len = (uint8_t)(ref.len + node->pieces[i].len);
	}
	return ref;
}

/* HP(key[from, to), leaf) into out; returns its length. */
static size_t path_put(uint8_t out[static PATH_LEN_MAX], struct dr_bytes key, size_t from, size_t to, bool leaf)
{
	const size_t odd = (to - from) % 2;
	size_t len = 1;

	out[0] = (uint8_t)((leaf ? 0x20 : 0) | (odd ? 0x10 | nibble_at(key, from) : 0));
	for (size_t i = from + odd; i < to; i += 2)
		out[len++] = (uint8_t)(nibble_at(key, i) << 4 | nibble_at(key, i + 1));
	return len;
}

/* A leaf or an extension: a path, and a piece that is already RLP or a value still to be prefixed. */
static struct ref path_node(struct dr_bytes key, size_t from, size_t to, const struct ref *child,
			    struct dr_bytes value, bool is_root)
{
	uint8_t path[PATH_LEN_MAX], path_prefix[DR_RLP_PREFIX_MAX], value_prefix[DR_RLP_PREFIX_MAX];
	struct node node = { .num = 0 };

	node_add_string(&node, dr_bytes_of(path, path_put(path, key, from, to, child == NULL)), path_prefix);
	if (child != NULL)
		node_add(&node, dr_bytes_of(child->rlp, child->len));
	else
		node_add_string(&node, value, value_prefix);
	return node_ref(&node, is_root);
}

/* How many nibbles from `from` on all of pairs[0, num) share: they are sorted, so the first and last tell. */
static size_t shared_nibbles(const struct dr_mpt_pair *pairs, size_t num, size_t from)
{
	const struct dr_bytes first = pairs[0].key, last = pairs[num - 1].key;
	size_t i = from;

	while (i < 2 * first.len && i < 2 * last.len && nibble_at(first, i) == nibble_at(last, i))
		i++;
	return i - from;
}

/* The node over sorted pairs[0, num), num >= 1, which agree on their first `depth` nibbles. It calls itself once
 * per branch and nibble: at most 64 deep, because keys have at most 64 nibbles and each call passes one. */
static struct ref build(const struct dr_mpt_pair *pairs, size_t num, size_t depth, bool is_root)
{
	const struct dr_bytes none = { NULL, 0 };

	DR_ASSERT(depth <= 2 * KEY_LEN_MAX);
	if (num == 1)
		return path_node(pairs[0].key, depth, 2 * pairs[0].key.len, NULL, pairs[0].value, is_root);
	const size_t shared = shared_nibbles(pairs, num, depth);
	const size_t at = depth + shared;
	uint8_t prefix[DR_RLP_PREFIX_MAX];
	struct node branch = { .num = 0 };
	struct dr_bytes value = none;
	struct ref children[16];
	size_t next = 0;

	if (2 * pairs[0].key.len == at) /* a key that ends here sorts first */
		value = pairs[next++].value;
	for (size_t n = 0; n < 16; n++) {
		const size_t begin = next;

		while (next < num && nibble_at(pairs[next].key, at) == n)
			next++;
		children[n] = next > begin ? build(pairs + begin, next - begin, at + 1, false)
					   : (struct ref){ .rlp = { 0x80 }, .len = 1 };
		node_add(&branch, dr_bytes_of(children[n].rlp, children[n].len));
	}
	node_add_string(&branch, value, prefix);
	if (shared == 0)
		return node_ref(&branch, is_root);
	const struct ref child = node_ref(&branch, false);

	return path_node(pairs[0].key, depth, at, &child, none, is_root);
}

/* Merge sort by key, bottom up, with scratch[0, num). */
static void sort_pairs(struct dr_mpt_pair *pairs, struct dr_mpt_pair *scratch, size_t num)
{
	for (size_t run = 1; run < num; run *= 2) {
		for (size_t from = 0; from < num; from += 2 * run) {
			const size_t mid = num - from > run ? from + run : num;
			const size_t end = num - from > 2 * run ? from + 2 * run : num;
			size_t a = from, b = mid;

			for (size_t i = from; i < end; i++) {
				const bool take_b =
					a == mid || (b < end && dr_bytes_cmp(pairs[b].key, pairs[a].key) < 0);

				scratch[i] = take_b ? pairs[b++] : pairs[a++];
			}
		}
		memcpy(pairs, scratch, num * sizeof(*pairs));
	}
}

enum dr_err dr_mpt_root(uint8_t root[static 32], struct dr_mpt_pair *pairs, size_t num, struct dr_arena *arena,
			struct dr_fail *fail)
{
	memset(root, 0, 32);
	for (size_t i = 0; i < num; i++) {
		if (pairs[i].key.len < 1 || pairs[i].key.len > KEY_LEN_MAX)
			return dr_fail_set(fail, DR_ERR_LIMIT, "a trie key has 1 to 32 bytes", i);
		if (pairs[i].value.len == 0)
			return dr_fail_set(fail, DR_ERR_SYNTAX, "a trie holds no empty values", i);
	}
	if (num == 0) {
		memcpy(root, dr_mpt_empty_root, 32);
		return DR_OK;
	}
	struct dr_mpt_pair *scratch =
		num > SIZE_MAX / sizeof(*pairs) ? NULL : dr_arena_alloc(arena, num * sizeof(*pairs));

	if (scratch == NULL)
		return dr_fail_set(fail, DR_ERR_NOMEM, "no memory to sort the pairs of a trie", num);
	sort_pairs(pairs, scratch, num);
	for (size_t i = 1; i < num; i++) {
		if (dr_bytes_eq(pairs[i - 1].key, pairs[i].key))
			return dr_fail_set(fail, DR_ERR_SYNTAX, "two pairs of a trie have the same key", i);
	}
	const struct ref ref = build(pairs, num, 0, true);

	memcpy(root, ref.rlp + 1, 32);
	return DR_OK;
}

/* ---- the verifier ---- */

/* One walk: where it stands and what it has used. */
struct walk {
	const struct dr_bytes *nodes;
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
	uint8_t got[32];

	if (w->used == w->num)
		return refuse(w, DR_ERR_PROOF, "trie proof ends before its path does");
	w->node = w->nodes[w->used++];
	dr_keccak256(got, w->node.ptr, w->node.len);
	if (memcmp(got, hash, 32) != 0)
		return refuse(w, DR_ERR_PROOF, "trie node must hash to what its parent, or the root, names");
	if (w->used > 1 && w->node.len <= NODE_INLINE_MAX)
		return refuse(w, DR_ERR_NONCANONICAL, "trie node below 32 bytes must stand in its parent");
	return dr_rlp_check(w->node, w->fail) == DR_OK;
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
		return refuse(w, DR_ERR_NONCANONICAL, "trie branch must have two things to choose from");
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
	struct dr_reader top, list;

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

enum dr_err dr_mpt_verify(bool *present, struct dr_bytes *value, const uint8_t root[static 32], struct dr_bytes key,
			  const struct dr_bytes *nodes, size_t num, struct dr_fail *fail)
{
	static const uint8_t nothing[1] = { 0x80 };
	struct walk w = { .nodes = nodes, .num = num, .key = key, .fail = fail };

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
