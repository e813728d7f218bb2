/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/derivation.h"

#include <string.h>

#include "chain/base/reader.h"
#include "chain/base/writer.h"
#include "chain/crypto/hkdf.h"
#include "chain/crypto/ristretto.h"
#include "chain/crypto/secret.h"
#include "chain/crypto/voprf.h"

#define VERSION 1u
#define SCHEME  1u

static void field(struct dr_writer *w, const void *ptr, size_t len)
{
	dr_writer_u16(w, (uint16_t)len);
	dr_writer_copy(w, ptr, len);
}

static void field_u64(struct dr_writer *w, uint64_t value)
{
	uint8_t be[8];

	dr_be64_put(be, value);
	field(w, be, sizeof(be));
}

/* The purpose that stands in the input: a contract's key is a key of its cluster. */
static const char *input_purpose(enum dr_purpose purpose)
{
	DR_ASSERT(purpose >= DR_PURPOSE_SEAL && purpose <= DR_PURPOSE_CONTRACT);
	return dr_purpose_name(purpose == DR_PURPOSE_CONTRACT ? DR_PURPOSE_CLUSTER : purpose);
}

enum dr_err dr_derivation_input(uint8_t *buf, size_t cap, size_t *len, uint64_t chain_id,
				const uint8_t genesis[static 32], const uint8_t contract[static 20],
				const struct dr_decision *decision, const struct dr_request *request,
				struct dr_fail *fail)
{
	const char *purpose = input_purpose((enum dr_purpose)request->purpose);
	struct dr_fail own = { 0 };
	struct dr_writer w;

	*len = 0;
	dr_writer_init(&w, buf, cap, &own);
	field(&w, "derot-kdf-v1", 12);
	field_u64(&w, chain_id);
	field(&w, genesis, 32);
	field(&w, contract, 20);
	field_u64(&w, decision->generation);
	field(&w, decision->deployer, 20);
	field(&w, decision->app_hash, 32);
	field(&w, decision->nonce, 32);
	field(&w, purpose, strlen(purpose));
	field(&w, request->service, 32);
	field_u64(&w, decision->epoch);
	if (own.err != DR_OK)
		return dr_fail_set(fail, own.err, own.what, own.at);
	*len = w.len;
	return DR_OK;
}

enum dr_err dr_derivation_key(uint8_t key[static DR_DERIVATION_KEY_LEN], const uint8_t element[static 32],
			      struct dr_bytes input, enum dr_purpose purpose, const uint8_t contract[static 32],
			      struct dr_fail *fail)
{
	const struct dr_bytes no_salt = { NULL, 0 };
	const char *name = input_purpose(purpose);
	uint8_t output[64], info[64], parent[DR_DERIVATION_KEY_LEN];
	struct dr_fail own = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, info, sizeof(info), &own);
	dr_writer_copy(&w, "derot-key-v1", 12);
	dr_writer_copy(&w, name, strlen(name));
	if (dr_voprf_output(output, input, element, &own) == DR_OK)
		dr_hkdf_sha512(key, DR_DERIVATION_KEY_LEN, dr_bytes_of(output, sizeof(output)), no_salt,
			       dr_bytes_of(info, w.len), &own);
	if (own.err == DR_OK && purpose == DR_PURPOSE_CONTRACT) {
		memcpy(parent, key, sizeof(parent));
		dr_writer_init(&w, info, sizeof(info), &own);
		dr_writer_copy(&w, "derot-contract-v1", 17);
		dr_writer_copy(&w, contract, 32);
		dr_hkdf_sha512(key, DR_DERIVATION_KEY_LEN, dr_bytes_of(parent, sizeof(parent)), no_salt,
			       dr_bytes_of(info, w.len), &own);
		dr_secret_wipe(parent, sizeof(parent));
	}
	dr_secret_wipe(output, sizeof(output));
	if (own.err == DR_OK)
		return DR_OK;
	dr_secret_wipe(key, DR_DERIVATION_KEY_LEN);
	return dr_fail_set(fail, own.err, own.what, own.at);
}

void dr_derivation_proof_encode(uint8_t out[static DR_DERIVATION_PROOF_LEN], const struct dr_derivation_proof *proof)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	DR_ASSERT(proof->num <= DR_DERIVATION_PARTIALS_MAX);
	dr_writer_init(&w, out, DR_DERIVATION_PROOF_LEN, &fail);
	dr_writer_u8(&w, proof->version);
	dr_writer_u8(&w, proof->scheme);
	dr_writer_u8(&w, proof->t);
	dr_writer_u8(&w, proof->n);
	dr_writer_copy(&w, proof->element, 32);
	dr_writer_u8(&w, proof->num);
	for (size_t i = 0; i < proof->num; i++) {
		dr_writer_u8(&w, proof->partials[i].idx);
		dr_writer_copy(&w, proof->partials[i].element, 32);
		dr_writer_copy(&w, proof->partials[i].c, 32);
		dr_writer_copy(&w, proof->partials[i].s, 32);
	}
	DR_ASSERT(fail.err == DR_OK && w.len == DR_DERIVATION_PROOF_LEN);
}

enum dr_err dr_derivation_proof_decode(struct dr_derivation_proof *out, struct dr_bytes bytes, struct dr_fail *fail)
{
	struct dr_fail own = { 0 };
	struct dr_reader r;

	memset(out, 0, sizeof(*out));
	dr_reader_init(&r, bytes, &own);
	out->version = dr_reader_u8(&r);
	out->scheme = dr_reader_u8(&r);
	if (dr_reader_ok(&r) && (out->version != VERSION || out->scheme != SCHEME))
		dr_reader_fail(&r, DR_ERR_UNKNOWN, "derivation proof: version 1 and scheme 1 are known");
	out->t = dr_reader_u8(&r);
	out->n = dr_reader_u8(&r);
	dr_reader_copy(&r, out->element, 32);
	out->num = dr_reader_u8(&r);
	if (dr_reader_ok(&r) && (out->t != 1 || out->n != 1 || out->num != 1))
		dr_reader_fail(&r, DR_ERR_UNKNOWN, "derivation proof: one holder, one partial are known");
	for (size_t i = 0; dr_reader_ok(&r) && i < out->num; i++) {
		struct dr_derivation_partial *p = &out->partials[i];

		p->idx = dr_reader_u8(&r);
		if (dr_reader_ok(&r) && p->idx != i + 1)
			dr_reader_fail(&r, DR_ERR_UNKNOWN,
				       "derivation proof: a partial of a holder that is not known");
		dr_reader_copy(&r, p->element, 32);
		dr_reader_copy(&r, p->c, 32);
		dr_reader_copy(&r, p->s, 32);
	}
	if (dr_reader_end(&r) == DR_OK && !dr_ristretto_equal(out->element, out->partials[0].element))
		dr_fail_set(&own, DR_ERR_NONCANONICAL, "derivation proof: the one partial's element is the element",
			    0);
	if (own.err == DR_OK)
		return DR_OK;
	memset(out, 0, sizeof(*out));
	return dr_fail_set(fail, own.err, own.what, own.at);
}

enum dr_err dr_derivation_verify(uint8_t key[static DR_DERIVATION_KEY_LEN], struct dr_bytes proof,
				 const uint8_t prf_pub[static 32], struct dr_bytes input, enum dr_purpose purpose,
				 const uint8_t contract[static 32], struct dr_fail *fail)
{
	uint8_t point[1][32], element[1][32], cs[64];
	struct dr_derivation_proof p;
	struct dr_fail own = { 0 };

	memset(key, 0, DR_DERIVATION_KEY_LEN);
	if (dr_derivation_proof_decode(&p, proof, &own) == DR_OK && dr_voprf_hash(point[0], input, &own) == DR_OK) {
		memcpy(element[0], p.element, 32);
		memcpy(cs, p.partials[0].c, 32);
		memcpy(cs + 32, p.partials[0].s, 32);
		if (dr_voprf_verify(cs, prf_pub, (const uint8_t(*)[32])point, (const uint8_t(*)[32])element, 1,
				    &own) == DR_OK)
			dr_derivation_key(key, element[0], input, purpose, contract, &own);
		dr_secret_wipe(element, sizeof(element));
	}
	dr_secret_wipe(&p, sizeof(p));
	if (own.err != DR_OK)
		return dr_fail_set(fail, own.err, own.what, own.at);
	return DR_OK;
}
