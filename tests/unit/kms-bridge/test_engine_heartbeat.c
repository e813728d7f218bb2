/* SPDX-License-Identifier: Apache-2.0
 *
 * What seals beside the chain and the clocks: a heartbeat that is required and not seen, and the host's own reason.
 */
#include "tests/unit/kms-bridge/engine_kit.h"

static struct engine_kit *new_kit(struct world *w, bool required)
{
	struct dr_init init;

	ek_init(&init, w, DR_WAY_BLOOM, 512);
	init.heartbeat = required;
	return ek_new_init(w, &init);
}

static void expect(struct engine_kit *k, const char *expected)
{
	const char *why;
	const bool is = dr_engine_sealed(k->e, &why);

	assert_int_equal(is, ek_ask(k) == DR_DENY_SEALED);
	if (!is ? expected[0] != '\0' : expected[0] == '\0' || strstr(why, expected) == NULL)
		fail_msg("expected \"%s\", got \"%s\"", expected, why);
}

static void draw(struct engine_kit *k, unsigned value)
{
	const struct w nonce = kit_n(value);
	const size_t notes = k->num_notes[DR_NOTE_HEARTBEAT];

	memset(&k->fail, 0, sizeof(k->fail));
	assert_int_equal(dr_engine_nonce(k->e, nonce.b, &k->fail), DR_OK);
	assert_int_equal(k->num_notes[DR_NOTE_HEARTBEAT], notes + 1);
	assert_non_null(strstr(k->note.detail, "drawn"));
	assert_memory_equal(k->note.hash, nonce.b, 32);
}

/* dt seconds go by for the clocks and the chain; with a heartbeat by that account, if it is one. */
static void block(struct engine_kit *k, uint64_t dt, uint8_t by, unsigned value)
{
	struct world *w = k->w;

	if (by != 0)
		ACT(w->k, DR_ACTION_HEARTBEAT, 0, by, 0, kit_n(value));
	w->forge->final_number = world_block(w, dt)->header.number;
	ek_clock(k, k->boot_ms + dt * 1000, k->wall_ms + dt * 1000);
	ek_run(k, w->forge->final_number);
	kit_assert_fail(DR_OK, &k->fail);
}

static void expect_age(struct engine_kit *k, bool required, uint64_t age_s)
{
	struct dr_status_report *report = (struct dr_status_report *)kit_alloc(sizeof(*report));

	dr_engine_status(k->e, report);
	assert_int_equal(report->heartbeat, required);
	assert_int_equal(report->heartbeat_age_s, age_s);
	if (required && !report->sealed)
		assert_true(report->lease_left_s <= LEASE_S - age_s);
}

#define BEAT "no heartbeat of this boot"

static void test_required(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 80);
	struct engine_kit *k = new_kit(&w, true);

	assert_false(dr_engine_nonce_wanted(k->e));
	ek_start(k);
	assert_false(dr_engine_nonce_wanted(k->e)); /* not before the chain was heard */
	expect(k, "since the start");
	ek_run(k, RIGHT);
	expect(k, BEAT);
	expect_age(k, true, UINT64_MAX);
	assert_true(dr_engine_nonce_wanted(k->e));
	draw(k, 1);
	assert_false(dr_engine_nonce_wanted(k->e));
	block(k, 10, 0, 0);
	expect(k, BEAT);
	/* Another's account; a nonce that was not drawn. */
	block(k, 10, EVE, 1);
	expect(k, BEAT);
	block(k, 10, NODE, 2);
	expect(k, BEAT);
	assert_int_equal(k->num_notes[DR_NOTE_HEARTBEAT], 1);
	block(k, 10, NODE, 1);
	expect(k, "");
	assert_int_equal(ek_ask(k), DR_DENY_NONE);
	expect_age(k, true, 40);
	assert_int_equal(k->num_notes[DR_NOTE_HEARTBEAT], 2);
	assert_true(dr_engine_nonce_wanted(k->e));
	/* It is seen once, however often it is sent. */
	block(k, 10, NODE, 1);
	block(k, 10, 0, 0);
	assert_int_equal(k->num_notes[DR_NOTE_HEARTBEAT], 2);
	/* It stands for the limit, counted from its draw, whatever the chain does. */
	block(k, LEASE_S - 60, 0, 0);
	expect(k, "");
	expect_age(k, true, LEASE_S);
	ek_clock(k, k->boot_ms + 999, k->wall_ms);
	expect(k, "");
	ek_clock(k, k->boot_ms + 1, k->wall_ms);
	expect(k, BEAT);
	block(k, 10, 0, 0);
	expect(k, BEAT);
	/* The next one; drawn, and seen a little later. */
	draw(k, 3);
	block(k, 100, NODE, 3);
	expect(k, "");
	expect_age(k, true, 100);
	/* One that took longer than the limit is seen, and is worth nothing. */
	draw(k, 4);
	for (int i = 0; i < 10; i++)
		block(k, 61, i == 9 ? NODE : 0, 4);
	assert_int_equal(k->num_notes[DR_NOTE_HEARTBEAT], 6);
	expect(k, BEAT);
	expect_age(k, true, 610);
	ek_free(k);
	world_free(&w);
}

/* Only what was drawn since this START counts, and only in a final state. */
static void test_this_boot(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 81);
	struct engine_kit *k = new_kit(&w, true);

	ek_start(k);
	ek_run(k, RIGHT);
	draw(k, 1);
	block(k, 10, NODE, 1);
	expect(k, "");
	draw(k, 2);
	ek_start(k);
	assert_false(dr_engine_nonce_wanted(k->e));
	expect_age(k, true, UINT64_MAX);
	block(k, 10, 0, 0);
	expect(k, BEAT);
	assert_true(dr_engine_nonce_wanted(k->e));
	block(k, 10, NODE, 2);
	expect(k, BEAT);
	draw(k, 3);
	/* At a head it is not seen yet. */
	w.forge->heads = true;
	ACT(w.k, DR_ACTION_HEARTBEAT, 0, NODE, 0, kit_n(3));
	world_block(&w, 10);
	for (int i = 0; i < 4; i++)
		ek_round(k);
	expect(k, BEAT);
	w.forge->final_number = w.tip->header.number;
	ek_run(k, w.forge->final_number);
	expect(k, "");
	/* A replay, and a refold, see the same. */
	struct engine_kit *again = new_kit(&w, true);

	ek_replay(again, dr_buf_view(&k->kept));
	ek_same(k, again);
	assert_true(dr_bytes_eq(dr_buf_view(&k->kept), dr_buf_view(&again->kept)));
	assert_int_equal(again->num_notes[DR_NOTE_HEARTBEAT], k->num_notes[DR_NOTE_HEARTBEAT]);
	expect(again, "");
	ek_free(again);
	ek_free(k);
	world_free(&w);
}

/* Sixteen that were not seen are remembered; one that is seen ends all that were drawn before it. */
static void test_ring(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 82);
	struct engine_kit *k = new_kit(&w, true);
	size_t notes;

	ek_start(k);
	ek_run(k, RIGHT);
	for (unsigned i = 1; i <= 17; i++) {
		draw(k, i);
		block(k, 1, 0, 0);
	}
	notes = k->num_notes[DR_NOTE_HEARTBEAT];
	block(k, 1, NODE, 1);
	expect(k, BEAT);
	block(k, 1, NODE, 2);
	expect(k, "");
	expect_age(k, true, 18);
	block(k, 1, NODE, 10);
	expect_age(k, true, 11);
	assert_int_equal(k->num_notes[DR_NOTE_HEARTBEAT], notes + 2);
	assert_false(dr_engine_nonce_wanted(k->e));
	block(k, 1, NODE, 5);
	expect_age(k, true, 12);
	assert_int_equal(k->num_notes[DR_NOTE_HEARTBEAT], notes + 2);
	block(k, 1, NODE, 17);
	expect_age(k, true, 6);
	assert_true(dr_engine_nonce_wanted(k->e));
	ek_free(k);
	world_free(&w);
}

static void test_wanted(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 83);
	struct engine_kit *k = new_kit(&w, false);

	ek_start(k);
	/* Where it is not required it seals nothing; its age is known all the same. */
	ek_run(k, RIGHT);
	expect(k, "");
	draw(k, 1);
	ek_clock(k, k->boot_ms + LEASE_S * 250, k->wall_ms);
	assert_false(dr_engine_nonce_wanted(k->e));
	ek_clock(k, k->boot_ms + 250, k->wall_ms);
	assert_true(dr_engine_nonce_wanted(k->e));
	/* Not while anything else seals. */
	assert_int_equal(dr_engine_hold(k->e, "sealed: by the host", &k->fail), DR_OK);
	assert_false(dr_engine_nonce_wanted(k->e));
	assert_int_equal(dr_engine_hold(k->e, NULL, &k->fail), DR_OK);
	ek_clock(k, k->boot_ms + LEASE_S * 1000, k->wall_ms + LEASE_S * 1000);
	expect(k, "older than max_staleness");
	assert_false(dr_engine_nonce_wanted(k->e));
	block(k, 10, 0, 0);
	expect(k, "");
	assert_true(dr_engine_nonce_wanted(k->e));
	draw(k, 2);
	assert_false(dr_engine_nonce_wanted(k->e));
	expect_age(k, false, UINT64_MAX);
	block(k, 10, NODE, 2);
	expect_age(k, false, 10);
	assert_true(dr_engine_nonce_wanted(k->e));
	ek_free(k);
	world_free(&w);
}

static void test_frame(void **state)
{
	static const size_t lens[] = { 0, 1, 31, 33 };
	const uint8_t bytes[33] = { 1 };
	struct world w;

	(void)state;
	world_new(&w, 84);
	struct engine_kit *k = new_kit(&w, true);

	ek_start(k);
	ek_run(k, RIGHT);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		const struct dr_frame frame = { DR_FRAME_NONCE, DR_SOURCE_CORE, { bytes, lens[i] } };
		struct dr_fail fail = { 0 };
		const size_t kept = k->num_kept;

		assert_int_not_equal(dr_engine_core_frame(k->e, NULL, &frame, &fail), DR_OK);
		assert_int_equal(k->num_kept, kept);
		assert_true(dr_engine_nonce_wanted(k->e));
	}
	/* Nobody but the core stamps it. */
	ek_feed(k, (struct dr_frame){ DR_FRAME_NONCE, 0, { bytes, 32 } });
	assert_int_equal(k->take, DR_TAKE_REFUSED);
	assert_true(dr_engine_nonce_wanted(k->e));
	/* What cannot be kept was not drawn, and nothing is drawn after it. */
	k->fail_at = k->calls + 1;
	assert_int_equal(dr_engine_nonce(k->e, bytes, &k->fail), DR_ERR_IO);
	assert_false(dr_engine_nonce_wanted(k->e));
	expect(k, "must stop");
	ek_free(k);
	world_free(&w);
}

static void hold(struct engine_kit *k, const char *why, unsigned expected_notes)
{
	const size_t notes = k->num_notes[DR_NOTE_LEASE];

	memset(&k->fail, 0, sizeof(k->fail));
	assert_int_equal(dr_engine_hold(k->e, why, &k->fail), DR_OK);
	assert_int_equal(k->num_notes[DR_NOTE_LEASE], notes + expected_notes);
}

#define ROLLED  "sealed: the directory is older than the chain says"
#define FOREIGN "sealed: the published keys are not ours"

static void test_hold(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 85);
	struct engine_kit *k = new_kit(&w, false);
	struct dr_status_report *report = (struct dr_status_report *)kit_alloc(sizeof(*report));

	/* Before START, and over it. */
	hold(k, ROLLED, 0);
	expect(k, "not started");
	ek_start(k);
	expect(k, ROLLED);
	assert_string_equal(k->note.detail, ROLLED);
	ek_run(k, RIGHT);
	expect(k, ROLLED);
	ek_request(k);
	assert_int_equal(k->answers[0].deny, DR_DENY_SEALED);
	hold(k, ROLLED, 0);
	hold(k, FOREIGN, 1);
	expect(k, FOREIGN);
	dr_engine_status(k->e, report);
	assert_true(report->sealed);
	assert_string_equal(report->why, FOREIGN);
	assert_int_equal(report->lease_left_s, 0);
	assert_string_equal(k->note.detail, FOREIGN);
	hold(k, NULL, 1);
	expect(k, "");
	assert_int_equal(ek_ask(k), DR_DENY_NONE);
	hold(k, NULL, 0);
	/* Released while something else seals. */
	hold(k, ROLLED, 1);
	ek_clock(k, k->boot_ms, k->wall_ms + 2 * LEASE_S * 1000);
	expect(k, ROLLED);
	hold(k, NULL, 1);
	expect(k, "against boot-time");
	hold(k, ROLLED, 1);
	ek_clock(k, k->boot_ms, k->wall_ms - 2 * LEASE_S * 1000);
	expect(k, ROLLED);
	hold(k, NULL, 1);
	expect(k, "");
	/* A failed engine says so, and takes none. */
	k->fail_at = k->calls + 1;
	assert_int_equal(dr_engine_hold(k->e, ROLLED, &k->fail), DR_ERR_IO);
	expect(k, "must stop");
	assert_int_equal(dr_engine_hold(k->e, NULL, &k->fail), DR_ERR_IO);
	expect(k, "must stop");
	ek_free(k);
	world_free(&w);
}

/* A hold is no evidence, and changes none: a replay that knows nothing of it believes the clocks at the same frame,
 * and answers what follows alike. */
static void test_hold_replay(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 86);
	struct engine_kit *k = new_kit(&w, false), *again;

	hold(k, ROLLED, 0);
	ek_start(k);
	ek_run(k, RIGHT);
	/* Held, the wall clock goes far ahead, and is believed there by nobody. */
	ek_clock(k, k->boot_ms, k->wall_ms + (LEASE_S + 10) * 1000);
	ek_clock(k, k->boot_ms, k->wall_ms - (LEASE_S + 10) * 1000);
	ek_clock(k, k->boot_ms, k->wall_ms + LEASE_S / 2 * 1000);
	hold(k, NULL, 1);
	expect(k, "");
	ek_request(k);
	ek_clock(k, k->boot_ms, k->wall_ms - (LEASE_S + 10) * 1000);
	expect(k, "");
	ek_request(k);
	ek_clock(k, k->boot_ms, k->wall_ms - (LEASE_S - 20) * 1000);
	expect(k, "against boot-time");
	ek_request(k);
	again = new_kit(&w, false);
	ek_replay(again, dr_buf_view(&k->kept));
	ek_same(k, again);
	assert_int_equal(again->num_answers, 3);
	assert_memory_equal(k->answers, again->answers, 3 * sizeof(k->answers[0]));
	expect(again, "against boot-time");
	ek_free(again);
	ek_free(k);
	world_free(&w);
}

/* What is worse is told before it. */
static void test_hold_halted(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 87);
	struct engine_kit *k = new_kit(&w, false);
	struct forge_block *other = forge_block(w.forge, w.tip->parent, 1, NULL, 0, NULL);

	ek_start(k);
	ek_run(k, RIGHT);
	hold(k, ROLLED, 1);
	ek_feed(k, frame_named(DR_STATUS_FINAL, other, 0));
	ek_feed(k, frame_named(DR_STATUS_FINAL, other, 1));
	expect(k, "halted");
	hold(k, NULL, 0);
	expect(k, "halted");
	ek_free(k);
	world_free(&w);
}

static void test_rotation_deadline(void **state)
{
	struct dr_status_report *report = (struct dr_status_report *)kit_alloc(sizeof(*report));
	struct world w;

	(void)state;
	world_new(&w, 88);
	struct engine_kit *k = new_kit(&w, false);
	const uint64_t deadline = w.tip->header.timestamp + 5000;

	ek_start(k);
	ek_run(k, RIGHT);
	dr_engine_status(k->e, report);
	assert_int_equal(report->rotation_deadline, 0);
	ACT(w.k, DR_ACTION_ROOT_EXPOSE, 0, GUARDIAN, 0, kit_n(1), kit_n(deadline));
	block(k, 10, 0, 0);
	dr_engine_status(k->e, report);
	assert_int_equal(report->rotation_deadline, deadline);
	ek_free(k);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_required),
		cmocka_unit_test(test_this_boot),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_hold_replay),
		cmocka_unit_test(test_hold_halted),
		cmocka_unit_test(test_rotation_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
