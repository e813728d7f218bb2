/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/proto.h"

#include <string.h>

#include "kms-bridge/proto_code.h"

static void code_request(struct dr_code *c, struct dr_request *m)
{
	uint8_t bytes[DR_REQUEST_LEN_MAX];
	struct dr_fail own = { 0 };
	struct dr_bytes run = { bytes, 0 };

	if (c->way != DR_CODE_READ && dr_request_encode(bytes, sizeof(bytes), &run.len, m, &own) != DR_OK) {
		dr_code_fail(c, own.err, own.what);
		return;
	}
	dr_code_run(c, &run, DR_REQUEST_LEN_MAX);
	if (c->way == DR_CODE_READ && dr_code_ok(c) && dr_request_decode(m, run, &own) != DR_OK)
		dr_code_fail(c, own.err, own.what);
}

static void code_change(struct dr_code *c, struct dr_change *m)
{
	uint8_t bytes[DR_CHANGE_LEN_MAX];
	struct dr_fail own = { 0 };
	struct dr_bytes run = { bytes, 0 };

	if (c->way != DR_CODE_READ && dr_change_encode(bytes, sizeof(bytes), &run.len, m, &own) != DR_OK) {
		dr_code_fail(c, own.err, own.what);
		return;
	}
	dr_code_run(c, &run, DR_CHANGE_LEN_MAX);
	if (c->way == DR_CODE_READ && dr_code_ok(c) && dr_change_decode(m, run, &own) != DR_OK)
		dr_code_fail(c, own.err, own.what);
}

static void code_decision(struct dr_code *c, struct dr_decision *m)
{
	uint8_t verdict = (uint8_t)m->verdict, deny = (uint8_t)m->deny;

	dr_code_range(c, &verdict, DR_DENY, DR_ALLOW, "a verdict is deny or allow");
	dr_code_range(c, &deny, DR_DENY_NONE, DR_DENY_ROOT_SHARE, "a reason to deny that is not known");
	if (verdict == DR_ALLOW && deny != DR_DENY_NONE)
		dr_code_fail(c, DR_ERR_SYNTAX, "an ALLOW carries no reason to deny");
	m->verdict = verdict == DR_ALLOW && dr_code_ok(c) ? DR_ALLOW : DR_DENY;
	m->deny = (enum dr_deny)deny;
	dr_code_u64(c, &m->generation);
	dr_code_u64(c, &m->epoch);
	dr_code_copy(c, m->app_hash, 32);
	dr_code_copy(c, m->deployer, 20);
	dr_code_copy(c, m->nonce, 32);
	dr_code_u64(c, &m->epoch_time);
	dr_code_u64(c, &m->root_time);
}

static void code_init(struct dr_code *c, void *ptr)
{
	struct dr_init *m = ptr;

	dr_code_u32(c, &m->version);
	const bool before = c->way == DR_CODE_READ && m->version == 1; /* in a recording */

	if (dr_code_ok(c) && m->version != DR_PROTO_VERSION && !before)
		dr_code_fail(c, DR_ERR_UNKNOWN, "version of the protocol between the processes");
	dr_code_range(c, &m->mode, DR_MODE_RUN, DR_MODE_KEY_FILE, "mode of the core");
	dr_code_range(c, &m->clock, DR_CLOCK_SYSTEM, DR_CLOCK_CHAIN, "clock source");
	dr_code_range(c, &m->proof, DR_PROOF_QUORUM, DR_PROOF_L1, "proof");
	dr_code_range(c, &m->way, DR_WAY_BLOOM, DR_WAY_ACCUMULATOR, "way of completeness");
	dr_code_u64(c, &m->chain_id);
	dr_code_copy(c, m->genesis, 32);
	dr_code_copy(c, m->contract, 20);
	dr_code_u64(c, &m->start_number);
	dr_code_copy(c, m->start_hash, 32);
	dr_code_u16(c, &m->quorum_k);
	dr_code_u16(c, &m->quorum_n);
	dr_code_u32(c, &m->step_max);
	dr_code_u64(c, &m->max_staleness_s);
	dr_code_u64(c, &m->head_staleness_s);
	dr_code_bool(c, &m->heartbeat);
	dr_code_copy(c, m->node, 20);
	dr_code_bool(c, &m->anchored);
	dr_code_u64(c, &m->until);
	dr_code_text(c, m->data_dir, sizeof(m->data_dir));
	dr_code_text(c, m->key_file, sizeof(m->key_file));
	dr_code_text(c, m->passphrase_file, sizeof(m->passphrase_file));
	dr_code_u32(c, &m->argon2_mib);
	for (size_t i = 0; i < DR_CHECKPOINTS_MAX; i++)
		dr_code_text(c, m->checkpoints[i], sizeof(m->checkpoints[i]));
	dr_code_bool(c, &m->serve);
	for (size_t i = 0; i < DR_ENDPOINTS_MAX; i++)
		dr_code_text(c, m->endpoints[i], sizeof(m->endpoints[i]));
	dr_code_run(c, &m->profile, DR_PROFILE_LEN_MAX);
	if (before) {
		m->version = DR_PROTO_VERSION;
		return;
	}
	dr_code_run(c, &m->network, DR_NETWORK_LEN_MAX);
	dr_code_copy(c, m->checkpoint, 32);
	dr_code_text(c, m->checkpoint_from, sizeof(m->checkpoint_from));
	dr_code_u64(c, &m->checkpoint_max_age_s);
	dr_code_text(c, m->checkpoint_aged, sizeof(m->checkpoint_aged));
}

static void code_ask(struct dr_code *c, void *ptr)
{
	struct dr_ask *m = ptr;

	dr_code_text(c, m->name, sizeof(m->name));
	code_request(c, &m->request);
}

static void code_entry(struct dr_code *c, void *ptr)
{
	struct dr_entry *m = ptr;

	dr_code_u64(c, &m->idx);
	dr_code_copy(c, m->leaf_hash, 32);
	dr_code_run(c, &m->leaf, DR_LEAF_LEN_MAX);
}

static void code_audit_finding(struct dr_code *c, void *ptr)
{
	struct dr_audit_finding *m = ptr;
	uint8_t kind = (uint8_t)m->kind;

	dr_code_range(c, &kind, DR_AUDIT_STEALTHY_DEPLOYER, DR_AUDIT_ROOT_FAILED, "kind of a finding");
	m->kind = (enum dr_audit_finding_kind)kind;
	code_change(c, &m->at);
	dr_code_u64(c, &m->first_number);
	dr_code_u64(c, &m->first_time);
	dr_code_bool(c, &m->was_active);
	dr_code_u64(c, &m->active_since);
}

static void code_answer(struct dr_code *c, void *ptr)
{
	struct dr_answer *m = ptr;

	dr_code_text(c, m->name, sizeof(m->name));
	dr_code_u64(c, &m->number);
	dr_code_u64(c, &m->head);
	code_decision(c, &m->decision);
}

static void code_want(struct dr_code *c, void *ptr)
{
	struct dr_want *m = ptr;

	dr_code_u32(c, &m->id);
	dr_code_range(c, &m->kind, DR_WANT_FINALITY, DR_WANT_LAST, "kind of a want");
	dr_code_u64(c, &m->first);
	dr_code_u64(c, &m->last);
	dr_code_copy(c, m->hash, 32);
	dr_code_copy(c, m->address, 20);
	dr_code_u16(c, &m->num_slots);
	if (m->num_slots > DR_STATE_SLOTS_MAX) {
		dr_code_fail(c, DR_ERR_LIMIT, "slots of a want");
		return;
	}
	for (size_t i = 0; i < m->num_slots; i++)
		dr_code_copy(c, m->slots[i], 32);
}

static void code_refusal(struct dr_code *c, void *ptr)
{
	struct dr_refusal *m = ptr;

	dr_code_u32(c, &m->want);
	dr_code_u16(c, &m->source);
	dr_code_range(c, &m->err, DR_ERR_SHORT, DR_ERR_NOMEM, "error of a refusal");
	dr_code_text(c, m->what, sizeof(m->what));
}

static void code_unavailable(struct dr_code *c, void *ptr)
{
	struct dr_unavailable *m = ptr;

	dr_code_u32(c, &m->want);
	dr_code_u16(c, &m->source);
	dr_code_text(c, m->reason, sizeof(m->reason));
}

static void code_endpoint_news(struct dr_code *c, void *ptr)
{
	struct dr_endpoint_news *m = ptr;

	dr_code_u16(c, &m->source);
	dr_code_range(c, &m->state, DR_ENDPOINT_UNKNOWN, DR_ENDPOINT_WRONG_CHAIN, "state of an endpoint");
	dr_code_text(c, m->reason, sizeof(m->reason));
}

static void code_log_query(struct dr_code *c, void *ptr)
{
	struct dr_log_query *m = ptr;

	dr_code_range(c, &m->log, 0, 1, "a log is 0 (ledger) or 1 (journal)");
	dr_code_u64(c, &m->first);
	dr_code_u64(c, &m->num);
}

static void code_key_answer(struct dr_code *c, void *ptr)
{
	struct dr_key_answer *m = ptr;

	code_decision(c, &m->decision);
	dr_code_text(c, m->reason, sizeof(m->reason));
	dr_code_u64(c, &m->request_idx);
	dr_code_bool(c, &m->development);
	dr_code_u16(c, &m->key_len);
	if (m->key_len > sizeof(m->key)) {
		dr_code_fail(c, DR_ERR_LIMIT, "length of a key");
		return;
	}
	if (m->key_len > 0 && m->decision.verdict != DR_ALLOW) {
		dr_code_fail(c, DR_ERR_SYNTAX, "a key without an ALLOW");
		return;
	}
	dr_code_copy(c, m->key, m->key_len);
	dr_code_run(c, &m->proof, DR_RUN_MAX);
	dr_code_run(c, &m->certificate, DR_RUN_MAX);
	dr_code_run(c, &m->box, DR_RUN_MAX);
	if ((m->proof.len > 0 || m->box.len > 0) && m->decision.verdict != DR_ALLOW)
		dr_code_fail(c, DR_ERR_SYNTAX, "a key's proof or box without an ALLOW");
}

static void code_run_only(struct dr_code *c, void *ptr)
{
	struct dr_run *m = ptr;

	dr_code_run(c, &m->bytes, DR_RUN_MAX);
}

static void code_node_public(struct dr_code *c, void *ptr)
{
	struct dr_node_public *m = ptr;

	dr_code_copy(c, m->enc_key, 32);
	dr_code_copy(c, m->sign_key, 32);
	dr_code_text(c, m->name, sizeof(m->name));
	dr_code_bool(c, &m->heartbeat);
	dr_code_copy(c, m->nonce, 32);
	dr_code_u64(c, &m->nonce_ms);
}

static void code_parcel_query(struct dr_code *c, void *ptr)
{
	struct dr_parcel_query *m = ptr;

	dr_code_u64(c, &m->generation);
	dr_code_copy(c, m->node, 20);
}

static void code_certificate_query(struct dr_code *c, void *ptr)
{
	struct dr_certificate_query *m = ptr;

	dr_code_u64(c, &m->generation);
	dr_code_bool(c, &m->has_app);
	dr_code_copy(c, m->app, 32);
}

static void code_proof_query(struct dr_code *c, void *ptr)
{
	struct dr_proof_query *m = ptr;

	dr_code_range(c, &m->log, 0, 1, "a log is 0 (ledger) or 1 (journal)");
	dr_code_range(c, &m->kind, DR_PROOF_INCLUSION, DR_PROOF_CONSISTENCY, "kind of a proof about a log");
	dr_code_u64(c, &m->first);
	dr_code_u64(c, &m->size);
}

static void code_log_proof(struct dr_code *c, void *ptr)
{
	struct dr_log_proof *m = ptr;

	dr_code_u64(c, &m->size);
	dr_code_copy(c, m->root, 32);
	dr_code_copy(c, m->first_hash, 32);
	dr_code_u16(c, &m->num);
	if (m->num > DR_PROOF_HASHES_MAX) {
		dr_code_fail(c, DR_ERR_LIMIT, "hashes of a proof about a log");
		return;
	}
	dr_code_copy(c, m->hashes, (size_t)m->num * 32);
}

static void code_done(struct dr_code *c, void *ptr)
{
	struct dr_done *m = ptr;

	dr_code_text(c, m->what, sizeof(m->what));
}

static void code_root_public(struct dr_code *c, void *ptr)
{
	struct dr_root_public *m = ptr;

	dr_code_u64(c, &m->generation);
	dr_code_bool(c, &m->published_equal);
	dr_code_copy(c, m->words, sizeof(m->words));
}

static void code_error(struct dr_code *c, void *ptr)
{
	struct dr_error *m = ptr;

	dr_code_range(c, &m->err, DR_OK, DR_ERR_NOMEM, "error code");
	dr_code_u8(c, &m->exit);
	dr_code_text(c, m->what, sizeof(m->what));
}

static void code_status_report(struct dr_code *c, void *ptr)
{
	struct dr_status_report *m = ptr;

	dr_code_u64(c, &m->chain_id);
	dr_code_copy(c, m->contract, 20);
	dr_code_range(c, &m->proof, DR_PROOF_NONE, DR_PROOF_L1, "proof");
	dr_code_u16(c, &m->quorum_k);
	dr_code_u16(c, &m->quorum_n);
	dr_code_text(c, m->network, sizeof(m->network));
	dr_code_copy(c, m->checkpoint, 32);
	dr_code_text(c, m->checkpoint_from, sizeof(m->checkpoint_from));
	dr_code_text(c, m->checkpoint_aged, sizeof(m->checkpoint_aged));
	dr_code_bool(c, &m->beacon_ready);
	dr_code_bool(c, &m->beacon_aged);
	dr_code_u64(c, &m->checkpoint_slot);
	dr_code_u64(c, &m->final_slot);
	dr_code_u64(c, &m->head_slot);
	dr_code_u64(c, &m->period);
	dr_code_u64(c, &m->period_now);
	dr_code_copy(c, m->final_root, 32);
	dr_code_u32(c, &m->participation);
	dr_code_u32(c, &m->committee);
	dr_code_u64(c, &m->beacon_age_s);
	dr_code_u64(c, &m->start_number);
	dr_code_bool(c, &m->anchored);
	dr_code_bool(c, &m->has_final);
	dr_code_u64(c, &m->final_number);
	dr_code_u64(c, &m->final_time);
	dr_code_copy(c, m->final_hash, 32);
	dr_code_u64(c, &m->target_number);
	dr_code_u64(c, &m->head_number);
	dr_code_u64(c, &m->head_time);
	dr_code_u32(c, &m->heads_counting);
	dr_code_bool(c, &m->sealed);
	dr_code_bool(c, &m->halted);
	dr_code_text(c, m->why, sizeof(m->why));
	dr_code_u64(c, &m->lease_left_s);
	dr_code_u64(c, &m->ledger_size);
	dr_code_u64(c, &m->journal_size);
	dr_code_copy(c, m->ledger_root, 32);
	dr_code_copy(c, m->journal_root, 32);
	dr_code_copy(c, m->state_digest, 32);
	dr_code_copy(c, m->profile_digest, 32);
	dr_code_u64(c, &m->generation);
	dr_code_bool(c, &m->generation_ours);
	dr_code_range(c, &m->holding, DR_HOLDING_NONE, DR_HOLDING_FOREIGN, "what is held of a generation");
	dr_code_u64(c, &m->rotation_deadline);
	dr_code_bool(c, &m->heartbeat);
	dr_code_u64(c, &m->heartbeat_age_s);
	dr_code_u32(c, &m->divergences);
	dr_code_u32(c, &m->findings);
	dr_code_u64(c, &m->frames_kept);
	dr_code_u64(c, &m->frames_refused);
	dr_code_bool(c, &m->torn);
	dr_code_u16(c, &m->num_endpoints);
	if (m->num_endpoints > DR_ENDPOINTS_MAX) {
		dr_code_fail(c, DR_ERR_LIMIT, "endpoints of a status");
		return;
	}
	for (size_t i = 0; i < m->num_endpoints; i++) {
		dr_code_text(c, m->endpoints[i].name, sizeof(m->endpoints[i].name));
		dr_code_range(c, &m->endpoints[i].state, DR_ENDPOINT_UNKNOWN, DR_ENDPOINT_WRONG_CHAIN,
			      "state of an endpoint");
		dr_code_u32(c, &m->endpoints[i].lies);
		dr_code_u64(c, &m->endpoints[i].final_number);
		dr_code_text(c, m->endpoints[i].reason, sizeof(m->endpoints[i].reason));
	}
}

/* The copy that put works on may hold a key (key_answer): wiped in every case, for one rule is simpler. */
#define PAIR(name, type)                                                                                             \
	enum dr_err dr_##name##_put(struct dr_buf *out, uint16_t msg, const type *in, struct dr_fail *fail)          \
	{                                                                                                            \
		type copy = *in;                                                                                     \
		const enum dr_err err = dr_code_put(out, msg, code_##name, &copy, fail);                             \
                                                                                                                     \
		explicit_bzero(&copy, sizeof(copy));                                                                 \
		return err;                                                                                          \
	}                                                                                                            \
	enum dr_err dr_##name##_get(type *out, struct dr_bytes payload, struct dr_fail *fail)                        \
	{                                                                                                            \
		return dr_code_get(out, sizeof(*out), code_##name, payload, fail);                                   \
	}

PAIR(init, struct dr_init)
PAIR(ask, struct dr_ask)
PAIR(entry, struct dr_entry)
PAIR(audit_finding, struct dr_audit_finding)
PAIR(answer, struct dr_answer)
PAIR(want, struct dr_want)
PAIR(refusal, struct dr_refusal)
PAIR(unavailable, struct dr_unavailable)
PAIR(endpoint_news, struct dr_endpoint_news)
PAIR(log_query, struct dr_log_query)
PAIR(key_answer, struct dr_key_answer)
PAIR(root_public, struct dr_root_public)
PAIR(error, struct dr_error)
PAIR(status_report, struct dr_status_report)
PAIR(node_public, struct dr_node_public)
PAIR(parcel_query, struct dr_parcel_query)
PAIR(certificate_query, struct dr_certificate_query)
PAIR(proof_query, struct dr_proof_query)
PAIR(log_proof, struct dr_log_proof)
PAIR(done, struct dr_done)

enum dr_err dr_run_put(struct dr_buf *out, uint16_t msg, const struct dr_run *in, struct dr_fail *fail)
{
	struct dr_run copy = *in;

	return dr_code_put(out, msg, code_run_only, &copy, fail);
}

enum dr_err dr_run_get(struct dr_run *out, struct dr_bytes payload, struct dr_fail *fail)
{
	return dr_code_get(out, sizeof(*out), code_run_only, payload, fail);
}

#define NOTE_VERSION 1u

static void code_note(struct dr_code *c, struct dr_note *m)
{
	uint8_t version = NOTE_VERSION;

	dr_code_range(c, &version, NOTE_VERSION, NOTE_VERSION, "version of a note");
	dr_code_range(c, &m->kind, DR_NOTE_START, DR_NOTE_PERIOD, "kind of a note");
	dr_code_u64(c, &m->boot_ms);
	dr_code_u64(c, &m->wall_ms);
	dr_code_u64(c, &m->ledger_size);
	dr_code_copy(c, m->ledger_root, 32);
	dr_code_u64(c, &m->number);
	dr_code_copy(c, m->hash, 32);
	dr_code_u16(c, &m->source);
	dr_code_text(c, m->detail, sizeof(m->detail));
}

static void code_note_ptr(struct dr_code *c, void *ptr)
{
	code_note(c, ptr);
}

enum dr_err dr_note_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_note *n, struct dr_fail *fail)
{
	struct dr_fail own = { 0 };
	struct dr_code c = { .way = DR_CODE_WRITE, .fail = &own };
	struct dr_note copy = *n;

	dr_writer_init(&c.w, buf, cap, &own);
	code_note(&c, &copy);
	*len = own.err == DR_OK ? c.w.len : 0;
	if (own.err == DR_OK)
		return DR_OK;
	memset(buf, 0, cap);
	return dr_fail_set(fail, own.err, own.what, own.at);
}

enum dr_err dr_note_decode(struct dr_note *out, struct dr_bytes bytes, struct dr_fail *fail)
{
	return dr_code_get(out, sizeof(*out), code_note_ptr, bytes, fail);
}

const char *dr_note_name(enum dr_note_kind kind)
{
	switch (kind) {
	case DR_NOTE_START: return "start";
	case DR_NOTE_FINAL: return "final";
	case DR_NOTE_HEAD: return "head";
	case DR_NOTE_LEASE: return "lease";
	case DR_NOTE_LIE: return "lie";
	case DR_NOTE_DISSENT: return "dissent";
	case DR_NOTE_UNAVAILABLE: return "unavailable";
	case DR_NOTE_ENDPOINT: return "endpoint";
	case DR_NOTE_DIVERGENCE: return "divergence";
	case DR_NOTE_REQUEST: return "request";
	case DR_NOTE_RELEASE: return "release";
	case DR_NOTE_ROOT: return "root";
	case DR_NOTE_PROFILE: return "profile";
	case DR_NOTE_CONFLICT: return "conflict";
	case DR_NOTE_STOP: return "stop";
	case DR_NOTE_HEARTBEAT: return "heartbeat";
	case DR_NOTE_SHARE: return "share";
	case DR_NOTE_CHECKPOINT: return "checkpoint";
	case DR_NOTE_PERIOD: return "period";
	}
	return "unknown";
}
