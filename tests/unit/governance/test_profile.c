/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdlib.h>

#include "chain/crypto/keccak.h"
#include "chain/crypto/sha256.h"
#include "tests/unit/governance/derot_profile.h"

static uint8_t good[DR_PROFILE_LEN_MAX];
static size_t good_len;
static struct dr_profile profile;

static int setup(void **state)
{
	struct dr_fail fail = { 0 };

	(void)state;
	derot_profile(&profile);
	return dr_profile_encode(good, sizeof(good), &good_len, &profile, &fail) != DR_OK;
}

static void test_declare(void **state)
{
	static const struct {
		const char *declaration, *action, *signature;
		enum dr_err expected;
	} rows[] = {
		{ "MeasurementAllowed(uint64 proposal, uint64 due, bytes32 measurement)", "measurement.allow",
		  "MeasurementAllowed(uint64,uint64,bytes32)", DR_OK },
		{ "Proposed(uint64 proposal, address by, uint16 action, uint64 expires, bytes32[8] args)",
		  "proposal.create", "Proposed(uint64,address,uint16,uint64,bytes32[8])", DR_OK },
		{ "RootPublished(address by, uint64 generation, bytes32[10] args)", "root.publish",
		  "RootPublished(address,uint64,bytes32[10])", DR_OK },
		{ "X(bytes32 _, bytes32 measurement, bool _)", "measurement.allow", "X(bytes32,bytes32,bool)",
		  DR_OK },
		{ "Executed()", "proposal.execute", "Executed()", DR_OK },
		{ "X(bytes32 measurement)", "measurement.permit", NULL, DR_ERR_UNKNOWN },
		{ "X(bytes32 measurment)", "measurement.allow", NULL, DR_ERR_UNKNOWN },
		{ "X(uint64 measurement)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(uint64 proposal)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes32 measurement, bytes32 measurement)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes32 measurement, uint64 due, uint64 due)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes32 measurement, bytes32 due)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes32 measurement, uint64 by)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes32 measurement", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes32 measurement) ", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes32 measurement,uint64 due)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes32  measurement)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes measurement)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes32[0] args)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes32[01] args)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes32[17] args)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes32[] args)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "X(bytes32[2] args)", "measurement.allow", NULL, DR_ERR_UNKNOWN },
		{ "X(bytes32[1] args)", "measurement.allow", "X(bytes32[1])", DR_OK },
		{ "X(bytes32[16] _, bytes32 measurement)", "measurement.allow", NULL, DR_ERR_LIMIT },
		{ "(bytes32 measurement)", "measurement.allow", NULL, DR_ERR_SYNTAX },
		{ "", "measurement.allow", NULL, DR_ERR_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		struct dr_profile_event e;
		uint8_t topic0[32];

		if (dr_profile_declare(&e, rows[i].declaration, rows[i].action, &fail) != rows[i].expected)
			fail_msg("%s: %s", rows[i].declaration, fail.what);
		kit_assert_fail(rows[i].expected, &fail);
		if (rows[i].expected != DR_OK) {
			assert_true(dr_bytes_zero(&e, sizeof(e)));
			continue;
		}
		assert_string_equal(e.signature, rows[i].signature);
		dr_keccak256(topic0, rows[i].signature, strlen(rows[i].signature));
		assert_memory_equal(topic0, e.topic0, 32);
	}
}

/* bytes32[8] args fill arg0 … arg7 around the arguments that have names. */
static void test_spread(void **state)
{
	static const uint8_t fields[] = { DR_FIELD_PROPOSAL, DR_FIELD_BY, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	static const uint8_t published[] = { DR_FIELD_BY, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

	(void)state;
	for (size_t i = 0; i < profile.num_events; i++) {
		const struct dr_profile_event *e = &profile.events[i];
		const uint8_t *expected = e->action == DR_ACTION_PROPOSE        ? fields
					  : e->action == DR_ACTION_ROOT_PUBLISH ? published
										: NULL;

		if (expected == NULL)
			continue;
		assert_int_equal(e->num_words, 12);
		for (size_t j = 0; j < 12; j++)
			assert_int_equal(e->words[j].field, expected[j]);
	}
}

static enum dr_err decode(struct dr_profile *out, const uint8_t *ptr, size_t len, struct dr_fail *fail)
{
	const enum dr_err err = dr_profile_decode(out, dr_bytes_of(ptr, len), fail);

	kit_assert_fail(err, fail);
	if (err != DR_OK)
		assert_true(dr_bytes_zero(out, sizeof(*out)));
	return err;
}

static void test_canonical(void **state)
{
	static struct dr_profile back, mixed;
	static uint8_t again[DR_PROFILE_LEN_MAX];
	struct dr_fail fail = { 0 };
	uint8_t digest[32];
	size_t len;

	(void)state;
	assert_int_equal(decode(&back, good, good_len, &fail), DR_OK);
	dr_sha256_one(digest, good, good_len);
	assert_memory_equal(back.digest, digest, 32);
	assert_memory_equal(&back, &profile, sizeof(back));
	/* Another order of events and slots is the same profile. */
	mixed = profile;
	mixed.events[0] = profile.events[5];
	mixed.events[5] = profile.events[0];
	mixed.slots[0] = profile.slots[3];
	mixed.slots[3] = profile.slots[0];
	assert_int_equal(dr_profile_encode(again, sizeof(again), &len, &mixed, &fail), DR_OK);
	assert_int_equal(len, good_len);
	assert_memory_equal(again, good, len);
	assert_int_equal(dr_profile_encode(again, good_len - 1, &len, &profile, &fail), DR_ERR_LIMIT);
}

static void test_damage(void **state)
{
	static struct dr_profile out;
	static uint8_t bad[DR_PROFILE_LEN_MAX];

	(void)state;
	for (size_t cut = 0; cut < good_len; cut++) {
		struct dr_fail fail = { 0 };

		assert_int_not_equal(decode(&out, good, cut, &fail), DR_OK);
	}
	memcpy(bad, good, good_len);
	/* Every bit matters: a flip is refused, or it is another profile with another digest. */
	for (size_t bit = 0; bit < good_len * 8; bit++) {
		struct dr_fail fail = { 0 };

		bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (decode(&out, bad, good_len, &fail) == DR_OK)
			assert_memory_not_equal(out.digest, profile.digest, 32);
		bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	struct dr_fail fail = { 0 };

	bad[good_len] = 0;
	assert_int_equal(decode(&out, bad, good_len + 1, &fail), DR_ERR_SYNTAX);
}

static void test_refused(void **state)
{
	static struct dr_profile p;
	static uint8_t buf[DR_PROFILE_LEN_MAX];

	(void)state;
	for (int row = 0; row < 16; row++) {
		enum dr_err expected = DR_ERR_SYNTAX;
		struct dr_fail fail = { 0 };
		size_t len;

		p = profile;
		switch (row) {
		case 0: p.state_every = 0; break;
		case 1: p.num_events = 0; break;
		case 2: p.name[0] = '\n'; break;
		case 3:
			memset(p.name, 0, sizeof(p.name));
			expected = DR_ERR_NONCANONICAL;
			break;
		case 4: p.acc_slot = p.count_slot; break;
		case 5:
			p.has_accumulator = false;
			expected = DR_ERR_NONCANONICAL;
			break;
		case 6:
			p.events[1] = p.events[0];
			expected = DR_ERR_NONCANONICAL;
			break;
		case 7:
			p.slots[1] = p.slots[0];
			expected = DR_ERR_NONCANONICAL;
			break;
		case 8:
			p.slots[0].kind = 77;
			expected = DR_ERR_UNKNOWN;
			break;
		case 9:
			p.events[0].action = 8;
			expected = DR_ERR_UNKNOWN;
			break;
		case 10:
			p.events[0].topic0[31] ^= 1;
			expected = DR_ERR_PROOF;
			break;
		case 11: p.events[0].num_words--; break;
		case 12:
			p.num_events = DR_PROFILE_EVENTS_MAX + 1;
			expected = DR_ERR_LIMIT;
			break;
		case 13: p.events[0].words[0].type ^= 1; break;
		case 14: p.exposure_grace_s = 0; break;
		case 15: p.exposure_grace_s = DR_TIME_MAX_S + 1; break;
		}
		if (dr_profile_encode(buf, sizeof(buf), &len, &p, &fail) != expected)
			fail_msg("row %d: %s", row, fail.what);
		assert_int_equal(len, 0);
	}
}

static void test_act(void **state)
{
	uint8_t data[4 * 32] = { 0 };
	struct dr_event event = { .num_topics = 1, .data = dr_bytes_of(data, sizeof(data)) };
	struct dr_act act;

	(void)state;
	dr_keccak256(event.topic0, "Voted(uint64,address,uint64,bool)", 33);
	data[31] = 5;
	memset(data + 44, 0xaa, 20);
	data[95] = 7;
	data[127] = 1;
	for (int row = 0; row < 12; row++) {
		struct dr_event e = event;
		uint8_t dirty[sizeof(data)];
		enum dr_err expected = DR_ERR_NONCANONICAL;
		struct dr_fail fail = { 0 };

		memcpy(dirty, data, sizeof(data));
		e.data.ptr = dirty;
		switch (row) {
		case 0: expected = DR_OK; break;
		case 1:
			e.topic0[0] ^= 1;
			expected = DR_ERR_UNKNOWN;
			break;
		case 2:
			e.num_topics = 0;
			expected = DR_ERR_UNKNOWN;
			break;
		case 3:
			e.num_topics = 2;
			expected = DR_ERR_SYNTAX;
			break;
		case 4:
			e.data.len -= 1;
			expected = DR_ERR_SYNTAX;
			break;
		case 5:
			e.data.len = 0;
			expected = DR_ERR_SYNTAX;
			break;
		case 6:
			e.data.len -= 32;
			expected = DR_ERR_SYNTAX;
			break;
		case 7: dirty[23] = 1; break;   /* proposal: 65 bits */
		case 8: dirty[43] = 1; break;   /* by: 161 bits */
		case 9: dirty[64] = 1; break;   /* weight */
		case 10: dirty[127] = 2; break; /* support */
		case 11: dirty[100] = 1; break;
		}
		assert_int_equal(dr_profile_act(&act, &profile, &e, &fail), expected);
		kit_assert_fail(expected, &fail);
		if (expected != DR_OK)
			assert_true(dr_bytes_zero(&act, sizeof(act)));
		else {
			assert_int_equal(act.action, DR_ACTION_VOTE);
			assert_true(act.has_proposal && act.has_by && !act.has_due);
			assert_int_equal(act.proposal, 5);
			assert_int_equal(act.by[0], 0xaa);
			assert_int_equal(act.num_args, 2);
			assert_int_equal(act.args[0][31], 7);
			assert_int_equal(act.args[1][31], 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_declare), cmocka_unit_test(test_spread),  cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_damage),  cmocka_unit_test(test_refused), cmocka_unit_test(test_act),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
