/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdlib.h>
#include <string.h>

#include "chain/base/limits.h"
#include "chain/crypto/sha256.h"
#include "chain/evidence.h"

static struct dr_evidence_head a_head(void)
{
	struct dr_evidence_head head = { .family = DR_FAMILY_EVM, .chain_id = 0x0102030405060708 };

	for (size_t i = 0; i < 32; i++)
		head.genesis[i] = (uint8_t)(0xa0 + i);
	return head;
}

/* The layout, written by hand after evidence.h. */
static void test_head_layout(void **state)
{
	(void)state;
	const struct dr_evidence_head head = a_head();
	struct dr_bytes by_hand = kit_hex("6465726f74657600"
					  "0001"
					  "0001"
					  "00000000"
					  "0102030405060708"
					  "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf");
	uint8_t bytes[DR_EVIDENCE_HEAD_LEN], sum[32];

	dr_evidence_head_put(bytes, &head);
	assert_int_equal(by_hand.len, 56);
	assert_memory_equal(bytes, by_hand.ptr, 56);
	dr_sha256_one(sum, by_hand.ptr, 56);
	assert_memory_equal(bytes + 56, sum, 8);
}

static void sum_again(uint8_t *bytes)
{
	uint8_t sum[32];

	dr_sha256_one(sum, bytes, 56);
	memcpy(bytes + 56, sum, 8);
}

static void test_head_round(void **state)
{
	(void)state;
	const struct dr_evidence_head head = a_head();
	uint8_t bytes[DR_EVIDENCE_HEAD_LEN + 1];
	struct dr_evidence_head back;

	dr_evidence_head_put(bytes, &head);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct dr_fail fail = { 0 };
		uint8_t *cut = dr_heap_alloc(len);

		memcpy(cut, bytes, len);
		memset(&back, 0xee, sizeof(back));
		dr_evidence_head_get(&back, dr_bytes_of(cut, len), &fail);
		kit_assert_fail(len < DR_EVIDENCE_HEAD_LEN ? DR_ERR_SHORT : DR_OK, &fail);
		if (fail.err == DR_OK) {
			assert_int_equal(back.family, head.family);
			assert_int_equal(back.chain_id, head.chain_id);
			assert_memory_equal(back.genesis, head.genesis, 32);
		} else {
			assert_true(dr_bytes_zero(&back, sizeof(back)));
		}
		dr_heap_free(cut);
	}
	for (size_t bit = 0; bit < 8 * DR_EVIDENCE_HEAD_LEN; bit++) {
		struct dr_fail fail = { 0 };

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		dr_evidence_head_get(&back, dr_bytes_of(bytes, DR_EVIDENCE_HEAD_LEN), &fail);
		kit_assert_fail(DR_ERR_SYNTAX, &fail);
		assert_true(dr_bytes_zero(&back, sizeof(back)));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* A head with a true checksum that this build does not take. */
static void test_head_refused(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t value;
		enum dr_err expected;
	} rows[] = {
		{ "magic", 0, 'D', DR_ERR_SYNTAX },         { "magic's end", 7, 1, DR_ERR_SYNTAX },
		{ "version 2", 9, 2, DR_ERR_UNKNOWN },      { "version 257", 8, 1, DR_ERR_UNKNOWN },
		{ "family 2", 11, 2, DR_ERR_UNKNOWN },      { "family 0", 11, 0, DR_ERR_UNKNOWN },
		{ "reserved", 15, 1, DR_ERR_NONCANONICAL }, { "reserved high", 12, 128, DR_ERR_NONCANONICAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dr_evidence_head head = a_head();
		uint8_t bytes[DR_EVIDENCE_HEAD_LEN];
		struct dr_evidence_head back;
		struct dr_fail fail = { 0 };

		dr_evidence_head_put(bytes, &head);
		bytes[rows[i].at] = rows[i].value;
		sum_again(bytes);
		dr_evidence_head_get(&back, dr_bytes_of(bytes, sizeof(bytes)), &fail);
		if (fail.err != rows[i].expected)
			fail_msg("%s: %s", rows[i].name, dr_err_name(fail.err));
		assert_true(dr_bytes_zero(&back, sizeof(back)));
	}
}

static void test_frame_round(void **state)
{
	static const size_t lens[] = { 0, 1, 42, 255, 256, 3000 };

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct dr_frame frame = { DR_FRAME_LOGS, 7, dr_bytes_of(kit_alloc(lens[i]), lens[i]) }, back;
		struct dr_fail none = { 0 };
		struct dr_buf buf;
		size_t used;

		dr_buf_init(&buf, 1 << 20);
		assert_int_equal(dr_frame_put(&buf, &frame, &none), DR_OK);
		assert_int_equal(buf.len, lens[i] + DR_EVIDENCE_FRAME_OVERHEAD);
		/* Every truncation: short, and nothing used. One byte more: the frame alone is used. */
		for (size_t len = 0; len <= buf.len + 1; len++) {
			struct dr_fail fail = { 0 };
			uint8_t *cut = dr_heap_alloc(len);

			memcpy(cut, buf.ptr, len <= buf.len ? len : buf.len);
			memset(&back, 0xee, sizeof(back));
			dr_frame_get(&back, &used, dr_bytes_of(cut, len), &fail);
			kit_assert_fail(len < buf.len ? DR_ERR_SHORT : DR_OK, &fail);
			assert_int_equal(used, len < buf.len ? 0 : buf.len);
			if (fail.err == DR_OK) {
				assert_int_equal(back.type, frame.type);
				assert_int_equal(back.source, frame.source);
				assert_true(dr_bytes_eq(back.payload, frame.payload));
				assert_ptr_equal(back.payload.ptr, cut + 8);
			} else {
				assert_true(dr_bytes_zero(&back, sizeof(back)));
			}
			dr_heap_free(cut);
		}
		/* Every flip. In the length's bytes the frame may end elsewhere; nothing passes. */
		for (size_t bit = 0; bit < 8 * buf.len; bit++) {
			struct dr_fail fail = { 0 };

			buf.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
			dr_frame_get(&back, &used, dr_buf_view(&buf), &fail);
			assert_int_not_equal(fail.err, DR_OK);
			if (bit >= 32)
				kit_assert_fail(DR_ERR_SYNTAX, &fail);
			assert_int_equal(used, 0);
			assert_true(dr_bytes_zero(&back, sizeof(back)));
			buf.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		dr_buf_free(&buf);
	}
}

static void test_limits(void **state)
{
	const uint8_t long_by_one[8] = { DR_FRAME_LEN_MAX >> 24,
					 DR_FRAME_LEN_MAX >> 16 & 255,
					 DR_FRAME_LEN_MAX >> 8 & 255,
					 (DR_FRAME_LEN_MAX & 255) + 1,
					 0,
					 2,
					 0,
					 0 };
	struct dr_frame frame = { DR_FRAME_HEADER, 0, { kit_alloc(DR_FRAME_LEN_MAX + 1), DR_FRAME_LEN_MAX + 1 } },
			back;
	struct dr_fail fail = { 0 }, full = { 0 }, announced = { 0 }, fits = { 0 };
	struct dr_buf buf;
	size_t used;

	(void)state;
	dr_buf_init(&buf, (size_t)DR_FRAME_LEN_MAX + 64);
	dr_frame_put(&buf, &frame, &fail);
	kit_assert_fail(DR_ERR_LIMIT, &fail);
	assert_int_equal(buf.len, 0);
	frame.payload.len--;
	assert_int_equal(dr_frame_put(&buf, &frame, &fits), DR_OK);
	assert_int_equal(dr_frame_get(&back, &used, dr_buf_view(&buf), &fits), DR_OK);
	assert_int_equal(back.payload.len, DR_FRAME_LEN_MAX);
	/* No room in the buffer: unchanged. */
	const size_t len = buf.len;

	dr_frame_put(&buf, &frame, &full);
	kit_assert_fail(DR_ERR_LIMIT, &full);
	assert_int_equal(buf.len, len);
	/* An announced length beyond the limit is refused before its bytes arrive. */
	dr_frame_get(&back, &used, dr_bytes_of(long_by_one, sizeof(long_by_one)), &announced);
	kit_assert_fail(DR_ERR_LIMIT, &announced);
	dr_buf_free(&buf);
}

/* A recording cut anywhere yields exactly its whole frames, then a torn tail. */
static void test_torn_tail(void **state)
{
	struct dr_fail none = { 0 };
	size_t ends[12] = { 0 };
	struct dr_buf buf;

	(void)state;
	srand(3);
	dr_buf_init(&buf, 1 << 20);
	for (size_t i = 1; i < 12; i++) {
		const size_t len = (size_t)rand() % 40;
		const struct dr_frame frame = { (uint16_t)i, (uint16_t)(i + 100), { kit_alloc(len), len } };

		assert_int_equal(dr_frame_put(&buf, &frame, &none), DR_OK);
		ends[i] = buf.len;
	}
	for (size_t cut = 0; cut <= buf.len; cut++) {
		struct dr_bytes rest = dr_bytes_of(buf.ptr, cut);
		struct dr_fail fail = { 0 };
		struct dr_frame frame;
		size_t num = 0, used;

		while (rest.len > 0 && dr_frame_get(&frame, &used, rest, &fail) == DR_OK) {
			assert_int_equal(frame.type, ++num);
			rest = dr_bytes_of(rest.ptr + used, rest.len - used);
		}
		assert_true(num < 12 && ends[num] <= cut && (num == 11 || ends[num + 1] > cut));
		kit_assert_fail(ends[num] == cut ? DR_OK : DR_ERR_SHORT, &fail);
	}
	dr_buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head_layout),  cmocka_unit_test(test_head_round),
		cmocka_unit_test(test_head_refused), cmocka_unit_test(test_frame_round),
		cmocka_unit_test(test_limits),       cmocka_unit_test(test_torn_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
