/* SPDX-License-Identifier: Apache-2.0
 *
 * model: the rules of who may have which key, a second time, for test_search.c and tests/simulate: written from what
 * the rules say and not from how derot keeps them. There is no state, no queue and no map here: a question is
 * answered by reading the list of events from the contract's first block to the block that is asked about. All that
 * is remembered of an event is whether it was obeyed.
 *
 * Names, measurements and accounts are small numbers (kit_b and kit_a of fold_kit.h make words of them).
 */
#ifndef DR_TESTS_MODEL_H
#define DR_TESTS_MODEL_H

#include <stdlib.h>
#include <string.h>

#include "governance/decide.h"

enum m_what {
	M_TICK, /* a block begins */
	M_ACT,
	M_UNREADABLE, /* an event that the profile does not know, or cannot read */
};

struct m_ev {
	enum m_what what;
	enum dr_action action;
	uint64_t proposal, due, n[10];
	uint8_t by;
	bool dirty; /* a proposal with a word that its action cannot have */
	struct {    /* of ROOT_PUBLISH: what was signed, and with whose roots */
		uint64_t generation;
		uint8_t node;
		uint16_t seed, prev_seed;   /* names of roots; below 256 what they are made of */
		const uint8_t (*words)[32]; /* the publication as a core told it; NULL: made of the seeds */
		bool spoiled;
	} pub;
	uint64_t time, number;
	bool obeyed, council; /* council: it is what a supported proposal said */
};

/* Every event up to somewhere, and what time it is there. */
struct m_view {
	struct m_ev *const *e;
	size_t num;
	uint64_t now;
};

#define M_GRACE_S 300u  /* the profile's exposure grace */
#define M_OURS    0xffu /* the profile in use here, as an argument of PROFILE_SET */

#define M_BACK(v, x)                                                                                                 \
	for (size_t m_i = (v)->num; m_i > 0; m_i--)                                                                  \
		for (const struct m_ev *x = (v)->e[m_i - 1]; x != NULL; x = NULL)                                    \
			if (x->obeyed)

/* The council */

static inline uint64_t m_weight(const struct m_view *v, uint64_t who, uint64_t at)
{
	M_BACK(v, e)
	{
		if (e->action == DR_ACTION_MEMBER_SET && e->n[0] == who && e->due <= at)
			return e->n[1];
		if (e->action == DR_ACTION_MEMBER_REMOVE && e->n[0] == who && e->time <= at)
			return 0;
	}
	return 0;
}

static inline uint64_t m_quorum(const struct m_view *v, uint64_t at)
{
	M_BACK(v, e)
	if (e->action == DR_ACTION_QUORUM_SET && e->due <= at)
		return e->n[0];
	return 0;
}

static inline uint64_t m_notice(const struct m_view *v, uint64_t class)
{
	M_BACK(v, e)
	if (e->action == DR_ACTION_NOTICE_SET && e->n[0] == class && e->due <= v->now)
		return e->n[1];
	return 0;
}

static inline bool m_guardian(const struct m_view *v, uint64_t who)
{
	M_BACK(v, e)
	{
		if (e->action == DR_ACTION_GUARDIAN_REMOVE && e->n[0] == who)
			return false;
		if (e->action == DR_ACTION_GUARDIAN_ADD && e->n[0] == who && e->due <= v->now)
			return true;
	}
	return false;
}

/* m_proposal: the proposal of that number, if it was rightly made; *open unless cancelled or executed. */
static inline const struct m_ev *m_proposal(const struct m_view *v, uint64_t id, bool *open)
{
	*open = true;
	M_BACK(v, e)
	{
		if (e->proposal != id)
			continue;
		if (e->action == DR_ACTION_PROPOSE)
			return e;
		if (e->action == DR_ACTION_CANCEL || e->action == DR_ACTION_EXECUTE)
			*open = false;
	}
	*open = false;
	return NULL;
}

/* m_proposals: how many numbers the contract gave away. */
static inline uint64_t m_proposals(const struct m_view *v)
{
	uint64_t num = 0;

	for (size_t i = 0; i < v->num; i++)
		if (v->e[i]->what == M_ACT && v->e[i]->action == DR_ACTION_PROPOSE && v->e[i]->proposal == num + 1)
			num++;
	return num;
}

static inline bool m_carried(const struct m_view *v, uint64_t id)
{
	bool open;
	const struct m_ev *p = m_proposal(v, id, &open);
	const uint64_t quorum = p != NULL ? m_quorum(v, p->time) : 0;
	uint64_t yes = 0, no = 0;

	M_BACK(v, e)
	{
		if (e->action != DR_ACTION_VOTE || e->proposal != id)
			continue;
		yes += e->n[1] == 1 ? e->n[0] : 0;
		no += e->n[1] == 1 ? 0 : e->n[0];
	}
	return p != NULL && open && v->now <= p->n[1] && quorum > 0 && yes >= quorum && yes > no;
}

static inline bool m_voted(const struct m_view *v, uint64_t id, uint64_t who)
{
	M_BACK(v, e)
	if (e->action == DR_ACTION_VOTE && e->proposal == id && e->by == who)
		return true;
	return false;
}

/* Rights */

/* m_grant: the announcement of that subject which no end followed. In force from its due on. */
static inline const struct m_ev *m_grant(const struct m_view *v, enum dr_action begin, enum dr_action end, size_t num,
					 uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t subject[3] = { a, b, c };

	M_BACK(v, e)
	if ((e->action == begin || e->action == end) && memcmp(e->n, subject, num * sizeof(*subject)) == 0)
		return e->action == begin ? e : NULL;
	return NULL;
}

static inline const struct m_ev *m_measurement(const struct m_view *v, uint64_t m)
{
	return m_grant(v, DR_ACTION_MEASUREMENT_ALLOW, DR_ACTION_MEASUREMENT_REVOKE, 1, m, 0, 0);
}

static inline const struct m_ev *m_version(const struct m_view *v, uint64_t app, uint64_t m)
{
	return m_grant(v, DR_ACTION_APP_MEASUREMENT_ALLOW, DR_ACTION_APP_MEASUREMENT_REVOKE, 2, app, m, 0);
}

static inline const struct m_ev *m_handover(const struct m_view *v, uint64_t app, uint64_t from, uint64_t to)
{
	return m_grant(v, DR_ACTION_APP_HANDOVER, DR_ACTION_APP_HANDOVER_END, 3, app, from, to);
}

static inline bool m_in_force(const struct m_view *v, const struct m_ev *grant)
{
	return grant != NULL && grant->due <= v->now;
}

static inline const struct m_ev *m_app(const struct m_view *v, uint64_t app)
{
	M_BACK(v, e)
	if (e->action == DR_ACTION_APP_REGISTER && e->n[0] == app)
		return e;
	return NULL;
}

/* m_suspension: what was said last, suspend or resume; NULL: neither ever. */
static inline const struct m_ev *m_suspension(const struct m_view *v, uint64_t app)
{
	M_BACK(v, e)
	if ((e->action == DR_ACTION_APP_SUSPEND || e->action == DR_ACTION_APP_RESUME) && e->n[0] == app)
		return e;
	return NULL;
}

static inline bool m_suspended(const struct m_view *v, uint64_t app)
{
	const struct m_ev *e = m_suspension(v, app);

	return e != NULL && (e->action == DR_ACTION_APP_SUSPEND || e->due > v->now);
}

static inline uint64_t m_confidence(const struct m_view *v, uint64_t app)
{
	M_BACK(v, e)
	{
		if (e->n[0] != app)
			continue;
		if (e->action == DR_ACTION_APP_CONFIDENCE_TIGHTEN ||
		    (e->action == DR_ACTION_APP_CONFIDENCE_RELAX && e->due <= v->now))
			return e->n[1];
		if (e->action == DR_ACTION_APP_REGISTER)
			return e->n[3];
	}
	return 0;
}

/* m_listing: the listing that stands, or NULL. Something due at `now` itself, announced as the idx-th event or later,
 * has not come yet. */
static inline const struct m_ev *m_listing(const struct m_view *v, uint64_t kind, uint64_t value, size_t idx)
{
	bool lifted = false, last = true;

	M_BACK(v, e)
	{
		if (e->n[0] != kind || e->n[1] != value)
			continue;
		if (e->action == DR_ACTION_HARDWARE_BLACKLIST)
			return lifted ? NULL : e;
		if (e->action == DR_ACTION_HARDWARE_REINSTATE && last) {
			last = false; /* announced again: what was announced before is no more */
			lifted = e->due < v->now || (e->due == v->now && m_i - 1 < idx);
		}
	}
	return NULL;
}

static inline bool m_machine_listed(const struct m_view *v, size_t idx, uint64_t tee, uint64_t family, uint64_t svn,
				    uint64_t device)
{
	const struct m_ev *least = m_listing(v, DR_HARDWARE_SVN, family, idx);

	return m_listing(v, DR_HARDWARE_TEE, tee, idx) != NULL ||
	       m_listing(v, DR_HARDWARE_FAMILY, family, idx) != NULL ||
	       m_listing(v, DR_HARDWARE_DEVICE, device, idx) != NULL || (least != NULL && svn < least->n[2]);
}

/* m_node: its registration, or NULL. */
static inline const struct m_ev *m_node(const struct m_view *v, uint64_t id)
{
	return m_grant(v, DR_ACTION_NODE_REGISTER, DR_ACTION_NODE_DEREGISTER, 1, id, 0, 0);
}

static inline bool m_kms(const struct m_view *v, uint64_t id)
{
	const struct m_ev *e = m_node(v, id);

	return e != NULL && e->n[1] == DR_ROLE_KMS;
}

/* m_profile: an announcement counts unless another came before it was due. */
static inline uint64_t m_profile(const struct m_view *v)
{
	uint64_t next = v->now;

	M_BACK(v, e)
	{
		if (e->action != DR_ACTION_PROFILE_SET)
			continue;
		if (e->due <= next)
			return e->n[0];
		next = e->time;
	}
	return 0;
}

static inline bool m_broken(const struct m_view *v)
{
	for (size_t i = 0; i < v->num; i++)
		if (v->e[i]->what == M_UNREADABLE)
			return true;
	return false;
}

/* Roots */

#define M_ROOTS   80u
#define M_HOLDERS 400u

struct m_root {
	enum dr_root_stage stage;
	uint64_t node, due, deadline, exposed, published;
	bool stopped, council, ever; /* ever: published once */
	uint16_t seed;
};

struct m_holder {
	uint64_t generation;
	const struct m_ev *as; /* the registration that it had then */
	bool current;
};

struct m_roots {
	struct m_root g[M_ROOTS];
	uint64_t ordered;
	struct m_holder holders[M_HOLDERS];
	size_t num_holders;
	struct {
		const struct m_ev *share;
		size_t idx;
	} waiting[M_HOLDERS];
	size_t num_waiting;
};

static inline bool m_open(const struct m_root *g)
{
	return g->stage == DR_ROOT_ORDERED || g->stage == DR_ROOT_DUE || g->stage == DR_ROOT_PUBLISHED;
}

static inline bool m_alive(const struct m_roots *r, uint64_t g)
{
	return g > 0 && g < M_ROOTS && r->g[g].stage == DR_ROOT_PUBLISHED && !r->g[g].stopped;
}

/* m_given: it was given the generation, or named to make it, and has not registered anew since. */
static inline bool m_given(const struct m_roots *r, uint64_t g, uint64_t node)
{
	for (size_t i = 0; i < r->num_holders; i++)
		if (r->holders[i].generation == g && r->holders[i].current && r->holders[i].as->n[0] == node)
			return true;
	return false;
}

static inline bool m_holds(const struct m_roots *r, uint64_t g, uint64_t node)
{
	return m_given(r, g, node) && m_alive(r, g);
}

static inline uint64_t m_published_below(const struct m_roots *r, uint64_t g)
{
	uint64_t best = 0;

	for (uint64_t i = 1; i < M_ROOTS && i < g; i++)
		best = r->g[i].ever ? i : best;
	return best;
}

static inline void m_over(struct m_roots *r, uint64_t g)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->num_holders; i++)
		if (r->holders[i].generation != g)
			r->holders[kept++] = r->holders[i];
	r->num_holders = kept;
}

static inline void m_expose(struct m_roots *r, uint64_t g, uint64_t deadline, uint64_t time)
{
	struct m_root *root = &r->g[g];

	if (!m_open(root) || root->stopped || (root->exposed != 0 && deadline >= root->exposed))
		return;
	root->exposed = deadline > 0 ? deadline : 1;
	root->stopped = deadline <= time;
	if (root->stopped)
		m_over(r, g);
}

/* m_hold: node is given the generation, as it is registered then. */
static inline void m_hold(struct m_roots *r, uint64_t g, const struct m_view *when, uint64_t node)
{
	const struct m_ev *as = m_node(when, node);

	if (as != NULL && r->num_holders < M_HOLDERS)
		r->holders[r->num_holders++] = (struct m_holder){ g, as, true };
}

/* m_lost: a published generation whose holder's build or machine has lost its right is exposed. when, idx: what has
 * happened by then; time: of the block. */
static inline void m_lost(struct m_roots *r, uint64_t g, const struct m_view *when, size_t idx, uint64_t node,
			  uint64_t time)
{
	const struct m_ev *as = m_node(when, node);

	if (as != NULL && m_alive(r, g) &&
	    (m_measurement(when, as->n[2]) == NULL ||
	     m_machine_listed(when, idx, as->n[4], as->n[5], as->n[6], as->n[7])))
		m_expose(r, g, time + M_GRACE_S, time);
}

static inline bool m_hit(const struct m_ev *e, const struct m_ev *as)
{
	if (e->action == DR_ACTION_MEASUREMENT_REVOKE)
		return as->n[2] == e->n[0];
	switch ((enum dr_hardware)e->n[0]) {
	case DR_HARDWARE_FAMILY: return as->n[5] == e->n[1];
	case DR_HARDWARE_SVN: return as->n[5] == e->n[1] && as->n[6] < e->n[2];
	case DR_HARDWARE_DEVICE: return as->n[7] == e->n[1];
	case DR_HARDWARE_TEE: return as->n[4] == e->n[1];
	case DR_HARDWARE_ADVISORY: return false;
	}
	return false;
}

static inline void m_tick(struct m_roots *r, const struct m_view *v, size_t at, uint64_t time)
{
	size_t kept = 0;

	for (uint64_t g = 1; g <= r->ordered; g++) {
		struct m_root *root = &r->g[g];

		if (root->stage == DR_ROOT_ORDERED && root->due <= time) {
			const struct m_view when = { v->e, at, time };

			root->stage = DR_ROOT_DUE; /* from now on its node may have the keys */
			if (m_kms(&when, root->node))
				m_hold(r, g, &when, root->node);
		}
		if (root->stage == DR_ROOT_DUE && time > root->deadline) {
			root->stage = DR_ROOT_FAILED;
			m_over(r, g);
		}
		if (m_open(root) && root->exposed != 0 && root->exposed <= time && !root->stopped) {
			root->stopped = true;
			m_over(r, g);
		}
	}
	for (size_t i = 0; i < r->num_waiting; i++) {
		const struct m_ev *share = r->waiting[i].share;
		const struct m_view when = { v->e, at, share->due };

		if (share->due > time)
			r->waiting[kept++] = r->waiting[i];
		else if (m_alive(r, share->n[0])) {
			m_hold(r, share->n[0], &when, share->n[1]);
			m_lost(r, share->n[0], &when, r->waiting[i].idx, share->n[1], time);
		}
	}
	r->num_waiting = kept;
}

/* m_forget_share: what waits for the node (and the generation, unless 0) is no more. */
static inline void m_forget_share(struct m_roots *r, uint64_t node, uint64_t g)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->num_waiting; i++)
		if (r->waiting[i].share->n[1] != node || (g != 0 && r->waiting[i].share->n[0] != g))
			r->waiting[kept++] = r->waiting[i];
	r->num_waiting = kept;
}

static inline void m_root_event(struct m_roots *r, const struct m_view *v, size_t at)
{
	const struct m_ev *e = v->e[at];
	const struct m_view when = { v->e, at, e->time };
	struct m_root *root = &r->g[e->n[0] < M_ROOTS ? e->n[0] : 0];

	switch ((int)e->action) {
	case DR_ACTION_ROOT_ROTATE:
		*root = (struct m_root){
			.stage = DR_ROOT_ORDERED, .node = e->n[1], .due = e->due, .deadline = e->n[2]
		};
		if (e->due <= e->time) {
			root->stage = DR_ROOT_DUE;
			m_hold(r, e->n[0], &when, e->n[1]);
		}
		r->ordered = e->n[0];
		return;
	case DR_ACTION_ROOT_PUBLISH:
		root->stage = DR_ROOT_PUBLISHED;
		root->published = e->time;
		root->seed = e->pub.seed;
		root->ever = true;
		m_lost(r, e->n[0], &when, SIZE_MAX, root->node, e->time);
		return;
	case DR_ACTION_ROOT_SHARE:
		m_forget_share(r, e->n[1], e->n[0]);
		if (e->due <= e->time) {
			m_hold(r, e->n[0], &when, e->n[1]);
			m_lost(r, e->n[0], &when, SIZE_MAX, e->n[1], e->time);
		} else if (r->num_waiting < M_HOLDERS) {
			r->waiting[r->num_waiting].share = e;
			r->waiting[r->num_waiting++].idx = at;
		}
		return;
	case DR_ACTION_ROOT_RETIRE:
		root->stage = DR_ROOT_RETIRED;
		root->council |= e->council;
		m_over(r, e->n[0]);
		return;
	case DR_ACTION_ROOT_EXPOSE:
		m_expose(r, e->n[0], e->n[1], e->time);
		root->council |= e->council;
		return;
	case DR_ACTION_NODE_REGISTER:
	case DR_ACTION_NODE_DEREGISTER:
		m_forget_share(r, e->n[0], 0);
		for (size_t i = 0; i < r->num_holders; i++)
			if (r->holders[i].as->n[0] == e->n[0])
				r->holders[i].current = false;
		return;
	case DR_ACTION_MEASUREMENT_REVOKE:
	case DR_ACTION_HARDWARE_BLACKLIST:
		for (size_t i = 0; i < r->num_holders; i++)
			if (m_hit(e, r->holders[i].as))
				m_expose(r, r->holders[i].generation, e->time + M_GRACE_S, e->time);
		return;
	}
}

/* m_roots: what became of every generation. */
static inline void m_roots(struct m_roots *r, const struct m_view *v)
{
	memset(r, 0, sizeof(*r));
	for (size_t i = 0; i < v->num; i++) {
		if (v->e[i]->what == M_TICK)
			m_tick(r, v, i, v->e[i]->time);
		else if (v->e[i]->obeyed)
			m_root_event(r, v, i);
	}
}

static inline uint64_t m_generation(const struct m_roots *r)
{
	const uint64_t g = m_published_below(r, M_ROOTS);

	return m_alive(r, g) ? g : 0;
}

/* Epochs */

struct m_epoch {
	bool set;
	uint64_t period, overlap, epoch, since;
};

static inline void m_carry(struct m_epoch *p, uint64_t until)
{
	while (p->period > 0 && p->since + p->period <= until) {
		p->since += p->period;
		p->epoch++;
	}
}

static inline void m_new_policy(struct m_epoch *p, const struct m_ev *e)
{
	m_carry(p, e->due);
	if (!p->set)
		p->since = e->due;
	p->set = true;
	p->period = e->n[2];
	p->overlap = e->n[3];
	m_carry(p, e->due);
}

static inline void m_epoch(struct m_epoch *p, const struct m_view *v, uint64_t app, uint64_t service)
{
	const struct m_ev *waiting = NULL;

	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < v->num; i++) {
		const struct m_ev *e = v->e[i];

		if (!e->obeyed || (e->action != DR_ACTION_EPOCH_POLICY && e->action != DR_ACTION_EPOCH_ADVANCE) ||
		    e->n[0] != app || e->n[1] != service)
			continue;
		if (waiting != NULL && waiting->due <= e->time) {
			m_new_policy(p, waiting);
			waiting = NULL;
		}
		if (e->action == DR_ACTION_EPOCH_ADVANCE) {
			m_carry(p, e->time);
			p->epoch++;
			p->since = e->time;
		} else if (e->due <= e->time) {
			m_new_policy(p, e);
			waiting = NULL;
		} else {
			waiting = e;
		}
	}
	if (waiting != NULL && waiting->due <= v->now)
		m_new_policy(p, waiting);
	m_carry(p, v->now);
}

#endif
