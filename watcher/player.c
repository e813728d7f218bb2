/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/player.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chain/base/arena.h"
#include "chain/base/hex.h"
#include "chain/crypto/ed25519.h"
#include "chain/crypto/keccak.h"
#include "chain/crypto/ristretto.h"
#include "chain/crypto/voprf.h"
#include "watcher/anchor.h"
#include "watcher/rpc.h"

#define BLOCK_S 12u
#define WORDS_MAX 24u
#define PROPOSALS_SLOT 7u /* of DeRoT.sol: mapping(id → proposal), its yes tally first */

/* A function of DeRoT.sol and the kinds of its arguments: w word, u number, a account, b yes or no. */
static const struct function {
	const char *call, *signature, *kinds;
} functions[] = {
	{ "registerApp", "registerApp(bytes32,bytes32,uint64,uint64)", "wwuu" },
	{ "announce", "announce(bytes32,bytes32)", "ww" },
	{ "revokeAppMeasurement", "revokeAppMeasurement(bytes32,bytes32)", "ww" },
	{ "suspendApp", "suspendApp(bytes32)", "w" },
	{ "handover", "handover(bytes32,bytes32,bytes32)", "www" },
	{ "endHandover", "endHandover(bytes32,bytes32,bytes32)", "www" },
	{ "relaxConfidence", "relaxConfidence(bytes32,uint64)", "wu" },
	{ "tightenConfidence", "tightenConfidence(bytes32,uint64)", "wu" },
	{ "setEpochPolicy", "setEpochPolicy(bytes32,bytes32,uint64,uint64)", "wwuu" },
	{ "advanceEpoch", "advanceEpoch(bytes32,bytes32)", "ww" },
	{ "registerNode", "registerNode(uint64,bytes32,bytes32,bytes32,bytes32,uint64,bytes32)", "uwwwwuw" },
	{ "stake", "stake()", "" },
	{ "deregisterNode", "deregisterNode()", "" },
	{ "withdraw", "withdraw()", "" },
	{ "heartbeat", "heartbeat(bytes32)", "w" },
	{ "vote", "vote(uint64,bool)", "ub" },
	{ "cancel", "cancel(uint64)", "u" },
	{ "execute", "execute(uint64)", "u" },
	{ "revokeMeasurement", "revokeMeasurement(bytes32)", "w" },
	{ "blacklist", "blacklist(uint64,bytes32,uint64)", "uwu" },
	{ "exposeRoot", "exposeRoot(uint64,uint64)", "uu" },
};

static bool fail(struct dr_player *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct dr_player *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(p->why, sizeof(p->why), format, args);
	va_end(args);
	return false;
}

/* One call; the result (null too) is a new reference; NULL with why set. Takes params. */
static json_t *call(struct dr_player *p, const char *method, json_t *params)
{
	struct dr_rpc_call *calls = dr_heap_alloc(sizeof(*calls));
	char *text = json_dumps(params, JSON_COMPACT);
	struct dr_rpc_exchange *x = NULL;
	struct dr_fail why = { 0 };
	json_t *result = NULL;

	json_decref(params);
	if (calls == NULL || text == NULL || (calls->params = dr_heap_alloc(strlen(text) + 1)) == NULL) {
		dr_heap_free(calls);
		free(text);
		fail(p, "no memory");
		return NULL;
	}
	memcpy(calls->params, text, strlen(text));
	free(text);
	snprintf(calls->method, sizeof(calls->method), "%s", method);
	if (dr_rpc_post(p->rpc, 0, calls, 1, NULL, &why) != DR_OK) {
		fail(p, "%s", why.what);
		return NULL;
	}
	for (short ready = 0; (x = dr_rpc_done(p->rpc)) == NULL;)
		dr_rpc_wait(p->rpc, -1, 0, &ready, 1000);
	const struct dr_rpc_call *done = &x->calls[0];

	if (done->end == DR_RPC_RESULT)
		result = json_deep_copy(done->reply.result);
	else if (done->end == DR_RPC_NULL)
		result = json_null();
	else
		fail(p, "%s: %s %s", method, dr_rpc_end_name(done->end), done->end == DR_RPC_ERROR ? done->reply.message : "");
	dr_rpc_exchange_free(x);
	return result;
}

static bool call_void(struct dr_player *p, const char *method, json_t *params)
{
	json_t *result = call(p, method, params);

	json_decref(result);
	return result != NULL;
}

static bool hex_field(struct dr_player *p, const json_t *obj, const char *key, uint8_t *out, size_t len)
{
	const char *text = json_string_value(json_object_get(obj, key));
	struct dr_fail why = { 0 };

	if (text == NULL || dr_hex_fixed(out, len, text, strlen(text), &why) != DR_OK)
		return fail(p, "the node's answer has no good %s", key);
	return true;
}

static bool quantity_field(struct dr_player *p, const json_t *obj, const char *key, uint64_t *out)
{
	const char *text = json_string_value(json_object_get(obj, key));
	struct dr_fail why = { 0 };

	if (text == NULL || dr_hex_u64(out, text, strlen(text), &why) != DR_OK)
		return fail(p, "the node's answer has no good %s", key);
	return true;
}

static bool account(struct dr_player *p, uint8_t out[static 20], const char *name)
{
	for (uint32_t i = 0; i < p->scenario->accounts_count && i < DR_PLAYER_ACCOUNTS_MAX; i++) {
		if (strcmp(p->scenario->accounts[i], name) == 0) {
			memcpy(out, p->accounts[i], 20);
			return true;
		}
	}
	return fail(p, "no account is called %s", name);
}

static bool number(struct dr_player *p, uint64_t *out, const char *text)
{
	char *end;

	for (int kind = DR_HARDWARE_FAMILY; kind <= DR_HARDWARE_TEE; kind++) {
		if (strcmp(text, dr_hardware_name((enum dr_hardware)kind)) == 0) {
			*out = (uint64_t)kind;
			return true;
		}
	}
	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9')
		return fail(p, "%s is no number", text);
	return true;
}

/* One argument as an ABI word; kind as in functions. */
static bool word(struct dr_player *p, uint8_t out[static 32], char kind, const char *text)
{
	uint64_t value;

	memset(out, 0, 32);
	switch (kind) {
	case 'u':
		/* A moment relative to the newest block: +60. */
		if (text[0] == '+') {
			if (!number(p, &value, text + 1))
				return false;
			dr_word_put(out, p->time + value);
			return true;
		}
		if (!number(p, &value, text))
			return false;
		dr_word_put(out, value);
		return true;
	case 'a': return account(p, out + 12, text);
	case 'b': out[31] = strcmp(text, "yes") == 0; return out[31] != 0 || strcmp(text, "no") == 0 || fail(p, "yes or no, not %s", text);
	case 'w': return dr_word_parse(out, text) || fail(p, "%s is no word", text);
	}
	return fail(p, "no such kind of argument: %c", kind);
}

/* Mines the transaction as the next block, BLOCK_S after the last; a revert is an error. */
static bool transact(struct dr_player *p, const uint8_t from[static 20], bool create, const char *data, const char *value)
{
	char from_hex[43] = "0x", to_hex[43] = "0x", value_hex[32];
	uint64_t gwei = 0;
	json_t *tx, *hash, *receipt;

	if (value != NULL && !number(p, &gwei, value))
		return false;
	if (gwei > UINT64_MAX / 1000000000u)
		return fail(p, "a value of at most %" PRIu64 " gwei", UINT64_MAX / 1000000000u);
	dr_hex_put(from_hex + 2, from, 20);
	dr_hex_put(to_hex + 2, p->contract, 20);
	snprintf(value_hex, sizeof(value_hex), "0x%" PRIx64, gwei * 1000000000u);
	tx = json_pack("{s:s, s:s, s:s, s:s}", "from", from_hex, "data", data, "value", value_hex, "gas", "0x1312d00");
	if (!create)
		json_object_set_new(tx, "to", json_string(to_hex));
	if (!call_void(p, "evm_setNextBlockTimestamp", json_pack("[I]", (json_int_t)(p->time + BLOCK_S)))) {
		json_decref(tx);
		return false;
	}
	hash = call(p, "eth_sendTransaction", json_pack("[o]", tx));
	if (hash == NULL || !call_void(p, "evm_mine", json_array())) {
		json_decref(hash);
		return false;
	}
	receipt = call(p, "eth_getTransactionReceipt", json_pack("[o]", hash));
	if (receipt == NULL)
		return false;
	p->time += BLOCK_S;
	const char *status = json_string_value(json_object_get(receipt, "status"));
	bool good = status != NULL && strcmp(status, "0x1") == 0 && quantity_field(p, receipt, "blockNumber", &p->latest);

	if (good && create)
		good = hex_field(p, receipt, "contractAddress", p->contract, 20) &&
		       hex_field(p, receipt, "blockHash", p->start_hash, 32);
	else if (!good)
		fail(p, "the transaction was reverted");
	json_decref(receipt);
	return good;
}

static bool send_words(struct dr_player *p, const char *by, const char *signature, uint8_t (*words)[32], size_t num,
                       const char *value)
{
	uint8_t from[20], selector[32];
	char data[2 + 8 + 64 * WORDS_MAX + 1] = "0x";

	DR_ASSERT(num <= WORDS_MAX);
	if (by == NULL)
		return fail(p, "this call needs `by`");
	if (!account(p, from, by))
		return false;
	dr_keccak256(selector, signature, strlen(signature));
	dr_hex_put(data + 2, selector, 4);
	dr_hex_put(data + 10, words, num * 32);
	return transact(p, from, false, data, value);
}

static bool play_propose(struct dr_player *p, const struct dr_scenario_step *step)
{
	uint8_t words[9][32] = { { 0 } };
	const struct dr_action_def *def = step->args_count > 0 ? dr_action_by_name(step->args[0]) : NULL;
	static const char kinds[] = { [DR_WORD_BYTES32] = 'w', [DR_WORD_U64] = 'u', [DR_WORD_ADDRESS] = 'a', [DR_WORD_BOOL] = 'b' };

	if (def == NULL)
		return fail(p, "propose: the first argument is an action's name");
	if (step->args_count != def->num_args + 1u || def->num_args > 8)
		return fail(p, "propose: %s takes %u arguments", def->name, def->num_args);
	dr_word_put(words[0], (uint64_t)def->action);
	for (uint32_t i = 0; i < def->num_args; i++)
		if (!word(p, words[1 + i], kinds[def->args[i].type], step->args[1 + i]))
			return false;
	return send_words(p, step->by, "propose(uint16,bytes32[8])", words, 9, NULL);
}

/* Makes a generation's two keys, publishes them and forgets the first. */
static bool play_publish(struct dr_player *p, const struct dr_scenario_step *step)
{
	struct dr_root_claim claim = { .chain_id = p->chain_id };
	uint8_t words[11][32] = { { 0 } }, context[DR_ROOT_CONTEXT_LEN], secret[32], wide[64], seed[32], sig[64];
	struct dr_fail why = { 0 };
	uint64_t g;

	if (step->args_count != 1 || !number(p, &g, step->args[0]) || g < 1 || g >= DR_PLAYER_ROOTS_MAX)
		return fail(p, "publish takes a generation, 1 to %u", DR_PLAYER_ROOTS_MAX - 1);
	if (step->by == NULL || !account(p, claim.node, step->by))
		return fail(p, "publish needs `by`, the node");
	if (getrandom(wide, sizeof(wide), 0) != sizeof(wide) || getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		return fail(p, "no randomness");
	dr_ristretto_scalar_reduce(secret, wide);
	memcpy(claim.genesis, p->genesis, 32);
	memcpy(claim.contract, p->contract, 20);
	claim.generation = g;
	dr_root_scheme(claim.scheme);
	dr_ed25519_keypair(claim.sig_pub, p->sig_secret[g], seed);
	if (dr_voprf_public(claim.prf_pub, secret, &why) != DR_OK)
		return fail(p, "%s", why.what);
	dr_root_context(context, &claim);
	dr_word_put(words[0], g);
	memcpy(words[1], claim.scheme, 32);
	memcpy(words[2], claim.prf_pub, 32);
	if (dr_voprf_possess_prove(words[3], words[4], secret, dr_bytes_of(context, sizeof(context)), &why) != DR_OK)
		return fail(p, "%s", why.what);
	memcpy(words[5], claim.sig_pub, 32);
	dr_ed25519_sign(sig, dr_bytes_of(context, sizeof(context)), p->sig_secret[g]);
	memcpy(&words[6], sig, 64);
	memcpy(words[8], claim.quote, 32);
	if (g > 1) {
		dr_ed25519_sign(sig, dr_bytes_of(context, sizeof(context)), p->sig_secret[g - 1]);
		memcpy(&words[9], sig, 64);
	}
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(wide, sizeof(wide));
	return send_words(p, step->by, "publishRoot(uint64,bytes32[10])", words, 11, NULL);
}

/* The chain's own tally of a proposal, overwritten behind its back: what a contract with a back door, or a
 * chain that breaks its rules, would do. */
static bool play_tamper(struct dr_player *p, const struct dr_scenario_step *step)
{
	uint8_t key[64] = { 0 }, slot[32], value[32];
	char slot_hex[67] = "0x", value_hex[67] = "0x", contract_hex[43] = "0x";
	uint64_t id, yes;

	if (step->args_count != 2 || !number(p, &id, step->args[0]) || !number(p, &yes, step->args[1]))
		return fail(p, "tamper_votes takes a proposal and a tally");
	dr_word_put(key, id);
	dr_word_put(key + 32, PROPOSALS_SLOT);
	dr_keccak256(slot, key, sizeof(key));
	dr_word_put(value, yes);
	dr_hex_put(slot_hex + 2, slot, 32);
	dr_hex_put(value_hex + 2, value, 32);
	dr_hex_put(contract_hex + 2, p->contract, 20);
	return call_void(p, "anvil_setStorageAt", json_pack("[s,s,s]", contract_hex, slot_hex, value_hex)) &&
	       dr_player_mine(p, 1);
}

bool dr_player_mine(struct dr_player *p, unsigned blocks)
{
	for (unsigned i = 0; i < blocks; i++) {
		if (!call_void(p, "evm_setNextBlockTimestamp", json_pack("[I]", (json_int_t)(p->time + BLOCK_S))) ||
		    !call_void(p, "evm_mine", json_array()))
			return false;
		p->time += BLOCK_S;
		p->latest++;
	}
	return true;
}

bool dr_player_step(struct dr_player *p, const struct dr_scenario_step *step)
{
	uint8_t words[WORDS_MAX][32];
	uint64_t seconds;

	if (strcmp(step->call, "wait") == 0) {
		if (step->args_count != 1 || !number(p, &seconds, step->args[0]))
			return fail(p, "wait takes seconds");
		p->time += seconds > BLOCK_S ? seconds - BLOCK_S : 0;
		return dr_player_mine(p, 1);
	}
	if (strcmp(step->call, "propose") == 0)
		return play_propose(p, step);
	if (strcmp(step->call, "publish") == 0)
		return play_publish(p, step);
	if (strcmp(step->call, "tamper_votes") == 0)
		return play_tamper(p, step);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		const struct function *f = &functions[i];

		if (strcmp(step->call, f->call) != 0)
			continue;
		if (step->args_count != strlen(f->kinds))
			return fail(p, "%s takes %zu arguments", f->call, strlen(f->kinds));
		for (uint32_t a = 0; a < step->args_count; a++)
			if (!word(p, words[a], f->kinds[a], step->args[a]))
				return false;
		return send_words(p, step->by, f->signature, words, step->args_count, step->value);
	}
	return fail(p, "no such call: %s", step->call);
}

static void put_word(char **at, const uint8_t w[static 32])
{
	dr_hex_put(*at, w, 32);
	*at += 64;
}

static void put_number(char **at, uint64_t value)
{
	uint8_t w[32];

	dr_word_put(w, value);
	put_word(at, w);
}

static bool put_account(struct dr_player *p, char **at, const char *name, size_t len)
{
	uint8_t w[32] = { 0 };
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)len, name);
	if (!account(p, w + 12, text))
		return false;
	put_word(at, w);
	return true;
}

/* constructor(address[] members, uint64[] weights, address[] guardians, uint64 quorum, uint64 votingPeriod,
 * uint64[5] notices, bytes32 profile) */
static bool put_constructor(struct dr_player *p, char **at, const uint8_t profile[static 32])
{
	const struct dr_scenario_council *c = &p->scenario->council;
	const uint64_t head = 11 * 32, m = c->members_count, g = c->guardians_count;
	uint64_t value;

	put_number(at, head);
	put_number(at, head + (1 + m) * 32);
	put_number(at, head + (2 + 2 * m) * 32);
	if (!number(p, &value, c->quorum))
		return false;
	put_number(at, value);
	if (!number(p, &value, c->voting_period))
		return false;
	put_number(at, value);
	if (c->notices_count != 5)
		return fail(p, "five notice periods: council, measurement, root, profile, app");
	for (size_t i = 0; i < 5; i++) {
		if (!number(p, &value, c->notices[i]))
			return false;
		put_number(at, value);
	}
	put_word(at, profile);
	put_number(at, m);
	for (uint32_t i = 0; i < m; i++)
		if (!put_account(p, at, c->members[i], strcspn(c->members[i], " ")))
			return false;
	put_number(at, m);
	for (uint32_t i = 0; i < m; i++) {
		const char *weight = strchr(c->members[i], ' ');

		if (weight == NULL || !number(p, &value, weight + 1))
			return fail(p, "a member is an account and a weight: %s", c->members[i]);
		put_number(at, value);
	}
	put_number(at, g);
	for (uint32_t i = 0; i < g; i++)
		if (!put_account(p, at, c->guardians[i], strlen(c->guardians[i])))
			return false;
	return true;
}

static bool deploy(struct dr_player *p, const char *creation, const uint8_t profile[static 32])
{
	const size_t cap = strlen(creation) + 2 + 64 * (14 + 3 * 64) + 1;
	const struct dr_scenario_council *c = &p->scenario->council;
	char *data = dr_heap_alloc(cap), *at = data;
	bool good;

	if (data == NULL)
		return fail(p, "no memory");
	if (c->members_count > 64 || c->guardians_count > 64) {
		dr_heap_free(data);
		return fail(p, "at most 64 members and guardians");
	}
	at += snprintf(data, cap, "0x%s", creation);
	good = put_constructor(p, &at, profile) && transact(p, p->accounts[0], true, data, NULL);
	dr_heap_free(data);
	p->start_number = p->latest;
	return good;
}

/* A port that nobody listens on: the system picks it, and it is given back at once. */
static unsigned free_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned port = 0;

	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
	    getsockname(fd, (struct sockaddr *)&addr, &len) == 0)
		port = ntohs(addr.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}

static bool start_anvil(struct dr_player *p, const char *anvil)
{
	char port[16], timestamp[32];
	uint64_t start;

	if (!number(p, &start, p->scenario->start_time))
		return false;
	p->time = start - BLOCK_S;
	p->port = free_port();
	snprintf(port, sizeof(port), "%u", p->port);
	snprintf(timestamp, sizeof(timestamp), "%" PRIu64, p->time);
	snprintf(p->url, sizeof(p->url), "http://127.0.0.1:%u", p->port);
	const char *const urls[] = { p->url };
	const struct dr_rpc_limits limits = { .timeout_ms = 30000, .batch_requests = 1, .batch_bytes = 1u << 20,
		                              .body_max = (size_t)16 << 20 };

	p->rpc = dr_rpc_new(urls, 1, &limits);
	if (p->rpc == NULL)
		return fail(p, "no memory for a connection");
	fflush(NULL);
	p->anvil = fork();
	if (p->anvil == 0) {
		const int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execl(anvil, "anvil", "--silent", "--host", "127.0.0.1", "--port", port, "--hardfork", "prague",
		      "--slots-in-an-epoch", "1", "--no-mining", "--timestamp", timestamp, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 100; i++) {
		const struct timespec nap = { 0, 50000000 };
		int status;

		nanosleep(&nap, NULL);
		if (p->anvil > 0 && waitpid(p->anvil, &status, WNOHANG) == p->anvil) {
			p->anvil = 0;
			return fail(p, "anvil does not start: %s", anvil);
		}
		json_t *id = call(p, "eth_chainId", json_array());

		if (id == NULL)
			continue;
		struct dr_fail why = { 0 };
		const bool good = json_is_string(id) && dr_hex_u64(&p->chain_id, json_string_value(id),
		                                                   json_string_length(id), &why) == DR_OK;

		json_decref(id);
		return good || fail(p, "anvil's chain id");
	}
	return fail(p, "anvil does not answer");
}

bool dr_player_start(struct dr_player *p, const struct dr_scenario *scenario, const char *anvil, const char *creation,
                     const uint8_t profile[static 32])
{
	struct dr_fail why = { 0 };
	json_t *list, *block;
	bool good = true;

	memset(p, 0, sizeof(*p));
	p->scenario = scenario;
	if (!start_anvil(p, anvil))
		return false;
	list = call(p, "eth_accounts", json_array());
	for (size_t i = 0; list != NULL && i < json_array_size(list) && i < DR_PLAYER_ACCOUNTS_MAX; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		good = good && text != NULL && dr_hex_fixed(p->accounts[i], 20, text, strlen(text), &why) == DR_OK;
	}
	good = good && list != NULL && json_array_size(list) >= scenario->accounts_count;
	json_decref(list);
	if (!good)
		return fail(p, "the node has fewer accounts than the scenario");
	block = call(p, "eth_getBlockByNumber", json_pack("[s,b]", "0x0", 0));
	good = block != NULL && hex_field(p, block, "hash", p->genesis, 32);
	json_decref(block);
	return good && account(p, p->node, scenario->node) && deploy(p, creation, profile);
}

void dr_player_stop(struct dr_player *p)
{
	if (p->anvil > 0) {
		kill(p->anvil, SIGTERM);
		waitpid(p->anvil, NULL, 0);
	}
	p->anvil = 0;
	dr_rpc_free(p->rpc);
	p->rpc = NULL;
	explicit_bzero(p->sig_secret, sizeof(p->sig_secret));
}
