/* SPDX-License-Identifier: Apache-2.0
 *
 * Who holds a root generation. The records lie by generation and node, so that a generation's end and a node's are
 * both few steps, however often anybody registers.
 */
#include <string.h>

#include "governance/record.h"
#include "governance/state_put.h"

#define KEY_LEN (1u + 8 + 20 + 8 + 4)

static void write_key(uint8_t key[static KEY_LEN], const struct dr_holder *r)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, key, KEY_LEN, &fail);
	dr_writer_u8(&w, DR_RECORD_HOLDER);
	dr_writer_u64(&w, r->generation);
	dr_writer_copy(&w, r->node, 20);
	dr_writer_u64(&w, r->number);
	dr_writer_u32(&w, r->ordinal);
	DR_ASSERT(fail.err == DR_OK && w.len == KEY_LEN);
}

/* read_first: the first record at `from` or after it. */
static bool read_first(struct dr_holder *out, const struct dr_state *s, struct dr_bytes from)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes key, value;
	struct dr_reader r;

	memset(out, 0, sizeof(*out));
	if (!dr_map_ceil(&key, &value, s->map, from) || key.ptr[0] != DR_RECORD_HOLDER)
		return false;
	dr_reader_init(&r, key, &fail);
	dr_reader_u8(&r);
	out->generation = dr_reader_u64(&r);
	dr_reader_copy(&r, out->node, 20);
	out->number = dr_reader_u64(&r);
	out->ordinal = dr_reader_u32(&r);
	DR_ASSERT(dr_reader_end(&r) == DR_OK);
	dr_reader_init(&r, value, &fail);
	dr_reader_copy(&r, out->measurement, 32);
	dr_reader_copy(&r, out->tee, 32);
	dr_reader_copy(&r, out->family, 32);
	out->svn = dr_reader_u64(&r);
	dr_reader_copy(&r, out->device, 32);
	out->current = dr_reader_u8(&r) != 0;
	DR_ASSERT(dr_reader_end(&r) == DR_OK);
	return true;
}

/* seek: the first record of generation and node, or what comes after where they would be. */
static bool seek(struct dr_holder *out, const struct dr_state *s, uint64_t generation, const uint8_t *node)
{
	struct dr_holder at = { .generation = generation };
	uint8_t key[KEY_LEN];

	memcpy(at.node, node, 20);
	write_key(key, &at);
	return read_first(out, s, dr_bytes_of(key, sizeof(key)));
}

bool dr_state_holder_next(struct dr_holder *out, const struct dr_state *s, const struct dr_holder *after)
{
	uint8_t key[KEY_LEN + 1] = { DR_RECORD_HOLDER };

	if (after == NULL)
		return read_first(out, s, dr_bytes_of(key, 1));
	/* The key that follows k at once is k ‖ 0. */
	write_key(key, after);
	key[KEY_LEN] = 0;
	return read_first(out, s, dr_bytes_of(key, sizeof(key)));
}

void dr_state_put_holder(struct dr_state *s, const struct dr_holder *r, struct dr_fail *fail)
{
	struct dr_draft d;
	struct dr_writer *w = dr_record_draft(&d);
	uint8_t key[KEY_LEN];

	dr_writer_copy(w, r->measurement, 32);
	dr_writer_copy(w, r->tee, 32);
	dr_writer_copy(w, r->family, 32);
	dr_writer_u64(w, r->svn);
	dr_writer_copy(w, r->device, 32);
	dr_writer_u8(w, r->current);
	write_key(key, r);
	dr_record_put_draft(s, dr_record_key(DR_RECORD_HOLDER, key + 1, KEY_LEN - 1, NULL, 0), &d, fail);
}

static bool is_of(const struct dr_holder *r, uint64_t generation, const uint8_t *node)
{
	return r->generation == generation && memcmp(r->node, node, 20) == 0;
}

bool dr_state_holds(const struct dr_state *s, uint64_t generation, const uint8_t node[static 20])
{
	struct dr_holder r;
	bool more = seek(&r, s, generation, node);

	for (; more && is_of(&r, generation, node); more = dr_state_holder_next(&r, s, &r))
		if (r.current)
			return true;
	return false;
}

void dr_state_end_holders(struct dr_state *s, const uint8_t node[static 20], struct dr_fail *fail)
{
	uint64_t generation = 0;
	struct dr_holder r;
	bool more = seek(&r, s, generation, node);

	while (more && fail->err == DR_OK) {
		if (is_of(&r, generation, node)) {
			if (r.current) {
				r.current = false;
				dr_state_put_holder(s, &r, fail);
			}
			more = dr_state_holder_next(&r, s, &r);
			continue;
		}
		/* Past this node: on to where it would be in the next generation that has holders at all. */
		if (r.generation == generation && generation == UINT64_MAX)
			return;
		generation = r.generation > generation ? r.generation : generation + 1;
		more = seek(&r, s, generation, node);
	}
}

void dr_state_del_holders(struct dr_state *s, uint64_t generation, struct dr_fail *fail)
{
	static const uint8_t lowest[20] = { 0 };
	struct dr_holder r;
	uint8_t key[KEY_LEN];

	while (fail->err == DR_OK && seek(&r, s, generation, lowest) && r.generation == generation) {
		write_key(key, &r);
		dr_record_del(s, dr_record_key(DR_RECORD_HOLDER, key + 1, KEY_LEN - 1, NULL, 0), fail);
	}
}
