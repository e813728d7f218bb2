/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_spawn FILE COMMAND …: runs the command and writes to FILE what it cost: {"exit", "wall", "busy",
 * "memory_kib"}, its children counted (memory: of the largest one). A process remembers the memory of the program
 * that it was before exec, so the one that is measured must not be forked by something as large as Node.js.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/bench/bench.h"

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct rusage used;
	int status;

	bench_must(argc > 2, "bench_spawn FILE COMMAND …");
	const double start = bench_clock(CLOCK_MONOTONIC);
	const pid_t child = fork();

	if (child == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	bench_must(child > 0 && wait4(child, &status, 0, &used) == child, "a child");
	FILE *out = fopen(argv[1], "w");

	bench_must(out != NULL, argv[1]);
	fprintf(out, "{\"exit\":%d,\"wall\":%.6f,\"busy\":%.6f,\"memory_kib\":%ld}\n",
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
		bench_clock(CLOCK_MONOTONIC) - start, seconds(used.ru_utime) + seconds(used.ru_stime),
		used.ru_maxrss);
	return fclose(out) == 0 ? 0 : 1;
}
