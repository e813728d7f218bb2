/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_bls: keys and signatures, as beacon nodes send them. Input: u8 kind % 5 · rest. The rest is a key (kind 0) or
 * a signature (1); or changes, each u8 where · u8 by what, to a key (2) or signature (3) that this code made; or (4)
 * u8 who signed · u8 who is said to have · u8 message · changes to the signature, of eight keys that know their
 * numbers. What must hold: what decodes encodes to the same bytes; zeros on failure; verified is what those said to
 * have signed did sign, over that message, unchanged, and nothing else; both kernels say the same (asked from kind
 * 128 on: a pairing more, which takes as long as all the rest).
 */
#include "chain/bls/bls.h"
#include "chain/bls/g1.h"
#include "chain/bls/g2.h"
#include "chain/bls/hash.h"
#include "tests/fuzz/fuzz.h"

#define KEYS     8u
#define MESSAGES 4u

static struct dr_bls_key keys[KEYS];
static uint8_t texts[KEYS][DR_BLS_KEY_LEN];
static struct dr_g2 hashes[MESSAGES];

/* Key i is 2^i times the generator: what any of them sign together is the hash times their mask. */
static void make(void)
{
	static const char suite[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
	struct dr_fail fail = { 0 };
	struct dr_g1_affine affine;
	struct dr_g1 p;

	dr_fp_choose();
	dr_g1_of_affine(&p, &dr_g1_minus_generator);
	dr_g1_neg(&p, &p);
	for (size_t i = 0; i < KEYS; i++) {
		struct dr_fp z_inv;

		dr_fp_inv(&z_inv, &p.z);
		dr_g1_affine(&affine, &p, &z_inv);
		dr_g1_put(texts[i], &affine);
		DR_ASSERT(dr_bls_key_get(&keys[i], texts[i], &fail) == DR_OK);
		dr_g1_dbl(&p, &p);
	}
	for (uint8_t i = 0; i < MESSAGES; i++)
		dr_hash_to_g2(&hashes[i], dr_bytes_of(&i, 1), dr_bytes_of(suite, sizeof(suite) - 1));
}

static void sign(uint8_t text[static DR_BLS_SIGNATURE_LEN], unsigned who, unsigned message)
{
	struct dr_g2 sum = { 0 };
	struct dr_g2_affine affine;
	struct dr_fp2 z_inv;

	for (unsigned bit = KEYS; bit-- > 0;) {
		dr_g2_dbl(&sum, &sum);
		if ((who >> bit & 1) == 1)
			dr_g2_add(&sum, &sum, &hashes[message]);
	}
	memset(text, 0, DR_BLS_SIGNATURE_LEN);
	text[0] = 0xc0;
	if (dr_g2_is_infinity(&sum))
		return;
	dr_fp2_inv(&z_inv, &sum.z);
	dr_g2_affine(&affine, &sum, &z_inv);
	dr_g2_put(text, &affine);
}

static bool change(uint8_t *text, size_t len, const uint8_t *data, size_t size)
{
	uint8_t before[DR_BLS_SIGNATURE_LEN];

	memcpy(before, text, len);
	for (; size >= 2; data += 2, size -= 2)
		text[data[0] % len] ^= data[1];
	return memcmp(before, text, len) != 0;
}

static void check_key(const uint8_t text[static DR_BLS_KEY_LEN])
{
	struct dr_bls_key key, other;
	struct dr_g1_affine point;
	struct dr_fail fail = { 0 }, again = { 0 };
	uint8_t out[DR_BLS_KEY_LEN];
	const enum dr_err err = dr_bls_key_get(&key, text, &fail);

	DR_ASSERT(dr_bls_keys_get(&other, 1, text, &again) == err && memcmp(&key, &other, sizeof(key)) == 0);
	if (err != DR_OK) {
		DR_ASSERT(dr_bytes_zero(&key, sizeof(key)) && fail.what != NULL && fail.what == again.what);
		return;
	}
	memcpy(&point, &key, sizeof(point));
	DR_ASSERT(dr_g1_is_on_curve(&point));
	dr_g1_put(out, &point);
	DR_ASSERT(memcmp(out, text, sizeof(out)) == 0);
}

static void check_signature(const uint8_t text[static DR_BLS_SIGNATURE_LEN])
{
	struct dr_g2_affine point;
	struct dr_fail fail = { 0 };
	uint8_t out[DR_BLS_SIGNATURE_LEN];

	if (dr_g2_get(&point, text, &fail) != DR_OK) {
		DR_ASSERT(dr_bytes_zero(&point, sizeof(point)) && fail.what != NULL);
		return;
	}
	DR_ASSERT(dr_g2_is_on_curve(&point));
	dr_g2_put(out, &point);
	DR_ASSERT(memcmp(out, text, sizeof(out)) == 0);
}

static enum dr_err verify(const struct dr_bls_sum *sum, unsigned message, const uint8_t *signature)
{
	const uint8_t msg = (uint8_t)message;
	struct dr_fail fail = { 0 };
	const enum dr_err err = dr_bls_verify_sum(sum, dr_bytes_of(&msg, 1), signature, &fail);

	DR_ASSERT(fail.err == err && (err == DR_OK || err == DR_ERR_PROOF));
	return err;
}

static void check_verify(bool both, unsigned who, unsigned said, unsigned message, const uint8_t *data, size_t size)
{
	uint8_t signature[DR_BLS_SIGNATURE_LEN];
	struct dr_bls_sum sum;

	sign(signature, who, message % MESSAGES);
	const bool changed = change(signature, sizeof(signature), data, size);
	const bool good = !changed && who == said && who != 0 && message < MESSAGES;

	/* All, less those who are not said to have signed. */
	dr_bls_sum_zero(&sum);
	for (size_t i = 0; i < KEYS; i++)
		dr_bls_sum_add(&sum, &keys[i]);
	for (size_t i = 0; i < KEYS; i++)
		if ((said >> i & 1) == 0)
			dr_bls_sum_sub(&sum, &keys[i]);
	const bool told = verify(&sum, message, signature) == DR_OK;

	DR_ASSERT(told == good);
	if (!both)
		return;
	dr_fp_use(DR_FP_INT128);
	DR_ASSERT((verify(&sum, message, signature) == DR_OK) == told);
	dr_fp_use(DR_FP_ADX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t text[DR_BLS_SIGNATURE_LEN] = { 0 };

	if (keys[0].x[0] == 0)
		make();
	if (size < 1)
		return 0;
	const uint8_t kind = data[0] % 5;
	const bool both = data[0] >= 128;

	data++;
	size--;
	switch (kind) {
	case 0:
		memcpy(text, data, size < DR_BLS_KEY_LEN ? size : DR_BLS_KEY_LEN);
		check_key(text);
		break;
	case 1:
		memcpy(text, data, size < sizeof(text) ? size : sizeof(text));
		check_signature(text);
		break;
	case 2:
		memcpy(text, texts[3], DR_BLS_KEY_LEN);
		change(text, DR_BLS_KEY_LEN, data, size);
		check_key(text);
		break;
	case 3:
		sign(text, 5, 1);
		change(text, sizeof(text), data, size);
		check_signature(text);
		break;
	case 4:
		if (size >= 3)
			check_verify(both, data[0], data[1], data[2], data + 3, size - 3);
		break;
	}
	return 0;
}
