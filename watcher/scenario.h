/* SPDX-License-Identifier: Apache-2.0
 *
 * scenario: a story told to a real chain, and what derot must make of it. The text of a fixture:
 *
 *   about: one line
 *   accounts: [alice, bob, grace, kms1]      the node's prefunded accounts, in order
 *   council:
 *     members: [alice 2, bob 1]              account and weight
 *     guardians: [grace]
 *     quorum: 2
 *     voting_period: 3600
 *     notices: [60, 60, 60, 60, 24]          council, measurement, root, profile, least of an app
 *   node: kms1                               the KMS node whose view is replayed
 *   start_time: 1767225600                   timestamp of the deployment
 *   requests: council.requests.yaml          optional: asked after every change (watcher/anchor.h)
 *   steps:                                   each mines one block, 12 s after the one before
 *     - {by: alice, call: propose, args: [measurement.allow, kms-v1]}
 *     - {by: bob, call: vote, args: [1, yes]}
 *     - {call: wait, args: [60]}             lets seconds pass and mines a block
 *     - {call: tamper_votes, args: [3, 99]}  writes a proposal's yes tally into the contract's storage
 *     - {call: tamper_slot, args: [suspended, web, 1]}   writes a proven slot: kind, keys, number
 *     - {by: dave, call: vote, args: [3, yes], refused: yes}   the contract must refuse it
 *     - {by: dave, call: vote, args: [3, yes], more: yes}      the next step goes into the same block
 *     - {by: kms1, call: publish, args: [1]} publishes a root generation (its keys are thrown away)
 *     - {by: kms1, call: publish, args: [2, forged]}   with a proof that is none; the contract takes it
 *   expect: [measurement.allow pending, …]   every change, in order: action, outcome, reason if any
 *   findings: [stealthy-deployer, …]         every finding, in order
 *   answers: [web deny app-notice, …]        every answer that changed, in order
 *   divergences: [diverges suspended, …]    every time that slots and events differ, or agree again, in order
 *   end: [final block 83 0x…, …]            optional: where it ends, and what ledger and state it ends with
 *
 * A recording that a script makes (at proof consensus: nobody plays a beacon chain here) has `played_by: SCRIPT`
 * instead of accounts, council, node, start_time and steps; what must be made of it stands here all the same.
 *
 * Arguments: numbers, +60 (a moment after the newest block), account names, yes and no, action names, @profile
 * (the digest of the profile in use), 0x…, or up to 31 characters of text.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_SCENARIO_H
#define DR_WATCHER_SCENARIO_H

#include "watcher/yaml.h"

struct dr_scenario_step {
	char *by; /* NULL: nobody (wait, tamper_votes) */
	char *call;
	char **args;
	uint32_t args_count;
	char *value;   /* gwei sent along; NULL: none */
	char *more;    /* "yes": the next step goes into the same block; NULL: it does not */
	char *refused; /* "yes": the transaction is reverted; NULL: it is not */
};

struct dr_scenario_council {
	char **members;
	uint32_t members_count;
	char **guardians;
	uint32_t guardians_count;
	char *quorum, *voting_period;
	char **notices;
	uint32_t notices_count;
};

struct dr_scenario {
	char *about;
	char **accounts;
	uint32_t accounts_count;
	struct dr_scenario_council council;
	char *node, *start_time, *requests;
	char *played_by; /* NULL: derot fixture make plays it */
	struct dr_scenario_step *steps;
	uint32_t steps_count;
	char **expect;
	uint32_t expect_count;
	char **findings;
	uint32_t findings_count;
	char **answers;
	uint32_t answers_count;
	char **divergences;
	uint32_t divergences_count;
	char **end;
	uint32_t end_count;
};

/* dr_scenario_load: *out lives in *yaml's loader until dr_scenario_free. */
enum dr_err dr_scenario_load(struct dr_scenario **out, struct dr_yaml **yaml, const char *path,
			     struct dr_yaml_error *error);
void dr_scenario_free(struct dr_scenario *s, struct dr_yaml *yaml);

#endif
