/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/evm/bloom.h"

#include <string.h>

#include "chain/crypto/keccak.h"

/* Bit i of a value: the low 11 bits of the i-th pair of bytes of its hash. Bit 0 is the last byte's lowest. */
static struct dr_evm_bloom_bits bits_of(const uint8_t hash[static 32])
{
	struct dr_evm_bloom_bits bits;

	for (size_t i = 0; i < 3; i++)
		bits.at[i] = (uint16_t)(((unsigned)hash[2 * i] << 8 | hash[2 * i + 1]) & 2047u);
	return bits;
}

static size_t byte_of(uint16_t bit)
{
	return 255u - bit / 8u;
}

static uint8_t mask_of(uint16_t bit)
{
	return (uint8_t)(1u << bit % 8);
}

static void set(uint8_t bloom[static 256], const struct dr_evm_bloom_bits *bits)
{
	for (size_t i = 0; i < 3; i++)
		bloom[byte_of(bits->at[i])] |= mask_of(bits->at[i]);
}

void dr_evm_bloom_add(uint8_t bloom[static 256], const void *value, size_t len)
{
	uint8_t hash[32];

	dr_keccak256(hash, value, len);
	const struct dr_evm_bloom_bits bits = bits_of(hash);

	set(bloom, &bits);
}

bool dr_evm_bloom_excludes(const uint8_t bloom[static 256], const void *value, size_t len)
{
	uint8_t hash[32];

	dr_keccak256(hash, value, len);
	const struct dr_evm_bloom_bits bits = bits_of(hash);

	for (size_t i = 0; i < 3; i++)
		if ((bloom[byte_of(bits.at[i])] & mask_of(bits.at[i])) == 0)
			return true;
	return false;
}

static uint64_t tail_of(struct dr_bytes value)
{
	uint64_t tail;

	memcpy(&tail, value.ptr + value.len - sizeof(tail), sizeof(tail));
	return tail;
}

/* Where a value is remembered, if it is: most are accounts or hashes, so their last bytes tell them apart. Whoever
 * makes them meet there makes us hash them again. */
static size_t row_of(uint64_t tail)
{
	return (size_t)((tail * 0x9e3779b97f4a7c15u) >> 32) % DR_BLOOM_MEMO_MAX;
}

static bool is_at(const struct dr_evm_bloom_memo *memo, size_t row, struct dr_bytes value)
{
	if (memo->rows[row].len != value.len)
		return false;
	/* In pieces of a known length they are compared in place; nearly all are topics. */
	if (value.len == 32)
		return memcmp(memo->rows[row].value, value.ptr, 16) == 0 &&
		       memcmp(memo->rows[row].value + 16, value.ptr + 16, 16) == 0;
	return memcmp(memo->rows[row].value, value.ptr, value.len) == 0;
}

void dr_evm_bloom_begin(struct dr_evm_bloom_job *job, struct dr_evm_bloom_memo *memo)
{
	job->memo = memo;
	job->num_values = job->num_places = 0;
}

void dr_evm_bloom_put(struct dr_evm_bloom_job *job, uint8_t bloom[static 256], struct dr_bytes value)
{
	if (job->num_values == DR_EVM_BLOOM_VALUES || job->num_places == DR_EVM_BLOOM_PLACES)
		dr_evm_bloom_flush(job);
	struct dr_evm_bloom_memo *memo = job->memo;
	size_t row = 0, idx = job->num_values;
	uint64_t tail = 0;
	const bool fits = memo != NULL && value.len >= sizeof(tail) && value.len <= DR_EVM_BLOOM_LEN_MAX;

	if (fits) {
		tail = tail_of(value);
		row = row_of(tail);
		if (memo->tails[row] == tail && is_at(memo, row, value)) {
			if (memo->rows[row].pending == 0) {
				set(bloom, &memo->rows[row].bits);
				return;
			}
			idx = memo->rows[row].pending - 1u;
		}
	}
	job->places[job->num_places].bloom = bloom;
	job->places[job->num_places++].value = (uint16_t)idx;
	if (idx < job->num_values)
		return;
	job->values[idx] = value;
	job->rows[idx] = 0;
	job->num_values++;
	if (!fits || memo->rows[row].pending != 0)
		return; /* the row waits for another value */
	memcpy(memo->rows[row].value, value.ptr, value.len);
	memo->rows[row].len = (uint8_t)value.len;
	memo->rows[row].pending = (uint16_t)(idx + 1);
	memo->tails[row] = tail;
	job->rows[idx] = (uint16_t)(row + 1);
}

void dr_evm_bloom_flush(struct dr_evm_bloom_job *job)
{
	uint8_t hashes[DR_EVM_BLOOM_VALUES][32];
	struct dr_evm_bloom_bits bits[DR_EVM_BLOOM_VALUES];

	dr_keccak256_many(hashes, job->values, job->num_values);
	for (size_t i = 0; i < job->num_values; i++) {
		bits[i] = bits_of(hashes[i]);
		if (job->rows[i] == 0)
			continue;
		job->memo->rows[job->rows[i] - 1].bits = bits[i];
		job->memo->rows[job->rows[i] - 1].pending = 0;
	}
	for (size_t i = 0; i < job->num_places; i++)
		set(job->places[i].bloom, &bits[job->places[i].value]);
	job->num_values = job->num_places = 0;
}
