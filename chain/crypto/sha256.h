/* SPDX-License-Identifier: Apache-2.0
 *
 * sha256: SHA-256 (FIPS 180-4), OpenSSL's: it uses the processor's own instructions. Used by the evidence framing,
 * the state digest and both Merkle logs (RFC 6962).
 *
 * Layer: chain/crypto. One of the sole includers of libcrypto.
 */
#ifndef DR_CRYPTO_SHA256_H
#define DR_CRYPTO_SHA256_H

#include "chain/base/bytes.h"

/* dr_sha256: the hash of the concatenation of num runs of bytes. */
void dr_sha256(uint8_t out[static 32], const struct dr_bytes *parts, size_t num);

/* dr_sha256_one: the hash of one run. */
void dr_sha256_one(uint8_t out[static 32], const void *ptr, size_t len);

#endif
