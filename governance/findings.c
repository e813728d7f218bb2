/* SPDX-License-Identifier: Apache-2.0
 *
 * One entry per app measurement that is announced, or has been in force for less than the window; it is
 * dropped once a revocation would no longer be a finding. Memory is bounded by what the chain announced
 * within one notice period and one window.
 *
 *   'e' ‖ app ‖ measurement → u64 first number ‖ u64 first time ‖ u8 active ‖ u64 active since ‖ u64 expires
 *   'x' ‖ expires ‖ app ‖ measurement → nothing
 */
#include "governance/findings.h"

#include <string.h>

#include "chain/base/arena.h"
#include "chain/base/reader.h"
#include "chain/base/writer.h"
#include "governance/map.h"

struct entry {
	uint64_t first_number, first_time;
	bool active;
	uint64_t active_since;
	uint64_t expires; /* revoked at this time or later, it is surely no finding */
};

struct dr_findings {
	uint64_t window_s;
	struct dr_map map;
	struct dr_fail fail; /* memory ran out: from then on every revocation of an app measurement is reported */
};

#define ENTRY_KEY_LEN  65u
#define EXPIRY_KEY_LEN 73u

struct dr_findings *dr_findings_new(uint64_t stealth_window_s)
{
	struct dr_findings *f = dr_heap_alloc(sizeof(*f));

	if (f != NULL)
		f->window_s = stealth_window_s;
	return f;
}

void dr_findings_free(struct dr_findings *f)
{
	if (f != NULL)
		dr_map_drop(&f->map);
	dr_heap_free(f);
}

static void entry_key(uint8_t key[static ENTRY_KEY_LEN], const struct dr_act *act)
{
	key[0] = 'e';
	memcpy(key + 1, act->args, 64);
}

static void expiry_key(uint8_t key[static EXPIRY_KEY_LEN], uint64_t expires, const uint8_t *pair)
{
	key[0] = 'x';
	dr_be64_put(key + 1, expires);
	memcpy(key + 9, pair, 64);
}

static bool get(struct entry *out, const struct dr_findings *f, const struct dr_act *act)
{
	struct dr_fail fail = { 0 };
	uint8_t key[ENTRY_KEY_LEN];
	struct dr_bytes value;
	struct dr_reader r;

	memset(out, 0, sizeof(*out));
	entry_key(key, act);
	if (!dr_map_get(&value, f->map, dr_bytes_of(key, sizeof(key))))
		return false;
	dr_reader_init(&r, value, &fail);
	out->first_number = dr_reader_u64(&r);
	out->first_time = dr_reader_u64(&r);
	out->active = dr_reader_u8(&r) != 0;
	out->active_since = dr_reader_u64(&r);
	out->expires = dr_reader_u64(&r);
	DR_ASSERT(dr_reader_end(&r) == DR_OK);
	return true;
}

static void del(struct dr_findings *f, const struct dr_act *act)
{
	uint8_t key[ENTRY_KEY_LEN], expiry[EXPIRY_KEY_LEN];
	struct entry e;

	if (!get(&e, f, act))
		return;
	entry_key(key, act);
	expiry_key(expiry, e.expires, key + 1);
	dr_map_del(&f->map, dr_bytes_of(key, sizeof(key)), &f->fail);
	dr_map_del(&f->map, dr_bytes_of(expiry, sizeof(expiry)), &f->fail);
}

static void put(struct dr_findings *f, const struct dr_act *act, const struct entry *e)
{
	uint8_t key[ENTRY_KEY_LEN], expiry[EXPIRY_KEY_LEN], value[33];
	struct dr_fail full = { 0 };
	struct dr_writer w;

	del(f, act);
	entry_key(key, act);
	expiry_key(expiry, e->expires, key + 1);
	dr_writer_init(&w, value, sizeof(value), &full);
	dr_writer_u64(&w, e->first_number);
	dr_writer_u64(&w, e->first_time);
	dr_writer_u8(&w, e->active);
	dr_writer_u64(&w, e->active_since);
	dr_writer_u64(&w, e->expires);
	DR_ASSERT(full.err == DR_OK);
	dr_map_put(&f->map, dr_bytes_of(key, sizeof(key)), dr_writer_view(&w), &f->fail);
	dr_map_put(&f->map, dr_bytes_of(expiry, sizeof(expiry)), (struct dr_bytes){ 0 }, &f->fail);
}

static uint64_t later(uint64_t time, uint64_t s)
{
	return time > UINT64_MAX - s ? UINT64_MAX : time + s;
}

/* sweep: forgets what has been in force for a whole window. */
static void sweep(struct dr_findings *f, uint64_t time)
{
	static const uint8_t first = 'x';
	struct dr_act act = { 0 };
	struct dr_bytes key, value;

	while (f->fail.err == DR_OK && dr_map_ceil(&key, &value, f->map, dr_bytes_of(&first, 1)) &&
	       dr_be64_get(key.ptr + 1) <= time) {
		memcpy(act.args, key.ptr + 9, 64);
		del(f, &act);
	}
}

/* track: one change to an app measurement; fills *out if it completes a stealthy deployment. */
static void track(struct dr_findings *f, struct dr_audit_finding *out, const struct dr_change *c)
{
	struct entry e;
	const bool known = get(&e, f, &c->act);

	if (c->act.action == DR_ACTION_APP_MEASUREMENT_REVOKE) {
		if (c->outcome != DR_OUTCOME_APPLIED || (!known && f->fail.err == DR_OK))
			return;
		del(f, &c->act);
		if (known && c->time - (e.active ? e.active_since : e.first_time) >= f->window_s)
			return;
		out->kind = DR_AUDIT_STEALTHY_DEPLOYER;
		out->first_number = e.first_number;
		out->first_time = e.first_time;
		out->was_active = e.active;
		out->active_since = e.active_since;
		return;
	}
	if (!known) {
		e.first_number = c->number;
		e.first_time = c->time;
	}
	e.active = c->outcome != DR_OUTCOME_PENDING;
	e.active_since = e.active ? c->time : 0;
	/* Kept until a revocation is no finding any more: from the second at which it is in force. Until then
	 * whatever the time is: where no block came for long, its due is over before it is in force. */
	e.expires = e.active ? later(c->time, f->window_s) : UINT64_MAX;
	put(f, &c->act, &e);
}

static enum dr_audit_finding_kind judge(const struct dr_change *c)
{
	const struct dr_action_def *def = dr_action_def((uint16_t)c->act.action);
	bool executes;

	if (c->reason == DR_REASON_NONE)
		return DR_AUDIT_NONE;
	if (c->outcome != DR_OUTCOME_REFUSED)
		return DR_AUDIT_UNAUTHORIZED_REVOCATION;
	if (c->act.action == DR_ACTION_ROOT_ROTATE && c->reason == DR_REASON_DEADLINE)
		return DR_AUDIT_ROOT_FAILED;
	executes = def != NULL && c->act.has_proposal && c->act.proposal != 0 && c->act.action != DR_ACTION_PROPOSE &&
		   c->act.action != DR_ACTION_VOTE && c->act.action != DR_ACTION_CANCEL;
	if (executes &&
	    (c->reason == DR_REASON_VOTES || c->reason == DR_REASON_NO_PROPOSAL || c->reason == DR_REASON_MISMATCH))
		return DR_AUDIT_UNSUPPORTED_EXECUTION;
	return DR_AUDIT_REFUSED;
}

bool dr_findings_take(struct dr_findings *f, struct dr_audit_finding *out, const struct dr_change *change)
{
	const bool of_app = change->act.action == DR_ACTION_APP_MEASUREMENT_ALLOW ||
			    change->act.action == DR_ACTION_APP_MEASUREMENT_REVOKE;

	memset(out, 0, sizeof(*out));
	sweep(f, change->time);
	out->kind = judge(change);
	if (of_app && change->outcome != DR_OUTCOME_REFUSED)
		track(f, out, change);
	if (out->kind == DR_AUDIT_NONE)
		return false;
	out->at = *change;
	return true;
}

const char *dr_audit_finding_name(enum dr_audit_finding_kind kind)
{
	switch (kind) {
	case DR_AUDIT_NONE: return "none";
	case DR_AUDIT_STEALTHY_DEPLOYER: return "stealthy-deployer";
	case DR_AUDIT_UNSUPPORTED_EXECUTION: return "unsupported-execution";
	case DR_AUDIT_REFUSED: return "refused";
	case DR_AUDIT_UNAUTHORIZED_REVOCATION: return "unauthorized-revocation";
	case DR_AUDIT_ROOT_FAILED: return "root-failed";
	}
	return "?";
}
