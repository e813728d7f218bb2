/* SPDX-License-Identifier: Apache-2.0
 *
 * core: what the parts of the derot-core process share. One process, one engine, one thread.
 *
 *   core.c         the process: INIT, the engine's host, commit, the way out
 *   core_live.c    RUN and RECORD: the loop over control, watch, clients, timer and signals
 *   core_watch.c   RUN and RECORD: what watch says, and is told
 *   core_replay.c  REPLAY
 *   core_client.c  requests of local clients and of serve (RUN, QUERY)
 *   core_keys.c    what leaves this node: keys, certificates, roots for other nodes; sealing anew
 *   core_logs.c    what anybody may know: proofs, checkpoints, certificates
 *   core_roots.c   the life of root generations
 *   core_rollback.c  is this directory the newest of this node; heartbeats
 *
 * Rule: what is sent over control (CHANGE, JOURNAL, FINDING) is sent after the commit that makes it durable.
 *
 * Layer: kms-bridge/core.
 */
#ifndef DR_CORE_CORE_H
#define DR_CORE_CORE_H

#include "kms-bridge/core/channel.h"
#include "kms-bridge/core/engine.h"
#include "kms-bridge/core/keys.h"
#include "kms-bridge/core/store.h"

#define DR_CORE_CREDIT (64u << 20) /* bytes of FRAME messages, headers included, that watch may be ahead */

/* Exit codes of DESIGN.md, section 8, that a core ends with. */
enum dr_core_exit {
	DR_CORE_GOOD = 0,
	DR_CORE_ERROR = 1,
	DR_CORE_PROOF = 3,
	DR_CORE_CONFLICT = 4,
};

struct dr_client {
	struct dr_channel ch;
	bool is_serve; /* only the messages that are public (kms-bridge/proto.h) */
	/* A long answer, handed out as the client takes it. */
	struct {
		enum { DR_ANSWER_NONE = 0, DR_ANSWER_LOG, DR_ANSWER_EVIDENCE } kind;
		enum dr_log log;
		uint64_t next, end;
		uint64_t size; /* of LOG_END */
		uint8_t root[32];
	} answer;
};

/* A key request that waits for its batch. */
#define DR_CORE_ASKED_MAX 16u
struct dr_asked {
	struct dr_client *client;
	struct dr_request request;
	struct dr_decision decision;
	uint64_t request_idx;
	struct dr_fail why; /* it could not be read, or carried out */
};

struct dr_core {
	struct dr_init init;
	struct dr_buf profile; /* what init.profile borrows */
	struct dr_buf network; /* what init.network borrows */
	struct dr_engine *engine;
	struct dr_store *store; /* RUN, QUERY */
	struct dr_keys *keys;   /* RUN with a key file */
	struct dr_channel control, watch;
	int listen_fd;       /* RUN: for clients; made before the process was confined, bound when it has a store */
	struct dr_buf held;  /* control messages that wait for the commit */
	struct dr_buf frame; /* scratch: one whole frame */
	bool refolding;
	bool stepped;   /* a final step ended since somebody cleared this */
	bool marks_old; /* and since the last commit */
	struct dr_store_marks marks;
	uint64_t final_number;
	uint64_t frames_kept, frames_refused;
	uint32_t want; /* of the frame in hand */
	struct {
		uint8_t state; /* enum dr_endpoint_state */
		uint64_t final_number;
		char reason[DR_TEXT_MAX];
		/* The reasons journalled since the last final step: for each state, and for what it did not have. */
		char noted[DR_ENDPOINT_STATES][DR_TEXT_MAX];
		char unavailable[DR_TEXT_MAX];
	} endpoints[DR_ENDPOINTS_MAX];
	bool noted_nobody; /* nor that nobody has something */
	bool torn;
	/* Boot-time, in ms: the newest that was read or counted; what it was when the timer was asked last; and the
	 * newest that was stamped. */
	struct {
		uint64_t newest_ms, asked_ms, stamped_ms;
	} clock;
	uint64_t noted_generation;
	uint64_t noted_full; /* the generation for which there was no room */
	enum dr_holding noted_holding;
	struct dr_asked asked[DR_CORE_ASKED_MAX];
	size_t num_asked;
	/* The heartbeat drawn last; and the one of this node that the chain shows, with what it means. */
	uint8_t nonce[32];
	uint64_t nonce_ms; /* boot-time */
	bool heartbeat_known;
	uint8_t heartbeat[32];
	const char *heartbeat_why;
	/* Why it ends. */
	struct dr_fail fail;
	char why[DR_TEXT_MAX]; /* empty: fail.what */
};

/* dr_core_main: the whole process: control on fd 3, watch on fd 4 (RUN, RECORD). The exit code. Called again it is a
 * new one: nothing is remembered of the one before. confine gives up what
 * the process will not need: it is called once INIT is known, which comes from who started us, and before anything
 * foreign is read; NULL: nothing is given up (unit tests). */
int dr_core_main(enum dr_err (*confine)(const struct dr_init *init, struct dr_fail *fail));

/* The modes, after INIT; control says what happened. */
int dr_core_live(struct dr_core *c);
int dr_core_replay(struct dr_core *c);
int dr_core_query(struct dr_core *c);

/* dr_core_open_store: c->store for what INIT says. */
enum dr_err dr_core_open_store(struct dr_core *c, bool read_only);

/* dr_core_new_engine: c->engine, with the host below. */
enum dr_err dr_core_new_engine(struct dr_core *c);

/* dr_core_refold: every stored frame through the engine again, quietly; then ledger, state and cursor must be those
 * stored, and it may have halted only if the stored journal says so. DR_ERR_PROOF with c->why otherwise. */
enum dr_err dr_core_refold(struct dr_core *c);

/* dr_core_feed: one frame, foreign or core-stamped; *decision only for REQUEST. */
enum dr_err dr_core_feed(struct dr_core *c, enum dr_take *take, struct dr_decision *decision,
			 const struct dr_frame *frame);

/* dr_core_commit: what was written so far is durable; then what was held is sent. Without a store: only sent. */
enum dr_err dr_core_commit(struct dr_core *c);

/* dr_core_note: a journal entry of the host's own. hash may be NULL. detail is cut and cleaned to a text. */
enum dr_err dr_core_note(struct dr_core *c, enum dr_note_kind kind, uint64_t number, const uint8_t *hash,
			 uint16_t source, const char *detail, uint64_t *idx);

void dr_core_status(const struct dr_core *c, struct dr_status_report *out);
enum dr_err dr_core_send_status(struct dr_core *c);

/* dr_core_fatal: FATAL with c->fail (and c->why) and this exit code, which it returns. */
int dr_core_fatal(struct dr_core *c, enum dr_core_exit code);
/* dr_core_fail: c->fail and c->why from a sentence made at run time. */
__attribute__((format(printf, 4, 5))) enum dr_err dr_core_fail(struct dr_core *c, enum dr_err err, const char *what,
							       const char *format, ...);

/* dr_core_client_take: answers one message of a client (RUN: over the socket; QUERY: over control). False: the client
 * broke the protocol. c->fail: the core itself failed. dr_core_client_more: goes on with a long answer. */
bool dr_core_client_take(struct dr_core *c, struct dr_client *client, uint16_t type, struct dr_bytes payload);
enum dr_err dr_core_client_more(struct dr_core *c, struct dr_client *client);

/* dr_core_keys_flush: the key requests that wait are carried out and answered: before a client's next message of
 * another kind, and before its channel is written or closed. */
enum dr_err dr_core_keys_flush(struct dr_core *c);

/* dr_core_take_*: one message of a client each; false: it broke the protocol. */
bool dr_core_take_key_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload);
bool dr_core_take_parcel_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload);
bool dr_core_take_parcel_put(struct dr_core *c, struct dr_client *client, struct dr_bytes payload);
bool dr_core_take_reseal(struct dr_core *c, struct dr_client *client, struct dr_bytes payload);
bool dr_core_take_node_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload);
bool dr_core_take_proof_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload);
bool dr_core_take_checkpoint_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload);
bool dr_core_take_certificate_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload);
enum dr_err dr_core_say_error(struct dr_core *c, struct dr_client *client, enum dr_err err, const char *what);

/* dr_core_rollback_open: peers' checkpoints of this journal, if any are configured, agree with it.
 * dr_core_rolled_back: why the node's heartbeat in this state says that this directory is not the newest; NULL: it
 * does not. dr_core_heartbeat: draws one, if the engine wants one; durable then. */
enum dr_err dr_core_rollback_open(struct dr_core *c);
const char *dr_core_rolled_back(struct dr_core *c, const struct dr_state *state);
enum dr_err dr_core_heartbeat(struct dr_core *c);

/* dr_core_holding: what is held here of the generation in force. */
enum dr_holding dr_core_holding(const struct dr_core *c);

uint64_t dr_core_boot_ms(void);

/* dr_core_roots_open: the key file and every stored root. dr_core_roots_step: what the final state asks of us. */
enum dr_err dr_core_roots_open(struct dr_core *c);
enum dr_err dr_core_roots_step(struct dr_core *c);
enum dr_err dr_core_root_public(struct dr_core *c, uint64_t generation, struct dr_root_public *out);

/* dr_core_tick: stamps the clock unless that was done less than a second ago. */
enum dr_err dr_core_tick(struct dr_core *c, bool force);

#endif
