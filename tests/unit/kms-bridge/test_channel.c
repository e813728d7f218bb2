/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/channel.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/kit.h"

#define NUM     3
#define PAYLOAD 40000 /* all of them fit a socket's buffer */

static uint8_t payload[PAYLOAD];

/* Who went away after its last words is heard to the end of them, though nothing can be said to it any more. */
static void test_gone(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_channel ch, peer;
	struct dr_bytes got;
	uint16_t type;
	unsigned num = 0;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	dr_channel_init(&ch, fds[0]);
	dr_channel_init(&peer, fds[1]);
	for (unsigned i = 0; i < NUM; i++)
		assert_int_equal(dr_msg_put(&peer.out, DR_MSG_FRAME, dr_bytes_of(payload, PAYLOAD), &fail), DR_OK);
	assert_int_equal(dr_channel_write(&peer, &fail), DR_OK);
	assert_int_equal(dr_channel_pending(&peer), 0);
	dr_channel_close(&peer);
	assert_int_equal(dr_msg_put(&ch.out, DR_MSG_CREDIT, dr_bytes_of(payload, 8), &fail), DR_OK);
	assert_int_equal(dr_channel_write(&ch, &fail), DR_OK);
	assert_true(ch.gone);
	assert_int_equal(dr_channel_pending(&ch), 0);
	while (!ch.eof) {
		assert_int_equal(dr_channel_read(&ch, &fail), DR_OK);
		while (dr_channel_next(&ch, &type, &got, &fail)) {
			assert_int_equal(type, DR_MSG_FRAME);
			assert_int_equal(got.len, PAYLOAD);
			num++;
		}
		assert_int_equal(fail.err, DR_OK);
	}
	assert_int_equal(num, NUM);
	dr_channel_close(&ch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
