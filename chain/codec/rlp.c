/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/codec/rlp.h"

#include <string.h>

#include "chain/base/limits.h"

#define STRING_SHORT 0x80u /* + length 0 to 55; below it a byte is its own encoding */
#define STRING_LONG  0xb7u /* + number of length bytes 1 to 8 */
#define LIST_SHORT   0xc0u
#define LIST_LONG    0xf7u
#define SHORT_MAX    55u

/* Fails r with the offset of the item's first byte: the cursor may have passed it. */
static void refuse(struct dr_reader *r, enum dr_err err, const char *what, size_t at)
{
	r->left = 0;
	dr_fail_set(r->fail, err, what, at);
}

/* The big-endian length of num bytes after a long prefix. */
static uint64_t long_length(struct dr_reader *r, size_t num, size_t at)
{
	const struct dr_bytes be = dr_reader_view(r, num);
	uint64_t len = 0;

	for (size_t i = 0; i < be.len; i++)
		len = len << 8 | be.ptr[i];
	if (!dr_reader_ok(r))
		return 0;
	if (be.ptr[0] == 0)
		refuse(r, DR_ERR_NONCANONICAL, "RLP length begins with a zero byte", at);
	else if (len <= SHORT_MAX)
		refuse(r, DR_ERR_NONCANONICAL, "RLP length below 56 in its long form", at);
	return len;
}

struct dr_rlp_item dr_rlp_item(struct dr_reader *r)
{
	const struct dr_rlp_item none = { DR_RLP_STRING, { NULL, 0 }, { NULL, 0 } };
	const uint8_t *start = r->cur;
	const size_t at = r->at;
	const uint8_t prefix = dr_reader_u8(r);
	struct dr_rlp_item item = none;
	uint64_t len;

	if (!dr_reader_ok(r))
		return none;
	if (prefix < STRING_SHORT) {
		item.payload = item.whole = dr_bytes_of(start, 1);
		return item;
	}
	item.kind = prefix < LIST_SHORT ? DR_RLP_STRING : DR_RLP_LIST;
	if (prefix <= STRING_LONG)
		len = prefix - STRING_SHORT;
	else if (prefix < LIST_SHORT)
		len = long_length(r, prefix - STRING_LONG, at);
	else if (prefix <= LIST_LONG)
		len = prefix - LIST_SHORT;
	else
		len = long_length(r, prefix - LIST_LONG, at);
	if (dr_reader_ok(r) && len > r->left)
		refuse(r, DR_ERR_SHORT, "RLP item is longer than what holds it", at);
	item.payload = dr_reader_view(r, (size_t)len);
	if (!dr_reader_ok(r))
		return none;
	if (item.kind == DR_RLP_STRING && len == 1 && item.payload.ptr[0] < STRING_SHORT) {
		refuse(r, DR_ERR_NONCANONICAL, "RLP byte below 0x80 with a prefix", at);
		return none;
	}
	item.whole = dr_bytes_of(start, r->at - at);
	return item;
}

struct dr_bytes dr_rlp_string(struct dr_reader *r, size_t len_max)
{
	const size_t at = r->at;
	const struct dr_rlp_item item = dr_rlp_item(r);

	if (item.kind != DR_RLP_STRING)
		refuse(r, DR_ERR_SYNTAX, "RLP list where a string belongs", at);
	else if (item.payload.len > len_max)
		refuse(r, DR_ERR_LIMIT, "RLP string is longer than this field allows", at);
	return dr_reader_ok(r) ? item.payload : dr_bytes_of(NULL, 0);
}

struct dr_bytes dr_rlp_exact(struct dr_reader *r, size_t len)
{
	const size_t at = r->at;

	/* Its prefix can be told from its length: addresses, topics and hashes are found without a look at anything
	 * else. */
	if (dr_reader_ok(r) && len > 1 && len <= SHORT_MAX && r->left > len) {
		struct dr_reader next = *r;

		if (dr_reader_u8(&next) == STRING_SHORT + len) {
			*r = next;
			return dr_reader_view(r, len);
		}
	}
	const struct dr_bytes string = dr_rlp_string(r, SIZE_MAX);

	if (dr_reader_ok(r) && string.len != len)
		refuse(r, DR_ERR_SYNTAX, "RLP string has the wrong length for this field", at);
	return dr_reader_ok(r) ? string : dr_bytes_of(NULL, 0);
}

void dr_rlp_fixed(struct dr_reader *r, void *out, size_t len)
{
	const struct dr_bytes string = dr_rlp_exact(r, len);

	if (dr_reader_ok(r) && len > 0)
		memcpy(out, string.ptr, len);
	else if (len > 0)
		memset(out, 0, len);
}

static struct dr_bytes integer(struct dr_reader *r, size_t len_max)
{
	const size_t at = r->at;
	const struct dr_bytes string = dr_rlp_string(r, SIZE_MAX);

	if (string.len > 0 && string.ptr[0] == 0)
		refuse(r, DR_ERR_NONCANONICAL, "RLP integer begins with a zero byte", at);
	else if (string.len > len_max)
		refuse(r, DR_ERR_LIMIT, "RLP integer is larger than this field allows", at);
	return dr_reader_ok(r) ? string : dr_bytes_of(NULL, 0);
}

uint64_t dr_rlp_u64(struct dr_reader *r)
{
	const struct dr_bytes be = integer(r, 8);
	uint64_t value = 0;

	for (size_t i = 0; i < be.len; i++)
		value = value << 8 | be.ptr[i];
	return value;
}

void dr_rlp_word(struct dr_reader *r, uint8_t word[static 32])
{
	const struct dr_bytes be = integer(r, 32);

	memset(word, 0, 32);
	if (be.len > 0)
		memcpy(word + 32 - be.len, be.ptr, be.len);
}

/* A reader over the payload of the item that r has just passed. */
static struct dr_reader payload_reader(const struct dr_reader *r, const struct dr_rlp_item *item)
{
	return (struct dr_reader){
		.cur = item->payload.ptr,
		.left = item->payload.len,
		.at = r->at - item->payload.len,
		.fail = r->fail,
	};
}

struct dr_reader dr_rlp_list(struct dr_reader *r)
{
	const size_t at = r->at;
	struct dr_rlp_item item = dr_rlp_item(r);

	if (dr_reader_ok(r) && item.kind != DR_RLP_LIST) {
		refuse(r, DR_ERR_SYNTAX, "RLP string where a list belongs", at);
		item.payload = dr_bytes_of(NULL, 0);
	}
	return payload_reader(r, &item);
}

size_t dr_rlp_count(struct dr_reader *r)
{
	struct dr_reader walk = *r;
	size_t num = 0;

	for (; dr_rlp_more(&walk); num++)
		dr_rlp_item(&walk);
	return dr_reader_ok(r) ? num : 0;
}

bool dr_rlp_branch(const uint8_t *children[static 16], struct dr_bytes bytes)
{
	struct dr_fail fail = { 0 };
	struct dr_reader r, list;

	dr_reader_init(&r, bytes, &fail);
	list = dr_rlp_list(&r);
	if (dr_reader_end(&r) != DR_OK)
		return false;
	for (size_t i = 0; i < 16; i++) {
		const uint8_t prefix = dr_reader_u8(&list);

		if (prefix != STRING_SHORT && prefix != STRING_SHORT + 32)
			return false;
		children[i] = prefix == STRING_SHORT ? NULL : dr_reader_view(&list, 32).ptr;
	}
	return dr_reader_u8(&list) == STRING_SHORT && dr_reader_end(&list) == DR_OK;
}

enum dr_err dr_rlp_check(struct dr_bytes bytes, struct dr_fail *fail)
{
	struct dr_reader stack[DR_RLP_DEPTH_MAX + 1]; /* stack[i]: what is left of the list at depth i */
	size_t depth = 0;

	dr_reader_init(&stack[0], bytes, fail);
	const struct dr_rlp_item top = dr_rlp_item(&stack[0]);

	if (dr_reader_end(&stack[0]) != DR_OK || top.kind == DR_RLP_STRING)
		return fail->err;
	dr_reader_init(&stack[0], bytes, fail);
	for (;;) {
		struct dr_reader *r = &stack[depth];

		if (!dr_reader_ok(r))
			return fail->err;
		if (r->left == 0) {
			if (depth == 0)
				return DR_OK;
			depth--;
			continue;
		}
		const struct dr_rlp_item item = dr_rlp_item(r);

		if (item.kind == DR_RLP_STRING)
			continue;
		if (depth == DR_RLP_DEPTH_MAX)
			return dr_fail_set(fail, DR_ERR_LIMIT, "RLP lists are nested too deeply",
					   r->at - item.whole.len);
		stack[++depth] = payload_reader(r, &item);
	}
}

static size_t length_bytes(size_t len)
{
	size_t num = 0;

	for (; len > 0; len >>= 8)
		num++;
	return num;
}

size_t dr_rlp_list_len(size_t payload_len)
{
	return (payload_len <= SHORT_MAX ? 1 : 1 + length_bytes(payload_len)) + payload_len;
}

static bool is_own_encoding(struct dr_bytes string)
{
	return string.len == 1 && string.ptr[0] < STRING_SHORT;
}

size_t dr_rlp_len(struct dr_bytes string)
{
	return is_own_encoding(string) ? 1 : dr_rlp_list_len(string.len);
}

struct dr_bytes dr_rlp_trim(struct dr_bytes integer_be)
{
	while (integer_be.len > 0 && integer_be.ptr[0] == 0) {
		integer_be.ptr++;
		integer_be.len--;
	}
	return integer_be;
}

size_t dr_rlp_prefix(uint8_t out[static DR_RLP_PREFIX_MAX], enum dr_rlp_kind kind, size_t len)
{
	const unsigned base = kind == DR_RLP_LIST ? LIST_SHORT : STRING_SHORT;

	if (len <= SHORT_MAX) {
		out[0] = (uint8_t)(base + len);
		return 1;
	}
	const size_t num = length_bytes(len);

	out[0] = (uint8_t)(base + SHORT_MAX + num);
	for (size_t i = 0; i < num; i++)
		out[num - i] = (uint8_t)(len >> 8 * i);
	return 1 + num;
}

void dr_rlp_put(struct dr_writer *w, struct dr_bytes string)
{
	uint8_t prefix[DR_RLP_PREFIX_MAX];

	if (!is_own_encoding(string))
		dr_writer_copy(w, prefix, dr_rlp_prefix(prefix, DR_RLP_STRING, string.len));
	dr_writer_bytes(w, string);
}

void dr_rlp_put_u64(struct dr_writer *w, uint64_t value)
{
	uint8_t be[8];

	dr_be64_put(be, value);
	dr_rlp_put(w, dr_rlp_trim(dr_bytes_of(be, 8)));
}

void dr_rlp_put_list(struct dr_writer *w, size_t payload_len)
{
	uint8_t prefix[DR_RLP_PREFIX_MAX];

	dr_writer_copy(w, prefix, dr_rlp_prefix(prefix, DR_RLP_LIST, payload_len));
}
