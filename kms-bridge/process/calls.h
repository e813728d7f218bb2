/* SPDX-License-Identifier: Apache-2.0
 *
 * calls: rows that every list of sandbox.h begins with, and the conditions that are used more than once. A list is
 * an array of struct dr_call: `{ DR_CALLS_RUNTIME, DR_CALLS_MEMORY, { "poll", "waits" }, … }`.
 *
 * Layer: kms-bridge/process.
 */
#ifndef DR_PROCESS_CALLS_H
#define DR_PROCESS_CALLS_H

#include <errno.h>
#include <sys/mman.h>

#include "kms-bridge/process/sandbox.h"

/* Without PROT_EXEC: no byte that was read becomes code. */
#define DR_CALLS_MEMORY                                                                                              \
	{ .name = "brk", .reason = "the heap" },                                                                     \
		{ .name = "mmap", .reason = "the heap", .only = "not executable", .when = { { 2, PROT_EXEC, 0 } } }, \
		{ .name = "mprotect",                                                                                \
		  .reason = "guard pages of stacks and secrets",                                                     \
		  .only = "not executable",                                                                          \
		  .when = { { 2, PROT_EXEC, 0 } } },                                                                 \
		{ .name = "munmap", .reason = "the heap" }, { .name = "mremap", .reason = "the heap" },              \
	{                                                                                                            \
		.name = "madvise", .reason = "the heap; secrets stay out of dumps"                                   \
	}

/* What the C library does on its own, and how a process ends. */
#define DR_CALLS_RUNTIME                                                                                             \
	{ .name = "futex", .reason = "locks and one-time initialization in libraries" },                             \
		{ .name = "getpid", .reason = "libraries notice a fork by it" },                                     \
		{ .name = "gettid", .reason = "abort()" },                                                           \
		{ .name = "getrandom", .reason = "nonces, secrets, seeds" },                                         \
		{ .name = "clock_gettime", .reason = "where the clock is not read without a call" },                 \
		{ .name = "gettimeofday", .reason = "the same, by libraries" },                                      \
		{ .name = "time", .reason = "the same" },                                                            \
		{ .name = "rt_sigprocmask", .reason = "abort(), and threads" },                                      \
		{ .name = "rt_sigaction", .reason = "abort(), and which signals are ignored" },                      \
		{ .name = "rt_sigreturn", .reason = "returns from a signal" },                                       \
		{ .name = "tgkill", .reason = "abort()", .only = "this process", .self = true },                     \
		{ .name = "restart_syscall", .reason = "the kernel goes on with a wait after a stop" },              \
		{ .name = "sysinfo", .reason = "qsort() asks how much memory there is" },                            \
		{ .name = "exit", .reason = "the end" },                                                             \
	{                                                                                                            \
		.name = "exit_group", .reason = "the end"                                                            \
	}

/* fcntl 0 to 7: copies, flags, locks. Not F_SETOWN and F_SETSIG: with them a descriptor sends any signal to any
 * process of the user. */
#define DR_CALLS_STREAM                                                                                              \
	{ .name = "read", .reason = "channels, clients, files" },                                                    \
		{ .name = "write", .reason = "channels, clients, files, words on standard error" },                  \
		{ .name = "writev", .reason = "the C library's last words on standard error" },                      \
		{ .name = "close", .reason = "channels, clients, files" },                                           \
		{ .name = "fcntl",                                                                                   \
		  .reason = "channels that do not block; locks of files",                                            \
		  .only = "flags and locks",                                                                         \
		  .when = { { 1, ~7u, 0 } } },                                                                       \
		{ .name = "poll", .reason = "waits for channels" },                                                  \
	{                                                                                                            \
		.name = "ppoll", .reason = "poll, on processors that have no other"                                  \
	}

/* Asked of whatever a stream is opened on. */
#define DR_CALLS_IOCTL                                                                                               \
	{                                                                                                            \
		.name = "ioctl", .reason = "the C library asks whether a stream is a terminal", .error = ENOTTY      \
	}

#endif
