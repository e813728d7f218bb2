/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/process/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/kit.h"

/* A service manager that listens at this address. */
static int manager(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const size_t len = strlen(path);
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(addr.sun_path, path, len);
	if (path[0] == '@')
		addr.sun_path[0] = 0;
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (path[0] == '/'))),
			 0);
	setenv("NOTIFY_SOCKET", path, 1);
	return fd;
}

static const char *heard(int fd)
{
	static char text[1024];
	const ssize_t got = recv(fd, text, sizeof(text) - 1, 0);

	text[got > 0 ? got : 0] = 0;
	return text;
}

static void test_words(void **state)
{
	char path[2][64];
	struct dr_notify n;

	(void)state;
	snprintf(path[0], sizeof(path[0]), "/tmp/dr-notify-%d", (int)getpid());
	snprintf(path[1], sizeof(path[1]), "@dr-notify-%d", (int)getpid());
	unlink(path[0]);
	for (size_t i = 0; i < 2; i++) {
		const int fd = manager(path[i]);

		dr_notify_open(&n);
		assert_null(getenv("NOTIFY_SOCKET"));
		dr_notify_ready(&n);
		assert_string_equal(heard(fd), "READY=1");
		dr_notify_status(&n, "final block 7\nREADY=1\x7f");
		assert_string_equal(heard(fd), "STATUS=final block 7?READY=1?");
		dr_notify_stopping(&n);
		assert_string_equal(heard(fd), "STOPPING=1");
		/* Without a watchdog nothing feeds one. */
		dr_notify_step(&n);
		dr_notify_turn(&n, 100000);
		assert_string_equal(heard(fd), "");
		/* A manager that is gone is nobody's concern. */
		close(fd);
		dr_notify_ready(&n);
		dr_notify_close(&n);
		unlink(path[i]);
	}
}

static void test_watchdog(void **state)
{
	static const struct {
		uint64_t ms;
		bool step, fed;
		const char *name;
	} rows[] = {
		{ 1000, false, false, "nothing was verified" },
		{ 90000, false, false, "however long" },
		{ 90001, true, true, "verified: at once, the first time" },
		{ 90002, false, false, "once" },
		{ 100000, true, false, "verified, but half of the time has not passed" },
		{ 105000, false, false, "nor yet" },
		{ 105001, false, true, "now it has: what was verified counts" },
		{ 200000, false, false, "nothing since" },
		{ 200001, true, true, "and again" },
	};
	char path[64];
	struct dr_notify n;

	(void)state;
	snprintf(path, sizeof(path), "@dr-watchdog-%d", (int)getpid());
	const int fd = manager(path);

	setenv("WATCHDOG_USEC", "30000000", 1);
	dr_notify_open(&n);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].step)
			dr_notify_step(&n);
		dr_notify_turn(&n, rows[i].ms);
		if (strcmp(heard(fd), rows[i].fed ? "WATCHDOG=1" : "") != 0)
			fail_msg("%s", rows[i].name);
	}
	dr_notify_close(&n);
	close(fd);
}

static void test_environment(void **state)
{
	static const struct {
		const char *socket, *usec, *pid;
	} rows[] = {
		{ NULL, "30000000", NULL },      { "", "30000000", NULL },   { "@", NULL, NULL },
		{ "relative/path", NULL, NULL }, { "/nowhere", NULL, NULL }, { "vsock:2:1234", NULL, NULL },
	};
	static const struct {
		const char *usec, *pid;
		uint64_t half_ms;
	} dogs[] = {
		{ "30000000", NULL, 15000 },
		{ "30000000", "1", 0 },
		{ "30000000x", NULL, 0 },
		{ "-1", NULL, 0 },
		{ "", NULL, 0 },
		{ NULL, NULL, 0 },
		{ "99999999999999999999", NULL, 0 },
	};
	struct dr_notify n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].socket != NULL)
			setenv("NOTIFY_SOCKET", rows[i].socket, 1);
		dr_notify_open(&n);
		assert_int_equal(n.fd, -1);
		dr_notify_ready(&n);
		dr_notify_close(&n);
	}
	for (size_t i = 0; i < sizeof(dogs) / sizeof(dogs[0]); i++) {
		if (dogs[i].usec != NULL)
			setenv("WATCHDOG_USEC", dogs[i].usec, 1);
		if (dogs[i].pid != NULL)
			setenv("WATCHDOG_PID", dogs[i].pid, 1);
		dr_notify_open(&n);
		assert_int_equal(n.half_ms, dogs[i].half_ms);
		assert_null(getenv("WATCHDOG_USEC"));
		assert_null(getenv("WATCHDOG_PID"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_watchdog),
		cmocka_unit_test(test_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
