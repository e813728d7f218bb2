/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "chain/base/arena.h"
#include "chain/base/hex.h"

static int nibble(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);

	return at == NULL || c == '\0' ? -1 : (int)(at - digits);
}

/* Blocks that live until the process ends hang on a list, so that a leak checker still finds them. */
struct kept {
	struct kept *next;
	uint8_t mem[];
};
static struct kept *kept_first;

int64_t kit_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint8_t *kit_alloc(size_t len)
{
	struct kept *kept = dr_heap_alloc(sizeof(*kept) + len + 1);

	assert_non_null(kept);
	kept->next = kept_first;
	kept_first = kept;
	return kept->mem;
}

struct dr_bytes kit_hex(const char *hex)
{
	const size_t len = strlen(hex) / 2;
	uint8_t *out = kit_alloc(len);

	assert_int_equal(strlen(hex) % 2, 0);
	for (size_t i = 0; i < len; i++) {
		assert_true(nibble(hex[2 * i]) >= 0 && nibble(hex[2 * i + 1]) >= 0);
		out[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	}
	return dr_bytes_of(out, len);
}

struct dr_bytes kit_json_hex(const json_t *value)
{
	const char *text = json_string_value(value);

	assert_non_null(text);
	assert_true(text[0] == '0' && text[1] == 'x');
	return kit_hex(text + 2);
}

json_t *kit_vector(const char *path)
{
	const char *root = getenv("DEROT_VECTORS");
	char full[4096];
	struct dr_fail fail = { 0 };
	struct dr_buf text;
	json_error_t error;

	snprintf(full, sizeof(full), "%s/%s", root != NULL ? root : "../shared/vectors", path);
	gzFile file = gzopen(full, "rb"); /* reads plain files too */

	if (file == NULL) {
		print_message("absent: %s\n", full);
		skip();
		return NULL;
	}
	dr_buf_init(&text, (size_t)256 << 20);
	for (;;) {
		uint8_t *to = dr_buf_reserve(&text, 65536, &fail);

		assert_non_null(to);
		const int got = gzread(file, to, 65536);

		assert_true(got >= 0);
		if (got == 0)
			break;
		text.len += (size_t)got;
	}
	gzclose(file);
	json_t *json = json_loadb((const char *)text.ptr, text.len, JSON_DECODE_ANY, &error);

	if (json == NULL)
		fail_msg("%s: %s at line %d", full, error.text, error.line);
	dr_buf_free(&text);
	return json;
}

void kit_json_word(uint8_t word[static 32], const json_t *value)
{
	struct dr_fail fail = { 0 };

	assert_non_null(json_string_value(value));
	assert_int_equal(dr_hex_quantity(word, json_string_value(value), json_string_length(value), &fail), DR_OK);
}

uint64_t kit_json_u64(const json_t *value)
{
	uint8_t word[32];
	uint64_t number;

	kit_json_word(word, value);
	assert_true(dr_word_u64(&number, word));
	return number;
}

static void json_fixed(uint8_t *out, size_t len, const json_t *object, const char *name)
{
	const struct dr_bytes bytes = kit_json_hex(json_object_get(object, name));

	assert_int_equal(bytes.len, len);
	memcpy(out, bytes.ptr, len);
}

void kit_header(struct dr_evm_header *out, const json_t *block)
{
	memset(out, 0, sizeof(*out));
	json_fixed(out->hash, 32, block, "hash");
	json_fixed(out->parent_hash, 32, block, "parentHash");
	json_fixed(out->ommers_hash, 32, block, "sha3Uncles");
	json_fixed(out->coinbase, 20, block, "miner");
	json_fixed(out->state_root, 32, block, "stateRoot");
	json_fixed(out->transactions_root, 32, block, "transactionsRoot");
	json_fixed(out->receipts_root, 32, block, "receiptsRoot");
	json_fixed(out->bloom, 256, block, "logsBloom");
	kit_json_word(out->difficulty, json_object_get(block, "difficulty"));
	out->number = kit_json_u64(json_object_get(block, "number"));
	out->gas_limit = kit_json_u64(json_object_get(block, "gasLimit"));
	out->gas_used = kit_json_u64(json_object_get(block, "gasUsed"));
	out->timestamp = kit_json_u64(json_object_get(block, "timestamp"));
	out->extra = kit_json_hex(json_object_get(block, "extraData"));
	json_fixed(out->mix_hash, 32, block, "mixHash");
	json_fixed(out->nonce, 8, block, "nonce");
	out->num_fields = 15;
	if (json_object_get(block, "baseFeePerGas") == NULL)
		return;
	kit_json_word(out->base_fee, json_object_get(block, "baseFeePerGas"));
	out->num_fields = 16;
	if (json_object_get(block, "withdrawalsRoot") == NULL)
		return;
	json_fixed(out->withdrawals_root, 32, block, "withdrawalsRoot");
	out->num_fields = 17;
	if (json_object_get(block, "blobGasUsed") == NULL)
		return;
	out->blob_gas_used = kit_json_u64(json_object_get(block, "blobGasUsed"));
	out->excess_blob_gas = kit_json_u64(json_object_get(block, "excessBlobGas"));
	json_fixed(out->parent_beacon_root, 32, block, "parentBeaconBlockRoot");
	out->num_fields = 20;
	if (json_object_get(block, "requestsHash") == NULL)
		return;
	json_fixed(out->requests_hash, 32, block, "requestsHash");
	out->num_fields = 21;
}

void kit_assert_fail(enum dr_err expected, const struct dr_fail *fail)
{
	if (fail->err != expected)
		fail_msg("expected %s, got %s (%s)", dr_err_name(expected), dr_err_name(fail->err),
			 fail->what != NULL ? fail->what : "-");
	if (expected != DR_OK)
		assert_non_null(fail->what);
}
