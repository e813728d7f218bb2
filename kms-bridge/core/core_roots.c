/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chain/base/hex.h"
#include "kms-bridge/core/key_file.h"

static bool own_root(void *ctx, uint64_t generation, const struct dr_root *published)
{
	const struct dr_core *c = ctx;

	return c->keys != NULL && dr_keys_equal(c->keys, generation, published->prf_pub, published->sig_pub);
}

static void folder_of(char folder[static DR_TEXT_MAX + 8], const char *path)
{
	char *slash;

	snprintf(folder, DR_TEXT_MAX + 8, "%s", path);
	slash = strrchr(folder, '/');
	if (slash == NULL)
		snprintf(folder, DR_TEXT_MAX + 8, ".");
	else
		slash[slash == folder ? 1 : 0] = 0;
}

/* Nobody of ours made a file where we may not write: a folder that is not ours, or a file system that takes nothing,
 * and often cannot be synced either. */
static bool may_be_made_here(const char *path)
{
	char folder[DR_TEXT_MAX + 8];

	folder_of(folder, path);
	return access(folder, W_OK) == 0 || (errno != EACCES && errno != EROFS);
}

/* Opening */

/* The sealed thing whose key id says under which key file this directory is: any of them; *len 0: there is none. */
static enum dr_err any_sealed(struct dr_core *c, uint8_t *sealed, size_t *len)
{
	uint64_t generation = 0;

	if (dr_store_root_get(c->store, 0, sealed, DR_STORE_SEALED_MAX, len, &c->fail) != DR_OK || *len > 0)
		return c->fail.err;
	if (dr_store_root_next(c->store, 0, &generation, &c->fail) != DR_OK || generation == 0)
		return c->fail.err;
	return dr_store_root_get(c->store, generation, sealed, DR_STORE_SEALED_MAX, len, &c->fail);
}

static bool opens(struct dr_core *c, const char *path, const struct dr_keys_binding *binding, const uint8_t *id)
{
	struct dr_fail why = { 0 };
	uint8_t own[8];

	c->keys = dr_keys_new(path, c->init.passphrase_file, binding, &why);
	if (c->keys == NULL)
		return false;
	dr_keys_id(c->keys, own);
	if (memcmp(own, id, sizeof(own)) == 0)
		return true;
	dr_keys_free(c->keys);
	c->keys = NULL;
	return false;
}

/* The key file, and what sealing anew may have left beside it (core_keys.c, reseal): one that everything is sealed
 * under takes its place; one that nothing is sealed under is forgotten, which the other has to show: a file that does
 * not open today may be the only one that opens the roots. */
static enum dr_err open_keys(struct dr_core *c, const struct dr_keys_binding *binding)
{
	uint8_t sealed[DR_STORE_SEALED_MAX], id[8], own[8];
	char next[DR_TEXT_MAX + 8];
	size_t len;

	snprintf(next, sizeof(next), "%s.new", c->init.key_file);
	if (any_sealed(c, sealed, &len) != DR_OK)
		return c->fail.err;
	if (len > 0 && dr_keys_sealed_id(id, dr_bytes_of(sealed, len), &c->fail) != DR_OK)
		return c->fail.err;
	/* A node that never sealed anything may begin with a new key file; one that did needs the old one. One that a
	 * start before made, and then died, may have a name that a loss of power would take away: nothing is sealed
	 * under it before that name is durable. */
	if (len == 0 && access(c->init.key_file, F_OK) != 0 &&
	    dr_keys_file_make(c->init.key_file, c->init.passphrase_file, c->init.argon2_mib, &c->fail) != DR_OK)
		return c->fail.err;
	if (len == 0 && may_be_made_here(c->init.key_file) && !dr_key_file_sync(c->init.key_file))
		return dr_core_fail(c, DR_ERR_IO, "key file", "%s: its folder could not be synced: %s",
				    c->init.key_file, strerror(errno));
	if (len > 0 && access(next, F_OK) == 0 && opens(c, next, binding, id)) {
		if (rename(next, c->init.key_file) != 0 || !dr_key_file_sync(next))
			return dr_core_fail(c, DR_ERR_IO, "the new key file", "%s: %s", next, strerror(errno));
		return DR_OK;
	}
	c->keys = dr_keys_new(c->init.key_file, c->init.passphrase_file, binding, &c->fail);
	if (c->keys == NULL)
		return dr_fail_set(&c->fail, DR_ERR_IO, "key file", 0);
	dr_keys_id(c->keys, own);
	if (len == 0 || memcmp(own, id, sizeof(own)) == 0)
		unlink(next);
	else if (access(next, F_OK) == 0)
		return dr_core_fail(c, DR_ERR_PROOF, "the new key file",
				    "the roots are sealed under another key file than %s, and %s, made when sealing "
				    "anew, does not open them now: mend that one (its owner, mode 0600, the "
				    "passphrase file, memory for Argon2id), and start again",
				    c->init.key_file, next);
	return DR_OK;
}

static enum dr_err open_node(struct dr_core *c)
{
	uint8_t sealed[DR_STORE_SEALED_MAX];
	size_t len;

	if (dr_store_root_get(c->store, 0, sealed, sizeof(sealed), &len, &c->fail) != DR_OK)
		return c->fail.err;
	if (len > 0)
		return dr_keys_node_open(c->keys, dr_bytes_of(sealed, len), &c->fail);
	if (dr_keys_node_make(c->keys, sealed, &c->fail) != DR_OK)
		return c->fail.err;
	return dr_store_root_put(c->store, 0, dr_bytes_of(sealed, DR_KEYS_SEALED_LEN), &c->fail);
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
	dr_engine_status(c->engine, &status);
	memcpy(binding.genesis, c->init.genesis, 32);
	memcpy(binding.contract, c->init.contract, 20);
	memcpy(binding.profile, status.profile_digest, 32);
	memcpy(binding.node, c->init.node, 20);
	if (open_keys(c, &binding) != DR_OK || open_node(c) != DR_OK)
		return c->fail.err;
	while (dr_store_root_next(c->store, generation, &generation, &c->fail) == DR_OK && generation != 0) {
		if (dr_store_root_get(c->store, generation, sealed, sizeof(sealed), &len, &c->fail) != DR_OK ||
		    dr_keys_open(c->keys, generation, dr_bytes_of(sealed, len), &c->fail) != DR_OK)
			return c->fail.err;
	}
	return c->fail.err != DR_OK ? c->fail.err : dr_core_rollback_open(c);
}

/* The life of generations */

static enum dr_err make(struct dr_core *c, uint64_t generation)
{
	uint8_t sealed[DR_KEYS_SEALED_LEN];
	char detail[DR_TEXT_MAX];

	/* The rest of this node goes on: another may be ordered to make it. */
	if (dr_keys_full(c->keys)) {
		if (c->noted_full == generation)
			return DR_OK;
		c->noted_full = generation;
		snprintf(detail, sizeof(detail),
			 "root generation %llu is not made here: %u are held already; those that the council retires "
			 "make room",
			 (unsigned long long)generation, DR_KEYS_ROOTS_MAX);
		return dr_core_note(c, DR_NOTE_ROOT, c->final_number, NULL, DR_SOURCE_CORE, detail, NULL);
	}
	if (dr_keys_make(c->keys, generation, sealed, &c->fail) != DR_OK ||
	    dr_store_root_put(c->store, generation, dr_bytes_of(sealed, sizeof(sealed)), &c->fail) != DR_OK)
		return c->fail.err;
	snprintf(detail, sizeof(detail), "root generation %llu made and sealed here%s; to be published on chain",
		 (unsigned long long)generation,
		 c->init.proof == DR_PROOF_QUORUM ? " (a development root for ever: proof quorum)" : "");
	return dr_core_note(c, DR_NOTE_ROOT, c->final_number, NULL, DR_SOURCE_CORE, detail, NULL);
}

/* Nothing brings these back: a final retirement by the council itself, or a deadline that passed before it was
 * published. What was retired without authority is withheld, and kept. */
static bool is_over(const struct dr_root *root)
{
	return (root->stage == DR_ROOT_RETIRED && root->given_up) || root->stage == DR_ROOT_FAILED;
}

static enum dr_err destroy(struct dr_core *c, const struct dr_state *state)
{
	uint64_t generation = 0;
	char detail[DR_TEXT_MAX];
	struct dr_root root;

	while (dr_store_root_next(c->store, generation, &generation, &c->fail) == DR_OK && generation != 0) {
		if (!dr_state_root(&root, state, generation) || !is_over(&root))
			continue;
		snprintf(detail, sizeof(detail), "root generation %llu destroyed here: %s",
			 (unsigned long long)generation,
			 root.stage == DR_ROOT_FAILED ? "it was not published in time" : "the council retired it");
		if (dr_core_note(c, DR_NOTE_ROOT, c->final_number, NULL, DR_SOURCE_CORE, detail, NULL) != DR_OK ||
		    dr_store_root_del(c->store, generation, &c->fail) != DR_OK || dr_core_commit(c) != DR_OK)
			return c->fail.err;
		dr_keys_destroy(c->keys, generation);
	}
	return c->fail.err;
}

static enum dr_holding holding_of(const struct dr_core *c, const struct dr_state *state, uint64_t generation)
{
	struct dr_root published;

	if (c->keys == NULL || generation == 0 || !dr_state_root(&published, state, generation) ||
	    !dr_keys_held(c->keys, generation))
		return DR_HOLDING_NONE;
	return dr_keys_equal(c->keys, generation, published.prf_pub, published.sig_pub) ? DR_HOLDING_OURS
											: DR_HOLDING_FOREIGN;
}

enum dr_holding dr_core_holding(const struct dr_core *c)
{
	const struct dr_state *state;
	uint64_t time;

	if (c->engine == NULL || !dr_engine_state(c->engine, &state, &time))
		return DR_HOLDING_NONE;
	return holding_of(c, state, dr_state_generation(state));
}

static enum dr_err compare(struct dr_core *c, const struct dr_state *state)
{
	static const char *const words[] = {
		[DR_HOLDING_NONE] = "no root of it is held here",
		[DR_HOLDING_OURS] = "its keys are those held here",
		[DR_HOLDING_FOREIGN] = "its keys are not those of the root of that number held here",
	};
	const uint64_t generation = dr_state_generation(state);
	const enum dr_holding holding = holding_of(c, state, generation);
	char detail[DR_TEXT_MAX];

	if (generation == 0 || (generation == c->noted_generation && holding == c->noted_holding))
		return DR_OK;
	c->noted_generation = generation;
	c->noted_holding = holding;
	snprintf(detail, sizeof(detail), "root generation %llu is published: %s", (unsigned long long)generation,
		 words[holding]);
	return dr_core_note(c, DR_NOTE_ROOT, c->final_number, NULL, DR_SOURCE_CORE, detail, NULL);
}

enum dr_err dr_core_roots_step(struct dr_core *c)
{
	const struct dr_state *state;
	struct dr_root root;
	const char *why;
	uint64_t time;

	if (c->init.mode != DR_MODE_RUN || !dr_engine_state(c->engine, &state, &time))
		return DR_OK;
	/* The host's own reasons to seal come before anything is done; they need no fresh chain. */
	const char *hold = holding_of(c, state, dr_state_generation(state)) == DR_HOLDING_FOREIGN
				   ? "sealed: the root held here is not the published one of its number"
				   : dr_core_rolled_back(c, state);

	if (dr_engine_hold(c->engine, hold, &c->fail) != DR_OK || dr_core_heartbeat(c) != DR_OK)
		return c->fail.err;
	/* Sealed: what is held may be old news. */
	if (dr_engine_sealed(c->engine, &why))
		return hold != NULL ? compare(c, state) : DR_OK;
	const uint64_t ordered = dr_state_ordered(state);

	if (c->keys != NULL && destroy(c, state) != DR_OK)
		return c->fail.err;
	/* On the way through old blocks an order that somebody followed long ago looks like a new one. */
	if (c->keys != NULL && dr_engine_caught_up(c->engine) && ordered != 0 &&
	    dr_state_root(&root, state, ordered) && root.stage == DR_ROOT_DUE &&
	    dr_state_holds(state, ordered, c->init.node) && !dr_keys_held(c->keys, ordered) &&
	    make(c, ordered) != DR_OK)
		return c->fail.err;
	return compare(c, state);
}

enum dr_err dr_core_root_public(struct dr_core *c, uint64_t generation, struct dr_root_public *out)
{
	const struct dr_state *state = NULL;
	struct dr_root root, before;
	uint64_t time, prev;

	memset(out, 0, sizeof(*out));
	if (c->keys == NULL)
		return DR_OK;
	if (generation == 0)
		generation = dr_keys_newest(c->keys);
	if (generation == 0 || !dr_keys_held(c->keys, generation))
		return DR_OK;
	const bool known = dr_engine_state(c->engine, &state, &time);

	prev = known ? dr_state_published_below(state, generation) : 0;
	out->generation = generation;
	out->published_equal = known && dr_state_root(&root, state, generation) &&
			       dr_keys_equal(c->keys, generation, root.prf_pub, root.sig_pub);
	const bool has_before = prev != 0 && dr_state_root(&before, state, prev);

	return dr_keys_publication(c->keys, generation, prev, has_before ? before.sig_pub : NULL, out->words,
				   &c->fail);
}
