/* SPDX-License-Identifier: Apache-2.0
 *
 * engine: the one way through the house, from an accepted frame to a ledger entry and a decision. The
 * same code runs live, at refold, in a replay and while recording: its only inputs are frames (foreign,
 * and those stamped by the core: START, CLOCK, REQUEST) and notices from the watcher. No I/O, no clock:
 * what must be kept is handed to the host, which keeps it in one transaction per step.
 *
 * Invariants:
 *   1. Sealed from START until a complete final block was proven (or the cursor's own block confirmed)
 *      after it; sealed past the lease; sealed for good after a conflict.
 *   2. Nothing is answered ALLOW while sealed.
 *   3. The ledger is a function of (anchor, profile, final chain) alone.
 *
 * The lease, with its limit max_staleness. Unsealed only while all of this holds:
 *   · the newest final block's timestamp is within the limit of the wall clock, on either side;
 *   · no more boot-time than the limit went by since the newest final step;
 *   · the wall clock did not move by more than the limit against boot-time since the two were last believed: when
 *     the seal first fell after START. Boot-time is the one that a host cannot set: without this rule, a chain
 *     told ever more slowly under a wall clock set back ever further would look fresh for ever.
 *     Ahead (the machine stood still, or the clock was set): heals with the next final block that is within the
 *     limit of the wall clock; the chain cannot have gone ahead with a clock that is wrong. Back (set back, slowed,
 *     frozen): heals when the wall clock is right again, or at a new START; no block heals it. A boot-time that
 *     stood still and then made up for it looks the same from here, and heals at a new START alone: to heal it
 *     otherwise would be to believe the wall clock that was set back;
 *   · where a heartbeat is required: no more boot-time than the limit went by since the draw of the newest nonce
 *     that was drawn after START and seen in a final state. It bounds what the clocks cannot: a chain that is
 *     withheld from before START, under a wall clock that was wrong from before START.
 * All of them heal by themselves, but for that failure of boot-time.
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_ENGINE_H
#define DR_CORE_ENGINE_H

#include "kms-bridge/proto.h"

/* Journal entries about one source's lies in a minute of boot-time; more are only counted: a liar fills no disk. */
#define DR_LIES_MINUTE 20u

/* What the engine hands out while one of its functions runs. Any result other than DR_OK makes that
 * function fail, and the engine is then unusable (its host must stop). */
struct dr_engine_host {
	void *ctx;
	enum dr_err (*kept)(void *ctx, const struct dr_frame *frame); /* append to the evidence */
	enum dr_err (*ledger)(void *ctx, const struct dr_entry *entry, const struct dr_change *change);
	enum dr_err (*journal)(void *ctx, const struct dr_entry *entry, const struct dr_note *note);
	enum dr_err (*finding)(void *ctx, const struct dr_audit_finding *finding);
	/* A foreign frame was refused: to the quarantine, and to the watcher. */
	enum dr_err (*refused)(void *ctx, const struct dr_frame *frame, const struct dr_fail *why);
	/* A final step ended: the cursor, ledger and state moved; REPLAY and RECORD look at `until` here. */
	enum dr_err (*step)(void *ctx, uint64_t number, const uint8_t hash[static 32]);
};

struct dr_engine; /* opaque */

/* dr_engine_new: init is copied as far as it is needed; init->profile is decoded here. NULL with *fail. */
struct dr_engine *dr_engine_new(const struct dr_init *init, const struct dr_engine_host *host, struct dr_fail *fail);
void dr_engine_free(struct dr_engine *e);

/* dr_engine_journal_at: continues a stored journal: its size and right edge. Before anything else. */
void dr_engine_journal_at(struct dr_engine *e, const struct dr_merkle *journal);

/* dr_engine_quiet: while true (refold), journal entries are not made: the stored ones stand. */
void dr_engine_quiet(struct dr_engine *e, bool quiet);

/* dr_engine_refold_to: what comes is own evidence, to be folded anew up to this final block and compared there with
 * what was stored: what heads below it could take away does not matter any more. 0: that is over. */
void dr_engine_refold_to(struct dr_engine *e, uint64_t number);

/* dr_engine_frame: any frame that is not core-stamped. *take says what became of it. A result other
 * than DR_OK is an operating error (nomem, limit, or what the host returned), never a foreign lie. */
enum dr_err dr_engine_frame(struct dr_engine *e, enum dr_take *take, const struct dr_frame *frame,
			    struct dr_fail *fail);

/* dr_engine_core_frame: a START or CLOCK frame, live (just stamped) or from a recording or the store.
 * REQUEST frames: decides; *decision is filled (may be NULL). Kept, so that a replay answers the same. */
enum dr_err dr_engine_core_frame(struct dr_engine *e, struct dr_decision *decision, const struct dr_frame *frame,
				 struct dr_fail *fail);

/* dr_engine_start / _clock / _request: build the frame and hand it to dr_engine_core_frame.
 * request: *request_idx is the journal index of the intent. */
enum dr_err dr_engine_start(struct dr_engine *e, uint64_t boot_ms, uint64_t wall_ms, struct dr_fail *fail);
enum dr_err dr_engine_clock(struct dr_engine *e, uint64_t boot_ms, uint64_t wall_ms, struct dr_fail *fail);
enum dr_err dr_engine_request(struct dr_engine *e, struct dr_decision *decision, uint64_t *request_idx,
			      const struct dr_request *request, struct dr_fail *fail);

/* dr_engine_nonce: a nonce that the host drew: stamped, kept, journalled (HEARTBEAT, hash: the nonce). The 16 newest
 * that were not seen are remembered until the next START. When the final state's heartbeat of this node is one of
 * them, that is journalled too, and it and all drawn before it are done with.
 * dr_engine_nonce_wanted: none was drawn since START, or the newest was seen, or it is older than a quarter of the
 * limit. Only while nothing but the want of a heartbeat seals. */
enum dr_err dr_engine_nonce(struct dr_engine *e, const uint8_t nonce[static 32], struct dr_fail *fail);
bool dr_engine_nonce_wanted(const struct dr_engine *e);

/* dr_engine_hold: the host's own reason to be sealed, in one line that begins with "sealed: ", not copied; NULL:
 * none any more. Journalled as any other change of the seal. It is no evidence: it stays over a START, and a replay
 * does not see it, as it does not see which roots are held here. */
enum dr_err dr_engine_hold(struct dr_engine *e, const char *why, struct dr_fail *fail);

/* dr_engine_ask: what a request would be answered now; journals and keeps nothing. */
void dr_engine_ask(const struct dr_engine *e, struct dr_decision *decision, const struct dr_request *request);

/* dr_engine_ask_share: why root generation `generation` may not go from this node to node `to` now (its own id: may
 * not be taken); NONE: it may. What is true of keys is true of this: nothing while sealed, nothing that diverges. */
enum dr_deny dr_engine_ask_share(const struct dr_engine *e, uint64_t generation, const uint8_t to[static 20]);

/* dr_engine_note: a journal entry made by the host (RELEASE, ROOT, UNAVAILABLE, ENDPOINT, STOP, …); the
 * engine fills times, ledger size and root. *idx is its journal index (may be NULL). */
enum dr_err dr_engine_note(struct dr_engine *e, uint64_t *idx, const struct dr_note *note, struct dr_fail *fail);

/* dr_engine_wants: the wants that stand now, with ids. An id stays with a want as long as it stands.
 * Returns how many were written to out[0,max). */
size_t dr_engine_wants(struct dr_engine *e, struct dr_want *out, size_t max);

/* dr_engine_unavailable: nobody answers this want (UNAVAILABLE with source DR_SOURCE_CORE). */
void dr_engine_unavailable(struct dr_engine *e, uint32_t want);

/* dr_engine_status: everything the engine knows; the host fills generation_ours, torn and endpoint
 * states (lies are counted here). */
void dr_engine_status(const struct dr_engine *e, struct dr_status_report *out);

/* The final state, for the KMS (root rotation, publication): borrowed until the next call. *time is its
 * block's timestamp. False before the first final block. */
bool dr_engine_state(const struct dr_engine *e, const struct dr_state **state, uint64_t *time);

/* dr_engine_caught_up: nothing newer than the final block was named final. */
bool dr_engine_caught_up(const struct dr_engine *e);

/* dr_engine_own_root: tells whether the published generation's keys equal the ones held here; asked by
 * every decision. NULL: no roots here (replay): a published generation counts as ours. */
void dr_engine_own_root(struct dr_engine *e,
			bool (*own)(void *ctx, uint64_t generation, const struct dr_root *published), void *ctx);

bool dr_engine_sealed(const struct dr_engine *e, const char **why);
bool dr_engine_halted(const struct dr_engine *e);

/* The ledger's and journal's right edges, for the store's own check. */
const struct dr_merkle *dr_engine_ledger(const struct dr_engine *e);
const struct dr_merkle *dr_engine_journal(const struct dr_engine *e);

#endif
