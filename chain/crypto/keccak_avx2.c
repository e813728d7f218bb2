/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/keccak_impl.h"

#if defined(__x86_64__)

#define KECCAK_LANES  4
#define KECCAK_TARGET __attribute__((target("avx2")))
#define KECCAK_MANY   dr_keccak_many_avx2

#include "chain/crypto/keccak_wide.h"

#endif
