/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/player.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "chain/base/hex.h"
#include "chain/crypto/ed25519.h"
#include "chain/crypto/keccak.h"
#include "chain/crypto/ristretto.h"
#include "chain/crypto/voprf.h"
#include "watcher/anchor.h"
#include "watcher/player_node.h"

#define WORDS_MAX      24u
#define PROPOSALS_SLOT 7u /* of DeRoT.sol: mapping(id → proposal), its yes tally first */

/* Mappings of DeRoT.sol that derot proves, and the kinds of their keys (as in functions). */
static const struct mapping {
	const char *kind;
	uint8_t slot;
	const char *keys;
} mappings[] = {
	{ "measurement", 2, "w" }, { "app.measurement", 3, "ww" }, { "hardware", 4, "uw" },
	{ "root", 5, "u" },        { "suspended", 6, "w" },
};

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

/* One argument as an ABI word; kind as in functions. */
static bool word(struct dr_player *p, uint8_t out[static 32], char kind, const char *text)
{
	uint64_t value;

	memset(out, 0, 32);
	switch (kind) {
	case 'u':
		/* A moment relative to the newest block: +60. */
		if (text[0] == '+') {
			if (!dr_player_number(p, &value, text + 1))
				return false;
			dr_word_put(out, p->time + value);
			return true;
		}
		if (!dr_player_number(p, &value, text))
			return false;
		dr_word_put(out, value);
		return true;
	case 'a': return dr_player_account(p, out + 12, text);
	case 'b':
		out[31] = strcmp(text, "yes") == 0;
		return out[31] != 0 || strcmp(text, "no") == 0 || dr_player_fail(p, "yes or no, not %s", text);
	case 'w':
		if (strcmp(text, "@profile") == 0) {
			memcpy(out, p->profile, 32);
			return true;
		}
		return dr_word_parse(out, text) || dr_player_fail(p, "%s is no word", text);
	}
	return dr_player_fail(p, "no such kind of argument: %c", kind);
}

static bool send_words(struct dr_player *p, const struct dr_scenario_step *step, const char *signature,
		       uint8_t (*words)[32], size_t num)
{
	uint8_t from[20], selector[32];
	char data[2 + 8 + 64 * WORDS_MAX + 1] = "0x";

	DR_ASSERT(num <= WORDS_MAX);
	if (step->by == NULL)
		return dr_player_fail(p, "this call needs `by`");
	if (!dr_player_account(p, from, step->by))
		return false;
	dr_keccak256(selector, signature, strlen(signature));
	dr_hex_put(data + 2, selector, 4);
	dr_hex_put(data + 10, words, num * 32);
	return dr_player_send(p, from, data, step);
}

static bool play_propose(struct dr_player *p, const struct dr_scenario_step *step)
{
	uint8_t words[9][32] = { { 0 } };
	const struct dr_action_def *def = step->args_count > 0 ? dr_action_by_name(step->args[0]) : NULL;
	static const char kinds[] = {
		[DR_WORD_BYTES32] = 'w', [DR_WORD_U64] = 'u', [DR_WORD_ADDRESS] = 'a', [DR_WORD_BOOL] = 'b'
	};

	if (def == NULL)
		return dr_player_fail(p, "propose: the first argument is an action's name");
	if (step->args_count != def->num_args + 1u || def->num_args > 8)
		return dr_player_fail(p, "propose: %s takes %u arguments", def->name, def->num_args);
	dr_word_put(words[0], (uint64_t)def->action);
	for (uint32_t i = 0; i < def->num_args; i++)
		if (!word(p, words[1 + i], kinds[def->args[i].type], step->args[1 + i]))
			return false;
	return send_words(p, step, "propose(uint16,bytes32[8])", words, 9);
}

/* Makes a generation's two keys, publishes them and forgets the first. */
static bool play_publish(struct dr_player *p, const struct dr_scenario_step *step)
{
	struct dr_root_claim claim = { .chain_id = p->chain_id };
	uint8_t words[11][32] = { { 0 } }, context[DR_ROOT_CONTEXT_LEN], secret[32], wide[64], seed[32], sig[64];
	struct dr_fail why = { 0 };
	uint64_t g, before;

	const bool forged = step->args_count == 2 && strcmp(step->args[1], "forged") == 0;

	if ((step->args_count != 1 && !forged) || !dr_player_number(p, &g, step->args[0]) || g < 1 ||
	    g >= DR_PLAYER_ROOTS_MAX)
		return dr_player_fail(p, "publish takes a generation, 1 to %u, and perhaps `forged`",
				      DR_PLAYER_ROOTS_MAX - 1);
	if (step->by == NULL || !dr_player_account(p, claim.node, step->by))
		return dr_player_fail(p, "publish needs `by`, the node");
	if (getrandom(wide, sizeof(wide), 0) != sizeof(wide) || getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		return dr_player_fail(p, "no randomness");
	dr_ristretto_scalar_reduce(secret, wide);
	memcpy(claim.genesis, p->genesis, 32);
	memcpy(claim.contract, p->contract, 20);
	claim.generation = g;
	dr_root_scheme(claim.scheme);
	dr_ed25519_keypair(claim.sig_pub, p->sig_secret[g], seed);
	if (dr_voprf_public(claim.prf_pub, secret, &why) != DR_OK)
		return dr_player_fail(p, "%s", why.what);
	dr_root_context(context, &claim);
	dr_word_put(words[0], g);
	memcpy(words[1], claim.scheme, 32);
	memcpy(words[2], claim.prf_pub, 32);
	if (dr_voprf_possess_prove(words[3], words[4], secret, dr_bytes_of(context, sizeof(context)), &why) != DR_OK)
		return dr_player_fail(p, "%s", why.what);
	/* The contract does not look at proofs: they are for its readers. */
	words[4][0] ^= forged ? 1 : 0;
	memcpy(words[5], claim.sig_pub, 32);
	dr_ed25519_sign(sig, dr_bytes_of(context, sizeof(context)), p->sig_secret[g]);
	memcpy(&words[6], sig, 64);
	memcpy(words[8], claim.quote, 32);
	/* Signed by the last that was published: one that failed in between has no key. */
	for (before = g - 1; before > 0 && dr_bytes_zero(p->sig_secret[before], sizeof(p->sig_secret[before]));)
		before--;
	if (before > 0) {
		dr_ed25519_sign(sig, dr_bytes_of(context, sizeof(context)), p->sig_secret[before]);
		memcpy(&words[9], sig, 64);
	}
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(wide, sizeof(wide));
	/* What is refused is no generation, and signs no next one. */
	if (step->refused != NULL || forged)
		explicit_bzero(p->sig_secret[g], sizeof(p->sig_secret[g]));
	return send_words(p, step, "publishRoot(uint64,bytes32[10])", words, 11);
}

static void mapping_slot(uint8_t slot[static 32], const uint8_t key[static 32])
{
	uint8_t bytes[64];

	memcpy(bytes, key, 32);
	memcpy(bytes + 32, slot, 32);
	dr_keccak256(slot, bytes, sizeof(bytes));
}

static bool set_slot(struct dr_player *p, const uint8_t slot[static 32], const uint8_t value[static 32])
{
	char slot_hex[67] = "0x", value_hex[67] = "0x", contract_hex[43] = "0x";

	dr_hex_put(slot_hex + 2, slot, 32);
	dr_hex_put(value_hex + 2, value, 32);
	dr_hex_put(contract_hex + 2, p->contract, 20);
	return dr_player_call(p, "anvil_setStorageAt", json_pack("[s,s,s]", contract_hex, slot_hex, value_hex)) &&
	       dr_player_mine(p, 1);
}

/* The chain's own tally of a proposal, overwritten behind its back: what a contract with a back door, or a
 * chain that breaks its rules, would do. */
static bool play_tamper_votes(struct dr_player *p, const struct dr_scenario_step *step)
{
	uint8_t key[32], slot[32], value[32];
	uint64_t id, yes;

	if (step->args_count != 2 || !dr_player_number(p, &id, step->args[0]) ||
	    !dr_player_number(p, &yes, step->args[1]))
		return dr_player_fail(p, "tamper_votes takes a proposal and a tally");
	dr_word_put(key, id);
	dr_word_put(slot, PROPOSALS_SLOT);
	mapping_slot(slot, key);
	dr_word_put(value, yes);
	return set_slot(p, slot, value);
}

/* The same for a slot that derot proves. */
static bool play_tamper_slot(struct dr_player *p, const struct dr_scenario_step *step)
{
	uint8_t key[32], slot[32], value[32];

	for (size_t i = 0; step->args_count > 0 && i < sizeof(mappings) / sizeof(mappings[0]); i++) {
		const struct mapping *m = &mappings[i];
		const size_t num = strlen(m->keys);

		if (strcmp(step->args[0], m->kind) != 0)
			continue;
		if (step->args_count != num + 2)
			return dr_player_fail(p, "tamper_slot: %s takes %zu keys and a number", m->kind, num);
		dr_word_put(slot, m->slot);
		for (size_t k = 0; k < num; k++) {
			if (!word(p, key, m->keys[k], step->args[1 + k]))
				return false;
			mapping_slot(slot, key);
		}
		return word(p, value, 'u', step->args[1 + num]) && set_slot(p, slot, value);
	}
	return dr_player_fail(p, "tamper_slot takes a kind of slot, its keys and a number");
}

bool dr_player_step(struct dr_player *p, const struct dr_scenario_step *step)
{
	uint8_t words[WORDS_MAX][32];
	uint64_t seconds;

	if (strcmp(step->call, "wait") == 0) {
		if (step->args_count != 1 || !dr_player_number(p, &seconds, step->args[0]))
			return dr_player_fail(p, "wait takes seconds");
		p->time += seconds > DR_PLAYER_BLOCK_S ? seconds - DR_PLAYER_BLOCK_S : 0;
		return dr_player_mine(p, 1);
	}
	if (strcmp(step->call, "propose") == 0)
		return play_propose(p, step);
	if (strcmp(step->call, "publish") == 0)
		return play_publish(p, step);
	if (strcmp(step->call, "tamper_votes") == 0)
		return play_tamper_votes(p, step);
	if (strcmp(step->call, "tamper_slot") == 0)
		return play_tamper_slot(p, step);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		const struct function *f = &functions[i];

		if (strcmp(step->call, f->call) != 0)
			continue;
		if (step->args_count != strlen(f->kinds))
			return dr_player_fail(p, "%s takes %zu arguments", f->call, strlen(f->kinds));
		for (uint32_t a = 0; a < step->args_count; a++)
			if (!word(p, words[a], f->kinds[a], step->args[a]))
				return false;
		return send_words(p, step, f->signature, words, step->args_count);
	}
	return dr_player_fail(p, "no such call: %s", step->call);
}
