/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers and writers of each record, side by side. Values were written here, so one that does not read
 * back is a bug, not bad data.
 */
#include "governance/state.h"

#include <string.h>

#include "chain/crypto/sha256.h"
#include "governance/record.h"
#include "governance/state_put.h"

struct dr_state dr_state_share(const struct dr_state *state)
{
	return (struct dr_state){ dr_map_share(state->map) };
}

void dr_state_drop(struct dr_state *state)
{
	dr_map_drop(&state->map);
}

void dr_state_digest(uint8_t out[static 32], const struct dr_state *state)
{
	dr_map_digest(out, state->map);
}

bool dr_state_next(struct dr_bytes *key_out, struct dr_bytes *value, const struct dr_state *s, enum dr_record kind,
		   const struct dr_bytes *key)
{
	uint8_t after[DR_MAP_KEY_MAX] = { (uint8_t)kind };
	size_t len = 1;

	/* The key that follows k at once is k ‖ 0; the longest keys are shorter than the limit. */
	if (key != NULL) {
		DR_ASSERT(key->len < sizeof(after));
		memcpy(after, key->ptr, key->len);
		after[key->len] = 0;
		len = key->len + 1;
	}
	if (dr_map_ceil(key_out, value, s->map, dr_bytes_of(after, len)) && key_out->ptr[0] == kind)
		return true;
	*key_out = *value = (struct dr_bytes){ 0 };
	return false;
}

/* Rights with notice */

static struct dr_key handover_key(const uint8_t *app, const uint8_t *from, const uint8_t *to)
{
	const struct dr_bytes parts[] = { dr_bytes_of(from, 32), dr_bytes_of(to, 32) };
	uint8_t pair[32];

	dr_sha256(pair, parts, 2);
	return dr_record_key(DR_RECORD_HANDOVER, app, 32, pair, 32);
}

static struct dr_key grant_key(const struct dr_act *act)
{
	switch (act->action) {
	case DR_ACTION_MEASUREMENT_ALLOW:
	case DR_ACTION_MEASUREMENT_REVOKE: return dr_record_key(DR_RECORD_MEASUREMENT, act->args[0], 32, NULL, 0);
	case DR_ACTION_APP_MEASUREMENT_ALLOW:
	case DR_ACTION_APP_MEASUREMENT_REVOKE:
		return dr_record_key(DR_RECORD_APP_MEASUREMENT, act->args[0], 32, act->args[1], 32);
	case DR_ACTION_APP_HANDOVER:
	case DR_ACTION_APP_HANDOVER_END: return handover_key(act->args[0], act->args[1], act->args[2]);
	case DR_ACTION_ROOT_SHARE: return dr_record_key(DR_RECORD_SHARE, act->args[1] + 12, 20, act->args[0] + 24, 8);
	/* clang-format off */
	case DR_ACTION_NONE: case DR_ACTION_MEMBER_SET: case DR_ACTION_MEMBER_REMOVE: case DR_ACTION_QUORUM_SET:
	case DR_ACTION_NOTICE_SET: case DR_ACTION_GUARDIAN_ADD: case DR_ACTION_GUARDIAN_REMOVE:
	case DR_ACTION_CONSTITUTE: case DR_ACTION_PROPOSE: case DR_ACTION_VOTE: case DR_ACTION_CANCEL:
	case DR_ACTION_EXECUTE: case DR_ACTION_APP_REGISTER: case DR_ACTION_APP_SUSPEND: case DR_ACTION_APP_RESUME:
	case DR_ACTION_APP_CONFIDENCE_RELAX: case DR_ACTION_APP_CONFIDENCE_TIGHTEN: case DR_ACTION_HARDWARE_BLACKLIST:
	case DR_ACTION_HARDWARE_REINSTATE: case DR_ACTION_ROOT_ROTATE: case DR_ACTION_ROOT_PUBLISH:
	case DR_ACTION_ROOT_RETIRE: case DR_ACTION_ROOT_EXPOSE: case DR_ACTION_EPOCH_POLICY:
	case DR_ACTION_EPOCH_ADVANCE: case DR_ACTION_NODE_REGISTER: case DR_ACTION_NODE_DEREGISTER:
	case DR_ACTION_NODE_STAKE: case DR_ACTION_NODE_SLASH: case DR_ACTION_HEARTBEAT: case DR_ACTION_PROFILE_SET:
		break;
		/* clang-format on */
	}
	dr_bug("an act on a right with notice", __FILE__, __LINE__);
}

static bool read_grant(struct dr_grant *out, const struct dr_state *s, struct dr_key key)
{
	struct dr_open o;

	memset(out, 0, sizeof(*out));
	if (!dr_record_open(&o, s, key))
		return false;
	out->due = dr_reader_u64(&o.r);
	out->announced = dr_reader_u64(&o.r);
	out->active = dr_reader_u8(&o.r) != 0;
	if (key.bytes[0] == DR_RECORD_HANDOVER)
		dr_reader_view(&o.r, 64);
	return dr_record_shut(&o);
}

bool dr_state_grant(struct dr_grant *out, const struct dr_state *s, const struct dr_act *act)
{
	return read_grant(out, s, grant_key(act));
}

void dr_state_put_grant(struct dr_state *s, const struct dr_act *act, const struct dr_grant *grant,
			struct dr_fail *fail)
{
	struct dr_draft d;
	struct dr_writer *w = dr_record_draft(&d);

	dr_writer_u64(w, grant->due);
	dr_writer_u64(w, grant->announced);
	dr_writer_u8(w, grant->active);
	if (act->action == DR_ACTION_APP_HANDOVER)
		dr_writer_copy(w, act->args[1], 64);
	dr_record_put_draft(s, grant_key(act), &d, fail);
}

void dr_state_del_grant(struct dr_state *s, const struct dr_act *act, struct dr_fail *fail)
{
	dr_record_del(s, grant_key(act), fail);
}

void dr_state_del_shares(struct dr_state *s, const uint8_t node[static 20], struct dr_fail *fail)
{
	struct dr_key key = dr_record_key_u64(DR_RECORD_SHARE, node, 20, 0);
	struct dr_bytes found, value;

	while (fail->err == DR_OK && dr_map_ceil(&found, &value, s->map, dr_record_view(&key)) &&
	       found.len == key.len && memcmp(found.ptr, key.bytes, 21) == 0) {
		uint8_t subject[2][32] = { { 0 } };

		memcpy(key.bytes, found.ptr, found.len);
		memcpy(subject[0] + 24, key.bytes + 21, 8);
		memcpy(subject[1] + 12, node, 20);
		dr_state_unpend(s, DR_PENDING_ACT, DR_ACTION_ROOT_SHARE, (const uint8_t(*)[32])subject, 2, 0, fail);
		dr_record_del(s, key, fail);
	}
}

bool dr_state_measurement(struct dr_grant *out, const struct dr_state *s, const uint8_t measurement[static 32])
{
	return read_grant(out, s, dr_record_key(DR_RECORD_MEASUREMENT, measurement, 32, NULL, 0));
}

bool dr_state_app_measurement(struct dr_grant *out, const struct dr_state *s, const uint8_t app[static 32],
			      const uint8_t measurement[static 32])
{
	return read_grant(out, s, dr_record_key(DR_RECORD_APP_MEASUREMENT, app, 32, measurement, 32));
}

bool dr_state_handover(struct dr_grant *out, const struct dr_state *s, const uint8_t app[static 32],
		       const uint8_t from[static 32], const uint8_t to[static 32])
{
	return read_grant(out, s, handover_key(app, from, to));
}

bool dr_state_share_of(struct dr_grant *out, const struct dr_state *s, uint64_t generation,
		       const uint8_t node[static 20])
{
	return read_grant(out, s, dr_record_key_u64(DR_RECORD_SHARE, node, 20, generation));
}

/* Apps */

bool dr_state_app(struct dr_app *out, const struct dr_state *s, const uint8_t app[static 32])
{
	struct dr_open o;

	memset(out, 0, sizeof(*out));
	if (!dr_record_open(&o, s, dr_record_key(DR_RECORD_APP, app, 32, NULL, 0)))
		return false;
	dr_reader_copy(&o.r, out->deployer, 20);
	dr_reader_copy(&o.r, out->nonce, 32);
	out->notice_s = dr_reader_u64(&o.r);
	out->confidence = dr_reader_u8(&o.r);
	out->suspended = dr_reader_u8(&o.r) != 0;
	return dr_record_shut(&o);
}

void dr_state_put_app(struct dr_state *s, const uint8_t app[static 32], const struct dr_app *r, struct dr_fail *fail)
{
	struct dr_draft d;
	struct dr_writer *w = dr_record_draft(&d);

	dr_writer_copy(w, r->deployer, 20);
	dr_writer_copy(w, r->nonce, 32);
	dr_writer_u64(w, r->notice_s);
	dr_writer_u8(w, r->confidence);
	dr_writer_u8(w, r->suspended);
	dr_record_put_draft(s, dr_record_key(DR_RECORD_APP, app, 32, NULL, 0), &d, fail);
}

uint64_t dr_state_suspension(const struct dr_state *s, const uint8_t app[static 32])
{
	uint64_t value;

	dr_record_get_u64(&value, s, dr_record_key(DR_RECORD_SUSPENSION, app, 32, NULL, 0));
	return value;
}

void dr_state_put_suspension(struct dr_state *s, const uint8_t app[static 32], uint64_t value, struct dr_fail *fail)
{
	dr_record_put_u64(s, dr_record_key(DR_RECORD_SUSPENSION, app, 32, NULL, 0), value, fail);
}

bool dr_state_epoch(struct dr_epoch *out, const struct dr_state *s, const uint8_t app[static 32],
		    const uint8_t service[static 32])
{
	struct dr_open o;

	memset(out, 0, sizeof(*out));
	if (!dr_record_open(&o, s, dr_record_key(DR_RECORD_EPOCH, app, 32, service, 32)))
		return false;
	out->policy.period_s = dr_reader_u64(&o.r);
	out->policy.overlap_s = dr_reader_u64(&o.r);
	out->policy.epoch = dr_reader_u64(&o.r);
	out->policy.epoch_time = dr_reader_u64(&o.r);
	dr_reader_copy(&o.r, out->event_digest, 32);
	out->number = dr_reader_u64(&o.r);
	out->ordinal = dr_reader_u32(&o.r);
	out->said = dr_reader_u8(&o.r);
	return dr_record_shut(&o);
}

void dr_state_put_epoch(struct dr_state *s, const uint8_t app[static 32], const uint8_t service[static 32],
			const struct dr_epoch *r, struct dr_fail *fail)
{
	struct dr_draft d;
	struct dr_writer *w = dr_record_draft(&d);

	dr_writer_u64(w, r->policy.period_s);
	dr_writer_u64(w, r->policy.overlap_s);
	dr_writer_u64(w, r->policy.epoch);
	dr_writer_u64(w, r->policy.epoch_time);
	dr_writer_copy(w, r->event_digest, 32);
	dr_writer_u64(w, r->number);
	dr_writer_u32(w, r->ordinal);
	dr_writer_u8(w, r->said);
	dr_record_put_draft(s, dr_record_key(DR_RECORD_EPOCH, app, 32, service, 32), &d, fail);
}

bool dr_state_epoch_policy(struct dr_epoch_policy *out, const struct dr_state *s, const uint8_t app[static 32],
			   const uint8_t service[static 32])
{
	struct dr_epoch epoch;
	const bool found = dr_state_epoch(&epoch, s, app, service);

	*out = epoch.policy;
	return found;
}

bool dr_epoch_carry(struct dr_epoch_policy *policy, uint64_t until)
{
	uint64_t crossed;

	if (policy->period_s == 0 || until < policy->epoch_time)
		return false;
	crossed = (until - policy->epoch_time) / policy->period_s;
	policy->epoch += crossed;
	policy->epoch_time += crossed * policy->period_s;
	return crossed > 0;
}

/* Hardware */

static struct dr_key listing_key(uint64_t kind, const uint8_t *value)
{
	const uint8_t byte = (uint8_t)kind;

	DR_ASSERT(kind >= DR_HARDWARE_FAMILY && kind <= DR_HARDWARE_TEE);
	return dr_record_key(DR_RECORD_HARDWARE, &byte, 1, value, 32);
}

bool dr_state_listing(struct dr_listing *out, const struct dr_state *s, uint64_t kind, const uint8_t value[static 32])
{
	struct dr_open o;

	memset(out, 0, sizeof(*out));
	if (!dr_record_open(&o, s, listing_key(kind, value)))
		return false;
	out->svn = dr_reader_u64(&o.r);
	out->listed = dr_reader_u8(&o.r) != 0;
	return dr_record_shut(&o);
}

void dr_state_put_listing(struct dr_state *s, uint64_t kind, const uint8_t value[static 32],
			  const struct dr_listing *r, struct dr_fail *fail)
{
	struct dr_draft d;
	struct dr_writer *w = dr_record_draft(&d);

	dr_writer_u64(w, r->svn);
	dr_writer_u8(w, r->listed);
	dr_record_put_draft(s, listing_key(kind, value), &d, fail);
}

bool dr_state_blacklisted(uint64_t *svn, const struct dr_state *s, enum dr_hardware kind,
			  const uint8_t value[static 32])
{
	struct dr_listing listing;

	*svn = 0;
	if (!dr_state_listing(&listing, s, kind, value) || !listing.listed)
		return false;
	*svn = listing.svn;
	return true;
}

static bool is_listed(const struct dr_state *s, enum dr_hardware kind, const uint8_t *value)
{
	uint64_t svn;

	return dr_state_blacklisted(&svn, s, kind, value);
}

bool dr_state_machine_listed(const struct dr_state *s, const uint8_t tee[static 32], const uint8_t family[static 32],
			     uint64_t svn, const uint8_t device[static 32])
{
	uint64_t least;

	return is_listed(s, DR_HARDWARE_TEE, tee) || is_listed(s, DR_HARDWARE_FAMILY, family) ||
	       is_listed(s, DR_HARDWARE_DEVICE, device) ||
	       (dr_state_blacklisted(&least, s, DR_HARDWARE_SVN, family) && svn < least);
}

/* Roots */

bool dr_state_root(struct dr_root *out, const struct dr_state *s, uint64_t generation)
{
	struct dr_open o;

	memset(out, 0, sizeof(*out));
	if (!dr_record_open(&o, s, dr_record_key_u64(DR_RECORD_ROOT, NULL, 0, generation)))
		return false;
	out->stage = (enum dr_root_stage)dr_reader_u8(&o.r);
	dr_reader_copy(&o.r, out->node, 20);
	out->due = dr_reader_u64(&o.r);
	out->deadline = dr_reader_u64(&o.r);
	out->exposed_deadline = dr_reader_u64(&o.r);
	out->stopped = dr_reader_u8(&o.r) != 0;
	dr_reader_copy(&o.r, out->prf_pub, 32);
	dr_reader_copy(&o.r, out->sig_pub, 32);
	dr_reader_copy(&o.r, out->quote, 32);
	out->published = dr_reader_u64(&o.r);
	const uint8_t council = dr_reader_u8(&o.r);

	out->council = council != 0;
	out->given_up = out->stage == DR_ROOT_RETIRED && council == 1;
	return dr_record_shut(&o);
}

void dr_state_put_root(struct dr_state *s, uint64_t generation, const struct dr_root *r, struct dr_fail *fail)
{
	struct dr_draft d;
	struct dr_writer *w = dr_record_draft(&d);

	dr_writer_u8(w, (uint8_t)r->stage);
	dr_writer_copy(w, r->node, 20);
	dr_writer_u64(w, r->due);
	dr_writer_u64(w, r->deadline);
	dr_writer_u64(w, r->exposed_deadline);
	dr_writer_u8(w, r->stopped);
	dr_writer_copy(w, r->prf_pub, 32);
	dr_writer_copy(w, r->sig_pub, 32);
	dr_writer_copy(w, r->quote, 32);
	dr_writer_u64(w, r->published);
	/* 0: no act of the council's; 1: one; 2: one, but its retirement was not. */
	dr_writer_u8(w, r->stage == DR_ROOT_RETIRED && r->council && !r->given_up ? 2 : r->council);
	dr_record_put_draft(s, dr_record_key_u64(DR_RECORD_ROOT, NULL, 0, generation), &d, fail);
}

uint64_t dr_state_ordered(const struct dr_state *s)
{
	struct dr_bytes value;
	uint64_t generation;

	dr_record_last_u64(&generation, &value, s, DR_RECORD_ROOT, NULL, 0, UINT64_MAX);
	return generation;
}

uint64_t dr_state_published_below(const struct dr_state *s, uint64_t generation)
{
	const uint64_t ordered = dr_state_ordered(s);
	struct dr_root root;

	for (uint64_t g = generation > ordered ? ordered : generation - (generation > 0); g > 0; g--)
		if (dr_state_root(&root, s, g) &&
		    (root.stage == DR_ROOT_PUBLISHED || !dr_bytes_zero(root.prf_pub, 32)))
			return g;
	return 0;
}

uint64_t dr_state_generation(const struct dr_state *s)
{
	/* One that was never published takes nothing's place; one that was ends what came before it for ever. */
	const uint64_t generation = dr_state_published_below(s, UINT64_MAX);
	struct dr_root root;

	return dr_state_root(&root, s, generation) && root.stage == DR_ROOT_PUBLISHED && !root.stopped ? generation
												       : 0;
}

/* Nodes */

bool dr_state_node(struct dr_node *out, const struct dr_state *s, const uint8_t node[static 20])
{
	struct dr_open o;

	memset(out, 0, sizeof(*out));
	if (!dr_record_open(&o, s, dr_record_key(DR_RECORD_NODE, node, 20, NULL, 0)))
		return false;
	dr_reader_copy(&o.r, out->by, 20);
	out->role = dr_reader_u8(&o.r);
	dr_reader_copy(&o.r, out->measurement, 32);
	dr_reader_copy(&o.r, out->enc_key, 32);
	dr_reader_copy(&o.r, out->tee, 32);
	dr_reader_copy(&o.r, out->family, 32);
	dr_reader_copy(&o.r, out->device, 32);
	out->svn = dr_reader_u64(&o.r);
	out->stake = dr_reader_u64(&o.r);
	return dr_record_shut(&o);
}

void dr_state_put_node(struct dr_state *s, const uint8_t node[static 20], const struct dr_node *r,
		       struct dr_fail *fail)
{
	struct dr_draft d;
	struct dr_writer *w = dr_record_draft(&d);

	dr_writer_copy(w, r->by, 20);
	dr_writer_u8(w, r->role);
	dr_writer_copy(w, r->measurement, 32);
	dr_writer_copy(w, r->enc_key, 32);
	dr_writer_copy(w, r->tee, 32);
	dr_writer_copy(w, r->family, 32);
	dr_writer_copy(w, r->device, 32);
	dr_writer_u64(w, r->svn);
	dr_writer_u64(w, r->stake);
	dr_record_put_draft(s, dr_record_key(DR_RECORD_NODE, node, 20, NULL, 0), &d, fail);
}

void dr_state_del_node(struct dr_state *s, const uint8_t node[static 20], struct dr_fail *fail)
{
	dr_record_del(s, dr_record_key(DR_RECORD_NODE, node, 20, NULL, 0), fail);
}

bool dr_state_heartbeat(uint8_t nonce[static 32], const struct dr_state *s, const uint8_t node[static 20])
{
	struct dr_open o;

	memset(nonce, 0, 32);
	if (!dr_record_open(&o, s, dr_record_key(DR_RECORD_HEARTBEAT, node, 20, NULL, 0)))
		return false;
	dr_reader_copy(&o.r, nonce, 32);
	return dr_record_shut(&o);
}

void dr_state_put_heartbeat(struct dr_state *s, const uint8_t who[static 20], const uint8_t nonce[static 32],
			    struct dr_fail *fail)
{
	dr_record_put(s, dr_record_key(DR_RECORD_HEARTBEAT, who, 20, NULL, 0), dr_bytes_of(nonce, 32), fail);
}

void dr_state_del_heartbeat(struct dr_state *s, const uint8_t who[static 20], struct dr_fail *fail)
{
	dr_record_del(s, dr_record_key(DR_RECORD_HEARTBEAT, who, 20, NULL, 0), fail);
}

/* Profile */

static bool get_digest(uint8_t out[static 32], const struct dr_state *s, enum dr_record kind)
{
	struct dr_open o;

	memset(out, 0, 32);
	if (!dr_record_open(&o, s, dr_record_key(kind, NULL, 0, NULL, 0)))
		return false;
	dr_reader_copy(&o.r, out, 32);
	return dr_record_shut(&o);
}

bool dr_state_profile(uint8_t digest[static 32], const struct dr_state *s)
{
	return get_digest(digest, s, DR_RECORD_PROFILE);
}

void dr_state_put_profile(struct dr_state *s, const uint8_t digest[static 32], struct dr_fail *fail)
{
	dr_record_put(s, dr_record_key(DR_RECORD_PROFILE, NULL, 0, NULL, 0), dr_bytes_of(digest, 32), fail);
}

bool dr_state_broken_by(uint8_t profile[static 32], const struct dr_state *s)
{
	return get_digest(profile, s, DR_RECORD_BROKEN);
}

bool dr_state_broken(const struct dr_state *s)
{
	return dr_record_has(s, dr_record_key(DR_RECORD_BROKEN, NULL, 0, NULL, 0));
}

void dr_state_put_broken(struct dr_state *s, const uint8_t *profile, struct dr_fail *fail)
{
	const struct dr_key key = dr_record_key(DR_RECORD_BROKEN, NULL, 0, NULL, 0);

	if (profile != NULL)
		dr_record_put(s, key, dr_bytes_of(profile, 32), fail);
	else
		dr_record_del(s, key, fail);
}
