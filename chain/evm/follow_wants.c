/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/evm/follow_impl.h"

#include <string.h>

#define RECEIPT_WANTS_MAX 24u
#define YOUNG_WANTS_MAX   4u

/* Collects wants up to a bound. */
struct wants {
	struct dr_want *out;
	size_t num, max;
	struct dr_want beyond; /* where wants beyond the bound go */
};

static struct dr_want *want(struct wants *w, enum dr_want_kind kind, uint64_t first, uint64_t last,
			    const uint8_t *hash)
{
	struct dr_want *to = w->num < w->max ? &w->out[w->num++] : &w->beyond;

	memset(to, 0, sizeof(*to));
	to->kind = (uint8_t)kind;
	to->first = first;
	to->last = last;
	if (hash != NULL)
		memcpy(to->hash, hash, 32);
	return to;
}

struct at_number {
	const struct dr_follow *f;
	uint8_t seen[DR_FOLLOW_BLOCKS_MAX / 8 + 1];
};

static bool mark_number(void *ctx, const struct dr_node *node)
{
	struct at_number *a = ctx;
	const uint64_t at = node->number - a->f->base_number;

	if (node->number > a->f->base_number && at <= DR_FOLLOW_BLOCKS_MAX)
		a->seen[at / 8] |= (uint8_t)(1u << at % 8);
	return false;
}

/* Has some number on the way no header at all? */
static bool has_gap(const struct dr_follow *f, uint64_t to)
{
	struct at_number a = { .f = f };

	dr_tree_any(&f->tree, mark_number, &a);
	for (uint64_t at = 1; at <= to - f->base_number; at++)
		if ((a.seen[at / 8] & 1u << at % 8) == 0)
			return true;
	return false;
}

/* Headers for the way to tip: by number while some number has none at all, then by hash. Where numbers lead to
 * another fork, and where one fills all the numbers below what is final (anybody can tell such headers), down from
 * the tip, so that it is seen soon where the two part. */
static void want_headers(const struct dr_follow *f, struct wants *w, const uint8_t missing[static 32],
			 uint64_t missing_number, bool final)
{
	const uint64_t room = missing_number - f->base_number;

	if (room > 1 && !f->astray && has_gap(f, missing_number))
		want(w, DR_WANT_HEADERS, f->base_number + 1, missing_number, NULL);
	else if (room > 1 && (f->astray || final))
		want(w, DR_WANT_PARENTS, missing_number - (room < PARENTS_AT_ONCE ? room : PARENTS_AT_ONCE) + 1,
		     missing_number, missing);
	else
		want(w, DR_WANT_HEADER, missing_number, missing_number, missing);
}

static void want_complete(const struct dr_follow *f, struct wants *w, size_t num, bool final)
{
	size_t asked = 0;
	const struct dr_node *tip = num > 0 ? f->path[num - 1] : NULL;

	for (size_t i = 0; i < num && asked < RECEIPT_WANTS_MAX; i++) {
		const struct dr_node *node = f->path[i];

		if (node->complete != DR_COMPLETE_NONE)
			continue;
		if (final && f->config.way == DR_WAY_ACCUMULATOR && f->config.has_accumulator &&
		    tip->number > f->no_acc_to) {
			struct dr_want *x =
				want(w, tip->has_acc ? DR_WANT_LOGS : DR_WANT_STATE,
				     tip->has_acc ? f->base_number + 1 : tip->number, tip->number, tip->hash);

			memcpy(x->address, f->config.contract, 20);
			if (!tip->has_acc) {
				x->num_slots = 2;
				memcpy(x->slots[0], f->config.count_slot, 32);
				memcpy(x->slots[1], f->config.acc_slot, 32);
			}
			return;
		}
		want(w, DR_WANT_RECEIPTS, node->number, node->number, node->hash);
		asked++;
	}
}

/* Asks for what the way to tip still lacks. True: it lacks nothing. */
static bool want_way(const struct dr_follow *f, struct wants *w, const struct named *tip, bool final)
{
	uint8_t missing[32];
	uint64_t missing_number;
	size_t num;
	const size_t before = w->num;

	switch (dr_tree_path(&f->tree, f->base_number, f->base_hash, tip->number, tip->hash, f->path, &num, missing,
			     &missing_number)) {
	case DR_PATH_MISSING: want_headers(f, w, missing, missing_number, final); return false;
	case DR_PATH_LINKED: want_complete(f, w, num, final); return w->num == before;
	case DR_PATH_FORK:
	case DR_PATH_BROKEN: return true;
	}
	return true;
}

/* The newest first: the oldest may not be served any more. */
static void want_young(const struct dr_follow *f, struct wants *w)
{
	for (size_t i = 1, asked = 0; i <= DR_FOLLOW_YOUNG_MAX && asked < YOUNG_WANTS_MAX; i++) {
		const struct young *y = &f->young[(f->young_next + DR_FOLLOW_YOUNG_MAX - i) % DR_FOLLOW_YOUNG_MAX];

		if (!y->set || y->answered || dr_tree_find(&f->tree, y->hash) == NULL)
			continue;
		struct dr_want *x = want(w, DR_WANT_STATE, y->number, y->number, y->hash);

		memcpy(x->address, f->config.contract, 20);
		x->num_slots = (uint16_t)y->num_slots;
		memcpy(x->slots, y->slots, y->num_slots * 32);
		asked++;
	}
}

size_t dr_follow_wants(const struct dr_follow *f, struct dr_want *out, size_t max)
{
	struct wants w = { .out = out, .max = max };
	const struct named *tip = NULL;

	if (f->halted)
		return 0;
	const uint64_t from = f->has_cursor ? f->base_number : f->config.start_number;
	uint64_t last = from + f->config.step_max - (f->has_cursor ? 0 : 1), highest = 0;

	/* What is named already is reached first: a cursor that creeps would otherwise have each of its places named.
	 */
	for (size_t i = 0; i < NAMED_MAX; i++) {
		const struct named *n = &f->final_[i];

		if (!n->set || n->number < from || (f->has_base && n->number <= f->base_number))
			continue;
		if (n->number > highest)
			highest = n->number;
		if (tip == NULL || n->number < tip->number)
			tip = n;
	}
	if (tip != NULL && highest < last)
		last = highest;
	if (f->config.finality.wants != NULL)
		w.num += f->config.finality.wants(f->config.finality.self, w.out + w.num, w.max - w.num);
	want(&w, DR_WANT_FINALITY, from, last, NULL);
	if (!f->has_base) {
		want(&w, DR_WANT_HEADER, f->config.start_number, f->config.start_number, f->config.start_hash);
		return w.num;
	}
	const bool reached = tip == NULL || want_way(f, &w, tip, true);

	/* From far above, down to where the headers held reach. */
	if (tip == NULL && f->far.num > 0)
		dr_follow_far_wants(f, want(&w, DR_WANT_HEADER, 0, 0, NULL));
	if (reached && f->far.num == 0 && f->has_cursor && f->head.set && f->head.number > f->base_number)
		want_way(f, &w, &f->head, false);
	want_young(f, &w);
	const struct past *p = f->wish.set && !f->wish.answered ? past_at(f, f->wish.number) : NULL;

	if (p != NULL) {
		struct dr_want *x = want(&w, DR_WANT_STATE, p->number, p->number, p->hash);

		memcpy(x->address, f->config.contract, 20);
		x->num_slots = (uint16_t)f->wish.num_slots;
		memcpy(x->slots, f->wish.slots, f->wish.num_slots * 32);
	}
	return w.num;
}

/* Way (c)'s own: its two slots, or its list. Other state at a block says nothing of them. */
static bool is_way_c(const struct dr_follow *f, const struct dr_want *want)
{
	return want->kind == DR_WANT_LOGS || (want->kind == DR_WANT_STATE && want->num_slots == 2 &&
					      memcmp(want->slots[0], f->config.count_slot, 32) == 0 &&
					      memcmp(want->slots[1], f->config.acc_slot, 32) == 0);
}

void dr_follow_unavailable(struct dr_follow *f, const struct dr_want *want)
{
	if (want->kind == DR_WANT_STATE && memcmp(want->address, dr_evm_history_address, 20) == 0)
		f->far.no_history = true;
	else if (is_way_c(f, want) && want->last > f->no_acc_to)
		f->no_acc_to = want->last;
}
