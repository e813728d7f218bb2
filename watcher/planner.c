/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/planner.h"

#include <stdio.h>
#include <string.h>

#include "chain/base/reader.h"
#include "chain/evm/quorum.h"
#include "watcher/answer.h"
#include "watcher/plan_impl.h"

#define BACKOFF_BASE_MS  500u
#define BACKOFF_CAP_MS   30000u
#define LIE_ASIDE_MS     30000u
#define LIE_ASIDE_CAP_MS 600000u
#define LIE_NEED_CAP_MS  2000u /* how soon a liar is asked again when nobody else is good: at the next poll */
#define WRONG_CHAIN_MS   60000u
#define ROUND_POLLS      15u                                    /* the longest pause between rounds, in polls */
#define FRAME_AROUND     (6u + 4u + DR_EVIDENCE_FRAME_OVERHEAD) /* of a FRAME message, what is not payload */
#define WAITING_CAP      ((size_t)256 << 20)
#define RANGE_MAX        65536u /* blocks of one want */

struct dr_plan *dr_plan_new(const struct dr_plan_config *config, const struct dr_plan_io *io)
{
	struct dr_plan *p = dr_heap_alloc(sizeof(*p));

	DR_ASSERT(config->num_endpoints >= 1 && config->num_endpoints + config->num_beacons <= DR_ENDPOINTS_MAX);
	if (p == NULL)
		return NULL;
	p->config = *config;
	p->io = *io;
	dr_buf_init(&p->out, WAITING_CAP);
	dr_buf_init(&p->waiting, WAITING_CAP);
	p->arena = dr_arena_new(DR_JSON_ARENA_CAP);
	if (p->arena != NULL)
		return p;
	dr_plan_free(p);
	return NULL;
}

void dr_plan_free(struct dr_plan *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < WANTS_HELD; i++)
		dr_heap_free(p->wants[i].txs);
	dr_buf_free(&p->out);
	dr_buf_free(&p->waiting);
	dr_arena_free(p->arena);
	dr_heap_free(p);
}

struct dr_buf *dr_plan_out(struct dr_plan *p)
{
	return &p->out;
}

/* Frames. They wait for credit in their own queue; everything else goes at once. */

static enum dr_err flush(struct dr_plan *p, struct dr_fail *fail)
{
	while (p->waiting.len >= 4) {
		struct dr_reader r;

		dr_reader_init(&r, dr_buf_view(&p->waiting), fail);
		const uint64_t len = 4 + (uint64_t)dr_reader_u32(&r);

		DR_ASSERT(len <= p->waiting.len);
		if (len > p->credit)
			break;
		if (dr_buf_append(&p->out, p->waiting.ptr, (size_t)len, fail) != DR_OK)
			break;
		dr_buf_drop(&p->waiting, (size_t)len);
		p->credit -= len;
	}
	return fail->err;
}

bool plan_has_credit(const struct dr_plan *p, size_t len)
{
	return p->waiting.len == 0 && len + FRAME_AROUND <= p->credit;
}

enum dr_err plan_frame(struct dr_plan *p, uint32_t want, uint16_t source, uint16_t type, struct dr_bytes payload,
		       struct dr_fail *fail)
{
	const struct dr_frame frame = { .type = type, .source = source, .payload = payload };
	const uint8_t id[4] = { (uint8_t)(want >> 24), (uint8_t)(want >> 16), (uint8_t)(want >> 8), (uint8_t)want };
	struct dr_buf message;

	dr_buf_init(&message, DR_MSG_LEN_MAX);
	dr_buf_append(&message, id, sizeof(id), fail);
	if (dr_frame_put(&message, &frame, fail) == DR_OK)
		dr_msg_put(&p->waiting, DR_MSG_FRAME, dr_buf_view(&message), fail);
	dr_buf_free(&message);
	return fail->err != DR_OK ? fail->err : flush(p, fail);
}

/* Endpoints. */

void plan_state(struct dr_plan *p, uint16_t e, enum dr_endpoint_state state, const char *reason, struct dr_fail *fail)
{
	struct dr_endpoint_news news = { .source = e, .state = (uint8_t)state };

	if (p->endpoints[e].state == state)
		return;
	p->endpoints[e].state = state;
	dr_text_set(news.reason, sizeof(news.reason), reason, strlen(reason));
	dr_endpoint_news_put(&p->out, DR_MSG_ENDPOINT, &news, fail);
}

static void set_aside(struct dr_plan *p, uint16_t e, uint64_t now_ms, uint64_t wait_ms)
{
	struct endpoint_at *at = &p->endpoints[e];

	/* What had to go on with it begins anew elsewhere. */
	for (size_t i = 0; i < WANTS_HELD; i++)
		if (p->wants[i].used && !p->wants[i].busy && p->wants[i].source == (int)e)
			plan_restart(&p->wants[i]);
	at->checked = false;
	at->has_final = false;
	at->has_latest = false;
	at->aside_ms = now_ms;
	at->until_ms = now_ms + wait_ms;
}

void plan_strike(struct dr_plan *p, uint16_t e, const char *reason, uint64_t now_ms, struct dr_fail *fail)
{
	struct endpoint_at *at = &p->endpoints[e];

	at->strikes++;
	at->lied = false;
	set_aside(p, e, now_ms, dr_backoff_ms(at->strikes, BACKOFF_BASE_MS, BACKOFF_CAP_MS, p->io.random(p->io.ctx)));
	plan_state(p, e, DR_ENDPOINT_ASIDE, reason, fail);
}

void plan_lie(struct dr_plan *p, uint16_t e, const char *reason, uint64_t now_ms, struct dr_fail *fail)
{
	struct endpoint_at *at = &p->endpoints[e];

	if (at->lied && now_ms < at->until_ms)
		return; /* that is known */
	at->lies++;
	at->lied = true;
	set_aside(p, e, now_ms, dr_backoff_ms(at->lies, LIE_ASIDE_MS, LIE_ASIDE_CAP_MS, UINT32_MAX));
	plan_state(p, e, DR_ENDPOINT_ASIDE, reason, fail);
}

/* May it be asked at all? A liar before its time only if nobody else may. */
static bool is_open(const struct dr_plan *p, uint16_t e, uint64_t now_ms)
{
	const struct endpoint_at *at = &p->endpoints[e];
	const uint64_t need_ms = p->config.poll_ms < LIE_NEED_CAP_MS ? p->config.poll_ms : LIE_NEED_CAP_MS;

	if (now_ms >= at->until_ms)
		return true;
	if (!at->lied || now_ms < at->aside_ms + need_ms)
		return false;
	for (uint16_t i = 0; i < plan_sources(p); i++)
		if (i != e && plan_is_beacon(p, i) == plan_is_beacon(p, e) && now_ms >= p->endpoints[i].until_ms &&
		    p->endpoints[i].state != DR_ENDPOINT_WRONG_CHAIN)
			return false;
	return true;
}

/* Wants. */

struct standing *plan_find(struct dr_plan *p, uint32_t id)
{
	for (size_t i = 0; i < WANTS_HELD; i++)
		if (p->wants[i].used && p->wants[i].want.id == id)
			return &p->wants[i];
	return NULL;
}

void plan_restart(struct standing *w)
{
	dr_heap_free(w->txs);
	w->txs = NULL;
	w->num_txs = 0;
	w->has_work = false;
	w->source = -1;
	w->way = RECEIPTS_BY_HASH;
	w->next = w->want.first;
	memset(w->next_parent, 0, sizeof(w->next_parent));
}

void plan_answered(struct standing *w, uint64_t now_ms)
{
	plan_restart(w);
	w->rounds = 0;
	w->tried = 0;
	w->not_before_ms = now_ms + RESEND_MS;
}

void plan_say_unavailable(struct dr_plan *p, uint32_t want, uint16_t source, const char *reason, struct dr_fail *fail)
{
	struct dr_unavailable message = { .want = want, .source = source };

	dr_text_set(message.reason, sizeof(message.reason), reason, strlen(reason));
	dr_unavailable_put(&p->out, DR_MSG_UNAVAILABLE, &message, fail);
}

void plan_unavailable(struct dr_plan *p, struct standing *w, uint16_t e, const char *reason, struct dr_fail *fail)
{
	w->tried |= 1u << e;
	plan_restart(w);
	plan_say_unavailable(p, w->want.id, e, reason, fail);
}

static enum dr_err take_want(struct dr_plan *p, const struct dr_want *want, struct dr_fail *fail)
{
	const bool known = want->kind >= DR_WANT_FINALITY && want->kind <= DR_WANT_LAST;

	if (!known || want->first > want->last || want->num_slots > DR_STATE_SLOTS_MAX || want->id == 0 ||
	    (want->kind != DR_WANT_FINALITY && want->last - want->first >= RANGE_MAX))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "a want of no known form", want->kind);
	if (plan_find(p, want->id) != NULL)
		return dr_fail_set(fail, DR_ERR_NONCANONICAL, "a want's id twice", want->id);
	for (size_t i = 0; i < WANTS_HELD; i++) {
		struct standing *w = &p->wants[i];

		if (w->used)
			continue;
		memset(w, 0, sizeof(*w));
		w->used = true;
		w->want = *want;
		plan_restart(w);
		return DR_OK;
	}
	return dr_fail_set(fail, DR_ERR_LIMIT, "outstanding wants", WANTS_HELD);
}

static void take_refused(struct dr_plan *p, const struct dr_refusal *refusal, uint64_t now_ms, struct dr_fail *fail)
{
	struct standing *w = plan_find(p, refusal->want);

	if (refusal->source >= plan_sources(p))
		return;
	/* Perhaps only too early: what it says is sent again. */
	memset(p->endpoints[refusal->source].said, 0, sizeof(p->endpoints[refusal->source].said));
	if (refusal->err == DR_ERR_PROOF)
		plan_lie(p, refusal->source, "the core refused its answer: a lie", now_ms, fail);
	if (w == NULL)
		return;
	w->tried |= 1u << refusal->source;
	w->not_before_ms = now_ms;
	if (!w->busy && w->source == (int)refusal->source)
		plan_restart(w);
}

enum dr_err dr_plan_message(struct dr_plan *p, uint16_t type, struct dr_bytes payload, uint64_t now_ms,
			    struct dr_fail *fail)
{
	struct dr_refusal refusal;
	struct dr_want want;
	struct dr_reader r;

	switch (type) {
	case DR_MSG_WANT:
		if (dr_want_get(&want, payload, fail) == DR_OK)
			take_want(p, &want, fail);
		break;
	case DR_MSG_CANCEL:
		dr_reader_init(&r, payload, fail);
		struct standing *w = plan_find(p, dr_reader_u32(&r));

		if (dr_reader_end(&r) == DR_OK && w != NULL) {
			plan_restart(w);
			w->used = false;
		}
		break;
	case DR_MSG_CREDIT:
		dr_reader_init(&r, payload, fail);
		const uint64_t more = dr_reader_u64(&r);

		if (dr_reader_end(&r) == DR_OK) {
			p->credit = more > UINT64_MAX - p->credit ? UINT64_MAX : p->credit + more;
			flush(p, fail);
		}
		break;
	case DR_MSG_REFUSED:
		if (dr_refusal_get(&refusal, payload, fail) == DR_OK)
			take_refused(p, &refusal, now_ms, fail);
		break;
	default:
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "a message that does not belong on the watch channel", type);
	}
	return fail->err;
}

static const struct standing *finality_want(const struct dr_plan *p)
{
	const struct standing *newest = NULL;

	for (size_t i = 0; i < WANTS_HELD; i++)
		if (p->wants[i].used && p->wants[i].want.kind == DR_WANT_FINALITY &&
		    (newest == NULL || p->wants[i].want.id > newest->want.id))
			newest = &p->wants[i];
	return newest;
}

static void wrong_chain(struct dr_plan *p, uint16_t e, const char *why, uint64_t now_ms, struct dr_fail *fail)
{
	set_aside(p, e, now_ms, WRONG_CHAIN_MS);
	p->endpoints[e].lied = false;
	plan_state(p, e, DR_ENDPOINT_WRONG_CHAIN, why, fail);
}

static void right_chain(struct dr_plan *p, uint16_t e, const char *how, uint64_t now_ms, struct dr_fail *fail)
{
	struct endpoint_at *at = &p->endpoints[e];

	at->checked = true;
	at->lied = false;
	at->until_ms = 0;
	at->poll_at_ms = now_ms;
	plan_state(p, e, DR_ENDPOINT_GOOD, how, fail);
}

static void take_check(struct dr_plan *p, uint16_t e, const struct dr_rpc_exchange *x, uint64_t now_ms,
		       struct dr_fail *fail)
{
	struct dr_fail own = { 0 };
	uint8_t genesis[32];
	uint64_t chain_id;

	if (x->calls[0].end != DR_RPC_RESULT || x->calls[1].end != DR_RPC_RESULT ||
	    dr_json_u64(&chain_id, x->calls[0].reply.result, &own) != DR_OK ||
	    dr_json_hash(genesis, json_object_get(x->calls[1].reply.result, "hash"), &own) != DR_OK) {
		plan_strike(p, e, "does not tell its chain id and genesis", now_ms, fail);
		return;
	}
	if (chain_id != p->config.chain_id || memcmp(genesis, p->config.genesis, 32) != 0) {
		wrong_chain(p, e,
			    chain_id != p->config.chain_id ? "has another chain id" : "has another genesis block",
			    now_ms, fail);
		return;
	}
	right_chain(p, e, "chain id and genesis are right", now_ms, fail);
}

static void take_beacon_check(struct dr_plan *p, uint16_t e, const struct dr_rpc_exchange *x, uint64_t now_ms,
			      struct dr_fail *fail)
{
	bool same;

	if (dr_plan_beacon_genesis(&p->config.network, &x->calls[0], &same) != DR_OK)
		plan_strike(p, e, "does not tell its genesis", now_ms, fail);
	else if (!same)
		wrong_chain(p, e, "has another genesis", now_ms, fail);
	else
		right_chain(p, e, "its genesis is right", now_ms, fail);
}

enum dr_err dr_plan_done(struct dr_plan *p, const struct dr_rpc_exchange *x, uint64_t now_ms, struct dr_fail *fail)
{
	struct endpoint_at *at = &p->endpoints[x->endpoint];
	const enum trip_kind kind = at->trip.kind;
	const struct standing *finality = finality_want(p);
	enum dr_rpc_end end = x->end;

	for (size_t i = 0; i < x->num && end == DR_RPC_RESULT; i++)
		if (x->calls[i].end == DR_RPC_LIMITED)
			end = DR_RPC_LIMITED;
	at->trip.kind = TRIP_NONE;
	dr_arena_reset(p->arena);
	switch (kind) {
	case TRIP_NONE: return DR_OK;
	case TRIP_DATA: plan_take_data(p, x->endpoint, x, now_ms, fail); break;
	case TRIP_CHECK:
		if (end == DR_RPC_RESULT && plan_is_beacon(p, x->endpoint))
			take_beacon_check(p, x->endpoint, x, now_ms, fail);
		else if (end == DR_RPC_RESULT)
			take_check(p, x->endpoint, x, now_ms, fail);
		break;
	case TRIP_POLL:
		if (end == DR_RPC_RESULT && plan_is_beacon(p, x->endpoint))
			plan_beacon_poll(p, x->endpoint, x, finality != NULL ? finality->want.id : 0, now_ms, fail);
		else if (end == DR_RPC_RESULT)
			plan_name_poll(p, x->endpoint, x, now_ms, fail);
		break;
	case TRIP_NAME:
		if (end == DR_RPC_RESULT)
			plan_name_take(p, x->endpoint, x, now_ms, fail);
		break;
	}
	if (end != DR_RPC_RESULT)
		plan_strike(p, x->endpoint, dr_rpc_end_name(end), now_ms, fail);
	else if (at->checked)
		at->strikes = 0;
	return fail->err;
}

/* Who is asked what. */

/* At proof consensus, what endpoints call final or latest is nobody's business. */
static bool is_asked_for_words(const struct dr_plan *p, uint16_t e, const struct standing *finality)
{
	return finality != NULL && (plan_is_beacon(p, e) || p->config.quorum_k > 0);
}

static void ask_endpoint(struct dr_plan *p, uint16_t e, size_t share, uint64_t now_ms, struct dr_fail *fail)
{
	struct endpoint_at *at = &p->endpoints[e];
	struct asks a = { .fail = fail };
	const struct standing *finality = finality_want(p);

	/* Words and data take turns: where answers are slow, words are due again whenever they have come. */
	if (at->checked && at->last == (plan_is_beacon(p, e) ? TRIP_POLL : TRIP_NAME) && share > 0)
		ask_data(p, e, &a, share, now_ms);
	if (a.num > 0) {
		/* That is its turn. */
	} else if (!at->checked) {
		if (plan_is_beacon(p, e)) {
			plan_beacon_ask_check(&a);
		} else {
			ask_add(&a, "eth_chainId", ask_text(fail, "[]"));
			ask_block(&a, 0);
		}
		at->trip.kind = TRIP_CHECK;
	} else if (!is_asked_for_words(p, e, finality)) {
		if (share > 0)
			ask_data(p, e, &a, share, now_ms);
	} else if (!plan_is_beacon(p, e) && plan_name_due(p, e, finality, now_ms, &at->trip.final_, &at->trip.head)) {
		at->trip.kind = TRIP_NAME;
		at->trip.want = finality->want.id;
		if (at->trip.final_ != 0)
			ask_block(&a, at->trip.final_);
		if (at->trip.head != 0)
			ask_block(&a, at->trip.head);
	} else if (now_ms >= at->poll_at_ms) {
		at->trip.kind = TRIP_POLL;
		at->trip.want = finality->want.id;
		if (plan_is_beacon(p, e)) {
			plan_beacon_ask_poll(&a);
		} else {
			ask_tag(&a, p->config.final_tag);
			ask_tag(&a, "latest");
		}
	} else if (share > 0) {
		ask_data(p, e, &a, share, now_ms);
	}
	if (fail->err == DR_OK && a.num > 0) {
		at->last = at->trip.kind;
		p->io.post(p->io.ctx, e, a.calls, a.num, fail);
		return;
	}
	at->trip.kind = TRIP_NONE;
	for (size_t i = 0; i < a.num; i++)
		dr_heap_free(a.calls[i].params);
	dr_heap_free(a.calls);
}

/* Whoever polls often wants to know soon. */
static uint64_t round_pause(const struct dr_plan *p, const struct standing *w)
{
	const uint64_t poll_ms = p->config.poll_ms < LIE_NEED_CAP_MS ? p->config.poll_ms : LIE_NEED_CAP_MS;
	const uint64_t base_ms = poll_ms / 2;

	return dr_backoff_ms(w->rounds, base_ms, poll_ms * ROUND_POLLS, p->io.random(p->io.ctx));
}

bool plan_has_other(const struct dr_plan *p, const struct standing *w, uint16_t e, uint64_t now_ms)
{
	for (uint16_t i = 0; i < plan_sources(p); i++)
		if (i != e && plan_serves(p, i, &w->want) && (w->tried & 1u << i) == 0 && p->endpoints[i].checked &&
		    is_open(p, i, now_ms))
			return true;
	return false;
}

/* A want that everybody who may be asked has failed: the core is told, and a new round begins after a pause. */
static void end_rounds(struct dr_plan *p, uint64_t now_ms, struct dr_fail *fail)
{
	for (size_t i = 0; i < WANTS_HELD; i++) {
		struct standing *w = &p->wants[i];

		if (!w->used || w->busy || w->tried == 0 || now_ms < w->not_before_ms ||
		    plan_has_other(p, w, DR_SOURCE_CORE, now_ms))
			continue;
		w->tried = 0;
		w->rounds++;
		plan_restart(w);
		w->not_before_ms = now_ms + round_pause(p, w);
		plan_say_unavailable(p, w->want.id, DR_SOURCE_CORE, "no endpoint has it", fail);
	}
}

enum dr_err dr_plan_tick(struct dr_plan *p, uint64_t now_ms, struct dr_fail *fail)
{
	const uint16_t n = plan_sources(p);
	size_t pending[2] = { 0 }, idle[2] = { 0 }, share[2] = { 0 }; /* of RPC servers, of beacon nodes */

	end_rounds(p, now_ms, fail);
	for (size_t i = 0; i < WANTS_HELD; i++)
		pending[plan_for_beacons(&p->wants[i].want)] += p->wants[i].used && !p->wants[i].busy &&
								p->wants[i].want.kind != DR_WANT_FINALITY &&
								now_ms >= p->wants[i].not_before_ms;
	for (uint16_t e = 0; e < n; e++)
		idle[plan_is_beacon(p, e)] +=
			p->endpoints[e].checked && is_open(p, e, now_ms) && !p->io.busy(p->io.ctx, e);
	for (size_t kind = 0; kind < 2; kind++)
		if (p->waiting.len == 0 && idle[kind] > 0)
			share[kind] = (pending[kind] + idle[kind] - 1) / idle[kind];
	p->turn = (uint16_t)((p->turn + 1) % n);
	for (uint16_t i = 0; i < n && fail->err == DR_OK; i++) {
		const uint16_t e = (uint16_t)((p->turn + i) % n);

		if (!p->io.busy(p->io.ctx, e) && is_open(p, e, now_ms))
			ask_endpoint(p, e, share[plan_is_beacon(p, e)], now_ms, fail);
	}
	return fail->err;
}
