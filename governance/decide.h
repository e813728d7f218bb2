/* SPDX-License-Identifier: Apache-2.0
 *
 * decide: may this application, as measured, on this hardware, have this key? A pure function of one
 * state and one request; effective rights are the conjunction over the final state and every counting
 * head (dr_decide_effective).
 *
 * Layer: governance.
 */
#ifndef DR_GOVERNANCE_DECIDE_H
#define DR_GOVERNANCE_DECIDE_H

#include "governance/map.h"
#include "governance/state.h"

enum dr_purpose {
	DR_PURPOSE_NONE = 0,
	DR_PURPOSE_SEAL = 1,
	DR_PURPOSE_SIGN = 2,
	DR_PURPOSE_TLS = 3,
	DR_PURPOSE_STORAGE = 4,
	DR_PURPOSE_CLUSTER = 5,
	DR_PURPOSE_CONTRACT = 6,
};

struct dr_request {
	uint8_t app[32];
	uint8_t measurement[32]; /* of the asking application version: app_hash of the derivation */
	uint8_t service[32];     /* storage service, or cluster; zero: none */
	uint8_t contract[32];    /* of the cluster `service`: purpose CONTRACT only, else zero */
	uint8_t purpose;         /* enum dr_purpose */
	uint8_t back;            /* 0: the epoch in force; 1: the one before, if its overlap still runs */
	uint8_t root_back;       /* 1: the root generation before, under a granted handover (has_from) */
	bool has_from;           /* under a granted handover: the keys of version `from` */
	uint8_t from[32];
	uint8_t recipient[32]; /* X25519: to whom the answer is encrypted; zero: plain (development roots only) */
	/* The asking hardware, as its attestation says; tee, family and device must be named (not zero). */
	uint8_t tee[32], family[32], device[32];
	uint64_t svn;
	uint8_t confidence; /* 1 (best) to 5 */
	uint8_t num_advisories;
	uint8_t advisories[DR_ADVISORIES_MAX][32];
};

/* Why not. Stable codes; NONE only with ALLOW. */
enum dr_deny {
	DR_DENY_NONE = 0,
	DR_DENY_MALFORMED = 1,        /* a field of the request is out of range */
	DR_DENY_SEALED = 2,           /* lease, start, halt: decided by the core, not here */
	DR_DENY_PROFILE = 3,          /* the profile in force on chain is not ours, or none is set */
	DR_DENY_BROKEN = 4,           /* unknown or malformed governance event */
	DR_DENY_NODE = 5,             /* this KMS node is not registered */
	DR_DENY_NODE_MEASUREMENT = 6, /* its measurement is not allowed */
	DR_DENY_NODE_HARDWARE = 7,    /* its hardware is blacklisted */
	DR_DENY_APP_UNKNOWN = 8,
	DR_DENY_APP_SUSPENDED = 9,
	DR_DENY_APP_MEASUREMENT = 10, /* never allowed, or revoked */
	DR_DENY_APP_NOTICE = 11,      /* announced; its notice period still runs */
	DR_DENY_HARDWARE = 12,        /* blacklisted in one of its dimensions */
	DR_DENY_CONFIDENCE = 13,
	DR_DENY_HANDOVER = 14,
	DR_DENY_EPOCH = 15,        /* the epoch before is asked for, and no overlap runs */
	DR_DENY_ROOT = 16,         /* no root generation in use, or the asked one is over */
	DR_DENY_ROOT_FOREIGN = 17, /* the published generation is not the one held here (core) */
	DR_DENY_DIVERGENCE = 18,   /* slots and fold differ on a subject it rests on (core) */
	DR_DENY_HEAD = 19,         /* revoked at an authenticated head, not yet final */
	DR_DENY_CODE = 20,         /* the contract's code is not proven, or not the pinned one (core) */
	DR_DENY_PROOF = 21,        /* proof level below the profile's or configuration's minimum (core) */
	DR_DENY_ROOT_SHARE = 22,   /* this node was not given the generation, or registered anew since */
};

struct dr_decision {
	enum dr_verdict verdict; /* DENY is zero */
	enum dr_deny deny;
	uint64_t generation, epoch;
	uint8_t app_hash[32]; /* whose keys: the measurement, or `from` under a handover */
	uint8_t deployer[20];
	uint8_t nonce[32];
	/* Block timestamp since which the epoch counts. The epoch before (back 1): one period before its end, which
	 * is its beginning unless the deployer ended the one before it by hand; 0 where it passed by event alone, and
	 * where there is no policy. */
	uint64_t epoch_time;
	uint64_t root_time; /* block timestamp of the generation's publication */
};

/* What decide needs to know of this KMS node. */
struct dr_self {
	uint8_t node[20];
	uint8_t profile[32]; /* digest of the profile in use */
};

/* dr_decide: the rule on one state; `time` is the state's block timestamp (epoch overlap). *out is filled in both
 * cases.
 * root_back 1 asks for the highest generation published below the newest; neither may be over. It needs a handover in
 * force, of a version to itself where nothing but the generation changes. */
void dr_decide(struct dr_decision *out, const struct dr_state *s, const struct dr_self *self,
	       const struct dr_request *request, uint64_t time);

/* dr_decide_effective: dr_decide on the final state, then the rights (not epoch, nor a newer generation) on
 * each head state: a right, or the root generation itself, lost in any of them is DR_DENY_HEAD. Lost is the
 * generation in use or the asked one when retired or stopped, and the asked one also when this node holds it no more.
 */
void dr_decide_effective(struct dr_decision *out, const struct dr_state *final_state, uint64_t time,
			 const struct dr_state *heads, size_t num_heads, const struct dr_self *self,
			 const struct dr_request *request);

/* dr_decide_share: may this node hand root generation `generation` to node `to` (which may be itself: may it take
 * it)? NONE only if both are KMS nodes with their rights and were given the generation, it is published and alive, in
 * the final state and at every head. */
enum dr_deny dr_decide_share(const struct dr_state *final_state, const struct dr_state *heads, size_t num_heads,
			     const struct dr_self *self, uint64_t generation, const uint8_t to[static 20]);

/* The request's canonical encoding: in REQUEST frames and on the local protocol. */
#define DR_REQUEST_LEN_MAX (32u * 10 + 8 + 8 + 32 * DR_ADVISORIES_MAX)
enum dr_err dr_request_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_request *r,
			      struct dr_fail *fail);
enum dr_err dr_request_decode(struct dr_request *out, struct dr_bytes bytes, struct dr_fail *fail);

const char *dr_deny_name(enum dr_deny deny); /* "app-notice" … */
const char *dr_deny_text(enum dr_deny deny); /* one sentence */
const char *dr_purpose_name(enum dr_purpose purpose);
enum dr_purpose dr_purpose_by_name(const char *name); /* NONE if unknown */

#endif
