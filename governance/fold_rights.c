/* SPDX-License-Identifier: Apache-2.0
 *
 * Rights: measurements, apps, hardware, nodes.
 */
#include <string.h>

#include "governance/fold_step.h"

#define CONFIDENCE_MAX 5u

/* Rights with notice: measurements, app measurements, handovers, shares */

enum dr_reason dr_fold_check_grant(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_grant grant;

	(void)due;
	dr_state_grant(&grant, &step->state, act);
	return grant.active ? DR_REASON_ORDER : DR_REASON_NONE;
}

void dr_fold_announce_grant(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const struct dr_grant grant = { .due = due, .announced = step->time, .active = false };

	dr_state_put_grant(&step->state, act, &grant, &step->fail);
}

void dr_fold_take_grant(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_grant grant;

	(void)due;
	if (!dr_state_grant(&grant, &step->state, act))
		return;
	grant.active = true;
	dr_state_put_grant(&step->state, act, &grant, &step->fail);
}

static enum dr_reason check_revoke(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_grant grant;

	(void)due;
	return dr_state_grant(&grant, &step->state, act) ? DR_REASON_NONE : DR_REASON_ORDER;
}

static void take_revoke(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)due;
	dr_state_del_grant(&step->state, act, &step->fail);
}

/* Apps */

static enum dr_reason check_app_register(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t notice_s = dr_fold_u64(act, 2), confidence = dr_fold_u64(act, 3);
	struct dr_app app;

	(void)due;
	if (!act->has_by)
		return DR_REASON_AUTHORITY;
	if (dr_state_app(&app, &step->state, act->args[0]) || confidence < 1 || confidence > CONFIDENCE_MAX)
		return DR_REASON_ORDER;
	if (notice_s > DR_TIME_MAX_S)
		return DR_REASON_LIMIT;
	if (!dr_state_constituted(&step->state))
		return DR_REASON_ORDER;
	return notice_s >= dr_state_notice(&step->state, DR_NOTICE_APP, step->time) ? DR_REASON_NONE
										    : DR_REASON_NOTICE;
}

static void take_app_register(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_app app = { .notice_s = dr_fold_u64(act, 2), .confidence = (uint8_t)dr_fold_u64(act, 3) };

	(void)due;
	memcpy(app.deployer, act->by, 20);
	memcpy(app.nonce, act->args[1], 32);
	dr_state_put_app(&step->state, act->args[0], &app, &step->fail);
}

static enum dr_reason check_app(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_app app;

	(void)due;
	return dr_state_app(&app, &step->state, act->args[0]) ? DR_REASON_NONE : DR_REASON_ORDER;
}

static void take_app_suspend(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_app app;

	(void)due;
	if (!dr_state_app(&app, &step->state, act->args[0]))
		return;
	app.suspended = true;
	dr_state_put_app(&step->state, act->args[0], &app, &step->fail);
	dr_state_put_suspension(&step->state, act->args[0], 1, &step->fail);
}

static enum dr_reason check_app_resume(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_app app;

	(void)due;
	return dr_state_app(&app, &step->state, act->args[0]) && app.suspended ? DR_REASON_NONE : DR_REASON_ORDER;
}

static void announce_app_resume(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	dr_state_put_suspension(&step->state, act->args[0], due, &step->fail);
}

static void take_app_resume(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_app app;

	(void)due;
	if (!dr_state_app(&app, &step->state, act->args[0]))
		return;
	app.suspended = false;
	dr_state_put_app(&step->state, act->args[0], &app, &step->fail);
}

/* Relaxing accepts more levels, tightening fewer; neither may do the other's work. */
static enum dr_reason check_confidence(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t level = dr_fold_u64(act, 1);
	struct dr_app app;

	(void)due;
	if (!dr_state_app(&app, &step->state, act->args[0]) || level < 1 || level > CONFIDENCE_MAX)
		return DR_REASON_ORDER;
	return (level > app.confidence) == (act->action == DR_ACTION_APP_CONFIDENCE_RELAX) ? DR_REASON_NONE
											   : DR_REASON_ORDER;
}

static void take_confidence(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_app app;

	(void)due;
	if (!dr_state_app(&app, &step->state, act->args[0]))
		return;
	app.confidence = (uint8_t)dr_fold_u64(act, 1);
	dr_state_put_app(&step->state, act->args[0], &app, &step->fail);
}

/* Hardware */

static enum dr_reason check_blacklist(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t kind = dr_fold_u64(act, 0);
	struct dr_listing listing;

	(void)due;
	if (kind < DR_HARDWARE_FAMILY || kind > DR_HARDWARE_TEE)
		return DR_REASON_ORDER;
	/* Listing again with a lower minimum would be a reinstatement without notice. */
	if (kind == DR_HARDWARE_SVN && dr_state_listing(&listing, &step->state, kind, act->args[1]) &&
	    listing.listed && dr_fold_u64(act, 2) < listing.svn)
		return DR_REASON_ORDER;
	return DR_REASON_NONE;
}

static void take_blacklist(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const struct dr_listing listing = { .svn = dr_fold_u64(act, 2), .listed = true };

	(void)due;
	dr_state_put_listing(&step->state, dr_fold_u64(act, 0), act->args[1], &listing, &step->fail);
}

static enum dr_reason check_reinstate(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t kind = dr_fold_u64(act, 0);
	struct dr_listing listing;

	(void)due;
	if (kind < DR_HARDWARE_FAMILY || kind > DR_HARDWARE_TEE)
		return DR_REASON_ORDER;
	return dr_state_listing(&listing, &step->state, kind, act->args[1]) && listing.listed ? DR_REASON_NONE
											      : DR_REASON_ORDER;
}

static void take_reinstate(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t kind = dr_fold_u64(act, 0);
	struct dr_listing listing;

	(void)due;
	dr_state_listing(&listing, &step->state, kind, act->args[1]);
	listing.listed = false;
	dr_state_put_listing(&step->state, kind, act->args[1], &listing, &step->fail);
}

/* Nodes */

static enum dr_reason check_node_register(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t role = dr_fold_u64(act, 1);

	(void)step;
	(void)due;
	return role == DR_ROLE_KMS || role == DR_ROLE_WORKER ? DR_REASON_NONE : DR_REASON_ORDER;
}

static void take_node_register(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_node node = { .role = (uint8_t)dr_fold_u64(act, 1), .svn = dr_fold_u64(act, 6) }, old;
	const uint8_t *id = act->args[0] + 12;

	(void)due;
	memcpy(node.by, act->by, 20);
	memcpy(node.measurement, act->args[2], 32);
	memcpy(node.enc_key, act->args[3], 32);
	memcpy(node.tee, act->args[4], 32);
	memcpy(node.family, act->args[5], 32);
	memcpy(node.device, act->args[7], 32);
	dr_state_node(&old, &step->state, id);
	node.stake = old.stake;
	/* A share was granted to what was registered then: another key or machine has to ask again. With what it held
	 * the account's last nonce goes too: a node that lost its data begins anew, for everybody to see. */
	dr_state_del_shares(&step->state, id, &step->fail);
	dr_state_end_holders(&step->state, id, &step->fail);
	dr_state_del_heartbeat(&step->state, id, &step->fail);
	dr_state_put_node(&step->state, id, &node, &step->fail);
}

static enum dr_reason check_node(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	struct dr_node node;

	(void)due;
	return dr_state_node(&node, &step->state, act->args[0] + 12) ? DR_REASON_NONE : DR_REASON_ORDER;
}

static void take_node_deregister(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)due;
	dr_state_del_shares(&step->state, act->args[0] + 12, &step->fail);
	dr_state_end_holders(&step->state, act->args[0] + 12, &step->fail);
	dr_state_del_node(&step->state, act->args[0] + 12, &step->fail);
}

/* A node that left may still be slashed: its stake stays in the contract for a while. */
static void take_node_stake(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	const uint64_t amount = dr_fold_u64(act, 1);
	struct dr_node node;

	(void)due;
	if (!dr_state_node(&node, &step->state, act->args[0] + 12))
		return;
	if (act->action == DR_ACTION_NODE_STAKE)
		node.stake = amount;
	else
		node.stake -= amount < node.stake ? amount : node.stake;
	dr_state_put_node(&step->state, act->args[0] + 12, &node, &step->fail);
}

static enum dr_reason check_heartbeat(const struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)step;
	(void)due;
	return act->has_by ? DR_REASON_NONE : DR_REASON_AUTHORITY;
}

/* A nonce drawn from a smaller journal than the last is seen, and changes nothing: see dr_state_heartbeat. */
static void take_heartbeat(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	uint8_t last[32];

	(void)due;
	if (!dr_state_heartbeat(last, &step->state, act->by) || memcmp(act->args[0], last, 8) >= 0)
		dr_state_put_heartbeat(&step->state, act->by, act->args[0], &step->fail);
}

static void take_profile_set(struct dr_step *step, const struct dr_act *act, uint64_t due)
{
	(void)due;
	dr_state_put_profile(&step->state, act->args[0], &step->fail);
}

#define NONE DR_ACTION_NONE

/* clang-format off */
static const struct dr_rule rules[] = {
	{ DR_ACTION_MEASUREMENT_ALLOW, dr_fold_check_grant, dr_fold_announce_grant, dr_fold_take_grant, 1, false, NONE },
	{ DR_ACTION_MEASUREMENT_REVOKE, check_revoke, NULL, take_revoke, 1, false, DR_ACTION_MEASUREMENT_ALLOW },
	{ DR_ACTION_APP_REGISTER, check_app_register, NULL, take_app_register, 0, false, NONE },
	{ DR_ACTION_APP_MEASUREMENT_ALLOW, dr_fold_check_grant, dr_fold_announce_grant, dr_fold_take_grant, 2, false,
	  NONE },
	{ DR_ACTION_APP_MEASUREMENT_REVOKE, check_revoke, NULL, take_revoke, 2, false,
	  DR_ACTION_APP_MEASUREMENT_ALLOW },
	{ DR_ACTION_APP_SUSPEND, check_app, NULL, take_app_suspend, 1, false, DR_ACTION_APP_RESUME },
	{ DR_ACTION_APP_RESUME, check_app_resume, announce_app_resume, take_app_resume, 1, false, NONE },
	{ DR_ACTION_APP_HANDOVER, dr_fold_check_grant, dr_fold_announce_grant, dr_fold_take_grant, 3, false, NONE },
	{ DR_ACTION_APP_HANDOVER_END, check_revoke, NULL, take_revoke, 3, false, DR_ACTION_APP_HANDOVER },
	{ DR_ACTION_APP_CONFIDENCE_RELAX, check_confidence, NULL, take_confidence, 1, true, NONE },
	{ DR_ACTION_APP_CONFIDENCE_TIGHTEN, check_confidence, NULL, take_confidence, 1, false,
	  DR_ACTION_APP_CONFIDENCE_RELAX },
	{ DR_ACTION_HARDWARE_BLACKLIST, check_blacklist, NULL, take_blacklist, 2, false, DR_ACTION_HARDWARE_REINSTATE },
	{ DR_ACTION_HARDWARE_REINSTATE, check_reinstate, NULL, take_reinstate, 2, false, NONE },
	{ DR_ACTION_NODE_REGISTER, check_node_register, NULL, take_node_register, 1, false, NONE },
	{ DR_ACTION_NODE_DEREGISTER, check_node, NULL, take_node_deregister, 1, false, NONE },
	{ DR_ACTION_NODE_STAKE, check_node, NULL, take_node_stake, 1, false, NONE },
	{ DR_ACTION_NODE_SLASH, NULL, NULL, take_node_stake, 1, false, NONE },
	{ DR_ACTION_HEARTBEAT, check_heartbeat, NULL, take_heartbeat, 0, false, NONE },
	{ DR_ACTION_PROFILE_SET, NULL, NULL, take_profile_set, 0, false, NONE },
};
/* clang-format on */

const struct dr_rule *dr_fold_rights_rule(enum dr_action action)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].action == action)
			return &rules[i];
	return NULL;
}
