/* SPDX-License-Identifier: Apache-2.0
 *
 * store_impl: the store's insides, shared by store.c (rows) and store_open.c (opening, and what is checked
 * then). Nobody else includes it, or SQLite.
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_STORE_IMPL_H
#define DR_CORE_STORE_IMPL_H

#include <sqlite3.h>

#include "kms-bridge/core/store.h"

enum dr_store_sql {
	DR_SQL_BEGIN = 0,
	DR_SQL_COMMIT,
	DR_SQL_META_GET,
	DR_SQL_META_PUT,
	DR_SQL_EVIDENCE_ADD,
	DR_SQL_EVIDENCE_ALL,
	DR_SQL_EVIDENCE_GET,
	DR_SQL_LEDGER_ADD,
	DR_SQL_LEDGER_GET,
	DR_SQL_JOURNAL_ADD,
	DR_SQL_JOURNAL_GET,
	DR_SQL_QUARANTINE_ADD,
	DR_SQL_QUARANTINE_CUT,
	DR_SQL_ROOT_PUT,
	DR_SQL_ROOT_GET,
	DR_SQL_ROOT_NEXT,
	DR_SQL_NUM,
};

struct dr_store {
	sqlite3 *db;
	sqlite3_stmt *sql[DR_SQL_NUM];
	int lock_fd;
	bool read_only, writing, halted;
	uint64_t evidence_num;
	uint8_t evidence_hash[32]; /* h(0) = 0; h(n+1) = SHA-256(h(n) ‖ frame) */
	struct dr_merkle logs[2];
	struct dr_store_marks marks;
	char why[DR_TEXT_MAX];
};

/* dr_store_failed: records what SQLite said. */
enum dr_err dr_store_failed(struct dr_store *s, const char *what, struct dr_fail *fail);

/* dr_store_run: steps a statement that returns no row, and resets it. */
enum dr_err dr_store_run(struct dr_store *s, enum dr_store_sql sql, const char *what, struct dr_fail *fail);

/* dr_store_meta_put; dr_store_meta_get: exactly len bytes; *found false and zeros if there is no such key;
 * DR_ERR_PROOF if it is of another length. */
enum dr_err dr_store_meta_put(struct dr_store *s, const char *key, const void *ptr, size_t len, struct dr_fail *fail);
enum dr_err dr_store_meta_get(struct dr_store *s, const char *key, void *ptr, size_t len, bool *found,
			      struct dr_fail *fail);

/* The marks' form: u8 has final · u64 number · hash 32 · state digest 32 · u64 evidence num · evidence hash 32 ·
 * u64 ledger size · ledger root 32 · u64 journal size · journal root 32. One value: they change together. */
#define DR_STORE_MARKS_LEN (1u + 8 + 32 + 32 + 3 * (8 + 32))

#endif
