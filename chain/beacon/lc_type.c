/* SPDX-License-Identifier: Apache-2.0
 *
 * lc_type: the light client's containers, line by line as the specification has them.
 */
#include "chain/beacon/lc.h"

#define TABLE(of, text, table)                                                                                       \
	{                                                                                                            \
		.name = text, .fields = table, .num = sizeof(table) / sizeof((table)[0]), .size = sizeof(of)         \
	}
#define AT(of, member) (uint16_t) offsetof(of, member)
#define ALWAYS         DR_BEACON_PHASE0, DR_BEACON_FULU
#define SINCE(fork)    DR_BEACON_##fork, DR_BEACON_FULU
#define UNTIL(fork)    DR_BEACON_PHASE0, DR_BEACON_##fork

/* phase0/beacon-chain.md */
#define BEACON(member) AT(struct dr_lc_beacon, member)
static const struct dr_ssz_field beacon_fields[] = {
	{ "slot", DR_SSZ_U64, BEACON(slot), 0, ALWAYS, NULL },
	{ "proposer_index", DR_SSZ_U64, BEACON(proposer_index), 0, ALWAYS, NULL },
	{ "parent_root", DR_SSZ_BYTES, BEACON(parent_root), 32, ALWAYS, NULL },
	{ "state_root", DR_SSZ_BYTES, BEACON(state_root), 32, ALWAYS, NULL },
	{ "body_root", DR_SSZ_BYTES, BEACON(body_root), 32, ALWAYS, NULL },
};
const struct dr_ssz_type dr_lc_beacon_type = TABLE(struct dr_lc_beacon, "BeaconBlockHeader", beacon_fields);

/* capella/beacon-chain.md, deneb/beacon-chain.md */
#define EXECUTION(member) AT(struct dr_lc_execution, member)
static const struct dr_ssz_field execution_fields[] = {
	{ "parent_hash", DR_SSZ_BYTES, EXECUTION(parent_hash), 32, ALWAYS, NULL },
	{ "fee_recipient", DR_SSZ_BYTES, EXECUTION(fee_recipient), 20, ALWAYS, NULL },
	{ "state_root", DR_SSZ_BYTES, EXECUTION(state_root), 32, ALWAYS, NULL },
	{ "receipts_root", DR_SSZ_BYTES, EXECUTION(receipts_root), 32, ALWAYS, NULL },
	{ "logs_bloom", DR_SSZ_BYTES, EXECUTION(logs_bloom), 256, ALWAYS, NULL },
	{ "prev_randao", DR_SSZ_BYTES, EXECUTION(prev_randao), 32, ALWAYS, NULL },
	{ "block_number", DR_SSZ_U64, EXECUTION(block_number), 0, ALWAYS, NULL },
	{ "gas_limit", DR_SSZ_U64, EXECUTION(gas_limit), 0, ALWAYS, NULL },
	{ "gas_used", DR_SSZ_U64, EXECUTION(gas_used), 0, ALWAYS, NULL },
	{ "timestamp", DR_SSZ_U64, EXECUTION(timestamp), 0, ALWAYS, NULL },
	{ "extra_data", DR_SSZ_LIST, EXECUTION(extra_data), 32, ALWAYS, NULL },
	{ "base_fee_per_gas", DR_SSZ_U256, EXECUTION(base_fee_per_gas), 0, ALWAYS, NULL },
	{ "block_hash", DR_SSZ_BYTES, EXECUTION(block_hash), 32, ALWAYS, NULL },
	{ "transactions_root", DR_SSZ_BYTES, EXECUTION(transactions_root), 32, ALWAYS, NULL },
	{ "withdrawals_root", DR_SSZ_BYTES, EXECUTION(withdrawals_root), 32, SINCE(CAPELLA), NULL },
	{ "blob_gas_used", DR_SSZ_U64, EXECUTION(blob_gas_used), 0, SINCE(DENEB), NULL },
	{ "excess_blob_gas", DR_SSZ_U64, EXECUTION(excess_blob_gas), 0, SINCE(DENEB), NULL },
};
const struct dr_ssz_type dr_lc_execution_type =
	TABLE(struct dr_lc_execution, "ExecutionPayloadHeader", execution_fields);

/* altair/light-client/sync-protocol.md, capella/light-client/sync-protocol.md */
#define HEADER(member) AT(struct dr_lc_header, member)
static const struct dr_ssz_field header_fields[] = {
	{ "beacon", DR_SSZ_CONTAINER, HEADER(beacon), 0, ALWAYS, &dr_lc_beacon_type },
	{ "execution", DR_SSZ_CONTAINER, HEADER(execution), 0, SINCE(CAPELLA), &dr_lc_execution_type },
	{ "execution_branch", DR_SSZ_BRANCH, HEADER(execution_branch), 4, SINCE(CAPELLA), NULL },
};
const struct dr_ssz_type dr_lc_header_type = TABLE(struct dr_lc_header, "LightClientHeader", header_fields);

/* altair/beacon-chain.md */
#define COMMITTEE(member) AT(struct dr_lc_committee, member)
static const struct dr_ssz_field committee_fields[] = {
	{ "pubkeys", DR_SSZ_KEYS, COMMITTEE(pubkeys), 0, ALWAYS, NULL },
	{ "aggregate_pubkey", DR_SSZ_BYTES, COMMITTEE(aggregate_pubkey), 48, ALWAYS, NULL },
};
const struct dr_ssz_type dr_lc_committee_type = TABLE(struct dr_lc_committee, "SyncCommittee", committee_fields);

#define AGGREGATE(member) AT(struct dr_lc_aggregate, member)
static const struct dr_ssz_field aggregate_fields[] = {
	{ "sync_committee_bits", DR_SSZ_BITS, AGGREGATE(bits), 0, ALWAYS, NULL },
	{ "sync_committee_signature", DR_SSZ_BYTES, AGGREGATE(signature), 96, ALWAYS, NULL },
};
const struct dr_ssz_type dr_lc_aggregate_type = TABLE(struct dr_lc_aggregate, "SyncAggregate", aggregate_fields);

/* altair/light-client/sync-protocol.md; branches: electra/light-client/sync-protocol.md */
#define BOOTSTRAP(member) AT(struct dr_lc_bootstrap, member)
static const struct dr_ssz_field bootstrap_fields[] = {
	{ "header", DR_SSZ_CONTAINER, BOOTSTRAP(header), 0, ALWAYS, &dr_lc_header_type },
	{ "current_sync_committee", DR_SSZ_CONTAINER, BOOTSTRAP(committee), 0, ALWAYS, &dr_lc_committee_type },
	{ "current_sync_committee_branch", DR_SSZ_BRANCH, BOOTSTRAP(committee_branch), 5, UNTIL(DENEB), NULL },
	{ "current_sync_committee_branch", DR_SSZ_BRANCH, BOOTSTRAP(committee_branch), 6, SINCE(ELECTRA), NULL },
};
const struct dr_ssz_type dr_lc_bootstrap_type =
	TABLE(struct dr_lc_bootstrap, "LightClientBootstrap", bootstrap_fields);

#define UPDATE(member) AT(struct dr_lc_update, member)
static const struct dr_ssz_field update_fields[] = {
	{ "attested_header", DR_SSZ_CONTAINER, UPDATE(attested), 0, ALWAYS, &dr_lc_header_type },
	{ "next_sync_committee", DR_SSZ_CONTAINER, UPDATE(next_committee), 0, ALWAYS, &dr_lc_committee_type },
	{ "next_sync_committee_branch", DR_SSZ_BRANCH, UPDATE(next_committee_branch), 5, UNTIL(DENEB), NULL },
	{ "next_sync_committee_branch", DR_SSZ_BRANCH, UPDATE(next_committee_branch), 6, SINCE(ELECTRA), NULL },
	{ "finalized_header", DR_SSZ_CONTAINER, UPDATE(finalized), 0, ALWAYS, &dr_lc_header_type },
	{ "finality_branch", DR_SSZ_BRANCH, UPDATE(finality_branch), 6, UNTIL(DENEB), NULL },
	{ "finality_branch", DR_SSZ_BRANCH, UPDATE(finality_branch), 7, SINCE(ELECTRA), NULL },
	{ "sync_aggregate", DR_SSZ_CONTAINER, UPDATE(aggregate), 0, ALWAYS, &dr_lc_aggregate_type },
	{ "signature_slot", DR_SSZ_U64, UPDATE(signature_slot), 0, ALWAYS, NULL },
};
const struct dr_ssz_type dr_lc_update_type = TABLE(struct dr_lc_update, "LightClientUpdate", update_fields);

static const struct dr_ssz_field finality_update_fields[] = {
	{ "attested_header", DR_SSZ_CONTAINER, UPDATE(attested), 0, ALWAYS, &dr_lc_header_type },
	{ "finalized_header", DR_SSZ_CONTAINER, UPDATE(finalized), 0, ALWAYS, &dr_lc_header_type },
	{ "finality_branch", DR_SSZ_BRANCH, UPDATE(finality_branch), 6, UNTIL(DENEB), NULL },
	{ "finality_branch", DR_SSZ_BRANCH, UPDATE(finality_branch), 7, SINCE(ELECTRA), NULL },
	{ "sync_aggregate", DR_SSZ_CONTAINER, UPDATE(aggregate), 0, ALWAYS, &dr_lc_aggregate_type },
	{ "signature_slot", DR_SSZ_U64, UPDATE(signature_slot), 0, ALWAYS, NULL },
};
const struct dr_ssz_type dr_lc_finality_update_type =
	TABLE(struct dr_lc_update, "LightClientFinalityUpdate", finality_update_fields);

static const struct dr_ssz_field optimistic_update_fields[] = {
	{ "attested_header", DR_SSZ_CONTAINER, UPDATE(attested), 0, ALWAYS, &dr_lc_header_type },
	{ "sync_aggregate", DR_SSZ_CONTAINER, UPDATE(aggregate), 0, ALWAYS, &dr_lc_aggregate_type },
	{ "signature_slot", DR_SSZ_U64, UPDATE(signature_slot), 0, ALWAYS, NULL },
};
const struct dr_ssz_type dr_lc_optimistic_update_type =
	TABLE(struct dr_lc_update, "LightClientOptimisticUpdate", optimistic_update_fields);
