/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_recording: a whole recording, its checksums made true, as `derot replay` takes it. What must hold is
 * fuzz_engine.h's.
 */
#include "tests/fuzz/fuzz_engine.h"

#include "chain/crypto/sha256.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dr_init init;
	struct dr_evidence_head head;
	struct dr_fail fail = { 0 };
	struct dr_frame frame;
	struct run run;
	uint8_t sum[32], *copy;
	size_t used;

	if (size < DR_EVIDENCE_HEAD_LEN)
		return 0;
	copy = dr_heap_alloc(size);
	DR_ASSERT(copy != NULL);
	kit_used = 0;
	memcpy(copy, data, size);
	dr_sha256_one(sum, copy, 56);
	memcpy(copy + 56, sum, 8);
	for (size_t at = DR_EVIDENCE_HEAD_LEN; size - at >= DR_EVIDENCE_FRAME_OVERHEAD;) {
		const size_t len = (size_t)copy[at] << 24 | (size_t)copy[at + 1] << 16 | (size_t)copy[at + 2] << 8 |
				   copy[at + 3];

		if (len > size - at - DR_EVIDENCE_FRAME_OVERHEAD)
			break;
		dr_sha256_one(sum, copy + at, 8 + len);
		memcpy(copy + at + 8 + len, sum, 8);
		at += len + DR_EVIDENCE_FRAME_OVERHEAD;
	}
	const struct dr_bytes frames = { copy + DR_EVIDENCE_HEAD_LEN, size - DR_EVIDENCE_HEAD_LEN };

	/* Unanchored: what to fold is the recorder's claim, as `derot replay` takes it. */
	if (dr_evidence_head_get(&head, dr_bytes_of(copy, DR_EVIDENCE_HEAD_LEN), &fail) == DR_OK &&
	    dr_frame_get(&frame, &used, frames, &fail) == DR_OK && frame.type == DR_FRAME_ABOUT &&
	    dr_init_get(&init, frame.payload, &fail) == DR_OK) {
		if (run_new(&run, &init, NULL)) {
			feed_all(&run, frames);
			replay_kept(&run, &init);
		}
		run_free(&run);
	}
	dr_heap_free(copy);
	return 0;
}
