/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/evm/receipt.h"

#include <string.h>

#include "chain/codec/rlp.h"
#include "chain/evm/bloom.h"
#include "chain/trie/mpt.h"

#define TYPE_DEPOSIT 0x7eu /* OP-stack */

static bool is_known_type(uint8_t type)
{
	return type <= 4 || type == TYPE_DEPOSIT;
}

/* A log's fields where they lie. */
struct log_view {
	struct dr_bytes address, topics[DR_EVM_TOPICS_MAX], data;
	size_t num_topics;
};

static void read_log(struct log_view *out, struct dr_reader *r)
{
	struct dr_reader log = dr_rlp_list(r);

	out->address = dr_rlp_exact(&log, 20);
	struct dr_reader topics = dr_rlp_list(&log);

	out->num_topics = 0;
	while (dr_rlp_more(&topics)) {
		if (out->num_topics == DR_EVM_TOPICS_MAX) {
			dr_reader_fail(&topics, DR_ERR_LIMIT, "a log has at most four topics");
			return;
		}
		out->topics[out->num_topics++] = dr_rlp_exact(&topics, 32);
	}
	out->data = dr_rlp_string(&log, DR_EVM_RECEIPT_LEN_MAX);
	dr_reader_end(&log);
}

/* What is gathered while one receipt is read. */
struct gather {
	uint8_t *bloom; /* that of its logs, once the job is flushed */
	struct dr_evm_bloom_job *job;
	const uint8_t *contract; /* NULL: none is looked for */
	size_t num_events;       /* of it */
	const uint8_t *claimed;  /* the bloom that the receipt has; NULL: its body did not end well */
	size_t at;               /* where its body ends */
};

static void gather_log(struct gather *g, const struct log_view *log)
{
	dr_evm_bloom_put(g->job, g->bloom, log->address);
	for (size_t i = 0; i < log->num_topics; i++)
		dr_evm_bloom_put(g->job, g->bloom, log->topics[i]);
	g->num_events += g->contract != NULL && memcmp(log->address.ptr, g->contract, 20) == 0;
}

static enum dr_err refuse_bloom(struct dr_fail *fail, size_t at)
{
	return dr_fail_set(fail, DR_ERR_PROOF, "receipt bloom must be that of its logs", at);
}

/* Status (EIP-658: 1 or 0) or, before Byzantium, the state root after the transaction. */
static void read_outcome(struct dr_evm_receipt *out, struct dr_reader *r)
{
	struct dr_reader peek = *r;
	const struct dr_rlp_item item = dr_rlp_item(&peek);

	if (out->type == 0 && item.kind == DR_RLP_STRING && item.payload.len == 32) {
		out->has_post_state = true;
		dr_rlp_fixed(r, out->post_state, 32);
		return;
	}
	const uint64_t status = dr_rlp_u64(r);

	if (status > 1)
		dr_reader_fail(r, DR_ERR_SYNTAX, "receipt status must be 0 or 1");
	out->status = (uint8_t)(status == 1);
}

static void read_body(struct dr_evm_receipt *out, struct gather *g, struct dr_reader *r)
{
	struct dr_reader body = dr_rlp_list(r);

	read_outcome(out, &body);
	out->cumulative_gas = dr_rlp_u64(&body);
	const struct dr_bytes bloom = dr_rlp_exact(&body, 256);
	struct dr_reader logs = dr_rlp_list(&body);

	out->logs = dr_bytes_of(logs.cur, logs.left);
	while (dr_rlp_more(&logs)) {
		struct log_view log;

		if (out->num_logs == DR_EVM_LOGS_MAX) {
			dr_reader_fail(&logs, DR_ERR_LIMIT, "more logs than a block may have");
			return;
		}
		read_log(&log, &logs);
		if (!dr_reader_ok(&logs))
			return;
		gather_log(g, &log);
		out->num_logs++;
	}
	if (out->type == TYPE_DEPOSIT && dr_rlp_more(&body)) {
		out->has_deposit_nonce = true;
		out->deposit_nonce = dr_rlp_u64(&body);
		if (dr_rlp_more(&body)) {
			out->has_deposit_version = true;
			out->deposit_version = dr_rlp_u64(&body);
		}
	}
	if (dr_reader_end(&body) != DR_OK)
		return;
	g->claimed = bloom.ptr;
	g->at = body.at;
}

/* All of a receipt but its bloom, and whether that is of its logs: *g says what to hold against what. Of
 * *out, type and num_logs are zero before. */
static enum dr_err read_receipt(struct dr_evm_receipt *out, struct gather *g, struct dr_bytes bytes,
				struct dr_fail *fail)
{
	struct dr_reader r;

	g->claimed = NULL;
	if (bytes.len > DR_EVM_RECEIPT_LEN_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "receipt is longer than 32 MiB", bytes.len);
	dr_reader_init(&r, bytes, fail);
	struct dr_reader peek = r;
	const uint8_t first = dr_reader_u8(&peek);

	/* EIP-2718: "[0, 0x7f]" is a type, and type 0 is the bare list. */
	if (dr_reader_ok(&r) && (first == 0 || (first < 0x80 && !is_known_type(first))))
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "receipt type must be 0 (bare), 1 to 4 or 0x7e", 0);
	if (first < 0x80)
		out->type = dr_reader_u8(&r);
	read_body(out, g, &r);
	return dr_reader_end(&r);
}

enum dr_err dr_evm_receipt_decode(struct dr_evm_receipt *out, struct dr_bytes bytes, struct dr_fail *fail)
{
	struct dr_evm_bloom_job job;
	uint8_t bloom[256] = { 0 };
	struct gather g = { .bloom = bloom, .job = &job };
	struct dr_fail own = *fail;

	memset(out, 0, sizeof(*out));
	dr_evm_bloom_begin(&job, NULL);
	read_receipt(out, &g, bytes, &own);
	dr_evm_bloom_flush(&job);
	if (g.claimed != NULL)
		memcpy(out->bloom, g.claimed, 256);
	if (fail->err == DR_OK && g.claimed != NULL && memcmp(bloom, g.claimed, 256) != 0)
		refuse_bloom(fail, g.at);
	if (own.err != DR_OK)
		dr_fail_set(fail, own.err, own.what, own.at);
	if (fail->err != DR_OK)
		memset(out, 0, sizeof(*out));
	return fail->err;
}

/* Some receipts whose blooms are still being made. */
#define GROUP_MAX 32u
struct group {
	size_t num;
	uint8_t blooms[GROUP_MAX][256];
	const uint8_t *claimed[GROUP_MAX];
	size_t at[GROUP_MAX];
	struct dr_evm_bloom_job job;
};

static enum dr_err check_group(struct group *group, struct dr_fail *fail)
{
	dr_evm_bloom_flush(&group->job);
	for (size_t i = 0; i < group->num; i++)
		if (memcmp(group->blooms[i], group->claimed[i], 256) != 0)
			return refuse_bloom(fail, group->at[i]);
	group->num = 0;
	return DR_OK;
}

static void add_bloom(uint8_t to[static 256], const uint8_t bloom[static 256])
{
	for (size_t i = 0; i < 256; i += 8) {
		uint64_t sum, more;

		memcpy(&sum, to + i, 8);
		memcpy(&more, bloom + i, 8);
		sum |= more;
		memcpy(to + i, &sum, 8);
	}
}

static enum dr_err scan_receipts(struct dr_evm_scan *out, struct group *group, const struct dr_bytes *receipts,
				 size_t num, const uint8_t contract[static 20], struct dr_arena *arena,
				 struct dr_fail *fail)
{
	const struct dr_evm_found **last = &out->found;
	struct dr_evm_receipt receipt = { 0 };

	for (size_t i = 0; i < num; i++) {
		struct gather g = { .bloom = group->blooms[group->num], .job = &group->job, .contract = contract };
		struct dr_fail own = { 0 };

		/* What reading counts on; the rest is the last one's, and nobody looks at it. */
		receipt.type = 0;
		receipt.num_logs = 0;
		memset(g.bloom, 0, 256);
		read_receipt(&receipt, &g, receipts[i], &own);
		if (g.claimed != NULL) {
			group->claimed[group->num] = g.claimed;
			group->at[group->num++] = g.at;
		}
		/* A false bloom further ahead is the first failure. */
		if ((own.err != DR_OK || group->num == GROUP_MAX) && check_group(group, fail) != DR_OK)
			return fail->err;
		if (own.err != DR_OK)
			return dr_fail_set(fail, own.err, own.what, own.at);
		add_bloom(out->bloom, g.claimed);
		if (g.num_events == 0)
			continue;
		struct dr_evm_found *found = dr_arena_alloc(arena, sizeof(*found));

		out->num_events += g.num_events;
		if (found == NULL || out->num_events > DR_BLOCK_EVENTS_MAX) {
			if (check_group(group, fail) != DR_OK)
				return fail->err;
			if (found == NULL)
				return dr_fail_set(fail, DR_ERR_NOMEM, "no memory for a block's evidence", 0);
			return dr_fail_set(fail, DR_ERR_LIMIT, "governance events of one block", DR_BLOCK_EVENTS_MAX);
		}
		found->logs = receipt.logs;
		*last = found;
		last = &found->next;
	}
	return check_group(group, fail);
}

enum dr_err dr_evm_receipts_scan(struct dr_evm_scan *out, const struct dr_bytes *receipts, size_t num,
				 const uint8_t contract[static 20], struct dr_evm_bloom_memo *memo,
				 struct dr_arena *arena, struct dr_fail *fail)
{
	struct group group;

	memset(out, 0, sizeof(*out));
	group.num = 0;
	dr_evm_bloom_begin(&group.job, memo);
	if (fail->err != DR_OK)
		return fail->err;
	if (scan_receipts(out, &group, receipts, num, contract, arena, fail) != DR_OK) {
		/* No row of the memo waits for what is not hashed any more. */
		dr_evm_bloom_flush(&group.job);
		memset(out, 0, sizeof(*out));
	}
	return fail->err;
}

bool dr_evm_log_next(struct dr_evm_log *out, struct dr_bytes *cursor)
{
	struct dr_fail fail = { 0 };
	struct log_view log;
	struct dr_reader r;

	memset(out, 0, sizeof(*out));
	if (cursor->len == 0)
		return false;
	dr_reader_init(&r, *cursor, &fail);
	read_log(&log, &r);
	DR_ASSERT(dr_reader_ok(&r)); /* these logs decoded well before */
	memcpy(out->address, log.address.ptr, 20);
	out->num_topics = (uint8_t)log.num_topics;
	for (size_t i = 0; i < log.num_topics; i++)
		memcpy(out->topics[i], log.topics[i].ptr, 32);
	out->data = log.data;
	*cursor = dr_bytes_of(r.cur, r.left);
	return true;
}

/* ---- encoding ---- */

static void bloom_of_log(uint8_t bloom[static 256], const struct dr_evm_log *log)
{
	dr_evm_bloom_add(bloom, log->address, 20);
	for (size_t i = 0; i < log->num_topics; i++)
		dr_evm_bloom_add(bloom, log->topics[i], 32);
}

static size_t topics_payload_len(const struct dr_evm_log *log)
{
	return log->num_topics * (size_t)33;
}

static size_t log_payload_len(const struct dr_evm_log *log)
{
	return 21 + dr_rlp_list_len(topics_payload_len(log)) + dr_rlp_len(log->data);
}

static void put_log(struct dr_writer *w, const struct dr_evm_log *log)
{
	dr_rlp_put_list(w, log_payload_len(log));
	dr_rlp_put(w, dr_bytes_of(log->address, 20));
	dr_rlp_put_list(w, topics_payload_len(log));
	for (size_t i = 0; i < log->num_topics; i++)
		dr_rlp_put(w, dr_bytes_of(log->topics[i], 32));
	dr_rlp_put(w, log->data);
}

static enum dr_err check_encodable(const struct dr_evm_receipt *r, const struct dr_evm_log *logs, size_t num_logs,
				   struct dr_fail *fail)
{
	if (!is_known_type(r->type))
		return dr_fail_set(fail, DR_ERR_UNKNOWN, "receipt type must be 0 to 4 or 0x7e", r->type);
	if (r->status > 1)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "receipt status must be 0 or 1", r->status);
	if (r->has_post_state && r->type != 0)
		return dr_fail_set(fail, DR_ERR_SYNTAX, "only a legacy receipt has a post-state root", r->type);
	if ((r->has_deposit_nonce && r->type != TYPE_DEPOSIT) || (r->has_deposit_version && !r->has_deposit_nonce))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "only a deposit has a nonce, and a version only after it", 0);
	if (num_logs > DR_EVM_LOGS_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "more logs than a block may have", num_logs);
	for (size_t i = 0; i < num_logs; i++) {
		if (logs[i].num_topics > DR_EVM_TOPICS_MAX)
			return dr_fail_set(fail, DR_ERR_LIMIT, "a log has at most four topics", i);
		if (logs[i].data.len > DR_EVM_RECEIPT_LEN_MAX)
			return dr_fail_set(fail, DR_ERR_LIMIT, "log data is longer than a receipt may be", i);
	}
	return DR_OK;
}

enum dr_err dr_evm_receipt_encode(struct dr_buf *out, const struct dr_evm_receipt *r, const struct dr_evm_log *logs,
				  size_t num_logs, struct dr_fail *fail)
{
	uint8_t bloom[256] = { 0 }, small_mem[64];
	struct dr_fail local = { 0 };
	struct dr_writer small, w;
	size_t logs_len = 0;

	if (fail->err != DR_OK || check_encodable(r, logs, num_logs, fail) != DR_OK)
		return fail->err;
	for (size_t i = 0; i < num_logs; i++) {
		bloom_of_log(bloom, &logs[i]);
		logs_len += dr_rlp_list_len(log_payload_len(&logs[i]));
	}
	/* The fields before the bloom, then those after the logs: integers, of unknown length until written. */
	dr_writer_init(&small, small_mem, sizeof(small_mem), &local);
	if (r->has_post_state)
		dr_rlp_put(&small, dr_bytes_of(r->post_state, 32));
	else
		dr_rlp_put_u64(&small, r->status);
	dr_rlp_put_u64(&small, r->cumulative_gas);
	const size_t head_len = small.len;

	if (r->has_deposit_nonce)
		dr_rlp_put_u64(&small, r->deposit_nonce);
	if (r->has_deposit_version)
		dr_rlp_put_u64(&small, r->deposit_version);
	const size_t payload_len = small.len + dr_rlp_list_len(256) + dr_rlp_list_len(logs_len);
	const size_t len = (r->type != 0) + dr_rlp_list_len(payload_len);

	if (len > DR_EVM_RECEIPT_LEN_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "receipt is longer than 32 MiB", len);
	uint8_t *to = dr_buf_reserve(out, len, fail);

	if (to == NULL)
		return fail->err;
	dr_writer_init(&w, to, len, &local);
	if (r->type != 0)
		dr_writer_u8(&w, r->type);
	dr_rlp_put_list(&w, payload_len);
	dr_writer_copy(&w, small_mem, head_len);
	dr_rlp_put(&w, dr_bytes_of(bloom, 256));
	dr_rlp_put_list(&w, logs_len);
	for (size_t i = 0; i < num_logs; i++)
		put_log(&w, &logs[i]);
	dr_writer_copy(&w, small_mem + head_len, small.len - head_len);
	DR_ASSERT(local.err == DR_OK && w.len == len);
	out->len += len;
	return DR_OK;
}

/* ---- the root ---- */

enum dr_err dr_evm_receipts_root(uint8_t root[static 32], const struct dr_bytes *receipts, size_t num,
				 struct dr_arena *arena, struct dr_fail *fail)
{
	memset(root, 0, 32);
	if (num > DR_EVM_RECEIPTS_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "more receipts than a block may have", num);
	struct dr_mpt_pair *pairs = dr_arena_alloc(arena, num * sizeof(*pairs));
	uint8_t(*keys)[DR_RLP_PREFIX_MAX] = dr_arena_alloc(arena, num * sizeof(*keys));

	if (pairs == NULL || keys == NULL)
		return dr_fail_set(fail, DR_ERR_NOMEM, "no memory for the trie of a block's receipts", num);
	/* In the order of the keys: 01 … 7f, 80 (that is zero), 8180 …: sorted as they are. */
	for (size_t i = 0; i < num; i++) {
		const size_t last_short = num < 128 ? num - 1 : 127, idx = i < last_short    ? i + 1
									   : i == last_short ? 0
											     : i;
		struct dr_writer w;

		dr_writer_init(&w, keys[i], sizeof(keys[i]), fail);
		dr_rlp_put_u64(&w, idx);
		pairs[i] = (struct dr_mpt_pair){ .key = dr_writer_view(&w), .value = receipts[idx] };
	}
	if (fail->err != DR_OK)
		return fail->err;
	return dr_mpt_root(root, pairs, num, arena, fail);
}
