/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/core_live.h"

#include <stdio.h>
#include <string.h>

#include "chain/base/reader.h"
#include "chain/evm/header.h"
#include "chain/evm/quorum.h"

enum dr_err dr_live_start_engine(struct dr_live *l, uint64_t boot_ms, uint64_t wall_ms)
{
	l->started = true;
	return dr_engine_start(l->c->engine, boot_ms, wall_ms, &l->c->fail);
}

/* The sum of what differs between the wants that stand and those that watch has. */
enum dr_err dr_live_wants(struct dr_live *l)
{
	struct dr_core *c = l->c;
	uint32_t now[DR_WANTS_MAX];

	if (c->watch.fd < 0)
		return DR_OK;
	const size_t num = dr_engine_wants(c->engine, l->wants, DR_WANTS_MAX);

	for (size_t i = 0; i < l->num_sent; i++) {
		bool stands = false;

		for (size_t k = 0; k < num; k++)
			stands = stands || l->wants[k].id == l->sent[i];
		uint8_t id[4] = { (uint8_t)(l->sent[i] >> 24), (uint8_t)(l->sent[i] >> 16),
				  (uint8_t)(l->sent[i] >> 8), (uint8_t)l->sent[i] };

		if (!stands && dr_msg_put(&c->watch.out, DR_MSG_CANCEL, dr_bytes_of(id, 4), &c->fail) != DR_OK)
			return c->fail.err;
	}
	for (size_t k = 0; k < num; k++) {
		bool has = false;

		now[k] = l->wants[k].id;
		for (size_t i = 0; i < l->num_sent; i++)
			has = has || l->sent[i] == now[k];
		if (!has && dr_want_put(&c->watch.out, DR_MSG_WANT, &l->wants[k], &c->fail) != DR_OK)
			return c->fail.err;
	}
	memcpy(l->sent, now, num * sizeof(now[0]));
	l->num_sent = num;
	return DR_OK;
}

enum dr_err dr_live_credit(struct dr_live *l, uint64_t bytes)
{
	uint8_t be[8];

	dr_be64_put(be, bytes);
	return dr_msg_put(&l->c->watch.out, DR_MSG_CREDIT, dr_bytes_of(be, sizeof(be)), &l->c->fail);
}

/* The chain's time: that of the newest header seen, as a wall clock beside a living chain would show it. */
static enum dr_err chain_clock(struct dr_live *l, const struct dr_frame *frame)
{
	struct dr_core *c = l->c;
	struct dr_evm_header h;
	struct dr_fail why = { 0 };

	if (c->init.clock != DR_CLOCK_CHAIN || frame->type != DR_FRAME_HEADER ||
	    dr_evm_header_decode(&h, frame->payload, &why) != DR_OK || h.timestamp <= l->chain_time ||
	    h.timestamp > UINT64_MAX / 1000)
		return DR_OK;
	if (!l->started) {
		if (memcmp(h.hash, c->init.start_hash, 32) != 0)
			return DR_OK;
		l->chain_time = h.timestamp;
		return dr_live_start_engine(l, h.timestamp * 1000, h.timestamp * 1000);
	}
	l->chain_time = h.timestamp;
	return dr_engine_clock(c->engine, h.timestamp * 1000, h.timestamp * 1000, &c->fail);
}

static void forget_noted(struct dr_core *c)
{
	c->noted_nobody = false;
	for (size_t i = 0; i < DR_ENDPOINTS_MAX; i++) {
		memset(c->endpoints[i].noted, 0, sizeof(c->endpoints[i].noted));
		memset(c->endpoints[i].unavailable, 0, sizeof(c->endpoints[i].unavailable));
	}
}

static enum dr_err take_frame(struct dr_live *l, uint32_t want, const struct dr_frame *frame)
{
	struct dr_core *c = l->c;
	enum dr_take take;

	c->want = want;
	if (chain_clock(l, frame) != DR_OK)
		return c->fail.err;
	if (dr_core_feed(c, &take, NULL, frame) != DR_OK) {
		l->conflict = dr_engine_halted(c->engine); /* seen, though it could not be kept */
		return c->fail.err;
	}
	if (take == DR_TAKE_CONFLICT) {
		l->conflict = true;
		return DR_OK;
	}
	/* For the status: what this endpoint called final. */
	if (take != DR_TAKE_REFUSED && frame->type == DR_FRAME_FINALITY && frame->source < DR_ENDPOINTS_MAX &&
	    frame->payload.len == DR_QUORUM_PAYLOAD_LEN && frame->payload.ptr[1] == DR_STATUS_FINAL)
		c->endpoints[frame->source].final_number = dr_be64_get(frame->payload.ptr + 2);
	if (!c->stepped)
		return DR_OK;
	c->stepped = false;
	forget_noted(c);
	l->reached = c->init.mode == DR_MODE_RECORD && c->init.until != 0 && c->final_number >= c->init.until;
	if (dr_core_roots_step(c) != DR_OK)
		return c->fail.err;
	return dr_core_commit(c);
}

enum dr_err dr_live_protocol_error(struct dr_live *l, const char *what)
{
	char detail[DR_TEXT_MAX];

	l->protocol_error = true;
	snprintf(detail, sizeof(detail), "watch broke the protocol: %s; its channel is closed", what);
	return dr_core_note(l->c, DR_NOTE_LIE, 0, NULL, DR_SOURCE_CORE, detail, NULL);
}

/* Clock CHAIN: frames that came before the start block's header wait until it says the time. */
static enum dr_err take_early(struct dr_live *l, uint32_t want, struct dr_bytes bytes, const struct dr_frame *frame)
{
	struct dr_core *c = l->c;
	size_t at = 0, used;

	if (chain_clock(l, frame) != DR_OK)
		return c->fail.err;
	if (!l->started)
		return dr_buf_append(&l->early, bytes.ptr, bytes.len, &c->fail);
	for (; at < l->early.len && c->fail.err == DR_OK && !l->conflict; at += used) {
		struct dr_frame waited;

		if (dr_frame_get(&waited, &used, dr_bytes_of(l->early.ptr + at, l->early.len - at), &c->fail) ==
		    DR_OK)
			take_frame(l, 0, &waited);
	}
	dr_buf_free(&l->early);
	if (c->fail.err != DR_OK || l->conflict)
		return c->fail.err;
	return take_frame(l, want, frame);
}

static enum dr_err take_frame_message(struct dr_live *l, struct dr_bytes payload)
{
	struct dr_fail why = { 0 };
	struct dr_frame frame;
	struct dr_reader r;
	size_t used;

	dr_reader_init(&r, payload, &why);
	const uint32_t want = dr_reader_u32(&r);
	const struct dr_bytes bytes = dr_reader_view(&r, r.left);

	if (why.err != DR_OK || dr_frame_get(&frame, &used, bytes, &why) != DR_OK)
		return dr_live_protocol_error(l, why.what);
	if (used != bytes.len)
		return dr_live_protocol_error(l, "bytes after a frame");
	if (dr_frame_is_core(frame.type))
		return dr_live_protocol_error(l, "a frame that only the core itself may stamp");
	if (frame.source >= l->c->init.quorum_n)
		return dr_live_protocol_error(l, "a frame from an endpoint that is not configured");
	if (!l->started)
		return take_early(l, want, bytes, &frame);
	return take_frame(l, want, &frame);
}

/* What watch says about endpoints is nobody's proof: it may fill the journal only so fast. */
static enum dr_err watch_note(struct dr_live *l, enum dr_note_kind kind, uint16_t source, const char *detail)
{
	if (l->notes_left == 0)
		return DR_OK;
	if (--l->notes_left == 0)
		return dr_core_note(l->c, kind, 0, NULL, DR_SOURCE_CORE,
				    "watch reports too much: the rest of this minute is left out", NULL);
	return dr_core_note(l->c, kind, 0, NULL, source, detail, NULL);
}

static enum dr_err take_unavailable(struct dr_live *l, struct dr_bytes payload)
{
	struct dr_core *c = l->c;
	struct dr_unavailable u;
	struct dr_fail why = { 0 };

	if (dr_unavailable_get(&u, payload, &why) != DR_OK)
		return dr_live_protocol_error(l, why.what);
	if (u.source == DR_SOURCE_CORE)
		dr_engine_unavailable(c->engine, u.want);
	else if (u.source >= c->init.quorum_n)
		return dr_live_protocol_error(l, "word of an endpoint that is not configured");
	/* The same words again and again are one entry, until something final is proven. */
	if (u.source == DR_SOURCE_CORE) {
		if (c->noted_nobody)
			return DR_OK;
		c->noted_nobody = true;
	} else {
		if (strcmp(c->endpoints[u.source].unavailable, u.reason) == 0)
			return DR_OK;
		memcpy(c->endpoints[u.source].unavailable, u.reason, sizeof(u.reason));
	}
	return watch_note(l, DR_NOTE_UNAVAILABLE, u.source, u.reason);
}

static enum dr_err take_endpoint(struct dr_live *l, struct dr_bytes payload)
{
	static const char *const states[DR_ENDPOINT_STATES] = { "unknown", "good", "lags", "set aside",
								"on a wrong chain" };
	struct dr_core *c = l->c;
	struct dr_endpoint_news news;
	struct dr_fail why = { 0 };
	char detail[DR_TEXT_MAX + 32];

	if (dr_endpoint_news_get(&news, payload, &why) != DR_OK)
		return dr_live_protocol_error(l, why.what);
	if (news.source >= c->init.quorum_n)
		return dr_live_protocol_error(l, "news of an endpoint that is not configured");
	if (c->endpoints[news.source].state == news.state &&
	    strcmp(c->endpoints[news.source].reason, news.reason) == 0)
		return DR_OK;
	c->endpoints[news.source].state = news.state;
	memcpy(c->endpoints[news.source].reason, news.reason, sizeof(news.reason));
	/* One that comes and goes is not told each time. */
	if (strcmp(c->endpoints[news.source].noted[news.state], news.reason) == 0)
		return DR_OK;
	memcpy(c->endpoints[news.source].noted[news.state], news.reason, sizeof(news.reason));
	snprintf(detail, sizeof(detail), "%s%s%s", states[news.state], news.reason[0] != 0 ? ": " : "", news.reason);
	return watch_note(l, DR_NOTE_ENDPOINT, news.source, detail);
}

enum dr_err dr_live_take(struct dr_live *l, uint16_t type, struct dr_bytes payload)
{
	switch (type) {
	case DR_MSG_FRAME: l->consumed += payload.len + 6; return take_frame_message(l, payload);
	case DR_MSG_UNAVAILABLE: return take_unavailable(l, payload);
	case DR_MSG_ENDPOINT: return take_endpoint(l, payload);
	default:
		return dr_live_protocol_error(
			l, "a message that watch may not send"); /* not our enum: any number may come */
	}
}
