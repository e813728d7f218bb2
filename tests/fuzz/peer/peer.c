/* SPDX-License-Identifier: Apache-2.0
 *
 * peer: answers what tests/fuzz/peer/differential.mjs asks, so that other implementations can be held against this
 * one on the same bytes. A question is u8 kind · u32 length · input, an answer one line.
 *
 *   1 RLP         bytes                                       ok VALUE | no WHY     VALUE: hex, or (VALUE,…)
 *   2 trie root   pairs, each u8 length · key · u16 length · value    ok ROOT | no WHY
 *   3 trie proof  root 32 · u8 length · key · nodes, each u16 length · node     ok VALUE | absent | no WHY
 *   4 ABI         u8 length · type · data                     ok ITEM,… | no WHY    ITEM: word, #elements, or 'bytes
 */
#include <stdio.h>
#include <string.h>

#include "chain/base/arena.h"
#include "chain/base/hex.h"
#include "chain/base/limits.h"
#include "chain/base/reader.h"
#include "chain/codec/abi.h"
#include "chain/codec/rlp.h"
#include "chain/trie/mpt.h"

#define INPUT_MAX ((size_t)1 << 20)
#define PAIRS_MAX 512u

static void say_hex(const uint8_t *ptr, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", ptr[i]);
}

static void say_no(const struct dr_fail *fail)
{
	printf("no %s: %s\n", dr_err_name(fail->err), fail->what);
}

static void rlp(struct dr_bytes input)
{
	struct dr_reader stack[DR_RLP_DEPTH_MAX + 2];
	struct dr_fail fail = { 0 };
	size_t depth = 0;
	bool first = true;

	if (dr_rlp_check(input, &fail) != DR_OK) {
		say_no(&fail);
		return;
	}
	printf("ok ");
	dr_reader_init(&stack[0], input, &fail);
	for (;;) {
		if (stack[depth].left == 0) {
			if (depth-- == 0)
				break;
			printf(")");
			first = false;
			continue;
		}
		struct dr_reader again = stack[depth];
		const struct dr_rlp_item item = dr_rlp_item(&stack[depth]);

		if (!first)
			printf(",");
		first = item.kind == DR_RLP_LIST;
		if (item.kind == DR_RLP_STRING) {
			say_hex(item.payload.ptr, item.payload.len);
		} else {
			printf("(");
			stack[++depth] = dr_rlp_list(&again);
		}
	}
	printf("\n");
}

static void root(struct dr_reader *r, struct dr_arena *arena)
{
	struct dr_mpt_pair pairs[PAIRS_MAX];
	struct dr_fail fail = { 0 };
	uint8_t out[32];
	size_t num = 0;

	while (r->left > 0 && num < PAIRS_MAX) {
		pairs[num].key = dr_reader_view(r, dr_reader_u8(r));
		pairs[num].value = dr_reader_view(r, dr_reader_u16(r));
		num++;
	}
	DR_ASSERT(dr_reader_ok(r));
	if (dr_mpt_root(out, pairs, num, arena, &fail) != DR_OK) {
		say_no(&fail);
		return;
	}
	printf("ok ");
	say_hex(out, 32);
	printf("\n");
}

static void proof(struct dr_reader *r)
{
	struct dr_bytes nodes[DR_MPT_DEPTH_MAX + 1], key, value;
	struct dr_fail fail = { 0 };
	uint8_t top[32];
	size_t num = 0;
	bool present;

	dr_reader_copy(r, top, 32);
	key = dr_reader_view(r, dr_reader_u8(r));
	while (r->left > 0 && num <= DR_MPT_DEPTH_MAX)
		nodes[num++] = dr_reader_view(r, dr_reader_u16(r));
	DR_ASSERT(dr_reader_ok(r));
	if (dr_mpt_verify(&present, &value, top, key, nodes, num, &fail) != DR_OK) {
		say_no(&fail);
	} else if (!present) {
		printf("absent\n");
	} else {
		printf("ok ");
		say_hex(value.ptr, value.len);
		printf("\n");
	}
}

static void abi(struct dr_reader *r)
{
	static struct dr_abi_item items[DR_ABI_ITEMS_MAX];
	static struct dr_abi_type type;
	struct dr_fail fail = { 0 };
	size_t num;

	const struct dr_bytes text = dr_reader_view(r, dr_reader_u8(r));

	if (dr_abi_parse(&type, text, &fail) != DR_OK ||
	    dr_abi_decode(items, DR_ABI_ITEMS_MAX, &num, &type, dr_reader_view(r, r->left), &fail) != DR_OK) {
		say_no(&fail);
		return;
	}
	printf("ok ");
	for (size_t i = 0; i < num; i++) {
		if (i > 0)
			printf(",");
		switch (items[i].kind) {
		case DR_ABI_ARRAY: printf("#%u", (unsigned)items[i].num); break;
		case DR_ABI_BYTES:
		case DR_ABI_STRING:
			printf("'");
			say_hex(items[i].bytes.ptr, items[i].bytes.len);
			break;
		case DR_ABI_UINT:
		case DR_ABI_INT:
		case DR_ABI_ADDRESS:
		case DR_ABI_BOOL:
		case DR_ABI_BYTESN: say_hex(items[i].word, 32); break;
		case DR_ABI_FIXED_ARRAY:
		case DR_ABI_TUPLE: DR_ASSERT(items[i].kind == DR_ABI_ARRAY); break; /* these are no items */
		}
	}
	printf("\n");
}

int main(void)
{
	static uint8_t input[INPUT_MAX], head[5];
	struct dr_arena *arena = dr_arena_new((size_t)64 << 20);

	DR_ASSERT(arena != NULL);
	while (fread(head, 1, sizeof(head), stdin) == sizeof(head)) {
		struct dr_fail fail = { 0 };
		struct dr_reader r;

		dr_reader_init(&r, dr_bytes_of(head + 1, 4), &fail);
		const size_t len = dr_reader_u32(&r);

		DR_ASSERT(len <= INPUT_MAX && fread(input, 1, len, stdin) == len);
		dr_reader_init(&r, dr_bytes_of(input, len), &fail);
		dr_arena_reset(arena);
		switch (head[0]) {
		case 1: rlp(dr_bytes_of(input, len)); break;
		case 2: root(&r, arena); break;
		case 3: proof(&r); break;
		case 4: abi(&r); break;
		default: DR_ASSERT(head[0] <= 4); break;
		}
	}
	dr_arena_free(arena);
	return 0;
}
