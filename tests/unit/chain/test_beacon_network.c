/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/chain/beacon_kit.h"

/* reference: domains computed by the rule from the published figures; mainnet's Fulu one signs real headers. */
static const struct {
	const char *network;
	enum dr_beacon_fork fork;
	const char *domain;
} domains[] = {
	{ "mainnet", DR_BEACON_DENEB, "070000006a95a1a967855d676d48be69883b712607f952d5198d0f5677564636" },
	{ "mainnet", DR_BEACON_ELECTRA, "07000000ad532ceb9ec5d246daad29da8aa157bfdab35e5f069f9db81f1da754" },
	{ "mainnet", DR_BEACON_FULU, "0700000082fae541f8a3db43adb5e7997ac5f562cf682ce6bc41b8ec28ba1a07" },
	{ "sepolia", DR_BEACON_DENEB, "07000000d31f6191ca65c836e170318c55fcf34b7e308f8fbca8e663bf565808" },
	{ "sepolia", DR_BEACON_ELECTRA, "0700000014045b5a1d8da091c2ee9e635b64eb2f9c81e0683f21dd0491e95aaa" },
	{ "sepolia", DR_BEACON_FULU, "07000000f52c15272cff99835cd05aa522af469210b5b2c8807e372b6b9ca539" },
	{ "hoodi", DR_BEACON_DENEB, "07000000d2f1997f74688afa809c99a7063ca4044369e680d11f043cf4bf6983" },
	{ "hoodi", DR_BEACON_ELECTRA, "0700000082556a324faa7f4831d9dfc038f3f87014adcd012384166d88243e54" },
	{ "hoodi", DR_BEACON_FULU, "07000000e9730835ed8469ff3cbc6064cb6e858ed44584ee2b21754ea0cd0ab5" },
};

static void test_domains(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		const struct dr_network *net = dr_network_named(domains[i].network);
		const uint64_t first = net->forks[domains[i].fork].epoch * net->slots_per_epoch;
		struct dr_fail fail = { 0 };
		uint8_t domain[32];

		/* A signature in a fork's first slot is still of the one before: of the slot before. */
		assert_int_equal(dr_network_domain(domain, net, first + 1, &fail), DR_OK);
		assert_memory_equal(domain, kit_hex(domains[i].domain).ptr, 32);
		assert_int_equal(dr_network_domain(domain, net, first, &fail), DR_OK);
		assert_int_equal(memcmp(domain, kit_hex(domains[i].domain).ptr, 32) == 0, first == 0);
	}
}

/* Mainnet's digest in Deneb, as it is in the names of recorded updates; none is known from Fulu on. */
static void test_digest(void **state)
{
	const struct dr_network *net = dr_network_named("mainnet");
	uint8_t digest[4];

	(void)state;
	assert_true(dr_network_digest(digest, net, DR_BEACON_DENEB));
	assert_memory_equal(digest, kit_hex("6a95a1a9").ptr, 4);
	assert_false(dr_network_digest(digest, net, DR_BEACON_FULU));
	assert_true(dr_bytes_zero(digest, 4));
}

static void test_known(void **state)
{
	static const char *const names[] = { "mainnet", "sepolia", "holesky", "hoodi" };
	size_t num = 0;

	(void)state;
	for (; dr_network_known(num) != NULL; num++) {
		struct dr_fail fail = { 0 };

		assert_string_equal(dr_network_known(num)->name, names[num]);
		assert_ptr_equal(dr_network_named(names[num]), dr_network_known(num));
		assert_int_equal(dr_network_check(dr_network_known(num), &fail), DR_OK);
	}
	assert_int_equal(num, 4);
	assert_null(dr_network_named("goerli"));
	assert_null(dr_network_named(""));
}

static void test_forks(void **state)
{
	struct dr_network net = *dr_network_named("holesky");
	enum dr_beacon_fork fork;
	struct dr_fail fail = { 0 }, unknown = { 0 }, domain_fail = { 0 };
	uint8_t domain[32];

	(void)state;
	/* Altair and Bellatrix from the start: the later one holds. */
	assert_int_equal(dr_network_fork_at(&fork, &net, 0, &fail), DR_OK);
	assert_int_equal(fork, DR_BEACON_BELLATRIX);
	for (enum dr_beacon_fork at = DR_BEACON_CAPELLA; at < DR_BEACON_FORKS; at++) {
		assert_int_equal(dr_network_fork_at(&fork, &net, net.forks[at].epoch * 32, &fail), DR_OK);
		assert_int_equal(fork, at);
		assert_int_equal(dr_network_fork_at(&fork, &net, net.forks[at].epoch * 32 - 1, &fail), DR_OK);
		assert_int_equal(fork, at - 1);
	}
	assert_int_equal(dr_network_fork_at(&fork, &net, UINT64_MAX, &fail), DR_OK);
	assert_int_equal(fork, DR_BEACON_FULU);
	/* A fork that is named and not known: up to its epoch, and no further. */
	net.unknown_epoch = 200000;
	assert_int_equal(dr_network_fork_at(&fork, &net, 200000 * 32 - 1, &fail), DR_OK);
	assert_int_equal(fork, DR_BEACON_FULU);
	assert_int_equal(dr_network_fork_at(&fork, &net, 200000 * 32, &unknown), DR_ERR_UNKNOWN);
	assert_string_equal(unknown.what, "unknown fork");
	assert_int_equal(fork, DR_BEACON_PHASE0);
	assert_int_equal(dr_network_domain(domain, &net, 200000 * 32, &fail), DR_OK);
	assert_int_equal(dr_network_domain(domain, &net, 200000 * 32 + 1, &domain_fail), DR_ERR_UNKNOWN);
	assert_true(dr_bytes_zero(domain, 32));
	assert_int_equal(dr_network_domain(domain, &net, 0, &fail), DR_OK);
}

static void test_names(void **state)
{
	enum dr_beacon_fork fork;

	(void)state;
	for (enum dr_beacon_fork i = DR_BEACON_PHASE0; i < DR_BEACON_FORKS; i++) {
		const char *name = dr_beacon_fork_name(i);

		assert_true(dr_beacon_fork_named(&fork, name, strlen(name)));
		assert_int_equal(fork, i);
		assert_false(dr_beacon_fork_named(&fork, name, strlen(name) - 1));
	}
	assert_string_equal(dr_beacon_fork_name((enum dr_beacon_fork)7), "unknown");
	assert_false(dr_beacon_fork_named(&fork, "gloas", 5));
	assert_int_equal(fork, DR_BEACON_PHASE0);
}

static void test_slots(void **state)
{
	const struct dr_network *net = dr_network_named("mainnet");
	struct dr_fail fail = { 0 }, none = { 0 }, early = { 0 };
	uint64_t slot;

	(void)state;
	assert_int_equal(dr_network_period(net, 8191), 0);
	assert_int_equal(dr_network_period(net, 8192), 1);
	assert_int_equal(dr_network_period(net, UINT64_MAX), UINT64_MAX / 8192);
	assert_int_equal(dr_network_epoch(net, 63), 1);
	assert_int_equal(dr_network_slot(&slot, net, net->genesis_time + 12 * 5 + 11, &fail), DR_OK);
	assert_int_equal(slot, 5);
	assert_int_equal(dr_network_slot(&slot, net, UINT64_MAX, &fail), DR_OK);
	assert_int_equal(slot, (UINT64_MAX - net->genesis_time) / 12);
	assert_int_equal(dr_network_slot(&slot, net, 0, &none), DR_ERR_STALE);
	assert_string_equal(none.what, "there is no clock");
	assert_int_equal(dr_network_slot(&slot, net, net->genesis_time - 1, &early), DR_ERR_STALE);
	assert_int_equal(slot, 0);
	assert_int_equal(dr_network_time(net, 5), net->genesis_time + 60);
	assert_int_equal(dr_network_time(net, UINT64_MAX), UINT64_MAX);
	assert_int_equal(dr_network_time(net, UINT64_MAX / 12), UINT64_MAX);
}

static void test_age(void **state)
{
	const struct dr_network *net = dr_network_named("mainnet");
	const uint64_t begin = net->genesis_time + 12 * 1000;
	static const struct {
		int64_t now; /* from the slot's begin */
		uint64_t limit;
		enum dr_err err;
		uint64_t age;
		const char *what;
	} rows[] = {
		{ 0, 0, DR_OK, 0, NULL },
		{ 100, 100, DR_OK, 100, NULL },
		{ 101, 100, DR_ERR_STALE, 0, "weak subjectivity: the checkpoint is older than its age limit" },
		{ -1, 0, DR_OK, 0, NULL }, /* DR_CLOCK_SKEW_S */
		{ -2, 100, DR_ERR_STALE, 0, "the checkpoint lies in the future" },
		{ 1209600, 1209600, DR_OK, 1209600, NULL },
	};
	uint64_t age;
	struct dr_fail none = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_fail fail = { 0 };

		assert_int_equal(dr_network_age(&age, net, 1000, (uint64_t)((int64_t)begin + rows[i].now),
						rows[i].limit, &fail),
				 rows[i].err);
		assert_int_equal(age, rows[i].age);
		if (rows[i].what != NULL)
			assert_string_equal(fail.what, rows[i].what);
	}
	assert_int_equal(dr_network_age(&age, net, 1000, 0, UINT64_MAX, &none), DR_ERR_STALE);
	assert_string_equal(none.what, "there is no clock");
}

/* Each row breaks one thing of a good network; encoded anyway, it does not decode either. */
static void break_network(struct dr_network *net, unsigned row)
{
	switch (row) {
	case 0: memset(net->name, 0, 32); break;
	case 1: memcpy(net->name, "Main", 4); break;
	case 2: memset(net->name, 'a', 32); break;
	case 3: net->name[31] = 'x'; break;
	case 4: net->slots_per_epoch = 0; break;
	case 5: net->slots_per_epoch = 24; break;
	case 6: net->slots_per_epoch = 512; break;
	case 7: net->epochs_per_period = 3; break;
	case 8: net->epochs_per_period = 131072; break;
	case 9: net->committee_size = 4; break;
	case 10: net->committee_size = 500; break;
	case 11: net->committee_size = 1024; break;
	case 12: net->seconds_per_slot = 0; break;
	case 13: net->seconds_per_slot = 3601; break;
	case 14: net->genesis_time = UINT64_MAX; break;
	case 15: memset(net->genesis_validators_root, 0, 32); break;
	case 16: net->forks[0].epoch = 1; break;
	case 17: net->forks[DR_BEACON_CAPELLA].epoch = 1; break;
	case 18: memcpy(net->forks[3].version, net->forks[1].version, 4); break;
	case 19: net->unknown_epoch = 5; break;
	case 20: net->forks[DR_BEACON_DENEB].epoch = DR_BEACON_NEVER; break;
	case 21:
		for (size_t i = 1; i < DR_BEACON_FORKS; i++)
			net->forks[i] = (struct dr_network_fork){ .epoch = DR_BEACON_NEVER };
		break;
	}
}

static void test_check(void **state)
{
	static const struct {
		enum dr_err err;
		size_t at;
		const char *what;
	} rows[] = {
		{ DR_ERR_SYNTAX, 0, "a network has a name" },
		{ DR_ERR_SYNTAX, 0, "a network's name has letters a-z, digits, . _ - alone" },
		{ DR_ERR_LIMIT, 0, "a network's name has at most 31 letters" },
		{ DR_ERR_NONCANONICAL, 0, "bytes behind the network's name" },
		{ DR_ERR_SYNTAX, 0, "SLOTS_PER_EPOCH is no power of two" },
		{ DR_ERR_SYNTAX, 0, "SLOTS_PER_EPOCH is no power of two" },
		{ DR_ERR_LIMIT, 0, "SLOTS_PER_EPOCH above 256" },
		{ DR_ERR_SYNTAX, 0, "EPOCHS_PER_SYNC_COMMITTEE_PERIOD is no power of two" },
		{ DR_ERR_LIMIT, 0, "EPOCHS_PER_SYNC_COMMITTEE_PERIOD above 65536" },
		{ DR_ERR_SYNTAX, 0, "SYNC_COMMITTEE_SIZE is no power of two from 8 on" },
		{ DR_ERR_SYNTAX, 0, "SYNC_COMMITTEE_SIZE is no power of two from 8 on" },
		{ DR_ERR_LIMIT, 0, "SYNC_COMMITTEE_SIZE above 512" },
		{ DR_ERR_SYNTAX, 0, "a slot of no seconds" },
		{ DR_ERR_LIMIT, 0, "a slot of more than an hour" },
		{ DR_ERR_LIMIT, 0, "the genesis time is beyond all bounds" },
		{ DR_ERR_SYNTAX, 0, "the genesis validators root is zero" },
		{ DR_ERR_SYNTAX, 0, "phase0 begins at epoch 0" },
		{ DR_ERR_SYNTAX, 3, "a fork comes before its predecessor" },
		{ DR_ERR_SYNTAX, 3, "two forks have one version" },
		{ DR_ERR_SYNTAX, 1, "an unknown fork comes before a known one" },
		{ DR_ERR_NONCANONICAL, 4, "a fork has a version and no epoch" },
		{ DR_ERR_SYNTAX, 1, "without Altair there are no sync committees" },
	};
	uint8_t buf[DR_NETWORK_LEN_MAX];
	size_t len;

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dr_network net = *dr_network_named("sepolia"), out;
		struct dr_fail fail = { 0 }, none = { 0 }, decode = { 0 };

		break_network(&net, i);
		assert_int_equal(dr_network_check(&net, &fail), rows[i].err);
		assert_string_equal(fail.what, rows[i].what);
		assert_int_equal(fail.at, rows[i].at);
		assert_int_equal(dr_network_encode(buf, sizeof(buf), &len, &net, &none), DR_OK);
		if (i == 20) /* ends at the hole */
			continue;
		assert_int_not_equal(dr_network_decode(&out, dr_bytes_of(buf, len), &decode), DR_OK);
		assert_true(dr_bytes_zero(&out, sizeof(out)));
	}
}

static void test_encoding(void **state)
{
	uint8_t buf[DR_NETWORK_LEN_MAX], again[DR_NETWORK_LEN_MAX];
	struct dr_network net, out;
	size_t len, len_again;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct dr_fail fail = { 0 }, tight = { 0 };

		net = *dr_network_known(i % 4);
		if (i == 4) /* unscheduled ones */
			for (size_t k = DR_BEACON_BELLATRIX; k < DR_BEACON_FORKS; k++)
				net.forks[k] = (struct dr_network_fork){ .epoch = DR_BEACON_NEVER };
		if (i == 5)
			net.unknown_epoch = 1u << 20;
		assert_int_equal(dr_network_encode(buf, sizeof(buf), &len, &net, &fail), DR_OK);
		assert_int_equal(dr_network_decode(&out, dr_bytes_of(buf, len), &fail), DR_OK);
		assert_memory_equal(&out, &net, sizeof(net));
		assert_int_equal(dr_network_encode(again, len - 1, &len_again, &net, &tight), DR_ERR_LIMIT);
		assert_true(len_again == 0 && dr_bytes_zero(again, len - 1));
		for (size_t cut = 0; cut < len; cut++) {
			struct dr_fail broken = { 0 };

			assert_int_not_equal(dr_network_decode(&out, dr_bytes_of(buf, cut), &broken), DR_OK);
			assert_true(dr_bytes_zero(&out, sizeof(out)));
		}
		/* A changed bit is refused, or is another network, whose encoding it is. */
		for (size_t bit = 0; bit < len * 8; bit++) {
			struct dr_fail broken = { 0 };

			buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (dr_network_decode(&out, dr_bytes_of(buf, len), &broken) == DR_OK) {
				assert_memory_not_equal(&out, &net, sizeof(net));
				assert_int_equal(dr_network_encode(again, sizeof(again), &len_again, &out, &broken),
						 DR_OK);
				assert_int_equal(len_again, len);
				assert_memory_equal(again, buf, len);
			} else {
				assert_true(dr_bytes_zero(&out, sizeof(out)));
			}
			buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void test_same_chain(void **state)
{
	struct dr_network a = *dr_network_named("mainnet"), b = a;

	(void)state;
	b.forks[DR_BEACON_FULU] = (struct dr_network_fork){ .epoch = DR_BEACON_NEVER };
	b.unknown_epoch = 500000;
	memcpy(b.name, "other", 6);
	assert_true(dr_network_same_chain(&a, &b));
	for (unsigned i = 0; i < 7; i++) {
		b = a;
		switch (i) {
		case 0: b.slots_per_epoch = 16; break;
		case 1: b.epochs_per_period = 512; break;
		case 2: b.committee_size = 256; break;
		case 3: b.seconds_per_slot = 5; break;
		case 4: b.genesis_time++; break;
		case 5: b.genesis_validators_root[31] ^= 1; break;
		case 6: b.forks[0].version[3] ^= 1; break;
		}
		assert_false(dr_network_same_chain(&a, &b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domains),    cmocka_unit_test(test_digest), cmocka_unit_test(test_known),
		cmocka_unit_test(test_forks),      cmocka_unit_test(test_names),  cmocka_unit_test(test_slots),
		cmocka_unit_test(test_age),        cmocka_unit_test(test_check),  cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_same_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
