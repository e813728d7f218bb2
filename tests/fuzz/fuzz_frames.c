/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_frames: the payloads of RECEIPTS, STATE and LOGS frames, with what they are held against made from them: the
 * roots are those of the bytes, so that mutations get past the first hash. Input: u8 kind · u8 spoil · payload.
 * In a STATE payload 32 bytes of value i < 0xf0 become the hash of the payload's i-th node; 0xfe, 0xfd: the paths of
 * the address and of the slot. What must hold:
 *   · receipts and logs that pass give the block exactly its contract's events, in order; what does not pass leaves
 *     the block as it was;
 *   · an account and a slot that pass are encoded in the last node that proves them; a failure leaves no output;
 *   · with a spoilt root, bloom or accumulator nothing passes.
 */
#include "chain/base/limits.h"
#include "chain/base/reader.h"
#include "chain/base/writer.h"
#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"
#include "chain/evm/follow_in.h"
#include "chain/evm/receipt.h"
#include "tests/fuzz/fuzz.h"

#define RECEIPTS 64u
#define PATH     4u
#define NODES    24u

static const uint8_t contract[20] = { 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
				      0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0 };
static struct dr_evm_bloom_memo memo; /* as the follower has it: from one input to the next */
static struct dr_arena *arena;

/* How many events of the contract the receipts hold, counted by other means: false if one does not decode. */
static bool census(size_t *num, uint8_t bloom[static 256], const struct dr_bytes *receipts, size_t num_receipts)
{
	struct dr_evm_receipt receipt;
	struct dr_evm_log log;

	*num = 0;
	for (size_t i = 0; i < num_receipts; i++) {
		struct dr_fail fail = { 0 };

		if (dr_evm_receipt_decode(&receipt, receipts[i], &fail) != DR_OK)
			return false;
		for (size_t b = 0; b < 256; b++)
			bloom[b] |= receipt.bloom[b];
		for (struct dr_bytes cursor = receipt.logs; dr_evm_log_next(&log, &cursor);)
			*num += memcmp(log.address, contract, 20) == 0;
	}
	return true;
}

static void check_events(const struct dr_node *node)
{
	for (size_t i = 0; i < node->num_events; i++) {
		DR_ASSERT(memcmp(node->events[i].address, contract, 20) == 0 && node->events[i].ordinal == i);
		DR_ASSERT(node->events[i].num_topics > 0 || dr_bytes_zero(node->events[i].topic0, 32));
	}
}

static void receipts(struct dr_bytes payload, uint8_t spoil)
{
	struct dr_node node = { .number = 7 };
	struct dr_bytes list[RECEIPTS];
	struct dr_fail fail = { 0 }, own = { 0 };
	struct dr_reader r;
	size_t events;
	bool sound;

	dr_reader_init(&r, payload, &own);
	dr_reader_view(&r, 32);
	const size_t num = dr_reader_u32(&r);

	for (size_t i = 0; i < num && i < RECEIPTS; i++)
		list[i] = dr_reader_view(&r, dr_reader_u32(&r));
	sound = num <= RECEIPTS && dr_reader_end(&r) == DR_OK &&
		dr_evm_receipts_root(node.receipts_root, list, num, arena, &own) == DR_OK &&
		census(&events, node.bloom, list, num);
	if (spoil % 4 == 1)
		node.receipts_root[spoil / 4 % 32] ^= 1;
	if (spoil % 4 == 2)
		node.bloom[spoil] ^= 1;
	if (dr_in_receipts(&node, payload, contract, &memo, arena, &fail) != DR_OK) {
		DR_ASSERT(fail.what != NULL && node.events == NULL && node.complete == DR_COMPLETE_NONE);
		DR_ASSERT(!sound || spoil % 4 == 1 || spoil % 4 == 2);
	} else {
		DR_ASSERT(num > RECEIPTS || (sound && node.num_events == events && spoil % 4 != 1 && spoil % 4 != 2));
		DR_ASSERT(node.complete == DR_COMPLETE_RECEIPTS);
		check_events(&node);
	}
	dr_heap_free(node.events);
}

static void put_marks(uint8_t *bytes, size_t len, uint8_t mark, const uint8_t value[static 32])
{
	uint8_t run[32];

	memset(run, mark, 32);
	for (size_t at = 0; at + 32 <= len; at++)
		if (bytes[at] == mark && memcmp(bytes + at, run, 32) == 0)
			memcpy(bytes + at, value, 32);
}

static void state(struct dr_bytes payload, uint8_t spoil)
{
	static struct dr_in_state out;
	uint8_t *copy = dr_heap_alloc(payload.len), hash[32], root[32] = { 0 };
	struct dr_bytes nodes[NODES];
	struct dr_fail fail = { 0 }, own = { 0 };
	struct dr_reader r;
	size_t num = 0, of_account = 0;

	DR_ASSERT(copy != NULL);
	if (payload.len > 0)
		memcpy(copy, payload.ptr, payload.len);
	dr_reader_init(&r, dr_bytes_of(copy, payload.len), &own);
	dr_reader_view(&r, 32);
	const struct dr_bytes address = dr_reader_view(&r, 20);
	struct dr_bytes slot = { NULL, 0 };

	of_account = dr_reader_u16(&r);
	for (size_t i = 0; i < of_account && num < NODES && dr_reader_ok(&r); i++)
		nodes[num++] = dr_reader_view(&r, dr_reader_u16(&r));
	for (size_t slots = dr_reader_u16(&r); slots > 0 && num < NODES && dr_reader_ok(&r); slots--) {
		slot = dr_reader_view(&r, 32);
		for (size_t i = dr_reader_u16(&r); i > 0 && num < NODES && dr_reader_ok(&r); i--)
			nodes[num++] = dr_reader_view(&r, dr_reader_u16(&r));
	}
	if (address.len == 20) {
		dr_keccak256(hash, address.ptr, 20);
		put_marks(copy, payload.len, 0xfe, hash);
	}
	if (slot.len == 32) {
		dr_keccak256(hash, slot.ptr, 32);
		put_marks(copy, payload.len, 0xfd, hash);
	}
	for (size_t i = num; i-- > 0;) {
		dr_keccak256(hash, nodes[i].ptr, nodes[i].len);
		put_marks(copy, payload.len, (uint8_t)i, hash);
		if (i == 0)
			memcpy(root, hash, 32);
	}
	if (spoil != 0)
		root[spoil % 32] ^= 1;
	if (dr_in_state_take(&out, dr_bytes_of(copy, payload.len), root, arena, &fail) != DR_OK) {
		DR_ASSERT(fail.what != NULL && fuzz_zero(&out, sizeof(out)));
	} else {
		DR_ASSERT(spoil == 0 && out.num_slots <= DR_STATE_SLOTS_MAX);
		DR_ASSERT(memcmp(out.address, address.ptr, 20) == 0);
		for (size_t i = 0; i < out.num_slots; i++)
			DR_ASSERT(dr_in_state_slot(&out, out.slots[i]) != NULL);
		if (out.account.present) {
			uint8_t account[128];
			struct dr_writer w;

			dr_writer_init(&w, account, sizeof(account), &own);
			dr_rlp_put_u64(&w, out.account.nonce);
			dr_rlp_put(&w, dr_rlp_trim(dr_bytes_of(out.account.balance, 32)));
			dr_rlp_put(&w, dr_bytes_of(out.account.storage_root, 32));
			dr_rlp_put(&w, dr_bytes_of(out.account.code_hash, 32));
			const struct dr_bytes last = nodes[(num < of_account ? num : of_account) - 1];

			if (of_account < NODES)
				DR_ASSERT(last.len >= w.len && memmem(last.ptr, last.len, account, w.len) != NULL);
		}
	}
	dr_heap_free(copy);
}

static void logs(struct dr_bytes payload, uint8_t spoil)
{
	struct dr_node nodes[PATH] = { 0 }, *path[PATH];
	struct dr_acc acc = { .count = 3 };
	const struct dr_acc from = acc;
	struct dr_fail fail = { 0 }, own = { 0 };
	struct dr_reader r;
	size_t num = 0, got = 0;

	for (size_t i = 0; i < PATH; i++) {
		nodes[i].number = 7 + i;
		nodes[i].timestamp = 1000 + 12 * i;
		path[i] = &nodes[i];
	}
	dr_reader_init(&r, payload, &own);
	dr_reader_view(&r, 32 + 20 + 16);
	for (num = dr_reader_u32(&r); dr_reader_ok(&r) && r.left > 0; got++) {
		const uint64_t number = dr_reader_u64(&r);
		struct dr_event event = { .num_topics = 1 };

		dr_reader_copy(&r, event.topic0, 32);
		event.data = dr_reader_view(&r, dr_reader_u32(&r));
		if (dr_reader_ok(&r) && number - 7 < PATH)
			dr_acc_roll(&acc, number, nodes[number - 7].timestamp, &event);
	}
	nodes[PATH - 1].has_acc = true;
	nodes[PATH - 1].acc_count = acc.count + (spoil == 1);
	memcpy(nodes[PATH - 1].acc, acc.acc, 32);
	if (spoil == 2)
		nodes[PATH - 1].acc[0] ^= 1;
	if (spoil == 3)
		nodes[1].complete = DR_COMPLETE_BLOOM; /* it is said to have no events */
	const enum dr_err err = dr_in_logs(path, PATH, payload, contract, &from, arena, &fail);

	DR_ASSERT(err != DR_OK ||
		  (spoil != 1 && spoil != 2 && got == num && (spoil != 3 || nodes[1].num_events == 0)));
	for (size_t i = 0, seen = 0; i < PATH; i++) {
		DR_ASSERT(err == DR_OK || nodes[i].events == NULL);
		DR_ASSERT(err != DR_OK || nodes[i].complete != DR_COMPLETE_NONE);
		check_events(&nodes[i]);
		seen += nodes[i].num_events;
		DR_ASSERT(i + 1 < PATH || err != DR_OK || seen == num);
		dr_heap_free(nodes[i].events);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (arena == NULL)
		arena = dr_arena_new((size_t)32 << 20);
	DR_ASSERT(arena != NULL);
	dr_arena_reset(arena);
	if (size < 2)
		return 0;
	const struct dr_bytes payload = dr_bytes_of(data + 2, size - 2);

	switch (data[0] % 3) {
	case 0: receipts(payload, data[1]); break;
	case 1: state(payload, data[1]); break;
	default: logs(payload, data[1]); break;
	}
	return 0;
}
