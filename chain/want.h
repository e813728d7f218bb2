/* SPDX-License-Identifier: Apache-2.0
 *
 * want: what the verifier asks the untrusted side for. Wants are not evidence: they travel from core to
 * watcher and are answered by frames, or by "unavailable" and a reason.
 *
 * Layer: chain (face).
 */
#ifndef DR_CHAIN_WANT_H
#define DR_CHAIN_WANT_H

#include "chain/base/bytes.h"
#include "chain/base/limits.h"

enum dr_want_kind {
	/* The newest final block with number <= last and >= first, and the newest head: every endpoint's
	 * word (quorum), or the scheme's newest proof. Never fulfilled: the watcher polls. One FINALITY
	 * frame per endpoint and status. */
	DR_WANT_FINALITY = 1,
	DR_WANT_HEADERS = 2,  /* headers first..last by number, ascending, one HEADER frame each */
	DR_WANT_HEADER = 3,   /* the header with this hash */
	DR_WANT_RECEIPTS = 4, /* all receipts of the block with this hash (number `first`) */
	DR_WANT_STATE = 5,    /* account `address` with slots[0,num_slots) at block `hash` (number `first`) */
	DR_WANT_LOGS = 6,     /* all logs of `address` in first..last; hash is that of block `last` */
	/* The headers last, last - 1, … first, descending, one HEADER frame each; hash is that of block `last`. */
	DR_WANT_PARENTS = 7,
	/* Of a beacon chain, a FINALITY frame each: the bootstrap of the beacon block with this root (hash); the
	 * best update of each of the sync-committee periods first..last, ascending. */
	DR_WANT_BOOTSTRAP = 8,
	DR_WANT_UPDATES = 9,
};

#define DR_WANT_LAST DR_WANT_UPDATES

struct dr_want {
	uint32_t id; /* given by the core; increasing; 0 until given */
	uint8_t kind;
	uint64_t first;
	uint64_t last;
	uint8_t hash[32];
	uint8_t address[20];
	uint16_t num_slots;
	uint8_t slots[DR_STATE_SLOTS_MAX][32];
};

#endif
