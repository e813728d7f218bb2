/* SPDX-License-Identifier: Apache-2.0
 *
 * beacon_forge: beacon blocks made in memory, of any fork and preset, with true branches and roots, and what a
 * committee signs of them. A committee is a number: the secrets of its members count up from it, so what they sign
 * together is one product. Keys and signatures are beacon_sign.h's; or those of who defines FORGE_SIGNS and brings
 * forge_point and forge_signature.
 */
#ifndef DR_TESTS_BEACON_FORGE_H
#define DR_TESTS_BEACON_FORGE_H

#include <stdio.h>

#include "chain/beacon/lc_store.h"
#include "chain/beacon/ssz.h"
#include "chain/crypto/sha256.h"
#ifndef FORGE_SIGNS
#include "tests/unit/chain/beacon_sign.h"
#endif

struct forge_block {
	uint64_t slot, number;
	uint8_t salt;                      /* of the chain: blocks of another one differ in everything */
	uint64_t current, next;            /* its state's committees */
	struct forge_block *finalized;     /* its state's; NULL: genesis */
	uint8_t parent_root[32];           /* unless zero, instead of one by slot and salt */
	uint8_t parent_hash[32], hash[32]; /* — " — */
	/* Filled by forge_seal. */
	enum dr_beacon_fork fork;
	struct dr_lc_header header;
	uint8_t root[32];
	struct dr_ssz_branch finality, current_branch, next_branch;
};

/* Member i of committee n has the secret 1000 n + i + 1. */
static inline uint64_t forge_secret(uint64_t committee, uint32_t i)
{
	return 1000 * committee + i + 1;
}

/* forge_sign: the first `num` members of a committee sign update->attested, at update->signature_slot. */
static inline void forge_sign(struct dr_lc_update *update, const struct dr_network *net, uint64_t committee,
			      uint32_t num)
{
	struct dr_fail fail = { 0 };
	uint8_t root[32], domain[32];
	uint64_t sum = 0;

	memset(&update->aggregate, 0, sizeof(update->aggregate));
	for (uint32_t i = 0; i < num; i++) {
		update->aggregate.bits[i / 8] |= (uint8_t)(1 << i % 8);
		sum += forge_secret(committee, i);
	}
	dr_lc_header_root(root, &update->attested);
	dr_network_domain(domain, net, update->signature_slot, &fail);
	dr_ssz_pair(root, root, domain);
	if (num > 0)
		forge_signature(update->aggregate.signature, root, sum);
}

static inline void forge_bytes(uint8_t out[static 32], const char *what, uint64_t a, uint64_t b)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %llu %llu", what, (unsigned long long)a, (unsigned long long)b);
	dr_sha256_one(out, text, strlen(text));
}

/* Points are made once. */
static inline const struct dr_lc_committee *forge_committee(uint32_t size, uint64_t number)
{
	static struct {
		uint32_t size;
		uint64_t number;
		struct dr_lc_committee committee;
		uint8_t keys[DR_SYNC_COMMITTEE_MAX * 48];
	} made[32];
	size_t i = 0;
	uint64_t sum = 0;

	for (; made[i].size > 0; i++)
		if (made[i].size == size && made[i].number == number)
			return &made[i].committee;
	assert_true(i < 31);
	for (uint32_t k = 0; k < size; k++) {
		forge_point(made[i].keys + k * 48u, forge_secret(number, k));
		sum += forge_secret(number, k);
	}
	made[i].size = size;
	made[i].number = number;
	made[i].committee.pubkeys = dr_bytes_of(made[i].keys, size * 48u);
	forge_point(made[i].committee.aggregate_pubkey, sum);
	return &made[i].committee;
}

static inline void forge_committee_root(uint8_t root[static 32], const struct dr_network *net, uint64_t number)
{
	dr_ssz_root(root, &dr_lc_committee_type, dr_lc_shape(net, DR_BEACON_ALTAIR),
		    forge_committee(net->committee_size, number));
}

/* The nodes beside the way from gindex up: by their own index, whatever the state. */
static inline void forge_climb(uint8_t node[static 32], struct dr_ssz_branch *branch, uint64_t gindex)
{
	uint8_t side[32];

	for (; gindex > 1; gindex >>= 1) {
		forge_bytes(side, "beside", gindex ^ 1, 0);
		memcpy(branch->nodes[branch->num++], side, 32);
		dr_ssz_pair(node, gindex & 1 ? side : node, gindex & 1 ? node : side);
	}
}

static inline void forge_branch_add(struct dr_ssz_branch *branch, const uint8_t node[static 32])
{
	memcpy(branch->nodes[branch->num++], node, 32);
}

/* A state: the finalized checkpoint's root at its index (105, 169), both committees (54, 55; 86, 87); all three lie
 * under the node 13 or 21, and around them are nodes that say nothing. */
static inline void forge_state(struct forge_block *b, const struct dr_network *net)
{
	const uint64_t gindex = dr_lc_finalized_gindex(b->fork);
	uint8_t epoch[32], checkpoint[32], beside[32], current[32], next[32], left[32], right[32], node[32] = { 0 };
	struct dr_ssz_branch up = { 0 };

	if (b->finalized != NULL)
		memcpy(node, b->finalized->root, 32);
	dr_ssz_u64(epoch, b->finalized != NULL ? dr_network_epoch(net, b->finalized->slot) : 0);
	dr_ssz_pair(checkpoint, epoch, node);
	forge_bytes(beside, "inactivity scores", b->slot, b->salt);
	forge_committee_root(current, net, b->current);
	forge_committee_root(next, net, b->next);
	dr_ssz_pair(left, checkpoint, beside);
	dr_ssz_pair(right, current, next);
	dr_ssz_pair(node, left, right);

	memset(&b->finality, 0, sizeof(b->finality));
	forge_branch_add(&b->finality, epoch);
	forge_branch_add(&b->finality, beside);
	forge_branch_add(&b->finality, right);
	b->current_branch = b->next_branch = (struct dr_ssz_branch){ 0 };
	forge_branch_add(&b->current_branch, next);
	forge_branch_add(&b->next_branch, current);
	forge_branch_add(&b->current_branch, left);
	forge_branch_add(&b->next_branch, left);
	forge_climb(node, &up, gindex >> 3);
	for (size_t i = 0; i < up.num; i++) {
		forge_branch_add(&b->finality, up.nodes[i]);
		forge_branch_add(&b->current_branch, up.nodes[i]);
		forge_branch_add(&b->next_branch, up.nodes[i]);
	}
	memcpy(b->header.beacon.state_root, node, 32);
}

/* A body around the header's payload. */
static inline void forge_payload(struct forge_block *b, const struct dr_network *net)
{
	struct dr_fail fail = { 0 };
	uint8_t node[32];

	assert_int_equal(dr_lc_execution_root(node, net, &b->header, &fail), DR_OK);
	b->header.execution_branch.num = 0;
	forge_climb(node, &b->header.execution_branch, DR_LC_EXECUTION_GINDEX);
	memcpy(b->header.beacon.body_root, node, 32);
}

static inline void forge_body(struct forge_block *b, const struct dr_network *net)
{
	struct dr_lc_execution *e = &b->header.execution;

	if (b->fork < DR_BEACON_CAPELLA) {
		forge_bytes(b->header.beacon.body_root, "body", b->slot, b->salt);
		return;
	}
	forge_bytes(e->block_hash, "hash", b->slot, b->salt);
	forge_bytes(e->parent_hash, "hash", b->slot - 1, b->salt);
	if (!dr_bytes_zero(b->hash, 32))
		memcpy(e->block_hash, b->hash, 32);
	if (!dr_bytes_zero(b->parent_hash, 32))
		memcpy(e->parent_hash, b->parent_hash, 32);
	e->block_number = b->number;
	e->timestamp = dr_network_time(net, b->slot);
	e->gas_limit = 30000000;
	e->extra_data.len = 5;
	memcpy(e->extra_data.bytes, "forge", 5);
	if (b->fork >= DR_BEACON_DENEB)
		e->blob_gas_used = 131072;
	forge_payload(b, net);
}

static inline struct forge_block *forge_seal(struct forge_block *b, const struct dr_network *net)
{
	struct dr_fail fail = { 0 };

	memset(&b->header, 0, sizeof(b->header));
	assert_int_equal(dr_network_fork_at(&b->fork, net, b->slot, &fail), DR_OK);
	b->header.beacon.slot = b->slot;
	b->header.beacon.proposer_index = b->slot % 64;
	forge_bytes(b->header.beacon.parent_root, "parent", b->slot, b->salt);
	if (!dr_bytes_zero(b->parent_root, 32))
		memcpy(b->header.beacon.parent_root, b->parent_root, 32);
	forge_state(b, net);
	forge_body(b, net);
	dr_lc_header_root(b->root, &b->header);
	return b;
}

/* forge_block: a block that is sealed. Its number is its slot; the committees are those of its period: the period's
 * number, and the next. */
static inline struct forge_block *forge_block(const struct dr_network *net, uint8_t salt, uint64_t slot,
					      struct forge_block *finalized)
{
	struct forge_block *b = (struct forge_block *)kit_alloc(sizeof(*b));

	b->slot = b->number = slot;
	b->salt = salt;
	b->finalized = finalized;
	b->current = dr_network_period(net, slot);
	b->next = b->current + 1;
	return forge_seal(b, net);
}

static inline struct dr_lc_bootstrap forge_bootstrap(const struct dr_network *net, const struct forge_block *b)
{
	return (struct dr_lc_bootstrap){ .fork = b->fork,
					 .header = b->header,
					 .committee = *forge_committee(net->committee_size, b->current),
					 .committee_branch = b->current_branch };
}

/* forge_update: what a node would tell of block b, signed by all in the slot after it. */
static inline struct dr_lc_update forge_update(const struct dr_network *net, enum dr_lc_kind kind,
					       const struct forge_block *b)
{
	struct dr_lc_update u;

	memset(&u, 0, sizeof(u));
	u.kind = kind;
	u.fork = b->fork;
	u.attested = b->header;
	u.signature_slot = b->slot + 1;
	if (kind != DR_LC_OPTIMISTIC_UPDATE) {
		u.finality_branch = b->finality;
		if (b->finalized != NULL)
			u.finalized = b->finalized->header;
	}
	if (kind == DR_LC_UPDATE) {
		u.next_committee = *forge_committee(net->committee_size, b->next);
		u.next_committee_branch = b->next_branch;
	}
	forge_sign(&u, net, dr_network_period(net, u.signature_slot), net->committee_size);
	return u;
}

#endif
