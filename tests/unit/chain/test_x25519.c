/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/crypto/x25519.h"

/* RFC 7748, 6.1. */
static const char alice[] = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
static const char alice_pub[] = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
static const char bob[] = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
static const char bob_pub[] = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
static const char both[] = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

static void test_vectors(void **state)
{
	static const struct {
		const char *name, *secret, *pub, *theirs;
	} rows[] = {
		{ "Alice", alice, alice_pub, bob_pub },
		{ "Bob", bob, bob_pub, alice_pub },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };
		uint8_t out[32];

		dr_x25519_public(out, kit_hex(rows[i].secret).ptr);
		assert_memory_equal(out, kit_hex(rows[i].pub).ptr, 32);
		assert_int_equal(
			dr_x25519_shared(out, kit_hex(rows[i].secret).ptr, kit_hex(rows[i].theirs).ptr, &fail),
			DR_OK);
		assert_memory_equal(out, kit_hex(both).ptr, 32);
	}
}

static void test_small_order(void **state)
{
	/* Every u-coordinate of a point of small order, also not reduced (p, p + 1): 0, 1, order 8 twice, -1. */
	static const char *const rows[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int high = 0; high < 2; high++) { /* RFC 7748, 5: the highest bit does not count */
			struct dr_fail fail = { 0 };
			uint8_t theirs[32], out[32];

			memset(out, 0xaa, sizeof(out));
			memcpy(theirs, kit_hex(rows[i]).ptr, 32);
			theirs[31] |= (uint8_t)(high << 7);
			assert_int_equal(dr_x25519_shared(out, kit_hex(alice).ptr, theirs, &fail), DR_ERR_PROOF);
			kit_assert_fail(DR_ERR_PROOF, &fail);
			assert_true(dr_bytes_zero(out, 32));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_small_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
