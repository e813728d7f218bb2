/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_bls load|verify FILE [WHICH]: a sync committee's 512 keys read and checked, and a signature of most of them
 * verified under the committee's sum, which is kept, less the absentees. FILE is peers_bls.mjs's; WHICH of its
 * signatures. BENCH_FP: narrow, int128 or adx (default: the fastest); exits with 77 where this machine lacks it.
 */
#include "tests/bench/bench.h"

#include "chain/bls/bls.h"
#include "chain/bls/g1.h"

#define KEYS     512u
#define LOADS    4u
#define VERIFIES 60u
#define SIGNED   (KEYS / 8 + 32 + DR_BLS_SIGNATURE_LEN) /* bits of who signed, message, signature */

static uint8_t texts[KEYS * DR_BLS_KEY_LEN];
static struct dr_bls_key keys[KEYS];
static struct dr_fail fail;

static void load(struct bench *b)
{
	struct dr_g1 sum = { 0 };
	struct dr_g1_affine affine;
	struct dr_fp z_inv;
	char result[2 * DR_BLS_KEY_LEN + 1];
	uint8_t text[DR_BLS_KEY_LEN];

	for (unsigned i = 0; i < b->rounds; i++) {
		bench_start(b);
		for (size_t k = 0; k < LOADS; k++)
			dr_bls_keys_get(keys, KEYS, texts, &fail);
		bench_stop(b);
		bench_ok(&fail, "a committee");
	}
	for (size_t i = 0; i < KEYS; i++) {
		memcpy(&affine, &keys[i], sizeof(affine));
		dr_g1_add_affine(&sum, &sum, &affine);
	}
	dr_fp_inv(&z_inv, &sum.z);
	dr_g1_affine(&affine, &sum, &z_inv);
	dr_g1_put(text, &affine);
	dr_hex_put(result, text, sizeof(text));
	texts[sizeof(texts) / 2] ^= 1;
	const bool taken = dr_bls_keys_get(keys, KEYS, texts, &fail) == DR_OK;

	bench_end(b, LOADS, result, taken ? "accepted" : "refused", "");
}

static enum dr_err verify_one(const struct dr_bls_sum *committee, const uint8_t *one)
{
	struct dr_bls_sum sum = *committee;

	for (size_t i = 0; i < KEYS; i++)
		if ((one[i / 8] >> i % 8 & 1) == 0)
			dr_bls_sum_sub(&sum, &keys[i]);
	return dr_bls_verify_sum(&sum, dr_bytes_of(one + KEYS / 8, 32), one + KEYS / 8 + 32, &fail);
}

static void verify(struct bench *b, uint8_t one[static SIGNED])
{
	struct dr_bls_sum committee;

	dr_bls_keys_get(keys, KEYS, texts, &fail);
	bench_ok(&fail, "a committee");
	dr_bls_sum_zero(&committee);
	for (size_t i = 0; i < KEYS; i++)
		dr_bls_sum_add(&committee, &keys[i]);
	for (unsigned i = 0; i < b->rounds; i++) {
		bench_start(b);
		for (size_t k = 0; k < VERIFIES; k++)
			verify_one(&committee, one);
		bench_stop(b);
		bench_ok(&fail, "a signature");
	}
	one[KEYS / 8] ^= 1;
	const bool taken = verify_one(&committee, one) == DR_OK;

	bench_end(b, VERIFIES, "verified", taken ? "accepted" : "refused", "");
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "narrow", "int128", "adx" };
	const char *fp = getenv("BENCH_FP");
	struct bench b = bench_begin(argc > 1 ? argv[1] : "");
	uint8_t one[SIGNED];
	FILE *file;

	bench_must(argc > 2, "bench_bls load|verify FILE [WHICH]");
	for (unsigned i = 0; fp != NULL && i < 3; i++)
		if (strcmp(fp, names[i]) == 0 && !dr_fp_use((enum dr_fp_which)i))
			return 77;
	file = fopen(argv[2], "rb");
	bench_must(file != NULL && fread(texts, 1, sizeof(texts), file) == sizeof(texts), argv[2]);
	for (unsigned long i = argc > 3 ? strtoul(argv[3], NULL, 10) + 1 : 0; i > 0; i--)
		bench_must(fread(one, 1, sizeof(one), file) == sizeof(one), "no such signature");
	fclose(file);
	if (strcmp(argv[1], "load") == 0)
		load(&b);
	else
		verify(&b, one);
	return 0;
}
