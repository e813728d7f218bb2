/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/evm/bloom.h"

#include "chain/crypto/keccak.h"

struct bit {
	size_t byte;
	uint8_t mask;
};

/* Bit i of a value: the low 11 bits of the i-th pair of bytes of its hash. Bit 0 is the last byte's lowest. */
static struct bit bit_of(const uint8_t hash[static 32], size_t i)
{
	const unsigned n = ((unsigned)hash[2 * i] << 8 | hash[2 * i + 1]) & 2047u;

	return (struct bit){ .byte = 255 - n / 8, .mask = (uint8_t)(1u << n % 8) };
}

void dr_evm_bloom_add(uint8_t bloom[static 256], const void *value, size_t len)
{
	uint8_t hash[32];

	dr_keccak256(hash, value, len);
	for (size_t i = 0; i < 3; i++) {
		const struct bit bit = bit_of(hash, i);

		bloom[bit.byte] |= bit.mask;
	}
}

bool dr_evm_bloom_excludes(const uint8_t bloom[static 256], const void *value, size_t len)
{
	uint8_t hash[32];

	dr_keccak256(hash, value, len);
	for (size_t i = 0; i < 3; i++) {
		const struct bit bit = bit_of(hash, i);

		if ((bloom[bit.byte] & bit.mask) == 0)
			return true;
	}
	return false;
}
