/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/beacon/ssz_type.h"

#include <string.h>

#include "chain/base/limits.h"
#include "chain/base/reader.h"

#define KEY_LEN      48u
#define OFFSET_LEN   4u
#define VARIABLE_MAX 2u /* fields of variable size in one container: an update's two headers */

static const void *member_of(const void *obj, const struct dr_ssz_field *field)
{
	return (const uint8_t *)obj + field->at;
}

/* The length of a field of fixed size; 0: variable. */
static size_t field_len(const struct dr_ssz_field *field, struct dr_ssz_shape shape)
{
	switch (field->kind) {
	case DR_SSZ_U64: return 8;
	case DR_SSZ_U256: return 32;
	case DR_SSZ_BYTES: return field->len;
	case DR_SSZ_BITS: return shape.committee_size / 8;
	case DR_SSZ_LIST: return 0;
	case DR_SSZ_BRANCH: return field->len * 32u;
	case DR_SSZ_KEYS: return (size_t)shape.committee_size * KEY_LEN;
	case DR_SSZ_CONTAINER: return dr_ssz_fixed_len(field->type, shape);
	}
	return 0;
}

/* The length of the part that comes first: fields of fixed size, and offsets of the others. */
static size_t first_len(const struct dr_ssz_type *type, struct dr_ssz_shape shape, bool *variable)
{
	size_t sum = 0;

	*variable = false;
	for (size_t i = 0; i < type->num; i++) {
		if (!dr_ssz_field_in(&type->fields[i], shape))
			continue;
		const size_t len = field_len(&type->fields[i], shape);

		*variable |= len == 0;
		sum += len > 0 ? len : OFFSET_LEN;
	}
	return sum;
}

size_t dr_ssz_fixed_len(const struct dr_ssz_type *type, struct dr_ssz_shape shape)
{
	bool variable;
	const size_t len = first_len(type, shape, &variable);

	return variable ? 0 : len;
}

size_t dr_ssz_len_max(const struct dr_ssz_type *type, struct dr_ssz_shape shape)
{
	bool variable;
	size_t sum = first_len(type, shape, &variable);

	for (size_t i = 0; i < type->num; i++) {
		const struct dr_ssz_field *field = &type->fields[i];

		if (!dr_ssz_field_in(field, shape) || field_len(field, shape) > 0)
			continue;
		sum += field->kind == DR_SSZ_LIST ? field->len : dr_ssz_len_max(field->type, shape);
	}
	return sum;
}

static void decode_container(void *out, const struct dr_ssz_type *type, struct dr_ssz_shape shape,
			     struct dr_reader *r);

/* A field of fixed size at r, or one of variable size that is all of r. */
static void decode_field(void *out, const struct dr_ssz_field *field, struct dr_ssz_shape shape, struct dr_reader *r)
{
	void *member = (uint8_t *)out + field->at;

	switch (field->kind) {
	case DR_SSZ_U64: *(uint64_t *)member = dr_ssz_read(r, 8); break;
	case DR_SSZ_U256:
	case DR_SSZ_BYTES:
	case DR_SSZ_BITS: dr_reader_copy(r, member, field_len(field, shape)); break;
	case DR_SSZ_LIST: {
		struct dr_ssz_list *list = member;

		if (r->left > field->len) {
			dr_reader_fail(r, DR_ERR_LIMIT, "a list is longer than its type allows");
			break;
		}
		list->len = r->left;
		dr_reader_copy(r, list->bytes, r->left);
		break;
	}
	case DR_SSZ_BRANCH: {
		struct dr_ssz_branch *branch = member;

		branch->num = field->len;
		dr_reader_copy(r, branch->nodes, field->len * 32u);
		break;
	}
	case DR_SSZ_KEYS: *(struct dr_bytes *)member = dr_reader_view(r, field_len(field, shape)); break;
	case DR_SSZ_CONTAINER: decode_container(member, field->type, shape, r); break;
	}
}

/* "be sure to harden": the first offset is where the first part ends, none goes back, none is beyond the end. */
static void decode_container(void *out, const struct dr_ssz_type *type, struct dr_ssz_shape shape,
			     struct dr_reader *r)
{
	const struct dr_ssz_field *pending[VARIABLE_MAX];
	size_t ends[VARIABLE_MAX + 1], num = 0;
	bool variable;
	const size_t first = first_len(type, shape, &variable);
	const size_t total = variable ? r->left : first;

	for (size_t i = 0; i < type->num; i++) {
		const struct dr_ssz_field *field = &type->fields[i];

		if (!dr_ssz_field_in(field, shape))
			continue;
		if (field_len(field, shape) > 0) {
			decode_field(out, field, shape, r);
			continue;
		}
		DR_ASSERT(num < VARIABLE_MAX);
		ends[num] =
			(size_t)dr_ssz_read(r, OFFSET_LEN); /* where this field begins is where the one before ends */
		if (dr_reader_ok(r) && num == 0 && ends[0] != first)
			dr_reader_fail(r, DR_ERR_SYNTAX, "the first offset does not follow the fixed part");
		if (dr_reader_ok(r) && num > 0 && ends[num] < ends[num - 1])
			dr_reader_fail(r, DR_ERR_SYNTAX, "an offset goes back");
		if (dr_reader_ok(r) && ends[num] > total)
			dr_reader_fail(r, DR_ERR_SYNTAX, "an offset points beyond the end");
		pending[num++] = field;
	}
	ends[num] = total;
	for (size_t i = 0; i < num && dr_reader_ok(r); i++) {
		struct dr_reader part = dr_reader_child(r, ends[i + 1] - ends[i]);

		decode_field(out, pending[i], shape, &part);
		dr_reader_end(&part);
	}
}

enum dr_err dr_ssz_decode(void *out, const struct dr_ssz_type *type, struct dr_ssz_shape shape, struct dr_bytes bytes,
			  struct dr_fail *fail)
{
	struct dr_reader r;

	memset(out, 0, type->size);
	dr_reader_init(&r, bytes, fail);
	decode_container(out, type, shape, &r);
	const enum dr_err err = dr_reader_end(&r);

	if (err != DR_OK)
		memset(out, 0, type->size);
	return err;
}

static void write_le(struct dr_writer *w, uint64_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		dr_writer_u8(w, (uint8_t)(value >> (8 * i)));
}

static void write_zeros(struct dr_writer *w, size_t len)
{
	static const uint8_t zeros[64];

	for (; len > sizeof(zeros); len -= sizeof(zeros))
		dr_writer_copy(w, zeros, sizeof(zeros));
	dr_writer_copy(w, zeros, len);
}

/* The length of a field of variable size. */
static size_t variable_len(const struct dr_ssz_field *field, struct dr_ssz_shape shape, const void *obj)
{
	if (field->kind == DR_SSZ_LIST)
		return (size_t)((const struct dr_ssz_list *)member_of(obj, field))->len;

	const struct dr_ssz_type *type = field->type;
	const void *member = member_of(obj, field);
	bool variable;
	size_t sum = first_len(type, shape, &variable);

	for (size_t i = 0; i < type->num; i++)
		if (dr_ssz_field_in(&type->fields[i], shape) && field_len(&type->fields[i], shape) == 0)
			sum += variable_len(&type->fields[i], shape, member);
	return sum;
}

static void encode_field(struct dr_writer *w, const struct dr_ssz_field *field, struct dr_ssz_shape shape,
			 const void *obj)
{
	const void *member = member_of(obj, field);
	const size_t len = field_len(field, shape);

	switch (field->kind) {
	case DR_SSZ_U64: write_le(w, *(const uint64_t *)member, 8); break;
	case DR_SSZ_U256:
	case DR_SSZ_BYTES: dr_writer_copy(w, member, len); break;
	case DR_SSZ_BITS:
		if (!dr_bytes_zero((const uint8_t *)member + len, DR_SYNC_COMMITTEE_MAX / 8 - len))
			dr_fail_set(w->fail, DR_ERR_SYNTAX, "bits beyond the committee", w->len);
		dr_writer_copy(w, member, len);
		break;
	case DR_SSZ_LIST: {
		const struct dr_ssz_list *list = member;

		if (list->len > field->len)
			dr_fail_set(w->fail, DR_ERR_SYNTAX, "a list is longer than its type allows", w->len);
		else
			dr_writer_copy(w, list->bytes, (size_t)list->len);
		break;
	}
	case DR_SSZ_BRANCH: {
		const struct dr_ssz_branch *branch = member;

		if (branch->num == field->len)
			dr_writer_copy(w, branch->nodes, len);
		else if (branch->num == 0)
			write_zeros(w, len);
		else
			dr_fail_set(w->fail, DR_ERR_SYNTAX, "a branch has another length in this fork", w->len);
		break;
	}
	case DR_SSZ_KEYS: {
		const struct dr_bytes *keys = member;

		if (keys->len == len)
			dr_writer_bytes(w, *keys);
		else if (keys->len == 0)
			write_zeros(w, len);
		else
			dr_fail_set(w->fail, DR_ERR_SYNTAX, "a committee of another size", w->len);
		break;
	}
	case DR_SSZ_CONTAINER: dr_ssz_encode(w, field->type, shape, member); break;
	}
}

void dr_ssz_encode(struct dr_writer *w, const struct dr_ssz_type *type, struct dr_ssz_shape shape, const void *obj)
{
	bool variable;
	size_t offset = first_len(type, shape, &variable);

	for (size_t i = 0; i < type->num; i++) {
		const struct dr_ssz_field *field = &type->fields[i];

		if (!dr_ssz_field_in(field, shape))
			continue;
		if (field_len(field, shape) > 0) {
			encode_field(w, field, shape, obj);
			continue;
		}
		write_le(w, offset, OFFSET_LEN);
		offset += variable_len(field, shape, obj);
	}
	for (size_t i = 0; i < type->num; i++)
		if (dr_ssz_field_in(&type->fields[i], shape) && field_len(&type->fields[i], shape) == 0)
			encode_field(w, &type->fields[i], shape, obj);
}
