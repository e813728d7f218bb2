/* SPDX-License-Identifier: Apache-2.0
 *
 * What leaves this node: keys, certificates, and root generations for other nodes. Nothing leaves before its intent
 * and its release are durable in the journal.
 */
#include "kms-bridge/core/core.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chain/base/hex.h"
#include "chain/crypto/secret.h"
#include "kms-bridge/core/certificate.h"
#include "kms-bridge/core/key_file.h"
#include "kms-bridge/core/parcel.h"

/* What a released key takes with it; secret until it is encrypted. */
struct release {
	uint8_t key[DR_KEYS_LEN];
	uint8_t proof[DR_DERIVATION_PROOF_LEN];
	uint8_t request[DR_REQUEST_LEN_MAX];
	size_t request_len;
	uint8_t certificate[DR_KEYS_DER_MAX];
	size_t certificate_len;
	uint8_t box[DR_BOX_OVERHEAD + DR_KEYS_LEN + DR_DERIVATION_PROOF_LEN];
	size_t box_len;
};

enum dr_err dr_core_say_error(struct dr_core *c, struct dr_client *client, enum dr_err err, const char *what)
{
	struct dr_error error = { .err = (uint8_t)err };

	dr_text_set(error.what, sizeof(error.what), what, strlen(what));
	return dr_error_put(&client->ch.out, DR_MSG_ERROR, &error, &c->fail);
}

static const char *reason_of(const struct dr_core *c, const struct dr_decision *decision)
{
	const char *why;

	if (decision->deny == DR_DENY_SEALED && dr_engine_sealed(c->engine, &why))
		return why;
	return dr_deny_text(decision->deny);
}

static bool has_recipient(const struct dr_request *request)
{
	return !dr_bytes_zero(request->recipient, 32);
}

static bool is_certified(const struct dr_request *request)
{
	return request->purpose == DR_PURPOSE_SIGN || request->purpose == DR_PURPOSE_TLS;
}

static enum dr_err make_release(const struct dr_core *c, struct release *r, const struct dr_decision *decision,
				const struct dr_request *request, struct dr_fail *fail)
{
	uint8_t plain[DR_KEYS_LEN + DR_DERIVATION_PROOF_LEN];

	if (dr_request_encode(r->request, sizeof(r->request), &r->request_len, request, fail) != DR_OK ||
	    dr_keys_derive(c->keys, r->key, r->proof, decision, request, fail) != DR_OK)
		return fail->err;
	if (is_certified(request) &&
	    dr_keys_certificate_app(c->keys, r->key, r->proof, decision, request, r->certificate,
				    sizeof(r->certificate), &r->certificate_len, fail) != DR_OK)
		return fail->err;
	if (!has_recipient(request))
		return DR_OK;
	memcpy(plain, r->key, DR_KEYS_LEN);
	memcpy(plain + DR_KEYS_LEN, r->proof, DR_DERIVATION_PROOF_LEN);
	dr_box_seal(r->box, sizeof(r->box), &r->box_len, request->recipient, DR_BOX_ANSWER,
		    dr_bytes_of(r->request, r->request_len), dr_bytes_of(plain, sizeof(plain)), fail);
	dr_secret_wipe(plain, sizeof(plain));
	return fail->err;
}

/* Key requests come in batches, from one client or from several: their intents become durable together, then their
 * releases, so that a disk that needs a millisecond for either still lets many keys a second out. */

static enum dr_err note_release(struct dr_core *c, const struct dr_asked *a, const struct release *r)
{
	char detail[DR_TEXT_MAX], recipient[65] = "plain";

	if (has_recipient(&a->request))
		dr_hex_put(recipient, a->request.recipient, 32);
	snprintf(detail, sizeof(detail), "request %llu: key released, purpose %s, generation %llu, epoch %llu, to %s",
		 (unsigned long long)a->request_idx, dr_purpose_name((enum dr_purpose)a->request.purpose),
		 (unsigned long long)a->decision.generation, (unsigned long long)a->decision.epoch, recipient);
	if (r->certificate_len > 0 &&
	    dr_store_certificate_add(c->store, a->decision.generation, a->request.app,
				     dr_bytes_of(r->certificate, r->certificate_len), &c->fail) != DR_OK)
		return c->fail.err;
	return dr_core_note(c, DR_NOTE_RELEASE, c->final_number, a->request.app, DR_SOURCE_CORE, detail, NULL);
}

/* What stands against carrying out what was allowed, or NULL. */
static const char *obstacle(const struct dr_core *c)
{
	const char *why;

	/* Nobody attests a recipient yet: keys leave development roots alone. A later proof must not fall through. */
	if (c->init.proof != DR_PROOF_QUORUM)
		return "keys of this proof go to an attested recipient only";
	if (dr_engine_sealed(c->engine, &why))
		return why;
	return c->keys == NULL ? "no root is held here" : NULL;
}

static enum dr_err act(struct dr_core *c, struct dr_asked *a, struct release *r)
{
	const char *what = obstacle(c);

	if (a->decision.verdict != DR_ALLOW)
		return DR_OK;
	if (what != NULL)
		dr_fail_set(&a->why, DR_ERR_UNKNOWN, what, 0);
	else if (make_release(c, r, &a->decision, &a->request, &a->why) == DR_OK)
		return note_release(c, a, r);
	return DR_OK;
}

static enum dr_err say_answer(struct dr_core *c, const struct dr_asked *a, const struct release *r)
{
	struct dr_key_answer answer = { .decision = a->decision,
					.request_idx = a->request_idx,
					.development = c->init.proof == DR_PROOF_QUORUM };
	const char *reason;

	if (a->why.err != DR_OK)
		return dr_core_say_error(c, a->client, a->why.err, a->why.what);
	if (a->decision.verdict != DR_ALLOW) {
		reason = reason_of(c, &a->decision);
		dr_text_set(answer.reason, sizeof(answer.reason), reason, strlen(reason));
	} else if (has_recipient(&a->request)) {
		answer.box = dr_bytes_of(r->box, r->box_len);
	} else {
		memcpy(answer.key, r->key, DR_KEYS_LEN);
		answer.key_len = DR_KEYS_LEN;
		answer.proof = dr_bytes_of(r->proof, DR_DERIVATION_PROOF_LEN);
	}
	if (a->decision.verdict == DR_ALLOW)
		answer.certificate = dr_bytes_of(r->certificate, r->certificate_len);
	dr_key_answer_put(&a->client->ch.out, DR_MSG_KEY, &answer, &c->fail);
	dr_secret_wipe(&answer, sizeof(answer));
	return c->fail.err;
}

/* What may leave leaves at once: before anything else that may take long. What the channel does not take now, or
 * cannot, is seen when the client's turn ends. */
static void hand_over(struct dr_client *client)
{
	struct dr_fail later = { 0 };

	if (client->ch.fd >= 0)
		dr_channel_write(&client->ch, &later);
}

/* The disk may have stood still once more: what has aged since does not leave. The journal says then that it was
 * released, and that it was withheld: durably, before anybody is told. */
static enum dr_err withhold(struct dr_core *c, size_t num)
{
	const char *what = obstacle(c);
	char detail[DR_TEXT_MAX];

	if (what == NULL)
		return DR_OK;
	for (size_t i = 0; i < num; i++) {
		struct dr_asked *a = &c->asked[i];

		if (a->decision.verdict != DR_ALLOW || a->why.err != DR_OK)
			continue;
		snprintf(detail, sizeof(detail), "request %llu: withheld after all: %s",
			 (unsigned long long)a->request_idx, what);
		dr_fail_set(&a->why, DR_ERR_UNKNOWN, what, 0);
		if (dr_core_note(c, DR_NOTE_RELEASE, c->final_number, a->request.app, DR_SOURCE_CORE, detail, NULL) !=
		    DR_OK)
			return c->fail.err;
	}
	return dr_core_commit(c);
}

/* Intents → durable → act → results → durable → answers; but where a result is not handed over after all, that is
 * durable before the answers. */
enum dr_err dr_core_keys_flush(struct dr_core *c)
{
	const size_t num = c->num_asked;
	struct release *r;

	if (num == 0 || c->fail.err != DR_OK)
		return c->fail.err;
	c->num_asked = 0;
	if (dr_core_commit(c) != DR_OK)
		return c->fail.err;
	/* A disk may have stood still for long: what was fresh then may be old now. */
	if (dr_core_tick(c, true) != DR_OK)
		return c->fail.err;
	r = dr_secret_alloc(num * sizeof(*r));
	if (r == NULL)
		return dr_fail_set(&c->fail, DR_ERR_NOMEM, "no locked memory for keys", num * sizeof(*r));
	for (size_t i = 0; i < num && c->fail.err == DR_OK; i++)
		act(c, &c->asked[i], &r[i]);
	if (c->fail.err == DR_OK && dr_core_commit(c) == DR_OK && dr_core_tick(c, true) == DR_OK &&
	    withhold(c, num) == DR_OK)
		for (size_t i = 0; i < num && say_answer(c, &c->asked[i], &r[i]) == DR_OK; i++)
			hand_over(c->asked[i].client);
	dr_secret_free(r);
	return c->fail.err;
}

bool dr_core_take_key_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload)
{
	struct dr_asked *a = &c->asked[c->num_asked];

	memset(a, 0, sizeof(*a));
	a->client = client;
	if (dr_request_decode(&a->request, payload, &a->why) == DR_OK &&
	    (dr_core_tick(c, false) != DR_OK || dr_core_roots_step(c) != DR_OK ||
	     dr_engine_request(c->engine, &a->decision, &a->request_idx, &a->request, &c->fail) != DR_OK))
		return true;
	if (++c->num_asked == DR_CORE_ASKED_MAX)
		dr_core_keys_flush(c);
	return true;
}

/* Root generations for other nodes */

/* Why a root does not go there. This node's own lack is found before the other's: so what it would not be refused
 * itself is what the other lacks. */
static const char *share_reason(const struct dr_core *c, enum dr_deny deny, uint64_t generation)
{
	const struct dr_decision decision = { .deny = deny };

	if (dr_engine_ask_share(c->engine, generation, c->init.node) == deny)
		return reason_of(c, &decision);
	if (deny == DR_DENY_NODE)
		return "The node named is not registered on chain as a KMS node.";
	if (deny == DR_DENY_NODE_MEASUREMENT)
		return "The measurement of the node named is not allowed.";
	if (deny == DR_DENY_NODE_HARDWARE)
		return "The hardware of the node named is blacklisted, or not named.";
	if (deny == DR_DENY_ROOT_SHARE)
		return "The node named was not given that root generation by a share that is final and in force, or "
		       "has registered anew since.";
	return reason_of(c, &decision);
}

static enum dr_err say_parcel(struct dr_core *c, struct dr_client *client, const struct dr_parcel_query *q)
{
	const struct dr_state *state = NULL;
	char detail[DR_TEXT_MAX], node[41];
	struct dr_fail why = { 0 };
	const char *sealed;
	struct dr_node to;
	struct dr_buf parcel;
	uint64_t time;
	enum dr_err err;

	if (dr_core_tick(c, false) != DR_OK || dr_core_roots_step(c) != DR_OK)
		return c->fail.err;
	dr_engine_state(c->engine, &state, &time);
	const uint64_t generation = q->generation != 0 ? q->generation : dr_state_generation(state);
	const enum dr_deny deny = dr_engine_ask_share(c->engine, generation, q->node);

	dr_hex_put(node, q->node, 20);
	snprintf(detail, sizeof(detail), "root generation %llu asked for node 0x%s: %s%s",
		 (unsigned long long)generation, node, deny == DR_DENY_NONE ? "allow" : "deny ",
		 deny == DR_DENY_NONE ? "" : dr_deny_name(deny));
	if (dr_core_note(c, DR_NOTE_SHARE, c->final_number, NULL, DR_SOURCE_CORE, detail, NULL) != DR_OK ||
	    dr_core_commit(c) != DR_OK)
		return c->fail.err;
	if (deny != DR_DENY_NONE)
		return dr_core_say_error(c, client, DR_ERR_STALE, share_reason(c, deny, generation));
	/* As with keys: a disk may have stood still for long. */
	if (dr_core_tick(c, true) != DR_OK)
		return c->fail.err;
	if (dr_engine_sealed(c->engine, &sealed))
		return dr_core_say_error(c, client, DR_ERR_STALE, sealed);
	if (c->keys == NULL || !dr_keys_held(c->keys, generation) || !dr_state_node(&to, state, q->node))
		return dr_core_say_error(c, client, DR_ERR_UNKNOWN, "this node does not hold that root generation");
	dr_buf_init(&parcel, DR_RUN_MAX);
	snprintf(detail, sizeof(detail), "root generation %llu encrypted to node 0x%s",
		 (unsigned long long)generation, node);
	if (dr_keys_parcel_make(c->keys, generation, q->node, to.enc_key, &parcel, &why) != DR_OK) {
		err = dr_core_say_error(c, client, why.err, why.what);
	} else if (dr_core_note(c, DR_NOTE_SHARE, c->final_number, NULL, DR_SOURCE_CORE, detail, NULL) == DR_OK &&
		   dr_core_commit(c) == DR_OK && dr_core_tick(c, true) == DR_OK) {
		const struct dr_run run = { dr_buf_view(&parcel) };
		const bool late = dr_engine_sealed(c->engine, &sealed);

		if (late) {
			snprintf(detail, sizeof(detail), "root generation %llu withheld from node 0x%s after all: %s",
				 (unsigned long long)generation, node, sealed);
			if (dr_core_note(c, DR_NOTE_SHARE, c->final_number, NULL, DR_SOURCE_CORE, detail, NULL) ==
				    DR_OK &&
			    dr_core_commit(c) == DR_OK)
				dr_core_say_error(c, client, DR_ERR_STALE, sealed);
		} else {
			dr_run_put(&client->ch.out, DR_MSG_PARCEL, &run, &c->fail);
			hand_over(client);
		}
		err = c->fail.err;
	} else {
		err = c->fail.err;
	}
	dr_buf_free(&parcel);
	return err;
}

bool dr_core_take_parcel_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload)
{
	struct dr_parcel_query query;
	struct dr_fail why = { 0 };

	if (dr_parcel_query_get(&query, payload, &why) != DR_OK)
		return false;
	say_parcel(c, client, &query);
	return true;
}

static enum dr_err say_done(struct dr_core *c, struct dr_client *client, const char *what)
{
	struct dr_done done = { "" };

	dr_text_set(done.what, sizeof(done.what), what, strlen(what));
	return dr_done_put(&client->ch.out, DR_MSG_DONE, &done, &c->fail);
}

/* A refusal is journalled: somebody handed this node a root that it must not have, or that is no root. */
static enum dr_err refuse_parcel(struct dr_core *c, struct dr_client *client, enum dr_err err, const char *what)
{
	char detail[DR_TEXT_MAX];

	snprintf(detail, sizeof(detail), "a parcel was refused: %s", what);
	if (dr_core_note(c, DR_NOTE_SHARE, c->final_number, NULL, DR_SOURCE_CORE, detail, NULL) != DR_OK ||
	    dr_core_commit(c) != DR_OK)
		return c->fail.err;
	return dr_core_say_error(c, client, err, what);
}

static enum dr_err take_parcel(struct dr_core *c, struct dr_client *client, struct dr_bytes bytes)
{
	uint8_t sealed[DR_KEYS_SEALED_LEN];
	const struct dr_state *state = NULL;
	struct dr_fail why = { 0 };
	char detail[DR_TEXT_MAX], from[41];
	struct dr_parcel p;
	struct dr_root root;
	uint64_t time;

	if (c->keys == NULL)
		return dr_core_say_error(c, client, DR_ERR_UNKNOWN, "this node has no key file: it holds no roots");
	if (dr_core_tick(c, false) != DR_OK || dr_core_roots_step(c) != DR_OK)
		return c->fail.err;
	if (dr_parcel_decode(&p, bytes, &why) != DR_OK)
		return refuse_parcel(c, client, why.err, why.what);
	dr_engine_state(c->engine, &state, &time);
	const enum dr_deny deny = dr_engine_ask_share(c->engine, p.generation, c->init.node);
	const struct dr_decision decision = { .deny = deny };

	if (deny != DR_DENY_NONE)
		return refuse_parcel(c, client, DR_ERR_STALE, reason_of(c, &decision));
	if (dr_keys_held(c->keys, p.generation))
		return refuse_parcel(c, client, DR_ERR_PROOF, "a root of this generation is already held here");
	dr_state_root(&root, state, p.generation);
	if (dr_keys_parcel_take(c->keys, &p, root.prf_pub, root.sig_pub, sealed, &why) != DR_OK)
		return refuse_parcel(c, client, why.err, why.what);
	dr_hex_put(from, p.from, 20);
	snprintf(detail, sizeof(detail), "root generation %llu taken from node 0x%s, equal to the published keys",
		 (unsigned long long)p.generation, from);
	if (dr_store_root_put(c->store, p.generation, dr_bytes_of(sealed, sizeof(sealed)), &c->fail) != DR_OK ||
	    dr_core_note(c, DR_NOTE_SHARE, c->final_number, NULL, DR_SOURCE_CORE, detail, NULL) != DR_OK ||
	    dr_core_commit(c) != DR_OK)
		return c->fail.err;
	return say_done(c, client, detail);
}

bool dr_core_take_parcel_put(struct dr_core *c, struct dr_client *client, struct dr_bytes payload)
{
	struct dr_fail why = { 0 };
	struct dr_run run;

	if (dr_run_get(&run, payload, &why) != DR_OK)
		return false;
	take_parcel(c, client, run.bytes);
	return true;
}

/* Sealing anew */

/* The new key file lies beside the old one until everything is sealed under it, durably; then it takes its place.
 * A start in between finds which of the two is meant (dr_core_roots_open). */
static enum dr_err reseal(struct dr_core *c, struct dr_client *client)
{
	uint8_t sealed[DR_KEYS_SEALED_LEN];
	char path[DR_TEXT_MAX + 8], detail[DR_TEXT_MAX];
	struct dr_fail why = { 0 };
	uint64_t generation = 0;
	unsigned num = 0;

	if (c->keys == NULL)
		return dr_core_say_error(c, client, DR_ERR_UNKNOWN, "this node has no key file: nothing is sealed");
	snprintf(path, sizeof(path), "%s.new", c->init.key_file);
	if (unlink(path) == 0)
		dr_key_file_sync(path);
	if (dr_keys_file_make(path, c->init.passphrase_file, dr_keys_memory_mib(c->keys), &why) != DR_OK ||
	    !dr_key_file_sync(path) || dr_keys_reseal(c->keys, path, c->init.passphrase_file, &why) != DR_OK)
		return dr_core_say_error(c, client, why.err != DR_OK ? why.err : DR_ERR_IO,
					 why.what != NULL ? why.what : "key file: could not be made durable");
	do {
		if (dr_keys_seal(c->keys, generation, sealed, &c->fail) != DR_OK ||
		    dr_store_root_replace(c->store, generation, dr_bytes_of(sealed, sizeof(sealed)), &c->fail) !=
			    DR_OK ||
		    dr_store_root_next(c->store, generation, &generation, &c->fail) != DR_OK)
			return c->fail.err;
		num++;
	} while (generation != 0);
	snprintf(detail, sizeof(detail), "sealed anew under a new key file: the node's own keys and %u roots",
		 num - 1);
	if (dr_core_note(c, DR_NOTE_ROOT, c->final_number, NULL, DR_SOURCE_CORE, detail, NULL) != DR_OK ||
	    dr_core_commit(c) != DR_OK)
		return c->fail.err;
	if (rename(path, c->init.key_file) != 0 || !dr_key_file_sync(path))
		return dr_core_fail(
			c, DR_ERR_IO, "the new key file",
			"%s: everything is sealed under it, and it could not take the key file's place, or "
			"not durably: %s; the next start sees to it",
			path, strerror(errno));
	return say_done(c, client, detail);
}

bool dr_core_take_reseal(struct dr_core *c, struct dr_client *client, struct dr_bytes payload)
{
	if (payload.len != 0)
		return false;
	reseal(c, client);
	return true;
}
