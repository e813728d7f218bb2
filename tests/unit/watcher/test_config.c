/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watcher/config.h"
#include "watcher/config_template.h"
#include "watcher/profile_yaml.h"

#define H32 "0x1111111111111111111111111111111111111111111111111111111111111111"
#define A20 "0x2222222222222222222222222222222222222222"

static char folder[] = "/tmp/derot-test-config-XXXXXX";
static char config_path[64], profile_path[64], spec_path[64], genesis_path[64], pipe_path[64];
static struct dr_config config;

static const char good_profile[] = "name: test-v1\n"
				   "code_hash: \"" H32 "\"\n"
				   "count_slot: 0\n"
				   "acc_slot: 1\n"
				   "state_every: 8\n"
				   "stealth_window: 86400\n"
				   "exposure_grace: 604800\n"
				   "events:\n"
				   "  - event: MeasurementAllowed(uint64 proposal, uint64 due, bytes32 measurement)\n"
				   "    action: measurement.allow\n"
				   "  - event: MeasurementRevoked(uint64 proposal, address by, bytes32 measurement)\n"
				   "    action: measurement.revoke\n"
				   "slots:\n"
				   "  - kind: measurement\n"
				   "    slot: 2\n"
				   "  - kind: root\n"
				   "    slot: 5\n";

static const char good_config[] = "chain:\n"                                /* 1 */
				  "  id: 31337\n"                           /* 2 */
				  "  genesis: \"" H32 "\"\n"                /* 3 */
				  "contract: \"" A20 "\"\n"                 /* 4 */
				  "start:\n"                                /* 5 */
				  "  block: 7\n"                            /* 6 */
				  "  hash: " H32 "\n"                       /* 7: hexadecimal needs no quotes */
				  "proof: quorum\n"                         /* 8 */
				  "quorum: 2\n"                             /* 9 */
				  "endpoints:\n"                            /* 10 */
				  "  - name: alpha\n"                       /* 11 */
				  "    url: http://127.0.0.1:8545\n"        /* 12 */
				  "  - name: beta\n"                        /* 13 */
				  "    url: https://user:pw@host/key?k=1\n" /* 14 */
				  "profile: profile.yaml\n"                 /* 15 */
				  "data_dir: data\n"                        /* 16 */
				  "key_file: /etc/key\n"                    /* 17 */
				  "node: \"" A20 "\"\n";                    /* 18 */

static const char consensus_config[] = "chain:\n"                             /* 1 */
				       "  id: 11155111\n"                     /* 2 */
				       "  genesis: \"" H32 "\"\n"             /* 3 */
				       "contract: \"" A20 "\"\n"              /* 4 */
				       "start: {block: 7, hash: " H32 "}\n"   /* 5 */
				       "proof: consensus\n"                   /* 6 */
				       "consensus:\n"                         /* 7 */
				       "  network: sepolia\n"                 /* 8 */
				       "  checkpoint:\n"                      /* 9 */
				       "    root: " H32 "\n"                  /* 10 */
				       "    from: two friends\n"              /* 11 */
				       "  endpoints:\n"                       /* 12 */
				       "    - name: lodestar\n"               /* 13 */
				       "      url: http://127.0.0.1:9596\n"   /* 14 */
				       "    - name: nimbus\n"                 /* 15 */
				       "      url: https://user:pw@host/b\n"  /* 16 */
				       "endpoints:\n"                         /* 17 */
				       "  - {name: alpha, url: http://h:1}\n" /* 18 */
				       "profile: profile.yaml\n";             /* 19 */

/* The least that a beacon node's answers must have. */
static const char spec_json[] =
	"{\"data\":{\"CONFIG_NAME\":\"devnet\",\"SLOTS_PER_EPOCH\":\"8\",\"EPOCHS_PER_SYNC_COMMITTEE_PERIOD\":\"8\","
	"\"SYNC_COMMITTEE_SIZE\":\"32\",\"SECONDS_PER_SLOT\":\"6\",\"GENESIS_FORK_VERSION\":\"0x00000001\","
	"\"ALTAIR_FORK_VERSION\":\"0x01000001\",\"ALTAIR_FORK_EPOCH\":\"3\"}}";
static const char genesis_json[] =
	"{\"data\":{\"genesis_time\":\"1700000000\",\"genesis_validators_root\":\"" H32 "\"}}";

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* good with the first `from` replaced by `to`; an empty `from` appends. */
static const char *edited(const char *good, const char *from, const char *to)
{
	char *out = (char *)kit_alloc(strlen(good) + strlen(to) + 1);
	const char *at = *from != '\0' ? strstr(good, from) : good + strlen(good);

	assert_non_null(at);
	sprintf(out, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
	return out;
}

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(config_path, sizeof(config_path), "%s/derot.yaml", folder);
	snprintf(profile_path, sizeof(profile_path), "%s/profile.yaml", folder);
	put(profile_path, good_profile);
	snprintf(spec_path, sizeof(spec_path), "%s/spec.json", folder);
	snprintf(genesis_path, sizeof(genesis_path), "%s/genesis.json", folder);
	put(spec_path, spec_json);
	put(genesis_path, genesis_json);
	snprintf(pipe_path, sizeof(pipe_path), "%s/pipe", folder);
	return mkfifo(pipe_path, 0600);
}

static int teardown(void **state)
{
	(void)state;
	unlink(config_path);
	unlink(profile_path);
	unlink(spec_path);
	unlink(genesis_path);
	unlink(pipe_path);
	return rmdir(folder);
}

static void test_good(void **state)
{
	struct dr_yaml_error error;
	struct dr_fail fail = { 0 };
	struct dr_init init;

	(void)state;
	put(config_path, good_config);
	if (dr_config_load(&config, config_path, &error) != DR_OK)
		fail_msg("%s", error.text);
	assert_int_equal(config.chain_id, 31337);
	assert_int_equal(config.start_number, 7);
	assert_int_equal(config.num_endpoints, 2);
	assert_int_equal(config.step_max, 256);
	assert_int_equal(config.poll_ms, 2000);
	assert_int_equal(config.timeout_ms, 10000);
	assert_int_equal(config.batch_requests, 50);
	assert_int_equal(config.batch_bytes, 4194304);
	assert_int_equal(config.tag, DR_TAG_FINALIZED);
	assert_int_equal(config.way, DR_WAY_BLOOM);
	assert_false(config.heartbeat);
	assert_string_equal(config.serve_listen, "");
	assert_string_equal(config.passphrase_file, "");
	assert_int_equal(config.num_checkpoints, 0);
	assert_string_equal(config.profile_path, profile_path);
	assert_string_equal(config.key_file, "/etc/key");
	assert_int_equal(config.data_dir[0], '/');
	assert_int_equal(config.profile.num_events, 2);
	assert_true(config.profile.has_accumulator);
	assert_int_equal(config.profile.slots[1].slot, 5);
	assert_int_equal(dr_config_init(&init, &config, DR_MODE_RUN, &fail), DR_OK);
	assert_int_equal(init.quorum_k, 2);
	assert_int_equal(init.quorum_n, 2);
	assert_int_equal(init.proof, DR_PROOF_QUORUM);
	assert_string_equal(init.endpoints[1], "beta");
	assert_true(init.anchored && init.profile.len > 64);
	assert_int_equal(init.node[0], 0x22);
	config.key_file[0] = '\0';
	assert_int_equal(dr_config_init(&init, &config, DR_MODE_RUN, &fail), DR_ERR_SYNTAX);
	assert_true(dr_bytes_zero(&init, sizeof(init)));
	dr_config_free(&config);
}

static void test_all_keys(void **state)
{
	static struct dr_init init;
	struct dr_yaml_error error;
	struct dr_fail fail = { 0 };
	char path[128];

	(void)state;
	put(config_path, edited(good_config, "",
				"completeness: accumulator\nstep: 512\npoll_ms: 100\ntimeout_ms: 500\n"
				"batch: {requests: 3, bytes: 65536}\nfinality: latest\n"
				"lease: {max_staleness: 60, head_staleness: 30, heartbeat: true}\n"
				"serve: {listen: \"[::1]:8460\"}\n"
				"passphrase_file: secret/phrase\n"
				"checkpoints: [peers/a, /srv/b, peers/c, d]\n"));
	if (dr_config_load(&config, config_path, &error) != DR_OK)
		fail_msg("%s", error.text);
	assert_int_equal(config.way, DR_WAY_ACCUMULATOR);
	assert_int_equal(config.step_max, 512);
	assert_int_equal(config.batch_requests, 3);
	assert_int_equal(config.tag, DR_TAG_LATEST);
	assert_int_equal(config.max_staleness_s, 60);
	assert_int_equal(config.head_staleness_s, 30);
	assert_true(config.heartbeat);
	assert_string_equal(config.serve_listen, "[::1]:8460");
	assert_int_equal(config.num_checkpoints, 4);
	assert_int_equal(dr_config_init(&init, &config, DR_MODE_RUN, &fail), DR_OK);
	assert_true(init.heartbeat);
	snprintf(path, sizeof(path), "%s/secret/phrase", folder);
	assert_string_equal(init.passphrase_file, path);
	snprintf(path, sizeof(path), "%s/peers/a", folder);
	assert_string_equal(init.checkpoints[0], path);
	assert_string_equal(init.checkpoints[1], "/srv/b");
	snprintf(path, sizeof(path), "%s/d", folder);
	assert_string_equal(init.checkpoints[3], path);
	dr_config_free(&config);
}

static void test_bad(void **state)
{
	static const struct {
		const char *name, *from, *to, *expected; /* what the message must hold */
	} rows[] = {
		{ "negative", "31337", "-1", "derot.yaml:2: chain.id: must be a decimal" },
		{ "trailing letter", "31337", "10x", "derot.yaml:2: chain.id: must be a decimal" },
		{ "octal", "31337", "010", "derot.yaml:2: chain.id: must be a decimal" },
		{ "hexadecimal", "31337", "0x10", "derot.yaml:2: chain.id: must be a decimal" },
		{ "plus", "31337", "+1", "chain.id" },
		{ "float", "31337", "1e3", "chain.id" },
		{ "too large", "31337", "18446744073709551616", "chain.id: does not fit 64 bits" },
		{ "zero chain", "31337", "0", "derot.yaml:2: chain.id: must be between" },
		{ "empty number", "31337", "\"\"", "chain.id" },
		{ "null number", " 31337", "", "chain.id" },
		{ "start 0", "block: 7", "block: 0", "derot.yaml:6: start.block" },
		{ "short genesis", "genesis: \"" H32, "genesis: \"0x11",
		  "derot.yaml:3: chain.genesis: must be 0x and 64" },
		{ "short contract", "contract: \"" A20, "contract: \"0x22",
		  "derot.yaml:4: contract: must be 0x and 40" },
		{ "proof", "proof: quorum", "proof: faith",
		  "derot.yaml:8: proof: must be quorum or consensus, not faith" },
		{ "a quorum at consensus", "proof: quorum", "proof: consensus",
		  "derot.yaml:9: quorum: belongs to proof quorum" },
		{ "no consensus", "proof: quorum\nquorum: 2", "proof: consensus",
		  "derot.yaml: consensus: is missing: proof consensus needs" },
		{ "consensus at quorum", "quorum: 2\n",
		  "quorum: 2\nconsensus: {network: mainnet, checkpoint: {root: " H32
		  ", from: me}, endpoints: [{name: b, url: http://b}]}\n",
		  "derot.yaml:10: consensus: belongs to proof consensus" },
		{ "no quorum", "quorum: 2\n", "", "derot.yaml: quorum: is missing: how many" },
		{ "no such way", "proof: quorum", "proof: quorum\ncompleteness: all",
		  "derot.yaml:9: completeness: must be bloom, receipts or accumulator, not all" },
		{ "no truth", "proof: quorum", "proof: quorum\nlease:\n  heartbeat: yes",
		  "derot.yaml:10: lease.heartbeat: must be false or true, not yes" },
		{ "proof missing", "proof: quorum\n", "", "derot.yaml: proof: is missing" },
		{ "quorum of none", "quorum: 2", "quorum: 0", "derot.yaml:9: quorum: must be between 1 and 2" },
		{ "quorum beyond n", "quorum: 2", "quorum: 3", "derot.yaml:9: quorum: must be between 1 and 2" },
		{ "chain missing", "chain:\n  id: 31337\n  genesis: \"" H32 "\"\n", "", "chain" },
		{ "unknown key", "", "colour: red\n", "derot.yaml:19: colour: unknown key" },
		{ "unknown inner key", "  block: 7", "  blok: 7", "derot.yaml:6: start.blok: unknown key" },
		{ "doubled key", "", "quorum: 1\n", "derot.yaml:19: quorum: given twice" },
		{ "doubled inner key", "  block: 7\n", "  block: 7\n  block: 8\n",
		  "derot.yaml:7: start.block: given twice" },
		{ "alias", "node: \"" A20 "\"", "node: *x", "alias" },
		{ "anchor", "node: \"" A20 "\"", "node: &x \"" A20 "\"", "derot.yaml:18: node: anchors and tags" },
		{ "tag", "quorum: 2", "quorum: !!int 2", "derot.yaml:9: quorum: anchors and tags" },
		{ "second document", "", "---\nchain: 1\n", "derot.yaml:19: a second document" },
		{ "not YAML", "chain:", "chain: [", "derot.yaml:" },
		{ "a list for a word", "quorum: 2", "quorum: [2]", "derot.yaml:9: quorum[0]: " },
		{ "a word for a group", "start:\n  block: 7\n  hash: " H32, "start: 7", ":5" },
		{ "deep", "quorum: 2", "quorum: [[[[[[[[[[2]]]]]]]]]]", "nested too deep" },
		{ "same name", "name: beta", "name: alpha", "derot.yaml:13: endpoints[1].name: two endpoints" },
		{ "same URL", "https://user:pw@host/key?k=1", "http://127.0.0.1:8545",
		  "derot.yaml:14: endpoints[1].url: two" },
		{ "name with a space", "name: beta", "name: be ta", "derot.yaml:13: endpoints[1].name" },
		{ "name too long", "name: beta",
		  "name: b123456789012345678901234567890123456789012345678901234567890123", "is too long" },
		{ "ftp", "https://user:pw@host", "ftp://host", "derot.yaml:14: endpoints[1].url: must be" },
		{ "no host", "https://user:pw@host/key?k=1", "https:///x", "endpoints[1].url: must be" },
		{ "a fragment", "https://user:pw@host/key?k=1", "'https://host/key#k'", "endpoints[1].url: must be" },
		{ "no scheme", "https://user:pw@host/key?k=1", "host:8545", "endpoints[1].url: must be" },
		{ "completeness", "", "completeness: blom\n", "derot.yaml:19: completeness: " },
		{ "truth", "", "lease: {heartbeat: yes}\n", ":19" },
		{ "truth misspelt", "", "lease: {heartbeat: ture}\n", ":19" },
		{ "truth in capitals", "", "lease: {heartbeat: TRUE}\n", ":19" },
		{ "step", "", "step: 513\n", "derot.yaml:19: step: must be between 1 and 512" },
		{ "the shorter limit longer", "", "lease: {max_staleness: 60, head_staleness: 61}\n",
		  "derot.yaml:19: lease.head_staleness: must be between 1 and 60" },
		{ "batch of none", "", "batch: {requests: 0}\n", "derot.yaml:19: batch.requests" },
		{ "HTTP for all", "", "serve: {listen: \"0.0.0.0:8460\"}\n",
		  "derot.yaml:19: serve.listen: expected 127.0.0.1:PORT, [::1]:PORT or unix:" },
		{ "HTTP at a name", "", "serve: {listen: \"localhost:8460\"}\n",
		  "derot.yaml:19: serve.listen: expected" },
		{ "HTTP at a relative path", "", "serve: {listen: \"unix:sock\"}\n",
		  "derot.yaml:19: serve.listen: expected" },
		{ "HTTP nowhere", "", "serve: {}\n", "derot.yaml: listen: is missing" },
		{ "passphrase in the key file", "", "passphrase_file: /etc/key\n",
		  "derot.yaml:19: passphrase_file: must be another file" },
		{ "empty passphrase file", "", "passphrase_file: \"\"\n", "derot.yaml:19: passphrase_file" },
		{ "no checkpoints", "", "checkpoints: []\n", "checkpoints" },
		{ "five checkpoints", "", "checkpoints: [a, b, c, d, e]\n", "checkpoints" },
		{ "checkpoint twice", "", "checkpoints: [a, b, a]\n", "checkpoints[2]: one file named twice" },
		{ "checkpoint without a name", "", "checkpoints: [a, \"\"]\n", "checkpoints[1]: " },
		{ "checkpoint no list", "", "checkpoints: a\n", ":19" },
		{ "no profile", "profile: profile.yaml", "profile: absent.yaml", "absent.yaml: No such file" },
		{ "profile is a folder", "profile: profile.yaml", "profile: /tmp", "/tmp: not a plain file" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_yaml_error error = { 0 };

		put(config_path, edited(good_config, rows[i].from, rows[i].to));
		if (dr_config_load(&config, config_path, &error) == DR_OK)
			fail_msg("%s: taken", rows[i].name);
		if (strstr(error.text, rows[i].expected) == NULL)
			fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].name, error.text, rows[i].expected);
		assert_null(strstr(error.text, "pw@")); /* no URL in a message */
		assert_true(dr_bytes_zero(&config, sizeof(config)));
	}
}

static void test_consensus(void **state)
{
	static struct dr_init init;
	struct dr_yaml_error error;
	struct dr_fail fail = { 0 };
	struct dr_network net;

	(void)state;
	put(config_path, consensus_config);
	if (dr_config_load(&config, config_path, &error) != DR_OK)
		fail_msg("%s", error.text);
	assert_int_equal(config.proof, DR_PROOF_CONSENSUS);
	assert_int_equal(config.quorum_k, 0);
	assert_int_equal(config.num_beacons, 2);
	assert_string_equal(config.beacons[1].name, "nimbus");
	assert_string_equal(config.network.name, "sepolia");
	assert_int_equal(config.checkpoint_root[31], 0x11);
	assert_string_equal(config.checkpoint_from, "two friends");
	assert_int_equal(config.checkpoint_max_age_s, 14 * 86400);
	assert_string_equal(config.checkpoint_aged, "");
	assert_int_equal(dr_config_init(&init, &config, DR_MODE_RECORD, &fail), DR_OK);
	assert_int_equal(init.proof, DR_PROOF_CONSENSUS);
	assert_int_equal(init.quorum_k, 0);
	assert_int_equal(init.quorum_n, 3);
	assert_string_equal(init.endpoints[0], "alpha");
	assert_string_equal(init.endpoints[1], "lodestar");
	assert_string_equal(init.endpoints[2], "nimbus");
	assert_int_equal(init.checkpoint[0], 0x11);
	assert_string_equal(init.checkpoint_from, "two friends");
	assert_int_equal(init.checkpoint_max_age_s, 14 * 86400);
	assert_int_equal(dr_network_decode(&net, init.network, &fail), DR_OK);
	assert_memory_equal(&net, dr_network_named("sepolia"), sizeof(net));
	dr_config_free(&config);

	put(config_path,
	    edited(edited(consensus_config, "network: sepolia", "spec: spec.json\n  genesis: genesis.json"),
		   "from: two friends", "from: me\n    max_age: 60\n    accept_aged: the auditor"));
	if (dr_config_load(&config, config_path, &error) != DR_OK)
		fail_msg("%s", error.text);
	assert_string_equal(config.network.name, "devnet");
	assert_int_equal(config.network.committee_size, 32);
	assert_int_equal(config.network.forks[DR_BEACON_ALTAIR].epoch, 3);
	assert_int_equal(config.checkpoint_max_age_s, 60);
	assert_int_equal(dr_config_init(&init, &config, DR_MODE_RECORD, &fail), DR_OK);
	assert_string_equal(init.checkpoint_aged, "the auditor");
	dr_config_free(&config);
}

static void test_bad_consensus(void **state)
{
	static const struct {
		const char *name, *from, *to, *expected;
	} rows[] = {
		{ "a tag",
		  "profile:", "finality: latest\nprofile:", "derot.yaml:19: finality: belongs to proof quorum" },
		{ "no such network", "sepolia", "goerli",
		  "derot.yaml:8: consensus.network: must be mainnet, sepolia, holesky, hoodi, or left out" },
		{ "another chain's id", "11155111", "1", "yaml:2: chain.id: must be 11155111 under the beacon" },
		{ "no network", "  network: sepolia\n", "", "derot.yaml:7: consensus: say which network" },
		{ "two networks", "sepolia", "sepolia\n  spec: spec.json\n  genesis: genesis.json",
		  "derot.yaml:7: consensus: say which network" },
		{ "half a network", "network: sepolia", "spec: spec.json", "consensus.genesis: is missing" },
		{ "the other half", "network: sepolia", "genesis: genesis.json", "consensus.spec: is missing" },
		{ "no such file", "network: sepolia", "spec: absent.json\n  genesis: genesis.json",
		  "derot.yaml:8: consensus.spec: No such file or directory: the file cannot be opened" },
		{ "a folder", "network: sepolia", "spec: /tmp\n  genesis: genesis.json",
		  "derot.yaml:8: consensus.spec: not a plain file" },
		{ "a pipe", "network: sepolia", "spec: spec.json\n  genesis: pipe",
		  "derot.yaml:9: consensus.genesis: not a plain file" },
		{ "swapped files", "network: sepolia", "spec: genesis.json\n  genesis: spec.json",
		  "derot.yaml:8: consensus.spec: data.SLOTS_PER_EPOCH: this member is missing" },
		{ "a genesis that is none", "network: sepolia", "spec: spec.json\n  genesis: spec.json",
		  "derot.yaml:9: consensus.genesis: data.genesis_time: this member is missing" },
		{ "no JSON", "network: sepolia", "spec: derot.yaml\n  genesis: genesis.json",
		  "consensus.spec: not valid JSON" },
		{ "a form is for anchors", "network: sepolia", "form: 0x01", "consensus.form: unknown key" },
		{ "short root", "root: 0x1111", "root: 0x11",
		  "derot.yaml:10: consensus.checkpoint.root: must be 0x and 64" },
		{ "zero root", H32 "\n    from",
		  "0x0000000000000000000000000000000000000000000000000000000000000000\n    from",
		  "consensus.checkpoint.root: must be the root of a finalized" },
		{ "no root", "    root: " H32 "\n", "", "root: is missing" },
		{ "from nobody", "    from: two friends\n", "", "consensus.checkpoint.from: is missing" },
		{ "from nothing", "two friends", "\"\"", "consensus.checkpoint.from: must not be empty" },
		{ "age 0", "two friends", "me\n    max_age: 0",
		  "derot.yaml:12: consensus.checkpoint.max_age: must be" },
		{ "15 days without a name", "two friends", "me\n    max_age: 1296000",
		  "max_age: must be between 1 and 1209600" },
		{ "aged by nobody", "two friends", "me\n    accept_aged: \"\"",
		  "derot.yaml:12: consensus.checkpoint.accept_aged: must not be empty" },
		{ "no beacon",
		  "    - name: lodestar\n      url: http://127.0.0.1:9596\n    - name: nimbus\n"
		  "      url: https://user:pw@host/b\n",
		  "", "endpoints" },
		{ "one name twice", "nimbus", "lodestar",
		  "consensus.endpoints[1].name: two endpoints with one name" },
		{ "one name for two kinds", "nimbus", "alpha",
		  "derot.yaml:15: consensus.endpoints[1].name: two endpoints with one name" },
		{ "one URL twice", "https://user:pw@host/b", "http://127.0.0.1:9596",
		  "derot.yaml:16: consensus.endpoints[1].url: two endpoints with one URL" },
		{ "no URL", "http://127.0.0.1:9596", "127.0.0.1:9596",
		  "consensus.endpoints[0].url: must be an http" },
		{ "a spaced name", "nimbus", "nim bus", "consensus.endpoints[1].name: may have letters" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_yaml_error error = { 0 };

		put(config_path, edited(consensus_config, rows[i].from, rows[i].to));
		if (dr_config_load(&config, config_path, &error) == DR_OK)
			fail_msg("%s: taken", rows[i].name);
		if (strstr(error.text, rows[i].expected) == NULL)
			fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].name, error.text, rows[i].expected);
		assert_null(strstr(error.text, "pw@"));
		assert_true(dr_bytes_zero(&config, sizeof(config)));
	}
}

/* 16 sources are the most, however they are divided. */
static void test_sources(void **state)
{
	(void)state;
	for (unsigned num = 13; num <= 14; num++) {
		struct dr_yaml_error error = { 0 };
		char more[16 * 64] = "endpoints:\n", from[] = "endpoints:\n  - {";

		for (unsigned i = 0; i < num; i++) {
			const size_t len = strlen(more);

			snprintf(more + len, sizeof(more) - len, "  - {name: e%u, url: http://h:%u}\n", i, 100 + i);
		}
		snprintf(more + strlen(more), sizeof(more) - strlen(more), "  - {");
		put(config_path, edited(consensus_config, from, more));
		assert_int_equal(dr_config_load(&config, config_path, &error), num == 13 ? DR_OK : DR_ERR_LIMIT);
		if (num != 13)
			assert_non_null(strstr(error.text, "consensus.endpoints: too many: at most 16"));
		dr_config_free(&config);
	}
}

/* What a template leaves open is said by name, from the top; filled in, it is good. */
static void test_templates(void **state)
{
	static const struct {
		const char *from, *to, *expected;
	} steps[] = {
		{ "contract: FILL-IN", "contract: " A20, "contract" },
		{ "block: FILL-IN", "block: 7", "start.block" },
		{ "hash: FILL-IN", "hash: " H32, "start.hash" },
		{ "url: FILL-IN", "url: http://e", "endpoints[0].url" },
		{ "root: FILL-IN", "root: " H32, "consensus.checkpoint.root" },
		{ "from: \"\"   # FILL-IN", "from: me #", "consensus.checkpoint.from: must not be empty" },
		{ "url: FILL-IN", "url: http://b", "consensus.endpoints[0].url" },
		{ "profile: FILL-IN", "profile: profile.yaml", "FILL-IN: No such file" },
	};

	(void)state;
	for (size_t n = 0; dr_config_template_name(n) != NULL; n++) {
		const bool custom = strcmp(dr_config_template_name(n), "custom") == 0;
		struct dr_yaml_error error = { 0 };
		char text[4096] = "";
		FILE *to = fmemopen(text, sizeof(text), "w");
		const char *now = text;

		assert_non_null(to);
		assert_true(dr_config_template(to, dr_config_template_name(n)));
		fclose(to);
		if (custom) {
			now = edited(edited(now, "id: FILL-IN", "id: 9"), "genesis: FILL-IN", "genesis: " H32);
			now = edited(edited(now, "spec: FILL-IN", "spec: spec.json"), "genesis: FILL-IN",
				     "genesis: genesis.json");
		}
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			put(config_path, now);
			assert_int_not_equal(dr_config_load(&config, config_path, &error), DR_OK);
			if (strstr(error.text, steps[i].expected) == NULL)
				fail_msg("%s: \"%s\" does not say \"%s\"", dr_config_template_name(n), error.text,
					 steps[i].expected);
			now = edited(now, steps[i].from, steps[i].to);
		}
		put(config_path, now);
		if (dr_config_load(&config, config_path, &error) != DR_OK)
			fail_msg("%s: %s", dr_config_template_name(n), error.text);
		assert_string_equal(config.network.name, custom ? "devnet" : dr_config_template_name(n));
		dr_config_free(&config);
	}
	assert_false(dr_config_template(stdout, "goerli"));
}

static void test_bad_profile(void **state)
{
	static const struct {
		const char *name, *from, *to, *expected;
	} rows[] = {
		{ "unknown action", "measurement.allow", "measurement.alow", "profile.yaml:9: events[0]" },
		{ "wrong type", "bytes32 measurement", "uint64 measurement", "profile.yaml:9: events[0]" },
		{ "missing argument", ", bytes32 measurement", "", "profile.yaml:9: events[0]" },
		{ "event twice",
		  "MeasurementRevoked(uint64 proposal, address by, bytes32 measurement)\n    action: "
		  "measurement.revoke",
		  "MeasurementAllowed(uint64 proposal, uint64 due, bytes32 measurement)\n    action: "
		  "measurement.allow",
		  "profile.yaml:11: events[1].event: this event is declared twice" },
		{ "kind", "kind: root", "kind: roots", "profile.yaml:16: slots[1].kind: must be " },
		{ "kind twice", "kind: root", "kind: measurement", "profile.yaml:16: slots[1].kind" },
		{ "one accumulator slot", "acc_slot: 1\n", "", "count_slot: count_slot and acc_slot go together" },
		{ "state_every", "state_every: 8", "state_every: 0", "profile.yaml:5: state_every" },
		{ "no grace", "exposure_grace: 604800", "exposure_grace: 0",
		  "profile.yaml:7: exposure_grace: must be between 1" },
		{ "grace for ever", "exposure_grace: 604800", "exposure_grace: 281474976710657",
		  "profile.yaml:7: exposure_grace: must be between 1" },
		{ "grace missing", "exposure_grace: 604800\n", "", "exposure_grace: is missing" },
		{ "slot", "slot: 5", "slot: five", "profile.yaml:17: slots[1].slot" },
		{ "unknown key", "", "more: 1\n", "profile.yaml:18: more: unknown key" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_yaml_error error = { 0 };
		struct dr_profile profile;
		struct dr_buf form;

		put(profile_path, edited(good_profile, rows[i].from, rows[i].to));
		dr_buf_init(&form, DR_PROFILE_LEN_MAX);
		if (dr_profile_load(&profile, &form, profile_path, &error) == DR_OK)
			fail_msg("%s: taken", rows[i].name);
		if (strstr(error.text, rows[i].expected) == NULL)
			fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].name, error.text, rows[i].expected);
		dr_buf_free(&form);
	}
	put(profile_path, good_profile);
}

/* The files that people start from. */
static void test_ours(void **state)
{
	struct dr_yaml_error error;

	(void)state;
	if (access("governance/profiles/derot-v1.yaml", R_OK) != 0)
		skip();
	if (dr_config_load(&config, "fixtures/derot.example.yaml", &error) != DR_OK)
		fail_msg("%s", error.text);
	assert_int_equal(config.num_endpoints, 3);
	assert_string_equal(config.profile.name, "derot-v1");
	dr_config_free(&config);
}

/* Every truncation and every single-bit flip ends in a configuration or a message, never anything else. */
static void test_damage(void **state)
{
	const size_t len = strlen(good_config);
	char *text = (char *)kit_alloc(len + 1);

	(void)state;
	for (size_t i = 0; i < len * 9; i++) {
		struct dr_yaml_error error = { 0 };

		memcpy(text, good_config, len);
		if (i < len)
			text[i] = '\0';
		else
			text[(i - len) / 8] = (char)(text[(i - len) / 8] ^ (1 << (i - len) % 8));
		put(config_path, text);
		const enum dr_err err = dr_config_load(&config, config_path, &error);

		assert_int_equal(err == DR_OK, error.text[0] == '\0');
		dr_config_free(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_consensus), cmocka_unit_test(test_bad_consensus),
		cmocka_unit_test(test_sources),   cmocka_unit_test(test_templates),
		cmocka_unit_test(test_good),      cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_bad),       cmocka_unit_test(test_bad_profile),
		cmocka_unit_test(test_ours),      cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
