/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watcher/anchor.h"

#define H32 "0x1111111111111111111111111111111111111111111111111111111111111111"
#define A20 "0x2222222222222222222222222222222222222222"

static char path[] = "/tmp/derot-test-anchor-XXXXXX";
static char profile[4096];

static void put(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void test_word(void **state)
{
	static const struct {
		const char *text;
		bool good;
		const char *first; /* bytes, zero padded */
		size_t len;
	} rows[] = {
		{ "web", true, "web", 3 },
		{ "0x", true, "", 0 },
		{ "0xff00ee", true, "\xff\x00\xee", 3 },
		{ "two words", true, "two words", 9 },
		{ "1234567890123456789012345678901", true, "1234567890123456789012345678901", 31 },
		{ "12345678901234567890123456789012", false, "", 0 },
		{ "", false, "", 0 },
		{ "tab\t", false, "", 0 },
		{ "\xc3\xa9", false, "", 0 },
		{ "0xf", false, "", 0 },
		{ "0xgg", false, "", 0 },
		{ H32, true,
		  "\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11"
		  "\x11\x11"
		  "\x11\x11\x11\x11\x11\x11",
		  32 },
		{ H32 "11", false, "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t word[32], expected[32] = { 0 };

		memset(word, 0xaa, sizeof(word));
		memcpy(expected, rows[i].first, rows[i].len);
		if (dr_word_parse(word, rows[i].text) != rows[i].good)
			fail_msg("%s", rows[i].text);
		assert_memory_equal(word, expected, 32);
	}
}

/* One key of a good anchor replaced by other text. */
static void test_anchor(void **state)
{
	static const struct {
		const char *name, *from, *to;
		enum dr_err expected;
		const char *says; /* in the error */
	} rows[] = {
		{ "good", "chain", "chain", DR_OK, "" },
		{ "without node", "node: " A20 "\n", "", DR_OK, "" },
		{ "id 0", "id: 31337", "id: 0", DR_ERR_LIMIT, "chain.id" },
		{ "id in hexadecimal", "id: 31337", "id: 0x7a69", DR_ERR_SYNTAX, "chain.id" },
		{ "short genesis", "genesis: 0x11", "genesis: 0x", DR_ERR_SYNTAX, "chain.genesis" },
		{ "no genesis", "  genesis: " H32 "\n", "", DR_ERR_SYNTAX, "genesis" },
		{ "contract of 32 bytes", "contract: " A20, "contract: " H32, DR_ERR_SYNTAX, "contract" },
		{ "block 0", "block: 1", "block: 0", DR_ERR_LIMIT, "start.block" },
		{ "no start hash", "  hash: " H32 "\n", "", DR_ERR_SYNTAX, "hash" },
		{ "a node that is no address", "node: " A20, "node: alice", DR_ERR_SYNTAX, "node" },
		{ "no such profile", "derot-v1.yaml", "derot-v0.yaml", DR_ERR_IO, "derot-v0" },
		{ "another digest", "node: ", "profile_digest: " H32 "\nnode: ", DR_ERR_PROOF, "profile_digest" },
		{ "no digest", "node: ", "profile_digest: 0x11\nnode: ", DR_ERR_SYNTAX, "profile_digest" },
		{ "an unknown key", "node: ", "knot: ", DR_ERR_SYNTAX, "knot" },
		{ "a key twice", "node: ", "node: " A20 "\nnode: ", DR_ERR_SYNTAX, "node" },
	};
	char good[8192];

	(void)state;
	snprintf(good, sizeof(good),
		 "chain:\n  id: 31337\n  genesis: " H32 "\ncontract: " A20 "\nstart:\n  block: 1\n  hash: " H32
		 "\nprofile: %s\nnode: " A20 "\n",
		 profile);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct dr_init init;
		struct dr_yaml_error error = { "" };
		struct dr_buf form;
		char text[9000];
		const char *at = strstr(good, rows[i].from);

		assert_non_null(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, rows[i].to,
			 at + strlen(rows[i].from));
		put(text);
		memset(&init, 0, sizeof(init));
		dr_buf_init(&form, DR_ANCHOR_FORM_MAX);
		const enum dr_err err = dr_anchor_load(&init, &form, path, &error);

		if ((err == DR_OK) != (rows[i].expected == DR_OK) || strstr(error.text, rows[i].says) == NULL)
			fail_msg("%s: %s %s", rows[i].name, dr_err_name(err), error.text);
		if (rows[i].expected == DR_ERR_PROOF)
			assert_int_equal(err, DR_ERR_PROOF);
		if (err == DR_OK) {
			assert_int_equal(init.chain_id, 31337);
			assert_int_equal(init.start_number, 1);
			assert_int_equal(init.genesis[31], 0x11);
			assert_int_equal(init.contract[19], 0x22);
			assert_true(init.profile.len > 100);
		}
		dr_buf_free(&form);
	}
}

/* What is written is read back the same; an existing file is kept. */
static void test_write(void **state)
{
	static struct dr_init init, back;
	struct dr_yaml_error error = { "" };
	struct dr_buf form, form_back;
	char text[8192];

	(void)state;
	dr_buf_init(&form, DR_ANCHOR_FORM_MAX);
	dr_buf_init(&form_back, DR_ANCHOR_FORM_MAX);
	snprintf(text, sizeof(text),
		 "chain: {id: 5, genesis: " H32 "}\ncontract: " A20 "\nstart: {block: 9, hash: " H32
		 "}\nprofile: %s\n"
		 "node: " A20 "\n",
		 profile);
	put(text);
	assert_int_equal(dr_anchor_load(&init, &form, path, &error), DR_OK);
	assert_int_equal(dr_anchor_write(&init, profile, path, &error), DR_ERR_IO);
	unlink(path);
	assert_int_equal(dr_anchor_write(&init, profile, path, &error), DR_OK);
	assert_int_equal(dr_anchor_load(&back, &form_back, path, &error), DR_OK);
	assert_int_equal(back.chain_id, 5);
	assert_int_equal(back.start_number, 9);
	assert_memory_equal(back.start_hash, init.start_hash, 32);
	assert_memory_equal(back.node, init.node, 20);
	dr_buf_free(&form);
	dr_buf_free(&form_back);
}

#define SAID(consensus) "proof: consensus\nconsensus: {" consensus "}\n"
#define POINT           "checkpoint: {root: " H32 "}"

/* What a recording's finality rests on, against what it claims. */
static void test_consensus(void **state)
{
	static const struct {
		const char *name, *more;
		uint8_t claimed; /* 0: the recording claims nothing */
		const char *says;
	} rows[] = {
		{ "by name", SAID("network: mainnet, " POINT), DR_PROOF_CONSENSUS, "" },
		{ "of a recording that claims nothing", SAID("network: mainnet, " POINT), 0, "" },
		{ "nothing said of a quorum", "", DR_PROOF_QUORUM, "" },
		{ "a quorum", "proof: quorum\n", DR_PROOF_QUORUM, "" },
		{ "nothing said of consensus", "", DR_PROOF_CONSENSUS, "proof: must be consensus" },
		{ "a quorum said of consensus", "proof: quorum\n", DR_PROOF_CONSENSUS, "proof: must be consensus" },
		{ "consensus said of a quorum", SAID("network: mainnet, " POINT), DR_PROOF_QUORUM,
		  "proof: is not what the recording claims" },
		{ "no consensus", "proof: consensus\n", DR_PROOF_CONSENSUS, "consensus: is missing" },
		{ "consensus at quorum", "proof: quorum\nconsensus: {network: mainnet, " POINT "}\n", 0,
		  "consensus: belongs to" },
		{ "consensus without proof", "consensus: {network: mainnet, " POINT "}\n", 0,
		  "consensus: belongs to" },
		{ "no such network", SAID("network: goerli, " POINT), 0, "consensus.network: must be mainnet" },
		{ "no network", SAID(POINT), 0, "consensus: say which network" },
		{ "no checkpoint", SAID("network: mainnet"), 0, "checkpoint: is missing" },
		{ "no root", SAID("network: mainnet, checkpoint: {from: me}"), 0, "root: is missing" },
		{ "a form that is none", SAID("form: 0x01, " POINT), 0, "consensus.form: " },
		{ "endpoints", SAID("network: mainnet, endpoints: [], " POINT), 0, "endpoints" },
	};
	char text[9000];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct dr_init init;
		struct dr_yaml_error error = { "" };
		struct dr_buf form;

		snprintf(text, sizeof(text),
			 "chain: {id: 5, genesis: " H32 "}\ncontract: " A20 "\nstart: {block: 9, hash: " H32
			 "}\nprofile: %s\n%s",
			 profile, rows[i].more);
		put(text);
		memset(&init, 0, sizeof(init));
		init.version = rows[i].claimed != 0 ? DR_PROTO_VERSION : 0;
		init.proof = rows[i].claimed;
		init.quorum_k = 3;
		dr_buf_init(&form, DR_ANCHOR_FORM_MAX);
		const enum dr_err err = dr_anchor_load(&init, &form, path, &error);

		if ((err == DR_OK) != (rows[i].says[0] == '\0') || strstr(error.text, rows[i].says) == NULL)
			fail_msg("%s: %s %s", rows[i].name, dr_err_name(err), error.text);
		if (err == DR_OK && strstr(rows[i].more, "mainnet") != NULL) {
			struct dr_network net;
			struct dr_fail fail = { 0 };

			assert_int_equal(init.proof, DR_PROOF_CONSENSUS);
			assert_int_equal(init.quorum_k, 0);
			assert_int_equal(init.checkpoint[31], 0x11);
			assert_int_equal(dr_network_decode(&net, init.network, &fail), DR_OK);
			assert_memory_equal(&net, dr_network_named("mainnet"), sizeof(net));
			assert_true(init.profile.len > 100);
		} else if (err == DR_OK) {
			assert_int_equal(init.quorum_k, 3);
		}
		dr_buf_free(&form);
	}
}

/* A network of any kind comes back from the file that was written of it. */
static void test_write_consensus(void **state)
{
	(void)state;
	for (int custom = 0; custom < 2; custom++) {
		static struct dr_init init, back;
		struct dr_network net = *dr_network_named("hoodi");
		struct dr_yaml_error error = { "" };
		struct dr_fail fail = { 0 };
		struct dr_buf form, form_back;
		uint8_t bytes[DR_NETWORK_LEN_MAX];
		size_t len;
		char text[8192];

		net.genesis_time += (uint64_t)custom; /* no longer hoodi, whatever its name */
		assert_int_equal(dr_network_encode(bytes, sizeof(bytes), &len, &net, &fail), DR_OK);
		dr_buf_init(&form, DR_ANCHOR_FORM_MAX);
		dr_buf_init(&form_back, DR_ANCHOR_FORM_MAX);
		snprintf(text, sizeof(text),
			 "chain: {id: 5, genesis: " H32 "}\ncontract: " A20 "\nstart: {block: 9, hash: " H32
			 "}\nprofile: %s\n",
			 profile);
		put(text);
		memset(&init, 0, sizeof(init));
		assert_int_equal(dr_anchor_load(&init, &form, path, &error), DR_OK);
		init.proof = DR_PROOF_CONSENSUS;
		init.network = dr_bytes_of(bytes, len);
		memset(init.checkpoint, 0x7e, 32);
		snprintf(init.checkpoint_from, sizeof(init.checkpoint_from), "a \"friend\" \\ o'mine: #1");
		init.checkpoint_max_age_s = 77;
		snprintf(init.checkpoint_aged, sizeof(init.checkpoint_aged), "me");
		unlink(path);
		assert_int_equal(dr_anchor_write(&init, profile, path, &error), DR_OK);
		memset(&back, 0, sizeof(back));
		if (dr_anchor_load(&back, &form_back, path, &error) != DR_OK)
			fail_msg("%s", error.text);
		assert_int_equal(back.proof, DR_PROOF_CONSENSUS);
		assert_true(dr_bytes_eq(back.network, init.network));
		assert_true(dr_bytes_eq(back.profile, init.profile));
		assert_memory_equal(back.checkpoint, init.checkpoint, 32);
		assert_string_equal(back.checkpoint_from, init.checkpoint_from);
		assert_int_equal(back.checkpoint_max_age_s, 77);
		assert_string_equal(back.checkpoint_aged, "me");
		dr_buf_free(&form);
		dr_buf_free(&form_back);
	}
}

static void test_asks(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "requests:\n  - {name: a, app: b, measurement: c}\n", true },
		{ "requests:\n  - {name: a, app: b, measurement: c, service: d, purpose: tls, from: e, tee: f, "
		  "family: 0x01,"
		  " device: g, svn: 9, confidence: 5, back: 1, root_back: 1, contract: k, advisories: [x, y]}\n",
		  true },
		{ "requests:\n  - {app: b, measurement: c}\n", false },
		{ "requests:\n  - {name: a, app: b}\n", false },
		{ "requests: []\n", false },
		{ "requests:\n  - {name: a, app: b, measurement: c, purpose: steal}\n", false },
		{ "requests:\n  - {name: a, app: b, measurement: c, confidence: 0}\n", false },
		{ "requests:\n  - {name: a, app: b, measurement: c, confidence: 6}\n", false },
		{ "requests:\n  - {name: a, app: b, measurement: c, back: 2}\n", false },
		{ "requests:\n  - {name: a, app: b, measurement: c, root_back: 2}\n", false },
		{ "requests:\n  - {name: a, app: b, measurement: c, svn: -1}\n", false },
		{ "requests:\n  - {name: a, app: 0xz, measurement: c}\n", false },
		{ "requests:\n  - {name: a, app: b, measurement: c, advisories: "
		  "[12345678901234567890123456789012]}\n",
		  false },
		{ "requests:\n  - {name: a, app: b, measurement: c, colour: red}\n", false },
	};
	static struct dr_ask asks[DR_ASKS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_yaml_error error = { "" };
		size_t num = 99;

		put(rows[i].text);
		const enum dr_err err = dr_asks_load(asks, &num, path, &error);

		if ((err == DR_OK) != rows[i].good)
			fail_msg("%s: %s", rows[i].text, error.text);
		assert_int_equal(num, rows[i].good ? 1 : 0);
		assert_int_equal(error.text[0] == '\0', rows[i].good);
		if (i == 0) {
			assert_int_equal(asks[0].request.purpose, DR_PURPOSE_SEAL);
			assert_int_equal(asks[0].request.confidence, 1);
			assert_false(asks[0].request.has_from);
		}
		if (i == 1) {
			assert_int_equal(asks[0].request.purpose, DR_PURPOSE_TLS);
			assert_true(asks[0].request.has_from);
			assert_int_equal(asks[0].request.svn, 9);
			assert_int_equal(asks[0].request.back, 1);
			assert_int_equal(asks[0].request.root_back, 1);
			assert_int_equal(asks[0].request.contract[0], 'k');
			assert_int_equal(asks[0].request.num_advisories, 2);
			assert_int_equal(asks[0].request.advisories[1][0], 'y');
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_word),
		cmocka_unit_test(test_anchor),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_consensus),
		cmocka_unit_test(test_write_consensus),
		cmocka_unit_test(test_asks),
	};
	const int fd = mkstemp(path);

	if (fd < 0 || realpath("governance/profiles/derot-v1.yaml", profile) == NULL)
		return 1;
	close(fd);
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);

	unlink(path);
	return failed;
}
