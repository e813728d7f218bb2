/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "kms-bridge/proto.h"

/* The Certificate Transparency reference implementation's leaves and roots (merkle_tree_test): RFC 6962. */
static const struct {
	const char *leaf; /* the one that leads to root; the first row has none */
	const char *root;
} rows[] = {
	{ NULL, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
	{ "00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
	{ "10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
	{ "2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
	{ "3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
	{ "40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
	{ "5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
	{ "606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
};

static void test_known_roots(void **state)
{
	struct dr_merkle m;
	uint8_t hash[32];

	(void)state;
	dr_merkle_init(&m);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].leaf != NULL) {
			dr_merkle_leaf(hash, kit_hex(rows[i].leaf));
			dr_merkle_add(&m, hash);
		}
		assert_int_equal(m.size, i);
		dr_merkle_root(hash, &m);
		assert_memory_equal(hash, kit_hex(rows[i].root).ptr, 32);
	}
}

/* MTH as RFC 6962, 2.1 writes it down: from all leaves, top down. */
static void by_definition(uint8_t out[32], uint8_t (*leaf)[32], size_t num)
{
	struct dr_merkle pair;
	uint8_t left[32], right[32];
	size_t k = 1;

	if (num == 1) {
		memcpy(out, leaf[0], 32);
		return;
	}
	while (k * 2 < num)
		k *= 2;
	by_definition(left, leaf, k);
	by_definition(right, leaf + k, num - k);
	dr_merkle_init(&pair);
	dr_merkle_add(&pair, left);
	dr_merkle_add(&pair, right);
	dr_merkle_root(out, &pair);
}

static void test_against_definition(void **state)
{
	static uint8_t leaves[130][32];
	struct dr_merkle m;
	uint8_t expected[32], got[32];

	(void)state;
	dr_merkle_init(&m);
	for (size_t i = 0; i < 130; i++) {
		dr_merkle_leaf(leaves[i], dr_bytes_of(&i, sizeof(i)));
		dr_merkle_add(&m, leaves[i]);
		by_definition(expected, leaves, i + 1);
		dr_merkle_root(got, &m);
		assert_memory_equal(got, expected, 32);
	}
}

/* Equal trees are equal structs: the store compares edges. */
static void test_edge_is_canonical(void **state)
{
	struct dr_merkle m;

	(void)state;
	dr_merkle_init(&m);
	for (unsigned i = 0; i < 64; i++)
		dr_merkle_add(&m, (uint8_t[32]){ 1 });
	for (unsigned bit = 0; bit < 64; bit++)
		assert_int_equal(dr_bytes_zero(m.edge[bit], 32), bit != 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_roots),
		cmocka_unit_test(test_against_definition),
		cmocka_unit_test(test_edge_is_canonical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
