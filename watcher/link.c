/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "watcher/cli.h"

#define OUT_CAP      ((size_t)DR_MSG_LEN_MAX * 2)
#define LINGER_MS    10000
#define CHANNELS_MAX 3

static void link_init(struct dr_link *link, int fd, pid_t pid)
{
	memset(link, 0, sizeof(*link));
	link->fd = fd;
	link->pid = pid;
	dr_buf_init(&link->in, OUT_CAP);
	dr_buf_init(&link->out, OUT_CAP);
}

enum dr_err dr_link_pair(int fds[static 2], struct dr_fail *fail)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0)
		return DR_OK;
	fds[0] = fds[1] = -1;
	return dr_fail_set(fail, DR_ERR_IO, "a socket pair for a channel", (size_t)errno);
}

/* In the child: give the channels their numbers and become the program. */
static void become(const char *program, const char *arg, const int *fds, size_t num, pid_t parent)
{
	char path[4096 + 32], folder[4096];
	int high[CHANNELS_MAX] = { -1, -1, -1 };
	sigset_t none;

	for (size_t i = 0; i < num; i++)
		if (fds[i] >= 0 && (high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 16)) < 0)
			_exit(1);
	for (size_t i = 0; i < num; i++) {
		if (high[i] >= 0 && dup2(high[i], 3 + (int)i) < 0)
			_exit(1);
		if (high[i] < 0)
			close(3 + (int)i);
	}
	/* All of ours are closed by exec; this is for those that came with us, where the kernel has the call. */
	(void)!close_range(3 + (unsigned)num, ~0u, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* Who started us may be gone before that was asked for. */
	if (getppid() != parent)
		_exit(1);
	dr_cli_self(folder, sizeof(folder));
	snprintf(path, sizeof(path), "%s/%s", folder, program);
	execl(path, program, arg, (char *)NULL);
	fprintf(stderr, "derot: cannot start %s: %s; install the programs of derot in one folder\n", program,
		strerror(errno));
	_exit(127);
}

static pid_t start(const char *program, const char *arg, const int *fds, size_t num)
{
	const pid_t parent = getpid();

	/* Whoever ignores SIGCHLD, as who started us may have left it, is never told how a child ended. */
	signal(SIGCHLD, SIG_DFL);
	fflush(NULL);
	const pid_t pid = fork();

	if (pid == 0)
		become(program, arg, fds, num, parent);
	return pid;
}

enum dr_err dr_link_core_serving(struct dr_link *link, int watch_fd, int serve_fd, struct dr_fail *fail)
{
	int pair[2];

	link_init(link, -1, 0);
	const bool paired = dr_link_pair(pair, fail) == DR_OK;
	const int fds[CHANNELS_MAX] = { pair[1], watch_fd, serve_fd };
	const pid_t pid = paired ? start("derot-core", NULL, fds, CHANNELS_MAX) : -1;

	for (size_t i = 0; i < CHANNELS_MAX; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (!paired)
		return fail->err;
	if (pid < 0) {
		close(pair[0]);
		return dr_fail_set(fail, DR_ERR_IO, "starting derot-core", (size_t)errno);
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	link_init(link, pair[0], pid);
	return DR_OK;
}

enum dr_err dr_link_core(struct dr_link *link, int watch_fd, struct dr_fail *fail)
{
	return dr_link_core_serving(link, watch_fd, -1, fail);
}

enum dr_err dr_link_watch(pid_t *pid, int watch_fd, const char *config, struct dr_fail *fail)
{
	*pid = start("derot-watch", config, &watch_fd, 1);
	close(watch_fd);
	return *pid > 0 ? DR_OK : dr_fail_set(fail, DR_ERR_IO, "starting derot-watch", (size_t)errno);
}

enum dr_err dr_link_serve(pid_t *pid, int serve_fd, const char *listen, struct dr_fail *fail)
{
	*pid = start("derot-serve", listen, &serve_fd, 1);
	close(serve_fd);
	return *pid > 0 ? DR_OK : dr_fail_set(fail, DR_ERR_IO, "starting derot-serve", (size_t)errno);
}

enum dr_err dr_link_socket(struct dr_link *link, const char *data_dir, struct dr_fail *fail)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int len = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/core.sock", data_dir);

	link_init(link, -1, 0);
	if (len < 0 || (size_t)len >= sizeof(addr.sun_path))
		return dr_fail_set(fail, DR_ERR_LIMIT, "data_dir is too long for a unix socket's path", (size_t)len);
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
		const int error = errno;

		if (fd >= 0)
			close(fd);
		return dr_fail_set(fail, DR_ERR_IO, "no running core answers at data_dir/core.sock", (size_t)error);
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	link_init(link, fd, 0);
	return DR_OK;
}

enum dr_err dr_link_send(struct dr_link *link, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	return dr_msg_put(&link->out, type, payload, fail);
}

/* Nobody takes what we say any more. What was said to us is still there, and is read to its end. */
static void pump_out(struct dr_link *link)
{
	while (link->out.len > 0) {
		const ssize_t sent = send(link->fd, link->out.ptr, link->out.len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			return;
		if (sent < 0)
			shutdown(link->fd, SHUT_RDWR);
		dr_buf_drop(&link->out, sent < 0 ? link->out.len : (size_t)sent);
	}
}

static enum dr_err pump_in(struct dr_link *link, struct dr_fail *fail)
{
	for (;;) {
		uint8_t *to = dr_buf_reserve(&link->in, 65536, fail);

		if (to == NULL)
			return fail->err;
		const ssize_t got = recv(link->fd, to, 65536, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return DR_OK;
		if (got <= 0) {
			link->eof = true;
			return DR_OK;
		}
		link->in.len += (size_t)got;
		if (link->in.len > DR_MSG_LEN_MAX)
			return DR_OK; /* hand messages out first */
	}
}

enum dr_err dr_link_pump(struct dr_link *link, int timeout_ms, int also_fd, struct dr_fail *fail)
{
	struct pollfd fds[2] = { { .fd = link->fd, .events = POLLIN }, { .fd = also_fd, .events = POLLIN } };

	dr_buf_drop(&link->in, link->taken);
	link->taken = 0;
	if (link->eof)
		return DR_OK;
	if (link->out.len > 0)
		fds[0].events |= POLLOUT;
	if (poll(fds, 2, timeout_ms) < 0) {
		if (errno == EINTR)
			return DR_OK;
		return dr_fail_set(fail, DR_ERR_IO, "poll on a channel", (size_t)errno);
	}
	if ((fds[0].revents & POLLOUT) != 0)
		pump_out(link);
	if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		return pump_in(link, fail);
	return DR_OK;
}

bool dr_link_next(struct dr_link *link, uint16_t *type, struct dr_bytes *payload, struct dr_fail *fail)
{
	size_t used;
	const struct dr_bytes rest = dr_bytes_of(link->in.ptr + link->taken, link->in.len - link->taken);

	*type = 0;
	*payload = (struct dr_bytes){ NULL, 0 };
	if (rest.len == 0 || dr_msg_get(type, payload, &used, rest, fail) != DR_OK || used == 0)
		return false;
	link->taken += used;
	return true;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool dr_link_wait(struct dr_link *link, uint16_t *type, struct dr_bytes *payload, int timeout_ms,
		  struct dr_fail *fail)
{
	const int64_t start_ms = now_ms();

	for (;;) {
		if (dr_link_next(link, type, payload, fail))
			return true;
		if (fail->err != DR_OK || link->eof)
			return false;
		const int64_t spent = now_ms() - start_ms;

		if (timeout_ms >= 0 && spent >= timeout_ms) {
			dr_fail_set(fail, DR_ERR_STALE, "the core did not answer in time", (size_t)spent);
			return false;
		}
		if (dr_link_pump(link, timeout_ms >= 0 ? timeout_ms - (int)spent : -1, -1, fail) != DR_OK)
			return false;
	}
}

int dr_link_reap(pid_t pid, int wait_ms)
{
	static const int signals[] = { SIGTERM, SIGKILL };
	const struct timespec nap = { 0, 5000000 };
	const int64_t start_ms = now_ms();
	int status = 0;

	for (int got, sent = 0; (got = waitpid(pid, &status, WNOHANG)) != pid; nanosleep(&nap, NULL)) {
		/* Whoever is not ours to wait for did not end well, as far as we know. */
		if (got < 0)
			return 1 << 8;
		if (sent < 2 && now_ms() - start_ms >= (int64_t)(sent + 1) * wait_ms)
			kill(pid, signals[sent++]);
	}
	return status;
}

void dr_link_words(char *text, size_t cap, const char *program, int status)
{
	const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		snprintf(text, cap,
			 "was killed by SIGSYS: it tried a call that is not on its list (%s --calls shows the list)",
			 program);
	else if (WIFSIGNALED(status))
		snprintf(text, cap, "was killed by SIG%s", name != NULL ? name : "?");
	else
		snprintf(text, cap, "ended with exit code %d", WEXITSTATUS(status));
}

int dr_link_end(struct dr_link *link)
{
	int code = 0;

	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	dr_buf_free(&link->in);
	dr_buf_free(&link->out);
	if (link->pid > 0) {
		link->status = dr_link_reap(link->pid, LINGER_MS);
		code = WIFEXITED(link->status) ? WEXITSTATUS(link->status) : 1;
	}
	link->pid = 0;
	return code;
}
