/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/raw_tx.h"

#include <string.h>

#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"
#include "chain/crypto/secp256k1.h"

#define TX_TYPE 2u

/* Both forms: what is signed (sig NULL) and what is sent. */
static void encode(struct dr_writer *w, const struct dr_raw_tx *tx, const uint8_t *sig, uint8_t parity)
{
	uint8_t numbers[5][8];
	const uint64_t values[5] = { tx->chain_id, tx->nonce, tx->priority_fee, tx->max_fee, tx->gas };
	const struct dr_bytes to = dr_bytes_of(tx->to, 20), empty = { NULL, 0 };
	const struct dr_bytes r = dr_rlp_trim(dr_bytes_of(sig, sig != NULL ? 32 : 0));
	const struct dr_bytes s = dr_rlp_trim(dr_bytes_of(sig != NULL ? sig + 32 : NULL, sig != NULL ? 32 : 0));
	size_t len = dr_rlp_len(to) + dr_rlp_len(empty) + dr_rlp_len(tx->data) + dr_rlp_list_len(0);

	for (size_t i = 0; i < 5; i++) {
		dr_be64_put(numbers[i], values[i]);
		len += dr_rlp_len(dr_rlp_trim(dr_bytes_of(numbers[i], 8)));
	}
	if (sig != NULL) {
		dr_be64_put(numbers[0], parity);
		len += dr_rlp_len(dr_rlp_trim(dr_bytes_of(numbers[0], 8))) + dr_rlp_len(r) + dr_rlp_len(s);
	}
	dr_writer_u8(w, TX_TYPE);
	dr_rlp_put_list(w, len);
	for (size_t i = 0; i < 5; i++)
		dr_rlp_put_u64(w, values[i]);
	dr_rlp_put(w, to);
	dr_rlp_put(w, empty);
	dr_rlp_put(w, tx->data);
	dr_rlp_put_list(w, 0);
	if (sig == NULL)
		return;
	dr_rlp_put_u64(w, parity);
	dr_rlp_put(w, r);
	dr_rlp_put(w, s);
}

enum dr_err dr_raw_tx_sign(uint8_t *raw, size_t cap, size_t *len, uint8_t hash[static 32], const struct dr_raw_tx *tx,
			   const uint8_t secret[static 32], struct dr_fail *fail)
{
	uint8_t payload[DR_RAW_TX_LEN_MAX], sig[64], parity;
	struct dr_writer w;

	*len = 0;
	memset(hash, 0, 32);
	memset(raw, 0, cap);
	if (tx->data.len > DR_RAW_TX_DATA_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "a transaction's data is too long", tx->data.len);
	if (tx->priority_fee > tx->max_fee)
		return dr_fail_set(fail, DR_ERR_LIMIT, "the priority fee is above the max fee", 0);
	dr_writer_init(&w, payload, sizeof(payload), fail);
	encode(&w, tx, NULL, 0);
	if (fail->err != DR_OK)
		return fail->err;
	dr_keccak256(hash, payload, w.len);
	if (dr_secp256k1_sign(sig, &parity, hash, secret, fail) == DR_OK) {
		dr_writer_init(&w, raw, cap, fail);
		/* 2 and 3 are of r above the order: no transaction says so, and nobody has ever met one. */
		if (parity > 1)
			dr_fail_set(fail, DR_ERR_UNKNOWN, "a signature with r above the group order", parity);
		else
			encode(&w, tx, sig, parity);
	}
	memset(hash, 0, 32);
	if (fail->err != DR_OK) {
		memset(raw, 0, cap);
		return fail->err;
	}
	*len = w.len;
	dr_keccak256(hash, raw, w.len);
	return DR_OK;
}
