/* SPDX-License-Identifier: Apache-2.0
 *
 * What keys come from: root generations and epochs.
 *
 * A generation that failed stays as it is; the council orders the next number, from the same node or another.
 */
#include <string.h>

#include "governance/fold_step.h"
#include "governance/root.h"

static bool is_kms_node(const struct dr_step *step, const uint8_t *id)
{
	struct dr_node node;

	return dr_state_node(&node, &step->state, id) && node.role == DR_ROLE_KMS;
}

/* Roots */

static void pend_root(struct dr_step *step, const struct dr_act *act, enum dr_pending_what what, uint64_t due)
{
	struct dr_pending pending = {
		.what = what,
		.due = due,
		.number = step->origin_number,
		.ordinal = step->origin_ordinal,
		.act = *act,
	};

	memcpy(pending.event_digest, step->event_digest, 32);
	dr_state_pend(&step->state, &pending, 1, 0, &step->fail);
}

static void unpend_root(struct dr_step *step, const struct dr_act *act, enum dr_pending_what what,
			enum dr_action action)
{
	dr_state_unpend(&step->state, what, action, (const uint8_t(*)[32])act->args, 1, 0, &step->fail);
}

static enum dr_reason check_rotate(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t ordered = dr_state_ordered(&step->state), deadline = dr_fold_u64(act, 2);

	if (ordered == UINT64_MAX || dr_fold_u64(act, 0) != ordered + 1 || deadline <= due)
		return DR_REASON_ORDER;
	if (deadline > DR_TIME_MAX_S)
		return DR_REASON_LIMIT;
	return is_kms_node(step, act->args[1] + 12) ? DR_REASON_NONE : DR_REASON_ORDER;
}

static void announce_rotate(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_root root = { .stage = DR_ROOT_ORDERED, .due = due, .deadline = dr_fold_u64(act, 2) };

	memcpy(root.node, act->args[1] + 12, 20);
	dr_state_put_root(&step->state, dr_fold_u64(act, 0), &root, &step->fail);
}

static void take_rotate(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t generation = dr_fold_u64(act, 0);
	struct dr_root root;

	(void)due;
	if (!dr_state_root(&root, &step->state, generation))
		return;
	root.stage = DR_ROOT_DUE;
	dr_state_put_root(&step->state, generation, &root, &step->fail);
	/* From now on it may have the keys, published or not; stopped before, they would be of no use. */
	if (!root.stopped && is_kms_node(step, root.node))
		dr_fold_hold(step, generation, root.node);
	pend_root(step, act, DR_PENDING_DEADLINE, root.deadline + 1);
}

void dr_fold_root_deadline(struct dr_step *step, const struct dr_pending *p)
{
	const uint64_t generation = dr_fold_u64(&p->act, 0);
	struct dr_root root;

	if (!dr_state_root(&root, &step->state, generation) || root.stage != DR_ROOT_DUE)
		return;
	root.stage = DR_ROOT_FAILED;
	dr_state_put_root(&step->state, generation, &root, &step->fail);
	dr_state_del_holders(&step->state, generation, &step->fail);
	dr_fold_emit(step, &p->act, DR_OUTCOME_REFUSED, DR_REASON_DEADLINE);
}

/* Words of ROOT_PUBLISH */
enum {
	PUB_GENERATION,
	PUB_SCHEME,
	PUB_PRF_PUB,
	PUB_PRF_C,
	PUB_PRF_S,
	PUB_SIG_PUB,
	PUB_SIG_R,
	PUB_SIG_S,
	PUB_QUOTE,
	PUB_PREV_R,
	PUB_PREV_S,
};

static enum dr_reason check_publish(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t generation = dr_fold_u64(act, PUB_GENERATION);
	struct dr_root_claim claim = { .chain_id = step->fold->chain_id, .generation = generation };
	struct dr_root_proofs proofs;
	const uint64_t prev_generation = dr_state_published_below(&step->state, generation);
	struct dr_root root, prev;
	struct dr_fail fail = { 0 };

	(void)due;
	dr_state_root(&root, &step->state, generation);
	if (root.stage == DR_ROOT_FAILED)
		return DR_REASON_DEADLINE;
	/* Before `due` the stage is not DUE yet; after the deadline it is no longer. A node that registered anew
	 * since is not the one that the council named. */
	if (root.stage != DR_ROOT_DUE || root.stopped || !dr_state_holds(&step->state, generation, root.node))
		return DR_REASON_ORDER;
	memcpy(claim.genesis, step->fold->genesis, 32);
	memcpy(claim.contract, step->fold->contract, 20);
	memcpy(claim.node, root.node, 20);
	memcpy(claim.scheme, act->args[PUB_SCHEME], 32);
	memcpy(claim.quote, act->args[PUB_QUOTE], 32);
	memcpy(claim.prf_pub, act->args[PUB_PRF_PUB], 32);
	memcpy(claim.sig_pub, act->args[PUB_SIG_PUB], 32);
	memcpy(proofs.prf_c, act->args[PUB_PRF_C], 32);
	memcpy(proofs.prf_s, act->args[PUB_PRF_S], 32);
	memcpy(proofs.sig, act->args[PUB_SIG_R], 64);
	memcpy(proofs.prev, act->args[PUB_PREV_R], 64);
	/* Only the council's own act makes an emergency: a guardian, or whoever gets a holder's build revoked, could
	 * otherwise begin a generation that the holders of the last never agreed to. */
	dr_state_root(&prev, &step->state, prev_generation);
	return dr_root_verify(&claim, &proofs, prev_generation != 0 ? prev.sig_pub : NULL,
			      prev_generation != 0 && !prev.council, &fail) == DR_OK
		       ? DR_REASON_NONE
		       : DR_REASON_PROOF;
}

static void take_publish(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t generation = dr_fold_u64(act, PUB_GENERATION);
	struct dr_root root;

	(void)due;
	if (!dr_state_root(&root, &step->state, generation))
		return;
	root.stage = DR_ROOT_PUBLISHED;
	memcpy(root.prf_pub, act->args[PUB_PRF_PUB], 32);
	memcpy(root.sig_pub, act->args[PUB_SIG_PUB], 32);
	memcpy(root.quote, act->args[PUB_QUOTE], 32);
	root.published = step->time;
	dr_state_put_root(&step->state, generation, &root, &step->fail);
	unpend_root(step, act, DR_PENDING_DEADLINE, DR_ACTION_ROOT_ROTATE);
}

static enum dr_reason check_share(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_root root;

	if (!dr_state_root(&root, &step->state, dr_fold_u64(act, 0)) || root.stage != DR_ROOT_PUBLISHED ||
	    root.stopped || !is_kms_node(step, act->args[1] + 12))
		return DR_REASON_ORDER;
	return dr_fold_check_grant(step, act, due);
}

static void take_share(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t generation = dr_fold_u64(act, 0);
	struct dr_root root;

	dr_fold_take_grant(step, act, due);
	/* Retired or stopped while the share waited: there is nothing left to hold. */
	if (dr_state_root(&root, &step->state, generation) && root.stage == DR_ROOT_PUBLISHED && !root.stopped)
		dr_fold_hold(step, generation, act->args[1] + 12);
}

static bool root_is_alive(struct dr_root *root, const struct dr_step *step, const struct dr_act *act)
{
	return dr_state_root(root, &step->state, dr_fold_u64(act, 0)) &&
	       (root->stage == DR_ROOT_ORDERED || root->stage == DR_ROOT_DUE || root->stage == DR_ROOT_PUBLISHED);
}

static enum dr_reason check_retire(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_root root;

	(void)due;
	return root_is_alive(&root, step, act) ? DR_REASON_NONE : DR_REASON_ORDER;
}

static void take_retire(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_root root;

	(void)due;
	if (!root_is_alive(&root, step, act))
		return;
	root.stage = DR_ROOT_RETIRED;
	root.council = root.council || step->council;
	root.given_up = step->council;
	dr_state_put_root(&step->state, dr_fold_u64(act, 0), &root, &step->fail);
	dr_state_del_holders(&step->state, dr_fold_u64(act, 0), &step->fail);
	unpend_root(step, act, DR_PENDING_DEADLINE, DR_ACTION_ROOT_ROTATE);
	unpend_root(step, act, DR_PENDING_STOP, DR_ACTION_ROOT_EXPOSE);
}

/* An exposed generation may be given less time, never more; but the council's own word makes it an emergency even
 * where its deadline says nothing new. */
static enum dr_reason check_expose(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t deadline = dr_fold_u64(act, 1);
	struct dr_root root;

	(void)due;
	if (!root_is_alive(&root, step, act))
		return DR_REASON_ORDER;
	if ((root.stopped || (root.exposed_deadline != 0 && deadline >= root.exposed_deadline)) &&
	    (!step->council || root.council))
		return DR_REASON_ORDER;
	return deadline <= DR_TIME_MAX_S ? DR_REASON_NONE : DR_REASON_LIMIT;
}

bool dr_fold_root_expose(struct dr_step *step, const struct dr_act *act)
{
	const uint64_t generation = dr_fold_u64(act, 0), deadline = dr_fold_u64(act, 1);
	struct dr_root root;

	if (!root_is_alive(&root, step, act) || root.stopped ||
	    (root.exposed_deadline != 0 && deadline >= root.exposed_deadline))
		return false;
	root.exposed_deadline = deadline > 0 ? deadline : 1;
	root.stopped = deadline <= step->time;
	dr_state_put_root(&step->state, generation, &root, &step->fail);
	unpend_root(step, act, DR_PENDING_STOP, DR_ACTION_ROOT_EXPOSE);
	if (root.stopped)
		dr_state_del_holders(&step->state, generation, &step->fail);
	else
		pend_root(step, act, DR_PENDING_STOP, deadline);
	return true;
}

static void take_expose(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_root root;

	(void)due;
	dr_fold_root_expose(step, act);
	if (!step->council || !root_is_alive(&root, step, act))
		return;
	root.council = true;
	dr_state_put_root(&step->state, dr_fold_u64(act, 0), &root, &step->fail);
}

void dr_fold_root_stop(struct dr_step *step, const struct dr_pending *p)
{
	const uint64_t generation = dr_fold_u64(&p->act, 0);
	struct dr_root root;

	if (!dr_state_root(&root, &step->state, generation))
		return;
	root.stopped = true;
	dr_state_put_root(&step->state, generation, &root, &step->fail);
	dr_state_del_holders(&step->state, generation, &step->fail);
	dr_fold_emit(step, &p->act, DR_OUTCOME_MATURED, DR_REASON_NONE);
}

/* Epochs */

/* A policy costs whoever sets it once, and anybody may: its boundaries must not cost everybody for ever. The
 * first few after an event are changes of their own, later ones one a day at the most; what passed in between is
 * arithmetic (dr_epoch_carry), done where an epoch is used. */
#define SAID_MAX   8u
#define SAID_GAP_S 86400u

static uint64_t next_said(const struct dr_epoch *r)
{
	const uint64_t period_s = r->policy.period_s;
	const uint64_t num =
		r->said < SAID_MAX || period_s >= SAID_GAP_S ? 1 : (SAID_GAP_S + period_s - 1) / period_s;

	return r->policy.epoch_time + num * period_s;
}

/* put_epoch: keeps r, with the next boundary that is a change of its own pending. */
static void put_epoch(struct dr_step *step, const uint8_t *app, const uint8_t *service, const struct dr_epoch *r)
{
	struct dr_pending pending = {
		.what = DR_PENDING_EPOCH,
		.due = r->policy.period_s > 0 ? next_said(r) : 0,
		.number = r->number,
		.ordinal = r->ordinal,
		.act = { .action = DR_ACTION_EPOCH_ADVANCE, .num_args = 3 },
	};

	memcpy(pending.act.args[0], app, 32);
	memcpy(pending.act.args[1], service, 32);
	memcpy(pending.event_digest, r->event_digest, 32);
	dr_state_put_epoch(&step->state, app, service, r, &step->fail);
	dr_state_unpend(&step->state, DR_PENDING_EPOCH, DR_ACTION_EPOCH_ADVANCE,
			(const uint8_t(*)[32])pending.act.args, 2, 0, &step->fail);
	if (r->policy.period_s > 0)
		dr_state_pend(&step->state, &pending, 2, 0, &step->fail);
}

/* advance: carries the service's epoch to `until`, and says so if that crossed a boundary. */
static void advance(struct dr_step *step, const uint8_t *app, const uint8_t *service, uint64_t until)
{
	struct dr_act act = { .action = DR_ACTION_EPOCH_ADVANCE, .has_due = true, .num_args = 3 };
	uint8_t digest[32];
	struct dr_epoch r;

	if (!dr_state_epoch(&r, &step->state, app, service) || !dr_epoch_carry(&r.policy, until))
		return;
	if (r.said < SAID_MAX)
		r.said++;
	put_epoch(step, app, service, &r);
	memcpy(act.args[0], app, 32);
	memcpy(act.args[1], service, 32);
	dr_word_put(act.args[2], r.policy.epoch);
	act.due = r.policy.epoch_time;
	memcpy(digest, step->event_digest, 32);
	memcpy(step->event_digest, r.event_digest, 32);
	dr_fold_emit(step, &act, DR_OUTCOME_MATURED, DR_REASON_NONE);
	memcpy(step->event_digest, digest, 32);
}

void dr_fold_epoch_boundary(struct dr_step *step, const struct dr_pending *p)
{
	const uint64_t policy_due = dr_state_pending_due(&step->state, DR_PENDING_ACT, DR_ACTION_EPOCH_POLICY,
							 (const uint8_t(*)[32])p->act.args, 2);

	/* From a new policy's due on its own period counts. */
	advance(step, p->act.args[0], p->act.args[1], policy_due < step->time ? policy_due : step->time);
}

static enum dr_reason check_epoch_policy(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)step;
	(void)due;
	return dr_fold_u64(act, 2) <= DR_TIME_MAX_S && dr_fold_u64(act, 3) <= DR_TIME_MAX_S ? DR_REASON_NONE
											    : DR_REASON_LIMIT;
}

static void take_epoch_policy(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_epoch r;

	advance(step, act->args[0], act->args[1], due);
	if (!dr_state_epoch(&r, &step->state, act->args[0], act->args[1]))
		r.policy.epoch_time = due;
	r.policy.period_s = dr_fold_u64(act, 2);
	r.policy.overlap_s = dr_fold_u64(act, 3);
	r.said = 0;
	memcpy(r.event_digest, step->event_digest, 32);
	r.number = step->origin_number;
	r.ordinal = step->origin_ordinal;
	put_epoch(step, act->args[0], act->args[1], &r);
	/* A shorter period may have boundaries behind it already. */
	advance(step, act->args[0], act->args[1], due);
}

static enum dr_reason check_epoch_advance(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_epoch_policy policy;

	(void)due;
	if (!dr_state_epoch_policy(&policy, &step->state, act->args[0], act->args[1]))
		return DR_REASON_ORDER;
	dr_epoch_carry(&policy, step->time);
	return dr_fold_u64(act, 2) == policy.epoch + 1 ? DR_REASON_NONE : DR_REASON_MISMATCH;
}

static void take_epoch_advance(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_epoch r;

	(void)due;
	if (!dr_state_epoch(&r, &step->state, act->args[0], act->args[1]))
		return;
	dr_epoch_carry(&r.policy, step->time);
	r.said = 0;
	r.policy.epoch++;
	r.policy.epoch_time = step->time;
	put_epoch(step, act->args[0], act->args[1], &r);
}

#define NONE DR_ACTION_NONE

/* clang-format off */
static const struct dr_rule rules[] = {
	{ DR_ACTION_ROOT_ROTATE, check_rotate, announce_rotate, take_rotate, 1, false, NONE },
	{ DR_ACTION_ROOT_PUBLISH, check_publish, NULL, take_publish, 1, false, NONE },
	{ DR_ACTION_ROOT_SHARE, check_share, dr_fold_announce_grant, take_share, 2, false, NONE },
	{ DR_ACTION_ROOT_RETIRE, check_retire, NULL, take_retire, 1, false, DR_ACTION_ROOT_ROTATE },
	{ DR_ACTION_ROOT_EXPOSE, check_expose, NULL, take_expose, 1, false, NONE },
	{ DR_ACTION_EPOCH_POLICY, check_epoch_policy, NULL, take_epoch_policy, 2, false, NONE },
	{ DR_ACTION_EPOCH_ADVANCE, check_epoch_advance, NULL, take_epoch_advance, 2, false, NONE },
};
/* clang-format on */

const struct dr_rule *dr_fold_keys_rule(enum dr_action action)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].action == action)
			return &rules[i];
	return NULL;
}
