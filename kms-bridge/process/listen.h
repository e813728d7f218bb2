/* SPDX-License-Identifier: Apache-2.0
 *
 * listen: the places where a process of derot may listen, in words: a loopback address or a unix socket, never one
 * that other machines reach.
 *
 *   127.0.0.1:PORT   [::1]:PORT   unix:/absolute/path
 *
 * PORT is 1 to 65535, decimal, without leading zero. A name ("localhost") is not read: what it means is decided
 * elsewhere.
 *
 * Layer: kms-bridge/process.
 */
#ifndef DR_PROCESS_LISTEN_H
#define DR_PROCESS_LISTEN_H

#include <stdbool.h>

#include <sys/socket.h>

#include "chain/base/err.h"

struct dr_listen {
	struct sockaddr_storage address;
	socklen_t len;
	bool local; /* a unix socket */
};

/* dr_listen_parse: DR_ERR_SYNTAX says what is expected; DR_ERR_LIMIT: a path too long for a unix socket. */
enum dr_err dr_listen_parse(struct dr_listen *out, const char *text, struct dr_fail *fail);

/* dr_listen_open: a listening socket there, non-blocking, closed on exec. A unix socket is made with mode 0600; one
 * that a process left behind when it died is replaced, anything else in its place is DR_ERR_IO. *fd is -1 on
 * failure; fail->at is errno. */
enum dr_err dr_listen_open(int *fd, const struct dr_listen *at, struct dr_fail *fail);

#endif
