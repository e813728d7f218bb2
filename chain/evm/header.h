/* SPDX-License-Identifier: Apache-2.0
 *
 * header: an execution-layer block header in its canonical RLP form, and its hash.
 *
 * Implements: Ethereum yellow paper 4.3; EIP-1559 (field 15), EIP-4895 (16), EIP-4844 (17, 18),
 * EIP-4788 (19), EIP-7685 (20). The number of fields selects the fork: 15, 16, 17, 20 or 21; any other
 * number is DR_ERR_UNKNOWN and never guessed.
 *
 * Invariants:
 *   1. hash == keccak256(the exact bytes decoded): a header that decodes re-encodes to the same bytes.
 *   2. A field that the fork does not have is zero.
 *
 * Layer: chain/evm.
 */
#ifndef DR_EVM_HEADER_H
#define DR_EVM_HEADER_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

struct dr_evm_header {
	uint8_t hash[32];
	uint8_t num_fields; /* 15, 16, 17, 20, 21 */
	uint8_t parent_hash[32];
	uint8_t ommers_hash[32];
	uint8_t coinbase[20];
	uint8_t state_root[32];
	uint8_t transactions_root[32];
	uint8_t receipts_root[32];
	uint8_t bloom[256];
	uint8_t difficulty[32]; /* big-endian word */
	uint64_t number;
	uint64_t gas_limit;
	uint64_t gas_used;
	uint64_t timestamp;    /* seconds since 1970 */
	struct dr_bytes extra; /* borrowed: from the RLP decoded, or from whoever filled the struct */
	uint8_t mix_hash[32];  /* prevRandao since Paris */
	uint8_t nonce[8];
	uint8_t base_fee[32];           /* London on */
	uint8_t withdrawals_root[32];   /* Shanghai on */
	uint64_t blob_gas_used;         /* Cancun on */
	uint64_t excess_blob_gas;       /* Cancun on */
	uint8_t parent_beacon_root[32]; /* Cancun on */
	uint8_t requests_hash[32];      /* Prague on */
};

/* dr_evm_header_decode: fills *out from rlp, which must be exactly one header; out->extra borrows rlp.
 * Errors: short, syntax, noncanonical, limit (extra data, 64-bit integers), unknown (field count). */
enum dr_err dr_evm_header_decode(struct dr_evm_header *out, struct dr_bytes rlp, struct dr_fail *fail);

/* dr_evm_header_encode: the RLP of h (every member but hash) into buf[0,cap); *len is its length.
 * Errors: limit (does not fit), unknown (num_fields). */
enum dr_err dr_evm_header_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_evm_header *h,
				 struct dr_fail *fail);

/* dr_evm_header_hash: keccak256 of the RLP of h. Errors as for encode. */
enum dr_err dr_evm_header_hash(uint8_t out[static 32], const struct dr_evm_header *h, struct dr_fail *fail);

#endif
