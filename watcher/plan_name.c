/* SPDX-License-Identifier: Apache-2.0
 *
 * plan_name: the planner's half for words about blocks (proof quorum): what endpoints call final and latest, to
 * FINALITY frames. Two steps, so that k endpoints can agree on one number (planner.h, rule 6).
 */
#include <string.h>

#include "chain/evm/quorum.h"
#include "watcher/answer.h"
#include "watcher/plan_impl.h"

/* The k-th highest of the numbers that endpoints named; 0 if fewer than k named one. */
static uint64_t kth(const struct dr_plan *p, bool latest)
{
	uint64_t sorted[DR_ENDPOINTS_MAX];
	size_t num = 0;

	for (uint16_t e = 0; e < p->config.num_endpoints; e++) {
		const struct endpoint_at *at = &p->endpoints[e];
		size_t i = num;

		if (!(latest ? at->has_latest : at->has_final))
			continue;
		const uint64_t number = latest ? at->latest : at->final_;

		for (; i > 0 && sorted[i - 1] < number; i--)
			sorted[i] = sorted[i - 1];
		sorted[i] = number;
		num++;
	}
	return num >= p->config.quorum_k ? sorted[p->config.quorum_k - 1] : 0;
}

/* Asked again after a while, too: it may have named another block at just this number. */
bool plan_name_due(const struct dr_plan *p, uint16_t e, const struct standing *w, uint64_t now_ms, uint64_t *final_,
		   uint64_t *head)
{
	const struct endpoint_at *at = &p->endpoints[e];
	const uint64_t pause_ms = at->named_want != w->want.id ? 0 : RESEND_MS;

	*final_ = kth(p, false);
	*head = kth(p, true);
	if (*final_ > w->want.last)
		*final_ = w->want.last;
	if (!at->has_final || at->final_ < *final_ || *final_ < w->want.first ||
	    (at->named_final == *final_ && now_ms < at->named_final_ms + pause_ms))
		*final_ = 0;
	if (!at->has_latest || at->latest < *head || *head < w->want.first ||
	    (at->named_head == *head && now_ms < at->named_head_ms + pause_ms))
		*head = 0;
	return *final_ != 0 || *head != 0;
}

static void take_number(struct dr_plan *p, const struct dr_rpc_call *call, bool *has, uint64_t *number)
{
	struct dr_evm_header h;
	struct dr_fail own = { 0 };

	*has = call->end == DR_RPC_RESULT && dr_json_header(&h, call->reply.result, p->arena, &own) == DR_OK;
	*number = *has ? h.number : 0;
}

void plan_name_poll(struct dr_plan *p, uint16_t e, const struct dr_rpc_exchange *x, uint64_t now_ms,
		    struct dr_fail *fail)
{
	struct endpoint_at *at = &p->endpoints[e];
	const struct standing *w = plan_find(p, at->trip.want);

	at->poll_at_ms = now_ms + p->config.poll_ms;
	take_number(p, &x->calls[0], &at->has_final, &at->final_);
	take_number(p, &x->calls[1], &at->has_latest, &at->latest);
	if (at->has_latest && !at->withholds)
		plan_state(p, e, DR_ENDPOINT_GOOD, "answers", fail);
	else if (!at->has_latest && at->state != DR_ENDPOINT_LAGS) {
		if (w != NULL)
			plan_say_unavailable(p, w->want.id, e, "does not name its latest block", fail);
		plan_state(p, e, DR_ENDPOINT_LAGS, "does not name its latest block", fail);
	}
}

/* One word about the block at `number`, as a FINALITY frame, unless it is its last one. */
static bool take_name(struct dr_plan *p, uint16_t e, uint32_t want, const struct dr_rpc_call *call,
		      enum dr_status status, uint64_t number, uint64_t now_ms, struct dr_fail *fail)
{
	struct endpoint_at *at = &p->endpoints[e];
	uint64_t *said = status == DR_STATUS_FINAL ? &at->named_final : &at->named_head;
	uint8_t *said_hash = status == DR_STATUS_FINAL ? at->named_final_hash : at->named_head_hash;
	uint8_t payload[DR_QUORUM_PAYLOAD_LEN];
	struct dr_fail own = { 0 };
	struct dr_evm_header h;
	struct dr_buf scratch;

	if (call->end != DR_RPC_RESULT) {
		plan_say_unavailable(p, want, e, "does not have a block that it named", fail);
		plan_state(p, e, DR_ENDPOINT_LAGS, "does not have a block that it named", fail);
		at->withholds = true;
		return false;
	}
	dr_buf_init(&scratch, DR_EVM_HEADER_LEN_MAX);
	dr_answer_header(&scratch, &h, call->reply.result, NULL, p->arena, &own);
	dr_buf_free(&scratch);
	if (own.err != DR_OK || h.number != number) {
		plan_say_unavailable(p, want, e, "named a block that does not have its own hash or number", fail);
		plan_lie(p, e, "named a block that does not have its own hash or number", now_ms, fail);
		return false;
	}
	at->withholds = false;
	if (*said == number && memcmp(said_hash, h.hash, 32) == 0)
		return true;
	dr_quorum_payload(payload, status, number, h.hash);
	plan_frame(p, want, e, DR_FRAME_FINALITY, dr_bytes_of(payload, sizeof(payload)), fail);
	*said = number;
	memcpy(said_hash, h.hash, 32);
	return true;
}

void plan_name_take(struct dr_plan *p, uint16_t e, const struct dr_rpc_exchange *x, uint64_t now_ms,
		    struct dr_fail *fail)
{
	struct endpoint_at *at = &p->endpoints[e];
	const struct trip *trip = &at->trip;
	size_t i = 0;

	if (plan_find(p, trip->want) == NULL)
		return;
	if (at->named_want != trip->want) {
		at->named_want = trip->want;
		at->named_final = 0;
		at->named_head = 0;
	}
	at->named_final_ms = trip->final_ != 0 ? now_ms : at->named_final_ms;
	at->named_head_ms = trip->head != 0 ? now_ms : at->named_head_ms;
	/* What it has not is not asked for until the next poll. */
	if (trip->final_ != 0 &&
	    !take_name(p, e, trip->want, &x->calls[i++], DR_STATUS_FINAL, trip->final_, now_ms, fail))
		at->has_final = false;
	if (trip->head != 0 && !take_name(p, e, trip->want, &x->calls[i], DR_STATUS_HEAD, trip->head, now_ms, fail))
		at->has_latest = false;
}
