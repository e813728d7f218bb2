/* SPDX-License-Identifier: Apache-2.0
 *
 * derot verify beacon: light-client data from a checkpoint on.
 */
#include "watcher/cmd_verify.h"

#include <string.h>
#include <time.h>

#include "chain/base/hex.h"
#include "watcher/json_beacon.h"
#include "watcher/json_network.h"

static bool decimal(uint64_t *out, const char *text)
{
	struct dr_fail fail = { DR_OK, NULL, 0 };
	uint8_t le[8];

	*out = 0;
	if (dr_json_decimal(le, sizeof(le), text, strlen(text), &fail) != DR_OK)
		return false;
	for (size_t i = sizeof(le); i-- > 0;)
		*out = *out << 8 | le[i];
	return true;
}

/* Which network the options name. False: c holds the failure, *source its file. */
static bool network_of(struct dr_network *net, const struct dr_verify_opts *opts, struct dr_check *c,
		       const char **source)
{
	struct dr_fail fail = { DR_OK, NULL, 0 };
	struct dr_network_notes notes;

	if (opts->network != NULL) {
		*net = *dr_network_named(opts->network);
		return true;
	}
	if (dr_json_network_load(net, opts->spec, opts->genesis, false, &notes, &fail) == DR_OK)
		return true;
	*source = notes.file == DR_NETWORK_SPEC ? opts->spec : opts->genesis;
	/* Of a file that cannot be read there is no member: it is what the system said. */
	if (fail.err == DR_ERR_IO)
		snprintf(c->got, sizeof(c->got), "%s", notes.at);
	dr_check_read(c, &fail, fail.err == DR_ERR_IO ? "" : notes.at);
	return false;
}

static const char *verify(struct dr_verify_beacon *b, char **files, int num)
{
	struct dr_check *c = b->c;
	int i = 0;

	for (; i < num; i++) {
		struct dr_fail fail = { DR_OK, NULL, 0 };
		struct dr_buf content;

		if (dr_verify_read(&content, files[i], c->got, sizeof(c->got), &fail) == DR_OK)
			dr_verify_beacon_file(b, files[i], dr_buf_view(&content));
		else
			dr_check_fail(c, fail.err, fail.what, "", "");
		dr_buf_free(&content);
		if (!dr_check_ok(c))
			break;
	}
	dr_verify_beacon_end(b);
	return files[i < num ? i : 0];
}

int dr_cmd_verify_beacon(struct dr_cli *cli, const struct dr_verify_opts *opts, char **files, int num)
{
	const bool by_files = opts->spec != NULL || opts->genesis != NULL;
	struct dr_fail fail = { DR_OK, NULL, 0 };
	struct dr_verify_beacon b;
	struct dr_network net;
	struct dr_check c;
	uint8_t checkpoint[32];
	uint64_t now = (uint64_t)time(NULL);
	const char *source = NULL;
	int code;

	if ((opts->network != NULL) == by_files || (by_files && (opts->spec == NULL || opts->genesis == NULL)))
		return dr_cli_usage(cli, "which network? give --network, or --spec and --genesis", NULL);
	if (opts->network != NULL && dr_network_named(opts->network) == NULL)
		return dr_cli_usage(cli, "no such network is built in", opts->network);
	if (opts->checkpoint == NULL)
		return dr_cli_usage(cli, "from where on? give --checkpoint", NULL);
	if (dr_hex_fixed(checkpoint, 32, opts->checkpoint, strlen(opts->checkpoint), &fail) != DR_OK)
		return dr_cli_usage(cli, "--checkpoint must be 0x and 64 hexadecimal digits", opts->checkpoint);
	if (opts->now != NULL && !decimal(&now, opts->now))
		return dr_cli_usage(cli, "--now must be seconds since 1970", opts->now);
	if (num == 0)
		return dr_cli_usage(cli, "files are missing", NULL);
	if (!dr_check_init(&c)) {
		fputs("derot: no memory\n", cli->out.err);
		return DR_EXIT_ERROR;
	}
	if (network_of(&net, opts, &c, &source)) {
		dr_verify_beacon_begin(&b, &c, &net, checkpoint, now);
		json_object_set_new(c.facts, "now_from", json_string(opts->now != NULL ? "--now" : "system clock"));
		source = verify(&b, files, num);
	}
	code = dr_verify_answer(cli, "beacon", &c, source);
	dr_check_free(&c);
	return code;
}
