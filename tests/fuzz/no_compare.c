/* SPDX-License-Identifier: Apache-2.0
 *
 * no_compare: what takes the place of libFuzzer's look at every comparison (linked with --wrap), for targets whose
 * input is a script, a message under a hash or a text of known words: no comparison shows them a byte of the input,
 * and the look takes half of their time. Strings and blocks of memory that are compared are looked at as before.
 */
#include <stdint.h>

#define NOTHING(name, type)                                                                                          \
	void __wrap___sanitizer_cov_trace_##name(type a, type b);                                                    \
	void __wrap___sanitizer_cov_trace_##name(type a, type b)                                                     \
	{                                                                                                            \
		(void)a;                                                                                             \
		(void)b;                                                                                             \
	}

NOTHING(cmp1, uint8_t)
NOTHING(cmp2, uint16_t)
NOTHING(cmp4, uint32_t)
NOTHING(cmp8, uint64_t)
NOTHING(const_cmp1, uint8_t)
NOTHING(const_cmp2, uint16_t)
NOTHING(const_cmp4, uint32_t)
NOTHING(const_cmp8, uint64_t)

void __wrap___sanitizer_cov_trace_switch(uint64_t value, const uint64_t *cases);
void __wrap___sanitizer_cov_trace_switch(uint64_t value, const uint64_t *cases)
{
	(void)value;
	(void)cases;
}
