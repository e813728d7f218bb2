/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/keccak_impl.h"

#if defined(__x86_64__)

#include "chain/crypto/keccak_f.h"

typedef uint64_t word;

/* rorx spares the move before a rotation, andn a complement. */
__attribute__((target("bmi,bmi2"))) void dr_keccak_permute_bmi(uint64_t state[static 25])
{
	KECCAK_PERMUTE(state);
}

#endif
