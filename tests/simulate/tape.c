/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulate/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct sim_report *report;
bool sim_aloud;

static enum { FIXED, SEEDED, READ } source;
static uint64_t state;
static const uint32_t *given;
static size_t given_len, given_at;

static uint64_t next(void)
{
	/* splitmix64 */
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void begin(void)
{
	report->tape_len = report->num_marks = 0;
}

void tape_seed(uint64_t seed)
{
	source = SEEDED;
	state = seed;
	begin();
}

void tape_read(const uint32_t *tape, size_t len)
{
	source = READ;
	given = tape;
	given_len = len;
	given_at = 0;
	begin();
}

void tape_fixed(uint64_t seed)
{
	source = FIXED;
	state = seed;
}

uint32_t tape_draw(void)
{
	uint32_t drawn = 0;

	switch (source) {
	case FIXED: return (uint32_t)(next() >> 33);
	case SEEDED: drawn = (uint32_t)(next() >> 33); break;
	case READ: drawn = given_at < given_len ? given[given_at++] & 0x7fffffff : 0; break;
	}
	SIM_MUST("limit", report->tape_len < TAPE_MAX, "a run makes more choices than the tape holds");
	report->tape[report->tape_len++] = drawn;
	return drawn;
}

bool tape_over(void)
{
	return source == READ && given_at >= given_len;
}

void tape_mark(void)
{
	if (report->num_marks < MARKS_MAX)
		report->marks[report->num_marks++] = (uint32_t)report->tape_len;
}

/* The tests' kits draw from here too. */
int __wrap_rand(void);
int __wrap_rand(void)
{
	return (int)tape_draw();
}

void sim_say(const char *format, ...)
{
	va_list args;

	if (!sim_aloud)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void sim_fail(const char *invariant, const char *format, ...)
{
	va_list args;
	int len = snprintf(report->what, sizeof(report->what), "%s: ", invariant);

	va_start(args, format);
	vsnprintf(report->what + len, sizeof(report->what) - (size_t)len, format, args);
	va_end(args);
	report->failed = true;
	sim_say("FAILED %s", report->what);
	fflush(NULL);
	_exit(1);
}

void sim_trace(uint32_t what, const void *ptr, size_t len)
{
	const uint8_t *bytes = ptr;
	uint64_t h[2];

	/* Two lanes of FNV-1a. */
	memcpy(h, report->trace, sizeof(h));
	h[0] = (h[0] ^ what ^ len << 16) * 0x100000001b3u;
	for (size_t i = 0; i < len; i++) {
		h[0] = (h[0] ^ bytes[i]) * 0x100000001b3u;
		h[1] = (h[1] + h[0]) * 0xff51afd7ed558ccdu;
	}
	memcpy(report->trace, h, sizeof(h));
}
