/* SPDX-License-Identifier: Apache-2.0
 *
 * store_impl: the store's insides, shared by store.c (transactions, evidence), store_log.c (both logs and proofs
 * about them), store_roots.c (sealed roots, certificates) and store_open.c (opening, and what is checked then).
 * Nobody else includes it, or SQLite.
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_STORE_IMPL_H
#define DR_CORE_STORE_IMPL_H

#include <sqlite3.h>

#include "kms-bridge/core/store.h"

/* A journal's statement follows the ledger's. */
enum dr_store_sql {
	DR_SQL_META_GET = 0,
	DR_SQL_EVIDENCE_ALL,
	DR_SQL_EVIDENCE_GET,
	DR_SQL_LEDGER_GET,
	DR_SQL_JOURNAL_GET,
	DR_SQL_LEDGER_HASH,
	DR_SQL_JOURNAL_HASH,
	DR_SQL_LEDGER_NODE,
	DR_SQL_JOURNAL_NODE,
	DR_SQL_LEDGER_NODES,
	DR_SQL_JOURNAL_NODES,
	DR_SQL_ROOT_GET,
	DR_SQL_ROOT_NEXT,
	DR_SQL_CERTIFICATES,
	DR_SQL_WRITES, /* from here on: not prepared when read only */
	DR_SQL_BEGIN = DR_SQL_WRITES,
	DR_SQL_SNAPSHOT,
	DR_SQL_COMMIT,
	DR_SQL_META_PUT,
	DR_SQL_EVIDENCE_ADD,
	DR_SQL_LEDGER_ADD,
	DR_SQL_JOURNAL_ADD,
	DR_SQL_LEDGER_NODE_ADD,
	DR_SQL_JOURNAL_NODE_ADD,
	DR_SQL_QUARANTINE_ADD,
	DR_SQL_QUARANTINE_CUT,
	DR_SQL_ROOT_PUT,
	DR_SQL_ROOT_REPLACE,
	DR_SQL_ROOT_DEL,
	DR_SQL_CERTIFICATE_ADD,
	DR_SQL_NUM,
};

#define DR_STORE_BUSY_MS 5000

struct dr_store {
	sqlite3 *db;
	sqlite3_stmt *sql[DR_SQL_NUM];
	int lock_fd;
	bool read_only, writing, halted;
	bool scrub; /* something secret was deleted, or may have been before a crash */
	uint64_t evidence_num;
	uint8_t evidence_hash[32]; /* h(0) = 0; h(n+1) = SHA-256(h(n) ‖ frame) */
	struct dr_merkle logs[2];
	struct dr_store_marks marks;
	char why[DR_TEXT_MAX];
};

/* dr_store_failed: records what SQLite said. */
enum dr_err dr_store_failed(struct dr_store *s, const char *what, struct dr_fail *fail);

/* dr_store_say: a failure in words, for people. */
__attribute__((format(printf, 5, 6))) enum dr_err
dr_store_say(struct dr_store *s, struct dr_fail *fail, enum dr_err err, const char *what, const char *format, ...);

/* dr_store_begin: begins the transaction unless one has begun. */
enum dr_err dr_store_begin(struct dr_store *s, struct dr_fail *fail);

/* Parameters of a statement, from 1 on. Bytes must live until it has run; an empty run is an empty blob, not NULL.
 * dr_store_column: a value of a row, borrowed until the next step. */
void dr_store_bind_u64(struct dr_store *s, enum dr_store_sql sql, int at, uint64_t value);
void dr_store_bind(struct dr_store *s, enum dr_store_sql sql, int at, struct dr_bytes bytes);
struct dr_bytes dr_store_column(sqlite3_stmt *row, int at);

/* dr_store_run: steps a statement that returns no row, and resets it. */
enum dr_err dr_store_run(struct dr_store *s, enum dr_store_sql sql, const char *what, struct dr_fail *fail);

/* dr_store_meta_put; dr_store_meta_get: exactly len bytes; *found false and zeros if there is no such key;
 * DR_ERR_PROOF if it is of another length. */
enum dr_err dr_store_meta_put(struct dr_store *s, const char *key, const void *ptr, size_t len, struct dr_fail *fail);
enum dr_err dr_store_meta_get(struct dr_store *s, const char *key, void *ptr, size_t len, bool *found,
			      struct dr_fail *fail);

/* dr_store_log_check: at opening: the leaves of a log, of which s->logs[log].size are to be there, hash to its stored
 * root, and so do the kept hashes of subtrees; sets s->logs[log]. DR_ERR_PROOF otherwise. */
enum dr_err dr_store_log_check(struct dr_store *s, enum dr_log log, const uint8_t root[static 32],
			       struct dr_fail *fail);

/* The marks' form: u8 has final · u64 number · hash 32 · state digest 32 · u64 evidence num · evidence hash 32 ·
 * u64 ledger size · ledger root 32 · u64 journal size · journal root 32. One value: they change together. */
#define DR_STORE_MARKS_LEN (1u + 8 + 32 + 32 + 3 * (8 + 32))

#endif
