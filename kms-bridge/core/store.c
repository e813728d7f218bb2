/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/store_impl.h"

#include <stdio.h>
#include <string.h>

#include "chain/base/writer.h"
#include "chain/crypto/sha256.h"

const char *dr_store_why(const struct dr_store *s)
{
	return s->why;
}

enum dr_err dr_store_failed(struct dr_store *s, const char *what, struct dr_fail *fail)
{
	const int code = sqlite3_errcode(s->db);
	char text[DR_TEXT_MAX];

	snprintf(text, sizeof(text), "%s: %s", what, sqlite3_errmsg(s->db));
	dr_text_set(s->why, sizeof(s->why), text, strlen(text));
	return dr_fail_set(fail, code == SQLITE_NOMEM ? DR_ERR_NOMEM : DR_ERR_IO, what, (size_t)code);
}

enum dr_err dr_store_run(struct dr_store *s, enum dr_store_sql sql, const char *what, struct dr_fail *fail)
{
	const int code = sqlite3_step(s->sql[sql]);
	const enum dr_err err = code == SQLITE_DONE ? DR_OK : dr_store_failed(s, what, fail);

	sqlite3_reset(s->sql[sql]);
	sqlite3_clear_bindings(s->sql[sql]);
	return err;
}

void dr_store_bind_u64(struct dr_store *s, enum dr_store_sql sql, int at, uint64_t value)
{
	DR_ASSERT(value <= INT64_MAX);
	DR_ASSERT(sqlite3_bind_int64(s->sql[sql], at, (sqlite3_int64)value) == SQLITE_OK);
}

void dr_store_bind(struct dr_store *s, enum dr_store_sql sql, int at, struct dr_bytes bytes)
{
	const void *ptr = bytes.len == 0 ? "" : (const void *)bytes.ptr;

	DR_ASSERT(sqlite3_bind_blob64(s->sql[sql], at, ptr, bytes.len, SQLITE_STATIC) == SQLITE_OK);
}

struct dr_bytes dr_store_column(sqlite3_stmt *row, int at)
{
	const void *ptr = sqlite3_column_blob(row, at);
	const int len = sqlite3_column_bytes(row, at);

	return dr_bytes_of(ptr, ptr == NULL || len < 0 ? 0 : (size_t)len);
}

enum dr_err dr_store_begin(struct dr_store *s, struct dr_fail *fail)
{
	DR_ASSERT(!s->read_only);
	if (s->writing)
		return DR_OK;
	if (dr_store_run(s, DR_SQL_BEGIN, "store: a transaction could not begin", fail) != DR_OK)
		return fail->err;
	s->writing = true;
	return DR_OK;
}

enum dr_err dr_store_meta_put(struct dr_store *s, const char *key, const void *ptr, size_t len, struct dr_fail *fail)
{
	if (dr_store_begin(s, fail) != DR_OK)
		return fail->err;
	DR_ASSERT(sqlite3_bind_text(s->sql[DR_SQL_META_PUT], 1, key, -1, SQLITE_STATIC) == SQLITE_OK);
	dr_store_bind(s, DR_SQL_META_PUT, 2, dr_bytes_of(ptr, len));
	return dr_store_run(s, DR_SQL_META_PUT, "store: meta could not be written", fail);
}

enum dr_err dr_store_meta_get(struct dr_store *s, const char *key, void *ptr, size_t len, bool *found,
			      struct dr_fail *fail)
{
	sqlite3_stmt *row = s->sql[DR_SQL_META_GET];
	enum dr_err err = DR_OK;

	memset(ptr, 0, len);
	*found = false;
	DR_ASSERT(sqlite3_bind_text(row, 1, key, -1, SQLITE_STATIC) == SQLITE_OK);
	const int code = sqlite3_step(row);

	if (code == SQLITE_ROW) {
		const struct dr_bytes value = dr_store_column(row, 0);

		if (value.len == len) {
			memcpy(ptr, value.ptr, len);
			*found = true;
		} else {
			snprintf(s->why, sizeof(s->why), "store: meta \"%s\" has %zu bytes, expected %zu", key,
				 value.len, len);
			err = dr_fail_set(fail, DR_ERR_PROOF, "store: length of a meta value", value.len);
		}
	} else if (code != SQLITE_DONE) {
		err = dr_store_failed(s, "store: meta could not be read", fail);
	}
	sqlite3_reset(row);
	return err;
}

static void evidence_hash(uint8_t hash[static 32], struct dr_bytes frame)
{
	const struct dr_bytes parts[2] = { { hash, 32 }, frame };
	uint8_t next[32];

	dr_sha256(next, parts, 2);
	memcpy(hash, next, 32);
}

enum dr_err dr_store_evidence_add(struct dr_store *s, struct dr_bytes frame, struct dr_fail *fail)
{
	if (dr_store_begin(s, fail) != DR_OK)
		return fail->err;
	dr_store_bind_u64(s, DR_SQL_EVIDENCE_ADD, 1, s->evidence_num);
	dr_store_bind(s, DR_SQL_EVIDENCE_ADD, 2, frame);
	if (dr_store_run(s, DR_SQL_EVIDENCE_ADD, "store: evidence could not be written", fail) != DR_OK)
		return fail->err;
	s->evidence_num++;
	evidence_hash(s->evidence_hash, frame);
	return DR_OK;
}

enum dr_err dr_store_quarantine_add(struct dr_store *s, const struct dr_frame *frame, const struct dr_fail *reason,
				    struct dr_fail *fail)
{
	struct dr_bytes payload = frame->payload;
	char text[DR_TEXT_MAX];

	if (payload.len > DR_STORE_QUARANTINE_LEN)
		payload.len = DR_STORE_QUARANTINE_LEN;
	snprintf(text, sizeof(text), "%s: %s (at %zu)", dr_err_name(reason->err), reason->what, reason->at);
	if (dr_store_begin(s, fail) != DR_OK)
		return fail->err;
	DR_ASSERT(sqlite3_bind_text(s->sql[DR_SQL_QUARANTINE_ADD], 1, text, -1, SQLITE_STATIC) == SQLITE_OK);
	dr_store_bind_u64(s, DR_SQL_QUARANTINE_ADD, 2, frame->source);
	dr_store_bind_u64(s, DR_SQL_QUARANTINE_ADD, 3, frame->type);
	dr_store_bind_u64(s, DR_SQL_QUARANTINE_ADD, 4, frame->payload.len);
	dr_store_bind(s, DR_SQL_QUARANTINE_ADD, 5, payload);
	if (dr_store_run(s, DR_SQL_QUARANTINE_ADD, "store: quarantine could not be written", fail) != DR_OK)
		return fail->err;
	const sqlite3_int64 seq = sqlite3_last_insert_rowid(s->db);

	if (seq <= (sqlite3_int64)DR_STORE_QUARANTINE_MAX)
		return DR_OK;
	dr_store_bind_u64(s, DR_SQL_QUARANTINE_CUT, 1, (uint64_t)seq - DR_STORE_QUARANTINE_MAX);
	return dr_store_run(s, DR_SQL_QUARANTINE_CUT, "store: quarantine could not be cut", fail);
}

enum dr_err dr_store_halt(struct dr_store *s, struct dr_fail *fail)
{
	if (dr_store_meta_put(s, "halted", "\1", 1, fail) != DR_OK)
		return fail->err;
	s->halted = true;
	return DR_OK;
}

bool dr_store_halted(const struct dr_store *s)
{
	return s->halted;
}

/* The log of writes still has what was deleted: it goes into the database file, where secure_delete left zeros, and
 * is cut to nothing. A reader's snapshot is in the way of that (and is not waited for): then at the next commit. */
static void scrub(struct dr_store *s)
{
	sqlite3_busy_timeout(s->db, 0);
	s->scrub = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK;
	sqlite3_busy_timeout(s->db, DR_STORE_BUSY_MS);
}

enum dr_err dr_store_commit(struct dr_store *s, const struct dr_store_marks *marks, struct dr_fail *fail)
{
	uint8_t bytes[DR_STORE_MARKS_LEN], root[32];
	struct dr_writer w;

	if (!s->writing)
		return DR_OK;
	dr_writer_init(&w, bytes, sizeof(bytes), fail);
	dr_writer_u8(&w, marks->has_final ? 1 : 0);
	dr_writer_u64(&w, marks->final_number);
	dr_writer_copy(&w, marks->final_hash, 32);
	dr_writer_copy(&w, marks->state_digest, 32);
	dr_writer_u64(&w, s->evidence_num);
	dr_writer_copy(&w, s->evidence_hash, 32);
	for (size_t i = 0; i < 2; i++) {
		dr_merkle_root(root, &s->logs[i]);
		dr_writer_u64(&w, s->logs[i].size);
		dr_writer_copy(&w, root, 32);
	}
	if (fail->err != DR_OK)
		return fail->err;
	DR_ASSERT(w.len == sizeof(bytes));
	if (dr_store_meta_put(s, "marks", bytes, sizeof(bytes), fail) != DR_OK ||
	    dr_store_run(s, DR_SQL_COMMIT, "store: a transaction could not be committed", fail) != DR_OK)
		return fail->err;
	s->marks = *marks;
	s->writing = false;
	if (s->scrub)
		scrub(s);
	return DR_OK;
}

const struct dr_store_marks *dr_store_marks(const struct dr_store *s)
{
	return &s->marks;
}

enum dr_err dr_store_evidence(struct dr_store *s, enum dr_err (*each)(void *ctx, struct dr_bytes frame), void *ctx,
			      struct dr_fail *fail)
{
	sqlite3_stmt *row = s->sql[DR_SQL_EVIDENCE_ALL];
	uint8_t hash[32] = { 0 };
	uint64_t num = 0;
	enum dr_err err = DR_OK;
	int code;

	while (err == DR_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
		const struct dr_bytes frame = dr_store_column(row, 1);

		if ((uint64_t)sqlite3_column_int64(row, 0) != num || num >= s->evidence_num) {
			snprintf(s->why, sizeof(s->why),
				 "store: evidence row: expected number %llu of %llu, got %lld",
				 (unsigned long long)num, (unsigned long long)s->evidence_num,
				 (long long)sqlite3_column_int64(row, 0));
			err = dr_fail_set(fail, DR_ERR_PROOF, "store: evidence rows are missing or too many", num);
			break;
		}
		evidence_hash(hash, frame);
		if (++num == s->evidence_num && memcmp(hash, s->evidence_hash, 32) != 0) {
			snprintf(s->why, sizeof(s->why), "store: the evidence is not what was stored");
			err = dr_fail_set(fail, DR_ERR_PROOF, "store: the evidence is not what was stored", num);
			break;
		}
		err = each(ctx, frame);
		if (err != DR_OK)
			dr_fail_set(fail, err, "store: a stored frame was not taken", num - 1);
	}
	if (err == DR_OK && code != SQLITE_DONE)
		err = dr_store_failed(s, "store: evidence could not be read", fail);
	if (err == DR_OK && num != s->evidence_num) {
		snprintf(s->why, sizeof(s->why), "store: evidence: expected %llu frames, got %llu",
			 (unsigned long long)s->evidence_num, (unsigned long long)num);
		err = dr_fail_set(fail, DR_ERR_PROOF, "store: evidence rows are missing or too many", num);
	}
	sqlite3_reset(row);
	return err;
}

uint64_t dr_store_evidence_num(const struct dr_store *s)
{
	return s->evidence_num;
}

enum dr_err dr_store_evidence_get(struct dr_store *s, uint64_t seq, struct dr_buf *out, struct dr_fail *fail)
{
	sqlite3_stmt *row = s->sql[DR_SQL_EVIDENCE_GET];
	enum dr_err err;

	DR_ASSERT(seq < s->evidence_num);
	dr_store_bind_u64(s, DR_SQL_EVIDENCE_GET, 1, seq);
	const int code = sqlite3_step(row);

	if (code == SQLITE_ROW) {
		const struct dr_bytes frame = dr_store_column(row, 0);

		err = dr_buf_append(out, frame.ptr, frame.len, fail);
	} else if (code == SQLITE_DONE) {
		err = dr_fail_set(fail, DR_ERR_PROOF, "store: evidence rows are missing or too many", seq);
	} else {
		err = dr_store_failed(s, "store: evidence could not be read", fail);
	}
	sqlite3_reset(row);
	return err;
}
