/* SPDX-License-Identifier: Apache-2.0
 *
 * derot status, derot keys: short questions to the running core, over its socket.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/base/hex.h"
#include "chain/crypto/keccak.h"
#include "kms-bridge/tell/tell.h"
#include "watcher/anchor.h"
#include "watcher/cli.h"
#include "watcher/config.h"
#include "watcher/link.h"

#define ANSWER_MS 30000

struct asking {
	struct dr_cli *cli;
	struct dr_config *config;
	struct dr_link core;
};

static int trouble(struct dr_cli *cli, int exit, const char *code, const char *what, const char *got,
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

static int open_core(struct asking *a, struct dr_cli *cli, const char *path)
{
	static struct dr_config config;
	struct dr_yaml_error error = { "" };
	struct dr_fail fail = { 0 };

	memset(a, 0, sizeof(*a));
	a->cli = cli;
	a->core.fd = -1;
	if (path == NULL)
		return dr_cli_usage(cli, "which configuration? give -c FILE", NULL);
	if (dr_config_load(&config, path, &error) != DR_OK)
		return trouble(cli, DR_EXIT_ERROR, "config", "the configuration", error.text, path, "mend it");
	a->config = &config;
	if (config.data_dir[0] == '\0')
		return trouble(cli, DR_EXIT_ERROR, "config", "the configuration names a data_dir", NULL, path,
			       "add data_dir; the running core's socket is in it");
	if (dr_link_socket(&a->core, config.data_dir, &fail) != DR_OK)
		return trouble(cli, DR_EXIT_ERROR, dr_err_name(fail.err), fail.what, strerror((int)fail.at),
			       config.data_dir, "start it with derot run -c FILE");
	return DR_EXIT_OK;
}

static void close_core(struct asking *a)
{
	dr_link_end(&a->core);
	if (a->config != NULL)
		dr_config_free(a->config);
}

/* Sends what is queued and waits for the one answer. */
static int answer(struct asking *a, uint16_t expected, struct dr_bytes *payload)
{
	struct dr_fail fail = { 0 };
	struct dr_error error;
	uint16_t type;

	if (!dr_link_wait(&a->core, &type, payload, ANSWER_MS, &fail))
		return trouble(a->cli, DR_EXIT_ERROR, fail.err != DR_OK ? dr_err_name(fail.err) : "io",
			       fail.err != DR_OK ? fail.what : "the core ended the conversation", NULL, "derot-core",
			       "look at the output of derot run");
	if (type == expected)
		return DR_EXIT_OK;
	if ((type == DR_MSG_ERROR || type == DR_MSG_FATAL) && dr_error_get(&error, *payload, &fail) == DR_OK)
		return trouble(a->cli, DR_EXIT_ERROR, dr_err_name((enum dr_err)error.err), error.what, NULL,
			       "derot-core", "see what it says");
	return trouble(a->cli, DR_EXIT_ERROR, "syntax", "an answer of another kind than asked for", NULL,
		       "derot-core", "are derot and derot-core of one version?");
}

int dr_cmd_status(struct dr_cli *cli, int argc, char **argv)
{
	static struct dr_status_report status;
	const char *path = NULL;
	const struct dr_opt opts[] = { { "config", 'c', DR_OPT_VALUE, &path } };
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct asking a;
	int code = dr_cli_options(cli, &argc, argv, opts, 1);

	if (code != DR_EXIT_OK)
		return code;
	if (argc > 1)
		return dr_cli_usage(cli, "unexpected argument", argv[1]);
	code = open_core(&a, cli, path);
	if (code == DR_EXIT_OK) {
		dr_link_send(&a.core, DR_MSG_STATUS_GET, (struct dr_bytes){ NULL, 0 }, &fail);
		code = answer(&a, DR_MSG_STATUS, &payload);
	}
	if (code == DR_EXIT_OK && dr_status_report_get(&status, payload, &fail) != DR_OK)
		code = trouble(cli, DR_EXIT_ERROR, dr_err_name(fail.err), fail.what, NULL, "derot-core",
			       "report this");
	if (code == DR_EXIT_OK) {
		json_t *obj = dr_tell_status(&status);

		dr_out_object(&cli->out, obj);
		json_decref(obj);
		code = status.sealed ? DR_EXIT_SEALED : DR_EXIT_OK;
	}
	close_core(&a);
	return code;
}

/* derot keys init: the file with the sealing key. A core makes it, so that no other process sees it. */
static int keys_init(struct dr_cli *cli, const char *path)
{
	static struct dr_config config;
	static struct dr_init init;
	struct dr_yaml_error error = { "" };
	struct dr_fail fail = { 0 };
	struct asking a = { .cli = cli, .config = &config };
	struct dr_bytes payload;

	if (path == NULL)
		return dr_cli_usage(cli, "which configuration? give -c FILE", NULL);
	if (dr_config_load(&config, path, &error) != DR_OK)
		return trouble(cli, DR_EXIT_ERROR, "config", "the configuration", error.text, path, "mend it");
	int code = DR_EXIT_OK;

	if (config.key_file[0] == '\0')
		code = trouble(cli, DR_EXIT_ERROR, "config", "the configuration names a key_file", NULL, path,
			       "add key_file");
	else if (dr_config_init(&init, &config, DR_MODE_KEY_FILE, &fail) != DR_OK ||
		 dr_link_core(&a.core, -1, &fail) != DR_OK ||
		 dr_init_put(&a.core.out, DR_MSG_INIT, &init, &fail) != DR_OK)
		code = trouble(cli, DR_EXIT_ERROR, dr_err_name(fail.err), fail.what, NULL, path, "run derot doctor");
	else
		code = answer(&a, DR_MSG_READY, &payload);
	if (code == DR_EXIT_OK) {
		json_t *obj =
			json_pack("{s:s, s:s}", "key_file", config.key_file, "made",
				  "32 random bytes, readable by this user only; without it no root opens again");

		dr_out_object(&cli->out, obj);
		json_decref(obj);
	}
	close_core(&a);
	return code;
}

/* The calldata of publishRoot(uint64,bytes32[10]). */
static json_t *publication(const struct dr_root_public *root)
{
	static const char signature[] = "publishRoot(uint64,bytes32[10])";
	uint8_t selector[32], word[32];
	char text[2 + 8 + 64 * 11 + 1] = "0x";

	dr_keccak256(selector, signature, sizeof(signature) - 1);
	dr_hex_put(text + 2, selector, 4);
	dr_word_put(word, root->generation);
	dr_hex_put(text + 10, word, 32);
	for (size_t i = 0; i < 10; i++)
		dr_hex_put(text + 74 + 64 * i, root->words[i], 32);
	return json_string(text);
}

static int keys_public(struct dr_cli *cli, const char *path, uint64_t generation)
{
	static const char *const names[10] = { "scheme", "prf_pub", "prf_c", "prf_s",  "sig_pub",
					       "sig_r",  "sig_s",   "quote", "prev_r", "prev_s" };
	struct dr_root_public root;
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	uint8_t want[8];
	struct asking a;
	int code = open_core(&a, cli, path);

	dr_be64_put(want, generation);
	if (code == DR_EXIT_OK) {
		dr_link_send(&a.core, DR_MSG_ROOT_GET, dr_bytes_of(want, sizeof(want)), &fail);
		code = answer(&a, DR_MSG_ROOT, &payload);
	}
	if (code == DR_EXIT_OK && dr_root_public_get(&root, payload, &fail) != DR_OK)
		code = trouble(cli, DR_EXIT_ERROR, dr_err_name(fail.err), fail.what, NULL, "derot-core",
			       "report this");
	if (code == DR_EXIT_OK && root.generation == 0)
		code = trouble(cli, DR_EXIT_SEALED, "none", "this node holds no such root generation", NULL,
			       "derot-core", "a council rotation that names this node, final and due, makes one");
	if (code == DR_EXIT_OK) {
		json_t *obj = json_object();

		json_object_set_new(obj, "generation", json_integer((json_int_t)root.generation));
		json_object_set_new(obj, "published", json_boolean(root.published_equal));
		for (size_t i = 0; i < 10; i++)
			json_object_set_new(obj, names[i], dr_tell_hex(root.words[i], 32));
		json_object_set_new(obj, "to", dr_tell_hex(a.config->contract, 20));
		json_object_set_new(obj, "from", dr_tell_hex(a.config->node, 20));
		json_object_set_new(obj, "data", publication(&root));
		dr_out_object(&cli->out, obj);
		json_decref(obj);
	}
	close_core(&a);
	return code;
}

struct derive_opts {
	const char *app, *measurement, *service, *purpose, *from, *tee, *family, *device, *svn, *confidence;
	struct dr_opt_list advisories;
	bool before;
};

static bool number(uint64_t *out, const char *text, uint64_t max)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && text[0] >= '0' && text[0] <= '9' && *out <= max;
}

static int request_of(struct dr_cli *cli, struct dr_request *r, const struct derive_opts *o)
{
	const struct {
		const char *name, *text;
		uint8_t *to;
	} words[] = {
		{ "--app", o->app, r->app },
		{ "--measurement", o->measurement, r->measurement },
		{ "--service", o->service, r->service },
		{ "--from", o->from, r->from },
		{ "--tee", o->tee, r->tee },
		{ "--family", o->family, r->family },
		{ "--device", o->device, r->device },
	};
	uint64_t value;

	if (o->app == NULL || o->measurement == NULL)
		return dr_cli_usage(cli, "keys derive needs --app and --measurement", NULL);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].text != NULL && !dr_word_parse(words[i].to, words[i].text))
			return dr_cli_usage(cli, "0x and hex digits, or at most 31 characters", words[i].name);
	r->has_from = o->from != NULL;
	r->purpose = (uint8_t)dr_purpose_by_name(o->purpose != NULL ? o->purpose : "seal");
	if (r->purpose == DR_PURPOSE_NONE)
		return dr_cli_usage(cli, "--purpose is seal, sign, tls, storage, cluster or contract", o->purpose);
	r->back = o->before ? 1 : 0;
	r->confidence = 1;
	if (o->confidence != NULL) {
		if (!number(&value, o->confidence, 5) || value < 1)
			return dr_cli_usage(cli, "--confidence is 1 to 5", o->confidence);
		r->confidence = (uint8_t)value;
	}
	if (o->svn != NULL && !number(&r->svn, o->svn, UINT64_MAX))
		return dr_cli_usage(cli, "--svn takes a number", o->svn);
	for (size_t i = 0; i < o->advisories.num; i++) {
		if (i == DR_ADVISORIES_MAX || !dr_word_parse(r->advisories[i], o->advisories.values[i]))
			return dr_cli_usage(cli, "--advisory takes an id, up to 32 times", o->advisories.values[i]);
		r->num_advisories = (uint8_t)(i + 1);
	}
	return DR_EXIT_OK;
}

static int keys_derive(struct dr_cli *cli, const char *path, const struct derive_opts *o)
{
	struct dr_request request = { 0 };
	struct dr_key_answer key;
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	uint8_t encoded[DR_REQUEST_LEN_MAX];
	size_t len;
	struct asking a;
	int code = request_of(cli, &request, o);

	if (code != DR_EXIT_OK)
		return code;
	code = open_core(&a, cli, path);
	if (code == DR_EXIT_OK) {
		if (dr_request_encode(encoded, sizeof(encoded), &len, &request, &fail) != DR_OK)
			code = dr_cli_usage(cli, fail.what, NULL);
		else
			dr_link_send(&a.core, DR_MSG_KEY_GET, dr_bytes_of(encoded, len), &fail);
	}
	if (code == DR_EXIT_OK)
		code = answer(&a, DR_MSG_KEY, &payload);
	if (code == DR_EXIT_OK && dr_key_answer_get(&key, payload, &fail) != DR_OK)
		code = trouble(cli, DR_EXIT_ERROR, dr_err_name(fail.err), fail.what, NULL, "derot-core",
			       "report this");
	if (code == DR_EXIT_OK) {
		json_t *obj = dr_tell_decision(&key.decision);

		json_object_set_new(obj, "request", json_integer((json_int_t)key.request_idx));
		json_object_set_new(obj, "development_root", json_boolean(key.development));
		if (key.reason[0] != '\0')
			json_object_set_new(obj, "why", json_string(key.reason));
		if (key.key_len > 0)
			json_object_set_new(obj, "key", dr_tell_hex(key.key, key.key_len));
		dr_out_object(&cli->out, obj);
		json_decref(obj);
		code = key.decision.verdict == DR_ALLOW && key.key_len > 0 ? DR_EXIT_OK : DR_EXIT_SEALED;
	}
	explicit_bzero(&key, sizeof(key));
	close_core(&a);
	return code;
}

int dr_cmd_keys(struct dr_cli *cli, int argc, char **argv)
{
	static struct derive_opts o;
	const char *path = NULL, *generation = NULL;
	uint64_t wanted = 0;
	const struct dr_opt opts[] = {
		{ "config", 'c', DR_OPT_VALUE, &path },
		{ "generation", 0, DR_OPT_VALUE, &generation },
		{ "app", 0, DR_OPT_VALUE, &o.app },
		{ "measurement", 0, DR_OPT_VALUE, &o.measurement },
		{ "service", 0, DR_OPT_VALUE, &o.service },
		{ "purpose", 0, DR_OPT_VALUE, &o.purpose },
		{ "from", 0, DR_OPT_VALUE, &o.from },
		{ "tee", 0, DR_OPT_VALUE, &o.tee },
		{ "family", 0, DR_OPT_VALUE, &o.family },
		{ "device", 0, DR_OPT_VALUE, &o.device },
		{ "svn", 0, DR_OPT_VALUE, &o.svn },
		{ "confidence", 0, DR_OPT_VALUE, &o.confidence },
		{ "advisory", 0, DR_OPT_LIST, &o.advisories },
		{ "before", 0, DR_OPT_FLAG, &o.before },
	};
	memset(&o, 0, sizeof(o));
	const int code = dr_cli_options(cli, &argc, argv, opts, sizeof(opts) / sizeof(opts[0]));

	if (code != DR_EXIT_OK)
		return code;
	if (argc != 2)
		return dr_cli_usage(cli, "init, public or derive?", argc > 2 ? argv[2] : NULL);
	if (strcmp(argv[1], "init") == 0)
		return keys_init(cli, path);
	if (generation != NULL && !number(&wanted, generation, UINT64_MAX))
		return dr_cli_usage(cli, "--generation takes a number", generation);
	if (strcmp(argv[1], "public") == 0)
		return keys_public(cli, path, wanted);
	if (strcmp(argv[1], "derive") == 0)
		return keys_derive(cli, path, &o);
	return dr_cli_usage(cli, "init, public or derive?", argv[1]);
}
