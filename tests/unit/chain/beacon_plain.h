/* SPDX-License-Identifier: Apache-2.0
 *
 * beacon_plain: instead of beacon_sign.h, where signing has to cost nothing: BLS is stood in for (whoever includes
 * this, in one file alone, is linked with --wrap: BLS_CALLS in the Makefile). A key is its number; a signature names
 * the message and the sum of its signers' numbers.
 */
#ifndef DR_TESTS_BEACON_PLAIN_H
#define DR_TESTS_BEACON_PLAIN_H

#include "chain/base/bytes.h"
#include "chain/beacon/lc.h"
#include "chain/beacon/ssz.h"
#include "chain/bls/bls.h"

#define FORGE_SIGNS

enum dr_err __wrap_dr_bls_key_get(struct dr_bls_key *out, const uint8_t text[static DR_BLS_KEY_LEN],
				  struct dr_fail *fail);
enum dr_err __wrap_dr_bls_keys_get(struct dr_bls_key *out, size_t num, const uint8_t *text, struct dr_fail *fail);
void __wrap_dr_bls_sum_add(struct dr_bls_sum *sum, const struct dr_bls_key *key);
void __wrap_dr_bls_sum_sub(struct dr_bls_sum *sum, const struct dr_bls_key *key);
bool __wrap_dr_bls_sum_is_key(const struct dr_bls_sum *sum, const struct dr_bls_key *key);
enum dr_err __wrap_dr_bls_verify_sum(const struct dr_bls_sum *sum, struct dr_bytes msg,
				     const uint8_t signature[static DR_BLS_SIGNATURE_LEN], struct dr_fail *fail);

enum dr_err __wrap_dr_bls_key_get(struct dr_bls_key *out, const uint8_t text[static DR_BLS_KEY_LEN],
				  struct dr_fail *fail)
{
	memset(out, 0, sizeof(*out));
	if (text[0] != 0xa0 || !dr_bytes_zero(text + 1, 39))
		return dr_fail_set(fail, DR_ERR_PROOF, "no key", 0);
	out->x[0] = dr_be64_get(text + 40);
	return DR_OK;
}

enum dr_err __wrap_dr_bls_keys_get(struct dr_bls_key *out, size_t num, const uint8_t *text, struct dr_fail *fail)
{
	for (size_t i = 0; i < num; i++)
		if (__wrap_dr_bls_key_get(&out[i], text + i * DR_BLS_KEY_LEN, fail) != DR_OK) {
			memset(out, 0, num * sizeof(*out));
			return fail->err;
		}
	return DR_OK;
}

void __wrap_dr_bls_sum_add(struct dr_bls_sum *sum, const struct dr_bls_key *key)
{
	sum->x[0] += key->x[0];
}

void __wrap_dr_bls_sum_sub(struct dr_bls_sum *sum, const struct dr_bls_key *key)
{
	sum->x[0] -= key->x[0];
}

bool __wrap_dr_bls_sum_is_key(const struct dr_bls_sum *sum, const struct dr_bls_key *key)
{
	return sum->x[0] == key->x[0];
}

enum dr_err __wrap_dr_bls_verify_sum(const struct dr_bls_sum *sum, struct dr_bytes msg,
				     const uint8_t signature[static DR_BLS_SIGNATURE_LEN], struct dr_fail *fail)
{
	DR_ASSERT(msg.len == 32);
	if (memcmp(signature, msg.ptr, 32) != 0 || dr_be64_get(signature + 32) != sum->x[0] ||
	    !dr_bytes_zero(signature + 40, 56))
		return dr_fail_set(fail, DR_ERR_PROOF, "no signature", 0);
	return DR_OK;
}

static inline void forge_point(uint8_t text[static 48], uint64_t secret)
{
	memset(text, 0, 48);
	text[0] = 0xa0;
	dr_be64_put(text + 40, secret);
}

static inline void forge_signature(uint8_t signature[static 96], const uint8_t root[static 32], uint64_t secret)
{
	memset(signature, 0, 96);
	memcpy(signature, root, 32);
	dr_be64_put(signature + 32, secret);
}

#endif
