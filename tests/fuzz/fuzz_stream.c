/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_stream: the whole evidence stream, from bytes to findings, in process. An input that begins as a recording is
 * one: its checksums are made true and it is replayed. Any other is a script: blocks of acts (fuzz_acts.h) on a
 * forged chain with forks and a proven storage, what endpoints name final or head, what they answer to the engine's
 * wants, true or damaged, clocks, starts, requests, nonces; an engine takes it live. What must hold: · no foreign
 * frame, and no core frame that is well formed, makes the engine fail; what is refused says why; · final steps
 * ascend, and each names a block that was forged, on top of the one before; · nothing is allowed while the engine is
 * sealed, and nothing unseals after a halt; · what it kept, as a recording, replays to the same cursor, ledger, state
 * and findings, byte for byte; and so does what that replay keeps.
 */
#include "tests/fuzz/fuzz_acts.h"

#include "chain/crypto/sha256.h"
#include "chain/evidence.h"
#include "kms-bridge/core/engine.h"
#include "tests/unit/chain/forge.h"

#define START    100u
#define BLOCKS   9u
#define FRAMES   64u
#define DATA_MAX 128u
#define POOL     ((size_t)1 << 20) /* that one operation may take */

/* One engine and what its host was told. */
struct run {
	struct dr_engine *e;
	struct dr_buf kept;
	const struct forge *forge; /* NULL: a recording's blocks are not known */
	uint64_t number;
	uint32_t findings, ledger;
	bool halted;
};

static struct kit *k;
static uint8_t profile[DR_PROFILE_LEN_MAX];
static size_t profile_len;

static enum dr_err on_kept(void *ctx, const struct dr_frame *frame)
{
	struct run *run = ctx;
	struct dr_fail fail = { 0 };

	DR_ASSERT(dr_frame_put(&run->kept, frame, &fail) == DR_OK);
	return DR_OK;
}

static enum dr_err on_ledger(void *ctx, const struct dr_entry *entry, const struct dr_change *change)
{
	struct run *run = ctx;
	struct dr_fail fail = { 0 };
	struct dr_change back;

	DR_ASSERT(entry->idx == run->ledger++);
	DR_ASSERT(dr_change_decode(&back, entry->leaf, &fail) == DR_OK && back.number == change->number);
	return DR_OK;
}

static enum dr_err on_journal(void *ctx, const struct dr_entry *entry, const struct dr_note *note)
{
	struct dr_fail fail = { 0 };
	static struct dr_note back;

	(void)ctx;
	DR_ASSERT(dr_note_decode(&back, entry->leaf, &fail) == DR_OK && back.kind == note->kind);
	return DR_OK;
}

static enum dr_err on_finding(void *ctx, const struct dr_audit_finding *finding)
{
	struct run *run = ctx;

	DR_ASSERT(finding->kind != DR_AUDIT_NONE);
	run->findings++;
	return DR_OK;
}

static enum dr_err on_refused(void *ctx, const struct dr_frame *frame, const struct dr_fail *why)
{
	(void)ctx;
	(void)frame;
	DR_ASSERT(why->err != DR_OK && why->what != NULL);
	return DR_OK;
}

static enum dr_err on_step(void *ctx, uint64_t number, const uint8_t hash[static 32])
{
	struct run *run = ctx;

	DR_ASSERT(number > run->number && !run->halted);
	if (run->forge != NULL) {
		const struct forge_block *b = forge_find(run->forge, hash);

		DR_ASSERT(b != NULL && b->header.number == number);
	}
	run->number = number;
	return DR_OK;
}

static bool run_new(struct run *run, const struct dr_init *init, const struct forge *forge)
{
	const struct dr_engine_host host = { run, on_kept, on_ledger, on_journal, on_finding, on_refused, on_step };
	struct dr_fail fail = { 0 };

	*run = (struct run){ .forge = forge };
	dr_buf_init(&run->kept, (size_t)16 << 20);
	run->e = dr_engine_new(init, &host, &fail);
	DR_ASSERT((run->e == NULL) == (fail.err != DR_OK));
	return run->e != NULL;
}

static void run_free(struct run *run)
{
	dr_engine_free(run->e);
	dr_buf_free(&run->kept);
}

/* The way a frame takes in a replay and, if it is foreign, live. A copy of its own size, so that reading or keeping
 * beyond it is seen. */
static void feed(struct run *run, const struct dr_frame *frame)
{
	struct dr_frame own = *frame;
	struct dr_decision decision;
	struct dr_fail fail = { 0 };
	enum dr_take take;
	const char *why;
	uint8_t *copy = dr_heap_alloc(frame->payload.len);

	DR_ASSERT(copy != NULL);
	if (frame->payload.len > 0)
		memcpy(copy, frame->payload.ptr, frame->payload.len);
	own.payload.ptr = copy;
	if (dr_frame_is_core(frame->type)) {
		const enum dr_err err = dr_engine_core_frame(run->e, &decision, &own, &fail);

		DR_ASSERT((err == DR_OK) == (fail.err == DR_OK));
		DR_ASSERT(decision.verdict == DR_DENY || !dr_engine_sealed(run->e, &why));
	} else {
		DR_ASSERT(dr_engine_frame(run->e, &take, &own, &fail) == DR_OK);
		DR_ASSERT(!run->halted || take == DR_TAKE_REFUSED);
		DR_ASSERT((take == DR_TAKE_CONFLICT) == (dr_engine_halted(run->e) && !run->halted));
	}
	dr_heap_free(copy);
	run->halted = dr_engine_halted(run->e);
	DR_ASSERT(!run->halted || dr_engine_sealed(run->e, &why));
}

static void feed_all(struct run *run, struct dr_bytes frames)
{
	struct dr_fail fail = { 0 };
	struct dr_frame frame;
	size_t used;

	while (frames.len > 0) {
		if (dr_frame_get(&frame, &used, frames, &fail) != DR_OK)
			return;
		feed(run, &frame);
		frames = dr_bytes_of(frames.ptr + used, frames.len - used);
	}
}

static void same(const struct run *a, const struct run *b)
{
	static struct dr_status_report x, y;

	dr_engine_status(a->e, &x);
	dr_engine_status(b->e, &y);
	DR_ASSERT(x.has_final == y.has_final && x.final_number == y.final_number);
	DR_ASSERT(memcmp(x.final_hash, y.final_hash, 32) == 0 && x.halted == y.halted);
	DR_ASSERT(x.ledger_size == y.ledger_size && memcmp(x.ledger_root, y.ledger_root, 32) == 0);
	DR_ASSERT(memcmp(x.state_digest, y.state_digest, 32) == 0 && x.generation == y.generation);
	DR_ASSERT(a->findings == b->findings && x.findings == y.findings && x.divergences == y.divergences);
}

/* What was kept replays to the same; and what is kept of it are the same bytes. */
static void replay_kept(struct run *run, const struct dr_init *init)
{
	struct run again;

	DR_ASSERT(run_new(&again, init, run->forge));
	feed_all(&again, dr_buf_view(&run->kept));
	same(run, &again);
	DR_ASSERT(dr_bytes_eq(dr_buf_view(&run->kept), dr_buf_view(&again.kept)));
	run_free(&again);
}

/* A recording, with its checksums made true. */
static void recording(const uint8_t *data, size_t size)
{
	static struct dr_init init;
	struct dr_evidence_head head;
	struct dr_fail fail = { 0 };
	struct dr_frame frame;
	struct run run;
	uint8_t sum[32], *copy = dr_heap_alloc(size);
	size_t used;

	DR_ASSERT(copy != NULL);
	memcpy(copy, data, size);
	dr_sha256_one(sum, copy, 56);
	memcpy(copy + 56, sum, 8);
	for (size_t at = DR_EVIDENCE_HEAD_LEN; size - at >= DR_EVIDENCE_FRAME_OVERHEAD;) {
		const size_t len = (size_t)copy[at] << 24 | (size_t)copy[at + 1] << 16 | (size_t)copy[at + 2] << 8 |
				   copy[at + 3];

		if (len > size - at - DR_EVIDENCE_FRAME_OVERHEAD)
			break;
		dr_sha256_one(sum, copy + at, 8 + len);
		memcpy(copy + at + 8 + len, sum, 8);
		at += len + DR_EVIDENCE_FRAME_OVERHEAD;
	}
	const struct dr_bytes frames = { copy + DR_EVIDENCE_HEAD_LEN, size - DR_EVIDENCE_HEAD_LEN };

	/* Unanchored: what to fold is the recorder's claim, as `derot replay` takes it. */
	if (dr_evidence_head_get(&head, dr_bytes_of(copy, DR_EVIDENCE_HEAD_LEN), &fail) == DR_OK &&
	    dr_frame_get(&frame, &used, frames, &fail) == DR_OK && frame.type == DR_FRAME_ABOUT &&
	    dr_init_get(&init, frame.payload, &fail) == DR_OK) {
		if (run_new(&run, &init, NULL)) {
			feed_all(&run, frames);
			replay_kept(&run, &init);
		}
		run_free(&run);
	}
	dr_heap_free(copy);
}

/* Scripts */

struct script {
	struct dr_reader r;
	struct forge *forge;
	struct run run;
	struct forge_state *state; /* of the block to be; NULL: as its parent's */
	uint64_t boot_ms, wall_ms;
	size_t num_frames;
	uint64_t lag;
	uint8_t damage; /* the next foreign frame is changed there; 0: it is not */
	uint16_t damage_at;
};

static void emit(void *ctx, const struct dr_frame *frame)
{
	struct script *s = ctx;
	struct dr_frame sent = *frame;

	if (s->num_frames++ >= FRAMES)
		return;
	if (s->damage != 0 && frame->payload.len > 0) {
		uint8_t *copy = kit_alloc(frame->payload.len);

		memcpy(copy, frame->payload.ptr, frame->payload.len);
		copy[s->damage_at % frame->payload.len] ^= s->damage;
		sent.payload.ptr = copy;
		s->damage = 0;
	}
	feed(&s->run, &sent);
}

static struct forge_block *pick(struct script *s)
{
	const uint8_t which = dr_reader_u8(&s->r);

	return which == 0 ? s->forge->tip : s->forge->blocks[which % s->forge->num_blocks];
}

static void block(struct script *s, struct forge_block *parent, uint64_t dt)
{
	struct forge_event events[KIT_EVENTS];

	if (s->forge->num_blocks >= BLOCKS)
		return;
	for (size_t i = 0; i < k->num_events; i++) {
		memcpy(events[i].topic0, k->events[i].topic0, 32);
		events[i].data = k->events[i].data;
	}
	s->forge->tip = forge_block(s->forge, parent, dt, events, k->num_events, s->state);
	s->state = NULL;
	k->time = s->forge->tip->header.timestamp;
	k->num_events = 0;
}

/* A mapping's slot of the block to be: u8 kind · u8 first key · u8 second key · u8 value. */
static void slot(struct script *s)
{
	const uint8_t kind = dr_reader_u8(&s->r) % 5, first = dr_reader_u8(&s->r), second = dr_reader_u8(&s->r);
	const uint8_t value = dr_reader_u8(&s->r);
	const struct w key = kind == 2 || kind == 3 ? kit_n(first) : kit_b(first), key2 = kit_b(second);
	const struct w word = value < 0x40 ? kit_n(value) : kit_n(k->time + value - 0x40u);
	uint8_t bytes[64], at[32];

	if (s->state == NULL)
		s->state = forge_state_of(s->forge, s->forge->tip);
	if (s->state->num_slots >= 16)
		return;
	memcpy(bytes, key.b, 32);
	dr_word_put(bytes + 32, kind + 2u);
	dr_keccak256(at, bytes, 64);
	if (kind == 1 || kind == 2) {
		memcpy(bytes, key2.b, 32);
		memcpy(bytes + 32, at, 32);
		dr_keccak256(at, bytes, 64);
	}
	forge_slot_put(s->state, at, word.b);
	if (first == 0xee)
		memset(s->state->code_hash, 0xee, 32);
}

static void name(struct script *s, enum dr_status status, const struct forge_block *b, uint8_t who)
{
	for (uint16_t e = 0; e < 3; e++) {
		const struct dr_frame frame = frame_named(status, b, e);

		if ((who >> e & 1) != 0)
			emit(s, &frame);
	}
}

static void answer(struct script *s, uint8_t which)
{
	static struct dr_want wants[DR_WANTS_MAX];
	const uint64_t tip = s->forge->tip->header.number;

	/* What is called final lies some blocks behind the tip. */
	s->forge->final_number = tip - START >= s->lag ? tip - s->lag : START;
	const size_t num = dr_engine_wants(s->run.e, wants, DR_WANTS_MAX);

	for (size_t i = 0; i < num && kit_used < KIT_POOL - POOL; i++)
		if (which == 0xff || i == which)
			forge_answer(s->forge, &wants[i], emit, s);
}

static void serve(struct script *s, uint8_t op)
{
	const struct forge_block *b = pick(s), *other;
	struct dr_frame frame = { 0 };

	switch (op) {
	case 0: frame = frame_header(b, dr_reader_u8(&s->r) % 4); break;
	case 1:
		other = pick(s);
		frame = frame_receipts(b, other->header.hash, 1);
		break;
	default: frame = frame_logs_changed(s->forge, b, START, FORGE_HONEST, 0, 2); break;
	}
	emit(s, &frame);
}

static void raw(struct script *s)
{
	struct dr_frame frame = { .type = dr_reader_u8(&s->r) % 8, .source = dr_reader_u8(&s->r) % 4 };
	const uint8_t len = dr_reader_u8(&s->r);

	frame.payload = dr_reader_view(&s->r, len < s->r.left ? len : s->r.left);
	if (frame.type == 7)
		frame.type = DR_FRAME_CLOCK; /* that only the core may stamp: refused */
	if (!dr_frame_is_core(frame.type)) {
		emit(s, &frame);
		return;
	}
	struct dr_fail fail = { 0 };
	enum dr_take take;

	DR_ASSERT(dr_engine_frame(s->run.e, &take, &frame, &fail) == DR_OK && take == DR_TAKE_REFUSED);
}

static void clock_or_start(struct script *s, bool start)
{
	struct dr_fail fail = { 0 };
	const uint8_t boot = dr_reader_u8(&s->r), wall = dr_reader_u8(&s->r);

	s->boot_ms += 1000u * boot;
	s->wall_ms += wall < 0x80 ? 1000u * wall : 0 - 1000000u * (wall - 0x80u);
	if (start)
		s->boot_ms = 5000;
	DR_ASSERT((start ? dr_engine_start : dr_engine_clock)(s->run.e, s->boot_ms, s->wall_ms, &fail) == DR_OK);
}

static void ask(struct script *s)
{
	struct dr_decision decision;
	struct dr_request request;
	struct dr_fail fail = { 0 };
	const char *why;
	uint64_t idx;

	acts_request(&request, &s->r);
	DR_ASSERT(dr_engine_request(s->run.e, &decision, &idx, &request, &fail) == DR_OK);
	DR_ASSERT(decision.verdict == DR_DENY || !dr_engine_sealed(s->run.e, &why));
}

static void found(struct script *s)
{
	k->num_events = 0;
	kit_founders(k, k->time + 1);
	ACT(k, DR_ACTION_CONSTITUTE, 0, 0, 0, kit_n(VOTING));
	kit_node(k, NODE, DR_ROLE_KMS, KMS, 5);
	ACT(k, DR_ACTION_APP_REGISTER, 0, DEPLOYER, 0, kit_b(APP), kit_b(0x0c), kit_n(APP_NOTICE), kit_n(3));
	block(s, s->forge->tip, 1);
}

/* The council passes something, in three blocks; as fuzz_fold has it, told by a chain. */
static void pass(struct script *s)
{
	const struct dr_action_def *def = dr_action_def(dr_reader_u8(&s->r));
	struct w words[DR_ARGS_MAX] = { 0 };

	if (def == NULL || def->num_args > 8)
		return;
	for (size_t i = 0; i < def->num_args; i++)
		words[i] = acts_word(k, def->args[i].type, dr_reader_u8(&s->r));
	k->num_events = 0;
	kit_propose(k, ALICE, def->action, k->time + 1, words, def->num_args);
	block(s, s->forge->tip, 1);
	kit_vote(k, ALICE, 3, true);
	kit_vote(k, BOB, 2, true);
	block(s, s->forge->tip, 1);
	kit_act(k, DR_ACTION_EXECUTE, k->proposals, EVE, 0, NULL, 0);
	kit_act(k, def->action, k->proposals, EVE, k->time + 301, words, def->num_args);
	block(s, s->forge->tip, 1);
}

static void step(struct script *s)
{
	const uint8_t op = dr_reader_u8(&s->r), low = op & 15;
	struct dr_fail fail = { 0 };

	switch (op >> 4) {
	case 0:
	case 1: acts_put(k, &s->r); break;
	case 2: block(s, s->forge->tip, 1 + 24u * low); break;
	case 3: block(s, pick(s), 1 + 24u * low); break;
	case 4: slot(s); break;
	case 5: name(s, DR_STATUS_FINAL, pick(s), low); break;
	case 6: name(s, DR_STATUS_HEAD, pick(s), low); break;
	case 7: answer(s, low); break;
	case 8:
		for (uint8_t i = 0; i <= low % 4; i++)
			answer(s, 0xff);
		break;
	case 9: serve(s, low % 3); break;
	case 10: raw(s); break;
	case 11: clock_or_start(s, low == 15); break;
	case 12: ask(s); break;
	case 13:
		s->damage = dr_reader_u8(&s->r);
		s->damage_at = dr_reader_u16(&s->r);
		break;
	case 14:
		if (low < 8)
			found(s);
		else
			pass(s);
		break;
	default: {
		uint8_t nonce[32] = { 0 };

		nonce[31] = low;
		if (low == 15)
			dr_engine_unavailable(s->run.e, dr_reader_u8(&s->r));
		else
			DR_ASSERT(dr_engine_nonce(s->run.e, nonce, &fail) == DR_OK);
		break;
	}
	}
}

/* The chain's first block is the same for all scripts, but for its noise: made once, at the bottom of the pool. */
static struct forge *first(bool noise)
{
	static struct forge made[2];
	static size_t used;
	struct script s = { .forge = NULL };

	for (size_t i = 0; i < 2 && used == 0; i++) {
		s.forge = forge_new(3);
		s.forge->noise = i != 0;
		k->time = 1000000 - 1;
		found(&s);
		made[i] = *s.forge;
		used = i == 0 ? 0 : kit_used;
	}
	kit_used = used;
	struct forge *forge = (struct forge *)kit_alloc(sizeof(*forge));

	*forge = made[noise ? 1 : 0];
	forge->blocks = (struct forge_block **)kit_alloc(BLOCKS * sizeof(struct forge_block *));
	forge->blocks[0] = forge->tip;
	k->time = forge->tip->header.timestamp;
	k->num_events = 0;
	return forge;
}

static void script(const uint8_t *data, size_t size)
{
	static struct dr_init init;
	static struct script s;
	struct dr_fail fail = { 0 };

	dr_reader_init(&s.r, dr_bytes_of(data, size < DATA_MAX ? size : DATA_MAX), &fail);
	const uint8_t flags = dr_reader_u8(&s.r);
	struct dr_reader rest = s.r;

	s = (struct script){ .forge = first((flags & 1) != 0), .r = rest, .boot_ms = 5000 };
	s.forge->heads = (flags & 2) != 0;
	s.lag = s.forge->heads ? 2 : 0;
	s.wall_ms = 1000 * s.forge->tip->header.timestamp;
	init = (struct dr_init){ .version = DR_PROTO_VERSION,
				 .mode = DR_MODE_RUN,
				 .proof = DR_PROOF_QUORUM,
				 .way = flags / 4 % 3,
				 .chain_id = k->fold.chain_id,
				 .start_number = START,
				 .quorum_k = 1 + (flags / 16 & 1),
				 .quorum_n = 3,
				 .step_max = (flags & 0x20) != 0 ? 4 : 1,
				 .max_staleness_s = 600,
				 .head_staleness_s = (flags & 0x80) != 0 ? 300 : 0,
				 .profile = dr_bytes_of(profile, profile_len) };
	init.heartbeat = flags % 16 == 15;
	memcpy(init.genesis, k->fold.genesis, 32);
	memcpy(init.contract, s.forge->contract, 20);
	memcpy(init.start_hash, s.forge->blocks[0]->header.hash, 32);
	memset(init.node, NODE, 20);
	DR_ASSERT(run_new(&s.run, &init, s.forge));
	while (s.r.left > 0 && s.num_frames < FRAMES && kit_used < KIT_POOL - POOL)
		step(&s);
	if ((flags & 0x40) != 0)
		replay_kept(&s.run, &init);
	run_free(&s.run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t magic[8] = { 'd', 'e', 'r', 'o', 't', 'e', 'v', 0 };
	struct dr_fail fail = { 0 };

	if (k == NULL) {
		k = kit_new();
		DR_ASSERT(dr_profile_encode(profile, sizeof(profile), &profile_len, &k->profile, &fail) == DR_OK);
	}
	kit_used = 0;
	k->proposals = 0;
	srand(1);
	if (size >= DR_EVIDENCE_HEAD_LEN && memcmp(data, magic, sizeof(magic)) == 0)
		recording(data, size);
	else if (size > 0)
		script(data, size);
	return 0;
}
