/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kms-bridge/engine_kit.h"

/* The contract's slots against its events: a right without its slot, other code, an event that was counted and not
 * logged. Each is seen at a height where state is proven, and clears at a later one. */
static void test_state_check(void **state)
{
	static const struct {
		const char *name;
		enum dr_deny expected;
	} rows[] = {
		{ "as it should be", DR_DENY_NONE }, { "the app's slot is empty", DR_DENY_DIVERGENCE },
		{ "other code", DR_DENY_CODE },      { "one event more than was logged", DR_DENY_SEALED },
		{ "another hash", DR_DENY_SEALED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int way = DR_WAY_BLOOM; way <= DR_WAY_ACCUMULATOR; way++) {
			const struct w app = kit_b(APP), version = kit_b(VERSION), none = kit_n(0), more = kit_n(99);
			struct world w;

			world_new(&w, 50);
			struct forge_state *good = forge_state_of(w.forge, w.tip), *bad = world_state(&w);
			struct engine_kit *k = ek_new(&w, (enum dr_way)way, 512);

			switch (i) {
			case 0: break;
			case 1: world_slot(&w, 3, &app, &version, none.b); break;
			case 2:
				memset(bad->code_hash, 1, 32);
				bad->rooted = false;
				break;
			case 3: forge_word_put(bad, 0, more.b); break;
			case 4: forge_word_put(bad, 1, more.b); break;
			}
			world_block(&w, 1);
			ek_start(k);
			ek_run(k, RIGHT);
			assert_int_equal(ek_ask(k), DR_DENY_NONE);
			/* State is proven at multiples of eight: 112, 120. */
			for (uint64_t number = RIGHT + 1; number <= 122; number++) {
				w.state = number == 115 ? good : NULL;
				if (number > RIGHT + 1)
					world_block(&w, 1);
				w.forge->final_number = number;
				ek_run(k, number);
				const enum dr_deny got = ek_ask(k);

				if (got != (number >= 112 && number < 120 ? rows[i].expected : DR_DENY_NONE))
					fail_msg("%s, at %llu: %s", rows[i].name, (unsigned long long)number,
						 dr_deny_name(got));
			}
			assert_int_equal(k->num_notes[DR_NOTE_DIVERGENCE], i == 0 ? 0 : 2);
			assert_int_equal(k->num_refused, 0);
			ek_free(k);
			world_free(&w);
		}
	}
}

/* State that nobody proves any more: its last verdict does not stand for ever, and one proof at the newest final
 * block, at whatever height, brings it back. */
static void test_state_withheld(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 51);
	struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 512);
	const uint64_t first_s = w.tip->header.timestamp;

	world_block(&w, 1);
	ek_start(k);
	ek_run(k, RIGHT);
	assert_int_equal(ek_ask(k), DR_DENY_NONE);
	k->no_state = true;
	/* Six blocks past a height where state is proven anyway: a proof there would be too old by now. */
	const uint64_t last = (RIGHT + 20) / 8 * 8 + 8 + 6;

	for (uint64_t number = RIGHT + 1; number <= last; number++) {
		world_block(&w, 300);
		w.forge->final_number = number;
		ek_clock(k, k->boot_ms + 300000, w.tip->header.timestamp * 1000);
		ek_run(k, number);
		const uint64_t since_s = w.tip->header.timestamp - first_s;

		/* The last proof was at RIGHT or a little before it. */
		if (since_s < LEASE_S - 300)
			assert_int_equal(ek_ask(k), DR_DENY_NONE);
		if (since_s > LEASE_S + 600)
			assert_int_equal(ek_ask(k), DR_DENY_CODE);
		/* A root is handed on as a key is given. */
		assert_int_equal(dr_engine_ask_share(k->e, 1, kit_id(NODE)), ek_ask(k));
	}
	k->no_state = false;
	ek_round(k);
	assert_int_equal(ek_ask(k), DR_DENY_NONE);
	ek_free(k);
	world_free(&w);
}

/* A step over 112, where state is proven, to a block so much later that a proof there would be too old: what is asked
 * for is a proof at the newest. */
static void test_state_left_behind(void **state)
{
	struct world w;

	(void)state;
	for (uint64_t dt = LEASE_S; dt <= LEASE_S + 1; dt++) {
		world_new(&w, 54);
		struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 512);

		ek_start(k);
		ek_run(k, RIGHT);
		world_plain(&w, 3);
		assert_int_equal(w.tip->header.number, 112);
		world_block(&w, dt);
		w.forge->final_number = 113;
		ek_clock(k, k->boot_ms + dt * 1000, w.tip->header.timestamp * 1000);
		ek_run(k, 113);
		ek_round(k);
		assert_int_equal(ek_ask(k), DR_DENY_NONE);
		ek_free(k);
		world_free(&w);
	}
}

/* An app's version, announced; the contract does not keep it. */
static void announce(struct world *w, unsigned version)
{
	struct w words = kit_n(version);

	words.b[0] = 1;
	ACT(w->k, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, DEPLOYER, w->k->time + 1000 * APP_NOTICE, kit_b(APP), words);
}

/* Nobody answered the question of 112. That of 120 is about what was announced meanwhile, too. */
static void test_asked_anew(void **state)
{
	struct world w;

	(void)state;
	world_new(&w, 52);
	struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 512);

	ek_start(k);
	ek_run(k, RIGHT);
	k->no_state = true;
	for (uint64_t number = RIGHT + 1; number <= 120; number++) {
		if (number == 114)
			announce(&w, 1);
		world_block(&w, 1);
		w.forge->final_number = number;
		ek_run(k, number);
	}
	k->no_state = false;
	ek_round(k);
	assert_int_equal(k->num_notes[DR_NOTE_DIVERGENCE], 1);
	assert_int_equal(ek_ask(k), DR_DENY_NONE);
	ek_free(k);
	world_free(&w);
}

/* More than one proof may hold: though nothing happens any more, the next proof is of those that had no room. */
static void test_in_turns(void **state)
{
	const unsigned num = DR_STATE_SLOTS_MAX + 20;
	unsigned announced = 0;
	struct world w;

	(void)state;
	world_new(&w, 53);
	struct engine_kit *k = ek_new(&w, DR_WAY_BLOOM, 512);

	ek_start(k);
	for (uint64_t number = RIGHT + 1; number <= 128; number++) {
		for (unsigned i = 0; i < 40 && announced < num; i++)
			announce(&w, announced++);
		world_block(&w, 1);
		w.forge->final_number = number;
		if (number < 120)
			continue;
		ek_run(k, number);
		if (number == 120)
			assert_in_range(k->num_notes[DR_NOTE_DIVERGENCE], 1, DR_STATE_SLOTS_MAX);
	}
	assert_int_equal(k->num_notes[DR_NOTE_DIVERGENCE], num);
	ek_free(k);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_check),       cmocka_unit_test(test_state_withheld),
		cmocka_unit_test(test_state_left_behind), cmocka_unit_test(test_asked_anew),
		cmocka_unit_test(test_in_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
