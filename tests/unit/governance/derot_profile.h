/* SPDX-License-Identifier: Apache-2.0
 *
 * derot_profile: the profile of DeRoT.sol as tests build it: the declarations of governance/profiles/derot-v1.yaml
 * as a table, without a YAML reader (which lives layers above).
 */
#ifndef DR_TESTS_DEROT_PROFILE_H
#define DR_TESTS_DEROT_PROFILE_H

#include <string.h>

#include "governance/profile.h"
#include "tests/unit/kit.h"

/* clang-format off */
static const struct {
	const char *declaration, *action;
} derot_events[] = {
	{ "MemberSet(uint64 proposal, uint64 due, address member, uint64 weight)", "council.member_set" },
	{ "MemberRemoved(uint64 proposal, address member)", "council.member_remove" },
	{ "QuorumSet(uint64 proposal, uint64 due, uint64 quorum)", "council.quorum_set" },
	{ "NoticeSet(uint64 proposal, uint64 due, uint64 class, uint64 seconds)", "council.notice_set" },
	{ "GuardianAdded(uint64 proposal, uint64 due, address guardian)", "council.guardian_add" },
	{ "GuardianRemoved(uint64 proposal, address guardian)", "council.guardian_remove" },
	{ "Constituted(uint64 voting_period)", "council.constitute" },
	{ "Proposed(uint64 proposal, address by, uint16 action, uint64 expires, bytes32[8] args)", "proposal.create" },
	{ "Voted(uint64 proposal, address by, uint64 weight, bool support)", "proposal.vote" },
	{ "Cancelled(uint64 proposal, address by)", "proposal.cancel" },
	{ "Executed(uint64 proposal, address by)", "proposal.execute" },
	{ "MeasurementAllowed(uint64 proposal, uint64 due, bytes32 measurement)", "measurement.allow" },
	{ "MeasurementRevoked(uint64 proposal, address by, bytes32 measurement)", "measurement.revoke" },
	{ "AppRegistered(address by, bytes32 app, bytes32 nonce, uint64 notice, uint64 confidence)", "app.register" },
	{ "AppMeasurementAllowed(address by, uint64 due, bytes32 app, bytes32 measurement)", "app.measurement.allow" },
	{ "AppMeasurementRevoked(uint64 proposal, address by, bytes32 app, bytes32 measurement)",
	  "app.measurement.revoke" },
	{ "AppSuspended(uint64 proposal, address by, bytes32 app)", "app.suspend" },
	{ "AppResumed(uint64 proposal, uint64 due, bytes32 app)", "app.resume" },
	{ "AppHandover(address by, uint64 due, bytes32 app, bytes32 from, bytes32 to)", "app.handover" },
	{ "AppHandoverEnded(address by, bytes32 app, bytes32 from, bytes32 to)", "app.handover_end" },
	{ "AppConfidenceRelaxed(address by, uint64 due, bytes32 app, uint64 confidence)", "app.confidence_relax" },
	{ "AppConfidenceTightened(address by, bytes32 app, uint64 confidence)", "app.confidence_tighten" },
	{ "HardwareBlacklisted(uint64 proposal, address by, uint64 kind, bytes32 value, uint64 svn)",
	  "hardware.blacklist" },
	{ "HardwareReinstated(uint64 proposal, uint64 due, uint64 kind, bytes32 value)", "hardware.reinstate" },
	{ "RootRotated(uint64 proposal, uint64 due, uint64 generation, address node, uint64 deadline)", "root.rotate" },
	{ "RootPublished(address by, uint64 generation, bytes32[10] args)", "root.publish" },
	{ "RootShared(uint64 proposal, uint64 due, uint64 generation, address node)", "root.share" },
	{ "RootRetired(uint64 proposal, uint64 generation)", "root.retire" },
	{ "RootExposed(uint64 proposal, address by, uint64 generation, uint64 deadline)", "root.expose" },
	{ "EpochPolicySet(address by, uint64 due, bytes32 app, bytes32 service, uint64 period, uint64 overlap)",
	  "epoch.policy" },
	{ "EpochAdvanced(address by, bytes32 app, bytes32 service, uint64 epoch)", "epoch.advance" },
	{ "NodeRegistered(address by, address node, uint64 role, bytes32 measurement, bytes32 enc_key, bytes32 tee, "
	  "bytes32 family, uint64 svn, bytes32 device)", "node.register" },
	{ "NodeDeregistered(address by, address node)", "node.deregister" },
	{ "NodeStaked(address by, address node, uint64 stake)", "node.stake" },
	{ "NodeSlashed(uint64 proposal, address node, uint64 amount)", "node.slash" },
	{ "Heartbeat(address by, bytes32 nonce)", "heartbeat" },
	{ "ProfileSet(uint64 proposal, uint64 due, bytes32 digest)", "profile.set" },
};
/* clang-format on */

/* derot_profile: decoded from its own canonical form, so that it has its digest. */
static inline void derot_profile(struct dr_profile *out)
{
	static uint8_t bytes[DR_PROFILE_LEN_MAX];
	struct dr_fail fail = { 0 };
	size_t len;

	memset(out, 0, sizeof(*out));
	strcpy(out->name, "derot-v1");
	memset(out->code_hash, 0xc0, 32);
	out->has_accumulator = true;
	out->acc_slot = 1;
	out->state_every = 8;
	out->stealth_window_s = 86400;
	out->exposure_grace_s = 5000;
	for (size_t i = 0; i < sizeof(derot_events) / sizeof(derot_events[0]); i++)
		if (dr_profile_declare(&out->events[out->num_events++], derot_events[i].declaration,
				       derot_events[i].action, &fail) != DR_OK)
			fail_msg("%s: %s", derot_events[i].declaration, fail.what);
	for (uint8_t kind = DR_SLOT_MEASUREMENT; kind <= DR_SLOT_SUSPENDED; kind++)
		out->slots[out->num_slots++] = (struct dr_profile_slot){ .kind = kind, .slot = kind + 1u };
	assert_int_equal(dr_profile_encode(bytes, sizeof(bytes), &len, out, &fail), DR_OK);
	assert_int_equal(dr_profile_decode(out, dr_bytes_of(bytes, len), &fail), DR_OK);
}

#endif
