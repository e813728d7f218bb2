/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_kit: a forged chain of DeRoT.sol, event by event, and an engine beside it whose host writes everything down.
 *
 * The chain: 100 the contract is made; 101 a KMS node, an app and its version announced; 102 to 104 the node's
 * measurement is allowed; 105 to 107 a root is ordered; 108 it is published; 109 the last notice is over.
 */
#ifndef DR_TESTS_ENGINE_KIT_H
#define DR_TESTS_ENGINE_KIT_H

#include "kms-bridge/core/engine.h"
#include "tests/unit/chain/forge.h"
#include "tests/unit/governance/root_kit.h"

#define START   100u
#define RIGHT   109u /* the first block at which the app has its right */
#define LEASE_S 600u

struct world {
	struct forge *forge;
	struct kit *k;
	struct forge_block *tip; /* where the next block goes */
	struct forge_state *state;
};

static inline struct forge_state *world_state(struct world *w)
{
	if (w->state == NULL)
		w->state = forge_state_of(w->forge, w->tip);
	return w->state;
}

static inline void world_slot(struct world *w, uint64_t base, const struct w *key, const struct w *key2,
			      const uint8_t value[static 32])
{
	uint8_t bytes[64], slot[32];

	memcpy(bytes, key->b, 32);
	dr_word_put(bytes + 32, base);
	dr_keccak256(slot, bytes, 64);
	if (key2 != NULL) {
		memcpy(bytes, key2->b, 32);
		memcpy(bytes + 32, slot, 32);
		dr_keccak256(slot, bytes, 64);
	}
	forge_slot_put(world_state(w), slot, value);
}

/* world_block: the acts so far, as the next block, dt seconds after the last. */
static inline struct forge_block *world_block(struct world *w, uint64_t dt)
{
	struct forge_event events[KIT_EVENTS];
	const size_t num = w->k->num_events;

	for (size_t i = 0; i < num; i++) {
		memcpy(events[i].topic0, w->k->events[i].topic0, 32);
		events[i].data = w->k->events[i].data;
	}
	w->tip = forge_block(w->forge, w->tip, dt, events, num, w->state);
	w->state = NULL;
	assert_int_equal(kit_block(w->k, dt), DR_OK);
	assert_int_equal(w->k->time, w->tip->header.timestamp);
	assert_int_equal(w->k->number, w->tip->header.number);
	for (size_t i = 0; i < w->k->num_changes; i++)
		assert_int_not_equal(w->k->changes[i].outcome, DR_OUTCOME_REFUSED);
	w->forge->tip = w->tip;
	return w->tip;
}

static inline void world_pass(struct world *w, enum dr_action action, uint64_t notice, const struct w *words,
			      size_t num)
{
	struct kit *k = w->k;

	kit_propose(k, ALICE, action, k->time + 1, words, num);
	world_block(w, 1);
	kit_vote(k, ALICE, 3, true);
	kit_vote(k, BOB, 2, true);
	world_block(w, 1);
	kit_act(k, DR_ACTION_EXECUTE, k->proposals, EVE, 0, NULL, 0);
	kit_act(k, action, k->proposals, EVE, k->time + 1 + notice, words, num);
}

static inline void world_new(struct world *w, unsigned seed)
{
	struct root_kit root;
	struct w words[11], key, key2, value;
	uint8_t pubs[64];

	memset(w, 0, sizeof(*w));
	srand(seed);
	w->forge = forge_new(3);
	w->k = kit_new();
	w->k->number = START - 1;
	w->k->time = 1000000 - 1;
	w->k->fold.start_number = START;
	kit_founders(w->k, w->k->time + 1);
	ACT(w->k, DR_ACTION_CONSTITUTE, 0, 0, 0, kit_n(VOTING));
	world_block(w, 1);
	kit_node(w->k, NODE, DR_ROLE_KMS, KMS, 5);
	ACT(w->k, DR_ACTION_APP_REGISTER, 0, DEPLOYER, 0, kit_b(APP), kit_b(0x0c), kit_n(APP_NOTICE), kit_n(3));
	ACT(w->k, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, DEPLOYER, w->k->time + 1 + APP_NOTICE, kit_b(APP),
	    kit_b(VERSION));
	key = kit_b(APP);
	key2 = kit_b(VERSION);
	value = kit_n(w->k->time + 1 + APP_NOTICE);
	world_slot(w, 3, &key, &key2, value.b);
	world_block(w, 1);
	words[0] = kit_b(KMS);
	world_pass(w, DR_ACTION_MEASUREMENT_ALLOW, NOTICE_MEASUREMENT, words, 1);
	key = kit_b(KMS);
	value = kit_n(w->k->time + 1 + NOTICE_MEASUREMENT);
	world_slot(w, 2, &key, NULL, value.b);
	world_block(w, 1);
	words[0] = kit_n(1);
	words[1] = kit_a(NODE);
	words[2] = kit_n(w->k->time + 10000);
	world_pass(w, DR_ACTION_ROOT_ROTATE, NOTICE_ROOT, words, 3);
	world_block(w, 1);
	root_kit(&root, &w->k->fold, 1, NODE, 1, 0);
	root_words(words, &root);
	kit_act(w->k, DR_ACTION_ROOT_PUBLISH, 0, NODE, 0, words, 11);
	memcpy(pubs, root.claim.prf_pub, 32);
	memcpy(pubs + 32, root.claim.sig_pub, 32);
	dr_keccak256(value.b, pubs, 64);
	key = kit_n(1);
	world_slot(w, 5, &key, NULL, value.b);
	/* Published as soon as due; the app's and the node's notices are longer over then, but for the announced one.
	 */
	ACT(w->k, DR_ACTION_APP_MEASUREMENT_REVOKE, 0, DEPLOYER, 0, kit_b(APP), kit_b(VERSION));
	ACT(w->k, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, DEPLOYER, w->k->time + NOTICE_ROOT + APP_NOTICE, kit_b(APP),
	    kit_b(VERSION));
	key = kit_b(APP);
	value = kit_n(w->k->time + NOTICE_ROOT + APP_NOTICE);
	world_slot(w, 3, &key, &key2, value.b);
	world_block(w, NOTICE_ROOT);
	assert_int_equal(world_block(w, APP_NOTICE)->header.number, RIGHT);
	w->forge->final_number = RIGHT;
}

/* world_revoke: the next block takes the app's right away (and it is announced again: that is no right yet). */
static inline struct forge_block *world_revoke(struct world *w, uint64_t dt)
{
	const struct w app = kit_b(APP), version = kit_b(VERSION), none = kit_n(0);

	ACT(w->k, DR_ACTION_APP_MEASUREMENT_REVOKE, 0, DEPLOYER, 0, app, version);
	world_slot(w, 3, &app, &version, none.b);
	return world_block(w, dt);
}

/* world_plain: num blocks without events of the contract's. */
static inline struct forge_block *world_plain(struct world *w, size_t num)
{
	while (num-- > 0)
		world_block(w, 1);
	return w->tip;
}

static inline void world_free(struct world *w)
{
	kit_free(w->k);
}

static inline struct dr_request world_request(void)
{
	struct dr_request r = { .purpose = DR_PURPOSE_SEAL, .svn = 5, .confidence = 1 };

	memset(r.app, APP, 32);
	memset(r.measurement, VERSION, 32);
	memset(r.tee, 0x31, 32);
	memset(r.family, 0x32, 32);
	memset(r.device, 0x33, 32);
	return r;
}

/* What the host was handed. */
struct engine_kit {
	bool no_state; /* nobody proves the contract's state */
	struct world *w;
	struct dr_engine *e;
	struct dr_buf kept, changes;
	size_t num_ledger, num_journal, num_findings, num_refused, num_steps, num_notes[32], num_kept;
	struct dr_note note;   /* the last */
	size_t calls, fail_at; /* the fail_at-th call fails; 0: none */
	uint64_t step_number;
	uint8_t step_hash[32];
	uint64_t boot_ms, wall_ms;
	struct dr_decision answers[4096];
	size_t num_answers;
	enum dr_take take;
	struct dr_fail fail;
	bool shuffled;
	/* The plain model of the seal. */
	bool started, proven, word[3], offset_known;
	uint64_t lease_boot_ms, step_time;
	int64_t offset_ms;
};

/* ek_moved: how far the wall clock went ahead of boot-time since the two were last believed, in seconds. */
static inline int64_t ek_moved(const struct engine_kit *k)
{
	return k->offset_known ? ((int64_t)(k->wall_ms - k->boot_ms) - k->offset_ms) / 1000 : 0;
}

static inline bool ek_agrees(const struct engine_kit *k)
{
	return llabs((int64_t)(k->wall_ms / 1000) - (int64_t)k->step_time) <= (int64_t)LEASE_S;
}

/* ek_model: sealed, by what a kit knows that meets no heads, demands no heartbeat and is not held. */
static inline bool ek_model(struct engine_kit *k)
{
	const bool sealed = !k->started || k->step_number == 0 || !k->proven || !ek_agrees(k) ||
			    (k->boot_ms - k->lease_boot_ms) / 1000 > LEASE_S || llabs(ek_moved(k)) > (int64_t)LEASE_S;

	if (!sealed && !k->offset_known) {
		k->offset_known = true;
		k->offset_ms = (int64_t)(k->wall_ms - k->boot_ms);
	}
	return sealed;
}

static inline enum dr_err ek_call(struct engine_kit *k)
{
	return ++k->calls == k->fail_at ? DR_ERR_IO : DR_OK;
}

static inline enum dr_err ek_kept(void *ctx, const struct dr_frame *frame)
{
	struct engine_kit *k = ctx;
	struct dr_fail fail = { 0 };

	k->num_kept++;
	return dr_frame_put(&k->kept, frame, &fail) == DR_OK ? ek_call(k) : fail.err;
}

static inline enum dr_err ek_ledger(void *ctx, const struct dr_entry *entry, const struct dr_change *change)
{
	struct engine_kit *k = ctx;
	struct dr_fail fail = { 0 };

	(void)change;
	assert_int_equal(entry->idx, k->num_ledger++);
	assert_int_equal(dr_buf_append(&k->changes, entry->leaf.ptr, entry->leaf.len, &fail), DR_OK);
	return ek_call(k);
}

static inline enum dr_err ek_journal(void *ctx, const struct dr_entry *entry, const struct dr_note *note)
{
	struct engine_kit *k = ctx;
	struct dr_fail fail = { 0 };
	struct dr_note back;

	assert_int_equal(dr_note_decode(&back, entry->leaf, &fail), DR_OK);
	k->num_journal++;
	k->num_notes[note->kind]++;
	k->note = *note;
	return ek_call(k);
}

static inline enum dr_err ek_finding(void *ctx, const struct dr_audit_finding *finding)
{
	struct engine_kit *k = ctx;

	assert_int_not_equal(finding->kind, DR_AUDIT_NONE);
	k->num_findings++;
	return ek_call(k);
}

static inline enum dr_err ek_refuse(void *ctx, const struct dr_frame *frame, const struct dr_fail *why)
{
	struct engine_kit *k = ctx;

	(void)frame;
	assert_int_not_equal(why->err, DR_OK);
	k->num_refused++;
	return ek_call(k);
}

static inline enum dr_err ek_step(void *ctx, uint64_t number, const uint8_t hash[static 32])
{
	struct engine_kit *k = ctx;

	k->num_steps++;
	assert_true(number > k->step_number);
	k->step_number = number;
	memcpy(k->step_hash, hash, 32);
	memset(k->word, 0, sizeof(k->word));
	k->proven = true;
	k->lease_boot_ms = k->boot_ms;
	k->step_time = forge_find(k->w->forge, hash)->header.timestamp;
	if (ek_agrees(k) && ek_moved(k) > (int64_t)LEASE_S)
		k->offset_ms = (int64_t)(k->wall_ms - k->boot_ms);
	return ek_call(k);
}

static inline void ek_init(struct dr_init *init, const struct world *w, enum dr_way way, uint32_t step_max)
{
	static uint8_t profile[DR_PROFILE_LEN_MAX];
	struct dr_fail fail = { 0 };
	size_t len;

	*init = (struct dr_init){ .version = DR_PROTO_VERSION,
				  .mode = DR_MODE_RUN,
				  .proof = DR_PROOF_QUORUM,
				  .way = (uint8_t)way,
				  .chain_id = w->k->fold.chain_id,
				  .start_number = START,
				  .quorum_k = 2,
				  .quorum_n = 3,
				  .step_max = step_max,
				  .max_staleness_s = LEASE_S };
	memcpy(init->genesis, w->k->fold.genesis, 32);
	memcpy(init->contract, w->forge->contract, 20);
	memcpy(init->start_hash, w->forge->blocks[0]->header.hash, 32);
	memset(init->node, NODE, 20);
	assert_int_equal(dr_profile_encode(profile, sizeof(profile), &len, &w->k->profile, &fail), DR_OK);
	init->profile = dr_bytes_of(profile, len);
}

static inline struct engine_kit *ek_new_init(struct world *w, const struct dr_init *init)
{
	struct engine_kit *k = (struct engine_kit *)kit_alloc(sizeof(*k));
	const struct dr_engine_host host = { k, ek_kept, ek_ledger, ek_journal, ek_finding, ek_refuse, ek_step };

	k->w = w;
	dr_buf_init(&k->kept, 64u << 20);
	dr_buf_init(&k->changes, 16u << 20);
	k->e = dr_engine_new(init, &host, &k->fail);
	kit_assert_fail(DR_OK, &k->fail);
	k->boot_ms = 5000;
	k->wall_ms = w->tip->header.timestamp * 1000;
	return k;
}

static inline struct engine_kit *ek_new(struct world *w, enum dr_way way, uint32_t step_max)
{
	struct dr_init init;

	ek_init(&init, w, way, step_max);
	return ek_new_init(w, &init);
}

static inline void ek_free(struct engine_kit *k)
{
	dr_engine_free(k->e);
	dr_buf_free(&k->kept);
	dr_buf_free(&k->changes);
}

/* One frame; the result is in k->take and k->fail. Words about the cursor's block are counted for the model. */
static inline void ek_feed(struct engine_kit *k, struct dr_frame frame)
{
	const bool word = frame.type == DR_FRAME_FINALITY && frame.payload.len == DR_QUORUM_PAYLOAD_LEN &&
			  frame.payload.ptr[1] == DR_STATUS_FINAL && frame.source < 3 && k->step_number != 0 &&
			  memcmp(frame.payload.ptr + 10, k->step_hash, 32) == 0;

	memset(&k->fail, 0, sizeof(k->fail));
	dr_engine_frame(k->e, &k->take, &frame, &k->fail);
	if (word && memcmp(frame.payload.ptr + 10, k->step_hash, 32) == 0)
		k->word[frame.source] = true;
	if (k->word[0] + k->word[1] + k->word[2] >= 2 && !k->proven) {
		k->proven = true;
		k->lease_boot_ms = k->boot_ms;
	}
	ek_model(k);
}

static inline void ek_emit(void *ctx, const struct dr_frame *frame)
{
	struct engine_kit *k = ctx;

	ek_feed(k, *frame);
	kit_assert_fail(DR_OK, &k->fail);
}

struct ek_pile {
	struct dr_frame frames[4096];
	size_t num;
};

static inline void ek_pile(void *ctx, const struct dr_frame *frame)
{
	struct ek_pile *p = ctx;

	p->frames[p->num++] = *frame;
}

static inline void ek_round(struct engine_kit *k)
{
	static struct dr_want wants[DR_WANTS_MAX];
	static struct ek_pile pile;
	const size_t num = dr_engine_wants(k->e, wants, DR_WANTS_MAX);

	pile.num = 0;
	for (size_t i = 0; i < num; i++)
		if (!(k->no_state && wants[i].kind == DR_WANT_STATE))
			forge_answer(k->w->forge, &wants[i], ek_pile, &pile);
	while (pile.num > 0) {
		/* In order, or any. */
		const size_t at = k->shuffled ? (size_t)rand() % pile.num : 0;
		const struct dr_frame frame = pile.frames[at];

		memmove(pile.frames + at, pile.frames + at + 1, (--pile.num - at) * sizeof(frame));
		ek_emit(k, &frame);
	}
}

static inline void ek_start(struct engine_kit *k)
{
	memset(&k->fail, 0, sizeof(k->fail));
	k->started = true;
	k->proven = k->offset_known = false;
	memset(k->word, 0, sizeof(k->word));
	dr_engine_start(k->e, k->boot_ms, k->wall_ms, &k->fail);
}

static inline void ek_clock(struct engine_kit *k, uint64_t boot_ms, uint64_t wall_ms)
{
	memset(&k->fail, 0, sizeof(k->fail));
	k->boot_ms = boot_ms > k->boot_ms ? boot_ms : k->boot_ms;
	k->wall_ms = wall_ms;
	dr_engine_clock(k->e, boot_ms, wall_ms, &k->fail);
	ek_model(k);
}

static inline void ek_run(struct engine_kit *k, uint64_t number)
{
	for (size_t round = 0; k->step_number < number; round++) {
		if (round == 400)
			fail_msg("at %llu of %llu", (unsigned long long)k->step_number, (unsigned long long)number);
		ek_round(k);
	}
	ek_round(k);
	ek_round(k);
}

static inline enum dr_deny ek_ask(const struct engine_kit *k)
{
	const struct dr_request request = world_request();
	struct dr_decision d;

	dr_engine_ask(k->e, &d, &request);
	assert_int_equal(d.verdict == DR_ALLOW, d.deny == DR_DENY_NONE);
	return d.deny;
}

/* ek_sealed: and everything that can be asked says the same. */
static inline bool ek_sealed(const struct engine_kit *k)
{
	const char *why;
	const bool is = dr_engine_sealed(k->e, &why);

	assert_int_equal(is, why[0] != '\0');
	assert_int_equal(is, ek_ask(k) == DR_DENY_SEALED);
	assert_int_equal(is, dr_engine_ask_share(k->e, 1, kit_id(NODE)) == DR_DENY_SEALED);
	return is;
}

static inline void ek_request(struct engine_kit *k)
{
	const struct dr_request request = world_request();
	uint64_t idx;

	memset(&k->fail, 0, sizeof(k->fail));
	dr_engine_request(k->e, &k->answers[k->num_answers], &idx, &request, &k->fail);
	k->num_answers++;
}

static inline void ek_same(struct engine_kit *a, struct engine_kit *b)
{
	struct dr_status_report *x = (struct dr_status_report *)kit_alloc(sizeof(*x));
	struct dr_status_report *y = (struct dr_status_report *)kit_alloc(sizeof(*y));

	dr_engine_status(a->e, x);
	dr_engine_status(b->e, y);
	assert_int_equal(x->final_number, y->final_number);
	assert_memory_equal(x->final_hash, y->final_hash, 32);
	assert_int_equal(x->ledger_size, y->ledger_size);
	assert_memory_equal(x->ledger_root, y->ledger_root, 32);
	assert_memory_equal(x->state_digest, y->state_digest, 32);
	assert_true(dr_bytes_eq(dr_buf_view(&a->changes), dr_buf_view(&b->changes)));
	assert_int_equal(a->num_findings, b->num_findings);
}

/* ek_replay: everything that was kept, into k. */
static inline void ek_replay(struct engine_kit *k, struct dr_bytes kept)
{
	while (kept.len > 0) {
		struct dr_fail fail = { 0 };
		struct dr_frame frame;
		size_t used;

		assert_int_equal(dr_frame_get(&frame, &used, kept, &fail), DR_OK);
		if (!dr_frame_is_core(frame.type)) {
			dr_engine_frame(k->e, &k->take, &frame, &fail);
			assert_true(k->take == DR_TAKE_KEPT || k->take == DR_TAKE_CONFLICT);
		} else if (frame.type == DR_FRAME_REQUEST) {
			dr_engine_core_frame(k->e, &k->answers[k->num_answers++], &frame, &fail);
		} else {
			dr_engine_core_frame(k->e, NULL, &frame, &fail);
		}
		kit_assert_fail(DR_OK, &fail);
		kept = dr_bytes_of(kept.ptr + used, kept.len - used);
	}
}

#endif
