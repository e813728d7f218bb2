/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/secret.h"

#include <string.h>

#include <sodium.h>

void *dr_secret_alloc(size_t len)
{
	void *ptr = sodium_init() < 0 ? NULL : sodium_malloc(len);

	if (ptr != NULL)
		memset(ptr, 0, len);
	return ptr;
}

void dr_secret_free(void *ptr)
{
	sodium_free(ptr);
}

void dr_secret_wipe(void *ptr, size_t len)
{
	sodium_memzero(ptr, len);
}

void dr_secret_random(void *ptr, size_t len)
{
	DR_ASSERT(sodium_init() >= 0);
	randombytes_buf(ptr, len);
}
