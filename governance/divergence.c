/* SPDX-License-Identifier: Apache-2.0
 *
 * A subject is a kind of slot and the mapping's keys. It is learnt from the state the first time it is
 * seen there, and kept: what was revoked must also be gone from the contract.
 *
 *   's' ‖ kind ‖ subject 64 → u8 proven ‖ u64 number ‖ u8 diverges ‖ slot 32
 *   'i' ‖ slot 32           → kind ‖ subject 64
 */
#include "governance/divergence.h"

#include <string.h>

#include "chain/base/arena.h"
#include "chain/base/reader.h"
#include "chain/base/writer.h"
#include "chain/crypto/keccak.h"
#include "governance/state_put.h"

#define KEY_LEN 66u

struct dr_divergence {
	struct dr_map map;
	bool code_proven, code_differs;
	uint64_t code_number;
	struct dr_fail fail; /* memory ran out: everything is withheld */
};

struct subject {
	uint8_t kind; /* enum dr_slot_kind */
	uint8_t keys[64];
};

struct verdict {
	bool proven, diverges;
	uint64_t number; /* of the newest proof */
	uint8_t slot[32];
};

struct dr_divergence *dr_divergence_new(void)
{
	return dr_heap_alloc(sizeof(struct dr_divergence));
}

void dr_divergence_free(struct dr_divergence *d)
{
	if (d != NULL)
		dr_map_drop(&d->map);
	dr_heap_free(d);
}

static void key_of(uint8_t key[static KEY_LEN], const struct subject *s)
{
	key[0] = 's';
	key[1] = s->kind;
	memcpy(key + 2, s->keys, 64);
}

static bool get(struct verdict *out, const struct dr_divergence *d, const struct subject *s)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes value;
	struct dr_reader r;
	uint8_t key[KEY_LEN];

	memset(out, 0, sizeof(*out));
	key_of(key, s);
	if (!dr_map_get(&value, d->map, dr_bytes_of(key, sizeof(key))))
		return false;
	dr_reader_init(&r, value, &fail);
	out->proven = dr_reader_u8(&r) != 0;
	out->number = dr_reader_u64(&r);
	out->diverges = dr_reader_u8(&r) != 0;
	dr_reader_copy(&r, out->slot, 32);
	DR_ASSERT(dr_reader_end(&r) == DR_OK);
	return true;
}

static void put(struct dr_divergence *d, const struct subject *s, const struct verdict *v)
{
	uint8_t key[KEY_LEN], value[42];
	struct dr_fail full = { 0 };
	struct dr_writer w;

	key_of(key, s);
	dr_writer_init(&w, value, sizeof(value), &full);
	dr_writer_u8(&w, v->proven);
	dr_writer_u64(&w, v->number);
	dr_writer_u8(&w, v->diverges);
	dr_writer_copy(&w, v->slot, 32);
	DR_ASSERT(full.err == DR_OK);
	if (d->fail.err == DR_OK)
		dr_map_put(&d->map, dr_bytes_of(key, sizeof(key)), dr_writer_view(&w), &d->fail);
}

/* mapping_slot: Solidity's storage layout, "Mappings and Dynamic Arrays": keccak256(h(key) ‖ slot). */
static void mapping_slot(uint8_t slot[static 32], const uint8_t *key)
{
	uint8_t bytes[64];

	memcpy(bytes, key, 32);
	memcpy(bytes + 32, slot, 32);
	dr_keccak256(slot, bytes, sizeof(bytes));
}

static bool slot_of(uint8_t slot[static 32], const struct dr_profile *p, const struct subject *s)
{
	for (size_t i = 0; i < p->num_slots; i++) {
		if (p->slots[i].kind != s->kind)
			continue;
		dr_word_put(slot, p->slots[i].slot);
		mapping_slot(slot, s->keys);
		if (s->kind == DR_SLOT_APP_MEASUREMENT || s->kind == DR_SLOT_HARDWARE)
			mapping_slot(slot, s->keys + 32);
		return true;
	}
	return false;
}

static void learn(struct dr_divergence *d, const struct dr_profile *p, const struct subject *s)
{
	struct verdict v;
	uint8_t index[33], value[65];

	if (get(&v, d, s) || !slot_of(v.slot, p, s))
		return;
	put(d, s, &v);
	index[0] = 'i';
	memcpy(index + 1, v.slot, 32);
	value[0] = s->kind;
	memcpy(value + 1, s->keys, 64);
	if (d->fail.err == DR_OK)
		dr_map_put(&d->map, dr_bytes_of(index, sizeof(index)), dr_bytes_of(value, sizeof(value)), &d->fail);
}

/* subject_of: what a record of the state is about. */
static struct subject subject_of(uint8_t kind, struct dr_bytes key)
{
	struct subject s = { .kind = kind };

	switch ((enum dr_slot_kind)kind) {
	case DR_SLOT_MEASUREMENT:
	case DR_SLOT_APP_MEASUREMENT:
	case DR_SLOT_SUSPENDED: memcpy(s.keys, key.ptr + 1, key.len - 1); break;
	case DR_SLOT_HARDWARE:
		s.keys[31] = key.ptr[1];
		memcpy(s.keys + 32, key.ptr + 2, 32);
		break;
	case DR_SLOT_ROOT: memcpy(s.keys + 24, key.ptr + 1, 8); break;
	}
	return s;
}

struct learning {
	struct dr_divergence *d;
	const struct dr_profile *p;
	uint8_t kind, record;
};

static bool learn_record(void *ctx, struct dr_bytes key, struct dr_bytes value)
{
	const struct learning *l = ctx;

	(void)value;
	if (key.ptr[0] != l->record)
		return false;
	const struct subject s = subject_of(l->kind, key);

	learn(l->d, l->p, &s);
	return true;
}

static void learn_all(struct dr_divergence *d, const struct dr_profile *p, const struct dr_state *state)
{
	static const struct {
		uint8_t kind;
		enum dr_record record;
	} kinds[] = {
		{ DR_SLOT_MEASUREMENT, DR_RECORD_MEASUREMENT },
		{ DR_SLOT_APP_MEASUREMENT, DR_RECORD_APP_MEASUREMENT },
		{ DR_SLOT_HARDWARE, DR_RECORD_HARDWARE },
		{ DR_SLOT_ROOT, DR_RECORD_ROOT },
		{ DR_SLOT_SUSPENDED, DR_RECORD_APP },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct learning l = { d, p, kinds[i].kind, (uint8_t)kinds[i].record };

		dr_map_each(state->map, dr_bytes_of(&l.record, 1), learn_record, &l);
	}
}

/* expected: what the slot holds if the contract did what its events said. */
static void expected(uint8_t out[static 32], const struct dr_state *state, const struct subject *s)
{
	struct dr_listing listing;
	struct dr_grant grant;
	struct dr_root root;
	uint8_t keys[64];

	memset(out, 0, 32);
	switch ((enum dr_slot_kind)s->kind) {
	case DR_SLOT_MEASUREMENT:
		dr_state_measurement(&grant, state, s->keys);
		dr_word_put(out, grant.due);
		return;
	case DR_SLOT_APP_MEASUREMENT:
		dr_state_app_measurement(&grant, state, s->keys, s->keys + 32);
		dr_word_put(out, grant.due);
		return;
	case DR_SLOT_HARDWARE:
		if (!dr_state_listing(&listing, state, s->keys[31], s->keys + 32))
			return;
		dr_word_put(out, listing.svn + 1);
		if (listing.svn == UINT64_MAX)
			out[23] = 1;
		return;
	case DR_SLOT_ROOT:
		dr_state_root(&root, state, dr_be64_get(s->keys + 24));
		memcpy(keys, root.prf_pub, 32);
		memcpy(keys + 32, root.sig_pub, 32);
		if (!dr_bytes_zero(keys, 64))
			dr_keccak256(out, keys, 64);
		return;
	case DR_SLOT_SUSPENDED: dr_word_put(out, dr_state_suspension(state, s->keys)); return;
	}
}

/* A slot to prove, and how urgent: never proven first, then by age. */
struct candidate {
	uint64_t age; /* 0: never proven; else 1 + the number of its newest proof */
	uint8_t slot[32];
};

/* The most urgent of those seen so far, in order. */
struct choice {
	struct candidate best[DR_STATE_SLOTS_MAX];
	size_t num, room;
};

static bool choose(void *ctx, struct dr_bytes key, struct dr_bytes value)
{
	struct choice *choice = ctx;

	if (key.len != KEY_LEN || key.ptr[0] != 's')
		return false;
	struct candidate c = { .age = value.ptr[0] != 0 ? 1 + dr_be64_get(value.ptr + 1) : 0 };
	size_t at = choice->num;

	memcpy(c.slot, value.ptr + 10, 32);
	for (; at > 0 && choice->best[at - 1].age > c.age; at--)
		if (at < choice->room)
			choice->best[at] = choice->best[at - 1];
	if (at < choice->room)
		choice->best[at] = c;
	if (at < choice->room && choice->num < choice->room)
		choice->num++;
	return true;
}

size_t dr_divergence_slots(struct dr_divergence *d, uint8_t (*out)[32], size_t max, const struct dr_profile *p,
			   const struct dr_state *state)
{
	static const uint8_t first[] = { 's' };
	struct choice choice = { .num = 0 };
	size_t num = 0;

	DR_ASSERT(max >= 3);
	max = max < DR_STATE_SLOTS_MAX ? max : DR_STATE_SLOTS_MAX;
	learn_all(d, p, state);
	if (p->has_accumulator) {
		dr_word_put(out[num++], p->count_slot);
		dr_word_put(out[num++], p->acc_slot);
	}
	choice.room = max - num;
	dr_map_each(d->map, dr_bytes_of(first, 1), choose, &choice);
	for (size_t i = 0; i < choice.num; i++)
		memcpy(out[num++], choice.best[i].slot, 32);
	return num;
}

static void judge_code(struct dr_divergence *d, const struct dr_profile *p, const struct dr_fact_state *fact,
		       void (*report)(void *ctx, const struct dr_divergence_report *r), void *ctx)
{
	const uint8_t *got = dr_fact_state_code_hash(fact);
	struct dr_divergence_report r = { 0 };
	const bool differs = memcmp(got, p->code_hash, 32) != 0, differed = d->code_differs;

	if (d->code_proven && dr_fact_state_number(fact) < d->code_number)
		return;
	d->code_proven = true;
	d->code_number = dr_fact_state_number(fact);
	d->code_differs = differs;
	if (differs == differed)
		return;
	r.cleared = !differs;
	memcpy(r.expected, p->code_hash, 32);
	memcpy(r.got, got, 32);
	report(ctx, &r);
}

static void judge_slot(struct dr_divergence *d, const struct dr_state *state, const struct dr_fact_state *fact,
		       size_t idx, void (*report)(void *ctx, const struct dr_divergence_report *r), void *ctx)
{
	struct dr_divergence_report r = { 0 };
	struct dr_bytes value;
	struct subject s;
	struct verdict v;
	uint8_t index[33] = { 'i' };
	bool diverged;

	memcpy(index + 1, dr_fact_state_slot(fact, idx), 32);
	if (!dr_map_get(&value, d->map, dr_bytes_of(index, sizeof(index))))
		return;
	s.kind = value.ptr[0];
	memcpy(s.keys, value.ptr + 1, 64);
	if (!get(&v, d, &s) || (v.proven && dr_fact_state_number(fact) < v.number))
		return;
	memcpy(r.got, dr_fact_state_value(fact, idx), 32);
	expected(r.expected, state, &s);
	diverged = v.diverges;
	v.proven = true;
	v.number = dr_fact_state_number(fact);
	v.diverges = memcmp(r.got, r.expected, 32) != 0;
	put(d, &s, &v);
	if (v.diverges == diverged)
		return;
	r.cleared = !v.diverges;
	r.kind = s.kind;
	memcpy(r.subject, s.keys, 64);
	report(ctx, &r);
}

void dr_divergence_judge(struct dr_divergence *d, const struct dr_profile *p, const struct dr_state *state,
			 const struct dr_fact_state *fact,
			 void (*report)(void *ctx, const struct dr_divergence_report *r), void *ctx)
{
	learn_all(d, p, state);
	judge_code(d, p, fact, report, ctx);
	for (size_t i = 0; i < dr_fact_state_num_slots(fact); i++)
		judge_slot(d, state, fact, i, report, ctx);
}

static bool diverges(const struct dr_divergence *d, uint8_t kind, const uint8_t *first, const uint8_t *second)
{
	struct subject s = { .kind = kind };
	struct verdict v;

	memcpy(s.keys, first, 32);
	if (second != NULL)
		memcpy(s.keys + 32, second, 32);
	return get(&v, d, &s) && v.diverges;
}

static bool hardware_diverges(const struct dr_divergence *d, enum dr_hardware kind, const uint8_t *value)
{
	uint8_t word[32];

	dr_word_put(word, kind);
	return diverges(d, DR_SLOT_HARDWARE, word, value);
}

static bool machine_diverges(const struct dr_divergence *d, const uint8_t *tee, const uint8_t *family,
			     const uint8_t *device)
{
	return hardware_diverges(d, DR_HARDWARE_TEE, tee) || hardware_diverges(d, DR_HARDWARE_FAMILY, family) ||
	       hardware_diverges(d, DR_HARDWARE_SVN, family) || hardware_diverges(d, DR_HARDWARE_DEVICE, device);
}

static bool node_diverges(const struct dr_divergence *d, const struct dr_state *state, const uint8_t *id)
{
	struct dr_node node;

	dr_state_node(&node, state, id);
	return diverges(d, DR_SLOT_MEASUREMENT, node.measurement, NULL) ||
	       machine_diverges(d, node.tee, node.family, node.device);
}

enum dr_deny dr_divergence_share(const struct dr_divergence *d, const struct dr_self *self,
				 const struct dr_state *state, uint64_t generation, const uint8_t to[static 20])
{
	uint8_t word[32];

	if (!d->code_proven || d->code_differs)
		return DR_DENY_CODE;
	dr_word_put(word, generation);
	return d->fail.err != DR_OK || node_diverges(d, state, self->node) || node_diverges(d, state, to) ||
			       diverges(d, DR_SLOT_ROOT, word, NULL)
		       ? DR_DENY_DIVERGENCE
		       : DR_DENY_NONE;
}

enum dr_deny dr_divergence_verdict(const struct dr_divergence *d, const struct dr_self *self,
				   const struct dr_state *state, const struct dr_request *request,
				   const struct dr_decision *decision)
{
	struct dr_node node;
	uint8_t generation[32], newest[32];

	if (!d->code_proven || d->code_differs)
		return DR_DENY_CODE;
	if (d->fail.err != DR_OK || request->num_advisories > DR_ADVISORIES_MAX)
		return DR_DENY_DIVERGENCE;
	dr_state_node(&node, state, self->node);
	dr_word_put(generation, decision->generation);
	dr_word_put(newest, dr_state_generation(state)); /* another than the asked one where root_back is */
	if (diverges(d, DR_SLOT_MEASUREMENT, node.measurement, NULL) ||
	    diverges(d, DR_SLOT_APP_MEASUREMENT, request->app, request->measurement) ||
	    diverges(d, DR_SLOT_SUSPENDED, request->app, NULL) || diverges(d, DR_SLOT_ROOT, generation, NULL) ||
	    diverges(d, DR_SLOT_ROOT, newest, NULL) || machine_diverges(d, node.tee, node.family, node.device) ||
	    machine_diverges(d, request->tee, request->family, request->device))
		return DR_DENY_DIVERGENCE;
	for (size_t i = 0; i < request->num_advisories; i++)
		if (hardware_diverges(d, DR_HARDWARE_ADVISORY, request->advisories[i]))
			return DR_DENY_DIVERGENCE;
	return DR_DENY_NONE;
}
