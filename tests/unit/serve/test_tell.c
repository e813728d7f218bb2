/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "kms-bridge/tell/tell.h"

static void test_time(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 1767225600, "2026-01-01T00:00:00Z" },
		{ 253402300799, "9999-12-31T23:59:59Z" },
		{ 253402300800, "253402300800 s" },
		{ UINT64_MAX, "18446744073709551615 s" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		dr_tell_time(text, rows[i].seconds);
		assert_string_equal(text, rows[i].text);
	}
}

/* Every action says each of its arguments by name (a proposal those of what it proposes), and fits any room. */
static void test_every_action(void **state)
{
	const struct dr_action_def *def;

	(void)state;
	for (size_t i = 0; (def = dr_action_at(i)) != NULL; i++) {
		struct dr_change c = { .outcome = DR_OUTCOME_PENDING, .reason = DR_REASON_VOTES };
		char text[1024], little[16];

		c.act.action = def->action;
		c.act.num_args = def->num_args;
		c.act.has_by = c.act.has_proposal = c.act.has_due = true;
		c.act.proposal = 12;
		c.act.due = 1767225600;
		for (size_t a = 0; a < def->num_args; a++)
			dr_word_put(c.act.args[a], 1);
		dr_tell_change_text(text, sizeof(text), &c);
		for (size_t a = 0;
		     a < def->num_args && def->action != DR_ACTION_PROPOSE && def->action != DR_ACTION_ROOT_PUBLISH;
		     a++)
			if (strstr(text, def->args[a].name) == NULL)
				fail_msg("%s: %s is not in \"%s\"", def->name, def->args[a].name, text);
		assert_non_null(strstr(text, "proposal 12"));
		assert_non_null(strstr(text, "by 0x00000000…"));
		assert_non_null(strstr(text, "from 2026-01-01T00:00:00Z on"));
		assert_non_null(strstr(text, dr_reason_text(DR_REASON_VOTES)));
		memset(little, 'x', sizeof(little));
		dr_tell_change_text(little, sizeof(little), &c);
		assert_non_null(memchr(little, '\0', sizeof(little)));
		assert_memory_equal(little, text, strlen(little));
	}
}

static void test_words(void **state)
{
	static const struct {
		const char *name, *word; /* 32 bytes, zero padded */
		size_t len;
		const char *text;
	} rows[] = {
		{ "text", "kms-v1", 6, "measurement kms-v1" },
		{ "too short for text", "ab", 2, "measurement 0x616200000000…" },
		{ "an escape", "ab\x1b[31m", 7, "measurement 0x61621b5b3331…" },
		{ "a quote", "ab\"c", 4, "measurement 0x616222630000…" },
		{ "a backslash", "ab\\c", 4, "measurement 0x61625c630000…" },
		{ "a line", "ab\ncd", 5, "measurement 0x61620a636400…" },
		{ "text after zeros", "abc\0d", 5, "measurement 0x616263006400…" },
		{ "zero", "", 0, "measurement 0x000000000000…" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_change c = { .outcome = DR_OUTCOME_APPLIED };
		char text[256];

		c.act.action = DR_ACTION_MEASUREMENT_REVOKE;
		c.act.num_args = 1;
		memcpy(c.act.args[0], rows[i].word, rows[i].len);
		dr_tell_change_text(text, sizeof(text), &c);
		if (strcmp(text, rows[i].text) != 0)
			fail_msg("%s: %s", rows[i].name, text);
	}
}

static void test_proposal(void **state)
{
	struct dr_change c = { .outcome = DR_OUTCOME_APPLIED };
	char text[256];

	(void)state;
	c.act.action = DR_ACTION_PROPOSE;
	c.act.num_args = 10;
	c.act.proposal = 3;
	dr_word_put(c.act.args[0], DR_ACTION_QUORUM_SET);
	dr_word_put(c.act.args[2], 4);
	dr_tell_change_text(text, sizeof(text), &c);
	assert_string_equal(text, "proposal 3: council.quorum_set quorum 4");
	dr_word_put(c.act.args[0], UINT64_MAX);
	dr_tell_change_text(text, sizeof(text), &c);
	assert_string_equal(text, "proposal 3: an unknown action");
}

static void test_decision(void **state)
{
	struct dr_decision d = { .verdict = DR_DENY, .deny = DR_DENY_HEAD };
	json_t *o = dr_tell_decision(&d);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(o, "verdict")), "deny");
	assert_string_equal(json_string_value(json_object_get(o, "reason")), "head");
	assert_null(json_object_get(o, "generation"));
	json_decref(o);
	d = (struct dr_decision){ .verdict = DR_ALLOW, .generation = 2, .epoch = 7 };
	o = dr_tell_decision(&d);
	assert_string_equal(json_string_value(json_object_get(o, "verdict")), "allow");
	assert_int_equal(json_integer_value(json_object_get(o, "generation")), 2);
	assert_int_equal(json_integer_value(json_object_get(o, "epoch")), 7);
	assert_null(json_object_get(o, "reason"));
	json_decref(o);
}

static void test_leaf_that_is_none(void **state)
{
	const struct dr_entry entry = { .leaf = dr_bytes_of("junk", 4) };

	(void)state;
	assert_null(dr_tell_change(&entry));
	assert_null(dr_tell_note(&entry));
}

static const char *text_at(const json_t *o, const char *key)
{
	const json_t *value = json_object_get(o, key);

	assert_non_null(value);
	return json_is_null(value) ? "null" : json_string_value(value);
}

/* The verifier key is the one of the documentation of Go's golang.org/x/mod/sumdb/note. */
static void test_node(void **state)
{
	static const uint8_t key[] = { 0x1a, 0x5c, 0xd9, 0x07, 0x14, 0x3c, 0x38, 0x4c, 0x41, 0xe8, 0x30,
				       0xc5, 0xbc, 0xe1, 0x2a, 0xa8, 0x81, 0x7e, 0xc5, 0x64, 0x9a, 0xaa,
				       0xbf, 0x2c, 0x31, 0x38, 0x8b, 0x35, 0xb2, 0xd7, 0x44, 0xd6 };
	struct dr_node_public node = { .name = "PeterNeumann", .heartbeat = true };
	json_t *o = dr_tell_node(&node);

	(void)state;
	assert_string_equal(text_at(o, "enc_key"), "null");
	assert_string_equal(text_at(o, "vkey"), "null");
	assert_string_equal(text_at(o, "nonce"), "null");
	assert_string_equal(text_at(o, "nonce_ms"), "null");
	assert_true(json_is_true(json_object_get(o, "heartbeat")));
	json_decref(o);
	memcpy(node.sign_key, key, 32);
	node.enc_key[0] = 0xee;
	node.nonce[31] = 1;
	node.nonce_ms = 12345;
	o = dr_tell_node(&node);
	assert_string_equal(text_at(o, "vkey"), "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
	assert_string_equal(text_at(o, "sign_key"),
			    "0x1a5cd907143c384c41e830c5bce12aa8817ec5649aaabf2c31388b35b2d744d6");
	assert_string_equal(text_at(o, "enc_key"),
			    "0xee00000000000000000000000000000000000000000000000000000000000000");
	assert_int_equal(json_integer_value(json_object_get(o, "nonce_ms")), 12345);
	json_decref(o);
}

static void test_proof(void **state)
{
	struct dr_proof_query query = { .log = 1, .kind = DR_PROOF_INCLUSION, .first = 5 };
	struct dr_log_proof proof = { .size = 8, .num = 2 };
	json_t *o;

	(void)state;
	proof.first_hash[0] = 0xaa;
	proof.hashes[1][0] = 0xbb;
	o = dr_tell_proof(&query, &proof);
	assert_string_equal(text_at(o, "log"), "journal");
	assert_string_equal(text_at(o, "proof"), "inclusion");
	assert_int_equal(json_integer_value(json_object_get(o, "index")), 5);
	assert_int_equal(json_integer_value(json_object_get(o, "size")), 8);
	assert_memory_equal(text_at(o, "leaf"), "0xaa00", 6);
	assert_int_equal(json_array_size(json_object_get(o, "hashes")), 2);
	assert_memory_equal(json_string_value(json_array_get(json_object_get(o, "hashes"), 1)), "0xbb00", 6);
	json_decref(o);
	query = (struct dr_proof_query){ .kind = DR_PROOF_CONSISTENCY, .first = 5 };
	o = dr_tell_proof(&query, &proof);
	assert_string_equal(text_at(o, "log"), "ledger");
	assert_string_equal(text_at(o, "proof"), "consistency");
	assert_int_equal(json_integer_value(json_object_get(o, "first")), 5);
	assert_memory_equal(text_at(o, "first_root"), "0xaa00", 6);
	json_decref(o);
}

static void test_status(void **state)
{
	static struct dr_status_report report = {
		.holding = DR_HOLDING_OURS, .rotation_deadline = 1767225600, .heartbeat = true, .heartbeat_age_s = 17
	};
	json_t *o = dr_tell_status(&report);

	(void)state;
	assert_string_equal(text_at(o, "holding"), "ours");
	assert_string_equal(text_at(o, "rotation_deadline"), "2026-01-01T00:00:00Z");
	assert_int_equal(json_integer_value(json_object_get(o, "heartbeat_age_s")), 17);
	json_decref(o);
	report = (struct dr_status_report){ .holding = DR_HOLDING_FOREIGN, .heartbeat_age_s = UINT64_MAX };
	o = dr_tell_status(&report);
	assert_string_equal(text_at(o, "holding"), "foreign");
	assert_string_equal(text_at(o, "rotation_deadline"), "null");
	assert_string_equal(text_at(o, "heartbeat_age_s"), "null");
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),     cmocka_unit_test(test_every_action),
		cmocka_unit_test(test_words),    cmocka_unit_test(test_proposal),
		cmocka_unit_test(test_decision), cmocka_unit_test(test_leaf_that_is_none),
		cmocka_unit_test(test_node),     cmocka_unit_test(test_proof),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
