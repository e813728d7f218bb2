/* SPDX-License-Identifier: Apache-2.0
 *
 * fixtures/consensus.ev through an engine in one go: it ends as its scenario says; and whatever a recorder, or
 * somebody on the way, may do to it, frame by frame, with checksums that fit: bits changed, a frame left out, told
 * twice, told after the next one. What an engine makes of that is always a beginning of what it makes of the whole,
 * and it is refused, or visibly short, or harmless.
 *
 * Of a frame's bits some are tried, of the frames to leave out or to move one in eight; DEROT_FLIPS=all tries eight
 * times as many bits, and every frame.
 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/beacon/beacon.h"
#include "chain/evidence.h"
#include "governance/action.h"
#include "kms-bridge/core/engine.h"

#define RECORDING  "fixtures/consensus.ev"
#define SCENARIO   "fixtures/consensus.scenario.yaml"
#define FRAMES_MAX 512u
#define LEAVES_MAX 64u
#define BLOCKS_MAX 256u

static struct dr_init init;
static struct dr_frame frames[FRAMES_MAX];
static size_t num_frames;
static uint8_t hashes[BLOCKS_MAX][32]; /* of the recording's blocks, by number */

/* What an engine made of frames. */
struct told {
	struct dr_engine *e;
	uint8_t leaves[LEAVES_MAX][32];
	size_t num_leaves, num_findings, num_refused;
	bool revoked;
	struct dr_status_report end;
};

static struct told whole;
static bool whole_known;

static bool all(void)
{
	const char *flips = getenv("DEROT_FLIPS");

	return flips != NULL && strcmp(flips, "all") == 0;
}

static enum dr_err on_kept(void *ctx, const struct dr_frame *frame)
{
	(void)ctx;
	(void)frame;
	return DR_OK;
}

static enum dr_err on_ledger(void *ctx, const struct dr_entry *entry, const struct dr_change *change)
{
	struct told *t = ctx;

	assert_true(t->num_leaves < LEAVES_MAX && entry->idx == t->num_leaves);
	memcpy(t->leaves[t->num_leaves], entry->leaf_hash, 32);
	/* Nothing but a beginning of what the whole recording says. */
	if (whole_known) {
		assert_true(t->num_leaves < whole.num_leaves);
		assert_memory_equal(t->leaves[t->num_leaves], whole.leaves[t->num_leaves], 32);
	}
	t->num_leaves++;
	t->revoked = t->revoked || change->act.action == DR_ACTION_APP_MEASUREMENT_REVOKE;
	return DR_OK;
}

static enum dr_err on_journal(void *ctx, const struct dr_entry *entry, const struct dr_note *note)
{
	(void)ctx;
	(void)entry;
	(void)note;
	return DR_OK;
}

static enum dr_err on_finding(void *ctx, const struct dr_audit_finding *finding)
{
	(void)finding;
	((struct told *)ctx)->num_findings++;
	return DR_OK;
}

static enum dr_err on_refused(void *ctx, const struct dr_frame *frame, const struct dr_fail *why)
{
	(void)frame;
	assert_true(why->err != DR_OK && why->what != NULL);
	((struct told *)ctx)->num_refused++;
	return DR_OK;
}

static enum dr_err on_step(void *ctx, uint64_t number, const uint8_t hash[static 32])
{
	(void)ctx;
	assert_true(number < BLOCKS_MAX);
	assert_memory_equal(hash, hashes[number], 32);
	return DR_OK;
}

static void begin(struct told *t)
{
	const struct dr_engine_host host = { t, on_kept, on_ledger, on_journal, on_finding, on_refused, on_step };
	struct dr_fail fail = { 0 };

	memset(t, 0, sizeof(*t));
	t->e = dr_engine_new(&init, &host, &fail);
	if (t->e == NULL)
		fail_msg("%s", fail.what);
}

static enum dr_take feed(struct told *t, const struct dr_frame *frame)
{
	enum dr_take take = DR_TAKE_KEPT;
	struct dr_fail fail = { 0 };
	const enum dr_err err = dr_frame_is_core(frame->type) ? dr_engine_core_frame(t->e, NULL, frame, &fail)
							      : dr_engine_frame(t->e, &take, frame, &fail);

	if (err != DR_OK)
		fail_msg("%s", fail.what);
	assert_int_not_equal(take, DR_TAKE_CONFLICT);
	return take;
}

static void end(struct told *t)
{
	dr_engine_status(t->e, &t->end);
	assert_false(t->end.halted);
	dr_engine_free(t->e);
	t->e = NULL;
}

static bool is_short(const struct told *t)
{
	return !t->end.has_final || t->end.final_number < t->end.target_number;
}

static bool is_same(const struct told *t)
{
	const struct dr_status_report *a = &t->end, *b = &whole.end;

	return a->has_final && a->final_number == b->final_number && memcmp(a->final_hash, b->final_hash, 32) == 0 &&
	       a->final_slot == b->final_slot && memcmp(a->final_root, b->final_root, 32) == 0 &&
	       a->ledger_size == b->ledger_size && memcmp(a->ledger_root, b->ledger_root, 32) == 0 &&
	       memcmp(a->state_digest, b->state_digest, 32) == 0 && t->num_findings == whole.num_findings &&
	       t->revoked;
}

/* Refused, short, or harmless; and who does not know of the revocation cannot think it has everything. */
static void judge(struct told *t, const char *what, size_t idx)
{
	end(t);
	if (t->num_refused == 0 && !is_short(t) && !is_same(t))
		fail_msg("frame %zu, type %04x, %s: nobody notices", idx, (unsigned)frames[idx].type, what);
	if (t->num_refused == 0 && !is_short(t) && !t->revoked)
		fail_msg("frame %zu, type %04x, %s: the revocation is gone", idx, (unsigned)frames[idx].type, what);
}

static void said(const char *text, const char *what, bool counted, uint64_t number, const uint8_t hash[static 32])
{
	char line[160];
	int len = counted ? snprintf(line, sizeof(line), "  - %s %llu 0x", what, (unsigned long long)number)
			  : snprintf(line, sizeof(line), "  - %s 0x", what);

	for (size_t i = 0; i < 32; i++)
		len += snprintf(line + len, sizeof(line) - (size_t)len, "%02x", hash[i]);
	if (strstr(text, line) == NULL)
		fail_msg("%s has no line \"%s\"", SCENARIO, line);
}

static size_t read_file(uint8_t **out, const char *path)
{
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		fail_msg("%s is not there", path);
	*out = kit_alloc((size_t)1 << 20);
	const size_t len = fread(*out, 1, ((size_t)1 << 20) - 1, file);

	fclose(file);
	assert_true(len > 0);
	return len;
}

static int set_up(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_evm_header h;
	uint8_t *file;
	const size_t len = read_file(&file, RECORDING);

	(void)state;
	for (size_t at = DR_EVIDENCE_HEAD_LEN, used; at < len; at += used) {
		assert_true(num_frames < FRAMES_MAX);
		struct dr_frame *frame = &frames[num_frames++];

		if (dr_frame_get(frame, &used, dr_bytes_of(file + at, len - at), &fail) != DR_OK)
			fail_msg("byte %zu: %s", at, fail.what);
		if (frame->type == DR_FRAME_HEADER) {
			assert_int_equal(dr_evm_header_decode(&h, frame->payload, &fail), DR_OK);
			assert_true(h.number < BLOCKS_MAX);
			memcpy(hashes[h.number], h.hash, 32);
		}
	}
	assert_int_equal(frames[0].type, DR_FRAME_ABOUT);
	assert_int_equal(dr_init_get(&init, frames[0].payload, &fail), DR_OK);
	init.mode = DR_MODE_REPLAY;
	begin(&whole);
	for (size_t i = 0; i < num_frames; i++)
		assert_int_equal(feed(&whole, &frames[i]), DR_TAKE_KEPT);
	end(&whole);
	whole_known = true;
	return 0;
}

static void test_whole(void **state)
{
	const struct dr_status_report *r = &whole.end;
	uint8_t *text;

	(void)state;
	read_file(&text, SCENARIO);
	assert_int_equal(whole.num_refused, 0);
	assert_int_equal(whole.num_findings, 1);
	assert_true(whole.revoked && is_same(&whole) && !is_short(&whole));
	said((const char *)text, "final block", true, r->final_number, r->final_hash);
	said((const char *)text, "ledger", true, r->ledger_size, r->ledger_root);
	said((const char *)text, "state", false, 0, r->state_digest);
	said((const char *)text, "checkpoint slot", true, r->checkpoint_slot, r->checkpoint);
	said((const char *)text, "final slot", true, r->final_slot, r->final_root);
	/* It has what it is for: each kind of message, state proofs, and more than three periods. */
	size_t kinds[DR_BEACON_OPTIMISTIC_UPDATE + 1] = { 0 }, states = 0;

	for (size_t i = 0; i < num_frames; i++) {
		if (frames[i].type == DR_FRAME_FINALITY)
			kinds[frames[i].payload.ptr[1]]++;
		states += frames[i].type == DR_FRAME_STATE;
	}
	assert_true(kinds[0] == 1 && kinds[1] >= 3 && kinds[2] >= 3 && kinds[3] >= 1 && states >= 3);
	assert_true(r->period >= 4);
}

/* The slot at which a committee signed is not what it signed: within its period, between the block and the clock,
 * each says the same. It ends the fixed part of an update, which the offset of its first field measures. */
static bool is_signature_slot(const struct dr_frame *frame, size_t at)
{
	const uint8_t *p = frame->payload.ptr;

	if (frame->type != DR_FRAME_FINALITY || p[1] == DR_BEACON_BOOTSTRAP)
		return false;
	const size_t fixed = 3 + ((size_t)p[3] | (size_t)p[4] << 8 | (size_t)p[5] << 16 | (size_t)p[6] << 24);

	return at >= fixed - 8 && at < fixed;
}

/* Each changed frame comes just before the true one: it changes nothing, not even what the true one is taken for. */
static void test_bits(void **state)
{
	static uint8_t copy[1u << 16];
	const size_t tries = all() ? 256 : 32;
	size_t refused = 0, others = 0, slots = 0, tried = 0;
	struct told t;

	(void)state;
	begin(&t);
	for (size_t i = 0; i < num_frames; i++) {
		struct dr_frame bent = frames[i];
		bool was_told = false;

		assert_true(bent.payload.len <= sizeof(copy));
		memcpy(copy, bent.payload.ptr, bent.payload.len);
		bent.payload.ptr = copy;
		/* The core's stamps are the recorder's word. */
		for (size_t k = 0; k < tries && !dr_frame_is_core(bent.type); k++) {
			const size_t at = k * (bent.payload.len - 1) / (tries - 1);
			const uint8_t bit = (uint8_t)(1u << (k + i) % 8);

			copy[at] ^= bit;
			const enum dr_take take = feed(&t, &bent);

			copy[at] ^= bit;
			tried++;
			if (take == DR_TAKE_REFUSED) {
				refused++;
			} else if (is_signature_slot(&frames[i], at)) {
				slots++;
				was_told = true;
			} else if (take == DR_TAKE_KEPT && bent.type == DR_FRAME_HEADER) {
				/* With its parent here it may be of another fork, and is held until finality passes
				 * it. */
				others++;
			} else {
				fail_msg("frame %zu, type %04x, byte %zu, bit %02x: taken", i, (unsigned)bent.type,
					 at, bit);
			}
		}
		assert_int_equal(feed(&t, &frames[i]), was_told ? DR_TAKE_KNOWN : DR_TAKE_KEPT);
	}
	assert_int_equal(t.num_refused, refused);
	print_message(
		"of %zu changed frames %zu refused; %zu headers of other forks, %zu other slots of a signature\n",
		tried, refused, others, slots);
	assert_true(refused > tried / 3);
	end(&t);
	assert_true(is_same(&t));
}

static bool skipped(size_t i)
{
	return !all() && i % 8 != 1;
}

static void test_left_out(void **state)
{
	size_t harmless = 0, tried = 0;

	(void)state;
	for (size_t out = 0; out < num_frames; out++) {
		struct told t;

		/* Of receipts each one: they carry the events. */
		if (skipped(out) && frames[out].type != DR_FRAME_RECEIPTS)
			continue;
		begin(&t);
		for (size_t i = 0; i < num_frames; i++)
			if (i != out)
				feed(&t, &frames[i]);
		judge(&t, "left out", out);
		if (frames[out].type == DR_FRAME_RECEIPTS)
			assert_true(is_short(&t) && !is_same(&t) && !t.revoked);
		tried++;
		harmless += is_same(&t);
	}
	print_message("%zu of %zu frames may be left out\n", harmless, tried);
}

/* Told again, a frame adds nothing; but for a state, which may once more stand for the contract's rolling hash. */
static void test_again(void **state)
{
	struct told t;

	(void)state;
	begin(&t);
	for (size_t i = 0; i < num_frames; i++) {
		feed(&t, &frames[i]);
		if (dr_frame_is_core(frames[i].type))
			continue;
		const enum dr_take second = feed(&t, &frames[i]);

		assert_true(second != DR_TAKE_KEPT || frames[i].type == DR_FRAME_STATE);
		assert_int_not_equal(feed(&t, &frames[i]), DR_TAKE_KEPT);
	}
	end(&t);
	assert_true(is_same(&t));
}

static void test_late(void **state)
{
	size_t harmless = 0, tried = 0;

	(void)state;
	for (size_t late = 0; late + 1 < num_frames; late++) {
		struct told t;

		if (skipped(late))
			continue;
		begin(&t);
		for (size_t i = 0; i < num_frames; i++)
			feed(&t, &frames[i == late ? late + 1 : i == late + 1 ? late : i]);
		judge(&t, "after the next", late);
		tried++;
		harmless += is_same(&t);
	}
	print_message("%zu of %zu frames may come after the next one\n", harmless, tried);
}

/* Where it is cut between two frames it is whole as far as it goes, and says no more than that. */
static void test_cut(void **state)
{
	struct told t;

	(void)state;
	begin(&t);
	for (size_t i = 0; i < num_frames; i++) {
		struct dr_status_report *now = &t.end;

		feed(&t, &frames[i]);
		dr_engine_status(t.e, now);
		assert_true(now->ledger_size <= whole.end.ledger_size && now->final_number <= whole.end.final_number);
		assert_int_equal(t.revoked, now->ledger_size == whole.end.ledger_size);
	}
	end(&t);
	assert_true(is_same(&t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole), cmocka_unit_test(test_bits), cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_again), cmocka_unit_test(test_late), cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
