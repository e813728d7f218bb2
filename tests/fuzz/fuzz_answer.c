/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_answer: what the core answers derot-serve, as a body. Input: a path, a newline, and a stream of messages. What
 * must hold: a body is made or the channel is given up, never both; one that says JSON is JSON; it stays within its
 * limit; nothing of an abandoned exchange is told.
 */
#include <jansson.h>
#include <limits.h>

#include "kms-bridge/serve/answer.h"
#include "kms-bridge/serve/route.h"
#include "tests/fuzz/fuzz.h"

#define PATH_LEN_MAX 200u

static void check_body(const struct dr_exchange *x)
{
	DR_ASSERT(x->body.len <= DR_SERVE_BODY_MAX && x->type != NULL);
	if (strcmp(x->type, "application/json") != 0)
		return;
	json_t *root = json_loadb((const char *)x->body.ptr, x->body.len, JSON_REJECT_DUPLICATES, NULL);

	DR_ASSERT(json_is_object(root));
	DR_ASSERT(x->status == DR_HTTP_OK || json_object_get(root, "error") != NULL ||
		  x->status == DR_HTTP_UNAVAILABLE);
	json_decref(root);
}

static void take(struct dr_exchange *x, struct dr_bytes stream)
{
	bool last = false;

	while (!last && stream.len > 0) {
		struct dr_fail fail = { 0 };
		struct dr_bytes payload;
		uint16_t type;
		size_t used;

		if (dr_msg_get(&type, &payload, &used, stream, &fail) != DR_OK || used == 0)
			return;
		if (dr_answer_take(&last, x, type, payload, &fail) != DR_OK) {
			DR_ASSERT(fail.what != NULL && !x->done);
			return;
		}
		DR_ASSERT(x->abandoned || x->done == last);
		stream = dr_bytes_of(stream.ptr + used, stream.len - used);
	}
	DR_ASSERT(!x->abandoned || !x->done);
	if (x->done)
		check_body(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
	char path[PATH_LEN_MAX + 1] = "";
	struct dr_exchange x;

	if (end == NULL || (size_t)(end - data) > PATH_LEN_MAX)
		return 0;
	memcpy(path, data, (size_t)(end - data));
	dr_exchange_init(&x);
	x.abandoned = path[0] == '!';
	if (dr_route_find(&x, path + x.abandoned) && dr_route_params_end(&x, UINT_MAX)) {
		if (x.route->ask != NULL) {
			struct dr_buf question;
			struct dr_fail fail = { 0 };

			dr_buf_init(&question, 65536);
			DR_ASSERT(x.route->ask(&x, &question, &fail) == DR_OK);
			dr_buf_free(&question);
			take(&x, dr_bytes_of(end + 1, size - 1 - (size_t)(end - data)));
		} else {
			x.route->say(&x);
			DR_ASSERT(x.done);
			check_body(&x);
		}
	} else {
		check_body(&x);
	}
	dr_exchange_free(&x);
	return 0;
}
