/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_fold EVENTS: the events that bench_make made, through the fold: read, judged, put into the state, told as
 * changes; the state's digest at the end. Then without the council's votes: whatever needed them must be refused.
 */
#include "tests/bench/bench.h"
#include "tests/unit/governance/fold_kit.h"

struct fold {
	FILE *file;
	struct dr_fold fold;
	struct dr_state state;
	uint64_t num, blocks, changes, refused;
	uint8_t digest[32];
	const uint8_t *without; /* topic of events that are left out */
};

static enum dr_err on_change(void *ctx, const struct dr_change *change)
{
	struct fold *f = ctx;

	f->changes++;
	f->refused += change->outcome == DR_OUTCOME_REFUSED;
	return DR_OK;
}

static uint64_t get_int(FILE *file, size_t len)
{
	uint8_t bytes[8] = { 0 };

	bench_must(fread(bytes + 8 - len, 1, len, file) == len, "a short file");
	return dr_be64_get(bytes);
}

static void run(struct fold *f)
{
	static struct dr_event events[KIT_EVENTS];
	static uint8_t data[KIT_EVENTS][DR_ARGS_MAX * 32];
	struct dr_fail fail = { 0 };

	rewind(f->file);
	f->num = get_int(f->file, 8);
	f->blocks = get_int(f->file, 8);
	bench_must(fread(f->digest, 1, 32, f->file) == 32, "a short file");
	for (uint64_t i = 0; i < f->blocks; i++) {
		struct dr_fact_block block = { .proof = DR_PROOF_QUORUM,
					       .status = DR_STATUS_FINAL,
					       .complete = DR_COMPLETE_RECEIPTS,
					       .events = events };
		uint64_t num;

		block.number = get_int(f->file, 8);
		block.timestamp = get_int(f->file, 8);
		memset(block.hash, (int)block.number, 32);
		num = get_int(f->file, 4);
		while (num-- > 0) {
			struct dr_event *e = &events[block.num_events];

			*e = (struct dr_event){ .ordinal = (uint32_t)block.num_events, .num_topics = 1 };
			memcpy(e->address, f->fold.contract, 20);
			bench_must(fread(e->topic0, 1, 32, f->file) == 32, "a short file");
			e->data = dr_bytes_of(data[block.num_events], get_int(f->file, 4));
			bench_must(e->data.len <= sizeof(data[0]) &&
					   fread(data[block.num_events], 1, e->data.len, f->file) == e->data.len,
				   "a short file");
			if (f->without == NULL || memcmp(f->without, e->topic0, 32) != 0)
				block.num_events++;
		}
		dr_fold_block(&f->fold, &f->state, &block, &fail);
		bench_ok(&fail, "the fold");
	}
}

int main(int argc, char **argv)
{
	struct bench b = bench_begin("fold");
	struct kit *k = kit_new();
	const struct fold fresh = { .file = argc == 2 ? fopen(argv[1], "rb") : NULL, .fold = k->fold };
	struct fold f = fresh;
	uint8_t digest[32];
	char more[200];

	bench_must(f.file != NULL, "bench_fold EVENTS");
	setvbuf(f.file, NULL, _IOFBF, 1u << 18);
	while (b.done < b.rounds) {
		f = fresh;
		f.fold.start_number = 100;
		f.fold.change = on_change;
		f.fold.ctx = &f;
		bench_start(&b);
		run(&f);
		dr_state_digest(digest, &f.state);
		bench_stop(&b);
		bench_must(f.refused == 0 && memcmp(digest, f.digest, 32) == 0, "the state differs");
		snprintf(more, sizeof(more), "\"blocks\":%llu,\"changes\":%llu,\"entries\":%zu,",
			 (unsigned long long)f.blocks, (unsigned long long)f.changes, dr_map_num(f.state.map));
		dr_state_drop(&f.state);
	}
	const uint64_t num = f.num;

	f = fresh;
	f.fold.start_number = 100;
	f.fold.change = on_change;
	f.fold.ctx = &f;
	for (size_t i = 0; i < k->profile.num_events; i++)
		if (k->profile.events[i].action == DR_ACTION_VOTE)
			f.without = k->profile.events[i].topic0;
	run(&f);
	bench_end(&b, (double)num, bench_hex(digest), f.refused > 0 ? "refused" : "accepted", more);
	fclose(f.file);
	return 0;
}
