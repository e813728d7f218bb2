/* SPDX-License-Identifier: Apache-2.0
 *
 * finality: the interface behind which every consensus system stands. The follower hands it FINALITY
 * frames (and, where headers carry seals, headers); it answers which blocks are head or final.
 *
 * `quorum` implements it (chain/evm/quorum.h); sync committees, seals, GRANDPA and rollups will.
 *
 * Layer: chain (face).
 */
#ifndef DR_CHAIN_FINALITY_H
#define DR_CHAIN_FINALITY_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"
#include "chain/facts.h"

enum dr_finality_scheme {
	DR_FINALITY_QUORUM = 1,
};

enum dr_finding_kind {
	DR_FINDING_NONE = 0,
	DR_FINDING_BLOCK,     /* (status, number, hash) is now authenticated */
	DR_FINDING_DISSENT,   /* `source` says something else than what was authenticated at `number` */
	DR_FINDING_EQUIVOCAL, /* `source` contradicts its own earlier word about a final block */
};

struct dr_finality_finding {
	enum dr_finding_kind kind;
	enum dr_status status;
	uint64_t number;
	uint8_t hash[32];
	uint16_t source;
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
};

#endif
