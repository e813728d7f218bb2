/* SPDX-License-Identifier: Apache-2.0
 *
 * One signature under many keys. The file is JSON; the keys in it, like the signature, are foreign bytes, of which
 * whatever is wrong makes the signature no proof.
 */
#include "watcher/verify.h"

#include <string.h>

#include "chain/base/hex.h"

static void expect_len(struct dr_check *c, size_t expected, size_t got)
{
	snprintf(c->expected, sizeof(c->expected), "%zu bytes", expected);
	snprintf(c->got, sizeof(c->got), "%zu", got);
}

static void refuse(struct dr_check *c, const char *what, const char *path, const char *key)
{
	c->refused = true;
	dr_check_fail(c, DR_ERR_PROOF, what, path, key);
}

/* Every key's 48 bytes, one after the other. NULL after a failure. */
static uint8_t *texts_of(struct dr_check *c, const json_t *list, const char *path)
{
	uint8_t *texts = dr_arena_alloc(c->arena, (json_array_size(list) + 1) * DR_BLS_KEY_LEN);
	size_t i;
	const json_t *item;
	char key[32];

	if (texts == NULL) {
		dr_check_fail(c, DR_ERR_NOMEM, "the input is larger than this program takes", path, "");
		return NULL;
	}
	json_array_foreach(list, i, item)
	{
		struct dr_fail fail = { DR_OK, NULL, 0 };
		size_t len = 0;

		snprintf(key, sizeof(key), "[%zu]", i);
		if (!json_is_string(item)) {
			dr_check_fail(c, DR_ERR_SYNTAX, "a hex string is expected here", path, key);
			return NULL;
		}
		if (dr_hex_data(texts + i * DR_BLS_KEY_LEN, DR_BLS_KEY_LEN, &len, json_string_value(item),
				json_string_length(item), &fail) == DR_ERR_SYNTAX) {
			dr_check_fail(c, fail.err, fail.what, path, key);
			return NULL;
		}
		if (len != DR_BLS_KEY_LEN) {
			expect_len(c, DR_BLS_KEY_LEN, (json_string_length(item) - 2) / 2);
			refuse(c, "a public key has 48 bytes", path, key);
			return NULL;
		}
	}
	return texts;
}

static void verify(struct dr_check *c, const json_t *list, const char *path, struct dr_bytes message,
		   struct dr_bytes signature)
{
	const size_t num = json_array_size(list);
	struct dr_bls_key *keys = dr_arena_alloc(c->arena, (num + 1) * sizeof(*keys));
	const uint8_t *texts = texts_of(c, list, path);
	struct dr_fail fail = { DR_OK, NULL, 0 };
	struct dr_bls_sum sum;
	char key[32];

	if (texts == NULL)
		return;
	if (keys == NULL) {
		dr_check_fail(c, DR_ERR_NOMEM, "the input is larger than this program takes", path, "");
		return;
	}
	if (num == 0) {
		refuse(c, "no keys: nobody signed", path, "");
		return;
	}
	if (dr_bls_keys_get(keys, num, texts, &fail) != DR_OK) {
		snprintf(key, sizeof(key), "[%zu]", fail.at);
		refuse(c, fail.what, path, key);
		return;
	}
	if (signature.len != DR_BLS_SIGNATURE_LEN) {
		expect_len(c, DR_BLS_SIGNATURE_LEN, signature.len);
		refuse(c, "a signature has 96 bytes", "signature", "");
		return;
	}
	dr_bls_sum_zero(&sum);
	for (size_t i = 0; i < num; i++)
		dr_bls_sum_add(&sum, &keys[i]);
	if (dr_bls_verify_sum(&sum, message, signature.ptr, &fail) != DR_OK)
		refuse(c, fail.what, "signature", "");
}

void dr_verify_bls(struct dr_check *c, const json_t *keys, struct dr_bytes message, struct dr_bytes signature)
{
	const json_t *list = json_is_object(keys) ? json_object_get(keys, "pubkeys") : keys;
	const char *key;
	json_t *value;

	c->tells = true;
	json_object_set_new(c->facts, "valid", json_false());
	if (!json_is_array(list)) {
		dr_check_fail(c, DR_ERR_SYNTAX, "a JSON array is expected here", "pubkeys", "");
		return;
	}
	dr_fact_u64(c, "keys", json_array_size(list));
	verify(c, list, list == keys ? "" : "pubkeys", message, signature);
	if (!dr_check_ok(c))
		return;
	json_object_set_new(c->facts, "valid", json_true());
	json_object_foreach((json_t *)(uintptr_t)keys, key, value)
	{
		if (strcmp(key, "pubkeys") != 0)
			dr_check_unproven(c, key);
	}
}
