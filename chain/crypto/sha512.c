/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/sha512.h"

#include <sodium.h>

void dr_sha512(uint8_t out[static 64], const struct dr_bytes *parts, size_t num)
{
	crypto_hash_sha512_state state;

	crypto_hash_sha512_init(&state);
	for (size_t i = 0; i < num; i++)
		crypto_hash_sha512_update(&state, parts[i].ptr, parts[i].len);
	crypto_hash_sha512_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}
