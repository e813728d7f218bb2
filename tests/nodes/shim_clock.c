/* SPDX-License-Identifier: Apache-2.0
 *
 * shim_clock: a clock that a test stops and sets, for derot-core alone: LD_PRELOAD, and DEROT_SHIM_CLOCK names a file
 * of two 64-bit integers: which clocks stand still (1: the wall clock, 2: boot-time), and by how many seconds the
 * wall clock is wrong. It is mapped before main: afterwards a core may open nothing. The kernel's own timers go on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct orders {
	volatile int64_t stopped, wrong_s;
};

static const struct orders *orders;
static int (*real)(clockid_t id, struct timespec *out);

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("DEROT_SHIM_CLOCK");

	*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	if (path == NULL || strcmp(program_invocation_short_name, "derot-core") != 0)
		return;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *at = fd >= 0 ? mmap(NULL, sizeof(*orders), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

	if (at == MAP_FAILED)
		abort(); /* a test must not pass because its shim did nothing */
	orders = at;
	close(fd);
}

int clock_gettime(clockid_t id, struct timespec *out)
{
	static struct timespec held[2];
	static int holds[2];
	const int which = id == CLOCK_REALTIME ? 0 : id == CLOCK_BOOTTIME ? 1 : -1;

	if (orders == NULL || which < 0)
		return real(id, out);
	const int stopped = (orders->stopped >> which & 1) != 0;

	if (!stopped || !holds[which]) {
		const int err = real(id, &held[which]);

		if (err != 0)
			return err;
	}
	holds[which] = stopped;
	*out = held[which];
	if (which == 0)
		out->tv_sec += orders->wrong_s;
	return 0;
}
