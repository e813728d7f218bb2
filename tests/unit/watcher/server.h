/* SPDX-License-Identifier: Apache-2.0
 *
 * server: a small HTTP server on loopback, in a child process, whose manners are chosen by the path. Included by
 * one test each; tests/unit has no library of its own for a layer.
 */
#ifndef DR_TESTS_SERVER_H
#define DR_TESTS_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Answers one request: writes the whole HTTP reply to fd; false closes the connection. */
typedef bool server_answer(int fd, const char *path, const char *head, const char *body, size_t nth);

struct server {
	pid_t pid;
	int port;
};

static void server_say(int fd, const char *text, size_t len)
{
	while (len > 0) {
		const ssize_t put = send(fd, text, len, MSG_NOSIGNAL);

		if (put <= 0)
			return;
		text += put;
		len -= (size_t)put;
	}
}

static void server_reply(int fd, int status, const char *more, const char *body)
{
	char head[512];
	const int len = snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", status,
				 strlen(body), more);

	server_say(fd, head, (size_t)len);
	server_say(fd, body, strlen(body));
}

static void server_connection(int fd, server_answer *answer)
{
	static char text[1 << 20];
	size_t nth = 0;

	for (;;) {
		size_t len = 0, want = 0;
		char *end = NULL, path[128] = "";

		for (;;) {
			const ssize_t got = len < sizeof(text) - 1 ? read(fd, text + len, sizeof(text) - 1 - len) : 0;

			if (got <= 0)
				return;
			len += (size_t)got;
			text[len] = '\0';
			end = strstr(text, "\r\n\r\n");
			if (end == NULL)
				continue;
			const char *length = strcasestr(text, "\r\ncontent-length:");

			want = (size_t)(end + 4 - text) +
			       (length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0);
			if (len >= want)
				break;
		}
		*end = '\0';
		sscanf(text, "POST %127s", path);
		if (!answer(fd, path, text, end + 4, nth++))
			return;
	}
}

static struct server server_start(server_answer *answer)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t at_len = sizeof(at);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct server s = { 0 };

	if (bind(fd, (struct sockaddr *)&at, at_len) != 0 || listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &at_len) != 0)
		abort();
	s.port = ntohs(at.sin_port);
	s.pid = fork();
	if (s.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGCHLD, SIG_IGN);
		for (;;) {
			const int client = accept(fd, NULL, NULL);

			if (client < 0)
				_exit(0);
			if (fork() == 0) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				server_connection(client, answer);
				_exit(0);
			}
			close(client);
		}
	}
	close(fd);
	return s;
}

static void server_stop(struct server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
}

#endif
