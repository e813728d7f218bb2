/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "chain/base/limits.h"
#include "chain/base/reader.h"
#include "chain/evm/header.h"
#include "chain/evm/quorum.h"

#define CREDIT_STEP (1u << 20)
#define EARLY_CAP ((size_t)64 << 20) /* frames that come before the recording's START */
#define RECORD_OUT_MAX ((size_t)16 << 20)

struct live {
	struct dr_core *c;
	int listen_fd, timer_fd, signal_fd;
	struct dr_client clients[DR_CLIENTS_MAX];
	bool client_used[DR_CLIENTS_MAX];
	uint32_t sent[DR_WANTS_MAX]; /* ids of the wants that watch has */
	size_t num_sent;
	struct dr_want *wants;
	uint64_t consumed; /* not yet given back as credit */
	/* Clock CHAIN: nothing is fed before the start block's header says what time it is. */
	bool started;
	struct dr_buf early;
	uint64_t chain_time;
	bool stop, protocol_error, conflict, reached;
	char socket_path[DR_TEXT_MAX + 16];
};

static uint64_t clock_ms(clockid_t id)
{
	struct timespec now;

	DR_ASSERT(clock_gettime(id, &now) == 0);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

enum dr_err dr_core_tick(struct dr_core *c, bool force)
{
	static uint64_t last_ms;
	const uint64_t boot_ms = clock_ms(CLOCK_BOOTTIME);

	if (c->init.clock == DR_CLOCK_CHAIN || (!force && last_ms != 0 && boot_ms - last_ms < 1000))
		return DR_OK;
	last_ms = boot_ms;
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
	dr_buf_init(&message, 1u << 20);
	if (dr_init_put(&message, DR_MSG_INIT, &about, &c->fail) == DR_OK &&
	    dr_msg_get(&type, &payload, &used, dr_buf_view(&message), &c->fail) == DR_OK) {
		const struct dr_frame frame = { DR_FRAME_ABOUT, DR_SOURCE_CORE, payload };

		dr_engine_core_frame(c->engine, NULL, &frame, &c->fail);
	}
	dr_buf_free(&message);
	return c->fail.err;
}

static enum dr_err start_engine(struct live *l, uint64_t boot_ms, uint64_t wall_ms)
{
	l->started = true;
	return dr_engine_start(l->c->engine, boot_ms, wall_ms, &l->c->fail);
}

/* The sum of what differs between the wants that stand and those that watch has. */
static enum dr_err send_wants(struct live *l)
{
	struct dr_core *c = l->c;
	uint32_t now[DR_WANTS_MAX];

	if (c->watch.fd < 0)
		return DR_OK;
	const size_t num = dr_engine_wants(c->engine, l->wants, DR_WANTS_MAX);

	for (size_t i = 0; i < l->num_sent; i++) {
		bool stands = false;

		for (size_t k = 0; k < num; k++)
			stands = stands || l->wants[k].id == l->sent[i];
		uint8_t id[4] = { (uint8_t)(l->sent[i] >> 24), (uint8_t)(l->sent[i] >> 16), (uint8_t)(l->sent[i] >> 8),
			          (uint8_t)l->sent[i] };

		if (!stands && dr_msg_put(&c->watch.out, DR_MSG_CANCEL, dr_bytes_of(id, 4), &c->fail) != DR_OK)
			return c->fail.err;
	}
	for (size_t k = 0; k < num; k++) {
		bool has = false;

		now[k] = l->wants[k].id;
		for (size_t i = 0; i < l->num_sent; i++)
			has = has || l->sent[i] == now[k];
		if (!has && dr_want_put(&c->watch.out, DR_MSG_WANT, &l->wants[k], &c->fail) != DR_OK)
			return c->fail.err;
	}
	memcpy(l->sent, now, num * sizeof(now[0]));
	l->num_sent = num;
	return DR_OK;
}

static enum dr_err send_credit(struct live *l, uint64_t bytes)
{
	uint8_t be[8];

	dr_be64_put(be, bytes);
	return dr_msg_put(&l->c->watch.out, DR_MSG_CREDIT, dr_bytes_of(be, sizeof(be)), &l->c->fail);
}

/* What the chain's time is when this frame is fed: that of the newest header on the way to a block that finality
 * named. The step that this frame may complete then finds its lease renewed now, not a chain's leap ago. */
static enum dr_err chain_clock(struct live *l, const struct dr_frame *frame)
{
	static struct dr_status_report s;
	struct dr_core *c = l->c;
	struct dr_evm_header h;
	struct dr_fail why = { 0 };

	if (c->init.clock != DR_CLOCK_CHAIN || frame->type != DR_FRAME_HEADER ||
	    dr_evm_header_decode(&h, frame->payload, &why) != DR_OK || h.timestamp <= l->chain_time ||
	    h.timestamp > UINT64_MAX / 1000)
		return DR_OK;
	if (!l->started) {
		if (memcmp(h.hash, c->init.start_hash, 32) != 0)
			return DR_OK;
		l->chain_time = h.timestamp;
		return start_engine(l, h.timestamp * 1000, h.timestamp * 1000);
	}
	dr_engine_status(c->engine, &s);
	if (h.number > s.target_number)
		return DR_OK;
	l->chain_time = h.timestamp;
	return dr_engine_clock(c->engine, h.timestamp * 1000, h.timestamp * 1000, &c->fail);
}

static enum dr_err take_frame(struct live *l, uint32_t want, const struct dr_frame *frame)
{
	struct dr_core *c = l->c;
	enum dr_take take;

	c->want = want;
	if (chain_clock(l, frame) != DR_OK || dr_core_feed(c, &take, NULL, frame) != DR_OK)
		return c->fail.err;
	if (take == DR_TAKE_CONFLICT) {
		l->conflict = true;
		return DR_OK;
	}
	/* For the status: what this endpoint called final. */
	if (take != DR_TAKE_REFUSED && frame->type == DR_FRAME_FINALITY && frame->source < DR_ENDPOINTS_MAX &&
	    frame->payload.len == DR_QUORUM_PAYLOAD_LEN && frame->payload.ptr[1] == DR_STATUS_FINAL)
		c->endpoints[frame->source].final_number = dr_be64_get(frame->payload.ptr + 2);
	if (!c->stepped)
		return DR_OK;
	c->stepped = false;
	l->reached = c->init.mode == DR_MODE_RECORD && c->init.until != 0 && c->final_number >= c->init.until;
	if (dr_core_roots_step(c) != DR_OK)
		return c->fail.err;
	return dr_core_commit(c);
}

static enum dr_err protocol_error(struct live *l, const char *what)
{
	char detail[DR_TEXT_MAX];

	l->protocol_error = true;
	snprintf(detail, sizeof(detail), "watch broke the protocol: %s; its channel is closed", what);
	return dr_core_note(l->c, DR_NOTE_LIE, 0, NULL, DR_SOURCE_CORE, detail, NULL);
}

/* Clock CHAIN: frames that came before the start block's header wait until it says the time. */
static enum dr_err take_early(struct live *l, uint32_t want, struct dr_bytes bytes, const struct dr_frame *frame)
{
	struct dr_core *c = l->c;
	size_t at = 0, used;

	if (chain_clock(l, frame) != DR_OK)
		return c->fail.err;
	if (!l->started)
		return dr_buf_append(&l->early, bytes.ptr, bytes.len, &c->fail);
	for (; at < l->early.len && c->fail.err == DR_OK && !l->conflict; at += used) {
		struct dr_frame waited;

		if (dr_frame_get(&waited, &used, dr_bytes_of(l->early.ptr + at, l->early.len - at), &c->fail) == DR_OK)
			take_frame(l, 0, &waited);
	}
	dr_buf_free(&l->early);
	if (c->fail.err != DR_OK || l->conflict)
		return c->fail.err;
	return take_frame(l, want, frame);
}

static enum dr_err take_frame_message(struct live *l, struct dr_bytes payload)
{
	struct dr_fail why = { 0 };
	struct dr_frame frame;
	struct dr_reader r;
	size_t used;

	dr_reader_init(&r, payload, &why);
	const uint32_t want = dr_reader_u32(&r);
	const struct dr_bytes bytes = dr_reader_view(&r, r.left);

	if (why.err != DR_OK || dr_frame_get(&frame, &used, bytes, &why) != DR_OK)
		return protocol_error(l, why.what);
	if (used != bytes.len)
		return protocol_error(l, "bytes after a frame");
	if (dr_frame_is_core(frame.type))
		return protocol_error(l, "a frame that only the core itself may stamp");
	if (frame.source >= l->c->init.quorum_n)
		return protocol_error(l, "a frame from an endpoint that is not configured");
	if (!l->started)
		return take_early(l, want, bytes, &frame);
	return take_frame(l, want, &frame);
}

static enum dr_err take_unavailable(struct live *l, struct dr_bytes payload)
{
	struct dr_core *c = l->c;
	struct dr_unavailable u;
	struct dr_fail why = { 0 };

	if (dr_unavailable_get(&u, payload, &why) != DR_OK)
		return protocol_error(l, why.what);
	if (u.source == DR_SOURCE_CORE)
		dr_engine_unavailable(c->engine, u.want);
	else if (u.source >= c->init.quorum_n)
		return protocol_error(l, "word of an endpoint that is not configured");
	/* The same words again and again are one entry. */
	if (u.source < DR_ENDPOINTS_MAX) {
		if (strcmp(c->endpoints[u.source].unavailable, u.reason) == 0)
			return DR_OK;
		memcpy(c->endpoints[u.source].unavailable, u.reason, sizeof(u.reason));
	}
	return dr_core_note(c, DR_NOTE_UNAVAILABLE, 0, NULL, u.source, u.reason, NULL);
}

static enum dr_err take_endpoint(struct live *l, struct dr_bytes payload)
{
	static const char *const states[] = { "unknown", "good", "lags", "set aside", "on a wrong chain" };
	struct dr_core *c = l->c;
	struct dr_endpoint_news news;
	struct dr_fail why = { 0 };
	char detail[DR_TEXT_MAX + 32];

	if (dr_endpoint_news_get(&news, payload, &why) != DR_OK)
		return protocol_error(l, why.what);
	if (news.source >= c->init.quorum_n)
		return protocol_error(l, "news of an endpoint that is not configured");
	if (c->endpoints[news.source].state == news.state &&
	    strcmp(c->endpoints[news.source].reason, news.reason) == 0)
		return DR_OK;
	c->endpoints[news.source].state = news.state;
	memcpy(c->endpoints[news.source].reason, news.reason, sizeof(news.reason));
	snprintf(detail, sizeof(detail), "%s%s%s", states[news.state], news.reason[0] != 0 ? ": " : "", news.reason);
	return dr_core_note(c, DR_NOTE_ENDPOINT, 0, NULL, news.source, detail, NULL);
}

static enum dr_err take_watch(struct live *l, uint16_t type, struct dr_bytes payload)
{
	switch (type) {
	case DR_MSG_FRAME:
		l->consumed += payload.len + 6;
		return take_frame_message(l, payload);
	case DR_MSG_UNAVAILABLE: return take_unavailable(l, payload);
	case DR_MSG_ENDPOINT: return take_endpoint(l, payload);
	default: return protocol_error(l, "a message that watch may not send"); /* not our enum: any number may come */
	}
}

static bool ends(const struct live *l)
{
	return l->c->fail.err != DR_OK || l->stop || l->protocol_error || l->conflict || l->reached;
}

static void pump_watch(struct live *l, bool readable)
{
	struct dr_core *c = l->c;
	struct dr_bytes payload;
	struct dr_fail why = { 0 };
	uint16_t type;

	if (readable && dr_channel_read(&c->watch, &c->fail) != DR_OK)
		return;
	while (!ends(l) && dr_channel_next(&c->watch, &type, &payload, &why)) {
		take_watch(l, type, payload);
		/* A recording goes out as it comes in; whoever writes it sets the pace. */
		if (c->init.mode == DR_MODE_RECORD && dr_channel_pending(&c->control) > RECORD_OUT_MAX)
			dr_channel_flush(&c->control, RECORD_OUT_MAX / 2, -1);
	}
	if (why.err != DR_OK && !ends(l))
		protocol_error(l, why.what);
	if (c->watch.eof && c->watch.fd >= 0 && !ends(l)) {
		dr_channel_close(&c->watch);
		l->num_sent = 0;
		dr_core_note(c, DR_NOTE_ENDPOINT, 0, NULL, DR_SOURCE_CORE, "watch ended; nothing new can be proven", NULL);
	}
	if (c->watch.fd >= 0 && l->consumed >= CREDIT_STEP) {
		send_credit(l, l->consumed);
		l->consumed = 0;
	}
}

static void pump_control(struct live *l, bool readable)
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

static void accept_client(struct live *l)
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
		l->client_used[i] = true;
		return;
	}
	close(fd);
}

static void pump_client(struct live *l, size_t i, bool readable)
{
	struct dr_core *c = l->c;
	struct dr_client *client = &l->clients[i];
	struct dr_bytes payload;
	struct dr_fail why = { 0 };
	uint16_t type;
	bool good = true;

	if (readable && dr_channel_read(&client->ch, &why) != DR_OK)
		good = false;
	/* In order: a message is looked at when the answer before it is wholly handed over. */
	good = good && dr_core_client_more(c, client) == DR_OK;
	while (good && !ends(l) && client->answer.kind == DR_ANSWER_NONE &&
	       dr_channel_next(&client->ch, &type, &payload, &why))
		good = dr_core_client_take(c, client, type, payload) && dr_core_client_more(c, client) == DR_OK;
	good = good && why.err == DR_OK && dr_channel_write(&client->ch, &why) == DR_OK;
	/* Who has said its last may still wait for an answer. */
	if (good && !client->ch.gone &&
	    (!client->ch.eof || client->answer.kind != DR_ANSWER_NONE || dr_channel_pending(&client->ch) > 0))
		return;
	dr_channel_close(&client->ch);
	l->client_used[i] = false;
}

static short events_of(const struct dr_channel *ch)
{
	return (short)(dr_channel_pending(ch) > 0 ? POLLIN | POLLOUT : POLLIN);
}

static void turn(struct live *l)
{
	struct dr_core *c = l->c;
	struct pollfd p[5 + DR_CLIENTS_MAX] = {
		{ .fd = c->control.fd, .events = events_of(&c->control) },
		{ .fd = c->watch.fd, .events = events_of(&c->watch) },
		{ .fd = l->listen_fd, .events = POLLIN },
		{ .fd = l->timer_fd, .events = POLLIN },
		{ .fd = l->signal_fd, .events = POLLIN },
	};
	struct signalfd_siginfo info;
	uint64_t ticks;

	for (size_t i = 0; i < DR_CLIENTS_MAX; i++) {
		p[5 + i].fd = l->client_used[i] ? l->clients[i].ch.fd : -1;
		p[5 + i].events = events_of(&l->clients[i].ch);
		/* While a long answer goes out nothing more is read: a client waits for its turn. */
		if (l->clients[i].answer.kind != DR_ANSWER_NONE || l->clients[i].ch.eof)
			p[5 + i].events = POLLOUT;
	}
	if (poll(p, 5 + DR_CLIENTS_MAX, -1) < 0) {
		if (errno != EINTR)
			dr_fail_set(&c->fail, DR_ERR_IO, "poll", (size_t)errno);
		return;
	}
	if ((p[4].revents & POLLIN) != 0 && read(l->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		l->stop = true;
	if ((p[3].revents & POLLIN) != 0 && read(l->timer_fd, &ticks, sizeof(ticks)) == (ssize_t)sizeof(ticks) &&
	    l->started && dr_core_tick(c, true) == DR_OK && dr_core_roots_step(c) == DR_OK)
		dr_core_commit(c);
	pump_control(l, (p[0].revents & ~POLLOUT) != 0);
	if (!ends(l))
		pump_watch(l, (p[1].revents & ~POLLOUT) != 0);
	/* The input is drained. */
	if (c->fail.err == DR_OK && dr_core_commit(c) == DR_OK && !ends(l))
		send_wants(l);
	if (!ends(l) && (p[2].revents & POLLIN) != 0)
		accept_client(l);
	for (size_t i = 0; i < DR_CLIENTS_MAX && !ends(l); i++)
		if (l->client_used[i] && p[5 + i].revents != 0)
			pump_client(l, i, (p[5 + i].revents & ~POLLOUT) != 0);
	if (c->fail.err == DR_OK && dr_channel_write(&c->control, &c->fail) == DR_OK)
		dr_channel_write(&c->watch, &c->fail);
}

static enum dr_err open_fds(struct live *l)
{
	const struct itimerspec second = { { 1, 0 }, { 1, 0 } };
	struct dr_core *c = l->c;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	l->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->signal_fd < 0 || l->timer_fd < 0 || timerfd_settime(l->timer_fd, 0, &second, NULL) != 0)
		return dr_fail_set(&c->fail, DR_ERR_IO, "a timer and a signal descriptor", (size_t)errno);
	if (c->init.mode != DR_MODE_RUN)
		return DR_OK;
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
	l->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->listen_fd < 0 || bind(l->listen_fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    listen(l->listen_fd, DR_CLIENTS_MAX) != 0)
		return dr_core_fail(c, DR_ERR_IO, "the client socket", "%s: %s", l->socket_path, strerror(errno));
	return DR_OK;
}

/* RUN: the store, refolded, and the roots; RECORD: the head of the recording. Then START. */
static enum dr_err begin(struct live *l)
{
	struct dr_core *c = l->c;

	if (c->init.mode == DR_MODE_RUN && c->init.clock != DR_CLOCK_SYSTEM)
		return dr_fail_set(&c->fail, DR_ERR_UNKNOWN, "clock: only a recording may take the chain's time", 0);
	if (c->init.mode == DR_MODE_RUN) {
		if (dr_core_open_store(c, false) != DR_OK)
			return c->fail.err;
		if (dr_store_halted(c->store))
			return dr_core_fail(c, DR_ERR_PROOF, "halted",
			                    "halted: something final was contradicted; the evidence is in %s/conflict-*.ev. "
			                    "Compare the chain with others'; to follow on, choose the true chain and begin a new "
			                    "data directory",
			                    c->init.data_dir);
		if (dr_core_new_engine(c) != DR_OK || dr_core_refold(c) != DR_OK || dr_core_roots_open(c) != DR_OK)
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
	    start_engine(l, clock_ms(CLOCK_BOOTTIME), clock_ms(CLOCK_REALTIME)) != DR_OK)
		return c->fail.err;
	if (dr_core_commit(c) != DR_OK ||
	    dr_msg_put(&c->control.out, DR_MSG_READY, dr_bytes_of(NULL, 0), &c->fail) != DR_OK ||
	    send_credit(l, DR_CORE_CREDIT) != DR_OK)
		return c->fail.err;
	return send_wants(l);
}

static enum dr_err write_frame(void *ctx, struct dr_bytes frame)
{
	return fwrite(frame.ptr, 1, frame.len, ctx) == frame.len ? DR_OK : DR_ERR_IO;
}

/* Everything this node knows, and last the frame that cannot be true with it: a recording that replays to the same
 * contradiction anywhere. */
static enum dr_err write_conflict(struct dr_core *c)
{
	struct dr_evidence_head head = { .family = DR_FAMILY_EVM, .chain_id = c->init.chain_id };
	uint8_t bytes[DR_EVIDENCE_HEAD_LEN];
	char path[DR_TEXT_MAX + 64];

	memcpy(head.genesis, c->init.genesis, 32);
	dr_evidence_head_put(bytes, &head);
	snprintf(path, sizeof(path), "%s/conflict-%llu.ev", c->init.data_dir, (unsigned long long)c->final_number);
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;

	if (file == NULL)
		return dr_core_fail(c, DR_ERR_IO, "the conflict's evidence file", "%s: %s", path, strerror(errno));
	bool good = fwrite(bytes, 1, sizeof(bytes), file) == sizeof(bytes) &&
	            dr_store_evidence(c->store, write_frame, file, &c->fail) == DR_OK;

	good = fflush(file) == 0 && fsync(fd) == 0 && good;
	good = fclose(file) == 0 && good;
	if (!good)
		return dr_core_fail(c, DR_ERR_IO, "the conflict's evidence file", "%s: it could not be written", path);
	return dr_core_fail(c, DR_ERR_PROOF, "conflict",
	                    "halted: a block named final contradicts the final chain held here; evidence written to %s",
	                    path);
}

static int end_conflict(struct live *l)
{
	struct dr_core *c = l->c;

	if (c->store != NULL && (dr_store_halt(c->store, &c->fail) != DR_OK || dr_core_commit(c) != DR_OK))
		return dr_core_fatal(c, DR_CORE_ERROR);
	if (c->store != NULL)
		write_conflict(c);
	else
		dr_core_fail(c, DR_ERR_PROOF, "conflict",
		             "halted: a block named final contradicts the final chain recorded so far; the recording holds "
		             "the evidence");
	return dr_core_fatal(c, DR_CORE_CONFLICT);
}

static int end(struct live *l)
{
	struct dr_core *c = l->c;

	if (c->fail.err != DR_OK) {
		const bool halted = c->store != NULL && dr_store_halted(c->store);

		return dr_core_fatal(c, halted ? DR_CORE_CONFLICT : DR_CORE_ERROR);
	}
	if (l->conflict)
		return end_conflict(l);
	if (l->protocol_error) {
		dr_core_commit(c);
		dr_channel_close(&c->watch);
		dr_core_fail(c, DR_ERR_SYNTAX, "watch broke the protocol",
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
	struct live *l = dr_heap_alloc(sizeof(*l));
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
	dr_buf_init(&l->early, EARLY_CAP);
	if (begin(l) == DR_OK && dr_channel_write(&c->watch, &c->fail) == DR_OK &&
	    dr_channel_write(&c->control, &c->fail) == DR_OK)
		while (!ends(l))
			turn(l);
	code = end(l);
	for (size_t i = 0; i < DR_CLIENTS_MAX; i++)
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
