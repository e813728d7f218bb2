/* SPDX-License-Identifier: Apache-2.0
 *
 * route: what can be asked over HTTP: a closed table. All of it is GET (and HEAD); nothing acts, nothing is secret.
 *
 * Paths and parameters are taken as they stand: nothing is unescaped, for nothing that is asked for needs it. An
 * unknown or doubled parameter is an error, not passed over.
 *
 * Layer: kms-bridge/serve.
 */
#ifndef DR_SERVE_ROUTE_H
#define DR_SERVE_ROUTE_H

#include "kms-bridge/serve/answer.h"

struct dr_param {
	const char *name;
	uint64_t least, most;
	uint64_t otherwise; /* what it is if it is not said */
	bool required;
	bool log; /* "ledger" (0) or "journal" (1), not a number */
};

struct dr_route {
	const char *pattern; /* segments; {generation} is decimal or "newest", {app} 0x and 64 digits */
	struct dr_param params[DR_SERVE_PARAMS_MAX];
	dr_say_fn *say; /* or, with the core: */
	dr_ask_fn *ask;
	dr_take_fn *take;
	bool rows;    /* the answer is a row of messages that LOG_END ends */
	uint8_t log;  /* which the path names */
	uint8_t kind; /* enum dr_proof_kind */
	const char *what;
};

/* dr_route_at: by number, in the order in which they are listed; NULL past the end. */
const struct dr_route *dr_route_at(size_t idx);

/* dr_route_find: sets x->route, its path's values, and parameters to what they are if not said. False: x is done,
 * with what is wrong. */
bool dr_route_find(struct dr_exchange *x, const char *path);

/* dr_route_param: one parameter of the request, value NULL if it has none; *seen remembers which came. False: x is
 * done, with what is wrong. dr_route_params_end: as well, when all were given. */
bool dr_route_param(struct dr_exchange *x, unsigned *seen, const char *name, const char *value);
bool dr_route_params_end(struct dr_exchange *x, unsigned seen);

/* dr_route_list: the body of "/": a line a route. */
void dr_route_list(struct dr_exchange *x);

/* dr_route_host: a Host header that names this machine by a loopback name. What a browser sends for a page whose name
 * was made to point here (DNS rebinding) does not. */
bool dr_route_host(const char *host);

#endif
