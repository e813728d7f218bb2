/* SPDX-License-Identifier: Apache-2.0
 *
 * A link against a peer in a child process: what a core may do at its end of the channel.
 */
#include "tests/unit/kit.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watcher/link.h"

#define BIG (DR_MSG_LEN_MAX / 2)
#define NUM 6

static uint8_t big[BIG];

static void open_link(struct dr_link *link, int fd)
{
	memset(link, 0, sizeof(*link));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	link->fd = fd;
	dr_buf_init(&link->in, (size_t)DR_MSG_LEN_MAX * 2);
	dr_buf_init(&link->out, (size_t)DR_MSG_LEN_MAX * 2);
}

/* Sends num big messages and reads as many, pumping both ways. True: all came whole. */
static bool exchange(struct dr_link *link, unsigned num)
{
	struct dr_fail fail = { 0 };
	unsigned sent = 0, got = 0;

	while (got < num || link->out.len > 0 || sent < num) {
		struct dr_bytes payload;
		uint16_t type;

		while (dr_link_next(link, &type, &payload, &fail)) {
			if (type != DR_MSG_EVIDENCE || payload.len != BIG || payload.ptr[BIG - 1] != 7)
				return false;
			got++;
		}
		if (sent < num && link->out.len < BIG) {
			if (dr_link_send(link, DR_MSG_EVIDENCE, dr_bytes_of(big, BIG), &fail) != DR_OK)
				return false;
			sent++;
		}
		if (got == num && sent == num && link->out.len == 0)
			break;
		/* The peer may end as soon as it has all: what came before its end was handed out above. */
		if (link->eof || dr_link_pump(link, 5000, -1, &fail) != DR_OK || fail.err != DR_OK)
			return false;
	}
	return true;
}

/* More than the sockets hold, both ways at once: whoever only writes waits for ever. */
static void test_both_ways(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_link link;
	int fds[2];

	(void)state;
	assert_int_equal(dr_link_pair(fds, &fail), DR_OK);
	link.pid = fork();
	if (link.pid == 0) {
		alarm(120);
		close(fds[0]);
		open_link(&link, fds[1]);
		_exit(exchange(&link, NUM) ? 7 : 1);
	}
	const pid_t pid = link.pid;

	close(fds[1]);
	open_link(&link, fds[0]);
	link.pid = pid;
	assert_true(exchange(&link, NUM));
	assert_int_equal(dr_link_end(&link), 7);
	assert_int_equal(link.fd, -1);
}

/* What was said before the end is handed out after it. */
static void test_end_with_messages(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_link link, peer;
	struct dr_bytes payload;
	uint16_t type;
	int fds[2];

	(void)state;
	assert_int_equal(dr_link_pair(fds, &fail), DR_OK);
	open_link(&link, fds[0]);
	open_link(&peer, fds[1]);
	for (uint8_t i = 0; i < 3; i++)
		assert_int_equal(dr_link_send(&peer, DR_MSG_READY, dr_bytes_of(&i, 1), &fail), DR_OK);
	dr_buf_append(&peer.out, "\0\0", 2, &fail); /* and a message that never came whole */
	assert_int_equal(dr_link_pump(&peer, 0, -1, &fail), DR_OK);
	assert_int_equal(peer.out.len, 0);
	dr_link_end(&peer);
	for (uint8_t i = 0; i < 3; i++) {
		assert_true(dr_link_wait(&link, &type, &payload, 1000, &fail));
		assert_int_equal(type, DR_MSG_READY);
		assert_int_equal(payload.len, 1);
		assert_int_equal(payload.ptr[0], i);
	}
	assert_false(dr_link_wait(&link, &type, &payload, 1000, &fail));
	assert_int_equal(fail.err, DR_OK);
	assert_true(link.eof);
	assert_int_equal(type, 0);
	dr_link_end(&link);
}

/* A peer that is gone takes nothing, and ends nobody by a signal. */
static void test_lost_peer(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_link link;
	int fds[2];

	(void)state;
	assert_int_equal(dr_link_pair(fds, &fail), DR_OK);
	open_link(&link, fds[0]);
	close(fds[1]);
	assert_int_equal(dr_link_send(&link, DR_MSG_STOP, (struct dr_bytes){ NULL, 0 }, &fail), DR_OK);
	for (int i = 0; i < 3 && !link.eof; i++)
		assert_int_equal(dr_link_pump(&link, 100, -1, &fail), DR_OK);
	assert_true(link.eof);
	assert_int_equal(fail.err, DR_OK);
	assert_int_equal(dr_link_end(&link), 0);
}

static void test_silent_peer(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_link link;
	uint16_t type;
	int fds[2];

	(void)state;
	assert_int_equal(dr_link_pair(fds, &fail), DR_OK);
	open_link(&link, fds[0]);
	assert_false(dr_link_wait(&link, &type, &payload, 20, &fail));
	assert_int_equal(fail.err, DR_ERR_STALE);
	assert_false(link.eof);
	close(fds[1]);
	dr_link_end(&link);
}

/* One that dies by a signal is an error, whatever it said before. */
static void test_killed_peer(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_link link;
	int fds[2];

	(void)state;
	assert_int_equal(dr_link_pair(fds, &fail), DR_OK);
	const pid_t pid = fork();

	if (pid == 0) {
		signal(SIGTERM, SIG_DFL);
		raise(SIGTERM);
		_exit(0);
	}
	close(fds[1]);
	open_link(&link, fds[0]);
	link.pid = pid;
	assert_int_equal(dr_link_end(&link), 1);
}

/* How a child ended is heard though we were started by somebody who ignores that of his own. */
static void test_child_ignored(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_link link;

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	/* There is no such program beside a test. */
	assert_int_equal(dr_link_core(&link, -1, &fail), DR_OK);
	assert_int_equal(dr_link_end(&link), 127);
	assert_int_equal(link.pid, 0);
	signal(SIGCHLD, SIG_DFL);
}

static void test_no_socket(void **state)
{
	struct dr_fail fail = { 0 }, too_long = { 0 };
	struct dr_link link;
	char folder[200];

	(void)state;
	assert_int_equal(dr_link_socket(&link, "/nonexistent", &fail), DR_ERR_IO);
	assert_int_equal(link.fd, -1);
	memset(folder, 'x', sizeof(folder) - 1);
	folder[sizeof(folder) - 1] = '\0';
	assert_int_equal(dr_link_socket(&link, folder, &too_long), DR_ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),   cmocka_unit_test(test_end_with_messages),
		cmocka_unit_test(test_lost_peer),   cmocka_unit_test(test_silent_peer),
		cmocka_unit_test(test_killed_peer), cmocka_unit_test(test_child_ignored),
		cmocka_unit_test(test_no_socket),
	};

	memset(big, 7, sizeof(big));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
