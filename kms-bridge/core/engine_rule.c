/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/engine_impl.h"

#include <stdio.h>
#include <string.h>

const char *dr_seal_text(enum dr_seal seal)
{
	switch (seal) {
	case DR_SEAL_NOT_STARTED: return "sealed: not started";
	case DR_SEAL_FAILED: return "sealed: something could not be kept; this core must stop";
	case DR_SEAL_HALTED: return "sealed: halted by a contradiction of something final";
	case DR_SEAL_START: return "sealed: no complete final block has been proven since the start";
	case DR_SEAL_STALE: return "sealed: the newest complete final block is older than max_staleness";
	case DR_SEAL_HEAD_STALE: return "sealed: the newest complete head is older than head_staleness";
	case DR_SEAL_FUTURE: return "sealed: the chain's time is far ahead of the wall clock";
	case DR_SEAL_HEADS: return "sealed: more heads at once than can be counted";
	case DR_SEAL_LEFT_OUT: return "sealed: the contract's accumulator is not that of the proven events";
	case DR_SEAL_NONE: return "";
	}
	return "sealed";
}

enum dr_seal dr_engine_seal(const struct dr_engine *e)
{
	const uint64_t limit_s = e->init.max_staleness_s, wall_s = e->clock.wall_ms / 1000;
	const uint64_t head_limit_s = e->init.head_staleness_s;
	const uint64_t newest = e->head_time > e->final_.time ? e->head_time : e->final_.time;

	if (e->failed)
		return DR_SEAL_FAILED;
	if (!e->started)
		return DR_SEAL_NOT_STARTED;
	if (dr_follow_halted(e->follow))
		return DR_SEAL_HALTED;
	if (!e->has_final || e->unproven)
		return DR_SEAL_START;
	if (wall_s > e->final_.time && wall_s - e->final_.time > limit_s)
		return DR_SEAL_STALE;
	if (e->clock.boot_ms < e->lease_boot_ms || (e->clock.boot_ms - e->lease_boot_ms) / 1000 > limit_s)
		return DR_SEAL_STALE;
	if (e->final_.time > wall_s && e->final_.time - wall_s > limit_s)
		return DR_SEAL_FUTURE;
	if (head_limit_s != 0 && wall_s > newest && wall_s - newest > head_limit_s)
		return DR_SEAL_HEAD_STALE;
	if (e->heads_lost)
		return DR_SEAL_HEADS;
	if (e->left_out)
		return DR_SEAL_LEFT_OUT;
	return DR_SEAL_NONE;
}

bool dr_engine_sealed(const struct dr_engine *e, const char **why)
{
	*why = dr_seal_text(e->seal);
	return e->seal != DR_SEAL_NONE;
}

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

const struct dr_merkle *dr_engine_ledger(const struct dr_engine *e)
{
	return &e->ledger;
}

const struct dr_merkle *dr_engine_journal(const struct dr_engine *e)
{
	return &e->journal;
}

static uint64_t lease_left(const struct dr_engine *e)
{
	const uint64_t limit_s = e->init.max_staleness_s, wall_s = e->clock.wall_ms / 1000;
	const uint64_t by_wall = wall_s > e->final_.time ? wall_s - e->final_.time : 0;
	const uint64_t by_boot = (e->clock.boot_ms - e->lease_boot_ms) / 1000;
	const uint64_t used = by_wall > by_boot ? by_wall : by_boot;

	return e->seal != DR_SEAL_NONE || used > limit_s ? 0 : limit_s - used;
}

void dr_engine_status(const struct dr_engine *e, struct dr_status_report *out)
{
	uint8_t hash[32];

	memset(out, 0, sizeof(*out));
	out->chain_id = e->init.chain_id;
	memcpy(out->contract, e->init.contract, 20);
	out->proof = e->init.proof;
	out->quorum_k = e->init.quorum_k;
	out->quorum_n = e->init.quorum_n;
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
	snprintf(out->why, sizeof(out->why), "%s", dr_seal_text(e->seal));
	out->lease_left_s = lease_left(e);
	out->ledger_size = e->ledger.size;
	dr_merkle_root(out->ledger_root, &e->ledger);
	out->journal_size = e->journal.size;
	dr_merkle_root(out->journal_root, &e->journal);
	dr_state_digest(out->state_digest, &e->state);
	memcpy(out->profile_digest, e->profile.digest, 32);
	out->generation = dr_state_generation(&e->state);
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
