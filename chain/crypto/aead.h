/* SPDX-License-Identifier: Apache-2.0
 *
 * aead: XChaCha20-Poly1305-IETF (draft-irtf-cfrg-xchacha-03), libsodium's. The nonce is 24 bytes, so a random
 * one for each message does not repeat.
 *
 * Layer: chain/crypto. One of the sole includers of libsodium.
 */
#ifndef DR_CRYPTO_AEAD_H
#define DR_CRYPTO_AEAD_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

#define DR_AEAD_KEY_LEN   32u
#define DR_AEAD_NONCE_LEN 24u
#define DR_AEAD_TAG_LEN   16u

/* dr_aead_seal: out[0, plain.len + DR_AEAD_TAG_LEN) = ciphertext ‖ tag. Secret: plain, key. */
void dr_aead_seal(uint8_t *out, struct dr_bytes plain, struct dr_bytes associated,
		  const uint8_t nonce[static DR_AEAD_NONCE_LEN], const uint8_t key[static DR_AEAD_KEY_LEN]);

/* dr_aead_open: out[0, sealed.len - DR_AEAD_TAG_LEN) = plaintext. DR_ERR_SHORT: not even a tag;
 * DR_ERR_PROOF: key, nonce, associated data or ciphertext is not what was sealed; out is then zeroed. */
enum dr_err dr_aead_open(uint8_t *out, struct dr_bytes sealed, struct dr_bytes associated,
			 const uint8_t nonce[static DR_AEAD_NONCE_LEN], const uint8_t key[static DR_AEAD_KEY_LEN],
			 struct dr_fail *fail);

#endif
