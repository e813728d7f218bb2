/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_hash [FILE]: what hashing costs, with each Keccak that this machine has: a permutation, a block's receipts
 * root, a state proof of seven nodes, and the replay of blocks with 200 receipts from evidence, down to the facts
 * that the follower hands out. Prints "name value unit" lines, the best of some rounds each. With FILE it writes the
 * evidence that it replayed, and beside it the anchor for derot replay --anchor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"
#include "chain/evm/follow.h"
#include "chain/evm/header.h"
#include "chain/evm/quorum.h"
#include "chain/evm/receipt.h"
#include "chain/evm/state_proof.h"
#include "chain/trie/mpt.h"

#define BLOCKS   512u
#define SETS     64u /* of receipts; the blocks take turns with them */
#define RECEIPTS 200u
#define ACCOUNTS 200000u
#define TOKENS   3000u
#define NODES    7u
#define START    1000u

static const char *const impl_names[] = { "portable", "avx2", "avx512" };
static struct dr_fail fail;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(bool claim, const char *what)
{
	if (claim)
		return;
	fprintf(stderr, "bench_hash: %s: %s\n", what, fail.what == NULL ? "failed" : fail.what);
	exit(1);
}

static uint64_t some(uint64_t below)
{
	static uint64_t seed = 42;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

/* The longer it runs the less the others on the machine are seen in it. */
struct best {
	double took, begun, until;
};

static bool again(struct best *b, double for_s)
{
	const double now = now_s();

	if (b->until == 0)
		b->until = now + for_s;
	else if (b->took == 0 || now - b->begun < b->took)
		b->took = now - b->begun;
	b->begun = now_s();
	return b->begun < b->until;
}

/* ---- permutations ---- */

static void bench_permutations(const char *impl)
{
	static uint8_t bytes[256 * 136], out[256][32];
	struct dr_bytes runs[256];
	struct best b = { 0 };

	for (size_t i = 0; i < 256; i++)
		runs[i] = dr_bytes_of(bytes + 136 * i, 135);
	while (again(&b, 0.5))
		dr_keccak256_many(out, runs, 256);
	printf("%s.permutation %.1f ns\n", impl, b.took / 256 * 1e9);
}

/* ---- receipts ---- */

static uint8_t account_of[ACCOUNTS][20], token_of[TOKENS][20];

static void make_names(void)
{
	for (size_t i = 0; i < ACCOUNTS; i++)
		for (size_t b = 0; b < 20; b++)
			account_of[i][b] = (uint8_t)some(256);
	for (size_t i = 0; i < TOKENS; i++)
		for (size_t b = 0; b < 20; b++)
			token_of[i][b] = (uint8_t)some(256);
}

static void put_account(uint8_t topic[static 32])
{
	memcpy(topic + 12, account_of[some(4) == 0 ? some(50) : some(ACCOUNTS)], 20);
}

/* Four of ten only move ether; the others have one to four logs, a token's transfer or an exchange's five words. Half
 * of the logs are of a few tokens, a quarter of the accounts is of a few. */
static void make_receipt(struct dr_buf *out, struct dr_bytes *where, uint64_t gas)
{
	static const uint8_t data[5 * 32] = { 0 };
	struct dr_evm_receipt r = { .type = 2, .status = 1, .cumulative_gas = gas };
	struct dr_evm_log logs[4];
	const uint64_t kind = some(100);
	const size_t num = kind < 40 ? 0 : kind < 65 ? 1 : kind < 80 ? 2 : kind < 90 ? 3 : 4, from = out->len;

	memset(logs, 0, sizeof(logs));
	for (size_t i = 0; i < num; i++) {
		const uint64_t token = some(2) == 0 ? some(8) : some(TOKENS), event = some(20);

		memcpy(logs[i].address, token_of[token], 20);
		logs[i].num_topics = 3;
		memset(logs[i].topics[0], event < 12 ? 1 : (int)event, 32);
		put_account(logs[i].topics[1]);
		put_account(logs[i].topics[2]);
		logs[i].data = dr_bytes_of(data, event < 14 ? 32 : sizeof(data));
	}
	must(dr_evm_receipt_encode(out, &r, logs, num, &fail) == DR_OK, "a receipt");
	*where = dr_bytes_of(NULL, out->len - from); /* where it lies is known when the buffer no longer moves */
}

struct set {
	struct dr_buf bytes;
	struct dr_bytes receipts[RECEIPTS];
	uint8_t root[32], bloom[256];
};

static struct set sets[SETS];

static void make_sets(struct dr_arena *arena)
{
	size_t len = 0;

	for (size_t s = 0; s < SETS; s++) {
		dr_buf_init(&sets[s].bytes, (size_t)1 << 22);
		for (size_t i = 0; i < RECEIPTS; i++)
			make_receipt(&sets[s].bytes, &sets[s].receipts[i], 100000 * (i + 1));
		const uint8_t *at = sets[s].bytes.ptr;

		for (size_t i = 0; i < RECEIPTS; i++) {
			struct dr_evm_receipt r;

			sets[s].receipts[i].ptr = at;
			at += sets[s].receipts[i].len;
			must(dr_evm_receipt_decode(&r, sets[s].receipts[i], &fail) == DR_OK, "a receipt");
			for (size_t b = 0; b < 256; b++)
				sets[s].bloom[b] |= r.bloom[b];
		}
		len += sets[s].bytes.len;
		dr_arena_reset(arena);
		must(dr_evm_receipts_root(sets[s].root, sets[s].receipts, RECEIPTS, arena, &fail) == DR_OK, "a root");
	}
	printf("receipt.len %.0f bytes\n", (double)len / SETS / RECEIPTS);
}

static void bench_root(const char *impl, struct dr_arena *arena)
{
	struct best b = { 0 };
	uint8_t root[32];

	for (size_t s = 0; again(&b, 0.5); s = (s + 1) % SETS) {
		dr_arena_reset(arena);
		must(dr_evm_receipts_root(root, sets[s].receipts, RECEIPTS, arena, &fail) == DR_OK &&
			     memcmp(root, sets[s].root, 32) == 0,
		     "a root again");
	}
	printf("%s.receipts_root %.1f us\n", impl, b.took * 1e6);
}

/* ---- state proofs ---- */

/* Seven branches of which all but the last child's place are taken: the slot is proven absent below them. */
static void bench_proof(const char *impl)
{
	static uint8_t mem[NODES][600];
	const uint8_t slot[32] = { 1 };
	struct dr_bytes nodes[NODES];
	uint8_t root[32], key[32], node_hash[32];
	struct dr_evm_slot out;
	struct best b = { 0 };

	dr_keccak256(key, slot, 32);
	for (size_t i = NODES; i-- > 0;) {
		struct dr_writer w;
		const uint8_t nibble = i % 2 == 0 ? key[i / 2] >> 4 : key[i / 2] & 15;

		dr_writer_init(&w, mem[i], sizeof(mem[i]), &fail);
		dr_rlp_put_list(&w, i == NODES - 1 ? 15 * 33 + 2 : 16 * 33 + 1);
		for (size_t n = 0; n < 16; n++) {
			uint8_t other[32];

			memset(other, (int)(16 * i + n), 32);
			dr_rlp_put(&w, n != nibble      ? dr_bytes_of(other, 32)
				       : i == NODES - 1 ? dr_bytes_of(NULL, 0)
							: dr_bytes_of(node_hash, 32));
		}
		dr_rlp_put(&w, dr_bytes_of(NULL, 0));
		nodes[i] = dr_writer_view(&w);
		dr_keccak256(node_hash, nodes[i].ptr, nodes[i].len);
	}
	memcpy(root, node_hash, 32);
	while (again(&b, 0.5))
		for (size_t i = 0; i < 100; i++)
			must(dr_evm_slot_verify(&out, root, slot, nodes, NODES, &fail) == DR_OK && !out.present,
			     "a proof");
	printf("%s.state_proof %.0f /s\n", impl, 100 / b.took);
}

/* ---- replay ---- */

static struct dr_buf recording;
static uint8_t hashes[BLOCKS][32];

static void put(uint16_t type, const struct dr_buf *payload)
{
	const struct dr_frame frame = { .type = type, .payload = dr_buf_view(payload) };

	must(dr_frame_put(&recording, &frame, &fail) == DR_OK, "a frame");
}

static void make_recording(void)
{
	struct dr_buf p;
	uint8_t parent[32] = { 9 }, word[DR_QUORUM_PAYLOAD_LEN];
	const struct dr_evidence_head head = { .family = DR_FAMILY_EVM, .chain_id = 1 };
	uint8_t begin[DR_EVIDENCE_HEAD_LEN];
	struct dr_buf headers;

	dr_buf_init(&recording, (size_t)1 << 30);
	dr_buf_init(&headers, (size_t)1 << 24);
	dr_buf_init(&p, (size_t)1 << 24);
	dr_evidence_head_put(begin, &head);
	dr_buf_append(&recording, begin, sizeof(begin), &fail);
	for (size_t i = 0; i < BLOCKS; i++) {
		struct dr_evm_header h = { .num_fields = 21,
					   .number = START + i,
					   .timestamp = 1700000000 + 12 * i,
					   .gas_limit = 45000000,
					   .gas_used = 100000 * RECEIPTS };
		uint8_t buf[2048];
		size_t len;

		memcpy(h.parent_hash, parent, 32);
		memcpy(h.receipts_root, sets[i % SETS].root, 32);
		memcpy(h.bloom, sets[i % SETS].bloom, 256);
		must(dr_evm_header_encode(buf, sizeof(buf), &len, &h, &fail) == DR_OK, "a header");
		dr_keccak256(hashes[i], buf, len);
		memcpy(parent, hashes[i], 32);
		p.len = 0;
		dr_buf_append(&p, buf, len, &fail);
		struct dr_buf all = recording;

		recording = headers;
		put(DR_FRAME_HEADER, &p);
		headers = recording;
		recording = all;
	}
	dr_quorum_payload(word, DR_STATUS_FINAL, START + BLOCKS - 1, hashes[BLOCKS - 1]);
	p.len = 0;
	dr_buf_append(&p, word, sizeof(word), &fail);
	put(DR_FRAME_FINALITY, &p);
	dr_buf_append(&recording, headers.ptr, headers.len, &fail);
	for (size_t i = 0; i < BLOCKS; i++) {
		const struct set *set = &sets[i % SETS];
		uint8_t be[4] = { 0, 0, 0, RECEIPTS };

		p.len = 0;
		dr_buf_append(&p, hashes[i], 32, &fail);
		dr_buf_append(&p, be, 4, &fail);
		for (size_t r = 0; r < RECEIPTS; r++) {
			const size_t len = set->receipts[r].len;
			const uint8_t be_len[4] = { 0, 0, (uint8_t)(len >> 8), (uint8_t)len };

			dr_buf_append(&p, be_len, 4, &fail);
			dr_buf_append(&p, set->receipts[r].ptr, len, &fail);
		}
		put(DR_FRAME_RECEIPTS, &p);
	}
	must(fail.err == DR_OK, "a recording");
	dr_buf_free(&p);
	dr_buf_free(&headers);
}

#define FRAMES (2 * BLOCKS + 1)
static double frame_best[FRAMES];

static void replay(void)
{
	struct dr_quorum *q = dr_quorum_new(1, 1);
	struct dr_follow_config config = { .start_number = START, .step_max = DR_FOLLOW_STEP_MAX };
	size_t at = DR_EVIDENCE_HEAD_LEN, blocks = 0, frames = 0;

	must(q != NULL, "memory");
	memset(config.contract, 0xde, 20);
	config.way = DR_WAY_RECEIPTS;
	memcpy(config.start_hash, hashes[0], 32);
	config.finality = dr_quorum_finality(q);
	struct dr_follow *f = dr_follow_new(&config);

	must(f != NULL, "memory");
	while (at < recording.len) {
		const struct dr_bytes rest = dr_bytes_of(recording.ptr + at, recording.len - at);
		const struct dr_fact_block *block;
		const struct dr_fact_state *state;
		struct dr_finality_finding finding;
		struct dr_frame frame;
		size_t used;
		const double begun = now_s();

		must(dr_frame_get(&frame, &used, rest, &fail) == DR_OK, "a frame again");
		must(dr_follow_frame(f, &frame, &fail) == DR_TAKE_KEPT, "a frame taken");
		while (dr_follow_next(f, &block, &state, &finding) == DR_OUT_BLOCK)
			blocks++;
		const double took = now_s() - begun;

		if (frame_best[frames] == 0 || took < frame_best[frames])
			frame_best[frames] = took;
		frames++;
		at += used;
	}
	must(blocks == BLOCKS && frames == FRAMES, "all blocks handed out");
	dr_follow_free(f);
	dr_quorum_free(q);
}

static void bench_replay(const char *impl)
{
	double sum = 0;

	memset(frame_best, 0, sizeof(frame_best));
	for (size_t round = 0; round < 25; round++)
		replay();
	for (size_t i = 0; i < FRAMES; i++)
		sum += frame_best[i];
	printf("%s.replay %.0f blocks/s\n", impl, BLOCKS / sum);
}

static void write_recording(const char *path)
{
	char anchor[1024];
	FILE *file = fopen(path, "wb");

	must(file != NULL && fwrite(recording.ptr, 1, recording.len, file) == recording.len && fclose(file) == 0,
	     path);
	snprintf(anchor, sizeof(anchor), "%s.anchor.yaml", path);
	file = fopen(anchor, "w");
	must(file != NULL, anchor);
	fprintf(file, "chain:\n  id: 1\n  genesis: \"0x%064d\"\ncontract: \"0x", 0);
	for (size_t i = 0; i < 20; i++)
		fprintf(file, "de");
	fprintf(file, "\"\nstart:\n  block: %u\n  hash: \"0x", START);
	for (size_t i = 0; i < 32; i++)
		fprintf(file, "%02x", hashes[0][i]);
	fprintf(file, "\"\nprofile: derot-v1.yaml\n");
	must(fclose(file) == 0, anchor);
}

int main(int argc, char **argv)
{
	struct dr_arena *arena = dr_arena_new((size_t)64 << 20);
	struct rusage usage;

	must(arena != NULL, "memory");
	make_names();
	make_sets(arena);
	make_recording();
	if (argc > 1)
		write_recording(argv[1]);
	for (int i = DR_KECCAK_PORTABLE; i <= DR_KECCAK_AVX512; i++) {
		if (!dr_keccak_use((enum dr_keccak_impl)i))
			continue;
		bench_permutations(impl_names[i]);
		bench_root(impl_names[i], arena);
		bench_proof(impl_names[i]);
		bench_replay(impl_names[i]);
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("memory %ld KiB, of which recording %zu\n", usage.ru_maxrss, recording.len / 1024);
	return 0;
}
