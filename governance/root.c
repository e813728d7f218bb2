/* SPDX-License-Identifier: Apache-2.0 */
#include "governance/root.h"

#include <string.h>

#include "chain/base/writer.h"
#include "chain/crypto/ed25519.h"
#include "chain/crypto/voprf.h"

void dr_root_scheme(uint8_t scheme[static 32])
{
	dr_word_put(scheme, 0x010101);
}

void dr_root_context(uint8_t out[static DR_ROOT_CONTEXT_LEN], const struct dr_root_claim *claim)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, out, DR_ROOT_CONTEXT_LEN, &fail);
	dr_writer_copy(&w, "derot-root-v1", 13);
	dr_writer_u64(&w, claim->chain_id);
	dr_writer_copy(&w, claim->genesis, 32);
	dr_writer_copy(&w, claim->contract, 20);
	dr_writer_u64(&w, claim->generation);
	dr_writer_copy(&w, claim->node, 20);
	dr_writer_copy(&w, claim->scheme, 32);
	dr_writer_copy(&w, claim->quote, 32);
	dr_writer_copy(&w, claim->prf_pub, 32);
	dr_writer_copy(&w, claim->sig_pub, 32);
	DR_ASSERT(fail.err == DR_OK && w.len == DR_ROOT_CONTEXT_LEN);
}

enum dr_err dr_root_verify(const struct dr_root_claim *claim, const struct dr_root_proofs *proofs,
			   const uint8_t *prev_pub, bool prev_required, struct dr_fail *fail)
{
	uint8_t bytes[DR_ROOT_CONTEXT_LEN], scheme[32];
	const struct dr_bytes context = dr_bytes_of(bytes, sizeof(bytes));
	enum dr_err err;

	DR_ASSERT(prev_pub != NULL || !prev_required);
	dr_root_scheme(scheme);
	if (memcmp(scheme, claim->scheme, 32) != 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "root: scheme is 1, one holder", 0);
	dr_root_context(bytes, claim);
	if ((err = dr_ed25519_verify(proofs->sig, context, claim->sig_pub, fail)) != DR_OK)
		return err;
	if ((err = dr_voprf_possess_verify(claim->prf_pub, context, proofs->prf_c, proofs->prf_s, fail)) != DR_OK)
		return err;
	if (!prev_required && dr_bytes_zero(proofs->prev, 64))
		return DR_OK;
	if (prev_pub == NULL)
		return dr_fail_set(fail, DR_ERR_PROOF,
				   "root: no generation was published before that could have signed", 0);
	return dr_ed25519_verify(proofs->prev, context, prev_pub, fail);
}
