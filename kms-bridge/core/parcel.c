/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/parcel.h"

#include <string.h>

#include "chain/base/reader.h"
#include "chain/base/writer.h"

static const char magic[15] = "derot-parcel-v1"; /* without a NUL */

void dr_parcel_header(uint8_t out[static DR_PARCEL_HEADER_LEN], const struct dr_parcel *p)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, out, DR_PARCEL_HEADER_LEN, &fail);
	dr_writer_copy(&w, magic, sizeof(magic));
	dr_writer_u64(&w, p->chain_id);
	dr_writer_copy(&w, p->genesis, 32);
	dr_writer_copy(&w, p->contract, 20);
	dr_writer_u8(&w, p->proof);
	dr_writer_u64(&w, p->generation);
	dr_writer_copy(&w, p->from, 20);
	dr_writer_copy(&w, p->to, 20);
	DR_ASSERT(fail.err == DR_OK && w.len == DR_PARCEL_HEADER_LEN);
}

enum dr_err dr_parcel_decode(struct dr_parcel *out, struct dr_bytes bytes, struct dr_fail *fail)
{
	uint8_t begin[sizeof(magic)];
	struct dr_fail own = { 0 };
	struct dr_reader r;

	memset(out, 0, sizeof(*out));
	dr_reader_init(&r, bytes, &own);
	dr_reader_copy(&r, begin, sizeof(begin));
	if (dr_reader_ok(&r) && memcmp(begin, magic, sizeof(magic)) != 0)
		dr_reader_fail(&r, DR_ERR_UNKNOWN, "parcel: it does not begin as one of version 1");
	out->chain_id = dr_reader_u64(&r);
	dr_reader_copy(&r, out->genesis, 32);
	dr_reader_copy(&r, out->contract, 20);
	out->proof = dr_reader_u8(&r);
	out->generation = dr_reader_u64(&r);
	if (dr_reader_ok(&r) && out->generation == 0)
		dr_reader_fail(&r, DR_ERR_LIMIT, "parcel: number of a generation (>= 1)");
	dr_reader_copy(&r, out->from, 20);
	dr_reader_copy(&r, out->to, 20);
	out->box = dr_reader_view(&r, DR_PARCEL_BOX_LEN);
	if (dr_reader_end(&r) == DR_OK)
		return DR_OK;
	memset(out, 0, sizeof(*out));
	return dr_fail_set(fail, own.err, own.what, own.at);
}
