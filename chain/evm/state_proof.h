/* SPDX-License-Identifier: Apache-2.0
 *
 * state_proof: accounts and storage slots under a header's stateRoot (the nodes of EIP-1186
 * eth_getProof), and where EIP-2935 keeps the hashes of older blocks.
 *
 * "Absent" is a proven zero (account or slot not in the trie); "not proven" is an error. They never
 * share a value.
 *
 * Layer: chain/evm.
 */
#ifndef DR_EVM_STATE_PROOF_H
#define DR_EVM_STATE_PROOF_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

struct dr_evm_account {
	bool present;
	uint64_t nonce;
	uint8_t balance[32];      /* big-endian word */
	uint8_t storage_root[32]; /* dr_mpt_empty_root if absent */
	uint8_t code_hash[32];    /* keccak256("") if absent */
};

struct dr_evm_slot {
	bool present;      /* false: proven zero */
	uint8_t value[32]; /* big-endian word */
};

/* dr_evm_account_verify: the account at address under state_root. */
enum dr_err dr_evm_account_verify(struct dr_evm_account *out, const uint8_t state_root[static 32],
				  const uint8_t address[static 20], const struct dr_bytes *nodes, size_t num,
				  struct dr_fail *fail);

/* dr_evm_slot_verify: storage slot `slot` (its 32-byte number, not hashed) under storage_root. A zero that a node
 * keeps in its trie is as good as none there. */
enum dr_err dr_evm_slot_verify(struct dr_evm_slot *out, const uint8_t storage_root[static 32],
			       const uint8_t slot[static 32], const struct dr_bytes *nodes, size_t num,
			       struct dr_fail *fail);

/* EIP-2935 (Prague on): the history contract keeps the hashes of the last 8191 blocks. */
#define DR_EVM_HISTORY_WINDOW 8191u
extern const uint8_t dr_evm_history_address[20];

/* dr_evm_history_slot: the slot that holds the hash of block `number`, as seen from the state after
 * block `at`. False if number is not within the window (at - 8191 <= number < at). */
bool dr_evm_history_slot(uint8_t slot[static 32], uint64_t at, uint64_t number);

#endif
