/* SPDX-License-Identifier: Apache-2.0
 *
 * follow_impl: the follower's insides, shared by follow.c (what comes in and goes out), follow_take.c (what
 * a block's evidence proves), follow_far.c (final blocks far above) and follow_wants.c (what is missing). Nobody else
 * includes it.
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

/* How far above the cursor headers are held: the rest of the tree is room for forks. */
#define DR_FOLLOW_REACH (DR_FOLLOW_BLOCKS_MAX - DR_FOLLOW_BLOCKS_MAX / 8)
#define PARENTS_AT_ONCE 512u

struct named {
	uint64_t number;
	uint8_t hash[32];
	bool set;
};

/* Final blocks beyond the reach, ascending, and the way down from the lowest of them. */
struct far {
	struct named *rungs; /* [0,num) */
	size_t num;
	bool has_header;        /* of the lowest */
	uint8_t state_root[32]; /* of the lowest */
	struct {
		uint64_t number;
		uint8_t hash[32];
	} walk, asked; /* the header that comes next, parent by parent; that which the standing want begins with */
	uint64_t asked_first; /* and that which it ends with */
	bool no_history;      /* EIP-2935 does not help here: only parents do */
};

/* The contract's state at a block that is not final yet. */
struct young {
	bool set, answered;
	uint64_t number;
	uint8_t hash[32];
	size_t num_slots;
	uint8_t slots[DR_STATE_SLOTS_MAX][32];
	struct dr_in_state state; /* answered */
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
	struct far far;
	bool halted, unconfirmed;
	bool astray; /* a header at the base's height plus one had another parent: by number, another fork is served
		      */
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
	struct dr_in_state state;  /* of the frame that is being looked at */
	struct dr_in_state answer; /* what state_fact borrows */
	struct dr_fact_state state_fact;
	struct young *young; /* a ring */
	size_t young_next;
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

/* dr_follow_answer: the wish for p's state is answered by `state`. */
void dr_follow_answer(struct dr_follow *f, const struct past *p, const struct dr_in_state *state);

/* follow_far.c. dr_follow_far_add: a final block beyond the reach. dr_follow_far_clash: another hash is known to be
 * final at this number. dr_follow_far_next: the lowest that the tree reaches now leaves the ladder; false: none.
 * dr_follow_far_wants: what the way down needs next; kind 0: nothing. dr_follow_far_header, _state: true if the frame
 * belongs to the way down; *take is then what became of it. */
enum far_add {
	FAR_ADDED,
	FAR_KNOWN,
	FAR_CLASH, /* another hash is known to be final at this number */
};
enum far_add dr_follow_far_add(struct dr_follow *f, uint64_t number, const uint8_t hash[static 32]);
bool dr_follow_far_clash(const struct dr_follow *f, uint64_t number, const uint8_t hash[static 32]);
bool dr_follow_far_next(struct dr_follow *f, struct named *out);
void dr_follow_far_wants(const struct dr_follow *f, struct dr_want *want);
bool dr_follow_far_header(struct dr_follow *f, const struct dr_evm_header *h, enum dr_take *take,
			  struct dr_fail *fail);
bool dr_follow_far_state(struct dr_follow *f, const struct dr_frame *frame, enum dr_take *take, struct dr_fail *fail);

#endif
