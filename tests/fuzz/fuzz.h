/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz: what the targets share. A target is one function of bytes; what it promises is said at its head and in
 * README.md. It keeps nothing from one input to the next but tables that no input changes.
 */
#ifndef DR_TESTS_FUZZ_H
#define DR_TESTS_FUZZ_H

#include <string.h>

#include "chain/base/arena.h"
#include "chain/base/bytes.h"
#include "chain/base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* fuzz_zero: as dr_bytes_zero, a block at a time: outputs are large, and under the sanitizers every byte costs. */
static inline bool fuzz_zero(const void *ptr, size_t len)
{
	static const uint8_t zeros[4096];
	const uint8_t *at = ptr;

	for (; len > sizeof(zeros); at += sizeof(zeros), len -= sizeof(zeros))
		if (memcmp(at, zeros, sizeof(zeros)) != 0)
			return false;
	return memcmp(at, zeros, len) == 0;
}

#endif
