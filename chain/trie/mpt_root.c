/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys are sorted, so what neighbours share says where the branches are: one pass over the pairs opens and closes
 * them, with a stack, and hands out each leaf on the way. A node can be hashed when all below it are. So the leaves
 * go first, then branch upon branch by rank, which is one more than that of the highest child; nodes of one rank wait
 * in a batch, to be hashed side by side. Nothing recurses, and a batch is all that is held of the nodes themselves.
 */
#include "chain/trie/mpt.h"

#include <string.h>

#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"
#include "chain/trie/mpt_impl.h"

/* How a parent names a child: RLP to be copied as it is. A hash (33 bytes), a short node, or nothing yet. */
struct ref {
	uint8_t rlp[33];
	uint8_t len;
};

struct branch {
	struct ref children[16];
	struct dr_bytes value;
	struct branch *parent; /* NULL: the root */
	struct branch *next;   /* in the order in which they were closed */
	struct dr_bytes key;   /* of some pair below it */
	struct ref self;       /* where an extension leads to it */
	uint8_t at;            /* how many nibbles all below it share */
	uint8_t from;          /* its own path begins here; before `at`, it takes an extension */
	uint8_t rank;          /* its own; an extension's is one more */
};

#define BATCH_NUM 64u
#define BATCH_LEN 65536u /* a longer node is hashed by itself, piece by piece, and never copied */

struct batch {
	uint8_t *mem;
	size_t used, num;
	struct dr_bytes nodes[BATCH_NUM];
	struct ref *refs[BATCH_NUM];
};

static void batch_flush(struct batch *b)
{
	uint8_t hashes[BATCH_NUM][32];

	dr_keccak256_many(hashes, b->nodes, b->num);
	for (size_t i = 0; i < b->num; i++)
		memcpy(b->refs[i]->rlp + 1, hashes[i], 32);
	b->used = b->num = 0;
}

/* A node under construction: the list's payload in pieces, so that values are copied once or never. */
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

static size_t node_put(uint8_t *out, const struct node *node)
{
	size_t len = dr_rlp_prefix(out, DR_RLP_LIST, node->payload_len);

	for (size_t i = 0; i < node->num; i++) {
		memcpy(out + len, node->pieces[i].ptr, node->pieces[i].len);
		len += node->pieces[i].len;
	}
	return len;
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

/* c(node) of appendix D, into *to: at once for a short node, else when the batch is flushed. The root alone is named
 * by its hash even when it is short. */
static void node_ref(struct ref *to, const struct node *node, bool is_root, struct batch *b)
{
	const size_t len = dr_rlp_list_len(node->payload_len);

	if (!is_root && len <= NODE_INLINE_MAX) {
		to->len = (uint8_t)node_put(to->rlp, node);
		return;
	}
	to->rlp[0] = 0xa0;
	to->len = 33;
	if (len > BATCH_LEN) {
		node_hash(to->rlp + 1, node);
		return;
	}
	if (b->num == BATCH_NUM || len > BATCH_LEN - b->used)
		batch_flush(b);
	b->refs[b->num] = to;
	b->nodes[b->num++] = dr_bytes_of(b->mem + b->used, node_put(b->mem + b->used, node));
	b->used += len;
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
static void path_ref(struct ref *to, struct dr_bytes key, size_t from, size_t end, const struct ref *child,
		     struct dr_bytes value, bool is_root, struct batch *b)
{
	uint8_t path[PATH_LEN_MAX], path_prefix[DR_RLP_PREFIX_MAX], value_prefix[DR_RLP_PREFIX_MAX];
	struct node node = { .num = 0 };

	node_add_string(&node, dr_bytes_of(path, path_put(path, key, from, end, child == NULL)), path_prefix);
	if (child != NULL)
		node_add(&node, dr_bytes_of(child->rlp, child->len));
	else
		node_add_string(&node, value, value_prefix);
	node_ref(to, &node, is_root, b);
}

static void branch_ref(struct ref *to, const struct branch *branch, bool is_root, struct batch *b)
{
	static const uint8_t nothing[1] = { 0x80 };
	uint8_t prefix[DR_RLP_PREFIX_MAX];
	struct node node = { .num = 0 };

	for (size_t n = 0; n < 16; n++) {
		const struct ref *child = &branch->children[n];

		node_add(&node, child->len > 0 ? dr_bytes_of(child->rlp, child->len) : dr_bytes_of(nothing, 1));
	}
	node_add_string(&node, branch->value, prefix);
	node_ref(to, &node, is_root, b);
}

struct build {
	struct branch *open[2 * KEY_LEN_MAX + 1]; /* each deeper than the one before it */
	size_t num_open;
	struct branch *first, *last; /* closed */
	uint8_t rank_max;
	struct ref root;
	struct batch batch;
	struct dr_arena *arena;
};

static bool open_branch(struct build *b, struct dr_bytes key, size_t at)
{
	struct branch *branch = dr_arena_alloc(b->arena, sizeof(*branch));

	if (branch == NULL)
		return false;
	DR_ASSERT(b->num_open < sizeof(b->open) / sizeof(b->open[0]));
	branch->key = key;
	branch->at = (uint8_t)at;
	branch->rank = 1;
	b->open[b->num_open++] = branch;
	return true;
}

/* Closes the deepest open branch, under the one below it on the stack, or as the root. */
static void close_branch(struct build *b, struct branch *branch, struct branch *parent)
{
	branch->parent = parent;
	branch->from = parent == NULL ? 0 : (uint8_t)(parent->at + 1);
	const uint8_t rank = (uint8_t)(branch->rank + (branch->from < branch->at));

	if (parent != NULL && parent->rank <= rank)
		parent->rank = (uint8_t)(rank + 1);
	if (rank > b->rank_max)
		b->rank_max = rank;
	if (b->first == NULL)
		b->first = branch;
	else
		b->last->next = branch;
	b->last = branch;
}

/* How many nibbles a and b share. */
static size_t shared_nibbles(struct dr_bytes a, struct dr_bytes b)
{
	const size_t len = a.len < b.len ? a.len : b.len;
	size_t i = 0;

	while (i < len && a.ptr[i] == b.ptr[i])
		i++;
	return i == len ? 2 * i : 2 * i + (a.ptr[i] >> 4 == b.ptr[i] >> 4);
}

/* The leaves, and the branches without their children's refs. */
static bool build_leaves(struct build *b, const struct dr_mpt_pair *pairs, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		const struct dr_bytes key = pairs[i].key;
		const bool more = i + 1 < num;
		const size_t shared = more ? shared_nibbles(key, pairs[i + 1].key) : 0;

		/* What it shares with the pair before it is an open branch already. */
		if (more && (b->num_open == 0 || b->open[b->num_open - 1]->at < shared) &&
		    !open_branch(b, key, shared))
			return false;
		struct branch *top = b->num_open > 0 ? b->open[b->num_open - 1] : NULL;

		if (top == NULL)
			path_ref(&b->root, key, 0, 2 * key.len, NULL, pairs[i].value, true, &b->batch);
		else if (top->at == 2 * key.len)
			top->value = pairs[i].value;
		else
			path_ref(&top->children[nibble_at(key, top->at)], key, top->at + (size_t)1, 2 * key.len, NULL,
				 pairs[i].value, false, &b->batch);
		/* What the next pair does not share is complete. */
		while (b->num_open > 0 && (!more || b->open[b->num_open - 1]->at > shared)) {
			struct branch *done = b->open[--b->num_open];

			if (more && (b->num_open == 0 || b->open[b->num_open - 1]->at < shared) &&
			    !open_branch(b, key, shared))
				return false;
			close_branch(b, done, b->num_open > 0 ? b->open[b->num_open - 1] : NULL);
		}
	}
	return true;
}

static void build_branches(struct build *b)
{
	for (unsigned rank = 1; rank <= b->rank_max; rank++) {
		batch_flush(&b->batch);
		for (struct branch *x = b->first; x != NULL; x = x->next) {
			const bool extended = x->from < x->at;
			struct ref *to =
				x->parent == NULL ? &b->root : &x->parent->children[nibble_at(x->key, x->parent->at)];

			if (x->rank == rank)
				branch_ref(extended ? &x->self : to, x, x->parent == NULL && !extended, &b->batch);
			else if (extended && x->rank + 1u == rank)
				path_ref(to, x->key, x->from, x->at, &x->self, dr_bytes_of(NULL, 0),
					 x->parent == NULL, &b->batch);
		}
	}
	batch_flush(&b->batch);
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

/* Callers that number their pairs hand them in sorted. */
static bool is_sorted(const struct dr_mpt_pair *pairs, size_t num)
{
	for (size_t i = 1; i < num; i++)
		if (dr_bytes_cmp(pairs[i - 1].key, pairs[i].key) > 0)
			return false;
	return true;
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
	if (!is_sorted(pairs, num)) {
		struct dr_mpt_pair *scratch =
			num > SIZE_MAX / sizeof(*pairs) ? NULL : dr_arena_alloc(arena, num * sizeof(*pairs));

		if (scratch == NULL)
			return dr_fail_set(fail, DR_ERR_NOMEM, "no memory to sort the pairs of a trie", num);
		sort_pairs(pairs, scratch, num);
	}
	for (size_t i = 1; i < num; i++) {
		if (dr_bytes_eq(pairs[i - 1].key, pairs[i].key))
			return dr_fail_set(fail, DR_ERR_SYNTAX, "two pairs of a trie have the same key", i);
	}
	struct build *b = dr_arena_alloc(arena, sizeof(*b));

	if (b != NULL) {
		b->arena = arena;
		b->batch.mem = dr_arena_alloc(arena, BATCH_LEN);
	}
	if (b == NULL || b->batch.mem == NULL || !build_leaves(b, pairs, num))
		return dr_fail_set(fail, DR_ERR_NOMEM, "no memory for the branches of a trie", num);
	build_branches(b);
	memcpy(root, b->root.rlp + 1, 32);
	return DR_OK;
}
