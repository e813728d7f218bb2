/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/raw_tx.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/base/hex.h"
#include "chain/codec/rlp.h"
#include "chain/crypto/keccak.h"
#include "chain/crypto/secp256k1.h"
#include "chain/crypto/secret.h"

#define TX_TYPE      2u
#define KEY_TEXT_LEN 66u /* 0x and 64 digits */

/* Both forms: what is signed (sig NULL) and what is sent. */
static void encode(struct dr_writer *w, const struct dr_raw_tx *tx, const uint8_t *sig, uint8_t parity)
{
	uint8_t numbers[5][8];
	const uint64_t values[5] = { tx->chain_id, tx->nonce, tx->priority_fee, tx->max_fee, tx->gas };
	const struct dr_bytes to = dr_bytes_of(tx->to, 20), empty = { NULL, 0 };
	const struct dr_bytes r = dr_rlp_trim(dr_bytes_of(sig, sig != NULL ? 32 : 0));
	const struct dr_bytes s = dr_rlp_trim(dr_bytes_of(sig != NULL ? sig + 32 : NULL, sig != NULL ? 32 : 0));
	size_t len = dr_rlp_len(to) + dr_rlp_len(empty) + dr_rlp_len(tx->data) + dr_rlp_list_len(0);

	for (size_t i = 0; i < 5; i++) {
		dr_be64_put(numbers[i], values[i]);
		len += dr_rlp_len(dr_rlp_trim(dr_bytes_of(numbers[i], 8)));
	}
	if (sig != NULL) {
		dr_be64_put(numbers[0], parity);
		len += dr_rlp_len(dr_rlp_trim(dr_bytes_of(numbers[0], 8))) + dr_rlp_len(r) + dr_rlp_len(s);
	}
	dr_writer_u8(w, TX_TYPE);
	dr_rlp_put_list(w, len);
	for (size_t i = 0; i < 5; i++)
		dr_rlp_put_u64(w, values[i]);
	dr_rlp_put(w, to);
	dr_rlp_put(w, empty);
	dr_rlp_put(w, tx->data);
	dr_rlp_put_list(w, 0);
	if (sig == NULL)
		return;
	dr_rlp_put_u64(w, parity);
	dr_rlp_put(w, r);
	dr_rlp_put(w, s);
}

enum dr_err dr_raw_tx_sign(uint8_t *raw, size_t cap, size_t *len, uint8_t hash[static 32], const struct dr_raw_tx *tx,
			   const uint8_t secret[static 32], struct dr_fail *fail)
{
	uint8_t payload[DR_RAW_TX_LEN_MAX], sig[64], parity;
	struct dr_writer w;

	*len = 0;
	memset(hash, 0, 32);
	memset(raw, 0, cap);
	if (tx->data.len > DR_RAW_TX_DATA_MAX)
		return dr_fail_set(fail, DR_ERR_LIMIT, "a transaction's data is too long", tx->data.len);
	if (tx->priority_fee > tx->max_fee)
		return dr_fail_set(fail, DR_ERR_LIMIT, "the priority fee is above the max fee", 0);
	dr_writer_init(&w, payload, sizeof(payload), fail);
	encode(&w, tx, NULL, 0);
	if (fail->err != DR_OK)
		return fail->err;
	dr_keccak256(hash, payload, w.len);
	if (dr_secp256k1_sign(sig, &parity, hash, secret, fail) == DR_OK) {
		dr_writer_init(&w, raw, cap, fail);
		/* 2 and 3 are of r above the order: no transaction says so, and nobody has ever met one. */
		if (parity > 1)
			dr_fail_set(fail, DR_ERR_UNKNOWN, "a signature with r above the group order", parity);
		else
			encode(&w, tx, sig, parity);
	}
	memset(hash, 0, 32);
	if (fail->err != DR_OK) {
		memset(raw, 0, cap);
		return fail->err;
	}
	*len = w.len;
	dr_keccak256(hash, raw, w.len);
	return DR_OK;
}

/* A value 0 to 15, without a branch or an index that the digit decides; *bad collects what is no digit. */
static uint8_t digit(uint8_t c, unsigned *bad)
{
	const unsigned number = c - (unsigned)'0', letter = (c | 0x20u) - (unsigned)'a'; /* below it: huge */
	const unsigned is_number = 0u - (number < 10), is_letter = 0u - (letter < 6);

	*bad |= ~(is_number | is_letter);
	return (uint8_t)((number & is_number) | ((letter + 10) & is_letter));
}

static enum dr_err decode(uint8_t secret[static 32], const uint8_t *text, size_t len, struct dr_fail *fail)
{
	unsigned bad = 0;

	if (len == 32) {
		memcpy(secret, text, 32);
		return DR_OK;
	}
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len == KEY_TEXT_LEN && text[0] == '0' && text[1] == 'x') {
		text += 2;
		len -= 2;
	}
	if (len == 64) {
		for (size_t i = 0; i < 32; i++)
			secret[i] = (uint8_t)(digit(text[2 * i], &bad) << 4 | digit(text[2 * i + 1], &bad));
		if (bad == 0)
			return DR_OK;
		dr_secret_wipe(secret, 32);
	}
	return dr_fail_set(fail, DR_ERR_SYNTAX, "an account key is 32 bytes, or 64 hexadecimal digits", len);
}

enum dr_err dr_account_key_read(uint8_t secret[static 32], const char *path, struct dr_fail *fail)
{
	const size_t cap = KEY_TEXT_LEN + 2; /* one more than any form has */
	uint8_t *text = dr_secret_alloc(cap);
	const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t got = -1;

	memset(secret, 0, 32);
	if (text == NULL)
		dr_fail_set(fail, DR_ERR_NOMEM, "no memory for an account key", 0);
	else if (fd < 0)
		dr_fail_set(fail, DR_ERR_IO, "the account key's file does not open (a link is not followed)",
			    (size_t)errno);
	else if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		dr_fail_set(fail, DR_ERR_IO, "the account key's file is no plain file", 0);
	else if (st.st_uid != geteuid())
		dr_fail_set(fail, DR_ERR_IO, "the account key's file belongs to another user", 0);
	else if ((st.st_mode & 077) != 0)
		dr_fail_set(fail, DR_ERR_IO,
			    "others may read the account key's file: chmod 600, and think of it as known", 0);
	else if ((got = read(fd, text, cap)) < 0)
		dr_fail_set(fail, DR_ERR_IO, "reading the account key's file", (size_t)errno);
	else
		decode(secret, text, (size_t)got, fail);
	if (fd >= 0)
		close(fd);
	dr_secret_free(text);
	return fail->err;
}
