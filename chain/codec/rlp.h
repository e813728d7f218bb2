/* SPDX-License-Identifier: Apache-2.0
 *
 * rlp: Ethereum's Recursive Length Prefix (yellow paper, appendix B), canonical form only.
 *
 * Decoding goes through a dr_reader: each call takes one item off its front, and failures stick to the
 * reader, so that a decoder is a straight line that ends in dr_reader_end. A list opens a child reader
 * over its payload; the child, too, must be ended, or its leftover items go unseen.
 *
 * Invariants:
 *   1. Every accepted item re-encodes to the same bytes: lengths and integers in their shortest form.
 *   2. Nothing recurses; dr_rlp_check counts depth up to DR_RLP_DEPTH_MAX.
 *
 * Errors: short (an item ends outside its buffer), syntax (a list for a string or the reverse, wrong fixed
 * length), noncanonical (a longer form than needed), limit (larger than asked for, or too deep).
 *
 * Layer: chain/codec.
 */
#ifndef DR_CODEC_RLP_H
#define DR_CODEC_RLP_H

#include "chain/base/bytes.h"
#include "chain/base/reader.h"
#include "chain/base/writer.h"

enum dr_rlp_kind {
	DR_RLP_STRING = 0,
	DR_RLP_LIST = 1,
};

struct dr_rlp_item {
	enum dr_rlp_kind kind;
	struct dr_bytes payload; /* without its prefix */
	struct dr_bytes whole;   /* with it */
};

/* dr_rlp_more: nothing failed and at least one more item begins here. */
static inline bool dr_rlp_more(const struct dr_reader *r)
{
	return dr_reader_ok(r) && r->left > 0;
}

/* dr_rlp_item: the next item of either kind; both views borrow the buffer. All zero after a failure. */
struct dr_rlp_item dr_rlp_item(struct dr_reader *r);

/* dr_rlp_string: the next item, a string of at most len_max bytes (more: limit); borrows. */
struct dr_bytes dr_rlp_string(struct dr_reader *r, size_t len_max);

/* dr_rlp_exact: the next item, a string of exactly len bytes; borrows. {NULL, 0} after a failure. dr_rlp_fixed: the
 * same into out; zeros after a failure. */
struct dr_bytes dr_rlp_exact(struct dr_reader *r, size_t len);
void dr_rlp_fixed(struct dr_reader *r, void *out, size_t len);

/* dr_rlp_u64, dr_rlp_word: the next item, an integer without leading zeros (zero is the empty string) of at
 * most 8, or 32, bytes. A word is big-endian. Zero after a failure. */
uint64_t dr_rlp_u64(struct dr_reader *r);
void dr_rlp_word(struct dr_reader *r, uint8_t word[static 32]);

/* dr_rlp_list: a child reader over the payload of the next item, a list; empty after a failure. */
struct dr_reader dr_rlp_list(struct dr_reader *r);

/* dr_rlp_count: how many items follow in r, which is not advanced. A malformed one fails r; 0 then. */
size_t dr_rlp_count(struct dr_reader *r);

/* dr_rlp_branch: bytes are exactly one list, in canonical form, of sixteen strings that are each empty or of 32
 * bytes, and an empty one: what nearly every node of a trie's proof is, in one glance. children[i] borrows, or is
 * NULL for an empty string. False says no more than that they are not. */
bool dr_rlp_branch(const uint8_t *children[static 16], struct dr_bytes bytes);

/* dr_rlp_check: bytes are exactly one item, canonical in all its depth (lists within lists up to
 * DR_RLP_DEPTH_MAX). */
enum dr_err dr_rlp_check(struct dr_bytes bytes, struct dr_fail *fail);

/* Encoding is two passes: measure the payload of a list, put its prefix, put its items.
 *
 * dr_rlp_len: encoded length of the string, prefix included. dr_rlp_list_len: encoded length of a list whose
 * items have payload_len bytes together. Neither overflows for lengths below 2^48. */
size_t dr_rlp_len(struct dr_bytes string);
size_t dr_rlp_list_len(size_t payload_len);

/* dr_rlp_trim: integer without its leading zeros: the string that encodes it. Borrows. */
struct dr_bytes dr_rlp_trim(struct dr_bytes integer);

/* dr_rlp_prefix: writes the prefix that precedes len bytes of payload into out and returns its length. Not for
 * a string of one byte below 0x80, which has none; dr_rlp_put knows. */
#define DR_RLP_PREFIX_MAX 9u
size_t dr_rlp_prefix(uint8_t out[static DR_RLP_PREFIX_MAX], enum dr_rlp_kind kind, size_t len);

/* dr_rlp_put: one string. dr_rlp_put_u64: one integer. dr_rlp_put_list: the prefix of a list; the caller puts
 * items of payload_len bytes next. */
void dr_rlp_put(struct dr_writer *w, struct dr_bytes string);
void dr_rlp_put_u64(struct dr_writer *w, uint64_t value);
void dr_rlp_put_list(struct dr_writer *w, size_t payload_len);

#endif
