/* SPDX-License-Identifier: Apache-2.0
 *
 * raw_tx: a transaction of type 2 (EIP-1559), signed, as the bytes that eth_sendRawTransaction takes. Nothing is sent
 * from here.
 *
 *   payload = chain id, nonce, priority fee, max fee, gas, to, value (0), data, access list (empty)
 *   hash    = keccak256(0x02 ‖ rlp([payload]))
 *   raw     = 0x02 ‖ rlp([payload, yParity, r, s])
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_RAW_TX_H
#define DR_WATCHER_RAW_TX_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

#define DR_RAW_TX_DATA_MAX 1024u
#define DR_RAW_TX_LEN_MAX  (DR_RAW_TX_DATA_MAX + 256u)

struct dr_raw_tx {
	uint64_t chain_id;
	uint64_t nonce;
	uint64_t priority_fee, max_fee; /* wei a unit of gas; priority_fee <= max_fee */
	uint64_t gas;
	uint8_t to[20];
	struct dr_bytes data; /* at most DR_RAW_TX_DATA_MAX bytes; borrowed */
};

/* dr_raw_tx_sign: raw[0,*len) = the signed transaction, hash its hash (keccak256 of raw), under which the chain will
 * know it. DR_ERR_LIMIT: data too long, cap too small, or a priority fee above the max fee, which no node takes;
 * DR_ERR_NONCANONICAL: secret is no private key; DR_ERR_NOMEM. Secret: secret. */
enum dr_err dr_raw_tx_sign(uint8_t *raw, size_t cap, size_t *len, uint8_t hash[static 32], const struct dr_raw_tx *tx,
			   const uint8_t secret[static 32], struct dr_fail *fail);

#endif
