/* SPDX-License-Identifier: Apache-2.0
 *
 * follow: from evidence frames to facts: the header tree above the last final block, completeness of
 * every block on the way, finality behind its interface. Pure: no I/O and no clock.
 *
 * Trusts: the anchor (chain id, first block's number and hash) and the finality scheme. Nothing else.
 *
 * Invariants:
 *   1. The cursor is a final block, and every block from the anchor to it was handed out as a final
 *      fact exactly once, in order, with all its events.
 *   2. A header enters the tree only if its parent is in the tree, or its hash is wanted by a chain of
 *      parents from a block that finality named. So the tree is bounded by DR_FOLLOW_BLOCKS_MAX. Final blocks
 *      further above are hashes on a ladder, linked by parents or EIP-2935 (follow_far.c).
 *   3. A block named final that does not descend from the cursor is a conflict: the follower halts for
 *      good. It never rolls back.
 *   4. A frame that proves nothing changes nothing.
 *   5. A log list, which speaks for many blocks at once, counts only up to a block on the way to one that
 *      finality named final: anybody can put a header of his own, and a state of his own, on top of true blocks.
 *
 * Layer: chain/evm.
 */
#ifndef DR_EVM_FOLLOW_H
#define DR_EVM_FOLLOW_H

#include "chain/evidence.h"
#include "chain/facts.h"
#include "chain/finality.h"
#include "chain/want.h"

/* Which completeness way is asked for. Whatever arrives is accepted if it proves. */
enum dr_way {
	DR_WAY_BLOOM = 0,       /* (a), and (b) where the bloom says "perhaps" */
	DR_WAY_RECEIPTS = 1,    /* (b) for every block */
	DR_WAY_ACCUMULATOR = 2, /* (c), for contracts whose profile names the two slots */
};

struct dr_follow_config {
	uint8_t contract[20];  /* the watched address: all its events count */
	uint64_t start_number; /* the block that created the contract, >= 1 */
	uint8_t start_hash[32];
	uint32_t step_max; /* blocks one final step may advance; 1 to DR_FOLLOW_STEP_MAX */
	enum dr_way way;
	bool has_accumulator; /* the profile names these, and the pinned code keeps them */
	uint8_t count_slot[32];
	uint8_t acc_slot[32];
	uint8_t code_hash[32]; /* way (c) counts only under this code */
	struct dr_finality finality;
};

struct dr_follow; /* opaque */

struct dr_follow *dr_follow_new(const struct dr_follow_config *config);
void dr_follow_free(struct dr_follow *f);

enum dr_take {
	DR_TAKE_KEPT = 0, /* it added something: it belongs into the recording */
	DR_TAKE_KNOWN,    /* true or harmless, but adds nothing: forget it */
	DR_TAKE_REFUSED,  /* malformed, false or unasked: quarantine it; *fail says why */
	DR_TAKE_CONFLICT, /* it contradicts something final: halt */
};

/* dr_follow_frame: takes one foreign frame. On REFUSED and CONFLICT *fail holds the reason; a lie (a
 * proof that is false, against a hash that finality or the parent chain vouches for) is DR_ERR_PROOF. */
enum dr_take dr_follow_frame(struct dr_follow *f, const struct dr_frame *frame, struct dr_fail *fail);

/* What came out, in order. Call until DR_OUT_NONE; every fact is valid until the next call. */
enum dr_follow_out {
	DR_OUT_NONE = 0,
	DR_OUT_BLOCK,     /* *block: a complete block. Status FINAL: the next on the final chain. Status HEAD:
			     a block on the way from the cursor to an authenticated head, parents first */
	DR_OUT_STATE,     /* *state: the watched contract's state after a block whose header is on the final
			     chain (at or below the cursor) */
	DR_OUT_CONFIRMED, /* *finding: finality named the cursor's block (status FINAL) again, after a restart */
	DR_OUT_DISSENT,   /* *finding: an endpoint's word that finality did not follow */
	DR_OUT_CONFLICT   /* *finding names the final block that does not descend from the cursor */
};

enum dr_follow_out dr_follow_next(struct dr_follow *f, const struct dr_fact_block **block,
				  const struct dr_fact_state **state, struct dr_finality_finding *finding);

/* dr_follow_want_state: asks for a state proof of the contract with these slots at the final block
 * `number` once it is held; replaces an earlier wish that was not answered yet. The fact comes out as
 * DR_OUT_STATE when the block is final. */
void dr_follow_want_state(struct dr_follow *f, uint64_t number, const uint8_t (*slots)[32], size_t num_slots);

/* dr_follow_want_young: asks for the same at a block on the way to a head, which may become final: servers keep the
 * state of young blocks alone. It is at hand when dr_follow_want_state asks for these slots at that block. The newest
 * DR_FOLLOW_YOUNG_MAX are remembered. */
void dr_follow_want_young(struct dr_follow *f, uint64_t number, const uint8_t hash[static 32],
			  const uint8_t (*slots)[32], size_t num_slots);

/* dr_follow_wants: what is missing now, most urgent first, into out[0,max); returns how many. Ids are 0.
 * The same want is listed at every call until it is answered. */
size_t dr_follow_wants(const struct dr_follow *f, struct dr_want *out, size_t max);

/* dr_follow_unavailable: nobody answers this want. Way (c) then falls back to receipts for this range. */
void dr_follow_unavailable(struct dr_follow *f, const struct dr_want *want);

/* The cursor: false before the first final step. */
bool dr_follow_cursor(const struct dr_follow *f, uint64_t *number, uint8_t hash[static 32]);

/* dr_follow_final: the hash of the final block `number`, and by what it is final: for chains that stand on this one.
 * Facts say the same once, in order; this is for who asks later. False, with zeros and DR_PROOF_NONE: not final and
 * complete yet, before the start, older than the last DR_FOLLOW_PAST_MAX; after a restart until finality is shown
 * anew; halted. */
bool dr_follow_final(const struct dr_follow *f, uint64_t number, uint8_t hash[static 32], enum dr_proof *proof);

/* The newest block that finality named, whether or not it is complete yet: what the cursor lags behind. */
bool dr_follow_target(const struct dr_follow *f, uint64_t *number, uint8_t hash[static 32]);

bool dr_follow_halted(const struct dr_follow *f);

/* dr_follow_restart: the process starts again on top of refolded evidence: finality must be shown anew
 * (DR_OUT_CONFIRMED or a newer final block) before anything rests on it. */
void dr_follow_restart(struct dr_follow *f);

#endif
