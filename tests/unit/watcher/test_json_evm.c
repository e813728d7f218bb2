/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <string.h>

#include "watcher/json_evm.h"

#define H32   "0x1111111111111111111111111111111111111111111111111111111111111111"
#define A20   "0x2222222222222222222222222222222222222222"
#define Z16   "00000000000000000000000000000000"
#define Z64   Z16 Z16
#define BLOOM "0x" Z64 Z64 Z64 Z64 Z64 Z64 Z64 Z64

#define FRONTIER                                                                                                     \
	"\"hash\":\"" H32 "\",\"parentHash\":\"" H32 "\",\"sha3Uncles\":\"" H32 "\",\"miner\":\"" A20                \
	"\",\"stateRoot\":\"" H32 "\",\"transactionsRoot\":\"" H32 "\",\"receiptsRoot\":\"" H32                      \
	"\",\"logsBloom\":\"" BLOOM "\",\"difficulty\":\"0x20000\",\"gasLimit\":\"0x1388\",\"gasUsed\":\"0x0\","     \
	"\"timestamp\":\"0x56fFeff8\",\"extraData\":\"0x0102\",\"mixHash\":\"" H32 "\""
#define PLAIN    "\"number\":\"0x10\",\"nonce\":\"0x0000000000000042\""
#define FEE      ",\"baseFeePerGas\":\"0x7\""
#define SHANGHAI FEE ",\"withdrawalsRoot\":\"" H32 "\""
#define BLOB     ",\"blobGasUsed\":\"0x1\",\"excessBlobGas\":\"0x2\""
#define CANCUN   SHANGHAI BLOB ",\"parentBeaconBlockRoot\":\"" H32 "\""
#define PRAGUE   CANCUN ",\"requestsHash\":\"" H32 "\""

static struct dr_arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = dr_arena_new(DR_JSON_ARENA_CAP);
	return arena == NULL;
}

static int teardown(void **state)
{
	(void)state;
	dr_arena_free(arena);
	return 0;
}

static enum dr_err load(json_t **out, const char *text, struct dr_fail *fail)
{
	return dr_json_load(out, dr_bytes_of(text, strlen(text)), fail);
}

static json_t *must_load(const char *text)
{
	struct dr_fail fail = { 0 };
	json_t *json;

	assert_int_equal(load(&json, text, &fail), DR_OK);
	return json;
}

static void test_load(void **state)
{
	static const struct {
		const char *name, *text;
		enum dr_err expected;
	} rows[] = {
		{ "object", "{\"a\":1}", DR_OK },
		{ "bare string", "\"0x1\"", DR_OK },
		{ "null", "null", DR_OK },
		{ "brackets in a string",
		  "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"", DR_OK },
		{ "empty", "", DR_ERR_SYNTAX },
		{ "not JSON", "<html>", DR_ERR_SYNTAX },
		{ "torn", "{\"a\":", DR_ERR_SYNTAX },
		{ "trailing", "{} {}", DR_ERR_SYNTAX },
		{ "doubled member", "{\"a\":1,\"a\":2}", DR_ERR_SYNTAX },
		{ "NUL in a string", "\"a\\u0000b\"", DR_ERR_SYNTAX },
		{ "invalid UTF-8", "\"\xff\"", DR_ERR_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		json_t *json;

		if (load(&json, rows[i].text, &fail) != rows[i].expected)
			fail_msg("%s: %s", rows[i].name, dr_err_name(fail.err));
		assert_int_equal(json == NULL, rows[i].expected != DR_OK);
		json_decref(json);
	}
}

/* Texts that are kept together share one bound. */
static void test_load_part(void **state)
{
	const struct dr_bytes text = dr_bytes_of("[1,2]", 5);
	struct dr_fail fail = { 0 };
	size_t left = 5;
	json_t *json;

	(void)state;
	assert_int_equal(dr_json_load_part(&json, &left, text, &fail), DR_OK);
	assert_int_equal(left, 2); /* the list and what is in it: counted over the text */
	json_decref(json);
	assert_int_equal(dr_json_load_part(&json, &left, text, &fail), DR_ERR_LIMIT);
	assert_null(json);
	assert_int_equal(left, 2);
}

static void test_load_bounds(void **state)
{
	char *text = (char *)kit_alloc(3 * DR_JSON_VALUES_MAX);
	struct dr_fail fail = { 0 };
	json_t *json;

	(void)state;
	memset(text, '[', DR_JSON_DEPTH_MAX);
	memset(text + DR_JSON_DEPTH_MAX, ']', DR_JSON_DEPTH_MAX);
	text[2 * DR_JSON_DEPTH_MAX] = '\0';
	assert_int_equal(load(&json, text, &fail), DR_OK);
	json_decref(json);
	memset(text, '[', DR_JSON_DEPTH_MAX + 1);
	assert_int_equal(load(&json, text, &fail), DR_ERR_LIMIT);
	fail = (struct dr_fail){ 0 };
	memset(text, ',', DR_JSON_VALUES_MAX + 1);
	text[0] = '[';
	text[DR_JSON_VALUES_MAX + 1] = '\0';
	assert_int_equal(load(&json, text, &fail), DR_ERR_LIMIT);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_json_load(&json, dr_bytes_of(text, DR_JSON_LEN_MAX + 1), &fail), DR_ERR_LIMIT);
}

static void test_reply(void **state)
{
	static const struct {
		const char *name, *text;
		enum dr_err expected;
		enum dr_reply_kind kind;
	} rows[] = {
		{ "result", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}", DR_OK, DR_REPLY_RESULT },
		{ "result and null error", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[],\"error\":null}", DR_OK,
		  DR_REPLY_RESULT },
		{ "null", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}", DR_OK, DR_REPLY_NULL },
		{ "error", "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"no\"}}", DR_OK,
		  DR_REPLY_ERROR },
		{ "error, null result", "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601},\"result\":null}", DR_OK,
		  DR_REPLY_ERROR },
		{ "bare object", "{\"hash\":\"0x\"}", DR_OK, DR_REPLY_RESULT },
		{ "bare null", "null", DR_OK, DR_REPLY_NULL },
		{ "both", "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1},\"result\":1}", DR_ERR_SYNTAX, 0 },
		{ "neither", "{\"jsonrpc\":\"2.0\",\"id\":1}", DR_ERR_SYNTAX, 0 },
		{ "error is text", "{\"jsonrpc\":\"2.0\",\"error\":\"no\"}", DR_ERR_SYNTAX, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		struct dr_reply reply;
		json_t *json = must_load(rows[i].text);

		if (dr_reply_open(&reply, json, &fail) != rows[i].expected || reply.kind != rows[i].kind)
			fail_msg("%s", rows[i].name);
		assert_int_equal(reply.result != NULL, reply.kind == DR_REPLY_RESULT);
		json_decref(json);
	}
}

static void test_header(void **state)
{
	static const struct {
		const char *name, *text;
		enum dr_err expected;
		uint8_t num_fields;
	} rows[] = {
		{ "frontier", "{" FRONTIER "," PLAIN "}", DR_OK, 15 },
		{ "nulls are absent", "{" FRONTIER "," PLAIN ",\"baseFeePerGas\":null}", DR_OK, 15 },
		{ "london", "{" FRONTIER "," PLAIN FEE "}", DR_OK, 16 },
		{ "london with blob gas of block 0", "{" FRONTIER "," PLAIN FEE BLOB "}", DR_OK, 16 },
		{ "shanghai", "{" FRONTIER "," PLAIN SHANGHAI "}", DR_OK, 17 },
		{ "cancun", "{" FRONTIER "," PLAIN CANCUN "}", DR_OK, 20 },
		{ "prague", "{" FRONTIER "," PLAIN PRAGUE "}", DR_OK, 21 },
		{ "amsterdam", "{" FRONTIER "," PLAIN PRAGUE ",\"blockAccessListHash\":\"" H32 "\"}", DR_ERR_UNKNOWN,
		  0 },
		{ "hole", "{" FRONTIER "," PLAIN ",\"withdrawalsRoot\":\"" H32 "\"}", DR_ERR_UNKNOWN, 0 },
		{ "requests without beacon root", "{" FRONTIER "," PLAIN SHANGHAI ",\"requestsHash\":\"" H32 "\"}",
		  DR_ERR_UNKNOWN, 0 },
		{ "no nonce", "{" FRONTIER ",\"number\":\"0x10\"}", DR_ERR_SYNTAX, 0 },
		{ "number is a number", "{" FRONTIER ",\"number\":16,\"nonce\":\"0x0000000000000042\"}",
		  DR_ERR_SYNTAX, 0 },
		{ "leading zero", "{" FRONTIER ",\"number\":\"0x010\",\"nonce\":\"0x0000000000000042\"}",
		  DR_ERR_NONCANONICAL, 0 },
		{ "beyond 64 bits",
		  "{" FRONTIER ",\"number\":\"0x10000000000000000\",\"nonce\":\"0x0000000000000042\"}", DR_ERR_LIMIT,
		  0 },
		{ "short nonce", "{" FRONTIER ",\"number\":\"0x10\",\"nonce\":\"0x42\"}", DR_ERR_SYNTAX, 0 },
		{ "array", "[]", DR_ERR_SYNTAX, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		struct dr_evm_header h;
		json_t *json = must_load(rows[i].text);

		if (dr_json_header(&h, json, arena, &fail) != rows[i].expected || h.num_fields != rows[i].num_fields)
			fail_msg("%s: %s %s", rows[i].name, dr_err_name(fail.err), fail.what);
		if (rows[i].expected != DR_OK)
			assert_true(dr_bytes_zero(&h, sizeof(h)));
		else if (h.num_fields < 20)
			assert_true(h.blob_gas_used == 0 && h.excess_blob_gas == 0);
		json_decref(json);
	}
}

static void test_header_values(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_evm_header h;
	json_t *json = must_load("{" FRONTIER "," PLAIN PRAGUE "}");

	(void)state;
	assert_int_equal(dr_json_header(&h, json, arena, &fail), DR_OK);
	json_decref(json);
	assert_int_equal(h.number, 16);
	assert_int_equal(h.timestamp, 0x56ffeff8);
	assert_int_equal(h.extra.len, 2);
	assert_int_equal(h.extra.ptr[1], 2);
	assert_int_equal(h.difficulty[29], 2);
	assert_int_equal(h.nonce[7], 0x42);
	assert_int_equal(h.base_fee[31], 7);
	assert_int_equal(h.blob_gas_used, 1);
	assert_int_equal(h.excess_blob_gas, 2);
	assert_int_equal(h.coinbase[19], 0x22);
	assert_int_equal(h.requests_hash[0], 0x11);
}

#define WHERE                                                                                                        \
	"\"blockHash\":\"" H32 "\",\"blockNumber\":\"0x10\",\"transactionHash\":\"" H32                              \
	"\",\"transactionIndex\":\"0x0\""
#define LOG                                                                                                          \
	"{\"address\":\"" A20 "\",\"topics\":[\"" H32 "\"],\"data\":\"0xAbcd\"," WHERE                               \
	",\"logIndex\":\"0x0\",\"removed\":false}"
#define RECEIPT(status, more) "{" WHERE "," status "\"cumulativeGasUsed\":\"0x5208\",\"logs\":[" LOG "]" more "}"

static void test_receipts(void **state)
{
	static const struct {
		const char *name, *text;
		enum dr_err expected;
	} rows[] = {
		{ "none", "[]", DR_OK },
		{ "legacy without type", "[" RECEIPT("\"status\":\"0x1\",", "") "]", DR_OK },
		{ "before Byzantium", "[" RECEIPT("\"root\":\"" H32 "\",", "") "]", DR_OK },
		{ "status and an empty root", "[" RECEIPT("\"status\":\"0x0\",\"root\":\"0x\",", "") "]", DR_OK },
		{ "type 2", "[" RECEIPT("\"status\":\"0x1\",", ",\"type\":\"0x2\"") "]", DR_OK },
		{ "deposit",
		  "[" RECEIPT("\"status\":\"0x1\",",
			      ",\"type\":\"0x7e\",\"depositNonce\":\"0x5\",\"depositReceiptVersion\":\"0x1\"") "]",
		  DR_OK },
		{ "type 5", "[" RECEIPT("\"status\":\"0x1\",", ",\"type\":\"0x5\"") "]", DR_ERR_UNKNOWN },
		{ "type beyond EIP-2718", "[" RECEIPT("\"status\":\"0x1\",", ",\"type\":\"0x102\"") "]",
		  DR_ERR_UNKNOWN },
		{ "status 2", "[" RECEIPT("\"status\":\"0x2\",", "") "]", DR_ERR_UNKNOWN },
		{ "neither status nor root", "[" RECEIPT("", "") "]", DR_ERR_SYNTAX },
		{ "wrong place", "[" RECEIPT("\"status\":\"0x1\",", "") "," RECEIPT("\"status\":\"0x1\",", "") "]",
		  DR_ERR_SYNTAX },
		{ "object", "{}", DR_ERR_SYNTAX },
		{ "of numbers", "[1]", DR_ERR_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		struct dr_json_receipts r;
		json_t *json = must_load(rows[i].text);

		if (dr_json_receipts(&r, json, arena, &fail) != rows[i].expected)
			fail_msg("%s: %s %s", rows[i].name, dr_err_name(fail.err), fail.what);
		for (size_t k = 0; k < r.num; k++) {
			struct dr_evm_receipt receipt;
			struct dr_evm_log log;

			assert_int_equal(dr_evm_receipt_decode(&receipt, r.receipts[k], &fail), DR_OK);
			assert_true(dr_evm_log_next(&log, &receipt.logs));
			assert_int_equal(log.num_topics, 1);
			assert_int_equal(log.data.len, 2);
			assert_int_equal(r.block_hash[0], 0x11);
		}
		json_decref(json);
	}
}

/* op-geth: the nonce enters the trie with Canyon, and the version tells that. */
static void test_deposit(void **state)
{
	static const struct {
		const char *name, *text;
		enum dr_err expected;
		bool has;
	} rows[] = {
#define DEPOSIT(more) "[" RECEIPT("\"status\":\"0x1\",", ",\"type\":\"0x7E\"" more) "]"
		{ "Bedrock", DEPOSIT(""), DR_OK, false },
		{ "Regolith", DEPOSIT(",\"depositNonce\":\"0x5\""), DR_OK, false },
		{ "Canyon", DEPOSIT(",\"depositNonce\":\"0x5\",\"depositReceiptVersion\":\"0x1\""), DR_OK, true },
		{ "a version alone", DEPOSIT(",\"depositReceiptVersion\":\"0x1\""), DR_ERR_SYNTAX, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		struct dr_json_receipts r;
		struct dr_evm_receipt receipt = { 0 };
		json_t *json = must_load(rows[i].text);

		if (dr_json_receipts(&r, json, arena, &fail) != rows[i].expected)
			fail_msg("%s: %s %s", rows[i].name, dr_err_name(fail.err), fail.what);
		if (r.num > 0)
			assert_int_equal(dr_evm_receipt_decode(&receipt, r.receipts[0], &fail), DR_OK);
		assert_int_equal(receipt.has_deposit_nonce, rows[i].has);
		assert_int_equal(receipt.has_deposit_version, rows[i].has);
		assert_int_equal(receipt.deposit_nonce, rows[i].has ? 5 : 0);
		json_decref(json);
	}
}

static void test_logs(void **state)
{
	static const struct {
		const char *name, *text;
		enum dr_err expected;
		size_t num;
	} rows[] = {
		{ "none", "[]", DR_OK, 0 },
		{ "one", "[" LOG "]", DR_OK, 1 },
		{ "removed",
		  "[{\"address\":\"" A20 "\",\"topics\":[],\"data\":\"0x\"," WHERE
		  ",\"logIndex\":\"0x0\",\"removed\":true}]",
		  DR_ERR_STALE, 0 },
		{ "pending",
		  "[{\"address\":\"" A20 "\",\"topics\":[],\"data\":\"0x\",\"blockHash\":null,\"logIndex\":\"0x0\"}]",
		  DR_ERR_SYNTAX, 0 },
		{ "five topics", "[{\"address\":\"" A20 "\",\"topics\":[1,2,3,4,5],\"data\":\"0x\"," WHERE "}]",
		  DR_ERR_LIMIT, 0 },
		{ "odd data", "[{\"address\":\"" A20 "\",\"topics\":[],\"data\":\"0x1\"," WHERE "}]", DR_ERR_SYNTAX,
		  0 },
		{ "object", "{}", DR_ERR_SYNTAX, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		struct dr_json_log *logs;
		size_t num;
		json_t *json = must_load(rows[i].text);

		if (dr_json_logs(&logs, &num, json, arena, &fail) != rows[i].expected || num != rows[i].num)
			fail_msg("%s: %s %s", rows[i].name, dr_err_name(fail.err), fail.what);
		json_decref(json);
	}
}

#define PROOF(nodes, slots)                                                                                          \
	"{\"address\":\"" A20 "\",\"nonce\":\"0x1\",\"balance\":\"0x0\",\"codeHash\":\"" H32                         \
	"\",\"storageHash\":\"" H32 "\",\"accountProof\":" nodes ",\"storageProof\":" slots "}"

static void test_proof(void **state)
{
	static const struct {
		const char *name, *text;
		enum dr_err expected;
	} rows[] = {
		{ "account only", PROOF("[\"0xc0\"]", "[]"), DR_OK },
		{ "slot key as quantity",
		  PROOF("[]", "[{\"key\":\"0x1\",\"value\":\"0x2\",\"proof\":[\"0xc0\",\"0xc1\"]}]"), DR_OK },
		{ "padded key and value, an empty node",
		  PROOF("[\"0x\"]", "[{\"key\":\"0x01\",\"value\":\"0x02\",\"proof\":[\"0xc0\",\"0x\",\"0xc1\"]}]"),
		  DR_OK },
		{ "null for no slots", PROOF("[]", "null"), DR_OK },
		{ "null for no nodes", PROOF("null", "[{\"key\":\"0x1\",\"value\":\"0x0\",\"proof\":null}]"), DR_OK },
		{ "key too long", PROOF("[]", "[{\"key\":\"" H32 "1\",\"value\":\"0x2\",\"proof\":[]}]"),
		  DR_ERR_LIMIT },
		{ "slot key as 32 bytes", PROOF("[]", "[{\"key\":\"" H32 "\",\"value\":\"0x2\",\"proof\":[]}]"),
		  DR_OK },
		{ "nodes are numbers", PROOF("[1]", "[]"), DR_ERR_SYNTAX },
		{ "node not hex", PROOF("[\"c0\"]", "[]"), DR_ERR_SYNTAX },
		{ "no slots", "{\"address\":\"" A20 "\"}", DR_ERR_SYNTAX },
		{ "array", "[]", DR_ERR_SYNTAX },
	};
	struct dr_fail fail = { 0 };
	struct dr_json_proof p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = must_load(rows[i].text);

		fail = (struct dr_fail){ 0 };
		if (dr_json_proof(&p, json, arena, &fail) != rows[i].expected)
			fail_msg("%s: %s %s", rows[i].name, dr_err_name(fail.err), fail.what);
		json_decref(json);
	}
	for (size_t i = 1; i <= 2; i++) {
		json_t *json = must_load(rows[i].text);

		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_json_proof(&p, json, arena, &fail), DR_OK);
		json_decref(json);
		assert_int_equal(p.proof.num, 0);
		assert_int_equal(p.num_slots, 1);
		assert_int_equal(p.slots[0].slot[31], 1);
		assert_int_equal(p.slots[0].value[31], 2);
		assert_int_equal(p.slots[0].proof.num, 2);
		assert_int_equal(p.slots[0].proof.nodes[1].ptr[0], 0xc1);
	}
}

/* Whatever a damaged text parses to, readers answer with a filled or a zeroed output. */
static void damaged(const char *good, bool block)
{
	const size_t len = strlen(good);
	char *text = (char *)kit_alloc(len + 1);

	for (size_t i = 0; i < len * 9; i++) {
		struct dr_fail fail = { 0 };
		size_t cut = len;
		json_t *json;

		memcpy(text, good, len);
		if (i < len)
			cut = i;
		else
			text[(i - len) / 8] = (char)(text[(i - len) / 8] ^ (1 << (i - len) % 8));
		dr_arena_reset(arena);
		if (dr_json_load(&json, dr_bytes_of(text, cut), &fail) != DR_OK)
			continue;
		if (i < len)
			fail_msg("a text cut at %zu loads", i);
		if (block) {
			struct dr_evm_header h;

			const bool failed = dr_json_header(&h, json, arena, &fail) != DR_OK;

			assert_int_equal(failed, dr_bytes_zero(&h, sizeof(h)));
		} else {
			struct dr_json_receipts r;

			const bool failed = dr_json_receipts(&r, json, arena, &fail) != DR_OK;

			assert_int_equal(failed, r.receipts == NULL);
		}
		json_decref(json);
	}
}

static void test_damage(void **state)
{
	(void)state;
	damaged("{" FRONTIER "," PLAIN PRAGUE "}", true);
	damaged("[" RECEIPT("\"status\":\"0x1\",", ",\"type\":\"0x2\"") "]", false);
}

/* Mainnet block 21925176 with its receipts, and its neighbours at other forks. */
static void test_mainnet(void **state)
{
	static const char *const blocks[] = {
		"04-eth-exec/mainnet-21925176/block.json",
		"04-eth-exec/mainnet-fork-blocks/Berlin.json.gz",
		"04-eth-exec/mainnet-fork-blocks/Paris.json.gz",
		"04-eth-exec/mainnet-fork-blocks/Cancun.json.gz",
		"04-eth-exec/mainnet-prague-boundary/22431082.json.gz",
		"04-eth-exec/mainnet-prague-boundary/22431084.json.gz",
	};
	uint8_t hash[32], root[32], receipts_root[32] = { 0 };
	struct dr_fail fail = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct dr_evm_header h;
		struct dr_reply reply;
		json_t *json = kit_vector(blocks[i]);

		assert_int_equal(dr_reply_open(&reply, json, &fail), DR_OK);
		if (dr_json_header(&h, reply.result, arena, &fail) != DR_OK)
			fail_msg("%s: %s", blocks[i], fail.what);
		assert_int_equal(dr_evm_header_hash(hash, &h, &fail), DR_OK);
		assert_memory_equal(hash, h.hash, 32);
		if (i == 0)
			memcpy(receipts_root, h.receipts_root, 32);
		json_decref(json);
	}
	struct dr_json_receipts r;
	json_t *json = kit_vector("04-eth-exec/mainnet-21925176/receipts.json.gz");

	assert_int_equal(dr_json_receipts(&r, json, arena, &fail), DR_OK);
	assert_int_equal(dr_evm_receipts_root(root, r.receipts, r.num, arena, &fail), DR_OK);
	assert_memory_equal(root, receipts_root, 32);
	json_decref(json);
}

static void test_mainnet_proof(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_json_proof p;
	json_t *json = kit_vector("04-eth-exec/mainnet-21925176/proof.json");

	(void)state;
	assert_int_equal(dr_json_proof(&p, json, arena, &fail), DR_OK);
	assert_true(p.proof.num > 4);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),          cmocka_unit_test(test_load_part),
		cmocka_unit_test(test_load_bounds),   cmocka_unit_test(test_reply),
		cmocka_unit_test(test_header),        cmocka_unit_test(test_header_values),
		cmocka_unit_test(test_receipts),      cmocka_unit_test(test_deposit),
		cmocka_unit_test(test_logs),          cmocka_unit_test(test_proof),
		cmocka_unit_test(test_damage),        cmocka_unit_test(test_mainnet),
		cmocka_unit_test(test_mainnet_proof),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
