/* SPDX-License-Identifier: Apache-2.0
 *
 * world: one run's chain, with what is known about it, and about the core, by whoever plays both. The chain and the
 * model of the rules are those of the search (tests/unit/kms-bridge/search_world.h, model.h).
 */
#ifndef DR_TESTS_SIMULATE_WORLD_H
#define DR_TESTS_SIMULATE_WORLD_H

#include "kms-bridge/core/core.h"
#include "tests/simulate/machine.h"
#include "tests/simulate/sim.h"
#include "tests/unit/kms-bridge/search_ask.h"

#define SOURCES_MAX 5u
#define ENTRIES_MAX 60000u
#define ROOTS_MAX   64u
#define DRAWN_MAX   4096u
#define NO_BLOCK    ((struct block *)NULL)

/* A log as it was told, over control or to a client: what was told once must stand. */
struct told_entry {
	uint8_t hash[32];
	uint8_t kind; /* of a note */
	uint64_t number, boot_ms, wall_ms;
	uint64_t request; /* RELEASE: of which request */
	uint64_t said;    /* told_word of its detail; 0: no replay says it */
	char deny[24];    /* REQUEST: why not; empty: it was allowed */
};
struct told_log {
	struct dr_merkle tree;
	struct told_entry *entries;
};

/* FNV-1a */
static inline uint64_t told_word(const char *text)
{
	uint64_t word = 0xcbf29ce484222325;

	while (*text != 0)
		word = (word ^ (uint8_t)*text++) * 0x100000001b3;
	return word;
}

/* A root that the core made, as it told it. */
struct told_root {
	uint64_t generation;
	uint16_t seed, prev_seed; /* its name in the model, and its signer's */
	uint8_t words[10][32];
};

struct drawn {
	uint64_t size, true_ms;
	unsigned life;
	bool lost; /* its journal was rolled back */
};

struct world_sim {
	struct search s;
	struct totals t;
	struct real_node real;
	/* What the sources are like. */
	uint16_t k, n, traitors; /* traitors: the first so many; they name false blocks final, in concert */
	unsigned lie_percent, fault_percent, clock_percent;
	bool well;               /* nobody lies, nothing breaks */
	struct block *false_tip; /* what traitors call final */
	unsigned stalled;        /* steps for which finality stands still */
	/* At proof consensus (world_beacon.h). */
	bool consensus;
	struct dr_network net;
	struct block *checkpoint,
		*attested;      /* attested: by the newest signature of the committee on the true chain */
	uint64_t attested_time; /* of the newest head that a proof may have shown */
	uint64_t stride;        /* seconds without a block, at most */
	bool withheld;          /* while finality stalls: it does not, but nobody tells of it */
	unsigned lag;           /* blocks from a head to what its state holds as final */
	/* The core, as it told of itself. */
	bool ready, stopping, expect_fatal, halted;
	struct told_log logs[2];
	struct block *cursor; /* the final block of the newest FINAL note of this life, or of the status */
	uint64_t cursor_ms;   /* the truth's time when that was heard, or first confirmed, in this life; 0: neither */
	unsigned life;        /* starts that the journal tells of */
	bool catching_up;     /* what a life before did and did not tell any more is not read yet */
	bool learned;         /* the core was unsealed in this life */
	uint64_t behind_ms;   /* how far the wall clock was behind the truth until then, at most */
	uint64_t beat_ms;   /* when the newest heartbeat of this life was drawn that a final state showed; 0: none */
	uint64_t head_time; /* of the newest head that it noted */
	uint64_t slow_ms;   /* that syncs took in this run */
	uint64_t clock_set_ms; /* the truth's time when a clock was set */
	bool boot_jumped;      /* boot-time stood still and then went on, in this life */
	bool held, ever_held;  /* its status says that it holds itself */
	struct dr_status_report status;
	bool status_new;
	struct told_root roots[ROOTS_MAX];
	size_t num_roots;
	uint64_t root_told; /* generation of the newest ROOT answer that is published as told; 0: none */
	uint8_t drawn_words[DRAWN_MAX][32];
	struct drawn drawn[DRAWN_MAX];
	size_t num_drawn;
	/* With the copy of the disk: how far all was then. */
	struct {
		bool there;
		struct dr_merkle logs[2];
		struct block *cursor;
		uint64_t head_time;
		size_t num_drawn;
	} saved;
	/* The honest fold, block by block. */
	struct dr_state state;
	struct block *folded;
	struct dr_merkle ledger;
	uint8_t (*leaves)[32];
	struct {
		uint64_t number, size;
		uint8_t root[32];
	} steps[BLOCKS];
	size_t num_steps;
	uint32_t next_ordinal;
};
extern struct world_sim w;

/* world_make: the num-th beginning of a world, without a core. world_take: this run's. */
void world_make(size_t num);
void world_take(void);
#define WORLDS 6u

/* world_finalize: the chain is final up to this block, or, at proof consensus, as far as its newest block can say. */
void world_finalize(uint64_t number);

struct block *world_find(const uint8_t hash[static 32]);
struct block *world_final(void); /* the newest final block of the truth */
struct block *world_at(struct block *tip, uint64_t number);
void world_grow(bool side);
/* world_mend: a block with what only NODE itself can do: a heartbeat with its newest nonce; or, anew: it registers.
 */
void world_mend(bool anew);

/* world_ledger: size and root of the ledger at a final block, by the honest fold. world_leaf: an entry of it. */
void world_ledger(uint64_t number, uint64_t *size, uint8_t root[static 32]);
const uint8_t *world_leaf(uint64_t idx);

/* world_complete: a watch was told all of this block. world_named: k sources named it, or one above it, final; now:
 * in this life of the core. */
bool world_complete(struct block *b);
bool world_named(const struct block *b, bool now);

/* world_held: why a core that follows the rules would hold itself in this state. */
const char *world_held(const struct m_view *v);

#endif
