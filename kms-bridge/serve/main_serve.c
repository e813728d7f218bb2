/* SPDX-License-Identifier: Apache-2.0
 *
 * derot-serve LISTEN: HTTP for this machine alone: what the core lets everybody know, and nothing that acts. Its
 * channel to the core is file descriptor 3 (kms-bridge/proto.h); it ends when the core closes that.
 *
 * derot-serve --calls prints the system calls that are left to it once it listens.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <jansson.h>

#include "kms-bridge/process/listen.h"
#include "kms-bridge/serve/http.h"
#include "kms-bridge/serve/serve_calls.h"

#define CHANNEL    3
#define EXIT_USAGE 64

static int failed(const struct dr_fail *fail, const char *source)
{
	if (fail->err == DR_ERR_IO && fail->at != 0)
		fprintf(stderr, "derot-serve: %s: %s: %s\n", source, fail->what, strerror((int)fail->at));
	else
		fprintf(stderr, "derot-serve: %s: %s\n", source, fail->what);
	return 1;
}

int main(int argc, char **argv)
{
	struct dr_fail fail = { 0 };
	struct dr_listen at;
	int listener, type;
	socklen_t type_len = sizeof(type);

	if (argc != 2) {
		fprintf(stderr,
			"usage: derot-serve LISTEN (started by derot, with its channel as file descriptor 3)\n"
			"       derot-serve --calls\n");
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--calls") == 0)
		return dr_sandbox_print(&dr_serve_sandbox, stdout) ? 0 : 1;
	signal(SIGPIPE, SIG_IGN);
	if (dr_listen_parse(&at, argv[1], &fail) != DR_OK) {
		failed(&fail, argv[1]);
		return EXIT_USAGE;
	}
	if (getsockopt(CHANNEL, SOL_SOCKET, SO_TYPE, &type, &type_len) != 0 || type != SOCK_STREAM) {
		fprintf(stderr,
			"derot-serve: file descriptor 3 is not the channel to a core: derot starts this program\n");
		return 1;
	}
	fcntl(CHANNEL, F_SETFD, FD_CLOEXEC);
	/* What libraries read from files, while there still are files. */
	json_object_seed(0);
	tzset();
	if (dr_listen_open(&listener, &at, &fail) != DR_OK ||
	    dr_http_run(CHANNEL, listener, at.local, dr_serve_confine, &fail) != DR_OK)
		return failed(&fail, argv[1]);
	return 0;
}
