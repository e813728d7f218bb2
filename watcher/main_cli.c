/* SPDX-License-Identifier: Apache-2.0
 *
 * derot: the command line. What it can do is the table in watcher/cli.c.
 */
#include <signal.h>

#include "watcher/cli.h"

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN); /* a reader that leaves is an error of the write, not the end of a recording */
	return dr_cli_main(argc, argv, stdout, stderr);
}
