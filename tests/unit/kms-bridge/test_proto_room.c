/* SPDX-License-Identifier: Apache-2.0
 *
 * The room that a message has: what is one longer than it, and what an answer that denies may not carry.
 */
#include "tests/unit/kit.h"

#include <string.h>

#include "kms-bridge/proto.h"

/* A text of as many bytes as its room would lose its end, or write it behind. */
static void test_text(void **state)
{
	static uint8_t bytes[2 + sizeof(((struct dr_done *)0)->what)];
	const size_t cap = sizeof(((struct dr_done *)0)->what);

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t len = cap - 1; len <= cap; len++) {
		struct dr_fail fail = { 0 };
		struct dr_done done;

		bytes[0] = (uint8_t)(len >> 8);
		bytes[1] = (uint8_t)len;
		dr_done_get(&done, dr_bytes_of(bytes, 2 + len), &fail);
		kit_assert_fail(len < cap ? DR_OK : DR_ERR_LIMIT, &fail);
		assert_int_equal(strlen(done.what), len < cap ? len : 0);
	}
}

static void test_slots(void **state)
{
	static uint8_t bytes[75 + (DR_STATE_SLOTS_MAX + 1) * 32];
	static struct dr_want want = { .kind = DR_WANT_STATE, .num_slots = DR_STATE_SLOTS_MAX };
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_buf buf;
	uint16_t type;
	size_t used;

	(void)state;
	dr_buf_init(&buf, sizeof(bytes) + 6);
	assert_int_equal(dr_want_put(&buf, DR_MSG_WANT, &want, &fail), DR_OK);
	assert_int_equal(dr_msg_get(&type, &payload, &used, dr_buf_view(&buf), &fail), DR_OK);
	assert_int_equal(payload.len, sizeof(bytes) - 32);
	memcpy(bytes, payload.ptr, payload.len);
	dr_buf_free(&buf);
	assert_int_equal(dr_want_get(&want, dr_bytes_of(bytes, sizeof(bytes) - 32), &fail), DR_OK);
	bytes[73] = (uint8_t)((DR_STATE_SLOTS_MAX + 1) >> 8);
	bytes[74] = (uint8_t)(DR_STATE_SLOTS_MAX + 1);
	assert_int_equal(dr_want_get(&want, dr_bytes_of(bytes, sizeof(bytes)), &fail), DR_ERR_LIMIT);
	assert_true(dr_bytes_zero(&want, sizeof(want)));
}

/* A denial carries nothing: neither key, nor proof, nor box. */
static void test_denied(void **state)
{
	(void)state;
	for (int what = 0; what <= 3; what++) {
		struct dr_key_answer answer = { .decision = { .deny = DR_DENY_HEAD } };
		struct dr_fail fail = { 0 };
		struct dr_buf buf;

		answer.key_len = what == 1 ? 32 : 0;
		answer.proof = dr_bytes_of("proof", what == 2 ? 5 : 0);
		answer.box = dr_bytes_of("box", what == 3 ? 3 : 0);
		dr_buf_init(&buf, 4096);
		dr_key_answer_put(&buf, DR_MSG_KEY, &answer, &fail);
		kit_assert_fail(what == 0 ? DR_OK : DR_ERR_SYNTAX, &fail);
		dr_buf_free(&buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_denied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
