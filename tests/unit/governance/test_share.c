/* SPDX-License-Identifier: Apache-2.0
 *
 * May a root go to another node? Both nodes' rights count, at every head too, and what of them diverges.
 */
#include "chain/crypto/keccak.h"
#include "governance/decide.h"
#include "governance/divergence.h"
#include "tests/unit/governance/root_kit.h"

enum { BUILD2 = 0x12, NODE3 = 11 };

static struct kit *k;
static struct dr_self self;

/* Generation 1 was made by NODE and given to NODE2, which runs another build. */
static int setup(void **state)
{
	(void)state;
	k = kit_new();
	kit_world(k);
	memset(self.node, NODE, 20);
	memcpy(self.profile, k->profile.digest, 32);
	kit_node(k, NODE2, DR_ROLE_KMS, BUILD2, 5);
	kit_node(k, NODE3, DR_ROLE_KMS, BUILD2, 5);
	PASS(k, DR_ACTION_MEASUREMENT_ALLOW, kit_b(BUILD2));
	PASS(k, DR_ACTION_ROOT_SHARE, kit_n(1), kit_a(NODE2));
	assert_int_equal(kit_block(k, NOTICE_ROOT), DR_OK);
	assert_true(dr_state_holds(&k->state, 1, kit_id(NODE2)));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kit_free(k);
	return 0;
}

static enum dr_deny share(uint64_t generation, uint8_t to)
{
	return dr_decide_share(&k->state, NULL, 0, &self, generation, kit_id(to));
}

static void list_device(uint8_t node)
{
	ACT(k, DR_ACTION_HARDWARE_BLACKLIST, 0, GUARDIAN, 0, kit_n(DR_HARDWARE_DEVICE), kit_b(node), kit_n(0));
}

/* One act takes it away: in the state that is final, and at the second of two heads. */
static void test_one_act(void **state)
{
	enum act { REVOKE_OWN, REVOKE_OTHER, LIST_OWN, LIST_OTHER, WORKER, LEAVE, AGAIN, STOP, BROKEN };
	static const struct {
		const char *name;
		enum act act;
		enum dr_deny deny;
	} rows[] = {
		{ "this node's build is revoked", REVOKE_OWN, DR_DENY_NODE_MEASUREMENT },
		{ "the other's build is revoked", REVOKE_OTHER, DR_DENY_NODE_MEASUREMENT },
		{ "this node's machine is blacklisted", LIST_OWN, DR_DENY_NODE_HARDWARE },
		{ "the other's machine is blacklisted", LIST_OTHER, DR_DENY_NODE_HARDWARE },
		{ "the other is a worker now", WORKER, DR_DENY_NODE },
		{ "the other has left", LEAVE, DR_DENY_NODE },
		{ "the other has registered anew", AGAIN, DR_DENY_ROOT_SHARE },
		{ "the root is stopped", STOP, DR_DENY_ROOT },
		{ "an event cannot be read", BROKEN, DR_DENY_BROKEN },
	};

	(void)state;
	assert_int_equal(share(1, NODE2), DR_DENY_NONE);
	assert_int_equal(share(1, NODE), DR_DENY_NONE);
	assert_int_equal(share(1, NODE3), DR_DENY_ROOT_SHARE);
	assert_int_equal(share(1, CAROL), DR_DENY_NODE);
	assert_int_equal(share(2, NODE2), DR_DENY_ROOT);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dr_state before = dr_state_share(&k->state);
		struct dr_state heads[2];

		print_message("%s\n", rows[i].name);
		switch (rows[i].act) {
		case REVOKE_OWN: ACT(k, DR_ACTION_MEASUREMENT_REVOKE, 0, GUARDIAN, 0, kit_b(KMS)); break;
		case REVOKE_OTHER: ACT(k, DR_ACTION_MEASUREMENT_REVOKE, 0, GUARDIAN, 0, kit_b(BUILD2)); break;
		case LIST_OWN: list_device(NODE); break;
		case LIST_OTHER: list_device(NODE2); break;
		case WORKER: kit_node(k, NODE2, DR_ROLE_WORKER, BUILD2, 5); break;
		case LEAVE: ACT(k, DR_ACTION_NODE_DEREGISTER, 0, NODE2, 0, kit_a(NODE2)); break;
		case AGAIN: kit_node(k, NODE2, DR_ROLE_KMS, BUILD2, 5); break;
		case STOP: ACT(k, DR_ACTION_ROOT_EXPOSE, 0, GUARDIAN, 0, kit_n(1), kit_n(1)); break;
		case BROKEN: kit_event(k, kit_m(0xee), 32); break;
		}
		assert_int_equal(kit_block(k, 1), DR_OK);
		assert_int_equal(share(1, NODE2), rows[i].deny);
		heads[0] = before;
		heads[1] = k->state;
		assert_int_equal(dr_decide_share(&before, heads, 1, &self, 1, kit_id(NODE2)), DR_DENY_NONE);
		assert_int_equal(dr_decide_share(&before, heads, 2, &self, 1, kit_id(NODE2)), DR_DENY_HEAD);
		/* Back to where it was. */
		dr_state_drop(&k->state);
		k->state = before;
	}
}

/* A node that was given none hands none on. */
static void test_not_ours(void **state)
{
	(void)state;
	memset(self.node, NODE3, 20);
	assert_int_equal(share(1, NODE2), DR_DENY_ROOT_SHARE);
	memset(self.node, NODE, 20);
	self.profile[0] ^= 1;
	assert_int_equal(share(1, NODE2), DR_DENY_PROFILE);
}

static void ignore(void *ctx, const struct dr_divergence_report *r)
{
	(void)ctx;
	(void)r;
}

static struct w mapping(struct w key, struct w slot)
{
	uint8_t bytes[64];
	struct w out;

	memcpy(bytes, key.b, 32);
	memcpy(bytes + 32, slot.b, 32);
	dr_keccak256(out.b, bytes, 64);
	return out;
}

/* diverged: a slot is proven to hold what nothing made. */
static void diverged(struct dr_divergence *d, struct w slot)
{
	const struct w value = kit_n(424242);
	struct dr_fact_state fact = { .number = 100,
				      .num_slots = 1,
				      .slots = (const uint8_t(*)[32])slot.b,
				      .values = (const uint8_t(*)[32])value.b };

	memset(fact.code_hash, 0xc0, 32);
	dr_divergence_judge(d, &k->profile, &k->state, &fact, ignore, NULL);
}

static struct w hardware(enum dr_hardware kind, uint8_t value)
{
	return mapping(kit_b(value), mapping(kit_n(kind), kit_n(4)));
}

/* Every slot on which a node's own right rests: of both, where a root is handed on; of this one, where a key is. */
static void test_divergence(void **state)
{
	/* kit_node's: tee 0x7e, family 0xfa, device the node's number */
	const struct {
		const char *name;
		struct w slot;
		bool share, key; /* it withholds */
	} rows[] = {
		{ "nothing", kit_n(99), false, false },
		{ "this node's build", mapping(kit_b(KMS), kit_n(2)), true, true },
		{ "the other's build", mapping(kit_b(BUILD2), kit_n(2)), true, false },
		{ "this node's device", hardware(DR_HARDWARE_DEVICE, NODE), true, true },
		{ "the other's device", hardware(DR_HARDWARE_DEVICE, NODE2), true, false },
		{ "a third one's device", hardware(DR_HARDWARE_DEVICE, NODE3), false, false },
		{ "both nodes' tee", hardware(DR_HARDWARE_TEE, 0x7e), true, true },
		{ "both nodes' family", hardware(DR_HARDWARE_FAMILY, 0xfa), true, true },
		{ "both nodes' minimum version", hardware(DR_HARDWARE_SVN, 0xfa), true, true },
		{ "the asker's tee", hardware(DR_HARDWARE_TEE, 0x31), false, true },
		{ "the asker's family", hardware(DR_HARDWARE_FAMILY, 0x32), false, true },
		{ "the asker's minimum version", hardware(DR_HARDWARE_SVN, 0x32), false, true },
		{ "the asker's device", hardware(DR_HARDWARE_DEVICE, 0x33), false, true },
		{ "the root", mapping(kit_n(1), kit_n(5)), true, true },
	};
	static const struct {
		enum dr_hardware kind;
		uint8_t value;
	} listed[] = {
		{ DR_HARDWARE_DEVICE, NODE }, { DR_HARDWARE_DEVICE, NODE2 }, { DR_HARDWARE_DEVICE, NODE3 },
		{ DR_HARDWARE_TEE, 0x7e },    { DR_HARDWARE_FAMILY, 0xfa },  { DR_HARDWARE_SVN, 0xfa },
		{ DR_HARDWARE_TEE, 0x31 },    { DR_HARDWARE_FAMILY, 0x32 },  { DR_HARDWARE_SVN, 0x32 },
		{ DR_HARDWARE_DEVICE, 0x33 },
	};
	struct dr_request request = { .purpose = DR_PURPOSE_SEAL, .confidence = 1 };
	const struct dr_decision decision = { .verdict = DR_ALLOW, .generation = 1 };

	(void)state;
	memset(request.app, APP, 32);
	memset(request.measurement, VERSION, 32);
	memset(request.tee, 0x31, 32);
	memset(request.family, 0x32, 32);
	memset(request.device, 0x33, 32);
	/* Only what was ever listed has a slot. */
	for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++)
		ACT(k, DR_ACTION_HARDWARE_BLACKLIST, 0, GUARDIAN, 0, kit_n(listed[i].kind), kit_b(listed[i].value),
		    kit_n(1));
	assert_int_equal(kit_block(k, 1), DR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_divergence *d = dr_divergence_new();

		print_message("%s\n", rows[i].name);
		assert_int_equal(dr_divergence_share(d, &self, &k->state, 1, kit_id(NODE2)), DR_DENY_CODE);
		diverged(d, rows[i].slot);
		assert_int_equal(dr_divergence_share(d, &self, &k->state, 1, kit_id(NODE2)),
				 rows[i].share ? DR_DENY_DIVERGENCE : DR_DENY_NONE);
		assert_int_equal(dr_divergence_verdict(d, &self, &k->state, &request, &decision),
				 rows[i].key ? DR_DENY_DIVERGENCE : DR_DENY_NONE);
		dr_divergence_free(d);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { T(test_one_act), T(test_not_ours), T(test_divergence) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
