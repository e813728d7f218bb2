/* SPDX-License-Identifier: Apache-2.0
 *
 * The specification's own steps (consensus-spec-tests light_client/sync, generated at a08d8a6e2b45) through our
 * store.
 *
 * How they are compared. The vectors' store has two things that ours has not: optimistic headers from one signature
 * on, and force_update, which takes an attested header for a final one once finality is long overdue. So:
 *   - Until the first force_update our finalized header is the vectors', at each step, whatever the update was; our
 *     head is the vectors' optimistic header where two thirds signed, and else the update is refused by that reason
 *     and both stay what they were.
 *   - force_update has no counterpart: our store is looked at and has not changed, while the vectors' finalized
 *     header has gone elsewhere.
 *   - From then on the vectors' store follows headers that nothing proved final, into periods whose committees were
 *     never proven. Each later update is refused for that reason, and changes nothing.
 * In these vectors everybody always signs; what fewer do is test_beacon_store.c's.
 */
#include "tests/unit/chain/beacon_kit.h"

struct step {
	bool force;
	char digest[16], update[128];
	uint64_t current_slot;
	struct {
		uint64_t slot;
		uint8_t root[32], execution_root[32];
	} finalized, optimistic;
};

#define STEPS_MAX 32u

static size_t read_steps(struct step steps[static STEPS_MAX], struct dr_bytes text)
{
	char key[128], value[256];
	struct step *step = NULL;
	size_t num = 0;
	bool optimistic = false;

	memset(steps, 0, STEPS_MAX * sizeof(*steps));
	while (spec_line(&text, key, value)) {
		if (strcmp(key, "process_update") == 0 || strcmp(key, "force_update") == 0) {
			assert_true(num < STEPS_MAX);
			step = &steps[num++];
			step->force = key[0] == 'f';
			continue;
		}
		assert_non_null(step);
		if (strcmp(key, "update_fork_digest") == 0)
			snprintf(step->digest, sizeof(step->digest), "%.15s", value);
		else if (strcmp(key, "update") == 0)
			snprintf(step->update, sizeof(step->update), "%.127s", value);
		else if (strcmp(key, "current_slot") == 0)
			step->current_slot = strtoull(value, NULL, 10);
		else if (strcmp(key, "finalized_header") == 0 || strcmp(key, "optimistic_header") == 0)
			optimistic = key[0] == 'o';
		else if (strcmp(key, "slot") == 0)
			*(optimistic ? &step->optimistic.slot : &step->finalized.slot) = strtoull(value, NULL, 10);
		else if (strcmp(key, "beacon_root") == 0)
			memcpy(optimistic ? step->optimistic.root : step->finalized.root, spec_hex(value), 32);
		else if (strcmp(key, "execution_root") == 0)
			memcpy(optimistic ? step->optimistic.execution_root : step->finalized.execution_root,
			       spec_hex(value), 32);
		else
			assert_string_equal(key, "checks");
	}
	return num;
}

#define PERIOD_LACKS "signed in a period after the next: updates are lacking"

static const char *folder_of(const char *fork, const char *name, const char *file)
{
	char *path = (char *)kit_alloc(512);

	snprintf(path, 512, VECTORS_SPEC "/%s/light_client/sync/pyspec_tests/%s%s", fork, name, file);
	return path;
}

static void same_header(const struct dr_network *net, const struct dr_lc_point *point, uint64_t slot,
			const uint8_t *root, const uint8_t *execution_root)
{
	struct dr_fail fail = { 0 };
	uint8_t own[32];

	assert_int_equal(point->header.beacon.slot, slot);
	assert_memory_equal(point->root, root, 32);
	assert_int_equal(dr_lc_execution_root(own, net, &point->header, &fail), DR_OK);
	assert_memory_equal(own, execution_root, 32); /* both zero below Capella */
	assert_int_equal(point->has_execution, !dr_bytes_zero(own, 32));
}

/* forced, stale: how many force_update steps and refused updates there are. */
static void play(const char *fork_name, const char *name, size_t num_steps, size_t forced, size_t stale)
{
	static struct step steps[STEPS_MAX];
	const struct dr_bytes meta = spec_file(folder_of(fork_name, name, "/meta.yaml"));
	const size_t num = read_steps(steps, spec_file(folder_of(fork_name, name, "/steps.yaml")));
	const struct dr_network net = beacon_config(spec_file(folder_of(fork_name, name, "/config.yaml")),
						    spec_hex(spec_key(meta, "genesis_validators_root")));
	const struct dr_bytes ssz = spec_ssz(folder_of(fork_name, name, ""), "bootstrap");
	struct dr_lc_store *store = beacon_store(), *before = beacon_store();
	static struct dr_lc_bootstrap bootstrap;
	static struct dr_lc_update update;
	struct dr_fail fail = { 0 };
	enum dr_beacon_fork fork, peeked;
	uint8_t digest[4];
	bool gone = false; /* the vectors' store went where ours does not follow */

	print_message("%s %s\n", fork_name, name);
	assert_int_equal(num, num_steps);
	assert_true(dr_beacon_fork_named(&fork, fork_name, strlen(fork_name)));
	assert_true(dr_network_digest(digest, &net, fork));
	assert_memory_equal(digest, spec_hex(spec_key(meta, "bootstrap_fork_digest")), 4);
	assert_memory_equal(net.forks[fork].version, spec_hex(spec_key(meta, "store_fork_version")), 4);
	assert_int_equal(dr_lc_peek(&peeked, &net, &dr_lc_bootstrap_type, ssz, &fail), DR_OK);
	assert_int_equal(peeked, fork);
	assert_int_equal(dr_lc_bootstrap_decode(&bootstrap, &net, fork, ssz, &fail), DR_OK);
	assert_true(dr_bytes_eq(beacon_ssz_bootstrap(&net, &bootstrap), ssz));
	/* A store may be younger than the updates that are later put to it, even by their clock. */
	assert_int_equal(dr_lc_store_start(store, &net, spec_hex(spec_key(meta, "trusted_block_root")), &bootstrap,
					   dr_network_time(&net, bootstrap.header.beacon.slot), &fail),
			 DR_OK);
	for (size_t i = 0; i < num; i++) {
		const struct step *step = &steps[i];
		struct dr_fail refused = { 0 };
		struct dr_lc_news news;

		*before = *store;
		if (step->force) {
			gone |= memcmp(store->finalized.root, step->finalized.root, 32) != 0;
			forced--;
			continue;
		}
		const struct dr_bytes bytes = spec_ssz(folder_of(fork_name, name, ""), step->update);

		assert_memory_equal(digest, spec_hex(step->digest), 4);
		assert_int_equal(dr_lc_peek(&peeked, &net, &dr_lc_update_type, bytes, &fail), DR_OK);
		assert_int_equal(peeked, fork);
		assert_int_equal(dr_lc_update_decode(&update, &net, DR_LC_UPDATE, fork, bytes, &fail), DR_OK);
		assert_true(dr_bytes_eq(beacon_ssz_update(&net, &update), bytes));
		/* The names say which branches are there: s (next committee), f (finality), x (not). */
		assert_int_equal(dr_lc_is_committee(&update), step->update[strlen(step->update) - 2] == 's');
		assert_int_equal(dr_lc_is_final(&update), step->update[strlen(step->update) - 1] == 'f');
		dr_lc_store_take(store, &update, dr_network_time(&net, step->current_slot), &news, &refused);
		if (gone) {
			assert_int_equal(refused.err, DR_ERR_STALE);
			assert_string_equal(refused.what, PERIOD_LACKS);
			assert_int_equal(news.verdict, DR_LC_NONE);
			assert_memory_equal(store, before, sizeof(*store));
			stale--;
			continue;
		}
		assert_int_equal(refused.err, DR_OK);
		assert_int_equal(news.participation, 32);
		same_header(&net, &store->finalized, step->finalized.slot, step->finalized.root,
			    step->finalized.execution_root);
		same_header(&net, &store->head, step->optimistic.slot, step->optimistic.root,
			    step->optimistic.execution_root);
		assert_int_equal(news.final, memcmp(before->finalized.root, store->finalized.root, 32) != 0);
		assert_int_equal(news.head, memcmp(before->head.root, store->head.root, 32) != 0);
		assert_int_equal(news.period, dr_lc_store_period(store) > dr_lc_store_period(before));
		assert_int_equal(news.verdict, news.final || news.head || news.committee ? DR_LC_TAKEN : DR_LC_KNOWN);
	}
	assert_int_equal(forced, 0);
	assert_int_equal(stale, 0);
}

static void play_all(const char *fork)
{
	play(fork, "light_client_sync", 10, 2, 3);
	/* Here force_update finds no better header than the final one: the vectors do not move either. */
	play(fork, "light_client_sync_no_force_update", 3, 1, 0);
	play(fork, "supply_sync_committee_from_past_update", 1, 0, 0);
	play(fork, "advance_finality_without_sync_committee", 5, 0, 0);
}

static void test_altair(void **state)
{
	(void)state;
	play_all("altair");
}

static void test_capella(void **state)
{
	(void)state;
	play_all("capella");
}

static void test_electra(void **state)
{
	(void)state;
	play_all("electra");
}

/* What update_ranking orders (is_better_update), the best first. Our store ranks nothing; but by the same properties
 * of an update it decides, so the official order must be theirs: supermajority; below it, more participants; relevant
 * committee, finality, finality within the period; more participants; older attested header, older signature. */
static bool better(const struct dr_network *net, const struct dr_lc_update *a, const struct dr_lc_update *b)
{
	const struct dr_lc_update *const u[] = { a, b };
	uint64_t key[2][8];

	for (size_t i = 0; i < 2; i++) {
		const uint32_t bits = dr_lc_participation(&u[i]->aggregate);
		const uint64_t attested = dr_network_period(net, u[i]->attested.beacon.slot);
		const bool super = bits * 3 >= net->committee_size * 2;

		key[i][0] = super;
		key[i][1] = super ? 0 : bits;
		key[i][2] = dr_lc_is_committee(u[i]) && attested == dr_network_period(net, u[i]->signature_slot);
		key[i][3] = dr_lc_is_final(u[i]);
		key[i][4] = dr_lc_is_final(u[i]) && dr_network_period(net, u[i]->finalized.beacon.slot) == attested;
		key[i][5] = bits;
		key[i][6] = UINT64_MAX - u[i]->attested.beacon.slot;
		key[i][7] = UINT64_MAX - u[i]->signature_slot;
	}
	for (size_t k = 0; k < 8; k++)
		if (key[0][k] != key[1][k])
			return key[0][k] > key[1][k];
	return false;
}

static void test_ranking(void **state)
{
	static const char *const forks[] = { "altair", "capella", "electra" };
	static struct dr_lc_update updates[57];

	(void)state;
	for (size_t f = 0; f < 3; f++) {
		const char *config = folder_of(forks[f], "light_client_sync", "/config.yaml");
		static const uint8_t any_root[32] = { 1 };
		const struct dr_network net = beacon_config(spec_file(config), any_root);
		enum dr_beacon_fork fork;

		assert_true(dr_beacon_fork_named(&fork, forks[f], strlen(forks[f])));
		for (size_t i = 0; i < 57; i++) {
			char path[300], name[32];
			struct dr_fail fail = { 0 };

			snprintf(path, sizeof(path),
				 VECTORS_SPEC "/%s/light_client/update_ranking/pyspec_tests/update_ranking",
				 forks[f]);
			snprintf(name, sizeof(name), "updates_%zu", i);
			const struct dr_bytes ssz = spec_ssz(path, name);

			assert_int_equal(dr_lc_update_decode(&updates[i], &net, DR_LC_UPDATE, fork, ssz, &fail),
					 DR_OK);
			assert_true(dr_bytes_eq(beacon_ssz_update(&net, &updates[i]), ssz));
			for (size_t k = 0; k < i; k++) {
				assert_true(better(&net, &updates[k], &updates[i]));
				assert_false(better(&net, &updates[i], &updates[k]));
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_altair),
		cmocka_unit_test(test_capella),
		cmocka_unit_test(test_electra),
		cmocka_unit_test(test_ranking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
