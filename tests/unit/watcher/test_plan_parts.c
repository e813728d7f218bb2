/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/watcher/world.h"

/* Two that have 31 blocks, and a want for 30 of them. */
static void begin_two(enum flaw one, enum flaw two)
{
	begin(one, two, DEAD);
	minds[0].latest = minds[1].latest = 31;
	credit(1 << 20);
	want(2, DR_WANT_HEADERS, 1, 30);
}

/* The want anew, under another number. */
static void want_again(uint8_t id)
{
	message(DR_MSG_CANCEL, dr_bytes_of((const uint8_t[4]){ 0, 0, 0, (uint8_t)(id - 1) }, 4), DR_OK);
	num_notes = 0;
	want(id, DR_WANT_HEADERS, 1, 30);
}

/* The first of the two answers, and nobody else, until `type` was said num times of it, or many times. */
static void first_answers(uint16_t type, unsigned num, uint64_t step_ms)
{
	struct dr_fail fail = { 0 };

	for (size_t i = 0; i < 40 && count(type, 0, NULL) < num; i++, now += step_ms) {
		assert_int_equal(dr_plan_tick(plan, now, &fail), DR_OK);
		if (minds[0].calls != NULL)
			answer(0);
		notes_take(plan);
	}
	assert_in_range(count(DR_MSG_FRAME, 0, NULL), 8, 29);
}

/* Who answers in time, but never as much as is asked at once, is asked for less: by and by all of it comes. */
static void test_slow_headers(void **state)
{
	(void)state;
	begin(SLOW, DEAD, DEAD);
	minds[0].latest = 31;
	credit(1 << 20);
	want(2, DR_WANT_HEADERS, 1, 30);
	run(9000);
	assert_int_equal(count(DR_MSG_FRAME, 0, NULL), 4 + 30);
	/* In time at last: as many as before at once. */
	minds[0].flaw = NONE;
	for (uint8_t id = 3; id < 10; id++) {
		want_again(id);
		run(900);
	}
	const unsigned asked = minds[0].asked;

	want_again(10);
	run(100);
	assert_int_equal(count(DR_MSG_FRAME, 0, NULL), 30);
	assert_true(minds[0].asked <= asked + 3);
	end();
}

/* What is had in parts is had from one: a liar that puts headers of its own between the parts of another, on top of
 * them, would keep that one from ever coming to the end. */
static void test_comes_between(void **state)
{
	const struct note *frame = NULL;

	(void)state;
	begin_two(SLOW, COMES_BETWEEN);
	run(20000);
	assert_true(count(DR_MSG_FRAME, 1, NULL) > 0);
	assert_true(count(DR_MSG_FRAME, 0, &frame) >= 30);
	struct dr_evm_header h;
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_evm_header_decode(&h, frame->payload, &fail), DR_OK);
	assert_int_equal(h.number, 30);
	end();
	/* The core refuses what one told: all of it is another's turn, though that one is good and could go on. */
	begin_two(SLOW, SLOW);
	run(200);
	run(3000);
	want_again(3);
	first_answers(DR_MSG_FRAME, 8, 10);
	refuse(3, 0, DR_ERR_STALE);
	num_notes = 0;
	run(1000);
	assert_true(count(DR_MSG_FRAME, 1, NULL) > 0);
	end();
}

/* Part after part in time, and all of them take longer than a turn: another's comes. */
static void test_turn(void **state)
{
	(void)state;
	begin_two(SLOW, SLOW);
	run(3000);
	want_again(3);
	first_answers(DR_MSG_UNAVAILABLE, 1, 60000);
	assert_int_equal(count(DR_MSG_UNAVAILABLE, 0, NULL), 1);
	assert_false(in_state(0, DR_ENDPOINT_ASIDE));
	end();
}

/* Down to the first block of all. */
static void test_parents(void **state)
{
	const struct note *frame = NULL;
	struct dr_evm_header h;
	struct dr_fail fail = { 0 };

	(void)state;
	begin(NONE, DEAD, DEAD);
	credit(1 << 20);
	want(2, DR_WANT_PARENTS, 0, 3);
	run(500);
	assert_int_equal(count(DR_MSG_FRAME, 0, &frame), 4);
	assert_int_equal(dr_evm_header_decode(&h, frame->payload, &fail), DR_OK);
	assert_int_equal(h.number, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_headers),
		cmocka_unit_test(test_comes_between),
		cmocka_unit_test(test_turn),
		cmocka_unit_test(test_parents),
	};

	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
