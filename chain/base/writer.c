/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/base/writer.h"

#include <string.h>

void dr_writer_init(struct dr_writer *w, void *buf, size_t cap, struct dr_fail *fail)
{
	*w = (struct dr_writer){ .buf = buf, .cap = cap, .len = 0, .fail = fail };
}

void dr_writer_copy(struct dr_writer *w, const void *ptr, size_t len)
{
	if (w->fail->err != DR_OK || len == 0)
		return;
	if (len > w->cap - w->len) {
		dr_fail_set(w->fail, DR_ERR_LIMIT, "output does not fit its buffer", w->len);
		return;
	}
	memcpy(w->buf + w->len, ptr, len);
	w->len += len;
}

void dr_writer_bytes(struct dr_writer *w, struct dr_bytes bytes)
{
	dr_writer_copy(w, bytes.ptr, bytes.len);
}

static void write_be(struct dr_writer *w, uint64_t value, size_t len)
{
	uint8_t be[8];

	dr_be64_put(be, value);
	dr_writer_copy(w, be + 8 - len, len);
}

void dr_writer_u8(struct dr_writer *w, uint8_t value)
{
	write_be(w, value, 1);
}

void dr_writer_u16(struct dr_writer *w, uint16_t value)
{
	write_be(w, value, 2);
}

void dr_writer_u32(struct dr_writer *w, uint32_t value)
{
	write_be(w, value, 4);
}

void dr_writer_u64(struct dr_writer *w, uint64_t value)
{
	write_be(w, value, 8);
}

struct dr_bytes dr_writer_view(const struct dr_writer *w)
{
	if (w->fail->err != DR_OK)
		return (struct dr_bytes){ NULL, 0 };
	return dr_bytes_of(w->buf, w->len);
}
