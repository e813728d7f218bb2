/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulate/hear.h"

#include "tests/simulate/clocks.h"
#include "tests/simulate/disk.h"
#include "tests/simulate/world_beacon.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAP_MAX ((size_t)24 << 20)

void hear_say(struct wire *to, uint16_t type, struct dr_bytes payload)
{
	struct dr_fail fail = { 0 };

	if (to->closed || !to->used)
		return;
	SIM_MUST("limit", dr_msg_put(&to->in, type, payload, &fail) == DR_OK, "a message is too long: %s", fail.what);
}

bool hear_next(struct wire *from, uint16_t *type, struct dr_bytes *payload)
{
	struct dr_fail fail = { 0 };
	size_t used = 0;

	if (from->out.len == from->out_at) {
		from->out.len = from->out_at = from->num_said = 0;
		return false;
	}
	SIM_MUST("protocol",
		 dr_msg_get(type, payload, &used,
			    dr_bytes_of(from->out.ptr + from->out_at, from->out.len - from->out_at), &fail) == DR_OK,
		 "the core says what is no message: %s", fail.what);
	from->out_at += used;
	for (size_t i = 0; i < from->num_said; i++) {
		machine.said_ms = from->said[i].ms;
		if (from->said[i].end >= from->out_at)
			break;
	}
	if (used > 0)
		sim_trace(*type, payload->ptr, payload->len);
	return used > 0;
}

/* Whether this is the core's own reason to be sealed, which no evidence shows. */
static bool is_hold(const char *why)
{
	return strstr(why, "heartbeat on chain") != NULL || strstr(why, "root held here") != NULL;
}

/* What a note means for whoever watches from outside. */
static void hear_note(struct told_entry *e, const struct dr_note *note)
{
	unsigned long long request;
	struct block *b = world_find(note->hash);

	e->kind = note->kind;
	e->number = note->number;
	e->boot_ms = note->boot_ms;
	e->wall_ms = note->wall_ms;
	e->request = UINT64_MAX;
	e->said = told_word(note->detail);
	sim_say("    journal %llu: %s %s", (unsigned long long)(w.logs[1].tree.size), dr_note_name(note->kind),
		note->detail);
	switch ((enum dr_note_kind)note->kind) {
	case DR_NOTE_FINAL: sim_count(SIM_FINALS); break;
	case DR_NOTE_HEAD:
		sim_count(SIM_HEADS);
		SIM_MUST("I1", b != NULL, "a head that is none: %s", note->detail);
		if (b->time > w.head_time)
			w.head_time = b->time;
		/* Proofs of finality show heads as well: which of them are complete, the core says. */
		for (struct block *x = b;
		     w.consensus && w.cursor != NULL && x != NULL && x->number > w.cursor->number; x = x->parent)
			x->counts = true;
		break;
	case DR_NOTE_RELEASE:
		if (strstr(note->detail, ": withheld ") == NULL &&
		    sscanf(note->detail, "request %llu:", &request) == 1)
			e->request = request;
		break;
	case DR_NOTE_REQUEST: {
		const char *deny = strstr(note->detail, ": deny ");

		if (deny != NULL)
			sscanf(deny + 7, "%23s", e->deny);
		break;
	}
	case DR_NOTE_LEASE:
		w.learned = w.learned || strncmp(note->detail, "unsealed", 8) == 0;
		w.ever_held = w.ever_held || is_hold(note->detail);
		break;
	case DR_NOTE_HEARTBEAT:
		/* What the core says of what it does is not the engine's. */
		if (strncmp(note->detail, "a heartbeat is drawn", 20) == 0)
			e->said = 0;
		if (strncmp(note->detail, "drawn", 5) != 0)
			break;
		SIM_MUST("limit", w.num_drawn < DRAWN_MAX, "too many heartbeats");
		sim_count(SIM_NONCES);
		memcpy(w.drawn_words[w.num_drawn], note->hash, 32);
		w.drawn[w.num_drawn++] = (struct drawn){ dr_be64_get(note->hash), machine.true_ms, w.life, false };
		w.s.num_drawn = w.num_drawn;
		break;
	case DR_NOTE_LIE:
		if (strstr(note->detail, "broke the protocol") != NULL)
			sim_count(SIM_PROTOCOL_ERRORS);
		break;
	case DR_NOTE_START:
		w.life++;
		w.learned = false;
		w.cursor_ms = w.behind_ms = w.beat_ms = 0;
		break;
	case DR_NOTE_DISSENT:
	case DR_NOTE_UNAVAILABLE:
	case DR_NOTE_ENDPOINT:
	case DR_NOTE_DIVERGENCE:
	case DR_NOTE_ROOT:
	case DR_NOTE_PROFILE:
	case DR_NOTE_CONFLICT:
	case DR_NOTE_STOP:
	case DR_NOTE_SHARE:
	case DR_NOTE_CHECKPOINT: break;
	case DR_NOTE_PERIOD: sim_count(SIM_PERIODS); break;
	}
}

/* A heartbeat that this block's state shows, if it was drawn in this life. */
static void hear_beat(const struct block *b)
{
	const struct m_view v = view_of(b);
	const struct m_ev *nonce = m_nonce(&v, NODE);

	if (nonce == NULL || nonce->n[1] < DRAWN)
		return;
	const struct drawn *d = &w.drawn[nonce->n[1] - DRAWN];

	if (d->size == nonce->n[0] && d->life == w.life && !d->lost && d->true_ms > w.beat_ms)
		w.beat_ms = d->true_ms;
}

/* The cursor: on the true chain, over complete blocks alone, and forwards. */
static void hear_cursor(uint64_t number, const uint8_t hash[static 32])
{
	struct block *b = world_find(hash), *was = w.cursor;

	SIM_MUST("I1", b != NULL && b->number == number && world_at(world_final(), number) == b,
		 "block %llu is called final and is not", (unsigned long long)number);
	SIM_MUST("I3", was == NULL || b->number >= was->number, "the cursor went back from %llu to %llu",
		 (unsigned long long)was->number, (unsigned long long)number);
	if (b == was)
		return;
	SIM_MUST("I1", world_named(b, false), "block %llu is called final, and %u of %u sources never did",
		 (unsigned long long)number, w.k, w.n);
	for (struct block *x = b; x != was && x != NULL; x = x->parent) {
		SIM_MUST("cursor", world_complete(x), "the cursor is at %llu, and %llu was never told completely",
			 (unsigned long long)number, (unsigned long long)x->number);
		if (w.s.init.heartbeat)
			hear_beat(x);
	}
	for (size_t i = 0; i < w.s.num; i++)
		w.s.blocks[i]->counts &= w.s.blocks[i]->number > number;
	w.cursor = b;
	w.cursor_ms = machine.true_ms;
}

/* Entries that are told while those before them are not read yet. */
static struct dr_buf gap = { .cap = 1u << 24 };

void hear_gap(void)
{
	struct dr_buf waiting = gap;
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	uint16_t type;
	size_t used;

	dr_buf_init(&gap, 1u << 24);
	w.catching_up = false;
	for (size_t at = 0; at < waiting.len; at += used) {
		dr_msg_get(&type, &payload, &used, dr_bytes_of(waiting.ptr + at, waiting.len - at), &fail);
		hear_entry(type, payload);
	}
	dr_buf_free(&waiting);
}

void hear_entry(size_t log, struct dr_bytes payload)
{
	struct told_log *l = &w.logs[log];
	struct dr_fail fail = { 0 };
	struct dr_note note = { 0 };
	struct dr_entry entry;
	uint8_t hash[32];

	SIM_MUST("protocol", dr_entry_get(&entry, payload, &fail) == DR_OK, "an entry that is none: %s", fail.what);
	dr_merkle_leaf(hash, entry.leaf);
	SIM_MUST("I3", memcmp(hash, entry.leaf_hash, 32) == 0, "an entry's hash is not its own");
	if (entry.idx > l->tree.size && w.catching_up) {
		dr_msg_put(&gap, (uint16_t)log, payload, &fail);
		return;
	}
	SIM_MUST("I3", entry.idx <= l->tree.size, "%s entry %llu is told, and %llu never was",
		 log ? "journal" : "ledger", (unsigned long long)entry.idx, (unsigned long long)l->tree.size);
	if (entry.idx < l->tree.size) {
		SIM_MUST("I3", memcmp(l->entries[entry.idx].hash, hash, 32) == 0,
			 "%s entry %llu was told, and is another now", log ? "journal" : "ledger",
			 (unsigned long long)entry.idx);
		return;
	}
	SIM_MUST("limit", l->tree.size < ENTRIES_MAX, "too many entries");
	struct told_entry *e = &l->entries[l->tree.size];

	memset(e, 0, sizeof(*e));
	memcpy(e->hash, hash, 32);
	if (log == 1) {
		SIM_MUST("I3", dr_note_decode(&note, entry.leaf, &fail) == DR_OK, "a note that is none: %s",
			 fail.what);
		hear_note(e, &note);
	}
	dr_merkle_add(&l->tree, hash);
	if (log == 1 && note.kind == DR_NOTE_FINAL)
		hear_cursor(note.number, note.hash);
	if (log == 0) {
		uint64_t size;
		uint8_t root[32];

		if (world_leaf(entry.idx) == NULL)
			world_ledger(w.s.w.forge->final_number, &size, root);
		SIM_MUST("I2", world_leaf(entry.idx) != NULL && memcmp(world_leaf(entry.idx), hash, 32) == 0,
			 "ledger entry %llu is not what the honest fold has", (unsigned long long)entry.idx);
	}
}

static void hear_status(struct dr_bytes payload)
{
	struct dr_status_report *r = &w.status;
	struct dr_fail fail = { 0 };
	uint8_t root[32];
	uint64_t size;

	SIM_MUST("protocol", dr_status_report_get(r, payload, &fail) == DR_OK, "a status that is none: %s",
		 fail.what);
	w.status_new = true;
	w.held = r->sealed && is_hold(r->why);
	w.ever_held = w.ever_held || w.held;
	SIM_MUST("I1", !r->beacon_ready || beacon_is_final(r->final_root),
		 "the light client holds a beacon block as final that is not");
	SIM_MUST("I1", r->participation == 0 || r->participation * 3 >= r->committee * 2,
		 "final by the signatures of %u of %u", r->participation, r->committee);
	if (!r->has_final) {
		SIM_MUST("I3", r->ledger_size == 0 && w.cursor == NULL, "a cursor was told, and there is none");
		return;
	}
	hear_cursor(r->final_number, r->final_hash);
	world_ledger(r->final_number, &size, root);
	SIM_MUST("I3", size == r->ledger_size && memcmp(root, r->ledger_root, 32) == 0,
		 "at block %llu the ledger has %llu entries, the honest fold %llu%s",
		 (unsigned long long)r->final_number, (unsigned long long)r->ledger_size, (unsigned long long)size,
		 size == r->ledger_size ? ", of another root" : "");
	SIM_MUST("I3", r->journal_size >= w.logs[1].tree.size, "the journal has %llu entries, %llu were told",
		 (unsigned long long)r->journal_size, (unsigned long long)w.logs[1].tree.size);
	if (r->journal_size == w.logs[1].tree.size) {
		dr_merkle_root(root, &w.logs[1].tree);
		SIM_MUST("I3", memcmp(root, r->journal_root, 32) == 0,
			 "the journal's root is not that of what was told");
	}
}

static void hear_fatal(struct dr_bytes payload)
{
	struct dr_error error;
	struct dr_fail fail = { 0 };

	SIM_MUST("protocol", dr_error_get(&error, payload, &fail) == DR_OK, "a last word that is none: %s",
		 fail.what);
	sim_say("    fatal, exit %u: %s", error.exit, error.what);
	sim_count(SIM_FATALS);
	SIM_MUST("I2", error.exit != DR_CORE_CONFLICT || w.halted, "halted, and nothing was contradicted: %s",
		 error.what);
	/* Why it may stop: its disk, its watch, or a conflict. A store that does not refold is none of these. */
	SIM_MUST("I3", w.expect_fatal || error.exit == DR_CORE_CONFLICT, "it gave up: %s", error.what);
	SIM_MUST("I3",
		 error.err != DR_ERR_PROOF || error.exit == DR_CORE_CONFLICT || strstr(error.what, "store") == NULL,
		 "its own store is not believed: %s", error.what);
}

static void hear_control(void)
{
	struct dr_bytes payload;
	uint16_t type;

	while (hear_next(&machine.control, &type, &payload)) {
		switch (type) {
		case DR_MSG_READY: w.ready = true; break;
		case DR_MSG_CHANGE: hear_entry(0, payload); break;
		case DR_MSG_JOURNAL: hear_entry(1, payload); break;
		case DR_MSG_STATUS: hear_status(payload); break;
		case DR_MSG_FATAL: hear_fatal(payload); break;
		case DR_MSG_FINDING: break;
		default: sim_fail("protocol", "the core says %04x on control", type);
		}
	}
}

void hear_run(void)
{
	if (machine.state != MACHINE_IDLE)
		return;
	const uint64_t before = machine.true_ms;

	/* Confirmed after a start, though nothing newer is final. */
	if (w.cursor_ms == 0 && w.cursor != NULL && __builtin_popcount(w.cursor->named_now) >= w.k)
		w.cursor_ms = machine.true_ms;
	machine_run();
	w.slow_ms = machine.true_ms - before;
	/* What a client read of the logs comes first: control may go on where it ends. */
	client_hear(true);
	hear_control();
	watch_hear();
	client_hear(false);
	if (!w.learned && machine.wall_off_ms < 0 && (uint64_t)-machine.wall_off_ms > w.behind_ms)
		w.behind_ms = (uint64_t)-machine.wall_off_ms;
	SIM_MUST("I6", machine.heap_peak <= HEAP_MAX, "the core held %zu bytes", machine.heap_peak);
	if (machine.heap_peak > report->peak)
		report->peak = machine.heap_peak;
}

void hear_ask(void)
{
	if (machine.state != MACHINE_IDLE)
		return;
	hear_say(&machine.control, DR_MSG_STATUS_GET, dr_bytes_of(NULL, 0));
	w.status_new = false;
	hear_run();
	SIM_MUST("protocol", w.status_new || machine.state != MACHINE_IDLE, "it does not say how it is");
	/* It looks at its clocks every second. */
	if (w.status_new && !w.status.sealed && !machine.timer_stopped && machine.true_ms >= w.clock_set_ms + 1000)
		clocks_check("unsealed", w.slow_ms);
}

void hear_start(void)
{
	struct dr_fail fail = { 0 };
	struct dr_buf init;

	machine_start(w.s.init.serve);
	w.ready = w.stopping = w.learned = w.held = w.boot_jumped = false;
	w.expect_fatal = !disk_is_well() || w.halted;
	w.catching_up = true;
	dr_buf_free(&gap);
	for (size_t i = 0; i < w.s.num; i++)
		w.s.blocks[i]->named_now = 0;
	watch_reset();
	client_reset();
	dr_buf_init(&init, 1u << 20);
	SIM_MUST("limit", dr_init_put(&machine.control.in, DR_MSG_INIT, &w.s.init, &fail) == DR_OK, "INIT: %s",
		 fail.what);
	dr_buf_free(&init);
	hear_run();
}
