/* SPDX-License-Identifier: Apache-2.0
 *
 * core_kit: the derot-core process from the outside: forked, spoken to over its descriptors, on a small chain made
 * here, in a data directory of its own.
 */
#ifndef DR_TESTS_UNIT_KMS_BRIDGE_CORE_KIT_H
#define DR_TESTS_UNIT_KMS_BRIDGE_CORE_KIT_H

#include "tests/unit/kit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chain/evm/header.h"
#include "chain/evm/quorum.h"
#include "kms-bridge/core/core.h"

#define START  10u
#define BLOCKS 6u

static uint8_t rlp[BLOCKS + 1][1024]; /* the last: another block START + 3 */
static struct dr_bytes headers[BLOCKS + 1];
static uint8_t hashes[BLOCKS + 1][32];
static uint64_t times[BLOCKS + 1];
static uint8_t profile_bytes[4096];
static struct dr_init init;
static char dir[64];

static inline void make_chain(void)
{
	static struct dr_profile p = {
		.name = "test", .state_every = 1000, .stealth_window_s = 60, .exposure_grace_s = 60
	};
	const uint64_t now = (uint64_t)time(NULL) - 100;
	struct dr_fail fail = { 0 };
	size_t len;

	for (unsigned i = 0; i <= BLOCKS; i++) {
		const unsigned at = i == BLOCKS ? 3 : i;
		struct dr_evm_header h = { .num_fields = 15, .number = START + at, .timestamp = now + at * 2 };

		if (at > 0)
			memcpy(h.parent_hash, hashes[at - 1], 32);
		if (i == BLOCKS)
			h.nonce[0] = 1;
		assert_int_equal(dr_evm_header_encode(rlp[i], sizeof(rlp[i]), &len, &h, &fail), DR_OK);
		headers[i] = dr_bytes_of(rlp[i], len);
		assert_int_equal(dr_evm_header_decode(&h, headers[i], &fail), DR_OK);
		memcpy(hashes[i], h.hash, 32);
		times[i] = h.timestamp;
	}
	memset(p.code_hash, 0xcc, 32);
	assert_int_equal(dr_profile_declare(&p.events[0], "Allowed(uint64 proposal, uint64 due, bytes32 measurement)",
					    "measurement.allow", &fail),
			 DR_OK);
	p.num_events = 1;
	if (dr_profile_encode(profile_bytes, sizeof(profile_bytes), &len, &p, &fail) != DR_OK)
		fail_msg("%s", fail.what);
	init = (struct dr_init){ .version = DR_PROTO_VERSION,
				 .proof = DR_PROOF_QUORUM,
				 .chain_id = 31337,
				 .start_number = START,
				 .quorum_k = 1,
				 .quorum_n = 2,
				 .step_max = 64,
				 .profile = dr_bytes_of(profile_bytes, len) };
	memset(init.genesis, 0x11, 32);
	memset(init.contract, 0x22, 20);
	memcpy(init.start_hash, hashes[0], 32);
	strcpy(init.endpoints[0], "a");
	strcpy(init.endpoints[1], "b");
}

static inline int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/derot-test-core-XXXXXX");
	assert_non_null(mkdtemp(dir));
	make_chain();
	snprintf(init.data_dir, sizeof(init.data_dir), "%s/data", dir);
	snprintf(init.key_file, sizeof(init.key_file), "%s/key", dir);
	memset(init.passphrase_file, 0, sizeof(init.passphrase_file));
	memset(init.checkpoints, 0, sizeof(init.checkpoints));
	init.argon2_mib = 8;
	init.serve = init.heartbeat = false;
	return 0;
}

static inline int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* What a core said. */
struct heard {
	unsigned ready, changes, journal, answers, wants, credit, refused, status, fatal;
	struct dr_status_report report;
	struct dr_error error;
	struct dr_answer first, last;
	struct dr_buf kept;
	uint8_t kinds[512]; /* of the notes */
	struct dr_want want[64];
};

struct process {
	pid_t pid;
	struct dr_channel control, watch, serve; /* serve: with init.serve */
	struct heard heard;
};

static inline void spawn(struct process *p, uint8_t mode)
{
	int control[2], watch[2], serve[2] = { -1, -1 };
	struct dr_fail fail = { 0 };

	memset(p, 0, sizeof(*p));
	dr_buf_init(&p->heard.kept, 64u << 20);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, control), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, watch), 0);
	if (init.serve)
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, serve), 0);
	fflush(NULL);
	p->pid = fork();
	if (p->pid == 0) {
		const int c = fcntl(control[1], F_DUPFD, 40), w = fcntl(watch[1], F_DUPFD, 40);
		const int s = init.serve ? fcntl(serve[1], F_DUPFD, 40) : -1;

		for (int fd = 3; fd < 40; fd++)
			close(fd);
		dup2(c, 3);
		dup2(w, 4);
		if (s >= 0)
			dup2(s, 5);
		close(c);
		close(w);
		close(s);
		_exit(dr_core_main(NULL));
	}
	close(control[1]);
	close(watch[1]);
	if (init.serve)
		close(serve[1]);
	dr_channel_init(&p->control, control[0]);
	dr_channel_init(&p->watch, watch[0]);
	dr_channel_init(&p->serve, serve[0]);
	init.mode = mode;
	assert_int_equal(dr_init_put(&p->control.out, DR_MSG_INIT, &init, &fail), DR_OK);
}

static inline void hear(struct process *p, uint16_t type, struct dr_bytes payload)
{
	struct heard *h = &p->heard;
	struct dr_fail fail = { 0 };
	struct dr_entry entry;
	struct dr_note note;

	switch (type) {
	case DR_MSG_READY: h->ready++; break;
	case DR_MSG_CHANGE: h->changes++; break;
	case DR_MSG_JOURNAL:
		assert_int_equal(dr_entry_get(&entry, payload, &fail), DR_OK);
		assert_int_equal(dr_note_decode(&note, entry.leaf, &fail), DR_OK);
		h->kinds[h->journal++ % sizeof(h->kinds)] = note.kind;
		break;
	case DR_MSG_ANSWER:
		assert_int_equal(dr_answer_get(&h->last, payload, &fail), DR_OK);
		if (h->answers++ == 0)
			h->first = h->last;
		break;
	case DR_MSG_KEPT: dr_buf_append(&h->kept, payload.ptr, payload.len, &fail); break;
	case DR_MSG_STATUS:
		h->status++;
		assert_int_equal(dr_status_report_get(&h->report, payload, &fail), DR_OK);
		break;
	case DR_MSG_FATAL:
		h->fatal++;
		assert_int_equal(dr_error_get(&h->error, payload, &fail), DR_OK);
		break;
	case DR_MSG_WANT: assert_int_equal(dr_want_get(&h->want[h->wants++ % 64], payload, &fail), DR_OK); break;
	case DR_MSG_CANCEL: break;
	case DR_MSG_CREDIT: h->credit++; break;
	case DR_MSG_REFUSED: h->refused++; break;
	default: fail_msg("unexpected message %04x", type);
	}
}

static inline bool noted(const struct process *p, enum dr_note_kind kind)
{
	return memchr(p->heard.kinds, (int)kind, p->heard.journal) != NULL;
}

/* Listens until `enough`, or the core is gone, or 10 s passed. */
static inline void listen_to(struct process *p, bool (*enough)(const struct process *p))
{
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;
	uint16_t type;

	for (int turns = 0; turns < 100000 && !p->control.eof && (enough == NULL || !enough(p)); turns++) {
		struct pollfd f[2] = { { .fd = p->control.fd, .events = POLLIN },
				       { .fd = p->watch.eof ? -1 : p->watch.fd, .events = POLLIN } };

		if (dr_channel_pending(&p->control) > 0)
			f[0].events |= POLLOUT;
		if (dr_channel_pending(&p->watch) > 0)
			f[1].events |= POLLOUT;
		if (poll(f, 2, 10000) <= 0)
			break;
		dr_channel_write(&p->control, &fail);
		dr_channel_write(&p->watch, &fail);
		if ((f[0].revents & POLLIN) != 0 || (f[0].revents & POLLHUP) != 0)
			dr_channel_read(&p->control, &fail);
		if (f[1].revents & (POLLIN | POLLHUP))
			dr_channel_read(&p->watch, &fail);
		while (dr_channel_next(&p->control, &type, &payload, &fail))
			hear(p, type, payload);
		while (dr_channel_next(&p->watch, &type, &payload, &fail))
			hear(p, type, payload);
	}
}

static inline int wait_for(struct process *p)
{
	int status;

	listen_to(p, NULL);
	dr_channel_close(&p->control);
	dr_channel_close(&p->watch);
	dr_channel_close(&p->serve);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline void add_frame(struct dr_buf *out, uint16_t type, uint16_t source, struct dr_bytes payload)
{
	const struct dr_frame frame = { type, source, payload };
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_frame_put(out, &frame, &fail), DR_OK);
}

static inline void add_clock(struct dr_buf *out, uint16_t type, uint64_t seconds)
{
	uint8_t payload[16];

	dr_be64_put(payload, seconds * 1000);
	dr_be64_put(payload + 8, seconds * 1000);
	add_frame(out, type, DR_SOURCE_CORE, dr_bytes_of(payload, 16));
}

static inline void add_final(struct dr_buf *out, uint16_t source, unsigned at)
{
	uint8_t payload[DR_QUORUM_PAYLOAD_LEN];

	dr_quorum_payload(payload, DR_STATUS_FINAL, START + (at == BLOCKS ? 3 : at), hashes[at]);
	add_frame(out, DR_FRAME_FINALITY, source, dr_bytes_of(payload, sizeof(payload)));
}

static inline void add_header(struct dr_buf *out, unsigned at)
{
	add_frame(out, DR_FRAME_HEADER, 0, headers[at]);
}

static inline bool is_ready(const struct process *p)
{
	return p->heard.ready > 0 && p->heard.wants > 0;
}

static inline void send_frames(struct process *p, const struct dr_buf *frames)
{
	struct dr_fail fail = { 0 };

	for (size_t at = 0, used; at < frames->len; at += used) {
		struct dr_frame frame;
		uint8_t message[4096] = { 0, 0, 0, 1 };

		assert_int_equal(dr_frame_get(&frame, &used, dr_bytes_of(frames->ptr + at, frames->len - at), &fail),
				 DR_OK);
		memcpy(message + 4, frames->ptr + at, used);
		dr_msg_put(&p->watch.out, DR_MSG_FRAME, dr_bytes_of(message, used + 4), &fail);
	}
}

static unsigned finals_wanted;

static inline bool has_finals(const struct process *p)
{
	unsigned num = 0;

	for (unsigned i = 0; i < p->heard.journal; i++)
		num += p->heard.kinds[i] == DR_NOTE_FINAL;
	return num >= finals_wanted;
}

static inline void start_run(struct process *p)
{
	spawn(p, DR_MODE_RUN);
	listen_to(p, is_ready);
	if (p->heard.ready != 1)
		fail_msg("not ready: %s", p->heard.error.what);
	assert_true(p->heard.credit > 0);
}

/* RUN up to START + 3 final. */
static inline void run_to_final(struct process *p)
{
	struct dr_buf frames;

	start_run(p);
	dr_buf_init(&frames, 1u << 20);
	add_header(&frames, 0);
	add_final(&frames, 0, 0);
	add_final(&frames, 0, 3);
	for (unsigned i = 1; i <= 3; i++)
		add_header(&frames, i);
	send_frames(p, &frames);
	finals_wanted = 2;
	listen_to(p, has_finals);
	assert_true(has_finals(p));
	dr_buf_free(&frames);
}

static inline int stop_run(struct process *p)
{
	struct dr_fail fail = { 0 };

	dr_msg_put(&p->control.out, DR_MSG_STOP, dr_bytes_of(NULL, 0), &fail);
	return wait_for(p);
}

static inline int connect_client(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.90s/core.sock", init.data_dir);
	assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* Speaks to a client channel until a message of this type came; counts the others. */
static inline struct dr_bytes ask(struct dr_channel *ch, uint16_t type, struct dr_bytes payload, uint16_t until,
				  unsigned *others)
{
	struct dr_fail fail = { 0 };
	struct dr_bytes got;
	uint16_t what;

	*others = 0;
	assert_int_equal(dr_msg_put(&ch->out, type, payload, &fail), DR_OK);
	dr_channel_flush(ch, 0, 1000);
	for (;;) {
		struct pollfd f = { .fd = ch->fd, .events = POLLIN };

		while (dr_channel_next(ch, &what, &got, &fail)) {
			if (what == until)
				return got;
			(*others)++;
		}
		assert_false(ch->eof);
		assert_int_equal(poll(&f, 1, 10000), 1);
		dr_channel_read(ch, &fail);
	}
}

static inline void edit(const char *sql)
{
	char db[DR_TEXT_MAX + 16];
	sqlite3 *raw;

	snprintf(db, sizeof(db), "%s/derot.db", init.data_dir);
	assert_int_equal(sqlite3_open(db, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(raw);
}

#endif
