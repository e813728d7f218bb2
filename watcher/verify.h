/* SPDX-License-Identifier: Apache-2.0
 *
 * verify: what `derot verify` does with parsed JSON: proves everything that the block's hash commits to, and
 * keeps account of what it does not. Pure: no files, no network, no printing.
 *
 * Trusts nothing: the one thing printed that is not proven is the block's hash itself, which the reader
 * compares with one he trusts.
 *
 * Invariants:
 *   1. A member of the input is a fact only after it met a hash, or a value that did; every other member is
 *      named in `unproven`. Reading a member through struct dr_obj is what takes it off that list, so a
 *      member nobody looks at is unproven by itself.
 *   2. A member that contradicts a proven value (a log's blockHash, a transaction's sender) is a false proof,
 *      also where no hash commits to it.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_VERIFY_H
#define DR_WATCHER_VERIFY_H

#include <stdio.h>

#include <jansson.h>

#include "chain/base/arena.h"
#include "chain/base/err.h"
#include "chain/beacon/lc_store.h"
#include "chain/evm/header.h"

/* One verification: its answer as it grows, and its first failure. */
struct dr_check {
	json_t *facts;    /* object, in the order of printing */
	json_t *unproven; /* array of distinct member names */
	json_t *named;    /* the same as a set: a hostile object has any number of members */
	struct dr_arena *arena;
	struct dr_fail fail;
	char at[160];                 /* of the failure: the path of a member, as jq writes it */
	char expected[192], got[192]; /* empty, or the two values that differ */
	bool refused;                 /* the failure is a refusal, whatever its kind: nothing malformed */
	bool conflict;                /* two valid proofs contradict one another */
	bool tells;                   /* facts are printed with a failure too */
};

/* dr_check_init: false if there is no memory. dr_check_free releases everything, facts included. */
bool dr_check_init(struct dr_check *c);
void dr_check_free(struct dr_check *c);

static inline bool dr_check_ok(const struct dr_check *c)
{
	return c->fail.err == DR_OK;
}

/* dr_check_fail: records a failure at this path unless there is one. Returns what c now holds. */
enum dr_err dr_check_fail(struct dr_check *c, enum dr_err err, const char *what, const char *path, const char *key);

/* dr_check_read: the same, by what a reader of JSON failed with; where it stopped becomes c->got. */
enum dr_err dr_check_read(struct dr_check *c, const struct dr_fail *fail, const char *path);

/* dr_check_equal: DR_ERR_PROOF unless a[0,len) and b[0,len) are the same; keeps both for the message. */
void dr_check_equal(struct dr_check *c, const void *expected, const void *got, size_t len, const char *what,
		    const char *path, const char *key);
void dr_check_equal_u64(struct dr_check *c, uint64_t expected, uint64_t got, const char *what, const char *path,
			const char *key);

/* dr_check_unproven: names a member, once. */
void dr_check_unproven(struct dr_check *c, const char *name);

/* Facts. Integers above 2^53 become hex strings: not every JSON reader keeps them. */
void dr_fact_u64(struct dr_check *c, const char *key, uint64_t value);
void dr_fact_hex(struct dr_check *c, const char *key, const void *ptr, size_t len);
json_t *dr_json_hex(const void *ptr, size_t len);
json_t *dr_json_integer(uint64_t value);
json_t *dr_json_quantity(const uint8_t word[static 32]);

/* One JSON object under the reader's discipline: sticky failure in c, zeros after it. A member is read at
 * most once; members never read are unproven when the object ends. */
#define DR_OBJ_MEMBERS_MAX 64u
struct dr_obj {
	struct dr_check *c;
	const json_t *json;
	char path[96];     /* where it stands, "transactions[3].", or "" */
	const char *label; /* the same for `unproven`, "transactions[].", or "" */
	const char *seen[DR_OBJ_MEMBERS_MAX];
	size_t num_seen;
};

/* dr_obj_init: json must be an object (else DR_ERR_SYNTAX). path is a printf form with one %zu for idx, or
 * has none; label must live for ever. Borrows json. */
void dr_obj_init(struct dr_obj *o, struct dr_check *c, const json_t *json, const char *path, const char *label);

/* dr_obj_path: "parent" "name[idx]." into buf. */
void dr_obj_path(char *buf, size_t cap, const char *parent, const char *name, size_t idx);

/* dr_obj_peek: the member or NULL if absent or null; dr_obj_take also takes it off the unproven list. */
const json_t *dr_obj_peek(const struct dr_obj *o, const char *key);
const json_t *dr_obj_take(struct dr_obj *o, const char *key);

/* dr_obj_rest: every member not taken is unproven. */
void dr_obj_rest(struct dr_obj *o);

/* Members that must be there, in the forms of JSON-RPC (chain/base/hex.h). data: memory from c->arena. */
void dr_obj_fixed(struct dr_obj *o, const char *key, void *out, size_t len);
uint64_t dr_obj_u64(struct dr_obj *o, const char *key);
void dr_obj_word(struct dr_obj *o, const char *key, uint8_t word[static 32]);
/* as dr_obj_word, but leading zeros are let pass: servers pad signatures */
void dr_obj_padded(struct dr_obj *o, const char *key, uint8_t word[static 32]);
struct dr_bytes dr_obj_data(struct dr_obj *o, const char *key);
const json_t *dr_obj_array(struct dr_obj *o, const char *key);

/* dr_json_data: one JSON string of data at path. Memory from c->arena. */
struct dr_bytes dr_json_data(struct dr_check *c, const json_t *value, const char *path, const char *key);

/* Redundant members: checked if there, taken either way. */
void dr_obj_same(struct dr_obj *o, const char *key, const void *expected, size_t len);
void dr_obj_same_u64(struct dr_obj *o, const char *key, uint64_t expected);
/* as dr_obj_same_u64, but a JSON integer is let pass, too: some servers write a receipt's time so */
void dr_obj_same_time(struct dr_obj *o, const char *key, uint64_t expected);

/* The filter of evm-logs: an empty list lets everything pass. */
struct dr_log_filter {
	uint8_t addresses[64][20];
	size_t num_addresses;
	uint8_t topics[64][32];
	size_t num_topics;
};

/* The four proofs. Each fills c->facts and c->unproven, or c->fail: DR_ERR_PROOF is a false proof, anything
 * else says that the input is no such thing. Documents are results, not replies. The facts still to be told
 * apart by the caller: "kind" and "ok" are not among them. */
void dr_verify_header(struct dr_check *c, const json_t *block);
void dr_verify_receipts(struct dr_check *c, const json_t *block, const json_t *receipts);
void dr_verify_logs(struct dr_check *c, const json_t *block, const json_t *receipts, const json_t *logs,
		    const struct dr_log_filter *filter);
void dr_verify_proof(struct dr_check *c, const json_t *block, const json_t *proof);

/* Light-client data, file by file, from a checkpoint on. Facts: network, now, checkpoint and steps, also of a
 * failure; what is final. What the store refuses, whatever the error, sets c->refused; a conflict c->conflict. Keep
 * *b while it is used: begin allocates, end gives back. */
struct dr_verify_beacon {
	struct dr_check *c;
	struct dr_lc_store *store;
	struct dr_network net;
	uint8_t checkpoint[32];
	uint64_t now;
	json_t *steps;
};
void dr_verify_beacon_begin(struct dr_verify_beacon *b, struct dr_check *c, const struct dr_network *net,
			    const uint8_t checkpoint[static 32], uint64_t now);
void dr_verify_beacon_file(struct dr_verify_beacon *b, const char *name, struct dr_bytes content);
void dr_verify_beacon_end(struct dr_verify_beacon *b);

/* dr_verify_bls: did the holders of all these keys (an array of hex strings, or {"pubkeys":[…]}) sign message
 * together? Facts, also of a "no": valid, keys. */
void dr_verify_bls(struct dr_check *c, const json_t *keys, struct dr_bytes message, struct dr_bytes signature);

/* Shared between them. dr_block_open: the header, proven to have the hash it claims; header.extra borrows
 * c->arena. dr_block_body: what else the header commits to. dr_transactions_verify: the list of full
 * transaction objects against the header. */
struct dr_block {
	struct dr_obj obj;
	struct dr_evm_header header;
};
void dr_block_open(struct dr_block *b, struct dr_check *c, const json_t *json);
void dr_block_body(struct dr_block *b);
void dr_transactions_verify(struct dr_check *c, const struct dr_evm_header *h, const json_t *list);

/* dr_root_of: the trie root over rlp(index) → values[index]. */
enum dr_err dr_root_of(uint8_t root[static 32], const struct dr_bytes *values, size_t num, struct dr_check *c);

#endif
