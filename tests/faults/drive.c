/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/faults/drive.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chain/evm/quorum.h"

#define WAIT_MS 20000
#define CPU_S   4

struct drive {
	struct drive_seen *seen;
	const struct drive_script *script;
	struct drive_fault *fault;
	struct fault_plan *plan;
	char *why;
	pid_t pid;
	struct dr_channel control, watch, client;
	bool ready, bad, killed;
	size_t num_evidence; /* frames of the script that the store has */
	bool has_head;       /* EVIDENCE_GET: the recording's head was passed */
	uint8_t reading;     /* the log that LOG_GET asked for */
	struct dr_status_report report;
};

/* libseccomp does not survive every want of memory: it falls, or goes round for ever, or makes a filter that lets
 * less through, in which the process falls. That is before the core has read or said anything, and ends in "no". */
static bool may_fall(const struct drive *d)
{
	return !d->ready && d->fault != NULL && d->fault->plan.way == FAULT_FAIL &&
	       (d->fault->plan.call == FAULT_MALLOC || d->fault->plan.call == FAULT_MMAP);
}

static bool bad(struct drive *d, const char *what)
{
	if (!d->bad)
		snprintf(d->why, DR_TEXT_MAX, "%s", what);
	d->bad = true;
	return false;
}

static void note_entry(struct drive *d, struct drive_log *log, bool is_journal, struct dr_bytes payload)
{
	struct dr_fail fail = { 0 };
	struct dr_entry entry;
	struct dr_note note = { 0 };
	unsigned long long idx;

	if (dr_entry_get(&entry, payload, &fail) != DR_OK || entry.idx >= DRIVE_ENTRIES ||
	    (is_journal && dr_note_decode(&note, entry.leaf, &fail) != DR_OK)) {
		bad(d, "an entry that is none");
		return;
	}
	struct drive_entry *e = &log->entries[entry.idx];

	/* Told twice is told the same. */
	if (e->there && memcmp(e->hash, entry.leaf_hash, 32) != 0)
		bad(d, "an entry was told, and later another in its place");
	e->there = true;
	memcpy(e->hash, entry.leaf_hash, 32);
	e->kind = note.kind;
	e->sealed = note.kind == DR_NOTE_LEASE && strncmp(note.detail, "sealed", 6) == 0;
	e->withheld = note.kind == DR_NOTE_RELEASE && strstr(note.detail, ": withheld ") != NULL;
	e->request_idx =
		note.kind == DR_NOTE_RELEASE && sscanf(note.detail, "request %llu:", &idx) == 1 ? idx : UINT64_MAX;
	if (log->size <= entry.idx)
		log->size = entry.idx + 1;
}

/* The store's frames against the script's: those it has are its first, in order; finality may be there again. */
static void match_evidence(struct drive *d, struct dr_bytes payload)
{
	const struct drive_script *s = d->script;
	struct dr_fail fail = { 0 };
	struct dr_frame frame;
	size_t used;

	if (!d->has_head) {
		d->has_head = true;
		return;
	}
	if (dr_frame_get(&frame, &used, payload, &fail) != DR_OK) {
		bad(d, "evidence that is none");
		return;
	}
	if (d->num_evidence < s->num_frames && s->frames[d->num_evidence].type == frame.type &&
	    s->frames[d->num_evidence].source == frame.source &&
	    dr_bytes_eq(s->frames[d->num_evidence].payload, frame.payload))
		d->num_evidence++;
}

static void hear(struct drive *d, uint16_t type, struct dr_bytes payload)
{
	struct dr_fail fail = { 0 };
	struct dr_error error;

	switch (type) {
	case DR_MSG_READY: d->ready = true; break;
	case DR_MSG_CHANGE: note_entry(d, &d->seen->told[0], false, payload); break;
	case DR_MSG_JOURNAL: note_entry(d, &d->seen->told[1], true, payload); break;
	case DR_MSG_FATAL:
		if (dr_error_get(&error, payload, &fail) == DR_OK)
			snprintf(d->seen->fatal, sizeof(d->seen->fatal), "%s", error.what);
		break;
	default: break; /* wants, credit, findings, status: nothing hangs on them here */
	}
}

static struct dr_root_public *root_of(struct drive *d, struct dr_bytes payload)
{
	static struct dr_root_public root;
	struct dr_fail fail = { 0 };

	if (dr_root_public_get(&root, payload, &fail) != DR_OK)
		return NULL;
	if (root.generation == 0)
		return &root;
	/* Whoever read it may publish it at once. The proof of possession has a nonce; the keys are what counts. */
	if (d->seen->root.generation == root.generation && (memcmp(d->seen->root.words[1], root.words[1], 32) != 0 ||
							    memcmp(d->seen->root.words[4], root.words[4], 32) != 0))
		bad(d, "a root's keys were told, and later others of the same generation");
	d->seen->root = root;
	return &root;
}

static void take_key(struct drive *d, size_t ask, struct dr_bytes payload)
{
	static struct dr_key_answer answer;
	struct dr_fail fail = { 0 };

	if (dr_key_answer_get(&answer, payload, &fail) != DR_OK) {
		bad(d, "an answer that is none");
		return;
	}
	if (answer.key_len == 0) {
		d->seen->num_denied++;
		return;
	}
	if (d->seen->num_keys == DRIVE_KEYS) {
		bad(d, "more keys than the driver counts");
		return;
	}
	struct drive_key *key = &d->seen->keys[d->seen->num_keys++];

	key->ask = ask;
	key->request_idx = answer.request_idx;
	memcpy(key->key, answer.key, sizeof(key->key));
	if (d->fault != NULL && d->fault->lose_at_key)
		d->plan->now = 1;
}

/* Speaks on all channels until the client has a message of this type and *payload, or (0) until READY. False: the
 * core is gone, or has given up this client, or is bad. */
static bool converse(struct drive *d, uint16_t until, struct dr_bytes *payload)
{
	while (!d->bad) {
		struct pollfd p[3] = { { d->control.fd, POLLIN, 0 },
				       { d->watch.fd, POLLIN, 0 },
				       { d->client.fd, POLLIN, 0 } };
		struct dr_channel *const channels[3] = { &d->control, &d->watch, &d->client };
		struct dr_fail fail = { 0 };
		struct dr_bytes got;
		uint16_t type;

		/* What came with the message before is heard first. */
		for (size_t i = 0; i < 2; i++)
			while (dr_channel_next(channels[i], &type, &got, &fail))
				hear(d, type, got);
		while (dr_channel_next(&d->client, &type, &got, &fail)) {
			if (type == DR_MSG_LOG_ENTRY)
				note_entry(d, &d->seen->logs[d->reading], d->reading == 1, got);
			else if (type == DR_MSG_KEPT)
				match_evidence(d, got);
			if (type == until) {
				*payload = got;
				return true;
			}
			if (type == DR_MSG_ERROR) {
				if (d->fault == NULL)
					return bad(d, "a client's message was answered with an error");
				return false;
			}
		}
		if (fail.err != DR_OK)
			return bad(d, "a message that is none");
		if (until == 0 && d->ready)
			return true;
		for (size_t i = 0; i < 3; i++) {
			dr_channel_write(channels[i], &fail);
			if (dr_channel_pending(channels[i]) > 0)
				p[i].events |= POLLOUT;
			if (channels[i]->eof)
				p[i].fd = -1;
		}
		if (d->control.eof || (until != 0 && d->client.eof))
			return false;
		const int num = poll(p, 3, WAIT_MS);

		if (num == 0)
			return may_fall(d) ? false : bad(d, "it says nothing any more");
		for (size_t i = 0; i < 3; i++)
			if (num > 0 && (p[i].revents & ~POLLOUT) != 0)
				dr_channel_read(channels[i], &fail);
	}
	return false;
}

/* A message was put into a channel: it goes out, and if it is the one, the core dies of it. */
static void sent(struct drive *d)
{
	if (d->fault == NULL || ++d->fault->num_messages != d->fault->kill_at)
		return;
	dr_channel_flush(&d->control, 0, 1000);
	dr_channel_flush(&d->watch, 0, 1000);
	dr_channel_flush(&d->client, 0, 1000);
	if (d->fault->kill_us != 0)
		usleep(d->fault->kill_us);
	kill(d->pid, SIGKILL);
	d->killed = true;
}

static bool ask(struct drive *d, uint16_t type, struct dr_bytes payload, uint16_t until, struct dr_bytes *answer)
{
	struct dr_fail fail = { 0 };

	if (dr_msg_put(&d->client.out, type, payload, &fail) != DR_OK)
		return bad(d, "a message was too long");
	sent(d);
	return converse(d, until, answer);
}

static bool feed(struct drive *d, const struct dr_frame *frame)
{
	static struct dr_buf message;
	const uint8_t want[4] = { 0, 0, 0, 1 };
	struct dr_fail fail = { 0 };
	struct dr_bytes payload;

	if (message.cap == 0)
		dr_buf_init(&message, DR_FRAME_LEN_MAX + 64);
	message.len = 0;
	dr_buf_append(&message, want, 4, &fail);
	dr_frame_put(&message, frame, &fail);
	dr_msg_put(&d->watch.out, DR_MSG_FRAME, dr_buf_view(&message), &fail);
	if (fail.err != DR_OK)
		return bad(d, "a frame was too long");
	sent(d);
	/* In each of its turns the core reads watch before its clients, so the frame is taken and committed when this
	 * is answered. Twice: it may have looked at watch just before, and at the client just after, the frame came.
	 */
	dr_channel_flush(&d->watch, 0, WAIT_MS);
	return ask(d, DR_MSG_STATUS_GET, dr_bytes_of(NULL, 0), DR_MSG_STATUS, &payload) &&
	       ask(d, DR_MSG_STATUS_GET, dr_bytes_of(NULL, 0), DR_MSG_STATUS, &payload);
}

static bool is_final_word(const struct dr_frame *frame, uint64_t first)
{
	return frame->type == DR_FRAME_FINALITY && frame->payload.len == DR_QUORUM_PAYLOAD_LEN &&
	       frame->payload.ptr[1] == DR_STATUS_FINAL && dr_be64_get(frame->payload.ptr + 2) >= first;
}

static bool ask_all(struct drive *d, size_t at)
{
	const struct drive_script *s = d->script;
	const uint8_t newest[8] = { 0 };
	uint8_t bytes[DR_REQUEST_LEN_MAX];
	struct dr_fail fail = { 0 };
	struct dr_bytes answer;
	size_t len;

	/* All of one place at once: the core may answer them together. */
	for (size_t i = 0; i < s->num_asks; i++) {
		if (s->asks[i].at != at)
			continue;
		if (dr_request_encode(bytes, sizeof(bytes), &len, &s->asks[i].request, &fail) != DR_OK ||
		    dr_msg_put(&d->client.out, DR_MSG_KEY_GET, dr_bytes_of(bytes, len), &fail) != DR_OK)
			return bad(d, "a request that does not encode");
		sent(d);
	}
	for (size_t i = 0; i < s->num_asks; i++) {
		if (s->asks[i].at != at)
			continue;
		if (!converse(d, DR_MSG_KEY, &answer))
			return false;
		take_key(d, i, answer);
	}
	if (!s->root)
		return true;
	return ask(d, DR_MSG_ROOT_GET, dr_bytes_of(newest, 8), DR_MSG_ROOT, &answer) &&
	       (root_of(d, answer) != NULL || bad(d, "a root that is none"));
}

static bool read_log(struct drive *d, uint8_t log)
{
	const uint8_t query[17] = { log };
	struct dr_bytes end;

	d->reading = log;
	memset(&d->seen->logs[log], 0, sizeof(d->seen->logs[log]));
	d->seen->logs[log].told = d->seen->told[log].size;
	if (!ask(d, DR_MSG_LOG_GET, dr_bytes_of(query, sizeof(query)), DR_MSG_LOG_END, &end))
		return false;
	if (end.len != 40 || dr_be64_get(end.ptr) != d->seen->logs[log].size)
		return bad(d, "a log's end does not have its size");
	memcpy(d->seen->logs[log].root, end.ptr + 8, 32);
	return true;
}

/* From READY to STOP. */
static bool feed_all(struct drive *d)
{
	const struct drive_script *s = d->script;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct dr_fail fail = { 0 };
	struct dr_bytes answer;

	if (!converse(d, 0, NULL))
		return false;
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.90s/core.sock", s->init.data_dir);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
		close(fd);
		return false; /* it died between READY and this */
	}
	dr_channel_init(&d->client, fd);
	if (!ask(d, DR_MSG_EVIDENCE_GET, dr_bytes_of(NULL, 0), DR_MSG_LOG_END, &answer) ||
	    !ask(d, DR_MSG_STATUS_GET, dr_bytes_of(NULL, 0), DR_MSG_STATUS, &answer))
		return false;
	if (dr_status_report_get(&d->report, answer, &fail) != DR_OK)
		return bad(d, "a status that is none");
	/* Sealed since the start: finality is shown anew, from the cursor's block on. */
	for (size_t i = 0; d->report.has_final && i < d->num_evidence; i++)
		if (is_final_word(&s->frames[i], d->report.final_number) && !feed(d, &s->frames[i]))
			return false;
	if (!ask_all(d, d->num_evidence))
		return false;
	for (size_t i = d->num_evidence; i < s->num_frames; i++)
		if (!feed(d, &s->frames[i]) || !ask_all(d, i + 1))
			return false;
	if (!ask(d, DR_MSG_STATUS_GET, dr_bytes_of(NULL, 0), DR_MSG_STATUS, &answer))
		return false;
	if (dr_status_report_get(&d->report, answer, &fail) != DR_OK)
		return bad(d, "a status that is none");
	d->seen->final_number = d->report.final_number;
	if (!read_log(d, 0) || !read_log(d, 1))
		return false;
	sent(d); /* the end: STOP follows */
	return true;
}

static void become_core(const char *core, const char *shim, const char *map, int control, int watch)
{
	const int c = fcntl(control, F_DUPFD, 20), w = fcntl(watch, F_DUPFD, 20);
	const int null = open("/dev/null", O_RDWR);

	/* A sanitizer's word is not an exit of the core's own; it looks for leaks with calls that a core may not
	 * make. */
	setenv("ASAN_OPTIONS", "detect_leaks=0:exitcode=77", 1);
	setenv("UBSAN_OPTIONS", "exitcode=77", 1);
	if (shim != NULL) {
		setenv("LD_PRELOAD", shim, 1);
		setenv("DEROT_FAULT", map, 1);
	}
	dup2(null, 0);
	dup2(c, 3);
	dup2(w, 4);
	for (int fd = 5; fd < 64; fd++)
		close(fd);
	/* All it does takes less than a second; what goes round for ever ends here. */
	setrlimit(RLIMIT_CPU, &(struct rlimit){ CPU_S, CPU_S });
	execl(core, core, (char *)NULL);
	_exit(127);
}

static struct fault_plan *map_plan(char path[static 64])
{
	struct fault_plan *plan;

	snprintf(path, 64, "/tmp/derot-fault-XXXXXX");
	const int fd = mkstemp(path);

	if (fd < 0 || ftruncate(fd, sizeof(*plan)) != 0)
		abort();
	plan = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (plan == MAP_FAILED)
		abort();
	return plan;
}

/* How it ended. */
static enum drive_end reap(struct drive *d)
{
	struct dr_fail fail = { 0 };
	int status = 0;
	pid_t pid = 0;

	if (d->bad)
		kill(d->pid, SIGKILL);
	/* It may live on and have given up a client alone. */
	dr_msg_put(&d->control.out, DR_MSG_STOP, dr_bytes_of(NULL, 0), &fail);
	/* Its last words, and its end. */
	for (int ms = 0; ms < WAIT_MS && (pid = waitpid(d->pid, &status, WNOHANG)) == 0; ms++) {
		struct pollfd p = { d->control.eof ? -1 : d->control.fd, POLLIN, 0 };
		struct dr_bytes got;
		uint16_t type;

		dr_channel_write(&d->control, &fail);
		if (poll(&p, 1, 1) > 0)
			dr_channel_read(&d->control, &fail);
		dr_channel_read(&d->watch, &fail);
		while (dr_channel_next(&d->control, &type, &got, &fail))
			hear(d, type, got);
	}
	if (pid == 0) {
		kill(d->pid, SIGKILL);
		waitpid(d->pid, &status, 0);
		if (may_fall(d))
			return DRIVE_DEAD;
		bad(d, "it does not end");
	}
	/* What lay in the channel when it died was said. */
	for (;;) {
		struct dr_bytes got;
		uint16_t type;

		while (dr_channel_next(&d->control, &type, &got, &fail))
			hear(d, type, got);
		if (d->control.eof || dr_channel_read(&d->control, &fail) != DR_OK)
			break;
	}
	if (d->bad)
		return DRIVE_BAD;
	if (d->killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return DRIVE_DEAD;
	if (WIFEXITED(status) && WEXITSTATUS(status) == FAULT_EXIT)
		return DRIVE_DEAD;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return DRIVE_STOPPED;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		return DRIVE_FATAL;
	if (may_fall(d) && WIFSIGNALED(status) &&
	    (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGABRT ||
	     WTERMSIG(status) == SIGKILL))
		return DRIVE_DEAD;
	snprintf(d->why, DR_TEXT_MAX, "%s %d", WIFSIGNALED(status) ? "it died of signal" : "it ended with exit code",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return DRIVE_BAD;
}

enum drive_end drive(struct drive_seen *seen, const char *core, const char *shim, const struct drive_script *script,
		     struct drive_fault *fault, char why[static DR_TEXT_MAX])
{
	static struct drive d;
	struct dr_fail fail = { 0 };
	int control[2], watch[2];
	char map[64];

	d = (struct drive){ .seen = seen, .script = script, .fault = fault, .why = why };
	why[0] = seen->fatal[0] = '\0';
	dr_channel_init(&d.client, -1);
	if (fault != NULL) {
		d.plan = map_plan(map);
		*d.plan = fault->plan;
		snprintf(d.plan->dir, sizeof(d.plan->dir), "%s", script->init.data_dir);
		fault->num_messages = 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, watch) != 0)
		abort();
	fflush(NULL);
	d.pid = fork();
	if (d.pid == 0)
		become_core(core, fault != NULL ? shim : NULL, map, control[1], watch[1]);
	close(control[1]);
	close(watch[1]);
	dr_channel_init(&d.control, control[0]);
	dr_channel_init(&d.watch, watch[0]);
	if (dr_init_put(&d.control.out, DR_MSG_INIT, &script->init, &fail) != DR_OK)
		bad(&d, "an INIT that does not encode");
	sent(&d);
	const bool fed = feed_all(&d);
	enum drive_end end = reap(&d);

	if (end == DRIVE_STOPPED && !fed && fault == NULL) {
		snprintf(why, DR_TEXT_MAX, "it did not answer to the end");
		end = DRIVE_BAD;
	}
	if (fault != NULL) {
		for (size_t i = 0; i < FAULT_CALLS; i++)
			fault->num[i] = d.plan->num[i];
		fault->done = d.plan->done != 0;
		fault->lost = d.plan->lost != 0;
		munmap(d.plan, sizeof(*d.plan));
		unlink(map);
	}
	dr_channel_close(&d.control);
	dr_channel_close(&d.watch);
	dr_channel_close(&d.client);
	return end;
}

static bool stands(const struct drive_log *told, const struct drive_log *log, const char *name,
		   char why[static DR_TEXT_MAX])
{
	for (uint64_t i = 0; i < log->told; i++) {
		if (!told->entries[i].there ||
		    (i < log->size && memcmp(told->entries[i].hash, log->entries[i].hash, 32) == 0))
			continue;
		snprintf(why, DR_TEXT_MAX, "%s entry %llu was told and does not stand", name, (unsigned long long)i);
		return false;
	}
	return true;
}

bool drive_holds(const struct drive_seen *seen, const struct drive_log *ledger, const struct drive_key *keys,
		 size_t num_keys, char why[static DR_TEXT_MAX])
{
	const struct drive_log *journal = &seen->logs[1];

	if (seen->logs[0].size != ledger->size || memcmp(seen->logs[0].root, ledger->root, 32) != 0) {
		snprintf(why, DR_TEXT_MAX, "the ledger differs: %llu entries, expected %llu",
			 (unsigned long long)seen->logs[0].size, (unsigned long long)ledger->size);
		return false;
	}
	for (uint64_t i = 0; i < ledger->size; i++) {
		if (memcmp(seen->logs[0].entries[i].hash, ledger->entries[i].hash, 32) == 0)
			continue;
		snprintf(why, DR_TEXT_MAX, "ledger entry %llu differs", (unsigned long long)i);
		return false;
	}
	if (!stands(&seen->told[0], &seen->logs[0], "ledger", why) ||
	    !stands(&seen->told[1], journal, "journal", why))
		return false;
	for (size_t i = 0; i < seen->num_keys; i++) {
		const struct drive_key *key = &seen->keys[i], *expected = NULL;
		bool released = false;

		if (key->request_idx < journal->size && journal->entries[key->request_idx].kind == DR_NOTE_REQUEST)
			for (uint64_t j = key->request_idx + 1; j < journal->size; j++)
				if (journal->entries[j].kind == DR_NOTE_RELEASE &&
				    journal->entries[j].request_idx == key->request_idx)
					released = !journal->entries[j].withheld;
		for (size_t j = 0; j < num_keys; j++)
			if (keys[j].ask == key->ask)
				expected = &keys[j];
		if (!released)
			snprintf(why, DR_TEXT_MAX,
				 "a key left, and request %llu and its release are not in the journal",
				 (unsigned long long)key->request_idx);
		else if (expected == NULL)
			snprintf(why, DR_TEXT_MAX, "a key left that nobody should have");
		else if (memcmp(expected->key, key->key, sizeof(key->key)) != 0)
			snprintf(why, DR_TEXT_MAX, "a key left that is not the one it always was");
		else
			continue;
		return false;
	}
	return true;
}
