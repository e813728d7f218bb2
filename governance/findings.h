/* SPDX-License-Identifier: Apache-2.0
 *
 * findings: what an auditor must be told: read off the stream of changes, nothing else. Bounded memory.
 *
 *   stealthy-deployer      an app measurement was announced or allowed and revoked again within the
 *                          profile's stealth window; says how long it was in force, if at all
 *   unsupported-execution  an execution or council act that our own tally does not support
 *   refused                any other change that was refused
 *   unauthorized-revocation a revocation obeyed although its authority is lacking
 *   root-failed            a rotation whose generator missed its deadline
 *
 * Layer: governance.
 */
#ifndef DR_GOVERNANCE_FINDINGS_H
#define DR_GOVERNANCE_FINDINGS_H

#include "governance/change.h"

enum dr_audit_finding_kind {
	DR_AUDIT_NONE = 0,
	DR_AUDIT_STEALTHY_DEPLOYER,
	DR_AUDIT_UNSUPPORTED_EXECUTION,
	DR_AUDIT_REFUSED,
	DR_AUDIT_UNAUTHORIZED_REVOCATION,
	DR_AUDIT_ROOT_FAILED,
};

struct dr_audit_finding {
	enum dr_audit_finding_kind kind;
	struct dr_change at; /* the change that completed the finding */
	/* STEALTHY_DEPLOYER only: */
	uint64_t first_number; /* block of the announcement */
	uint64_t first_time;
	bool was_active;       /* the measurement was in force at some block */
	uint64_t active_since; /* timestamp of that block */
};

struct dr_findings; /* opaque */

struct dr_findings *dr_findings_new(uint64_t stealth_window_s);
void dr_findings_free(struct dr_findings *f);

/* dr_findings_take: one change, in ledger order. True: *out is a finding. */
bool dr_findings_take(struct dr_findings *f, struct dr_audit_finding *out, const struct dr_change *change);

const char *dr_audit_finding_name(enum dr_audit_finding_kind kind);

#endif
