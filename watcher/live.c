/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/live.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kms-bridge/process/signals.h"

#define STOP_AFTER_MS 15000u /* a core that was told to stop and does not */
#define OTHERS_MS     1000   /* the others keep nothing that needs time */
#define CORE_FIRST_MS 500u

uint64_t dr_live_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool start_all(struct dr_live *live, const char *config, const char *listen, const struct dr_init *init,
		      struct dr_fail *fail)
{
	/* core's end first */
	int watch[2], serve[2] = { -1, -1 };
	struct dr_link *core = &live->session.core;

	if (dr_link_pair(watch, fail) != DR_OK)
		return false;
	if (init->serve && dr_link_pair(serve, fail) != DR_OK) {
		close(watch[0]);
		close(watch[1]);
		return false;
	}
	dr_link_core_serving(core, watch[0], serve[0], fail);
	if (fail->err == DR_OK)
		dr_link_watch(&live->watch, watch[1], config, fail);
	else
		close(watch[1]);
	if (init->serve && fail->err == DR_OK)
		dr_link_serve(&live->serve, serve[1], listen, fail);
	else if (init->serve)
		close(serve[1]);
	return fail->err == DR_OK && dr_init_put(&core->out, DR_MSG_INIT, init, fail) == DR_OK;
}

bool dr_live_start(struct dr_live *live, struct dr_cli *cli, const struct dr_init *init, const char *config,
		   const char *listen, struct dr_fail *fail)
{
	static struct dr_init own;

	memset(live, 0, sizeof(*live));
	dr_session_init(&live->session, cli);
	signal(SIGPIPE, SIG_IGN);
	live->signals = dr_signals_open(SIGCHLD);
	own = *init;
	own.serve = listen != NULL && listen[0] != 0;
	return start_all(live, config, listen, &own, fail);
}

void dr_live_stop(struct dr_live *live, struct dr_fail *fail)
{
	live->stopping = true;
	live->stop_ms = dr_live_now_ms();
	dr_link_send(&live->session.core, DR_MSG_STOP, (struct dr_bytes){ NULL, 0 }, fail);
}

static bool is_gone(struct dr_live *live, pid_t *pid, const char *program)
{
	int status;

	if (*pid <= 0 || waitpid(*pid, &status, WNOHANG) != *pid)
		return false;
	*pid = 0;
	live->died = program;
	live->status = status;
	return true;
}

static bool take(struct dr_live *live, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	if (type == DR_MSG_KEPT && live->kept != NULL)
		return live->kept(live->kept_ctx, payload) ||
		       dr_fail_set(fail, DR_ERR_IO, "writing the recording", (size_t)errno) == DR_OK;
	if (type == DR_MSG_JOURNAL && live->noted != NULL) {
		struct dr_entry entry;
		struct dr_note note;
		struct dr_fail ignored = { 0 };

		if (dr_entry_get(&entry, payload, &ignored) == DR_OK &&
		    dr_note_decode(&note, entry.leaf, &ignored) == DR_OK)
			live->noted(live->noted_ctx, &note);
	}
	return dr_session_take(&live->session, type, payload, fail);
}

/* What the core says, all that is there. */
static bool hear(struct dr_live *live, int timeout_ms, int also_fd, struct dr_fail *fail)
{
	struct dr_link *core = &live->session.core;
	uint16_t type;
	struct dr_bytes payload;

	if (dr_link_pump(core, timeout_ms, also_fd, fail) != DR_OK)
		return false;
	while (dr_link_next(core, &type, &payload, fail))
		if (!take(live, type, payload, fail))
			return false;
	return fail->err == DR_OK;
}

/* A core that dies closes its channels one after the other: who hears of it first may be gone before we hear. */
static bool core_was_first(struct dr_live *live, struct dr_fail *fail)
{
	const struct dr_link *core = &live->session.core;
	const uint64_t end_ms = dr_live_now_ms() + CORE_FIRST_MS;

	for (uint64_t now = 0; !core->eof && (now = dr_live_now_ms()) < end_ms;)
		if (!hear(live, (int)(end_ms - now), -1, fail))
			return false;
	return core->eof;
}

/* Those beside the core; the core's own end is that of its channel. */
static void look_after(struct dr_live *live, struct dr_fail *fail)
{
	if (live->stopping ||
	    (!is_gone(live, &live->watch, "derot-watch") && !is_gone(live, &live->serve, "derot-serve")))
		return;
	/* They end by themselves when the core does. */
	if (WIFEXITED(live->status) && core_was_first(live, fail))
		live->died = NULL;
	else
		dr_live_stop(live, fail);
}

bool dr_live_turn(struct dr_live *live, int timeout_ms, struct dr_fail *fail)
{
	struct dr_session *s = &live->session;

	if (s->core.eof || (live->stopping && dr_live_now_ms() - live->stop_ms > STOP_AFTER_MS))
		return false;
	if (!hear(live, timeout_ms, live->signals, fail))
		return false;
	if (dr_signals_asked(live->signals)) {
		live->asked = true;
		if (!live->stopping)
			dr_live_stop(live, fail);
	}
	if (!s->core.eof)
		look_after(live, fail);
	return fail->err == DR_OK;
}

static void end_other(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGTERM);
	dr_link_reap(*pid, OTHERS_MS);
	*pid = 0;
}

int dr_live_end(struct dr_live *live)
{
	struct dr_session *s = &live->session;
	const bool had_core = s->core.pid > 0;
	const int code = dr_session_end(s, DR_EXIT_OK);

	if (had_core && live->died == NULL && !live->stopping) {
		live->died = "derot-core";
		live->status = s->core.status;
	}
	end_other(&live->watch);
	end_other(&live->serve);
	if (live->signals >= 0)
		close(live->signals);
	live->signals = -1;
	return code;
}
