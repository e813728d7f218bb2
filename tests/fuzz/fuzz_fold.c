/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_fold: a script of acts, blocks, heads, state proofs and requests (fuzz_acts.h) against the fold, the tally,
 * the findings, divergence and decisions, without a chain around them. What must hold: · no block stops the fold, and
 * every change encodes, decodes and is heard by the findings; · the same block folded once more on a copy of the
 * state before gives the same digest; a listener that stops the fold leaves the state as it was; · a key that is
 * allowed is allowed by the final state alone, and no head's rights deny it; · under other code than the pinned one
 * nothing is granted; · the generation in use never goes back.
 */
#include "tests/fuzz/fuzz_acts.h"

#include "governance/divergence.h"
#include "governance/findings.h"

#define HEADS    4u
#define BLOCKS   16u
#define EXPECTED 32u

static struct kit *k;
static struct dr_findings *findings;
static struct dr_divergence *divergence;
static struct dr_state heads[HEADS];
static size_t num_heads, num_blocks, num_expected;
static uint64_t generation;
static uint8_t expected[EXPECTED][32];
static bool foreign_code;

/* The pending acts as the next block. */
static struct dr_fact_block pending_block(uint64_t dt, enum dr_status status)
{
	return (struct dr_fact_block){ .proof = DR_PROOF_QUORUM,
				       .status = status,
				       .complete = DR_COMPLETE_RECEIPTS,
				       .number = k->number + 1,
				       .timestamp = k->time + dt,
				       .num_events = k->num_events,
				       .events = k->events };
}

/* The block folded beside the state: twice over, once stopped half way. */
static void beside(uint64_t dt, uint8_t digest[static 64])
{
	struct dr_state before = dr_state_share(&k->state), again = dr_state_share(&k->state);
	struct dr_fact_block fact = pending_block(dt, DR_STATUS_FINAL);
	struct dr_fold quiet = k->fold;
	struct dr_fail fail = { 0 };
	uint8_t was[32];

	memset(fact.hash, (int)fact.number, 32); /* as kit_block has it */
	quiet.change = NULL;
	DR_ASSERT(dr_fold_block(&quiet, &again, &fact, &fail) == DR_OK);
	dr_state_digest(digest, &again);
	dr_state_drop(&again);
	if (k->num_events > 0) {
		k->stop = DR_ERR_IO;
		k->num_changes = 0;
		dr_state_digest(was, &before);
		DR_ASSERT(dr_fold_block(&k->fold, &before, &fact, &fail) == DR_ERR_IO);
		dr_state_digest(digest + 32, &before);
		DR_ASSERT(memcmp(digest + 32, was, 32) == 0);
		k->stop = DR_OK;
	}
	dr_state_drop(&before);
}

static void block(uint64_t dt, bool twice)
{
	uint8_t digest[64], now_digest[32];

	if (twice)
		beside(dt, digest);
	DR_ASSERT(kit_block(k, dt) == DR_OK);
	if (twice) {
		dr_state_digest(now_digest, &k->state);
		DR_ASSERT(memcmp(now_digest, digest, 32) == 0);
	}
	for (size_t i = 0; i < k->num_changes; i++) {
		struct dr_audit_finding finding;

		if (dr_findings_take(findings, &finding, &k->changes[i]))
			DR_ASSERT(finding.kind != DR_AUDIT_NONE && dr_audit_finding_name(finding.kind) != NULL);
	}
	const uint64_t now = dr_state_generation(&k->state);

	DR_ASSERT(now == 0 || now >= generation);
	generation = now > generation ? now : generation;
	num_blocks++;
}

/* The pending acts as a head on the final state, or on the head before. */
static void head(uint64_t dt, bool deep)
{
	struct dr_fact_block fact = pending_block(dt, DR_STATUS_HEAD);
	struct dr_fold quiet = k->fold;
	struct dr_fail fail = { 0 };

	if (num_heads == HEADS)
		return;
	heads[num_heads] = dr_state_share(deep && num_heads > 0 ? &heads[num_heads - 1] : &k->state);
	quiet.change = NULL;
	DR_ASSERT(dr_fold_block(&quiet, &heads[num_heads], &fact, &fail) == DR_OK);
	num_heads++;
	k->num_events = 0;
}

static void drop_heads(void)
{
	while (num_heads > 0)
		dr_state_drop(&heads[--num_heads]);
}

static void on_report(void *ctx, const struct dr_divergence_report *report)
{
	(void)ctx;
	if (num_expected < EXPECTED)
		memcpy(expected[num_expected++], report->expected, 32);
}

/* One byte a slot: a value of this state's, a number, or nothing. */
static void judge(struct dr_reader *r)
{
	static uint8_t slots[DR_STATE_SLOTS_MAX][32], values[DR_STATE_SLOTS_MAX][32];
	struct dr_fact_state fact = { .number = k->number,
				      .slots = (const uint8_t(*)[32])slots,
				      .values = (const uint8_t(*)[32])values };
	const uint8_t code = dr_reader_u8(r);
	uint8_t known[EXPECTED][32];
	const size_t num_known = num_expected;

	memcpy(known, expected, sizeof(known));
	fact.num_slots = dr_divergence_slots(divergence, slots, 40, &k->profile, &k->state);
	memcpy(fact.address, k->fold.contract, 20);
	memset(fact.code_hash, code == 0xee ? 0xee : 0xc0, 32);
	for (size_t i = 0; i < fact.num_slots; i++) {
		const uint8_t byte = i < 12 ? dr_reader_u8(r) : 0;

		dr_word_put(values[i], byte < 0x40 ? byte : k->time + byte - 0x40u);
		if (byte >= 0x80 && byte - 0x80u < num_known)
			memcpy(values[i], known[byte - 0x80], 32);
	}
	num_expected = 0;
	foreign_code = code == 0xee;
	dr_divergence_judge(divergence, &k->profile, &k->state, &fact, on_report, NULL);
}

static void request(struct dr_reader *r)
{
	struct dr_request request;
	struct dr_decision effective, alone;
	struct dr_self self;

	acts_request(&request, r);
	memset(self.node, NODE, 20);
	memcpy(self.profile, k->profile.digest, 32);
	dr_decide(&alone, &k->state, &self, &request, k->time);
	dr_decide_effective(&effective, &k->state, k->time, heads, num_heads, &self, &request);
	DR_ASSERT((effective.verdict == DR_ALLOW) == (effective.deny == DR_DENY_NONE));
	DR_ASSERT(effective.verdict == DR_DENY || alone.verdict == DR_ALLOW);
	const enum dr_deny why = dr_divergence_verdict(divergence, &self, &k->state, &request, &effective);

	DR_ASSERT(!foreign_code || why == DR_DENY_CODE);
	if (effective.verdict == DR_DENY)
		return;
	DR_ASSERT(effective.generation == alone.generation && effective.epoch == alone.epoch);
	for (size_t i = 0; i < num_heads; i++) {
		dr_decide(&alone, &heads[i], &self, &request, k->time);
		DR_ASSERT(alone.verdict == DR_ALLOW || alone.deny == DR_DENY_EPOCH || alone.deny == DR_DENY_ROOT ||
			  alone.deny == DR_DENY_ROOT_SHARE);
	}
	DR_ASSERT(dr_decide_share(&k->state, NULL, 0, &self, effective.generation, self.node) == DR_DENY_NONE);
}

/* Three blocks in which the council passes something. */
static void pass(struct dr_reader *r)
{
	const struct dr_action_def *def = dr_action_def(dr_reader_u8(r));
	struct w words[DR_ARGS_MAX] = { 0 };

	if (def == NULL || def->num_args > 8 || num_blocks + 3 > BLOCKS)
		return;
	for (size_t i = 0; i < def->num_args; i++)
		words[i] = acts_word(k, def->args[i].type, dr_reader_u8(r));
	k->num_events = 0;
	for (unsigned stage = 0; stage < 3; stage++) {
		acts_pass(k, def, words, stage);
		block(1, false);
	}
}

/* What most scripts need: the council; an app, and a node with its rights. */
static void found(void)
{
	k->num_events = 0;
	kit_founders(k, k->time + 1);
	ACT(k, DR_ACTION_CONSTITUTE, 0, 0, 0, kit_n(VOTING));
	block(1, false);
	ACT(k, DR_ACTION_NODE_REGISTER, 0, NODE, 0, kit_a(NODE), kit_n(DR_ROLE_KMS), kit_b(KMS), kit_b(0x0e),
	    kit_b(0x7e), kit_b(0xfa), kit_n(5), kit_b(NODE));
	ACT(k, DR_ACTION_APP_REGISTER, 0, DEPLOYER, 0, kit_b(APP), kit_b(0x0c), kit_n(APP_NOTICE), kit_n(3));
	ACT(k, DR_ACTION_APP_MEASUREMENT_ALLOW, 0, DEPLOYER, k->time + 1 + APP_NOTICE, kit_b(APP), kit_b(VERSION));
	block(1, false);
}

static void ready(void)
{
	if (k == NULL)
		k = kit_new();
	dr_state_drop(&k->state);
	k->number = 9;
	k->time = 1000000;
	k->num_events = k->num_changes = 0;
	k->proposals = 0;
	kit_used = num_heads = num_blocks = num_expected = 0;
	generation = 0;
	foreign_code = false;
	findings = dr_findings_new(k->profile.stealth_window_s);
	divergence = dr_divergence_new();
	DR_ASSERT(findings != NULL && divergence != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dr_fail fail = { 0 };
	struct dr_reader r;

	ready();
	dr_reader_init(&r, dr_bytes_of(data, size < 128 ? size : 128), &fail);
	while (r.left > 0 && num_blocks < BLOCKS) {
		const uint8_t op = dr_reader_u8(&r);

		if (op < 0x80)
			acts_put(k, &r);
		else if (op < 0xa0)
			block(1 + 20u * (op - 0x80u), op % 4 == 0);
		else if (op < 0xb0)
			head(1 + 20u * (op - 0xa0u), op % 2 != 0);
		else if (op < 0xb8)
			found();
		else if (op < 0xc8)
			pass(&r);
		else if (op < 0xd8)
			judge(&r);
		else if (op < 0xf8)
			request(&r);
		else
			drop_heads();
	}
	drop_heads();
	dr_findings_free(findings);
	dr_divergence_free(divergence);
	dr_state_drop(&k->state);
	return 0;
}
