/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/evm/follow_impl.h"

#include <string.h>

#include "chain/base/arena.h"
#include "chain/evm/bloom.h"
#include "chain/trie/mpt.h"

#define ARENA_CAP ((size_t)512 << 20) /* scratch for one frame */

struct dr_follow *dr_follow_new(const struct dr_follow_config *config)
{
	DR_ASSERT(config->start_number >= 1 && config->step_max >= 1 && config->step_max <= DR_FOLLOW_STEP_MAX);
	struct dr_follow *f = dr_heap_alloc(sizeof(*f));

	if (f == NULL)
		return NULL;
	f->config = *config;
	f->arena = dr_arena_new(ARENA_CAP);
	f->memo = dr_heap_alloc(sizeof(*f->memo));
	f->past = dr_heap_alloc(DR_FOLLOW_PAST_MAX * sizeof(*f->past));
	f->path = dr_heap_alloc(DR_FOLLOW_BLOCKS_MAX * sizeof(struct dr_node *));
	f->going = dr_heap_alloc(DR_FOLLOW_BLOCKS_MAX * sizeof(struct dr_node *));
	f->far.rungs = dr_heap_alloc(DR_FOLLOW_FAR_MAX * sizeof(*f->far.rungs));
	f->young = dr_heap_alloc(DR_FOLLOW_YOUNG_MAX * sizeof(*f->young));
	if (f->arena == NULL || f->memo == NULL || f->past == NULL || f->path == NULL || f->going == NULL ||
	    f->far.rungs == NULL || f->young == NULL) {
		dr_follow_free(f);
		return NULL;
	}
	return f;
}

static bool every(void *ctx, const struct dr_node *node)
{
	(void)ctx;
	(void)node;
	return true;
}

void dr_follow_free(struct dr_follow *f)
{
	if (f == NULL)
		return;
	dr_tree_prune(&f->tree, every, NULL);
	dr_arena_free(f->arena);
	dr_heap_free(f->memo);
	dr_heap_free(f->past);
	dr_heap_free(f->path);
	dr_heap_free(f->going);
	dr_heap_free(f->far.rungs);
	dr_heap_free(f->young);
	dr_heap_free(f);
}

/* What contradicts what. */
#define BESIDE_HELD    "a block is final beside the final block that is held at its number"
#define BESIDE_NAMED   "two blocks of one number are final"
#define ASIDE_OF_HELD  "a block is final that does not descend from the final block that is held"
#define ASIDE_OF_FINAL "two blocks are final of which neither descends from the other"
#define ASIDE_OF_START "a block is final that does not descend from the start block"
#define ASIDE_OF(f)    ((f)->has_cursor ? ASIDE_OF_HELD : ASIDE_OF_START)

static void enqueue(struct dr_follow *f, enum dr_follow_out out, const struct dr_finality_finding *finding)
{
	if (f->queue_num == QUEUE_MAX) {
		if (out != DR_OUT_CONFLICT)
			return; /* dissent beyond the bound is dropped; a conflict never is */
		f->queue_num--;
	}
	f->queue[f->queue_num].out = out;
	f->queue[f->queue_num++].finding = *finding;
}

/* A final block that nobody names just now. */
static struct dr_finality_finding own_finding(uint64_t number, const uint8_t hash[static 32])
{
	struct dr_finality_finding finding = {
		.kind = DR_FINDING_BLOCK, .status = DR_STATUS_FINAL, .number = number, .source = DR_SOURCE_CORE
	};

	memcpy(finding.hash, hash, 32);
	return finding;
}

static void conflict(struct dr_follow *f, struct dr_finality_finding finding, const char *why)
{
	if (f->halted)
		return;
	finding.why = why;
	f->halted = true;
	f->going_num = f->going_next = 0;
	enqueue(f, DR_OUT_CONFLICT, &finding);
}

/* The path starts at the anchor's own block, and every named final block that lies on it is the path's own. */
static bool path_agrees(struct dr_follow *f, size_t num)
{
	if (!f->has_cursor && num > 0 && memcmp(f->path[0]->hash, f->config.start_hash, 32) != 0) {
		conflict(f, own_finding(f->path[0]->number, f->path[0]->hash), ASIDE_OF_START);
		return false;
	}
	for (size_t i = 0; i < NAMED_MAX; i++) {
		const struct named *n = &f->final_[i];

		if (!n->set || n->number <= f->base_number || n->number - f->base_number > num)
			continue;
		const struct dr_node *node = f->path[n->number - f->base_number - 1];

		if (memcmp(node->hash, n->hash, 32) != 0) {
			conflict(f, own_finding(n->number, n->hash), ASIDE_OF_FINAL);
			return false;
		}
	}
	return true;
}

/* The highest named final block whose chain of parents reaches the base; the path is in f->path. */
static size_t final_path(struct dr_follow *f)
{
	uint64_t below = UINT64_MAX;

	for (;;) {
		const struct named *tip = NULL;
		uint8_t missing[32];
		uint64_t missing_number;
		size_t num;

		for (size_t i = 0; i < NAMED_MAX; i++) {
			const struct named *n = &f->final_[i];

			if (n->set && n->number > f->base_number && n->number < below &&
			    (tip == NULL || n->number > tip->number))
				tip = n;
		}
		if (tip == NULL)
			return 0;
		below = tip->number;
		switch (path_to(f, tip, &num, missing, &missing_number)) {
		case DR_PATH_LINKED: return path_agrees(f, num) ? num : 0;
		case DR_PATH_MISSING: break;
		case DR_PATH_BROKEN: break;
		case DR_PATH_FORK: conflict(f, own_finding(tip->number, tip->hash), ASIDE_OF(f)); return 0;
		}
	}
}

/* Chooses what goes out next: the complete prefix of the way to the newest final block, else of the way
 * to the head. */
static void advance(struct dr_follow *f)
{
	size_t num, ready = 0;

	if (f->halted || !f->has_base || f->going_next < f->going_num)
		return;
	f->going_num = f->going_next = 0;
	num = final_path(f);
	if (f->halted)
		return;
	while (ready < num && f->path[ready]->complete != DR_COMPLETE_NONE)
		ready++;
	if (ready > 0) {
		memcpy(f->going, f->path, ready * sizeof(f->path[0]));
		f->going_num = ready;
		f->going_status = DR_STATUS_FINAL;
		return;
	}
	if (num > 0 || !f->has_cursor || !f->head.set || f->head.number <= f->base_number)
		return;
	uint8_t missing[32];
	uint64_t missing_number;

	if (path_to(f, &f->head, &num, missing, &missing_number) != DR_PATH_LINKED)
		return;
	for (size_t i = 0; i < num && f->path[i]->complete != DR_COMPLETE_NONE; i++) {
		if (!f->path[i]->said_head)
			f->going[f->going_num++] = f->path[i];
		f->path[i]->said_head = true;
	}
	f->going_status = DR_STATUS_HEAD;
}

static void name_final(struct dr_follow *f, const struct dr_finality_finding *finding)
{
	struct named *free_slot = NULL, *lowest = NULL;

	if (f->has_cursor && finding->number <= f->base_number) {
		const struct past *p = past_at(f, finding->number);

		if (p != NULL && memcmp(p->hash, finding->hash, 32) != 0)
			conflict(f, *finding, BESIDE_HELD);
		else if (p != NULL && f->unconfirmed && finding->number == f->base_number) {
			f->unconfirmed = false;
			enqueue(f, DR_OUT_CONFIRMED, finding);
		}
		return;
	}
	if (finding->number < f->config.start_number)
		return;
	if (finding->number == f->config.start_number && memcmp(finding->hash, f->config.start_hash, 32) != 0) {
		conflict(f, *finding, ASIDE_OF_START);
		return;
	}
	if (!f->target.set || finding->number > f->target.number) {
		f->target = (struct named){ .number = finding->number, .set = true };
		memcpy(f->target.hash, finding->hash, 32);
	}
	const uint64_t from = f->has_base ? f->base_number : f->config.start_number - 1;

	if (finding->number - from > DR_FOLLOW_REACH && dr_tree_find(&f->tree, finding->hash) == NULL) {
		if (dr_follow_far_add(f, finding->number, finding->hash) == FAR_CLASH)
			conflict(f, *finding, BESIDE_NAMED);
		return;
	}
	for (size_t i = 0; i < NAMED_MAX; i++) {
		struct named *n = &f->final_[i];

		if (!n->set) {
			free_slot = n;
			continue;
		}
		if (n->number == finding->number) {
			if (memcmp(n->hash, finding->hash, 32) != 0)
				conflict(f, *finding, BESIDE_NAMED);
			return;
		}
		if (lowest == NULL || n->number < lowest->number)
			lowest = n;
	}
	if (free_slot == NULL)
		free_slot = lowest;
	*free_slot = (struct named){ .number = finding->number, .set = true };
	memcpy(free_slot->hash, finding->hash, 32);
}

/* An older proof of finality names nothing; but it may contradict. */
static void check_past(struct dr_follow *f, const struct dr_finality_finding *finding)
{
	const struct past *p = past_at(f, finding->number);
	bool other = dr_follow_far_clash(f, finding->number, finding->hash);

	for (size_t i = 0; i < NAMED_MAX; i++)
		other |= f->final_[i].set && f->final_[i].number == finding->number &&
			 memcmp(f->final_[i].hash, finding->hash, 32) != 0;
	if (p != NULL && memcmp(p->hash, finding->hash, 32) != 0)
		conflict(f, *finding, BESIDE_HELD);
	else if (other)
		conflict(f, *finding, BESIDE_NAMED);
}

/* Final blocks that the tree now reaches. */
static void name_near(struct dr_follow *f)
{
	struct named rung;

	while (!f->halted && dr_follow_far_next(f, &rung)) {
		const struct dr_finality_finding finding = own_finding(rung.number, rung.hash);

		name_final(f, &finding);
	}
}

static void drain_finality(struct dr_follow *f)
{
	struct dr_finality_finding finding;

	while (f->config.finality.next(f->config.finality.self, &finding)) {
		switch (finding.kind) {
		case DR_FINDING_NONE: break;
		case DR_FINDING_DISSENT:
		case DR_FINDING_EQUIVOCAL: enqueue(f, DR_OUT_DISSENT, &finding); break;
		case DR_FINDING_PAST: check_past(f, &finding); break;
		case DR_FINDING_CONFLICT: conflict(f, finding, finding.why); break;
		case DR_FINDING_BLOCK:
			if (finding.status == DR_STATUS_FINAL) {
				name_final(f, &finding);
			} else {
				f->head = (struct named){ .number = finding.number, .set = true };
				memcpy(f->head.hash, finding.hash, 32);
			}
			break;
		}
	}
}

static enum dr_take take_finality(struct dr_follow *f, const struct dr_frame *frame, struct dr_fail *fail)
{
	bool news;

	if (f->config.finality.frame(f->config.finality.self, frame->payload, frame->source, &news, fail) != DR_OK)
		return DR_TAKE_REFUSED;
	drain_finality(f);
	return news ? DR_TAKE_KEPT : DR_TAKE_KNOWN;
}

static bool is_child(void *ctx, const struct dr_node *node)
{
	return memcmp(node->parent, ctx, 32) == 0;
}

static bool is_named(const struct dr_follow *f, const uint8_t hash[static 32])
{
	bool named = f->head.set && memcmp(f->head.hash, hash, 32) == 0;

	for (size_t i = 0; i < NAMED_MAX; i++)
		named |= f->final_[i].set && memcmp(f->final_[i].hash, hash, 32) == 0;
	return named;
}

static bool is_needless(void *ctx, const struct dr_node *node)
{
	(void)ctx;
	return !node->keep;
}

static bool unmark(void *ctx, const struct dr_node *node)
{
	struct dr_node *at = dr_tree_find(ctx, node->hash);

	at->keep = false;
	return false;
}

/* The tree is full of blocks that lead nowhere: keep only the ways to what finality named, as far as they are held.
 */
static void make_room(struct dr_follow *f)
{
	dr_tree_prune(&f->tree, unmark, &f->tree);
	for (size_t i = 0; i <= NAMED_MAX; i++) {
		const struct named *tip = i < NAMED_MAX ? &f->final_[i] : &f->head;
		struct dr_node *node = tip->set ? dr_tree_find(&f->tree, tip->hash) : NULL;

		for (; node != NULL && !node->keep; node = dr_tree_find(&f->tree, node->parent))
			node->keep = true;
	}
	dr_tree_prune(&f->tree, is_needless, NULL);
}

/* A header belongs here if something vouches for it: its parent is held, or its hash is asked for. */
static enum dr_take place_header(struct dr_follow *f, const struct dr_evm_header *h, struct dr_fail *fail)
{
	const struct dr_node *parent = dr_tree_find(&f->tree, h->parent_hash);
	uint64_t parent_number = 0;
	uint8_t hash[32];

	memcpy(hash, h->hash, 32);
	if (!f->has_base) {
		if (memcmp(h->hash, f->config.start_hash, 32) != 0)
			return refuse(fail, DR_ERR_STALE, "the first header must have the start block's hash", 0);
		if (h->number != f->config.start_number)
			return refuse(fail, DR_ERR_PROOF, "the start block's hash belongs to another number", 0);
		f->has_base = true;
		f->base_number = h->number - 1;
		memcpy(f->base_hash, h->parent_hash, 32);
	}
	if (h->number <= f->base_number)
		return refuse(fail, DR_ERR_STALE, "a header at or below the cursor", 0);
	if (h->number - f->base_number > DR_FOLLOW_BLOCKS_MAX)
		return refuse(fail, DR_ERR_STALE, "a header too far above the cursor", 0);
	if (parent != NULL)
		parent_number = parent->number;
	else if (memcmp(h->parent_hash, f->base_hash, 32) == 0)
		parent_number = f->base_number;
	else if (!is_named(f, h->hash) && dr_tree_any(&f->tree, is_child, hash) == NULL)
		return refuse(fail, DR_ERR_STALE,
			      "a header that nothing vouches for: no parent here, and not asked for", 0);
	else
		parent_number = h->number - 1;
	if (h->number != parent_number + 1)
		return refuse(fail, DR_ERR_PROOF, "a header's number is not its parent's plus one", 0);
	return DR_TAKE_KEPT;
}

static enum dr_take take_header(struct dr_follow *f, const struct dr_frame *frame, struct dr_fail *fail)
{
	struct dr_evm_header h;
	enum dr_take far;

	if (dr_evm_header_decode(&h, frame->payload, fail) != DR_OK)
		return DR_TAKE_REFUSED;
	/* First the way down: it asks for headers, whether or not somebody told them before, unasked. */
	if (dr_follow_far_header(f, &h, &far, fail))
		return far;
	if (dr_tree_find(&f->tree, h.hash) != NULL)
		return DR_TAKE_KNOWN;
	if (f->has_cursor && h.number <= f->base_number) {
		const struct past *p = past_at(f, h.number);

		if (p != NULL && memcmp(p->hash, h.hash, 32) == 0)
			return DR_TAKE_KNOWN;
	}
	const enum dr_take take = place_header(f, &h, fail);

	f->astray |= take != DR_TAKE_KEPT && f->has_base && h.number == f->base_number + 1;
	if (take != DR_TAKE_KEPT)
		return take;
	if (f->tree.num >= DR_FOLLOW_BLOCKS_MAX)
		make_room(f);
	if (f->tree.num >= DR_FOLLOW_BLOCKS_MAX)
		return refuse(fail, DR_ERR_STALE, "no room: all headers that are held lead to what was named", 0);
	struct dr_node *node = dr_tree_add(&f->tree, &h);

	if (node == NULL)
		return refuse(fail, DR_ERR_NOMEM, "no memory for a header", 0);
	node->source = frame->source;
	for (size_t i = 0; i < NAMED_MAX; i++)
		node->contradicts |= f->final_[i].set && f->final_[i].number >= h.number;
	if (memcmp(h.receipts_root, dr_mpt_empty_root, 32) == 0 && dr_bytes_zero(h.bloom, 256))
		node->complete = DR_COMPLETE_RECEIPTS; /* no receipts at all: that root has no other list */
	else if (f->config.way != DR_WAY_RECEIPTS && dr_evm_bloom_excludes(h.bloom, f->config.contract, 20))
		node->complete = DR_COMPLETE_BLOOM;
	return DR_TAKE_KEPT;
}

enum dr_take dr_follow_frame(struct dr_follow *f, const struct dr_frame *frame, struct dr_fail *fail)
{
	enum dr_take take = DR_TAKE_REFUSED;

	DR_ASSERT(f->going_next == f->going_num && f->queue_next == f->queue_num);
	if (f->halted)
		return refuse(fail, DR_ERR_STALE, "halted: something contradicts a final block", 0);
	switch (frame->type) {
	case DR_FRAME_FINALITY: take = take_finality(f, frame, fail); break;
	case DR_FRAME_HEADER: take = take_header(f, frame, fail); break;
	case DR_FRAME_RECEIPTS: take = dr_follow_take_receipts(f, frame, fail); break;
	case DR_FRAME_STATE: take = dr_follow_take_state(f, frame, fail); break;
	case DR_FRAME_LOGS: take = dr_follow_take_logs(f, frame, fail); break;
	default: return refuse(fail, DR_ERR_UNKNOWN, "a frame type that this build does not know", frame->type);
	}
	if (take == DR_TAKE_KEPT) {
		name_near(f);
		advance(f);
	}
	if (f->halted) {
		dr_fail_set(fail, DR_ERR_PROOF, "a proof of what is final contradicts what is final here", 0);
		take = DR_TAKE_CONFLICT;
	}
	return take;
}

static bool is_passed(void *ctx, const struct dr_node *node)
{
	struct dr_follow *f = ctx;

	if (node->number > f->base_number)
		return false;
	const struct past *p = past_at(f, node->number);

	if (node->contradicts && p != NULL && memcmp(p->hash, node->hash, 32) != 0) {
		struct dr_finality_finding finding = { .kind = DR_FINDING_DISSENT,
						       .status = DR_STATUS_FINAL,
						       .number = node->number,
						       .source = node->source };

		memcpy(finding.hash, node->hash, 32);
		enqueue(f, DR_OUT_DISSENT, &finding);
	}
	return true;
}

/* The final step is handed out: its last block is the new base. */
static void commit_step(struct dr_follow *f)
{
	for (size_t i = 0; i < f->going_num; i++) {
		const struct dr_node *node = f->going[i];
		struct past *p = &f->past[node->number % DR_FOLLOW_PAST_MAX];

		p->set = true;
		p->number = node->number;
		memcpy(p->hash, node->hash, 32);
		memcpy(p->state_root, node->state_root, 32);
		for (size_t e = 0; f->config.has_accumulator && e < node->num_events; e++)
			dr_acc_roll(&f->acc, node->number, node->timestamp, &node->events[e]);
		p->acc = f->acc;
	}
	const struct dr_node *last = f->going[f->going_num - 1];

	f->has_cursor = true;
	f->unconfirmed = false;
	f->false_logs = 0;
	f->astray = false;
	f->base_number = last->number;
	memcpy(f->base_hash, last->hash, 32);
	for (size_t i = 0; i < NAMED_MAX; i++)
		if (f->final_[i].set && f->final_[i].number <= f->base_number)
			f->final_[i].set = false;
	f->going_num = f->going_next = 0;
	dr_tree_prune(&f->tree, is_passed, f);
}

enum dr_follow_out dr_follow_next(struct dr_follow *f, const struct dr_fact_block **block,
				  const struct dr_fact_state **state, struct dr_finality_finding *finding)
{
	*block = NULL;
	*state = NULL;
	memset(finding, 0, sizeof(*finding));
	for (;;) {
		if (f->queue_next < f->queue_num) {
			const enum dr_follow_out out = f->queue[f->queue_next].out;

			*finding = f->queue[f->queue_next++].finding;
			if (f->queue_next == f->queue_num)
				f->queue_next = f->queue_num = 0;
			return out;
		}
		if (f->halted)
			return DR_OUT_NONE;
		if (f->going_next < f->going_num) {
			const struct dr_node *node = f->going[f->going_next++];

			f->block = (struct dr_fact_block){
				.proof = f->config.finality.proof,
				.status = f->going_status,
				.complete = node->complete,
				.number = node->number,
				.timestamp = node->timestamp,
				.num_events = node->num_events,
				.events = node->events,
			};
			memcpy(f->block.hash, node->hash, 32);
			memcpy(f->block.parent, node->parent, 32);
			*block = &f->block;
			return DR_OUT_BLOCK;
		}
		if (f->going_num > 0 && f->going_status == DR_STATUS_FINAL) {
			commit_step(f);
			name_near(f);
			advance(f);
			continue;
		}
		f->going_num = f->going_next = 0;
		if (f->wish.set && f->wish.answered) {
			f->wish.set = f->wish.answered = false;
			*state = &f->state_fact;
			return DR_OUT_STATE;
		}
		return DR_OUT_NONE;
	}
}

void dr_follow_want_state(struct dr_follow *f, uint64_t number, const uint8_t (*slots)[32], size_t num_slots)
{
	DR_ASSERT(num_slots <= DR_STATE_SLOTS_MAX);
	f->wish.set = true;
	f->wish.answered = false;
	f->wish.number = number;
	f->wish.num_slots = num_slots;
	memcpy(f->wish.slots, slots, num_slots * 32);
	/* What was proven while the block was young. */
	const struct past *p = past_at(f, number);

	for (size_t i = 0; i < DR_FOLLOW_YOUNG_MAX; i++) {
		struct young *y = &f->young[i];

		if (!y->set || y->number > number)
			continue;
		if (p != NULL && y->answered && y->number == number && memcmp(y->hash, p->hash, 32) == 0 &&
		    y->num_slots == num_slots && memcmp(y->slots, slots, num_slots * 32) == 0)
			dr_follow_answer(f, p, &y->state);
		y->set = false;
	}
}

void dr_follow_want_young(struct dr_follow *f, uint64_t number, const uint8_t hash[static 32],
			  const uint8_t (*slots)[32], size_t num_slots)
{
	DR_ASSERT(num_slots <= DR_STATE_SLOTS_MAX);
	for (size_t i = 0; i < DR_FOLLOW_YOUNG_MAX; i++)
		if (f->young[i].set && memcmp(f->young[i].hash, hash, 32) == 0)
			return;
	struct young *y = &f->young[f->young_next];

	f->young_next = (f->young_next + 1) % DR_FOLLOW_YOUNG_MAX;
	y->set = true;
	y->answered = false;
	y->number = number;
	memcpy(y->hash, hash, 32);
	y->num_slots = num_slots;
	memcpy(y->slots, slots, num_slots * 32);
}

bool dr_follow_halted(const struct dr_follow *f)
{
	return f->halted;
}

void dr_follow_restart(struct dr_follow *f)
{
	f->config.finality.restart(f->config.finality.self);
	f->unconfirmed = f->has_cursor;
	f->wish.set = f->wish.answered = false;
	f->far.num = 0;
	f->far.has_header = f->far.no_history = false;
	memset(f->final_, 0, sizeof(f->final_));
	memset(&f->head, 0, sizeof(f->head));
}
