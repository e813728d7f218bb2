/* SPDX-License-Identifier: Apache-2.0
 *
 * beacon_world: a beacon chain of ours as files of the folder of verify_kit, and derot verify beacon over them.
 */
#ifndef DR_TESTS_BEACON_WORLD_H
#define DR_TESTS_BEACON_WORLD_H

#include "tests/unit/chain/beacon_forge.h"
#include "tests/unit/watcher/beacon_json.h"
#include "tests/unit/watcher/verify_kit.h"

static const char spec_text[] =
	"{\"data\":{\"CONFIG_NAME\":\"ours\",\"SLOTS_PER_EPOCH\":\"8\",\"EPOCHS_PER_SYNC_COMMITTEE_PERIOD\":\"8\","
	"\"SYNC_COMMITTEE_SIZE\":\"32\",\"SECONDS_PER_SLOT\":\"6\",\"GENESIS_FORK_VERSION\":\"0x00000001\","
	"\"ALTAIR_FORK_VERSION\":\"0x01000001\",\"ALTAIR_FORK_EPOCH\":\"0\","
	"\"BELLATRIX_FORK_VERSION\":\"0x02000001\",\"BELLATRIX_FORK_EPOCH\":\"0\","
	"\"CAPELLA_FORK_VERSION\":\"0x03000001\",\"CAPELLA_FORK_EPOCH\":\"%s\","
	"\"DENEB_FORK_VERSION\":\"0x04000001\",\"DENEB_FORK_EPOCH\":\"%s\","
	"\"ELECTRA_FORK_VERSION\":\"0x05000001\",\"ELECTRA_FORK_EPOCH\":\"%s\","
	"\"FULU_FORK_VERSION\":\"0x06000001\",\"FULU_FORK_EPOCH\":\"%s\",\"GLOAS_FORK_EPOCH\":\"%s\"}}";
#define NEVER "18446744073709551615"

static const char genesis_text[] = "{\"data\":{\"genesis_time\":\"1700000000\",\"genesis_validators_root\":"
				   "\"0x5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e\"}}";

static struct dr_network net;
static char root[2 + 64 + 1]; /* of the checkpoint: block 200, period 3 */

/* Forks: Capella, Deneb and Electra together, Fulu, one that is not known. */
static inline void spec_file_of(const char *name, const char *capella, const char *later, const char *fulu,
				const char *unknown)
{
	char text[1024];

	snprintf(text, sizeof(text), spec_text, capella, later, later, fulu, unknown);
	kit_text(name, text);
}

static inline void load(const char *spec)
{
	struct dr_network_notes notes;
	struct dr_fail fail = { 0 };
	char a[256], b[256];

	snprintf(a, sizeof(a), "%s/%s", kit_folder, spec);
	snprintf(b, sizeof(b), "%s/genesis.json", kit_folder);
	assert_int_equal(dr_json_network_load(&net, a, b, true, &notes, &fail), DR_OK);
}

static inline struct dr_beacon_item item_of(const struct dr_lc_update *u)
{
	return (struct dr_beacon_item){ .kind = (enum dr_beacon_kind)u->kind, .update = *u };
}

static inline void put_json(const char *name, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	kit_text(name, text);
	free(text);
}

/* A file of one update as a node answers it in JSON. */
static inline void put_update(const char *name, const struct dr_lc_update *u)
{
	const struct dr_beacon_item item = item_of(u);
	json_t *json = json_pack("{s:s, s:o}", "version", dr_beacon_fork_name(u->fork), "data",
				 beacon_item_json(&net, &item));

	put_json(name, json);
	json_decref(json);
}

static inline void put_bootstrap(const char *name, const struct forge_block *b)
{
	const struct dr_beacon_item item = { .kind = DR_BEACON_BOOTSTRAP, .bootstrap = forge_bootstrap(&net, b) };

	kit_file(name, beacon_item_ssz(&net, &item));
}

/* period 3 is of slots 192 to 255, 4 begins at 256 */
static struct forge_block *block_200, *block_208, *block_240;

static inline void make_world(void)
{
	struct dr_lc_update u;

	block_200 = forge_block(&net, 0, 200, NULL);
	block_208 = forge_block(&net, 0, 208, block_200);
	block_240 = forge_block(&net, 0, 240, block_208);
	snprintf(root, sizeof(root), "0x");
	for (size_t i = 0; i < 32; i++)
		snprintf(root + 2 + 2 * i, 3, "%02x", block_200->root[i]);
	put_bootstrap("bootstrap", block_200);
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 224, block_208));
	put_update("update3", &u);
	u = forge_update(&net, DR_LC_FINALITY_UPDATE, forge_block(&net, 0, 248, block_240));
	put_update("finality", &u);
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 288, forge_block(&net, 0, 272, NULL)));
	put_update("update4", &u);
	u = forge_update(&net, DR_LC_UPDATE, forge_block(&net, 0, 352, forge_block(&net, 0, 336, NULL)));
	put_update("update5", &u);
	u = forge_update(&net, DR_LC_OPTIMISTIC_UPDATE, forge_block(&net, 0, 250, NULL));
	put_update("optimistic", &u);
}

static inline int setup(void **state)
{
	if (kit_folder_make(state) != 0)
		return 1;
	kit_text("genesis.json", genesis_text);
	spec_file_of("spec.json", "0", "0", NEVER, NEVER);
	load("spec.json");
	make_world();
	return 0;
}

/* Runs with files; slot: the clock stands at its beginning. */
static inline json_t *run_at(int expected, uint64_t slot, const char *spec, const char *files)
{
	char line[1024];

	snprintf(line, sizeof(line), "verify beacon --spec @%s --genesis @genesis.json --checkpoint %s --now %llu %s",
		 spec, root, (unsigned long long)dr_network_time(&net, slot), files);
	return kit_answer(expected, line);
}

static inline json_t *run(int expected, const char *files)
{
	return run_at(expected, 1000, "spec.json", files);
}

static inline uint64_t number(const json_t *answer, const char *key)
{
	const json_t *value = json_object_get(answer, key);

	if (!json_is_integer(value))
		fail_msg("%s is no number", key);
	return (uint64_t)json_integer_value(value);
}

#endif
