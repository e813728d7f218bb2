/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_follow: u8 way · start hash 32 · frames without checksums (u16 type · u16 source · u32 length · payload) into
 * a follower. Whatever they are: final blocks come one by one, each on the one before; a halt is for good.
 */
#include <string.h>

#include "chain/base/reader.h"
#include "chain/evm/follow.h"
#include "chain/evm/quorum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t last;
static uint8_t last_hash[32];

static void drain(struct dr_follow *f)
{
	const struct dr_fact_block *block;
	const struct dr_fact_state *state;
	struct dr_finality_finding finding;
	enum dr_follow_out out;

	while ((out = dr_follow_next(f, &block, &state, &finding)) != DR_OUT_NONE) {
		DR_ASSERT((out == DR_OUT_BLOCK) == (block != NULL) && (out == DR_OUT_STATE) == (state != NULL));
		DR_ASSERT(out != DR_OUT_CONFLICT || dr_follow_halted(f));
		if (block == NULL)
			continue;
		DR_ASSERT(dr_fact_block_complete(block) != DR_COMPLETE_NONE);
		for (size_t i = 0; i < dr_fact_block_num_events(block); i++)
			DR_ASSERT(dr_fact_block_event(block, i)->ordinal == i);
		if (dr_fact_block_status(block) != DR_STATUS_FINAL)
			continue;
		DR_ASSERT(dr_fact_block_number(block) == (last == 0 ? 100 : last + 1));
		DR_ASSERT(last == 0 || memcmp(dr_fact_block_parent(block), last_hash, 32) == 0);
		last = dr_fact_block_number(block);
		memcpy(last_hash, dr_fact_block_hash(block), 32);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dr_want wants[DR_WANTS_MAX];
	struct dr_fail fail = { 0 };
	struct dr_reader r;

	dr_reader_init(&r, dr_bytes_of(data, size), &fail);
	struct dr_quorum *q = dr_quorum_new(1, 2);

	DR_ASSERT(q != NULL);
	struct dr_follow_config config = {
		.start_number = 100, .step_max = 8, .has_accumulator = true, .finality = dr_quorum_finality(q)
	};

	config.way = (enum dr_way)(dr_reader_u8(&r) % 3);
	dr_reader_copy(&r, config.start_hash, 32);
	memset(config.contract, 0xc0, 20);
	memset(config.code_hash, 0xc0, 32);
	config.acc_slot[31] = 1;
	last = 0;
	struct dr_follow *f = dr_follow_new(&config);

	DR_ASSERT(f != NULL);
	dr_follow_want_state(f, 102, (const uint8_t(*)[32])config.acc_slot, 1);
	while (dr_reader_ok(&r) && r.left > 0) {
		const bool halted = dr_follow_halted(f);
		struct dr_fail why = { 0 };
		struct dr_frame frame;

		frame.type = dr_reader_u16(&r);
		frame.source = dr_reader_u16(&r);
		frame.payload = dr_reader_view(&r, dr_reader_u32(&r));
		if (!dr_reader_ok(&r))
			break;
		const enum dr_take take = dr_follow_frame(f, &frame, &why);

		DR_ASSERT((take == DR_TAKE_REFUSED || take == DR_TAKE_CONFLICT) == (why.err != DR_OK));
		DR_ASSERT(!halted || take == DR_TAKE_REFUSED);
		drain(f);
		DR_ASSERT(!halted || dr_follow_halted(f));
		DR_ASSERT(dr_follow_wants(f, wants, DR_WANTS_MAX) <= DR_WANTS_MAX);
	}
	dr_follow_free(f);
	dr_quorum_free(q);
	return 0;
}
