/* SPDX-License-Identifier: Apache-2.0
 *
 * play: one run, step by step; and after the last one everything is well, and the core must heal.
 */
#include <stdio.h>

#include "tests/simulate/client.h"
#include "tests/simulate/clocks.h"
#include "tests/simulate/disk.h"
#include "tests/simulate/replay.h"
#include "tests/simulate/watch.h"
#include "tests/simulate/world_beacon.h"

#define HEAL_ROUNDS 40u

void play_worlds(void)
{
	for (size_t i = 0; i < WORLDS; i++)
		world_make(i);
}

static void configure(void)
{
	static const uint64_t limits[2][3] = { { 600, 2000, 100000 }, { 600, 2000, 20000 } };
	static const uint32_t terms[] = { 1024, 2048, 8192 };
	static const unsigned percents[] = { 0, 5, 30, 70 };
	struct dr_init *init = &w.s.init;

	ek_init(init, &w.s.w, (enum dr_way)draw(3), draw(2) == 0 ? 64 : 1 + draw(8));
	const bool consensus = draw(3) == 2;
	const uint32_t limit = draw(3);

	init->max_staleness_s = limits[consensus][limit];
	init->heartbeat = chance(25);
	init->serve = chance(50);
	init->head_staleness_s = chance(20) ? 900 : 0;
	w.k = (uint16_t)(1 + draw(3));
	w.traitors = consensus ? 0 : (uint16_t)draw(w.k);
	w.n = (uint16_t)(w.k + w.traitors + draw(SOURCES_MAX + 1u > 2u * w.k ? 2 : 1));
	init->quorum_k = w.k;
	init->quorum_n = w.n;
	for (uint16_t i = 0; i < w.n; i++)
		snprintf(init->endpoints[i], sizeof(init->endpoints[i]), "source %u", i);
	snprintf(init->data_dir, sizeof(init->data_dir), "/d");
	snprintf(init->key_file, sizeof(init->key_file), "/k/key");
	if (consensus)
		beacon_begin(terms[limit]);
	w.lie_percent = percents[draw(4)];
	w.fault_percent = percents[draw(4)];
	w.clock_percent = percents[draw(4)];
	machine.slow_s = 1;
	machine_entropy(draw(1u << 30));
	sim_say("k %u of n %u, %u traitors, way %u, steps of %u, limit %llu s%s%s; lies %u %%, faults %u %%, clocks "
		"%u %%",
		w.k, w.n, w.traitors, init->way, init->step_max, (unsigned long long)init->max_staleness_s,
		init->heartbeat ? ", heartbeat" : "", init->head_staleness_s ? ", heads" : "", w.lie_percent,
		w.fault_percent, w.clock_percent);
}

/* A copy of the directory, as somebody may make it, and put back later. */
static void save(void)
{
	sim_say("  a copy of the directory is made");
	disk_save();
	w.saved.there = true;
	w.saved.logs[0] = w.logs[0].tree;
	w.saved.logs[1] = w.logs[1].tree;
	w.saved.cursor = w.cursor;
	w.saved.head_time = w.head_time;
	w.saved.num_drawn = w.num_drawn;
}

static void restore(void)
{
	sim_say("  the directory is rolled back: journal %llu to %llu", (unsigned long long)w.logs[1].tree.size,
		(unsigned long long)w.saved.logs[1].size);
	sim_count(SIM_ROLLBACKS);
	disk_restore();
	w.logs[0].tree = w.saved.logs[0];
	w.logs[1].tree = w.saved.logs[1];
	w.cursor = w.saved.cursor;
	w.head_time = w.saved.head_time;
	for (size_t i = w.saved.num_drawn; i < w.num_drawn; i++)
		w.drawn[i].lost = true;
	/* What it knew of heads it has forgotten. */
	for (size_t i = 0; i < w.s.num; i++)
		w.s.blocks[i]->counts = false;
}

/* The core is up, and what was told of it stands. */
static void bring_up(void)
{
	for (unsigned tries = 0; machine.state != MACHINE_IDLE && tries < 20; tries++) {
		if (machine.state == MACHINE_DIED && machine.power) {
			disk_lose();
			machine_reboot();
		}
		if (w.saved.there && !w.well && chance(10))
			restore();
		sim_say("  the core starts");
		sim_count(SIM_RESTARTS);
		hear_start();
		if (w.halted && machine.state == MACHINE_ENDED)
			return;
		SIM_MUST("I5", w.ready || machine.state != MACHINE_IDLE, "it starts and is never ready");
		if (w.ready)
			client_logs();
		if (machine.state == MACHINE_IDLE)
			hear_gap();
		/* A disk that stays sick is changed for a good one at last. */
		if (tries == 8)
			disk_plan(DISK_WELL, 0, 0);
	}
	SIM_MUST("I5", machine.state == MACHINE_IDLE, "it does not come up, whatever is tried");
}

/* Steps */

static void do_chain(void)
{
	/* Whoever runs the node looks now and then what there is to publish. */
	if (chance(50))
		client_root();
	for (uint32_t num = 1 + draw(3); num > 0; num--)
		world_grow(false);
	sim_say("  the chain is at %llu", (unsigned long long)w.s.tip->number);
}

static void do_final(void)
{
	const uint64_t from = w.s.w.forge->final_number, room = w.s.tip->number - from;

	if (w.stalled > 0 || room == 0)
		return;
	world_finalize(from + (chance(60) ? room : 1 + draw((uint32_t)room)));
	sim_say("  final is %llu", (unsigned long long)w.s.w.forge->final_number);
	watch_words(false);
	hear_run();
}

/* A head that k sources name, and of which everything is told, counts from then on. */
static void do_head(void)
{
	struct block *tip = w.s.tip,
		     *b = draw(2) == 0 ? tip : w.s.blocks[w.s.num - 1 - draw(w.s.num < 12 ? (uint32_t)w.s.num : 12)];

	watch_drain(-1);
	if (machine.state != MACHINE_IDLE || w.cursor == NULL || w.cursor != world_final() ||
	    b->number <= w.cursor->number || !descends(b, w.cursor))
		return;
	sim_say("  head %llu is named", (unsigned long long)b->number);
	if (w.consensus && !beacon_sign(b, NO_NUMBER))
		return;
	w.s.tip = b;
	w.s.w.forge->tip = b->forged;
	const bool must = watch_head(b);

	for (size_t round = 0; round < 30 && machine.state == MACHINE_IDLE && watch_open() > 0; round++)
		watch_round(true, -1);
	w.s.tip = tip;
	w.s.w.forge->tip = tip->forged;
	if (machine.state != MACHINE_IDLE || watch_open() > 0 || !must || !descends(b, w.cursor))
		return;
	SIM_MUST("I2", !w.consensus || b == w.cursor || b->counts, "a head of which all is told does not count");
	for (struct block *x = b; x != w.cursor && x != NULL; x = x->parent)
		x->counts = true;
}

static void do_keys(void)
{
	/* A disk that stands still between the intent and the release. */
	if (chance(w.fault_percent / 2)) {
		machine.slow_s = 1 + (unsigned)w.s.init.max_staleness_s + draw(100);
		disk_plan(DISK_SLOW, draw(2), 1);
	}
	const bool allowed = client_keys(1 + draw(4), false);

	if (!allowed || !chance(w.fault_percent) || machine.state != MACHINE_IDLE)
		return;
	/* The power goes as soon as somebody has a key. */
	sim_say("  the power goes as a key leaves");
	sim_count(SIM_CRASH_AT_KEY);
	machine_kill(true);
}

static void do_time(void)
{
	const uint32_t seconds =
		chance(20)
			? draw((uint32_t)w.s.init.max_staleness_s < 3000 ? (uint32_t)w.s.init.max_staleness_s : 3000)
			: draw(30);

	sim_say("  %u s go by", seconds);
	machine_advance((uint64_t)seconds * 1000);
	hear_run();
}

static void do_fault(void)
{
	static const enum disk_fault faults[] = { DISK_KILL,  DISK_POWER,  DISK_POWER, DISK_EIO,
						  DISK_FSYNC, DISK_ENOSPC, DISK_SLOW,  DISK_SLOW };
	static const char *const names[] = { "well", "kill", "power", "EIO", "ENOSPC", "fsync", "slow" };
	const enum disk_fault fault = faults[draw(8)];
	const unsigned after = draw(30), times = 1 + (chance(20) ? draw(20) : 0);

	switch (draw(4)) {
	case 0:
		sim_say("  killed");
		sim_count(SIM_KILLS);
		machine_kill(false);
		return;
	case 1:
		sim_say("  the power goes");
		machine_kill(true);
		return;
	default: break;
	}
	sim_say("  the disk's fault: %s after %u, for %u", names[fault], after, times);
	machine.slow_s =
		1 +
		draw(2 * (uint32_t)w.s.init.max_staleness_s < 3000 ? 2 * (uint32_t)w.s.init.max_staleness_s : 3000);
	disk_plan(fault, after, times);
	w.expect_fatal = w.expect_fatal || !disk_is_well();
}

static void do_stop(void)
{
	sim_say("  it is told to stop");
	sim_count(SIM_STOPS);
	if (draw(2) == 0)
		hear_say(&machine.control, DR_MSG_STOP, dr_bytes_of(NULL, 0));
	else
		machine.signal = true;
	hear_run();
	SIM_MUST("I5", machine.state != MACHINE_IDLE, "it is told to stop and does not");
}

/* The core is cut off while the chain goes on: what is final then is far above its cursor. */
static void do_outage(void)
{
	sim_say("  it is cut off");
	sim_count(SIM_OUTAGES);
	for (uint32_t num = 30 + draw(20); num > 0 && w.s.num + 150 < BLOCKS; num--)
		world_grow(false);
	world_finalize(w.s.tip->number);
	watch_words(false);
	hear_run();
}

static void do_rare(void)
{
	switch (draw(7)) {
	case 0: save(); break;
	case 1:
		w.stalled = 5 + draw(40);
		w.withheld = w.consensus && draw(2) == 0;
		sim_say("  finality %s for %u steps", w.withheld ? "is withheld" : "stalls", w.stalled);
		sim_count(w.withheld ? SIM_WITHHELD_FINALITY : SIM_STALLS);
		break;
	case 2: client_rude(); break;
	case 3:
		/* The key file has two names for a while. */
		if (chance(w.fault_percent))
			disk_plan(DISK_POWER, draw(20), 1);
		client_reseal();
		break;
	case 4: do_stop(); break;
	case 5:
		if (w.lie_percent > 0) {
			sim_say("  the watch breaks the protocol");
			watch_break();
		}
		break;
	case 6:
		if (w.consensus)
			do_outage();
		break;
	}
}

static void do_drain(void)
{
	while (chance(w.lie_percent) && machine.state == MACHINE_IDLE)
		watch_round(false, -1);
	watch_drain(-1);
}

/* Mostly a run begins where the node publishes the root that it was named for, so that there are keys to ask for. */
static void opening(void)
{
	if (chance(30))
		return;
	for (unsigned round = 0; round < 8 && machine.state == MACHINE_IDLE && w.root_told == 0; round++) {
		world_finalize(w.s.tip->number);
		watch_drain(-1);
		client_root();
		world_grow(false);
		hear_run();
	}
}

static void step(void)
{
	const uint32_t what = draw(100);

	if (what < 16)
		do_chain();
	else if (what < 20)
		world_grow(true);
	else if (what < 29)
		do_final();
	else if (what < 43)
		watch_round(false, -1);
	else if (what < 51)
		do_drain();
	else if (what < 57)
		do_head();
	else if (what < 69)
		do_keys();
	else if (what < 72)
		chance(80) ? client_share() : client_parcel();
	else if (what < 73)
		client_proof();
	else if (what < 74)
		client_logs();
	else if (what < 77)
		watch_junk();
	else if (what < 78)
		watch_news();
	else if (what < 81)
		do_time();
	else if (what < 85)
		do_rare();
	else if (what < 91)
		chance(w.clock_percent) ? clocks_set() : do_keys();
	else
		chance(w.fault_percent) ? do_fault() : do_final();
}

/* Whoever lied stops, the disk is well, the clocks are right, and one honest source answers: it heals. */
static void heal(void)
{
	const int only = (int)w.n - 1;
	bool good = false;

	tape_mark();
	sim_say("everything is well from here on");
	w.well = true;
	w.stalled = 0;
	w.withheld = false;
	w.lie_percent = 0;
	disk_plan(DISK_WELL, 0, 0);
	machine.wall_off_ms = 0;
	w.boot_jumped = w.boot_jumped || machine.boot_frozen;
	machine.boot_frozen = machine.timer_stopped = false;
	watch_release();
	hear_run();
	bring_up();
	for (unsigned round = 0; round < HEAL_ROUNDS && !good; round++) {
		const struct m_view tip = view_of(w.s.tip);

		world_mend(world_held(&tip) != NULL);
		if (w.s.tip->time * 1000 + 2000 < machine_true_wall_ms() || w.num_drawn == 0)
			world_grow(false);
		machine_advance(2000);
		world_finalize(w.s.tip->number);
		hear_run();
		watch_drain(only);
		bring_up();
		hear_ask();
		/* Boot-time that stood still and then made up for it looks as a wall clock that was set back: that
		 * heals at a new start alone (engine.h). */
		if (w.boot_jumped && strstr(w.status.why, "wall clock moved") != NULL) {
			sim_count(SIM_CLOCK_STARTS);
			do_stop();
			bring_up();
			continue;
		}
		/* What is final by proof of consensus has a head above it. */
		good = w.status.has_final && w.cursor == world_final() && (!w.status.sealed || w.held) &&
		       watch_open() == 0 && w.cursor->number + w.lag >= w.s.tip->number;
	}
	SIM_MUST("I5", good, "it does not heal: at %llu of %llu, %s; %zu wants stand",
		 w.cursor != NULL ? (unsigned long long)w.cursor->number : 0, (unsigned long long)w.s.tip->number,
		 w.status.why[0] != 0 ? w.status.why : "unsealed", watch_open());
	sim_count(SIM_HEALED);
	client_root();
	for (unsigned i = 0; i < 4; i++)
		report->counts[SIM_HEALED_ALLOWS] += client_keys(4, true);
	client_logs();
	hear_ask();
	memcpy(report->ledger, w.status.ledger_root, 32);
	memcpy(report->journal, w.status.journal_root, 32);
}

/* k sources break their word: it halts for good, and keeps the evidence. */
static void conflict(void)
{
	char path[64];

	tape_mark();
	sim_say("  something final is contradicted");
	if (!watch_conflict())
		return;
	sim_count(SIM_CONFLICTS);
	SIM_MUST("I1", machine.state == MACHINE_ENDED && machine.code == DR_CORE_CONFLICT,
		 "something final was contradicted, and it goes on");
	snprintf(path, sizeof(path), "/d/conflict-%llu.ev", (unsigned long long)w.cursor->number);
	SIM_MUST("I1", disk_exists(path), "no evidence of the conflict is kept");
	hear_start();
	SIM_MUST("I1", machine.state == MACHINE_ENDED && machine.code == DR_CORE_CONFLICT && !w.ready,
		 "it halted, and starts again");
}

void play(unsigned steps)
{
	tape_mark();
	world_take();
	disk_init();
	configure();
	machine.state = MACHINE_ENDED;
	/* The very first start may be the one that is cut short. */
	if (chance(20))
		disk_plan(draw(2) == 0 ? DISK_KILL : DISK_POWER, draw(90), 1);
	bring_up();
	opening();
	for (unsigned i = 0; i < steps && w.s.num + (w.consensus ? 140 : 60) < BLOCKS && !tape_over(); i++) {
		tape_mark();
		sim_say("step %u, %llu s", i, (unsigned long long)(machine.true_ms / 1000));
		sim_count(SIM_STEPS);
		bring_up();
		step();
		watch_release();
		machine_advance(draw(1500));
		hear_run();
		hear_ask();
		w.stalled -= w.stalled > 0;
		w.withheld = w.withheld && w.stalled > 0;
	}
	heal();
	if (chance(30))
		replay();
	if (chance(w.consensus ? 30 : 10))
		conflict();
}
