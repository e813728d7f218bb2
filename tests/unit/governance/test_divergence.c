/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/governance/root_kit.h"

#include "chain/crypto/keccak.h"
#include "chain/crypto/sha256.h"
#include "governance/divergence.h"
#include "governance/state_put.h"

static struct kit *k;
static struct dr_divergence *d;
static struct dr_self self;
static struct dr_request request;
static struct dr_decision decision;
static struct dr_divergence_report reports[64];
static size_t num_reports, num_compared;

/* Counted: what a walk costs is how often keys are compared. */
int memcmp(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *p = a, *q = b;

	num_compared++;
	for (size_t i = 0; i < len; i++)
		if (p[i] != q[i])
			return p[i] < q[i] ? -1 : 1;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	k = kit_new();
	d = dr_divergence_new();
	kit_world(k);
	memset(self.node, NODE, 20);
	memcpy(self.profile, k->profile.digest, 32);
	request = (struct dr_request){ .purpose = DR_PURPOSE_SEAL, .confidence = 1 };
	memset(request.app, APP, 32);
	memset(request.measurement, VERSION, 32);
	memset(request.tee, 0x31, 32);
	memset(request.family, 0x32, 32);
	memset(request.device, 0x33, 32);
	dr_decide(&decision, &k->state, &self, &request, k->time);
	assert_int_equal(decision.verdict, DR_ALLOW);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dr_divergence_free(d);
	kit_free(k);
	return 0;
}

static void take(void *ctx, const struct dr_divergence_report *r)
{
	(void)ctx;
	reports[num_reports++] = *r;
}

/* slot1: mapping at `slot` under key. slot2: a mapping in it. Written again here, from Solidity's manual. */
static struct w slot1(struct w key, struct w slot)
{
	uint8_t bytes[64];
	struct w out;

	memcpy(bytes, key.b, 32);
	memcpy(bytes + 32, slot.b, 32);
	dr_keccak256(out.b, bytes, 64);
	return out;
}

static struct w slot2(struct w outer, struct w inner, struct w slot)
{
	return slot1(inner, slot1(outer, slot));
}

/* prove: a state fact of one slot at `number`. */
static void prove(uint64_t number, struct w slot, struct w value, uint8_t code)
{
	struct dr_fact_state fact = { .number = number,
				      .num_slots = 1,
				      .slots = (const uint8_t(*)[32])slot.b,
				      .values = (const uint8_t(*)[32])value.b };

	memset(fact.code_hash, code, 32);
	num_reports = 0;
	dr_divergence_judge(d, &k->profile, &k->state, &fact, take, NULL);
}

static enum dr_deny verdict(void)
{
	return dr_divergence_verdict(d, &self, &k->state, &request, &decision);
}

static void test_code(void **state)
{
	const struct w none = kit_n(99);

	(void)state;
	assert_int_equal(verdict(), DR_DENY_CODE);
	prove(100, none, none, 0xc0);
	assert_int_equal(num_reports, 0);
	assert_int_equal(verdict(), DR_DENY_NONE);
	prove(101, none, none, 0xc1);
	assert_int_equal(num_reports, 1);
	assert_int_equal(reports[0].kind, 0);
	assert_false(reports[0].cleared);
	assert_memory_equal(reports[0].expected, kit_m(0xc0), 32);
	assert_memory_equal(reports[0].got, kit_m(0xc1), 32);
	assert_int_equal(verdict(), DR_DENY_CODE);
	/* An older proof says nothing about now. */
	prove(100, none, none, 0xc0);
	assert_int_equal(verdict(), DR_DENY_CODE);
	prove(102, none, none, 0xc0);
	assert_int_equal(num_reports, 1);
	assert_true(reports[0].cleared);
	assert_int_equal(verdict(), DR_DENY_NONE);
}

/* Each kind of subject: the value that the contract must hold, and what a wrong one withholds. */
static void test_subjects(void **state)
{
	struct dr_grant grant;
	struct dr_root root;
	uint8_t keys[64];
	struct w published;

	(void)state;
	ACT(k, DR_ACTION_HARDWARE_BLACKLIST, 0, GUARDIAN, 0, kit_n(DR_HARDWARE_DEVICE), kit_b(0x77), kit_n(4));
	ACT(k, DR_ACTION_HARDWARE_BLACKLIST, 0, GUARDIAN, 0, kit_n(DR_HARDWARE_ADVISORY), kit_b(0x78),
	    kit_n(UINT64_MAX));
	ACT(k, DR_ACTION_APP_SUSPEND, 0, GUARDIAN, 0, kit_b(APP));
	assert_int_equal(kit_block(k, 1), DR_OK);
	memset(request.device, 0x77, 32);
	request.num_advisories = 1;
	memset(request.advisories[0], 0x78, 32);
	dr_state_root(&root, &k->state, 1);
	memcpy(keys, root.prf_pub, 32);
	memcpy(keys + 32, root.sig_pub, 32);
	dr_keccak256(published.b, keys, 64);
	dr_state_measurement(&grant, &k->state, kit_m(KMS));
	const uint64_t due = grant.due;

	dr_state_app_measurement(&grant, &k->state, kit_m(APP), kit_m(VERSION));
	struct w huge = kit_n(0);

	huge.b[23] = 1; /* 2^64: svn + 1 does not wrap */
	const struct {
		const char *name;
		uint8_t kind;
		struct w slot, value;
		bool rests; /* the request rests on it */
	} rows[] = {
		{ "measurement", DR_SLOT_MEASUREMENT, slot1(kit_b(KMS), kit_n(2)), kit_n(due), true },
		{ "app measurement", DR_SLOT_APP_MEASUREMENT, slot2(kit_b(APP), kit_b(VERSION), kit_n(3)),
		  kit_n(grant.due), true },
		{ "hardware", DR_SLOT_HARDWARE, slot2(kit_n(DR_HARDWARE_DEVICE), kit_b(0x77), kit_n(4)), kit_n(5),
		  true },
		{ "advisory", DR_SLOT_HARDWARE, slot2(kit_n(DR_HARDWARE_ADVISORY), kit_b(0x78), kit_n(4)), huge,
		  true },
		{ "root", DR_SLOT_ROOT, slot1(kit_n(1), kit_n(5)), published, true },
		{ "suspended", DR_SLOT_SUSPENDED, slot1(kit_b(APP), kit_n(6)), kit_n(1), true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct w bad = rows[i].value;

		print_message("%s\n", rows[i].name);
		prove(100 + 10 * i, rows[i].slot, rows[i].value, 0xc0);
		assert_int_equal(num_reports, 0);
		assert_int_equal(verdict(), DR_DENY_NONE);
		bad.b[31] ^= 1;
		prove(101 + 10 * i, rows[i].slot, bad, 0xc0);
		assert_int_equal(num_reports, 1);
		assert_false(reports[0].cleared);
		assert_int_equal(reports[0].kind, rows[i].kind);
		assert_memory_equal(reports[0].expected, rows[i].value.b, 32);
		assert_memory_equal(reports[0].got, bad.b, 32);
		assert_int_equal(verdict(), DR_DENY_DIVERGENCE);
		prove(101 + 10 * i, rows[i].slot, bad, 0xc0);
		assert_int_equal(num_reports, 0);
		prove(100 + 10 * i, rows[i].slot, rows[i].value, 0xc0);
		assert_int_equal(verdict(), DR_DENY_DIVERGENCE);
		prove(102 + 10 * i, rows[i].slot, kit_n(0), 0xc0);
		assert_int_equal(verdict(), DR_DENY_DIVERGENCE);
		prove(103 + 10 * i, rows[i].slot, rows[i].value, 0xc0);
		assert_int_equal(num_reports, 1);
		assert_true(reports[0].cleared);
		assert_int_equal(verdict(), DR_DENY_NONE);
	}
}

/* Who asks for the generation before rests on the newest one as well. */
static void test_generation_before(void **state)
{
	const struct w newest = slot1(kit_n(2), kit_n(5));
	struct dr_root root;
	uint8_t keys[64];
	struct w published;

	(void)state;
	ACT(k, DR_ACTION_APP_HANDOVER, 0, DEPLOYER, k->time + 1 + APP_NOTICE, kit_b(APP), kit_b(VERSION),
	    kit_b(VERSION));
	PASS(k, DR_ACTION_ROOT_ROTATE, kit_n(2), kit_a(NODE), kit_n(k->time + 10000));
	assert_int_equal(kit_block(k, NOTICE_ROOT), DR_OK);
	root_publish(k, 2, NODE, 2, 1);
	assert_int_equal(kit_block(k, 1), DR_OK);
	request.root_back = 1;
	request.has_from = true;
	memset(request.from, VERSION, 32);
	dr_decide(&decision, &k->state, &self, &request, k->time);
	assert_int_equal(decision.generation, 1);
	assert_true(dr_state_root(&root, &k->state, 2));
	memcpy(keys, root.prf_pub, 32);
	memcpy(keys + 32, root.sig_pub, 32);
	dr_keccak256(published.b, keys, 64);
	prove(100, newest, kit_n(0), 0xc0);
	assert_int_equal(num_reports, 1);
	assert_int_equal(verdict(), DR_DENY_DIVERGENCE);
	prove(101, newest, published, 0xc0);
	assert_int_equal(verdict(), DR_DENY_NONE);
}

/* What was revoked must be gone from the contract too; a request that does not rest on it goes on. */
static void test_revoked(void **state)
{
	const struct w slot = slot2(kit_b(APP), kit_b(OLD), kit_n(3));

	(void)state;
	ACT(k, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, DEPLOYER, 2000000, kit_b(APP), kit_b(OLD));
	assert_int_equal(kit_block(k, 1), DR_OK);
	prove(100, slot, kit_n(2000000), 0xc0);
	assert_int_equal(num_reports, 0);
	ACT(k, DR_ACTION_APP_MEASUREMENT_REVOKE, 0, DEPLOYER, 0, kit_b(APP), kit_b(OLD));
	assert_int_equal(kit_block(k, 1), DR_OK);
	prove(101, slot, kit_n(2000000), 0xc0);
	assert_int_equal(num_reports, 1);
	assert_memory_equal(reports[0].subject, kit_m(APP), 32);
	assert_memory_equal(reports[0].subject + 32, kit_m(OLD), 32);
	assert_int_equal(verdict(), DR_DENY_NONE);
	memset(request.measurement, OLD, 32);
	assert_int_equal(verdict(), DR_DENY_DIVERGENCE);
	prove(102, slot, kit_n(0), 0xc0);
	assert_int_equal(num_reports, 1);
	assert_int_equal(verdict(), DR_DENY_NONE);
}

/* A reinstated listing keeps its slot; a resumed app's slot says since when. */
static void test_lasting_slots(void **state)
{
	const struct w kind = kit_n(DR_HARDWARE_TEE), value = kit_b(0x79);

	(void)state;
	ACT(k, DR_ACTION_HARDWARE_BLACKLIST, 0, GUARDIAN, 0, kind, value, kit_n(0));
	ACT(k, DR_ACTION_APP_SUSPEND, 0, GUARDIAN, 0, kit_b(APP));
	assert_int_equal(kit_block(k, 1), DR_OK);
	PASS(k, DR_ACTION_HARDWARE_REINSTATE, kind, value);
	PASS(k, DR_ACTION_APP_RESUME, kit_b(APP));
	const uint64_t due = k->changes[1].act.due;

	prove(100, slot1(kit_b(APP), kit_n(6)), kit_n(due), 0xc0);
	assert_int_equal(num_reports, 0);
	assert_int_equal(kit_block(k, NOTICE_MEASUREMENT), DR_OK);
	prove(101, slot1(kit_b(APP), kit_n(6)), kit_n(due), 0xc0);
	assert_int_equal(num_reports, 0);
	prove(101, slot2(kind, value, kit_n(4)), kit_n(1), 0xc0);
	assert_int_equal(num_reports, 0);
	assert_int_equal(verdict(), DR_DENY_NONE);
}

/* Never proven first, then those proven longest ago; count and accumulator always. */
static void test_slots(void **state)
{
	uint8_t slots[8][32], all[DR_STATE_SLOTS_MAX][32];
	size_t num;

	(void)state;
	num = dr_divergence_slots(d, all, DR_STATE_SLOTS_MAX, &k->profile, &k->state);
	/* measurement, app measurement, root, suspension */
	assert_int_equal(num, 2 + 4);
	assert_memory_equal(all[0], kit_n(0).b, 32);
	assert_memory_equal(all[1], kit_n(1).b, 32);
	for (uint64_t round = 0; round < 3; round++) {
		bool met[4] = { false };

		for (uint64_t step = 0; step < 4; step++) {
			struct w slot;

			assert_int_equal(dr_divergence_slots(d, slots, 3, &k->profile, &k->state), 3);
			memcpy(slot.b, slots[2], 32);
			for (size_t i = 0; i < 4; i++)
				if (memcmp(all[2 + i], slot.b, 32) == 0) {
					assert_false(met[i]);
					met[i] = true;
				}
			prove(100 + round * 4 + step, slot, kit_n(0), 0xc0);
		}
		assert_true(met[0] && met[1] && met[2] && met[3]);
	}
	k->profile.has_accumulator = false;
	assert_int_equal(dr_divergence_slots(d, slots, 8, &k->profile, &k->state), 4);
	k->profile.num_slots = 0;
	dr_divergence_free(d);
	d = dr_divergence_new();
	assert_int_equal(dr_divergence_slots(d, slots, 8, &k->profile, &k->state), 0);
}

/* Anybody registers apps, and may choose their identifiers such that each lies below the one before in the state's
 * map: to look for what is to be proven costs some steps for each, and not the way from the root. */
static void test_deep(void **state)
{
	enum { NUM = 1000 };
	const struct dr_app app = { .confidence = 1 };
	struct dr_state deep = { 0 };
	uint8_t slots[DR_STATE_SLOTS_MAX][32], key[33] = { DR_RECORD_APP }, priority[32];
	struct dr_fail fail = { 0 };

	(void)state;
	for (uint64_t i = 0; i < NUM; i++) {
		uint64_t tried = 0;

		dr_be64_put(key + 1, i);
		do {
			dr_be64_put(key + 25, tried++);
			dr_sha256_one(priority, key, sizeof(key));
		} while ((dr_be64_get(priority) >> 32) * NUM >> 32 != NUM - 1 - i);
		dr_state_put_app(&deep, key + 1, &app, &fail);
	}
	num_compared = 0;
	assert_false(dr_state_has_weight(&deep, kit_id(ALICE), 0));
	assert_true(num_compared > NUM);
	assert_int_equal(dr_divergence_slots(d, slots, DR_STATE_SLOTS_MAX, &k->profile, &deep), DR_STATE_SLOTS_MAX);
	num_compared = 0;
	assert_int_equal(dr_divergence_slots(d, slots, DR_STATE_SLOTS_MAX, &k->profile, &deep), DR_STATE_SLOTS_MAX);
	assert_true(num_compared < 100 * NUM);
	dr_state_drop(&deep);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_code),  T(test_subjects), T(test_generation_before), T(test_revoked), T(test_lasting_slots),
		T(test_slots), T(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
