/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/process/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define STATUS_MAX 512u

/* A decimal number; 0 if it is none. */
static uint64_t number(const char *text)
{
	unsigned long long value;
	char *end;

	if (text == NULL || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	value = strtoull(text, &end, 10);
	return errno == 0 && *end == 0 ? value : 0;
}

static int reach(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const size_t len = path != NULL ? strlen(path) : 0;

	/* '@': an abstract name. Nothing else than these two forms is a unix socket's. */
	if (len < 2 || len >= sizeof(addr.sun_path) || (path[0] != '/' && path[0] != '@'))
		return -1;
	memcpy(addr.sun_path, path, len);
	if (path[0] == '@')
		addr.sun_path[0] = 0;
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* An abstract name has no end but its length's. */
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&addr,
			       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (path[0] == '/'))) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

void dr_notify_open(struct dr_notify *n)
{
	const char *pid = getenv("WATCHDOG_PID");

	memset(n, 0, sizeof(*n));
	n->fd = reach(getenv("NOTIFY_SOCKET"));
	if (pid == NULL || number(pid) == (uint64_t)getpid())
		n->half_ms = number(getenv("WATCHDOG_USEC")) / 2000;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void dr_notify_close(struct dr_notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

static void say(const struct dr_notify *n, const char *text)
{
	if (n->fd >= 0)
		(void)!send(n->fd, text, strlen(text), MSG_NOSIGNAL);
}

void dr_notify_ready(struct dr_notify *n)
{
	say(n, "READY=1");
}

void dr_notify_stopping(struct dr_notify *n)
{
	say(n, "STOPPING=1");
}

void dr_notify_status(struct dr_notify *n, const char *text)
{
	char line[STATUS_MAX];
	const int len = snprintf(line, sizeof(line), "STATUS=%s", text);

	for (int i = 0; i < len && (size_t)i < sizeof(line) - 1; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	say(n, line);
}

void dr_notify_step(struct dr_notify *n)
{
	n->step = true;
}

void dr_notify_turn(struct dr_notify *n, uint64_t now_ms)
{
	if (!n->step || n->half_ms == 0 || (n->is_fed && now_ms - n->fed_ms < n->half_ms))
		return;
	say(n, "WATCHDOG=1");
	n->step = false;
	n->is_fed = true;
	n->fed_ms = now_ms;
}
