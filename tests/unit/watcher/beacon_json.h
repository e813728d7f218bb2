/* SPDX-License-Identifier: Apache-2.0
 *
 * beacon_json: containers as the beacon API writes them, by the tables: what watcher/json_beacon.c reads, the other
 * way round.
 */
#ifndef DR_TESTS_BEACON_JSON_H
#define DR_TESTS_BEACON_JSON_H

#include "tests/unit/chain/beacon_kit.h"
#include "watcher/json_beacon.h"
#include "watcher/json_network.h"

static inline json_t *beacon_hex(const void *ptr, size_t len)
{
	static char text[2 + 2 * 256 + 1];

	assert_true(len <= 256);
	snprintf(text, sizeof(text), "0x");
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 + 2 * i, 3, "%02x", ((const uint8_t *)ptr)[i]);
	return json_string(text);
}

/* A little-endian number in decimal: long division by ten. */
static inline json_t *beacon_decimal(const uint8_t *le, size_t len)
{
	uint8_t rest[32];
	char text[80];
	size_t at = sizeof(text) - 1;

	memcpy(rest, le, len);
	text[at] = '\0';
	do {
		unsigned carry = 0;

		for (size_t i = len; i-- > 0;) {
			carry = carry << 8 | rest[i];
			rest[i] = (uint8_t)(carry / 10);
			carry %= 10;
		}
		text[--at] = (char)('0' + carry);
	} while (!dr_bytes_zero(rest, len));
	return json_string(text + at);
}

static inline json_t *beacon_json_of(const struct dr_ssz_type *type, struct dr_ssz_shape shape, const void *obj)
{
	json_t *out = json_object(), *value = NULL;

	for (size_t i = 0; i < type->num; i++) {
		const struct dr_ssz_field *field = &type->fields[i];
		const void *at = (const uint8_t *)obj + field->at;
		const struct dr_ssz_list *list = at;
		const struct dr_ssz_branch *branch = at;
		const struct dr_bytes *keys = at;

		if (!dr_ssz_field_in(field, shape))
			continue;
		switch (field->kind) {
		case DR_SSZ_U64: value = beacon_decimal(at, 8); break; /* tests run on little-endian machines */
		case DR_SSZ_U256: value = beacon_decimal(at, 32); break;
		case DR_SSZ_BYTES: value = beacon_hex(at, field->len); break;
		case DR_SSZ_BITS: value = beacon_hex(at, shape.committee_size / 8); break;
		case DR_SSZ_LIST: value = beacon_hex(list->bytes, (size_t)list->len); break;
		case DR_SSZ_BRANCH:
			value = json_array();
			for (size_t k = 0; k < branch->num; k++)
				json_array_append_new(value, beacon_hex(branch->nodes[k], 32));
			break;
		case DR_SSZ_KEYS:
			value = json_array();
			for (size_t k = 0; k < shape.committee_size; k++)
				json_array_append_new(value, beacon_hex(keys->ptr + 48 * k, 48));
			break;
		case DR_SSZ_CONTAINER: value = beacon_json_of(field->type, shape, at); break;
		}
		json_object_set_new(out, field->name, value);
	}
	return out;
}

static inline const struct dr_ssz_type *beacon_type(enum dr_beacon_kind kind)
{
	return kind == DR_BEACON_BOOTSTRAP ? &dr_lc_bootstrap_type : dr_lc_type((enum dr_lc_kind)kind);
}

static inline enum dr_beacon_fork beacon_fork(const struct dr_beacon_item *item)
{
	return item->kind == DR_BEACON_BOOTSTRAP ? item->bootstrap.fork : item->update.fork;
}

/* An item's `data`, and its SSZ. */
static inline json_t *beacon_item_json(const struct dr_network *net, const struct dr_beacon_item *item)
{
	return beacon_json_of(beacon_type(item->kind), dr_lc_shape(net, beacon_fork(item)), &item->bootstrap);
}

static inline struct dr_bytes beacon_item_ssz(const struct dr_network *net, const struct dr_beacon_item *item)
{
	if (item->kind == DR_BEACON_BOOTSTRAP)
		return beacon_ssz_bootstrap(net, &item->bootstrap);
	return beacon_ssz_update(net, &item->update);
}

/* The network of a folder of 12-devnet, by our own reader. */
static inline struct dr_network beacon_devnet(const char *folder)
{
	char path[256];
	struct dr_network net;
	struct dr_network_notes notes;
	struct dr_fail fail = { 0 };

	snprintf(path, sizeof(path), "%s/spec.json", folder);
	json_t *spec = kit_vector(path);

	snprintf(path, sizeof(path), "%s/genesis.json", folder);
	json_t *genesis = kit_vector(path);

	if (dr_json_network(&net, spec, genesis, &notes, &fail) != DR_OK)
		fail_msg("%s: %s: %s", folder, notes.at, fail.what);
	json_decref(spec);
	json_decref(genesis);
	return net;
}

/* datachain's own JSON in the beacon API's words: numbers become strings, a header gets its wrapping, a branch that
 * stands beside its leaf a name. The three networks' forks all begin at once, so their data is Bellatrix's. */
static inline json_t *datachain_header(const json_t *from)
{
	json_t *beacon = json_deep_copy(from);
	static const char *const numbers[] = { "slot", "proposer_index" };

	for (size_t i = 0; i < 2; i++) {
		char text[32];

		snprintf(text, sizeof(text), "%lld",
			 (long long)json_integer_value(json_object_get(from, numbers[i])));
		json_object_set_new(beacon, numbers[i], json_string(text));
	}
	return json_pack("{s:o}", "beacon", beacon);
}

static inline json_t *datachain_bootstrap(const json_t *initial)
{
	const json_t *first = json_array_get(initial, 0);

	return json_pack("{s:{s:o, s:O, s:O}}", "data", "header",
			 datachain_header(json_object_get(first, "beacon_header")), "current_sync_committee",
			 json_object_get(first, "current_sync_committee"), "current_sync_committee_branch",
			 json_object_get(first, "current_sync_committee_branch"));
}

static inline json_t *datachain_update(const char *name, unsigned period)
{
	char path[160], slot[32];

	snprintf(path, sizeof(path), VECTORS_REAL "/datachain-minimal-bellatrix/%s_period_%u.json", name, period);
	json_t *file = kit_vector(path);
	const json_t *from = json_object_get(json_array_get(file, 0), "light_client_update");
	const json_t *finalized = json_object_get(from, "finalized_header");
	const json_t *committee = json_object_get(from, "next_sync_committee");
	json_t *data;

	snprintf(slot, sizeof(slot), "%lld", (long long)json_integer_value(json_object_get(from, "signature_slot")));
	data = json_pack("{s:o, s:o, s:O, s:O, s:s}", "attested_header",
			 datachain_header(json_object_get(from, "attested_header")), "finalized_header",
			 datachain_header(json_array_get(finalized, 0)), "finality_branch",
			 json_array_get(finalized, 1), "sync_aggregate", json_object_get(from, "sync_aggregate"),
			 "signature_slot", slot);
	if (json_is_array(committee)) {
		json_object_set(data, "next_sync_committee", json_array_get(committee, 0));
		json_object_set(data, "next_sync_committee_branch", json_array_get(committee, 1));
	}
	json_decref(file);
	return json_pack("{s:s, s:o}", "version", "bellatrix", "data", data);
}

static inline struct dr_network datachain_network(const json_t *initial)
{
	static const uint8_t versions[3][4] = { { 0, 0, 0, 1 }, { 1, 0, 0, 1 }, { 2, 0, 0, 1 } };
	struct dr_network net = beacon_minimal(kit_json_hex(json_array_get(initial, 2)).ptr);

	for (size_t i = 0; i < 3; i++)
		beacon_fork_set(&net, i, 0, versions[i]);
	return net;
}

/* A member, by a path of names and indices, replaced. */
static inline void beacon_put(json_t *root, const char *path, json_t *value)
{
	char name[64];

	for (;;) {
		size_t len = strcspn(path, ".");
		const bool last = path[len] == '\0';

		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		if (json_is_array(root) && last)
			json_array_set_new(root, strtoul(name, NULL, 10), value);
		else if (last)
			json_object_set_new(root, name, value);
		if (last)
			return;
		root = json_is_array(root) ? json_array_get(root, strtoul(name, NULL, 10))
					   : json_object_get(root, name);
		assert_non_null(root);
		path += len + 1;
	}
}

#define DEVNET_ELECTRA "12-devnet/forge-electra-minimal"
#define DEVNET_CAPELLA "12-devnet/lodestar-capella-minimal"
#define REAL_MAINNET   VECTORS_REAL "/mainnet"
#define REAL_HELIOS    VECTORS_REAL "/helios-capella"
#define REAL_DATACHAIN VECTORS_REAL "/datachain-minimal-bellatrix"

#endif
