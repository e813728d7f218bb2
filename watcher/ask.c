/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int dr_ask_trouble(struct dr_cli *cli, int exit, const char *code, const char *what, const char *got,
		   const char *source, const char *next)
{
	dr_out_trouble(&cli->out, &(struct dr_trouble){ .code = code,
							.what = what,
							.got = got,
							.source = source,
							.state = "nothing was changed",
							.next = next });
	return exit;
}

int dr_ask_failed(struct dr_cli *cli, const struct dr_fail *fail, const char *source, const char *next)
{
	const char *got = fail->err == DR_ERR_IO && fail->at != 0 ? strerror((int)fail->at) : NULL;

	return dr_ask_trouble(cli, DR_EXIT_ERROR, dr_err_name(fail->err), fail->what, got, source, next);
}

int dr_ask_config(struct dr_asking *a, struct dr_cli *cli, const char *path)
{
	static struct dr_config config;
	struct dr_yaml_error error = { "" };

	memset(a, 0, sizeof(*a));
	a->cli = cli;
	a->path = path;
	a->core.fd = -1;
	if (path == NULL)
		return dr_cli_usage(cli, "which configuration? give -c FILE", NULL);
	if (dr_config_load(&config, path, &error) != DR_OK)
		return dr_ask_trouble(cli, DR_EXIT_ERROR, "config", "the configuration", error.text, path, "mend it");
	a->config = &config;
	return DR_EXIT_OK;
}

int dr_ask_open(struct dr_asking *a, struct dr_cli *cli, const char *path)
{
	const int code = dr_ask_config(a, cli, path);
	struct dr_fail fail = { 0 };

	if (code != DR_EXIT_OK)
		return code;
	if (a->config->data_dir[0] == '\0')
		return dr_ask_trouble(cli, DR_EXIT_ERROR, "config", "the configuration names a data_dir", NULL, path,
				      "add data_dir; the running core's socket is in it");
	if (dr_link_socket(&a->core, a->config->data_dir, &fail) != DR_OK)
		return dr_ask_failed(cli, &fail, a->config->data_dir, "start it with derot run -c FILE");
	return DR_EXIT_OK;
}

void dr_ask_close(struct dr_asking *a)
{
	dr_link_end(&a->core);
	if (a->config != NULL)
		dr_config_free(a->config);
	a->config = NULL;
}

int dr_ask_send(struct dr_asking *a, uint16_t type, const void *ptr, size_t len)
{
	struct dr_fail fail = { 0 };

	return dr_link_send(&a->core, type, dr_bytes_of(ptr, len), &fail) == DR_OK
		       ? DR_EXIT_OK
		       : dr_ask_failed(a->cli, &fail, "derot-core", "try again");
}

int dr_ask_next(struct dr_asking *a, uint16_t *type, struct dr_bytes *payload, int timeout_ms)
{
	struct dr_fail fail = { 0 };
	struct dr_error error;

	if (!dr_link_wait(&a->core, type, payload, timeout_ms, &fail))
		return dr_ask_trouble(a->cli, DR_EXIT_ERROR, fail.err != DR_OK ? dr_err_name(fail.err) : "io",
				      fail.err != DR_OK ? fail.what : "the core ended the conversation", NULL,
				      "derot-core", "look at the output of derot run");
	if ((*type == DR_MSG_ERROR || *type == DR_MSG_FATAL) && dr_error_get(&error, *payload, &fail) == DR_OK) {
		const bool later = error.err == DR_ERR_STALE || (a->may_lack && error.err == DR_ERR_UNKNOWN);

		return dr_ask_trouble(a->cli, later ? DR_EXIT_SEALED : DR_EXIT_ERROR,
				      dr_err_name((enum dr_err)error.err), error.what, NULL, "derot-core",
				      a->next != NULL ? a->next
						      : "derot status tells whether keys are sealed and why; derot "
							"audit log --journal, what this node did");
	}
	return DR_EXIT_OK;
}

int dr_ask_answer(struct dr_asking *a, uint16_t expected, struct dr_bytes *payload)
{
	uint16_t type;
	const int code = dr_ask_next(a, &type, payload, DR_ASK_MS);

	return code != DR_EXIT_OK || type == expected ? code : dr_ask_odd(a, &(struct dr_fail){ 0 });
}

int dr_ask_odd(struct dr_asking *a, const struct dr_fail *fail)
{
	return dr_ask_trouble(a->cli, DR_EXIT_ERROR, fail->err != DR_OK ? dr_err_name(fail->err) : "syntax",
			      fail->err != DR_OK ? fail->what : "an answer of another kind than asked for", NULL,
			      "derot-core", "are derot and derot-core of one version?");
}

bool dr_ask_number(uint64_t *out, const char *text, uint64_t max)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && text[0] >= '0' && text[0] <= '9' && *out <= max;
}
