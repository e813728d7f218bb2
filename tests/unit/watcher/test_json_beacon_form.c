/* SPDX-License-Identifier: Apache-2.0
 *
 * json_beacon: JSON that is not exactly of its form is refused, and said where.
 */
#include "tests/unit/watcher/json_beacon_kit.h"

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

/* The paths of all members below value, each removed, null, and of other kinds in turn. */
static void maim(const struct dr_network *net, json_t *root, json_t *value, const char *path, size_t *num)
{
	const size_t num_keys = json_object_size(value);
	char names[20][64];
	const char *key;
	json_t *member;
	size_t n = 0;

	assert_true(num_keys <= 20);
	json_object_foreach(value, key, member) snprintf(names[n++], sizeof(names[0]), "%s", key);
	for (n = 0; n < num_keys; n++) {
		const char *name = names[n];
		char below[256];
		json_t *kept = json_incref(json_object_get(value, name));

		snprintf(below, sizeof(below), "%s%s", path, name);
		/* Without one of these it would be another kind of update, and the rest extra. */
		const bool tells_kind =
			strcmp(name, "next_sync_committee") == 0 || strcmp(name, "finalized_header") == 0;

		for (int way = tells_kind ? 2 : 0; way < 5; way++) {
			struct dr_beacon_item *items;
			struct dr_fail fail = { 0 };
			size_t got;

			switch (way) {
			case 0: json_object_del(value, name); break;
			case 1: json_object_set_new(value, name, json_null()); break;
			case 2: json_object_set_new(value, name, json_integer(5)); break;
			case 3: json_object_set_new(value, name, json_string("")); break;
			default: json_object_set_new(value, name, json_pack("[{}]")); break;
			}
			dr_arena_reset(arena);
			if (dr_json_beacon_parse(&items, &got, net, root, arena, &notes, &fail) != DR_ERR_SYNTAX)
				fail_msg("%s, way %d: %s", below, way, fail.what != NULL ? fail.what : "taken");
			/* Without its first header an object is nothing at all. */
			if (strncmp(notes.at, below, strlen(below)) != 0 &&
			    !(way < 2 && strcmp(notes.at, "data.") == 0 && strstr(name, "header") != NULL))
				fail_msg("%s, way %d: told of %s", below, way, notes.at);
			if (way < 2 && strcmp(notes.at, below) == 0)
				assert_string_equal(fail.what, "this member is missing");
			json_object_set(value, name, kept);
			++*num;
		}
		snprintf(below, sizeof(below), "%s%s.", path, name);
		if (json_is_object(kept))
			maim(net, root, kept, below, num);
		json_decref(kept);
	}
}

static void test_members(void **state)
{
	const struct dr_network net = beacon_devnet(DEVNET_ELECTRA);
	static const char *const files[] = { "finality_update", "optimistic_update", "bootstrap_slot8" };
	size_t num = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char path[256];

		snprintf(path, sizeof(path), DEVNET_ELECTRA "/%s.json", files[i]);
		json_t *root = kit_vector(path);

		maim(&net, root, json_object_get(root, "data"), "data.", &num);
		json_decref(root);
	}
	json_t *updates = kit_vector(DEVNET_ELECTRA "/updates.json");

	maim(&net, updates, json_object_get(json_array_get(updates, 2), "data"), "[2].data.", &num);
	assert_true(num > 500);
	json_decref(updates);
}

#define Z32 "0x0000000000000000000000000000000000000000000000000000000000000000"
#define MAX "115792089237316195423570985008687907853269984665640564039457584007913129639935"
#define HDR "data.attested_header."

static void test_values(void **state)
{
	static const struct {
		const char *path, *json; /* the value */
		enum dr_err err;
		const char *at; /* NULL: as path */
	} rows[] = {
		{ "data.signature_slot", "\"255\"", DR_OK, NULL },
		{ "data.signature_slot", "\"0\"", DR_OK, NULL },
		{ "data.signature_slot", "\"18446744073709551615\"", DR_OK, NULL },
		{ "data.signature_slot", "\"18446744073709551616\"", DR_ERR_LIMIT, NULL },
		{ "data.signature_slot", "\"99999999999999999999999\"", DR_ERR_LIMIT, NULL },
		{ "data.signature_slot", "255", DR_ERR_SYNTAX, NULL },
		{ "data.signature_slot", "\"0255\"", DR_ERR_NONCANONICAL, NULL },
		{ "data.signature_slot", "\"00\"", DR_ERR_NONCANONICAL, NULL },
		{ "data.signature_slot", "\"0xff\"", DR_ERR_SYNTAX, NULL },
		{ "data.signature_slot", "\"-1\"", DR_ERR_SYNTAX, NULL },
		{ "data.signature_slot", "\"+1\"", DR_ERR_SYNTAX, NULL },
		{ "data.signature_slot", "\" 1\"", DR_ERR_SYNTAX, NULL },
		{ "data.signature_slot", "\"1\\u0000\"", DR_ERR_SYNTAX, NULL },
		{ HDR "execution.base_fee_per_gas", "\"" MAX "\"", DR_OK, NULL },
		{ HDR "execution.base_fee_per_gas",
		  "\"115792089237316195423570985008687907853269984665640564039457584007913129639936\"", DR_ERR_LIMIT,
		  NULL },
		{ HDR "execution.base_fee_per_gas", "\"07\"", DR_ERR_NONCANONICAL, NULL },
		{ HDR "execution.extra_data", "\"0x\"", DR_OK, NULL },
		{ HDR "execution.extra_data", "\"" Z32 "\"", DR_OK, NULL },
		{ HDR "execution.extra_data", "\"" Z32 "00\"", DR_ERR_LIMIT, NULL },
		{ HDR "execution.extra_data", "\"0x0\"", DR_ERR_SYNTAX, NULL },
		{ HDR "execution.extra_data", "\"\"", DR_ERR_SYNTAX, NULL },
		{ HDR "execution.fee_recipient", "\"" Z32 "\"", DR_ERR_SYNTAX, NULL },
		{ HDR "beacon.state_root", "\"" Z32 "\"", DR_OK, NULL },
		{ HDR "beacon.state_root", "\"" Z32 "00\"", DR_ERR_SYNTAX, NULL },
		{ HDR "beacon.state_root", "\"0x00\"", DR_ERR_SYNTAX, NULL },
		{ HDR "beacon.state_root", "\"000000000000000000000000000000000000000000000000000000000000000000\"",
		  DR_ERR_SYNTAX, NULL },
		{ HDR "beacon.state_root", "\"0x0000000000000000000000000000000000000000000000000000000000000g00\"",
		  DR_ERR_SYNTAX, NULL },
		{ HDR "beacon.slot", "\"x\"", DR_ERR_SYNTAX, NULL },
		{ HDR "execution_branch", "[]", DR_ERR_SYNTAX, NULL },
		{ HDR "execution_branch", "[\"" Z32 "\",\"" Z32 "\",\"" Z32 "\",\"" Z32 "\"]", DR_OK, NULL },
		{ HDR "execution_branch", "[\"" Z32 "\",\"" Z32 "\",\"" Z32 "\"]", DR_ERR_SYNTAX, NULL },
		{ HDR "execution_branch", "[\"" Z32 "\",\"" Z32 "\",\"" Z32 "\",\"" Z32 "\",\"" Z32 "\"]",
		  DR_ERR_SYNTAX, NULL },
		{ HDR "execution_branch.2", "7", DR_ERR_SYNTAX, HDR "execution_branch[2]" },
		{ HDR "execution_branch.2", "null", DR_ERR_SYNTAX, HDR "execution_branch[2]" },
		{ "data.finality_branch.6", "\"0x00\"", DR_ERR_SYNTAX, "data.finality_branch[6]" },
		{ "data.sync_aggregate.sync_committee_bits", "\"0x01020304\"", DR_OK, NULL },
		{ "data.sync_aggregate.sync_committee_bits", "\"0x010203\"", DR_ERR_SYNTAX, NULL },
		{ "data.sync_aggregate.sync_committee_bits", "\"0x0102030405\"", DR_ERR_SYNTAX, NULL },
		{ "version", "\"electra\"", DR_OK, NULL },
		{ "version", "null", DR_OK, NULL },
		{ "version", "\"deneb\"", DR_ERR_PROOF, NULL },
		{ "version", "\"fulu\"", DR_ERR_PROOF, NULL },
		{ "version", "\"phase0\"", DR_ERR_PROOF, NULL },
		{ "version", "\"Electra\"", DR_ERR_UNKNOWN, NULL },
		{ "version", "\"gloas\"", DR_ERR_UNKNOWN, NULL },
		{ "version", "5", DR_ERR_SYNTAX, NULL },
		{ "data", "{}", DR_ERR_SYNTAX, "data." },
		{ "data", "null", DR_ERR_SYNTAX, "" },
		{ "data.extra", "1", DR_OK, NULL },
	};
	const struct dr_network net = beacon_devnet(DEVNET_ELECTRA);
	json_t *good = kit_vector(DEVNET_ELECTRA "/finality_update.json");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *root = json_deep_copy(good);
		struct dr_beacon_item *items;
		struct dr_fail fail = { 0 };
		size_t num;

		beacon_put(root, rows[i].path, json_loads(rows[i].json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
		const enum dr_err err = dr_json_beacon_parse(&items, &num, &net, root, arena, &notes, &fail);

		if (err != rows[i].err)
			fail_msg("%s = %s: %s %s", rows[i].path, rows[i].json, dr_err_name(err), fail.what);
		if (err != DR_OK && strcmp(notes.at, rows[i].at != NULL ? rows[i].at : rows[i].path) != 0)
			fail_msg("%s = %s: told of %s", rows[i].path, rows[i].json, notes.at);
		json_decref(root);
	}
	json_decref(good);
}

/* Any change of a digit is refused, or is another object. */
static void test_json_damage(void **state)
{
	const struct dr_network net = beacon_devnet(DEVNET_ELECTRA);
	const struct dr_bytes text = spec_file(DEVNET_ELECTRA "/finality_update.json");
	const struct dr_bytes ssz = beacon_item_ssz(&net, good_ssz(&net, text, 1, "good"));
	uint8_t *bytes = kit_alloc(text.len), *again = kit_alloc(dr_lc_len_max(&net));
	size_t same = 0, other = 0;

	(void)state;
	memcpy(bytes, text.ptr, text.len);
	for (size_t len = 0; len < text.len; len++)
		refused(&net, dr_bytes_of(bytes, len), "truncated");
	for (size_t bit = 0; bit < text.len * 8; bit++) {
		struct dr_beacon_item *items;
		struct dr_fail fail = { 0 };
		size_t num, len;

		dr_arena_reset(arena);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (dr_json_beacon_read(&items, &num, &net, dr_bytes_of(bytes, text.len), arena, &notes, &fail) ==
			    DR_OK &&
		    items->kind == DR_BEACON_FINALITY_UPDATE) {
			assert_int_equal(
				dr_lc_update_encode(again, dr_lc_len_max(&net), &len, &net, &items->update, &fail),
				DR_OK);
			if (len == ssz.len && memcmp(again, ssz.ptr, len) == 0)
				same++; /* the case of a digit, or the name "version" */
			else
				other++;
		}
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* A hex digit has its own bits, and a case: about one bit in eight leaves the number as it was. */
	assert_true(other > 2 * same && same > 0);
}

static void test_shapes(void **state)
{
	static const struct {
		const char *json;
		enum dr_err err;
		size_t num;
		const char *at;
	} rows[] = {
		{ "[]", DR_OK, 0, "" },
		{ "{\"data\":[]}", DR_OK, 0, "" },
		{ "{}", DR_ERR_SYNTAX, 0, "" },
		{ "5", DR_ERR_SYNTAX, 0, "" },
		{ "null", DR_ERR_SYNTAX, 0, "" },
		{ "\"x\"", DR_ERR_SYNTAX, 0, "" },
		{ "[5]", DR_ERR_SYNTAX, 0, "[0]." },
		{ "[[]]", DR_ERR_SYNTAX, 0, "[0]." },
		{ "[{}]", DR_ERR_SYNTAX, 0, "[0]." },
		{ "{\"data\":[{}]}", DR_ERR_SYNTAX, 0, "data[0]." },
		{ "{\"code\":404,\"message\":\"pruned\"}", DR_ERR_SYNTAX, 0, "message" },
		{ "{\"attested_header\":{}}", DR_ERR_SYNTAX, 0, "attested_header.beacon.slot" },
		{ "{\"header\":{\"beacon\":{\"slot\":\"7\"}}}", DR_ERR_SYNTAX, 0, "header.beacon.proposer_index" },
		{ "{\"header\":{\"beacon\":{\"slot\":\"99999999\"}}}", DR_ERR_SYNTAX, 0,
		  "header.beacon.proposer_index" },
	};
	const struct dr_network net = beacon_devnet(DEVNET_ELECTRA);
	struct dr_network phase0 = net;
	json_t *updates = kit_vector(DEVNET_ELECTRA "/updates.json"), *data, *many = json_array();
	struct dr_beacon_item *items;
	struct dr_fail fail = { 0 };
	size_t num;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *root = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);

		fail = (struct dr_fail){ 0 };
		const enum dr_err err = dr_json_beacon_parse(&items, &num, &net, root, arena, &notes, &fail);

		if (err != rows[i].err || num != rows[i].num || strcmp(notes.at, rows[i].at) != 0)
			fail_msg("%s: %s at %s", rows[i].json, dr_err_name(err), notes.at);
		json_decref(root);
	}
	assert_true(dr_json_beacon_is_text(dr_bytes_of("[ {\"data\"", 9)));
	assert_true(dr_json_beacon_is_text(dr_bytes_of("[]", 2)));
	assert_true(dr_json_beacon_is_text(dr_bytes_of("", 0)));
	assert_true(dr_json_beacon_is_text(dr_bytes_of("12345678\0", 9)));
	assert_false(dr_json_beacon_is_text(dr_bytes_of("1234567\0", 8))); /* the highest byte of a slot */
	/* The list in an object, as before v1 of the endpoint; and data without a wrapper, alone or in a list. */
	data = json_pack("{s:O}", "data", updates);
	good_json(&net, data, 4, "a list in an object");
	assert_true(good_json(&net, json_object_get(json_array_get(updates, 0), "data"), 1, "bare")->kind ==
		    DR_BEACON_UPDATE);
	json_decref(data);
	data = json_pack("[O]", json_object_get(json_array_get(updates, 0), "data"));
	assert_true(good_json(&net, data, 1, "bare, in a list")->in_list);
	json_decref(data);
	for (size_t i = 0; i <= DR_BEACON_ITEMS_MAX; i++)
		json_array_append(many, json_array_get(updates, 0));
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_json_beacon_parse(&items, &num, &net, many, arena, &notes, &fail), DR_ERR_LIMIT);
	json_array_remove(many, 0);
	dr_arena_reset(arena);
	good_json(&net, many, DR_BEACON_ITEMS_MAX, "the most");
	json_decref(many);

	/* A slot before Altair is of no light client. */
	phase0.forks[DR_BEACON_ALTAIR].epoch = phase0.forks[DR_BEACON_BELLATRIX].epoch = 1000000;
	phase0.forks[DR_BEACON_CAPELLA].epoch = phase0.forks[DR_BEACON_DENEB].epoch = 1000000;
	phase0.forks[DR_BEACON_ELECTRA].epoch = 1000000;
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_json_beacon_parse(&items, &num, &phase0, updates, arena, &notes, &fail), DR_ERR_UNKNOWN);
	assert_string_equal(notes.at, "[0].version");
	json_decref(updates);
}

static char told[512];

static void note(void *to, const char *member)
{
	assert_ptr_equal(to, &told);
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s ", member);
}

static void test_extra(void **state)
{
	const struct dr_network net = beacon_devnet(DEVNET_CAPELLA);
	json_t *root = kit_vector(DEVNET_CAPELLA "/finality_update.json");

	(void)state;
	notes = (struct dr_json_notes){ .extra = note, .to = &told };
	good_json(&net, root, 1, "as it was");
	assert_string_equal(told, "");
	json_object_set_new(root, "execution_optimistic", json_false());
	beacon_put(root, "data.colour", json_string("red"));
	beacon_put(root, HDR "execution.blob_gas_used", json_string("0")); /* Deneb's, and this is Capella */
	beacon_put(root, "data.sync_aggregate.note", json_null());
	good_json(&net, root, 1, "more");
	assert_string_equal(told, "attested_header.execution.blob_gas_used sync_aggregate.note colour "
				  "execution_optimistic ");
	notes = (struct dr_json_notes){ .extra = NULL };
	json_decref(root);
}

static void test_memory(void **state)
{
	const struct dr_network net = beacon_devnet(DEVNET_ELECTRA);
	json_t *root = kit_vector(DEVNET_ELECTRA "/updates.json");
	struct dr_beacon_item *items;
	size_t num;

	(void)state;
	for (size_t cap = 1000; cap < 30000; cap += 4000) {
		struct dr_arena *small = dr_arena_new(cap);
		struct dr_fail fail = { 0 };
		const enum dr_err err = dr_json_beacon_parse(&items, &num, &net, root, small, &notes, &fail);

		assert_true(err == DR_ERR_NOMEM || (err == DR_OK && cap > 4 * sizeof(*items)));
		assert_int_equal(num, err == DR_OK ? 4 : 0);
		dr_arena_free(small);
	}
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members), cmocka_unit_test(test_values), cmocka_unit_test(test_json_damage),
		cmocka_unit_test(test_shapes),  cmocka_unit_test(test_extra),  cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
