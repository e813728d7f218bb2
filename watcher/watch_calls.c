/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/watch_calls.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "kms-bridge/process/calls.h"

#define SOCKET_KIND 0xfu /* the type without SOCK_NONBLOCK and SOCK_CLOEXEC */
#define SOCKET(family, kind, reason_text, only_text)                                                                 \
	{                                                                                                            \
		.name = "socket", .reason = reason_text, .only = only_text, .when = {                                \
			{ 0, UINT32_MAX, family },                                                                   \
			{ 1, SOCKET_KIND, kind }                                                                     \
		}                                                                                                    \
	}

static const struct dr_call calls[] = {
	DR_CALLS_RUNTIME,
	DR_CALLS_MEMORY,
	{ .name = "mmap",
	  .reason = "a name service's module that was not loaded before: names are asked of DNS instead",
	  .only = "executable",
	  .when = { { 2, PROT_EXEC, PROT_EXEC } },
	  .error = EACCES },

	DR_CALLS_STREAM,
	SOCKET(AF_INET, SOCK_STREAM, "an endpoint", "IPv4, TCP"),
	SOCKET(AF_INET, SOCK_DGRAM, "a name server", "IPv4, UDP"),
	SOCKET(AF_INET6, SOCK_STREAM, "an endpoint", "IPv6, TCP"),
	SOCKET(AF_INET6, SOCK_DGRAM, "a name server", "IPv6, UDP"),
	{ .name = "socket",
	  .reason = "getaddrinfo() looks at this machine's addresses",
	  .only = "netlink, routes",
	  .when = { { 0, UINT32_MAX, AF_NETLINK }, { 2, UINT32_MAX, NETLINK_ROUTE } } },
	{ .name = "socket",
	  .reason = "a name service's cache on this machine; names are asked of DNS instead",
	  .only = "unix",
	  .when = { { 0, UINT32_MAX, AF_UNIX } },
	  .error = EACCES },
	{ .name = "socketpair",
	  .reason = "curl is told by it that a name was resolved",
	  /* One of datagrams reaches any unix socket of datagrams there is: the service manager's, the log's. */
	  .only = "unix, streams",
	  .when = { { 0, UINT32_MAX, AF_UNIX }, { 1, SOCKET_KIND, SOCK_STREAM } } },
	{ .name = "eventfd2", .reason = "the same, in newer versions" },
	{ .name = "pipe2", .reason = "the same, in older versions" },
	{ .name = "connect", .reason = "endpoints and name servers" },
	{ .name = "bind", .reason = "netlink; without listen() nobody is heard" },
	{ .name = "getsockname", .reason = "curl and getaddrinfo(): the own address" },
	{ .name = "getpeername", .reason = "curl: the endpoint's address" },
	{ .name = "getsockopt", .reason = "curl: whether a connection stands" },
	{ .name = "setsockopt", .reason = "curl: no delay; getaddrinfo(): errors of UDP" },
	{ .name = "sendto", .reason = "the channel, endpoints, name servers" },
	{ .name = "recvfrom", .reason = "the same" },
	{ .name = "sendmsg", .reason = "netlink, name servers" },
	{ .name = "recvmsg", .reason = "the same" },
	{ .name = "sendmmsg", .reason = "name servers: both questions at once" },
	{ .name = "shutdown", .reason = "TLS connections that end" },
	{ .name = "ioctl",
	  .reason = "getaddrinfo(): the length of a name server's answer",
	  .only = "FIONREAD",
	  .when = { { 1, UINT32_MAX, FIONREAD } } },

	{ .name = "clone",
	  .reason = "curl resolves a name in a thread",
	  .only = "threads",
	  .when = { { 0, CLONE_THREAD, CLONE_THREAD } } },
	{ .name = "clone3", .reason = "its arguments cannot be looked at: clone is used instead", .error = ENOSYS },
	{ .name = "set_robust_list", .reason = "a thread begins" },
	{ .name = "rseq", .reason = "a thread begins" },
	{ .name = "sched_getaffinity", .reason = "how many heaps for threads" },
	{ .name = "sched_yield", .reason = "locks in libraries" },

	{ .name = "openat",
	  .reason = "resolv.conf, hosts, certificates; Landlock says which",
	  .only = "to read",
	  .when = { { 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY } } },
	{ .name = "newfstatat", .reason = "whether resolv.conf is a new one; certificates" },
	{ .name = "fstat", .reason = "the same" },
	{ .name = "stat", .reason = "the same" },
	{ .name = "access", .reason = "whether such a file is there" },
	{ .name = "faccessat", .reason = "the same" },
	{ .name = "faccessat2", .reason = "the same" },
	{ .name = "lseek", .reason = "the same files" },
	{ .name = "pread64", .reason = "the same files" },
	{ .name = "uname", .reason = "getaddrinfo(): this machine's name" },
	{ .name = "getuid", .reason = "libraries: whether the environment may be believed" },
	{ .name = "geteuid", .reason = "the same" },
	{ .name = "getgid", .reason = "the same" },
	{ .name = "getegid", .reason = "the same" },
	{ .name = "clock_nanosleep", .reason = "curl waits while it has no connection" },
};

const struct dr_sandbox dr_watch_sandbox = {
	.program = "derot-watch", .calls = calls, .num_calls = sizeof(calls) / sizeof(calls[0]), .network = true
};

enum dr_err dr_watch_confine(struct dr_fail *fail)
{
	static const struct dr_sandbox_path paths[] = {
		{ "/etc", false },
		/* Where resolv.conf often points to. */
		{ "/run/systemd/resolve", false },
		{ "/run/NetworkManager", false },
		{ "/run/resolvconf", false },
		{ "/run/connman", false },
		/* Certificates, and OpenSSL's own configuration. */
		{ "/usr/lib/ssl", false },
		{ "/usr/share/ca-certificates", false },
		{ "/usr/local/share/ca-certificates", false },
		/* curl on certificate authorities elsewhere than Debian. */
		{ "/usr/share/pki", false },
		{ "/dev/urandom", false },
	};

	return dr_sandbox_enter(&dr_watch_sandbox, paths, sizeof(paths) / sizeof(paths[0]), fail);
}
