/* SPDX-License-Identifier: Apache-2.0
 *
 * An engine at proof consensus: a forged beacon chain over the forged execution chain.
 */
#include "chain/beacon/beacon.h"
#include "tests/unit/kms-bridge/engine_kit.h"
#include "tests/unit/kms-bridge/host_kit.h"
#include "tests/unit/chain/beacon_beside.h"
#include "tests/unit/chain/beacon_kit.h"

#define SLOT 8u /* of the start block's beacon block; each block is one slot later */

static struct dr_network net;
static char contradicted[DR_TEXT_MAX]; /* what the journal says of it */

static enum dr_err on_refused(void *ctx, const struct dr_frame *frame, const struct dr_fail *why)
{
	(void)ctx;
	(void)frame;
	fail_msg("refused: %s", why->what);
	return DR_OK;
}

static enum dr_err on_journal(void *ctx, const struct dr_entry *entry, const struct dr_note *note)
{
	(void)ctx;
	(void)entry;
	if (note->kind == DR_NOTE_CONFLICT)
		memcpy(contradicted, note->detail, sizeof(contradicted));
	return DR_OK;
}

static void net_set(uint64_t wall_s)
{
	static const uint8_t root[32] = { 0x5e };

	net = beacon_minimal(root);
	net.epochs_per_period = 64;
	net.genesis_time = wall_s - (uint64_t)net.seconds_per_slot * 400;
	for (uint8_t i = 0; i < DR_BEACON_FORKS; i++) {
		const uint8_t version[4] = { i, 0, 0, 1 };

		beacon_fork_set(&net, i, 0, version);
	}
}

/* The beacon block that has this execution block. */
static struct beacon_block *over(const struct forge_block *b, struct beacon_block *finalized)
{
	struct beacon_block *block = (struct beacon_block *)kit_alloc(sizeof(*block));

	block->number = b->header.number;
	block->slot = SLOT + b->header.number - START;
	block->finalized = finalized;
	block->next = 1;
	memcpy(block->hash, b->header.hash, 32);
	memcpy(block->parent_hash, b->header.parent_hash, 32);
	return beacon_seal(block, &net);
}

static void init_consensus(struct dr_init *init, const struct world *w)
{
	static uint8_t form[DR_NETWORK_LEN_MAX];
	struct dr_fail fail = { 0 };
	size_t len;

	ek_init(init, w, DR_WAY_BLOOM, 512);
	assert_int_equal(dr_network_encode(form, sizeof(form), &len, &net, &fail), DR_OK);
	init->proof = DR_PROOF_CONSENSUS;
	init->quorum_k = 0;
	init->network = dr_bytes_of(form, len);
	init->checkpoint[0] = 1;
}

static struct dr_engine *engine(const struct dr_init *init, struct dr_fail *fail)
{
	struct dr_engine_host host = host_of(NULL);

	host.refused = on_refused;
	host.journal = on_journal;
	contradicted[0] = '\0';
	memset(fail, 0, sizeof(*fail));
	return dr_engine_new(init, &host, fail);
}

static void feed(void *ctx, const struct dr_frame *frame)
{
	struct dr_fail fail = { 0 };
	enum dr_take take;

	if (dr_engine_frame(ctx, &take, frame, &fail) != DR_OK)
		fail_msg("%s", fail.what);
}

static void tell(struct dr_engine *e, enum dr_beacon_kind kind, struct dr_bytes ssz)
{
	struct dr_fail fail = { 0 };
	struct dr_buf payload;

	dr_buf_init(&payload, 1u << 16);
	assert_int_equal(dr_beacon_payload(&payload, kind, DR_BEACON_FULU, ssz, &fail), DR_OK);
	feed(e, &(struct dr_frame){ DR_FRAME_FINALITY, 0, dr_buf_view(&payload) });
	dr_buf_free(&payload);
}

static void tell_update(struct dr_engine *e, enum dr_lc_kind kind, const struct beacon_block *block)
{
	const struct dr_lc_update update = forge_update(&net, kind, block);

	tell(e, (enum dr_beacon_kind)kind, beacon_ssz_update(&net, &update));
}

/* Answers what is wanted, but the state of the start block. Returns how often state was told. */
static size_t answer(struct dr_engine *e, const struct world *w)
{
	static struct dr_want wants[DR_WANTS_MAX];
	size_t states = 0;

	for (unsigned round = 0; round < 6; round++) {
		const size_t num = dr_engine_wants(e, wants, DR_WANTS_MAX);

		for (size_t i = 0; i < num; i++) {
			const bool state = wants[i].kind == DR_WANT_STATE;

			if (wants[i].kind == DR_WANT_FINALITY || wants[i].kind == DR_WANT_UPDATES ||
			    (state && wants[i].first == START))
				continue;
			forge_answer(w->forge, &wants[i], feed, e);
			states += state;
		}
	}
	return states;
}

static enum dr_deny ask(const struct dr_engine *e)
{
	const struct dr_request request = world_request();
	struct dr_decision d;

	dr_engine_ask(e, &d, &request);
	return d.deny;
}

/* State that was proven while its block was a head counts with the very step that makes the block final: nothing more
 * has to come. */
static void test_young_state(void **state)
{
	struct dr_fail fail;
	struct dr_init init;
	struct world w;

	(void)state;
	world_new(&w, 50);
	while (w.tip->header.number % w.k->profile.state_every != 0)
		world_plain(&w, 1);
	struct forge_block *head = w.tip;

	world_plain(&w, 1);
	const uint64_t wall_s = w.tip->header.timestamp;

	net_set(wall_s);
	init_consensus(&init, &w);
	struct beacon_block *checkpoint = over(w.forge->blocks[0], NULL), *middle = over(head, checkpoint),
			    *top = over(w.tip, middle);
	const struct dr_lc_bootstrap bootstrap = forge_bootstrap(&net, checkpoint);

	memcpy(init.checkpoint, checkpoint->root, 32);
	struct dr_engine *e = engine(&init, &fail);

	kit_assert_fail(DR_OK, &fail);
	assert_int_equal(dr_engine_start(e, 5000, wall_s * 1000, &fail), DR_OK);
	tell(e, DR_BEACON_BOOTSTRAP, beacon_ssz_bootstrap(&net, &bootstrap));
	assert_int_equal(answer(e, &w), 0);
	tell_update(e, DR_LC_OPTIMISTIC_UPDATE, middle);
	assert_int_not_equal(answer(e, &w), 0);
	tell_update(e, DR_LC_FINALITY_UPDATE, top);
	assert_int_equal(ask(e), DR_DENY_NONE);
	dr_engine_free(e);
	world_free(&w);
}

/* A proof that something was final before what is final now adds nothing; one that contradicts the chain halts,
 * though the store remembers no block beside that one. Where it does, the reason is the store's own. */
static void older_proof(bool held, const char *why)
{
	struct dr_fail fail;
	struct dr_init init;
	struct world w;

	world_new(&w, 50);
	while (w.tip->header.number % w.k->profile.state_every != 0 || w.tip->header.number < START + 12)
		world_plain(&w, 1);
	struct forge_block *low = w.forge->blocks[5], *high = w.tip;

	world_plain(&w, 1);
	const uint64_t wall_s = w.tip->header.timestamp;

	net_set(wall_s);
	init_consensus(&init, &w);
	struct beacon_block *checkpoint = over(w.forge->blocks[0], NULL), *past = over(low, checkpoint),
			    *final = over(high, checkpoint), *other = over(held ? low : high, checkpoint);
	const struct dr_lc_bootstrap bootstrap = forge_bootstrap(&net, checkpoint);

	assert_int_equal(low->header.number, START + 5);
	memset(other->hash, 0x0e, 32);
	beacon_seal(other, &net);
	memcpy(init.checkpoint, checkpoint->root, 32);
	struct dr_engine *e = engine(&init, &fail);

	kit_assert_fail(DR_OK, &fail);
	assert_int_equal(dr_engine_start(e, 5000, wall_s * 1000, &fail), DR_OK);
	tell(e, DR_BEACON_BOOTSTRAP, beacon_ssz_bootstrap(&net, &bootstrap));
	answer(e, &w);
	tell_update(e, DR_LC_FINALITY_UPDATE, over(w.tip, final));
	answer(e, &w);
	assert_int_equal(ask(e), DR_DENY_NONE);
	tell_update(e, DR_LC_FINALITY_UPDATE, over(w.tip, past));
	assert_false(dr_engine_halted(e));
	assert_int_equal(ask(e), DR_DENY_NONE);
	tell_update(e, DR_LC_FINALITY_UPDATE, over(w.tip, other));
	assert_true(dr_engine_halted(e));
	assert_string_equal(contradicted, why);
	assert_int_equal(ask(e), DR_DENY_SEALED);
	dr_engine_free(e);
	world_free(&w);
}

static void test_older_proof(void **state)
{
	(void)state;
	older_proof(true, "a block is final beside the final block that is held at its number");
	older_proof(false, "two blocks of one slot are final");
}

/* Who would rely on an old checkpoint says who answers for it: a long limit does not do instead. */
static void test_age_by_name(void **state)
{
	struct dr_fail fail;
	struct dr_init init;
	struct dr_engine *e;
	struct world w;

	(void)state;
	world_new(&w, 50);
	net_set(w.tip->header.timestamp);
	init_consensus(&init, &w);
	init.checkpoint_max_age_s = DR_BEACON_AGE_DEFAULT_S;
	e = engine(&init, &fail);
	assert_non_null(e);
	dr_engine_free(e);
	init.checkpoint_max_age_s++;
	assert_null(engine(&init, &fail));
	assert_int_equal(fail.err, DR_ERR_LIMIT);
	memcpy(init.checkpoint_aged, "Ada", sizeof("Ada"));
	e = engine(&init, &fail);
	assert_non_null(e);
	dr_engine_free(e);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_young_state),
		cmocka_unit_test(test_older_proof),
		cmocka_unit_test(test_age_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
