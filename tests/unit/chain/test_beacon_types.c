/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers against the specification's own encodings and roots, and against what nodes answered.
 */
#include "tests/unit/chain/beacon_kit.h"

#include "chain/beacon/ssz.h"

/* ssz_static: containers that only signatures and blocks know. Tables of them are the test's own. */
struct fork_data {
	uint8_t current_version[4], genesis_validators_root[32];
};
static const struct dr_ssz_field fork_data_fields[] = {
	{ "current_version", DR_SSZ_BYTES, offsetof(struct fork_data, current_version), 4, DR_BEACON_PHASE0,
	  DR_BEACON_FULU, NULL },
	{ "genesis_validators_root", DR_SSZ_BYTES, offsetof(struct fork_data, genesis_validators_root), 32,
	  DR_BEACON_PHASE0, DR_BEACON_FULU, NULL },
};
static const struct dr_ssz_type fork_data_type = { "ForkData", fork_data_fields, 2, sizeof(struct fork_data) };

struct signing_data {
	uint8_t object_root[32], domain[32];
};
static const struct dr_ssz_field signing_data_fields[] = {
	{ "object_root", DR_SSZ_BYTES, offsetof(struct signing_data, object_root), 32, DR_BEACON_PHASE0,
	  DR_BEACON_FULU, NULL },
	{ "domain", DR_SSZ_BYTES, offsetof(struct signing_data, domain), 32, DR_BEACON_PHASE0, DR_BEACON_FULU, NULL },
};
static const struct dr_ssz_type signing_data_type = { "SigningData", signing_data_fields, 2,
						      sizeof(struct signing_data) };

struct signed_header {
	struct dr_lc_beacon message;
	uint8_t signature[96];
};
static const struct dr_ssz_field signed_header_fields[] = {
	{ "message", DR_SSZ_CONTAINER, offsetof(struct signed_header, message), 0, DR_BEACON_PHASE0, DR_BEACON_FULU,
	  &dr_lc_beacon_type },
	{ "signature", DR_SSZ_BYTES, offsetof(struct signed_header, signature), 96, DR_BEACON_PHASE0, DR_BEACON_FULU,
	  NULL },
};
static const struct dr_ssz_type signed_header_type = { "SignedBeaconBlockHeader", signed_header_fields, 2,
						       sizeof(struct signed_header) };

static const struct dr_ssz_type *const static_types[] = {
	&dr_lc_beacon_type,    &dr_lc_execution_type,         &dr_lc_header_type,  &dr_lc_committee_type,
	&dr_lc_aggregate_type, &dr_lc_bootstrap_type,         &dr_lc_update_type,  &dr_lc_finality_update_type,
	&fork_data_type,       &dr_lc_optimistic_update_type, &signed_header_type, &signing_data_type,
};

union any {
	struct dr_lc_update update;
	struct dr_lc_bootstrap bootstrap;
	struct signed_header signed_header;
};

/* What decodes encodes to the same bytes; what does not leaves zeros. Did it decode? */
static bool same(const struct dr_ssz_type *type, struct dr_ssz_shape shape, struct dr_bytes ssz)
{
	static uint8_t again[65536];
	struct dr_fail fail = { 0 };
	struct dr_writer w;
	union any any;

	if (dr_ssz_decode(&any, type, shape, ssz, &fail) != DR_OK) {
		assert_int_not_equal(fail.err, DR_OK);
		assert_non_null(fail.what);
		assert_true(dr_bytes_zero(&any, type->size));
		return false;
	}
	dr_writer_init(&w, again, sizeof(again), &fail);
	dr_ssz_encode(&w, type, shape, &any);
	assert_true(dr_bytes_eq(dr_writer_view(&w), ssz));
	return true;
}

/* Decodes, and has the root; none of its truncations decodes, but where the list at the very end is shorter then. */
static void hold(const struct dr_ssz_type *type, struct dr_ssz_shape shape, struct dr_bytes ssz, const uint8_t *root)
{
	const size_t list = dr_ssz_fixed_len(type, shape) > 0 ? 0 : 32; /* where there is one, it comes last */
	struct dr_fail fail = { 0 };
	uint8_t own[32], *copy = kit_alloc(ssz.len + 33);
	union any any;

	assert_true(type->size <= sizeof(any));
	assert_true(same(type, shape, ssz));
	assert_true(ssz.len <= dr_ssz_len_max(type, shape));
	assert_int_equal(dr_ssz_decode(&any, type, shape, ssz, &fail), DR_OK);
	dr_ssz_root(own, type, shape, &any);
	assert_memory_equal(own, root, 32);
	for (size_t len = 0; len < ssz.len; len++)
		assert_true(!same(type, shape, dr_bytes_of(ssz.ptr, len)) || ssz.len - len <= list);
	memcpy(copy, ssz.ptr, ssz.len);
	assert_true(!same(type, shape, dr_bytes_of(copy, ssz.len + 1)) || list > 0);
	assert_false(same(type, shape, dr_bytes_of(copy, ssz.len + 33)));
	for (size_t bit = 0; bit < ssz.len * 8; bit += ssz.len < 700 ? 1 : 13) {
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		same(type, shape, dr_bytes_of(copy, ssz.len));
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void test_ssz_static(void **state)
{
	const struct dr_bytes tar = spec_file("01-eth-lc-spec/ssz_static_public.tar.gz");
	size_t cases = 0, zeros = 0;
	char name[256];

	(void)state;
	for (size_t idx = 0; spec_tar(tar, NULL, idx, name).ptr != NULL; idx++) {
		char fork_name[32], type_name[64], kind[32], path[400];
		enum dr_beacon_fork fork;

		if (strstr(name, "serialized.ssz_snappy") == NULL)
			continue;
		assert_int_equal(sscanf(name, "minimal/%31[^/]/%63[^/]/%31[^/]/", fork_name, type_name, kind), 3);
		assert_true(dr_beacon_fork_named(&fork, fork_name, strlen(fork_name)));
		const struct dr_ssz_type *type = NULL;

		for (size_t i = 0; i < sizeof(static_types) / sizeof(static_types[0]); i++)
			if (strcmp(static_types[i]->name, type_name) == 0)
				type = static_types[i];
		assert_non_null(type);
		const struct dr_bytes ssz = spec_snappy(spec_tar(tar, name, 0, NULL));

		snprintf(path, sizeof(path), "%.*sroots.yaml", (int)(strstr(name, "serialized") - name), name);
		const struct dr_bytes roots = spec_tar(tar, path, 0, NULL);

		hold(type, (struct dr_ssz_shape){ fork, 32 }, ssz, spec_hex(spec_key(roots, "root")));
		if (strcmp(kind, "ssz_zero") == 0) {
			const struct dr_ssz_shape shape = { fork, 32 };
			struct dr_fail fail = { 0 };
			union any any;

			/* The generator's zero has a list of one zero byte, which is not the default. */
			assert_int_equal(dr_ssz_decode(&any, type, shape, ssz, &fail), DR_OK);
			assert_int_equal(dr_ssz_is_default(type, shape, &any), dr_ssz_fixed_len(type, shape) > 0);
			zeros++;
		}
		cases++;
	}
	assert_int_equal(cases, 105);
	assert_int_equal(zeros, 35);
}

/* Every way in which offsets can be wrong. A Capella finality update of the minimal preset: offsets at 0 (attested
 * header) and 4 (finalized header), the fixed part ends at 308; in the attested header the execution payload's at
 * 308 + 112; that begins at 308 + 244, and extra_data's is at 436 in it. */
static void test_offsets(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t flip;
		const char *what;
	} rows[] = {
		{ "first after a gap", 0, 0x09, "the first offset does not follow the fixed part" },
		{ "first far away", 3, 0x80, "the first offset does not follow the fixed part" },
		{ "second before the first", 5, 0x04, "an offset goes back" },
		{ "second beyond the end", 6, 0x01, "an offset points beyond the end" },
		{ "second beyond 31 bits", 7, 0x80, "an offset points beyond the end" },
		{ "second a byte late", 4, 0x03, "the first offset does not follow the fixed part" },
		{ "execution payload after a gap", 308 + 112, 0x01,
		  "the first offset does not follow the fixed part" },
		{ "extra data after a gap", 308 + 244 + 436, 0x01,
		  "the first offset does not follow the fixed part" },
	};
	const struct dr_ssz_shape shape = { DR_BEACON_CAPELLA, 32 };
	struct dr_lc_update update = { .attested.execution.extra_data.len = 5, .finalized.execution.gas_used = 7 };
	struct dr_fail fail = { 0 };
	struct dr_writer w;
	uint8_t buf[4096];

	(void)state;
	dr_writer_init(&w, buf, sizeof(buf), &fail);
	dr_ssz_encode(&w, &dr_lc_finality_update_type, shape, &update);
	assert_int_equal(fail.err, DR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail broken = { 0 };

		print_message("%s\n", rows[i].name);
		assert_true(same(&dr_lc_finality_update_type, shape, dr_bytes_of(buf, w.len)));
		buf[rows[i].at] ^= rows[i].flip;
		assert_int_equal(
			dr_ssz_decode(&update, &dr_lc_finality_update_type, shape, dr_bytes_of(buf, w.len), &broken),
			DR_ERR_SYNTAX);
		assert_string_equal(broken.what, rows[i].what);
		buf[rows[i].at] ^= rows[i].flip;
	}
}

/* What has no encoding: each is refused, with nothing written. */
static void test_encode(void **state)
{
	const struct dr_network *net = dr_network_named("mainnet");
	static uint8_t buf[32768], keys[48 * 32];
	static struct dr_lc_update update;
	struct dr_fail none = { 0 };
	size_t len;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct dr_fail fail = { 0 };

		memset(&update, 0, sizeof(update));
		update.kind = DR_LC_UPDATE;
		update.fork = i == 5 ? DR_BEACON_PHASE0 : DR_BEACON_ELECTRA;
		update.attested.execution.extra_data.len = i == 1 ? 33 : 32;
		update.finality_branch.num = i == 2 ? 6 : 7;
		update.next_committee.pubkeys = dr_bytes_of(keys, i == 3 ? sizeof(keys) : 0);
		memset(buf, 0xaa, sizeof(buf));
		assert_int_equal(dr_lc_update_encode(buf, i == 4 ? 1000 : sizeof(buf), &len, net, &update, &fail),
				 i == 0   ? DR_OK
				 : i == 4 ? DR_ERR_LIMIT
				 : i == 5 ? DR_ERR_UNKNOWN
					  : DR_ERR_SYNTAX);
		if (i > 0) {
			assert_int_equal(len, 0);
			assert_true(dr_bytes_zero(buf, i == 4 ? 1000 : sizeof(buf)));
			continue;
		}
		assert_true(same(&dr_lc_update_type, dr_lc_shape(net, DR_BEACON_ELECTRA), dr_bytes_of(buf, len)));
	}
	/* Bits beyond a smaller committee. */
	struct dr_network small = *net;
	struct dr_fail fail = { 0 };

	small.committee_size = 32;
	update = (struct dr_lc_update){ .kind = DR_LC_OPTIMISTIC_UPDATE, .fork = DR_BEACON_ALTAIR };
	assert_int_equal(dr_lc_update_encode(buf, sizeof(buf), &len, &small, &update, &none), DR_OK);
	assert_int_equal(len, 112 + 100 + 8);
	update.aggregate.bits[4] = 1;
	assert_int_equal(dr_lc_update_encode(buf, sizeof(buf), &len, &small, &update, &fail), DR_ERR_SYNTAX);
	assert_true(dr_lc_len_max(net) < 28 * 1024);
}

/* Framing: what beacon nodes answer as application/octet-stream. */
static void test_frames(void **state)
{
	const struct dr_bytes file = spec_file(VECTORS_REAL "/mainnet/framed/updates_1372_count1.ssz");
	const struct dr_bytes plain =
		spec_file(VECTORS_REAL "/mainnet/updates/period_1372_slot_11239491_6a95a1a9.ssz");
	const struct dr_bytes garbage = spec_file(VECTORS_REAL "/mainnet/framed/garbage_lcu.ssz");
	const struct dr_network *net = dr_network_named("mainnet");
	uint8_t *twice = kit_alloc(file.len * 2);
	struct dr_bytes rest = dr_bytes_of(twice, file.len * 2), ssz;
	enum dr_beacon_fork fork;
	static struct dr_lc_update update;

	(void)state;
	memcpy(twice, file.ptr, file.len);
	memcpy(twice + file.len, file.ptr, file.len);
	for (int i = 0; i < 2; i++) {
		struct dr_fail fail = { 0 };

		assert_int_equal(dr_lc_frame(&ssz, &fork, &rest, net, &fail), DR_OK);
		assert_int_equal(fork, DR_BEACON_DENEB);
		assert_true(dr_bytes_eq(ssz, plain));
		assert_int_equal(dr_lc_update_decode(&update, net, DR_LC_UPDATE, fork, ssz, &fail), DR_OK);
		assert_int_equal(update.attested.beacon.slot, 11239491);
	}
	assert_int_equal(rest.len, 0);

	/* A list of none is no bytes; what is cut, foreign, or another fork's is refused, and nothing is taken. */
	for (size_t cut = 0; cut <= file.len; cut += cut < 64 || cut + 64 > file.len ? 1 : 61) {
		struct dr_fail fail = { 0 };

		rest = dr_bytes_of(file.ptr, cut);
		if (dr_lc_frame(&ssz, &fork, &rest, net, &fail) == DR_OK) {
			assert_int_equal(cut, file.len);
			continue;
		}
		assert_true(ssz.ptr == NULL && ssz.len == 0 && rest.len == cut && fork == DR_BEACON_PHASE0);
	}
	for (size_t bit = 0; bit < 12 * 8; bit++) {
		struct dr_fail fail = { 0 };

		twice[bit / 8] ^= (uint8_t)(1 << bit % 8);
		rest = dr_bytes_of(twice, file.len);
		/* A length that is smaller frames something: no update, or one of less extra data, which nobody
		 * signed. */
		if (dr_lc_frame(&ssz, &fork, &rest, net, &fail) == DR_OK &&
		    dr_lc_update_decode(&update, net, DR_LC_UPDATE, fork, ssz, &fail) == DR_OK)
			assert_true(plain.len - ssz.len <= 32);
		if (bit >= 8 * 8)
			assert_string_equal(fail.what, "the digest is not that of the attested header's fork");
		twice[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	struct dr_fail fail = { 0 };

	rest = garbage;
	assert_int_equal(dr_lc_frame(&ssz, &fork, &rest, net, &fail), DR_ERR_LIMIT);
}

/* Peeking finds the fork of every form. */
static void test_peek(void **state)
{
	const struct dr_network *net = dr_network_named("mainnet");
	static uint8_t buf[32768];
	static struct dr_lc_update update;

	(void)state;
	for (enum dr_beacon_fork fork = DR_BEACON_ALTAIR; fork < DR_BEACON_FORKS; fork++)
		for (enum dr_lc_kind kind = DR_LC_UPDATE; kind <= DR_LC_OPTIMISTIC_UPDATE; kind++) {
			struct dr_fail fail = { 0 }, after = { 0 };
			enum dr_beacon_fork found;
			size_t len;

			update = (struct dr_lc_update){ .kind = kind, .fork = fork };
			update.attested.beacon.slot = net->forks[fork].epoch * 32;
			assert_int_equal(dr_lc_update_encode(buf, sizeof(buf), &len, net, &update, &fail), DR_OK);
			assert_int_equal(dr_lc_peek(&found, net, dr_lc_type(kind), dr_bytes_of(buf, len), &fail),
					 DR_OK);
			assert_int_equal(found, fork);
			for (size_t cut = 0; cut < len && cut < 300; cut++) {
				struct dr_fail broken = { 0 };

				dr_lc_peek(&found, net, dr_lc_type(kind), dr_bytes_of(buf, cut), &broken);
			}
			/* A fork that the network names and this build does not know is no guess. */
			struct dr_network later = *net;

			later.unknown_epoch = net->forks[DR_BEACON_FULU].epoch;
			if (fork == DR_BEACON_FULU) {
				assert_int_equal(
					dr_lc_peek(&found, &later, dr_lc_type(kind), dr_bytes_of(buf, len), &after),
					DR_ERR_UNKNOWN);
				assert_string_equal(after.what, "unknown fork");
			}
		}
}

/* Refusals that no whole object leads to. */
static void test_refusals(void **state)
{
	static const uint8_t inside[16] = { 3 }, no_digest[12] = { 3 };
	const struct dr_network *net = dr_network_named("mainnet");
	struct dr_network later = *net;
	struct dr_bytes rest = dr_bytes_of(no_digest, sizeof(no_digest)), ssz;
	struct dr_fail peek = { 0 }, frame = { 0 }, size = { 0 }, unknown = { 0 }, root_fail = { 0 }, none = { 0 };
	struct dr_lc_header header = { .beacon.slot = 100 };
	struct dr_lc_committee committee = { 0 };
	struct dr_lc_keys *keys = (struct dr_lc_keys *)kit_alloc(sizeof(*keys));
	enum dr_beacon_fork fork;
	uint8_t root[32] = { 1 };

	(void)state;
	assert_int_equal(dr_lc_peek(&fork, net, &dr_lc_update_type, dr_bytes_of(inside, 16), &peek), DR_ERR_SYNTAX);
	assert_string_equal(peek.what, "the first offset does not follow the fixed part");
	assert_int_equal(dr_lc_frame(&ssz, &fork, &rest, net, &frame), DR_ERR_SYNTAX);
	assert_string_equal(frame.what, "a framed update has no room for its digest");
	keys->known = true;
	assert_int_equal(dr_lc_keys_load(keys, &committee, 512, root, &size), DR_ERR_PROOF);
	assert_string_equal(size.what, "a committee of another size");
	assert_true(dr_bytes_zero(keys, sizeof(*keys)));
	later.unknown_epoch = 3;
	assert_int_equal(dr_lc_header_check(&later, &header, DR_LC_ATTESTED, &unknown), DR_ERR_UNKNOWN);
	assert_int_equal(dr_lc_execution_root(root, &later, &header, &root_fail), DR_ERR_UNKNOWN);
	assert_true(dr_bytes_zero(root, 32));
	assert_int_equal(dr_lc_header_check(net, &header, DR_LC_ATTESTED, &none), DR_OK);
	assert_ptr_equal(dr_lc_type(DR_LC_OPTIMISTIC_UPDATE), &dr_lc_optimistic_update_type);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ssz_static), cmocka_unit_test(test_offsets), cmocka_unit_test(test_encode),
		cmocka_unit_test(test_frames),     cmocka_unit_test(test_peek),    cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
