/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_signed: signatures, proofs and boxes. Input: u8 kind · u8 num · num changes, each u8 where · u8 xor · the
 * message. The changes are made to what this code itself made over the message (signature or proof, then public key);
 * proofs and publications over one of 16 messages, each made once.
 * What must hold: unchanged it verifies; changed it does not, but for a key and a signature that another encoding may
 * say; a failure opens nothing.
 */
#include "chain/crypto/box.h"
#include "chain/crypto/ed25519.h"
#include "chain/crypto/keccak.h"
#include "chain/crypto/ristretto.h"
#include "chain/crypto/secp256k1.h"
#include "chain/crypto/voprf.h"
#include "chain/crypto/x25519.h"
#include "governance/root.h"
#include "tests/fuzz/fuzz.h"

#define CHANGES  8u
#define MESSAGES 16u

static uint8_t ed_secret[64], ed_pub[32], prf_secret[32], prf_pub[32], box_secret[32], box_pub[32], eth_secret[32];
static uint8_t eth_address[20];

static void make(void)
{
	struct dr_fail fail = { 0 };
	uint8_t seed[32];

	memset(seed, 7, 32);
	dr_ed25519_keypair(ed_pub, ed_secret, seed);
	DR_ASSERT(dr_voprf_derive(prf_secret, prf_pub, seed, dr_bytes_of("fuzz", 4), &fail) == DR_OK);
	memcpy(box_secret, seed, 32);
	dr_x25519_public(box_pub, box_secret);
	memcpy(eth_secret, seed, 32);
	DR_ASSERT(dr_secp256k1_secret_address(eth_address, eth_secret, &fail) == DR_OK);
}

/* True if the bytes are no more what they were. */
static bool changed(uint8_t *bytes, size_t len, const uint8_t *changes, size_t num)
{
	uint8_t was[512];

	DR_ASSERT(len <= sizeof(was));
	memcpy(was, bytes, len);
	for (size_t i = 0; i < num; i++)
		bytes[changes[2 * i] % len] ^= changes[2 * i + 1];
	return memcmp(was, bytes, len) != 0;
}

static void ed25519(struct dr_bytes msg, const uint8_t *changes, size_t num)
{
	uint8_t both[96];
	struct dr_fail fail = { 0 };

	dr_ed25519_sign(both, msg, ed_secret);
	memcpy(both + 64, ed_pub, 32);
	const bool other = changed(both, sizeof(both), changes, num);

	DR_ASSERT((dr_ed25519_verify(both, msg, both + 64, &fail) == DR_OK) == !other);
}

static void ethereum(struct dr_bytes msg, const uint8_t *changes, size_t num)
{
	uint8_t both[65], hash[32], address[20];
	struct dr_fail fail = { 0 };

	dr_keccak256(hash, msg.ptr, msg.len);
	DR_ASSERT(dr_secp256k1_sign(both, &both[64], hash, eth_secret, &fail) == DR_OK);
	const bool other = changed(both, sizeof(both), changes, num);

	if (dr_secp256k1_recover(address, hash, both, both[64], &fail) != DR_OK)
		DR_ASSERT(other && dr_bytes_zero(address, 20));
	else
		DR_ASSERT(!other == (memcmp(address, eth_address, 20) == 0));
}

/* The message as a signature in DER, and as a public key. */
static void der(struct dr_bytes msg)
{
	uint8_t hash[32] = { 1 }, address[20];
	struct dr_fail fail = { 0 };
	const struct dr_bytes pub = dr_bytes_of(msg.ptr, msg.len < 33 ? msg.len : 33);
	const struct dr_bytes sig = dr_bytes_of(msg.ptr + pub.len, msg.len - pub.len);

	DR_ASSERT(dr_secp256k1_verify_der(hash, sig, pub, &fail) != DR_OK && fail.what != NULL);
	if (dr_secp256k1_address(address, pub, &fail) != DR_OK)
		DR_ASSERT(dr_bytes_zero(address, 20));
}

/* The 16 messages, by the first byte. */
static struct dr_bytes one_of(size_t *which, struct dr_bytes msg)
{
	static const uint8_t bytes[MESSAGES] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

	*which = msg.len > 0 ? msg.ptr[0] % MESSAGES : 0;
	return dr_bytes_of(&bytes[*which], 1);
}

static void possession(struct dr_bytes msg, const uint8_t *changes, size_t num)
{
	static uint8_t made[MESSAGES][96];
	uint8_t all[96];
	struct dr_fail fail = { 0 };
	size_t which;

	msg = one_of(&which, msg);
	if (dr_bytes_zero(made[which], 96)) {
		DR_ASSERT(dr_voprf_possess_prove(made[which], made[which] + 32, prf_secret, msg, &fail) == DR_OK);
		memcpy(made[which] + 64, prf_pub, 32);
	}
	memcpy(all, made[which], sizeof(all));
	const bool other = changed(all, sizeof(all), changes, num);

	DR_ASSERT((dr_voprf_possess_verify(all + 64, msg, all, all + 32, &fail) == DR_OK) == !other);
}

static void evaluate(uint8_t *all, struct dr_bytes msg)
{
	const uint8_t nonce[32] = { 5 };
	struct dr_fail fail = { 0 };

	DR_ASSERT(dr_voprf_hash(all + 96, msg, &fail) == DR_OK);
	DR_ASSERT(dr_voprf_blind_evaluate(all + 128, prf_secret, all + 96, &fail) == DR_OK);
	DR_ASSERT(dr_voprf_prove(all, prf_secret, (const uint8_t(*)[32])(all + 96), (const uint8_t(*)[32])(all + 128),
				 1, nonce, &fail) == DR_OK);
	memcpy(all + 64, prf_pub, 32);
}

static void evaluation(struct dr_bytes msg, const uint8_t *changes, size_t num)
{
	static uint8_t made[MESSAGES][64 + 32 + 32 + 32];
	uint8_t all[64 + 32 + 32 + 32];
	struct dr_fail fail = { 0 };
	size_t which;

	msg = one_of(&which, msg);
	if (dr_bytes_zero(made[which], sizeof(all)))
		evaluate(made[which], msg);
	memcpy(all, made[which], sizeof(all));
	const bool other = changed(all, sizeof(all), changes, num);

	DR_ASSERT((dr_voprf_verify(all, all + 64, (const uint8_t(*)[32])(all + 96), (const uint8_t(*)[32])(all + 128),
				   1, &fail) == DR_OK) == !other);
}

static void box(struct dr_bytes msg, const uint8_t *changes, size_t num)
{
	uint8_t sealed[256 + DR_BOX_OVERHEAD], plain[256];
	struct dr_fail fail = { 0 };
	size_t len, got;

	msg.len = msg.len < 256 ? msg.len : 256;
	DR_ASSERT(dr_box_seal(sealed, sizeof(sealed), &len, box_pub, DR_BOX_PARCEL, msg, msg, &fail) == DR_OK);
	const bool other = changed(sealed, len, changes, num);
	const enum dr_err err = dr_box_open(plain, sizeof(plain), &got, box_secret, DR_BOX_PARCEL, msg,
					    dr_bytes_of(sealed, len), &fail);

	DR_ASSERT((err == DR_OK) == !other);
	DR_ASSERT(err == DR_OK ? dr_bytes_eq(dr_bytes_of(plain, got), msg) : got == 0);
}

/* 32 bytes that claim to be a point, or a scalar. */
static void encodings(struct dr_bytes msg)
{
	uint8_t in[32] = { 0 }, out[32], back[32];
	struct dr_fail fail = { 0 };

	memcpy(in, msg.ptr, msg.len < 32 ? msg.len : 32);
	const bool point = dr_ristretto_point_is_valid(in), scalar = dr_ristretto_scalar_is_valid(in);

	DR_ASSERT((dr_ristretto_add(out, in, prf_pub, &fail) == DR_OK) == point || fail.err == DR_ERR_PROOF);
	if (point && fail.err == DR_OK) {
		DR_ASSERT(dr_ristretto_sub(back, out, prf_pub, &fail) == DR_OK && memcmp(back, in, 32) == 0);
	}
	fail = (struct dr_fail){ 0 };
	DR_ASSERT((dr_ristretto_scalar_invert(out, in, &fail) == DR_OK) == scalar);
	if (scalar)
		DR_ASSERT(dr_ristretto_scalar_invert(back, out, &fail) == DR_OK && memcmp(back, in, 32) == 0);
}

static void publication(struct dr_bytes msg, const uint8_t *changes, size_t num)
{
	struct dr_root_claim claim = { .chain_id = 1, .generation = 1 };
	uint8_t context[DR_ROOT_CONTEXT_LEN], flat[sizeof(struct dr_root_proofs)];
	static struct dr_root_proofs made[MESSAGES];
	struct dr_root_proofs proofs;
	struct dr_fail fail = { 0 };
	size_t which;

	msg = one_of(&which, msg);
	dr_keccak256(claim.quote, msg.ptr, msg.len);
	dr_root_scheme(claim.scheme);
	memcpy(claim.prf_pub, prf_pub, 32);
	memcpy(claim.sig_pub, ed_pub, 32);
	dr_root_context(context, &claim);
	const struct dr_bytes bytes = dr_bytes_of(context, sizeof(context));

	if (dr_bytes_zero(&made[which], sizeof(made[which]))) {
		DR_ASSERT(dr_voprf_possess_prove(made[which].prf_c, made[which].prf_s, prf_secret, bytes, &fail) ==
			  DR_OK);
		dr_ed25519_sign(made[which].sig, bytes, ed_secret);
		dr_ed25519_sign(made[which].prev, bytes, ed_secret);
	}
	memcpy(flat, &made[which], sizeof(flat));
	const bool other = changed(flat, sizeof(flat), changes, num);

	memcpy(&proofs, flat, sizeof(flat));
	DR_ASSERT((dr_root_verify(&claim, &proofs, ed_pub, true, &fail) == DR_OK) == !other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (dr_bytes_zero(ed_pub, 32))
		make();
	if (size < 2 || size < 2 + 2u * (data[1] % CHANGES))
		return 0;
	const size_t num = data[1] % CHANGES;
	const uint8_t *changes = data + 2;
	const struct dr_bytes msg = dr_bytes_of(data + 2 + 2 * num, size - 2 - 2 * num);

	switch (data[0] % 8) {
	case 0: ed25519(msg, changes, num); break;
	case 1: ethereum(msg, changes, num); break;
	case 2: der(msg); break;
	case 3: possession(msg, changes, num); break;
	case 4: evaluation(msg, changes, num); break;
	case 5: box(msg, changes, num); break;
	case 6: encodings(msg); break;
	default: publication(msg, changes, num); break;
	}
	return 0;
}
