/* SPDX-License-Identifier: Apache-2.0
 *
 * rpc: JSON-RPC 2.0 over HTTP(S), to several endpoints at once, from one thread; and plain GETs, to those that speak
 * REST (beacon nodes).
 *
 * An exchange is a list of calls for one endpoint. It goes out as batches bounded in number and bytes, or as single
 * requests where a server refuses batches, one HTTP request at a time over one kept connection. Every call of a
 * finished exchange has an end. Servers are hostile: a deadline for each HTTP request as a whole, and one after which
 * an exchange makes no more of them, a cap on bodies and headers that holds while reading, no redirects, no
 * compression, no proxy, http and https only, certificates checked, ids matched, and no more JSON values kept of one
 * exchange than one text may have. Nothing here prints, and no text that comes out holds a URL.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_RPC_H
#define DR_WATCHER_RPC_H

#include "watcher/json_evm.h"

#define DR_RPC_BODY_MAX   ((size_t)64 << 20)  /* body of one HTTP reply */
#define DR_RPC_HELD_MAX   ((size_t)256 << 20) /* all bodies of one exchange, which are kept as long as it */
#define DR_RPC_HEAD_MAX   65536u              /* its headers, all together */
#define DR_RPC_CALLS_MAX  131072u             /* calls of one exchange */
#define DR_RPC_METHOD_MAX 40u

enum dr_rpc_end {
	DR_RPC_NONE = 0,  /* not finished */
	DR_RPC_RESULT,    /* reply.result */
	DR_RPC_NULL,      /* "result": null */
	DR_RPC_ERROR,     /* the server's error: reply.code, reply.message */
	DR_RPC_MISSING,   /* the server answered others of the batch, not this */
	DR_RPC_MALFORMED, /* not a JSON-RPC reply to what was asked */
	DR_RPC_TOO_LARGE,
	DR_RPC_HTTP,    /* an HTTP status other than 200, without a JSON-RPC error */
	DR_RPC_LIMITED, /* asked too often */
	DR_RPC_TIMEOUT,
	DR_RPC_TLS,
	DR_RPC_CONNECT, /* no connection, or it broke */
};

const char *dr_rpc_end_name(enum dr_rpc_end end); /* a few words for people */

/* dr_rpc_end_is_answer: the server itself gave it; otherwise the way to the server, or the server, failed. */
bool dr_rpc_end_is_answer(enum dr_rpc_end end);

struct dr_rpc_call {
	char method[DR_RPC_METHOD_MAX]; /* REST: what the call is spoken of as */
	char *params;                   /* JSON text of the array; REST: path and query. From dr_heap_alloc; taken */
	enum dr_rpc_end end;            /* filled */
	struct dr_reply reply;          /* filled; its result lives as long as the exchange */
	struct dr_bytes bytes; /* filled: REST, where the answer is application/octet-stream; lives as long */
	uint64_t id;           /* private */
};

struct dr_rpc_exchange {
	uint16_t endpoint;
	void *tag; /* the caller's */
	size_t num;
	struct dr_rpc_call *calls;
	enum dr_rpc_end end; /* RESULT: every call was answered, or missed; else what broke it off */
	uint32_t num_http;   /* HTTP requests that it took */
};

struct dr_rpc_limits {
	uint64_t timeout_ms;     /* one HTTP request, from connecting to the last byte */
	uint64_t exchange_ms;    /* no further request of an exchange after that; 0: dr_rpc_exchange_ms */
	uint32_t batch_requests; /* 1: no batches */
	uint64_t batch_bytes;
	size_t body_max; /* at most DR_RPC_BODY_MAX */
};

/* A REST call is one HTTP request. It ends RESULT (200: JSON in reply.result, or bytes), NULL (404: the server does
 * not have it), ERROR (any other 4xx: reply.code is the status), else as others do. */

/* dr_rpc_exchange_ms: how long an exchange of so many calls may go on asking: 30 deadlines, or an eighth of one for
 * each call, of which it counts 2048: a server without batches that is slow, but always in time, ends it. */
uint64_t dr_rpc_exchange_ms(uint64_t timeout_ms, size_t num);

struct dr_rpc; /* opaque */

/* dr_rpc_new: endpoints are numbered in the order of urls[0,num), num <= DR_ENDPOINTS_MAX, which are copied; the last
 * num_rest of them speak REST. NULL: no memory, or libcurl does not start. */
struct dr_rpc *dr_rpc_new(const char *const *urls, size_t num, size_t num_rest, const struct dr_rpc_limits *limits);
void dr_rpc_free(struct dr_rpc *r); /* takes r, which may be NULL, and what is under way */

bool dr_rpc_busy(const struct dr_rpc *r, uint16_t endpoint);

/* dr_rpc_post: starts an exchange at an endpoint that is not busy. Takes calls (from dr_heap_alloc) and their
 * params, in failure too. 1 <= num <= DR_RPC_CALLS_MAX. Errors: nomem. */
enum dr_err dr_rpc_post(struct dr_rpc *r, uint16_t endpoint, struct dr_rpc_call *calls, size_t num, void *tag,
			struct dr_fail *fail);

/* dr_rpc_wait: works until something happens, at most timeout_ms. If fd >= 0 also looks at it: *ready has POLLIN or
 * POLLOUT (of events) as poll(2) tells. */
void dr_rpc_wait(struct dr_rpc *r, int fd, short events, short *ready, int timeout_ms);

/* dr_rpc_done: a finished exchange, or NULL. The caller frees it. */
struct dr_rpc_exchange *dr_rpc_done(struct dr_rpc *r);
void dr_rpc_exchange_free(struct dr_rpc_exchange *x); /* takes x, which may be NULL */

/* dr_backoff_ms: how long to wait after the n-th failure in a row (n >= 1): base doubled each time up to cap, then
 * between half and all of it, as the 32 random bits say. */
uint64_t dr_backoff_ms(uint32_t n, uint64_t base_ms, uint64_t cap_ms, uint32_t random);

#endif
