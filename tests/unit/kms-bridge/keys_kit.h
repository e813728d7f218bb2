/* SPDX-License-Identifier: Apache-2.0
 *
 * keys_kit: a folder of its own for each test, a binding, and keys in it.
 */
#ifndef DR_TESTS_KEYS_KIT_H
#define DR_TESTS_KEYS_KIT_H

#include "tests/unit/kit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/crypto/aead.h"
#include "chain/crypto/hkdf.h"
#include "chain/facts.h"
#include "kms-bridge/core/keys.h"

static char dir[64], path[96], path2[96];
static struct dr_fail fail;

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/derot-test-keys-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/key", dir);
	snprintf(path2, sizeof(path2), "%s/key2", dir);
	fail = (struct dr_fail){ 0 };
	return 0;
}

static int tear_down(void **state)
{
	DIR *folder = opendir(dir);

	(void)state;
	for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder != NULL)
		closedir(folder);
	return rmdir(dir);
}

static inline void write_file(const char *name, const void *ptr, size_t len, mode_t mode)
{
	FILE *f = fopen(name, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(ptr, 1, len, f), len);
	fclose(f);
	assert_int_equal(chmod(name, mode), 0);
}

static inline struct dr_keys_binding binding(void)
{
	struct dr_keys_binding b = { .chain_id = 31337, .proof = DR_PROOF_QUORUM };

	memset(b.genesis, 0x11, 32);
	memset(b.contract, 0x22, 20);
	memset(b.profile, 0x33, 32);
	memset(b.node, 0x44, 20);
	return b;
}

static inline struct dr_keys *keys_of(const char *file, const struct dr_keys_binding *b)
{
	struct dr_keys *k = dr_keys_new(file, NULL, b, &fail);

	if (k == NULL)
		fail_msg("%s", fail.what);
	return k;
}

/* What a call that must fail said. */
static inline void expect_fail(const char *name, enum dr_err got, enum dr_err expected, const char *what)
{
	const char *said = fail.what != NULL ? fail.what : "";

	if (got != expected || fail.err != expected)
		fail_msg("%s: expected %s, got %s (%s)", name, dr_err_name(expected), dr_err_name(got), said);
	if (strstr(said, what) == NULL)
		fail_msg("%s: expected \"%s\", got \"%s\"", name, what, said);
	fail = (struct dr_fail){ 0 };
}

/* A seal under a sealing key of zeros, written out again. */
static inline void seal_by_hand(uint8_t sealed[DR_KEYS_SEALED_LEN], const uint8_t scalar[32],
				const struct dr_keys_binding *b, uint8_t generation)
{
	static const uint8_t zeros[32];
	uint8_t ad[13 + 8 + 32 + 20 + 1 + 32 + 8] = "derot-seal-v1", plain[64] = { 0 };

	ad[19] = (uint8_t)(b->chain_id >> 8);
	ad[20] = (uint8_t)b->chain_id;
	memcpy(ad + 21, b->genesis, 32);
	memcpy(ad + 53, b->contract, 20);
	ad[73] = b->proof;
	memcpy(ad + 74, b->profile, 32);
	ad[113] = generation;
	memcpy(plain, scalar, 32);
	memset(sealed, 0, DR_KEYS_SEALED_LEN);
	sealed[0] = 2;
	assert_int_equal(dr_hkdf_sha512(sealed + 1, 8, dr_bytes_of(zeros, 32), dr_bytes_of(NULL, 0),
					dr_bytes_of("derot-key-id-v1", 15), &fail),
			 DR_OK);
	dr_aead_seal(sealed + 33, dr_bytes_of(plain, 64), dr_bytes_of(ad, sizeof(ad)), sealed + 9, zeros);
}

struct inputs {
	struct dr_keys_binding b;
	struct dr_decision d;
	struct dr_request r;
};

static inline struct inputs inputs(void)
{
	struct inputs in = { .b = binding(),
			     .d = { .verdict = DR_ALLOW,
				    .generation = 1,
				    .epoch = 4,
				    .epoch_time = 1700000000,
				    .root_time = 1690000000 },
			     .r = { .purpose = DR_PURPOSE_SEAL } };

	memset(in.d.app_hash, 5, 32);
	memset(in.d.deployer, 6, 20);
	memset(in.d.nonce, 7, 32);
	memset(in.r.service, 8, 32);
	memset(in.r.contract, 9, 32);
	return in;
}

#endif
