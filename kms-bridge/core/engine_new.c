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
		.finality = e->finality,
	};
	memcpy(out->contract, init->contract, 20);
	memcpy(out->start_hash, init->start_hash, 32);
	memcpy(out->code_hash, e->profile.code_hash, 32);
	dr_word_put(out->count_slot, e->profile.count_slot);
	dr_word_put(out->acc_slot, e->profile.acc_slot);
}

static enum dr_err by_quorum(struct dr_engine *e, const struct dr_init *init, struct dr_fail *fail)
{
	if (init->quorum_k < 1 || init->quorum_k > init->quorum_n || init->quorum_n > DR_ENDPOINTS_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "quorum: 1 <= k <= n <= 16 endpoints", 0);
	/* Who may speak now is held against the configuration where messages come in. What is on record was said by
	 * those who were configured then: there may have been more. */
	e->quorum = dr_quorum_new(init->quorum_k, DR_ENDPOINTS_MAX);
	if (e->quorum == NULL)
		return dr_fail_set(fail, DR_ERR_NOMEM, "no memory for the engine", 0);
	e->finality = dr_quorum_finality(e->quorum);
	return DR_OK;
}

static enum dr_err by_consensus(struct dr_engine *e, const struct dr_init *init, struct dr_fail *fail)
{
	struct dr_beacon_config config = { .max_age_s = init->checkpoint_max_age_s,
					   .aged = init->checkpoint_aged[0] != '\0' };

	if (init->quorum_k != 0 || init->quorum_n > DR_ENDPOINTS_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "consensus: no quorum, and at most 16 sources", 0);
	/* A longer one would be an old checkpoint accepted without anybody's name, and shown nowhere. */
	if (config.max_age_s > DR_BEACON_AGE_DEFAULT_S && !config.aged)
		return dr_fail_set(fail, DR_ERR_LIMIT,
				   "consensus: an age limit beyond fourteen days, by nobody's word", 0);
	if (dr_bytes_zero(init->checkpoint, 32))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "consensus: no checkpoint to begin from", 0);
	if (dr_network_decode(&config.net, init->network, fail) != DR_OK)
		return fail->err;
	memcpy(config.checkpoint, init->checkpoint, 32);
	e->beacon = dr_beacon_new(&config);
	if (e->beacon == NULL)
		return dr_fail_set(fail, DR_ERR_NOMEM, "no memory for the engine", 0);
	e->finality = dr_beacon_finality(e->beacon);
	return DR_OK;
}

/* What finality stands on. */
static enum dr_err set_finality(struct dr_engine *e, const struct dr_init *init, struct dr_fail *fail)
{
	switch ((enum dr_proof)init->proof) {
	case DR_PROOF_QUORUM: return by_quorum(e, init, fail);
	case DR_PROOF_CONSENSUS: return by_consensus(e, init, fail);
	case DR_PROOF_NONE:
	case DR_PROOF_SEALS:
	case DR_PROOF_L1: break;
	}
	return dr_fail_set(fail, DR_ERR_UNKNOWN, "proof: this build follows quorum and consensus", init->proof);
}

struct dr_engine *dr_engine_new(const struct dr_init *init, const struct dr_engine_host *host, struct dr_fail *fail)
{
	struct dr_follow_config config;
	struct dr_engine *e = dr_heap_alloc(sizeof(*e));

	if (e == NULL) {
		dr_fail_set(fail, DR_ERR_NOMEM, "no memory for the engine", 0);
		return NULL;
	}
	if (init->start_number < 1 || init->step_max < 1 || init->step_max > DR_FOLLOW_STEP_MAX)
		return broken(e, fail, DR_ERR_LIMIT, "start block (>= 1) or step (1 to 512)");
	if (init->way > DR_WAY_ACCUMULATOR)
		return broken(e, fail, DR_ERR_UNKNOWN, "completeness way");
	e->init = *init;
	e->init.profile = e->init.network = (struct dr_bytes){ NULL, 0 };
	e->host = *host;
	if (e->init.max_staleness_s == 0)
		e->init.max_staleness_s = DR_STALENESS_DEFAULT_S;
	if (set_finality(e, init, fail) != DR_OK || dr_profile_decode(&e->profile, init->profile, fail) != DR_OK) {
		dr_engine_free(e);
		return NULL;
	}
	memcpy(e->self.node, init->node, 20);
	memcpy(e->self.profile, e->profile.digest, 32);
	e->findings = dr_findings_new(e->profile.stealth_window_s);
	e->divergence = dr_divergence_new();
	e->heads = dr_heap_alloc(DR_HEADS_MAX * sizeof(*e->heads));
	e->head_states = dr_heap_alloc(DR_HEADS_MAX * sizeof(*e->head_states));
	follow_config(&config, e, init);
	e->follow = dr_follow_new(&config);
	if (e->findings == NULL || e->divergence == NULL || e->heads == NULL || e->head_states == NULL ||
	    e->follow == NULL)
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
	dr_beacon_free(e->beacon);
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

void dr_engine_refold_to(struct dr_engine *e, uint64_t number)
{
	if (e->finality.settled != NULL)
		e->finality.settled(e->finality.self, number);
}

void dr_engine_quiet(struct dr_engine *e, bool quiet)
{
	e->quiet = quiet;
}
