/* SPDX-License-Identifier: Apache-2.0 */
#include "governance/record.h"

#include <string.h>

struct dr_key dr_record_key(enum dr_record kind, const void *a, size_t a_len, const void *b, size_t b_len)
{
	struct dr_key key = { .bytes = { (uint8_t)kind }, .len = 1 + a_len + b_len };

	DR_ASSERT(key.len <= sizeof(key.bytes));
	if (a_len > 0)
		memcpy(key.bytes + 1, a, a_len);
	if (b_len > 0)
		memcpy(key.bytes + 1 + a_len, b, b_len);
	return key;
}

struct dr_key dr_record_key_u64(enum dr_record kind, const void *a, size_t a_len, uint64_t number)
{
	uint8_t be[8];

	dr_be64_put(be, number);
	return dr_record_key(kind, a, a_len, be, 8);
}

struct dr_bytes dr_record_view(const struct dr_key *key)
{
	return dr_bytes_of(key->bytes, key->len);
}

void dr_record_put(struct dr_state *s, struct dr_key key, struct dr_bytes value, struct dr_fail *fail)
{
	if (fail->err == DR_OK)
		dr_map_put(&s->map, dr_record_view(&key), value, fail);
}

void dr_record_del(struct dr_state *s, struct dr_key key, struct dr_fail *fail)
{
	if (fail->err == DR_OK)
		dr_map_del(&s->map, dr_record_view(&key), fail);
}

bool dr_record_has(const struct dr_state *s, struct dr_key key)
{
	struct dr_bytes value;

	return dr_map_get(&value, s->map, dr_record_view(&key));
}

bool dr_record_open(struct dr_open *o, const struct dr_state *s, struct dr_key key)
{
	struct dr_bytes value;

	memset(o, 0, sizeof(*o));
	if (!dr_map_get(&value, s->map, dr_record_view(&key)))
		return false;
	dr_reader_init(&o->r, value, &o->fail);
	return true;
}

bool dr_record_shut(struct dr_open *o)
{
	DR_ASSERT(dr_reader_end(&o->r) == DR_OK);
	return true;
}

struct dr_writer *dr_record_draft(struct dr_draft *d)
{
	d->fail = (struct dr_fail){ 0 };
	dr_writer_init(&d->w, d->bytes, sizeof(d->bytes), &d->fail);
	return &d->w;
}

void dr_record_put_draft(struct dr_state *s, struct dr_key key, const struct dr_draft *d, struct dr_fail *fail)
{
	DR_ASSERT(d->fail.err == DR_OK);
	dr_record_put(s, key, dr_writer_view(&d->w), fail);
}

void dr_record_put_u64(struct dr_state *s, struct dr_key key, uint64_t value, struct dr_fail *fail)
{
	uint8_t be[8];

	dr_be64_put(be, value);
	dr_record_put(s, key, dr_bytes_of(be, 8), fail);
}

bool dr_record_get_u64(uint64_t *out, const struct dr_state *s, struct dr_key key)
{
	struct dr_open o;

	*out = 0;
	if (!dr_record_open(&o, s, key))
		return false;
	*out = dr_reader_u64(&o.r);
	return dr_record_shut(&o);
}

bool dr_record_last_u64(uint64_t *found, struct dr_bytes *value, const struct dr_state *s, enum dr_record kind,
			const void *prefix, size_t prefix_len, uint64_t number)
{
	const struct dr_key key = dr_record_key_u64(kind, prefix, prefix_len, number);
	struct dr_bytes at;

	*found = 0;
	if (!dr_map_floor(&at, value, s->map, dr_record_view(&key)) || at.len != key.len ||
	    memcmp(at.ptr, key.bytes, key.len - 8) != 0)
		return false;
	*found = dr_be64_get(at.ptr + at.len - 8);
	return true;
}
