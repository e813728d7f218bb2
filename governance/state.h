/* SPDX-License-Identifier: Apache-2.0
 *
 * state: the authorization state: one persistent map (map.h), and the records kept in it. Every record
 * is written and read here and nowhere else. Keys are a kind byte and the subject's bytes; values are
 * big-endian fields in the order of the struct. Times are block timestamps in seconds.
 *
 * Layer: governance.
 */
#ifndef DR_GOVERNANCE_STATE_H
#define DR_GOVERNANCE_STATE_H

#include "governance/action.h"
#include "governance/map.h"

struct dr_state {
	struct dr_map map;
};

struct dr_state dr_state_share(const struct dr_state *state);
void dr_state_drop(struct dr_state *state);
/* dr_state_digest: depends on the content alone. */
void dr_state_digest(uint8_t out[static 32], const struct dr_state *state);

/* A right that begins with notice: due is when it holds; active once a block reached due. */
struct dr_grant {
	uint64_t due;       /* 0: never announced */
	uint64_t announced; /* block timestamp */
	bool active;
};

struct dr_app {
	uint8_t deployer[20];
	uint8_t nonce[32];
	uint64_t notice_s;
	uint8_t confidence; /* accepted levels are 1 … confidence */
	bool suspended;
};

struct dr_epoch_policy {
	uint64_t period_s; /* 0: advances by event only */
	uint64_t overlap_s;
	uint64_t epoch;      /* in force */
	uint64_t epoch_time; /* since when */
};

enum dr_root_stage {
	DR_ROOT_NONE = 0,
	DR_ROOT_ORDERED,   /* rotation executed; in its notice period */
	DR_ROOT_DUE,       /* the named node may make and publish it */
	DR_ROOT_PUBLISHED, /* in use, once a node's own keys equal these */
	DR_ROOT_RETIRED,
	DR_ROOT_FAILED, /* not published by its deadline */
};

struct dr_root {
	enum dr_root_stage stage;
	uint8_t node[20];
	uint64_t due, deadline;
	uint64_t exposed_deadline; /* 0: not exposed; grants stop when a block reaches it */
	bool stopped;              /* that block came */
	uint8_t prf_pub[32], sig_pub[32], quote[32];
	uint64_t published; /* block timestamp of the publication; 0: never published */
	/* The council itself, by a supported proposal, exposed or retired it: it need not sign its successor. Nobody
	 * else's act does that. */
	bool council;
	/* It was that retired it: whoever holds it may destroy it. */
	bool given_up;
};

struct dr_node {
	uint8_t by[20];
	uint8_t role; /* enum dr_role */
	uint8_t measurement[32], enc_key[32];
	uint8_t tee[32], family[32], device[32];
	uint64_t svn;
	uint64_t stake;
};

/* Readers: true and *out filled, or false and *out zero. */
bool dr_state_measurement(struct dr_grant *out, const struct dr_state *s, const uint8_t measurement[static 32]);
bool dr_state_app(struct dr_app *out, const struct dr_state *s, const uint8_t app[static 32]);
bool dr_state_app_measurement(struct dr_grant *out, const struct dr_state *s, const uint8_t app[static 32],
			      const uint8_t measurement[static 32]);
bool dr_state_handover(struct dr_grant *out, const struct dr_state *s, const uint8_t app[static 32],
		       const uint8_t from[static 32], const uint8_t to[static 32]);
/* dr_state_blacklisted: kind/value is listed; *svn its minimum (kind SVN). */
bool dr_state_blacklisted(uint64_t *svn, const struct dr_state *s, enum dr_hardware kind,
			  const uint8_t value[static 32]);
/* dr_state_machine_listed: some dimension of such a machine is listed. */
bool dr_state_machine_listed(const struct dr_state *s, const uint8_t tee[static 32], const uint8_t family[static 32],
			     uint64_t svn, const uint8_t device[static 32]);
bool dr_state_root(struct dr_root *out, const struct dr_state *s, uint64_t generation);
/* dr_state_generation: the highest generation that was ever published; 0: there is none, or it is retired or
 * stopped. Generations never regress: else whoever may take the newest away (a guardian, alone and at once)
 * would bring the keys of the one before it back. */
uint64_t dr_state_generation(const struct dr_state *s);
/* dr_state_published_below: the highest generation below this one that was ever published, whatever became of it;
 * 0: none. */
uint64_t dr_state_published_below(const struct dr_state *s, uint64_t generation);
/* dr_state_holds: node was given that generation (it published it, or a share of it took effect), has not
 * registered anew or left since, and the generation is neither retired nor stopped. */
bool dr_state_holds(const struct dr_state *s, uint64_t generation, const uint8_t node[static 20]);
/* dr_state_ordered: the highest generation that was ever ordered; 0: none. */
uint64_t dr_state_ordered(const struct dr_state *s);
bool dr_state_share_of(struct dr_grant *out, const struct dr_state *s, uint64_t generation,
		       const uint8_t node[static 20]);
/* dr_state_epoch_policy: as of the last change about it; dr_epoch_carry brings it to now. */
bool dr_state_epoch_policy(struct dr_epoch_policy *out, const struct dr_state *s, const uint8_t app[static 32],
			   const uint8_t service[static 32]);
/* dr_epoch_carry: moves a policy over every boundary up to `until`; true if there was one. */
bool dr_epoch_carry(struct dr_epoch_policy *policy, uint64_t until);
bool dr_state_node(struct dr_node *out, const struct dr_state *s, const uint8_t node[static 20]);
/* dr_state_profile: the digest in force on chain; false if none was ever set. */
bool dr_state_profile(uint8_t digest[static 32], const struct dr_state *s);
/* dr_state_weight: member's weight for a proposal made at `time`. */
uint64_t dr_state_weight(const struct dr_state *s, const uint8_t member[static 20], uint64_t time);
uint64_t dr_state_quorum(const struct dr_state *s, uint64_t time);
uint64_t dr_state_notice(const struct dr_state *s, enum dr_notice class, uint64_t time);
bool dr_state_guardian(const struct dr_state *s, const uint8_t who[static 20]);
bool dr_state_constituted(const struct dr_state *s);
/* dr_state_broken: an unknown or malformed event of the contract was met: everything is withheld until a
 * successor profile. */
bool dr_state_broken(const struct dr_state *s);
/* dr_state_heartbeat: the last nonce seen from node since it registered. Its first 8 bytes are the size of the node's
 * journal when it was drawn; a nonce of a smaller journal never takes the place of one of a larger, so that a node
 * whose data directory was rolled back stays visible until it registers anew. */
bool dr_state_heartbeat(uint8_t nonce[static 32], const struct dr_state *s, const uint8_t node[static 20]);
/* dr_state_due_next: the earliest time at which something pending matures; UINT64_MAX if nothing. */
uint64_t dr_state_due_next(const struct dr_state *s);

#endif
