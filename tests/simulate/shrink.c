/* SPDX-License-Identifier: Apache-2.0
 *
 * shrink: from a tape that fails to a smaller one that fails in the same way: steps are left out, then shorter runs
 * of choices, then choices become zero, which is the plainest each can be; over and over until nothing more helps.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/simulate/sim.h"

#define SECONDS 20

static uint32_t best[TAPE_MAX], next[TAPE_MAX];
static size_t best_len;
static uint32_t marks[MARKS_MAX];
static size_t num_marks;
static char what[32];
static time_t until;
static unsigned tried;

/* The kind of failure: its first words, without the numbers in it. */
static void kind_of(char out[static 32])
{
	size_t len = 0;

	for (const char *c = report->what; *c != 0 && len < 31 && (*c < '0' || *c > '9' || len < 2); c++)
		out[len++] = *c;
	out[len] = 0;
}

static bool fails(size_t len, unsigned steps)
{
	char now[32];

	if (time(NULL) >= until)
		return false;
	tried++;
	if (run_tape(next, len, steps, false))
		return false;
	kind_of(now);
	if (strcmp(now, what) != 0)
		return false;
	/* What the run made of it: choices that it never came to are gone. */
	best_len = report->tape_len < len ? report->tape_len : len;
	memcpy(best, next, best_len * sizeof(best[0]));
	num_marks = report->num_marks;
	memcpy(marks, report->marks, sizeof(marks));
	return true;
}

static bool cut(size_t from, size_t to, unsigned steps)
{
	if (from >= to || to > best_len)
		return false;
	memcpy(next, best, from * sizeof(next[0]));
	memcpy(next + from, best + to, (best_len - to) * sizeof(next[0]));
	return fails(best_len - (to - from), steps);
}

static bool zero(size_t from, size_t to, unsigned steps)
{
	bool any = false;

	to = to < best_len ? to : best_len;
	for (size_t i = from; i < to; i++)
		any = any || best[i] != 0;
	if (!any)
		return false;
	memcpy(next, best, best_len * sizeof(next[0]));
	memset(next + from, 0, (to - from) * sizeof(next[0]));
	return fails(best_len, steps);
}

static bool cut_steps(unsigned steps)
{
	bool better = false;

	for (size_t some = num_marks / 2; some > 0; some /= 2)
		for (size_t at = num_marks; at > 1 && time(NULL) < until;) {
			at = at > some ? at - some : 1;
			if (at < num_marks)
				better |= cut(marks[at],
					      at + some < num_marks ? marks[at + some] : (uint32_t)best_len, steps);
			if (at == 1)
				break;
		}
	return better;
}

static bool spans(unsigned steps, bool (*change)(size_t from, size_t to, unsigned steps), size_t smallest)
{
	bool better = false;

	for (size_t len = best_len / 2; len >= smallest && len > 0; len /= 2)
		for (size_t at = 0; at < best_len && time(NULL) < until; at += len)
			better |= change(at, at + len, steps);
	return better;
}

static void write_tape(const char *path)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		return;
	for (size_t i = 0; i < best_len; i++)
		fprintf(file, "%u\n", best[i]);
	fclose(file);
}

void shrink(unsigned steps, const char *path)
{
	const size_t before = report->tape_len;

	kind_of(what);
	until = time(NULL) + SECONDS;
	tried = 0;
	best_len = report->tape_len;
	memcpy(best, report->tape, best_len * sizeof(best[0]));
	num_marks = report->num_marks;
	memcpy(marks, report->marks, sizeof(marks));
	while (time(NULL) < until) {
		bool better = cut_steps(steps);

		better |= spans(steps, cut, 2);
		better |= spans(steps, zero, 1);
		if (!better)
			break;
	}
	while (best_len > 0 && best[best_len - 1] == 0)
		best_len--;
	write_tape(path);
	printf("# shrunk from %zu choices to %zu in %u runs; make simulate TAPE=%s plays them:\n", before, best_len,
	       tried, path);
	run_tape(best, best_len, steps, true);
}
