/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kms-bridge/core/key_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What decodes is one of the two forms, and its bounds hold: nobody is made to spend more than they allow. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dr_key_file file;
	struct dr_fail fail = { 0 };

	if (dr_key_file_decode(&file, dr_bytes_of(data, size), &fail) != DR_OK)
		return 0;
	if (!file.wrapped) {
		DR_ASSERT(size == DR_KEY_FILE_RAW_LEN && memcmp(file.key, data, size) == 0);
		return 0;
	}
	DR_ASSERT(size == DR_KEY_FILE_WRAPPED_LEN && memcmp(data, "derotkey\1", 9) == 0);
	DR_ASSERT(file.memory_mib >= DR_ARGON2_MIB_MIN && file.memory_mib <= DR_ARGON2_MIB_MAX);
	DR_ASSERT(file.passes >= 1 && file.passes <= DR_ARGON2_PASSES_MAX);
	DR_ASSERT(memcmp(file.salt, data + 17, 16) == 0 && memcmp(file.sealed, data + 57, 48) == 0);
	return 0;
}
