/* SPDX-License-Identifier: Apache-2.0
 *
 * bench: what the programs here share. Each does one task a few times and prints one line of JSON about it:
 *
 *   {"task": …, "work": …, "seconds": [busy seconds of each round], "wall": […], "result": …, "tampered": …, …}
 *
 * work is what a round did, in units of the task; result is what the peer must have found too (a root in hex, …);
 * tampered says what became of a spoiled input. bench.mjs divides, compares and judges.
 */
#ifndef DR_TESTS_BENCH_H
#define DR_TESTS_BENCH_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "chain/base/bytes.h"
#include "chain/base/err.h"
#include "chain/base/hex.h"
#include "chain/crypto/keccak.h"

#define BENCH_ROUNDS_MAX 64u

struct bench {
	const char *task;
	unsigned rounds, done;
	double busy[BENCH_ROUNDS_MAX], wall[BENCH_ROUNDS_MAX];
	double busy_from, wall_from;
};

static inline double bench_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void bench_must(bool claim, const char *what)
{
	if (claim)
		return;
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static inline void bench_ok(const struct dr_fail *fail, const char *what)
{
	if (fail->err == DR_OK)
		return;
	fprintf(stderr, "bench: %s: %s (%s, at %zu)\n", what, fail->what, dr_err_name(fail->err), fail->at);
	exit(1);
}

/* bench_begin: rounds from the environment (BENCH_ROUNDS, default 7), and the width of Keccak (BENCH_KECCAK:
 * portable, avx2, avx512; default: the widest). Exits with 77 where this machine does not have it. */
static inline struct bench bench_begin(const char *task)
{
	static const char *const names[] = { "portable", "avx2", "avx512" };
	const char *rounds = getenv("BENCH_ROUNDS"), *keccak = getenv("BENCH_KECCAK");
	struct bench b = { .task = task, .rounds = rounds != NULL ? (unsigned)strtoul(rounds, NULL, 10) : 7 };

	bench_must(b.rounds > 0 && b.rounds <= BENCH_ROUNDS_MAX, "BENCH_ROUNDS is 1 to 64");
	for (unsigned i = 0; keccak != NULL && i < 3; i++)
		if (strcmp(keccak, names[i]) == 0 && !dr_keccak_use((enum dr_keccak_impl)i))
			exit(77);
	return b;
}

static inline void bench_start(struct bench *b)
{
	b->wall_from = bench_clock(CLOCK_MONOTONIC);
	b->busy_from = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static inline void bench_stop(struct bench *b)
{
	b->busy[b->done] = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - b->busy_from;
	b->wall[b->done++] = bench_clock(CLOCK_MONOTONIC) - b->wall_from;
}

static inline void bench_array(const char *name, const double *values, unsigned num)
{
	printf("\"%s\":[", name);
	for (unsigned i = 0; i < num; i++)
		printf("%s%.9f", i == 0 ? "" : ",", values[i]);
	printf("],");
}

/* bench_end: the line; more is JSON members, each with a comma behind it. */
static inline void bench_end(const struct bench *b, double work, const char *result, const char *tampered,
			     const char *more)
{
	printf("{\"task\":\"%s\",\"work\":%.0f,", b->task, work);
	bench_array("seconds", b->busy, b->done);
	bench_array("wall", b->wall, b->done);
	printf("%s\"result\":\"%s\",\"tampered\":\"%s\"}\n", more, result, tampered);
}

static inline const char *bench_hex(const uint8_t hash[static 32])
{
	static char hex[4][65];
	static unsigned at;

	at = (at + 1) % 4;
	dr_hex_put(hex[at], hash, 32);
	return hex[at];
}

/* bench_map: a whole file, read only; its pages are the kernel's, and counted as ours only while they are looked at.
 */
static inline struct dr_bytes bench_map(const char *path)
{
	struct stat st;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	bench_must(fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0, path);
	const void *ptr = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

	bench_must(ptr != MAP_FAILED, path);
	close(fd);
	return dr_bytes_of(ptr, (size_t)st.st_size);
}

/* xorshift64*: the same bytes at every run. */
static inline uint64_t bench_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1dull;
}

static inline void bench_fill(uint8_t *to, size_t len, uint64_t *seed)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)(bench_random(seed) >> 32);
}

#endif
