/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kms-bridge/keys_kit.h"

#include <dlfcn.h>
#include <sys/wait.h>

#include <sodium.h>

#include "chain/crypto/ed25519.h"
#include "chain/crypto/secret.h"
#include "kms-bridge/core/keys_impl.h"

/*
 * No branch and no address depends on a secret. memcheck follows the use of undefined values bit by bit: secrets are
 * declared undefined, every path that touches them runs, and a jump or an address that depends on one is an error
 * (exit 99). What may show, and no more, is declared below, around libsodium's own functions, and in
 * secret_paths.supp: whether a scalar is valid, a point is valid, a seal opens, a shared secret is zero, two values
 * that were compared in constant time are equal.
 *
 * The program runs itself under valgrind; and with a leak of each kind, which must be found.
 */
#if defined(__has_include) && __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAVE_MEMCHECK 1
#else
#define HAVE_MEMCHECK                         0
#define VALGRIND_MAKE_MEM_UNDEFINED(ptr, len) ((void)(ptr), (void)(len))
#define VALGRIND_MAKE_MEM_DEFINED(ptr, len)   ((void)(ptr), (void)(len))
#define VALGRIND_GET_VBITS(ptr, bits, len)    ((void)(ptr), memset(bits, 0, len))
#endif

static bool inside; /* valgrind, and it is our own */

static void hide(void *ptr, size_t len)
{
	if (inside)
		VALGRIND_MAKE_MEM_UNDEFINED(ptr, len);
}

static void show(void *ptr, size_t len)
{
	VALGRIND_MAKE_MEM_DEFINED(ptr, len);
}

static bool is_hidden(const void *ptr, size_t len)
{
	uint8_t bits[64] = { 0 };

	assert_true(len <= sizeof(bits));
	VALGRIND_GET_VBITS(ptr, bits, len);
	return !dr_bytes_zero(bits, len);
}

/* libsodium's function of this name; ours stands before it. */
static void (*real(const char *name))(void)
{
	void (*fn)(void) = NULL;
	void *found = dlsym(RTLD_NEXT, name);

	memcpy(&fn, &found, sizeof(fn));
	assert_non_null(found);
	return fn;
}

int crypto_core_ristretto255_is_valid_point(const unsigned char *p)
{
	int (*fn)(const unsigned char *) = (int (*)(const unsigned char *))real(__func__);
	uint8_t point[32];

	memcpy(point, p, sizeof(point));
	show(point, sizeof(point));
	return fn(point);
}

/* The scalar stays hidden. A point that is decoded shows whether it is valid, so it is shown; what comes of a hidden
 * one is hidden again. */
int crypto_scalarmult_ristretto255(unsigned char *q, const unsigned char *n, const unsigned char *p)
{
	int (*fn)(unsigned char *, const unsigned char *, const unsigned char *) =
		(int (*)(unsigned char *, const unsigned char *, const unsigned char *))real(__func__);
	const bool was_hidden = is_hidden(p, 32);
	uint8_t point[32];

	memcpy(point, p, sizeof(point));
	show(point, sizeof(point));
	int got = fn(q, n, point);

	show(&got, sizeof(got));
	if (was_hidden)
		hide(q, 32);
	return got;
}

int crypto_scalarmult_ristretto255_base(unsigned char *q, const unsigned char *n)
{
	int (*fn)(unsigned char *, const unsigned char *) =
		(int (*)(unsigned char *, const unsigned char *))real(__func__);
	int got = fn(q, n);

	show(&got, sizeof(got));
	return got;
}

int crypto_scalarmult_curve25519(unsigned char *q, const unsigned char *n, const unsigned char *p)
{
	int (*fn)(unsigned char *, const unsigned char *, const unsigned char *) =
		(int (*)(unsigned char *, const unsigned char *, const unsigned char *))real(__func__);
	int got = fn(q, n, p);

	show(&got, sizeof(got));
	return got;
}

int sodium_is_zero(const unsigned char *n, const size_t len)
{
	int (*fn)(const unsigned char *, size_t) = (int (*)(const unsigned char *, size_t))real(__func__);
	int got = fn(n, len);

	show(&got, sizeof(got));
	return got;
}

int sodium_memcmp(const void *const a, const void *const b, size_t len)
{
	int (*fn)(const void *, const void *, size_t) = (int (*)(const void *, const void *, size_t))real(__func__);
	int got = fn(a, b, len);

	show(&got, sizeof(got));
	return got;
}

int crypto_aead_xchacha20poly1305_ietf_decrypt(unsigned char *m, unsigned long long *mlen, unsigned char *nsec,
					       const unsigned char *c, unsigned long long clen,
					       const unsigned char *ad, unsigned long long adlen,
					       const unsigned char *npub, const unsigned char *k)
{
	int (*fn)(unsigned char *, unsigned long long *, unsigned char *, const unsigned char *, unsigned long long,
		  const unsigned char *, unsigned long long, const unsigned char *, const unsigned char *) =
		(int (*)(unsigned char *, unsigned long long *, unsigned char *, const unsigned char *,
			 unsigned long long, const unsigned char *, unsigned long long, const unsigned char *,
			 const unsigned char *))real(__func__);
	int got = fn(m, mlen, nsec, c, clen, ad, adlen, npub, k);

	show(&got, sizeof(got));
	return got;
}

static const char *self;

/* Everything in k that is secret. */
static void hide_keys(struct dr_keys *k)
{
	hide(k->sealing, sizeof(k->sealing));
	hide(k->enc, sizeof(k->enc));
	hide(k->sign, 32); /* the other half is public */
	for (size_t i = 0; i < k->num; i++) {
		hide(k->roots[i].prf, 32);
		hide(k->roots[i].sig, 32);
	}
}

static void must(enum dr_err err)
{
	if (err != DR_OK)
		fail_msg("%s", fail.what);
}

static void run_paths(const char *leak)
{
	struct inputs in = inputs();
	struct dr_keys_binding second = in.b;
	uint8_t sealed[DR_KEYS_SEALED_LEN], node[DR_KEYS_SEALED_LEN], words[10][32], key[32], sig[64], enc[32],
		sign[32];
	uint8_t proof[DR_DERIVATION_PROOF_LEN], der[DR_KEYS_DER_MAX], opened[64], box[256];
	struct dr_root root = { .published = 1 };
	struct dr_parcel parcel;
	struct dr_buf bytes;
	size_t len;

	must(dr_keys_file_make(path, NULL, 0, &fail));
	must(dr_keys_file_make(path2, NULL, 0, &fail));
	struct dr_keys *k = keys_of(path, &in.b);

	/* Making, sealing, opening. The seal is public, and so are public keys. */
	hide_keys(k);
	must(dr_keys_node_make(k, node, &fail));
	must(dr_keys_make(k, 1, sealed, &fail));
	hide_keys(k);
	must(dr_keys_seal(k, 1, sealed, &fail));
	must(dr_keys_seal(k, 0, node, &fail));
	show(sealed, sizeof(sealed));
	show(node, sizeof(node));
	dr_keys_free(k);
	k = keys_of(path, &in.b);
	hide_keys(k);
	must(dr_keys_open(k, 1, dr_bytes_of(sealed, sizeof(sealed)), &fail));
	must(dr_keys_node_open(k, dr_bytes_of(node, sizeof(node)), &fail));
	hide_keys(k);
	show(k->enc_pub, 32);
	show(k->sign_pub, 32);
	show(k->sign + 32, 32);
	show(k->roots[0].prf_pub, 32);
	show(k->roots[0].sig_pub, 32);
	show(k->roots[0].sig + 32, 32);
	assert_true(dr_keys_node(k, enc, sign));

	/* Signing and publishing. */
	dr_keys_node_sign(k, sig, dr_bytes_of("message", 7));
	show(sig, sizeof(sig));
	must(dr_ed25519_verify(sig, dr_bytes_of("message", 7), sign, &fail));
	must(dr_keys_publication(k, 1, 0, NULL, words, &fail));
	show(words, sizeof(words));

	/* Deriving, every purpose, with its proof; both are secrets of who asked. */
	for (int purpose = DR_PURPOSE_SEAL; purpose <= DR_PURPOSE_CONTRACT; purpose++) {
		in.r.purpose = (uint8_t)purpose;
		must(dr_keys_derive(k, key, proof, &in.d, &in.r, &fail));
	}
	if (leak != NULL && strcmp(leak, "branch") == 0 && key[3] == 7)
		print_message("a branch\n");
	if (leak != NULL && strcmp(leak, "index") == 0) {
		static volatile uint8_t table[256];
		const uint8_t found = table[key[0]];

		(void)found;
	}
	if (leak != NULL && strcmp(leak, "compare") == 0 && memcmp(k->roots[0].prf, key, 32) == 0)
		print_message("a comparison\n");

	if (leak != NULL) {
		dr_keys_free(k);
		return;
	}

	/* Certificates. */
	memcpy(root.prf_pub, words[1], 32);
	memcpy(root.sig_pub, words[4], 32);
	must(dr_keys_certificate_root(k, 1, &root, der, sizeof(der), &len, &fail));
	in.r.purpose = DR_PURPOSE_TLS;
	must(dr_keys_derive(k, key, proof, &in.d, &in.r, &fail));
	show(proof, 4); /* the form is public; elements, c and s are not */
	show(proof + 36, 2);
	must(dr_keys_certificate_app(k, key, proof, &in.d, &in.r, der, sizeof(der), &len, &fail));

	/* An answer's box. */
	must(dr_box_seal(box, sizeof(box), &len, k->enc_pub, DR_BOX_ANSWER, dr_bytes_of("request", 7),
			 dr_bytes_of(key, sizeof(key)), &fail));
	show(box, len);
	must(dr_box_open(opened, sizeof(opened), &len, k->enc, DR_BOX_ANSWER, dr_bytes_of("request", 7),
			 dr_bytes_of(box, len), &fail));

	/* A parcel, to another node. */
	memset(second.node, 0x55, 20);
	struct dr_keys *l = keys_of(path2, &second);

	hide_keys(l);
	must(dr_keys_node_make(l, node, &fail));
	hide_keys(l);
	show(l->enc_pub, 32);
	dr_buf_init(&bytes, 4096);
	must(dr_keys_parcel_make(k, 1, second.node, l->enc_pub, &bytes, &fail));
	show(bytes.ptr, bytes.len);
	must(dr_parcel_decode(&parcel, dr_buf_view(&bytes), &fail));
	must(dr_keys_parcel_take(l, &parcel, words[1], words[4], sealed, &fail));
	dr_buf_free(&bytes);
	dr_keys_destroy(l, 1);
	dr_keys_free(l);
	dr_keys_free(k);
}

static int under_valgrind(const char *leak)
{
	char command[4096];

	snprintf(command, sizeof(command),
		 "valgrind -q --error-exitcode=99 --suppressions=tests/unit/kms-bridge/secret_paths.supp %s --inside "
		 "%s "
		 ">%s/out 2>&1; s=$?; if [ $s -ne 0 ] && [ -z '%s' ]; then cat %s/out; fi; exit $s",
		 self, leak, dir, leak, dir);
	const int status = system(command);

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_paths(void **state)
{
	(void)state;
	run_paths(NULL); /* whatever valgrind says, they work */
}

static void test_valgrind(void **state)
{
	static const char *const leaks[] = { "branch", "index", "compare" };

	(void)state;
#if defined(__SANITIZE_ADDRESS__)
	print_message("skipped: valgrind and sanitizers do not go together\n");
	skip();
#endif
	if (!HAVE_MEMCHECK || system("valgrind --version >/dev/null 2>&1") != 0) {
		print_message("skipped: no valgrind here\n");
		skip();
	}
	assert_int_equal(under_valgrind(""), 0);
	for (size_t i = 0; i < sizeof(leaks) / sizeof(leaks[0]); i++)
		if (under_valgrind(leaks[i]) != 99)
			fail_msg("%s: not found", leaks[i]);
}

int main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = { T(test_paths), T(test_valgrind) };

	self = argv[0];
	if (argc > 1 && strcmp(argv[1], "--inside") == 0) {
		inside = true;
		if (set_up(NULL) != 0)
			return 1;
		run_paths(argc > 2 ? argv[2] : NULL);
		return tear_down(NULL) == 0 ? 0 : 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
