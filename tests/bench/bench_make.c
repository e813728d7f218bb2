/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_make WHAT …: the bytes that derot and its peers are both given. The same arguments give the same bytes.
 *
 *   chain FILE BLOCKS RECEIPTS EVENTS    an evidence file: BLOCKS blocks of RECEIPTS receipts each. Of a thousand,
 * some 400 move ether and log nothing; the others have one to four logs, as tokens and exchanges make them. A quarter
 * is of type 0, the rest of type 2. EVENTS of a hundred blocks have, in one of these receipts, events of the followed
 * contract. events FILE LEDGER NUM          NUM events of a contract's long life, a block every 12 s, and the entries
 * that the fold makes of them proofs FILE NUM                 NUM account proofs of seven nodes: six full branches
 * and a leaf
 *
 * events: u64 num · u64 blocks · state digest 32 · blocks × (u64 number · u64 time · u32 num · num × (topic0 32 · u32
 * len · data)). Ledger: u64 num · root 32 · num × (u16 len · leaf). Proofs: u32 num · num × (root 32 · address 20 ·
 * u16 num · num × (u16 len · node)). Integers are big-endian.
 */
#include "chain/codec/rlp.h"
#include "chain/evidence.h"
#include "chain/evm/bloom.h"
#include "chain/evm/follow.h"
#include "chain/evm/header.h"
#include "chain/evm/quorum.h"
#include "chain/evm/receipt.h"
#include "kms-bridge/proto.h"
#include "tests/bench/acts.h"
#include "tests/unit/chain/forge.h"

#define START    100u
#define RECEIPTS 2000u
#define LOGS     128u
#define PERIOD_S 12u
#define BATCH    32u /* blocks between two that are named final */

static FILE *out;

static void put(FILE *to, const void *ptr, size_t len)
{
	bench_must(fwrite(ptr, 1, len, to) == len, "a file could not be written");
}

static void put_int(FILE *to, uint64_t value, size_t len)
{
	uint8_t bytes[8];

	dr_be64_put(bytes, value);
	put(to, bytes + 8 - len, len);
}

static void put_frame(uint16_t type, uint16_t source, struct dr_bytes payload)
{
	const struct dr_frame frame = { type, source, payload };
	struct dr_fail fail = { 0 };
	static struct dr_buf buf;

	if (buf.cap == 0)
		dr_buf_init(&buf, 64u << 20);
	buf.len = 0;
	dr_frame_put(&buf, &frame, &fail);
	bench_ok(&fail, "a frame");
	put(out, buf.ptr, buf.len);
}

static void put_clock(uint16_t type, uint64_t time)
{
	uint8_t payload[16];

	dr_be64_put(payload, (time - 900000) * 1000);
	dr_be64_put(payload + 8, time * 1000);
	put_frame(type, DR_SOURCE_CORE, dr_bytes_of(payload, sizeof(payload)));
}

/* ---- receipts ---- */

static uint64_t seed = 0x6c6f67732d303031;

static uint64_t below(uint64_t num)
{
	return (bench_random(&seed) >> 16) % num;
}

/* An account's address as a topic; some are met more often than others. */
static void put_account(uint8_t topic[static 32])
{
	uint64_t who = below(4) == 0 ? below(50) : 1000 + below(200000);

	memset(topic, 0, 32);
	who ^= 0x9e3779b97f4a7c15;
	bench_fill(topic + 12, 20, &who);
}

/* A log as tokens (one word of data; or a fourth topic and none) and exchanges (five words) write it. */
static struct dr_evm_log foreign_log(void)
{
	static const uint8_t words[5 * 32] = { [30] = 9, [62] = 8, [94] = 7, [126] = 6, [158] = 5 };
	uint64_t token = 0x5851f42d4c957f2d + (below(2) == 0 ? below(8) : below(3000)), kind = below(20);
	struct dr_evm_log log = { .num_topics = kind == 0 ? 4 : kind < 3 ? 2 : 3 };

	bench_fill(log.address, 20, &token);
	token = 0x2545f4914f6cdd1d + (kind < 12 ? 0 : kind);
	bench_fill(log.topics[0], 32, &token);
	for (size_t i = 1; i < log.num_topics; i++)
		put_account(log.topics[i]);
	log.data = dr_bytes_of(words, kind == 0 ? 0 : kind < 14 ? 32 : sizeof(words));
	return log;
}

static unsigned logs_of_receipt(void)
{
	const uint64_t r = below(100);

	return r < 40 ? 0 : r < 65 ? 1 : r < 80 ? 2 : r < 90 ? 3 : 4;
}

/* ---- the chain ---- */

struct chain {
	struct acts acts;
	struct forge *forge; /* the contract's state at the first block */
	struct forge_block *first;
	struct dr_evm_header header;
	struct dr_arena *arena;
	struct dr_buf payloads[BATCH], headers[BATCH];
	struct dr_evm_log logs[KIT_EVENTS + LOGS];
};

static void add_receipt(struct chain *c, struct dr_buf *to, size_t idx, size_t num_logs, struct dr_bytes *receipt)
{
	struct dr_evm_receipt r = { .type = below(4) == 0 ? 0 : 2, .status = below(50) != 0 || num_logs > 0 };
	struct dr_fail fail = { 0 };
	const size_t at = to->len;

	r.cumulative_gas = 21000 + 60000 * idx;
	dr_buf_append(to, "\0\0\0\0", 4, &fail);
	dr_evm_receipt_encode(to, &r, c->logs, num_logs, &fail);
	bench_ok(&fail, "a receipt");
	const size_t len = to->len - at - 4;

	for (size_t i = 0; i < 4; i++)
		to->ptr[at + i] = (uint8_t)(len >> (24 - 8 * i));
	*receipt = dr_bytes_of((const uint8_t *)NULL + at + 4, len); /* the buffer may move yet */
	for (size_t i = 0; i < num_logs; i++) {
		dr_evm_bloom_add(c->header.bloom, c->logs[i].address, 20);
		for (size_t j = 0; j < c->logs[i].num_topics; j++)
			dr_evm_bloom_add(c->header.bloom, c->logs[i].topics[j], 32);
	}
}

/* The events that wait in the kit, as logs of the contract. */
static size_t own_logs(struct chain *c)
{
	const struct kit *k = c->acts.k;

	for (size_t i = 0; i < k->num_events; i++) {
		c->logs[i] = (struct dr_evm_log){ .num_topics = 1, .data = k->events[i].data };
		memcpy(c->logs[i].address, k->fold.contract, 20);
		memcpy(c->logs[i].topics[0], k->events[i].topic0, 32);
	}
	return k->num_events;
}

static void make_block(struct chain *c, size_t slot, size_t num_receipts)
{
	static size_t offsets[RECEIPTS];
	static struct dr_bytes receipts[RECEIPTS];
	struct dr_buf *to = &c->payloads[slot];
	struct dr_fail fail = { 0 };
	const size_t own = c->acts.k->num_events > 0 ? below(num_receipts) : num_receipts;
	uint8_t head[36] = { 0 }, rlp[2048];
	size_t len;

	memset(c->header.bloom, 0, 256);
	to->len = c->headers[slot].len = 0;
	dr_buf_append(to, head, sizeof(head), &fail);
	for (size_t i = 0; i < num_receipts; i++) {
		size_t num = i == own ? own_logs(c) : 0;

		for (size_t more = i == own ? 0 : logs_of_receipt(); more > 0; more--)
			c->logs[num++] = foreign_log();
		add_receipt(c, to, i, num, &receipts[i]);
		offsets[i] = (size_t)(receipts[i].ptr - (const uint8_t *)NULL);
	}
	for (size_t i = 0; i < num_receipts; i++)
		receipts[i].ptr = to->ptr + offsets[i];
	dr_arena_reset(c->arena);
	dr_evm_receipts_root(c->header.receipts_root, receipts, num_receipts, c->arena, &fail);
	bench_ok(&fail, "a receipts root");
	acts_block(&c->acts, PERIOD_S);
	c->header.number = c->acts.k->number;
	c->header.timestamp = c->acts.k->time;
	c->header.gas_used = 21000 + 60000 * num_receipts;
	bench_fill(c->header.state_root, 32, &seed);
	if (c->header.number == START)
		memcpy(c->header.state_root, c->first->state->state_root, 32);
	bench_fill(c->header.transactions_root, 32, &seed);
	bench_fill(c->header.mix_hash, 32, &seed);
	bench_fill(c->header.withdrawals_root, 32, &seed);
	bench_fill(c->header.parent_beacon_root, 32, &seed);
	dr_evm_header_encode(rlp, sizeof(rlp), &len, &c->header, &fail);
	bench_ok(&fail, "a header");
	dr_buf_append(&c->headers[slot], rlp, len, &fail);
	dr_keccak256(c->header.hash, rlp, len);
	memcpy(c->header.parent_hash, c->header.hash, 32);
	memcpy(to->ptr, c->header.hash, 32);
	for (size_t i = 0; i < 4; i++)
		to->ptr[32 + i] = (uint8_t)(num_receipts >> (24 - 8 * i));
}

static void put_about(const struct chain *c)
{
	static uint8_t profile[DR_PROFILE_LEN_MAX];
	static struct dr_init about;
	const struct kit *k = c->acts.k;
	struct dr_fail fail = { 0 };
	struct dr_buf message;
	struct dr_bytes payload;
	size_t len, used;
	uint16_t type;

	dr_profile_encode(profile, sizeof(profile), &len, &k->profile, &fail);
	about = (struct dr_init){ .version = DR_PROTO_VERSION,
				  .mode = DR_MODE_RECORD,
				  .proof = DR_PROOF_QUORUM,
				  .way = DR_WAY_RECEIPTS,
				  .chain_id = k->fold.chain_id,
				  .start_number = START,
				  .quorum_k = 1,
				  .quorum_n = 1,
				  .step_max = DR_FOLLOW_STEP_MAX,
				  .max_staleness_s = 1u << 30,
				  .profile = dr_bytes_of(profile, len) };
	memcpy(about.genesis, k->fold.genesis, 32);
	memcpy(about.contract, k->fold.contract, 20);
	memcpy(about.start_hash, c->header.hash, 32);
	snprintf(about.endpoints[0], sizeof(about.endpoints[0]), "made");
	dr_buf_init(&message, 1u << 20);
	dr_init_put(&message, DR_MSG_INIT, &about, &fail);
	dr_msg_get(&type, &payload, &used, dr_buf_view(&message), &fail);
	bench_ok(&fail, "the recorder's claim");
	put_frame(DR_FRAME_ABOUT, DR_SOURCE_CORE, payload);
	dr_buf_free(&message);
}

static void put_head(const struct chain *c)
{
	struct dr_evidence_head head = { DR_FAMILY_EVM, c->acts.k->fold.chain_id, { 0 } };
	uint8_t bytes[DR_EVIDENCE_HEAD_LEN];

	memcpy(head.genesis, c->acts.k->fold.genesis, 32);
	dr_evidence_head_put(bytes, &head);
	put(out, bytes, sizeof(bytes));
}

static void put_final(const struct chain *c)
{
	uint8_t payload[DR_QUORUM_PAYLOAD_LEN];

	dr_quorum_payload(payload, DR_STATUS_FINAL, c->header.number, c->header.hash);
	put_frame(DR_FRAME_FINALITY, 0, dr_bytes_of(payload, sizeof(payload)));
}

/* What the contract's slots hold after its first block: the proof of it is in the evidence, so that the code is known
 * to be the pinned one, as on a real chain. Later proofs are left out. */
static void found_state(struct chain *c)
{
	const struct kit *k = c->acts.k;
	uint8_t acc[32] = { 0 }, word[32];
	uint64_t count = 0;

	c->forge = forge_new(1);
	c->first = dr_heap_alloc(sizeof(*c->first));
	c->first->state = forge_state_of(c->forge, NULL);
	for (size_t i = 0; i < k->num_events; i++) {
		struct forge_event e = { .data = k->events[i].data };

		memcpy(e.topic0, k->events[i].topic0, 32);
		forge_roll(&count, acc, START, k->time + PERIOD_S, &e);
	}
	dr_word_put(word, count);
	forge_word_put(c->first->state, 0, word);
	forge_word_put(c->first->state, 1, acc);
	forge_root(c->forge, c->first->state);
}

static void put_state(const struct chain *c)
{
	uint8_t slots[2][32] = { { 0 }, { [31] = 1 } };
	const struct dr_frame f =
		frame_state(c->forge, c->first, c->forge->contract, (const uint8_t(*)[32])slots, 2, 0);

	put_frame(f.type, f.source, f.payload);
}

static void make_chain(size_t blocks, size_t receipts, size_t events)
{
	struct chain *c = dr_heap_alloc(sizeof(*c));
	unsigned settled = 0;
	size_t slot = 0;

	bench_must(receipts > 0 && receipts <= RECEIPTS, "1 to 2000 receipts");
	acts_new(&c->acts, START);
	c->header.num_fields = 21;
	c->header.gas_limit = 60000000;
	c->arena = dr_arena_new(64u << 20);
	memset(c->header.parent_hash, 0x99, 32);
	for (size_t i = 0; i < BATCH; i++) {
		dr_buf_init(&c->payloads[i], 48u << 20);
		dr_buf_init(&c->headers[i], 4096);
	}
	for (size_t i = 0; i < blocks; i++) {
		if (i == 0) {
			acts_found(&c->acts, PERIOD_S);
			found_state(c);
		} else if (!acts_settle(&c->acts, settled++) && below(100) < events)
			acts_fill(&c->acts, 1 + (unsigned)below(3), PERIOD_S);
		make_block(c, slot++, receipts);
		if (i == 0) {
			memcpy(c->first->header.hash, c->header.hash, 32);
			memcpy(c->first->header.state_root, c->header.state_root, 32);
			put_head(c);
			put_about(c);
			put_clock(DR_FRAME_START, c->acts.k->time);
		}
		if (slot < BATCH && i + 1 < blocks)
			continue;
		put_clock(DR_FRAME_CLOCK, c->acts.k->time);
		put_final(c);
		for (size_t j = 0; j < slot; j++)
			put_frame(DR_FRAME_HEADER, 0, dr_buf_view(&c->headers[j]));
		for (size_t j = 0; j < slot; j++) {
			put_frame(DR_FRAME_RECEIPTS, 0, dr_buf_view(&c->payloads[j]));
			if (i < BATCH && j == 0)
				put_state(c);
		}
		slot = 0;
	}
}

/* ---- events and the ledger ---- */

struct events {
	struct acts acts;
	FILE *ledger;
	struct dr_merkle tree;
	uint64_t num, max, blocks;
};

static void put_block(struct events *e)
{
	struct kit *k = e->acts.k;

	if (k->num_events > e->max - e->num)
		k->num_events = e->max - e->num;
	put_int(out, k->number + 1, 8);
	put_int(out, k->time + PERIOD_S, 8);
	put_int(out, k->num_events, 4);
	for (size_t i = 0; i < k->num_events; i++) {
		put(out, k->events[i].topic0, 32);
		put_int(out, k->events[i].data.len, 4);
		put(out, k->events[i].data.ptr, k->events[i].data.len);
	}
	e->num += k->num_events;
	acts_block(&e->acts, PERIOD_S);
	for (size_t i = 0; i < k->num_changes && e->tree.size < e->max; i++) {
		uint8_t leaf[DR_CHANGE_LEN_MAX], hash[32];
		struct dr_fail fail = { 0 };
		size_t len;

		dr_change_encode(leaf, sizeof(leaf), &len, &k->changes[i], &fail);
		bench_ok(&fail, "an entry");
		put_int(e->ledger, len, 2);
		put(e->ledger, leaf, len);
		dr_merkle_leaf(hash, dr_bytes_of(leaf, len));
		dr_merkle_add(&e->tree, hash);
	}
}

static void make_events(const char *ledger, uint64_t num)
{
	struct events *e = dr_heap_alloc(sizeof(*e));
	uint8_t hash[32] = { 0 };
	unsigned settled = 0;

	e->ledger = fopen(ledger, "w+b");
	e->max = num;
	bench_must(e->ledger != NULL, ledger);
	acts_new(&e->acts, START);
	put_int(out, 0, 8);
	put_int(out, 0, 8);
	put(out, hash, 32);
	put_int(e->ledger, 0, 8);
	put(e->ledger, hash, 32);
	acts_found(&e->acts, PERIOD_S);
	do {
		put_block(e);
		e->blocks++;
		if (!acts_settle(&e->acts, settled++))
			acts_fill(&e->acts, 1 + (unsigned)below(19), PERIOD_S);
	} while (e->num < num);
	e->acts.k->num_events = 0;
	bench_must(fseek(out, 0, SEEK_SET) == 0 && fseek(e->ledger, 0, SEEK_SET) == 0, "seek");
	dr_state_digest(hash, &e->acts.k->state);
	put_int(out, num, 8);
	put_int(out, e->blocks, 8);
	put(out, hash, 32);
	dr_merkle_root(hash, &e->tree);
	put_int(e->ledger, e->tree.size, 8);
	put(e->ledger, hash, 32);
	bench_must(fclose(e->ledger) == 0, "the ledger could not be written");
}

/* ---- proofs ---- */

#define DEPTH 7u

static size_t make_leaf(uint8_t *to, const uint8_t key[static 32])
{
	uint8_t path[32] = { 0 }, word[32], account[128];
	struct dr_fail fail = { 0 };
	struct dr_writer value, w;

	/* Six nibbles were walked: 58 are left, an even number. */
	path[0] = 0x20;
	memcpy(path + 1, key + 3, 29);
	dr_writer_init(&value, account, sizeof(account), &fail);
	dr_rlp_put_list(&value, 1 + 9 + 33 + 33);
	dr_rlp_put_u64(&value, 1 + below(100));
	bench_fill(word, 32, &seed);
	word[0] |= 1;
	dr_rlp_put(&value, dr_bytes_of(word, 8));
	dr_rlp_put(&value, dr_bytes_of(word, 32));
	dr_rlp_put(&value, dr_bytes_of(key, 32));
	dr_writer_init(&w, to, 256, &fail);
	dr_rlp_put_list(&w, dr_rlp_len(dr_bytes_of(path, 30)) + dr_rlp_len(dr_writer_view(&value)));
	dr_rlp_put(&w, dr_bytes_of(path, 30));
	dr_rlp_put(&w, dr_writer_view(&value));
	bench_ok(&fail, "a leaf");
	return w.len;
}

static size_t make_branch(uint8_t *to, unsigned nibble, const uint8_t child[static 32])
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, to, 600, &fail);
	dr_rlp_put_list(&w, 16 * 33 + 1);
	for (unsigned i = 0; i < 16; i++) {
		uint8_t hash[32];

		bench_fill(hash, 32, &seed);
		dr_rlp_put(&w, dr_bytes_of(i == nibble ? child : hash, 32));
	}
	dr_rlp_put(&w, dr_bytes_of(NULL, 0));
	bench_ok(&fail, "a branch");
	return w.len;
}

static void make_proofs(size_t num)
{
	put_int(out, num, 4);
	for (size_t p = 0; p < num; p++) {
		uint8_t address[20], key[32], hash[32], nodes[DEPTH][600];
		size_t lens[DEPTH];

		bench_fill(address, 20, &seed);
		dr_keccak256(key, address, 20);
		lens[DEPTH - 1] = make_leaf(nodes[DEPTH - 1], key);
		for (unsigned i = DEPTH - 1; i > 0; i--) {
			const unsigned at = i - 1;

			dr_keccak256(hash, nodes[i], lens[i]);
			lens[at] = make_branch(nodes[at], at % 2 == 0 ? key[at / 2] >> 4 : key[at / 2] & 15, hash);
		}
		dr_keccak256(hash, nodes[0], lens[0]);
		put(out, hash, 32);
		put(out, address, 20);
		put_int(out, DEPTH, 2);
		for (unsigned i = 0; i < DEPTH; i++) {
			put_int(out, lens[i], 2);
			put(out, nodes[i], lens[i]);
		}
	}
}

static size_t number(const char *text)
{
	return (size_t)strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	out = argc > 2 ? fopen(argv[2], "w+b") : NULL;
	bench_must(out != NULL, "bench_make WHAT FILE …: the file cannot be written");
	if (strcmp(what, "chain") == 0 && argc == 6)
		make_chain(number(argv[3]), number(argv[4]), number(argv[5]));
	else if (strcmp(what, "events") == 0 && argc == 5)
		make_events(argv[3], number(argv[4]));
	else if (strcmp(what, "proofs") == 0 && argc == 4)
		make_proofs(number(argv[3]));
	else
		bench_must(false, "usage: see the head of bench_make.c");
	bench_must(fclose(out) == 0, "the file could not be written");
	return 0;
}
