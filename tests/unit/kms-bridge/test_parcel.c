/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kms-bridge/keys_kit.h"

#include "kms-bridge/core/keys_impl.h"

/* Two nodes with a key file each. The first has generation 3, published. */
struct pair {
	struct dr_keys_binding first, second;
	struct dr_keys *a, *b;
	uint8_t enc[32], sign[32]; /* of the second */
	uint8_t words[10][32];
	struct dr_buf bytes; /* a parcel for it */
};

static void begin(struct pair *p)
{
	uint8_t sealed[DR_KEYS_SEALED_LEN];

	*p = (struct pair){ .first = binding(), .second = binding() };
	memset(p->second.node, 0x55, 20);
	dr_keys_file_make(path, NULL, 0, &fail);
	dr_keys_file_make(path2, NULL, 0, &fail);
	p->a = keys_of(path, &p->first);
	p->b = keys_of(path2, &p->second);
	assert_int_equal(dr_keys_make(p->a, 3, sealed, &fail), DR_OK);
	assert_int_equal(dr_keys_publication(p->a, 3, 0, NULL, p->words, &fail), DR_OK);
	assert_int_equal(dr_keys_node_make(p->b, sealed, &fail), DR_OK);
	assert_true(dr_keys_node(p->b, p->enc, p->sign));
	dr_buf_init(&p->bytes, 4096);
	assert_int_equal(dr_keys_parcel_make(p->a, 3, p->second.node, p->enc, &p->bytes, &fail), DR_OK);
}

static void end(struct pair *p)
{
	dr_buf_free(&p->bytes);
	dr_keys_free(p->a);
	dr_keys_free(p->b);
}

static enum dr_err take(struct pair *p, struct dr_keys *k, struct dr_bytes bytes, uint8_t sealed[DR_KEYS_SEALED_LEN])
{
	struct dr_parcel parcel;

	if (dr_parcel_decode(&parcel, bytes, &fail) != DR_OK)
		return fail.err;
	return dr_keys_parcel_take(k, &parcel, p->words[1], p->words[4], sealed, &fail);
}

/* Both nodes then give the same keys, and the second has it sealed under its own file. */
static void test_share(void **state)
{
	uint8_t sealed[DR_KEYS_SEALED_LEN], one[32], two[32], id[8], own[8];
	struct inputs in = inputs();
	struct dr_parcel parcel;
	struct pair p;

	(void)state;
	begin(&p);
	assert_int_equal(p.bytes.len, DR_PARCEL_LEN);
	assert_int_equal(dr_parcel_decode(&parcel, dr_buf_view(&p.bytes), &fail), DR_OK);
	assert_int_equal(parcel.chain_id, 31337);
	assert_int_equal(parcel.generation, 3);
	assert_int_equal(parcel.proof, DR_PROOF_QUORUM);
	assert_memory_equal(parcel.genesis, p.first.genesis, 32);
	assert_memory_equal(parcel.contract, p.first.contract, 20);
	assert_memory_equal(parcel.from, p.first.node, 20);
	assert_memory_equal(parcel.to, p.second.node, 20);
	if (take(&p, p.b, dr_buf_view(&p.bytes), sealed) != DR_OK)
		fail_msg("%s", fail.what);
	assert_true(dr_keys_equal(p.b, 3, p.words[1], p.words[4]));
	dr_keys_id(p.b, own);
	assert_int_equal(dr_keys_sealed_id(id, dr_bytes_of(sealed, sizeof(sealed)), &fail), DR_OK);
	assert_memory_equal(id, own, 8);
	in.d.generation = 3;
	assert_int_equal(dr_keys_derive(p.a, one, NULL, &in.d, &in.r, &fail), DR_OK);
	assert_int_equal(dr_keys_derive(p.b, two, NULL, &in.d, &in.r, &fail), DR_OK);
	assert_memory_equal(one, two, 32);
	dr_keys_free(p.b);
	p.b = keys_of(path2, &p.second); /* after a restart */
	assert_int_equal(dr_keys_open(p.b, 3, dr_bytes_of(sealed, sizeof(sealed)), &fail), DR_OK);
	assert_int_equal(dr_keys_derive(p.b, two, NULL, &in.d, &in.r, &fail), DR_OK);
	assert_memory_equal(one, two, 32);
	end(&p);
}

/* Each reason has its own words, and nothing is held or left behind. */
static void test_refused(void **state)
{
	static const struct {
		const char *name;
		size_t at; /* of what is changed in a struct dr_parcel */
		enum dr_err err;
		const char *what;
	} rows[] = {
		{ "chain id", offsetof(struct dr_parcel, chain_id), DR_ERR_PROOF, "of another chain" },
		{ "genesis", offsetof(struct dr_parcel, genesis) + 31, DR_ERR_PROOF, "of another chain" },
		{ "contract", offsetof(struct dr_parcel, contract) + 19, DR_ERR_PROOF, "of another contract" },
		{ "proof", offsetof(struct dr_parcel, proof), DR_ERR_PROOF, "proof minimum" },
		{ "to", offsetof(struct dr_parcel, to), DR_ERR_PROOF, "for another node" },
		/* Under the box's tag. */
		{ "from", offsetof(struct dr_parcel, from), DR_ERR_PROOF, "box: it does not open" },
		{ "generation", offsetof(struct dr_parcel, generation), DR_ERR_PROOF, "box: it does not open" },
	};
	uint8_t sealed[DR_KEYS_SEALED_LEN], zeros[32] = { 0 }, enc[32], sign[32];
	struct dr_parcel parcel, good;
	struct pair p;

	(void)state;
	begin(&p);
	assert_int_equal(dr_parcel_decode(&good, dr_buf_view(&p.bytes), &fail), DR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parcel = good;
		((uint8_t *)&parcel)[rows[i].at] ^= 1;
		memset(sealed, 1, sizeof(sealed));
		expect_fail(rows[i].name, dr_keys_parcel_take(p.b, &parcel, p.words[1], p.words[4], sealed, &fail),
			    rows[i].err, rows[i].what);
		assert_true(dr_bytes_zero(sealed, sizeof(sealed)));
		assert_int_equal(dr_keys_newest(p.b), 0);
		assert_true(dr_bytes_zero(p.b->roots, sizeof(p.b->roots[0])));
	}
	/* A node that asks for less, or for more: a root of another proof is none for it. */
	for (uint8_t proof = DR_PROOF_QUORUM - 1; proof <= DR_PROOF_QUORUM + 1; proof++) {
		if (proof == DR_PROOF_QUORUM)
			continue;
		p.b->binding.proof = proof;
		expect_fail("proof of the node", take(&p, p.b, dr_buf_view(&p.bytes), sealed), DR_ERR_PROOF,
			    "proof minimum");
	}
	p.b->binding.proof = DR_PROOF_QUORUM;
	/* Whoever made it: what is not published is not taken. */
	for (size_t word = 1; word <= 4; word += 3) {
		p.words[word][5] ^= 1;
		expect_fail("published", take(&p, p.b, dr_buf_view(&p.bytes), sealed), DR_ERR_PROOF,
			    "differs from the published keys");
		p.words[word][5] ^= 1;
		assert_false(dr_keys_held(p.b, 3));
		assert_true(dr_bytes_zero(p.b->roots, sizeof(p.b->roots[0])));
	}
	/* For the second node, by its name, but to another's key. */
	struct dr_keys *other = keys_of(path2, &p.second);

	expect_fail("no own keys", take(&p, other, dr_buf_view(&p.bytes), sealed), DR_ERR_UNKNOWN,
		    "no keys of its own");
	assert_int_equal(dr_keys_node_make(other, sealed, &fail), DR_OK);
	expect_fail("another key", take(&p, other, dr_buf_view(&p.bytes), sealed), DR_ERR_PROOF,
		    "box: it does not open");
	assert_true(dr_keys_node(other, enc, sign));
	dr_keys_free(other);

	assert_int_equal(take(&p, p.b, dr_buf_view(&p.bytes), sealed), DR_OK);
	expect_fail("twice", take(&p, p.b, dr_buf_view(&p.bytes), sealed), DR_ERR_PROOF, "already held");
	const size_t before = p.bytes.len;

	expect_fail("not held", dr_keys_parcel_make(p.a, 2, p.second.node, p.enc, &p.bytes, &fail), DR_ERR_UNKNOWN,
		    "no root of this generation");
	expect_fail("no key", dr_keys_parcel_make(p.a, 3, p.second.node, zeros, &p.bytes, &fail), DR_ERR_PROOF,
		    "small order");
	p.bytes.cap = before + DR_PARCEL_LEN - 1;
	expect_fail("no room", dr_keys_parcel_make(p.a, 3, p.second.node, p.enc, &p.bytes, &fail), DR_ERR_LIMIT, "");
	assert_int_equal(p.bytes.len, before);
	end(&p);
}

/* A parcel whose box is good and whose secrets are not: by somebody who knows our key. */
static void test_inside(void **state)
{
	uint8_t sealed[DR_KEYS_SEALED_LEN], header[DR_PARCEL_HEADER_LEN], box[DR_PARCEL_BOX_LEN], secret[64] = { 0 };
	struct dr_parcel parcel;
	struct pair p;
	size_t len;

	(void)state;
	begin(&p);
	assert_int_equal(dr_parcel_decode(&parcel, dr_buf_view(&p.bytes), &fail), DR_OK);
	dr_parcel_header(header, &parcel);
	assert_memory_equal(header, p.bytes.ptr, sizeof(header));
	assert_int_equal(dr_box_seal(box, sizeof(box), &len, p.enc, "derot-parcel-v1",
				     dr_bytes_of(header, sizeof(header)), dr_bytes_of(secret, sizeof(secret)), &fail),
			 DR_OK);
	parcel.box = dr_bytes_of(box, len);
	expect_fail("scalar zero", dr_keys_parcel_take(p.b, &parcel, p.words[1], p.words[4], sealed, &fail),
		    DR_ERR_NONCANONICAL, "scalar");
	assert_int_equal(dr_box_seal(box, sizeof(box), &len, p.enc, "derot-parcel-v1",
				     dr_bytes_of(header, sizeof(header)), dr_bytes_of(secret, 63), &fail),
			 DR_OK);
	parcel.box = dr_bytes_of(box, len);
	expect_fail("short", dr_keys_parcel_take(p.b, &parcel, p.words[1], p.words[4], sealed, &fail), DR_ERR_SHORT,
		    "too short");
	/* An answer's box is not a parcel's. */
	assert_int_equal(dr_box_seal(box, sizeof(box), &len, p.enc, DR_BOX_ANSWER,
				     dr_bytes_of(header, sizeof(header)), dr_bytes_of(secret, sizeof(secret)), &fail),
			 DR_OK);
	parcel.box = dr_bytes_of(box, len);
	expect_fail("label", dr_keys_parcel_take(p.b, &parcel, p.words[1], p.words[4], sealed, &fail), DR_ERR_PROOF,
		    "box: it does not open");
	end(&p);
}

static void test_changed(void **state)
{
	uint8_t sealed[DR_KEYS_SEALED_LEN], longer[DR_PARCEL_LEN + 1] = { 0 };
	struct dr_parcel parcel;
	struct pair p;

	(void)state;
	begin(&p);
	for (size_t cut = 0; cut < p.bytes.len; cut++) {
		expect_fail("cut", dr_parcel_decode(&parcel, dr_bytes_of(p.bytes.ptr, cut), &fail), DR_ERR_SHORT, "");
		assert_true(dr_bytes_zero(&parcel, sizeof(parcel)));
	}
	memcpy(longer, p.bytes.ptr, p.bytes.len);
	expect_fail("longer", dr_parcel_decode(&parcel, dr_bytes_of(longer, sizeof(longer)), &fail), DR_ERR_SYNTAX,
		    "");
	for (size_t bit = 0; bit < p.bytes.len * 8; bit++) {
		p.bytes.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
		const enum dr_err err = take(&p, p.b, dr_buf_view(&p.bytes), sealed);

		if (err != (bit < 15 * 8 ? DR_ERR_UNKNOWN : DR_ERR_PROOF))
			fail_msg("bit %zu: %s", bit, dr_err_name(err));
		fail = (struct dr_fail){ 0 };
		p.bytes.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	memset(p.bytes.ptr + 15 + 8 + 32 + 20 + 1, 0, 8);
	expect_fail("generation 0", dr_parcel_decode(&parcel, dr_buf_view(&p.bytes), &fail), DR_ERR_LIMIT, ">= 1");
	assert_int_equal(dr_keys_newest(p.b), 0);
	end(&p);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = { T(test_share), T(test_refused), T(test_inside), T(test_changed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
