/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "chain/base/hex.h"
#include "watcher/plan_impl.h"

char *ask_text(struct dr_fail *fail, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	const int len = vsnprintf(NULL, 0, format, args);

	va_end(args);
	text = len >= 0 ? dr_heap_alloc((size_t)len + 1) : NULL;
	if (text == NULL) {
		dr_fail_set(fail, DR_ERR_NOMEM, "no memory for a request", 0);
		return NULL;
	}
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}

void ask_add(struct asks *a, const char *method, char *params)
{
	if (a->fail->err == DR_OK && a->num == a->room) {
		const size_t room = a->room * 2 + 8;
		void *grown = dr_heap_grow(a->calls, a->room * sizeof(*a->calls), room * sizeof(*a->calls));

		if (grown == NULL) {
			dr_fail_set(a->fail, DR_ERR_NOMEM, "no memory for a request", 0);
		} else {
			a->calls = grown;
			a->room = room;
		}
	}
	if (a->fail->err != DR_OK) {
		dr_heap_free(params);
		return;
	}
	struct dr_rpc_call *call = &a->calls[a->num++];

	memset(call, 0, sizeof(*call));
	snprintf(call->method, sizeof(call->method), "%s", method);
	call->params = params;
}

void ask_block(struct asks *a, uint64_t number)
{
	ask_add(a, "eth_getBlockByNumber", ask_text(a->fail, "[\"0x%llx\",false]", (unsigned long long)number));
}

void ask_tag(struct asks *a, const char *tag)
{
	ask_add(a, "eth_getBlockByNumber", ask_text(a->fail, "[\"%s\",false]", tag));
}

static void ask_hash(struct asks *a, const char *method, const uint8_t hash[static 32], const char *more)
{
	char hex[65];

	dr_hex_put(hex, hash, 32);
	ask_add(a, method, ask_text(a->fail, "[\"0x%s\"%s]", hex, more));
}

/* Of HEADERS, as much as one exchange with this endpoint takes. */
static uint64_t headers_last(const struct standing *w, const struct endpoint_at *at)
{
	const uint64_t room = w->want.last - w->next;
	const uint64_t max = at->headers_max > 0 ? at->headers_max : HEADERS_AT_ONCE;

	return w->next + (room < max ? room : max - 1);
}

static uint64_t logs_span(const struct standing *w)
{
	const uint64_t all = w->want.last - w->want.first + 1;

	return w->span == 0 || w->span > all ? all : w->span;
}

static size_t ask_cost(const struct standing *w, const struct endpoint_at *at)
{
	switch ((enum dr_want_kind)w->want.kind) {
	case DR_WANT_FINALITY: break;
	case DR_WANT_BOOTSTRAP:
	case DR_WANT_UPDATES: return 1;
	case DR_WANT_HEADERS: return (size_t)(headers_last(w, at) - w->next + 1);
	case DR_WANT_PARENTS: return (size_t)(w->want.last - w->want.first + 1);
	case DR_WANT_HEADER: return 1;
	case DR_WANT_RECEIPTS: return w->way != RECEIPTS_BY_TX ? 2 : w->has_work ? w->num_txs : 1;
	case DR_WANT_STATE: return 3;
	case DR_WANT_LOGS: return (size_t)((w->want.last - w->want.first) / logs_span(w) + 2);
	}
	return 0;
}

static void ask_receipts(struct asks *a, struct standing *w)
{
	if (w->way == RECEIPTS_BY_TX && w->has_work) {
		for (size_t i = 0; i < w->num_txs; i++)
			ask_hash(a, "eth_getTransactionReceipt", w->txs[i], "");
		return;
	}
	ask_hash(a, "eth_getBlockByHash", w->want.hash, ",false");
	if (w->way == RECEIPTS_BY_HASH)
		ask_hash(a, "eth_getBlockReceipts", w->want.hash, "");
	else if (w->way == RECEIPTS_BY_NUMBER)
		ask_add(a, "eth_getBlockReceipts",
			ask_text(a->fail, "[\"0x%llx\"]", (unsigned long long)w->want.first));
}

/* By number, because not every server takes a hash there: the block at that number is asked for before and after it,
 * so that another fork's proof is not taken for a lie. Slots as 32 bytes: the one form that all servers read. */
static void ask_state(struct asks *a, const struct dr_want *want)
{
	const size_t room = 128 + 70 * (size_t)want->num_slots;
	char *params = dr_heap_alloc(room);
	char hex[65];
	size_t len;

	if (params == NULL) {
		dr_fail_set(a->fail, DR_ERR_NOMEM, "no memory for a request", 0);
		return;
	}
	dr_hex_put(hex, want->address, 20);
	len = (size_t)snprintf(params, room, "[\"0x%s\",[", hex);
	for (size_t i = 0; i < want->num_slots; i++) {
		dr_hex_put(hex, want->slots[i], 32);
		len += (size_t)snprintf(params + len, room - len, "%s\"0x%s\"", i > 0 ? "," : "", hex);
	}
	snprintf(params + len, room - len, "],\"0x%llx\"]", (unsigned long long)want->first);
	ask_block(a, want->first);
	ask_add(a, "eth_getProof", params);
	ask_block(a, want->first);
}

/* First the last block: a server that is not as far has no logs there, and does not say so. */
static void ask_logs(struct asks *a, struct item *item, const struct standing *w)
{
	char hex[65];

	ask_block(a, w->want.last);
	item->from = logs_span(w);
	dr_hex_put(hex, w->want.address, 20);
	for (uint64_t first = w->want.first;; first += item->from) {
		const uint64_t left = w->want.last - first;
		const uint64_t last = left < item->from ? w->want.last : first + item->from - 1;

		ask_add(a, "eth_getLogs",
			ask_text(a->fail, "[{\"fromBlock\":\"0x%llx\",\"toBlock\":\"0x%llx\",\"address\":\"0x%s\"}]",
				 (unsigned long long)first, (unsigned long long)last, hex));
		if (left < item->from || a->fail->err != DR_OK)
			return;
	}
}

static void ask_want(struct asks *a, struct item *item, struct standing *w, const struct endpoint_at *at)
{
	*item = (struct item){ .want = w->want.id, .first = a->num };
	switch ((enum dr_want_kind)w->want.kind) {
	case DR_WANT_FINALITY: break;
	case DR_WANT_BOOTSTRAP:
	case DR_WANT_UPDATES: plan_beacon_ask(a, w); break;
	case DR_WANT_PARENTS:
		for (uint64_t i = 0; i <= w->want.last - w->want.first && a->fail->err == DR_OK; i++)
			ask_block(a, w->want.last - i);
		break;
	case DR_WANT_HEADERS:
		item->from = w->next;
		for (uint64_t i = 0; i <= headers_last(w, at) - w->next && a->fail->err == DR_OK; i++)
			ask_block(a, w->next + i);
		break;
	case DR_WANT_HEADER: ask_hash(a, "eth_getBlockByHash", w->want.hash, ",false"); break;
	case DR_WANT_RECEIPTS: ask_receipts(a, w); break;
	case DR_WANT_STATE: ask_state(a, &w->want); break;
	case DR_WANT_LOGS: ask_logs(a, item, w); break;
	}
	item->num = a->num - item->first;
}

static bool wants_data(const struct dr_plan *p, const struct standing *w, uint16_t e, uint64_t now_ms)
{
	return w->used && plan_serves(p, e, &w->want) && !w->busy && w->want.kind != DR_WANT_FINALITY &&
	       now_ms >= w->not_before_ms && (w->tried & 1u << e) == 0 && (w->source < 0 || w->source == (int)e);
}

/* The first want that this endpoint may answer, and as many more as fit beside it; its fair share, so that wants
 * spread over the endpoints. */
void ask_data(struct dr_plan *p, uint16_t e, struct asks *a, size_t share, uint64_t now_ms)
{
	struct trip *trip = &p->endpoints[e].trip;

	trip->kind = TRIP_DATA;
	trip->num_items = 0;
	for (size_t i = 0; i < WANTS_HELD && trip->num_items < share && trip->num_items < DR_WANTS_MAX; i++) {
		struct standing *w = &p->wants[i];

		if (!wants_data(p, w, e, now_ms) ||
		    (a->num > 0 && a->num + ask_cost(w, &p->endpoints[e]) > p->config.batch_requests))
			continue;
		if (w->want.kind == DR_WANT_RECEIPTS && !w->has_work && p->endpoints[e].receipts > w->way)
			w->way = p->endpoints[e].receipts;
		ask_want(a, &trip->items[trip->num_items++], w, &p->endpoints[e]);
		w->busy = true;
	}
}
