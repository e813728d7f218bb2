/* SPDX-License-Identifier: Apache-2.0
 *
 * Real chains through the store: mainnet in Capella, Deneb and Electra, and development networks of the minimal
 * preset. Each object goes through its SSZ form, and the clock stands at the second in which the signature's slot
 * begins.
 */
#include "tests/unit/chain/beacon_kit.h"

static struct dr_lc_update update;
static struct dr_lc_bootstrap bootstrap;

static void start(struct dr_lc_store *store, const struct dr_network *net, struct dr_bytes ssz, const uint8_t *root)
{
	struct dr_fail fail = { 0 };
	enum dr_beacon_fork fork;

	assert_int_equal(dr_lc_peek(&fork, net, &dr_lc_bootstrap_type, ssz, &fail), DR_OK);
	assert_int_equal(dr_lc_bootstrap_decode(&bootstrap, net, fork, ssz, &fail), DR_OK);
	assert_true(dr_bytes_eq(beacon_ssz_bootstrap(net, &bootstrap), ssz));
	assert_int_equal(dr_lc_store_start(store, net, root, &bootstrap,
					   dr_network_time(net, bootstrap.header.beacon.slot), &fail),
			 DR_OK);
	assert_memory_equal(store->finalized.root, root, 32);
	assert_false(dr_lc_store_next_known(store));
}

static struct dr_lc_news take(struct dr_lc_store *store, enum dr_lc_kind kind, struct dr_bytes ssz)
{
	struct dr_fail fail = { 0 };
	struct dr_lc_news news;
	enum dr_beacon_fork fork;

	assert_int_equal(dr_lc_peek(&fork, &store->net, dr_lc_type(kind), ssz, &fail), DR_OK);
	assert_int_equal(dr_lc_update_decode(&update, &store->net, kind, fork, ssz, &fail), DR_OK);
	assert_true(dr_bytes_eq(beacon_ssz_update(&store->net, &update), ssz));
	if (dr_lc_store_take(store, &update, dr_network_time(&store->net, update.signature_slot), &news, &fail) !=
	    DR_OK)
		fail_msg("refused: %s", fail.what);
	assert_int_equal(news.participation, dr_lc_participation(&update.aggregate));
	return news;
}

/* Recorded answers of mainnet beacon nodes, Deneb: a bootstrap, and each period's update. */
static const struct {
	uint64_t period, slot, finalized;
} periods[] = {
	{ 1347, 11034708, 0 /* before the checkpoint */ },
	{ 1348, 11044529, 11044448 },
	{ 1349, 11051076, 11051008 },
	{ 1350, 11059265, 11059200 },
	{ 1351, 11067897, 11067808 },
	{ 1352, 11075657, 11075584 },
	{ 1353, 11083843, 11083776 },
	{ 1354, 11092074, 11092000 },
	{ 1355, 11104926, 11104832 },
	{ 1356, 11108420, 11108352 },
	{ 1357, 11120943, 11120864 },
	{ 1358, 11124801, 11124736 },
	{ 1359, 11132997, 11132928 },
	{ 1360, 11141186, 11141120 },
	{ 1361, 11149481, 11149408 },
	{ 1362, 11157572, 11157504 },
	{ 1363, 11165770, 11165696 },
	{ 1364, 11173958, 11173888 },
	{ 1365, 11182147, 11182080 },
	{ 1366, 11190349, 11190272 },
	{ 1367, 11198629, 11198560 },
	{ 1368, 11206741, 11206656 },
	{ 1369, 11214919, 11214848 },
	{ 1370, 11223129, 11223040 },
	{ 1371, 11231300, 11231232 },
	{ 1372, 11239491, 11239424 },
};

static void test_mainnet(void **state)
{
	const struct dr_network *net = dr_network_named("mainnet");
	struct dr_lc_store *store = beacon_store();
	struct dr_lc_news news;
	struct dr_bytes ssz;

	(void)state;
	start(store, net, spec_file(VECTORS_REAL "/mainnet/bootstraps/period_1347_slot_11034656.ssz"),
	      kit_hex("2e522016a5ac7d8d57d758b633a25491a43d12750db8f417fd6cf264b7ec5650").ptr);
	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
		const uint64_t number = store->finalized.header.execution.block_number;
		char path[128];

		snprintf(path, sizeof(path), VECTORS_REAL "/mainnet/updates/period_%u_slot_%u_6a95a1a9.ssz",
			 (unsigned)periods[i].period, (unsigned)periods[i].slot);
		ssz = spec_file(path);
		news = take(store, DR_LC_UPDATE, ssz);
		assert_int_equal(news.verdict, DR_LC_TAKEN);
		assert_true(news.committee && news.head && dr_lc_store_next_known(store));
		assert_int_equal(dr_lc_store_period(store), periods[i].period);
		assert_int_equal(store->head.header.beacon.slot, periods[i].slot);
		/* The first period's update is older than the checkpoint: it teaches the committee, and nothing else.
		 */
		assert_int_equal(news.final, i > 0);
		assert_int_equal(news.period, i > 0);
		if (i > 0) {
			assert_int_equal(store->finalized.header.beacon.slot, periods[i].finalized);
			assert_true(store->finalized.header.execution.block_number > number);
		}
		/* Once more: valid, and known. */
		news = take(store, DR_LC_UPDATE, ssz);
		assert_int_equal(news.verdict, DR_LC_KNOWN);
	}
	assert_true(store->finalized.has_execution);
	assert_int_equal(store->finalized.participation, 512);
	assert_int_equal(store->num_past, 26);
}

/* Without its period's update the store goes no further. */
static void test_mainnet_gap(void **state)
{
	const struct dr_network *net = dr_network_named("mainnet");
	struct dr_lc_store *store = beacon_store(), *before = beacon_store();
	static const struct {
		const char *file;
		const char *what;
	} rows[] = {
		{ "period_1348_slot_11044529", "signed by the next committee, which is not known yet" },
		{ "period_1349_slot_11051076", "signed in a period after the next: updates are lacking" },
		{ "period_1372_slot_11239491", "signed in a period after the next: updates are lacking" },
	};

	(void)state;
	start(store, net, spec_file(VECTORS_REAL "/mainnet/bootstraps/period_1347_slot_11034656.ssz"),
	      kit_hex("2e522016a5ac7d8d57d758b633a25491a43d12750db8f417fd6cf264b7ec5650").ptr);
	*before = *store;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char path[128];
		struct dr_fail fail = { 0 }, refused = { 0 };
		struct dr_lc_news news;

		snprintf(path, sizeof(path), VECTORS_REAL "/mainnet/updates/%s_6a95a1a9.ssz", rows[i].file);
		assert_int_equal(
			dr_lc_update_decode(&update, net, DR_LC_UPDATE, DR_BEACON_DENEB, spec_file(path), &fail),
			DR_OK);
		assert_int_equal(dr_lc_store_take(store, &update, 1795000000, &news, &refused), DR_ERR_STALE);
		assert_string_equal(refused.what, rows[i].what);
		assert_memory_equal(store, before, sizeof(*store));
	}
}

/* Electra: other indices, longer branches. */
static void test_mainnet_electra(void **state)
{
	struct dr_lc_store *store = beacon_store();

	(void)state;
	start(store, dr_network_named("mainnet"),
	      spec_file(VECTORS_REAL "/mainnet/bootstraps/period_1573_slot_12890400.ssz"),
	      kit_hex("994cb789313ae5c5aceab6854d2ee32d8d0883a138e82d018e1a1dc59c22ba32").ptr);
	assert_int_equal(bootstrap.fork, DR_BEACON_ELECTRA);
	assert_int_equal(bootstrap.committee_branch.num, 6);
	assert_int_equal(dr_lc_store_period(store), 1573);
}

static enum dr_beacon_fork fork_of(const json_t *answer)
{
	const char *name = json_string_value(json_object_get(answer, "version"));
	enum dr_beacon_fork fork;

	assert_true(dr_beacon_fork_named(&fork, name, strlen(name)));
	return fork;
}

static struct dr_bytes ssz_of(const struct dr_network *net, enum dr_lc_kind kind, const json_t *answer)
{
	const struct dr_lc_update read =
		beacon_json_update(net, kind, fork_of(answer), json_object_get(answer, "data"));

	return beacon_ssz_update(net, &read);
}

/* Mainnet in Capella, in JSON: 15 fields, other branches; all three kinds of update. */
static void test_capella(void **state)
{
	const struct dr_network *net = dr_network_named("mainnet");
	json_t *boot = kit_vector(VECTORS_REAL "/helios-capella/bootstrap.json");
	json_t *updates = kit_vector(VECTORS_REAL "/helios-capella/updates.json");
	json_t *finality = kit_vector(VECTORS_REAL "/helios-capella/finality.json");
	json_t *optimistic = kit_vector(VECTORS_REAL "/helios-capella/optimistic.json");
	json_t *block = kit_vector(VECTORS_REAL "/helios-capella/block_7109344.json.gz");
	const struct dr_lc_bootstrap read = beacon_json_bootstrap(net, fork_of(boot), json_object_get(boot, "data"));
	struct dr_lc_store *store = beacon_store();
	struct dr_lc_news news;
	uint8_t root[32];

	(void)state;
	dr_lc_header_root(root, &read.header); /* what helios' own test starts from */
	start(store, net, beacon_ssz_bootstrap(net, &read), root);
	assert_int_equal(json_array_size(updates), 6);
	for (size_t i = 0; i < 6; i++) {
		news = take(store, DR_LC_UPDATE, ssz_of(net, DR_LC_UPDATE, json_array_get(updates, i)));
		assert_true(news.committee);
		assert_int_equal(dr_lc_store_period(store), 862 + i);
	}
	news = take(store, DR_LC_FINALITY_UPDATE, ssz_of(net, DR_LC_FINALITY_UPDATE, finality));
	assert_true(news.final && news.head && !news.period && !news.committee);
	assert_int_equal(store->finalized.header.beacon.slot, 7109344);
	assert_int_equal(store->finalized.header.execution.block_number, 17923026);
	/* The beacon block itself, from another answer, has that payload. */
	const json_t *message = json_object_get(json_object_get(block, "data"), "message");
	const json_t *payload = json_object_get(json_object_get(message, "body"), "execution_payload");

	assert_memory_equal(store->finalized.header.execution.block_hash,
			    kit_json_hex(json_object_get(payload, "block_hash")).ptr, 32);
	assert_memory_equal(store->finalized.header.beacon.state_root,
			    kit_json_hex(json_object_get(message, "state_root")).ptr, 32);
	news = take(store, DR_LC_OPTIMISTIC_UPDATE, ssz_of(net, DR_LC_OPTIMISTIC_UPDATE, optimistic));
	assert_true(news.verdict == DR_LC_TAKEN && news.head && !news.final);
	assert_int_equal(store->head.header.beacon.slot, 7109431);
	json_decref(boot);
	json_decref(updates);
	json_decref(finality);
	json_decref(optimistic);
	json_decref(block);
}

/* A header, committee, branch of datachain's own JSON: numbers are numbers, a branch stands beside its leaf. */
static void datachain_beacon(struct dr_lc_beacon *out, const json_t *json)
{
	out->slot = (uint64_t)json_integer_value(json_object_get(json, "slot"));
	out->proposer_index = (uint64_t)json_integer_value(json_object_get(json, "proposer_index"));
	memcpy(out->parent_root, kit_json_hex(json_object_get(json, "parent_root")).ptr, 32);
	memcpy(out->state_root, kit_json_hex(json_object_get(json, "state_root")).ptr, 32);
	memcpy(out->body_root, kit_json_hex(json_object_get(json, "body_root")).ptr, 32);
}

static void datachain_branch(struct dr_ssz_branch *out, const json_t *json)
{
	out->num = json_array_size(json);
	for (size_t i = 0; i < out->num; i++)
		memcpy(out->nodes[i], kit_json_hex(json_array_get(json, i)).ptr, 32);
}

static struct dr_bytes datachain_update(const struct dr_network *net, enum dr_lc_kind kind, unsigned period)
{
	static struct dr_lc_update read;
	const struct dr_ssz_shape shape = dr_lc_shape(net, DR_BEACON_BELLATRIX);
	char path[128];

	snprintf(path, sizeof(path), VECTORS_REAL "/datachain-minimal-bellatrix/%s_period_%u.json",
		 kind == DR_LC_UPDATE ? "light_client_update" : "finality_update", period);
	json_t *file = kit_vector(path);
	const json_t *json = json_object_get(json_array_get(file, 0), "light_client_update");
	const json_t *finalized = json_object_get(json, "finalized_header");
	const json_t *committee = json_object_get(json, "next_sync_committee");

	memset(&read, 0, sizeof(read));
	read.kind = kind;
	read.fork = DR_BEACON_BELLATRIX;
	datachain_beacon(&read.attested.beacon, json_object_get(json, "attested_header"));
	datachain_beacon(&read.finalized.beacon, json_array_get(finalized, 0));
	datachain_branch(&read.finality_branch, json_array_get(finalized, 1));
	if (kind == DR_LC_UPDATE) {
		beacon_json(&read.next_committee, &dr_lc_committee_type, shape, json_array_get(committee, 0));
		datachain_branch(&read.next_committee_branch, json_array_get(committee, 1));
	}
	beacon_json(&read.aggregate, &dr_lc_aggregate_type, shape, json_object_get(json, "sync_aggregate"));
	read.signature_slot = (uint64_t)json_integer_value(json_object_get(json, "signature_slot"));
	const struct dr_bytes ssz = beacon_ssz_update(net, &read);

	json_decref(file);
	return ssz;
}

/* A Bellatrix development network: headers without execution payload, one period after the other. */
static void test_bellatrix(void **state)
{
	static const uint8_t versions[3][4] = { { 0, 0, 0, 1 }, { 1, 0, 0, 1 }, { 2, 0, 0, 1 } };
	json_t *initial = kit_vector(VECTORS_REAL "/datachain-minimal-bellatrix/initial_state.json");
	const json_t *first = json_array_get(initial, 0);
	struct dr_network net = beacon_minimal(kit_json_hex(json_array_get(initial, 2)).ptr);
	struct dr_lc_store *store = beacon_store();
	struct dr_lc_bootstrap read = { .fork = DR_BEACON_BELLATRIX };
	uint8_t root[32];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		beacon_fork_set(&net, i, 0, versions[i]);
	datachain_beacon(&read.header.beacon, json_object_get(first, "beacon_header"));
	beacon_json(&read.committee, &dr_lc_committee_type, dr_lc_shape(&net, read.fork),
		    json_object_get(first, "current_sync_committee"));
	datachain_branch(&read.committee_branch, json_object_get(first, "current_sync_committee_branch"));
	dr_lc_header_root(root, &read.header);
	start(store, &net, beacon_ssz_bootstrap(&net, &read), root);
	for (unsigned period = 5; period <= 9; period++) {
		struct dr_lc_news news = take(store, DR_LC_UPDATE, datachain_update(&net, DR_LC_UPDATE, period));

		assert_true(news.committee);
		assert_int_equal(news.period, period > 5);
		assert_int_equal(dr_lc_store_period(store), period);
		assert_false(store->finalized.has_execution);
		if (period == 5)
			continue;
		news = take(store, DR_LC_FINALITY_UPDATE, datachain_update(&net, DR_LC_FINALITY_UPDATE, period));
		assert_true(news.final && news.head && !news.period);
	}
	assert_int_equal(store->finalized.header.beacon.slot, 584);
	json_decref(initial);
}

/* Networks that are known by their nodes' own answers alone; started at each bootstrap there is. */
static void devnet(const char *name, uint64_t final_slot, uint64_t final_number)
{
	static const char *const places[] = { "slot8", "slot16", "slot24", "slot32", "slot64", "finalized" };
	char path[128];

	snprintf(path, sizeof(path), "12-devnet/%s/spec.json", name);
	json_t *spec = kit_vector(path);

	snprintf(path, sizeof(path), "12-devnet/%s/genesis.json", name);
	json_t *genesis = kit_vector(path);

	snprintf(path, sizeof(path), "12-devnet/%s/updates.json", name);
	json_t *updates = kit_vector(path);

	snprintf(path, sizeof(path), "12-devnet/%s/finality_update.json", name);
	json_t *finality = kit_vector(path);

	snprintf(path, sizeof(path), "12-devnet/%s/optimistic_update.json", name);
	json_t *optimistic = kit_vector(path);

	snprintf(path, sizeof(path), "12-devnet/%s/el_finalized_block.json", name);
	json_t *block = kit_vector(path);
	const json_t *hash = json_object_get(json_object_get(block, "result"), "hash");
	const struct dr_network net = beacon_answers(json_object_get(spec, "data"), json_object_get(genesis, "data"));
	struct dr_lc_store *store = beacon_store();

	for (size_t i = 0; i < 6; i++) {
		struct dr_lc_news news;

		snprintf(path, sizeof(path), "12-devnet/%s/bootstrap_%s.json", name, places[i]);
		json_t *boot = kit_vector(path);

		snprintf(path, sizeof(path), "12-devnet/%s/bootstrap_%s.root", name, places[i]);
		const struct dr_bytes root = spec_file(path);
		const struct dr_lc_bootstrap read =
			beacon_json_bootstrap(&net, fork_of(boot), json_object_get(boot, "data"));
		char text[80];

		snprintf(text, sizeof(text), "%.66s", (const char *)root.ptr);
		start(store, &net, beacon_ssz_bootstrap(&net, &read), spec_hex(text));
		assert_int_equal(json_array_size(updates), 4);
		for (size_t k = (size_t)dr_lc_store_period(store); k < 4; k++) {
			news = take(store, DR_LC_UPDATE, ssz_of(&net, DR_LC_UPDATE, json_array_get(updates, k)));
			assert_true(news.committee);
			assert_int_equal(dr_lc_store_period(store), k);
		}
		news = take(store, DR_LC_FINALITY_UPDATE, ssz_of(&net, DR_LC_FINALITY_UPDATE, finality));
		assert_int_equal(news.final, read.header.beacon.slot < final_slot);
		if (news.final) {
			assert_int_equal(store->finalized.header.beacon.slot, final_slot);
			assert_int_equal(store->finalized.header.execution.block_number, final_number);
			/* What the execution node itself calls that block. */
			assert_memory_equal(store->finalized.header.execution.block_hash, kit_json_hex(hash).ptr, 32);
		}
		news = take(store, DR_LC_OPTIMISTIC_UPDATE, ssz_of(&net, DR_LC_OPTIMISTIC_UPDATE, optimistic));
		assert_false(news.final);
		assert_int_equal(store->head.header.beacon.slot, update.attested.beacon.slot);
		json_decref(boot);
	}
	json_decref(spec);
	json_decref(genesis);
	json_decref(updates);
	json_decref(finality);
	json_decref(optimistic);
	json_decref(block);
}

static void test_devnets(void **state)
{
	(void)state;
	devnet("forge-electra-minimal", 232, 232);
	devnet("lodestar-capella-minimal", 224, 224);
}

/* Sessions with a mainnet node: headers have the roots it calls them by; and a block carries what the committee
 * signed of its parent: its sync_aggregate lies at a fixed place in SignedBeaconBlock (phase0/,
 * altair/beacon-chain.md). */
static void test_sessions(void **state)
{
	static const struct {
		const char *file;
		uint64_t slot;
	} headers[] = {
		{ "eth_getLogs1/"
		  "eth_v1_beacon_headers_0xb38ff8c997467a8d9024c173f40ed90daa8d916359a0644afe135e76659d3053",
		  11069310 },
		{ "eth_getLogs1/eth_v1_beacon_headers_parent_root_"
		  "0x25376105cc3c9a3f9b2ffeb8ff876f69c3afc43098da3014ebf628a3fef91ac2",
		  11069312 },
		{ "eth_getProof1/eth_v1_beacon_headers_head", 11434569 },
		{ "eth_getTransactionReceipt1/eth_v1_beacon_headers_head", 11412794 },
		{ "eth_getTransactionReceipt1/eth_v1_beacon_headers_parent_root_"
		  "0x272053fd1703be14664b3dc7e7e370114f50e5661b49e669872f29a1cd890d82",
		  11412778 },
	};
	const struct dr_network *net = dr_network_named("mainnet");
	const struct dr_bytes block = spec_file(VECTORS_REAL "/e2e/eth_getLogs1/eth_v2_beacon_blocks_11069311.ssz");
	const size_t body = 100 + 8 + 8 + 32 + 32 + 4; /* offset and signature, then the block's fixed part */
	struct dr_lc_store *store = beacon_store();
	struct dr_lc_aggregate aggregate;
	struct dr_lc_header header, parent;
	struct dr_fail fail = { 0 }, other = { 0 };
	uint8_t domain[32], root[32];

	(void)state;
	memset(&parent, 0, sizeof(parent));
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		char path[256];

		snprintf(path, sizeof(path), VECTORS_REAL "/e2e/%s.json", headers[i].file);
		json_t *file = kit_vector(path);
		const json_t *data = json_object_get(file, "data");
		const json_t *first = json_is_array(data) ? json_array_get(data, 0) : data;

		memset(&header, 0, sizeof(header));
		beacon_json(&header.beacon, &dr_lc_beacon_type, dr_lc_shape(net, DR_BEACON_DENEB),
			    json_object_get(json_object_get(first, "header"), "message"));
		assert_int_equal(header.beacon.slot, headers[i].slot);
		dr_lc_header_root(root, &header);
		assert_memory_equal(root, kit_json_hex(json_object_get(first, "root")).ptr, 32);
		if (i == 0) {
			parent = header;
			assert_memory_equal(block.ptr + 100 + 16, root, 32); /* its parent_root */
		}
		json_decref(file);
	}
	start(store, net, spec_file(VECTORS_REAL "/mainnet/bootstraps/period_1347_slot_11034656.ssz"),
	      kit_hex("2e522016a5ac7d8d57d758b633a25491a43d12750db8f417fd6cf264b7ec5650").ptr);
	for (size_t i = 0; i < 5; i++) {
		char path[128];

		snprintf(path, sizeof(path), VECTORS_REAL "/mainnet/updates/period_%u_slot_%u_6a95a1a9.ssz",
			 (unsigned)periods[i].period, (unsigned)periods[i].slot);
		take(store, DR_LC_UPDATE, spec_file(path));
	}
	assert_int_equal(dr_lc_store_period(store), 1351);
	memcpy(aggregate.bits, block.ptr + body + 96 + 72 + 32 + 5 * 4, 64);
	memcpy(aggregate.signature, block.ptr + body + 96 + 72 + 32 + 5 * 4 + 64, 96);
	assert_int_equal(dr_lc_participation(&aggregate), 509);
	assert_int_equal(dr_network_domain(domain, net, 11069311, &fail), DR_OK);
	assert_int_equal(dr_lc_keys_verify(&store->keys[store->current], &parent, &aggregate, domain, &fail), DR_OK);
	assert_int_equal(dr_lc_keys_verify(&store->keys[store->next], &parent, &aggregate, domain, &other),
			 DR_ERR_PROOF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mainnet),         cmocka_unit_test(test_mainnet_gap),
		cmocka_unit_test(test_mainnet_electra), cmocka_unit_test(test_capella),
		cmocka_unit_test(test_bellatrix),       cmocka_unit_test(test_devnets),
		cmocka_unit_test(test_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
