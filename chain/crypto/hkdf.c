/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/hkdf.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

static OSSL_PARAM octets(const char *name, struct dr_bytes bytes)
{
	/* A NULL pointer would read as "not given", which for the key is an error. OpenSSL copies, and
	 * does not write through, the pointer. */
	void *ptr = (void *)(uintptr_t)(bytes.len > 0 ? (const void *)bytes.ptr : "");

	return OSSL_PARAM_construct_octet_string(name, ptr, bytes.len);
}

static enum dr_err derive(uint8_t *out, size_t len, size_t hash_len, const char *digest, struct dr_bytes ikm,
			  struct dr_bytes salt, struct dr_bytes info, struct dr_fail *fail)
{
	char name[16];

	memset(out, 0, len);
	if (len == 0 || len > 255 * hash_len)
		return dr_fail_set(fail, DR_ERR_LIMIT, "HKDF gives 1 to 255 hash lengths of output", len);
	if (info.len > DR_HKDF_INFO_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "HKDF info is too long", info.len);
	memcpy(name, digest, strlen(digest) + 1);
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0),
		octets(OSSL_KDF_PARAM_KEY, ikm),
		octets(OSSL_KDF_PARAM_SALT, salt),
		octets(OSSL_KDF_PARAM_INFO, info),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	const bool done = ctx != NULL && EVP_KDF_derive(ctx, out, len, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	if (!done) {
		memset(out, 0, len);
		return dr_fail_set(fail, DR_ERR_NOMEM, "OpenSSL could not compute HKDF", 0);
	}
	return DR_OK;
}

enum dr_err dr_hkdf_sha256(uint8_t *out, size_t len, struct dr_bytes ikm, struct dr_bytes salt, struct dr_bytes info,
			   struct dr_fail *fail)
{
	return derive(out, len, 32, "SHA256", ikm, salt, info, fail);
}

enum dr_err dr_hkdf_sha512(uint8_t *out, size_t len, struct dr_bytes ikm, struct dr_bytes salt, struct dr_bytes info,
			   struct dr_fail *fail)
{
	return derive(out, len, 64, "SHA512", ikm, salt, info, fail);
}
