/* SPDX-License-Identifier: Apache-2.0
 *
 * A note is read as the checkpoint that a fixed key signed. To get past signatures as well, the bytes are signed here
 * as the text of one. What is read, and written anew, reads the same.
 */
#include <stdio.h>
#include <string.h>

#include "chain/codec/base64.h"
#include "chain/crypto/ed25519.h"
#include "kms-bridge/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NAME "fuzz.example/log"
static uint8_t secret[64], pub[32];

static void sign(void *ctx, uint8_t sig[static 64], struct dr_bytes msg)
{
	(void)ctx;
	dr_ed25519_sign(sig, msg, secret);
}

struct said {
	char origin[DR_CHECKPOINT_NAME_MAX];
	uint64_t size;
	uint8_t root[32];
};

static bool read_note(struct said *said, struct dr_bytes note)
{
	struct dr_fail fail = { 0 };

	memset(said, 0xff, sizeof(*said));
	const enum dr_err err = dr_checkpoint_read(said->origin, sizeof(said->origin), &said->size, said->root, note,
						   NAME, pub, &fail);

	DR_ASSERT(err == DR_OK || (fail.what != NULL && said->origin[0] == 0 && said->size == 0));
	return err == DR_OK;
}

static void write_and_read(const struct said *said)
{
	struct dr_fail fail = { 0 };
	struct dr_buf out;
	struct said again;

	dr_buf_init(&out, DR_CHECKPOINT_LEN_MAX);
	DR_ASSERT(dr_checkpoint_make(&out, said->origin, said->size, said->root, NAME, pub, sign, NULL, &fail) ==
		  DR_OK);
	DR_ASSERT(read_note(&again, dr_buf_view(&out)));
	DR_ASSERT(strcmp(again.origin, said->origin) == 0 && again.size == said->size &&
		  memcmp(again.root, said->root, 32) == 0);
	dr_buf_free(&out);
}

/* The bytes as a text that the key has signed. */
static void as_text(struct dr_bytes text)
{
	char vkey[DR_TEXT_MAX], line[256], sig_text[DR_BASE64_LEN(68) + 1];
	struct dr_fail fail = { 0 };
	struct dr_buf note;
	struct said said;
	uint8_t sig[68];

	dr_checkpoint_vkey(vkey, NAME, pub);
	for (size_t i = 0; i < 4; i++) {
		const char *at = vkey + strlen(NAME) + 1 + 2 * i;
		const char digits[] = "0123456789abcdef";

		sig[i] = (uint8_t)((strchr(digits, at[0]) - digits) << 4 | (strchr(digits, at[1]) - digits));
	}
	dr_ed25519_sign(sig + 4, text, secret);
	dr_base64_put(sig_text, dr_bytes_of(sig, sizeof(sig)));
	snprintf(line, sizeof(line), "\n\xe2\x80\x94 " NAME " %s\n", sig_text);
	dr_buf_init(&note, 2 * DR_CHECKPOINT_LEN_MAX);
	if (dr_buf_append(&note, text.ptr, text.len, &fail) == DR_OK &&
	    dr_buf_append(&note, line, strlen(line), &fail) == DR_OK && read_note(&said, dr_buf_view(&note)))
		write_and_read(&said);
	dr_buf_free(&note);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t seed[32] = { 1, 2, 3 };
	struct said said;

	if (secret[0] == 0 && secret[1] == 0)
		dr_ed25519_keypair(pub, secret, seed);
	if (read_note(&said, dr_bytes_of(data, size)))
		write_and_read(&said);
	/* A text of a checkpoint's three lines is worth a signature; of others one in a while. */
	size_t lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	if (lines >= 3 || size % 16 == 0)
		as_text(dr_bytes_of(data, size));
	return 0;
}
