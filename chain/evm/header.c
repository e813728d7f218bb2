/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/evm/header.h"

#include <string.h>

#include "chain/base/limits.h"
#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"

/* The header's fields in their order. A fork only ever appended some, so the number of fields names it. */
enum kind {
	KIND_FIXED, /* exactly len bytes */
	KIND_WORD,  /* integer, 32 bytes big-endian */
	KIND_U64,   /* integer */
	KIND_EXTRA, /* string, borrowed */
};

struct field {
	enum kind kind;
	size_t offset;
	size_t len;
};

#define FIELD(kind, member)                                                                                          \
	{                                                                                                            \
		kind, offsetof(struct dr_evm_header, member), sizeof(((struct dr_evm_header *)0)->member)            \
	}

#define FIELDS_MAX 21u
static const struct field fields[FIELDS_MAX] = {
	FIELD(KIND_FIXED, parent_hash),
	FIELD(KIND_FIXED, ommers_hash),
	FIELD(KIND_FIXED, coinbase),
	FIELD(KIND_FIXED, state_root),
	FIELD(KIND_FIXED, transactions_root),
	FIELD(KIND_FIXED, receipts_root),
	FIELD(KIND_FIXED, bloom),
	FIELD(KIND_WORD, difficulty),
	FIELD(KIND_U64, number),
	FIELD(KIND_U64, gas_limit),
	FIELD(KIND_U64, gas_used),
	FIELD(KIND_U64, timestamp),
	FIELD(KIND_EXTRA, extra),
	FIELD(KIND_FIXED, mix_hash),
	FIELD(KIND_FIXED, nonce),            /* 15: Frontier */
	FIELD(KIND_WORD, base_fee),          /* 16: London, EIP-1559 */
	FIELD(KIND_FIXED, withdrawals_root), /* 17: Shanghai, EIP-4895 */
	FIELD(KIND_U64, blob_gas_used),      /* Cancun, EIP-4844 */
	FIELD(KIND_U64, excess_blob_gas),
	FIELD(KIND_FIXED, parent_beacon_root), /* 20: EIP-4788 */
	FIELD(KIND_FIXED, requests_hash),      /* 21: Prague, EIP-7685 */
};

static bool is_known(size_t num_fields)
{
	return num_fields == 15 || num_fields == 16 || num_fields == 17 || num_fields == 20 || num_fields == 21;
}

static const char unknown_fork[] = "header must have 15, 16, 17, 20 or 21 fields: this fork is not known";

static void read_field(struct dr_evm_header *h, const struct field *f, struct dr_reader *r)
{
	uint8_t *member = (uint8_t *)h + f->offset;
	struct dr_bytes string;
	uint64_t value;

	switch (f->kind) {
	case KIND_FIXED: dr_rlp_fixed(r, member, f->len); break;
	case KIND_WORD: dr_rlp_word(r, member); break;
	case KIND_U64:
		value = dr_rlp_u64(r);
		memcpy(member, &value, sizeof(value));
		break;
	case KIND_EXTRA:
		string = dr_rlp_string(r, DR_EVM_EXTRA_LEN_MAX);
		memcpy(member, &string, sizeof(string));
		break;
	}
}

enum dr_err dr_evm_header_decode(struct dr_evm_header *out, struct dr_bytes rlp, struct dr_fail *fail)
{
	struct dr_reader top, list;

	memset(out, 0, sizeof(*out));
	if (rlp.len > DR_EVM_HEADER_LEN_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "header is longer than 8192 bytes", rlp.len);
	dr_reader_init(&top, rlp, fail);
	list = dr_rlp_list(&top);
	if (dr_reader_end(&top) != DR_OK)
		return fail->err;
	const size_t num = dr_rlp_count(&list);

	if (dr_reader_ok(&list) && !is_known(num))
		return dr_fail_set(fail, DR_ERR_UNKNOWN, unknown_fork, num);
	for (size_t i = 0; i < num; i++)
		read_field(out, &fields[i], &list);
	if (dr_reader_end(&list) != DR_OK) {
		memset(out, 0, sizeof(*out));
		return fail->err;
	}
	out->num_fields = (uint8_t)num;
	dr_keccak256(out->hash, rlp.ptr, rlp.len);
	return DR_OK;
}

/* The string that encodes a field; be holds a u64's bytes. */
static struct dr_bytes field_string(const struct dr_evm_header *h, const struct field *f, uint8_t be[static 8])
{
	const uint8_t *member = (const uint8_t *)h + f->offset;
	struct dr_bytes string = dr_bytes_of(member, f->len);
	uint64_t value;

	switch (f->kind) {
	case KIND_FIXED: break;
	case KIND_WORD: string = dr_rlp_trim(string); break;
	case KIND_U64:
		memcpy(&value, member, sizeof(value));
		dr_be64_put(be, value);
		string = dr_rlp_trim(dr_bytes_of(be, 8));
		break;
	case KIND_EXTRA: memcpy(&string, member, sizeof(string)); break;
	}
	return string;
}

enum dr_err dr_evm_header_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_evm_header *h,
				 struct dr_fail *fail)
{
	struct dr_bytes strings[FIELDS_MAX];
	uint8_t be[FIELDS_MAX][8];
	struct dr_fail local = { 0 };
	size_t payload_len = 0;
	struct dr_writer w;

	*len = 0;
	if (!is_known(h->num_fields))
		return dr_fail_set(fail, DR_ERR_UNKNOWN, unknown_fork, h->num_fields);
	if (h->extra.len > DR_EVM_EXTRA_LEN_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "extra data is longer than 4096 bytes", h->extra.len);
	for (size_t i = 0; i < h->num_fields; i++) {
		strings[i] = field_string(h, &fields[i], be[i]);
		payload_len += dr_rlp_len(strings[i]);
	}
	dr_writer_init(&w, buf, cap, &local);
	dr_rlp_put_list(&w, payload_len);
	for (size_t i = 0; i < h->num_fields; i++)
		dr_rlp_put(&w, strings[i]);
	if (local.err != DR_OK) {
		memset(buf, 0, cap);
		return dr_fail_set(fail, local.err, local.what, local.at);
	}
	*len = w.len;
	return DR_OK;
}

enum dr_err dr_evm_header_hash(uint8_t out[static 32], const struct dr_evm_header *h, struct dr_fail *fail)
{
	uint8_t buf[DR_EVM_HEADER_LEN_MAX];
	size_t len;

	memset(out, 0, 32);
	if (dr_evm_header_encode(buf, sizeof(buf), &len, h, fail) != DR_OK)
		return fail->err;
	dr_keccak256(out, buf, len);
	return DR_OK;
}
