/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/aead.h"

#include <string.h>

#include <sodium.h>

void dr_aead_seal(uint8_t *out, struct dr_bytes plain, struct dr_bytes associated,
		  const uint8_t nonce[static DR_AEAD_NONCE_LEN], const uint8_t key[static DR_AEAD_KEY_LEN])
{
	unsigned long long len;

	DR_ASSERT(crypto_aead_xchacha20poly1305_ietf_encrypt(out, &len, plain.ptr, plain.len, associated.ptr,
							     associated.len, NULL, nonce, key) == 0);
	DR_ASSERT(len == plain.len + DR_AEAD_TAG_LEN);
}

enum dr_err dr_aead_open(uint8_t *out, struct dr_bytes sealed, struct dr_bytes associated,
			 const uint8_t nonce[static DR_AEAD_NONCE_LEN], const uint8_t key[static DR_AEAD_KEY_LEN],
			 struct dr_fail *fail)
{
	unsigned long long len;

	if (sealed.len < DR_AEAD_TAG_LEN)
		return dr_fail_set(fail, DR_ERR_SHORT, "sealed bytes end before their tag", sealed.len);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, &len, NULL, sealed.ptr, sealed.len, associated.ptr,
						       associated.len, nonce, key) != 0) {
		memset(out, 0, sealed.len - DR_AEAD_TAG_LEN);
		return dr_fail_set(fail, DR_ERR_PROOF, "sealed bytes do not open", 0);
	}
	return DR_OK;
}
