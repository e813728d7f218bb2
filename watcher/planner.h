/* SPDX-License-Identifier: Apache-2.0
 *
 * planner: holds what the core wants, and decides which endpoint is asked what, when. No I/O and no clock of its own:
 * bytes, replies and the time come in; requests and bytes for the core go out.
 *
 * Rules:
 *   1. An endpoint is asked nothing before it showed the chain id and genesis, and again after every failure.
 *   2. A frame that this side can see to be false is sent once, if there is credit, so that the core can journal who
 *      lied; its endpoint is set aside for 30 s, doubling up to 10 min, as long as another is good.
 *   3. An endpoint that fails, or has not what it named itself, is reported (UNAVAILABLE) and the next one is asked;
 *      when all of them failed the core is told so, and it begins anew after a pause: for ever.
 *   4. A want that was answered is answered again only after 10 s, or when the answer was refused.
 *   5. FRAME messages stay within the core's credit; what does not fit waits, and nothing new is asked meanwhile.
 *   6. So that k of n can agree on one block, every endpoint is asked for the block at the k-th highest of the
 * numbers that they call final (latest), and after 10 s again: it may have named another one there.
 *   7. Beacon nodes show the network's genesis first; their newest words are asked for at every poll and sent on when
 * they changed.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_PLANNER_H
#define DR_WATCHER_PLANNER_H

#include "kms-bridge/proto.h"
#include "watcher/rpc.h"

struct dr_plan_config {
	uint64_t chain_id;
	uint8_t genesis[32];
	uint16_t quorum_k; /* 0: nobody's word counts; finality comes from beacon nodes */
	uint16_t num_endpoints;
	uint16_t num_beacons;      /* sources num_endpoints, num_endpoints + 1, … */
	struct dr_network network; /* that beacon nodes must be of */
	uint64_t poll_ms;
	uint32_t batch_requests; /* calls that several wants share one exchange up to */
	const char *final_tag;   /* "finalized", "safe", "latest"; borrowed */
};

/* How requests leave: as dr_rpc_busy and dr_rpc_post; a test has its own. */
struct dr_plan_io {
	void *ctx;
	bool (*busy)(void *ctx, uint16_t endpoint);
	enum dr_err (*post)(void *ctx, uint16_t endpoint, struct dr_rpc_call *calls, size_t num,
			    struct dr_fail *fail);
	uint32_t (*random)(void *ctx);
};

/* dr_plan_beacon_genesis: the answer to /eth/v1/beacon/genesis: DR_OK, and whether it is net's; or it is no answer.
 */
enum dr_err dr_plan_beacon_genesis(const struct dr_network *net, const struct dr_rpc_call *call, bool *same);

struct dr_plan; /* opaque */

struct dr_plan *dr_plan_new(const struct dr_plan_config *config, const struct dr_plan_io *io); /* NULL: no memory */
void dr_plan_free(struct dr_plan *p); /* takes p, which may be NULL */

/* dr_plan_message: one message of the watch channel from the core. Anything but DR_OK ends the channel. */
enum dr_err dr_plan_message(struct dr_plan *p, uint16_t type, struct dr_bytes payload, uint64_t now_ms,
			    struct dr_fail *fail);

/* dr_plan_done: a finished exchange, which stays the caller's. */
enum dr_err dr_plan_done(struct dr_plan *p, const struct dr_rpc_exchange *x, uint64_t now_ms, struct dr_fail *fail);

/* dr_plan_tick: asks whatever is due. Call after messages and exchanges, and at least every 100 ms. */
enum dr_err dr_plan_tick(struct dr_plan *p, uint64_t now_ms, struct dr_fail *fail);

/* dr_plan_out: whole messages for the core, to be dropped from the front as they are written. */
struct dr_buf *dr_plan_out(struct dr_plan *p);

#endif
