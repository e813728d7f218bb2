/* SPDX-License-Identifier: Apache-2.0
 *
 * beacon_case: one store on a forged network, and what is asked of it: that an update is taken, or refused for a
 * reason and without a trace.
 */
#ifndef DR_TESTS_BEACON_CASE_H
#define DR_TESTS_BEACON_CASE_H

#include "tests/unit/chain/beacon_forge.h"
#include "tests/unit/chain/beacon_kit.h"

static struct dr_lc_store *store, *before;
static struct dr_network net;

/* A minimal network; Capella from period 1 on, Deneb from 2, Electra from 3, Fulu from 4. 64 slots are a period. */
static inline void net_set(void)
{
	static const uint8_t root[32] = { 0x5e };

	net = beacon_minimal(root);
	for (uint8_t i = 0; i < DR_BEACON_FORKS; i++) {
		const uint8_t version[4] = { i, 0, 0, 1 };

		beacon_fork_set(&net, i, i < DR_BEACON_CAPELLA ? 0 : (i - 2u) * 8, version);
	}
}

static inline int set_up(void **state)
{
	(void)state;
	net_set();
	store = beacon_store();
	before = beacon_store();
	return 0;
}

/* Starts at a block, by its own bootstrap. */
static inline void start_at(const struct forge_block *b)
{
	const struct dr_lc_bootstrap bootstrap = forge_bootstrap(&net, b);
	struct dr_fail fail = { 0 };

	if (dr_lc_store_start(store, &net, b->root, &bootstrap, dr_network_time(&net, b->slot), &fail) != DR_OK)
		fail_msg("no start: %s", fail.what);
}

/* At the second in which the signature's slot begins. */
static inline struct dr_lc_news take(const struct dr_lc_update *update)
{
	struct dr_fail fail = { 0 };
	struct dr_lc_news news;

	*before = *store;
	if (dr_lc_store_take(store, update, dr_network_time(&net, update->signature_slot), &news, &fail) != DR_OK)
		fail_msg("refused: %s", fail.what);
	assert_int_equal(news.conflict != NULL, news.verdict == DR_LC_CONFLICT);
	if (news.verdict != DR_LC_TAKEN) {
		assert_memory_equal(store, before, sizeof(*store));
		assert_false(news.final || news.head || news.committee || news.period);
	}
	return news;
}

/* Refused, for this reason, and nothing is moved. */
static inline void refuse_at(const struct dr_lc_update *update, uint64_t now, enum dr_err err, const char *what)
{
	struct dr_fail fail = { 0 };
	struct dr_lc_news news;

	*before = *store;
	assert_int_equal(dr_lc_store_take(store, update, now, &news, &fail), err);
	assert_string_equal(fail.what, what);
	assert_true(dr_bytes_zero(&news, sizeof(news)));
	assert_memory_equal(store, before, sizeof(*store));
}

static inline void refuse(const struct dr_lc_update *update, enum dr_err err, const char *what)
{
	refuse_at(update, dr_network_time(&net, update->signature_slot), err, what);
}

#define SIGNATURE "the signature is not of these keys over this message"

/* A store in period n that knows the next committee, finalized at its slot 16. */
static inline struct forge_block *start_period(uint64_t n)
{
	struct forge_block *checkpoint = forge_block(&net, 0, n * 64 + 8, NULL);
	struct forge_block *final = forge_block(&net, 0, n * 64 + 16, checkpoint);
	struct dr_lc_update update;

	start_at(checkpoint);
	update = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, n * 64 + 32, final));
	assert_true(take(&update).committee);
	assert_int_equal(store->finalized.header.beacon.slot, final->slot);
	return final;
}

#endif
