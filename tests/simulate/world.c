/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulate/world.h"

#include "chain/evm/bloom.h"
#include "tests/simulate/world_beacon.h"

struct world_sim w;

/* The beginnings, each with its own kit and chain: made once, before there is a run. */
static struct search *beginnings[WORLDS];
static struct totals begun;

/* NODE's own acts in a world that has no core yet. */
static bool publish_none(void *ctx, struct m_ev *e, uint64_t g)
{
	(void)ctx;
	(void)e;
	(void)g;
	return false;
}

static bool publish_told(void *ctx, struct m_ev *e, uint64_t g)
{
	(void)ctx;
	for (size_t i = w.num_roots; i > 0; i--) {
		const struct told_root *r = &w.roots[i - 1];

		if (r->generation != g)
			continue;
		e->pub.generation = g;
		e->pub.node = NODE;
		e->pub.seed = r->seed;
		e->pub.prev_seed = r->prev_seed;
		e->pub.words = r->words;
		return true;
	}
	return false;
}

/* Whether NODE could have keys but for its root, which only a core makes. */
static bool is_ripe(const struct block *b)
{
	static struct m_roots roots;
	const struct m_view v = view_of(b);
	bool due = false;

	m_roots(&roots, &v);
	for (uint64_t g = 1; g <= roots.ordered; g++)
		due = due || (roots.g[g].node == NODE && roots.g[g].stage == DR_ROOT_DUE &&
			      roots.g[g].deadline > b->time + 250 && m_given(&roots, g, NODE));
	return due && m_published_below(&roots, M_ROOTS) == 0 && m_standing(&v) && m_node_right(&v, NODE) &&
	       m_in_force(&v, m_version(&v, 0xa1, 0x51)) && !m_suspended(&v, 0xa1);
}

void world_make(size_t num)
{
	static struct real_node none = { publish_none, NULL };

	for (uint64_t seed = 1 + num * 1000;; seed++) {
		struct search *s = (struct search *)sim_alloc(sizeof(*s));

		tape_fixed(seed);
		s->t = &begun;
		s->real = &none;
		s->w.forge = forge_new(3);
		s->w.forge->noise = num % 2 == 1;
		s->w.forge->history = num % 3 == 2;
		s->w.k = kit_new();
		profile_of(&s->w.k->profile);
		s->w.k->fold.start_number = START;
		s->tip = block_new(s, NULL, 0);
		founders(s, s->tip);
		while (s->num < 48 && !is_ripe(s->tip))
			s->tip = block_on(s, s->tip, false);
		beginnings[num] = s;
		if (is_ripe(s->tip))
			return;
	}
}

void world_take(void)
{
	w.s = *beginnings[draw(WORLDS)];
	w.s.t = &w.t;
	w.real = (struct real_node){ publish_told, NULL };
	w.s.real = &w.real;
	w.s.drawn = (const uint8_t(*)[32])w.drawn_words;
	w.s.w.forge->tip = w.s.tip->forged;
	w.s.w.forge->final_number = START + draw(4);
	w.s.now_ms = w.s.tip->time * 1000;
	machine.true_ms = w.s.now_ms - MACHINE_EPOCH_MS;
	machine_reboot();
	dr_merkle_init(&w.ledger);
	w.leaves = sim_alloc(ENTRIES_MAX * sizeof(*w.leaves));
	for (size_t i = 0; i < 2; i++) {
		dr_merkle_init(&w.logs[i].tree);
		w.logs[i].entries = sim_alloc(ENTRIES_MAX * sizeof(*w.logs[i].entries));
	}
}

struct block *world_find(const uint8_t hash[static 32])
{
	for (size_t i = w.s.num; i > 0; i--)
		if (memcmp(w.s.blocks[i - 1]->forged->header.hash, hash, 32) == 0)
			return w.s.blocks[i - 1];
	return NULL;
}

struct block *world_at(struct block *tip, uint64_t number)
{
	while (tip != NULL && tip->number > number)
		tip = tip->parent;
	return tip != NULL && tip->number == number ? tip : NULL;
}

struct block *world_final(void)
{
	return world_at(w.s.tip, w.s.w.forge->final_number);
}

/* The chain's time is the truth's: where nothing happened for long, blocks without events come first: one, or at
 * proof consensus some in each period. */
static void catch_up(void)
{
	const uint64_t now = machine_true_wall_ms() / 1000;

	while (now >= w.s.tip->time + 60 && w.s.num + 8 < BLOCKS) {
		const uint64_t all = now - w.s.tip->time, dt = w.consensus && all > w.stride ? w.stride : all;
		struct block *b = block_new(&w.s, w.s.tip, dt);

		block_forge(&w.s, b, dt);
		sim_count(SIM_BLOCKS);
		w.s.tip = b;
		w.s.w.forge->tip = b->forged;
	}
}

void world_finalize(uint64_t number)
{
	if (w.consensus)
		beacon_sign(w.s.tip, number);
	else
		w.s.w.forge->final_number = number;
}

/* One block more: of the chain, or a fork of a few from some block above what is final, which may become the chain.
 */
void world_grow(bool side)
{
	struct block *from = w.s.tip;

	if (w.s.num + 8 >= BLOCKS)
		return;
	if (!side)
		catch_up();
	from = w.s.tip;
	w.s.num_nonces = 0;
	for (size_t i = w.num_drawn > 4 ? w.num_drawn - 4 : 0; i < w.num_drawn; i++) {
		if (w.drawn[i].lost)
			continue;
		w.s.nonces[w.s.num_nonces].size = w.drawn[i].size;
		w.s.nonces[w.s.num_nonces++].id = DRAWN + i;
	}
	for (uint32_t up = side ? draw(5) : 0; up > 0 && from->number > w.s.w.forge->final_number; up--)
		from = from->parent;
	for (uint32_t num = side ? 1 + draw(3) : 1; num > 0; num--) {
		from = block_on(&w.s, from, side);
		sim_count(SIM_BLOCKS);
		report->counts[SIM_EVENTS] += from->own;
	}
	if (from->time * 1000 > machine_true_wall_ms())
		machine_advance(from->time * 1000 - machine_true_wall_ms());
	for (size_t i = 0; side && i < from->num; i++)
		if (from->line[i]->what == M_UNREADABLE)
			return; /* never the chain itself, or nothing would be answered in this run again */
	if (side && chance(60))
		return;
	if (side)
		sim_count(SIM_REORGS);
	w.s.tip = from;
	w.s.w.forge->tip = from->forged;
	report->counts[SIM_REORGED_HEADS] +=
		w.attested != NO_BLOCK && world_at(from, w.attested->number) != w.attested;
}

void world_mend(bool anew)
{
	struct block *b;
	struct draft d;
	struct m_ev e = { .what = M_ACT, .action = DR_ACTION_HEARTBEAT, .by = NODE };
	size_t at = w.num_drawn;

	while (at > 0 && w.drawn[at - 1].lost)
		at--;
	catch_up();
	if (w.s.num + 8 >= BLOCKS || (!anew && at == 0))
		return;
	b = block_new(&w.s, w.s.tip, 2);
	d = (struct draft){ .line = b->line, .num = b->num, .begin = b->num, .time = b->time, .number = b->number };
	if (anew) {
		e.action = DR_ACTION_NODE_REGISTER;
		act_register(&e, NODE);
	} else {
		e.n[0] = w.drawn[at - 1].size;
		e.n[1] = DRAWN + at - 1;
	}
	draft_put(&d, e, NULL);
	draft_end(&d);
	b->own = d.num - b->num;
	b->num = d.num;
	block_forge(&w.s, b, 2);
	w.s.tip = b;
	w.s.w.forge->tip = b->forged;
	if (b->time * 1000 > machine_true_wall_ms())
		machine_advance(b->time * 1000 - machine_true_wall_ms());
}

/* The honest fold */

static enum dr_err on_change(void *ctx, const struct dr_change *change)
{
	const struct block *b = ctx;
	uint8_t leaf[DR_CHANGE_LEN_MAX];
	struct dr_fail fail = { 0 };
	size_t len;

	SIM_MUST("limit", w.ledger.size < ENTRIES_MAX, "too many ledger entries");
	SIM_MUST("I2", dr_change_encode(leaf, sizeof(leaf), &len, change, &fail) == DR_OK, "a change has no leaf");
	dr_merkle_leaf(w.leaves[w.ledger.size], dr_bytes_of(leaf, len));
	dr_merkle_add(&w.ledger, w.leaves[w.ledger.size]);
	if (change->ordinal == UINT32_MAX)
		return DR_OK; /* something became due */
	/* Each event is one entry, in order, and is obeyed where the model obeys it. */
	SIM_MUST("I2", change->ordinal == w.next_ordinal && w.next_ordinal < b->own,
		 "event %u of block %llu is told where %u is due", change->ordinal, (unsigned long long)b->number,
		 w.next_ordinal);
	const struct m_ev *e = b->line[b->num - b->own + w.next_ordinal++];

	SIM_MUST("I2", (change->outcome != DR_OUTCOME_REFUSED) == e->obeyed,
		 "event %u of block %llu, action %d: %s (%s), the model says otherwise", change->ordinal,
		 (unsigned long long)b->number, (int)e->action, dr_outcome_name(change->outcome),
		 dr_reason_name(change->reason));
	return DR_OK;
}

static void fold(struct block *b)
{
	struct dr_event events[FORGE_EVENTS] = { 0 };
	const struct forge_block *f = b->forged;
	struct dr_fold rules = w.s.w.k->fold;
	struct dr_fact_block fact = { .proof = DR_PROOF_QUORUM,
				      .status = DR_STATUS_FINAL,
				      .complete = DR_COMPLETE_RECEIPTS,
				      .number = b->number,
				      .timestamp = b->time,
				      .num_events = f->num_events,
				      .events = events };
	struct dr_fail fail = { 0 };

	rules.profile = &w.s.w.k->profile;
	rules.change = on_change;
	rules.ctx = b;
	memcpy(fact.hash, f->header.hash, 32);
	memcpy(fact.parent, f->header.parent_hash, 32);
	for (size_t i = 0; i < f->num_events; i++) {
		events[i] = (struct dr_event){ .ordinal = (uint32_t)i, .num_topics = 1, .data = f->events[i].data };
		memcpy(events[i].address, w.s.w.forge->contract, 20);
		memcpy(events[i].topic0, f->events[i].topic0, 32);
	}
	w.next_ordinal = 0;
	SIM_MUST("I2", dr_fold_block(&rules, &w.state, &fact, &fail) == DR_OK, "a block does not fold: %s",
		 fail.what);
	SIM_MUST("I2", w.next_ordinal == b->own, "block %llu has %zu events, %u were told",
		 (unsigned long long)b->number, b->own, w.next_ordinal);
	w.folded = b;
	w.steps[w.num_steps].number = b->number;
	w.steps[w.num_steps].size = w.ledger.size;
	dr_merkle_root(w.steps[w.num_steps++].root, &w.ledger);
}

void world_ledger(uint64_t number, uint64_t *size, uint8_t root[static 32])
{
	while (w.folded == NULL || w.folded->number < number)
		fold(world_at(world_final(), w.folded == NULL ? START : w.folded->number + 1));
	SIM_MUST("limit", number >= START && number - START < w.num_steps, "no such step");
	*size = w.steps[number - START].size;
	memcpy(root, w.steps[number - START].root, 32);
}

const uint8_t *world_leaf(uint64_t idx)
{
	return idx < w.ledger.size ? w.leaves[idx] : NULL;
}

/* What was told */

static bool may_have_events(const struct block *b)
{
	return !dr_evm_bloom_excludes(b->forged->header.bloom, w.s.w.forge->contract, 20);
}

bool world_complete(struct block *b)
{
	if (!b->told_header)
		return false;
	if (!may_have_events(b) || b->told_receipts)
		return true;
	for (struct block *x = world_final(); x != NULL && x->number >= b->number; x = x->parent)
		if (x->told_state && x->told_logs != 0 && x->told_logs <= b->number)
			return true;
	return false;
}

bool world_named(const struct block *b, bool now)
{
	for (struct block *x = world_final(); x != NULL && x->number >= b->number; x = x->parent)
		if (__builtin_popcount(now ? x->named_now : x->named) >= w.k)
			return true;
	return false;
}

const char *world_held(const struct m_view *v)
{
	const struct m_ev *nonce = m_nonce(v, NODE);

	if (nonce == NULL)
		return NULL;
	if (nonce->n[1] < DRAWN || nonce->n[1] - DRAWN >= w.num_drawn ||
	    nonce->n[0] != w.drawn[nonce->n[1] - DRAWN].size)
		return "a heartbeat that no core drew";
	return w.drawn[nonce->n[1] - DRAWN].lost ? "a heartbeat of a journal that was rolled back" : NULL;
}
