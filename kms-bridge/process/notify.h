/* SPDX-License-Identifier: Apache-2.0
 *
 * notify: what a service manager is told (sd_notify(3), by hand): that the service is ready, what it does, that it
 * stops, and that it still gets on.
 *
 * The watchdog is fed by work alone: once since the last time something must have been verified (dr_notify_step). A
 * process that runs and proves nothing is as good as one that hangs, and is started again.
 *
 * Where there is no service manager ($NOTIFY_SOCKET) every function does nothing. A manager that does not listen is
 * nobody's concern either: nothing here fails.
 *
 * Layer: kms-bridge/process.
 */
#ifndef DR_PROCESS_NOTIFY_H
#define DR_PROCESS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct dr_notify {
	int fd;            /* -1: nobody listens */
	uint64_t half_ms;  /* half of what the watchdog waits for; 0: there is none */
	uint64_t fed_ms;   /* boot-time of the last feeding */
	bool step, is_fed; /* something was verified since; it was ever fed */
};

/* dr_notify_open: reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, and removes them: they are not for the
 * processes that are started from here. */
void dr_notify_open(struct dr_notify *n);
void dr_notify_close(struct dr_notify *n);

void dr_notify_ready(struct dr_notify *n);
void dr_notify_stopping(struct dr_notify *n);
/* dr_notify_status: one line, for people; control characters become '?'. */
void dr_notify_status(struct dr_notify *n, const char *text);

/* dr_notify_step: something was verified. dr_notify_turn: feeds the watchdog if that is due, at most each half of its
 * time; called often, and at least that often. */
void dr_notify_step(struct dr_notify *n);
void dr_notify_turn(struct dr_notify *n, uint64_t now_ms);

#endif
