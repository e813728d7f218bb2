/* SPDX-License-Identifier: Apache-2.0
 *
 * simulate: a seeded simulator of the core: chain, watch, clients, clocks and disk are virtual, in one process with
 * the real chain/, governance/ and kms-bridge/ code; what must hold (I1 to I7) is looked at after every step.
 *
 *   simulate -seeds=N [-seed=first] [-steps=n] [-twice=p] [-tape=path]
 *       runs N seeds, each in a child; every p-th twice, and some in a process of its own: they must be the same bit
 *       for bit. The first that fails is shrunk, told step by step, and its tape is written to path (unless empty).
 *   simulate -play=path [-steps=n]      plays a tape again, aloud
 *   simulate -trace=seed [-steps=n]     prints that seed's trace and roots
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "governance/decide.h"
#include "tests/simulate/sim.h"

#define STEPS 80u

static const char *const count_names[SIM_NUM] = {
#define X(name, text) text,
	SIM_COUNTS(X)
#undef X
};

static const char *self;
static const char other_run[] = "I7: the same seed is not the same run";

/* A run in a child of its own. False: it failed, and report->what says how. */
static bool run_child(unsigned steps, bool aloud)
{
	int status = 0;
	pid_t pid;

	memset(report->counts, 0, sizeof(report->counts));
	memset(report->denied, 0, sizeof(report->denied));
	memset(report->trace, 0, sizeof(report->trace));
	report->failed = false;
	report->peak = 0;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		sim_aloud = aloud;
		alarm(120);
		play(steps);
		fflush(NULL);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		fprintf(stderr, "simulate: no process\n");
		exit(1);
	}
	if (status == 0)
		return true;
	if (!report->failed) {
		if (WIFSIGNALED(status))
			snprintf(report->what, sizeof(report->what), "crash: signal %d", WTERMSIG(status));
		else
			snprintf(report->what, sizeof(report->what), "crash: exit code %d", WEXITSTATUS(status));
	}
	return false;
}

static bool run_seed(uint64_t seed, unsigned steps, bool aloud)
{
	tape_seed(seed);
	return run_child(steps, aloud);
}

bool run_tape(const uint32_t *tape, size_t len, unsigned steps, bool aloud)
{
	tape_read(tape, len);
	return run_child(steps, aloud);
}

static void print_hex(const uint8_t *ptr, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", ptr[i]);
}

static void print_trace(void)
{
	print_hex(report->trace, 16);
	printf(" ");
	print_hex(report->ledger, 32);
	printf(" ");
	print_hex(report->journal, 32);
	printf("\n");
}

/* The same seed in a process of its own says the same. */
static bool same_elsewhere(uint64_t seed, unsigned steps)
{
	char command[512], line[256] = "", expected[256];
	FILE *file;
	int at = 0;

	for (size_t i = 0; i < 16; i++)
		at += snprintf(expected + at, sizeof(expected) - (size_t)at, "%02x", report->trace[i]);
	at += snprintf(expected + at, sizeof(expected) - (size_t)at, " ");
	for (size_t i = 0; i < 32; i++)
		at += snprintf(expected + at, sizeof(expected) - (size_t)at, "%02x", report->ledger[i]);
	snprintf(command, sizeof(command), "%s -trace=%llu -steps=%u", self, (unsigned long long)seed, steps);
	fflush(NULL);
	file = popen(command, "r");
	if (file == NULL || fgets(line, sizeof(line), file) == NULL)
		line[0] = 0;
	if (file != NULL)
		pclose(file);
	return strncmp(line, expected, strlen(expected)) == 0;
}

static bool same_again(uint64_t seed, unsigned steps, bool elsewhere)
{
	uint8_t trace[16], ledger[32], journal[32];

	memcpy(trace, report->trace, 16);
	memcpy(ledger, report->ledger, 32);
	memcpy(journal, report->journal, 32);
	if (run_seed(seed, steps, false) && memcmp(trace, report->trace, 16) == 0 &&
	    memcmp(ledger, report->ledger, 32) == 0 && memcmp(journal, report->journal, 32) == 0 &&
	    (!elsewhere || same_elsewhere(seed, steps)))
		return true;
	snprintf(report->what, sizeof(report->what), "%s", other_run);
	return false;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of the runs alone: other work on this machine does not count. */
static double cpu_s(void)
{
	struct rusage r;

	getrusage(RUSAGE_CHILDREN, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static bool all_met(const uint64_t *counts, const uint64_t *denied, unsigned long long seeds)
{
	bool met = true;

	printf("\n# denied:");
	for (size_t i = 0; i < 32; i++)
		if (denied[i] > 0)
			printf(" %s %llu", dr_deny_name((enum dr_deny)i), (unsigned long long)denied[i]);

	for (size_t i = 0; i < SIM_NUM; i++)
		printf("%s%s %llu", i % 6 == 0 ? "\n# " : ", ", count_names[i], (unsigned long long)counts[i]);
	printf("\n");
	for (size_t i = 0; i < SIM_NUM && seeds >= 250; i++) {
		if (counts[i] > 0)
			continue;
		printf("# never met: %s\n", count_names[i]);
		met = false;
	}
	return met;
}

static int seeds(uint64_t first, uint64_t num, unsigned steps, unsigned twice, const char *path)
{
	static uint64_t counts[SIM_NUM], denied[32];
	const double begin = now_s();
	uint64_t done = 0, peak = 0;
	bool good = true, met = true;

	printf("1..2\n");
	for (uint64_t seed = first; seed < first + num && good; seed++, done++) {
		good = run_seed(seed, steps, false);
		for (size_t i = 0; i < SIM_NUM; i++)
			counts[i] += report->counts[i];
		for (size_t i = 0; i < 32; i++)
			denied[i] += report->denied[i];
		peak = report->peak > peak ? report->peak : peak;
		if (good && twice != 0 && seed % twice == 0)
			good = same_again(seed, steps, seed % (4 * (uint64_t)twice) == 0);
		if (!good) {
			printf("# seed %llu: %s\n# make simulate SEEDS=1 SEED=%llu STEPS=%u shows it\n",
			       (unsigned long long)seed, report->what, (unsigned long long)seed, steps);
			if (path[0] != 0 && strcmp(report->what, other_run) != 0)
				shrink(steps, path);
		}
	}
	const double took = now_s() - begin;

	printf("%s 1 - %llu seeds from %llu\n", good ? "ok" : "not ok", (unsigned long long)done,
	       (unsigned long long)first);
	printf("# %.1f s, of one core %.1f s: %.1f seeds/s, %.0f steps/s; a core held at most %llu KiB", took,
	       cpu_s(), (double)done / cpu_s(), (double)counts[SIM_STEPS] / cpu_s(), (unsigned long long)peak / 1024);
	met = all_met(counts, denied, done);
	printf("%s 2 - everything was met\n", met ? "ok" : "not ok");
	return good && met ? 0 : 1;
}

static int play_file(const char *path, unsigned steps)
{
	static uint32_t tape[TAPE_MAX];
	FILE *file = fopen(path, "r");
	unsigned word;
	size_t len = 0;

	if (file == NULL) {
		fprintf(stderr, "simulate: %s cannot be read\n", path);
		return 1;
	}
	while (len < TAPE_MAX && fscanf(file, "%u", &word) == 1)
		tape[len++] = word;
	fclose(file);
	const bool good = run_tape(tape, len, steps, true);

	printf("%s\n", good ? "nothing is wrong" : report->what);
	return good ? 0 : 1;
}

static bool option(const char *arg, const char *name, const char **value)
{
	const size_t len = strlen(name);

	if (strncmp(arg, name, len) != 0)
		return false;
	*value = arg + len;
	return true;
}

int main(int argc, char **argv)
{
	uint64_t num = 0, first = 1, trace = UINT64_MAX;
	unsigned steps = STEPS, twice = 16;
	const char *path = "simulate.tape", *play_path = NULL, *value;

	self = argv[0];
	for (int i = 1; i < argc; i++) {
		if (option(argv[i], "-seeds=", &value))
			num = strtoull(value, NULL, 10);
		else if (option(argv[i], "-seed=", &value))
			first = strtoull(value, NULL, 10);
		else if (option(argv[i], "-steps=", &value))
			steps = (unsigned)strtoul(value, NULL, 10);
		else if (option(argv[i], "-twice=", &value))
			twice = (unsigned)strtoul(value, NULL, 10);
		else if (option(argv[i], "-tape=", &value))
			path = value;
		else if (option(argv[i], "-play=", &value))
			play_path = value;
		else if (option(argv[i], "-trace=", &value))
			trace = strtoull(value, NULL, 10);
		else
			return 64;
	}
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		return 1;
	play_worlds();
	if (play_path != NULL)
		return play_file(play_path, steps);
	if (trace != UINT64_MAX) {
		const bool good = run_seed(trace, steps, false);

		print_trace();
		return good ? 0 : 1;
	}
	return seeds(first, num, steps, twice, path);
}
