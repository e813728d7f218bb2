/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/base/hex.h"
#include "chain/base/reader.h"
#include "chain/base/writer.h"

#define FORMAT_VERSION 2u
#define BEACON_LEN     64u /* of proof CONSENSUS: genesis validators' root · checkpoint */
#define IDENTITY_LEN   (4u + 8 + 32 + 20 + 8 + 32 + 1 + 32)

static const char schema[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE evidence(seq INTEGER PRIMARY KEY, frame BLOB NOT NULL) STRICT;"
	"CREATE TABLE ledger(idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL, leaf_hash BLOB NOT NULL) STRICT;"
	"CREATE TABLE journal(idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL, leaf_hash BLOB NOT NULL) STRICT;"
	"CREATE TABLE ledger_node(seq INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;"
	"CREATE TABLE journal_node(seq INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;"
	"CREATE TABLE quarantine(seq INTEGER PRIMARY KEY AUTOINCREMENT, reason TEXT NOT NULL, source INTEGER NOT "
	"NULL,"
	"  type INTEGER NOT NULL, len INTEGER NOT NULL, payload BLOB NOT NULL) STRICT;"
	"CREATE TABLE roots(generation INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;"
	"CREATE TABLE certificates(seq INTEGER PRIMARY KEY, generation INTEGER NOT NULL, app BLOB NOT NULL,"
	"  sum BLOB NOT NULL, der BLOB NOT NULL, UNIQUE(generation, app, sum)) STRICT;";

static const char *const statements[DR_SQL_NUM] = {
	[DR_SQL_BEGIN] = "BEGIN IMMEDIATE",
	[DR_SQL_SNAPSHOT] = "BEGIN",
	[DR_SQL_COMMIT] = "COMMIT",
	[DR_SQL_META_GET] = "SELECT value FROM meta WHERE key = ?1",
	[DR_SQL_META_PUT] = "INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)",
	[DR_SQL_EVIDENCE_ADD] = "INSERT INTO evidence(seq, frame) VALUES(?1, ?2)",
	[DR_SQL_EVIDENCE_ALL] = "SELECT seq, frame FROM evidence ORDER BY seq",
	[DR_SQL_EVIDENCE_GET] = "SELECT frame FROM evidence WHERE seq = ?1",
	[DR_SQL_LEDGER_ADD] = "INSERT INTO ledger(idx, leaf, leaf_hash) VALUES(?1, ?2, ?3)",
	[DR_SQL_LEDGER_GET] = "SELECT idx, leaf, leaf_hash FROM ledger WHERE idx >= ?1 ORDER BY idx LIMIT ?2",
	[DR_SQL_JOURNAL_ADD] = "INSERT INTO journal(idx, leaf, leaf_hash) VALUES(?1, ?2, ?3)",
	[DR_SQL_JOURNAL_GET] = "SELECT idx, leaf, leaf_hash FROM journal WHERE idx >= ?1 ORDER BY idx LIMIT ?2",
	[DR_SQL_LEDGER_HASH] = "SELECT leaf_hash FROM ledger WHERE idx = ?1",
	[DR_SQL_JOURNAL_HASH] = "SELECT leaf_hash FROM journal WHERE idx = ?1",
	[DR_SQL_LEDGER_NODE] = "SELECT hash FROM ledger_node WHERE seq = ?1",
	[DR_SQL_JOURNAL_NODE] = "SELECT hash FROM journal_node WHERE seq = ?1",
	[DR_SQL_LEDGER_NODES] = "SELECT seq, hash FROM ledger_node ORDER BY seq",
	[DR_SQL_JOURNAL_NODES] = "SELECT seq, hash FROM journal_node ORDER BY seq",
	[DR_SQL_LEDGER_NODE_ADD] = "INSERT INTO ledger_node(seq, hash) VALUES(?1, ?2)",
	[DR_SQL_JOURNAL_NODE_ADD] = "INSERT INTO journal_node(seq, hash) VALUES(?1, ?2)",
	[DR_SQL_QUARANTINE_ADD] =
		"INSERT INTO quarantine(reason, source, type, len, payload) VALUES(?1, ?2, ?3, ?4, ?5)",
	[DR_SQL_QUARANTINE_CUT] = "DELETE FROM quarantine WHERE seq <= ?1",
	[DR_SQL_ROOT_PUT] = "INSERT INTO roots(generation, sealed) VALUES(?1, ?2)",
	[DR_SQL_ROOT_REPLACE] = "UPDATE roots SET sealed = ?2 WHERE generation = ?1",
	[DR_SQL_ROOT_DEL] = "DELETE FROM roots WHERE generation = ?1",
	[DR_SQL_ROOT_GET] = "SELECT sealed FROM roots WHERE generation = ?1",
	[DR_SQL_ROOT_NEXT] = "SELECT generation FROM roots WHERE generation > ?1 ORDER BY generation LIMIT 1",
	[DR_SQL_CERTIFICATE_ADD] =
		"INSERT OR IGNORE INTO certificates(generation, app, sum, der) VALUES(?1, ?2, ?3, ?4)",
	[DR_SQL_CERTIFICATES] = ("SELECT sum, der FROM certificates WHERE seq IN (SELECT seq FROM certificates"
				 "  WHERE generation = ?1 AND app = ?2 ORDER BY seq DESC LIMIT ?3) ORDER BY seq"),
};

enum dr_err dr_store_say(struct dr_store *s, struct dr_fail *fail, enum dr_err err, const char *what,
			 const char *format, ...)
{
	char text[DR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dr_text_set(s->why, sizeof(s->why), text, strlen(text));
	return dr_fail_set(fail, err, what, 0);
}

static enum dr_err open_dir(struct dr_store *s, int *dir_fd, const char *dir, struct dr_fail *fail)
{
	struct stat st = { 0 };

	*dir_fd = -1;
	if (!s->read_only && mkdir(dir, 0700) != 0 && errno != EEXIST)
		return dr_store_say(s, fail, DR_ERR_IO, "store: the data directory could not be made",
				    "data directory %s: %s", dir, strerror(errno));
	const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return dr_store_say(s, fail, DR_ERR_IO, "store: the data directory could not be opened",
				    "data directory %s: %s", dir, strerror(errno));
	if (fstat(fd, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
		close(fd);
		return dr_store_say(
			s, fail, DR_ERR_IO, "store: the data directory is not ours alone",
			"data directory %s: expected owner %u and no write right for group and others, got "
			"owner %u and mode %04o",
			dir, (unsigned)geteuid(), (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
	}
	*dir_fd = fd;
	return DR_OK;
}

static enum dr_err lock_dir(struct dr_store *s, int dir_fd, const char *dir, struct dr_fail *fail)
{
	s->lock_fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return dr_store_say(s, fail, DR_ERR_IO, "store: the lock file could not be opened", "%s/lock: %s",
				    dir, strerror(errno));
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return DR_OK;
	if (errno != EWOULDBLOCK)
		return dr_store_say(s, fail, DR_ERR_IO, "store: the data directory could not be locked",
				    "%s/lock: %s", dir, strerror(errno));
	return dr_store_say(
		s, fail, DR_ERR_IO, "store: the data directory is in use",
		"data directory %s: another derot-core runs in it (its lock file is held); stop that one, or "
		"name another directory",
		dir);
}

/* What the log of a core before holds may be seen here and yet not be on the disk: where its sync failed, Linux shows
 * what it did not write, and writes it no more. So all of it is written anew, into the database, before anything is
 * said of it or follows it. Somebody who reads meanwhile stops only this. */
static enum dr_err renew(struct dr_store *s, struct dr_fail *fail)
{
	const int result = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	return result == SQLITE_OK || result == SQLITE_BUSY
		       ? DR_OK
		       : dr_store_failed(s, "store: what the log holds could not be written anew", fail);
}

/* The database file, made here so that its mode is ours and a link in its place is not followed. SQLite gives
 * its helpers (-wal, -shm) the same mode. */
static enum dr_err make_file(struct dr_store *s, int dir_fd, const char *dir, struct dr_fail *fail)
{
	const int flags = s->read_only ? O_RDONLY : O_RDWR | O_CREAT;
	const int fd = openat(dir_fd, "derot.db", flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st = { 0 };

	if (fd < 0)
		return dr_store_say(s, fail, DR_ERR_IO, "store: the database file could not be opened",
				    "%s/derot.db: %s", dir, strerror(errno));
	const bool ours =
		fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0;

	close(fd);
	if (!ours)
		return dr_store_say(s, fail, DR_ERR_IO, "store: the database file is not ours alone",
				    "%s/derot.db: expected a plain file of ours with mode 0600, got mode %04o", dir,
				    (unsigned)(st.st_mode & 07777));
	return DR_OK;
}

static enum dr_err exec(struct dr_store *s, const char *sql, const char *what, struct dr_fail *fail)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? DR_OK : dr_store_failed(s, what, fail);
}

static enum dr_err open_db(struct dr_store *s, const char *dir, bool *is_new, struct dr_fail *fail)
{
	const int flags = s->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	char path[DR_TEXT_MAX + 16];
	sqlite3_stmt *count = NULL;

	snprintf(path, sizeof(path), "%s/derot.db", dir);
	if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL) != SQLITE_OK)
		return dr_store_failed(s, "store: the database could not be opened", fail);
	sqlite3_busy_timeout(s->db, DR_STORE_BUSY_MS);
	/* Nothing in a schema that somebody else wrote may run code or reach out. */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	/* Nothing leaves the data directory for a temporary file; what was deleted is overwritten. */
	if (exec(s, "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON;", "store: the database could not be set up",
		 fail) != DR_OK)
		return fail->err;
	if (!s->read_only && exec(s, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
				  "store: the database could not be set up", fail) != DR_OK)
		return fail->err;
	if (!s->read_only && renew(s, fail) != DR_OK)
		return fail->err;
	if (sqlite3_prepare_v2(s->db, "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'", -1, &count,
			       NULL) != SQLITE_OK)
		return dr_store_failed(s, "store: not a database of derot", fail);
	const bool row = sqlite3_step(count) == SQLITE_ROW;

	*is_new = row && sqlite3_column_int64(count, 0) == 0;
	sqlite3_finalize(count);
	return row ? DR_OK : dr_store_failed(s, "store: not a database of derot", fail);
}

static enum dr_err prepare(struct dr_store *s, struct dr_fail *fail)
{
	const size_t num = s->read_only ? DR_SQL_WRITES : DR_SQL_NUM;

	for (size_t i = 0; i < num; i++)
		if (s->sql[i] == NULL && sqlite3_prepare_v3(s->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
							    &s->sql[i], NULL) != SQLITE_OK)
			return dr_store_failed(s, "store: not a database of this format", fail);
	return DR_OK;
}

static void identity_put(uint8_t bytes[static IDENTITY_LEN], const struct dr_store_identity *id)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, bytes, IDENTITY_LEN, &fail);
	dr_writer_u32(&w, FORMAT_VERSION);
	dr_writer_u64(&w, id->chain_id);
	dr_writer_copy(&w, id->genesis, 32);
	dr_writer_copy(&w, id->contract, 20);
	dr_writer_u64(&w, id->start_number);
	dr_writer_copy(&w, id->start_hash, 32);
	dr_writer_u8(&w, id->proof);
	dr_writer_copy(&w, id->profile, 32);
	DR_ASSERT(fail.err == DR_OK && w.len == IDENTITY_LEN);
}

static enum dr_err differs(struct dr_store *s, const char *name, const uint8_t *expected, const uint8_t *got,
			   size_t len, struct dr_fail *fail)
{
	char want[65], have[65];

	dr_hex_put(want, expected, len);
	dr_hex_put(have, got, len);
	return dr_store_say(
		s, fail, DR_ERR_STALE, "store: the data directory belongs to something else",
		"the data directory belongs to another %s: expected 0x%s, got 0x%s; name another data directory, or "
		"the configuration it was made with",
		name, want, have);
}

/* Before the rest is looked at: other builds have other tables. */
static enum dr_err check_identity(struct dr_store *s, const struct dr_store_identity *id, struct dr_fail *fail)
{
	static const struct {
		const char *name;
		size_t len;
	} fields[] = { { "chain id", 8 },    { "genesis", 32 },      { "contract", 20 },      { "start block", 8 },
		       { "start hash", 32 }, { "proof minimum", 1 }, { "profile digest", 32 } };
	uint8_t expected[IDENTITY_LEN], got[IDENTITY_LEN];
	size_t at = 4;
	bool found;

	identity_put(expected, id);
	if (s->sql[DR_SQL_META_GET] == NULL &&
	    sqlite3_prepare_v3(s->db, statements[DR_SQL_META_GET], -1, SQLITE_PREPARE_PERSISTENT,
			       &s->sql[DR_SQL_META_GET], NULL) != SQLITE_OK)
		return dr_store_failed(s, "store: not a database of this format", fail);
	if (dr_store_meta_get(s, "identity", got, sizeof(got), &found, fail) != DR_OK)
		return fail->err;
	if (!found)
		return dr_store_say(s, fail, DR_ERR_UNKNOWN, "store: the database has no identity",
				    "store: the database has no identity");
	if (memcmp(expected, got, 4) != 0)
		return dr_store_say(s, fail, DR_ERR_UNKNOWN, "store: format version",
				    "store: format version: expected %u, got %u: made by another build",
				    FORMAT_VERSION, (unsigned)got[3]);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); at += fields[i++].len)
		if (memcmp(expected + at, got + at, fields[i].len) != 0)
			return differs(s, fields[i].name, expected + at, got + at, fields[i].len, fail);
	DR_ASSERT(at == IDENTITY_LEN);
	if (id->proof != DR_PROOF_CONSENSUS)
		return DR_OK;
	if (dr_store_meta_get(s, "beacon", got, BEACON_LEN, &found, fail) != DR_OK)
		return fail->err;
	if (!found || memcmp(got, id->validators_root, 32) != 0)
		return differs(s, "beacon chain", id->validators_root, got, 32, fail);
	if (memcmp(got + 32, id->checkpoint, 32) != 0)
		return differs(s, "checkpoint", id->checkpoint, got + 32, 32, fail);
	return DR_OK;
}

/* Rows past the end belong to no root; they would also be in the way of the next entry. */
static enum dr_err check_count(struct dr_store *s, const char *sql, uint64_t expected, struct dr_fail *fail)
{
	sqlite3_stmt *row = NULL;

	if (sqlite3_prepare_v2(s->db, sql, -1, &row, NULL) != SQLITE_OK || sqlite3_step(row) != SQLITE_ROW) {
		dr_store_failed(s, "store: a log could not be counted", fail);
		sqlite3_finalize(row);
		return fail->err;
	}
	const uint64_t got = (uint64_t)sqlite3_column_int64(row, 0);

	sqlite3_finalize(row);
	if (got == expected)
		return DR_OK;
	return dr_store_say(s, fail, DR_ERR_PROOF, "store: number of log entries",
			    "store: number of log entries: expected %llu, got %llu: a log was changed",
			    (unsigned long long)expected, (unsigned long long)got);
}

static enum dr_err check_logs(struct dr_store *s, const uint8_t roots[2][32], struct dr_fail *fail)
{
	if (check_count(s, "SELECT count(*) FROM ledger", s->logs[DR_LOG_LEDGER].size, fail) != DR_OK ||
	    check_count(s, "SELECT count(*) FROM journal", s->logs[DR_LOG_JOURNAL].size, fail) != DR_OK)
		return fail->err;
	if (dr_store_log_check(s, DR_LOG_LEDGER, roots[DR_LOG_LEDGER], fail) != DR_OK)
		return fail->err;
	return dr_store_log_check(s, DR_LOG_JOURNAL, roots[DR_LOG_JOURNAL], fail);
}

static enum dr_err read_marks(struct dr_store *s, struct dr_fail *fail)
{
	uint8_t bytes[DR_STORE_MARKS_LEN], halted, roots[2][32];
	struct dr_reader r;
	bool found;

	if (dr_store_meta_get(s, "halted", &halted, 1, &s->halted, fail) != DR_OK ||
	    dr_store_meta_get(s, "marks", bytes, sizeof(bytes), &found, fail) != DR_OK)
		return fail->err;
	if (!found)
		return dr_store_say(s, fail, DR_ERR_PROOF, "store: the marks are missing",
				    "store: the marks are missing");
	dr_reader_init(&r, dr_bytes_of(bytes, sizeof(bytes)), fail);
	s->marks.has_final = dr_reader_u8(&r) == 1;
	s->marks.final_number = dr_reader_u64(&r);
	dr_reader_copy(&r, s->marks.final_hash, 32);
	dr_reader_copy(&r, s->marks.state_digest, 32);
	s->evidence_num = dr_reader_u64(&r);
	dr_reader_copy(&r, s->evidence_hash, 32);
	for (size_t i = 0; i < 2; i++) {
		s->logs[i].size = dr_reader_u64(&r);
		dr_reader_copy(&r, roots[i], 32);
	}
	if (dr_reader_end(&r) != DR_OK)
		return fail->err;
	if (s->evidence_num > INT64_MAX || s->logs[0].size > INT64_MAX || s->logs[1].size > INT64_MAX)
		return dr_store_say(s, fail, DR_ERR_PROOF, "store: the marks are damaged",
				    "store: the marks are damaged");
	return check_logs(s, (const uint8_t(*)[32])roots, fail);
}

static enum dr_err set_up(struct dr_store *s, const struct dr_store_identity *id, struct dr_fail *fail)
{
	const struct dr_store_marks none = { 0 };
	uint8_t bytes[IDENTITY_LEN];

	/* One transaction: a directory is either not begun or wholly bound. */
	if (exec(s, "BEGIN IMMEDIATE", "store: the database could not be set up", fail) != DR_OK ||
	    exec(s, schema, "store: the database could not be set up", fail) != DR_OK || prepare(s, fail) != DR_OK)
		return fail->err;
	s->writing = true;
	identity_put(bytes, id);
	if (dr_store_meta_put(s, "identity", bytes, sizeof(bytes), fail) != DR_OK)
		return fail->err;
	memcpy(bytes, id->validators_root, 32);
	memcpy(bytes + 32, id->checkpoint, 32);
	if (id->proof == DR_PROOF_CONSENSUS && dr_store_meta_put(s, "beacon", bytes, BEACON_LEN, fail) != DR_OK)
		return fail->err;
	return dr_store_commit(s, &none, fail);
}

static enum dr_err open_all(struct dr_store *s, const char *dir, const struct dr_store_identity *id,
			    struct dr_fail *fail)
{
	bool is_new = false;
	int dir_fd;

	if (open_dir(s, &dir_fd, dir, fail) != DR_OK)
		return fail->err;
	if (s->read_only || lock_dir(s, dir_fd, dir, fail) == DR_OK)
		make_file(s, dir_fd, dir, fail);
	close(dir_fd);
	if (fail->err != DR_OK || open_db(s, dir, &is_new, fail) != DR_OK)
		return fail->err;
	if (is_new && s->read_only)
		return dr_store_say(s, fail, DR_ERR_STALE, "store: nothing was stored yet",
				    "data directory %s: nothing was stored yet", dir);
	if (is_new && set_up(s, id, fail) != DR_OK)
		return fail->err;
	/* A reader keeps one snapshot from here on, whatever a running core commits. */
	if (s->read_only && exec(s, "BEGIN", "store: a snapshot could not be taken", fail) != DR_OK)
		return fail->err;
	if (check_identity(s, id, fail) != DR_OK || prepare(s, fail) != DR_OK)
		return fail->err;
	return read_marks(s, fail);
}

struct dr_store *dr_store_open(const char *dir, bool read_only, const struct dr_store_identity *id,
			       char why[static DR_TEXT_MAX], struct dr_fail *fail)
{
	struct dr_store *s = dr_heap_alloc(sizeof(*s));

	why[0] = 0;
	if (s == NULL) {
		dr_fail_set(fail, DR_ERR_NOMEM, "store: no memory", 0);
		return NULL;
	}
	s->lock_fd = -1;
	s->read_only = read_only;
	s->scrub = !read_only;
	dr_merkle_init(&s->logs[0]);
	dr_merkle_init(&s->logs[1]);
	if (open_all(s, dir, id, fail) == DR_OK)
		return s;
	dr_text_set(why, DR_TEXT_MAX, s->why[0] != 0 ? s->why : fail->what, DR_TEXT_MAX);
	dr_store_close(s);
	return NULL;
}

void dr_store_close(struct dr_store *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < DR_SQL_NUM; i++)
		sqlite3_finalize(s->sql[i]);
	/* An open transaction is rolled back by this. */
	sqlite3_close(s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	dr_heap_free(s);
}
