/* SPDX-License-Identifier: Apache-2.0
 *
 * Trees and branches; and the specification's single_merkle_proof cases, whose objects are whole states and bodies:
 * their root is worked out here by types that this test alone has (consensus-specs v1.6.0, minimal preset).
 */
#include "tests/unit/chain/beacon_kit.h"

#include "chain/beacon/ssz.h"
#include "chain/crypto/sha256.h"

static bool shows(const uint8_t *leaf, uint8_t (*branch)[32], size_t num, uint64_t gindex, const uint8_t *root)
{
	return dr_ssz_branch_shows(leaf, (const uint8_t(*)[32])branch, num, gindex, root);
}

static void test_tree(void **state)
{
	uint8_t chunks[8][32], copy[8][32], root[32], left[32], right[32], zero[11][32] = { { 0 } };

	(void)state;
	for (size_t i = 1; i < 11; i++)
		dr_ssz_pair(zero[i], zero[i - 1], zero[i - 1]);
	assert_memory_equal(zero[1], kit_hex("f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b").ptr,
			    32);
	for (unsigned depth = 0; depth < 11; depth++) {
		dr_ssz_merkleize(root, copy, 0, depth);
		assert_memory_equal(root, zero[depth], 32);
	}
	for (size_t i = 0; i < 8; i++)
		memset(chunks[i], (int)i + 1, 32);
	/* Five of eight: ((0 1)(2 3))((4 z)(z z)). */
	memcpy(copy, chunks, sizeof(copy));
	dr_ssz_merkleize(root, copy, 5, 3);
	dr_ssz_pair(left, chunks[0], chunks[1]);
	dr_ssz_pair(right, chunks[2], chunks[3]);
	dr_ssz_pair(left, left, right);
	dr_ssz_pair(right, chunks[4], zero[0]);
	dr_ssz_pair(right, right, zero[1]);
	dr_ssz_pair(left, left, right);
	assert_memory_equal(root, left, 32);
	/* A list is not its vector. */
	dr_ssz_mix_length(root, 0x1234);
	memset(right, 0, 32);
	right[0] = 0x34;
	right[1] = 0x12;
	dr_ssz_pair(left, left, right);
	assert_memory_equal(root, left, 32);
	dr_ssz_u64(root, 0x0102030405060708);
	assert_memory_equal(root, kit_hex("0807060504030201000000000000000000000000000000000000000000000000").ptr,
			    32);
	assert_int_equal(dr_ssz_depth(1), 0);
	assert_int_equal(dr_ssz_depth(105), 6);
	assert_int_equal(dr_ssz_depth(UINT64_MAX), 63);
}

/* is_valid_normalized_merkle_branch: the expected depth; more only behind zeros. */
static void test_branch(void **state)
{
	uint8_t leaf[32], root[32], branch[9][32];
	const uint64_t gindex = 105; /* 1101001 */

	(void)state;
	memset(leaf, 0xee, 32);
	memcpy(root, leaf, 32);
	for (size_t i = 0; i < 6; i++) {
		memset(branch[i], (int)i + 1, 32);
		if (gindex >> i & 1)
			dr_ssz_pair(root, branch[i], root);
		else
			dr_ssz_pair(root, root, branch[i]);
	}
	assert_true(shows(leaf, branch, 6, gindex, root));
	assert_false(shows(leaf, branch, 5, gindex, root));
	assert_false(shows(leaf, branch, 0, gindex, root));
	for (uint64_t other = 0; other < 256; other++)
		assert_int_equal(shows(leaf, branch, 6, other, root), other == gindex);
	for (size_t bit = 0; bit < 6 * 256; bit++) {
		branch[bit / 256][bit % 256 / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(shows(leaf, branch, 6, gindex, root));
		branch[bit / 256][bit % 256 / 8] ^= (uint8_t)(1 << bit % 8);
	}
	memmove(branch[2], branch[0], 6 * 32);
	memset(branch[0], 0, 64);
	assert_true(shows(leaf, branch, 8, gindex, root));
	branch[0][31] = 1;
	assert_false(shows(leaf, branch, 8, gindex, root));
	assert_true(shows(leaf, branch, 0, 1, leaf));
	assert_false(shows(leaf, branch, 0, 0, leaf));
}

/* ---- types of states and bodies ---- */

enum kind { BYTES, VECTOR, LIST, CONTAINER };

struct type {
	enum kind kind;
	uint64_t num;                 /* BYTES: length; VECTOR: elements; LIST: at most so many; CONTAINER: fields */
	const struct type *const *of; /* the element, or the fields */
	bool basic;                   /* BYTES: an integer: elements of lists and vectors are packed */
};

#define T(name, ...) static const struct type name = { __VA_ARGS__ }
#define SUB(...)                                                                                                     \
	(const struct type *const[])                                                                                 \
	{                                                                                                            \
		__VA_ARGS__                                                                                          \
	}
#define FIELDS(...) CONTAINER, sizeof(SUB(__VA_ARGS__)) / sizeof(void *), SUB(__VA_ARGS__), false

T(u8, BYTES, 1, NULL, true);
T(u64, BYTES, 8, NULL, true);
T(b4, BYTES, 4, NULL, false);
T(b20, BYTES, 20, NULL, false);
T(b32, BYTES, 32, NULL, false);
T(b48, BYTES, 48, NULL, false);
T(b96, BYTES, 96, NULL, false);
T(b256, BYTES, 256, NULL, false);
T(extra, LIST, 32, SUB(&u8), false);
T(fork_of_state, FIELDS(&b4, &b4, &u64));
T(checkpoint, FIELDS(&u64, &b32));
T(beacon_header, FIELDS(&u64, &u64, &b32, &b32, &b32));
T(eth1_data, FIELDS(&b32, &u64, &b32));
T(validator, FIELDS(&b48, &b32, &u64, &u8, &u64, &u64, &u64, &u64));
T(roots64, VECTOR, 64, SUB(&b32), false);
T(u64s64, VECTOR, 64, SUB(&u64), false);
T(roots, LIST, 1u << 24, SUB(&b32), false);
T(votes, LIST, 32, SUB(&eth1_data), false);
T(validators, LIST, 1ull << 40, SUB(&validator), false);
T(u64s, LIST, 1ull << 40, SUB(&u64), false);
T(u8s, LIST, 1ull << 40, SUB(&u8), false);
T(bits4, BYTES, 1, NULL, false);
T(keys32, VECTOR, 32, SUB(&b48), false);
T(committee, FIELDS(&keys32, &b48));
T(summary, FIELDS(&b32, &b32));
T(summaries, LIST, 1u << 24, SUB(&summary), false);
T(payload_header_capella,
  FIELDS(&b32, &b20, &b32, &b32, &b256, &b32, &u64, &u64, &u64, &u64, &extra, &b32, &b32, &b32, &b32));
T(payload_header_deneb,
  FIELDS(&b32, &b20, &b32, &b32, &b256, &b32, &u64, &u64, &u64, &u64, &extra, &b32, &b32, &b32, &b32, &u64, &u64));
T(pending_deposit, FIELDS(&b48, &b32, &u64, &b96, &u64));
T(pending_deposits, LIST, 1u << 27, SUB(&pending_deposit), false);
T(pending_withdrawal, FIELDS(&u64, &u64, &u64));
T(pending_withdrawals, LIST, 64, SUB(&pending_withdrawal), false);
T(pending_consolidation, FIELDS(&u64, &u64));
T(pending_consolidations, LIST, 64, SUB(&pending_consolidation), false);

#define ALTAIR_FIELDS                                                                                                \
	&u64, &b32, &u64, &fork_of_state, &beacon_header, &roots64, &roots64, &roots, &eth1_data, &votes, &u64,      \
		&validators, &u64s, &roots64, &u64s64, &u8s, &u8s, &bits4, &checkpoint, &checkpoint, &checkpoint,    \
		&u64s, &committee, &committee
#define CAPELLA_FIELDS &u64, &u64, &summaries
T(state_altair, FIELDS(ALTAIR_FIELDS));
T(state_capella, FIELDS(ALTAIR_FIELDS, &payload_header_capella, CAPELLA_FIELDS));
T(state_electra, FIELDS(ALTAIR_FIELDS, &payload_header_deneb, CAPELLA_FIELDS, &u64, &u64, &u64, &u64, &u64, &u64,
			&pending_deposits, &pending_withdrawals, &pending_consolidations));

/* Of lists that stand empty in the cases the element is of no account: an octet stands for it. */
#define EMPTY(limit) LIST, limit, SUB(&b32), false
T(slashings16, EMPTY(16));
T(slashings2, EMPTY(2));
T(slashings1, EMPTY(1));
T(attestations128, EMPTY(128));
T(attestations8, EMPTY(8));
T(deposits, EMPTY(16));
T(exits, EMPTY(16));
T(changes, EMPTY(16));
T(aggregate, FIELDS(&b4, &b96));
T(transactions, EMPTY(1u << 20));
T(withdrawal, FIELDS(&u64, &u64, &b20, &u64));
T(withdrawals, LIST, 4, SUB(&withdrawal), false);
T(commitments, LIST, 4096, SUB(&b48), false);
T(deposit_requests, EMPTY(8192));
T(withdrawal_requests, EMPTY(16));
T(consolidation_requests, EMPTY(2));
T(requests, FIELDS(&deposit_requests, &withdrawal_requests, &consolidation_requests));
T(payload_capella, FIELDS(&b32, &b20, &b32, &b32, &b256, &b32, &u64, &u64, &u64, &u64, &extra, &b32, &b32,
			  &transactions, &withdrawals));
T(payload_deneb, FIELDS(&b32, &b20, &b32, &b32, &b256, &b32, &u64, &u64, &u64, &u64, &extra, &b32, &b32,
			&transactions, &withdrawals, &u64, &u64));
T(body_capella, FIELDS(&b96, &eth1_data, &b32, &slashings16, &slashings2, &attestations128, &deposits, &exits,
		       &aggregate, &payload_capella, &changes));
T(body_electra, FIELDS(&b96, &eth1_data, &b32, &slashings16, &slashings1, &attestations8, &deposits, &exits,
		       &aggregate, &payload_deneb, &changes, &commitments, &requests));

static size_t fixed_size(const struct type *type)
{
	size_t sum = 0;

	switch (type->kind) {
	case BYTES: return (size_t)type->num;
	case VECTOR: return (size_t)type->num * fixed_size(type->of[0]);
	case LIST: return 0;
	case CONTAINER:
		for (size_t i = 0; i < type->num; i++) {
			if (fixed_size(type->of[i]) == 0)
				return 0;
			sum += fixed_size(type->of[i]);
		}
		return sum;
	}
	return 0;
}

/* The root of num chunks in a tree for at most `limit` of them. */
static void tree(uint8_t root[static 32], uint8_t (*chunks)[32], size_t num, uint64_t limit)
{
	uint8_t zero[32] = { 0 };

	for (uint64_t width = 1; width < limit; width *= 2) {
		for (size_t i = 0; i < num; i += 2)
			dr_ssz_pair(chunks[i / 2], chunks[i], i + 1 < num ? chunks[i + 1] : zero);
		num = (num + 1) / 2;
		dr_ssz_pair(zero, zero, zero);
	}
	memcpy(root, num > 0 ? chunks[0] : zero, 32);
}

static void root_of(uint8_t root[static 32], const struct type *type, struct dr_bytes bytes);

static uint32_t offset_at(struct dr_bytes bytes, size_t at)
{
	return (uint32_t)(bytes.ptr[at] | bytes.ptr[at + 1] << 8 | bytes.ptr[at + 2] << 16);
}

static void fields_root(uint8_t root[static 32], const struct type *type, struct dr_bytes bytes)
{
	uint8_t(*chunks)[32] = (uint8_t(*)[32])(void *)kit_alloc(64 * 32);
	size_t at = 0;

	for (size_t i = 0; i < type->num; i++) {
		const size_t size = fixed_size(type->of[i]);
		size_t from = at, to = at + size;

		if (size == 0) { /* up to the next offset, or the end */
			size_t next = at + 4;

			from = offset_at(bytes, at);
			to = bytes.len;
			for (size_t k = i + 1; k < type->num; k++) {
				if (fixed_size(type->of[k]) == 0) {
					to = offset_at(bytes, next);
					break;
				}
				next += fixed_size(type->of[k]);
			}
		}
		assert_true(from <= to && to <= bytes.len);
		root_of(chunks[i], type->of[i], dr_bytes_of(bytes.ptr + from, to - from));
		at += size > 0 ? size : 4;
	}
	tree(root, chunks, (size_t)type->num, type->num);
}

static void root_of(uint8_t root[static 32], const struct type *type, struct dr_bytes bytes)
{
	const bool elements = type->kind == VECTOR || type->kind == LIST;
	const size_t size = elements ? fixed_size(type->of[0]) : 1;

	if (type->kind == CONTAINER) {
		fields_root(root, type, bytes);
		return;
	}
	assert_true(size > 0 && bytes.len % size == 0);
	const size_t count = bytes.len / size;
	const bool packed = !elements || type->of[0]->basic;
	const size_t num = packed ? (bytes.len + 31) / 32 : count;
	uint8_t(*chunks)[32] = (uint8_t(*)[32])(void *)kit_alloc((num + 1) * 32);

	if (packed && bytes.len > 0)
		memcpy(chunks, bytes.ptr, bytes.len);
	for (size_t i = 0; !packed && i < num; i++)
		root_of(chunks[i], type->of[0], dr_bytes_of(bytes.ptr + i * size, size));
	tree(root, chunks, num, packed ? (type->num * size + 31) / 32 : type->num);
	if (type->kind == LIST)
		dr_ssz_mix_length(root, count);
}

struct proof_case {
	const char *fork, *object, *name;
	const struct type *type;
	uint64_t (*gindex)(enum dr_beacon_fork fork);
};

static uint64_t execution_gindex(enum dr_beacon_fork at)
{
	return at >= DR_BEACON_CAPELLA ? DR_LC_EXECUTION_GINDEX : 0;
}

static void test_single_merkle_proof(void **state)
{
	static const struct proof_case cases[] = {
#define STATE(at)                                                                                                    \
	{ #at, "BeaconState", "current_sync_committee", &state_##at, dr_lc_current_committee_gindex },               \
		{ #at, "BeaconState", "next_sync_committee", &state_##at, dr_lc_next_committee_gindex },             \
		{ #at, "BeaconState", "finality_root", &state_##at, dr_lc_finalized_gindex }
		STATE(altair),
		STATE(capella),
		STATE(electra),
		{ "capella", "BeaconBlockBody", "execution", &body_capella, execution_gindex },
		{ "electra", "BeaconBlockBody", "execution", &body_electra, execution_gindex },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct proof_case *c = &cases[i];
		char folder[300], path[400], key[128], value[256];
		uint8_t branch[8][32], leaf[32], root[32];
		enum dr_beacon_fork at;
		size_t num = 0;

		print_message("%s %s %s\n", c->fork, c->object, c->name);
		snprintf(folder, sizeof(folder),
			 VECTORS_SPEC "/%s/light_client/single_merkle_proof/%s/%s_merkle_proof", c->fork, c->object,
			 c->name);
		snprintf(path, sizeof(path), "%s/proof.yaml", folder);
		struct dr_bytes text = spec_file(path);

		assert_true(dr_beacon_fork_named(&at, c->fork, strlen(c->fork)));
		assert_int_equal(spec_u64(text, "leaf_index"), c->gindex(at));
		memcpy(leaf, spec_hex(spec_key(text, "leaf")), 32);
		while (spec_line(&text, key, value))
			if (key[0] == '\0' && num < 8)
				memcpy(branch[num++], spec_hex(value), 32);
		root_of(root, c->type, spec_ssz(folder, "object"));
		assert_int_equal(num, dr_ssz_depth(c->gindex(at)));
		assert_true(shows(leaf, branch, num, c->gindex(at), root));
		leaf[0] ^= 1;
		assert_false(shows(leaf, branch, num, c->gindex(at), root));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_tree), cmocka_unit_test(test_branch),
					    cmocka_unit_test(test_single_merkle_proof) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
