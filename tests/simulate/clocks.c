/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulate/clocks.h"

#include "tests/simulate/client.h"
#include "tests/simulate/watch.h"
#include "tests/simulate/world_beacon.h"

void clocks_creep(void)
{
	const uint64_t limit_s = w.s.init.max_staleness_s, step_s = limit_s * (4 + draw(6)) / 10;
	const uint32_t rounds = 4 + draw(5);

	sim_say("  the wall clock is right, and then set back as fast as time goes by, %u times %llu s", rounds,
		(unsigned long long)step_s);
	sim_count(SIM_CREEPS);
	machine.wall_off_ms = 0;
	world_grow(false);
	world_finalize(w.s.tip->number);
	machine_advance(1000);
	hear_run();
	watch_drain(-1);
	for (uint32_t i = 0; i < rounds; i++)
		world_grow(false);
	/* Each round a block that is fresh by the wall clock, and was made long ago in truth. */
	for (uint32_t i = 0; i < rounds && machine.state == MACHINE_IDLE; i++) {
		machine.wall_off_ms -= (int64_t)(step_s - 2) * 1000;
		machine_advance(step_s * 1000);
		hear_run();
		if (w.consensus)
			beacon_sign(world_at(w.s.tip, w.s.tip->number - rounds + i + 1), NO_NUMBER);
		else
			w.s.w.forge->final_number += w.s.w.forge->final_number < w.s.tip->number;
		watch_drain(-1);
		machine_advance(1000);
		hear_run();
		hear_ask();
		client_keys(2, false);
	}
	w.clock_set_ms = machine.true_ms;
}

/* Boot-time stands still for longer than the lease, and a core dies meanwhile: the next one learns to believe it. */
static void clocks_freeze(void)
{
	sim_say("  boot-time stands still, and goes on under another core");
	sim_count(SIM_BOOT_FREEZES);
	machine.boot_frozen_ms = machine_boot_ms();
	machine.boot_frozen = true;
	machine.timer_stopped = false;
	machine_advance((w.s.init.max_staleness_s + 10) * 1000);
	machine_kill(false);
}

void clocks_set(void)
{
	const uint32_t far_s =
		1 + draw((uint32_t)w.s.init.max_staleness_s < 4000 ? 2 * (uint32_t)w.s.init.max_staleness_s : 4000);

	w.clock_set_ms = machine.true_ms;
	switch (draw(10)) {
	case 0:
	case 1:
		sim_say("  the wall clock is set %u s ahead", far_s);
		sim_count(SIM_WALL_JUMPS);
		machine.wall_off_ms += (int64_t)far_s * 1000;
		break;
	case 2:
	case 3:
		sim_say("  the wall clock is set %u s back", far_s);
		sim_count(SIM_WALL_JUMPS);
		machine.wall_off_ms -= (int64_t)far_s * 1000;
		if (machine.wall_off_ms < -(int64_t)machine_true_wall_ms())
			machine.wall_off_ms = 0;
		break;
	case 4:
		sim_say("  the wall clock is right again");
		machine.wall_off_ms = 0;
		break;
	case 5:
		/* Boot-time stands still, or the timer does; never both. */
		sim_say("  boot-time %s", machine.boot_frozen ? "goes on" : "stands still");
		sim_count(SIM_BOOT_FREEZES);
		w.boot_jumped = w.boot_jumped || machine.boot_frozen;
		machine.boot_frozen_ms = machine_boot_ms();
		machine.boot_frozen = !machine.boot_frozen && !machine.timer_stopped;
		break;
	case 6:
		sim_count(SIM_TIMER_STOPS);
		machine.timer_stopped = !machine.timer_stopped && !machine.boot_frozen;
		sim_say("  the timer %s", machine.timer_stopped ? "stops" : "runs");
		break;
	case 7:
		sim_say("  everything stands still for %u s", far_s);
		sim_count(SIM_SUSPENDS);
		machine_advance((uint64_t)far_s * 1000);
		break;
	case 8: clocks_creep(); return;
	case 9: clocks_freeze(); return;
	}
	hear_run();
}

/* Time, by the truth: what no clock's error may stretch further than engine.h says. */
void clocks_check(const char *what, uint64_t late_ms)
{
	const uint64_t limit_ms = w.s.init.max_staleness_s * 1000, slack_ms = 3000 + late_ms;
	const uint64_t now = machine.true_ms, wall = machine_wall_ms(), final_ms = w.cursor->time * 1000;
	const uint64_t newest = w.head_time > w.cursor->time ? w.head_time * 1000 : final_ms;

	SIM_MUST("I4", w.cursor_ms != 0 && now - w.cursor_ms <= limit_ms + slack_ms,
		 "%s %llu s after the last final step of this life", what,
		 (unsigned long long)((now - w.cursor_ms) / 1000));
	SIM_MUST("I4", wall <= final_ms + limit_ms + slack_ms && final_ms <= wall + limit_ms + slack_ms,
		 "%s at %llu s by the wall clock, the final block is of %llu", what,
		 (unsigned long long)(wall / 1000), (unsigned long long)w.cursor->time);
	SIM_MUST("I4", machine_true_wall_ms() <= final_ms + 2 * limit_ms + w.behind_ms + slack_ms,
		 "%s on a block that is %llu s old in truth", what,
		 (unsigned long long)(machine_true_wall_ms() / 1000 - w.cursor->time));
	SIM_MUST("I4", world_named(w.cursor, true), "%s and nobody named anything final since the start", what);
	if (w.s.init.head_staleness_s != 0)
		SIM_MUST("I4", wall <= newest + w.s.init.head_staleness_s * 1000 + slack_ms,
			 "%s and the newest head is old", what);
	if (w.s.init.heartbeat)
		SIM_MUST("I4", w.beat_ms != 0 && now - w.beat_ms <= limit_ms + slack_ms,
			 "%s without a fresh heartbeat", what);
}
