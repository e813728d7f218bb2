/* SPDX-License-Identifier: Apache-2.0
 *
 * writer: appends to a buffer that the caller owns, with a sticky failure.
 *
 * Writing past the end is DR_ERR_LIMIT, recorded once; later writes do nothing. Check at the end.
 *
 * Layer: chain/base.
 */
#ifndef DR_BASE_WRITER_H
#define DR_BASE_WRITER_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

struct dr_writer {
	uint8_t *buf;
	size_t cap;
	size_t len;           /* bytes written so far; buf[0, len) is the result */
	struct dr_fail *fail; /* shared; not owned */
};

void dr_writer_init(struct dr_writer *w, void *buf, size_t cap, struct dr_fail *fail);

void dr_writer_u8(struct dr_writer *w, uint8_t value);
void dr_writer_u16(struct dr_writer *w, uint16_t value);
void dr_writer_u32(struct dr_writer *w, uint32_t value);
void dr_writer_u64(struct dr_writer *w, uint64_t value);
void dr_writer_copy(struct dr_writer *w, const void *ptr, size_t len);
void dr_writer_bytes(struct dr_writer *w, struct dr_bytes bytes);

/* dr_writer_view: what has been written; borrows buf. {NULL, 0} if anything failed. */
struct dr_bytes dr_writer_view(const struct dr_writer *w);

#endif
