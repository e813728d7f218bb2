/* SPDX-License-Identifier: Apache-2.0
 *
 * Each bit of a real mainnet update, and of a real finality update, changed alone: refused, for the reason that is
 * the changed field's, and without a trace in the store. Each truncation too.
 *
 * Of the 196,608 bits of an update's committee keys one in eight is tried, in each byte one; DEROT_FLIPS=all tries
 * all.
 */
#include "tests/unit/chain/beacon_kit.h"

#define FORM           "~" /* does not decode: what stands there says where things are, nothing else */
#define SIGNATURE      "the signature is not of these keys over this message"
#define FINALITY       "the finalized header is not in the attested state"
#define COMMITTEE      "the next committee is not in the attested state"
#define ATTESTED       "the attested header's execution payload is not in its body"
#define FINALIZED      "the finalized header's execution payload is not in its body"
#define ORDER          "the finalized header is later than the attested one"
#define TOO_SOON       "signed no later than the attested header's slot"
#define FUTURE         "signed in the future"
#define EARLY          "the finalized header has an execution payload before Capella"
#define NO_POINT       "no point of G2's curve has this x"
#define BELOW_P        "x of a point of G2 is not below p"
#define NOT_COMPRESSED "a point of G2 is not compressed"
#define INFINITY_BITS  "infinity of G2 with other bits"

struct row {
	const char *field;
	size_t len;
	const char *reasons[6];
};

/* What a beacon header and an execution payload header consist of, and whose fault each is. The state root is held
 * against the finality branch before anything else looks at it. */
#define ATTESTED_ROWS                                                                                                \
	{ "attested slot", 8, { TOO_SOON, ORDER, SIGNATURE } }, { "attested proposer_index", 8, { SIGNATURE } },     \
		{ "attested parent_root", 32, { SIGNATURE } }, { "attested state_root", 32, { FINALITY } },          \
		{ "attested body_root", 32, { ATTESTED } }, { "attested execution offset", 4, { FORM } },            \
		{ "attested execution_branch", 128, { ATTESTED } }, { "attested execution", 436, { ATTESTED } },     \
	{                                                                                                            \
		"attested extra_data offset", 4,                                                                     \
		{                                                                                                    \
			FORM                                                                                         \
		}                                                                                                    \
	}

#define FINALIZED_ROWS                                                                                               \
	{ "finalized slot", 8, { ORDER, EARLY, FINALITY } }, { "finalized proposer_index", 8, { FINALITY } },        \
		{ "finalized parent_root", 32, { FINALITY } }, { "finalized state_root", 32, { FINALITY } },         \
		{ "finalized body_root", 32, { FINALIZED } }, { "finalized execution offset", 4, { FORM } },         \
		{ "finalized execution_branch", 128, { FINALIZED } }, { "finalized execution", 436, { FINALIZED } }, \
	{                                                                                                            \
		"finalized extra_data offset", 4,                                                                    \
		{                                                                                                    \
			FORM                                                                                         \
		}                                                                                                    \
	}

#define SIGNATURE_ROW                                                                                                \
	{                                                                                                            \
		"sync_committee_signature", 96,                                                                      \
		{                                                                                                    \
			"a signature outside the subgroup of order r", NO_POINT, BELOW_P, NOT_COMPRESSED,            \
				INFINITY_BITS, SIGNATURE                                                             \
		}                                                                                                    \
	}

static struct dr_lc_update update;

static const char *flip_reason(struct dr_lc_store *store, enum dr_lc_kind kind, enum dr_beacon_fork fork,
			       struct dr_bytes ssz, uint64_t now)
{
	struct dr_fail fail = { 0 };
	struct dr_lc_news news;

	if (dr_lc_update_decode(&update, &store->net, kind, fork, ssz, &fail) != DR_OK)
		return FORM;
	if (dr_lc_store_take(store, &update, now, &news, &fail) == DR_OK)
		return "taken";
	assert_true(dr_bytes_zero(&news, sizeof(news)));
	return fail.what;
}

static void flip_all(struct dr_lc_store *store, enum dr_lc_kind kind, enum dr_beacon_fork fork, struct dr_bytes ssz,
		     uint64_t now, const struct row *rows, size_t num)
{
	const bool all = getenv("DEROT_FLIPS") != NULL && strcmp(getenv("DEROT_FLIPS"), "all") == 0;
	struct dr_lc_store *before = beacon_store();
	uint8_t *copy = kit_alloc(ssz.len);
	bool used[64][6] = { { false } };
	size_t at = 0;

	*before = *store;
	memcpy(copy, ssz.ptr, ssz.len);
	for (size_t i = 0; i < num; at += rows[i++].len)
		for (size_t bit = 0; bit < rows[i].len * 8; bit++) {
			const size_t byte = at + bit / 8;
			size_t k = 0;

			if (!all && rows[i].len > 20000 && bit % 32 != byte / 4 * 5 % 32)
				continue;
			copy[byte] ^= (uint8_t)(1 << bit % 8);
			const char *reason = flip_reason(store, kind, fork, dr_bytes_of(copy, ssz.len), now);

			while (k < 6 && rows[i].reasons[k] != NULL && strcmp(rows[i].reasons[k], reason) != 0)
				k++;
			if (k == 6 || rows[i].reasons[k] == NULL)
				fail_msg("%s, bit %zu: %s", rows[i].field, bit, reason);
			used[i][k] = true;
			copy[byte] ^= (uint8_t)(1 << bit % 8);
			if (bit % 8 == 7 || rows[i].len <= 20000)
				assert_memory_equal(store, before, sizeof(*store));
		}
	/* The rows say no more than happens. */
	for (size_t i = 0; i < num; i++)
		for (size_t k = 0; k < 6 && rows[i].reasons[k] != NULL; k++)
			if (!used[i][k])
				fail_msg("%s is never: %s", rows[i].field, rows[i].reasons[k]);
	assert_int_equal(at, ssz.len);

	/* Only the finalized header's extra data ends where the input does: it alone can be shorter. */
	for (size_t len = 0; len < ssz.len; len++) {
		const char *reason = flip_reason(store, kind, fork, dr_bytes_of(ssz.ptr, len), now);

		assert_string_equal(reason, len < ssz.len - rows[num - 1].len ? FORM : FINALIZED);
	}
	assert_memory_equal(store, before, sizeof(*store));

	/* Unchanged it is good, at this second and not before it. */
	assert_string_equal(flip_reason(store, kind, fork, ssz, now - DR_CLOCK_SKEW_S - 1), FUTURE);
	assert_string_equal(flip_reason(store, kind, fork, ssz, 0), "there is no clock");
	assert_string_equal(flip_reason(store, kind, fork, ssz, now - DR_CLOCK_SKEW_S), "taken");
}

static void start(struct dr_lc_store *store, enum dr_beacon_fork fork, const struct dr_lc_bootstrap *bootstrap)
{
	struct dr_fail fail = { 0 };
	uint8_t root[32];

	assert_int_equal(bootstrap->fork, fork);
	dr_lc_header_root(root, &bootstrap->header);
	assert_int_equal(dr_lc_store_start(store, dr_network_named("mainnet"), root, bootstrap, 1795000000, &fail),
			 DR_OK);
}

/* Period 1349's update hands the period over, moves the final header and teaches a committee. */
static void test_update(void **state)
{
	struct row rows[] = {
		{ "attested_header offset", 4, { FORM } },
		{ "next_sync_committee pubkeys", 24576, { COMMITTEE } },
		{ "next_sync_committee aggregate_pubkey", 48, { COMMITTEE } },
		{ "next_sync_committee_branch", 160, { COMMITTEE } },
		{ "finalized_header offset", 4, { FORM } },
		{ "finality_branch", 192, { FINALITY } },
		{ "sync_committee_bits", 64, { SIGNATURE } },
		SIGNATURE_ROW,
		{ "signature_slot", 8, { FUTURE, TOO_SOON } },
		ATTESTED_ROWS,
		{ "attested execution, from base_fee_per_gas on", 32 * 4 + 16, { ATTESTED } },
		{ "attested extra_data", 0, { ATTESTED } },
		FINALIZED_ROWS,
		{ "finalized execution, from base_fee_per_gas on", 32 * 4 + 16, { FINALIZED } },
		{ "finalized extra_data", 0, { FINALIZED } },
	};
	const size_t num = sizeof(rows) / sizeof(rows[0]);
	const struct dr_network *net = dr_network_named("mainnet");
	static const char *const files[] = { "period_1347_slot_11034708", "period_1348_slot_11044529",
					     "period_1349_slot_11051076" };
	struct dr_lc_store *store = beacon_store();
	static struct dr_lc_bootstrap bootstrap;
	struct dr_fail fail = { 0 };

	(void)state;
	assert_int_equal(dr_lc_bootstrap_decode(
				 &bootstrap, net, DR_BEACON_DENEB,
				 spec_file(VECTORS_REAL "/mainnet/bootstraps/period_1347_slot_11034656.ssz"), &fail),
			 DR_OK);
	start(store, DR_BEACON_DENEB, &bootstrap);
	for (size_t i = 0; i < 3; i++) {
		char path[128];
		struct dr_lc_news news;

		snprintf(path, sizeof(path), VECTORS_REAL "/mainnet/updates/%s_6a95a1a9.ssz", files[i]);
		const struct dr_bytes ssz = spec_file(path);

		assert_int_equal(dr_lc_update_decode(&update, net, DR_LC_UPDATE, DR_BEACON_DENEB, ssz, &fail), DR_OK);
		if (i < 2) {
			assert_int_equal(dr_lc_store_take(store, &update, 1795000000, &news, &fail), DR_OK);
			continue;
		}
		rows[num - 1].len = (size_t)update.finalized.execution.extra_data.len;
		rows[num - 12].len = (size_t)update.attested.execution.extra_data.len;
		flip_all(store, DR_LC_UPDATE, DR_BEACON_DENEB, ssz, dr_network_time(net, update.signature_slot), rows,
			 num);
	}
}

static enum dr_beacon_fork capella_of(const json_t *answer)
{
	assert_string_equal(json_string_value(json_object_get(answer, "version")), "capella");
	return DR_BEACON_CAPELLA;
}

/* A finality update, Capella. */
static void test_finality_update(void **state)
{
	struct row rows[] = {
		{ "attested_header offset", 4, { FORM } },
		{ "finalized_header offset", 4, { FORM } },
		{ "finality_branch", 192, { FINALITY } },
		{ "sync_committee_bits", 64, { SIGNATURE } },
		SIGNATURE_ROW,
		{ "signature_slot", 8, { FUTURE, TOO_SOON } },
		ATTESTED_ROWS,
		{ "attested execution, from base_fee_per_gas on", 32 * 4, { ATTESTED } },
		{ "attested extra_data", 0, { ATTESTED } },
		FINALIZED_ROWS,
		{ "finalized execution, from base_fee_per_gas on", 32 * 4, { FINALIZED } },
		{ "finalized extra_data", 0, { FINALIZED } },
	};
	const size_t num = sizeof(rows) / sizeof(rows[0]);
	const struct dr_network *net = dr_network_named("mainnet");
	json_t *boot = kit_vector(VECTORS_REAL "/helios-capella/bootstrap.json");
	json_t *updates = kit_vector(VECTORS_REAL "/helios-capella/updates.json");
	json_t *finality = kit_vector(VECTORS_REAL "/helios-capella/finality.json");
	struct dr_lc_store *store = beacon_store();
	const struct dr_lc_bootstrap bootstrap =
		beacon_json_bootstrap(net, capella_of(boot), json_object_get(boot, "data"));

	(void)state;
	start(store, DR_BEACON_CAPELLA, &bootstrap);
	for (size_t i = 0; i < 6; i++) {
		const json_t *answer = json_array_get(updates, i);
		struct dr_fail fail = { 0 };
		struct dr_lc_news news;

		update = beacon_json_update(net, DR_LC_UPDATE, capella_of(answer), json_object_get(answer, "data"));
		assert_int_equal(dr_lc_store_take(store, &update, 1795000000, &news, &fail), DR_OK);
	}
	update = beacon_json_update(net, DR_LC_FINALITY_UPDATE, capella_of(finality),
				    json_object_get(finality, "data"));
	rows[num - 1].len = (size_t)update.finalized.execution.extra_data.len;
	rows[num - 12].len = (size_t)update.attested.execution.extra_data.len;
	flip_all(store, DR_LC_FINALITY_UPDATE, DR_BEACON_CAPELLA, beacon_ssz_update(net, &update),
		 dr_network_time(net, update.signature_slot), rows, num);
	json_decref(boot);
	json_decref(updates);
	json_decref(finality);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_update), cmocka_unit_test(test_finality_update) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
