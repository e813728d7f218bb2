/* SPDX-License-Identifier: Apache-2.0
 *
 * lc_keys: a sync committee whose keys were decoded and added up, once, and what it signs.
 *
 * Implements: ethereum/consensus-specs v1.6.0, altair/light-client/sync-protocol.md, validate_light_client_update,
 * "Verify sync committee aggregate signature" (FastAggregateVerify of the participants).
 *
 * Invariants:
 *   1. The sum is our own, over all keys, and aggregate_pubkey was found to be the same point: so taking the absent
 *      ones away from it leaves the participants' sum.
 *
 * Layer: chain/beacon.
 */
#ifndef DR_BEACON_LC_KEYS_H
#define DR_BEACON_LC_KEYS_H

#include "chain/bls/bls.h"
#include "chain/beacon/lc.h"

/* 48 KiB. Zeroed memory is none. */
struct dr_lc_keys {
	bool known;
	uint32_t num;
	uint8_t root[32]; /* HTR of the SyncCommittee */
	struct dr_bls_sum sum;
	struct dr_bls_key keys[DR_SYNC_COMMITTEE_MAX];
};

/* dr_lc_keys_load: decodes num keys of committee, whose hash tree root is root. DR_ERR_PROOF, DR_ERR_SYNTAX and
 * DR_ERR_NONCANONICAL as dr_bls_keys_get; DR_ERR_PROOF too where they are not num, or where aggregate_pubkey is not
 * their sum. Zeroed on failure. */
enum dr_err dr_lc_keys_load(struct dr_lc_keys *out, const struct dr_lc_committee *committee, uint32_t num,
			    const uint8_t root[static 32], struct dr_fail *fail);

/* dr_lc_keys_sum: the sum of those whose bit is set: the absent ones taken away from the whole, or the participants
 * added, whichever are fewer. */
void dr_lc_keys_sum(struct dr_bls_sum *out, const struct dr_lc_keys *keys,
		    const uint8_t bits[static DR_SYNC_COMMITTEE_MAX / 8]);

/* dr_lc_keys_verify: did the participants sign the header, for this domain? DR_OK, or DR_ERR_PROOF. */
enum dr_err dr_lc_keys_verify(const struct dr_lc_keys *keys, const struct dr_lc_header *attested,
			      const struct dr_lc_aggregate *aggregate, const uint8_t domain[static 32],
			      struct dr_fail *fail);

#endif
