/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_rpc: a server's reply to a batch. Input: u8 number of calls · JSON text. What must hold: a reply that matches
 * gives every call an end, a result only where one is; one that does not leaves all of them as they were; and what
 * was asked is itself a batch with these ids.
 */
#include "tests/fuzz/fuzz.h"
#include "watcher/rpc_match.h"

#define CALLS 6u
#define ID    40u

static void check_ends(const struct dr_rpc_call *calls, size_t num, const json_t *root)
{
	for (size_t i = 0; i < num; i++) {
		DR_ASSERT(calls[i].end != DR_RPC_NONE);
		DR_ASSERT((calls[i].end == DR_RPC_RESULT) == (calls[i].reply.result != NULL));
		DR_ASSERT(calls[i].end != DR_RPC_RESULT || !json_is_null(calls[i].reply.result));
		DR_ASSERT(calls[i].end != DR_RPC_MISSING || json_array_size(root) < num);
		DR_ASSERT(memchr(calls[i].reply.message, 0, sizeof(calls[i].reply.message)) != NULL);
	}
}

static void check_asked(struct dr_rpc_call *calls, size_t num)
{
	struct dr_fail fail = { 0 };
	struct dr_buf buf;
	size_t take = num;
	json_t *root;

	dr_buf_init(&buf, 4096);
	DR_ASSERT(dr_rpc_write(&buf, calls, &take, CALLS, 4096, &fail) == DR_OK && take == num);
	DR_ASSERT(dr_json_load(&root, dr_buf_view(&buf), &fail) == DR_OK);
	for (size_t i = 0; i < num; i++) {
		const json_t *call = num == 1 ? root : json_array_get(root, i);

		DR_ASSERT(json_integer_value(json_object_get(call, "id")) == (json_int_t)calls[i].id);
	}
	json_decref(root);
	dr_buf_free(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char params[] = "[]";
	static bool asked[CALLS + 1];
	struct dr_rpc_call calls[CALLS];
	struct dr_fail fail = { 0 };
	json_t *root;

	if (size == 0)
		return 0;
	const size_t num = 1 + data[0] % CALLS;

	memset(calls, 0, sizeof(calls));
	for (size_t i = 0; i < num; i++) {
		memcpy(calls[i].method, "eth_test", 8);
		calls[i].params = params;
		calls[i].id = ID + i;
	}
	if (!asked[num])
		check_asked(calls, num);
	asked[num] = true;
	if (dr_json_load(&root, dr_bytes_of(data + 1, size - 1), &fail) != DR_OK) {
		DR_ASSERT(root == NULL && fail.what != NULL);
		return 0;
	}
	if (dr_rpc_match(calls, num, root) == DR_MATCH_OK)
		check_ends(calls, num, root);
	else
		for (size_t i = 0; i < num; i++)
			DR_ASSERT(calls[i].end == DR_RPC_NONE);
	json_decref(root);
	return 0;
}
