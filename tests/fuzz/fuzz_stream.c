/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_stream: the whole evidence stream, from bytes to findings, in process. An input is a script: blocks of acts
 * (fuzz_acts.h) on a forged chain with forks and a proven storage, what endpoints name final or head, what they
 * answer to the engine's wants, true or damaged, clocks, starts, requests, nonces; an engine takes it live. What must
 * hold is fuzz_engine.h's; that what was kept replays to the same is tried for one input in sixteen. Recordings are
 * fuzz_recording's.
 */
#include "tests/fuzz/fuzz_acts.h"

#include "tests/fuzz/fuzz_engine.h"

#define START    100u
#define BLOCKS   7u
#define FRAMES   24u
#define DATA_MAX 64u
#define POOL     ((size_t)1 << 20) /* that one operation may take */

static struct kit *k;
static uint8_t profile[DR_PROFILE_LEN_MAX];
static size_t profile_len;

/* What is the same in most scripts is worked out once (linked with --wrap): half of an engine's making is to read
 * the profile, and the first blocks' hashes are a fifth of a script's time. Both have targets of their own. */
enum dr_err __real_dr_profile_decode(struct dr_profile *out, struct dr_bytes bytes, struct dr_fail *fail);
enum dr_err __wrap_dr_profile_decode(struct dr_profile *out, struct dr_bytes bytes, struct dr_fail *fail);
enum dr_err __wrap_dr_profile_decode(struct dr_profile *out, struct dr_bytes bytes, struct dr_fail *fail)
{
	if (k == NULL || !dr_bytes_eq(bytes, dr_bytes_of(profile, profile_len)))
		return __real_dr_profile_decode(out, bytes, fail);
	*out = k->profile;
	return DR_OK;
}

#define HASHED     8192u
#define HASHED_LEN 192u

void __real_dr_keccak256(uint8_t out[static 32], const void *ptr, size_t len);
void __wrap_dr_keccak256(uint8_t out[static 32], const void *ptr, size_t len);
void __wrap_dr_keccak256(uint8_t out[static 32], const void *ptr, size_t len)
{
	static struct {
		size_t len; /* 0: free */
		uint8_t bytes[HASHED_LEN], hash[32];
	} hashed[HASHED];
	uint64_t mix = len, word;

	if (len < 8 || len > HASHED_LEN) {
		__real_dr_keccak256(out, ptr, len);
		return;
	}
	for (size_t at = 0; at + 8 <= len; at += 8) {
		memcpy(&word, (const uint8_t *)ptr + at, 8);
		mix = (mix ^ word) * 0x9e3779b97f4a7c15u;
		mix ^= mix >> 29;
	}
	const size_t i = mix % HASHED;

	if (hashed[i].len != len || memcmp(hashed[i].bytes, ptr, len) != 0) {
		__real_dr_keccak256(hashed[i].hash, ptr, len);
		hashed[i].len = len;
		memcpy(hashed[i].bytes, ptr, len);
	}
	memcpy(out, hashed[i].hash, 32);
}

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
		if (low == 0) {
			found(s);
		} else if (low >= 8) {
			pass(s);
		} else if (k->num_events < ACTS_MAX) { /* what most requests ask about */
			kit_node(k, NODE, DR_ROLE_KMS, KMS, 5);
			ACT(k, DR_ACTION_APP_REGISTER, 0, DEPLOYER, 0, kit_b(APP), kit_b(0x0c), kit_n(APP_NOTICE),
			    kit_n(3));
		}
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

/* The chain's first block is one of four, with or without noise, that founds or not: made once, at the bottom of the
 * pool. */
static struct forge *first(size_t which)
{
	static struct forge made[4];
	static size_t used;
	struct script s = { .forge = NULL };

	for (size_t i = 0; used == 0 || i % 4 != 0; i++) {
		s.forge = forge_new(3);
		s.forge->noise = i % 2 != 0;
		k->time = 1000000 - 1;
		if (i / 2 != 0)
			found(&s);
		else
			block(&s, NULL, 1);
		made[i] = *s.forge;
		used = kit_used;
	}
	kit_used = used;
	struct forge *forge = (struct forge *)kit_alloc(sizeof(*forge));

	*forge = made[which];
	forge->blocks = (struct forge_block **)kit_alloc(BLOCKS * sizeof(struct forge_block *));
	forge->blocks[0] = forge->tip;
	k->time = forge->tip->header.timestamp;
	k->num_events = 0;
	return forge;
}

/* One input in sixteen. */
static bool share(const uint8_t *data, size_t size)
{
	uint32_t mix = 1;

	for (size_t i = 0; i < size; i++)
		mix = (mix ^ data[i]) * 0x01000193u;
	return (mix >> 16) % 16 == 0;
}

static void script(const uint8_t *data, size_t size)
{
	static struct dr_init init;
	static struct script s;
	struct dr_fail fail = { 0 };

	dr_reader_init(&s.r, dr_bytes_of(data, size < DATA_MAX ? size : DATA_MAX), &fail);
	const uint8_t flags = dr_reader_u8(&s.r);
	const bool replayed = share(data, size);
	struct dr_reader rest = s.r;

	s = (struct script){ .forge = first((flags & 1) | (flags >> 5 & 2)), .r = rest, .boot_ms = 5000 };
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
	if (replayed)
		replay_kept(&s.run, &init);
	run_free(&s.run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dr_fail fail = { 0 };

	if (k == NULL) {
		k = kit_new();
		DR_ASSERT(dr_profile_encode(profile, sizeof(profile), &profile_len, &k->profile, &fail) == DR_OK);
	}
	kit_used = 0;
	k->proposals = 0;
	srand(1);
	if (size > 0)
		script(data, size);
	return 0;
}
