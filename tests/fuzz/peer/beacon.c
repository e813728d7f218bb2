/* SPDX-License-Identifier: Apache-2.0
 *
 * beacon: answers what tests/fuzz/peer/differential_beacon.mjs asks of the light client's store. A question is
 * u8 kind · u32 length · input, an answer one line; tests/lodestar/client/judge.mjs answers the same ones.
 *
 *   1 network    its encoding (chain/beacon/network.h)                           ok
 *   2 start      u8 fork · u64 now · root 32 · SSZ of a bootstrap                ok STATE | no WHY
 *   3 try        u8 kind · u8 fork · u64 now · SSZ of an update; on a copy       ok STATE | conflict WHAT | no WHY
 *   4 keep       the same, and goes on with what came of it
 *   5 remember, 6 go back to what was remembered                                 ok
 *
 * STATE: finalized slot and root, head slot, period, is the next committee known.
 */
#include <stdio.h>
#include <string.h>

#include "chain/base/arena.h"
#include "chain/base/limits.h"
#include "chain/base/reader.h"
#include "chain/beacon/lc_store.h"

#define INPUT_MAX ((size_t)1 << 20)

static struct dr_network net;
static struct dr_lc_store *store, *copy, *remembered;

static void say_no(const struct dr_fail *fail)
{
	printf("no %s: %s\n", dr_err_name(fail->err), fail->what);
}

static void say_state(const struct dr_lc_store *s)
{
	printf("ok %llu ", (unsigned long long)s->finalized.header.beacon.slot);
	for (size_t i = 0; i < 32; i++)
		printf("%02x", s->finalized.root[i]);
	printf(" %llu %llu %d\n", (unsigned long long)s->head.header.beacon.slot,
	       (unsigned long long)dr_lc_store_period(s), dr_lc_store_next_known(s));
}

static void start(struct dr_reader *r)
{
	struct dr_lc_bootstrap bootstrap;
	struct dr_fail fail = { 0 };
	uint8_t root[32];

	const enum dr_beacon_fork fork = dr_reader_u8(r);
	const uint64_t now = dr_reader_u64(r);

	dr_reader_copy(r, root, 32);
	if (dr_lc_bootstrap_decode(&bootstrap, &net, fork, dr_reader_view(r, r->left), &fail) != DR_OK ||
	    dr_lc_store_start(store, &net, root, &bootstrap, now, &fail) != DR_OK)
		say_no(&fail);
	else
		say_state(store);
}

static void take(struct dr_reader *r, bool keep)
{
	struct dr_lc_update update;
	struct dr_lc_news news;
	struct dr_fail fail = { 0 };

	const enum dr_lc_kind kind = dr_reader_u8(r);
	const enum dr_beacon_fork fork = dr_reader_u8(r);
	const uint64_t now = dr_reader_u64(r);

	*copy = *store;
	if (!store->ready)
		printf("no store\n");
	else if (dr_lc_update_decode(&update, &net, kind, fork, dr_reader_view(r, r->left), &fail) != DR_OK ||
		 dr_lc_store_take(copy, &update, now, &news, &fail) != DR_OK)
		say_no(&fail);
	else if (news.verdict == DR_LC_CONFLICT)
		printf("conflict %s\n", news.conflict);
	else
		say_state(copy);
	if (keep)
		*store = *copy;
}

static void put(struct dr_lc_store *to, const struct dr_lc_store *from)
{
	*to = *from;
	printf("ok\n");
}

static void network(struct dr_bytes bytes)
{
	struct dr_fail fail = { 0 };

	if (dr_network_decode(&net, bytes, &fail) != DR_OK)
		say_no(&fail);
	else
		printf("ok\n");
}

int main(void)
{
	static uint8_t input[INPUT_MAX], head[5];

	store = dr_heap_alloc(sizeof(*store));
	copy = dr_heap_alloc(sizeof(*copy));
	remembered = dr_heap_alloc(sizeof(*remembered));
	DR_ASSERT(store != NULL && copy != NULL && remembered != NULL);
	while (fread(head, 1, sizeof(head), stdin) == sizeof(head)) {
		struct dr_fail fail = { 0 };
		struct dr_reader r;

		dr_reader_init(&r, dr_bytes_of(head + 1, 4), &fail);
		const size_t len = dr_reader_u32(&r);

		DR_ASSERT(len <= INPUT_MAX && fread(input, 1, len, stdin) == len);
		dr_reader_init(&r, dr_bytes_of(input, len), &fail);
		switch (head[0]) {
		case 1: network(dr_bytes_of(input, len)); break;
		case 2: start(&r); break;
		case 3: take(&r, false); break;
		case 4: take(&r, true); break;
		case 5: put(remembered, store); break;
		case 6: put(store, remembered); break;
		default: DR_ASSERT(head[0] <= 6); break;
		}
	}
	dr_heap_free(remembered);
	dr_heap_free(copy);
	dr_heap_free(store);
	return 0;
}
