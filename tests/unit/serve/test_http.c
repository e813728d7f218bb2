/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/serve/serve_kit.h"

#include <sys/stat.h>

#include "kms-bridge/serve/exchange.h"

#define LISTEN "127.0.0.1:1" /* the kit takes whichever port is free */
#define HOST   "Host: localhost\r\n"
#define APP    "0xa100000000000000000000000000000000000000000000000000000000000000"

static struct dr_status_report report; /* large */

static int setup(void **state)
{
	static struct served s;

	served_start(&s, LISTEN);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(served_end(*state), 0);
	return 0;
}

static struct answer ask(struct served *s, const char *request, bool has_body)
{
	const int fd = client_open(s);
	struct answer a;

	client_say(fd, request);
	a = client_answer(fd, has_body);
	close(fd);
	return a;
}

/* What needs no core, and what is refused before the core would be asked. */
static void test_requests(void **state)
{
	static const struct {
		const char *name, *request;
		int status;
		const char *said; /* in the body, or the head; NULL: nothing */
	} rows[] = {
		{ "health", "GET /healthz HTTP/1.1\r\n" HOST "\r\n", 200, "{\"ok\":true}\n" },
		{ "the list", "GET / HTTP/1.1\r\n" HOST "\r\n", 200, "/v1/keys/{generation}/{app}/certificate\n" },
		{ "the list's parameters", "GET / HTTP/1.1\r\n" HOST "\r\n", 200, "/v1/ledger?first=&num=\n" },
		{ "another path", "GET /v1 HTTP/1.1\r\n" HOST "\r\n", 404, "\"got\":\"/v1\"" },
		{ "a path further", "GET /v1/status/ HTTP/1.1\r\n" HOST "\r\n", 404, "\"error\":\"path\"" },
		{ "two slashes", "GET //healthz HTTP/1.1\r\n" HOST "\r\n", 404, "\"error\":\"path\"" },
		{ "up", "GET /v1/../healthz HTTP/1.1\r\n" HOST "\r\n", 404, "\"error\":\"path\"" },
		{ "escaped", "GET /%68ealthz HTTP/1.1\r\n" HOST "\r\n", 404, "\"got\":\"/%68ealthz\"" },
		{ "bytes that are no text", "GET /\xff\xfe HTTP/1.1\r\n" HOST "\r\n", 404, "\"got\":\"/??\"" },
		{ "no such parameter", "GET /v1/ledger?frist=1 HTTP/1.1\r\n" HOST "\r\n", 400, "\"got\":\"frist\"" },
		{ "a parameter where there is none", "GET /healthz?a=1 HTTP/1.1\r\n" HOST "\r\n", 400,
		  "\"got\":\"a\"" },
		{ "twice", "GET /v1/ledger?num=1&num=2 HTTP/1.1\r\n" HOST "\r\n", 400, "given twice" },
		{ "no number", "GET /v1/ledger?num=ten HTTP/1.1\r\n" HOST "\r\n", 400, "\"got\":\"ten\"" },
		{ "no value", "GET /v1/ledger?num HTTP/1.1\r\n" HOST "\r\n", 400, "\"what\":\"num\"" },
		{ "an empty value", "GET /v1/ledger?num= HTTP/1.1\r\n" HOST "\r\n", 400, "\"what\":\"num\"" },
		{ "negative", "GET /v1/ledger?first=-1 HTTP/1.1\r\n" HOST "\r\n", 400, "\"got\":\"-1\"" },
		{ "a leading zero", "GET /v1/ledger?first=01 HTTP/1.1\r\n" HOST "\r\n", 400, "\"got\":\"01\"" },
		{ "an escaped digit", "GET /v1/ledger?first=%31 HTTP/1.1\r\n" HOST "\r\n", 400, "\"got\":\"%31\"" },
		{ "none", "GET /v1/ledger?num=0 HTTP/1.1\r\n" HOST "\r\n", 400, "1 to 1000" },
		{ "too many", "GET /v1/ledger?num=1001 HTTP/1.1\r\n" HOST "\r\n", 400, "1 to 1000" },
		{ "beyond 63 bits", "GET /v1/ledger?first=9223372036854775808 HTTP/1.1\r\n" HOST "\r\n", 400,
		  "9223372036854775807" },
		{ "far beyond", "GET /v1/ledger?first=99999999999999999999999 HTTP/1.1\r\n" HOST "\r\n", 400,
		  "9223372036854775807" },
		{ "which entry", "GET /v1/ledger/proof/inclusion HTTP/1.1\r\n" HOST "\r\n", 400,
		  "\"expected\":\"idx\"" },
		{ "from which size", "GET /v1/journal/proof/consistency?size=4 HTTP/1.1\r\n" HOST "\r\n", 400,
		  "\"expected\":\"first\"" },
		{ "which log", "GET /v1/checkpoint?log= HTTP/1.1\r\n" HOST "\r\n", 400, "\"expected\":" },
		{ "no such log", "GET /v1/checkpoint?log=evidence HTTP/1.1\r\n" HOST "\r\n", 400,
		  "ledger or journal" },
		{ "generation 0", "GET /v1/keys/0/certificate HTTP/1.1\r\n" HOST "\r\n", 404, "from 1 on" },
		{ "no generation", "GET /v1/keys/one/certificate HTTP/1.1\r\n" HOST "\r\n", 404, "from 1 on" },
		{ "an app too short", "GET /v1/keys/1/0x12/certificate HTTP/1.1\r\n" HOST "\r\n", 404,
		  "64 hexadecimal digits" },
		{ "POST", "POST /v1/status HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcd", 405,
		  "Allow: GET, HEAD\r\n" },
		{ "OPTIONS", "OPTIONS /v1/status HTTP/1.1\r\n" HOST "\r\n", 405, "\"got\":\"OPTIONS\"" },
		{ "DELETE", "DELETE /healthz HTTP/1.1\r\n" HOST "\r\n", 405, "GET or HEAD" },
		{ "a method of its own", "get /healthz HTTP/1.1\r\n" HOST "\r\n", 405, "\"got\":\"get\"" },
		{ "a body", "GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcd", 400,
		  "\"error\":\"body\"" },
		{ "a body in pieces", "GET /healthz HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		  400, "\"error\":\"body\"" },
		{ "an empty body", "GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200, "true" },
		{ "IPv4 with a port", "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:8460\r\n\r\n", 200, "true" },
		{ "IPv6", "GET /healthz HTTP/1.1\r\nHost: [::1]\r\n\r\n", 200, "true" },
		{ "a name in capitals", "GET /healthz HTTP/1.1\r\nHost: LOCALHOST:1\r\n\r\n", 200, "true" },
		{ "a name of elsewhere", "GET /healthz HTTP/1.1\r\nHost: evil.example:8460\r\n\r\n", 421,
		  "\"got\":\"evil.example:8460\"" },
		{ "a name that begins so", "GET /healthz HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 421,
		  "\"error\":\"host\"" },
		{ "an address that begins so", "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n", 421,
		  "\"error\":\"host\"" },
		{ "no port behind the colon", "GET /healthz HTTP/1.1\r\nHost: localhost:\r\n\r\n", 421, "host" },
		{ "a user", "GET /healthz HTTP/1.1\r\nHost: localhost:80@evil.example\r\n\r\n", 421, "host" },
		{ "an empty host", "GET /healthz HTTP/1.1\r\nHost: \r\n\r\n", 421, "\"error\":\"host\"" },
		{ "two hosts", "GET /healthz HTTP/1.1\r\n" HOST "Host: evil.example\r\n\r\n", 421, "exactly one" },
		{ "two hosts, ours last", "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n" HOST "\r\n", 421,
		  "exactly one" },
		{ "no host, HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n", 421, "exactly one" },
		{ "the host decides before the path", "GET /none HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421,
		  "host" },
	};
	struct served *s = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct answer a = ask(s, rows[i].request, true);

		if (a.status != rows[i].status)
			fail_msg("%s: %d", rows[i].name, a.status);
		if (strstr(a.body, rows[i].said) == NULL && strstr(a.head, rows[i].said) == NULL)
			fail_msg("%s: %s%s", rows[i].name, a.head, a.body);
		if (a.status >= 400) {
			json_t *o = json_loads(a.body, 0, NULL);

			assert_true(json_is_string(json_object_get(o, "error")));
			assert_true(json_is_string(json_object_get(o, "what")));
			assert_non_null(json_object_get(o, "expected"));
			assert_non_null(json_object_get(o, "got"));
			json_decref(o);
		}
	}
	/* Nobody asked the core. */
	assert_false(readable(s->core, 0));
}

/* What HTTP itself refuses, in the library's words or by closing; and it goes on serving. */
static void test_not_http(void **state)
{
	static char long_request[40000] = "GET /";
	static const char *const requests[] = {
		"GET /healthz HTTP/1.1\r\n\r\n", /* 1.1 needs a host */
		"GET /healthz HTTP/3.7\r\n" HOST "\r\n",
		"\x16\x03\x01\x02 TLS\r\n\r\n",
		"GET /healthz\r\n\r\n",
		"GET /healthz HTTP/1.1\r\n" HOST " folded: x\r\nno colon\r\n\r\n",
		"GET /healthz HTTP/1.1\r\n" HOST "Content-Length: 1x\r\n\r\n",
		long_request,
	};
	struct served *s = *state;

	memset(long_request + 5, 'a', sizeof(long_request) - 40);
	snprintf(long_request + sizeof(long_request) - 35, 35, " HTTP/1.1\r\n" HOST "\r\n");
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const int fd = client_open(s);
		char text[256] = "";

		send(fd, requests[i], strlen(requests[i]), MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		if (!readable(fd, KIT_WAIT_MS))
			fail_msg("request %zu: neither an answer nor an end", i);
		if (read(fd, text, sizeof(text) - 1) > 0 && memcmp(text, "HTTP/1.1 200", 12) == 0)
			fail_msg("request %zu was answered: %s", i, text);
		close(fd);
	}
	assert_int_equal(ask(s, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", true).status, 200);
	assert_false(readable(s->core, 0));
}

static void test_headers(void **state)
{
	static const char *const headers[] = {
		"Content-Type: application/json\r\n",
		"Cache-Control: no-store\r\n",
		"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n",
		"Cross-Origin-Resource-Policy: same-origin\r\n",
		"X-Content-Type-Options: nosniff\r\n",
		"X-Frame-Options: DENY\r\n",
		"Referrer-Policy: no-referrer\r\n",
	};
	const struct answer a =
		ask(*state, "GET /healthz HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\n\r\n", true);
	const struct answer head = ask(*state, "HEAD /healthz HTTP/1.1\r\n" HOST "\r\n", false);

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		assert_non_null(strstr(a.head, headers[i]));
		assert_non_null(strstr(head.head, headers[i]));
	}
	assert_null(strstr(a.head, "Access-Control"));
	assert_int_equal(head.status, 200);
	assert_int_equal(head.len, 0);
	assert_non_null(strstr(head.head, "Content-Length: 12\r\n"));
}

static json_t *json_of(const struct answer *a, int status)
{
	json_t *o = json_loads(a->body, 0, NULL);

	if (a->status != status || o == NULL)
		fail_msg("%d, not %d: %s", a->status, status, a->body);
	return o;
}

static void test_status(void **state)
{
	static const struct {
		const char *name;
		bool sealed, halted;
		uint8_t holding;
		uint64_t generation;
		const char *why;
		int ready;
		const char *told;
	} rows[] = {
		{ "ready", false, false, DR_HOLDING_OURS, 1, "", 200, NULL },
		{ "sealed", true, false, DR_HOLDING_OURS, 1, "nothing newer was proven", 503, "nothing newer" },
		{ "sealed, and does not say why", true, false, DR_HOLDING_OURS, 1, "", 503, "sealed" },
		{ "halted", false, true, DR_HOLDING_OURS, 1, "two final blocks", 503, "two final" },
		{ "no root", false, false, DR_HOLDING_NONE, 1, "", 503, "this node holds no root" },
		{ "no generation", false, false, DR_HOLDING_NONE, 0, "", 503, "no root generation is in force" },
		{ "another root", false, false, DR_HOLDING_FOREIGN, 1, "", 503, "not the published one" },
	};
	struct served *s = *state;
	const int fd = client_open(s);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer a;
		json_t *o;

		report = (struct dr_status_report){ .chain_id = 31337,
						    .proof = DR_PROOF_QUORUM,
						    .sealed = rows[i].sealed,
						    .halted = rows[i].halted,
						    .holding = rows[i].holding,
						    .generation = rows[i].generation };
		snprintf(report.why, sizeof(report.why), "%s", rows[i].why);
		client_get(fd, "/readyz");
		core_say_status(s, &report);
		a = client_answer(fd, true);
		if (a.status != rows[i].ready)
			fail_msg("%s: %d", rows[i].name, a.status);
		o = json_of(&a, rows[i].ready);
		assert_int_equal(json_is_true(json_object_get(o, "ready")), rows[i].ready == 200);
		assert_int_equal(json_is_string(json_object_get(o, "why")), rows[i].ready != 200);
		if (rows[i].told != NULL)
			assert_non_null(strstr(json_string_value(json_object_get(o, "why")), rows[i].told));
		json_decref(o);
		/* The core answers, whatever it answers. */
		client_get(fd, "/livez");
		core_say_status(s, &report);
		assert_int_equal(client_answer(fd, true).status, 200);
		client_get(fd, "/v1/status");
		core_say_status(s, &report);
		a = client_answer(fd, true);
		o = json_of(&a, 200);
		assert_int_equal(json_integer_value(json_object_get(o, "chain_id")), 31337);
		assert_int_equal(json_is_true(json_object_get(o, "sealed")), rows[i].sealed);
		json_decref(o);
	}
	close(fd);
}

static void put_note(struct dr_buf *out, uint64_t idx, const char *detail)
{
	struct dr_note note = { .kind = DR_NOTE_LEASE, .source = DR_SOURCE_CORE };
	uint8_t leaf[DR_NOTE_LEN_MAX];
	struct dr_entry entry = { .idx = idx, .leaf_hash = { 0xab } };
	struct dr_fail fail = { 0 };
	size_t len;

	snprintf(note.detail, sizeof(note.detail), "%s", detail);
	assert_int_equal(dr_note_encode(leaf, sizeof(leaf), &len, &note, &fail), DR_OK);
	entry.leaf = dr_bytes_of(leaf, len);
	assert_int_equal(dr_entry_put(out, DR_MSG_LOG_ENTRY, &entry, &fail), DR_OK);
}

static void test_journal(void **state)
{
	static const struct {
		const char *path;
		uint8_t log;
		uint64_t first, num, entries, size;
		json_int_t next; /* 0: none */
	} rows[] = {
		{ "/v1/journal", 1, 0, 100, 2, 2, 0 },
		{ "/v1/journal?first=7", 1, 7, 100, 3, 10, 0 },
		{ "/v1/journal?num=3&first=4", 1, 4, 3, 3, 10, 7 },
		{ "/v1/journal?first=99", 1, 99, 100, 0, 10, 0 },
		{ "/v1/ledger?num=1000", 0, 0, 1000, 1, 1, 0 },
	};
	struct served *s = *state;
	const int fd = client_open(s);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		struct dr_log_query query;
		struct dr_bytes payload;
		struct dr_buf out;
		struct answer a;
		json_t *o, *entries, *e;

		client_get(fd, rows[i].path);
		assert_int_equal(core_asked(s, &payload), DR_MSG_LOG_GET);
		assert_int_equal(dr_log_query_get(&query, payload, &fail), DR_OK);
		assert_int_equal(query.log, rows[i].log);
		assert_int_equal(query.first, rows[i].first);
		assert_int_equal(query.num, rows[i].num);
		dr_buf_init(&out, 1 << 20);
		for (uint64_t k = 0; k < rows[i].entries; k++)
			put_note(&out, rows[i].first + k, "sealed: nothing is proven yet");
		core_end_rows(&out, rows[i].size);
		core_say(s, &out);
		a = client_answer(fd, true);
		o = json_of(&a, 200);
		assert_string_equal(json_string_value(json_object_get(o, "log")),
				    rows[i].log == 0 ? "ledger" : "journal");
		assert_int_equal(json_integer_value(json_object_get(o, "first")), rows[i].first);
		assert_int_equal(json_integer_value(json_object_get(o, "size")), rows[i].size);
		assert_int_equal(json_integer_value(json_object_get(o, "next")), rows[i].next);
		assert_memory_equal(json_string_value(json_object_get(o, "root")), "0xcc00", 6);
		entries = json_object_get(o, "entries");
		assert_int_equal(json_array_size(entries), rows[i].entries);
		e = json_array_get(entries, 0);
		if (e != NULL) {
			assert_int_equal(json_integer_value(json_object_get(e, "index")), rows[i].first);
			assert_memory_equal(json_string_value(json_object_get(e, "leaf_hash")), "0xab00", 6);
			assert_memory_equal(json_string_value(json_object_get(e, "leaf")), "0x0104", 6);
		}
		/* A ledger's leaf that is no change is told as it is, without words. */
		if (e != NULL && rows[i].log == 0)
			assert_true(json_is_null(json_object_get(e, "change")));
		else if (e != NULL)
			assert_string_equal(json_string_value(json_object_get(json_object_get(e, "note"), "detail")),
					    "sealed: nothing is proven yet");
		json_decref(o);
	}
	close(fd);
}

/* A thousand entries as long as they get: the body ends before its limit, and says where to go on. */
static void test_full(void **state)
{
	struct served *s = *state;
	const int fd = client_open(s);
	uint8_t leaf[DR_LEAF_LEN_MAX] = { 0 };
	struct answer a;
	json_t *o;
	size_t num;

	client_get(fd, "/v1/ledger?num=1000");
	core_expect(s, DR_MSG_LOG_GET);
	for (uint64_t k = 0; k < 1000; k++) {
		const struct dr_entry entry = { .idx = k, .leaf = dr_bytes_of(leaf, sizeof(leaf)) };
		struct dr_fail fail = { 0 };
		struct dr_buf out;

		dr_buf_init(&out, 1 << 20);
		assert_int_equal(dr_entry_put(&out, DR_MSG_LOG_ENTRY, &entry, &fail), DR_OK);
		if (k == 999)
			core_end_rows(&out, 5000);
		core_say(s, &out);
	}
	a = client_answer(fd, true);
	assert_true(a.len > DR_SERVE_BODY_MAX / 2 && a.len <= DR_SERVE_BODY_MAX);
	o = json_of(&a, 200);
	num = json_array_size(json_object_get(o, "entries"));
	assert_true(num > 100 && num < 1000);
	assert_int_equal(json_integer_value(json_object_get(o, "next")), num);
	json_decref(o);
	close(fd);
}

static void test_proofs(void **state)
{
	static const struct {
		const char *path;
		struct dr_proof_query query;
	} rows[] = {
		{ "/v1/ledger/proof/inclusion?idx=3&size=8", { 0, DR_PROOF_INCLUSION, 3, 8 } },
		{ "/v1/ledger/proof/consistency?size=8&first=3", { 0, DR_PROOF_CONSISTENCY, 3, 8 } },
		{ "/v1/journal/proof/inclusion?idx=0", { 1, DR_PROOF_INCLUSION, 0, 0 } },
		{ "/v1/journal/proof/consistency?first=1", { 1, DR_PROOF_CONSISTENCY, 1, 0 } },
	};
	struct served *s = *state;
	const int fd = client_open(s);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const struct dr_log_proof proof = { .size = 8, .root = { 0xbb }, .num = 3 };
		struct dr_fail fail = { 0 };
		struct dr_proof_query query;
		struct dr_bytes payload;
		struct dr_buf out;
		struct answer a;
		json_t *o;

		client_get(fd, rows[i].path);
		assert_int_equal(core_asked(s, &payload), DR_MSG_PROOF_GET);
		assert_int_equal(dr_proof_query_get(&query, payload, &fail), DR_OK);
		assert_int_equal(query.log, rows[i].query.log);
		assert_int_equal(query.kind, rows[i].query.kind);
		assert_int_equal(query.first, rows[i].query.first);
		assert_int_equal(query.size, rows[i].query.size);
		dr_buf_init(&out, 1 << 20);
		assert_int_equal(dr_log_proof_put(&out, DR_MSG_PROOF, &proof, &fail), DR_OK);
		core_say(s, &out);
		a = client_answer(fd, true);
		o = json_of(&a, 200);
		assert_int_equal(json_array_size(json_object_get(o, "hashes")), 3);
		assert_int_equal(json_integer_value(json_object_get(o, "size")), 8);
		json_decref(o);
	}
	close(fd);
}

static void test_checkpoint_and_node(void **state)
{
	static const char note[] = "derot/1/0x00/ledger\n8\nAAAA\n\n\xe2\x80\x94 name c2ln\n";
	const struct dr_run run = { dr_bytes_of(note, sizeof(note) - 1) };
	const struct dr_node_public node = { .enc_key = { 1 }, .sign_key = { 2 }, .name = "derot/1/0x00/0x01" };
	struct served *s = *state;
	const int fd = client_open(s);
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_buf out;
	struct answer a;
	json_t *o;

	for (uint8_t log = 0; log < 2; log++) {
		client_get(fd, log == 0 ? "/v1/checkpoint" : "/v1/checkpoint?log=journal");
		assert_int_equal(core_asked(s, &payload), DR_MSG_CHECKPOINT_GET);
		assert_int_equal(payload.len, 1);
		assert_int_equal(payload.ptr[0], log);
		dr_buf_init(&out, 1 << 20);
		assert_int_equal(dr_run_put(&out, DR_MSG_CHECKPOINT, &run, &fail), DR_OK);
		core_say(s, &out);
		a = client_answer(fd, true);
		assert_int_equal(a.status, 200);
		assert_string_equal(a.body, note);
		assert_non_null(strstr(a.head, "Content-Type: text/plain; charset=utf-8\r\n"));
	}
	client_get(fd, "/v1/node");
	core_expect(s, DR_MSG_NODE_GET);
	dr_buf_init(&out, 1 << 20);
	assert_int_equal(dr_node_public_put(&out, DR_MSG_NODE, &node, &fail), DR_OK);
	core_say(s, &out);
	a = client_answer(fd, true);
	o = json_of(&a, 200);
	assert_memory_equal(json_string_value(json_object_get(o, "enc_key")), "0x0100", 6);
	assert_memory_equal(json_string_value(json_object_get(o, "vkey")), "derot/1/0x00/0x01+", 18);
	json_decref(o);
	close(fd);
}

static void put_certificate(struct dr_buf *out, const char *der)
{
	const struct dr_run run = { dr_bytes_of(der, strlen(der)) };
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_run_put(out, DR_MSG_CERTIFICATE, &run, &fail), DR_OK);
}

static void test_certificates(void **state)
{
	static const struct {
		const char *path;
		uint64_t generation;
		bool has_app;
		int num; /* of certificates the core has */
		int status;
		const char *said;
	} rows[] = {
		{ "/v1/keys/newest/certificate", 0, false, 1, 200,
		  "-----BEGIN CERTIFICATE-----\ncm9vdA==\n-----END CERTIFICATE-----\n" },
		{ "/v1/keys/12/certificate", 12, false, 1, 200, "cm9vdA==" },
		{ "/v1/keys/12/certificate", 12, false, 0, 404, "\"got\":\"none\"" },
		{ "/v1/keys/2/" APP "/certificate", 2, true, 3, 200,
		  "-----BEGIN CERTIFICATE-----\nYXBw\n-----END CERTIFICATE-----\n"
		  "-----BEGIN CERTIFICATE-----\nYXBw\n-----END CERTIFICATE-----\n"
		  "-----BEGIN CERTIFICATE-----\ncm9vdA==\n-----END CERTIFICATE-----\n" },
		{ "/v1/keys/newest/" APP "/certificate", 0, true, 1, 404, "issued here for this app" },
		{ "/v1/keys/newest/" APP "/certificate", 0, true, 0, 404, "root generation" },
	};
	struct served *s = *state;
	const int fd = client_open(s);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_certificate_query query;
		struct dr_fail fail = { 0 };
		struct dr_bytes payload;
		struct dr_buf out;
		struct answer a;

		client_get(fd, rows[i].path);
		assert_int_equal(core_asked(s, &payload), DR_MSG_CERTIFICATE_GET);
		assert_int_equal(dr_certificate_query_get(&query, payload, &fail), DR_OK);
		assert_int_equal(query.generation, rows[i].generation);
		assert_int_equal(query.has_app, rows[i].has_app);
		assert_int_equal(query.app[0], rows[i].has_app ? 0xa1 : 0);
		dr_buf_init(&out, 1 << 20);
		for (int k = 0; k < rows[i].num; k++)
			put_certificate(&out, k == 0 ? "root" : "app");
		core_end_rows(&out, (uint64_t)rows[i].num);
		core_say(s, &out);
		a = client_answer(fd, true);
		if (a.status != rows[i].status || strstr(a.body, rows[i].said) == NULL)
			fail_msg("%s: %d %s", rows[i].path, a.status, a.body);
		if (a.status == 200)
			assert_non_null(strstr(a.head, "application/pem-certificate-chain\r\n"));
	}
	close(fd);
}

static void test_errors(void **state)
{
	static const struct {
		enum dr_err err;
		int status;
	} rows[] = {
		{ DR_ERR_LIMIT, 400 }, { DR_ERR_SYNTAX, 400 }, { DR_ERR_UNKNOWN, 404 }, { DR_ERR_STALE, 503 },
		{ DR_ERR_PROOF, 500 }, { DR_ERR_IO, 500 },     { DR_ERR_NOMEM, 500 },
	};
	static const char *const paths[] = { "/v1/ledger/proof/inclusion?idx=9", "/v1/journal",
					     "/v1/keys/3/certificate", "/v1/node", "/metrics" };
	struct served *s = *state;
	const int fd = client_open(s);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t k = 0; k < sizeof(paths) / sizeof(paths[0]); k++) {
			const struct dr_error error = { .err = (uint8_t)rows[i].err,
							.what = "beyond the log's size" };
			struct dr_fail fail = { 0 };
			struct dr_bytes payload;
			struct dr_buf out;
			struct answer a;
			json_t *o;

			client_get(fd, paths[k]);
			core_asked(s, &payload);
			dr_buf_init(&out, 1 << 20);
			assert_int_equal(dr_error_put(&out, DR_MSG_ERROR, &error, &fail), DR_OK);
			core_say(s, &out);
			a = client_answer(fd, true);
			o = json_of(&a, rows[i].status);
			assert_string_equal(json_string_value(json_object_get(o, "error")), dr_err_name(rows[i].err));
			assert_string_equal(json_string_value(json_object_get(o, "what")), "beyond the log's size");
			json_decref(o);
		}
	close(fd);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		SERVED(test_requests),     SERVED(test_not_http),
		SERVED(test_headers),      SERVED(test_status),
		SERVED(test_journal),      SERVED(test_full),
		SERVED(test_proofs),       SERVED(test_checkpoint_and_node),
		SERVED(test_certificates), SERVED(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
