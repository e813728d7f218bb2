/* SPDX-License-Identifier: Apache-2.0
 *
 * host_kit: an engine's host that keeps nothing and agrees to everything. Who looks at one of its calls puts a
 * function of its own there.
 */
#ifndef DR_TESTS_HOST_KIT_H
#define DR_TESTS_HOST_KIT_H

#include "kms-bridge/core/engine.h"

static inline enum dr_err host_kept(void *ctx, const struct dr_frame *frame)
{
	(void)ctx;
	(void)frame;
	return DR_OK;
}

static inline enum dr_err host_ledger(void *ctx, const struct dr_entry *entry, const struct dr_change *change)
{
	(void)ctx;
	(void)entry;
	(void)change;
	return DR_OK;
}

static inline enum dr_err host_journal(void *ctx, const struct dr_entry *entry, const struct dr_note *note)
{
	(void)ctx;
	(void)entry;
	(void)note;
	return DR_OK;
}

static inline enum dr_err host_finding(void *ctx, const struct dr_audit_finding *finding)
{
	(void)ctx;
	(void)finding;
	return DR_OK;
}

static inline enum dr_err host_refused(void *ctx, const struct dr_frame *frame, const struct dr_fail *why)
{
	(void)ctx;
	(void)frame;
	(void)why;
	return DR_OK;
}

static inline enum dr_err host_step(void *ctx, uint64_t number, const uint8_t hash[static 32])
{
	(void)ctx;
	(void)number;
	(void)hash;
	return DR_OK;
}

static inline struct dr_engine_host host_of(void *ctx)
{
	return (struct dr_engine_host){ ctx,          host_kept,    host_ledger, host_journal,
					host_finding, host_refused, host_step };
}

#endif
