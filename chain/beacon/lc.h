/* SPDX-License-Identifier: Apache-2.0
 *
 * lc: the light client's containers, Altair to Fulu, and what can be said of one alone: its form, its roots, and
 * whether a header's execution payload is its own.
 *
 * Implements: ethereum/consensus-specs v1.6.0: altair, capella, deneb and electra light-client/sync-protocol.md
 * (containers, generalized indices, get_lc_execution_root, is_valid_light_client_header); fulu changes none of it.
 * Framing: beacon-APIs v4, getLightClientUpdatesByRange (application/octet-stream).
 *
 * Which form an object has follows the fork of its *attested* header's slot (a bootstrap: its header's), as
 * altair/light-client/p2p-interface.md has it for the fork digest. `fork` of the struct is what the sender claimed,
 * by version, digest or form; dr_lc_check_fork holds it against the slot. Generalized indices and the execution root
 * follow each header's own slot, whatever the form.
 *
 * Not authenticated by anything, in any update: signature_slot, beyond which committee signed (its period) and under
 * which fork. The committee signs the attested header, not when it did.
 *
 * Layer: chain/beacon.
 */
#ifndef DR_BEACON_LC_H
#define DR_BEACON_LC_H

#include "chain/base/limits.h"
#include "chain/beacon/ssz_type.h"

struct dr_lc_beacon { /* BeaconBlockHeader */
	uint64_t slot, proposer_index;
	uint8_t parent_root[32], state_root[32], body_root[32];
};

struct dr_lc_execution { /* ExecutionPayloadHeader; zero below Capella */
	uint8_t parent_hash[32];
	uint8_t fee_recipient[20];
	uint8_t state_root[32];
	uint8_t receipts_root[32];
	uint8_t logs_bloom[256];
	uint8_t prev_randao[32];
	uint64_t block_number, gas_limit, gas_used, timestamp;
	struct dr_ssz_list extra_data;
	uint8_t base_fee_per_gas[32]; /* little endian */
	uint8_t block_hash[32];
	uint8_t transactions_root[32];
	uint8_t withdrawals_root[32];
	uint64_t blob_gas_used, excess_blob_gas; /* Deneb on */
};

struct dr_lc_header { /* LightClientHeader */
	struct dr_lc_beacon beacon;
	struct dr_lc_execution execution;
	struct dr_ssz_branch execution_branch;
};

struct dr_lc_committee {         /* SyncCommittee */
	struct dr_bytes pubkeys; /* committee size × 48, borrowed; {NULL, 0} is the default, all zeros */
	uint8_t aggregate_pubkey[48];
};

struct dr_lc_aggregate { /* SyncAggregate */
	uint8_t bits[DR_SYNC_COMMITTEE_MAX / 8];
	uint8_t signature[96];
};

struct dr_lc_bootstrap {
	enum dr_beacon_fork fork; /* claimed */
	struct dr_lc_header header;
	struct dr_lc_committee committee;
	struct dr_ssz_branch committee_branch;
};

enum dr_lc_kind {
	DR_LC_UPDATE = 1,
	DR_LC_FINALITY_UPDATE,
	DR_LC_OPTIMISTIC_UPDATE,
};

/* LightClientUpdate; a finality or optimistic update is one whose other fields are the default. */
struct dr_lc_update {
	enum dr_lc_kind kind;
	enum dr_beacon_fork fork; /* claimed */
	struct dr_lc_header attested;
	struct dr_lc_committee next_committee;
	struct dr_ssz_branch next_committee_branch;
	struct dr_lc_header finalized;
	struct dr_ssz_branch finality_branch;
	struct dr_lc_aggregate aggregate;
	uint64_t signature_slot;
};

/* The tables. The members `kind` and `fork` are no fields. */
extern const struct dr_ssz_type dr_lc_beacon_type, dr_lc_execution_type, dr_lc_header_type, dr_lc_committee_type,
	dr_lc_aggregate_type, dr_lc_bootstrap_type, dr_lc_update_type, dr_lc_finality_update_type,
	dr_lc_optimistic_update_type;

/* dr_lc_type: the table of a kind of update. */
const struct dr_ssz_type *dr_lc_type(enum dr_lc_kind kind);

/* dr_lc_shape: the form of net's containers of a fork. */
static inline struct dr_ssz_shape dr_lc_shape(const struct dr_network *net, enum dr_beacon_fork fork)
{
	return (struct dr_ssz_shape){ fork, net->committee_size };
}

/* dr_lc_bootstrap_decode, dr_lc_update_decode: from SSZ of the form that the claimed fork (Altair or later) has.
 * Keys borrow bytes. Errors: as dr_ssz_decode; DR_ERR_UNKNOWN (a fork without light client). */
enum dr_err dr_lc_bootstrap_decode(struct dr_lc_bootstrap *out, const struct dr_network *net,
				   enum dr_beacon_fork fork, struct dr_bytes bytes, struct dr_fail *fail);
enum dr_err dr_lc_update_decode(struct dr_lc_update *out, const struct dr_network *net, enum dr_lc_kind kind,
				enum dr_beacon_fork fork, struct dr_bytes bytes, struct dr_fail *fail);

/* dr_lc_bootstrap_encode, dr_lc_update_encode: to SSZ, of the form of obj->fork; *len is the length. */
enum dr_err dr_lc_bootstrap_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_network *net,
				   const struct dr_lc_bootstrap *obj, struct dr_fail *fail);
enum dr_err dr_lc_update_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_network *net,
				const struct dr_lc_update *obj, struct dr_fail *fail);

/* dr_lc_len_max: the longest SSZ of a bootstrap or update, of any fork, on net (mainnet: under 28 KiB). */
size_t dr_lc_len_max(const struct dr_network *net);

/* dr_lc_peek: the fork to decode SSZ of `type` by, where its sender's claim is not readable (a Fulu digest, no
 * header): that of the slot that stands where the attested header's (a bootstrap's header's) slot must stand. */
enum dr_err dr_lc_peek(enum dr_beacon_fork *fork, const struct dr_network *net, const struct dr_ssz_type *type,
		       struct dr_bytes bytes, struct dr_fail *fail);

/* dr_lc_frame: takes the next update of an /updates answer in SSZ off the front of *bytes:
 * u64LE length · fork digest 4 · LightClientUpdate, of which length covers digest and update. *ssz borrows; *fork is
 * by dr_lc_peek, and a digest below Fulu must be that fork's. Lengths beyond what the network permits: DR_ERR_LIMIT.
 */
enum dr_err dr_lc_frame(struct dr_bytes *ssz, enum dr_beacon_fork *fork, struct dr_bytes *bytes,
			const struct dr_network *net, struct dr_fail *fail);

/* dr_lc_check_fork: claimed is the fork of slot, and one with a light client: else DR_ERR_PROOF, or DR_ERR_UNKNOWN.
 */
enum dr_err dr_lc_check_fork(const struct dr_network *net, enum dr_beacon_fork claimed, uint64_t slot,
			     struct dr_fail *fail);

/* dr_lc_header_root: HTR of the beacon block header: the block root. */
void dr_lc_header_root(uint8_t root[static 32], const struct dr_lc_header *header);

/* dr_lc_execution_root: get_lc_execution_root, by the fork of the header's slot: zero below Capella, 15 fields in
 * Capella, 17 from Deneb on. */
enum dr_err dr_lc_execution_root(uint8_t root[static 32], const struct dr_network *net,
				 const struct dr_lc_header *header, struct dr_fail *fail);

/* dr_lc_header_check: is_valid_light_client_header. DR_ERR_PROOF: the execution payload is not this block's; blob
 * fields below Deneb; an execution payload below Capella; the reason names the header by its role. DR_ERR_UNKNOWN:
 * the slot's fork. */
enum dr_lc_role {
	DR_LC_CHECKPOINT = 0,
	DR_LC_ATTESTED,
	DR_LC_FINALIZED,
};
enum dr_err dr_lc_header_check(const struct dr_network *net, const struct dr_lc_header *header, enum dr_lc_role role,
			       struct dr_fail *fail);

/* Generalized indices in the state, by the fork of the slot whose state it is. */
uint64_t dr_lc_finalized_gindex(enum dr_beacon_fork fork);
uint64_t dr_lc_current_committee_gindex(enum dr_beacon_fork fork);
uint64_t dr_lc_next_committee_gindex(enum dr_beacon_fork fork);
#define DR_LC_EXECUTION_GINDEX 25u /* execution_payload in the body, Capella on */

/* dr_lc_is_final, dr_lc_is_committee: is_finality_update, is_sync_committee_update: the branch is not all zero. */
bool dr_lc_is_final(const struct dr_lc_update *update);
bool dr_lc_is_committee(const struct dr_lc_update *update);

/* dr_lc_participation: how many of the committee signed. */
uint32_t dr_lc_participation(const struct dr_lc_aggregate *aggregate);

#endif
