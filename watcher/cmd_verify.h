/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_verify: what the kinds of `derot verify` share: reading a file, and the answer.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_CMD_VERIFY_H
#define DR_WATCHER_CMD_VERIFY_H

#include "watcher/cli.h"
#include "watcher/verify.h"

/* The options of all kinds; NULL: not given. */
struct dr_verify_opts {
	const char *network, *spec, *genesis, *checkpoint, *now; /* beacon */
	const char *message, *signature;                         /* bls */
};

/* dr_verify_read: a file, or "-" for standard input, into *buf, which is initialised. A failure leaves what the
 * system said in said[0,cap). */
enum dr_err dr_verify_read(struct dr_buf *buf, const char *name, char *said, size_t cap, struct dr_fail *fail);

/* dr_verify_answer: prints what c came to; source is where its failure is. The exit code. */
int dr_verify_answer(struct dr_cli *cli, const char *kind, struct dr_check *c, const char *source);

/* Kinds with files and a command line of their own; files[0,num). */
int dr_cmd_verify_beacon(struct dr_cli *cli, const struct dr_verify_opts *opts, char **files, int num);
int dr_cmd_verify_bls(struct dr_cli *cli, const struct dr_verify_opts *opts, char **files, int num);

#endif
