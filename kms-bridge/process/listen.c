/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/process/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64

#define EXPECTED                                                                                                     \
	"expected 127.0.0.1:PORT, [::1]:PORT or unix:/absolute/path: only this machine's own processes may ask"

/* What follows prefix in text; NULL if it does not begin so. */
static const char *after(const char *text, const char *prefix)
{
	const size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static bool port_of(uint16_t *port, const char *text)
{
	uint32_t value = 0;
	size_t len = 0;

	for (; text[len] >= '0' && text[len] <= '9' && len < 5; len++)
		value = value * 10 + (uint32_t)(text[len] - '0');
	*port = (uint16_t)value;
	return len > 0 && text[len] == '\0' && text[0] != '0' && value <= UINT16_MAX;
}

static enum dr_err unix_parse(struct dr_listen *out, const char *path, struct dr_fail *fail)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const size_t len = strlen(path);

	if (path[0] != '/')
		return dr_fail_set(fail, DR_ERR_SYNTAX, EXPECTED, 0);
	if (len >= sizeof(at.sun_path))
		return dr_fail_set(fail, DR_ERR_LIMIT, "the path of a unix socket: 107 bytes at most", len);
	memcpy(at.sun_path, path, len);
	memcpy(&out->address, &at, sizeof(at));
	out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	out->local = true;
	return DR_OK;
}

enum dr_err dr_listen_parse(struct dr_listen *out, const char *text, struct dr_fail *fail)
{
	const char *rest;
	uint16_t port;

	memset(out, 0, sizeof(*out));
	if ((rest = after(text, "unix:")) != NULL)
		return unix_parse(out, rest, fail);
	if ((rest = after(text, "127.0.0.1:")) != NULL && port_of(&port, rest)) {
		const struct sockaddr_in at = { .sin_family = AF_INET,
						.sin_port = htons(port),
						.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

		memcpy(&out->address, &at, sizeof(at));
		out->len = sizeof(at);
		return DR_OK;
	}
	if ((rest = after(text, "[::1]:")) != NULL && port_of(&port, rest)) {
		const struct sockaddr_in6 at = { .sin6_family = AF_INET6,
						 .sin6_port = htons(port),
						 .sin6_addr = IN6ADDR_LOOPBACK_INIT };

		memcpy(&out->address, &at, sizeof(at));
		out->len = sizeof(at);
		return DR_OK;
	}
	return dr_fail_set(fail, DR_ERR_SYNTAX, EXPECTED, 0);
}

/* A socket's file outlives its process. It is removed if it is one, and nobody answers there. */
static void remove_abandoned(const struct dr_listen *at)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)(const void *)&at->address;
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return;
	if (lstat(un->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == geteuid() &&
	    connect(fd, (const struct sockaddr *)&at->address, at->len) != 0 && errno == ECONNREFUSED)
		unlink(un->sun_path);
	close(fd);
}

enum dr_err dr_listen_open(int *out, const struct dr_listen *at, struct dr_fail *fail)
{
	const int on = 1;
	const int fd = socket(at->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int bound, saved;

	*out = -1;
	if (fd < 0)
		return dr_fail_set(fail, DR_ERR_IO, "a listening socket could not be made", (size_t)errno);
	if (at->local)
		remove_abandoned(at);
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* From the first moment: nobody else gets in between bind and a chmod. */
	mask = umask(0177);
	bound = bind(fd, (const struct sockaddr *)&at->address, at->len);
	saved = errno;
	umask(mask);
	if (bound != 0 || listen(fd, BACKLOG) != 0) {
		if (bound == 0)
			saved = errno;
		close(fd);
		return dr_fail_set(fail, DR_ERR_IO, "the address to listen on could not be taken", (size_t)saved);
	}
	*out = fd;
	return DR_OK;
}
