/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/engine_impl.h"

#include <stdio.h>
#include <string.h>

#include "chain/base/hex.h"
#include "chain/base/reader.h"

enum dr_err dr_engine_fail(struct dr_engine *e, enum dr_err err, const char *what, struct dr_fail *fail)
{
	e->failed = true;
	e->seal = DR_SEAL_FAILED;
	return dr_fail_set(fail, err, what, 0);
}

enum dr_err dr_engine_failed_before(struct dr_fail *fail)
{
	return dr_fail_set(fail, DR_ERR_IO, "this engine failed before: its host must stop", 0);
}

enum dr_err dr_engine_note(struct dr_engine *e, uint64_t *idx, const struct dr_note *note, struct dr_fail *fail)
{
	uint8_t leaf[DR_NOTE_LEN_MAX];
	struct dr_entry entry = { .idx = e->journal.size };
	struct dr_note full = *note;
	size_t len;

	if (idx != NULL)
		*idx = e->journal.size;
	if (e->failed)
		return dr_engine_failed_before(fail);
	if (e->quiet)
		return DR_OK;
	full.boot_ms = e->clock.boot_ms;
	full.wall_ms = e->clock.wall_ms;
	full.ledger_size = e->ledger.size;
	dr_merkle_root(full.ledger_root, &e->ledger);
	if (dr_note_encode(leaf, sizeof(leaf), &len, &full, fail) != DR_OK)
		return fail->err;
	entry.leaf = dr_bytes_of(leaf, len);
	dr_merkle_leaf(entry.leaf_hash, entry.leaf);
	dr_merkle_add(&e->journal, entry.leaf_hash);
	const enum dr_err err = e->host.journal(e->host.ctx, &entry, &full);

	return err == DR_OK ? DR_OK : dr_engine_fail(e, err, "the host could not keep a journal entry", fail);
}

enum dr_err dr_engine_say(struct dr_engine *e, enum dr_note_kind kind, uint64_t number, const uint8_t *hash,
			  uint16_t source, const char *detail, struct dr_fail *fail)
{
	struct dr_note note = { .kind = (uint8_t)kind, .number = number, .source = source };

	if (hash != NULL)
		memcpy(note.hash, hash, 32);
	snprintf(note.detail, sizeof(note.detail), "%s", detail);
	return dr_engine_note(e, NULL, &note, fail);
}

/* The evidence: a clock that was read but not kept yet goes before whatever is kept now, so that a replay
 * sees the same time at the same frame. */
enum dr_err dr_engine_keep(struct dr_engine *e, const struct dr_frame *frame, struct dr_fail *fail)
{
	enum dr_err err = DR_OK;

	if (e->clock_unkept && frame->type != DR_FRAME_START) {
		uint8_t payload[16];
		const struct dr_frame clock = { DR_FRAME_CLOCK, DR_SOURCE_CORE, { payload, sizeof(payload) } };

		dr_be64_put(payload, e->clock.boot_ms);
		dr_be64_put(payload + 8, e->clock.wall_ms);
		err = e->host.kept(e->host.ctx, &clock);
	}
	e->clock_unkept = false;
	if (err == DR_OK && frame->type != DR_FRAME_CLOCK)
		err = e->host.kept(e->host.ctx, frame);
	return err == DR_OK ? DR_OK : dr_engine_fail(e, err, "the host could not keep a frame of evidence", fail);
}

static enum dr_err on_change(void *ctx, const struct dr_change *change)
{
	struct dr_engine *e = ctx;
	struct dr_entry entry = { .idx = e->ledger.size };
	struct dr_audit_finding finding;
	struct dr_fail fail = { 0 };
	uint8_t leaf[DR_CHANGE_LEN_MAX];
	size_t len;

	if (dr_change_encode(leaf, sizeof(leaf), &len, change, &fail) != DR_OK)
		return fail.err;
	entry.leaf = dr_bytes_of(leaf, len);
	dr_merkle_leaf(entry.leaf_hash, entry.leaf);
	dr_merkle_add(&e->ledger, entry.leaf_hash);
	const enum dr_err err = e->host.ledger(e->host.ctx, &entry, change);

	if (err != DR_OK)
		return err;
	if (!dr_findings_take(e->findings, &finding, change))
		return DR_OK;
	e->num_findings++;
	return e->host.finding(e->host.ctx, &finding);
}

static void drop_heads(struct dr_engine *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->num_heads; i++) {
		if (e->heads[i].number > e->final_.number)
			e->heads[kept++] = e->heads[i];
		else
			dr_state_drop(&e->heads[i].state);
	}
	e->num_heads = kept;
	if (e->final_.number >= e->heads_lost_to)
		e->heads_lost = false;
}

static void check_at(struct dr_engine *e)
{
	/* Under the same state the same slots are asked for, unless a proof was judged in between. */
	e->slots_stand = e->slots_stand && e->check.state.map.root == e->state.map.root;
	dr_state_drop(&e->check.state);
	e->check.state = dr_state_share(&e->state);
	e->check.number = e->final_.number;
	e->check.time = e->final_.time;
	memcpy(e->check.hash, e->final_.hash, 32);
	e->check.fresh = true;
}

static enum dr_err take_final(struct dr_engine *e, const struct dr_fact_block *block, struct dr_fail *fail)
{
	e->fold.change = on_change;
	if (dr_fold_block(&e->fold, &e->state, block, fail) != DR_OK)
		return fail->err;
	e->has_final = true;
	e->final_.number = dr_fact_block_number(block);
	e->final_.time = dr_fact_block_timestamp(block);
	memcpy(e->final_.hash, dr_fact_block_hash(block), 32);
	e->step.open = true;
	e->step.blocks++;
	e->step.ways[dr_fact_block_complete(block)]++;
	if (e->final_.number % e->profile.state_every == 0)
		check_at(e);
	return DR_OK;
}

/* What finality rests on just now. */
static void say_proof(const struct dr_engine *e, char *out, size_t cap)
{
	struct dr_beacon_status s;

	if (e->beacon == NULL) {
		snprintf(out, cap, "%s (%u of %u)", dr_proof_name(DR_PROOF_QUORUM), e->init.quorum_k,
			 e->init.quorum_n);
		return;
	}
	dr_beacon_status(e->beacon, &s);
	snprintf(out, cap, "%s (slot %llu, %u of %u%s)", dr_proof_name(DR_PROOF_CONSENSUS),
		 (unsigned long long)s.final_slot, s.participation, s.committee, s.aged ? ", aged" : "");
}

/* A final step ends: heads at or below it no longer count, the lease is renewed, state is asked for. */
static enum dr_err close_step(struct dr_engine *e, struct dr_fail *fail)
{
	char detail[256], proof[128];

	say_proof(e, proof, sizeof(proof));
	snprintf(detail, sizeof(detail), "proof %s, blocks %u: bloom %u, receipts %u, accumulator %u", proof,
		 e->step.blocks, e->step.ways[DR_COMPLETE_BLOOM], e->step.ways[DR_COMPLETE_RECEIPTS],
		 e->step.ways[DR_COMPLETE_ACCUMULATOR]);
	memset(&e->step, 0, sizeof(e->step));
	drop_heads(e);
	dr_engine_lease_step(e);
	/* A height of this step at which state is proven anyway may be too long ago itself. */
	if (dr_engine_state_is_old(e) &&
	    (!e->check.fresh || e->final_.time - e->check.time > e->init.max_staleness_s))
		check_at(e);
	if (e->check.fresh) {
		if (!e->slots_stand)
			e->num_slots = dr_divergence_slots(e->divergence, e->slots, DR_STATE_SLOTS_MAX, &e->profile,
							   &e->check.state);
		e->slots_stand = true;
		dr_follow_want_state(e->follow, e->check.number, (const uint8_t(*)[32])e->slots, e->num_slots);
		e->check.fresh = false;
	}
	if (dr_engine_say(e, DR_NOTE_FINAL, e->final_.number, e->final_.hash, DR_SOURCE_CORE, detail, fail) !=
		    DR_OK ||
	    dr_engine_heartbeat_step(e, fail) != DR_OK)
		return fail->err;
	const enum dr_err err = e->host.step(e->host.ctx, e->final_.number, e->final_.hash);

	return err == DR_OK ? DR_OK : dr_engine_fail(e, err, "the host could not end a step", fail);
}

/* Final blocks of a beacon chain are minutes old, and nodes keep young state alone: it is proven ahead. */
static void want_young(struct dr_engine *e, const struct dr_head *head)
{
	uint8_t slots[DR_STATE_SLOTS_MAX][32];

	if (e->beacon == NULL || head->number % e->profile.state_every != 0)
		return;
	dr_follow_want_young(
		e->follow, head->number, head->hash, (const uint8_t(*)[32])slots,
		dr_divergence_slots(e->divergence, slots, DR_STATE_SLOTS_MAX, &e->profile, &head->state));
}

/* A block on the way to an authenticated head: its state counts until a final block reaches its height. */
static enum dr_err take_head(struct dr_engine *e, const struct dr_fact_block *block, struct dr_fail *fail)
{
	const uint8_t *parent = dr_fact_block_parent(block), *hash = dr_fact_block_hash(block);
	const struct dr_state *under = NULL;

	for (size_t i = 0; i < e->num_heads; i++)
		if (memcmp(e->heads[i].hash, hash, 32) == 0)
			return DR_OK; /* its header was dropped meanwhile, and asked for again */
	if (memcmp(parent, e->final_.hash, 32) == 0)
		under = &e->state;
	for (size_t i = e->num_heads; i > 0 && under == NULL; i--)
		if (memcmp(e->heads[i - 1].hash, parent, 32) == 0)
			under = &e->heads[i - 1].state;
	if (under == NULL || e->num_heads == DR_HEADS_MAX) {
		e->heads_lost = true; /* sealed until a final block reaches its height */
		if (dr_fact_block_number(block) > e->heads_lost_to)
			e->heads_lost_to = dr_fact_block_number(block);
		return DR_OK;
	}
	struct dr_state state = dr_state_share(under);

	e->fold.change = NULL;
	if (dr_fold_block(&e->fold, &state, block, fail) != DR_OK) {
		dr_state_drop(&state);
		return fail->err;
	}
	struct dr_head *head = &e->heads[e->num_heads++];

	head->state = state;
	head->number = dr_fact_block_number(block);
	head->time = dr_fact_block_timestamp(block);
	memcpy(head->hash, hash, 32);
	want_young(e, head);
	if (head->time > e->head_time)
		e->head_time = head->time;
	e->head_number = head->number;
	memcpy(e->head_hash, hash, 32);
	e->head_news = true;
	return DR_OK;
}

struct reporting {
	struct dr_engine *e;
	struct dr_fail *fail;
};

static const char *slot_name(uint8_t kind)
{
	switch ((enum dr_slot_kind)kind) {
	case DR_SLOT_MEASUREMENT: return "measurement ";
	case DR_SLOT_APP_MEASUREMENT: return "app.measurement ";
	case DR_SLOT_HARDWARE: return "hardware ";
	case DR_SLOT_ROOT: return "root ";
	case DR_SLOT_SUSPENDED: return "suspended ";
	}
	return "code";
}

static void on_divergence(void *ctx, const struct dr_divergence_report *r)
{
	struct reporting *to = ctx;
	const bool two_keys = r->kind == DR_SLOT_APP_MEASUREMENT || r->kind == DR_SLOT_HARDWARE;
	char detail[DR_TEXT_MAX], subject[129] = "", expected[65], got[65];

	to->e->num_divergences += r->cleared ? (uint32_t)-1 : 1u;
	if (r->kind != 0)
		dr_hex_put(subject, r->subject, two_keys ? 64 : 32);
	dr_hex_put(expected, r->expected, 32);
	dr_hex_put(got, r->got, 32);
	snprintf(detail, sizeof(detail), "%s: %s%s: expected %s, got %s", r->cleared ? "cleared" : "diverges",
		 slot_name(r->kind), subject, expected, got);
	if (to->fail->err == DR_OK)
		dr_engine_say(to->e, DR_NOTE_DIVERGENCE, to->e->check.number, to->e->check.hash, DR_SOURCE_CORE,
			      detail, to->fail);
}

static enum dr_err take_state(struct dr_engine *e, const struct dr_fact_state *state, struct dr_fail *fail)
{
	struct reporting to = { e, fail };
	const bool left_out = dr_fact_state_accumulator(state) == DR_AGREE_NO;

	if (memcmp(dr_fact_state_hash(state), e->check.hash, 32) != 0)
		return DR_OK; /* the wish was replaced meanwhile */
	e->judged = true;
	e->slots_stand = false;
	e->judged_time = e->check.time;
	dr_divergence_judge(e->divergence, &e->profile, &e->check.state, state, on_divergence, &to);
	if (fail->err != DR_OK || left_out == e->left_out)
		return fail->err;
	e->left_out = left_out;
	return dr_engine_say(
		e, DR_NOTE_DIVERGENCE, dr_fact_state_number(state), dr_fact_state_hash(state), DR_SOURCE_CORE,
		left_out ? "diverges: the contract's event count and hash are not those of the proven events"
			 : "cleared: the contract's event count and hash are those of the proven events",
		fail);
}

static enum dr_err take_dissent(struct dr_engine *e, const struct dr_finality_finding *f, struct dr_fail *fail)
{
	if (f->source < DR_ENDPOINTS_MAX)
		e->lies[f->source]++;
	return dr_engine_say(e, DR_NOTE_DISSENT, f->number, f->hash, f->source,
			     f->kind == DR_FINDING_EQUIVOCAL
				     ? "named two different blocks final at this number"
				     : "named or served a block here that is not on the final chain",
			     fail);
}

/* Everything that came out of the follower. */
static enum dr_err drain(struct dr_engine *e, struct dr_fail *fail)
{
	for (;;) {
		const struct dr_fact_block *block;
		const struct dr_fact_state *state;
		struct dr_finality_finding finding;
		const enum dr_follow_out out = dr_follow_next(e->follow, &block, &state, &finding);
		const bool final_block = out == DR_OUT_BLOCK && dr_fact_block_status(block) == DR_STATUS_FINAL;
		const bool closes = !final_block && e->step.open;

		if (closes && close_step(e, fail) != DR_OK)
			return fail->err;
		if (closes && out == DR_OUT_NONE)
			continue; /* what the step asks for may have been proven while it was young */
		switch (out) {
		case DR_OUT_NONE:
			if (!e->head_news)
				return DR_OK;
			e->head_news = false;
			return dr_engine_say(e, DR_NOTE_HEAD, e->head_number, e->head_hash, DR_SOURCE_CORE,
					     "authenticated and complete", fail);
		case DR_OUT_BLOCK:
			(void)(final_block ? take_final(e, block, fail) : take_head(e, block, fail));
			break;
		case DR_OUT_STATE: take_state(e, state, fail); break;
		case DR_OUT_CONFIRMED:
			e->unproven = false;
			e->lease_boot_ms = e->clock.boot_ms;
			break;
		case DR_OUT_DISSENT: take_dissent(e, &finding, fail); break;
		case DR_OUT_CONFLICT:
			dr_engine_say(e, DR_NOTE_CONFLICT, finding.number, finding.hash, finding.source, finding.why,
				      fail);
			break;
		}
		if (fail->err != DR_OK)
			return fail->err;
	}
}

static enum dr_err take_refused(struct dr_engine *e, const struct dr_frame *frame, const struct dr_fail *why,
				struct dr_fail *fail)
{
	char detail[DR_TEXT_MAX];
	uint8_t hash[32] = { 0 };

	if (why->err == DR_ERR_NOMEM)
		return dr_fail_set(fail, why->err, why->what, why->at);
	if (frame->payload.len >= 32 && frame->type != DR_FRAME_HEADER && frame->type != DR_FRAME_FINALITY)
		memcpy(hash, frame->payload.ptr, 32);
	snprintf(detail, sizeof(detail), "%s: %s (frame type %u, at %zu)", dr_err_name(why->err), why->what,
		 (unsigned)frame->type, why->at);
	if (why->err != DR_ERR_STALE) {
		const size_t source = frame->source < DR_ENDPOINTS_MAX ? frame->source : DR_ENDPOINTS_MAX;
		struct dr_lie *last = &e->last_lie[source];
		const bool again = last->what == why->what && memcmp(last->hash, hash, 32) == 0;

		if (source < DR_ENDPOINTS_MAX)
			e->lies[source]++;
		last->what = why->what;
		memcpy(last->hash, hash, 32);
		if (last->minute != e->clock.boot_ms / 60000) {
			last->minute = e->clock.boot_ms / 60000;
			last->noted = 0;
		}
		/* The same lie told again and again is one entry, and so are too many; the status counts them all. */
		if (!again && last->noted < DR_LIES_MINUTE &&
		    dr_engine_say(e, DR_NOTE_LIE, 0, hash, frame->source,
				  ++last->noted < DR_LIES_MINUTE
					  ? detail
					  : "more lies than are listed: the rest of this minute is only counted",
				  fail) != DR_OK)
			return fail->err;
	} else if (why->what == dr_beacon_too_old && !e->old_said) {
		e->old_said = true; /* no lie, and yet the operator's to mend */
		if (dr_engine_say(e, DR_NOTE_CHECKPOINT, 0, e->init.checkpoint, frame->source, detail, fail) != DR_OK)
			return fail->err;
	}
	e->frames_refused++;
	const enum dr_err err = e->host.refused(e->host.ctx, frame, why);

	return err == DR_OK ? DR_OK : dr_engine_fail(e, err, "the host could not keep a refused frame", fail);
}

/* How far the light client is: on the way from an old checkpoint, all there is to see for a while. */
static enum dr_err say_period(struct dr_engine *e, struct dr_fail *fail)
{
	char detail[DR_TEXT_MAX];
	struct dr_beacon_status s;

	if (e->beacon == NULL)
		return DR_OK;
	dr_beacon_status(e->beacon, &s);
	if (!s.ready || s.period == e->period_said)
		return DR_OK;
	e->period_said = s.period;
	snprintf(detail, sizeof(detail), "sync-committee period %llu of %llu, final slot %llu, signed by %u of %u",
		 (unsigned long long)s.period, (unsigned long long)s.period_now, (unsigned long long)s.final_slot,
		 s.participation, s.committee);
	return dr_engine_say(e, DR_NOTE_PERIOD, 0, s.final_root, DR_SOURCE_CORE, detail, fail);
}

enum dr_err dr_engine_frame(struct dr_engine *e, enum dr_take *take, const struct dr_frame *frame,
			    struct dr_fail *fail)
{
	struct dr_fail why = { 0 };

	*take = DR_TAKE_REFUSED;
	if (e->failed)
		return dr_engine_failed_before(fail);
	if (dr_frame_is_core(frame->type)) {
		dr_fail_set(&why, DR_ERR_SYNTAX, "a frame type that only the core itself may stamp", frame->type);
	} else {
		*take = dr_follow_frame(e->follow, frame, &why);
	}
	switch (*take) {
	case DR_TAKE_KNOWN: return DR_OK;
	case DR_TAKE_REFUSED: return take_refused(e, frame, &why, fail);
	case DR_TAKE_CONFLICT:
	case DR_TAKE_KEPT: break;
	}
	e->frames_kept++;
	if (dr_engine_keep(e, frame, fail) != DR_OK || say_period(e, fail) != DR_OK || drain(e, fail) != DR_OK)
		return dr_engine_fail(e, fail->err, fail->what, fail);
	if (dr_follow_halted(e->follow))
		*take = DR_TAKE_CONFLICT;
	return dr_engine_refresh(e, fail);
}

static enum dr_err take_request(struct dr_engine *e, struct dr_decision *decision, const struct dr_frame *frame,
				struct dr_fail *fail)
{
	struct dr_request request;
	char app[65], measurement[65], detail[DR_TEXT_MAX];

	if (dr_request_decode(&request, frame->payload, fail) != DR_OK || dr_engine_keep(e, frame, fail) != DR_OK)
		return fail->err;
	dr_engine_ask(e, decision, &request);
	dr_hex_put(app, request.app, 32);
	dr_hex_put(measurement, request.measurement, 32);
	snprintf(detail, sizeof(detail), "app %s measurement %s purpose %s: %s%s generation %llu epoch %llu", app,
		 measurement, dr_purpose_name((enum dr_purpose)request.purpose),
		 decision->verdict == DR_ALLOW ? "allow" : "deny ",
		 decision->verdict == DR_ALLOW ? "" : dr_deny_name(decision->deny),
		 (unsigned long long)decision->generation, (unsigned long long)decision->epoch);
	if (dr_engine_say(e, DR_NOTE_REQUEST, e->final_.number, request.app, DR_SOURCE_CORE, detail, fail) != DR_OK)
		memset(decision, 0, sizeof(*decision)); /* no record, no answer */
	return fail->err;
}

/* At every start: on whose word the rest stands. */
static enum dr_err say_checkpoint(struct dr_engine *e, struct dr_fail *fail)
{
	char root[65], detail[DR_TEXT_MAX];

	if (e->beacon == NULL)
		return DR_OK;
	dr_hex_put(root, e->init.checkpoint, 32);
	snprintf(detail, sizeof(detail), "consensus: checkpoint 0x%s from %s%s%s", root,
		 e->init.checkpoint_from[0] != '\0' ? e->init.checkpoint_from : "the verifier's own hands",
		 e->init.checkpoint_aged[0] != '\0' ? "; whatever its age, by the word of " : "",
		 e->init.checkpoint_aged);
	return dr_engine_say(e, DR_NOTE_CHECKPOINT, 0, e->init.checkpoint, DR_SOURCE_CORE, detail, fail);
}

enum dr_err dr_engine_core_frame(struct dr_engine *e, struct dr_decision *decision, const struct dr_frame *frame,
				 struct dr_fail *fail)
{
	struct dr_decision unused;
	struct dr_decision *to = decision != NULL ? decision : &unused;
	struct dr_reader r;

	memset(to, 0, sizeof(*to));
	if (e->failed)
		return dr_engine_failed_before(fail);
	if (frame->type == DR_FRAME_REQUEST)
		return take_request(e, to, frame, fail);
	if (frame->type == DR_FRAME_NONCE)
		return dr_engine_take_nonce(e, frame, fail);
	if (frame->type == DR_FRAME_ABOUT)
		return dr_engine_keep(e, frame, fail);
	if (frame->type != DR_FRAME_START && frame->type != DR_FRAME_CLOCK)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "a core-stamped frame type that this build does not know",
				   frame->type);
	dr_reader_init(&r, frame->payload, fail);
	const uint64_t boot_ms = dr_reader_u64(&r), wall_ms = dr_reader_u64(&r);

	if (dr_reader_end(&r) != DR_OK)
		return fail->err;
	e->clock.wall_ms = wall_ms;
	if (e->finality.clock != NULL)
		e->finality.clock(e->finality.self, wall_ms / 1000);
	if (frame->type == DR_FRAME_START) {
		e->clock.boot_ms = boot_ms;
		e->clock_unkept = false;
		e->started = e->unproven = true;
		dr_engine_lease_start(e);
		dr_follow_restart(e->follow);
		if (dr_engine_keep(e, frame, fail) != DR_OK)
			return fail->err;
		char digest[65], detail[DR_TEXT_MAX];

		dr_hex_put(digest, e->profile.digest, 32);
		snprintf(detail, sizeof(detail), "started, sealed; profile %s %s", e->profile.name, digest);
		if (say_checkpoint(e, fail) != DR_OK ||
		    dr_engine_say(e, DR_NOTE_START, e->final_.number, e->final_.hash, DR_SOURCE_CORE, detail, fail) !=
			    DR_OK)
			return fail->err;
		return dr_engine_refresh(e, fail);
	}
	if (boot_ms > e->clock.boot_ms)
		e->clock.boot_ms = boot_ms;
	e->clock_unkept = true;
	if (dr_engine_lease(e) != e->lease && dr_engine_keep(e, frame, fail) != DR_OK)
		return fail->err;
	return dr_engine_refresh(e, fail);
}

static enum dr_err stamp(struct dr_engine *e, enum dr_frame_type type, uint64_t boot_ms, uint64_t wall_ms,
			 struct dr_fail *fail)
{
	uint8_t payload[16];
	const struct dr_frame frame = { (uint16_t)type, DR_SOURCE_CORE, { payload, sizeof(payload) } };

	dr_be64_put(payload, boot_ms);
	dr_be64_put(payload + 8, wall_ms);
	return dr_engine_core_frame(e, NULL, &frame, fail);
}

enum dr_err dr_engine_start(struct dr_engine *e, uint64_t boot_ms, uint64_t wall_ms, struct dr_fail *fail)
{
	return stamp(e, DR_FRAME_START, boot_ms, wall_ms, fail);
}

enum dr_err dr_engine_clock(struct dr_engine *e, uint64_t boot_ms, uint64_t wall_ms, struct dr_fail *fail)
{
	return stamp(e, DR_FRAME_CLOCK, boot_ms, wall_ms, fail);
}

enum dr_err dr_engine_request(struct dr_engine *e, struct dr_decision *decision, uint64_t *request_idx,
			      const struct dr_request *request, struct dr_fail *fail)
{
	uint8_t payload[DR_REQUEST_LEN_MAX];
	size_t len;

	memset(decision, 0, sizeof(*decision));
	*request_idx = e->journal.size;
	if (dr_request_encode(payload, sizeof(payload), &len, request, fail) != DR_OK)
		return fail->err;
	const struct dr_frame frame = { DR_FRAME_REQUEST, DR_SOURCE_CORE, { payload, len } };

	return dr_engine_core_frame(e, decision, &frame, fail);
}

static bool same_want(const struct dr_want *a, const struct dr_want *b)
{
	return a->kind == b->kind && a->first == b->first && a->last == b->last &&
	       memcmp(a->hash, b->hash, 32) == 0 && memcmp(a->address, b->address, 20) == 0 &&
	       a->num_slots == b->num_slots && memcmp(a->slots, b->slots, (size_t)a->num_slots * 32) == 0;
}

size_t dr_engine_wants(struct dr_engine *e, struct dr_want *out, size_t max)
{
	const size_t num = dr_follow_wants(e->follow, out, max < DR_WANTS_MAX ? max : DR_WANTS_MAX);

	for (size_t i = 0; i < num; i++) {
		for (size_t j = 0; j < e->num_wants && out[i].id == 0; j++)
			if (same_want(&out[i], &e->wants[j]))
				out[i].id = e->wants[j].id;
		if (out[i].id == 0)
			out[i].id = ++e->last_want;
	}
	memcpy(e->wants, out, num * sizeof(*out));
	e->num_wants = num;
	return num;
}

void dr_engine_unavailable(struct dr_engine *e, uint32_t want)
{
	for (size_t i = 0; i < e->num_wants; i++)
		if (e->wants[i].id == want)
			dr_follow_unavailable(e->follow, &e->wants[i]);
}
