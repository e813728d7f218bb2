/* SPDX-License-Identifier: Apache-2.0
 *
 * voprf: RFC 9497, the verifiable oblivious pseudorandom function VOPRF(ristretto255, SHA-512), mode
 * 0x01, and a proof that the publisher of a PRF public key knows its scalar.
 *
 *   contextString = "OPRFV1-" ‖ 0x01 ‖ "-ristretto255-SHA512"                         (RFC 9497, 3.1)
 *   HashToGroup   expand_message_xmd(SHA-512), DST "HashToGroup-" ‖ contextString     (4.1; RFC 9380, 5.3.1)
 *   HashToScalar  the same, DST "HashToScalar-" ‖ contextString, 64 bytes little-endian modulo L
 *
 * Inputs: every point and scalar is checked (ristretto.h): the identity, zero and non-canonical encodings
 * are DR_ERR_NONCANONICAL. Private inputs and contexts are at most 65535 bytes: DR_ERR_LIMIT beyond.
 *
 * Secrets: `secret` (the PRF scalar), `seed`, `blind`, `nonce`, `input` and `output` are secret. They never
 * decide a branch or an index; only their lengths, and whether they are valid, show. Intermediate values
 * are wiped. Everything else is public.
 *
 * Layer: chain/crypto.
 */
#ifndef DR_CRYPTO_VOPRF_H
#define DR_CRYPTO_VOPRF_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

#define DR_VOPRF_INPUT_MAX 65535u
#define DR_VOPRF_BATCH_MAX 64u

/* dr_voprf_derive: DeriveKeyPair (3.2.1) from 32 secret bytes and a public info (at most 65535 bytes).
 * DR_ERR_PROOF if 256 attempts all gave zero (never seen by anyone). */
enum dr_err dr_voprf_derive(uint8_t secret[static 32], uint8_t pub[static 32], const uint8_t seed[static 32],
			    struct dr_bytes info, struct dr_fail *fail);

/* dr_voprf_public: pub = secret · G. */
enum dr_err dr_voprf_public(uint8_t pub[static 32], const uint8_t secret[static 32], struct dr_fail *fail);

/* dr_voprf_blind: Blind (3.3.1) with the caller's blind: blinded = blind · HashToGroup(input). */
enum dr_err dr_voprf_blind(uint8_t blinded[static 32], struct dr_bytes input, const uint8_t blind[static 32],
			   struct dr_fail *fail);

/* dr_voprf_blind_evaluate: BlindEvaluate (3.3.2) without the proof: evaluated = secret · blinded. */
enum dr_err dr_voprf_blind_evaluate(uint8_t evaluated[static 32], const uint8_t secret[static 32],
				    const uint8_t blinded[static 32], struct dr_fail *fail);

/* dr_voprf_finalize: Finalize (3.3.2) after a proof was verified: takes the blind off and hashes. */
enum dr_err dr_voprf_finalize(uint8_t output[static 64], struct dr_bytes input, const uint8_t blind[static 32],
			      const uint8_t evaluated[static 32], struct dr_fail *fail);

/* dr_voprf_evaluate: Evaluate (3.3.1, 3.3.2): what Finalize gives, by the holder of the scalar alone. */
enum dr_err dr_voprf_evaluate(uint8_t output[static 64], const uint8_t secret[static 32], struct dr_bytes input,
			      struct dr_fail *fail);

/* dr_voprf_hash: HashToGroup(input): what Blind blinds. dr_voprf_output: what ends Finalize and Evaluate: the hash of
 * an element that is not, or no more, blinded. For who evaluates in the clear: both without a multiplication by 1. */
enum dr_err dr_voprf_hash(uint8_t element[static 32], struct dr_bytes input, struct dr_fail *fail);
enum dr_err dr_voprf_output(uint8_t output[static 64], struct dr_bytes input, const uint8_t element[static 32],
			    struct dr_fail *fail);

/* dr_voprf_prove: GenerateProof (2.2.1): evaluated[i] = secret · blinded[i] for all i in [0,num), with the
 * same scalar as the public key; num is 1..DR_VOPRF_BATCH_MAX (DR_ERR_LIMIT). proof is c ‖ s. nonce is a
 * uniform scalar used once: two proofs with one nonce give the scalar away. The public key is computed here
 * and not taken, for the same reason. That evaluated is right is not checked: the proof then fails. */
enum dr_err dr_voprf_prove(uint8_t proof[static 64], const uint8_t secret[static 32], const uint8_t (*blinded)[32],
			   const uint8_t (*evaluated)[32], size_t num, const uint8_t nonce[static 32],
			   struct dr_fail *fail);

/* dr_voprf_verify: VerifyProof (2.2.2). DR_ERR_PROOF if the proof is well formed and false. */
enum dr_err dr_voprf_verify(const uint8_t proof[static 64], const uint8_t pub[static 32],
			    const uint8_t (*blinded)[32], const uint8_t (*evaluated)[32], size_t num,
			    struct dr_fail *fail);

/* Proof of possession: a non-interactive Schnorr proof (c, s) that whoever publishes pub knows `secret`
 * with pub = secret · G, bound to a context (chain, contract, generation, node: the caller's encoding).
 * It stops a node from publishing another's key, or a key built to cancel one, as its own.
 *
 *   r = SHA-512("derot-possession-nonce-v1" ‖ secret ‖ pub ‖ u16(len context) ‖ context) mod L
 *   R = r · G
 *   c = HashToScalar(u16(19) ‖ "derot-possession-v1" ‖ u16(len context) ‖ context
 *                    ‖ u16(32) ‖ pub ‖ u16(32) ‖ R)
 *   s = r - c · secret mod L
 *   verify: R' = s · G + c · pub, and c = HashToScalar(… R')
 *
 * Lengths are bytes, u16 big-endian; "…" are the ASCII bytes without a terminator; scalars are little-endian;
 * HashToScalar is the suite's own (above). No transcript of GenerateProof can be one of these: those begin
 * with u16(32). The nonce needs no randomness: equal (secret, context) give an equal proof, and different
 * contexts independent nonces.
 *
 * Context at most 65535 bytes: DR_ERR_LIMIT. verify: DR_ERR_NONCANONICAL for pub, c or s, DR_ERR_PROOF. */
enum dr_err dr_voprf_possess_prove(uint8_t c[static 32], uint8_t s[static 32], const uint8_t secret[static 32],
				   struct dr_bytes context, struct dr_fail *fail);
enum dr_err dr_voprf_possess_verify(const uint8_t pub[static 32], struct dr_bytes context, const uint8_t c[static 32],
				    const uint8_t s[static 32], struct dr_fail *fail);

#endif
