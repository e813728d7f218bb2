/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/codec/rlp.h"
#include "chain/evm/receipt.h"
#include "chain/trie/mpt.h"

#define LOGS_MAX 512u

/* Receipt JSON (eth_getBlockReceipts) in consensus form. */
static struct dr_bytes encode_json(const json_t *receipt)
{
	static struct dr_evm_log logs[LOGS_MAX];
	struct dr_evm_receipt r = { 0 };
	struct dr_fail fail = { 0 };
	struct dr_buf buf;
	json_t *log, *topic;
	size_t num_logs, idx;

	r.type = (uint8_t)kit_json_u64(json_object_get(receipt, "type"));
	r.status = (uint8_t)kit_json_u64(json_object_get(receipt, "status"));
	r.cumulative_gas = kit_json_u64(json_object_get(receipt, "cumulativeGasUsed"));
	json_array_foreach(json_object_get(receipt, "logs"), num_logs, log)
	{
		struct dr_evm_log *out = &logs[num_logs];

		assert_true(num_logs < LOGS_MAX);
		*out = (struct dr_evm_log){ .data = kit_json_hex(json_object_get(log, "data")) };
		memcpy(out->address, kit_json_hex(json_object_get(log, "address")).ptr, 20);
		json_array_foreach(json_object_get(log, "topics"), idx, topic)
			memcpy(out->topics[out->num_topics++], kit_json_hex(topic).ptr, 32);
	}
	dr_buf_init(&buf, DR_EVM_RECEIPT_LEN_MAX);
	assert_int_equal(dr_evm_receipt_encode(&buf, &r, logs, num_logs, &fail), DR_OK);
	uint8_t *kept = kit_alloc(buf.len);

	memcpy(kept, buf.ptr, buf.len);
	const struct dr_bytes bytes = dr_bytes_of(kept, buf.len);

	dr_buf_free(&buf);
	return bytes;
}

static void root_of(uint8_t root[static 32], const struct dr_bytes *receipts, size_t num)
{
	struct dr_arena *arena = dr_arena_new(1 << 20);
	struct dr_fail fail = { 0 };

	dr_evm_receipts_root(root, receipts, num, arena, &fail);
	kit_assert_fail(DR_OK, &fail);
	dr_arena_free(arena);
}

/* Decodes, walks the logs, re-encodes: the same bytes. */
static void assert_round_trip(struct dr_bytes bytes)
{
	static struct dr_evm_log logs[LOGS_MAX];
	struct dr_evm_receipt r;
	struct dr_fail fail = { 0 };
	struct dr_buf buf;
	size_t num = 0;

	dr_evm_receipt_decode(&r, bytes, &fail);
	kit_assert_fail(DR_OK, &fail);
	for (struct dr_bytes cursor = r.logs; dr_evm_log_next(&logs[num], &cursor); num++)
		assert_true(num < LOGS_MAX - 1);
	assert_int_equal(num, r.num_logs);
	dr_buf_init(&buf, DR_EVM_RECEIPT_LEN_MAX);
	assert_int_equal(dr_evm_receipt_encode(&buf, &r, logs, num, &fail), DR_OK);
	assert_true(dr_bytes_eq(dr_buf_view(&buf), bytes));
	dr_buf_free(&buf);
}

/* A whole block of mainnet: the receipts rebuild the root that the header names, and no other set does. */
static void test_mainnet(void **state)
{
	json_t *block = kit_vector("04-eth-exec/mainnet-21925176/block.json");
	json_t *receipts = kit_vector("04-eth-exec/mainnet-21925176/receipts.json.gz"), *receipt;
	struct dr_bytes all[512];
	struct dr_evm_header h;
	uint8_t root[32];
	size_t num;

	(void)state;
	kit_header(&h, block);
	assert_true(json_array_size(receipts) <= 512);
	json_array_foreach(receipts, num, receipt)
	{
		all[num] = encode_json(receipt);
		assert_round_trip(all[num]);
	}
	assert_true(num > 128); /* index 128 has a key of two bytes */
	root_of(root, all, num);
	assert_memory_equal(root, h.receipts_root, 32);
	root_of(root, all, num - 1); /* one hidden at the end */
	assert_memory_not_equal(root, h.receipts_root, 32);
	root_of(root, all + 1, num - 1); /* one hidden at the beginning */
	assert_memory_not_equal(root, h.receipts_root, 32);
	const struct dr_bytes first = all[0];

	all[0] = all[1]; /* one twice */
	root_of(root, all, num);
	assert_memory_not_equal(root, h.receipts_root, 32);
	all[1] = first; /* two exchanged */
	root_of(root, all, num);
	assert_memory_not_equal(root, h.receipts_root, 32);
	json_decref(receipts);
	json_decref(block);
}

/* The proof that a mainnet receipt is the one at its index. */
static void test_mainnet_proof(void **state)
{
	json_t *block = kit_vector("04-eth-exec/mainnet-21925176/block.json");
	json_t *answer = kit_vector("04-eth-exec/mainnet-21925176/verifiable_receipt.json"), *node;
	const json_t *receipt = json_object_get(answer, "receipt");
	struct dr_bytes nodes[16], value;
	struct dr_fail fail = { 0 };
	struct dr_writer w;
	struct dr_evm_header h;
	uint8_t key[9];
	bool present;
	size_t num;

	(void)state;
	kit_header(&h, block);
	json_array_foreach(json_object_get(answer, "receiptProof"), num, node) nodes[num] = kit_json_hex(node);
	dr_writer_init(&w, key, sizeof(key), &fail);
	dr_rlp_put_u64(&w, kit_json_u64(json_object_get(receipt, "transactionIndex")));
	dr_mpt_verify(&present, &value, h.receipts_root, dr_writer_view(&w), nodes, num, &fail);
	kit_assert_fail(DR_OK, &fail);
	assert_true(present);
	assert_true(dr_bytes_eq(value, encode_json(receipt)));
	json_decref(answer);
	json_decref(block);
}

/* What a node encodes itself (debug_getRawReceipts) rebuilds its block's root. */
static void test_devnet(void **state)
{
	json_t *raw = kit_vector("12-devnet/lodestar-capella-minimal/el_event_rawreceipts.json"), *receipt;
	json_t *block = kit_vector("12-devnet/lodestar-capella-minimal/el_event_block.json");
	struct dr_bytes all[16];
	struct dr_evm_header h;
	uint8_t root[32];
	size_t num;

	(void)state;
	kit_header(&h, json_object_get(block, "result"));
	json_array_foreach(json_object_get(raw, "result"), num, receipt)
	{
		assert_true(num < 16);
		all[num] = kit_json_hex(receipt);
		assert_round_trip(all[num]);
	}
	assert_true(num > 0);
	root_of(root, all, num);
	assert_memory_equal(root, h.receipts_root, 32);
	json_decref(raw);
	json_decref(block);
}

static const struct shape {
	const char *name;
	struct dr_evm_receipt receipt;
	size_t num_logs;
} shapes[] = {
	{ "legacy", { .type = 0, .status = 1, .cumulative_gas = 21000 }, 2 },
	{ "failed", { .type = 0, .status = 0, .cumulative_gas = 0 }, 0 },
	{ "before Byzantium", { .type = 0, .has_post_state = true, .post_state = { 0, 1 }, .cumulative_gas = 5 }, 1 },
	{ "access list", { .type = 1, .status = 1, .cumulative_gas = 127 }, 1 },
	{ "fee market", { .type = 2, .status = 1, .cumulative_gas = 128 }, 5 },
	{ "blob", { .type = 3, .status = 0, .cumulative_gas = UINT64_MAX }, 0 },
	{ "set code", { .type = 4, .status = 1, .cumulative_gas = 1 }, 1 },
	{ "deposit, Bedrock", { .type = 0x7e, .status = 1, .cumulative_gas = 1 }, 1 },
	{ "deposit, Regolith",
	  { .type = 0x7e, .status = 1, .cumulative_gas = 1, .has_deposit_nonce = true, .deposit_nonce = 300 },
	  1 },
	{ "deposit, Canyon",
	  { .type = 0x7e,
	    .status = 1,
	    .cumulative_gas = 1,
	    .has_deposit_nonce = true,
	    .deposit_nonce = 0,
	    .has_deposit_version = true,
	    .deposit_version = 1 },
	  1 },
};

static void sample_logs(struct dr_evm_log *logs, size_t num)
{
	static const uint8_t data[100] = { 1, 2, 3 };

	for (size_t i = 0; i < num; i++) {
		logs[i] = (struct dr_evm_log){ .num_topics = (uint8_t)(i % 5), .data = dr_bytes_of(data, 25 * i) };
		memset(logs[i].address, (int)i + 1, 20);
		for (size_t t = 0; t < i % 5; t++)
			memset(logs[i].topics[t], (int)(16 * i + t), 32);
	}
}

/* Every type: what was put in comes out; every truncation fails; every flipped bit fails or is another receipt
 * that re-encodes to the flipped bytes, and the block's root is another. */
static void test_shapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *s = &shapes[i];
		struct dr_evm_log logs[5], log;
		struct dr_evm_receipt got;
		struct dr_fail fail = { 0 };
		struct dr_buf buf;
		uint8_t root[32], other[32];
		size_t num = 0;

		sample_logs(logs, s->num_logs);
		dr_buf_init(&buf, 65536);
		assert_int_equal(dr_evm_receipt_encode(&buf, &s->receipt, logs, s->num_logs, &fail), DR_OK);
		if (dr_evm_receipt_decode(&got, dr_buf_view(&buf), &fail) != DR_OK)
			fail_msg("%s: %s", s->name, fail.what);
		assert_int_equal(got.type, s->receipt.type);
		assert_int_equal(got.status, s->receipt.status);
		assert_int_equal(got.has_post_state, s->receipt.has_post_state);
		assert_memory_equal(got.post_state, s->receipt.post_state, 32);
		assert_true(got.cumulative_gas == s->receipt.cumulative_gas);
		assert_int_equal(got.has_deposit_nonce, s->receipt.has_deposit_nonce);
		assert_int_equal(got.deposit_nonce, s->receipt.deposit_nonce);
		assert_int_equal(got.has_deposit_version, s->receipt.has_deposit_version);
		assert_int_equal(got.deposit_version, s->receipt.deposit_version);
		assert_int_equal(got.num_logs, s->num_logs);
		for (struct dr_bytes cursor = got.logs; dr_evm_log_next(&log, &cursor); num++) {
			assert_memory_equal(log.address, logs[num].address, 20);
			assert_int_equal(log.num_topics, logs[num].num_topics);
			assert_memory_equal(log.topics, logs[num].topics, sizeof(log.topics));
			assert_true(dr_bytes_eq(log.data, logs[num].data));
		}
		assert_int_equal(num, s->num_logs);
		for (size_t cut = 0; cut < buf.len; cut++) {
			struct dr_fail bad = { 0 };

			assert_int_not_equal(dr_evm_receipt_decode(&got, dr_bytes_of(buf.ptr, cut), &bad), DR_OK);
			assert_true(dr_bytes_zero(&got, sizeof(got)));
		}
		const struct dr_bytes three[3] = { dr_buf_view(&buf), dr_buf_view(&buf), dr_buf_view(&buf) };

		root_of(root, three, 3);
		for (size_t bit = 0; bit < 8 * buf.len; bit++) {
			struct dr_fail bad = { 0 };
			uint8_t *flipped = kit_alloc(buf.len);
			const struct dr_bytes view = dr_bytes_of(flipped, buf.len);
			const struct dr_bytes bad_three[3] = { three[0], view, three[2] };

			memcpy(flipped, buf.ptr, buf.len);
			flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (dr_evm_receipt_decode(&got, view, &bad) == DR_OK)
				assert_round_trip(view);
			else
				assert_true(dr_bytes_zero(&got, sizeof(got)));
			root_of(other, bad_three, 3);
			assert_memory_not_equal(root, other, 32);
		}
		dr_buf_free(&buf);
	}
}

/* A receipt put together from RLP items, after its type byte. */
#define ZEROS16  "00000000000000000000000000000000"
#define ZEROS64  ZEROS16 ZEROS16 ZEROS16 ZEROS16
#define NO_BLOOM "b90100" ZEROS64 ZEROS64 ZEROS64 ZEROS64
#define ADDRESS  "940000000000000000000000000000000000000001"
#define TOPIC    "a0" ZEROS16 ZEROS16

static void test_errors(void **state)
{
	static const struct {
		const char *name, *type;
		const char *items[8];
		enum dr_err expected;
	} rows[] = {
		{ "good", "", { "01", "825208", NO_BLOOM, "c0" }, DR_OK },
		{ "good, typed", "02", { "80", "825208", NO_BLOOM, "c0" }, DR_OK },
		{ "good, deposit", "7e", { "01", "80", NO_BLOOM, "c0", "80", "01" }, DR_OK },
		{ "type 0 spelt out", "00", { "01", "80", NO_BLOOM, "c0" }, DR_ERR_UNKNOWN },
		{ "type 5", "05", { "01", "80", NO_BLOOM, "c0" }, DR_ERR_UNKNOWN },
		{ "type 7f", "7f", { "01", "80", NO_BLOOM, "c0" }, DR_ERR_UNKNOWN },
		{ "wrapped in a string", "83", { "80" }, DR_ERR_SHORT },
		{ "a string", "8180", { NULL }, DR_ERR_SYNTAX },
		{ "status 2", "", { "02", "80", NO_BLOOM, "c0" }, DR_ERR_SYNTAX },
		{ "status 0 as a byte", "", { "00", "80", NO_BLOOM, "c0" }, DR_ERR_NONCANONICAL },
		{ "post-state root in a typed one",
		  "01",
		  { "a001" ZEROS16 "000000000000000000000000000000", "80", NO_BLOOM, "c0" },
		  DR_ERR_LIMIT },
		{ "gas beyond 64 bits", "", { "01", "89010000000000000000", NO_BLOOM, "c0" }, DR_ERR_LIMIT },
		{ "bloom too short", "", { "01", "80", "8400000000", "c0" }, DR_ERR_SYNTAX },
		{ "three fields", "", { "01", "80", NO_BLOOM }, DR_ERR_SHORT },
		{ "five fields", "", { "01", "80", NO_BLOOM, "c0", "80" }, DR_ERR_SYNTAX },
		{ "deposit with seven", "7e", { "01", "80", NO_BLOOM, "c0", "80", "80", "80" }, DR_ERR_SYNTAX },
		{ "logs a string", "", { "01", "80", NO_BLOOM, "80" }, DR_ERR_SYNTAX },
		{ "log not in the bloom", "", { "01", "80", NO_BLOOM, "d8d7" ADDRESS "c080" }, DR_ERR_PROOF },
		{ "bloom of no log",
		  "",
		  { "01", "80",
		    "b90100" ZEROS64 ZEROS64 ZEROS64 ZEROS16 ZEROS16 ZEROS16 "00000000000000000000000000000001",
		    "c0" },
		  DR_ERR_PROOF },
		{ "log with a short address", "", { "01", "80", NO_BLOOM, "c4c380c080" }, DR_ERR_SYNTAX },
		{ "log with a short topic", "", { "01", "80", NO_BLOOM, "d9d8" ADDRESS "c10180" }, DR_ERR_SYNTAX },
		{ "log with two fields", "", { "01", "80", NO_BLOOM, "d7d6" ADDRESS "c0" }, DR_ERR_SHORT },
		{ "log with four fields", "", { "01", "80", NO_BLOOM, "d9d8" ADDRESS "c08080" }, DR_ERR_SYNTAX },
		{ "log with five topics",
		  "",
		  { "01", "80", NO_BLOOM, "f8bff8bd" ADDRESS "f8a5" TOPIC TOPIC TOPIC TOPIC TOPIC "80" },
		  DR_ERR_LIMIT },
		{ "log with data not canonical",
		  "",
		  { "01", "80", NO_BLOOM, "d9d8" ADDRESS "c08101" },
		  DR_ERR_NONCANONICAL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t *out = kit_alloc(2048);
		struct dr_fail fail = { 0 };
		struct dr_evm_receipt r;
		struct dr_writer w;
		size_t payload_len = 0;

		for (size_t n = 0; n < 8 && rows[i].items[n] != NULL; n++)
			payload_len += strlen(rows[i].items[n]) / 2;
		dr_writer_init(&w, out, 2048, &fail);
		dr_writer_bytes(&w, kit_hex(rows[i].type));
		if (payload_len > 0)
			dr_rlp_put_list(&w, payload_len);
		for (size_t n = 0; n < 8 && rows[i].items[n] != NULL; n++)
			dr_writer_bytes(&w, kit_hex(rows[i].items[n]));
		assert_int_equal(fail.err, DR_OK);
		dr_evm_receipt_decode(&r, dr_writer_view(&w), &fail);
		if (fail.err != rows[i].expected)
			fail_msg("%s: %s: %s", rows[i].name, dr_err_name(fail.err), fail.what);
		assert_int_equal(dr_bytes_zero(&r, sizeof(r)), rows[i].expected != DR_OK);
	}
}

static void test_encode_errors(void **state)
{
	static uint8_t big[DR_EVM_RECEIPT_LEN_MAX];
	struct dr_evm_log five = { .num_topics = 5 }, long_log = { .data = dr_bytes_of(big, sizeof(big)) };
	const struct {
		const char *name;
		struct dr_evm_receipt receipt;
		const struct dr_evm_log *log;
		size_t cap;
		enum dr_err expected;
	} rows[] = {
		{ "good", { .type = 2 }, NULL, 4096, DR_OK },
		{ "type 5", { .type = 5 }, NULL, 4096, DR_ERR_UNKNOWN },
		{ "status 2", { .type = 2, .status = 2 }, NULL, 4096, DR_ERR_SYNTAX },
		{ "typed post-state", { .type = 2, .has_post_state = true }, NULL, 4096, DR_ERR_SYNTAX },
		{ "nonce outside a deposit", { .type = 2, .has_deposit_nonce = true }, NULL, 4096, DR_ERR_SYNTAX },
		{ "version alone", { .type = 0x7e, .has_deposit_version = true }, NULL, 4096, DR_ERR_SYNTAX },
		{ "five topics", { .type = 2 }, &five, 4096, DR_ERR_LIMIT },
		{ "too long", { .type = 2 }, &long_log, 8u << 20, DR_ERR_LIMIT },
		{ "no room", { .type = 2 }, NULL, 100, DR_ERR_LIMIT },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		struct dr_buf buf;

		dr_buf_init(&buf, rows[i].cap);
		dr_evm_receipt_encode(&buf, &rows[i].receipt, rows[i].log, rows[i].log != NULL, &fail);
		if (fail.err != rows[i].expected)
			fail_msg("%s: %s", rows[i].name, dr_err_name(fail.err));
		assert_int_equal(buf.len == 0, rows[i].expected != DR_OK);
		dr_buf_free(&buf);
	}
}

static void test_limits(void **state)
{
	static uint8_t big[DR_EVM_RECEIPT_LEN_MAX + 1];
	static struct dr_bytes many[DR_EVM_RECEIPTS_MAX + 1];
	struct dr_fail too_long = { 0 }, too_many = { 0 }, empty = { 0 }, no_room = { 0 }, fail = { 0 };
	struct dr_arena *arena = dr_arena_new((size_t)16 << 20), *small = dr_arena_new(64);
	struct dr_evm_receipt r;
	uint8_t root[32];

	(void)state;
	dr_evm_receipt_decode(&r, dr_bytes_of(big, sizeof(big)), &too_long);
	kit_assert_fail(DR_ERR_LIMIT, &too_long);
	dr_evm_receipts_root(root, many, DR_EVM_RECEIPTS_MAX + 1, arena, &too_many);
	kit_assert_fail(DR_ERR_LIMIT, &too_many);
	dr_evm_receipts_root(root, many, 1, arena, &empty);
	kit_assert_fail(DR_ERR_SYNTAX, &empty);
	many[0] = many[1] = kit_hex("c0");
	dr_evm_receipts_root(root, many, 2, small, &no_room);
	kit_assert_fail(DR_ERR_NOMEM, &no_room);
	assert_true(dr_bytes_zero(root, 32));
	dr_evm_receipts_root(root, many, 0, arena, &fail);
	kit_assert_fail(DR_OK, &fail);
	assert_memory_equal(root, dr_mpt_empty_root, 32);
	for (size_t i = 0; i < DR_EVM_RECEIPTS_MAX; i++)
		many[i] = kit_hex("c0");
	dr_arena_reset(arena);
	dr_evm_receipts_root(root, many, DR_EVM_RECEIPTS_MAX, arena, &fail);
	kit_assert_fail(DR_OK, &fail);
	dr_arena_free(arena);
	dr_arena_free(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devnet), cmocka_unit_test(test_mainnet), cmocka_unit_test(test_mainnet_proof),
		cmocka_unit_test(test_shapes), cmocka_unit_test(test_errors),  cmocka_unit_test(test_encode_errors),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests_name("receipt", tests, NULL, NULL);
}
