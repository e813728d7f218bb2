/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: what a beacon node answered, JSON or SSZ; or 'N', a node's spec, a zero byte, its genesis. What is read
 * encodes, as SSZ is read again, and encodes to the same bytes; what is a network passes its check. Nothing is left
 * of a failure.
 *
 * The network is small: eight keys make a committee, and every fork has two epochs of eight slots.
 */
#include "tests/fuzz/fuzz.h"
#include "watcher/json_beacon.h"
#include "watcher/json_evm.h"
#include "watcher/json_network.h"

static const struct dr_network net = {
	.name = "fuzz",
	.slots_per_epoch = 8,
	.epochs_per_period = 8,
	.committee_size = 8,
	.seconds_per_slot = 6,
	.genesis_time = 1,
	.genesis_validators_root = { 1 },
	.forks = { { 0, { 0 } },
		   { 0, { 1 } },
		   { 2, { 2 } },
		   { 4, { 3 } },
		   { 6, { 4 } },
		   { 8, { 5 } },
		   { 10, { 6 } } },
	.unknown_epoch = 12,
};

static size_t told;

static void tell(void *to, const char *member)
{
	(void)to;
	DR_ASSERT(strlen(member) < 320);
	told++;
}

static size_t encode(uint8_t *buf, size_t cap, const struct dr_beacon_item *item)
{
	struct dr_fail fail = { DR_OK, NULL, 0 };
	size_t len = 0;

	if (item->kind == DR_BEACON_BOOTSTRAP)
		dr_lc_bootstrap_encode(buf, cap, &len, &net, &item->bootstrap, &fail);
	else
		dr_lc_update_encode(buf, cap, &len, &net, &item->update, &fail);
	DR_ASSERT(fail.err == DR_OK && len > 0);
	return len;
}

static void read_answer(struct dr_bytes answer, struct dr_arena *arena)
{
	static uint8_t first[4096], second[4096];
	struct dr_json_notes notes = { .extra = tell };
	struct dr_beacon_item *items, *again;
	struct dr_fail fail = { DR_OK, NULL, 0 };
	size_t num, one;

	DR_ASSERT(dr_lc_len_max(&net) <= sizeof(first));
	if (dr_json_beacon_read(&items, &num, &net, answer, arena, &notes, &fail) != DR_OK) {
		DR_ASSERT(items == NULL && num == 0 && fail.what != NULL);
		DR_ASSERT(memchr(notes.at, 0, sizeof(notes.at)) != NULL);
		return;
	}
	for (size_t i = 0; i < num; i++) {
		const size_t len = encode(first, sizeof(first), &items[i]);

		DR_ASSERT(dr_json_beacon_ssz(&again, &one, &net, dr_bytes_of(first, len), arena, &notes, &fail) ==
			  DR_OK);
		DR_ASSERT(one == 1 && again->kind == items[i].kind && !again->in_list);
		DR_ASSERT(encode(second, sizeof(second), again) == len && memcmp(first, second, len) == 0);
		/* One container in SSZ has one encoding. */
		if (!dr_json_beacon_is_text(answer) && !items[i].in_list)
			DR_ASSERT(dr_bytes_eq(dr_bytes_of(first, len), answer));
	}
}

static void read_network(struct dr_bytes both)
{
	const uint8_t *end = both.len > 0 ? memchr(both.ptr, 0, both.len) : NULL;
	const size_t len = end != NULL ? (size_t)(end - both.ptr) : both.len;
	struct dr_fail fail = { DR_OK, NULL, 0 };
	struct dr_network_notes notes;
	struct dr_network out;
	json_t *spec = NULL, *genesis = NULL;

	if (end != NULL && dr_json_load(&spec, dr_bytes_of(both.ptr, len), &fail) == DR_OK &&
	    dr_json_load(&genesis, dr_bytes_of(end + 1, both.len - len - 1), &fail) == DR_OK) {
		if (dr_json_network(&out, spec, genesis, &notes, &fail) == DR_OK)
			DR_ASSERT(dr_network_check(&out, &fail) == DR_OK);
		else
			DR_ASSERT(fuzz_zero(&out, sizeof(out)) && notes.file != 0);
	}
	json_decref(spec);
	json_decref(genesis);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dr_arena *arena;

	if (arena == NULL)
		arena = dr_arena_new((size_t)16 << 20);
	DR_ASSERT(arena != NULL);
	dr_arena_reset(arena);
	if (size > 0 && data[0] == 'N')
		read_network(dr_bytes_of(data + 1, size - 1));
	else
		read_answer(dr_bytes_of(data, size), arena);
	return 0;
}
