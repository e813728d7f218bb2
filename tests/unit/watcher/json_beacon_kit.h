/* SPDX-License-Identifier: Apache-2.0
 *
 * json_beacon_kit: what the tests of watcher/json_beacon.c read with.
 */
#ifndef DR_TESTS_JSON_BEACON_KIT_H
#define DR_TESTS_JSON_BEACON_KIT_H

#include "tests/unit/watcher/beacon_json.h"

static struct dr_arena *arena;
static struct dr_json_notes notes;

static inline int setup(void **state)
{
	(void)state;
	arena = dr_arena_new((size_t)64 << 20);
	return arena == NULL;
}

static inline int teardown(void **state)
{
	(void)state;
	dr_arena_free(arena);
	return 0;
}

/* Items of JSON or bytes that must be good. */
static inline struct dr_beacon_item *good_json(const struct dr_network *net, const json_t *root, size_t num,
					       const char *name)
{
	struct dr_beacon_item *items;
	struct dr_fail fail = { 0 };
	size_t got;

	if (dr_json_beacon_parse(&items, &got, net, root, arena, &notes, &fail) != DR_OK)
		fail_msg("%s: %s: %s", name, notes.at, fail.what);
	assert_int_equal(got, num);
	return items;
}

static inline struct dr_beacon_item *good_ssz(const struct dr_network *net, struct dr_bytes ssz, size_t num,
					      const char *name)
{
	struct dr_beacon_item *items;
	struct dr_fail fail = { 0 };
	size_t got;

	if (dr_json_beacon_read(&items, &got, net, ssz, arena, &notes, &fail) != DR_OK)
		fail_msg("%s: %s: %s", name, notes.at, fail.what);
	assert_int_equal(got, num);
	return items;
}

#endif
