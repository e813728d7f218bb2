/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/base/limits.h"
#include "chain/codec/rlp.h"
#include "chain/evm/header.h"

/* Real mainnet blocks on either side of fork boundaries: Frontier's form, London's (Paris), Cancun's, Prague's. */
static const struct {
	const char *path;
	uint8_t num_fields;
} blocks[] = {
	{ "04-eth-exec/mainnet-fork-blocks/Berlin.json.gz", 15 },
	{ "04-eth-exec/mainnet-fork-blocks/Paris.json.gz", 16 },
	{ "04-eth-exec/mainnet-fork-blocks/Cancun.json.gz", 20 },
	{ "04-eth-exec/mainnet-prague-boundary/22431082.json.gz", 20 },
	{ "04-eth-exec/mainnet-prague-boundary/22431084.json.gz", 21 },
	{ "04-eth-exec/mainnet-21925176/block.json", 20 },
};

static void assert_same_header(const struct dr_evm_header *a, const struct dr_evm_header *b)
{
	struct dr_evm_header x = *a, y = *b;

	assert_true(dr_bytes_eq(x.extra, y.extra));
	x.extra = y.extra = dr_bytes_of(NULL, 0);
	assert_memory_equal(&x, &y, sizeof(x));
}

static void test_mainnet(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		json_t *block = kit_vector(blocks[i].path);
		uint8_t rlp[DR_EVM_HEADER_LEN_MAX], hash[32];
		struct dr_evm_header h, back;
		struct dr_fail fail = { 0 };
		size_t len;

		kit_header(&h, block);
		assert_int_equal(h.num_fields, blocks[i].num_fields);
		assert_int_equal(dr_evm_header_hash(hash, &h, &fail), DR_OK);
		assert_memory_equal(hash, h.hash, 32); /* kit_header took it from the JSON */
		assert_int_equal(dr_evm_header_encode(rlp, sizeof(rlp), &len, &h, &fail), DR_OK);
		assert_int_equal(dr_evm_header_decode(&back, dr_bytes_of(rlp, len), &fail), DR_OK);
		assert_same_header(&h, &back);
		json_decref(block);
	}
}

/* What a node encodes itself (debug_getRawHeader), and a chain of headers, each naming the one before. */
static void test_devnet(void **state)
{
	json_t *raw = kit_vector("12-devnet/lodestar-capella-minimal/el_event_rawheader.json");
	json_t *block = kit_vector("12-devnet/lodestar-capella-minimal/el_event_block.json");
	struct dr_evm_header h, told;
	struct dr_fail fail = { 0 };

	(void)state;
	dr_evm_header_decode(&h, kit_json_hex(json_object_get(raw, "result")), &fail);
	kit_assert_fail(DR_OK, &fail);
	kit_header(&told, json_object_get(block, "result"));
	assert_same_header(&h, &told);
	json_decref(raw);
	json_decref(block);
}

static void test_devnet_chain(void **state)
{
	json_t *chain = kit_vector("12-devnet/forge-electra-minimal/el_headers_event_to_finalized.json"), *block;
	uint8_t parent[32], hash[32];
	size_t idx;

	(void)state;
	assert_true(json_array_size(chain) > 10);
	json_array_foreach(chain, idx, block)
	{
		struct dr_fail fail = { 0 };
		struct dr_evm_header h;

		kit_header(&h, block);
		assert_int_equal(h.num_fields, 21);
		assert_int_equal(dr_evm_header_hash(hash, &h, &fail), DR_OK);
		assert_memory_equal(hash, h.hash, 32);
		if (idx > 0)
			assert_memory_equal(h.parent_hash, parent, 32);
		memcpy(parent, hash, 32);
	}
	json_decref(chain);
}

/* A header of ours with every field in use. */
static void sample(struct dr_evm_header *h, uint8_t num_fields)
{
	static const uint8_t extra[] = "derot test";

	memset(h, 0, sizeof(*h));
	h->num_fields = num_fields;
	memset(h->parent_hash, 1, 32);
	memset(h->ommers_hash, 2, 32);
	memset(h->coinbase, 3, 20);
	memset(h->state_root, 4, 32);
	memset(h->transactions_root, 5, 32);
	memset(h->receipts_root, 6, 32);
	memset(h->bloom, 7, 256);
	h->difficulty[0] = 0xff; /* all 32 bytes */
	h->number = UINT64_MAX;
	h->gas_limit = 30000000;
	h->gas_used = 127;
	h->timestamp = 1700000000;
	h->extra = dr_bytes_of(extra, sizeof(extra) - 1);
	memset(h->mix_hash, 8, 32);
	memset(h->nonce, 9, 8);
	if (num_fields >= 16)
		h->base_fee[31] = 7;
	if (num_fields >= 17)
		memset(h->withdrawals_root, 10, 32);
	if (num_fields >= 20) {
		h->blob_gas_used = 131072;
		h->excess_blob_gas = 0;
		memset(h->parent_beacon_root, 11, 32);
	}
	if (num_fields >= 21)
		memset(h->requests_hash, 12, 32);
}

/* Every fork: round trip; every truncation fails; every flipped bit fails or is another block. */
static void test_damage(void **state)
{
	static const uint8_t forks[] = { 15, 16, 17, 20, 21 };

	(void)state;
	for (size_t i = 0; i < sizeof(forks); i++) {
		uint8_t rlp[1024], again[1024];
		struct dr_evm_header h, back;
		struct dr_fail fail = { 0 };
		size_t len, len_again;

		sample(&h, forks[i]);
		assert_int_equal(dr_evm_header_encode(rlp, sizeof(rlp), &len, &h, &fail), DR_OK);
		assert_int_equal(dr_evm_header_hash(h.hash, &h, &fail), DR_OK);
		assert_int_equal(dr_evm_header_decode(&back, dr_bytes_of(rlp, len), &fail), DR_OK);
		assert_same_header(&h, &back);
		for (size_t cut = 0; cut < len; cut++) {
			struct dr_fail bad = { 0 };

			memset(&back, 0xee, sizeof(back));
			assert_int_not_equal(dr_evm_header_decode(&back, dr_bytes_of(rlp, cut), &bad), DR_OK);
			assert_true(dr_bytes_zero(&back, sizeof(back)));
		}
		for (size_t bit = 0; bit < 8 * len; bit++) {
			struct dr_fail bad = { 0 };

			rlp[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (dr_evm_header_decode(&back, dr_bytes_of(rlp, len), &bad) == DR_OK) {
				assert_memory_not_equal(back.hash, h.hash, 32);
				assert_int_equal(dr_evm_header_encode(again, sizeof(again), &len_again, &back, &bad),
						 DR_OK);
				assert_int_equal(len, len_again);
				assert_memory_equal(rlp, again, len);
			} else {
				assert_true(dr_bytes_zero(&back, sizeof(back)));
			}
			rlp[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

/* Replaces field `at` of a good header by `with`, or adds or drops fields, and re-encodes the list. */
static struct dr_bytes rewrite(size_t at, const char *with, size_t num_out)
{
	uint8_t rlp[1024], *out = kit_alloc(2 * DR_EVM_HEADER_LEN_MAX);
	struct dr_fail fail = { 0 };
	struct dr_reader top, list;
	struct dr_bytes items[32];
	struct dr_evm_header h;
	struct dr_writer w;
	size_t len, payload_len = 0;

	sample(&h, 21);
	assert_int_equal(dr_evm_header_encode(rlp, sizeof(rlp), &len, &h, &fail), DR_OK);
	dr_reader_init(&top, dr_bytes_of(rlp, len), &fail);
	list = dr_rlp_list(&top);
	for (size_t i = 0; i < num_out; i++) {
		items[i] = i < 21 ? dr_rlp_item(&list).whole : kit_hex("80");
		if (i == at)
			items[i] = kit_hex(with);
		payload_len += items[i].len;
	}
	dr_writer_init(&w, out, 2 * DR_EVM_HEADER_LEN_MAX, &fail);
	dr_rlp_put_list(&w, payload_len);
	for (size_t i = 0; i < num_out; i++)
		dr_writer_bytes(&w, items[i]);
	assert_int_equal(fail.err, DR_OK);
	return dr_writer_view(&w);
}

static void test_errors(void **state)
{
	enum { NUMBER = 8, EXTRA = 12, NONCE = 14 };
	static const struct {
		const char *name;
		size_t at;
		const char *with;
		size_t num_out;
		enum dr_err expected;
	} rows[] = {
		{ "good", 0, "a00101010101010101010101010101010101010101010101010101010101010101", 21, DR_OK },
		{ "14 fields", 99, "", 14, DR_ERR_UNKNOWN },
		{ "18 fields", 99, "", 18, DR_ERR_UNKNOWN },
		{ "19 fields", 99, "", 19, DR_ERR_UNKNOWN },
		{ "22 fields", 99, "", 22, DR_ERR_UNKNOWN },
		{ "no fields", 99, "", 0, DR_ERR_UNKNOWN },
		{ "parent hash too short", 0, "83010203", 21, DR_ERR_SYNTAX },
		{ "parent hash a list", 0, "c0", 21, DR_ERR_SYNTAX },
		{ "number as a zero byte", NUMBER, "00", 21, DR_ERR_NONCANONICAL },
		{ "number with a leading zero", NUMBER, "820001", 21, DR_ERR_NONCANONICAL },
		{ "number beyond 64 bits", NUMBER, "89010000000000000000", 21, DR_ERR_LIMIT },
		{ "nonce of 7 bytes", NONCE, "8701020304050607", 21, DR_ERR_SYNTAX },
		{ "extra data announces too much", EXTRA, "b90fff", 21, DR_ERR_SHORT },
		{ "extra data in its long form", EXTRA, "b80102", 21, DR_ERR_NONCANONICAL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		struct dr_evm_header h;

		dr_evm_header_decode(&h, rewrite(rows[i].at, rows[i].with, rows[i].num_out), &fail);
		if (fail.err != rows[i].expected)
			fail_msg("%s: %s", rows[i].name, dr_err_name(fail.err));
	}
}

static void test_limits(void **state)
{
	static uint8_t extra[DR_EVM_EXTRA_LEN_MAX + 1], buf[2 * DR_EVM_HEADER_LEN_MAX];
	struct dr_evm_header h, back;
	struct dr_fail fail = { 0 }, small = { 0 }, more = { 0 }, whole = { 0 }, fork = { 0 }, trailing = { 0 };
	uint8_t hash[32];
	size_t len;

	(void)state;
	sample(&h, 17);
	h.extra = dr_bytes_of(extra, DR_EVM_EXTRA_LEN_MAX);
	assert_int_equal(dr_evm_header_encode(buf, sizeof(buf), &len, &h, &fail), DR_OK);
	assert_int_equal(dr_evm_header_decode(&back, dr_bytes_of(buf, len), &fail), DR_OK);
	assert_int_equal(dr_evm_header_decode(&back, dr_bytes_of(buf, len + 1), &trailing), DR_ERR_SYNTAX);
	assert_int_equal(dr_evm_header_encode(buf, len - 1, &len, &h, &small), DR_ERR_LIMIT);
	assert_int_equal(len, 0);
	h.extra.len++;
	assert_int_equal(dr_evm_header_hash(hash, &h, &more), DR_ERR_LIMIT);
	assert_true(dr_bytes_zero(hash, 32));
	assert_int_equal(dr_evm_header_decode(&back, dr_bytes_of(buf, DR_EVM_HEADER_LEN_MAX + 1), &whole),
			 DR_ERR_LIMIT);
	h.num_fields = 18;
	assert_int_equal(dr_evm_header_hash(hash, &h, &fork), DR_ERR_UNKNOWN);
	/* A header of less than 8192 bytes, with extra data of 4096 and of one more. */
	for (size_t more_by = 0; more_by <= 1; more_by++) {
		static char text[2 * (3 + DR_EVM_EXTRA_LEN_MAX + 1) + 1];
		struct dr_fail long_fail = { 0 };

		memset(text, '0', 2 * (3 + DR_EVM_EXTRA_LEN_MAX + more_by));
		memcpy(text, more_by == 0 ? "b91000" : "b91001", 6);
		dr_evm_header_decode(&back, rewrite(12, text, 21), &long_fail);
		kit_assert_fail(more_by == 0 ? DR_OK : DR_ERR_LIMIT, &long_fail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mainnet), cmocka_unit_test(test_devnet), cmocka_unit_test(test_devnet_chain),
		cmocka_unit_test(test_damage),  cmocka_unit_test(test_errors), cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
