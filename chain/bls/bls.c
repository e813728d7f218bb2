/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/bls/bls.h"

#include <string.h>

#include "chain/bls/g1.h"
#include "chain/bls/g2.h"
#include "chain/bls/hash.h"
#include "chain/bls/pairing.h"

/* "BLS_SIG_" || H2C_SUITE_ID || SC_TAG || "_" (draft 4.1, 4.2.3) */
static const char suite[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/* ---- forms ---- */

_Static_assert(sizeof(struct dr_bls_key) == sizeof(struct dr_g1_affine), "a key is an affine point");
_Static_assert(sizeof(struct dr_bls_sum) == sizeof(struct dr_g1), "a sum is a point");

static struct dr_g1_affine key_point(const struct dr_bls_key *key)
{
	struct dr_g1_affine point;

	memcpy(&point, key, sizeof(point));
	return point;
}

static struct dr_g1 sum_point(const struct dr_bls_sum *sum)
{
	struct dr_g1 point;

	memcpy(&point, sum, sizeof(point));
	return point;
}

/* ---- keys ---- */

/* "2.5. KeyValidate" */
static enum dr_err get_key(struct dr_bls_key *out, const uint8_t text[static DR_BLS_KEY_LEN], struct dr_fail *fail)
{
	struct dr_g1_affine point;
	const enum dr_err err = dr_g1_get(&point, text, fail);

	if (err != DR_OK)
		return err;
	if (!dr_g1_is_in_subgroup(&point))
		return dr_fail_set(fail, DR_ERR_PROOF, "a key outside the subgroup of order r", 0);
	memcpy(out, &point, sizeof(point));
	return DR_OK;
}

enum dr_err dr_bls_key_get(struct dr_bls_key *out, const uint8_t text[static DR_BLS_KEY_LEN], struct dr_fail *fail)
{
	dr_fp_choose();
	memset(out, 0, sizeof(*out));
	return get_key(out, text, fail);
}

/* Each key is checked for itself. The sum of keys, or one with random factors, would not do: the curve has points of
 * order 3 and 11 outside the subgroup, and bad parts can cancel. */
enum dr_err dr_bls_keys_get(struct dr_bls_key *out, size_t num, const uint8_t *text, struct dr_fail *fail)
{
	dr_fp_choose();
	memset(out, 0, num * sizeof(*out));
	for (size_t i = 0; i < num; i++) {
		struct dr_fail own = { 0 };

		if (get_key(&out[i], text + i * DR_BLS_KEY_LEN, &own) == DR_OK)
			continue;
		memset(out, 0, num * sizeof(*out));
		return dr_fail_set(fail, own.err, own.what, i);
	}
	return DR_OK;
}

/* ---- sums ---- */

void dr_bls_sum_zero(struct dr_bls_sum *sum)
{
	memset(sum, 0, sizeof(*sum));
}

static void add(struct dr_bls_sum *sum, const struct dr_g1_affine *key)
{
	struct dr_g1 point = sum_point(sum);

	DR_ASSERT(!dr_fp_is_zero(&key->y)); /* y = 0 is of order 2: no key, but zeroed memory */
	dr_fp_choose();
	dr_g1_add_affine(&point, &point, key);
	memcpy(sum, &point, sizeof(point));
}

void dr_bls_sum_add(struct dr_bls_sum *sum, const struct dr_bls_key *key)
{
	const struct dr_g1_affine point = key_point(key);

	add(sum, &point);
}

void dr_bls_sum_sub(struct dr_bls_sum *sum, const struct dr_bls_key *key)
{
	struct dr_g1_affine point = key_point(key);

	dr_fp_neg(&point.y, &point.y);
	add(sum, &point);
}

bool dr_bls_sum_is_key(const struct dr_bls_sum *sum, const struct dr_bls_key *key)
{
	const struct dr_g1_affine k = key_point(key);
	const struct dr_g1 s = sum_point(sum);

	dr_fp_choose();
	return dr_g1_eq_affine(&s, &k);
}

/* ---- verification ---- */

/* "2.7. CoreVerify": steps 1 to 3, and that it is not infinity, which is no valid key's signature. */
static enum dr_err get_signature(struct dr_g2_affine *out, const uint8_t text[static DR_BLS_SIGNATURE_LEN],
				 struct dr_fail *fail)
{
	struct dr_fail own = { 0 };

	if (dr_g2_get(out, text, &own) != DR_OK)
		return dr_fail_set(fail, DR_ERR_PROOF, own.what, 0);
	if (!dr_g2_is_in_subgroup(out))
		return dr_fail_set(fail, DR_ERR_PROOF, "a signature outside the subgroup of order r", 0);
	return DR_OK;
}

/* What a message is hashed to. False: infinity, which is no more likely than a forgery. */
static bool hashed(struct dr_g2_affine *out, struct dr_bytes msg)
{
	struct dr_g2 point;
	struct dr_fp2 z_inv;

	dr_hash_to_g2(&point, msg, dr_bytes_of(suite, sizeof(suite) - 1));
	if (dr_g2_is_infinity(&point))
		return false;
	dr_fp2_inv(&z_inv, &point.z);
	dr_g2_affine(out, &point, &z_inv);
	return true;
}

static enum dr_err is_one(const struct dr_fp12 *f, struct dr_fail *fail)
{
	struct dr_fp12 reduced;

	dr_pairing_final(&reduced, f);
	if (!dr_fp12_eq(&reduced, &dr_fp12_one))
		return dr_fail_set(fail, DR_ERR_PROOF, "the signature is not of these keys over this message", 0);
	return DR_OK;
}

enum dr_err dr_bls_verify_sum(const struct dr_bls_sum *sum, struct dr_bytes msg,
			      const uint8_t signature[static DR_BLS_SIGNATURE_LEN], struct dr_fail *fail)
{
	const struct dr_g1 key = sum_point(sum);
	struct dr_g1_affine p[2] = { [0] = dr_g1_minus_generator };
	struct dr_g2_affine q[2];
	struct dr_fp z_inv;
	struct dr_fp12 f;
	enum dr_err err;

	dr_fp_choose();
	if (dr_g1_is_infinity(&key))
		return dr_fail_set(fail, DR_ERR_PROOF, "the sum of the keys is infinity", 0);
	if ((err = get_signature(&q[0], signature, fail)) != DR_OK)
		return err;
	if (!hashed(&q[1], msg))
		return dr_fail_set(fail, DR_ERR_PROOF, "the message is hashed to infinity", 0);
	dr_fp_inv(&z_inv, &key.z);
	dr_g1_affine(&p[1], &key, &z_inv);
	dr_pairing_miller(&f, p, q, 2);
	return is_one(&f, fail);
}

enum dr_err dr_bls_verify_many(const struct dr_bls_key *keys, const struct dr_bytes *msgs, size_t num,
			       const uint8_t signature[static DR_BLS_SIGNATURE_LEN], struct dr_fail *fail)
{
	struct dr_g1_affine p[DR_PAIRING_MAX] = { [0] = dr_g1_minus_generator };
	struct dr_g2_affine q[DR_PAIRING_MAX];
	struct dr_fp12 f = dr_fp12_one, some;
	enum dr_err err;

	dr_fp_choose();
	if (num == 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "a signature of no keys", 0);
	if ((err = get_signature(&q[0], signature, fail)) != DR_OK)
		return err;
	for (size_t i = 0, fill = 1; i < num; i++) {
		DR_ASSERT(!dr_bytes_zero(&keys[i], sizeof(keys[i])));
		p[fill] = key_point(&keys[i]);
		if (!hashed(&q[fill], msgs[i]))
			return dr_fail_set(fail, DR_ERR_PROOF, "the message is hashed to infinity", i);
		fill++;
		if (fill < DR_PAIRING_MAX && i + 1 < num)
			continue;
		dr_pairing_miller(&some, p, q, fill);
		dr_fp12_mul(&f, &f, &some);
		fill = 0;
	}
	return is_one(&f, fail);
}
