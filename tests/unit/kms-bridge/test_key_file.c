/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kms-bridge/keys_kit.h"

#include "kms-bridge/core/key_file.h"

#include <errno.h>
#include <sys/syscall.h>

static bool is_plain; /* the file system: it knows no rename that replaces nothing */

/* In place of libc's. */
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (is_plain && flags != 0) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

static const char pass[] = "correct horse battery staple";

static char link_name[96];

/* What reading the key file says; nothing is left in key. */
static void refused(const char *name, const char *passphrase, enum dr_err err, const char *what)
{
	uint8_t key[32];

	memset(key, 1, sizeof(key));
	expect_fail(name, dr_key_file_read(key, NULL, path, passphrase, &fail), err, what);
	assert_true(dr_bytes_zero(key, sizeof(key)));
}

static size_t file_bytes(uint8_t buf[static 256])
{
	FILE *f = fopen(path, "rb");
	const size_t len = fread(buf, 1, 256, f);

	fclose(f);
	return len;
}

static void test_raw(void **state)
{
	uint8_t one[32], two[32], zeros[106] = { 0 };
	struct stat st;

	(void)state;
	refused("absent", NULL, DR_ERR_IO, "key file: there is none");
	assert_int_equal(dr_key_file_make(path, NULL, 0, &fail), DR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 32);
	expect_fail("never over another", dr_key_file_make(path, "", 0, &fail), DR_ERR_IO, "already there");
	assert_int_equal(dr_key_file_read(one, NULL, path, "", &fail), DR_OK);
	/* Nor over what sealing anew left beside it, whether it is there itself or not. */
	char beside[128];

	snprintf(beside, sizeof(beside), "%s.new", path2);
	write_file(beside, zeros, 32, 0600);
	assert_int_equal(dr_key_file_make(path2, NULL, 0, &fail), DR_OK);
	assert_int_equal(access(beside, F_OK), 0);
	expect_fail("again", dr_key_file_make(path2, NULL, 0, &fail), DR_ERR_IO, "already there");
	assert_int_equal(access(beside, F_OK), 0);
	unlink(beside);
	assert_int_equal(dr_key_file_read(two, NULL, path2, NULL, &fail), DR_OK);
	assert_memory_not_equal(one, two, 32);
	uint8_t bytes[256];

	assert_int_equal(file_bytes(bytes), 32);
	assert_memory_equal(bytes, one, 32);
	refused("raw with a passphrase", path2, DR_ERR_IO, "holds the key itself, and a passphrase file is given");

	chmod(path, 0640);
	refused("group", NULL, DR_ERR_IO, "others than its owner");
	chmod(path, 0604);
	refused("others", NULL, DR_ERR_IO, "others than its owner");
	for (size_t len = 0; len <= sizeof(zeros); len++) {
		write_file(path, zeros, len, 0600);
		if (len != 32)
			refused("length", NULL, DR_ERR_SYNTAX, "expected 32 bytes");
	}
	unlink(path);
	assert_int_equal(symlink(path2, path), 0);
	refused("link", NULL, DR_ERR_IO, "a link is not followed");
	expect_fail("over a link", dr_key_file_make(path, NULL, 0, &fail), DR_ERR_IO, "already there");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	refused("folder", NULL, DR_ERR_IO, "not a plain file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused("pipe", NULL, DR_ERR_IO, "not a plain file"); /* and it does not wait */
	expect_fail("no folder", dr_key_file_make("/nonexistent/key", NULL, 0, &fail), DR_ERR_IO,
		    "could not be made");
	if (geteuid() == 0) {
		unlink(path);
		write_file(path, zeros, 32, 0600);
		assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
		refused("not ours", NULL, DR_ERR_IO, "belongs to another user");
	}
}

static void test_plain_file_system(void **state)
{
	uint8_t one[32], two[32];

	(void)state;
	is_plain = true;
	assert_int_equal(dr_key_file_make(path, NULL, 0, &fail), DR_OK);
	assert_int_equal(dr_key_file_read(one, NULL, path, NULL, &fail), DR_OK);
	expect_fail("again", dr_key_file_make(path, NULL, 0, &fail), DR_ERR_IO, "already there");
	assert_int_equal(dr_key_file_read(two, NULL, path, NULL, &fail), DR_OK);
	assert_memory_equal(one, two, 32);
	/* A link to what is not there yet is there itself. */
	assert_int_equal(symlink("/nonexistent/key", path2), 0);
	expect_fail("over a link", dr_key_file_make(path2, NULL, 0, &fail), DR_ERR_IO, "already there");
	is_plain = false;
}

static void test_wrapped(void **state)
{
	uint8_t key[32], again[32], bytes[256];
	struct dr_key_file file;
	uint32_t memory_mib;

	(void)state;
	write_file(path2, pass, sizeof(pass) - 1, 0600);
	assert_int_equal(dr_key_file_make(path, path2, 8, &fail), DR_OK);
	const size_t len = file_bytes(bytes);

	assert_int_equal(len, DR_KEY_FILE_WRAPPED_LEN);
	assert_memory_equal(bytes, "derotkey\1\0\0\0\x08\0\0\0\x03", 17);
	assert_int_equal(dr_key_file_decode(&file, dr_bytes_of(bytes, len), &fail), DR_OK);
	assert_true(file.wrapped && file.memory_mib == 8 && file.passes == 3);
	assert_int_equal(dr_key_file_read(key, &memory_mib, path, path2, &fail), DR_OK);
	assert_int_equal(memory_mib, 8);
	assert_false(dr_bytes_zero(key, 32));
	assert_null(memmem(bytes, len, key, 32));
	/* One newline at the end does not count; a second does. */
	write_file(path2, "correct horse battery staple\n", sizeof(pass), 0600);
	assert_int_equal(dr_key_file_read(again, NULL, path, path2, &fail), DR_OK);
	assert_memory_equal(key, again, 32);
	write_file(path2, "correct horse battery staple\n\n", sizeof(pass) + 1, 0600);
	refused("two newlines", path2, DR_ERR_PROOF, "wrapped under another passphrase");
	write_file(path2, "Correct horse battery staple", sizeof(pass) - 1, 0600);
	refused("another", path2, DR_ERR_PROOF, "wrapped under another passphrase");
	refused("none", NULL, DR_ERR_IO, "wrapped under a passphrase, and no passphrase file is given");
	refused("none", "", DR_ERR_IO, "wrapped under a passphrase, and no passphrase file is given");
}

/* The passphrase file has the rules of the key file. */
static void test_passphrase(void **state)
{
	static char text[1030];

	(void)state;
	memset(text, 'x', sizeof(text));
	write_file(path2, pass, sizeof(pass) - 1, 0600);
	assert_int_equal(dr_key_file_make(path, path2, 8, &fail), DR_OK);
	refused("absent", "/nonexistent/p", DR_ERR_IO, "passphrase file: there is none");
	chmod(path2, 0644);
	refused("readable", path2, DR_ERR_IO, "passphrase file: others than its owner");
	snprintf(link_name, sizeof(link_name), "%s/link", dir);
	assert_int_equal(symlink(path2, link_name), 0);
	refused("link", link_name, DR_ERR_IO, "passphrase file: a link is not followed");
	refused("folder", dir, DR_ERR_IO, "passphrase file: not a plain file");
	write_file(path2, text, 0, 0600);
	refused("empty", path2, DR_ERR_LIMIT, "1 to 1024 bytes");
	write_file(path2, "\n", 1, 0600);
	refused("a newline", path2, DR_ERR_LIMIT, "1 to 1024 bytes");
	write_file(path2, text, 1025, 0600);
	refused("1025", path2, DR_ERR_LIMIT, "1 to 1024 bytes");
	write_file(path2, text, 1026, 0600);
	refused("1026", path2, DR_ERR_SYNTAX, "1 to 1024 bytes");
	text[1024] = '\n';
	write_file(path2, text, 1025, 0600);
	refused("1024 and a newline", path2, DR_ERR_PROOF, "another passphrase");
	/* Making needs it as well, and leaves nothing behind. */
	unlink(path);
	write_file(path2, "", 0, 0600);
	expect_fail("make", dr_key_file_make(path, path2, 8, &fail), DR_ERR_LIMIT, "1 to 1024 bytes");
	write_file(path2, "x", 1, 0600);
	expect_fail("make", dr_key_file_make(path, path2, 7, &fail), DR_ERR_LIMIT, "8 to 4096");
	expect_fail("make", dr_key_file_make(path, path2, 4097, &fail), DR_ERR_LIMIT, "8 to 4096");
	expect_fail("make", dr_key_file_make(path, "/nonexistent/p", 8, &fail), DR_ERR_IO, "passphrase file");
	assert_int_equal(access(path, F_OK), -1);
}

static void test_changed(void **state)
{
	uint8_t bytes[256];

	(void)state;
	write_file(path2, "x", 1, 0600);
	assert_int_equal(dr_key_file_make(path, path2, 8, &fail), DR_OK);
	const size_t len = file_bytes(bytes);

	for (size_t cut = 8; cut < len; cut++) {
		write_file(path, bytes, cut, 0600);
		refused("cut", path2, DR_ERR_SYNTAX, "cut short");
	}
	bytes[len] = 0;
	write_file(path, bytes, len + 1, 0600);
	refused("longer", path2, DR_ERR_SYNTAX, "longer than 105");
	for (size_t bit = 0; bit < len * 8; bit++) {
		const size_t at = bit / 8;

		/* What needs memory or time to find out: the fields are bounded before. */
		if (at >= 9 && at < 17) {
			struct dr_key_file file;

			bytes[at] ^= (uint8_t)(1u << bit % 8);
			const enum dr_err err = dr_key_file_decode(&file, dr_bytes_of(bytes, len), &fail);
			const bool bounded = (file.memory_mib >= 8 && file.memory_mib <= 4096) && file.passes >= 1 &&
					     file.passes <= 16;

			assert_true(err == DR_OK ? bounded : err == DR_ERR_LIMIT);
			fail = (struct dr_fail){ 0 };
			bytes[at] ^= (uint8_t)(1u << bit % 8);
			continue;
		}
		if (at >= 17 && bit % 8 != at % 8) /* an Argon2id each: one bit of each byte */
			continue;
		bytes[at] ^= (uint8_t)(1u << bit % 8);
		write_file(path, bytes, len, 0600);
		if (at < 8)
			refused("magic", path2, DR_ERR_SYNTAX, "expected 32 bytes");
		else if (at == 8)
			refused("version", path2, DR_ERR_UNKNOWN, "version");
		else
			refused("changed", path2, DR_ERR_PROOF, "another passphrase, or changed");
		bytes[at] ^= (uint8_t)(1u << bit % 8);
	}
	/* Fewer passes than it was made with: the header is under the tag too. */
	bytes[16] = 2;
	write_file(path, bytes, len, 0600);
	refused("passes", path2, DR_ERR_PROOF, "another passphrase, or changed");
	bytes[16] = 17;
	write_file(path, bytes, len, 0600);
	refused("passes", path2, DR_ERR_LIMIT, "1 to 16 passes");
	bytes[16] = 3;
	bytes[12] = 7;
	write_file(path, bytes, len, 0600);
	refused("memory", path2, DR_ERR_LIMIT, "8 to 4096 MiB");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = { T(test_raw), T(test_plain_file_system), T(test_wrapped),
					    T(test_passphrase), T(test_changed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
