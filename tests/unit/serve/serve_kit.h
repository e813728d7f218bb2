/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_kit: derot-serve's loop in a process of its own, with the test as its core on one side and as its HTTP
 * clients on the other.
 */
#ifndef DR_TESTS_SERVE_KIT_H
#define DR_TESTS_SERVE_KIT_H

#include "tests/unit/kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kms-bridge/process/listen.h"
#include "kms-bridge/proto.h"
#include "kms-bridge/serve/http.h"

#define KIT_WAIT_MS 8000

struct served {
	pid_t pid;
	int core; /* the core's end of the channel */
	struct dr_listen at;
	struct dr_buf in;
	size_t taken; /* of in, by the message handed out last */
};

static inline void served_start(struct served *s, const char *listen)
{
	struct dr_fail fail = { 0 };
	socklen_t len = sizeof(s->at.address);
	int pair[2], listener;

	memset(s, 0, sizeof(*s));
	dr_buf_init(&s->in, 1 << 20);
	assert_int_equal(dr_listen_parse(&s->at, listen, &fail), DR_OK);
	if (!s->at.local) {
		struct sockaddr_in in;

		memcpy(&in, &s->at.address, sizeof(in));
		in.sin_port = 0; /* whichever is free */
		memcpy(&s->at.address, &in, sizeof(in));
	}
	assert_int_equal(dr_listen_open(&listener, &s->at, &fail), DR_OK);
	if (!s->at.local)
		assert_int_equal(getsockname(listener, (struct sockaddr *)&s->at.address, &len), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fflush(NULL);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		close(pair[0]);
		signal(SIGPIPE, SIG_IGN);
		alarm(60);
		exit(dr_http_run(pair[1], listener, s->at.local, NULL, &fail) == DR_OK ? 0 : 1);
	}
	close(pair[1]);
	close(listener);
	s->core = pair[0];
}

/* The core ends; its exit code, -1 if it died by a signal. */
static inline int served_end(struct served *s)
{
	int status;

	if (s->core >= 0)
		close(s->core);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	dr_buf_free(&s->in);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline bool readable(int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, wait_ms) == 1;
}

/* The next question: its type and payload, valid until the next. */
static inline uint16_t core_asked(struct served *s, struct dr_bytes *payload)
{
	struct dr_fail fail = { 0 };
	uint16_t type;

	dr_buf_drop(&s->in, s->taken);
	s->taken = 0;
	for (;;) {
		uint8_t *to;
		ssize_t num;

		assert_int_equal(dr_msg_get(&type, payload, &s->taken, dr_buf_view(&s->in), &fail), DR_OK);
		if (s->taken > 0)
			return type;
		if (!readable(s->core, KIT_WAIT_MS))
			fail_msg("the core was not asked");
		to = dr_buf_reserve(&s->in, 4096, &fail);
		num = read(s->core, to, 4096);
		assert_true(num > 0);
		s->in.len += (size_t)num;
	}
}

static inline void core_expect(struct served *s, uint16_t type)
{
	struct dr_bytes payload;

	assert_int_equal(core_asked(s, &payload), type);
}

/* Says what is in *out, and frees it. */
static inline void core_say(struct served *s, struct dr_buf *out)
{
	assert_int_equal(write(s->core, out->ptr, out->len), out->len);
	dr_buf_free(out);
}

static inline void core_end_rows(struct dr_buf *out, uint64_t size)
{
	struct dr_fail fail = { 0 };
	uint8_t end[40] = { 0 };

	dr_be64_put(end, size);
	end[8] = 0xcc;
	assert_int_equal(dr_msg_put(out, DR_MSG_LOG_END, dr_bytes_of(end, sizeof(end)), &fail), DR_OK);
}

static inline void core_say_status(struct served *s, const struct dr_status_report *report)
{
	struct dr_fail fail = { 0 };
	struct dr_buf out;

	core_expect(s, DR_MSG_STATUS_GET);
	dr_buf_init(&out, 1 << 20);
	assert_int_equal(dr_status_report_put(&out, DR_MSG_STATUS, report, &fail), DR_OK);
	core_say(s, &out);
}

static inline int client_open(const struct served *s)
{
	const int fd = socket(s->at.address.ss_family, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&s->at.address, s->at.len), 0);
	return fd;
}

static inline void client_say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static inline void client_get(int fd, const char *path)
{
	char text[512];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	client_say(fd, text);
}

struct answer {
	int status; /* 0: the connection ended without one */
	char head[4096];
	char *body; /* NUL behind it; lives until the process ends */
	size_t len;
};

/* One whole answer; has_body false after HEAD. */
static inline struct answer client_answer(int fd, bool has_body)
{
	static char text[4 << 20];
	struct answer a = { 0 };
	size_t len = 0, want = 0;
	char *end = NULL;

	while (end == NULL || len < want) {
		ssize_t num;

		if (!readable(fd, KIT_WAIT_MS))
			fail_msg("no answer");
		num = read(fd, text + len, sizeof(text) - 1 - len);
		if (num <= 0)
			return a;
		len += (size_t)num;
		text[len] = '\0';
		if (end == NULL && (end = strstr(text, "\r\n\r\n")) != NULL) {
			const char *length = strstr(text, "Content-Length: ");

			assert_non_null(length);
			want = (size_t)(end + 4 - text) + (has_body ? strtoul(length + 16, NULL, 10) : 0);
			snprintf(a.head, sizeof(a.head), "%.*s\r\n", (int)(end - text), text);
		}
	}
	assert_int_equal(len, want);
	a.len = len - (size_t)(end + 4 - text);
	a.body = (char *)kit_alloc(a.len + 1);
	memcpy(a.body, end + 4, a.len);
	a.status = (int)strtol(text + strlen("HTTP/1.1 "), NULL, 10);
	return a;
}

#endif
