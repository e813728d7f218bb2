/* SPDX-License-Identifier: Apache-2.0
 *
 * session: prints what a core says over its control channel, the same way for replay, record and run:
 * changes as they are made, answers when they change, findings, and at the end the status.
 *
 *   table    a row a change, with answers and findings between them; findings again at the end
 *   ndjson   {"type":"change"|"answer"|"finding"|"journal"|"status", …}, one a line
 *   json     one object with arrays of the same, at the end
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_SESSION_H
#define DR_WATCHER_SESSION_H

#include "watcher/cli.h"
#include "watcher/link.h"

struct dr_session {
	struct dr_cli *cli;
	const char *recording; /* what is replayed: what ends a replay is wrong there; NULL: live */
	struct dr_link core;
	bool journal;     /* print journal notes too */
	bool quiet;       /* count, do not print rows */
	json_t *all;      /* format json: what will be printed at the end */
	json_t *findings; /* kept for the end */
	struct dr_rows rows;
	bool rows_open;
	uint64_t num_changes, num_findings, num_answers;
	bool has_status, has_fatal, ready;
	struct dr_status_report status;
	struct dr_error fatal;
	uint64_t head_seen;
};

void dr_session_init(struct dr_session *s, struct dr_cli *cli);

/* dr_session_take: one control message. False: not one that a core may send here. */
bool dr_session_take(struct dr_session *s, uint16_t type, struct dr_bytes payload, struct dr_fail *fail);

/* What a core is fed in a replay. */
struct dr_feed {
	FILE *file;
	struct dr_bytes begin;                                            /* what was read of it before */
	struct dr_progress *progress;                                     /* optional: told how much was sent */
	void (*heard)(void *ctx, uint16_t type, struct dr_bytes payload); /* optional: before it is taken */
	void *ctx;
	uint64_t sent; /* bytes; 0 at first */
};

/* dr_session_feed: sends the core all of it, then END, and takes what it says until it ends. False: *fail; DR_ERR_IO
 * with errno as `at` if the file could not be read to its end: the core is not told that it ended. */
bool dr_session_feed(struct dr_session *s, struct dr_feed *feed, struct dr_fail *fail);

/* dr_session_end: prints the findings and the status, ends the core. The exit code: the core's own if it
 * failed (1, 4), 3 if frames of a recording were refused, then `good`. */
int dr_session_end(struct dr_session *s, int good);

/* dr_session_status: one status, as an object. */
void dr_session_status(struct dr_session *s);

#endif
