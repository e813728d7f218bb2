/* SPDX-License-Identifier: Apache-2.0
 *
 * derot run, derot record: a core and a watch over the configured endpoints. run supervises them and keeps
 * them alive; record keeps what the core accepted until a block is final, and ends.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kms-bridge/process/notify.h"
#include "kms-bridge/process/signals.h"
#include "watcher/anchor.h"
#include "watcher/config.h"
#include "watcher/live.h"

#define BACKOFF_MAX_S     60u
#define BACKOFF_FORGET_MS UINT64_C(600000) /* who ran that long begins with the shortest wait again */

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

/* A service manager is told what the core says of itself. */
static void on_note(void *ctx, const struct dr_note *note)
{
	struct dr_notify *notify = ctx;
	char text[DR_TEXT_MAX + 64];

	if (note->kind == DR_NOTE_FINAL) {
		dr_notify_step(notify);
		snprintf(text, sizeof(text), "final block %llu is proven", (unsigned long long)note->number);
		dr_notify_status(notify, text);
	} else if (note->kind == DR_NOTE_LEASE) {
		dr_notify_status(notify, note->detail);
	}
}

/* Waits before all is started again; false: somebody asked to stop meanwhile. */
static bool nap(struct dr_cli *cli, unsigned seconds, int signals, struct dr_notify *notify)
{
	char text[64];

	snprintf(text, sizeof(text), "starting again in %u s, sealed", seconds);
	fprintf(cli->out.err, "derot run: %s\n", text);
	dr_notify_status(notify, text);
	for (uint64_t end = dr_live_now_ms() + seconds * UINT64_C(1000), now; (now = dr_live_now_ms()) < end;) {
		struct pollfd p = { .fd = signals, .events = POLLIN };

		poll(&p, 1, (int)(end - now));
		if (dr_signals_asked(signals))
			return false;
	}
	return true;
}

/* One life of the processes. True: they were told to stop, or there is no use in another life. */
static bool live_once(struct dr_live *live, struct dr_cli *cli, const struct dr_init *init, const char *path,
		      const char *listen, struct dr_notify *notify, bool *was_ready, int *code)
{
	struct dr_fail fail = { 0 };
	char words[160];
	const bool started = dr_live_start(live, cli, init, path, listen, &fail);

	live->session.journal = true;
	live->noted = on_note;
	live->noted_ctx = notify;
	for (bool told = false, is_stopping = false; started && dr_live_turn(live, 1000, &fail);) {
		if (live->session.ready && !told)
			dr_notify_ready(notify);
		told = live->session.ready;
		if (live->asked && !is_stopping)
			dr_notify_stopping(notify);
		is_stopping = live->asked;
		dr_notify_turn(notify, dr_live_now_ms());
	}
	*was_ready = *was_ready || live->session.ready;
	*code = dr_live_end(live);
	/* What it said of itself was printed. */
	if (live->died != NULL && !live->session.has_fatal) {
		dr_link_words(words, sizeof(words), live->died, live->status);
		fprintf(cli->out.err, "derot run: %s %s; the others were ended\n", live->died, words);
		dr_notify_status(notify, words);
	}
	if (fail.err != DR_OK && *code == DR_EXIT_OK)
		*code = trouble(cli, dr_err_name(fail.err), fail.what, NULL, "derot-core", "run derot doctor");
	/* Whoever starts this again does so for what failed, and asked for nothing. */
	if (live->died != NULL && !live->asked && *code == DR_EXIT_OK)
		*code = DR_EXIT_ERROR;
	return live->asked || !*was_ready || *code == DR_EXIT_CONFLICT;
}

int dr_cmd_run(struct dr_cli *cli, int argc, char **argv)
{
	static struct dr_config config;
	static struct dr_init init;
	static struct dr_live live;
	const char *path = NULL;
	const struct dr_opt opts[] = { { "config", 'c', DR_OPT_VALUE, &path } };
	struct dr_notify notify;
	unsigned backoff_s = 1;
	bool was_ready = false;
	int code = dr_cli_options(cli, &argc, argv, opts, 1);

	if (code != DR_EXIT_OK)
		return code;
	if (argc > 1)
		return dr_cli_usage(cli, "unexpected argument", argv[1]);
	code = load(cli, &config, &init, path, DR_MODE_RUN);
	if (code != DR_EXIT_OK)
		return code;
	const int signals = dr_signals_open(0);

	dr_notify_open(&notify);
	for (bool again = false;; again = true) {
		const uint64_t since_ms = dr_live_now_ms();

		/* As the file is now, for derot-watch reads it too; one that is spoiled meanwhile is waited out. */
		if (again) {
			dr_config_free(&config);
			code = load(cli, &config, &init, path, DR_MODE_RUN);
		}
		if (code == DR_EXIT_OK &&
		    live_once(&live, cli, &init, path, config.serve_listen, &notify, &was_ready, &code))
			break;
		/* It had been running: whatever ended it, it starts again, sealed. */
		if (dr_live_now_ms() - since_ms > BACKOFF_FORGET_MS)
			backoff_s = 1;
		code = DR_EXIT_OK;
		if (!nap(cli, backoff_s, signals, &notify))
			break;
		backoff_s = backoff_s * 2 > BACKOFF_MAX_S ? BACKOFF_MAX_S : backoff_s * 2;
	}
	dr_notify_stopping(&notify);
	dr_notify_close(&notify);
	close(signals);
	dr_config_free(&config);
	return code;
}

/* What went wrong first decides; the rest is told too. */
static void also(int *code, int trouble)
{
	if (*code == DR_EXIT_OK)
		*code = trouble;
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
	char anchor[4096 + 16], words[160];

	snprintf(anchor, sizeof(anchor), "%s.anchor.yaml", out);
	bool good = dr_anchor_write(&init, config.profile_path, anchor, &error) == DR_OK &&
		    dr_live_start(&live, cli, &init, path, NULL, &fail);

	live.kept = write_kept;
	live.kept_ctx = file;
	live.session.journal = journal;
	while (good && dr_live_turn(&live, 1000, &fail))
		;
	const bool reached = live.session.has_status && live.session.status.final_number >= init.until;

	code = good || live.session.cli != NULL ? dr_live_end(&live) : DR_EXIT_ERROR;
	if (!dr_out_close(file) && fail.err == DR_OK)
		dr_fail_set(&fail, DR_ERR_IO, "writing the recording", (size_t)errno);
	if (error.text[0] != '\0') {
		also(&code,
		     trouble(cli, "io", "the recording's anchor file", error.text, anchor, "remove the old file"));
		unlink(out); /* nothing is in it */
	}
	if (fail.err != DR_OK)
		also(&code, trouble(cli, dr_err_name(fail.err), fail.what,
				    fail.err == DR_ERR_IO && fail.at != 0 ? strerror((int)fail.at) : NULL, out,
				    "look for a full disk; run derot doctor"));
	if (live.died != NULL && !live.session.has_fatal && !reached && fail.err == DR_OK) {
		dr_link_words(words, sizeof(words), live.died, live.status);
		also(&code, trouble(cli, "io", "the recording's processes live to its end", words, live.died,
				    "what is in the file is good as far as it goes; start again for more"));
	}
	if (code == DR_EXIT_OK && !reached)
		code = trouble(cli, "short", "the recording ended before that block was final", NULL, out,
			       "what is in the file is good as far as it goes; start again for more");
	dr_config_free(&config);
	return code;
}
