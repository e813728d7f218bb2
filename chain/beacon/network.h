/* SPDX-License-Identifier: Apache-2.0
 *
 * network: which beacon chain: its preset's sizes, its genesis, and which fork holds from which epoch.
 *
 * Implements: ethereum/consensus-specs v1.6.0, phase0/beacon-chain.md (compute_epoch_at_slot, compute_fork_data_root,
 * compute_domain), altair/light-client/sync-protocol.md (compute_sync_committee_period), fork.md of each fork
 * (compute_fork_version). Mainnet, sepolia, holesky and hoodi by their published configurations
 * (eth-clients/mainnet, sepolia, holesky, hoodi: metadata/config.yaml); any other is built from values.
 *
 * Invariants:
 *   1. A network that dr_network_check passed has its forks in order, and every number within bounds that keep the
 *      arithmetic below from overflowing.
 *   2. At and after `unknown_epoch` nothing is answered: DR_ERR_UNKNOWN "unknown fork", never a guess.
 *   3. The encoding is canonical: one network, one run of bytes. A fork without an epoch has no version.
 *
 * Layer: chain/beacon.
 */
#ifndef DR_BEACON_NETWORK_H
#define DR_BEACON_NETWORK_H

#include "chain/base/bytes.h"
#include "chain/base/err.h"

enum dr_beacon_fork {
	DR_BEACON_PHASE0 = 0,
	DR_BEACON_ALTAIR,
	DR_BEACON_BELLATRIX,
	DR_BEACON_CAPELLA,
	DR_BEACON_DENEB,
	DR_BEACON_ELECTRA,
	DR_BEACON_FULU,
};
#define DR_BEACON_FORKS 7u
#define DR_BEACON_NEVER UINT64_MAX /* FAR_FUTURE_EPOCH: no epoch yet */

struct dr_network_fork {
	uint64_t epoch; /* DR_BEACON_NEVER: not scheduled, and then version is zero */
	uint8_t version[4];
};

struct dr_network {
	char name[32];              /* 1 to 31 of a-z 0-9 . _ -, then zeros */
	uint32_t slots_per_epoch;   /* a power of two, at most 256; mainnet 32 */
	uint32_t epochs_per_period; /* EPOCHS_PER_SYNC_COMMITTEE_PERIOD: a power of two, at most 65536; mainnet 256 */
	uint32_t committee_size;    /* SYNC_COMMITTEE_SIZE: a power of two, 8 to DR_SYNC_COMMITTEE_MAX; mainnet 512 */
	uint32_t seconds_per_slot;  /* 1 to 3600; mainnet 12 */
	uint64_t genesis_time;      /* seconds since 1970; at most DR_TIME_MAX_S */
	uint8_t genesis_validators_root[32];
	struct dr_network_fork
		forks[DR_BEACON_FORKS]; /* by enum dr_beacon_fork; phase0 at epoch 0, altair scheduled */
	uint64_t unknown_epoch; /* from here on a fork holds that this build does not know; DR_BEACON_NEVER: none
				   named */
};

/* dr_network_named: a built-in network by its name; NULL if there is none. */
const struct dr_network *dr_network_named(const char *name);

/* dr_network_known: the built-in networks, one after the other; NULL at the end. */
const struct dr_network *dr_network_known(size_t idx);

/* dr_network_check: is it one? DR_ERR_SYNTAX (a value that makes no sense, forks out of order, two forks of one
 * version), DR_ERR_LIMIT (beyond a bound), DR_ERR_NONCANONICAL (a version without an epoch, bytes behind the name);
 * fail->at is the fork's number where it is about one. */
enum dr_err dr_network_check(const struct dr_network *net, struct dr_fail *fail);

/* Canonical encoding, integers big-endian:
 *   u8 1 · name 32 · u32 slots per epoch · u32 epochs per period · u32 committee size · u32 seconds per slot ·
 *   u64 genesis time · genesis validators root 32 · u8 num · num × (u64 epoch · version 4) · u64 unknown epoch
 * num counts the scheduled forks, phase0 first. */
#define DR_NETWORK_LEN_MAX (1u + 32u + 16u + 8u + 32u + 1u + DR_BEACON_FORKS * 12u + 8u)

/* dr_network_encode: *net (which passed the check) into buf[0, cap); *len is its length. */
enum dr_err dr_network_encode(uint8_t *buf, size_t cap, size_t *len, const struct dr_network *net,
			      struct dr_fail *fail);

/* dr_network_decode: exactly one network, checked as by dr_network_check. */
enum dr_err dr_network_decode(struct dr_network *out, struct dr_bytes bytes, struct dr_fail *fail);

/* dr_network_same_chain: the same sizes, genesis and phase0 version: forks that were named since are no other chain.
 */
bool dr_network_same_chain(const struct dr_network *a, const struct dr_network *b);

/* Forks by their names in JSON ("altair" …). dr_beacon_fork_named: false if this build does not know the name. */
const char *dr_beacon_fork_name(enum dr_beacon_fork fork);
bool dr_beacon_fork_named(enum dr_beacon_fork *out, const char *name, size_t len);

/* Everything below is for networks that passed the check. */

uint64_t dr_network_epoch(const struct dr_network *net, uint64_t slot);
uint64_t dr_network_period(const struct dr_network *net, uint64_t slot); /* compute_sync_committee_period_at_slot */

/* dr_network_slot: the slot that `now` (seconds since 1970) lies in. DR_ERR_STALE if now is zero (no clock) or lies
 * before genesis: who does not know the time accepts nothing. */
enum dr_err dr_network_slot(uint64_t *slot, const struct dr_network *net, uint64_t now, struct dr_fail *fail);

/* dr_network_time: when slot begins, seconds since 1970; UINT64_MAX if that is beyond 64 bits. */
uint64_t dr_network_time(const struct dr_network *net, uint64_t slot);

/* dr_network_fork_at: the fork in force at slot. DR_ERR_UNKNOWN at and after unknown_epoch. */
enum dr_err dr_network_fork_at(enum dr_beacon_fork *fork, const struct dr_network *net, uint64_t slot,
			       struct dr_fail *fail);

/* dr_network_domain: DOMAIN_SYNC_COMMITTEE for a signature at signature_slot: by the fork of the slot before it
 * (validate_light_client_update: "fork_version_slot = max(signature_slot, 1) - 1"). */
enum dr_err dr_network_domain(uint8_t domain[static 32], const struct dr_network *net, uint64_t signature_slot,
			      struct dr_fail *fail);

/* dr_network_digest: compute_fork_digest of a scheduled fork, as it was before Fulu: from Fulu on the digest is
 * mixed with the blob schedule (EIP-7892), which nothing here knows. False for those, and for unscheduled forks. */
bool dr_network_digest(uint8_t digest[static 4], const struct dr_network *net, enum dr_beacon_fork fork);

/* dr_network_age: weak subjectivity: the state at slot may be relied on until limit_s seconds later. DR_ERR_STALE
 * when now is later, when slot lies in the future by more than DR_CLOCK_SKEW_S, or there is no clock;
 * *age_s is how old it is. */
enum dr_err dr_network_age(uint64_t *age_s, const struct dr_network *net, uint64_t slot, uint64_t now,
			   uint64_t limit_s, struct dr_fail *fail);

#endif
