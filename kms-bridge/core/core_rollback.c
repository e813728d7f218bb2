/* SPDX-License-Identifier: Apache-2.0
 *
 * Is this data directory the newest of this node? A directory that was rolled back is a true one, only old: what it
 * forgot, its own journal, is told by others. Two of them are asked:
 *
 *   the chain        the node's last heartbeat names the size of the journal and commits to its root:
 *                    nonce = u64 size ‖ the first 24 bytes of SHA-256("derot-heartbeat-v1" ‖ u64 chain id ‖
 *                    contract 20 ‖ node 20 ‖ u64 size ‖ root of that size 32)
 *   a peer           a checkpoint of this journal that somebody kept (configuration: checkpoints)
 *
 * The journal entry that draws a nonce carries 32 random bytes, so nobody can know the root, or the nonce, before.
 * The entry after it names the nonce: one that this journal does not name was not drawn by it, however true its root.
 * A heartbeat that is not of this journal seals until the node registers anew, on chain, which also takes its shares
 * of the roots: there is no other way back (governance/fold_rights.c).
 */
#include "kms-bridge/core/core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/base/hex.h"
#include "chain/base/writer.h"
#include "chain/crypto/secret.h"
#include "chain/crypto/sha256.h"
#include "kms-bridge/checkpoint.h"

#define NONCE_INPUT (18u + 8 + 20 + 20 + 8 + 32)

static void nonce_of(uint8_t nonce[static 32], const struct dr_core *c, uint64_t size, const uint8_t root[static 32])
{
	uint8_t input[NONCE_INPUT], hash[32];
	struct dr_fail fail = { 0 };
	struct dr_writer w;

	dr_writer_init(&w, input, sizeof(input), &fail);
	dr_writer_copy(&w, "derot-heartbeat-v1", 18);
	dr_writer_u64(&w, c->init.chain_id);
	dr_writer_copy(&w, c->init.contract, 20);
	dr_writer_copy(&w, c->init.node, 20);
	dr_writer_u64(&w, size);
	dr_writer_copy(&w, root, 32);
	DR_ASSERT(fail.err == DR_OK && w.len == sizeof(input));
	dr_sha256_one(hash, input, sizeof(input));
	dr_be64_put(nonce, size);
	memcpy(nonce + 8, hash, 24);
}

enum dr_err dr_core_heartbeat(struct dr_core *c)
{
	static const char said[] = "a heartbeat is drawn; random ";
	uint8_t random[32], root[32];
	char detail[sizeof(said) + 64];

	/* Where none is required one lies ready, and the next when it was seen. */
	const bool unused = c->nonce_ms != 0 && memcmp(c->nonce, c->heartbeat, 32) != 0;

	/* One that was drawn before it turned out that this directory is not the newest must not be sent. */
	if (c->heartbeat_why != NULL) {
		memset(c->nonce, 0, sizeof(c->nonce));
		c->nonce_ms = 0;
	}
	/* Nor is one drawn on the way to a block that may show a later one. */
	if (c->keys == NULL || !dr_engine_nonce_wanted(c->engine) || !dr_engine_caught_up(c->engine) ||
	    (!c->init.heartbeat && unused))
		return DR_OK;
	dr_secret_random(random, sizeof(random));
	memcpy(detail, said, sizeof(said) - 1);
	dr_hex_put(detail + sizeof(said) - 1, random, 32);
	if (dr_core_note(c, DR_NOTE_HEARTBEAT, c->final_number, NULL, DR_SOURCE_CORE, detail, NULL) != DR_OK)
		return c->fail.err;
	const struct dr_merkle *journal = dr_engine_journal(c->engine);

	dr_merkle_root(root, journal);
	nonce_of(c->nonce, c, journal->size, root);
	c->nonce_ms = dr_core_boot_ms();
	if (dr_engine_nonce(c->engine, c->nonce, &c->fail) != DR_OK)
		return c->fail.err;
	/* Before anybody can see it, and so publish it. */
	return dr_core_commit(c);
}

static enum dr_err take_drawn(void *ctx, const struct dr_entry *entry)
{
	struct dr_fail fail = { 0 };
	struct dr_note note;

	if (dr_note_decode(&note, entry->leaf, &fail) == DR_OK && note.kind == DR_NOTE_HEARTBEAT)
		memcpy(ctx, note.hash, 32);
	return DR_OK;
}

/* It names this journal as it once was, and this journal says next that it was drawn. Anybody who can read a journal
 * can make a nonce of it; one that was not drawn here shows nothing about this directory. */
static bool drawn_here(struct dr_core *c, const uint8_t seen[static 32], struct dr_fail *fail)
{
	uint8_t root[32], nonce[32], drawn[32] = { 0 };
	const uint64_t size = dr_be64_get(seen);

	if (dr_store_log_root(c->store, DR_LOG_JOURNAL, size, root, fail) != DR_OK ||
	    dr_store_log(c->store, DR_LOG_JOURNAL, size, 1, take_drawn, drawn, fail) != DR_OK)
		return false;
	nonce_of(nonce, c, size, root);
	return memcmp(nonce, seen, 32) == 0 && memcmp(drawn, seen, 32) == 0;
}

const char *dr_core_rolled_back(struct dr_core *c, const struct dr_state *state)
{
	struct dr_fail fail = { 0 };
	uint8_t seen[32];

	if (!dr_state_heartbeat(seen, state, c->init.node)) {
		/* None, or the node registered anew: what was held against it is over. */
		c->heartbeat_known = false;
		return c->heartbeat_why = NULL;
	}
	if (c->heartbeat_known && memcmp(seen, c->heartbeat, 32) == 0)
		return c->heartbeat_why;
	c->heartbeat_why = NULL;
	if (dr_be64_get(seen) > dr_store_log_edge(c->store, DR_LOG_JOURNAL)->size) {
		c->heartbeat_why =
			"sealed: this node's heartbeat on chain names a longer journal than this directory "
			"has: it was rolled back, or is a copy; register the node anew to begin anew";
	} else if (!drawn_here(c, seen, &fail)) {
		c->heartbeat_why =
			"sealed: this node's heartbeat on chain is of another journal than this directory's: "
			"it was rolled back, or is a copy; register the node anew to begin anew";
	}
	if (fail.err != DR_OK) {
		/* Tried again. */
		c->heartbeat_known = false;
		return c->heartbeat_why =
			       "sealed: the journal could not be held against this node's heartbeat on chain";
	}
	memcpy(c->heartbeat, seen, 32);
	c->heartbeat_known = true;
	return c->heartbeat_why;
}

/* Peers' checkpoints */

static enum dr_err read_file(struct dr_core *c, const char *path, uint8_t *buf, size_t cap, size_t *len)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = 0;
	struct stat st;

	*len = 0;
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size > cap) {
		const int error = fd < 0 ? errno : 0;

		if (fd >= 0)
			close(fd);
		return dr_core_fail(c, DR_ERR_IO, "a checkpoint of this node's journal", "checkpoint %s: %s", path,
				    error != 0 ? strerror(error) : "not a plain file of at most 16 KiB");
	}
	while (*len < cap && (got = read(fd, buf + *len, cap - *len)) > 0)
		*len += (size_t)got;
	close(fd);
	return got < 0 ? dr_core_fail(c, DR_ERR_IO, "a checkpoint of this node's journal",
				      "checkpoint %s: it could not be read", path)
		       : DR_OK;
}

static enum dr_err check_one(struct dr_core *c, const char *path)
{
	uint8_t text[16384], enc_key[32], sign_key[32], root[32], own[32];
	char name[DR_CHECKPOINT_NAME_MAX], expected[DR_CHECKPOINT_NAME_MAX], origin[DR_CHECKPOINT_NAME_MAX];
	struct dr_fail why = { 0 };
	uint64_t size;
	size_t len;

	if (read_file(c, path, text, sizeof(text), &len) != DR_OK)
		return c->fail.err;
	dr_checkpoint_name(name, c->init.chain_id, c->init.contract, c->init.node);
	dr_checkpoint_origin(expected, c->init.chain_id, c->init.contract, c->init.node, DR_LOG_JOURNAL);
	if (!dr_keys_node(c->keys, enc_key, sign_key) ||
	    dr_checkpoint_read(origin, sizeof(origin), &size, root, dr_bytes_of(text, len), name, sign_key, &why) !=
		    DR_OK)
		return dr_core_fail(c, DR_ERR_PROOF, "a checkpoint of this node's journal",
				    "checkpoint %s: expected one signed by %s with the key in this directory: %s",
				    path, name, why.what);
	if (strcmp(origin, expected) != 0)
		return dr_core_fail(c, DR_ERR_PROOF, "a checkpoint of this node's journal",
				    "checkpoint %s: expected the origin %s, got %s", path, expected, origin);
	const uint64_t have = dr_store_log_edge(c->store, DR_LOG_JOURNAL)->size;

	if (size > have)
		return dr_core_fail(
			c, DR_ERR_PROOF, "rolled back",
			"checkpoint %s: a journal of %llu entries was signed here, this directory has %llu: it was "
			"rolled back. Nothing is answered; bring the newer directory, or begin a new one and "
			"register "
			"the node anew",
			path, (unsigned long long)size, (unsigned long long)have);
	if (dr_store_log_root(c->store, DR_LOG_JOURNAL, size, own, &c->fail) != DR_OK)
		return c->fail.err;
	if (memcmp(own, root, 32) != 0)
		return dr_core_fail(
			c, DR_ERR_PROOF, "rolled back",
			"checkpoint %s: at %llu entries this directory's journal has another root than was "
			"signed: it was rolled back and went on",
			path, (unsigned long long)size);
	return DR_OK;
}

enum dr_err dr_core_rollback_open(struct dr_core *c)
{
	for (size_t i = 0; i < DR_CHECKPOINTS_MAX; i++)
		if (c->init.checkpoints[i][0] != 0 && check_one(c, c->init.checkpoints[i]) != DR_OK)
			return c->fail.err;
	return DR_OK;
}
