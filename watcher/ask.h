/* SPDX-License-Identifier: Apache-2.0
 *
 * ask: one command's conversation with the running core, over its socket.
 *
 * Functions that give an int give an enum dr_exit, and have said in words what was wrong if it is not DR_EXIT_OK.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_ASK_H
#define DR_WATCHER_ASK_H

#include "watcher/cli.h"
#include "watcher/config.h"
#include "watcher/link.h"

#define DR_ASK_MS 30000

struct dr_asking {
	struct dr_cli *cli;
	const char *path;         /* of the configuration */
	struct dr_config *config; /* NULL until it is read */
	struct dr_link core;
	/* For after dr_ask_open. next: what to do when the core refuses (NULL: something general). may_lack: what is
	 * asked for may not be there yet; the core's DR_ERR_UNKNOWN is exit 2 then, not 1. */
	const char *next;
	bool may_lack;
};

/* dr_ask_trouble: dr_out_trouble, and returns `exit`. All texts but code and what may be NULL. */
int dr_ask_trouble(struct dr_cli *cli, int exit, const char *code, const char *what, const char *got,
		   const char *source, const char *next);

/* dr_ask_failed: the same of a failure. */
int dr_ask_failed(struct dr_cli *cli, const struct dr_fail *fail, const char *source, const char *next);

/* dr_ask_config: reads the configuration, starts nothing. dr_ask_open: and connects to the core that runs on it. Both
 * may be followed by dr_ask_close, whatever they gave. One at a time: the configuration is in static memory. */
int dr_ask_config(struct dr_asking *a, struct dr_cli *cli, const char *path);
int dr_ask_open(struct dr_asking *a, struct dr_cli *cli, const char *path);
void dr_ask_close(struct dr_asking *a);

/* dr_ask_send: queues a message without a struct of its own. dr_ask_next: sends what is queued, and waits for the
 * next message; the core's errors and its silence are trouble. dr_ask_answer: the same, and it must be of this type.
 */
int dr_ask_send(struct dr_asking *a, uint16_t type, const void *ptr, size_t len);
int dr_ask_next(struct dr_asking *a, uint16_t *type, struct dr_bytes *payload, int timeout_ms);
int dr_ask_answer(struct dr_asking *a, uint16_t type, struct dr_bytes *payload);

/* dr_ask_odd: what the core said does not decode, or is not what was asked for. */
int dr_ask_odd(struct dr_asking *a, const struct dr_fail *fail);

/* dr_ask_number: decimal digits, at most max. */
bool dr_ask_number(uint64_t *out, const char *text, uint64_t max);

#endif
