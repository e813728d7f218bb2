/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/argon2.h"

#include <sodium.h>

enum dr_err dr_argon2id(uint8_t out[static 32], struct dr_bytes passphrase,
			const uint8_t salt[static DR_ARGON2_SALT_LEN], uint32_t memory_mib, uint32_t passes,
			struct dr_fail *fail)
{
	sodium_memzero(out, 32);
	if (memory_mib < DR_ARGON2_MIB_MIN || memory_mib > DR_ARGON2_MIB_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "Argon2id memory is 8 to 4096 MiB", memory_mib);
	if (passes == 0 || passes > DR_ARGON2_PASSES_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "Argon2id passes are 1 to 16", passes);
	if (sodium_init() < 0 ||
	    crypto_pwhash_argon2id(out, 32, (const char *)passphrase.ptr, passphrase.len, salt, passes,
				   (size_t)memory_mib << 20, crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
		sodium_memzero(out, 32);
		return dr_fail_set(fail, DR_ERR_NOMEM, "Argon2id: there is not that much memory (MiB)", memory_mib);
	}
	return DR_OK;
}
