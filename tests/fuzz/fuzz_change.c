/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "governance/change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[DR_CHANGE_LEN_MAX];
	struct dr_fail fail = { 0 };
	struct dr_change change;
	size_t len;

	if (dr_change_decode(&change, dr_bytes_of(data, size), &fail) != DR_OK)
		return 0;
	DR_ASSERT(dr_change_encode(again, sizeof(again), &len, &change, &fail) == DR_OK);
	DR_ASSERT(len == size && memcmp(again, data, size) == 0);
	return 0;
}
