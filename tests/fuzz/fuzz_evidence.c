/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_evidence: a head, then frames. What decodes encodes to the same bytes; a frame never uses more than there is.
 * Checksums keep mutations out, so each is also tried with its checksum made true.
 */
#include <string.h>

#include "chain/crypto/sha256.h"
#include "chain/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_head(struct dr_bytes in)
{
	uint8_t again[DR_EVIDENCE_HEAD_LEN];
	struct dr_evidence_head head;
	struct dr_fail fail = { 0 };

	if (dr_evidence_head_get(&head, in, &fail) != DR_OK) {
		DR_ASSERT(fail.err != DR_OK && dr_bytes_zero(&head, sizeof(head)));
		return;
	}
	dr_evidence_head_put(again, &head);
	DR_ASSERT(memcmp(again, in.ptr, sizeof(again)) == 0);
}

static void try_frames(struct dr_bytes in)
{
	struct dr_frame frame;
	size_t used;

	for (;;) {
		struct dr_fail fail = { 0 };
		struct dr_buf buf;

		if (dr_frame_get(&frame, &used, in, &fail) != DR_OK) {
			DR_ASSERT(fail.err != DR_OK && used == 0 && dr_bytes_zero(&frame, sizeof(frame)));
			return;
		}
		DR_ASSERT(used <= in.len && used == frame.payload.len + DR_EVIDENCE_FRAME_OVERHEAD);
		dr_buf_init(&buf, 1u << 24);
		DR_ASSERT(dr_frame_put(&buf, &frame, &fail) == DR_OK);
		DR_ASSERT(buf.len == used && memcmp(buf.ptr, in.ptr, used) == 0);
		dr_buf_free(&buf);
		in = dr_bytes_of(in.ptr + used, in.len - used);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t head[DR_EVIDENCE_HEAD_LEN], sum[32];

	try_head(dr_bytes_of(data, size));
	if (size < DR_EVIDENCE_HEAD_LEN) {
		try_frames(dr_bytes_of(data, size));
		return 0;
	}
	memcpy(head, data, sizeof(head));
	dr_sha256_one(sum, head, 56);
	memcpy(head + 56, sum, 8);
	try_head(dr_bytes_of(head, sizeof(head)));
	try_frames(dr_bytes_of(data + DR_EVIDENCE_HEAD_LEN, size - DR_EVIDENCE_HEAD_LEN));
	return 0;
}
