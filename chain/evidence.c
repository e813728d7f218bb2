/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/evidence.h"

#include <string.h>

#include "chain/base/limits.h"
#include "chain/base/reader.h"
#include "chain/crypto/sha256.h"

#define CHECKSUM_LEN   8u
#define FRAME_HEAD_LEN 8u

static const uint8_t magic[8] = { 'd', 'e', 'r', 'o', 't', 'e', 'v', 0 };

void dr_evidence_head_put(uint8_t out[static DR_EVIDENCE_HEAD_LEN], const struct dr_evidence_head *head)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;
	uint8_t sum[32];

	dr_writer_init(&w, out, DR_EVIDENCE_HEAD_LEN, &fail);
	dr_writer_copy(&w, magic, sizeof(magic));
	dr_writer_u16(&w, DR_EVIDENCE_VERSION);
	dr_writer_u16(&w, head->family);
	dr_writer_u32(&w, 0);
	dr_writer_u64(&w, head->chain_id);
	dr_writer_copy(&w, head->genesis, 32);
	dr_sha256_one(sum, out, w.len);
	dr_writer_copy(&w, sum, CHECKSUM_LEN);
	DR_ASSERT(fail.err == DR_OK && w.len == DR_EVIDENCE_HEAD_LEN);
}

enum dr_err dr_evidence_head_get(struct dr_evidence_head *out, struct dr_bytes bytes, struct dr_fail *fail)
{
	struct dr_evidence_head head;
	struct dr_reader r;
	uint8_t sum[32], got[CHECKSUM_LEN];

	memset(out, 0, sizeof(*out));
	if (bytes.len < DR_EVIDENCE_HEAD_LEN)
		return dr_fail_set(fail, DR_ERR_SHORT, "evidence ends inside its head of 64 bytes", bytes.len);
	dr_reader_init(&r, dr_bytes_of(bytes.ptr, DR_EVIDENCE_HEAD_LEN), fail);
	const struct dr_bytes begin = dr_reader_view(&r, sizeof(magic));

	if (!dr_bytes_eq(begin, dr_bytes_of(magic, sizeof(magic))))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "not a derot evidence file: wrong magic", 0);
	const uint16_t version = dr_reader_u16(&r);

	head.family = dr_reader_u16(&r);
	const uint32_t zero = dr_reader_u32(&r);

	head.chain_id = dr_reader_u64(&r);
	dr_reader_copy(&r, head.genesis, 32);
	dr_reader_copy(&r, got, sizeof(got));
	if (dr_reader_end(&r) != DR_OK)
		return fail->err;
	dr_sha256_one(sum, bytes.ptr, DR_EVIDENCE_HEAD_LEN - CHECKSUM_LEN);
	if (memcmp(sum, got, sizeof(got)) != 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "checksum of the evidence head", 56);
	if (version != DR_EVIDENCE_VERSION)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "evidence version: this build knows 1", 8);
	if (head.family != DR_FAMILY_EVM)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "evidence family: this build knows 1 (EVM)", 10);
	if (zero != 0)
		return dr_fail_set(fail, DR_ERR_NONCANONICAL, "reserved bytes of the evidence head", 12);
	*out = head;
	return DR_OK;
}

enum dr_err dr_frame_put(struct dr_buf *out, const struct dr_frame *frame, struct dr_fail *fail)
{
	if (frame->payload.len > DR_FRAME_LEN_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "frame payload", frame->payload.len);
	const size_t len = frame->payload.len + DR_EVIDENCE_FRAME_OVERHEAD;
	uint8_t *to = dr_buf_reserve(out, len, fail), sum[32];
	struct dr_writer w;

	if (to == NULL)
		return fail->err;
	dr_writer_init(&w, to, len, fail);
	dr_writer_u32(&w, (uint32_t)frame->payload.len);
	dr_writer_u16(&w, frame->type);
	dr_writer_u16(&w, frame->source);
	dr_writer_bytes(&w, frame->payload);
	dr_sha256_one(sum, to, w.len);
	dr_writer_copy(&w, sum, CHECKSUM_LEN);
	out->len += len;
	return DR_OK;
}

enum dr_err dr_frame_get(struct dr_frame *out, size_t *used, struct dr_bytes bytes, struct dr_fail *fail)
{
	struct dr_reader r;
	struct dr_frame frame;
	uint8_t sum[32];

	*used = 0;
	memset(out, 0, sizeof(*out));
	dr_reader_init(&r, bytes, fail);
	const uint32_t len = dr_reader_u32(&r);

	frame.type = dr_reader_u16(&r);
	frame.source = dr_reader_u16(&r);
	if (dr_reader_ok(&r) && len > DR_FRAME_LEN_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "length of a frame's payload", 0);
	frame.payload = dr_reader_view(&r, len);
	const struct dr_bytes got = dr_reader_view(&r, CHECKSUM_LEN);

	if (!dr_reader_ok(&r))
		return fail->err;
	dr_sha256_one(sum, bytes.ptr, FRAME_HEAD_LEN + (size_t)len);
	if (!dr_bytes_eq(got, dr_bytes_of(sum, CHECKSUM_LEN)))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "checksum of a frame", FRAME_HEAD_LEN + (size_t)len);
	*out = frame;
	*used = (size_t)len + DR_EVIDENCE_FRAME_OVERHEAD;
	return DR_OK;
}
