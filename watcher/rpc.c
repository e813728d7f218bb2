/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/rpc.h"

#include <curl/curl.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "chain/base/limits.h"
#include "watcher/rpc_match.h"

/* What one HTTP reply became; an exchange keeps them until it is freed, because results borrow them. */
struct held {
	struct held *next;
	json_t *root;
	uint8_t *bytes; /* owned */
};

struct exchange {
	struct dr_rpc_exchange x; /* first: what the caller sees */
	struct exchange *next;
	struct held *held;
	size_t held_len, values_left; /* bytes that held was, and how many more values it may have */
	size_t done;                  /* calls[0,done) have their end */
	size_t sent;                  /* calls[done,done+sent) are on the wire */
	uint64_t begun_ms;
};

struct endpoint {
	CURL *easy;
	struct exchange *at; /* NULL: idle */
	struct dr_buf body;  /* of the request */
	struct dr_buf reply;
	size_t head_len;
	bool encoded;   /* the reply says it is compressed */
	bool packed;    /* its transfer is, which libcurl undoes */
	bool octets;    /* the reply says it is application/octet-stream */
	char *rest;     /* REST: the URL that paths are put behind; owned. NULL: JSON-RPC */
	uint32_t batch; /* requests of one batch: falls where the server refuses or is slow, grows as it answers */
	bool no_batch;  /* it takes none at all */
};

struct dr_rpc {
	CURLM *multi;
	struct curl_slist *headers, *rest_headers;
	struct dr_rpc_limits limits;
	size_t num;
	struct endpoint endpoints[DR_ENDPOINTS_MAX];
	struct exchange *done_first, *done_last;
	uint64_t next_id;
};

const char *dr_rpc_end_name(enum dr_rpc_end end)
{
	switch (end) {
	case DR_RPC_NONE: return "not finished";
	case DR_RPC_RESULT: return "answered";
	case DR_RPC_NULL: return "answered null";
	case DR_RPC_ERROR: return "answered with an error";
	case DR_RPC_MISSING: return "left the request out of its answer";
	case DR_RPC_MALFORMED: return "answered with what is no reply to the request";
	case DR_RPC_TOO_LARGE: return "answered with too much";
	case DR_RPC_HTTP: return "answered with an HTTP error or redirect";
	case DR_RPC_LIMITED: return "limits how often it may be asked";
	case DR_RPC_TIMEOUT: return "did not finish its answer in time";
	case DR_RPC_TLS: return "did not show a valid certificate";
	case DR_RPC_CONNECT: return "could not be reached, or broke the connection";
	}
	return "";
}

bool dr_rpc_end_is_answer(enum dr_rpc_end end)
{
	return end == DR_RPC_RESULT || end == DR_RPC_NULL || end == DR_RPC_ERROR;
}

uint64_t dr_backoff_ms(uint32_t n, uint64_t base_ms, uint64_t cap_ms, uint32_t random)
{
	uint64_t wait = base_ms;

	for (uint32_t i = 1; i < n && wait < cap_ms; i++)
		wait *= 2;
	if (wait > cap_ms)
		wait = cap_ms;
	return wait / 2 + (wait / 2) * random / UINT32_MAX;
}

/* libcurl calls these while it reads. Returning less than it gave aborts the transfer. */

static size_t on_body(char *ptr, size_t size, size_t num, void *ctx)
{
	struct endpoint *e = ctx;
	struct dr_fail fail = { 0 };

	return dr_buf_append(&e->reply, ptr, size * num, &fail) == DR_OK ? size * num : 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of a header, without space around it; ptr NULL: it is another header. */
static struct dr_bytes value_of(const char *ptr, size_t len, const char *name)
{
	size_t at = strlen(name);

	if (len < at || strncasecmp(ptr, name, at) != 0)
		return dr_bytes_of(NULL, 0);
	while (at < len && is_space(ptr[at]))
		at++;
	while (len > at && is_space(ptr[len - 1]))
		len--;
	return dr_bytes_of(ptr + at, len - at);
}

static bool begins(struct dr_bytes value, const char *text)
{
	return value.len >= strlen(text) && strncasecmp((const char *)value.ptr, text, strlen(text)) == 0;
}

static size_t on_header(char *ptr, size_t size, size_t num, void *ctx)
{
	struct endpoint *e = ctx;
	const size_t len = size * num;

	e->head_len += len;
	if (e->head_len > DR_RPC_HEAD_MAX)
		return 0;
	const struct dr_bytes encoding = value_of(ptr, len, "content-encoding:");
	const struct dr_bytes type = value_of(ptr, len, "content-type:");
	const struct dr_bytes transfer = value_of(ptr, len, "transfer-encoding:");

	if (encoding.ptr != NULL)
		e->encoded = !begins(encoding, "identity");
	if (type.ptr != NULL)
		e->octets = begins(type, "application/octet-stream");
	/* libcurl undoes a compressed transfer unasked, five deep: some KiB of that may take it hours, in one call.
	 */
	if (transfer.ptr != NULL && !(begins(transfer, "chunked") && transfer.len == strlen("chunked"))) {
		e->packed = true;
		return 0;
	}
	return len;
}

static bool set_up(struct dr_rpc *r, struct endpoint *e, const char *url, bool rest)
{
	if (rest) {
		e->rest = dr_heap_alloc(strlen(url) + 1);
		if (e->rest == NULL)
			return false;
		memcpy(e->rest, url, strlen(url) + 1);
	}
	dr_buf_init(&e->body, (size_t)r->limits.batch_bytes + ((size_t)1 << 20));
	dr_buf_init(&e->reply, r->limits.body_max);
	e->batch = r->limits.batch_requests;
	e->easy = curl_easy_init();
	if (e->easy == NULL)
		return false;
	const long timeout = (long)r->limits.timeout_ms;

	return curl_easy_setopt(e->easy, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       /* At a deadline a thread that still asks for a name is not waited for: nobody else would be served. */
	       curl_easy_setopt(e->easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_TIMEOUT_MS, timeout) == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_CONNECTTIMEOUT_MS, timeout) == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_HTTPHEADER, rest ? r->rest_headers : r->headers) == CURLE_OK &&
	       (!rest || curl_easy_setopt(e->easy, CURLOPT_HTTPGET, 1L) == CURLE_OK) &&
	       curl_easy_setopt(e->easy, CURLOPT_USERAGENT, "derot") == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_WRITEDATA, e) == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_HEADERDATA, e) == CURLE_OK &&
	       curl_easy_setopt(e->easy, CURLOPT_PRIVATE, e) == CURLE_OK;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool add_headers(struct curl_slist **list, const char *const *headers, size_t num)
{
	bool good = true;

	for (size_t i = 0; i < num && good; i++) {
		struct curl_slist *longer = curl_slist_append(*list, headers[i]);

		good = longer != NULL;
		*list = good ? longer : *list;
	}
	return good;
}

struct dr_rpc *dr_rpc_new(const char *const *urls, size_t num, size_t num_rest, const struct dr_rpc_limits *limits)
{
	static const char *const headers[] = { "Content-Type: application/json", "Accept: application/json",
					       "Accept-Encoding: identity", "Expect:" };
	/* SSZ is half as long; not every node has it. */
	static const char *const rest[] = { "Accept: application/octet-stream;q=1,application/json;q=0.9",
					    "Accept-Encoding: identity" };
	bool good;

	DR_ASSERT(num <= DR_ENDPOINTS_MAX && num_rest <= num && limits->batch_requests >= 1 &&
		  limits->body_max <= DR_RPC_BODY_MAX);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return NULL;
	struct dr_rpc *r = dr_heap_alloc(sizeof(*r));

	if (r == NULL)
		return NULL;
	r->limits = *limits;
	r->next_id = 1;
	r->multi = curl_multi_init();
	good = r->multi != NULL && add_headers(&r->headers, headers, sizeof(headers) / sizeof(headers[0])) &&
	       add_headers(&r->rest_headers, rest, sizeof(rest) / sizeof(rest[0]));
	for (size_t i = 0; i < num && good; i++) {
		r->num = i + 1;
		good = set_up(r, &r->endpoints[i], urls[i], i >= num - num_rest);
	}
	if (good)
		return r;
	dr_rpc_free(r);
	return NULL;
}

void dr_rpc_exchange_free(struct dr_rpc_exchange *x)
{
	struct exchange *e = (struct exchange *)x;

	if (e == NULL)
		return;
	for (struct held *h = e->held, *next; h != NULL; h = next) {
		next = h->next;
		json_decref(h->root);
		dr_heap_free(h->bytes);
		dr_heap_free(h);
	}
	for (size_t i = 0; i < x->num; i++)
		dr_heap_free(x->calls[i].params);
	dr_heap_free(x->calls);
	dr_heap_free(e);
}

void dr_rpc_free(struct dr_rpc *r)
{
	struct dr_rpc_exchange *x;

	if (r == NULL)
		return;
	for (size_t i = 0; i < r->num; i++) {
		struct endpoint *e = &r->endpoints[i];

		if (e->at != NULL)
			curl_multi_remove_handle(r->multi, e->easy);
		curl_easy_cleanup(e->easy);
		dr_rpc_exchange_free(e->at != NULL ? &e->at->x : NULL);
		dr_buf_free(&e->body);
		dr_buf_free(&e->reply);
		dr_heap_free(e->rest);
	}
	while ((x = dr_rpc_done(r)) != NULL)
		dr_rpc_exchange_free(x);
	curl_multi_cleanup(r->multi);
	curl_slist_free_all(r->headers);
	curl_slist_free_all(r->rest_headers);
	dr_heap_free(r);
	curl_global_cleanup();
}

bool dr_rpc_busy(const struct dr_rpc *r, uint16_t endpoint)
{
	DR_ASSERT(endpoint < r->num);
	return r->endpoints[endpoint].at != NULL;
}

struct dr_rpc_exchange *dr_rpc_done(struct dr_rpc *r)
{
	struct exchange *e = r->done_first;

	if (e == NULL)
		return NULL;
	r->done_first = e->next;
	if (r->done_first == NULL)
		r->done_last = NULL;
	e->next = NULL;
	return &e->x;
}

/* The exchange is over: calls that have no end yet get this one. */
static void finish(struct dr_rpc *r, struct endpoint *e, enum dr_rpc_end end)
{
	struct exchange *at = e->at;

	at->x.end = end;
	for (size_t i = at->done; i < at->x.num; i++)
		at->x.calls[i].end = end;
	e->at = NULL;
	dr_buf_free(&e->reply);
	if (r->done_last != NULL)
		r->done_last->next = at;
	else
		r->done_first = at;
	r->done_last = at;
}

/* The path goes behind the URL's own, before its query, if it has one: keys of providers stand in either. */
static void send_get(struct dr_rpc *r, struct endpoint *e)
{
	struct exchange *at = e->at;
	const char *path = at->x.calls[at->done].params;
	const size_t base = strcspn(e->rest, "?");
	const size_t slash = base > 0 && e->rest[base - 1] == '/' ? 1 : 0;
	const bool both = e->rest[base] == '?' && strchr(path, '?') != NULL;
	struct dr_fail fail = { 0 };

	at->sent = 1;
	dr_buf_append(&e->body, e->rest, base - slash, &fail);
	dr_buf_append(&e->body, path, strlen(path), &fail);
	if (both)
		dr_buf_append(&e->body, "&", 1, &fail);
	dr_buf_append(&e->body, e->rest + base + (both ? 1 : 0), strlen(e->rest + base) + 1 - (both ? 1 : 0), &fail);
	if (fail.err != DR_OK || curl_easy_setopt(e->easy, CURLOPT_URL, (const char *)e->body.ptr) != CURLE_OK ||
	    curl_multi_add_handle(r->multi, e->easy) != CURLM_OK) {
		finish(r, e, DR_RPC_CONNECT);
		return;
	}
	at->x.num_http++;
}

uint64_t dr_rpc_exchange_ms(uint64_t timeout_ms, size_t num)
{
	const uint64_t deadlines = (num < 2048 ? num : 2048) / 8;

	return timeout_ms * (deadlines < 30 ? 30 : deadlines);
}

static uint64_t exchange_ms(const struct dr_rpc *r, const struct exchange *at)
{
	if (r->limits.exchange_ms > 0)
		return r->limits.exchange_ms;
	return dr_rpc_exchange_ms(r->limits.timeout_ms, at->x.num);
}

/* Puts the next HTTP request of the exchange on the wire. */
static void send_next(struct dr_rpc *r, struct endpoint *e)
{
	struct exchange *at = e->at;
	struct dr_fail fail = { 0 };

	if (at->done == at->x.num) {
		finish(r, e, DR_RPC_RESULT);
		return;
	}
	/* Each time just within the deadline, a server without batches would keep what it was asked for days. */
	if (now_ms() - at->begun_ms > exchange_ms(r, at)) {
		finish(r, e, DR_RPC_TIMEOUT);
		return;
	}
	e->body.len = 0;
	e->reply.len = 0;
	e->head_len = 0;
	e->encoded = e->octets = e->packed = false;
	if (e->rest != NULL) {
		send_get(r, e);
		return;
	}
	at->sent = at->x.num - at->done;
	if (dr_rpc_write(&e->body, at->x.calls + at->done, &at->sent, e->batch, r->limits.batch_bytes, &fail) !=
		    DR_OK ||
	    curl_easy_setopt(e->easy, CURLOPT_POSTFIELDS, e->body.ptr) != CURLE_OK ||
	    curl_easy_setopt(e->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)e->body.len) != CURLE_OK ||
	    curl_multi_add_handle(r->multi, e->easy) != CURLM_OK) {
		finish(r, e, DR_RPC_CONNECT);
		return;
	}
	at->x.num_http++;
}

enum dr_err dr_rpc_post(struct dr_rpc *r, uint16_t endpoint, struct dr_rpc_call *calls, size_t num, void *tag,
			struct dr_fail *fail)
{
	struct exchange *at = dr_heap_alloc(sizeof(*at));

	DR_ASSERT(endpoint < r->num && r->endpoints[endpoint].at == NULL && num >= 1 && num <= DR_RPC_CALLS_MAX);
	if (at == NULL) {
		for (size_t i = 0; i < num; i++)
			dr_heap_free(calls[i].params);
		dr_heap_free(calls);
		return dr_fail_set(fail, DR_ERR_NOMEM, "no memory for a request", 0);
	}
	at->x = (struct dr_rpc_exchange){ .endpoint = endpoint, .tag = tag, .num = num, .calls = calls };
	at->values_left = DR_JSON_VALUES_MAX;
	at->begun_ms = now_ms();
	for (size_t i = 0; i < num; i++) {
		calls[i].id = r->next_id++;
		calls[i].end = DR_RPC_NONE;
	}
	r->endpoints[endpoint].at = at;
	send_next(r, &r->endpoints[endpoint]);
	return DR_OK;
}

/* A batch was refused: smaller ones, and at last none. False: it was no batch. */
static bool shrink(struct endpoint *e, bool at_once)
{
	if (e->at->sent <= 1)
		return false;
	e->no_batch = at_once;
	e->batch = at_once || e->at->sent < 8 ? 1 : (uint32_t)(e->at->sent / 4);
	return true;
}

static enum dr_rpc_end end_of(CURLcode code, const struct endpoint *e)
{
	switch ((int)code) {
	case CURLE_OK: return DR_RPC_RESULT;
	case CURLE_OPERATION_TIMEDOUT: return DR_RPC_TIMEOUT;
	case CURLE_WRITE_ERROR:
		return e->packed || e->head_len > DR_RPC_HEAD_MAX ? DR_RPC_MALFORMED : DR_RPC_TOO_LARGE;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE: return DR_RPC_TLS;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_BAD_CONTENT_ENCODING: return DR_RPC_MALFORMED;
	default: return DR_RPC_CONNECT;
	}
}

/* A GET's answer: its end, or how it ends the exchange. NONE: go on. */
static enum dr_rpc_end take_get(struct endpoint *e, long status)
{
	struct exchange *at = e->at;
	struct dr_rpc_call *call = &at->x.calls[at->done];
	struct dr_fail fail = { 0 };
	json_t *root = NULL;

	if (status == 429)
		return DR_RPC_LIMITED;
	if (status != 200 && (status < 400 || status >= 500))
		return DR_RPC_HTTP;
	at->held_len += e->reply.len;
	if (at->held_len > DR_RPC_HELD_MAX)
		return DR_RPC_TOO_LARGE;
	if (status != 200) {
		call->end = status == 404 ? DR_RPC_NULL : DR_RPC_ERROR;
		call->reply =
			(struct dr_reply){ .kind = status == 404 ? DR_REPLY_NULL : DR_REPLY_ERROR, .code = status };
		at->done++;
		return DR_RPC_NONE;
	}
	if (e->encoded)
		return DR_RPC_MALFORMED;
	if (!e->octets && dr_json_load_part(&root, &at->values_left, dr_buf_view(&e->reply), &fail) != DR_OK)
		return fail.err == DR_ERR_LIMIT ? DR_RPC_TOO_LARGE : DR_RPC_MALFORMED;
	struct held *held = dr_heap_alloc(sizeof(*held));
	uint8_t *bytes = e->octets ? dr_heap_alloc(e->reply.len) : NULL;

	if (held == NULL || (e->octets && bytes == NULL)) {
		json_decref(root);
		dr_heap_free(held);
		dr_heap_free(bytes);
		return DR_RPC_TOO_LARGE;
	}
	if (e->octets && e->reply.len > 0)
		memcpy(bytes, e->reply.ptr, e->reply.len);
	*held = (struct held){ .next = at->held, .root = root, .bytes = bytes };
	at->held = held;
	call->end = DR_RPC_RESULT;
	call->reply = (struct dr_reply){ .kind = DR_REPLY_RESULT, .result = root };
	call->bytes = dr_bytes_of(bytes, e->octets ? e->reply.len : 0);
	at->done++;
	return DR_RPC_NONE;
}

/* Reads the body as replies to the calls on the wire. NONE: go on; else the exchange ends so. */
static enum dr_rpc_end take_body(struct endpoint *e, long status, uint32_t batch_max)
{
	struct exchange *at = e->at;
	struct dr_fail fail = { 0 };
	json_t *root = NULL;

	if (status == 429)
		return DR_RPC_LIMITED;
	if (status >= 300 && status < 400)
		return DR_RPC_HTTP;
	/* Some servers put an HTTP error on a JSON-RPC error; some refuse batches with a bare one. */
	at->held_len += e->reply.len;
	if (at->held_len > DR_RPC_HELD_MAX)
		return DR_RPC_TOO_LARGE;
	if (e->encoded || dr_json_load_part(&root, &at->values_left, dr_buf_view(&e->reply), &fail) != DR_OK) {
		if (status != 200)
			return shrink(e, status != 413) ? DR_RPC_NONE : DR_RPC_HTTP;
		if (fail.err == DR_ERR_LIMIT)
			return shrink(e, false) ? DR_RPC_NONE : DR_RPC_TOO_LARGE;
		return DR_RPC_MALFORMED;
	}
	struct held *held = dr_heap_alloc(sizeof(*held));

	if (held == NULL) {
		json_decref(root);
		return DR_RPC_TOO_LARGE;
	}
	*held = (struct held){ .next = at->held, .root = root };
	at->held = held;
	switch (dr_rpc_match(at->x.calls + at->done, at->sent, root)) {
	case DR_MATCH_OK:
		at->done += at->sent;
		if (at->sent == e->batch && !e->no_batch && e->batch < batch_max)
			e->batch++;
		return DR_RPC_NONE;
	case DR_MATCH_LIMITED: return DR_RPC_LIMITED;
	case DR_MATCH_BATCH_REFUSED: return shrink(e, true) ? DR_RPC_NONE : DR_RPC_MALFORMED;
	case DR_MATCH_MALFORMED: break;
	}
	return status != 200 ? DR_RPC_HTTP : DR_RPC_MALFORMED;
}

static void collect(struct dr_rpc *r)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(r->multi, &left)) != NULL) {
		struct endpoint *e = NULL;
		long status = 0;

		if (msg->msg != CURLMSG_DONE)
			continue;
		const CURLcode code = msg->data.result; /* msg is gone once its handle is removed */

		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&e);
		curl_easy_getinfo(msg->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		curl_multi_remove_handle(r->multi, e->easy);
		enum dr_rpc_end end = end_of(code, e);

		/* Too slow is not asked again at once, as a server that hangs would take many deadlines. */
		if (e->rest != NULL)
			end = end == DR_RPC_RESULT ? take_get(e, status) : end;
		else if (end == DR_RPC_TIMEOUT)
			shrink(e, false);
		else if (end == DR_RPC_TOO_LARGE && shrink(e, false))
			end = DR_RPC_NONE;
		else if (end == DR_RPC_RESULT)
			end = take_body(e, status, r->limits.batch_requests);
		if (end == DR_RPC_NONE)
			send_next(r, e);
		else
			finish(r, e, end);
	}
}

void dr_rpc_wait(struct dr_rpc *r, int fd, short events, short *ready, int timeout_ms)
{
	struct curl_waitfd extra = { .fd = fd, .events = 0 };
	int running;

	*ready = 0;
	if ((events & POLLIN) != 0)
		extra.events |= CURL_WAIT_POLLIN;
	if ((events & POLLOUT) != 0)
		extra.events |= CURL_WAIT_POLLOUT;
	curl_multi_perform(r->multi, &running);
	collect(r);
	if (r->done_first != NULL)
		timeout_ms = 0;
	curl_multi_poll(r->multi, &extra, fd >= 0 ? 1 : 0, timeout_ms, NULL);
	if (fd >= 0) {
		struct pollfd now = { .fd = fd, .events = events };

		if (poll(&now, 1, 0) > 0)
			*ready = now.revents;
	}
	curl_multi_perform(r->multi, &running);
	collect(r);
}
