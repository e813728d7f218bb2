/* SPDX-License-Identifier: Apache-2.0
 *
 * Each row enters the sandbox in a process of its own and then tries one thing.
 */
#include "kms-bridge/process/sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kms-bridge/process/calls.h"
#include "tests/unit/kit.h"

#define KILLED (-1) /* by SIGSYS, at once */

static char in[64], out[64];
static pid_t parent; /* the test itself */

static const char *at(const char *folder, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const struct dr_call calls[] = {
	DR_CALLS_RUNTIME,
	DR_CALLS_MEMORY,
	DR_CALLS_STREAM,
	DR_CALLS_IOCTL,
	{ .name = "openat", .reason = "files" },
	{ .name = "unlink", .reason = "files" },
	{ .name = "rename", .reason = "files" },
	{ .name = "ftruncate", .reason = "files" },
	{ .name = "socket",
	  .reason = "TCP",
	  .only = "IPv4",
	  .when = { { 0, UINT32_MAX, AF_INET }, { 1, SOCK_DGRAM, 0 } } },
	{ .name = "connect", .reason = "TCP" },
	{ .name = "bind", .reason = "TCP" },
	{ .name = "getuid", .reason = "a call that is refused", .error = EOWNERDEAD },
};
static const struct dr_sandbox closed = { "test", calls, sizeof(calls) / sizeof(calls[0]), false };
static const struct dr_sandbox wired = { "test", calls, sizeof(calls) / sizeof(calls[0]), true };

/* What is tried: 0 or an errno. */
static int result(long got)
{
	return got >= 0 ? 0 : errno;
}

static int open_at(const char *folder, const char *name, int flags)
{
	return result(open(at(folder, name), flags, 0600));
}

static int read_inside(void)
{
	return open_at(in, "file", O_RDONLY);
}
static int make_inside(void)
{
	return open_at(in, "new", O_WRONLY | O_CREAT | O_EXCL);
}
static int empty_inside(void)
{
	return open_at(in, "file", O_WRONLY | O_TRUNC);
}
static int remove_inside(void)
{
	return result(unlink(at(in, "file")));
}
static int read_outside(void)
{
	return open_at(out, "file", O_RDONLY);
}
static int write_outside(void)
{
	return open_at(out, "file", O_WRONLY);
}
static int up_and_out(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/../%s/file", in, strrchr(out, '/') + 1);
	return result(open(path, O_RDONLY));
}
static int through_a_link(void)
{
	return open_at(in, "link", O_RDONLY);
}
static int absent_outside(void)
{
	return open_at(out, "absent", O_RDONLY);
}
static int ipv4(void)
{
	return result(socket(AF_INET, SOCK_STREAM, 0));
}
static int ipv4_with_dirt(void)
{
	/* The kernel takes 32 bits of the family; so does the filter. */
	return result(syscall(SYS_socket, (UINT64_C(7) << 32) | AF_INET, SOCK_STREAM, 0));
}
static int ipv6(void)
{
	return result(socket(AF_INET6, SOCK_STREAM, 0));
}
static int udp(void)
{
	return result(socket(AF_INET, SOCK_DGRAM, 0));
}
static const struct sockaddr *loopback(uint16_t port)
{
	static struct sockaddr_in addr;

	addr = (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr = { htonl(INADDR_LOOPBACK) } };
	return (const struct sockaddr *)&addr;
}
static int tcp_connect(void)
{
	return result(connect(socket(AF_INET, SOCK_STREAM, 0), loopback(9), sizeof(struct sockaddr_in)));
}
static int tcp_bind(void)
{
	return result(bind(socket(AF_INET, SOCK_STREAM, 0), loopback(0), sizeof(struct sockaddr_in)));
}
static int exec_program(void)
{
	char *none[] = { NULL };

	return result(execve("/bin/true", none, none));
}
static int make_process(void)
{
	return result(fork());
}
static int trace_parent(void)
{
	return result(syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, parent, 0, 0));
}
static int kill_parent(void)
{
	return result(syscall(SYS_tgkill, parent, parent, 0));
}
static int kill_self(void)
{
	return result(syscall(SYS_tgkill, getpid(), getpid(), 0));
}
static int make_code(void)
{
	return result(
		(long)(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED));
}
static int make_data(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}
static int turn_into_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return result(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}
static int refused(void)
{
	return result(syscall(SYS_getuid));
}
static int no_privileges(void)
{
	/* prctl is not listed. */
	return result(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}
static int unknown_call(void)
{
	return result(syscall(100000));
}

static const struct row {
	const char *name;
	int (*try)(void);
	const struct dr_sandbox *policy;
	bool write; /* the folder is given so */
	int expected;
	unsigned abi; /* of Landlock, that it takes */
} rows[] = {
	{ "a file inside is read", read_inside, &closed, false, 0, 1 },
	{ "a file is made inside", make_inside, &closed, true, 0, 1 },
	{ "a file inside is emptied", empty_inside, &closed, true, 0, 1 },
	{ "a file inside is removed", remove_inside, &closed, true, 0, 1 },
	{ "to read: none is made", make_inside, &closed, false, EACCES, 1 },
	{ "to read: none is emptied", empty_inside, &closed, false, EACCES, 1 },
	{ "to read: none is removed", remove_inside, &closed, false, EACCES, 1 },
	{ "a file outside is not read", read_outside, &closed, true, EACCES, 1 },
	{ "nor written", write_outside, &closed, true, EACCES, 1 },
	{ "nor by a way around", up_and_out, &closed, true, EACCES, 1 },
	{ "nor by a link", through_a_link, &closed, true, EACCES, 1 },
	{ "what is not there is not there", absent_outside, &closed, true, ENOENT, 1 },
	{ "a listed kind of socket", ipv4, &closed, false, 0, 0 },
	{ "the same, with dirt in the register", ipv4_with_dirt, &closed, false, 0, 0 },
	{ "another kind of socket", ipv6, &closed, false, KILLED, 0 },
	{ "another type of it: the second condition", udp, &closed, false, KILLED, 0 },
	{ "without network: no connection", tcp_connect, &closed, false, EACCES, 4 },
	{ "with network: it is tried", tcp_connect, &wired, false, ECONNREFUSED, 4 },
	{ "no TCP port is taken", tcp_bind, &wired, false, EACCES, 4 },
	{ "no other program", exec_program, &closed, false, KILLED, 0 },
	{ "no other process", make_process, &closed, false, KILLED, 0 },
	{ "nobody is traced", trace_parent, &closed, false, KILLED, 0 },
	{ "no signal to others", kill_parent, &closed, false, KILLED, 0 },
	{ "a signal to itself", kill_self, &closed, false, 0, 0 },
	{ "memory", make_data, &closed, false, 0, 0 },
	{ "memory that is code", make_code, &closed, false, KILLED, 0 },
	{ "memory that becomes code", turn_into_code, &closed, false, KILLED, 0 },
	{ "a call that is refused", refused, &closed, false, EOWNERDEAD, 0 },
	{ "no privileges are looked for", no_privileges, &closed, false, KILLED, 0 },
	{ "a call that does not exist", unknown_call, &closed, false, KILLED, 0 },
};

static void make(const char *folder)
{
	const int fd = open(at(folder, "file"), O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void clear(char *folder)
{
	unlink(at(folder, "file"));
	unlink(at(folder, "new"));
	unlink(at(folder, "link"));
	rmdir(folder);
}

/* A sanitizer's build enters nothing. */
static bool is_real(void)
{
	static char text[65536];
	FILE *f = fmemopen(text, sizeof(text) - 1, "w");

	assert_true(dr_sandbox_print(&closed, f));
	fclose(f);
	return strstr(text, "Confined here: nothing") == NULL;
}

static int run(const struct row *row)
{
	const struct dr_sandbox_path paths[] = { { in, row->write }, { "/nowhere/at/all", true } };
	struct dr_fail fail = { 0 };
	int status;
	const pid_t pid = fork();

	if (pid == 0) {
		if (dr_sandbox_enter(row->policy, paths, 2, &fail) != DR_OK)
			_exit(200);
		_exit(row->try());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return KILLED;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_rows(void **state)
{
	(void)state;
	if (!is_real())
		skip();
	parent = getpid();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		if (row->abi > dr_sandbox_landlock()) {
			print_message("skipped, no Landlock ABI %u here: %s\n", row->abi, row->name);
			continue;
		}
		snprintf(in, sizeof(in), "/tmp/dr-in-XXXXXX");
		snprintf(out, sizeof(out), "/tmp/dr-out-XXXXXX");
		assert_non_null(mkdtemp(in));
		assert_non_null(mkdtemp(out));
		make(in);
		make(out);
		char target[128];

		snprintf(target, sizeof(target), "%s/file", out);
		assert_int_equal(symlink(target, at(in, "link")), 0);
		const int got = run(row);

		clear(in);
		clear(out);
		if (got != row->expected)
			fail_msg("%s: expected %d (%s), got %d (%s)", row->name, row->expected,
				 row->expected == KILLED ? "killed" : strerror(row->expected), got,
				 got == KILLED ? "killed" : strerror(got));
	}
}

static void test_unknown_name(void **state)
{
	static const struct dr_call one[] = { { .name = "open_sesame", .reason = "a slip in a list" } };
	static const struct dr_sandbox policy = { "test", one, 1, false };
	struct dr_fail fail = { 0 };
	int status;

	(void)state;
	if (!is_real())
		skip();
	const pid_t pid = fork();

	if (pid == 0)
		_exit((int)dr_sandbox_enter(&policy, NULL, 0, &fail));
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), DR_ERR_UNKNOWN);
}

static void test_print(void **state)
{
	char text[8192] = "";
	FILE *f = fmemopen(text, sizeof(text) - 1, "w");

	(void)state;
	assert_true(dr_sandbox_print(&closed, f));
	fclose(f);
	assert_non_null(strstr(text, "\nopenat\t\tfiles\n"));
	assert_non_null(strstr(text, "\nsocket\tIPv4\tTCP\n"));
	assert_non_null(strstr(text, "\ngetuid\trefused\ta call that is refused\n"));
	f = fopen("/dev/full", "w");
	assert_false(dr_sandbox_print(&closed, f));
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_unknown_name),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
