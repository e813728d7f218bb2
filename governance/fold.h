/* SPDX-License-Identifier: Apache-2.0
 *
 * fold: block by block, from complete block facts to changes and the next state. Reads no clock: time is
 * the block's. First everything due by the block's timestamp matures, in (due, order of announcement);
 * then the block's events, in order.
 *
 * derot tallies votes itself: an execution counts only if the members' weights at the proposal's
 * snapshot (its block's timestamp), from proven membership and proven votes, reach the quorum of that
 * snapshot and outweigh the votes against. The act that follows must be exactly what was proposed.
 * A revocation is obeyed even where its authority is lacking (removing a right is always safe), but its
 * outcome is then REFUSED's sibling: APPLIED with a reason, which is a finding.
 *
 * Layer: governance.
 */
#ifndef DR_GOVERNANCE_FOLD_H
#define DR_GOVERNANCE_FOLD_H

#include "chain/facts.h"
#include "governance/change.h"
#include "governance/profile.h"
#include "governance/state.h"

struct dr_fold {
	uint64_t chain_id;
	uint8_t genesis[32];
	uint8_t contract[20];
	uint64_t start_number;            /* the block that created the contract */
	const struct dr_profile *profile; /* borrowed */
	/* Called for each change, in order; NULL: nobody listens. The change is borrowed for the call. A
	 * result other than DR_OK stops the fold. */
	enum dr_err (*change)(void *ctx, const struct dr_change *change);
	void *ctx;
};

/* dr_fold_block: *state becomes the state after the block. On an error (nomem, limit, or what `change`
 * returned) *state is unchanged. Events of other addresses are a bug: chain/ filters them. */
enum dr_err dr_fold_block(const struct dr_fold *fold, struct dr_state *state, const struct dr_fact_block *block,
			  struct dr_fail *fail);

#endif
