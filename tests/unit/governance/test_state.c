/* SPDX-License-Identifier: Apache-2.0
 *
 * Every record is written, read back and deleted; each of its fields counts in the digest. What the records
 * mean is tested through the fold.
 */
#include "tests/unit/kit.h"

#include <stdlib.h>
#include <string.h>

#include "governance/state_put.h"

static struct dr_state s;
static struct dr_fail fail;
static uint8_t id[256][32]; /* one byte, repeated */

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++)
		memset(id[i], i, 32);
	s = (struct dr_state){ 0 };
	fail = (struct dr_fail){ 0 };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(fail.err, DR_OK);
	dr_state_drop(&s);
	return 0;
}

static void test_empty(void **state)
{
	struct dr_root root = { .stage = DR_ROOT_FAILED };
	struct dr_grant grant = { .due = 1 };
	struct dr_app app = { .notice_s = 1 };
	struct dr_node node = { .svn = 1 };
	struct dr_epoch_policy policy = { .epoch = 1 };
	uint64_t svn = 1;
	uint8_t digest[32] = { 1 };

	(void)state;
	assert_false(dr_state_measurement(&grant, &s, id[1]));
	assert_true(dr_bytes_zero(&grant, sizeof(grant)));
	assert_false(dr_state_app_measurement(&grant, &s, id[1], id[2]));
	assert_false(dr_state_handover(&grant, &s, id[1], id[2], id[3]));
	assert_false(dr_state_share_of(&grant, &s, 1, id[1]));
	assert_false(dr_state_root(&root, &s, 1));
	assert_int_equal(root.stage, DR_ROOT_NONE);
	assert_false(dr_state_app(&app, &s, id[1]));
	assert_true(dr_bytes_zero(&app, sizeof(app)));
	assert_false(dr_state_node(&node, &s, id[1]));
	assert_true(dr_bytes_zero(&node, sizeof(node)));
	assert_false(dr_state_epoch_policy(&policy, &s, id[1], id[2]));
	assert_int_equal(policy.epoch, 0);
	assert_false(dr_state_blacklisted(&svn, &s, DR_HARDWARE_TEE, id[1]));
	assert_int_equal(svn, 0);
	assert_false(dr_state_profile(digest, &s));
	assert_true(dr_bytes_zero(digest, 32));
	assert_false(dr_state_heartbeat(digest, &s, id[1]));
	assert_false(dr_state_broken(&s));
	assert_false(dr_state_constituted(&s));
	assert_false(dr_state_guardian(&s, id[1]));
	assert_int_equal(dr_state_generation(&s), 0);
	assert_int_equal(dr_state_published_below(&s, UINT64_MAX), 0);
	assert_int_equal(dr_state_published_below(&s, 0), 0);
	assert_false(dr_state_holds(&s, 0, id[0]));
	assert_false(dr_state_machine_listed(&s, id[1], id[2], 0, id[3]));
	assert_int_equal(dr_state_ordered(&s), 0);
	assert_int_equal(dr_state_weight(&s, id[1], UINT64_MAX), 0);
	assert_int_equal(dr_state_quorum(&s, UINT64_MAX), 0);
	assert_int_equal(dr_state_notice(&s, DR_NOTICE_ROOT, UINT64_MAX), 0);
	assert_int_equal(dr_state_due_next(&s), UINT64_MAX);
	dr_state_digest(digest, &s);
	assert_true(dr_bytes_zero(digest, 32));
}

static void test_records(void **state)
{
	const struct dr_app app = {
		.notice_s = 7, .confidence = 3, .suspended = true, .deployer = { 1 }, .nonce = { 2 }
	};
	const struct dr_node node = { .by = { 1 },
				      .role = 1,
				      .measurement = { 2 },
				      .enc_key = { 3 },
				      .tee = { 4 },
				      .family = { 5 },
				      .device = { 6 },
				      .svn = 7,
				      .stake = 8 };
	const struct dr_root root = { .stage = DR_ROOT_PUBLISHED,
				      .node = { 1 },
				      .due = 2,
				      .deadline = 3,
				      .exposed_deadline = 4,
				      .stopped = true,
				      .prf_pub = { 5 },
				      .sig_pub = { 6 },
				      .quote = { 7 },
				      .published = 8,
				      .council = true };
	const struct dr_epoch epoch = { .policy = { 1, 2, 3, 4 }, .event_digest = { 5 }, .number = 6, .ordinal = 7 };
	const struct dr_proposal proposal = { .stage = DR_PROPOSAL_OPEN,
					      .by = { 1 },
					      .action = 2,
					      .snapshot = 3,
					      .expires = 4,
					      .yes = 5,
					      .no = 6,
					      .args = { { 7 } } };
	const struct dr_listing listing = { .svn = 9, .listed = true };
	struct dr_proposal p;
	struct dr_epoch e;
	struct dr_listing l;
	struct dr_root r;
	struct dr_node n;
	struct dr_app a;
	uint64_t svn;

	(void)state;
	dr_state_put_app(&s, id[1], &app, &fail);
	dr_state_put_node(&s, id[1], &node, &fail);
	dr_state_put_root(&s, 300, &root, &fail);
	dr_state_put_epoch(&s, id[1], id[2], &epoch, &fail);
	dr_state_put_proposal(&s, 1, &proposal, &fail);
	dr_state_put_listing(&s, DR_HARDWARE_SVN, id[3], &listing, &fail);
	assert_true(dr_state_app(&a, &s, id[1]));
	assert_true(a.notice_s == 7 && a.confidence == 3 && a.suspended && a.deployer[0] == 1 && a.nonce[0] == 2);
	assert_true(dr_state_node(&n, &s, id[1]));
	assert_memory_equal(n.device, node.device, 32);
	assert_true(n.role == 1 && n.svn == 7 && n.stake == 8);
	assert_true(dr_state_root(&r, &s, 300));
	assert_true(r.stage == DR_ROOT_PUBLISHED && r.node[0] == 1 && r.due == 2 && r.deadline == 3);
	assert_true(r.exposed_deadline == 4 && r.stopped && r.prf_pub[0] == 5 && r.sig_pub[0] == 6 &&
		    r.quote[0] == 7 && r.published == 8 && r.council);
	assert_true(dr_state_epoch(&e, &s, id[1], id[2]));
	assert_memory_equal(&e.policy, &epoch.policy, sizeof(e.policy));
	assert_true(e.number == 6 && e.ordinal == 7 && e.event_digest[0] == 5);
	assert_true(dr_state_proposal(&p, &s, 1));
	assert_true(p.yes == 5 && p.no == 6 && p.expires == 4 && p.snapshot == 3 && p.args[0][0] == 7);
	assert_true(dr_state_listing(&l, &s, DR_HARDWARE_SVN, id[3]));
	assert_true(dr_state_blacklisted(&svn, &s, DR_HARDWARE_SVN, id[3]) && svn == 9);
	assert_int_equal(dr_state_ordered(&s), 300);
	assert_int_equal(dr_state_generation(&s), 0);
	dr_state_del_node(&s, id[1], &fail);
	assert_false(dr_state_node(&n, &s, id[1]));
}

static struct dr_holder holder(uint64_t generation, uint8_t node, uint32_t ordinal)
{
	struct dr_holder h = { .generation = generation, .number = 5, .ordinal = ordinal, .svn = 6, .current = true };

	memset(h.node, node, 20);
	memset(h.measurement, 1, 32);
	memset(h.tee, 2, 32);
	memset(h.family, 3, 32);
	memset(h.device, 4, 32);
	return h;
}

/* Every set of holders of three generations and three nodes, against a table of what is current. */
static void test_holders(void **state)
{
	static const uint64_t generations[] = { 0, 7, UINT64_MAX };
	static const uint8_t nodes[] = { 0x00, 0x80, 0xff };
	struct dr_holder h;

	(void)state;
	for (unsigned set = 0; set < 1u << 9; set++) {
		for (unsigned what = 0; what < 6; what++) {
			size_t num = 0, left = 0;
			bool more;

			for (unsigned i = 0; i < 9; i++) {
				if ((set >> i & 1) == 0)
					continue;
				/* Twice the same: given, lost, given again. */
				h = holder(generations[i / 3], nodes[i % 3], UINT32_MAX);
				dr_state_put_holder(&s, &h, &fail);
				h = holder(generations[i / 3], nodes[i % 3], 0);
				h.current = i % 2 == 0;
				dr_state_put_holder(&s, &h, &fail);
				num += 2;
			}
			if (what < 3)
				dr_state_end_holders(&s, id[nodes[what]], &fail);
			else
				dr_state_del_holders(&s, generations[what - 3], &fail);
			for (unsigned i = 0; i < 9; i++) {
				const bool over = what < 3 ? i % 3 == what : i / 3 == what - 3;
				const bool holds = (set >> i & 1) != 0 && !over;

				assert_int_equal(dr_state_holds(&s, generations[i / 3], id[nodes[i % 3]]), holds);
				if (what >= 3 && over && (set >> i & 1) != 0)
					num -= 2;
			}
			for (more = dr_state_holder_next(&h, &s, NULL); more; more = dr_state_holder_next(&h, &s, &h))
				left++;
			assert_int_equal(left, num);
			dr_state_drop(&s);
		}
	}
	h = holder(7, 9, 3);
	dr_state_put_holder(&s, &h, &fail);
	memset(&h, 0xaa, sizeof(h));
	assert_true(dr_state_holder_next(&h, &s, NULL));
	assert_true(h.generation == 7 && h.node[19] == 9 && h.number == 5 && h.ordinal == 3 && h.svn == 6 &&
		    h.current);
	assert_true(h.measurement[31] == 1 && h.tee[31] == 2 && h.family[31] == 3 && h.device[31] == 4);
	assert_false(dr_state_holder_next(&h, &s, &h));
	assert_true(dr_bytes_zero(&h, sizeof(h)));
}

static void test_checkpoints(void **state)
{
	(void)state;
	dr_state_put_weight(&s, id[1], 10, 5, &fail);
	dr_state_put_weight(&s, id[1], 20, 6, &fail);
	dr_state_put_weight(&s, id[1], 30, 7, &fail);
	dr_state_put_weight(&s, id[2], 15, 9, &fail);
	static const uint64_t rows[][2] = { { 0, 0 },  { 9, 0 },  { 10, 5 },        { 19, 5 },
					    { 20, 6 }, { 30, 7 }, { UINT64_MAX, 7 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(dr_state_weight(&s, id[1], rows[i][0]), rows[i][1]);
	dr_state_put_weight(&s, id[1], 20, 0, &fail);
	assert_int_equal(dr_state_weight(&s, id[1], 40), 0);
	assert_int_equal(dr_state_weight(&s, id[1], 19), 5);
	assert_int_equal(dr_state_weight(&s, id[2], 40), 9);
	dr_state_put_notice(&s, 1, 10, 100, &fail);
	dr_state_put_notice(&s, 2, 10, 200, &fail);
	assert_int_equal(dr_state_notice(&s, DR_NOTICE_MEASUREMENT, 10), 100);
	assert_int_equal(dr_state_notice(&s, DR_NOTICE_ROOT, 10), 200);
	assert_false(dr_state_has_notice(&s, 0, 10));
	assert_false(dr_state_has_notice(&s, 1, 9));
}

static struct dr_pending pending(enum dr_action action, uint8_t subject, uint64_t due, uint32_t ordinal)
{
	struct dr_pending p = { .due = due,
				.number = 1,
				.ordinal = ordinal,
				.act = { .action = action, .has_by = true, .num_args = 1 } };

	memset(p.act.args[0], subject, 32);
	return p;
}

static void test_pending(void **state)
{
	static const struct {
		uint8_t subject;
		uint64_t due;
		uint32_t ordinal;
	} rows[] = { { 1, 30, 0 }, { 2, 20, 1 }, { 3, 30, 2 }, { 2, 25, 3 }, { 4, 10, 4 } };
	static const uint8_t order[] = { 4, 2, 1, 3 };
	struct dr_pending p;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		p = pending(DR_ACTION_MEASUREMENT_ALLOW, rows[i].subject, rows[i].due, rows[i].ordinal);
		dr_state_pend(&s, &p, 1, 0, &fail);
	}
	assert_int_equal(dr_state_due_next(&s), 10);
	assert_int_equal(
		dr_state_pending_due(&s, DR_PENDING_ACT, DR_ACTION_MEASUREMENT_ALLOW, (const uint8_t(*)[32])id[2], 1),
		25);
	assert_false(dr_state_pending_take(&p, &s, 9, &fail));
	for (size_t i = 0; i < 4; i++) {
		assert_true(dr_state_pending_take(&p, &s, 30, &fail));
		assert_int_equal(p.act.args[0][0], order[i]);
		assert_true(p.act.has_by && !p.act.has_due && !p.act.has_proposal);
	}
	assert_false(dr_state_pending_take(&p, &s, UINT64_MAX - 1, &fail));
	assert_int_equal(dr_map_num(s.map), 0);
	/* Of one subject, from a due on. */
	for (uint32_t i = 1; i <= 3; i++) {
		p = pending(DR_ACTION_MEMBER_SET, 1, i * 10, i);
		dr_state_pend(&s, &p, 1, p.due, &fail);
	}
	dr_state_unpend(&s, DR_PENDING_ACT, DR_ACTION_MEMBER_SET, (const uint8_t(*)[32])id[1], 1, 20, &fail);
	assert_int_equal(dr_map_num(s.map), 2);
	assert_int_equal(dr_state_due_next(&s), 10);
	dr_state_unpend(&s, DR_PENDING_ACT, DR_ACTION_QUORUM_SET, (const uint8_t(*)[32])id[1], 1, 0, &fail);
	assert_int_equal(dr_map_num(s.map), 2);
	dr_state_unpend(&s, DR_PENDING_ACT, DR_ACTION_MEMBER_SET, (const uint8_t(*)[32])id[1], 1, 0, &fail);
	assert_int_equal(dr_map_num(s.map), 0);
}

static void write_one(int which)
{
	const struct dr_grant grant = { .due = 1, .announced = 2, .active = true };
	const struct dr_app app = { .notice_s = 5 };
	struct dr_act act = { .action = DR_ACTION_APP_HANDOVER };
	struct dr_pending p = pending(DR_ACTION_PROFILE_SET, 1, 77, 1);

	switch (which) {
	case 0: dr_state_put_app(&s, id[1], &app, &fail); break;
	case 1: dr_state_put_grant(&s, &act, &grant, &fail); break;
	case 2: dr_state_put_weight(&s, id[1], 5, 5, &fail); break;
	case 3: dr_state_put_quorum(&s, 5, 5, &fail); break;
	case 4: dr_state_put_guardian(&s, id[1], true, &fail); break;
	case 5: dr_state_put_heartbeat(&s, id[1], id[2], &fail); break;
	case 6: dr_state_put_profile(&s, id[3], &fail); break;
	case 7: dr_state_put_constitution(&s, 9, &fail); break;
	case 8: dr_state_put_broken(&s, id[4], &fail); break;
	case 9: dr_state_put_vote(&s, 1, id[1], 2, true, &fail); break;
	case 10: dr_state_put_suspension(&s, id[1], 1, &fail); break;
	case 11: dr_state_pend(&s, &p, 0, 0, &fail); break;
	}
}

static void test_digest_order(void **state)
{
	uint8_t first[32] = { 0 }, digest[32];

	(void)state;
	srand(5);
	for (int round = 0; round < 50; round++) {
		int order[12];

		for (int i = 0; i < 12; i++)
			order[i] = i;
		for (int i = 11; i > 0; i--) {
			const int j = rand() % (i + 1), t = order[i];

			order[i] = order[j];
			order[j] = t;
		}
		dr_state_drop(&s);
		for (int i = 0; i < 12; i++) {
			uint8_t before[32];

			dr_state_digest(before, &s);
			write_one(order[i]);
			dr_state_digest(digest, &s);
			assert_memory_not_equal(before, digest, 32);
		}
		if (round == 0)
			memcpy(first, digest, 32);
		assert_memory_equal(first, digest, 32);
	}
}

/* A writer after a failure writes nothing. */
static void test_sticky(void **state)
{
	struct dr_fail failed = { .err = DR_ERR_NOMEM, .what = "before" };

	(void)state;
	dr_state_put_quorum(&s, 1, 2, &failed);
	dr_state_put_guardian(&s, id[1], true, &failed);
	dr_state_put_vote(&s, 1, id[1], 2, true, &failed);
	assert_int_equal(dr_map_num(s.map), 0);
	assert_string_equal(failed.what, "before");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_empty),   T(test_records),      T(test_holders), T(test_checkpoints),
		T(test_pending), T(test_digest_order), T(test_sticky),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
