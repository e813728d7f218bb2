/* SPDX-License-Identifier: Apache-2.0
 *
 * clocks: whoever sets the machine's, and what must be true of time by the truth's own.
 */
#ifndef DR_TESTS_SIMULATE_CLOCKS_H
#define DR_TESTS_SIMULATE_CLOCKS_H

#include <stdint.h>

/* clocks_set: one of them is set, or stands still, or the machine does. clocks_creep: a host whose wall clock is set
 * back step by step while boot-time goes on, and that is told the chain ever more slowly. */
void clocks_set(void);
void clocks_creep(void);

/* clocks_check: what was done (in words) may be done now, by the truth's clock and by the wall clock. late_ms: what
 * the disk may have taken after the core looked at its clocks for the last time. */
void clocks_check(const char *what, uint64_t late_ms);

#endif
