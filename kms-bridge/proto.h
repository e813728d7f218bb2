/* SPDX-License-Identifier: Apache-2.0
 *
 * proto: every message between the processes of derot: supervisor, core, watch, and local clients. All that
 * watcher/ knows of kms-bridge/, but for its words (tell/), its rooms (process/), and derivation.h, with which the
 * holder of a key checks it.
 *
 *   message = u32 length of what follows · u16 type · payload        (big-endian, over stream sockets)
 *
 * Channels and who may say what:
 *   control   supervisor or command line ↔ core (fd 3 of derot-core): INIT once, first; then by mode
 *   watch     watch ↔ core (fd 4 of derot-core, fd 3 of derot-watch): wants, credit, frames
 *   client    local client ↔ core (unix socket in the data directory): requests and answers, in order
 *   serve     serve ↔ core (fd 5 of derot-core, fd 3 of derot-serve): of the client's messages those marked (public);
 *             the others end the channel
 * A message on a channel where it does not belong, or one that does not decode, ends the channel.
 *
 * Layer: kms-bridge.
 */
#ifndef DR_KMS_PROTO_H
#define DR_KMS_PROTO_H

#include "chain/base/arena.h"
#include "chain/beacon/network.h"
#include "chain/evidence.h"
#include "chain/evm/follow.h"
#include "chain/want.h"
#include "governance/change.h"
#include "governance/decide.h"
#include "governance/divergence.h"
#include "governance/findings.h"
#include "governance/profile.h"

#define DR_PROTO_VERSION 2u   /* 1, as recordings' claims (DR_FRAME_ABOUT) still have it, knew no consensus */
#define DR_TEXT_MAX      512u /* longest text field, bytes; texts are UTF-8 without control characters */

enum dr_msg_type {
	/* control, to the core */
	DR_MSG_INIT = 0x0101,     /* struct dr_init */
	DR_MSG_EVIDENCE = 0x0102, /* replay: the next run of raw bytes of an evidence stream, head included */
	DR_MSG_ASK = 0x0103,      /* replay: struct dr_ask, before any evidence */
	DR_MSG_END = 0x0104,      /* replay: no more evidence */
	DR_MSG_STOP = 0x0105,     /* orderly stop */
	/* control, from the core */
	DR_MSG_CHANGE = 0x0201,  /* struct dr_entry: one ledger entry, as it is made */
	DR_MSG_FINDING = 0x0202, /* struct dr_audit_finding */
	DR_MSG_JOURNAL = 0x0203, /* struct dr_entry: one journal entry */
	DR_MSG_ANSWER =
		0x0204, /* struct dr_answer: replay: the answer to an ASK changed, or a recorded request's answer */
	DR_MSG_KEPT = 0x0205,   /* record: bytes to append to the recording (head first) */
	DR_MSG_STATUS = 0x0206, /* struct dr_status_report: at the end of a replay, and on request */
	DR_MSG_READY = 0x0207,  /* empty: INIT taken, store refolded */
	DR_MSG_FATAL = 0x0208,  /* struct dr_error: the core is about to exit */
	/* watch, from the core */
	DR_MSG_WANT = 0x0301,    /* struct dr_want */
	DR_MSG_CANCEL = 0x0302,  /* u32 want id: no longer wanted */
	DR_MSG_CREDIT = 0x0303,  /* u64: this many more bytes of FRAME messages may be sent */
	DR_MSG_REFUSED = 0x0304, /* struct dr_refusal: the frame of this want and source was refused */
	/* watch, to the core */
	DR_MSG_FRAME = 0x0401,       /* u32 want id · one whole frame */
	DR_MSG_UNAVAILABLE = 0x0402, /* struct dr_unavailable */
	DR_MSG_ENDPOINT = 0x0403,    /* struct dr_endpoint_news: for the journal and the status */
	/* client, to the core */
	DR_MSG_STATUS_GET = 0x0501,      /* empty → STATUS (public) */
	DR_MSG_KEY_GET = 0x0502,         /* a request (governance/decide.h) → KEY */
	DR_MSG_LOG_GET = 0x0503,         /* struct dr_log_query → LOG_ENTRY*, LOG_END (public) */
	DR_MSG_ROOT_GET = 0x0504,        /* u64 generation, 0 = newest → ROOT */
	DR_MSG_EVIDENCE_GET = 0x0505,    /* empty → KEPT*, LOG_END: the whole recording, head first */
	DR_MSG_NODE_GET = 0x0506,        /* empty → NODE (public) */
	DR_MSG_PARCEL_GET = 0x0507,      /* struct dr_parcel_query → PARCEL */
	DR_MSG_PARCEL_PUT = 0x0508,      /* struct dr_run, a parcel → DONE */
	DR_MSG_CERTIFICATE_GET = 0x0509, /* struct dr_certificate_query → CERTIFICATE* , LOG_END (public) */
	DR_MSG_CHECKPOINT_GET = 0x050a,  /* u8 log: 0 ledger, 1 journal → CHECKPOINT (public) */
	DR_MSG_PROOF_GET = 0x050b,       /* struct dr_proof_query → PROOF (public) */
	DR_MSG_RESEAL = 0x050c,          /* empty → DONE: everything sealed is sealed anew under a new key file */
	/* client, from the core */
	DR_MSG_KEY = 0x0601,         /* struct dr_key_answer */
	DR_MSG_LOG_ENTRY = 0x0602,   /* struct dr_entry */
	DR_MSG_LOG_END = 0x0603,     /* u64 size · root 32 */
	DR_MSG_ROOT = 0x0604,        /* struct dr_root_public */
	DR_MSG_ERROR = 0x0605,       /* struct dr_error: the request could not be carried out */
	DR_MSG_NODE = 0x0606,        /* struct dr_node_public */
	DR_MSG_PARCEL = 0x0607,      /* struct dr_run: a root generation, encrypted to one node (core/parcel.h) */
	DR_MSG_DONE = 0x0608,        /* struct dr_done */
	DR_MSG_CERTIFICATE = 0x0609, /* struct dr_run: one certificate, X.509 DER; the root's first */
	DR_MSG_CHECKPOINT = 0x060a,  /* struct dr_run: a signed note (C2SP signed-note, tlog-checkpoint), text */
	DR_MSG_PROOF = 0x060b,       /* struct dr_log_proof */
};

enum dr_mode {
	DR_MODE_RUN = 1,      /* live, with store and keys */
	DR_MODE_REPLAY = 2,   /* evidence over control; memory only; never opens a root */
	DR_MODE_RECORD = 3,   /* live, memory only, hands kept frames out */
	DR_MODE_QUERY = 4,    /* an existing store, read only: answers client messages on control */
	DR_MODE_KEY_FILE = 5, /* makes the sealing key's file (init.key_file), says READY, ends */
};

enum dr_clock_source {
	DR_CLOCK_SYSTEM = 0, /* CLOCK_BOOTTIME and CLOCK_REALTIME */
	DR_CLOCK_CHAIN = 1,  /* record mode only: header time of the newest final block: for fixtures */
};

struct dr_init {
	uint32_t version; /* DR_PROTO_VERSION */
	uint8_t mode;
	uint8_t clock;
	uint8_t proof; /* enum dr_proof: QUORUM, CONSENSUS */
	uint8_t way;   /* enum dr_way */
	uint64_t chain_id;
	uint8_t genesis[32];
	uint8_t contract[20];
	uint64_t start_number;
	uint8_t start_hash[32];
	uint16_t quorum_k, quorum_n; /* n: sources of evidence, beacon nodes too; k: 0 but at proof QUORUM */
	uint32_t step_max;
	uint64_t max_staleness_s, head_staleness_s; /* 0: DR_STALENESS_DEFAULT_S / no separate head limit */
	bool heartbeat;                             /* require our own nonce on chain within max_staleness_s */
	uint8_t node[20];                           /* this KMS node's id on chain */
	bool anchored;                              /* replay: the anchor came from the verifier's own hands */
	uint64_t until;             /* replay, record: stop after the final step that reaches this block; 0: none */
	char data_dir[DR_TEXT_MAX]; /* RUN, QUERY */
	char key_file[DR_TEXT_MAX]; /* RUN: the sealing key */
	char passphrase_file[DR_TEXT_MAX]; /* "": key_file holds the key itself; else it is wrapped under the
					    * passphrase (Argon2id) in this file */
	uint32_t argon2_mib;               /* of a wrapped key file that is made: memory; 0: the default */
	/* RUN: checkpoints of this node's own journal that peers kept: files that are looked at when it starts. */
	char checkpoints[DR_CHECKPOINTS_MAX][DR_TEXT_MAX];
	bool serve;                           /* RUN: fd 5 is a channel to derot-serve */
	char endpoints[DR_ENDPOINTS_MAX][64]; /* names for the journal, by source index */
	struct dr_bytes profile;              /* canonical form; borrowed from the message buffer */
	/* CONSENSUS (chain/beacon/beacon.h); empty and zero otherwise. */
	struct dr_bytes network;       /* canonical form (chain/beacon/network.h); borrowed like profile */
	uint8_t checkpoint[32];        /* the trusted beacon block root */
	char checkpoint_from[128];     /* who it was taken from, for the journal */
	uint64_t checkpoint_max_age_s; /* 0: the default */
	char checkpoint_aged[64];      /* who answers for one beyond that age; "": nobody */
};

#define DR_STALENESS_DEFAULT_S 3600u

struct dr_ask {
	char name[64];
	struct dr_request request;
};

/* A ledger or journal entry: RFC 6962 leaf at index; ledger leaves are changes (governance/change.h),
 * journal leaves are notes (struct dr_note below). */
#define DR_LEAF_LEN_MAX 4096u
struct dr_entry {
	uint64_t idx;
	uint8_t leaf_hash[32];
	struct dr_bytes leaf; /* borrowed */
};

enum dr_note_kind {
	DR_NOTE_START = 1,       /* a core started; sealed */
	DR_NOTE_FINAL = 2,       /* a final step: number, hash; detail: proof and ways used */
	DR_NOTE_HEAD = 3,        /* an authenticated, complete head */
	DR_NOTE_LEASE = 4,       /* the lease began, or ended; detail says why */
	DR_NOTE_LIE = 5,         /* a refused frame; source, detail */
	DR_NOTE_DISSENT = 6,     /* an endpoint's word that finality did not follow */
	DR_NOTE_UNAVAILABLE = 7, /* an endpoint did not answer a want */
	DR_NOTE_ENDPOINT = 8,    /* set aside, back, … */
	DR_NOTE_DIVERGENCE = 9,  /* begins or clears */
	DR_NOTE_REQUEST = 10,    /* a key request and its decision: the intent */
	DR_NOTE_RELEASE = 11,    /* its result: released (idx of the intent in detail) */
	DR_NOTE_ROOT = 12,       /* a root generation made, sealed, compared with the published one */
	DR_NOTE_PROFILE = 13,    /* profile in use: digest */
	DR_NOTE_CONFLICT = 14,   /* contradiction of something final: halted */
	DR_NOTE_STOP = 15,       /* orderly stop */
	DR_NOTE_HEARTBEAT = 16,  /* a nonce drawn, or seen on chain */
	DR_NOTE_SHARE = 17,      /* a root generation handed to another node, or taken from one */
	DR_NOTE_CHECKPOINT = 18, /* consensus: the beacon block that everything rests on, and whose word it is */
	DR_NOTE_PERIOD = 19,     /* consensus: a sync-committee period was reached */
};

/* leaf = u8 version (1) · u8 kind · u64 boot ms · u64 wall ms · u64 ledger size · ledger root 32 ·
 *        u64 number · hash 32 · u16 source · u16 len · detail (UTF-8, one line, for people and scripts) */
struct dr_note {
	uint8_t kind;
	uint64_t boot_ms, wall_ms;
	uint64_t ledger_size;
	uint8_t ledger_root[32];
	uint64_t number;  /* a block's, or 0 */
	uint8_t hash[32]; /* a block's or subject's, or zero */
	uint16_t source;  /* endpoint index, or DR_SOURCE_CORE */
	char detail[DR_TEXT_MAX];
};

struct dr_answer {
	char name[64];   /* of the ASK; "" for a recorded request */
	uint64_t number; /* final block at which it was given; 0: before the first */
	uint64_t head;   /* newest authenticated, complete head; 0: none */
	struct dr_decision decision;
};

struct dr_refusal {
	uint32_t want;
	uint16_t source;
	uint8_t err; /* enum dr_err; PROOF = a lie */
	char what[DR_TEXT_MAX];
};

struct dr_unavailable {
	uint32_t want;
	uint16_t source; /* DR_SOURCE_CORE: no endpoint has it */
	char reason[DR_TEXT_MAX];
};

enum dr_endpoint_state {
	DR_ENDPOINT_UNKNOWN = 0,
	DR_ENDPOINT_GOOD = 1,
	DR_ENDPOINT_LAGS = 2,
	DR_ENDPOINT_ASIDE = 3, /* lied or failed: not asked for a while */
	DR_ENDPOINT_WRONG_CHAIN = 4,
};
#define DR_ENDPOINT_STATES 5

struct dr_endpoint_news {
	uint16_t source;
	uint8_t state; /* enum dr_endpoint_state */
	char reason[DR_TEXT_MAX];
};

struct dr_log_query {
	uint8_t log; /* 0 ledger, 1 journal */
	uint64_t first;
	uint64_t num; /* at most; 0: all */
};

struct dr_key_answer {
	struct dr_decision decision;
	char reason[DR_TEXT_MAX];
	uint64_t request_idx; /* journal index of the intent */
	bool development;     /* a root made at proof quorum: for ever a development root */
	uint16_t key_len;     /* 0 unless ALLOW, and with a recipient in the request */
	uint8_t key[64];      /* wipe after use */
	/* All borrowed, empty if there is none. */
	struct dr_bytes proof;       /* that this is the key (derivation.h); to the key's holder only */
	struct dr_bytes certificate; /* purposes sign and tls: X.509 DER of the public key, signed by the root */
	struct dr_bytes box;         /* with a recipient: key ‖ proof, encrypted to it (chain/crypto/box.h) */
};

#define DR_RUN_MAX 65536u
struct dr_run {
	struct dr_bytes bytes; /* borrowed; at most DR_RUN_MAX */
};

struct dr_node_public {
	uint8_t enc_key[32];  /* X25519: what the node registers on chain; zero: none yet */
	uint8_t sign_key[32]; /* Ed25519: signs checkpoints */
	char name[256];       /* of its signed notes */
	bool heartbeat;       /* required */
	uint8_t nonce[32];    /* the heartbeat drawn last; zero: none */
	uint64_t nonce_ms;    /* boot-time when it was drawn */
};

struct dr_parcel_query {
	uint64_t generation; /* 0: the newest */
	uint8_t node[20];    /* to whom */
};

struct dr_certificate_query {
	uint64_t generation; /* 0: the newest */
	bool has_app;        /* false: the root's alone; true: then those of this app that were issued here */
	uint8_t app[32];
};

enum dr_proof_kind {
	DR_PROOF_INCLUSION = 0,   /* of leaf `first` in the tree of `size` */
	DR_PROOF_CONSISTENCY = 1, /* of the tree of `first` leaves with that of `size` */
};

struct dr_proof_query {
	uint8_t log;  /* 0 ledger, 1 journal */
	uint8_t kind; /* enum dr_proof_kind */
	uint64_t first;
	uint64_t size; /* 0: as it is now */
};

#define DR_PROOF_HASHES_MAX 128u
struct dr_log_proof {
	uint64_t size;          /* that it is about */
	uint8_t root[32];       /* of that size */
	uint8_t first_hash[32]; /* the leaf's hash, or the root of `first` */
	uint16_t num;
	uint8_t hashes[DR_PROOF_HASHES_MAX][32]; /* as RFC 6962, 2.1.1 and 2.1.2 order them */
};

struct dr_done {
	char what[DR_TEXT_MAX];
};

/* What this node holds of the generation that is in force. */
enum dr_holding {
	DR_HOLDING_NONE = 0,    /* no root of it, or none is published */
	DR_HOLDING_OURS = 1,    /* the published keys are ours */
	DR_HOLDING_FOREIGN = 2, /* a root of that number with other keys */
};

struct dr_root_public {
	uint64_t generation;   /* 0: none held */
	bool published_equal;  /* the published keys are ours */
	uint8_t words[10][32]; /* scheme, prf_pub, prf_c, prf_s, sig_pub, sig_r, sig_s, quote, prev_r, prev_s */
};

struct dr_error {
	uint8_t err;
	uint8_t exit; /* FATAL: the exit code that follows */
	char what[DR_TEXT_MAX];
};

struct dr_status_report {
	uint64_t chain_id;
	uint8_t contract[20];
	uint8_t proof;
	uint16_t quorum_k, quorum_n;
	/* CONSENSUS */
	char network[32];
	uint8_t checkpoint[32];
	char checkpoint_from[128], checkpoint_aged[64];
	bool beacon_ready; /* the checkpoint's bootstrap was taken; what follows is zero before */
	bool beacon_aged;  /* what is final is older than permitted, and checkpoint_aged answers for it */
	uint64_t checkpoint_slot, final_slot, head_slot;
	uint64_t period, period_now;       /* of the final block; by the clock */
	uint8_t final_root[32];            /* of the beacon block */
	uint32_t participation, committee; /* of the newest finality proof: how many signed, of how many */
	uint64_t beacon_age_s;
	uint64_t start_number;
	bool anchored;
	bool has_final;
	uint64_t final_number, final_time;
	uint8_t final_hash[32];
	uint64_t target_number; /* newest block finality named */
	uint64_t head_number, head_time;
	uint32_t heads_counting;
	bool sealed, halted;
	char why[DR_TEXT_MAX]; /* empty if not sealed */
	uint64_t lease_left_s;
	uint64_t ledger_size, journal_size;
	uint8_t ledger_root[32], journal_root[32];
	uint8_t state_digest[32], profile_digest[32];
	uint64_t generation; /* published and in force; 0: none */
	bool generation_ours;
	uint8_t holding;            /* enum dr_holding */
	uint64_t rotation_deadline; /* the generation is exposed: rotation is due by then; 0: it is not */
	bool heartbeat;             /* required */
	uint64_t heartbeat_age_s;   /* boot-time since the draw of the newest nonce seen on chain; UINT64_MAX: none */
	uint32_t divergences, findings;
	uint64_t frames_kept, frames_refused;
	bool torn; /* replay: the recording ends inside a frame */
	uint16_t num_endpoints;
	struct {
		char name[64];
		uint8_t state;
		uint32_t lies;
		uint64_t final_number;
		char reason[128];
	} endpoints[DR_ENDPOINTS_MAX];
};

/* Framing. dr_msg_put: appends a message with this payload to *out. dr_msg_get: the message at the
 * start of bytes: DR_OK and *used > 0; DR_OK and *used == 0: more is to come; DR_ERR_LIMIT. */
enum dr_err dr_msg_put(struct dr_buf *out, uint16_t type, struct dr_bytes payload, struct dr_fail *fail);
enum dr_err dr_msg_get(uint16_t *type, struct dr_bytes *payload, size_t *used, struct dr_bytes bytes,
		       struct dr_fail *fail);

/* dr_text_set: out = text[0,text_len) up to its NUL, as a text of this protocol: what is no UTF-8 or a
 * control character becomes '?', and it is cut at a character's end to fit cap, NUL included. Puts refuse
 * texts that are not of this form, so foreign words (an endpoint's error) go through here first. */
void dr_text_set(char *out, size_t cap, const char *text, size_t text_len);

/* One put and one get per payload struct: put appends the whole message; get decodes a payload strictly
 * (trailing bytes, unterminated or controlling text, booleans other than 0 and 1 are refused). */
#define DR_PROTO_PAIR(name, type)                                                                                    \
	enum dr_err dr_##name##_put(struct dr_buf *out, uint16_t msg, const type *in, struct dr_fail *fail);         \
	enum dr_err dr_##name##_get(type *out, struct dr_bytes payload, struct dr_fail *fail)
DR_PROTO_PAIR(init, struct dr_init);
DR_PROTO_PAIR(ask, struct dr_ask);
DR_PROTO_PAIR(entry, struct dr_entry);
DR_PROTO_PAIR(audit_finding, struct dr_audit_finding);
DR_PROTO_PAIR(answer, struct dr_answer);
DR_PROTO_PAIR(want, struct dr_want);
DR_PROTO_PAIR(refusal, struct dr_refusal);
DR_PROTO_PAIR(unavailable, struct dr_unavailable);
DR_PROTO_PAIR(endpoint_news, struct dr_endpoint_news);
DR_PROTO_PAIR(log_query, struct dr_log_query);
DR_PROTO_PAIR(key_answer, struct dr_key_answer);
DR_PROTO_PAIR(root_public, struct dr_root_public);
DR_PROTO_PAIR(error, struct dr_error);
DR_PROTO_PAIR(status_report, struct dr_status_report);
DR_PROTO_PAIR(run, struct dr_run);
DR_PROTO_PAIR(node_public, struct dr_node_public);
DR_PROTO_PAIR(parcel_query, struct dr_parcel_query);
DR_PROTO_PAIR(certificate_query, struct dr_certificate_query);
DR_PROTO_PAIR(proof_query, struct dr_proof_query);
DR_PROTO_PAIR(log_proof, struct dr_log_proof);
DR_PROTO_PAIR(done, struct dr_done);
#undef DR_PROTO_PAIR

/* A note's leaf. */
#define DR_NOTE_LEN_MAX (1u + 1 + 8 + 8 + 8 + 32 + 8 + 32 + 2 + 2 + DR_TEXT_MAX)
enum dr_err dr_note_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_note *n, struct dr_fail *fail);
enum dr_err dr_note_decode(struct dr_note *out, struct dr_bytes bytes, struct dr_fail *fail);
const char *dr_note_name(enum dr_note_kind kind);

/* dr_checkpoint_vkey: the text form of the key that signs a node's checkpoints (C2SP signed-note: name, key id,
 * base64 of 0x01 ‖ key, between plus signs), as monitors are told it. name: shorter than 256 bytes. */
void dr_checkpoint_vkey(char out[static DR_TEXT_MAX], const char *name, const uint8_t pub[static 32]);

/* RFC 6962: leaf hash, and the root over a list of leaf hashes, so that a client can re-derive what it
 * was told. dr_merkle_root: num == 0 gives SHA-256 of nothing. */
void dr_merkle_leaf(uint8_t out[static 32], struct dr_bytes leaf);
struct dr_merkle { /* the right edge of a growing tree: one hash per set bit of size */
	uint64_t size;
	uint8_t edge[64][32];
};
void dr_merkle_init(struct dr_merkle *m);
void dr_merkle_add(struct dr_merkle *m, const uint8_t leaf_hash[static 32]);
void dr_merkle_root(uint8_t out[static 32], const struct dr_merkle *m);

/* RFC 9162, 2.1.3.2 and 2.1.4.2: true if the proof (as struct dr_log_proof has it) shows that the leaf is the one at
 * idx of the tree of `size` leaves with this root; that the tree of old_size leaves begins that of new_size leaves.
 * The empty tree begins every tree: its proof is empty. */
bool dr_merkle_verify_inclusion(const uint8_t root[static 32], uint64_t size, uint64_t idx,
				const uint8_t leaf_hash[static 32], const uint8_t (*hashes)[32], size_t num);
bool dr_merkle_verify_consistency(const uint8_t old_root[static 32], uint64_t old_size,
				  const uint8_t new_root[static 32], uint64_t new_size, const uint8_t (*hashes)[32],
				  size_t num);

#endif
