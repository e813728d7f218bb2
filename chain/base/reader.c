/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/base/reader.h"

#include <string.h>

void dr_reader_init(struct dr_reader *r, struct dr_bytes buf, struct dr_fail *fail)
{
	*r = (struct dr_reader){ .cur = buf.ptr, .left = buf.len, .at = 0, .fail = fail };
}

enum dr_err dr_reader_fail(struct dr_reader *r, enum dr_err err, const char *what)
{
	r->left = 0;
	return dr_fail_set(r->fail, err, what, r->at);
}

void dr_reader_copy(struct dr_reader *r, void *out, size_t len)
{
	const struct dr_bytes view = dr_reader_view(r, len);

	if (view.ptr != NULL && len > 0)
		memcpy(out, view.ptr, len);
	else if (len > 0)
		memset(out, 0, len);
}

static uint64_t read_be(struct dr_reader *r, size_t len)
{
	const struct dr_bytes view = dr_reader_view(r, len);
	uint64_t value = 0;

	for (size_t i = 0; i < view.len; i++)
		value = value << 8 | view.ptr[i];
	return value;
}

uint16_t dr_reader_u16(struct dr_reader *r)
{
	return (uint16_t)read_be(r, 2);
}

uint32_t dr_reader_u32(struct dr_reader *r)
{
	return (uint32_t)read_be(r, 4);
}

uint64_t dr_reader_u64(struct dr_reader *r)
{
	return read_be(r, 8);
}

struct dr_reader dr_reader_child(struct dr_reader *r, size_t len)
{
	const size_t at = r->at;
	const struct dr_bytes view = dr_reader_view(r, len);

	return (struct dr_reader){ .cur = view.ptr, .left = view.len, .at = at, .fail = r->fail };
}

enum dr_err dr_reader_end(struct dr_reader *r)
{
	if (dr_reader_ok(r) && r->left > 0)
		dr_reader_fail(r, DR_ERR_SYNTAX, "bytes are left over after the end");
	return r->fail->err;
}
