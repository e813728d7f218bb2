/* SPDX-License-Identifier: Apache-2.0
 *
 * mpt_impl: what the builder of tries (mpt_root.c) and the verifier of proofs (mpt.c) share. Nobody else includes it.
 *
 * Layer: chain/trie.
 */
#ifndef DR_TRIE_MPT_IMPL_H
#define DR_TRIE_MPT_IMPL_H

#include "chain/base/bytes.h"

#define KEY_LEN_MAX     32u
#define PATH_LEN_MAX    (1u + KEY_LEN_MAX) /* hex-prefix form: a flag byte, or half of one, and the nibbles */
#define NODE_INLINE_MAX 31u                /* "if ||c|| < 32": a shorter node stands in its parent itself */

static inline uint8_t nibble_at(struct dr_bytes key, size_t i)
{
	return i % 2 == 0 ? key.ptr[i / 2] >> 4 : key.ptr[i / 2] & 15;
}

#endif
