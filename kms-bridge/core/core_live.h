/* SPDX-License-Identifier: Apache-2.0
 *
 * core_live: what core_live.c (the loop) and core_watch.c (what watch says) share. Nobody else includes it.
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_LIVE_H
#define DR_CORE_LIVE_H

#include "chain/base/limits.h"
#include "kms-bridge/core/core.h"

#define DR_LIVE_NOTES     120u               /* that watch may cause in a minute */
#define DR_LIVE_EARLY_CAP ((size_t)64 << 20) /* frames that come before the recording's START */

struct dr_live {
	struct dr_core *c;
	int listen_fd, timer_fd, signal_fd;
	/* The last place is serve's. */
	struct dr_client clients[DR_CLIENTS_MAX + 1];
	/* behind: it said more than was looked at */
	bool client_used[DR_CLIENTS_MAX + 1], client_behind[DR_CLIENTS_MAX + 1];
	/* Of this turn: it was looked at, and broke no rule. */
	bool client_heard[DR_CLIENTS_MAX + 1], client_good[DR_CLIENTS_MAX + 1];
	uint32_t sent[DR_WANTS_MAX]; /* ids of the wants that watch has */
	size_t num_sent;
	struct dr_want *wants;
	uint64_t consumed;   /* not yet given back as credit */
	unsigned notes_left; /* that watch may cause in this minute */
	uint64_t ticks;
	/* Clock CHAIN: nothing is fed before the start block's header says what time it is. */
	bool started;
	struct dr_buf early;
	uint64_t chain_time;
	bool stop, protocol_error, conflict, reached;
	char socket_path[DR_TEXT_MAX + 16];
};

/* dr_live_start_engine: START is stamped. */
enum dr_err dr_live_start_engine(struct dr_live *l, uint64_t boot_ms, uint64_t wall_ms);

/* dr_live_wants: watch learns which wants stand now. dr_live_credit: and how much it may send. */
enum dr_err dr_live_wants(struct dr_live *l);
enum dr_err dr_live_credit(struct dr_live *l, uint64_t bytes);

/* dr_live_take: one message of watch. dr_live_protocol_error: it is not heard any more. */
enum dr_err dr_live_take(struct dr_live *l, uint16_t type, struct dr_bytes payload);
enum dr_err dr_live_protocol_error(struct dr_live *l, const char *what);

#endif
