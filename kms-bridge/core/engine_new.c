/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/engine_impl.h"

#include <string.h>

static struct dr_engine *broken(struct dr_engine *e, struct dr_fail *fail, enum dr_err err, const char *what)
{
	dr_fail_set(fail, err, what, 0);
	dr_engine_free(e);
	return NULL;
}

static void follow_config(struct dr_follow_config *out, const struct dr_engine *e, const struct dr_init *init)
{
	*out = (struct dr_follow_config){
		.start_number = init->start_number,
		.step_max = init->step_max,
		.way = (enum dr_way)init->way,
		.has_accumulator = e->profile.has_accumulator,
		.finality = dr_quorum_finality(e->quorum),
	};
	memcpy(out->contract, init->contract, 20);
	memcpy(out->start_hash, init->start_hash, 32);
	memcpy(out->code_hash, e->profile.code_hash, 32);
	dr_word_put(out->count_slot, e->profile.count_slot);
	dr_word_put(out->acc_slot, e->profile.acc_slot);
}

struct dr_engine *dr_engine_new(const struct dr_init *init, const struct dr_engine_host *host, struct dr_fail *fail)
{
	struct dr_follow_config config;
	struct dr_engine *e = dr_heap_alloc(sizeof(*e));

	if (e == NULL) {
		dr_fail_set(fail, DR_ERR_NOMEM, "no memory for the engine", 0);
		return NULL;
	}
	if (init->proof != DR_PROOF_QUORUM)
		return broken(e, fail, DR_ERR_UNKNOWN, "proof: this build follows proof quorum only");
	if (init->quorum_k < 1 || init->quorum_k > init->quorum_n || init->quorum_n > DR_ENDPOINTS_MAX)
		return broken(e, fail, DR_ERR_LIMIT, "quorum: 1 <= k <= n <= 16 endpoints");
	if (init->start_number < 1 || init->step_max < 1 || init->step_max > DR_FOLLOW_STEP_MAX)
		return broken(e, fail, DR_ERR_LIMIT, "start block (>= 1) or step (1 to 512)");
	if (init->way > DR_WAY_ACCUMULATOR)
		return broken(e, fail, DR_ERR_UNKNOWN, "completeness way");
	e->init = *init;
	e->init.profile = (struct dr_bytes){ NULL, 0 };
	e->host = *host;
	if (e->init.max_staleness_s == 0)
		e->init.max_staleness_s = DR_STALENESS_DEFAULT_S;
	if (dr_profile_decode(&e->profile, init->profile, fail) != DR_OK) {
		dr_engine_free(e);
		return NULL;
	}
	memcpy(e->self.node, init->node, 20);
	memcpy(e->self.profile, e->profile.digest, 32);
	e->quorum = dr_quorum_new(init->quorum_k, init->quorum_n);
	e->findings = dr_findings_new(e->profile.stealth_window_s);
	e->divergence = dr_divergence_new();
	e->heads = dr_heap_alloc(DR_HEADS_MAX * sizeof(*e->heads));
	e->head_states = dr_heap_alloc(DR_HEADS_MAX * sizeof(*e->head_states));
	if (e->quorum != NULL) {
		follow_config(&config, e, init);
		e->follow = dr_follow_new(&config);
	}
	if (e->quorum == NULL || e->findings == NULL || e->divergence == NULL || e->heads == NULL ||
	    e->head_states == NULL || e->follow == NULL)
		return broken(e, fail, DR_ERR_NOMEM, "no memory for the engine");
	e->fold = (struct dr_fold){
		.chain_id = init->chain_id, .start_number = init->start_number, .profile = &e->profile, .ctx = e
	};
	memcpy(e->fold.genesis, init->genesis, 32);
	memcpy(e->fold.contract, init->contract, 20);
	dr_merkle_init(&e->ledger);
	dr_merkle_init(&e->journal);
	e->seal = DR_SEAL_NOT_STARTED;
	return e;
}

void dr_engine_free(struct dr_engine *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->num_heads; i++)
		dr_state_drop(&e->heads[i].state);
	dr_state_drop(&e->state);
	dr_state_drop(&e->check.state);
	dr_follow_free(e->follow);
	dr_quorum_free(e->quorum);
	dr_findings_free(e->findings);
	dr_divergence_free(e->divergence);
	dr_heap_free(e->heads);
	dr_heap_free(e->head_states);
	dr_heap_free(e);
}

void dr_engine_journal_at(struct dr_engine *e, const struct dr_merkle *journal)
{
	e->journal = *journal;
}

void dr_engine_quiet(struct dr_engine *e, bool quiet)
{
	e->quiet = quiet;
}
