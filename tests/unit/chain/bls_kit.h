/* SPDX-License-Identifier: Apache-2.0
 *
 * bls_kit: what the tests of chain/bls share: numbers that a seed decides, products of points by numbers, points as
 * EIP-2537 writes them.
 */
#ifndef DR_TESTS_UNIT_CHAIN_BLS_KIT_H
#define DR_TESTS_UNIT_CHAIN_BLS_KIT_H

#include "tests/unit/kit.h"

#include <string.h>

#include "chain/bls/g1.h"
#include "chain/bls/g2.h"

/* r, the order of G1, G2 and of what pairings give. */
#define BLS_ORDER "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001"
#define BLS_P     "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"

/* The generators, compressed. */
#define BLS_G1 "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
#define BLS_G2                                                                                                       \
	"93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"           \
	"024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"

/* Steele, Lea, Flood: SplitMix (2014). */
static inline uint64_t bls_random(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline void bls_random_bytes(uint8_t *out, size_t len, uint64_t *seed)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)bls_random(seed);
}

static inline void bls_random_fp(struct dr_fp *out, uint64_t *seed)
{
	uint8_t bytes[64];

	bls_random_bytes(bytes, sizeof(bytes), seed);
	dr_fp_get_wide(out, bytes);
}

static inline void bls_random_fp2(struct dr_fp2 *out, uint64_t *seed)
{
	bls_random_fp(&out->c0, seed);
	bls_random_fp(&out->c1, seed);
}

static inline void bls_fp(struct dr_fp *out, const char *hex)
{
	const struct dr_bytes bytes = kit_hex(hex);

	assert_int_equal(bytes.len, DR_FP_LEN);
	assert_true(dr_fp_get(out, bytes.ptr));
}

static inline void bls_fp_small(struct dr_fp *out, uint64_t number)
{
	uint8_t bytes[DR_FP_LEN] = { 0 };

	dr_be64_put(bytes + DR_FP_LEN - 8, number);
	assert_true(dr_fp_get(out, bytes));
}

/* Bit by bit, from the highest. */
static inline void bls_g1_mul(struct dr_g1 *out, const struct dr_g1 *p, struct dr_bytes number)
{
	const struct dr_g1 in = *p;

	*out = (struct dr_g1){ 0 };
	for (size_t i = 0; i < 8 * number.len; i++) {
		dr_g1_dbl(out, out);
		if ((number.ptr[i / 8] >> (7 - i % 8) & 1) == 1)
			dr_g1_add(out, out, &in);
	}
}

static inline void bls_g2_mul(struct dr_g2 *out, const struct dr_g2 *p, struct dr_bytes number)
{
	const struct dr_g2 in = *p;

	*out = (struct dr_g2){ 0 };
	for (size_t i = 0; i < 8 * number.len; i++) {
		dr_g2_dbl(out, out);
		if ((number.ptr[i / 8] >> (7 - i % 8) & 1) == 1)
			dr_g2_add(out, out, &in);
	}
}

static inline struct dr_g1_affine bls_g1_affine(const struct dr_g1 *p)
{
	struct dr_g1_affine out;
	struct dr_fp z_inv;

	assert_false(dr_g1_is_infinity(p));
	dr_fp_inv(&z_inv, &p->z);
	dr_g1_affine(&out, p, &z_inv);
	return out;
}

static inline struct dr_g2_affine bls_g2_affine(const struct dr_g2 *p)
{
	struct dr_g2_affine out;
	struct dr_fp2 z_inv;

	assert_false(dr_g2_is_infinity(p));
	dr_fp2_inv(&z_inv, &p->z);
	dr_g2_affine(&out, p, &z_inv);
	return out;
}

static inline bool bls_g1_eq(const struct dr_g1 *p, const struct dr_g1 *q)
{
	struct dr_g1_affine affine;

	if (dr_g1_is_infinity(q))
		return dr_g1_is_infinity(p);
	affine = bls_g1_affine(q);
	return dr_g1_eq_affine(p, &affine);
}

static inline bool bls_g2_eq(const struct dr_g2 *p, const struct dr_g2 *q)
{
	struct dr_g2_affine affine;

	if (dr_g2_is_infinity(q))
		return dr_g2_is_infinity(p);
	affine = bls_g2_affine(q);
	return dr_g2_eq_affine(p, &affine);
}

static inline struct dr_g1 bls_g1_of(const char *hex)
{
	struct dr_fail fail = { 0 };
	struct dr_g1_affine affine;
	struct dr_g1 out;

	assert_int_equal(dr_g1_get(&affine, kit_hex(hex).ptr, &fail), DR_OK);
	dr_g1_of_affine(&out, &affine);
	return out;
}

static inline struct dr_g2 bls_g2_of(const char *hex)
{
	struct dr_fail fail = { 0 };
	struct dr_g2_affine affine;
	struct dr_g2 out;

	assert_int_equal(dr_g2_get(&affine, kit_hex(hex).ptr, &fail), DR_OK);
	dr_g2_of_affine(&out, &affine);
	return out;
}

/* EIP-2537: an element is 64 bytes, a point its x and y, infinity zeros; c0 before c1. */
static inline void bls_eip_fp(struct dr_fp *out, const uint8_t *bytes)
{
	assert_true(dr_bytes_zero(bytes, 16));
	assert_true(dr_fp_get(out, bytes + 16));
}

static inline void bls_eip_fp2(struct dr_fp2 *out, const uint8_t *bytes)
{
	bls_eip_fp(&out->c0, bytes);
	bls_eip_fp(&out->c1, bytes + 64);
}

static inline void bls_eip_g1(struct dr_g1 *out, const uint8_t *bytes)
{
	struct dr_g1_affine affine;

	*out = (struct dr_g1){ 0 };
	if (dr_bytes_zero(bytes, 128))
		return;
	bls_eip_fp(&affine.x, bytes);
	bls_eip_fp(&affine.y, bytes + 64);
	assert_true(dr_g1_is_on_curve(&affine));
	dr_g1_of_affine(out, &affine);
}

static inline void bls_eip_g2(struct dr_g2 *out, const uint8_t *bytes)
{
	struct dr_g2_affine affine;

	*out = (struct dr_g2){ 0 };
	if (dr_bytes_zero(bytes, 256))
		return;
	bls_eip_fp2(&affine.x, bytes);
	bls_eip_fp2(&affine.y, bytes + 128);
	assert_true(dr_g2_is_on_curve(&affine));
	dr_g2_of_affine(out, &affine);
}

/* A row of one of EIP-2537's JSON files: its input and what is expected. */
static inline struct dr_bytes bls_eip_bytes(const json_t *row, const char *name)
{
	assert_non_null(json_string_value(json_object_get(row, name)));
	return kit_hex(json_string_value(json_object_get(row, name)));
}

#endif
