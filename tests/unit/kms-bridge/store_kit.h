/* SPDX-License-Identifier: Apache-2.0
 *
 * store_kit: what the tests of the store share: a data directory of their own for each, and somebody who edits its
 * database by hand.
 */
#ifndef DR_TESTS_UNIT_KMS_BRIDGE_STORE_KIT_H
#define DR_TESTS_UNIT_KMS_BRIDGE_STORE_KIT_H

#include "tests/unit/kit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kms-bridge/core/store.h"

static char dir[128], db[160];
static char why[DR_TEXT_MAX];
static struct dr_fail fail;

static struct dr_store_identity identity(void)
{
	struct dr_store_identity id = { .chain_id = 31337, .start_number = 7, .proof = DR_PROOF_QUORUM };

	memset(id.genesis, 0x11, 32);
	memset(id.contract, 0x22, 20);
	memset(id.start_hash, 0x33, 32);
	memset(id.profile, 0x44, 32);
	return id;
}

static int fresh_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/derot-test-store-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(db, sizeof(db), "%s/derot.db", dir);
	return 0;
}

static int remove_dir(void **state)
{
	static const char *const names[] = { "derot.db", "derot.db-wal", "derot.db-shm", "lock", "other" };
	char path[192];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static struct dr_store *open_as(const struct dr_store_identity *id, bool read_only)
{
	fail = (struct dr_fail){ 0 };
	return dr_store_open(dir, read_only, id, why, &fail);
}

static struct dr_store *open_store(void)
{
	const struct dr_store_identity id = identity();
	struct dr_store *s = open_as(&id, false);

	if (s == NULL)
		fail_msg("%s", why);
	return s;
}

static void add_entry(struct dr_store *s, enum dr_log log, const char *leaf)
{
	struct dr_entry e = { .idx = dr_store_log_edge(s, log)->size, .leaf = dr_bytes_of(leaf, strlen(leaf)) };

	dr_merkle_leaf(e.leaf_hash, e.leaf);
	assert_int_equal(dr_store_log_add(s, log, &e, &fail), DR_OK);
}

static struct dr_store_marks marks_at(uint64_t number)
{
	struct dr_store_marks m = { .has_final = true, .final_number = number };

	memset(m.final_hash, (int)number, 32);
	memset(m.state_digest, 0x77, 32);
	return m;
}

static void edit(const char *sql)
{
	sqlite3 *raw;

	assert_int_equal(sqlite3_open(db, &raw), SQLITE_OK);
	if (sqlite3_exec(raw, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(raw));
	sqlite3_close(raw);
}

#endif
