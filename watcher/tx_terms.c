/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/tx_terms.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/base/hex.h"
#include "watcher/json_evm.h"
#include "watcher/rpc.h"

#define WAIT_STEP_MS     200
#define PRIORITY_DEFAULT UINT64_C(1000000000)
#define PARAMS_MAX       4096u
#define BODY_MAX         (8u << 20) /* of one reply; the newest block is in it, without its transactions */

enum call {
	CHAIN_ID,
	COUNT,
	NEWEST,
	PRIORITY,
	ESTIMATE,
	NUM_CALLS,
};

/* The endpoints' answers, each list as it came. */
struct answers {
	struct {
		uint64_t values[DR_ENDPOINTS_MAX];
		size_t num;
	} of[NUM_CALLS];
	unsigned num_other_chain, num_no_base_fee;
};

static bool set_call(struct dr_rpc_call *call, const char *method, const char *params)
{
	const size_t len = strlen(params) + 1;

	snprintf(call->method, sizeof(call->method), "%s", method);
	call->params = dr_heap_alloc(len);
	if (call->params != NULL)
		memcpy(call->params, params, len);
	return call->params != NULL;
}

static enum dr_err post(struct dr_rpc *rpc, uint16_t endpoint, const struct dr_config *c,
			const uint8_t from[static 20], struct dr_bytes data, struct dr_fail *fail)
{
	struct dr_rpc_call *calls = dr_heap_alloc(NUM_CALLS * sizeof(*calls));
	char *text = dr_heap_alloc(PARAMS_MAX), *digits = dr_heap_alloc(2 * data.len + 1);
	char sender[41], to[41];
	bool good = calls != NULL && text != NULL && digits != NULL;

	if (good) {
		dr_hex_put(sender, from, 20);
		dr_hex_put(to, c->contract, 20);
		dr_hex_put(digits, data.ptr, data.len);
		good = set_call(&calls[CHAIN_ID], "eth_chainId", "[]");
		snprintf(text, PARAMS_MAX, "[\"0x%s\",\"pending\"]", sender);
		good = good && set_call(&calls[COUNT], "eth_getTransactionCount", text);
		good = good && set_call(&calls[NEWEST], "eth_getBlockByNumber", "[\"latest\",false]");
		good = good && set_call(&calls[PRIORITY], "eth_maxPriorityFeePerGas", "[]");
		snprintf(text, PARAMS_MAX, "[{\"from\":\"0x%s\",\"to\":\"0x%s\",\"data\":\"0x%s\"}]", sender, to,
			 digits);
		good = good && set_call(&calls[ESTIMATE], "eth_estimateGas", text);
	}
	dr_heap_free(text);
	dr_heap_free(digits);
	if (good)
		return dr_rpc_post(rpc, endpoint, calls, NUM_CALLS, NULL, fail);
	for (size_t i = 0; calls != NULL && i < NUM_CALLS; i++)
		dr_heap_free(calls[i].params);
	dr_heap_free(calls);
	return dr_fail_set(fail, DR_ERR_NOMEM, "no memory to ask the endpoints", 0);
}

static bool number(uint64_t *out, const json_t *value)
{
	struct dr_fail fail = { 0 };

	return value != NULL && dr_json_u64(out, value, &fail) == DR_OK;
}

static bool result(uint64_t *out, const struct dr_rpc_call *call)
{
	return call->end == DR_RPC_RESULT && number(out, call->reply.result);
}

static void add(struct answers *a, enum call which, uint64_t value)
{
	a->of[which].values[a->of[which].num++] = value;
}

/* One endpoint's answers count together, or not at all. */
static void take(struct answers *a, struct dr_tx_terms *t, const struct dr_config *c, const struct dr_rpc_exchange *x)
{
	uint64_t chain_id, count, base, value;

	if (x->end != DR_RPC_RESULT || !result(&chain_id, &x->calls[CHAIN_ID]))
		return;
	if (chain_id != c->chain_id) {
		a->num_other_chain++;
		return;
	}
	if (!result(&count, &x->calls[COUNT]) || x->calls[NEWEST].end != DR_RPC_RESULT)
		return;
	if (!number(&base, json_object_get(x->calls[NEWEST].reply.result, "baseFeePerGas"))) {
		a->num_no_base_fee++;
		return;
	}
	t->answered++;
	add(a, COUNT, count);
	add(a, NEWEST, base);
	add(a, PRIORITY, result(&value, &x->calls[PRIORITY]) ? value : PRIORITY_DEFAULT);
	if (result(&value, &x->calls[ESTIMATE]))
		add(a, ESTIMATE, value);
	else if (x->calls[ESTIMATE].end == DR_RPC_ERROR)
		snprintf(t->gas_why, sizeof(t->gas_why), "%s", x->calls[ESTIMATE].reply.message);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t middle(struct answers *a, enum call which)
{
	const size_t num = a->of[which].num;

	DR_ASSERT(num > 0);
	qsort(a->of[which].values, num, sizeof(uint64_t), by_value);
	return a->of[which].values[(num - 1) / 2];
}

static enum dr_err ask_all(struct answers *a, struct dr_tx_terms *t, const struct dr_config *c,
			   const uint8_t from[static 20], struct dr_bytes data, struct dr_fail *fail)
{
	const char *urls[DR_ENDPOINTS_MAX];
	const struct dr_rpc_limits limits = { .timeout_ms = c->timeout_ms,
					      .batch_requests = c->batch_requests,
					      .batch_bytes = c->batch_bytes,
					      .body_max = BODY_MAX };
	struct dr_rpc_exchange *x;
	struct dr_rpc *rpc;
	unsigned done = 0;
	short ready;

	for (size_t i = 0; i < c->num_endpoints; i++)
		urls[i] = c->endpoints[i].url;
	rpc = dr_rpc_new(urls, c->num_endpoints, 0, &limits);
	if (rpc == NULL)
		return dr_fail_set(fail, DR_ERR_NOMEM, "no memory to ask the endpoints", 0);
	for (uint16_t i = 0; i < c->num_endpoints && post(rpc, i, c, from, data, fail) == DR_OK; i++)
		t->asked++;
	/* Every exchange ends by its own deadline. */
	while (done < t->asked) {
		dr_rpc_wait(rpc, -1, 0, &ready, WAIT_STEP_MS);
		for (; (x = dr_rpc_done(rpc)) != NULL; done++) {
			take(a, t, c, x);
			dr_rpc_exchange_free(x);
		}
	}
	dr_rpc_free(rpc);
	return fail->err;
}

static enum dr_err too_few(const struct answers *a, const struct dr_tx_terms *t, struct dr_fail *fail)
{
	if (a->num_no_base_fee > 0)
		return dr_fail_set(fail, DR_ERR_UNKNOWN,
				   "the newest block has no base fee: no EIP-1559 on this chain", a->num_no_base_fee);
	if (a->num_other_chain > 0)
		return dr_fail_set(fail, DR_ERR_STALE, "endpoints of another chain than the configured one answer",
				   a->num_other_chain);
	return dr_fail_set(fail, DR_ERR_STALE, "fewer endpoints answered than the quorum asks for", t->answered);
}

enum dr_err dr_tx_terms_ask(struct dr_tx_terms *t, const struct dr_config *c, const uint8_t from[static 20],
			    struct dr_bytes data, uint64_t gas_fixed, struct dr_fail *fail)
{
	struct answers a = { 0 };
	uint64_t base;

	if (t->has_nonce && t->has_gas && t->has_max_fee && t->has_priority_fee)
		return DR_OK;
	if (ask_all(&a, t, c, from, data, fail) != DR_OK)
		return fail->err;
	if (t->answered == 0 || t->answered < c->quorum_k)
		return too_few(&a, t, fail);
	if (!t->has_nonce)
		t->nonce = middle(&a, COUNT);
	if (!t->has_priority_fee)
		t->priority_fee = middle(&a, PRIORITY);
	base = middle(&a, NEWEST);
	if ((!t->has_max_fee && base > DR_TX_FEE_ASKED_MAX / 2) ||
	    (!t->has_priority_fee && t->priority_fee > DR_TX_FEE_ASKED_MAX))
		return dr_fail_set(fail, DR_ERR_LIMIT, "the endpoints name a fee above 1000 gwei a unit of gas", 0);
	if (!t->has_max_fee && t->priority_fee > UINT64_MAX - 2 * base)
		return dr_fail_set(fail, DR_ERR_LIMIT, "the priority fee is beyond all bounds", 0);
	if (!t->has_max_fee)
		t->max_fee = 2 * base + t->priority_fee;
	if (!t->has_priority_fee && t->priority_fee > t->max_fee)
		t->priority_fee = t->max_fee;
	if (t->has_gas)
		return DR_OK;
	t->gas_fixed = a.of[ESTIMATE].num < c->quorum_k;
	t->gas = gas_fixed;
	if (t->gas_fixed)
		return DR_OK;
	t->gas = middle(&a, ESTIMATE);
	if (t->gas > DR_TX_GAS_ASKED_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "the endpoints name more than 10000000 gas", 0);
	t->gas += t->gas / 4;
	return DR_OK;
}
