/* SPDX-License-Identifier: Apache-2.0
 *
 * small: tables of the follower (chain/evm/follow*.c, tree.c) that a run of some hundred blocks fills, so that the
 * ladder, what has no room, and what is forgotten are met. Those files alone are compiled with this before them.
 */
#ifndef DR_TESTS_SIMULATE_SMALL_H
#define DR_TESTS_SIMULATE_SMALL_H

#include "chain/base/limits.h"

#undef DR_FOLLOW_BLOCKS_MAX
#undef DR_FOLLOW_FAR_MAX
#undef DR_FOLLOW_YOUNG_MAX
#define DR_FOLLOW_BLOCKS_MAX 32u /* a reach of 28 */
#define DR_FOLLOW_FAR_MAX    8u
#define DR_FOLLOW_YOUNG_MAX  4u

#endif
