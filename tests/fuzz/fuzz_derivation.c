/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kms-bridge/derivation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What decodes encodes to the same bytes; what was not made with the root's scalar for this input proves nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t prf_pub[32] = {
		0x5a, 0x61, 0x10, 0xcc, 0x49, 0x4b, 0x1e, 0x45, 0x13, 0xf2, 0xb4, 0x75, 0xd4, 0x37, 0x4f, 0x86,
		0xcf, 0xc9, 0x61, 0x5f, 0x8f, 0x8e, 0x7f, 0xe6, 0x31, 0x6c, 0xe2, 0x7b, 0x70, 0x6c, 0x4b, 0x27,
	};
	static const uint8_t contract[32];
	uint8_t again[DR_DERIVATION_PROOF_LEN], key[DR_DERIVATION_KEY_LEN];
	struct dr_derivation_proof p;
	struct dr_fail fail = { 0 };

	if (dr_derivation_proof_decode(&p, dr_bytes_of(data, size), &fail) != DR_OK)
		return 0;
	dr_derivation_proof_encode(again, &p);
	DR_ASSERT(size == sizeof(again) && memcmp(again, data, size) == 0);
	DR_ASSERT(dr_derivation_verify(key, dr_bytes_of(data, size), prf_pub, dr_bytes_of("nobody's", 8),
				       DR_PURPOSE_SEAL, contract, &fail) != DR_OK);
	DR_ASSERT(dr_bytes_zero(key, sizeof(key)));
	return 0;
}
