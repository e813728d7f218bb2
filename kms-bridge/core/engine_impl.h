/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_impl: the engine's insides, shared by engine_new.c, engine.c (what comes in), engine_lease.c (the seal, the
 * clocks, the heartbeat), engine_rule.c (the decision, the status). Nobody else includes it.
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_ENGINE_IMPL_H
#define DR_CORE_ENGINE_IMPL_H

#include "chain/beacon/beacon.h"
#include "chain/evm/follow.h"
#include "chain/evm/quorum.h"
#include "governance/divergence.h"
#include "governance/findings.h"
#include "governance/fold.h"
#include "kms-bridge/core/engine.h"

/* Why nothing is answered. NONE is not zero: zeroed memory is sealed. */
enum dr_seal {
	DR_SEAL_NOT_STARTED = 0,
	DR_SEAL_FAILED, /* the host failed: this engine must not be used any more */
	DR_SEAL_HALTED,
	DR_SEAL_HELD,       /* the host's own reason */
	DR_SEAL_START,      /* no complete final block proven since the start */
	DR_SEAL_CLOCK,      /* the wall clock moved far against boot-time */
	DR_SEAL_STALE,      /* the newest complete final block is too old, by either clock */
	DR_SEAL_HEAD_STALE, /* the newest head is too old */
	DR_SEAL_FUTURE,     /* the newest final block is far in the future of the wall clock */
	DR_SEAL_HEADS,      /* more heads than can be counted */
	DR_SEAL_LEFT_OUT,   /* the contract's accumulator is not that of the proven events */
	DR_SEAL_HEARTBEAT,  /* no fresh nonce of ours seen on chain, and one is required */
	DR_SEAL_NONE,
};

struct dr_head {
	uint64_t number, time;
	uint8_t hash[32];
	struct dr_state state;
};

#define DR_NONCES_MAX 16u
struct dr_nonce {
	uint8_t nonce[32];
	uint64_t boot_ms;
};

struct dr_lie {
	const char *what;
	uint8_t hash[32];
	uint64_t minute; /* of boot-time, and the entries of that minute */
	unsigned noted;
};

struct dr_engine {
	struct dr_init init;
	struct dr_engine_host host;
	struct dr_profile profile;
	struct dr_self self;
	/* One of the two, by init.proof; and it behind the interface. */
	struct dr_quorum *quorum;
	struct dr_beacon *beacon;
	bool old_said;        /* that what was shown is too old to rest on */
	uint64_t period_said; /* the sync-committee period that was journalled last */
	struct dr_finality finality;
	struct dr_follow *follow;
	struct dr_fold fold;
	struct dr_findings *findings;
	struct dr_divergence *divergence;
	struct dr_merkle ledger, journal;
	bool quiet, failed;
	/* Time, as core-stamped frames told it. */
	struct {
		uint64_t boot_ms, wall_ms;
	} clock;
	bool clock_unkept;
	bool started, unproven;
	uint64_t lease_boot_ms;
	/* What the evidence says of the seal, and what holds: with the host's own reason, which is no evidence. */
	enum dr_seal lease, seal;
	const char *held;
	/* Wall clock less boot-time, modulo 2^64, as it was when the two were last believed. */
	struct {
		bool known;
		uint64_t ms;
	} offset;
	struct {
		struct dr_nonce nonces[DR_NONCES_MAX]; /* drawn in this boot and not seen; the oldest first */
		size_t num;
		bool drawn, seen;
		uint64_t drawn_boot_ms, seen_boot_ms; /* when the newest drawn, and the newest seen, were drawn */
	} heartbeat;
	/* The final state, and the heads that count. */
	bool has_final;
	struct {
		uint64_t number, time;
		uint8_t hash[32];
	} final_;
	struct dr_state state;
	struct dr_head *heads;
	struct dr_state *head_states; /* borrowed from heads, for one decision */
	size_t num_heads;
	bool heads_lost, head_news;
	uint64_t heads_lost_to; /* the highest head that was not counted */
	uint64_t head_number, head_time;
	uint8_t head_hash[32];
	struct {
		bool open;
		unsigned blocks;
		unsigned ways[4];
	} step;
	/* The state proof that is wished for, and the state it is held against. */
	struct {
		bool fresh;
		uint64_t number, time;
		uint8_t hash[32];
		struct dr_state state;
	} check;
	bool judged, left_out;
	uint64_t judged_time;                  /* timestamp of the block that was judged last */
	uint8_t slots[DR_STATE_SLOTS_MAX][32]; /* those that check.state asks for, while slots_stand */
	size_t num_slots;
	bool slots_stand;
	uint32_t num_divergences, num_findings;
	uint64_t frames_kept, frames_refused;
	uint32_t lies[DR_ENDPOINTS_MAX];
	struct dr_lie last_lie[DR_ENDPOINTS_MAX + 1]; /* the last: of all that is no endpoint */
	struct dr_want wants[DR_WANTS_MAX];
	size_t num_wants;
	uint32_t last_want;
	bool (*own_root)(void *ctx, uint64_t generation, const struct dr_root *published);
	void *own_root_ctx;
};

/* dr_engine_state_is_old: the contract's state was never proven, or so long ago that silence is danger: further than
 * max_staleness behind the final block, by their timestamps. Nothing is granted on it, and a proof at the newest
 * final block is asked for, whatever heights the profile fixes. */
bool dr_engine_state_is_old(const struct dr_engine *e);

/* engine_lease.c. dr_engine_lease: what the evidence says of the seal now. dr_engine_why: what the seal that holds
 * says. dr_engine_refresh: after whatever just happened; a change of the seal is journalled. */
enum dr_seal dr_engine_lease(const struct dr_engine *e);
const char *dr_engine_why(const struct dr_engine *e);
enum dr_err dr_engine_refresh(struct dr_engine *e, struct dr_fail *fail);
uint64_t dr_engine_lease_left(const struct dr_engine *e);
uint64_t dr_engine_heartbeat_age(const struct dr_engine *e); /* in seconds; UINT64_MAX: none seen in this boot */

/* START was taken; a final step ended: the lease, and a nonce of ours in its state; a NONCE frame. */
void dr_engine_lease_start(struct dr_engine *e);
void dr_engine_lease_step(struct dr_engine *e);
enum dr_err dr_engine_heartbeat_step(struct dr_engine *e, struct dr_fail *fail);
enum dr_err dr_engine_take_nonce(struct dr_engine *e, const struct dr_frame *frame, struct dr_fail *fail);

/* dr_engine_keep: to the evidence. dr_engine_failed_before: nothing more is taken. */
enum dr_err dr_engine_keep(struct dr_engine *e, const struct dr_frame *frame, struct dr_fail *fail);
enum dr_err dr_engine_failed_before(struct dr_fail *fail);

/* dr_engine_fail: an operation failed half way; nothing is answered from here on. Returns what *fail then holds. */
enum dr_err dr_engine_fail(struct dr_engine *e, enum dr_err err, const char *what, struct dr_fail *fail);

/* dr_engine_say: a journal entry in one line. hash may be NULL. */
enum dr_err dr_engine_say(struct dr_engine *e, enum dr_note_kind kind, uint64_t number, const uint8_t *hash,
			  uint16_t source, const char *detail, struct dr_fail *fail);

#endif
