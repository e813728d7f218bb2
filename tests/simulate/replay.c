/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulate/replay.h"

#include "tests/simulate/client.h"
#include "tests/unit/kms-bridge/host_kit.h"

/* The recording says again what was said: whoever replays it has the same ledger, and the same answers in their
 * order, but for what rests on the roots held here, and on what no evidence shows. */
/* Entries of the kinds that the evidence alone makes; how far each kind was compared. */
static uint64_t compared[32];

static bool is_evident(uint8_t kind)
{
	switch ((enum dr_note_kind)kind) {
	case DR_NOTE_START:
	case DR_NOTE_FINAL:
	case DR_NOTE_HEAD:
	case DR_NOTE_REQUEST:
	case DR_NOTE_HEARTBEAT: return true;
	/* What holds is no evidence. */
	case DR_NOTE_LEASE: return !w.ever_held;
	case DR_NOTE_LIE:
	case DR_NOTE_DISSENT:
	case DR_NOTE_UNAVAILABLE:
	case DR_NOTE_ENDPOINT:
	case DR_NOTE_DIVERGENCE:
	case DR_NOTE_RELEASE:
	case DR_NOTE_ROOT:
	case DR_NOTE_PROFILE:
	case DR_NOTE_CONFLICT:
	case DR_NOTE_STOP:
	case DR_NOTE_SHARE:
	case DR_NOTE_CHECKPOINT:
	case DR_NOTE_PERIOD: return false;
	}
	return false;
}

static const struct told_entry *next_told(uint8_t kind)
{
	const struct told_log *j = &w.logs[1];

	while (compared[kind] < j->tree.size &&
	       (j->entries[compared[kind]].kind != kind || j->entries[compared[kind]].said == 0))
		compared[kind]++;
	return compared[kind] < j->tree.size ? &j->entries[compared[kind]++] : NULL;
}

static enum dr_err take_journal(void *ctx, const struct dr_entry *entry, const struct dr_note *note)
{
	(void)ctx;
	(void)entry;
	if (!is_evident(note->kind))
		return DR_OK;
	const struct told_entry *e = next_told(note->kind);

	SIM_MUST("I7", e != NULL, "a replay has an entry more than the journal: %s", dr_note_name(note->kind));
	SIM_MUST("I7", e->boot_ms == note->boot_ms && e->wall_ms == note->wall_ms,
		 "a replay's entry is of another time than the journal's: %s", dr_note_name(note->kind));
	SIM_MUST("I7",
		 e->number == note->number && (note->kind == DR_NOTE_REQUEST || e->said == told_word(note->detail)),
		 "a replay's entry says something else than the journal's: %s, %s", dr_note_name(note->kind),
		 note->detail);
	return DR_OK;
}

static enum dr_err take_refused(void *ctx, const struct dr_frame *frame, const struct dr_fail *why)
{
	(void)ctx;
	(void)frame;
	sim_fail("I7", "a frame of the recording is refused in a replay: %s", why->what);
}

static void check_request(const struct dr_decision *d, const struct told_entry *e)
{
	const bool own = strcmp(e->deny, "root-foreign") == 0 || (strcmp(e->deny, "sealed") == 0 && w.ever_held);
	const char *deny = d->verdict == DR_ALLOW ? "" : dr_deny_name(d->deny);

	SIM_MUST("I7", own || strcmp(deny, e->deny) == 0, "a request was answered \"%s\", and is \"%s\" in a replay",
		 e->deny, deny);
}

void replay(void)
{
	struct dr_engine_host host = host_of(NULL);
	static struct dr_status_report report_;
	struct dr_fail fail = { 0 };
	struct dr_buf evidence;
	uint64_t at_note = 0;
	size_t used;

	host.journal = take_journal;
	host.refused = take_refused;
	memset(compared, 0, sizeof(compared));
	dr_buf_init(&evidence, (size_t)1 << 28);
	if (!client_evidence(&evidence))
		return;
	struct dr_engine *e = dr_engine_new(&w.s.init, &host, &fail);

	SIM_MUST("limit", e != NULL, "no engine: %s", fail.what);
	for (size_t at = DR_EVIDENCE_HEAD_LEN; at < evidence.len; at += used) {
		struct dr_decision d;
		struct dr_frame frame;
		enum dr_take take;

		SIM_MUST("I7",
			 dr_frame_get(&frame, &used, dr_bytes_of(evidence.ptr + at, evidence.len - at), &fail) ==
				 DR_OK,
			 "the recording is damaged: %s", fail.what);
		SIM_MUST("I7",
			 (dr_frame_is_core(frame.type) ? dr_engine_core_frame(e, &d, &frame, &fail)
						       : dr_engine_frame(e, &take, &frame, &fail)) == DR_OK,
			 "the recording does not replay: %s", fail.what);
		if (frame.type != DR_FRAME_REQUEST)
			continue;
		while (at_note < w.logs[1].tree.size && w.logs[1].entries[at_note].kind != DR_NOTE_REQUEST)
			at_note++;
		SIM_MUST("I7", at_note < w.logs[1].tree.size, "the recording has more requests than the journal");
		check_request(&d, &w.logs[1].entries[at_note++]);
	}
	for (uint8_t kind = 0; kind < 32; kind++)
		SIM_MUST("I7", !is_evident(kind) || next_told(kind) == NULL,
			 "the journal has an entry more than a replay: %s", dr_note_name(kind));
	dr_engine_status(e, &report_);
	SIM_MUST("I7",
		 report_.ledger_size == w.status.ledger_size &&
			 memcmp(report_.ledger_root, w.status.ledger_root, 32) == 0 &&
			 memcmp(report_.state_digest, w.status.state_digest, 32) == 0,
		 "the recording replays to another ledger or state");
	sim_count(SIM_REPLAYS);
	dr_engine_free(e);
	dr_buf_free(&evidence);
}
