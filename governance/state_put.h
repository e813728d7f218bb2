/* SPDX-License-Identifier: Apache-2.0
 *
 * state_put: the writers of the records of state.h, and the records that only the fold needs: proposals,
 * votes, pending changes. Included by the fold alone (and by divergence, for the subjects).
 *
 * Every writer is sticky: with a failure in *fail it does nothing, so that the fold checks once per
 * event. Failures are nomem and limit.
 *
 * Layer: governance (private).
 */
#ifndef DR_GOVERNANCE_STATE_PUT_H
#define DR_GOVERNANCE_STATE_PUT_H

#include "governance/state.h"

/* Kinds of record: the first byte of a key. */
enum dr_record {
	DR_RECORD_MEASUREMENT = 1, /* measurement → grant */
	DR_RECORD_APP,             /* app → struct dr_app */
	DR_RECORD_APP_MEASUREMENT, /* app ‖ measurement → grant */
	DR_RECORD_HANDOVER,        /* app ‖ SHA-256(from ‖ to) → grant ‖ from ‖ to */
	DR_RECORD_HARDWARE,        /* kind ‖ value → u64 svn ‖ u8 listed; stays when reinstated */
	DR_RECORD_SUSPENSION,      /* app → u64: the contract's slot: 1, or the second it resumes */
	DR_RECORD_ROOT,            /* generation → struct dr_root */
	DR_RECORD_SHARE,           /* node ‖ generation → grant */
	DR_RECORD_EPOCH,           /* app ‖ service → struct dr_epoch */
	DR_RECORD_NODE,            /* node → struct dr_node */
	DR_RECORD_HEARTBEAT,       /* account → nonce; gone when the account registers as a node */
	DR_RECORD_WEIGHT,          /* member ‖ from → u64: a checkpoint */
	DR_RECORD_QUORUM,          /* from → u64 */
	DR_RECORD_NOTICE,          /* class ‖ from → u64 */
	DR_RECORD_GUARDIAN,        /* account → nothing */
	DR_RECORD_PROFILE,         /* → digest */
	DR_RECORD_CONSTITUTION,    /* → u64 voting period */
	DR_RECORD_BROKEN,          /* → digest of the profile that met the event */
	DR_RECORD_PROPOSAL_NUM,    /* → u64: proposals that the contract has numbered */
	DR_RECORD_PROPOSAL,        /* id → struct dr_proposal */
	DR_RECORD_VOTE,            /* id ‖ member → u64 weight ‖ u8 support */
	DR_RECORD_PENDING,    /* due ‖ number ‖ ordinal ‖ what ‖ u64 of the subject → struct dr_pending */
	DR_RECORD_PENDING_OF, /* SHA-256(what ‖ action ‖ subject) ‖ due → number ‖ ordinal */
	DR_RECORD_HOLDER,     /* generation ‖ node ‖ number ‖ ordinal → struct dr_holder */
};

/* Rights with notice. */
void dr_state_put_grant(struct dr_state *s, const struct dr_act *act, const struct dr_grant *grant,
			struct dr_fail *fail);
bool dr_state_grant(struct dr_grant *out, const struct dr_state *s, const struct dr_act *act);
void dr_state_del_grant(struct dr_state *s, const struct dr_act *act, struct dr_fail *fail);
/* dr_state_del_shares: all shares of a node, and what is pending of them. */
void dr_state_del_shares(struct dr_state *s, const uint8_t node[static 20], struct dr_fail *fail);

void dr_state_put_app(struct dr_state *s, const uint8_t app[static 32], const struct dr_app *r, struct dr_fail *fail);
void dr_state_put_root(struct dr_state *s, uint64_t generation, const struct dr_root *r, struct dr_fail *fail);

/* Who was ever given a root generation, as he was registered then; gone with the generation. */
struct dr_holder {
	uint64_t generation;
	uint8_t node[20];
	uint64_t number; /* with ordinal: the event that made it a holder */
	uint32_t ordinal;
	uint8_t measurement[32], tee[32], family[32], device[32];
	uint64_t svn;
	bool current; /* the node is still registered like that */
};
/* dr_state_holder_next: the first holder after *after in the order of the keys (NULL: the first of all). */
bool dr_state_holder_next(struct dr_holder *out, const struct dr_state *s, const struct dr_holder *after);
void dr_state_put_holder(struct dr_state *s, const struct dr_holder *r, struct dr_fail *fail);
/* dr_state_end_holders: the node registers anew or leaves: none of its records is current any more. */
void dr_state_end_holders(struct dr_state *s, const uint8_t node[static 20], struct dr_fail *fail);
/* dr_state_del_holders: the generation is over. */
void dr_state_del_holders(struct dr_state *s, uint64_t generation, struct dr_fail *fail);

void dr_state_put_node(struct dr_state *s, const uint8_t node[static 20], const struct dr_node *r,
		       struct dr_fail *fail);
void dr_state_del_node(struct dr_state *s, const uint8_t node[static 20], struct dr_fail *fail);
void dr_state_put_heartbeat(struct dr_state *s, const uint8_t who[static 20], const uint8_t nonce[static 32],
			    struct dr_fail *fail);
void dr_state_del_heartbeat(struct dr_state *s, const uint8_t who[static 20], struct dr_fail *fail);
void dr_state_put_profile(struct dr_state *s, const uint8_t digest[static 32], struct dr_fail *fail);

/* Hardware: a record stays after its reinstatement, with listed false, because the contract's slot does. */
struct dr_listing {
	uint64_t svn;
	bool listed;
};
bool dr_state_listing(struct dr_listing *out, const struct dr_state *s, uint64_t kind,
		      const uint8_t value[static 32]);
void dr_state_put_listing(struct dr_state *s, uint64_t kind, const uint8_t value[static 32],
			  const struct dr_listing *r, struct dr_fail *fail);

/* What the contract's `suspended` slot of app holds: 0, 1 (suspended) or the second it resumes. */
uint64_t dr_state_suspension(const struct dr_state *s, const uint8_t app[static 32]);
void dr_state_put_suspension(struct dr_state *s, const uint8_t app[static 32], uint64_t value, struct dr_fail *fail);

/* An epoch policy together with the event that made it: where its boundaries come from. */
struct dr_epoch {
	struct dr_epoch_policy policy;
	uint8_t event_digest[32];
	uint64_t number;
	uint32_t ordinal;
	uint8_t said; /* boundaries since that event, or an advance by hand, that were changes of their own */
};
bool dr_state_epoch(struct dr_epoch *out, const struct dr_state *s, const uint8_t app[static 32],
		    const uint8_t service[static 32]);
void dr_state_put_epoch(struct dr_state *s, const uint8_t app[static 32], const uint8_t service[static 32],
			const struct dr_epoch *r, struct dr_fail *fail);

/* Checkpoints: a later decision overrides what was to begin at `from` or after it. */
void dr_state_put_weight(struct dr_state *s, const uint8_t member[static 20], uint64_t from, uint64_t weight,
			 struct dr_fail *fail);
void dr_state_put_quorum(struct dr_state *s, uint64_t from, uint64_t quorum, struct dr_fail *fail);
void dr_state_put_notice(struct dr_state *s, uint64_t class, uint64_t from, uint64_t notice_s, struct dr_fail *fail);
/* dr_state_has_weight: a checkpoint with weight exists, now or later. */
bool dr_state_has_weight(const struct dr_state *s, const uint8_t member[static 20], uint64_t time);
/* dr_state_has_notice: the class has a checkpoint at or before time. */
bool dr_state_has_notice(const struct dr_state *s, uint64_t class, uint64_t time);

void dr_state_put_guardian(struct dr_state *s, const uint8_t who[static 20], bool is, struct dr_fail *fail);
uint64_t dr_state_voting_period(const struct dr_state *s);
void dr_state_put_constitution(struct dr_state *s, uint64_t voting_period_s, struct dr_fail *fail);
/* The digest of the profile under which an unknown or malformed event was met; NULL clears. */
bool dr_state_broken_by(uint8_t profile[static 32], const struct dr_state *s);
void dr_state_put_broken(struct dr_state *s, const uint8_t *profile, struct dr_fail *fail);

/* Proposals and votes */
enum dr_proposal_stage {
	DR_PROPOSAL_NONE = 0,
	DR_PROPOSAL_OPEN,
	DR_PROPOSAL_CANCELLED,
	DR_PROPOSAL_EXECUTED,
};
struct dr_proposal {
	enum dr_proposal_stage stage;
	uint8_t by[20];
	uint16_t action;
	uint64_t snapshot, expires;
	uint64_t yes, no; /* our own tally, saturating */
	uint8_t args[8][32];
};
bool dr_state_proposal(struct dr_proposal *out, const struct dr_state *s, uint64_t id);
void dr_state_put_proposal(struct dr_state *s, uint64_t id, const struct dr_proposal *r, struct dr_fail *fail);
uint64_t dr_state_proposal_num(const struct dr_state *s);
void dr_state_put_proposal_num(struct dr_state *s, uint64_t num, struct dr_fail *fail);
bool dr_state_voted(const struct dr_state *s, uint64_t id, const uint8_t member[static 20]);
void dr_state_put_vote(struct dr_state *s, uint64_t id, const uint8_t member[static 20], uint64_t weight,
		       bool support, struct dr_fail *fail);

/* What time will do. Ordered by (due, where in the chain it was made). */
enum dr_pending_what {
	DR_PENDING_ACT = 0,      /* act comes into force */
	DR_PENDING_EPOCH = 1,    /* act's policy crosses a boundary */
	DR_PENDING_DEADLINE = 2, /* act's generation was not published */
	DR_PENDING_STOP = 3,     /* act's generation was exposed and stops */
};
struct dr_pending {
	enum dr_pending_what what;
	uint64_t due;
	uint64_t number;
	uint32_t ordinal;
	uint8_t event_digest[32];
	struct dr_act act;
};
/* dr_state_pend: adds one. Its subject is the act's first num_subject words. Of the same what, action and
 * subject it removes those due at `from` or later. */
void dr_state_pend(struct dr_state *s, const struct dr_pending *p, uint8_t num_subject, uint64_t from,
		   struct dr_fail *fail);
/* dr_state_unpend: removes those due at `from` or later. */
void dr_state_unpend(struct dr_state *s, enum dr_pending_what what, enum dr_action action,
		     const uint8_t (*subject)[32], uint8_t num_subject, uint64_t from, struct dr_fail *fail);
/* dr_state_pending_due: the first due of such a one; UINT64_MAX if none. */
uint64_t dr_state_pending_due(const struct dr_state *s, enum dr_pending_what what, enum dr_action action,
			      const uint8_t (*subject)[32], uint8_t num_subject);
/* dr_state_pending_take: takes the first of all out of the state, if its due is at most time. False: there
 * is none, or *fail says why. */
bool dr_state_pending_take(struct dr_pending *out, struct dr_state *s, uint64_t time, struct dr_fail *fail);

/* dr_state_next: the first record of this kind whose key sorts after *key (NULL: the first of all). The
 * views are borrowed as dr_map_get's. */
bool dr_state_next(struct dr_bytes *key_out, struct dr_bytes *value, const struct dr_state *s, enum dr_record kind,
		   const struct dr_bytes *key);

#endif
