/* SPDX-License-Identifier: Apache-2.0
 *
 * ssz_type: containers as tables. A row is a line of the specification: the field's name there, its type, and the
 * forks that have it. Decoding, encoding, roots and "is it the default?" all walk the same rows, and so can a reader
 * of the JSON form (field names and types are the beacon API's).
 *
 * Implements: ethereum/consensus-specs v1.6.0, ssz/simple-serialize.md: serialization, deserialization ("be sure to
 * harden": offsets exact, ascending, no gap, nothing behind the last), merkleization.
 *
 * Invariants:
 *   1. What decodes encodes to the same bytes.
 *   2. How deep a walk goes is said by the tables (three containers), never by the input.
 *
 * Layer: chain/beacon.
 */
#ifndef DR_BEACON_SSZ_TYPE_H
#define DR_BEACON_SSZ_TYPE_H

#include "chain/base/writer.h"
#include "chain/beacon/network.h"
#include "chain/beacon/ssz.h"

enum dr_ssz_kind {
	DR_SSZ_U64,       /* uint64_t */
	DR_SSZ_U256,      /* uint8_t[32], little endian as on the wire; JSON: decimal */
	DR_SSZ_BYTES,     /* ByteVector[len], Bitvector of len bytes: uint8_t[len] */
	DR_SSZ_BITS,      /* Bitvector[committee size]: uint8_t[DR_SYNC_COMMITTEE_MAX / 8], zeros behind */
	DR_SSZ_LIST,      /* List[byte, len], len <= 32: struct dr_ssz_list */
	DR_SSZ_BRANCH,    /* Vector[Bytes32, len]: struct dr_ssz_branch */
	DR_SSZ_KEYS,      /* Vector[Bytes48, committee size]: struct dr_bytes, which borrows */
	DR_SSZ_CONTAINER, /* the struct of `type` */
};

struct dr_ssz_list {
	uint64_t len;
	uint8_t bytes[32]; /* zeros behind len */
};

#define DR_SSZ_BRANCH_MAX 7u
struct dr_ssz_branch {
	uint64_t num;
	uint8_t nodes[DR_SSZ_BRANCH_MAX][32]; /* the lowest first; zeros behind num */
};

struct dr_ssz_field {
	const char *name;
	enum dr_ssz_kind kind;
	uint16_t at;                    /* offset in the struct */
	uint16_t len;                   /* BYTES, LIST: bytes (at most); BRANCH: nodes */
	enum dr_beacon_fork from, last; /* the first and the last fork with this field of this type */
	const struct dr_ssz_type *type; /* CONTAINER */
};

struct dr_ssz_type {
	const char *name;
	const struct dr_ssz_field *fields;
	size_t num;  /* rows */
	size_t size; /* of the struct */
};

/* What a container's form depends on beside its type. */
struct dr_ssz_shape {
	enum dr_beacon_fork fork;
	uint32_t committee_size; /* a power of two, 8 to DR_SYNC_COMMITTEE_MAX */
};

/* dr_ssz_field_in: has the container this field in this shape? */
static inline bool dr_ssz_field_in(const struct dr_ssz_field *field, struct dr_ssz_shape shape)
{
	return shape.fork >= field->from && shape.fork <= field->last;
}

/* dr_ssz_branch_proves: dr_ssz_branch_shows by a branch as containers have it. */
static inline bool dr_ssz_branch_proves(const uint8_t leaf[static 32], const struct dr_ssz_branch *branch,
					uint64_t gindex, const uint8_t root[static 32])
{
	DR_ASSERT(branch->num <= DR_SSZ_BRANCH_MAX);
	return dr_ssz_branch_shows(leaf, branch->nodes, (size_t)branch->num, gindex, root);
}

/* dr_ssz_fixed_len: the length of every encoding of a type of fixed size; 0: variable. dr_ssz_len_max: the longest.
 */
size_t dr_ssz_fixed_len(const struct dr_ssz_type *type, struct dr_ssz_shape shape);
size_t dr_ssz_len_max(const struct dr_ssz_type *type, struct dr_ssz_shape shape);

/* dr_ssz_decode: fills *out (type->size bytes) from bytes, which must be exactly one; KEYS borrow bytes.
 * DR_ERR_SHORT, DR_ERR_SYNTAX (length, offsets), DR_ERR_LIMIT (a list's length). Zeroed on failure. */
enum dr_err dr_ssz_decode(void *out, const struct dr_ssz_type *type, struct dr_ssz_shape shape, struct dr_bytes bytes,
			  struct dr_fail *fail);

/* dr_ssz_encode: appends *obj to w; failures are w's. DR_ERR_SYNTAX: a member that has no encoding in this shape
 * (keys or nodes too few or too many). Where a keys' view is {NULL, 0}, the default is written: zeros. */
void dr_ssz_encode(struct dr_writer *w, const struct dr_ssz_type *type, struct dr_ssz_shape shape, const void *obj);

/* dr_ssz_root: hash_tree_root. A container of more than 32 fields is a bug. */
void dr_ssz_root(uint8_t root[static 32], const struct dr_ssz_type *type, struct dr_ssz_shape shape, const void *obj);

/* dr_ssz_is_default: every field of this shape is zero. */
bool dr_ssz_is_default(const struct dr_ssz_type *type, struct dr_ssz_shape shape, const void *obj);

#endif
