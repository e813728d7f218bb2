/* SPDX-License-Identifier: Apache-2.0
 *
 * hear: whatever the core says, and what must be true of it. Each message is read as soon as the core stands still.
 */
#ifndef DR_TESTS_SIMULATE_HEAR_H
#define DR_TESTS_SIMULATE_HEAR_H

#include "tests/simulate/world.h"

/* hear_run: the core runs until it stands still, and is heard out. hear_start: a new life of it: INIT; it is heard
 * until it is ready or has given up. hear_reset: nothing is expected of it any more. */
void hear_run(void);
void hear_start(void);

/* hear_ask: it is asked how it is, and must not be unsealed where time says otherwise. */
void hear_ask(void);

/* hear_say: one message to the core. */
void hear_say(struct wire *to, uint16_t type, struct dr_bytes payload);

/* The next message of a wire. */
bool hear_next(struct wire *from, uint16_t *type, struct dr_bytes *payload);

/* hear_entry: an entry of a log, told (control) or read (a client). */
void hear_entry(size_t log, struct dr_bytes payload);
/* hear_gap: the logs were read up to where control goes on. */
void hear_gap(void);

/* watch.c */
void watch_reset(void);
void watch_hear(void);
/* client.c */
void client_reset(void);
void client_hear(bool logs);

#endif
