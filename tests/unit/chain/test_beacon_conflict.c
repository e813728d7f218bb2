/* SPDX-License-Identifier: Apache-2.0
 *
 * Committees that sign two chains, proofs of what is older, and committees that are none.
 */
#include "tests/unit/chain/beacon_case.h"

/* Nothing goes back: what is older is known. */
static void test_monotonic(void **state)
{
	struct forge_block *first = start_period(3), *final = first;
	struct dr_lc_update older, u;

	(void)state;
	older = forge_update(&net, DR_LC_FINALITY_UPDATE,
			     forge_block(&net, 0, 228, forge_block(&net, 0, 212, final)));
	final = forge_block(&net, 0, 224, final);
	u = forge_update(&net, DR_LC_FINALITY_UPDATE, forge_block(&net, 0, 240, final));
	assert_true(take(&u).final);
	assert_int_equal(take(&u).verdict, DR_LC_KNOWN);
	assert_int_equal(take(&older).verdict, DR_LC_KNOWN);
	/* A newer head whose final header is older: the head moves. */
	older = forge_update(&net, DR_LC_FINALITY_UPDATE, forge_block(&net, 0, 241, first));
	const struct dr_lc_news news = take(&older);

	assert_true(news.head && !news.final);
	/* Another block of the head's slot does not take its place. */
	u = forge_update(&net, DR_LC_OPTIMISTIC_UPDATE, forge_block(&net, 1, 241, NULL));
	assert_int_equal(take(&u).verdict, DR_LC_KNOWN);
}

/* Two thirds sign two chains. Slot 16 of a period is final, and slot 8, the checkpoint's; each row is another block
 * that they call final. */
static void test_conflicts(void **state)
{
	static const struct {
		const char *name;
		uint64_t slot, number; /* from those of the final block */
		bool own_parent;       /* the final block is its parent, by root and hash */
		uint8_t salt;
		const char *conflict;
	} rows[] = {
		{ "the same block", 0, 0, false, 0, NULL },
		{ "another of the slot", 0, 0, false, 1, "two blocks of one slot are final" },
		{ "a child", 1, 1, true, 0, NULL },
		{ "no child in the next slot", 1, 1, false, 0,
		  "two final blocks of adjacent slots are not parent and child" },
		{ "later, and no higher", 8, 0, false, 0, "a later final block has no later execution block" },
		{ "later, and lower", 8, (uint64_t)-3, false, 0, "a later final block has no later execution block" },
		{ "as high as can be", 8, 8, false, 0, NULL },
		{ "too high", 8, 9, false, 0, "two final blocks have more execution blocks than slots between them" },
		{ "the only block of some slots", 8, 1, true, 0, NULL },
		{ "the same, and no child", 8, 1, false, 0,
		  "two final blocks' adjacent execution blocks are not parent and child" },
		{ "earlier, and too high after the checkpoint", (uint64_t)-4, 0, false, 0,
		  "two final blocks have more execution blocks than slots between them" },
		{ "later than the checkpoint, and no higher", (uint64_t)-4, (uint64_t)-8, false, 0,
		  "a later final block has no later execution block" },
		{ "earlier, and too low", (uint64_t)-4, (uint64_t)-5, false, 0,
		  "two final blocks have more execution blocks than slots between them" },
		{ "earlier", (uint64_t)-4, (uint64_t)-4, false, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct forge_block *final = start_period(3), *other;
		struct dr_lc_update u;

		print_message("%s\n", rows[i].name);
		other = forge_block(&net, rows[i].salt, final->slot + rows[i].slot, NULL);
		other->number = final->number + rows[i].number;
		if (rows[i].own_parent) {
			memcpy(other->parent_root, final->root, 32);
			memcpy(other->parent_hash, final->header.execution.block_hash, 32);
		}
		forge_seal(other, &net);
		if (rows[i].slot == 0 && rows[i].salt == 0)
			other = final;
		u = forge_update(&net, DR_LC_FINALITY_UPDATE, forge_block(&net, 0, 232, other));
		const struct dr_lc_news news = take(&u);

		if (rows[i].conflict != NULL) {
			assert_int_equal(news.verdict, DR_LC_CONFLICT);
			assert_string_equal(news.conflict, rows[i].conflict);
			continue;
		}
		assert_int_equal(news.verdict, DR_LC_TAKEN);
		assert_int_equal(news.final, (int64_t)rows[i].slot > 0);
	}
}

/* Older final blocks are remembered, as many as DR_LC_PAST_MAX. */
static void test_past(void **state)
{
	struct forge_block *final = start_period(3), *first = final;
	struct dr_lc_update u;

	(void)state;
	for (uint64_t slot = 210; slot < 210 + 2 * (DR_LC_PAST_MAX + 4); slot += 2) {
		final = forge_block(&net, 0, slot, final);
		u = forge_update(&net, slot % 64 == 40 ? DR_LC_UPDATE : DR_LC_FINALITY_UPDATE,
				 forge_block(&net, 0, slot + 1, final));
		take(&u);
		assert_memory_equal(store->finalized.root, final->root, 32);
		if (slot > 230)
			continue;
		/* Each of them, contradicted, while it is remembered and its signers are. */
		u = forge_update(&net, DR_LC_FINALITY_UPDATE,
				 forge_block(&net, 0, slot + 1, forge_block(&net, 1, first->slot, NULL)));
		assert_int_equal(take(&u).verdict, DR_LC_CONFLICT);
	}
	assert_int_equal(store->num_past, DR_LC_PAST_MAX);
}

/* Two next committees for one period: of a chain that is final they are a conflict, of a mere head not. */
static void test_other_committee(void **state)
{
	struct forge_block *final = start_period(3), *other, *before_period = forge_block(&net, 0, 184, NULL);
	struct dr_lc_update u;

	(void)state;
	other = forge_block(&net, 1, 230, forge_block(&net, 0, 224, final));
	other->next = 9;
	u = forge_update(&net, DR_LC_UPDATE, forge_seal(other, &net));
	assert_int_equal(take(&u).verdict, DR_LC_CONFLICT);
	assert_string_equal(take(&u).conflict, "two next committees of one period are final");
	/* A head on another side of the period's boundary. */
	other->finalized = before_period;
	u = forge_update(&net, DR_LC_UPDATE, forge_seal(other, &net));
	refuse(&u, DR_ERR_PROOF, "the next committee is not the one that is known");
	u.finality_branch = (struct dr_ssz_branch){ 0 };
	memset(&u.finalized, 0, sizeof(u.finalized));
	refuse(&u, DR_ERR_PROOF, "the next committee is not the one that is known");
}

/* A committee whose keys are none: proven by two thirds, and still not taken. */
static void test_bad_committee(void **state)
{
	static const struct {
		const char *name;
		uint8_t first; /* of the third key */
		bool other_sum;
		enum dr_err err;
		size_t at;
		const char *what;
	} rows[] = {
		{ "a key not compressed", 0x17, false, DR_ERR_SYNTAX, 2, "a point of G1 is not compressed" },
		{ "a key of infinity", 0xc0, false, DR_ERR_PROOF, 2, "a point of G1 is infinity" },
		{ "another sum", 0, true, DR_ERR_PROOF, 0, "the aggregate key is not the sum of the committee's" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned bootstrap = 0; bootstrap < 2; bootstrap++) {
			struct forge_block *final = start_period(3), *b;
			struct dr_lc_committee bad = *forge_committee(32, 5);
			uint8_t keys[32 * 48], root[32], left[32], right[32];
			struct dr_fail fail = { 0 };
			struct dr_ssz_branch *branch;

			print_message("%s\n", rows[i].name);
			memcpy(keys, bad.pubkeys.ptr, sizeof(keys));
			bad.pubkeys = dr_bytes_of(keys, sizeof(keys));
			if (rows[i].first != 0) {
				memset(keys + 2 * 48, 0, 48);
				keys[2 * 48] = rows[i].first;
			}
			if (rows[i].other_sum)
				memcpy(bad.aggregate_pubkey, keys, 48);
			/* Its root in the state's place. */
			b = forge_block(&net, 0, 4 * 64 + 30, forge_block(&net, 0, 4 * 64 + 16, final));
			dr_ssz_root(root, &dr_lc_committee_type, dr_lc_shape(&net, b->fork), &bad);
			branch = bootstrap ? &b->current_branch : &b->next_branch;
			dr_ssz_pair(right, bootstrap ? root : branch->nodes[0], bootstrap ? branch->nodes[0] : root);
			memcpy(left, branch->nodes[1], 32);
			memcpy(b->finality.nodes[2], right, 32);
			dr_ssz_pair(root, left, right);
			struct dr_ssz_branch up = { 0 };

			forge_climb(root, &up, dr_lc_finalized_gindex(b->fork) >> 3);
			memcpy(b->header.beacon.state_root, root, 32);
			dr_lc_header_root(b->root, &b->header);
			if (bootstrap) {
				struct dr_lc_bootstrap boot = forge_bootstrap(&net, b);

				boot.committee = bad;
				assert_int_equal(dr_lc_store_start(store, &net, b->root, &boot,
								   dr_network_time(&net, b->slot), &fail),
						 rows[i].err);
				assert_string_equal(fail.what, rows[i].what);
				assert_int_equal(fail.at, rows[i].at);
				assert_true(dr_bytes_zero(store, sizeof(*store)));
				continue;
			}
			struct dr_lc_update u = forge_update(&net, DR_LC_UPDATE, b);

			u.next_committee = bad;
			refuse(&u, rows[i].err, rows[i].what);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_monotonic, set_up),
		cmocka_unit_test_setup(test_conflicts, set_up),
		cmocka_unit_test_setup(test_past, set_up),
		cmocka_unit_test_setup(test_other_committee, set_up),
		cmocka_unit_test_setup(test_bad_committee, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
