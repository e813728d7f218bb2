/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include <sodium.h>

#include "chain/crypto/sha256.h"
#include "chain/crypto/sha512.h"

/* FIPS 180-4 examples (NIST, "Examples with intermediate values"). */
static const struct {
	const char *text, *sha256, *sha512;
} rows[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	  "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
	  "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
	  "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445" },
};

static void test_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t len = strlen(rows[i].text);
		uint8_t out[64];

		dr_sha256_one(out, rows[i].text, len);
		assert_memory_equal(out, kit_hex(rows[i].sha256).ptr, 32);
		/* However it is cut, the concatenation is what counts. */
		for (size_t cut = 0; cut <= len; cut++) {
			const struct dr_bytes parts[] = {
				{ (const uint8_t *)rows[i].text, cut },
				{ NULL, 0 },
				{ (const uint8_t *)rows[i].text + cut, len - cut },
			};

			dr_sha256(out, parts, 3);
			assert_memory_equal(out, kit_hex(rows[i].sha256).ptr, 32);
			dr_sha512(out, parts, 3);
			assert_memory_equal(out, kit_hex(rows[i].sha512).ptr, 64);
		}
	}
}

/* libsodium's against OpenSSL's, over the edges of many blocks. */
static void test_peer(void **state)
{
	uint8_t bytes[1000], out[32], expected[32];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31 + i / 256);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		crypto_hash_sha256(expected, bytes, len);
		dr_sha256_one(out, bytes, len);
		assert_memory_equal(out, expected, 32);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_examples), cmocka_unit_test(test_peer) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
