/* SPDX-License-Identifier: Apache-2.0
 *
 * What derot-serve does while somebody keeps it waiting, and when its core breaks or ends.
 */
#include "tests/unit/serve/serve_kit.h"

#include <sys/stat.h>

#define LISTEN "127.0.0.1:1"

static struct dr_status_report report; /* large */

static struct dr_bytes nothing(void)
{
	return (struct dr_bytes){ NULL, 0 };
}

static void say(struct served *s, uint16_t type, struct dr_bytes payload)
{
	struct dr_fail fail = { 0 };
	struct dr_buf out;

	dr_buf_init(&out, 1 << 20);
	assert_int_equal(dr_msg_put(&out, type, payload, &fail), DR_OK);
	core_say(s, &out);
}

/* Who asks without the core is answered while another waits for it; answers go to those who asked. */
static void test_side_by_side(void **state)
{
	struct served s;
	int a, b, c;

	(void)state;
	served_start(&s, LISTEN);
	a = client_open(&s);
	b = client_open(&s);
	c = client_open(&s);
	client_get(a, "/v1/status");
	core_expect(&s, DR_MSG_STATUS_GET); /* and says nothing yet */
	client_get(b, "/v1/journal?num=5");
	core_expect(&s, DR_MSG_LOG_GET);
	client_get(c, "/healthz");
	assert_int_equal(client_answer(c, true).status, 200);
	assert_false(readable(a, 50));
	/* In the order in which it was asked, a byte at a time. */
	for (int i = 0; i < 2; i++) {
		struct dr_fail fail = { 0 };
		struct dr_buf out;

		dr_buf_init(&out, 1 << 20);
		if (i == 0)
			assert_int_equal(dr_status_report_put(&out, DR_MSG_STATUS, &report, &fail), DR_OK);
		else
			core_end_rows(&out, 0);
		for (size_t k = 0; k < out.len; k++)
			assert_int_equal(write(s.core, out.ptr + k, 1), 1);
		dr_buf_free(&out);
		if (i == 0) {
			assert_non_null(strstr(client_answer(a, true).body, "\"sealed\""));
			assert_false(readable(b, 50));
		}
	}
	assert_non_null(strstr(client_answer(b, true).body, "\"log\":\"journal\""));
	close(a);
	close(b);
	close(c);
	assert_int_equal(served_end(&s), 0);
}

/* A client that left does not matter: the answer to its question is dropped, and the next one is the next one's. */
static void test_client_leaves(void **state)
{
	struct served s;
	int fd;

	(void)state;
	served_start(&s, LISTEN);
	for (int i = 0; i < 3; i++) {
		fd = client_open(&s);
		client_get(fd, "/v1/status");
		core_expect(&s, DR_MSG_STATUS_GET);
		close(fd);
	}
	fd = client_open(&s);
	client_get(fd, "/v1/journal?num=5");
	core_expect(&s, DR_MSG_LOG_GET);
	for (int i = 0; i < 3; i++) {
		struct dr_fail fail = { 0 };
		struct dr_buf out;

		dr_buf_init(&out, 1 << 20);
		assert_int_equal(dr_status_report_put(&out, DR_MSG_STATUS, &report, &fail), DR_OK);
		core_say(&s, &out);
	}
	assert_false(readable(fd, 50));
	{
		struct dr_buf out;

		dr_buf_init(&out, 1 << 20);
		core_end_rows(&out, 0);
		core_say(&s, &out);
	}
	assert_int_equal(client_answer(fd, true).status, 200);
	close(fd);
	assert_int_equal(served_end(&s), 0);
}

/* A core that says nothing: 503 after five seconds; what it says later belongs to nobody, be it many messages or one;
 * then all is well again. */
static void test_silent_core(void **state)
{
	static const char *const paths[] = { "/livez", "/v1/checkpoint?log=ledger", "/v1/keys/1/certificate" };
	const struct dr_run run = { dr_bytes_of("text", 4) };
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct served s;
	struct answer a;
	struct dr_buf out;
	int fds[3], fd;

	(void)state;
	served_start(&s, LISTEN);
	const int64_t since_ms = kit_now_ms();

	for (size_t i = 0; i < 3; i++) {
		fds[i] = client_open(&s);
		client_get(fds[i], paths[i]);
		core_asked(&s, &payload);
	}
	const int64_t left_ms = since_ms + (int64_t)DR_HTTP_CORE_WAIT_MS - 500 - kit_now_ms();

	assert_false(readable(fds[0], left_ms > 0 ? (int)left_ms : 0));
	for (size_t i = 0; i < 3; i++) {
		a = client_answer(fds[i], true);
		assert_int_equal(a.status, 503);
		assert_non_null(strstr(a.body, "did not answer in time"));
		if (i > 0)
			close(fds[i]);
	}
	fd = fds[0];
	client_get(fd, "/v1/journal?num=7");
	core_expect(&s, DR_MSG_LOG_GET);
	dr_buf_init(&out, 1 << 20);
	assert_int_equal(dr_status_report_put(&out, DR_MSG_STATUS, &report, &fail), DR_OK);
	assert_int_equal(dr_run_put(&out, DR_MSG_CHECKPOINT, &run, &fail), DR_OK);
	assert_int_equal(dr_run_put(&out, DR_MSG_CERTIFICATE, &run, &fail), DR_OK);
	assert_int_equal(dr_run_put(&out, DR_MSG_CERTIFICATE, &run, &fail), DR_OK);
	core_end_rows(&out, 2);
	core_end_rows(&out, 0);
	core_say(&s, &out);
	a = client_answer(fd, true);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(a.body, "\"log\":\"journal\""));
	close(fd);
	assert_int_equal(served_end(&s), 0);
}

/* A core that stays silent: as many questions as may wait go to it, and then 503 at once. */
static void test_busy(void **state)
{
	const size_t num = DR_HTTP_CONNECTIONS_MAX;
	int fds[DR_HTTP_CONNECTIONS_MAX], fd;
	struct served s;
	struct answer a;

	(void)state;
	served_start(&s, LISTEN);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < num; i++)
			client_get(fds[i] = client_open(&s), "/livez");
		for (size_t i = 0; i < num; i++) {
			core_expect(&s, DR_MSG_STATUS_GET);
			assert_int_equal(client_answer(fds[i], true).status, 503);
			close(fds[i]);
		}
	}
	fd = client_open(&s);
	client_get(fd, "/livez");
	a = client_answer(fd, true);
	assert_int_equal(a.status, 503);
	assert_non_null(strstr(a.body, "\"error\":\"busy\""));
	assert_false(readable(s.core, 0));
	client_get(fd, "/healthz");
	assert_int_equal(client_answer(fd, true).status, 200);
	/* It speaks again: all those questions are answered to nobody, and the next one to who asks it. */
	for (size_t i = 0; i < 2 * num; i++) {
		struct dr_fail fail = { 0 };
		struct dr_buf out;

		dr_buf_init(&out, 1 << 20);
		assert_int_equal(dr_status_report_put(&out, DR_MSG_STATUS, &report, &fail), DR_OK);
		core_say(&s, &out);
	}
	do {
		client_get(fd, "/livez");
		for (const int64_t end = kit_now_ms() + KIT_WAIT_MS; !readable(fd, 10) && kit_now_ms() < end;)
			if (readable(s.core, 10))
				core_say_status(&s, &report);
		a = client_answer(fd, true);
	} while (a.status != 200);
	close(fd);
	assert_int_equal(served_end(&s), 0);
}

/* As many connections as there may be, that say nothing: another waits until they are cut. */
static void test_idle(void **state)
{
	struct served s;
	int idle[DR_HTTP_CONNECTIONS_MAX], fd;
	char text[1];

	(void)state;
	served_start(&s, LISTEN);
	for (size_t i = 0; i < DR_HTTP_CONNECTIONS_MAX; i++) {
		idle[i] = client_open(&s);
		client_say(idle[i], "GET /heal");
	}
	fd = client_open(&s);
	client_get(fd, "/healthz");
	assert_false(readable(fd, 100));
	assert_true(readable(fd, 2 * (int)DR_HTTP_IDLE_S * 1000));
	assert_int_equal(client_answer(fd, true).status, 200);
	close(fd);
	for (size_t i = 0; i < DR_HTTP_CONNECTIONS_MAX; i++) {
		assert_true(readable(idle[i], 2 * (int)DR_HTTP_IDLE_S * 1000));
		assert_true(read(idle[i], text, 1) <= 1); /* 408, or the end */
		close(idle[i]);
	}
	assert_int_equal(served_end(&s), 0);
}

/* The core ends: who waits is told, and so does derot-serve end, with nothing to complain about. */
static void test_core_ends(void **state)
{
	struct served s;
	struct answer a;
	int fd;

	(void)state;
	served_start(&s, LISTEN);
	fd = client_open(&s);
	client_get(fd, "/v1/status");
	core_expect(&s, DR_MSG_STATUS_GET);
	close(s.core);
	s.core = -1;
	a = client_answer(fd, true);
	assert_int_equal(a.status, 503);
	assert_non_null(strstr(a.body, "the core ended"));
	assert_int_equal(served_end(&s), 0);
	close(fd);
}

/* A core that says what nobody asked, or what is no answer, is left: exit code 1. */
static void test_core_breaks(void **state)
{
	static const struct {
		const char *name, *path; /* NULL: nothing is asked */
		uint16_t type;
		const char *payload;
	} rows[] = {
		{ "unasked", NULL, DR_MSG_STATUS, "" },
		{ "another answer", "/v1/node", DR_MSG_DONE, "" },
		{ "an answer that does not decode", "/v1/node", DR_MSG_NODE, "short" },
		{ "a key", "/v1/status", DR_MSG_KEY, "" },
		{ "a row of one", "/v1/status", DR_MSG_LOG_ENTRY, "" },
		{ "an end that does not decode", "/v1/journal", DR_MSG_LOG_END, "short" },
		{ "a certificate in a log", "/v1/journal", DR_MSG_CERTIFICATE, "" },
		{ "an error that does not decode", "/v1/node", DR_MSG_ERROR, "x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_bytes payload;
		struct served s;
		int fd = -1, code;

		served_start(&s, LISTEN);
		if (rows[i].path != NULL) {
			fd = client_open(&s);
			client_get(fd, rows[i].path);
			core_asked(&s, &payload);
		}
		say(&s, rows[i].type,
		    rows[i].payload[0] != '\0' ? dr_bytes_of(rows[i].payload, strlen(rows[i].payload)) : nothing());
		assert_true(readable(s.core, KIT_WAIT_MS)); /* its end */
		code = served_end(&s);
		if (code != 1)
			fail_msg("%s: exit code %d", rows[i].name, code);
		if (fd >= 0)
			close(fd);
	}
	/* A length beyond every message. */
	{
		struct served s;

		served_start(&s, LISTEN);
		assert_int_equal(write(s.core, "\xff\xff\xff\xff\x06\x01", 6), 6);
		assert_true(readable(s.core, KIT_WAIT_MS));
		assert_int_equal(served_end(&s), 1);
	}
}

/* No web page reaches a unix socket: any Host will do, and none. */
static void test_unix(void **state)
{
	char folder[] = "/tmp/dr-serve-XXXXXX", listen[64];
	struct served s;
	struct stat st;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(listen, sizeof(listen), "unix:%s/s", folder);
	served_start(&s, listen);
	assert_int_equal(stat(listen + 5, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	fd = client_open(&s);
	client_say(fd, "GET /healthz HTTP/1.1\r\nHost: derot\r\n\r\n");
	assert_int_equal(client_answer(fd, true).status, 200);
	client_get(fd, "/livez");
	core_say_status(&s, &report);
	assert_int_equal(client_answer(fd, true).status, 200);
	close(fd);
	assert_int_equal(served_end(&s), 0);
	unlink(listen + 5);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_side_by_side), cmocka_unit_test(test_client_leaves),
		cmocka_unit_test(test_silent_core),  cmocka_unit_test(test_busy),
		cmocka_unit_test(test_idle),         cmocka_unit_test(test_core_ends),
		cmocka_unit_test(test_core_breaks),  cmocka_unit_test(test_unix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
