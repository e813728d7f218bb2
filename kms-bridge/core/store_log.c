/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/store_impl.h"

#include <stdio.h>
#include <string.h>

#include "kms-bridge/merkle.h"

static const char *log_name(enum dr_log log)
{
	return log == DR_LOG_LEDGER ? "ledger" : "journal";
}

static enum dr_store_sql of(enum dr_store_sql ledger, enum dr_log log)
{
	return (enum dr_store_sql)((unsigned)ledger + (unsigned)log);
}

/* The kept hashes of a log's complete subtrees above the leaves are numbered as they are completed, so that rows are
 * only ever appended. Leaf i comes when i - popcount(i) of them are there, and completes those of level 1, 2, … whose
 * last leaf it is. */
static uint64_t node_seq(unsigned level, uint64_t idx)
{
	const uint64_t last = ((idx + 1) << level) - 1;

	return last - (uint64_t)__builtin_popcountll(last) + level - 1;
}

enum dr_err dr_store_log_add(struct dr_store *s, enum dr_log log, const struct dr_entry *entry, struct dr_fail *fail)
{
	const enum dr_store_sql sql = of(DR_SQL_LEDGER_ADD, log), node = of(DR_SQL_LEDGER_NODE_ADD, log);
	struct dr_merkle next = s->logs[log];
	uint8_t hash[32], nodes[64][32];

	dr_merkle_leaf(hash, entry->leaf);
	DR_ASSERT(entry->idx == next.size && memcmp(hash, entry->leaf_hash, 32) == 0);
	if (dr_store_begin(s, fail) != DR_OK)
		return fail->err;
	dr_store_bind_u64(s, sql, 1, entry->idx);
	dr_store_bind(s, sql, 2, entry->leaf);
	dr_store_bind(s, sql, 3, dr_bytes_of(entry->leaf_hash, 32));
	if (dr_store_run(s, sql, "store: a log entry could not be written", fail) != DR_OK)
		return fail->err;
	const unsigned num = dr_merkle_grow(&next, entry->leaf_hash, nodes);

	for (unsigned level = 1; level <= num; level++) {
		dr_store_bind_u64(s, node, 1, node_seq(level, entry->idx >> level));
		dr_store_bind(s, node, 2, dr_bytes_of(nodes[level - 1], 32));
		if (dr_store_run(s, node, "store: a hash of a log could not be written", fail) != DR_OK)
			return fail->err;
	}
	s->logs[log] = next;
	return DR_OK;
}

enum dr_err dr_store_log(struct dr_store *s, enum dr_log log, uint64_t first, uint64_t num,
			 enum dr_err (*each)(void *ctx, const struct dr_entry *entry), void *ctx,
			 struct dr_fail *fail)
{
	const enum dr_store_sql sql = of(DR_SQL_LEDGER_GET, log);
	const uint64_t size = s->logs[log].size;
	sqlite3_stmt *row = s->sql[sql];
	enum dr_err err = DR_OK;
	int code = SQLITE_DONE;

	if (first >= size)
		return DR_OK;
	if (num == 0 || num > size - first)
		num = size - first;
	dr_store_bind_u64(s, sql, 1, first);
	dr_store_bind_u64(s, sql, 2, num);
	for (uint64_t idx = first; err == DR_OK && idx < first + num; idx++) {
		struct dr_entry entry = { .idx = idx };
		struct dr_bytes hash;

		code = sqlite3_step(row);
		if (code != SQLITE_ROW)
			break;
		entry.leaf = dr_store_column(row, 1);
		hash = dr_store_column(row, 2);
		dr_merkle_leaf(entry.leaf_hash, entry.leaf);
		if ((uint64_t)sqlite3_column_int64(row, 0) != idx ||
		    !dr_bytes_eq(hash, dr_bytes_of(entry.leaf_hash, 32))) {
			snprintf(s->why, sizeof(s->why), "store: %s entry %llu is missing or was changed",
				 log_name(log), (unsigned long long)idx);
			err = dr_fail_set(fail, DR_ERR_PROOF, "store: a log entry is missing or was changed", idx);
			break;
		}
		err = each(ctx, &entry);
		if (err != DR_OK)
			dr_fail_set(fail, err, "store: a log entry was not taken", idx);
	}
	if (err == DR_OK && code == SQLITE_DONE) {
		snprintf(s->why, sizeof(s->why), "store: entries of the %s are missing", log_name(log));
		err = dr_fail_set(fail, DR_ERR_PROOF, "store: a log entry is missing or was changed", 0);
	} else if (err == DR_OK && code != SQLITE_ROW) {
		err = dr_store_failed(s, "store: a log could not be read", fail);
	}
	sqlite3_reset(row);
	return err;
}

/* What is checked at opening. */
struct check {
	struct dr_store *s;
	enum dr_log log;
	struct dr_merkle sum;
	uint64_t num; /* kept hashes seen */
	struct dr_fail *fail;
};

static enum dr_err node_differs(struct dr_store *s, enum dr_log log, struct dr_fail *fail)
{
	return dr_store_say(s, fail, DR_ERR_PROOF, "store: a kept hash of a log is missing or was changed",
			    "store: a kept hash of the %s is missing or was changed", log_name(log));
}

static enum dr_err check_leaf(void *ctx, const struct dr_entry *entry)
{
	struct check *c = ctx;
	sqlite3_stmt *row = c->s->sql[of(DR_SQL_LEDGER_NODES, c->log)];
	uint8_t nodes[64][32];
	const unsigned num = dr_merkle_grow(&c->sum, entry->leaf_hash, nodes);

	for (unsigned i = 0; i < num; i++, c->num++) {
		const int code = sqlite3_step(row);

		if (code != SQLITE_ROW && code != SQLITE_DONE)
			return dr_store_failed(c->s, "store: the hashes of a log could not be read", c->fail);
		if (code == SQLITE_DONE || (uint64_t)sqlite3_column_int64(row, 0) != c->num ||
		    !dr_bytes_eq(dr_store_column(row, 1), dr_bytes_of(nodes[i], 32)))
			return node_differs(c->s, c->log, c->fail);
	}
	return DR_OK;
}

enum dr_err dr_store_log_check(struct dr_store *s, enum dr_log log, const uint8_t root[static 32],
			       struct dr_fail *fail)
{
	sqlite3_stmt *row = s->sql[of(DR_SQL_LEDGER_NODES, log)];
	struct check c = { .s = s, .log = log, .fail = fail };
	uint8_t got[32];

	dr_merkle_init(&c.sum);
	enum dr_err err = dr_store_log(s, log, 0, 0, check_leaf, &c, fail);

	/* Rows past the last would be in the way of the next entry's. */
	if (err == DR_OK && sqlite3_step(row) != SQLITE_DONE)
		err = node_differs(s, log, fail);
	sqlite3_reset(row);
	if (err != DR_OK)
		return err;
	dr_merkle_root(got, &c.sum);
	if (memcmp(got, root, 32) != 0)
		return dr_store_say(s, fail, DR_ERR_PROOF, "store: a log does not hash to its stored root",
				    "store: the %s does not hash to its stored root: it was changed", log_name(log));
	s->logs[log] = c.sum;
	return DR_OK;
}

const struct dr_merkle *dr_store_log_edge(const struct dr_store *s, enum dr_log log)
{
	return &s->logs[log];
}

struct asked {
	struct dr_store *s;
	enum dr_log log;
};

static enum dr_err get_node(void *ctx, unsigned level, uint64_t idx, uint8_t hash[static 32], struct dr_fail *fail)
{
	const struct asked *a = ctx;
	const enum dr_store_sql sql = of(level == 0 ? DR_SQL_LEDGER_HASH : DR_SQL_LEDGER_NODE, a->log);
	sqlite3_stmt *row = a->s->sql[sql];
	enum dr_err err = DR_OK;

	memset(hash, 0, 32);
	dr_store_bind_u64(a->s, sql, 1, level == 0 ? idx : node_seq(level, idx));
	const int code = sqlite3_step(row);

	if (code == SQLITE_ROW && sqlite3_column_bytes(row, 0) == 32)
		memcpy(hash, dr_store_column(row, 0).ptr, 32);
	else if (code == SQLITE_ROW || code == SQLITE_DONE)
		err = node_differs(a->s, a->log, fail);
	else
		err = dr_store_failed(a->s, "store: a hash of a log could not be read", fail);
	sqlite3_reset(row);
	return err;
}

/* An earlier root is believed when the log as it is, which nobody can edit under us, is seen to have begun with it:
 * the hashes on which it rests are then those of this log. */
static enum dr_err root_at(struct asked *a, uint64_t size, uint8_t root[static 32], struct dr_log_proof *scratch,
			   struct dr_fail *fail)
{
	const struct dr_merkle_source source = { get_node, a };
	const struct dr_merkle *now = &a->s->logs[a->log];
	struct dr_merkle then;

	if (size > now->size)
		return dr_store_say(a->s, fail, DR_ERR_LIMIT, "store: size of a log",
				    "the %s has %llu entries, asked was a size of %llu", log_name(a->log),
				    (unsigned long long)now->size, (unsigned long long)size);
	dr_merkle_root(scratch->root, now);
	if (dr_merkle_at(&then, size, &source, fail) != DR_OK ||
	    dr_merkle_consistency(scratch->hashes, &scratch->num, size, now->size, &source, fail) != DR_OK)
		return fail->err;
	dr_merkle_root(root, &then);
	if (!dr_merkle_verify_consistency(root, size, scratch->root, now->size, (const uint8_t(*)[32])scratch->hashes,
					  scratch->num)) {
		memset(root, 0, 32);
		return node_differs(a->s, a->log, fail);
	}
	return DR_OK;
}

/* Many reads are one transaction, unless one has begun: each alone would lock and unlock the database. */
static enum dr_err begin_reads(struct dr_store *s, bool *own, struct dr_fail *fail)
{
	*own = !s->read_only && !s->writing;
	return *own ? dr_store_run(s, DR_SQL_SNAPSHOT, "store: a transaction could not begin", fail) : DR_OK;
}

static enum dr_err end_reads(struct dr_store *s, bool own, enum dr_err err, struct dr_fail *fail)
{
	if (own && dr_store_run(s, DR_SQL_COMMIT, "store: a transaction could not end", fail) != DR_OK)
		return fail->err;
	return err;
}

enum dr_err dr_store_log_root(struct dr_store *s, enum dr_log log, uint64_t size, uint8_t root[static 32],
			      struct dr_fail *fail)
{
	struct asked a = { s, log };
	struct dr_log_proof scratch;
	bool own;

	memset(root, 0, 32);
	if (begin_reads(s, &own, fail) != DR_OK)
		return fail->err;
	const enum dr_err err = end_reads(s, own, root_at(&a, size, root, &scratch, fail), fail);

	if (err != DR_OK)
		memset(root, 0, 32);
	return err;
}

static enum dr_err inclusion(struct asked *a, uint64_t idx, struct dr_log_proof *out, struct dr_fail *fail)
{
	const struct dr_merkle_source source = { get_node, a };

	if (idx >= out->size)
		return dr_store_say(a->s, fail, DR_ERR_LIMIT, "store: index of a log entry",
				    "a %s of %llu entries has none at index %llu", log_name(a->log),
				    (unsigned long long)out->size, (unsigned long long)idx);
	if (get_node(a, 0, idx, out->first_hash, fail) != DR_OK ||
	    dr_merkle_inclusion(out->hashes, &out->num, idx, out->size, &source, fail) != DR_OK)
		return fail->err;
	if (!dr_merkle_verify_inclusion(out->root, out->size, idx, out->first_hash, (const uint8_t(*)[32])out->hashes,
					out->num))
		return node_differs(a->s, a->log, fail);
	return DR_OK;
}

static enum dr_err consistency(struct asked *a, uint64_t first, struct dr_log_proof *out, struct dr_fail *fail)
{
	const struct dr_merkle_source source = { get_node, a };
	struct dr_log_proof scratch;

	if (first > out->size)
		return dr_store_say(a->s, fail, DR_ERR_LIMIT, "store: size of a log",
				    "a %s of %llu entries did not begin with one of %llu", log_name(a->log),
				    (unsigned long long)out->size, (unsigned long long)first);
	if (root_at(a, first, out->first_hash, &scratch, fail) != DR_OK ||
	    dr_merkle_consistency(out->hashes, &out->num, first, out->size, &source, fail) != DR_OK)
		return fail->err;
	if (!dr_merkle_verify_consistency(out->first_hash, first, out->root, out->size,
					  (const uint8_t(*)[32])out->hashes, out->num))
		return node_differs(a->s, a->log, fail);
	return DR_OK;
}

enum dr_err dr_store_log_proof(struct dr_store *s, const struct dr_proof_query *q, struct dr_log_proof *out,
			       struct dr_fail *fail)
{
	struct asked a = { s, (enum dr_log)q->log };
	struct dr_log_proof scratch;
	enum dr_err err;
	bool own;

	DR_ASSERT(q->log <= DR_LOG_JOURNAL && q->kind <= DR_PROOF_CONSISTENCY);
	memset(out, 0, sizeof(*out));
	out->size = q->size != 0 ? q->size : s->logs[q->log].size;
	if (begin_reads(s, &own, fail) != DR_OK) {
		memset(out, 0, sizeof(*out));
		return fail->err;
	}
	err = root_at(&a, out->size, out->root, &scratch, fail);
	if (err == DR_OK)
		err = q->kind == DR_PROOF_INCLUSION ? inclusion(&a, q->first, out, fail)
						    : consistency(&a, q->first, out, fail);
	err = end_reads(s, own, err, fail);
	if (err != DR_OK)
		memset(out, 0, sizeof(*out));
	return err;
}
