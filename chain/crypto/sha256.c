/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL 3 calls these functions deprecated; what it wants instead looks its algorithm up by name and allocates, and
 * costs more than a short input's hash itself. Logs and evidence are a million short inputs.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "chain/crypto/sha256.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

void dr_sha256(uint8_t out[static 32], const struct dr_bytes *parts, size_t num)
{
	SHA256_CTX state;

	SHA256_Init(&state);
	for (size_t i = 0; i < num; i++)
		SHA256_Update(&state, parts[i].ptr, parts[i].len);
	SHA256_Final(out, &state);
	/* Some inputs are secrets. */
	OPENSSL_cleanse(&state, sizeof(state));
}

void dr_sha256_one(uint8_t out[static 32], const void *ptr, size_t len)
{
	const struct dr_bytes part = { ptr, len };

	dr_sha256(out, &part, 1);
}
