/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/keccak_impl.h"

#if defined(__x86_64__)

/* SSE2 is part of x86-64: nothing to ask for. */
#define KECCAK_LANES 2
#define KECCAK_TARGET
#define KECCAK_MANY dr_keccak_many_pair

#include "chain/crypto/keccak_wide.h"

#endif
