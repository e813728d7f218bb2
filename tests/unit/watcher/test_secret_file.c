/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watcher/secret_file.h"

#define SECRET "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"

static void test_key_file(void **state)
{
	static const char digits[] = SECRET, raw_key[] = "0123456789abcdef0123456789abcdef";
	static const struct {
		const char *name, *text;
		size_t len; /* 0: up to the NUL */
		mode_t mode;
		const char *secret;
		enum dr_err err;
	} rows[] = {
		{ "digits", digits, 0, 0600, digits, DR_OK },
		{ "read only", digits, 0, 0400, digits, DR_OK },
		{ "a line", SECRET "\n", 0, 0600, digits, DR_OK },
		{ "0x", "0x" SECRET, 0, 0600, digits, DR_OK },
		{ "0x, a line", "0x" SECRET "\n", 0, 0600, digits, DR_OK },
		{ "capitals", "AC0974BEC39A17E36BA4A6B4D238FF944BACB478CBED5EFCAE784D7BF4F2FF80", 0, 0600, digits,
		  DR_OK },
		{ "32 bytes", raw_key, 32, 0600, "3031323334353637383961626364656630313233343536373839616263646566",
		  DR_OK },
		{ "31 bytes", raw_key, 31, 0600, NULL, DR_ERR_SYNTAX },
		{ "empty", "", 0, 0600, NULL, DR_ERR_SYNTAX },
		{ "two lines", SECRET "\n\n", 0, 0600, NULL, DR_ERR_SYNTAX },
		{ "blank before", " " SECRET, 0, 0600, NULL, DR_ERR_SYNTAX },
		{ "63 digits", digits, 63, 0600, NULL, DR_ERR_SYNTAX },
		{ "one more digit", SECRET "0", 0, 0600, NULL, DR_ERR_SYNTAX },
		{ "much more", SECRET SECRET, 0, 0600, NULL, DR_ERR_SYNTAX },
		{ "not a digit", "gc0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", 0, 0600, NULL,
		  DR_ERR_SYNTAX },
		{ "below the digits", "/c0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", 0, 0600,
		  NULL, DR_ERR_SYNTAX },
		{ "between them", ":c0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", 0, 0600, NULL,
		  DR_ERR_SYNTAX },
		{ "before the letters", "`c0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", 0, 0600,
		  NULL, DR_ERR_SYNTAX },
		{ "others may read", digits, 0, 0640, NULL, DR_ERR_IO },
		{ "all may write", digits, 0, 0602, NULL, DR_ERR_IO },
	};
	char folder[] = "/tmp/derot-test-secret-file-XXXXXX", path[64], link[64], good[64];
	const uint8_t zero[32] = { 0 };
	struct dr_fail fail = { 0 };
	uint8_t secret[32];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/key", folder);
	snprintf(link, sizeof(link), "%s/link", folder);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t len = rows[i].len != 0 ? rows[i].len : strlen(rows[i].text);
		const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		assert_int_equal(write(fd, rows[i].text, len), len);
		assert_int_equal(fchmod(fd, rows[i].mode), 0);
		close(fd);
		fail = (struct dr_fail){ 0 };
		memset(secret, 0xaa, 32);
		if (dr_secret_file_read(secret, path, &fail) != rows[i].err)
			fail_msg("%s: %s", rows[i].name, fail.what);
		kit_assert_fail(rows[i].err, &fail);
		assert_memory_equal(secret, rows[i].secret != NULL ? kit_hex(rows[i].secret).ptr : zero, 32);
		unlink(path);
	}
	const char *const no_files[] = { path, link, folder, "/dev/null" };

	fail = (struct dr_fail){ 0 };
	/* A link to a file that would do. */
	snprintf(good, sizeof(good), "%s/good", folder);
	assert_int_equal(dr_new_file_write(good, dr_bytes_of(digits, 64), &fail), DR_OK);
	assert_int_equal(dr_secret_file_read(secret, good, &fail), DR_OK);
	assert_int_equal(symlink(good, link), 0);
	for (size_t i = 0; i < 4; i++) {
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_secret_file_read(secret, no_files[i], &fail), DR_ERR_IO);
		kit_assert_fail(DR_ERR_IO, &fail);
	}
	unlink(link);
	unlink(good);
	rmdir(folder);
}

static void test_write(void **state)
{
	char folder[] = "/tmp/derot-test-secret-file-XXXXXX", path[64], absent[80];
	const uint8_t key[32] = { 7 };
	struct dr_fail fail = { 0 };
	uint8_t secret[32];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/new", folder);
	snprintf(absent, sizeof(absent), "%s/no/new", folder);
	umask(0);
	assert_int_equal(dr_new_file_write(path, dr_bytes_of(key, 32), &fail), DR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(dr_secret_file_read(secret, path, &fail), DR_OK);
	assert_memory_equal(secret, key, 32);
	/* Never over something. */
	assert_int_equal(dr_new_file_write(path, dr_bytes_of(secret, 1), &fail), DR_ERR_IO);
	assert_int_equal(fail.at, EEXIST);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 32);
	unlink(path);
	assert_int_equal(symlink(absent, path), 0);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_new_file_write(path, dr_bytes_of(key, 32), &fail), DR_ERR_IO);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_new_file_write(absent, dr_bytes_of(key, 32), &fail), DR_ERR_IO);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_file),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
