/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/evm/follow_in.h"

#include <string.h>

#include "chain/base/reader.h"
#include "chain/crypto/keccak.h"
#include "chain/evm/receipt.h"

static enum dr_err no_memory(struct dr_fail *fail)
{
	return dr_fail_set(fail, DR_ERR_NOMEM, "no memory for a block's evidence", 0);
}

/* The events of contract, in the logs that the scan found. */
static void take_events(struct dr_event *events, const struct dr_evm_scan *scan, const uint8_t contract[static 20])
{
	size_t at = 0;

	for (const struct dr_evm_found *found = scan->found; found != NULL; found = found->next) {
		struct dr_bytes cursor = found->logs;
		struct dr_evm_log log;

		while (dr_evm_log_next(&log, &cursor)) {
			if (memcmp(log.address, contract, 20) != 0)
				continue;
			DR_ASSERT(at < scan->num_events);
			struct dr_event *event = &events[at];

			*event = (struct dr_event){ .ordinal = (uint32_t)at++,
						    .num_topics = log.num_topics,
						    .data = log.data };
			memcpy(event->address, log.address, 20);
			if (log.num_topics > 0)
				memcpy(event->topic0, log.topics[0], 32);
		}
	}
}

enum dr_err dr_in_receipts(struct dr_node *node, struct dr_bytes payload, const uint8_t contract[static 20],
			   struct dr_evm_bloom_memo *memo, struct dr_arena *arena, struct dr_fail *fail)
{
	struct dr_evm_scan scan;
	struct dr_reader r;
	uint8_t root[32];

	dr_reader_init(&r, payload, fail);
	dr_reader_view(&r, 32);
	const uint32_t num = dr_reader_u32(&r);

	if (dr_reader_ok(&r) && num > DR_EVM_RECEIPTS_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "receipts of one block", num);
	if (dr_reader_ok(&r) && num > r.left / 4)
		return dr_fail_set(fail, DR_ERR_SHORT, "more receipts announced than bytes follow", num);
	if (!dr_reader_ok(&r))
		return fail->err;
	struct dr_bytes *receipts = dr_arena_alloc(arena, num * sizeof(*receipts));

	if (receipts == NULL)
		return no_memory(fail);
	for (uint32_t i = 0; i < num; i++)
		receipts[i] = dr_reader_view(&r, dr_reader_u32(&r));
	if (dr_reader_end(&r) != DR_OK)
		return fail->err;
	if (dr_evm_receipts_root(root, receipts, num, arena, fail) != DR_OK)
		return fail->err;
	if (memcmp(root, node->receipts_root, 32) != 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "receipts do not rebuild the block's receiptsRoot", num);
	if (dr_evm_receipts_scan(&scan, receipts, num, contract, memo, arena, fail) != DR_OK)
		return fail->err;
	if (memcmp(scan.bloom, node->bloom, 256) != 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "blooms of the receipts do not make the header's logsBloom",
				   num);
	struct dr_event *events = dr_arena_alloc(arena, (scan.num_events + 1) * sizeof(*events));

	if (events == NULL)
		return no_memory(fail);
	take_events(events, &scan, contract);
	if (!dr_node_events(node, events, scan.num_events))
		return no_memory(fail);
	node->complete = DR_COMPLETE_RECEIPTS;
	return DR_OK;
}

/* u16 num · num × (u16 len · node) */
static struct dr_bytes *read_nodes(struct dr_reader *r, size_t *num, struct dr_arena *arena)
{
	*num = dr_reader_u16(r);
	if (!dr_reader_ok(r))
		return NULL;
	if (*num > DR_MPT_DEPTH_MAX) {
		dr_reader_fail(r, DR_ERR_LIMIT, "nodes of one proof");
		return NULL;
	}
	struct dr_bytes *nodes = dr_arena_alloc(arena, *num * sizeof(*nodes));

	if (nodes == NULL) {
		dr_reader_fail(r, DR_ERR_NOMEM, "no memory for a proof");
		return NULL;
	}
	for (size_t i = 0; i < *num; i++)
		nodes[i] = dr_reader_view(r, dr_reader_u16(r));
	return nodes;
}

enum dr_err dr_in_state_take(struct dr_in_state *out, struct dr_bytes payload, const uint8_t state_root[static 32],
			     struct dr_arena *arena, struct dr_fail *fail)
{
	struct dr_reader r;
	size_t num;

	memset(out, 0, sizeof(*out));
	dr_reader_init(&r, payload, fail);
	dr_reader_view(&r, 32);
	dr_reader_copy(&r, out->address, 20);
	struct dr_bytes *nodes = read_nodes(&r, &num, arena);

	if (!dr_reader_ok(&r) ||
	    dr_evm_account_verify(&out->account, state_root, out->address, nodes, num, fail) != DR_OK)
		goto failed;
	out->num_slots = dr_reader_u16(&r);
	if (out->num_slots > DR_STATE_SLOTS_MAX)
		dr_reader_fail(&r, DR_ERR_LIMIT, "slots of one state proof");
	for (size_t i = 0; dr_reader_ok(&r) && i < out->num_slots; i++) {
		struct dr_evm_slot slot;

		dr_reader_copy(&r, out->slots[i], 32);
		nodes = read_nodes(&r, &num, arena);
		if (!dr_reader_ok(&r) ||
		    dr_evm_slot_verify(&slot, out->account.storage_root, out->slots[i], nodes, num, fail) != DR_OK)
			goto failed;
		memcpy(out->values[i], slot.value, 32);
	}
	if (dr_reader_end(&r) == DR_OK)
		return DR_OK;
failed:
	memset(out, 0, sizeof(*out));
	return fail->err;
}

const uint8_t *dr_in_state_slot(const struct dr_in_state *s, const uint8_t slot[static 32])
{
	for (size_t i = 0; i < s->num_slots; i++)
		if (memcmp(s->slots[i], slot, 32) == 0)
			return s->values[i];
	return NULL;
}

void dr_acc_roll(struct dr_acc *a, uint64_t number, uint64_t timestamp, const struct dr_event *event)
{
	uint8_t words[6][32];

	a->count++;
	memcpy(words[0], a->acc, 32);
	dr_word_put(words[1], a->count);
	dr_word_put(words[2], number);
	dr_word_put(words[3], timestamp);
	memcpy(words[4], event->topic0, 32);
	dr_keccak256(words[5], event->data.ptr, event->data.len);
	dr_keccak256(a->acc, words, sizeof(words));
}

static bool same_events(const struct dr_node *node, const struct dr_event *events, size_t num)
{
	if (node->num_events != num)
		return false;
	for (size_t i = 0; i < num; i++)
		if (node->events[i].num_topics != events[i].num_topics ||
		    !dr_bytes_eq(node->events[i].data, events[i].data) ||
		    memcmp(node->events[i].topic0, events[i].topic0, 32) != 0)
			return false;
	return true;
}

enum dr_err dr_in_logs(struct dr_node **path, size_t num, struct dr_bytes payload, const uint8_t contract[static 20],
		       const struct dr_acc *from, struct dr_arena *arena, struct dr_fail *fail)
{
	struct dr_acc acc = *from;
	struct dr_reader r;
	size_t at = 0;

	DR_ASSERT(num > 0 && path[num - 1]->has_acc);
	dr_reader_init(&r, payload, fail);
	dr_reader_view(&r, 32);
	const struct dr_bytes address = dr_reader_view(&r, 20);
	const uint64_t first = dr_reader_u64(&r), last = dr_reader_u64(&r);
	const uint32_t count = dr_reader_u32(&r);

	if (!dr_reader_ok(&r))
		return fail->err;
	if (memcmp(address.ptr, contract, 20) != 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "a log list of another contract", 32);
	if (first != path[0]->number || last != path[num - 1]->number)
		return dr_fail_set(fail, DR_ERR_STALE, "a log list of another range than the one that is missing",
				   52);
	if (count > r.left / 44)
		return dr_fail_set(fail, DR_ERR_SHORT, "more logs announced than bytes follow", count);
	/* One slot an event, and where each block's events begin. */
	struct dr_event *events = dr_arena_alloc(arena, ((size_t)count + 1) * sizeof(*events));
	size_t *begin = dr_arena_alloc(arena, (num + 1) * sizeof(*begin));

	if (events == NULL || begin == NULL)
		return no_memory(fail);
	for (uint32_t i = 0; i < count; i++) {
		const uint64_t number = dr_reader_u64(&r);
		struct dr_event *event = &events[i];

		event->num_topics = 1;
		memcpy(event->address, contract, 20);
		dr_reader_copy(&r, event->topic0, 32);
		event->data = dr_reader_view(&r, dr_reader_u32(&r));
		if (!dr_reader_ok(&r))
			return fail->err;
		if (number < path[at]->number || number > last)
			return dr_fail_set(fail, DR_ERR_PROOF, "logs of a list must ascend within its range", i);
		while (path[at]->number < number)
			begin[++at] = i;
		event->ordinal = (uint32_t)(i - begin[at]);
		if (event->ordinal >= DR_BLOCK_EVENTS_MAX)
			return dr_fail_set(fail, DR_ERR_LIMIT, "governance events of one block", i);
		dr_acc_roll(&acc, number, path[at]->timestamp, event);
	}
	while (at < num)
		begin[++at] = count;
	if (dr_reader_end(&r) != DR_OK)
		return fail->err;
	const struct dr_node *tip = path[num - 1];

	if (acc.count != tip->acc_count || memcmp(acc.acc, tip->acc, 32) != 0)
		return dr_fail_set(fail, DR_ERR_PROOF,
				   "the log list does not roll up to the contract's proven count and hash",
				   acc.count);
	for (size_t i = 0; i < num; i++)
		if (path[i]->complete != DR_COMPLETE_NONE &&
		    !same_events(path[i], events + begin[i], begin[i + 1] - begin[i]))
			return dr_fail_set(fail, DR_ERR_PROOF,
					   "the contract's accumulator and the block's bloom or receipts disagree",
					   i);
	for (size_t i = 0; i < num; i++) {
		if (path[i]->complete != DR_COMPLETE_NONE)
			continue;
		if (!dr_node_events(path[i], events + begin[i], begin[i + 1] - begin[i]))
			return no_memory(fail);
		path[i]->complete = DR_COMPLETE_ACCUMULATOR;
	}
	return DR_OK;
}
