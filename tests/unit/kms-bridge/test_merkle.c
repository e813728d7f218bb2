/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <string.h>

#include "kms-bridge/merkle.h"

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

/* All complete subtrees of a tree, and how many of them were asked for. */
struct forest {
	uint8_t nodes[10][512][32];
	uint64_t num[10];
	unsigned reads, broken_at; /* the nth read fails; 0: none */
	struct dr_merkle edge;
	uint8_t roots[513][32];
};

static struct forest forest;

static enum dr_err get_node(void *ctx, unsigned level, uint64_t idx, uint8_t hash[static 32], struct dr_fail *fail)
{
	struct forest *f = ctx;

	assert_true(level < 10 && idx < f->num[level]);
	memcpy(hash, f->nodes[level][idx], 32);
	if (++f->reads == f->broken_at)
		return dr_fail_set(fail, DR_ERR_IO, "a read", 0);
	return DR_OK;
}

static const struct dr_merkle_source source = { get_node, &forest };

static void grow_to(size_t size)
{
	for (uint64_t i = forest.edge.size; i < size; i++) {
		uint8_t done[64][32], hash[32];
		const uint8_t leaf[2] = { (uint8_t)(i >> 8), (uint8_t)i };

		dr_merkle_leaf(hash, dr_bytes_of(leaf, 2));
		const unsigned num = dr_merkle_grow(&forest.edge, hash, done);

		memcpy(forest.nodes[0][forest.num[0]++], hash, 32);
		for (unsigned n = 0; n < num; n++)
			memcpy(forest.nodes[n + 1][forest.num[n + 1]++], done[n], 32);
		dr_merkle_root(forest.roots[i + 1], &forest.edge);
	}
}

static int plant(void **state)
{
	(void)state;
	memset(&forest, 0, sizeof(forest));
	dr_merkle_init(&forest.edge);
	dr_merkle_root(forest.roots[0], &forest.edge);
	return 0;
}

static void plant_known(void)
{
	for (size_t i = 1; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t done[64][32], hash[32];

		dr_merkle_leaf(hash, kit_hex(rows[i].leaf));
		const unsigned num = dr_merkle_grow(&forest.edge, hash, done);

		memcpy(forest.nodes[0][forest.num[0]++], hash, 32);
		for (unsigned n = 0; n < num; n++)
			memcpy(forest.nodes[n + 1][forest.num[n + 1]++], done[n], 32);
	}
}

/* Proofs about the tree above, from the tests of Certificate Transparency's implementations (there, indexes of
 * leaves count from 1). */
#define N01 "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
#define N11 "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
#define N12 "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
#define N13 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#define N20 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
#define N21 "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
#define N04 "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
#define N06 "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"
#define N10 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
#define N00 "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
static const struct {
	enum dr_proof_kind kind;
	uint64_t first, size;
	uint16_t num;
	const char *hashes[3];
} known[] = {
	{ DR_PROOF_INCLUSION, 0, 1, 0, { NULL } },
	{ DR_PROOF_INCLUSION, 0, 8, 3, { N01, N11, N21 } },
	{ DR_PROOF_INCLUSION, 5, 8, 3, { N04, N13, N20 } },
	{ DR_PROOF_INCLUSION, 2, 3, 1, { N10 } },
	{ DR_PROOF_INCLUSION, 1, 5, 3, { N00, N11, N04 } },
	{ DR_PROOF_CONSISTENCY, 0, 5, 0, { NULL } },
	{ DR_PROOF_CONSISTENCY, 1, 1, 0, { NULL } },
	{ DR_PROOF_CONSISTENCY, 1, 8, 3, { N01, N11, N21 } },
	{ DR_PROOF_CONSISTENCY, 6, 8, 3, { N12, N13, N20 } },
	{ DR_PROOF_CONSISTENCY, 2, 5, 2, { N11, N04 } },
	{ DR_PROOF_CONSISTENCY, 6, 7, 3, { N12, N06, N20 } },
};

static bool holds(const struct dr_log_proof *p, enum dr_proof_kind kind, uint64_t first)
{
	if (kind == DR_PROOF_INCLUSION)
		return dr_merkle_verify_inclusion(p->root, p->size, first, p->first_hash, p->hashes, p->num);
	return dr_merkle_verify_consistency(p->first_hash, first, p->root, p->size, p->hashes, p->num);
}

static void test_known_proofs(void **state)
{
	(void)state;
	plant_known();
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const uint64_t first = known[i].first, size = known[i].size;
		struct dr_log_proof p = { .size = size };
		struct dr_fail fail = { 0 };

		memcpy(p.root, kit_hex(rows[size].root).ptr, 32);
		if (known[i].kind == DR_PROOF_INCLUSION) {
			memcpy(p.first_hash, forest.nodes[0][first], 32);
			dr_merkle_inclusion(p.hashes, &p.num, first, size, &source, &fail);
		} else {
			memcpy(p.first_hash, kit_hex(rows[first].root).ptr, 32);
			dr_merkle_consistency(p.hashes, &p.num, first, size, &source, &fail);
		}
		assert_int_equal(fail.err, DR_OK);
		assert_int_equal(p.num, known[i].num);
		for (uint16_t n = 0; n < p.num; n++)
			assert_memory_equal(p.hashes[n], kit_hex(known[i].hashes[n]).ptr, 32);
		assert_true(holds(&p, known[i].kind, first));
	}
}

/* A proof holds as it is, and as nothing else: another place, hash or root, a hash more or less. (That
 * a root is of that size, a checkpoint says: RFC 6962's roots do not tell.) */
static void check_only(struct dr_log_proof *p, enum dr_proof_kind kind, uint64_t first)
{
	const bool empty = kind == DR_PROOF_CONSISTENCY && first == 0; /* holds for any larger tree */

	assert_true(holds(p, kind, first));
	assert_true(p->num <= 20);
	for (int step = -1; step <= 1; step += 2) {
		const bool same = kind == DR_PROOF_CONSISTENCY && first + (uint64_t)step == p->size && p->num == 0;

		assert_false(!same && holds(p, kind, first + (uint64_t)step));
	}
	for (unsigned bit = 0; bit < 256; bit += 51) {
		p->first_hash[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(holds(p, kind, first));
		p->first_hash[bit / 8] ^= (uint8_t)(1 << bit % 8);
		p->root[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(!empty && holds(p, kind, first));
		p->root[bit / 8] ^= (uint8_t)(1 << bit % 8);
		for (uint16_t n = 0; n < p->num; n++) {
			p->hashes[n][bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(holds(p, kind, first));
			p->hashes[n][bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	p->num++;
	assert_false(holds(p, kind, first));
	p->num--;
	if (p->num > 0) {
		p->num--;
		assert_false(holds(p, kind, first));
		p->num++;
	}
}

#define TREE 67u

static void test_every_proof(void **state)
{
	struct dr_fail fail = { 0 };
	struct dr_log_proof p;
	struct dr_merkle edge;
	uint8_t root[32];

	(void)state;
	grow_to(TREE);
	for (uint64_t size = 0; size <= TREE; size++) {
		assert_int_equal(dr_merkle_at(&edge, size, &source, &fail), DR_OK);
		dr_merkle_root(root, &edge);
		assert_memory_equal(root, forest.roots[size], 32);
		for (uint64_t first = 0; first < size; first++) {
			p = (struct dr_log_proof){ .size = size };
			memcpy(p.root, forest.roots[size], 32);
			memcpy(p.first_hash, forest.nodes[0][first], 32);
			forest.reads = 0;
			assert_int_equal(dr_merkle_inclusion(p.hashes, &p.num, first, size, &source, &fail), DR_OK);
			assert_true(forest.reads <= 14);
			check_only(&p, DR_PROOF_INCLUSION, first);
		}
		for (uint64_t first = 0; first <= size; first++) {
			p = (struct dr_log_proof){ .size = size };
			memcpy(p.root, forest.roots[size], 32);
			memcpy(p.first_hash, forest.roots[first], 32);
			forest.reads = 0;
			assert_int_equal(dr_merkle_consistency(p.hashes, &p.num, first, size, &source, &fail), DR_OK);
			assert_true(forest.reads <= 14);
			check_only(&p, DR_PROOF_CONSISTENCY, first);
		}
	}
}

/* What no maker makes. */
static void test_refused(void **state)
{
	static const uint8_t hashes[130][32];
	uint8_t empty[32];
	struct dr_merkle none;

	(void)state;
	dr_merkle_init(&none);
	dr_merkle_root(empty, &none);
	assert_false(dr_merkle_verify_inclusion(empty, 0, 0, empty, hashes, 0));
	assert_false(dr_merkle_verify_inclusion(hashes[0], 5, 5, hashes[0], hashes, 3));
	assert_false(dr_merkle_verify_inclusion(hashes[0], UINT64_MAX, UINT64_MAX - 1, hashes[0], hashes, 130));
	assert_false(dr_merkle_verify_consistency(hashes[0], 6, hashes[0], 5, hashes, 0));
	assert_false(dr_merkle_verify_consistency(hashes[0], 6, hashes[0], 5, hashes, 2));
	assert_false(dr_merkle_verify_consistency(hashes[0], 4, hashes[0], 5, hashes, 0));
	assert_false(dr_merkle_verify_consistency(hashes[0], 3, hashes[0], UINT64_MAX, hashes, 130));
	assert_false(dr_merkle_verify_consistency(hashes[0], 0, hashes[0], 5, hashes, 0));
	assert_false(dr_merkle_verify_consistency(empty, 0, hashes[0], 5, hashes, 1));
	assert_true(dr_merkle_verify_consistency(empty, 0, hashes[0], 5, hashes, 0));
	assert_true(dr_merkle_verify_consistency(empty, 0, empty, 0, hashes, 0));
	assert_false(dr_merkle_verify_consistency(hashes[0], 0, hashes[0], 0, hashes, 0));
	assert_false(dr_merkle_verify_consistency(hashes[0], 5, hashes[0], 5, hashes, 1));
}

static void test_broken_source(void **state)
{
	uint8_t hashes[DR_PROOF_HASHES_MAX][32];
	struct dr_merkle edge;
	uint16_t num;

	(void)state;
	grow_to(TREE);
	for (unsigned at = 1; at <= 3; at++) {
		struct dr_fail fail[3] = { { 0 } };

		forest.broken_at = at;
		forest.reads = 0;
		assert_int_equal(dr_merkle_inclusion(hashes, &num, 9, TREE, &source, &fail[0]), DR_ERR_IO);
		assert_int_equal(num, 0);
		assert_true(dr_bytes_zero(hashes, sizeof(hashes)));
		forest.reads = 0;
		assert_int_equal(dr_merkle_consistency(hashes, &num, 9, TREE, &source, &fail[1]), DR_ERR_IO);
		assert_int_equal(num, 0);
		assert_true(dr_bytes_zero(hashes, sizeof(hashes)));
		forest.reads = 0;
		assert_int_equal(dr_merkle_at(&edge, TREE, &source, &fail[2]), DR_ERR_IO);
		assert_true(dr_bytes_zero(&edge, sizeof(edge)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_roots),
		cmocka_unit_test(test_against_definition),
		cmocka_unit_test(test_edge_is_canonical),
		cmocka_unit_test_setup(test_known_proofs, plant),
		cmocka_unit_test_setup(test_every_proof, plant),
		cmocka_unit_test(test_refused),
		cmocka_unit_test_setup(test_broken_source, plant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
