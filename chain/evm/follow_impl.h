/* SPDX-License-Identifier: Apache-2.0
 *
 * follow_impl: the follower's insides, shared by follow.c (what comes in and goes out), follow_take.c (what
 * a block's evidence proves) and follow_wants.c (what is missing). Nobody else includes it.
 *
 * Layer: chain/evm.
 */
#ifndef DR_EVM_FOLLOW_IMPL_H
#define DR_EVM_FOLLOW_IMPL_H

#include "chain/evm/follow.h"
#include "chain/evm/follow_in.h"
#include "chain/evm/tree.h"
#include "chain/facts_make.h"

#define NAMED_MAX      32u  /* final blocks named above the cursor */
#define QUEUE_MAX      128u /* findings not yet handed out */
#define FALSE_LOGS_MAX 16u  /* false log lists of one range, before receipts are asked for instead */

struct named {
	uint64_t number;
	uint8_t hash[32];
	bool set;
};

struct past {
	uint64_t number;
	uint8_t hash[32], state_root[32];
	struct dr_acc acc; /* of the contract's events up to this block */
	bool set;
};

struct dr_follow {
	struct dr_follow_config config;
	struct dr_tree tree;
	struct dr_arena *arena;
	struct dr_evm_bloom_memo *memo;
	/* The block below the first one wanted. Before the first final block: the parent of the start. */
	bool has_base, has_cursor;
	uint64_t base_number;
	uint8_t base_hash[32];
	struct dr_acc acc;   /* of the contract's events up to the base */
	uint64_t no_acc_to;  /* way (c) is not to be had up to this block */
	unsigned false_logs; /* log lists refused as false since the last final step */
	struct past *past;   /* ring by number */
	struct named final_[NAMED_MAX], head;
	struct named target;
	bool halted, unconfirmed;
	/* Going out. */
	struct {
		enum dr_follow_out out;
		struct dr_finality_finding finding;
	} queue[QUEUE_MAX];
	size_t queue_num, queue_next;
	struct dr_node **path, **going;
	size_t going_num, going_next;
	enum dr_status going_status;
	struct dr_fact_block block;
	/* The wish for the contract's state, and its answer. */
	struct {
		bool set, answered;
		uint64_t number;
		size_t num_slots;
		uint8_t slots[DR_STATE_SLOTS_MAX][32];
	} wish;
	struct dr_in_state state;
	struct dr_fact_state state_fact;
};

/* The final block that was handed out at number; NULL if it is not remembered. */
static inline const struct past *past_at(const struct dr_follow *f, uint64_t number)
{
	const struct past *p = &f->past[number % DR_FOLLOW_PAST_MAX];

	return p->set && p->number == number ? p : NULL;
}

/* The way from the base to tip, in f->path. */
static inline enum dr_path path_to(struct dr_follow *f, const struct named *tip, size_t *num,
				   uint8_t missing[static 32], uint64_t *missing_number)
{
	return dr_tree_path(&f->tree, f->base_number, f->base_hash, tip->number, tip->hash, f->path, num, missing,
			    missing_number);
}

static inline enum dr_take refuse(struct dr_fail *fail, enum dr_err err, const char *what, size_t at)
{
	dr_fail_set(fail, err, what, at);
	return DR_TAKE_REFUSED;
}

/* dr_follow_take_*: a block's receipts, the contract's state, or a log list; follow.c then advances. */
enum dr_take dr_follow_take_receipts(struct dr_follow *f, const struct dr_frame *frame, struct dr_fail *fail);
enum dr_take dr_follow_take_state(struct dr_follow *f, const struct dr_frame *frame, struct dr_fail *fail);
enum dr_take dr_follow_take_logs(struct dr_follow *f, const struct dr_frame *frame, struct dr_fail *fail);

#endif
