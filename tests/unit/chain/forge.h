/* SPDX-License-Identifier: Apache-2.0
 *
 * forge: EVM chains made in memory: headers with true parent links, receipts and their roots and blooms, and a
 * state trie with one contract that keeps an event count, a rolling hash and any other slots; forks of them; and
 * the frames that an honest (or dishonest) source would answer with. Memory lives until the process ends.
 */
#ifndef DR_TESTS_FORGE_H
#define DR_TESTS_FORGE_H

#include <stdlib.h>
#include <string.h>

#include "chain/base/arena.h"
#include "chain/evidence.h"
#include "chain/evm/header.h"
#include "chain/evm/quorum.h"
#include "chain/evm/receipt.h"
#include "chain/evm/state_proof.h"
#include "chain/want.h"
#include "tests/unit/chain/prover.h"

#define FORGE_BLOCKS   40000u
#define FORGE_EVENTS   96u
#define FORGE_SLOTS    96u
#define FORGE_RECEIPTS 12u
#define FORGE_HASHES   48u /* that the history contract keeps (EIP-2935 has 8191) */

struct forge_event {
	uint8_t topic0[32];
	struct dr_bytes data;
};

struct forge_state {
	size_t num_slots;
	uint8_t slots[FORGE_SLOTS][32], values[FORGE_SLOTS][32];
	uint8_t code_hash[32];
	bool rooted;
	uint8_t storage_root[32], state_root[32];
	uint8_t history_root[32]; /* zero: there is no history contract */
};

struct forge_block {
	struct forge_block *parent;
	struct dr_evm_header header;
	struct dr_bytes rlp;
	struct dr_bytes receipts[FORGE_RECEIPTS];
	size_t num_receipts;
	struct forge_event events[FORGE_EVENTS];
	size_t num_events;
	uint64_t count; /* of the contract's events up to here, and their rolling hash */
	uint8_t acc[32];
	struct forge_state *state;
};

struct forge {
	uint8_t contract[20], other[20];
	uint8_t code_hash[32];
	bool noise;   /* receipts of others, in and around the contract's */
	bool history; /* the history contract keeps the newest hashes */
	struct forge_block **blocks;
	size_t num_blocks;
	struct forge_block *tip; /* of the chain that sources answer by number */
	uint64_t final_number;   /* of that chain */
	bool heads;              /* sources name tip as head */
	uint16_t num_sources;
	uint64_t salt;
};

static inline struct forge *forge_new(uint16_t num_sources)
{
	struct forge *f = (struct forge *)kit_alloc(sizeof(*f));

	memset(f->contract, 0xc0, 20);
	memset(f->other, 0x0a, 20);
	memset(f->code_hash, 0xc0, 32);
	f->noise = true;
	f->num_sources = num_sources;
	f->blocks = (struct forge_block **)kit_alloc(FORGE_BLOCKS * sizeof(struct forge_block *));
	return f;
}

static inline void forge_slot_put(struct forge_state *s, const uint8_t slot[static 32],
				  const uint8_t value[static 32])
{
	size_t i = 0;

	while (i < s->num_slots && memcmp(s->slots[i], slot, 32) != 0)
		i++;
	assert_true(i < FORGE_SLOTS);
	memcpy(s->slots[i], slot, 32);
	memcpy(s->values[i], value, 32);
	s->num_slots += i == s->num_slots;
	s->rooted = false;
}

static inline void forge_word_put(struct forge_state *s, uint64_t slot, const uint8_t value[static 32])
{
	uint8_t word[32];

	dr_word_put(word, slot);
	forge_slot_put(s, word, value);
}

static inline size_t forge_storage(struct dr_mpt_pair *pairs, const struct forge_state *s)
{
	size_t num = 0;
	uint8_t hash[32];

	for (size_t i = 0; i < s->num_slots; i++) {
		if (dr_bytes_zero(s->values[i], 32))
			continue;
		dr_keccak256(hash, s->slots[i], 32);
		pairs[num++] = (struct dr_mpt_pair){ copy_of(hash, 32),
						     rlp_string(dr_rlp_trim(dr_bytes_of(s->values[i], 32))) };
	}
	return num;
}

/* The history contract's storage after a block: the hashes of its ancestors. */
static inline size_t forge_hashes(struct dr_mpt_pair *pairs, const struct forge_block *b)
{
	size_t num = 0;

	for (const struct forge_block *x = b->parent; x != NULL && num < FORGE_HASHES; x = x->parent) {
		uint8_t slot[32], hash[32];

		dr_evm_history_slot(slot, b->header.number, x->header.number);
		dr_keccak256(hash, slot, 32);
		pairs[num++] = (struct dr_mpt_pair){ copy_of(hash, 32),
						     rlp_string(dr_rlp_trim(dr_bytes_of(x->header.hash, 32))) };
	}
	return num;
}

/* The contract among two other accounts, or three. */
static inline size_t forge_accounts(struct dr_mpt_pair *pairs, const struct forge *f, const struct forge_state *s)
{
	const uint8_t *addresses[] = { f->contract, f->other, dr_mpt_empty_root, dr_evm_history_address };
	const uint8_t *roots[] = { s->storage_root, dr_mpt_empty_root, dr_mpt_empty_root, s->history_root };
	const size_t num = dr_bytes_zero(s->history_root, 32) ? 3 : 4;
	uint8_t hash[32], empty[32];

	dr_keccak256(empty, "", 0);
	for (size_t i = 0; i < num; i++) {
		const struct dr_bytes items[4] = {
			rlp_string(dr_bytes_of("\x01", 1)),
			rlp_string(dr_bytes_of("\x05\0\0", i)),
			rlp_string(dr_bytes_of(roots[i], 32)),
			rlp_string(dr_bytes_of(i == 0 ? s->code_hash : empty, 32)),
		};

		dr_keccak256(hash, addresses[i], 20);
		pairs[i] = (struct dr_mpt_pair){ copy_of(hash, 32), rlp_list(items, 4) };
	}
	return num;
}

static inline void forge_root(const struct forge *f, struct forge_state *s)
{
	struct dr_mpt_pair pairs[FORGE_SLOTS];
	struct prover p;
	const size_t num = s->rooted ? 0 : forge_storage(pairs, s);

	if (s->rooted)
		return;
	memcpy(s->storage_root, dr_mpt_empty_root, 32);
	if (num > 0)
		prove(&p, s->storage_root, pairs[0].key, pairs, num);
	const size_t accounts = forge_accounts(pairs, f, s);

	prove(&p, s->state_root, pairs[0].key, pairs, accounts);
	s->rooted = true;
}

static inline void forge_history(struct forge_block *b)
{
	struct dr_mpt_pair pairs[FORGE_HASHES];
	const size_t num = forge_hashes(pairs, b);
	struct prover p;

	if (num > 0)
		prove(&p, b->state->history_root, pairs[0].key, pairs, num);
	b->state->rooted = false;
}

/* forge_state_of: the block-to-be's own copy of its parent's state, for a test to change. */
static inline struct forge_state *forge_state_of(const struct forge *f, const struct forge_block *parent)
{
	struct forge_state *s = (struct forge_state *)kit_alloc(sizeof(*s));

	if (parent != NULL)
		*s = *parent->state;
	else
		memcpy(s->code_hash, f->code_hash, 32);
	return s;
}

static inline void forge_roll(uint64_t *count, uint8_t acc[static 32], uint64_t number, uint64_t time,
			      const struct forge_event *event)
{
	uint8_t bytes[192];

	++*count;
	memcpy(bytes, acc, 32);
	dr_word_put(bytes + 32, *count);
	dr_word_put(bytes + 64, number);
	dr_word_put(bytes + 96, time);
	memcpy(bytes + 128, event->topic0, 32);
	dr_keccak256(bytes + 160, event->data.ptr, event->data.len);
	dr_keccak256(acc, bytes, sizeof(bytes));
}

/* A log of the contract's (event), or noise: the same topic elsewhere, or an anonymous log elsewhere. */
static inline struct dr_evm_log forge_log(const struct forge *f, const struct forge_event *event, int noise)
{
	struct dr_evm_log log = { .num_topics = noise == 2 ? 0 : noise == 3 ? 4 : 1 };

	memcpy(log.address, noise == 0 ? f->contract : f->other, 20);
	if (event != NULL)
		memcpy(log.topics[0], event->topic0, 32);
	log.data = event != NULL ? event->data : dr_bytes_of(f->contract, 20);
	return log;
}

static inline void forge_receipt(struct forge_block *b, const struct dr_evm_log *logs, size_t num)
{
	struct dr_evm_receipt receipt = { .type = 2, .status = 1 };
	struct dr_fail fail = { 0 };
	struct dr_buf buf;

	assert_true(b->num_receipts < FORGE_RECEIPTS);
	receipt.cumulative_gas = 21000 * (b->num_receipts + 1);
	dr_buf_init(&buf, 1 << 20);
	assert_int_equal(dr_evm_receipt_encode(&buf, &receipt, logs, num, &fail), DR_OK);
	b->receipts[b->num_receipts++] = copy_of(buf.ptr, buf.len);
	if (num > 0) {
		struct dr_evm_receipt back;

		assert_int_equal(dr_evm_receipt_decode(&back, dr_buf_view(&buf), &fail), DR_OK);
		for (size_t j = 0; j < 256; j++)
			b->header.bloom[j] |= back.bloom[j];
	}
	dr_buf_free(&buf);
}

static inline void forge_receipts(const struct forge *f, struct forge_block *b)
{
	struct dr_evm_log logs[FORGE_EVENTS + 4];
	size_t done = 0;

	if (f->noise && rand() % 2 == 0) {
		logs[0] = forge_log(f, NULL, 2);
		logs[1] = forge_log(f, b->num_events > 0 ? &b->events[0] : NULL, 1);
		forge_receipt(b, logs, (size_t)rand() % 3);
	}
	while (done < b->num_events) {
		size_t num = 0, some = 1 + (size_t)rand() % (b->num_events - done);

		if (b->num_receipts >= FORGE_RECEIPTS - 2)
			some = b->num_events - done;
		if (f->noise)
			logs[num++] = forge_log(f, &b->events[done], 1 + rand() % 3);
		while (some-- > 0)
			logs[num++] = forge_log(f, &b->events[done++], 0);
		if (f->noise)
			logs[num++] = forge_log(f, &b->events[0], 1 + rand() % 3);
		forge_receipt(b, logs, num);
	}
}

/* forge_seal: roots, bloom, hash: after this the block is what its header says. */
static inline void forge_seal(struct forge *f, struct forge_block *b)
{
	struct dr_arena *arena = dr_arena_new(1 << 20);
	struct dr_fail fail = { 0 };
	uint8_t rlp[2048];
	size_t len;

	assert_int_equal(dr_evm_receipts_root(b->header.receipts_root, b->receipts, b->num_receipts, arena, &fail),
			 DR_OK);
	dr_arena_free(arena);
	if (f->history)
		forge_history(b);
	forge_root(f, b->state);
	memcpy(b->header.state_root, b->state->state_root, 32);
	assert_int_equal(dr_evm_header_encode(rlp, sizeof(rlp), &len, &b->header, &fail), DR_OK);
	b->rlp = copy_of(rlp, len);
	dr_keccak256(b->header.hash, rlp, len);
}

/* forge_block: a block on parent (NULL: the first, number 100), dt seconds later, with these events of the
 * contract. state: from forge_state_of, or NULL: as the parent's. The caller moves f->tip. */
static inline struct forge_block *forge_block(struct forge *f, struct forge_block *parent, uint64_t dt,
					      const struct forge_event *events, size_t num, struct forge_state *state)
{
	struct forge_block *b = (struct forge_block *)kit_alloc(sizeof(*b));

	assert_true(num <= FORGE_EVENTS && f->num_blocks < FORGE_BLOCKS);
	b->parent = parent;
	b->header.num_fields = 17;
	b->header.number = parent != NULL ? parent->header.number + 1 : 100;
	b->header.timestamp = parent != NULL ? parent->header.timestamp + dt : 1000000;
	b->header.gas_limit = 30000000;
	if (parent != NULL)
		memcpy(b->header.parent_hash, parent->header.hash, 32);
	else
		memset(b->header.parent_hash, 0x99, 32);
	dr_be64_put(b->header.mix_hash, ++f->salt);
	if (parent != NULL) {
		b->count = parent->count;
		memcpy(b->acc, parent->acc, 32);
	}
	for (size_t i = 0; i < num; i++) {
		b->events[i] = events[i];
		b->events[i].data = copy_of(events[i].data.ptr, events[i].data.len);
		forge_roll(&b->count, b->acc, b->header.number, b->header.timestamp, &events[i]);
	}
	b->num_events = num;
	b->state = state != NULL                             ? state
		   : num > 0 || parent == NULL || f->history ? forge_state_of(f, parent)
							     : parent->state;
	if (num > 0) {
		uint8_t word[32];

		dr_word_put(word, b->count);
		forge_word_put(b->state, 0, word);
		forge_word_put(b->state, 1, b->acc);
	}
	forge_receipts(f, b);
	forge_seal(f, b);
	f->blocks[f->num_blocks++] = b;
	return b;
}

/* forge_random: a block with 0 to 4 events of random data, mostly none. */
static inline struct forge_block *forge_random(struct forge *f, struct forge_block *parent)
{
	struct forge_event events[4];
	uint8_t data[4][96];
	const size_t num = rand() % 3 == 0 ? (size_t)rand() % 5 : 0;

	for (size_t i = 0; i < num; i++) {
		memset(events[i].topic0, 1 + rand() % 3, 32);
		for (size_t j = 0; j < sizeof(data[i]); j++)
			data[i][j] = (uint8_t)rand();
		events[i].data = dr_bytes_of(data[i], (size_t)rand() % (sizeof(data[i]) + 1));
	}
	return forge_block(f, parent, 1 + (uint64_t)rand() % 12, events, num, NULL);
}

/* forge_grow: num random blocks on top of from; the last one. */
static inline struct forge_block *forge_grow(struct forge *f, struct forge_block *from, size_t num)
{
	while (num-- > 0)
		from = forge_random(f, from);
	return from;
}

static inline struct forge_block *forge_up(struct forge_block *b, uint64_t number)
{
	while (b != NULL && b->header.number > number)
		b = b->parent;
	return b != NULL && b->header.number == number ? b : NULL;
}

static inline struct forge_block *forge_find(const struct forge *f, const uint8_t hash[static 32])
{
	for (size_t i = f->num_blocks; i > 0; i--)
		if (memcmp(f->blocks[i - 1]->header.hash, hash, 32) == 0)
			return f->blocks[i - 1];
	return NULL;
}

/* Frames. Payloads live as kit_alloc's. */
static inline struct dr_frame forge_payload(uint16_t type, uint16_t source, const struct dr_writer *w)
{
	assert_int_equal(w->fail->err, DR_OK);
	return (struct dr_frame){ type, source, copy_of(w->buf, w->len) };
}

static inline struct dr_frame frame_header(const struct forge_block *b, uint16_t source)
{
	return (struct dr_frame){ DR_FRAME_HEADER, source, b->rlp };
}

static inline struct dr_frame frame_word(enum dr_status status, uint64_t number, const uint8_t hash[static 32],
					 uint16_t source)
{
	uint8_t payload[DR_QUORUM_PAYLOAD_LEN];

	dr_quorum_payload(payload, status, number, hash);
	return (struct dr_frame){ DR_FRAME_FINALITY, source, copy_of(payload, sizeof(payload)) };
}

static inline struct dr_frame frame_named(enum dr_status status, const struct forge_block *b, uint16_t source)
{
	return frame_word(status, b->header.number, b->header.hash, source);
}

static uint8_t forge_scratch[1 << 20];

/* frame_receipts: of block b, claimed to be those of the block with this hash. */
static inline struct dr_frame frame_receipts(const struct forge_block *b, const uint8_t hash[static 32],
					     uint16_t source)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, forge_scratch, sizeof(forge_scratch), &fail);
	dr_writer_copy(&w, hash, 32);
	dr_writer_u32(&w, (uint32_t)b->num_receipts);
	for (size_t i = 0; i < b->num_receipts; i++) {
		dr_writer_u32(&w, (uint32_t)b->receipts[i].len);
		dr_writer_bytes(&w, b->receipts[i]);
	}
	return forge_payload(DR_FRAME_RECEIPTS, source, &w);
}

static inline void forge_nodes(struct dr_writer *w, const struct prover *p)
{
	dr_writer_u16(w, (uint16_t)p->num);
	for (size_t i = 0; i < p->num; i++) {
		dr_writer_u16(w, (uint16_t)p->nodes[i].len);
		dr_writer_bytes(w, p->nodes[i]);
	}
}

static inline struct dr_frame frame_state(const struct forge *f, const struct forge_block *b,
					  const uint8_t address[static 20], const uint8_t (*slots)[32], size_t num,
					  uint16_t source)
{
	struct dr_mpt_pair pairs[FORGE_SLOTS];
	struct dr_fail fail = { 0 };
	uint8_t hash[32], root[32];
	struct dr_writer w;
	struct prover p;

	dr_writer_init(&w, forge_scratch, sizeof(forge_scratch), &fail);
	dr_writer_copy(&w, b->header.hash, 32);
	dr_writer_copy(&w, address, 20);
	const size_t accounts = forge_accounts(pairs, f, b->state);

	dr_keccak256(hash, address, 20);
	prove(&p, root, copy_of(hash, 32), pairs, accounts);
	assert_memory_equal(root, b->header.state_root, 32);
	forge_nodes(&w, &p);
	dr_writer_u16(&w, (uint16_t)num);
	for (size_t i = 0; i < num; i++) {
		const size_t num_pairs = memcmp(address, f->contract, 20) == 0 ? forge_storage(pairs, b->state)
					 : f->history && memcmp(address, dr_evm_history_address, 20) == 0
						 ? forge_hashes(pairs, b)
						 : 0;

		dr_writer_copy(&w, slots[i], 32);
		dr_keccak256(hash, slots[i], 32);
		p.num = 0;
		if (num_pairs > 0)
			prove(&p, root, copy_of(hash, 32), pairs, num_pairs);
		forge_nodes(&w, &p);
	}
	return forge_payload(DR_FRAME_STATE, source, &w);
}

/* frame_logs: the contract's events of first … b; the num_change-th is dropped, doubled, changed, or swapped with
 * the next, if change says so. */
enum forge_change { FORGE_HONEST, FORGE_DROP, FORGE_DOUBLE, FORGE_TOPIC, FORGE_DATA, FORGE_NUMBER, FORGE_SWAP };
static inline struct dr_frame frame_logs_changed(const struct forge *f, const struct forge_block *b, uint64_t first,
						 enum forge_change change, size_t at, uint16_t source)
{
	static struct {
		uint64_t number;
		struct forge_event event;
	} list[FORGE_BLOCKS], swap;
	struct dr_fail fail = { 0 };
	struct dr_writer w;
	size_t num = 0;

	for (uint64_t n = first; n <= b->header.number; n++) {
		const struct forge_block *of = forge_up((struct forge_block *)(uintptr_t)b, n);

		for (size_t i = 0; i < of->num_events; i++) {
			list[num].number = n;
			list[num++].event = of->events[i];
		}
	}
	assert_true(change == FORGE_HONEST || at < num);
	switch (change) {
	case FORGE_HONEST: break;
	case FORGE_DROP: memmove(list + at, list + at + 1, (--num - at) * sizeof(list[0])); break;
	case FORGE_DOUBLE: memmove(list + at + 1, list + at, (num++ - at) * sizeof(list[0])); break;
	case FORGE_TOPIC: list[at].event.topic0[31] ^= 1; break;
	case FORGE_DATA:
		list[at].event.data = list[at].event.data.len > 1 ? dr_bytes_of(list[at].event.data.ptr, 1)
								  : dr_bytes_of(f->contract, 20);
		break;
	case FORGE_NUMBER: list[at].number += list[at].number == b->header.number ? UINT64_MAX : 1; break;
	case FORGE_SWAP:
		swap = list[at];
		list[at] = list[(at + 1) % num];
		list[(at + 1) % num] = swap;
		break;
	}
	dr_writer_init(&w, forge_scratch, sizeof(forge_scratch), &fail);
	dr_writer_copy(&w, b->header.hash, 32);
	dr_writer_copy(&w, f->contract, 20);
	dr_writer_u64(&w, first);
	dr_writer_u64(&w, b->header.number);
	dr_writer_u32(&w, (uint32_t)num);
	for (size_t i = 0; i < num; i++) {
		dr_writer_u64(&w, list[i].number);
		dr_writer_copy(&w, list[i].event.topic0, 32);
		dr_writer_u32(&w, (uint32_t)list[i].event.data.len);
		dr_writer_bytes(&w, list[i].event.data);
	}
	return forge_payload(DR_FRAME_LOGS, source, &w);
}

static inline struct dr_frame frame_logs(const struct forge *f, const struct forge_block *b, uint64_t first,
					 uint16_t source)
{
	return frame_logs_changed(f, b, first, FORGE_HONEST, 0, source);
}

/* forge_answer: what an honest source answers, frame by frame. */
typedef void forge_emit(void *ctx, const struct dr_frame *frame);
static inline void forge_answer(const struct forge *f, const struct dr_want *want, forge_emit *emit, void *ctx)
{
	const uint16_t source = (uint16_t)(want->first % f->num_sources);
	const uint64_t final_number = f->final_number < want->last ? f->final_number : want->last;
	struct forge_block *b = want->kind >= DR_WANT_HEADER ? forge_find(f, want->hash) : NULL;
	struct dr_frame frame = { 0 };

	switch ((enum dr_want_kind)want->kind) {
	case DR_WANT_FINALITY:
		for (uint16_t e = 0; e < f->num_sources; e++) {
			if (final_number >= want->first) {
				frame = frame_named(DR_STATUS_FINAL, forge_up(f->tip, final_number), e);
				emit(ctx, &frame);
			}
			if (f->heads) {
				frame = frame_named(DR_STATUS_HEAD, f->tip, e);
				emit(ctx, &frame);
			}
		}
		return;
	case DR_WANT_HEADERS:
		for (uint64_t n = want->first; n <= want->last && n <= f->tip->header.number; n++) {
			frame = frame_header(forge_up(f->tip, n), source);
			emit(ctx, &frame);
		}
		return;
	case DR_WANT_PARENTS:
		/* By number: an endpoint tells nothing of a hash that another number was given with. */
		if (b != NULL && b->header.number != want->last)
			return;
		for (; b != NULL && b->header.number >= want->first; b = b->parent) {
			frame = frame_header(b, source);
			emit(ctx, &frame);
		}
		return;
	case DR_WANT_BOOTSTRAP:
	case DR_WANT_UPDATES: return;
	case DR_WANT_HEADER: frame = b != NULL ? frame_header(b, source) : frame; break;
	case DR_WANT_RECEIPTS: frame = b != NULL ? frame_receipts(b, b->header.hash, source) : frame; break;
	case DR_WANT_STATE:
		frame = b != NULL ? frame_state(f, b, want->address, want->slots, want->num_slots, source) : frame;
		break;
	case DR_WANT_LOGS: frame = b != NULL ? frame_logs(f, b, want->first, source) : frame; break;
	}
	if (b != NULL)
		emit(ctx, &frame);
}

#endif
