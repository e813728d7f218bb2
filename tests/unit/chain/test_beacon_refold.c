/* SPDX-License-Identifier: Apache-2.0
 *
 * A start folds its own evidence anew, with heads that are settled taken unproven: what comes out must be what came
 * out when it was live, finding by finding, whatever order beacon nodes told it in.
 */
#include "chain/beacon/beacon.h"
#include "tests/unit/chain/beacon_case.h"

#define FRAMES_MAX 16u

struct said {
	size_t num;
	struct dr_finality_finding findings[FRAMES_MAX * 2];
};

struct kept {
	size_t num;
	struct dr_buf payloads[FRAMES_MAX];
};

static struct dr_beacon *beacon_at(const struct forge_block *checkpoint, uint64_t now)
{
	struct dr_beacon_config config = { .net = net };
	struct dr_beacon *b;

	memcpy(config.checkpoint, checkpoint->root, 32);
	b = dr_beacon_new(&config);
	assert_non_null(b);
	struct dr_finality f = dr_beacon_finality(b);

	f.clock(f.self, now);
	return b;
}

static bool hear(struct dr_beacon *b, struct dr_bytes payload, struct said *said)
{
	struct dr_finality f = dr_beacon_finality(b);
	struct dr_fail fail = { 0 };
	bool news;

	if (f.frame(f.self, payload, 0, &news, &fail) != DR_OK)
		fail_msg("refused: %s", fail.what);
	while (f.next(f.self, &said->findings[said->num]))
		said->num++;
	return news;
}

static void tell(struct dr_beacon *b, enum dr_beacon_kind kind, struct dr_bytes ssz, struct said *said,
		 struct kept *kept)
{
	struct dr_buf *payload = &kept->payloads[kept->num];
	struct dr_fail fail = { 0 };

	dr_buf_init(payload, 1u << 16);
	assert_int_equal(dr_beacon_payload(payload, kind, DR_BEACON_FULU, ssz, &fail), DR_OK);
	if (hear(b, dr_buf_view(payload), said))
		kept->num++;
	else
		dr_buf_free(payload);
}

static void tell_update(struct dr_beacon *b, enum dr_lc_kind kind, const struct forge_block *block, struct said *said,
			struct kept *kept)
{
	const struct dr_lc_update update = forge_update(&net, kind, block);

	tell(b, (enum dr_beacon_kind)kind, beacon_ssz_update(&net, &update), said, kept);
}

/* A node that is behind tells of finality by a head that is older than the one that is known. */
static void test_late_finality(void **state)
{
	const uint64_t base = 4 * 64;
	struct forge_block *checkpoint = forge_block(&net, 0, base + 8, NULL);
	struct forge_block *final = forge_block(&net, 0, base + 16, checkpoint);
	struct forge_block *behind = forge_block(&net, 0, base + 32, final);
	struct forge_block *ahead = forge_block(&net, 0, base + 33, final);
	struct forge_block *later = forge_block(&net, 0, base + 34, final);
	const struct dr_lc_bootstrap bootstrap = forge_bootstrap(&net, checkpoint);
	const uint64_t now = dr_network_time(&net, base + 60);
	struct dr_beacon *b = beacon_at(checkpoint, now);
	struct said live = { 0 };
	struct kept kept = { 0 };

	(void)state;
	tell(b, DR_BEACON_BOOTSTRAP, beacon_ssz_bootstrap(&net, &bootstrap), &live, &kept);
	tell_update(b, DR_LC_OPTIMISTIC_UPDATE, ahead, &live, &kept);
	tell_update(b, DR_LC_FINALITY_UPDATE, behind, &live, &kept);
	tell_update(b, DR_LC_OPTIMISTIC_UPDATE, behind, &live, &kept); /* no news */
	tell_update(b, DR_LC_OPTIMISTIC_UPDATE, later, &live, &kept);
	tell_update(b, DR_LC_FINALITY_UPDATE, ahead, &live, &kept); /* no news */
	assert_int_equal(kept.num, 4);
	dr_beacon_free(b);
	for (uint64_t settled = 0; settled <= base + 40; settled += settled == 0 ? base + 32 : 1) {
		struct said again = { 0 };

		b = beacon_at(checkpoint, now);
		struct dr_finality f = dr_beacon_finality(b);

		f.settled(f.self, settled);
		for (size_t i = 0; i < kept.num; i++)
			assert_true(hear(b, dr_buf_view(&kept.payloads[i]), &again));
		if (again.num != live.num)
			fail_msg("settled %llu: %zu findings, live %zu", (unsigned long long)settled, again.num,
				 live.num);
		assert_memory_equal(again.findings, live.findings, live.num * sizeof(live.findings[0]));
		dr_beacon_free(b);
	}
	for (size_t i = 0; i < kept.num; i++)
		dr_buf_free(&kept.payloads[i]);
}

/* A head that nobody signed, planted among the evidence with a slot beyond every other: once all is folded, it does
 * not stand in the way of those that come. */
static void test_planted_head(void **state)
{
	const uint64_t base = 4 * 64;
	struct forge_block *checkpoint = forge_block(&net, 0, base + 8, NULL);
	struct forge_block *final = forge_block(&net, 0, base + 16, checkpoint);
	struct forge_block *ahead = forge_block(&net, 0, base + 33, final);
	struct forge_block *later = forge_block(&net, 0, base + 34, final);
	const struct dr_lc_bootstrap bootstrap = forge_bootstrap(&net, checkpoint);
	struct dr_lc_update planted = forge_update(&net, DR_LC_OPTIMISTIC_UPDATE, final);
	struct dr_beacon_status status;
	struct kept kept = { 0 };

	(void)state;
	planted.attested.beacon.slot = UINT64_MAX;
	/* Finality is proven never, before it, or after it: then it moved no head. */
	const uint64_t heads[] = { checkpoint->slot, ahead->slot, final->slot };

	for (unsigned proven = 0; proven < 3; proven++) {
		struct dr_beacon *b = beacon_at(checkpoint, dr_network_time(&net, base + 60));
		struct dr_finality f = dr_beacon_finality(b);
		struct said said = { 0 };

		kept.num = 0;
		tell(b, DR_BEACON_BOOTSTRAP, beacon_ssz_bootstrap(&net, &bootstrap), &said, &kept);
		if (proven == 1)
			tell_update(b, DR_LC_FINALITY_UPDATE, ahead, &said, &kept);
		f.settled(f.self, planted.attested.execution.block_number);
		for (unsigned twice = 0; twice < 2; twice++)
			tell(b, DR_BEACON_OPTIMISTIC_UPDATE, beacon_ssz_update(&net, &planted), &said, &kept);
		if (proven == 2)
			tell_update(b, DR_LC_FINALITY_UPDATE, ahead, &said, &kept);
		f.settled(f.self, 0);
		dr_beacon_status(b, &status);
		assert_int_equal(status.head_slot, heads[proven]);
		f.restart(f.self);
		said.num = 0;
		tell_update(b, DR_LC_OPTIMISTIC_UPDATE, later, &said, &kept);
		assert_int_equal(said.num, 1);
		assert_int_equal(said.findings[0].status, DR_STATUS_HEAD);
		assert_int_equal(said.findings[0].number, later->number);
		dr_beacon_free(b);
		for (size_t i = 0; i < kept.num; i++)
			dr_buf_free(&kept.payloads[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_late_finality, set_up),
		cmocka_unit_test_setup(test_planted_head, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
