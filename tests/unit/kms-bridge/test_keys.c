/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chain/crypto/aead.h"
#include "chain/crypto/hkdf.h"
#include "chain/crypto/voprf.h"
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
	(void)state;
	unlink(path);
	unlink(path2);
	return rmdir(dir);
}

static struct dr_keys_binding binding(void)
{
	struct dr_keys_binding b = { .chain_id = 31337, .proof = DR_PROOF_QUORUM };

	memset(b.genesis, 0x11, 32);
	memset(b.contract, 0x22, 20);
	memset(b.profile, 0x33, 32);
	memset(b.node, 0x44, 20);
	return b;
}

static struct dr_keys *keys_of(const char *file, const struct dr_keys_binding *b)
{
	struct dr_keys *k = dr_keys_new(file, NULL, b, &fail);

	if (k == NULL)
		fail_msg("%s", fail.what);
	return k;
}

static void write_file(const char *name, const void *ptr, size_t len, mode_t mode)
{
	FILE *f = fopen(name, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(ptr, 1, len, f), len);
	fclose(f);
	assert_int_equal(chmod(name, mode), 0);
}

static void refused(const char *name, enum dr_err err, const char *what)
{
	const struct dr_keys_binding b = binding();

	fail = (struct dr_fail){ 0 };
	assert_null(dr_keys_new(name, NULL, &b, &fail));
	kit_assert_fail(err, &fail);
	if (strstr(fail.what, what) == NULL)
		fail_msg("expected \"%s\", got \"%s\"", what, fail.what);
}

static void test_file(void **state)
{
	static const uint8_t zeros[33];
	uint8_t one[32], two[32];
	struct stat st;

	(void)state;
	refused(path, DR_ERR_IO, "there is none");
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_keys_file_make(path, NULL, 0, &fail), DR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 32);
	assert_int_equal(dr_keys_file_make(path, NULL, 0, &fail), DR_ERR_IO); /* never over another */
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_keys_file_make(path2, NULL, 0, &fail), DR_OK);
	FILE *f = fopen(path, "rb"), *g = fopen(path2, "rb");

	assert_int_equal(fread(one, 1, 32, f), 32);
	assert_int_equal(fread(two, 1, 32, g), 32);
	fclose(f);
	fclose(g);
	assert_memory_not_equal(one, two, 32);
	chmod(path, 0640);
	refused(path, DR_ERR_IO, "others than its owner");
	chmod(path, 0604);
	refused(path, DR_ERR_IO, "others than its owner");
	write_file(path, zeros, 31, 0600);
	refused(path, DR_ERR_SYNTAX, "key file: expected 32 bytes");
	write_file(path, zeros, 33, 0600);
	refused(path, DR_ERR_SYNTAX, "key file: expected 32 bytes");
	unlink(path);
	assert_int_equal(symlink(path2, path), 0);
	refused(path, DR_ERR_IO, "a link is not followed");
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_keys_file_make(path, NULL, 0, &fail), DR_ERR_IO);
	refused(dir, DR_ERR_IO, "not a plain file");
	if (geteuid() == 0) {
		assert_int_equal(chown(path2, 12345, (gid_t)-1), 0);
		refused(path2, DR_ERR_IO, "belongs to another user");
	}
}

static void test_publication(void **state)
{
	struct dr_keys_binding b = binding();
	struct dr_root_claim claim = { .chain_id = b.chain_id, .generation = 2 };
	uint8_t sealed[DR_KEYS_SEALED_LEN], w[10][32], prev[10][32];
	struct dr_root_proofs p;

	(void)state;
	dr_keys_file_make(path, NULL, 0, &fail);
	struct dr_keys *k = keys_of(path, &b);

	assert_int_equal(dr_keys_newest(k), 0);
	assert_int_equal(dr_keys_make(k, 1, sealed, &fail), DR_OK);
	assert_int_equal(dr_keys_make(k, 2, sealed, &fail), DR_OK);
	assert_int_equal(dr_keys_newest(k), 2);
	assert_int_equal(dr_keys_publication(k, 1, 0, NULL, prev, &fail), DR_OK);
	assert_true(dr_bytes_zero(prev[8], 64)); /* the first has none before it */
	assert_int_equal(dr_keys_publication(k, 2, 1, prev[4], w, &fail), DR_OK);
	assert_true(dr_bytes_zero(w[7], 32));
	memcpy(claim.genesis, b.genesis, 32);
	memcpy(claim.contract, b.contract, 20);
	memcpy(claim.node, b.node, 20);
	memcpy(claim.scheme, w[0], 32);
	memcpy(claim.prf_pub, w[1], 32);
	memcpy(claim.sig_pub, w[4], 32);
	memcpy(p.prf_c, w[2], 32);
	memcpy(p.prf_s, w[3], 32);
	memcpy(p.sig, w[5], 64);
	memcpy(p.prev, w[8], 64);
	/* The fold's own check takes it, with the generation before required. */
	if (dr_root_verify(&claim, &p, prev[4], true, &fail) != DR_OK)
		fail_msg("%s", fail.what);
	assert_true(dr_keys_equal(k, 2, w[1], w[4]));
	assert_false(dr_keys_equal(k, 1, w[1], w[4]));
	assert_false(dr_keys_equal(k, 2, w[1], prev[4]));
	assert_false(dr_keys_equal(k, 2, prev[1], w[4]));
	assert_false(dr_keys_equal(k, 3, w[1], w[4]));
	/* Another's published key before ours: we cannot sign for it. */
	assert_int_equal(dr_keys_publication(k, 2, 1, w[4], w, &fail), DR_OK);
	assert_true(dr_bytes_zero(w[8], 64));
	claim.generation = 3;
	assert_int_equal(dr_root_verify(&claim, &p, NULL, false, &fail), DR_ERR_PROOF);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_keys_make(k, 2, sealed, &fail), DR_ERR_PROOF);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_keys_make(k, 0, sealed, &fail), DR_ERR_LIMIT);
	dr_keys_free(k);
}

static void expect_shut(const char *file, const struct dr_keys_binding *b, uint64_t generation,
			struct dr_bytes sealed, enum dr_err expected)
{
	struct dr_keys *k;

	fail = (struct dr_fail){ 0 };
	k = keys_of(file, b);
	assert_int_equal(dr_keys_open(k, generation, sealed, &fail), expected);
	kit_assert_fail(expected, &fail);
	assert_false(dr_keys_held(k, generation));
	dr_keys_free(k);
}

static void test_seal(void **state)
{
	static const struct {
		const char *name;
		size_t at;
	} fields[] = {
		{ "chain id", offsetof(struct dr_keys_binding, chain_id) },
		{ "genesis", offsetof(struct dr_keys_binding, genesis) + 31 },
		{ "contract", offsetof(struct dr_keys_binding, contract) + 19 },
		{ "proof", offsetof(struct dr_keys_binding, proof) },
		{ "profile", offsetof(struct dr_keys_binding, profile) },
	};
	struct dr_keys_binding b = binding(), other;
	uint8_t sealed[DR_KEYS_SEALED_LEN], second[DR_KEYS_SEALED_LEN], w[10][32];

	(void)state;
	dr_keys_file_make(path, NULL, 0, &fail);
	dr_keys_file_make(path2, NULL, 0, &fail);
	struct dr_keys *k = keys_of(path, &b);

	assert_int_equal(dr_keys_make(k, 1, sealed, &fail), DR_OK);
	assert_int_equal(dr_keys_make(k, 2, second, &fail), DR_OK);
	assert_int_equal(dr_keys_publication(k, 1, 0, NULL, w, &fail), DR_OK);
	dr_keys_free(k);

	k = keys_of(path, &b);
	assert_int_equal(dr_keys_open(k, 1, dr_bytes_of(sealed, sizeof(sealed)), &fail), DR_OK);
	assert_true(dr_keys_equal(k, 1, w[1], w[4]));
	assert_int_equal(dr_keys_open(k, 1, dr_bytes_of(sealed, sizeof(sealed)), &fail), DR_ERR_PROOF);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_keys_open(k, 2, dr_bytes_of(second, sizeof(second)), &fail), DR_OK);
	dr_keys_free(k);
	/* The node is not in the seal: a node that got a new id keeps its roots. */
	other = b;
	other.node[0] ^= 1;
	k = keys_of(path, &other);
	assert_int_equal(dr_keys_open(k, 1, dr_bytes_of(sealed, sizeof(sealed)), &fail), DR_OK);
	dr_keys_free(k);

	expect_shut(path2, &b, 1, dr_bytes_of(sealed, sizeof(sealed)), DR_ERR_PROOF);
	expect_shut(path, &b, 2, dr_bytes_of(sealed, sizeof(sealed)), DR_ERR_PROOF); /* swapped */
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		other = b;
		((uint8_t *)&other)[fields[i].at] ^= 1;
		expect_shut(path, &other, 1, dr_bytes_of(sealed, sizeof(sealed)), DR_ERR_PROOF);
	}
	expect_shut(path, &b, 1, dr_bytes_of(NULL, 0), DR_ERR_SYNTAX);
	for (size_t cut = 0; cut < sizeof(sealed); cut += 13)
		expect_shut(path, &b, 1, dr_bytes_of(sealed, cut), DR_ERR_SYNTAX);
	for (size_t bit = 0; bit < sizeof(sealed) * 8; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		expect_shut(path, &b, 1, dr_bytes_of(sealed, sizeof(sealed)),
			    bit < 8 ? DR_ERR_UNKNOWN : DR_ERR_PROOF);
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

struct inputs {
	struct dr_keys_binding b;
	struct dr_decision d;
	struct dr_request r;
};

static struct inputs inputs(void)
{
	struct inputs in = { .b = binding(),
			     .d = { .verdict = DR_ALLOW, .generation = 1, .epoch = 4 },
			     .r = { .purpose = DR_PURPOSE_SEAL } };

	memset(in.d.app_hash, 5, 32);
	memset(in.d.deployer, 6, 20);
	memset(in.d.nonce, 7, 32);
	memset(in.r.service, 8, 32);
	return in;
}

/* Opens the one sealed root under a binding that it was sealed for, so that bindings can differ too. */
static void derive(uint8_t key[32], const struct inputs *in, const uint8_t sealed[DR_KEYS_SEALED_LEN])
{
	struct dr_keys *k = keys_of(path, &in->b);

	assert_int_equal(dr_keys_open(k, in->d.generation, dr_bytes_of(sealed, DR_KEYS_SEALED_LEN), &fail), DR_OK);
	assert_int_equal(dr_keys_derive(k, key, NULL, &in->d, &in->r, &fail), DR_OK);
	dr_keys_free(k);
}

static void test_derive(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		bool differs;
	} rows[] = {
		{ "epoch", offsetof(struct inputs, d.epoch), true },
		{ "deployer", offsetof(struct inputs, d.deployer) + 19, true },
		{ "app hash", offsetof(struct inputs, d.app_hash) + 31, true },
		{ "nonce", offsetof(struct inputs, d.nonce), true },
		{ "service", offsetof(struct inputs, r.service) + 31, true },
		{ "purpose", offsetof(struct inputs, r.purpose), true },
		/* A handover's key is `from`'s: what the asker measures must not matter. */
		{ "measurement of the asker", offsetof(struct inputs, r.measurement), false },
		{ "device of the asker", offsetof(struct inputs, r.device), false },
	};
	struct inputs in = inputs();
	uint8_t sealed[DR_KEYS_SEALED_LEN], key[32], other[32];

	(void)state;
	dr_keys_file_make(path, NULL, 0, &fail);
	struct dr_keys *k = keys_of(path, &in.b);

	assert_int_equal(dr_keys_make(k, 1, sealed, &fail), DR_OK);
	assert_int_equal(dr_keys_derive(k, key, NULL, &in.d, &in.r, &fail), DR_OK);
	assert_false(dr_bytes_zero(key, 32));
	derive(other, &in, sealed); /* after a restart the same */
	assert_memory_equal(key, other, 32);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct inputs changed = inputs();

		((uint8_t *)&changed)[rows[i].at] ^= 3;
		derive(other, &changed, sealed);
		if ((memcmp(key, other, 32) != 0) != rows[i].differs)
			fail_msg("%s", rows[i].name);
	}
	/* Another root, same inputs. */
	assert_int_equal(dr_keys_make(k, 2, sealed, &fail), DR_OK);
	in.d.generation = 2;
	assert_int_equal(dr_keys_derive(k, other, NULL, &in.d, &in.r, &fail), DR_OK);
	assert_memory_not_equal(key, other, 32);
	in.d.generation = 3;
	assert_int_equal(dr_keys_derive(k, other, NULL, &in.d, &in.r, &fail), DR_ERR_UNKNOWN);
	assert_true(dr_bytes_zero(other, 32));
	dr_keys_free(k);
}

static size_t put(uint8_t *to, const void *ptr, size_t len)
{
	to[0] = 0;
	to[1] = (uint8_t)len;
	memcpy(to + 2, ptr, len);
	return len + 2;
}

/* The scheme written out again, on a known scalar; and the context, which sealing binds as well, so that only a
 * seal made by hand shows that it is in the key too. */
static void by_hand(uint8_t key[32], uint8_t scalar[32], const struct inputs *in, uint8_t generation)
{
	const uint8_t chain[8] = { 0, 0, 0, 0, 0, 0, (uint8_t)(in->b.chain_id >> 8), (uint8_t)in->b.chain_id };
	const uint8_t gen[8] = { 0, 0, 0, 0, 0, 0, 0, generation }, epoch[8] = { 0, 0, 0, 0, 0, 0, 0, 4 };
	uint8_t input[512], output[64];
	size_t len = 0;

	len += put(input + len, "derot-kdf-v1", 12);
	len += put(input + len, chain, 8);
	len += put(input + len, in->b.genesis, 32);
	len += put(input + len, in->b.contract, 20);
	len += put(input + len, gen, 8);
	len += put(input + len, in->d.deployer, 20);
	len += put(input + len, in->d.app_hash, 32);
	len += put(input + len, in->d.nonce, 32);
	len += put(input + len, "seal", 4);
	len += put(input + len, in->r.service, 32);
	len += put(input + len, epoch, 8);
	assert_int_equal(dr_voprf_evaluate(output, scalar, dr_bytes_of(input, len), &fail), DR_OK);
	assert_int_equal(dr_hkdf_sha512(key, 32, dr_bytes_of(output, 64), dr_bytes_of(NULL, 0),
					dr_bytes_of("derot-key-v1seal", 16), &fail),
			 DR_OK);
}

static void seal_by_hand(uint8_t sealed[DR_KEYS_SEALED_LEN], const uint8_t scalar[32],
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

static void test_by_hand(void **state)
{
	static const uint8_t zeros[32];
	static const struct {
		const char *name;
		size_t at;
	} rows[] = {
		{ "nothing", SIZE_MAX },
		{ "chain id", offsetof(struct inputs, b.chain_id) },
		{ "genesis", offsetof(struct inputs, b.genesis) + 31 },
		{ "contract", offsetof(struct inputs, b.contract) + 19 },
		{ "generation", offsetof(struct inputs, d.generation) },
	};
	uint8_t sealed[DR_KEYS_SEALED_LEN], scalar[32], pub[32], first[32];

	(void)state;
	write_file(path, zeros, 32, 0600);
	assert_int_equal(dr_voprf_derive(scalar, pub, zeros, dr_bytes_of("x", 1), &fail), DR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct inputs in = inputs();
		uint8_t expected[32], got[32];

		if (rows[i].at != SIZE_MAX)
			((uint8_t *)&in)[rows[i].at] ^= 2;
		seal_by_hand(sealed, scalar, &in.b, (uint8_t)in.d.generation);
		derive(got, &in, sealed);
		by_hand(expected, scalar, &in, (uint8_t)in.d.generation);
		assert_memory_equal(got, expected, 32);
		if (i == 0)
			memcpy(first, got, 32);
		else
			assert_memory_not_equal(first, got, 32);
	}
	/* A sealed scalar of zero is refused, even under the right key. */
	struct dr_keys_binding b = binding();

	seal_by_hand(sealed, zeros, &b, 1);
	expect_shut(path, &b, 1, dr_bytes_of(sealed, sizeof(sealed)), DR_ERR_NONCANONICAL);
}

static void test_denied_is_a_bug(void **state)
{
	struct inputs in = inputs();
	uint8_t sealed[DR_KEYS_SEALED_LEN], key[32];
	int status;

	(void)state;
	dr_keys_file_make(path, NULL, 0, &fail);
	const pid_t child = fork();

	if (child == 0) {
		struct dr_keys *k = keys_of(path, &in.b);

		dr_keys_harden(&fail);
		dr_keys_make(k, 1, sealed, &fail);
		in.d.verdict = DR_DENY;
		signal(SIGABRT, SIG_DFL);
		fclose(stderr);
		dr_keys_derive(k, key, NULL, &in.d, &in.r, &fail);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_false(WCOREDUMP(status));
}

static void test_harden(void **state)
{
	int status;

	(void)state;
	const pid_t child = fork();

	if (child == 0) {
		struct rlimit limit;

		if (dr_keys_harden(&fail) != DR_OK)
			_exit(1);
		getrlimit(RLIMIT_CORE, &limit);
		_exit(limit.rlim_cur == 0 && limit.rlim_max == 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_file),    T(test_publication),     T(test_seal),   T(test_derive),
		T(test_by_hand), T(test_denied_is_a_bug), T(test_harden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
