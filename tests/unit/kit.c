/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "chain/base/arena.h"

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

void kit_assert_fail(enum dr_err expected, const struct dr_fail *fail)
{
	if (fail->err != expected)
		fail_msg("expected %s, got %s (%s)", dr_err_name(expected), dr_err_name(fail->err),
		         fail->what != NULL ? fail->what : "-");
	if (expected != DR_OK)
		assert_non_null(fail->what);
}
