/* SPDX-License-Identifier: Apache-2.0
 *
 * eth_getProof (EIP-1186) against a block's stateRoot.
 */
#include "watcher/verify.h"

#include <string.h>

#include "chain/base/hex.h"
#include "chain/crypto/keccak.h"
#include "chain/evm/state_proof.h"
#include "chain/trie/mpt.h"
#include "watcher/json_evm.h"

static void state_failed(struct dr_check *c, const struct dr_fail *fail, const char *path, const char *key)
{
	dr_check_fail(c, fail->err, fail->what, path, key);
}

/* The values claimed for the account must be the proven ones. Of an account that is not there servers tell
 * the code hash and storage root of an empty account, or zeros: both say the same. */
static void account_is(struct dr_obj *o, const struct dr_evm_account *a, const struct dr_json_proof *p)
{
	static const uint8_t zero[32];
	bool zeros_pass = !a->present;
	struct dr_check *c = o->c;

	dr_check_equal(c, a->balance, p->balance, 32, "this is not the balance that is proven", o->path, "balance");
	dr_check_equal_u64(c, a->nonce, p->nonce, "this is not the nonce that is proven", o->path, "nonce");
	if (!(zeros_pass && memcmp(p->code_hash, zero, 32) == 0))
		dr_check_equal(c, a->code_hash, p->code_hash, 32, "this is not the code hash that is proven", o->path,
			       "codeHash");
	if (!(zeros_pass && memcmp(p->storage_root, zero, 32) == 0))
		dr_check_equal(c, a->storage_root, p->storage_root, 32, "this is not the storage root that is proven",
			       o->path, "storageHash");
}

/* The key as it was given, in lower case: a reader finds his own spelling again. */
static json_t *key_as_given(const json_t *entry, const uint8_t slot[static 32])
{
	const json_t *key = json_object_get(entry, "key");

	return json_string_length(key) == 66 ? dr_json_hex(slot, 32) : dr_json_quantity(slot);
}

static void slots(struct dr_check *c, const struct dr_evm_account *a, const struct dr_json_proof *p,
		  const json_t *list)
{
	json_t *facts = json_array();

	for (size_t i = 0; i < p->num_slots && dr_check_ok(c); i++) {
		const struct dr_json_slot *claimed = &p->slots[i];
		const json_t *entry = json_array_get(list, i);
		struct dr_evm_slot proven;
		struct dr_fail fail = { DR_OK, NULL, 0 };
		struct dr_obj o;
		char path[64];
		static const char *const members[] = { "key", "value", "proof" };

		dr_obj_path(path, sizeof(path), "proof.", "storageProof", i);
		dr_obj_init(&o, c, entry, path, "storageProof[].");
		if (dr_evm_slot_verify(&proven, a->storage_root, claimed->slot, claimed->proof.nodes,
				       claimed->proof.num, &fail) != DR_OK) {
			state_failed(c, &fail, o.path, "proof");
			break;
		}
		dr_check_equal(c, proven.value, claimed->value, 32, "this is not the value that is proven", o.path,
			       "value");
		for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++)
			(void)dr_obj_take(&o, members[m]);
		dr_obj_rest(&o);
		json_array_append_new(facts,
				      json_pack("{s:o, s:o, s:b}", "key", key_as_given(entry, claimed->slot), "value",
						dr_json_quantity(proven.value), "present", proven.present));
	}
	json_object_set_new(c->facts, "storage", facts);
}

void dr_verify_proof(struct dr_check *c, const json_t *block, const json_t *proof)
{
	static const char *const members[] = { "address",     "balance",      "nonce",       "codeHash",
					       "storageHash", "accountProof", "storageProof" };
	struct dr_block b;
	struct dr_obj o;
	struct dr_json_proof p;
	struct dr_evm_account a;
	struct dr_fail fail = { DR_OK, NULL, 0 };

	dr_block_open(&b, c, block);
	if (!dr_check_ok(c))
		return;
	dr_obj_init(&o, c, proof, "proof.", "");
	if (!dr_check_ok(c))
		return;
	if (dr_json_proof(&p, proof, c->arena, &fail) != DR_OK) {
		dr_check_fail(c, fail.err, fail.what, "proof", "");
		return;
	}
	if (dr_evm_account_verify(&a, b.header.state_root, p.address, p.proof.nodes, p.proof.num, &fail) != DR_OK) {
		state_failed(c, &fail, o.path, "accountProof");
		return;
	}
	account_is(&o, &a, &p);
	dr_fact_u64(c, "number", b.header.number);
	dr_fact_hex(c, "hash", b.header.hash, 32);
	dr_fact_hex(c, "stateRoot", b.header.state_root, 32);
	dr_fact_hex(c, "address", p.address, 20);
	json_object_set_new(c->facts, "present", json_boolean(a.present));
	json_object_set_new(c->facts, "balance", dr_json_quantity(a.balance));
	dr_fact_u64(c, "nonce", a.nonce);
	dr_fact_hex(c, "codeHash", a.code_hash, 32);
	dr_fact_hex(c, "storageHash", a.storage_root, 32);
	slots(c, &a, &p, json_object_get(proof, "storageProof"));
	for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++)
		(void)dr_obj_take(&o, members[m]);
	dr_obj_rest(&o);
	dr_block_body(&b);
}
