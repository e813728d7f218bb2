/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/core.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "chain/base/reader.h"
#include "chain/base/writer.h"
#include "chain/crypto/secret.h"

#define BATCH   256u              /* log entries read at once */
#define OUT_MAX ((size_t)1 << 20) /* a client that takes no more waits; we do not */

static enum dr_err say_error(struct dr_core *c, struct dr_client *client, enum dr_err err, const char *what)
{
	struct dr_error error = { .err = (uint8_t)err };

	dr_text_set(error.what, sizeof(error.what), what, strlen(what));
	return dr_error_put(&client->ch.out, DR_MSG_ERROR, &error, &c->fail);
}

static enum dr_err say_status(struct dr_core *c, struct dr_client *client)
{
	static struct dr_status_report report;

	/* QUERY has only the store: the state is folded out of it when it is first asked for. */
	if (c->engine == NULL && (dr_core_new_engine(c) != DR_OK || dr_core_refold(c) != DR_OK))
		return c->fail.err;
	dr_core_status(c, &report);
	return dr_status_report_put(&client->ch.out, DR_MSG_STATUS, &report, &c->fail);
}

static const char *reason_of(const struct dr_core *c, const struct dr_decision *decision)
{
	const char *why;

	if (decision->deny == DR_DENY_SEALED && dr_engine_sealed(c->engine, &why))
		return why;
	return dr_deny_text(decision->deny);
}

/* Intent → durable → act → result → durable → answer. */
static enum dr_err say_key(struct dr_core *c, struct dr_client *client, const struct dr_request *request)
{
	struct dr_key_answer answer = { .development = c->init.proof == DR_PROOF_QUORUM };
	struct dr_fail why = { 0 };
	char detail[DR_TEXT_MAX];
	enum dr_err err = DR_OK;

	if (dr_core_tick(c, false) != DR_OK ||
	    dr_engine_request(c->engine, &answer.decision, &answer.request_idx, request, &c->fail) != DR_OK ||
	    dr_core_commit(c) != DR_OK)
		return c->fail.err;
	if (answer.decision.verdict != DR_ALLOW) {
		const char *reason = reason_of(c, &answer.decision);

		dr_text_set(answer.reason, sizeof(answer.reason), reason, strlen(reason));
		return dr_key_answer_put(&client->ch.out, DR_MSG_KEY, &answer, &c->fail);
	}
	/* A plain key leaves only from a development root. This build knows no other; a later one must not fall
	 * through here. */
	if (!answer.development)
		return say_error(c, client, DR_ERR_UNKNOWN, "keys of this proof go to an attested recipient only");
	if (c->keys == NULL || dr_keys_derive(c->keys, answer.key, NULL, &answer.decision, request, &why) != DR_OK)
		return say_error(c, client, DR_ERR_UNKNOWN, why.what != NULL ? why.what : "no root is held here");
	answer.key_len = DR_KEYS_LEN;
	snprintf(detail, sizeof(detail), "request %llu: key released, purpose %s, generation %llu, epoch %llu",
		 (unsigned long long)answer.request_idx, dr_purpose_name((enum dr_purpose)request->purpose),
		 (unsigned long long)answer.decision.generation, (unsigned long long)answer.decision.epoch);
	if (dr_core_note(c, DR_NOTE_RELEASE, c->final_number, request->app, DR_SOURCE_CORE, detail, NULL) != DR_OK ||
	    dr_core_commit(c) != DR_OK || dr_key_answer_put(&client->ch.out, DR_MSG_KEY, &answer, &c->fail) != DR_OK)
		err = c->fail.err;
	dr_secret_wipe(&answer, sizeof(answer));
	return err;
}

static bool take_key_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload)
{
	struct dr_fail why = { 0 };
	struct dr_request request;

	if (dr_request_decode(&request, payload, &why) != DR_OK) {
		say_error(c, client, why.err, why.what);
		return true;
	}
	if (c->init.mode != DR_MODE_RUN)
		say_error(c, client, DR_ERR_UNKNOWN, "keys are answered by a running core only");
	else
		say_key(c, client, &request);
	return true;
}

static bool take_root_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload)
{
	struct dr_fail why = { 0 };
	struct dr_root_public root;
	struct dr_reader r;

	dr_reader_init(&r, payload, &why);
	const uint64_t generation = dr_reader_u64(&r);

	if (dr_reader_end(&r) != DR_OK)
		return false;
	if (c->init.mode != DR_MODE_RUN)
		say_error(c, client, DR_ERR_UNKNOWN, "roots are opened by a running core only");
	else if (dr_core_root_public(c, generation, &root) == DR_OK)
		dr_root_public_put(&client->ch.out, DR_MSG_ROOT, &root, &c->fail);
	return true;
}

static bool begin_log(struct dr_core *c, struct dr_client *client, const struct dr_log_query *q)
{
	const struct dr_merkle *edge = dr_store_log_edge(c->store, (enum dr_log)q->log);

	client->answer.kind = DR_ANSWER_LOG;
	client->answer.log = (enum dr_log)q->log;
	client->answer.size = edge->size;
	dr_merkle_root(client->answer.root, edge);
	client->answer.next = q->first < edge->size ? q->first : edge->size;
	client->answer.end = edge->size;
	if (q->num != 0 && q->num < edge->size - client->answer.next)
		client->answer.end = client->answer.next + q->num;
	return true;
}

static bool begin_evidence(struct dr_core *c, struct dr_client *client)
{
	struct dr_evidence_head head = { .family = DR_FAMILY_EVM, .chain_id = c->init.chain_id };
	uint8_t bytes[DR_EVIDENCE_HEAD_LEN];

	memcpy(head.genesis, c->init.genesis, 32);
	dr_evidence_head_put(bytes, &head);
	client->answer.kind = DR_ANSWER_EVIDENCE;
	client->answer.next = 0;
	client->answer.end = client->answer.size = dr_store_evidence_num(c->store);
	memset(client->answer.root, 0, 32);
	dr_msg_put(&client->ch.out, DR_MSG_KEPT, dr_bytes_of(bytes, sizeof(bytes)), &c->fail);
	return true;
}

bool dr_core_client_take(struct dr_core *c, struct dr_client *client, uint16_t type, struct dr_bytes payload)
{
	struct dr_log_query query;
	struct dr_fail why = { 0 };

	switch (type) {
	case DR_MSG_STATUS_GET:
		if (payload.len != 0)
			return false;
		say_status(c, client);
		return true;
	case DR_MSG_KEY_GET: return take_key_get(c, client, payload);
	case DR_MSG_ROOT_GET: return take_root_get(c, client, payload);
	case DR_MSG_LOG_GET: return dr_log_query_get(&query, payload, &why) == DR_OK && begin_log(c, client, &query);
	case DR_MSG_EVIDENCE_GET: return payload.len == 0 && begin_evidence(c, client);
	default: return false; /* not our enum: any number may come */
	}
}

struct telling {
	struct dr_core *c;
	struct dr_client *client;
};

static enum dr_err tell_entry(void *ctx, const struct dr_entry *entry)
{
	struct telling *t = ctx;

	t->client->answer.next++;
	return dr_entry_put(&t->client->ch.out, DR_MSG_LOG_ENTRY, entry, &t->c->fail);
}

static enum dr_err tell_frame(struct dr_core *c, struct dr_client *client)
{
	c->frame.len = 0;
	if (dr_store_evidence_get(c->store, client->answer.next, &c->frame, &c->fail) != DR_OK)
		return c->fail.err;
	client->answer.next++;
	return dr_msg_put(&client->ch.out, DR_MSG_KEPT, dr_buf_view(&c->frame), &c->fail);
}

enum dr_err dr_core_client_more(struct dr_core *c, struct dr_client *client)
{
	struct telling t = { c, client };
	uint8_t end[40];

	while (client->answer.kind != DR_ANSWER_NONE && dr_channel_pending(&client->ch) < OUT_MAX) {
		const uint64_t left = client->answer.end - client->answer.next;

		if (left == 0) {
			dr_be64_put(end, client->answer.size);
			memcpy(end + 8, client->answer.root, 32);
			client->answer.kind = DR_ANSWER_NONE;
			return dr_msg_put(&client->ch.out, DR_MSG_LOG_END, dr_bytes_of(end, sizeof(end)), &c->fail);
		}
		if (client->answer.kind == DR_ANSWER_LOG)
			dr_store_log(c->store, client->answer.log, client->answer.next, left < BATCH ? left : BATCH,
				     tell_entry, &t, &c->fail);
		else
			tell_frame(c, client);
		if (c->fail.err != DR_OK)
			return c->fail.err;
	}
	return DR_OK;
}

static void query_loop(struct dr_core *c)
{
	/* One client: whoever holds control. */
	struct dr_client client = { .ch = c->control };

	while (c->fail.err == DR_OK) {
		struct pollfd p = { .fd = client.ch.fd, .events = POLLIN };
		struct dr_bytes payload;
		uint16_t type;

		while (client.answer.kind == DR_ANSWER_NONE && c->fail.err == DR_OK &&
		       dr_channel_next(&client.ch, &type, &payload, &c->fail))
			if (!dr_core_client_take(c, &client, type, payload))
				dr_fail_set(&c->fail, DR_ERR_SYNTAX,
					    "a message that does not belong on control in a query", type);
		if (c->fail.err != DR_OK || dr_core_client_more(c, &client) != DR_OK)
			break;
		if (dr_channel_write(&client.ch, &c->fail) != DR_OK || client.ch.gone ||
		    (client.ch.eof && client.answer.kind == DR_ANSWER_NONE && dr_channel_pending(&client.ch) == 0))
			break;
		p.events = dr_channel_pending(&client.ch) > 0 ? POLLOUT : POLLIN;
		if (client.answer.kind != DR_ANSWER_NONE && dr_channel_pending(&client.ch) == 0)
			continue;
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			dr_fail_set(&c->fail, DR_ERR_IO, "poll", (size_t)errno);
		else if ((p.revents & ~POLLOUT) != 0)
			dr_channel_read(&client.ch, &c->fail);
	}
	c->control = client.ch;
}

int dr_core_query(struct dr_core *c)
{
	if (dr_core_open_store(c, true) == DR_OK)
		dr_msg_put(&c->control.out, DR_MSG_READY, dr_bytes_of(NULL, 0), &c->fail);
	if (c->fail.err == DR_OK)
		query_loop(c);
	return c->fail.err == DR_OK ? DR_CORE_GOOD : dr_core_fatal(c, DR_CORE_ERROR);
}
