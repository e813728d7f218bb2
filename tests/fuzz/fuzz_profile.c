/* SPDX-License-Identifier: Apache-2.0
 *
 * A profile that decodes encodes to the same bytes; and any bytes are read as an event by it without harm.
 */
#include <string.h>

#include "governance/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dr_profile profile;
	static uint8_t again[DR_PROFILE_LEN_MAX];
	struct dr_fail fail = { 0 };
	struct dr_act act;
	size_t len;

	if (dr_profile_decode(&profile, dr_bytes_of(data, size), &fail) != DR_OK)
		return 0;
	DR_ASSERT(dr_profile_encode(again, sizeof(again), &len, &profile, &fail) == DR_OK);
	DR_ASSERT(len == size && memcmp(again, data, size) == 0);
	for (size_t i = 0; i < profile.num_events; i++) {
		const size_t want = 32u * profile.events[i].num_words;
		struct dr_event event = { .num_topics = 1, .data = dr_bytes_of(data, want < size ? want : size) };
		struct dr_fail ignored = { 0 };

		memcpy(event.topic0, profile.events[i].topic0, 32);
		dr_profile_act(&act, &profile, &event, &ignored);
	}
	return 0;
}
