/* SPDX-License-Identifier: Apache-2.0
 *
 * What is false, what contradicts, and thousands of inputs of any kind: what the engine notes of them, and that it
 * is sealed exactly when it must be.
 */
#include "tests/unit/kms-bridge/engine_kit.h"

/* An engine that wants the receipts of four blocks. */
static struct engine_kit *headers_told(struct world *w)
{
	world_new(w, 5);
	struct engine_kit *k = ek_new(w, DR_WAY_RECEIPTS, 512);

	ek_start(k);
	for (size_t i = 0; i < 4; i++)
		ek_feed(k, frame_header(w->forge->blocks[i], 0));
	return k;
}

static void test_lies(void **state)
{
	struct dr_status_report *report = (struct dr_status_report *)kit_alloc(sizeof(*report));
	struct world w;

	(void)state;
	struct engine_kit *k = headers_told(&w);
	struct forge_block *b = w.forge->blocks[1], *c = w.forge->blocks[2];

	/* The same lie again and again is one entry and many counts; by another source, or about another block,
	 * another. */
	for (int i = 0; i < 100; i++)
		ek_feed(k, frame_receipts(w.tip, b->header.hash, 1));
	assert_int_equal(k->take, DR_TAKE_REFUSED);
	assert_int_equal(k->num_notes[DR_NOTE_LIE], 1);
	assert_int_equal(k->note.source, 1);
	assert_memory_equal(k->note.hash, b->header.hash, 32);
	ek_feed(k, frame_receipts(w.tip, b->header.hash, 2));
	ek_feed(k, frame_receipts(w.tip, c->header.hash, 1));
	assert_int_equal(k->num_notes[DR_NOTE_LIE], 3);
	/* Unasked is no lie. */
	ek_feed(k, frame_header(w.forge->blocks[6], 0));
	ek_feed(k, frame_receipts(w.tip, w.tip->header.hash, 0));
	assert_int_equal(k->num_notes[DR_NOTE_LIE], 3);
	/* No configured endpoint; and a frame that only the core stamps: one entry each, however often. */
	for (int i = 0; i < 50; i++)
		ek_feed(k, frame_named(DR_STATUS_FINAL, w.tip, 77));
	assert_int_equal(k->num_notes[DR_NOTE_LIE], 4);
	struct dr_frame clock = { DR_FRAME_CLOCK, 0, { kit_alloc(16), 16 } };

	ek_feed(k, clock);
	assert_int_equal(k->take, DR_TAKE_REFUSED);
	clock.type = DR_FRAME_START;
	ek_feed(k, clock);
	assert_int_equal(k->take, DR_TAKE_REFUSED);
	dr_engine_status(k->e, report);
	assert_int_equal(report->endpoints[0].lies, 2);
	assert_int_equal(report->endpoints[1].lies, 101);
	assert_int_equal(report->endpoints[2].lies, 1);
	assert_int_equal(report->frames_refused, 156);
	assert_int_equal(k->num_refused, 156);
	ek_free(k);
	world_free(&w);
}

/* Lies that differ each time fill no journal; the next minute hears of them anew. */
static void test_lies_flood(void **state)
{
	struct dr_status_report *report = (struct dr_status_report *)kit_alloc(sizeof(*report));
	struct world w;

	(void)state;
	struct engine_kit *k = headers_told(&w);
	struct forge_block *b = w.forge->blocks[1], *c = w.forge->blocks[2];

	for (int i = 0; i < 500; i++) {
		ek_feed(k, frame_receipts(w.tip, b->header.hash, 1));
		ek_feed(k, frame_receipts(w.tip, c->header.hash, 1));
	}
	assert_int_equal(k->num_notes[DR_NOTE_LIE], DR_LIES_MINUTE);
	assert_non_null(strstr(k->note.detail, "only counted"));
	/* Another's lie is heard all the same. */
	ek_feed(k, frame_receipts(w.tip, b->header.hash, 2));
	assert_int_equal(k->num_notes[DR_NOTE_LIE], DR_LIES_MINUTE + 1);
	ek_clock(k, k->boot_ms + 60000, k->wall_ms + 60000);
	ek_feed(k, frame_receipts(w.tip, b->header.hash, 1));
	assert_int_equal(k->num_notes[DR_NOTE_LIE], DR_LIES_MINUTE + 2);
	dr_engine_status(k->e, report);
	assert_int_equal(report->endpoints[1].lies, 1001);
	ek_free(k);
	world_free(&w);
}

static void test_conflict(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 6);
	struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 512);
	struct forge_block *other = forge_block(w.forge, w.tip->parent, 1, NULL, 0, NULL);

	ek_start(k);
	ek_run(k, RIGHT);
	assert_int_equal(ek_ask(k), DR_DENY_NONE);
	ek_feed(k, frame_named(DR_STATUS_FINAL, other, 0));
	assert_int_equal(ek_ask(k), DR_DENY_NONE);
	ek_feed(k, frame_named(DR_STATUS_FINAL, other, 1));
	assert_int_equal(k->take, DR_TAKE_CONFLICT);
	assert_true(dr_engine_halted(k->e));
	assert_true(ek_sealed(k));
	assert_int_equal(k->num_notes[DR_NOTE_CONFLICT], 1);
	for (int i = 0; i < 5; i++) {
		ek_start(k);
		ek_clock(k, 6000, k->wall_ms);
		ek_round(k);
		world_plain(&w, 1);
		w.forge->final_number = w.tip->header.number;
		assert_true(ek_sealed(k));
	}
	assert_int_equal(k->num_notes[DR_NOTE_CONFLICT], 1);
	struct engine_kit *second = ek_new(&w, DR_WAY_BLOOM, 512);

	ek_replay(second, dr_buf_view(&k->kept));
	assert_true(dr_engine_halted(second->e));
	ek_same(k, second);
	ek_free(second);
	ek_free(k);
	world_free(&w);
}

static void junk_frame(struct engine_kit *k)
{
	const struct world *w = k->w;
	const struct forge_block *b = w->forge->blocks[(size_t)rand() % w->forge->num_blocks];
	const struct forge_block *c = w->forge->blocks[(size_t)rand() % w->forge->num_blocks];
	struct dr_frame frame =
		rand() % 2 == 0 ? frame_receipts(b, c->header.hash, (uint16_t)(rand() % 4)) : frame_header(b, 1);

	if (rand() % 3 == 0 && frame.payload.len > 0) {
		frame.payload = copy_of(frame.payload.ptr, frame.payload.len);
		((uint8_t *)(uintptr_t)frame.payload.ptr)[(size_t)rand() % frame.payload.len] ^= 1;
	}
	ek_feed(k, frame);
}

/* Thousands of inputs in any order; the seal is exactly what a plain model says. */
static void test_walk(void **state)
{
	(void)state;
	for (unsigned seed = 100; seed < 106; seed++) {
		struct world w;
		unsigned allowed = 0, unsealed = 0, moved = 0;

		world_new(&w, seed);
		struct engine_kit *k = ek_new(&w, (enum dr_way)(seed % 3), 512);
		bool revoked = false;
		uint64_t revoked_at = UINT64_MAX;

		for (int step = 0; step < 4000; step++) {
			const uint64_t tip = w.tip->header.timestamp;
			const uint64_t dt_ms = (uint64_t)rand() % (LEASE_S * 600);

			switch (rand() % 12) {
			case 0: ek_clock(k, k->boot_ms + dt_ms, k->wall_ms + (rand() % 8 == 0 ? 0 : dt_ms)); break;
			case 1: ek_clock(k, k->boot_ms, tip * 1000 + (uint64_t)rand() % (LEASE_S * 400)); break;
			case 2:
				if (rand() % 8 == 0)
					ek_clock(k, (uint64_t)rand(),
						 (tip - 3 * LEASE_S + (uint64_t)rand() % (6 * LEASE_S)) * 1000);
				break;
			case 3:
				if (rand() % 6 == 0)
					ek_start(k);
				break;
			case 4:
				if (rand() % 3 == 0)
					world_block(&w,
						    1 + (uint64_t)rand() % 20 +
							    (k->wall_ms / 1000 > tip ? k->wall_ms / 1000 - tip : 0));
				break;
			case 5:
				if (step > 3000 && !revoked) {
					revoked_at = world_revoke(&w, 1)->header.number;
					revoked = true;
				}
				break;
			case 6: ek_request(k); break;
			case 7: junk_frame(k); break;
			case 8:
				w.forge->final_number +=
					rand() % 2 == 0 && w.forge->final_number < w.tip->header.number;
				w.forge->heads = rand() % 2 == 0;
				break;
			default: ek_round(k); break;
			}
			kit_assert_fail(DR_OK, &k->fail);
			const bool model = ek_model(k);

			moved += model && llabs(ek_moved(k)) > (int64_t)LEASE_S && ek_agrees(k);
			assert_int_equal(ek_sealed(k), model);
			unsealed += !model;
			if (k->num_answers > 4000)
				k->num_answers = 0;
			if (ek_ask(k) != DR_DENY_NONE)
				continue;
			allowed++;
			assert_false(model);
			assert_true(k->step_number >= RIGHT && k->step_number < revoked_at);
		}
		assert_true(allowed > 200 && unsealed < 4000 && moved > 0);
		ek_free(k);
		world_free(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_lies_flood),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
