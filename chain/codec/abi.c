/* SPDX-License-Identifier: Apache-2.0
 *
 * One walk over a type serves both directions, so that the layout is written down once. The encoding of a
 * container is a block: the heads of its members, then the tails of the dynamic ones. Because tails follow
 * in order and without gaps, the next tail always starts where everything so far ends: decoding compares
 * each offset with that place, encoding writes it.
 */
#include "chain/codec/abi.h"

#include <string.h>

/* One frame per container being walked, and one below for the type as a whole. */
#define FRAMES_MAX (DR_ABI_DEPTH_MAX + 1u)

struct frame {
	const struct dr_abi_node *next; /* the next member */
	uint32_t left;                  /* members still to come */
	bool members;                   /* a tuple: `next` moves on; an array: it stays */
	uint8_t block;                  /* the frame that holds the heads: this one, or for a static
					 * container, which lies in its parent's heads, one below */
	/* Of a block: */
	size_t base;            /* where it begins; offsets count from here */
	size_t head;            /* encoding: where the next head goes, in w->buf */
	struct dr_reader heads; /* decoding: heads not yet read */
};

struct walk {
	struct dr_fail *fail;
	struct dr_writer *w;            /* encoding; else NULL */
	const struct dr_abi_item *from; /* encoding: items still to write */
	struct dr_reader r;             /* decoding: all behind the current block's heads */
	struct dr_abi_item *to;         /* decoding: where the next item goes */
	size_t room;                    /* items that may still be read or written */
	struct frame frame[FRAMES_MAX];
	size_t depth;
};

static bool ok(const struct walk *walk)
{
	return walk->fail->err == DR_OK;
}

/* Where everything so far ends: a place in the input, or in w->buf. */
static size_t end_of(const struct walk *walk)
{
	return walk->w != NULL ? walk->w->len : walk->r.at;
}

static void broken(struct walk *walk, enum dr_err err, const char *what, size_t at)
{
	dr_fail_set(walk->fail, err, what, at);
}

/* The next item: encoding, the caller's (checked to be of this kind); decoding, an empty one to fill. */
static struct dr_abi_item item_next(struct walk *walk, enum dr_abi_kind kind)
{
	const struct dr_abi_item none = { .kind = kind };

	if (!ok(walk))
		return none;
	if (walk->room == 0) {
		if (walk->w != NULL)
			broken(walk, DR_ERR_SYNTAX, "ABI value: fewer items than the type has", 0);
		else
			broken(walk, DR_ERR_LIMIT, "ABI value: too many items", walk->r.at);
		return none;
	}
	walk->room--;
	if (walk->w == NULL)
		return none;
	if (walk->from->kind != kind) {
		broken(walk, DR_ERR_SYNTAX, "ABI value: an item of another kind than the type's", walk->w->len);
		return none;
	}
	return *walk->from++;
}

static void item_done(struct walk *walk, const struct dr_abi_item *item)
{
	if (walk->w == NULL && ok(walk))
		*walk->to++ = *item;
}

/* A word at the end, in or out. */
static void tail_word(struct walk *walk, uint8_t word[static 32])
{
	if (walk->w != NULL)
		dr_writer_copy(walk->w, word, 32);
	else
		dr_reader_copy(&walk->r, word, 32);
}

/* The next head of the block that frame f lies in, in or out. *at: where it is. */
static void head_word(struct walk *walk, const struct frame *f, uint8_t word[static 32], size_t *at)
{
	struct frame *block = &walk->frame[f->block];

	if (walk->w == NULL) {
		*at = block->heads.at;
		dr_reader_copy(&block->heads, word, 32);
		return;
	}
	*at = block->head;
	if (ok(walk))
		memcpy(walk->w->buf + block->head, word, 32);
	block->head += 32;
}

/* A length, in or out: decoding checks that it fits 32 bits. */
static uint32_t tail_len(struct walk *walk, uint64_t len)
{
	const size_t at = end_of(walk);
	uint8_t word[32];

	dr_word_put(word, len);
	tail_word(walk, word);
	if (ok(walk) && (!dr_word_u64(&len, word) || len > UINT32_MAX))
		broken(walk, DR_ERR_SHORT, "ABI value: a length beyond the end of the input", at);
	return ok(walk) ? (uint32_t)len : 0;
}

static void frame_push(struct walk *walk, const struct dr_abi_node *next, uint32_t num, bool members)
{
	DR_ASSERT(walk->depth < FRAMES_MAX); /* dr_abi_parse bounds the height */
	walk->frame[walk->depth] = (struct frame){ .next = next, .left = num, .members = members };
	walk->depth++;
}

/* Opens a block at the end, with len bytes of heads. */
static void block_open(struct walk *walk, const struct dr_abi_node *next, uint32_t num, bool members, uint64_t len)
{
	static const uint8_t zeros[32];

	if (!ok(walk))
		return;
	frame_push(walk, next, num, members);
	struct frame *f = &walk->frame[walk->depth - 1];

	f->block = (uint8_t)(walk->depth - 1);
	f->base = f->head = end_of(walk);
	if (walk->w == NULL) {
		if (len > walk->r.left)
			dr_reader_fail(&walk->r, DR_ERR_SHORT, "ABI value: input ends inside a list of heads");
		f->heads = dr_reader_child(&walk->r, (size_t)len);
		return;
	}
	for (uint64_t i = 0; i < len && ok(walk); i += 32)
		dr_writer_copy(walk->w, zeros, 32);
}

/* What the specification's sections on the types require of a word. */
static bool word_fits(const struct dr_abi_node *node, const uint8_t word[static 32])
{
	const size_t pad = 32u - node->size / 8u;
	uint8_t wrong = 0;

	switch (node->kind) {
	case DR_ABI_UINT: return dr_bytes_zero(word, pad);
	case DR_ABI_INT:
		if (pad == 0)
			return true;
		for (size_t i = 0; i < pad; i++)
			wrong |= word[i] ^ ((word[pad] & 0x80) != 0 ? 0xff : 0);
		return wrong == 0;
	case DR_ABI_ADDRESS: return dr_bytes_zero(word, 12);
	case DR_ABI_BOOL: return dr_bytes_zero(word, 31) && word[31] <= 1;
	case DR_ABI_BYTESN: return dr_bytes_zero(word + node->size, 32u - node->size);
	case DR_ABI_BYTES:
	case DR_ABI_STRING:
	case DR_ABI_ARRAY:
	case DR_ABI_FIXED_ARRAY:
	case DR_ABI_TUPLE: break;
	}
	return false;
}

/* A static member: a word, or a container whose members lie in the same heads. */
static void visit_static(struct walk *walk, const struct frame *f, const struct dr_abi_node *node)
{
	const uint8_t block = f->block;

	if (node->height > 0) {
		frame_push(walk, node + 1, node->num, node->kind == DR_ABI_TUPLE);
		walk->frame[walk->depth - 1].block = block;
		return;
	}
	struct dr_abi_item item = item_next(walk, node->kind);
	size_t at;

	head_word(walk, f, item.word, &at);
	if (ok(walk) && !word_fits(node, item.word))
		broken(walk, DR_ERR_NONCANONICAL, "ABI value: a word does not fit its type", at);
	item_done(walk, &item);
}

/* bytes and string: length, content, zeros up to a multiple of 32. */
static void visit_bytes(struct walk *walk, const struct dr_abi_node *node)
{
	struct dr_abi_item item = item_next(walk, node->kind);
	uint8_t zeros[32] = { 0 };

	if (!ok(walk))
		return;
	if (walk->w != NULL && item.bytes.len > UINT32_MAX) {
		broken(walk, DR_ERR_LIMIT, "ABI value: bytes too long", item.bytes.len);
		return;
	}
	const uint32_t len = tail_len(walk, item.bytes.len);
	const size_t pad = (32u - len % 32u) % 32u;

	if (walk->w != NULL) {
		dr_writer_bytes(walk->w, item.bytes);
		dr_writer_copy(walk->w, zeros, pad);
		return;
	}
	item.bytes = dr_reader_view(&walk->r, len);
	const size_t at = walk->r.at;

	dr_reader_copy(&walk->r, zeros, pad);
	if (ok(walk) && !dr_bytes_zero(zeros, pad))
		broken(walk, DR_ERR_NONCANONICAL, "ABI value: padding is not zero", at);
	item_done(walk, &item);
}

/* A dynamic type where its encoding begins. */
static void visit_dynamic(struct walk *walk, const struct dr_abi_node *node)
{
	if (node->height == 0) {
		visit_bytes(walk, node);
		return;
	}
	if (node->kind != DR_ABI_ARRAY) {
		block_open(walk, node + 1, node->num, node->kind == DR_ABI_TUPLE, node->len);
		return;
	}
	struct dr_abi_item item = item_next(walk, DR_ABI_ARRAY);

	item.num = tail_len(walk, item.num);
	item_done(walk, &item);
	block_open(walk, node + 1, item.num, false, (uint64_t)item.num * (node[1].dynamic ? 32 : node[1].len));
}

/* A dynamic member: its head is the distance from the block's beginning to the end so far. */
static void visit_offset(struct walk *walk, const struct frame *f, const struct dr_abi_node *node)
{
	uint8_t expected[32], word[32];
	size_t at;

	dr_word_put(expected, end_of(walk) - walk->frame[f->block].base);
	memcpy(word, expected, 32);
	head_word(walk, f, word, &at);
	if (ok(walk) && memcmp(word, expected, 32) != 0)
		broken(walk, DR_ERR_NONCANONICAL, "ABI value: an offset is not the next free place", at);
	visit_dynamic(walk, node);
}

static void walk_all(struct walk *walk, const struct dr_abi_type *type)
{
	const struct dr_abi_node *root = &type->node[0];

	DR_ASSERT(type->num > 0);
	if (root->dynamic)
		visit_dynamic(walk, root);
	else if (root->height == 0)
		block_open(walk, root, 1, false, root->len);
	else
		block_open(walk, root + 1, root->num, root->kind == DR_ABI_TUPLE, root->len);
	while (walk->depth > 0 && ok(walk)) {
		struct frame *f = &walk->frame[walk->depth - 1];
		const struct dr_abi_node *node = f->next;

		if (f->left == 0) {
			walk->depth--;
			continue;
		}
		f->left--;
		if (f->members)
			f->next += node->span;
		if (node->dynamic)
			visit_offset(walk, f, node);
		else
			visit_static(walk, f, node);
	}
}

enum dr_err dr_abi_decode(struct dr_abi_item *items, size_t max, size_t *num, const struct dr_abi_type *type,
			  struct dr_bytes data, struct dr_fail *fail)
{
	struct walk walk = { .fail = fail, .to = items, .room = max };

	if (walk.room > DR_ABI_ITEMS_MAX)
		walk.room = DR_ABI_ITEMS_MAX;
	dr_reader_init(&walk.r, data, fail);
	walk_all(&walk, type);
	*num = (size_t)(walk.to - items);
	if (dr_reader_end(&walk.r) != DR_OK) {
		if (*num > 0)
			memset(items, 0, *num * sizeof(*items));
		*num = 0;
	}
	return fail->err;
}

enum dr_err dr_abi_encode(struct dr_writer *w, const struct dr_abi_type *type, const struct dr_abi_item *items,
			  size_t num)
{
	struct walk walk = { .fail = w->fail, .w = w, .from = items, .room = num };

	walk_all(&walk, type);
	if (ok(&walk) && walk.room > 0)
		broken(&walk, DR_ERR_SYNTAX, "ABI value: more items than the type has", 0);
	return w->fail->err;
}
