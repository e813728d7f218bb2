/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/voprf.h"

#include <string.h>

#include <sodium.h>

#include "chain/crypto/ristretto.h"
#include "chain/crypto/sha512.h"

#define CONTEXT   "OPRFV1-\x01-ristretto255-SHA512"
#define PARTS_MAX 16u

static const char dst_group[] = "HashToGroup-" CONTEXT;
static const char dst_scalar[] = "HashToScalar-" CONTEXT;
static const char dst_derive[] = "DeriveKeyPair" CONTEXT;
static const char dst_seed[] = "Seed-" CONTEXT;
static const char label_possess[] = "derot-possession-v1";
static const char label_possess_nonce[] = "derot-possession-nonce-v1";

/* What is to be hashed: parts in order, some preceded by their length, "I2OSP(len(x), 2) || x". */
struct transcript {
	struct dr_bytes part[PARTS_MAX];
	uint8_t len[PARTS_MAX][2];
	size_t num;
};

static void add(struct transcript *t, const void *ptr, size_t len)
{
	DR_ASSERT(t->num < PARTS_MAX);
	t->part[t->num++] = dr_bytes_of(ptr, len);
}

static void add_u16(struct transcript *t, size_t value)
{
	DR_ASSERT(t->num < PARTS_MAX && value <= 0xffff);
	uint8_t *len = t->len[t->num];

	len[0] = (uint8_t)(value >> 8);
	len[1] = (uint8_t)value;
	add(t, len, 2);
}

static void add_sized(struct transcript *t, const void *ptr, size_t len)
{
	add_u16(t, len);
	add(t, ptr, len);
}

static void add_text(struct transcript *t, const char *text)
{
	add(t, text, strlen(text));
}

/* RFC 9380, 5.3.1, for len_in_bytes = 64, the hash's own length: "ell" is 1, so the result is b_1. */
static void expand_message_xmd(uint8_t uniform[static 64], const struct transcript *msg, const char *dst)
{
	static const uint8_t z_pad[128], l_i_b_0[3] = { 0, 64, 0 }, one = 1;
	const uint8_t dst_len = (uint8_t)strlen(dst);
	struct transcript t = { .num = 0 };
	uint8_t b_0[64];

	add(&t, z_pad, sizeof(z_pad));
	for (size_t i = 0; i < msg->num; i++)
		add(&t, msg->part[i].ptr, msg->part[i].len);
	add(&t, l_i_b_0, sizeof(l_i_b_0));
	add(&t, dst, dst_len);
	add(&t, &dst_len, 1);
	dr_sha512(b_0, t.part, t.num);

	t.num = 0;
	add(&t, b_0, sizeof(b_0));
	add(&t, &one, 1);
	add(&t, dst, dst_len);
	add(&t, &dst_len, 1);
	dr_sha512(uniform, t.part, t.num);
	sodium_memzero(b_0, sizeof(b_0));
}

static void hash_to_scalar(uint8_t out[static 32], const struct transcript *msg, const char *dst)
{
	uint8_t uniform[64];

	expand_message_xmd(uniform, msg, dst);
	dr_ristretto_scalar_reduce(out, uniform);
	sodium_memzero(uniform, sizeof(uniform));
}

static enum dr_err hash_to_group(uint8_t out[static 32], struct dr_bytes input, struct dr_fail *fail)
{
	struct transcript t = { .num = 0 };
	uint8_t uniform[64];

	memset(out, 0, 32);
	if (input.len > DR_VOPRF_INPUT_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "PRF input is longer than 65535 bytes", input.len);
	add(&t, input.ptr, input.len);
	expand_message_xmd(uniform, &t, dst_group);
	dr_ristretto_from_hash(out, uniform);
	sodium_memzero(uniform, sizeof(uniform));
	return DR_OK;
}

enum dr_err dr_voprf_derive(uint8_t secret[static 32], uint8_t pub[static 32], const uint8_t seed[static 32],
			    struct dr_bytes info, struct dr_fail *fail)
{
	uint8_t scalar[32];
	enum dr_err err = DR_OK;

	memset(secret, 0, 32);
	memset(pub, 0, 32);
	if (info.len > DR_VOPRF_INPUT_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "key info is longer than 65535 bytes", info.len);
	for (unsigned counter = 0; counter <= 255; counter++) {
		const uint8_t octet = (uint8_t)counter;
		struct transcript t = { .num = 0 };

		add(&t, seed, 32);
		add_sized(&t, info.ptr, info.len);
		add(&t, &octet, 1);
		hash_to_scalar(scalar, &t, dst_derive);
		if (!dr_ristretto_scalar_is_valid(scalar))
			continue;
		err = dr_ristretto_base(pub, scalar, fail);
		memcpy(secret, scalar, 32);
		sodium_memzero(scalar, sizeof(scalar));
		return err;
	}
	return dr_fail_set(fail, DR_ERR_PROOF, "no key comes from this seed", 0);
}

enum dr_err dr_voprf_public(uint8_t pub[static 32], const uint8_t secret[static 32], struct dr_fail *fail)
{
	return dr_ristretto_base(pub, secret, fail);
}

enum dr_err dr_voprf_blind(uint8_t blinded[static 32], struct dr_bytes input, const uint8_t blind[static 32],
			   struct dr_fail *fail)
{
	uint8_t element[32];
	enum dr_err err = hash_to_group(element, input, fail);

	memset(blinded, 0, 32);
	if (err == DR_OK)
		err = dr_ristretto_mul(blinded, blind, element, fail);
	sodium_memzero(element, sizeof(element));
	return err;
}

enum dr_err dr_voprf_blind_evaluate(uint8_t evaluated[static 32], const uint8_t secret[static 32],
				    const uint8_t blinded[static 32], struct dr_fail *fail)
{
	return dr_ristretto_mul(evaluated, secret, blinded, fail);
}

/* hashInput of Finalize and Evaluate. */
static void finish(uint8_t output[static 64], struct dr_bytes input, const uint8_t element[static 32])
{
	struct transcript t = { .num = 0 };

	add_sized(&t, input.ptr, input.len);
	add_sized(&t, element, 32);
	add_text(&t, "Finalize");
	dr_sha512(output, t.part, t.num);
}

enum dr_err dr_voprf_finalize(uint8_t output[static 64], struct dr_bytes input, const uint8_t blind[static 32],
			      const uint8_t evaluated[static 32], struct dr_fail *fail)
{
	uint8_t inverse[32], element[32];
	enum dr_err err;

	memset(output, 0, 64);
	if (input.len > DR_VOPRF_INPUT_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "PRF input is longer than 65535 bytes", input.len);
	err = dr_ristretto_scalar_invert(inverse, blind, fail);
	if (err == DR_OK)
		err = dr_ristretto_mul(element, inverse, evaluated, fail);
	if (err == DR_OK)
		finish(output, input, element);
	sodium_memzero(inverse, sizeof(inverse));
	sodium_memzero(element, sizeof(element));
	return err;
}

enum dr_err dr_voprf_evaluate(uint8_t output[static 64], const uint8_t secret[static 32], struct dr_bytes input,
			      struct dr_fail *fail)
{
	uint8_t element[32];
	enum dr_err err = hash_to_group(element, input, fail);

	memset(output, 0, 64);
	if (err == DR_OK)
		err = dr_ristretto_mul(element, secret, element, fail);
	if (err == DR_OK)
		finish(output, input, element);
	sodium_memzero(element, sizeof(element));
	return err;
}

enum dr_err dr_voprf_hash(uint8_t element[static 32], struct dr_bytes input, struct dr_fail *fail)
{
	const enum dr_err err = hash_to_group(element, input, fail);

	/* The identity comes out with probability 2^-252, and is no element. */
	return err != DR_OK ? err : dr_ristretto_check_point(element, fail);
}

enum dr_err dr_voprf_output(uint8_t output[static 64], struct dr_bytes input, const uint8_t element[static 32],
			    struct dr_fail *fail)
{
	memset(output, 0, 64);
	if (input.len > DR_VOPRF_INPUT_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "PRF input is longer than 65535 bytes", input.len);
	if (dr_ristretto_check_point(element, fail) != DR_OK)
		return fail->err;
	finish(output, input, element);
	return DR_OK;
}

/* out = a · p + b · q */
static enum dr_err mul_add(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t p[static 32],
			   const uint8_t b[static 32], const uint8_t q[static 32], struct dr_fail *fail)
{
	uint8_t left[32], right[32];
	enum dr_err err;

	memset(out, 0, 32);
	if ((err = dr_ristretto_mul(left, a, p, fail)) != DR_OK)
		return err;
	if ((err = dr_ristretto_mul(right, b, q, fail)) != DR_OK)
		return err;
	return dr_ristretto_add(out, left, right, fail);
}

/* out = a · G + b · q */
static enum dr_err base_add(uint8_t out[static 32], const uint8_t a[static 32], const uint8_t b[static 32],
			    const uint8_t q[static 32], struct dr_fail *fail)
{
	uint8_t left[32], right[32];
	enum dr_err err;

	memset(out, 0, 32);
	if ((err = dr_ristretto_base(left, a, fail)) != DR_OK)
		return err;
	if ((err = dr_ristretto_mul(right, b, q, fail)) != DR_OK)
		return err;
	return dr_ristretto_add(out, left, right, fail);
}

/* sum += d · point, where an all-zero sum is the empty one. */
static enum dr_err accumulate(uint8_t sum[static 32], bool first, const uint8_t d[static 32],
			      const uint8_t point[static 32], struct dr_fail *fail)
{
	uint8_t term[32];
	const enum dr_err err = dr_ristretto_mul(term, d, point, fail);

	if (err != DR_OK)
		return err;
	if (!first)
		return dr_ristretto_add(sum, sum, term, fail);
	memcpy(sum, term, 32);
	return DR_OK;
}

/* ComputeComposites (2.2.1, 2.2.2): m and z are the sums of blinded and evaluated with weights that depend
 * on all of them. All of this is public. The prover passes no z (NULL) and takes secret · m
 * (ComputeCompositesFast): equal if the evaluations are right. */
static enum dr_err composites(uint8_t m[static 32], uint8_t *z, const uint8_t pub[static 32],
			      const uint8_t (*blinded)[32], const uint8_t (*evaluated)[32], size_t num,
			      struct dr_fail *fail)
{
	struct transcript t = { .num = 0 };
	uint8_t seed[64];
	enum dr_err err;

	memset(m, 0, 32);
	if (z != NULL)
		memset(z, 0, 32);
	if (num == 0 || num > DR_VOPRF_BATCH_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "a proof covers 1 to 64 evaluations", num);
	add_sized(&t, pub, 32);
	add_sized(&t, dst_seed, strlen(dst_seed));
	dr_sha512(seed, t.part, t.num);
	for (size_t i = 0; i < num; i++) {
		uint8_t d[32];

		t.num = 0;
		add_sized(&t, seed, sizeof(seed));
		add_u16(&t, i);
		add_sized(&t, blinded[i], 32);
		add_sized(&t, evaluated[i], 32);
		add_text(&t, "Composite");
		hash_to_scalar(d, &t, dst_scalar);
		if ((err = accumulate(m, i == 0, d, blinded[i], fail)) != DR_OK)
			return err;
		if ((err = z != NULL ? accumulate(z, i == 0, d, evaluated[i], fail)
				     : dr_ristretto_check_point(evaluated[i], fail)) != DR_OK)
			return err;
	}
	return DR_OK;
}

static void challenge(uint8_t c[static 32], const uint8_t pub[static 32], const uint8_t m[static 32],
		      const uint8_t z[static 32], const uint8_t t2[static 32], const uint8_t t3[static 32])
{
	struct transcript t = { .num = 0 };

	add_sized(&t, pub, 32);
	add_sized(&t, m, 32);
	add_sized(&t, z, 32);
	add_sized(&t, t2, 32);
	add_sized(&t, t3, 32);
	add_text(&t, "Challenge");
	hash_to_scalar(c, &t, dst_scalar);
}

/* s = nonce - c · secret: the answer of both proofs. */
static void respond(uint8_t s[static 32], const uint8_t nonce[static 32], const uint8_t c[static 32],
		    const uint8_t secret[static 32])
{
	uint8_t product[32];

	dr_ristretto_scalar_mul(product, c, secret);
	dr_ristretto_scalar_sub(s, nonce, product);
	sodium_memzero(product, sizeof(product));
}

enum dr_err dr_voprf_prove(uint8_t proof[static 64], const uint8_t secret[static 32], const uint8_t (*blinded)[32],
			   const uint8_t (*evaluated)[32], size_t num, const uint8_t nonce[static 32],
			   struct dr_fail *fail)
{
	uint8_t pub[32], m[32], z[32], t2[32], t3[32];
	enum dr_err err;

	memset(proof, 0, 64);
	if ((err = dr_ristretto_base(pub, secret, fail)) != DR_OK)
		return err;
	if ((err = composites(m, NULL, pub, blinded, evaluated, num, fail)) != DR_OK)
		return err;
	if ((err = dr_ristretto_mul(z, secret, m, fail)) != DR_OK)
		return err;
	if ((err = dr_ristretto_base(t2, nonce, fail)) != DR_OK)
		return err;
	if ((err = dr_ristretto_mul(t3, nonce, m, fail)) != DR_OK)
		return err;
	challenge(proof, pub, m, z, t2, t3);
	respond(proof + 32, nonce, proof, secret);
	return DR_OK;
}

enum dr_err dr_voprf_verify(const uint8_t proof[static 64], const uint8_t pub[static 32],
			    const uint8_t (*blinded)[32], const uint8_t (*evaluated)[32], size_t num,
			    struct dr_fail *fail)
{
	const uint8_t *c = proof, *s = proof + 32;
	uint8_t m[32], z[32], t2[32], t3[32], expected[32];
	enum dr_err err;

	if ((err = composites(m, z, pub, blinded, evaluated, num, fail)) != DR_OK)
		return err;
	if ((err = base_add(t2, s, c, pub, fail)) != DR_OK)
		return err;
	if ((err = mul_add(t3, s, m, c, z, fail)) != DR_OK)
		return err;
	challenge(expected, pub, m, z, t2, t3);
	if (!dr_ristretto_equal(expected, c))
		return dr_fail_set(fail, DR_ERR_PROOF, "evaluation proof does not verify", 0);
	return DR_OK;
}

static void possess_challenge(uint8_t c[static 32], const uint8_t pub[static 32], struct dr_bytes context,
			      const uint8_t commitment[static 32])
{
	struct transcript t = { .num = 0 };

	add_sized(&t, label_possess, strlen(label_possess));
	add_sized(&t, context.ptr, context.len);
	add_sized(&t, pub, 32);
	add_sized(&t, commitment, 32);
	hash_to_scalar(c, &t, dst_scalar);
}

enum dr_err dr_voprf_possess_prove(uint8_t c[static 32], uint8_t s[static 32], const uint8_t secret[static 32],
				   struct dr_bytes context, struct dr_fail *fail)
{
	struct transcript t = { .num = 0 };
	uint8_t pub[32], commitment[32], wide[64], nonce[32];
	enum dr_err err;

	memset(c, 0, 32);
	memset(s, 0, 32);
	if (context.len > DR_VOPRF_INPUT_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "proof context is longer than 65535 bytes", context.len);
	if ((err = dr_ristretto_base(pub, secret, fail)) != DR_OK)
		return err;
	add_text(&t, label_possess_nonce);
	add(&t, secret, 32);
	add(&t, pub, 32);
	add_sized(&t, context.ptr, context.len);
	dr_sha512(wide, t.part, t.num);
	dr_ristretto_scalar_reduce(nonce, wide);
	err = dr_ristretto_base(commitment, nonce, fail);
	if (err == DR_OK) {
		possess_challenge(c, pub, context, commitment);
		respond(s, nonce, c, secret);
	}
	sodium_memzero(wide, sizeof(wide));
	sodium_memzero(nonce, sizeof(nonce));
	return err;
}

enum dr_err dr_voprf_possess_verify(const uint8_t pub[static 32], struct dr_bytes context, const uint8_t c[static 32],
				    const uint8_t s[static 32], struct dr_fail *fail)
{
	uint8_t commitment[32], expected[32];
	enum dr_err err;

	if (context.len > DR_VOPRF_INPUT_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "proof context is longer than 65535 bytes", context.len);
	if ((err = base_add(commitment, s, c, pub, fail)) != DR_OK)
		return err;
	possess_challenge(expected, pub, context, commitment);
	if (!dr_ristretto_equal(expected, c))
		return dr_fail_set(fail, DR_ERR_PROOF, "possession proof does not verify", 0);
	return DR_OK;
}
