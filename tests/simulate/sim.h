/* SPDX-License-Identifier: Apache-2.0
 *
 * sim: what all of the simulator shares: the choices of a run, what is counted, and how a run ends badly.
 *
 * A run is a function of its choices alone: a list of numbers (the tape), drawn from the seed or read from a file.
 * Whatever is left to chance draws from it, and rand() too (tape.c), so that a run replays bit for bit, and shrinks:
 * a shorter or smaller list is another run.
 */
#ifndef DR_TESTS_SIMULATE_SIM_H
#define DR_TESTS_SIMULATE_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is counted, over all seeds. Each must be met at least once in a run of many seeds. */
#define SIM_COUNTS(X)                                                                                                \
	X(STEPS, "steps")                                                                                            \
	X(BLOCKS, "blocks")                                                                                          \
	X(EVENTS, "events")                                                                                          \
	X(REORGS, "reorgs")                                                                                          \
	X(STALLS, "finality stalls")                                                                                 \
	X(FINALS, "final steps")                                                                                     \
	X(HEADS, "heads counted")                                                                                    \
	X(WORDS, "words of finality")                                                                                \
	X(ANSWERS, "honest answers")                                                                                 \
	X(LIES, "lies told")                                                                                         \
	X(WITHHELD, "answers withheld")                                                                              \
	X(OLD, "old heads told")                                                                                     \
	X(EQUIVOCATIONS, "equivocations")                                                                            \
	X(FORGED_HEADERS, "forged headers")                                                                          \
	X(FORGED_RECEIPTS, "forged receipts")                                                                        \
	X(FORGED_PROOFS, "forged proofs")                                                                            \
	X(FORGED_LOGS, "forged log lists")                                                                           \
	X(UNAVAILABLE, "unavailable")                                                                                \
	X(UNASKED, "frames unasked")                                                                                 \
	X(DOUBLED, "frames doubled")                                                                                 \
	X(SWAPPED, "frames out of order")                                                                            \
	X(TRUNCATED, "frames cut")                                                                                   \
	X(FLIPPED, "frames with a bit flipped")                                                                      \
	X(DRIPPED, "messages in pieces")                                                                             \
	X(REFUSED, "frames refused")                                                                                 \
	X(PROTOCOL_ERRORS, "protocol errors")                                                                        \
	X(KILLS, "kills")                                                                                            \
	X(POWER_LOSSES, "losses of power")                                                                           \
	X(LOST_WRITES, "writes lost")                                                                                \
	X(TORN_WRITES, "writes torn")                                                                                \
	X(LOST_NAMES, "names lost")                                                                                  \
	X(CRASH_AT_KEY, "crashes as a key leaves")                                                                   \
	X(DISK_EIO, "EIO")                                                                                           \
	X(DISK_ENOSPC, "ENOSPC")                                                                                     \
	X(DISK_FSYNC, "failed syncs")                                                                                \
	X(DISK_SLOW, "slow syncs")                                                                                   \
	X(ROLLBACKS, "directories rolled back")                                                                      \
	X(RESTARTS, "restarts")                                                                                      \
	X(STOPS, "orderly stops")                                                                                    \
	X(FATALS, "cores that gave up")                                                                              \
	X(WALL_JUMPS, "wall clock jumps")                                                                            \
	X(CREEPS, "wall clocks that creep back")                                                                     \
	X(BOOT_FREEZES, "frozen boot clocks")                                                                        \
	X(CLOCK_STARTS, "starts that mend a clock")                                                                  \
	X(TIMER_STOPS, "stopped timers")                                                                             \
	X(SUSPENDS, "suspends")                                                                                      \
	X(REQUESTS, "key requests")                                                                                  \
	X(ALLOWS, "allowed")                                                                                         \
	X(ALLOWS_HEADS, "allowed under heads")                                                                       \
	X(DENIALS, "denied unsealed")                                                                                \
	X(SEALED, "denied sealed")                                                                                   \
	X(SEALED_STALE, "denied sealed by age")                                                                      \
	X(HELD, "denied held")                                                                                       \
	X(AGED, "batches that a slow disk aged")                                                                     \
	X(SHARES, "shares handed out")                                                                               \
	X(SHARES_DENIED, "shares denied")                                                                            \
	X(PARCELS_REFUSED, "parcels refused")                                                                        \
	X(SERVED, "proofs for anybody")                                                                              \
	X(ROOTS, "root publications told")                                                                           \
	X(NONCES, "heartbeats drawn")                                                                                \
	X(RESEALS, "sealed anew")                                                                                    \
	X(PROOFS, "log proofs checked")                                                                              \
	X(LOGS_READ, "logs read back")                                                                               \
	X(REPLAYS, "recordings replayed")                                                                            \
	X(CONFLICTS, "conflicts")                                                                                    \
	X(CONSENSUS, "seeds at proof consensus")                                                                     \
	X(BOOTSTRAPS, "bootstraps")                                                                                  \
	X(UPDATES, "updates of a period")                                                                            \
	X(FINALITY_UPDATES, "finality updates")                                                                      \
	X(HEAD_UPDATES, "head updates")                                                                              \
	X(PERIODS, "periods")                                                                                        \
	X(FORGED_FINALITY, "forged proofs of finality")                                                              \
	X(FEW_SIGNERS, "too few signers")                                                                            \
	X(WRONG_COMMITTEE, "wrong committees")                                                                       \
	X(WRONG_FORK, "wrong fork versions")                                                                         \
	X(DAMAGED_BRANCHES, "damaged branches")                                                                      \
	X(WITHHELD_FINALITY, "withholdings of finality")                                                             \
	X(OUTAGES, "outages")                                                                                        \
	X(REORGED_HEADS, "heads that the chain left")                                                                \
	X(FUTURE, "proofs ahead of the clock")                                                                       \
	X(HISTORY, "ladders by history")                                                                             \
	X(PARENTS, "ladders by parents")                                                                             \
	X(YOUNG, "states of young blocks")                                                                           \
	X(GRANTED, "allowed at proof consensus")                                                                     \
	X(GRANTED_HEADS, "allowed there under heads")                                                                \
	X(COMMITTEE_CONFLICTS, "committees that contradict themselves")                                              \
	X(HEALED, "seeds that healed")                                                                               \
	X(HEALED_ALLOWS, "allowed after healing")

enum sim_count {
#define X(name, text) SIM_##name,
	SIM_COUNTS(X)
#undef X
		SIM_NUM
};

#define TAPE_MAX  ((size_t)1 << 19)
#define MARKS_MAX ((size_t)1 << 14)

/* Shared with whoever started this run, and left behind when it dies. */
struct sim_report {
	uint64_t counts[SIM_NUM];
	uint64_t denied[32]; /* by reason (enum dr_deny) */
	uint64_t peak;       /* bytes of heap that a core held at most */
	bool failed;
	char what[1024]; /* "I3: …", without what differs from run to run */
	uint8_t trace[16], ledger[32], journal[32];
	uint32_t tape[TAPE_MAX];
	size_t tape_len;
	uint32_t marks[MARKS_MAX]; /* where the steps began on the tape */
	size_t num_marks;
};
extern struct sim_report *report;
extern bool sim_aloud; /* tell each step */

static inline void sim_count(enum sim_count what)
{
	report->counts[what]++;
}

/* tape_seed: choices come from the seed. tape_read: these, and then zeros. Both: from here on. tape_fixed: for what
 * is the same in every run, until the next of the others. */
void tape_seed(uint64_t seed);
void tape_read(const uint32_t *tape, size_t len);
void tape_fixed(uint64_t seed);
bool tape_over(void); /* what was read is used up */
void tape_mark(void);
uint32_t tape_draw(void);

static inline uint32_t draw(uint32_t below)
{
	return tape_draw() % below;
}
static inline bool chance(uint32_t percent)
{
	/* A choice of zero is that it does not happen: shrinking makes runs plain. */
	return draw(100) >= 100 - percent;
}

/* sim_fail: the run is a finding. invariant: "I1" to "I7", or another word. It does not return. */
__attribute__((format(printf, 2, 3), noreturn)) void sim_fail(const char *invariant, const char *format, ...);
#define SIM_MUST(invariant, holds, ...)                                                                              \
	do {                                                                                                         \
		if (!(holds))                                                                                        \
			sim_fail(invariant, __VA_ARGS__);                                                            \
	} while (0)
__attribute__((format(printf, 1, 2))) void sim_say(const char *format, ...);

/* sim_trace: what can be seen from outside enters the run's trace. */
void sim_trace(uint32_t what, const void *ptr, size_t len);

/* play: one whole run (play.c); worlds: what all runs begin with, made once. */
void play_worlds(void);
void play(unsigned steps);

/* shrink: the smallest tape found that fails in the same way, within the time. */
bool run_tape(const uint32_t *tape, size_t len, unsigned steps, bool aloud);
void shrink(unsigned steps, const char *path);

#endif
