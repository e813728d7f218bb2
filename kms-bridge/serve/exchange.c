/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/serve/exchange.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

void dr_exchange_init(struct dr_exchange *x)
{
	memset(x, 0, sizeof(*x));
	dr_buf_init(&x->body, DR_SERVE_BODY_MAX);
	dr_buf_init(&x->first_row, DR_SERVE_BODY_MAX);
}

void dr_exchange_free(struct dr_exchange *x)
{
	dr_buf_free(&x->body);
	dr_buf_free(&x->first_row);
}

static int append(const char *text, size_t len, void *body)
{
	struct dr_fail ignored = { 0 };

	return dr_buf_append(body, text, len, &ignored) == DR_OK ? 0 : -1;
}

void dr_exchange_json(struct dr_exchange *x, enum dr_http_status status, void *object)
{
	x->done = true;
	x->status = status;
	x->type = "application/json";
	x->body.len = 0;
	if (object == NULL || json_dump_callback(object, append, &x->body, JSON_ENSURE_ASCII | JSON_COMPACT) != 0 ||
	    append("\n", 1, &x->body) != 0) {
		x->status = DR_HTTP_INTERNAL;
		x->body.len = 0;
	}
	json_decref(object);
}

void dr_exchange_fail(struct dr_exchange *x, enum dr_http_status status, const char *error, const char *what,
		      const char *expected, const char *got)
{
	json_t *o = json_object();
	char text[DR_TEXT_MAX];

	json_object_set_new(o, "error", json_string(error));
	json_object_set_new(o, "what", json_string(what));
	json_object_set_new(o, "expected", expected != NULL ? json_string(expected) : json_null());
	if (got != NULL)
		dr_text_set(text, sizeof(text), got, strlen(got));
	json_object_set_new(o, "got", got != NULL ? json_string(text) : json_null());
	dr_exchange_json(x, status, o);
}

void dr_exchange_text(struct dr_exchange *x, const char *format, ...)
{
	char text[2 * DR_TEXT_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	DR_ASSERT(len >= 0 && (size_t)len < sizeof(text));
	append(text, (size_t)len, &x->body);
}
