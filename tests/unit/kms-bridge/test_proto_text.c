/* SPDX-License-Identifier: Apache-2.0
 *
 * What is below the messages: their frame, the texts in them, the journal's notes.
 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <string.h>

#include "kms-bridge/proto.h"

static const struct {
	const char *in, *out;
	size_t cap;
} texts[] = {
	{ "plain", "plain", 16 },
	{ "tab\tnew\nline\x1b[31m", "tab?new?line?[31m", 32 },
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", 16 },
	{ "cut\xc3\xbc", "cut", 5 },       /* never inside a character */
	{ "\xc0\xaf", "??", 8 },           /* overlong "/" */
	{ "\xe0\x9f\xbf", "???", 8 },      /* overlong U+07FF */
	{ "\xf0\x8f\xbf\xbf", "????", 8 }, /* overlong U+FFFF */
	{ "\xed\xa0\x80", "???", 8 },      /* surrogate */
	{ "\xc2\x9b"
	  "2J",
	  "??2J", 8 },                     /* C1: CSI */
	{ "\xf4\x90\x80\x80", "????", 8 }, /* above U+10FFFF */
	{ "\xe2\x82", "??", 8 },           /* ends early */
	{ "\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91", 5 },
};

static void test_text_set(void **state)
{
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		dr_text_set(out, texts[i].cap, texts[i].in, strlen(texts[i].in));
		assert_string_equal(out, texts[i].out);
	}
}

static void test_framing(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_buf buf;
	uint16_t type;
	size_t used;

	(void)state;
	dr_buf_init(&buf, DR_MSG_LEN_MAX + 64);
	assert_int_equal(dr_msg_put(&buf, DR_MSG_END, dr_bytes_of(NULL, 0), &fail), DR_OK);
	assert_int_equal(dr_msg_put(&buf, DR_MSG_EVIDENCE, dr_bytes_of("abc", 3), &fail), DR_OK);
	assert_memory_equal(buf.ptr,
			    "\0\0\0\2\1\4\0\0\0\5\1\2"
			    "abc",
			    15);
	for (size_t cut = 0; cut < 6; cut++) {
		assert_int_equal(dr_msg_get(&type, &payload, &used, dr_bytes_of(buf.ptr, cut), &fail), DR_OK);
		assert_int_equal(used, 0);
	}
	assert_int_equal(dr_msg_get(&type, &payload, &used, dr_buf_view(&buf), &fail), DR_OK);
	assert_int_equal(type, DR_MSG_END);
	assert_int_equal(used, 6);
	assert_int_equal(payload.len, 0);
	dr_buf_drop(&buf, used);
	assert_int_equal(dr_msg_get(&type, &payload, &used, dr_buf_view(&buf), &fail), DR_OK);
	assert_true(dr_bytes_eq(payload, dr_bytes_of("abc", 3)));
	assert_int_equal(fail.err, DR_OK);

	/* Without a type, and longer than allowed: refused before the rest has come. */
	assert_int_equal(dr_msg_get(&type, &payload, &used, kit_hex("00000001"), &fail), DR_ERR_LIMIT);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_msg_get(&type, &payload, &used, kit_hex("ffffffff"), &fail), DR_ERR_LIMIT);
	fail = (struct dr_fail){ 0 };
	const size_t len = buf.len;

	assert_int_equal(dr_msg_put(&buf, 1, dr_bytes_of(buf.ptr, DR_MSG_LEN_MAX), &fail), DR_ERR_LIMIT);
	assert_int_equal(buf.len, len);
	dr_buf_free(&buf);
}

static void test_note(void **state)
{
	struct dr_note note = { .kind = DR_NOTE_LIE,
				.boot_ms = 5,
				.wall_ms = 6,
				.ledger_size = 7,
				.number = 8,
				.source = 2,
				.detail = "receipts do not rebuild receiptsRoot" };
	struct dr_fail fail = { 0 };
	uint8_t leaf[DR_NOTE_LEN_MAX], again[DR_NOTE_LEN_MAX];
	struct dr_note out;
	size_t len, len_again;

	(void)state;
	memset(note.hash, 9, 32);
	assert_int_equal(dr_note_encode(leaf, sizeof(leaf), &len, &note, &fail), DR_OK);
	assert_int_equal(len, 102 + strlen(note.detail));
	assert_int_equal(dr_note_decode(&out, dr_bytes_of(leaf, len), &fail), DR_OK);
	assert_memory_equal(&out, &note, sizeof(out));
	for (size_t cut = 0; cut < len; cut++) {
		fail = (struct dr_fail){ 0 };
		assert_int_not_equal(dr_note_decode(&out, dr_bytes_of(leaf, cut), &fail), DR_OK);
	}
	for (size_t bit = 0; bit < len * 8; bit++) {
		fail = (struct dr_fail){ 0 };
		leaf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (dr_note_decode(&out, dr_bytes_of(leaf, len), &fail) == DR_OK) {
			assert_int_equal(dr_note_encode(again, sizeof(again), &len_again, &out, &fail), DR_OK);
			assert_int_equal(len_again, len);
			assert_memory_equal(again, leaf, len);
		}
		leaf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_note_encode(leaf, 101, &len, &note, &fail), DR_ERR_LIMIT);
	assert_int_equal(len, 0);
	fail = (struct dr_fail){ 0 };
	note.kind = DR_NOTE_PERIOD + 1;
	assert_int_equal(dr_note_encode(leaf, sizeof(leaf), &len, &note, &fail), DR_ERR_UNKNOWN);
	for (int kind = DR_NOTE_START; kind <= DR_NOTE_PERIOD; kind++)
		assert_string_not_equal(dr_note_name((enum dr_note_kind)kind), "unknown");
}

/* What recordings of the time before consensus claim: shorter, and of version 1. */
static void test_init_before(void **state)
{
	static const uint8_t network[] = { 6, 7, 8 };
	static struct dr_init in = { .version = DR_PROTO_VERSION,
				     .mode = DR_MODE_RECORD,
				     .proof = DR_PROOF_QUORUM,
				     .quorum_k = 2,
				     .quorum_n = 3,
				     .checkpoint = { 5 },
				     .checkpoint_from = "a friend",
				     .checkpoint_aged = "carol" },
			      out;
	const size_t tail =
		4 + sizeof(network) + 32 + 2 + strlen(in.checkpoint_from) + 8 + 2 + strlen(in.checkpoint_aged);
	struct dr_fail fail = { 0 };
	struct dr_buf buf;

	(void)state;
	in.network = dr_bytes_of(network, sizeof(network));
	dr_buf_init(&buf, 1u << 20);
	assert_int_equal(dr_init_put(&buf, DR_MSG_INIT, &in, &fail), DR_OK);
	uint8_t *before = buf.ptr + 6;
	const size_t len = buf.len - 6 - tail;

	before[3] = 1;
	assert_int_equal(dr_init_get(&out, dr_bytes_of(before, len), &fail), DR_OK);
	assert_int_equal(out.version, DR_PROTO_VERSION);
	assert_int_equal(out.quorum_k, 2);
	assert_int_equal(out.network.len, 0);
	assert_true(dr_bytes_zero(out.checkpoint, 32));
	assert_int_equal(out.checkpoint_from[0], 0);
	for (size_t cut = 0; cut <= len + tail; cut++) {
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_init_get(&out, dr_bytes_of(before, cut), &fail) == DR_OK, cut == len);
	}
	before[3] = 2;
	for (size_t cut = 0; cut <= len + tail; cut++) {
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_init_get(&out, dr_bytes_of(before, cut), &fail) == DR_OK, cut == len + tail);
	}
	dr_buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_text_set),
		cmocka_unit_test(test_note),
		cmocka_unit_test(test_init_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
