/* SPDX-License-Identifier: Apache-2.0
 *
 * What sources tell at proof consensus. A proof that is true is noted at the block that it names, unless the core's
 * clock says that it is of the future, and then it proves nothing there.
 */
#include "tests/simulate/watch.h"
#include "tests/simulate/world_beacon.h"

/* How long ago, by the core's clock, something was signed; its clock may be a second late (core_live.c), and it takes
 * what is a second ahead. */
static int64_t age_s(uint64_t time)
{
	return (int64_t)(machine_wall_ms() / 1000) - (int64_t)time;
}
#define SURE_S 2

/* Until a second after its clock was set it may not have looked at it. */
static bool is_set(void)
{
	return machine.true_ms < w.clock_set_ms + 1500;
}

static bool in_doubt(uint64_t time)
{
	return is_set() || (age_s(time) < SURE_S && age_s(time) > -5);
}

bool watch_beacon_timely(const struct dr_frame *f)
{
	struct said said;

	return !w.consensus || f->type != DR_FRAME_FINALITY || !beacon_said(&said, f->payload) ||
	       !in_doubt(said.time);
}

/* Nobody tells of it before it is seconds old. */
static void ripen(uint64_t time)
{
	if (!in_doubt(time))
		return;
	if (is_set())
		machine_advance(1500);
	if (in_doubt(time))
		machine_advance((uint64_t)(SURE_S - age_s(time)) * 1000);
	hear_run();
}

void watch_beacon_note(const struct dr_frame *f)
{
	struct said said;

	if (!beacon_said(&said, f->payload))
		return;
	if (age_s(said.time) < SURE_S) {
		sim_count(SIM_FUTURE);
		return;
	}
	if (said.head != NO_BLOCK && said.head->time > w.attested_time)
		w.attested_time = said.head->time;
	if (said.final_ == NO_BLOCK)
		return;
	said.final_->named |= 1;
	/* Whoever has begun does not begin again. */
	if (!said.bootstrap || watch_wants(DR_WANT_BOOTSTRAP))
		said.final_->named_now |= 1;
}

static void show(uint32_t want, enum dr_beacon_kind kind, struct block *b, uint16_t source)
{
	switch (kind) {
	case DR_BEACON_BOOTSTRAP: sim_count(SIM_BOOTSTRAPS); break;
	case DR_BEACON_UPDATE: sim_count(SIM_UPDATES); break;
	case DR_BEACON_FINALITY_UPDATE: sim_count(SIM_FINALITY_UPDATES); break;
	case DR_BEACON_OPTIMISTIC_UPDATE: sim_count(SIM_HEAD_UPDATES); break;
	}
	watch_send(want, beacon_true(kind, b, source));
}

/* Some block that the committee signed, not long ago: what is told of it is true, and old. */
static struct block *older(void)
{
	struct block *b = w.attested;

	for (uint32_t back = draw(12); back > 0 && b->parent->number > w.checkpoint->number; back--)
		b = b->parent;
	return b;
}

static void lie(uint32_t want, uint16_t source)
{
	static const enum dr_beacon_kind kinds[] = { DR_BEACON_UPDATE, DR_BEACON_FINALITY_UPDATE,
						     DR_BEACON_OPTIMISTIC_UPDATE };
	const enum dr_beacon_kind kind = kinds[draw(3)];

	sim_count(SIM_LIES);
	if (chance(25)) {
		sim_count(SIM_OLD);
		show(want, kind, older(), source);
		return;
	}
	watch_send(want, beacon_false(kind, chance(30) ? older() : w.attested, source));
}

void watch_beacon_words(bool honest)
{
	if (w.attested == NO_BLOCK)
		return;
	ripen(w.attested->time + 1);
	for (uint16_t e = 0; e < w.n; e++) {
		if (!honest && chance(10)) {
			sim_count(SIM_WITHHELD);
			continue;
		}
		sim_count(SIM_WORDS);
		if (!honest && chance(w.lie_percent))
			lie(1, e);
		else
			show(1, w.withheld ? DR_BEACON_OPTIMISTIC_UPDATE : DR_BEACON_FINALITY_UPDATE, w.attested, e);
	}
}

bool watch_beacon_head(struct block *b)
{
	const uint64_t before = w.attested_time;

	ripen(b->time + 1);
	const bool sure = age_s(b->time + 1) >= SURE_S;

	for (uint16_t e = 0; e < w.n; e++)
		show(1, DR_BEACON_OPTIMISTIC_UPDATE, b, e);
	hear_run();
	/* A head that is no later than one that it was shown before is none. */
	return sure && b->time > before;
}

void watch_beacon_answer(const struct dr_want *want, uint16_t source)
{
	if (want->kind == DR_WANT_BOOTSTRAP) {
		show(want->id, DR_BEACON_BOOTSTRAP, w.checkpoint, source);
		return;
	}
	for (uint64_t period = want->first; period <= want->last && !w.withheld; period++) {
		struct block *b = beacon_best(period);

		if (b == NO_BLOCK)
			continue;
		ripen(b->time + 1);
		show(want->id, DR_BEACON_UPDATE, b, source);
	}
}

void watch_beacon_lie(const struct dr_want *want, uint16_t source)
{
	if (want->kind == DR_WANT_BOOTSTRAP) {
		watch_send(want->id, beacon_false(DR_BEACON_BOOTSTRAP, w.checkpoint, source));
		return;
	}
	for (uint64_t period = want->first; period <= want->last; period++) {
		struct block *b = beacon_best(period);

		if (b != NO_BLOCK)
			watch_send(want->id, beacon_false(DR_BEACON_UPDATE, b, source));
		else if (w.attested != NO_BLOCK)
			lie(want->id, source);
	}
}

/* Another chain from below the cursor, so many blocks long: the longest, only who looks at all its headers sees. */
static struct block *other_chain(uint32_t len)
{
	struct block *b = w.cursor->parent;

	for (uint32_t i = 0; i < len; i++) {
		const uint64_t dt = i == 0 ? w.cursor->time - b->time + 1 : 1;
		struct block *next = block_new(&w.s, b, dt);

		block_forge(&w.s, next, dt);
		b = next;
	}
	return b;
}

void watch_beacon_conflict(void)
{
	struct block *b = NO_BLOCK;

	if (draw(2) == 0 && w.cursor->number > w.checkpoint->number + 1)
		b = other_chain(1 + draw(3));
	machine_advance(10000);
	hear_run();
	sim_count(SIM_COMMITTEE_CONFLICTS);
	w.halted = w.expect_fatal = true;
	watch_send(1, beacon_equivocal(b, 0));
	hear_run();
	if (b == NO_BLOCK)
		return;
	w.s.tip = b;
	w.s.w.forge->tip = b->forged;
	for (size_t round = 0; round < 20 && machine.state == MACHINE_IDLE; round++)
		watch_round(true, 0);
}
