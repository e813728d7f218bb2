/* SPDX-License-Identifier: Apache-2.0
 *
 * follow_far: final blocks further above the cursor than headers are held. Finality by consensus names the newest
 * block, not the next one, so a follower that begins, or was away, goes down from there in long steps, keeps the
 * hashes it passes, and goes up over them with all headers. Two ways down: EIP-2935 (one proof, 8191 blocks; the
 * state of the block it starts from must still be served), and parent by parent.
 */
#include <string.h>

#include "chain/base/arena.h"
#include "chain/evm/follow_impl.h"

enum far_add dr_follow_far_add(struct dr_follow *f, uint64_t number, const uint8_t hash[static 32])
{
	struct far *far = &f->far;
	size_t at = 0;

	while (at < far->num && far->rungs[at].number < number)
		at++;
	if (at < far->num && far->rungs[at].number == number)
		return memcmp(far->rungs[at].hash, hash, 32) == 0 ? FAR_KNOWN : FAR_CLASH;
	if (far->num == DR_FOLLOW_FAR_MAX) {
		if (at == far->num)
			return FAR_KNOWN; /* no room: it is named again when the ladder is shorter */
		far->num--;
	}
	memmove(far->rungs + at + 1, far->rungs + at, (far->num - at) * sizeof(far->rungs[0]));
	far->rungs[at] = (struct named){ .number = number, .set = true };
	memcpy(far->rungs[at].hash, hash, 32);
	far->num++;
	if (at == 0)
		far->has_header = false;
	return FAR_ADDED;
}

bool dr_follow_far_clash(const struct dr_follow *f, uint64_t number, const uint8_t hash[static 32])
{
	for (size_t i = 0; i < f->far.num; i++)
		if (f->far.rungs[i].number == number)
			return memcmp(f->far.rungs[i].hash, hash, 32) != 0;
	return false;
}

/* The lowest rung leaves the ladder. */
static struct named drop_lowest(struct far *far)
{
	const struct named lowest = far->rungs[0];

	far->num--;
	memmove(far->rungs, far->rungs + 1, far->num * sizeof(far->rungs[0]));
	far->has_header = false;
	if (far->num == 0)
		far->no_history = false;
	return lowest;
}

bool dr_follow_far_next(struct dr_follow *f, struct named *out)
{
	*out = (struct named){ 0 };
	/* One at or below the base, too: the cursor may go past it, on the way to what the tree had beyond it. */
	if (!f->has_base || f->far.num == 0 || f->far.rungs[0].number > f->base_number + DR_FOLLOW_REACH)
		return false;
	*out = drop_lowest(&f->far);
	return true;
}

/* How far one proof goes down: the whole window, but where tables are small. */
#define HOP_SLOTS (DR_FOLLOW_REACH * (DR_STATE_SLOTS_MAX - 1))
#define HOP       (DR_EVM_HISTORY_WINDOW < HOP_SLOTS ? DR_EVM_HISTORY_WINDOW : HOP_SLOTS)

/* The lowest block whose hash EIP-2935 is asked for: where the tree reaches, or as low as it goes. Those a reach
 * apart above it are asked for as well: the way up needs them. */
static uint64_t target_of(const struct dr_follow *f)
{
	const uint64_t goal = f->base_number + DR_FOLLOW_REACH, from = f->far.rungs[0].number;

	return from - goal <= HOP ? goal : from - HOP;
}

void dr_follow_far_wants(const struct dr_follow *f, struct dr_want *want)
{
	const struct far *far = &f->far;
	const struct named *lowest = &far->rungs[0];

	memset(want, 0, sizeof(*want));
	if (!f->has_base || far->num == 0)
		return;
	memcpy(want->hash, lowest->hash, 32);
	want->first = want->last = lowest->number;
	if (!far->has_header) {
		want->kind = DR_WANT_HEADER;
		return;
	}
	if (!far->no_history) {
		want->kind = DR_WANT_STATE;
		memcpy(want->address, dr_evm_history_address, 20);
		for (uint64_t at = target_of(f); at < lowest->number; at += DR_FOLLOW_REACH)
			dr_evm_history_slot(want->slots[want->num_slots++], lowest->number, at);
		return;
	}
	want->kind = DR_WANT_PARENTS;
	want->first = far->asked_first;
	want->last = far->asked.number;
	memcpy(want->hash, far->asked.hash, 32);
}

/* The want stays as it is until all of it came: it would else be another one after every header. */
static void ask_parents(struct dr_follow *f)
{
	struct far *far = &f->far;
	const uint64_t goal = f->base_number + DR_FOLLOW_REACH, last = far->walk.number;

	far->asked = far->walk;
	far->asked_first = last - goal < PARENTS_AT_ONCE || last < goal ? goal : last - PARENTS_AT_ONCE + 1;
	if (far->asked_first > last)
		far->asked_first = last;
}

bool dr_follow_far_header(struct dr_follow *f, const struct dr_evm_header *h, enum dr_take *take,
			  struct dr_fail *fail)
{
	struct far *far = &f->far;

	*take = DR_TAKE_KEPT;
	if (!f->has_base || far->num == 0)
		return false;
	if (!far->has_header && memcmp(far->rungs[0].hash, h->hash, 32) == 0) {
		if (h->number != far->rungs[0].number) {
			*take = refuse(fail, DR_ERR_PROOF, "a final block's header has another number than was named",
				       0);
			return true;
		}
		far->has_header = true;
		far->asked.number = 0;
		memcpy(far->state_root, h->state_root, 32);
	} else if (far->has_header && memcmp(far->walk.hash, h->hash, 32) == 0) {
		if (h->number != far->walk.number) {
			*take = refuse(fail, DR_ERR_PROOF, "a header's number is not its child's less one", 0);
			return true;
		}
		/* A rung where the tree reaches from here, and one now and then on a long way. */
		if (h->number <= f->base_number + DR_FOLLOW_REACH ||
		    far->rungs[0].number - h->number >= DR_FOLLOW_REACH) {
			dr_follow_far_add(f, h->number, h->hash);
			far->has_header = true;
			memcpy(far->state_root, h->state_root, 32);
		}
	} else {
		/* Those above the walk have been passed: another endpoint began from the top. */
		*take = DR_TAKE_KNOWN;
		return far->has_header && h->number > far->walk.number && h->number <= far->asked.number;
	}
	far->walk.number = h->number - 1;
	memcpy(far->walk.hash, h->parent_hash, 32);
	if (far->asked.number == 0 || h->number <= far->asked_first)
		ask_parents(f);
	return true;
}

bool dr_follow_far_state(struct dr_follow *f, const struct dr_frame *frame, enum dr_take *take, struct dr_fail *fail)
{
	struct far *far = &f->far;
	uint8_t slot[32];

	*take = DR_TAKE_REFUSED;
	if (!f->has_base || far->num == 0 || !far->has_header || frame->payload.len < 52 ||
	    memcmp(frame->payload.ptr, far->rungs[0].hash, 32) != 0 ||
	    memcmp(frame->payload.ptr + 32, dr_evm_history_address, 20) != 0)
		return false;
	const uint64_t from = far->rungs[0].number;

	dr_arena_reset(f->arena);
	if (dr_in_state_take(&f->state, frame->payload, far->state_root, f->arena, fail) != DR_OK)
		return true;
	for (uint64_t at = target_of(f); at < from; at += DR_FOLLOW_REACH) {
		const uint8_t *hash = dr_evm_history_slot(slot, from, at) ? dr_in_state_slot(&f->state, slot) : NULL;

		if (hash == NULL) {
			refuse(fail, DR_ERR_PROOF, "a proof of old block hashes without a slot that was asked for",
			       0);
			return true;
		}
		if (dr_bytes_zero(hash, 32)) {
			/* True: this chain keeps none. Nothing to remember but not to ask again. */
			far->no_history = true;
			*take = DR_TAKE_KNOWN;
			return true;
		}
	}
	for (uint64_t at = target_of(f); at < from; at += DR_FOLLOW_REACH) {
		dr_evm_history_slot(slot, from, at);
		dr_follow_far_add(f, at, dr_in_state_slot(&f->state, slot));
	}
	*take = DR_TAKE_KEPT;
	return true;
}
