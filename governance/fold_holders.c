/* SPDX-License-Identifier: Apache-2.0
 *
 * Who holds a root generation, and what follows when the build or the machine of a holder loses its right: the
 * generation is exposed, for what had the keys may have leaked them. A holder that has registered anew or left
 * counts as well: it had them.
 */
#include <string.h>

#include "governance/fold_step.h"

void dr_fold_hold(struct dr_step *step, uint64_t generation, const uint8_t node[static 20])
{
	struct dr_holder holder = { .generation = generation, .current = true };
	struct dr_node now;

	if (!dr_state_node(&now, &step->state, node))
		return;
	memcpy(holder.node, node, 20);
	holder.number = step->origin_number;
	holder.ordinal = step->origin_ordinal;
	memcpy(holder.measurement, now.measurement, 32);
	memcpy(holder.tee, now.tee, 32);
	memcpy(holder.family, now.family, 32);
	memcpy(holder.device, now.device, 32);
	holder.svn = now.svn;
	dr_state_put_holder(&step->state, &holder, &step->fail);
}

/* hits: the revocation act takes something away from what the holder ran on. */
static bool hits(const struct dr_act *act, const struct dr_holder *h)
{
	const uint8_t *value = act->args[1];

	if (act->action == DR_ACTION_MEASUREMENT_REVOKE)
		return memcmp(h->measurement, act->args[0], 32) == 0;
	switch ((enum dr_hardware)dr_fold_u64(act, 0)) {
	case DR_HARDWARE_FAMILY: return memcmp(h->family, value, 32) == 0;
	case DR_HARDWARE_SVN: return memcmp(h->family, value, 32) == 0 && h->svn < dr_fold_u64(act, 2);
	case DR_HARDWARE_DEVICE: return memcmp(h->device, value, 32) == 0;
	case DR_HARDWARE_TEE: return memcmp(h->tee, value, 32) == 0;
	case DR_HARDWARE_ADVISORY: return false; /* a node does not name its advisories */
	}
	return false;
}

/* expose: the generation has the profile's grace, unless it has less already; a change of its own says so. */
static void expose(struct dr_step *step, uint64_t generation)
{
	const uint64_t grace_s = step->fold->profile->exposure_grace_s;
	const uint64_t deadline = grace_s < DR_TIME_MAX_S - step->time ? step->time + grace_s : DR_TIME_MAX_S;
	struct dr_act act = { .action = DR_ACTION_ROOT_EXPOSE, .num_args = 2 };

	dr_word_put(act.args[0], generation);
	dr_word_put(act.args[1], deadline);
	if (dr_fold_root_expose(step, &act))
		dr_fold_emit(step, &act, DR_OUTCOME_MATURED, DR_REASON_NONE);
}

/* expose_lost: a node that is given a generation while its build or machine has no right (any more). */
static void expose_lost(struct dr_step *step, uint64_t generation, const uint8_t *id)
{
	struct dr_grant grant;
	struct dr_node node;

	if (dr_state_holds(&step->state, generation, id) && dr_state_node(&node, &step->state, id) &&
	    (!dr_state_measurement(&grant, &step->state, node.measurement) ||
	     dr_state_machine_listed(&step->state, node.tee, node.family, node.svn, node.device)))
		expose(step, generation);
}

void dr_fold_exposure(struct dr_step *step, const struct dr_act *act)
{
	struct dr_holder h;
	struct dr_root root;

	if (act->action == DR_ACTION_ROOT_PUBLISH) {
		if (dr_state_root(&root, &step->state, dr_fold_u64(act, 0)))
			expose_lost(step, dr_fold_u64(act, 0), root.node);
		return;
	}
	if (act->action == DR_ACTION_ROOT_SHARE) {
		expose_lost(step, dr_fold_u64(act, 0), act->args[1] + 12);
		return;
	}
	if (act->action != DR_ACTION_MEASUREMENT_REVOKE && act->action != DR_ACTION_HARDWARE_BLACKLIST)
		return;
	for (bool more = dr_state_holder_next(&h, &step->state, NULL); more && step->fail.err == DR_OK;
	     more = dr_state_holder_next(&h, &step->state, &h))
		if (hits(act, &h))
			expose(step, h.generation);
}
