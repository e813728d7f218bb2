/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chain/base/hex.h"
#include "chain/base/limits.h"
#include "chain/codec/rlp.h"
#include "chain/trie/mpt.h"

#define ARENA_CAP (512u << 20)

bool dr_check_init(struct dr_check *c)
{
	*c = (struct dr_check){ .facts = json_object(),
				.unproven = json_array(),
				.named = json_object(),
				.arena = dr_arena_new(ARENA_CAP) };
	if (c->facts != NULL && c->unproven != NULL && c->named != NULL && c->arena != NULL)
		return true;
	dr_check_free(c);
	return false;
}

void dr_check_free(struct dr_check *c)
{
	json_decref(c->facts);
	json_decref(c->unproven);
	json_decref(c->named);
	dr_arena_free(c->arena);
	*c = (struct dr_check){ .facts = NULL };
}

enum dr_err dr_check_fail(struct dr_check *c, enum dr_err err, const char *what, const char *path, const char *key)
{
	if (dr_check_ok(c))
		snprintf(c->at, sizeof(c->at), "%s%s", path, key);
	return dr_fail_set(&c->fail, err, what, 0);
}

enum dr_err dr_check_read(struct dr_check *c, const struct dr_fail *fail, const char *path)
{
	if (dr_check_ok(c) && fail->err == DR_ERR_SYNTAX && strcmp(fail->what, "not valid JSON (byte offset)") == 0)
		snprintf(c->got, sizeof(c->got), "none from byte %zu on", fail->at);
	return dr_check_fail(c, fail->err, fail->what, path, "");
}

/* 0x… of ptr[0,len) into out[0,cap), cut in the middle if it is long. */
static void show(char *out, size_t cap, const uint8_t *ptr, size_t len)
{
	char hex[2 * 64 + 1];

	if (len <= 64) {
		dr_hex_put(hex, ptr, len);
		snprintf(out, cap, "0x%s", hex);
	} else {
		dr_hex_put(hex, ptr, 32);
		snprintf(out, cap, "0x%s… (%zu bytes)", hex, len);
	}
}

void dr_check_equal(struct dr_check *c, const void *expected, const void *got, size_t len, const char *what,
		    const char *path, const char *key)
{
	if (!dr_check_ok(c) || memcmp(expected, got, len) == 0)
		return;
	show(c->expected, sizeof(c->expected), expected, len);
	show(c->got, sizeof(c->got), got, len);
	dr_check_fail(c, DR_ERR_PROOF, what, path, key);
}

void dr_check_equal_u64(struct dr_check *c, uint64_t expected, uint64_t got, const char *what, const char *path,
			const char *key)
{
	if (!dr_check_ok(c) || expected == got)
		return;
	snprintf(c->expected, sizeof(c->expected), "0x%" PRIx64, expected);
	snprintf(c->got, sizeof(c->got), "0x%" PRIx64, got);
	dr_check_fail(c, DR_ERR_PROOF, what, path, key);
}

void dr_check_unproven(struct dr_check *c, const char *name)
{
	if (json_object_get(c->named, name) != NULL)
		return;
	json_object_set_new(c->named, name, json_true());
	json_array_append_new(c->unproven, json_string(name));
}

json_t *dr_json_integer(uint64_t value)
{
	char text[24];

	if (value <= (1ull << 53))
		return json_integer((json_int_t)value);
	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_string(text);
}

void dr_fact_u64(struct dr_check *c, const char *key, uint64_t value)
{
	json_object_set_new(c->facts, key, dr_json_integer(value));
}

json_t *dr_json_hex(const void *ptr, size_t len)
{
	char text[2 + 2 * 32 + 1] = "0x";

	DR_ASSERT(len <= 32);
	dr_hex_put(text + 2, ptr, len);
	return json_string(text);
}

json_t *dr_json_quantity(const uint8_t word[static 32])
{
	char text[2 * 32 + 1];
	const char *digits = text;
	char all[2 + 2 * 32 + 1];

	dr_hex_put(text, word, 32);
	while (*digits == '0' && digits[1] != '\0')
		digits++;
	snprintf(all, sizeof(all), "0x%s", digits);
	return json_string(all);
}

void dr_fact_hex(struct dr_check *c, const char *key, const void *ptr, size_t len)
{
	json_object_set_new(c->facts, key, dr_json_hex(ptr, len));
}

void dr_obj_path(char *buf, size_t cap, const char *parent, const char *name, size_t idx)
{
	snprintf(buf, cap, "%s%s[%zu].", parent, name, idx);
}

void dr_obj_init(struct dr_obj *o, struct dr_check *c, const json_t *json, const char *path, const char *label)
{
	*o = (struct dr_obj){ .c = c, .json = json, .label = label };
	snprintf(o->path, sizeof(o->path), "%s", path);
	if (!json_is_object(json))
		dr_check_fail(c, DR_ERR_SYNTAX, "a JSON object is expected here", path, "");
}

const json_t *dr_obj_peek(const struct dr_obj *o, const char *key)
{
	const json_t *value = json_object_get(o->json, key);

	return json_is_null(value) ? NULL : value;
}

const json_t *dr_obj_take(struct dr_obj *o, const char *key)
{
	DR_ASSERT(o->num_seen < DR_OBJ_MEMBERS_MAX);
	o->seen[o->num_seen++] = key;
	return dr_obj_peek(o, key);
}

static bool is_seen(const struct dr_obj *o, const char *key)
{
	for (size_t i = 0; i < o->num_seen; i++) {
		if (strcmp(o->seen[i], key) == 0)
			return true;
	}
	return false;
}

void dr_obj_rest(struct dr_obj *o)
{
	const char *key;
	json_t *value;
	char name[256];

	if (!json_is_object(o->json))
		return;
	json_object_foreach((json_t *)(uintptr_t)o->json, key, value)
	{
		if (is_seen(o, key))
			continue;
		size_t len = strnlen(key, 128);

		while (len > 0 && ((unsigned char)key[len] & 0xc0) == 0x80) /* cut between characters */
			len--;
		snprintf(name, sizeof(name), "%s%.*s", o->label, (int)len, key);
		dr_check_unproven(o->c, name);
	}
}

/* The string of a member, or NULL and a failure. */
static const char *text_of(struct dr_check *c, const json_t *value, const char *path, const char *key)
{
	if (!dr_check_ok(c))
		return NULL;
	if (value == NULL || json_is_null(value)) {
		dr_check_fail(c, DR_ERR_SYNTAX, "this member is missing", path, key);
		return NULL;
	}
	if (!json_is_string(value)) {
		dr_check_fail(c, DR_ERR_SYNTAX, "a hex string is expected here", path, key);
		return NULL;
	}
	return json_string_value(value);
}

/* A hex error keeps its own words and gets the path. */
static void hex_failed(struct dr_check *c, const struct dr_fail *fail, const char *path, const char *key)
{
	if (fail->err != DR_OK)
		dr_check_fail(c, fail->err, fail->what, path, key);
}

void dr_obj_fixed(struct dr_obj *o, const char *key, void *out, size_t len)
{
	const json_t *value = dr_obj_take(o, key);
	const char *text = text_of(o->c, value, o->path, key);
	struct dr_fail fail = { DR_OK, NULL, 0 };

	memset(out, 0, len);
	if (text == NULL)
		return;
	dr_hex_fixed(out, len, text, json_string_length(value), &fail);
	hex_failed(o->c, &fail, o->path, key);
}

uint64_t dr_obj_u64(struct dr_obj *o, const char *key)
{
	const json_t *value = dr_obj_take(o, key);
	const char *text = text_of(o->c, value, o->path, key);
	struct dr_fail fail = { DR_OK, NULL, 0 };
	uint64_t n = 0;

	if (text == NULL)
		return 0;
	dr_hex_u64(&n, text, json_string_length(value), &fail);
	hex_failed(o->c, &fail, o->path, key);
	return n;
}

static void take_word(struct dr_obj *o, const char *key, uint8_t word[static 32],
		      enum dr_err read(uint8_t *, const char *, size_t, struct dr_fail *))
{
	const json_t *value = dr_obj_take(o, key);
	const char *text = text_of(o->c, value, o->path, key);
	struct dr_fail fail = { DR_OK, NULL, 0 };

	memset(word, 0, 32);
	if (text == NULL)
		return;
	read(word, text, json_string_length(value), &fail);
	hex_failed(o->c, &fail, o->path, key);
}

void dr_obj_word(struct dr_obj *o, const char *key, uint8_t word[static 32])
{
	take_word(o, key, word, dr_hex_quantity);
}

void dr_obj_padded(struct dr_obj *o, const char *key, uint8_t word[static 32])
{
	take_word(o, key, word, dr_hex_padded);
}

struct dr_bytes dr_json_data(struct dr_check *c, const json_t *value, const char *path, const char *key)
{
	const char *text = text_of(c, value, path, key);
	struct dr_fail fail = { DR_OK, NULL, 0 };
	size_t len = 0, cap;
	uint8_t *ptr;

	if (text == NULL)
		return dr_bytes_of(NULL, 0);
	cap = json_string_length(value) / 2;
	ptr = dr_arena_alloc(c->arena, cap + 1);
	if (ptr == NULL) {
		dr_check_fail(c, DR_ERR_NOMEM, "the input is larger than this program takes", path, key);
		return dr_bytes_of(NULL, 0);
	}
	dr_hex_data(ptr, cap, &len, text, json_string_length(value), &fail);
	hex_failed(c, &fail, path, key);
	return dr_bytes_of(ptr, len);
}

struct dr_bytes dr_obj_data(struct dr_obj *o, const char *key)
{
	return dr_json_data(o->c, dr_obj_take(o, key), o->path, key);
}

const json_t *dr_obj_array(struct dr_obj *o, const char *key)
{
	const json_t *value = dr_obj_take(o, key);

	if (!json_is_array(value)) {
		dr_check_fail(o->c, DR_ERR_SYNTAX, "a JSON array is expected here", o->path, key);
		return NULL;
	}
	return value;
}

void dr_obj_same(struct dr_obj *o, const char *key, const void *expected, size_t len)
{
	uint8_t got[32];

	DR_ASSERT(len <= sizeof(got));
	if (dr_obj_peek(o, key) == NULL) {
		dr_obj_take(o, key);
		return;
	}
	dr_obj_fixed(o, key, got, len);
	dr_check_equal(o->c, expected, got, len, "this contradicts what is proven", o->path, key);
}

void dr_obj_same_u64(struct dr_obj *o, const char *key, uint64_t expected)
{
	uint64_t got;

	if (dr_obj_peek(o, key) == NULL) {
		dr_obj_take(o, key);
		return;
	}
	got = dr_obj_u64(o, key);
	dr_check_equal_u64(o->c, expected, got, "this contradicts what is proven", o->path, key);
}

void dr_obj_same_time(struct dr_obj *o, const char *key, uint64_t expected)
{
	const json_t *value = dr_obj_peek(o, key);

	if (!json_is_integer(value)) {
		dr_obj_same_u64(o, key, expected);
		return;
	}
	dr_obj_take(o, key);
	dr_check_equal_u64(o->c, expected, (uint64_t)json_integer_value(value), "this contradicts what is proven",
			   o->path, key);
}

enum dr_err dr_root_of(uint8_t root[static 32], const struct dr_bytes *values, size_t num, struct dr_check *c)
{
	struct dr_mpt_pair *pairs = dr_arena_alloc(c->arena, (num + 1) * sizeof(*pairs));
	uint8_t *keys = dr_arena_alloc(c->arena, (num + 1) * DR_RLP_PREFIX_MAX);
	struct dr_fail fail = { DR_OK, NULL, 0 };

	memset(root, 0, 32);
	if (!dr_check_ok(c))
		return c->fail.err;
	if (pairs == NULL || keys == NULL)
		return dr_check_fail(c, DR_ERR_NOMEM, "the input is larger than this program takes", "", "");
	for (size_t i = 0; i < num; i++) {
		struct dr_writer w;

		dr_writer_init(&w, keys + i * DR_RLP_PREFIX_MAX, DR_RLP_PREFIX_MAX, &fail);
		dr_rlp_put_u64(&w, i);
		pairs[i] = (struct dr_mpt_pair){ .key = dr_writer_view(&w), .value = values[i] };
	}
	dr_mpt_root(root, pairs, num, c->arena, &fail);
	if (fail.err != DR_OK)
		return dr_check_fail(c, fail.err, fail.what, "", "");
	return DR_OK;
}
