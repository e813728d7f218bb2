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
#include "chain/base/limits.h"

/* dr_evm_bloom_add: sets the three bits of value (an address of 20 bytes or a topic of 32). */
void dr_evm_bloom_add(uint8_t bloom[static 256], const void *value, size_t len);

/* dr_evm_bloom_excludes: true is a proof of absence; false means "perhaps". */
bool dr_evm_bloom_excludes(const uint8_t bloom[static 256], const void *value, size_t len);

/* Many values into many blooms: the values that are not known yet are hashed together. The bits of some thousand
 * values are remembered from one block to the next: a few contracts and event signatures are in most of the logs, and
 * everybody's account in several.
 *
 * dr_evm_bloom_put sets the bits of value in bloom now, or at the next dr_evm_bloom_flush at the latest: both stay
 * where they are until then. A job that began ends with a flush. memo may be NULL: then nothing is remembered; all
 * zero at first, it serves one job at a time. */
#define DR_EVM_BLOOM_VALUES  128u /* hashed together, */
#define DR_EVM_BLOOM_PLACES  512u /* wanted in this many places at most */
#define DR_EVM_BLOOM_LEN_MAX 32u  /* of a value that is remembered */

struct dr_evm_bloom_bits {
	uint16_t at[3];
};

struct dr_evm_bloom_memo {
	uint64_t tails[DR_BLOOM_MEMO_MAX]; /* the values' last bytes: most of what is not here is told by these */
	struct {
		uint8_t value[DR_EVM_BLOOM_LEN_MAX];
		uint8_t len;      /* 0: none */
		uint16_t pending; /* not hashed yet: one more than its index among the job's values */
		struct dr_evm_bloom_bits bits;
	} rows[DR_BLOOM_MEMO_MAX];
};

struct dr_evm_bloom_job {
	struct dr_evm_bloom_memo *memo;
	size_t num_values, num_places;
	struct dr_bytes values[DR_EVM_BLOOM_VALUES];
	uint16_t rows[DR_EVM_BLOOM_VALUES]; /* one more than the value's row in the memo; 0: it has none */
	struct {
		uint8_t *bloom;
		uint16_t value;
	} places[DR_EVM_BLOOM_PLACES];
};

void dr_evm_bloom_begin(struct dr_evm_bloom_job *job, struct dr_evm_bloom_memo *memo);
void dr_evm_bloom_put(struct dr_evm_bloom_job *job, uint8_t bloom[static 256], struct dr_bytes value);
void dr_evm_bloom_flush(struct dr_evm_bloom_job *job);

#endif
