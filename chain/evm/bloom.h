/* SPDX-License-Identifier: Apache-2.0
 *
 * bloom: the 2048-bit log bloom of the yellow paper, 4.3.1. A bloom inside an authenticated header that
 * lacks one bit of a value proves that no log of the block carries that value.
 *
 * Layer: chain/evm.
 */
#ifndef DR_EVM_BLOOM_H
#define DR_EVM_BLOOM_H

#include "chain/base/bytes.h"

/* dr_evm_bloom_add: sets the three bits of value (an address of 20 bytes or a topic of 32). */
void dr_evm_bloom_add(uint8_t bloom[static 256], const void *value, size_t len);

/* dr_evm_bloom_excludes: true is a proof of absence; false means "perhaps". */
bool dr_evm_bloom_excludes(const uint8_t bloom[static 256], const void *value, size_t len);

#endif
