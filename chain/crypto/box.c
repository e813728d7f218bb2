/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/crypto/box.h"

#include <string.h>

#include "chain/base/reader.h"
#include "chain/crypto/aead.h"
#include "chain/crypto/hkdf.h"
#include "chain/crypto/secret.h"
#include "chain/crypto/x25519.h"

#define PREFIX "derot-box-v1"

static enum dr_err box_key(uint8_t key[static DR_AEAD_KEY_LEN], const uint8_t secret[static 32],
			   const uint8_t theirs[static 32], const uint8_t ephemeral[static 32],
			   const uint8_t recipient[static 32], const char *label, struct dr_fail *fail)
{
	uint8_t shared[32], salt[64], info[sizeof(PREFIX) - 1 + DR_BOX_LABEL_MAX];
	const size_t prefix_len = sizeof(PREFIX) - 1, label_len = strlen(label);
	enum dr_err err;

	DR_ASSERT(label_len > 0 && label_len <= DR_BOX_LABEL_MAX);
	memcpy(info, PREFIX, prefix_len);
	memcpy(info + prefix_len, label, label_len);
	memcpy(salt, ephemeral, 32);
	memcpy(salt + 32, recipient, 32);
	if ((err = dr_x25519_shared(shared, secret, theirs, fail)) == DR_OK)
		err = dr_hkdf_sha512(key, DR_AEAD_KEY_LEN, dr_bytes_of(shared, sizeof(shared)),
				     dr_bytes_of(salt, sizeof(salt)), dr_bytes_of(info, prefix_len + label_len),
				     fail);
	dr_secret_wipe(shared, sizeof(shared));
	return err;
}

enum dr_err dr_box_seal(uint8_t *out, size_t cap, size_t *len, const uint8_t recipient[static 32], const char *label,
			struct dr_bytes associated, struct dr_bytes plain, struct dr_fail *fail)
{
	uint8_t secret[32], pub[32], key[DR_AEAD_KEY_LEN];
	uint8_t *nonce = out + 32;
	enum dr_err err;

	*len = 0;
	if (cap < DR_BOX_OVERHEAD || plain.len > cap - DR_BOX_OVERHEAD)
		return dr_fail_set(fail, DR_ERR_LIMIT, "box: does not fit its buffer", plain.len);
	dr_secret_random(secret, sizeof(secret));
	dr_x25519_public(pub, secret);
	if ((err = box_key(key, secret, recipient, pub, recipient, label, fail)) == DR_OK) {
		memcpy(out, pub, 32);
		dr_secret_random(nonce, DR_AEAD_NONCE_LEN);
		dr_aead_seal(nonce + DR_AEAD_NONCE_LEN, plain, associated, nonce, key);
		*len = plain.len + DR_BOX_OVERHEAD;
	}
	dr_secret_wipe(secret, sizeof(secret));
	dr_secret_wipe(key, sizeof(key));
	return err;
}

enum dr_err dr_box_open(uint8_t *out, size_t cap, size_t *len, const uint8_t secret[static 32], const char *label,
			struct dr_bytes associated, struct dr_bytes box, struct dr_fail *fail)
{
	uint8_t pub[32], ephemeral[32], nonce[DR_AEAD_NONCE_LEN], key[DR_AEAD_KEY_LEN];
	struct dr_fail own = { 0 };
	struct dr_reader r;

	*len = 0;
	if (box.len < DR_BOX_OVERHEAD)
		return dr_fail_set(fail, DR_ERR_SHORT, "box: ends before its tag", box.len);
	if (box.len - DR_BOX_OVERHEAD > cap)
		return dr_fail_set(fail, DR_ERR_LIMIT, "box: holds more than is expected", box.len);
	dr_reader_init(&r, box, &own);
	dr_reader_copy(&r, ephemeral, sizeof(ephemeral));
	dr_reader_copy(&r, nonce, sizeof(nonce));
	dr_x25519_public(pub, secret);
	if (box_key(key, secret, ephemeral, ephemeral, pub, label, &own) == DR_OK &&
	    dr_aead_open(out, dr_reader_view(&r, r.left), associated, nonce, key, &own) == DR_OK)
		*len = box.len - DR_BOX_OVERHEAD;
	else
		dr_fail_set(fail, own.err,
			    own.err == DR_ERR_PROOF
				    ? "box: it does not open: for another recipient, use or context, or changed"
				    : own.what,
			    own.at);
	dr_secret_wipe(key, sizeof(key));
	return own.err;
}
