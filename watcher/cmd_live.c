/* SPDX-License-Identifier: Apache-2.0
 *
 * derot run, derot record: a core and a watch over the configured endpoints. run supervises them and keeps
 * them alive; record keeps what the core accepted until a block is final, and ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "watcher/anchor.h"
#include "watcher/config.h"
#include "watcher/live.h"

#define BACKOFF_MAX_S 60u
#define STOP_AFTER_MS 15000

static int trouble(struct dr_cli *cli, const char *code, const char *what, const char *got, const char *source,
		   const char *next)
{
	dr_out_trouble(&cli->out, &(struct dr_trouble){ .code = code,
							.what = what,
							.got = got,
							.source = source,
							.state = "nothing is running",
							.next = next });
	return DR_EXIT_ERROR;
}

/* Signals become a file descriptor, so that an orderly stop is one more thing to wait for. */
static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool signalled(int fd)
{
	struct signalfd_siginfo info;

	return fd >= 0 && read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info);
}

bool dr_live_start(struct dr_live *live, struct dr_cli *cli, const struct dr_init *init, const char *config,
		   struct dr_fail *fail)
{
	int pair[2];

	memset(live, 0, sizeof(*live));
	dr_session_init(&live->session, cli);
	live->signals = signals_open();
	if (dr_link_pair(pair, fail) != DR_OK)
		return false;
	if (dr_link_core(&live->session.core, pair[0], fail) != DR_OK) {
		close(pair[1]);
		return false;
	}
	return dr_link_watch(&live->watch, pair[1], config, fail) == DR_OK &&
	       dr_init_put(&live->session.core.out, DR_MSG_INIT, init, fail) == DR_OK;
}

/* The watch process died on its own: the core learns it by its channel; here it is only reaped. */
static bool watch_died(struct dr_live *live)
{
	int status;

	if (live->watch <= 0 || waitpid(live->watch, &status, WNOHANG) != live->watch)
		return false;
	live->watch = 0;
	return true;
}

bool dr_live_turn(struct dr_live *live, int timeout_ms, struct dr_fail *fail)
{
	struct dr_session *s = &live->session;
	uint16_t type;
	struct dr_bytes payload;

	if (s->core.eof)
		return false;
	if (dr_link_pump(&s->core, timeout_ms, live->signals, fail) != DR_OK)
		return false;
	while (dr_link_next(&s->core, &type, &payload, fail)) {
		if (type == DR_MSG_KEPT && live->kept != NULL) {
			if (!live->kept(live->kept_ctx, payload))
				return dr_fail_set(fail, DR_ERR_IO, "writing the recording", 0) == DR_OK;
			continue;
		}
		if (type == DR_MSG_JOURNAL && live->noted != NULL) {
			struct dr_entry entry;
			struct dr_note note;
			struct dr_fail ignored = { 0 };

			if (dr_entry_get(&entry, payload, &ignored) == DR_OK &&
			    dr_note_decode(&note, entry.leaf, &ignored) == DR_OK)
				live->noted(live->noted_ctx, &note);
		}
		if (!dr_session_take(s, type, payload, fail))
			return false;
	}
	if (fail->err != DR_OK)
		return false;
	if (!live->stopping && signalled(live->signals)) {
		live->stopping = live->asked = true;
		dr_link_send(&s->core, DR_MSG_STOP, (struct dr_bytes){ NULL, 0 }, fail);
	}
	if (!live->stopping && watch_died(live)) {
		fprintf(s->cli->out.err, "derot: derot-watch ended; restarting\n");
		live->stopping = true;
		dr_link_send(&s->core, DR_MSG_STOP, (struct dr_bytes){ NULL, 0 }, fail);
	}
	return fail->err == DR_OK;
}

int dr_live_end(struct dr_live *live)
{
	const int code = dr_session_end(&live->session, DR_EXIT_OK);

	if (live->watch > 0) {
		kill(live->watch, SIGTERM);
		waitpid(live->watch, NULL, 0);
	}
	if (live->signals >= 0)
		close(live->signals);
	return code;
}

static int load(struct dr_cli *cli, struct dr_config *config, struct dr_init *init, const char *path,
		enum dr_mode mode)
{
	struct dr_yaml_error error = { "" };
	struct dr_fail fail = { 0 };

	if (path == NULL)
		return dr_cli_usage(cli, "which configuration? give -c FILE", NULL);
	if (dr_config_load(config, path, &error) != DR_OK)
		return trouble(cli, "config", "the configuration", error.text, path,
			       "mend it; derot config check shows more");
	if (dr_config_init(init, config, mode, &fail) != DR_OK)
		return trouble(cli, "config", fail.what, NULL, path, "add it to the configuration");
	return DR_EXIT_OK;
}

static void nap(struct dr_cli *cli, unsigned seconds, int signals, bool *asked)
{
	fprintf(cli->out.err, "derot run: starting again in %u s\n", seconds);
	for (unsigned i = 0; i < seconds * 10 && !*asked; i++) {
		const struct timespec tenth = { 0, 100000000 };

		nanosleep(&tenth, NULL);
		*asked = signalled(signals);
	}
}

int dr_cmd_run(struct dr_cli *cli, int argc, char **argv)
{
	static struct dr_config config;
	static struct dr_init init;
	static struct dr_live live;
	const char *path = NULL;
	const struct dr_opt opts[] = { { "config", 'c', DR_OPT_VALUE, &path } };
	unsigned backoff_s = 1;
	bool asked = false;
	int code = dr_cli_options(cli, &argc, argv, opts, 1);

	if (code != DR_EXIT_OK)
		return code;
	if (argc > 1)
		return dr_cli_usage(cli, "unexpected argument", argv[1]);
	code = load(cli, &config, &init, path, DR_MODE_RUN);
	const int signals = signals_open();

	while (code == DR_EXIT_OK && !asked) {
		struct dr_fail fail = { 0 };
		const bool started = dr_live_start(&live, cli, &init, path, &fail);

		live.session.journal = true;
		while (started && dr_live_turn(&live, 1000, &fail))
			;
		const bool was_ready = live.session.ready,
			   conflict = live.session.has_fatal && live.session.fatal.exit == DR_EXIT_CONFLICT;

		asked = live.asked;
		code = dr_live_end(&live);
		if (fail.err != DR_OK && code == DR_EXIT_OK)
			code = trouble(cli, dr_err_name(fail.err), fail.what, NULL, "derot-core", "run derot doctor");
		if (asked || conflict || !was_ready)
			break;
		/* It had been running: whatever ended it, it starts again, sealed. */
		code = DR_EXIT_OK;
		nap(cli, backoff_s, signals, &asked);
		backoff_s = backoff_s * 2 > BACKOFF_MAX_S ? BACKOFF_MAX_S : backoff_s * 2;
	}
	close(signals);
	dr_config_free(&config);
	return code;
}

static bool write_kept(void *ctx, struct dr_bytes bytes)
{
	return fwrite(bytes.ptr, 1, bytes.len, ctx) == bytes.len;
}

int dr_cmd_record(struct dr_cli *cli, int argc, char **argv)
{
	static struct dr_config config;
	static struct dr_init init;
	static struct dr_live live;
	const char *path = NULL, *to = NULL, *out = NULL;
	bool journal = false;
	const struct dr_opt opts[] = {
		{ "config", 'c', DR_OPT_VALUE, &path },
		{ "to", 0, DR_OPT_VALUE, &to },
		{ "out", 'o', DR_OPT_VALUE, &out },
		{ "journal", 0, DR_OPT_FLAG, &journal },
	};
	struct dr_fail fail = { 0 };
	int code = dr_cli_options(cli, &argc, argv, opts, sizeof(opts) / sizeof(opts[0]));

	if (code != DR_EXIT_OK)
		return code;
	if (argc > 1)
		return dr_cli_usage(cli, "unexpected argument", argv[1]);
	if (to == NULL || out == NULL)
		return dr_cli_usage(cli, to == NULL ? "up to which block? give --to N" : "where to? give -o FILE",
				    NULL);
	code = load(cli, &config, &init, path, DR_MODE_RECORD);
	if (code != DR_EXIT_OK)
		return code;
	struct dr_yaml_error error = { "" };
	char until[32];

	snprintf(until, sizeof(until), "%s", to);
	char *end;

	errno = 0;
	init.until = strtoull(until, &end, 10);
	if (errno != 0 || *end != '\0' || until[0] < '0' || until[0] > '9' || init.until < init.start_number) {
		dr_config_free(&config);
		return dr_cli_usage(cli, "--to takes a block number, not below the start block", to);
	}
	FILE *file = fopen(out, "wbx");

	if (file == NULL) {
		dr_config_free(&config);
		return trouble(cli, "io", "the recording can be made", strerror(errno), out, "choose a new file");
	}
	char anchor[4096 + 16];

	snprintf(anchor, sizeof(anchor), "%s.anchor.yaml", out);
	bool good = dr_anchor_write(&init, config.profile_path, anchor, &error) == DR_OK &&
		    dr_live_start(&live, cli, &init, path, &fail);

	live.kept = write_kept;
	live.kept_ctx = file;
	live.session.journal = journal;
	while (good && dr_live_turn(&live, 1000, &fail))
		;
	const bool reached = live.session.has_status && live.session.status.final_number >= init.until;

	code = good || live.session.cli != NULL ? dr_live_end(&live) : DR_EXIT_ERROR;
	if (fclose(file) != 0 && code == DR_EXIT_OK)
		code = trouble(cli, "io", "writing the recording", strerror(errno), out, "look for a full disk");
	if (error.text[0] != '\0')
		code = trouble(cli, "io", "the recording's anchor file", error.text, anchor, "remove the old file");
	if (fail.err != DR_OK && code == DR_EXIT_OK)
		code = trouble(cli, dr_err_name(fail.err), fail.what, NULL, "derot-core", "run derot doctor");
	if (code == DR_EXIT_OK && !reached)
		code = trouble(cli, "short", "the recording ended before that block was final", NULL, out,
			       "what is in the file is good as far as it goes; start again for more");
	dr_config_free(&config);
	return code;
}
