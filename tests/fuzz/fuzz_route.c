/* SPDX-License-Identifier: Apache-2.0
 *
 * What a local client sends derot-serve, apart from HTTP itself: host, path, parameters, a line each:
 * "host\npath\nname=value\nname\n…".
 */
#include <string.h>

#include "kms-bridge/serve/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static char *line(char **rest)
{
	char *text = *rest, *end = strchr(text, '\n');

	*rest = end != NULL ? end + 1 : text + strlen(text);
	if (end != NULL)
		*end = '\0';
	return text;
}

static void parameters(struct dr_exchange *x, char *rest)
{
	unsigned seen = 0;

	while (*rest != '\0') {
		char *name = line(&rest), *value = strchr(name, '=');

		if (value != NULL)
			*value++ = '\0';
		if (!dr_route_param(x, &seen, name, value)) {
			DR_ASSERT(x->done && x->status == DR_HTTP_BAD_REQUEST);
			return;
		}
	}
	if (!dr_route_params_end(x, seen)) {
		DR_ASSERT(x->done && x->status == DR_HTTP_BAD_REQUEST);
		return;
	}
	DR_ASSERT(!x->done);
	for (size_t i = 0; i < DR_SERVE_PARAMS_MAX && x->route->params[i].name != NULL; i++)
		DR_ASSERT(x->params[i] <= x->route->params[i].most);
	if (x->route->ask != NULL) {
		struct dr_fail fail = { 0 };
		struct dr_buf out;

		dr_buf_init(&out, 65536);
		DR_ASSERT(x->route->ask(x, &out, &fail) == DR_OK && out.len > 0);
		dr_buf_free(&out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[4096], *rest = text;
	struct dr_exchange x;

	if (len >= sizeof(text))
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	dr_exchange_init(&x);
	if (!dr_route_host(line(&rest)) || !dr_route_find(&x, line(&rest)))
		DR_ASSERT(!x.done || (x.status == DR_HTTP_NOT_FOUND && x.body.len > 0));
	else
		parameters(&x, rest);
	dr_exchange_free(&x);
	return 0;
}
