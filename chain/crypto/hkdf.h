/* SPDX-License-Identifier: Apache-2.0
 *
 * hkdf: HKDF (RFC 5869), extract and expand in one, with SHA-256 or SHA-512, OpenSSL's EVP_KDF.
 *
 * Lengths are public; ikm, salt, info and out may be secret.
 *
 * Layer: chain/crypto.
 */
#ifndef DR_CRYPTO_HKDF_H
#define DR_CRYPTO_HKDF_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

/* OpenSSL 3.0 keeps info in a buffer of this size. */
#define DR_HKDF_INFO_MAX 1024u

/* dr_hkdf_sha256, dr_hkdf_sha512: out[0,len) = HKDF(salt, ikm, info), 1 ≤ len ≤ 255 times the hash's
 * length. An empty salt is a hash length of zeros (RFC 5869, 2.2); ikm and info may be empty. Errors:
 * DR_ERR_LIMIT (len, or info beyond DR_HKDF_INFO_MAX), DR_ERR_NOMEM (OpenSSL could not). */
enum dr_err dr_hkdf_sha256(uint8_t *out, size_t len, struct dr_bytes ikm, struct dr_bytes salt, struct dr_bytes info,
			   struct dr_fail *fail);
enum dr_err dr_hkdf_sha512(uint8_t *out, size_t len, struct dr_bytes ikm, struct dr_bytes salt, struct dr_bytes info,
			   struct dr_fail *fail);

#endif
