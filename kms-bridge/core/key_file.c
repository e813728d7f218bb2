/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/base/reader.h"
#include "chain/base/writer.h"
#include "chain/crypto/aead.h"
#include "chain/crypto/secret.h"

#define VERSION 1u

static const char magic[8] = "derotkey"; /* without a NUL */

/* What is said of a file of ours; texts of a struct dr_fail live for ever. */
struct words {
	const char *none, *link, *shut, *plain, *owner, *rights, *read, *len;
};

static const struct words key_words = {
	"key file: there is none",           "key file: a link is not followed",
	"key file: could not be opened",     "key file: not a plain file",
	"key file: belongs to another user", "key file: others than its owner have rights on it (expected mode 0600)",
	"key file: could not be read",       "key file: expected 32 bytes, or 105 of a wrapped key",
};
static const struct words passphrase_words = {
	"passphrase file: there is none",
	"passphrase file: a link is not followed",
	"passphrase file: could not be opened",
	"passphrase file: not a plain file",
	"passphrase file: belongs to another user",
	"passphrase file: others than its owner have rights on it (expected mode 0600)",
	"passphrase file: could not be read",
	"passphrase file: expected 1 to 1024 bytes",
};

/* The whole file of at most cap bytes. Secret: buf; wipe it, whatever comes back. */
static enum dr_err read_private(uint8_t *buf, size_t cap, size_t *len, const char *path, const struct words *words,
				struct dr_fail *fail)
{
	const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct dr_fail own = { 0 };
	struct stat st;

	*len = 0;
	if (fd < 0)
		return dr_fail_set(fail, DR_ERR_IO,
				   errno == ENOENT  ? words->none
				   : errno == ELOOP ? words->link
						    : words->shut,
				   (size_t)errno);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		dr_fail_set(&own, DR_ERR_IO, words->plain, 0);
	else if (st.st_uid != geteuid())
		dr_fail_set(&own, DR_ERR_IO, words->owner, st.st_uid);
	else if ((st.st_mode & 077) != 0)
		dr_fail_set(&own, DR_ERR_IO, words->rights, st.st_mode & 07777);
	else if (st.st_size < 0 || (uint64_t)st.st_size > cap)
		dr_fail_set(&own, DR_ERR_SYNTAX, words->len, (size_t)st.st_size);
	while (own.err == DR_OK && *len < cap) {
		const ssize_t num = read(fd, buf + *len, cap - *len);

		if (num > 0)
			*len += (size_t)num;
		else if (num == 0)
			break;
		else if (errno != EINTR)
			dr_fail_set(&own, DR_ERR_IO, words->read, (size_t)errno);
	}
	close(fd);
	if (own.err == DR_OK)
		return DR_OK;
	*len = 0;
	return dr_fail_set(fail, own.err, own.what, own.at);
}

/* The key that wraps, of the passphrase in the file. */
static enum dr_err wrapping_key(uint8_t key[static DR_AEAD_KEY_LEN], const char *passphrase_file,
				const uint8_t salt[static DR_ARGON2_SALT_LEN], uint32_t memory_mib, uint32_t passes,
				struct dr_fail *fail)
{
	uint8_t text[DR_PASSPHRASE_MAX + 1];
	enum dr_err err;
	size_t len;

	memset(key, 0, DR_AEAD_KEY_LEN);
	if ((err = read_private(text, sizeof(text), &len, passphrase_file, &passphrase_words, fail)) == DR_OK) {
		if (len > 0 && text[len - 1] == '\n')
			len--;
		err = len == 0 || len > DR_PASSPHRASE_MAX
			      ? dr_fail_set(fail, DR_ERR_LIMIT, passphrase_words.len, len)
			      : dr_argon2id(key, dr_bytes_of(text, len), salt, memory_mib, passes, fail);
	}
	dr_secret_wipe(text, sizeof(text));
	return err;
}

static void header(uint8_t out[static DR_KEY_FILE_HEADER_LEN], const struct dr_key_file *file)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, out, DR_KEY_FILE_HEADER_LEN, &fail);
	dr_writer_copy(&w, magic, sizeof(magic));
	dr_writer_u8(&w, VERSION);
	dr_writer_u32(&w, file->memory_mib);
	dr_writer_u32(&w, file->passes);
	dr_writer_copy(&w, file->salt, sizeof(file->salt));
	DR_ASSERT(fail.err == DR_OK && w.len == DR_KEY_FILE_HEADER_LEN);
}

enum dr_err dr_key_file_decode(struct dr_key_file *out, struct dr_bytes bytes, struct dr_fail *fail)
{
	const bool begins = bytes.len >= sizeof(magic) && memcmp(bytes.ptr, magic, sizeof(magic)) == 0;
	struct dr_fail own = { 0 };
	struct dr_reader r;

	memset(out, 0, sizeof(*out));
	dr_reader_init(&r, bytes, &own);
	if (begins && bytes.len != DR_KEY_FILE_WRAPPED_LEN) {
		/* A random key that begins like this will not be met. */
		return dr_fail_set(fail, DR_ERR_SYNTAX, "key file: a wrapped key, cut short or longer than 105 bytes",
				   bytes.len);
	}
	if (!begins) {
		if (bytes.len != DR_KEY_FILE_RAW_LEN)
			return dr_fail_set(fail, DR_ERR_SYNTAX, key_words.len, bytes.len);
		dr_reader_copy(&r, out->key, sizeof(out->key));
		return DR_OK;
	}
	out->wrapped = true;
	dr_reader_view(&r, sizeof(magic));
	if (dr_reader_u8(&r) != VERSION)
		dr_reader_fail(&r, DR_ERR_UNKNOWN, "key file: version of the wrapped key");
	out->memory_mib = dr_reader_u32(&r);
	out->passes = dr_reader_u32(&r);
	if (dr_reader_ok(&r) && (out->memory_mib < DR_ARGON2_MIB_MIN || out->memory_mib > DR_ARGON2_MIB_MAX ||
				 out->passes == 0 || out->passes > DR_ARGON2_PASSES_MAX))
		dr_reader_fail(&r, DR_ERR_LIMIT, "key file: 8 to 4096 MiB and 1 to 16 passes are taken");
	dr_reader_copy(&r, out->salt, sizeof(out->salt));
	dr_reader_copy(&r, out->nonce, sizeof(out->nonce));
	dr_reader_copy(&r, out->sealed, sizeof(out->sealed));
	if (dr_reader_end(&r) == DR_OK)
		return DR_OK;
	memset(out, 0, sizeof(*out));
	return dr_fail_set(fail, own.err, own.what, own.at);
}

enum dr_err dr_key_file_read(uint8_t key[static DR_KEY_FILE_RAW_LEN], uint32_t *memory_mib, const char *path,
			     const char *passphrase_file, struct dr_fail *fail)
{
	const bool has_passphrase = passphrase_file != NULL && passphrase_file[0] != 0;
	uint8_t bytes[DR_KEY_FILE_WRAPPED_LEN + 1], head[DR_KEY_FILE_HEADER_LEN], wrapping[DR_AEAD_KEY_LEN];
	struct dr_key_file file = { 0 };
	struct dr_fail own = { 0 };
	size_t len;

	memset(key, 0, DR_KEY_FILE_RAW_LEN);
	if (read_private(bytes, sizeof(bytes), &len, path, &key_words, &own) == DR_OK)
		dr_key_file_decode(&file, dr_bytes_of(bytes, len), &own);
	if (own.err == DR_OK && file.wrapped != has_passphrase)
		dr_fail_set(&own, DR_ERR_IO,
			    file.wrapped ? "key file: wrapped under a passphrase, and no passphrase file is given"
					 : "key file: holds the key itself, and a passphrase file is given",
			    0);
	if (own.err == DR_OK && !file.wrapped)
		memcpy(key, file.key, sizeof(file.key));
	if (own.err == DR_OK && file.wrapped &&
	    wrapping_key(wrapping, passphrase_file, file.salt, file.memory_mib, file.passes, &own) == DR_OK) {
		struct dr_fail why = { 0 };

		header(head, &file);
		if (dr_aead_open(key, dr_bytes_of(file.sealed, sizeof(file.sealed)), dr_bytes_of(head, sizeof(head)),
				 file.nonce, wrapping, &why) != DR_OK)
			dr_fail_set(&own, why.err, "key file: wrapped under another passphrase, or changed", 0);
		dr_secret_wipe(wrapping, sizeof(wrapping));
	}
	if (memory_mib != NULL)
		*memory_mib = own.err == DR_OK ? file.memory_mib : 0;
	dr_secret_wipe(bytes, sizeof(bytes));
	dr_secret_wipe(&file, sizeof(file));
	if (own.err != DR_OK)
		return dr_fail_set(fail, own.err, own.what, own.at);
	return DR_OK;
}

/* A random key in the form in which it lies in the file. Secret: out. */
static enum dr_err make(uint8_t out[static DR_KEY_FILE_WRAPPED_LEN], size_t *len, const char *passphrase_file,
			uint32_t memory_mib, struct dr_fail *fail)
{
	struct dr_key_file file = { .memory_mib = memory_mib != 0 ? memory_mib : DR_ARGON2_MIB_DEFAULT,
				    .passes = DR_ARGON2_PASSES };
	uint8_t key[DR_KEY_FILE_RAW_LEN], wrapping[DR_AEAD_KEY_LEN];
	uint8_t *nonce = out + DR_KEY_FILE_HEADER_LEN;
	enum dr_err err = DR_OK;

	dr_secret_random(key, sizeof(key));
	if (passphrase_file == NULL || passphrase_file[0] == 0) {
		memcpy(out, key, sizeof(key));
		*len = sizeof(key);
	} else {
		dr_secret_random(file.salt, sizeof(file.salt));
		err = wrapping_key(wrapping, passphrase_file, file.salt, file.memory_mib, file.passes, fail);
		if (err == DR_OK) {
			header(out, &file);
			dr_secret_random(nonce, DR_AEAD_NONCE_LEN);
			dr_aead_seal(nonce + DR_AEAD_NONCE_LEN, dr_bytes_of(key, sizeof(key)),
				     dr_bytes_of(out, DR_KEY_FILE_HEADER_LEN), nonce, wrapping);
			*len = DR_KEY_FILE_WRAPPED_LEN;
		}
		dr_secret_wipe(wrapping, sizeof(wrapping));
	}
	dr_secret_wipe(key, sizeof(key));
	return err;
}

static bool write_all(int fd, const uint8_t *ptr, size_t len)
{
	while (len > 0) {
		const ssize_t num = write(fd, ptr, len);

		if (num <= 0 && !(num < 0 && errno == EINTR))
			return false;
		if (num > 0) {
			ptr += num;
			len -= (size_t)num;
		}
	}
	return true;
}

/* The name is durable too: what was sealed under this key would be lost with it. */
bool dr_key_file_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];
	bool done = false;
	int fd;

	if (slash == NULL) {
		fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} else {
		const size_t len = slash == path ? 1 : (size_t)(slash - path);

		if (len >= sizeof(folder))
			return false;
		memcpy(folder, path, len);
		folder[len] = 0;
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd >= 0) {
		done = fsync(fd) == 0;
		close(fd);
	}
	return done;
}

/* The new name, which nothing else may have. */
static bool name_it(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return true;
	/* A file system that cannot do it in one act. */
	struct stat st;

	if (errno != EINVAL)
		return false;
	if (lstat(to, &st) == 0) {
		errno = EEXIST;
		return false;
	}
	return errno == ENOENT && rename(from, to) == 0;
}

enum dr_err dr_key_file_make(const char *path, const char *passphrase_file, uint32_t memory_mib, struct dr_fail *fail)
{
	uint8_t bytes[DR_KEY_FILE_WRAPPED_LEN];
	enum dr_err err;
	size_t len = 0;

	if ((err = make(bytes, &len, passphrase_file, memory_mib, fail)) != DR_OK)
		return err;
	/* Whole or not there at all, whenever this process dies: under another name first. One of that name was left
	 * by one that died, and sealed nothing. It is not path + ".new": under that one everything may be sealed
	 * (core_keys.c, reseal). */
	char first[4096];
	const int first_len = snprintf(first, sizeof(first), "%s.part", path);
	int fd = -1;

	if (first_len > 0 && (size_t)first_len < sizeof(first)) {
		unlink(first);
		fd = open(first, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	}
	if (fd < 0) {
		dr_secret_wipe(bytes, sizeof(bytes));
		return dr_fail_set(fail, DR_ERR_IO, "key file: could not be made", (size_t)errno);
	}
	const bool written = fchmod(fd, 0600) == 0 && write_all(fd, bytes, len) && fsync(fd) == 0;
	const bool named = close(fd) == 0 && written && name_it(first, path);

	if (named && dr_key_file_sync(path)) {
		dr_secret_wipe(bytes, sizeof(bytes));
		return DR_OK;
	}
	const int why = errno;

	dr_secret_wipe(bytes, sizeof(bytes));
	unlink(named ? path : first);
	return dr_fail_set(fail, DR_ERR_IO,
			   why == EEXIST ? "key file: something is already there" : "key file: could not be written",
			   (size_t)why);
}
