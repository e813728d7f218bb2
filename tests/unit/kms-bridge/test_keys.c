/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kms-bridge/keys_kit.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "chain/crypto/ed25519.h"
#include "kms-bridge/core/keys_impl.h"

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
	/* Not generation - 1: the last one that was published, if what is between failed. */
	assert_int_equal(dr_keys_make(k, 5, sealed, &fail), DR_OK);
	assert_int_equal(dr_keys_publication(k, 5, 1, prev[4], w, &fail), DR_OK);
	claim.generation = 5;
	memcpy(claim.prf_pub, w[1], 32);
	memcpy(claim.sig_pub, w[4], 32);
	memcpy(p.prf_c, w[2], 32);
	memcpy(p.prf_s, w[3], 32);
	memcpy(p.sig, w[5], 64);
	memcpy(p.prev, w[8], 64);
	assert_int_equal(dr_root_verify(&claim, &p, prev[4], true, &fail), DR_OK);
	assert_int_equal(dr_keys_publication(k, 5, 4, prev[4], w, &fail), DR_OK); /* one that is not held */
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
			struct dr_bytes sealed, enum dr_err expected, const char *what)
{
	struct dr_keys *k;

	fail = (struct dr_fail){ 0 };
	k = keys_of(file, b);
	expect_fail("shut", dr_keys_open(k, generation, sealed, &fail), expected, what);
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

	expect_shut(path2, &b, 1, dr_bytes_of(sealed, sizeof(sealed)), DR_ERR_PROOF, "sealed under another key file");
	expect_shut(path, &b, 2, dr_bytes_of(sealed, sizeof(sealed)), DR_ERR_PROOF,
		    "it does not open: sealed for another chain"); /* swapped */
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		other = b;
		((uint8_t *)&other)[fields[i].at] ^= 1;
		expect_shut(path, &other, 1, dr_bytes_of(sealed, sizeof(sealed)), DR_ERR_PROOF,
			    "it does not open: sealed for another chain");
	}
	expect_shut(path, &b, 1, dr_bytes_of(NULL, 0), DR_ERR_SYNTAX, "expected 113 bytes");
	for (size_t cut = 0; cut < sizeof(sealed); cut++)
		expect_shut(path, &b, 1, dr_bytes_of(sealed, cut), DR_ERR_SYNTAX, "expected 113 bytes");
	for (size_t bit = 0; bit < sizeof(sealed) * 8; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		expect_shut(path, &b, 1, dr_bytes_of(sealed, sizeof(sealed)), bit < 8 ? DR_ERR_UNKNOWN : DR_ERR_PROOF,
			    bit < 8    ? "version"
			    : bit < 72 ? "another key file"
				       : "it does not open");
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* A sealed scalar of zero is refused, even under the right key: what the seal is, written out again. */
static void test_zero(void **state)
{
	static const uint8_t zeros[32];
	const struct dr_keys_binding b = binding();
	uint8_t sealed[DR_KEYS_SEALED_LEN];

	(void)state;
	write_file(path, zeros, 32, 0600);
	seal_by_hand(sealed, zeros, &b, 1);
	expect_shut(path, &b, 1, dr_bytes_of(sealed, sizeof(sealed)), DR_ERR_NONCANONICAL, "scalar");
}

static void test_node(void **state)
{
	const struct dr_keys_binding b = binding();
	uint8_t sealed[DR_KEYS_SEALED_LEN], root[DR_KEYS_SEALED_LEN], enc[32], sign[32], enc2[32], sign2[32], sig[64];

	(void)state;
	dr_keys_file_make(path, NULL, 0, &fail);
	struct dr_keys *k = keys_of(path, &b);

	memset(enc, 1, 32);
	assert_false(dr_keys_node(k, enc, sign));
	assert_true(dr_bytes_zero(enc, 32) && dr_bytes_zero(sign, 32));
	expect_fail("none yet", dr_keys_seal(k, 0, sealed, &fail), DR_ERR_UNKNOWN, "held");
	assert_int_equal(dr_keys_node_make(k, sealed, &fail), DR_OK);
	assert_true(dr_keys_node(k, enc, sign));
	assert_memory_not_equal(enc, sign, 32);
	expect_fail("twice", dr_keys_node_make(k, root, &fail), DR_ERR_PROOF, "already");
	expect_fail("twice", dr_keys_node_open(k, dr_bytes_of(sealed, sizeof(sealed)), &fail), DR_ERR_PROOF,
		    "already");
	assert_int_equal(dr_keys_make(k, 1, root, &fail), DR_OK);
	assert_false(dr_keys_held(k, 0)); /* they are no root */
	assert_int_equal(dr_keys_newest(k), 1);
	dr_keys_node_sign(k, sig, dr_bytes_of("checkpoint", 10));
	assert_int_equal(dr_ed25519_verify(sig, dr_bytes_of("checkpoint", 10), sign, &fail), DR_OK);
	dr_keys_free(k);

	k = keys_of(path, &b);
	/* A root is not a node's keys, nor they a root. */
	expect_fail("root", dr_keys_node_open(k, dr_bytes_of(root, sizeof(root)), &fail), DR_ERR_PROOF,
		    "does not open");
	expect_fail("node", dr_keys_open(k, 1, dr_bytes_of(sealed, sizeof(sealed)), &fail), DR_ERR_PROOF,
		    "does not open");
	assert_false(dr_keys_node(k, enc2, sign2));
	assert_int_equal(dr_keys_node_open(k, dr_bytes_of(sealed, sizeof(sealed)), &fail), DR_OK);
	assert_true(dr_keys_node(k, enc2, sign2));
	assert_memory_equal(enc, enc2, 32);
	assert_memory_equal(sign, sign2, 32);
	dr_keys_free(k);
}

/* Another sealing key: what was sealed is sealed anew, and the old seals stay shut under the new file. */
static void test_reseal(void **state)
{
	const struct dr_keys_binding b = binding();
	uint8_t old[DR_KEYS_SEALED_LEN], fresh[DR_KEYS_SEALED_LEN], node[DR_KEYS_SEALED_LEN], w[10][32], id[8],
		id2[8];
	uint8_t enc[32], sign[32], enc2[32], sign2[32];

	(void)state;
	dr_keys_file_make(path, NULL, 0, &fail);
	write_file(path2, "correct horse\n", 14, 0600);
	struct dr_keys *k = keys_of(path, &b);

	assert_int_equal(dr_keys_make(k, 7, old, &fail), DR_OK);
	assert_int_equal(dr_keys_node_make(k, node, &fail), DR_OK);
	assert_int_equal(dr_keys_publication(k, 7, 0, NULL, w, &fail), DR_OK);
	assert_true(dr_keys_node(k, enc, sign));
	dr_keys_id(k, id);
	assert_int_equal(dr_keys_sealed_id(id2, dr_bytes_of(old, sizeof(old)), &fail), DR_OK);
	assert_memory_equal(id, id2, 8);
	/* A file that cannot be read changes nothing. */
	expect_fail("none", dr_keys_reseal(k, "/nonexistent/key", NULL, &fail), DR_ERR_IO, "there is none");
	dr_keys_id(k, id2);
	assert_memory_equal(id, id2, 8);

	char other[128];

	snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(dr_keys_file_make(other, path2, 8, &fail), DR_OK);
	assert_int_equal(dr_keys_reseal(k, other, path2, &fail), DR_OK);
	dr_keys_id(k, id2);
	assert_memory_not_equal(id, id2, 8);
	assert_true(dr_keys_equal(k, 7, w[1], w[4])); /* what is held stays */
	assert_int_equal(dr_keys_seal(k, 7, fresh, &fail), DR_OK);
	assert_int_equal(dr_keys_seal(k, 0, node, &fail), DR_OK);
	assert_int_equal(dr_keys_sealed_id(id, dr_bytes_of(fresh, sizeof(fresh)), &fail), DR_OK);
	assert_memory_equal(id, id2, 8);
	expect_fail("not held", dr_keys_seal(k, 8, old + 0, &fail), DR_ERR_UNKNOWN, "held");
	assert_true(dr_bytes_zero(old, sizeof(old)));
	dr_keys_free(k);

	k = dr_keys_new(other, path2, &b, &fail);
	assert_non_null(k);
	assert_int_equal(dr_keys_open(k, 7, dr_bytes_of(fresh, sizeof(fresh)), &fail), DR_OK);
	assert_true(dr_keys_equal(k, 7, w[1], w[4]));
	assert_int_equal(dr_keys_node_open(k, dr_bytes_of(node, sizeof(node)), &fail), DR_OK);
	assert_true(dr_keys_node(k, enc2, sign2));
	assert_memory_equal(enc, enc2, 32);
	assert_memory_equal(sign, sign2, 32);
	dr_keys_free(k);
	expect_shut(path, &b, 7, dr_bytes_of(fresh, sizeof(fresh)), DR_ERR_PROOF, "sealed under another key file");
	expect_fail("short", dr_keys_sealed_id(id, dr_bytes_of(fresh, 112), &fail), DR_ERR_SYNTAX, "113 bytes");
	assert_true(dr_bytes_zero(id, 8));
	fresh[0] = 1;
	expect_fail("version 1", dr_keys_sealed_id(id, dr_bytes_of(fresh, sizeof(fresh)), &fail), DR_ERR_UNKNOWN,
		    "version");
}

static void test_destroy(void **state)
{
	const struct dr_keys_binding b = binding();
	uint8_t sealed[DR_KEYS_SEALED_LEN], w[3][10][32];

	(void)state;
	dr_keys_file_make(path, NULL, 0, &fail);
	struct dr_keys *k = keys_of(path, &b);

	for (uint64_t g = 1; g <= 3; g++) {
		assert_int_equal(dr_keys_make(k, g, sealed, &fail), DR_OK);
		assert_int_equal(dr_keys_publication(k, g, 0, NULL, w[g - 1], &fail), DR_OK);
	}
	dr_keys_destroy(k, 9); /* not held: nothing */
	dr_keys_destroy(k, 0);
	dr_keys_destroy(k, 1);
	assert_false(dr_keys_held(k, 1));
	assert_true(dr_keys_equal(k, 2, w[1][1], w[1][4]));
	assert_true(dr_keys_equal(k, 3, w[2][1], w[2][4]));
	dr_keys_destroy(k, 3);
	assert_false(dr_keys_held(k, 3));
	assert_true(dr_keys_equal(k, 2, w[1][1], w[1][4]));
	assert_int_equal(dr_keys_newest(k), 2);
	dr_keys_destroy(k, 2);
	assert_int_equal(dr_keys_newest(k), 0);
	/* Nothing of them is left in the memory. */
	const struct dr_keys_root *roots = k->roots;

	for (size_t i = 0; i < 3; i++)
		assert_true(dr_bytes_zero(&roots[i], sizeof(roots[i])));
	for (uint64_t g = 1; g <= DR_KEYS_ROOTS_MAX; g++) {
		assert_false(dr_keys_full(k));
		assert_int_equal(dr_keys_make(k, g, sealed, &fail), DR_OK);
	}
	assert_true(dr_keys_full(k));
	expect_fail("too many", dr_keys_make(k, 100, sealed, &fail), DR_ERR_LIMIT, "too many");
	assert_true(dr_bytes_zero(sealed, sizeof(sealed)));
	dr_keys_free(k);
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
		T(test_publication),     T(test_seal),   T(test_zero), T(test_node), T(test_reseal), T(test_destroy),
		T(test_denied_is_a_bug), T(test_harden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
