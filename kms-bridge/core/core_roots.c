/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/core.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool own_root(void *ctx, uint64_t generation, const struct dr_root *published)
{
	const struct dr_core *c = ctx;

	return c->keys != NULL && dr_keys_equal(c->keys, generation, published->prf_pub, published->sig_pub);
}

enum dr_err dr_core_roots_open(struct dr_core *c)
{
	struct dr_keys_binding binding = { .chain_id = c->init.chain_id, .proof = c->init.proof };
	uint8_t sealed[DR_STORE_SEALED_MAX];
	static struct dr_status_report status;
	uint64_t generation = 0;
	size_t len;

	/* Without a key file this node follows and answers no key: every published root is a foreign one. */
	dr_engine_own_root(c->engine, own_root, c);
	if (c->init.key_file[0] == 0)
		return DR_OK;
	if (dr_store_root_next(c->store, 0, &generation, &c->fail) != DR_OK)
		return c->fail.err;
	/* A node that never had a root may begin with a new key file; one that had needs the old one. */
	if (generation == 0 && access(c->init.key_file, F_OK) != 0 &&
	    dr_keys_file_make(c->init.key_file, c->init.passphrase_file, c->init.argon2_mib, &c->fail) != DR_OK)
		return c->fail.err;
	dr_engine_status(c->engine, &status);
	memcpy(binding.genesis, c->init.genesis, 32);
	memcpy(binding.contract, c->init.contract, 20);
	memcpy(binding.profile, status.profile_digest, 32);
	memcpy(binding.node, c->init.node, 20);
	c->keys = dr_keys_new(c->init.key_file, c->init.passphrase_file, &binding, &c->fail);
	if (c->keys == NULL)
		return dr_fail_set(&c->fail, DR_ERR_IO, "key file", 0);
	for (; generation != 0; dr_store_root_next(c->store, generation, &generation, &c->fail)) {
		if (dr_store_root_get(c->store, generation, sealed, sizeof(sealed), &len, &c->fail) != DR_OK ||
		    dr_keys_open(c->keys, generation, dr_bytes_of(sealed, len), &c->fail) != DR_OK)
			return c->fail.err;
	}
	return c->fail.err;
}

static enum dr_err make(struct dr_core *c, uint64_t generation)
{
	uint8_t sealed[DR_KEYS_SEALED_LEN];
	char detail[DR_TEXT_MAX];

	if (dr_keys_make(c->keys, generation, sealed, &c->fail) != DR_OK ||
	    dr_store_root_put(c->store, generation, dr_bytes_of(sealed, sizeof(sealed)), &c->fail) != DR_OK)
		return c->fail.err;
	snprintf(detail, sizeof(detail), "root generation %llu made and sealed here%s; to be published on chain",
		 (unsigned long long)generation,
		 c->init.proof == DR_PROOF_QUORUM ? " (a development root for ever: proof quorum)" : "");
	return dr_core_note(c, DR_NOTE_ROOT, c->final_number, NULL, DR_SOURCE_CORE, detail, NULL);
}

static enum dr_err compare(struct dr_core *c, const struct dr_state *state)
{
	const uint64_t generation = dr_state_generation(state);
	struct dr_root published;
	char detail[DR_TEXT_MAX];

	if (generation == 0 || !dr_state_root(&published, state, generation))
		return DR_OK;
	const bool ours = own_root(c, generation, &published);

	if (generation == c->noted_generation && ours == c->noted_ours)
		return DR_OK;
	c->noted_generation = generation;
	c->noted_ours = ours;
	snprintf(detail, sizeof(detail), "root generation %llu is published: its keys %s",
		 (unsigned long long)generation, ours ? "are those held here" : "are not held here");
	return dr_core_note(c, DR_NOTE_ROOT, c->final_number, NULL, DR_SOURCE_CORE, detail, NULL);
}

enum dr_err dr_core_roots_step(struct dr_core *c)
{
	const struct dr_state *state;
	struct dr_root root;
	const char *why;
	uint64_t time;

	/* Sealed: what is held may be old news. */
	if (c->init.mode != DR_MODE_RUN || dr_engine_sealed(c->engine, &why) ||
	    !dr_engine_state(c->engine, &state, &time))
		return DR_OK;
	const uint64_t ordered = dr_state_ordered(state);

	if (c->keys != NULL && ordered != 0 && dr_state_root(&root, state, ordered) && root.stage == DR_ROOT_DUE &&
	    memcmp(root.node, c->init.node, 20) == 0 && !dr_keys_held(c->keys, ordered) && make(c, ordered) != DR_OK)
		return c->fail.err;
	return compare(c, state);
}

enum dr_err dr_core_root_public(struct dr_core *c, uint64_t generation, struct dr_root_public *out)
{
	const struct dr_state *state = NULL;
	struct dr_root root, before;
	uint64_t time;

	memset(out, 0, sizeof(*out));
	if (c->keys == NULL)
		return DR_OK;
	if (generation == 0)
		generation = dr_keys_newest(c->keys);
	if (generation == 0 || !dr_keys_held(c->keys, generation))
		return DR_OK;
	const bool known = dr_engine_state(c->engine, &state, &time);
	const uint64_t below = known ? dr_state_published_below(state, generation) : 0;
	const bool has_before = below != 0 && dr_state_root(&before, state, below);

	out->generation = generation;
	out->published_equal = known && dr_state_root(&root, state, generation) &&
			       dr_keys_equal(c->keys, generation, root.prf_pub, root.sig_pub);
	return dr_keys_publication(c->keys, generation, below, has_before ? before.sig_pub : NULL, out->words,
				   &c->fail);
}
