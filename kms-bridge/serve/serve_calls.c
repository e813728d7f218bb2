/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/serve/serve_calls.h"

#include "kms-bridge/process/calls.h"

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
	{ .name = "sendto", .reason = "the same" },
	{ .name = "sendmsg", .reason = "head and body of an answer at once" },
	{ .name = "shutdown", .reason = "a client's connection ends" },
	{ .name = "getsockname", .reason = "the library asks what kind of socket a client's is" },
	{ .name = "getsockopt", .reason = "the same" },
	{ .name = "setsockopt", .reason = "the library: when an answer's packets leave" },

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
