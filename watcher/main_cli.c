/* SPDX-License-Identifier: Apache-2.0
 *
 * derot: the command line. What it can do is the table in watcher/cli.c.
 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "watcher/cli.h"

/* A standard stream that was closed when we were started would be the next file's or channel's number, and what is
 * said would go into a recording. It stays as good as closed. */
static void keep_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(DR_EXIT_ERROR);
}

int main(int argc, char **argv)
{
	keep_standard();
	signal(SIGPIPE, SIG_IGN); /* a reader that leaves is an error of the write, not the end of a recording */
	return dr_cli_main(argc, argv, stdout, stderr);
}
