/* SPDX-License-Identifier: Apache-2.0
 *
 * link: the command line's side of the processes below it: start derot-core and derot-watch with their
 * channels, and exchange messages with the core without ever blocking on a full pipe.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_LINK_H
#define DR_WATCHER_LINK_H

#include <sys/types.h>

#include "kms-bridge/proto.h"

struct dr_link {
	int fd;     /* the channel; -1 once closed */
	pid_t pid;  /* the process behind it; 0: none of ours (a running core's socket) */
	int status; /* how that process ended (waitpid), once dr_link_end was called */
	struct dr_buf in, out;
	size_t taken; /* bytes of `in` already handed out */
	bool eof;
};

/* dr_link_core: starts derot-core from the folder of this executable. watch_fd becomes its channel to the
 * watcher (closed here afterwards); -1: none. */
enum dr_err dr_link_core(struct dr_link *link, int watch_fd, struct dr_fail *fail);

/* dr_link_core_serving: the same; serve_fd becomes its channel to derot-serve; -1: none. */
enum dr_err dr_link_core_serving(struct dr_link *link, int watch_fd, int serve_fd, struct dr_fail *fail);

/* dr_link_watch: starts derot-watch on this config; watch_fd becomes its channel to the core (closed here
 * afterwards). *pid is the process. dr_link_serve: derot-serve, which listens there. */
enum dr_err dr_link_watch(pid_t *pid, int watch_fd, const char *config, struct dr_fail *fail);
enum dr_err dr_link_serve(pid_t *pid, int serve_fd, const char *listen, struct dr_fail *fail);

/* dr_link_reap: waits for a process of ours up to wait_ms, then sends SIGTERM, and up to wait_ms later SIGKILL. How
 * it ended (waitpid). */
int dr_link_reap(pid_t pid, int wait_ms);

/* dr_link_socket: connects to a running core's socket at data_dir/core.sock. */
enum dr_err dr_link_socket(struct dr_link *link, const char *data_dir, struct dr_fail *fail);

/* dr_link_pair: two connected stream sockets, closed on exec. */
enum dr_err dr_link_pair(int fds[static 2], struct dr_fail *fail);

/* dr_link_send: queues a message; the put functions of proto.h may append to link->out themselves. */
enum dr_err dr_link_send(struct dr_link *link, uint16_t type, struct dr_bytes payload, struct dr_fail *fail);

/* dr_link_pump: writes what the channel takes, reads what it has; waits up to timeout_ms (-1: for ever)
 * for either. also_fd >= 0 ends the wait too when it is readable. */
enum dr_err dr_link_pump(struct dr_link *link, int timeout_ms, int also_fd, struct dr_fail *fail);

/* dr_link_next: the next whole message that was read: true, and *type, *payload (valid until the next
 * pump or next). */
bool dr_link_next(struct dr_link *link, uint16_t *type, struct dr_bytes *payload, struct dr_fail *fail);

/* dr_link_wait: pumps until a message is there or the channel ends. True: a message. */
bool dr_link_wait(struct dr_link *link, uint16_t *type, struct dr_bytes *payload, int timeout_ms,
		  struct dr_fail *fail);

/* dr_link_words: how a process ended, for people: "was killed by SIGKILL". */
void dr_link_words(char *text, size_t cap, const char *program, int status);

/* dr_link_end: closes the channel and waits for the process (after SIGTERM if it lingers for 10 s). Its
 * exit code; 1 if it died by a signal. */
int dr_link_end(struct dr_link *link);

#endif
