/* SPDX-License-Identifier: Apache-2.0
 *
 * `effect` is the effect on rights to keys. The council's own composition is neutral on purpose: taking a
 * member or a guardian away takes away a power to revoke, so it is not obeyed without authority.
 */
#include "governance/action.h"

#include <string.h>

#define B32  DR_WORD_BYTES32
#define U64  DR_WORD_U64
#define ADDR DR_WORD_ADDRESS
#define BOOL DR_WORD_BOOL

/* clang-format off */
static const struct dr_action_def defs[] = {
	{ DR_ACTION_MEMBER_SET, "council.member_set", DR_EFFECT_NEUTRAL, DR_NOTICE_COUNCIL, DR_AUTHORITY_COUNCIL,
	  2, { { "member", ADDR }, { "weight", U64 } } },
	{ DR_ACTION_MEMBER_REMOVE, "council.member_remove", DR_EFFECT_NEUTRAL, DR_NOTICE_NONE, DR_AUTHORITY_COUNCIL,
	  1, { { "member", ADDR } } },
	{ DR_ACTION_QUORUM_SET, "council.quorum_set", DR_EFFECT_NEUTRAL, DR_NOTICE_COUNCIL, DR_AUTHORITY_COUNCIL,
	  1, { { "quorum", U64 } } },
	{ DR_ACTION_NOTICE_SET, "council.notice_set", DR_EFFECT_NEUTRAL, DR_NOTICE_COUNCIL, DR_AUTHORITY_COUNCIL,
	  2, { { "class", U64 }, { "seconds", U64 } } },
	{ DR_ACTION_GUARDIAN_ADD, "council.guardian_add", DR_EFFECT_NEUTRAL, DR_NOTICE_COUNCIL, DR_AUTHORITY_COUNCIL,
	  1, { { "guardian", ADDR } } },
	{ DR_ACTION_GUARDIAN_REMOVE, "council.guardian_remove", DR_EFFECT_NEUTRAL, DR_NOTICE_NONE,
	  DR_AUTHORITY_COUNCIL, 1, { { "guardian", ADDR } } },
	{ DR_ACTION_CONSTITUTE, "council.constitute", DR_EFFECT_NEUTRAL, DR_NOTICE_NONE, DR_AUTHORITY_FOUNDING,
	  1, { { "voting_period", U64 } } },
	{ DR_ACTION_PROPOSE, "proposal.create", DR_EFFECT_NEUTRAL, DR_NOTICE_NONE, DR_AUTHORITY_MEMBER,
	  10, { { "action", U64 }, { "expires", U64 }, { "arg0", B32 }, { "arg1", B32 }, { "arg2", B32 },
	        { "arg3", B32 }, { "arg4", B32 }, { "arg5", B32 }, { "arg6", B32 }, { "arg7", B32 } } },
	{ DR_ACTION_VOTE, "proposal.vote", DR_EFFECT_NEUTRAL, DR_NOTICE_NONE, DR_AUTHORITY_MEMBER,
	  2, { { "weight", U64 }, { "support", BOOL } } },
	{ DR_ACTION_CANCEL, "proposal.cancel", DR_EFFECT_NEUTRAL, DR_NOTICE_NONE, DR_AUTHORITY_ANYONE, 0, { { 0 } } },
	{ DR_ACTION_EXECUTE, "proposal.execute", DR_EFFECT_NEUTRAL, DR_NOTICE_NONE, DR_AUTHORITY_ANYONE, 0, { { 0 } } },
	{ DR_ACTION_MEASUREMENT_ALLOW, "measurement.allow", DR_EFFECT_GRANTS, DR_NOTICE_MEASUREMENT,
	  DR_AUTHORITY_COUNCIL, 1, { { "measurement", B32 } } },
	{ DR_ACTION_MEASUREMENT_REVOKE, "measurement.revoke", DR_EFFECT_REVOKES, DR_NOTICE_NONE,
	  DR_AUTHORITY_COUNCIL_OR_GUARDIAN, 1, { { "measurement", B32 } } },
	{ DR_ACTION_APP_REGISTER, "app.register", DR_EFFECT_NEUTRAL, DR_NOTICE_NONE, DR_AUTHORITY_ANYONE,
	  4, { { "app", B32 }, { "nonce", B32 }, { "notice", U64 }, { "confidence", U64 } } },
	{ DR_ACTION_APP_MEASUREMENT_ALLOW, "app.measurement.allow", DR_EFFECT_GRANTS, DR_NOTICE_OWN,
	  DR_AUTHORITY_DEPLOYER, 2, { { "app", B32 }, { "measurement", B32 } } },
	{ DR_ACTION_APP_MEASUREMENT_REVOKE, "app.measurement.revoke", DR_EFFECT_REVOKES, DR_NOTICE_NONE,
	  DR_AUTHORITY_DEPLOYER_COUNCIL_OR_GUARDIAN, 2, { { "app", B32 }, { "measurement", B32 } } },
	{ DR_ACTION_APP_SUSPEND, "app.suspend", DR_EFFECT_REVOKES, DR_NOTICE_NONE,
	  DR_AUTHORITY_DEPLOYER_COUNCIL_OR_GUARDIAN, 1, { { "app", B32 } } },
	{ DR_ACTION_APP_RESUME, "app.resume", DR_EFFECT_GRANTS, DR_NOTICE_MEASUREMENT, DR_AUTHORITY_COUNCIL,
	  1, { { "app", B32 } } },
	{ DR_ACTION_APP_HANDOVER, "app.handover", DR_EFFECT_GRANTS, DR_NOTICE_OWN, DR_AUTHORITY_DEPLOYER,
	  3, { { "app", B32 }, { "from", B32 }, { "to", B32 } } },
	{ DR_ACTION_APP_HANDOVER_END, "app.handover_end", DR_EFFECT_REVOKES, DR_NOTICE_NONE, DR_AUTHORITY_DEPLOYER,
	  3, { { "app", B32 }, { "from", B32 }, { "to", B32 } } },
	{ DR_ACTION_APP_CONFIDENCE_RELAX, "app.confidence_relax", DR_EFFECT_GRANTS, DR_NOTICE_OWN,
	  DR_AUTHORITY_DEPLOYER, 2, { { "app", B32 }, { "confidence", U64 } } },
	{ DR_ACTION_APP_CONFIDENCE_TIGHTEN, "app.confidence_tighten", DR_EFFECT_REVOKES, DR_NOTICE_NONE,
	  DR_AUTHORITY_DEPLOYER, 2, { { "app", B32 }, { "confidence", U64 } } },
	{ DR_ACTION_HARDWARE_BLACKLIST, "hardware.blacklist", DR_EFFECT_REVOKES, DR_NOTICE_NONE,
	  DR_AUTHORITY_COUNCIL_OR_GUARDIAN, 3, { { "kind", U64 }, { "value", B32 }, { "svn", U64 } } },
	{ DR_ACTION_HARDWARE_REINSTATE, "hardware.reinstate", DR_EFFECT_GRANTS, DR_NOTICE_MEASUREMENT,
	  DR_AUTHORITY_COUNCIL, 2, { { "kind", U64 }, { "value", B32 } } },
	{ DR_ACTION_ROOT_ROTATE, "root.rotate", DR_EFFECT_GRANTS, DR_NOTICE_ROOT, DR_AUTHORITY_COUNCIL,
	  3, { { "generation", U64 }, { "node", ADDR }, { "deadline", U64 } } },
	{ DR_ACTION_ROOT_PUBLISH, "root.publish", DR_EFFECT_GRANTS, DR_NOTICE_NONE, DR_AUTHORITY_NODE,
	  11, { { "generation", U64 }, { "scheme", B32 }, { "prf_pub", B32 }, { "prf_c", B32 }, { "prf_s", B32 },
	        { "sig_pub", B32 }, { "sig_r", B32 }, { "sig_s", B32 }, { "quote", B32 }, { "prev_r", B32 },
	        { "prev_s", B32 } } },
	{ DR_ACTION_ROOT_SHARE, "root.share", DR_EFFECT_GRANTS, DR_NOTICE_ROOT, DR_AUTHORITY_COUNCIL,
	  2, { { "generation", U64 }, { "node", ADDR } } },
	{ DR_ACTION_ROOT_RETIRE, "root.retire", DR_EFFECT_REVOKES, DR_NOTICE_NONE, DR_AUTHORITY_COUNCIL,
	  1, { { "generation", U64 } } },
	{ DR_ACTION_ROOT_EXPOSE, "root.expose", DR_EFFECT_REVOKES, DR_NOTICE_NONE, DR_AUTHORITY_COUNCIL_OR_GUARDIAN,
	  2, { { "generation", U64 }, { "deadline", U64 } } },
	{ DR_ACTION_EPOCH_POLICY, "epoch.policy", DR_EFFECT_NEUTRAL, DR_NOTICE_OWN, DR_AUTHORITY_DEPLOYER,
	  4, { { "app", B32 }, { "service", B32 }, { "period", U64 }, { "overlap", U64 } } },
	{ DR_ACTION_EPOCH_ADVANCE, "epoch.advance", DR_EFFECT_NEUTRAL, DR_NOTICE_NONE, DR_AUTHORITY_DEPLOYER,
	  3, { { "app", B32 }, { "service", B32 }, { "epoch", U64 } } },
	{ DR_ACTION_NODE_REGISTER, "node.register", DR_EFFECT_NEUTRAL, DR_NOTICE_NONE, DR_AUTHORITY_NODE,
	  8, { { "node", ADDR }, { "role", U64 }, { "measurement", B32 }, { "enc_key", B32 }, { "tee", B32 },
	       { "family", B32 }, { "svn", U64 }, { "device", B32 } } },
	{ DR_ACTION_NODE_DEREGISTER, "node.deregister", DR_EFFECT_REVOKES, DR_NOTICE_NONE, DR_AUTHORITY_NODE,
	  1, { { "node", ADDR } } },
	{ DR_ACTION_NODE_STAKE, "node.stake", DR_EFFECT_NEUTRAL, DR_NOTICE_NONE, DR_AUTHORITY_NODE,
	  2, { { "node", ADDR }, { "stake", U64 } } },
	{ DR_ACTION_NODE_SLASH, "node.slash", DR_EFFECT_NEUTRAL, DR_NOTICE_NONE, DR_AUTHORITY_COUNCIL,
	  2, { { "node", ADDR }, { "amount", U64 } } },
	{ DR_ACTION_HEARTBEAT, "heartbeat", DR_EFFECT_NEUTRAL, DR_NOTICE_NONE, DR_AUTHORITY_ANYONE,
	  1, { { "nonce", B32 } } },
	{ DR_ACTION_PROFILE_SET, "profile.set", DR_EFFECT_GRANTS, DR_NOTICE_PROFILE, DR_AUTHORITY_COUNCIL,
	  1, { { "digest", B32 } } },
};
/* clang-format on */

#define NUM (sizeof(defs) / sizeof(defs[0]))

const struct dr_action_def *dr_action_def(uint16_t action)
{
	for (size_t i = 0; i < NUM; i++)
		if (defs[i].action == action)
			return &defs[i];
	return NULL;
}

const struct dr_action_def *dr_action_by_name(const char *name)
{
	for (size_t i = 0; i < NUM; i++)
		if (strcmp(defs[i].name, name) == 0)
			return &defs[i];
	return NULL;
}

const struct dr_action_def *dr_action_at(size_t idx)
{
	return idx < NUM ? &defs[idx] : NULL;
}

const char *dr_effect_name(enum dr_effect effect)
{
	switch (effect) {
	case DR_EFFECT_NEUTRAL: return "neutral";
	case DR_EFFECT_GRANTS: return "grants";
	case DR_EFFECT_REVOKES: return "revokes";
	}
	return "?";
}

const char *dr_hardware_name(enum dr_hardware kind)
{
	switch (kind) {
	case DR_HARDWARE_FAMILY: return "family";
	case DR_HARDWARE_SVN: return "svn";
	case DR_HARDWARE_ADVISORY: return "advisory";
	case DR_HARDWARE_DEVICE: return "device";
	case DR_HARDWARE_TEE: return "tee";
	}
	return "?";
}
