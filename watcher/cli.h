/* SPDX-License-Identifier: Apache-2.0
 *
 * cli: the frame of the command line: a table of commands, options, exit codes, usage errors.
 *
 * A new command is one function in a file of its own (watcher/cmd_*.c) and one row in watcher/cli.c.
 * Exit codes are a contract: scripts and auditors rely on them.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_CLI_H
#define DR_WATCHER_CLI_H

#include "chain/base/version.h"
#include "watcher/out.h"

enum dr_exit {
	DR_EXIT_OK = 0,
	DR_EXIT_ERROR = 1,      /* it could not be done; input that is no such thing */
	DR_EXIT_SEALED = 2,     /* the core, or a recording, is sealed or stale */
	DR_EXIT_PROOF = 3,      /* a proof is invalid */
	DR_EXIT_CONFLICT = 4,   /* something contradicts a final block; evidence was written */
	DR_EXIT_FINDINGS = 5,   /* divergence, unsupported execution, stealthy deployer */
	DR_EXIT_UNANCHORED = 6, /* self-consistent only */
	DR_EXIT_USAGE = 64,     /* EX_USAGE of sysexits.h */
};

struct dr_cli;

struct dr_command {
	const char *name;
	int (*run)(struct dr_cli *cli, int argc, char **argv); /* argv[0] is the command; returns an enum dr_exit */
	const char *usage;                                     /* what follows "derot ", one form per line */
	const char *what;                                      /* one line for the list of commands */
	const char *help;                                      /* what `derot help NAME` adds; may be NULL */
};

struct dr_cli {
	struct dr_out out;
	const struct dr_command *command; /* the one that runs; NULL outside of one */
};

/* dr_cli_main: runs one command line, argv[0] being the program; prints to these streams, which it borrows.
 * The exit code. `--format F` and `--help` are taken out wherever they stand after the command. */
int dr_cli_main(int argc, char **argv, FILE *out, FILE *err);

/* dr_cli_usage: "derot NAME: message: arg" and the usage of the running command, on the error stream. Returns
 * DR_EXIT_USAGE, so that `return dr_cli_usage(…)` reads well. arg may be NULL. */
int dr_cli_usage(struct dr_cli *cli, const char *message, const char *arg);

/* Options of a command: long names, `--name value` or `--name=value`, anywhere among the arguments; "--" ends
 * them; a letter may stand for a name ("-c"). A flag points to bool; a value to const char *; a list to struct
 * dr_opt_list. An option given twice is a usage error, except for a list. */
enum dr_opt_kind {
	DR_OPT_FLAG,
	DR_OPT_VALUE,
	DR_OPT_LIST,
};

#define DR_OPT_LIST_MAX 64u

struct dr_opt_list {
	const char *values[DR_OPT_LIST_MAX];
	size_t num;
};

struct dr_opt {
	const char *name;
	char letter; /* 0: none */
	enum dr_opt_kind kind;
	void *to;
};

/* dr_cli_options: fills the options found and leaves the other arguments in argv[1, *argc). DR_EXIT_OK, or
 * DR_EXIT_USAGE with the reason printed. */
int dr_cli_options(struct dr_cli *cli, int *argc, char **argv, const struct dr_opt *opts, size_t num_opts);

/* dr_cli_self: the folder that holds this executable, where its siblings are looked for; "." if the system does
 * not say. */
void dr_cli_self(char *folder, size_t cap);

/* The commands. */
int dr_cmd_verify(struct dr_cli *cli, int argc, char **argv);
int dr_cmd_config(struct dr_cli *cli, int argc, char **argv);
int dr_cmd_doctor(struct dr_cli *cli, int argc, char **argv);
int dr_cmd_version(struct dr_cli *cli, int argc, char **argv);
int dr_cmd_run(struct dr_cli *cli, int argc, char **argv);
int dr_cmd_record(struct dr_cli *cli, int argc, char **argv);
int dr_cmd_replay(struct dr_cli *cli, int argc, char **argv);
int dr_cmd_status(struct dr_cli *cli, int argc, char **argv);
int dr_cmd_audit(struct dr_cli *cli, int argc, char **argv);
int dr_cmd_keys(struct dr_cli *cli, int argc, char **argv);
int dr_cmd_fixture(struct dr_cli *cli, int argc, char **argv);

#endif
