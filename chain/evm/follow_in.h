/* SPDX-License-Identifier: Apache-2.0
 *
 * follow_in: what the follower makes of receipts, state proofs and log lists, once it knows the block
 * they claim to be about. Private to follow.c; each function proves its input against what the caller
 * vouches for, and changes nothing on failure.
 *
 * Layer: chain/evm.
 */
#ifndef DR_EVM_FOLLOW_IN_H
#define DR_EVM_FOLLOW_IN_H

#include "chain/base/arena.h"
#include "chain/evm/bloom.h"
#include "chain/evm/state_proof.h"
#include "chain/evm/tree.h"

/* dr_in_receipts: payload is a RECEIPTS frame's, for node. All receipts rebuild node's receiptsRoot, and
 * their blooms its logsBloom: node gets the events of `contract` and is complete by receipts. memo as for
 * dr_evm_receipts_scan. */
enum dr_err dr_in_receipts(struct dr_node *node, struct dr_bytes payload, const uint8_t contract[static 20],
			   struct dr_evm_bloom_memo *memo, struct dr_arena *arena, struct dr_fail *fail);

/* One proven account with some of its slots. */
struct dr_in_state {
	uint8_t address[20];
	struct dr_evm_account account;
	size_t num_slots;
	uint8_t slots[DR_STATE_SLOTS_MAX][32];
	uint8_t values[DR_STATE_SLOTS_MAX][32];
};

/* dr_in_state_take: payload is a STATE frame's; everything in it is proven under state_root. */
enum dr_err dr_in_state_take(struct dr_in_state *out, struct dr_bytes payload, const uint8_t state_root[static 32],
			     struct dr_arena *arena, struct dr_fail *fail);

/* dr_in_state_slot: the value of slot in s; NULL if it is not among those proven. */
const uint8_t *dr_in_state_slot(const struct dr_in_state *s, const uint8_t slot[static 32]);

/* The contract's own event accumulator: acc' = keccak256(abi.encode(acc, n, block.number,
 * block.timestamp, topic0, keccak256(data))) with n counting from 1. */
struct dr_acc {
	uint64_t count;
	uint8_t acc[32];
};
void dr_acc_roll(struct dr_acc *a, uint64_t number, uint64_t timestamp, const struct dr_event *event);

/* dr_in_logs: payload is a LOGS frame's, for the blocks path[0,num) (ascending; the last is the node whose
 * accumulator is proven). The list rolled onto `from` meets the proven count and hash: every block of
 * the path gets its events and is complete by accumulator (unless it was complete already). */
enum dr_err dr_in_logs(struct dr_node **path, size_t num, struct dr_bytes payload, const uint8_t contract[static 20],
		       const struct dr_acc *from, struct dr_arena *arena, struct dr_fail *fail);

#endif
