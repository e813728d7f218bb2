/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kms-bridge/engine_kit.h"

/* Sealed before the start, after it, and until the contract is proven; a right only once final and past its notice,
 * though its head is there. */
static void test_grant(void **state)
{
	(void)state;
	for (int heads = 0; heads <= 1; heads++) {
		struct world w;

		world_new(&w, 1);
		struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 512);

		w.forge->heads = heads == 1;
		assert_true(ek_sealed(k));
		ek_start(k);
		assert_true(ek_sealed(k));
		for (uint64_t number = START; number <= RIGHT; number++) {
			w.forge->final_number = number;
			ek_run(k, number);
			assert_false(ek_sealed(k));
			if (number == RIGHT - 1)
				assert_int_equal(ek_ask(k), DR_DENY_APP_NOTICE);
			assert_int_equal(ek_ask(k) == DR_DENY_NONE, number == RIGHT);
		}
		assert_true(k->num_ledger > 20);
		ek_start(k);
		assert_true(ek_sealed(k));
		ek_round(k);
		assert_false(ek_sealed(k));
		assert_int_equal(ek_ask(k), DR_DENY_NONE);
		assert_int_equal(k->num_refused, 0);
		ek_free(k);
		world_free(&w);
	}
}

/* Revoked at a head: denied at once, and on every other fork's head too, until a final block passes its height. */
static void test_revocation_at_a_head(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 2);
	struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 512);
	struct forge_block *base = w.tip, *a, *b;

	ek_start(k);
	ek_run(k, RIGHT);
	assert_int_equal(ek_ask(k), DR_DENY_NONE);
	w.forge->heads = true;
	b = forge_block(w.forge, base, 1, NULL, 0, NULL);
	w.forge->tip = b;
	ek_round(k);
	ek_round(k);
	assert_int_equal(ek_ask(k), DR_DENY_NONE);
	a = world_revoke(&w, 1);
	/* Named, but not yet complete: nothing is known of it. */
	for (uint16_t e = 0; e < 3; e++)
		ek_feed(k, frame_named(DR_STATUS_HEAD, a, e));
	ek_feed(k, frame_header(a, 0));
	assert_int_equal(ek_ask(k), DR_DENY_NONE);
	ek_feed(k, frame_receipts(a, a->header.hash, 0));
	assert_int_equal(ek_ask(k), DR_DENY_HEAD);
	/* The other branch, and on. */
	for (int i = 0; i < 5; i++) {
		b = forge_block(w.forge, b, 1, NULL, 0, NULL);
		w.forge->tip = b;
		ek_round(k);
		ek_round(k);
		assert_int_equal(ek_ask(k), DR_DENY_HEAD);
	}
	ek_start(k);
	ek_round(k);
	ek_round(k);
	assert_int_equal(ek_ask(k), DR_DENY_HEAD);
	/* Its height is reached by a final block, of the other branch. */
	w.forge->final_number = RIGHT + 1;
	ek_run(k, RIGHT + 1);
	assert_int_equal(ek_ask(k), DR_DENY_NONE);
	ek_free(k);
	/* Or of its own. */
	k = ek_new(&w, DR_WAY_BLOOM, 512);
	w.forge->tip = a;
	ek_start(k);
	ek_run(k, RIGHT + 1);
	assert_int_equal(ek_ask(k), DR_DENY_APP_MEASUREMENT);
	ek_free(k);
	world_free(&w);
}

/* Two heads at once that both differ from the final state: the second revokes, and the first only changes something.
 */
static void test_two_heads_that_differ(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 13);
	struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 512);
	struct forge_block *base = w.tip, *heads[2];
	struct forge_event event;

	ek_start(k);
	ek_run(k, RIGHT);
	ACT(w.k, DR_ACTION_HEARTBEAT, 0, EVE, 0, kit_b(7));
	memcpy(event.topic0, w.k->events[0].topic0, 32);
	event.data = w.k->events[0].data;
	heads[0] = forge_block(w.forge, base, 1, &event, 1, NULL);
	w.k->num_events = 0;
	heads[1] = world_revoke(&w, 1);
	assert_ptr_equal(heads[1]->parent, base);
	for (size_t i = 0; i < 2; i++) {
		ek_feed(k, frame_named(DR_STATUS_HEAD, heads[i], 0));
		ek_feed(k, frame_named(DR_STATUS_HEAD, heads[i], 1));
		ek_feed(k, frame_header(heads[i], 0));
		ek_feed(k, frame_receipts(heads[i], heads[i]->header.hash, 0));
		assert_int_equal(ek_ask(k), i == 0 ? DR_DENY_NONE : DR_DENY_HEAD);
	}
	ek_free(k);
	world_free(&w);
}

static bool own(void *ctx, uint64_t generation, const struct dr_root *published)
{
	assert_int_equal(generation, 1);
	assert_false(dr_bytes_zero(published->prf_pub, 32));
	return *(bool *)ctx;
}

/* The host says whether the root it holds is the published one. */
static void test_own_root(void **state)
{
	struct world w;
	bool ours = false;

	(void)state;
	world_new(&w, 14);
	struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 512);

	dr_engine_own_root(k->e, own, &ours);
	ek_start(k);
	ek_run(k, RIGHT);
	assert_int_equal(ek_ask(k), DR_DENY_ROOT_FOREIGN);
	ours = true;
	assert_int_equal(ek_ask(k), DR_DENY_NONE);
	ek_free(k);
	world_free(&w);
}

/* More heads than are counted: sealed until a final block has passed the last of them. */
static void test_heads_lost(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 12);
	struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 512);
	struct forge_block *base = w.tip, *fork, *a = base;

	ek_start(k);
	ek_run(k, RIGHT);
	/* A branch that revokes at its 3rd block; and then a flood of heads of height one, told first. */
	fork = forge_block(w.forge, base, 1, NULL, 0, NULL);
	w.tip = forge_block(w.forge, fork, 1, NULL, 0, NULL);
	w.k->number += 2;
	w.k->time += 2;
	const struct forge_block *revoked = world_revoke(&w, 1);

	for (unsigned i = 0; i <= DR_HEADS_MAX; i++) {
		a = forge_block(w.forge, base, 1, NULL, 0, NULL);
		ek_feed(k, frame_named(DR_STATUS_HEAD, a, 0));
		ek_feed(k, frame_named(DR_STATUS_HEAD, a, 1));
		ek_feed(k, frame_header(a, 0));
		ek_feed(k, frame_receipts(a, a->header.hash, 0));
	}
	assert_true(ek_sealed(k));
	ek_feed(k, frame_named(DR_STATUS_HEAD, revoked, 0));
	ek_feed(k, frame_named(DR_STATUS_HEAD, revoked, 1));
	for (uint64_t n = RIGHT + 1; n <= revoked->header.number; n++) {
		const struct forge_block *b = forge_up((struct forge_block *)(uintptr_t)revoked, n);

		ek_feed(k, frame_header(b, 0));
		ek_feed(k, frame_receipts(b, b->header.hash, 0));
	}
	for (uint64_t n = RIGHT + 1; n <= revoked->header.number; n++) {
		a = n == RIGHT + 1 ? a : forge_block(w.forge, a, 1, NULL, 0, NULL);
		w.forge->tip = a;
		w.forge->final_number = n;
		ek_run(k, n);
		assert_true(n == revoked->header.number || ek_ask(k) != DR_DENY_NONE);
	}
	assert_int_equal(ek_ask(k), DR_DENY_NONE);
	ek_free(k);
	world_free(&w);
}

static void test_lease(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 3);
	struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 512);
	const uint64_t at = w.tip->header.timestamp * 1000, boot = 5000, lease = LEASE_S * 1000;
	/* Each row begins with a fresh lease, at (boot, at). */
	const struct {
		const char *name;
		uint64_t boot_ms, wall_ms;
		bool sealed;
	} rows[] = {
		{ "at once", boot, at, false },
		{ "the wall clock at the limit", boot, at + lease, false },
		{ "the wall clock past it", boot, at + lease + 1000, true },
		{ "the boot clock at the limit", boot + lease, at, false },
		{ "the boot clock past it", boot + lease + 1000, at, true },
		{ "both", boot + 2 * lease, at + 2 * lease, true },
		{ "boot past, the wall clock set back", boot + 2 * lease, at - 1000, true },
		{ "the wall clock a little back", boot, at - lease, false },
		{ "the wall clock far back", boot, at - lease - 1000, true },
		{ "the wall clock at zero", boot, 0, true },
		{ "the wall clock far ahead", boot, UINT64_MAX, true },
		{ "the boot clock back: it does not go back", 0, at, false },
		{ "the boot clock at its end", UINT64_MAX, at, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ek_free(k);
		k = ek_new(&w, DR_WAY_BLOOM, 512);
		ek_start(k);
		ek_run(k, RIGHT);
		assert_false(ek_sealed(k));
		const size_t leases = k->num_notes[DR_NOTE_LEASE];

		ek_clock(k, rows[i].boot_ms, rows[i].wall_ms);
		kit_assert_fail(DR_OK, &k->fail);
		if (ek_sealed(k) != rows[i].sealed)
			fail_msg("%s", rows[i].name);
		assert_int_equal(k->num_notes[DR_NOTE_LEASE], leases + rows[i].sealed);
		/* The wall clock comes back: by it alone the lease does. The boot clock never does. */
		ek_clock(k, boot, at);
		assert_int_equal(ek_sealed(k), k->boot_ms > boot + lease);
		/* A newer final block renews it, by the boot clock; an old one said again does not. */
		for (uint16_t e = 0; e < 3; e++)
			ek_feed(k, frame_named(DR_STATUS_FINAL, w.tip, e));
		assert_int_equal(ek_sealed(k), k->boot_ms > boot + lease);
	}
	ek_clock(k, UINT64_MAX, at);
	assert_true(ek_sealed(k));
	w.forge->final_number = world_plain(&w, 1)->header.number;
	ek_run(k, RIGHT + 1);
	assert_false(ek_sealed(k));
	ek_free(k);
	world_free(&w);
}

/* One final chain, one ledger: whatever the way, the step, the order of frames, the heads met and the restarts. */
static void test_one_ledger(void **state)
{
	static const uint32_t steps[] = { 1, 7, 512 };
	struct engine_kit *plain;
	struct world w;

	(void)state;
	world_new(&w, 4);
	world_plain(&w, 9);
	world_revoke(&w, 2);
	w.forge->final_number = world_plain(&w, 9)->header.number;
	plain = ek_new(&w, DR_WAY_RECEIPTS, 512);
	ek_start(plain);
	ek_run(plain, w.forge->final_number);
	assert_true(plain->num_findings > 0);
	for (int way = DR_WAY_BLOOM; way <= DR_WAY_ACCUMULATOR; way++) {
		for (size_t i = 0; i < 3; i++) {
			for (unsigned how = 0; how < 6; how++) {
				struct engine_kit *k = ek_new(&w, (enum dr_way)way, steps[i]);

				k->shuffled = how % 2 == 1;
				w.forge->heads = how >= 3;
				ek_start(k);
				for (size_t round = 0; k->step_number < w.forge->final_number; round++) {
					assert_true(round < 2000);
					if (how >= 2 && rand() % 4 == 0)
						ek_start(k);
					ek_round(k);
				}
				for (int more = 0; more < 4; more++)
					ek_round(k);
				ek_same(plain, k);
				assert_int_equal(ek_ask(k), DR_DENY_APP_MEASUREMENT);
				ek_free(k);
			}
		}
	}
	ek_free(plain);
	world_free(&w);
}

/* Everything kept, into a second engine: the same ledger, state, answers, and the same bytes kept again. */
static void test_replay(void **state)
{
	(void)state;
	for (unsigned seed = 30; seed < 42; seed++) {
		struct world w;

		world_new(&w, seed);
		struct engine_kit *k = ek_new(&w, (enum dr_way)(seed % 3), seed % 2 ? 4 : 512), *second;
		uint64_t boot = 5000;

		world_plain(&w, 3);
		world_revoke(&w, 3);
		world_plain(&w, 12);
		w.forge->heads = true;
		ek_start(k);
		for (int round = 0; round < 120; round++) {
			w.forge->final_number = START + (uint64_t)round / 4;
			if (w.forge->final_number > w.tip->header.number)
				w.forge->final_number = w.tip->header.number;
			boot += (uint64_t)rand() % 90000;
			if (rand() % 3 == 0)
				ek_clock(k, boot,
					 k->w->forge->blocks[0]->header.timestamp * 1000 +
						 (uint64_t)rand() % 1500000);
			if (rand() % 3 == 0)
				ek_request(k);
			if (rand() % 12 == 0)
				ek_start(k);
			if (rand() % 5 == 0) /* a lie: refused, and not part of the recording */
				ek_feed(k,
					frame_receipts(w.tip, w.forge->blocks[(size_t)rand() % 8]->header.hash, 1));
			ek_round(k);
			kit_assert_fail(DR_OK, &k->fail);
		}
		second = ek_new(&w, DR_WAY_BLOOM, 512);
		if (seed % 3 == DR_WAY_RECEIPTS) {
			ek_free(second);
			second = ek_new(&w, DR_WAY_RECEIPTS, 1);
		}
		ek_replay(second, dr_buf_view(&k->kept));
		ek_same(k, second);
		assert_int_equal(k->num_answers, second->num_answers);
		assert_memory_equal(k->answers, second->answers, k->num_answers * sizeof(k->answers[0]));
		assert_true(dr_bytes_eq(dr_buf_view(&k->kept), dr_buf_view(&second->kept)));
		ek_free(k);
		ek_free(second);
		world_free(&w);
	}
}

/* The host fails at its n-th call, for every n: the engine's function fails with it, and is sealed from then on. */
static void test_host_fails(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 7);
	for (size_t n = 1;; n++) {
		struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 4);
		static struct dr_want wants[DR_WANTS_MAX];
		static struct ek_pile pile;
		bool failed = false;

		k->fail_at = n;
		ek_start(k);
		failed = k->fail.err != DR_OK;
		for (int round = 0; round < 30 && !failed; round++) {
			const size_t num = dr_engine_wants(k->e, wants, DR_WANTS_MAX);

			pile.num = 0;
			for (size_t i = 0; i < num; i++)
				forge_answer(w.forge, &wants[i], ek_pile, &pile);
			pile.frames[pile.num++] = frame_receipts(w.tip, w.forge->blocks[2]->header.hash, 1);
			for (size_t i = 0; i < pile.num && !failed; i++) {
				ek_feed(k, pile.frames[i]);
				failed = k->fail.err != DR_OK;
			}
			if (!failed && round % 5 == 4) {
				ek_request(k);
				failed = k->fail.err != DR_OK;
				if (failed)
					assert_int_equal(k->answers[k->num_answers - 1].verdict, DR_DENY);
			}
			if (!failed && round % 7 == 6) {
				ek_clock(k, round == 6 ? 5000 : 5000 + 2 * LEASE_S * 1000, k->wall_ms);
				failed = k->fail.err != DR_OK;
			}
		}
		assert_int_equal(failed, k->calls >= n);
		if (failed) {
			kit_assert_fail(DR_ERR_IO, &k->fail);
			assert_int_equal(k->calls, n);
			assert_int_not_equal(ek_ask(k), DR_DENY_NONE);
			/* Unusable: it takes nothing more, and answers nothing. */
			ek_request(k);
			assert_int_not_equal(k->fail.err, DR_OK);
			assert_int_equal(k->answers[k->num_answers - 1].verdict, DR_DENY);
			ek_start(k);
			assert_int_not_equal(k->fail.err, DR_OK);
			ek_feed(k, frame_header(w.tip, 0));
			assert_int_not_equal(k->fail.err, DR_OK);
			assert_int_equal(k->calls, n);
		}
		ek_free(k);
		if (!failed)
			break;
		assert_true(n < 2000);
	}
	world_free(&w);
}

/* A refold: the kept frames quietly into a new engine whose journal continues; then live again. */
static void test_refold(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 8);
	world_plain(&w, 10);
	world_revoke(&w, 1);
	world_plain(&w, 4);
	for (uint64_t cut = START; cut < w.tip->header.number; cut += 3) {
		struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 512), *again = ek_new(&w, DR_WAY_BLOOM, 512);

		w.forge->final_number = cut;
		ek_start(k);
		ek_run(k, cut);
		dr_engine_journal_at(again->e, dr_engine_journal(k->e));
		dr_engine_quiet(again->e, true);
		ek_replay(again, dr_buf_view(&k->kept));
		assert_int_equal(again->num_journal, 0);
		dr_engine_quiet(again->e, false);
		ek_same(k, again);
		uint8_t a[32], b[32];

		dr_merkle_root(a, dr_engine_journal(k->e));
		dr_merkle_root(b, dr_engine_journal(again->e));
		assert_memory_equal(a, b, 32);
		ek_start(again);
		assert_true(ek_sealed(again));
		w.forge->final_number = w.tip->header.number;
		ek_run(again, w.forge->final_number);
		ek_run(k, w.forge->final_number);
		ek_same(k, again);
		assert_true(dr_engine_journal(again->e)->size > 0);
		ek_free(k);
		ek_free(again);
	}
	world_free(&w);
}

/* A head whose header was crowded out and asked for again counts once. */
static void test_head_told_twice(void **state)
{
	struct dr_status_report *report = (struct dr_status_report *)kit_alloc(sizeof(*report));
	struct world w;

	(void)state;
	world_new(&w, 13);
	struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 512);
	struct forge_block *base = w.tip, *a = forge_block(w.forge, base, 1, NULL, 0, NULL), *b;

	b = forge_block(w.forge, base, 1, NULL, 0, NULL);
	ek_start(k);
	ek_run(k, RIGHT);
	w.forge->heads = true;
	for (int turn = 0; turn < 6; turn++) {
		w.forge->tip = turn % 2 == 0 ? a : b;
		ek_round(k);
		ek_round(k);
		ek_round(k);
		dr_engine_status(k->e, report);
		assert_int_equal(report->heads_counting, turn == 0 ? 1 : 2);
		for (uint64_t i = 0; i < DR_FOLLOW_BLOCKS_MAX; i++) {
			struct forge_block made = { .header = base->header };
			uint8_t rlp[1024];
			struct dr_fail fail = { 0 };
			size_t len;

			made.header.number++;
			memcpy(made.header.parent_hash, base->header.hash, 32);
			dr_be64_put(made.header.mix_hash, (uint64_t)turn << 32 | (i + 1000000));
			assert_int_equal(dr_evm_header_encode(rlp, sizeof(rlp), &len, &made.header, &fail), DR_OK);
			ek_feed(k, (struct dr_frame){ DR_FRAME_HEADER, 1, { rlp, len } });
		}
	}
	ek_free(k);
	world_free(&w);
}

/* An id stays with a want while it stands, and is nobody else's ever. */
static void test_want_ids(void **state)
{
	static struct dr_want now[DR_WANTS_MAX], before[DR_WANTS_MAX];
	struct world w;

	(void)state;
	world_new(&w, 14);
	struct engine_kit *k = ek_new(&w, DR_WAY_RECEIPTS, 4);
	uint32_t newest = 0;
	size_t num_before = 0;

	ek_start(k);
	for (int round = 0; round < 60; round++) {
		const size_t num = dr_engine_wants(k->e, now, DR_WANTS_MAX);
		uint32_t highest = newest;

		for (size_t i = 0; i < num; i++) {
			bool known = false;

			for (size_t j = 0; j < num_before; j++) {
				struct dr_want same = before[j];

				same.id = now[i].id;
				if (memcmp(&same, &now[i], sizeof(same)) == 0) {
					assert_int_equal(before[j].id, now[i].id);
					known = true;
				}
			}
			assert_true(known || now[i].id > newest);
			for (size_t j = 0; j < i; j++)
				assert_int_not_equal(now[i].id, now[j].id);
			highest = now[i].id > highest ? now[i].id : highest;
		}
		newest = highest;
		memcpy(before, now, sizeof(now));
		num_before = num;
		if (round % 2 == 1)
			ek_round(k);
	}
	assert_true(k->step_number == RIGHT);
	ek_free(k);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grant),
		cmocka_unit_test(test_revocation_at_a_head),
		cmocka_unit_test(test_two_heads_that_differ),
		cmocka_unit_test(test_own_root),
		cmocka_unit_test(test_heads_lost),
		cmocka_unit_test(test_lease),
		cmocka_unit_test(test_one_ledger),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_host_fails),
		cmocka_unit_test(test_refold),
		cmocka_unit_test(test_want_ids),
		cmocka_unit_test(test_head_told_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
