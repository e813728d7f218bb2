/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_beacon sync|again FILE: light-client updates of consecutive periods, from their SSZ to what they change in
 * the store. sync: each teaches the next committee. again: each once more, when its committee is known. FILE is
 * row_beacon.mjs's: u32 length · root 32 · bootstrap of mainnet, then updates, each u32 length · u64 now · SSZ.
 */
#include "tests/bench/bench.h"

#include "chain/base/arena.h"
#include "chain/base/reader.h"
#include "chain/beacon/lc_store.h"

#define UPDATES 64u
#define TIMES   4u

struct update {
	uint64_t now;
	uint8_t *ssz;
	size_t len;
};

static struct update updates[UPDATES];
static size_t num;
static struct dr_lc_store *store;
static const struct dr_network *net;
static struct dr_fail fail;

static void begin(const uint8_t *root, struct dr_bytes ssz, uint64_t now)
{
	struct dr_lc_bootstrap bootstrap;
	enum dr_beacon_fork fork;

	dr_lc_peek(&fork, net, &dr_lc_bootstrap_type, ssz, &fail);
	dr_lc_bootstrap_decode(&bootstrap, net, fork, ssz, &fail);
	bench_ok(&fail, "the bootstrap's form");
	dr_lc_store_start(store, net, root, &bootstrap, now, &fail);
	bench_ok(&fail, "the bootstrap");
}

static enum dr_err take(const struct update *u, struct dr_lc_news *news)
{
	const struct dr_bytes ssz = dr_bytes_of(u->ssz, u->len);
	struct dr_lc_update update;
	enum dr_beacon_fork fork;

	if (dr_lc_peek(&fork, net, &dr_lc_update_type, ssz, &fail) != DR_OK ||
	    dr_lc_update_decode(&update, net, DR_LC_UPDATE, fork, ssz, &fail) != DR_OK)
		return fail.err;
	return dr_lc_store_take(store, &update, u->now, news, &fail);
}

static void learn(size_t i)
{
	struct dr_lc_news news;

	take(&updates[i], &news);
	bench_ok(&fail, "an update");
	bench_must(news.committee, "an update teaches no committee");
}

/* From the checkpoint through all periods. */
static void follow(struct bench *b, const uint8_t *root, struct dr_bytes bootstrap)
{
	while (b->done < b->rounds) {
		begin(root, bootstrap, updates[0].now);
		bench_start(b);
		for (size_t i = 0; i < num; i++)
			learn(i);
		bench_stop(b);
	}
}

/* Each where it was taken: the stores are kept. */
static void again(struct bench *b, const uint8_t *root, struct dr_bytes bootstrap)
{
	struct dr_lc_store *current = store, *stores = dr_heap_alloc(num * sizeof(*stores));
	struct dr_lc_news news;

	bench_must(stores != NULL, "memory");
	begin(root, bootstrap, updates[0].now);
	for (size_t i = 0; i < num; i++) {
		learn(i);
		stores[i] = *store;
	}
	while (b->done < b->rounds) {
		bench_start(b);
		for (size_t i = 0; i < num * TIMES; i++) {
			store = &stores[i / TIMES];
			bench_must(take(&updates[i / TIMES], &news) == DR_OK && news.verdict == DR_LC_KNOWN,
				   "an update again");
		}
		bench_stop(b);
	}
	store = current;
	*store = stores[num - 1];
	dr_heap_free(stores);
}

static void read_file(const uint8_t **root, struct dr_bytes *bootstrap, struct dr_bytes file)
{
	struct dr_reader r;

	dr_reader_init(&r, file, &fail);
	const uint32_t len = dr_reader_u32(&r);

	*root = dr_reader_view(&r, 32).ptr;
	*bootstrap = dr_reader_view(&r, len);
	for (; r.left > 0 && num < UPDATES; num++) {
		struct update *u = &updates[num];

		u->len = dr_reader_u32(&r);
		u->now = dr_reader_u64(&r);
		const struct dr_bytes ssz = dr_reader_view(&r, u->len);

		u->ssz = malloc(u->len + 1);
		bench_must(u->ssz != NULL && ssz.ptr != NULL, "an update's bytes");
		memcpy(u->ssz, ssz.ptr, ssz.len);
	}
	dr_reader_end(&r);
	bench_ok(&fail, "the file");
	bench_must(num > 0, "no updates");
}

int main(int argc, char **argv)
{
	bench_must(argc == 3 && (strcmp(argv[1], "sync") == 0 || strcmp(argv[1], "again") == 0),
		   "bench_beacon sync|again FILE");
	const bool sync = strcmp(argv[1], "sync") == 0;
	struct bench b = bench_begin(argv[1]);
	struct dr_bytes bootstrap;
	struct dr_lc_news news;
	const uint8_t *root;

	net = dr_network_named("mainnet");
	store = dr_heap_alloc(sizeof(*store));
	bench_must(store != NULL, "memory");
	read_file(&root, &bootstrap, bench_map(argv[2]));
	if (sync)
		follow(&b, root, bootstrap);
	else
		again(&b, root, bootstrap);
	const char *result = bench_hex(store->finalized.root);

	/* The attested header's offset comes first, and is the length of what is fixed; that ends with the signature
	 * and the slot that it was made at. */
	struct update *last = &updates[num - 1];

	last->ssz[last->ssz[0] + (last->ssz[1] << 8) - 8 - 1] ^= 1;
	const bool taken = take(&updates[num - 1], &news) == DR_OK;

	bench_end(&b, (double)num * (sync ? 1 : TIMES), result, taken ? "accepted" : "refused", "");
	dr_heap_free(store);
	return 0;
}
