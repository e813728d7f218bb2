/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/ed25519.h"

#include <sodium.h>

void dr_ed25519_keypair(uint8_t pub[static 32], uint8_t secret[static 64], const uint8_t seed[static 32])
{
	DR_ASSERT(crypto_sign_ed25519_seed_keypair(pub, secret, seed) == 0);
}

void dr_ed25519_sign(uint8_t sig[static 64], struct dr_bytes msg, const uint8_t secret[static 64])
{
	DR_ASSERT(crypto_sign_ed25519_detached(sig, NULL, msg.ptr, msg.len, secret) == 0);
}

enum dr_err dr_ed25519_verify(const uint8_t sig[static 64], struct dr_bytes msg, const uint8_t pub[static 32],
			      struct dr_fail *fail)
{
	if (crypto_sign_ed25519_verify_detached(sig, msg.ptr, msg.len, pub) != 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "Ed25519 signature does not verify", 0);
	return DR_OK;
}
