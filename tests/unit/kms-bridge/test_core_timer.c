/* SPDX-License-Identifier: Apache-2.0
 *
 * A machine whose timer never counts: what watch says is stamped with the clocks as they are when it comes.
 */
#include "tests/unit/kms-bridge/core_kit.h"

#include <sys/timerfd.h>

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	(void)fd;
	(void)flags;
	(void)value;
	(void)old;
	return 0;
}

static void test_no_timer(void **state)
{
	static struct process p;
	struct dr_frame frame;
	struct dr_fail fail = { 0 };
	struct dr_buf frames;
	uint64_t start_ms = 0, newest_ms = 0;
	size_t used;

	(void)state;
	spawn(&p, DR_MODE_RECORD);
	listen_to(&p, is_ready);
	usleep(1100000);
	dr_buf_init(&frames, 4096);
	add_header(&frames, 0);
	add_final(&frames, 0, 0);
	send_frames(&p, &frames);
	finals_wanted = 1;
	listen_to(&p, has_finals);
	assert_true(has_finals(&p));
	assert_int_equal(stop_run(&p), 0);
	const struct dr_bytes kept = dr_buf_view(&p.heard.kept);

	for (size_t at = DR_EVIDENCE_HEAD_LEN; at < kept.len; at += used) {
		assert_int_equal(dr_frame_get(&frame, &used, dr_bytes_of(kept.ptr + at, kept.len - at), &fail),
				 DR_OK);
		if (frame.type == DR_FRAME_START)
			start_ms = dr_be64_get(frame.payload.ptr);
		if (frame.type == DR_FRAME_CLOCK)
			newest_ms = dr_be64_get(frame.payload.ptr);
	}
	assert_true(start_ms != 0);
	assert_true(newest_ms >= start_ms + 1000);
	dr_buf_free(&frames);
	dr_buf_free(&p.heard.kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_no_timer, set_up, tear_down) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
