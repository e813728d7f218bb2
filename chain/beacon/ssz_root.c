/* SPDX-License-Identifier: Apache-2.0
 *
 * ssz_root: hash_tree_root by the tables of ssz_type.h, and what is the default.
 */
#include "chain/beacon/ssz_type.h"

#include <string.h>

#include "chain/base/limits.h"

#define KEY_LEN    48u
#define CHUNKS_MAX 8u  /* of a byte vector: 256 bytes */
#define FIELDS_MAX 32u /* of one container: an execution payload header has 17 */

/* The depth of the smallest tree that has room for num chunks. */
static unsigned depth_for(size_t num)
{
	unsigned depth = 0;

	while ((size_t)1 << depth < num)
		depth++;
	return depth;
}

/* A vector of bytes: chunks of 32, the last one filled with zeros. */
static void bytes_root(uint8_t root[static 32], const uint8_t *bytes, size_t len)
{
	uint8_t chunks[CHUNKS_MAX][32] = { { 0 } };
	const size_t num = (len + 31) / 32;

	DR_ASSERT(num <= CHUNKS_MAX);
	memcpy(chunks, bytes, len);
	dr_ssz_merkleize(root, chunks, num, depth_for(num));
}

static void keys_root(uint8_t root[static 32], struct dr_bytes keys, size_t num)
{
	static const uint8_t none[KEY_LEN];
	uint8_t chunks[DR_SYNC_COMMITTEE_MAX][32];

	DR_ASSERT(num <= DR_SYNC_COMMITTEE_MAX && (keys.len == num * KEY_LEN || keys.len == 0));
	for (size_t i = 0; i < num; i++)
		bytes_root(chunks[i], keys.len > 0 ? keys.ptr + i * KEY_LEN : none, KEY_LEN);
	dr_ssz_merkleize(root, chunks, num, depth_for(num));
}

static void field_root(uint8_t root[static 32], const struct dr_ssz_field *field, struct dr_ssz_shape shape,
		       const void *obj)
{
	const void *member = (const uint8_t *)obj + field->at;

	switch (field->kind) {
	case DR_SSZ_U64: dr_ssz_u64(root, *(const uint64_t *)member); break;
	case DR_SSZ_U256: memcpy(root, member, 32); break;
	case DR_SSZ_BYTES: bytes_root(root, member, field->len); break;
	case DR_SSZ_BITS: bytes_root(root, member, shape.committee_size / 8); break;
	case DR_SSZ_LIST: {
		const struct dr_ssz_list *list = member;

		memcpy(root, list->bytes, 32);
		dr_ssz_mix_length(root, list->len);
		break;
	}
	case DR_SSZ_BRANCH: {
		struct dr_ssz_branch copy = *(const struct dr_ssz_branch *)member;

		dr_ssz_merkleize(root, copy.nodes, field->len, depth_for(field->len));
		break;
	}
	case DR_SSZ_KEYS: keys_root(root, *(const struct dr_bytes *)member, shape.committee_size); break;
	case DR_SSZ_CONTAINER: dr_ssz_root(root, field->type, shape, member); break;
	}
}

void dr_ssz_root(uint8_t root[static 32], const struct dr_ssz_type *type, struct dr_ssz_shape shape, const void *obj)
{
	uint8_t chunks[FIELDS_MAX][32];
	size_t num = 0;

	for (size_t i = 0; i < type->num; i++)
		if (dr_ssz_field_in(&type->fields[i], shape)) {
			DR_ASSERT(num < FIELDS_MAX);
			field_root(chunks[num++], &type->fields[i], shape, obj);
		}
	dr_ssz_merkleize(root, chunks, num, depth_for(num));
}

static bool field_is_default(const struct dr_ssz_field *field, struct dr_ssz_shape shape, const void *obj)
{
	const void *member = (const uint8_t *)obj + field->at;

	switch (field->kind) {
	case DR_SSZ_U64: return *(const uint64_t *)member == 0;
	case DR_SSZ_U256: return dr_bytes_zero(member, 32);
	case DR_SSZ_BYTES: return dr_bytes_zero(member, field->len);
	case DR_SSZ_BITS: return dr_bytes_zero(member, shape.committee_size / 8);
	case DR_SSZ_LIST: return ((const struct dr_ssz_list *)member)->len == 0;
	case DR_SSZ_BRANCH: return dr_bytes_zero(((const struct dr_ssz_branch *)member)->nodes, field->len * 32u);
	case DR_SSZ_KEYS: {
		const struct dr_bytes *keys = member;

		return dr_bytes_zero(keys->ptr, keys->len);
	}
	case DR_SSZ_CONTAINER: return dr_ssz_is_default(field->type, shape, member);
	}
	return false;
}

bool dr_ssz_is_default(const struct dr_ssz_type *type, struct dr_ssz_shape shape, const void *obj)
{
	for (size_t i = 0; i < type->num; i++)
		if (dr_ssz_field_in(&type->fields[i], shape) && !field_is_default(&type->fields[i], shape, obj))
			return false;
	return true;
}
