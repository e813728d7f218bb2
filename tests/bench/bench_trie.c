/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_trie receipts FILE | proofs FILE: the receipts roots of an evidence file's blocks, and account proofs of
 * seven nodes, alone: what replay and state proofs rest on. Then the same with one bit changed.
 */
#include "chain/base/arena.h"
#include "chain/base/reader.h"
#include "chain/crypto/sha256.h"
#include "chain/evidence.h"
#include "chain/evm/header.h"
#include "chain/evm/receipt.h"
#include "chain/evm/state_proof.h"
#include "tests/bench/bench.h"

#define BLOCKS 64u
#define NODES  7u
#define PROOFS 4096u

struct block {
	uint8_t root[32];
	uint32_t num;
	struct dr_bytes *receipts;
};

struct proof {
	const uint8_t *root, *address;
	size_t num;
	struct dr_bytes nodes[NODES];
};

static struct dr_bytes read_file(const char *path, size_t max)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(max);

	bench_must(file != NULL && bytes != NULL, path);
	const size_t len = fread(bytes, 1, max, file);

	fclose(file);
	return dr_bytes_of(bytes, len);
}

static size_t read_blocks(struct block *blocks, struct dr_bytes file)
{
	size_t headers = 0, num = 0, used;
	struct dr_frame frame;
	struct dr_fail fail = { 0 };

	file = dr_bytes_of(file.ptr + DR_EVIDENCE_HEAD_LEN, file.len - DR_EVIDENCE_HEAD_LEN);
	/* A batch's headers come before its receipts, in one order. */
	for (; file.len > 0 && dr_frame_get(&frame, &used, file, &fail) == DR_OK;
	     file = dr_bytes_of(file.ptr + used, file.len - used)) {
		if (frame.type == DR_FRAME_HEADER && headers < BLOCKS) {
			struct dr_evm_header h;

			dr_evm_header_decode(&h, frame.payload, &fail);
			bench_ok(&fail, "a header");
			memcpy(blocks[headers++].root, h.receipts_root, 32);
		}
		if (frame.type != DR_FRAME_RECEIPTS || num == headers)
			continue;
		struct block *b = &blocks[num++];
		struct dr_reader r;

		dr_reader_init(&r, frame.payload, &fail);
		dr_reader_view(&r, 32);
		b->num = dr_reader_u32(&r);
		b->receipts = malloc((b->num + 1) * sizeof(*b->receipts));
		bench_must(b->receipts != NULL, "memory");
		for (uint32_t i = 0; i < b->num; i++)
			b->receipts[i] = dr_reader_view(&r, dr_reader_u32(&r));
		dr_reader_end(&r);
		bench_ok(&fail, "receipts");
	}
	return num;
}

static bool root_is_right(const struct block *b, struct dr_arena *arena)
{
	struct dr_fail fail = { 0 };
	uint8_t root[32];

	dr_arena_reset(arena);
	return dr_evm_receipts_root(root, b->receipts, b->num, arena, &fail) == DR_OK &&
	       memcmp(root, b->root, 32) == 0;
}

static void receipts(const char *path)
{
	struct bench b = bench_begin("receipts");
	struct block *blocks = calloc(BLOCKS, sizeof(*blocks));
	const struct dr_bytes file = read_file(path, 8u << 20);
	struct dr_arena *arena = dr_arena_new(64u << 20);
	struct dr_bytes sum[BLOCKS];
	uint8_t hash[32];
	char more[100];

	bench_must(blocks != NULL && arena != NULL, "memory");
	const size_t num = read_blocks(blocks, file);

	bench_must(num > 0, "no blocks");
	while (b.done < b.rounds) {
		bench_start(&b);
		for (size_t i = 0; i < num; i++)
			bench_must(root_is_right(&blocks[i], arena), "a root differs");
		bench_stop(&b);
	}
	for (size_t i = 0; i < num; i++)
		sum[i] = dr_bytes_of(blocks[i].root, 32);
	dr_sha256(hash, sum, num);
	uint8_t *victim = (uint8_t *)(uintptr_t)blocks[num / 2].receipts[0].ptr;

	victim[blocks[num / 2].receipts[0].len / 2] ^= 1;
	snprintf(more, sizeof(more), "\"receipts\":%u,", blocks[0].num);
	bench_end(&b, (double)num, bench_hex(hash), root_is_right(&blocks[num / 2], arena) ? "accepted" : "refused",
		  more);
}

static size_t read_proofs(struct proof *proofs, struct dr_bytes file)
{
	struct dr_fail fail = { 0 };
	struct dr_reader r;

	dr_reader_init(&r, file, &fail);
	const size_t num = dr_reader_u32(&r);

	bench_must(num > 0 && num <= PROOFS, "number of proofs");
	for (size_t i = 0; i < num; i++) {
		proofs[i].root = dr_reader_view(&r, 32).ptr;
		proofs[i].address = dr_reader_view(&r, 20).ptr;
		proofs[i].num = dr_reader_u16(&r);
		bench_must(proofs[i].num <= NODES, "nodes of a proof");
		for (size_t j = 0; j < proofs[i].num; j++)
			proofs[i].nodes[j] = dr_reader_view(&r, dr_reader_u16(&r));
	}
	dr_reader_end(&r);
	bench_ok(&fail, "proofs");
	return num;
}

static bool verify(struct dr_evm_account *account, const struct proof *p)
{
	struct dr_fail fail = { 0 };

	return dr_evm_account_verify(account, p->root, p->address, p->nodes, p->num, &fail) == DR_OK &&
	       account->present;
}

static void proofs(const char *path)
{
	struct bench b = bench_begin("proofs");
	struct proof *proofs = calloc(PROOFS, sizeof(*proofs));
	const struct dr_bytes file = read_file(path, 8u << 20);
	uint8_t(*seen)[32] = calloc(PROOFS, 32), hash[32];
	struct dr_bytes sum[1];
	struct dr_evm_account account;
	bool accepted = false;
	double work = 0;

	bench_must(proofs != NULL && seen != NULL, "memory");
	const size_t num = read_proofs(proofs, file);
	const unsigned times = 1 + (unsigned)(20000 / num);

	while (b.done < b.rounds) {
		bench_start(&b);
		for (unsigned again = 0; again < times; again++)
			for (size_t i = 0; i < num; i++) {
				bench_must(verify(&account, &proofs[i]), "a true proof was refused");
				memcpy(seen[i], account.code_hash, 32);
			}
		bench_stop(&b);
		work = (double)num * times;
	}
	sum[0] = dr_bytes_of(seen, num * 32);
	dr_sha256(hash, sum, 1);
	for (size_t i = 0; i < proofs[0].num; i++) {
		uint8_t *victim = (uint8_t *)(uintptr_t)proofs[0].nodes[i].ptr + proofs[0].nodes[i].len / 2;

		*victim ^= 1;
		accepted |= verify(&account, &proofs[0]);
		*victim ^= 1;
	}
	bench_end(&b, work, bench_hex(hash), accepted ? "accepted" : "refused", "");
}

int main(int argc, char **argv)
{
	bench_must(argc == 3, "bench_trie receipts|proofs FILE");
	if (strcmp(argv[1], "receipts") == 0)
		receipts(argv[2]);
	else
		proofs(argv[2]);
	return 0;
}
