/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/codec/der.h"

#include <string.h>

void dr_der_init(struct dr_der *d, void *buf, size_t cap, struct dr_fail *fail)
{
	*d = (struct dr_der){ .buf = buf, .cap = cap, .fail = fail };
}

static void put(struct dr_der *d, const void *ptr, size_t len)
{
	if (d->fail->err != DR_OK || len == 0)
		return;
	if (len > d->cap - d->len) {
		dr_fail_set(d->fail, DR_ERR_LIMIT, "DER: output does not fit its buffer", d->len);
		return;
	}
	memcpy(d->buf + d->len, ptr, len);
	d->len += len;
}

static void put_u8(struct dr_der *d, unsigned value)
{
	const uint8_t byte = (uint8_t)value;

	put(d, &byte, 1);
}

/* X.690, 8.1.3 and 10.1: out[0,return) is the length in its shortest form. */
static size_t length(uint8_t out[static 1 + sizeof(size_t)], size_t len)
{
	size_t num = 0;

	if (len < 0x80) {
		out[0] = (uint8_t)len;
		return 1;
	}
	for (size_t rest = len; rest > 0; rest >>= 8)
		num++;
	out[0] = (uint8_t)(0x80 | num);
	for (size_t i = 0; i < num; i++)
		out[1 + i] = (uint8_t)(len >> 8 * (num - 1 - i));
	return 1 + num;
}

void dr_der_open(struct dr_der *d, unsigned tag)
{
	DR_ASSERT(d->depth < DR_DER_DEPTH_MAX);
	put_u8(d, tag);
	d->open[d->depth++] = d->len;
}

void dr_der_close(struct dr_der *d)
{
	uint8_t bytes[1 + sizeof(size_t)];

	DR_ASSERT(d->depth > 0);
	const size_t at = d->open[--d->depth];

	if (d->fail->err != DR_OK)
		return;
	/* The length is known only now: the content makes room for it. */
	const size_t content = d->len - at, num = length(bytes, content);

	put(d, bytes, num);
	if (d->fail->err != DR_OK)
		return;
	memmove(d->buf + at + num, d->buf + at, content);
	memcpy(d->buf + at, bytes, num);
}

void dr_der_value(struct dr_der *d, unsigned tag, struct dr_bytes content)
{
	uint8_t bytes[1 + sizeof(size_t)];

	put_u8(d, tag);
	put(d, bytes, length(bytes, content.len));
	put(d, content.ptr, content.len);
}

void dr_der_raw(struct dr_der *d, struct dr_bytes der)
{
	put(d, der.ptr, der.len);
}

void dr_der_bool(struct dr_der *d, bool value)
{
	const uint8_t byte = value ? 0xff : 0; /* X.690, 11.1 */

	dr_der_value(d, DR_DER_BOOLEAN, dr_bytes_of(&byte, 1));
}

void dr_der_u64(struct dr_der *d, uint64_t value)
{
	uint8_t be[8];

	dr_be64_put(be, value);
	dr_der_integer(d, dr_bytes_of(be, sizeof(be)));
}

void dr_der_integer(struct dr_der *d, struct dr_bytes magnitude)
{
	uint8_t bytes[1 + sizeof(size_t)];

	while (magnitude.len > 0 && magnitude.ptr[0] == 0) {
		magnitude.ptr++;
		magnitude.len--;
	}
	/* Two's complement: the highest bit is the sign, and zero has a byte. */
	const bool pad = magnitude.len == 0 || (magnitude.ptr[0] & 0x80) != 0;

	put_u8(d, DR_DER_INTEGER);
	put(d, bytes, length(bytes, magnitude.len + pad));
	if (pad)
		put_u8(d, 0);
	put(d, magnitude.ptr, magnitude.len);
}

void dr_der_bits(struct dr_der *d, struct dr_bytes bits, unsigned unused)
{
	uint8_t bytes[1 + sizeof(size_t)];

	DR_ASSERT(unused <= 7 && (bits.len > 0 || unused == 0));
	put_u8(d, DR_DER_BIT_STRING);
	put(d, bytes, length(bytes, bits.len + 1));
	put_u8(d, unused);
	put(d, bits.ptr, bits.len);
}

void dr_der_text(struct dr_der *d, const char *text)
{
	dr_der_value(d, DR_DER_UTF8_STRING, dr_bytes_of(text, strlen(text)));
}

/* An arc of any size: septets[0,num), the lowest first. */
struct arc {
	uint8_t septets[DR_DER_ARCS_MAX];
	size_t num;
};

/* arc = arc · factor + add; false if it does not fit. */
static bool arc_step(struct arc *a, unsigned factor, unsigned add)
{
	unsigned carry = add;

	for (size_t i = 0; i < a->num; i++) {
		carry += a->septets[i] * factor;
		a->septets[i] = carry & 0x7f;
		carry >>= 7;
	}
	for (; carry > 0; carry >>= 7) {
		if (a->num == DR_DER_ARCS_MAX)
			return false;
		a->septets[a->num++] = carry & 0x7f;
	}
	return true;
}

/* The decimal number at *text, which moves behind it. */
static enum dr_err arc_read(struct arc *a, const char **text, struct dr_fail *fail)
{
	const char *begin = *text;

	*a = (struct arc){ .num = 0 };
	for (; **text >= '0' && **text <= '9'; (*text)++)
		if (!arc_step(a, 10, (unsigned)(**text - '0')))
			return dr_fail_set(fail, DR_ERR_LIMIT, "DER: an arc of an OID is too large", 0);
	if (*text == begin || (*begin == '0' && *text != begin + 1))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "DER: an OID is decimal numbers and dots", 0);
	return DR_OK;
}

/* X.690, 8.19.2: septets, the highest first, all but the last with the highest bit. */
static void arc_put(struct dr_der *d, const struct arc *a)
{
	if (a->num == 0)
		put_u8(d, 0);
	for (size_t i = a->num; i-- > 0;)
		put_u8(d, a->septets[i] | (i > 0 ? 0x80u : 0));
}

void dr_der_oid(struct dr_der *d, const char *dotted)
{
	const char *at = dotted;
	struct arc arc;

	if (d->fail->err != DR_OK)
		return;
	dr_der_open(d, DR_DER_OID);
	if (arc_read(&arc, &at, d->fail) == DR_OK) {
		/* X.690, 8.19.4: the first two arcs are one number. */
		const unsigned first = arc.num > 0 ? arc.septets[0] : 0;

		if (arc.num > 1 || first > 2 || *at != '.')
			dr_fail_set(d->fail, DR_ERR_SYNTAX, "DER: an OID begins with 0, 1 or 2, and has two arcs", 0);
		at++;
		if (d->fail->err == DR_OK && arc_read(&arc, &at, d->fail) == DR_OK) {
			if (first < 2 && (arc.num > 1 || (arc.num == 1 && arc.septets[0] >= 40)))
				dr_fail_set(d->fail, DR_ERR_SYNTAX, "DER: the second arc is below 40", 0);
			else if (!arc_step(&arc, 1, 40 * first))
				dr_fail_set(d->fail, DR_ERR_LIMIT, "DER: an arc of an OID is too large", 0);
			arc_put(d, &arc);
		}
	}
	while (d->fail->err == DR_OK && *at == '.') {
		at++;
		if (arc_read(&arc, &at, d->fail) == DR_OK)
			arc_put(d, &arc);
	}
	if (d->fail->err == DR_OK && *at != 0)
		dr_fail_set(d->fail, DR_ERR_SYNTAX, "DER: an OID is decimal numbers and dots", 0);
	dr_der_close(d);
}

/* Two decimal digits. */
static void two(uint8_t *out, unsigned value)
{
	out[0] = (uint8_t)('0' + value / 10);
	out[1] = (uint8_t)('0' + value % 10);
}

void dr_der_time(struct dr_der *d, uint64_t unix_s)
{
	static const uint8_t month_days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned year = 1970, month = 0, days, seconds;
	uint8_t text[15];

	if (d->fail->err != DR_OK)
		return;
	if (unix_s > DR_DER_TIME_MAX_S) {
		dr_fail_set(d->fail, DR_ERR_LIMIT, "DER: times end with the year 9999", 0);
		return;
	}
	days = (unsigned)(unix_s / 86400);
	seconds = (unsigned)(unix_s % 86400);
	for (;; year++) {
		const unsigned len = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 366 : 365;

		if (days < len) {
			for (; month < 11; month++) {
				const unsigned num = month_days[month] + (month == 1 && len == 366 ? 1u : 0);

				if (days < num)
					break;
				days -= num;
			}
			break;
		}
		days -= len;
	}
	two(text, year / 100);
	two(text + 2, year % 100);
	two(text + 4, month + 1);
	two(text + 6, days + 1);
	two(text + 8, seconds / 3600);
	two(text + 10, seconds / 60 % 60);
	two(text + 12, seconds % 60);
	text[14] = 'Z';
	if (year < 2050)
		dr_der_value(d, DR_DER_UTC_TIME, dr_bytes_of(text + 2, 13));
	else
		dr_der_value(d, DR_DER_GENERALIZED_TIME, dr_bytes_of(text, 15));
}

enum dr_err dr_der_end(const struct dr_der *d, size_t *len)
{
	*len = 0;
	if (d->fail->err != DR_OK)
		return d->fail->err;
	DR_ASSERT(d->depth == 0);
	*len = d->len;
	return DR_OK;
}
