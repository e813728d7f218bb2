/* SPDX-License-Identifier: Apache-2.0
 *
 * fold_step: what the parts of the fold share: one block on its way through, and the table of rules. The
 * action table (action.h) says who may act and after which notice; a rule says what an act needs of the
 * state and what it writes.
 *
 * Layer: governance (private).
 */
#ifndef DR_GOVERNANCE_FOLD_STEP_H
#define DR_GOVERNANCE_FOLD_STEP_H

#include "governance/fold.h"
#include "governance/state_put.h"

struct dr_step {
	const struct dr_fold *fold;
	const struct dr_fact_block *block;
	struct dr_state state; /* the working copy */
	uint64_t time, number; /* of the block */
	struct dr_fail fail;   /* sticky */

	/* Where what is being done came from: the event, or the one that was pending. */
	uint64_t origin_number;
	uint32_t origin_ordinal;
	uint8_t event_digest[32];

	/* What is being done is the council's own: a supported proposal says exactly this. */
	bool council;

	/* The event directly before in this block, if it was an execution. */
	bool executed, supported;
	uint64_t executed_proposal;
	/* The event directly after in this block names this proposal; 0: it names none. */
	uint64_t next_proposal;
};

struct dr_rule {
	enum dr_action action;
	/* May it happen in this state? NULL: always. Writes nothing. due: when it would come into force. */
	enum dr_reason (*check)(const struct dr_step *step, const struct dr_act *act, uint64_t due);
	/* Written when it is accepted; NULL: nothing. */
	void (*announce)(struct dr_step *step, const struct dr_act *act, uint64_t due);
	/* Written when it comes into force: at once, or when a block reaches due. NULL: nothing. */
	void (*take)(struct dr_step *step, const struct dr_act *act, uint64_t due);
	/* While pending: its first num_subject words say what it is about. Announcing again replaces what is
	 * pending on the same subject; with `checkpoint`, only what is due no earlier (as the contract's
	 * checkpoints do). */
	uint8_t num_subject;
	bool checkpoint;
	/* What is pending on the same subject under this action is gone; NONE: nothing. */
	enum dr_action cancels;
};

/* The three parts of the table; NULL if the action is in another. */
const struct dr_rule *dr_fold_council_rule(enum dr_action action);
const struct dr_rule *dr_fold_rights_rule(enum dr_action action);
const struct dr_rule *dr_fold_keys_rule(enum dr_action action);

/* The rule of a right with notice (state_put.h, grant). */
enum dr_reason dr_fold_check_grant(const struct dr_step *step, const struct dr_act *act, uint64_t due);
void dr_fold_announce_grant(struct dr_step *step, const struct dr_act *act, uint64_t due);
void dr_fold_take_grant(struct dr_step *step, const struct dr_act *act, uint64_t due);

/* dr_fold_skip_proposal: a refused proposal still has the number that the contract gave it. */
void dr_fold_skip_proposal(struct dr_step *step, const struct dr_act *act);

/* dr_fold_proposal: does an executed proposal, directly before, say exactly this act? */
enum dr_reason dr_fold_proposal(const struct dr_step *step, const struct dr_act *act);
/* dr_fold_founding: the contract's first block, before it was constituted. */
bool dr_fold_founding(const struct dr_step *step);

/* dr_fold_emit: one change goes to whoever listens. */
void dr_fold_emit(struct dr_step *step, const struct dr_act *act, enum dr_outcome outcome, enum dr_reason reason);

/* What time does besides bringing acts into force. Each emits its own change, or none. */
void dr_fold_epoch_boundary(struct dr_step *step, const struct dr_pending *p);
void dr_fold_root_deadline(struct dr_step *step, const struct dr_pending *p);
void dr_fold_root_stop(struct dr_step *step, const struct dr_pending *p);

/* dr_fold_hold: node becomes a holder of the generation, as it is registered now. */
void dr_fold_hold(struct dr_step *step, uint64_t generation, const uint8_t node[static 20]);
/* dr_fold_exposure: what follows from an act that has just come into force, and been emitted: generations of whose
 * holders it took the right away are exposed, each by a change of its own. */
void dr_fold_exposure(struct dr_step *step, const struct dr_act *act);
/* dr_fold_root_expose: the generation of ROOT_EXPOSE is exposed from its deadline on; false: it is over, or has
 * no more time than that already. */
bool dr_fold_root_expose(struct dr_step *step, const struct dr_act *act);

/* dr_fold_u64: an argument that the profile has checked to be a U64. */
uint64_t dr_fold_u64(const struct dr_act *act, size_t idx);

#endif
