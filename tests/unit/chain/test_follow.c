/* SPDX-License-Identifier: Apache-2.0
 *
 * follow, with honest sources: whatever the way, the step, the order of frames and the forks of heads, the same
 * facts come out, and wants lead there in a bounded number of rounds.
 */
#include "tests/unit/chain/follow_kit.h"

#include "chain/base/limits.h"

#define START 100u

static struct forge *a_chain(unsigned seed, size_t len)
{
	struct forge *forge = forge_new(3);

	srand(seed);
	forge->tip = forge_grow(forge, NULL, len);
	forge->final_number = forge->tip->header.number;
	return forge;
}

static size_t rounds_max(size_t len, uint32_t step)
{
	return (len / step + 1) * 5 + len / 20 + 20;
}

static void test_ways_agree(void **state)
{
	static const uint32_t steps[] = { 1, 7, 512 };

	(void)state;
	for (unsigned seed = 1; seed <= 6; seed++) {
		struct forge *forge = a_chain(seed, 150);
		uint8_t digest[32] = { 0 };

		forge->final_number -= 12;
		for (int way = DR_WAY_BLOOM; way <= DR_WAY_ACCUMULATOR; way++) {
			for (size_t i = 0; i < 3; i++) {
				for (int heads = 0; heads <= 1; heads++) {
					struct follow_kit *fk = fk_new(forge, (enum dr_way)way, steps[i], 2);

					forge->heads = heads == 1;
					fk_run(fk, forge->final_number, rounds_max(150, steps[i]));
					for (int more = 0; more < 6; more++)
						fk_round(fk);
					/* A head counts from the cursor on, so small steps see more of them. */
					assert_true(fk->num_heads == (size_t)heads * 12 ||
						    (heads == 1 && steps[i] < 512));
					assert_int_equal(fk->num_takes[DR_TAKE_REFUSED], 0);
					if (dr_bytes_zero(digest, 32))
						memcpy(digest, fk->digest, 32);
					assert_memory_equal(fk->digest, digest, 32);
					assert_true(way != DR_WAY_RECEIPTS || fk->num_ways[DR_COMPLETE_BLOOM] == 0);
					assert_true(way == DR_WAY_ACCUMULATOR ||
						    fk->num_ways[DR_COMPLETE_ACCUMULATOR] == 0);
					assert_true(way != DR_WAY_ACCUMULATOR ||
						    fk->num_ways[DR_COMPLETE_ACCUMULATOR] > 0 || heads == 1);
					fk_free(fk);
				}
			}
		}
	}
}

/* A long way, at full step. */
static void test_long(void **state)
{
	struct forge *forge = a_chain(77, 2000);

	(void)state;
	for (int way = DR_WAY_BLOOM; way <= DR_WAY_ACCUMULATOR; way++) {
		struct follow_kit *fk = fk_new(forge, (enum dr_way)way, DR_FOLLOW_STEP_MAX, 3);

		fk_run(fk, forge->final_number, rounds_max(2000, 512));
		fk_free(fk);
	}
}

static void shuffle(size_t *order, size_t num)
{
	for (size_t i = 0; i < num; i++)
		order[i] = i;
	for (size_t i = num; i > 1; i--) {
		const size_t j = (size_t)rand() % i, swap = order[i - 1];

		order[i - 1] = order[j];
		order[j] = swap;
	}
}

/* All frames of a chain, all ways' at once, in any order and again and again until none adds anything. */
static void test_shuffled(void **state)
{
	static struct dr_frame frames[1024];
	static size_t order[1024];
	uint8_t slots[2][32] = { { 0 } };

	(void)state;
	slots[1][31] = 1;
	for (unsigned seed = 20; seed < 40; seed++) {
		struct forge *forge = a_chain(seed, 60);
		struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 2),
				  *plain = fk_new(forge, DR_WAY_RECEIPTS, 512, 2);
		size_t num = 0, kept = 1;

		fk_run(plain, forge->final_number, 40);
		for (struct forge_block *b = forge->tip; b != NULL; b = b->parent) {
			frames[num++] = frame_header(b, 0);
			frames[num++] = frame_receipts(b, b->header.hash, 0);
			frames[num++] = frame_state(forge, b, forge->contract, (const uint8_t(*)[32])slots, 2, 0);
			frames[num++] = frame_logs(forge, b, START, 0);
			for (uint16_t e = 0; e < 3 && b->header.number % 8 == 3; e++)
				frames[num++] = frame_named(DR_STATUS_FINAL, b, e);
		}
		for (uint16_t e = 0; e < 3; e++)
			frames[num++] = frame_named(DR_STATUS_FINAL, forge->tip, e);
		while (fk->last < forge->final_number || kept > 0) {
			const size_t before = fk->num_takes[DR_TAKE_KEPT];

			assert_true(kept > 0);
			shuffle(order, num);
			for (size_t i = 0; i < num; i++) {
				const enum dr_take take = fk_feed(fk, frames[order[i]]);

				/* Nothing here is a lie, and what was taken is known. */
				assert_true(take != DR_TAKE_CONFLICT);
				if (take == DR_TAKE_REFUSED)
					assert_int_equal(fk->why.err, DR_ERR_STALE);
				else
					assert_int_equal(fk_feed(fk, frames[order[i]]), DR_TAKE_KNOWN);
			}
			kept = fk->num_takes[DR_TAKE_KEPT] - before;
		}
		assert_memory_equal(fk->digest, plain->digest, 32);
		for (size_t i = 0; i < num; i++)
			assert_int_equal(fk_feed(fk, frames[i]), DR_TAKE_KNOWN);
		fk_free(fk);
		fk_free(plain);
	}
}

/* Heads on forks 1 to 64 deep, there and back: every head block once, parents first; the final chain is unmoved. */
static void test_head_forks(void **state)
{
	(void)state;
	for (size_t depth = 1; depth <= 64; depth += depth < 8 ? 1 : 7) {
		struct forge *forge = a_chain((unsigned)(500 + depth), 20);
		struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 2);
		struct forge_block *base = forge->tip, *a = forge_grow(forge, base, depth);
		struct forge_block *b = forge_grow(forge, base, depth + 1), *tips[2] = { a, b };

		forge->heads = true;
		for (int turn = 0; turn < 9; turn++) {
			forge->tip = tips[turn % 2];
			for (size_t round = 0; round < depth + 12; round++)
				fk_round(fk);
		}
		assert_int_equal(fk->num_heads, 2 * depth + 1);
		assert_int_equal(fk->last, base->header.number);
		assert_int_equal(fk->num_takes[DR_TAKE_REFUSED], 0);
		/* The shorter branch becomes final: the other one's blocks are simply gone. */
		forge->tip = a;
		forge->final_number = a->header.number;
		fk_run(fk, forge->final_number, 20);
		assert_memory_equal(fk->last_hash, a->header.hash, 32);
		assert_int_equal(fk->num_conflicts, 0);
		fk_free(fk);
	}
}

/* Another branch has a header at every number, as anybody could tell them: what is final is asked for down from its
 * tip, in pieces, not header by header. */
static void test_headers_below_final(void **state)
{
	struct forge *forge = a_chain(41, 20);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 1);
	struct forge_block *base = forge->tip, *other = forge_grow(forge, base, 301);

	(void)state;
	fk_run(fk, forge->final_number, 20);
	for (uint64_t n = base->header.number + 1; n <= other->header.number; n++)
		fk_feed(fk, frame_header(forge_up(other, n), 0));
	forge->tip = forge_grow(forge, base, 300);
	forge->final_number = forge->tip->header.number;
	fk_run(fk, forge->final_number, 20);
	assert_int_equal(fk->num_takes[DR_TAKE_REFUSED], 0);
	fk_free(fk);
}

static void test_restart(void **state)
{
	struct forge *forge = a_chain(42, 30);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 2);

	(void)state;
	forge->final_number = START + 20;
	fk_run(fk, forge->final_number, 20);
	const struct forge_block *cursor = forge_up(forge->tip, START + 20), *older = cursor->parent;

	assert_int_equal(fk->num_confirmed, 0);
	dr_follow_restart(fk->f);
	fk_feed(fk, frame_named(DR_STATUS_FINAL, cursor, 0));
	fk_name(fk, DR_STATUS_FINAL, older);
	fk_name(fk, DR_STATUS_HEAD, cursor);
	assert_int_equal(fk->num_confirmed, 0);
	fk_feed(fk, frame_named(DR_STATUS_FINAL, cursor, 2));
	assert_int_equal(fk->num_confirmed, 1);
	fk_feed(fk, frame_named(DR_STATUS_FINAL, cursor, 1));
	assert_int_equal(fk->num_confirmed, 1);
	/* Again; and this time the next final block comes first. */
	dr_follow_restart(fk->f);
	forge->final_number = START + 25;
	fk_run(fk, forge->final_number, 20);
	const size_t confirmed = fk->num_confirmed;

	fk_name(fk, DR_STATUS_FINAL, forge_up(forge->tip, START + 25));
	assert_int_equal(fk->num_confirmed, confirmed);
	/* Finals named before a restart move nothing after it. */
	forge->final_number = START + 29;
	fk_name(fk, DR_STATUS_FINAL, forge->tip);
	dr_follow_restart(fk->f);
	for (uint64_t n = START + 26; n < START + 30; n++) {
		const struct forge_block *b = forge_up(forge->tip, n);

		fk_feed(fk, frame_header(b, 0));
		fk_feed(fk, frame_receipts(b, b->header.hash, 0));
	}
	assert_int_equal(fk->last, START + 25);
	fk_run(fk, forge->final_number, 5);
	/* What was final before a restart is still a conflict after it. */
	dr_follow_restart(fk->f);
	fk_name(fk, DR_STATUS_FINAL, forge_random(forge, forge_up(forge->tip, START + 15)));
	assert_int_equal(fk->num_conflicts, 1);
	fk_free(fk);
}

/* first to last are final by number, each by its own hash; what is around them is not. */
static void finals(const struct follow_kit *fk, uint64_t first, uint64_t last)
{
	static const uint8_t zero[32];

	for (uint64_t n = START - 1; n <= START + 30; n++) {
		const struct forge_block *b = n < START ? NULL : forge_up(fk->forge->tip, n);
		const bool is = n >= first && n <= last;
		enum dr_proof proof = DR_PROOF_CONSENSUS;
		uint8_t hash[32] = { 1 };

		assert_int_equal(dr_follow_final(fk->f, n, hash, &proof), is);
		assert_int_equal(proof, is ? DR_PROOF_QUORUM : DR_PROOF_NONE);
		assert_memory_equal(hash, is ? b->header.hash : zero, 32);
	}
}

/* The hash of a block by its number: once it is final and complete, and as long as finality is known. */
static void test_final(void **state)
{
	struct forge *forge = a_chain(42, 32);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 2);

	(void)state;
	finals(fk, 1, 0);
	/* Named by all, and nothing of it is there. */
	fk_name(fk, DR_STATUS_FINAL, forge_up(forge->tip, START + 20));
	finals(fk, 1, 0);
	forge->final_number = START + 20;
	fk_run(fk, forge->final_number, 20);
	finals(fk, START, START + 20);
	dr_follow_restart(fk->f);
	finals(fk, 1, 0);
	fk_name(fk, DR_STATUS_FINAL, forge_up(forge->tip, START + 20));
	finals(fk, START, START + 20);
	forge->final_number = START + 30;
	fk_run(fk, forge->final_number, 20);
	finals(fk, START, START + 30);
	fk_name(fk, DR_STATUS_FINAL, forge_random(forge, forge_up(forge->tip, START + 15)));
	assert_int_equal(fk->num_conflicts, 1);
	finals(fk, 1, 0);
	fk_free(fk);
}

/* A block that says with one half of its header that it has no receipts, and with the other that it has: where
 * receipts are asked for, only they say. */
static void test_half_empty(void **state)
{
	struct forge *forge = forge_new(1);
	struct forge_block *b = forge_block(forge, NULL, 1, NULL, 0, NULL), *lie;

	(void)state;
	srand(21);
	forge->tip = forge_grow(forge, b, 5);
	forge->final_number = forge->tip->header.number;
	struct follow_kit *fk = fk_new(forge, DR_WAY_RECEIPTS, 512, 1);

	fk_run(fk, forge->final_number, 10);
	/* A receipt without logs: no bloom, and yet a receipt. */
	b = forge_block(forge, forge->tip, 1, NULL, 0, NULL);
	b->num_receipts = 0;
	memset(b->header.bloom, 0, 256);
	forge_receipt(b, NULL, 0);
	forge_seal(forge, b);
	fk_feed(fk, frame_header(b, 0));
	fk_name(fk, DR_STATUS_FINAL, b);
	assert_int_equal(fk->last, b->header.number - 1);
	assert_int_equal(fk_feed(fk, frame_receipts(b, b->header.hash, 0)), DR_TAKE_KEPT);
	assert_int_equal(fk->last, b->header.number);
	/* No receipt, and yet a bloom: no list of receipts makes both. */
	lie = forge_block(forge, b, 1, NULL, 0, NULL);
	lie->num_receipts = 0;
	memset(lie->header.bloom, 0, 256);
	lie->header.bloom[7] = 1;
	forge_seal(forge, lie);
	fk_feed(fk, frame_header(lie, 0));
	fk_name(fk, DR_STATUS_FINAL, lie);
	fk_refused(fk, frame_receipts(lie, lie->header.hash, 0), DR_ERR_PROOF);
	assert_int_equal(fk->last, b->header.number);
	fk_free(fk);
}

static void put_slot(struct forge_state *s, uint8_t slot, uint64_t value)
{
	uint8_t word[32];

	dr_word_put(word, value);
	forge_word_put(s, slot, word);
}

/* State that was wished for: right, by its own block, whole. */
static void test_state_wish(void **state)
{
	struct forge *forge = forge_new(1);
	struct forge_block *b = forge_block(forge, NULL, 1, NULL, 0, NULL);
	uint8_t slots[4][32] = { { 0 } };

	(void)state;
	srand(5);
	slots[1][31] = 1;
	slots[2][31] = 7;
	slots[3][31] = 9;
	b = forge_grow(forge, b, 20);
	struct forge_state *s = forge_state_of(forge, b);

	put_slot(s, 7, 0x1234);
	b = forge_block(forge, b, 1, NULL, 0, s);
	struct forge_block *at = b;

	forge->tip = forge_grow(forge, b, 5);
	forge->final_number = forge->tip->header.number;
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 1);
	const uint8_t(*all)[32] = (const uint8_t(*)[32])slots;

	/* Wished before the block is there: wanted once it is final. */
	dr_follow_want_state(fk->f, at->header.number, all, 4);
	fk_refused(fk, frame_state(forge, at, forge->contract, all, 4, 0), DR_ERR_STALE);
	while (fk->last < forge->final_number) {
		struct dr_want *wants;
		const size_t num = fk_wants(fk, &wants);

		for (size_t i = 0; i < num; i++)
			if (wants[i].kind != DR_WANT_STATE)
				forge_answer(forge, &wants[i], fk_emit, fk);
	}
	struct dr_want *wants;
	size_t num = fk_wants(fk, &wants);

	assert_int_equal(num, 2);
	assert_int_equal(wants[1].kind, DR_WANT_STATE);
	assert_memory_equal(wants[1].hash, at->header.hash, 32);
	assert_memory_equal(wants[1].address, forge->contract, 20);
	assert_int_equal(wants[1].num_slots, 4);
	/* Another account, a slot missing, another block's proof under this block's name, torn bytes. */
	fk_refused(fk, frame_state(forge, at, forge->other, all, 4, 0), DR_ERR_PROOF);
	fk_refused(fk, frame_state(forge, at, forge->contract, all, 3, 0), DR_ERR_PROOF);
	struct dr_frame foreign = frame_state(forge, at->parent, forge->contract, all, 4, 0);

	memcpy((uint8_t *)(uintptr_t)foreign.payload.ptr, at->header.hash, 32);
	fk_refused(fk, foreign, DR_ERR_PROOF);
	const struct dr_frame good = frame_state(forge, at, forge->contract, all, 4, 0);

	for (size_t len = 32; len < good.payload.len; len++) {
		struct dr_frame cut = good;

		cut.payload.len = len;
		assert_int_equal(fk_feed(fk, cut), DR_TAKE_REFUSED);
	}
	for (size_t bit = 256; bit < 8 * good.payload.len; bit += 3) {
		uint8_t *bytes = (uint8_t *)(uintptr_t)good.payload.ptr;

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(fk_feed(fk, good), DR_TAKE_REFUSED);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(fk->num_states, 0);
	assert_int_equal(fk_feed(fk, good), DR_TAKE_KEPT);
	assert_int_equal(fk->num_states, 1);
	assert_int_equal(fk->state_number, at->header.number);
	assert_int_equal(fk->agree, DR_AGREE_YES);
	assert_memory_equal(fk->state_code, forge->code_hash, 32);
	assert_int_equal(fk->state_slots, 4);
	assert_int_equal(fk->state_values[2][31], 0x34);
	assert_true(dr_bytes_zero(fk->state_values[3], 32));
	assert_int_equal(fk_wants(fk, &wants), 1);
	assert_int_equal(fk_feed(fk, good), DR_TAKE_KNOWN);
	/* Replaced: the older wish's answer is nobody's. */
	dr_follow_want_state(fk->f, at->header.number, all, 4);
	dr_follow_want_state(fk->f, at->header.number + 1, all, 2);
	assert_int_not_equal(fk_feed(fk, good), DR_TAKE_KEPT);
	assert_int_equal(fk_feed(fk, frame_state(forge, forge_up(forge->tip, at->header.number + 1), forge->contract,
						 all, 2, 0)),
			 DR_TAKE_KEPT);
	fk_free(fk);
}

/* The contract's own count says more, or other, than its events; or the code is not the pinned one. */
static void test_accumulator_disagrees(void **state)
{
	static const struct {
		const char *name;
		uint8_t slot;
		bool code;
		enum dr_agree expected;
	} rows[] = {
		{ "as it is", 9, false, DR_AGREE_YES },
		{ "one more event", 0, false, DR_AGREE_NO },
		{ "another hash", 1, false, DR_AGREE_NO },
		{ "another code", 9, true, DR_AGREE_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int way = DR_WAY_BLOOM; way <= DR_WAY_ACCUMULATOR; way++) {
			struct forge *forge = a_chain(60, 12);
			struct forge_state *s = forge_state_of(forge, forge->tip);
			const struct forge_event event = { { 1 }, { forge->contract, 20 } };
			uint8_t slots[2][32] = { { 0 } };

			slots[1][31] = 1;
			forge->tip = forge_block(forge, forge->tip, 1, &event, 1, s);
			s = forge_state_of(forge, forge->tip);
			put_slot(s, rows[i].slot, 99);
			if (rows[i].code)
				memset(s->code_hash, 1, 32);
			forge->tip = forge_block(forge, forge->tip, 1, NULL, 0, s);
			forge->tip = forge_random(forge, forge->tip);
			forge->final_number = forge->tip->header.number - 1;
			struct follow_kit *fk = fk_new(forge, (enum dr_way)way, 512, 2);

			fk_run(fk, forge->final_number, 60);
			dr_follow_want_state(fk->f, forge->final_number, (const uint8_t(*)[32])slots, 2);
			fk_round(fk);
			if (fk->num_states != 1 || fk->agree != rows[i].expected)
				fail_msg("%s: %d", rows[i].name, (int)fk->agree);
			fk_free(fk);
		}
	}
}

/* Nobody has proofs or log lists: way (c) becomes receipts, for the whole range, without asking again. */
static void test_unavailable(void **state)
{
	struct forge *forge = a_chain(44, 200);

	(void)state;
	for (int logs = 0; logs <= 1; logs++) {
		struct follow_kit *fk = fk_new(forge, DR_WAY_ACCUMULATOR, 512, 2);
		size_t rounds = 0, asked = 0;

		for (; fk->last < forge->final_number; rounds++) {
			struct dr_want *wants, copy[DR_WANTS_MAX];
			const size_t num = fk_wants(fk, &wants);

			assert_true(rounds < 30);
			memcpy(copy, wants, num * sizeof(*wants));
			for (size_t i = 0; i < num; i++) {
				if (copy[i].kind == (logs ? DR_WANT_LOGS : DR_WANT_STATE)) {
					dr_follow_unavailable(fk->f, &copy[i]);
					asked++;
				} else {
					forge_answer(forge, &copy[i], fk_emit, fk);
				}
			}
		}
		assert_int_equal(asked, 1);
		fk_free(fk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways_agree),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_shuffled),
		cmocka_unit_test(test_head_forks),
		cmocka_unit_test(test_headers_below_final),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_final),
		cmocka_unit_test(test_half_empty),
		cmocka_unit_test(test_state_wish),
		cmocka_unit_test(test_accumulator_disagrees),
		cmocka_unit_test(test_unavailable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
