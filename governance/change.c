/* SPDX-License-Identifier: Apache-2.0 */
#include "governance/change.h"

#include <string.h>

#include "chain/base/reader.h"
#include "chain/base/writer.h"

#define VERSION      1
#define HAS_PROPOSAL 1u
#define HAS_BY       2u
#define HAS_DUE      4u

enum dr_err dr_change_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_change *c, struct dr_fail *fail)
{
	const struct dr_act *act = &c->act;
	struct dr_writer w;

	*len = 0;
	DR_ASSERT(act->num_args <= DR_ARGS_MAX);
	dr_writer_init(&w, buf, cap, fail);
	dr_writer_u8(&w, VERSION);
	dr_writer_u64(&w, c->chain_id);
	dr_writer_copy(&w, c->contract, 20);
	dr_writer_u64(&w, c->number);
	dr_writer_copy(&w, c->hash, 32);
	dr_writer_u64(&w, c->time);
	dr_writer_u32(&w, c->ordinal);
	dr_writer_copy(&w, c->event_digest, 32);
	dr_writer_u16(&w, (uint16_t)act->action);
	dr_writer_u8(&w, (uint8_t)c->effect);
	dr_writer_u8(&w, (uint8_t)c->outcome);
	dr_writer_u8(&w, (uint8_t)c->reason);
	dr_writer_u8(&w, (uint8_t)((act->has_proposal ? HAS_PROPOSAL : 0) | (act->has_by ? HAS_BY : 0) |
				   (act->has_due ? HAS_DUE : 0)));
	dr_writer_u64(&w, act->proposal);
	dr_writer_copy(&w, act->by, 20);
	dr_writer_u64(&w, act->due);
	dr_writer_u8(&w, act->num_args);
	dr_writer_copy(&w, act->args, 32u * act->num_args);
	if (fail->err != DR_OK) {
		memset(buf, 0, cap);
		return fail->err;
	}
	*len = w.len;
	return DR_OK;
}

/* check: what the plain fields do not say by their size. */
static void check(struct dr_reader *r, const struct dr_change *c, uint8_t version, uint8_t flags)
{
	const struct dr_act *act = &c->act;
	const struct dr_action_def *def = dr_action_def((uint16_t)act->action);

	if (version != VERSION)
		dr_reader_fail(r, DR_ERR_UNKNOWN, "change: version 1");
	if (act->action != DR_ACTION_NONE && def == NULL)
		dr_reader_fail(r, DR_ERR_UNKNOWN, "change: action");
	if (c->effect != (def != NULL ? def->effect : DR_EFFECT_NEUTRAL))
		dr_reader_fail(r, DR_ERR_NONCANONICAL, "change: effect is not the action's");
	if (act->num_args != (def != NULL ? def->num_args : 0))
		dr_reader_fail(r, DR_ERR_NONCANONICAL, "change: number of arguments is not the action's");
	if (c->outcome > DR_OUTCOME_MATURED)
		dr_reader_fail(r, DR_ERR_SYNTAX, "change: outcome");
	if (c->reason > DR_REASON_LIMIT)
		dr_reader_fail(r, DR_ERR_SYNTAX, "change: reason");
	if (flags > (HAS_PROPOSAL | HAS_BY | HAS_DUE))
		dr_reader_fail(r, DR_ERR_SYNTAX, "change: flags");
	if ((!act->has_proposal && act->proposal != 0) || (!act->has_by && !dr_bytes_zero(act->by, 20)) ||
	    (!act->has_due && act->due != 0))
		dr_reader_fail(r, DR_ERR_NONCANONICAL, "change: field without its flag");
}

enum dr_err dr_change_decode(struct dr_change *out, struct dr_bytes bytes, struct dr_fail *fail)
{
	struct dr_act *act = &out->act;
	struct dr_reader r;
	uint8_t version, flags;

	memset(out, 0, sizeof(*out));
	dr_reader_init(&r, bytes, fail);
	version = dr_reader_u8(&r);
	out->chain_id = dr_reader_u64(&r);
	dr_reader_copy(&r, out->contract, 20);
	out->number = dr_reader_u64(&r);
	dr_reader_copy(&r, out->hash, 32);
	out->time = dr_reader_u64(&r);
	out->ordinal = dr_reader_u32(&r);
	dr_reader_copy(&r, out->event_digest, 32);
	act->action = (enum dr_action)dr_reader_u16(&r);
	out->effect = (enum dr_effect)dr_reader_u8(&r);
	out->outcome = (enum dr_outcome)dr_reader_u8(&r);
	out->reason = (enum dr_reason)dr_reader_u8(&r);
	flags = dr_reader_u8(&r);
	act->has_proposal = (flags & HAS_PROPOSAL) != 0;
	act->has_by = (flags & HAS_BY) != 0;
	act->has_due = (flags & HAS_DUE) != 0;
	act->proposal = dr_reader_u64(&r);
	dr_reader_copy(&r, act->by, 20);
	act->due = dr_reader_u64(&r);
	act->num_args = dr_reader_u8(&r);
	check(&r, out, version, flags);
	if (dr_reader_ok(&r))
		dr_reader_copy(&r, act->args, 32u * act->num_args);
	if (dr_reader_end(&r) != DR_OK)
		memset(out, 0, sizeof(*out));
	return fail->err;
}

const char *dr_outcome_name(enum dr_outcome outcome)
{
	switch (outcome) {
	case DR_OUTCOME_REFUSED: return "refused";
	case DR_OUTCOME_APPLIED: return "applied";
	case DR_OUTCOME_PENDING: return "pending";
	case DR_OUTCOME_MATURED: return "matured";
	}
	return "?";
}

static const struct {
	const char *name, *text;
} reasons[] = {
	[DR_REASON_NONE] = { "none", "Nothing speaks against it." },
	[DR_REASON_UNKNOWN_EVENT] = { "unknown-event", "The profile does not know this event; everything is withheld "
						       "until a successor profile does." },
	[DR_REASON_MALFORMED] = { "malformed", "The event's data does not have the shape that the profile declares; "
					       "everything is withheld until a successor profile." },
	[DR_REASON_VOTES] = { "unsupported-votes", "Our own tally of proven votes does not support this execution." },
	[DR_REASON_NO_PROPOSAL] = { "no-proposal", "It names a proposal that was not executed directly before it." },
	[DR_REASON_MISMATCH] = { "mismatch",
				 "It says something else than what was proposed, or than what we computed." },
	[DR_REASON_AUTHORITY] = { "authority", "Whoever did this may not do it." },
	[DR_REASON_NOTICE] = { "notice", "It would come into force before its notice period ends." },
	[DR_REASON_ORDER] = { "order", "It is not possible in the state that the chain was in." },
	[DR_REASON_PROOF] = { "false-proof", "A possession proof or signature in it is false." },
	[DR_REASON_DEADLINE] = { "deadline", "It came, or was still missing, after its deadline." },
	[DR_REASON_LIMIT] = { "limit", "A value in it lies beyond what derot permits." },
};

const char *dr_reason_name(enum dr_reason reason)
{
	return (size_t)reason < sizeof(reasons) / sizeof(reasons[0]) ? reasons[reason].name : "?";
}

const char *dr_reason_text(enum dr_reason reason)
{
	return (size_t)reason < sizeof(reasons) / sizeof(reasons[0]) ? reasons[reason].text : "?";
}
