/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/evm/state_proof.h"

#include <string.h>

#include "chain/base/limits.h"
#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"
#include "chain/trie/mpt.h"

/* keccak256(""): the code hash of an account without code. */
static const uint8_t empty_code_hash[32] = {
	0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d, 0xb2, 0xdc, 0xc7, 0x03, 0xc0,
	0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82, 0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70,
};

/* EIP-2935, HISTORY_STORAGE_ADDRESS. */
const uint8_t dr_evm_history_address[20] = {
	0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb,
	0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35,
};

/* The value at the hash of name. That hash and those of the nodes are taken together. */
static enum dr_err verify(bool *present, struct dr_bytes *value, const uint8_t root[static 32], struct dr_bytes name,
			  const struct dr_bytes *nodes, size_t num, struct dr_fail *fail)
{
	const size_t num_hashed = num < DR_MPT_DEPTH_MAX ? num : DR_MPT_DEPTH_MAX;
	struct dr_bytes runs[DR_MPT_DEPTH_MAX + 1];
	uint8_t hashes[DR_MPT_DEPTH_MAX + 1][32];

	if (num_hashed > 0)
		memcpy(runs, nodes, num_hashed * sizeof(*runs));
	runs[num_hashed] = name;
	dr_keccak256_many(hashes, runs, num_hashed + 1);
	return dr_mpt_verify_hashed(present, value, root, dr_bytes_of(hashes[num_hashed], 32), nodes,
				    (const uint8_t(*)[32])hashes, num, fail);
}

enum dr_err dr_evm_account_verify(struct dr_evm_account *out, const uint8_t state_root[static 32],
				  const uint8_t address[static 20], const struct dr_bytes *nodes, size_t num,
				  struct dr_fail *fail)
{
	struct dr_bytes value;
	struct dr_reader r, body;
	bool present;

	memset(out, 0, sizeof(*out));
	if (verify(&present, &value, state_root, dr_bytes_of(address, 20), nodes, num, fail) != DR_OK)
		return fail->err;
	if (!present) {
		memcpy(out->storage_root, dr_mpt_empty_root, 32);
		memcpy(out->code_hash, empty_code_hash, 32);
		return DR_OK;
	}
	dr_reader_init(&r, value, fail);
	body = dr_rlp_list(&r);
	out->present = true;
	out->nonce = dr_rlp_u64(&body);
	dr_rlp_word(&body, out->balance);
	dr_rlp_fixed(&body, out->storage_root, 32);
	dr_rlp_fixed(&body, out->code_hash, 32);
	dr_reader_end(&body);
	if (dr_reader_end(&r) != DR_OK)
		memset(out, 0, sizeof(*out));
	return fail->err;
}

enum dr_err dr_evm_slot_verify(struct dr_evm_slot *out, const uint8_t storage_root[static 32],
			       const uint8_t slot[static 32], const struct dr_bytes *nodes, size_t num,
			       struct dr_fail *fail)
{
	struct dr_bytes value;
	struct dr_reader r;
	bool present;

	memset(out, 0, sizeof(*out));
	if (verify(&present, &value, storage_root, dr_bytes_of(slot, 32), nodes, num, fail) != DR_OK || !present)
		return fail->err;
	dr_reader_init(&r, value, fail);
	dr_rlp_word(&r, out->value);
	/* Ethereum deletes a slot that becomes zero; anvil 1.7.1 keeps it in its tries as a zero. Under that root it
	 * is proven zero all the same. */
	out->present = !dr_bytes_zero(out->value, 32);
	if (dr_reader_end(&r) != DR_OK)
		memset(out, 0, sizeof(*out));
	return fail->err;
}

bool dr_evm_history_slot(uint8_t slot[static 32], uint64_t at, uint64_t number)
{
	memset(slot, 0, 32);
	if (number >= at || at - number > DR_EVM_HISTORY_WINDOW)
		return false;
	dr_word_put(slot, number % DR_EVM_HISTORY_WINDOW);
	return true;
}
