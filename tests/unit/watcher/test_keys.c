/* SPDX-License-Identifier: Apache-2.0
 *
 * derot keys, every form of it but its transactions (test_keys_tx.c), against a core that tells the truth and such
 * that do not.
 */
#include "tests/unit/kit.h"

#include "chain/crypto/keccak.h"
#include "chain/crypto/x25519.h"
#include "tests/unit/watcher/keys_world.h"

#define ASK "derive --app mail --measurement mail-v1 --tee tdx --family f --device d"

static struct dr_bytes get_file(const char *name)
{
	static uint8_t bytes[65536];
	char path[96];
	FILE *f;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	return dr_bytes_of(bytes, len);
}

/* --- Usage, and a core that does not do what it should --- */

static void test_rows(void **state)
{
	static const struct {
		const char *line;
		enum fake_lie lie;
		int code;
		const char *said; /* in either stream */
	} rows[] = {
		{ "", 0, 64, "which form of keys?" },
		{ "nothing", 0, 64, "which form of keys?: nothing" },
		{ "node x", 0, 64, "unexpected argument: x" },
		{ "accept a b", 0, 64, "unexpected argument: b" },
		{ "node --generation 1", 0, 64, "this form does not take: generation" },
		{ "public --app x", 0, 64, "this form does not take: app" },
		{ "public --before", 0, 64, "this form does not take: before" },
		{ "reseal --advisory x", 0, 64, "this form does not take: advisory" },
		{ "derive --to x", 0, 64, "this form does not take: to" },
		{ "public --generation x", 0, 64, "--generation takes a number: x" },
		{ "public --generation -1", 0, 64, "--generation takes a number" },
		{ "publish --gas 5", 0, 64, "give --account-key too: --gas" },
		{ "publish --account-key @account --gas 5x", 0, 64, "a decimal number, please: --gas" },
		{ "publish --account-key @account --max-fee 1 --max-fee-gwei 1", 0, 64, "not both" },
		{ "publish --account-key @account --max-fee-gwei 9223372037", 0, 64, "a decimal number" },
		{ "publish --account-key @account --max-fee 1 --priority-fee 2", 0, 64, "cannot be above" },
		{ "share -o @x", 0, 64, "--to is the other node's address" },
		{ "share --to 0x12 -o @x", 0, 64, "--to is the other node's address" },
		{ "share --to 0x" ADDRESS, 0, 64, "where to: -o FILE, or --socket" },
		{ "share --to 0x" ADDRESS " -o @x --socket @y", 0, 64, "where to: -o FILE, or --socket" },
		{ "accept", 0, 64, "what: a parcel's FILE" },
		{ "", 0, 64, "\n        TERMS: [--tx-nonce N]" },
		{ "node --tee tdx", 0, 64, "a registration needs --measurement" },
		/* Refusals say what to do; what is not there yet is not an error. */
		{ "reseal", FAKE_ERROR, 1, "audit log --journal" },
		{ "share --to 0x" ADDRESS " -o @x", FAKE_ERROR, 1, "root.share" },
		{ "certificate", FAKE_LATER, 2, "the fake core has none yet" },
		{ "share --to 0x" ADDRESS " -o @x", FAKE_LATER, 2, "the fake core has none yet" },
		{ "certificate --app mail", FAKE_NOT_ISSUED, 2, "given a key for sign or tls" },
		{ "certificate", FAKE_NOT_ISSUED, 0, "BEGIN CERTIFICATE" },
		{ "reseal", FAKE_LATER, 1, "the fake core has none yet" },
		{ "accept @x --socket @y", 0, 64, "what: a parcel's FILE" },
		{ "derive --app a", 0, 64, "needs --app and --measurement" },
		{ ASK " --purpose steal", 0, 64, "--purpose is" },
		{ ASK " --recipient 0x12", 0, 64, "--recipient is an X25519" },
		{ ASK " --recipient 0x0000000000000000000000000000000000000000000000000000000000000000", 0, 64,
		  "--recipient is an X25519" },
		{ ASK " --recipient 0x12 --recipient-file @r", 0, 64, "not both" },
		{ ASK " --recipient 0x12 --prove", 0, 64, "--prove needs --recipient-file" },
		{ "certificate --app 0x1", 0, 64, "0x and hex digits" },
		{ "init --argon2-mib 64", 0, 64, "names no passphrase_file" },
		{ "node", FAKE_NO_NODE, 2, "no keys of its own yet" },
		{ "public", FAKE_NO_ROOT, 2, "holds no such root generation" },
		{ "publish", FAKE_NO_ROOT, 2, "holds no such root generation" },
		{ "publish", FAKE_PUBLISHED, 1, "published already" },
		{ "heartbeat", FAKE_NO_NONCE, 2, "has drawn no nonce yet" },
		{ "certificate --generation 9", 0, 2, "no such certificate" },
		{ ASK, FAKE_DENY, 2, "not yet" },
		{ ASK " --prove", FAKE_DENY, 2, "app-notice" },
		{ ASK " --prove", FAKE_NO_PROOF, 3, "gave no proof" },
		{ ASK, FAKE_OTHER_KEY, 3, "not the one that its proof is of" },
		{ ASK, FAKE_BAD_PROOF, 3, "believe this key in nothing" },
		{ ASK, FAKE_OTHER_APP, 3, "another version's than asked for" },
		{ ASK, FAKE_NOT_PUBLISHED, 3, "not one that is published" },
		{ ASK, FAKE_NO_ROOT, 2, "holds no such root generation" },
		{ ASK " --recipient-file @r", FAKE_IN_THE_CLEAR, 3, "in the clear" },
		{ ASK " --recipient-file @r", FAKE_OTHER_BOX, 3, "derot-core" },
		{ ASK " --recipient-file @r", FAKE_SHORT_BOX, 3, "something else than an answer" },
		{ ASK " --recipient-file @r", FAKE_BAD_PROOF, 3, "believe this key in nothing" },
		{ ASK " --recipient-file @r", FAKE_OTHER_KEY, 3, "not the one that its proof is of" },
		{ ASK " --recipient-file @account-open", 0, 1, "others may read" },
		{ ASK " --recipient-file @absent/r", 0, 1, "cannot be made there" },
		{ "accept @absent", 0, 1, "does not open" },
		{ "accept @", 0, 1, "no plain file" },
		{ "accept @huge", 0, 1, "too long for a parcel" },
		{ "accept @empty", 0, 1, "that is no parcel" },
		{ "accept --socket @core.sock", 0, 1, "a new socket cannot be made there" },
		{ "share --to 0x" ADDRESS " --socket @absent", 0, 1, "nobody accepts a parcel" },
		{ "share --to 0x" ADDRESS " -o @account", 0, 1, "nothing is overwritten" },
	};
	static const char *const forms[] = {
		"node",           "public",      "publish", "heartbeat",
		"reseal",         "certificate", ASK,       "share --to 0x" ADDRESS " -o @x",
		"accept @account"
	};
	static const enum fake_lie bad[] = { FAKE_HANGS_UP, FAKE_OTHER_ANSWER, FAKE_ERROR, FAKE_TRAILING };
	struct stat st;
	char path[96];

	(void)state;
	configure("/0/1/2", 1, "");
	put_file("account", SECRET, 64, 0600);
	put_file("account-open", SECRET, 64, 0644);
	put_file("empty", "", 0, 0600);
	put_file("huge", kit_alloc(DR_RUN_MAX + 1), DR_RUN_MAX + 1, 0600);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*fake.lie = (int)rows[i].lie;
		struct done d = run(rows[i].line);

		if (d.code != rows[i].code ||
		    (strstr(d.out, rows[i].said) == NULL && strstr(d.err, rows[i].said) == NULL))
			fail_msg("keys %s: exit %d (expected %d)\n%s--\n%s", rows[i].line, d.code, rows[i].code,
				 d.out, d.err);
		if (d.code != 0) { /* no key that was refused is shown */
			assert_string_equal(text_of(&d, "key"), "");
			assert_string_equal(text_of(&d, "raw"), "");
		}
		end(&d);
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		for (size_t k = 0; k < 4; k++) {
			*fake.lie = (int)bad[k];
			struct done d = run(forms[i]);

			if (d.code != 1 || strstr(d.out, "\"ok\"") == NULL)
				fail_msg("keys %s, lie %d: exit %d\n%s--\n%s", forms[i], bad[k], d.code, d.out,
					 d.err);
			end(&d);
		}
	snprintf(path, sizeof(path), "%s/x", folder);
	assert_int_equal(stat(path, &st), -1);
	*fake.lie = FAKE_TRUE;
}

/* --- What is shown --- */

static void test_show(void **state)
{
	struct done d;

	(void)state;
	configure("/0/1/2", 1, "");
	d = run("node");
	assert_int_equal(d.code, 0);
	assert_string_equal(text_of(&d, "enc_key"),
			    "0x1111111111111111111111111111111111111111111111111111111111111111");
	assert_non_null(strstr(text_of(&d, "vkey"), "derot/31337/0x5f/0xf3+"));
	assert_non_null(strstr(text_of(&d, "register"), "registerNode(uint64,bytes32,bytes32,"));
	assert_string_equal(text_of(&d, "data"), "");
	end(&d);

	d = run("node --measurement 0xaa --tee tdx --svn 258 --device d1");
	assert_int_equal(d.code, 0);
	uint8_t selector[32];
	char expected[2 + 8 + 7 * 64 + 1];

	dr_keccak256(selector, "registerNode(uint64,bytes32,bytes32,bytes32,bytes32,uint64,bytes32)", 67);
	hex_text(expected, selector, 4);
	strcat(expected, "0000000000000000000000000000000000000000000000000000000000000001"
			 "aa00000000000000000000000000000000000000000000000000000000000000"
			 "1111111111111111111111111111111111111111111111111111111111111111"
			 "7464780000000000000000000000000000000000000000000000000000000000"
			 "0000000000000000000000000000000000000000000000000000000000000000"
			 "0000000000000000000000000000000000000000000000000000000000000102"
			 "6431000000000000000000000000000000000000000000000000000000000000");
	assert_string_equal(text_of(&d, "data"), expected);
	assert_string_equal(text_of(&d, "from"), "0x" ADDRESS);
	end(&d);

	d = run("public --generation 2");
	assert_int_equal(d.code, 0);
	assert_int_equal(json_integer_value(json_object_get(d.json, "generation")), 2);
	assert_false(json_is_true(json_object_get(d.json, "published")));
	assert_int_equal(strlen(text_of(&d, "data")), 2 + 8 + 11 * 64);
	char *data = strdup(text_of(&d, "data"));

	end(&d);
	d = run("publish --generation 2");
	assert_int_equal(d.code, 0);
	assert_string_equal(text_of(&d, "data"), data);
	assert_string_equal(text_of(&d, "raw"), "");
	free(data);
	end(&d);

	d = run("reseal");
	assert_int_equal(d.code, 0);
	assert_string_equal(text_of(&d, "done"), "4 roots sealed anew");
	end(&d);

	d = run("certificate --app mail");
	assert_int_equal(d.code, 0);
	assert_int_equal(json_array_size(json_object_get(d.json, "certificates")), 2);
	/* The application's first: what plain tools take for the one that is meant. */
	assert_string_equal(json_string_value(json_array_get(json_object_get(d.json, "certificates"), 1)),
			    "-----BEGIN CERTIFICATE-----\ncm9vdA==\n-----END CERTIFICATE-----\n");
	end(&d);
	d = run("certificate");
	assert_int_equal(json_array_size(json_object_get(d.json, "certificates")), 1);
	end(&d);
}

/* The command's own format: bare PEM. */
static void test_pem(void **state)
{
	char *argv[] = { (char *)"derot", (char *)"keys", (char *)"certificate", (char *)"-c", config_path, NULL };
	static const char root[] = "-----BEGIN CERTIFICATE-----\ncm9vdA==\n-----END CERTIFICATE-----\n";
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	(void)state;
	configure("/0/1/2", 1, "");
	assert_int_equal(dr_cli_main(5, argv, f, stderr), 0);
	fclose(f);
	assert_string_equal(out, root);
	free(out);

	/* And an application's, before the root's. */
	char *more[] = { (char *)"derot", (char *)"keys",  (char *)"certificate", (char *)"-c",
			 config_path,     (char *)"--app", (char *)"mail",        NULL };

	f = open_memstream(&out, &len);
	assert_int_equal(dr_cli_main(7, more, f, stderr), 0);
	fclose(f);
	assert_memory_equal(out, "-----BEGIN CERTIFICATE-----\nbWFpb", 33);
	assert_string_equal(out + len - strlen(root), root);
	free(out);
}

/* --- Keys --- */

static void test_derive(void **state)
{
	static const struct {
		const char *name, *line;
		bool same; /* as the first */
	} rows[] = {
		{ "plain", ASK, true },
		{ "proven", ASK " --prove", true },
		{ "boxed", ASK " --recipient-file @fresh", true },
		{ "boxed, the same recipient", ASK " --recipient-file @fresh --prove", true },
		{ "another purpose", ASK " --purpose sign", false },
		{ "a cluster", ASK " --purpose cluster --service disk", false },
		{ "a contract", ASK " --purpose contract --service disk --contract c --prove", false },
		{ "another contract", ASK " --purpose contract --service disk --contract d --prove", false },
		{ "the root before", ASK " --root-before --from mail-v1", true },
	};
	char first[67] = "", last[67] = "";

	(void)state;
	configure("/0/1/2", 1, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct done d = run(rows[i].line);
		const char *key = text_of(&d, "key");

		if (d.code != 0 || strlen(key) != 66 || !json_is_true(json_object_get(d.json, "proven")))
			fail_msg("%s: exit %d\n%s--\n%s", rows[i].name, d.code, d.out, d.err);
		if (i == 0)
			strcpy(first, key);
		if ((strcmp(key, first) == 0) != rows[i].same || (!rows[i].same && strcmp(key, last) == 0))
			fail_msg("%s: %s", rows[i].name, key);
		strcpy(last, key);
		assert_int_equal(text_of(&d, "proof")[0] != '\0', strstr(rows[i].line, "--prove") != NULL);
		assert_int_equal(text_of(&d, "box")[0] != '\0', strstr(rows[i].line, "--recipient") != NULL);
		assert_int_equal(text_of(&d, "certificate")[0] != '\0', strstr(rows[i].line, "sign") != NULL);
		end(&d);
	}
	/* The recipient that was made: its file, and the public key that was asked with. */
	const struct dr_bytes secret = get_file("fresh");
	uint8_t pub[32];
	char expected[67], line[256];

	assert_int_equal(secret.len, 32);
	dr_x25519_public(pub, secret.ptr);
	hex_text(expected, pub, 32);
	snprintf(line, sizeof(line), ASK " --recipient %s", expected);
	struct done d = run(line);

	assert_int_equal(d.code, 0);
	assert_string_equal(text_of(&d, "recipient"), expected);
	assert_string_equal(text_of(&d, "key"), "");
	assert_true(strlen(text_of(&d, "box")) > 2 * 32);
	assert_null(json_object_get(d.json, "proven"));
	end(&d);
}

/* --- Parcels --- */

static void test_parcel(void **state)
{
	struct done d;
	char path[96];
	struct stat st;

	(void)state;
	configure("/0/1/2", 1, "");
	snprintf(path, sizeof(path), "%s/parcel", folder);
	d = run("share --to 0x" ADDRESS " --generation 3 -o @parcel");
	assert_int_equal(d.code, 0);
	end(&d);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	const struct dr_bytes parcel = get_file("parcel");

	/* The query went over whole: generation, node. */
	assert_int_equal(parcel.len, 28000);
	assert_int_equal(dr_be64_get(parcel.ptr), 3);
	assert_memory_equal(parcel.ptr + 8, kit_hex(ADDRESS).ptr, 20);
	d = run("accept @parcel");
	assert_int_equal(d.code, 0);
	assert_string_equal(text_of(&d, "done"), "generation 3 is held here");
	end(&d);
	put_file("parcel", parcel.ptr, parcel.len - 1, 0600);
	d = run("accept @parcel");
	assert_int_equal(d.code, 1);
	end(&d);
}

/* A connection to the socket there. */
static int come_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int done = -1;

	memcpy(addr.sun_path, path, strlen(path));
	for (int i = 0; i < 100 && done != 0; i++) { /* it is bound a moment before it listens */
		done = connect(fd, (const struct sockaddr *)&addr, sizeof(addr));
		if (done != 0)
			usleep(10000);
	}
	assert_int_equal(done, 0);
	return fd;
}

/* One accepts, the other shares; the socket is there for this once. */
static void test_parcel_socket(void **state)
{
	char path[96];
	struct stat st = { 0 };
	struct done d;
	int status;

	(void)state;
	configure("/0/1/2", 1, "");
	snprintf(path, sizeof(path), "%s/door", folder);
	const pid_t pid = fork();

	if (pid == 0) {
		alarm(20);
		d = run("accept --socket @door");
		_exit(d.code == 0 && strcmp(text_of(&d, "done"), "generation 3 is held here") == 0 ? 0 : 1);
	}
	for (int i = 0; i < 1000 && stat(path, &st) != 0; i++)
		usleep(10000);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	for (int i = 0; i < 100; i++) { /* it is bound a moment before it listens */
		d = run("share --to 0x" ADDRESS " --socket @door");
		if (d.code == 0)
			break;
		end(&d);
		usleep(10000);
	}
	assert_int_equal(d.code, 0);
	end(&d);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(stat(path, &st), -1);

	/* Interrupted, before somebody came and while who came says nothing: it says so, and leaves nothing. */
	for (int comes = 0; comes < 2; comes++) {
		const pid_t waiting = fork();
		int fd = -1;

		if (waiting == 0) {
			alarm(20);
			d = run("accept --socket @door");
			_exit(d.code == 1 && strstr(d.err, "interrupted") != NULL ? 0 : 1);
		}
		for (int i = 0; i < 1000 && stat(path, &st) != 0; i++)
			usleep(10000);
		if (comes) {
			fd = come_to(path);
			usleep(100000);
		}
		kill(waiting, SIGTERM);
		assert_int_equal(waitpid(waiting, &status, 0), waiting);
		assert_int_equal(status, 0);
		assert_int_equal(stat(path, &st), -1);
		if (fd >= 0)
			close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),   cmocka_unit_test(test_show),   cmocka_unit_test(test_pem),
		cmocka_unit_test(test_derive), cmocka_unit_test(test_parcel), cmocka_unit_test(test_parcel_socket),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
