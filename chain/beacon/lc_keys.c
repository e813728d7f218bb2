/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/beacon/lc_keys.h"

#include <string.h>

#include "chain/beacon/ssz.h"

enum dr_err dr_lc_keys_load(struct dr_lc_keys *out, const struct dr_lc_committee *committee, uint32_t num,
			    const uint8_t root[static 32], struct dr_fail *fail)
{
	struct dr_bls_key aggregate;
	enum dr_err err;

	DR_ASSERT(num <= DR_SYNC_COMMITTEE_MAX);
	memset(out, 0, sizeof(*out));
	if (committee->pubkeys.len != (size_t)num * DR_BLS_KEY_LEN)
		return dr_fail_set(fail, DR_ERR_PROOF, "a committee of another size", 0);
	err = dr_bls_keys_get(out->keys, num, committee->pubkeys.ptr, fail);
	if (err == DR_OK)
		err = dr_bls_key_get(&aggregate, committee->aggregate_pubkey, fail);
	if (err == DR_OK) {
		dr_bls_sum_zero(&out->sum);
		for (uint32_t i = 0; i < num; i++)
			dr_bls_sum_add(&out->sum, &out->keys[i]);
		if (!dr_bls_sum_is_key(&out->sum, &aggregate))
			err = dr_fail_set(fail, DR_ERR_PROOF, "the aggregate key is not the sum of the committee's",
					  0);
	}
	if (err != DR_OK) {
		memset(out, 0, sizeof(*out));
		return err;
	}
	memcpy(out->root, root, 32);
	out->num = num;
	out->known = true;
	return DR_OK;
}

void dr_lc_keys_sum(struct dr_bls_sum *out, const struct dr_lc_keys *keys,
		    const uint8_t bits[static DR_SYNC_COMMITTEE_MAX / 8])
{
	uint32_t present = 0;

	for (uint32_t i = 0; i < keys->num; i++)
		present += bits[i / 8] >> (i % 8) & 1;
	const bool subtract = present > keys->num / 2;

	*out = keys->sum;
	if (!subtract)
		dr_bls_sum_zero(out);
	for (uint32_t i = 0; i < keys->num; i++) {
		const bool signs = bits[i / 8] >> (i % 8) & 1;

		if (subtract && !signs)
			dr_bls_sum_sub(out, &keys->keys[i]);
		if (!subtract && signs)
			dr_bls_sum_add(out, &keys->keys[i]);
	}
}

enum dr_err dr_lc_keys_verify(const struct dr_lc_keys *keys, const struct dr_lc_header *attested,
			      const struct dr_lc_aggregate *aggregate, const uint8_t domain[static 32],
			      struct dr_fail *fail)
{
	struct dr_bls_sum sum;
	uint8_t root[32];

	/* compute_signing_root: the tree of SigningData's two leaves. */
	dr_lc_header_root(root, attested);
	dr_ssz_pair(root, root, domain);
	dr_lc_keys_sum(&sum, keys, aggregate->bits);
	return dr_bls_verify_sum(&sum, dr_bytes_of(root, 32), aggregate->signature, fail);
}
