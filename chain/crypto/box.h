/* SPDX-License-Identifier: Apache-2.0
 *
 * box: bytes encrypted to the holder of one X25519 key, by anybody.
 *
 *   box  = ephemeral public key 32 · nonce 24 · XChaCha20-Poly1305-IETF(plain) · tag 16
 *   key  = HKDF-SHA512(X25519(ephemeral, recipient), salt = ephemeral ‖ recipient, info = "derot-box-v1" ‖ label)
 *
 * The label names what is inside, so that a box of one use does not open as another's; the associated data is the
 * caller's context. A box does not say who made it: what is inside must prove itself.
 *
 * It is here, and not beside the keys, because those who open boxes (a client with its answer) have nothing else
 * of the core.
 *
 * Layer: chain/crypto.
 */
#ifndef DR_CRYPTO_BOX_H
#define DR_CRYPTO_BOX_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

#define DR_BOX_OVERHEAD  (32u + 24 + 16)
#define DR_BOX_LABEL_MAX 64u

/* What boxes are used for. */
#define DR_BOX_ANSWER                                                                                                \
	"derot-answer-v1" /* key 32 ‖ proof (kms-bridge/derivation.h); associated: the request's encoding */
#define DR_BOX_PARCEL "derot-parcel-v1" /* prf scalar 32 ‖ signing seed 32; associated: the parcel's header */

/* dr_box_seal: out[0,*len), *len = plain.len + DR_BOX_OVERHEAD, for the holder of `recipient`'s secret. The label is
 * ASCII of 1 to DR_BOX_LABEL_MAX bytes (a bug otherwise). DR_ERR_LIMIT (cap), DR_ERR_PROOF (recipient of small order,
 * zero among them), DR_ERR_NOMEM. Secret: plain. */
enum dr_err dr_box_seal(uint8_t *out, size_t cap, size_t *len, const uint8_t recipient[static 32], const char *label,
			struct dr_bytes associated, struct dr_bytes plain, struct dr_fail *fail);

/* dr_box_open: out[0,*len) = what is inside, *len = box.len - DR_BOX_OVERHEAD. DR_ERR_SHORT, DR_ERR_LIMIT (cap),
 * DR_ERR_PROOF (another recipient, label or associated data, or changed bytes: it does not say which). On failure
 * *len is 0 and nothing is written to out but zeros. Secret: secret, out. */
enum dr_err dr_box_open(uint8_t *out, size_t cap, size_t *len, const uint8_t secret[static 32], const char *label,
			struct dr_bytes associated, struct dr_bytes box, struct dr_fail *fail);

#endif
