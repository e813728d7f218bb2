/* SPDX-License-Identifier: Apache-2.0
 *
 * derot verify bls: one signature under many keys.
 */
#include "watcher/cmd_verify.h"

#include <string.h>

#include "chain/base/hex.h"
#include "watcher/json_evm.h"

/* A hex argument; memory from the arena. */
static bool argument(struct dr_bytes *out, const char *text, struct dr_check *c)
{
	struct dr_fail fail = { DR_OK, NULL, 0 };
	const size_t cap = strlen(text) / 2;
	uint8_t *ptr = dr_arena_alloc(c->arena, cap + 1);
	size_t len = 0;

	if (ptr == NULL || dr_hex_data(ptr, cap, &len, text, strlen(text), &fail) != DR_OK)
		return false;
	*out = dr_bytes_of(ptr, len);
	return true;
}

int dr_cmd_verify_bls(struct dr_cli *cli, const struct dr_verify_opts *opts, char **files, int num)
{
	struct dr_fail fail = { DR_OK, NULL, 0 };
	struct dr_bytes message, signature;
	struct dr_check c;
	struct dr_buf text;
	json_t *keys = NULL;
	int code;

	if (opts->message == NULL || opts->signature == NULL)
		return dr_cli_usage(cli, "give --message and --signature", NULL);
	if (num != 1)
		return dr_cli_usage(cli, num == 0 ? "files are missing" : "too many files", NULL);
	if (!dr_check_init(&c)) {
		fputs("derot: no memory\n", cli->out.err);
		return DR_EXIT_ERROR;
	}
	const bool good_message = argument(&message, opts->message, &c);

	if (!good_message || !argument(&signature, opts->signature, &c)) {
		dr_check_free(&c);
		return dr_cli_usage(cli, "must be 0x and an even number of hexadecimal digits",
				    good_message ? "--signature" : "--message");
	}
	if (dr_verify_read(&text, files[0], c.got, sizeof(c.got), &fail) != DR_OK ||
	    dr_json_load(&keys, dr_buf_view(&text), &fail) != DR_OK)
		dr_check_read(&c, &fail, "");
	else
		dr_verify_bls(&c, keys, message, signature);
	dr_buf_free(&text);
	code = dr_verify_answer(cli, "bls", &c, strcmp(c.at, "signature") == 0 ? "--signature" : files[0]);
	json_decref(keys);
	dr_check_free(&c);
	return code;
}
