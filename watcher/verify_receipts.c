/* SPDX-License-Identifier: Apache-2.0
 *
 * The receipts of a block against receiptsRoot and the bloom, and a list of logs against the receipts.
 *
 * First every member of the JSON is read and compared with its neighbours and with the block; then the
 * consensus form is rebuilt and must meet the header's root. What is told afterwards is taken from the bytes
 * that met it, not from the JSON.
 */
#include "watcher/verify.h"

#include <string.h>
#include <strings.h>

#include "chain/base/limits.h"
#include "chain/evm/bloom.h"
#include "chain/evm/receipt.h"
#include "watcher/json_evm.h"

/* How the receipts number their logs. logIndex counts over the block; EthereumJS counts from the transaction's
 * index instead. No hash commits to it, so a list that is EthereumJS's all through is let pass, unproven. */
struct numbering {
	bool is_not_ours, is_not_theirs;
	char path[128]; /* of the first that is not ours */
	uint64_t expected, got;
};

/* What one walk over the receipts learns, for the logs. */
struct proven {
	struct dr_json_receipts receipts;
	uint64_t num_logs;
	uint8_t (*tx_hashes)[32]; /* of the receipts as claimed; by transaction index */
	bool *has_tx_hash;
	struct numbering numbering;
};

/* The members of a log that say where it stands; *tx_hash is the receipt's, or NULL if it gave none. */
static void log_place(struct dr_obj *o, const struct dr_evm_header *h, uint64_t tx_idx, const uint8_t *tx_hash)
{
	const json_t *removed = dr_obj_take(o, "removed");

	dr_obj_same(o, "blockHash", h->hash, sizeof(h->hash));
	dr_obj_same_u64(o, "blockNumber", h->number);
	dr_obj_same_u64(o, "transactionIndex", tx_idx);
	dr_obj_same_time(o, "blockTimestamp", h->timestamp);
	if (removed != NULL && !json_is_boolean(removed))
		dr_check_fail(o->c, DR_ERR_SYNTAX, "true or false is expected here", o->path, "removed");
	if (json_is_true(removed))
		dr_check_fail(o->c, DR_ERR_PROOF, "a log of this block is said to be removed", o->path, "removed");
	if (tx_hash != NULL && dr_obj_peek(o, "transactionHash") != NULL) {
		uint8_t got[32];

		dr_obj_fixed(o, "transactionHash", got, sizeof(got));
		dr_check_equal(o->c, tx_hash, got, sizeof(got), "this is not the transactionHash of its receipt",
			       o->path, "transactionHash");
		/* Consistent, and still nothing a hash commits to. */
		dr_check_unproven(o->c, "transactionHash");
	}
}

/* address and topics of a log; data is left to the caller. */
static void log_identity(struct dr_obj *o, struct dr_evm_log *log)
{
	const json_t *topics;
	size_t i;
	const json_t *value;

	memset(log, 0, sizeof(*log));
	dr_obj_fixed(o, "address", log->address, sizeof(log->address));
	topics = dr_obj_array(o, "topics");
	if (json_array_size(topics) > DR_EVM_TOPICS_MAX) {
		dr_check_fail(o->c, DR_ERR_SYNTAX, "a log has at most four topics", o->path, "topics");
		return;
	}
	json_array_foreach(topics, i, value)
	{
		struct dr_bytes topic = dr_json_data(o->c, value, o->path, "topics");

		if (!dr_check_ok(o->c))
			return;
		if (topic.len != 32) {
			dr_check_fail(o->c, DR_ERR_SYNTAX, "a topic has 32 bytes", o->path, "topics");
			return;
		}
		memcpy(log->topics[log->num_topics++], topic.ptr, 32);
	}
}

static void number(struct dr_obj *log, struct numbering *n, uint64_t ours, uint64_t theirs)
{
	uint64_t got;

	if (dr_obj_peek(log, "logIndex") == NULL) {
		(void)dr_obj_take(log, "logIndex");
		return;
	}
	got = dr_obj_u64(log, "logIndex");
	if (got != ours && !n->is_not_ours) {
		n->is_not_ours = true;
		n->expected = ours;
		n->got = got;
		snprintf(n->path, sizeof(n->path), "%s", log->path);
	}
	n->is_not_theirs |= got != theirs;
}

static void receipt_logs(struct dr_obj *receipt, const struct dr_evm_header *h, uint64_t tx_idx,
			 const uint8_t *tx_hash, struct proven *p)
{
	struct dr_check *c = receipt->c;
	const json_t *list = dr_obj_array(receipt, "logs");
	uint8_t bloom[256] = { 0 }, claimed[256];
	size_t i;
	const json_t *json;

	json_array_foreach(list, i, json)
	{
		struct dr_obj o;
		struct dr_evm_log log;
		char path[128];

		if (!dr_check_ok(c))
			return;
		dr_obj_path(path, sizeof(path), receipt->path, "logs", i);
		dr_obj_init(&o, c, json, path, "");
		log_identity(&o, &log);
		(void)dr_obj_take(&o, "data"); /* read when the root is rebuilt */
		log_place(&o, h, tx_idx, tx_hash);
		number(&o, &p->numbering, p->num_logs, tx_idx + i);
		dr_obj_rest(&o);
		dr_evm_bloom_add(bloom, log.address, sizeof(log.address));
		for (size_t t = 0; t < log.num_topics; t++)
			dr_evm_bloom_add(bloom, log.topics[t], 32);
		p->num_logs++;
	}
	if (dr_obj_peek(receipt, "logsBloom") == NULL) {
		(void)dr_obj_take(receipt, "logsBloom"); /* it follows from the logs */
		return;
	}
	dr_obj_fixed(receipt, "logsBloom", claimed, sizeof(claimed));
	dr_check_equal(c, bloom, claimed, sizeof(bloom), "logsBloom is not the bloom of the receipt's logs",
		       receipt->path, "logsBloom");
}

static void one_receipt(struct dr_check *c, const struct dr_evm_header *h, const json_t *json, size_t idx,
			uint64_t *gas_before, struct proven *p)
{
	struct dr_obj o;
	char path[64];
	uint64_t gas;
	const uint8_t *tx_hash = NULL;
	const char *type, *status;

	dr_obj_path(path, sizeof(path), "", "receipts", idx);
	dr_obj_init(&o, c, json, path, "");
	if (!dr_check_ok(c))
		return;
	type = json_string_value(dr_obj_take(&o, "type"));
	if (dr_obj_peek(&o, "root") == NULL || dr_obj_peek(&o, "status") == NULL)
		(void)dr_obj_take(
			&o, "root"); /* of both, one is committed to: the status, unless it turns out otherwise */
	(void)dr_obj_take(&o, "status");
	dr_obj_same(&o, "blockHash", h->hash, sizeof(h->hash));
	dr_obj_same_u64(&o, "blockNumber", h->number);
	dr_obj_same_u64(&o, "transactionIndex", idx);
	dr_obj_same_time(&o, "blockTimestamp", h->timestamp);
	status = json_string_value(dr_obj_peek(&o, "status"));
	if (status != NULL && strlen(status) == 3 && status[2] != '0' && status[2] != '1')
		dr_check_fail(c, DR_ERR_PROOF, "a receipt's status is 0x0 or 0x1: no other meets a receiptsRoot",
			      o.path, "status");
	gas = dr_obj_u64(&o, "cumulativeGasUsed");
	if (dr_check_ok(c) && gas < *gas_before)
		dr_check_fail(c, DR_ERR_PROOF, "cumulativeGasUsed falls", o.path, "cumulativeGasUsed");
	dr_obj_same_u64(&o, "gasUsed", gas - *gas_before);
	*gas_before = gas;
	if (dr_obj_peek(&o, "transactionHash") != NULL) {
		uint8_t got[32];

		dr_obj_fixed(&o, "transactionHash", got, sizeof(got));
		if (p->has_tx_hash[idx])
			dr_check_equal(c, p->tx_hashes[idx], got, 32,
				       "this is not the transaction the block lists here", o.path, "transactionHash");
		memcpy(p->tx_hashes[idx], got, 32);
		p->has_tx_hash[idx] = true;
		tx_hash = p->tx_hashes[idx];
		dr_check_unproven(c, "transactionHash");
	}
	receipt_logs(&o, h, idx, tx_hash, p);
	if (type != NULL && strcasecmp(type, "0x7e") == 0 && dr_obj_peek(&o, "depositReceiptVersion") != NULL) {
		(void)dr_obj_take(&o, "depositNonce");
		(void)dr_obj_take(&o, "depositReceiptVersion");
	}
	dr_obj_rest(&o);
}

/* Room for what the walk finds, and the transaction hashes that the block lists, if it does. */
static void prepare(struct dr_check *c, struct proven *p, const json_t *block, size_t num)
{
	struct dr_fail fail = { DR_OK, NULL, 0 };
	uint8_t(*hashes)[32];
	size_t listed;

	memset(p, 0, sizeof(*p));
	p->tx_hashes = dr_arena_alloc(c->arena, (num + 1) * 32);
	p->has_tx_hash = dr_arena_alloc(c->arena, num + 1);
	if (p->tx_hashes == NULL || p->has_tx_hash == NULL) {
		dr_check_fail(c, DR_ERR_NOMEM, "the input is larger than this program takes", "receipts", "");
		return;
	}
	if (!json_is_array(json_object_get(block, "transactions")))
		return;
	if (dr_json_tx_hashes(&hashes, &listed, block, c->arena, &fail) != DR_OK) {
		dr_check_fail(c, fail.err, fail.what, "block.", "transactions");
		return;
	}
	dr_check_equal_u64(c, listed, num, "the block lists another number of transactions than there are receipts",
			   "receipts", "");
	for (size_t i = 0; i < num && dr_check_ok(c); i++) {
		memcpy(p->tx_hashes[i], hashes[i], 32);
		p->has_tx_hash[i] = true;
	}
}

/* Rebuilds the consensus form and its root. False on a root that is not the header's, without a failure. */
static bool rebuild(struct dr_check *c, struct proven *p, const json_t *receipts, const struct dr_evm_header *h,
		    uint8_t root[static 32])
{
	struct dr_fail fail = { DR_OK, NULL, 0 };

	if (dr_json_receipts(&p->receipts, receipts, c->arena, &fail) != DR_OK ||
	    dr_evm_receipts_root(root, p->receipts.receipts, p->receipts.num, c->arena, &fail) != DR_OK) {
		char path[64];

		snprintf(path, sizeof(path), "receipts[%zu]", fail.at);
		dr_check_fail(c, fail.err, fail.what, path, "");
		return false;
	}
	return memcmp(root, h->receipts_root, 32) == 0;
}

/* Before Byzantium a receipt held the state root after its transaction. A server that gives both that and a
 * status made the status up: the same receipts without it. NULL if none has both. A new reference. */
static json_t *without_made_up_status(const json_t *receipts)
{
	json_t *copy = json_array();
	size_t i, num = 0;
	json_t *receipt;

	json_array_foreach((json_t *)(uintptr_t)receipts, i, receipt)
	{
		json_t *one = json_copy(receipt);

		if (json_string_length(json_object_get(one, "root")) == 66 && json_object_del(one, "status") == 0)
			num++;
		json_array_append_new(copy, one);
	}
	if (num > 0)
		return copy;
	json_decref(copy);
	return NULL;
}

static void receipts_meet_header(struct dr_check *c, struct dr_block *b, const json_t *receipts, struct proven *p)
{
	size_t num = json_array_size(receipts);
	uint64_t gas = 0, logs = 0;
	uint8_t root[32], bloom[256] = { 0 };
	struct dr_fail fail = { DR_OK, NULL, 0 };

	if (!json_is_array(receipts))
		dr_check_fail(c, DR_ERR_SYNTAX, "an array of receipts is expected here", "receipts", "");
	if (dr_check_ok(c) && num > DR_EVM_RECEIPTS_MAX)
		dr_check_fail(c, DR_ERR_LIMIT, "more receipts than a block can have", "receipts", "");
	if (!dr_check_ok(c))
		return;
	prepare(c, p, b->obj.json, num);
	for (size_t i = 0; i < num && dr_check_ok(c); i++)
		one_receipt(c, &b->header, json_array_get(receipts, i), i, &gas, p);
	if (p->numbering.is_not_ours && p->numbering.is_not_theirs)
		dr_check_equal_u64(c, p->numbering.expected, p->numbering.got,
				   "this is not the log's place in its block", p->numbering.path, "logIndex");
	else if (p->numbering.is_not_ours)
		dr_check_unproven(c, "logIndex");
	if (!dr_check_ok(c))
		return;
	if (!rebuild(c, p, receipts, &b->header, root) && dr_check_ok(c)) {
		json_t *other = without_made_up_status(receipts);

		if (other != NULL && rebuild(c, p, other, &b->header, root)) {
			dr_check_unproven(c, "status");
			/* and the root, listed above, has met the hash */
			for (size_t i = json_array_size(c->unproven); i-- > 0;) {
				if (strcmp(json_string_value(json_array_get(c->unproven, i)), "root") == 0)
					json_array_remove(c->unproven, i);
			}
		}
		json_decref(other);
	}
	dr_check_equal(c, b->header.receipts_root, root, 32, "the receipts do not rebuild receiptsRoot", "receipts",
		       "");
	if (!dr_check_ok(c))
		return;
	for (size_t i = 0; i < p->receipts.num; i++) {
		struct dr_evm_receipt r;

		if (dr_evm_receipt_decode(&r, p->receipts.receipts[i], &fail) != DR_OK) {
			dr_check_fail(c, fail.err, fail.what, "receipts", "");
			return;
		}
		logs += r.num_logs;
		for (size_t k = 0; k < sizeof(bloom); k++)
			bloom[k] |= r.bloom[k];
	}
	dr_check_equal(c, bloom, b->header.bloom, sizeof(bloom), "the header's bloom is not that of the receipts",
		       "block.", "logsBloom");
	dr_check_equal_u64(c, b->header.gas_used, gas, "the last cumulativeGasUsed is not the header's gasUsed",
			   "receipts", "");
	dr_check_equal_u64(c, logs, p->num_logs, "the receipts' logs do not add up", "receipts", "");
}

static void block_facts(struct dr_check *c, const struct dr_evm_header *h, const struct proven *p)
{
	dr_fact_u64(c, "number", h->number);
	dr_fact_hex(c, "hash", h->hash, 32);
	dr_fact_hex(c, "receiptsRoot", h->receipts_root, 32);
	dr_fact_u64(c, "receipts", p->receipts.num);
}

void dr_verify_receipts(struct dr_check *c, const json_t *block, const json_t *receipts)
{
	struct dr_block b;
	struct proven p;

	dr_block_open(&b, c, block);
	if (!dr_check_ok(c))
		return;
	receipts_meet_header(c, &b, receipts, &p);
	if (!dr_check_ok(c))
		return;
	block_facts(c, &b.header, &p);
	dr_fact_u64(c, "logs", p.num_logs);
	dr_fact_u64(c, "gasUsed", b.header.gas_used);
	dr_block_body(&b);
}

static bool passes(const struct dr_log_filter *f, const struct dr_evm_log *log)
{
	bool address = f->num_addresses == 0, topic = f->num_topics == 0;

	for (size_t i = 0; i < f->num_addresses && !address; i++)
		address = memcmp(f->addresses[i], log->address, 20) == 0;
	for (size_t i = 0; i < f->num_topics && !topic; i++)
		topic = log->num_topics > 0 && memcmp(f->topics[i], log->topics[0], 32) == 0;
	return address && topic;
}

/* The next log object of the list must be this proven log. */
static void log_is(struct dr_check *c, const struct dr_evm_header *h, const json_t *json, size_t at,
		   const struct dr_evm_log *log, uint64_t tx_idx, uint64_t log_idx, const uint8_t *tx_hash)
{
	struct dr_obj o;
	struct dr_evm_log got;
	struct dr_bytes data;
	char path[64];

	static const char *const places[] = { "blockHash", "blockNumber", "transactionIndex", "logIndex" };

	dr_obj_path(path, sizeof(path), "", "logs", at);
	dr_obj_init(&o, c, json, path, "");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (dr_obj_peek(&o, places[i]) == NULL)
			dr_check_fail(c, DR_ERR_SYNTAX, "a log must say its place: this one is pending, or no log",
				      path, places[i]);
	}
	if (!dr_check_ok(c))
		return;
	dr_check_equal_u64(c, log_idx, dr_obj_u64(&o, "logIndex"),
			   "the block's next matching log is another one: one is omitted, added or moved", o.path,
			   "logIndex");
	log_place(&o, h, tx_idx, tx_hash);
	log_identity(&o, &got);
	dr_check_equal(c, log->address, got.address, 20, "this is not the address of the block's log", o.path,
		       "address");
	dr_check_equal_u64(c, log->num_topics, got.num_topics, "the block's log has another number of topics", o.path,
			   "topics");
	for (size_t t = 0; t < log->num_topics && dr_check_ok(c); t++)
		dr_check_equal(c, log->topics[t], got.topics[t], 32, "this is not the topic of the block's log",
			       o.path, "topics");
	data = dr_obj_data(&o, "data");
	if (dr_check_ok(c) && !dr_bytes_eq(data, log->data))
		dr_check_fail(c, DR_ERR_PROOF, "this is not the data of the block's log", o.path, "data");
	dr_obj_rest(&o);
}

void dr_verify_logs(struct dr_check *c, const json_t *block, const json_t *receipts, const json_t *logs,
		    const struct dr_log_filter *filter)
{
	struct dr_block b;
	struct proven p;
	uint64_t log_idx = 0;
	size_t told = 0;
	char path[64];

	dr_block_open(&b, c, block);
	if (!dr_check_ok(c))
		return;
	receipts_meet_header(c, &b, receipts, &p);
	if (dr_check_ok(c) && !json_is_array(logs))
		dr_check_fail(c, DR_ERR_SYNTAX, "an array of logs is expected here", "logs", "");
	for (size_t i = 0; dr_check_ok(c) && i < p.receipts.num; i++) {
		struct dr_evm_receipt r;
		struct dr_evm_log log;
		struct dr_bytes cursor;

		if (dr_evm_receipt_decode(&r, p.receipts.receipts[i], &c->fail) != DR_OK)
			return;
		cursor = r.logs;
		for (; dr_check_ok(c) && dr_evm_log_next(&log, &cursor); log_idx++) {
			if (!passes(filter, &log))
				continue;
			if (told == json_array_size(logs)) {
				snprintf(path, sizeof(path), "logs[%zu]", told);
				snprintf(c->expected, sizeof(c->expected), "log %zu of the block", (size_t)log_idx);
				snprintf(c->got, sizeof(c->got), "the end of the list");
				dr_check_fail(c, DR_ERR_PROOF, "a log of the block that matches is omitted", path,
					      "");
				return;
			}
			log_is(c, &b.header, json_array_get(logs, told), told, &log, i, log_idx,
			       p.has_tx_hash[i] ? p.tx_hashes[i] : NULL);
			told++;
		}
	}
	if (dr_check_ok(c) && told < json_array_size(logs)) {
		snprintf(path, sizeof(path), "logs[%zu]", told);
		snprintf(c->expected, sizeof(c->expected), "the end of the list");
		dr_check_fail(c, DR_ERR_PROOF, "a log is listed that is not among the block's matching ones", path,
			      "");
	}
	if (!dr_check_ok(c))
		return;
	block_facts(c, &b.header, &p);
	dr_fact_u64(c, "logs", told);
	dr_fact_u64(c, "blockLogs", p.num_logs);
	dr_block_body(&b);
}
