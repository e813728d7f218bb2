/* SPDX-License-Identifier: Apache-2.0
 *
 * peer: answers what tests/fuzz/peer/differential.mjs and differential_bls.mjs ask, so that other implementations can
 * be held against this one on the same bytes. A question is u8 kind · u32 length · input, an answer one line.
 *
 *   1 RLP         bytes                                       ok VALUE | no WHY     VALUE: hex, or (VALUE,…)
 *   2 trie root   pairs, each u8 length · key · u16 length · value    ok ROOT | no WHY
 *   3 trie proof  root 32 · u8 length · key · nodes, each u16 length · node     ok VALUE | absent | no WHY
 *   4 ABI         u8 length · type · data                     ok ITEM,… | no WHY    ITEM: word, #elements, or 'bytes
 *   5 BLS key     48 bytes                                    ok KEY | no WHY       KEY: encoded anew
 *   6 signature   96 bytes                                    ok SIGNATURE | no WHY
 *   7 one message u16 keys · key 48 … · u16 absentees · u16 index … · signature 96 · message     ok | no WHY
 *   8 a message each    u8 keys · (key 48 · u8 length · message) … · signature 96                ok | no WHY
 */
#include <stdio.h>
#include <string.h>

#include "chain/base/arena.h"
#include "chain/base/hex.h"
#include "chain/base/limits.h"
#include "chain/base/reader.h"
#include "chain/bls/bls.h"
#include "chain/bls/g1.h"
#include "chain/bls/g2.h"
#include "chain/codec/abi.h"
#include "chain/codec/rlp.h"
#include "chain/trie/mpt.h"

#define INPUT_MAX ((size_t)1 << 20)
#define PAIRS_MAX 512u
#define KEYS_MAX  512u

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

static void say_verdict(enum dr_err err, const struct dr_fail *fail)
{
	if (err != DR_OK)
		say_no(fail);
	else
		printf("ok\n");
}

static void bls_key(struct dr_bytes input)
{
	struct dr_fail fail = { 0 };
	struct dr_bls_key key;
	struct dr_g1_affine point;
	uint8_t text[DR_BLS_KEY_LEN];

	DR_ASSERT(input.len == sizeof(text) && sizeof(key) == sizeof(point));
	if (dr_bls_key_get(&key, input.ptr, &fail) != DR_OK) {
		say_no(&fail);
		return;
	}
	memcpy(&point, &key, sizeof(point));
	dr_g1_put(text, &point);
	printf("ok ");
	say_hex(text, sizeof(text));
	printf("\n");
}

static void bls_signature(struct dr_bytes input)
{
	struct dr_fail fail = { 0 };
	struct dr_g2_affine point;
	uint8_t text[DR_BLS_SIGNATURE_LEN];

	DR_ASSERT(input.len == sizeof(text));
	if (dr_g2_get(&point, input.ptr, &fail) == DR_OK && !dr_g2_is_in_subgroup(&point))
		dr_fail_set(&fail, DR_ERR_PROOF, "outside the subgroup", 0);
	if (fail.err != DR_OK) {
		say_no(&fail);
		return;
	}
	dr_g2_put(text, &point);
	printf("ok ");
	say_hex(text, sizeof(text));
	printf("\n");
}

/* The sum of all keys, less the absentees'. */
static void bls_one_message(struct dr_reader *r)
{
	static struct dr_bls_key keys[KEYS_MAX];
	const size_t num = dr_reader_u16(r);
	const struct dr_bytes text = dr_reader_view(r, num * DR_BLS_KEY_LEN);
	struct dr_fail fail = { 0 };
	struct dr_bls_sum sum;
	uint8_t signature[DR_BLS_SIGNATURE_LEN];

	DR_ASSERT(num <= KEYS_MAX && dr_reader_ok(r));
	if (dr_bls_keys_get(keys, num, text.ptr, &fail) != DR_OK) {
		say_no(&fail);
		return;
	}
	dr_bls_sum_zero(&sum);
	for (size_t i = 0; i < num; i++)
		dr_bls_sum_add(&sum, &keys[i]);
	for (size_t absent = dr_reader_u16(r); absent > 0; absent--) {
		const size_t idx = dr_reader_u16(r);

		DR_ASSERT(dr_reader_ok(r) && idx < num);
		dr_bls_sum_sub(&sum, &keys[idx]);
	}
	dr_reader_copy(r, signature, sizeof(signature));
	DR_ASSERT(dr_reader_ok(r));
	say_verdict(dr_bls_verify_sum(&sum, dr_reader_view(r, r->left), signature, &fail), &fail);
}

static void bls_message_each(struct dr_reader *r)
{
	struct dr_bls_key keys[256];
	struct dr_bytes msgs[256];
	const size_t num = dr_reader_u8(r);
	struct dr_fail fail = { 0 };
	uint8_t text[DR_BLS_KEY_LEN], signature[DR_BLS_SIGNATURE_LEN];

	for (size_t i = 0; i < num; i++) {
		dr_reader_copy(r, text, sizeof(text));
		msgs[i] = dr_reader_view(r, dr_reader_u8(r));
		DR_ASSERT(dr_reader_ok(r));
		if (dr_bls_key_get(&keys[i], text, &fail) != DR_OK) {
			say_no(&fail);
			return;
		}
	}
	dr_reader_copy(r, signature, sizeof(signature));
	DR_ASSERT(dr_reader_ok(r) && r->left == 0);
	say_verdict(dr_bls_verify_many(keys, msgs, num, signature, &fail), &fail);
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
		case 5: bls_key(dr_bytes_of(input, len)); break;
		case 6: bls_signature(dr_bytes_of(input, len)); break;
		case 7: bls_one_message(&r); break;
		case 8: bls_message_each(&r); break;
		default: DR_ASSERT(head[0] <= 8); break;
		}
	}
	dr_arena_free(arena);
	return 0;
}
