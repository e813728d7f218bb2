/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange: one HTTP request and what it is answered, apart from how HTTP is spoken. A route (route.h) asks the core
 * one question; the core's messages in reply make the body; then the exchange is done.
 *
 * Everything that is told here is public (proto.h marks the messages), so nothing is wiped.
 *
 * Layer: kms-bridge/serve.
 */
#ifndef DR_SERVE_EXCHANGE_H
#define DR_SERVE_EXCHANGE_H

#include "kms-bridge/proto.h"

#define DR_SERVE_PARAMS_MAX 2u
#define DR_SERVE_BODY_MAX   ((size_t)2 << 20) /* a list that reaches it ends early and says where it goes on */
#define DR_SERVE_ROWS_MAX   1000u             /* entries of one answer */

/* HTTP's status codes that are used. */
enum dr_http_status {
	DR_HTTP_OK = 200,
	DR_HTTP_BAD_REQUEST = 400,
	DR_HTTP_NOT_FOUND = 404,
	DR_HTTP_METHOD_NOT_ALLOWED = 405,
	DR_HTTP_MISDIRECTED = 421,
	DR_HTTP_INTERNAL = 500,
	DR_HTTP_UNAVAILABLE = 503,
};

struct dr_route;

struct dr_exchange {
	const struct dr_route *route;
	/* As the request said: what {generation} and {app} of the path are, and the parameters in the route's order.
	 */
	uint64_t generation; /* 0: the newest */
	uint8_t app[32];
	uint64_t params[DR_SERVE_PARAMS_MAX];

	/* The answer. */
	bool done;
	enum dr_http_status status;
	const char *type; /* Content-Type */
	struct dr_buf body;

	/* While rows come. */
	uint64_t rows;
	bool full;               /* the body takes no more */
	struct dr_buf first_row; /* certificates: the root's, that is told last */

	/* Of who carries it. */
	bool asked;        /* waits in the queue to the core */
	bool abandoned;    /* nobody waits for it any more: what still comes of its answer is dropped */
	uint64_t until_ms; /* by when the core must have answered */
	void *connection;  /* NULL: gone */
};

void dr_exchange_init(struct dr_exchange *x);
void dr_exchange_free(struct dr_exchange *x); /* what it allocated; not *x itself */

/* dr_exchange_json: done, with this object (takes the reference) on one line. */
void dr_exchange_json(struct dr_exchange *x, enum dr_http_status status, void *object);

/* dr_exchange_fail: done, with {"error","what","expected","got"}; expected and got may be NULL. got may be any bytes
 * up to its NUL. What was collected before is dropped. */
void dr_exchange_fail(struct dr_exchange *x, enum dr_http_status status, const char *error, const char *what,
		      const char *expected, const char *got);

/* dr_exchange_text: appends to the body; a body that takes no more is a bug of who did not look. */
void dr_exchange_text(struct dr_exchange *x, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
