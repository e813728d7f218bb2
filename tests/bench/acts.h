/* SPDX-License-Identifier: Apache-2.0
 *
 * acts: a governed contract's long life, event by event, every event lawful where it stands: the founding, a hundred
 * nodes, two hundred apps, and then without end heartbeats, versions announced and revoked, epochs, stakes, hardware
 * blacklisted, and a council that proposes, votes and executes. What it makes is folded as it is made: an event that
 * the rules would refuse ends the program.
 */
#ifndef DR_TESTS_ACTS_H
#define DR_TESTS_ACTS_H

#include "tests/bench/bench.h"
#include "tests/unit/governance/fold_kit.h"

#define ACTS_NODES    100u
#define ACTS_APPS     200u
#define ACTS_VERSIONS 8u

struct acts {
	struct kit *k;
	uint64_t seed, beats, fills, measurements, epochs[ACTS_APPS];
	unsigned stage; /* of the council's cycle */
	struct w allowed;
	bool announced[ACTS_APPS][ACTS_VERSIONS];
};

static inline struct w acts_word(uint8_t kind, uint64_t number)
{
	struct w w;

	memset(w.b, kind, 32);
	dr_be64_put(w.b + 24, number);
	return w;
}

/* acts_block: the events so far are a block, dt seconds after the last. The caller looked at them before. */
static inline void acts_block(struct acts *a, uint64_t dt)
{
	bench_must(kit_block(a->k, dt) == DR_OK, "a block could not be folded");
	for (size_t i = 0; i < a->k->num_changes; i++)
		if (a->k->changes[i].outcome == DR_OUTCOME_REFUSED) {
			fprintf(stderr, "bench: %s: %s\n", dr_action_def((uint16_t)a->k->changes[i].act.action)->name,
				dr_reason_text(a->k->changes[i].reason));
			exit(1);
		}
}

static inline void acts_found(struct acts *a, uint64_t dt)
{
	kit_founders(a->k, a->k->time + dt);
	ACT(a->k, DR_ACTION_CONSTITUTE, 0, 0, 0, kit_n(VOTING));
}

/* acts_settle: the num-th block of those that bring nodes and apps; false: there are no more. */
static inline bool acts_settle(struct acts *a, unsigned num)
{
	struct kit *k = a->k;

	if (num < ACTS_NODES / 25) {
		for (unsigned i = 25 * num; i < 25 * num + 25; i++)
			kit_node(k, (uint8_t)(100 + i), DR_ROLE_KMS, 0x11, 5);
		return true;
	}
	num -= ACTS_NODES / 25;
	if (num >= ACTS_APPS / 25)
		return false;
	for (unsigned i = 25 * num; i < 25 * num + 25; i++) {
		const struct w app = acts_word(0xa0, i);

		ACT(k, DR_ACTION_APP_REGISTER, 0, DEPLOYER, 0, app, kit_b(0x0c), kit_n(NOTICE_APP), kit_n(3));
		ACT(k, DR_ACTION_EPOCH_POLICY, 0, DEPLOYER, k->time + 12, app, kit_b(0x5e), kit_n(0), kit_n(0));
	}
	return true;
}

/* The council's next step; what it allows a guardian revokes a cycle later. */
static inline void acts_council(struct acts *a, uint64_t time)
{
	struct kit *k = a->k;

	switch (a->stage++ % 4) {
	case 0:
		a->allowed = acts_word(0x11, a->measurements++ % 50);
		kit_propose(k, ALICE, DR_ACTION_MEASUREMENT_ALLOW, time, &a->allowed, 1);
		return;
	case 1:
		kit_vote(k, ALICE, 3, true);
		kit_vote(k, BOB, 2, true);
		return;
	case 2:
		kit_act(k, DR_ACTION_EXECUTE, k->proposals, EVE, 0, NULL, 0);
		kit_act(k, DR_ACTION_MEASUREMENT_ALLOW, k->proposals, EVE, time + NOTICE_MEASUREMENT, &a->allowed, 1);
		return;
	}
	kit_act(k, DR_ACTION_MEASUREMENT_REVOKE, 0, GUARDIAN, 0, &a->allowed, 1);
}

/* acts_event: one more event of the block that will be at `time`. */
static inline void acts_event(struct acts *a, uint64_t time)
{
	const uint64_t r = bench_random(&a->seed) >> 8, app_idx = (r >> 8) % ACTS_APPS;
	const uint8_t by = (uint8_t)(100 + (r >> 8) % ACTS_NODES);
	const struct w app = acts_word(0xa0, app_idx), version = acts_word(0x50, (r >> 20) % ACTS_VERSIONS);
	bool *announced = &a->announced[app_idx][(r >> 20) % ACTS_VERSIONS];
	const uint64_t kind = r % 20;
	struct kit *k = a->k;
	struct w beat = kit_b(0);

	switch (kind) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
		/* What stands is revoked, what does not is announced. */
		if (*announced)
			ACT(k, DR_ACTION_APP_MEASUREMENT_REVOKE, 0, DEPLOYER, 0, app, version);
		else
			ACT(k, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, DEPLOYER, time + NOTICE_APP, app, version);
		*announced = !*announced;
		return;
	case 7:
	case 8:
		ACT(k, DR_ACTION_EPOCH_ADVANCE, 0, DEPLOYER, 0, app, kit_b(0x5e), kit_n(++a->epochs[app_idx]));
		return;
	case 9: ACT(k, DR_ACTION_NODE_STAKE, 0, by, 0, kit_a(by), kit_n(1000)); return;
	case 10:
		ACT(k, DR_ACTION_HARDWARE_BLACKLIST, 0, GUARDIAN, 0, kit_n(DR_HARDWARE_DEVICE),
		    acts_word(0x60, (r >> 20) % 200), kit_n(0));
		return;
	}
	dr_be64_put(beat.b, ++a->beats);
	bench_fill(beat.b + 8, 24, &a->seed);
	ACT(k, DR_ACTION_HEARTBEAT, 0, by, 0, beat);
}

/* acts_fill: num events, and now and then the council's. */
static inline void acts_fill(struct acts *a, unsigned num, uint64_t dt)
{
	if (a->stage % 4 != 0 || a->fills++ % 10 == 0)
		acts_council(a, a->k->time + dt);
	while (num-- > 0)
		acts_event(a, a->k->time + dt);
}

static inline void acts_new(struct acts *a, uint64_t start)
{
	memset(a, 0, sizeof(*a));
	a->seed = 0x64657230742d3031;
	a->k = kit_new();
	a->k->fold.start_number = start;
	a->k->number = start - 1;
}

#endif
