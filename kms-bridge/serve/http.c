/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/serve/http.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "kms-bridge/serve/asks.h"
#include "kms-bridge/serve/route.h"

struct http {
	struct MHD_Daemon *daemon;
	struct dr_asks asks;
	bool local;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum MHD_Result reply(struct MHD_Connection *connection, struct dr_exchange *x)
{
	/* Whoever embeds, frames, caches or guesses at what is answered here does it elsewhere. */
	static const char *const headers[][2] = {
		{ "Cache-Control", "no-store" },
		{ "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Referrer-Policy", "no-referrer" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "X-Frame-Options", "DENY" },
	};
	enum MHD_Result done = MHD_YES;
	struct MHD_Response *response =
		MHD_create_response_from_buffer_with_free_callback(x->body.len, x->body.ptr, dr_heap_free);

	if (response == NULL)
		return MHD_NO;
	dr_buf_init(&x->body, 0); /* it is the response's now */
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		done = done && MHD_add_response_header(response, headers[i][0], headers[i][1]);
	done = done && MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, x->type);
	if (x->status == DR_HTTP_METHOD_NOT_ALLOWED)
		done = done && MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	done = done && MHD_queue_response(connection, (unsigned)x->status, response);
	MHD_destroy_response(response);
	return done;
}

struct hosts {
	unsigned num;
	const char *name;
};

static enum MHD_Result each_header(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct hosts *hosts = ctx;

	(void)kind;
	if (strcasecmp(key, MHD_HTTP_HEADER_HOST) == 0) {
		hosts->num++;
		hosts->name = value != NULL ? value : "";
	}
	return MHD_YES;
}

static bool host_is_ours(struct http *h, struct MHD_Connection *connection, struct dr_exchange *x)
{
	struct hosts hosts = { 0, NULL };

	MHD_get_connection_values(connection, MHD_HEADER_KIND, each_header, &hosts);
	if (h->local || (hosts.num == 1 && dr_route_host(hosts.name)))
		return true;
	dr_exchange_fail(x, DR_HTTP_MISDIRECTED, "host", "the Host header",
			 "exactly one: localhost, 127.0.0.1 or [::1], and a port", hosts.name);
	return false;
}

struct given {
	struct dr_exchange *x;
	unsigned seen;
};

static enum MHD_Result each_param(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct given *given = ctx;

	(void)kind;
	return dr_route_param(given->x, &given->seen, key, value) ? MHD_YES : MHD_NO;
}

/* x is done, or its question is on its way. */
static void begin(struct http *h, struct MHD_Connection *connection, struct dr_exchange *x, const char *path)
{
	struct given given = { x, 0 };
	struct dr_fail fail = { 0 };

	if (!host_is_ours(h, connection, x) || !dr_route_find(x, path))
		return;
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, each_param, &given);
	if (x->done || !dr_route_params_end(x, given.seen))
		return;
	if (x->route->say != NULL) {
		x->route->say(x);
		return;
	}
	x->until_ms = now_ms() + DR_HTTP_CORE_WAIT_MS;
	if (!dr_asks_add(&h->asks, x, &fail))
		dr_exchange_fail(x, DR_HTTP_UNAVAILABLE, "busy", "questions that wait for the core", NULL,
				 "as many as there may be");
}

/* What is refused before a body would come. */
static bool acceptable(struct MHD_Connection *connection, struct dr_exchange *x, const char *method)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	const char *coding =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);

	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		dr_exchange_fail(x, DR_HTTP_METHOD_NOT_ALLOWED, "method", "the method", "GET or HEAD", method);
	else if (coding != NULL || (length != NULL && strcmp(length, "0") != 0))
		dr_exchange_fail(x, DR_HTTP_BAD_REQUEST, "body", "the body of a request", "none", NULL);
	return !x->done;
}

/* MHD calls this when the headers are read, again when the body is (or would be), and again after a suspended
 * connection was resumed. */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
			      const char *version, const char *upload, size_t *upload_len, void **request)
{
	struct http *h = ctx;
	struct dr_exchange *x = *request;

	(void)version;
	(void)upload;
	if (x == NULL) {
		if ((x = dr_heap_alloc(sizeof(*x))) == NULL)
			return MHD_NO;
		dr_exchange_init(x);
		x->connection = connection;
		*request = x;
		return acceptable(connection, x, method) ? MHD_YES : reply(connection, x);
	}
	*upload_len = 0;
	if (!x->done)
		begin(h, connection, x, path);
	if (x->done)
		return reply(connection, x);
	MHD_suspend_connection(connection);
	return MHD_YES;
}

static void drop(struct dr_exchange *x)
{
	dr_exchange_free(x);
	dr_heap_free(x);
}

static void completed(void *ctx, struct MHD_Connection *connection, void **request,
		      enum MHD_RequestTerminationCode how)
{
	struct dr_exchange *x = *request;

	(void)ctx;
	(void)connection;
	(void)how;
	if (x == NULL)
		return;
	*request = NULL;
	x->connection = NULL;
	x->abandoned = true;
	if (!x->asked)
		drop(x);
}

/* Nothing is unescaped. */
static size_t as_it_is(void *ctx, struct MHD_Connection *connection, char *text)
{
	(void)ctx;
	(void)connection;
	return strlen(text);
}

/* x waits no longer: it gets this instead of the core's answer. */
static void give_up(struct dr_exchange *x, const char *what)
{
	struct MHD_Connection *connection = x->connection;

	dr_exchange_fail(x, DR_HTTP_UNAVAILABLE, "core", what, NULL, NULL);
	x->abandoned = true;
	MHD_resume_connection(connection);
}

static void answered(struct http *h, struct dr_fail *fail)
{
	struct dr_exchange *x;

	while ((x = dr_asks_next(&h->asks, fail)) != NULL) {
		struct MHD_Connection *connection = x->connection;

		if (connection == NULL)
			drop(x);
		else if (!x->abandoned)
			MHD_resume_connection(connection);
	}
}

static unsigned connections(const struct http *h)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info != NULL ? info->num_connections : 0;
}

/* After everything that resumes a connection, for waiting does not notice that. At its limit the library looks for
 * clients again only in the run after the one in which a connection ended: so until none does. */
static void run(struct http *h)
{
	unsigned before;

	do {
		before = connections(h);
		MHD_run(h->daemon);
	} while (connections(h) < before);
}

static int shorter(int a, int b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

static void turn(struct http *h, int epoll, bool *eof, struct dr_fail *fail)
{
	MHD_UNSIGNED_LONG_LONG mhd_ms;
	struct dr_exchange *x;
	int wait_ms;

	dr_asks_overdue(&h->asks, now_ms(), &wait_ms);
	if (dr_asks_write(&h->asks, fail) != DR_OK)
		return;
	struct pollfd fds[] = {
		{ .fd = h->asks.fd, .events = h->asks.out.len > 0 ? POLLIN | POLLOUT : POLLIN },
		{ .fd = epoll, .events = POLLIN },
	};

	if (MHD_get_timeout(h->daemon, &mhd_ms) == MHD_YES)
		wait_ms = shorter(wait_ms, mhd_ms < 60000 ? (int)mhd_ms : 60000);
	if (poll(fds, 2, wait_ms) < 0 && errno != EINTR) {
		dr_fail_set(fail, DR_ERR_IO, "waiting", (size_t)errno);
		return;
	}
	if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && dr_asks_read(&h->asks, eof, fail) == DR_OK)
		answered(h, fail);
	while ((x = dr_asks_overdue(&h->asks, now_ms(), &wait_ms)) != NULL)
		give_up(x, "the core did not answer in time");
	run(h);
}

static enum dr_err serve(struct http *h, enum dr_err (*ready)(struct dr_fail *fail), struct dr_fail *fail)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	bool eof = false;

	if (info == NULL || info->epoll_fd < 0)
		return dr_fail_set(fail, DR_ERR_IO, "HTTP has nothing to wait for", 0);
	const int epoll = info->epoll_fd;

	if (ready != NULL && ready(fail) != DR_OK)
		return fail->err;
	while (!eof && fail->err == DR_OK)
		turn(h, epoll, &eof, fail);
	/* Those who wait are told, if they listen. */
	for (size_t i = 0; i < h->asks.num; i++) {
		struct dr_exchange *x = h->asks.queue[(h->asks.first + i) % DR_SERVE_ASKS_MAX];

		if (!x->abandoned)
			give_up(x, "the core ended");
	}
	run(h);
	return fail->err;
}

enum dr_err dr_http_run(int channel, int listener, bool local, enum dr_err (*ready)(struct dr_fail *fail),
			struct dr_fail *fail)
{
	struct http h = { .local = local };
	enum dr_err err;

	dr_asks_init(&h.asks, channel);
	h.daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, &h,
				    MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
				    DR_HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, DR_HTTP_HEADERS_MAX,
				    MHD_OPTION_CONNECTION_TIMEOUT, DR_HTTP_IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
				    MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_UNESCAPE_CALLBACK, as_it_is,
				    NULL, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
	if (h.daemon != NULL) {
		err = serve(&h, ready, fail);
		MHD_stop_daemon(h.daemon); /* closes the listener too */
	} else {
		err = dr_fail_set(fail, DR_ERR_IO, "HTTP could not be started", 0);
		close(listener);
	}
	dr_asks_free(&h.asks);
	close(channel);
	return err;
}
