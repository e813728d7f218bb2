/* SPDX-License-Identifier: Apache-2.0
 *
 * change: what the fold made of one event (or of time passing). Exactly one change per proven event of
 * the governing contract, plus one per matured grant: nothing is dropped silently. Its encoding is the
 * ledger's leaf.
 *
 * leaf = u8 version (1) · u64 chain id · contract 20 · u64 block number · block hash 32 · u64 block time ·
 *        u32 ordinal · event digest 32 · u16 action · u8 effect · u8 outcome · u8 reason · u8 flags ·
 *        u64 proposal · by 20 · u64 due · u8 num args · args 32 each
 * flags: 1 has proposal, 2 has by, 4 has due. Integers big-endian.
 * event digest = keccak256(topic0 ‖ keccak256(data)); of a matured grant: that of the event that made it;
 * of an epoch boundary: that of its policy's event; of an exposure by what took a holder's right away (ROOT_EXPOSE,
 * matured, before its deadline): that of the revocation, or of what made the holder one. The ordinal of what no event
 * of its block made is 0xffffffff.
 *
 * Layer: governance.
 */
#ifndef DR_GOVERNANCE_CHANGE_H
#define DR_GOVERNANCE_CHANGE_H

#include "governance/action.h"

enum dr_outcome {
	DR_OUTCOME_REFUSED = 0, /* not obeyed; `reason` says why. A finding. */
	DR_OUTCOME_APPLIED = 1, /* obeyed, in force from this block on */
	DR_OUTCOME_PENDING = 2, /* obeyed, in force from `due` on */
	DR_OUTCOME_MATURED = 3, /* a pending grant came into force at this block */
};

enum dr_reason {
	DR_REASON_NONE = 0,
	DR_REASON_UNKNOWN_EVENT = 1, /* topic0 not in the profile: everything is withheld */
	DR_REASON_MALFORMED = 2,     /* data not of the declared shape: everything is withheld */
	DR_REASON_VOTES = 3,         /* our own tally does not support it: unsupported execution */
	DR_REASON_NO_PROPOSAL = 4,   /* names a proposal that was not executed just before it */
	DR_REASON_MISMATCH = 5,      /* does something else than the proposal says */
	DR_REASON_AUTHORITY = 6,     /* `by` may not do this */
	DR_REASON_NOTICE = 7,        /* `due` comes before the notice period ends */
	DR_REASON_ORDER = 8,         /* not possible in this state (unknown app, doubled vote, …) */
	DR_REASON_PROOF = 9,         /* a possession proof or signature in it is false */
	DR_REASON_DEADLINE = 10,     /* too late */
	DR_REASON_LIMIT = 11,        /* beyond a bound of limits.h */
};

struct dr_change {
	uint64_t chain_id;
	uint8_t contract[20];
	uint64_t number;
	uint8_t hash[32];
	uint64_t time; /* block timestamp, seconds */
	uint32_t ordinal;
	uint8_t event_digest[32];
	enum dr_effect effect;
	enum dr_outcome outcome;
	enum dr_reason reason;
	struct dr_act act; /* action NONE if the event was unknown or malformed */
};

#define DR_CHANGE_LEN_MAX (1u + 8 + 20 + 8 + 32 + 8 + 4 + 32 + 2 + 4 + 8 + 20 + 8 + 1 + 32 * DR_ARGS_MAX)

enum dr_err dr_change_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_change *c, struct dr_fail *fail);
enum dr_err dr_change_decode(struct dr_change *out, struct dr_bytes bytes, struct dr_fail *fail);

const char *dr_outcome_name(enum dr_outcome outcome);
const char *dr_reason_name(enum dr_reason reason); /* short stable code, "unsupported-votes" … */
const char *dr_reason_text(enum dr_reason reason); /* one sentence */

#endif
