/* SPDX-License-Identifier: Apache-2.0
 *
 * derot keys: which form is meant, and the forms that show what the core has and make or change the key file.
 */
#include <inttypes.h>
#include <string.h>

#include "chain/crypto/argon2.h"
#include "kms-bridge/tell/pem.h"
#include "kms-bridge/tell/tell.h"
#include "watcher/anchor.h"
#include "watcher/keys.h"

#define RESEAL_MS 120000 /* Argon2id of a passphrase, twice, and every root anew */

/* derot keys init: the file with the sealing key. A core makes it, so that no other process sees it. */
static int keys_init(struct dr_cli *cli, const struct dr_keys_opts *o)
{
	static struct dr_init init;
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_asking a;
	uint64_t mib = 0;
	int code = dr_ask_config(&a, cli, o->config);

	if (code == DR_EXIT_OK && a.config->key_file[0] == '\0')
		code = dr_ask_trouble(cli, DR_EXIT_ERROR, "config", "the configuration names a key_file", NULL,
				      o->config, "add key_file");
	if (code == DR_EXIT_OK && o->argon2_mib != NULL && a.config->passphrase_file[0] == '\0')
		code = dr_cli_usage(cli,
				    "--argon2-mib is for a key wrapped under a passphrase: the configuration "
				    "names no passphrase_file",
				    NULL);
	if (code == DR_EXIT_OK && o->argon2_mib != NULL &&
	    (!dr_ask_number(&mib, o->argon2_mib, DR_ARGON2_MIB_MAX) || mib < DR_ARGON2_MIB_MIN))
		code = dr_cli_usage(cli, "--argon2-mib is 8 to 4096", o->argon2_mib);
	if (code == DR_EXIT_OK &&
	    (dr_config_init(&init, a.config, DR_MODE_KEY_FILE, &fail) != DR_OK ||
	     dr_link_core(&a.core, -1, &fail) != DR_OK ||
	     (init.argon2_mib = (uint32_t)mib, dr_init_put(&a.core.out, DR_MSG_INIT, &init, &fail) != DR_OK)))
		code = dr_ask_failed(cli, &fail, o->config, "run derot doctor");
	if (code == DR_EXIT_OK)
		code = dr_ask_answer(&a, DR_MSG_READY, &payload);
	if (code == DR_EXIT_OK) {
		json_t *obj = json_object();
		const char *made = "32 random bytes, readable by this user only; without it no root opens again";

		if (a.config->passphrase_file[0] != '\0')
			made = "32 random bytes, wrapped under the passphrase; without both no root opens again";
		json_object_set_new(obj, "key_file", dr_out_json_text(a.config->key_file));
		if (a.config->passphrase_file[0] != '\0') {
			json_object_set_new(obj, "passphrase_file", dr_out_json_text(a.config->passphrase_file));
			json_object_set_new(obj, "argon2_mib",
					    json_integer(mib != 0 ? (json_int_t)mib : DR_ARGON2_MIB_DEFAULT));
		}
		json_object_set_new(obj, "made", json_string(made));
		dr_out_object(&cli->out, obj);
		json_decref(obj);
	}
	dr_ask_close(&a);
	return code;
}

/* registerNode(role 1, measurement, enc_key, tee, family, svn, device), as far as it is known here: what the node
 * runs on is the operator's to say until there is attestation. */
static int registration(struct dr_asking *a, json_t *obj, const struct dr_node_public *node,
			const struct dr_keys_opts *o)
{
	static const char signature[] = "registerNode(uint64,bytes32,bytes32,bytes32,bytes32,uint64,bytes32)";
	uint8_t words[7][32] = { 0 }, data[DR_KEYS_CALL_MAX];
	const struct {
		const char *name, *text;
		uint8_t *to;
	} said[] = {
		{ "--measurement", o->measurement, words[1] },
		{ "--tee", o->tee, words[3] },
		{ "--family", o->family, words[4] },
		{ "--device", o->device, words[6] },
	};
	uint64_t svn = 0;

	json_object_set_new(obj, "register",
			    json_sprintf("%s: 1 (KMS), measurement, enc_key, tee, family, svn, device", signature));
	if (o->measurement == NULL && o->tee == NULL && o->family == NULL && o->svn == NULL && o->device == NULL)
		return DR_EXIT_OK;
	if (o->measurement == NULL)
		return dr_cli_usage(a->cli, "a registration needs --measurement", NULL);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (said[i].text != NULL && !dr_word_parse(said[i].to, said[i].text))
			return dr_cli_usage(a->cli, "0x and hex digits, or at most 31 characters", said[i].name);
	if (o->svn != NULL && !dr_ask_number(&svn, o->svn, UINT64_MAX))
		return dr_cli_usage(a->cli, "--svn takes a number", o->svn);
	dr_word_put(words[0], 1);
	memcpy(words[2], node->enc_key, 32);
	dr_word_put(words[5], svn);
	json_object_set_new(obj, "to", dr_tell_hex(a->config->contract, 20));
	json_object_set_new(obj, "from", dr_tell_hex(a->config->node, 20));
	json_object_set_new(obj, "data",
			    dr_tell_hex(data, dr_keys_call(data, signature, (const uint8_t(*)[32])words, 7)));
	return DR_EXIT_OK;
}

int dr_keys_node(struct dr_asking *a, struct dr_node_public *node)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	int code = dr_ask_send(a, DR_MSG_NODE_GET, NULL, 0);

	if (code == DR_EXIT_OK)
		code = dr_ask_answer(a, DR_MSG_NODE, &payload);
	if (code == DR_EXIT_OK && dr_node_public_get(node, payload, &fail) != DR_OK)
		code = dr_ask_odd(a, &fail);
	return code;
}

static int keys_node(struct dr_cli *cli, const struct dr_keys_opts *o)
{
	static struct dr_node_public node;
	struct dr_asking a;
	int code = dr_ask_open(&a, cli, o->config);

	if (code == DR_EXIT_OK)
		code = dr_keys_node(&a, &node);
	if (code == DR_EXIT_OK && dr_bytes_zero(node.enc_key, 32))
		code = dr_ask_trouble(cli, DR_EXIT_SEALED, "none", "this node has no keys of its own yet", NULL,
				      "derot-core", "it makes them when it first runs with a key file");
	if (code == DR_EXIT_OK) {
		json_t *obj = dr_tell_node(&node);

		code = registration(&a, obj, &node, o);
		if (code == DR_EXIT_OK)
			dr_out_object(&cli->out, obj);
		json_decref(obj);
	}
	dr_ask_close(&a);
	return code;
}

int dr_keys_root(struct dr_asking *a, struct dr_root_public *root, uint64_t generation)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	uint8_t want[8];
	int code;

	dr_be64_put(want, generation);
	code = dr_ask_send(a, DR_MSG_ROOT_GET, want, sizeof(want));
	if (code == DR_EXIT_OK)
		code = dr_ask_answer(a, DR_MSG_ROOT, &payload);
	if (code == DR_EXIT_OK && dr_root_public_get(root, payload, &fail) != DR_OK)
		code = dr_ask_odd(a, &fail);
	if (code == DR_EXIT_OK && root->generation == 0)
		code = dr_ask_trouble(a->cli, DR_EXIT_SEALED, "none", "this node holds no such root generation", NULL,
				      "derot-core",
				      "a council rotation that names this node, final and due, makes one");
	return code;
}

static int keys_public(struct dr_cli *cli, const struct dr_keys_opts *o)
{
	static const char *const names[10] = { "scheme", "prf_pub", "prf_c", "prf_s",  "sig_pub",
					       "sig_r",  "sig_s",   "quote", "prev_r", "prev_s" };
	uint8_t data[DR_KEYS_CALL_MAX];
	struct dr_root_public root;
	struct dr_asking a;
	int code = dr_ask_open(&a, cli, o->config);

	if (code == DR_EXIT_OK)
		code = dr_keys_root(&a, &root, o->wanted);
	if (code == DR_EXIT_OK) {
		json_t *obj = json_object();

		json_object_set_new(obj, "generation", json_integer((json_int_t)root.generation));
		json_object_set_new(obj, "published", json_boolean(root.published_equal));
		for (size_t i = 0; i < 10; i++)
			json_object_set_new(obj, names[i], dr_tell_hex(root.words[i], 32));
		json_object_set_new(obj, "to", dr_tell_hex(a.config->contract, 20));
		json_object_set_new(obj, "from", dr_tell_hex(a.config->node, 20));
		json_object_set_new(obj, "data", dr_tell_hex(data, dr_keys_call_publish(data, &root)));
		dr_out_object(&cli->out, obj);
		json_decref(obj);
	}
	dr_ask_close(&a);
	return code;
}

/* Certificates as PEM: the bare text, so that it can go into a file; in JSON a list. The application's, then the
 * root's (which the core says first): plain tools take the first of a file for the one that is meant. */
static int keys_certificate(struct dr_cli *cli, const struct dr_keys_opts *o)
{
	struct dr_certificate_query query = { .generation = o->wanted, .has_app = o->app != NULL };
	const bool bare = cli->out.format == DR_FORMAT_AUTO || cli->out.format == DR_FORMAT_TABLE;
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_asking a;
	struct dr_buf pem;
	json_t *list = json_array();
	size_t root_len = 0;
	uint16_t type = 0;
	int code;

	if (o->app != NULL && !dr_word_parse(query.app, o->app)) {
		json_decref(list);
		return dr_cli_usage(cli, "0x and hex digits, or at most 31 characters", "--app");
	}
	dr_buf_init(&pem, 1u << 24);
	code = dr_ask_open(&a, cli, o->config);
	a.next = "a generation has one once it is published and held; derot status tells which is";
	a.may_lack = true;
	if (code == DR_EXIT_OK &&
	    dr_certificate_query_put(&a.core.out, DR_MSG_CERTIFICATE_GET, &query, &fail) != DR_OK)
		code = dr_ask_odd(&a, &fail);
	while (code == DR_EXIT_OK && (code = dr_ask_next(&a, &type, &payload, DR_ASK_MS)) == DR_EXIT_OK &&
	       type == DR_MSG_CERTIFICATE) {
		const size_t begin = pem.len;
		struct dr_run run;

		if (dr_run_get(&run, payload, &fail) != DR_OK ||
		    dr_pem_put(&pem, "CERTIFICATE", run.bytes, &fail) != DR_OK)
			code = dr_ask_odd(&a, &fail);
		else if (begin == 0)
			root_len = pem.len;
		else
			json_array_append_new(list, json_stringn((const char *)pem.ptr + begin, pem.len - begin));
	}
	if (code == DR_EXIT_OK && type != DR_MSG_LOG_END)
		code = dr_ask_odd(&a, &fail);
	if (code == DR_EXIT_OK && (pem.len == 0 || (o->app != NULL && pem.len == root_len)))
		code = dr_ask_trouble(cli, DR_EXIT_SEALED, "none", "this node has no such certificate", NULL,
				      "derot-core",
				      "a generation has one once it is published and held; an application, once it "
				      "was given a key for sign or tls");
	if (code == DR_EXIT_OK)
		json_array_append_new(list, json_stringn((const char *)pem.ptr, root_len));
	if (code == DR_EXIT_OK && bare) {
		fwrite(pem.ptr + root_len, 1, pem.len - root_len, cli->out.out);
		fwrite(pem.ptr, 1, root_len, cli->out.out);
	} else if (code == DR_EXIT_OK) {
		json_t *obj = json_pack("{s:O}", "certificates", list);

		dr_out_object(&cli->out, obj);
		json_decref(obj);
	}
	json_decref(list);
	dr_buf_free(&pem);
	dr_ask_close(&a);
	return code;
}

/* A new sealing key. The core makes it and seals everything anew; the old file is of no use to anybody then. */
static int keys_reseal(struct dr_cli *cli, const struct dr_keys_opts *o)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_asking a;
	struct dr_done done;
	uint16_t type = 0;
	int code = dr_ask_open(&a, cli, o->config);

	if (code == DR_EXIT_OK)
		code = dr_ask_send(&a, DR_MSG_RESEAL, NULL, 0);
	if (code == DR_EXIT_OK)
		code = dr_ask_next(&a, &type, &payload, RESEAL_MS);
	if (code == DR_EXIT_OK && (type != DR_MSG_DONE || dr_done_get(&done, payload, &fail) != DR_OK))
		code = dr_ask_odd(&a, &fail);
	if (code == DR_EXIT_OK) {
		json_t *obj = json_object();

		json_object_set_new(obj, "done", dr_out_json_text(done.what));
		json_object_set_new(obj, "key_file", dr_out_json_text(a.config->key_file));
		dr_out_object(&cli->out, obj);
		json_decref(obj);
	}
	dr_ask_close(&a);
	return code;
}

/* Every form and the options that it knows. */
#define TX "account-key tx-nonce gas max-fee max-fee-gwei priority-fee "
#define REQUEST                                                                                                      \
	"app measurement service contract purpose from tee family device svn confidence advisory before "            \
	"root-before "
static const struct form {
	const char *name;
	int (*run)(struct dr_cli *cli, const struct dr_keys_opts *o);
	const char *options; /* each with a blank behind it; --config is everybody's */
	bool file;           /* takes one argument, which may be left out */
} forms[] = {
	{ "init", keys_init, "argon2-mib ", false },
	{ "node", keys_node, "measurement tee family device svn ", false },
	{ "public", keys_public, "generation ", false },
	{ "publish", dr_cmd_keys_publish, "generation " TX, false },
	{ "heartbeat", dr_cmd_keys_heartbeat, TX, false },
	{ "share", dr_cmd_keys_share, "to generation out socket ", false },
	{ "accept", dr_cmd_keys_accept, "socket ", true },
	{ "derive", dr_cmd_keys_derive, REQUEST "recipient recipient-file prove ", false },
	{ "certificate", keys_certificate, "generation app ", false },
	{ "reseal", keys_reseal, "", false },
};

static bool is_set(const struct dr_opt *opt)
{
	switch (opt->kind) {
	case DR_OPT_FLAG: return *(const bool *)opt->to;
	case DR_OPT_VALUE: return *(const char *const *)opt->to != NULL;
	case DR_OPT_LIST: return ((const struct dr_opt_list *)opt->to)->num > 0;
	}
	return false;
}

static bool knows(const struct form *form, const char *option)
{
	const size_t len = strlen(option);

	for (const char *at = form->options; (at = strstr(at, option)) != NULL; at += len)
		if ((at == form->options || at[-1] == ' ') && at[len] == ' ')
			return true;
	return false;
}

int dr_cmd_keys(struct dr_cli *cli, int argc, char **argv)
{
	static const char which[] = "which form of keys?";
	static struct dr_keys_opts o;
	const struct dr_opt opts[] = {
		{ "config", 'c', DR_OPT_VALUE, &o.config },
		{ "generation", 0, DR_OPT_VALUE, &o.generation },
		{ "to", 0, DR_OPT_VALUE, &o.to },
		{ "out", 'o', DR_OPT_VALUE, &o.out },
		{ "socket", 0, DR_OPT_VALUE, &o.socket },
		{ "argon2-mib", 0, DR_OPT_VALUE, &o.argon2_mib },
		{ "account-key", 0, DR_OPT_VALUE, &o.account_key },
		{ "tx-nonce", 0, DR_OPT_VALUE, &o.tx_nonce },
		{ "gas", 0, DR_OPT_VALUE, &o.gas },
		{ "max-fee", 0, DR_OPT_VALUE, &o.max_fee },
		{ "max-fee-gwei", 0, DR_OPT_VALUE, &o.max_fee_gwei },
		{ "priority-fee", 0, DR_OPT_VALUE, &o.priority_fee },
		{ "app", 0, DR_OPT_VALUE, &o.app },
		{ "measurement", 0, DR_OPT_VALUE, &o.measurement },
		{ "service", 0, DR_OPT_VALUE, &o.service },
		{ "contract", 0, DR_OPT_VALUE, &o.contract },
		{ "purpose", 0, DR_OPT_VALUE, &o.purpose },
		{ "from", 0, DR_OPT_VALUE, &o.from },
		{ "tee", 0, DR_OPT_VALUE, &o.tee },
		{ "family", 0, DR_OPT_VALUE, &o.family },
		{ "device", 0, DR_OPT_VALUE, &o.device },
		{ "svn", 0, DR_OPT_VALUE, &o.svn },
		{ "confidence", 0, DR_OPT_VALUE, &o.confidence },
		{ "advisory", 0, DR_OPT_LIST, &o.advisories },
		{ "before", 0, DR_OPT_FLAG, &o.before },
		{ "root-before", 0, DR_OPT_FLAG, &o.root_before },
		{ "recipient", 0, DR_OPT_VALUE, &o.recipient },
		{ "recipient-file", 0, DR_OPT_VALUE, &o.recipient_file },
		{ "prove", 0, DR_OPT_FLAG, &o.prove },
	};
	const struct form *form = NULL;
	int code;

	memset(&o, 0, sizeof(o));
	code = dr_cli_options(cli, &argc, argv, opts, sizeof(opts) / sizeof(opts[0]));
	if (code != DR_EXIT_OK)
		return code;
	if (argc < 2)
		return dr_cli_usage(cli, which, NULL);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(argv[1], forms[i].name) == 0)
			form = &forms[i];
	if (form == NULL)
		return dr_cli_usage(cli, which, argv[1]);
	if (argc > (form->file ? 3 : 2))
		return dr_cli_usage(cli, "unexpected argument", argv[form->file ? 3 : 2]);
	for (size_t i = 1; i < sizeof(opts) / sizeof(opts[0]); i++)
		if (is_set(&opts[i]) && !knows(form, opts[i].name))
			return dr_cli_usage(cli, "this form does not take", opts[i].name);
	if (o.generation != NULL && !dr_ask_number(&o.wanted, o.generation, INT64_MAX))
		return dr_cli_usage(cli, "--generation takes a number", o.generation);
	o.file = argc > 2 ? argv[2] : NULL;
	return form->run(cli, &o);
}
