/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulate/watch.h"

#include <stdio.h>

#define SENT_MAX 32u

static struct dr_want wants[DR_WANTS_MAX];
static size_t num_wants;
static uint64_t credit;

/* Frames that were sent before, to be sent again. */
static struct {
	struct dr_frame frame;
	uint32_t want;
} sent[SENT_MAX];
static size_t num_sent;

void watch_reset(void)
{
	num_wants = 0;
	credit = 0;
}

void watch_hear(void)
{
	struct dr_bytes payload;
	struct dr_fail fail = { 0 };
	struct dr_want want;
	uint16_t type;

	while (hear_next(&machine.watch, &type, &payload)) {
		switch (type) {
		case DR_MSG_WANT:
			SIM_MUST("protocol", dr_want_get(&want, payload, &fail) == DR_OK && num_wants < DR_WANTS_MAX,
				 "a want that is none: %s", fail.what);
			wants[num_wants++] = want;
			/* By hash it asks for what was proven, and for what that leads to. */
			SIM_MUST("I1",
				 want.kind < DR_WANT_HEADER || want.kind == DR_WANT_BOOTSTRAP ||
					 want.kind == DR_WANT_UPDATES || w.halted || world_find(want.hash) != NULL,
				 "it asks for a block that is none (%u)", want.kind);
			break;
		case DR_MSG_CANCEL:
			for (size_t i = 0; i < num_wants; i++)
				if (payload.len == 4 &&
				    wants[i].id == (uint32_t)(dr_be64_get(
							   (uint8_t[8]){ 0, 0, 0, 0, payload.ptr[0], payload.ptr[1],
									 payload.ptr[2], payload.ptr[3] })))
					memmove(wants + i, wants + i + 1, (--num_wants - i) * sizeof(want));
			break;
		case DR_MSG_CREDIT:
			SIM_MUST("protocol", payload.len == 8, "credit that is none");
			credit += dr_be64_get(payload.ptr);
			break;
		case DR_MSG_REFUSED: {
			struct dr_refusal refusal = { 0 };

			sim_count(SIM_REFUSED);
			SIM_MUST("protocol", dr_refusal_get(&refusal, payload, &fail) == DR_OK, "a refusal: %s",
				 fail.what);
			sim_say("    refused: %s", refusal.what);
			break;
		}
		default: sim_fail("protocol", "the core says %04x to watch", type);
		}
	}
}

/* Frames on their way */

static void send_bytes(uint32_t want, struct dr_bytes frame)
{
	uint8_t id[4] = { (uint8_t)(want >> 24), (uint8_t)(want >> 16), (uint8_t)(want >> 8), (uint8_t)want };
	struct wire *to = &machine.watch;
	struct dr_fail fail = { 0 };
	struct dr_buf message;

	if (credit < frame.len + 6 || to->closed)
		return;
	credit -= frame.len + 6;
	dr_buf_init(&message, (size_t)1 << 24);
	dr_buf_append(&message, id, 4, &fail);
	dr_buf_append(&message, frame.ptr, frame.len, &fail);
	hear_say(to, DR_MSG_FRAME, dr_buf_view(&message));
	dr_buf_free(&message);
	SIM_MUST("limit", fail.err == DR_OK, "a frame is too long");
}

/* A frame that is true is noted at its block, before it goes out: what the core reads of it, it may know. */
static void note_truth(const struct dr_frame *f)
{
	struct dr_evm_header h;
	struct dr_fail fail = { 0 };
	struct block *b;

	switch (f->type) {
	case DR_FRAME_HEADER:
		if (dr_evm_header_decode(&h, f->payload, &fail) == DR_OK && (b = world_find(h.hash)) != NULL)
			b->told_header = true;
		return;
	case DR_FRAME_FINALITY:
		if (w.consensus)
			watch_beacon_note(f);
		if (f->payload.len != DR_QUORUM_PAYLOAD_LEN || f->payload.ptr[1] != DR_STATUS_FINAL ||
		    (b = world_find(f->payload.ptr + 10)) == NULL || f->source >= w.n)
			return;
		b->named |= (uint16_t)(1u << f->source);
		b->named_now |= (uint16_t)(1u << f->source);
		return;
	default: return; /* noted where they are made */
	}
}

void watch_send(uint32_t want, struct dr_frame frame)
{
	struct dr_fail fail = { 0 };
	struct dr_buf bytes;

	if (!watch_beacon_timely(&frame))
		return;
	note_truth(&frame);
	dr_buf_init(&bytes, (size_t)1 << 24);
	SIM_MUST("limit", dr_frame_put(&bytes, &frame, &fail) == DR_OK, "a frame: %s", fail.what);
	send_bytes(want, dr_buf_view(&bytes));
	dr_buf_free(&bytes);
	sent[num_sent % SENT_MAX].frame = frame;
	sent[num_sent++ % SENT_MAX].want = want;
}

bool watch_wants(enum dr_want_kind kind)
{
	for (size_t i = 0; i < num_wants; i++)
		if (wants[i].kind == kind)
			return true;
	return false;
}

void watch_release(void)
{
	machine.watch.held = 0;
}

/* What sources answer */

/* A block that is not on the chain, if there is one. */
static struct block *stray(void)
{
	for (size_t tries = 0; tries < 8; tries++) {
		struct block *b = w.s.blocks[draw((uint32_t)w.s.num)];

		if (world_at(w.s.tip, b->number) != b)
			return b;
	}
	return NULL;
}

static struct dr_bytes spoiled(struct dr_bytes bytes)
{
	uint8_t *out = kit_alloc(bytes.len);

	if (bytes.len > 0) {
		memcpy(out, bytes.ptr, bytes.len);
		out[draw((uint32_t)bytes.len)] ^= (uint8_t)(1u << draw(8));
	}
	return dr_bytes_of(out, bytes.len);
}

/* A header of one's own on a true parent: its hash is right, and nothing else need be. */
static struct dr_frame forged_header(const struct block *b, uint16_t source)
{
	struct dr_evm_header h = b->forged->header;
	struct dr_fail fail = { 0 };
	uint8_t *rlp = kit_alloc(2048);
	size_t len;

	switch (draw(4)) {
	case 0: h.state_root[draw(32)] ^= 1; break;
	case 1: h.receipts_root[draw(32)] ^= 1; break;
	case 2: memset(h.bloom, 0, sizeof(h.bloom)); break;
	case 3: h.timestamp += draw(100000); break;
	}
	SIM_MUST("limit", dr_evm_header_encode(rlp, 2048, &len, &h, &fail) == DR_OK, "a header: %s", fail.what);
	return (struct dr_frame){ DR_FRAME_HEADER, source, dr_bytes_of(rlp, len) };
}

/* Receipts with one left out, doubled, or of a neighbour. */
static struct dr_frame forged_receipts(const struct block *b, uint16_t source)
{
	static struct forge_block copy;
	const struct block *other = b->parent != NULL ? b->parent : b;

	copy = *b->forged;
	switch (draw(5)) {
	case 0: copy.num_receipts = 0; break;
	case 1:
		if (copy.num_receipts > 0)
			copy.num_receipts--;
		break;
	case 2: copy = *other->forged; break;
	case 3:
		if (copy.num_receipts > 0) {
			const size_t at = draw((uint32_t)copy.num_receipts);

			copy.receipts[at] = spoiled(copy.receipts[at]);
		}
		break;
	case 4:
		if (copy.num_receipts > 1) {
			const struct dr_bytes first = copy.receipts[0];

			copy.receipts[0] = copy.receipts[1];
			copy.receipts[1] = first;
		}
		break;
	}
	return frame_receipts(&copy, b->forged->header.hash, source);
}

static struct dr_frame forged_state(const struct dr_want *want, const struct block *b, uint16_t source)
{
	const struct block *of = draw(2) == 0 && b->parent != NULL ? b->parent : b;
	struct dr_frame f = frame_state(w.s.w.forge, of->forged, want->address, want->slots, want->num_slots, source);

	if (of != b)
		memcpy((uint8_t *)(uintptr_t)f.payload.ptr, b->forged->header.hash, 32);
	else
		f.payload = spoiled(f.payload);
	return f;
}

static struct dr_frame forged_logs(const struct dr_want *want, struct block *b, uint16_t source)
{
	size_t num = 0;

	for (struct block *x = b; x != NULL && x->number >= want->first; x = x->parent)
		num += x->forged->num_events;
	return frame_logs_changed(w.s.w.forge, b->forged, want->first,
				  num > 0 ? (enum forge_change)(FORGE_DROP + draw(6)) : FORGE_HONEST,
				  num > 0 ? draw((uint32_t)num) : 0, source);
}

/* A lie may turn out to be true, where a neighbour's answer is the same. */
static void send_lie(const struct dr_want *want, struct block *b, struct dr_frame frame)
{
	const struct forge *f = w.s.w.forge;

	switch (frame.type) {
	case DR_FRAME_RECEIPTS:
		if (dr_bytes_eq(frame.payload,
				frame_receipts(b->forged, b->forged->header.hash, frame.source).payload))
			b->told_receipts = true;
		break;
	case DR_FRAME_STATE:
		if (dr_bytes_eq(frame.payload,
				frame_state(f, b->forged, want->address, want->slots, want->num_slots, frame.source)
					.payload))
			b->told_state = true;
		break;
	case DR_FRAME_LOGS:
		if (dr_bytes_eq(frame.payload, frame_logs(f, b->forged, want->first, frame.source).payload) &&
		    (b->told_logs == 0 || want->first < b->told_logs))
			b->told_logs = want->first;
		break;
	default: break; /* headers speak for themselves */
	}
	watch_send(want->id, frame);
}

/* A lie in place of what was asked for. False: this source says nothing. */
static void lie(const struct dr_want *want, struct block *b, uint16_t source)
{
	const uint64_t before = report->counts[SIM_LIES];

	sim_count(SIM_LIES);
	if (chance(25)) {
		sim_count(SIM_WITHHELD);
		return;
	}
	switch ((enum dr_want_kind)want->kind) {
	case DR_WANT_FINALITY: watch_words(false); return;
	case DR_WANT_BOOTSTRAP:
	case DR_WANT_UPDATES: watch_beacon_lie(want, source); return;
	case DR_WANT_PARENTS:
	case DR_WANT_HEADERS:
	case DR_WANT_HEADER:
		for (uint64_t i = want->first; i <= want->last && i <= w.s.tip->number; i++) {
			const uint64_t n = want->kind == DR_WANT_PARENTS ? want->first + want->last - i : i;
			struct block *x = world_at(w.s.tip, n), *other = stray();

			if (x == NULL)
				continue;
			sim_count(SIM_FORGED_HEADERS);
			watch_send(want->id, draw(2) == 0 && other != NULL ? frame_header(other->forged, source)
									   : forged_header(x, source));
		}
		return;
	case DR_WANT_RECEIPTS:
		if (b == NULL)
			return;
		sim_count(SIM_FORGED_RECEIPTS);
		send_lie(want, b, forged_receipts(b, source));
		return;
	case DR_WANT_STATE:
		if (b == NULL)
			return;
		sim_count(SIM_FORGED_PROOFS);
		send_lie(want, b, forged_state(want, b, source));
		return;
	case DR_WANT_LOGS:
		if (b == NULL)
			return;
		sim_count(SIM_FORGED_LOGS);
		send_lie(want, b, forged_logs(want, b, source));
		return;
	}
	report->counts[SIM_LIES] = before;
}

static void tell_truth(const struct dr_want *want, struct block *b, uint16_t source)
{
	sim_count(SIM_ANSWERS);
	switch ((enum dr_want_kind)want->kind) {
	case DR_WANT_FINALITY: return; /* by all at once: watch_words */
	case DR_WANT_BOOTSTRAP:
	case DR_WANT_UPDATES: watch_beacon_answer(want, source); return;
	case DR_WANT_PARENTS:
		sim_count(SIM_PARENTS);
		for (uint64_t n = want->last; n >= want->first && b != NULL; n--)
			watch_send(want->id, frame_header(world_at(b, n)->forged, source));
		return;
	case DR_WANT_HEADERS:
		for (uint64_t n = want->first; n <= want->last && n <= w.s.tip->number; n++)
			if (world_at(w.s.tip, n) != NULL)
				watch_send(want->id, frame_header(world_at(w.s.tip, n)->forged, source));
		return;
	case DR_WANT_HEADER:
		if (b != NULL)
			watch_send(want->id, frame_header(b->forged, source));
		return;
	case DR_WANT_RECEIPTS:
		if (b == NULL)
			return;
		b->told_receipts = true;
		watch_send(want->id, frame_receipts(b->forged, b->forged->header.hash, source));
		return;
	case DR_WANT_STATE:
		if (b == NULL)
			return;
		report->counts[SIM_HISTORY] += memcmp(want->address, dr_evm_history_address, 20) == 0;
		report->counts[SIM_YOUNG] += w.cursor != NULL && b->number > w.cursor->number;
		b->told_state = true;
		watch_send(want->id,
			   frame_state(w.s.w.forge, b->forged, want->address, want->slots, want->num_slots, source));
		return;
	case DR_WANT_LOGS:
		if (b == NULL || want->first > b->number)
			return;
		if (b->told_logs == 0 || want->first < b->told_logs)
			b->told_logs = want->first;
		watch_send(want->id, frame_logs(w.s.w.forge, b->forged, want->first, source));
		return;
	}
}

static void word(enum dr_status status, const struct block *b, uint16_t source)
{
	sim_count(SIM_WORDS);
	watch_send(1, frame_named(status, b->forged, source));
}

/* Of every source: honest ones what is so; the others what is old, or several things; traitors agree on a lie. */
void watch_words(bool honest)
{
	struct block *final_block = world_final();

	if (w.consensus) {
		watch_beacon_words(honest);
		return;
	}
	for (uint16_t e = 0; e < w.n; e++) {
		const bool liar = !honest && chance(w.lie_percent);

		if (!honest && chance(10)) {
			sim_count(SIM_WITHHELD);
			continue;
		}
		if (!honest && e < w.traitors) {
			if (w.false_tip == NULL || w.false_tip->number <= w.s.w.forge->final_number || chance(10))
				w.false_tip = stray();
			if (w.false_tip != NULL && w.false_tip->number > START) {
				sim_count(SIM_LIES);
				word(DR_STATUS_FINAL, w.false_tip, e);
				word(DR_STATUS_HEAD, w.false_tip, e);
				if (chance(20)) {
					sim_count(SIM_EQUIVOCATIONS);
					word(DR_STATUS_FINAL, final_block, e);
				}
			}
			continue;
		}
		if (liar && final_block->number > START) {
			sim_count(SIM_OLD);
			final_block = world_at(final_block, START + draw((uint32_t)(final_block->number - START)));
		}
		word(DR_STATUS_FINAL, final_block, e);
		final_block = world_final();
		if (honest || liar)
			continue;
		/* Heads are told by watch_head, so that it is known which the core must count. */
	}
}

void watch_round(bool honest, int only)
{
	struct dr_want now[DR_WANTS_MAX];
	const size_t num = num_wants;

	memcpy(now, wants, num * sizeof(now[0]));
	for (size_t i = 0; i < num; i++) {
		const uint16_t source = (uint16_t)(only >= 0 ? (uint32_t)only : draw(w.n));
		struct block *b = now[i].kind >= DR_WANT_HEADER ? world_find(now[i].hash) : NULL;

		sim_say("    want %u: %u, %llu to %llu%s", now[i].id, now[i].kind, (unsigned long long)now[i].first,
			(unsigned long long)now[i].last, b != NULL ? "" : ", of no block");
		if (now[i].kind == DR_WANT_FINALITY) {
			if (honest)
				watch_words(true);
			continue;
		}
		if (!honest && chance(w.lie_percent))
			lie(&now[i], b, source);
		else
			tell_truth(&now[i], b, source);
	}
	hear_run();
}

size_t watch_open(void)
{
	size_t open = 0;

	for (size_t i = 0; i < num_wants; i++)
		open += wants[i].kind != DR_WANT_FINALITY;
	return open;
}

void watch_drain(int only)
{
	for (size_t round = 0, still = 0; round < 200 && machine.state == MACHINE_IDLE; round++) {
		const uint64_t before = w.logs[0].tree.size + w.logs[1].tree.size;

		watch_round(true, only);
		still = w.logs[0].tree.size + w.logs[1].tree.size != before ? 0 : still + 1;
		if ((still > 1 && watch_open() == 0) || still > 6)
			return;
	}
}

bool watch_head(struct block *b)
{
	if (w.consensus)
		return watch_beacon_head(b);
	for (uint16_t e = 0; e < w.n; e++)
		if (e >= w.traitors)
			word(DR_STATUS_HEAD, b, e);
	hear_run();
	return true;
}

void watch_junk(void)
{
	const uint32_t some = num_sent > 0 ? draw((uint32_t)(num_sent < SENT_MAX ? num_sent : SENT_MAX)) : 0;
	struct block *b = w.s.blocks[draw((uint32_t)w.s.num)];
	const uint16_t source = (uint16_t)draw(w.n);

	switch (draw(4)) {
	case 0:
		if (num_sent == 0)
			return;
		sim_count(SIM_DOUBLED);
		watch_send(sent[some].want, sent[some].frame);
		watch_send(sent[some].want, sent[some].frame);
		break;
	case 1:
		if (num_sent < 2)
			return;
		sim_count(SIM_SWAPPED);
		watch_send(sent[(some + 1) % (num_sent < SENT_MAX ? num_sent : SENT_MAX)].want, sent[some].frame);
		break;
	case 2: {
		const struct dr_want any = { .kind = (uint8_t)(DR_WANT_HEADERS + draw(5)),
					     .first = b->number > START + 3 ? b->number - 3 : START,
					     .last = b->number };
		struct dr_want asked = any;

		memcpy(asked.address, w.s.w.forge->contract, 20);
		sim_count(SIM_UNASKED);
		if (draw(2) == 0)
			lie(&asked, b, source);
		else
			tell_truth(&asked, b, source);
		break;
	}
	case 3: {
		/* In pieces: the rest comes a step later. */
		const size_t before = machine.watch.in.len;

		if (num_wants == 0)
			return;
		const struct dr_want *want = &wants[draw((uint32_t)num_wants)];

		if (want->kind == DR_WANT_FINALITY)
			watch_words(true);
		else
			tell_truth(want, want->kind >= DR_WANT_HEADER ? world_find(want->hash) : NULL, source);
		if (machine.watch.in.len > before && machine.watch.held == 0) {
			sim_count(SIM_DRIPPED);
			machine.watch.held = draw((uint32_t)(machine.watch.in.len - before));
		}
		break;
	}
	}
	hear_run();
}

/* What no honest watch ever says. The core ends its channel, and itself, and says so. */
void watch_break(void)
{
	struct dr_fail fail = { 0 };
	struct dr_frame frame = frame_header(w.s.tip->forged, (uint16_t)draw(w.n));
	struct dr_buf bytes;

	w.expect_fatal = true;
	if (num_sent > 0)
		frame = sent[draw((uint32_t)(num_sent < SENT_MAX ? num_sent : SENT_MAX))].frame;
	dr_buf_init(&bytes, (size_t)1 << 24);
	switch (draw(5)) {
	case 0: frame.type = DR_FRAME_START; break; /* as if the core had stamped it */
	case 1: frame.source = w.n; break;
	default: break;
	}
	dr_frame_put(&bytes, &frame, &fail);
	switch (draw(3)) {
	case 0: break;
	case 1:
		sim_count(SIM_TRUNCATED);
		bytes.len -= 1 + draw((uint32_t)bytes.len - 1);
		break;
	case 2:
		sim_count(SIM_FLIPPED);
		bytes.ptr[draw((uint32_t)bytes.len)] ^= (uint8_t)(1u << draw(8));
		break;
	}
	note_truth(&frame);
	send_bytes(draw(8), dr_buf_view(&bytes));
	dr_buf_free(&bytes);
	hear_run();
}

void watch_news(void)
{
	struct dr_unavailable u = { .want = num_wants > 0 ? wants[draw((uint32_t)num_wants)].id : 1,
				    .source = (uint16_t)draw(w.n + 1u) };
	struct dr_endpoint_news news = { .source = (uint16_t)draw(w.n), .state = (uint8_t)draw(DR_ENDPOINT_STATES) };
	struct dr_fail fail = { 0 };

	sim_count(SIM_UNAVAILABLE);
	if (u.source == w.n)
		u.source = DR_SOURCE_CORE;
	snprintf(u.reason, sizeof(u.reason), "no such thing %u", draw(3));
	snprintf(news.reason, sizeof(news.reason), "reason %u", draw(3));
	dr_unavailable_put(&machine.watch.in, DR_MSG_UNAVAILABLE, &u, &fail);
	dr_endpoint_news_put(&machine.watch.in, DR_MSG_ENDPOINT, &news, &fail);
	SIM_MUST("limit", fail.err == DR_OK, "news: %s", fail.what);
	hear_run();
}

bool watch_conflict(void)
{
	struct block *b = NULL;

	if (w.consensus) {
		watch_beacon_conflict();
		return true;
	}
	for (size_t i = 0; i < w.s.num && b == NULL; i++)
		if (w.cursor != NULL && w.s.blocks[i]->number <= w.cursor->number &&
		    world_at(w.s.tip, w.s.blocks[i]->number) != w.s.blocks[i])
			b = w.s.blocks[i];
	if (b == NULL)
		return false;
	w.halted = w.expect_fatal = true;
	for (uint16_t e = 0; e < w.k; e++)
		word(DR_STATUS_FINAL, b, e);
	hear_run();
	return true;
}
