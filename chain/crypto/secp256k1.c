/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/secp256k1.h"

#include <string.h>

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "chain/crypto/keccak.h"
#include "chain/crypto/secret.h"

/* The static context has no precomputation for signing and needs none: it is never written to. */
#define CTX secp256k1_context_static

static void address_of(uint8_t address[static 20], const secp256k1_pubkey *key)
{
	uint8_t point[65], digest[32];
	size_t len = sizeof(point);

	DR_ASSERT(secp256k1_ec_pubkey_serialize(CTX, point, &len, key, SECP256K1_EC_UNCOMPRESSED) == 1);
	DR_ASSERT(len == sizeof(point));
	dr_keccak256(digest, point + 1, 64);
	memcpy(address, digest + 12, 20);
}

static enum dr_err key_of(secp256k1_pubkey *key, struct dr_bytes pub, struct dr_fail *fail)
{
	/* The library also reads the hybrid form (0x06, 0x07): a second encoding of the same key. */
	const bool form =
		(pub.len == 33 && (pub.ptr[0] == 2 || pub.ptr[0] == 3)) || (pub.len == 65 && pub.ptr[0] == 4);

	if (!form || secp256k1_ec_pubkey_parse(CTX, key, pub.ptr, pub.len) != 1)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "not a secp256k1 public key in SEC 1 form", 0);
	return DR_OK;
}

enum dr_err dr_secp256k1_recover(uint8_t address[static 20], const uint8_t hash[static 32],
				 const uint8_t sig[static 64], uint8_t recid, struct dr_fail *fail)
{
	secp256k1_ecdsa_recoverable_signature parsed;
	secp256k1_pubkey key;

	memset(address, 0, 20);
	/* A recid out of range is a bug to the library, which aborts. */
	if (recid > 3)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "signature's recovery id is above 3", 64);
	if (secp256k1_ecdsa_recoverable_signature_parse_compact(CTX, &parsed, sig, recid) != 1)
		return dr_fail_set(fail, DR_ERR_NONCANONICAL, "signature's r or s is not below the order", 0);
	if (secp256k1_ecdsa_recover(CTX, &key, &parsed, hash) != 1)
		return dr_fail_set(fail, DR_ERR_PROOF, "no key can have made this signature", 0);
	address_of(address, &key);
	return DR_OK;
}

static enum dr_err verify(const secp256k1_ecdsa_signature *sig, const uint8_t hash[static 32], struct dr_bytes pub,
			  struct dr_fail *fail)
{
	secp256k1_pubkey key;
	const enum dr_err err = key_of(&key, pub, fail);

	if (err != DR_OK)
		return err;
	if (secp256k1_ecdsa_verify(CTX, sig, hash, &key) != 1)
		return dr_fail_set(fail, DR_ERR_PROOF, "ECDSA signature does not verify (low S required)", 0);
	return DR_OK;
}

enum dr_err dr_secp256k1_verify(const uint8_t hash[static 32], const uint8_t sig[static 64], struct dr_bytes pub,
				struct dr_fail *fail)
{
	secp256k1_ecdsa_signature parsed;

	if (secp256k1_ecdsa_signature_parse_compact(CTX, &parsed, sig) != 1)
		return dr_fail_set(fail, DR_ERR_NONCANONICAL, "signature's r or s is not below the order", 0);
	return verify(&parsed, hash, pub, fail);
}

enum dr_err dr_secp256k1_verify_der(const uint8_t hash[static 32], struct dr_bytes sig, struct dr_bytes pub,
				    struct dr_fail *fail)
{
	secp256k1_ecdsa_signature parsed;

	/* The library wants a pointer even for nothing. */
	if (sig.len == 0 || secp256k1_ecdsa_signature_parse_der(CTX, &parsed, sig.ptr, sig.len) != 1)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "signature is not strict DER", 0);
	return verify(&parsed, hash, pub, fail);
}

enum dr_err dr_secp256k1_address(uint8_t address[static 20], struct dr_bytes pub, struct dr_fail *fail)
{
	secp256k1_pubkey key;
	const enum dr_err err = key_of(&key, pub, fail);

	memset(address, 0, 20);
	if (err != DR_OK)
		return err;
	address_of(address, &key);
	return DR_OK;
}

/* A context of our own, blinded: the static one cannot work with secrets. NULL: no memory. */
static secp256k1_context *context_for_secrets(struct dr_fail *fail)
{
	secp256k1_context *ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	uint8_t seed[32];

	if (ctx == NULL) {
		dr_fail_set(fail, DR_ERR_NOMEM, "a context for signing", 0);
		return NULL;
	}
	dr_secret_random(seed, sizeof(seed));
	DR_ASSERT(secp256k1_context_randomize(ctx, seed) == 1);
	dr_secret_wipe(seed, sizeof(seed));
	return ctx;
}

static enum dr_err address_of_secret(uint8_t address[static 20], const secp256k1_context *ctx,
				     const uint8_t secret[static 32], struct dr_fail *fail)
{
	secp256k1_pubkey key;

	if (secp256k1_ec_pubkey_create(ctx, &key, secret) != 1)
		return dr_fail_set(fail, DR_ERR_NONCANONICAL, "a private key is zero, or not below the order", 0);
	address_of(address, &key);
	return DR_OK;
}

enum dr_err dr_secp256k1_secret_address(uint8_t address[static 20], const uint8_t secret[static 32],
					struct dr_fail *fail)
{
	secp256k1_context *ctx = context_for_secrets(fail);
	enum dr_err err;

	memset(address, 0, 20);
	if (ctx == NULL)
		return fail->err;
	err = address_of_secret(address, ctx, secret, fail);
	secp256k1_context_destroy(ctx);
	return err;
}

enum dr_err dr_secp256k1_sign(uint8_t sig[static 64], uint8_t *recid, const uint8_t hash[static 32],
			      const uint8_t secret[static 32], struct dr_fail *fail)
{
	secp256k1_context *ctx = context_for_secrets(fail);
	secp256k1_ecdsa_recoverable_signature made;
	uint8_t ours[20], signer[20];
	enum dr_err err;
	int id = 0;

	memset(sig, 0, 64);
	*recid = 0;
	if (ctx == NULL)
		return fail->err;
	err = address_of_secret(ours, ctx, secret, fail);
	if (err == DR_OK) {
		/* It gives up on an invalid key only, which this one is not. */
		DR_ASSERT(secp256k1_ecdsa_sign_recoverable(ctx, &made, hash, secret, NULL, NULL) == 1);
		secp256k1_ecdsa_recoverable_signature_serialize_compact(ctx, sig, &id, &made);
		*recid = (uint8_t)id;
		err = dr_secp256k1_recover(signer, hash, sig, *recid, fail);
		DR_ASSERT(err == DR_OK && memcmp(signer, ours, 20) == 0);
	}
	secp256k1_context_destroy(ctx);
	return err;
}
