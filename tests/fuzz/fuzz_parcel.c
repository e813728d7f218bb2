/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kms-bridge/core/parcel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What decodes encodes to the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t header[DR_PARCEL_HEADER_LEN];
	struct dr_fail fail = { 0 };
	struct dr_parcel p;

	if (dr_parcel_decode(&p, dr_bytes_of(data, size), &fail) != DR_OK)
		return 0;
	dr_parcel_header(header, &p);
	DR_ASSERT(size == DR_PARCEL_LEN && memcmp(header, data, sizeof(header)) == 0);
	DR_ASSERT(p.box.len == DR_PARCEL_BOX_LEN && memcmp(p.box.ptr, data + sizeof(header), p.box.len) == 0);
	return 0;
}
