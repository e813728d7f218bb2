/* SPDX-License-Identifier: Apache-2.0
 *
 * derot config check|print|template: is a configuration good, what does it mean with every default said, and one to
 * begin with. URLs can carry credentials and are never printed: an endpoint is told by its name and scheme.
 */
#include <string.h>

#include "chain/base/hex.h"
#include "watcher/cli.h"
#include "watcher/config.h"
#include "watcher/config_template.h"

static const char *way_name(enum dr_way way)
{
	switch (way) {
	case DR_WAY_BLOOM: return "bloom";
	case DR_WAY_RECEIPTS: return "receipts";
	case DR_WAY_ACCUMULATOR: return "accumulator";
	}
	return "unknown";
}

static void set_hex(json_t *obj, const char *key, const void *ptr, size_t len)
{
	char text[2 + 2 * 32 + 1] = "0x";

	dr_hex_put(text + 2, ptr, len);
	json_object_set_new(obj, key, json_string(text));
}

static void set_u64(json_t *obj, const char *key, uint64_t value)
{
	json_object_set_new(obj, key, json_integer((json_int_t)value));
}

static void set_text(json_t *obj, const char *key, const char *text)
{
	json_object_set_new(obj, key, text[0] != '\0' ? dr_out_json_text(text) : json_null());
}

static json_t *endpoints_of(const struct dr_config_endpoint *endpoints, size_t num)
{
	json_t *list = json_array();

	for (size_t i = 0; i < num; i++) {
		const char *url = endpoints[i].url;
		char text[80];

		snprintf(text, sizeof(text), "%s (%s)", endpoints[i].name,
			 strncmp(url, "https:", 6) == 0 ? "https" : "http");
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *checkpoints_of(const struct dr_config *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->num_checkpoints; i++)
		json_array_append_new(list, dr_out_json_text(c->checkpoints[i]));
	return list;
}

/* What the fork schedule says: "altair 0, bellatrix 0, …". */
static json_t *forks_of(const struct dr_network *net)
{
	json_t *forks = json_object();

	for (unsigned f = DR_BEACON_ALTAIR; f < DR_BEACON_FORKS; f++)
		if (net->forks[f].epoch != DR_BEACON_NEVER)
			json_object_set_new(forks, dr_beacon_fork_name(f),
					    json_integer((json_int_t)net->forks[f].epoch));
	if (net->unknown_epoch != DR_BEACON_NEVER)
		json_object_set_new(forks, "unknown", json_integer((json_int_t)net->unknown_epoch));
	return forks;
}

static void print_consensus(json_t *obj, const struct dr_config *c)
{
	const struct dr_network *net = &c->network;
	json_t *network = json_pack("{s:s, s:I, s:i, s:i, s:i, s:i}", "name", net->name, "genesis_time",
				    (json_int_t)net->genesis_time, "slots_per_epoch", (int)net->slots_per_epoch,
				    "epochs_per_period", (int)net->epochs_per_period, "committee_size",
				    (int)net->committee_size, "seconds_per_slot", (int)net->seconds_per_slot);

	json_object_set_new(obj, "consensus",
			    json_string("two thirds of the sync committee; a committee that lies is not slashable"));
	set_hex(network, "genesis_validators_root", net->genesis_validators_root, 32);
	json_object_set_new(network, "fork_epochs", forks_of(net));
	json_object_set_new(obj, "network", network);
	set_hex(obj, "checkpoint", c->checkpoint_root, 32);
	set_text(obj, "checkpoint_from", c->checkpoint_from);
	set_u64(obj, "checkpoint_max_age_s", c->checkpoint_max_age_s);
	set_text(obj, "checkpoint_accept_aged", c->checkpoint_aged);
	json_object_set_new(obj, "beacons", endpoints_of(c->beacons, c->num_beacons));
}

static void print(struct dr_cli *cli, const struct dr_config *c, const char *path)
{
	json_t *obj = json_object();

	set_text(obj, "file", path);
	set_u64(obj, "chain_id", c->chain_id);
	set_hex(obj, "genesis", c->genesis, sizeof(c->genesis));
	set_hex(obj, "contract", c->contract, sizeof(c->contract));
	set_u64(obj, "start_block", c->start_number);
	set_hex(obj, "start_hash", c->start_hash, sizeof(c->start_hash));
	json_object_set_new(obj, "proof", json_string(dr_proof_name(c->proof)));
	if (c->proof == DR_PROOF_QUORUM) {
		char text[160];

		snprintf(text, sizeof(text),
			 "%u of %u endpoints; nothing cryptographic: whoever controls %u of them controls what derot "
			 "sees",
			 c->quorum_k, c->num_endpoints, c->quorum_k);
		json_object_set_new(obj, "quorum", json_string(text));
	}
	if (c->proof == DR_PROOF_CONSENSUS)
		print_consensus(obj, c);
	json_object_set_new(obj, "endpoints", endpoints_of(c->endpoints, c->num_endpoints));
	if (c->proof == DR_PROOF_QUORUM)
		json_object_set_new(obj, "finality", json_string(dr_tag_name(c->tag)));
	json_object_set_new(obj, "completeness", json_string(way_name(c->way)));
	set_u64(obj, "step", c->step_max);
	set_u64(obj, "poll_ms", c->poll_ms);
	set_u64(obj, "timeout_ms", c->timeout_ms);
	set_u64(obj, "batch_requests", c->batch_requests);
	set_u64(obj, "batch_bytes", c->batch_bytes);
	set_u64(obj, "max_staleness_s", c->max_staleness_s != 0 ? c->max_staleness_s : DR_STALENESS_DEFAULT_S);
	if (c->head_staleness_s != 0)
		set_u64(obj, "head_staleness_s", c->head_staleness_s);
	else
		json_object_set_new(obj, "head_staleness_s", json_null());
	json_object_set_new(obj, "heartbeat", json_boolean(c->heartbeat));
	if (c->has_node)
		set_hex(obj, "node", c->node, sizeof(c->node));
	else
		json_object_set_new(obj, "node", json_null());
	set_text(obj, "data_dir", c->data_dir);
	set_text(obj, "key_file", c->key_file);
	set_text(obj, "passphrase_file", c->passphrase_file);
	json_object_set_new(obj, "checkpoints", checkpoints_of(c));
	set_text(obj, "serve", c->serve_listen);
	set_text(obj, "profile", c->profile_path);
	set_text(obj, "profile_name", c->profile.name);
	set_hex(obj, "profile_digest", c->profile.digest, sizeof(c->profile.digest));
	dr_out_object(&cli->out, obj);
	json_decref(obj);
}

/* What the file is good for: every command that follows the chain, or `run` too. */
static void check(struct dr_cli *cli, const struct dr_config *c, const char *path)
{
	struct dr_init *init = dr_heap_alloc(sizeof(*init));
	struct dr_fail fail = { DR_OK, NULL, 0 };
	json_t *obj = json_object();

	json_object_set_new(obj, "ok", json_true());
	set_text(obj, "file", path);
	if (init != NULL && dr_config_init(init, c, DR_MODE_RUN, &fail) == DR_OK) {
		json_object_set_new(obj, "good_for", json_string("run, record, replay, status, audit, keys"));
	} else {
		json_object_set_new(obj, "good_for", json_string("record, replay"));
		json_object_set_new(obj, "not_for_run", json_string(init != NULL ? fail.what : "no memory"));
	}
	if (c->checkpoint_aged[0] != '\0')
		set_text(obj, "checkpoint_accept_aged", c->checkpoint_aged);
	set_hex(obj, "profile_digest", c->profile.digest, sizeof(c->profile.digest));
	dr_out_object(&cli->out, obj);
	json_decref(obj);
	dr_heap_free(init);
}

static int template(struct dr_cli *cli, const char *network)
{
	char known[128] = "say which network: ";

	if (network != NULL && dr_config_template(cli->out.out, network))
		return DR_EXIT_OK;
	for (size_t i = 0; dr_config_template_name(i) != NULL; i++) {
		const size_t len = strlen(known);

		snprintf(known + len, sizeof(known) - len, "%s%s", i > 0 ? ", " : "", dr_config_template_name(i));
	}
	return dr_cli_usage(cli, known, network);
}

int dr_cmd_config(struct dr_cli *cli, int argc, char **argv)
{
	const char *path = NULL;
	const struct dr_opt opts[] = { { "config", 'c', DR_OPT_VALUE, &path } };
	struct dr_yaml_error error = { "" };
	struct dr_config *config;
	int code = dr_cli_options(cli, &argc, argv, opts, 1);
	bool is_print;

	if (code != DR_EXIT_OK)
		return code;
	if (argc >= 2 && argc <= 3 && path == NULL && strcmp(argv[1], "template") == 0)
		return template(cli, argc == 3 ? argv[2] : NULL);
	if (argc != 2 || (strcmp(argv[1], "check") != 0 && strcmp(argv[1], "print") != 0))
		return dr_cli_usage(cli, "say check, print or template",
				    argc > 2    ? argv[2]
				    : argc == 2 ? argv[1]
						: NULL);
	if (path == NULL)
		return dr_cli_usage(cli, "which configuration? give -c FILE", NULL);
	is_print = strcmp(argv[1], "print") == 0;
	config = dr_heap_alloc(sizeof(*config));
	if (config == NULL) {
		dr_out_trouble(&cli->out,
			       &(struct dr_trouble){ .code = "nomem", .what = "no memory", .next = "try again" });
		return DR_EXIT_ERROR;
	}
	if (dr_config_load(config, path, &error) != DR_OK) {
		dr_out_trouble(&cli->out,
			       &(struct dr_trouble){ .code = "config",
						     .what = "the configuration is not good",
						     .expected = "what fixtures/derot.example.yaml shows",
						     .got = error.text,
						     .source = path,
						     .state = "nothing was started or changed",
						     .next = "mend the line that is named and check again" });
		code = DR_EXIT_ERROR;
	} else if (is_print) {
		print(cli, config, path);
	} else {
		check(cli, config, path);
	}
	dr_config_free(config);
	dr_heap_free(config);
	return code;
}
