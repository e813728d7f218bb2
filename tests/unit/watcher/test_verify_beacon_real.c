/* SPDX-License-Identifier: Apache-2.0
 *
 * derot verify beacon on real chains, and on what is left of them when one bit is changed: whatever bit of an update
 * it is, in either form, the change is refused, or the member is named as unproven.
 */
#include "tests/unit/watcher/beacon_json.h"
#include "tests/unit/watcher/verify_kit.h"
#include "watcher/verify.h"

#define LONG_AFTER 1800000000ull

/* One verification over files of DEROT_VECTORS. */
struct session {
	struct dr_check c;
	struct dr_verify_beacon b;
};

static void begin(struct session *s, const struct dr_network *net, const uint8_t checkpoint[static 32])
{
	assert_true(dr_check_init(&s->c));
	dr_verify_beacon_begin(&s->b, &s->c, net, checkpoint, LONG_AFTER);
}

static void add(struct session *s, const char *path)
{
	dr_verify_beacon_file(&s->b, path, spec_file(path));
}

static void good(struct session *s, uint64_t slot, uint64_t period, const char *hash)
{
	dr_verify_beacon_end(&s->b);
	if (!dr_check_ok(&s->c))
		fail_msg("%s at %s: expected %s, got %s", s->c.fail.what, s->c.at, s->c.expected, s->c.got);
	assert_int_equal(json_integer_value(json_object_get(s->c.facts, "finalized_slot")), slot);
	assert_int_equal(json_integer_value(json_object_get(s->c.facts, "period")), period);
	if (hash != NULL)
		assert_string_equal(kit_said(s->c.facts, NULL, "execution_hash"), hash);
	dr_check_free(&s->c);
}

/* The root of the block that a bootstrap is of, by its own word. */
static const uint8_t *own_root(const struct dr_network *net, struct dr_bytes bootstrap)
{
	struct dr_arena *arena = dr_arena_new((size_t)1 << 20);
	struct dr_json_notes notes = { .extra = NULL };
	struct dr_beacon_item *items;
	struct dr_fail fail = { 0 };
	uint8_t *root = kit_alloc(32);
	size_t num;

	assert_int_equal(dr_json_beacon_read(&items, &num, net, bootstrap, arena, &notes, &fail), DR_OK);
	dr_lc_header_root(root, &items->bootstrap.header);
	dr_arena_free(arena);
	return root;
}

static const uint8_t *root_file(const char *path)
{
	char text[67] = "";

	snprintf(text, sizeof(text), "%.66s", (const char *)spec_file(path).ptr);
	return kit_hex(text + 2).ptr;
}

/* Deneb, SSZ: a bootstrap and 26 consecutive periods, the last of them framed too. The block hash of slot 11239424 is
 * that of mainnet's block 22023709. */
static void test_mainnet(void **state)
{
	static const unsigned slots[] = { 11034708, 11044529, 11051076, 11059265, 11067897, 11075657, 11083843,
					  11092074, 11104926, 11108420, 11120943, 11124801, 11132997, 11141186,
					  11149481, 11157572, 11165770, 11173958, 11182147, 11190349, 11198629,
					  11206741, 11214919, 11223129, 11231300, 11239491 };
	static const char boot[] = REAL_MAINNET "/bootstraps/period_1347_slot_11034656.ssz";
	const struct dr_network *net = dr_network_named("mainnet");
	struct session s;
	char path[256];

	(void)state;
	begin(&s, net, kit_hex("2e522016a5ac7d8d57d758b633a25491a43d12750db8f417fd6cf264b7ec5650").ptr);
	add(&s, boot);
	for (unsigned i = 0; i < 26; i++) {
		snprintf(path, sizeof(path), REAL_MAINNET "/updates/period_%u_slot_%u_6a95a1a9.ssz", 1347 + i,
			 slots[i]);
		add(&s, path);
	}
	add(&s, REAL_MAINNET "/framed/updates_1372_count1.ssz");
	assert_int_equal(json_array_size(s.b.steps), 28);
	good(&s, 11239424, 1372, "0xcd17d23e2e390150fe549cf5a5732b5fe023aeecabaeaf366e616fb84356d944");
}

/* Capella, JSON. The first update attests in the bootstrap's period and finalizes before the bootstrap: it teaches
 * the next committee all the same. */
static void test_helios(void **state)
{
	const struct dr_network *net = dr_network_named("mainnet");
	struct session s;

	(void)state;
	begin(&s, net, own_root(net, spec_file(REAL_HELIOS "/bootstrap.json")));
	add(&s, REAL_HELIOS "/bootstrap.json");
	add(&s, REAL_HELIOS "/updates.json");
	add(&s, REAL_HELIOS "/finality.json");
	add(&s, REAL_HELIOS "/optimistic.json");
	good(&s, 7109344, 867, "0xbc8499537876e5406c7a65e25f99063f1cd85a17014a3aa5ade38271b1fbf64f");
}

static void test_devnets(void **state)
{
	static const struct {
		const char *folder;
		uint64_t slot;
	} rows[] = { { DEVNET_ELECTRA, 232 }, { DEVNET_CAPELLA, 224 } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct dr_network net = beacon_devnet(rows[i].folder);
		struct session s;
		char path[256];

		snprintf(path, sizeof(path), "%s/bootstrap_slot8.root", rows[i].folder);
		begin(&s, &net, root_file(path));
		snprintf(path, sizeof(path), "%s/bootstrap_slot8.json", rows[i].folder);
		add(&s, path);
		snprintf(path, sizeof(path), "%s/updates.json", rows[i].folder);
		add(&s, path);
		snprintf(path, sizeof(path), "%s/finality_update.ssz", rows[i].folder);
		add(&s, path);
		snprintf(path, sizeof(path), "%s/optimistic_update.json", rows[i].folder);
		add(&s, path);
		good(&s, rows[i].slot, 3, NULL);
	}
}

static void add_json(struct session *s, json_t *root)
{
	char *text = json_dumps(root, 0);

	dr_verify_beacon_file(&s->b, "in memory", dr_bytes_of(text, strlen(text)));
	free(text);
	json_decref(root);
}

static void test_datachain(void **state)
{
	json_t *initial = kit_vector(REAL_DATACHAIN "/initial_state.json");
	const struct dr_network net = datachain_network(initial);
	json_t *boot = datachain_bootstrap(initial);
	char *text = json_dumps(boot, 0);
	struct session s;

	(void)state;
	begin(&s, &net, own_root(&net, dr_bytes_of(text, strlen(text))));
	free(text);
	add_json(&s, boot);
	for (unsigned period = 5; period <= 9; period++) {
		add_json(&s, datachain_update("light_client_update", period));
		if (period > 5)
			add_json(&s, datachain_update("finality_update", period));
	}
	good(&s, 584, 9, NULL);
	json_decref(initial);
}

/* The specification's steps where its force_update forces nothing: what it calls final at the end, we do. */
static void test_spec(void **state)
{
	static const char *const forks[] = { "altair", "capella", "electra" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char folder[256], path[512], key[128], value[256];
		struct session s;
		uint64_t finalized = 0;
		bool in_finalized = false;

		snprintf(folder, sizeof(folder),
			 VECTORS_SPEC "/%s/light_client/sync/pyspec_tests/light_client_sync_no_force_update",
			 forks[i]);
		snprintf(path, sizeof(path), "%s/meta.yaml", folder);
		const struct dr_bytes meta = spec_file(path);

		snprintf(path, sizeof(path), "%s/config.yaml", folder);
		const struct dr_network net =
			beacon_config(spec_file(path), spec_hex(spec_key(meta, "genesis_validators_root")));

		snprintf(path, sizeof(path), "%s/steps.yaml", folder);
		struct dr_bytes steps = spec_file(path);

		begin(&s, &net, spec_hex(spec_key(meta, "trusted_block_root")));
		dr_verify_beacon_file(&s.b, "bootstrap", spec_ssz(folder, "bootstrap"));
		while (spec_line(&steps, key, value)) {
			if (strcmp(key, "update") == 0)
				dr_verify_beacon_file(&s.b, value, spec_ssz(folder, value));
			if (strcmp(key, "slot") == 0 && in_finalized)
				finalized = strtoull(value, NULL, 10);
			if (strcmp(key, "finalized_header") == 0 || strcmp(key, "optimistic_header") == 0)
				in_finalized = key[0] == 'f';
		}
		assert_true(finalized > 0);
		good(&s, finalized, dr_network_period(&net, finalized), NULL);
	}
}

struct tally {
	uint64_t changed, proof, malformed, unproven;
};

/* An update in a store that is as it was before: refused, or only of a member that is named. */
static void judge(struct session *s, const struct dr_lc_store *before, const struct dr_lc_update *was,
		  struct dr_bytes content, size_t bit, struct tally *t)
{
	struct dr_check *c = &s->c;

	*s->b.store = *before;
	c->fail = (struct dr_fail){ 0 };
	c->refused = c->conflict = false;
	c->at[0] = c->expected[0] = c->got[0] = '\0';
	json_array_clear(s->b.steps);
	dr_verify_beacon_file(&s->b, "changed", content);
	t->changed++;
	if (!dr_check_ok(c)) {
		assert_false(c->conflict);
		t->proof += c->fail.err == DR_ERR_PROOF || c->refused;
		t->malformed += c->fail.err != DR_ERR_PROOF && !c->refused;
		assert_memory_equal(s->b.store, before, sizeof(*before));
		return;
	}
	struct dr_arena *arena = dr_arena_new((size_t)1 << 20);
	struct dr_json_notes notes = { .extra = NULL };
	struct dr_beacon_item *items;
	struct dr_fail fail = { 0 };
	size_t num;

	assert_int_equal(dr_json_beacon_read(&items, &num, &s->b.net, content, arena, &notes, &fail), DR_OK);
	if (items->update.signature_slot == was->signature_slot)
		fail_msg("bit %zu: the change was accepted", bit);
	dr_arena_free(arena);
	t->unproven++;
}

/* Bits of a finality update and of an update, as SSZ: every third, so that each place in a byte has its turn; every
 * one with DEROT_FLIPS=all. Some of them as JSON too. */
static void flip(const char *folder, const char *place, const char *file, size_t idx, size_t unproven)
{
	const size_t stride = getenv("DEROT_FLIPS") != NULL ? 1 : 3;
	const struct dr_network net = beacon_devnet(folder);
	struct dr_arena *arena = dr_arena_new((size_t)16 << 20);
	struct dr_json_notes notes = { .extra = NULL };
	struct dr_lc_store *before = (struct dr_lc_store *)kit_alloc(sizeof(*before));
	struct dr_fail fail = { 0 };
	struct dr_beacon_item *items;
	struct tally t = { 0 };
	struct session s;
	char path[256];
	size_t num;

	snprintf(path, sizeof(path), "%s/bootstrap_%s.root", folder, place);
	begin(&s, &net, root_file(path));
	snprintf(path, sizeof(path), "%s/bootstrap_%s.json", folder, place);
	add(&s, path);
	assert_true(dr_check_ok(&s.c));
	*before = *s.b.store;
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	assert_int_equal(dr_json_beacon_read(&items, &num, &net, spec_file(path), arena, &notes, &fail), DR_OK);
	assert_true(num > idx);
	const struct dr_lc_update was = items[idx].update;
	const struct dr_bytes ssz = beacon_item_ssz(&net, &items[idx]);
	uint8_t *bytes = kit_alloc(ssz.len);

	memcpy(bytes, ssz.ptr, ssz.len);
	for (size_t bit = 0; bit < ssz.len * 8; bit += stride) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		judge(&s, before, &was, dr_bytes_of(bytes, ssz.len), bit, &t);
		if (bit % 16 == 0) {
			struct dr_beacon_item one = { .kind = items[idx].kind };
			struct dr_fail ignored = { 0 };

			if (dr_lc_update_decode(&one.update, &net, (enum dr_lc_kind)one.kind, was.fork,
						dr_bytes_of(bytes, ssz.len), &ignored) == DR_OK) {
				json_t *json = beacon_item_json(&net, &one);
				char *text = json_dumps(json, 0);

				judge(&s, before, &was, dr_bytes_of(text, strlen(text)), bit, &t);
				free(text);
				json_decref(json);
			}
		}
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	print_message("  %s: %zu changed, %zu false or stale, %zu malformed, %zu of signature_slot\n", file,
		      (size_t)t.changed, (size_t)t.proof, (size_t)t.malformed, (size_t)t.unproven);
	/* Another slot after the attested one, in the same period, is as good: none where that is the period's last.
	 */
	assert_true(stride == 3 ? t.unproven == unproven : t.unproven >= unproven);
	dr_verify_beacon_end(&s.b);
	dr_check_free(&s.c);
	dr_arena_free(arena);
}

static void test_flip_finality(void **state)
{
	(void)state;
	flip(DEVNET_ELECTRA, "finalized", "finality_update.json", 0, 0);
}

static void test_flip_update(void **state)
{
	(void)state;
	flip(DEVNET_CAPELLA, "slot8", "updates.json", 0, 1);
}

/* Each bit of a bootstrap: nothing of it is unproven. */
static void test_flip_bootstrap(void **state)
{
	const struct dr_network net = beacon_devnet(DEVNET_ELECTRA);
	const uint8_t *root = root_file(DEVNET_ELECTRA "/bootstrap_slot8.root");
	struct dr_arena *arena = dr_arena_new((size_t)1 << 20);
	struct dr_json_notes notes = { .extra = NULL };
	struct dr_beacon_item *items;
	struct dr_fail fail = { 0 };
	size_t num, malformed = 0;

	(void)state;
	assert_int_equal(dr_json_beacon_read(&items, &num, &net, spec_file(DEVNET_ELECTRA "/bootstrap_slot8.json"),
					     arena, &notes, &fail),
			 DR_OK);
	const struct dr_bytes ssz = beacon_item_ssz(&net, items);
	uint8_t *bytes = kit_alloc(ssz.len);

	memcpy(bytes, ssz.ptr, ssz.len);
	for (size_t bit = 0; bit < ssz.len * 8; bit++) {
		struct session s;

		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		begin(&s, &net, root);
		dr_verify_beacon_file(&s.b, "changed", dr_bytes_of(bytes, ssz.len));
		if (dr_check_ok(&s.c))
			fail_msg("bit %zu: the change was accepted", bit);
		malformed += s.c.fail.err != DR_ERR_PROOF;
		dr_verify_beacon_end(&s.b);
		dr_check_free(&s.c);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(malformed < 200); /* two offsets, and the high bits of the slot */
	dr_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mainnet),     cmocka_unit_test(test_helios),
		cmocka_unit_test(test_devnets),     cmocka_unit_test(test_datachain),
		cmocka_unit_test(test_spec),        cmocka_unit_test(test_flip_finality),
		cmocka_unit_test(test_flip_update), cmocka_unit_test(test_flip_bootstrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
