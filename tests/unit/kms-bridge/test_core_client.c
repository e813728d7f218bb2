/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client of derot-core, and derot-serve, is told: each message, its refusals, and what ends the channel.
 */
#include "tests/unit/kms-bridge/core_client_kit.h"

static void test_node(void **state)
{
	static struct process p;
	static struct dr_channel ch;
	struct dr_node_public node, again;
	char name[DR_CHECKPOINT_NAME_MAX];

	(void)state;
	run_to_final(&p);
	client(&ch);
	node_of(&ch, &node);
	assert_false(dr_bytes_zero(node.enc_key, 32));
	assert_false(dr_bytes_zero(node.sign_key, 32));
	assert_memory_not_equal(node.enc_key, node.sign_key, 32);
	dr_checkpoint_name(name, init.chain_id, init.contract, init.node);
	assert_string_equal(node.name, name);
	assert_false(node.heartbeat);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
	/* The same node after a restart. */
	start_run(&p);
	client(&ch);
	node_of(&ch, &again);
	assert_memory_equal(again.enc_key, node.enc_key, 32);
	assert_memory_equal(again.sign_key, node.sign_key, 32);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
}

/* Waits until a heartbeat is drawn. */
static void drawn(struct dr_channel *ch, unsigned num)
{
	struct dr_node_public node = { 0 };

	for (int tries = 0; tries < 1000 && node.nonce_ms == 0; tries++) {
		usleep(10000);
		node_of(ch, &node);
	}
	assert_true(node.nonce_ms != 0 && dr_be64_get(node.nonce) > 0);
	assert_int_equal(journal_num(ch, DR_NOTE_HEARTBEAT, "a heartbeat is drawn; random "), num);
}

/* A heartbeat names a size of the journal: it is drawn when the chain was heard, which may know of a larger. */
static void test_heartbeat(void **state)
{
	static struct process p;
	static struct dr_channel ch;
	static struct dr_status_report status;
	struct dr_node_public node;
	struct dr_buf frames;

	(void)state;
	init.heartbeat = true;
	run_to_final(&p);
	client(&ch);
	drawn(&ch, 1);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
	start_run(&p);
	client(&ch);
	usleep(1500000);
	node_of(&ch, &node);
	assert_true(node.heartbeat);
	assert_true(dr_bytes_zero(node.nonce, 32));
	/* The block that it had is final still, and not the newest. */
	dr_buf_init(&frames, 4096);
	add_final(&frames, 0, 3);
	add_final(&frames, 0, 4);
	send_frames(&p, &frames);
	dr_channel_flush(&p.watch, 0, 1000);
	for (int tries = 0; tries < 1000 && strstr(status.why, "heartbeat") == NULL; tries++) {
		usleep(10000);
		status_of(&ch, &status);
	}
	assert_non_null(strstr(status.why, "no heartbeat of this boot"));
	usleep(1500000);
	node_of(&ch, &node);
	assert_true(dr_bytes_zero(node.nonce, 32));
	frames.len = 0;
	add_header(&frames, 4);
	send_frames(&p, &frames);
	dr_channel_flush(&p.watch, 0, 1000);
	drawn(&ch, 2);
	dr_buf_free(&frames);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
}

static void test_checkpoints_and_proofs(void **state)
{
	static struct process p;
	static struct dr_channel ch;
	static struct dr_log_proof proof;
	static struct dr_status_report status;
	const uint8_t journal_query[17] = { 1 };
	uint8_t roots[2][32];
	uint64_t sizes[2];

	(void)state;
	run_to_final(&p);
	client(&ch);
	for (uint8_t log = 0; log < 2; log++)
		checkpoint_of(&ch, log, &sizes[log], roots[log]);
	assert_true(sizes[1] > 3);
	status_of(&ch, &status);
	assert_int_equal(status.ledger_size, sizes[0]);
	assert_memory_equal(status.ledger_root, roots[0], 32);
	/* Something goes into the journal, so that there is something to be consistent with. */
	const struct dr_parcel_query share = { .generation = 1 };

	told(&ch, DR_MSG_PARCEL_GET, PAYLOAD(parcel_query, &share), DR_MSG_ERROR);

	struct dr_proof_query q = { .log = 1, .kind = DR_PROOF_CONSISTENCY, .first = sizes[1] };

	proof_of(&ch, &q, &proof);
	assert_true(proof.size > sizes[1]);
	assert_memory_equal(proof.first_hash, roots[1], 32);
	assert_true(dr_merkle_verify_consistency(roots[1], sizes[1], proof.root, proof.size,
						 (const uint8_t(*)[32])proof.hashes, proof.num));
	/* The root of the journal as it was is still known. */
	q = (struct dr_proof_query){ .log = 1, .kind = DR_PROOF_CONSISTENCY, .first = 1, .size = sizes[1] };
	proof_of(&ch, &q, &proof);
	assert_memory_equal(proof.root, roots[1], 32);
	assert_true(dr_merkle_verify_consistency(proof.first_hash, 1, roots[1], sizes[1],
						 (const uint8_t(*)[32])proof.hashes, proof.num));
	/* Every leaf of it, by what LOG_GET tells of the leaf. */
	struct dr_bytes got;
	uint8_t leaves[64][32];
	uint64_t num = 0;

	for (uint16_t type = say(&ch, DR_MSG_LOG_GET, dr_bytes_of(journal_query, 17), &got); type != DR_MSG_LOG_END;
	     type = next(&ch, &got)) {
		struct dr_fail fail = { 0 };
		struct dr_entry entry;

		assert_int_equal(dr_entry_get(&entry, got, &fail), DR_OK);
		if (num < sizes[1] && num < 64)
			dr_merkle_leaf(leaves[num++], entry.leaf);
	}
	for (uint64_t i = 0; i < num; i++) {
		q = (struct dr_proof_query){ .log = 1, .kind = DR_PROOF_INCLUSION, .first = i, .size = sizes[1] };
		proof_of(&ch, &q, &proof);
		assert_memory_equal(proof.first_hash, leaves[i], 32);
		assert_true(dr_merkle_verify_inclusion(roots[1], sizes[1], i, leaves[i],
						       (const uint8_t(*)[32])proof.hashes, proof.num));
	}

	/* Beyond the size: in words, and the channel goes on. */
	static const struct {
		uint8_t log, kind;
		uint64_t first, size;
		const char *words;
	} beyond[] = {
		{ 1, DR_PROOF_INCLUSION, 0, 1000000, "size of a log" },
		{ 1, DR_PROOF_CONSISTENCY, 1, UINT64_MAX, "size of a log" },
		{ 1, DR_PROOF_INCLUSION, 2, 2, "index of a log entry" },
		{ 1, DR_PROOF_INCLUSION, UINT64_MAX, 0, "index of a log entry" },
		{ 1, DR_PROOF_CONSISTENCY, 3, 2, "size of a log" },
		{ 0, DR_PROOF_INCLUSION, 1000000, 0, "index of a log entry" },
		{ 0, DR_PROOF_CONSISTENCY, 1000000, 0, "size of a log" },
	};

	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		q = (struct dr_proof_query){ beyond[i].log, beyond[i].kind, beyond[i].first, beyond[i].size };
		refused(&ch, DR_MSG_PROOF_GET, PAYLOAD(proof_query, &q), DR_ERR_LIMIT, beyond[i].words);
	}
	status_of(&ch, &status);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
}

static void test_certificate(void **state)
{
	static struct process p;
	static struct dr_channel ch;
	static const char none[] = "no published root generation of this number is held here";
	struct dr_certificate_query q = { 0 };

	(void)state;
	at_rest();
	run_to_final(&p);
	client(&ch);
	refused(&ch, DR_MSG_CERTIFICATE_GET, PAYLOAD(certificate_query, &q), DR_ERR_UNKNOWN, none);
	q.has_app = true;
	refused(&ch, DR_MSG_CERTIFICATE_GET, PAYLOAD(certificate_query, &q), DR_ERR_UNKNOWN, none);
	/* Held, and not published. */
	q.generation = 3;
	refused(&ch, DR_MSG_CERTIFICATE_GET, PAYLOAD(certificate_query, &q), DR_ERR_UNKNOWN, none);
	q.generation = UINT64_MAX;
	refused(&ch, DR_MSG_CERTIFICATE_GET, PAYLOAD(certificate_query, &q), DR_ERR_UNKNOWN, none);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
}

static void test_parcels(void **state)
{
	static struct process p;
	static struct dr_channel ch;
	const struct dr_parcel_query newest = { 0 }, third = { .generation = 3, .node = { 7 } };
	struct dr_node_public node;
	struct dr_fail fail = { 0 };
	struct dr_run run;
	struct dr_buf parcel;

	(void)state;
	at_rest();
	start_run(&p);
	client(&ch);
	node_of(&ch, &node);
	refused(&ch, DR_MSG_PARCEL_GET, PAYLOAD(parcel_query, &third), DR_ERR_STALE,
		"sealed: no complete final block has been proven since the start");
	assert_int_equal(journal_num(&ch, DR_NOTE_SHARE,
				     "root generation 3 asked for node 0x0700000000000000000000000000000000000000: "
				     "deny sealed"),
			 1);

	/* A good one, of a node that holds it, for this node; but nothing on chain says so. */
	struct dr_keys *other = keys_of(init.key_file);
	uint8_t sealed[DR_KEYS_SEALED_LEN];

	assert_int_equal(dr_keys_make(other, 7, sealed, &fail), DR_OK);
	dr_buf_init(&parcel, DR_RUN_MAX);
	assert_int_equal(dr_keys_parcel_make(other, 7, init.node, node.enc_key, &parcel, &fail), DR_OK);
	dr_keys_free(other);
	run = (struct dr_run){ dr_buf_view(&parcel) };
	refused(&ch, DR_MSG_PARCEL_PUT, PAYLOAD(run, &run), DR_ERR_STALE, "sealed: ");
	assert_int_equal(journal_num(&ch, DR_NOTE_SHARE, "a parcel was refused: sealed: "), 1);
	run = (struct dr_run){ dr_bytes_of("no parcel at all", 16) };
	refused(&ch, DR_MSG_PARCEL_PUT, PAYLOAD(run, &run), DR_ERR_UNKNOWN, "parcel: it does not begin as one");
	run = (struct dr_run){ dr_bytes_of(parcel.ptr, parcel.len - 1) };
	refused(&ch, DR_MSG_PARCEL_PUT, PAYLOAD(run, &run), DR_ERR_SHORT, "");
	run = (struct dr_run){ nothing };
	refused(&ch, DR_MSG_PARCEL_PUT, PAYLOAD(run, &run), DR_ERR_SHORT, "");
	assert_int_equal(journal_num(&ch, DR_NOTE_SHARE, "a parcel was refused: "), 4);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);

	run_to_final(&p);
	client(&ch);
	refused(&ch, DR_MSG_PARCEL_GET, PAYLOAD(parcel_query, &newest), DR_ERR_STALE, "");
	refused(&ch, DR_MSG_PARCEL_GET, PAYLOAD(parcel_query, &third), DR_ERR_STALE, "");
	assert_int_equal(journal_num(&ch, DR_NOTE_SHARE, "deny sealed"), 1); /* the one from above */
	assert_int_equal(journal_num(&ch, DR_NOTE_SHARE, ": deny "), 3);
	run = (struct dr_run){ dr_buf_view(&parcel) };
	refused(&ch, DR_MSG_PARCEL_PUT, PAYLOAD(run, &run), DR_ERR_STALE, "");
	assert_int_equal(journal_num(&ch, DR_NOTE_SHARE, "a parcel was refused: "), 5);

	struct dr_root_public root;

	root_of(&ch, 7, &root);
	assert_int_equal(root.generation, 0); /* it is not held */
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
	dr_buf_free(&parcel);
}

/* A node without a key file follows, and says that it has none. */
static void test_no_keys(void **state)
{
	static struct process p;
	static struct dr_channel ch;
	static struct dr_status_report status;
	const struct dr_run run = { dr_bytes_of("parcel", 6) };
	const uint8_t journal = 1;

	(void)state;
	init.key_file[0] = 0;
	run_to_final(&p);
	client(&ch);
	refused(&ch, DR_MSG_NODE_GET, nothing, DR_ERR_UNKNOWN, "no key file");
	refused(&ch, DR_MSG_CHECKPOINT_GET, dr_bytes_of(&journal, 1), DR_ERR_UNKNOWN, "no key to sign");
	refused(&ch, DR_MSG_PARCEL_PUT, PAYLOAD(run, &run), DR_ERR_UNKNOWN, "no key file");
	refused(&ch, DR_MSG_RESEAL, nothing, DR_ERR_UNKNOWN, "no key file");
	status_of(&ch, &status);
	assert_false(status.sealed);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
}

/* A store at rest answers what anybody may know of it, and says of the rest who would. */
static void test_query(void **state)
{
	static const uint16_t running[] = { DR_MSG_KEY_GET,         DR_MSG_ROOT_GET,      DR_MSG_NODE_GET,
					    DR_MSG_PARCEL_GET,      DR_MSG_PARCEL_PUT,    DR_MSG_RESEAL,
					    DR_MSG_CERTIFICATE_GET, DR_MSG_CHECKPOINT_GET };
	static struct process p;
	static struct dr_log_proof proof;
	const struct dr_proof_query q = { .log = 1, .kind = DR_PROOF_CONSISTENCY, .first = 1 };
	struct dr_bytes got;

	(void)state;
	run_to_final(&p);
	assert_int_equal(stop_run(&p), 0);
	spawn(&p, DR_MODE_QUERY);
	dr_channel_flush(&p.control, 0, 1000);
	assert_int_equal(next(&p.control, &got), DR_MSG_READY);
	proof_of(&p.control, &q, &proof);
	assert_true(dr_merkle_verify_consistency(proof.first_hash, 1, proof.root, proof.size,
						 (const uint8_t(*)[32])proof.hashes, proof.num));
	for (size_t i = 0; i < sizeof(running) / sizeof(running[0]); i++)
		refused(&p.control, running[i], nothing, DR_ERR_UNKNOWN, "only a running core answers this");
	shutdown(p.control.fd, SHUT_WR);
	assert_int_equal(wait_for(&p), 0);
}

/* Whoever breaks the protocol is hung up on; others are served. */
static void test_malformed(void **state)
{
	static const struct {
		uint16_t type;
		const char *bytes;
		size_t len;
	} rows[] = {
		{ DR_MSG_STATUS_GET, "x", 1 },
		{ DR_MSG_LOG_GET, "", 0 },
		{ DR_MSG_LOG_GET, "\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 17 },
		{ DR_MSG_ROOT_GET, "\0\0\0\0\0\0\0", 7 },
		{ DR_MSG_ROOT_GET, "\0\0\0\0\0\0\0\0\0", 9 },
		{ DR_MSG_EVIDENCE_GET, "x", 1 },
		{ DR_MSG_NODE_GET, "x", 1 },
		{ DR_MSG_PARCEL_GET, "\0\0\0\0\0\0\0\1", 8 },
		{ DR_MSG_PARCEL_PUT, "\0\0", 2 },
		{ DR_MSG_PARCEL_PUT, "\0\0\0\5abc", 7 },
		{ DR_MSG_CERTIFICATE_GET, "\0\0\0\0\0\0\0\1", 8 },
		{ DR_MSG_CERTIFICATE_GET,
		  "\0\0\0\0\0\0\0\1\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 41 },
		{ DR_MSG_CHECKPOINT_GET, "", 0 },
		{ DR_MSG_CHECKPOINT_GET, "\2", 1 },
		{ DR_MSG_CHECKPOINT_GET, "\0\0", 2 },
		{ DR_MSG_PROOF_GET, "\1", 1 },
		{ DR_MSG_PROOF_GET, "\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18 },
		{ DR_MSG_PROOF_GET, "\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18 },
		{ DR_MSG_PROOF_GET, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 19 },
		{ DR_MSG_RESEAL, "x", 1 },
		/* Not a client's to say. */
		{ DR_MSG_INIT, "", 0 },
		{ DR_MSG_FRAME, "", 0 },
		{ DR_MSG_KEY, "", 0 },
		{ DR_MSG_DONE, "", 0 },
		{ 0, "", 0 },
		{ 0x050d, "", 0 },
		{ UINT16_MAX, "", 0 },
	};
	static struct process p;
	static struct dr_channel ch, good;
	static struct dr_status_report status;
	struct dr_bytes got;

	(void)state;
	start_run(&p);
	client(&good);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		client(&ch);
		const uint16_t type = say(&ch, rows[i].type, dr_bytes_of(rows[i].bytes, rows[i].len), &got);

		if (type != 0)
			fail_msg("row %zu: message %04x was answered by %04x", i, rows[i].type, type);
		dr_channel_close(&ch);
		status_of(&good, &status);
	}
	dr_channel_close(&good);
	assert_int_equal(stop_run(&p), 0);
}

/* What serve says comes from anybody on this machine, or beyond it. */
static void test_serve(void **state)
{
	static const uint16_t private[] = {
		DR_MSG_KEY_GET,    DR_MSG_ROOT_GET, DR_MSG_EVIDENCE_GET, DR_MSG_PARCEL_GET,
		DR_MSG_PARCEL_PUT, DR_MSG_RESEAL,   DR_MSG_STOP,
	};
	static struct process p;
	static struct dr_channel ch;
	static struct dr_log_proof proof;
	static struct dr_status_report status;
	const struct dr_proof_query q = { .log = 1, .kind = DR_PROOF_INCLUSION };
	const struct dr_certificate_query certificate = { 0 };
	const struct dr_parcel_query share = { 0 };
	const struct dr_request request = { .purpose = DR_PURPOSE_SEAL, .confidence = 1 };
	const uint8_t generation[8] = { 0 };
	uint8_t bytes[DR_REQUEST_LEN_MAX], root[32], key[128], after[128];
	struct dr_fail fail = { 0 };
	struct dr_bytes got;
	uint64_t size;
	size_t len;

	(void)state;
	assert_int_equal(dr_request_encode(bytes, sizeof(bytes), &len, &request, &fail), DR_OK);
	init.serve = true;
	run_to_final(&p);
	status_of(&p.serve, &status);
	assert_int_equal(status.final_number, START + 3);
	assert_true(journal_num(&p.serve, DR_NOTE_FINAL, "") >= 2);
	checkpoint_of(&p.serve, 0, &size, root);
	checkpoint_of(&p.serve, 1, &size, root);
	proof_of(&p.serve, &q, &proof);
	refused(&p.serve, DR_MSG_CERTIFICATE_GET, PAYLOAD(certificate_query, &certificate), DR_ERR_UNKNOWN,
		"no published root generation");
	client(&ch);
	shutdown(p.serve.fd, SHUT_RDWR); /* serve died: the core goes on */
	status_of(&ch, &status);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);

	FILE *f = fopen(init.key_file, "rb");

	assert_non_null(f);
	const size_t key_len = fread(key, 1, sizeof(key), f);

	fclose(f);
	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++) {
		/* Well-formed, each of them. */
		const struct dr_run run = { dr_bytes_of("parcel", 6) };
		const struct dr_bytes payload = private[i] == DR_MSG_KEY_GET      ? dr_bytes_of(bytes, len)
						: private[i] == DR_MSG_ROOT_GET   ? dr_bytes_of(generation, 8)
						: private[i] == DR_MSG_PARCEL_GET ? PAYLOAD(parcel_query, &share)
						: private[i] == DR_MSG_PARCEL_PUT ? PAYLOAD(run, &run)
										  : nothing;

		start_run(&p);
		status_of(&p.serve, &status);
		const uint16_t type = say(&p.serve, private[i], payload, &got);

		if (type != 0)
			fail_msg("serve was answered %04x by %04x", private[i], type);
		client(&ch);
		status_of(&ch, &status);
		assert_int_equal(journal_num(&ch, DR_NOTE_SHARE, ""), 0);
		assert_int_equal(journal_num(&ch, DR_NOTE_REQUEST, ""), 0);
		dr_channel_close(&ch);
		assert_int_equal(stop_run(&p), 0);
	}
	f = fopen(init.key_file, "rb");
	assert_int_equal(fread(after, 1, sizeof(after), f), key_len);
	fclose(f);
	assert_memory_equal(after, key, key_len);
}

/* Keys are released in batches; what a client hears is in the order in which it asked all the same. */
static void test_in_order(void **state)
{
	enum { KEY, STATUS, BAD };
	static const uint8_t script[] = { KEY,    KEY, STATUS, BAD, KEY,    STATUS, STATUS, BAD, BAD, KEY,
					  STATUS, KEY, KEY,    KEY, STATUS, KEY,    KEY,    KEY, KEY, KEY,
					  KEY,    KEY, KEY,    KEY, KEY,    KEY,    KEY,    KEY, KEY, KEY,
					  KEY,    KEY, KEY,    KEY, KEY,    BAD,    KEY,    KEY, KEY, STATUS };
	static const uint16_t answers[] = { [KEY] = DR_MSG_KEY, [STATUS] = DR_MSG_STATUS, [BAD] = DR_MSG_ERROR };
	static struct process p;
	static struct dr_channel chs[3];
	static struct dr_status_report report;
	struct dr_request request = { .purpose = DR_PURPOSE_SEAL, .confidence = 1 };
	struct dr_key_answer key;
	uint8_t bytes[DR_REQUEST_LEN_MAX];
	uint64_t last[3] = { 0 }, size[3] = { 0 };
	struct dr_fail fail = { 0 };
	struct dr_bytes got;
	size_t len;

	(void)state;
	assert_int_equal(dr_request_encode(bytes, sizeof(bytes), &len, &request, &fail), DR_OK);
	run_to_final(&p);
	for (size_t i = 0; i < 3; i++) {
		client(&chs[i]);
		for (size_t j = 0; j < sizeof(script); j++)
			dr_msg_put(&chs[i].out, script[j] == STATUS ? DR_MSG_STATUS_GET : DR_MSG_KEY_GET,
				   dr_bytes_of(bytes, script[j] == KEY   ? len
						      : script[j] == BAD ? len - 1
									 : 0),
				   &fail);
	}
	for (size_t i = 0; i < 3; i++)
		dr_channel_flush(&chs[i], 0, 1000);
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < sizeof(script); j++) {
			const uint16_t type = next(&chs[i], &got);

			if (type != answers[script[j]])
				fail_msg("client %zu, answer %zu: %04x", i, j, type);
			if (type == DR_MSG_KEY) {
				assert_int_equal(dr_key_answer_get(&key, got, &fail), DR_OK);
				assert_true(key.request_idx > last[i]);
				assert_true(key.request_idx >= size[i]);
				last[i] = key.request_idx;
			} else if (type == DR_MSG_STATUS) {
				/* The journal it tells of has every request before it. */
				assert_int_equal(dr_status_report_get(&report, got, &fail), DR_OK);
				assert_true(report.journal_size > last[i]);
				size[i] = report.journal_size;
			}
		}
		dr_channel_close(&chs[i]);
	}
	assert_int_equal(stop_run(&p), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_node),        T(test_heartbeat), T(test_checkpoints_and_proofs),
		T(test_certificate), T(test_parcels),   T(test_no_keys),
		T(test_query),       T(test_malformed), T(test_serve),
		T(test_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
