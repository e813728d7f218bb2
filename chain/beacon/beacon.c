/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/beacon/beacon.h"

#include <string.h>

#include "chain/base/reader.h"
#include "chain/base/writer.h"

const char dr_beacon_too_old[] =
	"weak subjectivity: the newest final beacon block is older than the checkpoint's max_age";

#define OUT_MAX 4u /* findings not yet handed out: the caller drains after every frame */

struct dr_beacon {
	struct dr_beacon_config config;
	struct dr_lc_store store;
	uint64_t now_s, settled;
	struct dr_lc_point proven;        /* the head by signatures alone, while the store's is a settled one */
	bool head_settled;                /* it is */
	bool final_said, head_said;       /* the store's, since the last restart */
	uint64_t asked_first, asked_last; /* the periods of the standing want; first > last: none */
	struct dr_finality_finding out[OUT_MAX];
	size_t out_num, out_next;
};

struct dr_beacon *dr_beacon_new(const struct dr_beacon_config *config)
{
	struct dr_beacon *b = dr_heap_alloc(sizeof(*b));

	if (b == NULL)
		return NULL;
	b->config = *config;
	if (b->config.max_age_s == 0)
		b->config.max_age_s = DR_BEACON_AGE_DEFAULT_S;
	b->asked_first = 1;
	return b;
}

void dr_beacon_free(struct dr_beacon *b)
{
	dr_heap_free(b);
}

enum dr_err dr_beacon_payload(struct dr_buf *out, enum dr_beacon_kind kind, enum dr_beacon_fork fork,
			      struct dr_bytes ssz, struct dr_fail *fail)
{
	const uint8_t head[3] = { DR_FINALITY_BEACON, (uint8_t)kind, (uint8_t)fork };

	dr_buf_append(out, head, sizeof(head), fail);
	return dr_buf_append(out, ssz.ptr, ssz.len, fail);
}

static void say(struct dr_beacon *b, enum dr_finding_kind kind, enum dr_status status,
		const struct dr_lc_header *header, uint16_t source)
{
	if (b->out_num == OUT_MAX)
		return;
	struct dr_finality_finding *f = &b->out[b->out_num++];

	*f = (struct dr_finality_finding){
		.kind = kind, .status = status, .number = header->execution.block_number, .source = source
	};
	memcpy(f->hash, header->execution.block_hash, 32);
}

/* Rule 2. What the age is counted from is the newest final block: the checkpoint's own at first. */
static enum dr_err check_age(const struct dr_beacon *b, const struct dr_lc_store *store, struct dr_fail *fail)
{
	uint64_t age_s;

	if (dr_network_age(&age_s, &b->config.net, store->finalized.header.beacon.slot, b->now_s, UINT64_MAX, fail) !=
	    DR_OK)
		return fail->err;
	if (age_s <= b->config.max_age_s || b->config.aged)
		return DR_OK;
	return dr_fail_set(fail, DR_ERR_STALE, dr_beacon_too_old, 0);
}

static enum dr_err take_bootstrap(struct dr_beacon *b, enum dr_beacon_fork fork, struct dr_bytes ssz, bool *news,
				  uint16_t source, struct dr_fail *fail)
{
	struct dr_lc_bootstrap bootstrap;

	if (b->store.ready)
		return DR_OK; /* there is one checkpoint, and its bootstrap was taken */
	if (dr_lc_bootstrap_decode(&bootstrap, &b->config.net, fork, ssz, fail) != DR_OK ||
	    dr_lc_store_start(&b->store, &b->config.net, b->config.checkpoint, &bootstrap, b->now_s, fail) != DR_OK)
		return fail->err;
	if (check_age(b, &b->store, fail) != DR_OK) {
		memset(&b->store, 0, sizeof(b->store));
		return fail->err;
	}
	/* The operator's word makes the checkpoint final. */
	if (b->store.finalized.has_execution)
		say(b, DR_FINDING_BLOCK, DR_STATUS_FINAL, &b->store.finalized.header, source);
	b->final_said = b->head_said = true;
	*news = true;
	return DR_OK;
}

static enum dr_err take_update(struct dr_beacon *b, enum dr_lc_kind kind, enum dr_beacon_fork fork,
			       struct dr_bytes ssz, bool *news, uint16_t source, struct dr_fail *fail)
{
	struct dr_lc_update update;
	struct dr_lc_news what;
	uint8_t root[32];

	if (!b->store.ready)
		return dr_fail_set(fail, DR_ERR_STALE, "an update before the checkpoint's bootstrap", 0);
	if (check_age(b, &b->store, fail) != DR_OK ||
	    dr_lc_update_decode(&update, &b->config.net, kind, fork, ssz, fail) != DR_OK)
		return fail->err;
	if (kind == DR_LC_OPTIMISTIC_UPDATE && update.attested.execution.block_number != 0 &&
	    update.attested.execution.block_number <= b->settled) {
		/* It was kept because it said this; and it is to count as it did among what comes after it. */
		if (!b->head_settled)
			b->proven = b->store.head;
		b->head_settled |= dr_lc_store_head(&b->store, &update);
		say(b, DR_FINDING_BLOCK, DR_STATUS_HEAD, &update.attested, source);
		b->head_said = *news = true;
		return DR_OK;
	}
	if (dr_lc_store_take(&b->store, &update, b->now_s, &what, fail) != DR_OK)
		return fail->err;
	if (what.verdict == DR_LC_CONFLICT) {
		say(b, DR_FINDING_CONFLICT, DR_STATUS_FINAL, &update.finalized, source);
		b->out[b->out_num - 1].why = what.conflict;
		*news = true;
		return DR_OK;
	}
	b->head_settled &= !what.head;
	*news = what.final || what.head || what.committee || what.period;
	dr_lc_header_root(root, &update.finalized);
	if (what.final ||
	    (!b->final_said && dr_lc_is_final(&update) && memcmp(root, b->store.finalized.root, 32) == 0)) {
		if (b->store.finalized.has_execution)
			say(b, DR_FINDING_BLOCK, DR_STATUS_FINAL, &b->store.finalized.header, source);
		b->final_said = *news = true;
	} else if (dr_lc_is_final(&update) && memcmp(root, b->store.finalized.root, 32) != 0 &&
		   !dr_bytes_zero(update.finalized.execution.block_hash, 32)) {
		/* The store remembers some final blocks; whoever follows the chain has them all. */
		say(b, DR_FINDING_PAST, DR_STATUS_FINAL, &update.finalized, source);
	}
	dr_lc_header_root(root, &update.attested);
	if (what.head || (!b->head_said && memcmp(root, b->store.head.root, 32) == 0)) {
		if (b->store.head.has_execution)
			say(b, DR_FINDING_BLOCK, DR_STATUS_HEAD, &b->store.head.header, source);
		b->head_said = *news = true;
	}
	return DR_OK;
}

static enum dr_err beacon_frame(void *self, struct dr_bytes payload, uint16_t source, bool *news,
				struct dr_fail *fail)
{
	struct dr_beacon *b = self;
	struct dr_reader r;

	*news = false;
	b->out_num = b->out_next = 0;
	dr_reader_init(&r, payload, fail);
	const uint8_t scheme = dr_reader_u8(&r), kind = dr_reader_u8(&r), fork = dr_reader_u8(&r);
	const struct dr_bytes ssz = dr_reader_view(&r, payload.len < 3 ? 0 : payload.len - 3);

	if (fail->err != DR_OK)
		return fail->err;
	if (scheme != DR_FINALITY_BEACON)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "a finality scheme that is not followed here", scheme);
	if (fork >= DR_BEACON_FORKS)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "unknown fork", fork);
	switch ((enum dr_beacon_kind)kind) {
	case DR_BEACON_BOOTSTRAP: return take_bootstrap(b, (enum dr_beacon_fork)fork, ssz, news, source, fail);
	case DR_BEACON_UPDATE:
	case DR_BEACON_FINALITY_UPDATE:
	case DR_BEACON_OPTIMISTIC_UPDATE:
		return take_update(b, (enum dr_lc_kind)kind, (enum dr_beacon_fork)fork, ssz, news, source, fail);
	}
	return dr_fail_set(fail, DR_ERR_UNKNOWN, "a light-client message of no known kind", kind);
}

static bool beacon_next(void *self, struct dr_finality_finding *out)
{
	struct dr_beacon *b = self;

	*out = (struct dr_finality_finding){ 0 };
	if (b->out_next == b->out_num)
		return false;
	*out = b->out[b->out_next++];
	return true;
}

static void beacon_restart(void *self)
{
	struct dr_beacon *b = self;

	b->final_said = b->head_said = false;
	b->out_num = b->out_next = 0;
}

static void beacon_clock(void *self, uint64_t wall_s)
{
	((struct dr_beacon *)self)->now_s = wall_s;
}

/* What proves the block that all is settled to attests a later head than any settled one. If it did not, some row
 * of the evidence is made up, and its slot must not stand above every head that is still to come. */
static void beacon_settled(void *self, uint64_t number)
{
	struct dr_beacon *b = self;

	b->settled = number;
	if (number != 0 || !b->head_settled)
		return;
	b->store.head = b->proven;
	if (b->store.finalized.header.beacon.slot > b->store.head.header.beacon.slot)
		b->store.head = b->store.finalized;
	b->head_settled = false;
}

/* The periods whose updates are lacking, as long as the clock says that they have begun. The committee of the period
 * after the final block's is known from an update of its own period; finality updates do the rest, unless a whole
 * period was missed. */
static bool periods(const struct dr_beacon *b, uint64_t *first, uint64_t *last)
{
	struct dr_fail ignored = { 0 };
	uint64_t slot;

	if (dr_network_slot(&slot, &b->config.net, b->now_s, &ignored) != DR_OK)
		return false;
	const uint64_t now = dr_network_period(&b->config.net, slot), at = dr_lc_store_period(&b->store);
	const bool next = dr_lc_store_next_known(&b->store);

	*first = next ? at + 1 : at;
	*last = now - *first < DR_BEACON_PERIODS_AT_ONCE ? now : *first + DR_BEACON_PERIODS_AT_ONCE - 1;
	return next ? now >= at + 2 : now >= at;
}

static size_t beacon_wants(void *self, struct dr_want *out, size_t max)
{
	/* What was asked for stands until all of it came: it would else be another want after every update. */
	struct dr_beacon *b = self;
	uint64_t first, last;

	if (max == 0)
		return 0;
	memset(out, 0, sizeof(*out));
	if (!b->store.ready) {
		out->kind = DR_WANT_BOOTSTRAP;
		memcpy(out->hash, b->config.checkpoint, 32);
		return 1;
	}
	if (!periods(b, &first, &last)) {
		b->asked_first = 1;
		b->asked_last = 0;
		return 0;
	}
	if (first < b->asked_first || first > b->asked_last) {
		b->asked_first = first;
		b->asked_last = last;
	}
	out->kind = DR_WANT_UPDATES;
	out->first = b->asked_first;
	out->last = b->asked_last;
	return 1;
}

struct dr_finality dr_beacon_finality(struct dr_beacon *b)
{
	return (struct dr_finality){
		.proof = DR_PROOF_CONSENSUS,
		.self = b,
		.frame = beacon_frame,
		.next = beacon_next,
		.restart = beacon_restart,
		.clock = beacon_clock,
		.settled = beacon_settled,
		.wants = beacon_wants,
	};
}

const struct dr_network *dr_beacon_network(const struct dr_beacon *b)
{
	return &b->config.net;
}

void dr_beacon_status(const struct dr_beacon *b, struct dr_beacon_status *out)
{
	struct dr_fail ignored = { 0 };
	uint64_t slot;

	memset(out, 0, sizeof(*out));
	if (!b->store.ready)
		return;
	if (dr_network_slot(&slot, &b->config.net, b->now_s, &ignored) == DR_OK)
		out->period_now = dr_network_period(&b->config.net, slot);
	out->ready = true;
	out->next_known = dr_lc_store_next_known(&b->store);
	out->period = dr_lc_store_period(&b->store);
	out->checkpoint_slot = b->store.checkpoint_slot;
	out->final_slot = b->store.finalized.header.beacon.slot;
	out->head_slot = b->store.head.header.beacon.slot;
	memcpy(out->final_root, b->store.finalized.root, 32);
	out->participation = b->store.finalized.participation;
	out->committee = b->config.net.committee_size;
	dr_network_age(&out->age_s, &b->config.net, out->final_slot, b->now_s, UINT64_MAX, &ignored);
	out->aged = b->config.aged && out->age_s > b->config.max_age_s;
}
