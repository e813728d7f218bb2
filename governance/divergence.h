/* SPDX-License-Identifier: Apache-2.0
 *
 * divergence: events are not enough; the contract's slots are proven too and held against the fold, per
 * subject. A folded right without its slot is withheld; a slot without its event grants nothing (it is
 * reported); unknown code withholds everything. It clears when a later proof agrees, never by a flag.
 *
 * Layer: governance.
 */
#ifndef DR_GOVERNANCE_DIVERGENCE_H
#define DR_GOVERNANCE_DIVERGENCE_H

#include "governance/decide.h"
#include "governance/profile.h"

struct dr_divergence; /* opaque: the verdicts of the newest proof of each subject */

struct dr_divergence *dr_divergence_new(void);
void dr_divergence_free(struct dr_divergence *d);

/* dr_divergence_slots: the storage slots to prove next, at most max (>= 3): count and accumulator slots
 * first if the profile has them, then the slots of the subjects in state, those proven longest ago
 * first. Returns how many. */
size_t dr_divergence_slots(struct dr_divergence *d, uint8_t (*out)[32], size_t max, const struct dr_profile *p,
			   const struct dr_state *state);

/* One subject on which slots and fold differ, or agree again. */
struct dr_divergence_report {
	bool cleared;                  /* false: it diverges; true: it agrees again */
	uint8_t kind;                  /* enum dr_slot_kind; 0: the contract's code */
	uint8_t subject[64];           /* the mapping's keys, 32 bytes each, zero padded */
	uint8_t expected[32], got[32]; /* slot values; for code: code hashes */
};

/* dr_divergence_judge: holds a state fact against the state folded to exactly that block. Calls report
 * for each subject whose verdict changed. */
void dr_divergence_judge(struct dr_divergence *d, const struct dr_profile *p, const struct dr_state *state,
			 const struct dr_fact_state *fact,
			 void (*report)(void *ctx, const struct dr_divergence_report *r), void *ctx);

/* dr_divergence_verdict: DR_DENY_NONE, or why this request is withheld: DR_DENY_CODE until the pinned
 * code was proven once, and while the newest proof shows other code; DR_DENY_DIVERGENCE if a subject
 * the decision rests on (node measurement, app measurement, root, hardware, suspension) diverges. */
enum dr_deny dr_divergence_verdict(const struct dr_divergence *d, const struct dr_self *self,
				   const struct dr_state *state, const struct dr_request *request,
				   const struct dr_decision *decision);
/* dr_divergence_share: the same for a root generation that is handed from this node to another (dr_decide_share). */
enum dr_deny dr_divergence_share(const struct dr_divergence *d, const struct dr_self *self,
				 const struct dr_state *state, uint64_t generation, const uint8_t to[static 20]);

#endif
