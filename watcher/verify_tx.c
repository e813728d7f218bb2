/* SPDX-License-Identifier: Apache-2.0
 *
 * Full transaction objects of a block against transactionsRoot: each is put back into its consensus form, its
 * hash and its sender are recomputed, and the trie over all of them must have the header's root.
 *
 * Implements: yellow paper 4.2, EIP-155 (chain id in v), EIP-2718 (types), EIP-2930 (1), EIP-1559 (2),
 * EIP-4844 (3, without blobs), EIP-7702 (4), OP-stack deposits (0x7e).
 */
#include <string.h>

#include "chain/base/limits.h"
#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"
#include "chain/crypto/secp256k1.h"
#include "watcher/verify.h"

enum form {
	INTEGER = 1, /* shortest big-endian */
	OPTIONAL,    /* an integer that may be missing: zero */
	ADDRESS,
	RECIPIENT, /* an address, or nothing: a contract is created */
	HASH,
	DATA,
	BOOLEAN,
	ACCESS_LIST,
	HASHES,
	AUTHORIZATIONS,
};

struct member {
	const char *key;
	enum form form;
};

#define MEMBERS_MAX 12

/* The signed members of each type, in the order of its RLP. A deposit has no signature. */
static const struct tx_type {
	uint8_t type;
	struct member members[MEMBERS_MAX];
} types[] = {
	{ 0x00,
	  { { "nonce", INTEGER },
	    { "gasPrice", INTEGER },
	    { "gas", INTEGER },
	    { "to", RECIPIENT },
	    { "value", INTEGER },
	    { "input", DATA } } },
	{ 0x01,
	  { { "chainId", INTEGER },
	    { "nonce", INTEGER },
	    { "gasPrice", INTEGER },
	    { "gas", INTEGER },
	    { "to", RECIPIENT },
	    { "value", INTEGER },
	    { "input", DATA },
	    { "accessList", ACCESS_LIST } } },
	{ 0x02,
	  { { "chainId", INTEGER },
	    { "nonce", INTEGER },
	    { "maxPriorityFeePerGas", INTEGER },
	    { "maxFeePerGas", INTEGER },
	    { "gas", INTEGER },
	    { "to", RECIPIENT },
	    { "value", INTEGER },
	    { "input", DATA },
	    { "accessList", ACCESS_LIST } } },
	{ 0x03,
	  { { "chainId", INTEGER },
	    { "nonce", INTEGER },
	    { "maxPriorityFeePerGas", INTEGER },
	    { "maxFeePerGas", INTEGER },
	    { "gas", INTEGER },
	    { "to", RECIPIENT },
	    { "value", INTEGER },
	    { "input", DATA },
	    { "accessList", ACCESS_LIST },
	    { "maxFeePerBlobGas", INTEGER },
	    { "blobVersionedHashes", HASHES } } },
	{ 0x04,
	  { { "chainId", INTEGER },
	    { "nonce", INTEGER },
	    { "maxPriorityFeePerGas", INTEGER },
	    { "maxFeePerGas", INTEGER },
	    { "gas", INTEGER },
	    { "to", RECIPIENT },
	    { "value", INTEGER },
	    { "input", DATA },
	    { "accessList", ACCESS_LIST },
	    { "authorizationList", AUTHORIZATIONS } } },
	{ 0x7e,
	  { { "sourceHash", HASH },
	    { "from", ADDRESS },
	    { "to", RECIPIENT },
	    { "mint", OPTIONAL },
	    { "value", INTEGER },
	    { "gas", INTEGER },
	    { "isSystemTx", BOOLEAN },
	    { "input", DATA } } },
};

/* Appending RLP to growing buffers; failures stick to the check. */
static void put(struct dr_check *c, struct dr_buf *buf, struct dr_bytes string)
{
	size_t len = dr_rlp_len(string);
	uint8_t *at = dr_check_ok(c) ? dr_buf_reserve(buf, len, &c->fail) : NULL;
	struct dr_writer w;

	if (at == NULL)
		return;
	dr_writer_init(&w, at, len, &c->fail);
	dr_rlp_put(&w, string);
	buf->len += w.len;
}

static void put_integer(struct dr_check *c, struct dr_buf *buf, const uint8_t word[static 32])
{
	put(c, buf, dr_rlp_trim(dr_bytes_of(word, 32)));
}

static void put_u64(struct dr_check *c, struct dr_buf *buf, uint64_t value)
{
	uint8_t word[32];

	dr_word_put(word, value);
	put_integer(c, buf, word);
}

static void put_list(struct dr_check *c, struct dr_buf *buf, struct dr_bytes payload)
{
	size_t len = dr_rlp_list_len(payload.len);
	uint8_t *at = dr_check_ok(c) ? dr_buf_reserve(buf, len, &c->fail) : NULL;
	struct dr_writer w;

	if (at == NULL)
		return;
	dr_writer_init(&w, at, len, &c->fail);
	dr_rlp_put_list(&w, payload.len);
	dr_writer_bytes(&w, payload);
	buf->len += w.len;
}

static void fixed_string(struct dr_check *c, struct dr_buf *buf, const json_t *value, size_t len, const char *path,
			 const char *key)
{
	struct dr_bytes bytes = dr_json_data(c, value, path, key);

	if (dr_check_ok(c) && bytes.len != len)
		dr_check_fail(c, DR_ERR_SYNTAX, "this has not the length it must have", path, key);
	put(c, buf, bytes);
}

static void hashes(struct dr_check *c, struct dr_buf *buf, const json_t *list, const char *path, const char *key)
{
	struct dr_buf inner;
	size_t i;
	const json_t *value;

	dr_buf_init(&inner, DR_EVM_RECEIPT_LEN_MAX);
	json_array_foreach(list, i, value)
	{
		fixed_string(c, &inner, value, 32, path, key);
	}
	put_list(c, buf, dr_buf_view(&inner));
	dr_buf_free(&inner);
}

static void access_list(struct dr_obj *tx, struct dr_buf *buf, const json_t *list)
{
	struct dr_check *c = tx->c;
	struct dr_buf all, one;
	size_t i;
	const json_t *entry;

	dr_buf_init(&all, DR_EVM_RECEIPT_LEN_MAX);
	dr_buf_init(&one, DR_EVM_RECEIPT_LEN_MAX);
	json_array_foreach(list, i, entry)
	{
		struct dr_obj o;
		char path[128];

		dr_obj_path(path, sizeof(path), tx->path, "accessList", i);
		dr_obj_init(&o, c, entry, path, "transactions[].accessList[].");
		one.len = 0;
		fixed_string(c, &one, dr_obj_take(&o, "address"), 20, o.path, "address");
		/* null is no keys: so do servers in Go write an empty list */
		if (json_is_null(json_object_get(entry, "storageKeys")))
			hashes(c, &one, dr_obj_take(&o, "storageKeys"), o.path, "storageKeys");
		else
			hashes(c, &one, dr_obj_array(&o, "storageKeys"), o.path, "storageKeys");
		dr_obj_rest(&o);
		put_list(c, &all, dr_buf_view(&one));
	}
	put_list(c, buf, dr_buf_view(&all));
	dr_buf_free(&all);
	dr_buf_free(&one);
}

/* EIP-7702: [[chain_id, address, nonce, y_parity, r, s], …] */
static void authorizations(struct dr_obj *tx, struct dr_buf *buf, const json_t *list)
{
	struct dr_check *c = tx->c;
	struct dr_buf all, one;
	size_t i;
	const json_t *entry;

	dr_buf_init(&all, DR_EVM_RECEIPT_LEN_MAX);
	dr_buf_init(&one, 256);
	json_array_foreach(list, i, entry)
	{
		struct dr_obj o;
		uint8_t word[32];
		uint64_t parity;
		char path[128];

		dr_obj_path(path, sizeof(path), tx->path, "authorizationList", i);
		dr_obj_init(&o, c, entry, path, "transactions[].authorizationList[].");
		one.len = 0;
		dr_obj_word(&o, "chainId", word);
		put_integer(c, &one, word);
		fixed_string(c, &one, dr_obj_take(&o, "address"), 20, o.path, "address");
		put_u64(c, &one, dr_obj_u64(&o, "nonce"));
		parity = dr_obj_u64(&o, dr_obj_peek(&o, "yParity") != NULL ? "yParity" : "v");
		if (dr_obj_peek(&o, "yParity") != NULL)
			dr_obj_same_u64(&o, "v", parity);
		put_u64(c, &one, parity);
		dr_obj_padded(&o, "r", word);
		put_integer(c, &one, word);
		dr_obj_padded(&o, "s", word);
		put_integer(c, &one, word);
		dr_obj_rest(&o);
		put_list(c, &all, dr_buf_view(&one));
	}
	put_list(c, buf, dr_buf_view(&all));
	dr_buf_free(&all);
	dr_buf_free(&one);
}

static void put_member(struct dr_obj *o, struct dr_buf *buf, const struct member *m)
{
	struct dr_check *c = o->c;
	uint8_t word[32];
	const json_t *value;
	const char *key = m->key;

	switch (m->form) {
	case OPTIONAL:
		if (dr_obj_peek(o, m->key) == NULL) {
			(void)dr_obj_take(o, m->key);
			put_u64(c, buf, 0);
			break;
		} /* fallthrough */
	case INTEGER:
		dr_obj_word(o, m->key, word);
		put_integer(c, buf, word);
		break;
	case RECIPIENT:
		if (dr_obj_peek(o, m->key) == NULL) {
			(void)dr_obj_take(o, m->key);
			put(c, buf, dr_bytes_of(NULL, 0));
			break;
		} /* fallthrough */
	case ADDRESS: fixed_string(c, buf, dr_obj_take(o, m->key), 20, o->path, m->key); break;
	case HASH: fixed_string(c, buf, dr_obj_take(o, m->key), 32, o->path, m->key); break;
	case DATA: /* "data" is an older name of "input" */
		if (dr_obj_peek(o, m->key) == NULL && dr_obj_peek(o, "data") != NULL)
			key = "data";
		put(c, buf, dr_obj_data(o, key));
		break;
	case BOOLEAN:
		value = dr_obj_take(o, m->key);
		if (value != NULL && !json_is_boolean(value))
			dr_check_fail(c, DR_ERR_SYNTAX, "true or false is expected here", o->path, m->key);
		put_u64(c, buf, json_is_true(value));
		break;
	case ACCESS_LIST:
	case HASHES:
	case AUTHORIZATIONS:
		value = dr_obj_take(o, m->key); /* a missing list is the empty one */
		if (value != NULL && !json_is_array(value))
			dr_check_fail(c, DR_ERR_SYNTAX, "a JSON array is expected here", o->path, m->key);
		else if (m->form == ACCESS_LIST)
			access_list(o, buf, value);
		else if (m->form == HASHES)
			hashes(c, buf, value, o->path, m->key);
		else
			authorizations(o, buf, value);
		break;
	}
}

struct signature {
	uint64_t v;
	uint8_t rs[64];
	bool protected; /* legacy: v carries a chain id */
	uint64_t chain_id;
	bool recoverable;
	uint8_t recid;
};

static void read_signature(struct dr_obj *o, const struct tx_type *t, struct signature *sig)
{
	bool typed = t->type != 0;
	const char *main = typed && dr_obj_peek(o, "yParity") != NULL ? "yParity" : "v";

	memset(sig, 0, sizeof(*sig));
	sig->v = dr_obj_u64(o, main);
	dr_obj_padded(o, "r", sig->rs);
	dr_obj_padded(o, "s", sig->rs + 32);
	if (typed) {
		sig->recid = sig->v & 1;
		sig->recoverable = sig->v <= 1;
		if (strcmp(main, "v") != 0)
			dr_obj_same_u64(o, "v", sig->v);
		else
			(void)dr_obj_take(o, "yParity");
		return;
	}
	sig->protected = sig->v >= 35;
	sig->chain_id = sig->protected ? (sig->v - 35) / 2 : 0;
	sig->recoverable = sig->protected || sig->v == 27 || sig->v == 28;
	sig->recid = (uint8_t)(sig->protected ? (sig->v - 35) & 1 : (sig->v - 27) & 1);
	if (sig->recoverable)
		dr_obj_same_u64(o, "yParity", sig->recid);
	if (sig->protected)
		dr_obj_same_u64(o, "chainId", sig->chain_id);
	/* Before EIP-155 there is none; what a server says nevertheless stays unproven. */
}

/* type ‖ rlp([payload, more]), at the end of an empty buf. */
static void wrap(struct dr_check *c, struct dr_buf *buf, uint8_t type, struct dr_bytes payload)
{
	if (type != 0 && dr_check_ok(c))
		dr_buf_append(buf, &type, 1, &c->fail);
	put_list(c, buf, payload);
}

/* The signer is implied by the signature over everything else. */
static void check_sender(struct dr_obj *o, const struct tx_type *t, const struct signature *sig,
			 struct dr_bytes payload)
{
	struct dr_check *c = o->c;
	struct dr_buf body, form;
	uint8_t digest[32], from[20];
	struct dr_fail fail = { DR_OK, NULL, 0 };

	if (dr_obj_peek(o, "from") == NULL || !sig->recoverable)
		return; /* if it is there, it stays unproven */
	dr_buf_init(&body, DR_EVM_RECEIPT_LEN_MAX);
	dr_buf_init(&form, DR_EVM_RECEIPT_LEN_MAX);
	dr_buf_append(&body, payload.ptr, payload.len, &c->fail);
	if (sig->protected) {
		put_u64(c, &body, sig->chain_id);
		put_u64(c, &body, 0);
		put_u64(c, &body, 0);
	}
	wrap(c, &form, t->type, dr_buf_view(&body));
	if (dr_check_ok(c)) {
		dr_keccak256(digest, form.ptr, form.len);
		if (dr_secp256k1_recover(from, digest, sig->rs, sig->recid, &fail) != DR_OK)
			dr_check_fail(c, DR_ERR_PROOF, "no key can have made this signature", o->path, "r");
		else
			dr_obj_same(o, "from", from, sizeof(from));
	}
	dr_buf_free(&body);
	dr_buf_free(&form);
}

/* What a type 2, 3 or 4 transaction paid per gas follows from its fees and the block's base fee (EIP-1559);
 * servers differ in what they print there, so another number is unproven rather than a lie. */
static void check_price(struct dr_obj *o, const struct dr_evm_header *h)
{
	uint8_t words[2][32];
	uint64_t base, tip, cap, price;
	struct dr_obj probe;
	static const char *const keys[] = { "maxPriorityFeePerGas", "maxFeePerGas" };
	uint8_t given[32];

	if (dr_obj_peek(o, "gasPrice") == NULL || !dr_check_ok(o->c))
		return;
	dr_obj_init(&probe, o->c, o->json, o->path, "");
	for (size_t i = 0; i < 2; i++)
		dr_obj_word(&probe, keys[i], words[i]);
	dr_obj_word(&probe, "gasPrice", given);
	if (!dr_word_u64(&base, h->base_fee) || !dr_word_u64(&tip, words[0]) || !dr_word_u64(&cap, words[1]) ||
	    !dr_word_u64(&price, given) || base > cap)
		return;
	if (price == (tip < cap - base ? base + tip : cap))
		(void)dr_obj_take(o, "gasPrice");
}

static const struct tx_type *find_type(uint64_t type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type == type)
			return &types[i];
	}
	return NULL;
}

/* One transaction in consensus form, in memory of the arena. */
static struct dr_bytes transaction(struct dr_check *c, const struct dr_evm_header *h, const json_t *json, size_t idx,
				   struct dr_buf *payload, struct dr_buf *form)
{
	struct dr_obj o;
	char path[64];
	uint64_t type;
	const struct tx_type *t;
	struct signature sig;
	uint8_t hash[32];
	uint8_t *out;

	dr_obj_path(path, sizeof(path), "block.", "transactions", idx);
	dr_obj_init(&o, c, json, path, "transactions[].");
	type = dr_obj_peek(&o, "type") != NULL ? dr_obj_u64(&o, "type") : 0;
	t = find_type(type);
	if (t == NULL)
		dr_check_fail(c, DR_ERR_UNKNOWN, "a transaction type that this program does not know", path, "type");
	if (!dr_check_ok(c))
		return dr_bytes_of(NULL, 0);
	payload->len = 0;
	form->len = 0;
	for (size_t i = 0; i < MEMBERS_MAX && t->members[i].key != NULL; i++)
		put_member(&o, payload, &t->members[i]);
	if (t->type != 0x7e) {
		read_signature(&o, t, &sig);
		check_sender(&o, t, &sig, dr_buf_view(payload));
		put_u64(c, payload, sig.v);
		put_integer(c, payload, sig.rs);
		put_integer(c, payload, sig.rs + 32);
	}
	wrap(c, form, t->type, dr_buf_view(payload));
	out = dr_check_ok(c) ? dr_arena_alloc(c->arena, form->len) : NULL;
	if (out == NULL) {
		dr_check_fail(c, DR_ERR_NOMEM, "the input is larger than this program takes", path, "");
		return dr_bytes_of(NULL, 0);
	}
	memcpy(out, form->ptr, form->len);
	dr_keccak256(hash, out, form->len);
	dr_obj_same(&o, "hash", hash, sizeof(hash));
	dr_obj_same(&o, "blockHash", h->hash, sizeof(h->hash));
	dr_obj_same_u64(&o, "blockNumber", h->number);
	dr_obj_same_u64(&o, "transactionIndex", idx);
	dr_obj_same_time(&o, "blockTimestamp", h->timestamp);
	if (t->type >= 2 && t->type <= 4)
		check_price(&o, h);
	dr_obj_rest(&o);
	return dr_bytes_of(out, form->len);
}

void dr_transactions_verify(struct dr_check *c, const struct dr_evm_header *h, const json_t *list)
{
	size_t num = json_array_size(list);
	struct dr_bytes *values = dr_arena_alloc(c->arena, (num + 1) * sizeof(*values));
	struct dr_buf payload, form;
	uint8_t root[32];

	if (values == NULL) {
		dr_check_fail(c, DR_ERR_NOMEM, "the input is larger than this program takes", "block.",
			      "transactions");
		return;
	}
	dr_buf_init(&payload, DR_EVM_RECEIPT_LEN_MAX);
	dr_buf_init(&form, DR_EVM_RECEIPT_LEN_MAX);
	for (size_t i = 0; i < num && dr_check_ok(c); i++)
		values[i] = transaction(c, h, json_array_get(list, i), i, &payload, &form);
	dr_buf_free(&payload);
	dr_buf_free(&form);
	if (dr_root_of(root, values, num, c) == DR_OK)
		dr_check_equal(c, h->transactions_root, root, 32, "the transactions do not rebuild transactionsRoot",
			       "block.", "transactions");
}
