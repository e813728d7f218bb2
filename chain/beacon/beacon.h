/* SPDX-License-Identifier: Apache-2.0
 *
 * beacon: finality by Ethereum's sync committees, behind chain/finality.h: proof `consensus`. A block is final when
 * two thirds of a committee signed a beacon block whose state holds it as finalized; head, when they signed it.
 *
 * FINALITY payload, scheme 2: u8 scheme (2) · u8 kind (enum dr_beacon_kind) · u8 fork claimed · SSZ of the
 * container: what a beacon node answered, in its canonical form.
 *
 * Trusts: the checkpoint's block root and the network, both by the operator, and the wall clock that it is told.
 *
 * Rules:
 *   1. Nothing is taken before the checkpoint's own bootstrap, and without a clock nothing at all.
 *   2. What rests on a final block older than max_age_s is refused (weak subjectivity: committees of old can be
 *      bought), at the checkpoint and after a long absence alike; unless the operator accepted that by name.
 *   3. After a restart a block is named anew only by a proof that is shown anew.
 *   4. Heads that are settled (chain/finality.h) are named without a look at their signature: half a million of them
 *      come in ten weeks, and a start folds all evidence anew.
 *   5. Two valid proofs that contradict each other about what is final: a finding of kind CONFLICT. What was final
 *      before: a finding of kind PAST, which the follower holds against all final blocks that it has.
 *
 * Layer: chain/beacon.
 */
#ifndef DR_BEACON_BEACON_H
#define DR_BEACON_BEACON_H

#include "chain/base/arena.h"
#include "chain/beacon/lc_store.h"
#include "chain/finality.h"

enum dr_beacon_kind {
	DR_BEACON_BOOTSTRAP = 0,
	DR_BEACON_UPDATE = DR_LC_UPDATE,
	DR_BEACON_FINALITY_UPDATE = DR_LC_FINALITY_UPDATE,
	DR_BEACON_OPTIMISTIC_UPDATE = DR_LC_OPTIMISTIC_UPDATE,
};

#define DR_BEACON_PERIODS_AT_ONCE 128u /* MAX_REQUEST_LIGHT_CLIENT_UPDATES */
#define DR_BEACON_AGE_DEFAULT_S   1209600u

struct dr_beacon_config {
	struct dr_network net; /* passed dr_network_check */
	uint8_t checkpoint[32];
	uint64_t max_age_s; /* 0: DR_BEACON_AGE_DEFAULT_S */
	bool aged;          /* older ones are accepted, by name */
};

struct dr_beacon; /* opaque */

struct dr_beacon *dr_beacon_new(const struct dr_beacon_config *config); /* NULL: no memory */
void dr_beacon_free(struct dr_beacon *b);                               /* takes b, which may be NULL */

/* What a refusal by rule 2 says. */
extern const char dr_beacon_too_old[];

/* dr_beacon_finality: b behind the interface; valid as long as b. */
struct dr_finality dr_beacon_finality(struct dr_beacon *b);

/* dr_beacon_payload: appends the payload of a FINALITY frame to *out. */
enum dr_err dr_beacon_payload(struct dr_buf *out, enum dr_beacon_kind kind, enum dr_beacon_fork fork,
			      struct dr_bytes ssz, struct dr_fail *fail);

const struct dr_network *dr_beacon_network(const struct dr_beacon *b);

/* What is known now; zero, false before the bootstrap. */
struct dr_beacon_status {
	bool ready;
	bool next_known;     /* the next period's committee */
	uint64_t period;     /* of the final block */
	uint64_t period_now; /* by the clock that it was told last */
	uint64_t checkpoint_slot, final_slot, head_slot;
	uint8_t final_root[32];
	uint32_t participation, committee; /* of the newest finality proof, and of how many */
	uint64_t age_s;                    /* of the final block, by the clock that it was told last */
	bool aged;                         /* it is older than max_age_s, and that is accepted */
};
void dr_beacon_status(const struct dr_beacon *b, struct dr_beacon_status *out);

#endif
