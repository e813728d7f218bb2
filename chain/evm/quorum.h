/* SPDX-License-Identifier: Apache-2.0
 *
 * quorum: proof by agreement: a block is head (final) when k of n configured endpoints name it as such.
 * Nothing cryptographic: whoever controls k endpoints controls the chain that derot sees. It is for
 * development chains, is switched on by name, and is printed wherever it is relied on. Here, and only
 * here, the watcher is inside the trust boundary.
 *
 * FINALITY payload, scheme 1: u8 scheme (1) · u8 status (1 head, 2 final) · u64 number · hash 32.
 * The endpoint is the frame's source.
 *
 * Rules:
 *   1. (status, number, hash) is authenticated when the newest word of at least k distinct endpoints on
 *      that number and status is that hash.
 *   2. Of each endpoint, the newest DR_QUORUM_WORDS words about final blocks count, and its one newest word
 *      about the head.
 *   3. An endpoint that names a second hash final at one number is reported (EQUIVOCAL); its newest word counts, so
 * that k endpoints that change their mind about a final block are seen as what they are: a conflict.
 *   4. A word that names a hash final other than the one authenticated at that number is reported (DISSENT).
 *
 * Layer: chain/evm.
 */
#ifndef DR_EVM_QUORUM_H
#define DR_EVM_QUORUM_H

#include "chain/finality.h"

struct dr_quorum; /* opaque */

/* dr_quorum_new: k of n, 1 <= k <= n <= DR_ENDPOINTS_MAX (anything else is a bug). NULL: no memory. */
struct dr_quorum *dr_quorum_new(size_t k, size_t n);
void dr_quorum_free(struct dr_quorum *q); /* takes q, which may be NULL */

/* dr_quorum_finality: q behind the interface; valid as long as q. */
struct dr_finality dr_quorum_finality(struct dr_quorum *q);

/* dr_quorum_payload: writes the 42-byte payload of a FINALITY frame. */
#define DR_QUORUM_PAYLOAD_LEN 42u
void dr_quorum_payload(uint8_t out[static DR_QUORUM_PAYLOAD_LEN], enum dr_status status, uint64_t number,
		       const uint8_t hash[static 32]);

#endif
