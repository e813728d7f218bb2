/* SPDX-License-Identifier: Apache-2.0
 *
 * live: a core and a watch, and a serve if asked for, running under this process, and the turns of its loop. They
 * live and end together: when one of them is gone the others are ended, and whatever starts them again starts sealed.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_LIVE_H
#define DR_WATCHER_LIVE_H

#include "watcher/session.h"

struct dr_live {
	struct dr_session session;
	pid_t watch, serve; /* 0: none */
	int signals;        /* dr_signals_open, with SIGCHLD */
	bool stopping;      /* STOP was sent */
	uint64_t stop_ms;   /* when */
	bool asked;         /* because somebody asked */
	const char *died;   /* the program that ended first, without being asked to; NULL: none */
	int status;         /* how (waitpid) */
	/* Optional: KEPT bytes (false: they could not be written), and journal notes as they come. */
	bool (*kept)(void *ctx, struct dr_bytes bytes);
	void *kept_ctx;
	void (*noted)(void *ctx, const struct dr_note *note);
	void *noted_ctx;
};

/* dr_live_start: starts the processes and sends INIT. config is the file that derot-watch reads; listen is where
 * derot-serve listens, NULL or "": none is started. Call dr_live_end in any case. */
bool dr_live_start(struct dr_live *live, struct dr_cli *cli, const struct dr_init *init, const char *config,
		   const char *listen, struct dr_fail *fail);

/* dr_live_turn: waits up to timeout_ms for something, handles it. False: the core is gone, or *fail. */
bool dr_live_turn(struct dr_live *live, int timeout_ms, struct dr_fail *fail);

/* dr_live_stop: asks the core to end; turns go on until it has. */
void dr_live_stop(struct dr_live *live, struct dr_fail *fail);

/* dr_live_end: ends all. The core's exit code; live->died and status say who ended first, if nobody asked. */
int dr_live_end(struct dr_live *live);

/* dr_live_now_ms: boot-time. */
uint64_t dr_live_now_ms(void);

#endif
