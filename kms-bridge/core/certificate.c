/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/certificate.h"

#include <stdio.h>
#include <string.h>

#include "chain/base/hex.h"
#include "chain/base/reader.h"
#include "chain/codec/der.h"
#include "chain/crypto/ed25519.h"
#include "chain/crypto/secret.h"
#include "chain/crypto/sha256.h"
#include "kms-bridge/core/keys_impl.h"

#define SERIAL_LEN 20u
#define KEY_ID_LEN 20u
#define NAME_MAX   96u

/* One attribute each, in this order; empty: none. */
struct name {
	char o[NAME_MAX], ou[NAME_MAX], cn[NAME_MAX];
};

/* What a certificate says; signed by `by`. */
struct certificate {
	struct name issuer, subject;
	uint64_t since_s;
	uint8_t pub[32];
	bool ca, tls;
	const uint8_t *issuer_pub; /* NULL: its own */
	struct dr_bytes context;
	uint64_t generation;
	bool has_epoch;
	uint64_t epoch;
	const uint8_t *commitment; /* NULL: none */
};

void dr_certificate_commitment(uint8_t out[static 32], struct dr_bytes input, const uint8_t element[static 32])
{
	const uint8_t len[2] = { (uint8_t)(input.len >> 8), (uint8_t)input.len };
	const struct dr_bytes parts[] = {
		dr_bytes_of("derot-commitment-v1", 19),
		dr_bytes_of(len, sizeof(len)),
		input,
		dr_bytes_of(element, 32),
	};

	DR_ASSERT(input.len <= 0xffff);
	dr_sha256(out, parts, sizeof(parts) / sizeof(parts[0]));
}

static void key_id(uint8_t out[static KEY_ID_LEN], const uint8_t pub[static 32])
{
	uint8_t hash[32];

	dr_sha256_one(hash, pub, 32);
	memcpy(out, hash, KEY_ID_LEN);
}

/* RFC 8410, 3: the parameters are absent. */
static void put_algorithm(struct dr_der *d)
{
	dr_der_open(d, DR_DER_SEQUENCE);
	dr_der_oid(d, "1.3.101.112");
	dr_der_close(d);
}

static void put_attribute(struct dr_der *d, const char *oid, const char *text)
{
	if (text[0] == 0)
		return;
	dr_der_open(d, DR_DER_SET);
	dr_der_open(d, DR_DER_SEQUENCE);
	dr_der_oid(d, oid);
	dr_der_text(d, text);
	dr_der_close(d);
	dr_der_close(d);
}

static void put_name(struct dr_der *d, const struct name *name)
{
	dr_der_open(d, DR_DER_SEQUENCE);
	put_attribute(d, "2.5.4.10", name->o);
	put_attribute(d, "2.5.4.11", name->ou);
	put_attribute(d, "2.5.4.3", name->cn);
	dr_der_close(d);
}

/* RFC 5280, 4.1: Extension. What comes up to the matching end_extension is its value. */
static void begin_extension(struct dr_der *d, const char *oid, bool critical)
{
	dr_der_open(d, DR_DER_SEQUENCE);
	dr_der_oid(d, oid);
	if (critical)
		dr_der_bool(d, true);
	dr_der_open(d, DR_DER_OCTET_STRING);
}

static void end_extension(struct dr_der *d)
{
	dr_der_close(d);
	dr_der_close(d);
}

static void put_usage(struct dr_der *d, const struct certificate *c)
{
	static const uint8_t key_cert_sign = 0x04, digital_signature = 0x80; /* bits 5 and 0 */

	if (c->ca) {
		begin_extension(d, "2.5.29.19", true); /* basicConstraints */
		dr_der_open(d, DR_DER_SEQUENCE);
		dr_der_bool(d, true);
		dr_der_u64(d, 0);
		dr_der_close(d);
		end_extension(d);
	}
	begin_extension(d, "2.5.29.15", true); /* keyUsage */
	dr_der_bits(d, dr_bytes_of(c->ca ? &key_cert_sign : &digital_signature, 1), c->ca ? 2 : 7);
	end_extension(d);
	if (c->tls) {
		begin_extension(d, "2.5.29.37", false); /* extKeyUsage */
		dr_der_open(d, DR_DER_SEQUENCE);
		dr_der_oid(d, "1.3.6.1.5.5.7.3.1");
		dr_der_oid(d, "1.3.6.1.5.5.7.3.2");
		dr_der_close(d);
		end_extension(d);
	}
}

static void put_key_ids(struct dr_der *d, const struct certificate *c)
{
	uint8_t id[KEY_ID_LEN];

	if (c->issuer_pub != NULL) {
		key_id(id, c->issuer_pub);
		begin_extension(d, "2.5.29.35", false); /* authorityKeyIdentifier: keyIdentifier [0] */
		dr_der_open(d, DR_DER_SEQUENCE);
		dr_der_value(d, DR_DER_CONTEXT, dr_bytes_of(id, sizeof(id)));
		dr_der_close(d);
		end_extension(d);
	}
	key_id(id, c->pub);
	begin_extension(d, "2.5.29.14", false); /* subjectKeyIdentifier */
	dr_der_value(d, DR_DER_OCTET_STRING, dr_bytes_of(id, sizeof(id)));
	end_extension(d);
}

static void put_ours(struct dr_der *d, const struct certificate *c)
{
	begin_extension(d, DR_OID_CONTEXT, false);
	dr_der_value(d, DR_DER_OCTET_STRING, c->context);
	end_extension(d);
	begin_extension(d, DR_OID_GENERATION, false);
	dr_der_u64(d, c->generation);
	end_extension(d);
	if (c->has_epoch) {
		begin_extension(d, DR_OID_EPOCH, false);
		dr_der_u64(d, c->epoch);
		end_extension(d);
	}
	if (c->commitment != NULL) {
		begin_extension(d, DR_OID_COMMITMENT, false);
		dr_der_value(d, DR_DER_OCTET_STRING, dr_bytes_of(c->commitment, 32));
		end_extension(d);
	}
}

/* TBSCertificate from `signature` on: everything behind the serial number. */
static void put_body(struct dr_der *d, const struct certificate *c)
{
	put_algorithm(d);
	put_name(d, &c->issuer);
	dr_der_open(d, DR_DER_SEQUENCE);
	dr_der_time(d, c->since_s);
	dr_der_time(d, DR_DER_TIME_MAX_S); /* RFC 5280, 4.1.2.5: no well-defined end */
	dr_der_close(d);
	put_name(d, &c->subject);
	dr_der_open(d, DR_DER_SEQUENCE);
	put_algorithm(d);
	dr_der_bits(d, dr_bytes_of(c->pub, 32), 0);
	dr_der_close(d);
	dr_der_open(d, DR_DER_EXPLICIT | 3);
	dr_der_open(d, DR_DER_SEQUENCE);
	put_usage(d, c);
	put_key_ids(d, c);
	put_ours(d, c);
	dr_der_close(d);
	dr_der_close(d);
}

static enum dr_err sign(uint8_t *der, size_t cap, size_t *len, const struct certificate *c,
			const struct dr_keys_root *by, struct dr_fail *fail)
{
	uint8_t body[DR_KEYS_DER_MAX], tbs[DR_KEYS_DER_MAX], serial[32], sig[64];
	struct dr_fail own = { 0 };
	size_t body_len, tbs_len;
	struct dr_der d;

	*len = 0;
	dr_der_init(&d, body, sizeof(body), &own);
	put_body(&d, c);
	dr_der_end(&d, &body_len);
	/* Positive, not zero, and of one length whatever the hash (so that it is not looked at). */
	dr_sha256_one(serial, body, body_len);
	serial[0] = (serial[0] & 0x3f) | 0x40;

	dr_der_init(&d, tbs, sizeof(tbs), &own);
	dr_der_open(&d, DR_DER_SEQUENCE);
	dr_der_open(&d, DR_DER_EXPLICIT | 0);
	dr_der_u64(&d, 2); /* v3 */
	dr_der_close(&d);
	dr_der_value(&d, DR_DER_INTEGER, dr_bytes_of(serial, SERIAL_LEN));
	dr_der_raw(&d, dr_bytes_of(body, body_len));
	dr_der_close(&d);
	if (dr_der_end(&d, &tbs_len) == DR_OK)
		dr_ed25519_sign(sig, dr_bytes_of(tbs, tbs_len), by->sig);

	dr_der_init(&d, der, cap, &own);
	dr_der_open(&d, DR_DER_SEQUENCE);
	dr_der_raw(&d, dr_bytes_of(tbs, tbs_len));
	put_algorithm(&d);
	dr_der_bits(&d, dr_bytes_of(sig, sizeof(sig)), 0);
	dr_der_close(&d);
	if (dr_der_end(&d, len) == DR_OK)
		return DR_OK;
	memset(der, 0, cap);
	return dr_fail_set(fail, own.err, own.what, own.at);
}

static void organization(char out[static NAME_MAX], const struct dr_keys *k)
{
	char hex[2 * 20 + 1];

	dr_hex_put(hex, k->binding.contract, 20);
	snprintf(out, NAME_MAX, "derot 0x%s", hex);
}

static void root_name(struct name *out, const struct dr_keys *k, uint64_t generation)
{
	organization(out->o, k);
	snprintf(out->cn, NAME_MAX, "derot root generation %llu", (unsigned long long)generation);
}

enum dr_err dr_keys_certificate_root(const struct dr_keys *k, uint64_t generation, const struct dr_root *published,
				     uint8_t *der, size_t cap, size_t *len, struct dr_fail *fail)
{
	const struct dr_keys_root *r = dr_keys_root_of(k, generation);
	struct certificate c = { .ca = true, .generation = generation, .since_s = published->published };
	uint8_t context[DR_ROOT_CONTEXT_LEN];
	struct dr_root_claim claim;

	*len = 0;
	memset(der, 0, cap);
	if (r == NULL)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "certificate: no root of this generation is held here", 0);
	if (!dr_keys_equal(k, generation, published->prf_pub, published->sig_pub))
		return dr_fail_set(fail, DR_ERR_PROOF,
				   "certificate: the root held here differs from the published keys", 0);
	dr_keys_claim(&claim, k, r, published->node, published->quote);
	dr_root_context(context, &claim);
	root_name(&c.subject, k, generation);
	c.issuer = c.subject;
	memcpy(c.pub, r->sig_pub, 32);
	c.context = dr_bytes_of(context, sizeof(context));
	return sign(der, cap, len, &c, r, fail);
}

enum dr_err dr_keys_certificate_app(const struct dr_keys *k, const uint8_t key[static DR_KEYS_LEN],
				    const uint8_t proof[static DR_DERIVATION_PROOF_LEN],
				    const struct dr_decision *decision, const struct dr_request *request,
				    uint8_t *der, size_t cap, size_t *len, struct dr_fail *fail)
{
	const struct dr_keys_root *r = dr_keys_root_of(k, decision->generation);
	const enum dr_purpose purpose = (enum dr_purpose)request->purpose;
	struct certificate c = { .tls = purpose == DR_PURPOSE_TLS, .generation = decision->generation };
	uint8_t input[DR_DERIVATION_INPUT_MAX], commitment[32], secret[64];
	struct dr_derivation_proof p;
	struct dr_fail own = { 0 };
	size_t input_len;

	DR_ASSERT(purpose == DR_PURPOSE_SIGN || purpose == DR_PURPOSE_TLS);
	*len = 0;
	memset(der, 0, cap);
	if (r == NULL)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "certificate: no root of this generation is held here", 0);
	if (dr_derivation_proof_decode(&p, dr_bytes_of(proof, DR_DERIVATION_PROOF_LEN), &own) == DR_OK)
		dr_derivation_input(input, sizeof(input), &input_len, k->binding.chain_id, k->binding.genesis,
				    k->binding.contract, decision, request, &own);
	if (own.err != DR_OK)
		return dr_fail_set(fail, own.err, own.what, own.at);
	dr_certificate_commitment(commitment, dr_bytes_of(input, input_len), p.element);
	dr_secret_wipe(&p, sizeof(p));
	dr_ed25519_keypair(c.pub, secret, key);
	dr_secret_wipe(secret, sizeof(secret));

	root_name(&c.issuer, k, decision->generation);
	c.issuer_pub = r->sig_pub;
	organization(c.subject.o, k);
	snprintf(c.subject.ou, NAME_MAX, "%s", dr_purpose_name(purpose));
	dr_hex_put(c.subject.cn, decision->app_hash, 16);
	c.since_s = decision->epoch_time > decision->root_time ? decision->epoch_time : decision->root_time;
	c.context = dr_bytes_of(input, input_len);
	c.has_epoch = true;
	c.epoch = decision->epoch;
	c.commitment = commitment;
	return sign(der, cap, len, &c, r, fail);
}
