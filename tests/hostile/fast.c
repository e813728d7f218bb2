/* SPDX-License-Identifier: Apache-2.0
 *
 * fast: derot-watch lives DEROT_FAST times as fast: LD_PRELOAD, for that program alone. Its clocks run so fast, and
 * its waits are so short: polls, deadlines and the pauses after failures and lies are what its configuration says, in
 * a time of its own. Nobody else's time changes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long speed = -1;

static long times(void)
{
	if (speed < 0) {
		const char *said = getenv("DEROT_FAST");

		speed = said != NULL && strcmp(program_invocation_short_name, "derot-watch") == 0 ? atol(said) : 1;
		if (speed < 1 || speed > 1000)
			abort(); /* a test must not pass because its shim did nothing */
	}
	return speed;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
	static int (*real)(clockid_t, struct timespec *);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	const int err = real(id, out);

	if (err != 0 || id == CLOCK_REALTIME || times() == 1)
		return err;
	const __int128 ns = ((__int128)out->tv_sec * 1000000000 + out->tv_nsec) * times();

	out->tv_sec = (time_t)(ns / 1000000000);
	out->tv_nsec = (long)(ns % 1000000000);
	return 0;
}

int poll(struct pollfd *fds, nfds_t num, int timeout_ms)
{
	static int (*real)(struct pollfd *, nfds_t, int);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "poll");
	return real(fds, num, timeout_ms <= 0 ? timeout_ms : (int)((timeout_ms + times() - 1) / times()));
}
