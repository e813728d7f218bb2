/* SPDX-License-Identifier: Apache-2.0
 *
 * json_evm: what Ethereum RPC servers answer in JSON → our structs, strictly.
 *
 * Nothing here is believed: a header's claimed hash, a log's block number or an account's balance are what the
 * server said. The caller proves them (dr_evm_header_hash, dr_evm_receipts_root, dr_evm_account_verify) or
 * hands them to somebody who does.
 *
 * Implements: execution-apis (blocks, receipts, logs, eth_getProof), JSON-RPC 2.0 replies. Quantities must be
 * minimal (0x0, 0x1a), data has an even number of digits of either case. Members that are not needed are not
 * looked at. A member whose value is null counts as absent.
 *
 * Memory: outputs borrow `arena` (never the JSON), and live until it is reset.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_JSON_EVM_H
#define DR_WATCHER_JSON_EVM_H

#include <jansson.h>

#include "chain/base/arena.h"
#include "chain/evm/header.h"
#include "chain/evm/receipt.h"

#define DR_JSON_LEN_MAX    ((size_t)160 << 20) /* one JSON text; a frame of receipts in hex, with its keys */
#define DR_JSON_DEPTH_MAX  64u
#define DR_JSON_VALUES_MAX 3000000u            /* values of one text: bounds the memory a parsed text takes */
#define DR_JSON_ARENA_CAP  ((size_t)256 << 20) /* an arena of this cap holds whatever one text can become */

/* dr_json_load: parses text, which must be one JSON value and nothing after it. Size, depth and number of values
 * are checked before anything is parsed; doubled member names are refused. *out is a new reference; NULL on
 * failure. Errors: syntax, limit. */
enum dr_err dr_json_load(json_t **out, struct dr_bytes text, struct dr_fail *fail);

/* dr_json_load_part: of several texts that are kept together: *left values may be in this one; what it has goes off.
 */
enum dr_err dr_json_load_part(json_t **out, size_t *left, struct dr_bytes text, struct dr_fail *fail);

/* What a reply is. */
enum dr_reply_kind {
	DR_REPLY_RESULT = 1, /* result is there and not null */
	DR_REPLY_NULL,       /* "result": null: the server does not have it */
	DR_REPLY_ERROR,      /* the server answered with an error: code, message */
};

struct dr_reply {
	enum dr_reply_kind kind;
	const json_t *result; /* borrows the JSON; NULL unless RESULT */
	int64_t code;
	char message[160]; /* the server's words, cut; not safe to print as they are */
};

/* dr_reply_open: root is a whole reply ({"jsonrpc":"2.0","id":…,"result":… or "error":…}) or a bare result
 * (anything without a "jsonrpc" member). Errors: syntax (neither or both of result and error). */
enum dr_err dr_reply_open(struct dr_reply *out, const json_t *root, struct dr_fail *fail);

/* dr_json_header: a block object (eth_getBlockBy…) as a header; out->hash is the hash it claims. Which members
 * are there decides num_fields; a combination that no known fork has is DR_ERR_UNKNOWN. Lenient in one point:
 * blobGasUsed and excessBlobGas without parentBeaconBlockRoot are ignored (block 0 of development nodes). */
enum dr_err dr_json_header(struct dr_evm_header *out, const json_t *block, struct dr_arena *arena,
			   struct dr_fail *fail);

/* dr_json_tx_hashes: the hashes of a block object's transactions, which are listed as hashes or as objects. */
enum dr_err dr_json_tx_hashes(uint8_t (**out)[32], size_t *num, const json_t *block, struct dr_arena *arena,
			      struct dr_fail *fail);

/* The receipts of a block in consensus form. */
struct dr_json_receipts {
	struct dr_bytes *receipts; /* [0,num): by transaction index */
	size_t num;
	size_t bytes;           /* sum of their lengths */
	uint8_t block_hash[32]; /* the block they all claim to be of; zero if num is 0 */
};

/* dr_json_receipts: an array of receipt objects (eth_getBlockReceipts). Position i must say transactionIndex i,
 * and all the same blockHash. */
enum dr_err dr_json_receipts(struct dr_json_receipts *out, const json_t *array, struct dr_arena *arena,
			     struct dr_fail *fail);

/* dr_json_receipt: one receipt object (eth_getTransactionReceipt), with its claimed place. */
enum dr_err dr_json_receipt(struct dr_bytes *out, uint8_t block_hash[static 32], uint64_t *idx, const json_t *receipt,
			    struct dr_arena *arena, struct dr_fail *fail);

struct dr_json_log {
	struct dr_evm_log log;
	uint64_t block_number;
	uint8_t block_hash[32];
	uint8_t tx_hash[32];
	uint64_t tx_idx;
	uint64_t log_idx; /* in its block */
};

/* dr_json_logs: an array of log objects (eth_getLogs), in the server's order. A log that is marked removed is
 * DR_ERR_STALE; a pending one (no block) DR_ERR_SYNTAX. */
enum dr_err dr_json_logs(struct dr_json_log **out, size_t *num, const json_t *array, struct dr_arena *arena,
			 struct dr_fail *fail);

/* The result of eth_getProof (EIP-1186). */
struct dr_json_nodes {
	struct dr_bytes *nodes;
	size_t num;
};

struct dr_json_slot {
	uint8_t slot[32];
	uint8_t value[32];
	struct dr_json_nodes proof;
};

struct dr_json_proof {
	uint8_t address[20];
	uint64_t nonce;
	uint8_t balance[32];
	uint8_t code_hash[32];
	uint8_t storage_root[32];
	struct dr_json_nodes proof;
	struct dr_json_slot *slots;
	size_t num_slots;
};

/* dr_json_proof: slot keys and values may be written as quantities or as data, padded or not; lists may be null,
 * and empty nodes ("0x") are left out. At most DR_STATE_SLOTS_MAX slots,
 * DR_MPT_DEPTH_MAX nodes per path, DR_MPT_NODE_LEN_MAX bytes per node. */
enum dr_err dr_json_proof(struct dr_json_proof *out, const json_t *result, struct dr_arena *arena,
			  struct dr_fail *fail);

/* dr_json_u64, dr_json_hash: a bare quantity (eth_chainId, eth_blockNumber), a bare 32-byte hash. */
enum dr_err dr_json_u64(uint64_t *out, const json_t *value, struct dr_fail *fail);
enum dr_err dr_json_hash(uint8_t out[static 32], const json_t *value, struct dr_fail *fail);

#endif
