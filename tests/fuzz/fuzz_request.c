/* SPDX-License-Identifier: Apache-2.0
 *
 * What decodes encodes to the same bytes, and an empty state denies all of it.
 */
#include <string.h>

#include "governance/decide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dr_state nothing = { 0 };
	const struct dr_self self = { 0 };
	uint8_t again[DR_REQUEST_LEN_MAX];
	struct dr_fail fail = { 0 };
	struct dr_decision decision;
	struct dr_request request;
	size_t len;

	if (dr_request_decode(&request, dr_bytes_of(data, size), &fail) != DR_OK)
		return 0;
	DR_ASSERT(dr_request_encode(again, sizeof(again), &len, &request, &fail) == DR_OK);
	DR_ASSERT(len == size && memcmp(again, data, size) == 0);
	dr_decide(&decision, &nothing, &self, &request, 0);
	DR_ASSERT(decision.verdict == DR_DENY);
	return 0;
}
