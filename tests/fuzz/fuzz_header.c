/* SPDX-License-Identifier: Apache-2.0
 *
 * A header that decodes re-encodes to the same bytes, and its hash is theirs.
 */
#include <string.h>

#include "chain/base/limits.h"
#include "chain/evm/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[DR_EVM_HEADER_LEN_MAX];
	struct dr_evm_header h;
	struct dr_fail fail = { 0 };
	uint8_t hash[32];
	size_t len;

	if (dr_evm_header_decode(&h, dr_bytes_of(data, size), &fail) != DR_OK) {
		DR_ASSERT(dr_bytes_zero(&h, sizeof(h)));
		return 0;
	}
	DR_ASSERT(dr_evm_header_encode(again, sizeof(again), &len, &h, &fail) == DR_OK);
	DR_ASSERT(dr_bytes_eq(dr_bytes_of(again, len), dr_bytes_of(data, size)));
	DR_ASSERT(dr_evm_header_hash(hash, &h, &fail) == DR_OK);
	DR_ASSERT(memcmp(hash, h.hash, 32) == 0);
	return 0;
}
