/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulate/world_beacon.h"

#include "tests/unit/chain/beacon_plain.h"
#include "tests/unit/chain/beacon_beside.h"

#define COMMITTEE  8u
#define THIRDS     6u  /* of them: two thirds, and not one less */
#define COMMITTEES 16u /* they take turns */
#define NOBODYS    20u /* a committee of no period */
#define SSZ_MAX    8192u

struct beacon {
	struct beacon_block made;
	struct block *final_; /* that its state holds as final; NO_BLOCK: genesis */
	bool signed_;
	struct dr_bytes told[4]; /* by kind */
};

static uint64_t slot_of(const struct block *b)
{
	return b->time - w.net.genesis_time;
}

uint64_t beacon_period(const struct block *b)
{
	return dr_network_period(&w.net, slot_of(b));
}

static uint64_t committee_of(uint64_t slot)
{
	return dr_network_period(&w.net, slot) % COMMITTEES;
}

static bool on_chain(const struct block *b)
{
	return world_at(w.s.tip, b->number) == b;
}

/* Blocks */

/* What the state of b is to hold as final: what its parent's does, or more. */
static struct block *final_of(struct block *b, uint64_t number)
{
	struct block *parent = b->parent, *least = parent->beacon->final_, *to = least;
	const uint64_t now = w.s.w.forge->final_number;
	const bool fresh = least == NO_BLOCK || beacon_period(least) < beacon_period(b);

	if (least == NO_BLOCK)
		least = w.checkpoint;
	/* In each period something becomes final: a period without has no update that teaches the next committee, and
	 * no light client ever gets past it. */
	if (number != NO_NUMBER)
		to = world_at(b, number < parent->number ? number : parent->number);
	else if ((b->number <= now + 1 && on_chain(b)) || (fresh && beacon_period(parent) == beacon_period(b)))
		to = parent;
	else if ((w.stalled == 0 || w.withheld) && b->number > w.lag)
		to = world_at(b, b->number - w.lag > now ? b->number - w.lag : now);
	while (to != NO_BLOCK && !on_chain(to))
		to = to->parent;
	return to == NO_BLOCK || to->number < least->number ? least : to;
}

static void seal(struct block *b, struct block *final_)
{
	struct beacon *to = sim_alloc(sizeof(*to));
	struct beacon_block *m = &to->made;

	m->slot = slot_of(b);
	m->number = b->number;
	m->current = committee_of(m->slot);
	m->next = (m->current + 1) % COMMITTEES;
	m->finalized = final_ != NO_BLOCK ? &final_->beacon->made : NULL;
	memcpy(m->hash, b->forged->header.hash, 32);
	memcpy(m->parent_hash, b->forged->header.parent_hash, 32);
	if (b != w.checkpoint)
		memcpy(m->parent_root, b->parent->beacon->made.root, 32);
	beacon_seal(m, &w.net);
	to->final_ = final_;
	b->beacon = to;
}

/* b and all of its ancestors down to the checkpoint. */
static void seal_all(struct block *b, uint64_t number)
{
	struct block *open[BLOCKS];
	size_t num = 0;

	for (struct block *x = b; x->beacon == NULL; x = x->parent)
		open[num++] = x;
	for (; num > 0; num--)
		seal(open[num - 1], final_of(open[num - 1], num == 1 ? number : NO_NUMBER));
}

void beacon_begin(uint32_t period)
{
	static uint8_t form[DR_NETWORK_LEN_MAX];
	struct dr_init *init = &w.s.init;
	struct dr_fail fail = { 0 };
	uint64_t epoch = 0;
	size_t len;

	w.consensus = true;
	w.k = 1;
	w.lag = 1 + draw(4);
	w.stride = period / 2 - 2;
	w.checkpoint = world_at(w.s.tip, START + (draw(2) == 0 ? 0 : draw((uint32_t)(w.s.tip->number - START))));
	/* Early in a period: what begins at its end has no update to learn the next committee from. */
	w.net = (struct dr_network){ .name = "simulated",
				     .slots_per_epoch = 32,
				     .epochs_per_period = period / 32,
				     .committee_size = COMMITTEE,
				     .seconds_per_slot = 1,
				     .genesis_time = w.checkpoint->time - 4 * period - draw(100),
				     .genesis_validators_root = { 0x5e },
				     .unknown_epoch = DR_BEACON_NEVER };
	/* Some forks lie behind, some in the run. */
	for (uint8_t i = 0; i < DR_BEACON_FORKS; i++) {
		epoch += i > DR_BEACON_CAPELLA ? draw(3 * period / 32) : 0;
		w.net.forks[i].epoch = epoch;
		w.net.forks[i].version[0] = i;
		w.net.forks[i].version[3] = 1;
	}
	SIM_MUST("limit", dr_network_encode(form, sizeof(form), &len, &w.net, &fail) == DR_OK, "a network: %s",
		 fail.what);
	seal(w.checkpoint, NO_BLOCK);
	if (w.s.w.forge->final_number < w.checkpoint->number)
		w.s.w.forge->final_number = w.checkpoint->number;
	init->proof = DR_PROOF_CONSENSUS;
	init->quorum_k = 0;
	init->network = dr_bytes_of(form, len);
	memcpy(init->checkpoint, w.checkpoint->beacon->made.root, 32);
	snprintf(init->checkpoint_from, sizeof(init->checkpoint_from), "a source");
	if (chance(30)) {
		init->checkpoint_max_age_s = 500;
		snprintf(init->checkpoint_aged, sizeof(init->checkpoint_aged), "Ada");
	}
	sim_count(SIM_CONSENSUS);
	sim_say("proof consensus: periods of %u s, from block %llu, final %u behind the head", period,
		(unsigned long long)w.checkpoint->number, w.lag);
}

bool beacon_sign(struct block *b, uint64_t number)
{
	if (b->number <= w.checkpoint->number)
		return false;
	seal_all(b, number);
	if (!on_chain(b->beacon->final_))
		return false;
	b->beacon->signed_ = true;
	if (b->beacon->final_->number > w.s.w.forge->final_number)
		w.s.w.forge->final_number = b->beacon->final_->number;
	if (on_chain(b))
		w.attested = b;
	return true;
}

struct block *beacon_best(uint64_t period)
{
	for (struct block *x = w.attested; x != NO_BLOCK && x->number > w.checkpoint->number; x = x->parent)
		if (beacon_period(x) == period && dr_network_period(&w.net, slot_of(x) + 1) == period &&
		    x->beacon->final_ != NO_BLOCK && beacon_period(x->beacon->final_) == period)
			return x;
	return NO_BLOCK;
}

bool beacon_is_final(const uint8_t root[static 32])
{
	for (struct block *x = world_final(); x != NO_BLOCK && x->number >= w.checkpoint->number; x = x->parent)
		if (x->beacon != NULL && memcmp(x->beacon->made.root, root, 32) == 0)
			return true;
	return false;
}

/* Frames */

static struct dr_bytes payload_of(enum dr_beacon_kind kind, enum dr_beacon_fork fork, const uint8_t *ssz, size_t len)
{
	struct dr_fail fail = { 0 };
	struct dr_buf payload;

	dr_buf_init(&payload, 1u << 16);
	SIM_MUST("limit", dr_beacon_payload(&payload, kind, fork, dr_bytes_of(ssz, len), &fail) == DR_OK,
		 "a proof: %s", fail.what);
	const struct dr_bytes kept = copy_of(payload.ptr, payload.len);

	dr_buf_free(&payload);
	return kept;
}

static struct dr_bytes payload_update(const struct dr_lc_update *u)
{
	uint8_t ssz[SSZ_MAX];
	struct dr_fail fail = { 0 };
	size_t len;

	SIM_MUST("limit", dr_lc_update_encode(ssz, sizeof(ssz), &len, &w.net, u, &fail) == DR_OK, "an update: %s",
		 fail.what);
	return payload_of((enum dr_beacon_kind)u->kind, u->fork, ssz, len);
}

static struct dr_bytes payload_bootstrap(const struct dr_lc_bootstrap *b)
{
	uint8_t ssz[SSZ_MAX];
	struct dr_fail fail = { 0 };
	size_t len;

	SIM_MUST("limit", dr_lc_bootstrap_encode(ssz, sizeof(ssz), &len, &w.net, b, &fail) == DR_OK,
		 "a bootstrap: %s", fail.what);
	return payload_of(DR_BEACON_BOOTSTRAP, b->fork, ssz, len);
}

static struct dr_lc_update update_of(enum dr_lc_kind kind, const struct beacon_block *m, uint32_t signers)
{
	struct dr_lc_update u = forge_update(&w.net, kind, m);

	forge_sign(&u, &w.net, committee_of(u.signature_slot), signers);
	return u;
}

struct dr_frame beacon_true(enum dr_beacon_kind kind, struct block *b, uint16_t source)
{
	struct dr_bytes *told = &b->beacon->told[kind];

	if (told->ptr == NULL && kind == DR_BEACON_BOOTSTRAP) {
		const struct dr_lc_bootstrap bootstrap = forge_bootstrap(&w.net, &b->beacon->made);

		*told = payload_bootstrap(&bootstrap);
	} else if (told->ptr == NULL) {
		const struct dr_lc_update u =
			update_of((enum dr_lc_kind)kind, &b->beacon->made, THIRDS + draw(COMMITTEE - THIRDS + 1));

		*told = payload_update(&u);
	}
	return (struct dr_frame){ DR_FRAME_FINALITY, source, *told };
}

bool beacon_said(struct said *out, struct dr_bytes payload)
{
	*out = (struct said){ 0 };
	for (size_t i = w.s.num; i > 0; i--) {
		struct block *b = w.s.blocks[i - 1];

		for (size_t kind = 0; kind < 4 && b->beacon != NULL; kind++) {
			if (b->beacon->told[kind].ptr != payload.ptr || payload.ptr == NULL)
				continue;
			out->bootstrap = kind == DR_BEACON_BOOTSTRAP;
			out->head = out->bootstrap ? NO_BLOCK : b;
			out->final_ = out->bootstrap                        ? b
				      : kind == DR_BEACON_OPTIMISTIC_UPDATE ? NO_BLOCK
									    : b->beacon->final_;
			out->time = b->time + (out->bootstrap ? 0 : 1);
			return true;
		}
	}
	return false;
}

/* Lies */

static void flip(void *at, size_t len)
{
	((uint8_t *)at)[draw((uint32_t)len)] ^= (uint8_t)(1u << draw(8));
}

static void flip_branch(struct dr_ssz_branch *branch)
{
	flip(branch->nodes[draw((uint32_t)branch->num)], 32);
}

/* Anything but signature_slot, which nothing authenticates: it is the last of the fixed part. */
static struct dr_bytes flip_any(struct dr_bytes payload)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)payload.ptr;
	const size_t slot = 3 + (size_t)(bytes[3] | bytes[4] << 8) - 8;
	size_t at = 2 + draw((uint32_t)payload.len - 2);

	if (at >= slot && at < slot + 8)
		at = slot - 1;
	bytes[at] ^= (uint8_t)(1u << draw(8));
	return payload;
}

static struct block *stray_block(void)
{
	for (size_t tries = 0; tries < 8; tries++) {
		struct block *b = w.s.blocks[draw((uint32_t)w.s.num)];

		if (!on_chain(b) && b->number > w.checkpoint->number)
			return b;
	}
	return NO_BLOCK;
}

/* A beacon block of nobody's chain around a block's hash. */
static struct beacon_block *beside(const struct block *b, struct beacon_block *finalized)
{
	struct beacon_block *m = (struct beacon_block *)kit_alloc(sizeof(*m));

	m->slot = slot_of(b);
	m->number = b->number;
	m->salt = 1;
	m->current = committee_of(m->slot);
	m->next = (m->current + 1) % COMMITTEES;
	m->finalized = finalized;
	memcpy(m->hash, b->forged->header.hash, 32);
	memcpy(m->parent_hash, b->forged->header.parent_hash, 32);
	return beacon_seal(m, &w.net);
}

/* A whole chain of a liar's own, on which another block is final; but too few sign it. */
static struct dr_bytes minority(enum dr_lc_kind kind, const struct block *b)
{
	const struct block *stray = stray_block();
	struct beacon_block *on = beside(b, beside(stray != NO_BLOCK ? stray : b->parent, NULL));
	const struct dr_lc_update u = update_of(kind, on, draw(THIRDS));

	sim_count(SIM_FEW_SIGNERS);
	return payload_update(&u);
}

static struct dr_bytes false_update(enum dr_lc_kind kind, const struct block *b)
{
	const struct beacon_block *m = &b->beacon->made;
	struct dr_lc_update u = update_of(kind, m, COMMITTEE);
	const uint64_t committee = committee_of(u.signature_slot);
	struct dr_network other = w.net;

	switch (draw(12)) {
	case 0:
		sim_count(SIM_FEW_SIGNERS);
		forge_sign(&u, &w.net, committee, draw(THIRDS));
		break;
	case 1:
		sim_count(SIM_WRONG_COMMITTEE);
		forge_sign(&u, &w.net, draw(2) == 0 ? NOBODYS : (committee + 1) % COMMITTEES, COMMITTEE);
		break;
	case 2:
		sim_count(SIM_WRONG_FORK);
		if (draw(2) == 0)
			other.genesis_validators_root[31] ^= 1;
		else
			memcpy(other.forks[m->fork].version, w.net.forks[m->fork - 1].version, 4);
		forge_sign(&u, &other, committee, COMMITTEE);
		break;
	case 3:
	case 4:
		sim_count(SIM_DAMAGED_BRANCHES);
		if (kind == DR_LC_UPDATE && draw(2) == 0)
			flip_branch(&u.next_committee_branch);
		else
			flip_branch(kind != DR_LC_OPTIMISTIC_UPDATE ? &u.finality_branch
								    : &u.attested.execution_branch);
		break;
	case 5: flip(u.attested.execution.block_hash, 32); break;
	case 6: /* another final block than the one that is in the state, and one that nobody ever made final */
		if (kind == DR_LC_OPTIMISTIC_UPDATE)
			flip(u.attested.beacon.state_root, 32);
		else
			u.finalized = beside(draw(2) == 0 ? b->parent : b, NULL)->header;
		break;
	case 7:
		if (kind == DR_LC_UPDATE)
			u.next_committee = *forge_committee(COMMITTEE, NOBODYS);
		else
			flip(u.aggregate.signature, 40);
		break;
	case 8:
		u.signature_slot += 1000000;
		forge_sign(&u, &w.net, committee_of(u.signature_slot), COMMITTEE);
		break;
	case 9: return flip_any(payload_update(&u));
	default: return minority(kind, b);
	}
	return payload_update(&u);
}

static struct dr_bytes false_bootstrap(const struct block *b)
{
	struct dr_lc_bootstrap bootstrap = forge_bootstrap(&w.net, &b->beacon->made);

	switch (draw(4)) {
	case 0: flip_branch(&bootstrap.committee_branch); break;
	case 1: bootstrap.committee = *forge_committee(COMMITTEE, NOBODYS); break;
	case 2: flip(bootstrap.header.execution.block_hash, 32); break;
	case 3: bootstrap = forge_bootstrap(&w.net, beside(b, NULL)); break;
	}
	return payload_bootstrap(&bootstrap);
}

struct dr_frame beacon_false(enum dr_beacon_kind kind, struct block *b, uint16_t source)
{
	sim_count(SIM_FORGED_FINALITY);
	return (struct dr_frame){ DR_FRAME_FINALITY, source,
				  kind == DR_BEACON_BOOTSTRAP ? false_bootstrap(b)
							      : false_update((enum dr_lc_kind)kind, b) };
}

struct dr_frame beacon_equivocal(struct block *b, uint16_t source)
{
	const struct block *top = w.attested;
	struct beacon_block *on;
	enum dr_lc_kind kind = DR_LC_FINALITY_UPDATE;

	if (b == NO_BLOCK && draw(2) == 0 && beacon_period(top) == beacon_period(w.cursor) &&
	    dr_network_period(&w.net, slot_of(top) + 1) == beacon_period(w.cursor)) {
		sim_say("  two next committees");
		kind = DR_LC_UPDATE;
		on = beside(top, &w.cursor->beacon->made);
		on->next = NOBODYS;
		beacon_seal(on, &w.net);
	} else {
		sim_say("  %s", b == NO_BLOCK ? "two blocks of one slot" : "another chain");
		on = beside(b != NO_BLOCK && b->time >= top->time ? b : top,
			    beside(b != NO_BLOCK ? b : w.cursor, NULL));
		if (b != NO_BLOCK && b->time >= top->time) {
			on->slot++;
			on->number++;
			memcpy(on->parent_hash, on->hash, 32);
			flip(on->hash, 32);
			beacon_seal(on, &w.net);
		}
	}
	const struct dr_lc_update u = update_of(kind, on, THIRDS);

	return (struct dr_frame){ DR_FRAME_FINALITY, source, payload_update(&u) };
}
