/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_text: small texts that others write. The first byte says which. What must hold: hexadecimal, base64 and
 * signatures that read are the one text of what they say; a place to listen is a loopback address or a path; a
 * profile's declaration gives the hash of its signature; foreign words become text that messages carry.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

#include "chain/base/hex.h"
#include "chain/codec/base64.h"
#include "chain/crypto/keccak.h"
#include "chain/evm/signature.h"
#include "governance/profile.h"
#include "kms-bridge/process/listen.h"
#include "kms-bridge/proto.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_MAX 1024u

static char lower(char c)
{
	return c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
}

static void hex(const char *text, size_t len)
{
	uint8_t data[TEXT_MAX], fixed[32], word[32], padded[32];
	char again[2 * TEXT_MAX + 1], shortest[67] = "0x";
	struct dr_fail fail[5] = { 0 };
	size_t num, skip;
	uint64_t u64, of_word;

	if (dr_hex_data(data, sizeof(data), &num, text, len, &fail[0]) == DR_OK) {
		dr_hex_put(again, data, num);
		DR_ASSERT(len == 2 * num + 2);
		for (size_t i = 0; i < 2 * num; i++)
			DR_ASSERT(again[i] == lower(text[2 + i]));
	} else {
		DR_ASSERT(num == 0);
	}
	const bool is_fixed = dr_hex_fixed(fixed, 32, text, len, &fail[1]) == DR_OK;

	DR_ASSERT(is_fixed == (fail[0].err == DR_OK && num == 32));
	DR_ASSERT(is_fixed ? memcmp(fixed, data, 32) == 0 : dr_bytes_zero(fixed, 32));
	const bool is_quantity = dr_hex_quantity(word, text, len, &fail[2]) == DR_OK;

	if (is_quantity) {
		dr_hex_put(again, word, 32);
		for (skip = 0; skip < 63 && again[skip] == '0'; skip++)
			;
		snprintf(shortest + 2, sizeof(shortest) - 2, "%s", again + skip);
		DR_ASSERT(strlen(shortest) == len);
		for (size_t i = 0; i < len; i++)
			DR_ASSERT(shortest[i] == lower(text[i]));
	} else {
		DR_ASSERT(dr_bytes_zero(word, 32));
	}
	const bool is_padded = dr_hex_padded(padded, text, len, &fail[3]) == DR_OK;

	DR_ASSERT(!is_quantity || is_padded);
	DR_ASSERT(!is_quantity || memcmp(word, padded, 32) == 0);
	const bool is_u64 = dr_hex_u64(&u64, text, len, &fail[4]) == DR_OK;

	DR_ASSERT(is_u64 == (is_quantity && dr_word_u64(&of_word, word)));
	DR_ASSERT(u64 == (is_u64 ? of_word : 0));
}

static void base64(struct dr_bytes text)
{
	uint8_t bytes[TEXT_MAX];
	char again[DR_BASE64_LEN(TEXT_MAX) + 1];
	struct dr_fail fail = { 0 };
	size_t len;

	if (dr_base64_get(bytes, sizeof(bytes), &len, text, &fail) != DR_OK) {
		DR_ASSERT(len == 0 && fail.err != DR_OK);
		return;
	}
	dr_base64_put(again, dr_bytes_of(bytes, len));
	DR_ASSERT(strlen(again) == text.len && memcmp(again, text.ptr, text.len) == 0);
}

static void signature(struct dr_bytes text)
{
	static struct dr_abi_type args;
	uint8_t printed[2 * TEXT_MAX], topic0[32], selector[4], hash[32];
	struct dr_fail fail = { 0 };
	struct dr_writer w;
	size_t name_len;

	if (dr_signature_parse(&args, &name_len, text, &fail) != DR_OK) {
		DR_ASSERT(dr_signature_topic0(topic0, text, &fail) != DR_OK && dr_bytes_zero(topic0, 32));
		return;
	}
	dr_writer_init(&w, printed, sizeof(printed), &fail);
	dr_abi_text(&w, &args);
	DR_ASSERT(name_len > 0 && name_len < text.len);
	DR_ASSERT(dr_bytes_eq(dr_writer_view(&w), dr_bytes_of(text.ptr + name_len, text.len - name_len)));
	DR_ASSERT(dr_signature_topic0(topic0, text, &fail) == DR_OK);
	DR_ASSERT(dr_signature_selector(selector, text, &fail) == DR_OK);
	dr_keccak256(hash, text.ptr, text.len);
	DR_ASSERT(memcmp(hash, topic0, 32) == 0 && memcmp(hash, selector, 4) == 0);
}

static void listen_at(const char *text)
{
	char again[160], address[INET6_ADDRSTRLEN];
	struct dr_listen at;
	struct dr_fail fail = { 0 };

	if (dr_listen_parse(&at, text, &fail) != DR_OK) {
		DR_ASSERT(fuzz_zero(&at, sizeof(at)));
		return;
	}
	if (at.local) {
		snprintf(again, sizeof(again), "unix:%s", ((const struct sockaddr_un *)&at.address)->sun_path);
	} else if (at.address.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)&at.address;

		inet_ntop(AF_INET, &in->sin_addr, address, sizeof(address));
		DR_ASSERT(strcmp(address, "127.0.0.1") == 0);
		snprintf(again, sizeof(again), "%s:%u", address, ntohs(in->sin_port));
	} else {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&at.address;

		inet_ntop(AF_INET6, &in->sin6_addr, address, sizeof(address));
		DR_ASSERT(strcmp(address, "::1") == 0);
		snprintf(again, sizeof(again), "[%s]:%u", address, ntohs(in->sin6_port));
	}
	DR_ASSERT(strcmp(again, text) == 0);
}

/* "declaration\naction" */
static void declare(char *text)
{
	static struct dr_profile_event event;
	struct dr_fail fail = { 0 };
	uint8_t topic0[32];
	char *action = strchr(text, '\n');

	if (action == NULL)
		return;
	*action++ = '\0';
	if (dr_profile_declare(&event, text, action, &fail) != DR_OK) {
		DR_ASSERT(fail.err != DR_OK);
		return;
	}
	DR_ASSERT(dr_signature_topic0(topic0, dr_bytes_of(event.signature, strlen(event.signature)), &fail) == DR_OK);
	DR_ASSERT(memcmp(topic0, event.topic0, 32) == 0);
	DR_ASSERT(strcmp(dr_action_def(event.action)->name, action) == 0 && event.num_words <= DR_ARGS_MAX);
}

static void foreign_words(const char *text, size_t len)
{
	static struct dr_done done, back;
	struct dr_fail fail = { 0 };
	struct dr_buf buf;

	dr_text_set(done.what, sizeof(done.what), text, len);
	dr_buf_init(&buf, 8192);
	DR_ASSERT(dr_done_put(&buf, DR_MSG_DONE, &done, &fail) == DR_OK);
	DR_ASSERT(dr_done_get(&back, dr_bytes_of(buf.ptr + 6, buf.len - 6), &fail) == DR_OK);
	DR_ASSERT(strcmp(back.what, done.what) == 0);
	dr_buf_free(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 1];

	if (size == 0 || size > TEXT_MAX)
		return 0;
	const struct dr_bytes rest = dr_bytes_of(data + 1, size - 1);

	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 6) {
	case 0: hex(text, size - 1); break;
	case 1: base64(rest); break;
	case 2: signature(rest); break;
	case 3: listen_at(text); break;
	case 4: declare(text); break;
	default: foreign_words(text, size - 1); break;
	}
	return 0;
}
