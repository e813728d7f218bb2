/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/kms-bridge/store_kit.h"

#include "chain/base/hex.h"

/* Three frames, three ledger and three journal entries, committed. */
static void fill(struct dr_store *s)
{
	const struct dr_store_marks m = marks_at(9);

	for (int i = 0; i < 3; i++) {
		const char *frame[] = { "frame 0", "frame 1", "frame 2" }, *leaf[] = { "leaf 0", "leaf 1", "leaf 2" };

		assert_int_equal(dr_store_evidence_add(s, dr_bytes_of(frame[i], 7), &fail), DR_OK);
		add_entry(s, DR_LOG_LEDGER, leaf[i]);
		add_entry(s, DR_LOG_JOURNAL, leaf[i]);
	}
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
}

static enum dr_err count_frame(void *ctx, struct dr_bytes frame)
{
	unsigned *num = ctx;

	assert_int_equal(frame.len, 7);
	assert_int_equal(frame.ptr[6], '0' + *num);
	(*num)++;
	return DR_OK;
}

static enum dr_err count_entry(void *ctx, const struct dr_entry *e)
{
	unsigned *num = ctx;

	assert_int_equal(e->leaf.ptr[5], '0' + (int)e->idx);
	(*num)++;
	return DR_OK;
}

static void test_round_trip(void **state)
{
	const struct dr_store_marks m = marks_at(9);
	struct dr_store *s = open_store();
	uint8_t root[32], again[32];
	struct stat st;
	unsigned num = 0;

	(void)state;
	assert_false(dr_store_marks(s)->has_final);
	assert_int_equal(dr_store_evidence(s, count_frame, &num, &fail), DR_OK);
	assert_int_equal(num, 0);
	fill(s);
	dr_merkle_root(root, dr_store_log_edge(s, DR_LOG_LEDGER));
	dr_store_close(s);
	assert_int_equal(stat(db, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	s = open_store();
	assert_memory_equal(dr_store_marks(s), &m, sizeof(m));
	assert_int_equal(dr_store_log_edge(s, DR_LOG_LEDGER)->size, 3);
	dr_merkle_root(again, dr_store_log_edge(s, DR_LOG_LEDGER));
	assert_memory_equal(root, again, 32);
	assert_int_equal(dr_store_evidence(s, count_frame, &num, &fail), DR_OK);
	assert_int_equal(num, 3);
	num = 0;
	assert_int_equal(dr_store_log(s, DR_LOG_JOURNAL, 0, 0, count_entry, &num, &fail), DR_OK);
	assert_int_equal(num, 3);
	num = 0;
	assert_int_equal(dr_store_log(s, DR_LOG_JOURNAL, 1, 1, count_entry, &num, &fail), DR_OK);
	assert_int_equal(num, 1);
	assert_int_equal(dr_store_log(s, DR_LOG_JOURNAL, 2, UINT64_MAX, count_entry, &num, &fail), DR_OK);
	assert_int_equal(num, 2);
	assert_int_equal(dr_store_log(s, DR_LOG_JOURNAL, 3, 0, count_entry, &num, &fail), DR_OK);
	assert_int_equal(num, 2);
	dr_store_close(s);
}

static enum dr_err refuse_frame(void *ctx, struct dr_bytes frame)
{
	(void)ctx;
	(void)frame;
	return DR_ERR_UNKNOWN;
}

static void test_callback_error(void **state)
{
	struct dr_store *s = open_store();

	(void)state;
	fill(s);
	assert_int_equal(dr_store_evidence(s, refuse_frame, NULL, &fail), DR_ERR_UNKNOWN);
	dr_store_close(s);
}

static void test_roots(void **state)
{
	const struct dr_store_marks m = marks_at(1);
	struct dr_store *s = open_store();
	uint64_t generation;
	uint8_t buf[64];
	size_t len;

	(void)state;
	assert_int_equal(dr_store_root_put(s, 2, dr_bytes_of("sealed 2", 8), &fail), DR_OK);
	assert_int_equal(dr_store_root_put(s, 5, dr_bytes_of("sealed 5", 8), &fail), DR_OK);
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
	dr_store_close(s);
	s = open_store();
	assert_int_equal(dr_store_root_get(s, 2, buf, sizeof(buf), &len, &fail), DR_OK);
	assert_int_equal(len, 8);
	assert_memory_equal(buf, "sealed 2", 8);
	assert_int_equal(dr_store_root_get(s, 3, buf, sizeof(buf), &len, &fail), DR_OK);
	assert_int_equal(len, 0);
	assert_int_equal(dr_store_root_next(s, 0, &generation, &fail), DR_OK);
	assert_int_equal(generation, 2);
	assert_int_equal(dr_store_root_next(s, 2, &generation, &fail), DR_OK);
	assert_int_equal(generation, 5);
	assert_int_equal(dr_store_root_next(s, 5, &generation, &fail), DR_OK);
	assert_int_equal(generation, 0);
	/* A generation is made once. */
	assert_int_equal(dr_store_root_put(s, 2, dr_bytes_of("another!", 8), &fail), DR_ERR_PROOF);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_store_root_put(s, 1ull << 63, dr_bytes_of("huge", 4), &fail), DR_ERR_LIMIT);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_store_root_get(s, 5, buf, 4, &len, &fail), DR_ERR_PROOF);
	dr_store_close(s);
}

static const struct {
	const char *name;
	const char *said;
	size_t at, len;
} other[] = {
#define FIELD(field, said)                                                                                           \
	{                                                                                                            \
#field, said, offsetof(struct dr_store_identity, field), 1                                           \
	}
	FIELD(chain_id, "another chain id: expected 0x0000000000007a"),
	FIELD(genesis, "another genesis: expected 0x"),
	FIELD(contract, "another contract: expected 0x"),
	FIELD(start_number, "another start block: expected 0x"),
	FIELD(start_hash, "another start hash: expected 0x"),
	FIELD(proof, "another proof minimum: expected 0x"),
	FIELD(profile, "another profile digest: expected 0x"),
#undef FIELD
};

static void test_identity(void **state)
{
	(void)state;
	dr_store_close(open_store());
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		for (int read_only = 0; read_only < 2; read_only++) {
			struct dr_store_identity id = identity();

			((uint8_t *)&id)[other[i].at] ^= 3;
			assert_null(open_as(&id, read_only != 0));
			assert_int_equal(fail.err, DR_ERR_STALE);
			if (strstr(why, other[i].said) == NULL)
				fail_msg("%s: %s", other[i].name, why);
			assert_non_null(strstr(why, ", got 0x"));
		}
	}
	dr_store_close(open_store());
}

static void test_second_instance(void **state)
{
	const struct dr_store_identity id = identity();
	struct dr_store *s = open_store();

	(void)state;
	assert_null(open_as(&id, false));
	assert_int_equal(fail.err, DR_ERR_IO);
	assert_non_null(strstr(why, "another derot-core runs in it"));
	dr_store_close(s);
	dr_store_close(open_store());
}

static void test_read_only(void **state)
{
	const struct dr_store_identity id = identity();
	const struct dr_store_marks m = marks_at(10);
	struct dr_store *s, *reader;
	unsigned num = 0;

	(void)state;
	assert_null(open_as(&id, true)); /* nothing there, and nothing made */
	assert_int_equal(fail.err, DR_ERR_IO);
	assert_int_equal(access(db, F_OK), -1);
	s = open_store();
	fill(s);
	reader = open_as(&id, true);
	if (reader == NULL)
		fail_msg("%s", why);
	/* The writer is not made to wait, and the reader keeps its snapshot. */
	add_entry(s, DR_LOG_LEDGER, "leaf 3");
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
	assert_int_equal(dr_store_log(reader, DR_LOG_LEDGER, 0, 0, count_entry, &num, &fail), DR_OK);
	assert_int_equal(num, 3);
	assert_int_equal(dr_store_marks(reader)->final_number, 9);
	dr_store_close(reader);
	dr_store_close(s);
	reader = open_as(&id, true); /* without a writer */
	assert_non_null(reader);
	assert_int_equal(dr_store_marks(reader)->final_number, 10);
	dr_store_close(reader);
}

/* A process that dies between writes: what was not committed never happened. */
static void test_crash(void **state)
{
	int status;

	(void)state;
	struct dr_store *s = open_store();

	fill(s);
	dr_store_close(s);
	const pid_t child = fork();

	if (child == 0) {
		s = open_store();
		dr_store_evidence_add(s, dr_bytes_of("frame 3", 7), &fail);
		add_entry(s, DR_LOG_LEDGER, "leaf 3");
		dr_store_root_put(s, 1, dr_bytes_of("root", 4), &fail);
		_exit(fail.err == DR_OK ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	s = open_store();
	unsigned num = 0;
	uint64_t generation;

	assert_int_equal(dr_store_evidence(s, count_frame, &num, &fail), DR_OK);
	assert_int_equal(num, 3);
	assert_int_equal(dr_store_log_edge(s, DR_LOG_LEDGER)->size, 3);
	assert_int_equal(dr_store_root_next(s, 0, &generation, &fail), DR_OK);
	assert_int_equal(generation, 0);
	/* And it goes on as if nothing had been. */
	add_entry(s, DR_LOG_LEDGER, "leaf 3");
	dr_store_close(s);
}

static off_t log_len(void)
{
	char path[192];
	struct stat st;

	snprintf(path, sizeof(path), "%s-wal", db);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* What a process that died left in the log, nobody knows whether on the disk, is in the database before it is read.
 */
static void test_log_left(void **state)
{
	int status;

	(void)state;
	const pid_t child = fork();

	if (child == 0) {
		fill(open_store());
		_exit(fail.err == DR_OK ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(log_len() > 0);
	struct dr_store *s = open_store();

	assert_int_equal(log_len(), 0);
	assert_int_equal(dr_store_log_edge(s, DR_LOG_LEDGER)->size, 3);
	dr_store_close(s);
}

static const struct {
	const char *name, *sql;
	enum dr_err at_open, at_evidence;
} edits[] = {
	{ "untouched", "SELECT 1", DR_OK, DR_OK },
	{ "changed ledger leaf", "UPDATE ledger SET leaf = x'00' WHERE idx = 1", DR_ERR_PROOF, DR_OK },
	{ "changed ledger leaf, hash kept up",
	  "UPDATE ledger SET leaf = (SELECT leaf FROM ledger WHERE idx = 0), leaf_hash = (SELECT leaf_hash FROM "
	  "ledger "
	  "WHERE idx = 0) WHERE idx = 1",
	  DR_ERR_PROOF, DR_OK },
	{ "changed hash of a ledger entry", "UPDATE ledger SET leaf_hash = zeroblob(32) WHERE idx = 1", DR_ERR_PROOF,
	  DR_OK },
	{ "deleted ledger entry", "DELETE FROM ledger WHERE idx = 1", DR_ERR_PROOF, DR_OK },
	{ "deleted last journal entry", "DELETE FROM journal WHERE idx = 2", DR_ERR_PROOF, DR_OK },
	{ "added journal entry", "INSERT INTO journal VALUES(3, x'00', x'00')", DR_ERR_PROOF, DR_OK },
	{ "swapped journal entries",
	  "UPDATE journal SET idx = 9 WHERE idx = 0; UPDATE journal SET idx = 0 WHERE idx = 1;"
	  "UPDATE journal SET idx = 1 WHERE idx = 9",
	  DR_ERR_PROOF, DR_OK },
	{ "changed hash of a ledger subtree", "UPDATE ledger_node SET hash = zeroblob(32) WHERE seq = 0",
	  DR_ERR_PROOF, DR_OK },
	{ "deleted hash of a journal subtree", "DELETE FROM journal_node", DR_ERR_PROOF, DR_OK },
	{ "added hash of a journal subtree", "INSERT INTO journal_node VALUES(1, zeroblob(32))", DR_ERR_PROOF,
	  DR_OK },
	{ "renumbered hash of a ledger subtree", "UPDATE ledger_node SET seq = 1", DR_ERR_PROOF, DR_OK },
	{ "deleted evidence row", "DELETE FROM evidence WHERE seq = 1", DR_OK, DR_ERR_PROOF },
	{ "deleted last evidence row", "DELETE FROM evidence WHERE seq = 2", DR_OK, DR_ERR_PROOF },
	{ "changed evidence row", "UPDATE evidence SET frame = x'4672616d652030' WHERE seq = 0", DR_OK,
	  DR_ERR_PROOF },
	{ "changed last evidence row", "UPDATE evidence SET frame = x'00' WHERE seq = 2", DR_OK, DR_ERR_PROOF },
	{ "added evidence row", "INSERT INTO evidence VALUES(3, x'6672616d652033')", DR_OK, DR_ERR_PROOF },
	{ "marks cut short", "UPDATE meta SET value = x'00' WHERE key = 'marks'", DR_ERR_PROOF, DR_OK },
	{ "marks deleted", "DELETE FROM meta WHERE key = 'marks'", DR_ERR_PROOF, DR_OK },
	{ "identity deleted", "DELETE FROM meta WHERE key = 'identity'", DR_ERR_UNKNOWN, DR_OK },
	{ "another format",
	  "UPDATE meta SET value = CAST(x'00000001' || substr(value, 5) AS BLOB) WHERE key = 'identity'",
	  DR_ERR_UNKNOWN, DR_OK },
	{ "a table dropped", "DROP TABLE quarantine", DR_ERR_IO, DR_OK },
};

/* The last entry, on which no kept hash rests yet, with its own hash kept up: only the root tells, whichever of the
 * two is the larger. */
static void test_last_entry(void **state)
{
	const struct dr_store_identity id = identity();

	for (uint8_t i = 0; i < 16; i++) {
		char hex[65], sql[256];
		uint8_t hash[32];
		struct dr_store *s;

		remove_dir(state);
		fresh_dir(state);
		s = open_store();
		fill(s);
		dr_store_close(s);
		dr_merkle_leaf(hash, dr_bytes_of(&i, 1));
		dr_hex_put(hex, hash, 32);
		snprintf(sql, sizeof(sql), "UPDATE journal SET leaf = x'%02x', leaf_hash = x'%s' WHERE idx = 2", i,
			 hex);
		edit(sql);
		assert_null(open_as(&id, false));
		assert_int_equal(fail.err, DR_ERR_PROOF);
	}
}

static void test_edited(void **state)
{
	const struct dr_store_identity id = identity();

	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		unsigned num = 0;
		struct dr_store *s;

		remove_dir(state);
		fresh_dir(state);
		s = open_store();
		fill(s);
		dr_store_close(s);
		edit(edits[i].sql);
		s = open_as(&id, false);
		if ((s == NULL ? fail.err : DR_OK) != edits[i].at_open)
			fail_msg("%s: %s: %s", edits[i].name, dr_err_name(fail.err), why);
		if (s == NULL)
			assert_int_not_equal(why[0], 0);
		else if (dr_store_evidence(s, count_frame, &num, &fail) != edits[i].at_evidence)
			fail_msg("%s: %s: %s", edits[i].name, dr_err_name(fail.err), dr_store_why(s));
		dr_store_close(s);
	}
}

static void test_quarantine(void **state)
{
	static uint8_t payload[DR_STORE_QUARANTINE_LEN + 1];
	const struct dr_frame frame = { DR_FRAME_RECEIPTS, 2, { payload, sizeof(payload) } };
	const struct dr_fail reason = { DR_ERR_PROOF, "receipts do not rebuild receiptsRoot", 0 };
	const struct dr_store_marks m = marks_at(1);
	struct dr_store *s = open_store();
	sqlite3_stmt *row;
	sqlite3 *raw;

	(void)state;
	for (unsigned i = 0; i < DR_STORE_QUARANTINE_MAX + 5; i++) {
		const struct dr_frame small = { DR_FRAME_RECEIPTS, 2, { payload, 1 } };

		assert_int_equal(dr_store_quarantine_add(s, i % 500 == 0 ? &frame : &small, &reason, &fail), DR_OK);
	}
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
	dr_store_close(s);
	assert_int_equal(sqlite3_open(db, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(raw,
					    "SELECT count(*), min(seq), max(length(payload)), max(len), min(reason) "
					    "FROM quarantine",
					    -1, &row, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(row, 0), DR_STORE_QUARANTINE_MAX);
	assert_int_equal(sqlite3_column_int(row, 1), 6);
	assert_int_equal(sqlite3_column_int(row, 2), DR_STORE_QUARANTINE_LEN);
	assert_int_equal(sqlite3_column_int(row, 3), DR_STORE_QUARANTINE_LEN + 1);
	assert_string_equal((const char *)sqlite3_column_text(row, 4),
			    "proof: receipts do not rebuild receiptsRoot (at 0)");
	sqlite3_finalize(row);
	sqlite3_close(raw);
}

static void test_halted(void **state)
{
	const struct dr_store_marks m = marks_at(1);
	struct dr_store *s = open_store();

	(void)state;
	assert_false(dr_store_halted(s));
	assert_int_equal(dr_store_halt(s, &fail), DR_OK);
	assert_int_equal(dr_store_commit(s, &m, &fail), DR_OK);
	dr_store_close(s);
	s = open_store();
	assert_true(dr_store_halted(s));
	dr_store_close(s);
}

static void test_modes(void **state)
{
	const struct dr_store_identity id = identity();
	char path[192];

	(void)state;
	assert_int_equal(chmod(dir, 0770), 0);
	assert_null(open_as(&id, false));
	assert_int_equal(fail.err, DR_ERR_IO);
	assert_non_null(strstr(why, "mode 0770"));
	assert_int_equal(chmod(dir, 0700), 0);
	/* A link in the database's place is not followed. */
	snprintf(path, sizeof(path), "%s/other", dir);
	assert_int_equal(symlink(path, db), 0);
	assert_null(open_as(&id, false));
	assert_int_equal(fail.err, DR_ERR_IO);
	assert_int_equal(access(path, F_OK), -1);
	unlink(db);
	dr_store_close(open_store());
	assert_int_equal(chmod(db, 0640), 0);
	assert_null(open_as(&id, false));
	assert_non_null(strstr(why, "mode 0640"));
	/* Not a database at all. */
	FILE *f = fopen(db, "w");

	assert_non_null(f);
	fputs("this is no database, and long enough to have a header of one hundred bytes, which it needs to be read "
	      "as "
	      "something",
	      f);
	fclose(f);
	chmod(db, 0600);
	assert_null(open_as(&id, false));
	assert_int_equal(fail.err, DR_ERR_IO);
	/* A directory that is not there is made, for us alone. */
	remove_dir(NULL);
	dr_store_close(open_store());
	struct stat st;

	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		T(test_round_trip),      T(test_callback_error), T(test_roots),      T(test_identity),
		T(test_second_instance), T(test_read_only),      T(test_crash),      T(test_log_left),
		T(test_edited),          T(test_last_entry),     T(test_quarantine), T(test_halted),
		T(test_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
