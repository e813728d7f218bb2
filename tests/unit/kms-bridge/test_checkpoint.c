/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/codec/base64.h"
#include "chain/crypto/ed25519.h"
#include "kms-bridge/checkpoint.h"

#define DASH "\xe2\x80\x94 "

static struct dr_bytes bytes_of(const char *text)
{
	return dr_bytes_of(text, strlen(text));
}

/* Checkpoints of logs of others, and what their keys are called: the go command's checksum database (which signs as
 * "sum.golang.org" for a log of another origin), and sigsum's test log. */
#define GO_VKEY     "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
#define SIGSUM_VKEY "sigsum.org:testonly+8de2c54b+AYzzrIWq3UKJHFrprvJyRMsqVGojEvgAIKrT8q4a9zMU"
static const struct {
	const char *vkey, *name, *note, *origin;
	uint64_t size;
	const char *root;
} known[] = {
	{ GO_VKEY, "sum.golang.org",
	  "go.sum database tree\n31700353\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n" DASH "sum.golang.org "
	  "Az3grnmrIUEDFqHzAElIQCPNoRFRAAdFo47fooyWKMHb89k11GJh5zHIfNCOBmwn/C3YI8oW9/C8DJ87F61QqspBYwM=\n",
	  "go.sum database tree", 31700353, "qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=" },
	{ GO_VKEY, "sum.golang.org",
	  "go.sum database tree\n65209736\n5+uGFjx6xBZG8ip1+wi77v+grwbhhukIrxEUS8PXvRo=\n\n" DASH "sum.golang.org "
	  "Az3grnbssgK7ubgFX36gVETtNv0U23qxyAhAMai2QUfeGa3nB/akvkMdlUErfcZz7l/R3cVtYspg3dxXABkGZZKdsQ8=\n",
	  "go.sum database tree", 65209736, "5+uGFjx6xBZG8ip1+wi77v+grwbhhukIrxEUS8PXvRo=" },
	{ SIGSUM_VKEY, "sigsum.org:testonly",
	  "sigsum.org:testonly\n23\nHSt6W8ve4/36xAIf04qDOqaKLaKqSOUqKxLNrkK74+g=\n\n" DASH "sigsum.org:testonly "
	  "jeLFS4WQDEeTavbiYArHzCQUPXbQ1Y/V8/dKJlBxqOAY4eLhSh3uWNJ8YXp1vs/zR4SDNHI+6UybLmHmFlg/VSf5OAs=\n",
	  "sigsum.org:testonly", 23, "HSt6W8ve4/36xAIf04qDOqaKLaKqSOUqKxLNrkK74+g=" },
};

/* The key in a vkey: what follows the second plus. */
static void vkey_pub(uint8_t pub[32], const char *vkey)
{
	const char *text = strchr(strchr(vkey, '+') + 1, '+') + 1;
	struct dr_fail fail = { 0 };
	uint8_t key[33];
	size_t len;

	assert_int_equal(dr_base64_get(key, sizeof(key), &len, bytes_of(text), &fail), DR_OK);
	assert_int_equal(len, 33);
	memcpy(pub, key + 1, 32);
}

static void test_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct dr_fail fail = { 0 };
		char origin[64], vkey[DR_TEXT_MAX], text[DR_BASE64_LEN(32) + 1];
		uint8_t pub[32], root[32];
		uint64_t size;

		vkey_pub(pub, known[i].vkey);
		dr_checkpoint_vkey(vkey, known[i].name, pub);
		assert_string_equal(vkey, known[i].vkey);
		if (dr_checkpoint_read(origin, sizeof(origin), &size, root, bytes_of(known[i].note), known[i].name,
				       pub, &fail) != DR_OK)
			fail_msg("%zu: %s", i, fail.what);
		assert_string_equal(origin, known[i].origin);
		assert_int_equal(size, known[i].size);
		dr_base64_put(text, dr_bytes_of(root, 32));
		assert_string_equal(text, known[i].root);
	}
}

/* The example of golang.org/x/mod/sumdb/note: a note like ours, whose text is no checkpoint. */
#define PETER_TEXT                                                                                                   \
	"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
#define PETER_NOTE                                                                                                   \
	PETER_TEXT "\n" DASH "PeterNeumann "                                                                         \
		   "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
#define PETER_VKEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

static void test_signed_no_checkpoint(void **state)
{
	struct dr_fail fail = { 0 };
	char origin[128], vkey[DR_TEXT_MAX];
	uint8_t pub[32], root[32];
	uint64_t size;

	(void)state;
	vkey_pub(pub, PETER_VKEY);
	dr_checkpoint_vkey(vkey, "PeterNeumann", pub);
	assert_string_equal(vkey, PETER_VKEY);
	assert_int_equal(dr_checkpoint_read(origin, sizeof(origin), &size, root, bytes_of(PETER_NOTE), "PeterNeumann",
					    pub, &fail),
			 DR_ERR_SYNTAX);
	assert_string_equal(fail.what,
			    "checkpoint: expected a size in decimal digits"); /* so the signature was good */
	assert_true(dr_bytes_zero(origin, sizeof(origin)));
}

/* Two signers of our own. */
static uint8_t secrets[2][64], pubs[2][32];

static int make_keys(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < 2; i++) {
		uint8_t seed[32];

		memset(seed, i + 1, 32);
		dr_ed25519_keypair(pubs[i], secrets[i], seed);
	}
	return 0;
}

static void sign_with(void *ctx, uint8_t sig[static 64], struct dr_bytes msg)
{
	dr_ed25519_sign(sig, msg, ctx);
}

#define NAME   "derot/31337/0x2222222222222222222222222222222222222222/0x3333333333333333333333333333333333333333"
#define ORIGIN NAME "/journal"

static enum dr_err read_note(struct dr_bytes note, struct dr_fail *fail)
{
	char origin[DR_CHECKPOINT_NAME_MAX];
	uint8_t root[32];
	uint64_t size;

	*fail = (struct dr_fail){ 0 };
	memset(origin, 'x', sizeof(origin));
	const enum dr_err err = dr_checkpoint_read(origin, sizeof(origin), &size, root, note, NAME, pubs[0], fail);

	if (err != DR_OK) {
		assert_true(dr_bytes_zero(origin, sizeof(origin)) && dr_bytes_zero(root, 32) && size == 0);
		assert_non_null(fail->what);
	}
	return err;
}

/* A note of this text, signed by ours, with what follows it. */
static struct dr_bytes note_of(const char *text, const char *name, const char *more)
{
	static char note[8192];
	char vkey[DR_TEXT_MAX], id_hex[9], sig_text[128];
	uint8_t sig[68];

	dr_checkpoint_vkey(vkey, name, pubs[0]);
	memcpy(id_hex, vkey + strlen(name) + 1, 8);
	id_hex[8] = 0;
	memcpy(sig, kit_hex(id_hex).ptr, 4);
	dr_ed25519_sign(sig + 4, bytes_of(text), secrets[0]);
	dr_base64_put(sig_text, dr_bytes_of(sig, sizeof(sig)));
	const int len = snprintf(note, sizeof(note), "%s\n" DASH "%s %s\n%s", text, name, sig_text, more);

	assert_true(len > 0 && (size_t)len < sizeof(note));
	return bytes_of(note);
}

static void test_round_trip(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 10, 123456789, UINT64_MAX };
	const uint8_t contract[20] = { 0xab, 1 }, node[20] = { 0xcd, 2 };
	char origin[DR_CHECKPOINT_NAME_MAX], name[DR_CHECKPOINT_NAME_MAX], got[DR_CHECKPOINT_NAME_MAX];
	uint8_t root[32], got_root[32];
	struct dr_fail fail = { 0 };
	struct dr_buf out;
	uint64_t size;

	(void)state;
	dr_checkpoint_origin(origin, 31337, contract, node, 0);
	assert_string_equal(origin, "derot/31337/0xab01000000000000000000000000000000000000/ledger");
	dr_checkpoint_origin(origin, UINT64_MAX, contract, node, 1);
	assert_string_equal(origin, "derot/18446744073709551615/0xab01000000000000000000000000000000000000"
				    "/0xcd02000000000000000000000000000000000000/journal");
	dr_checkpoint_name(name, UINT64_MAX, contract, node);
	assert_memory_equal(origin, name, strlen(name));
	assert_string_equal(origin + strlen(name), "/journal");
	dr_buf_init(&out, DR_CHECKPOINT_LEN_MAX);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memset(root, (int)i + 0xf0, 32);
		out.len = 0;
		assert_int_equal(
			dr_checkpoint_make(&out, origin, sizes[i], root, name, pubs[0], sign_with, secrets[0], &fail),
			DR_OK);
		assert_int_equal(dr_checkpoint_read(got, sizeof(got), &size, got_root, dr_buf_view(&out), name,
						    pubs[0], &fail),
				 DR_OK);
		assert_string_equal(got, origin);
		assert_int_equal(size, sizes[i]);
		assert_memory_equal(got_root, root, 32);
	}
	dr_buf_free(&out);
}

#define ROOT     "HSt6W8ve4/36xAIf04qDOqaKLaKqSOUqKxLNrkK74+g=\n"
#define GOOD     ORIGIN "\n23\n" ROOT
#define STRANGER DASH "stranger.example AAAAAAAA\n"

static const struct {
	const char *name, *text, *key, *more;
	enum dr_err expected;
} texts[] = {
	{ "good", GOOD, NAME, "", DR_OK },
	{ "extension lines", GOOD "one\ntwo \xc3\xa9\n", NAME, "", DR_OK },
	{ "a stranger's signature besides", GOOD, NAME, STRANGER, DR_OK },
	{ "our name on another key id", GOOD, NAME, DASH NAME " AAAAAAAA\n", DR_OK },
	{ "signed under another name", GOOD, "derot/1", "", DR_ERR_UNKNOWN },
	{ "an empty line in the text", ORIGIN "\n23\n" ROOT "\nmore\n", NAME, "", DR_ERR_SYNTAX },
	{ "no origin", "\n23\n" ROOT, NAME, "", DR_ERR_SYNTAX },
	{ "no size", ORIGIN "\n\n" ROOT, NAME, "", DR_ERR_SYNTAX },
	{ "no root", ORIGIN "\n23\n", NAME, "", DR_ERR_SYNTAX },
	{ "only an origin", ORIGIN "\n", NAME, "", DR_ERR_SYNTAX },
	{ "a size with a sign", ORIGIN "\n+23\n" ROOT, NAME, "", DR_ERR_SYNTAX },
	{ "a size with a space", ORIGIN "\n23 \n" ROOT, NAME, "", DR_ERR_SYNTAX },
	{ "a size that begins with zero", ORIGIN "\n023\n" ROOT, NAME, "", DR_ERR_NONCANONICAL },
	{ "zero twice", ORIGIN "\n00\n" ROOT, NAME, "", DR_ERR_NONCANONICAL },
	{ "a size of 2^64", ORIGIN "\n18446744073709551616\n" ROOT, NAME, "", DR_ERR_LIMIT },
	{ "a short root", ORIGIN "\n23\nAAAA\n", NAME, "", DR_ERR_SYNTAX },
	{ "a long root", ORIGIN "\n23\nAAAA" ROOT, NAME, "", DR_ERR_LIMIT },
	{ "a root in another spelling", ORIGIN "\n23\nHSt6W8ve4/36xAIf04qDOqaKLaKqSOUqKxLNrkK74+h=\n", NAME, "",
	  DR_ERR_NONCANONICAL },
	{ "a carriage return", ORIGIN "\r\n23\n" ROOT, NAME, "", DR_ERR_SYNTAX },
	{ "a control of C1", ORIGIN "\xc2\x85\n23\n" ROOT, NAME, "", DR_ERR_SYNTAX },
	{ "no UTF-8", ORIGIN "\xff\n23\n" ROOT, NAME, "", DR_ERR_SYNTAX },
	{ "an overlong character", ORIGIN "\xc0\xaf\n23\n" ROOT, NAME, "", DR_ERR_SYNTAX },
	{ "an empty line at the end", GOOD, NAME, "\n", DR_ERR_SYNTAX },
	{ "a line that is no signature", GOOD, NAME, "- stranger.example AAAAAAAA\n", DR_ERR_SYNTAX },
	{ "a signature without a name", GOOD, NAME, DASH " AAAAAAAA\n", DR_ERR_SYNTAX },
	{ "a signature without a signature", GOOD, NAME, DASH "stranger.example\n", DR_ERR_SYNTAX },
	{ "a signature of nothing", GOOD, NAME, DASH "stranger.example \n", DR_ERR_SYNTAX },
	{ "a key id alone", GOOD, NAME, DASH "stranger.example AAAAAA==\n", DR_ERR_SYNTAX },
	{ "a plus in a name", GOOD, NAME, DASH "stranger+example AAAAAAAA\n", DR_ERR_SYNTAX },
	{ "a space of another kind in a name", GOOD, NAME, DASH "stranger\xc2\xa0 AAAAAAAA\n", DR_ERR_SYNTAX },
	{ "a wide space in a name", GOOD, NAME, DASH "\xe3\x80\x80stranger AAAAAAAA\n", DR_ERR_SYNTAX },
	{ "a thin space in a name", GOOD, NAME, DASH "a\xe2\x80\x89z AAAAAAAA\n", DR_ERR_SYNTAX },
	{ "a dash in a name", GOOD, NAME, DASH "a\xe2\x80\x94z AAAAAAAA\n", DR_OK },
	{ "a second space", GOOD, NAME, DASH "stranger  AAAAAAAA\n", DR_ERR_SYNTAX },
	{ "a signature in another spelling", GOOD, NAME, DASH "stranger.example AAAAAAB=\n", DR_ERR_NONCANONICAL },
	{ "a last line without an end", GOOD, NAME, DASH "stranger.example AAAAAAAA", DR_ERR_SYNTAX },
};

static void test_texts(void **state)
{
	struct dr_fail fail;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (read_note(note_of(texts[i].text, texts[i].key, texts[i].more), &fail) != texts[i].expected)
			fail_msg("%s: %s: %s", texts[i].name, dr_err_name(fail.err),
				 fail.what == NULL ? "" : fail.what);
}

/* Every signature that names our key is ours, wherever it stands; and a signature moves to no other text. */
static void test_false_signatures(void **state)
{
	char good[1024], twice[2048], moved[1024];
	struct dr_fail fail;

	(void)state;
	snprintf(good, sizeof(good), "%s", (const char *)note_of(GOOD, NAME, "").ptr);
	const char *line = strstr(good, DASH);
	const size_t line_len = strlen(line);

	snprintf(twice, sizeof(twice), "%s%s", good, line);
	assert_int_equal(read_note(bytes_of(twice), &fail), DR_OK);
	for (size_t which = 0; which < 2; which++) {
		snprintf(twice, sizeof(twice), "%s%s", good, line);
		char *digit = strstr(twice, DASH) + which * line_len + line_len - 20;

		*digit = *digit == 'A' ? 'B' : 'A';
		assert_int_equal(read_note(bytes_of(twice), &fail), DR_ERR_PROOF);
	}
	snprintf(moved, sizeof(moved), ORIGIN "\n24\n" ROOT "\n%s", line);
	assert_int_equal(read_note(bytes_of(moved), &fail), DR_ERR_PROOF);
	/* Named and numbered as ours, and too short to be a signature of this kind. */
	char vkey[DR_TEXT_MAX], id_hex[9] = "", text[16];
	uint8_t sig[8] = { 0 };

	dr_checkpoint_vkey(vkey, NAME, pubs[0]);
	memcpy(id_hex, vkey + strlen(NAME) + 1, 8);
	memcpy(sig, kit_hex(id_hex).ptr, 4);
	dr_base64_put(text, dr_bytes_of(sig, sizeof(sig)));
	snprintf(moved, sizeof(moved), GOOD "\n" DASH NAME " %s\n", text);
	assert_int_equal(read_note(bytes_of(moved), &fail), DR_ERR_PROOF);
}

static void test_cut_and_flipped(void **state)
{
	static uint8_t note[1024];
	struct dr_fail fail;

	(void)state;
	const struct dr_bytes good = note_of(GOOD, NAME, "");

	memcpy(note, good.ptr, good.len);
	for (size_t len = 0; len < good.len; len++) {
		uint8_t *exact = kit_alloc(len == 0 ? 1 : len); /* its end is the memory's */

		memcpy(exact, note, len);
		assert_int_not_equal(read_note(dr_bytes_of(exact, len), &fail), DR_OK);
	}
	for (size_t bit = 0; bit < good.len * 8; bit++) {
		note[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (read_note(dr_bytes_of(note, good.len), &fail) == DR_OK)
			fail_msg("bit %zu", bit);
		note[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(read_note(dr_bytes_of(note, good.len), &fail), DR_OK);
}

static void test_limits(void **state)
{
	static char more[8192], longest[DR_CHECKPOINT_LEN_MAX + 1];
	struct dr_fail fail = { 0 };
	char origin[sizeof(ORIGIN)];
	uint8_t root[32];
	uint64_t size;

	(void)state;
	for (unsigned num = 98; num <= 100; num++) {
		more[0] = 0;
		for (unsigned i = 0; i < num; i++)
			memcpy(more + strlen(more), STRANGER, sizeof(STRANGER));
		assert_int_equal(read_note(note_of(GOOD, NAME, more), &fail), num < 100 ? DR_OK : DR_ERR_LIMIT);
	}
	memset(longest, 'A', sizeof(longest));
	assert_int_equal(read_note(dr_bytes_of(longest, sizeof(longest)), &fail), DR_ERR_LIMIT);
	/* A signature of another kind, longer than any. */
	memcpy(longest, GOOD "\n" DASH "x ", sizeof(GOOD "\n" DASH "x ") - 1);
	const size_t head = sizeof(GOOD "\n" DASH "x ") - 1, len = head + DR_CHECKPOINT_SIG_MAX / 3 * 4 + 8;

	longest[len] = '\n';
	assert_int_equal(read_note(dr_bytes_of(longest, len + 1), &fail),
			 (len - head) % 4 == 0 ? DR_ERR_LIMIT : DR_ERR_SYNTAX);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_checkpoint_read(origin, sizeof(origin), &size, root, note_of(GOOD, NAME, ""), NAME,
					    pubs[0], &fail),
			 DR_OK);
	assert_int_equal(dr_checkpoint_read(origin, sizeof(origin) - 1, &size, root, note_of(GOOD, NAME, ""), NAME,
					    pubs[0], &fail),
			 DR_ERR_LIMIT);
}

static const struct {
	const char *name, *origin, *key;
} unwritable[] = {
	{ "no origin", "", NAME },
	{ "an origin of two lines", "a\nb", NAME },
	{ "no name", ORIGIN, "" },
	{ "a name with a space", ORIGIN, "a b" },
	{ "a name with a plus", ORIGIN, "a+b" },
	{ "a name with a line's end", ORIGIN, "a\nb" },
};

static void test_unwritable(void **state)
{
	static char longest[DR_CHECKPOINT_NAME_MAX + 1];
	const uint8_t root[32] = { 0 };
	struct dr_fail fail = { 0 };
	struct dr_buf out;

	(void)state;
	dr_buf_init(&out, 8);
	memset(longest, 'x', DR_CHECKPOINT_NAME_MAX);
	for (size_t i = 0; i < sizeof(unwritable) / sizeof(unwritable[0]); i++) {
		fail = (struct dr_fail){ 0 };
		assert_int_equal(dr_checkpoint_make(&out, unwritable[i].origin, 1, root, unwritable[i].key, pubs[0],
						    sign_with, secrets[0], &fail),
				 DR_ERR_SYNTAX);
	}
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_checkpoint_make(&out, longest, 1, root, NAME, pubs[0], sign_with, secrets[0], &fail),
			 DR_ERR_SYNTAX);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_checkpoint_make(&out, ORIGIN, 1, root, longest, pubs[0], sign_with, secrets[0], &fail),
			 DR_ERR_SYNTAX);
	fail = (struct dr_fail){ 0 };
	assert_int_equal(dr_checkpoint_make(&out, ORIGIN, 1, root, NAME, pubs[0], sign_with, secrets[0], &fail),
			 DR_ERR_LIMIT);
	assert_int_equal(out.len, 0);
	dr_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),      cmocka_unit_test(test_signed_no_checkpoint),
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_texts),
		cmocka_unit_test(test_limits),     cmocka_unit_test(test_false_signatures),
		cmocka_unit_test(test_unwritable), cmocka_unit_test(test_cut_and_flipped),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
