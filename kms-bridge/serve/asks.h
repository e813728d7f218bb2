/* SPDX-License-Identifier: Apache-2.0
 *
 * asks: questions to the core, in a queue: it answers in the order in which it was asked. An exchange in the queue
 * belongs to it until its answer's last message, also when nobody waits for it any more.
 *
 * Layer: kms-bridge/serve.
 */
#ifndef DR_SERVE_ASKS_H
#define DR_SERVE_ASKS_H

#include "kms-bridge/serve/exchange.h"

#define DR_SERVE_ASKS_MAX 64u

struct dr_asks {
	int fd;
	struct dr_buf in, out;
	struct dr_exchange *queue[DR_SERVE_ASKS_MAX]; /* a ring: `first` is asked, or being answered */
	size_t first, num;
};

/* dr_asks_init: takes fd, makes it non-blocking. dr_asks_free: every exchange still queued is freed. */
void dr_asks_init(struct dr_asks *a, int fd);
void dr_asks_free(struct dr_asks *a);

/* dr_asks_add: asks x's question. False: the queue is full, or (fail) there is no memory; x is not queued. */
bool dr_asks_add(struct dr_asks *a, struct dr_exchange *x, struct dr_fail *fail);

/* dr_asks_write: what the core takes now. dr_asks_read: what came; *eof: the core closed. DR_ERR_*: the channel is
 * broken. Neither waits. */
enum dr_err dr_asks_write(struct dr_asks *a, struct dr_fail *fail);
enum dr_err dr_asks_read(struct dr_asks *a, bool *eof, struct dr_fail *fail);

/* dr_asks_next: takes messages until an exchange leaves the queue, and returns it; it is the caller's then (done, or
 * abandoned). NULL: none yet, or (fail) what came is no answer. */
struct dr_exchange *dr_asks_next(struct dr_asks *a, struct dr_fail *fail);

/* dr_asks_overdue: an exchange that still waits and whose time is over; NULL: none. *wait_ms: until the first one's
 * is; -1: none waits. */
struct dr_exchange *dr_asks_overdue(struct dr_asks *a, uint64_t now_ms, int *wait_ms);

#endif
