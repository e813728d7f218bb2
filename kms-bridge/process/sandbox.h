/* SPDX-License-Identifier: Apache-2.0
 *
 * sandbox: what a process of derot may still ask of the kernel once it begins to read foreign bytes. Whoever takes
 * such a process over has the system calls of its list, the files named, and nothing else. Entered once, by a process
 * that has one thread; nothing leads out again, and nothing in the environment keeps it from being entered.
 *
 * 1. No new privileges: no set-uid program gives any back.
 * 2. Landlock (kernel documentation, userspace-api/landlock.rst, ABI 1 to 6), as far as the kernel has it: files only
 *    beneath the paths named; TCP ports are not bound, and connected to only by a policy with `network` (ABI 4);
 *    neither abstract unix sockets nor signals reach processes outside (ABI 6).
 * 3. seccomp: a call that is not on the list ends the process by SIGSYS, at once and with all its threads. Not best
 *    effort: where it cannot be had, enter fails.
 *
 * A list is a table, so that it can be printed (`--calls`), read and compared with what a process does.
 *
 * Layer: kms-bridge/process. The only place that knows libseccomp and Landlock.
 */
#ifndef DR_PROCESS_SANDBOX_H
#define DR_PROCESS_SANDBOX_H

#include <stdbool.h>
#include <stdio.h>

#include "chain/base/err.h"

/* A condition on one argument, of which the low 32 bits count: (argument & mask) == value. mask 0: no condition. */
struct dr_call_when {
	uint32_t arg; /* 0…5 */
	uint32_t mask, value;
};

/* One row of a list. A call may have several rows: each permits more. */
struct dr_call {
	const char *name;   /* as the kernel names it; one that this processor's kernel has not is passed over */
	const char *reason; /* why this process makes it */
	const char *only;   /* the condition in words; NULL: none */
	struct dr_call_when when[2]; /* all hold */
	bool self;                   /* argument 0 is this process's own id */
	int error;                   /* not 0: the call is not carried out and fails with this errno */
};

struct dr_sandbox {
	const char *program;
	const struct dr_call *calls;
	size_t num_calls;
	bool network; /* TCP connections to anywhere */
};

struct dr_sandbox_path {
	const char *path; /* a folder, with all beneath it, or a file; one that does not exist grants nothing */
	bool write;       /* files may be made, changed and removed too */
};

/* dr_sandbox_enter: from here on the calling process has what policy lists and paths name. DR_ERR_IO: the kernel does
 * not do it: the caller must end. A build with a sanitizer, whose run-time library makes calls of its own at any
 * time, enters nothing; its --calls says so. */
enum dr_err dr_sandbox_enter(const struct dr_sandbox *policy, const struct dr_sandbox_path *paths, size_t num_paths,
			     struct dr_fail *fail);

/* dr_sandbox_landlock: the ABI that this kernel offers; 0: none. */
unsigned dr_sandbox_landlock(void);

/* dr_sandbox_reach: what of 2. that is on this machine, for people. */
const char *dr_sandbox_reach(void);

/* dr_sandbox_print: the list, a row a line: name, condition, reason, divided by tabs. False: not written. */
bool dr_sandbox_print(const struct dr_sandbox *policy, FILE *out);

#endif
