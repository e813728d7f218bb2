/* SPDX-License-Identifier: Apache-2.0
 *
 * beacon_sign: keys and signatures of secrets that are small numbers. forge_point: the public key. forge_signature:
 * of a signing root.
 */
#ifndef DR_TESTS_BEACON_SIGN_H
#define DR_TESTS_BEACON_SIGN_H

#include "chain/base/arena.h"
#include "chain/beacon/lc.h"
#include "chain/beacon/ssz.h"
#include "chain/bls/hash.h"
#include "tests/unit/chain/bls_kit.h"

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

static inline void forge_signature(uint8_t signature[static 96], const uint8_t root[static 32], uint64_t secret)
{
	static const char tag[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
	struct dr_g2_affine affine;
	uint8_t number[8];
	struct dr_g2 p;

	dr_hash_to_g2(&p, dr_bytes_of(root, 32), dr_bytes_of(tag, sizeof(tag) - 1));
	dr_be64_put(number, secret);
	bls_g2_mul(&p, &p, dr_bytes_of(number, 8));
	affine = bls_g2_affine(&p);
	dr_g2_put(signature, &affine);
}

#endif
