/* SPDX-License-Identifier: Apache-2.0
 *
 * finality: the interface behind which every consensus system stands. The follower hands it FINALITY
 * frames (and, where headers carry seals, headers); it answers which blocks are head or final.
 *
 * `quorum` (chain/evm/quorum.h) and `beacon` (chain/beacon/beacon.h) implement it; seals, GRANDPA and rollups will.
 *
 * Layer: chain (face).
 */
#ifndef DR_CHAIN_FINALITY_H
#define DR_CHAIN_FINALITY_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"
#include "chain/facts.h"
#include "chain/want.h"

enum dr_finality_scheme {
	DR_FINALITY_QUORUM = 1,
	DR_FINALITY_BEACON = 2, /* Ethereum's sync committees */
};

enum dr_finding_kind {
	DR_FINDING_NONE = 0,
	DR_FINDING_BLOCK,     /* (status, number, hash) is now authenticated */
	DR_FINDING_DISSENT,   /* `source` says something else than what was authenticated at `number` */
	DR_FINDING_EQUIVOCAL, /* `source` contradicts its own earlier word about a final block */
	DR_FINDING_PAST,      /* (number, hash) was final before what is now: nothing new, unless it contradicts */
	DR_FINDING_CONFLICT,  /* two valid proofs contradict each other about what is final: halt */
};

struct dr_finality_finding {
	enum dr_finding_kind kind;
	enum dr_status status;
	uint64_t number;
	uint8_t hash[32];
	uint16_t source;
	const char *why; /* DR_FINDING_CONFLICT: what contradicts what, a constant; else NULL */
};

struct dr_finality {
	enum dr_proof proof;
	void *self;
	/* One FINALITY frame's payload. DR_OK: taken; *news: it says something not yet held (whether or not
	 * that proved a block). */
	enum dr_err (*frame)(void *self, struct dr_bytes payload, uint16_t source, bool *news, struct dr_fail *fail);
	/* The next finding not yet handed out; false if there is none. */
	bool (*next)(void *self, struct dr_finality_finding *out);
	/* A new start: earlier words no longer authenticate anything; what was final stays known. */
	void (*restart)(void *self);
	/* The wall clock now, by which proofs from the future are refused; 0: unknown. NULL: the scheme needs none.
	 */
	void (*clock)(void *self, uint64_t wall_s);
	/* Words about heads up to this block may be taken unproven: all that they could do is decided by the final
	 * state at that block, to which the caller folds own evidence anew. 0: none any more. NULL: proofs cost
	 * nothing. */
	void (*settled)(void *self, uint64_t number);
	/* What the scheme lacks beside DR_WANT_FINALITY, most urgent first, into out[0,max); ids are 0. NULL:
	 * nothing. */
	size_t (*wants)(void *self, struct dr_want *out, size_t max);
};

#endif
