/* SPDX-License-Identifier: Apache-2.0
 *
 * doctor_beacon: is a beacon node of the configured network, has it the checkpoint's bootstrap and a finality
 * update, and may the checkpoint still be relied on?
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "chain/base/hex.h"
#include "chain/beacon/beacon.h"
#include "watcher/doctor.h"
#include "watcher/json_beacon.h"
#include "watcher/planner.h"

enum call {
	GENESIS,
	BOOTSTRAP,
	FINALITY,
	NUM_CALLS,
};

bool dr_doctor_beacon_ask(struct dr_rpc *rpc, uint16_t endpoint, const struct dr_config *c, struct dr_fail *fail)
{
	struct dr_rpc_call *calls = dr_heap_alloc(NUM_CALLS * sizeof(*calls));
	char root[65], bootstrap[128];

	if (calls == NULL)
		return false;
	dr_hex_put(root, c->checkpoint_root, 32);
	snprintf(bootstrap, sizeof(bootstrap), "/eth/v1/beacon/light_client/bootstrap/0x%s", root);
	if (!dr_doctor_call(&calls[GENESIS], "genesis", "/eth/v1/beacon/genesis") ||
	    !dr_doctor_call(&calls[BOOTSTRAP], "bootstrap", bootstrap) ||
	    !dr_doctor_call(&calls[FINALITY], "finality_update", "/eth/v1/beacon/light_client/finality_update")) {
		for (size_t i = 0; i < NUM_CALLS; i++)
			dr_heap_free(calls[i].params);
		dr_heap_free(calls);
		return false;
	}
	return dr_rpc_post(rpc, endpoint, calls, NUM_CALLS, NULL, fail) == DR_OK;
}

/* The one object in an answer; NULL: none of this kind. */
static const struct dr_beacon_item *item_of(const struct dr_rpc_call *call, enum dr_beacon_kind kind,
					    const struct dr_network *net, struct dr_arena *arena)
{
	struct dr_json_notes notes = { .extra = NULL };
	struct dr_fail fail = { DR_OK, NULL, 0 };
	struct dr_beacon_item *items;
	size_t num;

	if (call->end != DR_RPC_RESULT)
		return NULL;
	if (call->reply.result != NULL)
		dr_json_beacon_parse(&items, &num, net, call->reply.result, arena, &notes, &fail);
	else
		dr_json_beacon_ssz(&items, &num, net, call->bytes, arena, &notes, &fail);
	return fail.err == DR_OK && num == 1 && items->kind == kind ? items : NULL;
}

/* The checkpoint's age, by the slot that this node says it has: its root was compared. */
static void tell_age(struct doctor *d, const char *name, const struct dr_config *c, uint64_t slot,
		     uint64_t final_slot)
{
	const uint64_t now = (uint64_t)time(NULL);
	const uint64_t limit_s = c->checkpoint_max_age_s != 0 ? c->checkpoint_max_age_s : DR_BEACON_AGE_DEFAULT_S;
	const uint64_t begin = dr_network_time(&c->network, slot),
		       final_time = dr_network_time(&c->network, final_slot);
	const uint64_t age_s = now > begin ? now - begin : 0, behind_s = now > final_time ? now - final_time : 0;
	const uint64_t most = c->max_staleness_s != 0 ? c->max_staleness_s : DR_STALENESS_DEFAULT_S;

	if (age_s > limit_s && c->checkpoint_aged[0] == '\0')
		dr_doctor_tell(d, name, BAD,
			       "take a newer checkpoint from somebody you trust; or let accept_aged name who answers",
			       "the checkpoint is %" PRIu64 " s old; max_age is %" PRIu64 " s", age_s, limit_s);
	else if (age_s > limit_s)
		dr_doctor_tell(d, name, WARN, "take a newer checkpoint as soon as you can",
			       "the checkpoint is %" PRIu64 " s old, beyond max_age; accepted by %s", age_s,
			       c->checkpoint_aged);
	else if (behind_s > most)
		dr_doctor_tell(d, name, WARN, "derot would be sealed: is finality standing still, or this node?",
			       "its newest final slot %" PRIu64 " is %" PRIu64 " s old; max_staleness is %" PRIu64
			       " s",
			       final_slot, behind_s, most);
	else
		dr_doctor_tell(d, name, GOOD, NULL,
			       "of %s; has the checkpoint (slot %" PRIu64 ", %" PRIu64
			       " s old); newest final slot %" PRIu64,
			       c->network.name, slot, age_s, final_slot);
}

void dr_doctor_beacon_judge(struct doctor *d, const struct dr_rpc_exchange *x, const struct dr_config *c)
{
	struct dr_arena *arena = dr_arena_new(DR_JSON_ARENA_CAP);
	const struct dr_rpc_call *calls = x->calls;
	const struct dr_beacon_item *bootstrap = NULL, *finality = NULL;
	uint8_t root[32] = { 0 };
	char name[96];
	bool same;

	snprintf(name, sizeof(name), "beacon node %s", c->beacons[x->endpoint - c->num_endpoints].name);
	if (arena != NULL && x->end == DR_RPC_RESULT) {
		bootstrap = item_of(&calls[BOOTSTRAP], DR_BEACON_BOOTSTRAP, &c->network, arena);
		finality = item_of(&calls[FINALITY], DR_BEACON_FINALITY_UPDATE, &c->network, arena);
	}
	if (bootstrap != NULL)
		dr_lc_header_root(root, &bootstrap->bootstrap.header);
	if (arena == NULL)
		dr_doctor_tell(d, name, BAD, "try again", "no memory");
	else if (x->end != DR_RPC_RESULT)
		dr_doctor_tell(d, name, BAD, "is its address right, and does it run?", "%s", dr_rpc_end_name(x->end));
	else if (dr_plan_beacon_genesis(&c->network, &calls[GENESIS], &same) != DR_OK)
		dr_doctor_tell(d, name, BAD, "is it a beacon node's REST address?",
			       "no answer to /eth/v1/beacon/genesis: %s", dr_rpc_end_name(calls[GENESIS].end));
	else if (!same)
		dr_doctor_tell(d, name, BAD, "name a beacon node of the configured network",
			       "another genesis than %s's", c->network.name);
	else if (bootstrap == NULL)
		dr_doctor_tell(d, name, WARN,
			       "another node may have it; nodes keep it for final blocks at an epoch's first slot, "
			       "and not for ever",
			       "no bootstrap of the checkpoint: %s", dr_rpc_end_name(calls[BOOTSTRAP].end));
	else if (memcmp(root, c->checkpoint_root, 32) != 0)
		dr_doctor_tell(d, name, BAD, "ask another beacon node",
			       "answers with another block than the checkpoint's");
	else if (finality == NULL)
		dr_doctor_tell(d, name, BAD, "does it serve light clients? (its --light-client-server, or the like)",
			       "no finality update: %s", dr_rpc_end_name(calls[FINALITY].end));
	else
		tell_age(d, name, c, bootstrap->bootstrap.header.beacon.slot, finality->update.finalized.beacon.slot);
	dr_arena_free(arena);
}
