/* SPDX-License-Identifier: Apache-2.0
 *
 * lc_store: the light client's store, strict: it follows the sync committees from a trusted block root and says which
 * blocks are final, and which are attested heads.
 *
 * Implements: ethereum/consensus-specs v1.6.0, altair/light-client/sync-protocol.md with its capella, deneb and
 * electra modifications: initialize_light_client_store, validate_light_client_update, apply_light_client_update.
 * Stricter:
 *   - Nothing moves below two thirds of the committee (sum(bits) * 3 >= len(bits) * 2), not even the head.
 *   - process_light_client_store_force_update does not exist: without finality nothing becomes final, ever.
 *   - What the specification asserts away as irrelevant is verified where a committee is at hand, and answered
 *     "known", so that a contradiction among old proofs is seen.
 * Trusted: the checkpoint's block root and the network, both by the operator; the caller's clock; and that fewer than
 * two thirds of a committee of 512 sampled validators lie.
 *
 * Invariants:
 *   1. The finalized slot and the finalized execution number never go back. A refusal changes nothing.
 *   2. The next committee is learned only from an update whose finalized header lies in the attested header's period,
 *      and periods are handed over one by one, when a finalized header lies in the next.
 *   3. Committee keys are decoded, and their sum compared with aggregate_pubkey, once, when the committee is learned.
 *   4. The head is ordered by the attested slot: signature_slot is authenticated by nothing.
 *   5. `now` is the caller's: seconds since 1970; zero denies. A signature may be DR_CLOCK_SKEW_S ahead of it.
 *
 * Layer: chain/beacon.
 */
#ifndef DR_BEACON_LC_STORE_H
#define DR_BEACON_LC_STORE_H

#include "chain/beacon/lc_keys.h"

/* A header that was proven. */
struct dr_lc_point {
	struct dr_lc_header header;
	uint8_t root[32];       /* of the beacon block */
	uint32_t participation; /* of the committee, in the update that showed it; 0: the checkpoint */
	bool has_execution;     /* Capella on, genesis apart: header.execution is the block's */
};

/* A final block that is remembered, for conflicts. */
struct dr_lc_past {
	uint64_t slot, number; /* number: of the execution block; 0 below Capella */
	uint8_t root[32], parent_root[32];
	uint8_t hash[32], parent_hash[32]; /* of the execution block; zero below Capella */
};

/* About 160 KiB; from dr_heap_alloc(sizeof), or zeroed. No pointers: a copy is a snapshot. */
struct dr_lc_store {
	struct dr_network net;
	bool ready;             /* dr_lc_store_start succeeded */
	uint8_t checkpoint[32]; /* the trusted block root */
	uint64_t checkpoint_slot;
	struct dr_lc_point finalized; /* the checkpoint's block at first */
	struct dr_lc_point head;      /* the highest attested block; the finalized one where that is higher */
	struct dr_lc_keys keys[3];    /* in use: current, next; the third is where one is loaded */
	uint8_t current, next, spare; /* indices of keys */
	struct dr_lc_past past[DR_LC_PAST_MAX];
	uint32_t num_past, at_past; /* at_past: where the next is kept */
};

/* dr_lc_store_start: initialize_light_client_store. *store is filled anew. Errors, each with its reason:
 * DR_ERR_PROOF (not the block of the root; execution; branch; a committee key; their sum), DR_ERR_STALE (no clock, a
 * header in the future), DR_ERR_UNKNOWN (fork), DR_ERR_SYNTAX and others of dr_network_check. The age of the
 * checkpoint is the caller's to ask: dr_network_age(…, store->checkpoint_slot, …). */
enum dr_err dr_lc_store_start(struct dr_lc_store *store, const struct dr_network *net,
			      const uint8_t trusted[static 32], const struct dr_lc_bootstrap *bootstrap, uint64_t now,
			      struct dr_fail *fail);

enum dr_lc_verdict {
	DR_LC_NONE = 0, /* refused: see fail */
	DR_LC_KNOWN,    /* valid, and says nothing new */
	DR_LC_TAKEN,    /* valid; what it moved is said beside it */
	DR_LC_CONFLICT, /* valid, and contradicts what was proven final: nothing was moved. Halting is the caller's */
};

struct dr_lc_news {
	enum dr_lc_verdict verdict;
	bool final;             /* store->finalized moved */
	bool head;              /* store->head moved */
	bool committee;         /* the committee of the period after dr_lc_store_period was learned */
	bool period;            /* the period was handed over */
	uint32_t participation; /* of the committee's dr_network.committee_size members */
	const char *conflict;   /* what contradicts what; NULL without one */
};

/* dr_lc_store_take: validates update and applies what it proves. DR_OK and news->verdict, or a refusal: fail->what is
 * the rule that was broken (each rule has its own text), nothing changed and *news is zero:
 *   DR_ERR_PROOF     a branch, a root, a signature, a default that is none, participation, order of slots, fork
 * claimed DR_ERR_STALE     no clock; signed in the future; signed in a period whose committee is no longer, or not
 * yet, known DR_ERR_UNKNOWN   a slot of a fork that this build does not know */
enum dr_err dr_lc_store_take(struct dr_lc_store *store, const struct dr_lc_update *update, uint64_t now,
			     struct dr_lc_news *news, struct dr_fail *fail);

/* dr_lc_store_head: the head moves to update's attested header, if that is a later one, by the caller's word alone:
 * nothing of it is looked at, and true if it did. For own evidence that is folded anew (chain/finality.h, settled).
 */
bool dr_lc_store_head(struct dr_lc_store *store, const struct dr_lc_update *update);

/* dr_lc_store_period: the period of the finalized header, whose committee is `current`. */
uint64_t dr_lc_store_period(const struct dr_lc_store *store);

/* dr_lc_store_next_known: is the committee of the period after it known? If not, an update of this period is lacking.
 */
bool dr_lc_store_next_known(const struct dr_lc_store *store);

#endif
