/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/core.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "chain/base/reader.h"

#define BATCH   256u              /* log entries read at once */
#define OUT_MAX ((size_t)1 << 20) /* a client that takes no more waits; we do not */

static enum dr_err say_status(struct dr_core *c, struct dr_client *client)
{
	static struct dr_status_report report;

	/* QUERY has only the store: the state is folded out of it when it is first asked for. */
	if (c->engine == NULL && (dr_core_new_engine(c) != DR_OK || dr_core_refold(c) != DR_OK))
		return c->fail.err;
	if (dr_core_commit(c) != DR_OK) /* it names the logs' roots */
		return c->fail.err;
	dr_core_status(c, &report);
	return dr_status_report_put(&client->ch.out, DR_MSG_STATUS, &report, &c->fail);
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
	if (dr_core_root_public(c, generation, &root) == DR_OK)
		dr_root_public_put(&client->ch.out, DR_MSG_ROOT, &root, &c->fail);
	return true;
}

static bool begin_log(struct dr_core *c, struct dr_client *client, const struct dr_log_query *q)
{
	/* Whoever is told of a root may hold this journal to it: it is durable. */
	if (dr_core_commit(c) != DR_OK)
		return true;
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

	if (dr_core_commit(c) != DR_OK)
		return true;
	memcpy(head.genesis, c->init.genesis, 32);
	dr_evidence_head_put(bytes, &head);
	client->answer.kind = DR_ANSWER_EVIDENCE;
	client->answer.next = 0;
	client->answer.end = client->answer.size = dr_store_evidence_num(c->store);
	memset(client->answer.root, 0, 32);
	dr_msg_put(&client->ch.out, DR_MSG_KEPT, dr_bytes_of(bytes, sizeof(bytes)), &c->fail);
	return true;
}

static bool take_status_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload)
{
	if (payload.len != 0)
		return false;
	say_status(c, client);
	return true;
}

static bool take_log_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload)
{
	struct dr_log_query query;
	struct dr_fail why = { 0 };

	return dr_log_query_get(&query, payload, &why) == DR_OK && begin_log(c, client, &query);
}

static bool take_evidence_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload)
{
	return payload.len == 0 && begin_evidence(c, client);
}

static const struct {
	uint16_t type;
	bool is_public; /* serve may say it */
	bool running;   /* only a running core answers; a query of a store at rest does not */
	bool (*take)(struct dr_core *c, struct dr_client *client, struct dr_bytes payload);
} messages[] = {
	{ DR_MSG_STATUS_GET, true, false, take_status_get },
	{ DR_MSG_KEY_GET, false, true, dr_core_take_key_get },
	{ DR_MSG_LOG_GET, true, false, take_log_get },
	{ DR_MSG_ROOT_GET, false, true, take_root_get },
	{ DR_MSG_EVIDENCE_GET, false, false, take_evidence_get },
	{ DR_MSG_NODE_GET, true, true, dr_core_take_node_get },
	{ DR_MSG_PARCEL_GET, false, true, dr_core_take_parcel_get },
	{ DR_MSG_PARCEL_PUT, false, true, dr_core_take_parcel_put },
	{ DR_MSG_CERTIFICATE_GET, true, true, dr_core_take_certificate_get },
	{ DR_MSG_CHECKPOINT_GET, true, true, dr_core_take_checkpoint_get },
	{ DR_MSG_PROOF_GET, true, false, dr_core_take_proof_get },
	{ DR_MSG_RESEAL, false, true, dr_core_take_reseal },
};

bool dr_core_client_take(struct dr_core *c, struct dr_client *client, uint16_t type, struct dr_bytes payload)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		if (messages[i].type != type)
			continue;
		if (client->is_serve && !messages[i].is_public)
			return false;
		if (messages[i].running && c->init.mode != DR_MODE_RUN) {
			dr_core_say_error(c, client, DR_ERR_UNKNOWN, "only a running core answers this");
			return true;
		}
		/* In order: what was asked before is answered before. */
		if (type != DR_MSG_KEY_GET && dr_core_keys_flush(c) != DR_OK)
			return true;
		return messages[i].take(c, client, payload);
	}
	return false;
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
