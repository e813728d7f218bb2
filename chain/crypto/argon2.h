/* SPDX-License-Identifier: Apache-2.0
 *
 * argon2: Argon2id (RFC 9106), version 0x13, one lane, no secret and no associated data; libsodium's.
 *
 * Secrets: from its second half on, Argon2id chooses addresses by what it has computed of the passphrase, by design
 * (RFC 9106, 1): the one function here whose memory accesses depend on a secret.
 *
 * Layer: chain/crypto. One of the sole includers of libsodium.
 */
#ifndef DR_CRYPTO_ARGON2_H
#define DR_CRYPTO_ARGON2_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

#define DR_ARGON2_SALT_LEN    16u
#define DR_ARGON2_MIB_MIN     8u
#define DR_ARGON2_MIB_MAX     4096u
#define DR_ARGON2_MIB_DEFAULT 256u
#define DR_ARGON2_PASSES_MAX  16u
#define DR_ARGON2_PASSES      3u /* what we choose */

/* dr_argon2id: out[0,32) from a passphrase. memory_mib and passes (≥ 1) within the bounds above: DR_ERR_LIMIT;
 * DR_ERR_NOMEM: there is not that much memory. Secret: passphrase, out. */
enum dr_err dr_argon2id(uint8_t out[static 32], struct dr_bytes passphrase,
			const uint8_t salt[static DR_ARGON2_SALT_LEN], uint32_t memory_mib, uint32_t passes,
			struct dr_fail *fail);

#endif
