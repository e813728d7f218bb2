/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/evm/follow_impl.h"

#include <string.h>

/* The node that the first 32 bytes of a payload name. */
static struct dr_node *node_named(struct dr_follow *f, const struct dr_frame *frame)
{
	return frame->payload.len < 32 ? NULL : dr_tree_find(&f->tree, frame->payload.ptr);
}

/* What names a block that was handed out as final adds nothing, true or not. */
static bool is_past(const struct dr_follow *f, const struct dr_frame *frame)
{
	for (size_t i = 0; i < DR_FOLLOW_PAST_MAX; i++)
		if (f->past[i].set && memcmp(f->past[i].hash, frame->payload.ptr, 32) == 0)
			return true;
	return false;
}

/* On the way from the cursor to a block that finality named final. What a log list proves, it proves about every
 * block below its last one, so that block must be more than somebody's header. */
static bool is_on_final_path(struct dr_follow *f, const struct dr_node *node)
{
	for (size_t i = 0; i < NAMED_MAX; i++) {
		const struct named *tip = &f->final_[i];
		uint8_t missing[32];
		uint64_t missing_number;
		size_t num;

		if (tip->set && tip->number >= node->number &&
		    path_to(f, tip, &num, missing, &missing_number) == DR_PATH_LINKED &&
		    f->path[node->number - f->base_number - 1] == node)
			return true;
	}
	return false;
}

enum dr_take dr_follow_take_receipts(struct dr_follow *f, const struct dr_frame *frame, struct dr_fail *fail)
{
	struct dr_node *node = node_named(f, frame);

	if (frame->payload.len < 32)
		return refuse(fail, DR_ERR_SHORT, "receipts that name no block", frame->payload.len);
	if (node == NULL && is_past(f, frame))
		return DR_TAKE_KNOWN;
	if (node == NULL)
		return refuse(fail, DR_ERR_STALE, "receipts of a block that is not held", 0);
	if (node->complete != DR_COMPLETE_NONE)
		return DR_TAKE_KNOWN;
	dr_arena_reset(f->arena);
	if (dr_in_receipts(node, frame->payload, f->config.contract, f->memo, f->arena, fail) != DR_OK)
		return DR_TAKE_REFUSED;
	return DR_TAKE_KEPT;
}

/* Way (c), first half: the contract's count and rolling hash after node, under its pinned code. */
static enum dr_take take_accumulator(struct dr_follow *f, struct dr_node *node, const struct dr_in_state *s,
				     struct dr_fail *fail)
{
	const uint8_t *count = dr_in_state_slot(s, f->config.count_slot),
		      *acc = dr_in_state_slot(s, f->config.acc_slot);

	if (count == NULL || acc == NULL)
		return refuse(fail, DR_ERR_PROOF, "a state proof without the accumulator's two slots", 0);
	if (memcmp(s->account.code_hash, f->config.code_hash, 32) != 0) {
		/* True, as far as this header is; what the contract keeps under other code counts for nothing. */
		if (is_on_final_path(f, node))
			f->no_acc_to = node->number;
		return DR_TAKE_KNOWN;
	}
	if (!dr_word_u64(&node->acc_count, count))
		return refuse(fail, DR_ERR_LIMIT, "the contract's event count", 0);
	memcpy(node->acc, acc, 32);
	node->has_acc = true;
	return DR_TAKE_KEPT;
}

/* The proven accumulator after p against the one that the events handed out roll up to. */
static enum dr_agree accumulator_agrees(const struct dr_follow *f, const struct past *p)
{
	const uint8_t *count = dr_in_state_slot(&f->answer, f->config.count_slot);
	const uint8_t *acc = dr_in_state_slot(&f->answer, f->config.acc_slot);
	uint64_t proven;

	if (!f->config.has_accumulator || count == NULL || acc == NULL ||
	    memcmp(f->answer.account.code_hash, f->config.code_hash, 32) != 0)
		return DR_AGREE_UNKNOWN;
	if (!dr_word_u64(&proven, count) || proven != p->acc.count || memcmp(acc, p->acc.acc, 32) != 0)
		return DR_AGREE_NO;
	return DR_AGREE_YES;
}

void dr_follow_answer(struct dr_follow *f, const struct past *p, const struct dr_in_state *state)
{
	/* A copy: frames may come before it is handed out, and what they hold is nobody's word. */
	f->answer = *state;
	f->wish.answered = true;
	f->state_fact = (struct dr_fact_state){
		.number = p->number,
		.num_slots = f->answer.num_slots,
		.slots = (const uint8_t(*)[32])f->answer.slots,
		.values = (const uint8_t(*)[32])f->answer.values,
		.accumulator = accumulator_agrees(f, p),
	};
	memcpy(f->state_fact.hash, p->hash, 32);
	memcpy(f->state_fact.address, f->answer.address, 20);
	memcpy(f->state_fact.code_hash, f->answer.account.code_hash, 32);
}

static struct young *young_of(struct dr_follow *f, const struct dr_node *node)
{
	for (size_t i = 0; i < DR_FOLLOW_YOUNG_MAX; i++)
		if (f->young[i].set && !f->young[i].answered && memcmp(f->young[i].hash, node->hash, 32) == 0)
			return &f->young[i];
	return NULL;
}

static enum dr_err has_slots(const struct dr_in_state *state, const uint8_t (*slots)[32], size_t num,
			     struct dr_fail *fail)
{
	for (size_t i = 0; i < num; i++)
		if (dr_in_state_slot(state, slots[i]) == NULL)
			return dr_fail_set(fail, DR_ERR_PROOF, "a state proof without a slot that was asked for", i);
	return DR_OK;
}

/* A true state of this header, whatever becomes of the block: it is a fact once a final block descends from it. */
static enum dr_take take_young(struct dr_follow *f, struct young *young, struct dr_node *node,
			       const struct dr_frame *frame, struct dr_fail *fail)
{
	struct dr_fail own = { 0 };

	dr_arena_reset(f->arena);
	if (dr_in_state_take(&young->state, frame->payload, node->state_root, f->arena, fail) != DR_OK)
		return DR_TAKE_REFUSED;
	if (memcmp(young->state.address, f->config.contract, 20) != 0)
		return refuse(fail, DR_ERR_PROOF, "a state proof of another account", 32);
	if (has_slots(&young->state, (const uint8_t(*)[32])young->slots, young->num_slots, &own) == DR_OK) {
		young->answered = true;
		return DR_TAKE_KEPT;
	}
	/* Way (c) may ask about the same block, for two slots alone. */
	if (f->config.has_accumulator && !node->has_acc)
		return take_accumulator(f, node, &young->state, fail);
	return refuse(fail, own.err, own.what, own.at);
}

enum dr_take dr_follow_take_state(struct dr_follow *f, const struct dr_frame *frame, struct dr_fail *fail)
{
	struct dr_node *node = node_named(f, frame);
	const struct past *p = f->wish.set && !f->wish.answered ? past_at(f, f->wish.number) : NULL;
	struct young *young = node != NULL ? young_of(f, node) : NULL;
	enum dr_take far;

	if (dr_follow_far_state(f, frame, &far, fail))
		return far;
	if (young != NULL)
		return take_young(f, young, node, frame, fail);
	const bool wished = p != NULL && frame->payload.len >= 32 && memcmp(p->hash, frame->payload.ptr, 32) == 0;

	if (!wished && node == NULL && frame->payload.len >= 32 && is_past(f, frame))
		return DR_TAKE_KNOWN;
	if (!wished && (node == NULL || !f->config.has_accumulator))
		return refuse(fail, DR_ERR_STALE, "a state proof that nobody asked for", 0);
	if (!wished && node->has_acc)
		return DR_TAKE_KNOWN;
	dr_arena_reset(f->arena);
	if (dr_in_state_take(&f->state, frame->payload, wished ? p->state_root : node->state_root, f->arena, fail) !=
	    DR_OK)
		return DR_TAKE_REFUSED;
	if (memcmp(f->state.address, f->config.contract, 20) != 0)
		return refuse(fail, DR_ERR_PROOF, "a state proof of another account", 32);
	if (!wished)
		return take_accumulator(f, node, &f->state, fail);
	if (has_slots(&f->state, (const uint8_t(*)[32])f->wish.slots, f->wish.num_slots, fail) != DR_OK)
		return DR_TAKE_REFUSED;
	dr_follow_answer(f, p, &f->state);
	return DR_TAKE_KEPT;
}

enum dr_take dr_follow_take_logs(struct dr_follow *f, const struct dr_frame *frame, struct dr_fail *fail)
{
	struct dr_node *node = node_named(f, frame);
	uint8_t missing[32];
	uint64_t missing_number;
	size_t num;

	if (node == NULL && frame->payload.len >= 32 && is_past(f, frame))
		return DR_TAKE_KNOWN;
	if (node == NULL || !node->has_acc)
		return refuse(fail, DR_ERR_STALE, "a log list up to a block whose accumulator is not proven", 0);
	if (!is_on_final_path(f, node))
		return refuse(fail, DR_ERR_STALE, "a log list up to a block that is not final", 0);
	struct named tip = { .number = node->number, .set = true };

	memcpy(tip.hash, node->hash, 32);
	if (path_to(f, &tip, &num, missing, &missing_number) != DR_PATH_LINKED)
		return refuse(fail, DR_ERR_STALE, "a log list over headers that are not all held", 0);
	dr_arena_reset(f->arena);
	if (dr_in_logs(f->path, num, frame->payload, f->config.contract, &f->acc, f->arena, fail) != DR_OK) {
		/* Every source's list false: perhaps it is the contract that does not count as it should. */
		if (fail->err == DR_ERR_PROOF && ++f->false_logs == FALSE_LOGS_MAX)
			f->no_acc_to = node->number;
		return DR_TAKE_REFUSED;
	}
	return DR_TAKE_KEPT;
}
