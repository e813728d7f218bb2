/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/serve/answer.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "chain/base/hex.h"
#include "chain/base/reader.h"
#include "kms-bridge/serve/route.h"
#include "kms-bridge/tell/pem.h"
#include "kms-bridge/tell/tell.h"

#define ENTRY_LEN_MAX ((size_t)64 << 10) /* JSON of one entry: a leaf of 4 KiB as digits, and in words */

static enum dr_err unexpected(struct dr_fail *fail, uint16_t type)
{
	return dr_fail_set(fail, DR_ERR_UNKNOWN, "the core answers what was not asked", type);
}

void dr_say_health(struct dr_exchange *x)
{
	dr_exchange_json(x, DR_HTTP_OK, json_pack("{s:b}", "ok", 1));
}

enum dr_err dr_ask_status(struct dr_exchange *x, struct dr_buf *out, struct dr_fail *fail)
{
	(void)x;
	return dr_msg_put(out, DR_MSG_STATUS_GET, (struct dr_bytes){ NULL, 0 }, fail);
}

static enum dr_err status_of(struct dr_status_report *s, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	memset(s, 0, sizeof(*s));
	return type == DR_MSG_STATUS ? dr_status_report_get(s, payload, fail) : unexpected(fail, type);
}

enum dr_err dr_take_live(struct dr_exchange *x, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	struct dr_status_report s;

	if (status_of(&s, type, payload, fail) == DR_OK)
		dr_exchange_json(x, DR_HTTP_OK, json_pack("{s:b}", "ok", 1));
	return fail->err;
}

/* Why no key that this node answers now could be the right one; NULL: none is known. */
static const char *unready(const struct dr_status_report *s)
{
	if (s->halted)
		return s->why[0] != '\0' ? s->why : "halted";
	if (s->sealed)
		return s->why[0] != '\0' ? s->why : "sealed";
	switch ((enum dr_holding)s->holding) {
	case DR_HOLDING_OURS: return NULL;
	case DR_HOLDING_NONE:
		return s->generation == 0
			       ? "no root generation is in force: none is published, or the newest one is over"
			       : "this node holds no root of the generation that is in force";
	case DR_HOLDING_FOREIGN: return "the root held here is not the published one";
	}
	return "unknown";
}

enum dr_err dr_take_ready(struct dr_exchange *x, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	struct dr_status_report s;
	const char *why;

	if (status_of(&s, type, payload, fail) != DR_OK)
		return fail->err;
	why = unready(&s);
	dr_exchange_json(
		x, why == NULL ? DR_HTTP_OK : DR_HTTP_UNAVAILABLE,
		json_pack("{s:b, s:b, s:s?}", "ready", why == NULL, "sealed", s.sealed || s.halted, "why", why));
	return DR_OK;
}

enum dr_err dr_take_metrics(struct dr_exchange *x, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	struct dr_status_report s;

	if (status_of(&s, type, payload, fail) == DR_OK)
		dr_metrics(x, &s, (uint64_t)time(NULL));
	return fail->err;
}

enum dr_err dr_take_status(struct dr_exchange *x, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	struct dr_status_report s;

	if (status_of(&s, type, payload, fail) == DR_OK)
		dr_exchange_json(x, DR_HTTP_OK, dr_tell_status(&s));
	return fail->err;
}

enum dr_err dr_ask_log(struct dr_exchange *x, struct dr_buf *out, struct dr_fail *fail)
{
	const struct dr_log_query query = { .log = x->route->log, .first = x->params[0], .num = x->params[1] };

	x->type = "application/json";
	dr_exchange_text(x, "{\"log\":\"%s\",\"first\":%" PRIu64 ",\"entries\":[", dr_tell_log_name(query.log),
			 query.first);
	return dr_log_query_put(out, DR_MSG_LOG_GET, &query, fail);
}

static int append(const char *text, size_t len, void *buf)
{
	struct dr_fail ignored = { 0 };

	return dr_buf_append(buf, text, len, &ignored) == DR_OK ? 0 : -1;
}

/* The entry, or (full) nothing: what does not fit is asked for anew, from there on. */
static enum dr_err take_entry(struct dr_exchange *x, struct dr_bytes payload, struct dr_fail *fail)
{
	char leaf[2 + 2 * DR_LEAF_LEN_MAX + 1] = "0x";
	const size_t len = x->body.len;
	struct dr_entry entry;
	json_t *o;
	int bad;

	if (dr_entry_get(&entry, payload, fail) != DR_OK)
		return fail->err;
	if (x->full || x->body.len + ENTRY_LEN_MAX > x->body.cap) {
		x->full = true;
		return DR_OK;
	}
	dr_hex_put(leaf + 2, entry.leaf.ptr, entry.leaf.len);
	o = json_pack("{s:I, s:o, s:s, s:o?}", "index", (json_int_t)entry.idx, "leaf_hash",
		      dr_tell_hex(entry.leaf_hash, 32), "leaf", leaf, x->route->log == 0 ? "change" : "note",
		      x->route->log == 0 ? dr_tell_change(&entry) : dr_tell_note(&entry));
	bad = o == NULL || (x->rows > 0 && append(",", 1, &x->body) != 0) ||
	      json_dump_callback(o, append, &x->body, JSON_ENSURE_ASCII | JSON_COMPACT) != 0;
	json_decref(o);
	if (bad) {
		x->body.len = len;
		x->full = true;
		return DR_OK;
	}
	x->rows++;
	return DR_OK;
}

enum dr_err dr_take_log(struct dr_exchange *x, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	struct dr_reader r;
	uint8_t root[32];
	char hex[65], next[24] = "null";
	uint64_t size, end;

	if (type == DR_MSG_LOG_ENTRY)
		return take_entry(x, payload, fail);
	if (type != DR_MSG_LOG_END)
		return unexpected(fail, type);
	dr_reader_init(&r, payload, fail);
	size = dr_reader_u64(&r);
	dr_reader_copy(&r, root, sizeof(root));
	if (dr_reader_end(&r) != DR_OK)
		return fail->err;
	if (size > INT64_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT,
				   "a log's size: what JSON's readers take for an integer at most", 0);
	end = x->params[0] + x->rows;
	if (end < size)
		snprintf(next, sizeof(next), "%" PRIu64, end);
	dr_hex_put(hex, root, sizeof(root));
	dr_exchange_text(x, "],\"next\":%s,\"size\":%" PRIu64 ",\"root\":\"0x%s\"}\n", next, size, hex);
	x->done = true;
	x->status = DR_HTTP_OK;
	return DR_OK;
}

static struct dr_proof_query proof_query(const struct dr_exchange *x)
{
	return (struct dr_proof_query){
		.log = x->route->log, .kind = x->route->kind, .first = x->params[0], .size = x->params[1]
	};
}

enum dr_err dr_ask_proof(struct dr_exchange *x, struct dr_buf *out, struct dr_fail *fail)
{
	const struct dr_proof_query query = proof_query(x);

	return dr_proof_query_put(out, DR_MSG_PROOF_GET, &query, fail);
}

enum dr_err dr_take_proof(struct dr_exchange *x, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	const struct dr_proof_query query = proof_query(x);
	struct dr_log_proof proof;

	if (type != DR_MSG_PROOF)
		return unexpected(fail, type);
	if (dr_log_proof_get(&proof, payload, fail) == DR_OK)
		dr_exchange_json(x, DR_HTTP_OK, dr_tell_proof(&query, &proof));
	return fail->err;
}

enum dr_err dr_ask_checkpoint(struct dr_exchange *x, struct dr_buf *out, struct dr_fail *fail)
{
	const uint8_t log = (uint8_t)x->params[0];

	return dr_msg_put(out, DR_MSG_CHECKPOINT_GET, dr_bytes_of(&log, 1), fail);
}

enum dr_err dr_take_checkpoint(struct dr_exchange *x, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	struct dr_run note;

	if (type != DR_MSG_CHECKPOINT)
		return unexpected(fail, type);
	if (dr_run_get(&note, payload, fail) != DR_OK ||
	    dr_buf_append(&x->body, note.bytes.ptr, note.bytes.len, fail) != DR_OK)
		return fail->err;
	x->done = true;
	x->status = DR_HTTP_OK;
	x->type = "text/plain; charset=utf-8";
	return DR_OK;
}

enum dr_err dr_ask_node(struct dr_exchange *x, struct dr_buf *out, struct dr_fail *fail)
{
	(void)x;
	return dr_msg_put(out, DR_MSG_NODE_GET, (struct dr_bytes){ NULL, 0 }, fail);
}

enum dr_err dr_take_node(struct dr_exchange *x, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	struct dr_node_public node;

	if (type != DR_MSG_NODE)
		return unexpected(fail, type);
	if (dr_node_public_get(&node, payload, fail) == DR_OK)
		dr_exchange_json(x, DR_HTTP_OK, dr_tell_node(&node));
	return fail->err;
}

static enum dr_err ask_certificate(struct dr_exchange *x, bool has_app, struct dr_buf *out, struct dr_fail *fail)
{
	struct dr_certificate_query query = { .generation = x->generation, .has_app = has_app };

	if (has_app)
		memcpy(query.app, x->app, sizeof(query.app));
	return dr_certificate_query_put(out, DR_MSG_CERTIFICATE_GET, &query, fail);
}

enum dr_err dr_ask_root_certificate(struct dr_exchange *x, struct dr_buf *out, struct dr_fail *fail)
{
	return ask_certificate(x, false, out, fail);
}

enum dr_err dr_ask_app_certificate(struct dr_exchange *x, struct dr_buf *out, struct dr_fail *fail)
{
	return ask_certificate(x, true, out, fail);
}

/* The root's comes first and is told last: a chain begins at its leaf. */
static enum dr_err take_row(struct dr_exchange *x, struct dr_bytes payload, struct dr_fail *fail)
{
	struct dr_fail no_room = { 0 };
	struct dr_run der;

	if (dr_run_get(&der, payload, fail) != DR_OK)
		return fail->err;
	if (dr_pem_put(x->rows == 0 ? &x->first_row : &x->body, "CERTIFICATE", der.bytes, &no_room) != DR_OK)
		x->full = true;
	x->rows++;
	return DR_OK;
}

enum dr_err dr_take_certificate(struct dr_exchange *x, uint16_t type, struct dr_bytes payload, struct dr_fail *fail)
{
	const bool of_app = x->route->ask == dr_ask_app_certificate;
	struct dr_fail no_room = { 0 };

	if (type == DR_MSG_CERTIFICATE)
		return take_row(x, payload, fail);
	if (type != DR_MSG_LOG_END)
		return unexpected(fail, type);
	if (x->rows < (of_app ? 2u : 1u)) {
		dr_exchange_fail(x, DR_HTTP_NOT_FOUND, "certificate",
				 of_app && x->rows > 0 ? "certificates issued here for this app and generation"
						       : "the certificate of this root generation",
				 "one at least", "none");
		return DR_OK;
	}
	if (x->full || dr_buf_append(&x->body, x->first_row.ptr, x->first_row.len, &no_room) != DR_OK) {
		dr_exchange_fail(x, DR_HTTP_INTERNAL, "limit", "certificates", "2 MiB at most", "more");
		return DR_OK;
	}
	x->done = true;
	x->status = DR_HTTP_OK;
	x->type = "application/pem-certificate-chain";
	return DR_OK;
}

static enum dr_http_status status_of_error(enum dr_err err)
{
	switch (err) {
	case DR_ERR_SHORT:
	case DR_ERR_SYNTAX:
	case DR_ERR_NONCANONICAL:
	case DR_ERR_LIMIT: return DR_HTTP_BAD_REQUEST;
	case DR_ERR_UNKNOWN: return DR_HTTP_NOT_FOUND;
	case DR_ERR_STALE: return DR_HTTP_UNAVAILABLE;
	case DR_OK:
	case DR_ERR_PROOF:
	case DR_ERR_IO:
	case DR_ERR_NOMEM: return DR_HTTP_INTERNAL;
	}
	return DR_HTTP_INTERNAL;
}

enum dr_err dr_answer_take(bool *last, struct dr_exchange *x, uint16_t type, struct dr_bytes payload,
			   struct dr_fail *fail)
{
	struct dr_error error;

	*last = type == DR_MSG_ERROR || type == DR_MSG_LOG_END || !x->route->rows;
	if (x->abandoned)
		return DR_OK;
	if (type != DR_MSG_ERROR)
		return x->route->take(x, type, payload, fail);
	if (dr_error_get(&error, payload, fail) == DR_OK)
		dr_exchange_fail(x, status_of_error((enum dr_err)error.err), dr_err_name((enum dr_err)error.err),
				 error.what, NULL, NULL);
	return fail->err;
}
