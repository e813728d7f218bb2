/* SPDX-License-Identifier: Apache-2.0
 *
 * live: a core and a watch running under this process, and the turns of its loop.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_LIVE_H
#define DR_WATCHER_LIVE_H

#include "watcher/session.h"

struct dr_live {
	struct dr_session session;
	pid_t watch;
	int signals;   /* SIGINT and SIGTERM, to read */
	bool stopping; /* STOP was sent */
	bool asked;    /* because somebody asked */
	/* Optional: KEPT bytes (false: they could not be written), and journal notes as they come. */
	bool (*kept)(void *ctx, struct dr_bytes bytes);
	void *kept_ctx;
	void (*noted)(void *ctx, const struct dr_note *note);
	void *noted_ctx;
};

/* dr_live_start: starts both processes and sends INIT. config is the file that derot-watch reads. Call
 * dr_live_end in any case. */
bool dr_live_start(struct dr_live *live, struct dr_cli *cli, const struct dr_init *init, const char *config,
		   struct dr_fail *fail);

/* dr_live_turn: waits up to timeout_ms for something, handles it. False: the core is gone, or *fail. */
bool dr_live_turn(struct dr_live *live, int timeout_ms, struct dr_fail *fail);

/* dr_live_end: ends both processes. The core's exit code. */
int dr_live_end(struct dr_live *live);

#endif
