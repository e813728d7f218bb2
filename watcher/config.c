/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kms-bridge/process/listen.h"
#include "watcher/config_template.h"
#include "watcher/profile_yaml.h"

struct chain {
	char *id, *genesis;
};
struct start {
	char *block, *hash;
};
struct endpoint {
	char *name, *url;
};
struct batch {
	char *requests, *bytes;
};
struct lease {
	char *max_staleness, *head_staleness;
	int heartbeat;
};
struct serve {
	char *listen;
};
struct consensus {
	char *network, *spec, *genesis;
	struct dr_yaml_checkpoint *checkpoint;
	struct endpoint *endpoints;
	uint32_t endpoints_count;
};

struct file {
	struct chain *chain;
	char *contract;
	struct start *start;
	int proof;
	char *quorum;
	struct endpoint *endpoints;
	uint32_t endpoints_count;
	struct consensus *consensus;
	char *profile;
	int completeness;
	char *step, *poll_ms, *timeout_ms;
	struct batch *batch;
	int finality;
	struct lease *lease;
	char *node, *data_dir, *key_file, *passphrase_file;
	char **checkpoints;
	uint32_t checkpoints_count;
	struct serve *serve;
};

/* Word 0 of each set is the default: what a file does not mention stays zero. */
static const cyaml_strval_t proofs[] = { { "quorum", DR_PROOF_QUORUM }, { "consensus", DR_PROOF_CONSENSUS } };
static const cyaml_strval_t ways[] = {
	{ "bloom", DR_WAY_BLOOM },
	{ "receipts", DR_WAY_RECEIPTS },
	{ "accumulator", DR_WAY_ACCUMULATOR },
};
static const cyaml_strval_t tags[] = {
	{ "finalized", DR_TAG_FINALIZED },
	{ "safe", DR_TAG_SAFE },
	{ "latest", DR_TAG_LATEST },
};
static const cyaml_strval_t truths[] = { { "false", 0 }, { "true", 1 } };

#define WORD(key, flags, type, member, set) CYAML_FIELD_ENUM(key, flags, type, member, set, CYAML_ARRAY_LEN(set))
#define STRICT                              CYAML_FLAG_STRICT
#define STRICT_OR_NOT                       CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL
#define GROUP(key, member, fields)          CYAML_FIELD_MAPPING_PTR(key, CYAML_FLAG_POINTER, struct file, member, fields)
#define GROUP_OR_NOT(key, member, fields)                                                                            \
	CYAML_FIELD_MAPPING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, member, fields)

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
static const cyaml_schema_field_t endpoint_fields[] = {
	DR_YAML_TEXT("name", struct endpoint, name),
	DR_YAML_TEXT("url", struct endpoint, url),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t endpoint_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct endpoint, endpoint_fields),
};
static const cyaml_schema_field_t batch_fields[] = {
	DR_YAML_TEXT_OR_NOT("requests", struct batch, requests),
	DR_YAML_TEXT_OR_NOT("bytes", struct batch, bytes),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t lease_fields[] = {
	DR_YAML_TEXT_OR_NOT("max_staleness", struct lease, max_staleness),
	DR_YAML_TEXT_OR_NOT("head_staleness", struct lease, head_staleness),
	WORD("heartbeat", STRICT_OR_NOT, struct lease, heartbeat, truths),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t path_schema = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, 2048) };
static const cyaml_schema_field_t serve_fields[] = {
	DR_YAML_TEXT("listen", struct serve, listen),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t consensus_fields[] = {
	DR_YAML_TEXT_OR_NOT("network", struct consensus, network),
	DR_YAML_TEXT_OR_NOT("spec", struct consensus, spec),
	DR_YAML_TEXT_OR_NOT("genesis", struct consensus, genesis),
	CYAML_FIELD_MAPPING_PTR("checkpoint", CYAML_FLAG_POINTER, struct consensus, checkpoint,
				dr_yaml_checkpoint_fields),
	CYAML_FIELD_SEQUENCE("endpoints", CYAML_FLAG_POINTER, struct consensus, endpoints, &endpoint_schema, 1,
			     DR_ENDPOINTS_MAX - 1),
	CYAML_FIELD_END,
};
static const cyaml_schema_field_t file_fields[] = {
	GROUP("chain", chain, chain_fields),
	DR_YAML_TEXT("contract", struct file, contract),
	GROUP("start", start, start_fields),
	WORD("proof", STRICT, struct file, proof, proofs),
	DR_YAML_TEXT_OR_NOT("quorum", struct file, quorum),
	CYAML_FIELD_SEQUENCE("endpoints", CYAML_FLAG_POINTER, struct file, endpoints, &endpoint_schema, 1,
			     DR_ENDPOINTS_MAX),
	GROUP_OR_NOT("consensus", consensus, consensus_fields),
	DR_YAML_TEXT("profile", struct file, profile),
	WORD("completeness", STRICT_OR_NOT, struct file, completeness, ways),
	DR_YAML_TEXT_OR_NOT("step", struct file, step),
	DR_YAML_TEXT_OR_NOT("poll_ms", struct file, poll_ms),
	DR_YAML_TEXT_OR_NOT("timeout_ms", struct file, timeout_ms),
	GROUP_OR_NOT("batch", batch, batch_fields),
	WORD("finality", STRICT_OR_NOT, struct file, finality, tags),
	GROUP_OR_NOT("lease", lease, lease_fields),
	DR_YAML_TEXT_OR_NOT("node", struct file, node),
	DR_YAML_TEXT_OR_NOT("data_dir", struct file, data_dir),
	DR_YAML_TEXT_OR_NOT("key_file", struct file, key_file),
	DR_YAML_TEXT_OR_NOT("passphrase_file", struct file, passphrase_file),
	CYAML_FIELD_SEQUENCE("checkpoints", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file, checkpoints,
			     &path_schema, 1, DR_CHECKPOINTS_MAX),
	GROUP_OR_NOT("serve", serve, serve_fields),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields),
};

#define TRY(call)                                                                                                    \
	do {                                                                                                         \
		const enum dr_err tried = (call);                                                                    \
		if (tried != DR_OK)                                                                                  \
			return tried;                                                                                \
	} while (0)

static bool name_is_plain(const char *name)
{
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

/* http:// or https://, then at least a host; only printable ASCII, so that what curl reads is what stands here. No
 * fragment: paths are put behind a beacon node's URL, and would be part of it. */
static bool url_is_plain(const char *url)
{
	const size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;

	for (const char *c = url; *c != '\0'; c++)
		if (*c <= 0x20 || *c >= 0x7f || *c == '#')
			return false;
	return scheme != 0 && url[scheme] != '\0' && strchr("/?#:@", url[scheme]) == NULL;
}

/* A list of servers. `others` are sources too: a name must not be theirs. */
static enum dr_err endpoints_of(struct dr_config_endpoint *out, uint16_t *num, const struct dr_yaml *y,
				const char *list, const struct endpoint *from, uint32_t from_num,
				const struct dr_config_endpoint *others, uint16_t num_others,
				struct dr_yaml_error *error)
{
	for (uint32_t i = 0; i < from_num; i++) {
		struct dr_config_endpoint *e = &out[i];
		char name[64], url[64];

		snprintf(name, sizeof(name), "%s[%u].name", list, (unsigned)i);
		snprintf(url, sizeof(url), "%s[%u].url", list, (unsigned)i);
		TRY(dr_yaml_text(e->name, sizeof(e->name), y, name, from[i].name, error));
		TRY(dr_yaml_text(e->url, sizeof(e->url), y, url, from[i].url, error));
		if (!name_is_plain(e->name))
			return dr_yaml_fail(y, DR_ERR_SYNTAX, name, "may have letters, digits, '.', '_' and '-' only",
					    error);
		if (!url_is_plain(e->url))
			return dr_yaml_fail(y, DR_ERR_SYNTAX, url, "must be an http:// or https:// URL", error);
		for (uint32_t k = 0; k < i + num_others; k++) {
			const struct dr_config_endpoint *other = k < i ? &out[k] : &others[k - i];

			if (strcmp(other->name, e->name) == 0)
				return dr_yaml_fail(y, DR_ERR_NONCANONICAL, name, "two endpoints with one name",
						    error);
			/* One server named twice would vote twice. */
			if (k < i && strcmp(other->url, e->url) == 0)
				return dr_yaml_fail(y, DR_ERR_NONCANONICAL, url, "two endpoints with one URL", error);
		}
		*num = (uint16_t)(i + 1);
	}
	return DR_OK;
}

/* A beacon chain stands over one execution chain: with another's id, one of the two kinds of servers would be of a
 * wrong chain, whichever they are. */
static enum dr_err over_its_chain(const struct dr_config *c, const struct dr_yaml *y,
				  const struct dr_network *network, struct dr_yaml_error *error)
{
	const uint64_t id = dr_config_chain_id(network);
	char what[128];

	if (id == 0 || id == c->chain_id)
		return DR_OK;
	snprintf(what, sizeof(what), "must be %" PRIu64 " under the beacon chain of %s, not %" PRIu64, id,
		 network->name, c->chain_id);
	return dr_yaml_fail(y, DR_ERR_SYNTAX, "chain.id", what, error);
}

static enum dr_err consensus_of(struct dr_config *c, const struct dr_yaml *y, const struct file *f,
				struct dr_yaml_error *error)
{
	struct dr_consensus said;
	const struct consensus *from = f->consensus;

	if (f->quorum != NULL)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, "quorum",
				    "belongs to proof quorum: at proof consensus no endpoint's word counts", error);
	if (c->tag != DR_TAG_FINALIZED)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, "finality",
				    "belongs to proof quorum: at proof consensus the committees say what is final",
				    error);
	if (from == NULL)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, "consensus",
				    "is missing: proof consensus needs a network, a checkpoint and beacon nodes",
				    error);
	if (from->checkpoint->from == NULL)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, "consensus.checkpoint.from",
				    "is missing: whom was the checkpoint taken from?", error);
	TRY(dr_consensus_read(&said, y,
			      &(struct dr_yaml_consensus){ .network = from->network,
							   .spec = from->spec,
							   .genesis = from->genesis,
							   .checkpoint = from->checkpoint },
			      error));
	TRY(over_its_chain(c, y, &said.network, error));
	if (from->endpoints_count + c->num_endpoints > DR_ENDPOINTS_MAX)
		return dr_yaml_fail(y, DR_ERR_LIMIT, "consensus.endpoints",
				    "too many: at most 16 together with the endpoints above", error);
	TRY(endpoints_of(c->beacons, &c->num_beacons, y, "consensus.endpoints", from->endpoints,
			 from->endpoints_count, c->endpoints, c->num_endpoints, error));
	c->network = said.network;
	memcpy(c->network_form, said.form, said.form_len);
	c->network_form_len = said.form_len;
	memcpy(c->checkpoint_root, said.root, 32);
	memcpy(c->checkpoint_from, said.from, sizeof(said.from));
	c->checkpoint_max_age_s = said.max_age_s;
	memcpy(c->checkpoint_aged, said.aged, sizeof(said.aged));
	return DR_OK;
}

static enum dr_err quorum_of(struct dr_config *c, const struct dr_yaml *y, const struct file *f,
			     struct dr_yaml_error *error)
{
	uint64_t quorum = 0;

	if (f->consensus != NULL)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, "consensus", "belongs to proof consensus", error);
	if (f->quorum == NULL)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, "quorum",
				    "is missing: how many endpoints must agree at proof quorum?", error);
	TRY(dr_yaml_u64(&quorum, y, "quorum", f->quorum, 1, c->num_endpoints, error));
	c->quorum_k = (uint16_t)quorum;
	return DR_OK;
}

static enum dr_err checkpoints_of(struct dr_config *c, const struct dr_yaml *y, const struct file *f,
				  struct dr_yaml_error *error)
{
	for (uint32_t i = 0; i < f->checkpoints_count; i++) {
		char key[32];

		snprintf(key, sizeof(key), "checkpoints[%u]", (unsigned)i);
		TRY(dr_yaml_path(c->checkpoints[i], sizeof(c->checkpoints[i]), y, key, f->checkpoints[i], error));
		for (uint32_t k = 0; k < i; k++)
			if (strcmp(c->checkpoints[k], c->checkpoints[i]) == 0)
				return dr_yaml_fail(y, DR_ERR_NONCANONICAL, key, "one file named twice", error);
		c->num_checkpoints = (uint16_t)(i + 1);
	}
	return DR_OK;
}

static enum dr_err serve_of(struct dr_config *c, const struct dr_yaml *y, const struct file *f,
			    struct dr_yaml_error *error)
{
	static const char key[] = "serve.listen";
	struct dr_fail fail = { 0 };
	struct dr_listen at;

	if (f->serve == NULL)
		return DR_OK;
	TRY(dr_yaml_text(c->serve_listen, sizeof(c->serve_listen), y, key, f->serve->listen, error));
	if (dr_listen_parse(&at, c->serve_listen, &fail) != DR_OK)
		return dr_yaml_fail(y, fail.err, key, fail.what, error);
	return DR_OK;
}

static enum dr_err read_in(struct dr_config *c, const struct dr_yaml *y, const struct file *f,
			   struct dr_yaml_error *error)
{
	uint64_t step = 256, requests = 50;
	const struct batch none = { 0 };
	const struct lease no_lease = { 0 };
	const struct batch *batch = f->batch != NULL ? f->batch : &none;
	const struct lease *lease = f->lease != NULL ? f->lease : &no_lease;

	c->poll_ms = 2000;
	c->timeout_ms = 10000;
	c->batch_bytes = 4194304;
	TRY(dr_yaml_u64(&c->chain_id, y, "chain.id", f->chain->id, 1, UINT64_MAX, error));
	TRY(dr_yaml_hex(c->genesis, 32, y, "chain.genesis", f->chain->genesis, error));
	TRY(dr_yaml_hex(c->contract, 20, y, "contract", f->contract, error));
	TRY(dr_yaml_u64(&c->start_number, y, "start.block", f->start->block, 1, UINT64_MAX, error));
	TRY(dr_yaml_hex(c->start_hash, 32, y, "start.hash", f->start->hash, error));
	c->proof = (enum dr_proof)f->proof;
	c->tag = (enum dr_tag)f->finality;
	TRY(endpoints_of(c->endpoints, &c->num_endpoints, y, "endpoints", f->endpoints, f->endpoints_count, NULL, 0,
			 error));
	TRY(c->proof == DR_PROOF_CONSENSUS ? consensus_of(c, y, f, error) : quorum_of(c, y, f, error));
	TRY(dr_yaml_u64(&step, y, "step", f->step, 1, DR_FOLLOW_STEP_MAX, error));
	TRY(dr_yaml_u64(&c->poll_ms, y, "poll_ms", f->poll_ms, 10, 3600000, error));
	TRY(dr_yaml_u64(&c->timeout_ms, y, "timeout_ms", f->timeout_ms, 10, 600000, error));
	TRY(dr_yaml_u64(&requests, y, "batch.requests", batch->requests, 1, 1000, error));
	TRY(dr_yaml_u64(&c->batch_bytes, y, "batch.bytes", batch->bytes, 65536, 64u << 20, error));
	TRY(dr_yaml_u64(&c->max_staleness_s, y, "lease.max_staleness", lease->max_staleness, 1, 31536000, error));
	/* The shorter limit: a longer one would never be the one that seals. */
	TRY(dr_yaml_u64(&c->head_staleness_s, y, "lease.head_staleness", lease->head_staleness, 1,
			c->max_staleness_s != 0 ? c->max_staleness_s : DR_STALENESS_DEFAULT_S, error));
	TRY(dr_yaml_hex(c->node, 20, y, "node", f->node, error));
	TRY(dr_yaml_path(c->data_dir, sizeof(c->data_dir), y, "data_dir", f->data_dir, error));
	TRY(dr_yaml_path(c->key_file, sizeof(c->key_file), y, "key_file", f->key_file, error));
	TRY(dr_yaml_path(c->passphrase_file, sizeof(c->passphrase_file), y, "passphrase_file", f->passphrase_file,
			 error));
	if (c->passphrase_file[0] != '\0' && strcmp(c->passphrase_file, c->key_file) == 0)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, "passphrase_file", "must be another file than key_file", error);
	TRY(checkpoints_of(c, y, f, error));
	TRY(serve_of(c, y, f, error));
	TRY(dr_yaml_path(c->profile_path, sizeof(c->profile_path), y, "profile", f->profile, error));
	c->way = (enum dr_way)f->completeness;
	c->step_max = (uint32_t)step;
	c->batch_requests = (uint32_t)requests;
	c->heartbeat = lease->heartbeat != 0;
	c->has_node = f->node != NULL;
	TRY(dr_profile_load(&c->profile, &c->profile_form, c->profile_path, error));
	if (c->way == DR_WAY_ACCUMULATOR && !c->profile.has_accumulator)
		return dr_yaml_fail(y, DR_ERR_SYNTAX, "completeness", "the profile names no accumulator slots",
				    error);
	return DR_OK;
}

enum dr_err dr_config_load(struct dr_config *out, const char *path, struct dr_yaml_error *error)
{
	struct dr_yaml *y = NULL;
	void *file = NULL;
	enum dr_err err;

	memset(out, 0, sizeof(*out));
	dr_buf_init(&out->profile_form, DR_PROFILE_LEN_MAX);
	err = dr_yaml_open(&y, path, error);
	if (err == DR_OK)
		err = dr_yaml_load(&file, y, &file_schema, error);
	if (err == DR_OK)
		err = read_in(out, y, file, error);
	dr_yaml_unload(&file_schema, file);
	dr_yaml_free(y);
	if (err != DR_OK)
		dr_config_free(out);
	return err;
}

void dr_config_free(struct dr_config *c)
{
	dr_buf_free(&c->profile_form);
	memset(c, 0, sizeof(*c));
}

enum dr_err dr_config_init(struct dr_init *out, const struct dr_config *c, enum dr_mode mode, struct dr_fail *fail)
{
	const char *missing = NULL;

	memset(out, 0, sizeof(*out));
	if (mode == DR_MODE_RUN && !c->has_node)
		missing = "derot.yaml: node is needed to run";
	else if ((mode == DR_MODE_RUN || mode == DR_MODE_QUERY) && c->data_dir[0] == '\0')
		missing = "derot.yaml: data_dir is needed";
	else if (mode == DR_MODE_RUN && c->key_file[0] == '\0')
		missing = "derot.yaml: key_file is needed to run";
	if (missing != NULL)
		return dr_fail_set(fail, DR_ERR_SYNTAX, missing, 0);
	*out = (struct dr_init){
		.version = DR_PROTO_VERSION,
		.mode = (uint8_t)mode,
		.clock = DR_CLOCK_SYSTEM,
		.proof = (uint8_t)c->proof,
		.way = (uint8_t)c->way,
		.chain_id = c->chain_id,
		.start_number = c->start_number,
		.quorum_k = c->quorum_k,
		.quorum_n = (uint16_t)(c->num_endpoints + c->num_beacons),
		.step_max = c->step_max,
		.max_staleness_s = c->max_staleness_s,
		.head_staleness_s = c->head_staleness_s,
		.heartbeat = c->heartbeat,
		.anchored = true,
		.profile = dr_buf_view(&c->profile_form),
		.network = dr_bytes_of(c->network_form, c->network_form_len),
		.checkpoint_max_age_s = c->checkpoint_max_age_s,
	};
	memcpy(out->checkpoint, c->checkpoint_root, 32);
	memcpy(out->checkpoint_from, c->checkpoint_from, sizeof(out->checkpoint_from));
	memcpy(out->checkpoint_aged, c->checkpoint_aged, sizeof(out->checkpoint_aged));
	memcpy(out->genesis, c->genesis, 32);
	memcpy(out->contract, c->contract, 20);
	memcpy(out->start_hash, c->start_hash, 32);
	memcpy(out->node, c->node, 20);
	memcpy(out->data_dir, c->data_dir, sizeof(out->data_dir));
	memcpy(out->key_file, c->key_file, sizeof(out->key_file));
	memcpy(out->passphrase_file, c->passphrase_file, sizeof(out->passphrase_file));
	for (uint16_t i = 0; i < c->num_checkpoints; i++)
		memcpy(out->checkpoints[i], c->checkpoints[i], sizeof(out->checkpoints[i]));
	for (uint16_t i = 0; i < c->num_endpoints; i++)
		memcpy(out->endpoints[i], c->endpoints[i].name, sizeof(out->endpoints[i]));
	for (uint16_t i = 0; i < c->num_beacons; i++)
		memcpy(out->endpoints[c->num_endpoints + i], c->beacons[i].name, sizeof(out->endpoints[0]));
	return DR_OK;
}

const char *dr_tag_name(enum dr_tag tag)
{
	switch (tag) {
	case DR_TAG_FINALIZED: return "finalized";
	case DR_TAG_SAFE: return "safe";
	case DR_TAG_LATEST: return "latest";
	}
	return "";
}
