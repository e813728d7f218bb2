/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/keccak_impl.h"

#if defined(__x86_64__)

#define KECCAK_LANES  8
#define KECCAK_TARGET __attribute__((target("avx512f")))
#define KECCAK_MANY   dr_keccak_many_avx512

#include "chain/crypto/keccak_wide.h"

#endif
