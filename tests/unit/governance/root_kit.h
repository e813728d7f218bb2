/* SPDX-License-Identifier: Apache-2.0
 *
 * root_kit: publications of root generations with true proofs, from one-byte seeds.
 */
#ifndef DR_TESTS_ROOT_KIT_H
#define DR_TESTS_ROOT_KIT_H

#include "chain/crypto/ed25519.h"
#include "chain/crypto/voprf.h"
#include "governance/root.h"
#include "tests/unit/governance/fold_kit.h"

struct root_kit {
	struct dr_root_claim claim;
	struct dr_root_proofs proofs;
};

/* root_prove: true proofs of what r claims, whose keys are seed's; signed by prev_seed's generation too unless it is
 * 0. */
static inline void root_prove(struct root_kit *r, uint8_t seed, uint8_t prev_seed)
{
	uint8_t seeds[32], secret[32], pub[32], sign[64], context[DR_ROOT_CONTEXT_LEN], prev_pub[32];
	struct dr_fail fail = { 0 };

	memset(&r->proofs, 0, sizeof(r->proofs));
	memset(seeds, seed, 32);
	assert_int_equal(dr_voprf_derive(secret, pub, seeds, dr_bytes_of("t", 1), &fail), DR_OK);
	dr_ed25519_keypair(prev_pub, sign, seeds);
	dr_root_context(context, &r->claim);
	const struct dr_bytes bytes = dr_bytes_of(context, sizeof(context));

	assert_int_equal(dr_voprf_possess_prove(r->proofs.prf_c, r->proofs.prf_s, secret, bytes, &fail), DR_OK);
	dr_ed25519_sign(r->proofs.sig, bytes, sign);
	if (prev_seed != 0) {
		memset(seeds, prev_seed, 32);
		dr_ed25519_keypair(prev_pub, sign, seeds);
		dr_ed25519_sign(r->proofs.prev, bytes, sign);
	}
}

/* root_kit: generation g made by node from seed; signed by prev_seed's generation too unless it is 0. */
static inline void root_kit(struct root_kit *out, const struct dr_fold *fold, uint64_t g, uint8_t node, uint8_t seed,
			    uint8_t prev_seed)
{
	uint8_t seeds[32], secret[32], sign[64];
	struct dr_fail fail = { 0 };

	memset(out, 0, sizeof(*out));
	out->claim.chain_id = fold->chain_id;
	out->claim.generation = g;
	memcpy(out->claim.genesis, fold->genesis, 32);
	memcpy(out->claim.contract, fold->contract, 20);
	memset(out->claim.node, node, 20);
	memset(out->claim.quote, 0x9a, 32);
	dr_root_scheme(out->claim.scheme);
	memset(seeds, seed, 32);
	assert_int_equal(dr_voprf_derive(secret, out->claim.prf_pub, seeds, dr_bytes_of("t", 1), &fail), DR_OK);
	dr_ed25519_keypair(out->claim.sig_pub, sign, seeds);
	root_prove(out, seed, prev_seed);
}

/* root_words: the publication's arguments. */
static inline void root_words(struct w words[static 11], const struct root_kit *r)
{
	words[0] = kit_n(r->claim.generation);
	memcpy(words[1].b, r->claim.scheme, 32);
	memcpy(words[2].b, r->claim.prf_pub, 32);
	memcpy(words[3].b, r->proofs.prf_c, 32);
	memcpy(words[4].b, r->proofs.prf_s, 32);
	memcpy(words[5].b, r->claim.sig_pub, 32);
	memcpy(words[6].b, r->proofs.sig, 32);
	memcpy(words[7].b, r->proofs.sig + 32, 32);
	memcpy(words[8].b, r->claim.quote, 32);
	memcpy(words[9].b, r->proofs.prev, 32);
	memcpy(words[10].b, r->proofs.prev + 32, 32);
}

static inline void root_publish(struct kit *k, uint64_t g, uint8_t node, uint8_t seed, uint8_t prev_seed)
{
	struct root_kit r;
	struct w words[11];

	root_kit(&r, &k->fold, g, node, seed, prev_seed);
	root_words(words, &r);
	kit_act(k, DR_ACTION_ROOT_PUBLISH, 0, node, 0, words, 11);
}

/* What most tests of rights begin with: an app 0xa1 of DEPLOYER with version 0x51 in force and a handover to it
 * from 0x50; a KMS node NODE of measurement 0x11; root generation 1 published by it. */
enum { APP = 0xa1, VERSION = 0x51, OLD = 0x50, KMS = 0x11, APP_NOTICE = 60, SERVICE = 0x5e };

static inline void kit_world(struct kit *k)
{
	kit_found(k);
	kit_node(k, NODE, DR_ROLE_KMS, KMS, 5);
	ACT(k, DR_ACTION_APP_REGISTER, 0, DEPLOYER, 0, kit_b(APP), kit_b(0x0c), kit_n(APP_NOTICE), kit_n(3));
	ACT(k, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, DEPLOYER, k->time + 1 + APP_NOTICE, kit_b(APP), kit_b(VERSION));
	ACT(k, DR_ACTION_APP_HANDOVER, 0, DEPLOYER, k->time + 1 + APP_NOTICE, kit_b(APP), kit_b(OLD), kit_b(VERSION));
	assert_int_equal(kit_block(k, 1), DR_OK);
	PASS(k, DR_ACTION_MEASUREMENT_ALLOW, kit_b(KMS));
	PASS(k, DR_ACTION_ROOT_ROTATE, kit_n(1), kit_a(NODE), kit_n(k->time + 10000));
	kit_last(k, DR_ACTION_ROOT_ROTATE, DR_OUTCOME_PENDING, DR_REASON_NONE);
	assert_int_equal(kit_block(k, NOTICE_ROOT), DR_OK);
	root_publish(k, 1, NODE, 1, 0);
	assert_int_equal(kit_block(k, 1), DR_OK);
	kit_last(k, DR_ACTION_ROOT_PUBLISH, DR_OUTCOME_APPLIED, DR_REASON_NONE);
	assert_int_equal(dr_state_generation(&k->state), 1);
}

#endif
