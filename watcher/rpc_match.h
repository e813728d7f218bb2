/* SPDX-License-Identifier: Apache-2.0
 *
 * rpc_match: requests to JSON text, and a reply's JSON to the calls it answers, by id. Pure; private to rpc.c.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_RPC_MATCH_H
#define DR_WATCHER_RPC_MATCH_H

#include "watcher/rpc.h"

/* dr_rpc_write: the body that asks calls[0,*num), fewer if more than bytes_max bytes or requests_max calls would
 * come together (at least one is taken). One call is an object, more are an array. */
enum dr_err dr_rpc_write(struct dr_buf *out, const struct dr_rpc_call *calls, size_t *num, uint32_t requests_max,
			 uint64_t bytes_max, struct dr_fail *fail);

enum dr_match {
	DR_MATCH_OK = 0,
	DR_MATCH_BATCH_REFUSED, /* one error for the whole batch */
	DR_MATCH_LIMITED,       /* the server's error says: too many requests */
	DR_MATCH_MALFORMED,     /* not a reply, unknown or doubled id */
};

/* dr_rpc_match: fills end and reply of calls[0,num) from root. On OK a call without a reply is MISSING; otherwise
 * calls are untouched. */
enum dr_match dr_rpc_match(struct dr_rpc_call *calls, size_t num, const json_t *root);

#endif
