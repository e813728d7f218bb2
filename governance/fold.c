/* SPDX-License-Identifier: Apache-2.0 */
#include "governance/fold.h"

#include <string.h>

#include "chain/crypto/keccak.h"
#include "governance/fold_step.h"

/* The ordinal of a change that no event of its block made. */
#define ORDINAL_NONE UINT32_MAX

uint64_t dr_fold_u64(const struct dr_act *act, size_t idx)
{
	uint64_t value;

	DR_ASSERT(idx < act->num_args && dr_word_u64(&value, act->args[idx]));
	return value;
}

bool dr_fold_founding(const struct dr_step *step)
{
	return step->number == step->fold->start_number && !dr_state_constituted(&step->state);
}

static void emit_at(struct dr_step *step, const struct dr_act *act, uint32_t ordinal, enum dr_outcome outcome,
		    enum dr_reason reason)
{
	const struct dr_action_def *def = dr_action_def((uint16_t)act->action);
	const struct dr_fold *fold = step->fold;
	struct dr_change change = {
		.chain_id = fold->chain_id,
		.number = step->number,
		.time = step->time,
		.ordinal = ordinal,
		.effect = def != NULL ? def->effect : DR_EFFECT_NEUTRAL,
		.outcome = outcome,
		.reason = reason,
		.act = *act,
	};
	enum dr_err err;

	if (step->fail.err != DR_OK || fold->change == NULL)
		return;
	memcpy(change.contract, fold->contract, 20);
	memcpy(change.hash, dr_fact_block_hash(step->block), 32);
	memcpy(change.event_digest, step->event_digest, 32);
	if ((err = fold->change(fold->ctx, &change)) != DR_OK)
		dr_fail_set(&step->fail, err, "fold: whoever listens to changes stopped it", ordinal);
}

void dr_fold_emit(struct dr_step *step, const struct dr_act *act, enum dr_outcome outcome, enum dr_reason reason)
{
	emit_at(step, act, ORDINAL_NONE, outcome, reason);
}

static const struct dr_rule *rule_of(enum dr_action action)
{
	const struct dr_rule *rule = dr_fold_council_rule(action);

	if (rule == NULL)
		rule = dr_fold_rights_rule(action);
	if (rule == NULL)
		rule = dr_fold_keys_rule(action);
	DR_ASSERT(rule != NULL);
	return rule;
}

static bool is_guardian(const struct dr_step *step, const struct dr_act *act)
{
	return act->has_by && dr_state_guardian(&step->state, act->by);
}

static enum dr_reason member(const struct dr_step *step, const struct dr_act *act)
{
	struct dr_proposal proposal;
	uint64_t time = step->time;

	if (act->action == DR_ACTION_VOTE) {
		if (!dr_state_proposal(&proposal, &step->state, act->proposal))
			return DR_REASON_ORDER;
		time = proposal.snapshot;
	}
	return act->has_by && dr_state_weight(&step->state, act->by, time) > 0 ? DR_REASON_NONE : DR_REASON_AUTHORITY;
}

static enum dr_reason deployer(const struct dr_step *step, const struct dr_act *act, bool or_guardian)
{
	struct dr_app app;

	if (!dr_state_app(&app, &step->state, act->args[0]))
		return DR_REASON_ORDER;
	if (act->has_by && memcmp(app.deployer, act->by, 20) == 0)
		return DR_REASON_NONE;
	return or_guardian && is_guardian(step, act) ? DR_REASON_NONE : DR_REASON_AUTHORITY;
}

static enum dr_reason node(const struct dr_step *step, const struct dr_act *act)
{
	struct dr_root root;
	const uint8_t *id = act->args[0] + 12;

	if (act->action == DR_ACTION_ROOT_PUBLISH) {
		if (!dr_state_root(&root, &step->state, dr_fold_u64(act, 0)))
			return DR_REASON_ORDER;
		id = root.node;
	}
	return act->has_by && memcmp(id, act->by, 20) == 0 ? DR_REASON_NONE : DR_REASON_AUTHORITY;
}

/* founds: what the constructor may do without a proposal. */
static bool founds(const struct dr_step *step, const struct dr_action_def *def, const struct dr_act *act)
{
	return dr_fold_founding(step) && act->has_proposal && act->proposal == 0 &&
	       def->authority == DR_AUTHORITY_COUNCIL &&
	       (def->notice == DR_NOTICE_COUNCIL || def->notice == DR_NOTICE_PROFILE);
}

/* authority: the action table's column. */
static enum dr_reason authority(const struct dr_step *step, const struct dr_action_def *def, const struct dr_act *act)
{
	const bool proposed = act->has_proposal && act->proposal != 0;

	switch (def->authority) {
	case DR_AUTHORITY_NONE: return DR_REASON_AUTHORITY;
	case DR_AUTHORITY_COUNCIL:
		if (proposed)
			return dr_fold_proposal(step, act);
		return founds(step, def, act) ? DR_REASON_NONE : DR_REASON_AUTHORITY;
	case DR_AUTHORITY_COUNCIL_OR_GUARDIAN:
		if (proposed)
			return dr_fold_proposal(step, act);
		return is_guardian(step, act) ? DR_REASON_NONE : DR_REASON_AUTHORITY;
	case DR_AUTHORITY_DEPLOYER: return deployer(step, act, false);
	case DR_AUTHORITY_DEPLOYER_COUNCIL_OR_GUARDIAN:
		if (proposed)
			return dr_fold_proposal(step, act);
		return deployer(step, act, true);
	case DR_AUTHORITY_MEMBER: return member(step, act);
	case DR_AUTHORITY_NODE: return node(step, act);
	case DR_AUTHORITY_ANYONE: return DR_REASON_NONE;
	case DR_AUTHORITY_FOUNDING: return dr_fold_founding(step) ? DR_REASON_NONE : DR_REASON_AUTHORITY;
	}
	return DR_REASON_AUTHORITY;
}

/* notice: the action table's column; *due is when the act comes into force. */
static enum dr_reason notice(uint64_t *due, const struct dr_step *step, const struct dr_action_def *def,
			     const struct dr_act *act)
{
	struct dr_epoch_policy policy;
	uint64_t notice_s = 0;
	struct dr_app app;

	*due = step->time;
	if (def->notice == DR_NOTICE_NONE)
		return DR_REASON_NONE;
	if (act->has_due)
		*due = act->due;
	if (founds(step, def, act))
		return *due == step->time ? DR_REASON_NONE : DR_REASON_NOTICE;
	if (*due > DR_TIME_MAX_S)
		return DR_REASON_LIMIT;
	if (def->notice != DR_NOTICE_OWN)
		notice_s = dr_state_notice(&step->state, def->notice, step->time);
	else if (dr_state_app(&app, &step->state, act->args[0]))
		notice_s = app.notice_s;
	/* The first policy of a service takes nothing from anybody. */
	if (act->action == DR_ACTION_EPOCH_POLICY &&
	    !dr_state_epoch_policy(&policy, &step->state, act->args[0], act->args[1]))
		notice_s = 0;
	return *due >= step->time && *due - step->time >= notice_s ? DR_REASON_NONE : DR_REASON_NOTICE;
}

/* accept: writes what an act does, or makes it pending. */
static enum dr_outcome accept(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const struct dr_rule *rule = rule_of(act->action);
	const uint8_t(*subject)[32] = (const uint8_t(*)[32])act->args;
	struct dr_pending pending = {
		.what = DR_PENDING_ACT,
		.due = due,
		.number = step->origin_number,
		.ordinal = step->origin_ordinal,
		.act = *act,
	};

	if (rule->cancels != DR_ACTION_NONE)
		dr_state_unpend(&step->state, DR_PENDING_ACT, rule->cancels, subject, rule->num_subject, 0,
				&step->fail);
	if (rule->announce != NULL)
		rule->announce(step, act, due);
	if (due > step->time) {
		memcpy(pending.event_digest, step->event_digest, 32);
		dr_state_pend(&step->state, &pending, rule->num_subject, rule->checkpoint ? due : 0, &step->fail);
		return DR_OUTCOME_PENDING;
	}
	dr_state_unpend(&step->state, DR_PENDING_ACT, act->action, subject, rule->num_subject,
			rule->checkpoint ? due : 0, &step->fail);
	if (rule->take != NULL)
		rule->take(step, act, due);
	return DR_OUTCOME_APPLIED;
}

static void fold_act(struct dr_step *step, const struct dr_act *act, uint32_t ordinal)
{
	const struct dr_action_def *def = dr_action_def((uint16_t)act->action);
	const struct dr_rule *rule = rule_of(act->action);
	enum dr_outcome outcome = DR_OUTCOME_REFUSED;
	enum dr_reason reason = authority(step, def, act), possible;
	uint64_t due = step->time;

	if (reason == DR_REASON_NONE)
		reason = notice(&due, step, def, act);
	step->council = reason == DR_REASON_NONE && act->has_proposal && act->proposal != 0;
	/* Taking a right away is always safe: a revocation is obeyed, and its flaw is reported. */
	if (reason == DR_REASON_NONE || def->effect == DR_EFFECT_REVOKES) {
		possible = rule->check != NULL ? rule->check(step, act, due) : DR_REASON_NONE;
		if (possible == DR_REASON_NONE)
			outcome = accept(step, act, due);
		else if (reason == DR_REASON_NONE)
			reason = possible;
	}
	if (act->action == DR_ACTION_PROPOSE && outcome == DR_OUTCOME_REFUSED)
		dr_fold_skip_proposal(step, act);
	emit_at(step, act, ordinal, outcome, reason);
	if (outcome == DR_OUTCOME_APPLIED)
		dr_fold_exposure(step, act);
	step->executed = act->action == DR_ACTION_EXECUTE;
	step->supported = outcome == DR_OUTCOME_APPLIED;
	step->executed_proposal = act->proposal;
}

/* read: the act of the idx-th event. */
static enum dr_err read(struct dr_act *act, const struct dr_step *step, size_t idx)
{
	struct dr_fail fail = { 0 };

	return dr_profile_act(act, step->fold->profile, dr_fact_block_event(step->block, idx), &fail);
}

/* The digests of some of a block's events: as many as are hashed side by side at best. */
#define ABREAST 8u
static void digest_events(uint8_t (*out)[32], const struct dr_fact_block *block, size_t first, size_t num)
{
	uint8_t data[ABREAST][32], pairs[ABREAST][64];
	struct dr_bytes in[ABREAST];

	for (size_t i = 0; i < num; i++)
		in[i] = dr_fact_block_event(block, first + i)->data;
	dr_keccak256_many(data, in, num);
	for (size_t i = 0; i < num; i++) {
		memcpy(pairs[i], dr_fact_block_event(block, first + i)->topic0, 32);
		memcpy(pairs[i] + 32, data[i], 32);
		in[i] = dr_bytes_of(pairs[i], 64);
	}
	dr_keccak256_many(out, in, num);
}

static void fold_event(struct dr_step *step, size_t idx, const uint8_t digest[static 32])
{
	const struct dr_event *event = dr_fact_block_event(step->block, idx);
	struct dr_act act, next;
	enum dr_err err;

	DR_ASSERT(memcmp(event->address, step->fold->contract, 20) == 0);
	memcpy(step->event_digest, digest, 32);
	step->origin_number = step->number;
	step->origin_ordinal = event->ordinal;
	step->next_proposal = 0;
	err = read(&act, step, idx);
	if (err == DR_OK) {
		if (idx + 1 < dr_fact_block_num_events(step->block) && read(&next, step, idx + 1) == DR_OK &&
		    next.has_proposal)
			step->next_proposal = next.proposal;
		fold_act(step, &act, event->ordinal);
		return;
	}
	dr_state_put_broken(&step->state, step->fold->profile->digest, &step->fail);
	emit_at(step, &act, event->ordinal, DR_OUTCOME_REFUSED,
		err == DR_ERR_UNKNOWN ? DR_REASON_UNKNOWN_EVENT : DR_REASON_MALFORMED);
	step->executed = false;
}

static void mature(struct dr_step *step, const struct dr_pending *p)
{
	const struct dr_rule *rule = rule_of(p->act.action);

	step->origin_number = p->number;
	step->origin_ordinal = p->ordinal;
	memcpy(step->event_digest, p->event_digest, 32);
	switch (p->what) {
	case DR_PENDING_ACT:
		if (rule->take != NULL)
			rule->take(step, &p->act, p->due);
		dr_fold_emit(step, &p->act, DR_OUTCOME_MATURED, DR_REASON_NONE);
		dr_fold_exposure(step, &p->act);
		return;
	case DR_PENDING_EPOCH: dr_fold_epoch_boundary(step, p); return;
	case DR_PENDING_DEADLINE: dr_fold_root_deadline(step, p); return;
	case DR_PENDING_STOP: dr_fold_root_stop(step, p); return;
	}
}

/* heal: under a successor profile that is in force on chain, what its predecessor could not read no
 * longer withholds everything. */
static void heal(struct dr_step *step)
{
	const uint8_t *ours = step->fold->profile->digest;
	uint8_t broken_by[32], in_force[32];

	if (dr_state_broken_by(broken_by, &step->state) && memcmp(broken_by, ours, 32) != 0 &&
	    dr_state_profile(in_force, &step->state) && memcmp(in_force, ours, 32) == 0)
		dr_state_put_broken(&step->state, NULL, &step->fail);
}

enum dr_err dr_fold_block(const struct dr_fold *fold, struct dr_state *state, const struct dr_fact_block *block,
			  struct dr_fail *fail)
{
	struct dr_step step = {
		.fold = fold,
		.block = block,
		.state = dr_state_share(state),
		.time = dr_fact_block_timestamp(block),
		.number = dr_fact_block_number(block),
	};
	const size_t num = dr_fact_block_num_events(block);
	uint8_t digests[ABREAST][32];
	struct dr_pending pending;

	if (step.time > DR_TIME_MAX_S)
		dr_fail_set(&step.fail, DR_ERR_LIMIT, "fold: block timestamp", 0);
	while (dr_state_pending_take(&pending, &step.state, step.time, &step.fail))
		mature(&step, &pending);
	heal(&step);
	for (size_t i = 0; i < num && step.fail.err == DR_OK; i++) {
		if (i % ABREAST == 0)
			digest_events(digests, block, i, num - i < ABREAST ? num - i : ABREAST);
		fold_event(&step, i, digests[i % ABREAST]);
	}
	if (step.fail.err != DR_OK) {
		dr_state_drop(&step.state);
		return dr_fail_set(fail, step.fail.err, step.fail.what, step.fail.at);
	}
	dr_state_drop(state);
	*state = step.state;
	return DR_OK;
}
