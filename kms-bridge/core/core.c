/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/core.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "chain/crypto/sha256.h"

#define CONTROL_FD 3
#define WATCH_FD   4
#define FLUSH_MS   5000
#define HELD_CAP   ((size_t)256 << 20)

enum dr_err dr_core_fail(struct dr_core *c, enum dr_err err, const char *what, const char *format, ...)
{
	char text[DR_TEXT_MAX];
	va_list args;

	if (c->fail.err == DR_OK) {
		va_start(args, format);
		vsnprintf(text, sizeof(text), format, args);
		va_end(args);
		dr_text_set(c->why, sizeof(c->why), text, strlen(text));
	}
	return dr_fail_set(&c->fail, err, what, 0);
}

int dr_core_fatal(struct dr_core *c, enum dr_core_exit code)
{
	struct dr_error error = { .err = (uint8_t)c->fail.err, .exit = (uint8_t)code };
	struct dr_fail fail = { 0 };
	const char *what = c->why[0] != 0 ? c->why : c->fail.what != NULL ? c->fail.what : "failed";

	dr_text_set(error.what, sizeof(error.what), what, strlen(what));
	dr_error_put(&c->control.out, DR_MSG_FATAL, &error, &fail);
	return (int)code;
}

/* The engine's host. Without a store (REPLAY, RECORD) there is nothing to wait for; with one, what is to be said
 * waits for the commit. */
static struct dr_buf *to_say(struct dr_core *c)
{
	return c->store != NULL ? &c->held : &c->control.out;
}

static enum dr_err whole_frame(struct dr_core *c, const struct dr_frame *frame, struct dr_bytes *bytes)
{
	c->frame.len = 0;
	if (dr_frame_put(&c->frame, frame, &c->fail) != DR_OK)
		return c->fail.err;
	*bytes = dr_buf_view(&c->frame);
	return DR_OK;
}

static enum dr_err on_kept(void *ctx, const struct dr_frame *frame)
{
	struct dr_core *c = ctx;
	struct dr_bytes bytes;

	if (c->refolding || c->init.mode == DR_MODE_REPLAY)
		return DR_OK;
	if (whole_frame(c, frame, &bytes) != DR_OK)
		return c->fail.err;
	if (c->store != NULL)
		return dr_store_evidence_add(c->store, bytes, &c->fail);
	return dr_msg_put(&c->control.out, DR_MSG_KEPT, bytes, &c->fail);
}

static enum dr_err on_ledger(void *ctx, const struct dr_entry *entry, const struct dr_change *change)
{
	struct dr_core *c = ctx;

	(void)change;
	if (c->refolding)
		return DR_OK;
	if (c->store != NULL && dr_store_log_add(c->store, DR_LOG_LEDGER, entry, &c->fail) != DR_OK)
		return c->fail.err;
	return dr_entry_put(to_say(c), DR_MSG_CHANGE, entry, &c->fail);
}

static enum dr_err on_journal(void *ctx, const struct dr_entry *entry, const struct dr_note *note)
{
	struct dr_core *c = ctx;

	(void)note;
	if (c->store != NULL && dr_store_log_add(c->store, DR_LOG_JOURNAL, entry, &c->fail) != DR_OK)
		return c->fail.err;
	return dr_entry_put(to_say(c), DR_MSG_JOURNAL, entry, &c->fail);
}

static enum dr_err on_finding(void *ctx, const struct dr_audit_finding *finding)
{
	struct dr_core *c = ctx;

	if (c->refolding)
		return DR_OK;
	return dr_audit_finding_put(to_say(c), DR_MSG_FINDING, finding, &c->fail);
}

static enum dr_err on_refused(void *ctx, const struct dr_frame *frame, const struct dr_fail *why)
{
	struct dr_core *c = ctx;
	struct dr_refusal refusal = { .want = c->want, .source = frame->source, .err = (uint8_t)why->err };

	if (c->refolding)
		return dr_core_fail(c, DR_ERR_PROOF, "store: a stored frame proves nothing",
				    "store: a stored frame of type %u is refused now: %s", frame->type, why->what);
	if (c->init.mode == DR_MODE_REPLAY)
		return DR_OK;
	/* What comes too late or too early is no lie: it would push those out. */
	if (c->store != NULL && why->err != DR_ERR_STALE &&
	    dr_store_quarantine_add(c->store, frame, why, &c->fail) != DR_OK)
		return c->fail.err;
	dr_text_set(refusal.what, sizeof(refusal.what), why->what, strlen(why->what));
	if (c->watch.fd < 0)
		return DR_OK;
	return dr_refusal_put(&c->watch.out, DR_MSG_REFUSED, &refusal, &c->fail);
}

static enum dr_err on_step(void *ctx, uint64_t number, const uint8_t hash[static 32])
{
	struct dr_core *c = ctx;

	(void)hash;
	c->final_number = number;
	c->stepped = c->marks_old = true;
	return DR_OK;
}

enum dr_err dr_core_open_store(struct dr_core *c, bool read_only)
{
	struct dr_store_identity id = { .chain_id = c->init.chain_id,
					.start_number = c->init.start_number,
					.proof = c->init.proof };

	memcpy(id.genesis, c->init.genesis, 32);
	memcpy(id.contract, c->init.contract, 20);
	memcpy(id.start_hash, c->init.start_hash, 32);
	if (id.proof == DR_PROOF_CONSENSUS) {
		struct dr_network net;

		if (dr_network_decode(&net, c->init.network, &c->fail) != DR_OK)
			return c->fail.err;
		memcpy(id.validators_root, net.genesis_validators_root, 32);
		memcpy(id.checkpoint, c->init.checkpoint, 32);
	}
	/* Only a canonical profile is taken (dr_engine_new decodes it): its digest is the hash of these bytes. */
	dr_sha256_one(id.profile, c->init.profile.ptr, c->init.profile.len);
	c->store = dr_store_open(c->init.data_dir, read_only, &id, c->why, &c->fail);
	return c->store != NULL ? DR_OK : c->fail.err;
}

enum dr_err dr_core_new_engine(struct dr_core *c)
{
	const struct dr_engine_host host = { .ctx = c,
					     .kept = on_kept,
					     .ledger = on_ledger,
					     .journal = on_journal,
					     .finding = on_finding,
					     .refused = on_refused,
					     .step = on_step };

	c->engine = dr_engine_new(&c->init, &host, &c->fail);
	return c->engine != NULL ? DR_OK : c->fail.err;
}

enum dr_err dr_core_feed(struct dr_core *c, enum dr_take *take, struct dr_decision *decision,
			 const struct dr_frame *frame)
{
	*take = DR_TAKE_KEPT;
	if (dr_frame_is_core(frame->type))
		return dr_engine_core_frame(c->engine, decision, frame, &c->fail);
	return dr_engine_frame(c->engine, take, frame, &c->fail);
}

static enum dr_err refold_frame(void *ctx, struct dr_bytes bytes)
{
	struct dr_core *c = ctx;
	struct dr_decision decision;
	struct dr_frame frame;
	enum dr_take take;
	size_t used;

	if (dr_frame_get(&frame, &used, bytes, &c->fail) != DR_OK)
		return c->fail.err;
	if (used != bytes.len)
		return dr_fail_set(&c->fail, DR_ERR_SYNTAX, "store: bytes after a stored frame", used);
	return dr_core_feed(c, &take, &decision, &frame);
}

static void read_marks(const struct dr_core *c, struct dr_store_marks *out)
{
	static struct dr_status_report s;

	dr_engine_status(c->engine, &s);
	memset(out, 0, sizeof(*out));
	out->has_final = s.has_final;
	out->final_number = s.final_number;
	memcpy(out->final_hash, s.final_hash, 32);
	memcpy(out->state_digest, s.state_digest, 32);
}

static enum dr_err find_conflict(void *ctx, const struct dr_entry *entry)
{
	bool *found = ctx;
	struct dr_fail fail = { 0 };
	struct dr_note note;

	if (dr_note_decode(&note, entry->leaf, &fail) == DR_OK && note.kind == DR_NOTE_CONFLICT)
		*found = true;
	return fail.err;
}

/* What contradicts something final, and the journal's entry about it, are one transaction: without the entry nothing
 * was contradicted under the quorum that the evidence was taken under, and it is not this one that halts for ever. */
static enum dr_err check_halt(struct dr_core *c)
{
	bool found = false;

	if (!dr_engine_halted(c->engine))
		return DR_OK;
	if (dr_store_log(c->store, DR_LOG_JOURNAL, 0, 0, find_conflict, &found, &c->fail) != DR_OK) {
		dr_text_set(c->why, sizeof(c->why), dr_store_why(c->store), DR_TEXT_MAX);
		return c->fail.err;
	}
	if (found)
		return DR_OK;
	return dr_core_fail(c, DR_ERR_PROOF, "store: the refold halts where the stored journal did not",
			    "store: the stored evidence folded anew contradicts what is final at block %llu, and the "
			    "stored journal knows of no contradiction: rows were changed, or the quorum differs from "
			    "that which it was made with",
			    (unsigned long long)c->marks.final_number);
}

enum dr_err dr_core_refold(struct dr_core *c)
{
	const struct dr_store_marks *stored = dr_store_marks(c->store);
	const char *differs = NULL;

	c->refolding = true;
	dr_engine_journal_at(c->engine, dr_store_log_edge(c->store, DR_LOG_JOURNAL));
	dr_engine_quiet(c->engine, true);
	dr_engine_refold_to(c->engine, stored->has_final ? stored->final_number : 0);
	if (dr_store_evidence(c->store, refold_frame, c, &c->fail) != DR_OK) {
		if (c->why[0] == 0)
			dr_text_set(c->why, sizeof(c->why), dr_store_why(c->store), DR_TEXT_MAX);
		return c->fail.err;
	}
	dr_engine_quiet(c->engine, false);
	dr_engine_refold_to(c->engine, 0);
	c->refolding = false;
	read_marks(c, &c->marks);
	if (memcmp(dr_engine_ledger(c->engine), dr_store_log_edge(c->store, DR_LOG_LEDGER),
		   sizeof(struct dr_merkle)) != 0)
		differs = "ledger";
	else if (stored->has_final != c->marks.has_final)
		differs = "cursor";
	else if (!stored->has_final)
		differs = NULL; /* the digest of nothing was never stored */
	else if (stored->final_number != c->marks.final_number ||
		 memcmp(stored->final_hash, c->marks.final_hash, 32) != 0)
		differs = "cursor";
	else if (memcmp(stored->state_digest, c->marks.state_digest, 32) != 0)
		differs = "state";
	c->stepped = c->marks_old = false;
	if (differs == NULL)
		return check_halt(c);
	return dr_core_fail(
		c, DR_ERR_PROOF, "store: the refold differs from what was stored",
		"store: the %s folded anew from the stored evidence (ledger %llu, block %llu) differs from the "
		"stored one (ledger %llu, block %llu): rows were changed, or quorum or way differ from those it "
		"was made with",
		differs, (unsigned long long)dr_engine_ledger(c->engine)->size,
		(unsigned long long)c->marks.final_number,
		(unsigned long long)dr_store_log_edge(c->store, DR_LOG_LEDGER)->size,
		(unsigned long long)stored->final_number);
}

enum dr_err dr_core_commit(struct dr_core *c)
{
	if (c->store == NULL)
		return DR_OK;
	if (c->marks_old) {
		read_marks(c, &c->marks);
		c->marks_old = false;
	}
	if (dr_store_commit(c->store, &c->marks, &c->fail) != DR_OK) {
		dr_text_set(c->why, sizeof(c->why), dr_store_why(c->store), DR_TEXT_MAX);
		return c->fail.err;
	}
	if (c->held.len == 0)
		return DR_OK;
	if (dr_channel_pending(&c->control) + c->held.len > c->control.out.cap / 2)
		dr_channel_flush(&c->control, 0, FLUSH_MS);
	if (dr_buf_append(&c->control.out, c->held.ptr, c->held.len, &c->fail) != DR_OK)
		return c->fail.err;
	dr_buf_drop(&c->held, c->held.len);
	return DR_OK;
}

enum dr_err dr_core_note(struct dr_core *c, enum dr_note_kind kind, uint64_t number, const uint8_t *hash,
			 uint16_t source, const char *detail, uint64_t *idx)
{
	struct dr_note note = { .kind = (uint8_t)kind, .number = number, .source = source };

	if (hash != NULL)
		memcpy(note.hash, hash, 32);
	dr_text_set(note.detail, sizeof(note.detail), detail, strlen(detail));
	return dr_engine_note(c->engine, idx, &note, &c->fail);
}

void dr_core_status(const struct dr_core *c, struct dr_status_report *out)
{
	dr_engine_status(c->engine, out);
	out->torn = c->torn;
	out->holding = (uint8_t)dr_core_holding(c);
	out->generation_ours = out->holding == DR_HOLDING_OURS;
	for (size_t i = 0; i < out->num_endpoints; i++) {
		out->endpoints[i].state = c->endpoints[i].state;
		out->endpoints[i].final_number = c->endpoints[i].final_number;
		dr_text_set(out->endpoints[i].reason, sizeof(out->endpoints[i].reason), c->endpoints[i].reason,
			    sizeof(c->endpoints[i].reason));
	}
}

enum dr_err dr_core_send_status(struct dr_core *c)
{
	static struct dr_status_report report;

	dr_core_status(c, &report);
	return dr_status_report_put(&c->control.out, DR_MSG_STATUS, &report, &c->fail);
}

static bool wait_readable(const struct dr_channel *ch)
{
	struct pollfd p = { .fd = ch->fd, .events = POLLIN };
	int num;

	while ((num = poll(&p, 1, -1)) < 0 && errno == EINTR)
		;
	return num > 0;
}

static enum dr_err read_init(struct dr_core *c)
{
	struct dr_bytes payload;
	uint16_t type;

	while (!dr_channel_next(&c->control, &type, &payload, &c->fail)) {
		if (c->fail.err != DR_OK)
			return c->fail.err;
		if (c->control.eof || !wait_readable(&c->control))
			return dr_fail_set(&c->fail, DR_ERR_SHORT, "control ended before INIT", 0);
		if (dr_channel_read(&c->control, &c->fail) != DR_OK)
			return c->fail.err;
	}
	if (type != DR_MSG_INIT)
		return dr_fail_set(&c->fail, DR_ERR_SYNTAX, "the first message on control is INIT", type);
	if (dr_init_get(&c->init, payload, &c->fail) != DR_OK)
		return c->fail.err;
	/* The message buffer moves on; the profile and the network stay. */
	if (dr_buf_append(&c->profile, c->init.profile.ptr, c->init.profile.len, &c->fail) != DR_OK)
		return c->fail.err;
	c->init.profile = dr_buf_view(&c->profile);
	if (dr_buf_append(&c->network, c->init.network.ptr, c->init.network.len, &c->fail) != DR_OK)
		return c->fail.err;
	c->init.network = dr_buf_view(&c->network);
	return DR_OK;
}

/* So that no other process ever sees the key that seals the roots. */
static int make_key_file(struct dr_core *c)
{
	if (dr_keys_file_make(c->init.key_file, c->init.passphrase_file, c->init.argon2_mib, &c->fail) != DR_OK)
		return dr_core_fatal(c, DR_CORE_ERROR);
	dr_msg_put(&c->control.out, DR_MSG_READY, (struct dr_bytes){ NULL, 0 }, &c->fail);
	return DR_CORE_GOOD;
}

static int run_mode(struct dr_core *c)
{
	switch ((enum dr_mode)c->init.mode) {
	case DR_MODE_RUN: return dr_core_live(c);
	case DR_MODE_RECORD: return dr_core_live(c);
	case DR_MODE_REPLAY: return dr_core_replay(c);
	case DR_MODE_QUERY: return dr_core_query(c);
	case DR_MODE_KEY_FILE: return make_key_file(c);
	}
	dr_fail_set(&c->fail, DR_ERR_UNKNOWN, "mode of the core", c->init.mode);
	return dr_core_fatal(c, DR_CORE_ERROR);
}

/* Afterwards no socket is made any more. */
static enum dr_err open_socket(struct dr_core *c)
{
	if (c->init.mode != DR_MODE_RUN)
		return DR_OK;
	c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return c->listen_fd >= 0
		       ? DR_OK
		       : dr_fail_set(&c->fail, DR_ERR_IO, "the client socket could not be made", (size_t)errno);
}

int dr_core_main(enum dr_err (*confine)(const struct dr_init *init, struct dr_fail *fail))
{
	static struct dr_core c;
	int code = DR_CORE_ERROR;

	signal(SIGPIPE, SIG_IGN);
	umask(077);
	memset(&c, 0, sizeof(c));
	c.listen_fd = -1;
	dr_channel_init(&c.control, CONTROL_FD);
	dr_channel_init(&c.watch, -1);
	dr_buf_init(&c.held, HELD_CAP);
	dr_buf_init(&c.frame, DR_FRAME_LEN_MAX + DR_EVIDENCE_FRAME_OVERHEAD);
	dr_buf_init(&c.profile, DR_PROFILE_LEN_MAX);
	dr_buf_init(&c.network, DR_NETWORK_LEN_MAX);
	if (dr_keys_harden(&c.fail) != DR_OK || read_init(&c) != DR_OK || open_socket(&c) != DR_OK ||
	    (confine != NULL && confine(&c.init, &c.fail) != DR_OK)) {
		dr_core_fatal(&c, DR_CORE_ERROR);
	} else {
		if (c.init.mode == DR_MODE_RUN || c.init.mode == DR_MODE_RECORD)
			dr_channel_init(&c.watch, WATCH_FD);
		code = run_mode(&c);
	}
	/* A node ends in time; what else there is to say is waited for, as whoever hears it must have all of it. */
	dr_channel_flush(&c.control, 0, c.init.mode == DR_MODE_RUN ? FLUSH_MS : -1);
	dr_keys_free(c.keys);
	dr_engine_free(c.engine);
	dr_store_close(c.store);
	dr_channel_close(&c.control);
	dr_channel_close(&c.watch);
	dr_buf_free(&c.held);
	dr_buf_free(&c.frame);
	dr_buf_free(&c.profile);
	dr_buf_free(&c.network);
	return code;
}
