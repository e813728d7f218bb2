/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/crypto/ristretto.h"
#include "chain/crypto/voprf.h"

#define BATCH_MAX 4u

/* The num values of a field: hex, separated by commas. */
static void split(struct dr_bytes *out, size_t num, const json_t *obj, const char *field)
{
	const char *text = json_string_value(json_object_get(obj, field));

	for (size_t i = 0; i < num; i++) {
		char one[256] = "";
		const size_t len = strcspn(text, ",");

		assert_true(len < sizeof(one));
		memcpy(one, text, len);
		out[i] = kit_hex(one);
		text += len + (text[len] == ',');
	}
	assert_int_equal(*text, '\0');
}

static const uint8_t *field(const json_t *obj, const char *name)
{
	return kit_hex(json_string_value(json_object_get(obj, name))).ptr;
}

static void one_vector(const json_t *vector, const uint8_t *secret, const uint8_t *pub)
{
	const size_t num = (size_t)json_integer_value(json_object_get(vector, "Batch"));
	const json_t *expected = json_object_get(vector, "Proof");
	struct dr_bytes input[BATCH_MAX], blind[BATCH_MAX], blinded[BATCH_MAX], evaluated[BATCH_MAX],
		output[BATCH_MAX];
	uint8_t b[BATCH_MAX][32], e[BATCH_MAX][32], element[32], out[64], proof[64];
	struct dr_fail fail = { 0 };

	assert_in_range(num, 1, BATCH_MAX);
	split(input, num, vector, "Input");
	split(blind, num, vector, "Blind");
	split(blinded, num, vector, "BlindedElement");
	split(evaluated, num, vector, "EvaluationElement");
	split(output, num, vector, "Output");
	for (size_t i = 0; i < num; i++) {
		assert_int_equal(dr_voprf_blind(b[i], input[i], blind[i].ptr, &fail), DR_OK);
		assert_memory_equal(b[i], blinded[i].ptr, 32);
		assert_int_equal(dr_voprf_blind_evaluate(e[i], secret, b[i], &fail), DR_OK);
		assert_memory_equal(e[i], evaluated[i].ptr, 32);
		assert_int_equal(dr_voprf_finalize(out, input[i], blind[i].ptr, e[i], &fail), DR_OK);
		assert_memory_equal(out, output[i].ptr, 64);
		assert_int_equal(dr_voprf_evaluate(out, secret, input[i], &fail), DR_OK);
		assert_memory_equal(out, output[i].ptr, 64);
		/* In the clear. */
		assert_int_equal(dr_voprf_hash(element, input[i], &fail), DR_OK);
		assert_int_equal(dr_voprf_blind_evaluate(element, secret, element, &fail), DR_OK);
		assert_int_equal(dr_voprf_output(out, input[i], element, &fail), DR_OK);
		assert_memory_equal(out, output[i].ptr, 64);
	}
	const uint8_t(*cb)[32] = (const uint8_t(*)[32])b, (*ce)[32] = (const uint8_t(*)[32])e;

	assert_int_equal(dr_voprf_prove(proof, secret, cb, ce, num, field(expected, "r"), &fail), DR_OK);
	assert_memory_equal(proof, field(expected, "proof"), 64);
	assert_int_equal(dr_voprf_verify(proof, pub, cb, ce, num, &fail), DR_OK);
	kit_assert_fail(DR_OK, &fail);
	for (unsigned bit = 0; bit < 512; bit++) {
		fail = (struct dr_fail){ 0 };
		proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(dr_voprf_verify(proof, pub, cb, ce, num, &fail), DR_OK);
		assert_true(fail.err == DR_ERR_PROOF || fail.err == DR_ERR_NONCANONICAL);
		proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* Another evaluation, in the last place. */
	fail = (struct dr_fail){ 0 };
	memcpy(e[num - 1], pub, 32);
	assert_int_equal(dr_voprf_verify(proof, pub, cb, ce, num, &fail), DR_ERR_PROOF);
	/* One evaluation fewer than were proven. */
	fail = (struct dr_fail){ 0 };
	memcpy(e[num - 1], evaluated[num - 1].ptr, 32);
	if (num > 1)
		assert_int_equal(dr_voprf_verify(proof, pub, cb, ce, num - 1, &fail), DR_ERR_PROOF);
}

/* RFC 9497, A.1.2: ristretto255-SHA512, VOPRF mode. */
static void test_rfc9497(void **state)
{
	json_t *all = kit_vector("07-crypto/voprf/rfc9497_ristretto255.json"), *suite, *vector;
	size_t i, j, seen = 0;

	(void)state;
	json_array_foreach(all, i, suite)
	{
		uint8_t secret[32], pub[32], again[32];
		struct dr_fail fail = { 0 };

		if (json_integer_value(json_object_get(suite, "mode")) != 1)
			continue;
		assert_int_equal(dr_voprf_derive(secret, pub, field(suite, "seed"),
						 kit_hex(json_string_value(json_object_get(suite, "keyInfo"))),
						 &fail),
				 DR_OK);
		assert_memory_equal(secret, field(suite, "skSm"), 32);
		assert_memory_equal(pub, field(suite, "pkSm"), 32);
		assert_int_equal(dr_voprf_public(again, secret, &fail), DR_OK);
		assert_memory_equal(pub, again, 32);
		json_array_foreach(json_object_get(suite, "vectors"), j, vector)
		{
			one_vector(vector, secret, pub);
			seen++;
		}
	}
	assert_int_equal(seen, 3);
	json_decref(all);
}

/* Without the vector file too: RFC 9497, A.1.2, key and test vector 1. */
#define SECRET "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909"
#define PUB    "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"
#define ZERO   "0000000000000000000000000000000000000000000000000000000000000000"
#define ORDER  "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"

static void test_refusals(void **state)
{
	static uint8_t long_input[65536];
	const uint8_t *secret = kit_hex(SECRET).ptr, *pub = kit_hex(PUB).ptr, *zero = kit_hex(ZERO).ptr;
	const struct dr_bytes longest = { long_input, 65535 }, too_long = { long_input, 65536 };
	const struct dr_bytes input = { long_input, 1 };
	static uint8_t many[DR_VOPRF_BATCH_MAX + 1][32];
	const uint8_t(*batch)[32] = (const uint8_t(*)[32])many;
	uint8_t out[64], out2[32], proof[64] = { 0 };

	(void)state;
	for (size_t i = 0; i <= DR_VOPRF_BATCH_MAX; i++)
		memcpy(many[i], pub, 32);
#define REFUSED(expected, size, call)                                                                                \
	do {                                                                                                         \
		struct dr_fail fail = { 0 };                                                                         \
		memset(out, 0xaa, sizeof(out));                                                                      \
		assert_int_equal(call, expected);                                                                    \
		kit_assert_fail(expected, &fail);                                                                    \
		assert_int_equal(dr_bytes_zero(out, size), (expected) != DR_OK);                                     \
	} while (0)
	REFUSED(DR_OK, 64, dr_voprf_evaluate(out, secret, longest, &fail));
	REFUSED(DR_ERR_LIMIT, 64, dr_voprf_evaluate(out, secret, too_long, &fail));
	REFUSED(DR_ERR_NONCANONICAL, 64, dr_voprf_evaluate(out, zero, input, &fail));
	REFUSED(DR_ERR_NONCANONICAL, 64, dr_voprf_evaluate(out, kit_hex(ORDER).ptr, input, &fail));
	REFUSED(DR_ERR_LIMIT, 32, dr_voprf_blind(out, too_long, secret, &fail));
	REFUSED(DR_ERR_NONCANONICAL, 32, dr_voprf_blind(out, input, zero, &fail));
	REFUSED(DR_ERR_NONCANONICAL, 32, dr_voprf_blind_evaluate(out, secret, zero, &fail));
	REFUSED(DR_ERR_LIMIT, 64, dr_voprf_finalize(out, too_long, secret, pub, &fail));
	REFUSED(DR_ERR_NONCANONICAL, 64, dr_voprf_finalize(out, input, zero, pub, &fail));
	REFUSED(DR_ERR_NONCANONICAL, 64, dr_voprf_finalize(out, input, secret, zero, &fail));
	REFUSED(DR_ERR_LIMIT, 32, dr_voprf_hash(out, too_long, &fail));
	REFUSED(DR_ERR_LIMIT, 64, dr_voprf_output(out, too_long, pub, &fail));
	REFUSED(DR_ERR_NONCANONICAL, 64, dr_voprf_output(out, dr_bytes_of("x", 1), zero, &fail));
	REFUSED(DR_ERR_LIMIT, 32, dr_voprf_derive(out, out2, secret, too_long, &fail));
	REFUSED(DR_ERR_NONCANONICAL, 32, dr_voprf_public(out, zero, &fail));
	REFUSED(DR_OK, 64, dr_voprf_prove(out, secret, batch, batch, DR_VOPRF_BATCH_MAX, secret, &fail));
	REFUSED(DR_ERR_LIMIT, 64, dr_voprf_prove(out, secret, batch, batch, 0, secret, &fail));
	REFUSED(DR_ERR_LIMIT, 64, dr_voprf_prove(out, secret, batch, batch, DR_VOPRF_BATCH_MAX + 1, secret, &fail));
	REFUSED(DR_ERR_NONCANONICAL, 64, dr_voprf_prove(out, zero, batch, batch, 1, secret, &fail));
	REFUSED(DR_ERR_NONCANONICAL, 64, dr_voprf_prove(out, secret, batch, batch, 1, zero, &fail));
	REFUSED(DR_ERR_NONCANONICAL, 0, (dr_voprf_verify(proof, pub, batch, batch, 1, &fail)));
#undef REFUSED
}

/* Our own construction: made here with (secret, context), checked against a second implementation of the
 * header's formulas in Python over the RFC 9496 group. */
#define POSSESS_C "8efc7efd5ae33f25e74eca2a1bdfa01c13acc41890c6cd5df8ee547647587e02"
#define POSSESS_S "cbdffd9bee9c534cdaf3715ea16aca0ee571b3adf06ce8bf2989d39ca411ca0e"

static void test_possess(void **state)
{
	static uint8_t long_context[65536];
	const struct dr_bytes context = dr_bytes_of("chain, contract, generation, node", 33);
	const uint8_t *secret = kit_hex(SECRET).ptr;
	uint8_t pub[32], c[32], s[32], c2[32], s2[32], text[33];
	struct dr_fail fail = { 0 };

	(void)state;
	memcpy(pub, kit_hex(PUB).ptr, 32);
	assert_int_equal(dr_voprf_possess_prove(c, s, secret, context, &fail), DR_OK);
	assert_memory_equal(c, kit_hex(POSSESS_C).ptr, 32);
	assert_memory_equal(s, kit_hex(POSSESS_S).ptr, 32);
	assert_int_equal(dr_voprf_possess_verify(pub, context, c, s, &fail), DR_OK);

	/* Another context has another nonce: equal nonces would give c·k - c'·k = s' - s away. */
	assert_int_equal(dr_voprf_possess_prove(c2, s2, secret, dr_bytes_of(NULL, 0), &fail), DR_OK);
	assert_int_equal(dr_voprf_possess_verify(pub, dr_bytes_of(NULL, 0), c2, s2, &fail), DR_OK);
	assert_int_equal(dr_voprf_possess_verify(pub, context, c2, s2, &fail), DR_ERR_PROOF);
	uint8_t nonce[32], nonce2[32];

	dr_ristretto_scalar_mul(nonce, c, secret);
	dr_ristretto_scalar_add(nonce, nonce, s);
	dr_ristretto_scalar_mul(nonce2, c2, secret);
	dr_ristretto_scalar_add(nonce2, nonce2, s2);
	assert_memory_not_equal(nonce, nonce2, 32);

	uint8_t *const parts[] = { pub, c, s };

	for (size_t i = 0; i < 3; i++) {
		for (unsigned bit = 0; bit < 256; bit++) {
			fail = (struct dr_fail){ 0 };
			parts[i][bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_not_equal(dr_voprf_possess_verify(pub, context, c, s, &fail), DR_OK);
			assert_true(fail.err == DR_ERR_PROOF || fail.err == DR_ERR_NONCANONICAL);
			parts[i][bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
	memcpy(text, context.ptr, 33);
	for (unsigned bit = 0; bit < 33 * 8; bit++) {
		fail = (struct dr_fail){ 0 };
		text[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(dr_voprf_possess_verify(pub, dr_bytes_of(text, 33), c, s, &fail), DR_ERR_PROOF);
		text[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_voprf_possess_verify(kit_hex(ZERO).ptr, context, c, s, &fail), DR_ERR_NONCANONICAL);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_voprf_possess_verify(pub, context, kit_hex(ZERO).ptr, s, &fail), DR_ERR_NONCANONICAL);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_voprf_possess_verify(pub, context, c, kit_hex(ORDER).ptr, &fail), DR_ERR_NONCANONICAL);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_voprf_possess_verify(pub, dr_bytes_of(long_context, 65536), c, s, &fail), DR_ERR_LIMIT);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_voprf_possess_prove(c, s, secret, dr_bytes_of(long_context, 65536), &fail), DR_ERR_LIMIT);
	assert_true(dr_bytes_zero(c, 32) && dr_bytes_zero(s, 32));
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_voprf_possess_prove(c, s, kit_hex(ORDER).ptr, context, &fail), DR_ERR_NONCANONICAL);
}

/* The places of a batch are part of the proof: the same evaluations in another order are another claim. */
static void test_batch_order(void **state)
{
	const uint8_t *secret = kit_hex(SECRET).ptr, *pub = kit_hex(PUB).ptr;
	uint8_t points[2][32], elements[2][32], turned[2][2][32], proof[64];
	struct dr_fail fail = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(dr_voprf_hash(points[i], dr_bytes_of(i == 0 ? "a" : "b", 1), &fail), DR_OK);
		assert_int_equal(dr_voprf_blind_evaluate(elements[i], secret, points[i], &fail), DR_OK);
		memcpy(turned[0][1 - i], points[i], 32);
		memcpy(turned[1][1 - i], elements[i], 32);
	}
	const uint8_t(*p)[32] = (const uint8_t(*)[32])points, (*e)[32] = (const uint8_t(*)[32])elements;

	assert_int_equal(dr_voprf_prove(proof, secret, p, e, 2, secret, &fail), DR_OK);
	assert_int_equal(dr_voprf_verify(proof, pub, p, e, 2, &fail), DR_OK);
	p = (const uint8_t(*)[32])turned[0];
	e = (const uint8_t(*)[32])turned[1];
	assert_int_equal(dr_voprf_verify(proof, pub, p, e, 2, &fail), DR_ERR_PROOF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch_order),
		cmocka_unit_test(test_rfc9497),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_possess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
