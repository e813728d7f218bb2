/* SPDX-License-Identifier: Apache-2.0
 *
 * signals: the wish that a process ends, as a descriptor to wait for: SIGTERM, SIGINT, and SIGHUP (the terminal is
 * gone), but not where whoever started us ignores that (nohup).
 *
 * Layer: kms-bridge/process.
 */
#ifndef DR_PROCESS_SIGNALS_H
#define DR_PROCESS_SIGNALS_H

#include <stdbool.h>

/* dr_signals_open: blocks them, and `also` (0: no other), from now on. Non-blocking, closed on exec; -1 and errno. */
int dr_signals_open(int also);

/* dr_signals_asked: reads it empty (-1 is empty); true if one of the three was there. */
bool dr_signals_asked(int fd);

#endif
