/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <netdb.h>
#include <poll.h>
#include <time.h>
#include <zlib.h>

#include "tests/unit/watcher/server.h"
#include "watcher/rpc_match.h"

static struct server server;

/* Replies to every request of body, in order or back to front, leaving out the first `skip`. */
static char *replies(const char *body, bool backwards, size_t skip)
{
	json_t *root = json_loads(body, 0, NULL), *out = json_array();
	const size_t num = json_is_array(root) ? json_array_size(root) : 1;
	char *text;

	for (size_t i = skip; i < num; i++) {
		json_t *one = json_is_array(root) ? json_array_get(root, backwards ? num - 1 - i : i) : root;

		json_array_append_new(out,
				      json_pack("{s:s,s:O,s:O}", "jsonrpc", "2.0", "id", json_object_get(one, "id"),
						"result", json_array_get(json_object_get(one, "params"), 0)));
	}
	text = json_dumps(json_is_array(root) ? out : json_array_get(out, 0), 0);
	json_decref(out);
	json_decref(root);
	return text;
}

static struct dr_bytes pack(const char *text)
{
	const size_t room = strlen(text) + 64;
	uint8_t *out = kit_alloc(room);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)text,
		       .avail_in = (uInt)strlen(text),
		       .next_out = out,
		       .avail_out = (uInt)room };

	if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	deflateEnd(&z);
	return dr_bytes_of(out, z.total_out);
}

/* libcurl asks for names here, in a thread of its own: no name server answers. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	(void)node;
	(void)service;
	(void)hints;
	*out = NULL;
	sleep(5);
	return EAI_AGAIN;
}

static bool misbehave(int fd, const char *path, const char *head, const char *body, size_t nth)
{
	const bool batch = body[0] == '[';
	char *text = replies(body, strcmp(path, "/reorder") == 0, strcmp(path, "/missing") == 0 && batch ? 1 : 0);
	char big[4096];

	if (strcmp(path, "/good") == 0 || strcmp(path, "/reorder") == 0 || strcmp(path, "/missing") == 0) {
		if (strcasestr(head, "accept-encoding: identity") == NULL || strcasestr(head, "expect:") != NULL)
			return false;
		server_reply(fd, 200, "", text);
	} else if (strcmp(path, "/nth") == 0) {
		snprintf(big, sizeof(big), "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":\"%zu\"}",
			 json_integer_value(json_object_get(json_loads(body, 0, NULL), "id")), nth);
		server_reply(fd, 200, "", big);
	} else if (strcmp(path, "/drip") == 0) {
		server_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", 40);
		for (int i = 0; i < 100; i++) {
			server_say(fd, " ", 1);
			usleep(50000);
		}
	} else if (strcmp(path, "/huge") == 0) {
		server_say(fd, "HTTP/1.1 200 OK\r\n\r\n", 19);
		memset(big, ' ', sizeof(big));
		for (int i = 0; i < 1024; i++)
			server_say(fd, big, sizeof(big));
		return false;
	} else if (strcmp(path, "/heads") == 0) {
		server_say(fd, "HTTP/1.1 200 OK\r\n", 17);
		for (int i = 0; i < 10000; i++)
			server_say(fd, "X-More: 0123456789012345678901234567890123456789\r\n", 50);
		return false;
	} else if (strcmp(path, "/wrong-id") == 0) {
		server_reply(fd, 200, "", "{\"jsonrpc\":\"2.0\",\"id\":99999,\"result\":\"0x1\"}");
	} else if (strcmp(path, "/text-id") == 0) {
		server_reply(fd, 200, "", "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":\"0x1\"}");
	} else if (strcmp(path, "/double") == 0) {
		char *copy = replies(body, false, 0);

		if (batch) /* the first reply again at the end */
			snprintf(big, sizeof(big), "%.*s,%.*s]", (int)strlen(copy) - 1, copy,
				 (int)(strchr(copy, '}') - copy), copy + 1);
		else
			snprintf(big, sizeof(big), "[%s,%s]", copy, copy);
		server_reply(fd, 200, "", big);
	} else if (strcmp(path, "/redirect") == 0) {
		server_reply(fd, 307, "Location: /good\r\n", "");
	} else if (strcmp(path, "/html") == 0) {
		server_reply(fd, 200, "", "<html>no</html>");
	} else if (strcmp(path, "/gzip") == 0) {
		server_reply(fd, 200, "Content-Encoding: gzip\r\n", text);
	} else if (strcmp(path, "/packed") == 0) {
		/* gzip of what it was asked, as libcurl undoes it unasked. */
		struct dr_bytes packed = pack(text);

		snprintf(big, sizeof(big), "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n");
		server_say(fd, big, strlen(big));
		server_say(fd, (const char *)packed.ptr, packed.len);
		return false;
	} else if (strcmp(path, "/chunked") == 0) {
		snprintf(big, sizeof(big),
			 "HTTP/1.1 200 OK\r\ntransfer-encoding:  Chunked \r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
			 strlen(text), text);
		server_say(fd, big, strlen(big));
	} else if (strcmp(path, "/dawdle") == 0) {
		usleep(100000);
		server_reply(fd, 200, "", text);
	} else if (strcmp(path, "/500") == 0) {
		server_reply(fd, 500, "", "oops");
	} else if (strcmp(path, "/429") == 0) {
		server_reply(fd, 429, "", "slow down");
	} else if (strcmp(path, "/limit") == 0) {
		server_reply(fd, 200, "",
			     "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"slow\"}}");
	} else if (strcmp(path, "/no-batch") == 0) {
		server_reply(
			fd, 200, "",
			batch ? "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"no\"}}"
			      : text);
	} else if (strcmp(path, "/no-batch-array") == 0) {
		server_reply(
			fd, 200, "",
			batch ? "[{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"no\"}}]"
			      : text);
	} else if (strcmp(path, "/no-batch-400") == 0) {
		server_reply(fd, batch ? 400 : 200, "", batch ? "bad request" : text);
	} else if (strcmp(path, "/error-400") == 0) {
		server_reply(
			fd, 400, "",
			"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32601,\"message\":\"no method\"}}");
	} else if (strcmp(path, "/deep") == 0) {
		memset(big, '[', 200);
		big[200] = '\0';
		server_reply(fd, 200, "", big);
	} else if (strcmp(path, "/torn") == 0) {
		server_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"jso", 45);
		return false;
	} else if (strcmp(path, "/slow-batch") == 0) {
		if (batch && strstr(body, "v12") != NULL && strstr(body, "v0") != NULL)
			sleep(10);
		server_reply(fd, 200, "", text);
	} else if (strcmp(path, "/hang") == 0) {
		sleep(10);
	} else if (strcmp(path, "/not-http") == 0) {
		server_say(fd, "SSH-2.0-OpenSSH_9\r\n", 19);
		return false;
	}
	free(text);
	return true;
}

static int setup(void **state)
{
	(void)state;
	server = server_start(misbehave);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	server_stop(&server);
	return 0;
}

static struct dr_rpc *client(const char *path, uint32_t batch)
{
	/* Short where the deadline is what is tested; else long, for a machine that is busy. */
	const bool slow =
		strcmp(path, "/drip") == 0 || strcmp(path, "/hang") == 0 || strcmp(path, "http://name.invalid/") == 0;
	const struct dr_rpc_limits limits = {
		.timeout_ms = slow                               ? 400
			      : strcmp(path, "/slow-batch") == 0 ? 2000
								 : 10000,
		.exchange_ms = strcmp(path, "/dawdle") == 0 ? 450 : 0,
		.batch_requests = batch,
		.batch_bytes = 65536,
		.body_max = 1 << 20,
	};
	char url[256];
	const char *urls[1] = { url };

	if (path[0] != '/')
		snprintf(url, sizeof(url), "%s", path);
	else
		snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port, path);
	return dr_rpc_new(urls, 1, 0, &limits);
}

static void post(struct dr_rpc *r, size_t num)
{
	struct dr_rpc_call *calls = dr_heap_alloc(num * sizeof(*calls));
	struct dr_fail fail = { 0 };

	for (size_t i = 0; i < num; i++) {
		snprintf(calls[i].method, sizeof(calls[i].method), "echo");
		calls[i].params = dr_heap_alloc(32);
		snprintf(calls[i].params, 32, "[\"v%zu\"]", i);
	}
	assert_int_equal(dr_rpc_post(r, 0, calls, num, NULL, &fail), DR_OK);
}

static struct dr_rpc_exchange *finish(struct dr_rpc *r)
{
	struct dr_rpc_exchange *x = NULL;
	short ready;

	for (int i = 0; i < 400 && x == NULL; i++) {
		dr_rpc_wait(r, -1, 0, &ready, 50);
		x = dr_rpc_done(r);
	}
	assert_non_null(x);
	assert_false(dr_rpc_busy(r, 0));
	return x;
}

static void test_manners(void **state)
{
	static const struct {
		const char *path;
		size_t num;
		uint32_t batch;
		enum dr_rpc_end expected; /* of the exchange */
		enum dr_rpc_end first;    /* of its first call */
		uint32_t num_http;
	} rows[] = {
		{ "/good", 1, 50, DR_RPC_RESULT, DR_RPC_RESULT, 1 },
		{ "/good", 120, 50, DR_RPC_RESULT, DR_RPC_RESULT, 3 },
		{ "/good", 3, 1, DR_RPC_RESULT, DR_RPC_RESULT, 3 },
		{ "/reorder", 10, 50, DR_RPC_RESULT, DR_RPC_RESULT, 1 },
		{ "/missing", 10, 50, DR_RPC_RESULT, DR_RPC_MISSING, 1 },
		{ "/no-batch", 4, 50, DR_RPC_RESULT, DR_RPC_RESULT, 5 },
		{ "/no-batch-array", 4, 50, DR_RPC_RESULT, DR_RPC_RESULT, 5 },
		{ "/no-batch-400", 4, 50, DR_RPC_RESULT, DR_RPC_RESULT, 5 },
		{ "/error-400", 1, 50, DR_RPC_RESULT, DR_RPC_ERROR, 1 },
		{ "/drip", 1, 50, DR_RPC_TIMEOUT, DR_RPC_TIMEOUT, 1 },
		{ "/hang", 1, 50, DR_RPC_TIMEOUT, DR_RPC_TIMEOUT, 1 },
		{ "/huge", 1, 50, DR_RPC_TOO_LARGE, DR_RPC_TOO_LARGE, 1 },
		{ "/huge", 40, 50, DR_RPC_TOO_LARGE, DR_RPC_TOO_LARGE, 4 }, /* 40, 10, 2, 1 */
		{ "/heads", 1, 50, DR_RPC_MALFORMED, DR_RPC_MALFORMED, 1 },
		{ "/wrong-id", 1, 50, DR_RPC_MALFORMED, DR_RPC_MALFORMED, 1 },
		{ "/text-id", 1, 50, DR_RPC_MALFORMED, DR_RPC_MALFORMED, 1 },
		{ "/double", 1, 50, DR_RPC_MALFORMED, DR_RPC_MALFORMED, 1 },
		{ "/double", 2, 50, DR_RPC_MALFORMED, DR_RPC_MALFORMED, 1 },
		{ "/redirect", 1, 50, DR_RPC_HTTP, DR_RPC_HTTP, 1 },
		{ "/html", 1, 50, DR_RPC_MALFORMED, DR_RPC_MALFORMED, 1 },
		{ "/gzip", 1, 50, DR_RPC_MALFORMED, DR_RPC_MALFORMED, 1 },
		{ "/packed", 1, 50, DR_RPC_MALFORMED, DR_RPC_MALFORMED, 1 },
		{ "/packed", 4, 50, DR_RPC_MALFORMED, DR_RPC_MALFORMED, 1 },
		{ "/chunked", 2, 50, DR_RPC_RESULT, DR_RPC_RESULT, 1 },
		{ "/500", 1, 50, DR_RPC_HTTP, DR_RPC_HTTP, 1 },
		{ "/429", 5, 50, DR_RPC_LIMITED, DR_RPC_LIMITED, 1 },
		{ "/limit", 5, 50, DR_RPC_LIMITED, DR_RPC_LIMITED, 1 },
		{ "/deep", 1, 50, DR_RPC_TOO_LARGE, DR_RPC_TOO_LARGE, 1 },
		{ "/torn", 1, 50, DR_RPC_CONNECT, DR_RPC_CONNECT, 1 },
		{ "/not-http", 1, 50, DR_RPC_MALFORMED, DR_RPC_MALFORMED, 1 },
		{ "http://127.0.0.1:1/", 1, 50, DR_RPC_CONNECT, DR_RPC_CONNECT, 1 },
		{ "ftp://127.0.0.1:1/", 1, 50, DR_RPC_MALFORMED, DR_RPC_MALFORMED, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_rpc *r = client(rows[i].path, rows[i].batch);

		assert_non_null(r);
		post(r, rows[i].num);
		struct dr_rpc_exchange *x = finish(r);

		if (x->end != rows[i].expected || x->calls[0].end != rows[i].first || x->num_http != rows[i].num_http)
			fail_msg("%s %zu: %s, first %s, %u requests", rows[i].path, rows[i].num,
				 dr_rpc_end_name(x->end), dr_rpc_end_name(x->calls[0].end), x->num_http);
		for (size_t k = 0; k < x->num && rows[i].first == DR_RPC_RESULT; k++) {
			char expected[32];

			snprintf(expected, sizeof(expected), "v%zu", k);
			assert_string_equal(json_string_value(x->calls[k].reply.result), expected);
		}
		dr_rpc_exchange_free(x);
		dr_rpc_free(r);
	}
}

static void test_missing_only_one(void **state)
{
	struct dr_rpc *r = client("/missing", 50);

	(void)state;
	post(r, 3);
	struct dr_rpc_exchange *x = finish(r);

	assert_int_equal(x->calls[0].end, DR_RPC_MISSING);
	assert_int_equal(x->calls[1].end, DR_RPC_RESULT);
	assert_int_equal(x->calls[2].end, DR_RPC_RESULT);
	dr_rpc_exchange_free(x);
	dr_rpc_free(r);
}

/* One connection for all requests: the server counts them per connection. */
static void test_keep_alive(void **state)
{
	struct dr_rpc *r = client("/nth", 1);

	(void)state;
	post(r, 4);
	struct dr_rpc_exchange *x = finish(r);

	assert_string_equal(json_string_value(x->calls[3].reply.result), "3");
	dr_rpc_exchange_free(x);
	dr_rpc_free(r);
}

/* The whole answer must come in time, however steadily it drips; and a name that nobody tells. */
static void test_deadline(void **state)
{
	static const char *const paths[] = { "/drip", "http://name.invalid/" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const int64_t begin = kit_now_ms();
		struct dr_rpc *r = client(paths[i], 1);
		struct dr_rpc_exchange *x;

		post(r, 1);
		x = finish(r);
		assert_int_equal(x->end, DR_RPC_TIMEOUT);
		dr_rpc_exchange_free(x);
		dr_rpc_free(r);
		assert_true(kit_now_ms() - begin < 4000);
	}
}

/* Every answer in time, and all of them take too long: what came by then is there. */
static void test_dawdling(void **state)
{
	struct dr_rpc *r = client("/dawdle", 1);
	struct dr_rpc_exchange *x;

	(void)state;
	post(r, 60);
	x = finish(r);
	assert_int_equal(x->end, DR_RPC_TIMEOUT);
	assert_true(x->num_http >= 1 && x->num_http <= 6);
	for (size_t i = 0; i < x->num; i++)
		assert_int_equal(x->calls[i].end, i < x->num_http ? DR_RPC_RESULT : DR_RPC_TIMEOUT);
	dr_rpc_exchange_free(x);
	dr_rpc_free(r);
	/* What is allowed of itself: an eighth of a deadline a call, of no more than 2048. */
	assert_int_equal(dr_rpc_exchange_ms(10000, 1), 300000);
	assert_int_equal(dr_rpc_exchange_ms(10000, 247), 300000);
	assert_int_equal(dr_rpc_exchange_ms(10000, 512), 640000);
	assert_int_equal(dr_rpc_exchange_ms(10000, DR_RPC_CALLS_MAX), 2560000);
}

/* After a deadline batches are smaller, and grow again while answers come. */
static void test_batch_size(void **state)
{
	struct dr_rpc *r = client("/slow-batch", 16);
	struct dr_rpc_exchange *x;

	(void)state;
	post(r, 16);
	x = finish(r);
	assert_int_equal(x->end, DR_RPC_TIMEOUT);
	dr_rpc_exchange_free(x);
	post(r, 16);
	x = finish(r);
	assert_int_equal(x->end, DR_RPC_RESULT);
	assert_int_equal(x->num_http, 4); /* 4, 5, 6 and the last */
	dr_rpc_exchange_free(x);
	dr_rpc_free(r);
}

static void test_free_under_way(void **state)
{
	struct dr_rpc *r = client("/hang", 1);
	short ready;

	(void)state;
	post(r, 3);
	dr_rpc_wait(r, -1, 0, &ready, 20);
	dr_rpc_free(r);
	dr_rpc_free(NULL);
	dr_rpc_exchange_free(NULL);
}

static void test_wait_fd(void **state)
{
	struct dr_rpc *r = client("/good", 1);
	int fds[2];
	short ready;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	dr_rpc_wait(r, fds[0], POLLIN, &ready, 10);
	assert_int_equal(ready, 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	dr_rpc_wait(r, fds[0], POLLIN, &ready, 1000);
	assert_int_equal(ready, POLLIN);
	close(fds[0]);
	close(fds[1]);
	dr_rpc_free(r);
}

static void test_write(void **state)
{
	struct dr_rpc_call calls[3] = { { .id = 7, .method = "a", .params = (char *)(uintptr_t) "[]" },
					{ .id = 8, .method = "b", .params = (char *)(uintptr_t) "[1]" },
					{ .id = 9, .method = "c", .params = (char *)(uintptr_t) "[2]" } };
	static const char one[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"a\",\"params\":[]}";
	struct dr_fail fail = { 0 };
	struct dr_buf out;
	size_t num = 3;

	(void)state;
	dr_buf_init(&out, 4096);
	assert_int_equal(dr_rpc_write(&out, calls, &num, 1, 4096, &fail), DR_OK);
	assert_int_equal(num, 1);
	assert_true(dr_bytes_eq(dr_buf_view(&out), dr_bytes_of(one, strlen(one))));
	num = 3;
	out.len = 0;
	assert_int_equal(dr_rpc_write(&out, calls, &num, 50, 300, &fail), DR_OK); /* two fit the bytes */
	assert_int_equal(num, 2);
	assert_int_equal(out.ptr[0], '[');
	num = 3;
	assert_int_equal(dr_rpc_write(&out, calls, &num, 50, 1, &fail), DR_OK); /* one always goes */
	assert_int_equal(num, 1);
	dr_buf_free(&out);
}

static void test_backoff(void **state)
{
	(void)state;
	assert_int_equal(dr_backoff_ms(1, 500, 60000, UINT32_MAX), 500);
	assert_int_equal(dr_backoff_ms(1, 500, 60000, 0), 250);
	assert_int_equal(dr_backoff_ms(3, 500, 60000, UINT32_MAX), 2000);
	assert_int_equal(dr_backoff_ms(1000000, 500, 60000, UINT32_MAX), 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manners),        cmocka_unit_test(test_missing_only_one),
		cmocka_unit_test(test_keep_alive),     cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_dawdling),       cmocka_unit_test(test_batch_size),
		cmocka_unit_test(test_free_under_way), cmocka_unit_test(test_wait_fd),
		cmocka_unit_test(test_write),          cmocka_unit_test(test_backoff),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
