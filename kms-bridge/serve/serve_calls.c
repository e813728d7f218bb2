/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/serve/serve_calls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "kms-bridge/process/calls.h"

#define TCP_OPTION(option, option_text)                                                                              \
	{                                                                                                            \
		.name = "setsockopt", .reason = "the library: when an answer's packets leave", .only = option_text,  \
		.when = {                                                                                            \
			{ 1, UINT32_MAX, IPPROTO_TCP },                                                              \
			{ 2, UINT32_MAX, option }                                                                    \
		}                                                                                                    \
	}

static const struct dr_call calls[] = {
	DR_CALLS_RUNTIME,
	DR_CALLS_MEMORY,

	DR_CALLS_STREAM,
	DR_CALLS_IOCTL,
	{ .name = "select", .reason = "waits for clients" },
	{ .name = "pselect6", .reason = "the same" },
	{ .name = "epoll_create1", .reason = "the same" },
	{ .name = "epoll_ctl", .reason = "the same" },
	{ .name = "epoll_wait", .reason = "the same" },
	{ .name = "epoll_pwait", .reason = "the same" },
	{ .name = "accept4", .reason = "a client" },
	{ .name = "recvfrom", .reason = "clients, the channel" },
	/* A listener that was shut down connects to anywhere by MSG_FASTOPEN, which Landlock does not look at. */
	{ .name = "sendto", .reason = "the same", .only = "connected", .when = { { 3, MSG_FASTOPEN, 0 } } },
	{ .name = "sendmsg",
	  .reason = "head and body of an answer at once",
	  .only = "connected",
	  .when = { { 2, MSG_FASTOPEN, 0 } } },
	{ .name = "shutdown", .reason = "a client's connection ends" },
	{ .name = "getsockname", .reason = "the library asks what kind of socket a client's is" },
	{ .name = "getsockopt", .reason = "the same" },
	TCP_OPTION(TCP_NODELAY, "TCP_NODELAY"),
	TCP_OPTION(TCP_CORK, "TCP_CORK"),

	{ .name = "openat", .reason = "no file is needed; libraries go on without", .error = EACCES },
	{ .name = "newfstatat", .reason = "the C library, of a stream", .error = EACCES },
	{ .name = "fstat", .reason = "the same", .error = EACCES },
};

const struct dr_sandbox dr_serve_sandbox = { .program = "derot-serve",
					     .calls = calls,
					     .num_calls = sizeof(calls) / sizeof(calls[0]) };

enum dr_err dr_serve_confine(struct dr_fail *fail)
{
	return dr_sandbox_enter(&dr_serve_sandbox, NULL, 0, fail);
}
