/* SPDX-License-Identifier: Apache-2.0
 *
 * x25519: Diffie-Hellman on Curve25519 (RFC 7748, sections 5 and 6.1), libsodium's.
 *
 * A secret is 32 random bytes, as they came: the function clamps them itself.
 *
 * Layer: chain/crypto. One of the sole includers of libsodium.
 */
#ifndef DR_CRYPTO_X25519_H
#define DR_CRYPTO_X25519_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

#define DR_X25519_LEN 32u

/* dr_x25519_public: pub = secret · base point. Cannot fail. Secret: secret. */
void dr_x25519_public(uint8_t pub[static DR_X25519_LEN], const uint8_t secret[static DR_X25519_LEN]);

/* dr_x25519_shared: shared = secret · theirs. DR_ERR_PROOF, and shared zero, if `theirs` is of small order (the zero
 * key among them): the result would then be all zeros whatever the secret. It is not a key yet: hash it together
 * with both public keys. Secret: shared, secret; only "is it zero" shows. */
enum dr_err dr_x25519_shared(uint8_t shared[static DR_X25519_LEN], const uint8_t secret[static DR_X25519_LEN],
			     const uint8_t theirs[static DR_X25519_LEN], struct dr_fail *fail);

#endif
