/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "kms-bridge/process/listen.h"

static void test_words(void **state)
{
	static const char sun[] =
		"unix:/12345678901234567890123456789012345678901234567890123456789012345678901234567890"
		"12345678901234567890123456";
	static const struct {
		const char *name, *text;
		enum dr_err err;
		int family;
		unsigned port;
	} rows[] = {
		{ "IPv4", "127.0.0.1:8460", DR_OK, AF_INET, 8460 },
		{ "IPv4, the first port", "127.0.0.1:1", DR_OK, AF_INET, 1 },
		{ "IPv4, the last port", "127.0.0.1:65535", DR_OK, AF_INET, 65535 },
		{ "IPv6", "[::1]:8460", DR_OK, AF_INET6, 8460 },
		{ "unix", "unix:/run/derot/http.sock", DR_OK, AF_UNIX, 0 },
		{ "unix, the longest path", sun, DR_OK, AF_UNIX, 0 },
		{ "nothing", "", DR_ERR_SYNTAX, 0, 0 },
		{ "every address", "0.0.0.0:8460", DR_ERR_SYNTAX, 0, 0 },
		{ "every address, IPv6", "[::]:8460", DR_ERR_SYNTAX, 0, 0 },
		{ "an address of a network", "192.168.1.5:8460", DR_ERR_SYNTAX, 0, 0 },
		{ "loopback that is not this one", "127.0.0.2:8460", DR_ERR_SYNTAX, 0, 0 },
		{ "a name", "localhost:8460", DR_ERR_SYNTAX, 0, 0 },
		{ "no port", "127.0.0.1", DR_ERR_SYNTAX, 0, 0 },
		{ "an empty port", "127.0.0.1:", DR_ERR_SYNTAX, 0, 0 },
		{ "port 0", "127.0.0.1:0", DR_ERR_SYNTAX, 0, 0 },
		{ "a leading zero", "127.0.0.1:08460", DR_ERR_SYNTAX, 0, 0 },
		{ "a port beyond", "127.0.0.1:65536", DR_ERR_SYNTAX, 0, 0 },
		{ "a port far beyond", "127.0.0.1:4294975756", DR_ERR_SYNTAX, 0, 0 },
		{ "more behind it", "127.0.0.1:8460 ", DR_ERR_SYNTAX, 0, 0 },
		{ "a URL", "http://127.0.0.1:8460", DR_ERR_SYNTAX, 0, 0 },
		{ "a port alone", "8460", DR_ERR_SYNTAX, 0, 0 },
		{ "IPv6 without brackets", "::1:8460", DR_ERR_SYNTAX, 0, 0 },
		{ "a relative path", "unix:http.sock", DR_ERR_SYNTAX, 0, 0 },
		{ "no path", "unix:", DR_ERR_SYNTAX, 0, 0 },
	};
	struct dr_fail fail = { 0 };
	struct dr_listen at;
	char longer[sizeof(sun) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint16_t port = 0;

		fail = (struct dr_fail){ 0 };
		if (dr_listen_parse(&at, rows[i].text, &fail) != rows[i].err)
			fail_msg("%s: %s", rows[i].name, dr_err_name(fail.err));
		assert_int_equal(at.address.ss_family, rows[i].family);
		assert_int_equal(at.local, rows[i].family == AF_UNIX);
		if (rows[i].family == AF_INET) {
			const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)&at.address;

			port = ntohs(in->sin_port);
			assert_int_equal(ntohl(in->sin_addr.s_addr), INADDR_LOOPBACK);
		} else if (rows[i].family == AF_INET6) {
			const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)&at.address;

			port = ntohs(in->sin6_port);
			assert_memory_equal(&in->sin6_addr, &in6addr_loopback, 16);
		}
		assert_int_equal(port, rows[i].port);
		if (rows[i].err != DR_OK)
			kit_assert_fail(rows[i].err, &fail);
	}
	fail = (struct dr_fail){ 0 };
	snprintf(longer, sizeof(longer), "%s7", sun);
	assert_int_equal(dr_listen_parse(&at, longer, &fail), DR_ERR_LIMIT);
}

/* A socket that only we may use; one left behind is replaced, one in use and what is no socket is not. */
static void test_unix(void **state)
{
	char folder[] = "/tmp/dr-listen-XXXXXX", text[64], *path = text + 5;
	struct dr_fail fail = { 0 };
	struct dr_listen at;
	struct stat st;
	int fd, second;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(text, sizeof(text), "unix:%s/s", folder);
	assert_int_equal(dr_listen_parse(&at, text, &fail), DR_OK);
	assert_int_equal(dr_listen_open(&fd, &at, &fail), DR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(dr_listen_open(&second, &at, &fail), DR_ERR_IO);
	assert_int_equal(fail.at, EADDRINUSE);
	assert_int_equal(second, -1);
	close(fd);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_listen_open(&fd, &at, &fail), DR_OK);
	close(fd);
	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(dr_listen_open(&fd, &at, &fail), DR_ERR_IO);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	unlink(path);
	rmdir(folder);
}

/* Two cannot have one port. */
static void test_tcp(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_listen at;
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	int fd, second;

	(void)state;
	assert_int_equal(dr_listen_parse(&at, "127.0.0.1:1", &fail), DR_OK);
	memcpy(&in, &at.address, sizeof(in));
	in.sin_port = 0; /* whichever is free */
	memcpy(&at.address, &in, sizeof(in));
	assert_int_equal(dr_listen_open(&fd, &at, &fail), DR_OK);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	assert_int_equal(ntohl(in.sin_addr.s_addr), INADDR_LOOPBACK);
	memcpy(&at.address, &in, sizeof(in));
	assert_int_equal(dr_listen_open(&second, &at, &fail), DR_ERR_IO);
	assert_int_equal(fail.at, EADDRINUSE);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_tcp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
