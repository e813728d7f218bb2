/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/json_evm.h"

#include <string.h>

#include "chain/base/hex.h"

/* Text to JSON. jansson parses by recursion and keeps about a hundred bytes per value, so depth and number of
 * values are counted over the raw text first. */

static enum dr_err scan(struct dr_bytes text, size_t *left, struct dr_fail *fail)
{
	size_t depth = 0, values = 1;
	bool in_string = false;

	for (size_t i = 0; i < text.len; i++) {
		const uint8_t c = text.ptr[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > DR_JSON_DEPTH_MAX)
				return dr_fail_set(fail, DR_ERR_LIMIT, "JSON is nested too deep", i);
			values++;
		} else if (c == ']' || c == '}') {
			depth -= depth > 0;
		} else if (c == ',') {
			values++;
		}
	}
	if (values > *left)
		return dr_fail_set(fail, DR_ERR_LIMIT, "JSON has too many values", values);
	*left -= values;
	return DR_OK;
}

enum dr_err dr_json_load(json_t **out, struct dr_bytes text, struct dr_fail *fail)
{
	size_t left = DR_JSON_VALUES_MAX;

	return dr_json_load_part(out, &left, text, fail);
}

enum dr_err dr_json_load_part(json_t **out, size_t *left, struct dr_bytes text, struct dr_fail *fail)
{
	json_error_t error;

	*out = NULL;
	if (text.len > DR_JSON_LEN_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "JSON text is too long", text.len);
	if (text.len == 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "empty text where JSON was expected", 0);
	if (scan(text, left, fail) != DR_OK)
		return fail->err;
	*out = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	/* An integer beyond 64 bits (an id, a total difficulty) is JSON all the same; no member we read is one. */
	if (*out == NULL && json_error_code(&error) == json_error_numeric_overflow)
		*out = json_loadb((const char *)text.ptr, text.len,
				  JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
	if (*out == NULL)
		return dr_fail_set(fail,
				   json_error_code(&error) == json_error_out_of_memory ? DR_ERR_NOMEM : DR_ERR_SYNTAX,
				   "not valid JSON (byte offset)", error.position > 0 ? (size_t)error.position : 0);
	return DR_OK;
}

/* A member, or NULL if there is none; null is as good as none. */
static const json_t *member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

enum dr_err dr_reply_open(struct dr_reply *out, const json_t *root, struct dr_fail *fail)
{
	memset(out, 0, sizeof(*out));
	if (!json_is_object(root) || json_object_get(root, "jsonrpc") == NULL) {
		out->kind = json_is_null(root) ? DR_REPLY_NULL : DR_REPLY_RESULT;
		out->result = json_is_null(root) ? NULL : root;
		return DR_OK;
	}
	const json_t *result = json_object_get(root, "result");
	const json_t *error = member(root, "error");

	if (error != NULL) {
		const json_t *code = json_object_get(error, "code");
		const char *message = json_string_value(json_object_get(error, "message"));

		if (!json_is_object(error) || (result != NULL && !json_is_null(result)))
			return dr_fail_set(fail, DR_ERR_SYNTAX,
					   "a reply with an error that is not one, or with a result too", 0);
		out->kind = DR_REPLY_ERROR;
		out->code = json_is_integer(code) ? json_integer_value(code) : 0;
		if (message != NULL)
			memcpy(out->message, message, strnlen(message, sizeof(out->message) - 1));
		return DR_OK;
	}
	if (result == NULL)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "a reply with neither result nor error", 0);
	out->kind = json_is_null(result) ? DR_REPLY_NULL : DR_REPLY_RESULT;
	out->result = json_is_null(result) ? NULL : result;
	return DR_OK;
}

/* Members of one object, read in a straight line: the first failure sticks, later reads give zeros. */

struct source {
	const json_t *object;
	struct dr_arena *arena;
	struct dr_fail *fail;
	size_t at; /* index of the object in its list, for messages */
};

/* The texts that name a member in a failure; literals, because a dr_fail keeps a pointer. */
#define KEY(name) name, "member \"" name "\" is missing or not of its form"

static void fails(struct source *s, enum dr_err err, const char *what)
{
	dr_fail_set(s->fail, err, what, s->at);
}

/* A member that must be a string; NULL after a failure, or if it is not. */
static const char *text_of(struct source *s, const char *name, const char *what, size_t *len)
{
	const json_t *value = member(s->object, name);

	*len = 0;
	if (s->fail->err != DR_OK)
		return NULL;
	if (!json_is_string(value)) {
		fails(s, DR_ERR_SYNTAX, what);
		return NULL;
	}
	*len = json_string_length(value);
	return json_string_value(value);
}

static void get_fixed(struct source *s, uint8_t *out, size_t out_len, const char *name, const char *what)
{
	struct dr_fail inner = { 0 };
	size_t len;
	const char *text = text_of(s, name, what, &len);

	memset(out, 0, out_len);
	if (text != NULL && dr_hex_fixed(out, out_len, text, len, &inner) != DR_OK)
		fails(s, inner.err, what);
}

static uint64_t get_u64(struct source *s, const char *name, const char *what)
{
	struct dr_fail inner = { 0 };
	uint64_t out = 0;
	size_t len;
	const char *text = text_of(s, name, what, &len);

	if (text != NULL && dr_hex_u64(&out, text, len, &inner) != DR_OK)
		fails(s, inner.err, what);
	return out;
}

static void get_word(struct source *s, uint8_t out[static 32], const char *name, const char *what)
{
	struct dr_fail inner = { 0 };
	size_t len;
	const char *text = text_of(s, name, what, &len);

	memset(out, 0, 32);
	if (text != NULL && dr_hex_quantity(out, text, len, &inner) != DR_OK)
		fails(s, inner.err, what);
}

static struct dr_bytes data_of(struct source *s, const char *text, size_t len, size_t cap, const char *what)
{
	struct dr_fail inner = { 0 };
	size_t got;
	uint8_t *out = NULL;

	if (len > 2 * cap + 2) {
		fails(s, DR_ERR_LIMIT, what);
		return dr_bytes_of(NULL, 0);
	}
	out = dr_arena_alloc(s->arena, len / 2 + 1);
	if (out == NULL) {
		fails(s, DR_ERR_NOMEM, "no memory for what a server answered");
		return dr_bytes_of(NULL, 0);
	}
	if (dr_hex_data(out, cap, &got, text, len, &inner) != DR_OK) {
		fails(s, inner.err, what);
		return dr_bytes_of(NULL, 0);
	}
	return dr_bytes_of(out, got);
}

static struct dr_bytes get_data(struct source *s, size_t cap, const char *name, const char *what)
{
	size_t len;
	const char *text = text_of(s, name, what, &len);

	return text == NULL ? dr_bytes_of(NULL, 0) : data_of(s, text, len, cap, what);
}

static const json_t *get_array(struct source *s, size_t max, const char *name, const char *what)
{
	const json_t *value = member(s->object, name);

	if (s->fail->err != DR_OK)
		return NULL;
	if (!json_is_array(value)) {
		fails(s, DR_ERR_SYNTAX, what);
		return NULL;
	}
	if (json_array_size(value) > max) {
		fails(s, DR_ERR_LIMIT, what);
		return NULL;
	}
	return value;
}

static void *room(struct source *s, size_t num, size_t size)
{
	void *out;

	if (s->fail->err != DR_OK)
		return NULL;
	out = dr_arena_alloc(s->arena, num * size + 1);
	if (out == NULL)
		fails(s, DR_ERR_NOMEM, "no memory for what a server answered");
	return out;
}

static bool open_object(struct source *s, const json_t *object, const char *what)
{
	s->object = object;
	if (s->fail->err == DR_OK && !json_is_object(object))
		fails(s, DR_ERR_SYNTAX, what);
	return s->fail->err == DR_OK;
}

/* Headers. */

/* Which fork has these members; 0: none. Private chains may skip forks only in ways that leave the RLP list
 * without holes. */
static uint8_t fork_fields(const json_t *block)
{
	const bool base_fee = member(block, "baseFeePerGas") != NULL;
	const bool withdrawals = member(block, "withdrawalsRoot") != NULL;
	const bool blob = member(block, "blobGasUsed") != NULL && member(block, "excessBlobGas") != NULL;
	const bool beacon = member(block, "parentBeaconBlockRoot") != NULL;
	const bool requests = member(block, "requestsHash") != NULL;

	if (member(block, "blockAccessListHash") != NULL || member(block, "slotNumber") != NULL)
		return 0;
	if ((withdrawals && !base_fee) || (beacon && !(withdrawals && blob)) || (requests && !beacon))
		return 0;
	return requests ? 21 : beacon ? 20 : withdrawals ? 17 : base_fee ? 16 : 15;
}

enum dr_err dr_json_header(struct dr_evm_header *out, const json_t *block, struct dr_arena *arena,
			   struct dr_fail *fail)
{
	struct source s = { .arena = arena, .fail = fail };
	struct dr_evm_header h = { 0 };

	memset(out, 0, sizeof(*out));
	if (!open_object(&s, block, "a block must be a JSON object"))
		return fail->err;
	h.num_fields = fork_fields(block);
	if (h.num_fields == 0)
		return dr_fail_set(fail, DR_ERR_UNKNOWN,
				   "the block's members belong to no fork that this build knows", 0);
	get_fixed(&s, h.hash, 32, KEY("hash"));
	get_fixed(&s, h.parent_hash, 32, KEY("parentHash"));
	get_fixed(&s, h.ommers_hash, 32, KEY("sha3Uncles"));
	get_fixed(&s, h.coinbase, 20, KEY("miner"));
	get_fixed(&s, h.state_root, 32, KEY("stateRoot"));
	get_fixed(&s, h.transactions_root, 32, KEY("transactionsRoot"));
	get_fixed(&s, h.receipts_root, 32, KEY("receiptsRoot"));
	get_fixed(&s, h.bloom, 256, KEY("logsBloom"));
	get_word(&s, h.difficulty, KEY("difficulty"));
	h.number = get_u64(&s, KEY("number"));
	h.gas_limit = get_u64(&s, KEY("gasLimit"));
	h.gas_used = get_u64(&s, KEY("gasUsed"));
	h.timestamp = get_u64(&s, KEY("timestamp"));
	h.extra = get_data(&s, DR_EVM_EXTRA_LEN_MAX, KEY("extraData"));
	get_fixed(&s, h.mix_hash, 32, KEY("mixHash"));
	get_fixed(&s, h.nonce, 8, KEY("nonce"));
	if (h.num_fields >= 16)
		get_word(&s, h.base_fee, KEY("baseFeePerGas"));
	if (h.num_fields >= 17)
		get_fixed(&s, h.withdrawals_root, 32, KEY("withdrawalsRoot"));
	if (h.num_fields >= 20) {
		h.blob_gas_used = get_u64(&s, KEY("blobGasUsed"));
		h.excess_blob_gas = get_u64(&s, KEY("excessBlobGas"));
		get_fixed(&s, h.parent_beacon_root, 32, KEY("parentBeaconBlockRoot"));
	}
	if (h.num_fields >= 21)
		get_fixed(&s, h.requests_hash, 32, KEY("requestsHash"));
	if (fail->err != DR_OK)
		return fail->err;
	*out = h;
	return DR_OK;
}

enum dr_err dr_json_tx_hashes(uint8_t (**out)[32], size_t *num, const json_t *block, struct dr_arena *arena,
			      struct dr_fail *fail)
{
	struct source s = { .arena = arena, .fail = fail };

	*out = NULL;
	*num = 0;
	if (!open_object(&s, block, "a block must be a JSON object"))
		return fail->err;
	const json_t *list = get_array(&s, DR_EVM_RECEIPTS_MAX, KEY("transactions"));
	const size_t count = json_array_size(list);
	uint8_t(*hashes)[32] = room(&s, count, 32);

	for (size_t i = 0; i < count && hashes != NULL && fail->err == DR_OK; i++) {
		const json_t *tx = json_array_get(list, i);

		s.at = i;
		if (json_is_string(tx))
			dr_json_hash(hashes[i], tx, fail);
		else if (open_object(&s, tx, "a transaction must be a hash or an object"))
			get_fixed(&s, hashes[i], 32, KEY("hash"));
	}
	if (fail->err != DR_OK)
		return fail->err;
	*out = hashes;
	*num = count;
	return DR_OK;
}

/* Logs and receipts. */

static void log_of(struct source *s, struct dr_evm_log *out)
{
	memset(out, 0, sizeof(*out));
	get_fixed(s, out->address, 20, KEY("address"));
	const json_t *topics = get_array(s, DR_EVM_TOPICS_MAX, KEY("topics"));

	out->num_topics = (uint8_t)json_array_size(topics);
	for (size_t i = 0; i < out->num_topics && s->fail->err == DR_OK; i++)
		dr_json_hash(out->topics[i], json_array_get(topics, i), s->fail);
	out->data = get_data(s, DR_EVM_RECEIPT_LEN_MAX, KEY("data"));
	if (s->fail->err == DR_OK && json_is_true(json_object_get(s->object, "removed")))
		fails(s, DR_ERR_STALE, "a log that is marked as removed");
}

static struct dr_bytes receipt_of(struct source *s, struct dr_buf *scratch)
{
	struct dr_evm_receipt r = { 0 };
	const json_t *object = s->object;
	const uint64_t type = member(object, "type") != NULL ? get_u64(s, KEY("type")) : 0;
	const size_t at = s->at;

	if (s->fail->err == DR_OK && type > 0x7f)
		fails(s, DR_ERR_UNKNOWN, "a receipt type beyond EIP-2718");
	r.type = (uint8_t)type;
	/* Some servers repeat an empty "root" beside the status of EIP-658; status decides. */
	if (member(object, "status") != NULL) {
		const uint64_t status = get_u64(s, KEY("status"));

		if (s->fail->err == DR_OK && status > 1)
			fails(s, DR_ERR_UNKNOWN, "a receipt's status is 0 or 1");
		r.status = (uint8_t)status;
	} else {
		r.has_post_state = true;
		get_fixed(s, r.post_state, 32, "root", "a receipt needs \"status\", or \"root\" of 32 bytes");
	}
	r.cumulative_gas = get_u64(s, KEY("cumulativeGasUsed"));
	/* Before Canyon servers tell a deposit's nonce, too, but the trie's receipts lack it; they have it, and the
	 * version, from then on. */
	if (type == 0x7e && member(object, "depositReceiptVersion") != NULL) {
		r.has_deposit_nonce = r.has_deposit_version = true;
		r.deposit_nonce = get_u64(s, KEY("depositNonce"));
		r.deposit_version = get_u64(s, KEY("depositReceiptVersion"));
	}
	const json_t *list = get_array(s, DR_EVM_LOGS_MAX, KEY("logs"));
	const size_t num = json_array_size(list);
	struct dr_evm_log *logs = room(s, num, sizeof(*logs));

	for (size_t i = 0; i < num && logs != NULL && s->fail->err == DR_OK; i++) {
		s->at = i;
		if (open_object(s, json_array_get(list, i), "a log must be a JSON object"))
			log_of(s, &logs[i]);
	}
	s->object = object;
	s->at = at;
	if (s->fail->err != DR_OK)
		return dr_bytes_of(NULL, 0);
	scratch->len = 0;
	if (dr_evm_receipt_encode(scratch, &r, logs, num, s->fail) != DR_OK)
		return dr_bytes_of(NULL, 0);
	uint8_t *out = room(s, scratch->len, 1);

	if (out == NULL)
		return dr_bytes_of(NULL, 0);
	memcpy(out, scratch->ptr, scratch->len);
	return dr_bytes_of(out, scratch->len);
}

static struct dr_bytes placed_receipt(struct source *s, const json_t *object, struct dr_buf *scratch,
				      uint8_t block_hash[static 32], uint64_t *idx)
{
	struct dr_bytes bytes = { 0 };

	if (open_object(s, object, "a receipt must be a JSON object"))
		bytes = receipt_of(s, scratch);
	get_fixed(s, block_hash, 32, KEY("blockHash"));
	*idx = get_u64(s, KEY("transactionIndex"));
	if (s->fail->err == DR_OK)
		return bytes;
	memset(block_hash, 0, 32);
	*idx = 0;
	return dr_bytes_of(NULL, 0);
}

enum dr_err dr_json_receipt(struct dr_bytes *out, uint8_t block_hash[static 32], uint64_t *idx, const json_t *receipt,
			    struct dr_arena *arena, struct dr_fail *fail)
{
	struct source s = { .arena = arena, .fail = fail };
	struct dr_buf scratch;

	dr_buf_init(&scratch, DR_EVM_RECEIPT_LEN_MAX);
	*out = placed_receipt(&s, receipt, &scratch, block_hash, idx);
	dr_buf_free(&scratch);
	return fail->err;
}

enum dr_err dr_json_receipts(struct dr_json_receipts *out, const json_t *array, struct dr_arena *arena,
			     struct dr_fail *fail)
{
	struct source s = { .arena = arena, .fail = fail };
	struct dr_json_receipts got = { .num = json_array_size(array) };
	struct dr_buf scratch;

	memset(out, 0, sizeof(*out));
	if (!json_is_array(array))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "a block's receipts must be a JSON array", 0);
	if (got.num > DR_EVM_RECEIPTS_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "receipts of one block", got.num);
	got.receipts = room(&s, got.num, sizeof(*got.receipts));
	dr_buf_init(&scratch, DR_EVM_RECEIPT_LEN_MAX);
	for (size_t i = 0; i < got.num && got.receipts != NULL && fail->err == DR_OK; i++) {
		uint8_t hash[32];
		uint64_t idx;

		s.at = i;
		got.receipts[i] = placed_receipt(&s, json_array_get(array, i), &scratch, hash, &idx);
		got.bytes += got.receipts[i].len;
		if (i == 0)
			memcpy(got.block_hash, hash, 32);
		if (fail->err == DR_OK && idx != i)
			fails(&s, DR_ERR_SYNTAX,
			      "receipts out of the order of their transactions, or not all of them");
		if (fail->err == DR_OK && memcmp(hash, got.block_hash, 32) != 0)
			fails(&s, DR_ERR_SYNTAX, "receipts of more than one block");
		if (got.bytes > DR_FRAME_LEN_MAX)
			fails(&s, DR_ERR_LIMIT, "receipts of one block are too long for a frame");
	}
	dr_buf_free(&scratch);
	if (fail->err != DR_OK)
		return fail->err;
	*out = got;
	return DR_OK;
}

enum dr_err dr_json_logs(struct dr_json_log **out, size_t *num, const json_t *array, struct dr_arena *arena,
			 struct dr_fail *fail)
{
	struct source s = { .arena = arena, .fail = fail };
	const size_t count = json_array_size(array);

	*out = NULL;
	*num = 0;
	if (!json_is_array(array))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "logs must be a JSON array", 0);
	if (count > DR_EVM_LOGS_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "logs of one reply", count);
	struct dr_json_log *logs = room(&s, count, sizeof(*logs));

	for (size_t i = 0; i < count && logs != NULL && fail->err == DR_OK; i++) {
		s.at = i;
		if (!open_object(&s, json_array_get(array, i), "a log must be a JSON object"))
			break;
		log_of(&s, &logs[i].log);
		logs[i].block_number = get_u64(&s, KEY("blockNumber"));
		get_fixed(&s, logs[i].block_hash, 32, KEY("blockHash"));
		get_fixed(&s, logs[i].tx_hash, 32, KEY("transactionHash"));
		logs[i].tx_idx = get_u64(&s, KEY("transactionIndex"));
		logs[i].log_idx = get_u64(&s, KEY("logIndex"));
	}
	if (fail->err != DR_OK)
		return fail->err;
	*out = logs;
	*num = count;
	return DR_OK;
}

/* State proofs. */

/* As get_array, but null is an empty list: so do servers in Go write one. The member must be there. */
static const json_t *get_list(struct source *s, size_t max, const char *name, const char *what)
{
	return json_is_null(json_object_get(s->object, name)) ? NULL : get_array(s, max, name, what);
}

static struct dr_json_nodes nodes_of(struct source *s, const char *name, const char *what)
{
	const json_t *list = get_list(s, DR_MPT_DEPTH_MAX, name, what);
	const size_t num = json_array_size(list);
	struct dr_json_nodes out = { .nodes = room(s, num, sizeof(*out.nodes)) };

	for (size_t i = 0; i < num && out.nodes != NULL && s->fail->err == DR_OK; i++) {
		const json_t *node = json_array_get(list, i);

		if (!json_is_string(node)) {
			fails(s, DR_ERR_SYNTAX, what);
			break;
		}
		out.nodes[out.num] =
			data_of(s, json_string_value(node), json_string_length(node), DR_MPT_NODE_LEN_MAX, what);
		/* Nethermind lists "0x" where a path ends in an empty place of a branch. */
		out.num += out.nodes[out.num].len > 0;
	}
	return out;
}

/* A slot's key or value: geth repeats the caller's words, others write a quantity, or 32 bytes, or "0x00". */
static void get_padded(struct source *s, uint8_t out[static 32], const char *name, const char *what)
{
	struct dr_fail inner = { 0 };
	size_t len;
	const char *text = text_of(s, name, what, &len);

	memset(out, 0, 32);
	if (text != NULL && dr_hex_padded(out, text, len, &inner) != DR_OK)
		fails(s, inner.err, what);
}

enum dr_err dr_json_proof(struct dr_json_proof *out, const json_t *result, struct dr_arena *arena,
			  struct dr_fail *fail)
{
	struct source s = { .arena = arena, .fail = fail };
	struct dr_json_proof p = { 0 };

	memset(out, 0, sizeof(*out));
	if (!open_object(&s, result, "a state proof must be a JSON object"))
		return fail->err;
	get_fixed(&s, p.address, 20, KEY("address"));
	p.nonce = get_u64(&s, KEY("nonce"));
	get_word(&s, p.balance, KEY("balance"));
	get_fixed(&s, p.code_hash, 32, KEY("codeHash"));
	get_fixed(&s, p.storage_root, 32, KEY("storageHash"));
	p.proof = nodes_of(&s, KEY("accountProof"));
	const json_t *list = get_list(&s, DR_STATE_SLOTS_MAX, KEY("storageProof"));

	p.num_slots = json_array_size(list);
	p.slots = room(&s, p.num_slots, sizeof(*p.slots));
	for (size_t i = 0; i < p.num_slots && p.slots != NULL && fail->err == DR_OK; i++) {
		s.at = i;
		if (!open_object(&s, json_array_get(list, i), "a storage proof must be a JSON object"))
			break;
		get_padded(&s, p.slots[i].slot, KEY("key"));
		get_padded(&s, p.slots[i].value, KEY("value"));
		p.slots[i].proof = nodes_of(&s, KEY("proof"));
	}
	if (fail->err != DR_OK)
		return fail->err;
	*out = p;
	return DR_OK;
}

/* Bare values. */

enum dr_err dr_json_u64(uint64_t *out, const json_t *value, struct dr_fail *fail)
{
	*out = 0;
	if (!json_is_string(value))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "a quantity must be a JSON string", 0);
	return dr_hex_u64(out, json_string_value(value), json_string_length(value), fail);
}

enum dr_err dr_json_hash(uint8_t out[static 32], const json_t *value, struct dr_fail *fail)
{
	memset(out, 0, 32);
	if (!json_is_string(value))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "a hash must be a JSON string", 0);
	return dr_hex_fixed(out, 32, json_string_value(value), json_string_length(value), fail);
}
