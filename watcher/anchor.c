/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/anchor.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chain/base/hex.h"
#include "watcher/consensus_yaml.h"
#include "watcher/out.h"
#include "watcher/profile_yaml.h"

struct chain {
	char *id;
	char *genesis;
};

struct start {
	char *block;
	char *hash;
};

struct consensus {
	char *network, *spec, *genesis, *form;
	struct dr_yaml_checkpoint *checkpoint;
};

struct file {
	struct chain chain;
	int proof;
	struct consensus *consensus;
	char *contract;
	struct start start;
	char *profile;
	char *profile_digest;
	char *node;
};

static const cyaml_schema_field_t chain_fields[] = {
	DR_YAML_TEXT("id", struct chain, id),
	DR_YAML_TEXT("genesis", struct chain, genesis),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t start_fields[] = {
	DR_YAML_TEXT("block", struct start, block),
	DR_YAML_TEXT("hash", struct start, hash),
	CYAML_FIELD_END,
};
/* Word 0 is what a file that does not mention it says. */
static const cyaml_strval_t proofs[] = { { "quorum", DR_PROOF_QUORUM }, { "consensus", DR_PROOF_CONSENSUS } };
static const cyaml_schema_field_t consensus_fields[] = {
	DR_YAML_TEXT_OR_NOT("network", struct consensus, network),
	DR_YAML_TEXT_OR_NOT("spec", struct consensus, spec),
	DR_YAML_TEXT_OR_NOT("genesis", struct consensus, genesis),
	DR_YAML_TEXT_OR_NOT("form", struct consensus, form),
	CYAML_FIELD_MAPPING_PTR("checkpoint", CYAML_FLAG_POINTER, struct consensus, checkpoint,
				dr_yaml_checkpoint_fields),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t file_fields[] = {
	CYAML_FIELD_MAPPING("chain", CYAML_FLAG_DEFAULT, struct file, chain, chain_fields),
	DR_YAML_TEXT("contract", struct file, contract),
	CYAML_FIELD_MAPPING("start", CYAML_FLAG_DEFAULT, struct file, start, start_fields),
	DR_YAML_TEXT("profile", struct file, profile),
	DR_YAML_TEXT_OR_NOT("profile_digest", struct file, profile_digest),
	DR_YAML_TEXT_OR_NOT("node", struct file, node),
	CYAML_FIELD_ENUM("proof", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct file, proof, proofs,
			 CYAML_ARRAY_LEN(proofs)),
	CYAML_FIELD_MAPPING_PTR("consensus", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, consensus,
				consensus_fields),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields),
};

/* What the recording's finality rests on. *form holds the profile already. */
static enum dr_err proof_of(struct dr_init *init, struct dr_buf *form, const struct dr_yaml *y, const struct file *f,
			    struct dr_yaml_error *error)
{
	const struct consensus *from = f->consensus;
	struct dr_fail fail = { DR_OK, NULL, 0 };
	const size_t profile_len = form->len;
	struct dr_consensus said;
	enum dr_err err;

	if (from != NULL && f->proof != DR_PROOF_CONSENSUS)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, "consensus", "belongs to proof consensus", error);
	if (f->proof != DR_PROOF_CONSENSUS && init->proof == DR_PROOF_CONSENSUS)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, "proof",
				    "must be consensus, as the recording claims, with its network and checkpoint",
				    error);
	if (f->proof != 0 && init->version != 0 && init->proof != f->proof)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, "proof", "is not what the recording claims", error);
	if (f->proof != DR_PROOF_CONSENSUS)
		return DR_OK;
	if (from == NULL)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, "consensus",
				    "is missing: proof consensus needs a network and a checkpoint", error);
	err = dr_consensus_read(&said, y,
				&(struct dr_yaml_consensus){ .network = from->network,
							     .spec = from->spec,
							     .genesis = from->genesis,
							     .form = from->form,
							     .checkpoint = from->checkpoint },
				error);
	if (err != DR_OK)
		return err;
	if (dr_buf_append(form, said.form, said.form_len, &fail) != DR_OK)
		return dr_yaml_fail(y, fail.err, "consensus", fail.what, error);
	init->proof = DR_PROOF_CONSENSUS;
	init->quorum_k = 0;
	init->profile = dr_bytes_of(form->ptr, profile_len);
	init->network = dr_bytes_of(form->ptr + profile_len, said.form_len);
	memcpy(init->checkpoint, said.root, 32);
	memcpy(init->checkpoint_from, said.from, sizeof(init->checkpoint_from));
	init->checkpoint_max_age_s = said.max_age_s;
	memcpy(init->checkpoint_aged, said.aged, sizeof(init->checkpoint_aged));
	return DR_OK;
}

static enum dr_err fill(struct dr_init *init, struct dr_buf *form, const struct dr_yaml *y, const struct file *f,
			struct dr_yaml_error *error)
{
	static struct dr_profile profile;
	char path[2048] = "";
	uint8_t digest[32];
	enum dr_err err;

	if ((err = dr_yaml_u64(&init->chain_id, y, "chain.id", f->chain.id, 1, INT64_MAX, error)) != DR_OK ||
	    (err = dr_yaml_hex(init->genesis, 32, y, "chain.genesis", f->chain.genesis, error)) != DR_OK ||
	    (err = dr_yaml_hex(init->contract, 20, y, "contract", f->contract, error)) != DR_OK ||
	    (err = dr_yaml_u64(&init->start_number, y, "start.block", f->start.block, 1, INT64_MAX, error)) !=
		    DR_OK ||
	    (err = dr_yaml_hex(init->start_hash, 32, y, "start.hash", f->start.hash, error)) != DR_OK ||
	    (err = dr_yaml_hex(init->node, 20, y, "node", f->node, error)) != DR_OK ||
	    (err = dr_yaml_path(path, sizeof(path), y, "profile", f->profile, error)) != DR_OK ||
	    (err = dr_profile_load(&profile, form, path, error)) != DR_OK)
		return err;
	init->profile = dr_buf_view(form);
	if ((err = proof_of(init, form, y, f, error)) != DR_OK || f->profile_digest == NULL)
		return err;
	if ((err = dr_yaml_hex(digest, 32, y, "profile_digest", f->profile_digest, error)) != DR_OK)
		return err;
	if (memcmp(digest, profile.digest, 32) != 0)
		return dr_yaml_fail(y, DR_ERR_PROOF, "profile_digest", "the profile has another digest", error);
	return DR_OK;
}

enum dr_err dr_anchor_load(struct dr_init *init, struct dr_buf *form, const char *path, struct dr_yaml_error *error)
{
	struct dr_yaml *y = NULL;
	void *file = NULL;
	enum dr_err err = dr_yaml_open(&y, path, error);

	if (err == DR_OK)
		err = dr_yaml_load(&file, y, &file_schema, error);
	if (err == DR_OK)
		err = fill(init, form, y, file, error);
	dr_yaml_unload(&file_schema, file);
	dr_yaml_free(y);
	return err;
}

static void put_hex(FILE *to, const char *key, const uint8_t *ptr, size_t len, const char *after)
{
	char hex[2 * DR_NETWORK_LEN_MAX + 1];

	dr_hex_put(hex, ptr, len);
	fprintf(to, "%s0x%s%s", key, hex, after);
}

/* Text between quotes: what our own reader took from a file, or somebody's claim. */
static void put_text(FILE *to, const char *key, const char *text)
{
	fputs(key, to);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		fputc(*text, to);
	}
	fputs("\"\n", to);
}

static void put_consensus(FILE *to, const struct dr_init *init)
{
	struct dr_fail fail = { 0 };
	struct dr_network net;
	uint8_t form[DR_NETWORK_LEN_MAX];
	size_t len = 0;

	fputs("proof: consensus\nconsensus:\n", to);
	if (dr_network_decode(&net, init->network, &fail) == DR_OK) {
		const struct dr_network *named = dr_network_named(net.name);

		if (named != NULL)
			dr_network_encode(form, sizeof(form), &len, named, &fail);
		if (dr_bytes_eq(dr_bytes_of(form, len), init->network)) {
			fprintf(to, "  network: %s\n", net.name);
		} else {
			fprintf(to, "  # %s: genesis at %" PRIu64 ", committees of %u, periods of %u slots of %u s\n",
				net.name, net.genesis_time, net.committee_size,
				net.slots_per_epoch * net.epochs_per_period, net.seconds_per_slot);
			put_hex(to, "  # genesis validators' root ", net.genesis_validators_root, 32, "\n");
			put_hex(to, "  form: ", init->network.ptr, init->network.len, "\n");
		}
	}
	put_hex(to, "  checkpoint:\n    root: ", init->checkpoint, 32, "\n");
	if (init->checkpoint_from[0] != '\0')
		put_text(to, "    from: \"", init->checkpoint_from);
	if (init->checkpoint_max_age_s != 0)
		fprintf(to, "    max_age: %" PRIu64 "\n", init->checkpoint_max_age_s);
	if (init->checkpoint_aged[0] != '\0')
		put_text(to, "    accept_aged: \"", init->checkpoint_aged);
}

enum dr_err dr_anchor_write(const struct dr_init *init, const char *profile_path, const char *path,
			    struct dr_yaml_error *error)
{
	struct dr_fail fail = { 0 };
	static struct dr_profile profile;
	FILE *to = fopen(path, "wx");

	if (to == NULL) {
		snprintf(error->text, sizeof(error->text), "%s: %s", path, strerror(errno));
		return DR_ERR_IO;
	}
	fprintf(to, "# SPDX-License-Identifier: Apache-2.0\n# What this recording is to be held against. Compare it "
		    "with what you know before you rely on it.\n");
	fprintf(to, "chain:\n  id: %" PRIu64 "\n", init->chain_id);
	put_hex(to, "  genesis: ", init->genesis, 32, "\n");
	put_hex(to, "contract: ", init->contract, 20, "\n");
	fprintf(to, "start:\n  block: %" PRIu64 "\n", init->start_number);
	put_hex(to, "  hash: ", init->start_hash, 32, "\n");
	fprintf(to, "profile: %s\n", profile_path);
	if (dr_profile_decode(&profile, init->profile, &fail) == DR_OK)
		put_hex(to, "profile_digest: ", profile.digest, 32, "\n");
	if (!dr_bytes_zero(init->node, 20))
		put_hex(to, "node: ", init->node, 20, "\n");
	if (init->proof == DR_PROOF_CONSENSUS)
		put_consensus(to, init);
	if (dr_out_close(to))
		return DR_OK;
	snprintf(error->text, sizeof(error->text), "%s: %s", path, strerror(errno));
	unlink(path); /* half of an anchor is none, and was made here */
	return DR_ERR_IO;
}

struct request {
	char *name, *app, *measurement, *service, *contract, *purpose, *from, *tee, *family, *device, *svn,
		*confidence;
	char *back, *root_back;
	char **advisories;
	uint32_t advisories_count;
};

struct requests {
	struct request *requests;
	uint32_t requests_count;
};

static const cyaml_schema_value_t text_schema = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, 256) };
static const cyaml_schema_field_t request_fields[] = {
	DR_YAML_TEXT("name", struct request, name),
	DR_YAML_TEXT("app", struct request, app),
	DR_YAML_TEXT("measurement", struct request, measurement),
	DR_YAML_TEXT_OR_NOT("service", struct request, service),
	DR_YAML_TEXT_OR_NOT("contract", struct request, contract),
	DR_YAML_TEXT_OR_NOT("purpose", struct request, purpose),
	DR_YAML_TEXT_OR_NOT("from", struct request, from),
	DR_YAML_TEXT_OR_NOT("tee", struct request, tee),
	DR_YAML_TEXT_OR_NOT("family", struct request, family),
	DR_YAML_TEXT_OR_NOT("device", struct request, device),
	DR_YAML_TEXT_OR_NOT("svn", struct request, svn),
	DR_YAML_TEXT_OR_NOT("confidence", struct request, confidence),
	DR_YAML_TEXT_OR_NOT("back", struct request, back),
	DR_YAML_TEXT_OR_NOT("root_back", struct request, root_back),
	CYAML_FIELD_SEQUENCE("advisories", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct request, advisories,
			     &text_schema, 0, DR_ADVISORIES_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t request_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct request, request_fields),
};
static const cyaml_schema_field_t requests_fields[] = {
	CYAML_FIELD_SEQUENCE("requests", CYAML_FLAG_POINTER, struct requests, requests, &request_schema, 1,
			     DR_ASKS_MAX),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t requests_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct requests, requests_fields),
};

bool dr_word_parse(uint8_t word[static 32], const char *text)
{
	struct dr_fail fail = { 0 };
	size_t len = strlen(text), got;

	memset(word, 0, 32);
	if (len >= 2 && text[0] == '0' && text[1] == 'x')
		return dr_hex_data(word, 32, &got, text, len, &fail) == DR_OK;
	if (len == 0 || len > 31)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (isprint((unsigned char)text[i]) == 0) {
			memset(word, 0, 32);
			return false;
		}
		word[i] = (uint8_t)text[i];
	}
	return true;
}

static enum dr_err word_of(uint8_t word[static 32], const struct dr_yaml *y, uint32_t idx, const char *name,
			   const char *text, struct dr_yaml_error *error)
{
	char key[64];

	if (text == NULL || dr_word_parse(word, text))
		return DR_OK;
	snprintf(key, sizeof(key), "requests[%u].%s", idx, name);
	return dr_yaml_fail(y, DR_ERR_SYNTAX, key, "0x and at most 64 hex digits, or at most 31 printable characters",
			    error);
}

static enum dr_err small_of(uint8_t *out, const struct dr_yaml *y, uint32_t idx, const char *name, const char *text,
			    uint64_t min, uint64_t max, struct dr_yaml_error *error)
{
	char key[64];
	uint64_t value = *out;

	snprintf(key, sizeof(key), "requests[%u].%s", idx, name);
	const enum dr_err err = dr_yaml_u64(&value, y, key, text, min, max, error);

	*out = (uint8_t)value;
	return err;
}

static enum dr_err ask_of(struct dr_ask *ask, const struct dr_yaml *y, uint32_t i, const struct request *f,
			  struct dr_yaml_error *error)
{
	struct dr_request *r = &ask->request;
	char key[64];
	enum dr_err err;

	memset(ask, 0, sizeof(*ask));
	r->purpose = DR_PURPOSE_SEAL;
	r->confidence = 1;
	snprintf(key, sizeof(key), "requests[%u].name", i);
	if ((err = dr_yaml_text(ask->name, sizeof(ask->name), y, key, f->name, error)) != DR_OK ||
	    (err = word_of(r->app, y, i, "app", f->app, error)) != DR_OK ||
	    (err = word_of(r->measurement, y, i, "measurement", f->measurement, error)) != DR_OK ||
	    (err = word_of(r->service, y, i, "service", f->service, error)) != DR_OK ||
	    (err = word_of(r->contract, y, i, "contract", f->contract, error)) != DR_OK ||
	    (err = word_of(r->from, y, i, "from", f->from, error)) != DR_OK ||
	    (err = word_of(r->tee, y, i, "tee", f->tee, error)) != DR_OK ||
	    (err = word_of(r->family, y, i, "family", f->family, error)) != DR_OK ||
	    (err = word_of(r->device, y, i, "device", f->device, error)) != DR_OK ||
	    (err = small_of(&r->confidence, y, i, "confidence", f->confidence, 1, 5, error)) != DR_OK ||
	    (err = small_of(&r->back, y, i, "back", f->back, 0, 1, error)) != DR_OK ||
	    (err = small_of(&r->root_back, y, i, "root_back", f->root_back, 0, 1, error)) != DR_OK)
		return err;
	snprintf(key, sizeof(key), "requests[%u].svn", i);
	if ((err = dr_yaml_u64(&r->svn, y, key, f->svn, 0, UINT64_MAX, error)) != DR_OK)
		return err;
	r->has_from = f->from != NULL;
	if (f->purpose != NULL && (r->purpose = (uint8_t)dr_purpose_by_name(f->purpose)) == DR_PURPOSE_NONE) {
		snprintf(key, sizeof(key), "requests[%u].purpose", i);
		return dr_yaml_fail(y, DR_ERR_UNKNOWN, key, "seal, sign, tls, storage, cluster or contract", error);
	}
	for (uint32_t a = 0; a < f->advisories_count; a++)
		if ((err = word_of(r->advisories[a], y, i, "advisories", f->advisories[a], error)) != DR_OK)
			return err;
	r->num_advisories = (uint8_t)f->advisories_count;
	return DR_OK;
}

enum dr_err dr_asks_load(struct dr_ask *asks, size_t *num, const char *path, struct dr_yaml_error *error)
{
	struct dr_yaml *y = NULL;
	void *file = NULL;
	enum dr_err err = dr_yaml_open(&y, path, error);

	*num = 0;
	if (err == DR_OK)
		err = dr_yaml_load(&file, y, &requests_schema, error);
	const struct requests *f = file;

	for (uint32_t i = 0; err == DR_OK && i < f->requests_count; i++) {
		err = ask_of(&asks[i], y, i, &f->requests[i], error);
		if (err == DR_OK)
			*num = i + 1;
	}
	dr_yaml_unload(&requests_schema, file);
	dr_yaml_free(y);
	return err;
}
