/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_derive [FOLDER]: what a key request costs the core: two journal entries, each durable before the next step
 * (the intent, the release), and the derivation with its proof. Beside it what the disk takes, and what the store's
 * answers about a long journal cost. FOLDER, default /var/tmp, is on the disk that is measured.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kms-bridge/core/keys.h"
#include "kms-bridge/core/store.h"

#define REQUESTS 2000u
#define JOURNAL  200000u /* entries of the long one */
#define PROOFS   2000u
#define LEAF_LEN 250u /* about that of a note */

static struct dr_fail fail;

static double read_s(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double now_s(void)
{
	return read_s(CLOCK_MONOTONIC);
}

static void must(bool claim, const char *what)
{
	if (claim)
		return;
	fprintf(stderr, "bench_derive: %s: %s\n", what, fail.what == NULL ? "failed" : fail.what);
	exit(1);
}

/* What one write and its way to the disk take, without a database. */
static double disk_s(const char *dir)
{
	char path[600];
	uint8_t page[4096] = { 1 };

	snprintf(path, sizeof(path), "%s/probe", dir);
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	must(fd >= 0, path);
	const double start = now_s();

	for (unsigned i = 0; i < 500; i++)
		must(pwrite(fd, page, sizeof(page), (off_t)(i % 64 * sizeof(page))) == (ssize_t)sizeof(page) &&
			     fdatasync(fd) == 0,
		     path);
	const double took = (now_s() - start) / 500;

	close(fd);
	unlink(path);
	return took;
}

static void add_note(struct dr_store *s, uint64_t number)
{
	uint8_t leaf[LEAF_LEN] = { DR_NOTE_REQUEST };
	struct dr_entry e = { .idx = dr_store_log_edge(s, DR_LOG_JOURNAL)->size,
			      .leaf = dr_bytes_of(leaf, sizeof(leaf)) };

	dr_be64_put(leaf + 1, number);
	dr_merkle_leaf(e.leaf_hash, e.leaf);
	must(dr_store_log_add(s, DR_LOG_JOURNAL, &e, &fail) == DR_OK, "a note");
}

static void commit(struct dr_store *s)
{
	const struct dr_store_marks marks = { .has_final = true, .final_number = 1 };

	must(dr_store_commit(s, &marks, &fail) == DR_OK, "a commit");
}

static void requests(struct dr_store *s, const char *dir)
{
	const struct dr_keys_binding binding = { .chain_id = 31337, .proof = DR_PROOF_QUORUM };
	const struct dr_decision decision = { .verdict = DR_ALLOW, .generation = 1 };
	const struct dr_request request = { .purpose = DR_PURPOSE_SEAL };
	uint8_t sealed[DR_KEYS_SEALED_LEN], key[DR_KEYS_LEN], proof[DR_DERIVATION_PROOF_LEN];
	char key_file[600];
	double derive = 0, busy = 0;

	snprintf(key_file, sizeof(key_file), "%s/key", dir);
	must(dr_keys_file_make(key_file, NULL, 0, &fail) == DR_OK, "a key file");
	struct dr_keys *k = dr_keys_new(key_file, NULL, &binding, &fail);

	must(k != NULL && dr_keys_make(k, 1, sealed, &fail) == DR_OK, "a root");
	const double start = now_s();

	for (unsigned i = 0; i < REQUESTS; i++) {
		add_note(s, i);
		commit(s);
		const double from = now_s(), busy_from = read_s(CLOCK_PROCESS_CPUTIME_ID);

		must(dr_keys_derive(k, key, proof, &decision, &request, &fail) == DR_OK, "a key");
		derive += now_s() - from;
		busy += read_s(CLOCK_PROCESS_CPUTIME_ID) - busy_from;
		add_note(s, i);
		commit(s);
	}
	const double took = (now_s() - start) / REQUESTS;

	derive /= REQUESTS;
	dr_keys_free(k);
	unlink(key_file);
	printf("key requests            %8.0f /s   (%.3f ms: derivation and proof %.3f, of which busy %.3f; a commit "
	       "%.3f)\n",
	       1 / took, took * 1e3, derive * 1e3, busy / REQUESTS * 1e3, (took - derive) / 2 * 1e3);
}

static void proofs(struct dr_store *s)
{
	const uint64_t size = dr_store_log_edge(s, DR_LOG_JOURNAL)->size;

	for (uint8_t kind = DR_PROOF_INCLUSION; kind <= DR_PROOF_CONSISTENCY; kind++) {
		const double start = now_s();

		for (uint64_t i = 0; i < PROOFS; i++) {
			const struct dr_proof_query q = { DR_LOG_JOURNAL, kind, size / PROOFS * i, size - i };
			static struct dr_log_proof p;

			must(q.first >= q.size || dr_store_log_proof(s, &q, &p, &fail) == DR_OK, "a proof");
		}
		printf("%-12s proof      %8.0f /s   (journal of %llu)\n",
		       kind == DR_PROOF_INCLUSION ? "inclusion" : "consistency", PROOFS / (now_s() - start),
		       (unsigned long long)size);
	}
}

int main(int argc, char **argv)
{
	static const char *const files[] = { "derot.db", "derot.db-wal", "derot.db-shm", "lock" };
	const struct dr_store_identity id = { .chain_id = 31337, .proof = DR_PROOF_QUORUM };
	char dir[512], data[600], path[640], why[DR_TEXT_MAX];
	double start;

	snprintf(dir, sizeof(dir), "%s/derot-bench-XXXXXX", argc > 1 ? argv[1] : "/var/tmp");
	must(mkdtemp(dir) != NULL, dir);
	snprintf(data, sizeof(data), "%s/data", dir);
	printf("write and fdatasync     %8.3f ms\n", disk_s(dir) * 1e3);
	struct dr_store *s = dr_store_open(data, false, &id, why, &fail);

	must(s != NULL, why);
	requests(s, dir);
	start = now_s();
	for (unsigned i = 0; i < JOURNAL; i++)
		add_note(s, i);
	commit(s);
	printf("journal entries         %8.0f /s   (one commit)\n", JOURNAL / (now_s() - start));
	proofs(s);
	dr_store_close(s);
	start = now_s();
	s = dr_store_open(data, false, &id, why, &fail);
	must(s != NULL, why);
	printf("opening                 %8.0f entries/s checked\n",
	       (double)dr_store_log_edge(s, DR_LOG_JOURNAL)->size / (now_s() - start));
	dr_store_close(s);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", data, files[i]);
		unlink(path);
	}
	return rmdir(data) == 0 && rmdir(dir) == 0 ? 0 : 1;
}
