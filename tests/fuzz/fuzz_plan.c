/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_plan: the planner between a core that wants and three endpoints that tell a small chain with their flaws
 * (tests/unit/watcher/world.h), of whose JSON the script changes any value. What must hold: the planner neither fails
 * nor stops on anything that endpoints say; all it tells the core are messages and frames that decode; it frames no
 * more bytes than it was given credit for.
 */
#include "tests/fuzz/fuzz_kit.h"

#include "chain/base/reader.h"
#include "tests/unit/watcher/world.h"

#define STEPS 5u /* in time, all together */

/* The change that waits: the at-th value of the next result becomes another. */
static struct {
	bool set;
	uint8_t at, what;
} change;

static json_t *other(const json_t *value, uint8_t what)
{
	const size_t len = json_string_length(value);
	char text[600];

	switch (what % 12) {
	case 0: return json_null();
	case 1: return json_string("0x");
	case 2: return json_string("0x0");
	case 3: return json_string("latest");
	case 4: return json_integer(what);
	case 5: return json_array();
	case 6: return json_object();
	case 7: return json_true();
	case 8: return json_pack("[O,O]", value, value);
	default:
		if (len < 3 || len >= sizeof(text))
			return json_string("0x1");
		memcpy(text, json_string_value(value), len + 1);
		text[2 + what % (len - 2)] = "0123456789abcdefg"[what % 17];
		return json_string(text);
	}
}

static json_t *walk(json_t *value)
{
	const char *key;
	json_t *child, *put;
	void *next;
	size_t i;

	if (change.set && change.at-- == 0) {
		put = other(value, change.what);
		json_decref(value);
		change.set = false;
		return put;
	}
	json_array_foreach(value, i, child)
	{
		if (change.set)
			json_array_set_new(value, i, walk(json_incref(child)));
	}
	json_object_foreach_safe(value, next, key, child)
	{
		if (change.set)
			json_object_set_new(value, key, walk(json_incref(child)));
	}
	return value;
}

/* What endpoints tell is shared: a copy of it is changed. */
static json_t *walk_copy(json_t *value)
{
	if (!change.set)
		return value;
	json_t *copy = json_deep_copy(value);

	json_decref(value);
	return walk(copy);
}

/* Bytes framed since the last credit, counted from outside. */
static uint64_t given, taken;

static void give(uint64_t bytes)
{
	given += bytes;
	credit(bytes);
}

static void count_frames(void)
{
	for (size_t i = 0; i < num_notes; i++)
		if (notes[i].type == DR_MSG_FRAME)
			taken += notes[i].payload.len;
	DR_ASSERT(taken <= given);
	DR_ASSERT(count(DR_MSG_FRAME, -1, NULL) <= num_notes && !(in_state(0, DR_ENDPOINT_GOOD) && num_notes == 0));
	num_notes = 0;
}

static void raw(struct dr_reader *r)
{
	const uint16_t type = (uint16_t)(0x0300 + dr_reader_u8(r));
	const uint8_t len = dr_reader_u8(r);
	const struct dr_bytes payload = dr_reader_view(r, len < r->left ? len : r->left);
	struct dr_fail fail = { 0 };

	if (type != DR_MSG_CREDIT && type != DR_MSG_WANT)
		dr_plan_message(plan, type, payload, now, &fail);
}

/* One in eight is of those that came later: what inputs say stays what it was. */
static enum flaw flaw_of(uint8_t byte)
{
	return byte < 0xe0 ? (enum flaw)(byte % (UNLINKED + 1))
			   : (enum flaw)(UNLINKED + 1 + byte % (OTHER_IS_EMPTY - UNLINKED));
}

static void script(struct dr_reader *r)
{
	static const uint64_t credits[] = { 0, 100, 1000, 1 << 20 };
	uint32_t id = 0;

	for (size_t steps = 0; r->left > 0 && steps < STEPS && kit_used < KIT_POOL / 2;) {
		const uint8_t op = dr_reader_u8(r), low = op & 15;
		uint64_t from, to;

		switch (op >> 4) {
		case 0:
		case 1:
		case 2:
			from = dr_reader_u8(r) % BLOCKS;
			to = from + op / 16 * 3u < BLOCKS ? from + op / 16 * 3u : from;
			if (id < DR_WANTS_MAX)
				want(++id, low == 15 ? DR_WANT_PARENTS : (enum dr_want_kind)(1 + low % 6), from, to);
			break;
		case 3: minds[low % ENDPOINTS].flaw = flaw_of(dr_reader_u8(r)); break;
		case 4: give(credits[low % 4]); break;
		case 5: refuse(1 + low, dr_reader_u8(r) % 4, (enum dr_err)(1 + low % 6)); break;
		case 6: raw(r); break;
		case 7:
		case 8:
		case 9:
		case 10:
			change.set = true;
			change.at = (uint8_t)(16 * (op / 16 - 7) + low);
			change.what = dr_reader_u8(r);
			break;
		case 11: minds[low % ENDPOINTS].final_ = dr_reader_u8(r) % BLOCKS; break;
		case 12: minds[low % ENDPOINTS].latest = dr_reader_u8(r) % BLOCKS; break;
		default:
			steps++;
			now += low < 8 ? 100u * low : 1000u * (low - 7u);
			run(0);
			count_frames();
			break;
		}
		if (low == 15 && op < 0x20)
			now += 30000; /* what was set aside comes back */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static size_t used; /* the chain lives at the bottom of the pool */
	struct dr_fail fail = { 0 };
	struct dr_reader r;

	if (arena == NULL) {
		arena = dr_arena_new((size_t)32 << 20);
		make_chain();
		used = kit_used;
		DR_ASSERT(!said(0, DR_STATUS_FINAL, 1));
	}
	kit_used = used;
	change.set = false;
	spoil = walk_copy;
	given = taken = 0;
	dr_reader_init(&r, dr_bytes_of(data, size < 256 ? size : 256), &fail);
	begin(NONE, NONE, NONE);
	give(4096);
	script(&r);
	end();
	return 0;
}
