/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's proofs about its logs, and what it keeps besides: sealed roots that can go, certificates.
 */
#include "tests/unit/kit.h"

#include <sys/wait.h>

#include "kms-bridge/merkle.h"
#include "tests/unit/kms-bridge/store_kit.h"

static void add_numbered(struct dr_store *s, enum dr_log log, unsigned num)
{
	while (dr_store_log_edge(s, log)->size < num) {
		char leaf[16];

		snprintf(leaf, sizeof(leaf), "entry %u", (unsigned)dr_store_log_edge(s, log)->size);
		add_entry(s, log, leaf);
	}
}

/* The roots of all sizes, added up here. */
#define LOG_NUM 41u
static void expect_roots(uint8_t roots[LOG_NUM + 1][32])
{
	struct dr_merkle sum;
	uint8_t hash[32];

	dr_merkle_init(&sum);
	dr_merkle_root(roots[0], &sum);
	for (unsigned i = 0; i < LOG_NUM; i++) {
		char leaf[16];

		snprintf(leaf, sizeof(leaf), "entry %u", i);
		dr_merkle_leaf(hash, dr_bytes_of(leaf, strlen(leaf)));
		dr_merkle_add(&sum, hash);
		dr_merkle_root(roots[i + 1], &sum);
	}
}

static bool proof_holds(const struct dr_log_proof *p, const struct dr_proof_query *q)
{
	if (q->kind == DR_PROOF_INCLUSION)
		return dr_merkle_verify_inclusion(p->root, p->size, q->first, p->first_hash, p->hashes, p->num);
	return dr_merkle_verify_consistency(p->first_hash, q->first, p->root, p->size, p->hashes, p->num);
}

static void check_proofs(struct dr_store *s, enum dr_log log)
{
	uint8_t roots[LOG_NUM + 1][32], root[32];
	struct dr_log_proof p;

	expect_roots(roots);
	for (uint64_t size = 0; size <= LOG_NUM; size++) {
		assert_int_equal(dr_store_log_root(s, log, size, root, &fail), DR_OK);
		assert_memory_equal(root, roots[size], 32);
		for (uint64_t first = 0; size > 0 && first <= size; first++) {
			struct dr_proof_query q = { (uint8_t)log, DR_PROOF_CONSISTENCY, first, size };

			assert_int_equal(dr_store_log_proof(s, &q, &p, &fail), DR_OK);
			assert_int_equal(p.size, size);
			assert_memory_equal(p.root, roots[size], 32);
			assert_memory_equal(p.first_hash, roots[first], 32);
			assert_true(proof_holds(&p, &q));
			if (first == size)
				continue;
			q.kind = DR_PROOF_INCLUSION;
			assert_int_equal(dr_store_log_proof(s, &q, &p, &fail), DR_OK);
			assert_memory_equal(p.root, roots[size], 32);
			assert_true(proof_holds(&p, &q));
		}
	}
}

static void test_proofs(void **state)
{
	const struct dr_store_identity id = identity();
	const struct dr_store_marks m = marks_at(1);
	const struct dr_proof_query now = { DR_LOG_JOURNAL, DR_PROOF_INCLUSION, 3, 0 };
	struct dr_store *s = open_store();
	struct dr_log_proof p;

	(void)state;
	/* Some before a commit, some after it and after opening anew. */
	add_numbered(s, DR_LOG_LEDGER, LOG_NUM);
	check_proofs(s, DR_LOG_LEDGER);
	add_numbered(s, DR_LOG_JOURNAL, 13);
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
	dr_store_close(s);
	s = open_store();
	add_numbered(s, DR_LOG_JOURNAL, LOG_NUM);
	check_proofs(s, DR_LOG_LEDGER);
	check_proofs(s, DR_LOG_JOURNAL);
	assert_int_equal(dr_store_log_proof(s, &now, &p, &fail), DR_OK);
	assert_int_equal(p.size, LOG_NUM);
	assert_true(proof_holds(&p, &now));
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
	dr_store_close(s);
	s = open_as(&id, true);
	check_proofs(s, DR_LOG_JOURNAL);
	dr_store_close(s);
}

static const struct {
	const char *name;
	struct dr_proof_query query;
} beyond[] = {
	{ "a later size", { DR_LOG_LEDGER, DR_PROOF_INCLUSION, 0, LOG_NUM + 1 } },
	{ "the largest size", { DR_LOG_LEDGER, DR_PROOF_CONSISTENCY, 0, UINT64_MAX } },
	{ "an entry past the end", { DR_LOG_LEDGER, DR_PROOF_INCLUSION, LOG_NUM, 0 } },
	{ "an entry past an earlier end", { DR_LOG_LEDGER, DR_PROOF_INCLUSION, 7, 7 } },
	{ "from a later size", { DR_LOG_LEDGER, DR_PROOF_CONSISTENCY, LOG_NUM + 1, 0 } },
	{ "from a size later than asked", { DR_LOG_LEDGER, DR_PROOF_CONSISTENCY, 8, 7 } },
	{ "an entry of an empty log", { DR_LOG_JOURNAL, DR_PROOF_INCLUSION, 0, 0 } },
};

static void test_beyond(void **state)
{
	struct dr_store *s = open_store();
	struct dr_log_proof p;
	uint8_t root[32];

	(void)state;
	add_numbered(s, DR_LOG_LEDGER, LOG_NUM);
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		fail = (struct dr_fail){ 0 };
		memset(&p, 0xff, sizeof(p));
		if (dr_store_log_proof(s, &beyond[i].query, &p, &fail) != DR_ERR_LIMIT)
			fail_msg("%s: %s", beyond[i].name, dr_err_name(fail.err));
		assert_true(dr_bytes_zero(&p, sizeof(p)));
		assert_int_not_equal(dr_store_why(s)[0], 0);
	}
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_store_log_root(s, DR_LOG_LEDGER, LOG_NUM + 1, root, &fail), DR_ERR_LIMIT);
	fail = (struct dr_fail){ 0 };
	dr_store_close(s);
}

/* A row that is edited under a running core: no answer rests on it. Those that do not need it are as they were. */
static const struct {
	const char *name, *sql;
} edits_live[] = {
	{ "a changed subtree", "UPDATE ledger_node SET hash = zeroblob(32) WHERE seq = 6" },
	{ "a deleted subtree", "DELETE FROM ledger_node WHERE seq = 3" },
	{ "a short hash", "UPDATE ledger_node SET hash = x'00' WHERE seq = 10" },
	{ "swapped subtrees",
	  "UPDATE ledger_node SET hash = (SELECT hash FROM ledger_node WHERE seq = 1) WHERE seq = 0" },
	{ "a changed leaf hash", "UPDATE ledger SET leaf_hash = zeroblob(32) WHERE idx = 5" },
	{ "all hashes", "UPDATE ledger_node SET hash = zeroblob(32); UPDATE ledger SET leaf_hash = zeroblob(32)" },
};

static void test_edited_live(void **state)
{
	const struct dr_store_marks m = marks_at(1);
	uint8_t roots[LOG_NUM + 1][32], root[32];

	expect_roots(roots);
	for (size_t i = 0; i < sizeof(edits_live) / sizeof(edits_live[0]); i++) {
		unsigned refused = 0;

		remove_dir(state);
		fresh_dir(state);
		struct dr_store *s = open_store();

		add_numbered(s, DR_LOG_LEDGER, LOG_NUM);
		assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
		edit(edits_live[i].sql);
		for (uint64_t size = 1; size <= LOG_NUM; size++) {
			for (uint64_t first = 0; first <= 2 * size; first++) {
				const bool in = first < size;
				const struct dr_proof_query q = { DR_LOG_LEDGER,
								  in ? DR_PROOF_INCLUSION : DR_PROOF_CONSISTENCY,
								  in ? first : first - size, size };
				struct dr_log_proof p;

				fail = (struct dr_fail){ 0 };
				if (dr_store_log_proof(s, &q, &p, &fail) == DR_OK) {
					assert_memory_equal(p.root, roots[size], 32);
					assert_true(proof_holds(&p, &q));
					continue;
				}
				assert_int_equal(fail.err, DR_ERR_PROOF);
				assert_true(dr_bytes_zero(&p, sizeof(p)));
				refused++;
			}
			fail = (struct dr_fail){ 0 };
			if (dr_store_log_root(s, DR_LOG_LEDGER, size, root, &fail) == DR_OK)
				assert_memory_equal(root, roots[size], 32);
			else
				assert_true(dr_bytes_zero(root, 32));
		}
		if (refused == 0)
			fail_msg("%s: nothing refused", edits_live[i].name);
		fail = (struct dr_fail){ 0 };
		dr_store_close(s);
	}
}

/* Whether any file of the directory has these bytes anywhere. */
static bool on_disk(const char *text)
{
	static const char *const names[] = { "derot.db", "derot.db-wal" };
	static uint8_t bytes[4u << 20];
	char path[192];
	bool found = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		FILE *f = fopen(path, "rb");

		if (f == NULL)
			continue;
		const size_t len = fread(bytes, 1, sizeof(bytes), f);

		assert_true(len < sizeof(bytes));
		fclose(f);
		found = found || memmem(bytes, len, text, strlen(text)) != NULL;
	}
	return found;
}

static void test_roots_gone(void **state)
{
	const struct dr_store_identity id = identity();
	const struct dr_store_marks m = marks_at(1);
	struct dr_store *s = open_store();
	uint8_t buf[64];
	size_t len;

	(void)state;
	/* Generation 0 is the node's own keys, and none of the roots. */
	assert_int_equal(dr_store_root_put(s, 0, dr_bytes_of("sealed-node-keys", 16), &fail), DR_OK);
	assert_int_equal(dr_store_root_put(s, 1, dr_bytes_of("sealed-root-one!", 16), &fail), DR_OK);
	assert_int_equal(dr_store_root_put(s, 2, dr_bytes_of("sealed-root-two!", 16), &fail), DR_OK);
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
	assert_true(on_disk("sealed-root-one!"));
	assert_int_equal(dr_store_root_replace(s, 0, dr_bytes_of("sealed anew, and longer", 23), &fail), DR_OK);
	assert_int_equal(dr_store_root_replace(s, 2, dr_bytes_of("sealed again too", 16), &fail), DR_OK);
	assert_int_equal(dr_store_root_del(s, 1, &fail), DR_OK);
	assert_int_equal(dr_store_root_del(s, 7, &fail), DR_OK);
	assert_int_equal(dr_store_root_del(s, UINT64_MAX, &fail), DR_OK);
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
	assert_false(on_disk("sealed-node-keys"));
	assert_false(on_disk("sealed-root-one!"));
	assert_false(on_disk("sealed-root-two!"));
	assert_true(on_disk("sealed again too"));
	assert_int_equal(dr_store_root_get(s, 0, buf, sizeof(buf), &len, &fail), DR_OK);
	assert_int_equal(len, 23);
	assert_int_equal(dr_store_root_get(s, 1, buf, sizeof(buf), &len, &fail), DR_OK);
	assert_int_equal(len, 0);
	assert_int_equal(dr_store_root_replace(s, 1, dr_bytes_of("x", 1), &fail), DR_ERR_UNKNOWN);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_store_root_replace(s, UINT64_MAX, dr_bytes_of("x", 1), &fail), DR_ERR_LIMIT);
	fail = (struct dr_fail){ 0 };

	/* A reader's snapshot has it still, and is not waited for; the next commit after it sees to it. */
	struct dr_store *reader = open_as(&id, true);

	assert_int_equal(dr_store_root_del(s, 2, &fail), DR_OK);
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
	assert_true(on_disk("sealed again too"));
	dr_store_close(reader);
	add_entry(s, DR_LOG_JOURNAL, "leaf 0");
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
	assert_false(on_disk("sealed again too"));
	dr_store_close(s);
}

/* Killed between the commit of a deletion and the cutting of the log of writes: the next start's first commit cuts.
 */
static void test_roots_gone_after_crash(void **state)
{
	const struct dr_store_identity id = identity();
	const struct dr_store_marks m = marks_at(1);
	struct dr_store *reader = NULL, *s;
	int status;

	(void)state;
	dr_store_close(open_store());
	const pid_t child = fork();

	if (child == 0) {
		s = open_store();
		dr_store_root_put(s, 1, dr_bytes_of("sealed-root-one!", 16), &fail);
		dr_store_commit(s, &m, &fail);
		reader = open_as(&id, true);
		dr_store_root_del(s, 1, &fail);
		dr_store_commit(s, &m, &fail);
		_exit(reader != NULL && fail.err == DR_OK ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(on_disk("sealed-root-one!"));
	s = open_store();
	add_entry(s, DR_LOG_JOURNAL, "leaf 0");
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
	assert_false(on_disk("sealed-root-one!"));
	dr_store_close(s);
}

static enum dr_err collect(void *ctx, struct dr_bytes der)
{
	char *all = ctx;
	const size_t len = strlen(all);

	if (der.len == 5 && memcmp(der.ptr, "stop!", 5) == 0)
		return DR_ERR_UNKNOWN;
	snprintf(all + len, 64 - len, "%.*s,", (int)der.len, (const char *)der.ptr);
	return DR_OK;
}

static void test_certificates(void **state)
{
	const struct dr_store_marks m = marks_at(1);
	const uint8_t app[2][32] = { { 1 }, { 2 } };
	static const struct {
		uint64_t generation;
		unsigned app;
		const char *der;
	} added[] = { { 1, 0, "b" }, { 1, 0, "a" }, { 1, 1, "b" }, { 2, 0, "c" },
		      { 1, 0, "b" }, { 1, 0, "c" }, { 2, 1, "d" }, { 2, 1, "stop!" } };
	static const struct {
		uint64_t generation;
		unsigned app;
		enum dr_err err;
		const char *expected;
	} asked[] = { { 1, 0, DR_OK, "b,a,c," },      { 1, 1, DR_OK, "b," }, { 2, 0, DR_OK, "c," },
		      { 2, 1, DR_ERR_UNKNOWN, "d," }, { 3, 0, DR_OK, "" },   { UINT64_MAX, 0, DR_OK, "" } };
	struct dr_store *s = open_store();

	(void)state;
	for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++)
		assert_int_equal(dr_store_certificate_add(s, added[i].generation, app[added[i].app],
							  dr_bytes_of(added[i].der, strlen(added[i].der)), &fail),
				 DR_OK);
	assert_int_equal(dr_store_certificate_add(s, UINT64_MAX, app[0], dr_bytes_of("a", 1), &fail), DR_ERR_LIMIT);
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_ERR_LIMIT); /* the first failure is kept */
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
	dr_store_close(s);
	s = open_store();
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		char all[64] = "";

		assert_int_equal(
			dr_store_certificates(s, asked[i].generation, app[asked[i].app], collect, all, &fail),
			asked[i].err);
		assert_string_equal(all, asked[i].expected);
		fail = (struct dr_fail){ 0 };
	}
	edit("UPDATE certificates SET der = x'78' WHERE seq = 2");
	char all[64] = "";

	assert_int_equal(dr_store_certificates(s, 1, app[0], collect, all, &fail), DR_ERR_PROOF);
	assert_string_equal(all, "b,");
	fail = (struct dr_fail){ 0 };
	dr_store_close(s);
}

static enum dr_err count_certificates(void *ctx, struct dr_bytes der)
{
	unsigned *num = ctx;

	/* The first 6 of 70 are the ones left out. */
	assert_int_equal(der.ptr[0], *num + 70 - DR_STORE_CERTIFICATES_MAX);
	(*num)++;
	return DR_OK;
}

static void test_newest_certificates(void **state)
{
	const uint8_t app[32] = { 1 };
	struct dr_store *s = open_store();
	unsigned num = 0;

	(void)state;
	for (uint8_t i = 0; i < 70; i++)
		assert_int_equal(dr_store_certificate_add(s, 1, app, dr_bytes_of(&i, 1), &fail), DR_OK);
	assert_int_equal(dr_store_certificates(s, 1, app, count_certificates, &num, &fail), DR_OK);
	assert_int_equal(num, DR_STORE_CERTIFICATES_MAX);
	dr_store_close(s);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		T(test_proofs),
		T(test_beyond),
		T(test_edited_live),
		T(test_roots_gone),
		T(test_roots_gone_after_crash),
		T(test_certificates),
		T(test_newest_certificates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
