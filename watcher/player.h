/* SPDX-License-Identifier: Apache-2.0
 *
 * player: plays a scenario onto a real anvil: starts it on loopback, deploys DeRoT.sol, and acts step by
 * step, one block a step. Test authoring, not product path: nothing here is believed by anybody; what comes
 * out is recorded and verified like any other chain.
 *
 * Layer: watcher.
 */
#ifndef DR_WATCHER_PLAYER_H
#define DR_WATCHER_PLAYER_H

#include <jansson.h>
#include <sys/types.h>

#include "governance/root.h"
#include "watcher/scenario.h"

#define DR_PLAYER_ACCOUNTS_MAX 10u
#define DR_PLAYER_ROOTS_MAX    8u
#define DR_PLAYER_SENT_MAX     12u
#define DR_PLAYER_FINAL_DEPTH  2u /* anvil's finalized is latest - 2 with one slot an epoch */

struct dr_player {
	const struct dr_scenario *scenario;
	pid_t anvil;
	unsigned port;
	struct dr_rpc *rpc;
	char url[64];
	uint64_t chain_id;
	uint8_t genesis[32];
	uint8_t accounts[DR_PLAYER_ACCOUNTS_MAX][20];
	uint8_t contract[20];
	uint64_t start_number, latest; /* block numbers */
	uint8_t start_hash[32];
	uint64_t time; /* timestamp of the newest block */
	uint8_t node[20];
	uint8_t profile[32]; /* the digest that the contract was given; @profile in arguments */
	uint8_t sig_secret[DR_PLAYER_ROOTS_MAX][64]; /* of published generations: the next is signed by the last */
	/* Sent, and not in a block yet. */
	struct {
		json_t *hash;
		bool refused; /* must be reverted */
	} sent[DR_PLAYER_SENT_MAX];
	size_t num_sent;
	char why[512]; /* what went wrong, for people */
};

/* dr_player_start: starts anvil and deploys the contract (creation: hex text of its creation code) with the
 * scenario's council and this profile digest. False: why says what. */
bool dr_player_start(struct dr_player *p, const struct dr_scenario *scenario, const char *anvil, const char *creation,
		     const uint8_t profile[static 32]);

/* dr_player_step: plays one step; its block is then the newest, unless the step says that more comes into it. */
bool dr_player_step(struct dr_player *p, const struct dr_scenario_step *step);

/* dr_player_mine: blocks without transactions, so that what was done becomes final. */
bool dr_player_mine(struct dr_player *p, unsigned blocks);

void dr_player_stop(struct dr_player *p);

#endif
