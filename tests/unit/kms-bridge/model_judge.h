/* SPDX-License-Identifier: Apache-2.0
 *
 * model_judge: which events are obeyed, and which requests may be answered, by the rules (model.h).
 */
#ifndef DR_TESTS_MODEL_JUDGE_H
#define DR_TESTS_MODEL_JUDGE_H

#include "tests/unit/kms-bridge/model.h"

/* m_nonce: the heartbeat that counts: of a smaller journal than the last, none does. */
static inline const struct m_ev *m_nonce(const struct m_view *v, uint64_t node)
{
	const struct m_ev *last = NULL;

	for (size_t i = 0; i < v->num; i++) {
		const struct m_ev *e = v->e[i];

		if (e->obeyed && e->action == DR_ACTION_NODE_REGISTER && e->n[0] == node)
			last = NULL;
		if (e->obeyed && e->action == DR_ACTION_HEARTBEAT && e->by == node &&
		    (last == NULL || e->n[0] >= last->n[0]))
			last = e;
	}
	return last;
}

/* What the rules say of an action: who may, after which notice, and whether it only takes away. */
enum m_who { M_COUNCIL, M_COUNCIL_GUARDIAN, M_DEPLOYER, M_DEPLOYER_COUNCIL_GUARDIAN, M_MEMBER, M_SELF, M_ANYBODY };
enum { M_AT_ONCE = 100, M_OWN_NOTICE = 101 };

/* clang-format off */
static const struct m_rule {
	enum dr_action action;
	enum m_who who;
	unsigned notice;
	bool revokes;
} m_rules[] = {
	{ DR_ACTION_MEMBER_SET, M_COUNCIL, DR_NOTICE_COUNCIL, false },
	{ DR_ACTION_MEMBER_REMOVE, M_COUNCIL, M_AT_ONCE, false },
	{ DR_ACTION_QUORUM_SET, M_COUNCIL, DR_NOTICE_COUNCIL, false },
	{ DR_ACTION_NOTICE_SET, M_COUNCIL, DR_NOTICE_COUNCIL, false },
	{ DR_ACTION_GUARDIAN_ADD, M_COUNCIL, DR_NOTICE_COUNCIL, false },
	{ DR_ACTION_GUARDIAN_REMOVE, M_COUNCIL, M_AT_ONCE, false },
	{ DR_ACTION_PROPOSE, M_MEMBER, M_AT_ONCE, false },
	{ DR_ACTION_VOTE, M_MEMBER, M_AT_ONCE, false },
	{ DR_ACTION_CANCEL, M_ANYBODY, M_AT_ONCE, false },
	{ DR_ACTION_EXECUTE, M_ANYBODY, M_AT_ONCE, false },
	{ DR_ACTION_MEASUREMENT_ALLOW, M_COUNCIL, DR_NOTICE_MEASUREMENT, false },
	{ DR_ACTION_MEASUREMENT_REVOKE, M_COUNCIL_GUARDIAN, M_AT_ONCE, true },
	{ DR_ACTION_APP_REGISTER, M_ANYBODY, M_AT_ONCE, false },
	{ DR_ACTION_APP_MEASUREMENT_ALLOW, M_DEPLOYER, M_OWN_NOTICE, false },
	{ DR_ACTION_APP_MEASUREMENT_REVOKE, M_DEPLOYER_COUNCIL_GUARDIAN, M_AT_ONCE, true },
	{ DR_ACTION_APP_SUSPEND, M_DEPLOYER_COUNCIL_GUARDIAN, M_AT_ONCE, true },
	{ DR_ACTION_APP_RESUME, M_COUNCIL, DR_NOTICE_MEASUREMENT, false },
	{ DR_ACTION_APP_HANDOVER, M_DEPLOYER, M_OWN_NOTICE, false },
	{ DR_ACTION_APP_HANDOVER_END, M_DEPLOYER, M_AT_ONCE, true },
	{ DR_ACTION_APP_CONFIDENCE_RELAX, M_DEPLOYER, M_OWN_NOTICE, false },
	{ DR_ACTION_APP_CONFIDENCE_TIGHTEN, M_DEPLOYER, M_AT_ONCE, true },
	{ DR_ACTION_HARDWARE_BLACKLIST, M_COUNCIL_GUARDIAN, M_AT_ONCE, true },
	{ DR_ACTION_HARDWARE_REINSTATE, M_COUNCIL, DR_NOTICE_MEASUREMENT, false },
	{ DR_ACTION_ROOT_ROTATE, M_COUNCIL, DR_NOTICE_ROOT, false },
	{ DR_ACTION_ROOT_PUBLISH, M_SELF, M_AT_ONCE, false },
	{ DR_ACTION_ROOT_SHARE, M_COUNCIL, DR_NOTICE_ROOT, false },
	{ DR_ACTION_ROOT_RETIRE, M_COUNCIL, M_AT_ONCE, true },
	{ DR_ACTION_ROOT_EXPOSE, M_COUNCIL_GUARDIAN, M_AT_ONCE, true },
	{ DR_ACTION_EPOCH_POLICY, M_DEPLOYER, M_OWN_NOTICE, false },
	{ DR_ACTION_EPOCH_ADVANCE, M_DEPLOYER, M_AT_ONCE, false },
	{ DR_ACTION_NODE_REGISTER, M_SELF, M_AT_ONCE, false },
	{ DR_ACTION_NODE_DEREGISTER, M_SELF, M_AT_ONCE, true },
	{ DR_ACTION_NODE_STAKE, M_SELF, M_AT_ONCE, false },
	{ DR_ACTION_NODE_SLASH, M_COUNCIL, M_AT_ONCE, false },
	{ DR_ACTION_HEARTBEAT, M_ANYBODY, M_AT_ONCE, false },
	{ DR_ACTION_PROFILE_SET, M_COUNCIL, DR_NOTICE_PROFILE, false },
};
/* clang-format on */

static inline const struct m_rule *m_rule(enum dr_action action)
{
	for (size_t i = 0; i < sizeof(m_rules) / sizeof(m_rules[0]); i++)
		if (m_rules[i].action == action)
			return &m_rules[i];
	return NULL;
}

/* m_proposable: what a proposal may be about. */
static inline bool m_proposable(uint64_t action)
{
	const struct m_rule *rule = m_rule((enum dr_action)action);

	return rule != NULL && (rule->who == M_COUNCIL || rule->who == M_COUNCIL_GUARDIAN ||
				rule->who == M_DEPLOYER_COUNCIL_GUARDIAN);
}

/* m_supported: the event before, in the same block, was the rightful execution of a proposal that says just this. */
static inline bool m_supported(const struct m_view *v, const struct m_ev *e)
{
	const struct m_ev *before = v->num > 0 ? v->e[v->num - 1] : NULL;
	bool open;

	if (before == NULL || before->what != M_ACT || before->action != DR_ACTION_EXECUTE || !before->obeyed ||
	    before->proposal != e->proposal)
		return false;
	const struct m_ev *p = m_proposal(v, e->proposal, &open);
	const struct dr_action_def *def = dr_action_def((uint16_t)e->action);

	return p != NULL && p->n[0] == e->action && memcmp(p->n + 2, e->n, def->num_args * sizeof(e->n[0])) == 0;
}

static inline bool m_authorized(const struct m_view *v, const struct m_rule *rule, const struct m_ev *e,
				const struct m_roots *r)
{
	const struct m_ev *app = m_app(v, e->n[0]), *p;
	bool open;

	switch (rule->who) {
	case M_COUNCIL: return e->proposal != 0 && m_supported(v, e);
	case M_COUNCIL_GUARDIAN: return e->proposal != 0 ? m_supported(v, e) : m_guardian(v, e->by);
	case M_DEPLOYER: return app != NULL && app->by == e->by;
	case M_DEPLOYER_COUNCIL_GUARDIAN:
		return e->proposal != 0 ? m_supported(v, e)
					: app != NULL && (app->by == e->by || m_guardian(v, e->by));
	case M_MEMBER:
		p = e->action == DR_ACTION_VOTE ? m_proposal(v, e->proposal, &open) : e;
		return p != NULL && m_weight(v, e->by, p->time) > 0;
	case M_SELF:
		if (e->action == DR_ACTION_ROOT_PUBLISH)
			return e->n[0] < M_ROOTS && r->g[e->n[0]].stage != DR_ROOT_NONE &&
			       r->g[e->n[0]].node == e->by;
		return e->n[0] == e->by;
	case M_ANYBODY: return true;
	}
	return false;
}

static inline bool m_noticed(const struct m_view *v, const struct m_rule *rule, const struct m_ev *e)
{
	struct m_epoch policy;
	uint64_t notice = 0;

	if (rule->notice == M_AT_ONCE)
		return true;
	if (rule->notice != M_OWN_NOTICE)
		notice = m_notice(v, rule->notice);
	else if (m_app(v, e->n[0]) != NULL)
		notice = m_app(v, e->n[0])->n[2];
	if (e->action == DR_ACTION_EPOCH_POLICY) {
		m_epoch(&policy, v, e->n[0], e->n[1]);
		notice = policy.set ? notice : 0;
	}
	return e->due >= v->now + notice && e->due <= DR_TIME_MAX_S;
}

/* m_proven: a publication's proofs are those of just this generation, by its node, signed by the last that was
 * published below it; which may be left out only where that one is the council's own emergency, or there is none. */
static inline bool m_proven(const struct m_ev *e, const struct m_roots *r)
{
	const uint64_t g = e->n[0], below = m_published_below(r, g);

	if (e->pub.spoiled || e->pub.generation != g || e->pub.node != r->g[g].node)
		return false;
	if (e->pub.prev_seed == 0)
		return below == 0 || r->g[below].council;
	return below != 0 && r->g[below].seed == e->pub.prev_seed;
}

static inline bool m_root_possible(const struct m_view *v, const struct m_ev *e, const struct m_roots *r)
{
	const uint64_t g = e->n[0];
	const struct m_root *root = &r->g[g < M_ROOTS ? g : 0];
	const struct m_ev *share, *node;

	switch ((int)e->action) {
	case DR_ACTION_ROOT_ROTATE:
		return g == r->ordered + 1 && e->n[2] > e->due && e->n[2] <= DR_TIME_MAX_S && m_kms(v, e->n[1]);
	case DR_ACTION_ROOT_PUBLISH:
		return root->stage == DR_ROOT_DUE && !root->stopped && m_given(r, g, root->node) && m_proven(e, r);
	case DR_ACTION_ROOT_SHARE:
		if (!m_alive(r, g) || !m_kms(v, e->n[1]))
			return false;
		share = m_grant(v, DR_ACTION_ROOT_SHARE, DR_ACTION_ROOT_SHARE, 2, g, e->n[1], 0);
		node = m_node(v, e->n[1]);
		/* Not twice; but again after its node registered anew. */
		for (size_t i = 0; share != NULL && i < v->num; i++) {
			if (v->e[i] == node)
				return !m_in_force(v, share);
			if (v->e[i] == share)
				return true;
		}
		return true;
	case DR_ACTION_ROOT_RETIRE: return m_open(root);
	case DR_ACTION_ROOT_EXPOSE:
		if (!m_open(root) || e->n[1] > DR_TIME_MAX_S)
			return false;
		if (!root->stopped && (root->exposed == 0 || e->n[1] < root->exposed))
			return true;
		/* The council's word that it is an emergency counts though the deadline says nothing new. */
		return e->proposal != 0 && m_supported(v, e) && !root->council;
	}
	return false;
}

/* m_added: who was added, in force or announced, and not removed since. */
static inline bool m_added(const struct m_view *v, enum dr_action add, enum dr_action removal, uint64_t who)
{
	M_BACK(v, e)
	{
		if (e->action == removal && e->n[0] == who)
			return false;
		if (e->action == add && e->n[0] == who)
			return true;
	}
	return false;
}

static inline bool m_council_possible(const struct m_view *v, const struct m_ev *e, const struct m_ev *next)
{
	bool open;
	const struct m_ev *p = m_proposal(v, e->proposal, &open);

	switch ((int)e->action) {
	case DR_ACTION_MEMBER_SET: return e->n[1] > 0;
	case DR_ACTION_MEMBER_REMOVE: return m_added(v, DR_ACTION_MEMBER_SET, e->action, e->n[0]);
	case DR_ACTION_GUARDIAN_REMOVE: return m_added(v, DR_ACTION_GUARDIAN_ADD, e->action, e->n[0]);
	case DR_ACTION_QUORUM_SET: return e->n[0] > 0;
	case DR_ACTION_NOTICE_SET: return e->n[0] < DR_NOTICE_CLASSES && e->n[1] <= DR_TIME_MAX_S;
	case DR_ACTION_PROPOSE:
		return e->proposal == m_proposals(v) + 1 && m_proposable(e->n[0]) && !e->dirty &&
		       e->n[1] == v->now + 1000;
	case DR_ACTION_VOTE:
		return open && !m_voted(v, e->proposal, e->by) && v->now <= p->n[1] &&
		       e->n[0] == m_weight(v, e->by, p->time);
	case DR_ACTION_CANCEL:
		return open && (p->by == e->by || (m_guardian(v, e->by) && p->n[0] != DR_ACTION_GUARDIAN_REMOVE));
	case DR_ACTION_EXECUTE:
		return m_carried(v, e->proposal) && next != NULL && next->what == M_ACT &&
		       next->proposal == e->proposal;
	}
	return true;
}

/* m_possible: can it be, as things stand? */
static inline bool m_possible(const struct m_view *v, const struct m_ev *e, const struct m_ev *next,
			      const struct m_roots *r)
{
	const struct m_ev *listing;
	struct m_epoch policy;

	switch ((int)e->action) {
	case DR_ACTION_MEASUREMENT_ALLOW: return !m_in_force(v, m_measurement(v, e->n[0]));
	case DR_ACTION_MEASUREMENT_REVOKE: return m_measurement(v, e->n[0]) != NULL;
	case DR_ACTION_APP_REGISTER:
		return m_app(v, e->n[0]) == NULL && e->n[3] >= 1 && e->n[3] <= 5 && e->n[2] <= DR_TIME_MAX_S &&
		       e->n[2] >= m_notice(v, DR_NOTICE_APP);
	case DR_ACTION_APP_MEASUREMENT_ALLOW: return !m_in_force(v, m_version(v, e->n[0], e->n[1]));
	case DR_ACTION_APP_MEASUREMENT_REVOKE: return m_version(v, e->n[0], e->n[1]) != NULL;
	case DR_ACTION_APP_SUSPEND: return m_app(v, e->n[0]) != NULL;
	case DR_ACTION_APP_RESUME: return m_app(v, e->n[0]) != NULL && m_suspended(v, e->n[0]);
	case DR_ACTION_APP_HANDOVER: return !m_in_force(v, m_handover(v, e->n[0], e->n[1], e->n[2]));
	case DR_ACTION_APP_HANDOVER_END: return m_handover(v, e->n[0], e->n[1], e->n[2]) != NULL;
	case DR_ACTION_APP_CONFIDENCE_RELAX:
	case DR_ACTION_APP_CONFIDENCE_TIGHTEN:
		return m_app(v, e->n[0]) != NULL && e->n[1] >= 1 && e->n[1] <= 5 &&
		       (e->n[1] > m_confidence(v, e->n[0])) == (e->action == DR_ACTION_APP_CONFIDENCE_RELAX);
	case DR_ACTION_HARDWARE_BLACKLIST:
		if (e->n[0] < DR_HARDWARE_FAMILY || e->n[0] > DR_HARDWARE_TEE)
			return false;
		listing = m_listing(v, e->n[0], e->n[1], SIZE_MAX);
		return e->n[0] != DR_HARDWARE_SVN || listing == NULL || e->n[2] >= listing->n[2];
	case DR_ACTION_HARDWARE_REINSTATE:
		return e->n[0] >= DR_HARDWARE_FAMILY && e->n[0] <= DR_HARDWARE_TEE &&
		       m_listing(v, e->n[0], e->n[1], SIZE_MAX) != NULL;
	case DR_ACTION_ROOT_ROTATE:
	case DR_ACTION_ROOT_PUBLISH:
	case DR_ACTION_ROOT_SHARE:
	case DR_ACTION_ROOT_RETIRE:
	case DR_ACTION_ROOT_EXPOSE: return m_root_possible(v, e, r);
	case DR_ACTION_EPOCH_POLICY: return e->n[2] <= DR_TIME_MAX_S && e->n[3] <= DR_TIME_MAX_S;
	case DR_ACTION_EPOCH_ADVANCE:
		m_epoch(&policy, v, e->n[0], e->n[1]);
		return policy.set && e->n[2] == policy.epoch + 1;
	case DR_ACTION_NODE_REGISTER: return e->n[1] == DR_ROLE_KMS || e->n[1] == DR_ROLE_WORKER;
	case DR_ACTION_NODE_DEREGISTER:
	case DR_ACTION_NODE_STAKE: return m_node(v, e->n[0]) != NULL;
	}
	return m_council_possible(v, e, next);
}

/* m_judge: is e, the next event after v's, obeyed? next: the event after it in its block, or NULL. */
static inline void m_judge(const struct m_view *v, struct m_ev *e, const struct m_ev *next)
{
	const struct m_rule *rule = m_rule(e->action);
	static struct m_roots roots;

	e->obeyed = e->council = false;
	if (e->what != M_ACT || rule == NULL) /* CONSTITUTE: in the first block only */
		return;
	if (e->action >= DR_ACTION_ROOT_ROTATE && e->action <= DR_ACTION_ROOT_EXPOSE)
		m_roots(&roots, v);
	const bool rightful = m_authorized(v, rule, e, &roots) && m_noticed(v, rule, e);

	e->obeyed = (rightful || rule->revokes) && m_possible(v, e, next, &roots);
	e->council = rightful && e->proposal != 0;
}

/* Requests. Names are the words' last byte. */

static inline bool m_named(const uint8_t *word)
{
	return word[31] != 0;
}

static inline bool m_standing(const struct m_view *v)
{
	return m_profile(v) == M_OURS && !m_broken(v);
}

static inline bool m_node_right(const struct m_view *v, uint64_t id)
{
	const struct m_ev *node = m_node(v, id);

	return m_kms(v, id) && m_in_force(v, m_measurement(v, node->n[2])) && node->n[4] != 0 && node->n[5] != 0 &&
	       node->n[7] != 0 && !m_machine_listed(v, SIZE_MAX, node->n[4], node->n[5], node->n[6], node->n[7]);
}

static inline bool m_formed(const struct dr_request *q)
{
	const bool service = m_named(q->service), contract = m_named(q->contract);

	if (q->purpose < DR_PURPOSE_SEAL || q->purpose > DR_PURPOSE_CONTRACT || q->back > 1 || q->root_back > 1 ||
	    q->confidence < 1 || q->confidence > 5 || !m_named(q->tee) || !m_named(q->family) || !m_named(q->device))
		return false;
	if (q->purpose >= DR_PURPOSE_STORAGE && !service)
		return false;
	if ((q->purpose == DR_PURPOSE_CONTRACT) != contract)
		return false;
	return q->root_back == 0 || q->has_from;
}

static inline bool m_app_right(const struct m_view *v, const struct dr_request *q)
{
	const uint64_t app = q->app[31], version = q->measurement[31];

	if (m_app(v, app) == NULL || m_suspended(v, app) || !m_in_force(v, m_version(v, app, version)) ||
	    m_machine_listed(v, SIZE_MAX, q->tee[31], q->family[31], q->svn, q->device[31]) ||
	    q->confidence > m_confidence(v, app))
		return false;
	for (size_t i = 0; i < q->num_advisories; i++)
		if (m_listing(v, DR_HARDWARE_ADVISORY, q->advisories[i][31], SIZE_MAX) != NULL)
			return false;
	return !q->has_from || m_in_force(v, m_handover(v, app, q->from[31], version));
}

static inline bool m_right(const struct m_view *v, uint64_t self, const struct dr_request *q)
{
	return m_standing(v) && m_node_right(v, self) && m_formed(q) && m_app_right(v, q);
}

/* m_decide: may it be answered? With which keys, if so. v: the final events; heads: those that count. */
static inline bool m_decide(struct dr_decision *out, const struct m_view *v, const struct m_view *heads,
			    size_t num_heads, uint64_t self, const struct dr_request *q)
{
	static struct m_roots roots;
	struct m_epoch policy = { 0 };
	uint64_t newest, g;

	memset(out, 0, sizeof(*out));
	if (!m_right(v, self, q))
		return false;
	if (m_named(q->service))
		m_epoch(&policy, v, q->app[31], q->service[31]);
	if (q->back == 1 && (policy.epoch == 0 || v->now - policy.since >= policy.overlap))
		return false;
	m_roots(&roots, v);
	newest = g = m_generation(&roots);
	if (q->root_back == 1)
		g = m_published_below(&roots, newest);
	if (!m_alive(&roots, newest) || !m_alive(&roots, g) || !m_holds(&roots, g, self))
		return false;
	out->generation = g;
	out->epoch = policy.epoch - q->back;
	out->root_time = roots.g[g].published;
	memcpy(out->app_hash, q->has_from ? q->from : q->measurement, 32);
	memset(out->deployer, m_app(v, q->app[31])->by, 20);
	memset(out->nonce, (int)m_app(v, q->app[31])->n[1], 32);
	for (size_t i = 0; i < num_heads; i++) {
		m_roots(&roots, &heads[i]);
		if (!m_right(&heads[i], self, q) || !m_alive(&roots, newest) || !m_holds(&roots, g, self))
			return false;
	}
	return true;
}

static inline bool m_share(const struct m_view *v, uint64_t self, uint64_t g, uint64_t to)
{
	static struct m_roots roots;

	m_roots(&roots, v);
	return m_standing(v) && m_node_right(v, self) && m_node_right(v, to) && m_holds(&roots, g, self) &&
	       m_holds(&roots, g, to);
}

#endif
