/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_ledger append|verify LEDGER; bench_ledger store LEDGER FOLDER: the entries that bench_make made.
 *
 *   append   each entry is hashed and put into the RFC 6962 tree: what the engine does for a change
 *   verify   every entry is hashed again, and the root must be the one that was told
 *   store    appended to a store, a commit each thousand; then opened again, where everything is verified. The second
 *            line is the opening's
 *
 * Then with one bit of one entry changed.
 */
#include "chain/crypto/sha256.h"
#include "kms-bridge/core/store.h"
#include "kms-bridge/merkle.h"
#include "tests/bench/bench.h"

#define BATCH 1000u

struct ledger {
	FILE *file;
	uint64_t num;
	uint8_t root[32];
};

static void open_ledger(struct ledger *l, const char *path)
{
	uint8_t bytes[8];

	if (l->file == NULL)
		l->file = fopen(path, "rb");
	bench_must(l->file != NULL, path);
	rewind(l->file);
	bench_must(fread(bytes, 1, 8, l->file) == 8 && fread(l->root, 1, 32, l->file) == 32, path);
	l->num = dr_be64_get(bytes);
}

static struct dr_bytes next_leaf(struct ledger *l)
{
	static uint8_t leaf[1024];
	uint8_t len[2];

	bench_must(fread(len, 1, 2, l->file) == 2, "a short file");
	const size_t num = (size_t)len[0] << 8 | len[1];

	bench_must(num <= sizeof(leaf) && fread(leaf, 1, num, l->file) == num, "a short file");
	return dr_bytes_of(leaf, num);
}

/* The root of all entries; of the spoiled one (UINT64_MAX: none) a bit is another. */
static void root_of(struct ledger *l, const char *path, uint64_t spoiled, uint8_t root[static 32])
{
	struct dr_merkle tree;
	uint8_t hash[32];

	open_ledger(l, path);
	dr_merkle_init(&tree);
	for (uint64_t i = 0; i < l->num; i++) {
		const struct dr_bytes leaf = next_leaf(l);

		if (i == spoiled)
			((uint8_t *)(uintptr_t)leaf.ptr)[leaf.len / 2] ^= 1;
		dr_merkle_leaf(hash, leaf);
		dr_merkle_add(&tree, hash);
	}
	dr_merkle_root(root, &tree);
}

static void tree(const char *task, const char *path)
{
	struct bench b = bench_begin(task);
	struct ledger l = { 0 };
	uint8_t root[32], other[32];

	while (b.done < b.rounds) {
		bench_start(&b);
		root_of(&l, path, UINT64_MAX, root);
		bench_stop(&b);
		bench_must(memcmp(root, l.root, 32) == 0, "the root differs");
	}
	root_of(&l, path, l.num / 2, other);
	bench_end(&b, (double)l.num, bench_hex(root), memcmp(other, l.root, 32) == 0 ? "accepted" : "refused", "");
}

static const struct dr_store_identity id = { .chain_id = 31337, .proof = DR_PROOF_QUORUM };

static void fill(struct dr_store *s, struct ledger *l)
{
	const struct dr_store_marks marks = { .has_final = true, .final_number = 1 };
	struct dr_fail fail = { 0 };

	for (uint64_t i = 0; i < l->num; i++) {
		struct dr_entry e = { .idx = i, .leaf = next_leaf(l) };

		dr_merkle_leaf(e.leaf_hash, e.leaf);
		dr_store_log_add(s, DR_LOG_LEDGER, &e, &fail);
		if (i % BATCH == BATCH - 1 || i + 1 == l->num)
			dr_store_commit(s, &marks, &fail);
		bench_ok(&fail, "the store");
	}
}

static void clear(const char *dir)
{
	static const char *const files[] = { "derot.db", "derot.db-wal", "derot.db-shm", "lock" };
	char path[600];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

/* A bit of the middle of the file that holds most entries, and so of some entry. */
static void spoil(const char *dir)
{
	char path[600];
	uint8_t byte;

	snprintf(path, sizeof(path), "%s/derot.db", dir);
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	const off_t at = lseek(fd, 0, SEEK_END) / 2;

	bench_must(fd >= 0 && pread(fd, &byte, 1, at) == 1, path);
	byte ^= 1;
	bench_must(pwrite(fd, &byte, 1, at) == 1 && close(fd) == 0, path);
}

static struct dr_store *open_store(const char *dir, char why[static DR_TEXT_MAX])
{
	struct dr_fail fail = { 0 };

	return dr_store_open(dir, false, &id, why, &fail);
}

static void store(const char *path, const char *folder)
{
	struct bench append = bench_begin("append to the store"), again = bench_begin("open the store");
	char dir[512], db[600], why[DR_TEXT_MAX], more[100];
	struct ledger l = { 0 };
	struct dr_store *s;
	uint8_t root[32];
	struct stat st;

	snprintf(dir, sizeof(dir), "%s/ledger", folder);
	while (append.done < (append.rounds + 1) / 2) {
		clear(dir);
		open_ledger(&l, path);
		s = open_store(dir, why);
		bench_must(s != NULL, why);
		bench_start(&append);
		fill(s, &l);
		bench_stop(&append);
		dr_store_close(s);
	}
	while (again.done < again.rounds) {
		bench_start(&again);
		s = open_store(dir, why);
		bench_stop(&again);
		bench_must(s != NULL, why);
		dr_merkle_root(root, dr_store_log_edge(s, DR_LOG_LEDGER));
		bench_must(memcmp(root, l.root, 32) == 0, "the root differs");
		dr_store_close(s);
	}
	snprintf(db, sizeof(db), "%s/derot.db", dir);
	bench_must(stat(db, &st) == 0, db);
	snprintf(more, sizeof(more), "\"bytes\":%lld,", (long long)st.st_size);
	bench_end(&append, (double)l.num, bench_hex(root), "", more);
	spoil(dir);
	s = open_store(dir, why);
	bench_end(&again, (double)l.num, bench_hex(root), s == NULL ? "refused" : "accepted", more);
	dr_store_close(s);
	clear(dir);
}

int main(int argc, char **argv)
{
	bench_must(argc >= 3, "bench_ledger append|verify|store LEDGER [FOLDER]");
	if (strcmp(argv[1], "store") == 0) {
		bench_must(argc == 4, "bench_ledger store LEDGER FOLDER");
		store(argv[2], argv[3]);
	} else {
		tree(argv[1], argv[2]);
	}
	return 0;
}
