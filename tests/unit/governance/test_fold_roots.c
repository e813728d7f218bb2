/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a root generation: ordered, published, given to others, exposed, stopped, retired, failed and ordered
 * again; who may do without the signature of the generation published last; and who holds what.
 */
#include "governance/state_put.h"
#include "tests/unit/governance/root_kit.h"

/* The profile's; and a time that no test reaches. */
enum { GRACE = 5000, FAR = 1200000 };

static struct kit *k;

static int setup(void **state)
{
	(void)state;
	k = kit_new();
	kit_world(k);
	assert_int_equal(k->profile.exposure_grace_s, GRACE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kit_free(k);
	return 0;
}

static void block(uint64_t dt)
{
	assert_int_equal(kit_block(k, dt), DR_OK);
}

/* one: an act alone in the next block; its change is the first. */
static void one(enum dr_action action, uint8_t by, const struct w *words, enum dr_outcome outcome,
		enum dr_reason reason)
{
	kit_act(k, action, 0, by, 0, words, dr_action_def((uint16_t)action)->num_args);
	block(1);
	kit_expect(k, 0, action, outcome, reason);
}

#define WORDS(...) ((const struct w[]){ __VA_ARGS__ })

static struct dr_root root(uint64_t generation)
{
	struct dr_root out;

	dr_state_root(&out, &k->state, generation);
	return out;
}

static bool holds(uint64_t generation, uint8_t node)
{
	return dr_state_holds(&k->state, generation, kit_id(node));
}

static size_t num_holders(void)
{
	struct dr_holder h;
	size_t num = 0;

	for (bool more = dr_state_holder_next(&h, &k->state, NULL); more; num++)
		more = dr_state_holder_next(&h, &k->state, &h);
	return num;
}

/* order_by: a rotation to node that is due now. */
static void order_by(uint8_t node, uint64_t generation, uint64_t deadline)
{
	PASS(k, DR_ACTION_ROOT_ROTATE, kit_n(generation), kit_a(node), kit_n(deadline));
	kit_last(k, DR_ACTION_ROOT_ROTATE, PENDING);
	block(NOTICE_ROOT);
	kit_last(k, DR_ACTION_ROOT_ROTATE, MATURED);
	assert_int_equal(root(generation).stage, DR_ROOT_DUE);
}

static void order(uint64_t generation, uint64_t deadline)
{
	order_by(NODE, generation, deadline);
}

static void publish(uint64_t generation, uint8_t node, uint8_t prev_seed, enum dr_outcome outcome,
		    enum dr_reason reason)
{
	root_publish(k, generation, node, (uint8_t)generation, prev_seed);
	block(1);
	kit_expect(k, 0, DR_ACTION_ROOT_PUBLISH, outcome, reason);
}

/* share: matures now. */
static void share(uint64_t generation, uint8_t node)
{
	PASS(k, DR_ACTION_ROOT_SHARE, kit_n(generation), kit_a(node));
	kit_last(k, DR_ACTION_ROOT_SHARE, PENDING);
	assert_false(holds(generation, node));
	block(NOTICE_ROOT);
	kit_expect(k, 0, DR_ACTION_ROOT_SHARE, MATURED);
}

static void test_rotate(void **state)
{
	const uint64_t far = FAR;

	(void)state;
	PASS(k, DR_ACTION_ROOT_ROTATE, kit_n(1), kit_a(NODE), kit_n(far));
	kit_last(k, DR_ACTION_ROOT_ROTATE, REFUSED(ORDER));
	PASS(k, DR_ACTION_ROOT_ROTATE, kit_n(3), kit_a(NODE), kit_n(far));
	kit_last(k, DR_ACTION_ROOT_ROTATE, REFUSED(ORDER));
	PASS(k, DR_ACTION_ROOT_ROTATE, kit_n(2), kit_a(NODE2), kit_n(far));
	kit_last(k, DR_ACTION_ROOT_ROTATE, REFUSED(ORDER));
	PASS(k, DR_ACTION_ROOT_ROTATE, kit_n(2), kit_a(NODE), kit_n(k->time + 3 + NOTICE_ROOT));
	kit_last(k, DR_ACTION_ROOT_ROTATE, REFUSED(ORDER));
	PASS(k, DR_ACTION_ROOT_ROTATE, kit_n(2), kit_a(NODE), kit_n(UINT64_MAX));
	kit_last(k, DR_ACTION_ROOT_ROTATE, REFUSED(LIMIT));
	assert_int_equal(dr_state_ordered(&k->state), 1);
	PASS(k, DR_ACTION_ROOT_ROTATE, kit_n(2), kit_a(NODE), kit_n(far));
	assert_int_equal(root(2).stage, DR_ROOT_ORDERED);
	assert_int_equal(dr_state_ordered(&k->state), 2);
	/* Too early; by another; then in order, with the predecessor's signature. */
	root_publish(k, 2, NODE, 2, 1);
	root_publish(k, 3, NODE, 3, 2);
	block(1);
	kit_expect(k, 0, DR_ACTION_ROOT_PUBLISH, REFUSED(ORDER));
	kit_expect(k, 1, DR_ACTION_ROOT_PUBLISH, REFUSED(ORDER));
	block(NOTICE_ROOT);
	root_publish(k, 2, NODE2, 2, 1);
	root_publish(k, 2, NODE, 2, 0);
	root_publish(k, 2, NODE, 2, 3);
	root_publish(k, 2, NODE, 2, 1);
	root_publish(k, 2, NODE, 2, 1);
	block(1);
	kit_expect(k, 0, DR_ACTION_ROOT_PUBLISH, REFUSED(AUTHORITY));
	kit_expect(k, 1, DR_ACTION_ROOT_PUBLISH, REFUSED(PROOF));
	kit_expect(k, 2, DR_ACTION_ROOT_PUBLISH, REFUSED(PROOF));
	kit_expect(k, 3, DR_ACTION_ROOT_PUBLISH, OK);
	kit_expect(k, 4, DR_ACTION_ROOT_PUBLISH, REFUSED(ORDER));
	assert_int_equal(dr_state_generation(&k->state), 2);
	block(far);
	assert_int_equal(k->num_changes, 0);
	PASS(k, DR_ACTION_ROOT_RETIRE, kit_n(2));
	kit_last(k, DR_ACTION_ROOT_RETIRE, OK);
	/* Generation 1 is still published, and yet does not come back. */
	assert_int_equal(dr_state_generation(&k->state), 0);
	PASS(k, DR_ACTION_ROOT_RETIRE, kit_n(2));
	kit_last(k, DR_ACTION_ROOT_RETIRE, REFUSED(ORDER));
}

static void test_deadline(void **state)
{
	const uint64_t deadline = 1005000;

	(void)state;
	order(2, deadline);
	block(deadline - k->time);
	assert_int_equal(k->num_changes, 0);
	block(1);
	assert_int_equal(k->num_changes, 1);
	kit_last(k, DR_ACTION_ROOT_ROTATE, REFUSED(DEADLINE));
	assert_int_equal(k->changes[0].act.args[0][31], 2);
	assert_int_equal(root(2).stage, DR_ROOT_FAILED);
	root_publish(k, 2, NODE, 2, 1);
	block(1);
	kit_last(k, DR_ACTION_ROOT_PUBLISH, REFUSED(DEADLINE));
	PASS(k, DR_ACTION_ROOT_RETIRE, kit_n(2));
	kit_last(k, DR_ACTION_ROOT_RETIRE, REFUSED(ORDER));
	PASS(k, DR_ACTION_ROOT_ROTATE, kit_n(2), kit_a(NODE), kit_n(FAR));
	kit_last(k, DR_ACTION_ROOT_ROTATE, REFUSED(ORDER));
	/* Ordered again, from the same node or another; one that was never published changes nothing about who must
	 * sign: generation 1. At its last second it is in time. */
	order(3, k->time + 1000);
	root_publish(k, 3, NODE, 3, 0);
	root_publish(k, 3, NODE, 3, 2);
	root_publish(k, 3, NODE, 3, 1);
	block(1000 - 3 - NOTICE_ROOT);
	kit_expect(k, 0, DR_ACTION_ROOT_PUBLISH, REFUSED(PROOF));
	kit_expect(k, 1, DR_ACTION_ROOT_PUBLISH, REFUSED(PROOF));
	kit_expect(k, 2, DR_ACTION_ROOT_PUBLISH, OK);
	assert_int_equal(dr_state_generation(&k->state), 3);
	assert_int_equal(dr_state_published_below(&k->state, 3), 1);
	assert_int_equal(dr_state_published_below(&k->state, 4), 3);
	assert_int_equal(root(3).published, k->time);
	assert_int_equal(root(2).published, 0);
	assert_true(holds(1, NODE) && !holds(2, NODE) && holds(3, NODE));
	block(1000);
	assert_int_equal(k->num_changes, 0);
	kit_node(k, NODE2, DR_ROLE_KMS, KMS, 5);
	block(1);
	order_by(NODE2, 4, k->time + 500);
	block(1000);
	kit_last(k, DR_ACTION_ROOT_ROTATE, REFUSED(DEADLINE));
	order_by(NODE2, 5, FAR);
	publish(5, NODE, 3, REFUSED(AUTHORITY));
	publish(5, NODE2, 3, OK);
	assert_true(holds(5, NODE2) && !holds(5, NODE));
}

static void test_expose(void **state)
{
	(void)state;
	one(DR_ACTION_ROOT_EXPOSE, GUARDIAN, WORDS(kit_n(2), kit_n(1)), REFUSED(ORDER));
	one(DR_ACTION_ROOT_EXPOSE, GUARDIAN, WORDS(kit_n(1), kit_n(UINT64_MAX)), REFUSED(LIMIT));
	one(DR_ACTION_ROOT_EXPOSE, GUARDIAN, WORDS(kit_n(1), kit_n(1006000)), OK);
	one(DR_ACTION_ROOT_EXPOSE, GUARDIAN, WORDS(kit_n(1), kit_n(1006001)), REFUSED(ORDER));
	one(DR_ACTION_ROOT_EXPOSE, GUARDIAN, WORDS(kit_n(1), kit_n(1005000)), OK);
	assert_int_equal(dr_state_generation(&k->state), 1);
	assert_true(holds(1, NODE) && !root(1).council);
	/* A guardian makes no emergency: generation 2 still needs the signature of the exposed one. */
	order(2, FAR);
	publish(2, NODE, 0, REFUSED(PROOF));
	publish(2, NODE, 1, OK);
	block(1004999 - k->time);
	assert_int_equal(k->num_changes, 0);
	assert_true(holds(1, NODE));
	block(1);
	assert_int_equal(k->num_changes, 1);
	kit_last(k, DR_ACTION_ROOT_EXPOSE, MATURED);
	assert_true(root(1).stopped && !holds(1, NODE) && holds(2, NODE));
	block(5000);
	assert_int_equal(k->num_changes, 0);
	one(DR_ACTION_ROOT_EXPOSE, GUARDIAN, WORDS(kit_n(2), kit_n(5)), OK);
	assert_int_equal(dr_state_generation(&k->state), 0);
	assert_int_equal(num_holders(), 0);
	one(DR_ACTION_ROOT_EXPOSE, GUARDIAN, WORDS(kit_n(2), kit_n(4)), REFUSED(ORDER));
}

/* A guardian can never give a right: not even that to the keys of the generation before. */
static void test_expose_newest(void **state)
{
	(void)state;
	order(2, FAR);
	/* Ordered and then given up: nothing was ever made from it, and generation 1 goes on, and signs. */
	PASS(k, DR_ACTION_ROOT_RETIRE, kit_n(2));
	assert_int_equal(dr_state_generation(&k->state), 1);
	order(3, FAR);
	publish(3, NODE, 0, REFUSED(PROOF));
	publish(3, NODE, 1, OK);
	assert_int_equal(dr_state_generation(&k->state), 3);
	one(DR_ACTION_ROOT_EXPOSE, GUARDIAN, WORDS(kit_n(3), kit_n(5)), OK);
	assert_int_equal(dr_state_generation(&k->state), 0);
	PASS(k, DR_ACTION_ROOT_RETIRE, kit_n(3));
	assert_int_equal(dr_state_generation(&k->state), 0);
}

/* Who lifts the signature of the generation published last: the council itself, and nobody and nothing else. */
static void test_emergency(void **state)
{
	enum how {
		NOTHING,
		GUARDS,
		GUARDS_NOW,
		REVOKED,
		UNSUPPORTED_RETIRE,
		UNSUPPORTED_EXPOSE,
		COUNCIL_EXPOSES,
		COUNCIL_STOPS,
		COUNCIL_RETIRES,
		COUNCIL_AFTER_REVOKED,
		COUNCIL_LATER_AFTER_REVOKED,
		COUNCIL_AFTER_STOP,
		COUNCIL_RETIRES_AFTER_STOP,
		UNSUPPORTED_RETIRE_AFTER_COUNCIL
	};
	static const struct {
		const char *name;
		enum how how;
		bool council, alive, given_up;
	} rows[] = {
		{ "nothing", NOTHING, false, true, false },
		{ "a guardian", GUARDS, false, true, false },
		{ "a guardian, at once", GUARDS_NOW, false, false, false },
		{ "a revocation", REVOKED, false, true, false },
		{ "a retirement without votes, which is obeyed", UNSUPPORTED_RETIRE, false, false, false },
		{ "an exposure without votes, which is obeyed", UNSUPPORTED_EXPOSE, false, true, false },
		{ "the council exposes", COUNCIL_EXPOSES, true, true, false },
		{ "the council stops", COUNCIL_STOPS, true, false, false },
		{ "the council retires", COUNCIL_RETIRES, true, false, true },
		{ "a revocation, then the council, nearer", COUNCIL_AFTER_REVOKED, true, true, false },
		{ "a revocation, then the council, later", COUNCIL_LATER_AFTER_REVOKED, true, true, false },
		{ "a guardian, at once, then the council exposes", COUNCIL_AFTER_STOP, true, false, false },
		{ "a guardian, at once, then the council retires", COUNCIL_RETIRES_AFTER_STOP, true, false, true },
		{ "the council exposes, then a retirement without votes", UNSUPPORTED_RETIRE_AFTER_COUNCIL, true,
		  false, false },
	};

	(void)state;
	order(2, FAR);
	const uint64_t time = k->time, number = k->number, proposals = k->proposals;
	struct dr_state copy = dr_state_share(&k->state);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const enum how how = rows[i].how;
		const uint64_t later = k->time + 2000;

		print_message("%s\n", rows[i].name);
		if (how == GUARDS)
			one(DR_ACTION_ROOT_EXPOSE, GUARDIAN, WORDS(kit_n(1), kit_n(later)), OK);
		if (how == GUARDS_NOW || how == COUNCIL_AFTER_STOP || how == COUNCIL_RETIRES_AFTER_STOP)
			one(DR_ACTION_ROOT_EXPOSE, GUARDIAN, WORDS(kit_n(1), kit_n(1)), OK);
		if (how == REVOKED || how == COUNCIL_AFTER_REVOKED || how == COUNCIL_LATER_AFTER_REVOKED)
			one(DR_ACTION_MEASUREMENT_REVOKE, GUARDIAN, WORDS(kit_b(KMS)), OK);
		if (how == UNSUPPORTED_RETIRE_AFTER_COUNCIL)
			PASS(k, DR_ACTION_ROOT_EXPOSE, kit_n(1), kit_n(later));
		if (how == UNSUPPORTED_RETIRE || how == UNSUPPORTED_RETIRE_AFTER_COUNCIL)
			one(DR_ACTION_ROOT_RETIRE, EVE, WORDS(kit_n(1)), OBEYED(AUTHORITY));
		if (how == UNSUPPORTED_EXPOSE)
			one(DR_ACTION_ROOT_EXPOSE, EVE, WORDS(kit_n(1), kit_n(later)), OBEYED(AUTHORITY));
		if (how == COUNCIL_EXPOSES || how == COUNCIL_AFTER_REVOKED || how == COUNCIL_AFTER_STOP)
			PASS(k, DR_ACTION_ROOT_EXPOSE, kit_n(1), kit_n(later));
		if (how == COUNCIL_LATER_AFTER_REVOKED) {
			PASS(k, DR_ACTION_ROOT_EXPOSE, kit_n(1), kit_n(k->time + 2 * GRACE));
			assert_true(root(1).exposed_deadline < k->time + GRACE);
			/* Once said, a later deadline says nothing more. */
			kit_last(k, DR_ACTION_ROOT_EXPOSE, OK);
			PASS(k, DR_ACTION_ROOT_EXPOSE, kit_n(1), kit_n(k->time + 2 * GRACE));
			kit_last(k, DR_ACTION_ROOT_EXPOSE, REFUSED(ORDER));
		}
		if (how == COUNCIL_STOPS)
			PASS(k, DR_ACTION_ROOT_EXPOSE, kit_n(1), kit_n(1));
		if (how == COUNCIL_RETIRES || how == COUNCIL_RETIRES_AFTER_STOP)
			PASS(k, DR_ACTION_ROOT_RETIRE, kit_n(1));
		assert_int_equal(root(1).council, rows[i].council);
		assert_int_equal(root(1).given_up, rows[i].given_up);
		assert_int_equal(dr_state_generation(&k->state), rows[i].alive ? 1 : 0);
		assert_int_equal(holds(1, NODE), rows[i].alive);
		if (rows[i].council)
			publish(2, NODE, 0, OK);
		else
			publish(2, NODE, 0, REFUSED(PROOF));
		/* With a true signature it is always possible; with another's never. */
		if (!rows[i].council) {
			publish(2, NODE, 2, REFUSED(PROOF));
			publish(2, NODE, 1, OK);
		}
		assert_int_equal(dr_state_generation(&k->state), 2);
		dr_state_drop(&k->state);
		k->state = dr_state_share(&copy);
		k->time = time;
		k->number = number;
		k->proposals = proposals;
	}
	dr_state_drop(&copy);
}

/* What may happen to what a holder ran on, while it is one or after it registered anew. */
static void test_exposure(void **state)
{
	const struct {
		const char *name;
		uint64_t kind; /* enum dr_hardware; 0: the measurement */
		struct w value;
		uint64_t svn;
		bool hit;
	} rows[] = {
		{ "measurement", 0, kit_b(KMS), 0, true },
		{ "another measurement", 0, kit_b(0x99), 0, false },
		{ "family", DR_HARDWARE_FAMILY, kit_b(0xfa), 0, true },
		{ "another family", DR_HARDWARE_FAMILY, kit_b(0xfb), 0, false },
		{ "svn above", DR_HARDWARE_SVN, kit_b(0xfa), 6, true },
		{ "svn at", DR_HARDWARE_SVN, kit_b(0xfa), 5, false },
		{ "svn above, another family", DR_HARDWARE_SVN, kit_b(0xfb), 6, false },
		{ "device", DR_HARDWARE_DEVICE, kit_b(NODE), 0, true },
		{ "another device", DR_HARDWARE_DEVICE, kit_b(0xfa), 0, false },
		{ "tee", DR_HARDWARE_TEE, kit_b(0x7e), 0, true },
		{ "another tee", DR_HARDWARE_TEE, kit_b(0xfa), 0, false },
		{ "an advisory", DR_HARDWARE_ADVISORY, kit_b(0x7e), 0, false },
	};

	(void)state;
	PASS(k, DR_ACTION_MEASUREMENT_ALLOW, kit_b(0x99));
	block(NOTICE_MEASUREMENT);
	const uint64_t time = k->time, number = k->number;
	struct dr_state copy = dr_state_share(&k->state);

	for (size_t i = 0; i < 3 * sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t row = i / 3, since = i % 3; /* nothing, registered anew, gone */

		print_message("%s, %zu\n", rows[row].name, since);
		if (since == 1)
			ACT(k, DR_ACTION_NODE_REGISTER, 0, NODE, 0, kit_a(NODE), kit_n(DR_ROLE_KMS), kit_b(0x99),
			    kit_b(0x0e), kit_b(1), kit_b(2), kit_n(9), kit_b(3));
		if (since == 2)
			ACT(k, DR_ACTION_NODE_DEREGISTER, 0, NODE, 0, kit_a(NODE));
		block(1);
		assert_int_equal(holds(1, NODE), since == 0);
		assert_int_equal(num_holders(), 1);
		if (rows[row].kind == 0)
			one(DR_ACTION_MEASUREMENT_REVOKE, GUARDIAN, &rows[row].value, OK);
		else
			one(DR_ACTION_HARDWARE_BLACKLIST, GUARDIAN,
			    WORDS(kit_n(rows[row].kind), rows[row].value, kit_n(rows[row].svn)), OK);
		assert_int_equal(k->num_changes, rows[row].hit ? 2 : 1);
		assert_int_equal(root(1).exposed_deadline, rows[row].hit ? k->time + GRACE : 0);
		if (rows[row].hit) {
			const struct dr_change *c = &k->changes[1];

			kit_last(k, DR_ACTION_ROOT_EXPOSE, MATURED);
			assert_memory_equal(c->event_digest, k->changes[0].event_digest, 32);
			assert_int_equal(c->ordinal, UINT32_MAX);
			assert_int_equal(c->act.num_args, 2);
			assert_memory_equal(c->act.args[0], kit_n(1).b, 32);
			assert_memory_equal(c->act.args[1], kit_n(k->time + GRACE).b, 32);
			assert_false(c->act.has_by || c->act.has_proposal || c->act.has_due);
			assert_false(root(1).council);
			block(GRACE - 1);
			assert_int_equal(k->num_changes, 0);
			assert_int_equal(dr_state_generation(&k->state), 1);
			block(1);
			assert_int_equal(k->num_changes, 1);
			kit_last(k, DR_ACTION_ROOT_EXPOSE, MATURED);
			assert_true(root(1).stopped);
			assert_int_equal(num_holders(), 0);
		}
		dr_state_drop(&k->state);
		k->state = dr_state_share(&copy);
		k->time = time;
		k->number = number;
	}
	dr_state_drop(&copy);
}

/* One revocation hits several generations; an earlier deadline stands, a later is brought forward. */
static void test_exposure_of_several(void **state)
{
	uint64_t hit;

	(void)state;
	order(2, FAR);
	publish(2, NODE, 1, OK);
	order(3, FAR);
	publish(3, NODE, 2, OK);
	order(4, FAR);
	one(DR_ACTION_ROOT_EXPOSE, GUARDIAN, WORDS(kit_n(1), kit_n(k->time + 100)), OK);
	one(DR_ACTION_ROOT_EXPOSE, GUARDIAN, WORDS(kit_n(2), kit_n(k->time + 2 * GRACE)), OK);
	one(DR_ACTION_MEASUREMENT_REVOKE, GUARDIAN, WORDS(kit_b(KMS)), OK);
	hit = k->time;
	assert_int_equal(k->num_changes, 4);
	for (size_t i = 1; i < 4; i++) {
		kit_expect(k, i, DR_ACTION_ROOT_EXPOSE, MATURED);
		assert_int_equal(k->changes[i].act.args[0][31], i + 1);
	}
	assert_true(root(1).exposed_deadline < hit + 100);
	assert_int_equal(root(2).exposed_deadline, hit + GRACE);
	assert_int_equal(root(3).exposed_deadline, hit + GRACE);
	/* Not published yet; its keys may be there all the same. */
	assert_int_equal(root(4).exposed_deadline, hit + GRACE);
	/* A second blow adds nothing. */
	one(DR_ACTION_HARDWARE_BLACKLIST, GUARDIAN, WORDS(kit_n(DR_HARDWARE_DEVICE), kit_b(NODE), kit_n(0)), OK);
	assert_int_equal(k->num_changes, 1);
	block(200);
	assert_int_equal(k->num_changes, 1);
	assert_true(root(1).stopped && !root(2).stopped && num_holders() == 3);
	block(hit + GRACE - k->time - 1);
	assert_int_equal(k->num_changes, 0);
	/* All are due in one second, by one event. */
	block(1);
	assert_int_equal(k->num_changes, 3);
	assert_true(root(2).stopped && root(3).stopped && root(4).stopped && num_holders() == 0);
	publish(4, NODE, 3, REFUSED(ORDER));
	block(2 * GRACE);
	assert_int_equal(k->num_changes, 0);
	assert_int_equal(dr_state_due_next(&k->state), FAR + 1);
}

/* Given to a node whose build or machine has no right: exposed at once. */
static void test_exposed_from_birth(void **state)
{
	const struct w device = kit_b(NODE2);

	(void)state;
	kit_node(k, NODE2, DR_ROLE_KMS, KMS, 5);
	block(1);
	one(DR_ACTION_HARDWARE_BLACKLIST, GUARDIAN, WORDS(kit_n(DR_HARDWARE_DEVICE), device, kit_n(0)), OK);
	assert_int_equal(k->num_changes, 1);
	share(1, NODE2);
	assert_int_equal(k->num_changes, 2);
	kit_last(k, DR_ACTION_ROOT_EXPOSE, MATURED);
	assert_int_equal(root(1).exposed_deadline, k->time + GRACE);
	assert_true(holds(1, NODE2) && holds(1, NODE));
	/* Published by a build that was revoked when it might have made the keys; the node is none to be refused for
	 * that. */
	order(2, FAR);
	one(DR_ACTION_MEASUREMENT_REVOKE, GUARDIAN, WORDS(kit_b(KMS)), OK);
	assert_int_equal(k->num_changes, 2);
	kit_last(k, DR_ACTION_ROOT_EXPOSE, MATURED);
	assert_int_equal(root(2).exposed_deadline, k->time + GRACE);
	assert_memory_equal(k->changes[1].event_digest, k->changes[0].event_digest, 32);
	publish(2, NODE, 1, OK);
	assert_int_equal(k->num_changes, 1);
	/* Announced, its notice running: not revoked. */
	PASS(k, DR_ACTION_MEASUREMENT_ALLOW, kit_b(0x99));
	kit_node(k, NODE, DR_ROLE_KMS, 0x99, 5);
	block(1);
	order(3, FAR);
	publish(3, NODE, 2, OK);
	assert_int_equal(k->num_changes, 1);
	assert_int_equal(root(3).exposed_deadline, 0);
}

/* The council named a node as it was registered: what it has made since its order was due, it made as that. When it
 * registers anew it publishes nothing any more, and what it was is still held against the generation. */
static void test_named_as_registered(void **state)
{
	(void)state;
	order(2, FAR);
	assert_true(holds(2, NODE));
	kit_node(k, NODE, DR_ROLE_KMS, 0x99, 5);
	block(1);
	assert_false(holds(2, NODE));
	publish(2, NODE, 1, REFUSED(ORDER));
	assert_int_equal(dr_state_generation(&k->state), 1);
	one(DR_ACTION_MEASUREMENT_REVOKE, GUARDIAN, WORDS(kit_b(KMS)), OK);
	assert_int_equal(root(2).exposed_deadline, k->time + GRACE);
	/* Not published in time: there is nothing left to hold, and the council orders the next. */
	block(FAR + 1 - k->time);
	assert_int_equal(root(2).stage, DR_ROOT_FAILED);
	assert_int_equal(num_holders(), 0);
}

/* Stopped before its order was due: nobody is to make it any more, though the order still becomes due, and fails. */
static void test_stopped_before_due(void **state)
{
	(void)state;
	PASS(k, DR_ACTION_ROOT_ROTATE, kit_n(2), kit_a(NODE), kit_n(FAR));
	const size_t before = num_holders();

	one(DR_ACTION_ROOT_EXPOSE, GUARDIAN, WORDS(kit_n(2), kit_n(1)), OK);
	assert_true(root(2).stopped);
	block(NOTICE_ROOT);
	assert_int_equal(root(2).stage, DR_ROOT_DUE);
	assert_false(holds(2, NODE));
	assert_int_equal(num_holders(), before);
	publish(2, NODE, 1, REFUSED(ORDER));
	block(FAR + 1 - k->time);
	assert_int_equal(root(2).stage, DR_ROOT_FAILED);
	order(3, 2 * FAR);
	publish(3, NODE, 1, OK);
	assert_int_equal(dr_state_generation(&k->state), 3);
}

/* A share is for what was registered when the council decided, active or pending; afterwards it is given anew. */
static void test_shares(void **state)
{
	struct dr_grant grant;

	(void)state;
	assert_true(holds(1, NODE) && !holds(2, NODE) && !holds(1, NODE2));
	PASS(k, DR_ACTION_ROOT_SHARE, kit_n(1), kit_a(NODE2));
	kit_last(k, DR_ACTION_ROOT_SHARE, REFUSED(ORDER));
	kit_node(k, NODE2, DR_ROLE_KMS, KMS, 5);
	block(1);
	PASS(k, DR_ACTION_ROOT_SHARE, kit_n(2), kit_a(NODE2));
	kit_last(k, DR_ACTION_ROOT_SHARE, REFUSED(ORDER));
	share(1, NODE2);
	assert_true(dr_state_share_of(&grant, &k->state, 1, kit_id(NODE2)) && grant.active);
	assert_true(holds(1, NODE2) && holds(1, NODE));
	PASS(k, DR_ACTION_ROOT_SHARE, kit_n(1), kit_a(NODE2));
	kit_last(k, DR_ACTION_ROOT_SHARE, REFUSED(ORDER));
	kit_node(k, NODE2, DR_ROLE_KMS, KMS, 6);
	block(1);
	assert_false(dr_state_share_of(&grant, &k->state, 1, kit_id(NODE2)));
	assert_false(holds(1, NODE2));
	share(1, NODE2);
	assert_true(holds(1, NODE2));
	assert_int_equal(num_holders(), 3);
	kit_node(k, NODE2, DR_ROLE_KMS, KMS, 6);
	block(1);
	PASS(k, DR_ACTION_ROOT_SHARE, kit_n(1), kit_a(NODE2));
	kit_last(k, DR_ACTION_ROOT_SHARE, PENDING);
	one(DR_ACTION_NODE_DEREGISTER, NODE2, WORDS(kit_a(NODE2)), OK);
	assert_int_equal(dr_state_due_next(&k->state), UINT64_MAX);
	assert_false(dr_state_share_of(&grant, &k->state, 1, kit_id(NODE2)));
	assert_false(holds(1, NODE2));
	assert_true(holds(1, NODE));
	/* Who made it is no exception. */
	kit_node(k, NODE, DR_ROLE_KMS, KMS, 5);
	block(1);
	assert_false(holds(1, NODE));
	assert_int_equal(dr_state_generation(&k->state), 1);
	share(1, NODE);
	assert_true(holds(1, NODE));
	/* A worker holds nothing. */
	kit_node(k, NODE, DR_ROLE_WORKER, KMS, 5);
	block(1);
	assert_false(holds(1, NODE));
	PASS(k, DR_ACTION_ROOT_SHARE, kit_n(1), kit_a(NODE));
	kit_last(k, DR_ACTION_ROOT_SHARE, REFUSED(ORDER));
}

/* A generation that ended while a share of it waited is nobody's. */
static void test_shares_of_the_dead(void **state)
{
	(void)state;
	kit_node(k, NODE2, DR_ROLE_KMS, KMS, 5);
	block(1);
	for (int i = 0; i < 2; i++) {
		struct dr_state copy = dr_state_share(&k->state);

		PASS(k, DR_ACTION_ROOT_SHARE, kit_n(1), kit_a(NODE2));
		if (i == 0)
			PASS(k, DR_ACTION_ROOT_RETIRE, kit_n(1));
		else
			PASS(k, DR_ACTION_ROOT_EXPOSE, kit_n(1), kit_n(5));
		block(NOTICE_ROOT);
		kit_last(k, DR_ACTION_ROOT_SHARE, MATURED);
		assert_false(holds(1, NODE2) || holds(1, NODE));
		assert_int_equal(num_holders(), 0);
		PASS(k, DR_ACTION_ROOT_SHARE, kit_n(1), kit_a(NODE2));
		kit_last(k, DR_ACTION_ROOT_SHARE, REFUSED(ORDER));
		dr_state_drop(&k->state);
		k->state = copy;
		k->proposals = dr_state_proposal_num(&copy);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rotate),
		T(test_deadline),
		T(test_expose),
		T(test_expose_newest),
		T(test_emergency),
		T(test_exposure),
		T(test_exposure_of_several),
		T(test_exposed_from_birth),
		T(test_named_as_registered),
		T(test_stopped_before_due),
		T(test_shares),
		T(test_shares_of_the_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
