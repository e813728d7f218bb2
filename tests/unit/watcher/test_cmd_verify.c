/* SPDX-License-Identifier: Apache-2.0
 *
 * derot verify: real blocks of every era are accepted, and the rule behind `unproven` holds: whatever bit of
 * the input is changed, either the change is refused or the member is named as unproven.
 */
#include "tests/unit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watcher/cli.h"
#include "watcher/verify.h"

enum kind {
	HEADER,
	RECEIPTS,
	LOGS,
	PROOF,
	TRANSACTIONS, /* a list alone, under the header in struct loaded */
};

struct sample {
	const char *name;
	enum kind kind;
	const char *files[3]; /* below DEROT_VECTORS */
	const char *address;  /* filter of logs; NULL: none */
	size_t stride;        /* of the bits of one member that are flipped: 1 is every bit */
};

#define M          "04-eth-exec/mainnet-21925176/"
#define F          "04-eth-exec/mainnet-fork-blocks/"
#define P          "04-eth-exec/mainnet-prague-boundary/"
#define E          "12-devnet/forge-electra-minimal/"
#define L          "12-devnet/lodestar-capella-minimal/"
#define G          "03-eth-lc-real/e2e/eth_getLogs1/"
#define G_BLOCK    G "eth_getBlockByNumber_0x14d7970_false.json"
#define G_RECEIPTS G "eth_getBlockReceipts_0x14d7970.json"
#define G_LOGS                                                                                                       \
	G "eth_getLogs___address____0xdac17f958d2ee523a2206206994597c13d831ec7____fromBlock___0x14d7970___toBlo."    \
	  "json"
#define USDT    "0xdac17f958d2ee523a2206206994597c13d831ec7"
#define DEPOSIT "0x00000000219ab540356cbb839cbe05303d7705fa"

/* Sources: the vectors' MANIFEST.tsv. */
static const struct sample samples[] = {
	{ "berlin", HEADER, { F "Berlin.json.gz" }, NULL, 1 },
	{ "paris", HEADER, { F "Paris.json.gz" }, NULL, 1 },
	{ "cancun", HEADER, { F "Cancun.json.gz" }, NULL, 1 },
	{ "last before prague", HEADER, { P "22431082.json.gz" }, NULL, 1 },
	{ "first of prague", HEADER, { P "22431084.json.gz" }, NULL, 1 },
	{ "hashes only", HEADER, { M "block.json" }, NULL, 1 },
	{ "devnet capella", HEADER, { L "el_event_block.json" }, NULL, 1 },
	{ "devnet electra", HEADER, { E "el_event_block.json" }, NULL, 1 },
	{ "empty capella", HEADER, { L "el_finalized_block.json" }, NULL, 1 },
	{ "empty electra", HEADER, { E "el_finalized_block.json" }, NULL, 1 },
	{ "a reply", HEADER, { G_BLOCK }, NULL, 1 },
	{ "receipts cancun", RECEIPTS, { M "block.json", M "receipts.json.gz" }, NULL, 1 },
	{ "receipts reply", RECEIPTS, { G_BLOCK, G_RECEIPTS }, NULL, 1 },
	{ "receipts capella", RECEIPTS, { L "el_event_block.json", L "el_event_receipts.json" }, NULL, 1 },
	{ "receipts electra", RECEIPTS, { E "el_event_block.json", E "el_event_receipts.json" }, NULL, 1 },
	{ "logs cancun", LOGS, { M "block.json", M "receipts.json.gz", M "logs.json" }, DEPOSIT, 1 },
	{ "logs reply", LOGS, { G_BLOCK, G_RECEIPTS, G_LOGS }, USDT, 1 },
	{ "logs capella",
	  LOGS,
	  { L "el_event_block.json", L "el_event_receipts.json", L "el_event_logs.json" },
	  NULL,
	  1 },
	{ "logs electra",
	  LOGS,
	  { E "el_event_block.json", E "el_event_receipts.json", E "el_event_logs.json" },
	  NULL,
	  1 },
	{ "proof cancun", PROOF, { M "block.json", M "proof.json" }, NULL, 1 },
	{ "proof capella", PROOF, { L "el_finalized_block.json", L "el_proof.json" }, NULL, 1 },
	{ "proof electra", PROOF, { E "el_finalized_block.json", E "el_proof.json" }, NULL, 1 },
};

#define NUM_SAMPLES (sizeof(samples) / sizeof(samples[0]))

struct loaded {
	const struct sample *sample;
	json_t *roots[3];
	json_t *docs[3];
	struct dr_log_filter filter;
	json_t *unproven; /* of the unchanged input */
	struct dr_evm_header header;
};

static void verify(struct dr_check *c, const struct loaded *l)
{
	assert_true(dr_check_init(c));
	switch (l->sample->kind) {
	case HEADER: dr_verify_header(c, l->docs[0]); break;
	case RECEIPTS: dr_verify_receipts(c, l->docs[0], l->docs[1]); break;
	case LOGS: dr_verify_logs(c, l->docs[0], l->docs[1], l->docs[2], &l->filter); break;
	case PROOF: dr_verify_proof(c, l->docs[0], l->docs[1]); break;
	case TRANSACTIONS: dr_transactions_verify(c, &l->header, l->docs[0]); break;
	}
}

static void load(struct loaded *l, const struct sample *s)
{
	struct dr_check c;

	memset(l, 0, sizeof(*l));
	l->sample = s;
	for (size_t i = 0; i < 3 && s->files[i] != NULL; i++) {
		l->roots[i] = kit_vector(s->files[i]);
		l->docs[i] = json_object_get(l->roots[i], "result");
		if (l->docs[i] == NULL)
			l->docs[i] = l->roots[i];
	}
	if (s->address != NULL) {
		struct dr_bytes address = kit_hex(s->address + 2);

		memcpy(l->filter.addresses[0], address.ptr, 20);
		l->filter.num_addresses = 1;
	}
	verify(&c, l);
	l->unproven = json_incref(c.unproven);
	dr_check_free(&c);
}

static void unload(struct loaded *l)
{
	for (size_t i = 0; i < 3; i++)
		json_decref(l->roots[i]);
	json_decref(l->unproven);
}

/* Is the member at this path named? Paths: "transactions[].gasPrice"; receipts and logs go by the bare name. */
static bool named(const json_t *unproven, const char *path)
{
	const char *last = strrchr(path, '.') != NULL ? strrchr(path, '.') + 1 : path;
	size_t i;
	const json_t *name;

	json_array_foreach(unproven, i, name)
	{
		const char *text = json_string_value(name);
		size_t len = strlen(text);

		if (strcmp(text, path) == 0 || strcmp(text, last) == 0)
			return true;
		if (strncmp(text, path, len) == 0 && path[len] == '[') /* inside an unproven list */
			return true;
	}
	return false;
}

struct tally {
	uint64_t changed, refused, proof, unproven;
};

static void judge(const struct loaded *l, const char *path, size_t bit, struct tally *t)
{
	struct dr_check c;

	verify(&c, l);
	t->changed++;
	if (dr_check_ok(&c)) {
		/* A change may also put right what was odd: then only the first list names it. */
		if (!named(c.unproven, path) && !named(l->unproven, path))
			fail_msg("%s: a change of %s, bit %zu, was accepted", l->sample->name, path, bit);
		t->unproven++;
	} else {
		t->refused++;
		t->proof += c.fail.err == DR_ERR_PROOF;
		if (c.fail.err != DR_ERR_PROOF && c.fail.err != DR_ERR_SYNTAX && c.fail.err != DR_ERR_NONCANONICAL &&
		    c.fail.err != DR_ERR_UNKNOWN && c.fail.err != DR_ERR_STALE)
			fail_msg("%s: a change of %s, bit %zu: %s", l->sample->name, path, bit, c.fail.what);
	}
	dr_check_free(&c);
}

/* Flips bits of one hex string in place; bits is how many at most, spread over its length from a start that
 * differs by member, so that over a document every position has its turn. */
static void flip_string(const struct loaded *l, json_t *value, const char *path, size_t bits, struct tally *t)
{
	static size_t turn;
	char *text = (char *)(uintptr_t)json_string_value(value);
	size_t num = 4 * (strlen(text) - 2);
	size_t step = num > bits ? num / bits : 1;

	if (strncmp(text, "0x", 2) != 0 || num == 0)
		return;
	for (size_t bit = step > 1 ? turn++ % step : 0; bit < num; bit += step) {
		char *digit = &text[2 + bit / 4];
		const char old = *digit;
		unsigned v = (unsigned)(old <= '9' ? old - '0' : (old | 0x20) - 'a' + 10);

		*digit = "0123456789abcdef"[v ^ 1u << (3 - bit % 4)];
		judge(l, path, bit, t);
		*digit = old;
	}
}

/* Every leaf below value. */
static void flip_all(const struct loaded *l, json_t *value, const char *path, size_t bits, struct tally *t)
{
	char below[256];
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_object(value)) {
		json_object_foreach(value, key, member)
		{
			snprintf(below, sizeof(below), "%s%s%s", path, path[0] != '\0' ? "." : "", key);
			if (json_is_boolean(member)) {
				json_object_set_new_nocheck(value, key, json_boolean(!json_is_true(member)));
				judge(l, below, 0, t);
				json_object_set_new_nocheck(value, key,
							    json_boolean(!json_is_true(json_object_get(value, key))));
			} else if (json_is_integer(member)) {
				json_integer_set(member, json_integer_value(member) ^ 1);
				judge(l, below, 0, t);
				json_integer_set(member, json_integer_value(member) ^ 1);
			} else {
				flip_all(l, member, below, bits, t);
			}
		}
	} else if (json_is_array(value)) {
		snprintf(below, sizeof(below), "%s[]", path);
		json_array_foreach(value, i, member) flip_all(l, member, below, bits, t);
	} else if (json_is_string(value)) {
		flip_string(l, value, path, bits, t);
	}
}

static void report(const char *name, const struct tally *t)
{
	print_message("  %-20s %7zu changed, %7zu false proofs, %5zu malformed, %6zu of unproven members\n", name,
		      (size_t)t->changed, (size_t)t->proof, (size_t)(t->refused - t->proof), (size_t)t->unproven);
}

static void test_accept(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_SAMPLES; i++) {
		struct loaded l;
		struct dr_check c;

		load(&l, &samples[i]);
		verify(&c, &l);
		if (!dr_check_ok(&c))
			fail_msg("%s: %s at %s: expected %s, got %s", samples[i].name, c.fail.what, c.at, c.expected,
				 c.got);
		assert_true(json_is_integer(json_object_get(c.facts, "number")));
		assert_string_equal(json_string_value(json_object_get(c.facts, "hash")),
				    json_string_value(json_object_get(l.docs[0], "hash")));
		dr_check_free(&c);
		unload(&l);
	}
}

/* Every bit of every member of the header, and of the lists below it as far as time allows. */
static void test_flip_block(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_SAMPLES; i++) {
		struct loaded l;
		struct tally t = { 0 };
		const char *key;
		json_t *member;

		if (samples[i].kind != HEADER)
			continue;
		load(&l, &samples[i]);
		json_object_foreach(l.docs[0], key, member)
		{
			if (strcmp(key, "transactions") == 0 && json_is_object(json_array_get(member, 0))) {
				unsigned seen = 0;

				/* One of each type; a change costs a signature per transaction before it. */
				for (size_t k = 0; k < json_array_size(member); k++) {
					json_t *tx = json_array_get(member, k);
					const char *type = json_string_value(json_object_get(tx, "type"));
					unsigned bit = 1u << strtoul(type, NULL, 16);

					if ((seen & bit) != 0)
						continue;
					seen |= bit;
					flip_all(&l, tx, "transactions[]",
						 json_array_size(member) < 3 ? 4096
						 : k < 10                    ? 24
									     : 3,
						 &t);
				}
			} else {
				flip_all(&l, member, key, strcmp(key, "transactions") == 0 ? 1 : 4096, &t);
			}
		}
		report(samples[i].name, &t);
		unload(&l);
	}
}

static void test_flip_receipts(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_SAMPLES; i++) {
		struct loaded l;
		struct tally t = { 0 };

		if (samples[i].kind != RECEIPTS || strcmp(samples[i].name, "receipts cancun") == 0)
			continue;
		load(&l, &samples[i]);
		flip_all(&l, l.docs[1], "", json_array_size(l.docs[1]) < 3 ? 4096 : 1, &t);
		report(samples[i].name, &t);
		unload(&l);
	}
}

static void test_flip_logs(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_SAMPLES; i++) {
		struct loaded l;
		struct tally t = { 0 };

		if (samples[i].kind != LOGS || strcmp(samples[i].name, "logs cancun") == 0)
			continue;
		load(&l, &samples[i]);
		flip_all(&l, l.docs[2], "", json_array_size(l.docs[1]) < 3 ? 4096 : 8, &t);
		report(samples[i].name, &t);
		unload(&l);
	}
}

static void test_flip_proof(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_SAMPLES; i++) {
		struct loaded l;
		struct tally t = { 0 };

		if (samples[i].kind != PROOF)
			continue;
		load(&l, &samples[i]);
		flip_all(&l, l.docs[1], "",
			 json_array_size(json_object_get(l.docs[1], "accountProof")) < 5 ? 65536 : 512, &t);
		report(samples[i].name, &t);
		unload(&l);
	}
}

/* Every member of every object, and the first of every list, replaced by things of other kinds. Removed or null it
 * may count as absent; anything else is refused, or named as unproven. */
static void confuse(const struct loaded *l, json_t *value, const char *path, struct tally *t)
{
	static const char *const others[] = { "true", "false",  "0",      "-1",       "1.5",
					      "\"\"", "\"0x\"", "\"zz\"", "\"0x00\"", "[]",
					      "[[]]", "{}",     "[{}]",   "[null]",   "{\"address\":null}" };
	json_t *list = json_is_array(value) && json_array_size(value) > 0 ? value : NULL;
	void *at = json_is_object(value) ? json_object_iter(value) : NULL;

	while (at != NULL || list != NULL) {
		const char *key = at != NULL ? json_object_iter_key(at) : "[]";
		json_t *old = json_incref(at != NULL ? json_object_iter_value(at) : json_array_get(list, 0));
		char below[256];
		struct dr_check c;

		snprintf(below, sizeof(below), "%s%s%s", path, path[0] != '\0' && at != NULL ? "." : "", key);
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
			json_t *other = json_loads(others[i], JSON_DECODE_ANY, NULL);

			/* A proof of no slots is a whole proof. */
			if (json_equal(other, old) || (strcmp(below, "storageProof") == 0 && json_is_array(other) &&
						       json_array_size(other) == 0)) {
				json_decref(other);
				continue;
			}
			if (at != NULL)
				json_object_iter_set_new(value, at, other);
			else
				json_array_set_new(list, 0, other);
			judge(l, below, i, t);
		}
		if (at != NULL)
			json_object_iter_set_new(value, at, json_null());
		else
			json_array_set_new(list, 0, json_null());
		verify(&c, l);
		dr_check_free(&c);
		if (at != NULL)
			json_object_iter_set(value, at, old);
		else
			json_array_set(list, 0, old);
		confuse(l, old, below, t);
		json_decref(old);
		at = at != NULL ? json_object_iter_next(value, at) : NULL;
		list = NULL;
	}
}

static void test_confuse(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_SAMPLES; i++) {
		struct loaded l;
		struct tally t = { 0 };

		if (strstr(samples[i].name, "capella") == NULL && strstr(samples[i].name, "prague") == NULL)
			continue;
		load(&l, &samples[i]);
		for (size_t k = 0; k < 3 && l.docs[k] != NULL; k++)
			confuse(&l, l.docs[k], "", &t);
		report(samples[i].name, &t);
		unload(&l);
	}
}

/* Expects a false proof of what is in l now. */
static void expect_false(const struct loaded *l, const char *what)
{
	struct dr_check c;

	verify(&c, l);
	if (c.fail.err != DR_ERR_PROOF)
		fail_msg("%s: %s: %s", l->sample->name, what, dr_check_ok(&c) ? "accepted" : c.fail.what);
	dr_check_free(&c);
}

/* A list that lacks one, has one twice, or has two in another order. */
static void shuffle(const struct loaded *l, json_t *list, bool ordered)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_incref(json_array_get(list, i));

		json_array_remove(list, i);
		expect_false(l, "one is left out");
		json_array_insert(list, i, one);
		json_array_insert(list, i, one);
		expect_false(l, "one is there twice");
		json_array_remove(list, i);
		if (ordered && i > 0) {
			json_array_remove(list, i);
			json_array_insert(list, i - 1, one);
			expect_false(l, "two have changed places");
			json_array_remove(list, i - 1);
			json_array_insert(list, i, one);
		}
		json_decref(one);
	}
}

static void test_lists(void **state)
{
	static const char *const names[] = { "logs reply",     "logs capella",   "receipts electra",
					     "receipts reply", "devnet capella", "last before prague" };

	(void)state;
	for (size_t i = 0; i < NUM_SAMPLES; i++) {
		struct loaded l;
		struct dr_check c;
		bool wanted = false;

		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			wanted |= strcmp(names[k], samples[i].name) == 0;
		if (!wanted)
			continue;
		load(&l, &samples[i]);
		if (samples[i].kind == HEADER) {
			shuffle(&l, json_object_get(l.docs[0], "transactions"), true);
			shuffle(&l, json_object_get(l.docs[0], "withdrawals"), true);
		} else {
			shuffle(&l, l.docs[samples[i].kind == LOGS ? 2 : 1], true);
		}
		if (samples[i].kind == LOGS) { /* an empty list is right only if nothing matches */
			json_array_clear(l.docs[2]);
			expect_false(&l, "an empty list");
			memset(l.filter.addresses[0], 0xee, 20);
			l.filter.num_addresses = 1;
			verify(&c, &l);
			assert_true(dr_check_ok(&c));
			dr_check_free(&c);
		}
		unload(&l);
	}
}

/* The genesis block of mainnet, as any archive node answers it. */
#define ZERO32     "0x0000000000000000000000000000000000000000000000000000000000000000"
#define ZEROS64    "0000000000000000000000000000000000000000000000000000000000000000"
#define BLOOM0     "0x" ZEROS64 ZEROS64 ZEROS64 ZEROS64 ZEROS64 ZEROS64 ZEROS64 ZEROS64
#define EMPTY_ROOT "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
#define GENESIS_AS(hash, extra)                                                                                      \
	"{\"difficulty\":\"0x400000000\",\"extraData\":"                                                             \
	"\"0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa\",\"gasLimit\":\"0x1388\","            \
	"\"gasUsed\":\"0x0\",\"hash\":\"" hash "\",\"logsBloom\":\"" BLOOM0 "\","                                    \
	"\"miner\":\"0x0000000000000000000000000000000000000000\",\"mixHash\":\"" ZERO32 "\","                       \
	"\"nonce\":\"0x0000000000000042\",\"number\":\"0x0\",\"parentHash\":\"" ZERO32 "\","                         \
	"\"receiptsRoot\":\"" EMPTY_ROOT "\",\"sha3Uncles\":"                                                        \
	"\"0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347\",\"size\":\"0x21c\","                 \
	"\"stateRoot\":\"0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544\","                      \
	"\"timestamp\":\"0x0\",\"transactionsRoot\":\"" EMPTY_ROOT "\",\"transactions\":[],\"uncles\":[]" extra "}"
#define GENESIS_HASH       "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
#define GENESIS_HASH_UPPER "0xD4E56740F876AEF8C010B86A40D5F56745A118D0906A34E69AEC8C0DB1CB8FA3"
#define GENESIS            GENESIS_AS(GENESIS_HASH, "")

/* Published transactions of the types that the blocks above lack: the JSON of a node, with the hash the chain
 * knows them by. Sources: mainnet block 46147 (before EIP-155); go-ethereum's signer for EIP-7702's example keys;
 * Optimism mainnet block 0x798ad0b (deposit). */
#define TX_FRONTIER                                                                                                  \
	"{\"blockNumber\":\"0xb443\",\"from\":\"0xa1e4380a3b1f749673e270229993ee55f35663b4\",\"gas\":\"0x5208\","    \
	"\"gasPrice\":\"0x2d79883d2000\","                                                                           \
	"\"hash\":\"0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060\",\"input\":\"0x\","          \
	"\"nonce\":\"0x0\",\"to\":\"0x5df9b87991262f6ba471f09758cde1c0fc1de734\",\"transactionIndex\":\"0x0\","      \
	"\"value\":\"0x7a69\",\"v\":\"0x1c\","                                                                       \
	"\"r\":\"0x88ff6cf0fefd94db46111149ae4bfc179e9b94721fffd821d38d16464b3f71d0\","                              \
	"\"s\":\"0x45e0aff800961cfce805daef7016b9b675c137a6a41a548f7b60a3484c06a33a\"}"
#define TX_SETCODE                                                                                                   \
	"{\"type\":\"0x4\",\"chainId\":\"0x1\",\"nonce\":\"0x0\",\"to\":"                                            \
	"\"0x71562b71999873db5b286df957af199ec94617f7\","                                                            \
	"\"gas\":\"0x7a120\",\"gasPrice\":null,\"maxPriorityFeePerGas\":\"0x2\",\"maxFeePerGas\":\"0x12a05f200\","   \
	"\"value\":\"0x0\",\"input\":\"0x\",\"accessList\":[],\"authorizationList\":[{\"chainId\":\"0x1\","          \
	"\"address\":\"0x000000000000000000000000000000000000aaaa\",\"nonce\":\"0x1\",\"yParity\":\"0x1\","          \
	"\"r\":\"0xf7e3e597fc097e71ed6c26b14b25e5395bc8510d58b9136af439e12715f2d721\","                              \
	"\"s\":\"0x6cf7c3d7939bfdb784373effc0ebb0bd7549691a513f395e3cdabf8602724987\"},{\"chainId\":\"0x0\","        \
	"\"address\":\"0x000000000000000000000000000000000000bbbb\",\"nonce\":\"0x0\",\"yParity\":\"0x1\","          \
	"\"r\":\"0x5011890f198f0356a887b0779bde5afa1ed04e6acb1e3f37f8f18c7b6f521b98\","                              \
	"\"s\":\"0x56c3fa3456b103f3ef4a0acb4b647b9cab9ec4bc68fbcdf1e10b49fb2bcbcf61\"}],\"v\":\"0x0\","              \
	"\"r\":\"0xe4ad40ffd468299b18a775ab3b743687a47087569a2d798b51ed02ae0920703b\","                              \
	"\"s\":\"0x6b55c02a6000a3a344ba290c185321057a7994cd2537deeb3c254091a680d248\",\"yParity\":\"0x0\","          \
	"\"from\":\"0x96216849c49358b10257cb55b28ea603c874b05e\","                                                   \
	"\"hash\":\"0xb81ac1a9321c1a57605c9beef606967b8866eb53fb63650678b8ba586e5c1ad9\"}"
#define TX_DEPOSIT                                                                                                   \
	"{\"hash\":\"0xbc9329afac05556497441e2b3ee4c5d4da7ca0b2a4c212c212d0739e94a24df9\",\"type\":\"0x7e\","        \
	"\"nonce\":\"0x152ea95\",\"input\":\"0x440a5e200000146b000f79c50000000000000003000000006725333f000000000"    \
	"141e287000000000000000000000000000000000000000000000000000000012439ee7e000000000000000000000000000000000"   \
	"0000000000000000000000063f363e973e96e7145ff001c81b9562cba7b6104eeb12a2bc4ab9f07c27d45cd81a98662000000000"   \
	"0000000000000006887246668a3b87f54deb3b94ba47a6f63f32985\",\"mint\":\"0x0\","                                \
	"\"sourceHash\":\"0x04e9a69416471ead93b02f0c279ab11ca0b635db5c1726a56faf22623bafde52\",\"r\":\"0x0\","       \
	"\"s\":\"0x0\",\"v\":\"0x0\",\"yParity\":\"0x0\",\"gas\":\"0xf4240\","                                       \
	"\"from\":\"0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001\","                                                   \
	"\"to\":\"0x4200000000000000000000000000000000000015\",\"depositReceiptVersion\":\"0x1\",\"value\":\"0x0\"," \
	"\"gasPrice\":\"0x0\"}"

/* The one transaction of a block of its own: the first check finds the root, as the expected value. */
static void test_transactions(void **state)
{
	static const struct {
		const char *name;
		const char *json;
		uint64_t number;
	} rows[] = { { "frontier", TX_FRONTIER, 46147 },
		     { "set code", TX_SETCODE, 1 },
		     { "deposit", TX_DEPOSIT, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct loaded l = { .sample = &(struct sample){ .name = rows[i].name, .kind = TRANSACTIONS } };
		struct dr_check c;
		struct tally t = { 0 };

		l.roots[0] = json_pack("[o]", json_loads(rows[i].json, 0, NULL));
		l.docs[0] = l.roots[0];
		l.header.number = rows[i].number;
		verify(&c, &l);
		if (c.fail.err != DR_ERR_PROOF || strcmp(c.at, "block.transactions") != 0)
			fail_msg("%s: %s at %s", rows[i].name, c.fail.what,
				 c.at); /* its hash and sender did not come out */
		memcpy(l.header.transactions_root, kit_hex(c.got + 2).ptr, 32);
		dr_check_free(&c);
		verify(&c, &l);
		assert_int_equal(c.fail.err, DR_OK);
		l.unproven = json_incref(c.unproven);
		dr_check_free(&c);
		flip_all(&l, json_array_get(l.docs[0], 0), "transactions[]", 4096, &t);
		report(rows[i].name, &t);
		unload(&l);
	}
	/* mainnet's transactionsRoot of block 46147 */
	{
		struct loaded l = { .sample = &(struct sample){ .name = "46147", .kind = TRANSACTIONS } };
		struct dr_check c;

		l.roots[0] = json_pack("[o]", json_loads(TX_FRONTIER, 0, NULL));
		l.docs[0] = l.roots[0];
		l.header.number = 46147;
		memcpy(l.header.transactions_root,
		       kit_hex("4513310fcb9f6f616972a3b948dc5d547f280849a87ebb5af0191f98b87be598").ptr, 32);
		verify(&c, &l);
		assert_int_equal(c.fail.err, DR_OK);
		dr_check_free(&c);
		json_object_set_new(json_array_get(l.docs[0], 0), "type", json_string("0x5"));
		verify(&c, &l);
		assert_int_equal(c.fail.err, DR_ERR_UNKNOWN);
		dr_check_free(&c);
		unload(&l);
	}
	/* an access list without keys, as null and as a list: the same root */
	{
		struct loaded l = { .sample = &(struct sample){ .name = "access list", .kind = TRANSACTIONS } };
		char roots[2][192];

		for (size_t i = 0; i < 2; i++) {
			json_t *tx = json_loads(TX_SETCODE, 0, NULL);
			struct dr_check c;

			json_object_set_new(tx, "accessList",
					    json_pack("[{s:s, s:o}]", "address", USDT, "storageKeys",
						      i == 0 ? json_null() : json_array()));
			json_object_del(tx, "hash"); /* of another transaction now, by another sender */
			json_object_del(tx, "from");
			l.docs[0] = l.roots[0] = json_pack("[o]", tx);
			verify(&c, &l);
			assert_int_equal(c.fail.err, DR_ERR_PROOF);
			assert_string_equal(c.at, "block.transactions");
			memcpy(roots[i], c.got, sizeof(roots[i]));
			dr_check_free(&c);
			json_decref(l.roots[0]);
		}
		assert_string_equal(roots[0], roots[1]);
	}
}

/* A block made for a test: genesis with these members changed, and the hash put right. */
static json_t *block_with(const char *key, const char *value, const char *key2, const char *value2)
{
	json_t *block = json_loads(GENESIS, 0, NULL);
	struct dr_check c;

	json_object_set_new(block, key, json_string(value));
	if (key2 != NULL)
		json_object_set_new(block, key2, json_string(value2));
	json_object_del(block, "transactions");
	assert_true(dr_check_init(&c));
	dr_verify_header(&c, block);
	assert_int_equal(c.fail.err, DR_ERR_PROOF);
	json_object_set_new(block, "hash", json_string(c.expected));
	dr_check_free(&c);
	return block;
}

/* Any number of members that nobody knows, each named once: the alarm ends what takes the square of them. */
static void test_many_members(void **state)
{
	const size_t num = 300000;
	json_t *block = json_loads(GENESIS, 0, NULL);
	struct dr_check c;
	char name[300];

	(void)state;
	for (size_t i = 0; i < num; i++) {
		snprintf(name, sizeof(name), "x%zu", i);
		json_object_set_new(block, name, json_null());
	}
	memset(name, 'a', 127); /* cut after 128 bytes, but not within a character */
	snprintf(name + 127, sizeof(name) - 127, "\xc3\xa9\xc3\xa9");
	json_object_set_new(block, name, json_null());
	assert_true(dr_check_init(&c));
	alarm(100);
	dr_verify_header(&c, block);
	alarm(0);
	assert_int_equal(c.fail.err, DR_OK);
	assert_int_equal(json_array_size(c.unproven), num + 2); /* and the size */
	dr_check_free(&c);
	json_decref(block);
}

static void test_absent(void **state)
{
	static const struct {
		const char *name, *balance, *code, *storage, *value;
		enum dr_err err;
	} rows[] = {
#define EMPTY_CODE "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
		{ "as an empty account", "0x0", EMPTY_CODE, EMPTY_ROOT, "0x0", DR_OK },
		{ "as zeros", "0x0", ZERO32, ZERO32, "0x0", DR_OK },
		{ "with a balance", "0x1", EMPTY_CODE, EMPTY_ROOT, "0x0", DR_ERR_PROOF },
		{ "with a value", "0x0", EMPTY_CODE, EMPTY_ROOT, "0x1", DR_ERR_PROOF },
		{ "with code", "0x0", EMPTY_ROOT, EMPTY_ROOT, "0x0", DR_ERR_PROOF },
		{ "with storage", "0x0", EMPTY_CODE, EMPTY_CODE, "0x0", DR_ERR_PROOF },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *block = block_with("stateRoot", EMPTY_ROOT, NULL, NULL);
		json_t *proof =
			json_pack("{s:s,s:[],s:s,s:s,s:s,s:s,s:[{s:s,s:s,s:[]}]}", "address", USDT, "accountProof",
				  "balance", rows[i].balance, "nonce", "0x0", "codeHash", rows[i].code, "storageHash",
				  rows[i].storage, "storageProof", "key", "0x0", "value", rows[i].value, "proof");
		struct dr_check c;

		assert_true(dr_check_init(&c));
		dr_verify_proof(&c, block, proof);
		if (c.fail.err != rows[i].err)
			fail_msg("%s: %s", rows[i].name, c.fail.what);
		if (rows[i].err == DR_OK) {
			const json_t *slot = json_array_get(json_object_get(c.facts, "storage"), 0);

			assert_true(json_is_false(json_object_get(c.facts, "present")));
			assert_true(json_is_false(json_object_get(slot, "present")));
			assert_string_equal(json_string_value(json_object_get(slot, "value")), "0x0");
			assert_string_equal(json_string_value(json_object_get(slot, "key")), "0x0");
		}
		dr_check_free(&c);
		json_decref(block);
		json_decref(proof);
	}
}

/* The receipt of mainnet's block 46147 under its receiptsRoot: before Byzantium it held a state root, and a
 * server that adds a status made that up. */
static void test_before_byzantium(void **state)
{
	static const struct {
		const char *name, *root, *status;
		enum dr_err err;
		bool status_unproven;
	} rows[] = {
#define POST_STATE "0x96a8e009d2b88b1483e6941e6812e32263b05683fac202abc622a3e31aed1957"
		{ "a root", POST_STATE, NULL, DR_OK, false },
		{ "a root and a status", POST_STATE, "0x1", DR_OK, true },
		{ "a status", NULL, "0x1", DR_ERR_PROOF, false },
		{ "another root", ZERO32, NULL, DR_ERR_PROOF, false },
		{ "neither", NULL, NULL, DR_ERR_SYNTAX, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *block = block_with("receiptsRoot",
					   "0xfe2bf2a941abf41d72637e5b91750332a30283efd40c424dc522b77e6f0ed8c4",
					   "gasUsed", "0x5208");
		json_t *receipts = json_pack("[{s:O,s:s,s:s,s:s,s:[],s:s,s:s?,s:s?}]", "blockHash",
					     json_object_get(block, "hash"), "transactionIndex", "0x0",
					     "cumulativeGasUsed", "0x5208", "gasUsed", "0x5208", "logs", "logsBloom",
					     BLOOM0, "root", rows[i].root, "status", rows[i].status);
		struct dr_check c;

		assert_true(dr_check_init(&c));
		/* The transactions of this made-up block are nobody's: leave them unsaid. */
		dr_verify_receipts(&c, block, receipts);
		if (c.fail.err != rows[i].err)
			fail_msg("%s: %s at %s", rows[i].name, c.fail.what, c.at);
		if (rows[i].err == DR_OK)
			assert_int_equal(named(c.unproven, "status"), rows[i].status_unproven);
		assert_false(named(c.unproven, "root"));
		dr_check_free(&c);
		json_decref(block);
		json_decref(receipts);
	}
}

/* An empty list under a root that is not the empty one: a lie, except in block 0, whose roots no rule binds. */
static void test_empty_list(void **state)
{
	static const struct {
		const char *number;
		enum dr_err err;
	} rows[] = { { "0x0", DR_OK }, { "0x1", DR_ERR_PROOF } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *block = block_with("transactionsRoot", EMPTY_CODE, "number", rows[i].number);
		struct dr_check c;

		json_object_set_new(block, "transactions", json_array());
		assert_true(dr_check_init(&c));
		dr_verify_header(&c, block);
		assert_int_equal(c.fail.err, rows[i].err);
		assert_true(named(c.unproven, "transactions"));
		dr_check_free(&c);
		json_decref(block);
	}
}

/* One run of the command line; files are given by content, "-" as a content stays "-". */
static int run_cli(char **output, const char *kind, const char *const *contents, size_t num, const char *more)
{
	char paths[3][64], args[12][256];
	char *argv[12];
	int argc = 0;
	size_t len;
	FILE *out = open_memstream(output, &len);
	char *trouble = NULL;
	size_t trouble_len;
	FILE *err = open_memstream(&trouble, &trouble_len);
	char options[256] = "";
	int code;

	snprintf(args[argc++], sizeof(args[0]), "derot");
	snprintf(args[argc++], sizeof(args[0]), "verify");
	snprintf(args[argc++], sizeof(args[0]), "%s", kind);
	snprintf(options, sizeof(options), "%s", more);
	for (char *word = strtok(options, " "); word != NULL; word = strtok(NULL, " "))
		snprintf(args[argc++], sizeof(args[0]), "%s", word);
	for (size_t i = 0; i < num; i++) {
		FILE *f;
		int fd;

		snprintf(paths[i], sizeof(paths[i]), "/tmp/derot-test-XXXXXX");
		fd = mkstemp(paths[i]);
		assert_true(fd >= 0);
		f = fdopen(fd, "w");
		fputs(contents[i], f);
		fclose(f);
		snprintf(args[argc++], sizeof(args[0]), "%s", paths[i]);
	}
	for (int i = 0; i < argc; i++)
		argv[i] = args[i];
	code = dr_cli_main(argc, argv, out, err);
	fclose(out);
	fclose(err);
	free(trouble);
	for (size_t i = 0; i < num; i++)
		unlink(paths[i]);
	return code;
}

static void test_command(void **state)
{
	static const struct {
		const char *name;
		const char *kind;
		const char *contents[3];
		const char *options;
		int code;
		const char *has; /* in what is printed */
	} rows[] = {
		{ "genesis",
		  "evm-header",
		  { GENESIS },
		  "--format json",
		  0,
		  "\"number\":0,\"hash\":\"" GENESIS_HASH "\"" },
		{ "the rule by name", "evm-header", { GENESIS }, "--rule ethereum", 0, "\"ok\":true" },
		{ "a table", "evm-header", { GENESIS }, "--format=table", 0, "ok                yes\n" },
		{ "unproven", "evm-header", { GENESIS }, "", 0, "\"unproven\":[\"size\"]" },
		{ "a stranger", "evm-header", { GENESIS_AS(GENESIS_HASH, ",\"x\":[1]") }, "", 0, "[\"size\",\"x\"]" },
		{ "not of this fork",
		  "evm-header",
		  { GENESIS_AS(GENESIS_HASH, ",\"withdrawals\":[]") },
		  "",
		  0,
		  "\"unproven\":[\"size\",\"withdrawals\"]" },
		{ "a reply",
		  "evm-header",
		  { "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" GENESIS "}" },
		  "",
		  0,
		  "\"ok\":true" },
		{ "a reply without version",
		  "evm-header",
		  { "{\"id\":1,\"result\":" GENESIS "}" },
		  "",
		  0,
		  "\"ok\":true" },
		{ "a byte order mark", "evm-header", { "\xef\xbb\xbf" GENESIS "\n" }, "", 0, "\"ok\":true" },
		{ "half a byte order mark", "evm-header", { "\xef\xbb" GENESIS }, "", 1, "\"code\":\"syntax\"" },
		{ "an integer of 65 bits",
		  "evm-header",
		  { "{\"jsonrpc\":\"2.0\",\"id\":18446744073709551616,\"result\":" GENESIS "}" },
		  "",
		  0,
		  "\"ok\":true" },
		{ "capitals", "evm-header", { GENESIS_AS(GENESIS_HASH_UPPER, "") }, "", 0, "\"ok\":true" },
		{ "another hash", "evm-header", { GENESIS_AS(ZERO32, "") }, "", 3, "\"code\":\"proof\"" },
		{ "where", "evm-header", { GENESIS_AS(ZERO32, "") }, "", 3, "\"at\":\"block.hash\"" },
		{ "a short hash", "evm-header", { GENESIS_AS("0xd4", "") }, "", 1, "\"code\":\"syntax\"" },
		{ "a fork of nobody",
		  "evm-header",
		  { GENESIS_AS(GENESIS_HASH, ",\"withdrawalsRoot\":\"" ZERO32 "\"") },
		  "",
		  1,
		  "\"code\":\"unknown\"" },
		{ "twice the same name",
		  "evm-header",
		  { GENESIS_AS(GENESIS_HASH, ",\"number\":\"0x0\"") },
		  "",
		  1,
		  "\"ok\":false" },
		{ "a made-up withdrawal",
		  "evm-header",
		  { GENESIS_AS(GENESIS_HASH, ",\"withdrawals\":[{}]") },
		  "",
		  3,
		  "withdrawals" },
		{ "null",
		  "evm-header",
		  { "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}" },
		  "",
		  1,
		  "answered null" },
		{ "bare null", "evm-header", { "null" }, "", 1, "answered null" },
		{ "an error",
		  "evm-header",
		  { "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-1,\"message\":\"no\"}}" },
		  "",
		  1,
		  "\"got\":\"-1: no\"" },
		{ "an error without version",
		  "evm-header",
		  { "{\"error\":{\"code\":-1}}" },
		  "",
		  1,
		  "\"got\":\"-1: \"" },
		{ "nothing", "evm-header", { "" }, "", 1, "\"ok\":false" },
		{ "no JSON", "evm-header", { "<html>" }, "", 1, "\"code\":\"syntax\"" },
		{ "a list", "evm-header", { "[]" }, "", 1, "\"code\":\"syntax\"" },
		{ "an empty object", "evm-header", { "{}" }, "", 1, "\"ok\":false" },
		{ "no receipts", "evm-receipts", { GENESIS, "[]" }, "", 0, "\"receipts\":0,\"logs\":0" },
		{ "no receipt is none", "evm-receipts", { GENESIS, "[{}]" }, "", 3, "receipts" },
		{ "receipts are a list", "evm-receipts", { GENESIS, "{}" }, "", 1, "\"code\":\"syntax\"" },
		{ "no logs", "evm-logs", { GENESIS, "[]", "[]" }, "--address " DEPOSIT, 0, "\"logs\":0" },
		{ "logs from nowhere", "evm-logs", { GENESIS, "[]", "[{}]" }, "", 3, "logs[0]" },
		{ "a proof that is none", "evm-proof", { GENESIS, "{}" }, "", 1, "\"ok\":false" },
		{ "no such kind", "evm-moon", { GENESIS }, "", 64, "" },
		{ "no such rule", "evm-header", { GENESIS }, "--rule optimism", 64, "" },
		{ "no such format", "evm-header", { GENESIS }, "--format xml", 64, "" },
		{ "no such option", "evm-header", { GENESIS }, "--adress 0x00", 64, "" },
		{ "a file too few", "evm-receipts", { GENESIS }, "", 64, "" },
		{ "a file too many", "evm-header", { GENESIS, GENESIS }, "", 64, "" },
		{ "a short address", "evm-logs", { GENESIS, "[]", "[]" }, "--address 0x00", 64, "" },
		{ "a short topic", "evm-logs", { GENESIS, "[]", "[]" }, "--topic0 0x00", 64, "" },
		{ "a filter for a header", "evm-header", { GENESIS }, "--address " DEPOSIT, 64, "" },
		{ "twice standard input", "evm-receipts", { NULL }, "- -", 64, "" },
		{ "no such file", "evm-header", { NULL }, "/nonexistent/block.json", 1, "\"code\":\"io\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *printed = NULL;
		size_t num = 0;
		int code;

		while (num < 3 && rows[i].contents[num] != NULL)
			num++;
		code = run_cli(&printed, rows[i].kind, rows[i].contents, num, rows[i].options);
		if (code != rows[i].code || strstr(printed, rows[i].has) == NULL)
			fail_msg("%s: exit %d, expected %d with %s: %s", rows[i].name, code, rows[i].code,
				 rows[i].has, printed);
		free(printed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_flip_block),
		cmocka_unit_test(test_flip_receipts),
		cmocka_unit_test(test_flip_logs),
		cmocka_unit_test(test_flip_proof),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_confuse),
		cmocka_unit_test(test_transactions),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_many_members),
		cmocka_unit_test(test_empty_list),
		cmocka_unit_test(test_before_byzantium),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
