/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/crypto/secret.h"

#define KEY_TEXT_LEN 66u /* 0x and 64 digits */

/* A value 0 to 15, without a branch or an index that the digit decides; *bad collects what is no digit. */
static uint8_t digit(uint8_t c, unsigned *bad)
{
	const unsigned number = c - (unsigned)'0', letter = (c | 0x20u) - (unsigned)'a'; /* below it: huge */
	const unsigned is_number = 0u - (number < 10), is_letter = 0u - (letter < 6);

	*bad |= ~(is_number | is_letter);
	return (uint8_t)((number & is_number) | ((letter + 10) & is_letter));
}

static enum dr_err decode(uint8_t secret[static 32], const uint8_t *text, size_t len, struct dr_fail *fail)
{
	unsigned bad = 0;

	if (len == 32) {
		memcpy(secret, text, 32);
		return DR_OK;
	}
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len == KEY_TEXT_LEN && text[0] == '0' && text[1] == 'x') {
		text += 2;
		len -= 2;
	}
	if (len == 64) {
		for (size_t i = 0; i < 32; i++)
			secret[i] = (uint8_t)(digit(text[2 * i], &bad) << 4 | digit(text[2 * i + 1], &bad));
		if (bad == 0)
			return DR_OK;
		dr_secret_wipe(secret, 32);
	}
	return dr_fail_set(fail, DR_ERR_SYNTAX, "a key file holds 32 bytes, or 64 hexadecimal digits", len);
}

enum dr_err dr_secret_file_read(uint8_t secret[static 32], const char *path, struct dr_fail *fail)
{
	const size_t cap = KEY_TEXT_LEN + 2; /* one more than any form has */
	uint8_t *text = dr_secret_alloc(cap);
	const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t got = -1;

	memset(secret, 0, 32);
	if (text == NULL)
		dr_fail_set(fail, DR_ERR_NOMEM, "no memory for a key", 0);
	else if (fd < 0)
		dr_fail_set(fail, DR_ERR_IO, "the key's file does not open (a link is not followed)", (size_t)errno);
	else if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		dr_fail_set(fail, DR_ERR_IO, "the key's file is no plain file", 0);
	else if (st.st_uid != geteuid())
		dr_fail_set(fail, DR_ERR_IO, "the key's file belongs to another user", 0);
	else if ((st.st_mode & 077) != 0)
		dr_fail_set(fail, DR_ERR_IO,
			    "others may read the key's file: chmod 600, and think of the key as known", 0);
	else if ((got = read(fd, text, cap)) < 0)
		dr_fail_set(fail, DR_ERR_IO, "reading the key's file", (size_t)errno);
	else
		decode(secret, text, (size_t)got, fail);
	if (fd >= 0)
		close(fd);
	dr_secret_free(text);
	return fail->err;
}

enum dr_err dr_new_file_write(const char *path, struct dr_bytes bytes, struct dr_fail *fail)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	size_t done = 0;

	if (fd < 0)
		return dr_fail_set(fail, DR_ERR_IO,
				   errno == EEXIST ? "there is something of that name already; nothing is overwritten"
						   : "a new file cannot be made there",
				   (size_t)errno);
	while (done < bytes.len) {
		const ssize_t put = write(fd, bytes.ptr + done, bytes.len - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			break;
		done += (size_t)put;
	}
	if (done < bytes.len || fsync(fd) != 0)
		dr_fail_set(fail, DR_ERR_IO, "writing the new file", (size_t)errno);
	close(fd);
	if (fail->err != DR_OK)
		unlink(path);
	return fail->err;
}
