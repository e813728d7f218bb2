/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/core_live.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "kms-bridge/process/signals.h"

#define SERVE_FD       5
#define PLACES         (DR_CLIENTS_MAX + 1)
#define CREDIT_STEP    (1u << 20)
#define RECORD_OUT_MAX ((size_t)16 << 20)
#define CLIENT_TURN    16u               /* messages of one client before the others' turn, and the chain's */
#define CLIENT_OUT_MAX ((size_t)1 << 20) /* a client that asks and does not listen is not heard meanwhile */

static uint64_t clock_ms(clockid_t id)
{
	struct timespec now;

	DR_ASSERT(clock_gettime(id, &now) == 0);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Boot-time as it is stamped; counted_s: the seconds that the timer has counted since it was asked. The two do not
 * rest on each other: a clock that stands still, or goes back, does not make the lease last. What the timer counts
 * begins where boot-time was when the timer was asked before: a clock that was read meanwhile has shown the same
 * seconds. */
static uint64_t boot_time_ms(struct dr_core *c, uint64_t counted_s)
{
	const uint64_t read_ms = clock_ms(CLOCK_BOOTTIME), counted_ms = c->clock.asked_ms + counted_s * 1000;

	if (read_ms > c->clock.newest_ms)
		c->clock.newest_ms = read_ms;
	if (c->clock.asked_ms == 0)
		c->clock.asked_ms = c->clock.newest_ms;
	if (counted_s == 0)
		return c->clock.newest_ms;
	if (counted_ms > c->clock.newest_ms)
		c->clock.newest_ms = counted_ms;
	return c->clock.asked_ms = c->clock.newest_ms;
}

uint64_t dr_core_boot_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

enum dr_err dr_core_tick(struct dr_core *c, bool force)
{
	const uint64_t boot_ms = boot_time_ms(c, 0);

	if (c->init.clock == DR_CLOCK_CHAIN ||
	    (!force && c->clock.stamped_ms != 0 && boot_ms - c->clock.stamped_ms < 1000))
		return DR_OK;
	c->clock.stamped_ms = boot_ms;
	return dr_engine_clock(c->engine, boot_ms, clock_ms(CLOCK_REALTIME), &c->fail);
}

/* The recording's claim about itself, for a replay without an anchor. Paths of this machine are left out. */
static enum dr_err stamp_about(struct dr_core *c)
{
	static struct dr_init about;
	struct dr_buf message;
	struct dr_bytes payload;
	uint16_t type;
	size_t used;

	about = c->init;
	memset(about.data_dir, 0, sizeof(about.data_dir));
	memset(about.key_file, 0, sizeof(about.key_file));
	memset(about.passphrase_file, 0, sizeof(about.passphrase_file));
	memset(about.checkpoints, 0, sizeof(about.checkpoints));
	dr_buf_init(&message, 1u << 20);
	if (dr_init_put(&message, DR_MSG_INIT, &about, &c->fail) == DR_OK &&
	    dr_msg_get(&type, &payload, &used, dr_buf_view(&message), &c->fail) == DR_OK) {
		const struct dr_frame frame = { DR_FRAME_ABOUT, DR_SOURCE_CORE, payload };

		dr_engine_core_frame(c->engine, NULL, &frame, &c->fail);
	}
	dr_buf_free(&message);
	return c->fail.err;
}

static bool ends(const struct dr_live *l)
{
	return l->c->fail.err != DR_OK || l->stop || l->protocol_error || l->conflict || l->reached;
}

static void pump_watch(struct dr_live *l, bool readable)
{
	struct dr_core *c = l->c;
	struct dr_bytes payload;
	struct dr_fail why = { 0 };
	uint16_t type;

	if (readable && dr_channel_read(&c->watch, &c->fail) != DR_OK)
		return;
	/* A block is held against the clocks as they are now, whether or not the timer counts: a wall clock that was
	 * read long ago would look right beside a block that is newer than it. */
	if (readable && l->started && dr_core_tick(c, false) != DR_OK)
		return;
	while (!ends(l) && dr_channel_next(&c->watch, &type, &payload, &why)) {
		dr_live_take(l, type, payload);
		/* A recording goes out as it comes in; whoever writes it sets the pace. */
		if (c->init.mode == DR_MODE_RECORD && dr_channel_pending(&c->control) > RECORD_OUT_MAX)
			dr_channel_flush(&c->control, RECORD_OUT_MAX / 2, -1);
	}
	if (why.err != DR_OK && !ends(l))
		dr_live_protocol_error(l, why.what);
	if (c->watch.eof && c->watch.fd >= 0 && !ends(l)) {
		dr_channel_close(&c->watch);
		l->num_sent = 0;
		dr_core_note(c, DR_NOTE_ENDPOINT, 0, NULL, DR_SOURCE_CORE, "watch ended; nothing new can be proven",
			     NULL);
	}
	if (c->watch.fd >= 0 && l->consumed >= CREDIT_STEP) {
		dr_live_credit(l, l->consumed);
		l->consumed = 0;
	}
}

static void pump_control(struct dr_live *l, bool readable)
{
	struct dr_core *c = l->c;
	struct dr_bytes payload;
	uint16_t type;

	if (readable && dr_channel_read(&c->control, &c->fail) != DR_OK)
		return;
	while (!ends(l) && dr_channel_next(&c->control, &type, &payload, &c->fail)) {
		if (type == DR_MSG_STOP && payload.len == 0)
			l->stop = true;
		else if (type == DR_MSG_STATUS_GET && payload.len == 0)
			dr_core_send_status(c);
		else
			dr_fail_set(&c->fail, DR_ERR_SYNTAX, "a message that does not belong on control", type);
	}
	/* Whoever started us is gone. */
	l->stop = l->stop || c->control.eof;
}

static void accept_client(struct dr_live *l)
{
	const int fd = accept4(l->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (fd < 0)
		return;
	for (size_t i = 0; i < DR_CLIENTS_MAX; i++) {
		if (l->client_used[i])
			continue;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 || cred.uid != geteuid())
			break;
		memset(&l->clients[i], 0, sizeof(l->clients[i]));
		dr_channel_init(&l->clients[i].ch, fd);
		l->clients[i].ch.out.secret = true;
		l->client_used[i] = true;
		return;
	}
	close(fd);
}

/* A turn of a client in two halves: what it says is taken, from all of them; then the key requests among that are
 * carried out together (dr_core_keys_flush), and what each is told goes out. */
static void hear_client(struct dr_live *l, size_t i, bool readable)
{
	struct dr_core *c = l->c;
	struct dr_client *client = &l->clients[i];
	struct dr_bytes payload;
	struct dr_fail why = { 0 };
	unsigned left = CLIENT_TURN;
	uint16_t type;
	bool good = true;

	if (readable && dr_channel_read(&client->ch, &why) != DR_OK)
		good = false;
	/* In order: a message is looked at when the answer before it is wholly handed over. */
	good = good && dr_core_client_more(c, client) == DR_OK;
	while (good && !ends(l) && client->answer.kind == DR_ANSWER_NONE && left > 0 &&
	       dr_channel_pending(&client->ch) < CLIENT_OUT_MAX &&
	       dr_channel_next(&client->ch, &type, &payload, &why)) {
		good = dr_core_client_take(c, client, type, payload) && dr_core_client_more(c, client) == DR_OK;
		left--;
	}
	l->client_heard[i] = true;
	l->client_good[i] = good && why.err == DR_OK;
	l->client_behind[i] = left == 0;
}

static void tell_client(struct dr_live *l, size_t i)
{
	struct dr_client *client = &l->clients[i];
	struct dr_fail why = { 0 };
	const bool full = dr_channel_pending(&client->ch) >= CLIENT_OUT_MAX,
		   good = l->client_good[i] && dr_channel_write(&client->ch, &why) == DR_OK;

	l->client_heard[i] = false;
	l->client_behind[i] =
		good && (l->client_behind[i] || (full && dr_channel_pending(&client->ch) < CLIENT_OUT_MAX));
	/* Who has said its last may still wait for an answer. */
	if (good && !client->ch.gone &&
	    (!client->ch.eof || client->answer.kind != DR_ANSWER_NONE || dr_channel_pending(&client->ch) > 0 ||
	     l->client_behind[i]))
		return;
	dr_channel_close(&client->ch);
	l->client_used[i] = l->client_behind[i] = false;
}

static short events_of(const struct dr_channel *ch)
{
	return (short)(dr_channel_pending(ch) > 0 ? POLLIN | POLLOUT : POLLIN);
}

/* Seconds that the timer has counted: as a rule one. */
static void on_second(struct dr_live *l, uint64_t counted)
{
	struct dr_core *c = l->c;

	boot_time_ms(c, counted);
	if (++l->ticks % 60 == 0)
		l->notes_left = DR_LIVE_NOTES;
	if (l->started && dr_core_tick(c, true) == DR_OK && dr_core_roots_step(c) == DR_OK)
		dr_core_commit(c);
}

static void turn(struct dr_live *l)
{
	struct dr_core *c = l->c;
	struct pollfd p[5 + PLACES] = {
		{ .fd = c->control.fd, .events = events_of(&c->control) },
		{ .fd = c->watch.fd, .events = events_of(&c->watch) },
		{ .fd = l->listen_fd, .events = POLLIN },
		{ .fd = l->timer_fd, .events = POLLIN },
		{ .fd = l->signal_fd, .events = POLLIN },
	};
	bool behind = false;
	uint64_t ticks;

	for (size_t i = 0; i < PLACES; i++) {
		p[5 + i].fd = l->client_used[i] ? l->clients[i].ch.fd : -1;
		p[5 + i].events = events_of(&l->clients[i].ch);
		/* While a long answer goes out nothing more is read: a client waits for its turn. */
		if (l->clients[i].answer.kind != DR_ANSWER_NONE || l->clients[i].ch.eof ||
		    dr_channel_pending(&l->clients[i].ch) >= CLIENT_OUT_MAX)
			p[5 + i].events = POLLOUT;
		/* What it said already comes first. */
		if (l->client_behind[i])
			p[5 + i].events &= POLLOUT;
		behind = behind || l->client_behind[i];
	}
	if (poll(p, 5 + PLACES, behind ? 0 : -1) < 0) {
		if (errno != EINTR)
			dr_fail_set(&c->fail, DR_ERR_IO, "poll", (size_t)errno);
		return;
	}
	l->stop = l->stop || dr_signals_asked(l->signal_fd);
	if ((p[3].revents & POLLIN) != 0 && read(l->timer_fd, &ticks, sizeof(ticks)) == (ssize_t)sizeof(ticks))
		on_second(l, ticks);
	pump_control(l, (p[0].revents & ~POLLOUT) != 0);
	if (!ends(l))
		pump_watch(l, (p[1].revents & ~POLLOUT) != 0);
	/* The input is drained. */
	if (c->fail.err == DR_OK && dr_core_commit(c) == DR_OK && !ends(l))
		dr_live_wants(l);
	if (!ends(l) && (p[2].revents & POLLIN) != 0)
		accept_client(l);
	for (size_t i = 0; i < PLACES && !ends(l); i++)
		if (l->client_used[i] && (p[5 + i].revents != 0 || l->client_behind[i]))
			hear_client(l, i, (p[5 + i].revents & ~POLLOUT) != 0);
	if (!ends(l))
		dr_core_keys_flush(c);
	for (size_t i = 0; i < PLACES && !ends(l); i++)
		if (l->client_used[i] && l->client_heard[i])
			tell_client(l, i);
	if (c->fail.err == DR_OK && dr_channel_write(&c->control, &c->fail) == DR_OK)
		dr_channel_write(&c->watch, &c->fail);
}

static enum dr_err open_fds(struct dr_live *l)
{
	const struct itimerspec second = { { 1, 0 }, { 1, 0 } };
	struct dr_core *c = l->c;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	l->signal_fd = dr_signals_open(0);
	l->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->signal_fd < 0 || l->timer_fd < 0 || timerfd_settime(l->timer_fd, 0, &second, NULL) != 0)
		return dr_fail_set(&c->fail, DR_ERR_IO, "a timer and a signal descriptor", (size_t)errno);
	if (c->init.mode != DR_MODE_RUN)
		return DR_OK;
	if (c->init.serve) {
		dr_channel_init(&l->clients[DR_CLIENTS_MAX].ch, SERVE_FD);
		l->clients[DR_CLIENTS_MAX].is_serve = l->client_used[DR_CLIENTS_MAX] = true;
	}
	const int len = snprintf(l->socket_path, sizeof(l->socket_path), "%s/core.sock", c->init.data_dir);

	if (len < 0 || (size_t)len >= sizeof(addr.sun_path)) {
		l->socket_path[0] = 0;
		return dr_core_fail(c, DR_ERR_LIMIT, "path of the client socket",
				    "data_dir is too long for a unix socket's path: at most %zu bytes, got %d",
				    sizeof(addr.sun_path) - sizeof("/core.sock"), len - (int)strlen("/core.sock"));
	}
	memcpy(addr.sun_path, l->socket_path, (size_t)len + 1);
	/* The directory is locked: whoever left this one is gone. umask made it 0600. */
	unlink(l->socket_path);
	l->listen_fd = c->listen_fd;
	if (l->listen_fd < 0 || bind(l->listen_fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    listen(l->listen_fd, DR_CLIENTS_MAX) != 0)
		return dr_core_fail(c, DR_ERR_IO, "the client socket", "%s: %s", l->socket_path, strerror(errno));
	return DR_OK;
}

static void conflict_path(char path[static DR_TEXT_MAX + 64], const struct dr_core *c)
{
	snprintf(path, DR_TEXT_MAX + 64, "%s/conflict-%llu.ev", c->init.data_dir,
		 (unsigned long long)c->final_number);
}

static enum dr_err write_frame(void *ctx, struct dr_bytes frame)
{
	return fwrite(frame.ptr, 1, frame.len, ctx) == frame.len ? DR_OK : DR_ERR_IO;
}

/* Everything this node knows, and last the frame that cannot be true with it: a recording that replays to the same
 * contradiction anywhere. Whole or not there at all: under another name first. */
static enum dr_err write_conflict(struct dr_core *c)
{
	struct dr_evidence_head head = { .family = DR_FAMILY_EVM, .chain_id = c->init.chain_id };
	uint8_t bytes[DR_EVIDENCE_HEAD_LEN];
	char path[DR_TEXT_MAX + 64], part[DR_TEXT_MAX + 72];

	memcpy(head.genesis, c->init.genesis, 32);
	dr_evidence_head_put(bytes, &head);
	conflict_path(path, c);
	snprintf(part, sizeof(part), "%s.part", path);
	unlink(part);
	const int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
	struct dr_fail why = { 0 };

	if (file == NULL)
		return dr_core_fail(
			c, DR_ERR_IO, "the conflict's evidence file",
			"halted: something final was contradicted, and the evidence could not be written to "
			"%s: %s; the next start tries again",
			part, strerror(errno));
	bool good = fwrite(bytes, 1, sizeof(bytes), file) == sizeof(bytes) &&
		    dr_store_evidence(c->store, write_frame, file, &why) == DR_OK;

	good = fflush(file) == 0 && fsync(fd) == 0 && good;
	good = fclose(file) == 0 && good;
	if (!good || rename(part, path) != 0) {
		unlink(part);
		return dr_core_fail(
			c, DR_ERR_IO, "the conflict's evidence file",
			"halted: something final was contradicted, and the evidence could not be written to "
			"%s%s%s; the next start tries again",
			path, why.err == DR_ERR_PROOF ? ": " : "",
			why.err == DR_ERR_PROOF ? dr_store_why(c->store) : "");
	}
	return dr_core_fail(c, DR_ERR_PROOF, "conflict",
			    "halted: a proof of what is final contradicts what is final here; evidence written to %s",
			    path);
}

/* A start after a halt. The evidence is written now if the core that halted could not. */
static enum dr_err halted_before(struct dr_core *c)
{
	char path[DR_TEXT_MAX + 64];

	c->final_number = dr_store_marks(c->store)->final_number;
	conflict_path(path, c);
	if (access(path, F_OK) != 0)
		return write_conflict(c);
	return dr_core_fail(c, DR_ERR_PROOF, "halted",
			    "halted: something final was contradicted; the evidence is in %s. Compare the chain with "
			    "others'; to follow on, choose the true chain and begin a new data directory",
			    path);
}

/* RUN: the store, refolded, and the roots; RECORD: the head of the recording. Then START. */
static enum dr_err begin(struct dr_live *l)
{
	struct dr_core *c = l->c;

	if (c->init.mode == DR_MODE_RUN && c->init.clock != DR_CLOCK_SYSTEM)
		return dr_fail_set(&c->fail, DR_ERR_UNKNOWN, "clock: only a recording may take the chain's time", 0);
	if (c->init.mode == DR_MODE_RUN) {
		if (dr_core_open_store(c, false) != DR_OK)
			return c->fail.err;
		if (dr_store_halted(c->store))
			return halted_before(c);
		if (dr_core_new_engine(c) != DR_OK || dr_core_refold(c) != DR_OK)
			return c->fail.err;
		/* A core that died, or had no room on its disk, before it could store more than what contradicts. */
		l->conflict = dr_engine_halted(c->engine);
		if (l->conflict || dr_core_roots_open(c) != DR_OK)
			return c->fail.err;
	} else {
		struct dr_evidence_head head = { .family = DR_FAMILY_EVM, .chain_id = c->init.chain_id };
		uint8_t bytes[DR_EVIDENCE_HEAD_LEN];

		memcpy(head.genesis, c->init.genesis, 32);
		dr_evidence_head_put(bytes, &head);
		if (dr_core_new_engine(c) != DR_OK ||
		    dr_msg_put(&c->control.out, DR_MSG_KEPT, dr_bytes_of(bytes, sizeof(bytes)), &c->fail) != DR_OK)
			return c->fail.err;
	}
	if (open_fds(l) != DR_OK ||
	    ((c->store == NULL || dr_store_evidence_num(c->store) == 0) && stamp_about(c) != DR_OK))
		return c->fail.err;
	if (c->init.clock == DR_CLOCK_SYSTEM &&
	    dr_live_start_engine(l, boot_time_ms(c, 0), clock_ms(CLOCK_REALTIME)) != DR_OK)
		return c->fail.err;
	if (dr_core_commit(c) != DR_OK ||
	    dr_msg_put(&c->control.out, DR_MSG_READY, dr_bytes_of(NULL, 0), &c->fail) != DR_OK ||
	    dr_live_credit(l, DR_CORE_CREDIT) != DR_OK)
		return c->fail.err;
	return dr_live_wants(l);
}

/* What was seen may be known to nobody at the next start, so it is said here, before what went wrong. */
static void say_unstored(struct dr_core *c)
{
	char text[DR_TEXT_MAX + 80];

	snprintf(text, sizeof(text), "halted: something final was contradicted, and it could not be stored: %s",
		 c->why[0] != 0 ? c->why : c->fail.what);
	dr_text_set(c->why, sizeof(c->why), text, strlen(text));
}

static int end_conflict(struct dr_live *l)
{
	struct dr_core *c = l->c;

	if (c->fail.err == DR_OK && c->store != NULL && dr_store_halt(c->store, &c->fail) == DR_OK)
		dr_core_commit(c);
	if (c->fail.err != DR_OK)
		say_unstored(c);
	else if (c->store != NULL)
		write_conflict(c);
	else
		dr_core_fail(c, DR_ERR_PROOF, "conflict",
			     "halted: a proof of what is final contradicts what was recorded as final; the recording "
			     "holds the evidence");
	return dr_core_fatal(c, DR_CORE_CONFLICT);
}

static int end(struct dr_live *l)
{
	struct dr_core *c = l->c;

	/* Whatever else failed: after any other exit code it would be started again by itself. */
	if (l->conflict)
		return end_conflict(l);
	if (c->fail.err != DR_OK) {
		const bool halted = c->store != NULL && dr_store_halted(c->store);

		return dr_core_fatal(c, halted ? DR_CORE_CONFLICT : DR_CORE_ERROR);
	}
	if (l->protocol_error) {
		dr_core_commit(c);
		dr_channel_close(&c->watch);
		dr_core_fail(
			c, DR_ERR_SYNTAX, "watch broke the protocol",
			"watch broke the protocol: the journal says how; nothing it sent after that was looked at");
		return dr_core_fatal(c, DR_CORE_ERROR);
	}
	if (c->init.mode == DR_MODE_RUN)
		dr_core_note(c, DR_NOTE_STOP, c->final_number, NULL, DR_SOURCE_CORE, "orderly stop", NULL);
	if (c->fail.err != DR_OK || dr_core_commit(c) != DR_OK || dr_core_send_status(c) != DR_OK)
		return dr_core_fatal(c, DR_CORE_ERROR);
	return DR_CORE_GOOD;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

int dr_core_live(struct dr_core *c)
{
	struct dr_live *l = dr_heap_alloc(sizeof(*l));
	int code;

	if (l != NULL)
		l->wants = dr_heap_alloc(DR_WANTS_MAX * sizeof(*l->wants));
	if (l == NULL || l->wants == NULL) {
		dr_heap_free(l);
		dr_fail_set(&c->fail, DR_ERR_NOMEM, "no memory for the loop", 0);
		return dr_core_fatal(c, DR_CORE_ERROR);
	}
	l->c = c;
	l->listen_fd = l->timer_fd = l->signal_fd = -1;
	l->notes_left = DR_LIVE_NOTES;
	dr_buf_init(&l->early, DR_LIVE_EARLY_CAP);
	if (begin(l) == DR_OK && dr_channel_write(&c->watch, &c->fail) == DR_OK &&
	    dr_channel_write(&c->control, &c->fail) == DR_OK)
		while (!ends(l))
			turn(l);
	code = end(l);
	for (size_t i = 0; i < PLACES; i++)
		if (l->client_used[i])
			dr_channel_close(&l->clients[i].ch);
	if (l->listen_fd >= 0)
		unlink(l->socket_path);
	close_fd(l->listen_fd);
	close_fd(l->timer_fd);
	close_fd(l->signal_fd);
	dr_buf_free(&l->early);
	dr_heap_free(l->wants);
	dr_heap_free(l);
	return code;
}
