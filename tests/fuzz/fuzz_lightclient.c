/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_lightclient: the light client's containers, and its store.
 *
 * Input: u8 what. 0: u8 table · u8 fork · bytes to decode, frame and peek at. 1: bytes of a network. Else a script,
 * through the store alone (even) or through chain/beacon/beacon.h beside it (odd; bit 1: what is aged is accepted),
 * of steps, each 8 bytes: update kind and chain · attested slot · final slot · signature slot · signers · what is
 * changed, two bytes · by what (if bits 2 and 3 of the kind are 0; else 1: a restart, 3: heads are settled). Blocks
 * are forged (tests/unit/chain/beacon_forge.h) on a network of 16 slots a period and 8 members a committee. BLS is
 * stood in for (beacon_plain.h). A block is forged once, for all inputs.
 *
 * What must hold: what decodes encodes to the same bytes, failures leave zeros. Only what is taken changes the store;
 * slots and numbers of what is final and head never go back; what is taken had two thirds and was not changed; a
 * chain that nobody contradicts is never in conflict with itself; a committee that is learned is that of the period.
 * As frames they come to the same, unless what is final is too old, or heads are settled.
 */
#include "tests/fuzz/fuzz_kit.h"

#include <stdio.h>

#include "chain/beacon/beacon.h"
#include "chain/beacon/ssz.h"

#define COMMITTEE 8u
#define PERIOD    16u
#define STEPS_MAX 12u
#define OTHER     20u  /* a committee that no period is of */
#define SLOTS     128u /* of which the network knows the fork */
#define BACK      32u  /* slots from a head to what is final with it */

#include "tests/unit/chain/beacon_plain.h"
#include "tests/unit/chain/beacon_forge.h"

/* Forks from the second period on, one in each; after Fulu one that is not known. */
static void net_make(struct dr_network *net)
{
	*net = (struct dr_network){ .name = "fuzz",
				    .slots_per_epoch = 4,
				    .epochs_per_period = 4,
				    .committee_size = COMMITTEE,
				    .seconds_per_slot = 2,
				    .genesis_time = 1000,
				    .genesis_validators_root = { 1 },
				    .unknown_epoch = SLOTS / 4 };
	for (uint8_t i = 0; i < DR_BEACON_FORKS; i++) {
		net->forks[i].epoch = i < DR_BEACON_CAPELLA ? 0 : 4u * (i - 2u);
		net->forks[i].version[0] = i;
	}
}

/* ---- containers ---- */

static union {
	struct dr_lc_update update;
	struct dr_lc_bootstrap bootstrap;
} any, again;

static void container(const struct dr_network *net, uint8_t table, uint8_t fork_byte, struct dr_bytes bytes)
{
	static const struct dr_ssz_type *const types[] = {
		&dr_lc_beacon_type,    &dr_lc_execution_type,       &dr_lc_header_type,
		&dr_lc_committee_type, &dr_lc_aggregate_type,       &dr_lc_bootstrap_type,
		&dr_lc_update_type,    &dr_lc_finality_update_type, &dr_lc_optimistic_update_type,
	};
	static uint8_t out[8192];
	const struct dr_ssz_type *type = types[table % (sizeof(types) / sizeof(types[0]))];
	const struct dr_ssz_shape shape = dr_lc_shape(net, (enum dr_beacon_fork)(fork_byte % DR_BEACON_FORKS));
	struct dr_fail fail = { 0 }, peek = { 0 }, frame = { 0 };
	uint8_t root[32], root_again[32];
	struct dr_bytes rest = bytes, ssz;
	enum dr_beacon_fork fork;
	struct dr_writer w;

	dr_lc_peek(&fork, net, type, bytes, &peek);
	while (rest.len > 0 && dr_lc_frame(&ssz, &fork, &rest, net, &frame) == DR_OK)
		DR_ASSERT(ssz.ptr >= bytes.ptr && ssz.len <= bytes.len);
	if (dr_ssz_decode(&any, type, shape, bytes, &fail) != DR_OK) {
		DR_ASSERT(fuzz_zero(&any, type->size));
		return;
	}
	dr_writer_init(&w, out, sizeof(out), &fail);
	dr_ssz_encode(&w, type, shape, &any);
	DR_ASSERT(fail.err == DR_OK && dr_bytes_eq(dr_writer_view(&w), bytes));
	DR_ASSERT(w.len <= dr_ssz_len_max(type, shape));
	DR_ASSERT(dr_ssz_fixed_len(type, shape) == 0 || dr_ssz_fixed_len(type, shape) == w.len);
	DR_ASSERT(dr_ssz_decode(&again, type, shape, dr_writer_view(&w), &fail) == DR_OK);
	dr_ssz_root(root, type, shape, &any);
	dr_ssz_root(root_again, type, shape, &again);
	DR_ASSERT(memcmp(root, root_again, 32) == 0);
	dr_ssz_is_default(type, shape, &any);
}

static void network(struct dr_bytes bytes)
{
	uint8_t out[DR_NETWORK_LEN_MAX];
	struct dr_fail fail = { 0 };
	struct dr_network net;
	size_t len;

	if (dr_network_decode(&net, bytes, &fail) != DR_OK) {
		DR_ASSERT(dr_bytes_zero(&net, sizeof(net)));
		return;
	}
	DR_ASSERT(dr_network_encode(out, sizeof(out), &len, &net, &fail) == DR_OK);
	DR_ASSERT(dr_bytes_eq(dr_bytes_of(out, len), bytes));
	for (uint64_t slot = 1; slot != 0; slot <<= 1) {
		struct dr_fail unknown = { 0 };
		enum dr_beacon_fork fork;
		uint64_t age;

		if (dr_network_fork_at(&fork, &net, slot, &unknown) == DR_OK)
			DR_ASSERT(net.forks[fork].epoch <= dr_network_epoch(&net, slot));
		else
			DR_ASSERT(unknown.err == DR_ERR_UNKNOWN);
		dr_network_age(&age, &net, slot, slot, slot, &unknown);
		DR_ASSERT(dr_network_period(&net, slot) <= dr_network_epoch(&net, slot));
	}
}

/* ---- the store ---- */

static struct dr_lc_store store, before;
static struct dr_lc_update update;

/* Keys that no committee here has are left out: they are most of it. */
#define STORE_KEYS   offsetof(struct dr_lc_store, keys)
#define STORE_BEHIND offsetof(struct dr_lc_store, current)
#define KEYS_USED    offsetof(struct dr_lc_keys, keys[COMMITTEE])

static void remember(void)
{
	memcpy(&before, &store, STORE_KEYS);
	for (size_t i = 0; i < 3; i++)
		memcpy(&before.keys[i], &store.keys[i], KEYS_USED);
	memcpy((uint8_t *)&before + STORE_BEHIND, (const uint8_t *)&store + STORE_BEHIND,
	       sizeof(store) - STORE_BEHIND);
}

static bool untouched(void)
{
	for (size_t i = 0; i < 3; i++)
		if (memcmp(&store.keys[i], &before.keys[i], KEYS_USED) != 0)
			return false;
	return memcmp(&store, &before, STORE_KEYS) == 0 &&
	       memcmp((const uint8_t *)&store + STORE_BEHIND, (const uint8_t *)&before + STORE_BEHIND,
		      sizeof(store) - STORE_BEHIND) == 0;
}

/* What is final is at even slots and has nothing final below it, what is attested at odd ones: so a block is the same
 * whoever names it. Its number is its slot, so no two of them are neighbours. */
static struct forge_block *made(struct forge_block *at, const struct dr_network *net, uint8_t salt, uint64_t slot,
				struct forge_block *final, bool other)
{
	if (dr_bytes_zero(at->root, 32)) {
		*at = (struct forge_block){ .slot = slot, .number = slot, .salt = salt, .finalized = final };
		at->current = dr_network_period(net, slot);
		at->next = other ? OTHER : at->current + 1;
		forge_seal(at, net);
	}
	return at;
}

static struct forge_block *final_block(const struct dr_network *net, uint8_t salt, uint64_t slot)
{
	static struct forge_block blocks[2][SLOTS / 2];

	return made(&blocks[salt][slot / 2], net, salt, slot & ~(uint64_t)1, NULL, false);
}

/* other: on it another committee comes next. */
static struct forge_block *head_block(const struct dr_network *net, uint8_t salt, bool other, uint64_t slot,
				      struct forge_block *final)
{
	static struct forge_block blocks[2][2][SLOTS / 2][BACK / 2 + 2];
	const uint64_t back = final == NULL ? 0 : 1 + (slot - final->slot) / 2;

	return made(&blocks[salt][other][slot / 2][back], net, salt, slot, final, other);
}

/* Most steps of most inputs were in others before: what they tell is forged and encoded once. */
struct told {
	uint32_t key; /* 0: nothing yet */
	size_t len;
	uint8_t ssz[4096];
	struct dr_lc_update update;
};

static const struct told *tell(const struct dr_network *net, const uint8_t in[static 8], enum dr_lc_kind kind,
			       uint64_t slot, const struct forge_block *attested)
{
	static struct told told[4096];
	const uint32_t signers = in[4] % (COMMITTEE + 1), flags = in[0] >> 4, later = in[3] % 4, back = in[2] % BACK;
	const uint32_t key = 1u << 31 | (uint32_t)slot << 17 | back << 12 | signers << 8 | flags << 4 | later << 2 |
			     (uint32_t)kind;
	struct told *at = &told[key * 0x9e3779b1u >> 20];
	struct dr_fail fail = { 0 };

	if (at->key == key)
		return at;
	at->key = key;
	at->update = forge_update(net, kind, attested);
	at->update.signature_slot = slot + 1 + later;
	forge_sign(&at->update, net, dr_network_period(net, at->update.signature_slot) + (in[0] >> 5 & 1), signers);
	if (kind == DR_LC_UPDATE && (in[0] & 0x80)) { /* without finality */
		memset(&at->update.finality_branch, 0, sizeof(at->update.finality_branch));
		memset(&at->update.finalized, 0, sizeof(at->update.finalized));
	}
	DR_ASSERT(dr_lc_update_encode(at->ssz, sizeof(at->ssz), &at->len, net, &at->update, &fail) == DR_OK);
	return at;
}

/* What is told in this step: update, as SSZ. */
static struct {
	uint8_t bytes[4096];
	size_t len;
} sent;

/* Bytes of its SSZ are changed. What signature_slot says is not authenticated; everything else is. */
static bool change(const struct dr_network *net, size_t where, uint8_t by, bool *form)
{
	const struct dr_ssz_type *type = dr_lc_type(update.kind);
	const bool fixed = dr_ssz_fixed_len(type, dr_lc_shape(net, update.fork)) > 0;
	struct dr_fail fail = { 0 };
	size_t slot_at;

	where %= sent.len;
	/* Where the fixed part ends: signature_slot is the last of it. */
	slot_at = (fixed ? sent.len : (size_t)(sent.bytes[0] | sent.bytes[1] << 8)) - 8;
	sent.bytes[where] ^= by;
	*form = dr_lc_update_decode(&update, net, update.kind, update.fork, dr_bytes_of(sent.bytes, sent.len),
				    &fail) == DR_OK;
	return by != 0 && (where < slot_at || where >= slot_at + 8);
}

/* ---- behind chain/finality.h, beside the store ---- */

#define MAX_AGE_S 120u

static struct {
	struct dr_beacon *beacon; /* NULL: the store alone */
	struct dr_finality f;
	struct dr_beacon_status status;
	bool settled;    /* heads were taken unseen: its head is its own */
	uint64_t final_; /* the newest that it named */
} face;

/* What it says of a frame: DR_OK, or why not; *conflict: it halts. Findings are those of the status. */
static enum dr_err face_take(enum dr_beacon_kind kind, enum dr_beacon_fork fork, struct dr_bytes ssz, uint64_t now,
			     bool *conflict, struct dr_fail *fail)
{
	struct dr_beacon_status before_it;
	struct dr_fail form = { 0 };
	struct dr_finality_finding finding;
	struct dr_buf payload;
	bool news;

	*conflict = false;
	dr_buf_init(&payload, 16384);
	DR_ASSERT(dr_beacon_payload(&payload, kind, fork, ssz, &form) == DR_OK);
	dr_beacon_status(face.beacon, &before_it);
	face.f.clock(face.f.self, now);
	const enum dr_err err = face.f.frame(face.f.self, dr_buf_view(&payload), 1, &news, fail);

	dr_buf_free(&payload);
	dr_beacon_status(face.beacon, &face.status);
	DR_ASSERT((err == DR_OK) == (fail->what == NULL) && !(err != DR_OK && news));
	if (err != DR_OK || !news)
		DR_ASSERT(face.status.final_slot == before_it.final_slot &&
			  face.status.head_slot == before_it.head_slot &&
			  face.status.next_known == before_it.next_known);
	while (face.f.next(face.f.self, &finding)) {
		DR_ASSERT(err == DR_OK && finding.source == 1 && (news || finding.kind == DR_FINDING_PAST));
		*conflict |= finding.kind == DR_FINDING_CONFLICT;
		if (finding.kind != DR_FINDING_BLOCK || finding.status != DR_STATUS_FINAL)
			continue;
		DR_ASSERT(finding.number >= face.final_ && finding.number == face.status.final_slot);
		face.final_ = finding.number;
	}
	return err;
}

static void face_start(const struct dr_network *net, const struct forge_block *checkpoint,
		       const struct dr_lc_bootstrap *bootstrap, uint64_t now, bool aged)
{
	static uint8_t ssz[8192];
	struct dr_beacon_config config = { .net = *net, .max_age_s = MAX_AGE_S, .aged = aged };
	struct dr_fail early = { 0 }, fail = { 0 };
	struct dr_want want;
	bool conflict;
	size_t len;

	dr_beacon_free(face.beacon);
	memset(&face, 0, sizeof(face));
	memcpy(config.checkpoint, checkpoint->root, 32);
	face.beacon = dr_beacon_new(&config);
	face.f = dr_beacon_finality(face.beacon);
	DR_ASSERT(face.f.wants(face.f.self, &want, 1) == 1 && want.kind == DR_WANT_BOOTSTRAP);
	DR_ASSERT(dr_lc_bootstrap_encode(ssz, sizeof(ssz), &len, net, bootstrap, &fail) == DR_OK);
	DR_ASSERT(face_take(DR_BEACON_UPDATE, bootstrap->fork, dr_bytes_of(ssz, len), now, &conflict, &early) !=
		  DR_OK);
	DR_ASSERT(face_take(DR_BEACON_BOOTSTRAP, bootstrap->fork, dr_bytes_of(ssz, len), now, &conflict, &fail) ==
		  DR_OK);
	DR_ASSERT(face.status.ready && !conflict);
}

/* The update as a frame. False: it is too old for it, and the store beside it is not to take it either. */
static bool face_step(const struct dr_network *net, const uint8_t in[static 8], uint64_t now, enum dr_err *err,
		      bool *conflict)
{
	struct dr_fail fail = { 0 };
	struct dr_want want;

	if ((in[0] & 0x0c) == 0x04)
		face.f.restart(face.f.self);
	if ((in[0] & 0x0c) == 0x0c) {
		face.f.settled(face.f.self, in[5] % SLOTS);
		face.settled = true;
	}
	*err = face_take((enum dr_beacon_kind)update.kind, update.fork, dr_bytes_of(sent.bytes, sent.len), now,
			 conflict, &fail);
	if (face.f.wants(face.f.self, &want, 1) == 1)
		/* What was asked for stands until all of it came. */
		DR_ASSERT(want.kind == DR_WANT_UPDATES && want.first <= want.last &&
			  want.last >= face.status.period && want.last - want.first < DR_BEACON_PERIODS_AT_ONCE);
	if (fail.what != dr_beacon_too_old)
		return true;
	DR_ASSERT(now > dr_network_time(net, face.status.final_slot) + MAX_AGE_S && !face.status.aged);
	return false;
}

static void face_same(enum dr_err err, enum dr_err own, bool conflict, const struct dr_lc_news *news)
{
	DR_ASSERT(face.settled || (err == DR_OK) == (own == DR_OK));
	DR_ASSERT(face.settled || conflict == (news->verdict == DR_LC_CONFLICT));
	DR_ASSERT(face.status.final_slot == store.finalized.header.beacon.slot);
	DR_ASSERT(memcmp(face.status.final_root, store.finalized.root, 32) == 0);
	DR_ASSERT(face.status.period == dr_lc_store_period(&store));
	DR_ASSERT(face.status.next_known == dr_lc_store_next_known(&store));
	DR_ASSERT(face.settled || face.status.head_slot == store.head.header.beacon.slot);
}

static void step(const struct dr_network *net, const uint8_t in[static 8], bool *forked)
{
	const enum dr_lc_kind kind = (enum dr_lc_kind)(1 + in[0] % 3);
	const uint8_t salt = in[0] >> 4 & 1;
	const uint64_t base = store.finalized.header.beacon.slot;
	const uint64_t slot = (base + in[1] % 48) | 1, back = in[2] % BACK;
	struct forge_block *final = NULL, *attested;
	struct dr_fail fail = { 0 }, known = { 0 };
	enum dr_beacon_fork fork;
	struct dr_lc_news news;
	bool changed = false, form = true;

	if (dr_network_fork_at(&fork, net, slot, &known) != DR_OK)
		return;
	if (back + 2 <= slot)
		final = final_block(net, salt, slot - back);
	attested = head_block(net, salt, in[0] & 0x40, slot, final);
	const struct told *told = tell(net, in, kind, slot, attested);

	update = told->update;
	sent.len = told->len;
	memcpy(sent.bytes, told->ssz, sent.len);
	if ((in[0] & 0x0c) == 0 && in[7] != 0)
		changed = change(net, (size_t)in[5] << 8 | in[6], in[7], &form);
	if (!form)
		return;

	remember();
	const uint64_t now = dr_network_time(net, update.signature_slot) - in[3] / 128 * 4;

	enum dr_err err = DR_OK;
	bool conflict = false;

	if (face.beacon != NULL && !face_step(net, in, now, &err, &conflict))
		return;
	dr_lc_store_take(&store, &update, now, &news, &fail);
	if (face.beacon != NULL)
		face_same(err, fail.err, conflict, &news);
	if (fail.err != DR_OK) {
		DR_ASSERT(fail.what != NULL && dr_bytes_zero(&news, sizeof(news)));
		DR_ASSERT(untouched());
		return;
	}
	DR_ASSERT(!changed && in[3] < 128 && !(in[0] & 0x20));
	DR_ASSERT(news.participation * 3 >= COMMITTEE * 2 && news.participation == in[4] % (COMMITTEE + 1));
	DR_ASSERT((news.verdict == DR_LC_TAKEN) == !untouched());
	DR_ASSERT((news.verdict == DR_LC_CONFLICT) == (news.conflict != NULL));
	DR_ASSERT(news.verdict != DR_LC_CONFLICT || salt != 0 || (in[0] & 0x40) || *forked);
	DR_ASSERT(store.finalized.header.beacon.slot >= before.finalized.header.beacon.slot);
	DR_ASSERT(store.finalized.header.execution.block_number >= before.finalized.header.execution.block_number);
	DR_ASSERT(store.head.header.beacon.slot >= before.head.header.beacon.slot);
	DR_ASSERT(dr_lc_store_period(&store) - dr_lc_store_period(&before) == (news.period ? 1 : 0));
	DR_ASSERT(!news.final || (final != NULL && memcmp(store.finalized.root, final->root, 32) == 0));
	DR_ASSERT(!news.head || memcmp(store.head.root, attested->root, 32) == 0);
	if (news.committee) {
		uint8_t root[32];

		forge_committee_root(root, net, attested->next);
		DR_ASSERT(dr_lc_store_next_known(&store) && memcmp(store.keys[store.next].root, root, 32) == 0);
		DR_ASSERT(kind == DR_LC_UPDATE && dr_lc_is_final(&update));
		DR_ASSERT(dr_network_period(net, slot) == dr_lc_store_period(&store));
		DR_ASSERT(dr_network_period(net, update.finalized.beacon.slot) == dr_lc_store_period(&store));
	}
	/* From here on two chains are known, or a committee that no honest signature is of. */
	*forked |= news.verdict == DR_LC_TAKEN && (salt != 0 || (in[0] & 0x40));
}

static void script(const struct dr_network *net, uint8_t what, struct dr_bytes bytes)
{
	const uint64_t slot = bytes.len > 0 ? bytes.ptr[0] % 96 & ~1u : 0;
	struct forge_block *checkpoint;
	struct dr_lc_bootstrap bootstrap;
	struct dr_fail fail = { 0 };
	bool forked = false;

	if (bytes.len < 1)
		return;
	checkpoint = final_block(net, 0, slot);
	bootstrap = forge_bootstrap(net, checkpoint);
	DR_ASSERT(dr_lc_store_start(&store, net, checkpoint->root, &bootstrap, dr_network_time(net, slot), &fail) ==
		  DR_OK);
	if (what % 2 != 0)
		face_start(net, checkpoint, &bootstrap, dr_network_time(net, slot), (what & 2) != 0);
	for (size_t at = 1, num = 0; bytes.len - at >= 8 && num < STEPS_MAX; at += 8, num++)
		step(net, bytes.ptr + at, &forked);
	dr_beacon_free(face.beacon);
	face.beacon = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dr_network net;

	net_make(&net);
	if (size < 3)
		return 0;
	if (data[0] == 0)
		container(&net, data[1], data[2], dr_bytes_of(data + 3, size - 3));
	else if (data[0] == 1)
		network(dr_bytes_of(data + 1, size - 1));
	else
		script(&net, data[0], dr_bytes_of(data + 1, size - 1));
	return 0;
}
