/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "chain/crypto/ristretto.h"

/* RFC 9496, A.1: multiples 1..4 of the generator (the zeroth, the identity, is below). */
static const char *const multiples[] = {
	"e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
	"6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
	"94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259",
	"da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57",
};

#define ORDER_LE "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
static const struct {
	const char *name, *scalar;
	bool valid;
} scalars[] = {
	{ "zero", "0000000000000000000000000000000000000000000000000000000000000000", false },
	{ "one", "0100000000000000000000000000000000000000000000000000000000000000", true },
	{ "high byte alone", "0000000000000000000000000000000000000000000000000000000000000001", true },
	{ "L - 1", "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", true },
	{ "L", ORDER_LE, false },
	{ "L + 1", "eed3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", false },
	{ "2^252", "0000000000000000000000000000000000000000000000000000000000000010", true },
	{ "2^253", "0000000000000000000000000000000000000000000000000000000000000020", false },
	{ "all ones", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false },
};

static void test_scalars(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++) {
		const uint8_t *scalar = kit_hex(scalars[i].scalar).ptr;
		const enum dr_err expected = scalars[i].valid ? DR_OK : DR_ERR_NONCANONICAL;
		struct dr_fail fail = { 0 };
		uint8_t out[32];

		if (dr_ristretto_scalar_is_valid(scalar) != scalars[i].valid)
			fail_msg("%s", scalars[i].name);
		assert_int_equal(dr_ristretto_check_scalar(scalar, &fail), expected);
		kit_assert_fail(expected, &fail);
		fail = (struct dr_fail){ 0 };
		memset(out, 0xaa, 32);
		assert_int_equal(dr_ristretto_base(out, scalar, &fail), expected);
		assert_int_equal(dr_bytes_zero(out, 32), !scalars[i].valid);
		memset(out, 0xaa, 32);
		assert_int_equal(dr_ristretto_mul(out, scalar, kit_hex(multiples[0]).ptr, &fail), expected);
		assert_int_equal(dr_bytes_zero(out, 32), !scalars[i].valid);
		memset(out, 0xaa, 32);
		assert_int_equal(dr_ristretto_scalar_invert(out, scalar, &fail), expected);
		assert_int_equal(dr_bytes_zero(out, 32), !scalars[i].valid);
	}
}

/* RFC 9496, A.2, some of each kind, and the identity, which we refuse. */
static const char *const bad_points[] = {
	"0000000000000000000000000000000000000000000000000000000000000000", /* the identity */
	"00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", /* non-canonical field elements */
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2df6", /* the generator, its highest bit set */
	"0100000000000000000000000000000000000000000000000000000000000000", /* negative field elements */
	"01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371", /* no square */
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* s = -1: y = 0 */
};

static void test_points(void **state)
{
	const uint8_t one[32] = { 1 };
	const uint8_t *good = kit_hex(multiples[0]).ptr;

	(void)state;
	for (size_t i = 0; i < sizeof(bad_points) / sizeof(bad_points[0]); i++) {
		const uint8_t *bad = kit_hex(bad_points[i]).ptr;
		struct dr_fail fail = { 0 };
		uint8_t out[32];

		if (dr_ristretto_point_is_valid(bad))
			fail_msg("%s", bad_points[i]);
		assert_int_equal(dr_ristretto_check_point(bad, &fail), DR_ERR_NONCANONICAL);
		kit_assert_fail(DR_ERR_NONCANONICAL, &fail);
		memset(out, 0xaa, 32);
		assert_int_equal(dr_ristretto_mul(out, one, bad, &fail), DR_ERR_NONCANONICAL);
		assert_true(dr_bytes_zero(out, 32));
		memset(out, 0xaa, 32);
		assert_int_equal(dr_ristretto_add(out, good, bad, &fail), DR_ERR_NONCANONICAL);
		assert_true(dr_bytes_zero(out, 32));
		memset(out, 0xaa, 32);
		assert_int_equal(dr_ristretto_sub(out, bad, good, &fail), DR_ERR_NONCANONICAL);
		assert_true(dr_bytes_zero(out, 32));
	}
}

static void test_group(void **state)
{
	uint8_t scalar[32] = { 0 }, point[32], sum[32];
	struct dr_fail fail = { 0 };

	(void)state;
	memcpy(sum, kit_hex(multiples[0]).ptr, 32);
	for (uint8_t i = 0; i < 4; i++) {
		scalar[0] = (uint8_t)(i + 1);
		assert_int_equal(dr_ristretto_base(point, scalar, &fail), DR_OK);
		assert_memory_equal(point, kit_hex(multiples[i]).ptr, 32);
		assert_true(dr_ristretto_equal(point, sum));
		assert_int_equal(dr_ristretto_mul(point, scalar, kit_hex(multiples[0]).ptr, &fail), DR_OK);
		assert_memory_equal(point, sum, 32);
		assert_int_equal(dr_ristretto_add(sum, sum, kit_hex(multiples[0]).ptr, &fail), DR_OK);
		assert_false(dr_ristretto_equal(point, sum));
		assert_int_equal(dr_ristretto_sub(point, sum, kit_hex(multiples[0]).ptr, &fail), DR_OK);
		assert_memory_equal(point, kit_hex(multiples[i]).ptr, 32);
	}
	kit_assert_fail(DR_OK, &fail);
	assert_int_equal(dr_ristretto_sub(sum, point, point, &fail), DR_ERR_PROOF);
	kit_assert_fail(DR_ERR_PROOF, &fail);
	assert_true(dr_bytes_zero(sum, 32));
}

/* RFC 9496, A.3: uniform bytes (SHA-512 of a label there) to an element. */
static void test_from_hash(void **state)
{
	uint8_t out[32];

	(void)state;
	dr_ristretto_from_hash(out, kit_hex("5d1be09e3d0c82fc538112490e35701979d99e06ca3e2b5b54bffe8b4dc772c1"
					    "4d98b696a1bbfb5ca32c436cc61c16563790306c79eaca7705668b47dffe5bb6")
					    .ptr);
	assert_memory_equal(out, kit_hex("3066f82a1a747d45120d1740f14358531a8f04bbffe6a819f86dfe50f44a0a46").ptr, 32);
	assert_true(dr_ristretto_point_is_valid(out));
}

static void test_scalar_arithmetic(void **state)
{
	const uint8_t one[32] = { 1 }, *last = kit_hex(scalars[3].scalar).ptr, *order = kit_hex(ORDER_LE).ptr;
	uint8_t a[32], b[32], wide[64];
	struct dr_fail fail = { 0 };

	(void)state;
	dr_ristretto_scalar_add(a, last, one);
	assert_true(dr_bytes_zero(a, 32));
	dr_ristretto_scalar_sub(a, a, one);
	assert_memory_equal(a, last, 32);
	dr_ristretto_scalar_mul(a, last, last); /* (-1)² */
	assert_memory_equal(a, one, 32);
	assert_int_equal(dr_ristretto_scalar_invert(a, kit_hex(scalars[6].scalar).ptr, &fail), DR_OK);
	dr_ristretto_scalar_mul(b, a, kit_hex(scalars[6].scalar).ptr);
	assert_memory_equal(b, one, 32);
	/* L · 2^256 + 1 */
	memset(wide, 0, 64);
	wide[0] = 1;
	memcpy(wide + 32, order, 32);
	dr_ristretto_scalar_reduce(a, wide);
	assert_memory_equal(a, one, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_from_hash),
		cmocka_unit_test(test_scalar_arithmetic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
