/* SPDX-License-Identifier: Apache-2.0
 *
 * core_client_kit: short words for a client of a forked core, and for what lies in its data directory.
 */
#ifndef DR_TESTS_UNIT_KMS_BRIDGE_CORE_CLIENT_KIT_H
#define DR_TESTS_UNIT_KMS_BRIDGE_CORE_CLIENT_KIT_H

#include "tests/unit/kms-bridge/core_kit.h"

#include <sys/stat.h>

#include "chain/base/hex.h"
#include "chain/crypto/sha256.h"
#include "kms-bridge/checkpoint.h"

static const struct dr_bytes nothing = { NULL, 0 };

/* The next message, or 0: hung up on. */
static inline uint16_t next(struct dr_channel *ch, struct dr_bytes *got)
{
	struct dr_fail fail = { 0 };
	uint16_t type;

	for (;;) {
		struct pollfd f = { .fd = ch->fd, .events = POLLIN };

		if (dr_channel_next(ch, &type, got, &fail))
			return type;
		if (ch->eof)
			return 0;
		assert_int_equal(poll(&f, 1, 10000), 1);
		dr_channel_read(ch, &fail);
	}
}

static inline uint16_t say(struct dr_channel *ch, uint16_t type, struct dr_bytes payload, struct dr_bytes *got)
{
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_msg_put(&ch->out, type, payload, &fail), DR_OK);
	dr_channel_flush(ch, 0, 1000);
	return next(ch, got);
}

/* The payload of the answer, which must be of this type. */
static inline struct dr_bytes told(struct dr_channel *ch, uint16_t type, struct dr_bytes payload, uint16_t answer)
{
	struct dr_bytes got;
	const uint16_t what = say(ch, type, payload, &got);

	if (what == DR_MSG_ERROR && answer != DR_MSG_ERROR) {
		struct dr_fail fail = { 0 };
		struct dr_error error;

		dr_error_get(&error, got, &fail);
		fail_msg("message %04x: %s", type, error.what);
	}
	assert_int_equal(what, answer);
	return got;
}

static inline void refused(struct dr_channel *ch, uint16_t type, struct dr_bytes payload, enum dr_err err,
			   const char *words)
{
	struct dr_fail fail = { 0 };
	struct dr_error error;

	assert_int_equal(dr_error_get(&error, told(ch, type, payload, DR_MSG_ERROR), &fail), DR_OK);
	if (strstr(error.what, words) == NULL || error.err != err)
		fail_msg("message %04x: %d, %s", type, error.err, error.what);
}

/* A message's payload, as its put makes it. */
#define PAYLOAD(name, value)                                                                                         \
	payload_of((enum dr_err(*)(struct dr_buf *, uint16_t, const void *, struct dr_fail *))(                      \
			   void (*)(void))dr_##name##_put,                                                           \
		   value)
static inline struct dr_bytes
payload_of(enum dr_err (*put)(struct dr_buf *, uint16_t, const void *, struct dr_fail *), const void *value)
{
	struct dr_fail fail = { 0 };
	struct dr_buf buf;

	dr_buf_init(&buf, 1u << 20);
	assert_int_equal(put(&buf, 1, value, &fail), DR_OK);
	uint8_t *out = kit_alloc(buf.len);
	const size_t len = buf.len - 6;

	memcpy(out, buf.ptr + 6, len);
	dr_buf_free(&buf);
	return dr_bytes_of(out, len);
}

static inline void client(struct dr_channel *ch)
{
	dr_channel_init(ch, connect_client());
}

static inline void status_of(struct dr_channel *ch, struct dr_status_report *out)
{
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_status_report_get(out, told(ch, DR_MSG_STATUS_GET, nothing, DR_MSG_STATUS), &fail),
			 DR_OK);
}

static inline void node_of(struct dr_channel *ch, struct dr_node_public *out)
{
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_node_public_get(out, told(ch, DR_MSG_NODE_GET, nothing, DR_MSG_NODE), &fail), DR_OK);
}

static inline void root_of(struct dr_channel *ch, uint64_t generation, struct dr_root_public *out)
{
	struct dr_fail fail = { 0 };
	uint8_t bytes[8];

	dr_be64_put(bytes, generation);
	assert_int_equal(
		dr_root_public_get(out, told(ch, DR_MSG_ROOT_GET, dr_bytes_of(bytes, 8), DR_MSG_ROOT), &fail), DR_OK);
}

static inline void proof_of(struct dr_channel *ch, const struct dr_proof_query *q, struct dr_log_proof *out)
{
	struct dr_fail fail = { 0 };

	assert_int_equal(
		dr_log_proof_get(out, told(ch, DR_MSG_PROOF_GET, PAYLOAD(proof_query, q), DR_MSG_PROOF), &fail),
		DR_OK);
}

/* The text of a checkpoint of a log, verified with the key that the node tells; what it says. */
static inline struct dr_bytes checkpoint_of(struct dr_channel *ch, uint8_t log, uint64_t *size,
					    uint8_t root[static 32])
{
	char origin[DR_CHECKPOINT_NAME_MAX], expected[DR_CHECKPOINT_NAME_MAX];
	struct dr_node_public node;
	struct dr_fail fail = { 0 };
	struct dr_run run;

	node_of(ch, &node);
	assert_int_equal(
		dr_run_get(&run, told(ch, DR_MSG_CHECKPOINT_GET, dr_bytes_of(&log, 1), DR_MSG_CHECKPOINT), &fail),
		DR_OK);
	uint8_t *text = kit_alloc(run.bytes.len);

	memcpy(text, run.bytes.ptr, run.bytes.len);
	assert_int_equal(dr_checkpoint_read(origin, sizeof(origin), size, root, dr_bytes_of(text, run.bytes.len),
					    node.name, node.sign_key, &fail),
			 DR_OK);
	char contract[41], id[41];

	dr_hex_put(contract, init.contract, 20);
	dr_hex_put(id, init.node, 20);
	if (log == 0)
		snprintf(expected, sizeof(expected), "derot/%u/0x%s/ledger", (unsigned)init.chain_id, contract);
	else
		snprintf(expected, sizeof(expected), "derot/%u/0x%s/0x%s/journal", (unsigned)init.chain_id, contract,
			 id);
	assert_string_equal(origin, expected);
	/* By no other key. */
	node.sign_key[0] ^= 1;
	assert_int_not_equal(dr_checkpoint_read(origin, sizeof(origin), size, root, dr_bytes_of(text, run.bytes.len),
						node.name, node.sign_key, &fail),
			     DR_OK);
	node.sign_key[0] ^= 1;
	fail = (struct dr_fail){ 0 };
	dr_checkpoint_read(origin, sizeof(origin), size, root, dr_bytes_of(text, run.bytes.len), node.name,
			   node.sign_key, &fail);
	return dr_bytes_of(text, run.bytes.len);
}

/* How many notes of this kind with these words the journal has. */
static inline unsigned journal_num(struct dr_channel *ch, enum dr_note_kind kind, const char *words)
{
	const uint8_t query[17] = { 1 };
	struct dr_fail fail = { 0 };
	struct dr_entry entry;
	struct dr_note note;
	struct dr_bytes got;
	unsigned num = 0;

	for (uint16_t type = say(ch, DR_MSG_LOG_GET, dr_bytes_of(query, 17), &got); type != DR_MSG_LOG_END;
	     type = next(ch, &got)) {
		assert_int_equal(type, DR_MSG_LOG_ENTRY);
		assert_int_equal(dr_entry_get(&entry, got, &fail), DR_OK);
		assert_int_equal(dr_note_decode(&note, entry.leaf, &fail), DR_OK);
		num += note.kind == kind && strstr(note.detail, words) != NULL;
	}
	return num;
}

/* Files, and roots made by hand */

static inline const char *path_of(const char *name)
{
	static char paths[4][128];
	static unsigned at;
	char *path = paths[at++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

__attribute__((format(printf, 1, 2))) static inline void shell(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static inline void write_file(const char *path, struct dr_bytes bytes)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(bytes.len == 0 ? 0 : fwrite(bytes.ptr, 1, bytes.len, f), bytes.len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static inline bool same_file(const char *a, const char *b)
{
	char command[1024];

	snprintf(command, sizeof(command), "cmp -s %s %s", a, b);
	return system(command) == 0;
}

static inline struct dr_keys *keys_of(const char *key_file)
{
	struct dr_keys_binding binding = { .chain_id = init.chain_id, .proof = init.proof };
	struct dr_fail fail = { 0 };

	memcpy(binding.genesis, init.genesis, 32);
	memcpy(binding.contract, init.contract, 20);
	memcpy(binding.node, init.node, 20);
	dr_sha256_one(binding.profile, init.profile.ptr, init.profile.len);
	struct dr_keys *k = dr_keys_new(key_file, init.passphrase_file, &binding, &fail);

	if (k == NULL)
		fail_msg("%s", fail.what);
	return k;
}

static inline void put_row(uint64_t generation, const uint8_t *sealed, size_t len)
{
	char hex[2 * DR_KEYS_SEALED_LEN + 1], sql[512];

	dr_hex_put(hex, sealed, len);
	snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO roots(generation, sealed) VALUES(%u, x'%s')",
		 (unsigned)generation, hex);
	edit(sql);
}

/* A root of this generation, as if it had been made here. */
static inline void plant(uint64_t generation)
{
	struct dr_keys *k = keys_of(init.key_file);
	uint8_t sealed[DR_KEYS_SEALED_LEN];
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_keys_make(k, generation, sealed, &fail), DR_OK);
	dr_keys_free(k);
	put_row(generation, sealed, sizeof(sealed));
}

/* A directory at rest with the node's own keys and the roots 3 and 5. */
static inline void at_rest(void)
{
	static struct process p;

	start_run(&p);
	assert_int_equal(stop_run(&p), 0);
	plant(3);
	plant(5);
}

static inline void use_passphrase(const char *words)
{
	snprintf(init.passphrase_file, sizeof(init.passphrase_file), "%s", path_of("phrase"));
	write_file(init.passphrase_file, dr_bytes_of(words, strlen(words)));
}

/* What cannot be started, and why. */
static inline void does_not_start(const char *name, enum dr_err err, const char *words)
{
	static struct process p;

	spawn(&p, DR_MODE_RUN);
	const int code = wait_for(&p);

	if (code != DR_CORE_ERROR || p.heard.ready != 0 || p.heard.fatal != 1 || p.heard.error.err != err ||
	    strstr(p.heard.error.what, words) == NULL)
		fail_msg("%s: exit %d, ready %u, %d: %s", name, code, p.heard.ready, p.heard.error.err,
			 p.heard.error.what);
}

#endif
