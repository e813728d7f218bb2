/* SPDX-License-Identifier: Apache-2.0
 *
 * The sealing key's life, and the ways in which a data directory, its key file or a peer's checkpoint of its journal
 * can be wrong: each a clear refusal.
 */
#include "tests/unit/kms-bridge/core_client_kit.h"

/* Sealing anew */

static struct dr_root_public third, fifth;
static struct dr_node_public own;

static void remember(struct dr_channel *ch)
{
	root_of(ch, 3, &third);
	root_of(ch, 5, &fifth);
	node_of(ch, &own);
	assert_int_equal(third.generation, 3);
	assert_int_equal(fifth.generation, 5);
}

static void same_as_remembered(struct dr_channel *ch)
{
	const struct dr_root_public *const before[] = { &third, &fifth };
	struct dr_root_public root;
	struct dr_node_public node;

	for (size_t i = 0; i < 2; i++) {
		root_of(ch, before[i]->generation, &root);
		assert_int_equal(root.generation, before[i]->generation);
		assert_memory_equal(root.words[1], before[i]->words[1], 32); /* prf_pub */
		assert_memory_equal(root.words[4], before[i]->words[4], 32); /* sig_pub */
	}
	node_of(ch, &node);
	assert_memory_equal(node.enc_key, own.enc_key, 32);
	assert_memory_equal(node.sign_key, own.sign_key, 32);
}

/* It starts, everything opens, and the key file is this one; nothing lies beside it. */
static void opens_with(const char *key)
{
	static struct process p;
	static struct dr_channel ch;

	start_run(&p);
	client(&ch);
	same_as_remembered(&ch);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
	assert_true(same_file(init.key_file, key));
	assert_int_equal(access(path_of("key.new"), F_OK), -1);
}

static void reseal_by(bool passphrase)
{
	static struct process p;
	static struct dr_channel ch;
	struct dr_fail fail = { 0 };
	struct dr_done done;

	if (passphrase)
		use_passphrase("correct horse\n");
	at_rest();
	shell("cp -a %s/data %s/data.old && cp -a %s/key %s/key.old", dir, dir, dir, dir);
	init.argon2_mib = 9;
	start_run(&p);
	client(&ch);
	remember(&ch);
	/* What a crash left here before anything was sealed under it is in nobody's way. */
	write_file(path_of("key.new"), dr_bytes_of("left", 4));
	assert_int_equal(dr_done_get(&done, told(&ch, DR_MSG_RESEAL, nothing, DR_MSG_DONE), &fail), DR_OK);
	assert_non_null(strstr(done.what, "the node's own keys and 2 roots"));
	assert_int_equal(journal_num(&ch, DR_NOTE_ROOT, "sealed anew under a new key file"), 1);
	same_as_remembered(&ch);
	assert_false(same_file(init.key_file, path_of("key.old")));
	/* A wrapped one takes the memory that the one before took (key_file.h: bytes 9 to 12), whatever INIT says. */
	if (passphrase)
		shell("cmp -n 13 %s/key %s/key.old", dir, dir);
	assert_int_equal(access(path_of("key.new"), F_OK), -1);
	/* And again. */
	told(&ch, DR_MSG_RESEAL, nothing, DR_MSG_DONE);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
	shell("cp -a %s/key %s/key.now", dir, dir);
	opens_with(path_of("key.now"));

	/* The old key opens nothing any more. */
	shell("cp -a %s/key.old %s/key", dir, dir);
	does_not_start("the old key", DR_ERR_PROOF, "sealed under another key file");
	/* A crash after the commit, before the rename: the new one takes its place, also where the old is gone. */
	shell("cp -a %s/key.now %s/key.new", dir, dir);
	opens_with(path_of("key.now"));
	shell("mv %s/key %s/key.new", dir, dir);
	opens_with(path_of("key.now"));
	/* A crash before the commit: the new one is forgotten. */
	shell("rm -r %s/data && cp -a %s/data.old %s/data && cp -a %s/key.old %s/key && cp -a %s/key.now %s/key.new",
	      dir, dir, dir, dir, dir, dir, dir);
	opens_with(path_of("key.old"));
	/* Also one that is none. */
	write_file(path_of("key.new"), dr_bytes_of("left", 4));
	opens_with(path_of("key.old"));
}

static void test_reseal(void **state)
{
	(void)state;
	reseal_by(false);
}

static void test_reseal_passphrase(void **state)
{
	(void)state;
	reseal_by(true);
}

/* A new key file that cannot be made: nothing changes. */
static void test_reseal_fails(void **state)
{
	static struct process p;
	static struct dr_channel ch;

	(void)state;
	use_passphrase("correct horse\n");
	at_rest();
	shell("cp -a %s/key %s/key.old", dir, dir);
	start_run(&p);
	client(&ch);
	remember(&ch);
	shell("mv %s/phrase %s/phrase.away", dir, dir);
	refused(&ch, DR_MSG_RESEAL, nothing, DR_ERR_IO, "passphrase file: there is none");
	same_as_remembered(&ch);
	shell("mv %s/phrase.away %s/phrase", dir, dir);
	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
	opens_with(path_of("key.old"));
}

/* Wrong keys and wrong rows */

static void another_key(void)
{
	uint8_t bytes[32];

	memset(bytes, 0x5a, sizeof(bytes));
	write_file(init.key_file, dr_bytes_of(bytes, 32));
}

static void short_key(void)
{
	shell("truncate -s 31 %s/key", dir);
}

static void public_key(void)
{
	shell("chmod 640 %s/key", dir);
}

static void no_key(void)
{
	unlink(init.key_file);
}

static void raw_with_passphrase(void)
{
	use_passphrase("correct horse");
}

static void wrapped_without(void)
{
	const char *phrase = path_of("phrase");
	struct dr_fail fail = { 0 };

	write_file(phrase, dr_bytes_of("x", 1));
	unlink(init.key_file);
	assert_int_equal(dr_keys_file_make(init.key_file, phrase, 8, &fail), DR_OK);
}

static void wrapped_missing(void)
{
	wrapped_without();
	use_passphrase("x");
	unlink(init.passphrase_file);
}

static void wrapped_another(void)
{
	wrapped_without();
	use_passphrase("y");
}

static void wrapped_public(void)
{
	wrapped_without();
	use_passphrase("x");
	chmod(init.passphrase_file, 0644);
}

static void row_short(void)
{
	edit("UPDATE roots SET sealed = substr(sealed, 1, 112) WHERE generation = 3");
}

static void row_empty(void)
{
	edit("UPDATE roots SET sealed = x'' WHERE generation = 3");
}

static void row_flipped(void)
{
	edit("UPDATE roots SET sealed = CAST(substr(sealed, 1, 100) || CASE substr(sealed, 101, 1) WHEN x'00' THEN "
	     "x'01' ELSE x'00' END || substr(sealed, 102) AS BLOB) WHERE generation = 5");
}

static void row_version(void)
{
	edit("UPDATE roots SET sealed = CAST(x'01' || substr(sealed, 2) AS BLOB) WHERE generation = 5");
}

static void rows_swapped(void)
{
	edit("UPDATE roots SET generation = 8 - generation + 100 WHERE generation > 0;"
	     "UPDATE roots SET generation = generation - 100 WHERE generation > 0");
}

static void own_swapped(void)
{
	edit("UPDATE roots SET sealed = (SELECT sealed FROM roots WHERE generation = 3) WHERE generation = 0");
}

static void own_short(void)
{
	edit("UPDATE roots SET sealed = substr(sealed, 1, 5) WHERE generation = 0");
}

static void root_as_another(void)
{
	edit("UPDATE roots SET generation = 4 WHERE generation = 3");
}

/* Roots of a directory with another key file; and of one with this key file, on another contract. */
static void rows_of_another(void)
{
	uint8_t sealed[DR_KEYS_SEALED_LEN];
	struct dr_fail fail = { 0 };

	assert_int_equal(dr_keys_file_make(path_of("key.other"), NULL, 0, &fail), DR_OK);
	struct dr_keys *k = keys_of(path_of("key.other"));

	assert_int_equal(dr_keys_make(k, 3, sealed, &fail), DR_OK);
	dr_keys_free(k);
	put_row(3, sealed, sizeof(sealed));
}

static void rows_of_another_contract(void)
{
	init.contract[0] ^= 1;
	plant(3);
	init.contract[0] ^= 1;
}

static const struct {
	const char *name;
	void (*spoil)(void);
	enum dr_err err;
	const char *words;
} wrong[] = {
	{ "another key", another_key, DR_ERR_PROOF, "sealed root: sealed under another key file" },
	{ "a short key", short_key, DR_ERR_SYNTAX, "key file: expected 32 bytes" },
	{ "a key that others may read", public_key, DR_ERR_IO, "key file: others than its owner have rights on it" },
	{ "no key", no_key, DR_ERR_IO, "key file: there is none" },
	{ "a passphrase for a raw key", raw_with_passphrase, DR_ERR_IO, "holds the key itself" },
	{ "no passphrase for a wrapped key", wrapped_without, DR_ERR_IO, "no passphrase file is given" },
	{ "no passphrase file", wrapped_missing, DR_ERR_IO, "passphrase file: there is none" },
	{ "another passphrase", wrapped_another, DR_ERR_PROOF, "wrapped under another passphrase" },
	{ "a passphrase that others may read", wrapped_public, DR_ERR_IO, "passphrase file: others than its owner" },
	{ "a truncated root", row_short, DR_ERR_SYNTAX, "sealed root: expected 113 bytes" },
	{ "an empty root", row_empty, DR_ERR_PROOF, "length of a sealed root" },
	{ "a changed root", row_flipped, DR_ERR_PROOF, "sealed root: it does not open" },
	{ "a root of version 1", row_version, DR_ERR_UNKNOWN, "sealed root: version" },
	{ "two roots swapped", rows_swapped, DR_ERR_PROOF, "sealed root: it does not open" },
	{ "a root as the node's own keys", own_swapped, DR_ERR_PROOF, "sealed root: it does not open" },
	{ "the node's own keys truncated", own_short, DR_ERR_SYNTAX, "sealed root: expected 113 bytes" },
	{ "a root under another number", root_as_another, DR_ERR_PROOF, "sealed root: it does not open" },
	{ "a root of another directory", rows_of_another, DR_ERR_PROOF, "sealed under another key file" },
	{ "a root of another contract", rows_of_another_contract, DR_ERR_PROOF, "sealed root: it does not open" },
};

static void test_wrong_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		tear_down(NULL);
		set_up(NULL);
		at_rest();
		wrong[i].spoil();
		does_not_start(wrong[i].name, wrong[i].err, wrong[i].words);
	}
}

/* Peers' checkpoints */

static struct dr_bytes checkpoint_now(uint8_t log)
{
	static struct process p;
	static struct dr_channel ch;
	uint8_t root[32];
	uint64_t size;

	start_run(&p);
	client(&ch);
	const struct dr_bytes text = checkpoint_of(&ch, log, &size, root);

	dr_channel_close(&ch);
	assert_int_equal(stop_run(&p), 0);
	return text;
}

static void use_checkpoint(unsigned at, struct dr_bytes text)
{
	char name[16];

	snprintf(name, sizeof(name), "note.%u", at);
	snprintf(init.checkpoints[at], sizeof(init.checkpoints[at]), "%s", path_of(name));
	write_file(init.checkpoints[at], text);
}

static void copy_data(const char *from, const char *to)
{
	shell("rm -rf %s/%s && cp -a %s/%s %s/%s", dir, to, dir, from, dir, to);
}

static void test_peers(void **state)
{
	static struct process p;
	struct dr_bytes text;

	(void)state;
	use_checkpoint(0, text = checkpoint_now(1));
	use_checkpoint(3, checkpoint_now(1));
	start_run(&p); /* all of them agree with this directory */
	assert_int_equal(stop_run(&p), 0);

	/* Rolled back: behind what a peer saw; then, as long again, with another root. */
	copy_data("data", "data.old");
	use_checkpoint(2, checkpoint_now(1));
	copy_data("data.old", "data");
	does_not_start("a longer journal", DR_ERR_PROOF, "it was rolled back. Nothing is answered");
	char held[DR_TEXT_MAX];

	memcpy(held, init.checkpoints[2], sizeof(held));
	memset(init.checkpoints[2], 0, sizeof(held));
	checkpoint_now(1);
	memcpy(init.checkpoints[2], held, sizeof(held));
	does_not_start("another root", DR_ERR_PROOF,
		       "has another root than was signed: it was rolled back and went on");
	memset(init.checkpoints[2], 0, sizeof(held));

	use_checkpoint(1, checkpoint_now(0));
	does_not_start("of the ledger", DR_ERR_PROOF, "/journal, got derot/31337/0x");
	/* A changed one: nobody signed that. */
	uint8_t *bytes = kit_alloc(text.len);

	memcpy(bytes, text.ptr, text.len);
	bytes[strchr((const char *)bytes, '\n') - (const char *)bytes + 1] ^= 1; /* the first digit of its size */
	use_checkpoint(1, dr_bytes_of(bytes, text.len));
	does_not_start("changed", DR_ERR_PROOF, "with the key in this directory: ");
	use_checkpoint(1, dr_bytes_of("no checkpoint", 13));
	does_not_start("none that parses", DR_ERR_PROOF, "with the key in this directory: ");
	use_checkpoint(1, nothing);
	does_not_start("empty", DR_ERR_PROOF, "with the key in this directory: ");
	uint8_t *large = kit_alloc(70000);

	use_checkpoint(1, dr_bytes_of(large, 70000));
	does_not_start("too large", DR_ERR_IO, "not a plain file of at most");
	unlink(init.checkpoints[1]);
	does_not_start("gone", DR_ERR_IO, "No such file");
	assert_int_equal(mkdir(init.checkpoints[1], 0700), 0);
	does_not_start("a folder", DR_ERR_IO, "not a plain file");
	memset(init.checkpoints[1], 0, sizeof(init.checkpoints[1]));
	start_run(&p);
	assert_int_equal(stop_run(&p), 0);

	/* Of another node: by its name, though it has the same keys; and by its keys, under the same name. */
	init.node[0] ^= 1;
	does_not_start("of another name", DR_ERR_PROOF, "expected one signed by derot/31337/0x");
	init.node[0] ^= 1;
	shell("mv %s/data %s/data.away && mv %s/key %s/key.away", dir, dir, dir, dir);
	does_not_start("of other keys", DR_ERR_PROOF, "expected one signed by derot/31337/0x");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_reseal), T(test_reseal_passphrase), T(test_reseal_fails), T(test_wrong_keys), T(test_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
