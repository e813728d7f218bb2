/* SPDX-License-Identifier: Apache-2.0
 *
 * follow, with sources that lie: they delay, they never move the cursor over a block that is not complete, and what
 * contradicts a final block halts for good.
 */
#include "tests/unit/chain/follow_kit.h"

#include "chain/base/limits.h"

#define START 100u

static const struct forge_event *some_event(uint8_t topic, uint8_t seed)
{
	static struct forge_event event;
	static uint8_t data[40];

	memset(event.topic0, topic, 32);
	memset(data, seed, sizeof(data));
	event.data = dr_bytes_of(data, sizeof(data));
	return &event;
}

/* 12 blocks; block 106 has four events in receipts with noise, block 109 has one. */
static struct forge *a_chain(unsigned seed)
{
	struct forge *forge = forge_new(3);
	struct forge_event events[4];
	struct forge_block *b;

	srand(seed);
	for (uint8_t i = 0; i < 4; i++) {
		events[i] = *some_event((uint8_t)(1 + i), i);
		events[i].data = copy_of(events[i].data.ptr, 32u - 7u * i);
	}
	b = forge_grow(forge, NULL, 6);
	b = forge_block(forge, b, 3, events, 4, NULL);
	b = forge_grow(forge, b, 2);
	b = forge_block(forge, b, 3, some_event(9, 9), 1, NULL);
	forge->tip = forge_grow(forge, b, 2);
	forge->final_number = forge->tip->header.number;
	return forge;
}

static void feed_headers(struct follow_kit *fk, struct forge_block *tip)
{
	for (uint64_t n = START; n <= tip->header.number; n++)
		fk_feed(fk, frame_header(forge_up(tip, n), 0));
}

/* Receipts of everything but block 106; the cursor then stands before it. */
static void up_to_106(struct follow_kit *fk, struct forge_block *tip)
{
	feed_headers(fk, tip);
	fk_name(fk, DR_STATUS_FINAL, tip);
	for (struct forge_block *b = tip; b != NULL; b = b->parent)
		if (b->header.number != 106)
			fk_feed(fk, frame_receipts(b, b->header.hash, 0));
	assert_int_equal(fk->last, 105);
}

/* One lie about the receipts of b: receipts left out, doubled, swapped, or one rewritten. */
static struct dr_frame false_receipts(struct forge *forge, struct forge_block *b, const uint8_t hash[static 32],
				      int how)
{
	struct forge_block *lie = (struct forge_block *)kit_alloc(sizeof(*lie));
	const size_t at = (size_t)rand() % b->num_receipts;
	struct dr_evm_log logs[FORGE_EVENTS];
	size_t num = 0;

	*lie = *b;
	switch (how % 7) {
	case 0: lie->num_receipts = 0; break;
	case 1: lie->num_receipts--; break;
	case 2: lie->receipts[lie->num_receipts++] = b->receipts[at]; break;
	case 3: lie->receipts[at] = copy_of(b->receipts[at].ptr, b->receipts[at].len - 1); break;
	case 4:
		lie->receipts[at] = copy_of(b->receipts[at].ptr, b->receipts[at].len);
		((uint8_t *)(uintptr_t)lie->receipts[at].ptr)[(size_t)rand() % b->receipts[at].len] ^=
			(uint8_t)(1 + rand() % 255);
		break;
	case 5: /* one event less, in well-formed receipts */
		lie->num_receipts = 0;
		for (size_t i = 0; i < b->num_events; i++)
			if (i != at % b->num_events)
				logs[num++] = forge_log(forge, &b->events[i], 0);
		forge_receipt(lie, logs, num);
		break;
	case 6: /* another block's, which has none of the contract's */
		lie = forge_random(forge, b->parent);
		lie->num_events = 0;
		lie->num_receipts = 0;
		logs[0] = forge_log(forge, some_event(1, 1), 1);
		forge_receipt(lie, logs, 1);
		break;
	}
	return frame_receipts(lie, hash, (uint16_t)(how % 3));
}

static void test_receipts(void **state)
{
	struct forge *forge = a_chain(1);
	struct forge_block *b = forge_up(forge->tip, 106);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 2);

	(void)state;
	up_to_106(fk, forge->tip);
	for (int attempt = 0; attempt < 700; attempt++) {
		assert_int_equal(fk_feed(fk, false_receipts(forge, b, b->header.hash, attempt)), DR_TAKE_REFUSED);
		assert_int_not_equal(fk->why.err, DR_ERR_STALE);
		assert_int_equal(fk->last, 105);
	}
	const struct dr_frame good = frame_receipts(b, b->header.hash, 0);
	uint8_t *bytes = (uint8_t *)(uintptr_t)good.payload.ptr;

	for (size_t len = 0; len < good.payload.len; len++) {
		struct dr_frame cut = good;

		cut.payload.len = len;
		assert_int_equal(fk_feed(fk, cut), DR_TAKE_REFUSED);
	}
	for (size_t bit = 0; bit < 8 * good.payload.len; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(fk_feed(fk, good), DR_TAKE_REFUSED);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(fk->last, 105);
	assert_int_equal(fk_feed(fk, good), DR_TAKE_KEPT);
	assert_int_equal(fk->last, forge->final_number);
	fk_free(fk);
}

/* The header's bloom leaves the contract out, or adds what no log has; the receipts are those of its root. */
static void test_bloom_and_receipts_disagree(void **state)
{
	(void)state;
	for (int way = DR_WAY_BLOOM; way <= DR_WAY_RECEIPTS; way++) {
		struct forge *forge = a_chain(2);
		struct forge_block *b = forge_block(forge, forge->tip, 1, some_event(1, 1), 1, NULL);

		b->header.bloom[3] ^= 0x10;
		forge_seal(forge, b);
		forge->tip = b;
		forge->final_number = b->header.number;
		struct follow_kit *fk = fk_new(forge, (enum dr_way)way, 512, 2);

		for (int round = 0; round < 10; round++)
			fk_round(fk);
		assert_int_equal(fk->last, b->header.number - 1);
		fk_refused(fk, frame_receipts(b, b->header.hash, 0), DR_ERR_PROOF);
		fk_free(fk);
	}
}

/* Logs of the contract that are no DeRoT events: anonymous, or with more topics. All its logs count, as they are; and
 * none of the others'. */
static void test_odd_logs(void **state)
{
	struct forge *forge = a_chain(3);
	struct forge_block *b = forge_random(forge, forge->tip);
	struct dr_evm_log logs[6];
	const struct dr_fact_block *block;
	const struct dr_fact_state *none;
	struct dr_finality_finding finding;
	struct dr_fail fail = { 0 };
	size_t seen = 0;

	(void)state;
	for (int i = 0; i < 6; i++)
		logs[i] = forge_log(forge, some_event((uint8_t)(i + 1), (uint8_t)i), i % 2 == 0 ? 0 : 1 + i / 2);
	logs[2].num_topics = 0;
	logs[4].num_topics = 4;
	b->num_receipts = 0;
	memset(b->header.bloom, 0, 256);
	forge_receipt(b, logs, 6);
	forge_seal(forge, b);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 1);

	fk_run(fk, forge->final_number, 20);
	fk_feed(fk, frame_header(b, 0));
	fk_feed(fk, frame_receipts(b, b->header.hash, 0));
	const struct dr_frame word = frame_named(DR_STATUS_FINAL, b, 0);

	assert_int_equal(dr_follow_frame(fk->f, &word, &fail), DR_TAKE_KEPT);
	while (dr_follow_next(fk->f, &block, &none, &finding) != DR_OUT_NONE) {
		assert_int_equal(dr_fact_block_num_events(block), 3);
		for (size_t i = 0; i < 3; i++) {
			const struct dr_event *event = dr_fact_block_event(block, i);
			const uint8_t topics[] = { 1, 0, 4 };

			assert_int_equal(event->ordinal, i);
			assert_int_equal(event->num_topics, topics[i]);
			assert_memory_equal(event->address, forge->contract, 20);
			assert_int_equal(event->topic0[0], topics[i] == 0 ? 0 : 2 * i + 1);
		}
		seen++;
	}
	assert_int_equal(seen, 1);
	fk_free(fk);
}

static void up_to_logs(struct follow_kit *fk, struct forge_block *tip)
{
	uint8_t slots[2][32] = { { 0 } };

	slots[1][31] = 1;
	feed_headers(fk, tip);
	fk_name(fk, DR_STATUS_FINAL, tip);
	assert_int_equal(
		fk_feed(fk, frame_state(fk->forge, tip, fk->forge->contract, (const uint8_t(*)[32])slots, 2, 0)),
		DR_TAKE_KEPT);
}

/* Way (c): a list with one log dropped, doubled, changed, moved or swapped, each log of it. */
static void test_log_lists(void **state)
{
	struct forge *forge = a_chain(4);
	struct follow_kit *fk = fk_new(forge, DR_WAY_ACCUMULATOR, 512, 2);

	(void)state;
	up_to_logs(fk, forge->tip);
	const uint64_t at = fk->last, num = forge->tip->count - forge_up(forge->tip, at)->count;

	assert_true(at < 106 && num >= 5);
	for (size_t i = 0; i < num; i++) {
		for (int change = FORGE_DROP; change <= FORGE_SWAP; change++) {
			fk_refused(fk, frame_logs_changed(forge, forge->tip, at + 1, (enum forge_change)change, i, 0),
				   DR_ERR_PROOF);
			assert_int_equal(fk->last, at);
		}
	}
	/* Another range is not what is missing; another contract's is. */
	fk_refused(fk, frame_logs(forge, forge->tip, at, 0), DR_ERR_STALE);
	fk_refused(fk, frame_logs(forge, forge->tip, at + 2, 0), DR_ERR_STALE);
	struct dr_frame good = frame_logs(forge, forge->tip, at + 1, 0);
	uint8_t *bytes = (uint8_t *)(uintptr_t)good.payload.ptr;

	for (size_t len = 0; len < good.payload.len; len++) {
		struct dr_frame cut = good;

		cut.payload.len = len;
		assert_int_equal(fk_feed(fk, cut), DR_TAKE_REFUSED);
	}
	for (size_t bit = 0; bit < 8 * good.payload.len; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(fk_feed(fk, good), DR_TAKE_REFUSED);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(fk->last, at);
	/* After so many lies receipts are asked for instead; the true list is still taken. */
	struct dr_want *wants;

	assert_true(fk_wants(fk, &wants) > 1);
	assert_int_equal(wants[1].kind, DR_WANT_RECEIPTS);
	assert_int_equal(fk_feed(fk, good), DR_TAKE_KEPT);
	assert_int_equal(fk->last, forge->final_number);
	fk_free(fk);
}

/* A header that nobody authenticated, with a state root of the attacker's own making, on top of blocks that are to be
 * final: its log list leaves out (or makes up) events of theirs, and would be believed. */
static void test_log_list_of_a_made_up_tip(void **state)
{
	static const enum dr_way ways[] = { DR_WAY_BLOOM, DR_WAY_ACCUMULATOR };

	(void)state;
	for (size_t w = 0; w < 2; w++) {
		for (int named = 0; named <= 1; named++) {
			struct forge *forge = a_chain(5);
			struct follow_kit *fk = fk_new(forge, ways[w], 512, 2);
			struct forge_block *b = forge_up(forge->tip, 106), *lie = forge_random(forge, b);
			struct forge_state *s = forge_state_of(forge, b->parent);
			uint8_t slots[2][32] = { { 0 } };

			slots[1][31] = 1;
			/* The attacker's state is that before block 106: no event in it. */
			lie->num_events = 0;
			lie->state = s;
			forge_seal(forge, lie);
			struct forge_block empty = *b, list = *lie;

			empty.num_events = 0;
			list.parent = &empty;
			feed_headers(fk, named ? forge->tip : b);
			if (named)
				fk_name(fk, DR_STATUS_FINAL, forge->tip);
			for (uint64_t n = START; n < 106; n++)
				fk_feed(fk, frame_receipts(forge_up(forge->tip, n),
							   forge_up(forge->tip, n)->header.hash, 0));
			fk_feed(fk, frame_header(lie, 0));
			fk_feed(fk, frame_state(forge, lie, forge->contract, (const uint8_t(*)[32])slots, 2, 0));
			assert_int_equal(
				fk_feed(fk, frame_logs(forge, &list, fk->last == 0 ? START : fk->last + 1, 0)),
				DR_TAKE_REFUSED);
			fk_run(fk, forge->final_number, 30); /* and each final block has its events */
			fk_free(fk);
		}
	}
}

/* Way (c): the contract counted other data, or in another block, than it logged; some receipts are known. */
static void test_log_list_against_receipts(void **state)
{
	(void)state;
	for (int how = 0; how <= 2; how++) {
		struct forge *forge = a_chain(12);
		struct follow_kit *fk = fk_new(forge, DR_WAY_ACCUMULATOR, 512, 2);
		struct forge_block *first = forge_block(forge, forge->tip, 1, some_event(1, 1), 1, NULL), *second,
				   fake;
		struct forge_state *s;
		uint8_t word[32], slots[2][32] = { { 0 } };

		slots[1][31] = 1;
		fk_run(fk, forge->final_number, 30);
		second = forge_block(forge, first, 1, some_event(2, 2), 1, NULL);
		/* What is counted: the second block's event with another byte, with another topic, or twice. */
		fake = *second;
		fake.events[0] = *some_event(how == 1 ? 3 : 2, how == 0 ? 9 : 2);
		fake.events[0].data = copy_of(fake.events[0].data.ptr, fake.events[0].data.len);
		fake.events[1] = fake.events[0];
		fake.num_events = how == 2 ? 2 : 1;
		fake.count = first->count;
		memcpy(fake.acc, first->acc, 32);
		for (size_t i = 0; i < fake.num_events; i++)
			forge_roll(&fake.count, fake.acc, fake.header.number, fake.header.timestamp, &fake.events[i]);
		s = forge_state_of(forge, first);
		dr_word_put(word, fake.count);
		forge_word_put(s, 0, word);
		forge_word_put(s, 1, fake.acc);
		second->state = s;
		forge_seal(forge, second);
		fake.header = second->header;
		fk_feed(fk, frame_header(first, 0));
		fk_feed(fk, frame_header(second, 0));
		fk_feed(fk, frame_receipts(second, second->header.hash, 0));
		fk_name(fk, DR_STATUS_FINAL, second);
		assert_int_equal(
			fk_feed(fk, frame_state(forge, second, forge->contract, (const uint8_t(*)[32])slots, 2, 0)),
			DR_TAKE_KEPT);
		fk_refused(fk, frame_logs(forge, &fake, first->header.number, 0), DR_ERR_PROOF);
		assert_int_equal(fk_feed(fk, frame_receipts(first, first->header.hash, 0)), DR_TAKE_KEPT);
		assert_int_equal(fk->last, second->header.number);
		fk_free(fk);
	}
}

/* Way (c) under other code: its two slots say that there was no event. Receipts are asked for instead. */
static void test_accumulator_of_other_code(void **state)
{
	struct forge *forge = a_chain(13);
	struct follow_kit *fk = fk_new(forge, DR_WAY_ACCUMULATOR, 512, 2);
	struct forge_block *b = forge_block(forge, forge->tip, 1, some_event(1, 1), 1, NULL), fake;
	uint8_t slots[2][32] = { { 0 } };
	struct dr_want *wants;

	(void)state;
	slots[1][31] = 1;
	b->state = forge_state_of(forge, forge->tip);
	memset(b->state->code_hash, 1, 32);
	b->state->rooted = false;
	forge_seal(forge, b);
	fk_run(fk, forge->final_number, 30);
	fk_feed(fk, frame_header(b, 0));
	fk_name(fk, DR_STATUS_FINAL, b);
	fk_wants(fk, &wants);
	assert_int_equal(wants[1].kind, DR_WANT_STATE);
	assert_int_equal(fk_feed(fk, frame_state(forge, b, forge->contract, (const uint8_t(*)[32])slots, 2, 0)),
			 DR_TAKE_KNOWN);
	fake = *b;
	fake.num_events = 0;
	fk_refused(fk, frame_logs(forge, &fake, b->header.number, 0), DR_ERR_STALE);
	fk_wants(fk, &wants);
	assert_int_equal(wants[1].kind, DR_WANT_RECEIPTS);
	assert_int_equal(fk_feed(fk, frame_receipts(b, b->header.hash, 0)), DR_TAKE_KEPT);
	assert_int_equal(fk->last, b->header.number);
	fk_free(fk);
}

/* Another chain from the anchor's parent: the anchor names one block. */
static void test_anchor(void **state)
{
	(void)state;
	for (int deep = 0; deep <= 1; deep++) {
		struct forge *forge = a_chain(6);
		struct forge_block *other = forge_random(forge, NULL), *tip;
		struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 2);

		tip = forge_grow(forge, other, deep ? 5 : 0);
		fk_refused(fk, frame_header(other, 0), DR_ERR_STALE);
		assert_int_equal(fk_feed(fk, frame_header(forge->blocks[0], 0)), DR_TAKE_KEPT);
		for (uint64_t n = START; n <= tip->header.number; n++) {
			fk_feed(fk, frame_header(forge_up(tip, n), 0));
			fk_feed(fk, frame_receipts(forge_up(tip, n), forge_up(tip, n)->header.hash, 0));
		}
		fk_name(fk, DR_STATUS_FINAL, tip);
		assert_true(dr_follow_halted(fk->f));
		assert_int_equal(fk->num_conflicts, 1);
		assert_string_equal(fk->conflict, "a block is final that does not descend from the start block");
		assert_int_equal(fk->last, 0);
		fk_free(fk);
	}
}

static void test_headers(void **state)
{
	struct forge *forge = a_chain(7);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 2);
	struct forge_block *lie, *far = forge_up(forge->tip, 108);
	struct dr_frame frame;

	(void)state;
	fk_refused(fk, frame_header(far, 0), DR_ERR_STALE);
	fk_run(fk, 105, 20);
	forge->final_number = fk->last;
	/* No parent here; a number that is not its parent's plus one; at the cursor; far above. */
	struct forge_block *orphan = forge_random(forge, forge_random(forge, forge_up(forge->tip, fk->last)));

	fk_refused(fk, frame_header(orphan, 0), DR_ERR_STALE);
	for (int by = -1; by <= 2; by++) {
		lie = forge_random(forge, forge_up(forge->tip, fk->last));
		lie->header.number += (uint64_t)by;
		forge_seal(forge, lie);
		if (by == 0)
			assert_int_equal(fk_feed(fk, frame_header(lie, 0)), DR_TAKE_KEPT);
		else
			fk_refused(fk, frame_header(lie, 0), by == -1 ? DR_ERR_STALE : DR_ERR_PROOF);
	}
	lie->header.number = fk->last + DR_FOLLOW_BLOCKS_MAX + 1;
	forge_seal(forge, lie);
	fk_refused(fk, frame_header(lie, 0), DR_ERR_STALE);
	fk_refused(fk, frame_header(forge_random(forge, forge_up(forge->tip, 100)), 0), DR_ERR_STALE);
	assert_int_equal(fk_feed(fk, frame_header(forge_up(forge->tip, 104), 0)), DR_TAKE_KNOWN);
	frame = frame_header(forge->tip, 0);
	for (size_t len = 0; len < frame.payload.len; len++) {
		struct dr_frame cut = frame;

		cut.payload.len = len;
		assert_int_equal(fk_feed(fk, cut), DR_TAKE_REFUSED);
	}
	frame.type = 0x0006;
	fk_refused(fk, frame, DR_ERR_UNKNOWN);
	fk_free(fk);
}

/* What contradicts something final halts, and nothing moves any more; whichever of the two hashes is the larger. */
static void test_conflicts(void **state)
{
	static const char *const names[] = { "below the cursor", "at the cursor", "above, on another branch",
					     "two at one number", "a lower one off the way to a higher one" };
	static const char *const whys[] = {
		"a block is final beside the final block that is held at its number",
		"a block is final beside the final block that is held at its number",
		"a block is final that does not descend from the final block that is held",
		"two blocks of one number are final",
		"two blocks are final of which neither descends from the other",
	};

	const size_t num = sizeof(names) / sizeof(names[0]);

	(void)state;
	for (unsigned round = 0; round < 8 * num; round++) {
		const size_t i = round % num;
		struct forge *forge = a_chain(8 + round / (unsigned)num * 100);
		struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 2);
		struct forge_block *tip, *cursor;
		struct dr_want *wants;

		forge->final_number = 107;
		fk_run(fk, 107, 20);
		cursor = forge_up(forge->tip, 107);
		switch (i) {
		case 0: fk_name(fk, DR_STATUS_FINAL, forge_random(forge, forge_up(forge->tip, 103))); break;
		case 1: fk_name(fk, DR_STATUS_FINAL, forge_random(forge, cursor->parent)); break;
		case 2:
			tip = forge_grow(forge, cursor->parent, 4);
			fk_name(fk, DR_STATUS_FINAL, tip);
			assert_false(dr_follow_halted(fk->f));
			for (; tip->header.number > 107; tip = tip->parent)
				fk_feed(fk, frame_header(tip, 0));
			break;
		case 3:
			fk_name(fk, DR_STATUS_FINAL, forge_up(forge->tip, 110));
			assert_false(dr_follow_halted(fk->f));
			fk_name(fk, DR_STATUS_FINAL, forge_random(forge, forge_up(forge->tip, 109)));
			break;
		case 4:
			fk_name(fk, DR_STATUS_FINAL, forge_random(forge, cursor));
			fk_name(fk, DR_STATUS_FINAL, forge_up(forge->tip, 110));
			assert_false(dr_follow_halted(fk->f));
			for (uint64_t n = 108; n <= 110; n++)
				fk_feed(fk, frame_header(forge_up(forge->tip, n), 0));
			break;
		}
		if (!dr_follow_halted(fk->f))
			fail_msg("%s", names[i]);
		assert_string_equal(fk->conflict, whys[i]);
		assert_int_equal(fk->num_conflicts, 1);
		assert_int_equal(fk->num_takes[DR_TAKE_CONFLICT], 1);
		assert_int_equal(fk_wants(fk, &wants), 0);
		for (uint64_t n = 108; n <= 111; n++) {
			struct forge_block *b = forge_up(forge->tip, n);

			fk_refused(fk, frame_header(b, 0), DR_ERR_STALE);
			fk_refused(fk, frame_receipts(b, b->header.hash, 0), DR_ERR_STALE);
			fk_refused(fk, frame_named(DR_STATUS_FINAL, b, 0), DR_ERR_STALE);
		}
		dr_follow_restart(fk->f);
		fk_refused(fk, frame_header(forge_up(forge->tip, 108), 0), DR_ERR_STALE);
		assert_true(dr_follow_halted(fk->f));
		assert_int_equal(fk->last, 107);
		assert_int_equal(fk->num_conflicts, 1);
		fk_free(fk);
	}
}

/* Children of base, each a header of its own. */
static void feed_junk(struct follow_kit *fk, const struct forge_block *base, uint32_t turn, size_t num)
{
	struct dr_evm_header made = base->header;
	struct dr_fail fail = { 0 };
	uint8_t rlp[1024];
	size_t len;

	made.number++;
	memcpy(made.parent_hash, base->header.hash, 32);
	for (size_t i = 0; i < num; i++) {
		dr_be64_put(made.mix_hash, (uint64_t)turn << 32 | (i + 1000000));
		assert_int_equal(dr_evm_header_encode(rlp, sizeof(rlp), &len, &made, &fail), DR_OK);
		fk_feed(fk, (struct dr_frame){ DR_FRAME_HEADER, 1, { rlp, len } });
	}
}

/* Junk headers fill the tree; the way goes on. Before every round; and while receipts are missing, when the headers
 * of the way and what is proven about them must stay. */
static void test_junk_headers(void **state)
{
	struct forge *forge = a_chain(9);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 4, 2);
	struct forge_block *b = forge_up(forge->tip, 106);

	(void)state;
	fk_run(fk, START, 20);
	forge->heads = true;
	for (uint32_t turn = 0; turn < 4; turn++) {
		feed_junk(fk, forge_up(forge->tip, fk->last), turn, 9000);
		fk_round(fk);
		fk_round(fk);
	}
	fk_run(fk, forge->final_number, 20);
	fk_free(fk);
	fk = fk_new(forge, DR_WAY_BLOOM, 512, 2);
	up_to_106(fk, forge->tip);
	feed_junk(fk, forge_up(forge->tip, 105), 9, 20000);
	assert_int_equal(fk_feed(fk, frame_receipts(b, b->header.hash, 0)), DR_TAKE_KEPT);
	assert_int_equal(fk->last, forge->final_number);
	fk_free(fk);
}

/* The tree is full of headers that all lie on the way to what finality named: no room can be made, none is found. */
static void test_full_tree(void **state)
{
	struct forge *forge = forge_new(1);
	struct forge_block *first, *b;

	(void)state;
	forge->noise = false;
	/* The first block's event is missing: nothing becomes final. */
	first = b = forge_block(forge, NULL, 1, some_event(1, 1), 1, NULL);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 1);

	assert_int_equal(fk_feed(fk, frame_header(first, 0)), DR_TAKE_KEPT);
	for (size_t i = 1; i < DR_FOLLOW_BLOCKS_MAX; i++) {
		b = forge_block(forge, b, 1, NULL, 0, NULL);
		assert_int_equal(fk_feed(fk, frame_header(b, 0)), DR_TAKE_KEPT);
	}
	fk_name(fk, DR_STATUS_FINAL, b);
	/* Who told it told no lie. */
	fk_refused(fk, frame_header(forge_block(forge, first, 1, NULL, 0, NULL), 0), DR_ERR_STALE);
	assert_int_equal(fk->last, 0);
	assert_int_equal(fk_feed(fk, frame_receipts(first, first->header.hash, 0)), DR_TAKE_KEPT);
	assert_int_equal(fk->last, b->header.number);
	fk_free(fk);
}

struct liar {
	struct follow_kit *fk;
	int how;
};

static void emit_lie(void *ctx, const struct dr_frame *frame)
{
	struct liar *l = ctx;
	struct dr_frame lie = *frame;

	lie.payload = copy_of(frame->payload.ptr, frame->payload.len);
	uint8_t *bytes = (uint8_t *)(uintptr_t)lie.payload.ptr;

	switch (l->how % 4) {
	case 0: return; /* says nothing */
	case 1: bytes[(size_t)rand() % lie.payload.len] ^= (uint8_t)(1 + rand() % 255); break;
	case 2: lie.payload.len = (size_t)rand() % lie.payload.len; break;
	case 3: lie.type = (uint16_t)(1 + rand() % 5); break;
	}
	if (frame->type != DR_FRAME_FINALITY) /* at proof quorum, a false word is the endpoint's own */
		fk_feed(l->fk, lie);
}

/* The k-th want is answered falsely, for each k; later, every other one. */
static void test_lies_only_delay(void **state)
{
	uint8_t digest[32] = { 0 };

	(void)state;
	for (int way = DR_WAY_BLOOM; way <= DR_WAY_ACCUMULATOR; way++) {
		for (size_t k = 0; k < 60; k++) {
			struct forge *forge = a_chain(10);
			struct follow_kit *fk = fk_new(forge, (enum dr_way)way, 7, 2);
			struct liar liar = { fk, (int)k };
			size_t asked = 0, rounds = 0;

			forge->heads = k % 2 == 1;
			for (; fk->last < forge->final_number; rounds++) {
				struct dr_want *wants, copy[DR_WANTS_MAX];
				const size_t num = fk_wants(fk, &wants);

				assert_true(rounds < 60);
				memcpy(copy, wants, num * sizeof(*wants));
				for (size_t i = 0; i < num; i++, asked++) {
					const bool lies = k < 40 ? asked == k : rand() % 2 == 0;

					forge_answer(forge, &copy[i], lies ? emit_lie : fk_emit,
						     lies ? (void *)&liar : (void *)fk);
				}
			}
			if (dr_bytes_zero(digest, 32))
				memcpy(digest, fk->digest, 32);
			assert_memory_equal(fk->digest, digest, 32);
			fk_free(fk);
		}
	}
}

/* A header of a branch that lost, sent when its height was final already: its source is named. */
static void test_dissent(void **state)
{
	struct forge *forge = a_chain(11);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 2);

	(void)state;
	fk_feed(fk, frame_header(forge->blocks[0], 0));
	fk_name(fk, DR_STATUS_FINAL, forge->tip);
	fk_feed(fk, frame_header(forge_random(forge, forge->blocks[0]), 2));
	fk_run(fk, forge->final_number, 20);
	assert_int_equal(fk->num_dissents, 1);
	fk_feed(fk, frame_named(DR_STATUS_FINAL, forge_random(forge, forge->tip->parent), 1));
	assert_int_equal(fk->num_dissents, 3); /* it contradicts itself, and the others */
	fk_free(fk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receipts),
		cmocka_unit_test(test_bloom_and_receipts_disagree),
		cmocka_unit_test(test_odd_logs),
		cmocka_unit_test(test_log_lists),
		cmocka_unit_test(test_log_list_of_a_made_up_tip),
		cmocka_unit_test(test_log_list_against_receipts),
		cmocka_unit_test(test_accumulator_of_other_code),
		cmocka_unit_test(test_anchor),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_junk_headers),
		cmocka_unit_test(test_full_tree),
		cmocka_unit_test(test_lies_only_delay),
		cmocka_unit_test(test_dissent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
