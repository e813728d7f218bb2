/* SPDX-License-Identifier: Apache-2.0
 *
 * derot keys publish, derot keys heartbeat: the transaction that the node's account has to send; with the account's
 * key also signed. It is shown, never sent: what goes on chain in the operator's name is the operator's to send.
 */
#include <inttypes.h>
#include <string.h>

#include "chain/crypto/keccak.h"
#include "chain/crypto/secp256k1.h"
#include "chain/crypto/secret.h"
#include "kms-bridge/tell/tell.h"
#include "watcher/keys.h"
#include "watcher/raw_tx.h"
#include "watcher/secret_file.h"
#include "watcher/tx_terms.h"

#define GAS_FIXED 500000u /* a publication takes about a fifth of it */
#define GWEI      UINT64_C(1000000000)

size_t dr_keys_call(uint8_t out[static DR_KEYS_CALL_MAX], const char *signature, const uint8_t (*words)[32],
		    size_t num)
{
	uint8_t selector[32];

	DR_ASSERT(4 + 32 * num <= DR_KEYS_CALL_MAX);
	dr_keccak256(selector, signature, strlen(signature));
	memcpy(out, selector, 4);
	memcpy(out + 4, words, 32 * num);
	return 4 + 32 * num;
}

size_t dr_keys_call_publish(uint8_t out[static DR_KEYS_CALL_MAX], const struct dr_root_public *root)
{
	uint8_t words[11][32];

	dr_word_put(words[0], root->generation);
	memcpy(words[1], root->words, sizeof(root->words));
	return dr_keys_call(out, "publishRoot(uint64,bytes32[10])", (const uint8_t(*)[32])words, 11);
}

/* The terms that were given. */
static int terms_of(struct dr_cli *cli, struct dr_tx_terms *t, const struct dr_keys_opts *o)
{
	const struct {
		const char *name, *text;
		bool *has;
		uint64_t *to;
		uint64_t max, unit;
	} rows[] = {
		{ "--tx-nonce", o->tx_nonce, &t->has_nonce, &t->nonce, INT64_MAX, 1 },
		{ "--gas", o->gas, &t->has_gas, &t->gas, INT64_MAX, 1 },
		{ "--max-fee", o->max_fee, &t->has_max_fee, &t->max_fee, INT64_MAX, 1 },
		{ "--max-fee-gwei", o->max_fee_gwei, &t->has_max_fee, &t->max_fee, INT64_MAX / GWEI, GWEI },
		{ "--priority-fee", o->priority_fee, &t->has_priority_fee, &t->priority_fee, INT64_MAX, 1 },
	};

	if (o->max_fee != NULL && o->max_fee_gwei != NULL)
		return dr_cli_usage(cli, "--max-fee or --max-fee-gwei, not both", NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].text == NULL)
			continue;
		if (o->account_key == NULL)
			return dr_cli_usage(cli, "this is for a signed transaction: give --account-key too",
					    rows[i].name);
		if (!dr_ask_number(rows[i].to, rows[i].text, rows[i].max))
			return dr_cli_usage(cli, "a decimal number, please", rows[i].name);
		*rows[i].to *= rows[i].unit;
		*rows[i].has = true;
	}
	if (t->has_max_fee && t->has_priority_fee && t->priority_fee > t->max_fee)
		return dr_cli_usage(cli, "--priority-fee cannot be above the max fee", NULL);
	return DR_EXIT_OK;
}

/* The account's key, and that it is the node's account: any other's transaction the contract would refuse. */
static int read_key(struct dr_asking *a, uint8_t secret[static 32], const char *path)
{
	struct dr_fail fail = { 0 };
	uint8_t address[20];
	char expected[43], got[43];

	if (dr_secret_file_read(secret, path, &fail) != DR_OK ||
	    dr_secp256k1_secret_address(address, secret, &fail) != DR_OK)
		return dr_ask_failed(a->cli, &fail, path,
				     "name a file with the key of the node's account, of this user, chmod 600");
	if (memcmp(address, a->config->node, 20) == 0)
		return DR_EXIT_OK;
	json_t *ours = dr_tell_hex(a->config->node, 20), *its = dr_tell_hex(address, 20);

	snprintf(expected, sizeof(expected), "%s", json_string_value(ours));
	snprintf(got, sizeof(got), "%s", json_string_value(its));
	json_decref(ours);
	json_decref(its);
	dr_out_trouble(&a->cli->out, &(struct dr_trouble){ .code = "account",
							   .what = "this key is another account's than the node's",
							   .expected = expected,
							   .got = got,
							   .source = path,
							   .state = "nothing was signed",
							   .next = "give the key of the account that registered the "
								   "node" });
	return DR_EXIT_ERROR;
}

static void show_terms(json_t *obj, const struct dr_tx_terms *t, uint64_t cost)
{
	json_object_set_new(obj, "nonce", json_integer((json_int_t)t->nonce));
	json_object_set_new(obj, "gas", json_integer((json_int_t)t->gas));
	json_object_set_new(obj, "max_fee", json_integer((json_int_t)t->max_fee));
	json_object_set_new(obj, "priority_fee", json_integer((json_int_t)t->priority_fee));
	json_object_set_new(obj, "costs_at_most",
			    json_sprintf("%" PRIu64 ".%09" PRIu64 " gwei", cost / GWEI, cost % GWEI));
	if (t->asked > 0)
		json_object_set_new(obj, "endpoints", json_sprintf("%u of %u answered", t->answered, t->asked));
	if (t->gas_fixed)
		json_object_set_new(obj, "gas_note",
				    json_string("too few endpoints gave an estimate: a fixed, generous amount"));
	if (t->gas_fixed && t->gas_why[0] != '\0')
		json_object_set_new(obj, "an_endpoint_says", dr_out_json_text(t->gas_why));
}

static int sign(struct dr_asking *a, json_t *obj, struct dr_bytes data, struct dr_tx_terms *t, const char *key_path)
{
	uint8_t raw[DR_RAW_TX_LEN_MAX], hash[32], *secret = dr_secret_alloc(32);
	struct dr_raw_tx tx = { .chain_id = a->config->chain_id, .data = data };
	struct dr_fail fail = { 0 };
	uint64_t cost = 0;
	size_t len = 0;
	int code;

	if (secret == NULL)
		return dr_ask_trouble(a->cli, DR_EXIT_ERROR, "nomem", "no memory for a key", NULL, NULL, "try again");
	code = read_key(a, secret, key_path);
	if (code == DR_EXIT_OK && dr_tx_terms_ask(t, a->config, a->config->node, data, GAS_FIXED, &fail) != DR_OK)
		code = dr_ask_failed(a->cli, &fail, a->path,
				     "give --tx-nonce, --gas, --max-fee and --priority-fee: nobody is asked then");
	if (code == DR_EXIT_OK && __builtin_mul_overflow(t->gas, t->max_fee, &cost))
		code = dr_ask_trouble(a->cli, DR_EXIT_ERROR, "limit",
				      "gas times fee is more than 18 whole coins of the chain: that cannot be meant",
				      NULL, NULL, "give less --gas, or a smaller --max-fee");
	if (code == DR_EXIT_OK) {
		tx.nonce = t->nonce;
		tx.gas = t->gas;
		tx.max_fee = t->max_fee;
		tx.priority_fee = t->priority_fee;
		memcpy(tx.to, a->config->contract, 20);
		if (dr_raw_tx_sign(raw, sizeof(raw), &len, hash, &tx, secret, &fail) != DR_OK)
			code = dr_ask_failed(a->cli, &fail, key_path, "give the key of the node's account");
	}
	dr_secret_free(secret);
	if (code != DR_EXIT_OK)
		return code;
	show_terms(obj, t, cost);
	json_object_set_new(obj, "transaction", dr_tell_hex(hash, 32));
	json_object_set_new(obj, "raw", dr_tell_hex(raw, len));
	json_object_set_new(obj, "next", json_string("nothing was sent: hand raw to eth_sendRawTransaction"));
	return DR_EXIT_OK;
}

/* Shows the call of the contract, in an object that may hold more already; takes obj. */
static int show_call(struct dr_asking *a, json_t *obj, struct dr_bytes data, struct dr_tx_terms *t,
		     const struct dr_keys_opts *o)
{
	int code = DR_EXIT_OK;

	json_object_set_new(obj, "chain_id", json_integer((json_int_t)a->config->chain_id));
	json_object_set_new(obj, "to", dr_tell_hex(a->config->contract, 20));
	json_object_set_new(obj, "from", dr_tell_hex(a->config->node, 20));
	json_object_set_new(obj, "value", json_integer(0));
	json_object_set_new(obj, "data", dr_tell_hex(data.ptr, data.len));
	if (o->account_key != NULL)
		code = sign(a, obj, data, t, o->account_key);
	if (code == DR_EXIT_OK)
		dr_out_object(&a->cli->out, obj);
	json_decref(obj);
	return code;
}

int dr_cmd_keys_publish(struct dr_cli *cli, const struct dr_keys_opts *o)
{
	struct dr_tx_terms terms = { 0 };
	uint8_t data[DR_KEYS_CALL_MAX];
	struct dr_root_public root;
	struct dr_asking a;
	int code = terms_of(cli, &terms, o);

	if (code != DR_EXIT_OK)
		return code;
	code = dr_ask_open(&a, cli, o->config);
	if (code == DR_EXIT_OK)
		code = dr_keys_root(&a, &root, o->wanted);
	if (code == DR_EXIT_OK && root.published_equal)
		code = dr_ask_trouble(cli, DR_EXIT_ERROR, "published", "this generation is published already", NULL,
				      "derot-core", "nothing is to be done; derot keys public shows it");
	if (code == DR_EXIT_OK) {
		json_t *obj = json_pack("{s:I}", "generation", (json_int_t)root.generation);

		code = show_call(&a, obj, dr_bytes_of(data, dr_keys_call_publish(data, &root)), &terms, o);
	}
	dr_ask_close(&a);
	return code;
}

int dr_cmd_keys_heartbeat(struct dr_cli *cli, const struct dr_keys_opts *o)
{
	static struct dr_node_public node;
	struct dr_tx_terms terms = { 0 };
	uint8_t data[DR_KEYS_CALL_MAX];
	struct dr_asking a;
	int code = terms_of(cli, &terms, o);

	if (code != DR_EXIT_OK)
		return code;
	code = dr_ask_open(&a, cli, o->config);
	if (code == DR_EXIT_OK)
		code = dr_keys_node(&a, &node);
	if (code == DR_EXIT_OK && dr_bytes_zero(node.nonce, 32))
		code = dr_ask_trouble(cli, DR_EXIT_SEALED, "none", "the core has drawn no nonce yet", NULL,
				      "derot-core",
				      "it draws one once it follows the chain; lease.heartbeat in the configuration "
				      "asks for it");
	if (code == DR_EXIT_OK) {
		json_t *obj = json_object();
		const uint8_t(*words)[32] = (const uint8_t(*)[32]) & node.nonce;

		json_object_set_new(obj, "heartbeat", json_boolean(node.heartbeat));
		json_object_set_new(obj, "heartbeat_nonce", dr_tell_hex(node.nonce, 32));
		code = show_call(&a, obj, dr_bytes_of(data, dr_keys_call(data, "heartbeat(bytes32)", words, 1)),
				 &terms, o);
	}
	dr_ask_close(&a);
	return code;
}
