/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_replay FILE: an evidence file through the follower, the fold and the ledger, as derot-core replays it: read
 * in pieces, framed, proven, folded; without the pipe and the printing of `derot replay`. Then once more with one bit
 * of one receipt changed: the cursor must stop below that block.
 */
#include "chain/base/arena.h"
#include "chain/evidence.h"
#include "kms-bridge/core/engine.h"
#include "tests/bench/bench.h"
#include "tests/unit/kms-bridge/host_kit.h"

#define CHUNK ((size_t)256 << 10)

struct replay {
	FILE *file;
	struct dr_engine *engine;
	struct dr_buf stream;
	uint64_t final_number;
	uint64_t blocks, refused;
	uint64_t tamper; /* the RECEIPTS frame that is spoiled, from 1; 0: none */
};

static enum dr_err on_refused(void *ctx, const struct dr_frame *frame, const struct dr_fail *why)
{
	struct replay *r = ctx;

	(void)frame;
	(void)why;
	r->refused++;
	return DR_OK;
}

static enum dr_err on_step(void *ctx, uint64_t number, const uint8_t hash[static 32])
{
	struct replay *r = ctx;

	(void)hash;
	r->final_number = number;
	return DR_OK;
}

static void begin(struct replay *r, struct dr_bytes about)
{
	struct dr_engine_host host = host_of(r);
	static struct dr_init init;
	struct dr_fail fail = { 0 };

	host.refused = on_refused;
	host.step = on_step;
	dr_init_get(&init, about, &fail);
	bench_ok(&fail, "the recorder's claim");
	init.mode = DR_MODE_REPLAY;
	r->engine = dr_engine_new(&init, &host, &fail);
	bench_ok(&fail, "an engine");
}

static void feed(struct replay *r, const struct dr_frame *frame)
{
	struct dr_fail fail = { 0 };
	enum dr_take take;

	if (frame->type == DR_FRAME_ABOUT)
		begin(r, frame->payload);
	if (dr_frame_is_core(frame->type)) {
		dr_engine_core_frame(r->engine, NULL, frame, &fail);
	} else if (frame->type == DR_FRAME_RECEIPTS && ++r->blocks == r->tamper) {
		uint8_t *spoiled = malloc(frame->payload.len);
		struct dr_frame copy = *frame;

		bench_must(spoiled != NULL, "memory");
		memcpy(spoiled, frame->payload.ptr, frame->payload.len);
		spoiled[frame->payload.len / 2] ^= 1;
		copy.payload.ptr = spoiled;
		dr_engine_frame(r->engine, &take, &copy, &fail);
		free(spoiled);
	} else {
		dr_engine_frame(r->engine, &take, frame, &fail);
	}
	bench_ok(&fail, "the engine");
}

static void run(struct replay *r)
{
	struct dr_fail fail = { 0 };
	bool head = false;
	size_t got;

	rewind(r->file);
	dr_buf_init(&r->stream, 64u << 20);
	do {
		uint8_t *to = dr_buf_reserve(&r->stream, CHUNK, &fail);
		size_t at = 0, used;
		struct dr_frame frame;

		bench_ok(&fail, "memory");
		got = fread(to, 1, CHUNK, r->file);
		r->stream.len += got;
		if (!head && r->stream.len >= DR_EVIDENCE_HEAD_LEN) {
			at = DR_EVIDENCE_HEAD_LEN;
			head = true;
		}
		for (;;) {
			struct dr_fail more = { 0 };
			const struct dr_bytes rest = { r->stream.ptr + at, r->stream.len - at };

			if (rest.len == 0 || dr_frame_get(&frame, &used, rest, &more) != DR_OK) {
				bench_must(rest.len == 0 || more.err == DR_ERR_SHORT, "a damaged file");
				break;
			}
			feed(r, &frame);
			at += used;
		}
		dr_buf_drop(&r->stream, at);
	} while (got > 0);
	bench_must(r->stream.len == 0 && r->engine != NULL, "a torn file");
	dr_buf_free(&r->stream);
}

int main(int argc, char **argv)
{
	struct bench b = bench_begin("replay");
	static struct dr_status_report status;
	struct replay r = { 0 };
	char root[65], more[200];

	bench_must(argc == 2 && (r.file = fopen(argv[1], "rb")) != NULL, "bench_replay FILE");
	while (b.done < b.rounds) {
		r = (struct replay){ .file = r.file };
		bench_start(&b);
		run(&r);
		bench_stop(&b);
		bench_must(r.refused == 0, "honest evidence was refused");
		dr_engine_status(r.engine, &status);
		dr_engine_free(r.engine);
	}
	const uint64_t blocks = r.blocks, last = r.final_number;

	dr_hex_put(root, status.ledger_root, 32);
	r = (struct replay){ .file = r.file, .tamper = 1 + blocks / 2 };
	run(&r);
	dr_engine_free(r.engine);
	snprintf(more, sizeof(more), "\"bytes\":%ld,\"ledger\":%llu,", ftell(r.file),
		 (unsigned long long)status.ledger_size);
	bench_end(&b, (double)blocks, root,
		  r.refused > 0 && r.final_number == last - blocks + r.tamper - 1 ? "refused" : "accepted", more);
	fclose(r.file);
	return 0;
}
