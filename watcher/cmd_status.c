/* SPDX-License-Identifier: Apache-2.0
 *
 * derot status: what the running core says of itself.
 */
#include "kms-bridge/tell/tell.h"
#include "watcher/ask.h"

int dr_cmd_status(struct dr_cli *cli, int argc, char **argv)
{
	static struct dr_status_report status;
	const char *path = NULL;
	const struct dr_opt opts[] = { { "config", 'c', DR_OPT_VALUE, &path } };
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_asking a;
	int code = dr_cli_options(cli, &argc, argv, opts, 1);

	if (code != DR_EXIT_OK)
		return code;
	if (argc > 1)
		return dr_cli_usage(cli, "unexpected argument", argv[1]);
	code = dr_ask_open(&a, cli, path);
	if (code == DR_EXIT_OK)
		code = dr_ask_send(&a, DR_MSG_STATUS_GET, NULL, 0);
	if (code == DR_EXIT_OK)
		code = dr_ask_answer(&a, DR_MSG_STATUS, &payload);
	if (code == DR_EXIT_OK && dr_status_report_get(&status, payload, &fail) != DR_OK)
		code = dr_ask_odd(&a, &fail);
	if (code == DR_EXIT_OK) {
		json_t *obj = dr_tell_status(&status);

		dr_out_object(&cli->out, obj);
		json_decref(obj);
		code = status.sealed ? DR_EXIT_SEALED : DR_EXIT_OK;
	}
	dr_ask_close(&a);
	return code;
}
