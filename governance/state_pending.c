/* SPDX-License-Identifier: Apache-2.0
 *
 * The records that only the fold needs: proposals and votes, and what time will do.
 */
#include <string.h>

#include "chain/base/reader.h"
#include "chain/base/writer.h"
#include "chain/crypto/sha256.h"
#include "governance/state_put.h"

#define PENDING_KEY_LEN (1u + 8 + 8 + 4 + 1 + 8)
#define INDEX_KEY_LEN   (1u + 32 + 8)

static void id_key(uint8_t key[static 9], enum dr_record kind, uint64_t id)
{
	key[0] = (uint8_t)kind;
	dr_be64_put(key + 1, id);
}

static void put(struct dr_state *s, struct dr_bytes key, struct dr_bytes value, struct dr_fail *fail)
{
	if (fail->err == DR_OK)
		dr_map_put(&s->map, key, value, fail);
}

bool dr_state_proposal(struct dr_proposal *out, const struct dr_state *s, uint64_t id)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes value;
	struct dr_reader r;
	uint8_t key[9];

	memset(out, 0, sizeof(*out));
	id_key(key, DR_RECORD_PROPOSAL, id);
	if (!dr_map_get(&value, s->map, dr_bytes_of(key, sizeof(key))))
		return false;
	dr_reader_init(&r, value, &fail);
	out->stage = (enum dr_proposal_stage)dr_reader_u8(&r);
	dr_reader_copy(&r, out->by, 20);
	out->action = dr_reader_u16(&r);
	out->snapshot = dr_reader_u64(&r);
	out->expires = dr_reader_u64(&r);
	out->yes = dr_reader_u64(&r);
	out->no = dr_reader_u64(&r);
	dr_reader_copy(&r, out->args, sizeof(out->args));
	DR_ASSERT(dr_reader_end(&r) == DR_OK);
	return true;
}

void dr_state_put_proposal(struct dr_state *s, uint64_t id, const struct dr_proposal *p, struct dr_fail *fail)
{
	struct dr_fail full = { 0 };
	struct dr_writer w;
	uint8_t key[9], value[512];

	id_key(key, DR_RECORD_PROPOSAL, id);
	dr_writer_init(&w, value, sizeof(value), &full);
	dr_writer_u8(&w, (uint8_t)p->stage);
	dr_writer_copy(&w, p->by, 20);
	dr_writer_u16(&w, p->action);
	dr_writer_u64(&w, p->snapshot);
	dr_writer_u64(&w, p->expires);
	dr_writer_u64(&w, p->yes);
	dr_writer_u64(&w, p->no);
	dr_writer_copy(&w, p->args, sizeof(p->args));
	DR_ASSERT(full.err == DR_OK);
	put(s, dr_bytes_of(key, sizeof(key)), dr_writer_view(&w), fail);
}

uint64_t dr_state_proposal_num(const struct dr_state *s)
{
	const uint8_t key = DR_RECORD_PROPOSAL_NUM;
	struct dr_bytes value;

	return dr_map_get(&value, s->map, dr_bytes_of(&key, 1)) ? dr_be64_get(value.ptr) : 0;
}

void dr_state_put_proposal_num(struct dr_state *s, uint64_t num, struct dr_fail *fail)
{
	const uint8_t key = DR_RECORD_PROPOSAL_NUM;
	uint8_t value[8];

	dr_be64_put(value, num);
	put(s, dr_bytes_of(&key, 1), dr_bytes_of(value, 8), fail);
}

static void vote_key(uint8_t key[static 29], uint64_t id, const uint8_t *member)
{
	id_key(key, DR_RECORD_VOTE, id);
	memcpy(key + 9, member, 20);
}

bool dr_state_voted(const struct dr_state *s, uint64_t id, const uint8_t member[static 20])
{
	struct dr_bytes value;
	uint8_t key[29];

	vote_key(key, id, member);
	return dr_map_get(&value, s->map, dr_bytes_of(key, sizeof(key)));
}

void dr_state_put_vote(struct dr_state *s, uint64_t id, const uint8_t member[static 20], uint64_t weight,
		       bool support, struct dr_fail *fail)
{
	uint8_t key[29], value[9];

	vote_key(key, id, member);
	dr_be64_put(value, weight);
	value[8] = support;
	put(s, dr_bytes_of(key, sizeof(key)), dr_bytes_of(value, sizeof(value)), fail);
}

/* What time will do: the queue itself, and an index from a subject to its places in the queue. */

/* pending_key: one event may set several things going, of one kind and due together, but on different subjects. */
static void pending_key(uint8_t key[static PENDING_KEY_LEN], uint64_t due, uint64_t number, uint32_t ordinal,
			enum dr_pending_what what, const uint8_t (*subject)[32], uint8_t num_subject)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, key, PENDING_KEY_LEN, &fail);
	dr_writer_u8(&w, DR_RECORD_PENDING);
	dr_writer_u64(&w, due);
	dr_writer_u64(&w, number);
	dr_writer_u32(&w, ordinal);
	dr_writer_u8(&w, (uint8_t)what);
	dr_writer_u64(&w, num_subject > 0 ? dr_be64_get(subject[0] + 24) : 0);
	DR_ASSERT(fail.err == DR_OK);
}

static void index_key(uint8_t key[static INDEX_KEY_LEN], enum dr_pending_what what, enum dr_action action,
		      const uint8_t (*subject)[32], uint8_t num_subject, uint64_t due)
{
	const uint8_t head[3] = { (uint8_t)what, (uint8_t)(action >> 8), (uint8_t)action };
	const struct dr_bytes parts[] = { dr_bytes_of(head, 3), dr_bytes_of(subject, 32u * num_subject) };

	key[0] = DR_RECORD_PENDING_OF;
	dr_sha256(key + 1, parts, 2);
	dr_be64_put(key + 33, due);
}

/* index_next: the first place of key's subject that is due at key's due or later. */
static bool index_next(uint64_t *due, uint64_t *number, uint32_t *ordinal, const struct dr_state *s,
		       const uint8_t key[static INDEX_KEY_LEN])
{
	struct dr_fail fail = { 0 };
	struct dr_bytes found, value;
	struct dr_reader r;

	if (!dr_map_ceil(&found, &value, s->map, dr_bytes_of(key, INDEX_KEY_LEN)) || found.len != INDEX_KEY_LEN ||
	    memcmp(found.ptr, key, 33) != 0)
		return false;
	*due = dr_be64_get(found.ptr + 33);
	dr_reader_init(&r, value, &fail);
	*number = dr_reader_u64(&r);
	*ordinal = dr_reader_u32(&r);
	DR_ASSERT(dr_reader_end(&r) == DR_OK);
	return true;
}

void dr_state_unpend(struct dr_state *s, enum dr_pending_what what, enum dr_action action,
		     const uint8_t (*subject)[32], uint8_t num_subject, uint64_t from, struct dr_fail *fail)
{
	uint8_t index[INDEX_KEY_LEN], key[PENDING_KEY_LEN];
	uint64_t due, number;
	uint32_t ordinal;

	index_key(index, what, action, subject, num_subject, from);
	while (fail->err == DR_OK && index_next(&due, &number, &ordinal, s, index)) {
		dr_be64_put(index + 33, due);
		pending_key(key, due, number, ordinal, what, subject, num_subject);
		if (dr_map_del(&s->map, dr_bytes_of(key, sizeof(key)), fail) == DR_OK)
			dr_map_del(&s->map, dr_bytes_of(index, sizeof(index)), fail);
	}
}

uint64_t dr_state_pending_due(const struct dr_state *s, enum dr_pending_what what, enum dr_action action,
			      const uint8_t (*subject)[32], uint8_t num_subject)
{
	uint8_t index[INDEX_KEY_LEN];
	uint64_t due, number;
	uint32_t ordinal;

	index_key(index, what, action, subject, num_subject, 0);
	return index_next(&due, &number, &ordinal, s, index) ? due : UINT64_MAX;
}

void dr_state_pend(struct dr_state *s, const struct dr_pending *p, uint8_t num_subject, uint64_t from,
		   struct dr_fail *fail)
{
	const struct dr_act *act = &p->act;
	const uint8_t(*subject)[32] = (const uint8_t(*)[32])act->args;
	uint8_t index[INDEX_KEY_LEN], key[PENDING_KEY_LEN], place[12], value[DR_MAP_VALUE_MAX];
	struct dr_fail full = { 0 };
	struct dr_writer w;

	dr_state_unpend(s, p->what, act->action, subject, num_subject, from < p->due ? from : p->due, fail);
	dr_writer_init(&w, value, sizeof(value), &full);
	dr_writer_u8(&w, num_subject);
	dr_writer_copy(&w, p->event_digest, 32);
	dr_writer_u16(&w, (uint16_t)act->action);
	dr_writer_u8(&w, (uint8_t)(act->has_proposal | act->has_by << 1 | act->has_due << 2));
	dr_writer_u64(&w, act->proposal);
	dr_writer_copy(&w, act->by, 20);
	dr_writer_u64(&w, act->due);
	dr_writer_u8(&w, act->num_args);
	dr_writer_copy(&w, act->args, 32u * act->num_args);
	DR_ASSERT(full.err == DR_OK);
	pending_key(key, p->due, p->number, p->ordinal, p->what, subject, num_subject);
	put(s, dr_bytes_of(key, sizeof(key)), dr_writer_view(&w), fail);

	index_key(index, p->what, act->action, subject, num_subject, p->due);
	dr_writer_init(&w, place, sizeof(place), &full);
	dr_writer_u64(&w, p->number);
	dr_writer_u32(&w, p->ordinal);
	put(s, dr_bytes_of(index, sizeof(index)), dr_writer_view(&w), fail);
}

static void read_pending(struct dr_pending *out, struct dr_bytes key, struct dr_bytes value, uint8_t *num_subject)
{
	struct dr_act *act = &out->act;
	struct dr_fail fail = { 0 };
	struct dr_reader r;
	uint8_t flags;

	memset(out, 0, sizeof(*out));
	DR_ASSERT(key.len == PENDING_KEY_LEN);
	dr_reader_init(&r, dr_bytes_of(key.ptr, key.len - 8), &fail);
	dr_reader_u8(&r);
	out->due = dr_reader_u64(&r);
	out->number = dr_reader_u64(&r);
	out->ordinal = dr_reader_u32(&r);
	out->what = (enum dr_pending_what)dr_reader_u8(&r);
	DR_ASSERT(dr_reader_end(&r) == DR_OK);
	dr_reader_init(&r, value, &fail);
	*num_subject = dr_reader_u8(&r);
	dr_reader_copy(&r, out->event_digest, 32);
	act->action = (enum dr_action)dr_reader_u16(&r);
	flags = dr_reader_u8(&r);
	act->has_proposal = (flags & 1) != 0;
	act->has_by = (flags & 2) != 0;
	act->has_due = (flags & 4) != 0;
	act->proposal = dr_reader_u64(&r);
	dr_reader_copy(&r, act->by, 20);
	act->due = dr_reader_u64(&r);
	act->num_args = dr_reader_u8(&r);
	DR_ASSERT(act->num_args <= DR_ARGS_MAX);
	dr_reader_copy(&r, act->args, 32u * act->num_args);
	DR_ASSERT(dr_reader_end(&r) == DR_OK);
}

bool dr_state_pending_take(struct dr_pending *out, struct dr_state *s, uint64_t time, struct dr_fail *fail)
{
	uint8_t index[INDEX_KEY_LEN], num_subject;
	uint8_t pending[PENDING_KEY_LEN];
	struct dr_bytes key, value;

	memset(out, 0, sizeof(*out));
	if (fail->err != DR_OK || dr_state_due_next(s) > time ||
	    !dr_state_next(&key, &value, s, DR_RECORD_PENDING, NULL))
		return false;
	read_pending(out, key, value, &num_subject);
	const uint8_t(*subject)[32] = (const uint8_t(*)[32])out->act.args;

	index_key(index, out->what, out->act.action, subject, num_subject, out->due);
	pending_key(pending, out->due, out->number, out->ordinal, out->what, subject, num_subject);
	return dr_map_del(&s->map, dr_bytes_of(pending, sizeof(pending)), fail) == DR_OK &&
	       dr_map_del(&s->map, dr_bytes_of(index, sizeof(index)), fail) == DR_OK;
}

uint64_t dr_state_due_next(const struct dr_state *s)
{
	struct dr_bytes key, value;

	return dr_state_next(&key, &value, s, DR_RECORD_PENDING, NULL) ? dr_be64_get(key.ptr + 1) : UINT64_MAX;
}
