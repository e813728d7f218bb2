/* SPDX-License-Identifier: Apache-2.0
 *
 * profile: which events and slots of a contract mean which action. Data, not code; governed: its digest
 * must be the one set on chain, or nothing that rests on it is granted.
 *
 * A profile travels in one canonical binary form (ARCHITECTURE.md, "Profile"); the YAML that people
 * edit is compiled to it by the watcher. digest = SHA-256 of the canonical form.
 *
 * Layer: governance.
 */
#ifndef DR_GOVERNANCE_PROFILE_H
#define DR_GOVERNANCE_PROFILE_H

#include "chain/facts.h"
#include "governance/action.h"

/* Where a word of an event goes. */
enum dr_field {
	DR_FIELD_ARG0 = 0, /* DR_FIELD_ARG0 + i: the action's i-th argument */
	DR_FIELD_PROPOSAL = 32,
	DR_FIELD_BY = 33,
	DR_FIELD_DUE = 34,
	DR_FIELD_IGNORE = 63,
};

struct dr_profile_event {
	uint8_t topic0[32];
	char signature[192]; /* "MeasurementAllowed(uint64,uint64,bytes32)": topic0 is its keccak256 */
	uint16_t action;
	uint8_t num_words;
	struct {
		uint8_t field; /* enum dr_field; every argument of the action occurs exactly once */
		uint8_t type;  /* enum dr_word_type, as the signature has it; must be the action's own */
	} words[DR_ARGS_MAX];
};

/* What the value of a watched mapping slot means. */
enum dr_slot_kind {
	DR_SLOT_MEASUREMENT = 1,     /* mapping(measurement → due), 0 = not allowed */
	DR_SLOT_APP_MEASUREMENT = 2, /* mapping(app → mapping(measurement → due)) */
	DR_SLOT_HARDWARE = 3,        /* mapping(kind → mapping(value → svn + 1)), 0 = not listed */
	DR_SLOT_ROOT = 4,            /* mapping(generation → keccak256(prf_pub ‖ sig_pub)), 0 = not published */
	DR_SLOT_SUSPENDED = 5,       /* mapping(app → 0, 1 while suspended, or the second it resumes) */
};

struct dr_profile_slot {
	uint8_t kind;  /* enum dr_slot_kind */
	uint64_t slot; /* the mapping's own slot number */
};

struct dr_profile {
	char name[32];
	uint8_t digest[32];
	uint8_t code_hash[32];
	bool has_accumulator;
	uint64_t count_slot, acc_slot;
	uint32_t state_every;      /* state is proven at multiples of this block number; >= 1 */
	uint64_t stealth_window_s; /* a right that lived shorter than this is a finding */
	uint64_t exposure_grace_s; /* a root generation exposed by a revocation ends after this; 1 to DR_TIME_MAX_S */
	uint16_t num_events;
	struct dr_profile_event events[DR_PROFILE_EVENTS_MAX];
	uint16_t num_slots;
	struct dr_profile_slot slots[DR_PROFILE_SLOTS_MAX];
};

/* dr_profile_encode: the canonical form of p (p->digest is ignored) into buf; *len its length. Events
 * are sorted by topic0, slots by kind. Refuses what decode would refuse. */
enum dr_err dr_profile_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_profile *p,
			      struct dr_fail *fail);

/* dr_profile_decode: fills *out, digest included. Refuses anything but the canonical form: unknown
 * action, missing, doubled or wrongly typed argument, topic0 that is not its signature's hash, doubled
 * topic0, disorder, trailing bytes. */
enum dr_err dr_profile_decode(struct dr_profile *out, struct dr_bytes bytes, struct dr_fail *fail);

/* dr_profile_declare: fills *out (topic0, signature, words) from a declaration with argument names:
 * "MeasurementAllowed(uint64 proposal, uint64 due, bytes32 measurement)" and an action's name. Types
 * known: bytes32, uint64, uint32, uint16, uint8 (as U64), address, bool, and bytes32[8] / T[n] for arg0…
 * (a fixed array named `args` fills arg0, arg1, …). An argument named `_` is ignored. */
enum dr_err dr_profile_declare(struct dr_profile_event *out, const char *declaration, const char *action,
			       struct dr_fail *fail);

/* dr_profile_act: reads one proven event. DR_OK fills *out. DR_ERR_UNKNOWN: no such topic0 (or an
 * anonymous event). DR_ERR_SYNTAX: more than one topic, or data of another length. DR_ERR_NONCANONICAL:
 * a word that is not of its type. */
enum dr_err dr_profile_act(struct dr_act *out, const struct dr_profile *p, const struct dr_event *event,
			   struct dr_fail *fail);

#endif
