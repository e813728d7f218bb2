/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_acts: governance events out of a few bytes each: an action's row, who, when, and one byte a word, from a small
 * set in which words of one event meet those of another. A chain of them in a hundred bytes is what a mutator can
 * work on; the events' own bytes are fuzz_profile's.
 */
#ifndef DR_TESTS_FUZZ_ACTS_H
#define DR_TESTS_FUZZ_ACTS_H

#include "tests/fuzz/fuzz_kit.h"

#include "chain/base/reader.h"
#include "governance/decide.h"
#include "tests/unit/governance/root_kit.h"

#define ACTS_MAX 24u /* of one block */

/* acts_roots: publications are slow to make: each once. */
static inline const struct root_kit *acts_root(const struct kit *k, uint8_t which)
{
	static struct root_kit roots[32];
	static bool made[32];
	const uint8_t at = which % 32;

	if (!made[at])
		root_kit(&roots[at], &k->fold, 1u + (at & 1), (at & 2) != 0 ? NODE : NODE2,
			 (uint8_t)(1 + (at >> 2 & 1)), (uint8_t)(at >> 3));
	made[at] = true;
	return &roots[at];
}

static inline struct w acts_word(const struct kit *k, enum dr_word_type type, uint8_t byte)
{
	struct w w;

	switch (type) {
	case DR_WORD_BOOL: return kit_n(byte % 8 == 7 ? 2 : byte % 2);
	case DR_WORD_ADDRESS: return kit_a(byte % 16);
	case DR_WORD_U64:
		if (byte < 0xc0)
			return kit_n(byte);
		return byte < 0xfe ? kit_n(k->time + 40u * (byte - 0xc0u))
				   : kit_n(byte == 0xfe ? DR_TIME_MAX_S : UINT64_MAX);
	case DR_WORD_BYTES32: break;
	}
	w = kit_b(byte);
	if (byte == 0xff)
		memcpy(w.b, k->profile.digest, 32);
	return w;
}

/* acts_due: what the notice of its class asks for from the next block on, or something beside it. */
static inline uint64_t acts_due(const struct kit *k, const struct dr_action_def *def, uint8_t byte)
{
	const uint64_t notice =
		def->notice < DR_NOTICE_CLASSES ? dr_state_notice(&k->state, def->notice, k->time + 1) : APP_NOTICE;

	return byte < 0x80 ? k->time + 1 + notice + byte : k->time + (byte - 0x80u);
}

/* acts_put: the next act of r into k's block. False: there is no room. */
static inline bool acts_put(struct kit *k, struct dr_reader *r)
{
	static const struct dr_action_def *rows[64];
	static size_t num;
	struct w words[DR_ARGS_MAX] = { 0 };

	for (; num < 64 && dr_action_at(num) != NULL; num++)
		rows[num] = dr_action_at(num);
	if (k->num_events >= ACTS_MAX)
		return false;
	const struct dr_action_def *def = rows[dr_reader_u8(r) % num], *about = def;
	const uint8_t proposal = dr_reader_u8(r) % 8, by = dr_reader_u8(r) % 16, due = dr_reader_u8(r);
	size_t at = 0;

	if (def->action == DR_ACTION_ROOT_PUBLISH) {
		root_words(words, acts_root(k, dr_reader_u8(r)));
		const uint8_t spoil = dr_reader_u8(r);

		if (spoil != 0)
			words[spoil % 11].b[spoil / 11 % 32] ^= 1;
		kit_act(k, def->action, proposal, by, 0, words, 11);
		return true;
	}
	if (def->action == DR_ACTION_PROPOSE) {
		about = rows[dr_reader_u8(r) % num];
		words[0] = kit_n(about->action);
		words[1] = acts_word(k, DR_WORD_U64, dr_reader_u8(r));
		at = 2;
	}
	for (size_t i = 0; i < about->num_args && at < def->num_args; i++)
		words[at++] = acts_word(k, about->args[i].type, dr_reader_u8(r));
	kit_act(k, def->action, proposal, by, acts_due(k, def, due), words, def->num_args);
	return true;
}

/* acts_pass: a proposal that the council carries: proposed, voted for and executed, to be told in three blocks;
 * `stage` is which of them. */
static inline void acts_pass(struct kit *k, const struct dr_action_def *def, const struct w *words, unsigned stage)
{
	if (stage == 0) {
		kit_propose(k, ALICE, def->action, k->time + 1, words, def->num_args < 8 ? def->num_args : 8);
	} else if (stage == 1) {
		kit_vote(k, ALICE, dr_state_weight(&k->state, kit_id(ALICE), k->time), true);
		kit_vote(k, BOB, dr_state_weight(&k->state, kit_id(BOB), k->time), true);
	} else {
		kit_act(k, DR_ACTION_EXECUTE, k->proposals, EVE, 0, NULL, 0);
		kit_act(k, def->action, k->proposals, EVE, acts_due(k, def, 0), words, def->num_args);
	}
}

static inline void acts_request(struct dr_request *out, struct dr_reader *r)
{
	const uint8_t flags = dr_reader_u8(r), rest = dr_reader_u8(r);

	*out = (struct dr_request){ .purpose = 1 + flags % 6, .svn = rest % 8, .confidence = 1 + rest / 8 % 5 };
	out->back = flags >> 3 & 1;
	out->root_back = flags >> 4 & 1;
	out->has_from = (flags >> 5 & 1) != 0;
	memset(out->app, APP + (flags >> 6 & 1), 32);
	memset(out->measurement, VERSION + (flags >> 7), 32);
	if (out->has_from)
		memset(out->from, dr_reader_u8(r), 32);
	if (out->purpose >= DR_PURPOSE_STORAGE)
		memset(out->service, SERVICE, 32);
	if (out->purpose == DR_PURPOSE_CONTRACT)
		memset(out->contract, 0x5c, 32);
	memset(out->tee, 0x31 + (rest >> 6 & 1), 32);
	memset(out->family, 0x41, 32);
	memset(out->device, 0x61, 32);
	if (rest >> 7 != 0) {
		out->num_advisories = 1;
		memset(out->advisories[0], 0x71, 32);
	}
}

#endif
