/* SPDX-License-Identifier: Apache-2.0
 *
 * world: a small chain, three endpoints with flaws, and a planner between them and a test that plays the core.
 * Included by test_planner.c and fuzz_plan.c.
 */
#ifndef DR_TESTS_WORLD_H
#define DR_TESTS_WORLD_H

#include "tests/unit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/base/hex.h"
#include "chain/evm/quorum.h"
#include "tests/unit/watcher/plan_notes.h"
#include "watcher/planner.h"

/* A chain of blocks 0 to 31, each with one receipt of one log, and three endpoints that tell it with their flaws. */

#define BLOCKS    32u
#define ENDPOINTS 3u

static struct dr_evm_header blocks[BLOCKS], other_chain;
static struct dr_arena *arena;
static const uint8_t contract[20] = { 0xc0 };
static const uint8_t tx_hash[32] = { 0x77 };

enum flaw {
	NONE,
	DEAD, /* no connection */
	OTHER_CHAIN,
	OTHER_GENESIS,
	FALSE_HEADERS,  /* extra data changed, the hash kept */
	NO_BLOCKS,      /* by hash: null */
	NO_RECEIPTS,    /* [] */
	FALSE_RECEIPTS, /* another cumulative gas */
	BY_NUMBER_ONLY, /* eth_getBlockReceipts(hash) is null */
	BY_TX_ONLY,     /* no eth_getBlockReceipts */
	SHORT_LOGS,     /* eth_getLogs of more than 3 blocks is an error */
	WITHHOLDS,      /* names a final block that it then does not have */
	OTHER_NUMBER,   /* block 5 by number is block 6 */
	UNLINKED,       /* block 5 by number is of another chain */
	FALSE_STATE,    /* proofs that prove nothing */
	LEAVES,         /* the same, as it goes over to another chain just before it proves */
	SLOW,           /* no more than four calls of an exchange in its time */
	COMES_BETWEEN,  /* the same; its blocks by number are its own, on top of what came before; 20 is its last */
	OTHER_IS_EMPTY, /* by number it has another block's receipts, and there are none; by hash they are null */
};

struct mind {
	enum flaw flaw;
	uint64_t final_, latest;
	struct dr_rpc_call *calls; /* posted, not answered */
	size_t num;
	unsigned asked;           /* exchanges */
	bool left;                /* LEAVES: for one answer */
	struct dr_evm_header own; /* COMES_BETWEEN: the last that it made */
};

static struct mind minds[ENDPOINTS];
static struct dr_plan *plan;
static uint64_t now;

static json_t *hex_of(const void *ptr, size_t len)
{
	char *text = (char *)kit_alloc(2 * len + 3);

	text[0] = '0';
	text[1] = 'x';
	dr_hex_put(text + 2, ptr, len);
	return json_string(text);
}

static json_t *number_of(uint64_t n)
{
	return json_sprintf("0x%llx", (unsigned long long)n);
}

/* What endpoints tell of a block is made once: number (the last: the other chain's) and what it tells. */
enum told { BLOCK, BLOCK_CHANGED, LOG, RECEIPTS, RECEIPTS_CHANGED, TOLD };

static json_t **told(const struct dr_evm_header *h, enum told what)
{
	static json_t *made[BLOCKS + 1][TOLD];

	return &made[h == &other_chain ? BLOCKS : (size_t)(h - blocks)][what];
}

static json_t *fresh_block_json(const struct dr_evm_header *h, bool other)
{
	json_t *b = json_object();

	json_object_set_new(b, "hash", hex_of(h->hash, 32));
	json_object_set_new(b, "parentHash", hex_of(h->parent_hash, 32));
	json_object_set_new(b, "sha3Uncles", hex_of(h->ommers_hash, 32));
	json_object_set_new(b, "miner", hex_of(h->coinbase, 20));
	json_object_set_new(b, "stateRoot", hex_of(h->state_root, 32));
	json_object_set_new(b, "transactionsRoot", hex_of(h->transactions_root, 32));
	json_object_set_new(b, "receiptsRoot", hex_of(h->receipts_root, 32));
	json_object_set_new(b, "logsBloom", hex_of(h->bloom, 256));
	json_object_set_new(b, "difficulty", json_string("0x0"));
	json_object_set_new(b, "number", number_of(h->number));
	json_object_set_new(b, "gasLimit", number_of(h->gas_limit));
	json_object_set_new(b, "gasUsed", number_of(h->gas_used));
	json_object_set_new(b, "timestamp", number_of(h->timestamp));
	json_object_set_new(b, "extraData", json_string(other ? "0xff" : "0x"));
	json_object_set_new(b, "mixHash", hex_of(h->mix_hash, 32));
	json_object_set_new(b, "nonce", hex_of(h->nonce, 8));
	json_object_set_new(b, "transactions", json_pack("[o]", hex_of(tx_hash, 32)));
	return b;
}

static json_t *block_json(const struct dr_evm_header *h, bool other)
{
	json_t **made = told(h, other ? BLOCK_CHANGED : BLOCK);

	if (*made == NULL)
		*made = fresh_block_json(h, other);
	return json_incref(*made);
}

/* A block of its own with this number, on the one that it made before, or on the chain's. */
static json_t *own_block(struct mind *m, uint64_t n)
{
	struct dr_evm_header h = blocks[n];
	struct dr_fail fail = { 0 };

	if (n > 20)
		return NULL;
	h.timestamp += 1000;
	if (m->own.number == n - 1)
		memcpy(h.parent_hash, m->own.hash, 32);
	assert_int_equal(dr_evm_header_hash(h.hash, &h, &fail), DR_OK);
	m->own = h;
	return fresh_block_json(&h, false);
}

static json_t *log_json(const struct dr_evm_header *h)
{
	json_t **made = told(h, LOG);

	if (*made == NULL)
		*made = json_pack("{s:o,s:[o],s:s,s:o,s:o,s:o,s:s,s:s}", "address", hex_of(contract, 20), "topics",
				  hex_of(tx_hash, 32), "data", "0x0102", "blockNumber", number_of(h->number),
				  "blockHash", hex_of(h->hash, 32), "transactionHash", hex_of(tx_hash, 32),
				  "transactionIndex", "0x0", "logIndex", "0x0");
	return json_incref(*made);
}

static json_t *receipt_json(const struct dr_evm_header *h, bool other)
{
	return json_pack("{s:s,s:s,s:s,s:o,s:s,s:[o]}", "type", "0x2", "status", "0x1", "cumulativeGasUsed",
			 other ? "0x5209" : "0x5208", "blockHash", hex_of(h->hash, 32), "transactionIndex", "0x0",
			 "logs", log_json(h));
}

static json_t *receipts_json(const struct dr_evm_header *h, bool other)
{
	json_t **made = told(h, other ? RECEIPTS_CHANGED : RECEIPTS);

	if (*made == NULL)
		*made = json_pack("[o]", receipt_json(h, other));
	return json_incref(*made);
}

static void make_chain(void)
{
	struct dr_fail fail = { 0 };

	for (uint64_t n = 0; n < BLOCKS; n++) {
		struct dr_evm_header *h = &blocks[n];
		struct dr_json_receipts r;

		*h = (struct dr_evm_header){
			.num_fields = 15, .number = n, .timestamp = 1000 + n, .gas_limit = 5000
		};
		if (n > 0)
			memcpy(h->parent_hash, blocks[n - 1].hash, 32);
		json_t *list = json_pack("[o]", receipt_json(h, false));

		assert_int_equal(dr_json_receipts(&r, list, arena, &fail), DR_OK);
		assert_int_equal(dr_evm_receipts_root(h->receipts_root, r.receipts, 1, arena, &fail), DR_OK);
		assert_int_equal(dr_evm_header_hash(h->hash, h, &fail), DR_OK);
		json_decref(list);
		json_decref(*told(h, LOG)); /* it has no hash yet */
		*told(h, LOG) = NULL;
	}
	other_chain = blocks[5];
	other_chain.timestamp++;
	assert_int_equal(dr_evm_header_hash(other_chain.hash, &other_chain, &fail), DR_OK);
}

static inline int world_setup(void **state)
{
	(void)state;
	arena = dr_arena_new(64 << 20);
	make_chain();
	return arena == NULL;
}

static inline int world_teardown(void **state)
{
	(void)state;
	dr_arena_free(arena);
	return 0;
}

static const struct dr_evm_header *by_hash(const json_t *param)
{
	struct dr_fail fail = { 0 };
	uint8_t hash[32];

	if (dr_json_hash(hash, param, &fail) == DR_OK)
		for (size_t i = 0; i < BLOCKS; i++)
			if (memcmp(blocks[i].hash, hash, 32) == 0)
				return &blocks[i];
	return NULL;
}

static const struct dr_evm_header *by_number(const struct mind *m, const json_t *param)
{
	const char *tag = json_string_value(param);
	struct dr_fail fail = { 0 };
	uint64_t n;

	if (strcmp(tag, "finalized") == 0)
		n = m->final_;
	else if (strcmp(tag, "latest") == 0)
		n = m->latest;
	else if (dr_json_u64(&n, param, &fail) != DR_OK || n > m->latest)
		return NULL;
	if (m->flaw == OTHER_NUMBER && n == 5)
		n = 6;
	if (m->flaw == UNLINKED && n == 5)
		return &other_chain;
	return n < BLOCKS ? &blocks[n] : NULL;
}

/* The result, NULL for null; *code for an error. */
static json_t *tell(struct mind *m, const char *method, const json_t *params, int *code)
{
	const json_t *first = json_array_get(params, 0);

	if (strcmp(method, "eth_chainId") == 0)
		return json_string(m->flaw == OTHER_CHAIN ? "0x2" : "0x1");
	if (strcmp(method, "eth_getBlockByNumber") == 0) {
		const struct dr_evm_header *h = by_number(m, first);

		if (m->left)
			h = &other_chain;
		m->left = false;
		if (h == NULL || (m->flaw == WITHHOLDS && json_string_value(first)[0] == '0' && h->number > 0))
			return NULL;
		if (m->flaw == COMES_BETWEEN && json_string_value(first)[0] == '0' && h->number > 0)
			return own_block(m, h->number);
		if (m->flaw == OTHER_GENESIS && h->number == 0)
			h = &blocks[1];
		return block_json(h, m->flaw == FALSE_HEADERS && h->number > 0);
	}
	if (strcmp(method, "eth_getBlockByHash") == 0) {
		const struct dr_evm_header *h = by_hash(first);

		return h == NULL || m->flaw == NO_BLOCKS ? NULL : block_json(h, m->flaw == FALSE_HEADERS);
	}
	if (strcmp(method, "eth_getBlockReceipts") == 0) {
		const bool hash = json_string_length(first) == 66;
		const struct dr_evm_header *h = hash ? by_hash(first) : by_number(m, first);

		if (m->flaw == BY_TX_ONLY)
			*code = -32601;
		if (h == NULL || *code != 0 || (hash && (m->flaw == BY_NUMBER_ONLY || m->flaw == OTHER_IS_EMPTY)))
			return NULL;
		return m->flaw == NO_RECEIPTS || m->flaw == OTHER_IS_EMPTY
			       ? json_array()
			       : receipts_json(h, m->flaw == FALSE_RECEIPTS);
	}
	if (strcmp(method, "eth_getTransactionReceipt") == 0)
		return receipt_json(&blocks[7], false);
	if (strcmp(method, "eth_getLogs") == 0) {
		struct dr_fail fail = { 0 };
		uint64_t from, to;
		json_t *list = json_array();

		dr_json_u64(&from, json_object_get(first, "fromBlock"), &fail);
		dr_json_u64(&to, json_object_get(first, "toBlock"), &fail);
		if (m->flaw == SHORT_LOGS && to - from >= 3)
			*code = -32000;
		for (uint64_t n = from; n <= to && *code == 0; n++)
			json_array_append_new(list, log_json(&blocks[n]));
		return list;
	}
	if (strcmp(method, "eth_getProof") == 0 && (m->flaw == FALSE_STATE || m->flaw == LEAVES)) {
		m->left = m->flaw == LEAVES;
		return json_pack("{s:o,s:s,s:s,s:o,s:o,s:[],s:[]}", "address", hex_of(contract, 20), "nonce", "0x0",
				 "balance", "0x0", "codeHash", hex_of(tx_hash, 32), "storageHash",
				 hex_of(tx_hash, 32), "accountProof", "storageProof");
	}
	*code = -32601;
	return NULL;
}

static bool io_busy(void *ctx, uint16_t e)
{
	(void)ctx;
	return minds[e].calls != NULL;
}

static enum dr_err io_post(void *ctx, uint16_t e, struct dr_rpc_call *calls, size_t num, struct dr_fail *fail)
{
	(void)ctx;
	(void)fail;
	assert_null(minds[e].calls);
	minds[e].calls = calls;
	minds[e].num = num;
	minds[e].asked++;
	return DR_OK;
}

static uint32_t io_random(void *ctx)
{
	(void)ctx;
	return UINT32_MAX;
}

/* What becomes of a result before it is told (takes and gives a reference, and changes only a copy); NULL: nothing.
 */
static json_t *(*spoil)(json_t *result);

static bool is_late(const struct mind *m, size_t idx)
{
	return (m->flaw == SLOW || m->flaw == COMES_BETWEEN) && idx >= 4;
}

static void answer(uint16_t e)
{
	struct mind *m = &minds[e];
	struct dr_rpc_exchange x = { .endpoint = e, .num = m->num, .calls = m->calls, .end = DR_RPC_RESULT };
	json_t **results = (json_t **)(void *)kit_alloc(m->num * sizeof(*results));
	struct dr_fail fail = { 0 };

	m->calls = NULL;
	for (size_t i = 0; i < x.num; i++) {
		struct dr_rpc_call *c = &x.calls[i];
		json_t *params = json_loads(c->params, 0, NULL);
		int code = 0;

		assert_true(json_is_array(params));
		results[i] = m->flaw == DEAD ? NULL : tell(m, c->method, params, &code);
		if (results[i] != NULL && spoil != NULL)
			results[i] = spoil(results[i]);
		c->reply.result = results[i];
		c->reply.code = code;
		c->end = m->flaw == DEAD      ? DR_RPC_CONNECT
			 : is_late(m, i)      ? DR_RPC_TIMEOUT
			 : code != 0          ? DR_RPC_ERROR
			 : results[i] == NULL ? DR_RPC_NULL
					      : DR_RPC_RESULT;
		json_decref(params);
	}
	if (m->flaw == DEAD || is_late(m, x.num - 1))
		x.end = m->flaw == DEAD ? DR_RPC_CONNECT : DR_RPC_TIMEOUT;
	assert_int_equal(dr_plan_done(plan, &x, now, &fail), DR_OK);
	for (size_t i = 0; i < x.num; i++) {
		json_decref(results[i]);
		dr_heap_free(x.calls[i].params);
	}
	dr_heap_free(x.calls);
}

/* Lets ms pass in steps of 100, every endpoint answering at once. */
static void run(uint64_t ms)
{
	struct dr_fail fail = { 0 };

	for (const uint64_t end = now + ms; now <= end; now += 100) {
		bool answered = true;

		for (int again = 0; answered && again < 8; again++) {
			assert_int_equal(dr_plan_tick(plan, now, &fail), DR_OK);
			answered = false;
			for (uint16_t e = 0; e < ENDPOINTS; e++) {
				answered = answered || minds[e].calls != NULL;
				if (minds[e].calls != NULL)
					answer(e);
			}
		}
		notes_take(plan);
	}
}

static void begin(enum flaw a, enum flaw b, enum flaw c)
{
	struct dr_plan_config config = {
		.chain_id = 1,
		.quorum_k = 2,
		.num_endpoints = ENDPOINTS,
		.poll_ms = 1000,
		.batch_requests = 50,
		.final_tag = "finalized",
	};
	const struct dr_plan_io io = { .busy = io_busy, .post = io_post, .random = io_random };

	memcpy(config.genesis, blocks[0].hash, 32);
	minds[0] = (struct mind){ .flaw = a, .final_ = 10, .latest = 12 };
	minds[1] = (struct mind){ .flaw = b, .final_ = 8, .latest = 11 };
	minds[2] = (struct mind){ .flaw = c, .final_ = 5, .latest = 9 };
	num_notes = 0;
	now = 1000000;
	plan = dr_plan_new(&config, &io);
	assert_non_null(plan);
}

static void end(void)
{
	dr_plan_free(plan);
	for (uint16_t e = 0; e < ENDPOINTS; e++) {
		for (size_t i = 0; minds[e].calls != NULL && i < minds[e].num; i++)
			dr_heap_free(minds[e].calls[i].params);
		dr_heap_free(minds[e].calls);
		minds[e].calls = NULL;
	}
}

static void message(uint16_t type, struct dr_bytes payload, enum dr_err expected)
{
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_plan_message(plan, type, payload, now, &fail), expected);
}

static void credit(uint64_t bytes)
{
	uint8_t be[8];

	dr_be64_put(be, bytes);
	message(DR_MSG_CREDIT, dr_bytes_of(be, 8), DR_OK);
}

static struct dr_want want_of(uint32_t id, enum dr_want_kind kind, uint64_t first, uint64_t last)
{
	struct dr_want w = { .id = id, .kind = (uint8_t)kind, .first = first, .last = last };

	memcpy(w.hash, blocks[last < BLOCKS ? last : 0].hash, 32);
	memcpy(w.address, contract, 20);
	return w;
}

static void want_that(const struct dr_want *w)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_buf buf;
	uint16_t type;
	size_t used;

	dr_buf_init(&buf, 1 << 20);
	assert_int_equal(dr_want_put(&buf, DR_MSG_WANT, w, &fail), DR_OK);
	assert_int_equal(dr_msg_get(&type, &payload, &used, dr_buf_view(&buf), &fail), DR_OK);
	message(type, payload, DR_OK);
	dr_buf_free(&buf);
}

static void want(uint32_t id, enum dr_want_kind kind, uint64_t first, uint64_t last)
{
	const struct dr_want w = want_of(id, kind, first, last);

	want_that(&w);
}

static void refuse(uint32_t id, uint16_t source, enum dr_err err)
{
	const struct dr_refusal refusal = { .want = id, .source = source, .err = (uint8_t)err, .what = "no" };
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_buf buf;
	uint16_t type;
	size_t used;

	dr_buf_init(&buf, 4096);
	assert_int_equal(dr_refusal_put(&buf, DR_MSG_REFUSED, &refusal, &fail), DR_OK);
	assert_int_equal(dr_msg_get(&type, &payload, &used, dr_buf_view(&buf), &fail), DR_OK);
	message(type, payload, DR_OK);
	dr_buf_free(&buf);
}

/* How many notes of this type (and source, unless -1) there are; *last the last of them. */
static size_t count(uint16_t type, int source, const struct note **last)
{
	size_t num = 0;

	for (size_t i = 0; i < num_notes; i++) {
		if (notes[i].type != type || (source >= 0 && notes[i].source != source))
			continue;
		num++;
		if (last != NULL)
			*last = &notes[i];
	}
	return num;
}

static inline bool in_state(uint16_t e, enum dr_endpoint_state state)
{
	const struct note *last = NULL;

	return count(DR_MSG_ENDPOINT, e, &last) > 0 && last->state == state;
}

static inline bool said(uint16_t e, enum dr_status status, uint64_t number)
{
	uint8_t payload[DR_QUORUM_PAYLOAD_LEN];

	dr_quorum_payload(payload, status, number, blocks[number].hash);
	for (size_t i = 0; i < num_notes; i++)
		if (notes[i].type == DR_MSG_FRAME && notes[i].source == e &&
		    notes[i].frame_type == DR_FRAME_FINALITY &&
		    dr_bytes_eq(notes[i].payload, dr_bytes_of(payload, sizeof(payload))))
			return true;
	return false;
}

#endif
