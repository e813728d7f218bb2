/* SPDX-License-Identifier: Apache-2.0
 *
 * derot verify bls: the published cases of FastAggregateVerify and Verify (ethereum/bls12-381-tests) through the
 * command line, and every reason for a "no".
 */
#include "tests/unit/chain/beacon_forge.h"
#include "tests/unit/watcher/verify_kit.h"

#define CASES "02-bls/bls12-381-tests"

/* Runs one case; keys as a list, or under "pubkeys". */
static json_t *run(int expected, const char *message, const char *signature, json_t *keys)
{
	char *text = json_dumps(keys, 0), *line = (char *)kit_alloc(strlen(message) + strlen(signature) + 128);
	json_t *answer;

	kit_text("keys.json", text);
	free(text);
	json_decref(keys);
	sprintf(line, "verify bls --message %s --signature %s @keys.json", message, signature);
	answer = kit_answer(expected, line);
	assert_int_equal(json_is_true(json_object_get(answer, "valid")), expected == 0);
	return answer;
}

static void cases(const char *folder, const char *key, size_t least)
{
	const char *root = getenv("DEROT_VECTORS");
	char path[1024];
	size_t num = 0;

	snprintf(path, sizeof(path), "%s/" CASES "/%s", root != NULL ? root : "../shared/vectors", folder);
	DIR *dir = opendir(path);

	if (dir == NULL) {
		print_message("absent: %s\n", path);
		skip();
	}
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), CASES "/%s/%.200s", folder, e->d_name);
		json_t *root_of = kit_vector(path);
		json_t *input = json_object_get(root_of, "input"), *keys = json_object_get(input, key);
		const bool good = json_is_true(json_object_get(root_of, "output"));

		keys = json_is_array(keys) ? json_incref(keys) : json_pack("[O]", keys);
		const size_t num_keys = json_array_size(keys);
		json_t *answer =
			run(good ? 0 : 3, kit_said(input, NULL, "message"), kit_said(input, NULL, "signature"), keys);

		assert_int_equal(json_integer_value(json_object_get(answer, "keys")), num_keys);
		json_decref(answer);
		json_decref(root_of);
		num++;
	}
	closedir(dir);
	assert_true(num >= least);
}

static void test_fast_aggregate(void **state)
{
	(void)state;
	cases("fast_aggregate_verify", "pubkeys", 12);
}

static void test_verify(void **state)
{
	(void)state;
	cases("verify", "pubkey", 20);
}

static const char *hex(const void *ptr, size_t len)
{
	char *out = (char *)kit_alloc(2 * len + 3);

	sprintf(out, "0x");
	for (size_t i = 0; i < len; i++)
		sprintf(out + 2 + 2 * i, "%02x", ((const uint8_t *)ptr)[i]);
	return out;
}

/* What 32 keys of ours sign; then one thing changed at a time, from each of which follows its own reason. */
static void test_reasons(void **state)
{
	static const char message[] = "0x1234", other[] = "0x1235";
	struct dr_lc_committee committee = *forge_committee(32, 7);
	static const uint8_t dst[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
	uint8_t signature[96], secret[8], infinity[96] = { 0xc0 }, changed[96];
	struct dr_g2_affine affine;
	struct dr_g2 p;
	uint64_t sum = 0;
	json_t *keys = json_array(), *a;

	(void)state;
	for (uint32_t i = 0; i < 32; i++) {
		sum += forge_secret(7, i);
		json_array_append_new(keys, json_string(hex(committee.pubkeys.ptr + 48 * i, 48)));
	}
	dr_hash_to_g2(&p, kit_hex("1234"), dr_bytes_of(dst, sizeof(dst) - 1));
	dr_be64_put(secret, sum);
	bls_g2_mul(&p, &p, dr_bytes_of(secret, 8));
	affine = bls_g2_affine(&p);
	dr_g2_put(signature, &affine);

	a = run(0, message, hex(signature, 96), json_incref(keys));
	assert_int_equal(json_integer_value(json_object_get(a, "keys")), 32);
	assert_int_equal(json_array_size(json_object_get(a, "unproven")), 0);
	json_decref(a);
	/* A sync committee, as a beacon node writes it; its own sum is not looked at. */
	a = run(0, message, hex(signature, 96), json_pack("{s:O, s:s}", "pubkeys", keys, "aggregate_pubkey", "0x00"));
	assert_string_equal(json_string_value(json_array_get(json_object_get(a, "unproven"), 0)), "aggregate_pubkey");
	json_decref(a);

	memcpy(changed, signature, 96);
	changed[0] &= 0x7f;
	struct {
		const char *what, *at;
		json_t *keys;
		const char *message;
		const void *signature;
		size_t len;
	} rows[] = {
		{ "the signature is not of these keys over this message", "signature", json_incref(keys), other,
		  signature, 96 },
		{ "a signature has 96 bytes", "signature", json_incref(keys), message, signature, 95 },
		{ "a signature has 96 bytes", "signature", json_incref(keys), message, signature, 0 },
		{ "a point of G2 is infinity", "signature", json_incref(keys), message, infinity, 96 },
		{ "a point of G2 is not compressed", "signature", json_incref(keys), message, changed, 96 },
		{ "no keys: nobody signed", "", json_array(), message, signature, 96 },
		{ "a public key has 48 bytes", "[0]", json_pack("[s]", "0x00"), message, signature, 96 },
		{ "a public key has 48 bytes", "[0]", json_pack("[s]", hex(signature, 49)), message, signature, 96 },
		{ "a point of G1 is infinity", "[2]",
		  json_pack("[O, O, s]", json_array_get(keys, 0), json_array_get(keys, 1), hex(infinity, 48)),
		  message, signature, 96 },
		{ "a point of G1 is not compressed", "pubkeys[1]",
		  json_pack("{s:[O, s]}", "pubkeys", json_array_get(keys, 0), hex(changed, 48)), message, signature,
		  96 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a = run(3, rows[i].message, hex(rows[i].signature, rows[i].len), rows[i].keys);
		if (strcmp(kit_said(a, "error", "what"), rows[i].what) != 0 ||
		    strcmp(kit_said(a, "error", "at"), rows[i].at) != 0)
			fail_msg("%s: %s at %s", rows[i].what, kit_said(a, "error", "what"),
				 kit_said(a, "error", "at"));
		/* What the signature lacks is not the file's fault. */
		assert_int_equal(strcmp(kit_said(a, "error", "source"), "--signature") == 0,
				 strcmp(rows[i].at, "signature") == 0);
		assert_string_equal(kit_said(a, "error", "next"), "rely on nothing that rests on this signature");
		if (strstr(rows[i].what, " bytes") != NULL)
			assert_true(atoi(kit_said(a, "error", "expected")) != atoi(kit_said(a, "error", "got")));
		json_decref(a);
	}
	/* One signer too few, and one key too many. */
	json_t *fewer = json_deep_copy(keys);

	json_array_remove(fewer, 31);
	json_decref(run(3, message, hex(signature, 96), fewer));
	json_array_append(keys, json_array_get(keys, 0));
	json_decref(run(3, message, hex(signature, 96), keys));
}

static void test_usage(void **state)
{
	static const struct {
		const char *line, *keys;
		int code;
		const char *says;
	} rows[] = {
		{ "verify bls --message 0x @keys.json", "[]", 64, "give --message and --signature" },
		{ "verify bls --signature 0x @keys.json", "[]", 64, "give --message and --signature" },
		{ "verify bls --message 0x --signature 0x", "[]", 64, "files are missing" },
		{ "verify bls --message 0x --signature 0x @keys.json @keys.json", "[]", 64, "too many files" },
		{ "verify bls --message 12 --signature 0x @keys.json", "[]", 64, "hexadecimal digits: --message" },
		{ "verify bls --message 0x --signature 0x1 @keys.json", "[]", 64, "hexadecimal digits: --signature" },
		{ "verify bls --message 0x --signature 0x --network mainnet @keys.json", "[]", 64,
		  "belong to beacon" },
		{ "verify bls --message 0x --signature 0x @absent", "[]", 1, "\"code\":\"io\"" },
		{ "verify bls --message 0x --signature 0x @keys.json", "keys", 1, "none from byte 4 on" },
		{ "verify bls --message 0x --signature 0x @keys.json", "{}", 1, "a JSON array is expected here" },
		{ "verify bls --message 0x --signature 0x @keys.json", "[5]", 1, "\"at\":\"[0]\"" },
		{ "verify bls --message 0x --signature 0x @keys.json", "[\"key\"]", 1,
		  "hex data must begin with 0x" },
		{ "verify bls --message 0x --signature 0x @keys.json", "{\"pubkeys\":[\"0x\",null]}", 3,
		  "a public key has 48 bytes" },
		{ "verify bls --format table --message 0x --signature 0x @keys.json", "[]", 3,
		  "no keys: nobody signed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *out = NULL, *err = NULL;

		kit_text("keys.json", rows[i].keys);
		const int code = kit_derot(&out, &err, rows[i].line);

		if (code != rows[i].code || (strstr(out, rows[i].says) == NULL && strstr(err, rows[i].says) == NULL))
			fail_msg("%s: exit %d\n%s\n%s", rows[i].line, code, out, err);
		free(out);
		free(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fast_aggregate),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_usage),
	};

	return cmocka_run_group_tests(tests, kit_folder_make, kit_folder_drop);
}
