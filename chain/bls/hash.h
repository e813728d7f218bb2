/* SPDX-License-Identifier: Apache-2.0
 *
 * hash: messages to points of G2: RFC 9380, suite BLS12381G2_XMD:SHA-256_SSWU_RO_.
 *
 * Layer: chain/bls.
 */
#ifndef DR_BLS_HASH_H
#define DR_BLS_HASH_H

#include "chain/bls/g2.h"

#define DR_HASH_EXPAND_MAX 8160u /* 255 blocks (RFC 9380, 5.3.1) */

/* dr_hash_expand: expand_message_xmd with SHA-256 (RFC 9380, 5.3.1). len is 1 to DR_HASH_EXPAND_MAX, tag.len at most
 * 255. */
void dr_hash_expand(uint8_t *out, size_t len, struct dr_bytes msg, struct dr_bytes tag);

/* dr_hash_map: map_to_curve of two elements (6.6.3), each to a point of the curve, not yet of G2. */
void dr_hash_map(struct dr_g2 out[static 2], const struct dr_fp2 u[static 2]);

/* dr_hash_to_g2: hash_to_curve (3). Infinity with negligible probability. */
void dr_hash_to_g2(struct dr_g2 *out, struct dr_bytes msg, struct dr_bytes tag);

#endif
