/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "chain/trie/mpt.h"
#include "watcher/answer.h"
#include "watcher/plan_impl.h"

/* JSON-RPC 2.0, section 5.1: the method is not there; its parameters are not understood. */
#define CODE_NO_METHOD  (-32601)
#define CODE_BAD_PARAMS (-32602)

/* How long one endpoint may go on with a want in the first round, while others wait for their turn. */
#define TURN_MS        300000ull
#define TURN_DOUBLINGS 10u

/* One item of an exchange: a want, and the calls that were made for it. */
struct taking {
	struct dr_plan *p;
	struct standing *w;
	uint16_t e;
	const struct item *item;
	const struct dr_rpc_call *calls; /* [0,item->num) */
	uint64_t now_ms;
	struct dr_buf payload;
	struct dr_fail *fail;
};

static void not_had(struct taking *t, const char *reason)
{
	plan_unavailable(t->p, t->w, t->e, reason, t->fail);
}

/* The server's own words may repeat a URL or key: only the code is told. */
static void not_answered(struct taking *t, const struct dr_rpc_call *call)
{
	char reason[160];

	if (call->end == DR_RPC_ERROR)
		snprintf(reason, sizeof(reason), "%s: error %lld", call->method, (long long)call->reply.code);
	else
		snprintf(reason, sizeof(reason), "%s: %s", call->method, dr_rpc_end_name(call->end));
	not_had(t, reason);
}

/* What building a payload came to: true if it was sent as a good answer. */
static bool deliver(struct taking *t, uint16_t type, const struct dr_fail *own)
{
	if (own->err != DR_OK && own->err != DR_ERR_PROOF) {
		not_had(t, own->what);
		return false;
	}
	/* A false one does not wait for credit: those of a few liars would fill what may wait, and this end. */
	if (own->err == DR_OK || plan_has_credit(t->p, t->payload.len))
		plan_frame(t->p, t->w->want.id, t->e, type, dr_buf_view(&t->payload), t->fail);
	if (own->err == DR_OK)
		return true;
	not_had(t, own->what);
	plan_lie(t->p, t->e, own->what, t->now_ms, t->fail);
	return false;
}

static void take_header(struct taking *t)
{
	struct dr_fail own = { 0 };
	struct dr_evm_header h;

	if (t->calls[0].end != DR_RPC_RESULT) {
		not_answered(t, &t->calls[0]);
		return;
	}
	dr_answer_header(&t->payload, &h, t->calls[0].reply.result, t->w->want.hash, t->p->arena, &own);
	if (deliver(t, DR_FRAME_HEADER, &own))
		plan_answered(t->w, t->now_ms);
}

/* Header i of several; false: there is none. A failure to read it is in own. */
static bool next_header(struct taking *t, size_t i, struct dr_evm_header *h, struct dr_fail *own)
{
	*own = (struct dr_fail){ 0 };
	if (t->calls[i].end != DR_RPC_RESULT) {
		not_answered(t, &t->calls[i]);
		return false;
	}
	t->payload.len = 0;
	dr_answer_header(&t->payload, h, t->calls[i].reply.result, NULL, t->p->arena, own);
	return true;
}

/* The next part is for whoever gave this one: another server, on a chain of its own, would put headers between that
 * link, and whoever came next would not go on. Not for ever while others wait; longer in each round, because the
 * chain may be long and everybody slow. */
static void go_on(struct taking *t)
{
	struct standing *w = t->w;
	const uint64_t turn_ms = TURN_MS << (w->rounds < TURN_DOUBLINGS ? w->rounds : TURN_DOUBLINGS);

	if (w->source != (int)t->e)
		w->since_ms = t->now_ms;
	w->source = (int)t->e;
	if (t->now_ms - w->since_ms > turn_ms && plan_has_other(t->p, w, t->e, t->now_ms))
		not_had(t, "so slow that it is another's turn");
}

/* All came. Where it was cut into parts because one took too long, the next may be longer. */
static void took_headers(struct taking *t)
{
	uint64_t *max = &t->p->endpoints[t->e].headers_max;

	if (t->w->want.last - t->w->want.first >= *max)
		*max = *max * 2 < HEADERS_AT_ONCE ? *max * 2 : 0;
	plan_answered(t->w, t->now_ms);
}

static void take_headers(struct taking *t)
{
	struct standing *w = t->w;

	for (size_t i = 0; i < t->item->num; i++) {
		struct dr_evm_header h;
		struct dr_fail own;

		/* Too much for one exchange: no more than so many from now on, or it would never come further. */
		if (t->calls[i].end == DR_RPC_TIMEOUT && i > 0)
			t->p->endpoints[t->e].headers_max = i;
		if (!next_header(t, i, &h, &own))
			return;
		if (own.err == DR_OK && h.number != w->next) {
			not_had(t, "a block with another number than asked for");
			return;
		}
		if (own.err == DR_OK && w->next > w->want.first && memcmp(h.parent_hash, w->next_parent, 32) != 0) {
			not_had(t, "its blocks do not link: it changed chains meanwhile, or another server did");
			return;
		}
		if (!deliver(t, DR_FRAME_HEADER, &own))
			return;
		memcpy(w->next_parent, h.hash, 32);
		if (w->next == w->want.last) {
			took_headers(t);
			return;
		}
		w->next++;
	}
	go_on(t);
}

/* From the last down: each is the parent of the one before it. */
static void take_parents(struct taking *t)
{
	const struct dr_want *want = &t->w->want;
	uint8_t expected[32];

	memcpy(expected, want->hash, 32);
	for (size_t i = 0; i < t->item->num; i++) {
		struct dr_evm_header h;
		struct dr_fail own;

		if (!next_header(t, i, &h, &own))
			return;
		if (own.err == DR_OK && (h.number != want->last - i || memcmp(h.hash, expected, 32) != 0)) {
			not_had(t, "has another block at this number");
			return;
		}
		if (!deliver(t, DR_FRAME_HEADER, &own))
			return;
		memcpy(expected, h.parent_hash, 32);
	}
	plan_answered(t->w, t->now_ms);
}

/* The block beside the answer: its header under the hash that was asked for. */
static bool take_block(struct taking *t, struct dr_evm_header *h)
{
	struct dr_fail own = { 0 };
	uint8_t claimed[32];

	if (t->calls[0].end != DR_RPC_RESULT) {
		not_answered(t, &t->calls[0]);
		return false;
	}
	if (dr_json_hash(claimed, json_object_get(t->calls[0].reply.result, "hash"), &own) == DR_OK &&
	    memcmp(claimed, t->w->want.hash, 32) != 0) {
		not_had(t, "has another block at this number");
		return false;
	}
	dr_answer_header(&t->payload, h, t->calls[0].reply.result, t->w->want.hash, t->p->arena, &own);
	t->payload.len = 0;
	if (own.err == DR_OK)
		return true;
	not_had(t, own.what);
	if (own.err == DR_ERR_PROOF)
		plan_lie(t->p, t->e, own.what, t->now_ms, t->fail);
	return false;
}

static void send_receipts(struct taking *t, const uint8_t root[static 32], const struct dr_bytes *receipts,
			  size_t num)
{
	struct dr_fail own = { 0 };

	dr_answer_receipts(&t->payload, t->w->want.hash, root, receipts, num, t->p->arena, &own);
	if (!deliver(t, DR_FRAME_RECEIPTS, &own))
		return;
	t->p->endpoints[t->e].receipts = t->w->way;
	plan_answered(t->w, t->now_ms);
}

/* Another way to the same receipts, from the same endpoint. */
static void next_way(struct taking *t, const struct dr_evm_header *h)
{
	const struct dr_rpc_call *call = &t->calls[t->item->num - 1];
	const bool lacks = call->end == DR_RPC_ERROR &&
			   (call->reply.code == CODE_NO_METHOD || call->reply.code == CODE_BAD_PARAMS);
	struct standing *w = t->w;
	struct dr_fail own = { 0 };
	uint8_t(*txs)[32];

	if (w->way == RECEIPTS_BY_HASH)
		w->way = RECEIPTS_BY_NUMBER;
	else
		w->way = RECEIPTS_BY_TX;
	if (lacks && t->p->endpoints[t->e].receipts < w->way)
		t->p->endpoints[t->e].receipts = w->way;
	w->source = t->e;
	if (w->way != RECEIPTS_BY_TX)
		return;
	if (dr_json_tx_hashes(&txs, &w->num_txs, t->calls[0].reply.result, t->p->arena, &own) != DR_OK) {
		not_had(t, own.what);
		return;
	}
	if (w->num_txs == 0) {
		send_receipts(t, h->receipts_root, NULL, 0);
		return;
	}
	memcpy(w->root, h->receipts_root, 32);
	w->txs = dr_heap_alloc(w->num_txs * 32);
	if (w->txs == NULL) {
		dr_fail_set(t->fail, DR_ERR_NOMEM, "no memory for transaction hashes", 0);
		return;
	}
	memcpy(w->txs, txs, w->num_txs * 32);
	w->has_work = true;
}

static void take_single_receipts(struct taking *t)
{
	struct standing *w = t->w;
	struct dr_bytes *receipts = dr_arena_alloc(t->p->arena, w->num_txs * sizeof(*receipts));
	uint8_t root[32];

	if (receipts == NULL) {
		not_had(t, "too many receipts");
		return;
	}
	for (size_t i = 0; i < w->num_txs; i++) {
		struct dr_fail own = { 0 };
		uint8_t hash[32];
		uint64_t idx;

		if (t->calls[i].end != DR_RPC_RESULT) {
			not_answered(t, &t->calls[i]);
			return;
		}
		if (dr_json_receipt(&receipts[i], hash, &idx, t->calls[i].reply.result, t->p->arena, &own) != DR_OK) {
			not_had(t, own.what);
			return;
		}
		if (idx != i || memcmp(hash, w->want.hash, 32) != 0) {
			not_had(t, "a receipt of another block or place: it is on another fork");
			return;
		}
	}
	memcpy(root, w->root, 32);
	send_receipts(t, root, receipts, w->num_txs);
}

/* A list of this block's receipts that leaves some out, doubles or displaces them is as false as one with a forged
 * receipt, and the core can see it. False: it is not even that. */
static bool take_odd_receipts(struct taking *t, const uint8_t root[static 32], const json_t *array)
{
	const size_t num = json_array_size(array);
	struct dr_bytes *receipts;

	if (num == 0 || num > DR_EVM_RECEIPTS_MAX)
		return false;
	receipts = dr_arena_alloc(t->p->arena, num * sizeof(*receipts));
	for (size_t i = 0; i < num && receipts != NULL; i++) {
		struct dr_fail own = { 0 };
		uint8_t hash[32];
		uint64_t idx;

		if (dr_json_receipt(&receipts[i], hash, &idx, json_array_get(array, i), t->p->arena, &own) != DR_OK ||
		    memcmp(hash, t->w->want.hash, 32) != 0)
			return false;
	}
	if (receipts != NULL)
		send_receipts(t, root, receipts, num);
	return receipts != NULL;
}

/* Receipts say of which block they are. None at all do not: by number, they may be all that another block has. */
static bool is_of_another(const struct standing *w, const struct dr_json_receipts *r, const uint8_t root[static 32])
{
	if (r->num > 0)
		return memcmp(r->block_hash, w->want.hash, 32) != 0;
	return w->way == RECEIPTS_BY_NUMBER && memcmp(root, dr_mpt_empty_root, 32) != 0;
}

static void take_receipts(struct taking *t)
{
	struct dr_fail own = { 0 };
	struct dr_json_receipts r;
	struct dr_evm_header h;

	if (t->w->way == RECEIPTS_BY_TX && t->w->has_work) {
		take_single_receipts(t);
		return;
	}
	if (!take_block(t, &h))
		return;
	const struct dr_rpc_call *call = &t->calls[t->item->num - 1];

	if (t->w->way == RECEIPTS_BY_TX || call->end == DR_RPC_ERROR || call->end == DR_RPC_NULL) {
		next_way(t, &h);
		return;
	}
	if (call->end != DR_RPC_RESULT) {
		not_answered(t, call);
		return;
	}
	if (dr_json_receipts(&r, call->reply.result, t->p->arena, &own) != DR_OK) {
		if (!take_odd_receipts(t, h.receipts_root, call->reply.result))
			not_had(t, own.what);
	} else if (is_of_another(t->w, &r, h.receipts_root)) {
		not_had(t, "has another block at this number");
	} else {
		send_receipts(t, h.receipts_root, r.receipts, r.num);
	}
}

/* Asked for before and after a proof by number: is it the block that is wanted, still? */
static bool is_still_there(const struct taking *t)
{
	const struct dr_rpc_call *after = &t->calls[2];
	struct dr_fail own = { 0 };
	uint8_t hash[32];

	return after->end == DR_RPC_RESULT &&
	       dr_json_hash(hash, json_object_get(after->reply.result, "hash"), &own) == DR_OK &&
	       memcmp(hash, t->w->want.hash, 32) == 0;
}

static void take_state(struct taking *t)
{
	struct dr_fail own = { 0 };
	struct dr_evm_header h;

	if (!take_block(t, &h))
		return;
	if (t->calls[1].end != DR_RPC_RESULT) {
		not_answered(t, &t->calls[1]);
		return;
	}
	dr_answer_state(&t->payload, &t->w->want, h.state_root, t->calls[1].reply.result, t->p->arena, &own);
	if (own.err == DR_ERR_PROOF && !is_still_there(t)) {
		not_had(t, "changed chains between a block and its state proof");
		return;
	}
	if (deliver(t, DR_FRAME_STATE, &own))
		plan_answered(t->w, t->now_ms);
}

static void take_logs(struct taking *t)
{
	struct dr_json_log *all = NULL;
	struct dr_fail own = { 0 };
	struct dr_evm_header h;
	size_t num = 0;

	if (!take_block(t, &h))
		return;
	for (size_t i = 1; i < t->item->num; i++) {
		struct dr_json_log *some, *more;
		size_t num_some;

		/* Providers limit ranges, each in its own words: smaller ones, from the same endpoint. */
		if (t->calls[i].end == DR_RPC_ERROR && t->calls[i].reply.code != CODE_NO_METHOD &&
		    t->item->from > 1) {
			t->w->span = t->item->from > 4 ? t->item->from / 4 : 1;
			t->w->source = t->e;
			return;
		}
		if (t->calls[i].end != DR_RPC_RESULT) {
			not_answered(t, &t->calls[i]);
			return;
		}
		if (dr_json_logs(&some, &num_some, t->calls[i].reply.result, t->p->arena, &own) != DR_OK) {
			not_had(t, own.what);
			return;
		}
		more = dr_arena_alloc(t->p->arena, (num + num_some) * sizeof(*all) + 1);
		if (more == NULL) {
			not_had(t, "too many logs");
			return;
		}
		if (num > 0)
			memcpy(more, all, num * sizeof(*all));
		if (num_some > 0)
			memcpy(more + num, some, num_some * sizeof(*all));
		all = more;
		num += num_some;
	}
	dr_answer_logs(&t->payload, &t->w->want, all, num, &own);
	if (deliver(t, DR_FRAME_LOGS, &own))
		plan_answered(t->w, t->now_ms);
}

enum dr_err plan_take_data(struct dr_plan *p, uint16_t e, const struct dr_rpc_exchange *x, uint64_t now_ms,
			   struct dr_fail *fail)
{
	const struct trip *trip = &p->endpoints[e].trip;
	struct taking t = { .p = p, .e = e, .now_ms = now_ms, .fail = fail };

	dr_buf_init(&t.payload, DR_FRAME_LEN_MAX);
	for (size_t i = 0; i < trip->num_items && fail->err == DR_OK; i++) {
		t.item = &trip->items[i];
		t.w = plan_find(p, t.item->want);
		if (t.w == NULL)
			continue; /* cancelled meanwhile */
		t.calls = x->calls + t.item->first;
		t.w->busy = false;
		t.payload.len = 0;
		dr_arena_reset(p->arena);
		switch ((enum dr_want_kind)t.w->want.kind) {
		case DR_WANT_FINALITY:
		case DR_WANT_BOOTSTRAP:
		case DR_WANT_UPDATES: plan_beacon_take(p, t.w, e, &t.calls[0], now_ms, fail); break;
		case DR_WANT_PARENTS: take_parents(&t); break;
		case DR_WANT_HEADERS: take_headers(&t); break;
		case DR_WANT_HEADER: take_header(&t); break;
		case DR_WANT_RECEIPTS: take_receipts(&t); break;
		case DR_WANT_STATE: take_state(&t); break;
		case DR_WANT_LOGS: take_logs(&t); break;
		}
		/* Nobody goes on with it who was refused, or set aside, meanwhile. */
		if (t.w->source >= 0 && ((t.w->tried & 1u << t.w->source) != 0 || !p->endpoints[t.w->source].checked))
			plan_restart(t.w);
	}
	dr_buf_free(&t.payload);
	return fail->err;
}
