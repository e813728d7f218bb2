/* SPDX-License-Identifier: Apache-2.0
 *
 * Each case has a kit of its own, in the world that kit_world makes. For a test of the fold that includes this once.
 */
#ifndef DR_TESTS_WORLD_CASE_H
#define DR_TESTS_WORLD_CASE_H

#include "tests/unit/governance/root_kit.h"

static struct kit *k;

static int setup(void **state)
{
	(void)state;
	k = kit_new();
	kit_world(k);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kit_free(k);
	return 0;
}

static void block(uint64_t dt)
{
	assert_int_equal(kit_block(k, dt), DR_OK);
}

#endif
