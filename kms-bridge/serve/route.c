/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/serve/route.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "chain/base/hex.h"

#define FIRST                                                                                                        \
	{                                                                                                            \
		.name = "first", .most = INT64_MAX                                                                   \
	}
#define NUM                                                                                                          \
	{                                                                                                            \
		.name = "num", .least = 1, .most = DR_SERVE_ROWS_MAX, .otherwise = 100                               \
	}
#define SIZE                                                                                                         \
	{                                                                                                            \
		.name = "size", .least = 1, .most = INT64_MAX                                                        \
	}
#define NEEDED(word)                                                                                                 \
	{                                                                                                            \
		.name = word, .most = INT64_MAX, .required = true                                                    \
	}
#define LOG                                                                                                          \
	{                                                                                                            \
		.name = "log", .most = 1, .log = true                                                                \
	}

static const struct dr_route routes[] = {
	{ "/", .say = dr_route_list, .what = "this list" },
	{ "/healthz", .say = dr_say_health, .what = "this process answers" },
	{ "/livez", .ask = dr_ask_status, .take = dr_take_live, .what = "the core answers" },
	{ "/readyz", .ask = dr_ask_status, .take = dr_take_ready,
	  .what = "200 if keys are not sealed and the root in force is held here; else 503, and why" },
	{ "/metrics", .ask = dr_ask_status, .take = dr_take_metrics, .what = "for Prometheus" },
	{ "/v1/status", .ask = dr_ask_status, .take = dr_take_status,
	  .what = "what is proven, how old it is, whether keys are sealed and why" },
	{ "/v1/ledger", .params = { FIRST, NUM }, .ask = dr_ask_log, .take = dr_take_log, .rows = true, .log = 0,
	  .what = "changes that the chain made" },
	{ "/v1/journal", .params = { FIRST, NUM }, .ask = dr_ask_log, .take = dr_take_log, .rows = true, .log = 1,
	  .what = "what this node saw and did" },
	{ "/v1/ledger/proof/inclusion", .params = { NEEDED("idx"), SIZE }, .ask = dr_ask_proof, .take = dr_take_proof,
	  .log = 0, .kind = DR_PROOF_INCLUSION,
	  .what = "that entry idx is in the tree of size (absent: as it is now); RFC 6962" },
	{ "/v1/ledger/proof/consistency", .params = { NEEDED("first"), SIZE }, .ask = dr_ask_proof,
	  .take = dr_take_proof, .log = 0, .kind = DR_PROOF_CONSISTENCY,
	  .what = "that the tree of the first entries is the beginning of that of size; RFC 6962" },
	{ "/v1/journal/proof/inclusion", .params = { NEEDED("idx"), SIZE }, .ask = dr_ask_proof,
	  .take = dr_take_proof, .log = 1, .kind = DR_PROOF_INCLUSION, .what = "likewise" },
	{ "/v1/journal/proof/consistency", .params = { NEEDED("first"), SIZE }, .ask = dr_ask_proof,
	  .take = dr_take_proof, .log = 1, .kind = DR_PROOF_CONSISTENCY, .what = "likewise" },
	{ "/v1/checkpoint", .params = { LOG }, .ask = dr_ask_checkpoint, .take = dr_take_checkpoint,
	  .what = "size and root of a log, signed by this node (C2SP tlog-checkpoint); log is ledger (if it is not "
		  "said) or journal" },
	{ "/v1/node", .ask = dr_ask_node, .take = dr_take_node,
	  .what = "this node's public keys, and the heartbeat nonce drawn last" },
	{ "/v1/keys/{generation}/certificate", .ask = dr_ask_root_certificate, .take = dr_take_certificate,
	  .rows = true, .what = "the root's certificate, PEM; generation is a number or newest" },
	{ "/v1/keys/{generation}/{app}/certificate", .ask = dr_ask_app_certificate, .take = dr_take_certificate,
	  .rows = true,
	  .what = "certificates issued here to keys of this app (0x and 64 digits), then the root's, PEM" },
};

const struct dr_route *dr_route_at(size_t idx)
{
	return idx < sizeof(routes) / sizeof(routes[0]) ? &routes[idx] : NULL;
}

void dr_route_list(struct dr_exchange *x)
{
	x->done = true;
	x->status = DR_HTTP_OK;
	x->type = "text/plain; charset=utf-8";
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		char query[64] = "";

		for (size_t k = 0; k < DR_SERVE_PARAMS_MAX && routes[i].params[k].name != NULL; k++) {
			const size_t len = strlen(query);

			snprintf(query + len, sizeof(query) - len, "%c%s=", k == 0 ? '?' : '&',
				 routes[i].params[k].name);
		}
		dr_exchange_text(x, "%s%s\n    %s\n", routes[i].pattern, query, routes[i].what);
	}
}

/* Decimal digits without sign or leading zero. */
static bool number(uint64_t *out, const char *text, size_t len)
{
	uint64_t value = 0;

	*out = 0;
	if (len == 0 || len > 19 || (text[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	*out = value;
	return true;
}

static bool is(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(text, word, len) == 0;
}

/* Where text's segment ends: at the next '/', or at the end. */
static size_t segment(const char *text)
{
	return strcspn(text, "/");
}

/* The path has the pattern's form, whatever stands for {…}: then `wrong` is 0, or which of these is none. */
static bool matches(struct dr_exchange *x, const char **wrong, const char *pattern, const char *path)
{
	*wrong = NULL;
	while (*pattern != '\0' && *path != '\0') {
		const size_t want = segment(pattern), len = segment(path);
		struct dr_fail ignored = { 0 };

		if (is(pattern, want, "{generation}")) {
			if (is(path, len, "newest"))
				x->generation = 0;
			else if (!number(&x->generation, path, len) || x->generation == 0)
				*wrong = "a generation: a number from 1 on, or newest";
		} else if (is(pattern, want, "{app}")) {
			if (dr_hex_fixed(x->app, 32, path, len, &ignored) != DR_OK)
				*wrong = "an app: 0x and 64 hexadecimal digits";
		} else if (want != len || memcmp(pattern, path, len) != 0) {
			return false;
		}
		pattern += want;
		path += len;
		if (*pattern != '/' || *path != '/')
			break;
		pattern++;
		path++;
	}
	return *pattern == '\0' && *path == '\0';
}

bool dr_route_find(struct dr_exchange *x, const char *path)
{
	const char *wrong;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (path[0] != '/' || !matches(x, &wrong, routes[i].pattern + 1, path + 1))
			continue;
		if (wrong != NULL) {
			dr_exchange_fail(x, DR_HTTP_NOT_FOUND, "path", "what the path names", wrong, path);
			return false;
		}
		x->route = &routes[i];
		for (size_t k = 0; k < DR_SERVE_PARAMS_MAX; k++)
			x->params[k] = routes[i].params[k].otherwise;
		return true;
	}
	dr_exchange_fail(x, DR_HTTP_NOT_FOUND, "path", "the path", "one of those that / lists", path);
	return false;
}

bool dr_route_param(struct dr_exchange *x, unsigned *seen, const char *name, const char *value)
{
	char expected[96];

	for (size_t k = 0; k < DR_SERVE_PARAMS_MAX && x->route->params[k].name != NULL; k++) {
		const struct dr_param *p = &x->route->params[k];
		bool good;

		if (strcmp(p->name, name) != 0)
			continue;
		if ((*seen & 1u << k) != 0) {
			dr_exchange_fail(x, DR_HTTP_BAD_REQUEST, "parameter", "a parameter is given twice", "once",
					 name);
			return false;
		}
		*seen |= 1u << k;
		if (p->log) {
			x->params[k] = value != NULL && strcmp(value, "journal") == 0;
			good = value != NULL && (x->params[k] == 1 || strcmp(value, "ledger") == 0);
			snprintf(expected, sizeof(expected), "ledger or journal");
		} else {
			good = value != NULL && number(&x->params[k], value, strlen(value)) &&
			       x->params[k] >= p->least && x->params[k] <= p->most;
			snprintf(expected, sizeof(expected), "a decimal number, %" PRIu64 " to %" PRIu64, p->least,
				 p->most);
		}
		if (!good)
			dr_exchange_fail(x, DR_HTTP_BAD_REQUEST, "parameter", p->name, expected, value);
		return good;
	}
	dr_exchange_fail(x, DR_HTTP_BAD_REQUEST, "parameter", "a parameter that this path does not know",
			 "those that / lists", name);
	return false;
}

bool dr_route_params_end(struct dr_exchange *x, unsigned seen)
{
	for (size_t k = 0; k < DR_SERVE_PARAMS_MAX && x->route->params[k].name != NULL; k++) {
		if (!x->route->params[k].required || (seen & 1u << k) != 0)
			continue;
		dr_exchange_fail(x, DR_HTTP_BAD_REQUEST, "parameter", "a parameter is missing",
				 x->route->params[k].name, NULL);
		return false;
	}
	return true;
}

bool dr_route_host(const char *host)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const size_t len = strlen(names[i]);
		const char *port = host + len;
		uint64_t value;

		if (strncasecmp(host, names[i], len) != 0)
			continue;
		/* Any port: whoever forwards one of his own here sends that. */
		return *port == '\0' ||
		       (*port == ':' && number(&value, port + 1, strlen(port + 1)) && value <= UINT16_MAX);
	}
	return false;
}
