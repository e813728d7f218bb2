/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/x25519.h"

#include <sodium.h>

void dr_x25519_public(uint8_t pub[static DR_X25519_LEN], const uint8_t secret[static DR_X25519_LEN])
{
	DR_ASSERT(crypto_scalarmult_curve25519_base(pub, secret) == 0);
}

enum dr_err dr_x25519_shared(uint8_t shared[static DR_X25519_LEN], const uint8_t secret[static DR_X25519_LEN],
			     const uint8_t theirs[static DR_X25519_LEN], struct dr_fail *fail)
{
	if (crypto_scalarmult_curve25519(shared, secret, theirs) == 0)
		return DR_OK;
	sodium_memzero(shared, DR_X25519_LEN);
	return dr_fail_set(fail, DR_ERR_PROOF, "X25519 public key is of small order", 0);
}
