/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chain/base/hex.h"
#include "chain/base/reader.h"
#include "chain/codec/base64.h"
#include "chain/crypto/ed25519.h"
#include "chain/crypto/sha256.h"
#include "kms-bridge/proto_code.h"

#define ED25519 0x01 /* signature type */
#define SIG_LEN (4u + 64u)

static const char dash[] = "\xe2\x80\x94 "; /* em dash, space */
#define DASH_LEN (sizeof(dash) - 1)

/* Of what a clean text may have, the characters with property White_Space (but U+0020), in UTF-8. */
static const struct {
	uint32_t first, last; /* bytes, the first on top */
} spaces[] = { { 0xc2a0, 0xc2a0 },     { 0xe19a80, 0xe19a80 }, { 0xe28080, 0xe2808a }, { 0xe280a8, 0xe280a9 },
	       { 0xe280af, 0xe280af }, { 0xe2819f, 0xe2819f }, { 0xe38080, 0xe38080 } };

static bool is_space(uint32_t seen)
{
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		const uint32_t mask = spaces[i].first > 0xffff ? 0xffffff : 0xffff;

		if ((seen & mask) >= spaces[i].first && (seen & mask) <= spaces[i].last)
			return true;
	}
	return (seen & 0xff) == ' ';
}

/* "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus (U+002B) characters." The name is
 * clean UTF-8: a character's bytes stand nowhere but where it does. */
static bool name_is_good(struct dr_bytes name)
{
	struct dr_fail own = { 0 };
	struct dr_reader r;
	uint32_t seen = 0;

	dr_reader_init(&r, name, &own);
	while (r.left > 0) {
		const uint8_t byte = dr_reader_u8(&r);

		seen = seen << 8 | byte;
		if (byte == '+' || is_space(seen))
			return false;
	}
	return name.len > 0 && name.len < DR_CHECKPOINT_NAME_MAX;
}

static struct dr_bytes text_of(const char *text)
{
	return dr_bytes_of(text, strlen(text));
}

static void key_id(uint8_t id[static 4], const char *name, const uint8_t pub[static 32])
{
	static const uint8_t between[2] = { '\n', ED25519 };
	const struct dr_bytes parts[3] = { text_of(name), { between, 2 }, { pub, 32 } };
	uint8_t hash[32];

	dr_sha256(hash, parts, 3);
	memcpy(id, hash, 4);
}

void dr_checkpoint_vkey(char out[static DR_TEXT_MAX], const char *name, const uint8_t pub[static 32])
{
	uint8_t id[4], key[33] = { ED25519 };
	char id_hex[9], text[DR_BASE64_LEN(sizeof(key)) + 1];

	DR_ASSERT(strlen(name) < DR_CHECKPOINT_NAME_MAX);
	key_id(id, name, pub);
	memcpy(key + 1, pub, 32);
	dr_hex_put(id_hex, id, 4);
	dr_base64_put(text, dr_bytes_of(key, sizeof(key)));
	snprintf(out, DR_TEXT_MAX, "%s+%s+%s", name, id_hex, text);
}

void dr_checkpoint_name(char out[static DR_CHECKPOINT_NAME_MAX], uint64_t chain_id, const uint8_t contract[static 20],
			const uint8_t node[static 20])
{
	char contract_hex[41], node_hex[41];

	dr_hex_put(contract_hex, contract, 20);
	dr_hex_put(node_hex, node, 20);
	snprintf(out, DR_CHECKPOINT_NAME_MAX, "derot/%" PRIu64 "/0x%s/0x%s", chain_id, contract_hex, node_hex);
}

void dr_checkpoint_origin(char out[static DR_CHECKPOINT_NAME_MAX], uint64_t chain_id,
			  const uint8_t contract[static 20], const uint8_t node[static 20], uint8_t log)
{
	char contract_hex[41], node_hex[41];

	DR_ASSERT(log <= 1);
	dr_hex_put(contract_hex, contract, 20);
	dr_hex_put(node_hex, node, 20);
	if (log == 0)
		snprintf(out, DR_CHECKPOINT_NAME_MAX, "derot/%" PRIu64 "/0x%s/ledger", chain_id, contract_hex);
	else
		snprintf(out, DR_CHECKPOINT_NAME_MAX, "derot/%" PRIu64 "/0x%s/0x%s/journal", chain_id, contract_hex,
			 node_hex);
}

enum dr_err dr_checkpoint_make(struct dr_buf *out, const char *origin, uint64_t size, const uint8_t root[static 32],
			       const char *name, const uint8_t pub[static 32],
			       void (*sign)(void *ctx, uint8_t sig[static 64], struct dr_bytes msg), void *ctx,
			       struct dr_fail *fail)
{
	char text[DR_CHECKPOINT_NAME_MAX + 20 + DR_BASE64_LEN(32) + 4], line[DR_CHECKPOINT_NAME_MAX + 128];
	char root_text[DR_BASE64_LEN(32) + 1], sig_text[DR_BASE64_LEN(SIG_LEN) + 1];
	uint8_t sig[SIG_LEN];
	const size_t len = out->len;

	if (origin[0] == 0 || strlen(origin) >= DR_CHECKPOINT_NAME_MAX || !dr_text_is_clean(text_of(origin)))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "checkpoint: expected an origin of one clean line", 0);
	if (!dr_text_is_clean(text_of(name)) || !name_is_good(text_of(name)))
		return dr_fail_set(fail, DR_ERR_SYNTAX, "checkpoint: expected a key's name without spaces and plus",
				   0);
	dr_base64_put(root_text, dr_bytes_of(root, 32));
	snprintf(text, sizeof(text), "%s\n%" PRIu64 "\n%s\n", origin, size, root_text);
	key_id(sig, name, pub);
	sign(ctx, sig + 4, text_of(text));
	dr_base64_put(sig_text, dr_bytes_of(sig, sizeof(sig)));
	snprintf(line, sizeof(line), "\n%s%s %s\n", dash, name, sig_text);
	if (dr_buf_append(out, text, strlen(text), fail) != DR_OK ||
	    dr_buf_append(out, line, strlen(line), fail) != DR_OK) {
		out->len = len;
		return fail->err;
	}
	return DR_OK;
}

/* The next line, without its end. */
static struct dr_bytes next_line(struct dr_reader *r)
{
	struct dr_reader ahead = *r;
	size_t len = 0;

	while (ahead.left > 0 && dr_reader_u8(&ahead) != '\n')
		len++;
	if (len == r->left) {
		dr_reader_fail(r, DR_ERR_SYNTAX, "checkpoint: expected a line's end");
		return (struct dr_bytes){ NULL, 0 };
	}
	const struct dr_bytes line = dr_reader_view(r, len);

	dr_reader_u8(r);
	return line;
}

/* "The note text MAY contain empty lines; the text is separated from the signatures by the last empty line in the
 * note." *text has its final newline; r is at the first signature. */
static void split(struct dr_reader *r, struct dr_bytes *text)
{
	struct dr_reader ahead = *r;
	size_t len = 0, signatures = 0;
	bool found = false;

	while (ahead.left > 0) {
		const size_t at = r->left - ahead.left;
		const struct dr_bytes line = next_line(&ahead);

		if (!dr_reader_ok(r))
			return;
		if (!dr_text_is_clean(line)) {
			dr_reader_fail(r, DR_ERR_SYNTAX, "checkpoint: expected UTF-8 without control characters");
			return;
		}
		signatures++;
		if (line.len == 0) {
			found = at > 0;
			len = at;
			signatures = 0;
		}
	}
	if (!found || signatures == 0)
		dr_reader_fail(r, DR_ERR_SYNTAX, "checkpoint: expected a text, an empty line, and signatures");
	if (signatures > DR_CHECKPOINT_SIGS_MAX)
		dr_reader_fail(r, DR_ERR_LIMIT, "checkpoint: number of signatures");
	*text = dr_reader_view(r, len);
	dr_reader_u8(r);
}

struct signer {
	const char *name;
	const uint8_t *pub;
	uint8_t id[4];
};

/* One signature line. True if the signer's name and key id are on it, and the signature is good. */
static bool check_line(struct dr_reader *r, struct dr_bytes text, const struct signer *signer)
{
	uint8_t sig[DR_CHECKPOINT_SIG_MAX];
	struct dr_fail why = { 0 };
	size_t len, name_len = 0;
	struct dr_reader line;

	dr_reader_init(&line, next_line(r), r->fail);
	if (!dr_bytes_eq(dr_reader_view(&line, DASH_LEN), dr_bytes_of(dash, DASH_LEN)))
		dr_reader_fail(&line, DR_ERR_SYNTAX, "checkpoint: expected a signature to begin with a dash");
	for (struct dr_reader ahead = line; ahead.left > 0 && dr_reader_u8(&ahead) != ' ';)
		name_len++;
	const struct dr_bytes name = dr_reader_view(&line, name_len);

	if (dr_reader_ok(r) && !name_is_good(name))
		dr_reader_fail(&line, DR_ERR_SYNTAX, "checkpoint: expected a key's name without spaces and plus");
	if (dr_reader_ok(r) && line.left == 0)
		dr_reader_fail(&line, DR_ERR_SYNTAX, "checkpoint: expected a signature after a name");
	dr_reader_u8(&line); /* the space */
	const struct dr_bytes sig_text = dr_reader_view(&line, line.left);

	if (!dr_reader_ok(r))
		return false;
	if (dr_base64_get(sig, sizeof(sig), &len, sig_text, &why) != DR_OK) {
		dr_reader_fail(r, why.err, why.what);
		return false;
	}
	if (len <= 4) {
		dr_reader_fail(r, DR_ERR_SYNTAX, "checkpoint: expected a key id and a signature");
		return false;
	}
	if (!dr_bytes_eq(name, text_of(signer->name)) || memcmp(sig, signer->id, 4) != 0)
		return false;
	if (len == SIG_LEN && dr_ed25519_verify(sig + 4, text, signer->pub, &why) == DR_OK)
		return true;
	dr_reader_fail(r, DR_ERR_PROOF, "checkpoint: the signature is not that of the key it names");
	return false;
}

/* "the ASCII decimal representation of the number of leaves in the tree, with no leading zeroes (unless the tree is
 * empty, in which case the tree size is 0)" */
static uint64_t get_size(struct dr_reader *r)
{
	struct dr_reader line;
	uint64_t size = 0;
	const struct dr_bytes text = next_line(r);

	dr_reader_init(&line, text, r->fail);
	if (text.len == 0)
		dr_reader_fail(r, DR_ERR_SYNTAX, "checkpoint: expected a size");
	while (line.left > 0) {
		const uint8_t c = dr_reader_u8(&line);

		if (c < '0' || c > '9')
			dr_reader_fail(&line, DR_ERR_SYNTAX, "checkpoint: expected a size in decimal digits");
		else if (c == '0' && size == 0 && text.len > 1)
			dr_reader_fail(&line, DR_ERR_NONCANONICAL, "checkpoint: a size does not begin with zero");
		else if (size > (UINT64_MAX - (c - (uint64_t)'0')) / 10)
			dr_reader_fail(&line, DR_ERR_LIMIT, "checkpoint: a size fits 64 bits");
		else
			size = size * 10 + (c - (uint64_t)'0');
	}
	return size;
}

static void get_root(struct dr_reader *r, uint8_t root[static 32])
{
	struct dr_fail why = { 0 };
	size_t len;

	if (dr_base64_get(root, 32, &len, next_line(r), &why) != DR_OK)
		dr_reader_fail(r, why.err, why.what);
	else if (len != 32)
		dr_reader_fail(r, DR_ERR_SYNTAX, "checkpoint: expected a root of 32 bytes");
}

static void get_text(struct dr_bytes text, char *origin, size_t cap, uint64_t *size, uint8_t root[static 32],
		     struct dr_fail *fail)
{
	struct dr_reader r;

	dr_reader_init(&r, text, fail);
	const struct dr_bytes line = next_line(&r);

	if (line.len == 0)
		dr_reader_fail(&r, DR_ERR_SYNTAX, "checkpoint: expected an origin");
	else if (line.len >= cap)
		dr_reader_fail(&r, DR_ERR_LIMIT, "checkpoint: length of an origin");
	else
		memcpy(origin, line.ptr, line.len);
	if (dr_reader_ok(&r))
		*size = get_size(&r);
	if (dr_reader_ok(&r))
		get_root(&r, root);
	while (dr_reader_ok(&r) && r.left > 0)
		if (next_line(&r).len == 0)
			dr_reader_fail(&r, DR_ERR_SYNTAX, "checkpoint: expected no empty line in its text");
}

enum dr_err dr_checkpoint_read(char *origin, size_t cap, uint64_t *size, uint8_t root[static 32],
			       struct dr_bytes note, const char *name, const uint8_t pub[static 32],
			       struct dr_fail *fail)
{
	struct signer signer = { .name = name, .pub = pub };
	struct dr_bytes text = { NULL, 0 };
	struct dr_fail own = { 0 };
	bool is_signed = false;
	struct dr_reader r;

	DR_ASSERT(cap > 0);
	memset(origin, 0, cap);
	memset(root, 0, 32);
	*size = 0;
	if (note.len > DR_CHECKPOINT_LEN_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "checkpoint: length", note.len);
	key_id(signer.id, name, pub);
	dr_reader_init(&r, note, &own);
	split(&r, &text);
	while (own.err == DR_OK && r.left > 0)
		is_signed = check_line(&r, text, &signer) || is_signed;
	if (own.err == DR_OK && !is_signed)
		dr_reader_fail(&r, DR_ERR_UNKNOWN, "checkpoint: not signed by the expected key");
	/* Nothing of the text is looked at before. */
	if (own.err == DR_OK)
		get_text(text, origin, cap, size, root, &own);
	if (own.err == DR_OK)
		return DR_OK;
	memset(origin, 0, cap);
	memset(root, 0, 32);
	*size = 0;
	return dr_fail_set(fail, own.err, own.what, own.at);
}
