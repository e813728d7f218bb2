/* SPDX-License-Identifier: Apache-2.0
 *
 * secret: memory for secrets, and where they come from; libsodium's. Blocks are between guard pages, locked
 * into memory where the system allows it, left out of core dumps, and wiped when given back.
 *
 * Layer: chain/crypto. One of the sole includers of libsodium.
 */
#ifndef DR_CRYPTO_SECRET_H
#define DR_CRYPTO_SECRET_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

/* dr_secret_alloc: len zeroed bytes, or NULL. dr_secret_free: takes ptr, which may be NULL. */
void *dr_secret_alloc(size_t len);
void dr_secret_free(void *ptr);

/* dr_secret_wipe: zeros that no compiler leaves out. */
void dr_secret_wipe(void *ptr, size_t len);

/* dr_secret_random: len unpredictable bytes of the system's generator. It does not return without them. */
void dr_secret_random(void *ptr, size_t len);

#endif
