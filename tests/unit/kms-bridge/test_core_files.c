/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that a core has beside its data directory. Sealing anew, cut short after everything was sealed and before
 * the new key file took the old one's place: nothing that is done then loses the new one, which alone opens the
 * roots. And none of their names gets into the evidence, which others read.
 */
#include "tests/unit/kms-bridge/core_kit.h"

#include <sys/stat.h>

static char next[DR_TEXT_MAX + 8], kept[DR_TEXT_MAX + 8];

static void read_key(uint8_t key[static 32], const char *path)
{
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	assert_int_equal(fread(key, 1, 32, f), 32);
	fclose(f);
}

/* As it lies on the disk then; key: the one that everything is sealed under. */
static void cut_short(uint8_t key[static 32])
{
	static struct process p;
	struct dr_channel ch;
	unsigned others;
	uint8_t old[32];

	snprintf(next, sizeof(next), "%s.new", init.key_file);
	snprintf(kept, sizeof(kept), "%s.kept", init.key_file);
	start_run(&p);
	assert_int_equal(link(init.key_file, kept), 0);
	dr_channel_init(&ch, connect_client());
	ask(&ch, DR_MSG_RESEAL, dr_bytes_of(NULL, 0), DR_MSG_DONE, &others);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
	read_key(old, kept);
	read_key(key, init.key_file);
	assert_memory_not_equal(key, old, 32);
	assert_int_equal(rename(init.key_file, next), 0);
	assert_int_equal(rename(kept, init.key_file), 0);
}

static void opens_with(const uint8_t key[static 32])
{
	static struct process p;
	uint8_t now[32];

	start_run(&p);
	assert_int_equal(stop_run(&p), 0);
	read_key(now, init.key_file);
	assert_memory_equal(now, key, 32);
	assert_int_equal(access(next, F_OK), -1);
}

static void test_goes_on(void **state)
{
	uint8_t key[32];

	(void)state;
	cut_short(key);
	opens_with(key);
}

/* The new file cannot be read for a while (here: others have rights on it). */
static void test_unreadable(void **state)
{
	static struct process p;
	uint8_t key[32];

	(void)state;
	cut_short(key);
	assert_int_equal(chmod(next, 0644), 0);
	spawn(&p, DR_MODE_RUN);
	assert_int_equal(wait_for(&p), DR_CORE_ERROR);
	assert_non_null(strstr(p.heard.error.what, "does not open them now"));
	assert_int_equal(access(next, F_OK), 0);
	assert_int_equal(chmod(next, 0600), 0);
	opens_with(key);
}

/* derot keys init, by whoever wants to help. */
static void test_key_file(void **state)
{
	static struct process p;
	uint8_t key[32];

	(void)state;
	cut_short(key);
	spawn(&p, DR_MODE_KEY_FILE);
	assert_int_equal(wait_for(&p), DR_CORE_ERROR);
	assert_int_equal(access(next, F_OK), 0);
	assert_int_equal(unlink(init.key_file), 0);
	spawn(&p, DR_MODE_KEY_FILE);
	assert_int_equal(wait_for(&p), DR_CORE_GOOD);
	assert_int_equal(access(next, F_OK), 0);
	opens_with(key);
}

/* What nothing is sealed under is forgotten. */
static void test_unused(void **state)
{
	static struct process p;
	uint8_t key[32];
	FILE *f;

	(void)state;
	start_run(&p);
	assert_int_equal(stop_run(&p), 0);
	read_key(key, init.key_file);
	snprintf(next, sizeof(next), "%s.new", init.key_file);
	f = fopen(next, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(key, 1, 7, f), 7);
	fclose(f);
	opens_with(key);
}

/* A key file that was put into a folder in which this user can only look up names: it is the operator's, and its name
 * is not ours to make durable. */
static void test_shut_folder(void **state)
{
	static struct process p;
	const bool is_root = geteuid() == 0;
	const uid_t user = is_root ? 65534 : geteuid();
	char folder[128];
	uint8_t key[32];

	(void)state;
	snprintf(folder, sizeof(folder), "%s/keys", dir);
	snprintf(init.key_file, sizeof(init.key_file), "%s/keys/key", dir);
	assert_int_equal(mkdir(folder, 0700), 0);
	const int fd = open(init.key_file, O_WRONLY | O_CREAT | O_EXCL, 0600);

	memset(key, 0x5a, sizeof(key));
	assert_int_equal(write(fd, key, sizeof(key)), sizeof(key));
	assert_int_equal(fchown(fd, user, (gid_t)-1), 0);
	close(fd);
	assert_int_equal(chown(folder, user, (gid_t)-1), 0);
	assert_int_equal(chown(dir, user, (gid_t)-1), 0);
	assert_int_equal(setresuid(user, user, is_root ? 0 : user), 0);
	/* Where the core could have made it, nothing is sealed under it before its name is durable. */
	assert_int_equal(chmod(folder, 0333), 0);
	spawn(&p, DR_MODE_RUN);
	const int shut = wait_for(&p);

	assert_int_equal(chmod(folder, 0111), 0);
	start_run(&p);
	assert_int_equal(stop_run(&p), 0);
	assert_int_equal(chmod(folder, 0700), 0);
	if (is_root)
		assert_int_equal(setresuid(0, 0, 0), 0);
	assert_int_equal(shut, DR_CORE_ERROR);
}

static void test_about(void **state)
{
	static struct process p;
	const char secret[] = "a passphrase";
	uint8_t frame[8192];
	char db[DR_TEXT_MAX + 16];
	sqlite3_stmt *row;
	sqlite3 *raw;

	(void)state;
	snprintf(init.passphrase_file, sizeof(init.passphrase_file), "%s/passphrase", dir);
	init.argon2_mib = 8;
	const int fd = open(init.passphrase_file, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_int_equal(write(fd, secret, sizeof(secret)), sizeof(secret));
	close(fd);
	start_run(&p);
	assert_int_equal(stop_run(&p), 0);
	snprintf(db, sizeof(db), "%s/derot.db", init.data_dir);
	assert_int_equal(sqlite3_open(db, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(raw, "SELECT frame FROM evidence WHERE seq = 0", -1, &row, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	const size_t len = (size_t)sqlite3_column_bytes(row, 0);

	assert_true(len > 100 && len <= sizeof(frame));
	memcpy(frame, sqlite3_column_blob(row, 0), len);
	sqlite3_finalize(row);
	sqlite3_close(raw);
	assert_null(memmem(frame, len, dir, strlen(dir)));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = { T(test_goes_on), T(test_unreadable),  T(test_key_file),
					    T(test_unused),  T(test_shut_folder), T(test_about) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
