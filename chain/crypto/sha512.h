/* SPDX-License-Identifier: Apache-2.0
 *
 * sha512: SHA-512 (FIPS 180-4), libsodium's. The hash of the ciphersuite ristretto255-SHA512.
 *
 * Layer: chain/crypto. One of the sole includers of libsodium.
 */
#ifndef DR_CRYPTO_SHA512_H
#define DR_CRYPTO_SHA512_H

#include "chain/base/bytes.h"

/* dr_sha512: the hash of the concatenation of num runs of bytes. The parts may be secret: time depends
 * on their lengths alone, and the internal state is wiped. out may overlap a part. */
void dr_sha512(uint8_t out[static 64], const struct dr_bytes *parts, size_t num);

#endif
