/* SPDX-License-Identifier: Apache-2.0
 *
 * fp_impl: the kernels by name. Private to fp*.c.
 *
 * Layer: chain/bls.
 */
#ifndef DR_BLS_FP_IMPL_H
#define DR_BLS_FP_IMPL_H

#include "chain/bls/fp.h"

extern const struct dr_fp_kernel dr_fp_kernel_narrow;
#if defined(__SIZEOF_INT128__)
extern const struct dr_fp_kernel dr_fp_kernel_int128;
#endif
#if defined(__x86_64__)
extern const struct dr_fp_kernel dr_fp_kernel_adx;
#endif

/* -1 / p modulo 2^64. */
#define DR_FP_N0 0x89f3fffcfffcfffdu

#endif
