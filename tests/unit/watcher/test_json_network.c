/* SPDX-License-Identifier: Apache-2.0
 *
 * json_network: a beacon node's own answers become a network, and what is missing is named.
 */
#include "tests/unit/watcher/beacon_json.h"

#define Z32 "0x0000000000000000000000000000000000000000000000000000000000000000"

/* Our reading of both nodes' answers, against another. */
static void test_network(void **state)
{
	static const char *const folders[] = { DEVNET_ELECTRA, DEVNET_CAPELLA };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct dr_network net = beacon_devnet(folders[i]);
		char path[256];

		snprintf(path, sizeof(path), "%s/spec.json", folders[i]);
		json_t *spec = kit_vector(path);

		snprintf(path, sizeof(path), "%s/genesis.json", folders[i]);
		json_t *genesis = kit_vector(path);
		const struct dr_network other =
			beacon_answers(json_object_get(spec, "data"), json_object_get(genesis, "data"));

		assert_memory_equal(&net, &other, sizeof(net));
		json_decref(spec);
		json_decref(genesis);
	}
}

static void test_network_values(void **state)
{
	static const struct {
		const char *path, *json; /* "" : removed */
		enum dr_err err;
		const char *at;
	} rows[] = {
		{ "spec.data.SLOTS_PER_EPOCH", "", DR_ERR_SYNTAX, "data.SLOTS_PER_EPOCH" },
		{ "spec.data.EPOCHS_PER_SYNC_COMMITTEE_PERIOD", "", DR_ERR_SYNTAX,
		  "data.EPOCHS_PER_SYNC_COMMITTEE_PERIOD" },
		{ "spec.data.SYNC_COMMITTEE_SIZE", "", DR_ERR_SYNTAX, "data.SYNC_COMMITTEE_SIZE" },
		{ "spec.data.SYNC_COMMITTEE_SIZE", "\"1024\"", DR_ERR_LIMIT, "" },
		{ "spec.data.SYNC_COMMITTEE_SIZE", "\"5000000000\"", DR_ERR_LIMIT, "data.SYNC_COMMITTEE_SIZE" },
		{ "spec.data.SYNC_COMMITTEE_SIZE", "32", DR_ERR_SYNTAX, "data.SYNC_COMMITTEE_SIZE" },
		{ "spec.data.SECONDS_PER_SLOT", "", DR_OK, NULL }, /* SLOT_DURATION_MS is there */
		{ "spec.data.SECONDS_PER_SLOT", "\"0\"", DR_ERR_SYNTAX, "" },
		{ "spec.data.GENESIS_FORK_VERSION", "", DR_ERR_SYNTAX, "data.GENESIS_FORK_VERSION" },
		{ "spec.data.GENESIS_FORK_VERSION", "\"0x0001\"", DR_ERR_SYNTAX, "data.GENESIS_FORK_VERSION" },
		{ "spec.data.ALTAIR_FORK_EPOCH", "", DR_ERR_SYNTAX, "data.ALTAIR_FORK_EPOCH" },
		{ "spec.data.ALTAIR_FORK_VERSION", "", DR_ERR_SYNTAX, "data.ALTAIR_FORK_VERSION" },
		{ "spec.data.ELECTRA_FORK_VERSION", "", DR_ERR_SYNTAX, "data.ELECTRA_FORK_VERSION" },
		{ "spec.data.ELECTRA_FORK_EPOCH", "\"x\"", DR_ERR_SYNTAX, "data.ELECTRA_FORK_EPOCH" },
		{ "spec.data.FULU_FORK_VERSION", "", DR_OK, NULL }, /* no epoch, no version */
		{ "spec.data.FULU_FORK_EPOCH", "", DR_OK, NULL },
		{ "spec.data.FULU_FORK_EPOCH", "\"7\"", DR_OK, NULL },
		{ "spec.data.DENEB_FORK_EPOCH", "\"7\"", DR_ERR_SYNTAX, "" }, /* Electra before it */
		{ "spec.data.GLOAS_FORK_EPOCH", "\"9\"", DR_OK, NULL },
		{ "spec.data.GLOAS_FORK_EPOCH", "9", DR_ERR_SYNTAX, "data.GLOAS_FORK_EPOCH" },
		{ "spec.data.CONFIG_NAME", "", DR_OK, NULL },
		{ "spec.data", "[]", DR_ERR_SYNTAX, "data." },
		{ "genesis.data.genesis_time", "", DR_ERR_SYNTAX, "data.genesis_time" },
		{ "genesis.data.genesis_validators_root", "", DR_ERR_SYNTAX, "data.genesis_validators_root" },
		{ "genesis.data.genesis_validators_root", "\"" Z32 "\"", DR_ERR_SYNTAX, "" },
		{ "genesis.data.genesis_fork_version", "", DR_OK, NULL },
		{ "genesis", "7", DR_ERR_SYNTAX, "" },
	};
	json_t *good = json_pack("{s:o, s:o}", "spec", kit_vector(DEVNET_ELECTRA "/spec.json"), "genesis",
				 kit_vector(DEVNET_ELECTRA "/genesis.json"));

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *root = json_deep_copy(good);
		struct dr_network_notes where;
		struct dr_network net;
		struct dr_fail fail = { 0 };

		beacon_put(root, rows[i].path,
			   rows[i].json[0] != '\0' ? json_loads(rows[i].json, JSON_DECODE_ANY, NULL) : json_null());
		const enum dr_err err = dr_json_network(&net, json_object_get(root, "spec"),
							json_object_get(root, "genesis"), &where, &fail);

		if (err != rows[i].err || (err != DR_OK && strcmp(where.at, rows[i].at) != 0))
			fail_msg("%s = %s: %s at %s: %s", rows[i].path, rows[i].json, dr_err_name(err), where.at,
				 fail.what);
		if (err != DR_OK) {
			assert_true(dr_bytes_zero(&net, sizeof(net)));
			/* What belongs together, both documents say: then it is told of the spec. */
			if (rows[i].at[0] != '\0')
				assert_int_equal(where.file, strncmp(rows[i].path, "spec", 4) == 0
								     ? DR_NETWORK_SPEC
								     : DR_NETWORK_GENESIS);
		}
		json_decref(root);
	}
	json_decref(good);
}

static void test_network_meaning(void **state)
{
	json_t *spec = kit_vector(DEVNET_ELECTRA "/spec.json"), *genesis = kit_vector(DEVNET_ELECTRA "/genesis.json");
	json_t *data = json_object_get(spec, "data");
	struct dr_network_notes where;
	struct dr_network net;
	struct dr_fail fail = { 0 };

	(void)state;
	json_object_set_new(data, "GLOAS_FORK_EPOCH", json_string("90"));
	json_object_set_new(data, "HEZE_FORK_EPOCH", json_string("70"));
	json_object_set_new(data, "NEXT_FORK_EPOCH", json_string("80"));
	json_object_del(data, "SECONDS_PER_SLOT");
	json_object_set_new(data, "CONFIG_NAME", json_string("mainnet"));
	assert_int_equal(dr_json_network(&net, spec, genesis, &where, &fail), DR_OK);
	assert_int_equal(net.unknown_epoch, 70);
	assert_int_equal(net.seconds_per_slot, 6); /* of SLOT_DURATION_MS */
	assert_string_equal(net.name, "custom");   /* mainnet it is not */
	assert_int_equal(net.forks[DR_BEACON_ELECTRA].epoch, 0);
	assert_int_equal(net.forks[DR_BEACON_FULU].epoch, DR_BEACON_NEVER);
	assert_true(dr_bytes_zero(net.forks[DR_BEACON_FULU].version, 4));
	json_object_set_new(data, "SLOT_DURATION_MS", json_string("1500"));
	assert_int_equal(dr_json_network(&net, spec, genesis, &where, &fail), DR_ERR_UNKNOWN);
	assert_string_equal(where.at, "data.SLOT_DURATION_MS");
	json_object_set_new(data, "SLOT_DURATION_MS", json_string("2000"));
	json_object_set_new(data, "CONFIG_NAME", json_string("Über"));
	/* Data alone, without its wrapper. */
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_json_network(&net, data, json_object_get(genesis, "data"), &where, &fail), DR_OK);
	assert_string_equal(net.name, "custom");
	json_decref(spec);
	json_decref(genesis);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_network_values),
		cmocka_unit_test(test_network_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
