/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/answer.h"

#include <stdlib.h>
#include <string.h>

#include "chain/evm/state_proof.h"

static void put_int(struct dr_buf *out, uint64_t value, size_t len, struct dr_fail *fail)
{
	uint8_t be[8];

	dr_be64_put(be, value);
	dr_buf_append(out, be + 8 - len, len, fail);
}

/* What was appended since `start` goes away if anything but a false proof came up. */
static enum dr_err settle(struct dr_buf *out, size_t start, const struct dr_fail *fail)
{
	if (fail->err != DR_OK && fail->err != DR_ERR_PROOF)
		out->len = start;
	return fail->err;
}

enum dr_err dr_answer_header(struct dr_buf *out, struct dr_evm_header *h, const json_t *block, const uint8_t *hash,
			     struct dr_arena *arena, struct dr_fail *fail)
{
	uint8_t rlp[DR_EVM_HEADER_LEN_MAX], claimed[32];
	size_t len;

	memset(h, 0, sizeof(*h));
	if (dr_json_header(h, block, arena, fail) != DR_OK ||
	    dr_evm_header_encode(rlp, sizeof(rlp), &len, h, fail) != DR_OK)
		return fail->err;
	memcpy(claimed, hash != NULL ? hash : h->hash, 32);
	if (dr_evm_header_hash(h->hash, h, fail) != DR_OK || dr_buf_append(out, rlp, len, fail) != DR_OK)
		return fail->err;
	if (memcmp(h->hash, claimed, 32) != 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "a header that does not have the hash asked for", 0);
	return DR_OK;
}

enum dr_err dr_answer_receipts(struct dr_buf *out, const uint8_t hash[static 32], const uint8_t root[static 32],
			       const struct dr_bytes *receipts, size_t num, struct dr_arena *arena,
			       struct dr_fail *fail)
{
	const size_t start = out->len;
	uint8_t got[32];

	dr_buf_append(out, hash, 32, fail);
	put_int(out, num, 4, fail);
	for (size_t i = 0; i < num && fail->err == DR_OK; i++) {
		put_int(out, receipts[i].len, 4, fail);
		dr_buf_append(out, receipts[i].ptr, receipts[i].len, fail);
	}
	if (fail->err == DR_OK && dr_evm_receipts_root(got, receipts, num, arena, fail) == DR_OK &&
	    memcmp(got, root, 32) != 0)
		dr_fail_set(fail, DR_ERR_PROOF, "receipts that do not rebuild the block's receiptsRoot", num);
	return settle(out, start, fail);
}

static void put_nodes(struct dr_buf *out, const struct dr_json_nodes *nodes, struct dr_fail *fail)
{
	put_int(out, nodes->num, 2, fail);
	for (size_t i = 0; i < nodes->num && fail->err == DR_OK; i++) {
		put_int(out, nodes->nodes[i].len, 2, fail);
		dr_buf_append(out, nodes->nodes[i].ptr, nodes->nodes[i].len, fail);
	}
}

static const struct dr_json_slot *slot_of(const struct dr_json_proof *p, const uint8_t slot[static 32])
{
	for (size_t i = 0; i < p->num_slots; i++)
		if (memcmp(p->slots[i].slot, slot, 32) == 0)
			return &p->slots[i];
	return NULL;
}

enum dr_err dr_answer_state(struct dr_buf *out, const struct dr_want *want, const uint8_t state_root[static 32],
			    const json_t *proof, struct dr_arena *arena, struct dr_fail *fail)
{
	const size_t start = out->len;
	struct dr_fail wrong = { 0 };
	struct dr_evm_account account;
	struct dr_json_proof p;

	if (dr_json_proof(&p, proof, arena, fail) != DR_OK)
		return fail->err;
	dr_buf_append(out, want->hash, 32, fail);
	dr_buf_append(out, want->address, 20, fail);
	put_nodes(out, &p.proof, fail);
	put_int(out, want->num_slots, 2, fail);
	dr_evm_account_verify(&account, state_root, want->address, p.proof.nodes, p.proof.num, &wrong);
	for (size_t i = 0; i < want->num_slots && fail->err == DR_OK; i++) {
		const struct dr_json_slot *slot = slot_of(&p, want->slots[i]);
		struct dr_evm_slot value;

		if (slot == NULL) {
			dr_fail_set(fail, DR_ERR_SYNTAX, "a state proof without a slot that was asked for", i);
			break;
		}
		dr_buf_append(out, slot->slot, 32, fail);
		put_nodes(out, &slot->proof, fail);
		if (wrong.err == DR_OK)
			dr_evm_slot_verify(&value, account.storage_root, slot->slot, slot->proof.nodes,
					   slot->proof.num, &wrong);
	}
	if (fail->err == DR_OK && wrong.err != DR_OK)
		dr_fail_set(fail, DR_ERR_PROOF, "a state proof that does not hold under the block's stateRoot", 0);
	return settle(out, start, fail);
}

static int in_order(const void *a, const void *b)
{
	const struct dr_json_log *x = a, *y = b;

	if (x->block_number != y->block_number)
		return x->block_number < y->block_number ? -1 : 1;
	return x->log_idx < y->log_idx ? -1 : x->log_idx > y->log_idx;
}

enum dr_err dr_answer_logs(struct dr_buf *out, const struct dr_want *want, struct dr_json_log *logs, size_t num,
			   struct dr_fail *fail)
{
	const size_t start = out->len;

	if (num > 0)
		qsort(logs, num, sizeof(*logs), in_order);
	dr_buf_append(out, want->hash, 32, fail);
	dr_buf_append(out, want->address, 20, fail);
	put_int(out, want->first, 8, fail);
	put_int(out, want->last, 8, fail);
	put_int(out, num, 4, fail);
	for (size_t i = 0; i < num && fail->err == DR_OK; i++) {
		const struct dr_json_log *l = &logs[i];

		if (l->block_number < want->first || l->block_number > want->last ||
		    memcmp(l->log.address, want->address, 20) != 0)
			dr_fail_set(fail, DR_ERR_SYNTAX, "a log that was not asked for", i);
		else if (i > 0 && in_order(&logs[i - 1], l) == 0)
			dr_fail_set(fail, DR_ERR_SYNTAX, "one log twice", i);
		/* The frame has room for one topic: the watched contract's events have just that. */
		else if (l->log.num_topics != 1)
			dr_fail_set(fail, DR_ERR_SYNTAX, "a log that does not have one topic", i);
		put_int(out, l->block_number, 8, fail);
		dr_buf_append(out, l->log.topics[0], 32, fail);
		put_int(out, l->log.data.len, 4, fail);
		dr_buf_append(out, l->log.data.ptr, l->log.data.len, fail);
	}
	return settle(out, start, fail);
}
