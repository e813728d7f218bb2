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
	if (dr_rlp_check(input, &fail) != DR_OK)
		return 0;
	uint8_t *out = dr_heap_alloc(size);

	DR_ASSERT(out != NULL);
	dr_writer_init(&w, out, size, &fail);
	dr_reader_init(&r, input, &fail);
	rewrite(&w, &r);
	DR_ASSERT(dr_bytes_eq(dr_writer_view(&w), input));
	dr_heap_free(out);
	return 0;
}
