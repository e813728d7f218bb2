/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: a JSON array [kind, block, second, third], handed to that one of the four proofs of `derot verify`. Hashes
 * that do not come out are put right a few times, or nothing behind the first of them would ever be reached.
 * What is accepted tells its number and hash; what is refused says why.
 */
#include <stdint.h>
#include <string.h>

#include "watcher/json_evm.h"
#include "watcher/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REPAIRS 6

static void place(json_t *list, const char *hash)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		if (!json_is_object(item))
			continue;
		json_object_set_new(item, "blockHash", json_string(hash));
		place(json_object_get(item, "logs"), hash);
	}
}

/* Puts right what c found wrong; false if that is not a hash of the block. */
static bool repair(const struct dr_check *c, json_t *const docs[3])
{
	static const struct {
		const char *at, *key;
	} roots[] = { { "receipts", "receiptsRoot" },
		      { "block.transactions", "transactionsRoot" },
		      { "block.withdrawals", "withdrawalsRoot" } };

	if (c->fail.err != DR_ERR_PROOF)
		return false;
	if (strcmp(c->at, "block.hash") == 0) {
		json_object_set_new(docs[0], "hash", json_string(c->expected));
		for (size_t i = 0; i < 3; i++)
			place(i == 0 ? json_object_get(docs[0], "transactions") : docs[i], c->expected);
		return true;
	}
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		if (strcmp(c->at, roots[i].at) == 0 && strlen(c->got) == 66) {
			json_object_set_new(docs[0], roots[i].key, json_string(c->got));
			return true;
		}
	}
	return false;
}

static void verify(uint64_t kind, json_t *const docs[3])
{
	static const struct dr_log_filter all;
	bool again = true;

	for (size_t round = 0; again && round < REPAIRS; round++) {
		struct dr_check c;

		DR_ASSERT(dr_check_init(&c));
		switch (kind) {
		case 0: dr_verify_header(&c, docs[0]); break;
		case 1: dr_verify_receipts(&c, docs[0], docs[1]); break;
		case 2: dr_verify_logs(&c, docs[0], docs[1], docs[2], &all); break;
		default: dr_verify_proof(&c, docs[0], docs[1]); break;
		}
		if (dr_check_ok(&c))
			DR_ASSERT(json_object_get(c.facts, "number") != NULL &&
				  json_object_get(c.facts, "hash") != NULL);
		else
			DR_ASSERT(c.fail.what != NULL);
		again = repair(&c, docs);
		dr_check_free(&c);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dr_fail fail = { 0 };
	json_t *root;

	if (dr_json_load(&root, dr_bytes_of(data, size), &fail) != DR_OK)
		return 0;
	if (json_array_size(root) == 4) {
		json_t *const docs[3] = { json_array_get(root, 1), json_array_get(root, 2), json_array_get(root, 3) };

		verify((uint64_t)json_integer_value(json_array_get(root, 0)) % 4, docs);
	}
	json_decref(root);
	return 0;
}
