/* SPDX-License-Identifier: Apache-2.0
 *
 * search_acts: random events for test_search.c and tests/simulate. Mostly what makes sense where it happens (the
 * model says what is missing), often not: wrong dues, accounts, words, proposals; executions that nothing supports;
 * events nobody can read.
 */
#ifndef DR_TESTS_SEARCH_ACTS_H
#define DR_TESTS_SEARCH_ACTS_H

#include "tests/unit/governance/root_kit.h"
#include "tests/unit/kms-bridge/model_judge.h"

#define DRAFT_EVENTS 40u

static const uint64_t apps[] = { 0xa1, 0xa1, 0xa1, 0xa2 }, versions[] = { 0x51, 0x51, 0x52, 0x50 };
static const uint64_t services[] = { 0x5e, 0x5e, 0x5f }, builds[] = { 0x11, 0x11, 0x12 };
static const uint64_t nodes[] = { NODE, NODE, NODE, NODE2, 12 }, tees[] = { 0x31, 0x31, 0x31, 0x32 };
static const uint64_t families[] = { 0x41, 0x41, 0x42 }, devices[] = { 0x61, 0x62, 0x63, 0x64 };
static const uint64_t advisories[] = { 0x71, 0x72 }, guardians[] = { GUARDIAN, GUARDIAN, 11 };
static const uint64_t deployers[] = { DEPLOYER, 13 }, periods[] = { 0, 60, 200, 1000 }, overlaps[] = { 0, 50, 500 };

static inline uint64_t rnd(uint64_t below)
{
	return (uint64_t)rand() % below;
}

static inline bool odds(unsigned percent)
{
	return rnd(100) < percent;
}

#define PICK(list) ((list)[rnd(sizeof(list) / sizeof((list)[0]))])

/* NODE as a core plays it: its roots and nonces are not made up. publish: fills e->pub for generation g; false: it
 * has no such root. */
struct real_node {
	bool (*publish)(void *ctx, struct m_ev *e, uint64_t g);
	void *ctx;
};

/* A block in the making: its parent's events and its own so far. */
struct draft {
	struct m_ev **line;
	size_t num, begin; /* begin: its own events, after its tick */
	uint64_t time, number;
	bool readable; /* nothing that breaks the profile for good */
	uint64_t nonces[4][2];
	size_t num_nonces; /* drawn by the node: sizes and ids */
	const struct real_node *real;
};

static inline struct m_view draft_view(const struct draft *d)
{
	return (struct m_view){ d->line, d->num, d->time };
}

static inline struct m_ev *draft_put(struct draft *d, struct m_ev e, const struct m_ev *next)
{
	struct m_ev *at = (struct m_ev *)kit_alloc(sizeof(*at));
	const struct m_view v = draft_view(d);

	*at = e;
	at->time = d->time;
	at->number = d->number;
	m_judge(&v, at, next);
	d->line[d->num++] = at;
	return at;
}

/* draft_room: for three events more. */
static inline bool draft_room(const struct draft *d)
{
	return d->num - d->begin + 3 <= DRAFT_EVENTS;
}

static inline uint64_t act_hardware(uint64_t kind)
{
	switch (kind) {
	case DR_HARDWARE_FAMILY:
	case DR_HARDWARE_SVN: return PICK(families);
	case DR_HARDWARE_ADVISORY: return PICK(advisories);
	case DR_HARDWARE_DEVICE: return PICK(devices);
	}
	return PICK(tees);
}

/* act_publish: by the node that was named, signed by whom it must be; sometimes not. */
static inline void act_publish(struct m_ev *e, const struct draft *d, const struct m_roots *r, uint64_t g)
{
	const uint64_t below = m_published_below(r, g);

	e->n[0] = g;
	e->by = (uint8_t)r->g[g].node;
	if (d->real != NULL && r->g[g].node == NODE && odds(98)) {
		/* Nothing, where it has none: an event that nobody would make. */
		if (!d->real->publish(d->real->ctx, e, g))
			e->action = DR_ACTION_CONSTITUTE;
		return;
	}
	e->pub.generation = odds(95) ? g : g + 1;
	e->pub.node = odds(95) ? (uint8_t)r->g[g].node : (uint8_t)PICK(nodes);
	e->pub.seed = (uint8_t)(1 + rnd(255));
	e->pub.prev_seed = below != 0 ? r->g[below].seed : 0;
	if (odds(8))
		e->pub.prev_seed = odds(50) ? 0 : (uint8_t)(1 + rnd(255));
	if (g > 2 && odds(10))
		e->pub.prev_seed = r->g[1 + rnd(g - 1)].seed;
	if (e->pub.prev_seed > UINT8_MAX)
		e->pub.prev_seed = 0; /* a core's own root signs nothing but what the core makes */
	e->pub.spoiled = odds(5);
}

static inline void act_register(struct m_ev *e, uint64_t node)
{
	const uint64_t words[] = { node,         odds(97) ? DR_ROLE_KMS : rnd(4),
				   PICK(builds), 0x0e,
				   PICK(tees),   PICK(families),
				   rnd(7),       odds(97) ? PICK(devices) : 0 };

	memcpy(e->n, words, sizeof(words));
	e->by = (uint8_t)node;
}

/* act_args: words that could make sense, and whoever could say them. */
static inline void act_args(struct m_ev *e, const struct draft *d)
{
	const struct m_view v = draft_view(d);
	static struct m_roots roots;
	struct m_epoch policy;
	uint64_t g;

	m_roots(&roots, &v);
	g = odds(75) || roots.ordered == 0 ? roots.ordered : 1 + rnd(roots.ordered);
	e->n[0] = e->action >= DR_ACTION_NODE_STAKE ? PICK(nodes) : PICK(apps);
	e->by = (uint8_t)(1 + rnd(4));
	switch ((int)e->action) {
	case DR_ACTION_MEMBER_SET:
	case DR_ACTION_MEMBER_REMOVE:
		e->n[0] = 1 + rnd(4);
		e->n[1] = e->action == DR_ACTION_MEMBER_SET ? rnd(4) : 0;
		return;
	case DR_ACTION_QUORUM_SET: e->n[0] = rnd(5); return;
	case DR_ACTION_NOTICE_SET:
		e->n[0] = rnd(6);
		e->n[1] = rnd(80);
		return;
	case DR_ACTION_GUARDIAN_ADD:
	case DR_ACTION_GUARDIAN_REMOVE: e->n[0] = PICK(guardians); return;
	case DR_ACTION_MEASUREMENT_ALLOW:
	case DR_ACTION_MEASUREMENT_REVOKE:
		e->n[0] = PICK(builds);
		e->by = (uint8_t)PICK(guardians);
		return;
	case DR_ACTION_APP_REGISTER:
		e->n[1] = 0x0c;
		e->n[2] = 30 + rnd(60);
		e->n[3] = odds(97) ? 1 + rnd(5) : rnd(8);
		break;
	case DR_ACTION_APP_MEASUREMENT_ALLOW:
	case DR_ACTION_APP_MEASUREMENT_REVOKE: e->n[1] = PICK(versions); break;
	case DR_ACTION_APP_HANDOVER:
	case DR_ACTION_APP_HANDOVER_END:
		e->n[1] = PICK(versions);
		e->n[2] = PICK(versions);
		break;
	case DR_ACTION_APP_CONFIDENCE_RELAX:
	case DR_ACTION_APP_CONFIDENCE_TIGHTEN: e->n[1] = rnd(7); break;
	case DR_ACTION_HARDWARE_BLACKLIST:
	case DR_ACTION_HARDWARE_REINSTATE:
		e->n[0] = odds(97) ? 1 + rnd(5) : rnd(8);
		e->n[1] = act_hardware(e->n[0]);
		e->n[2] = e->action == DR_ACTION_HARDWARE_BLACKLIST ? rnd(7) : 0;
		e->by = (uint8_t)PICK(guardians);
		return;
	case DR_ACTION_ROOT_ROTATE:
		e->n[0] = roots.ordered + (odds(95) ? 1 : rnd(3));
		e->n[1] = PICK(nodes);
		e->n[2] = d->time + 60 + rnd(800);
		return;
	case DR_ACTION_ROOT_PUBLISH:
		if (g > 0)
			act_publish(e, d, &roots, g);
		return;
	case DR_ACTION_ROOT_SHARE:
		e->n[0] = g;
		e->n[1] = PICK(nodes);
		return;
	case DR_ACTION_ROOT_RETIRE: e->n[0] = g; return;
	case DR_ACTION_ROOT_EXPOSE:
		e->n[0] = g;
		e->n[1] = odds(10) ? rnd(2) : d->time + rnd(900);
		e->by = (uint8_t)PICK(guardians);
		return;
	case DR_ACTION_EPOCH_POLICY:
		e->n[1] = PICK(services);
		e->n[2] = PICK(periods);
		e->n[3] = PICK(overlaps);
		break;
	case DR_ACTION_EPOCH_ADVANCE:
		e->n[1] = PICK(services);
		m_epoch(&policy, &v, e->n[0], e->n[1]);
		e->n[2] = odds(90) ? policy.epoch + 1 : rnd(5);
		break;
	case DR_ACTION_NODE_REGISTER: act_register(e, PICK(nodes)); return;
	case DR_ACTION_NODE_DEREGISTER:
	case DR_ACTION_NODE_STAKE:
		e->n[0] = PICK(nodes);
		e->n[1] = e->action == DR_ACTION_NODE_STAKE ? rnd(100) : 0;
		e->by = (uint8_t)e->n[0];
		return;
	case DR_ACTION_NODE_SLASH: e->n[1] = rnd(100); return;
	case DR_ACTION_HEARTBEAT:
		e->by = (uint8_t)PICK(nodes);
		e->n[0] = rnd(60);
		e->n[1] = rnd(1000);
		if (d->real != NULL && odds(95))
			e->by = NODE2;
		if (d->num_nonces > 0 && odds(80)) {
			memcpy(e->n, d->nonces[rnd(d->num_nonces)], sizeof(d->nonces[0]));
			e->by = NODE;
		}
		return;
	case DR_ACTION_PROFILE_SET: e->n[0] = odds(60) ? M_OURS : 0x77; return;
	default: return;
	}
	/* Acts about an app: by its deployer. */
	e->by = (uint8_t)(e->action == DR_ACTION_APP_REGISTER || m_app(&v, e->n[0]) == NULL ? PICK(deployers)
											    : m_app(&v, e->n[0])->by);
}

static inline void act_due(struct m_ev *e, const struct draft *d)
{
	const struct m_rule *rule = m_rule(e->action);
	const struct m_view v = draft_view(d);
	const struct m_ev *app = m_app(&v, e->n[0]);

	e->due = d->time;
	if (rule->notice != M_AT_ONCE)
		e->due += rule->notice != M_OWN_NOTICE ? m_notice(&v, rule->notice) : app != NULL ? app->n[2] : 0;
	if (odds(8))
		e->due += rnd(60);
	else if (odds(4))
		e->due -= 1;
}

static inline void act_propose(struct draft *d, const struct m_ev *what)
{
	const struct m_view v = draft_view(d);
	struct m_ev e = { .what = M_ACT, .action = DR_ACTION_PROPOSE, .by = odds(95) ? (uint8_t)(1 + rnd(3)) : EVE };

	e.proposal = m_proposals(&v) + (odds(98) ? 1 : rnd(3));
	e.n[0] = what->action;
	e.n[1] = d->time + (odds(97) ? 1000 : rnd(3000));
	memcpy(e.n + 2, what->n, 8 * sizeof(e.n[0]));
	e.dirty = odds(2);
	draft_put(d, e, NULL);
}

/* act_execute: the execution and its act, as the contract logs them; sometimes as it never would. */
static inline void act_execute(struct draft *d, const struct m_ev *p)
{
	const struct m_ev run = { .what = M_ACT, .action = DR_ACTION_EXECUTE, .by = EVE, .proposal = p->proposal };
	struct m_ev act = { .what = M_ACT, .action = (enum dr_action)p->n[0], .by = EVE, .proposal = p->proposal };
	const struct m_ev between = { .what = M_ACT, .action = DR_ACTION_HEARTBEAT, .by = EVE, .n = { 1, 2 } };
	const unsigned how = (unsigned)rnd(100);

	memcpy(act.n, p->n + 2, 8 * sizeof(act.n[0]));
	if (m_rule(act.action) == NULL || act.action == DR_ACTION_PROPOSE)
		return;
	act_due(&act, d);
	if (how == 0)
		act.n[rnd(dr_action_def((uint16_t)act.action)->num_args)] ^= 1;
	if (how == 1)
		act.proposal ^= 1;
	if (how != 2)
		draft_put(d, run, how == 3 ? &between : how == 4 ? NULL : &act);
	if (how == 3)
		draft_put(d, between, NULL);
	if (how != 4)
		draft_put(d, act, NULL);
}

/* act_push: a proposal comes nearer to its execution. */
static inline void act_push(struct draft *d, const struct m_ev *p)
{
	const struct m_view v = draft_view(d);
	struct m_ev vote = { .what = M_ACT, .action = DR_ACTION_VOTE, .proposal = p->proposal };

	if (m_carried(&v, p->proposal) || odds(6)) {
		act_execute(d, p);
		return;
	}
	for (uint64_t who = 1; who <= 4; who++)
		if (m_weight(&v, who, p->time) > 0 && !m_voted(&v, p->proposal, who))
			vote.by = (uint8_t)who;
	if (vote.by == 0 || odds(5))
		vote.by = odds(80) ? (uint8_t)(1 + rnd(5)) : EVE;
	vote.n[0] = m_weight(&v, vote.by, p->time) + (odds(3) ? 1 : 0);
	vote.n[1] = odds(85);
	draft_put(d, vote, NULL);
	if (odds(2)) {
		vote.action = DR_ACTION_CANCEL;
		vote.by = odds(50) ? p->by : (uint8_t)PICK(guardians);
		draft_put(d, vote, NULL);
	}
}

static inline const struct m_ev *act_open(const struct m_view *v, const struct m_ev *like)
{
	const struct m_ev *found[64];
	size_t num = 0;
	bool open;

	for (size_t i = 0; i < v->num && num < 64; i++) {
		const struct m_ev *p = v->e[i];

		if (p->obeyed && p->action == DR_ACTION_PROPOSE && v->now <= p->n[1] &&
		    (like == NULL ||
		     (p->n[0] == like->action && memcmp(p->n + 2, like->n, 3 * sizeof(p->n[0])) == 0)) &&
		    m_proposal(v, p->proposal, &open) == p && open)
			found[num++] = p;
	}
	return num > 0 ? found[rnd(num)] : NULL;
}

/* act_want: what the council should do: proposed, or pushed on. A rotation's deadline is no part of the wish. */
static inline void act_want(struct draft *d, enum dr_action action, uint64_t a, uint64_t b, uint64_t c)
{
	struct m_ev e = { .what = M_ACT, .action = action, .n = { a, b, c } };
	const struct m_view v = draft_view(d);
	const struct m_ev *p = act_open(&v, &e);

	if (action == DR_ACTION_ROOT_ROTATE) {
		M_BACK(&v, x)
		{
			bool open;

			if (p == NULL && x->action == DR_ACTION_PROPOSE && x->n[0] == action && x->n[2] == a &&
			    x->n[4] > d->time + 100)
				p = m_proposal(&v, x->proposal, &open) == x && open ? x : NULL;
		}
		e.n[2] = d->time + (a % 4 == 3 ? 100 + rnd(100) : 300 + rnd(700));
	}
	if (p != NULL && d->time <= p->n[1])
		act_push(d, p);
	else
		act_propose(d, &e);
}

/* act_do: one act of somebody's own, likely to be right. */
static inline void act_do(struct draft *d, enum dr_action action)
{
	struct m_ev e = { .what = M_ACT, .action = action };

	act_args(&e, d);
	if (e.action == DR_ACTION_CONSTITUTE)
		return;
	act_due(&e, d);
	draft_put(d, e, NULL);
}

static inline void act_on(struct draft *d, enum dr_action action, uint64_t a, uint64_t b, uint64_t c)
{
	struct m_ev e = { .what = M_ACT, .action = action, .n = { a, b, c } };
	const struct m_view v = draft_view(d);

	e.by = (uint8_t)(m_app(&v, a) != NULL ? m_app(&v, a)->by : DEPLOYER);
	if (action == DR_ACTION_EPOCH_POLICY) {
		e.n[2] = PICK(periods);
		e.n[3] = PICK(overlaps);
	}
	act_due(&e, d);
	draft_put(d, e, NULL);
}

/* act_wish: something that is missing before the app may have its keys, if the dice fall on it. */
static inline void act_wish(struct draft *d)
{
	const struct m_view v = draft_view(d);
	const struct m_ev *node = m_node(&v, NODE), *to = m_node(&v, NODE2);
	struct m_ev e = { .what = M_ACT };
	static struct m_roots r;
	uint64_t g, coming = 0;

	m_roots(&r, &v);
	g = m_generation(&r);
	for (uint64_t i = 1; i <= r.ordered && i < M_ROOTS; i++) {
		if (r.g[i].stage == DR_ROOT_ORDERED || r.g[i].stage == DR_ROOT_DUE ||
		    (r.g[i].stage == DR_ROOT_FAILED && d->time <= r.g[i].deadline + 2))
			coming = i;
	}
	switch (rnd(12)) {
	case 0:
		if (m_profile(&v) != M_OURS)
			act_want(d, DR_ACTION_PROFILE_SET, M_OURS, 0, 0);
		return;
	case 1:
	case 2:
		if (node == NULL || node->n[1] != DR_ROLE_KMS || node->n[7] == 0)
			e.action = DR_ACTION_NODE_REGISTER, act_register(&e, NODE), draft_put(d, e, NULL);
		else if (to == NULL)
			e.action = DR_ACTION_NODE_REGISTER, act_register(&e, NODE2), draft_put(d, e, NULL);
		return;
	case 3:
		if (node != NULL && m_measurement(&v, node->n[2]) == NULL)
			act_want(d, DR_ACTION_MEASUREMENT_ALLOW, node->n[2], 0, 0);
		else if (to != NULL && m_measurement(&v, to->n[2]) == NULL)
			act_want(d, DR_ACTION_MEASUREMENT_ALLOW, to->n[2], 0, 0);
		return;
	case 4:
		for (uint64_t kind = DR_HARDWARE_FAMILY; kind <= DR_HARDWARE_TEE; kind++) {
			const uint64_t value = act_hardware(kind);

			if (m_listing(&v, kind, value, SIZE_MAX) != NULL && draft_room(d))
				act_want(d, DR_ACTION_HARDWARE_REINSTATE, kind, value, 0);
		}
		return;
	case 5:
	case 6:
		/* Some are published at the last moment, or a second after it. */
		if (coming % 4 == 3 && r.g[coming].stage == DR_ROOT_DUE && d->time + 1 < r.g[coming].deadline)
			return;
		if (coming != 0 && r.g[coming].stage != DR_ROOT_ORDERED) {
			e.action = DR_ACTION_ROOT_PUBLISH;
			act_publish(&e, d, &r, coming);
			if (e.action == DR_ACTION_ROOT_PUBLISH)
				draft_put(d, e, NULL);
		} else if ((g == 0 || r.g[g].exposed != 0 || odds(r.ordered % 3 == 1 ? 50 : 6)) && coming == 0 &&
			   node != NULL && r.ordered + 2 < M_ROOTS) {
			act_want(d, DR_ACTION_ROOT_ROTATE, r.ordered + 1, odds(80) || to == NULL ? NODE : NODE2, 0);
		}
		return;
	case 7:
		if (g != 0 && !m_holds(&r, g, NODE))
			act_want(d, DR_ACTION_ROOT_SHARE, g, NODE, 0);
		else if (g != 0 && to != NULL && !m_holds(&r, g, NODE2))
			act_want(d, DR_ACTION_ROOT_SHARE, g, NODE2, 0);
		return;
	case 8:
		if (m_app(&v, 0xa1) == NULL) {
			e = (struct m_ev){ .what = M_ACT,
					   .action = DR_ACTION_APP_REGISTER,
					   .by = DEPLOYER,
					   .n = { 0xa1, 0x0c, 50, 3 } };
			draft_put(d, e, NULL);
		} else if (m_version(&v, 0xa1, 0x51) == NULL) {
			act_on(d, DR_ACTION_APP_MEASUREMENT_ALLOW, 0xa1, 0x51, 0);
		} else if (m_handover(&v, 0xa1, 0x50, 0x51) == NULL) {
			act_on(d, DR_ACTION_APP_HANDOVER, 0xa1, 0x50, 0x51);
		}
		return;
	case 9:
		if (m_app(&v, 0xa1) != NULL && m_suspended(&v, 0xa1))
			act_want(d, DR_ACTION_APP_RESUME, 0xa1, 0, 0);
		return;
	case 10:
		if (m_app(&v, 0xa1) != NULL)
			act_do(d, odds(30) ? DR_ACTION_EPOCH_POLICY : DR_ACTION_EPOCH_ADVANCE);
		return;
	case 11:
		if (node != NULL && d->num_nonces > 0)
			act_do(d, DR_ACTION_HEARTBEAT);
		return;
	}
}

static inline void act_noise(struct draft *d)
{
	struct m_ev e = { .what = M_ACT };

	if (!d->readable && odds(20)) {
		e.what = M_UNREADABLE;
		e.n[0] = rnd(3);
		draft_put(d, e, NULL);
		return;
	}
	e.action = m_rules[rnd(sizeof(m_rules) / sizeof(m_rules[0]))].action;
	/* Taking away is obeyed whoever does it: not too often, or nobody has any right. */
	if (e.action == DR_ACTION_PROPOSE || (m_rule(e.action)->revokes && odds(75)))
		return;
	act_args(&e, d);
	if (e.action == DR_ACTION_CONSTITUTE)
		return;
	act_due(&e, d);
	if (odds(50))
		e.by = odds(50) ? EVE : (uint8_t)(1 + rnd(13));
	if (odds(30))
		e.proposal = rnd(20);
	if (odds(20))
		e.n[0] = rnd(3);
	draft_put(d, e, NULL);
}

static const enum dr_action council_acts[] = {
	DR_ACTION_MEMBER_SET,         DR_ACTION_MEMBER_REMOVE,
	DR_ACTION_QUORUM_SET,         DR_ACTION_NOTICE_SET,
	DR_ACTION_NOTICE_SET,         DR_ACTION_GUARDIAN_ADD,
	DR_ACTION_GUARDIAN_REMOVE,    DR_ACTION_MEASUREMENT_ALLOW,
	DR_ACTION_MEASUREMENT_ALLOW,  DR_ACTION_MEASUREMENT_REVOKE,
	DR_ACTION_APP_SUSPEND,        DR_ACTION_APP_RESUME,
	DR_ACTION_APP_RESUME,         DR_ACTION_HARDWARE_BLACKLIST,
	DR_ACTION_HARDWARE_REINSTATE, DR_ACTION_HARDWARE_REINSTATE,
	DR_ACTION_ROOT_ROTATE,        DR_ACTION_ROOT_ROTATE,
	DR_ACTION_ROOT_ROTATE,        DR_ACTION_ROOT_SHARE,
	DR_ACTION_ROOT_SHARE,         DR_ACTION_ROOT_SHARE,
	DR_ACTION_ROOT_RETIRE,        DR_ACTION_ROOT_EXPOSE,
	DR_ACTION_ROOT_EXPOSE,        DR_ACTION_PROFILE_SET,
	DR_ACTION_NODE_SLASH,         DR_ACTION_APP_MEASUREMENT_REVOKE,
};

static const enum dr_action own_acts[] = {
	DR_ACTION_APP_REGISTER,
	DR_ACTION_APP_MEASUREMENT_ALLOW,
	DR_ACTION_APP_MEASUREMENT_ALLOW,
	DR_ACTION_APP_MEASUREMENT_ALLOW,
	DR_ACTION_APP_MEASUREMENT_REVOKE,
	DR_ACTION_APP_SUSPEND,
	DR_ACTION_APP_HANDOVER,
	DR_ACTION_APP_HANDOVER,
	DR_ACTION_APP_HANDOVER_END,
	DR_ACTION_APP_CONFIDENCE_RELAX,
	DR_ACTION_APP_CONFIDENCE_RELAX,
	DR_ACTION_APP_CONFIDENCE_TIGHTEN,
	DR_ACTION_EPOCH_POLICY,
	DR_ACTION_EPOCH_ADVANCE,
	DR_ACTION_EPOCH_ADVANCE,
	DR_ACTION_HEARTBEAT,
	DR_ACTION_HEARTBEAT,
	DR_ACTION_NODE_STAKE,
	DR_ACTION_ROOT_PUBLISH,
};

static const enum dr_action sudden_acts[] = {
	DR_ACTION_NODE_REGISTER,      DR_ACTION_NODE_REGISTER,      DR_ACTION_NODE_DEREGISTER,
	DR_ACTION_MEASUREMENT_REVOKE, DR_ACTION_HARDWARE_BLACKLIST, DR_ACTION_HARDWARE_BLACKLIST,
	DR_ACTION_ROOT_EXPOSE,
};

static inline void act_random(struct draft *d)
{
	const struct m_view v = draft_view(d);
	struct m_ev e = { .what = M_ACT };
	const struct m_ev *p;

	switch (rnd(20)) {
	case 0:
	case 1:
	case 2:
	case 3:
		p = act_open(&v, NULL);
		if (p != NULL)
			act_push(d, p);
		return;
	case 4:
		e.action = PICK(council_acts);
		act_args(&e, d);
		act_propose(d, &e);
		return;
	case 5:
	case 6: act_do(d, PICK(own_acts)); return;
	case 7:
		if (odds(30))
			act_do(d, PICK(sudden_acts));
		return;
	case 8: act_noise(d); return;
	default:
		for (size_t tries = 0, before = d->num; tries < 5 && d->num == before; tries++)
			act_wish(d);
	}
}

/* act_sudden: what a head may bring that nobody saw coming; often that the newest generation is over. */
static inline void act_sudden(struct draft *d)
{
	const struct m_view v = draft_view(d);
	struct m_ev e = { .what = M_ACT, .action = DR_ACTION_ROOT_EXPOSE, .by = GUARDIAN };
	static struct m_roots r;

	m_roots(&r, &v);
	e.n[0] = m_generation(&r);
	e.n[1] = d->time;
	if (e.n[0] != 0 && odds(40))
		draft_put(d, e, NULL);
	else
		act_do(d, PICK(sudden_acts));
}

/* draft_end: what came of each event, now that all of the block's are there. */
static inline void draft_end(struct draft *d)
{
	for (size_t i = d->begin; i < d->num; i++) {
		const struct m_view v = { d->line, i, d->time };

		m_judge(&v, d->line[i], i + 1 < d->num ? d->line[i + 1] : NULL);
	}
}

#endif
