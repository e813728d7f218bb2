/* SPDX-License-Identifier: Apache-2.0
 *
 * plan_notes: what a planner tells the core, read back: messages and frames that decode, or the test fails.
 */
#ifndef DR_TESTS_PLAN_NOTES_H
#define DR_TESTS_PLAN_NOTES_H

#include "tests/unit/kit.h"

#include "watcher/planner.h"

#define NOTES 1024u

struct note {
	uint16_t type, source, frame_type;
	uint32_t want;
	uint8_t state;
	char text[DR_TEXT_MAX];
	struct dr_bytes payload; /* of a frame */
};

static struct note notes[NOTES];
static size_t num_notes;

static void notes_take(struct dr_plan *plan)
{
	struct dr_buf *out = dr_plan_out(plan);
	struct dr_fail fail = { 0 };

	while (out->len > 0) {
		struct note *n = &notes[num_notes++];
		struct dr_endpoint_news news;
		struct dr_unavailable lack;
		struct dr_bytes payload;
		struct dr_frame frame;
		size_t used, frame_used;

		assert_true(num_notes < NOTES);
		memset(n, 0, sizeof(*n));
		assert_int_equal(dr_msg_get(&n->type, &payload, &used, dr_buf_view(out), &fail), DR_OK);
		assert_true(used > 0);
		if (n->type == DR_MSG_FRAME) {
			n->want = (uint32_t)payload.ptr[2] << 8 | payload.ptr[3];
			assert_int_equal(dr_frame_get(&frame, &frame_used,
						      dr_bytes_of(payload.ptr + 4, payload.len - 4), &fail),
					 DR_OK);
			assert_int_equal(frame_used, payload.len - 4);
			n->source = frame.source;
			n->frame_type = frame.type;
			n->payload = dr_bytes_of(
				memcpy(kit_alloc(frame.payload.len), frame.payload.ptr, frame.payload.len),
				frame.payload.len);
		} else if (n->type == DR_MSG_UNAVAILABLE) {
			assert_int_equal(dr_unavailable_get(&lack, payload, &fail), DR_OK);
			n->want = lack.want;
			n->source = lack.source;
			memcpy(n->text, lack.reason, sizeof(n->text));
		} else {
			assert_int_equal(n->type, DR_MSG_ENDPOINT);
			assert_int_equal(dr_endpoint_news_get(&news, payload, &fail), DR_OK);
			n->source = news.source;
			n->state = news.state;
			memcpy(n->text, news.reason, sizeof(n->text));
		}
		dr_buf_drop(out, used);
	}
}

#endif
