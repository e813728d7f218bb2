/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/keys_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "chain/base/reader.h"
#include "chain/base/writer.h"
#include "chain/crypto/aead.h"
#include "chain/crypto/ed25519.h"
#include "chain/crypto/hkdf.h"
#include "chain/crypto/ristretto.h"
#include "chain/crypto/secret.h"
#include "chain/crypto/voprf.h"
#include "chain/crypto/x25519.h"
#include "kms-bridge/core/key_file.h"

#define SEAL_VERSION   2u
#define ID_LEN         8u
#define SECRET_LEN     64u
#define ASSOCIATED_LEN (13u + 8 + 32 + 20 + 1 + 32 + 8)

enum dr_err dr_keys_harden(struct dr_fail *fail)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return dr_fail_set(fail, DR_ERR_IO, "keys: core dumps could not be forbidden", (size_t)errno);
	return DR_OK;
}

enum dr_err dr_keys_file_make(const char *path, const char *passphrase_file, uint32_t argon2_mib,
			      struct dr_fail *fail)
{
	return dr_key_file_make(path, passphrase_file, argon2_mib, fail);
}

enum dr_err dr_keys_reseal(struct dr_keys *k, const char *key_file, const char *passphrase_file, struct dr_fail *fail)
{
	uint8_t key[DR_AEAD_KEY_LEN], id[ID_LEN];
	struct dr_fail own = { 0 };
	uint32_t memory_mib;

	if (dr_key_file_read(key, &memory_mib, key_file, passphrase_file, &own) == DR_OK &&
	    dr_hkdf_sha512(id, sizeof(id), dr_bytes_of(key, sizeof(key)), dr_bytes_of(NULL, 0),
			   dr_bytes_of("derot-key-id-v1", 15), &own) == DR_OK) {
		memcpy(k->sealing, key, sizeof(key));
		memcpy(k->id, id, sizeof(id));
		k->memory_mib = memory_mib;
	} else {
		dr_fail_set(fail, own.err, own.what, own.at);
	}
	dr_secret_wipe(key, sizeof(key));
	return own.err;
}

uint32_t dr_keys_memory_mib(const struct dr_keys *k)
{
	return k->memory_mib;
}

struct dr_keys *dr_keys_new(const char *key_file, const char *passphrase_file, const struct dr_keys_binding *binding,
			    struct dr_fail *fail)
{
	struct dr_keys *k = dr_secret_alloc(sizeof(*k));

	if (k == NULL) {
		dr_fail_set(fail, DR_ERR_NOMEM, "keys: no locked memory", sizeof(*k));
		return NULL;
	}
	k->binding = *binding;
	if (dr_keys_reseal(k, key_file, passphrase_file, fail) == DR_OK)
		return k;
	dr_keys_free(k);
	return NULL;
}

void dr_keys_free(struct dr_keys *k)
{
	dr_secret_free(k);
}

void dr_keys_id(const struct dr_keys *k, uint8_t id[static 8])
{
	memcpy(id, k->id, ID_LEN);
}

const struct dr_keys_root *dr_keys_root_of(const struct dr_keys *k, uint64_t generation)
{
	for (size_t i = 0; i < k->num; i++)
		if (k->roots[i].generation == generation)
			return &k->roots[i];
	return NULL;
}

bool dr_keys_held(const struct dr_keys *k, uint64_t generation)
{
	return dr_keys_root_of(k, generation) != NULL;
}

bool dr_keys_full(const struct dr_keys *k)
{
	return k->num == DR_KEYS_ROOTS_MAX;
}

uint64_t dr_keys_newest(const struct dr_keys *k)
{
	uint64_t newest = 0;

	for (size_t i = 0; i < k->num; i++)
		if (k->roots[i].generation > newest)
			newest = k->roots[i].generation;
	return newest;
}

bool dr_keys_equal(const struct dr_keys *k, uint64_t generation, const uint8_t prf_pub[static 32],
		   const uint8_t sig_pub[static 32])
{
	const struct dr_keys_root *r = dr_keys_root_of(k, generation);

	return r != NULL && memcmp(r->prf_pub, prf_pub, 32) == 0 && memcmp(r->sig_pub, sig_pub, 32) == 0;
}

struct dr_keys_root *dr_keys_root_place(struct dr_keys *k, uint64_t generation, struct dr_fail *fail)
{
	if (generation == 0 || dr_keys_full(k)) {
		dr_fail_set(fail, DR_ERR_LIMIT, "keys: number of a generation (>= 1), or too many held", k->num);
		return NULL;
	}
	if (dr_keys_held(k, generation)) {
		dr_fail_set(fail, DR_ERR_PROOF, "keys: a root of this generation is already held", 0);
		return NULL;
	}
	return &k->roots[k->num];
}

enum dr_err dr_keys_root_fill(struct dr_keys_root *r, uint64_t generation, const uint8_t secret[static 64],
			      struct dr_fail *fail)
{
	memset(r, 0, sizeof(*r));
	if (dr_voprf_public(r->prf_pub, secret, fail) != DR_OK)
		return fail->err;
	memcpy(r->prf, secret, 32);
	dr_ed25519_keypair(r->sig_pub, r->sig, secret + 32);
	r->generation = generation;
	return DR_OK;
}

void dr_keys_destroy(struct dr_keys *k, uint64_t generation)
{
	for (size_t i = 0; i < k->num; i++) {
		if (k->roots[i].generation != generation)
			continue;
		k->roots[i] = k->roots[--k->num];
		dr_secret_wipe(&k->roots[k->num], sizeof(k->roots[k->num]));
		return;
	}
}

static void associated(uint8_t out[static ASSOCIATED_LEN], const struct dr_keys_binding *b, uint64_t generation)
{
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, out, ASSOCIATED_LEN, &fail);
	dr_writer_copy(&w, "derot-seal-v1", 13);
	dr_writer_u64(&w, b->chain_id);
	dr_writer_copy(&w, b->genesis, 32);
	dr_writer_copy(&w, b->contract, 20);
	dr_writer_u8(&w, b->proof);
	dr_writer_copy(&w, b->profile, 32);
	dr_writer_u64(&w, generation);
	DR_ASSERT(fail.err == DR_OK && w.len == ASSOCIATED_LEN);
}

enum dr_err dr_keys_seal(const struct dr_keys *k, uint64_t generation, uint8_t sealed[static DR_KEYS_SEALED_LEN],
			 struct dr_fail *fail)
{
	const struct dr_keys_root *r = dr_keys_root_of(k, generation);
	uint8_t secret[SECRET_LEN], bytes[ASSOCIATED_LEN];
	uint8_t *nonce = sealed + 1 + ID_LEN;

	memset(sealed, 0, DR_KEYS_SEALED_LEN);
	if (generation == 0 ? !k->has_node : r == NULL)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "keys: no root of this generation is held here", 0);
	memcpy(secret, generation == 0 ? k->enc : r->prf, 32);
	memcpy(secret + 32, generation == 0 ? k->sign : r->sig, 32); /* the seed is the first half */
	associated(bytes, &k->binding, generation);
	sealed[0] = SEAL_VERSION;
	memcpy(sealed + 1, k->id, ID_LEN);
	dr_secret_random(nonce, DR_AEAD_NONCE_LEN);
	dr_aead_seal(nonce + DR_AEAD_NONCE_LEN, dr_bytes_of(secret, sizeof(secret)),
		     dr_bytes_of(bytes, sizeof(bytes)), nonce, k->sealing);
	dr_secret_wipe(secret, sizeof(secret));
	return DR_OK;
}

enum dr_err dr_keys_sealed_id(uint8_t id[static 8], struct dr_bytes sealed, struct dr_fail *fail)
{
	memset(id, 0, ID_LEN);
	if (sealed.len != DR_KEYS_SEALED_LEN)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "sealed root: expected 113 bytes", sealed.len);
	if (sealed.ptr[0] != SEAL_VERSION)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "sealed root: version", sealed.ptr[0]);
	memcpy(id, sealed.ptr + 1, ID_LEN);
	return DR_OK;
}

/* The secret under a seal: wipe it, whatever comes back. */
static enum dr_err unseal(uint8_t secret[static SECRET_LEN], const struct dr_keys *k, uint64_t generation,
			  struct dr_bytes sealed, struct dr_fail *fail)
{
	const size_t at = 1 + ID_LEN + DR_AEAD_NONCE_LEN;
	uint8_t bytes[ASSOCIATED_LEN], id[ID_LEN];
	struct dr_fail own = { 0 };

	memset(secret, 0, SECRET_LEN);
	if (dr_keys_sealed_id(id, sealed, fail) != DR_OK)
		return fail->err;
	if (memcmp(id, k->id, ID_LEN) != 0)
		return dr_fail_set(fail, DR_ERR_PROOF, "sealed root: sealed under another key file", 0);
	associated(bytes, &k->binding, generation);
	if (dr_aead_open(secret, dr_bytes_of(sealed.ptr + at, sealed.len - at), dr_bytes_of(bytes, sizeof(bytes)),
			 sealed.ptr + 1 + ID_LEN, k->sealing, &own) != DR_OK)
		return dr_fail_set(
			fail, own.err,
			"sealed root: it does not open: sealed for another chain, contract, proof, profile "
			"or generation, or changed",
			0);
	return DR_OK;
}

enum dr_err dr_keys_make(struct dr_keys *k, uint64_t generation, uint8_t sealed[static DR_KEYS_SEALED_LEN],
			 struct dr_fail *fail)
{
	uint8_t secret[SECRET_LEN], pub[32], seed[32];
	struct dr_keys_root *r = dr_keys_root_place(k, generation, fail);

	memset(sealed, 0, DR_KEYS_SEALED_LEN);
	if (r == NULL)
		return fail->err;
	dr_secret_random(seed, sizeof(seed));
	enum dr_err err = dr_voprf_derive(secret, pub, seed, dr_bytes_of("derot-root-v1", 13), fail);

	if (err == DR_OK) {
		/* RFC 8032's secret is the seed; the scalar comes out of it. */
		dr_secret_random(secret + 32, 32);
		err = dr_keys_root_fill(r, generation, secret, fail);
	}
	dr_secret_wipe(seed, sizeof(seed));
	dr_secret_wipe(secret, sizeof(secret));
	if (err != DR_OK)
		return err;
	k->num++;
	return dr_keys_seal(k, generation, sealed, fail);
}

enum dr_err dr_keys_open(struct dr_keys *k, uint64_t generation, struct dr_bytes sealed, struct dr_fail *fail)
{
	struct dr_keys_root *r = dr_keys_root_place(k, generation, fail);
	uint8_t secret[SECRET_LEN];

	if (r == NULL)
		return fail->err;
	enum dr_err err = unseal(secret, k, generation, sealed, fail);

	if (err == DR_OK && (err = dr_keys_root_fill(r, generation, secret, fail)) == DR_OK)
		k->num++;
	dr_secret_wipe(secret, sizeof(secret));
	return err;
}

static void node_fill(struct dr_keys *k, const uint8_t secret[static SECRET_LEN])
{
	memcpy(k->enc, secret, 32);
	dr_x25519_public(k->enc_pub, k->enc);
	dr_ed25519_keypair(k->sign_pub, k->sign, secret + 32);
	k->has_node = true;
}

enum dr_err dr_keys_node_make(struct dr_keys *k, uint8_t sealed[static DR_KEYS_SEALED_LEN], struct dr_fail *fail)
{
	uint8_t secret[SECRET_LEN];

	memset(sealed, 0, DR_KEYS_SEALED_LEN);
	if (k->has_node)
		return dr_fail_set(fail, DR_ERR_PROOF, "keys: the node has its own keys already", 0);
	dr_secret_random(secret, sizeof(secret));
	node_fill(k, secret);
	dr_secret_wipe(secret, sizeof(secret));
	return dr_keys_seal(k, 0, sealed, fail);
}

enum dr_err dr_keys_node_open(struct dr_keys *k, struct dr_bytes sealed, struct dr_fail *fail)
{
	uint8_t secret[SECRET_LEN];

	if (k->has_node)
		return dr_fail_set(fail, DR_ERR_PROOF, "keys: the node has its own keys already", 0);
	const enum dr_err err = unseal(secret, k, 0, sealed, fail);

	if (err == DR_OK)
		node_fill(k, secret);
	dr_secret_wipe(secret, sizeof(secret));
	return err;
}

bool dr_keys_node(const struct dr_keys *k, uint8_t enc_key[static 32], uint8_t sign_key[static 32])
{
	/* Zero while there are none. */
	memcpy(enc_key, k->enc_pub, 32);
	memcpy(sign_key, k->sign_pub, 32);
	return k->has_node;
}

void dr_keys_node_sign(const struct dr_keys *k, uint8_t sig[static 64], struct dr_bytes message)
{
	DR_ASSERT(k->has_node);
	dr_ed25519_sign(sig, message, k->sign);
}

void dr_keys_claim(struct dr_root_claim *out, const struct dr_keys *k, const struct dr_keys_root *r,
		   const uint8_t node[static 20], const uint8_t quote[static 32])
{
	*out = (struct dr_root_claim){ .chain_id = k->binding.chain_id, .generation = r->generation };
	memcpy(out->genesis, k->binding.genesis, 32);
	memcpy(out->contract, k->binding.contract, 20);
	memcpy(out->node, node, 20);
	dr_root_scheme(out->scheme);
	memcpy(out->quote, quote, 32);
	memcpy(out->prf_pub, r->prf_pub, 32);
	memcpy(out->sig_pub, r->sig_pub, 32);
}

enum dr_err dr_keys_publication(const struct dr_keys *k, uint64_t generation, uint64_t prev_generation,
				const uint8_t *prev_pub, uint8_t words[static 10][32], struct dr_fail *fail)
{
	const struct dr_keys_root *r = dr_keys_root_of(k, generation), *prev = dr_keys_root_of(k, prev_generation);
	static const uint8_t quote[32];
	uint8_t bytes[DR_ROOT_CONTEXT_LEN], sig[64];
	struct dr_root_claim claim;

	memset(words, 0, 10 * 32);
	DR_ASSERT(r != NULL);
	dr_keys_claim(&claim, k, r, k->binding.node, quote);
	dr_root_context(bytes, &claim);
	const struct dr_bytes context = dr_bytes_of(bytes, sizeof(bytes));

	if (dr_voprf_possess_prove(words[2], words[3], r->prf, context, fail) != DR_OK) {
		memset(words, 0, 10 * 32);
		return fail->err;
	}
	memcpy(words[0], claim.scheme, 32);
	memcpy(words[1], claim.prf_pub, 32);
	memcpy(words[4], claim.sig_pub, 32);
	dr_ed25519_sign(sig, context, r->sig);
	memcpy(words[5], sig, 32);      /* R */
	memcpy(words[6], sig + 32, 32); /* S */
	memcpy(words[7], claim.quote, 32);
	if (prev_pub != NULL && prev != NULL && prev != r && memcmp(prev->sig_pub, prev_pub, 32) == 0) {
		dr_ed25519_sign(sig, context, prev->sig);
		memcpy(words[8], sig, 32);
		memcpy(words[9], sig + 32, 32);
	}
	return DR_OK;
}

enum dr_err dr_keys_derive(const struct dr_keys *k, uint8_t key[static DR_KEYS_LEN], uint8_t *proof,
			   const struct dr_decision *decision, const struct dr_request *request, struct dr_fail *fail)
{
	const struct dr_keys_root *r = dr_keys_root_of(k, decision->generation);
	const enum dr_purpose purpose = (enum dr_purpose)request->purpose;
	uint8_t input[DR_DERIVATION_INPUT_MAX], wide[64], nonce[32], point[1][32], element[1][32], cs[64];
	struct dr_derivation_proof out = { .version = 1, .scheme = 1, .t = 1, .n = 1, .num = 1 };
	struct dr_fail own = { 0 };
	size_t len;

	DR_ASSERT(decision->verdict == DR_ALLOW);
	memset(key, 0, DR_KEYS_LEN);
	if (proof != NULL)
		memset(proof, 0, DR_DERIVATION_PROOF_LEN);
	if (r == NULL)
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "keys: no root of this generation is held here", 0);
	DR_ASSERT(dr_derivation_input(input, sizeof(input), &len, k->binding.chain_id, k->binding.genesis,
				      k->binding.contract, decision, request, &own) == DR_OK);
	if (dr_voprf_hash(point[0], dr_bytes_of(input, len), &own) == DR_OK &&
	    dr_voprf_blind_evaluate(element[0], r->prf, point[0], &own) == DR_OK)
		dr_derivation_key(key, element[0], dr_bytes_of(input, len), purpose, request->contract, &own);
	if (own.err == DR_OK && proof != NULL) {
		dr_secret_random(wide, sizeof(wide));
		dr_ristretto_scalar_reduce(nonce, wide);
		if (dr_voprf_prove(cs, r->prf, (const uint8_t(*)[32])point, (const uint8_t(*)[32])element, 1, nonce,
				   &own) == DR_OK) {
			out.partials[0].idx = 1;
			memcpy(out.element, element[0], 32);
			memcpy(out.partials[0].element, element[0], 32);
			memcpy(out.partials[0].c, cs, 32);
			memcpy(out.partials[0].s, cs + 32, 32);
			dr_derivation_proof_encode(proof, &out);
		}
	}
	if (own.err != DR_OK) {
		dr_secret_wipe(key, DR_KEYS_LEN);
		dr_fail_set(fail, own.err, own.what, own.at);
	}
	dr_secret_wipe(wide, sizeof(wide));
	dr_secret_wipe(nonce, sizeof(nonce));
	dr_secret_wipe(element, sizeof(element));
	dr_secret_wipe(&out, sizeof(out));
	return own.err;
}
