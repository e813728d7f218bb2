/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_engine: an engine, what its host was told, and what must hold of both whatever frames it is given: · no
 * foreign frame, and no core frame that is well formed, makes it fail; what is refused says why; · final steps
 * ascend, and each names a block that was forged, if it is known which were; · nothing is allowed while it is sealed,
 * and nothing unseals after a halt; · what it kept, as a recording, replays to the same cursor, ledger, state and
 * findings, byte for byte; and so does what that replay keeps.
 */
#ifndef DR_TESTS_FUZZ_ENGINE_H
#define DR_TESTS_FUZZ_ENGINE_H

#include "tests/fuzz/fuzz_kit.h"

#include "chain/evidence.h"
#include "kms-bridge/core/engine.h"
#include "tests/unit/chain/forge.h"

/* One engine and what its host was told. */
struct run {
	struct dr_engine *e;
	struct dr_buf kept;
	const struct forge *forge; /* NULL: a recording's blocks are not known */
	uint64_t number;
	uint32_t findings, ledger;
	bool halted;
};

static enum dr_err on_kept(void *ctx, const struct dr_frame *frame)
{
	struct run *run = ctx;
	struct dr_fail fail = { 0 };

	DR_ASSERT(dr_frame_put(&run->kept, frame, &fail) == DR_OK);
	return DR_OK;
}

static enum dr_err on_ledger(void *ctx, const struct dr_entry *entry, const struct dr_change *change)
{
	struct run *run = ctx;
	struct dr_fail fail = { 0 };
	struct dr_change back;

	DR_ASSERT(entry->idx == run->ledger++);
	DR_ASSERT(dr_change_decode(&back, entry->leaf, &fail) == DR_OK && back.number == change->number);
	return DR_OK;
}

static enum dr_err on_journal(void *ctx, const struct dr_entry *entry, const struct dr_note *note)
{
	struct dr_fail fail = { 0 };
	static struct dr_note back;

	(void)ctx;
	DR_ASSERT(dr_note_decode(&back, entry->leaf, &fail) == DR_OK && back.kind == note->kind);
	return DR_OK;
}

static enum dr_err on_finding(void *ctx, const struct dr_audit_finding *finding)
{
	struct run *run = ctx;

	DR_ASSERT(finding->kind != DR_AUDIT_NONE);
	run->findings++;
	return DR_OK;
}

static enum dr_err on_refused(void *ctx, const struct dr_frame *frame, const struct dr_fail *why)
{
	(void)ctx;
	(void)frame;
	DR_ASSERT(why->err != DR_OK && why->what != NULL);
	return DR_OK;
}

static enum dr_err on_step(void *ctx, uint64_t number, const uint8_t hash[static 32])
{
	struct run *run = ctx;

	DR_ASSERT(number > run->number && !run->halted);
	if (run->forge != NULL) {
		const struct forge_block *b = forge_find(run->forge, hash);

		DR_ASSERT(b != NULL && b->header.number == number);
	}
	run->number = number;
	return DR_OK;
}

static bool run_new(struct run *run, const struct dr_init *init, const struct forge *forge)
{
	const struct dr_engine_host host = { run, on_kept, on_ledger, on_journal, on_finding, on_refused, on_step };
	struct dr_fail fail = { 0 };

	*run = (struct run){ .forge = forge };
	dr_buf_init(&run->kept, (size_t)16 << 20);
	run->e = dr_engine_new(init, &host, &fail);
	DR_ASSERT((run->e == NULL) == (fail.err != DR_OK));
	return run->e != NULL;
}

static void run_free(struct run *run)
{
	dr_engine_free(run->e);
	dr_buf_free(&run->kept);
}

/* The way a frame takes in a replay and, if it is foreign, live. A copy of its own size, so that reading or keeping
 * beyond it is seen. */
static void feed(struct run *run, const struct dr_frame *frame)
{
	struct dr_frame own = *frame;
	struct dr_decision decision;
	struct dr_fail fail = { 0 };
	enum dr_take take;
	const char *why;
	uint8_t *copy = dr_heap_alloc(frame->payload.len);

	DR_ASSERT(copy != NULL);
	if (frame->payload.len > 0)
		memcpy(copy, frame->payload.ptr, frame->payload.len);
	own.payload.ptr = copy;
	if (dr_frame_is_core(frame->type)) {
		const enum dr_err err = dr_engine_core_frame(run->e, &decision, &own, &fail);

		DR_ASSERT((err == DR_OK) == (fail.err == DR_OK));
		DR_ASSERT(decision.verdict == DR_DENY || !dr_engine_sealed(run->e, &why));
	} else {
		DR_ASSERT(dr_engine_frame(run->e, &take, &own, &fail) == DR_OK);
		DR_ASSERT(!run->halted || take == DR_TAKE_REFUSED);
		DR_ASSERT((take == DR_TAKE_CONFLICT) == (dr_engine_halted(run->e) && !run->halted));
	}
	dr_heap_free(copy);
	run->halted = dr_engine_halted(run->e);
	DR_ASSERT(!run->halted || dr_engine_sealed(run->e, &why));
}

static void feed_all(struct run *run, struct dr_bytes frames)
{
	struct dr_fail fail = { 0 };
	struct dr_frame frame;
	size_t used;

	while (frames.len > 0) {
		if (dr_frame_get(&frame, &used, frames, &fail) != DR_OK)
			return;
		feed(run, &frame);
		frames = dr_bytes_of(frames.ptr + used, frames.len - used);
	}
}

static void same(const struct run *a, const struct run *b)
{
	static struct dr_status_report x, y;

	dr_engine_status(a->e, &x);
	dr_engine_status(b->e, &y);
	DR_ASSERT(x.has_final == y.has_final && x.final_number == y.final_number);
	DR_ASSERT(memcmp(x.final_hash, y.final_hash, 32) == 0 && x.halted == y.halted);
	DR_ASSERT(x.ledger_size == y.ledger_size && memcmp(x.ledger_root, y.ledger_root, 32) == 0);
	DR_ASSERT(memcmp(x.state_digest, y.state_digest, 32) == 0 && x.generation == y.generation);
	DR_ASSERT(a->findings == b->findings && x.findings == y.findings && x.divergences == y.divergences);
}

/* What was kept replays to the same; and what is kept of it are the same bytes. */
static void replay_kept(struct run *run, const struct dr_init *init)
{
	struct run again;

	DR_ASSERT(run_new(&again, init, run->forge));
	feed_all(&again, dr_buf_view(&run->kept));
	same(run, &again);
	DR_ASSERT(dr_bytes_eq(dr_buf_view(&run->kept), dr_buf_view(&again.kept)));
	run_free(&again);
}

#endif
