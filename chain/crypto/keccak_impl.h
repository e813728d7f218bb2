/* SPDX-License-Identifier: Apache-2.0
 *
 * keccak_impl: what stands behind dr_keccak256_many. Private to keccak*.c.
 *
 * Layer: chain/crypto.
 */
#ifndef DR_CRYPTO_KECCAK_IMPL_H
#define DR_CRYPTO_KECCAK_IMPL_H

#include "chain/base/bytes.h"

/* dr_keccak_many_pair has two lanes, dr_keccak_many_avx2 four, dr_keccak_many_avx512 eight. As dr_keccak256_many, on
 * a processor that has these instructions. */
#if defined(__x86_64__)
void dr_keccak_many_pair(uint8_t (*out)[32], const struct dr_bytes *in, size_t num);
void dr_keccak_many_avx2(uint8_t (*out)[32], const struct dr_bytes *in, size_t num);
void dr_keccak_many_avx512(uint8_t (*out)[32], const struct dr_bytes *in, size_t num);

/* dr_keccak_permute_bmi: one state, with BMI1 and BMI2. */
void dr_keccak_permute_bmi(uint64_t state[static 25]);
#endif

#endif
