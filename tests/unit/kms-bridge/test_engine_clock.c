/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain, the wall clock, boot-time: each stopped, slowed, set, alone and together, beside the true time. Whatever
 * happens between HURT and MEND, the engine is sealed within the limit where that is due, and heals.
 */
#include "tests/unit/kms-bridge/engine_kit.h"

#define TICK_S  10u
#define BLOCK_S 60u
#define HURT_S  600u
#define MEND_S  (HURT_S + 4 * LEASE_S)
#define END_S   (MEND_S + LEASE_S)
#define NEVER   0u

#define L ((int64_t)LEASE_S)

struct row {
	const char *name;
	unsigned within_s; /* sealed by then, and until it mends; NEVER: not sealed at any time */
	const char *why;   /* what is said at the end of it */
	/* While it hurts. */
	bool chain_stops, chain_slows;
	bool wall_stops, wall_slows, boot_stops;
	/* At once, when it begins to. */
	int64_t wall_set_s;  /* the wall clock is set, so far from the truth */
	int64_t suspended_s; /* the machine slept: everything went on */
	int64_t paused_s;    /* it was stopped: only the world went on */
	bool wall_at_wake;   /* and the wall clock was set right at once */
	bool blips;          /* short seals are no fault */
	bool wall_stays;     /* nobody sets the wall clock right */
};

static const struct row rows[] = {
	{ .name = "nothing happens" },
	{ .name = "the chain stops",
	  .within_s = LEASE_S + 20,
	  .why = "older than max_staleness",
	  .chain_stops = true },
	{ .name = "the wall clock stops", .within_s = LEASE_S + 20, .why = "against boot-time", .wall_stops = true },
	{ .name = "boot-time stops", .boot_stops = true, .blips = true },
	{ .name = "the chain and the wall clock stop",
	  .within_s = LEASE_S + 20,
	  .why = "against boot-time",
	  .chain_stops = true,
	  .wall_stops = true },
	{ .name = "the chain and boot-time stop",
	  .within_s = LEASE_S + 20,
	  .why = "against boot-time",
	  .chain_stops = true,
	  .boot_stops = true },
	{ .name = "both clocks stop",
	  .within_s = LEASE_S + BLOCK_S + 20,
	  .why = "ahead of the wall clock",
	  .wall_stops = true,
	  .boot_stops = true },
	{ .name = "the wall clock is set back a little", .wall_set_s = -L / 2 },
	{ .name = "the wall clock is set ahead a little", .wall_set_s = L / 2 },
	{ .name = "the wall clock is set back a little, and stays", .wall_set_s = -L / 2, .wall_stays = true },
	{ .name = "the wall clock is set ahead a little, and stays", .wall_set_s = L / 2, .wall_stays = true },
	{ .name = "the wall clock is set back", .within_s = 10, .why = "against boot-time", .wall_set_s = -2 * L },
	{ .name = "the wall clock is set ahead", .within_s = 10, .why = "against boot-time", .wall_set_s = 2 * L },
	{ .name = "the wall clock is set back, the chain stops",
	  .within_s = 10,
	  .why = "against boot-time",
	  .wall_set_s = -2 * L,
	  .chain_stops = true },
	{ .name = "the wall clock is set back by a little less than the limit, the chain stops",
	  .within_s = LEASE_S + 20,
	  .why = "older than max_staleness",
	  .wall_set_s = -L + 20,
	  .chain_stops = true },
	{ .name = "the wall clock is set back, and both clocks stop",
	  .within_s = 10,
	  .why = "against boot-time",
	  .wall_set_s = -2 * L,
	  .wall_stops = true,
	  .boot_stops = true },
	{ .name = "the wall clock goes at half speed, the chain is told at half speed",
	  .within_s = 2 * LEASE_S + 40,
	  .why = "against boot-time",
	  .wall_slows = true,
	  .chain_slows = true },
	{ .name = "the wall clock goes at half speed",
	  .within_s = 2 * LEASE_S + 40,
	  .why = "against boot-time",
	  .wall_slows = true },
	{ .name = "the chain is told at half speed",
	  .within_s = 2 * LEASE_S + BLOCK_S,
	  .why = "older than max_staleness",
	  .chain_slows = true },
	{ .name = "suspended for long, and the chain stops",
	  .within_s = 10,
	  .why = "older than max_staleness",
	  .suspended_s = 10 * L,
	  .chain_stops = true },
	{ .name = "suspended for long", .suspended_s = 10 * L, .blips = true },
	{ .name = "paused for long, and both clocks know nothing of it",
	  .within_s = BLOCK_S + 10,
	  .why = "ahead of the wall clock",
	  .paused_s = 10 * L },
	{ .name = "paused for long, the wall clock is set right when it wakes",
	  .paused_s = 10 * L,
	  .wall_at_wake = true,
	  .blips = true },
	{ .name = "paused for long, the wall clock is set right when it wakes, the chain stops",
	  .within_s = 10,
	  .why = "against boot-time",
	  .paused_s = 10 * L,
	  .wall_at_wake = true,
	  .chain_stops = true },
	{ .name = "paused again and again, a little", .paused_s = L / 2, .wall_at_wake = true },
};

struct sim {
	struct world w;
	struct engine_kit *k;
	uint64_t base_s;
	/* Since the beginning. */
	int64_t truth_s, wall_s, boot_s, told_s;
	int64_t last_s; /* the newest block's time */
};

static bool sealed(const struct sim *s, const char **why)
{
	return dr_engine_sealed(s->k->e, why);
}

static void sim_new(struct sim *s)
{
	memset(s, 0, sizeof(*s));
	world_new(&s->w, 70);
	s->k = ek_new(&s->w, DR_WAY_BLOOM, 512);
	s->base_s = s->w.tip->header.timestamp;
	ek_start(s->k);
	ek_run(s->k, RIGHT);
}

static void sim_free(struct sim *s)
{
	ek_free(s->k);
	world_free(&s->w);
}

static void clocks(struct sim *s)
{
	ek_clock(s->k, 5000 + (uint64_t)s->boot_s * 1000, (s->base_s + (uint64_t)s->wall_s) * 1000);
	kit_assert_fail(DR_OK, &s->k->fail);
}

/* A tick of the engine's, and a block if one is due. */
static void tick(struct sim *s, bool chain)
{
	clocks(s);
	if (!chain || s->told_s - s->last_s < (int64_t)BLOCK_S)
		return;
	s->w.forge->final_number = world_block(&s->w, (uint64_t)(s->told_s - s->last_s))->header.number;
	s->last_s = s->told_s;
	ek_run(s->k, s->w.forge->final_number);
}

static void run_row(const struct row *row)
{
	const int64_t away_s = row->suspended_s + row->paused_s;
	struct sim s;
	bool hurt = false, mended = false;
	int64_t at = 0; /* the truth, less what was slept over */

	sim_new(&s);
	for (; at < (int64_t)END_S; at += TICK_S) {
		const bool hurts = at >= (int64_t)HURT_S && at < (int64_t)MEND_S;
		const int64_t half = hurts ? TICK_S / 2 : TICK_S;
		const char *why;

		if (hurts && !hurt) {
			hurt = true;
			s.truth_s += away_s;
			s.told_s += away_s;
			s.wall_s += row->wall_set_s + row->suspended_s + (row->wall_at_wake ? row->paused_s : 0);
			s.boot_s += row->suspended_s;
		}
		if (!hurts && hurt && !mended) {
			mended = true;
			if (!row->wall_stays)
				s.wall_s = s.truth_s;
			s.told_s = s.truth_s;
		}
		tick(&s, !(hurts && row->chain_stops));
		const bool is = sealed(&s, &why);
		const bool must = hurts && row->within_s != NEVER && at >= (int64_t)(HURT_S + row->within_s);
		const bool may = hurts && (row->within_s != NEVER || row->blips);
		/* The next block heals what no clock does. */
		const bool heals = mended && at < (int64_t)(MEND_S + BLOCK_S + TICK_S);

		if (is ? !must && !may && !heals : must)
			fail_msg("%s: at %lld: %s", row->name, (long long)at, is ? why : "unsealed");
		if (must && at >= (int64_t)MEND_S - (int64_t)TICK_S && strstr(why, row->why) == NULL)
			fail_msg("%s: %s", row->name, why);
		/* Unsealed, what it rests on is never older than two limits, unless nobody could know. */
		if (!is && row->paused_s == 0 && s.truth_s - s.last_s > 2 * L + (int64_t)BLOCK_S)
			fail_msg("%s: at %lld: unsealed on a block %lld s old", row->name, (long long)at,
				 (long long)(s.truth_s - s.last_s));
		s.truth_s += TICK_S;
		s.wall_s += hurts && row->wall_stops ? 0 : row->wall_slows ? half : TICK_S;
		s.boot_s += hurts && row->boot_stops ? 0 : TICK_S;
		s.told_s += row->chain_slows ? half : TICK_S;
	}
	struct engine_kit *again = ek_new(&s.w, DR_WAY_BLOOM, 512);
	const char *why, *other;

	ek_replay(again, dr_buf_view(&s.k->kept));
	ek_same(s.k, again);
	assert_int_equal(sealed(&s, &why), dr_engine_sealed(again->e, &other));
	assert_string_equal(why, other);
	ek_free(again);
	sim_free(&s);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_row(&rows[i]);
}

static void go(struct sim *s, int64_t wall_s, int64_t boot_s, int64_t chain_s)
{
	s->wall_s += wall_s;
	s->boot_s += boot_s;
	s->told_s += chain_s;
	tick(s, true);
}

static void expect(const struct sim *s, const char *expected)
{
	const char *why;

	if (!sealed(s, &why) ? expected[0] != '\0' : expected[0] == '\0' || strstr(why, expected) == NULL)
		fail_msg("expected \"%s\", got \"%s\"", expected, why);
}

/* Many short pauses add up to a seal, which the next block lifts; and then they are counted anew. */
static void test_pauses(void **state)
{
	struct sim s;
	unsigned seals = 0;
	const char *why;

	(void)state;
	sim_new(&s);
	for (int i = 0; i < 10; i++) {
		go(&s, L / 2, 0, 0);
		if (sealed(&s, &why)) {
			assert_non_null(strstr(why, "against boot-time"));
			seals++;
		}
		s.told_s = s.wall_s;
		go(&s, 10, 10, 10);
		expect(&s, "");
	}
	assert_int_equal(seals, 3);
	sim_free(&s);
}

/* Nothing is known of a wall clock before the seal fell for the first time: it may be set right by any distance. */
static void test_wrong_from_the_start(void **state)
{
	static const struct {
		const char *name;
		int64_t off_s;
		const char *why;
	} offs[] = {
		{ "ten days back", -864000, "ahead of the wall clock" },
		{ "ten days ahead", 864000, "older than max_staleness" },
		{ "right", 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(offs) / sizeof(offs[0]); i++) {
		struct sim s;

		sim_new(&s);
		s.wall_s = offs[i].off_s;
		clocks(&s);
		ek_start(s.k);
		expect(&s, "since the start");
		go(&s, 60, 60, 60);
		expect(&s, offs[i].why);
		go(&s, -offs[i].off_s, 0, 0);
		expect(&s, "");
		/* From here on it is held against boot-time. */
		go(&s, -L - 10, 0, 0);
		expect(&s, "against boot-time");
		go(&s, L + 10, 0, 0);
		expect(&s, "");
		sim_free(&s);
	}
}

/* Exactly at the limit, and a second more; by either side. What is ahead heals with a block, what is back does not,
 * though it is within the limit of the wall clock; a new START does. */
static void test_limits(void **state)
{
	struct sim s;

	(void)state;
	sim_new(&s);
	go(&s, L, 0, 0);
	expect(&s, "");
	go(&s, 1, 0, 0);
	expect(&s, "against boot-time");
	go(&s, -1, 0, 0);
	expect(&s, "");
	go(&s, -L, 0, 0);
	/* A block that is just within the limit of the wall clock, and one that is not. */
	go(&s, L + 70, 0, 69);
	expect(&s, "against boot-time");
	go(&s, 0, 0, 60);
	expect(&s, "");
	sim_free(&s);

	sim_new(&s);
	for (int i = 0; i < 10; i++)
		go(&s, 0, L / 10, i == 9 ? 60 : 0);
	expect(&s, "");
	go(&s, 0, 1, 0);
	expect(&s, "against boot-time");
	for (int i = 0; i < 5; i++) {
		go(&s, 60, 60, 60);
		expect(&s, "against boot-time");
	}
	go(&s, 1, 0, 0);
	expect(&s, "");
	go(&s, 0, 1, 0);
	expect(&s, "against boot-time");
	s.k->boot_ms = 5000 + (uint64_t)s.boot_s * 1000;
	ek_start(s.k);
	expect(&s, "since the start");
	go(&s, 60, 60, 60);
	expect(&s, "");
	sim_free(&s);
}

/* A limit of its own on the age of the newest head: a final block that is fresh enough is not enough. */
static void test_head_staleness(void **state)
{
	const uint64_t limit_s = LEASE_S / 4;
	struct dr_init config;
	struct world w;
	const char *why;

	(void)state;
	world_new(&w, 80);
	ek_init(&config, &w, DR_WAY_BLOOM, 512);
	config.head_staleness_s = limit_s;
	struct engine_kit *k = ek_new_init(&w, &config);

	ek_start(k);
	ek_run(k, RIGHT);
	const uint64_t at_ms = k->wall_ms, boot_ms = k->boot_ms;

	for (uint64_t past_s = limit_s; past_s <= limit_s + 1; past_s++) {
		ek_clock(k, boot_ms + past_s * 1000, at_ms + past_s * 1000);
		assert_int_equal(dr_engine_sealed(k->e, &why), past_s > limit_s);
	}
	assert_non_null(strstr(why, "head_staleness"));
	ek_free(k);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_wrong_from_the_start),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_head_staleness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
