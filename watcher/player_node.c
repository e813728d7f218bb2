/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/player_node.h"

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
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chain/base/arena.h"
#include "chain/base/hex.h"
#include "watcher/rpc.h"

/* Of the block's 30 million. */
#define CREATE_GAS "0x1312d00"
#define CALL_GAS   "0x1e8480"

bool dr_player_fail(struct dr_player *p, const char *format, ...)
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
		dr_player_fail(p, "no memory");
		return NULL;
	}
	memcpy(calls->params, text, strlen(text));
	free(text);
	snprintf(calls->method, sizeof(calls->method), "%s", method);
	if (dr_rpc_post(p->rpc, 0, calls, 1, NULL, &why) != DR_OK) {
		dr_player_fail(p, "%s", why.what);
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
		dr_player_fail(p, "%s: %s %s", method, dr_rpc_end_name(done->end),
			       done->end == DR_RPC_ERROR ? done->reply.message : "");
	dr_rpc_exchange_free(x);
	return result;
}

bool dr_player_call(struct dr_player *p, const char *method, json_t *params)
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
		return dr_player_fail(p, "the node's answer has no good %s", key);
	return true;
}

static bool quantity_field(struct dr_player *p, const json_t *obj, const char *key, uint64_t *out)
{
	const char *text = json_string_value(json_object_get(obj, key));
	struct dr_fail why = { 0 };

	if (text == NULL || dr_hex_u64(out, text, strlen(text), &why) != DR_OK)
		return dr_player_fail(p, "the node's answer has no good %s", key);
	return true;
}

bool dr_player_account(struct dr_player *p, uint8_t out[static 20], const char *name)
{
	for (uint32_t i = 0; i < p->scenario->accounts_count && i < DR_PLAYER_ACCOUNTS_MAX; i++) {
		if (strcmp(p->scenario->accounts[i], name) == 0) {
			memcpy(out, p->accounts[i], 20);
			return true;
		}
	}
	return dr_player_fail(p, "no account is called %s", name);
}

bool dr_player_number(struct dr_player *p, uint64_t *out, const char *text)
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
		return dr_player_fail(p, "%s is no number", text);
	return true;
}

/* A block of what was sent, DR_PLAYER_BLOCK_S after the last. What was sent must have succeeded, or have been
 * reverted where the scenario says so. */
static bool mine(struct dr_player *p)
{
	bool good = dr_player_call(p, "evm_setNextBlockTimestamp",
				   json_pack("[I]", (json_int_t)(p->time + DR_PLAYER_BLOCK_S))) &&
		    dr_player_call(p, "evm_mine", json_array());

	if (good) {
		p->time += DR_PLAYER_BLOCK_S;
		p->latest++;
	}
	for (size_t i = 0; i < p->num_sent; i++) {
		json_t *receipt =
			good ? call(p, "eth_getTransactionReceipt", json_pack("[O]", p->sent[i].hash)) : NULL;
		const char *status = json_string_value(json_object_get(receipt, "status"));
		const bool reverted = status == NULL || strcmp(status, "0x1") != 0;
		uint64_t number_of = 0;

		good = receipt != NULL && quantity_field(p, receipt, "blockNumber", &number_of);
		if (good && number_of != p->latest)
			good = dr_player_fail(p, "the transaction is in another block");
		else if (good && reverted != p->sent[i].refused)
			good = dr_player_fail(p, reverted ? "the transaction was reverted"
							  : "the contract did not refuse it");
		json_decref(receipt);
		json_decref(p->sent[i].hash);
	}
	p->num_sent = 0;
	return good;
}

/* The hash (a new reference) of a transaction that waits for its block. */
static json_t *post(struct dr_player *p, const uint8_t from[static 20], bool create, const char *data,
		    const char *value)
{
	char from_hex[43] = "0x", to_hex[43] = "0x", value_hex[32];
	uint64_t gwei = 0;
	json_t *tx;

	if (value != NULL && !dr_player_number(p, &gwei, value))
		return NULL;
	if (gwei > UINT64_MAX / 1000000000u) {
		dr_player_fail(p, "a value of at most %" PRIu64 " gwei", UINT64_MAX / 1000000000u);
		return NULL;
	}
	dr_hex_put(from_hex + 2, from, 20);
	dr_hex_put(to_hex + 2, p->contract, 20);
	snprintf(value_hex, sizeof(value_hex), "0x%" PRIx64, gwei * 1000000000u);
	tx = json_pack("{s:s, s:s, s:s, s:s}", "from", from_hex, "data", data, "value", value_hex, "gas",
		       create ? CREATE_GAS : CALL_GAS);
	if (!create)
		json_object_set_new(tx, "to", json_string(to_hex));
	return call(p, "eth_sendTransaction", json_pack("[o]", tx));
}

bool dr_player_send(struct dr_player *p, const uint8_t from[static 20], const char *data,
		    const struct dr_scenario_step *step)
{
	const bool refused = step->refused != NULL && strcmp(step->refused, "yes") == 0;
	const bool more = step->more != NULL && strcmp(step->more, "yes") == 0;

	if ((step->refused != NULL && !refused) || (step->more != NULL && !more))
		return dr_player_fail(p, "refused and more are yes, or absent");
	if (p->num_sent == DR_PLAYER_SENT_MAX)
		return dr_player_fail(p, "at most %u transactions a block", DR_PLAYER_SENT_MAX);
	json_t *hash = post(p, from, false, data, step->value);

	if (hash == NULL)
		return false;
	p->sent[p->num_sent].hash = hash;
	p->sent[p->num_sent++].refused = refused;
	return more || mine(p);
}

bool dr_player_mine(struct dr_player *p, unsigned blocks)
{
	for (unsigned i = 0; i < blocks; i++)
		if (!mine(p))
			return false;
	return true;
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
	if (!dr_player_account(p, w + 12, text))
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
	if (!dr_player_number(p, &value, c->quorum))
		return false;
	put_number(at, value);
	if (!dr_player_number(p, &value, c->voting_period))
		return false;
	put_number(at, value);
	if (c->notices_count != 5)
		return dr_player_fail(p, "five notice periods: council, measurement, root, profile, app");
	for (size_t i = 0; i < 5; i++) {
		if (!dr_player_number(p, &value, c->notices[i]))
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

		if (weight == NULL || !dr_player_number(p, &value, weight + 1))
			return dr_player_fail(p, "a member is an account and a weight: %s", c->members[i]);
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
	json_t *hash = NULL, *receipt = NULL;
	bool good;

	if (data == NULL)
		return dr_player_fail(p, "no memory");
	if (c->members_count > 64 || c->guardians_count > 64) {
		dr_heap_free(data);
		return dr_player_fail(p, "at most 64 members and guardians");
	}
	at += snprintf(data, cap, "0x%s", creation);
	good = put_constructor(p, &at, profile) && (hash = post(p, p->accounts[0], true, data, NULL)) != NULL &&
	       mine(p) && (receipt = call(p, "eth_getTransactionReceipt", json_pack("[O]", hash))) != NULL;
	const char *status = json_string_value(json_object_get(receipt, "status"));

	if (good && (status == NULL || strcmp(status, "0x1") != 0))
		good = dr_player_fail(p, "the constructor refused the scenario's council");
	good = good && hex_field(p, receipt, "contractAddress", p->contract, 20) &&
	       hex_field(p, receipt, "blockHash", p->start_hash, 32);
	json_decref(receipt);
	json_decref(hash);
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

	if (!dr_player_number(p, &start, p->scenario->start_time))
		return false;
	p->time = start - DR_PLAYER_BLOCK_S;
	p->port = free_port();
	snprintf(port, sizeof(port), "%u", p->port);
	snprintf(timestamp, sizeof(timestamp), "%" PRIu64, p->time);
	snprintf(p->url, sizeof(p->url), "http://127.0.0.1:%u", p->port);
	const char *const urls[] = { p->url };
	const struct dr_rpc_limits limits = {
		.timeout_ms = 30000, .batch_requests = 1, .batch_bytes = 1u << 20, .body_max = (size_t)16 << 20
	};

	p->rpc = dr_rpc_new(urls, 1, 0, &limits);
	if (p->rpc == NULL)
		return dr_player_fail(p, "no memory for a connection");
	fflush(NULL);
	p->anvil = fork();
	if (p->anvil == 0) {
		const int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execl(anvil, "anvil", "--silent", "--host", "127.0.0.1", "--port", port, "--hardfork", "prague",
		      "--slots-in-an-epoch", "1", "--no-mining", "--order", "fifo", "--timestamp", timestamp,
		      (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 100; i++) {
		const struct timespec nap = { 0, 50000000 };
		int status;

		nanosleep(&nap, NULL);
		if (p->anvil > 0 && waitpid(p->anvil, &status, WNOHANG) == p->anvil) {
			p->anvil = 0;
			return dr_player_fail(p, "anvil does not start: %s", anvil);
		}
		json_t *id = call(p, "eth_chainId", json_array());

		if (id == NULL)
			continue;
		struct dr_fail why = { 0 };
		const bool good = json_is_string(id) && dr_hex_u64(&p->chain_id, json_string_value(id),
								   json_string_length(id), &why) == DR_OK;

		json_decref(id);
		return good || dr_player_fail(p, "anvil's chain id");
	}
	return dr_player_fail(p, "anvil does not answer");
}

bool dr_player_start(struct dr_player *p, const struct dr_scenario *scenario, const char *anvil, const char *creation,
		     const uint8_t profile[static 32])
{
	struct dr_fail why = { 0 };
	json_t *list, *block;
	bool good = true;

	memset(p, 0, sizeof(*p));
	p->scenario = scenario;
	memcpy(p->profile, profile, 32);
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
		return dr_player_fail(p, "the node has fewer accounts than the scenario");
	block = call(p, "eth_getBlockByNumber", json_pack("[s,b]", "0x0", 0));
	good = block != NULL && hex_field(p, block, "hash", p->genesis, 32);
	json_decref(block);
	return good && dr_player_account(p, p->node, scenario->node) && deploy(p, creation, profile);
}

void dr_player_stop(struct dr_player *p)
{
	if (p->anvil > 0) {
		kill(p->anvil, SIGTERM);
		waitpid(p->anvil, NULL, 0);
	}
	p->anvil = 0;
	while (p->num_sent > 0)
		json_decref(p->sent[--p->num_sent].hash);
	dr_rpc_free(p->rpc);
	p->rpc = NULL;
	explicit_bzero(p->sig_secret, sizeof(p->sig_secret));
}
