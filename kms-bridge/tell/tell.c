/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/tell/tell.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "chain/base/hex.h"
#include "chain/codec/base64.h"
#include "chain/crypto/sha256.h"

json_t *dr_tell_hex(const void *ptr, size_t len)
{
	char *text = dr_heap_alloc(2 * len + 3);

	if (text == NULL)
		return json_null();
	text[0] = '0';
	text[1] = 'x';
	dr_hex_put(text + 2, ptr, len);
	json_t *out = json_string(text);

	/* Now and then it is a key. */
	explicit_bzero(text, 2 * len + 3);
	dr_heap_free(text);
	return out;
}

void dr_tell_time(char out[static 32], uint64_t seconds)
{
	const time_t at = (time_t)seconds;
	struct tm tm;

	if (seconds > (uint64_t)253402300799 || gmtime_r(&at, &tm) == NULL ||
	    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(out, 32, "%" PRIu64 " s", seconds);
}

/* A 32-byte value that is text (left-aligned ASCII, zero padded) as text, else as short or full hex. */
static void word_text(char *out, size_t cap, const uint8_t word[static 32], bool full)
{
	size_t len = 0;
	char hex[65];

	while (len < 32 && isprint(word[len]) != 0 && word[len] != '"' && word[len] != '\\')
		len++;
	if (len >= 3 && len < 32 && dr_bytes_zero(word + len, 32 - len)) {
		snprintf(out, cap, "%.*s", (int)len, (const char *)word);
		return;
	}
	dr_hex_put(hex, word, 32);
	snprintf(out, cap, full ? "0x%s" : "0x%.12s…", hex);
}

static void address_text(char *out, size_t cap, const uint8_t address[static 20])
{
	char hex[41];

	dr_hex_put(hex, address, 20);
	snprintf(out, cap, "0x%s", hex);
}

static void arg_text(char *out, size_t cap, enum dr_word_type type, const uint8_t word[static 32], bool full)
{
	uint64_t value;

	switch (type) {
	case DR_WORD_BYTES32: word_text(out, cap, word, full); return;
	case DR_WORD_ADDRESS: address_text(out, cap, word + 12); return;
	case DR_WORD_BOOL: snprintf(out, cap, "%s", word[31] != 0 ? "yes" : "no"); return;
	case DR_WORD_U64:
		if (dr_word_u64(&value, word))
			snprintf(out, cap, "%" PRIu64, value);
		else
			word_text(out, cap, word, full);
		return;
	}
}

static void add(char *out, size_t cap, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add(char *out, size_t cap, const char *format, ...)
{
	const size_t len = strlen(out);
	va_list args;

	va_start(args, format);
	vsnprintf(out + len, cap - len, format, args);
	va_end(args);
}

/* A proposal names an action and its arguments: say them as that action's own. */
static void add_proposed(char *out, size_t cap, const struct dr_act *act)
{
	uint64_t code = 0;
	const struct dr_action_def *def;
	char text[80];

	dr_word_u64(&code, act->args[0]);
	def = code <= UINT16_MAX ? dr_action_def((uint16_t)code) : NULL;
	add(out, cap, "proposal %" PRIu64 ": %s", act->proposal, def != NULL ? def->name : "an unknown action");
	for (size_t i = 0; def != NULL && i < def->num_args && i < 8 && i + 2 < act->num_args; i++) {
		arg_text(text, sizeof(text), def->args[i].type, act->args[i + 2], false);
		add(out, cap, " %s %s", def->args[i].name, text);
	}
}

void dr_tell_change_text(char *out, size_t cap, const struct dr_change *change)
{
	const struct dr_act *act = &change->act;
	const struct dr_action_def *def = dr_action_def((uint16_t)act->action);
	char text[80];

	out[0] = '\0';
	if (act->action == DR_ACTION_PROPOSE) {
		add_proposed(out, cap, act);
	} else {
		for (size_t i = 0; def != NULL && i < def->num_args && i < act->num_args; i++) {
			/* Of a publication the generation and the keys say enough here. */
			if (act->action == DR_ACTION_ROOT_PUBLISH && i != 0 && i != 2 && i != 5)
				continue;
			arg_text(text, sizeof(text), def->args[i].type, act->args[i], false);
			add(out, cap, "%s%s %s", out[0] != '\0' ? " " : "", def->args[i].name, text);
		}
		if (act->has_proposal && act->proposal != 0)
			add(out, cap, "%sproposal %" PRIu64, out[0] != '\0' ? ", " : "", act->proposal);
	}
	if (act->has_by) {
		address_text(text, sizeof(text), act->by);
		add(out, cap, "%sby %.10s…", out[0] != '\0' ? ", " : "", text);
	}
	if (change->outcome == DR_OUTCOME_PENDING) {
		char time[32];

		dr_tell_time(time, act->due);
		add(out, cap, ", from %s on", time);
	}
	if (change->reason != DR_REASON_NONE)
		add(out, cap, " — %s", dr_reason_text(change->reason));
}

static json_t *change_object(const struct dr_change *c)
{
	const struct dr_action_def *def = dr_action_def((uint16_t)c->act.action);
	char time[32], what[1024], text[80];
	json_t *o = json_object(), *args = json_object();

	dr_tell_time(time, c->time);
	dr_tell_change_text(what, sizeof(what), c);
	json_object_set_new(o, "block", json_integer((json_int_t)c->number));
	json_object_set_new(o, "hash", dr_tell_hex(c->hash, 32));
	json_object_set_new(o, "time", json_string(time));
	json_object_set_new(o, "ordinal", json_integer(c->ordinal));
	json_object_set_new(o, "event", dr_tell_hex(c->event_digest, 32));
	json_object_set_new(o, "action", json_string(def != NULL ? def->name : "unknown"));
	json_object_set_new(o, "effect", json_string(dr_effect_name(c->effect)));
	json_object_set_new(o, "outcome", json_string(dr_outcome_name(c->outcome)));
	if (c->reason != DR_REASON_NONE)
		json_object_set_new(o, "reason", json_string(dr_reason_name(c->reason)));
	json_object_set_new(o, "what", json_string(what));
	if (c->act.has_proposal)
		json_object_set_new(o, "proposal", json_integer((json_int_t)c->act.proposal));
	if (c->act.has_by)
		json_object_set_new(o, "by", dr_tell_hex(c->act.by, 20));
	if (c->act.has_due)
		json_object_set_new(o, "due", json_integer((json_int_t)c->act.due));
	for (size_t i = 0; def != NULL && i < def->num_args && i < c->act.num_args; i++) {
		arg_text(text, sizeof(text), def->args[i].type, c->act.args[i], true);
		json_object_set_new(args, def->args[i].name, json_string(text));
	}
	json_object_set_new(o, "args", args);
	return o;
}

json_t *dr_tell_change(const struct dr_entry *entry)
{
	struct dr_fail fail = { 0 };
	struct dr_change change;
	json_t *o;

	if (dr_change_decode(&change, entry->leaf, &fail) != DR_OK)
		return NULL;
	o = change_object(&change);
	json_object_set_new(o, "index", json_integer((json_int_t)entry->idx));
	json_object_set_new(o, "leaf", dr_tell_hex(entry->leaf_hash, 32));
	return o;
}

json_t *dr_tell_finding(const struct dr_audit_finding *f)
{
	json_t *o = change_object(&f->at);
	char said[512] = "", time[32];

	json_object_set_new(o, "finding", json_string(dr_audit_finding_name(f->kind)));
	if (f->kind == DR_AUDIT_STEALTHY_DEPLOYER) {
		add(said, sizeof(said),
		    "announced in block %" PRIu64 ", removed in block %" PRIu64 " (%" PRIu64 " s later)",
		    f->first_number, f->at.number, f->at.time - f->first_time);
		if (f->was_active) {
			dr_tell_time(time, f->active_since);
			add(said, sizeof(said), "; in force for %" PRIu64 " s, since %s",
			    f->at.time - f->active_since, time);
		} else {
			add(said, sizeof(said), "; never in force");
		}
		json_object_set_new(o, "announced_block", json_integer((json_int_t)f->first_number));
		json_object_set_new(o, "was_active", json_boolean(f->was_active));
		json_object_set_new(o, "said", json_string(said));
	}
	return o;
}

json_t *dr_tell_note(const struct dr_entry *entry)
{
	struct dr_fail fail = { 0 };
	struct dr_note note;
	char time[32];
	json_t *o;

	if (dr_note_decode(&note, entry->leaf, &fail) != DR_OK)
		return NULL;
	dr_tell_time(time, note.wall_ms / 1000);
	o = json_object();
	json_object_set_new(o, "index", json_integer((json_int_t)entry->idx));
	json_object_set_new(o, "time", json_string(time));
	json_object_set_new(o, "kind", json_string(dr_note_name((enum dr_note_kind)note.kind)));
	json_object_set_new(o, "block", note.number != 0 ? json_integer((json_int_t)note.number) : json_null());
	json_object_set_new(o, "source", note.source != DR_SOURCE_CORE ? json_integer(note.source) : json_null());
	json_object_set_new(o, "detail", json_string(note.detail));
	json_object_set_new(o, "hash", dr_tell_hex(note.hash, 32));
	json_object_set_new(o, "ledger_size", json_integer((json_int_t)note.ledger_size));
	json_object_set_new(o, "ledger_root", dr_tell_hex(note.ledger_root, 32));
	json_object_set_new(o, "leaf", dr_tell_hex(entry->leaf_hash, 32));
	return o;
}

json_t *dr_tell_decision(const struct dr_decision *d)
{
	json_t *o = json_object();

	json_object_set_new(o, "verdict", json_string(d->verdict == DR_ALLOW ? "allow" : "deny"));
	if (d->verdict == DR_ALLOW) {
		json_object_set_new(o, "generation", json_integer((json_int_t)d->generation));
		json_object_set_new(o, "epoch", json_integer((json_int_t)d->epoch));
		json_object_set_new(o, "app_hash", dr_tell_hex(d->app_hash, 32));
		json_object_set_new(o, "deployer", dr_tell_hex(d->deployer, 20));
	} else {
		json_object_set_new(o, "reason", json_string(dr_deny_name(d->deny)));
		json_object_set_new(o, "text", json_string(dr_deny_text(d->deny)));
	}
	return o;
}

json_t *dr_tell_answer(const struct dr_answer *a)
{
	json_t *o = dr_tell_decision(&a->decision);

	json_object_set_new(o, "request", a->name[0] != '\0' ? json_string(a->name) : json_null());
	json_object_set_new(o, "block", json_integer((json_int_t)a->number));
	json_object_set_new(o, "head", json_integer((json_int_t)a->head));
	return o;
}

static const char *const endpoint_states[] = { "unknown", "good", "lags", "aside", "wrong-chain" };

static const char *holding_name(enum dr_holding holding)
{
	switch (holding) {
	case DR_HOLDING_NONE: return "none";
	case DR_HOLDING_OURS: return "ours";
	case DR_HOLDING_FOREIGN: return "foreign";
	}
	return "unknown";
}

/* What consensus rests on here, and how far it is. */
static json_t *tell_beacon(const struct dr_status_report *s)
{
	json_t *o = json_object();

	json_object_set_new(o, "network", json_string(s->network));
	json_object_set_new(o, "checkpoint", dr_tell_hex(s->checkpoint, 32));
	json_object_set_new(o, "checkpoint_from", json_string(s->checkpoint_from));
	if (s->checkpoint_aged[0] != '\0')
		json_object_set_new(o, "checkpoint_accepted_aged_by", json_string(s->checkpoint_aged));
	json_object_set_new(o, "bootstrapped", json_boolean(s->beacon_ready));
	if (!s->beacon_ready)
		return o;
	json_object_set_new(o, "checkpoint_slot", json_integer((json_int_t)s->checkpoint_slot));
	json_object_set_new(o, "final_slot", json_integer((json_int_t)s->final_slot));
	json_object_set_new(o, "final_root", dr_tell_hex(s->final_root, 32));
	json_object_set_new(o, "head_slot", json_integer((json_int_t)s->head_slot));
	json_object_set_new(o, "period", json_integer((json_int_t)s->period));
	json_object_set_new(o, "periods_behind",
			    json_integer(s->period_now > s->period ? (json_int_t)(s->period_now - s->period) : 0));
	/* The checkpoint itself is the operator's word: nobody signed it here. */
	json_object_set_new(o, "signed_by",
			    s->participation != 0 ? json_sprintf("%u of %u", s->participation, s->committee)
						  : json_null());
	json_object_set_new(o, "age_s", json_integer((json_int_t)s->beacon_age_s));
	json_object_set_new(o, "aged", json_boolean(s->beacon_aged));
	return o;
}

json_t *dr_tell_status(const struct dr_status_report *s)
{
	json_t *o = json_object(), *endpoints = json_array();
	char time[32];

	json_object_set_new(o, "sealed", json_boolean(s->sealed));
	json_object_set_new(o, "why", s->sealed ? json_string(s->why) : json_null());
	json_object_set_new(o, "halted", json_boolean(s->halted));
	json_object_set_new(o, "chain_id", json_integer((json_int_t)s->chain_id));
	json_object_set_new(o, "contract", dr_tell_hex(s->contract, 20));
	json_object_set_new(o, "proof", json_string(dr_proof_name((enum dr_proof)s->proof)));
	if (s->proof == DR_PROOF_QUORUM) {
		json_object_set_new(o, "quorum", json_sprintf("%u of %u", s->quorum_k, s->quorum_n));
		json_object_set_new(o, "proof_note",
				    json_string("quorum: nothing cryptographic; the endpoints are believed"));
	}
	if (s->proof == DR_PROOF_CONSENSUS)
		json_object_set_new(o, "beacon", tell_beacon(s));
	json_object_set_new(o, "start", json_integer((json_int_t)s->start_number));
	json_object_set_new(o, "before",
			    json_sprintf("before block %llu: unproven", (unsigned long long)s->start_number));
	json_object_set_new(o, "final", s->has_final ? json_integer((json_int_t)s->final_number) : json_null());
	if (s->has_final) {
		dr_tell_time(time, s->final_time);
		json_object_set_new(o, "final_hash", dr_tell_hex(s->final_hash, 32));
		json_object_set_new(o, "final_time", json_string(time));
	}
	json_object_set_new(o, "head", s->head_number != 0 ? json_integer((json_int_t)s->head_number) : json_null());
	json_object_set_new(o, "heads_counting", json_integer(s->heads_counting));
	json_object_set_new(o, "lag_blocks",
			    json_integer(s->target_number > s->final_number
						 ? (json_int_t)(s->target_number - s->final_number)
						 : 0));
	json_object_set_new(o, "lease_left_s", json_integer((json_int_t)s->lease_left_s));
	json_object_set_new(o, "generation",
			    s->generation != 0 ? json_integer((json_int_t)s->generation) : json_null());
	json_object_set_new(o, "generation_ours", json_boolean(s->generation_ours));
	json_object_set_new(o, "holding", json_string(holding_name((enum dr_holding)s->holding)));
	json_object_set_new(o, "rotation_deadline", json_null());
	if (s->rotation_deadline != 0) {
		dr_tell_time(time, s->rotation_deadline);
		json_object_set_new(o, "rotation_deadline", json_string(time));
	}
	json_object_set_new(o, "heartbeat", json_boolean(s->heartbeat));
	json_object_set_new(o, "heartbeat_age_s",
			    s->heartbeat_age_s != UINT64_MAX ? json_integer((json_int_t)s->heartbeat_age_s)
							     : json_null());
	json_object_set_new(o, "findings", json_integer(s->findings));
	json_object_set_new(o, "divergences", json_integer(s->divergences));
	json_object_set_new(o, "ledger_size", json_integer((json_int_t)s->ledger_size));
	json_object_set_new(o, "ledger_root", dr_tell_hex(s->ledger_root, 32));
	json_object_set_new(o, "state_digest", dr_tell_hex(s->state_digest, 32));
	json_object_set_new(o, "journal_size", json_integer((json_int_t)s->journal_size));
	json_object_set_new(o, "journal_root", dr_tell_hex(s->journal_root, 32));
	json_object_set_new(o, "profile", dr_tell_hex(s->profile_digest, 32));
	json_object_set_new(o, "frames_kept", json_integer((json_int_t)s->frames_kept));
	json_object_set_new(o, "frames_refused", json_integer((json_int_t)s->frames_refused));
	for (size_t i = 0; i < s->num_endpoints && i < DR_ENDPOINTS_MAX; i++) {
		const unsigned state = s->endpoints[i].state < 5 ? s->endpoints[i].state : 0;
		json_t *e = json_object();

		json_object_set_new(e, "name", json_string(s->endpoints[i].name));
		json_object_set_new(e, "state", json_string(endpoint_states[state]));
		json_object_set_new(e, "lies", json_integer(s->endpoints[i].lies));
		if (s->endpoints[i].reason[0] != '\0')
			json_object_set_new(e, "reason", json_string(s->endpoints[i].reason));
		json_array_append_new(endpoints, e);
	}
	json_object_set_new(o, "endpoints", endpoints);
	return o;
}

/* C2SP signed-note: key hash = SHA-256(name ‖ "\n" ‖ algorithm ‖ key)[0,4), algorithm 1: Ed25519. */
static void vkey_text(char *out, size_t cap, const struct dr_node_public *n)
{
	uint8_t key[33] = { 1 }, hash[32];
	char base64[DR_BASE64_LEN(sizeof(key)) + 1], hex[9];

	memcpy(key + 1, n->sign_key, 32);
	dr_sha256(hash,
		  (const struct dr_bytes[]){ dr_bytes_of(n->name, strlen(n->name)), dr_bytes_of("\n", 1),
					     dr_bytes_of(key, sizeof(key)) },
		  3);
	dr_hex_put(hex, hash, 4);
	dr_base64_put(base64, dr_bytes_of(key, sizeof(key)));
	snprintf(out, cap, "%s+%s+%s", n->name, hex, base64);
}

static json_t *hex_or_null(const uint8_t word[static 32])
{
	return dr_bytes_zero(word, 32) ? json_null() : dr_tell_hex(word, 32);
}

json_t *dr_tell_node(const struct dr_node_public *n)
{
	const bool has_key = !dr_bytes_zero(n->sign_key, 32), drawn = !dr_bytes_zero(n->nonce, 32);
	char vkey[sizeof(n->name) + 80];
	json_t *o = json_object();

	if (has_key)
		vkey_text(vkey, sizeof(vkey), n);
	json_object_set_new(o, "enc_key", hex_or_null(n->enc_key));
	json_object_set_new(o, "sign_key", hex_or_null(n->sign_key));
	json_object_set_new(o, "name", n->name[0] != '\0' ? json_string(n->name) : json_null());
	json_object_set_new(o, "vkey", has_key ? json_string(vkey) : json_null());
	json_object_set_new(o, "heartbeat", json_boolean(n->heartbeat));
	json_object_set_new(o, "nonce", hex_or_null(n->nonce));
	json_object_set_new(o, "nonce_ms", drawn ? json_integer((json_int_t)n->nonce_ms) : json_null());
	return o;
}

const char *dr_tell_log_name(uint8_t log)
{
	return log == 0 ? "ledger" : "journal";
}

json_t *dr_tell_proof(const struct dr_proof_query *q, const struct dr_log_proof *p)
{
	const bool inclusion = q->kind == DR_PROOF_INCLUSION;
	json_t *o = json_object(), *hashes = json_array();

	for (size_t i = 0; i < p->num && i < DR_PROOF_HASHES_MAX; i++)
		json_array_append_new(hashes, dr_tell_hex(p->hashes[i], 32));
	json_object_set_new(o, "log", json_string(dr_tell_log_name(q->log)));
	json_object_set_new(o, "proof", json_string(inclusion ? "inclusion" : "consistency"));
	json_object_set_new(o, inclusion ? "index" : "first", json_integer((json_int_t)q->first));
	json_object_set_new(o, inclusion ? "leaf" : "first_root", dr_tell_hex(p->first_hash, 32));
	json_object_set_new(o, "size", json_integer((json_int_t)p->size));
	json_object_set_new(o, "root", dr_tell_hex(p->root, 32));
	json_object_set_new(o, "hashes", hashes);
	return o;
}
