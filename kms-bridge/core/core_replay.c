/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/core.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "chain/base/limits.h"

#define ASKS_MAX 256u
#define OUT_MAX  ((size_t)4 << 20) /* said but not yet taken: then we wait */

struct asked {
	struct dr_ask ask;
	struct dr_decision last;
};

struct replay {
	struct dr_core *c;
	struct dr_buf stream;
	size_t at;
	uint64_t offset; /* of `at` in the recording */
	bool has_head, begun, done, conflict;
	struct asked *asks;
	size_t num_asks;
};

static enum dr_err say_answer(struct replay *r, const char *name, const struct dr_decision *decision)
{
	static struct dr_status_report s;
	struct dr_answer answer = { .decision = *decision };

	dr_engine_status(r->c->engine, &s);
	dr_text_set(answer.name, sizeof(answer.name), name, sizeof(answer.name));
	answer.number = s.has_final ? s.final_number : 0;
	answer.head = s.head_number;
	return dr_answer_put(&r->c->control.out, DR_MSG_ANSWER, &answer, &r->c->fail);
}

static bool same_decision(const struct dr_decision *a, const struct dr_decision *b)
{
	return a->verdict == b->verdict && a->deny == b->deny && a->generation == b->generation &&
	       a->epoch == b->epoch && memcmp(a->app_hash, b->app_hash, 32) == 0 &&
	       memcmp(a->deployer, b->deployer, 20) == 0 && memcmp(a->nonce, b->nonce, 32) == 0;
}

static enum dr_err answer_asks(struct replay *r, bool first)
{
	for (size_t i = 0; i < r->num_asks; i++) {
		struct dr_decision now;

		dr_engine_ask(r->c->engine, &now, &r->asks[i].ask.request);
		if (!first && same_decision(&now, &r->asks[i].last))
			continue;
		r->asks[i].last = now;
		if (say_answer(r, r->asks[i].ask.name, &now) != DR_OK)
			return r->c->fail.err;
	}
	return DR_OK;
}

static enum dr_err take_head(struct replay *r, struct dr_bytes bytes)
{
	struct dr_core *c = r->c;
	struct dr_evidence_head head;

	if (dr_evidence_head_get(&head, bytes, &c->fail) != DR_OK)
		return c->fail.err;
	if (head.chain_id != c->init.chain_id)
		return dr_core_fail(c, DR_ERR_PROOF, "the recording is of another chain",
				    "the recording's chain id: expected %llu, got %llu",
				    (unsigned long long)c->init.chain_id, (unsigned long long)head.chain_id);
	if (memcmp(head.genesis, c->init.genesis, 32) != 0)
		return dr_fail_set(&c->fail, DR_ERR_PROOF, "the recording's genesis is not the expected one", 0);
	r->has_head = true;
	return DR_OK;
}

static enum dr_err take_frame(struct replay *r, const struct dr_frame *frame)
{
	struct dr_core *c = r->c;
	struct dr_decision decision;
	enum dr_take take;

	if (dr_core_feed(c, &take, &decision, frame) != DR_OK)
		return c->fail.err;
	if (frame->type == DR_FRAME_REQUEST && say_answer(r, "", &decision) != DR_OK)
		return c->fail.err;
	r->conflict = take == DR_TAKE_CONFLICT;
	r->done = r->conflict || (c->init.until != 0 && c->stepped && c->final_number >= c->init.until);
	return answer_asks(r, false);
}

static enum dr_err take_stream(struct replay *r)
{
	struct dr_core *c = r->c;

	while (!r->done) {
		const struct dr_bytes rest = { r->stream.ptr + r->at, r->stream.len - r->at };
		struct dr_fail why = { 0 };
		struct dr_frame frame;
		size_t used = DR_EVIDENCE_HEAD_LEN;

		if (!r->has_head) {
			if (rest.len < DR_EVIDENCE_HEAD_LEN)
				break;
			if (take_head(r, rest) != DR_OK)
				return c->fail.err;
		} else {
			const enum dr_err err =
				rest.len == 0 ? DR_ERR_SHORT : dr_frame_get(&frame, &used, rest, &why);

			if (err == DR_ERR_SHORT)
				break;
			if (err != DR_OK)
				return dr_core_fail(c, err, "the recording is damaged",
						    "the recording is damaged at byte %llu: %s",
						    (unsigned long long)r->offset, why.what);
			if (take_frame(r, &frame) != DR_OK)
				return c->fail.err;
		}
		r->at += used;
		r->offset += used;
		if (dr_channel_pending(&c->control) > OUT_MAX)
			dr_channel_flush(&c->control, OUT_MAX / 2, -1);
	}
	dr_buf_drop(&r->stream, r->at);
	r->at = 0;
	return DR_OK;
}

static enum dr_err take_ask(struct replay *r, struct dr_bytes payload)
{
	struct dr_core *c = r->c;

	if (r->begun)
		return dr_fail_set(&c->fail, DR_ERR_SYNTAX, "ASK comes before any evidence", 0);
	if (r->num_asks == ASKS_MAX)
		return dr_fail_set(&c->fail, DR_ERR_LIMIT, "number of ASKs", ASKS_MAX);
	if (dr_ask_get(&r->asks[r->num_asks].ask, payload, &c->fail) != DR_OK)
		return c->fail.err;
	r->num_asks++;
	return DR_OK;
}

static enum dr_err begin(struct replay *r)
{
	if (r->begun)
		return DR_OK;
	r->begun = true;
	return answer_asks(r, true);
}

/* The end of the recording, wherever it ends: what came before a torn frame was replayed. */
static enum dr_err end(struct replay *r)
{
	struct dr_core *c = r->c;

	r->done = true;
	if (!r->has_head)
		return dr_fail_set(&c->fail, DR_ERR_SHORT, "evidence ends inside its head of 64 bytes",
				   r->stream.len);
	c->torn = r->stream.len > 0;
	return DR_OK;
}

static enum dr_err take_message(struct replay *r, uint16_t type, struct dr_bytes payload)
{
	struct dr_core *c = r->c;

	switch (type) {
	case DR_MSG_ASK: return take_ask(r, payload);
	case DR_MSG_EVIDENCE:
		if (begin(r) != DR_OK || dr_buf_append(&r->stream, payload.ptr, payload.len, &c->fail) != DR_OK)
			return c->fail.err;
		return take_stream(r);
	case DR_MSG_END:
		if (payload.len != 0)
			break;
		return begin(r) != DR_OK ? c->fail.err : end(r);
	case DR_MSG_STOP: r->done = true; return DR_OK;
	default: break; /* not our enum: any number may come */
	}
	return dr_fail_set(&c->fail, DR_ERR_SYNTAX, "a message that does not belong on control in a replay", type);
}

static enum dr_err loop(struct replay *r)
{
	struct dr_core *c = r->c;

	while (!r->done) {
		struct pollfd p = { .fd = c->control.fd, .events = POLLIN };
		struct dr_bytes payload;
		uint16_t type;

		while (!r->done && dr_channel_next(&c->control, &type, &payload, &c->fail))
			if (take_message(r, type, payload) != DR_OK)
				return c->fail.err;
		if (c->fail.err != DR_OK || r->done)
			break;
		if (c->control.eof)
			return dr_fail_set(&c->fail, DR_ERR_SHORT, "control ended before END", 0);
		if (dr_channel_pending(&c->control) > 0)
			p.events |= POLLOUT;
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return dr_fail_set(&c->fail, DR_ERR_IO, "poll", (size_t)errno);
		if (dr_channel_write(&c->control, &c->fail) != DR_OK ||
		    ((p.revents & ~POLLOUT) != 0 && dr_channel_read(&c->control, &c->fail) != DR_OK))
			break;
	}
	return c->fail.err;
}

/* After `until` or a failure the other side may still be sending. What it sends is taken, and forgotten, until it has
 * read our last word and hangs up: it would not, if writing to us failed before. It may take its time, as a pager
 * does; if it ends instead, its end of the channel says so. */
static void drain(struct dr_core *c)
{
	struct dr_fail fail = { 0 };
	bool said = false;

	while (!c->control.eof) {
		struct pollfd p = { .fd = c->control.fd, .events = POLLIN };

		if (dr_channel_write(&c->control, &fail) != DR_OK)
			return;
		if (!said && dr_channel_pending(&c->control) == 0)
			said = shutdown(c->control.fd, SHUT_WR) == 0;
		if (!said)
			p.events |= POLLOUT;
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return;
		c->control.in.len = c->control.in_at = 0;
		if ((p.revents & ~POLLOUT) != 0 && dr_channel_read(&c->control, &fail) != DR_OK)
			return;
	}
}

int dr_core_replay(struct dr_core *c)
{
	struct replay r = { .c = c };
	struct dr_fail ready = { 0 };
	int code = DR_CORE_GOOD;

	dr_buf_init(&r.stream, 2 * (size_t)DR_MSG_LEN_MAX);
	r.asks = dr_heap_alloc(ASKS_MAX * sizeof(*r.asks));
	if (r.asks == NULL)
		dr_fail_set(&c->fail, DR_ERR_NOMEM, "no memory for the requests", 0);
	else if (dr_core_new_engine(c) == DR_OK &&
		 dr_msg_put(&c->control.out, DR_MSG_READY, dr_bytes_of(NULL, 0), &ready) == DR_OK)
		loop(&r);
	if (c->fail.err == DR_OK)
		dr_core_send_status(c);
	if (c->fail.err != DR_OK) {
		code = dr_core_fatal(c, c->fail.err == DR_ERR_PROOF ? DR_CORE_PROOF : DR_CORE_ERROR);
	} else if (r.conflict) {
		dr_core_fail(c, DR_ERR_PROOF, "conflict",
			     "the recording contradicts something final at byte %llu: halted",
			     (unsigned long long)r.offset);
		code = dr_core_fatal(c, DR_CORE_CONFLICT);
	}
	drain(c);
	dr_heap_free(r.asks);
	dr_buf_free(&r.stream);
	return code;
}
