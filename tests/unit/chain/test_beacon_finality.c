/* SPDX-License-Identifier: Apache-2.0
 *
 * The sync committees behind the follower's interface: what is asked for, what is handed out, over mainnet's own
 * bootstrap and updates of periods 1347 to 1349 (vectors/03-eth-lc-real).
 */
#include "chain/beacon/beacon.h"
#include "tests/unit/spec_kit.h"

#define FIRST 1347u
#define NOW   (1606824023u + 12u * 8192u * (FIRST + 3u) + 1000u) /* a period later than the last of these updates */

static const char *const updates[] = { "period_1347_slot_11034708_6a95a1a9.ssz",
				       "period_1348_slot_11044529_6a95a1a9.ssz",
				       "period_1349_slot_11051076_6a95a1a9.ssz" };

struct client {
	struct dr_beacon *b;
	struct dr_finality f;
	struct dr_fail why;
	bool news;
};

static struct dr_bytes vector(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "03-eth-lc-real/mainnet/%s", name);
	return spec_file(path);
}

static struct dr_bytes update_of(size_t i)
{
	char name[100];

	snprintf(name, sizeof(name), "updates/%s", updates[i]);
	return vector(name);
}

static void checkpoint_root(uint8_t root[static 32])
{
	struct dr_lc_bootstrap bootstrap;
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_lc_bootstrap_decode(&bootstrap, dr_network_named("mainnet"), DR_BEACON_DENEB,
						vector("bootstraps/period_1347_slot_11034656.ssz"), &fail),
			 DR_OK);
	dr_lc_header_root(root, &bootstrap.header);
}

static struct client client_new(uint64_t now, uint64_t max_age_s, bool aged)
{
	struct dr_beacon_config config = { .net = *dr_network_named("mainnet"),
					   .max_age_s = max_age_s,
					   .aged = aged };
	struct client c = { .b = NULL };

	checkpoint_root(config.checkpoint);
	c.b = dr_beacon_new(&config);
	assert_non_null(c.b);
	c.f = dr_beacon_finality(c.b);
	c.f.clock(c.f.self, now);
	return c;
}

static enum dr_err feed(struct client *c, enum dr_beacon_kind kind, struct dr_bytes ssz)
{
	struct dr_buf payload;
	struct dr_fail fail = { 0 };

	dr_buf_init(&payload, 1u << 20);
	assert_int_equal(dr_beacon_payload(&payload, kind, DR_BEACON_DENEB, ssz, &fail), DR_OK);
	memset(&c->why, 0, sizeof(c->why));
	const enum dr_err err = c->f.frame(c->f.self, dr_buf_view(&payload), 3, &c->news, &c->why);

	assert_int_equal(err, c->why.err);
	dr_buf_free(&payload);
	return err;
}

static enum dr_err feed_bootstrap(struct client *c)
{
	return feed(c, DR_BEACON_BOOTSTRAP, vector("bootstraps/period_1347_slot_11034656.ssz"));
}

/* The next finding is this one. */
static uint64_t finds(struct client *c, enum dr_status status, uint64_t number)
{
	struct dr_finality_finding f;

	assert_true(c->f.next(c->f.self, &f));
	assert_int_equal(f.kind, DR_FINDING_BLOCK);
	assert_int_equal(f.status, status);
	assert_int_equal(f.source, 3);
	if (number != 0)
		assert_int_equal(f.number, number);
	assert_false(dr_bytes_zero(f.hash, 32));
	return f.number;
}

static void finds_past(struct client *c, uint64_t number)
{
	struct dr_finality_finding f;

	assert_true(c->f.next(c->f.self, &f));
	assert_int_equal(f.kind, DR_FINDING_PAST);
	assert_int_equal(f.source, 3);
	assert_true(f.number > 0 && f.number < number);
	assert_false(dr_bytes_zero(f.hash, 32));
}

static void finds_nothing(struct client *c)
{
	struct dr_finality_finding f;

	assert_false(c->f.next(c->f.self, &f));
}

/* An update without what it says beside its attested header. */
static struct dr_bytes optimistic_of(struct dr_bytes ssz, uint64_t *number)
{
	const struct dr_network *net = dr_network_named("mainnet");
	struct dr_lc_update update;
	struct dr_fail fail = { 0 };
	uint8_t *out = kit_alloc(dr_lc_len_max(net));
	size_t len;

	assert_int_equal(dr_lc_update_decode(&update, net, DR_LC_UPDATE, DR_BEACON_DENEB, ssz, &fail), DR_OK);
	struct dr_lc_update only = { .kind = DR_LC_OPTIMISTIC_UPDATE,
				     .fork = update.fork,
				     .attested = update.attested,
				     .aggregate = update.aggregate,
				     .signature_slot = update.signature_slot };

	*number = update.attested.execution.block_number;
	assert_int_equal(dr_lc_update_encode(out, dr_lc_len_max(net), &len, net, &only, &fail), DR_OK);
	return dr_bytes_of(out, len);
}

static void test_bootstrap(void **state)
{
	struct client c = client_new(NOW, UINT64_MAX, false);
	struct dr_beacon_status s;
	struct dr_want want;

	(void)state;
	assert_int_equal(c.f.proof, DR_PROOF_CONSENSUS);
	assert_int_equal(c.f.wants(c.f.self, &want, 1), 1);
	assert_int_equal(want.kind, DR_WANT_BOOTSTRAP);
	assert_int_equal(c.f.wants(c.f.self, &want, 0), 0);
	dr_beacon_status(c.b, &s);
	assert_false(s.ready);
	/* Nothing before it, and nothing in place of it. */
	assert_int_equal(feed(&c, DR_BEACON_UPDATE, update_of(0)), DR_ERR_STALE);
	assert_int_not_equal(feed(&c, DR_BEACON_BOOTSTRAP, vector("bootstraps/period_1573_slot_12890400.ssz")),
			     DR_OK);
	finds_nothing(&c);
	assert_int_equal(feed_bootstrap(&c), DR_OK);
	assert_true(c.news);
	finds(&c, DR_STATUS_FINAL, 0);
	finds_nothing(&c);
	dr_beacon_status(c.b, &s);
	assert_true(s.ready);
	assert_int_equal(s.period, FIRST);
	assert_int_equal(s.checkpoint_slot, 11034656);
	assert_int_equal(s.participation, 0);
	assert_false(s.aged);
	assert_int_equal(s.age_s, NOW - 1606824023u - 12u * 11034656u);
	/* A second time it says nothing. */
	assert_int_equal(feed_bootstrap(&c), DR_OK);
	assert_false(c.news);
	finds_nothing(&c);
	dr_beacon_free(c.b);
}

static void test_updates(void **state)
{
	struct client c = client_new(NOW, UINT64_MAX, false);
	struct dr_beacon_status s;
	struct dr_want want;

	(void)state;
	assert_int_equal(feed_bootstrap(&c), DR_OK);
	const uint64_t checkpoint = finds(&c, DR_STATUS_FINAL, 0);

	for (size_t i = 0; i < 3; i++) {
		/* The want stands while it is being answered. */
		assert_int_equal(c.f.wants(c.f.self, &want, 4), 1);
		assert_int_equal(want.kind, DR_WANT_UPDATES);
		assert_int_equal(want.first, FIRST);
		assert_int_equal(want.last, FIRST + 3);
		assert_int_equal(feed(&c, DR_BEACON_UPDATE, update_of(i)), DR_OK);
		assert_true(c.news);
		/* What the first one finalizes is older than the checkpoint: nothing new, but held against the chain.
		 */
		if (i > 0)
			finds(&c, DR_STATUS_FINAL, 0);
		else
			finds_past(&c, checkpoint);
		finds(&c, DR_STATUS_HEAD, 0);
		finds_nothing(&c);
		dr_beacon_status(c.b, &s);
		assert_int_equal(s.period, FIRST + i);
		assert_true(s.next_known);
		assert_in_range(s.participation, i > 0 ? 342 : 0, i > 0 ? 512 : 0);
		assert_int_equal(feed(&c, DR_BEACON_UPDATE, update_of(i)), DR_OK);
		assert_false(c.news);
		if (i == 0)
			finds_past(&c, checkpoint);
		finds_nothing(&c);
	}
	/* In its own period nothing is lacking; a whole period later it is. */
	const uint64_t begins = 1606824023u + 12u * 8192u * (FIRST + 3);

	c.f.clock(c.f.self, begins);
	assert_int_equal(c.f.wants(c.f.self, &want, 4), 0);
	c.f.clock(c.f.self, begins + 12u * 8192u);
	assert_int_equal(c.f.wants(c.f.self, &want, 4), 1);
	assert_int_equal(want.first, FIRST + 3);
	assert_int_equal(want.last, FIRST + 4);
	c.f.clock(c.f.self, begins + 12u * 8192u * 400u);
	c.f.clock(c.f.self, 0);
	assert_int_equal(c.f.wants(c.f.self, &want, 4), 0); /* who does not know the time asks for nothing */
	c.f.clock(c.f.self, begins + 12u * 8192u * 400u);
	assert_int_equal(c.f.wants(c.f.self, &want, 4), 1);
	assert_int_equal(want.last - want.first + 1, DR_BEACON_PERIODS_AT_ONCE);
	dr_beacon_free(c.b);
}

/* A proof says it again after a restart, and only a proof does. */
static void test_restart(void **state)
{
	struct client c = client_new(NOW, UINT64_MAX, false);
	struct dr_finality_finding f;
	uint64_t number;

	(void)state;
	assert_int_equal(feed_bootstrap(&c), DR_OK);
	finds(&c, DR_STATUS_FINAL, 0);
	assert_int_equal(feed(&c, DR_BEACON_UPDATE, update_of(0)), DR_OK);
	assert_int_equal(feed(&c, DR_BEACON_UPDATE, update_of(1)), DR_OK);
	assert_true(c.f.next(c.f.self, &f));
	assert_int_equal(f.status, DR_STATUS_FINAL);
	c.f.restart(c.f.self);
	finds_nothing(&c);
	assert_int_equal(feed_bootstrap(&c), DR_OK);
	finds_nothing(&c);
	assert_int_equal(feed(&c, DR_BEACON_OPTIMISTIC_UPDATE, optimistic_of(update_of(1), &number)), DR_OK);
	assert_true(c.news);
	finds(&c, DR_STATUS_HEAD, number);
	finds_nothing(&c);
	assert_int_equal(feed(&c, DR_BEACON_UPDATE, update_of(1)), DR_OK);
	assert_true(c.news);
	finds(&c, DR_STATUS_FINAL, f.number);
	finds_nothing(&c);
	assert_int_equal(feed(&c, DR_BEACON_UPDATE, update_of(1)), DR_OK);
	assert_false(c.news);
	dr_beacon_free(c.b);
}

static void test_age(void **state)
{
	const uint64_t made = 1606824023u + 12u * 11034656u;
	struct dr_beacon_status s;

	(void)state;
	/* No clock, and a clock of before it. */
	struct client c = client_new(0, 0, false);

	assert_int_equal(feed_bootstrap(&c), DR_ERR_STALE);
	c.f.clock(c.f.self, made - 60);
	assert_int_equal(feed_bootstrap(&c), DR_ERR_STALE);
	/* The limit to the second; the default is fourteen days. */
	c.f.clock(c.f.self, made + 14u * 86400u + 1u);
	assert_int_equal(feed_bootstrap(&c), DR_ERR_STALE);
	assert_true(strstr(c.why.what, "old") != NULL || strstr(c.why.what, "age") != NULL);
	finds_nothing(&c);
	c.f.clock(c.f.self, made + 14u * 86400u);
	assert_int_equal(feed_bootstrap(&c), DR_OK);
	/* What is final grows old as well: after a long absence nothing rests on it. */
	c.f.clock(c.f.self, made + 14u * 86400u + 1u);
	assert_int_equal(feed(&c, DR_BEACON_UPDATE, update_of(0)), DR_ERR_STALE);
	dr_beacon_free(c.b);
	/* By name; and it is shown. */
	c = client_new(made + 30u * 86400u, 0, true);
	assert_int_equal(feed_bootstrap(&c), DR_OK);
	dr_beacon_status(c.b, &s);
	assert_true(s.aged);
	assert_int_equal(feed(&c, DR_BEACON_UPDATE, update_of(0)), DR_OK);
	/* That does not make up for a clock. */
	c.f.clock(c.f.self, 0);
	assert_int_equal(feed(&c, DR_BEACON_UPDATE, update_of(1)), DR_ERR_STALE);
	dr_beacon_free(c.b);
}

/* What is settled is named without a look at its signature; what is above it is not, and nothing else ever is. */
static void test_settled(void **state)
{
	struct client c = client_new(NOW, UINT64_MAX, false);
	uint64_t number;

	(void)state;
	assert_int_equal(feed_bootstrap(&c), DR_OK);
	const struct dr_bytes head = optimistic_of(update_of(0), &number), update = update_of(0);
	uint8_t *spoiled = kit_alloc(head.len), *false_update = kit_alloc(update.len);

	memcpy(spoiled, head.ptr, head.len);
	spoiled[head.len / 2] ^= 1; /* the payload: its branch does not fit any more */
	memcpy(false_update, update.ptr, update.len);
	false_update[update.len - 20] ^= 1;
	assert_int_equal(feed(&c, DR_BEACON_OPTIMISTIC_UPDATE, dr_bytes_of(spoiled, head.len)), DR_ERR_PROOF);
	c.f.settled(c.f.self, number - 1);
	assert_int_equal(feed(&c, DR_BEACON_OPTIMISTIC_UPDATE, dr_bytes_of(spoiled, head.len)), DR_ERR_PROOF);
	c.f.settled(c.f.self, number);
	assert_int_equal(feed(&c, DR_BEACON_OPTIMISTIC_UPDATE, dr_bytes_of(spoiled, head.len)), DR_OK);
	finds(&c, DR_STATUS_HEAD, number);
	assert_int_not_equal(feed(&c, DR_BEACON_UPDATE, dr_bytes_of(false_update, update.len)), DR_OK);
	c.f.settled(c.f.self, 0);
	assert_int_equal(feed(&c, DR_BEACON_OPTIMISTIC_UPDATE, dr_bytes_of(spoiled, head.len)), DR_ERR_PROOF);
	dr_beacon_free(c.b);
}

static void test_forms(void **state)
{
	struct client c = client_new(NOW, UINT64_MAX, false);
	uint8_t payload[] = { DR_FINALITY_BEACON, DR_BEACON_UPDATE, DR_BEACON_DENEB };

	(void)state;
	static const struct {
		const char *name;
		size_t len;
		uint8_t at, value;
		enum dr_err expected;
	} rows[] = {
		{ "nothing", 0, 0, DR_FINALITY_BEACON, DR_ERR_SHORT },
		{ "two bytes", 2, 0, DR_FINALITY_BEACON, DR_ERR_SHORT },
		{ "another scheme", 3, 0, DR_FINALITY_QUORUM, DR_ERR_UNKNOWN },
		{ "no known kind", 3, 1, 4, DR_ERR_UNKNOWN },
		{ "no known fork", 3, 2, DR_BEACON_FORKS, DR_ERR_UNKNOWN },
		{ "no container", 3, 1, DR_BEACON_BOOTSTRAP, DR_ERR_SHORT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[3];
		bool news = true;
		struct dr_fail fail = { 0 };

		memcpy(bytes, payload, 3);
		bytes[rows[i].at] = rows[i].value;
		const enum dr_err err = c.f.frame(c.f.self, dr_bytes_of(bytes, rows[i].len), 3, &news, &fail);

		if (err != rows[i].expected || news)
			fail_msg("%s: got %s (%s)", rows[i].name, dr_err_name(err), fail.what);
		finds_nothing(&c);
	}
	dr_beacon_free(c.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bootstrap), cmocka_unit_test(test_updates), cmocka_unit_test(test_restart),
		cmocka_unit_test(test_age),       cmocka_unit_test(test_settled), cmocka_unit_test(test_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
