/* SPDX-License-Identifier: Apache-2.0
 *
 * What a halt leaves behind, cut short: a core that dies, or whose disk is full, after the contradicting frame was
 * stored and before everything else was. Every start ends as the first one would have: exit 4, and the whole evidence
 * in its file.
 */
#include "tests/unit/kms-bridge/core_client_kit.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static char path[DR_TEXT_MAX + 32], part[DR_TEXT_MAX + 40];
static bool full; /* the disk takes no frame any more */

size_t fwrite(const void *ptr, size_t size, size_t num, FILE *file)
{
	if (!full || size * num <= DR_EVIDENCE_HEAD_LEN)
		return fwrite_unlocked(ptr, size, num, file);
	errno = ENOSPC;
	return 0;
}

/* For every process of this test: after how many syncs the disk has no room for anything any more; below 0: never. */
static int *room;

int fdatasync(int fd)
{
	(void)fd;
	if (*room > 0)
		(*room)--;
	return 0;
}

int fsync(int fd)
{
	return fdatasync(fd);
}

ssize_t pwrite64(int fd, const void *ptr, size_t len, off64_t at)
{
	if (*room != 0)
		return syscall(SYS_pwrite64, fd, ptr, len, at);
	errno = ENOSPC;
	return -1;
}

ssize_t pwrite(int fd, const void *ptr, size_t len, off_t at)
{
	return pwrite64(fd, ptr, len, at);
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
	/* It says so where the file cannot be made, or there is no room, and that it halted. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(part, 0700), 0);
	run_halted("halted: something final was contradicted, and the evidence could not be written to");
	assert_int_equal(rmdir(part), 0);
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

static bool has_dissent(const struct process *p)
{
	return noted(p, DR_NOTE_DISSENT);
}

/* Something final is contradicted where there is no room after so many syncs (or such a row is in the way): it
 * is said, with the exit code after which nobody starts it again by itself. */
static void halts_unstored(int after, const char *spoil)
{
	static struct process p;
	struct dr_buf frames;

	snprintf(path, sizeof(path), "%s/conflict-%u.ev", init.data_dir, START + 3);
	run_to_final(&p);
	dr_buf_init(&frames, 4096);
	add_final(&frames, 1, BLOCKS);
	if (spoil != NULL)
		edit(spoil);
	*room = after;
	send_frames(&p, &frames);
	dr_buf_free(&frames);
	const int code = wait_for(&p);

	*room = -1;
	if (code != DR_CORE_CONFLICT || p.heard.error.exit != DR_CORE_CONFLICT ||
	    strstr(p.heard.error.what, "halted: something final was contradicted, and it could not be stored: ") ==
		    NULL)
		fail_msg("%d: exit %d (%u): %s", after, code, p.heard.error.exit, p.heard.error.what);
	assert_int_equal(noted(&p, DR_NOTE_CONFLICT), after > 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_unstored(void **state)
{
	static struct process p;

	(void)state;
	/* Neither the frame nor the entry about it: the next start knows nothing of it. */
	halts_unstored(0, NULL);
	start_run(&p);
	assert_int_equal(stop_run(&p), 0);
	tear_down(NULL);
	set_up(NULL);
	halts_unstored(-1, "INSERT INTO evidence SELECT max(seq) + 1, x'00' FROM evidence");
	edit("DELETE FROM evidence WHERE frame = x'00'");
	start_run(&p);
	assert_int_equal(stop_run(&p), 0);
	/* The frame, and not the halt: the next start takes it up. */
	tear_down(NULL);
	set_up(NULL);
	halts_unstored(1, NULL);
	run_halted("evidence written to");
}

/* Two endpoints agree, and then one of them names another block: no contradiction where two are asked for, and none
 * that a start with a lower number may halt at for ever. */
static void test_lower_quorum(void **state)
{
	static struct process p;
	struct dr_buf frames;

	(void)state;
	init.quorum_k = 2;
	start_run(&p);
	dr_buf_init(&frames, 1u << 16);
	add_header(&frames, 0);
	for (unsigned i = 1; i <= 3; i++)
		add_header(&frames, i);
	for (uint16_t source = 0; source < 2; source++) {
		add_final(&frames, source, 0);
		add_final(&frames, source, 3);
	}
	add_final(&frames, 1, BLOCKS);
	send_frames(&p, &frames);
	dr_buf_free(&frames);
	listen_to(&p, has_dissent);
	assert_true(noted(&p, DR_NOTE_DISSENT) && noted(&p, DR_NOTE_FINAL));
	assert_false(noted(&p, DR_NOTE_CONFLICT));
	assert_int_equal(stop_run(&p), 0);
	init.quorum_k = 1;
	for (unsigned i = 0; i < 2; i++)
		does_not_start("a lower quorum", DR_ERR_PROOF, "the stored journal knows of no contradiction");
	init.quorum_k = 2;
	start_run(&p);
	assert_int_equal(stop_run(&p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_cut_short, set_up, tear_down),
					    cmocka_unit_test_setup_teardown(test_unstored, set_up, tear_down),
					    cmocka_unit_test_setup_teardown(test_lower_quorum, set_up, tear_down) };

	room = mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		return 1;
	*room = -1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
