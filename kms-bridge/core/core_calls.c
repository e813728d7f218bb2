/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/core_calls.h"

#include <string.h>
#include <sys/stat.h>

#include "kms-bridge/process/calls.h"

static const struct dr_call calls[] = {
	DR_CALLS_RUNTIME,
	DR_CALLS_MEMORY,
	{ .name = "mlock", .reason = "secrets stay out of swap" },
	{ .name = "munlock", .reason = "when they are wiped" },

	DR_CALLS_STREAM,
	DR_CALLS_IOCTL,
	{ .name = "bind", .reason = "core.sock: the one socket made before the list was entered" },
	{ .name = "listen", .reason = "core.sock" },
	{ .name = "accept4", .reason = "a local client" },
	{ .name = "getsockopt", .reason = "whose client it is (SO_PEERCRED)" },
	{ .name = "signalfd4", .reason = "SIGTERM, SIGINT and SIGHUP become an orderly stop" },
	{ .name = "timerfd_create", .reason = "the lease is looked at each second" },
	{ .name = "timerfd_settime", .reason = "the same" },
	{ .name = "clock_nanosleep", .reason = "SQLite waits for a reader's lock" },

	{ .name = "openat", .reason = "the store, the key file, conflict evidence; Landlock says which" },
	{ .name = "open", .reason = "openat, in older C libraries" },
	{ .name = "newfstatat", .reason = "whose files they are, and their sizes" },
	{ .name = "fstat", .reason = "the same" },
	{ .name = "stat", .reason = "the same" },
	{ .name = "lstat", .reason = "the same; links are not followed" },
	{ .name = "access", .reason = "SQLite looks for a log left behind" },
	{ .name = "faccessat", .reason = "the same" },
	{ .name = "faccessat2", .reason = "the same" },
	{ .name = "readlink", .reason = "SQLite resolves the path of the store" },
	{ .name = "readlinkat", .reason = "the same" },
	{ .name = "getcwd", .reason = "the same" },
	{ .name = "geteuid", .reason = "files that belong to others are refused" },
	{ .name = "lseek", .reason = "the store" },
	{ .name = "pread64", .reason = "the store" },
	{ .name = "pwrite64", .reason = "the store" },
	{ .name = "ftruncate", .reason = "the store's shared index and log" },
	{ .name = "fsync", .reason = "what was answered stays" },
	{ .name = "fdatasync", .reason = "the same" },
	{ .name = "flock", .reason = "one core in a data directory" },
	{ .name = "fchmod", .reason = "the key file is its owner's alone" },
	{ .name = "fchown", .reason = "SQLite, as root, gives its files the owner of the database" },
	{ .name = "mkdir", .reason = "the data directory, which is there by now" },
	{ .name = "mkdirat", .reason = "the same" },
	{ .name = "unlink", .reason = "SQLite's log at the end; a core.sock left behind" },
	{ .name = "unlinkat", .reason = "the same" },
	{ .name = "rename", .reason = "a new key file in the place of the old" },
	{ .name = "renameat", .reason = "the same" },
	{ .name = "renameat2", .reason = "the same" },
	{ .name = "umask", .reason = "files are their owner's alone" },
	{ .name = "shutdown", .reason = "the end of a replay: everything is said" },
};

const struct dr_sandbox dr_core_sandbox = { .program = "derot-core",
					    .calls = calls,
					    .num_calls = sizeof(calls) / sizeof(calls[0]) };

/* The folder of a file: it is written beside what it replaces, and renamed. */
static void folder_of(char folder[static DR_TEXT_MAX], const char path[static DR_TEXT_MAX])
{
	char *slash;

	memcpy(folder, path, DR_TEXT_MAX);
	slash = strrchr(folder, '/');
	if (slash == NULL)
		memcpy(folder, ".", 2);
	else if (slash == folder)
		slash[1] = 0;
	else
		*slash = 0;
}

enum dr_err dr_core_confine(const struct dr_init *init, struct dr_fail *fail)
{
	struct dr_sandbox_path paths[4 + DR_CHECKPOINTS_MAX];
	char folder[DR_TEXT_MAX];
	size_t num = 0;

	/* It has no entropy of its own: SQLite seeds itself from this. */
	paths[num++] = (struct dr_sandbox_path){ "/dev/urandom", false };
	if (init->data_dir[0] != 0) {
		/* Whatever is wrong with it, the store says it better. */
		if (init->mode == DR_MODE_RUN)
			mkdir(init->data_dir, 0700);
		paths[num++] = (struct dr_sandbox_path){ init->data_dir, true };
	}
	if (init->key_file[0] != 0) {
		folder_of(folder, init->key_file);
		paths[num++] = (struct dr_sandbox_path){ folder, true };
	}
	if (init->passphrase_file[0] != 0)
		paths[num++] = (struct dr_sandbox_path){ init->passphrase_file, false };
	for (size_t i = 0; i < DR_CHECKPOINTS_MAX; i++)
		if (init->checkpoints[i][0] != 0)
			paths[num++] = (struct dr_sandbox_path){ init->checkpoints[i], false };
	return dr_sandbox_enter(&dr_core_sandbox, paths, num, fail);
}
