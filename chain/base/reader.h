/* SPDX-License-Identifier: Apache-2.0
 *
 * reader: the only way in which this project looks at foreign bytes.
 *
 * A cursor with a sticky failure. Reads after a failure give zeros, so a decoder is written as a
 * straight line and checked once, at its end, by dr_reader_end. Readers made from one another share
 * the failure record. Comparisons are always "n > left", never "ptr + n".
 *
 * Layer: chain/base.
 */
#ifndef DR_BASE_READER_H
#define DR_BASE_READER_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

struct dr_reader {
	const uint8_t *cur;
	size_t left;
	size_t at;            /* offset of cur in the outermost buffer, for messages */
	struct dr_fail *fail; /* shared; not owned */
};

/* dr_reader_init: starts at buf[0]; borrows buf and fail for the life of the reader. */
void dr_reader_init(struct dr_reader *r, struct dr_bytes buf, struct dr_fail *fail);

/* Big-endian integers; 0 after a failure. */
static inline uint8_t dr_reader_u8(struct dr_reader *r);
uint16_t dr_reader_u16(struct dr_reader *r);
uint32_t dr_reader_u32(struct dr_reader *r);
uint64_t dr_reader_u64(struct dr_reader *r);

/* dr_reader_copy: the next len bytes into out; zeros after a failure. */
void dr_reader_copy(struct dr_reader *r, void *out, size_t len);

/* dr_reader_view: borrows the next len bytes of the buffer; {NULL, 0} after a failure. */
static inline struct dr_bytes dr_reader_view(struct dr_reader *r, size_t len);

/* dr_reader_child: a reader over the next len bytes, which r skips. Shares the failure record. */
struct dr_reader dr_reader_child(struct dr_reader *r, size_t len);

/* dr_reader_fail: records a failure at the cursor (unless one is held) and empties the reader. */
enum dr_err dr_reader_fail(struct dr_reader *r, enum dr_err err, const char *what);

/* dr_reader_end: DR_OK if nothing failed and nothing is left; trailing bytes are DR_ERR_SYNTAX. */
enum dr_err dr_reader_end(struct dr_reader *r);

static inline bool dr_reader_ok(const struct dr_reader *r)
{
	return r->fail->err == DR_OK;
}

/* Here, because every byte of evidence passes through. */
static inline struct dr_bytes dr_reader_view(struct dr_reader *r, size_t len)
{
	struct dr_bytes view = { NULL, 0 };

	if (!dr_reader_ok(r))
		return view;
	if (len > r->left) {
		dr_reader_fail(r, DR_ERR_SHORT, "input ends inside a field");
		return view;
	}
	view = dr_bytes_of(r->cur, len);
	if (len > 0)
		r->cur += len;
	r->left -= len;
	r->at += len;
	return view;
}

static inline uint8_t dr_reader_u8(struct dr_reader *r)
{
	const struct dr_bytes view = dr_reader_view(r, 1);

	return view.len > 0 ? view.ptr[0] : 0;
}

#endif
