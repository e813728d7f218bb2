/* SPDX-License-Identifier: Apache-2.0 */
#include "kms-bridge/core/engine_impl.h"

#include <string.h>

#include "chain/base/reader.h"

static const char *seal_text(enum dr_seal seal)
{
	switch (seal) {
	case DR_SEAL_NOT_STARTED: return "sealed: not started";
	case DR_SEAL_FAILED: return "sealed: something could not be kept; this core must stop";
	case DR_SEAL_HALTED: return "sealed: halted by a contradiction of something final";
	case DR_SEAL_HELD: return "sealed: held";
	case DR_SEAL_START: return "sealed: no complete final block has been proven since the start";
	case DR_SEAL_CLOCK: return "sealed: the wall clock moved by more than max_staleness against boot-time";
	case DR_SEAL_STALE: return "sealed: the newest complete final block is older than max_staleness";
	case DR_SEAL_HEAD_STALE: return "sealed: the newest complete head is older than head_staleness";
	case DR_SEAL_FUTURE: return "sealed: the chain's time is far ahead of the wall clock";
	case DR_SEAL_HEADS: return "sealed: more heads at once than can be counted";
	case DR_SEAL_LEFT_OUT: return "sealed: the contract's accumulator is not that of the proven events";
	case DR_SEAL_HEARTBEAT: return "sealed: no heartbeat of this boot has been seen within max_staleness";
	case DR_SEAL_NONE: return "";
	}
	return "sealed";
}

const char *dr_engine_why(const struct dr_engine *e)
{
	return e->seal == DR_SEAL_HELD ? e->held : seal_text(e->seal);
}

bool dr_engine_sealed(const struct dr_engine *e, const char **why)
{
	*why = dr_engine_why(e);
	return e->seal != DR_SEAL_NONE;
}

/* Modulo 2^64, because a recording may say anything: a clock beyond reason is far off in either direction. */
static uint64_t offset_ms(const struct dr_engine *e)
{
	return e->clock.wall_ms - e->clock.boot_ms;
}

/* The wall clock is further from where boot-time expects it than the limit; *ahead says where. */
static bool wall_moved(const struct dr_engine *e, bool *ahead)
{
	const uint64_t moved = offset_ms(e) - e->offset.ms;

	*ahead = moved <= INT64_MAX;
	return e->offset.known && (*ahead ? moved : 0 - moved) / 1000 > e->init.max_staleness_s;
}

enum dr_seal dr_engine_lease(const struct dr_engine *e)
{
	const uint64_t limit_s = e->init.max_staleness_s, wall_s = e->clock.wall_ms / 1000;
	const uint64_t head_limit_s = e->init.head_staleness_s;
	const uint64_t newest = e->head_time > e->final_.time ? e->head_time : e->final_.time;
	bool ahead;

	if (e->failed)
		return DR_SEAL_FAILED;
	if (!e->started)
		return DR_SEAL_NOT_STARTED;
	if (dr_follow_halted(e->follow))
		return DR_SEAL_HALTED;
	if (!e->has_final || e->unproven)
		return DR_SEAL_START;
	if (wall_moved(e, &ahead))
		return DR_SEAL_CLOCK;
	if (wall_s > e->final_.time && wall_s - e->final_.time > limit_s)
		return DR_SEAL_STALE;
	if (e->clock.boot_ms < e->lease_boot_ms || (e->clock.boot_ms - e->lease_boot_ms) / 1000 > limit_s)
		return DR_SEAL_STALE;
	if (e->final_.time > wall_s && e->final_.time - wall_s > limit_s)
		return DR_SEAL_FUTURE;
	if (head_limit_s != 0 && wall_s > newest && wall_s - newest > head_limit_s)
		return DR_SEAL_HEAD_STALE;
	if (e->heads_lost)
		return DR_SEAL_HEADS;
	if (e->left_out)
		return DR_SEAL_LEFT_OUT;
	if (e->init.heartbeat && dr_engine_heartbeat_age(e) > limit_s)
		return DR_SEAL_HEARTBEAT;
	return DR_SEAL_NONE;
}

static enum dr_err say_seal(struct dr_engine *e, struct dr_fail *fail)
{
	return dr_engine_say(e, DR_NOTE_LEASE, e->final_.number, e->final_.hash, DR_SOURCE_CORE,
			     e->seal == DR_SEAL_NONE ? "unsealed: the newest complete final block is fresh"
						     : dr_engine_why(e),
			     fail);
}

enum dr_err dr_engine_refresh(struct dr_engine *e, struct dr_fail *fail)
{
	const enum dr_seal before = e->seal;

	e->lease = e->seal = dr_engine_lease(e);
	/* By what the evidence says, and not by what holds: so that a replay believes the clocks at the same frame.
	 */
	if (e->lease == DR_SEAL_NONE && !e->offset.known) {
		e->offset.known = true;
		e->offset.ms = offset_ms(e);
	}
	/* What is worse than the host's own reason is told before it. */
	if (e->held != NULL && e->seal > DR_SEAL_HELD)
		e->seal = DR_SEAL_HELD;
	return e->seal == before ? DR_OK : say_seal(e, fail);
}

enum dr_err dr_engine_hold(struct dr_engine *e, const char *why, struct dr_fail *fail)
{
	const char *before = e->seal == DR_SEAL_HELD ? e->held : NULL;

	if (e->failed)
		return dr_engine_failed_before(fail);
	e->held = why;
	if (dr_engine_refresh(e, fail) != DR_OK)
		return fail->err;
	/* From one reason to another. */
	if (before != NULL && why != NULL && strcmp(before, why) != 0)
		return say_seal(e, fail);
	return DR_OK;
}

void dr_engine_lease_start(struct dr_engine *e)
{
	memset(&e->offset, 0, sizeof(e->offset));
	memset(&e->heartbeat, 0, sizeof(e->heartbeat));
}

void dr_engine_lease_step(struct dr_engine *e)
{
	const uint64_t limit_s = e->init.max_staleness_s, wall_s = e->clock.wall_ms / 1000;
	const uint64_t apart = wall_s > e->final_.time ? wall_s - e->final_.time : e->final_.time - wall_s;
	bool ahead;

	e->unproven = false;
	e->lease_boot_ms = e->clock.boot_ms;
	if (wall_moved(e, &ahead) && ahead && apart <= limit_s)
		e->offset.ms = offset_ms(e);
}

uint64_t dr_engine_heartbeat_age(const struct dr_engine *e)
{
	/* Drawn before the newest clock, which never goes back. */
	return e->heartbeat.seen ? (e->clock.boot_ms - e->heartbeat.seen_boot_ms) / 1000 : UINT64_MAX;
}

uint64_t dr_engine_lease_left(const struct dr_engine *e)
{
	const uint64_t limit_s = e->init.max_staleness_s, wall_s = e->clock.wall_ms / 1000;
	const uint64_t by_wall = wall_s > e->final_.time ? wall_s - e->final_.time : 0;
	const uint64_t by_boot = (e->clock.boot_ms - e->lease_boot_ms) / 1000;
	const uint64_t by_beat = e->init.heartbeat ? dr_engine_heartbeat_age(e) : 0;
	uint64_t used = by_wall > by_boot ? by_wall : by_boot;

	used = by_beat > used ? by_beat : used;
	return e->seal != DR_SEAL_NONE || used > limit_s ? 0 : limit_s - used;
}

enum dr_err dr_engine_heartbeat_step(struct dr_engine *e, struct dr_fail *fail)
{
	uint8_t nonce[32];
	size_t at = 0;

	if (!dr_state_heartbeat(nonce, &e->state, e->self.node))
		return DR_OK;
	while (at < e->heartbeat.num && memcmp(e->heartbeat.nonces[at].nonce, nonce, 32) != 0)
		at++;
	if (at == e->heartbeat.num)
		return DR_OK;
	e->heartbeat.seen = true;
	e->heartbeat.seen_boot_ms = e->heartbeat.nonces[at].boot_ms;
	e->heartbeat.num -= at + 1;
	memmove(e->heartbeat.nonces, e->heartbeat.nonces + at + 1, e->heartbeat.num * sizeof(e->heartbeat.nonces[0]));
	return dr_engine_say(e, DR_NOTE_HEARTBEAT, e->final_.number, nonce, DR_SOURCE_CORE,
			     "seen in the state of this final block", fail);
}

enum dr_err dr_engine_take_nonce(struct dr_engine *e, const struct dr_frame *frame, struct dr_fail *fail)
{
	struct dr_nonce drawn = { .boot_ms = e->clock.boot_ms };
	struct dr_reader r;

	dr_reader_init(&r, frame->payload, fail);
	dr_reader_copy(&r, drawn.nonce, 32);
	if (dr_reader_end(&r) != DR_OK || dr_engine_keep(e, frame, fail) != DR_OK)
		return fail->err;
	if (e->heartbeat.num == DR_NONCES_MAX)
		memmove(e->heartbeat.nonces, e->heartbeat.nonces + 1,
			--e->heartbeat.num * sizeof(e->heartbeat.nonces[0]));
	e->heartbeat.nonces[e->heartbeat.num++] = drawn;
	e->heartbeat.drawn = true;
	e->heartbeat.drawn_boot_ms = drawn.boot_ms;
	return dr_engine_say(e, DR_NOTE_HEARTBEAT, e->final_.number, drawn.nonce, DR_SOURCE_CORE,
			     "drawn: the node's account may send it to the contract as its heartbeat", fail);
}

enum dr_err dr_engine_nonce(struct dr_engine *e, const uint8_t nonce[static 32], struct dr_fail *fail)
{
	const struct dr_frame frame = { DR_FRAME_NONCE, DR_SOURCE_CORE, { nonce, 32 } };

	return dr_engine_core_frame(e, NULL, &frame, fail);
}

bool dr_engine_nonce_wanted(const struct dr_engine *e)
{
	/* A nonce names a size of this journal, and the chain keeps the larger. One that is drawn before the chain
	 * was heard, by a node whose directory was rolled back, could take the place of the one that tells of it. */
	if (e->failed || (e->seal != DR_SEAL_NONE && e->seal != DR_SEAL_HEARTBEAT))
		return false;
	/* Nothing outstanding: the newest was seen. */
	return !e->heartbeat.drawn || e->heartbeat.num == 0 ||
	       (e->clock.boot_ms - e->heartbeat.drawn_boot_ms) / 250 > e->init.max_staleness_s;
}
