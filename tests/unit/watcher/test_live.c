/* SPDX-License-Identifier: Apache-2.0
 *
 * The turns of a live core, played by a child process: what it said last is heard, whoever of the others ended first.
 */
#include "tests/unit/kit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kms-bridge/process/signals.h"
#include "watcher/live.h"

#define LAST_MS 20 /* how long after the others' end the core says its last word: well below CORE_FIRST_MS */

/* A process that is gone, and not yet waited for. */
static pid_t gone(void)
{
	const pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	return pid;
}

static void begin(struct dr_live *live, struct dr_cli *cli, int fds[static 2])
{
	struct dr_fail fail = { 0 };

	memset(live, 0, sizeof(*live));
	memset(cli, 0, sizeof(*cli));
	cli->out.out = cli->out.err = stderr;
	dr_session_init(&live->session, cli);
	live->session.quiet = true;
	live->signals = -1;
	assert_int_equal(dr_link_pair(fds, &fail), DR_OK);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	live->session.core.fd = fds[0];
	dr_buf_init(&live->session.core.in, (size_t)DR_MSG_LEN_MAX * 2);
	dr_buf_init(&live->session.core.out, (size_t)DR_MSG_LEN_MAX * 2);
}

/* The core as it halts: the others hear that their channels closed, and are gone before the core's last words come.
 */
static void test_last_words(void **state)
{
	static const struct dr_error last = { .err = DR_ERR_PROOF, .exit = DR_EXIT_CONFLICT, .what = "halted" };
	struct dr_fail fail = { 0 };
	struct dr_live live;
	struct dr_cli cli;
	int fds[2], turns = 0;

	(void)state;
	begin(&live, &cli, fds);
	live.watch = gone();
	live.session.core.pid = fork();
	if (live.session.core.pid == 0) {
		const struct timespec nap = { 0, LAST_MS * 1000000L };
		struct dr_buf out;

		dr_buf_init(&out, DR_MSG_LEN_MAX);
		nanosleep(&nap, NULL);
		dr_msg_put(&out, DR_MSG_READY, (struct dr_bytes){ NULL, 0 }, &fail);
		dr_error_put(&out, DR_MSG_FATAL, &last, &fail);
		_exit(write(fds[1], out.ptr, out.len) == (ssize_t)out.len ? DR_EXIT_CONFLICT : 99);
	}
	close(fds[1]);
	while (dr_live_turn(&live, 0, &fail))
		assert_in_range(++turns, 1, 1000);
	assert_int_equal(fail.err, DR_OK);
	assert_true(live.session.ready);
	assert_true(live.session.has_fatal);
	assert_int_equal(live.session.fatal.exit, DR_EXIT_CONFLICT);
	assert_false(live.stopping);
	assert_int_equal(dr_live_end(&live), DR_EXIT_CONFLICT);
	assert_string_equal(live.died, "derot-core");
}

/* The core lives on: it is told to stop, and it was the other one that died. */
static void test_other_died(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_live live;
	struct dr_cli cli;
	int fds[2];
	uint8_t head[6];

	(void)state;
	begin(&live, &cli, fds);
	live.watch = gone();
	assert_true(dr_live_turn(&live, 0, &fail));
	assert_true(live.stopping);
	assert_true(dr_live_turn(&live, 0, &fail));
	assert_int_equal(read(fds[1], head, sizeof(head)), sizeof(head));
	close(fds[1]);
	while (dr_live_turn(&live, 100, &fail))
		;
	assert_int_equal(fail.err, DR_OK);
	assert_int_equal(dr_live_end(&live), DR_EXIT_OK);
	assert_string_equal(live.died, "derot-watch");
}

/* A wish to end that comes while the core ends for another reason: nothing is started again. */
static void test_asked_late(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_live live;
	struct dr_cli cli;
	sigset_t were;
	int fds[2];

	(void)state;
	sigprocmask(SIG_SETMASK, NULL, &were);
	begin(&live, &cli, fds);
	live.signals = dr_signals_open(SIGCHLD);
	live.serve = gone();
	assert_true(dr_live_turn(&live, 0, &fail));
	assert_true(live.stopping);
	assert_false(live.asked);
	raise(SIGTERM);
	assert_true(dr_live_turn(&live, 0, &fail));
	assert_true(live.asked);
	close(fds[1]);
	while (dr_live_turn(&live, 100, &fail))
		;
	assert_int_equal(dr_live_end(&live), DR_EXIT_OK);
	sigprocmask(SIG_SETMASK, &were, NULL);
}

/* What cannot be read is not the end of a recording: the core is not told that it ended. */
static void test_unread(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_link peer = { .fd = -1 };
	struct dr_live live;
	struct dr_cli cli;
	struct dr_feed feed = { 0 };
	int fds[2], file[2];
	uint16_t type;

	(void)state;
	begin(&live, &cli, fds);
	assert_int_equal(pipe2(file, O_NONBLOCK), 0);
	assert_int_equal(write(file[1], "recorded", 8), 8);
	feed.file = fdopen(file[0], "rb");
	assert_int_equal(shutdown(fds[1], SHUT_WR), 0); /* whoever thinks that this was all waits for no answer */
	assert_false(dr_session_feed(&live.session, &feed, &fail));
	assert_int_equal(fail.err, DR_ERR_IO);
	assert_int_equal(fail.at, EAGAIN);
	fclose(feed.file);
	close(file[1]);
	/* What went out before is no END. */
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	peer.fd = fds[1];
	dr_buf_init(&peer.in, DR_MSG_LEN_MAX);
	dr_buf_init(&peer.out, DR_MSG_LEN_MAX);
	close(live.session.core.fd);
	live.session.core.fd = -1;
	struct dr_fail none = { 0 };

	while (dr_link_wait(&peer, &type, &payload, 1000, &none))
		assert_int_not_equal(type, DR_MSG_END);
	assert_true(peer.eof);
	dr_link_end(&peer);
	dr_live_end(&live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_words),
		cmocka_unit_test(test_other_died),
		cmocka_unit_test(test_asked_late),
		cmocka_unit_test(test_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
