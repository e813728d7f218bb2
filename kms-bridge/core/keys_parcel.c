/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/keys_impl.h"

#include <string.h>

#include "chain/crypto/ristretto.h"
#include "chain/crypto/secret.h"

enum dr_err dr_keys_parcel_make(const struct dr_keys *k, uint64_t generation, const uint8_t to[static 20],
				const uint8_t to_enc_key[static 32], struct dr_buf *out, struct dr_fail *fail)
{
	const struct dr_keys_root *r = dr_keys_root_of(k, generation);
	struct dr_parcel p = { .chain_id = k->binding.chain_id, .generation = generation, .proof = k->binding.proof };
	uint8_t bytes[DR_PARCEL_LEN], secret[DR_PARCEL_SECRET_LEN];
	size_t len;

	if (r == NULL)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "keys: no root of this generation is held here", 0);
	memcpy(p.genesis, k->binding.genesis, 32);
	memcpy(p.contract, k->binding.contract, 20);
	memcpy(p.from, k->binding.node, 20);
	memcpy(p.to, to, 20);
	dr_parcel_header(bytes, &p);
	memcpy(secret, r->prf, 32);
	memcpy(secret + 32, r->sig, 32);
	const enum dr_err err =
		dr_box_seal(bytes + DR_PARCEL_HEADER_LEN, DR_PARCEL_BOX_LEN, &len, to_enc_key, DR_BOX_PARCEL,
			    dr_bytes_of(bytes, DR_PARCEL_HEADER_LEN), dr_bytes_of(secret, sizeof(secret)), fail);

	dr_secret_wipe(secret, sizeof(secret));
	return err == DR_OK ? dr_buf_append(out, bytes, sizeof(bytes), fail) : err;
}

/* What can be said of a parcel before it is opened. */
static enum dr_err check(const struct dr_keys *k, const struct dr_parcel *p, struct dr_fail *fail)
{
	const struct dr_keys_binding *b = &k->binding;

	if (!k->has_node)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "parcel: this node has no keys of its own to open it with",
				   0);
	if (p->chain_id != b->chain_id || memcmp(p->genesis, b->genesis, 32) != 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "parcel: of another chain", 0);
	if (memcmp(p->contract, b->contract, 20) != 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "parcel: of another contract", 0);
	if (p->proof != b->proof)
		return dr_fail_set(fail, DR_ERR_PROOF, "parcel: made at another proof minimum than this node's",
				   p->proof);
	if (memcmp(p->to, b->node, 20) != 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "parcel: for another node", 0);
	return DR_OK;
}

enum dr_err dr_keys_parcel_take(struct dr_keys *k, const struct dr_parcel *p, const uint8_t prf_pub[static 32],
				const uint8_t sig_pub[static 32], uint8_t sealed[static DR_KEYS_SEALED_LEN],
				struct dr_fail *fail)
{
	uint8_t header[DR_PARCEL_HEADER_LEN], secret[DR_PARCEL_SECRET_LEN] = { 0 };
	struct dr_fail own = { 0 };
	struct dr_keys_root *r;
	size_t len;

	memset(sealed, 0, DR_KEYS_SEALED_LEN);
	if (check(k, p, fail) != DR_OK || (r = dr_keys_root_place(k, p->generation, fail)) == NULL)
		return fail->err;
	dr_parcel_header(header, p);
	if (dr_box_open(secret, sizeof(secret), &len, k->enc, DR_BOX_PARCEL, dr_bytes_of(header, sizeof(header)),
			p->box, &own) == DR_OK) {
		if (len != sizeof(secret))
			dr_fail_set(&own, DR_ERR_SHORT, "parcel: what is inside is too short", len);
		else
			dr_keys_root_fill(r, p->generation, secret, &own);
	}
	dr_secret_wipe(secret, sizeof(secret));
	if (own.err == DR_OK &&
	    (!dr_ristretto_equal(r->prf_pub, prf_pub) || !dr_ristretto_equal(r->sig_pub, sig_pub)))
		dr_fail_set(&own, DR_ERR_PROOF, "parcel: what is inside differs from the published keys", 0);
	if (own.err != DR_OK) {
		dr_secret_wipe(r, sizeof(*r));
		return dr_fail_set(fail, own.err, own.what, own.at);
	}
	k->num++;
	return dr_keys_seal(k, p->generation, sealed, fail);
}
