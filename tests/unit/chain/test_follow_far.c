/* SPDX-License-Identifier: Apache-2.0
 *
 * Final blocks further above the cursor than headers are held: the way down by EIP-2935 and by parents, and up again;
 * state that is proven while its block is young.
 */
#include "chain/evm/state_proof.h"
#include "tests/unit/chain/follow_kit.h"

#define LEN   16000u /* blocks: beyond one reach and one window of EIP-2935 */
#define REACH (DR_FOLLOW_BLOCKS_MAX - DR_FOLLOW_BLOCKS_MAX / 8)

/* A chain of LEN quiet blocks, one event at its first and one near its end. history: the state of the two blocks that
 * the way down asks holds the hashes, as the history contract does; the followed contract stands in for it. */
static struct forge *long_chain(bool history)
{
	static struct forge *made[2]; /* that takes a while */
	struct forge *forge = made[history] != NULL ? made[history] : forge_new(1);
	const struct forge_event event = { .topic0 = { 7 }, .data = { (const uint8_t *)"far", 3 } };
	const uint64_t first = 100, last = first + LEN - 1, low = last - DR_EVM_HISTORY_WINDOW;
	struct forge_block *b = NULL;

	if (made[history] != NULL) {
		forge->tip = forge->blocks[LEN - 1];
		forge->final_number = last;
		return forge;
	}
	made[history] = forge;
	forge->noise = false;
	if (history)
		memcpy(forge->contract, dr_evm_history_address, 20);
	for (uint64_t number = first; number <= last; number++) {
		struct forge_state *state = NULL;
		uint8_t slot[32];

		if (history && (number == low || number == last)) {
			state = forge_state_of(forge, b);
			for (uint64_t at = number == last ? low : first - 1 + REACH; at < number; at += REACH) {
				assert_true(dr_evm_history_slot(slot, number, at));
				forge_slot_put(state, slot, forge_up(b, at)->header.hash);
			}
		}
		b = forge_block(forge, b, 1, &event, number == first || number == last - 5 ? 1 : 0, state);
	}
	forge->tip = b;
	forge->final_number = last;
	return forge;
}

struct counting {
	struct follow_kit *fk;
	bool deaf;    /* state is not served */
	bool refused; /* frames may be */
	size_t frames[16];
};

static void count_frame(void *ctx, const struct dr_frame *frame)
{
	struct counting *c = ctx;

	c->frames[frame->type]++;
	assert_true(fk_feed(c->fk, *frame) != DR_TAKE_REFUSED || c->refused);
}

/* Answers everything until the cursor is at the tip. */
static void answer_all(struct counting *c, size_t max)
{
	size_t rounds = 0;

	for (; c->fk->last < c->fk->forge->final_number; rounds++) {
		struct dr_want *wants;
		const size_t num = fk_wants(c->fk, &wants);

		if (rounds == max)
			fail_msg("at %llu after %zu rounds", (unsigned long long)c->fk->last, max);
		for (size_t i = 0; i < num; i++) {
			const struct dr_want want = wants[i];

			if (want.kind == DR_WANT_FINALITY)
				continue;
			if (want.kind == DR_WANT_STATE && c->deaf)
				dr_follow_unavailable(c->fk->f, &want);
			else
				forge_answer(c->fk->forge, &want, count_frame, c);
		}
	}
}

static void test_down_by_history(void **state)
{
	struct forge *forge = long_chain(true);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 1);
	struct counting c = { .fk = fk };

	(void)state;
	fk_name(fk, DR_STATUS_FINAL, forge->tip);
	answer_all(&c, 200);
	assert_int_equal(fk->num_ways[DR_COMPLETE_RECEIPTS] + fk->num_ways[DR_COMPLETE_BLOOM], LEN);
	/* Two hops, and the headers of their two ends: the second end is within the reach then. */
	assert_int_equal(c.frames[DR_FRAME_STATE], 2);
	assert_in_range(c.frames[DR_FRAME_HEADER], LEN + 2, LEN + 3);
	fk_free(fk);
}

static void test_down_by_parents(void **state)
{
	struct forge *forge = long_chain(false);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 1);
	struct counting c = { .fk = fk, .deaf = true };

	(void)state;
	fk_name(fk, DR_STATUS_FINAL, forge->tip);
	answer_all(&c, 200);
	/* Everything above the reach came twice, but for the last block of the way. */
	assert_int_equal(c.frames[DR_FRAME_STATE], 0);
	assert_in_range(c.frames[DR_FRAME_HEADER], 2 * LEN - REACH, 2 * LEN - REACH + 2);
	fk_free(fk);
}

/* A chain that keeps no old hashes proves that it does not; then it goes by parents. */
static void test_no_history(void **state)
{
	struct forge *forge = long_chain(false);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 1);
	struct counting c = { .fk = fk };

	(void)state;
	fk_name(fk, DR_STATUS_FINAL, forge->tip);
	answer_all(&c, 200);
	assert_int_equal(c.frames[DR_FRAME_STATE], 1);
	fk_free(fk);
}

/* Headers above the reach may be held already, because somebody told them unasked: the way down goes over them all
 * the same. */
static void test_down_over_held(void **state)
{
	struct forge *forge = long_chain(false);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 1);
	struct counting c = { .fk = fk, .deaf = true };

	(void)state;
	forge->tip = forge->blocks[DR_FOLLOW_BLOCKS_MAX + 50];
	forge->final_number = forge->tip->header.number;
	for (size_t i = 0; i < DR_FOLLOW_BLOCKS_MAX; i++)
		assert_int_equal(fk_feed(fk, frame_header(forge->blocks[i], 0)), DR_TAKE_KEPT);
	fk_name(fk, DR_STATUS_FINAL, forge->tip);
	answer_all(&c, 50);
	fk_free(fk);
}

/* What nothing vouches for does not enter on the way down, and another endpoint may begin it again from the top. */
static void test_strangers(void **state)
{
	struct forge *forge = long_chain(false);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 1);
	struct forge_block *tip = forge->tip, *other = forge_block(forge, tip->parent->parent, 2, NULL, 0, NULL);
	struct dr_want *wants;

	(void)state;
	fk_name(fk, DR_STATUS_FINAL, tip);
	fk_refused(fk, frame_header(tip, 0), DR_ERR_STALE); /* where this chain begins is not known yet */
	assert_int_equal(fk_feed(fk, frame_header(forge->blocks[0], 0)), DR_TAKE_KEPT);
	/* None of them is a lie: who was asked twice, because the answer was long in being looked at, tells it twice.
	 */
	fk_refused(fk, frame_header(tip->parent, 0), DR_ERR_STALE);
	fk_refused(fk, frame_header(other, 0), DR_ERR_STALE);
	assert_int_equal(fk_feed(fk, frame_header(tip, 0)), DR_TAKE_KEPT);
	fk_refused(fk, frame_header(tip, 0), DR_ERR_STALE);
	fk_refused(fk, frame_header(other, 0), DR_ERR_STALE);
	for (struct forge_block *b = tip->parent; b->header.number > tip->header.number - 9; b = b->parent)
		assert_int_equal(fk_feed(fk, frame_header(b, 0)), DR_TAKE_KEPT);
	assert_int_equal(fk_feed(fk, frame_header(tip->parent->parent, 0)), DR_TAKE_KNOWN);
	/* The want did not change while it is being answered, and does when it was. */
	size_t num = fk_wants(fk, &wants);
	struct dr_want first = { 0 };

	assert_true(num >= 2);
	dr_follow_unavailable(fk->f, &wants[num - 1]);
	num = fk_wants(fk, &wants);
	first = wants[num - 1];
	assert_int_equal(first.kind, DR_WANT_PARENTS);
	assert_int_equal(first.last, tip->header.number - 1);
	assert_memory_equal(first.hash, tip->parent->header.hash, 32);
	assert_int_equal(first.last - first.first + 1, 512);
	for (struct forge_block *b = forge_up(tip, tip->header.number - 9); b->header.number >= first.first;
	     b = b->parent)
		assert_int_equal(fk_feed(fk, frame_header(b, 0)), DR_TAKE_KEPT);
	num = fk_wants(fk, &wants);
	assert_int_equal(wants[num - 1].last, first.first - 1);
	fk_refused(fk, frame_header(tip->parent, 0), DR_ERR_STALE);
	fk_free(fk);
}

/* Two final blocks of one number contradict each other, however far above they are; so does a far one that does not
 * descend from the cursor, when the way reaches it. */
static void test_far_conflicts(void **state)
{
	struct forge *forge = long_chain(false);
	struct forge_block *tip = forge->tip;

	(void)state;
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 1);

	fk_name(fk, DR_STATUS_FINAL, tip);
	assert_int_equal(fk_feed(fk, frame_word(DR_STATUS_FINAL, tip->header.number, tip->parent->header.hash, 0)),
			 DR_TAKE_CONFLICT);
	assert_int_equal(fk->num_conflicts, 1);
	assert_string_equal(fk->conflict, "two blocks of one number are final");
	fk_free(fk);

	/* A fork from below the cursor, named final far above it. */
	struct forge_block *fork = forge_block(forge, forge->blocks[3], 2, NULL, 0, NULL);

	while (fork->header.number < 100 + REACH + 60)
		fork = forge_block(forge, fork, 1, NULL, 0, NULL);
	fk = fk_new(forge, DR_WAY_BLOOM, 512, 1);
	forge->tip = forge_up(tip, 120);
	forge->final_number = 120;
	fk_run(fk, 120, 50);
	forge->tip = fork;
	forge->final_number = fork->header.number;
	fk_name(fk, DR_STATUS_FINAL, fork);
	for (size_t rounds = 0; rounds < 60 && fk->num_conflicts == 0; rounds++) {
		struct dr_want *wants;
		const size_t num = fk_wants(fk, &wants);

		for (size_t i = 0; i < num; i++) {
			const struct dr_want want = wants[i];

			if (want.kind != DR_WANT_FINALITY)
				forge_answer(forge, &want, fk_emit, fk);
		}
	}
	assert_int_equal(fk->num_conflicts, 1);
	assert_int_equal(fk->last, 120);
	fk_free(fk);
}

/* A follower at the first block of a chain of one event a block. */
static const struct forge_event young_event = { .topic0 = { 7 }, .data = { (const uint8_t *)"young", 5 } };

static struct follow_kit *young_chain(enum dr_way way)
{
	struct forge *forge = forge_new(1);

	forge->noise = false;
	forge->tip = forge_block(forge, NULL, 1, &young_event, 1, NULL);
	forge->final_number = 100;
	struct follow_kit *fk = fk_new(forge, way, 512, 1);

	fk_run(fk, 100, 10);
	return fk;
}

/* The contract's state at a block that is a head: proven then, a fact when it is final, and not when another is. */
static void test_young(void **state)
{
	const uint8_t slots[2][32] = { { 0 }, { [31] = 1 } };
	struct follow_kit *fk = young_chain(DR_WAY_BLOOM);
	struct forge *forge = fk->forge;
	struct forge_block *a = forge->tip, *b, *x;

	(void)state;
	b = forge_block(forge, a, 1, &young_event, 1, NULL);
	x = forge_block(forge, a, 2, NULL, 0, NULL); /* the other fork */
	forge->heads = true;
	forge->tip = x;
	for (int i = 0; i < 4; i++)
		fk_round(fk);
	forge->tip = b;
	for (int i = 0; i < 4; i++)
		fk_round(fk);
	assert_int_equal(fk->num_heads, 2);
	/* Nobody asked yet. */
	assert_int_equal(fk_feed(fk, frame_state(forge, b, forge->contract, slots, 2, 0)),
			 DR_TAKE_KEPT); /* way (c) */
	dr_follow_want_young(fk->f, 101, x->header.hash, slots, 2);
	dr_follow_want_young(fk->f, 101, b->header.hash, slots, 2);
	fk_refused(fk, frame_state(forge, b, forge->contract, slots, 1, 0), DR_ERR_PROOF); /* a slot is missing */
	struct dr_want *wants;
	size_t asked = 0;

	for (size_t i = 0, num = fk_wants(fk, &wants); i < num; i++)
		asked += wants[i].kind == DR_WANT_STATE && wants[i].num_slots == 2;
	assert_int_equal(asked, 2);
	fk_round(fk);
	for (size_t i = 0, num = fk_wants(fk, &wants); i < num; i++)
		assert_int_not_equal(wants[i].kind, DR_WANT_STATE);
	assert_int_equal(fk->num_states, 0); /* no fact yet */
	fk_name(fk, DR_STATUS_FINAL, b);
	assert_int_equal(fk->last, 101);
	dr_follow_want_state(fk->f, 101, slots, 2);
	fk_drain(fk);
	assert_int_equal(fk->num_states, 1);
	assert_int_equal(fk->state_number, 101);
	assert_int_equal(fk->agree, DR_AGREE_YES);
	assert_int_equal(fk->state_values[0][31], 2);
	/* Done with: the same wish again is asked for anew. */
	dr_follow_want_state(fk->f, 101, slots, 2);
	fk_drain(fk);
	assert_int_equal(fk->num_states, 1);
	fk_round(fk);
	assert_int_equal(fk->num_states, 2);
	fk_free(fk);
}

/* What was proven of a block that is reorged away says nothing of the one that is final at its number. */
static void test_young_fork(void **state)
{
	const uint8_t slots[2][32] = { { 0 }, { [31] = 1 } };
	struct follow_kit *fk = young_chain(DR_WAY_BLOOM);
	struct forge *forge = fk->forge;
	struct forge_block *a = forge->tip, *b, *x;

	(void)state;
	b = forge_block(forge, a, 1, &young_event, 1, NULL);
	x = forge_block(forge, a, 2, NULL, 0, NULL);
	forge->heads = true;
	forge->tip = x;
	for (int i = 0; i < 4; i++)
		fk_round(fk);
	dr_follow_want_young(fk->f, 101, x->header.hash, slots, 2);
	fk_round(fk);
	forge->tip = b;
	forge->final_number = 101;
	fk_run(fk, 101, 10);
	assert_memory_equal(fk->last_hash, b->header.hash, 32);
	dr_follow_want_state(fk->f, 101, slots, 2);
	fk_drain(fk);
	assert_int_equal(fk->num_states, 0);
	fk_round(fk);
	assert_int_equal(fk->num_states, 1);
	assert_int_equal(fk->agree, DR_AGREE_YES);
	assert_int_equal(fk->state_values[0][31], 2);
	fk_free(fk);
}

/* A fact that is at hand stays what it is until it is handed out, whatever comes before. */
static void test_young_stands(void **state)
{
	const uint8_t slots[2][32] = { { 0 }, { [31] = 1 } };
	struct follow_kit *fk = young_chain(DR_WAY_BLOOM);
	struct forge *forge = fk->forge;
	struct forge_block *a = forge->tip, *b, *c;

	(void)state;
	b = forge_block(forge, a, 1, &young_event, 1, NULL);
	c = forge_block(forge, b, 1, &young_event, 1, NULL);
	forge->heads = true;
	forge->tip = c;
	for (int i = 0; i < 4; i++)
		fk_round(fk);
	dr_follow_want_young(fk->f, 101, b->header.hash, slots, 2);
	fk_round(fk);
	fk_name(fk, DR_STATUS_FINAL, b);
	assert_int_equal(fk->last, 101);
	dr_follow_want_state(fk->f, 101, slots, 2);
	assert_int_equal(fk_feed(fk, frame_state(forge, c, forge->contract, slots, 2, 0)), DR_TAKE_KEPT);
	assert_int_equal(fk->num_states, 1);
	assert_int_equal(fk->state_number, 101);
	assert_int_equal(fk->agree, DR_AGREE_YES);
	assert_int_equal(fk->state_values[0][31], 2);
	fk_free(fk);
}

/* Way (c) asks for two slots of a block that is young as well: a true answer to that is no lie. */
static void test_young_two_wants(void **state)
{
	const uint8_t slots[3][32] = { { 0 }, { [31] = 1 }, { [31] = 2 } };
	struct follow_kit *fk = young_chain(DR_WAY_ACCUMULATOR);
	struct forge *forge = fk->forge;
	struct forge_block *a = forge->tip, *b;
	struct dr_want *wants;

	(void)state;
	b = forge_block(forge, a, 1, &young_event, 1, NULL);
	fk_feed(fk, frame_header(b, 0));
	dr_follow_want_young(fk->f, 101, b->header.hash, slots, 3);
	forge->tip = b;
	fk_name(fk, DR_STATUS_FINAL, b);
	const size_t num = fk_wants(fk, &wants);
	size_t asked = 0;

	for (size_t i = 0; i < num; i++) {
		const struct dr_want want = wants[i];

		if (want.kind != DR_WANT_STATE)
			continue;
		asked++;
		forge_answer(forge, &want, fk_emit, fk);
		assert_int_equal(fk->num_takes[DR_TAKE_REFUSED], 0);
	}
	assert_int_equal(asked, 2);
	/* That the young state is not to be had says nothing about the other. */
	struct follow_kit *deaf = fk_new(forge, DR_WAY_ACCUMULATOR, 512, 1);

	forge->tip = a;
	fk_run(deaf, 100, 10);
	fk_feed(deaf, frame_header(b, 0));
	dr_follow_want_young(deaf->f, 101, b->header.hash, slots, 3);
	fk_name(deaf, DR_STATUS_FINAL, b);
	for (size_t i = 0, left = fk_wants(deaf, &wants); i < left; i++)
		if (wants[i].kind == DR_WANT_STATE && wants[i].num_slots == 3)
			dr_follow_unavailable(deaf->f, &wants[i]);
	asked = 0;
	for (size_t i = 0, left = fk_wants(deaf, &wants); i < left; i++)
		asked += wants[i].kind == DR_WANT_STATE && wants[i].num_slots == 2;
	assert_int_equal(asked, 1);
	fk_free(deaf);
	forge->tip = b;
	fk_run(fk, 101, 10);
	fk_free(fk);
}

/* A head's header was put here, far up and with nothing below it, and then the head is final: the cursor goes past
 * the ladder in one step. What is left of the ladder is gone then. */
static void test_past_the_ladder(void **state)
{
	struct forge *forge = long_chain(false);
	struct follow_kit *fk = fk_new(forge, DR_WAY_BLOOM, 512, 1);
	struct forge_block *rung = forge_up(forge->tip, 100 + REACH + 50);
	struct forge_block *head = forge_up(forge->tip, 100 + REACH + 150);
	struct forge_block *next = forge_up(forge->tip, 100 + REACH + 160);
	struct dr_want *wants;

	(void)state;
	forge->tip = forge->blocks[0];
	forge->final_number = 100;
	fk_run(fk, 100, 10);
	fk_name(fk, DR_STATUS_FINAL, rung);
	fk_name(fk, DR_STATUS_HEAD, head);
	assert_int_equal(fk_feed(fk, frame_header(head, 0)), DR_TAKE_KEPT);
	fk_name(fk, DR_STATUS_FINAL, head);
	forge->tip = head;
	forge->final_number = head->header.number;
	struct counting c = { .fk = fk, .refused = true };

	answer_all(&c, 60);
	fk_name(fk, DR_STATUS_HEAD, next);
	size_t asked = 0;

	for (size_t i = 0, num = fk_wants(fk, &wants); i < num; i++) {
		assert_int_not_equal(wants[i].kind, DR_WANT_PARENTS);
		assert_int_not_equal(wants[i].kind, DR_WANT_STATE);
		asked += wants[i].kind == DR_WANT_HEADERS && wants[i].last == next->header.number;
	}
	assert_int_equal(asked, 1);
	assert_int_equal(fk->num_conflicts, 0);
	fk_free(fk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_down_by_history), cmocka_unit_test(test_down_by_parents),
		cmocka_unit_test(test_no_history),      cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_down_over_held),  cmocka_unit_test(test_far_conflicts),
		cmocka_unit_test(test_young),           cmocka_unit_test(test_young_fork),
		cmocka_unit_test(test_young_stands),    cmocka_unit_test(test_young_two_wants),
		cmocka_unit_test(test_past_the_ladder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
