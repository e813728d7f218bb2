/* SPDX-License-Identifier: Apache-2.0
 *
 * world_beacon: at proof consensus, the beacon chain around the world's blocks: one beacon block for each, a second a
 * slot. Which block a beacon block's state holds as final is settled when somebody first speaks of it; what the
 * committee has signed is final by then, whoever is told of it.
 */
#ifndef DR_TESTS_SIMULATE_WORLD_BEACON_H
#define DR_TESTS_SIMULATE_WORLD_BEACON_H

#include "chain/beacon/beacon.h"
#include "tests/simulate/world.h"

/* beacon_begin: this run is at proof consensus: its network and checkpoint, for INIT too. Committees follow each
 * other every `period` seconds. */
void beacon_begin(uint32_t period);

/* beacon_sign: the committee signs the beacon block of b; what its state holds as final is final from then on. False:
 * it does not, because the chain left what b holds as final. number: what it should hold as final, if it is still
 * open (NO_NUMBER: as the chain does by itself). */
bool beacon_sign(struct block *b, uint64_t number);
#define NO_NUMBER UINT64_MAX

/* beacon_true: what an honest node tells of b, which is signed (or the checkpoint): a FINALITY frame, the same one
 * each time but for its source. beacon_false: as much about it as a liar can: some rule is broken. */
struct dr_frame beacon_true(enum dr_beacon_kind kind, struct block *b, uint16_t source);
struct dr_frame beacon_false(enum dr_beacon_kind kind, struct block *b, uint16_t source);

/* beacon_equivocal: two thirds of the committee sign another chain: that b, which is none of the truth's, is final;
 * NO_BLOCK: another beacon block in the slot of the cursor's, or another next committee. */
struct dr_frame beacon_equivocal(struct block *b, uint16_t source);

/* beacon_best: the newest block that was signed and teaches the committee that follows this period's; NO_BLOCK. */
struct block *beacon_best(uint64_t period);
uint64_t beacon_period(const struct block *b);

/* What a frame says that beacon_true made. */
struct said {
	bool bootstrap;
	struct block *head, *final_; /* NO_BLOCK: nothing of it */
	uint64_t time;               /* when it was signed; seconds since 1970 */
};
bool beacon_said(struct said *out, struct dr_bytes payload);

/* beacon_is_final: this is the root of a beacon block that the truth holds as final. */
bool beacon_is_final(const uint8_t root[static 32]);

#endif
