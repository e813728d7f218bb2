/* SPDX-License-Identifier: Apache-2.0
 *
 * json_beacon: JSON and SSZ of the same object are the same bytes, for all that nodes and the specification hand out;
 * damaged SSZ is refused.
 */
#include "tests/unit/watcher/json_beacon_kit.h"

#define MAINNET (dr_network_named("mainnet"))

/* An item, to JSON and back, and to SSZ and back, is the same bytes. */
static void both_ways(const struct dr_network *net, const struct dr_beacon_item *item, const char *name)
{
	const struct dr_bytes ssz = beacon_item_ssz(net, item);
	json_t *json = beacon_item_json(net, item);
	const struct dr_beacon_item *a = good_json(net, json, 1, name), *b = good_ssz(net, ssz, 1, name);

	assert_int_equal(a->kind, item->kind);
	assert_int_equal(b->kind, item->kind);
	assert_int_equal(beacon_fork(a), beacon_fork(item));
	assert_int_equal(beacon_fork(b), beacon_fork(item));
	if (!dr_bytes_eq(beacon_item_ssz(net, a), ssz) || !dr_bytes_eq(beacon_item_ssz(net, b), ssz))
		fail_msg("%s: other bytes", name);
	json_decref(json);
}

/* A file of items in JSON: our own writing of each is what stands there. */
static void json_file(const struct dr_network *net, const char *path, size_t num, enum dr_beacon_kind kind)
{
	json_t *root = kit_vector(path);
	const struct dr_beacon_item *items;

	dr_arena_reset(arena);
	items = good_json(net, root, num, path);
	for (size_t i = 0; i < num; i++) {
		const json_t *element = json_is_array(root) ? json_array_get(root, i) : root;
		json_t *again = beacon_item_json(net, &items[i]);

		assert_int_equal(items[i].kind, kind);
		assert_int_equal(items[i].in_list, json_is_array(root));
		if (!json_equal(again, json_object_get(element, "data")))
			fail_msg("%s: item %zu is written otherwise", path, i);
		both_ways(net, &items[i], path);
		json_decref(again);
	}
	json_decref(root);
}

static void test_devnets(void **state)
{
	static const char *const folders[] = { DEVNET_ELECTRA, DEVNET_CAPELLA };
	static const char *const places[] = { "slot8", "slot16", "slot24", "slot32", "slot64", "finalized" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct dr_network net = beacon_devnet(folders[i]);
		char path[256];

		for (size_t k = 0; k < sizeof(places) / sizeof(places[0]); k++) {
			snprintf(path, sizeof(path), "%s/bootstrap_%s.json", folders[i], places[k]);
			json_file(&net, path, 1, DR_BEACON_BOOTSTRAP);
		}
		snprintf(path, sizeof(path), "%s/updates.json", folders[i]);
		json_file(&net, path, 4, DR_BEACON_UPDATE);
		snprintf(path, sizeof(path), "%s/optimistic_update.json", folders[i]);
		json_file(&net, path, 1, DR_BEACON_OPTIMISTIC_UPDATE);
		snprintf(path, sizeof(path), "%s/finality_update.json", folders[i]);
		json_file(&net, path, 1, DR_BEACON_FINALITY_UPDATE);
	}
}

static void test_helios(void **state)
{
	(void)state;
	json_file(MAINNET, REAL_HELIOS "/bootstrap.json", 1, DR_BEACON_BOOTSTRAP);
	json_file(MAINNET, REAL_HELIOS "/updates.json", 6, DR_BEACON_UPDATE);
	json_file(MAINNET, REAL_HELIOS "/finality.json", 1, DR_BEACON_FINALITY_UPDATE);
	json_file(MAINNET, REAL_HELIOS "/optimistic.json", 1, DR_BEACON_OPTIMISTIC_UPDATE);
}

/* One answer in both forms, as two of a node's files: the JSON's bytes are the SSZ's, or nothing is. The Capella
 * node's two answers were given one after the other, and are of one slot. */
static void test_both_forms(void **state)
{
	static const char *const folders[] = { DEVNET_ELECTRA, DEVNET_CAPELLA };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct dr_network net = beacon_devnet(folders[i]);
		char path[256];

		snprintf(path, sizeof(path), "%s/finality_update.json", folders[i]);
		const struct dr_bytes json = spec_file(path);

		assert_true(dr_json_beacon_is_text(json));
		snprintf(path, sizeof(path), "%s/finality_update.ssz", folders[i]);
		const struct dr_bytes ssz = spec_file(path);
		const bool same = dr_bytes_eq(json, ssz);

		/* Where the node was asked for SSZ and answered JSON, there is but one form. */
		assert_true(same == dr_json_beacon_is_text(ssz));
		assert_true(dr_bytes_eq(beacon_item_ssz(&net, good_ssz(&net, json, 1, path)),
					beacon_item_ssz(&net, good_ssz(&net, ssz, 1, path))));
	}
}

static void test_mainnet_ssz(void **state)
{
	static const struct {
		unsigned period, slot;
	} rows[] = {
		{ 1347, 11034708 }, { 1348, 11044529 }, { 1349, 11051076 }, { 1350, 11059265 }, { 1351, 11067897 },
		{ 1352, 11075657 }, { 1353, 11083843 }, { 1354, 11092074 }, { 1355, 11104926 }, { 1356, 11108420 },
		{ 1357, 11120943 }, { 1358, 11124801 }, { 1359, 11132997 }, { 1360, 11141186 }, { 1361, 11149481 },
		{ 1362, 11157572 }, { 1363, 11165770 }, { 1364, 11173958 }, { 1365, 11182147 }, { 1366, 11190349 },
		{ 1367, 11198629 }, { 1368, 11206741 }, { 1369, 11214919 }, { 1370, 11223129 }, { 1371, 11231300 },
		{ 1372, 11239491 },
	};
	static const char *const bootstraps[] = { "period_1347_slot_11034656", "period_1573_slot_12890400" };
	static const enum dr_beacon_fork forks[] = { DR_BEACON_DENEB, DR_BEACON_ELECTRA };
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		dr_arena_reset(arena);
		snprintf(path, sizeof(path), REAL_MAINNET "/updates/period_%u_slot_%u_6a95a1a9.ssz", rows[i].period,
			 rows[i].slot);
		const struct dr_bytes ssz = spec_file(path);
		const struct dr_beacon_item *item = good_ssz(MAINNET, ssz, 1, path);

		assert_int_equal(item->kind, DR_BEACON_UPDATE);
		assert_int_equal(item->update.attested.beacon.slot, rows[i].slot);
		assert_true(dr_bytes_eq(beacon_item_ssz(MAINNET, item), ssz));
		both_ways(MAINNET, item, path);
	}
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), REAL_MAINNET "/bootstraps/%s.ssz", bootstraps[i]);
		const struct dr_bytes ssz = spec_file(path);
		const struct dr_beacon_item *item = good_ssz(MAINNET, ssz, 1, path);

		assert_int_equal(item->kind, DR_BEACON_BOOTSTRAP);
		assert_int_equal(beacon_fork(item), forks[i]);
		assert_true(dr_bytes_eq(beacon_item_ssz(MAINNET, item), ssz));
		both_ways(MAINNET, item, path);
	}
}

/* What the specification's own generator makes: altair, capella, electra; with and without finality. */
static void test_spec_updates(void **state)
{
	static const struct {
		const char *name;
		enum dr_beacon_fork fork;
	} rows[] = { { "altair", DR_BEACON_ALTAIR },
		     { "capella", DR_BEACON_CAPELLA },
		     { "electra", DR_BEACON_ELECTRA } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		static const uint8_t root[32] = { 0x11 };
		struct dr_network net = beacon_minimal(root);
		char folder[256], name[32];

		for (unsigned f = 0; f <= rows[i].fork; f++)
			beacon_fork_set(&net, f, 0, (uint8_t[]){ (uint8_t)f, 0, 0, 1 });
		snprintf(folder, sizeof(folder),
			 VECTORS_SPEC "/%s/light_client/update_ranking/pyspec_tests/update_ranking", rows[i].name);
		for (unsigned k = 0; k < 40; k++) {
			dr_arena_reset(arena);
			snprintf(name, sizeof(name), "updates_%u", k);
			const struct dr_bytes ssz = spec_ssz(folder, name);
			const struct dr_beacon_item *item = good_ssz(&net, ssz, 1, name);

			assert_int_equal(item->kind, DR_BEACON_UPDATE);
			assert_int_equal(beacon_fork(item), rows[i].fork);
			assert_true(dr_bytes_eq(beacon_item_ssz(&net, item), ssz));
			both_ways(&net, item, name);
		}
	}
}

static void test_datachain(void **state)
{
	json_t *initial = kit_vector(REAL_DATACHAIN "/initial_state.json");
	const struct dr_network net = datachain_network(initial);
	json_t *root = datachain_bootstrap(initial);
	const struct dr_beacon_item *item = good_json(&net, root, 1, "initial_state");

	(void)state;
	assert_int_equal(item->kind, DR_BEACON_BOOTSTRAP);
	assert_int_equal(item->bootstrap.fork, DR_BEACON_BELLATRIX);
	assert_int_equal(item->bootstrap.header.beacon.slot, 352);
	both_ways(&net, item, "initial_state");
	json_decref(root);
	for (unsigned period = 5; period <= 9; period++) {
		root = datachain_update("light_client_update", period);
		item = good_json(&net, root, 1, "update");
		assert_int_equal(item->kind, DR_BEACON_UPDATE);
		both_ways(&net, item, "update");
		json_decref(root);
		if (period == 5)
			continue;
		root = datachain_update("finality_update", period);
		item = good_json(&net, root, 1, "finality update");
		assert_int_equal(item->kind, DR_BEACON_FINALITY_UPDATE);
		both_ways(&net, item, "finality update");
		json_decref(root);
	}
	json_decref(initial);
}

static void refused(const struct dr_network *net, struct dr_bytes bytes, const char *name)
{
	struct dr_beacon_item *items = (void *)&arena;
	struct dr_fail fail = { 0 };
	size_t num = 9;

	if (dr_json_beacon_read(&items, &num, net, bytes, arena, &notes, &fail) == DR_OK)
		fail_msg("%s: taken", name);
	assert_non_null(fail.what);
	assert_null(items);
	assert_int_equal(num, 0);
}

/* The framing of /updates: u64LE length, digest, update. */
static struct dr_bytes framed(const struct dr_network *net, const struct dr_beacon_item *items, size_t num)
{
	uint8_t *out = kit_alloc(num * (12 + dr_lc_len_max(net)));
	size_t len = 0;

	for (size_t i = 0; i < num; i++) {
		const struct dr_bytes ssz = beacon_item_ssz(net, &items[i]);

		for (unsigned k = 0; k < 8; k++)
			out[len + k] = (uint8_t)((uint64_t)(ssz.len + 4) >> (8 * k));
		assert_true(dr_network_digest(out + len + 8, net, beacon_fork(&items[i])));
		memcpy(out + len + 12, ssz.ptr, ssz.len);
		len += 12 + ssz.len;
	}
	return dr_bytes_of(out, len);
}

static void test_frames(void **state)
{
	const struct dr_bytes real = spec_file(REAL_MAINNET "/framed/updates_1372_count1.ssz");
	const struct dr_bytes alone = spec_file(REAL_MAINNET "/updates/period_1372_slot_11239491_6a95a1a9.ssz");
	const struct dr_network net = beacon_devnet(DEVNET_ELECTRA);
	json_t *root = kit_vector(DEVNET_ELECTRA "/updates.json");
	const struct dr_beacon_item *items = good_json(&net, root, 4, "updates"), *item;
	struct dr_bytes bytes;

	(void)state;
	item = good_ssz(MAINNET, real, 1, "framed");
	assert_true(item->in_list);
	assert_true(dr_bytes_eq(beacon_item_ssz(MAINNET, item), alone));
	refused(MAINNET, spec_file(REAL_MAINNET "/framed/garbage_lcu.ssz"), "garbage");
	assert_string_equal(notes.at, "");

	bytes = framed(&net, items, 4);
	item = good_ssz(&net, bytes, 4, "four");
	for (size_t i = 0; i < 4; i++) {
		assert_true(item[i].in_list);
		assert_true(dr_bytes_eq(beacon_item_ssz(&net, &item[i]), beacon_item_ssz(&net, &items[i])));
	}
	bytes = framed(&net, items, 2);
	const size_t first = framed(&net, items, 1).len;

	for (size_t len = 0; len < bytes.len; len++) {
		if (len == first)
			continue;
		refused(&net, dr_bytes_of(bytes.ptr, len), "truncated");
		if (len > first)
			assert_string_equal(notes.at, "[1]");
	}
	for (size_t i = 0; i < 12; i++) {
		uint8_t *changed = kit_alloc(bytes.len);

		memcpy(changed, bytes.ptr, bytes.len);
		changed[first + i] ^= 1;
		refused(&net, dr_bytes_of(changed, bytes.len), "length or digest");
		assert_string_equal(notes.at, "[1]");
	}
	json_decref(root);
}

/* Every truncation fails; every changed bit fails, or is another object: what decodes encodes to the same bytes. */
static void test_ssz_damage(void **state)
{
	const struct dr_network net = beacon_devnet(DEVNET_ELECTRA);
	static const char *const files[] = { "finality_update", "optimistic_update", "bootstrap_slot8" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char path[256];

		dr_arena_reset(arena);
		snprintf(path, sizeof(path), DEVNET_ELECTRA "/%s.json", files[i]);
		json_t *root = kit_vector(path);
		const struct dr_bytes ssz = beacon_item_ssz(&net, good_json(&net, root, 1, path));
		uint8_t *bytes = kit_alloc(ssz.len + 33), *again = kit_alloc(dr_lc_len_max(&net));

		memcpy(bytes, ssz.ptr, ssz.len);
		for (size_t len = 0; len < ssz.len; len++)
			refused(&net, dr_bytes_of(bytes, len), "truncated");
		/* Fewer would be more extra data: a header's only list stands last. */
		refused(&net, dr_bytes_of(bytes, ssz.len + 33), "33 bytes more");
		for (size_t bit = 0; bit < ssz.len * 8; bit++) {
			struct dr_beacon_item *items;
			struct dr_fail fail = { 0 };
			size_t num, len = 0;

			dr_arena_reset(arena);
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (dr_json_beacon_read(&items, &num, &net, dr_bytes_of(bytes, ssz.len), arena, &notes,
						&fail) == DR_OK) {
				if (items->kind == DR_BEACON_BOOTSTRAP)
					dr_lc_bootstrap_encode(again, dr_lc_len_max(&net), &len, &net,
							       &items->bootstrap, &fail);
				else
					dr_lc_update_encode(again, dr_lc_len_max(&net), &len, &net, &items->update,
							    &fail);
				if (len != ssz.len || memcmp(again, bytes, len) != 0)
					fail_msg("%s: bit %zu does not come back", files[i], bit);
			}
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		json_decref(root);
	}
}

/* Bytes of another fork's form than their slot's are false, whichever way the fork is off. */
static void test_ssz_fork(void **state)
{
	struct dr_network net = beacon_devnet(DEVNET_ELECTRA), other = net;
	json_t *root = kit_vector(DEVNET_ELECTRA "/finality_update.json");
	const struct dr_bytes ssz = beacon_item_ssz(&net, good_json(&net, root, 1, "finality"));
	struct dr_beacon_item *items;
	struct dr_fail fail = { 0 };
	size_t num;

	(void)state;
	for (size_t f = DR_BEACON_DENEB; f <= DR_BEACON_ELECTRA; f++)
		beacon_fork_set(&other, f, DR_BEACON_NEVER, NULL);
	assert_int_equal(dr_json_beacon_read(&items, &num, &other, ssz, arena, &notes, &fail), DR_ERR_PROOF);
	assert_string_equal(fail.what, "the form is not that of the slot's fork");
	other = net;
	other.unknown_epoch = 3;
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_json_beacon_read(&items, &num, &other, ssz, arena, &notes, &fail), DR_ERR_UNKNOWN);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devnets),      cmocka_unit_test(test_helios),
		cmocka_unit_test(test_both_forms),   cmocka_unit_test(test_mainnet_ssz),
		cmocka_unit_test(test_spec_updates), cmocka_unit_test(test_datachain),
		cmocka_unit_test(test_frames),       cmocka_unit_test(test_ssz_damage),
		cmocka_unit_test(test_ssz_fork),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
