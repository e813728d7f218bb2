/* SPDX-License-Identifier: Apache-2.0
 *
 * derot keys derive: asks for a key as an application would, and checks what comes: that the key is the one the
 * published root gives for what was asked, and nobody else's. An answer may be encrypted to a recipient; with the
 * recipient's own key in a file it is opened here.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "chain/base/hex.h"
#include "chain/crypto/box.h"
#include "chain/crypto/secret.h"
#include "chain/crypto/x25519.h"
#include "kms-bridge/derivation.h"
#include "kms-bridge/tell/pem.h"
#include "kms-bridge/tell/tell.h"
#include "watcher/anchor.h"
#include "watcher/keys.h"
#include "watcher/secret_file.h"

/* What a box holds. */
#define PLAIN_LEN (DR_DERIVATION_KEY_LEN + DR_DERIVATION_PROOF_LEN)

/* In locked memory: the recipient's secret, and what was inside the box. */
struct secrets {
	uint8_t recipient[32];
	uint8_t plain[PLAIN_LEN];
	uint8_t key[DR_DERIVATION_KEY_LEN]; /* as the proof says it is */
};

struct deriving {
	struct dr_asking a;
	const struct dr_keys_opts *o;
	struct dr_request request;
	uint8_t encoded[DR_REQUEST_LEN_MAX];
	size_t encoded_len;
	struct dr_key_answer answer;
	struct dr_bytes key, proof; /* borrowed of answer, or of secrets->plain; empty: none to be seen here */
	struct secrets *secrets;
	bool opened;
};

static int request_of(struct dr_cli *cli, struct dr_request *r, const struct dr_keys_opts *o)
{
	const struct {
		const char *name, *text;
		uint8_t *to;
	} words[] = {
		{ "--app", o->app, r->app },
		{ "--measurement", o->measurement, r->measurement },
		{ "--service", o->service, r->service },
		{ "--contract", o->contract, r->contract },
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
	r->root_back = o->root_before ? 1 : 0;
	r->confidence = 1;
	if (o->confidence != NULL) {
		if (!dr_ask_number(&value, o->confidence, 5) || value < 1)
			return dr_cli_usage(cli, "--confidence is 1 to 5", o->confidence);
		r->confidence = (uint8_t)value;
	}
	if (o->svn != NULL && !dr_ask_number(&r->svn, o->svn, UINT64_MAX))
		return dr_cli_usage(cli, "--svn takes a number", o->svn);
	for (size_t i = 0; i < o->advisories.num; i++) {
		if (i == DR_ADVISORIES_MAX || !dr_word_parse(r->advisories[i], o->advisories.values[i]))
			return dr_cli_usage(cli, "--advisory takes an id, up to 32 times", o->advisories.values[i]);
		r->num_advisories = (uint8_t)(i + 1);
	}
	return DR_EXIT_OK;
}

/* The recipient's own key: of the file, or new and then in the file. */
static int recipient_file(struct deriving *d)
{
	const char *path = d->o->recipient_file;
	struct dr_fail fail = { 0 };
	struct stat st;

	if (lstat(path, &st) != 0 && errno == ENOENT) {
		dr_secret_random(d->secrets->recipient, 32);
		dr_new_file_write(path, dr_bytes_of(d->secrets->recipient, 32), &fail);
	} else {
		dr_secret_file_read(d->secrets->recipient, path, &fail);
	}
	if (fail.err != DR_OK)
		return dr_ask_failed(d->a.cli, &fail, path, "name a new file, or one with an X25519 secret in it");
	dr_x25519_public(d->request.recipient, d->secrets->recipient);
	return DR_EXIT_OK;
}

static int recipient_of(struct deriving *d)
{
	const char *text = d->o->recipient;
	struct dr_fail fail = { 0 };

	if (text != NULL && d->o->recipient_file != NULL)
		return dr_cli_usage(d->a.cli, "--recipient or --recipient-file, not both", NULL);
	if (text != NULL && d->o->prove)
		return dr_cli_usage(d->a.cli, "the proof is inside the box: --prove needs --recipient-file", NULL);
	if (text != NULL && (dr_hex_fixed(d->request.recipient, 32, text, strlen(text), &fail) != DR_OK ||
			     dr_bytes_zero(d->request.recipient, 32)))
		return dr_cli_usage(d->a.cli, "--recipient is an X25519 public key, 0x and 64 hexadecimal digits",
				    text);
	return d->o->recipient_file != NULL ? recipient_file(d) : DR_EXIT_OK;
}

static int ask(struct deriving *d)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	int code;

	if (dr_request_encode(d->encoded, sizeof(d->encoded), &d->encoded_len, &d->request, &fail) != DR_OK)
		return dr_cli_usage(d->a.cli, fail.what, NULL);
	code = dr_ask_send(&d->a, DR_MSG_KEY_GET, d->encoded, d->encoded_len);
	if (code == DR_EXIT_OK)
		code = dr_ask_answer(&d->a, DR_MSG_KEY, &payload);
	if (code == DR_EXIT_OK && dr_key_answer_get(&d->answer, payload, &fail) != DR_OK)
		code = dr_ask_odd(&d->a, &fail);
	return code;
}

static int open_box(struct deriving *d)
{
	struct dr_fail fail = { 0 };
	size_t len;

	if (dr_box_open(d->secrets->plain, PLAIN_LEN, &len, d->secrets->recipient, DR_BOX_ANSWER,
			dr_bytes_of(d->encoded, d->encoded_len), d->answer.box, &fail) != DR_OK ||
	    len != PLAIN_LEN)
		return dr_ask_trouble(d->a.cli, DR_EXIT_PROOF, "proof",
				      fail.what != NULL ? fail.what : "the box holds something else than an answer",
				      NULL, "derot-core", "ask again; believe no key that came otherwise");
	d->key = dr_bytes_of(d->secrets->plain, DR_DERIVATION_KEY_LEN);
	d->proof = dr_bytes_of(d->secrets->plain + DR_DERIVATION_KEY_LEN, DR_DERIVATION_PROOF_LEN);
	d->opened = true;
	return DR_EXIT_OK;
}

static bool same_secret(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint8_t differs = 0;

	for (size_t i = 0; i < len; i++)
		differs |= (uint8_t)(a[i] ^ b[i]);
	return differs == 0;
}

/* That the published root of this generation gives this very key for what was asked. What the chain alone says
 * (deployer, nonce, epoch) is taken as the core tells it: a derot replay of its evidence checks that. */
static int prove(struct deriving *d, struct dr_root_public *root)
{
	static const char lost[] = "believe this key in nothing: the core does not answer from the published root";
	const struct dr_decision *decision = &d->answer.decision;
	const struct dr_config *c = d->a.config;
	uint8_t input[DR_DERIVATION_INPUT_MAX];
	struct dr_fail fail = { 0 };
	size_t len;
	int code = dr_keys_root(&d->a, root, decision->generation);

	if (code != DR_EXIT_OK)
		return code;
	if (root->generation != decision->generation || !root->published_equal)
		dr_fail_set(&fail, DR_ERR_PROOF, "the key's generation is not one that is published", 0);
	else if (memcmp(decision->app_hash, d->request.has_from ? d->request.from : d->request.measurement, 32) != 0)
		dr_fail_set(&fail, DR_ERR_PROOF, "the key is another version's than asked for", 0);
	else if (dr_derivation_input(input, sizeof(input), &len, c->chain_id, c->genesis, c->contract, decision,
				     &d->request, &fail) == DR_OK &&
		 dr_derivation_verify(d->secrets->key, d->proof, root->words[1], dr_bytes_of(input, len),
				      (enum dr_purpose)d->request.purpose, d->request.contract, &fail) == DR_OK &&
		 !same_secret(d->secrets->key, d->key.ptr, DR_DERIVATION_KEY_LEN))
		dr_fail_set(&fail, DR_ERR_PROOF, "the key is not the one that its proof is of", 0);
	return fail.err == DR_OK ? DR_EXIT_OK
				 : dr_ask_trouble(d->a.cli, DR_EXIT_PROOF, dr_err_name(fail.err), fail.what, NULL,
						  "derot-core", lost);
}

static void show(const struct deriving *d, const struct dr_root_public *root, bool proven)
{
	struct dr_out *out = &d->a.cli->out;
	const struct dr_key_answer *answer = &d->answer;
	json_t *obj = dr_tell_decision(&answer->decision);
	const bool table = dr_out_format_object(out) == DR_FORMAT_TABLE;
	struct dr_fail fail = { 0 };
	struct dr_buf pem;

	dr_buf_init(&pem, 4 * DR_RUN_MAX);
	json_object_set_new(obj, "request", json_integer((json_int_t)answer->request_idx));
	json_object_set_new(obj, "development_root", json_boolean(answer->development));
	if (answer->reason[0] != '\0')
		json_object_set_new(obj, "why", dr_out_json_text(answer->reason));
	if (d->key.len > 0)
		json_object_set_new(obj, "key", dr_tell_hex(d->key.ptr, d->key.len));
	if (answer->box.len > 0) {
		json_object_set_new(obj, "recipient", dr_tell_hex(d->request.recipient, 32));
		json_object_set_new(obj, "box", dr_tell_hex(answer->box.ptr, answer->box.len));
	}
	if (d->key.len > 0)
		json_object_set_new(obj, "proven", json_boolean(proven));
	if (proven)
		json_object_set_new(obj, "prf_pub", dr_tell_hex(root->words[1], 32));
	if (proven && d->o->prove)
		json_object_set_new(obj, "proof", dr_tell_hex(d->proof.ptr, d->proof.len));
	if (answer->certificate.len > 0 && dr_pem_put(&pem, "CERTIFICATE", answer->certificate, &fail) == DR_OK &&
	    !table)
		json_object_set_new(obj, "certificate", json_stringn((const char *)pem.ptr, pem.len));
	dr_out_object(out, obj);
	/* A table's line would not leave its line ends alone. */
	if (table)
		fwrite(pem.ptr, 1, pem.len, out->out);
	dr_buf_free(&pem);
	json_decref(obj);
}

static int derive(struct deriving *d)
{
	struct dr_root_public root = { 0 };
	int code = ask(d);

	if (code != DR_EXIT_OK)
		return code;
	if (d->answer.key_len > 0)
		d->key = dr_bytes_of(d->answer.key, d->answer.key_len);
	d->proof = d->answer.proof;
	const bool allowed = d->answer.decision.verdict == DR_ALLOW && (d->key.len > 0 || d->answer.box.len > 0);

	if (!allowed) {
		show(d, &root, false);
		return DR_EXIT_SEALED;
	}
	/* What answer borrows is in the link's buffer, which the next question empties. */
	struct dr_buf kept[3];
	struct dr_bytes *const views[3] = { &d->answer.proof, &d->answer.certificate, &d->answer.box };
	struct dr_fail fail = { 0 };

	for (size_t i = 0; i < 3; i++) {
		dr_buf_init(&kept[i], DR_RUN_MAX);
		kept[i].secret = true;
		dr_buf_append(&kept[i], views[i]->ptr, views[i]->len, &fail);
		*views[i] = dr_buf_view(&kept[i]);
	}
	d->proof = d->answer.proof;
	if (fail.err != DR_OK)
		code = dr_ask_odd(&d->a, &fail);
	/* A key in the clear, where a box was asked for, was seen by whoever carried it here. */
	if (code == DR_EXIT_OK && !dr_bytes_zero(d->request.recipient, 32) && d->key.len > 0)
		code = dr_ask_trouble(d->a.cli, DR_EXIT_PROOF, "proof", "the core answered a recipient in the clear",
				      NULL, "derot-core", "do not use this key");
	if (code == DR_EXIT_OK && d->o->recipient_file != NULL)
		code = open_box(d);
	const bool provable = d->key.len == DR_DERIVATION_KEY_LEN && d->proof.len > 0;

	if (code == DR_EXIT_OK && d->o->prove && !provable)
		code = dr_ask_trouble(d->a.cli, DR_EXIT_PROOF, "proof", "the core gave no proof with this key", NULL,
				      "derot-core", "are derot and derot-core of one version?");
	if (code == DR_EXIT_OK && provable)
		code = prove(d, &root);
	if (code == DR_EXIT_OK)
		show(d, &root, provable);
	for (size_t i = 0; i < 3; i++)
		dr_buf_free(&kept[i]);
	return code;
}

int dr_cmd_keys_derive(struct dr_cli *cli, const struct dr_keys_opts *o)
{
	static struct deriving d;
	int code;

	memset(&d, 0, sizeof(d));
	d.a.cli = cli;
	d.a.core.fd = -1;
	d.o = o;
	code = request_of(cli, &d.request, o);
	if (code != DR_EXIT_OK)
		return code;
	d.secrets = dr_secret_alloc(sizeof(*d.secrets));
	if (d.secrets == NULL)
		return dr_ask_trouble(cli, DR_EXIT_ERROR, "nomem", "no memory for keys", NULL, NULL, "try again");
	code = dr_ask_open(&d.a, cli, o->config);
	if (code == DR_EXIT_OK) {
		d.a.core.in.secret = true; /* the key comes through it */
		code = recipient_of(&d);
	}
	if (code == DR_EXIT_OK)
		code = derive(&d);
	dr_ask_close(&d.a);
	dr_secret_free(d.secrets);
	dr_secret_wipe(&d, sizeof(d));
	return code;
}
