/* SPDX-License-Identifier: Apache-2.0
 *
 * A block object: the header against its hash, then the lists that the header commits to.
 */
#include "watcher/verify.h"

#include <string.h>
#include <strings.h>

#include "chain/base/limits.h"
#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"
#include "chain/trie/mpt.h"
#include "watcher/json_evm.h"

/* keccak256(rlp([])): the ommers hash of a block without uncles. */
static const uint8_t no_uncles[32] = { 0x1d, 0xcc, 0x4d, 0xe8, 0xde, 0xc7, 0x5d, 0x7a, 0xab, 0x85, 0xb5,
				       0x67, 0xb6, 0xcc, 0xd4, 0x1a, 0xd3, 0x12, 0x45, 0x1b, 0x94, 0x8a,
				       0x74, 0x13, 0xf0, 0xa1, 0x42, 0xfd, 0x40, 0xd4, 0x93, 0x47 };

/* The members that are header fields, and the number of fields of the first header form that has them. */
static const struct {
	const char *key;
	uint8_t since;
} header_members[] = {
	{ "parentHash", 15 },       { "sha3Uncles", 15 },   { "miner", 15 },         { "stateRoot", 15 },
	{ "transactionsRoot", 15 }, { "receiptsRoot", 15 }, { "logsBloom", 15 },     { "difficulty", 15 },
	{ "number", 15 },           { "gasLimit", 15 },     { "gasUsed", 15 },       { "timestamp", 15 },
	{ "extraData", 15 },        { "mixHash", 15 },      { "nonce", 15 },         { "baseFeePerGas", 16 },
	{ "withdrawalsRoot", 17 },  { "blobGasUsed", 20 },  { "excessBlobGas", 20 }, { "parentBeaconBlockRoot", 20 },
	{ "requestsHash", 21 },
};

void dr_block_open(struct dr_block *b, struct dr_check *c, const json_t *json)
{
	struct dr_fail fail = { DR_OK, NULL, 0 };
	uint8_t hash[32];

	memset(b, 0, sizeof(*b));
	dr_obj_init(&b->obj, c, json, "block.", "");
	if (!dr_check_ok(c))
		return;
	if (dr_json_header(&b->header, json, c->arena, &fail) != DR_OK ||
	    dr_evm_header_hash(hash, &b->header, &fail) != DR_OK) {
		dr_check_fail(c, fail.err, fail.what, "block", "");
		return;
	}
	dr_check_equal(c, hash, b->header.hash, 32, "keccak256 of the header's RLP is not the hash the block claims",
		       b->obj.path, "hash");
	(void)dr_obj_take(&b->obj, "hash");
	for (size_t i = 0; i < sizeof(header_members) / sizeof(header_members[0]); i++) {
		/* A member that this form of header does not have has met no hash, whatever it says. */
		if (header_members[i].since <= b->header.num_fields)
			(void)dr_obj_take(&b->obj, header_members[i].key);
	}
	/* An older name of the same field; on sealed chains some servers mean the sealer, which is another. */
	if (json_is_string(dr_obj_peek(&b->obj, "author")) &&
	    strcasecmp(json_string_value(dr_obj_peek(&b->obj, "author")),
		       json_string_value(dr_obj_peek(&b->obj, "miner"))) == 0)
		(void)dr_obj_take(&b->obj, "author");
}

static void uncles(struct dr_block *b)
{
	struct dr_check *c = b->obj.c;
	const json_t *list = dr_obj_peek(&b->obj, "uncles");
	bool none = memcmp(b->header.ommers_hash, no_uncles, 32) == 0;

	if (list == NULL)
		return;
	if (!json_is_array(list)) {
		dr_check_fail(c, DR_ERR_SYNTAX, "a JSON array is expected here", b->obj.path, "uncles");
		return;
	}
	if ((json_array_size(list) == 0) != none)
		dr_check_fail(c, DR_ERR_PROOF, "sha3Uncles and the list of uncles disagree on whether there are any",
			      b->obj.path, "uncles");
	if (json_array_size(list) == 0)
		(void)dr_obj_take(&b->obj, "uncles"); /* their hashes alone would prove nothing */
}

/* One withdrawal in the form of EIP-4895: rlp([index, validator index, address, amount in gwei]). */
static struct dr_bytes withdrawal(struct dr_check *c, const json_t *json, size_t idx)
{
	struct dr_obj o;
	uint64_t index, validator, amount;
	uint8_t address[20];
	char path[64];
	struct dr_fail fail = { DR_OK, NULL, 0 };
	struct dr_writer payload, w;
	uint8_t scratch[3 * 9 + 21];
	uint8_t *out = dr_arena_alloc(c->arena, sizeof(scratch) + DR_RLP_PREFIX_MAX);

	dr_obj_path(path, sizeof(path), "block.", "withdrawals", idx);
	dr_obj_init(&o, c, json, path, "withdrawals[].");
	index = dr_obj_u64(&o, "index");
	validator = dr_obj_u64(&o, "validatorIndex");
	dr_obj_fixed(&o, "address", address, sizeof(address));
	amount = dr_obj_u64(&o, "amount");
	dr_obj_rest(&o);
	if (out == NULL) {
		dr_check_fail(c, DR_ERR_NOMEM, "the input is larger than this program takes", path, "");
		return dr_bytes_of(NULL, 0);
	}
	dr_writer_init(&payload, scratch, sizeof(scratch), &fail);
	dr_rlp_put_u64(&payload, index);
	dr_rlp_put_u64(&payload, validator);
	dr_rlp_put(&payload, dr_bytes_of(address, sizeof(address)));
	dr_rlp_put_u64(&payload, amount);
	dr_writer_init(&w, out, sizeof(scratch) + DR_RLP_PREFIX_MAX, &fail);
	dr_rlp_put_list(&w, payload.len);
	dr_writer_bytes(&w, dr_writer_view(&payload));
	DR_ASSERT(fail.err == DR_OK);
	return dr_writer_view(&w);
}

static void withdrawals(struct dr_block *b)
{
	struct dr_check *c = b->obj.c;
	const json_t *list = dr_obj_peek(&b->obj, "withdrawals");
	struct dr_bytes *values;
	uint8_t root[32];
	size_t num;

	if (list == NULL)
		return;
	if (!json_is_array(list)) {
		dr_check_fail(c, DR_ERR_SYNTAX, "a JSON array is expected here", b->obj.path, "withdrawals");
		return;
	}
	num = json_array_size(list);
	if (b->header.num_fields < 17) {
		if (num > 0)
			dr_check_fail(c, DR_ERR_PROOF, "withdrawals in a block whose header has no withdrawalsRoot",
				      b->obj.path, "withdrawals");
		return; /* an empty list says nothing: it stays unproven */
	}
	values = dr_arena_alloc(c->arena, (num + 1) * sizeof(*values));
	if (values == NULL) {
		dr_check_fail(c, DR_ERR_NOMEM, "the input is larger than this program takes", b->obj.path,
			      "withdrawals");
		return;
	}
	for (size_t i = 0; i < num && dr_check_ok(c); i++)
		values[i] = withdrawal(c, json_array_get(list, i), i);
	if (dr_root_of(root, values, num, c) != DR_OK)
		return;
	dr_check_equal(c, b->header.withdrawals_root, root, 32, "the withdrawals do not rebuild withdrawalsRoot",
		       b->obj.path, "withdrawals");
	(void)dr_obj_take(&b->obj, "withdrawals");
	dr_fact_u64(c, "withdrawals", num);
}

static void transactions(struct dr_block *b)
{
	struct dr_check *c = b->obj.c;
	const json_t *list = dr_obj_peek(&b->obj, "transactions");
	bool none = memcmp(b->header.transactions_root, dr_mpt_empty_root, 32) == 0;
	size_t num, strings = 0;

	if (list == NULL)
		return;
	if (!json_is_array(list)) {
		dr_check_fail(c, DR_ERR_SYNTAX, "a JSON array is expected here", b->obj.path, "transactions");
		return;
	}
	num = json_array_size(list);
	if (num == 0 && !none && b->header.number == 0)
		return; /* no rule binds the roots of block 0, and hardhat fills them with others: unproven */
	if ((num == 0) != none) {
		dr_check_fail(c, DR_ERR_PROOF,
			      "transactionsRoot and the list of transactions disagree on whether there are any",
			      b->obj.path, "transactions");
		return;
	}
	for (size_t i = 0; i < num; i++)
		strings += json_is_string(json_array_get(list, i));
	if (strings > 0) {
		uint8_t(*hashes)[32];
		struct dr_fail fail = { DR_OK, NULL, 0 };

		if (strings != num)
			dr_check_fail(c, DR_ERR_SYNTAX, "transactions are listed as hashes or as objects, not both",
				      b->obj.path, "transactions");
		else if (dr_json_tx_hashes(&hashes, &num, b->obj.json, c->arena, &fail) != DR_OK)
			dr_check_fail(c, fail.err, fail.what, b->obj.path, "transactions");
		return; /* transactionsRoot commits to the transactions, which are not here: unproven */
	}
	dr_transactions_verify(c, &b->header, list);
	(void)dr_obj_take(&b->obj, "transactions");
	dr_fact_u64(c, "transactions", num);
}

void dr_block_body(struct dr_block *b)
{
	if (!dr_check_ok(b->obj.c))
		return;
	uncles(b);
	withdrawals(b);
	transactions(b);
	dr_obj_rest(&b->obj);
}

void dr_verify_header(struct dr_check *c, const json_t *block)
{
	struct dr_block b;
	const struct dr_evm_header *h = &b.header;

	dr_block_open(&b, c, block);
	if (!dr_check_ok(c))
		return;
	dr_fact_u64(c, "number", h->number);
	dr_fact_hex(c, "hash", h->hash, 32);
	dr_fact_hex(c, "parentHash", h->parent_hash, 32);
	dr_fact_u64(c, "timestamp", h->timestamp);
	dr_fact_u64(c, "fields", h->num_fields);
	dr_fact_hex(c, "stateRoot", h->state_root, 32);
	dr_fact_hex(c, "transactionsRoot", h->transactions_root, 32);
	dr_fact_hex(c, "receiptsRoot", h->receipts_root, 32);
	dr_fact_hex(c, "miner", h->coinbase, 20);
	dr_fact_u64(c, "gasLimit", h->gas_limit);
	dr_fact_u64(c, "gasUsed", h->gas_used);
	dr_block_body(&b);
}
