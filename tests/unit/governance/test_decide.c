/* SPDX-License-Identifier: Apache-2.0
 *
 * decide against a plain model: a struct of switches, and the list of reasons in their order.
 */
#include "tests/unit/governance/root_kit.h"

#include <stdlib.h>

#include "governance/decide.h"
#include "governance/state_put.h"

enum { TIME = 5000, GEN = 3 };

struct model {
	bool profile_set, profile_ours, broken;
	int node;             /* 0 none, 1 worker, 2 kms */
	int node_measurement; /* 0 none, 1 pending, 2 active */
	int listed;           /* 0 nothing, else a dimension; see list() */
	bool app, suspended;
	int app_measurement, handover; /* 0 none, 1 pending, 2 active */
	uint8_t accepts, confidence;
	bool has_from, service, policy;
	uint64_t epoch, epoch_time, overlap, period;
	uint8_t back, root_back, purpose;
	bool contract;
	bool holds, holds_before; /* the newest generation; the one before it */
	int before; /* 0 none, 1 published, 2 stopped, 3 retired, 4 ordered and failed, with one below it */
	/* 0 none, 1 due, 2 published, 3 stopped, 4 retired, 5 retired unpublished, 6 retired, 7 stopped */
	int root;
	bool same;   /* the handover is of the version to itself */
	int unnamed; /* of the node: 1 tee, 2 family, 3 device */
};

static const struct dr_self self = { .node = { 8 }, .profile = { 9 } };

static void grant(struct dr_state *s, enum dr_action action, int how, struct w a, struct w b, struct w c)
{
	const struct dr_grant g = { .due = how == 2 ? 100 : 9000, .announced = 50, .active = how == 2 };
	struct dr_fail fail = { 0 };
	struct dr_act act = { .action = action };

	memcpy(act.args[0], a.b, 32);
	memcpy(act.args[1], b.b, 32);
	memcpy(act.args[2], c.b, 32);
	if (how != 0)
		dr_state_put_grant(s, &act, &g, &fail);
	assert_int_equal(fail.err, DR_OK);
}

/* The dimensions: of the node 1 to 4, of the asker 5 to 9 and 11; 10: lists the asker does not fall under. */
static void list(struct dr_state *s, int which)
{
	const struct dr_listing on = { .svn = 0, .listed = true }, off = { .svn = 0, .listed = false };
	const struct dr_listing above = { .svn = 6, .listed = true }, at = { .svn = 5, .listed = true };
	struct dr_fail fail = { 0 };

	switch (which) {
	case 1: dr_state_put_listing(s, DR_HARDWARE_TEE, kit_m(0x21), &on, &fail); break;
	case 2: dr_state_put_listing(s, DR_HARDWARE_FAMILY, kit_m(0x22), &on, &fail); break;
	case 3: dr_state_put_listing(s, DR_HARDWARE_DEVICE, kit_m(0x23), &on, &fail); break;
	case 4: dr_state_put_listing(s, DR_HARDWARE_SVN, kit_m(0x22), &above, &fail); break;
	case 5: dr_state_put_listing(s, DR_HARDWARE_TEE, kit_m(0x31), &on, &fail); break;
	case 6: dr_state_put_listing(s, DR_HARDWARE_FAMILY, kit_m(0x32), &on, &fail); break;
	case 7: dr_state_put_listing(s, DR_HARDWARE_DEVICE, kit_m(0x33), &on, &fail); break;
	case 8: dr_state_put_listing(s, DR_HARDWARE_SVN, kit_m(0x32), &above, &fail); break;
	case 9: dr_state_put_listing(s, DR_HARDWARE_ADVISORY, kit_m(0x35), &on, &fail); break;
	case 10:
		dr_state_put_listing(s, DR_HARDWARE_SVN, kit_m(0x32), &at, &fail);
		dr_state_put_listing(s, DR_HARDWARE_SVN, kit_m(0x22), &at, &fail);
		dr_state_put_listing(s, DR_HARDWARE_TEE, kit_m(0x31), &off, &fail);
		dr_state_put_listing(s, DR_HARDWARE_FAMILY, kit_m(0x31), &on, &fail);
		dr_state_put_listing(s, DR_HARDWARE_ADVISORY, kit_m(0x36), &on, &fail);
		break;
	case 11: dr_state_put_listing(s, DR_HARDWARE_ADVISORY, kit_m(0x34), &on, &fail); break;
	}
	assert_int_equal(fail.err, DR_OK);
}

/* Who else may hold it, and this node once upon a time. */
static void hold(struct dr_state *s, uint64_t generation, bool ours, struct dr_fail *fail)
{
	struct dr_holder h = { .generation = generation, .number = 1, .current = true };

	memset(h.node, 0x55, 20);
	dr_state_put_holder(s, &h, fail);
	memcpy(h.node, self.node, 20);
	h.current = false;
	dr_state_put_holder(s, &h, fail);
	h.number = 2;
	h.current = true;
	if (ours)
		dr_state_put_holder(s, &h, fail);
}

static void build(struct dr_state *s, struct dr_request *r, const struct model *m)
{
	const struct dr_epoch epoch = { .policy = { .period_s = m->period,
						    .overlap_s = m->overlap,
						    .epoch = m->epoch,
						    .epoch_time = m->epoch_time } };
	struct dr_node node = { .role = m->node == 2 ? DR_ROLE_KMS : DR_ROLE_WORKER, .svn = 5 };
	struct dr_app app = { .confidence = m->accepts, .suspended = m->suspended };
	struct dr_root root = { .stage = m->root == 1                   ? DR_ROOT_DUE
					 : m->root >= 4 && m->root <= 6 ? DR_ROOT_RETIRED
									: DR_ROOT_PUBLISHED,
				.stopped = m->root == 3 || m->root == 7,
				.published = 700 };
	struct dr_fail fail = { 0 };

	memset(node.measurement, 0x11, 32);
	/* Hardware without a name could not be blacklisted. */
	memset(node.tee, m->unnamed == 1 ? 0 : 0x21, 32);
	memset(node.family, m->unnamed == 2 ? 0 : 0x22, 32);
	memset(node.device, m->unnamed == 3 ? 0 : 0x23, 32);
	memset(app.deployer, 0xde, 20);
	memset(app.nonce, 0x0c, 32);
	if (m->profile_set)
		dr_state_put_profile(s, m->profile_ours ? self.profile : kit_m(1), &fail);
	if (m->broken)
		dr_state_put_broken(s, kit_m(1), &fail);
	if (m->node != 0)
		dr_state_put_node(s, self.node, &node, &fail);
	grant(s, DR_ACTION_MEASUREMENT_ALLOW, m->node_measurement, kit_b(0x11), kit_b(0), kit_b(0));
	list(s, m->listed);
	if (m->app)
		dr_state_put_app(s, kit_m(APP), &app, &fail);
	grant(s, DR_ACTION_APP_MEASUREMENT_ALLOW, m->app_measurement, kit_b(APP), kit_b(VERSION), kit_b(0));
	grant(s, DR_ACTION_APP_HANDOVER, m->handover, kit_b(APP), kit_b(m->same ? VERSION : OLD), kit_b(VERSION));
	if (m->policy)
		dr_state_put_epoch(s, kit_m(APP), kit_m(SERVICE), &epoch, &fail);
	/* 4, 6: it was published before it was retired; 5: it never was, so the one before goes on. */
	memset(root.prf_pub, m->root == 1 || m->root == 5 ? 0 : 0x77, 32);
	if (m->root != 0)
		dr_state_put_root(s, GEN, &root, &fail);
	hold(s, GEN, m->holds, &fail);
	root.stage = m->before == 3 ? DR_ROOT_RETIRED : m->before == 4 ? DR_ROOT_FAILED : DR_ROOT_PUBLISHED;
	root.stopped = m->before == 2;
	root.published = 600;
	memset(root.prf_pub, m->before == 4 ? 0 : 0x78, 32);
	if (m->before != 0)
		dr_state_put_root(s, GEN - 1, &root, &fail);
	root.stage = DR_ROOT_PUBLISHED;
	root.published = 500;
	memset(root.prf_pub, 0x79, 32);
	if (m->before == 4)
		dr_state_put_root(s, GEN - 2, &root, &fail);
	hold(s, m->before == 4 ? GEN - 2 : GEN - 1, m->holds_before, &fail);
	assert_int_equal(fail.err, DR_OK);
	*r = (struct dr_request){ .purpose = m->purpose,
				  .back = m->back,
				  .root_back = m->root_back,
				  .has_from = m->has_from,
				  .svn = 5,
				  .confidence = m->confidence,
				  .num_advisories = 2 };
	memset(r->app, APP, 32);
	memset(r->measurement, VERSION, 32);
	memset(r->service, m->service ? SERVICE : 0, 32);
	memset(r->contract, m->contract ? 0xcc : 0, 32);
	memset(r->from, !m->has_from ? 0 : m->same ? VERSION : OLD, 32);
	memset(r->tee, 0x31, 32);
	memset(r->family, 0x32, 32);
	memset(r->device, 0x33, 32);
	memset(r->advisories[0], 0x34, 32);
	memset(r->advisories[1], 0x35, 32);
}

/* The generations that were ever published, newest first; is the one that is asked for alive? */
struct line {
	uint64_t generation[2];
	bool alive[2], held[2];
	uint64_t published[2];
};

static struct line line(const struct model *m)
{
	const bool newest = m->root >= 2 && m->root != 5;
	const struct line below = { .generation = { m->before == 0   ? 0
						    : m->before == 4 ? GEN - 2
								     : GEN - 1 },
				    .alive = { m->before == 1 || m->before == 4 },
				    .held = { m->holds_before },
				    .published = { m->before == 4 ? 500 : 600 } };
	const struct line both = { .generation = { GEN, below.generation[0] },
				   .alive = { m->root == 2, below.alive[0] },
				   .held = { m->holds, m->holds_before },
				   .published = { 700, below.published[0] } };

	return newest ? both : below;
}

static enum dr_deny expected(const struct model *m, bool rights_only)
{
	const bool has_epoch = m->service && m->policy;
	const struct line l = line(m);

	if (m->purpose < 1 || m->purpose > 6 || m->back > 1 || m->confidence < 1 || m->confidence > 5)
		return DR_DENY_MALFORMED;
	if ((m->purpose >= 4 && !m->service) || m->contract != (m->purpose == 6))
		return DR_DENY_MALFORMED;
	if (m->root_back > 1 || (m->root_back == 1 && !m->has_from))
		return DR_DENY_MALFORMED;
	if (!m->profile_set || !m->profile_ours)
		return DR_DENY_PROFILE;
	if (m->broken)
		return DR_DENY_BROKEN;
	if (m->node != 2)
		return DR_DENY_NODE;
	if (m->node_measurement != 2)
		return DR_DENY_NODE_MEASUREMENT;
	if ((m->listed >= 1 && m->listed <= 4) || m->unnamed != 0)
		return DR_DENY_NODE_HARDWARE;
	if (!m->app)
		return DR_DENY_APP_UNKNOWN;
	if (m->suspended)
		return DR_DENY_APP_SUSPENDED;
	if (m->app_measurement == 0)
		return DR_DENY_APP_MEASUREMENT;
	if (m->app_measurement == 1)
		return DR_DENY_APP_NOTICE;
	if ((m->listed >= 5 && m->listed <= 9) || m->listed == 11)
		return DR_DENY_HARDWARE;
	if (m->confidence > m->accepts)
		return DR_DENY_CONFIDENCE;
	if (m->has_from && m->handover != 2)
		return DR_DENY_HANDOVER;
	if (rights_only)
		return DR_DENY_NONE;
	if (m->back == 1 && (!has_epoch || m->epoch == 0 || TIME >= m->epoch_time + m->overlap))
		return DR_DENY_EPOCH;
	if (!l.alive[0] || !l.alive[m->root_back])
		return DR_DENY_ROOT;
	return l.held[m->root_back] ? DR_DENY_NONE : DR_DENY_ROOT_SHARE;
}

static const struct model good = { .profile_set = true,
				   .profile_ours = true,
				   .node = 2,
				   .node_measurement = 2,
				   .app = true,
				   .app_measurement = 2,
				   .accepts = 3,
				   .confidence = 3,
				   .purpose = 1,
				   .root = 2,
				   .before = 1,
				   .holds = true,
				   .holds_before = true,
				   .epoch = 4,
				   .epoch_time = TIME - 10,
				   .overlap = 11,
				   .policy = true,
				   .service = true,
				   .listed = 10 };

/* mutate: up to three switches away from what is allowed. */
static struct model mutate(void)
{
	struct model m = good;

	m.back = (uint8_t)(rand() % 2);
	m.has_from = rand() % 2;
	m.handover = 2;
	m.same = rand() % 2;
	m.root_back = m.has_from && rand() % 2;
	m.period = (uint64_t)(rand() % 3) * 20;
	m.purpose = (uint8_t)(1 + rand() % 6);
	m.contract = m.purpose == DR_PURPOSE_CONTRACT;
	for (int n = rand() % 4; n > 0; n--) {
		switch (rand() % 27) {
		case 0: m.profile_set = false; break;
		case 1: m.profile_ours = false; break;
		case 2: m.broken = true; break;
		case 3: m.node = rand() % 3; break;
		case 4: m.node_measurement = rand() % 3; break;
		case 5:
		case 6: m.listed = rand() % 12; break;
		case 7: m.app = false; break;
		case 8: m.suspended = true; break;
		case 9: m.app_measurement = rand() % 3; break;
		case 10: m.handover = rand() % 3; break;
		case 11: m.accepts = (uint8_t)(1 + rand() % 5); break;
		case 12: m.confidence = (uint8_t)(rand() % 7); break;
		case 13: m.service = false; break;
		case 14: m.policy = false; break;
		case 15: m.epoch = (uint64_t)rand() % 2; break;
		case 16: m.overlap = 9 + (uint64_t)rand() % 3; break;
		case 17: m.back = (uint8_t)(rand() % 3); break;
		case 18: m.purpose = (uint8_t)(rand() % 8); break;
		case 19: m.root = rand() % 8; break;
		case 20: m.unnamed = rand() % 4; break;
		case 21: m.before = rand() % 5; break;
		case 22: m.holds = false; break;
		case 23: m.holds_before = false; break;
		case 24: m.root_back = (uint8_t)(rand() % 3); break;
		case 25: m.contract = rand() % 2; break;
		case 26: m.has_from = rand() % 2; break;
		}
	}
	return m;
}

static void test_model(void **state)
{
	unsigned seen[DR_DENY_ROOT_SHARE + 1] = { 0 };

	(void)state;
	srand(3);
	for (int i = 0; i < 20000; i++) {
		const struct model m = mutate();
		const enum dr_deny why = expected(&m, false);
		struct dr_state s = { 0 };
		struct dr_request r;
		struct dr_decision d;

		build(&s, &r, &m);
		dr_decide(&d, &s, &self, &r, TIME);
		assert_int_equal(d.deny, why);
		assert_int_equal(d.verdict, why == DR_DENY_NONE ? DR_ALLOW : DR_DENY);
		seen[why]++;
		if (why == DR_DENY_NONE) {
			const struct line l = line(&m);
			const bool has_epoch = m.service && m.policy;

			assert_int_equal(d.generation, l.generation[m.root_back]);
			assert_int_equal(d.root_time, l.published[m.root_back]);
			assert_int_equal(d.epoch_time, !has_epoch      ? 0
						       : m.back == 0   ? m.epoch_time
						       : m.period == 0 ? 0
								       : m.epoch_time - m.period);
			assert_int_equal(d.epoch, m.service && m.policy ? m.epoch - m.back : 0);
			assert_memory_equal(d.app_hash, kit_m(m.has_from && !m.same ? OLD : VERSION), 32);
			assert_memory_equal(d.deployer, kit_id(0xde), 20);
			assert_memory_equal(d.nonce, kit_m(0x0c), 32);
		} else {
			assert_true(d.generation == 0 && d.epoch == 0 && dr_bytes_zero(d.app_hash, 32));
			assert_true(d.root_time == 0 && d.epoch_time == 0);
			assert_true(dr_bytes_zero(d.deployer, 20) && dr_bytes_zero(d.nonce, 32));
		}
		dr_state_drop(&s);
	}
	for (int why = DR_DENY_NONE; why <= DR_DENY_ROOT_SHARE; why++)
		if (why != DR_DENY_SEALED && (why <= DR_DENY_ROOT || why == DR_DENY_ROOT_SHARE) && seen[why] == 0)
			fail_msg("never met: %s", dr_deny_name((enum dr_deny)why));
}

/* At the head the generation that is the newest of the final state is over, or the asked one is, or is ours no more.
 */
static bool is_lost(const struct model *m, const struct model *head)
{
	const bool newest = m->root >= 2 && m->root != 5, before = head->before == 1 || head->before == 4;

	if (!newest)
		return !before || !head->holds_before;
	return head->root != 2 || (m->root_back == 1 ? !before || !head->holds_before : !head->holds);
}

/* The final state decides; any right lost in any head denies; keys come from the final state alone. */
static void test_heads(void **state)
{
	(void)state;
	srand(4);
	for (int i = 0; i < 5000; i++) {
		struct model m = mutate(), heads[3] = { mutate(), good, mutate() };
		const size_t num = (size_t)rand() % 4;
		enum dr_deny why = expected(&m, false);
		struct dr_state s = { 0 }, states[3] = { { { NULL } } };
		struct dr_request r, other;
		struct dr_decision d;

		build(&s, &r, &m);
		for (size_t j = 0; j < 3; j++) {
			/* The request is one: what it asks is taken from m. */
			heads[j].has_from = m.has_from;
			heads[j].confidence = m.confidence;
			heads[j].purpose = m.purpose;
			heads[j].back = m.back;
			heads[j].service = m.service;
			heads[j].root_back = m.root_back;
			heads[j].contract = m.contract;
			heads[j].same = m.same;
			heads[j].handover = heads[j].handover == 0 && j == 1 ? 2 : heads[j].handover;
			/* What was published is for ever, and what never was may be at a head. */
			heads[j].root = m.root == 5 || heads[j].root == 5 ? m.root : heads[j].root;
			heads[j].before =
				m.before == 0 || m.before == 4 || heads[j].before == 0 || heads[j].before == 4
					? m.before
					: heads[j].before;
			build(&states[j], &other, &heads[j]);
		}
		for (size_t j = 0; j < num && why == DR_DENY_NONE; j++)
			if (expected(&heads[j], true) != DR_DENY_NONE || is_lost(&m, &heads[j]))
				why = DR_DENY_HEAD;
		dr_decide_effective(&d, &s, TIME, states, num, &self, &r);
		assert_int_equal(d.deny, why);
		assert_int_equal(d.verdict, why == DR_DENY_NONE ? DR_ALLOW : DR_DENY);
		if (why == DR_DENY_HEAD)
			assert_int_equal(d.generation, 0);
		dr_state_drop(&s);
		for (size_t j = 0; j < 3; j++)
			dr_state_drop(&states[j]);
	}
}

/* Hardware that is not named is not answered: it could not be held against the blacklist. */
static void test_unnamed_hardware(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct dr_state s = { 0 };
		struct dr_request r;
		struct dr_decision d;

		build(&s, &r, &good);
		memset(i == 0 ? r.tee : i == 1 ? r.family : r.device, 0, i < 3 ? 32 : 0);
		dr_decide(&d, &s, &self, &r, TIME);
		assert_int_equal(d.deny, i < 3 ? DR_DENY_MALFORMED : DR_DENY_NONE);
		assert_int_equal(d.verdict, i < 3 ? DR_DENY : DR_ALLOW);
		dr_state_drop(&s);
	}
}

static void test_request(void **state)
{
	struct dr_state s = { 0 };
	struct dr_request r, back;
	uint8_t buf[DR_REQUEST_LEN_MAX + 1], again[DR_REQUEST_LEN_MAX];
	struct dr_fail fail = { 0 };
	size_t len, len_again;

	(void)state;
	struct model m = good;

	m.has_from = true;
	build(&s, &r, &m);
	dr_state_drop(&s);
	assert_int_equal(dr_request_encode(buf, DR_REQUEST_LEN_MAX, &len, &r, &fail), DR_OK);
	assert_int_equal(len, 9 * 32 + 4 + 8 + 2 + 64);
	assert_int_equal(dr_request_decode(&back, dr_bytes_of(buf, len), &fail), DR_OK);
	assert_int_equal(dr_request_encode(again, sizeof(again), &len_again, &back, &fail), DR_OK);
	assert_memory_equal(again, buf, len);
	assert_true(back.has_from && back.svn == 5 && back.confidence == 3 && back.num_advisories == 2);
	assert_memory_equal(back.device, r.device, 32);
	for (size_t cut = 0; cut < len; cut++) {
		struct dr_fail f = { 0 };

		assert_int_equal(dr_request_decode(&back, dr_bytes_of(buf, cut), &f), DR_ERR_SHORT);
		assert_true(dr_bytes_zero(&back, sizeof(back)));
	}
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct dr_fail f = { 0 };

		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (dr_request_decode(&back, dr_bytes_of(buf, len), &f) == DR_OK) {
			assert_int_equal(dr_request_encode(again, sizeof(again), &len_again, &back, &f), DR_OK);
			assert_int_equal(len_again, len);
			assert_memory_equal(again, buf, len);
		}
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	struct dr_fail f1 = { 0 }, f2 = { 0 }, f3 = { 0 }, f4 = { 0 }, f5 = { 0 };

	buf[len] = 0;
	assert_int_equal(dr_request_decode(&back, dr_bytes_of(buf, len + 1), &f1), DR_ERR_SYNTAX);
	buf[131] = 0;
	assert_int_equal(dr_request_decode(&back, dr_bytes_of(buf, len), &f2), DR_ERR_NONCANONICAL);
	buf[131] = 1;
	buf[9 * 32 + 4 + 9] = DR_ADVISORIES_MAX + 1;
	assert_int_equal(dr_request_decode(&back, dr_bytes_of(buf, len), &f3), DR_ERR_LIMIT);
	r.has_from = false;
	assert_int_equal(dr_request_encode(buf, sizeof(buf), &len, &r, &f4), DR_ERR_NONCANONICAL);
	r.has_from = true;
	r.num_advisories = DR_ADVISORIES_MAX + 1;
	assert_int_equal(dr_request_encode(buf, sizeof(buf), &len, &r, &f5), DR_ERR_LIMIT);
	r.num_advisories = DR_ADVISORIES_MAX;
	assert_int_equal(dr_request_encode(buf, DR_REQUEST_LEN_MAX, &len, &r, &fail), DR_OK);
	/* More than there can be is malformed, not read. */
	struct dr_decision d;

	r.num_advisories = 255;
	dr_decide(&d, &s, &self, &r, TIME);
	assert_int_equal(d.deny, DR_DENY_MALFORMED);
	r.num_advisories = 0;
	r.has_from = false;
	dr_decide(&d, &s, &self, &r, TIME);
	assert_int_equal(d.deny, DR_DENY_MALFORMED);
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i <= DR_DENY_ROOT_SHARE; i++) {
		assert_true(strlen(dr_deny_text((enum dr_deny)i)) > 10);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(dr_deny_name((enum dr_deny)i), dr_deny_name((enum dr_deny)j));
	}
	for (int i = DR_PURPOSE_SEAL; i <= DR_PURPOSE_CONTRACT; i++)
		assert_int_equal(dr_purpose_by_name(dr_purpose_name((enum dr_purpose)i)), i);
	assert_int_equal(dr_purpose_by_name("none"), DR_PURPOSE_NONE);
	assert_int_equal(dr_purpose_by_name("Seal"), DR_PURPOSE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),   cmocka_unit_test(test_heads), cmocka_unit_test(test_unnamed_hardware),
		cmocka_unit_test(test_request), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
