/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/rpc_match.h"

#include <stdio.h>
#include <string.h>

/* JSON-RPC error codes of providers for "too many requests" (EIP-1474, and HTTP's own). */
#define CODE_LIMIT (-32005)

static enum dr_err put_text(struct dr_buf *out, const char *text, struct dr_fail *fail)
{
	return dr_buf_append(out, text, strlen(text), fail);
}

enum dr_err dr_rpc_write(struct dr_buf *out, const struct dr_rpc_call *calls, size_t *num, uint32_t requests_max,
			 uint64_t bytes_max, struct dr_fail *fail)
{
	size_t bytes = 0, take = 0;
	char head[128];

	while (take < *num && take < requests_max) {
		bytes += strlen(calls[take].params) + sizeof(head);
		if (take > 0 && bytes > bytes_max)
			break;
		take++;
	}
	*num = take;
	if (take > 1)
		put_text(out, "[", fail);
	for (size_t i = 0; i < take; i++) {
		snprintf(head, sizeof(head),
			 "%s{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"%s\",\"params\":", i > 0 ? "," : "",
			 (unsigned long long)calls[i].id, calls[i].method);
		put_text(out, head, fail);
		put_text(out, calls[i].params, fail);
		put_text(out, "}", fail);
	}
	if (take > 1)
		put_text(out, "]", fail);
	return fail->err;
}

static bool is_limit(const struct dr_reply *reply)
{
	return reply->kind == DR_REPLY_ERROR && (reply->code == CODE_LIMIT || reply->code == 429);
}

static void fill(struct dr_rpc_call *call, const struct dr_reply *reply)
{
	call->reply = *reply;
	switch (reply->kind) {
	case DR_REPLY_RESULT: call->end = DR_RPC_RESULT; break;
	case DR_REPLY_NULL: call->end = DR_RPC_NULL; break;
	case DR_REPLY_ERROR: call->end = is_limit(reply) ? DR_RPC_LIMITED : DR_RPC_ERROR; break;
	}
}

/* A reply without an id says that the server could not read the request at all. */
static bool has_no_id(const json_t *object)
{
	const json_t *id = json_object_get(object, "id");

	return id == NULL || json_is_null(id);
}

static struct dr_rpc_call *find(struct dr_rpc_call *calls, size_t num, const json_t *object)
{
	const json_t *id = json_object_get(object, "id");

	/* Ids are consecutive. */
	if (!json_is_integer(id) || json_integer_value(id) < 0)
		return NULL;
	const uint64_t at = (uint64_t)json_integer_value(id) - calls[0].id;

	return at < num ? &calls[at] : NULL;
}

static bool open(struct dr_reply *reply, const json_t *object)
{
	struct dr_fail fail = { 0 };
	const char *version = json_string_value(json_object_get(object, "jsonrpc"));

	return version != NULL && strcmp(version, "2.0") == 0 && dr_reply_open(reply, object, &fail) == DR_OK;
}

static enum dr_match match_one(struct dr_rpc_call *calls, size_t num, const json_t *object)
{
	struct dr_reply reply;

	if (!open(&reply, object))
		return DR_MATCH_MALFORMED;
	if (num > 1) {
		if (reply.kind != DR_REPLY_ERROR)
			return DR_MATCH_MALFORMED;
		return is_limit(&reply) ? DR_MATCH_LIMITED : DR_MATCH_BATCH_REFUSED;
	}
	if (find(calls, 1, object) == NULL && !(has_no_id(object) && reply.kind == DR_REPLY_ERROR))
		return DR_MATCH_MALFORMED;
	fill(calls, &reply);
	return DR_MATCH_OK;
}

enum dr_match dr_rpc_match(struct dr_rpc_call *calls, size_t num, const json_t *root)
{
	enum dr_match match = DR_MATCH_OK;
	size_t i;
	json_t *object;

	if (json_is_object(root))
		return match_one(calls, num, root);
	if (!json_is_array(root) || num == 1)
		return DR_MATCH_MALFORMED;
	json_array_foreach((json_t *)root, i, object)
	{
		struct dr_reply reply;
		struct dr_rpc_call *call = find(calls, num, object);

		if (!open(&reply, object))
			match = DR_MATCH_MALFORMED;
		else if (call == NULL && has_no_id(object) && reply.kind == DR_REPLY_ERROR)
			match = DR_MATCH_BATCH_REFUSED;
		else if (call == NULL || call->end != DR_RPC_NONE)
			match = DR_MATCH_MALFORMED;
		else
			fill(call, &reply);
		if (match != DR_MATCH_OK)
			break;
	}
	for (i = 0; i < num; i++) {
		if (match != DR_MATCH_OK)
			calls[i].end = DR_RPC_NONE;
		else if (calls[i].end == DR_RPC_NONE)
			calls[i].end = DR_RPC_MISSING;
	}
	return match;
}
