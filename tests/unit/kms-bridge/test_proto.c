/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <string.h>

#include "kms-bridge/proto.h"
#include "tests/unit/kms-bridge/payloads.h"

static const uint8_t profile_bytes[] = { 1, 2, 3, 4, 5 }, network_bytes[] = { 6, 7, 8 };

static void fill_init(void *ptr)
{
	struct dr_init *m = ptr;

	m->version = DR_PROTO_VERSION;
	m->mode = DR_MODE_RECORD;
	m->clock = DR_CLOCK_CHAIN;
	m->proof = DR_PROOF_QUORUM;
	m->way = DR_WAY_ACCUMULATOR;
	m->chain_id = 31337;
	memset(m->genesis, 0x11, 32);
	memset(m->contract, 0x22, 20);
	m->start_number = 7;
	memset(m->start_hash, 0x33, 32);
	m->quorum_k = 2;
	m->quorum_n = 3;
	m->step_max = 64;
	m->max_staleness_s = 3600;
	m->head_staleness_s = 60;
	m->heartbeat = true;
	memset(m->node, 0x44, 20);
	m->anchored = true;
	m->until = 99;
	strcpy(m->data_dir, "/var/lib/derot");
	strcpy(m->key_file, "/etc/derot/key");
	strcpy(m->passphrase_file, "/etc/derot/passphrase");
	m->argon2_mib = 256;
	strcpy(m->checkpoints[1], "/var/lib/peer/checkpoint");
	m->serve = true;
	strcpy(m->endpoints[0], "endpoint-ä");
	m->profile = dr_bytes_of(profile_bytes, sizeof(profile_bytes));
	m->network = dr_bytes_of(network_bytes, sizeof(network_bytes));
	memset(m->checkpoint, 0x55, 32);
	strcpy(m->checkpoint_from, "a friend!");
	m->checkpoint_max_age_s = 1209600;
	strcpy(m->checkpoint_aged, "carol");
}

static void fill_request(struct dr_request *r)
{
	memset(r->app, 1, 32);
	memset(r->measurement, 2, 32);
	r->purpose = DR_PURPOSE_SEAL;
	memset(r->tee, 't', 3);
	r->svn = 5;
	r->confidence = 2;
	r->num_advisories = 1;
	memset(r->advisories[0], 'a', 8);
}

static void fill_ask(void *ptr)
{
	struct dr_ask *m = ptr;

	strcpy(m->name, "old build");
	fill_request(&m->request);
}

static void fill_change(struct dr_change *c)
{
	c->chain_id = 31337;
	memset(c->contract, 0x22, 20);
	c->number = 12;
	memset(c->hash, 0x55, 32);
	c->time = 1700000000;
	c->ordinal = 3;
	memset(c->event_digest, 0x66, 32);
	c->effect = DR_EFFECT_REVOKES;
	c->outcome = DR_OUTCOME_APPLIED;
	c->act.action = DR_ACTION_APP_MEASUREMENT_REVOKE;
	c->act.has_by = true;
	memset(c->act.by, 0x77, 20);
	c->act.num_args = 2;
	memset(c->act.args[0], 1, 32);
	memset(c->act.args[1], 2, 32);
}

static void fill_entry(void *ptr)
{
	struct dr_entry *m = ptr;

	m->idx = 5;
	memset(m->leaf_hash, 0x88, 32);
	m->leaf = dr_bytes_of("leaf", 4);
}

static void fill_audit_finding(void *ptr)
{
	struct dr_audit_finding *m = ptr;

	m->kind = DR_AUDIT_STEALTHY_DEPLOYER;
	fill_change(&m->at);
	m->first_number = 10;
	m->first_time = 1699999999;
	m->was_active = true;
	m->active_since = 1699999999;
}

static void fill_decision(struct dr_decision *d)
{
	d->verdict = DR_ALLOW;
	d->generation = 2;
	d->epoch = 4;
	memset(d->app_hash, 2, 32);
	memset(d->deployer, 3, 20);
	memset(d->nonce, 4, 32);
}

static void fill_answer(void *ptr)
{
	struct dr_answer *m = ptr;

	strcpy(m->name, "old build");
	m->number = 12;
	m->head = 14;
	fill_decision(&m->decision);
}

static void fill_want(void *ptr)
{
	struct dr_want *m = ptr;

	m->id = 9;
	m->kind = DR_WANT_STATE;
	m->first = m->last = 12;
	memset(m->hash, 0x55, 32);
	memset(m->address, 0x22, 20);
	m->num_slots = 2;
	memset(m->slots[1], 1, 32);
}

static void fill_refusal(void *ptr)
{
	struct dr_refusal *m = ptr;

	m->want = 9;
	m->source = 1;
	m->err = DR_ERR_PROOF;
	strcpy(m->what, "receipts do not rebuild receiptsRoot");
}

static void fill_unavailable(void *ptr)
{
	struct dr_unavailable *m = ptr;

	m->want = 9;
	m->source = DR_SOURCE_CORE;
	strcpy(m->reason, "pruned");
}

static void fill_endpoint_news(void *ptr)
{
	struct dr_endpoint_news *m = ptr;

	m->source = 1;
	m->state = DR_ENDPOINT_ASIDE;
	strcpy(m->reason, "lied about block 12");
}

static void fill_log_query(void *ptr)
{
	struct dr_log_query *m = ptr;

	m->log = 1;
	m->first = 100;
	m->num = 20;
}

static void fill_key_answer(void *ptr)
{
	struct dr_key_answer *m = ptr;

	fill_decision(&m->decision);
	m->request_idx = 77;
	m->development = true;
	m->key_len = 32;
	memset(m->key, 0x99, 32);
	m->proof = m->certificate = m->box = dr_bytes_of(profile_bytes, sizeof(profile_bytes));
}

static void fill_run(void *ptr)
{
	struct dr_run *m = ptr;

	m->bytes = dr_bytes_of(profile_bytes, sizeof(profile_bytes));
}

static void fill_node_public(void *ptr)
{
	struct dr_node_public *m = ptr;

	memset(m->enc_key, 0x12, 32);
	memset(m->sign_key, 0x13, 32);
	strcpy(m->name, "derot/31337/0x22");
	m->heartbeat = true;
	memset(m->nonce, 0x14, 32);
	m->nonce_ms = 77000;
}

static void fill_parcel_query(void *ptr)
{
	struct dr_parcel_query *m = ptr;

	m->generation = 3;
	memset(m->node, 0x15, 20);
}

static void fill_certificate_query(void *ptr)
{
	struct dr_certificate_query *m = ptr;

	m->generation = 3;
	m->has_app = true;
	memset(m->app, 0x16, 32);
}

static void fill_proof_query(void *ptr)
{
	struct dr_proof_query *m = ptr;

	m->log = 1;
	m->kind = DR_PROOF_CONSISTENCY;
	m->first = 5;
	m->size = 9;
}

static void fill_log_proof(void *ptr)
{
	struct dr_log_proof *m = ptr;

	m->size = 9;
	memset(m->root, 0x17, 32);
	memset(m->first_hash, 0x18, 32);
	m->num = 2;
	memset(m->hashes, 0x19, 64);
}

static void fill_done(void *ptr)
{
	struct dr_done *m = ptr;

	strcpy(m->what, "three roots sealed anew");
}

static void fill_root_public(void *ptr)
{
	struct dr_root_public *m = ptr;

	m->generation = 2;
	m->published_equal = true;
	memset(m->words, 0xaa, sizeof(m->words));
}

static void fill_error(void *ptr)
{
	struct dr_error *m = ptr;

	m->err = DR_ERR_STALE;
	m->exit = 1;
	strcpy(m->what, "store: chain id: expected 1, got 5");
}

static void fill_status_report(void *ptr)
{
	struct dr_status_report *m = ptr;

	m->chain_id = 31337;
	m->proof = DR_PROOF_QUORUM;
	m->quorum_k = 2;
	m->quorum_n = 3;
	m->start_number = 7;
	m->has_final = m->sealed = m->torn = true;
	m->final_number = 12;
	m->final_time = 1700000000;
	memset(m->final_hash, 0x55, 32);
	m->target_number = 13;
	m->head_number = 14;
	m->heads_counting = 2;
	strcpy(m->why, "no final block since the start");
	m->ledger_size = 5;
	m->journal_size = 6;
	memset(m->state_digest, 0xbb, 32);
	m->generation = 2;
	m->holding = DR_HOLDING_FOREIGN;
	m->rotation_deadline = 1700009000;
	m->heartbeat = true;
	m->heartbeat_age_s = 12;
	m->findings = 1;
	m->frames_kept = 100;
	m->num_endpoints = 2;
	strcpy(m->endpoints[0].name, "a");
	m->endpoints[0].state = DR_ENDPOINT_GOOD;
	strcpy(m->endpoints[1].name, "b");
	m->endpoints[1].lies = 3;
	strcpy(m->endpoints[1].reason, "set aside");
}

/* One thin pair per type, so that a table can hold them. */
#define WRAP(name)                                                                                                   \
	static enum dr_err put_##name(struct dr_buf *out, const void *in, struct dr_fail *fail)                      \
	{                                                                                                            \
		return dr_##name##_put(out, 0x0777, in, fail);                                                       \
	}                                                                                                            \
	static enum dr_err get_##name(void *out, struct dr_bytes payload, struct dr_fail *fail)                      \
	{                                                                                                            \
		return dr_##name##_get(out, payload, fail);                                                          \
	}
PAYLOADS(WRAP)

#define ROW(name) { #name, sizeof(struct dr_##name), fill_##name, put_##name, get_##name },
static const struct row {
	const char *name;
	size_t size;
	void (*fill)(void *ptr);
	enum dr_err (*put)(struct dr_buf *out, const void *in, struct dr_fail *fail);
	enum dr_err (*get)(void *out, struct dr_bytes payload, struct dr_fail *fail);
} rows[] = { PAYLOADS(ROW) };
#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))

static struct dr_bytes payload_of(const struct row *row, const void *in)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	struct dr_buf buf;
	uint16_t type;
	size_t used;

	dr_buf_init(&buf, 1u << 20);
	if (row->put(&buf, in, &fail) != DR_OK)
		return (struct dr_bytes){ NULL, 0 };
	assert_int_equal(dr_msg_get(&type, &payload, &used, dr_buf_view(&buf), &fail), DR_OK);
	assert_int_equal(used, buf.len);
	assert_int_equal(type, 0x0777);
	uint8_t *copy = kit_alloc(payload.len);

	memcpy(copy, payload.ptr, payload.len);
	dr_buf_free(&buf);
	return dr_bytes_of(copy, payload.len);
}

/* What was read borrows other memory than what was written, with the same bytes in it. */
static void borrowed(struct dr_bytes *out, const struct dr_bytes *in)
{
	assert_true(dr_bytes_eq(*out, *in));
	*out = *in;
}

static void test_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_ROWS; i++) {
		const struct row *row = &rows[i];
		uint8_t *in = kit_alloc(row->size), *out = kit_alloc(row->size);
		struct dr_fail fail = { 0 };

		row->fill(in);
		const struct dr_bytes payload = payload_of(row, in);

		assert_non_null(payload.ptr);
		assert_int_equal(row->get(out, payload, &fail), DR_OK);
		if (row->get == get_init) {
			struct dr_init *m = (struct dr_init *)out;

			assert_true(dr_bytes_eq(m->profile, dr_bytes_of(profile_bytes, sizeof(profile_bytes))));
			m->profile = ((struct dr_init *)in)->profile;
			borrowed(&m->network, &((struct dr_init *)in)->network);
		} else if (row->get == get_entry) {
			struct dr_entry *m = (struct dr_entry *)out;

			assert_true(dr_bytes_eq(m->leaf, dr_bytes_of("leaf", 4)));
			m->leaf = ((struct dr_entry *)in)->leaf;
		} else if (row->get == get_run) {
			borrowed(&((struct dr_run *)out)->bytes, &((struct dr_run *)in)->bytes);
		} else if (row->get == get_key_answer) {
			struct dr_key_answer *m = (struct dr_key_answer *)out, *from = (struct dr_key_answer *)in;

			borrowed(&m->proof, &from->proof);
			borrowed(&m->certificate, &from->certificate);
			borrowed(&m->box, &from->box);
		}
		assert_memory_equal(in, out, row->size);
		const struct dr_bytes again = payload_of(row, out);

		assert_true(dr_bytes_eq(payload, again));
	}
}

/* What decodes encodes to the same bytes: nothing has two encodings. What does not leaves zeros. */
static void decode_or_fail(const struct row *row, struct dr_bytes bytes, bool must_fail)
{
	/* kit_alloc's memory lives on: one block for all calls. */
	static _Alignas(max_align_t) uint8_t out[65536];
	struct dr_fail fail = { 0 };

	assert_true(row->size <= sizeof(out));
	memset(out, 0xee, row->size);
	if (row->get(out, bytes, &fail) != DR_OK) {
		assert_int_not_equal(fail.err, DR_OK);
		assert_non_null(fail.what);
		assert_true(dr_bytes_zero(out, row->size));
		return;
	}
	assert_false(must_fail);
	struct dr_buf buf;

	dr_buf_init(&buf, 1u << 20);
	assert_int_equal(row->put(&buf, out, &fail), DR_OK);
	assert_int_equal(buf.len, bytes.len + 6);
	assert_memory_equal(buf.ptr + 6, bytes.ptr, bytes.len);
	dr_buf_free(&buf);
}

static void test_truncations_and_flips(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_ROWS; i++) {
		uint8_t *in = kit_alloc(rows[i].size);

		rows[i].fill(in);
		const struct dr_bytes payload = payload_of(&rows[i], in);
		uint8_t *copy = kit_alloc(payload.len + 1);

		memcpy(copy, payload.ptr, payload.len);
		for (size_t cut = 0; cut < payload.len; cut++)
			decode_or_fail(&rows[i], dr_bytes_of(payload.ptr, cut), true);
		decode_or_fail(&rows[i], dr_bytes_of(copy, payload.len + 1), true);
		for (size_t bit = 0; bit < payload.len * 8; bit++) {
			copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
			decode_or_fail(&rows[i], dr_bytes_of(copy, payload.len), false);
			copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

/* One byte of a good payload set to another value. Offsets as the code* functions of proto_msg.c have them. */
static const struct {
	const char *name;
	const char *row;
	size_t at;
	uint8_t value;
	enum dr_err expected;
} bad[] = {
	{ "init of another version", "init", 3, 3, DR_ERR_UNKNOWN },
	{ "mode 0", "init", 4, 0, DR_ERR_UNKNOWN },
	{ "mode 6", "init", 4, 6, DR_ERR_UNKNOWN },
	{ "clock 2", "init", 5, 2, DR_ERR_UNKNOWN },
	{ "proof none", "init", 6, 0, DR_ERR_UNKNOWN },
	{ "way 3", "init", 7, 3, DR_ERR_UNKNOWN },
	{ "heartbeat 2", "init", 132, 2, DR_ERR_NONCANONICAL },
	{ "data_dir longer than its room", "init", 162, 0x02, DR_ERR_LIMIT },
	{ "NUL in a text", "init", 165, 0x00, DR_ERR_SYNTAX },
	{ "newline in a text", "init", 165, '\n', DR_ERR_SYNTAX },
	{ "DEL in a text", "init", 165, 0x7f, DR_ERR_SYNTAX },
	{ "a lone continuation byte", "init", 165, 0x80, DR_ERR_SYNTAX },
	{ "finding none", "audit_finding", 0, 0, DR_ERR_UNKNOWN },
	{ "verdict 2", "answer", 27, 2, DR_ERR_UNKNOWN },
	{ "ALLOW with a reason", "answer", 28, 1, DR_ERR_SYNTAX },
	{ "deny 23", "answer", 28, 23, DR_ERR_UNKNOWN },
	{ "want kind 0", "want", 4, 0, DR_ERR_UNKNOWN },
	{ "257 slots", "want", 73, 0x01, DR_ERR_LIMIT },
	{ "more slots than there are", "want", 74, 3, DR_ERR_SHORT },
	{ "fewer slots than there are", "want", 74, 1, DR_ERR_SYNTAX },
	{ "refusal without an error", "refusal", 6, 0, DR_ERR_UNKNOWN },
	{ "endpoint state 5", "endpoint_news", 2, 5, DR_ERR_UNKNOWN },
	{ "log 2", "log_query", 0, 2, DR_ERR_UNKNOWN },
	{ "key with DENY", "key_answer", 0, 0, DR_ERR_SYNTAX },
	{ "key of 257 bytes", "key_answer", 129, 1, DR_ERR_LIMIT },
	{ "leaf of 64 KiB", "entry", 41, 1, DR_ERR_LIMIT },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct row *row = NULL;

		for (size_t k = 0; k < NUM_ROWS; k++)
			if (strcmp(rows[k].name, bad[i].row) == 0)
				row = &rows[k];
		assert_non_null(row);
		uint8_t *in = kit_alloc(row->size), *out = kit_alloc(row->size);
		struct dr_fail fail = { 0 };

		row->fill(in);
		const struct dr_bytes payload = payload_of(row, in);
		uint8_t *copy = kit_alloc(payload.len);

		assert_true(bad[i].at < payload.len);
		memcpy(copy, payload.ptr, payload.len);
		copy[bad[i].at] = bad[i].value;
		if (row->get(out, dr_bytes_of(copy, payload.len), &fail) != bad[i].expected)
			fail_msg("%s: got %s (%s)", bad[i].name, dr_err_name(fail.err), fail.what);
		kit_assert_fail(bad[i].expected, &fail);
	}
}

static void test_put_refuses(void **state)
{
	static struct dr_error e;
	struct dr_fail fail = { 0 };
	struct dr_buf buf;

	(void)state;
	dr_buf_init(&buf, 4096);
	memset(e.what, 'x', sizeof(e.what)); /* no end */
	assert_int_equal(dr_error_put(&buf, DR_MSG_ERROR, &e, &fail), DR_ERR_LIMIT);
	fail = (struct dr_fail){ 0 };
	strcpy(e.what, "two\nlines");
	assert_int_equal(dr_error_put(&buf, DR_MSG_ERROR, &e, &fail), DR_ERR_SYNTAX);
	assert_int_equal(buf.len, 0);
	dr_buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_truncations_and_flips),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_put_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
