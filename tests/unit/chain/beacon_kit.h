/* SPDX-License-Identifier: Apache-2.0
 *
 * beacon_kit: networks from the configurations that vectors bring, containers from the beacon API's JSON (by the same
 * tables as their SSZ), and what tests of the store ask of it. Memory lives until the process ends.
 */
#ifndef DR_TESTS_BEACON_KIT_H
#define DR_TESTS_BEACON_KIT_H

#include "chain/base/arena.h"
#include "chain/beacon/lc_store.h"
#include "tests/unit/spec_kit.h"

#define VECTORS_SPEC "01-eth-lc-spec/official-generator/minimal"
#define VECTORS_REAL "03-eth-lc-real"

/* The minimal preset (consensus-specs presets/minimal), no fork but phase0 yet. */
static inline struct dr_network beacon_minimal(const uint8_t *genesis_validators_root)
{
	struct dr_network net = { .name = "minimal",
				  .slots_per_epoch = 8,
				  .epochs_per_period = 8,
				  .committee_size = 32,
				  .seconds_per_slot = 6,
				  .genesis_time = 1578009600,
				  .unknown_epoch = DR_BEACON_NEVER };

	memcpy(net.genesis_validators_root, genesis_validators_root, 32);
	for (size_t i = 1; i < DR_BEACON_FORKS; i++)
		net.forks[i].epoch = DR_BEACON_NEVER;
	return net;
}

static inline void beacon_fork_set(struct dr_network *net, size_t i, uint64_t epoch, const uint8_t *version)
{
	net->forks[i].epoch = epoch;
	memset(net->forks[i].version, 0, 4);
	if (epoch != DR_BEACON_NEVER)
		memcpy(net->forks[i].version, version, 4);
}

static inline void beacon_key(char key[64], enum dr_beacon_fork fork, const char *rest)
{
	snprintf(key, 64, "%s%s", fork == DR_BEACON_PHASE0 ? "GENESIS" : dr_beacon_fork_name(fork), rest);
	for (char *c = key; *c != '\0'; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 32);
}

/* A network by the generator's config.yaml: minimal preset, forks as named. */
static inline struct dr_network beacon_config(struct dr_bytes config, const uint8_t *genesis_validators_root)
{
	struct dr_network net = beacon_minimal(genesis_validators_root);
	struct dr_fail fail = { 0 };

	for (enum dr_beacon_fork fork = DR_BEACON_PHASE0; fork < DR_BEACON_FORKS; fork++) {
		char key[64];

		beacon_key(key, fork, "_FORK_VERSION");
		const char *version = spec_key(config, key);

		beacon_key(key, fork, "_FORK_EPOCH");
		if (version[0] != '\0')
			beacon_fork_set(&net, fork, fork == DR_BEACON_PHASE0 ? 0 : spec_u64(config, key),
					spec_hex(version));
	}
	assert_int_equal(dr_network_check(&net, &fail), DR_OK);
	return net;
}

static inline uint64_t beacon_json_u64(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	assert_non_null(text);
	return strtoull(text, NULL, 10);
}

/* A network by what a beacon node answers to /eth/v1/config/spec and /genesis. */
static inline struct dr_network beacon_answers(const json_t *spec, const json_t *genesis)
{
	const json_t *root = json_object_get(genesis, "genesis_validators_root");
	struct dr_network net = beacon_minimal(kit_json_hex(root).ptr);
	struct dr_fail fail = { 0 };

	net.slots_per_epoch = (uint32_t)beacon_json_u64(spec, "SLOTS_PER_EPOCH");
	net.epochs_per_period = (uint32_t)beacon_json_u64(spec, "EPOCHS_PER_SYNC_COMMITTEE_PERIOD");
	net.committee_size = (uint32_t)beacon_json_u64(spec, "SYNC_COMMITTEE_SIZE");
	net.seconds_per_slot = (uint32_t)beacon_json_u64(spec, "SECONDS_PER_SLOT");
	net.genesis_time = beacon_json_u64(genesis, "genesis_time");
	for (enum dr_beacon_fork fork = DR_BEACON_PHASE0; fork < DR_BEACON_FORKS; fork++) {
		char key[64];

		beacon_key(key, fork, "_FORK_VERSION");
		const json_t *version = json_object_get(spec, key);

		beacon_key(key, fork, "_FORK_EPOCH");
		if (version != NULL)
			beacon_fork_set(&net, fork, fork == DR_BEACON_PHASE0 ? 0 : beacon_json_u64(spec, key),
					kit_json_hex(version).ptr);
	}
	assert_int_equal(dr_network_check(&net, &fail), DR_OK);
	return net;
}

/* A decimal number as 32 bytes, little endian. */
static inline void beacon_json_u256(uint8_t out[static 32], const char *text)
{
	memset(out, 0, 32);
	for (; *text != '\0'; text++) {
		unsigned carry = (unsigned)(*text - '0');

		assert_true(carry < 10);
		for (size_t i = 0; i < 32; i++) {
			carry += out[i] * 10u;
			out[i] = (uint8_t)carry;
			carry >>= 8;
		}
		assert_int_equal(carry, 0);
	}
}

/* An object of `type` from JSON; *out is zeroed before. */
static inline void beacon_json(void *out, const struct dr_ssz_type *type, struct dr_ssz_shape shape,
			       const json_t *json)
{
	for (size_t i = 0; i < type->num; i++) {
		const struct dr_ssz_field *field = &type->fields[i];
		const json_t *value = json_object_get(json, field->name);
		void *member = (uint8_t *)out + field->at;

		if (!dr_ssz_field_in(field, shape))
			continue;
		assert_non_null(value);
		switch (field->kind) {
		case DR_SSZ_U64: *(uint64_t *)member = strtoull(json_string_value(value), NULL, 10); break;
		case DR_SSZ_U256: beacon_json_u256(member, json_string_value(value)); break;
		case DR_SSZ_BYTES:
			assert_int_equal(kit_json_hex(value).len, field->len);
			memcpy(member, kit_json_hex(value).ptr, field->len);
			break;
		case DR_SSZ_BITS:
			assert_int_equal(kit_json_hex(value).len, shape.committee_size / 8);
			memcpy(member, kit_json_hex(value).ptr, shape.committee_size / 8);
			break;
		case DR_SSZ_LIST: {
			struct dr_ssz_list *list = member;

			list->len = kit_json_hex(value).len;
			assert_true(list->len <= field->len);
			memcpy(list->bytes, kit_json_hex(value).ptr, (size_t)list->len);
			break;
		}
		case DR_SSZ_BRANCH: {
			struct dr_ssz_branch *branch = member;

			assert_int_equal(json_array_size(value), field->len);
			branch->num = field->len;
			for (size_t k = 0; k < field->len; k++)
				memcpy(branch->nodes[k], kit_json_hex(json_array_get(value, k)).ptr, 32);
			break;
		}
		case DR_SSZ_KEYS: {
			uint8_t *keys = kit_alloc(shape.committee_size * 48u);

			assert_int_equal(json_array_size(value), shape.committee_size);
			for (size_t k = 0; k < shape.committee_size; k++)
				memcpy(keys + 48 * k, kit_json_hex(json_array_get(value, k)).ptr, 48);
			*(struct dr_bytes *)member = dr_bytes_of(keys, shape.committee_size * 48u);
			break;
		}
		case DR_SSZ_CONTAINER: beacon_json(member, field->type, shape, value); break;
		}
	}
}

static inline struct dr_lc_update beacon_json_update(const struct dr_network *net, enum dr_lc_kind kind,
						     enum dr_beacon_fork fork, const json_t *json)
{
	struct dr_lc_update update;

	memset(&update, 0, sizeof(update));
	beacon_json(&update, dr_lc_type(kind), dr_lc_shape(net, fork), json);
	update.kind = kind;
	update.fork = fork;
	return update;
}

static inline struct dr_lc_bootstrap beacon_json_bootstrap(const struct dr_network *net, enum dr_beacon_fork fork,
							   const json_t *json)
{
	struct dr_lc_bootstrap bootstrap;

	memset(&bootstrap, 0, sizeof(bootstrap));
	beacon_json(&bootstrap, &dr_lc_bootstrap_type, dr_lc_shape(net, fork), json);
	bootstrap.fork = fork;
	return bootstrap;
}

/* What was read from JSON, as SSZ. */
static inline struct dr_bytes beacon_ssz_update(const struct dr_network *net, const struct dr_lc_update *update)
{
	uint8_t *buf = kit_alloc(dr_lc_len_max(net));
	struct dr_fail fail = { 0 };
	size_t len;

	assert_int_equal(dr_lc_update_encode(buf, dr_lc_len_max(net), &len, net, update, &fail), DR_OK);
	return dr_bytes_of(buf, len);
}

static inline struct dr_bytes beacon_ssz_bootstrap(const struct dr_network *net, const struct dr_lc_bootstrap *boot)
{
	uint8_t *buf = kit_alloc(dr_lc_len_max(net));
	struct dr_fail fail = { 0 };
	size_t len;

	assert_int_equal(dr_lc_bootstrap_encode(buf, dr_lc_len_max(net), &len, net, boot, &fail), DR_OK);
	return dr_bytes_of(buf, len);
}

static inline struct dr_lc_store *beacon_store(void)
{
	return (struct dr_lc_store *)kit_alloc(sizeof(struct dr_lc_store));
}

#endif
