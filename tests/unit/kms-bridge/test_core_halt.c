/* SPDX-License-Identifier: Apache-2.0
 *
 * What a halt leaves behind, cut short: a core that dies, or whose disk is full, after the contradicting frame was
 * stored and before everything else was. Every start ends as the first one would have: exit 4, and the whole evidence
 * in its file.
 */
#include "tests/unit/kms-bridge/core_kit.h"

#include <errno.h>

static char path[DR_TEXT_MAX + 32], part[DR_TEXT_MAX + 40];
static bool full; /* the disk takes no frame any more */

size_t fwrite(const void *ptr, size_t size, size_t num, FILE *file)
{
	if (!full || size * num <= DR_EVIDENCE_HEAD_LEN)
		return fwrite_unlocked(ptr, size, num, file);
	errno = ENOSPC;
	return 0;
}

/* Its exit code, which is that of a conflict; it was never ready. */
static void run_halted(const char *says)
{
	static struct process p;

	spawn(&p, DR_MODE_RUN);
	assert_int_equal(wait_for(&p), DR_CORE_CONFLICT);
	if (strstr(p.heard.error.what, says) == NULL)
		fail_msg("expected \"%s\", got: %s", says, p.heard.error.what);
	assert_non_null(strstr(p.heard.error.what, path));
	assert_int_equal(p.heard.ready, 0);
}

static size_t read_file(uint8_t *to, size_t cap)
{
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		fail_msg("%s is not there", path);
	const size_t len = fread(to, 1, cap, f);

	fclose(f);
	assert_true(len > 0 && len < cap);
	return len;
}

static void test_cut_short(void **state)
{
	static uint8_t first[1u << 16], again[1u << 16];
	static struct process p;
	struct dr_buf frames;

	(void)state;
	snprintf(path, sizeof(path), "%s/conflict-%u.ev", init.data_dir, START + 3);
	snprintf(part, sizeof(part), "%s.part", path);
	run_to_final(&p);
	dr_buf_init(&frames, 4096);
	add_final(&frames, 0, BLOCKS);
	add_final(&frames, 1, BLOCKS);
	send_frames(&p, &frames);
	dr_buf_free(&frames);
	assert_int_equal(wait_for(&p), DR_CORE_CONFLICT);
	const size_t len = read_file(first, sizeof(first));

	run_halted("begin a new data directory");
	/* Before the evidence was written out, and in the midst of that. */
	for (unsigned torn = 0; torn < 2; torn++) {
		assert_int_equal(unlink(path), 0);
		if (torn == 1)
			assert_int_equal(close(open(part, O_WRONLY | O_CREAT | O_EXCL, 0600)), 0);
		run_halted("evidence written to");
		assert_int_equal(read_file(again, sizeof(again)), len);
		assert_memory_equal(again, first, len);
		assert_int_equal(access(part, F_OK), -1);
	}
	/* It says so where there is no room, and that it halted. */
	assert_int_equal(unlink(path), 0);
	full = true;
	run_halted("halted: something final was contradicted, and the evidence could not be written to");
	full = false;
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(part, F_OK), -1);
	run_halted("evidence written to");
	/* Before the halt itself was. */
	edit("DELETE FROM meta WHERE key = 'halted'");
	assert_int_equal(unlink(path), 0);
	run_halted("evidence written to");
	assert_int_equal(read_file(again, sizeof(again)), len);
	assert_memory_equal(again, first, len);
	run_halted("begin a new data directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_cut_short, set_up, tear_down) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
