/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/process/signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int ends[] = { SIGTERM, SIGINT, SIGHUP };

#define NUM_ENDS (sizeof(ends) / sizeof(ends[0]))

int dr_signals_open(int also)
{
	struct sigaction now;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < NUM_ENDS; i++)
		if (ends[i] != SIGHUP || sigaction(SIGHUP, NULL, &now) != 0 || now.sa_handler != SIG_IGN)
			sigaddset(&set, ends[i]);
	if (also != 0)
		sigaddset(&set, also);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool dr_signals_asked(int fd)
{
	struct signalfd_siginfo info;
	bool asked = false;

	while (fd >= 0 && read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		for (size_t i = 0; i < NUM_ENDS; i++)
			asked = asked || info.ssi_signo == (unsigned)ends[i];
	return asked;
}
