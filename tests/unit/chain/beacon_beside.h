/* SPDX-License-Identifier: Apache-2.0
 *
 * beacon_beside: the forge of beacon blocks (beacon_forge.h) in a file that has the forge of execution blocks
 * (forge.h) too: what both call the same is beacon_* here.
 */
#ifndef DR_TESTS_BEACON_BESIDE_H
#define DR_TESTS_BEACON_BESIDE_H

#define forge_block   beacon_block
#define forge_payload beacon_body
#define forge_seal    beacon_seal
#define forge_state   beacon_state
#include "tests/unit/chain/beacon_forge.h"
#undef forge_block
#undef forge_payload
#undef forge_seal
#undef forge_state

#endif
