/* SPDX-License-Identifier: Apache-2.0
 *
 * abi: Solidity's contract ABI ("Contract ABI Specification", Solidity 0.8, sections "Types" and "Formal
 * Specification of the Encoding"): type texts, encoding, and strict decoding.
 *
 * A value is a flat list of items, in the order of its leaves: no tree, no allocation.
 *   - every elementary value is one item;
 *   - a tuple and an array of fixed size add nothing of their own: "(uint64,bytes32[2])" is three items;
 *   - an array of variable size is one item with its number of elements, and then those elements.
 *
 * Invariants:
 *   1. Decoding accepts exactly what encoding makes: offsets are minimal and in order, padding is zero, a
 *      bool is 0 or 1, integers and addresses fit their type (intN extends its sign), nothing is left over.
 *      (The specification's "strict mode", plus the value checks.)
 *   2. Decoding takes time and items in proportion to the input: types whose elements take no room, T[0]
 *      and (), are refused, and nothing is sized by a length that the input merely claims.
 *   3. No recursion: nesting is at most DR_ABI_DEPTH_MAX.
 * A string is bytes: that it is UTF-8 is not checked (no contract checks it).
 *
 * The encoding of a tuple type is that of a list of arguments: parse "(address,uint256)" for call data
 * behind the selector, for event data, and for what abi.encode(a, b) makes.
 *
 * Layer: chain/codec.
 */
#ifndef DR_CODEC_ABI_H
#define DR_CODEC_ABI_H

#include "chain/base/limits.h"
#include "chain/base/reader.h"
#include "chain/base/writer.h"

/* Elementary types, arrays and tuples within one type. */
#define DR_ABI_NODES_MAX 128u

enum dr_abi_kind {
	DR_ABI_UINT = 1,
	DR_ABI_INT,
	DR_ABI_ADDRESS,
	DR_ABI_BOOL,
	DR_ABI_BYTESN, /* bytes1 to bytes32 */
	DR_ABI_BYTES,
	DR_ABI_STRING,
	DR_ABI_ARRAY,       /* T[] */
	DR_ABI_FIXED_ARRAY, /* T[k] */
	DR_ABI_TUPLE,
};

/* One node of a type, in preorder: a container is followed by its element, or by its members. */
struct dr_abi_node {
	enum dr_abi_kind kind;
	uint16_t size;   /* UINT, INT: bits; BYTESN: bytes */
	uint16_t span;   /* nodes of this subtree, itself included */
	uint16_t height; /* containers on the longest way down, itself included */
	bool dynamic;    /* as the specification defines it: encoded behind an offset */
	uint32_t num;    /* FIXED_ARRAY: elements; TUPLE: members */
	uint32_t len;    /* bytes of its heads: all of a static type's encoding; 0 for BYTES, STRING, ARRAY */
};

struct dr_abi_type {
	struct dr_abi_node node[DR_ABI_NODES_MAX]; /* node[0] is the type itself */
	size_t num;
};

struct dr_abi_item {
	enum dr_abi_kind kind; /* never FIXED_ARRAY or TUPLE */
	uint8_t word[32];      /* UINT, INT, ADDRESS, BOOL, BYTESN: as encoded */
	uint32_t num;          /* ARRAY: elements that follow */
	struct dr_bytes bytes; /* BYTES, STRING: content; decoding borrows it from the input */
};

/* dr_abi_parse: text is a type without names or spaces, "(uint256,bytes32[2],string)[]"; "uint" and "int"
 * are read as 256 bits wide. "()" is permitted as the whole type: no arguments. Errors: DR_ERR_SYNTAX;
 * DR_ERR_UNKNOWN for an elementary type that does not exist, or function, fixed and ufixed, which no
 * compiler of ours emits; DR_ERR_LIMIT for depth, nodes, T[0], () inside, or heads beyond
 * 32 · DR_ABI_ITEMS_MAX bytes. fail->at is the offset in text. */
enum dr_err dr_abi_parse(struct dr_abi_type *type, struct dr_bytes text, struct dr_fail *fail);

/* dr_abi_text: appends the canonical text of type: what signatures are hashed over. */
void dr_abi_text(struct dr_writer *w, const struct dr_abi_type *type);

/* dr_abi_decode: data is the encoding of one value of type. Fills items[0,*num); *num ≤ max. Errors:
 * DR_ERR_SHORT, DR_ERR_NONCANONICAL, DR_ERR_SYNTAX (bytes left over), DR_ERR_LIMIT (more than max or
 * DR_ABI_ITEMS_MAX items). On failure *num is 0 and the items are zeroed. fail->at is the offset in data. */
enum dr_err dr_abi_decode(struct dr_abi_item *items, size_t max, size_t *num, const struct dr_abi_type *type,
			  struct dr_bytes data, struct dr_fail *fail);

/* dr_abi_encode: appends the encoding of items[0,num) to w. DR_ERR_SYNTAX if the items are not of this
 * type (too few, too many, another kind), DR_ERR_NONCANONICAL if a word does not fit its type,
 * DR_ERR_LIMIT if w is full. Returns w's state. */
enum dr_err dr_abi_encode(struct dr_writer *w, const struct dr_abi_type *type, const struct dr_abi_item *items,
			  size_t num);

#endif
