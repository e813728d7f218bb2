/* SPDX-License-Identifier: Apache-2.0
 *
 * action: the closed set of governance actions that every source (contract, pallet) is mapped onto, and
 * what each does to rights. A profile says which event means which action; this table says what
 * an action carries.
 *
 * Every argument is one 32-byte word (an ABI static value). Besides its own arguments an act may
 * carry three common ones: `proposal` (the council proposal it executes), `by` (the account that acted)
 * and `due` (the second from which a grant holds).
 *
 * Codes are part of the ledger's leaf and of proposals on chain: never renumbered.
 *
 * Layer: governance.
 */
#ifndef DR_GOVERNANCE_ACTION_H
#define DR_GOVERNANCE_ACTION_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"
#include "chain/base/limits.h"

/* A line is a row: tests/check/profile.mjs reads it. */
/* clang-format off */
enum dr_action {
	DR_ACTION_NONE = 0,
	DR_ACTION_MEMBER_SET = 1,        /* member, weight */
	DR_ACTION_MEMBER_REMOVE = 2,     /* member */
	DR_ACTION_QUORUM_SET = 3,        /* quorum */
	DR_ACTION_NOTICE_SET = 4,        /* class, seconds */
	DR_ACTION_GUARDIAN_ADD = 5,      /* guardian */
	DR_ACTION_GUARDIAN_REMOVE = 6,   /* guardian */
	DR_ACTION_CONSTITUTE = 9,        /* voting_period */
	DR_ACTION_PROPOSE = 10,          /* action, expires, arg0 … arg7 */
	DR_ACTION_VOTE = 11,             /* weight, support */
	DR_ACTION_CANCEL = 12,
	DR_ACTION_EXECUTE = 13,
	DR_ACTION_MEASUREMENT_ALLOW = 20,  /* measurement */
	DR_ACTION_MEASUREMENT_REVOKE = 21, /* measurement */
	DR_ACTION_APP_REGISTER = 30,       /* app, nonce, notice, confidence */
	DR_ACTION_APP_MEASUREMENT_ALLOW = 31,  /* app, measurement */
	DR_ACTION_APP_MEASUREMENT_REVOKE = 32, /* app, measurement */
	DR_ACTION_APP_SUSPEND = 33,            /* app */
	DR_ACTION_APP_RESUME = 34,             /* app */
	DR_ACTION_APP_HANDOVER = 35,           /* app, from, to */
	DR_ACTION_APP_HANDOVER_END = 36,       /* app, from, to */
	DR_ACTION_APP_CONFIDENCE_RELAX = 37,   /* app, confidence */
	DR_ACTION_APP_CONFIDENCE_TIGHTEN = 38, /* app, confidence */
	DR_ACTION_HARDWARE_BLACKLIST = 40,     /* kind, value, svn */
	DR_ACTION_HARDWARE_REINSTATE = 41,     /* kind, value */
	DR_ACTION_ROOT_ROTATE = 50,            /* generation, node, deadline */
	DR_ACTION_ROOT_PUBLISH = 51, /* generation, scheme, prf_pub, prf_c, prf_s, sig_pub, sig_r, sig_s, quote, prev_r, prev_s */
	DR_ACTION_ROOT_SHARE = 52,   /* generation, node */
	DR_ACTION_ROOT_RETIRE = 53,  /* generation */
	DR_ACTION_ROOT_EXPOSE = 54,  /* generation, deadline */
	DR_ACTION_EPOCH_POLICY = 60, /* app, service, period, overlap */
	DR_ACTION_EPOCH_ADVANCE = 61, /* app, service, epoch */
	DR_ACTION_NODE_REGISTER = 70, /* node, role, measurement, enc_key, tee, family, svn, device */
	DR_ACTION_NODE_DEREGISTER = 71, /* node */
	DR_ACTION_NODE_STAKE = 72,      /* node, stake */
	DR_ACTION_NODE_SLASH = 73,      /* node, amount */
	DR_ACTION_HEARTBEAT = 76,       /* nonce */
	DR_ACTION_PROFILE_SET = 80,     /* digest */
};
/* clang-format on */

enum dr_effect {
	DR_EFFECT_NEUTRAL = 0,
	DR_EFFECT_GRANTS = 1,
	DR_EFFECT_REVOKES = 2,
};

/* Notice periods, by class (argument `class` of NOTICE_SET). */
enum dr_notice {
	DR_NOTICE_COUNCIL = 0,     /* MEMBER_SET, QUORUM_SET, NOTICE_SET, GUARDIAN_ADD */
	DR_NOTICE_MEASUREMENT = 1, /* MEASUREMENT_ALLOW, APP_RESUME, HARDWARE_REINSTATE */
	DR_NOTICE_ROOT = 2,        /* ROOT_ROTATE, ROOT_SHARE */
	DR_NOTICE_PROFILE = 3,     /* PROFILE_SET */
	DR_NOTICE_APP = 4,         /* the least notice an app may choose for itself */
	DR_NOTICE_CLASSES = 5,
	DR_NOTICE_OWN = 254,  /* the app's own notice */
	DR_NOTICE_NONE = 255, /* takes effect at once */
};

/* Hardware blacklist dimensions (argument `kind`). */
enum dr_hardware {
	DR_HARDWARE_FAMILY = 1,   /* value: FMSPC, 6 bytes, left-aligned */
	DR_HARDWARE_SVN = 2,      /* value: family; everything of it with svn < the given svn */
	DR_HARDWARE_ADVISORY = 3, /* value: advisory id in ASCII, left-aligned, zero padded */
	DR_HARDWARE_DEVICE = 4,   /* value: device id, 32 bytes */
	DR_HARDWARE_TEE = 5,      /* value: TEE type in ASCII, left-aligned, zero padded */
};

enum dr_role {
	DR_ROLE_KMS = 1,
	DR_ROLE_WORKER = 2,
};

enum dr_word_type {
	DR_WORD_BYTES32 = 0,
	DR_WORD_U64,
	DR_WORD_ADDRESS, /* 20 bytes, right-aligned, upper 12 zero */
	DR_WORD_BOOL,
};

/* Who may take an action. */
enum dr_authority {
	DR_AUTHORITY_NONE = 0,
	DR_AUTHORITY_COUNCIL,             /* an executed proposal */
	DR_AUTHORITY_COUNCIL_OR_GUARDIAN, /* a proposal, or proposal 0 and `by` a guardian */
	DR_AUTHORITY_DEPLOYER,            /* `by` is the app's deployer */
	DR_AUTHORITY_DEPLOYER_COUNCIL_OR_GUARDIAN,
	DR_AUTHORITY_MEMBER, /* `by` is a member with weight (propose, vote) */
	DR_AUTHORITY_NODE,   /* `by` is the node */
	DR_AUTHORITY_ANYONE,
	DR_AUTHORITY_FOUNDING, /* only before CONSTITUTE */
};

struct dr_action_def {
	enum dr_action action;
	const char *name; /* "measurement.allow" */
	enum dr_effect effect;
	enum dr_notice notice;
	enum dr_authority authority;
	uint8_t num_args;
	struct {
		const char *name;
		enum dr_word_type type;
	} args[DR_ARGS_MAX];
};

/* The table; NULL for an unknown code or name. */
const struct dr_action_def *dr_action_def(uint16_t action);
const struct dr_action_def *dr_action_by_name(const char *name);
/* dr_action_at: the idx-th row; NULL past the end. For listing. */
const struct dr_action_def *dr_action_at(size_t idx);

/* One act: an action with its words, as a profile read it out of an event. */
struct dr_act {
	enum dr_action action;
	bool has_proposal, has_by, has_due;
	uint64_t proposal;
	uint8_t by[20];
	uint64_t due;
	uint8_t num_args;
	uint8_t args[DR_ARGS_MAX][32];
};

const char *dr_effect_name(enum dr_effect effect);
const char *dr_hardware_name(enum dr_hardware kind);

#endif
