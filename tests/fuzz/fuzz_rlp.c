/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever passes as canonical RLP is rebuilt, item by item, to the same bytes; every field reader agrees.
 */
#include <string.h>

#include "chain/base/arena.h"
#include "chain/base/limits.h"
#include "chain/codec/rlp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes the item of r again, lists through their items; depth is bounded by dr_rlp_check before. */
static void rewrite(struct dr_writer *w, struct dr_reader *r)
{
	struct dr_reader stack[DR_RLP_DEPTH_MAX + 1] = { *r };
	size_t depth = 0;

	for (;;) {
		if (stack[depth].left == 0) {
			if (depth == 0)
				return;
			depth--;
			continue;
		}
		struct dr_reader again = stack[depth];
		const struct dr_rlp_item item = dr_rlp_item(&stack[depth]);

		if (item.kind == DR_RLP_STRING) {
			dr_rlp_put(w, item.payload);
		} else {
			dr_rlp_put_list(w, item.payload.len);
			DR_ASSERT(depth < DR_RLP_DEPTH_MAX);
			stack[++depth] = dr_rlp_list(&again);
		}
	}
}

/* The quick reader of a branch and the items one by one say the same. */
static void check_branch(struct dr_bytes input, const uint8_t *children[static 16])
{
	struct dr_fail fail = { 0 };
	struct dr_reader r, items;

	dr_reader_init(&r, input, &fail);
	items = dr_rlp_list(&r);
	for (size_t i = 0; i < 17; i++) {
		const struct dr_rlp_item item = dr_rlp_item(&items);

		DR_ASSERT(item.kind == DR_RLP_STRING);
		DR_ASSERT(i < 16 ? children[i] == (item.payload.len == 0 ? NULL : item.payload.ptr)
				 : item.payload.len == 0);
		DR_ASSERT(item.payload.len == 0 || item.payload.len == 32);
	}
	DR_ASSERT(dr_reader_end(&items) == DR_OK && dr_reader_end(&r) == DR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dr_bytes input = dr_bytes_of(data, size);
	struct dr_fail fail = { 0 }, integer_fail = { 0 };
	struct dr_reader r;
	struct dr_writer w;
	uint8_t word[32], small[33];

	/* An integer that reads is the one encoding of its value. */
	dr_reader_init(&r, input, &integer_fail);
	dr_rlp_word(&r, word);
	if (dr_reader_end(&r) == DR_OK) {
		dr_writer_init(&w, small, sizeof(small), &integer_fail);
		dr_rlp_put(&w, dr_rlp_trim(dr_bytes_of(word, 32)));
		DR_ASSERT(dr_bytes_eq(dr_writer_view(&w), input));
	} else {
		DR_ASSERT(size == 0 || integer_fail.what != NULL);
	}
	const uint8_t *children[16];
	const bool branch = dr_rlp_branch(children, input);

	DR_ASSERT(!branch || size < 600);
	if (dr_rlp_check(input, &fail) != DR_OK) {
		DR_ASSERT(!branch);
		return 0;
	}
	if (branch)
		check_branch(input, children);
	uint8_t *out = dr_heap_alloc(size);

	DR_ASSERT(out != NULL);
	dr_writer_init(&w, out, size, &fail);
	dr_reader_init(&r, input, &fail);
	rewrite(&w, &r);
	DR_ASSERT(dr_bytes_eq(dr_writer_view(&w), input));
	dr_heap_free(out);
	return 0;
}
