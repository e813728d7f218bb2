/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/beacon/lc_store.h"

#include <string.h>

uint64_t dr_lc_store_period(const struct dr_lc_store *store)
{
	return dr_network_period(&store->net, store->finalized.header.beacon.slot);
}

bool dr_lc_store_next_known(const struct dr_lc_store *store)
{
	return store->keys[store->next].known;
}

/* The last slot that may have begun: by a clock that may be late by DR_CLOCK_SKEW_S. */
static enum dr_err slot_now(uint64_t *slot, const struct dr_network *net, uint64_t now, struct dr_fail *fail)
{
	return dr_network_slot(slot, net, now > 0 && now < UINT64_MAX ? now + DR_CLOCK_SKEW_S : now, fail);
}

static void point_set(struct dr_lc_point *point, const struct dr_network *net, const struct dr_lc_header *header,
		      uint32_t participation)
{
	point->header = *header;
	dr_lc_header_root(point->root, header);
	point->participation = participation;
	/* The body of a genesis block is the default, at whatever fork a chain begins: its payload is no block. */
	point->has_execution = dr_network_epoch(net, header->beacon.slot) >= net->forks[DR_BEACON_CAPELLA].epoch &&
			       !dr_bytes_zero(header->execution.block_hash, 32);
}

static void past_set(struct dr_lc_past *past, const struct dr_lc_header *header)
{
	past->slot = header->beacon.slot;
	dr_lc_header_root(past->root, header);
	memcpy(past->parent_root, header->beacon.parent_root, 32);
	past->number = header->execution.block_number;
	memcpy(past->hash, header->execution.block_hash, 32);
	memcpy(past->parent_hash, header->execution.parent_hash, 32);
}

static void past_keep(struct dr_lc_store *store)
{
	past_set(&store->past[store->at_past], &store->finalized.header);
	store->at_past = (store->at_past + 1) % DR_LC_PAST_MAX;
	if (store->num_past < DR_LC_PAST_MAX)
		store->num_past++;
}

/* Two blocks of one chain? NULL, or what says that they are not. Each slot has at most one block, and from Capella on
 * each block has one execution block, the child of the one before it. */
static const char *contradiction(const struct dr_lc_past *a, const struct dr_lc_past *b)
{
	const struct dr_lc_past *low = a->slot <= b->slot ? a : b;
	const struct dr_lc_past *high = low == a ? b : a;

	if (low->slot == high->slot)
		return memcmp(low->root, high->root, 32) == 0 ? NULL : "two blocks of one slot are final";
	if (high->slot - low->slot == 1 && memcmp(high->parent_root, low->root, 32) != 0)
		return "two final blocks of adjacent slots are not parent and child";
	if (dr_bytes_zero(low->hash, 32) || dr_bytes_zero(high->hash, 32))
		return NULL;
	if (high->number <= low->number)
		return "a later final block has no later execution block";
	if (high->number - low->number > high->slot - low->slot)
		return "two final blocks have more execution blocks than slots between them";
	if (high->number - low->number == 1 && memcmp(high->parent_hash, low->hash, 32) != 0)
		return "two final blocks' adjacent execution blocks are not parent and child";
	return NULL;
}

static const char *conflict_with_past(const struct dr_lc_store *store, const struct dr_lc_header *finalized)
{
	struct dr_lc_past claim;
	const char *what = NULL;

	past_set(&claim, finalized);
	for (uint32_t i = 0; i < store->num_past && what == NULL; i++)
		what = contradiction(&store->past[i], &claim);
	return what;
}

static enum dr_err start(struct dr_lc_store *store, const struct dr_network *net, const uint8_t trusted[static 32],
			 const struct dr_lc_bootstrap *bootstrap, uint64_t now, struct dr_fail *fail)
{
	const struct dr_lc_header *header = &bootstrap->header;
	const struct dr_ssz_shape shape = dr_lc_shape(net, bootstrap->fork);
	uint8_t root[32];
	uint64_t current;
	enum dr_err err = slot_now(&current, net, now, fail);

	if (err != DR_OK)
		return err;
	dr_lc_header_root(root, header);
	if (memcmp(root, trusted, 32) != 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "the bootstrap's header is not the checkpoint's", 0);
	if (header->beacon.slot > current)
		return dr_fail_set(fail, DR_ERR_STALE, "the checkpoint lies in the future", 0);
	err = dr_lc_check_fork(net, bootstrap->fork, header->beacon.slot, fail);
	if (err == DR_OK)
		err = dr_lc_header_check(net, header, DR_LC_CHECKPOINT, fail);
	if (err != DR_OK)
		return err;
	dr_ssz_root(root, &dr_lc_committee_type, shape, &bootstrap->committee);
	if (!dr_ssz_branch_proves(root, &bootstrap->committee_branch, dr_lc_current_committee_gindex(bootstrap->fork),
				  header->beacon.state_root))
		return dr_fail_set(fail, DR_ERR_PROOF, "the committee is not in the checkpoint's state", 0);
	err = dr_lc_keys_load(&store->keys[0], &bootstrap->committee, net->committee_size, root, fail);
	if (err != DR_OK)
		return err;
	store->net = *net;
	store->current = 0;
	store->next = 1;
	store->spare = 2;
	memcpy(store->checkpoint, trusted, 32);
	store->checkpoint_slot = header->beacon.slot;
	point_set(&store->finalized, net, header, 0);
	store->head = store->finalized;
	past_keep(store);
	store->ready = true;
	return DR_OK;
}

enum dr_err dr_lc_store_start(struct dr_lc_store *store, const struct dr_network *net,
			      const uint8_t trusted[static 32], const struct dr_lc_bootstrap *bootstrap, uint64_t now,
			      struct dr_fail *fail)
{
	enum dr_err err = dr_network_check(net, fail);

	memset(store, 0, sizeof(*store));
	if (err == DR_OK)
		err = start(store, net, trusted, bootstrap, now, fail);
	if (err != DR_OK)
		memset(store, 0, sizeof(*store));
	return err;
}

/* What is known of an update while it is looked at. */
struct look {
	const struct dr_lc_keys *signers;
	uint64_t store_period, attested_period, finalized_period;
	uint32_t participation;
	bool final, committee;      /* is_finality_update, is_sync_committee_update */
	bool other_committee;       /* not the one that is known for that period */
	uint8_t committee_root[32]; /* of next_committee, if committee */
};

/* "Verify sync committee has sufficient participants", "Verify update does not skip a sync committee period". */
static enum dr_err check_signers(const struct dr_lc_store *store, const struct dr_lc_update *u, uint64_t current,
				 struct look *look, struct dr_fail *fail)
{
	const uint64_t attested = u->attested.beacon.slot, signed_at = u->signature_slot;
	const uint64_t period = dr_network_period(&store->net, signed_at);

	if (!dr_bytes_zero(u->aggregate.bits + store->net.committee_size / 8,
			   sizeof(u->aggregate.bits) - store->net.committee_size / 8))
		return dr_fail_set(fail, DR_ERR_PROOF, "bits beyond the committee", 0);
	look->participation = dr_lc_participation(&u->aggregate);
	if (look->participation * 3 < store->net.committee_size * 2)
		return dr_fail_set(fail, DR_ERR_PROOF, "fewer than two thirds of the committee signed", 0);
	if (signed_at <= attested)
		return dr_fail_set(fail, DR_ERR_PROOF, "signed no later than the attested header's slot", 0);
	if (attested < u->finalized.beacon.slot)
		return dr_fail_set(fail, DR_ERR_PROOF, "the finalized header is later than the attested one", 0);
	if (signed_at > current)
		return dr_fail_set(fail, DR_ERR_STALE, "signed in the future", 0);
	look->store_period = dr_lc_store_period(store);
	look->attested_period = dr_network_period(&store->net, attested);
	look->finalized_period = dr_network_period(&store->net, u->finalized.beacon.slot);
	if (period < look->store_period)
		return dr_fail_set(fail, DR_ERR_STALE, "signed in a period that is over", 0);
	if (period > look->store_period + 1)
		return dr_fail_set(fail, DR_ERR_STALE, "signed in a period after the next: updates are lacking", 0);
	look->signers = &store->keys[period == look->store_period ? store->current : store->next];
	if (!look->signers->known)
		return dr_fail_set(fail, DR_ERR_STALE, "signed by the next committee, which is not known yet", 0);
	return DR_OK;
}

/* "Verify that the finality_branch, if present, confirms finalized_header". */
static enum dr_err check_finality(const struct dr_lc_store *store, const struct dr_lc_update *u, struct look *look,
				  struct dr_fail *fail)
{
	const struct dr_ssz_shape shape = dr_lc_shape(&store->net, DR_BEACON_FULU);
	const bool empty = dr_ssz_is_default(&dr_lc_header_type, shape, &u->finalized);
	uint8_t root[32] = { 0 };

	look->final = dr_lc_is_final(u);
	if (!look->final && !empty)
		return dr_fail_set(fail, DR_ERR_PROOF, "a finalized header without its branch", 0);
	if (!look->final)
		return DR_OK;
	/* "The genesis finalized checkpoint root is represented as a zero hash". */
	if (u->finalized.beacon.slot == 0 && !empty)
		return dr_fail_set(fail, DR_ERR_PROOF, "a finalized header of slot 0 that is not empty", 0);
	if (!empty) {
		const enum dr_err err = dr_lc_header_check(&store->net, &u->finalized, DR_LC_FINALIZED, fail);

		if (err != DR_OK)
			return err;
		dr_lc_header_root(root, &u->finalized);
	}
	if (!dr_ssz_branch_proves(root, &u->finality_branch, dr_lc_finalized_gindex(u->fork),
				  u->attested.beacon.state_root))
		return dr_fail_set(fail, DR_ERR_PROOF, "the finalized header is not in the attested state", 0);
	return DR_OK;
}

/* "Verify that the next_sync_committee, if present, actually is the next sync committee saved in the state". */
static enum dr_err check_committee(const struct dr_lc_store *store, const struct dr_lc_update *u, struct look *look,
				   struct dr_fail *fail)
{
	const struct dr_ssz_shape shape = dr_lc_shape(&store->net, u->fork);
	const struct dr_lc_keys *known = &store->keys[store->next];

	look->committee = dr_lc_is_committee(u);
	if (!look->committee && !dr_ssz_is_default(&dr_lc_committee_type, shape, &u->next_committee))
		return dr_fail_set(fail, DR_ERR_PROOF, "a next committee without its branch", 0);
	if (!look->committee)
		return DR_OK;
	dr_ssz_root(look->committee_root, &dr_lc_committee_type, shape, &u->next_committee);
	if (!dr_ssz_branch_proves(look->committee_root, &u->next_committee_branch,
				  dr_lc_next_committee_gindex(u->fork), u->attested.beacon.state_root))
		return dr_fail_set(fail, DR_ERR_PROOF, "the next committee is not in the attested state", 0);
	look->other_committee = known->known && look->attested_period == look->store_period &&
				memcmp(known->root, look->committee_root, 32) != 0;
	return DR_OK;
}

/* validate_light_client_update, the cheap first. What it asserts of relevance is left to the verdict. */
static enum dr_err check(const struct dr_lc_store *store, const struct dr_lc_update *u, uint64_t now,
			 struct look *look, struct dr_fail *fail)
{
	uint8_t domain[32];
	uint64_t current;
	enum dr_err err = slot_now(&current, &store->net, now, fail);

	if (err == DR_OK)
		err = check_signers(store, u, current, look, fail);
	if (err == DR_OK)
		err = dr_lc_check_fork(&store->net, u->fork, u->attested.beacon.slot, fail);
	if (err == DR_OK)
		err = dr_lc_header_check(&store->net, &u->attested, DR_LC_ATTESTED, fail);
	if (err == DR_OK)
		err = check_finality(store, u, look, fail);
	if (err == DR_OK)
		err = check_committee(store, u, look, fail);
	if (err == DR_OK)
		err = dr_network_domain(domain, &store->net, u->signature_slot, fail);
	if (err == DR_OK)
		err = dr_lc_keys_verify(look->signers, &u->attested, &u->aggregate, domain, fail);
	return err;
}

/* A valid update against what was proven final before. A next committee of the store's period is as final as the
 * finalized header beside it, if that lies in the same period: two of them are on two chains. */
static const char *conflict(const struct dr_lc_store *store, const struct dr_lc_update *u, const struct look *look)
{
	if (!look->final || u->finalized.beacon.slot == 0)
		return NULL;
	if (look->other_committee && look->finalized_period == look->attested_period)
		return "two next committees of one period are final";
	return conflict_with_past(store, &u->finalized);
}

/* apply_light_client_update: what of it is to be done. */
struct plan {
	bool final;  /* the finalized header moves */
	bool period; /* into the next period */
	bool learn;  /* update->next_committee becomes the next one */
};

static struct plan plan_make(const struct dr_lc_store *store, const struct dr_lc_update *u, const struct look *look)
{
	/* "update_has_finalized_next_sync_committee": proven in the period that the finalized header lies in. */
	const bool teaches = look->final && look->committee && look->finalized_period == look->attested_period;
	struct plan plan = { .final = look->final && u->finalized.beacon.slot > store->finalized.header.beacon.slot };

	plan.period = plan.final && look->finalized_period != look->store_period;
	if (plan.period)
		plan.learn = teaches;
	else
		plan.learn = teaches && !dr_lc_store_next_known(store) && look->attested_period == look->store_period;
	/* The signers are of the store's period or of the next, whose committee is then known; and no header that
	 * they attest lies beyond. */
	DR_ASSERT(!plan.period ||
		  (look->finalized_period == look->store_period + 1 && dr_lc_store_next_known(store)));
	return plan;
}

/* True: it is the highest now. */
static bool head_set(struct dr_lc_store *store, const struct dr_lc_header *attested, uint32_t participation)
{
	if (attested->beacon.slot <= store->head.header.beacon.slot)
		return false;
	point_set(&store->head, &store->net, attested, participation);
	return true;
}

bool dr_lc_store_head(struct dr_lc_store *store, const struct dr_lc_update *update)
{
	return head_set(store, &update->attested, dr_lc_participation(&update->aggregate));
}

static void apply(struct dr_lc_store *store, const struct dr_lc_update *u, const struct look *look,
		  const struct plan *plan, struct dr_lc_news *news)
{
	if (plan->period) {
		const uint8_t old = store->current;

		/* "store.current_sync_committee = store.next_sync_committee"; the next one may be unknown then. */
		store->current = store->next;
		store->next = plan->learn ? store->spare : old;
		store->spare = plan->learn ? old : store->spare;
		if (!plan->learn)
			memset(&store->keys[store->next], 0, sizeof(store->keys[store->next]));
	} else if (plan->learn) {
		const uint8_t old = store->next;

		store->next = store->spare;
		store->spare = old;
	}
	if (plan->final) {
		point_set(&store->finalized, &store->net, &u->finalized, look->participation);
		past_keep(store);
	}
	news->head = head_set(store, &u->attested, look->participation);
	news->final = plan->final;
	news->period = plan->period;
	news->committee = plan->learn;
}

enum dr_err dr_lc_store_take(struct dr_lc_store *store, const struct dr_lc_update *update, uint64_t now,
			     struct dr_lc_news *news, struct dr_fail *fail)
{
	struct look look = { 0 };
	enum dr_err err;

	DR_ASSERT(store->ready);
	memset(news, 0, sizeof(*news));
	err = check(store, update, now, &look, fail);
	if (err != DR_OK)
		return err;
	const char *what = conflict(store, update, &look);

	/* A head may be of another chain than what is final; it proves nothing then, and teaches nothing. */
	if (what == NULL && look.other_committee)
		return dr_fail_set(fail, DR_ERR_PROOF, "the next committee is not the one that is known", 0);
	news->participation = look.participation;
	if (what != NULL) {
		news->verdict = DR_LC_CONFLICT;
		news->conflict = what;
		return DR_OK;
	}
	const struct plan plan = plan_make(store, update, &look);

	if (plan.learn)
		err = dr_lc_keys_load(&store->keys[store->spare], &update->next_committee, store->net.committee_size,
				      look.committee_root, fail);
	if (err != DR_OK) {
		memset(news, 0, sizeof(*news));
		return err;
	}
	apply(store, update, &look, &plan, news);
	news->verdict = news->final || news->head || news->committee ? DR_LC_TAKEN : DR_LC_KNOWN;
	return DR_OK;
}
