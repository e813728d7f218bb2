/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"
#include "chain/crypto/secp256k1.h"
#include "watcher/raw_tx.h"

/* A test account of development nodes, known to everybody. */
#define SECRET  "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
#define ADDRESS "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
#define ORDER   "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"

static uint8_t long_data[DR_RAW_TX_DATA_MAX + 1];

static struct dr_raw_tx good(void)
{
	struct dr_raw_tx tx = { .chain_id = 31337,
				.nonce = 0,
				.priority_fee = 1000000000,
				.max_fee = 3000000007,
				.gas = 200000,
				.data = dr_bytes_of(long_data, 36) };

	memset(tx.to, 0x5f, 20);
	return tx;
}

/* Takes a signed transaction apart again: every field, in its place, and who signed it. */
static void check(struct dr_bytes raw, const uint8_t hash[static 32], const struct dr_raw_tx *tx)
{
	struct dr_fail fail = { 0 };
	struct dr_reader r, list, access;
	struct dr_writer w;
	uint8_t to[20], sig[64], payload[DR_RAW_TX_LEN_MAX], digest[32], signer[20];
	const uint8_t *begin, *end;

	dr_reader_init(&r, raw, &fail);
	assert_int_equal(dr_reader_u8(&r), 2);
	list = dr_rlp_list(&r);
	begin = list.cur;
	assert_int_equal(dr_rlp_u64(&list), tx->chain_id);
	assert_int_equal(dr_rlp_u64(&list), tx->nonce);
	assert_int_equal(dr_rlp_u64(&list), tx->priority_fee);
	assert_int_equal(dr_rlp_u64(&list), tx->max_fee);
	assert_int_equal(dr_rlp_u64(&list), tx->gas);
	dr_rlp_fixed(&list, to, 20);
	assert_memory_equal(to, tx->to, 20);
	assert_int_equal(dr_rlp_u64(&list), 0);
	assert_true(dr_bytes_eq(dr_rlp_string(&list, DR_RAW_TX_DATA_MAX), tx->data));
	access = dr_rlp_list(&list);
	assert_int_equal(dr_reader_end(&access), DR_OK);
	end = list.cur;
	const uint64_t parity = dr_rlp_u64(&list);

	assert_true(parity < 2);
	dr_rlp_word(&list, sig);
	dr_rlp_word(&list, sig + 32);
	assert_int_equal(dr_reader_end(&list), DR_OK);
	assert_int_equal(dr_reader_end(&r), DR_OK);
	assert_true(sig[32] < 0x80); /* EIP-2 */

	dr_writer_init(&w, payload, sizeof(payload), &fail);
	dr_writer_u8(&w, 2);
	dr_rlp_put_list(&w, (size_t)(end - begin));
	dr_writer_copy(&w, begin, (size_t)(end - begin));
	dr_keccak256(digest, payload, w.len);
	assert_int_equal(dr_secp256k1_recover(signer, digest, sig, (uint8_t)parity, &fail), DR_OK);
	assert_memory_equal(signer, kit_hex(ADDRESS).ptr, 20);
	dr_keccak256(digest, raw.ptr, raw.len);
	assert_memory_equal(hash, digest, 32);
}

static void test_sign(void **state)
{
	uint8_t raw[DR_RAW_TX_LEN_MAX], hash[32];
	size_t len;

	(void)state;
	/* Other nonces, other signatures: among so many some have a short r or s, or both parities. */
	for (uint64_t nonce = 0; nonce < 600; nonce++) {
		struct dr_raw_tx tx = good();
		struct dr_fail fail = { 0 };

		tx.nonce = nonce;
		tx.data.len = nonce % 3 == 0 ? DR_RAW_TX_DATA_MAX : nonce % 60;
		if (nonce % 7 == 0)
			tx.gas = tx.max_fee = tx.chain_id = UINT64_MAX;
		assert_int_equal(dr_raw_tx_sign(raw, sizeof(raw), &len, hash, &tx, kit_hex(SECRET).ptr, &fail),
				 DR_OK);
		check(dr_bytes_of(raw, len), hash, &tx);
	}
}

/* What another implementation signs: micro-eth-signer 0.19, the same key and fields (RFC 6979 on both sides). */
static void test_known(void **state)
{
	static const char expected[] =
		"02f871827a6907843b9aca0084b2d05e0783030d40945f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f"
		"5f5f8084deadbeefc080a0983669807b27e5a0dfb6454f03a9d9cea26c23fd978076e83544a03599"
		"02ed2ca02f03ba5617cf452e7c025ef5dc83aecdcb9d807fe77547823c77db9618cb699f";
	uint8_t raw[DR_RAW_TX_LEN_MAX], hash[32];
	struct dr_raw_tx tx = good();
	struct dr_fail fail = { 0 };
	size_t len;

	(void)state;
	tx.nonce = 7;
	tx.data = kit_hex("deadbeef");
	assert_int_equal(dr_raw_tx_sign(raw, sizeof(raw), &len, hash, &tx, kit_hex(SECRET).ptr, &fail), DR_OK);
	assert_int_equal(len, sizeof(expected) / 2);
	assert_memory_equal(raw, kit_hex(expected).ptr, len);
}

static void test_refused(void **state)
{
	static const struct {
		const char *name, *secret;
		size_t data_len, cap;
		uint64_t priority_fee;
		enum dr_err err;
	} rows[] = {
		{ "good", SECRET, 36, DR_RAW_TX_LEN_MAX, 1, DR_OK },
		{ "longest data", SECRET, DR_RAW_TX_DATA_MAX, DR_RAW_TX_LEN_MAX, 1, DR_OK },
		{ "data too long", SECRET, DR_RAW_TX_DATA_MAX + 1, DR_RAW_TX_LEN_MAX, 1, DR_ERR_LIMIT },
		{ "no room", SECRET, 36, 100, 1, DR_ERR_LIMIT },
		{ "no room at all", SECRET, 36, 1, 1, DR_ERR_LIMIT },
		{ "equal fees", SECRET, 36, DR_RAW_TX_LEN_MAX, 3000000007, DR_OK },
		{ "priority above all", SECRET, 36, DR_RAW_TX_LEN_MAX, 3000000008, DR_ERR_LIMIT },
		{ "no key", ORDER, 36, DR_RAW_TX_LEN_MAX, 1, DR_ERR_NONCANONICAL },
	};
	const uint8_t zero[DR_RAW_TX_LEN_MAX] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t raw[DR_RAW_TX_LEN_MAX], hash[32];
		struct dr_raw_tx tx = good();
		struct dr_fail fail = { 0 };
		size_t len = 9;

		memset(raw, 0xaa, sizeof(raw));
		memset(hash, 0xaa, 32);
		tx.data.len = rows[i].data_len;
		tx.priority_fee = rows[i].priority_fee;
		if (dr_raw_tx_sign(raw, rows[i].cap, &len, hash, &tx, kit_hex(rows[i].secret).ptr, &fail) !=
		    rows[i].err)
			fail_msg("%s: %s", rows[i].name, fail.what);
		kit_assert_fail(rows[i].err, &fail);
		if (rows[i].err == DR_OK)
			continue;
		assert_int_equal(len, 0);
		assert_memory_equal(raw, zero, rows[i].cap);
		assert_memory_equal(hash, zero, 32);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_refused),
	};

	for (size_t i = 0; i < sizeof(long_data); i++)
		long_data[i] = (uint8_t)(i * 7);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
