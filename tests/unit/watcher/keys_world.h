/* SPDX-License-Identifier: Apache-2.0
 *
 * keys_world: derot keys, run against fake_core.h and endpoints that answer what their path says. Included by one
 * test each.
 */
#ifndef DR_TESTS_KEYS_WORLD_H
#define DR_TESTS_KEYS_WORLD_H

#include <sys/stat.h>

#include "chain/base/hex.h"
#include "tests/unit/watcher/fake_core.h"
#include "tests/unit/watcher/server.h"
#include "watcher/cli.h"

/* A test account of development nodes, known to everybody. */
#define SECRET   "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
#define ADDRESS  "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
#define ARGS_MAX 40

static char folder[] = "/tmp/derot-test-keys-XXXXXX";
static char config_path[64];
static struct fake fake;
static struct server server;

/* --- Endpoints: /N/G/F: nonce N, gas estimate G (0: it refuses), base fee F (0: no such thing) --- */

static json_t *hex_of(unsigned long long value)
{
	return json_sprintf("0x%llx", value);
}

static bool endpoint(int fd, const char *path, const char *head, const char *body, size_t nth)
{
	json_t *root = json_loads(body, 0, NULL), *out = json_array(), *request;
	unsigned long long nonce = 0, gas = 0, fee = 0;
	char *text;
	size_t i;

	(void)head;
	(void)nth;
	if (sscanf(path, "/%llu/%llu/%llu", &nonce, &gas, &fee) != 3 && strcmp(path, "/other") != 0)
		return false;
	json_array_foreach(root, i, request)
	{
		const char *method = json_string_value(json_object_get(request, "method"));
		json_t *result = NULL,
		       *reply = json_pack("{s:s, s:O}", "jsonrpc", "2.0", "id", json_object_get(request, "id"));

		if (strcmp(method, "eth_chainId") == 0)
			result = hex_of(strcmp(path, "/other") == 0 ? 5 : FAKE_CHAIN_ID);
		else if (strcmp(method, "eth_getTransactionCount") == 0)
			result = hex_of(nonce);
		else if (strcmp(method, "eth_getBlockByNumber") == 0)
			result = fee != 0 ? json_pack("{s:o}", "baseFeePerGas", hex_of(fee))
					  : json_pack("{s:s}", "number", "0x1");
		else if (strcmp(method, "eth_estimateGas") == 0 && gas != 0)
			result = hex_of(gas);
		else if (strcmp(method, "eth_maxPriorityFeePerGas") == 0 && fee % 2 == 0)
			result = hex_of(fee / 2);
		if (result != NULL)
			json_object_set_new(reply, "result", result);
		else
			json_object_set_new(
				reply, "error",
				json_pack("{s:i, s:s}", "code", 3, "message", "reverted: \033[31mTooEarly"));
		json_array_append_new(out, reply);
	}
	text = json_dumps(out, 0);
	server_reply(fd, 200, "", text);
	free(text);
	json_decref(out);
	json_decref(root);
	return true;
}

static void hex_text(char *out, const void *ptr, size_t len)
{
	strcpy(out, "0x");
	dr_hex_put(out + 2, ptr, len);
}

/* derot.yaml; endpoints: their paths, blanks between them. */
static void configure(const char *endpoints, unsigned quorum, const char *more)
{
	char genesis[67], contract[43], profile[4096], paths[256];
	FILE *f = fopen(config_path, "w");
	int num = 0;

	assert_non_null(f);
	assert_non_null(realpath("governance/profiles/derot-v1.yaml", profile));
	hex_text(genesis, fake_genesis, 32);
	hex_text(contract, fake_contract, 20);
	fprintf(f,
		"chain:\n  id: %d\n  genesis: \"%s\"\ncontract: \"%s\"\nstart:\n  block: 1\n  hash: \"%s\"\nproof: "
		"quorum\n"
		"quorum: %u\nprofile: %s\ndata_dir: .\nkey_file: key\nnode: \"0x" ADDRESS "\"\ntimeout_ms: 2000\n%s"
		"endpoints:\n",
		FAKE_CHAIN_ID, genesis, contract, genesis, quorum, profile, more);
	snprintf(paths, sizeof(paths), "%s", endpoints);
	for (char *at = strtok(paths, " "); at != NULL; at = strtok(NULL, " "))
		fprintf(f, "  - name: e%d\n    url: http://127.0.0.1:%d%s\n", ++num, server.port, at);
	fclose(f);
}

/* derot keys LINE -c … --format json: the exit code, what it printed, and that as JSON (NULL if it is none). A word
 * that begins with @ is a file in the folder. */
struct done {
	int code;
	char *out, *err;
	json_t *json;
};

static struct done run(const char *line)
{
	static char files[ARGS_MAX][96];
	char words[1024];
	char *argv[ARGS_MAX + 8] = { (char *)"derot", (char *)"keys" };
	int argc = 2;
	struct done d = { 0 };
	size_t out_len, err_len;
	FILE *out = open_memstream(&d.out, &out_len), *err = open_memstream(&d.err, &err_len);

	snprintf(words, sizeof(words), "%s -c @derot.yaml --format json", line);
	for (char *word = strtok(words, " "); word != NULL && argc < ARGS_MAX; word = strtok(NULL, " ")) {
		snprintf(files[argc], sizeof(files[argc]), "%s/%s", folder, word + 1);
		argv[argc] = word[0] == '@' ? files[argc] : word;
		argc++;
	}
	d.code = dr_cli_main(argc, argv, out, err);
	fclose(out);
	fclose(err);
	d.json = json_loads(d.out, 0, NULL);
	return d;
}

static void end(struct done *d)
{
	json_decref(d->json);
	free(d->out);
	free(d->err);
}

static const char *text_of(const struct done *d, const char *key)
{
	const char *text = json_string_value(json_object_get(d->json, key));

	return text != NULL ? text : "";
}

static void put_file(const char *name, const void *ptr, size_t len, mode_t mode)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(ptr, 1, len, f), len);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
	(void)state;
	if (access("governance/profiles/derot-v1.yaml", R_OK) != 0 || mkdtemp(folder) == NULL)
		return 1;
	snprintf(config_path, sizeof(config_path), "%s/derot.yaml", folder);
	server = server_start(endpoint);
	fake = fake_start(folder);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "derot.yaml", "account", "account-open", "empty",    "huge",
					     "r",          "fresh",   "parcel",       "core.sock" };
	char path[96];

	(void)state;
	server_stop(&server);
	fake_stop(&fake);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

#endif
