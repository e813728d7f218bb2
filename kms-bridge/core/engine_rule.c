/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/engine_impl.h"

#include <stdio.h>
#include <string.h>

bool dr_engine_halted(const struct dr_engine *e)
{
	return dr_follow_halted(e->follow);
}

/* The distinct states among the counting heads, for one decision. */
static size_t distinct_heads(const struct dr_engine *e)
{
	size_t num = 0;

	for (size_t i = 0; i < e->num_heads; i++) {
		const struct dr_state *s = &e->heads[i].state;

		if (dr_map_same(s->map, e->state.map) ||
		    (num > 0 && dr_map_same(s->map, e->head_states[num - 1].map)))
			continue;
		e->head_states[num++] = *s;
	}
	return num;
}

bool dr_engine_state_is_old(const struct dr_engine *e)
{
	return !e->judged ||
	       (e->final_.time > e->judged_time && e->final_.time - e->judged_time > e->init.max_staleness_s);
}

void dr_engine_ask(const struct dr_engine *e, struct dr_decision *decision, const struct dr_request *request)
{
	struct dr_root published;

	memset(decision, 0, sizeof(*decision));
	if (e->seal != DR_SEAL_NONE || !e->has_final) {
		decision->deny = DR_DENY_SEALED;
		return;
	}
	dr_decide_effective(decision, &e->state, e->final_.time, e->head_states, distinct_heads(e), &e->self,
			    request);
	if (decision->verdict != DR_ALLOW)
		return;
	decision->deny = dr_divergence_verdict(e->divergence, &e->self, &e->state, request, decision);
	if (decision->deny == DR_DENY_NONE && dr_engine_state_is_old(e))
		decision->deny = DR_DENY_CODE;
	if (decision->deny == DR_DENY_NONE && e->own_root != NULL &&
	    !(dr_state_root(&published, &e->state, decision->generation) &&
	      e->own_root(e->own_root_ctx, decision->generation, &published)))
		decision->deny = DR_DENY_ROOT_FOREIGN;
	if (decision->deny != DR_DENY_NONE)
		decision->verdict = DR_DENY;
}

enum dr_deny dr_engine_ask_share(const struct dr_engine *e, uint64_t generation, const uint8_t to[static 20])
{
	enum dr_deny why;

	if (e->seal != DR_SEAL_NONE || !e->has_final)
		return DR_DENY_SEALED;
	why = dr_decide_share(&e->state, e->head_states, distinct_heads(e), &e->self, generation, to);
	if (why == DR_DENY_NONE)
		why = dr_divergence_share(e->divergence, &e->self, &e->state, generation, to);
	return why == DR_DENY_NONE && dr_engine_state_is_old(e) ? DR_DENY_CODE : why;
}

void dr_engine_own_root(struct dr_engine *e,
			bool (*own)(void *ctx, uint64_t generation, const struct dr_root *published), void *ctx)
{
	e->own_root = own;
	e->own_root_ctx = ctx;
}

bool dr_engine_state(const struct dr_engine *e, const struct dr_state **state, uint64_t *time)
{
	*state = &e->state;
	*time = e->has_final ? e->final_.time : 0;
	return e->has_final;
}

bool dr_engine_caught_up(const struct dr_engine *e)
{
	uint64_t target = 0;
	uint8_t hash[32];

	dr_follow_target(e->follow, &target, hash);
	return e->has_final && target <= e->final_.number;
}

const struct dr_merkle *dr_engine_ledger(const struct dr_engine *e)
{
	return &e->ledger;
}

const struct dr_merkle *dr_engine_journal(const struct dr_engine *e)
{
	return &e->journal;
}

static void status_beacon(const struct dr_engine *e, struct dr_status_report *out)
{
	struct dr_beacon_status s;

	if (e->beacon == NULL)
		return;
	dr_beacon_status(e->beacon, &s);
	snprintf(out->network, sizeof(out->network), "%s", dr_beacon_network(e->beacon)->name);
	memcpy(out->checkpoint, e->init.checkpoint, 32);
	memcpy(out->checkpoint_from, e->init.checkpoint_from, sizeof(out->checkpoint_from));
	memcpy(out->checkpoint_aged, e->init.checkpoint_aged, sizeof(out->checkpoint_aged));
	out->beacon_ready = s.ready;
	out->beacon_aged = s.aged;
	out->checkpoint_slot = s.checkpoint_slot;
	out->final_slot = s.final_slot;
	out->head_slot = s.head_slot;
	out->period = s.period;
	out->period_now = s.period_now;
	memcpy(out->final_root, s.final_root, 32);
	out->participation = s.participation;
	out->committee = s.committee;
	out->beacon_age_s = s.age_s;
}

void dr_engine_status(const struct dr_engine *e, struct dr_status_report *out)
{
	struct dr_root root;
	uint8_t hash[32];

	memset(out, 0, sizeof(*out));
	out->chain_id = e->init.chain_id;
	memcpy(out->contract, e->init.contract, 20);
	out->proof = e->init.proof;
	out->quorum_k = e->init.quorum_k;
	out->quorum_n = e->init.quorum_n;
	status_beacon(e, out);
	out->start_number = e->init.start_number;
	out->anchored = e->init.anchored;
	out->has_final = e->has_final;
	out->final_number = e->final_.number;
	out->final_time = e->final_.time;
	memcpy(out->final_hash, e->final_.hash, 32);
	dr_follow_target(e->follow, &out->target_number, hash);
	out->head_number = e->head_number;
	out->head_time = e->head_time;
	out->heads_counting = (uint32_t)e->num_heads;
	out->sealed = e->seal != DR_SEAL_NONE;
	out->halted = dr_follow_halted(e->follow);
	snprintf(out->why, sizeof(out->why), "%s", dr_engine_why(e));
	out->lease_left_s = dr_engine_lease_left(e);
	out->heartbeat = e->init.heartbeat;
	out->heartbeat_age_s = dr_engine_heartbeat_age(e);
	out->ledger_size = e->ledger.size;
	dr_merkle_root(out->ledger_root, &e->ledger);
	out->journal_size = e->journal.size;
	dr_merkle_root(out->journal_root, &e->journal);
	dr_state_digest(out->state_digest, &e->state);
	memcpy(out->profile_digest, e->profile.digest, 32);
	out->generation = dr_state_generation(&e->state);
	if (dr_state_root(&root, &e->state, out->generation))
		out->rotation_deadline = root.exposed_deadline;
	out->divergences = e->num_divergences + (e->left_out ? 1 : 0);
	out->findings = e->num_findings;
	out->frames_kept = e->frames_kept;
	out->frames_refused = e->frames_refused;
	out->num_endpoints = e->init.quorum_n;
	for (size_t i = 0; i < e->init.quorum_n; i++) {
		memcpy(out->endpoints[i].name, e->init.endpoints[i], sizeof(out->endpoints[i].name));
		out->endpoints[i].lies = e->lies[i];
	}
}
