/* SPDX-License-Identifier: Apache-2.0
 *
 * The derot-core process from the outside: its modes, what ends it, and what a client and a watch may do to it.
 */
#include "tests/unit/kms-bridge/core_kit.h"

/* A recording: the start block final, then START + 3. */
static void make_stream(struct dr_buf *out)
{
	struct dr_evidence_head head = { .family = DR_FAMILY_EVM, .chain_id = init.chain_id };
	uint8_t bytes[DR_EVIDENCE_HEAD_LEN];
	struct dr_fail fail = { 0 };

	dr_buf_init(out, 1u << 20);
	memcpy(head.genesis, init.genesis, 32);
	dr_evidence_head_put(bytes, &head);
	dr_buf_append(out, bytes, sizeof(bytes), &fail);
	add_clock(out, DR_FRAME_START, times[0]);
	add_header(out, 0);
	add_final(out, 0, 0);
	add_clock(out, DR_FRAME_CLOCK, times[3]);
	add_final(out, 0, 3);
	add_header(out, 1);
	add_header(out, 2);
	add_header(out, 3);
}

static void play(struct process *p, const struct dr_buf *stream, size_t run, size_t len, int expected)
{
	struct dr_ask ask = { .name = "an app" };
	struct dr_fail fail = { 0 };

	ask.request.purpose = DR_PURPOSE_SEAL;
	ask.request.confidence = 1;
	spawn(p, DR_MODE_REPLAY);
	assert_int_equal(dr_ask_put(&p->control.out, DR_MSG_ASK, &ask, &fail), DR_OK);
	for (size_t at = 0; at < len; at += run)
		dr_msg_put(&p->control.out, DR_MSG_EVIDENCE,
			   dr_bytes_of(stream->ptr + at, len - at < run ? len - at : run), &fail);
	dr_msg_put(&p->control.out, DR_MSG_END, dr_bytes_of(NULL, 0), &fail);
	const int code = wait_for(p);

	if (code != expected)
		fail_msg("exit %d, expected %d: %s", code, expected, p->heard.error.what);
}

static void test_replay(void **state)
{
	static struct process p;
	uint8_t ledger[32], journal[32];
	struct dr_buf stream;

	(void)state;
	make_stream(&stream);
	for (size_t run = 1; run <= stream.len; run = run * 7 + 3) {
		play(&p, &stream, run, stream.len, 0);
		assert_int_equal(p.heard.ready, 1);
		assert_int_equal(p.heard.status, 1);
		assert_int_equal(p.heard.fatal, 0);
		assert_int_equal(p.heard.report.final_number, START + 3);
		assert_int_equal(p.heard.report.frames_refused, 0);
		assert_false(p.heard.report.torn);
		assert_false(p.heard.report.sealed);
		assert_true(noted(&p, DR_NOTE_START) && noted(&p, DR_NOTE_FINAL));
		assert_int_equal(p.heard.first.decision.deny, DR_DENY_SEALED);
		assert_int_equal(p.heard.first.number, 0);
		assert_true(p.heard.answers >= 2);
		assert_int_not_equal(p.heard.last.decision.deny, DR_DENY_SEALED);
		assert_string_equal(p.heard.last.name, "an app");
		if (run == 1) {
			memcpy(ledger, p.heard.report.ledger_root, 32);
			memcpy(journal, p.heard.report.journal_root, 32);
		}
		/* However the stream is split. */
		assert_memory_equal(ledger, p.heard.report.ledger_root, 32);
		assert_memory_equal(journal, p.heard.report.journal_root, 32);
	}
	init.until = START;
	play(&p, &stream, 100, stream.len, 0);
	assert_int_equal(p.heard.report.final_number, START);
	dr_buf_free(&stream);
}

static void test_replay_damaged(void **state)
{
	static struct process p;
	struct dr_buf stream, more;
	struct dr_fail fail = { 0 };

	(void)state;
	make_stream(&stream);
	play(&p, &stream, 64, stream.len - 1, 0); /* torn in the last frame */
	assert_true(p.heard.report.torn);
	assert_int_equal(p.heard.report.final_number, START);
	play(&p, &stream, 64, 40, DR_CORE_ERROR); /* in the head */
	assert_int_equal(p.heard.error.err, DR_ERR_SHORT);
	stream.ptr[stream.len - 1] ^= 1;
	play(&p, &stream, 64, stream.len, DR_CORE_ERROR);
	assert_non_null(strstr(p.heard.error.what, "damaged at byte"));
	stream.ptr[stream.len - 1] ^= 1;
	/* A frame that proves nothing does not belong into a recording. */
	dr_buf_init(&more, 1u << 20);
	dr_buf_append(&more, stream.ptr, stream.len, &fail);
	add_frame(&more, DR_FRAME_HEADER, 1, dr_bytes_of("no header", 9));
	play(&p, &more, 64, more.len, 0);
	assert_int_equal(p.heard.report.frames_refused, 1);
	assert_true(noted(&p, DR_NOTE_LIE));
	/* Another block final at the same height: a contradiction. */
	more.len = stream.len;
	add_final(&more, 0, BLOCKS);
	add_final(&more, 1, BLOCKS);
	play(&p, &more, 64, more.len, DR_CORE_CONFLICT);
	assert_true(noted(&p, DR_NOTE_CONFLICT));
	init.chain_id++;
	play(&p, &stream, 64, stream.len, DR_CORE_PROOF);
	assert_non_null(strstr(p.heard.error.what, "expected 31338, got 31337"));
	init.chain_id--;
	init.genesis[31] ^= 1;
	play(&p, &stream, 64, stream.len, DR_CORE_PROOF);
	dr_buf_free(&stream);
	dr_buf_free(&more);
}

static void test_run(void **state)
{
	static struct process p;
	static struct dr_status_report before, after;
	static struct dr_channel ch;
	struct dr_request request = { .purpose = DR_PURPOSE_SEAL, .confidence = 1 };
	struct dr_key_answer key;
	struct dr_root_public root;
	struct dr_fail fail = { 0 };
	uint8_t bytes[DR_REQUEST_LEN_MAX];
	const uint8_t ledger_query[17] = { 0 }, journal_query[17] = { 1 };
	unsigned num;
	size_t len;

	(void)state;
	run_to_final(&p);
	dr_channel_init(&ch, connect_client());
	assert_int_equal(dr_status_report_get(&before,
					      ask(&ch, DR_MSG_STATUS_GET, dr_bytes_of(NULL, 0), DR_MSG_STATUS, &num),
					      &fail),
			 DR_OK);
	assert_int_equal(before.final_number, START + 3);
	assert_false(before.sealed);
	assert_int_equal(before.endpoints[0].final_number, START + 3);
	assert_int_equal(dr_request_encode(bytes, sizeof(bytes), &len, &request, &fail), DR_OK);
	const struct dr_bytes answer = ask(&ch, DR_MSG_KEY_GET, dr_bytes_of(bytes, len), DR_MSG_KEY, &num);

	assert_int_equal(dr_key_answer_get(&key, answer, &fail), DR_OK);
	assert_int_equal(key.decision.verdict, DR_DENY);
	assert_int_equal(key.key_len, 0);
	assert_int_not_equal(key.reason[0], 0);
	assert_int_equal(dr_root_public_get(&root,
					    ask(&ch, DR_MSG_ROOT_GET, dr_bytes_of(bytes + 32, 8), DR_MSG_ROOT, &num),
					    &fail),
			 DR_OK);
	assert_int_equal(root.generation, 0);
	/* The request is in the journal. */
	ask(&ch, DR_MSG_LOG_GET, dr_bytes_of(journal_query, 17), DR_MSG_LOG_END, &num);
	assert_true(num > before.journal_size);
	ask(&ch, DR_MSG_LOG_GET, dr_bytes_of(ledger_query, 17), DR_MSG_LOG_END, &num);
	assert_int_equal(num, before.ledger_size);
	ask(&ch, DR_MSG_EVIDENCE_GET, dr_bytes_of(NULL, 0), DR_MSG_LOG_END, &num);
	assert_true(num >= 8);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
	assert_true(noted(&p, DR_NOTE_STOP) && noted(&p, DR_NOTE_REQUEST));

	/* Again: refolded, the same, sealed until finality is shown anew. */
	start_run(&p);
	dr_channel_init(&ch, connect_client());
	assert_int_equal(dr_status_report_get(&after,
					      ask(&ch, DR_MSG_STATUS_GET, dr_bytes_of(NULL, 0), DR_MSG_STATUS, &num),
					      &fail),
			 DR_OK);
	assert_true(after.sealed);
	assert_int_equal(after.final_number, START + 3);
	assert_memory_equal(after.ledger_root, before.ledger_root, 32);
	assert_memory_equal(after.state_digest, before.state_digest, 32);
	assert_true(after.journal_size > before.journal_size);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);

	/* QUERY, without a running core. */
	init.mode = DR_MODE_QUERY;
	spawn(&p, DR_MODE_QUERY);
	assert_int_equal(
		dr_status_report_get(
			&after, ask(&p.control, DR_MSG_STATUS_GET, dr_bytes_of(NULL, 0), DR_MSG_STATUS, &num), &fail),
		DR_OK);
	assert_int_equal(after.final_number, START + 3);
	ask(&p.control, DR_MSG_LOG_GET, dr_bytes_of(journal_query, 17), DR_MSG_LOG_END, &num);
	assert_int_equal(num, after.journal_size);
	ask(&p.control, DR_MSG_KEY_GET, dr_bytes_of(bytes, len), DR_MSG_ERROR, &num);
	shutdown(p.control.fd, SHUT_WR);
	assert_int_equal(wait_for(&p), 0);
}

/* A crash loses what was not committed, and only that. */
static bool refused_twice(const struct process *p)
{
	return p->heard.refused >= 2;
}

/* What is false is kept as evidence against who told it. What only comes too late is refused, and no more. */
static void test_quarantined(void **state)
{
	static struct process p;
	struct dr_buf frames;
	static const uint8_t nobodys[36] = { 0x11 }; /* receipts of a block that is not held any more */
	uint8_t falsified[1024];
	char path[DR_TEXT_MAX + 16];
	sqlite3_stmt *row;
	sqlite3 *raw;

	(void)state;
	run_to_final(&p);
	memcpy(falsified, headers[BLOCKS].ptr, headers[BLOCKS].len);
	dr_buf_init(&frames, 1u << 20);
	add_frame(&frames, DR_FRAME_RECEIPTS, 0, dr_bytes_of(nobodys, sizeof(nobodys)));
	add_frame(&frames, DR_FRAME_HEADER, 1, dr_bytes_of(falsified, headers[BLOCKS].len - 1));
	send_frames(&p, &frames);
	listen_to(&p, refused_twice);
	dr_buf_free(&frames);
	assert_int_equal(stop_run(&p), 0);
	assert_int_equal(p.heard.refused, 2);
	snprintf(path, sizeof(path), "%s/derot.db", init.data_dir);
	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(raw, "SELECT source, len FROM quarantine", -1, &row, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(row, 0), 1);
	assert_int_equal(sqlite3_column_int(row, 1), headers[BLOCKS].len - 1);
	assert_int_equal(sqlite3_step(row), SQLITE_DONE);
	sqlite3_finalize(row);
	sqlite3_close(raw);
}

static void test_killed(void **state)
{
	static struct process p;
	int status;

	(void)state;
	run_to_final(&p);
	kill(p.pid, SIGKILL);
	waitpid(p.pid, &status, 0);
	dr_channel_close(&p.control);
	dr_channel_close(&p.watch);
	start_run(&p);
	assert_int_equal(stop_run(&p), 0);
	assert_int_equal(p.heard.report.final_number, START + 3);
}

static void test_tampered(void **state)
{
	static const char *const edits[] = {
		"DELETE FROM evidence WHERE seq = (SELECT max(seq) FROM evidence)",
		"UPDATE evidence SET frame = (SELECT frame FROM evidence WHERE seq = 2) WHERE seq = 3",
		/* marks: the state digest, at byte 41 */
		("UPDATE meta SET value = CAST(substr(value, 1, 41) || CASE substr(value, 42, 1) WHEN x'ff' "
		 "THEN x'00' ELSE x'ff' END || substr(value, 43) AS BLOB) WHERE key = 'marks'"),
		"UPDATE journal SET leaf = x'00' WHERE idx = 0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		static struct process p;

		tear_down(NULL);
		set_up(NULL);
		run_to_final(&p);
		assert_int_equal(stop_run(&p), 0);
		edit(edits[i]);
		spawn(&p, DR_MODE_RUN);
		assert_int_equal(wait_for(&p), DR_CORE_ERROR);
		assert_int_equal(p.heard.ready, 0);
		assert_int_equal(p.heard.fatal, 1);
		assert_int_equal(p.heard.error.err, DR_ERR_PROOF);
	}
}

/* What an endpoint said that is configured no more stands; it says nothing new (test_protocol_errors). */
static void test_fewer_endpoints(void **state)
{
	static struct process p;
	struct dr_buf frames;

	(void)state;
	init.quorum_k = 2;
	init.quorum_n = 3;
	start_run(&p);
	dr_buf_init(&frames, 1u << 16);
	for (unsigned i = 0; i <= 3; i++)
		add_header(&frames, i);
	for (uint16_t source = 1; source < 3; source++) {
		add_final(&frames, source, 0);
		add_final(&frames, source, 3);
	}
	send_frames(&p, &frames);
	dr_buf_free(&frames);
	finals_wanted = 2;
	listen_to(&p, has_finals);
	assert_true(has_finals(&p));
	assert_int_equal(stop_run(&p), 0);
	init.quorum_n = 2;
	start_run(&p);
	assert_int_equal(stop_run(&p), 0);
	assert_int_equal(p.heard.ready, 1);
}

static void test_protocol_errors(void **state)
{
	static struct process p;
	struct dr_buf frames;

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct dr_fail fail = { 0 };
		uint8_t payload[16] = { 0 }, message[4096] = { 0, 0, 0, 1 };

		dr_buf_init(&frames, 4096);
		start_run(&p);
		if (i == 0)
			add_clock(&frames, DR_FRAME_CLOCK, times[0]); /* time is not watch's to tell */
		else if (i == 3)
			add_frame(&frames, DR_FRAME_CLOCK, 0, dr_bytes_of(payload, 16)); /* nor an endpoint's */
		else if (i == 1)
			add_final(&frames, 2, 0); /* the third of two endpoints */
		else if (i == 2)
			dr_msg_put(&p.watch.out, DR_MSG_STOP, dr_bytes_of(NULL, 0), &fail);
		else
			add_header(&frames, 0);
		if (i == 4) { /* a byte behind a frame */
			memcpy(message + 4, frames.ptr, frames.len);
			dr_msg_put(&p.watch.out, DR_MSG_FRAME, dr_bytes_of(message, 4 + frames.len + 1), &fail);
			frames.len = 0;
		}
		send_frames(&p, &frames);
		assert_int_equal(wait_for(&p), DR_CORE_ERROR);
		assert_true(noted(&p, DR_NOTE_LIE));
		assert_non_null(strstr(p.heard.error.what, "watch broke the protocol"));
		dr_buf_free(&frames);
	}
}

static void test_conflict(void **state)
{
	static struct process p;
	struct dr_buf frames;
	char path[DR_TEXT_MAX + 32];

	(void)state;
	run_to_final(&p);
	dr_buf_init(&frames, 4096);
	add_final(&frames, 0, BLOCKS);
	add_final(&frames, 1, BLOCKS);
	send_frames(&p, &frames);
	assert_int_equal(wait_for(&p), DR_CORE_CONFLICT);
	assert_true(noted(&p, DR_NOTE_CONFLICT));
	snprintf(path, sizeof(path), "%s/conflict-%u.ev", init.data_dir, START + 3);
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	/* The file replays to the same contradiction. */
	frames.len = 0;
	dr_buf_free(&frames);
	dr_buf_init(&frames, 1u << 20);
	struct dr_fail fail = { 0 };
	uint8_t *to = dr_buf_reserve(&frames, 1u << 19, &fail);

	frames.len = fread(to, 1, 1u << 19, f);
	fclose(f);
	play(&p, &frames, 1000, frames.len, DR_CORE_CONFLICT);
	dr_buf_free(&frames);
	/* And it stays halted. */
	spawn(&p, DR_MODE_RUN);
	assert_int_equal(wait_for(&p), DR_CORE_CONFLICT);
	assert_non_null(strstr(p.heard.error.what, "begin a new data directory"));
	assert_int_equal(p.heard.ready, 0);
}

static void test_second_core(void **state)
{
	static struct process p, q;

	(void)state;
	start_run(&p);
	spawn(&q, DR_MODE_RUN);
	assert_int_equal(wait_for(&q), DR_CORE_ERROR);
	assert_non_null(strstr(q.heard.error.what, "another derot-core runs in it"));
	assert_int_equal(stop_run(&p), 0);
}

static void test_record(void **state)
{
	static struct process p, q;
	struct dr_buf frames;

	(void)state;
	init.until = START + 3;
	for (init.clock = DR_CLOCK_SYSTEM; init.clock <= DR_CLOCK_CHAIN; init.clock++) {
		spawn(&p, DR_MODE_RECORD);
		listen_to(&p, is_ready);
		dr_buf_init(&frames, 1u << 20);
		add_final(&frames, 0, 0); /* before the header that tells the time */
		add_header(&frames, 0);
		add_final(&frames, 0, 3);
		for (unsigned i = 1; i <= 3; i++)
			add_header(&frames, i);
		add_header(&frames, 4); /* after the end: not in the recording */
		send_frames(&p, &frames);
		dr_buf_free(&frames);
		assert_int_equal(wait_for(&p), 0);
		assert_int_equal(p.heard.status, 1);
		assert_int_equal(p.heard.report.final_number, START + 3);
		assert_int_equal(access(init.data_dir, F_OK), -1);

		const uint8_t clock = init.clock;

		init.clock = DR_CLOCK_SYSTEM;
		play(&q, &p.heard.kept, 33, p.heard.kept.len, 0);
		init.clock = clock;
		assert_false(q.heard.report.torn);
		assert_int_equal(q.heard.report.frames_refused, 0);
		assert_int_equal(q.heard.report.final_number, START + 3);
		assert_false(q.heard.report.sealed);
		assert_memory_equal(q.heard.report.ledger_root, p.heard.report.ledger_root, 32);
		assert_memory_equal(q.heard.report.state_digest, p.heard.report.state_digest, 32);
		dr_buf_free(&p.heard.kept);
	}
}

/* Roots that do not open: nothing is served. */
static void test_foreign_root(void **state)
{
	static struct process p;

	(void)state;
	start_run(&p);
	assert_int_equal(stop_run(&p), 0);
	assert_int_equal(access(init.key_file, R_OK), 0); /* made at the first start */
	edit("INSERT INTO roots(generation, sealed) VALUES(3, CAST(x'02' || zeroblob(112) AS BLOB))");
	spawn(&p, DR_MODE_RUN);
	assert_int_equal(wait_for(&p), DR_CORE_ERROR);
	assert_non_null(strstr(p.heard.error.what, "sealed root: sealed under another key file"));
	/* And no new key file takes the place of the one that opens them. */
	unlink(init.key_file);
	spawn(&p, DR_MODE_RUN);
	assert_int_equal(wait_for(&p), DR_CORE_ERROR);
	assert_non_null(strstr(p.heard.error.what, "key file: there is none"));
	assert_int_equal(access(init.key_file, F_OK), -1);
}

static void test_signal(void **state)
{
	static struct process p;

	(void)state;
	start_run(&p);
	kill(p.pid, SIGTERM);
	assert_int_equal(wait_for(&p), 0);
	assert_true(noted(&p, DR_NOTE_STOP));
	/* Whoever started it is gone. */
	start_run(&p);
	shutdown(p.control.fd, SHUT_WR);
	assert_int_equal(wait_for(&p), 0);
	assert_true(noted(&p, DR_NOTE_STOP));
}

static void test_bad_client(void **state)
{
	static struct process p;
	static struct dr_channel ch;
	struct dr_fail fail = { 0 };
	unsigned num;

	(void)state;
	start_run(&p);
	for (int i = 0; i < 3; i++) {
		struct pollfd f;

		dr_channel_init(&ch, connect_client());
		if (i == 0) /* not a client's to send */
			dr_msg_put(&ch.out, DR_MSG_STOP, dr_bytes_of(NULL, 0), &fail);
		else if (i == 1) /* no such log */
			dr_msg_put(&ch.out, DR_MSG_LOG_GET, dr_bytes_of("\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 17),
				   &fail);
		else /* no message at all */
			dr_buf_append(&ch.out, "\xff\xff\xff\xff", 4, &fail);
		dr_channel_flush(&ch, 0, 1000);
		f = (struct pollfd){ .fd = ch.fd, .events = POLLIN };
		assert_int_equal(poll(&f, 1, 10000), 1);
		dr_channel_read(&ch, &fail);
		assert_true(ch.eof); /* hung up on */
		dr_channel_close(&ch);
	}
	/* A request that does not decode is answered, and others are served still. */
	dr_channel_init(&ch, connect_client());
	ask(&ch, DR_MSG_KEY_GET, dr_bytes_of("short", 5), DR_MSG_ERROR, &num);
	ask(&ch, DR_MSG_STATUS_GET, dr_bytes_of(NULL, 0), DR_MSG_STATUS, &num);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
}

/* A client that asks and asks and never listens: it is not answered beyond a bound, and others are. */
static void test_deaf_client(void **state)
{
	static struct process p;
	static struct dr_channel ch, deaf;
	struct dr_buf many;
	struct dr_fail fail = { 0 };
	size_t said = 0;
	unsigned num;

	(void)state;
	start_run(&p);
	dr_buf_init(&many, 1u << 16);
	for (size_t i = 0; i < 512; i++)
		dr_msg_put(&many, DR_MSG_STATUS_GET, dr_bytes_of(NULL, 0), &fail);
	dr_channel_init(&deaf, connect_client());
	for (int i = 0, full = 0; i < 4000 && full < 100; i++) {
		struct pollfd f = { .fd = deaf.fd, .events = POLLOUT };

		if (poll(&f, 1, 5) != 1 || (f.revents & POLLOUT) == 0) {
			full++;
			continue;
		}
		const ssize_t len = send(deaf.fd, many.ptr + said % many.len, many.len - said % many.len,
					 MSG_DONTWAIT | MSG_NOSIGNAL);

		said += len > 0 ? (size_t)len : 0;
	}
	assert_true(said > 20000); /* some 3000 answers, more than a bound */
	dr_channel_init(&ch, connect_client());
	ask(&ch, DR_MSG_STATUS_GET, dr_bytes_of(NULL, 0), DR_MSG_STATUS, &num);
	dr_channel_close(&ch);
	dr_channel_close(&deaf);
	dr_buf_free(&many);
	assert_int_equal(stop_run(&p), 0);
}

/* A watch that never tires of telling fills no disk. */
static void test_flood(void **state)
{
	static struct process p;
	static struct dr_endpoint_news news;
	struct dr_fail fail = { 0 };

	(void)state;
	start_run(&p);
	for (unsigned i = 0; i < 5000; i++) {
		news.state = (uint8_t)(1 + i % 2);
		snprintf(news.reason, sizeof(news.reason), "again %u", i);
		dr_endpoint_news_put(&p.watch.out, DR_MSG_ENDPOINT, &news, &fail);
	}
	/* Its last word ends it, so that all before was heard. */
	dr_msg_put(&p.watch.out, DR_MSG_STOP, dr_bytes_of(NULL, 0), &fail);
	assert_int_equal(wait_for(&p), DR_CORE_ERROR);
	assert_true(p.heard.journal > 100 && p.heard.journal < 200);
}

static void test_no_init(void **state)
{
	static struct process p;

	(void)state;
	spawn(&p, DR_MODE_REPLAY);
	p.control.out.ptr[5] ^= 1; /* not INIT */
	assert_int_equal(wait_for(&p), DR_CORE_ERROR);
	assert_int_equal(p.heard.error.err, DR_ERR_SYNTAX);
	spawn(&p, DR_MODE_RUN);
	p.control.out.len = 0;
	shutdown(p.control.fd, SHUT_WR);
	assert_int_equal(wait_for(&p), DR_CORE_ERROR);
	assert_int_equal(p.heard.error.err, DR_ERR_SHORT);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_no_init),         T(test_replay),   T(test_replay_damaged), T(test_run),
		T(test_killed),          T(test_tampered), T(test_conflict),       T(test_protocol_errors),
		T(test_second_core),     T(test_record),   T(test_foreign_root),   T(test_signal),
		T(test_bad_client),      T(test_flood),    T(test_deaf_client),    T(test_quarantined),
		T(test_fewer_endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
