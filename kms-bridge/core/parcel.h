/* SPDX-License-Identifier: Apache-2.0
 *
 * parcel: a root generation on its way from one node to another, as a file or over a socket, in anybody's hands.
 *
 *   header = "derot-parcel-v1" (15 bytes) · u64 chain id · genesis 32 · contract 20 · u8 proof · u64 generation ·
 *            from 20 · to 20
 *   parcel = header · box(prf scalar 32 ‖ signing seed 32)       (chain/crypto/box.h: to the key that `to` registered
 *            on chain, label "derot-parcel-v1", the header as associated data)
 *
 * Integers are big-endian. A parcel says nothing of who made it: what is inside is taken only if it gives the keys
 * that are published on chain (core/keys.h, dr_keys_parcel_take), whoever sent it.
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_PARCEL_H
#define DR_CORE_PARCEL_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"
#include "chain/crypto/box.h"

#define DR_PARCEL_HEADER_LEN (15u + 8 + 32 + 20 + 1 + 8 + 20 + 20)
#define DR_PARCEL_SECRET_LEN 64u
#define DR_PARCEL_BOX_LEN    (DR_PARCEL_SECRET_LEN + DR_BOX_OVERHEAD)
#define DR_PARCEL_LEN        (DR_PARCEL_HEADER_LEN + DR_PARCEL_BOX_LEN)

struct dr_parcel {
	uint64_t chain_id, generation;
	uint8_t genesis[32], contract[20];
	uint8_t proof; /* enum dr_proof: the minimum under which the root was made */
	uint8_t from[20], to[20];
	struct dr_bytes box; /* borrowed; DR_PARCEL_BOX_LEN bytes */
};

/* dr_parcel_header: the header's bytes. */
void dr_parcel_header(uint8_t out[static DR_PARCEL_HEADER_LEN], const struct dr_parcel *p);

/* dr_parcel_decode: borrows bytes. DR_ERR_SHORT, DR_ERR_UNKNOWN (does not begin as a parcel), DR_ERR_SYNTAX (bytes
 * after it), DR_ERR_LIMIT (generation 0). */
enum dr_err dr_parcel_decode(struct dr_parcel *out, struct dr_bytes bytes, struct dr_fail *fail);

#endif
