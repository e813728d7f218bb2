/* SPDX-License-Identifier: Apache-2.0
 *
 * What anybody may know: proofs about both logs, signed checkpoints, certificates, this node's public keys.
 */
#include "kms-bridge/core/core.h"

#include <string.h>

#include "chain/base/reader.h"
#include "kms-bridge/checkpoint.h"
#include "kms-bridge/core/certificate.h"

static void sign(void *ctx, uint8_t sig[static 64], struct dr_bytes message)
{
	dr_keys_node_sign(ctx, sig, message);
}

bool dr_core_take_checkpoint_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload)
{
	uint8_t enc_key[32], sign_key[32], root[32];
	char origin[DR_CHECKPOINT_NAME_MAX], name[DR_CHECKPOINT_NAME_MAX];
	struct dr_fail why = { 0 };
	struct dr_reader r;
	struct dr_buf text;

	dr_reader_init(&r, payload, &why);
	const uint8_t log = dr_reader_u8(&r);

	if (dr_reader_end(&r) != DR_OK || log > 1)
		return false;
	if (c->keys == NULL || !dr_keys_node(c->keys, enc_key, sign_key)) {
		dr_core_say_error(c, client, DR_ERR_UNKNOWN, "this node has no key to sign a checkpoint with");
		return true;
	}
	/* What a checkpoint names is durable. */
	if (dr_core_commit(c) != DR_OK)
		return true;
	const struct dr_merkle *edge = dr_store_log_edge(c->store, (enum dr_log)log);

	dr_checkpoint_origin(origin, c->init.chain_id, c->init.contract, c->init.node, log);
	dr_checkpoint_name(name, c->init.chain_id, c->init.contract, c->init.node);
	dr_merkle_root(root, edge);
	dr_buf_init(&text, DR_RUN_MAX);
	if (dr_checkpoint_make(&text, origin, edge->size, root, name, sign_key, sign, c->keys, &c->fail) == DR_OK) {
		const struct dr_run run = { dr_buf_view(&text) };

		dr_run_put(&client->ch.out, DR_MSG_CHECKPOINT, &run, &c->fail);
	}
	dr_buf_free(&text);
	return true;
}

bool dr_core_take_proof_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload)
{
	static struct dr_log_proof proof;
	struct dr_proof_query query;
	struct dr_fail why = { 0 };

	if (dr_proof_query_get(&query, payload, &why) != DR_OK)
		return false;
	if (dr_core_commit(c) != DR_OK)
		return true;
	if (dr_store_log_proof(c->store, &query, &proof, &why) == DR_OK)
		dr_log_proof_put(&client->ch.out, DR_MSG_PROOF, &proof, &c->fail);
	else
		dr_core_say_error(c, client, why.err, why.what);
	return true;
}

bool dr_core_take_node_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload)
{
	struct dr_node_public out = { .heartbeat = c->init.heartbeat };

	if (payload.len != 0)
		return false;
	if (c->keys == NULL || !dr_keys_node(c->keys, out.enc_key, out.sign_key)) {
		dr_core_say_error(c, client, DR_ERR_UNKNOWN, "this node has no key file, and so no keys of its own");
		return true;
	}
	dr_checkpoint_name(out.name, c->init.chain_id, c->init.contract, c->init.node);
	memcpy(out.nonce, c->nonce, 32);
	out.nonce_ms = c->nonce_ms;
	dr_node_public_put(&client->ch.out, DR_MSG_NODE, &out, &c->fail);
	return true;
}

struct telling {
	struct dr_core *c;
	struct dr_client *client;
};

static enum dr_err tell_certificate(void *ctx, struct dr_bytes der)
{
	struct telling *t = ctx;
	const struct dr_run run = { der };

	return dr_run_put(&t->client->ch.out, DR_MSG_CERTIFICATE, &run, &t->c->fail);
}

bool dr_core_take_certificate_get(struct dr_core *c, struct dr_client *client, struct dr_bytes payload)
{
	const struct dr_state *state = NULL;
	struct telling t = { c, client };
	struct dr_certificate_query q;
	uint8_t der[DR_KEYS_DER_MAX], end[40] = { 0 };
	struct dr_fail why = { 0 };
	struct dr_root root;
	uint64_t time;
	size_t len;

	if (dr_certificate_query_get(&q, payload, &why) != DR_OK)
		return false;
	const bool known = c->engine != NULL && dr_engine_state(c->engine, &state, &time);
	const uint64_t generation = q.generation != 0 || !known ? q.generation : dr_state_generation(state);

	/* Only of what is published: a certificate says what the chain says. */
	if (!known || c->keys == NULL || generation == 0 || !dr_state_root(&root, state, generation) ||
	    !dr_keys_held(c->keys, generation) || !dr_keys_equal(c->keys, generation, root.prf_pub, root.sig_pub)) {
		dr_core_say_error(c, client, DR_ERR_UNKNOWN,
				  "no published root generation of this number is held here");
		return true;
	}
	if (dr_keys_certificate_root(c->keys, generation, &root, der, sizeof(der), &len, &why) != DR_OK) {
		dr_core_say_error(c, client, why.err, why.what);
		return true;
	}
	if (tell_certificate(&t, dr_bytes_of(der, len)) == DR_OK &&
	    (!q.has_app ||
	     dr_store_certificates(c->store, generation, q.app, tell_certificate, &t, &c->fail) == DR_OK))
		dr_msg_put(&client->ch.out, DR_MSG_LOG_END, dr_bytes_of(end, sizeof(end)), &c->fail);
	return true;
}
