/* SPDX-License-Identifier: Apache-2.0
 *
 * plan_beacon: the planner's half for beacon nodes (proof consensus): the light-client REST routes of beacon-APIs v4
 * to FINALITY frames. What they answer is only decoded here, and handed on in its canonical form.
 */
#include <stdio.h>
#include <string.h>

#include "chain/base/hex.h"
#include "chain/beacon/beacon.h"
#include "chain/crypto/sha256.h"
#include "watcher/json_beacon.h"
#include "watcher/plan_impl.h"

#define LIGHT_CLIENT "/eth/v1/beacon/light_client"

void plan_beacon_ask_check(struct asks *a)
{
	ask_add(a, "genesis", ask_text(a->fail, "/eth/v1/beacon/genesis"));
}

void plan_beacon_ask_poll(struct asks *a)
{
	ask_add(a, "finality_update", ask_text(a->fail, LIGHT_CLIENT "/finality_update"));
	ask_add(a, "optimistic_update", ask_text(a->fail, LIGHT_CLIENT "/optimistic_update"));
}

void plan_beacon_ask(struct asks *a, const struct standing *w)
{
	char hex[65];

	if (w->want.kind == DR_WANT_BOOTSTRAP) {
		dr_hex_put(hex, w->want.hash, 32);
		ask_add(a, "bootstrap", ask_text(a->fail, LIGHT_CLIENT "/bootstrap/0x%s", hex));
		return;
	}
	const uint64_t left = w->want.last - w->next + 1;

	ask_add(a, "updates",
		ask_text(a->fail, LIGHT_CLIENT "/updates?start_period=%llu&count=%llu", (unsigned long long)w->next,
			 (unsigned long long)(left < DR_BEACON_PERIODS_AT_ONCE ? left : DR_BEACON_PERIODS_AT_ONCE)));
}

enum dr_err dr_plan_beacon_genesis(const struct dr_network *net, const struct dr_rpc_call *call, bool *same)
{
	const json_t *data = json_object_get(call->reply.result, "data");
	const json_t *root = json_object_get(data, "genesis_validators_root");
	const char *time = json_string_value(json_object_get(data, "genesis_time"));
	struct dr_fail own = { 0 };
	uint8_t got[32];
	char expected[24];

	*same = false;
	if (call->end != DR_RPC_RESULT || time == NULL || dr_json_hash(got, root, &own) != DR_OK)
		return DR_ERR_SYNTAX;
	snprintf(expected, sizeof(expected), "%llu", (unsigned long long)net->genesis_time);
	*same = memcmp(got, net->genesis_validators_root, 32) == 0 && strcmp(time, expected) == 0;
	return DR_OK;
}

/* One object as the payload of a frame. */
static enum dr_err payload_of(struct dr_buf *out, const struct dr_plan *p, const struct dr_beacon_item *item,
			      struct dr_fail *fail)
{
	const struct dr_network *net = &p->config.network;
	uint8_t *ssz = dr_arena_alloc(p->arena, dr_lc_len_max(net));
	const bool first = item->kind == DR_BEACON_BOOTSTRAP;
	const enum dr_beacon_fork fork = first ? item->bootstrap.fork : item->update.fork;
	size_t len = 0;

	out->len = 0;
	if (ssz == NULL)
		return dr_fail_set(fail, DR_ERR_LIMIT, "too long an answer", 0);
	if (first)
		dr_lc_bootstrap_encode(ssz, dr_lc_len_max(net), &len, net, &item->bootstrap, fail);
	else
		dr_lc_update_encode(ssz, dr_lc_len_max(net), &len, net, &item->update, fail);
	if (fail->err != DR_OK)
		return fail->err;
	return dr_beacon_payload(out, item->kind, fork, dr_bytes_of(ssz, len), fail);
}

/* What the answer to a GET holds, as JSON or SSZ. */
static enum dr_err read_answer(struct dr_beacon_item **items, size_t *num, const struct dr_plan *p,
			       const struct dr_rpc_call *call, struct dr_fail *fail)
{
	struct dr_json_notes notes = { .extra = NULL };

	if (call->reply.result == NULL)
		return dr_json_beacon_ssz(items, num, &p->config.network, call->bytes, p->arena, &notes, fail);
	return dr_json_beacon_parse(items, num, &p->config.network, call->reply.result, p->arena, &notes, fail);
}

/* What fewer than two thirds signed proves nothing. Honest nodes tell it all the same, when that is all there is: it
 * is no lie, and the core need not see it. */
static bool is_signed(const struct dr_plan *p, const struct dr_beacon_item *item)
{
	return dr_lc_participation(&item->update.aggregate) * 3 >= p->config.network.committee_size * 2;
}

/* A word is sent once: nodes repeat it until there is another. */
static bool is_said(struct endpoint_at *at, size_t slot, struct dr_bytes payload)
{
	uint8_t digest[32];

	dr_sha256_one(digest, payload.ptr, payload.len);
	if (memcmp(at->said[slot], digest, 32) == 0)
		return true;
	memcpy(at->said[slot], digest, 32);
	return false;
}

void plan_beacon_poll(struct dr_plan *p, uint16_t e, const struct dr_rpc_exchange *x, uint32_t want, uint64_t now_ms,
		      struct dr_fail *fail)
{
	static const enum dr_beacon_kind kinds[] = { DR_BEACON_FINALITY_UPDATE, DR_BEACON_OPTIMISTIC_UPDATE };
	struct endpoint_at *at = &p->endpoints[e];
	struct dr_fail first = { 0 };
	struct dr_buf payload;
	char reason[DR_TEXT_MAX];
	bool good = false;

	at->poll_at_ms = now_ms + p->config.poll_ms;
	if (want == 0)
		return; /* nobody wants it any more */
	dr_buf_init(&payload, DR_FRAME_LEN_MAX);
	for (size_t i = 0; i < x->num && i < 2 && fail->err == DR_OK; i++) {
		struct dr_beacon_item *items;
		struct dr_fail own = { 0 };
		size_t num;

		if (x->calls[i].end != DR_RPC_RESULT || read_answer(&items, &num, p, &x->calls[i], &own) != DR_OK ||
		    num != 1 || items->kind != kinds[i] || payload_of(&payload, p, items, &own) != DR_OK) {
			if (first.err == DR_OK)
				first = own;
			continue;
		}
		good = true;
		if (is_signed(p, items) && !is_said(at, i, dr_buf_view(&payload)))
			plan_frame(p, want, e, DR_FRAME_FINALITY, dr_buf_view(&payload), fail);
	}
	dr_buf_free(&payload);
	if (good)
		plan_state(p, e, DR_ENDPOINT_GOOD, "answers", fail);
	else if (at->state != DR_ENDPOINT_LAGS) {
		/* Of a fork that is not known yet, say: what is to be mended is here then, not there. */
		snprintf(reason, sizeof(reason), "tells neither a finality update nor an optimistic one%s%s",
			 first.err != DR_OK ? ": " : "", first.err != DR_OK ? first.what : "");
		plan_say_unavailable(p, want, e, reason, fail);
		plan_state(p, e, DR_ENDPOINT_LAGS, reason, fail);
	}
}

static void take_bootstrap(struct dr_plan *p, struct standing *w, uint16_t e, const struct dr_beacon_item *item,
			   uint64_t now_ms, struct dr_buf *payload, struct dr_fail *fail)
{
	struct dr_fail own = { 0 };
	uint8_t root[32];

	dr_lc_header_root(root, &item->bootstrap.header);
	if (item->kind != DR_BEACON_BOOTSTRAP || memcmp(root, w->want.hash, 32) != 0) {
		plan_unavailable(p, w, e, "answers with another block than the checkpoint's", fail);
		return;
	}
	if (payload_of(payload, p, item, &own) != DR_OK) {
		plan_unavailable(p, w, e, own.what, fail);
		return;
	}
	plan_frame(p, w->want.id, e, DR_FRAME_FINALITY, dr_buf_view(payload), fail);
	plan_answered(w, now_ms);
}

/* As many as came, in order; the rest is asked for next. */
static void take_updates(struct dr_plan *p, struct standing *w, uint16_t e, const struct dr_beacon_item *items,
			 size_t num, uint64_t now_ms, struct dr_buf *payload, struct dr_fail *fail)
{
	for (size_t i = 0; i < num && w->next <= w->want.last && fail->err == DR_OK; i++) {
		struct dr_fail own = { 0 };

		if (items[i].kind != DR_BEACON_UPDATE ||
		    dr_network_period(&p->config.network, items[i].update.attested.beacon.slot) != w->next) {
			plan_unavailable(p, w, e, "answers with other periods than asked for", fail);
			return;
		}
		if (!is_signed(p, &items[i])) {
			plan_unavailable(p, w, e, "has an update that fewer than two thirds signed", fail);
			return;
		}
		if (payload_of(payload, p, &items[i], &own) != DR_OK) {
			plan_unavailable(p, w, e, own.what, fail);
			return;
		}
		plan_frame(p, w->want.id, e, DR_FRAME_FINALITY, dr_buf_view(payload), fail);
		w->next++;
	}
	if (num == 0)
		plan_unavailable(p, w, e, "has no update of these periods", fail);
	else if (w->next > w->want.last)
		plan_answered(w, now_ms);
	else
		w->source = -1;
}

void plan_beacon_take(struct dr_plan *p, struct standing *w, uint16_t e, const struct dr_rpc_call *call,
		      uint64_t now_ms, struct dr_fail *fail)
{
	struct dr_beacon_item *items;
	struct dr_fail own = { 0 };
	struct dr_buf payload;
	char reason[160];
	size_t num;

	if (call->end != DR_RPC_RESULT) {
		if (call->end == DR_RPC_ERROR)
			snprintf(reason, sizeof(reason), "%s: HTTP %lld", call->method, (long long)call->reply.code);
		else
			snprintf(reason, sizeof(reason), "%s: %s", call->method, dr_rpc_end_name(call->end));
		plan_unavailable(p, w, e, reason, fail);
		return;
	}
	if (read_answer(&items, &num, p, call, &own) != DR_OK) {
		plan_unavailable(p, w, e, own.what, fail);
		return;
	}
	dr_buf_init(&payload, DR_FRAME_LEN_MAX);
	if (w->want.kind == DR_WANT_UPDATES)
		take_updates(p, w, e, items, num, now_ms, &payload, fail);
	else if (num == 1)
		take_bootstrap(p, w, e, items, now_ms, &payload, fail);
	else
		plan_unavailable(p, w, e, "answers with another block than the checkpoint's", fail);
	dr_buf_free(&payload);
}
