/* SPDX-License-Identifier: Apache-2.0
 *
 * The strict store against everything that recorded chains do not do: few signers, wrong clocks, committees, forks
 * and branches, periods that end without finality, and committees that sign two chains.
 */
#include "tests/unit/chain/beacon_case.h"

static void test_participation(void **state)
{
	struct forge_block *final = start_period(3);
	struct dr_lc_update update = forge_update(&net, DR_LC_FINALITY_UPDATE,
						  forge_block(&net, 0, 240, forge_block(&net, 0, 224, final)));

	(void)state;
	for (uint32_t num = 0; num <= 21; num += 7) {
		forge_sign(&update, &net, 3, num);
		refuse(&update, DR_ERR_PROOF, "fewer than two thirds of the committee signed");
	}
	/* 21, and one that the committee does not have. */
	update.aggregate.bits[4] = 1;
	refuse(&update, DR_ERR_PROOF, "bits beyond the committee");
	update.aggregate.bits[4] = 0;
	/* 21 that claim to be 22. */
	update.aggregate.bits[3] |= 0x80;
	refuse(&update, DR_ERR_PROOF, SIGNATURE);
	forge_sign(&update, &net, 3, 22);
	const struct dr_lc_news news = take(&update);

	assert_true(news.final && news.head && !news.period && !news.committee);
	assert_int_equal(news.participation, 22);
	assert_int_equal(store->finalized.participation, 22);
	assert_int_equal(store->head.participation, 22);
}

/* The mainnet preset: 341 of 512 are too few, 342 are enough. */
static void test_participation_mainnet(void **state)
{
	struct dr_lc_update update;
	struct forge_block *checkpoint;

	(void)state;
	net = *dr_network_named("mainnet");
	memset(net.name, 0, sizeof(net.name));
	memcpy(net.name, "forged", 6);
	checkpoint = forge_block(&net, 0, 8192 * 1700, NULL);
	start_at(checkpoint);
	update = forge_update(&net, DR_LC_OPTIMISTIC_UPDATE, forge_block(&net, 0, 8192 * 1700 + 40, checkpoint));
	forge_sign(&update, &net, 1700, 341);
	refuse(&update, DR_ERR_PROOF, "fewer than two thirds of the committee signed");
	forge_sign(&update, &net, 1700, 342);
	assert_true(take(&update).head);
	net_set();
}

static void test_clock(void **state)
{
	struct forge_block *final = start_period(3);
	const struct dr_lc_update update = forge_update(&net, DR_LC_FINALITY_UPDATE,
							forge_block(&net, 0, 240, forge_block(&net, 0, 224, final)));
	const uint64_t now = dr_network_time(&net, update.signature_slot);
	struct dr_fail fail = { 0 };
	struct dr_lc_news news;

	(void)state;
	refuse_at(&update, 0, DR_ERR_STALE, "there is no clock");
	refuse_at(&update, 1, DR_ERR_STALE, "the clock is before the network's genesis");
	refuse_at(&update, now - DR_CLOCK_SKEW_S - 1, DR_ERR_STALE, "signed in the future");
	*before = *store;
	assert_int_equal(dr_lc_store_take(store, &update, now - DR_CLOCK_SKEW_S, &news, &fail), DR_OK);
	assert_true(news.final);
	*store = *before; /* and late */
	assert_int_equal(dr_lc_store_take(store, &update, UINT64_MAX, &news, &fail), DR_OK);
	assert_true(news.final);
}

/* What a signature covers, and what it does not. */
static void test_signers(void **state)
{
	struct forge_block *final = start_period(3);
	struct forge_block *attested = forge_block(&net, 0, 230, forge_block(&net, 0, 224, final));
	struct dr_lc_update update = forge_update(&net, DR_LC_FINALITY_UPDATE, attested), changed;
	struct dr_network other = net;

	(void)state;
	/* The committee of the period before, of the next period, of nowhere. */
	for (uint64_t committee = 2; committee <= 6; committee += 2) {
		forge_sign(&update, &net, committee, 32);
		refuse(&update, DR_ERR_PROOF, SIGNATURE);
	}
	/* Another network's domain: of its genesis, of its versions. */
	other.genesis_validators_root[0] ^= 1;
	forge_sign(&update, &other, 3, 32);
	refuse(&update, DR_ERR_PROOF, SIGNATURE);
	other = net;
	other.forks[DR_BEACON_ELECTRA].version[3] ^= 1;
	forge_sign(&update, &other, 3, 32);
	refuse(&update, DR_ERR_PROOF, SIGNATURE);
	/* Another order of slots. */
	update = forge_update(&net, DR_LC_FINALITY_UPDATE, attested);
	changed = update;
	changed.signature_slot = attested->slot;
	refuse(&changed, DR_ERR_PROOF, "signed no later than the attested header's slot");
	changed = update;
	changed.finalized.beacon.slot = attested->slot + 1;
	refuse(&changed, DR_ERR_PROOF, "the finalized header is later than the attested one");
	/* The signature does not say when it was made: a later slot of the period does as well, and orders nothing.
	 */
	changed = update;
	changed.signature_slot = attested->slot + 10;
	assert_true(take(&changed).final);
	assert_int_equal(store->head.header.beacon.slot, attested->slot);
	assert_int_equal(take(&update).verdict, DR_LC_KNOWN);
	/* In the next period it is another committee's. */
	changed.signature_slot = 256;
	refuse(&changed, DR_ERR_PROOF, SIGNATURE);
	changed.signature_slot = 320;
	refuse(&changed, DR_ERR_STALE, "signed in a period after the next: updates are lacking");
}

/* Who is absent is taken away, or who is present added, with the same sum. */
static void test_sums(void **state)
{
	struct dr_lc_update update;
	uint8_t domain[32];
	struct dr_fail none = { 0 };

	(void)state;
	start_period(3);
	update = forge_update(&net, DR_LC_OPTIMISTIC_UPDATE, forge_block(&net, 0, 230, NULL));
	assert_int_equal(dr_network_domain(domain, &net, update.signature_slot, &none), DR_OK);
	for (uint32_t num = 1; num <= 32; num++) {
		struct dr_fail fail = { 0 }, broken = { 0 };

		forge_sign(&update, &net, 3, num);
		assert_int_equal(dr_lc_keys_verify(&store->keys[store->current], &update.attested, &update.aggregate,
						   domain, &fail),
				 DR_OK);
		update.aggregate.bits[(num - 1) / 8] ^= (uint8_t)(1 << (num - 1) % 8);
		assert_int_equal(dr_lc_keys_verify(&store->keys[store->current], &update.attested, &update.aggregate,
						   domain, &broken),
				 DR_ERR_PROOF);
		assert_string_equal(broken.what, num == 1 ? "the sum of the keys is infinity" : SIGNATURE);
	}
}

static void test_branches(void **state)
{
	struct forge_block *final = start_period(3);
	struct forge_block *attested = forge_block(&net, 0, 230, forge_block(&net, 0, 224, final));
	const struct dr_lc_update good = forge_update(&net, DR_LC_UPDATE, attested);
	struct dr_lc_update u;

	(void)state;
	u = good; /* the current committee, by its own branch */
	u.next_committee = *forge_committee(32, attested->current);
	u.next_committee_branch = attested->current_branch;
	refuse(&u, DR_ERR_PROOF, "the next committee is not in the attested state");
	u = good; /* swapped, both of one length */
	u.next_committee_branch.num = 7;
	u.next_committee_branch = good.finality_branch;
	u.finality_branch = good.next_committee_branch;
	refuse(&u, DR_ERR_PROOF, "the finalized header is not in the attested state");
	u = good; /* one node too few, one too many */
	u.finality_branch.num--;
	refuse(&u, DR_ERR_PROOF, "the finalized header is not in the attested state");
	u = good;
	u.next_committee_branch.num++;
	memcpy(u.next_committee_branch.nodes[6], good.finality_branch.nodes[6], 32);
	refuse(&u, DR_ERR_PROOF, "the next committee is not in the attested state");
	u = good; /* another final header */
	u.finalized = final->header;
	refuse(&u, DR_ERR_PROOF, "the finalized header is not in the attested state");
	u = good; /* what has no branch is empty */
	u.finality_branch = (struct dr_ssz_branch){ 0 };
	refuse(&u, DR_ERR_PROOF, "a finalized header without its branch");
	u = good;
	u.next_committee_branch = (struct dr_ssz_branch){ 0 };
	refuse(&u, DR_ERR_PROOF, "a next committee without its branch");
	u.next_committee.pubkeys = dr_bytes_of(NULL, 0);
	refuse(&u, DR_ERR_PROOF, "a next committee without its branch"); /* aggregate_pubkey is left */
	u = good;                                                        /* execution payloads of each other */
	u.attested.execution = good.finalized.execution;
	refuse(&u, DR_ERR_PROOF, "the attested header's execution payload is not in its body");
	u = good;
	u.finalized.execution = good.attested.execution;
	refuse(&u, DR_ERR_PROOF, "the finalized header's execution payload is not in its body");
	/* A branch of a later fork's length, behind zeros, is as good (is_valid_normalized_merkle_branch). */
	u = good;
	memmove(u.next_committee_branch.nodes[1], u.next_committee_branch.nodes[0], 6 * 32);
	memset(u.next_committee_branch.nodes[0], 0, 32);
	u.next_committee_branch.num = 7;
	assert_true(take(&u).final);
}

/* Claimed forks, forks that are not known, forks without a light client. */
static void test_forks(void **state)
{
	struct forge_block *final = start_period(3);
	const struct dr_lc_update good = forge_update(&net, DR_LC_FINALITY_UPDATE,
						      forge_block(&net, 0, 230, forge_block(&net, 0, 224, final)));
	struct dr_lc_update u;

	(void)state;
	for (enum dr_beacon_fork fork = DR_BEACON_PHASE0; fork < DR_BEACON_FORKS; fork++) {
		if (fork == DR_BEACON_ELECTRA)
			continue;
		u = good;
		u.fork = fork;
		refuse(&u, DR_ERR_PROOF, "the version is not that of the attested header's slot");
	}
	/* The network names a fork from epoch 29 on (slot 232): what is attested from there on stops, and what is
	 * signed behind it. */
	store->net.unknown_epoch = 28;
	refuse(&good, DR_ERR_UNKNOWN, "unknown fork");
	store->net.unknown_epoch = 29;
	u = good;
	u.signature_slot = 233;
	refuse(&u, DR_ERR_UNKNOWN, "unknown fork");
	u.signature_slot = 232;
	assert_true(take(&u).final);
}

/* From Altair to Fulu, a fork in each period: each boundary is crossed with a final header of the fork before. */
static void test_all_forks(void **state)
{
	struct forge_block *final = forge_block(&net, 0, 8, NULL);
	struct dr_lc_update u;
	struct dr_lc_news news;

	(void)state;
	start_at(final);
	for (uint64_t period = 0; period < 6; period++) {
		/* The first block of a period (and fork), signed in the next slot; still final: the period before. */
		if (period > 0) {
			struct forge_block *first = forge_block(&net, 0, period * 64, final);

			u = forge_update(&net, DR_LC_UPDATE, first);
			news = take(&u);
			assert_true(news.head && !news.final && !news.committee && !news.period);
			/* Signed in the fork's own first slot, for the block before: by the version of before. */
			u = forge_update(&net, DR_LC_OPTIMISTIC_UPDATE, forge_block(&net, 1, period * 64 - 1, NULL));
			assert_int_equal(u.signature_slot, period * 64);
			assert_int_equal(take(&u).verdict, DR_LC_KNOWN);
		}
		/* Then its own finality, which teaches the next committee. */
		final = forge_block(&net, 0, period * 64 + 16, final);
		u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, period * 64 + 32, final));
		news = take(&u);
		assert_true(news.final && news.committee);
		assert_int_equal(news.period, period > 0);
		assert_int_equal(store->finalized.has_execution, period > 0);
		/* The last block of the period, before whose end its own last epoch is not final. */
		final = forge_block(&net, 0, period * 64 + 48, final);
		u = forge_update(&net, DR_LC_FINALITY_UPDATE, forge_block(&net, 0, period * 64 + 62, final));
		assert_true(take(&u).final);
	}
	assert_int_equal(dr_lc_store_period(store), 5);
}

/* Below Capella a header has no execution payload, below Deneb no blob fields: whatever the attested one has. */
static void test_early_payloads(void **state)
{
	struct forge_block *final;
	struct dr_lc_update u;

	(void)state;
	final = start_period(0);
	u = forge_update(&net, DR_LC_FINALITY_UPDATE, forge_block(&net, 0, 72, final)); /* Capella */
	u.finalized.execution.gas_limit = 1;
	refuse(&u, DR_ERR_PROOF, "the finalized header has an execution payload before Capella");
	u.finalized.execution.gas_limit = 0;
	u.finalized.execution_branch.nodes[3][0] = 1;
	refuse(&u, DR_ERR_PROOF, "the finalized header has an execution payload before Capella");
	u.attested = forge_block(&net, 0, 60, final)->header; /* Bellatrix */
	u.fork = DR_BEACON_BELLATRIX;
	u.attested.execution.gas_limit = 1;
	refuse(&u, DR_ERR_PROOF, "the attested header has an execution payload before Capella");
	final = start_period(1);
	u = forge_update(&net, DR_LC_FINALITY_UPDATE,
			 forge_block(&net, 0, 136, final)); /* Deneb, signed by the next */
	u.finalized.execution.excess_blob_gas = 1;
	refuse(&u, DR_ERR_PROOF, "the finalized header has blob fields before Deneb");
	u.finalized.execution.excess_blob_gas = 0;
	u.finalized.execution.blob_gas_used = 1;
	refuse(&u, DR_ERR_PROOF, "the finalized header has blob fields before Deneb");
	u.finalized.execution.blob_gas_used = 0;
	assert_true(take(&u).head);
}

/* A final header of slot 0 is an empty one, and its root zero. */
static void test_genesis(void **state)
{
	struct forge_block *checkpoint = forge_block(&net, 0, 8, NULL);
	struct dr_lc_update u;
	struct dr_lc_news news;

	(void)state;
	start_at(checkpoint);
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 12, NULL));
	u.finalized.beacon.proposer_index = 1;
	refuse(&u, DR_ERR_PROOF, "a finalized header of slot 0 that is not empty");
	u.finalized.beacon.proposer_index = 0;
	news = take(&u);
	assert_true(news.committee && news.head && !news.final);
}

/* A chain that begins at Capella or later: its genesis block has the default payload, and that is no block 0. */
static void test_genesis_payload(void **state)
{
	struct forge_block *genesis = forge_block(&net, 0, 4 * 64, NULL);

	(void)state;
	start_at(genesis);
	assert_true(store->finalized.has_execution && store->head.has_execution);
	memset(&genesis->header.execution, 0, sizeof(genesis->header.execution));
	forge_payload(genesis, &net);
	dr_lc_header_root(genesis->root, &genesis->header);
	start_at(genesis);
	assert_false(store->finalized.has_execution || store->head.has_execution);
}

/* What is attested in one period and final in the one before teaches nothing: neither the period's own next committee
 * nor, where that is not known, the store's. */
static void test_teaching(void **state)
{
	struct forge_block *final = start_period(2), *later = forge_block(&net, 0, 3 * 64 - 8, final);
	struct dr_lc_update u;
	struct dr_lc_news news;

	(void)state;
	/* The next committee known: the final header moves within its period, and that is all. */
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 3 * 64 + 4, later));
	news = take(&u);
	assert_true(news.final && news.head && !news.committee && !news.period);
	assert_int_equal(dr_lc_store_period(store), 2);
	assert_true(dr_lc_store_next_known(store));
	assert_memory_equal(&store->keys[store->next], &before->keys[before->next], sizeof(struct dr_lc_keys));
	/* Handed over by a finality update: the committee of period 4 is not known. */
	struct forge_block *third = forge_block(&net, 0, 3 * 64 + 8, later);

	u = forge_update(&net, DR_LC_FINALITY_UPDATE, forge_block(&net, 0, 3 * 64 + 20, third));
	news = take(&u);
	assert_true(news.final && news.period && !news.committee);
	assert_false(dr_lc_store_next_known(store));
	/* The update from before does not teach it either: what it says of period 3 was not final in it. */
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 3 * 64 + 21, later));
	news = take(&u);
	assert_true(news.head && !news.committee);
	/* Nor does one without finality. */
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 3 * 64 + 22, third));
	u.finality_branch = (struct dr_ssz_branch){ 0 };
	memset(&u.finalized, 0, sizeof(u.finalized));
	news = take(&u);
	assert_true(news.head && !news.committee);
	/* The next period's signers are not known then. */
	struct dr_lc_update beyond = forge_update(&net, DR_LC_OPTIMISTIC_UPDATE, forge_block(&net, 0, 4 * 64, third));

	refuse(&beyond, DR_ERR_STALE, "signed by the next committee, which is not known yet");
	/* And an older update of this period, final in it, does. */
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 3 * 64 + 19, third));
	news = take(&u);
	assert_true(news.committee && !news.final && !news.head);
	assert_true(take(&beyond).head);
	/* What the period before signed is of no use any more. */
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 3 * 64 - 2, final));
	refuse(&u, DR_ERR_STALE, "signed in a period that is over");
}

static void test_start(void **state)
{
	struct forge_block *b = forge_block(&net, 0, 3 * 64 + 8, NULL);
	const uint64_t now = dr_network_time(&net, b->slot);

	(void)state;
	for (unsigned row = 0; row < 12; row++) {
		static const struct {
			enum dr_err err;
			const char *what;
		} rows[] = {
			{ DR_OK, NULL },
			{ DR_ERR_PROOF, "the bootstrap's header is not the checkpoint's" },
			{ DR_ERR_STALE, "there is no clock" },
			{ DR_ERR_STALE, "the checkpoint lies in the future" },
			{ DR_ERR_PROOF, "the version is not that of the attested header's slot" },
			{ DR_ERR_PROOF, "the checkpoint's execution payload is not in its body" },
			{ DR_ERR_PROOF, "the committee is not in the checkpoint's state" },
			{ DR_ERR_PROOF, "the committee is not in the checkpoint's state" },
			{ DR_ERR_UNKNOWN, "unknown fork" },
			{ DR_ERR_UNKNOWN, "a fork whose light client is not known" },
			{ DR_ERR_SYNTAX, "a slot of no seconds" },
			{ DR_ERR_PROOF, "the committee is not in the checkpoint's state" },
		};
		struct dr_lc_bootstrap boot = forge_bootstrap(&net, b);
		struct dr_network changed = net;
		uint8_t trusted[32];
		uint64_t clock = now;
		struct dr_fail fail = { 0 };

		memcpy(trusted, b->root, 32);
		switch (row) {
		case 1: trusted[31] ^= 1; break;
		case 2: clock = 0; break;
		case 3: clock = now - DR_CLOCK_SKEW_S - 1; break;
		case 4: boot.fork = DR_BEACON_DENEB; break;
		case 5: boot.header.execution.receipts_root[0] ^= 1; break;
		case 6: boot.committee = *forge_committee(32, 7); break;
		case 7: boot.committee_branch.nodes[5][0] ^= 1; break;
		case 8:
			changed.unknown_epoch = 25;
			changed.forks[DR_BEACON_FULU].epoch = 25;
			break;
		case 9:
			for (size_t i = 1; i < DR_BEACON_FORKS; i++)
				changed.forks[i].epoch = 1000;
			break;
		case 10: changed.seconds_per_slot = 0; break;
		case 11: boot.committee_branch = b->next_branch; break;
		}
		memset(store, 0xaa, sizeof(*store));
		assert_int_equal(dr_lc_store_start(store, &changed, trusted, &boot, clock, &fail), rows[row].err);
		if (rows[row].err == DR_OK) {
			assert_true(store->ready);
			assert_int_equal(store->checkpoint_slot, b->slot);
			assert_memory_equal(store->checkpoint, b->root, 32);
			assert_memory_equal(&store->head, &store->finalized, sizeof(store->head));
			continue;
		}
		assert_string_equal(fail.what, rows[row].what);
		assert_true(dr_bytes_zero(store, sizeof(*store)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_participation, set_up),
		cmocka_unit_test_setup(test_participation_mainnet, set_up),
		cmocka_unit_test_setup(test_clock, set_up),
		cmocka_unit_test_setup(test_signers, set_up),
		cmocka_unit_test_setup(test_sums, set_up),
		cmocka_unit_test_setup(test_branches, set_up),
		cmocka_unit_test_setup(test_forks, set_up),
		cmocka_unit_test_setup(test_all_forks, set_up),
		cmocka_unit_test_setup(test_early_payloads, set_up),
		cmocka_unit_test_setup(test_genesis, set_up),
		cmocka_unit_test_setup(test_genesis_payload, set_up),
		cmocka_unit_test_setup(test_teaching, set_up),
		cmocka_unit_test_setup(test_start, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
