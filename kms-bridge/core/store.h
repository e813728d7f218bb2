/* SPDX-License-Identifier: Apache-2.0
 *
 * store: the data directory of a running core: evidence, both logs, sealed roots, issued certificates, quarantine, in
 * one SQLite file (derot.db). It grants nothing: state is refolded from evidence at every start, and a row that was
 * changed by hand is found and refused, never obeyed.
 *
 * Invariants:
 *   1. One transaction per step: the first write begins it, dr_store_commit ends it. What was not committed
 *      never happened: a crash at any instruction resumes exactly once.
 *   2. One writer per data directory (flock on its file "lock").
 *   3. A data directory belongs to one chain, genesis, contract, start, proof minimum and profile for ever.
 *   4. At opening, the leaves of both logs hash to the stored roots, and the kept hashes of their subtrees are what
 *      those leaves give. Later, a root or a proof that rests on a row edited meanwhile is not handed out.
 *   5. A sealed root that was deleted or replaced leaves no copy in the directory's files once the commit returned,
 *      unless a reader (QUERY mode) held its snapshot: then once a later commit, or the next opening's first, did.
 *
 * The file is in WAL mode with synchronous=FULL: a commit is durable when it returns, and a reader (QUERY
 * mode) never makes the writer wait. The directory is ours alone (no group or world write), files are 0600.
 *
 * Layer: kms-bridge/core. The sole includer of SQLite (store_impl.h).
 */
#ifndef DR_CORE_STORE_H
#define DR_CORE_STORE_H

#include "kms-bridge/proto.h"

#define DR_STORE_QUARANTINE_MAX   1000u       /* newest refused frames kept */
#define DR_STORE_QUARANTINE_LEN   (64u << 10) /* bytes kept of each */
#define DR_STORE_SEALED_MAX       4096u       /* a sealed root */
#define DR_STORE_CERTIFICATES_MAX 64u         /* told of one app; all are kept */

enum dr_log {
	DR_LOG_LEDGER = 0, /* as struct dr_log_query has it */
	DR_LOG_JOURNAL = 1,
};

struct dr_store_identity {
	uint64_t chain_id;
	uint8_t genesis[32];
	uint8_t contract[20];
	uint64_t start_number;
	uint8_t start_hash[32];
	uint8_t proof;       /* enum dr_proof: the minimum */
	uint8_t profile[32]; /* digest */
	/* At proof CONSENSUS alone: */
	uint8_t validators_root[32]; /* genesis_validators_root: which beacon chain */
	uint8_t checkpoint[32];
};

/* Where the fold stood at the last commit; compared after a refold. */
struct dr_store_marks {
	bool has_final;
	uint64_t final_number;
	uint8_t final_hash[32];
	uint8_t state_digest[32];
};

struct dr_store; /* opaque */

/* dr_store_open: opens dir, made with mode 0700 if missing (not when read_only), and binds it to id when it
 * is new. read_only: no lock is taken; one snapshot is seen until dr_store_close, and writes are a bug.
 * NULL with *fail and why (one sentence that names what differs, expected and got):
 *   DR_ERR_IO       the system or SQLite said no; another core runs here; the directory is not ours alone
 *   DR_ERR_UNKNOWN  a format of another version
 *   DR_ERR_STALE    the directory belongs to another identity
 *   DR_ERR_PROOF    the logs were changed: they do not hash to the stored roots */
struct dr_store *dr_store_open(const char *dir, bool read_only, const struct dr_store_identity *id,
			       char why[static DR_TEXT_MAX], struct dr_fail *fail);

/* dr_store_close: takes s, which may be NULL; what was not committed is gone. */
void dr_store_close(struct dr_store *s);

/* dr_store_why: the last failure in words, SQLite's or ours; valid until the next call. */
const char *dr_store_why(const struct dr_store *s);

/* Appends. entry->idx is the log's size; its hash must be the leaf's (anything else is a bug). */
enum dr_err dr_store_evidence_add(struct dr_store *s, struct dr_bytes frame, struct dr_fail *fail);
enum dr_err dr_store_log_add(struct dr_store *s, enum dr_log log, const struct dr_entry *entry, struct dr_fail *fail);
enum dr_err dr_store_quarantine_add(struct dr_store *s, const struct dr_frame *frame, const struct dr_fail *reason,
				    struct dr_fail *fail);
/* dr_store_root_put: a generation is put once; a second time is DR_ERR_PROOF. sealed ≤ DR_STORE_SEALED_MAX.
 * Generation 0 stands for the node's own keys. dr_store_root_replace: the same, sealed anew; DR_ERR_UNKNOWN if there
 * is none. dr_store_root_del: none is there afterwards. */
enum dr_err dr_store_root_put(struct dr_store *s, uint64_t generation, struct dr_bytes sealed, struct dr_fail *fail);
enum dr_err dr_store_root_replace(struct dr_store *s, uint64_t generation, struct dr_bytes sealed,
				  struct dr_fail *fail);
enum dr_err dr_store_root_del(struct dr_store *s, uint64_t generation, struct dr_fail *fail);
/* dr_store_certificate_add: a certificate (1 to DR_RUN_MAX bytes) that was issued to an app under a generation; one
 * that is already there is not added again. */
enum dr_err dr_store_certificate_add(struct dr_store *s, uint64_t generation, const uint8_t app[static 32],
				     struct dr_bytes der, struct dr_fail *fail);

/* dr_store_halt: remembers for ever that something final was contradicted. Within the transaction. */
enum dr_err dr_store_halt(struct dr_store *s, struct dr_fail *fail);
bool dr_store_halted(const struct dr_store *s);

/* dr_store_commit: ends the transaction, with these marks. DR_OK at once if nothing was written. */
enum dr_err dr_store_commit(struct dr_store *s, const struct dr_store_marks *marks, struct dr_fail *fail);
const struct dr_store_marks *dr_store_marks(const struct dr_store *s);

/* dr_store_evidence: every stored frame, in order, as the bytes that were added; a result other than DR_OK
 * ends it. DR_ERR_PROOF: rows are missing, or are not what was stored (a rolling hash says so, before the last
 * frame is handed out). Frames are not to be added meanwhile. */
enum dr_err dr_store_evidence(struct dr_store *s, enum dr_err (*each)(void *ctx, struct dr_bytes frame), void *ctx,
			      struct dr_fail *fail);

/* dr_store_evidence_num: frames stored, what was not committed included. dr_store_evidence_get: appends the frame
 * seq (below that) to *out. */
uint64_t dr_store_evidence_num(const struct dr_store *s);
enum dr_err dr_store_evidence_get(struct dr_store *s, uint64_t seq, struct dr_buf *out, struct dr_fail *fail);

/* dr_store_log: entries [first, first + num) of a log, fewer at its end; num 0: all. */
enum dr_err dr_store_log(struct dr_store *s, enum dr_log log, uint64_t first, uint64_t num,
			 enum dr_err (*each)(void *ctx, const struct dr_entry *entry), void *ctx,
			 struct dr_fail *fail);

/* dr_store_log_root: the root of a log's first `size` entries; DR_ERR_LIMIT beyond its size.
 * dr_store_log_proof: what q asks for (q->log and q->kind are in range: dr_proof_query_get sees to it), verified
 * before it is handed out; DR_ERR_LIMIT: no such entry or size; a consistency proof from size 0 is empty. Both count
 * what was added but not committed: whoever hands them out commits first. They read O(log size) rows. DR_ERR_PROOF: a
 * row on which the answer rests was changed since the store was opened; dr_store_why says it. */
enum dr_err dr_store_log_root(struct dr_store *s, enum dr_log log, uint64_t size, uint8_t root[static 32],
			      struct dr_fail *fail);
enum dr_err dr_store_log_proof(struct dr_store *s, const struct dr_proof_query *q, struct dr_log_proof *out,
			       struct dr_fail *fail);

/* dr_store_log_edge: size and right edge of a log, what was added but not committed included. */
const struct dr_merkle *dr_store_log_edge(const struct dr_store *s, enum dr_log log);

/* dr_store_root_get: the sealed root of a generation into buf[0,cap); *len 0: there is none. */
enum dr_err dr_store_root_get(struct dr_store *s, uint64_t generation, uint8_t *buf, size_t cap, size_t *len,
			      struct dr_fail *fail);
/* dr_store_root_next: the smallest generation above `after` that is stored (so never 0); 0: none. */
enum dr_err dr_store_root_next(struct dr_store *s, uint64_t after, uint64_t *generation, struct dr_fail *fail);
/* dr_store_certificates: those issued to an app under a generation, the newest DR_STORE_CERTIFICATES_MAX, in the
 * order of their issue; a result other than DR_OK ends it. They prove themselves (the root signed them); DR_ERR_PROOF
 * if a row is visibly not what was stored. */
enum dr_err dr_store_certificates(struct dr_store *s, uint64_t generation, const uint8_t app[static 32],
				  enum dr_err (*each)(void *ctx, struct dr_bytes der), void *ctx,
				  struct dr_fail *fail);

#endif
