/* SPDX-License-Identifier: Apache-2.0
 *
 * der: writes ASN.1 DER (ITU-T X.690, 2021): definite lengths in their shortest form, the encodings that certificates
 * need. There is no reader.
 *
 * A sticky failure, as base/writer has it: after one, writes do nothing; dr_der_end tells.
 *
 * Layer: chain/codec.
 */
#ifndef DR_CODEC_DER_H
#define DR_CODEC_DER_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

#define DR_DER_DEPTH_MAX 16u
#define DR_DER_ARCS_MAX  32u /* septets of one arc of an OID: 224 bits */

enum dr_der_tag {
	DR_DER_BOOLEAN = 0x01,
	DR_DER_INTEGER = 0x02,
	DR_DER_BIT_STRING = 0x03,
	DR_DER_OCTET_STRING = 0x04,
	DR_DER_OID = 0x06,
	DR_DER_UTF8_STRING = 0x0c,
	DR_DER_UTC_TIME = 0x17,
	DR_DER_GENERALIZED_TIME = 0x18,
	DR_DER_SEQUENCE = 0x30,
	DR_DER_SET = 0x31,
	DR_DER_CONTEXT = 0x80,  /* | number 0 … 30: primitive, implicit */
	DR_DER_EXPLICIT = 0xa0, /* | number 0 … 30: constructed */
};

struct dr_der {
	uint8_t *buf;
	size_t cap, len;
	size_t depth;
	size_t open[DR_DER_DEPTH_MAX]; /* where the content of each open value begins */
	struct dr_fail *fail;          /* shared; not owned */
};

void dr_der_init(struct dr_der *d, void *buf, size_t cap, struct dr_fail *fail);

/* dr_der_open: a value begins whose content is what is written up to its dr_der_close. For OCTET STRING as well,
 * whose content is then DER itself. Nesting beyond DR_DER_DEPTH_MAX, and closing what is not open, are bugs. */
void dr_der_open(struct dr_der *d, unsigned tag);
void dr_der_close(struct dr_der *d);

/* dr_der_value: a primitive value whose content is given. dr_der_raw: DER that is ready. Both copy. */
void dr_der_value(struct dr_der *d, unsigned tag, struct dr_bytes content);
void dr_der_raw(struct dr_der *d, struct dr_bytes der);

void dr_der_bool(struct dr_der *d, bool value);
void dr_der_u64(struct dr_der *d, uint64_t value);
/* dr_der_integer: a number ≥ 0, big-endian, any length, leading zeros allowed: they are left out. */
void dr_der_integer(struct dr_der *d, struct dr_bytes magnitude);
/* dr_der_bits: unused is the number of bits (0 … 7) of the last byte that do not count; they must be zero. */
void dr_der_bits(struct dr_der *d, struct dr_bytes bits, unsigned unused);
/* dr_der_text: UTF8String. */
void dr_der_text(struct dr_der *d, const char *text);
/* dr_der_oid: "2.25.1476…": decimal arcs without leading zeros, as long as DR_DER_ARCS_MAX septets. The first is 0, 1
 * or 2, the second below 40 after 0 and 1. DR_ERR_SYNTAX, DR_ERR_LIMIT. */
void dr_der_oid(struct dr_der *d, const char *dotted);
/* dr_der_time: seconds since 1970, as RFC 5280, 4.1.2.5 wants it: UTCTime up to 2049, GeneralizedTime after.
 * DR_ERR_LIMIT beyond the year 9999. */
void dr_der_time(struct dr_der *d, uint64_t unix_s);

#define DR_DER_TIME_MAX_S 253402300799ull /* 9999-12-31 23:59:59 */

/* dr_der_end: buf[0,*len) if nothing failed (values left open are a bug), else *len is 0. */
enum dr_err dr_der_end(const struct dr_der *d, size_t *len);

#endif
