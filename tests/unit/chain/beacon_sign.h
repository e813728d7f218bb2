/* SPDX-License-Identifier: Apache-2.0
 *
 * beacon_sign: committees of ours. A committee is a number: the secrets of its members count up from it, so what they
 * sign together is one product.
 */
#ifndef DR_TESTS_BEACON_SIGN_H
#define DR_TESTS_BEACON_SIGN_H

#include "chain/base/arena.h"
#include "chain/beacon/lc.h"
#include "chain/beacon/ssz.h"
#include "chain/bls/hash.h"
#include "tests/unit/chain/bls_kit.h"

/* Member i of committee n has the secret 1000 n + i + 1. */
static inline uint64_t forge_secret(uint64_t committee, uint32_t i)
{
	return 1000 * committee + i + 1;
}

static inline void forge_point(uint8_t text[static 48], uint64_t secret)
{
	struct dr_fail fail = { 0 };
	struct dr_g1_affine generator;
	uint8_t number[8];
	struct dr_g1 p;

	assert_int_equal(dr_g1_get(&generator, kit_hex(BLS_G1).ptr, &fail), DR_OK);
	dr_g1_of_affine(&p, &generator);
	dr_be64_put(number, secret);
	bls_g1_mul(&p, &p, dr_bytes_of(number, 8));
	generator = bls_g1_affine(&p);
	dr_g1_put(text, &generator);
}

/* forge_sign: the first `num` members of a committee sign update->attested, at update->signature_slot. */
static inline void forge_sign(struct dr_lc_update *update, const struct dr_network *net, uint64_t committee,
			      uint32_t num)
{
	static const char tag[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
	uint8_t root[32], domain[32], number[8];
	struct dr_g2_affine affine;
	struct dr_fail fail = { 0 };
	struct dr_g2 p;
	uint64_t sum = 0;

	memset(&update->aggregate, 0, sizeof(update->aggregate));
	for (uint32_t i = 0; i < num; i++) {
		update->aggregate.bits[i / 8] |= (uint8_t)(1 << i % 8);
		sum += forge_secret(committee, i);
	}
	dr_lc_header_root(root, &update->attested);
	dr_network_domain(domain, net, update->signature_slot, &fail);
	dr_ssz_pair(root, root, domain);
	dr_hash_to_g2(&p, dr_bytes_of(root, 32), dr_bytes_of(tag, sizeof(tag) - 1));
	dr_be64_put(number, sum);
	bls_g2_mul(&p, &p, dr_bytes_of(number, 8));
	if (num == 0)
		return;
	affine = bls_g2_affine(&p);
	dr_g2_put(update->aggregate.signature, &affine);
}

#endif
