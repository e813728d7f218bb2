/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/watcher/world.h"

static void test_finality(void **state)
{
	(void)state;
	begin(NONE, NONE, NONE);
	credit(1 << 20);
	want(1, DR_WANT_FINALITY, 1, 256);
	run(5000);
	/* The second highest: 8 and 11. */
	assert_true(said(0, DR_STATUS_FINAL, 8) && said(1, DR_STATUS_FINAL, 8));
	assert_true(said(0, DR_STATUS_HEAD, 11) && said(1, DR_STATUS_HEAD, 11));
	assert_int_equal(count(DR_MSG_FRAME, -1, NULL) - count(DR_MSG_FRAME, 2, NULL), 4);
	/* Nothing new: nothing is said again. */
	num_notes = 0;
	run(15000);
	assert_int_equal(count(DR_MSG_FRAME, -1, NULL), 0);
	minds[1].final_ = minds[2].final_ = 9;
	run(3000);
	assert_true(said(0, DR_STATUS_FINAL, 9) && said(1, DR_STATUS_FINAL, 9) && said(2, DR_STATUS_FINAL, 9));
	end();
}

/* It named another block at this number, and the number stays: it is asked again, and only what is new is said. */
static void test_changes_its_mind(void **state)
{
	(void)state;
	begin(UNLINKED, NONE, DEAD);
	minds[0].final_ = minds[1].final_ = 5;
	minds[0].latest = minds[1].latest = 5;
	credit(1 << 20);
	want(1, DR_WANT_FINALITY, 1, 256);
	run(3000);
	assert_int_equal(count(DR_MSG_FRAME, 0, NULL), 2);
	assert_false(said(0, DR_STATUS_FINAL, 5) || said(0, DR_STATUS_HEAD, 5));
	minds[0].flaw = NONE;
	num_notes = 0;
	run(11000);
	assert_int_equal(count(DR_MSG_FRAME, 0, NULL), 2);
	assert_int_equal(count(DR_MSG_FRAME, 1, NULL), 0);
	assert_true(said(0, DR_STATUS_FINAL, 5) && said(0, DR_STATUS_HEAD, 5));
	end();
}

static void test_finality_bounds(void **state)
{
	(void)state;
	begin(NONE, NONE, NONE);
	credit(1 << 20);
	want(1, DR_WANT_FINALITY, 1, 6); /* not beyond `last` */
	run(3000);
	assert_true(said(0, DR_STATUS_FINAL, 6) && said(1, DR_STATUS_FINAL, 6));
	end();
	begin(NONE, NONE, NONE);
	credit(1 << 20);
	want(1, DR_WANT_FINALITY, 20, 30); /* nothing that new */
	run(3000);
	assert_int_equal(count(DR_MSG_FRAME, -1, NULL), 0);
	/* Another want: said anew. */
	want(2, DR_WANT_FINALITY, 1, 30);
	run(3000);
	assert_true(said(0, DR_STATUS_FINAL, 8));
	end();
}

static void test_quorum_with_one_dead(void **state)
{
	(void)state;
	begin(DEAD, NONE, NONE);
	credit(1 << 20);
	want(1, DR_WANT_FINALITY, 1, 256);
	run(5000);
	assert_true(said(1, DR_STATUS_FINAL, 5) && said(2, DR_STATUS_FINAL, 5));
	assert_true(in_state(0, DR_ENDPOINT_ASIDE));
	minds[0].flaw = NONE;
	run(31000);
	assert_true(in_state(0, DR_ENDPOINT_GOOD) && said(0, DR_STATUS_FINAL, 8));
	end();
}

static void test_wrong_chain(void **state)
{
	(void)state;
	begin(OTHER_CHAIN, OTHER_GENESIS, NONE);
	credit(1 << 20);
	want(1, DR_WANT_HEADER, 7, 7);
	run(3000);
	assert_true(in_state(0, DR_ENDPOINT_WRONG_CHAIN) && in_state(1, DR_ENDPOINT_WRONG_CHAIN));
	assert_true(in_state(2, DR_ENDPOINT_GOOD));
	assert_int_equal(count(DR_MSG_FRAME, -1, NULL), 1);
	assert_int_equal(count(DR_MSG_FRAME, 2, NULL), 1);
	assert_int_equal(minds[0].asked, 1); /* not before a minute */
	end();
}

static void test_withholds_named(void **state)
{
	const struct note *last = NULL;

	(void)state;
	begin(NONE, WITHHOLDS, NONE);
	credit(1 << 20);
	want(1, DR_WANT_FINALITY, 1, 256);
	run(5000);
	assert_true(in_state(1, DR_ENDPOINT_LAGS));
	assert_true(count(DR_MSG_UNAVAILABLE, 1, &last) > 0);
	assert_non_null(strstr(last->text, "does not have a block that it named"));
	assert_int_equal(count(DR_MSG_FRAME, 1, NULL), 0);
	end();
}

/* Flawed endpoints, one want; who answers in the end, and what is said about the others. */
static void test_flaws(void **state)
{
	static const struct {
		const char *name;
		enum flaw flaw; /* of endpoints 0 and 1 */
		enum dr_want_kind kind;
		uint64_t first, last;
		size_t bad_frames;   /* from each of them */
		size_t good_frames;  /* from endpoint 2, or from the flawed if none there */
		bool aside, lacking; /* said about each */
	} rows[] = {
		{ "header", NONE, DR_WANT_HEADER, 7, 7, 0, 1, false, false },
		{ "false header", FALSE_HEADERS, DR_WANT_HEADER, 7, 7, 1, 1, true, true },
		{ "null header", NO_BLOCKS, DR_WANT_HEADER, 7, 7, 0, 1, false, true },
		{ "dead", DEAD, DR_WANT_HEADER, 7, 7, 0, 1, true, false },
		{ "headers", NONE, DR_WANT_HEADERS, 3, 7, 0, 5, false, false },
		{ "false headers", FALSE_HEADERS, DR_WANT_HEADERS, 3, 7, 1, 5, true, true },
		{ "headers of another number", OTHER_NUMBER, DR_WANT_HEADERS, 3, 7, 2, 5, false, true },
		{ "first header of another number", OTHER_NUMBER, DR_WANT_HEADERS, 5, 7, 0, 3, false, true },
		{ "headers that do not link", UNLINKED, DR_WANT_HEADERS, 3, 7, 3, 5, false, true },
		{ "receipts", NONE, DR_WANT_RECEIPTS, 7, 7, 0, 1, false, false },
		{ "withheld receipts", NO_RECEIPTS, DR_WANT_RECEIPTS, 7, 7, 1, 1, true, true },
		{ "false receipts", FALSE_RECEIPTS, DR_WANT_RECEIPTS, 7, 7, 1, 1, true, true },
		{ "receipts of another block", OTHER_IS_EMPTY, DR_WANT_RECEIPTS, 7, 7, 0, 1, false, true },
		{ "receipts of a false block", FALSE_HEADERS, DR_WANT_RECEIPTS, 7, 7, 0, 1, true, true },
		{ "logs", NONE, DR_WANT_LOGS, 3, 7, 0, 1, false, false },
		{ "no proofs", NONE, DR_WANT_STATE, 7, 7, 0, 0, false, true },
		{ "false proofs", FALSE_STATE, DR_WANT_STATE, 5, 5, 1, 0, true, true },
		{ "proofs on another chain meanwhile", LEAVES, DR_WANT_STATE, 5, 5, 0, 0, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(rows[i].flaw, rows[i].flaw, NONE);
		credit(1 << 20);
		/* Only the flawed exist at first, so that both are asked before the good one. */
		minds[2].flaw = OTHER_CHAIN;
		run(200);
		want(9, rows[i].kind, rows[i].first, rows[i].last);
		run(4000);
		size_t flawed = count(DR_MSG_FRAME, 0, NULL) + count(DR_MSG_FRAME, 1, NULL);

		if (rows[i].flaw == NONE) {
			if (flawed != rows[i].good_frames)
				fail_msg("%s: %zu frames", rows[i].name, flawed);
		} else {
			minds[2].flaw = NONE;
			run(70000);
			for (uint16_t e = 0; e < 2; e++) {
				const bool aside =
					count(DR_MSG_ENDPOINT, e, NULL) > 1 || in_state(e, DR_ENDPOINT_ASIDE);

				if (rows[i].aside != aside ||
				    (count(DR_MSG_UNAVAILABLE, e, NULL) > 0) != rows[i].lacking)
					fail_msg("%s: endpoint %u: aside %d, unavailable %zu", rows[i].name, e, aside,
						 count(DR_MSG_UNAVAILABLE, e, NULL));
				if (rows[i].bad_frames == 0)
					assert_int_equal(count(DR_MSG_FRAME, e, NULL), 0);
				else if (count(DR_MSG_FRAME, e, NULL) < rows[i].bad_frames)
					fail_msg("%s: endpoint %u sent nothing", rows[i].name, e);
			}
			if (count(DR_MSG_FRAME, 2, NULL) < rows[i].good_frames)
				fail_msg("%s: the good one sent %zu", rows[i].name, count(DR_MSG_FRAME, 2, NULL));
		}
		end();
	}
}

/* Endpoints that lack eth_getBlockReceipts in one form or the other give the same receipts. */
static void test_receipts_ways(void **state)
{
	struct dr_bytes first = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		const enum flaw flaw = i == 0 ? NONE : i == 1 ? BY_NUMBER_ONLY : BY_TX_ONLY;
		const struct note *frame = NULL;

		begin(flaw, flaw, flaw);
		credit(1 << 20);
		want(3, DR_WANT_RECEIPTS, 7, 7);
		run(500);
		assert_int_equal(count(DR_MSG_FRAME, -1, &frame), 1);
		assert_int_equal(count(DR_MSG_UNAVAILABLE, -1, NULL), 0);
		if (i == 0)
			first = frame->payload;
		assert_true(dr_bytes_eq(first, frame->payload));
		end();
	}
}

static void test_logs_split(void **state)
{
	const struct note *frame = NULL;
	struct dr_bytes first;

	(void)state;
	begin(NONE, NONE, NONE);
	credit(1 << 20);
	want(3, DR_WANT_LOGS, 2, 21);
	/* Nobody is as far: their lists would be true of what they have, and false of what was asked. */
	run(500);
	assert_int_equal(count(DR_MSG_FRAME, -1, &frame), 0);
	for (uint16_t e = 0; e < ENDPOINTS; e++)
		assert_true(count(DR_MSG_UNAVAILABLE, e, NULL) > 0 && !in_state(e, DR_ENDPOINT_ASIDE));
	minds[2].latest = 21;
	run(5000);
	assert_int_equal(count(DR_MSG_FRAME, 2, &frame), 1);
	first = frame->payload;
	end();
	begin(SHORT_LOGS, SHORT_LOGS, SHORT_LOGS);
	minds[0].latest = minds[1].latest = minds[2].latest = 21;
	credit(1 << 20);
	want(3, DR_WANT_LOGS, 2, 21);
	run(500);
	assert_int_equal(count(DR_MSG_FRAME, -1, &frame), 1);
	assert_true(dr_bytes_eq(first, frame->payload));
	assert_int_equal(first.len, 32 + 20 + 8 + 8 + 4 + 20 * (8 + 32 + 4 + 2));
	end();
}

/* Nobody has it: the core is told once per round, and asked for again and again. */
static void test_for_ever(void **state)
{
	size_t rounds;

	(void)state;
	begin(NO_BLOCKS, NO_BLOCKS, NO_BLOCKS);
	credit(1 << 20);
	want(3, DR_WANT_HEADER, 7, 7);
	run(20000);
	rounds = count(DR_MSG_UNAVAILABLE, DR_SOURCE_CORE, NULL);
	assert_true(rounds >= 4 && rounds <= 8); /* 0.5, 1, 2, 4, 8 s between them */
	minds[1].flaw = NONE;
	run(26000);
	assert_int_equal(count(DR_MSG_FRAME, 1, NULL), 2); /* and again after 10 s */
	end();
}

/* Nobody but liars: they are asked again before their time is over. */
static void test_only_liars(void **state)
{
	(void)state;
	begin(FALSE_HEADERS, FALSE_HEADERS, FALSE_HEADERS);
	credit(1 << 20);
	want(3, DR_WANT_HEADER, 7, 7);
	run(1000);
	for (uint16_t e = 0; e < ENDPOINTS; e++) {
		assert_true(in_state(e, DR_ENDPOINT_ASIDE));
		minds[e].flaw = NONE;
	}
	num_notes = 0;
	run(9000);
	assert_int_equal(count(DR_MSG_FRAME, -1, NULL), 1);
	end();
}

static void test_credit(void **state)
{
	(void)state;
	begin(NONE, NONE, NONE);
	want(3, DR_WANT_HEADERS, 1, 4);
	run(2000);
	assert_int_equal(count(DR_MSG_FRAME, -1, NULL), 0);
	credit(700); /* one header is about 540 bytes */
	run(200);
	assert_int_equal(count(DR_MSG_FRAME, -1, NULL), 1);
	credit(10000);
	run(200);
	assert_int_equal(count(DR_MSG_FRAME, -1, NULL), 4);
	end();
}

static void test_answered_once(void **state)
{
	(void)state;
	begin(NONE, NONE, NONE);
	credit(1 << 20);
	want(3, DR_WANT_HEADER, 7, 7);
	run(9000);
	assert_int_equal(count(DR_MSG_FRAME, -1, NULL), 1);
	run(3000);
	assert_int_equal(count(DR_MSG_FRAME, -1, NULL), 2);
	const uint8_t id[4] = { 0, 0, 0, 3 };

	message(DR_MSG_CANCEL, dr_bytes_of(id, 4), DR_OK);
	run(30000);
	assert_int_equal(count(DR_MSG_FRAME, -1, NULL), 2);
	end();
}

static void test_refused(void **state)
{
	uint16_t liar;

	(void)state;
	begin(NONE, NONE, NONE);
	credit(1 << 20);
	want(3, DR_WANT_HEADER, 7, 7);
	run(300);
	assert_int_equal(count(DR_MSG_FRAME, -1, NULL), 1);
	for (liar = 0; count(DR_MSG_FRAME, liar, NULL) == 0; liar++)
		;
	const unsigned asked = minds[liar].asked;

	refuse(3, liar, DR_ERR_PROOF);
	run(20000);
	assert_true(in_state(liar, DR_ENDPOINT_ASIDE));
	assert_int_equal(minds[liar].asked, asked);
	assert_true(count(DR_MSG_FRAME, -1, NULL) > 1);
	assert_int_equal(count(DR_MSG_FRAME, liar, NULL), 1);
	run(15000); /* 30 s are over */
	assert_true(in_state(liar, DR_ENDPOINT_GOOD));
	refuse(3, liar, DR_ERR_PROOF);
	refuse(3, 99, DR_ERR_PROOF); /* no such endpoint */
	refuse(4, 1, DR_ERR_SYNTAX); /* no such want */
	run(50000);
	assert_true(in_state(liar, DR_ENDPOINT_ASIDE)); /* twice as long */
	end();
}

/* Refused for another reason than a lie: no pause for that endpoint, but another one's turn. */
static void test_refused_harmlessly(void **state)
{
	uint16_t first;

	(void)state;
	begin(NONE, NONE, NONE);
	credit(1 << 20);
	for (uint32_t id = 3; id < 9; id++) {
		num_notes = 0;
		want(id, DR_WANT_HEADER, 7, 7);
		run(300);
		for (first = 0; count(DR_MSG_FRAME, first, NULL) == 0; first++)
			;
		refuse(id, first, DR_ERR_SYNTAX);
		run(300);
		assert_int_equal(count(DR_MSG_FRAME, -1, NULL), 2);
		assert_int_equal(count(DR_MSG_FRAME, first, NULL), 1);
		assert_true(in_state(first, DR_ENDPOINT_GOOD) || count(DR_MSG_ENDPOINT, first, NULL) == 0);
		const uint8_t be[4] = { 0, 0, 0, (uint8_t)id };

		message(DR_MSG_CANCEL, dr_bytes_of(be, 4), DR_OK);
	}
	end();
	/* Nobody else: a pause all the same. */
	begin(NONE, OTHER_CHAIN, OTHER_CHAIN);
	credit(1 << 20);
	want(3, DR_WANT_HEADER, 7, 7);
	run(300);
	refuse(3, 0, DR_ERR_SYNTAX);
	run(200);
	assert_int_equal(count(DR_MSG_FRAME, 0, NULL), 1);
	assert_int_equal(count(DR_MSG_UNAVAILABLE, DR_SOURCE_CORE, NULL), 1);
	end();
}

/* What an endpoint lacks is remembered: the second block's receipts come the way that works, at once. */
static void test_receipts_remembered(void **state)
{
	static const enum flaw flaws[] = { NONE, BY_NUMBER_ONLY, BY_TX_ONLY };
	static const unsigned expected[] = { 1, 1, 2 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		begin(flaws[i], OTHER_CHAIN, OTHER_CHAIN);
		credit(1 << 20);
		want(3, DR_WANT_RECEIPTS, 7, 7);
		run(500);
		const unsigned asked = minds[0].asked;

		want(4, DR_WANT_RECEIPTS, 7, 7);
		run(500);
		assert_int_equal(count(DR_MSG_FRAME, 0, NULL), 2);
		assert_int_equal(minds[0].asked - asked, expected[i]);
		end();
	}
}

static void test_spread(void **state)
{
	size_t per[ENDPOINTS] = { 0 };

	(void)state;
	begin(NONE, NONE, NONE);
	credit(1 << 20);
	run(200);
	for (uint32_t i = 0; i < 12; i++)
		want(i + 1, DR_WANT_RECEIPTS, i + 1, i + 1);
	run(500);
	for (uint16_t e = 0; e < ENDPOINTS; e++)
		per[e] = count(DR_MSG_FRAME, e, NULL);
	assert_int_equal(per[0] + per[1] + per[2], 12);
	assert_true(per[0] == 4 && per[1] == 4 && per[2] == 4);
	end();
}

static void test_bad_messages(void **state)
{
	static const uint8_t zeros[16];
	const struct dr_want twice = want_of(5, DR_WANT_HEADER, 7, 7);
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_buf buf;
	uint16_t type;
	size_t used;

	(void)state;
	begin(NONE, NONE, NONE);
	message(DR_MSG_INIT, dr_bytes_of(zeros, 0), DR_ERR_UNKNOWN);
	message(DR_MSG_CREDIT, dr_bytes_of(zeros, 7), DR_ERR_SHORT);
	message(DR_MSG_CREDIT, dr_bytes_of(zeros, 9), DR_ERR_SYNTAX);
	message(DR_MSG_CANCEL, dr_bytes_of(zeros, 3), DR_ERR_SHORT);
	message(DR_MSG_WANT, dr_bytes_of(zeros, 3), DR_ERR_SHORT);
	message(DR_MSG_REFUSED, dr_bytes_of(zeros, 2), DR_ERR_SHORT);
	message(DR_MSG_CANCEL, dr_bytes_of(zeros, 4), DR_OK); /* of what was answered meanwhile */
	want_that(&twice);
	dr_buf_init(&buf, 1 << 20);
	assert_int_equal(dr_want_put(&buf, DR_MSG_WANT, &twice, &fail), DR_OK);
	assert_int_equal(dr_msg_get(&type, &payload, &used, dr_buf_view(&buf), &fail), DR_OK);
	message(type, payload, DR_ERR_NONCANONICAL);
	for (uint32_t i = 0; i < 2 * DR_WANTS_MAX - 1; i++)
		want(100 + i, DR_WANT_HEADER, 7, 7);
	buf.len = 0;
	struct dr_want more = want_of(999, DR_WANT_HEADER, 7, 7);

	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_want_put(&buf, DR_MSG_WANT, &more, &fail), DR_OK);
	assert_int_equal(dr_msg_get(&type, &payload, &used, dr_buf_view(&buf), &fail), DR_OK);
	message(type, payload, DR_ERR_LIMIT);
	dr_buf_free(&buf);
	end();
}

/* Every answer takes longer than words stay fresh: data is asked for all the same, and words are asked on. */
static void test_slow(void **state)
{
	struct dr_fail fail = { 0 };

	(void)state;
	begin(NONE, NONE, NONE);
	minds[2].final_ = minds[0].final_;
	minds[2].latest = minds[0].latest;
	minds[1] = minds[0];
	credit(1 << 20);
	want(1, DR_WANT_FINALITY, 1, 256);
	for (int trip = 0; trip < 12; trip++) {
		if (trip == 4)
			want(2, DR_WANT_HEADERS, 2, 9);
		assert_int_equal(dr_plan_tick(plan, now, &fail), DR_OK);
		now += 11000;
		for (uint16_t e = 0; e < ENDPOINTS; e++)
			if (minds[e].calls != NULL)
				answer(e);
		notes_take(plan);
	}
	/* Besides two words of each. */
	assert_true(count(DR_MSG_FRAME, -1, NULL) >= 2 * ENDPOINTS + 8);
	end();
}

/* What is false does not wait for credit, as what is true does. */
static void test_false_without_credit(void **state)
{
	(void)state;
	begin(FALSE_RECEIPTS, OTHER_CHAIN, OTHER_CHAIN);
	want(3, DR_WANT_RECEIPTS, 7, 7);
	run(300);
	assert_true(in_state(0, DR_ENDPOINT_ASIDE));
	credit(1 << 20);
	run(100);
	assert_int_equal(count(DR_MSG_FRAME, 0, NULL), 0);
	run(3000);
	assert_true(count(DR_MSG_FRAME, 0, NULL) > 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finality),
		cmocka_unit_test(test_changes_its_mind),
		cmocka_unit_test(test_finality_bounds),
		cmocka_unit_test(test_quorum_with_one_dead),
		cmocka_unit_test(test_wrong_chain),
		cmocka_unit_test(test_withholds_named),
		cmocka_unit_test(test_flaws),
		cmocka_unit_test(test_receipts_ways),
		cmocka_unit_test(test_logs_split),
		cmocka_unit_test(test_for_ever),
		cmocka_unit_test(test_only_liars),
		cmocka_unit_test(test_credit),
		cmocka_unit_test(test_answered_once),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_harmlessly),
		cmocka_unit_test(test_receipts_remembered),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_false_without_credit),
		cmocka_unit_test(test_bad_messages),
	};

	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
