/* SPDX-License-Identifier: Apache-2.0
 *
 * search_ask: random questions about the chain of search_world.h, and what the model says to them.
 */
#ifndef DR_TESTS_SEARCH_ASK_H
#define DR_TESTS_SEARCH_ASK_H

#include "tests/unit/kms-bridge/search_world.h"

static inline struct dr_request random_request(void)
{
	struct dr_request r = { .purpose = (uint8_t)(1 + rnd(6)),
				.svn = 3 + rnd(4),
				.confidence = (uint8_t)(1 + rnd(3)) };

	memset(r.app, odds(95) ? 0xa1 : (int)PICK(apps), 32);
	memset(r.measurement, odds(85) ? 0x51 : (int)PICK(versions), 32);
	memset(r.tee, (int)PICK(tees), 32);
	memset(r.family, (int)PICK(families), 32);
	memset(r.device, odds(98) ? (int)PICK(devices) : 0, 32);
	if (r.purpose >= DR_PURPOSE_STORAGE ? odds(97) : odds(50))
		memset(r.service, (int)PICK(services), 32);
	if (r.purpose == DR_PURPOSE_CONTRACT ? odds(97) : odds(2))
		memset(r.contract, 0x77, 32);
	r.back = odds(15) ? (uint8_t)(odds(97) ? 1 : 2) : 0;
	r.has_from = odds(30);
	if (r.has_from)
		memset(r.from, odds(75) ? 0x50 : (int)PICK(versions), 32);
	r.root_back = (r.has_from && odds(50)) || odds(1) ? (uint8_t)(odds(98) ? 1 : 2) : 0;
	if (odds(20)) {
		r.num_advisories = 1;
		memset(r.advisories[0], (int)PICK(advisories), 32);
	}
	if (odds(3))
		r.confidence = (uint8_t)rnd(8);
	if (odds(1))
		r.purpose = (uint8_t)rnd(9);
	return r;
}

static inline size_t head_views(const struct search *s, struct m_view *out)
{
	size_t num = 0;

	for (size_t i = 0; i < s->num; i++)
		if (s->blocks[i]->counts)
			out[num++] = view_of(s->blocks[i]);
	return num;
}

/* tell: for whoever reads a failure: what the model thinks of each part of the question, where final and at heads. */
static inline void tell(const struct search *s, const struct dr_request *q, const struct m_view *heads, size_t num)
{
	static struct m_roots r;
	struct m_view v = view_of(s->final_);

	for (size_t i = 0; i <= num; v = heads[i < num ? i : 0], i++) {
		m_roots(&r, &v);
		print_message(
			"%s at %llu, %zu events: standing %d, node %d, app %d (known %d, suspended %d, version %d, "
			"machine listed %d, confidence %llu), ordered %llu, generation %llu, held %d\n",
			i == 0 ? "final" : "head", (unsigned long long)v.now, v.num, m_standing(&v),
			m_node_right(&v, NODE), m_app_right(&v, q), m_app(&v, q->app[31]) != NULL,
			m_suspended(&v, q->app[31]), m_in_force(&v, m_version(&v, q->app[31], q->measurement[31])),
			m_machine_listed(&v, SIZE_MAX, q->tee[31], q->family[31], q->svn, q->device[31]),
			(unsigned long long)m_confidence(&v, q->app[31]), (unsigned long long)r.ordered,
			(unsigned long long)m_generation(&r), m_holds(&r, m_generation(&r), NODE));
		for (uint64_t g = 1; g <= r.ordered; g++)
			print_message(
				"  generation %llu: stage %d, node %llu, exposed %llu, stopped %d, council %d\n",
				(unsigned long long)g, (int)r.g[g].stage, (unsigned long long)r.g[g].node,
				(unsigned long long)r.g[g].exposed, r.g[g].stopped, r.g[g].council);
	}
}

#endif
