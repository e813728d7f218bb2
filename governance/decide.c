/* SPDX-License-Identifier: Apache-2.0
 *
 * The rule has two halves: rights (which a head may take away) and keys (which come from the final state
 * alone). The first reason found is the answer, in the order of enum dr_deny.
 */
#include "governance/decide.h"

#include <string.h>

#include "chain/base/reader.h"
#include "chain/base/writer.h"

#define CONFIDENCE_MAX 5u

/* Hardware that does not say what it is cannot be held against the blacklist. */
static bool is_named(const uint8_t word[static 32])
{
	return !dr_bytes_zero(word, 32);
}

/* is_addressed: the purpose says below what the key hangs: a storage service or cluster, and a contract of it. */
static bool is_addressed(const struct dr_request *r)
{
	switch ((enum dr_purpose)r->purpose) {
	case DR_PURPOSE_NONE: return false;
	case DR_PURPOSE_SEAL:
	case DR_PURPOSE_SIGN:
	case DR_PURPOSE_TLS: return !is_named(r->contract);
	case DR_PURPOSE_STORAGE:
	case DR_PURPOSE_CLUSTER: return is_named(r->service) && !is_named(r->contract);
	case DR_PURPOSE_CONTRACT: return is_named(r->service) && is_named(r->contract);
	}
	return false;
}

static bool is_well_formed(const struct dr_request *r)
{
	return is_addressed(r) && r->back <= 1 && r->root_back <= 1 && (r->root_back == 0 || r->has_from) &&
	       r->confidence >= 1 && r->confidence <= CONFIDENCE_MAX && r->num_advisories <= DR_ADVISORIES_MAX &&
	       (r->has_from || dr_bytes_zero(r->from, 32)) && is_named(r->tee) && is_named(r->family) &&
	       is_named(r->device);
}

static enum dr_deny node_rights(const struct dr_state *s, const struct dr_self *self)
{
	struct dr_grant grant;
	struct dr_node node;

	if (!dr_state_node(&node, s, self->node) || node.role != DR_ROLE_KMS)
		return DR_DENY_NODE;
	if (!dr_state_measurement(&grant, s, node.measurement) || !grant.active)
		return DR_DENY_NODE_MEASUREMENT;
	if (!is_named(node.tee) || !is_named(node.family) || !is_named(node.device) ||
	    dr_state_machine_listed(s, node.tee, node.family, node.svn, node.device))
		return DR_DENY_NODE_HARDWARE;
	return DR_DENY_NONE;
}

static enum dr_deny app_rights(const struct dr_state *s, const struct dr_request *r)
{
	struct dr_grant grant;
	struct dr_app app;
	uint64_t svn;

	if (!dr_state_app(&app, s, r->app))
		return DR_DENY_APP_UNKNOWN;
	if (app.suspended)
		return DR_DENY_APP_SUSPENDED;
	if (!dr_state_app_measurement(&grant, s, r->app, r->measurement))
		return DR_DENY_APP_MEASUREMENT;
	if (!grant.active)
		return DR_DENY_APP_NOTICE;
	if (dr_state_machine_listed(s, r->tee, r->family, r->svn, r->device))
		return DR_DENY_HARDWARE;
	for (size_t i = 0; i < r->num_advisories; i++)
		if (dr_state_blacklisted(&svn, s, DR_HARDWARE_ADVISORY, r->advisories[i]))
			return DR_DENY_HARDWARE;
	if (r->confidence > app.confidence)
		return DR_DENY_CONFIDENCE;
	if (r->has_from && (!dr_state_handover(&grant, s, r->app, r->from, r->measurement) || !grant.active))
		return DR_DENY_HANDOVER;
	return DR_DENY_NONE;
}

/* standing: nothing is known to be wrong with what all rights rest on. */
static enum dr_deny standing(const struct dr_state *s, const struct dr_self *self)
{
	uint8_t profile[32];

	if (!dr_state_profile(profile, s) || memcmp(profile, self->profile, 32) != 0)
		return DR_DENY_PROFILE;
	return dr_state_broken(s) ? DR_DENY_BROKEN : DR_DENY_NONE;
}

static enum dr_deny rights(const struct dr_state *s, const struct dr_self *self, const struct dr_request *r)
{
	enum dr_deny deny;

	if (!is_well_formed(r))
		return DR_DENY_MALFORMED;
	deny = standing(s, self);
	if (deny == DR_DENY_NONE)
		deny = node_rights(s, self);
	return deny != DR_DENY_NONE ? deny : app_rights(s, r);
}

/* is_alive: keys may come from it. Retired or stopped, it answers nothing more. */
static bool is_alive(struct dr_root *root, const struct dr_state *s, uint64_t generation)
{
	return dr_state_root(root, s, generation) && root->stage == DR_ROOT_PUBLISHED && !root->stopped;
}

/* epoch_time: when the epoch that is answered began. For the one before only its end is known, so: a period before
 * that, as it is unless the deployer cut it short; 0 where epochs pass by event alone. */
static uint64_t epoch_time(const struct dr_epoch_policy *policy, uint8_t back)
{
	if (back == 0)
		return policy->epoch_time;
	return policy->period_s > 0 && policy->period_s <= policy->epoch_time ? policy->epoch_time - policy->period_s
									      : 0;
}

static enum dr_deny keys(struct dr_decision *out, const struct dr_state *s, const struct dr_self *self,
			 const struct dr_request *r, uint64_t time)
{
	struct dr_epoch_policy policy = { 0 };
	struct dr_root root;
	struct dr_app app;

	if (!dr_bytes_zero(r->service, 32))
		dr_state_epoch_policy(&policy, s, r->app, r->service);
	dr_epoch_carry(&policy, time);
	if (r->back == 1 &&
	    (policy.epoch == 0 || time < policy.epoch_time || time - policy.epoch_time >= policy.overlap_s))
		return DR_DENY_EPOCH;
	out->epoch = policy.epoch - r->back;
	out->epoch_time = epoch_time(&policy, r->back);
	out->generation = dr_state_generation(s);
	if (r->root_back == 1)
		out->generation = dr_state_published_below(s, out->generation);
	if (!is_alive(&root, s, out->generation))
		return DR_DENY_ROOT;
	if (!dr_state_holds(s, out->generation, self->node))
		return DR_DENY_ROOT_SHARE;
	out->root_time = root.published;
	dr_state_app(&app, s, r->app);
	memcpy(out->app_hash, r->has_from ? r->from : r->measurement, 32);
	memcpy(out->deployer, app.deployer, 20);
	memcpy(out->nonce, app.nonce, 32);
	return DR_DENY_NONE;
}

static void deny(struct dr_decision *out, enum dr_deny why)
{
	*out = (struct dr_decision){ .verdict = DR_DENY, .deny = why };
}

void dr_decide(struct dr_decision *out, const struct dr_state *s, const struct dr_self *self,
	       const struct dr_request *request, uint64_t time)
{
	struct dr_decision d = { .verdict = DR_DENY };
	enum dr_deny why = rights(s, self, request);

	if (why == DR_DENY_NONE)
		why = keys(&d, s, self, request, time);
	if (why != DR_DENY_NONE) {
		deny(out, why);
		return;
	}
	d.verdict = DR_ALLOW;
	*out = d;
}

/* is_root_lost: at a head the generation in use is over, or the asked one is or is not this node's any more. That
 * takes away, it grants nothing. */
static bool is_root_lost(const struct dr_state *head, uint64_t in_use, uint64_t asked, const struct dr_self *self)
{
	struct dr_root root;

	return !is_alive(&root, head, in_use) || !is_alive(&root, head, asked) ||
	       !dr_state_holds(head, asked, self->node);
}

void dr_decide_effective(struct dr_decision *out, const struct dr_state *final_state, uint64_t time,
			 const struct dr_state *heads, size_t num_heads, const struct dr_self *self,
			 const struct dr_request *request)
{
	const uint64_t in_use = dr_state_generation(final_state);

	dr_decide(out, final_state, self, request, time);
	for (size_t i = 0; i < num_heads && out->verdict == DR_ALLOW; i++)
		if (rights(&heads[i], self, request) != DR_DENY_NONE ||
		    is_root_lost(&heads[i], in_use, out->generation, self))
			deny(out, DR_DENY_HEAD);
}

static enum dr_deny share_rights(const struct dr_state *s, const struct dr_self *self, uint64_t generation,
				 const uint8_t to[static 20])
{
	struct dr_self other = *self;
	enum dr_deny why = standing(s, self);
	struct dr_root root;

	memcpy(other.node, to, 20);
	if (why == DR_DENY_NONE)
		why = node_rights(s, self);
	if (why == DR_DENY_NONE)
		why = node_rights(s, &other);
	if (why != DR_DENY_NONE)
		return why;
	if (!is_alive(&root, s, generation))
		return DR_DENY_ROOT;
	return dr_state_holds(s, generation, self->node) && dr_state_holds(s, generation, to) ? DR_DENY_NONE
											      : DR_DENY_ROOT_SHARE;
}

enum dr_deny dr_decide_share(const struct dr_state *final_state, const struct dr_state *heads, size_t num_heads,
			     const struct dr_self *self, uint64_t generation, const uint8_t to[static 20])
{
	const enum dr_deny why = share_rights(final_state, self, generation, to);

	for (size_t i = 0; i < num_heads && why == DR_DENY_NONE; i++)
		if (share_rights(&heads[i], self, generation, to) != DR_DENY_NONE)
			return DR_DENY_HEAD;
	return why;
}

/* request = app 32 · measurement 32 · service 32 · contract 32 · u8 purpose · u8 back · u8 root_back · u8 has_from ·
 *           from 32 · recipient 32 · tee 32 · family 32 · device 32 · u64 svn · u8 confidence · u8 num advisories ·
 *           advisories 32 each */
enum dr_err dr_request_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_request *r, struct dr_fail *fail)
{
	struct dr_writer w;

	*len = 0;
	dr_writer_init(&w, buf, cap, fail);
	if (r->num_advisories > DR_ADVISORIES_MAX)
		dr_fail_set(fail, DR_ERR_LIMIT, "request: advisories", r->num_advisories);
	if (!r->has_from && !dr_bytes_zero(r->from, 32))
		dr_fail_set(fail, DR_ERR_NONCANONICAL, "request: `from` without has_from", 0);
	if (fail->err == DR_OK) {
		dr_writer_copy(&w, r->app, 32);
		dr_writer_copy(&w, r->measurement, 32);
		dr_writer_copy(&w, r->service, 32);
		dr_writer_copy(&w, r->contract, 32);
		dr_writer_u8(&w, r->purpose);
		dr_writer_u8(&w, r->back);
		dr_writer_u8(&w, r->root_back);
		dr_writer_u8(&w, r->has_from);
		dr_writer_copy(&w, r->from, 32);
		dr_writer_copy(&w, r->recipient, 32);
		dr_writer_copy(&w, r->tee, 32);
		dr_writer_copy(&w, r->family, 32);
		dr_writer_copy(&w, r->device, 32);
		dr_writer_u64(&w, r->svn);
		dr_writer_u8(&w, r->confidence);
		dr_writer_u8(&w, r->num_advisories);
		dr_writer_copy(&w, r->advisories, 32u * r->num_advisories);
	}
	if (fail->err != DR_OK) {
		memset(buf, 0, cap);
		return fail->err;
	}
	*len = w.len;
	return DR_OK;
}

enum dr_err dr_request_decode(struct dr_request *out, struct dr_bytes bytes, struct dr_fail *fail)
{
	struct dr_reader r;
	uint8_t has_from;

	memset(out, 0, sizeof(*out));
	dr_reader_init(&r, bytes, fail);
	dr_reader_copy(&r, out->app, 32);
	dr_reader_copy(&r, out->measurement, 32);
	dr_reader_copy(&r, out->service, 32);
	dr_reader_copy(&r, out->contract, 32);
	out->purpose = dr_reader_u8(&r);
	out->back = dr_reader_u8(&r);
	out->root_back = dr_reader_u8(&r);
	has_from = dr_reader_u8(&r);
	dr_reader_copy(&r, out->from, 32);
	dr_reader_copy(&r, out->recipient, 32);
	dr_reader_copy(&r, out->tee, 32);
	dr_reader_copy(&r, out->family, 32);
	dr_reader_copy(&r, out->device, 32);
	out->svn = dr_reader_u64(&r);
	out->confidence = dr_reader_u8(&r);
	out->num_advisories = dr_reader_u8(&r);
	if (has_from > 1 || (has_from == 0 && !dr_bytes_zero(out->from, 32)))
		dr_reader_fail(&r, DR_ERR_NONCANONICAL, "request: has_from is 0 or 1, and `from` zero without it");
	out->has_from = has_from == 1;
	if (out->num_advisories > DR_ADVISORIES_MAX)
		dr_reader_fail(&r, DR_ERR_LIMIT, "request: advisories");
	if (dr_reader_ok(&r))
		dr_reader_copy(&r, out->advisories, 32u * out->num_advisories);
	if (dr_reader_end(&r) != DR_OK)
		memset(out, 0, sizeof(*out));
	return fail->err;
}

static const struct {
	const char *name, *text;
} denials[] = {
	[DR_DENY_NONE] = { "none", "Nothing speaks against it." },
	[DR_DENY_MALFORMED] = { "malformed", "A field of the request is out of range, or its hardware (tee, family, "
					     "device) is not named, "
					     "or service and contract are not those that its purpose needs." },
	[DR_DENY_SEALED] = { "sealed", "The keys of this node are sealed." },
	[DR_DENY_PROFILE] = { "profile",
			      "The profile in force on chain is not the one in use here, or none is set." },
	[DR_DENY_BROKEN] = { "broken", "The contract emitted an event that this profile cannot read." },
	[DR_DENY_NODE] = { "node", "This KMS node is not registered on chain." },
	[DR_DENY_NODE_MEASUREMENT] = { "node-measurement", "The measurement of this KMS node is not allowed." },
	[DR_DENY_NODE_HARDWARE] = { "node-hardware", "The hardware of this KMS node is blacklisted, or not named." },
	[DR_DENY_APP_UNKNOWN] = { "app-unknown", "The app is not registered." },
	[DR_DENY_APP_SUSPENDED] = { "app-suspended", "The app is suspended." },
	[DR_DENY_APP_MEASUREMENT] = { "app-measurement", "The app's measurement was never allowed, or was revoked." },
	[DR_DENY_APP_NOTICE] = { "app-notice", "The app's measurement is announced; its notice period still runs." },
	[DR_DENY_HARDWARE] = { "hardware", "The asking hardware is blacklisted." },
	[DR_DENY_CONFIDENCE] = { "confidence", "The app does not accept hardware of this confidence level." },
	[DR_DENY_HANDOVER] = { "handover", "No handover from that version to the asking one is in force." },
	[DR_DENY_EPOCH] = { "epoch", "The epoch before is asked for, and no overlap runs." },
	[DR_DENY_ROOT] = { "root", "No root generation is published and in use, or the one before it is over." },
	[DR_DENY_ROOT_FOREIGN] = { "root-foreign", "The published root generation is not the one held here." },
	[DR_DENY_DIVERGENCE] = { "divergence",
				 "The contract's storage and its events differ on something this rests on." },
	[DR_DENY_HEAD] = { "head", "A right that this rests on was revoked in a block that is not final yet." },
	[DR_DENY_CODE] = { "code", "The contract's code is not proven of late, or is not the pinned one." },
	[DR_DENY_PROOF] = { "proof", "What is proven is not proven well enough." },
	[DR_DENY_ROOT_SHARE] = { "root-share", "This KMS node was not given that root generation, or has registered "
					       "anew since." },
};

const char *dr_deny_name(enum dr_deny why)
{
	return (size_t)why < sizeof(denials) / sizeof(denials[0]) ? denials[why].name : "?";
}

const char *dr_deny_text(enum dr_deny why)
{
	return (size_t)why < sizeof(denials) / sizeof(denials[0]) ? denials[why].text : "?";
}

static const char *const purposes[] = {
	[DR_PURPOSE_NONE] = "none",         [DR_PURPOSE_SEAL] = "seal",       [DR_PURPOSE_SIGN] = "sign",
	[DR_PURPOSE_TLS] = "tls",           [DR_PURPOSE_STORAGE] = "storage", [DR_PURPOSE_CLUSTER] = "cluster",
	[DR_PURPOSE_CONTRACT] = "contract",
};

const char *dr_purpose_name(enum dr_purpose purpose)
{
	return (size_t)purpose < sizeof(purposes) / sizeof(purposes[0]) ? purposes[purpose] : "?";
}

enum dr_purpose dr_purpose_by_name(const char *name)
{
	for (size_t i = DR_PURPOSE_SEAL; i < sizeof(purposes) / sizeof(purposes[0]); i++)
		if (strcmp(purposes[i], name) == 0)
			return (enum dr_purpose)i;
	return DR_PURPOSE_NONE;
}
