/* SPDX-License-Identifier: Apache-2.0
 *
 * player_node: the half of the player that knows the node: its process, its calls, its blocks. The other half
 * (player.c) knows the contract. Each function says in p->why what went wrong.
 *
 * Layer: watcher (private).
 */
#ifndef DR_WATCHER_PLAYER_NODE_H
#define DR_WATCHER_PLAYER_NODE_H

#include "watcher/player.h"

#define DR_PLAYER_BLOCK_S 12u /* between blocks */

/* dr_player_fail: keeps what went wrong; false. */
bool dr_player_fail(struct dr_player *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* dr_player_account, dr_player_number: a name and a number (or the name of a kind of hardware) of the scenario. */
bool dr_player_account(struct dr_player *p, uint8_t out[static 20], const char *name);
bool dr_player_number(struct dr_player *p, uint64_t *out, const char *text);

/* dr_player_call: a call of the node whose result nobody needs. Takes params. */
bool dr_player_call(struct dr_player *p, const char *method, json_t *params);

/* dr_player_send: a transaction to the contract (data: 0x and hex), with the value, and into the block that the
 * step says. It must succeed, or be reverted if the scenario says so. */
bool dr_player_send(struct dr_player *p, const uint8_t from[static 20], const char *data,
		    const struct dr_scenario_step *step);

#endif
