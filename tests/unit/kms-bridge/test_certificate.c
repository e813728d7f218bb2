/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kms-bridge/keys_kit.h"

#include "chain/crypto/ed25519.h"
#include "chain/crypto/sha256.h"
#include "kms-bridge/core/certificate.h"

static struct dr_root published_of(const struct dr_keys *k, uint64_t generation)
{
	struct dr_root root = { .stage = DR_ROOT_PUBLISHED, .published = 1690000000 };
	uint8_t words[10][32];

	assert_int_equal(dr_keys_publication(k, generation, 0, NULL, words, &fail), DR_OK);
	memset(root.node, 0x77, 20);
	memcpy(root.prf_pub, words[1], 32);
	memcpy(root.sig_pub, words[4], 32);
	return root;
}

struct made {
	uint8_t root[DR_KEYS_DER_MAX], app[DR_KEYS_DER_MAX], key[32], proof[DR_DERIVATION_PROOF_LEN];
	size_t root_len, app_len;
};

static void make(struct made *m, const struct dr_keys *k, const struct inputs *in)
{
	const struct dr_root root = published_of(k, in->d.generation);

	if (dr_keys_certificate_root(k, in->d.generation, &root, m->root, sizeof(m->root), &m->root_len, &fail) !=
		    DR_OK ||
	    dr_keys_derive(k, m->key, m->proof, &in->d, &in->r, &fail) != DR_OK ||
	    dr_keys_certificate_app(k, m->key, m->proof, &in->d, &in->r, m->app, sizeof(m->app), &m->app_len,
				    &fail) != DR_OK)
		fail_msg("%s", fail.what);
}

static bool contains(struct dr_bytes whole, struct dr_bytes part)
{
	return memmem(whole.ptr, whole.len, part.ptr, part.len) != NULL;
}

/* The same bytes each time, and on another node; what is in them. */
static void test_bytes(void **state)
{
	struct inputs in = inputs();
	uint8_t sealed[DR_KEYS_SEALED_LEN], pub[32], secret[64], hash[32];
	struct dr_keys_binding other = in.b;
	struct made one, two;

	(void)state;
	in.r.purpose = DR_PURPOSE_TLS;
	dr_keys_file_make(path, NULL, 0, &fail);
	struct dr_keys *k = keys_of(path, &in.b);

	assert_int_equal(dr_keys_make(k, 1, sealed, &fail), DR_OK);
	make(&one, k, &in);
	memset(other.node, 0x99, 20); /* another node that was given the root */
	struct dr_keys *l = keys_of(path, &other);

	assert_int_equal(dr_keys_open(l, 1, dr_bytes_of(sealed, sizeof(sealed)), &fail), DR_OK);
	make(&two, l, &in);
	assert_int_equal(one.root_len, two.root_len);
	assert_memory_equal(one.root, two.root, one.root_len);
	assert_int_equal(one.app_len, two.app_len);
	assert_memory_equal(one.app, two.app, one.app_len);
	assert_memory_not_equal(one.proof + 4 + 32 + 1 + 33, two.proof + 4 + 32 + 1 + 33, 64); /* proofs are random */

	const struct dr_bytes app = dr_bytes_of(one.app, one.app_len), root = dr_bytes_of(one.root, one.root_len);
	uint8_t input[DR_DERIVATION_INPUT_MAX], commitment[32], by_hand[19 + 2 + sizeof(input) + 32];
	struct dr_root_claim claim = { .chain_id = in.b.chain_id, .generation = 1 };
	const struct dr_root published = published_of(k, 1);
	uint8_t context[DR_ROOT_CONTEXT_LEN];
	size_t len;

	/* BIT STRINGs of named bits end with their last one bit (X.690, 11.2.2). */
	assert_true(contains(root, kit_hex("0603551d0f0101ff0404"
					   "03020204")));
	assert_true(contains(app, kit_hex("0603551d0f0101ff0404"
					  "03020780")));
	dr_ed25519_keypair(pub, secret, one.key);
	assert_true(contains(app, dr_bytes_of(pub, 32)));
	assert_int_equal(dr_derivation_input(input, sizeof(input), &len, in.b.chain_id, in.b.genesis, in.b.contract,
					     &in.d, &in.r, &fail),
			 DR_OK);
	assert_true(contains(app, dr_bytes_of(input, len)));
	memcpy(by_hand, "derot-commitment-v1", 19);
	by_hand[19] = 0;
	by_hand[20] = (uint8_t)len;
	memcpy(by_hand + 21, input, len);
	memcpy(by_hand + 21 + len, one.proof + 4, 32);
	dr_sha256_one(hash, by_hand, 21 + len + 32);
	dr_certificate_commitment(commitment, dr_bytes_of(input, len), one.proof + 4);
	assert_memory_equal(hash, commitment, 32);
	assert_true(contains(app, dr_bytes_of(commitment, 32)));
	/* The key, its seed and its element are not. */
	assert_false(contains(app, dr_bytes_of(one.key, 32)));
	assert_false(contains(app, dr_bytes_of(one.proof + 4, 32)));
	memcpy(claim.genesis, in.b.genesis, 32);
	memcpy(claim.contract, in.b.contract, 20);
	memcpy(claim.node, published.node, 20); /* of who published it, not of who asks */
	dr_root_scheme(claim.scheme);
	memcpy(claim.prf_pub, published.prf_pub, 32);
	memcpy(claim.sig_pub, published.sig_pub, 32);
	dr_root_context(context, &claim);
	assert_true(contains(root, dr_bytes_of(context, sizeof(context))));
	dr_keys_free(k);
	dr_keys_free(l);
}

/* Everything a certificate says changes it, its serial number included. */
static void test_differs(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		bool differs;
	} rows[] = {
		{ "epoch", offsetof(struct inputs, d.epoch), true },
		{ "epoch's begin", offsetof(struct inputs, d.epoch_time), true },
		{ "app hash", offsetof(struct inputs, d.app_hash) + 31, true },
		{ "deployer", offsetof(struct inputs, d.deployer), true },
		{ "purpose", offsetof(struct inputs, r.purpose), true },
		{ "service", offsetof(struct inputs, r.service), true },
		{ "publication, before the epoch", offsetof(struct inputs, d.root_time), false },
		{ "device of the asker", offsetof(struct inputs, r.device), false },
	};
	struct inputs in = inputs();
	uint8_t sealed[DR_KEYS_SEALED_LEN];
	struct made one, two;

	(void)state;
	in.r.purpose = DR_PURPOSE_SIGN;
	dr_keys_file_make(path, NULL, 0, &fail);
	struct dr_keys *k = keys_of(path, &in.b);

	assert_int_equal(dr_keys_make(k, 1, sealed, &fail), DR_OK);
	make(&one, k, &in);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct inputs changed = in;

		((uint8_t *)&changed)[rows[i].at] ^= 1; /* purpose: sign becomes tls */
		make(&two, k, &changed);
		if ((one.app_len != two.app_len || memcmp(one.app, two.app, one.app_len) != 0) != rows[i].differs)
			fail_msg("%s", rows[i].name);
		/* SEQUENCE, SEQUENCE, [0] version, then INTEGER of 20: the serial. */
		assert_memory_equal(two.app + 13, "\x02\x14", 2);
		assert_true(two.app[15] >= 0x40 && two.app[15] < 0x80);
		if ((memcmp(one.app + 15, two.app + 15, 20) != 0) != rows[i].differs)
			fail_msg("%s: serial", rows[i].name);
	}
	dr_keys_free(k);
}

static void test_errors(void **state)
{
	struct inputs in = inputs();
	uint8_t sealed[DR_KEYS_SEALED_LEN], der[DR_KEYS_DER_MAX];
	struct made m;
	size_t len = 9;

	(void)state;
	in.r.purpose = DR_PURPOSE_SIGN;
	dr_keys_file_make(path, NULL, 0, &fail);
	struct dr_keys *k = keys_of(path, &in.b);

	assert_int_equal(dr_keys_make(k, 1, sealed, &fail), DR_OK);
	make(&m, k, &in);
	struct dr_root root = published_of(k, 1);

	expect_fail("not held", dr_keys_certificate_root(k, 2, &root, der, sizeof(der), &len, &fail), DR_ERR_UNKNOWN,
		    "no root of this generation");
	root.sig_pub[0] ^= 1;
	expect_fail("foreign", dr_keys_certificate_root(k, 1, &root, der, sizeof(der), &len, &fail), DR_ERR_PROOF,
		    "differs from the published keys");
	root = published_of(k, 1);
	root.published = DR_TIME_MAX_S;
	expect_fail("year", dr_keys_certificate_root(k, 1, &root, der, sizeof(der), &len, &fail), DR_ERR_LIMIT,
		    "9999");
	root.published = 0;
	for (size_t cap = 0; cap < m.root_len; cap += 7) {
		memset(der, 1, sizeof(der));
		expect_fail("room", dr_keys_certificate_root(k, 1, &root, der, cap, &len, &fail), DR_ERR_LIMIT,
			    "fit");
		assert_int_equal(len, 0);
		assert_true(dr_bytes_zero(der, cap));
		expect_fail("room", dr_keys_certificate_app(k, m.key, m.proof, &in.d, &in.r, der, cap, &len, &fail),
			    DR_ERR_LIMIT, "fit");
		assert_int_equal(len, 0);
		assert_true(dr_bytes_zero(der, cap));
	}
	m.proof[0] = 2;
	expect_fail("proof", dr_keys_certificate_app(k, m.key, m.proof, &in.d, &in.r, der, sizeof(der), &len, &fail),
		    DR_ERR_UNKNOWN, "derivation proof");
	in.d.generation = 2;
	m.proof[0] = 1;
	expect_fail("not held",
		    dr_keys_certificate_app(k, m.key, m.proof, &in.d, &in.r, der, sizeof(der), &len, &fail),
		    DR_ERR_UNKNOWN, "no root of this generation");
	dr_keys_free(k);
}

/* The output of a command, cut to cap; false if it failed. */
static bool run(char *out, size_t cap, const char *command)
{
	FILE *f = popen(command, "r");
	size_t len = 0;

	assert_non_null(f);
	while (len + 1 < cap) {
		const size_t num = fread(out + len, 1, cap - 1 - len, f);

		if (num == 0)
			break;
		len += num;
	}
	out[len] = 0;
	return pclose(f) == 0;
}

/* A certificate below the application's, made with its key: which shows as well that the key is the certificate's. */
#define BELOW                                                                                                        \
	"openssl pkey -inform DER -in key.der -out key.pem && "                                                      \
	"openssl req -new -key key.pem -subj /CN=below -out below.csr 2>&1 && "                                      \
	"openssl x509 -req -in below.csr -CA sign.pem -CAkey key.pem -set_serial 1 -out below.pem 2>&1 && "

/* Plain tools take them, and read what is meant. */
static void test_openssl(void **state)
{
	static const struct {
		const char *name;
		bool good;
		const char *command, *says;
	} rows[] = {
		{ "sign", true, "openssl verify -x509_strict -CAfile root.pem sign.pem", "sign.pem: OK" },
		{ "tls server", true, "openssl verify -x509_strict -purpose sslserver -CAfile root.pem tls.pem",
		  "tls.pem: OK" },
		{ "tls client", true, "openssl verify -x509_strict -purpose sslclient -CAfile root.pem tls.pem",
		  "tls.pem: OK" },
		{ "root, of itself", true, "openssl verify -x509_strict -check_ss_sig -CAfile root.pem root.pem",
		  "root.pem: OK" },
		{ "another root", false, "openssl verify -no-CApath -no-CAstore -CAfile other.pem sign.pem 2>&1",
		  "unable to get local issuer certificate" },
		{ "without a root", false, "openssl verify -no-CApath -no-CAstore -no-CAfile sign.pem 2>&1",
		  "unable to get local issuer certificate" },
		{ "an application is no root", false,
		  BELOW "openssl verify -CAfile root.pem -untrusted sign.pem below.pem 2>&1",
		  "invalid CA certificate" },
		{ "a changed name", false, "openssl verify -CAfile root.pem changed.pem 2>&1",
		  "certificate signature failure" },
		{ "names", true, "openssl x509 -in sign.pem -noout -subject -issuer",
		  "subject=O = derot 0x2222222222222222222222222222222222222222, OU = sign, CN = "
		  "05050505050505050505050505050505\n"
		  "issuer=O = derot 0x2222222222222222222222222222222222222222, CN = derot root generation 1" },
		{ "dates", true, "openssl x509 -in sign.pem -noout -dates",
		  "notBefore=Nov 14 22:13:20 2023 GMT\nnotAfter=Dec 31 23:59:59 9999 GMT" },
		{ "root's dates", true, "openssl x509 -in root.pem -noout -startdate",
		  "notBefore=Jul 22 04:26:40 2023 GMT" },
		{ "extensions", true, "openssl x509 -in tls.pem -noout -text",
		  "X509v3 Key Usage: critical\n                Digital Signature\n"
		  "            X509v3 Extended Key Usage: \n"
		  "                TLS Web Server Authentication, TLS Web Client Authentication" },
		{ "root's extensions", true, "openssl x509 -in root.pem -noout -text",
		  "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0\n"
		  "            X509v3 Key Usage: critical\n                Certificate Sign" },
		{ "our OIDs", true, "openssl asn1parse -in sign.pem",
		  ":2.25.147685682472378872222960868619016953377.4\n" },
		{ "epoch", true, "openssl asn1parse -in sign.pem | grep -A1 953377.3$", "[HEX DUMP]:020104" },
		{ "generation", true, "openssl asn1parse -in root.pem | grep -A1 953377.2$", "[HEX DUMP]:020101" },
	};
	/* RFC 8410, 7: PKCS #8 around a seed. */
	uint8_t pkcs8[48] = { 0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20 };
	struct inputs in = inputs();
	uint8_t sealed[DR_KEYS_SEALED_LEN], changed[DR_KEYS_DER_MAX];
	char command[1024], text[8192], name[160];
	struct made sign, tls, other;

	(void)state;
	if (!run(text, sizeof(text), "openssl version 2>/dev/null")) {
		print_message("skipped: no openssl here\n");
		skip();
	}
	dr_keys_file_make(path, NULL, 0, &fail);
	struct dr_keys *k = keys_of(path, &in.b);

	assert_int_equal(dr_keys_make(k, 1, sealed, &fail), DR_OK);
	assert_int_equal(dr_keys_make(k, 2, sealed, &fail), DR_OK);
	in.r.purpose = DR_PURPOSE_SIGN;
	make(&sign, k, &in);
	in.r.purpose = DR_PURPOSE_TLS;
	make(&tls, k, &in);
	in.d.generation = 2;
	make(&other, k, &in);
	dr_keys_free(k);
	memcpy(changed, sign.app, sign.app_len);
	uint8_t *at = memmem(changed, sign.app_len, "0505", 4);

	assert_non_null(at);
	at[1] = '6';
	memcpy(pkcs8 + 16, sign.key, 32);
	snprintf(name, sizeof(name), "%s/key.der", dir);
	write_file(name, pkcs8, sizeof(pkcs8), 0600);

	const struct {
		const char *name;
		struct dr_bytes der;
	} files[] = {
		{ "root", dr_bytes_of(sign.root, sign.root_len) },
		{ "sign", dr_bytes_of(sign.app, sign.app_len) },
		{ "tls", dr_bytes_of(tls.app, tls.app_len) },
		{ "other", dr_bytes_of(other.root, other.root_len) },
		{ "changed", dr_bytes_of(changed, sign.app_len) },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(name, sizeof(name), "%s/%s.der", dir, files[i].name);
		write_file(name, files[i].der.ptr, files[i].der.len, 0600);
		snprintf(command, sizeof(command), "cd %s && openssl x509 -inform DER -in %s.der -out %s.pem 2>&1",
			 dir, files[i].name, files[i].name);
		if (!run(text, sizeof(text), command))
			fail_msg("%s: %s", files[i].name, text);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(command, sizeof(command), "cd %s && %s", dir, rows[i].command);
		if (run(text, sizeof(text), command) != rows[i].good || strstr(text, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].name, text);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = { T(test_bytes), T(test_differs), T(test_errors), T(test_openssl) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
