/* SPDX-License-Identifier: Apache-2.0
 *
 * search_world: the forged chain of test_search.c and tests/simulate: blocks of random events, with the words that
 * the profile reads, and the contract's storage as the model would have it.
 */
#ifndef DR_TESTS_SEARCH_WORLD_H
#define DR_TESTS_SEARCH_WORLD_H

#include "tests/unit/kms-bridge/engine_kit.h"
#include "tests/unit/kms-bridge/search_acts.h"

#define BLOCKS 340u
#define DENIES 32u
#define NONCES 16u /* the newest that an engine remembers */

/* What all worlds together saw. */
struct totals {
	uint64_t worlds, blocks, events, obeyed, heads, reorgs, restarts, asked, allowed, withheld[DENIES],
		denied[DENIES], refused, shares, shares_allowed, back, root_back, from, epochs, generations, foreseen,
		unsealed;
};

struct block {
	struct block *parent;
	struct forge_block *forged;
	struct m_ev **line;
	size_t num, own;
	uint64_t time, number;
	bool counts, counted; /* as a head, now; and once, in the totals */
	/* What a watch was told of it, where that matters: truthfully; the sources that named it final, ever and in
	 * this life of the core; from which block on the log list that ends here begins. */
	bool told_header, told_receipts, told_state;
	uint16_t named, named_now;
	uint64_t told_logs;
	struct beacon *beacon; /* at proof consensus (tests/simulate/world_beacon.c): its beacon block, once sealed */
};

struct search {
	struct world w;
	struct engine_kit *k;
	struct dr_init init;
	struct totals *t;
	struct block *blocks[BLOCKS], *tip, *final_;
	size_t num;
	uint64_t head_time, now_ms;
	bool quiet, broken;
	/* The model of the seal. */
	bool offset_known, seen, clock_wrong;
	int64_t offset_ms;
	uint64_t seen_boot_ms;
	struct {
		uint64_t size, id, boot_ms;
	} nonces[NONCES];
	size_t num_nonces;
	uint64_t last_nonce;
	/* A core that plays NODE, if there is one, and the nonces that it drew: ids from DRAWN on. */
	const struct real_node *real;
	const uint8_t (*drawn)[32];
	size_t num_drawn;
};

#define DRAWN 1000000u

static inline struct m_view view_of(const struct block *b)
{
	return (struct m_view){ b->line, b->num, b->time };
}

/* Words */

static inline struct w word_of(const struct search *s, enum dr_word_type type, enum dr_action action, uint64_t n)
{
	struct w w;

	switch (type) {
	case DR_WORD_U64:
	case DR_WORD_BOOL: return kit_n(n);
	case DR_WORD_ADDRESS: return kit_a((uint8_t)n);
	case DR_WORD_BYTES32: break;
	}
	w = kit_b((uint8_t)n);
	if (action == DR_ACTION_PROFILE_SET && n == M_OURS)
		memcpy(w.b, s->w.k->profile.digest, 32);
	return w;
}

static inline void words_of(struct w words[static 11], const struct search *s, const struct m_ev *e)
{
	const struct dr_action_def *def = dr_action_def((uint16_t)e->action), *about;
	struct root_kit root;

	if (e->action == DR_ACTION_ROOT_PUBLISH) {
		root_kit(&root, &s->w.k->fold, e->pub.generation, e->pub.node, (uint8_t)e->pub.seed,
			 (uint8_t)e->pub.prev_seed);
		root_words(words, &root);
		if (e->pub.words != NULL)
			memcpy(words[1].b, e->pub.words, 10 * sizeof(words[0]));
		words[0] = kit_n(e->n[0]);
		if (e->pub.spoiled)
			words[1 + e->time % 8].b[31] ^= 1;
		return;
	}
	if (e->action == DR_ACTION_HEARTBEAT) {
		words[0] = kit_n(e->n[1]);
		dr_be64_put(words[0].b, e->n[0]);
		/* One that names another size is another. */
		if (e->n[1] >= DRAWN && e->n[1] - DRAWN < s->num_drawn &&
		    dr_be64_get(s->drawn[e->n[1] - DRAWN]) == e->n[0])
			memcpy(words[0].b, s->drawn[e->n[1] - DRAWN], 32);
		return;
	}
	for (size_t i = 0; i < def->num_args; i++)
		words[i] = word_of(s, def->args[i].type, e->action, e->n[i]);
	if (e->action != DR_ACTION_PROPOSE)
		return;
	about = e->n[0] <= UINT16_MAX ? dr_action_def((uint16_t)e->n[0]) : NULL;
	for (size_t i = 0; about != NULL && i < about->num_args && i < 8; i++)
		words[2 + i] = word_of(s, about->args[i].type, about->action, e->n[2 + i]);
	if (e->dirty)
		words[9].b[0] = 1;
}

static inline void event_of(struct forge_event *out, const struct search *s, const struct m_ev *e)
{
	const struct dr_profile *p = &s->w.k->profile;
	const struct dr_profile_event *event = NULL;
	struct w words[11] = { 0 };
	uint8_t *data = kit_alloc(DR_ARGS_MAX * 32);

	memset(out->topic0, 0xee, 32);
	out->data = dr_bytes_of(data, 32);
	for (size_t i = 0; i < p->num_events; i++)
		if (p->events[i].action == (e->what == M_UNREADABLE ? DR_ACTION_NODE_STAKE : e->action))
			event = &p->events[i];
	assert_non_null(event);
	if (e->what == M_UNREADABLE && e->n[0] == 0)
		return; /* a topic that nobody knows */
	memcpy(out->topic0, event->topic0, 32);
	out->data = dr_bytes_of(data, 32u * event->num_words);
	if (e->what == M_UNREADABLE) { /* too short; or an address that is none */
		memset(data, 0xff, e->n[0] == 2 ? 32 : 0);
		out->data.len -= e->n[0] == 1;
		return;
	}
	words_of(words, s, e);
	for (size_t i = 0; i < event->num_words; i++) {
		const uint8_t field = event->words[i].field;
		const struct w w = field == DR_FIELD_PROPOSAL ? kit_n(e->proposal)
				   : field == DR_FIELD_BY     ? kit_a(e->by)
				   : field == DR_FIELD_DUE    ? kit_n(e->due)
							      : words[field];

		memcpy(data + 32 * i, w.b, 32);
	}
}

/* The contract's storage, as the model would have it. */

static inline void slot(struct forge_state *state, uint64_t base, struct w key, const struct w *key2,
			const uint8_t *value)
{
	uint8_t bytes[64], at[32];

	memcpy(bytes, key.b, 32);
	dr_word_put(bytes + 32, base);
	dr_keccak256(at, bytes, 64);
	if (key2 != NULL) {
		memcpy(bytes, key2->b, 32);
		memcpy(bytes + 32, at, 32);
		dr_keccak256(at, bytes, 64);
	}
	forge_slot_put(state, at, value);
}

/* pubs_of: the hash of a generation's keys, which depend on its seed alone. */
static inline const uint8_t *pubs_of(const struct search *s, const struct m_ev *e)
{
	static uint8_t pubs[256][32], told[32];
	uint8_t *out = e->pub.words != NULL ? told : pubs[e->pub.seed % 256];
	struct root_kit root;
	uint8_t bytes[64];

	if (e->pub.words != NULL) {
		memcpy(bytes, e->pub.words[1], 32);
		memcpy(bytes + 32, e->pub.words[4], 32);
		dr_keccak256(out, bytes, 64);
	} else if (dr_bytes_zero(out, 32)) {
		root_kit(&root, &s->w.k->fold, 1, NODE, (uint8_t)e->pub.seed, 0);
		memcpy(bytes, root.claim.prf_pub, 32);
		memcpy(bytes + 32, root.claim.sig_pub, 32);
		dr_keccak256(out, bytes, 64);
	}
	return out;
}

static inline void store(const struct search *s, struct forge_state *state, const struct block *b)
{
	for (size_t i = b->num - b->own; i < b->num; i++) {
		const struct m_ev *e = b->line[i];
		const struct w none = kit_n(0), due = kit_n(e->due), first = kit_b((uint8_t)e->n[0]);
		const struct w second = kit_b((uint8_t)e->n[1]), one = kit_n(1), least = kit_n(e->n[2] + 1);

		if (!e->obeyed)
			continue;
		switch ((int)e->action) {
		case DR_ACTION_MEASUREMENT_ALLOW: slot(state, 2, first, NULL, due.b); break;
		case DR_ACTION_MEASUREMENT_REVOKE: slot(state, 2, first, NULL, none.b); break;
		case DR_ACTION_APP_MEASUREMENT_ALLOW: slot(state, 3, first, &second, due.b); break;
		case DR_ACTION_APP_MEASUREMENT_REVOKE: slot(state, 3, first, &second, none.b); break;
		case DR_ACTION_HARDWARE_BLACKLIST: slot(state, 4, kit_n(e->n[0]), &second, least.b); break;
		case DR_ACTION_ROOT_PUBLISH: slot(state, 5, kit_n(e->n[0]), NULL, pubs_of(s, e)); break;
		case DR_ACTION_APP_SUSPEND: slot(state, 6, first, NULL, one.b); break;
		case DR_ACTION_APP_RESUME: slot(state, 6, first, NULL, due.b); break;
		default: break;
		}
	}
}

/* profile_of: as the model has it; its digest is another than the usual one. */
static inline void profile_of(struct dr_profile *p)
{
	static uint8_t bytes[DR_PROFILE_LEN_MAX];
	struct dr_fail fail = { 0 };
	size_t len;

	p->state_every = 16;
	p->exposure_grace_s = M_GRACE_S;
	assert_int_equal(dr_profile_encode(bytes, sizeof(bytes), &len, p, &fail), DR_OK);
	assert_int_equal(dr_profile_decode(p, dr_bytes_of(bytes, len), &fail), DR_OK);
}

/* Blocks */

static inline struct block *block_new(struct search *s, struct block *parent, uint64_t dt)
{
	struct block *b = (struct block *)kit_alloc(sizeof(*b));
	const size_t before = parent != NULL ? parent->num : 0;
	struct m_ev *tick = (struct m_ev *)kit_alloc(sizeof(*tick));

	assert_true(s->num < BLOCKS);
	b->parent = parent;
	b->time = parent != NULL ? parent->time + dt : 1000000;
	b->number = parent != NULL ? parent->number + 1 : START;
	b->line = (struct m_ev **)kit_alloc((before + 1 + DRAFT_EVENTS) * sizeof(*b->line));
	if (before > 0)
		memcpy(b->line, parent->line, before * sizeof(*b->line));
	*tick = (struct m_ev){ .what = M_TICK, .time = b->time, .number = b->number };
	b->line[before] = tick;
	b->num = before + 1;
	return b;
}

static inline void block_forge(struct search *s, struct block *b, uint64_t dt)
{
	struct forge_event events[DRAFT_EVENTS];
	struct forge_state *state = NULL;

	if (b->own > 0 || b->parent == NULL) {
		state = forge_state_of(s->w.forge, b->parent != NULL ? b->parent->forged : NULL);
		store(s, state, b);
	}
	for (size_t i = 0; i < b->own; i++)
		event_of(&events[i], s, b->line[b->num - b->own + i]);
	b->forged = forge_block(s->w.forge, b->parent != NULL ? b->parent->forged : NULL, dt, events, b->own, state);
	s->blocks[s->num++] = b;
	s->t->blocks++;
}

static inline void founders(struct search *s, struct block *b)
{
	static const uint64_t classes[] = { 20, 30, 40, 50, 30 };
	struct m_ev list[20] = { { .action = DR_ACTION_MEMBER_SET, .n = { ALICE, 3 } },
				 { .action = DR_ACTION_MEMBER_SET, .n = { BOB, 2 } },
				 { .action = DR_ACTION_MEMBER_SET, .n = { CAROL, 1 } },
				 { .action = DR_ACTION_QUORUM_SET, .n = { 3 } },
				 { .action = DR_ACTION_GUARDIAN_ADD, .n = { GUARDIAN } },
				 { .action = DR_ACTION_PROFILE_SET, .n = { M_OURS } } };
	size_t num = 6;

	for (uint64_t class = 0; class < DR_NOTICE_CLASSES; class ++)
		list[num++] = (struct m_ev){ .action = DR_ACTION_NOTICE_SET, .n = { class, rnd(classes[class]) } };
	list[num++] = (struct m_ev){ .action = DR_ACTION_CONSTITUTE, .n = { 1000 } };
	for (size_t i = 0; i < num; i++) {
		struct m_ev *e = (struct m_ev *)kit_alloc(sizeof(*e));

		*e = list[i];
		e->what = M_ACT;
		e->due = e->time = b->time;
		e->number = b->number;
		e->obeyed = true;
		b->line[b->num++] = e;
	}
	b->own = num;
	block_forge(s, b, 0);
}

/* step_from: how long until the next block: often until just when something becomes due, or a second beside it. */
static inline uint64_t step_from(const struct block *b)
{
	static struct m_roots roots;
	const struct m_view v = view_of(b);
	const struct m_ev *e = b->line[rnd(b->num)];
	uint64_t at = e->due;

	if (odds(70))
		return odds(80) ? 1 + rnd(30) : 1 + rnd(150);
	if (odds(50)) {
		m_roots(&roots, &v);
		for (uint64_t g = 1; g <= roots.ordered; g++)
			if (roots.g[g].exposed > b->time || roots.g[g].deadline > b->time)
				at = roots.g[g].exposed > b->time ? roots.g[g].exposed : roots.g[g].deadline + 1;
	}
	at += rnd(3);
	return at > b->time + 1 && at < b->time + 400 ? at - 1 - b->time : 1 + rnd(30);
}

static inline struct block *block_on(struct search *s, struct block *parent, bool side)
{
	const uint64_t dt = step_from(parent);
	struct block *b = block_new(s, parent, dt);
	struct draft d = { b->line,   b->num, b->num, b->time, b->number, side ? odds(90) : !s->broken,
			   { { 0 } }, 0,      s->real };

	for (size_t i = s->num_nonces > 4 ? s->num_nonces - 4 : 0; i < s->num_nonces; i++) {
		d.nonces[d.num_nonces][0] = s->nonces[i].size;
		d.nonces[d.num_nonces++][1] = s->nonces[i].id;
	}
	for (size_t num = odds(15) ? 0 : 1 + rnd(16); num > 0 && draft_room(&d); num--)
		act_random(&d);
	if (side && odds(60) && draft_room(&d))
		act_sudden(&d);
	draft_end(&d);
	b->own = d.num - b->num;
	b->num = d.num;
	block_forge(s, b, dt);
	return b;
}

static inline bool descends(const struct block *b, const struct block *from)
{
	while (b != NULL && b->number > from->number)
		b = b->parent;
	return b == from;
}

#endif
