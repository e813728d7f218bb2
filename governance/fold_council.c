/* SPDX-License-Identifier: Apache-2.0
 *
 * The council: who may vote with what weight, what was proposed, and derot's own tally.
 */
#include <string.h>

#include "governance/fold_step.h"

#define PROPOSED_ARGS 8u

static const uint8_t (*subject_of(const struct dr_act *act))[32]
{
	return (const uint8_t(*)[32])act->args;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

enum dr_reason dr_fold_proposal(const struct dr_step *step, const struct dr_act *act)
{
	struct dr_proposal proposal;

	if (!step->executed || step->executed_proposal != act->proposal)
		return DR_REASON_NO_PROPOSAL;
	if (!step->supported)
		return DR_REASON_VOTES;
	if (!dr_state_proposal(&proposal, &step->state, act->proposal))
		return DR_REASON_NO_PROPOSAL;
	/* Words that the action does not use were zero when it was proposed. */
	if (proposal.action != act->action || act->num_args > PROPOSED_ARGS ||
	    memcmp(proposal.args, act->args, 32u * act->num_args) != 0)
		return DR_REASON_MISMATCH;
	return DR_REASON_NONE;
}

/* Membership */

static enum dr_reason check_member_set(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)step;
	(void)due;
	return dr_fold_u64(act, 1) > 0 ? DR_REASON_NONE : DR_REASON_ORDER;
}

static void announce_member_set(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	dr_state_put_weight(&step->state, act->args[0] + 12, due, dr_fold_u64(act, 1), &step->fail);
}

static enum dr_reason check_member_remove(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)due;
	return dr_state_has_weight(&step->state, act->args[0] + 12, step->time) ? DR_REASON_NONE : DR_REASON_ORDER;
}

static void take_member_remove(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)due;
	dr_state_put_weight(&step->state, act->args[0] + 12, step->time, 0, &step->fail);
}

static enum dr_reason check_quorum_set(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)step;
	(void)due;
	return dr_fold_u64(act, 0) > 0 ? DR_REASON_NONE : DR_REASON_ORDER;
}

static void announce_quorum_set(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	dr_state_put_quorum(&step->state, due, dr_fold_u64(act, 0), &step->fail);
}

static enum dr_reason check_notice_set(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)step;
	(void)due;
	if (dr_fold_u64(act, 0) >= DR_NOTICE_CLASSES)
		return DR_REASON_ORDER;
	return dr_fold_u64(act, 1) <= DR_TIME_MAX_S ? DR_REASON_NONE : DR_REASON_LIMIT;
}

static void announce_notice_set(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	dr_state_put_notice(&step->state, dr_fold_u64(act, 0), due, dr_fold_u64(act, 1), &step->fail);
}

static void take_guardian_add(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)due;
	dr_state_put_guardian(&step->state, act->args[0] + 12, true, &step->fail);
}

static enum dr_reason check_guardian_remove(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const bool coming = dr_state_pending_due(&step->state, DR_PENDING_ACT, DR_ACTION_GUARDIAN_ADD,
						 subject_of(act), 1) != UINT64_MAX;

	(void)due;
	return coming || dr_state_guardian(&step->state, act->args[0] + 12) ? DR_REASON_NONE : DR_REASON_ORDER;
}

static void take_guardian_remove(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)due;
	dr_state_put_guardian(&step->state, act->args[0] + 12, false, &step->fail);
}

/* A constitution without a quorum or a notice period would permit everything. */
static enum dr_reason check_constitute(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t period = dr_fold_u64(act, 0);

	(void)due;
	if (period > DR_TIME_MAX_S)
		return DR_REASON_LIMIT;
	if (period == 0 || dr_state_quorum(&step->state, step->time) == 0)
		return DR_REASON_ORDER;
	for (uint64_t class = 0; class < DR_NOTICE_CLASSES; class ++)
		if (!dr_state_has_notice(&step->state, class, step->time))
			return DR_REASON_ORDER;
	return DR_REASON_NONE;
}

static void take_constitute(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)due;
	dr_state_put_constitution(&step->state, dr_fold_u64(act, 0), &step->fail);
}

/* Proposals */

static bool arg_is_clean(const uint8_t *word, enum dr_word_type type)
{
	switch (type) {
	case DR_WORD_BYTES32: return true;
	case DR_WORD_U64: return dr_bytes_zero(word, 24);
	case DR_WORD_ADDRESS: return dr_bytes_zero(word, 12);
	case DR_WORD_BOOL: return dr_bytes_zero(word, 31) && word[31] <= 1;
	}
	return false;
}

static bool is_council_act(const struct dr_action_def *def)
{
	return def != NULL && def->num_args <= PROPOSED_ARGS &&
	       (def->authority == DR_AUTHORITY_COUNCIL || def->authority == DR_AUTHORITY_COUNCIL_OR_GUARDIAN ||
		def->authority == DR_AUTHORITY_DEPLOYER_COUNCIL_OR_GUARDIAN);
}

static enum dr_reason check_propose(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t action = dr_fold_u64(act, 0), period = dr_state_voting_period(&step->state);
	const struct dr_action_def *def = action <= UINT16_MAX ? dr_action_def((uint16_t)action) : NULL;

	(void)due;
	if (!dr_state_constituted(&step->state) || act->proposal != dr_state_proposal_num(&step->state) + 1)
		return DR_REASON_ORDER;
	if (!is_council_act(def))
		return DR_REASON_ORDER;
	for (size_t i = 0; i < PROPOSED_ARGS; i++) {
		const uint8_t *word = act->args[2 + i];

		if (i < def->num_args ? !arg_is_clean(word, def->args[i].type) : !dr_bytes_zero(word, 32))
			return DR_REASON_ORDER;
	}
	return dr_fold_u64(act, 1) == step->time + period ? DR_REASON_NONE : DR_REASON_MISMATCH;
}

static void take_propose(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_proposal proposal = {
		.stage = DR_PROPOSAL_OPEN,
		.action = (uint16_t)dr_fold_u64(act, 0),
		.snapshot = step->time,
		.expires = dr_fold_u64(act, 1),
	};

	(void)due;
	memcpy(proposal.by, act->by, 20);
	memcpy(proposal.args, act->args[2], sizeof(proposal.args));
	dr_state_put_proposal(&step->state, act->proposal, &proposal, &step->fail);
	dr_state_put_proposal_num(&step->state, act->proposal, &step->fail);
}

void dr_fold_skip_proposal(struct dr_step *step, const struct dr_act *act)
{
	if (act->has_proposal && act->proposal == dr_state_proposal_num(&step->state) + 1)
		dr_state_put_proposal_num(&step->state, act->proposal, &step->fail);
}

/* open_proposal: the proposal that act is about, if it can still be voted on, cancelled or executed. */
static bool open_proposal(struct dr_proposal *out, const struct dr_step *step, const struct dr_act *act)
{
	return act->has_proposal && dr_state_proposal(out, &step->state, act->proposal) &&
	       out->stage == DR_PROPOSAL_OPEN;
}

static enum dr_reason check_vote(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_proposal proposal;

	(void)due;
	if (!open_proposal(&proposal, step, act) || dr_state_voted(&step->state, act->proposal, act->by))
		return DR_REASON_ORDER;
	if (step->time > proposal.expires)
		return DR_REASON_DEADLINE;
	return dr_fold_u64(act, 0) == dr_state_weight(&step->state, act->by, proposal.snapshot) ? DR_REASON_NONE
												: DR_REASON_MISMATCH;
}

static void take_vote(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const bool support = act->args[1][31] == 1;
	struct dr_proposal proposal;
	uint64_t weight;

	(void)due;
	if (!open_proposal(&proposal, step, act))
		return;
	weight = dr_state_weight(&step->state, act->by, proposal.snapshot);
	if (support)
		proposal.yes = sum(proposal.yes, weight);
	else
		proposal.no = sum(proposal.no, weight);
	dr_state_put_vote(&step->state, act->proposal, act->by, weight, support, &step->fail);
	dr_state_put_proposal(&step->state, act->proposal, &proposal, &step->fail);
}

static enum dr_reason check_cancel(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_proposal proposal;

	(void)due;
	if (!open_proposal(&proposal, step, act))
		return DR_REASON_ORDER;
	if (act->has_by && memcmp(proposal.by, act->by, 20) == 0)
		return DR_REASON_NONE;
	/* No guardian stops a guardian's removal, or a lost one could stop everything for ever. */
	return act->has_by && dr_state_guardian(&step->state, act->by) && proposal.action != DR_ACTION_GUARDIAN_REMOVE
		       ? DR_REASON_NONE
		       : DR_REASON_AUTHORITY;
}

static void close_proposal(struct dr_step *step, const struct dr_act *act, enum dr_proposal_stage stage)
{
	struct dr_proposal proposal;

	if (!open_proposal(&proposal, step, act))
		return;
	proposal.stage = stage;
	dr_state_put_proposal(&step->state, act->proposal, &proposal, &step->fail);
}

static void take_cancel(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)due;
	close_proposal(step, act, DR_PROPOSAL_CANCELLED);
}

static enum dr_reason check_execute(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_proposal proposal;
	uint64_t quorum;

	(void)due;
	if (!open_proposal(&proposal, step, act) || step->time > proposal.expires)
		return DR_REASON_VOTES;
	quorum = dr_state_quorum(&step->state, proposal.snapshot);
	if (quorum == 0 || proposal.yes < quorum || proposal.yes <= proposal.no)
		return DR_REASON_VOTES;
	/* The contract logs the act in the same transaction, directly after. */
	return step->next_proposal == act->proposal ? DR_REASON_NONE : DR_REASON_MISMATCH;
}

static void take_execute(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)due;
	close_proposal(step, act, DR_PROPOSAL_EXECUTED);
}

static const struct dr_rule rules[] = {
	{ DR_ACTION_MEMBER_SET, check_member_set, announce_member_set, NULL, 1, true, DR_ACTION_NONE },
	{ DR_ACTION_MEMBER_REMOVE, check_member_remove, NULL, take_member_remove, 1, false, DR_ACTION_MEMBER_SET },
	{ DR_ACTION_QUORUM_SET, check_quorum_set, announce_quorum_set, NULL, 0, true, DR_ACTION_NONE },
	{ DR_ACTION_NOTICE_SET, check_notice_set, announce_notice_set, NULL, 1, true, DR_ACTION_NONE },
	{ DR_ACTION_GUARDIAN_ADD, NULL, NULL, take_guardian_add, 1, true, DR_ACTION_NONE },
	{ DR_ACTION_GUARDIAN_REMOVE, check_guardian_remove, NULL, take_guardian_remove, 1, false,
	  DR_ACTION_GUARDIAN_ADD },
	{ DR_ACTION_CONSTITUTE, check_constitute, NULL, take_constitute, 0, false, DR_ACTION_NONE },
	{ DR_ACTION_PROPOSE, check_propose, NULL, take_propose, 0, false, DR_ACTION_NONE },
	{ DR_ACTION_VOTE, check_vote, NULL, take_vote, 0, false, DR_ACTION_NONE },
	{ DR_ACTION_CANCEL, check_cancel, NULL, take_cancel, 0, false, DR_ACTION_NONE },
	{ DR_ACTION_EXECUTE, check_execute, NULL, take_execute, 0, false, DR_ACTION_NONE },
};

const struct dr_rule *dr_fold_council_rule(enum dr_action action)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].action == action)
			return &rules[i];
	return NULL;
}
