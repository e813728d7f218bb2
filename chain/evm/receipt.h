/* SPDX-License-Identifier: Apache-2.0
 *
 * receipt: transaction receipts in consensus form, and the root and bloom that a header commits to.
 *
 * Implements: yellow paper 4.3.1, EIP-658 (status), EIP-2718 (typed), types 1 (EIP-2930), 2 (EIP-1559),
 * 3 (EIP-4844), 4 (EIP-7702) and 0x7e (OP-stack deposit, with optional depositNonce and
 * depositReceiptVersion). Any other type is DR_ERR_UNKNOWN: the block is then not complete.
 *
 * Rebuilding the trie from n receipts and meeting the header's receiptsRoot proves: exactly these n
 * receipts, in this order. That is way (b) of completeness.
 *
 * Layer: chain/evm.
 */
#ifndef DR_EVM_RECEIPT_H
#define DR_EVM_RECEIPT_H

#include "chain/base/arena.h"
#include "chain/base/bytes.h"
#include "chain/base/err.h"
#include "chain/base/limits.h"
#include "chain/base/reader.h"

struct dr_evm_log {
	uint8_t address[20];
	uint8_t num_topics; /* 0 to 4 */
	uint8_t topics[DR_EVM_TOPICS_MAX][32];
	struct dr_bytes data; /* borrows the receipt's bytes */
};

struct dr_evm_receipt {
	uint8_t type;        /* 0 legacy, 1, 2, 3, 4, 0x7e */
	bool has_post_state; /* before Byzantium: post_state instead of status */
	uint8_t status;      /* 0 or 1 */
	uint8_t post_state[32];
	uint64_t cumulative_gas;
	uint8_t bloom[256];
	struct dr_bytes logs; /* the RLP payload of the log list; walk with dr_evm_log_next */
	size_t num_logs;
	bool has_deposit_nonce, has_deposit_version; /* 0x7e only */
	uint64_t deposit_nonce, deposit_version;
};

/* dr_evm_receipt_decode: fills *out from the consensus bytes (type byte and RLP, or RLP alone for type
 * 0), checks every log's form and that the bloom is exactly that of the logs. out->logs borrows bytes. */
enum dr_err dr_evm_receipt_decode(struct dr_evm_receipt *out, struct dr_bytes bytes, struct dr_fail *fail);

/* dr_evm_receipts_scan: receipts[0,num) of one block, in order, each as dr_evm_receipt_decode would: all are looked
 * at, and found in *out is the OR of their blooms and what contract logged. Memory from arena: a row for each receipt
 * in which it did. memo, which may be NULL, remembers what blooms are made of. All zero after a failure, which is the
 * first in the order of the receipts. Errors: those of decoding, limit (events of the contract), nomem. */
struct dr_evm_bloom_memo;
struct dr_evm_found {
	const struct dr_evm_found *next;
	struct dr_bytes logs; /* of a receipt in which the contract logged: walk with dr_evm_log_next */
};
struct dr_evm_scan {
	uint8_t bloom[256];
	const struct dr_evm_found *found;
	size_t num_events; /* of the contract, in all of them */
};
enum dr_err dr_evm_receipts_scan(struct dr_evm_scan *out, const struct dr_bytes *receipts, size_t num,
				 const uint8_t contract[static 20], struct dr_evm_bloom_memo *memo,
				 struct dr_arena *arena, struct dr_fail *fail);

/* A walk over the logs of a decoded receipt: start with cursor = receipt.logs. dr_evm_log_next fills
 * *out and shortens *cursor; false at the end. The receipt must have decoded well. */
bool dr_evm_log_next(struct dr_evm_log *out, struct dr_bytes *cursor);

/* Encoding, for builders of evidence. dr_evm_receipt_encode writes r with logs[0,num_logs) (r->logs and
 * r->bloom are ignored: the bloom is computed) in consensus form at the end of *out. */
enum dr_err dr_evm_receipt_encode(struct dr_buf *out, const struct dr_evm_receipt *r, const struct dr_evm_log *logs,
				  size_t num_logs, struct dr_fail *fail);

/* dr_evm_receipts_root: the root of the trie rlp(index) → receipts[index]. Scratch memory from arena: below
 * 100 bytes per receipt, and 80 KiB. The receipts are not decoded here.
 * Errors: limit, nomem. */
enum dr_err dr_evm_receipts_root(uint8_t root[static 32], const struct dr_bytes *receipts, size_t num,
				 struct dr_arena *arena, struct dr_fail *fail);

#endif
