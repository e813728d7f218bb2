/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/sha256.h"

#include <sodium.h>

void dr_sha256(uint8_t out[static 32], const struct dr_bytes *parts, size_t num)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	for (size_t i = 0; i < num; i++)
		crypto_hash_sha256_update(&state, parts[i].ptr, parts[i].len);
	crypto_hash_sha256_final(&state, out);
}

void dr_sha256_one(uint8_t out[static 32], const void *ptr, size_t len)
{
	const struct dr_bytes part = { ptr, len };

	dr_sha256(out, &part, 1);
}
