/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: one JSON text, handed to every reader of json_evm. What is read well is of the form that its
 * consumers rely on: receipts decode again, a header encodes.
 */
#include <stdint.h>

#include "watcher/json_evm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const json_t *json, struct dr_arena *arena)
{
	struct dr_fail fail[5] = { 0 }, own = { 0 };
	uint8_t rlp[DR_EVM_HEADER_LEN_MAX], (*txs)[32];
	struct dr_json_receipts receipts;
	struct dr_json_proof proof;
	struct dr_json_log *logs;
	struct dr_evm_receipt receipt;
	struct dr_evm_header header;
	size_t len;

	if (dr_json_header(&header, json, arena, &fail[0]) == DR_OK)
		DR_ASSERT(dr_evm_header_encode(rlp, sizeof(rlp), &len, &header, &own) == DR_OK);
	if (dr_json_receipts(&receipts, json, arena, &fail[1]) == DR_OK)
		for (size_t i = 0; i < receipts.num; i++)
			DR_ASSERT(dr_evm_receipt_decode(&receipt, receipts.receipts[i], &own) == DR_OK);
	if (dr_json_proof(&proof, json, arena, &fail[2]) != DR_OK)
		DR_ASSERT(dr_bytes_zero(&proof, sizeof(proof)));
	dr_json_logs(&logs, &len, json, arena, &fail[3]);
	dr_json_tx_hashes(&txs, &len, json, arena, &fail[4]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dr_arena *arena;
	struct dr_fail fail = { 0 };
	struct dr_reply reply;
	json_t *root;

	if (arena == NULL)
		arena = dr_arena_new((size_t)16 << 20);
	DR_ASSERT(arena != NULL);
	dr_arena_reset(arena);
	if (dr_json_load(&root, dr_bytes_of(data, size), &fail) == DR_OK) {
		if (dr_reply_open(&reply, root, &fail) == DR_OK && reply.kind == DR_REPLY_RESULT)
			read_all(reply.result, arena);
		json_decref(root);
	}
	return 0;
}
