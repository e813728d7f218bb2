/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/process/signals.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/kit.h"

/* In a process of its own, whose signals nobody else needs: which of them were a wish to end, bit by bit. */
static int asked(int ignored, int also)
{
	static const int sent[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		unsigned bits = 0;

		for (size_t i = 1; i < 4; i++)
			signal(sent[i], SIG_DFL);
		if (ignored != 0)
			signal(ignored, SIG_IGN);
		const int fd = dr_signals_open(also);

		for (size_t i = also == 0; i < 4; i++) {
			raise(sent[i]);
			bits |= (unsigned)dr_signals_asked(fd) << i;
			if (dr_signals_asked(fd))
				_exit(99); /* it was read empty */
		}
		_exit((int)bits);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_asked(void **state)
{
	(void)state;
	assert_int_equal(asked(0, 0), 0xe);
	assert_int_equal(asked(0, SIGCHLD), 0xe);
	assert_false(dr_signals_asked(-1));
}

/* nohup; but a job that a shell put into the background is told to end as any other. */
static void test_ignored(void **state)
{
	(void)state;
	assert_int_equal(asked(SIGHUP, SIGCHLD), 0x6);
	assert_int_equal(asked(SIGINT, SIGCHLD), 0xe);
	assert_int_equal(asked(SIGTERM, SIGCHLD), 0xe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
